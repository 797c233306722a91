//! `AWS::WAFv2::RuleGroup`. Found by name, which is unique in its scope. Name, scope and capacity replace it.
//! An update replaces everything but its capacity, which is set for good when it is made.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_wafv2::operation::create_rule_group::builders::CreateRuleGroupFluentBuilder;
use aws_sdk_wafv2::types as sdk;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, absent_is_none, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::tags::Tags;
use crate::resource::wafv2::action::{
    CaptchaConfig, ChallengeConfig, CustomResponseBody, RuleAction, VisibilityConfig, bodies_of, sdk_bodies,
};
use crate::resource::wafv2::settings::MonetizationConfig;
use crate::resource::wafv2::shape::{Shape, Untranslatable};
use crate::resource::wafv2::statement::{Label, Rule, Statement};
use crate::resource::wafv2::{
    Identity, WRITING, described, find_in_pages, lets_go, once_visible, passes, scope_here, sync_tags, tags_of,
    tags_to_sdk, unreadable, unsayable, with_lock,
};
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, attributes, referred};

pub struct Wafv2RuleGroup;

/// The template's names and shapes. What the service does when the template is silent is the field's default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RuleGroup {
    pub name: Option<String>,
    pub scope: String,
    /// What its rules may cost, in WAF's units.
    pub capacity: i64,
    pub description: Option<String>,
    #[serde(default)]
    pub rules: BTreeSet<GroupRule>,
    pub visibility_config: VisibilityConfig,
    /// What blocked requests are answered, by the key that rules refer to.
    #[serde(default)]
    pub custom_response_bodies: BTreeMap<String, CustomResponseBody>,
    pub monetization_config: Option<MonetizationConfig>,
    #[serde(default)]
    pub tags: Tags,
}

/// A rule of a group refers to no other group, and so has no decision of one to override.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GroupRule {
    pub priority: i32,
    pub name: String,
    pub action: Option<RuleAction>,
    pub statement: Statement,
    pub visibility_config: VisibilityConfig,
    pub captcha_config: Option<CaptchaConfig>,
    pub challenge_config: Option<ChallengeConfig>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rule_labels: BTreeSet<Label>,
}

impl From<GroupRule> for Rule {
    fn from(rule: GroupRule) -> Self {
        let GroupRule {
            priority,
            name,
            action,
            statement,
            visibility_config,
            captcha_config,
            challenge_config,
            rule_labels,
        } = rule;
        Self {
            priority,
            name,
            action,
            override_action: None,
            statement,
            visibility_config,
            captcha_config,
            challenge_config,
            rule_labels,
        }
    }
}

impl From<Rule> for GroupRule {
    fn from(rule: Rule) -> Self {
        let Rule {
            priority,
            name,
            action,
            override_action: _,
            statement,
            visibility_config,
            captcha_config,
            challenge_config,
            rule_labels,
        } = rule;
        Self { priority, name, action, statement, visibility_config, captcha_config, challenge_config, rule_labels }
    }
}

impl Handler for Wafv2RuleGroup {
    const TYPE: &'static str = "AWS::WAFv2::RuleGroup";
    const FOUND_BY: &'static [&'static str] = &["Name", "Scope"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("Name", 128));
    const TAGGED_AS: Option<&'static str> = Some("wafv2");
    const ALSO_CREATE_ONLY: &'static [&'static str] = &["Capacity"];
    type Properties = RuleGroup;

    fn complete(group: &mut RuleGroup) {
        group.description = described(group.description.take());
    }

    fn predict(scope: &Scope, group: &RuleGroup) -> Attributes {
        let namespace = |name: &String| format!("awswaf:{}:rulegroup:{name}:", scope.account_id);
        attributes([("LabelNamespace", group.name.as_ref().map(namespace))])
    }

    async fn find(cx: &Context, _owner: &Owner, group: &RuleGroup) -> Result<Option<PhysicalId>, AwsError> {
        const LIST: &str = "wafv2.ListRuleGroups";
        let scope = scope_here(&group.scope, &cx.scope, LIST)?;
        let list = cx.wafv2.list_rule_groups().scope(scope.clone()).limit(100);
        let found = find_in_pages(group.name.as_deref(), scope, LIST, |marker| async {
            let answer = list.clone().set_next_marker(marker).send().await.during(LIST)?;
            let summaries = answer.rule_groups.unwrap_or_default().into_iter();
            Ok((summaries.map(|summary| (summary.name, summary.id)).collect(), answer.next_marker))
        })
        .await?;
        Ok(found.map(|identity| identity.physical_id()))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<RuleGroup>>, AwsError> {
        let identity = Identity::parse(id, &cx.scope, GET)?;
        let Some((group, _)) = look(cx, &identity).await? else { return Ok(None) };
        let Some(tags) = absent_is_none(tags_of(cx, &group.arn).await)? else { return Ok(None) };
        let attributes = attributes_of(&identity, &group);
        let name = group.name.clone();
        let group = from_sdk(group, &identity.scope, tags).map_err(|error| unreadable(GET)(error.within(&name)))?;
        Ok(Some(Live::tagged(group, attributes)))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        group: &RuleGroup,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, group).await?,
        };
        let identity = Identity::parse(&id, &cx.scope, GET)?;
        cx.until(GET, "the new rule group to show", Patience::seconds(60), || async {
            let seen = look(cx, &identity).await?;
            Ok(seen.map(|(group, _)| Made { id: id.clone(), attributes: attributes_of(&identity, &group) }))
        })
        .await
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        group: &RuleGroup,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let identity = Identity::parse(id, &cx.scope, "wafv2.UpdateRuleGroup")?;
        if changes.touch_other_than("Tags") {
            once_visible(cx, || with_lock(cx, passes, || replace(cx, &identity, group))).await?;
        }
        if changes.touch("Tags") {
            sync_tags(cx, &identity.arn(&cx.scope, KIND), &group.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let identity = Identity::parse(id, &cx.scope, "wafv2.DeleteRuleGroup")?;
        with_lock(cx, lets_go, || remove(cx, &identity)).await?;
        cx.until(GET, "the rule group to be gone", Patience::seconds(60), || async {
            Ok(look(cx, &identity).await?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(Identity::of_arn(arn, &cx.scope, KIND).map(|identity| identity.physical_id()))
    }
}

const CREATE: &str = "wafv2.CreateRuleGroup";
const GET: &str = "wafv2.GetRuleGroup";
const KIND: &str = "rulegroup";

/// The rule group as it is now, with the lock token that a write of it takes.
async fn look(cx: &Context, identity: &Identity) -> Result<Option<(sdk::RuleGroup, String)>, AwsError> {
    let get = cx.wafv2.get_rule_group().name(&identity.name).id(&identity.id).scope(identity.scope.clone());
    let Some(answer) = found(GET, get.send().await)? else { return Ok(None) };
    let group = answer.rule_group.ok_or_else(|| AwsError::missing(GET, "RuleGroup"))?;
    Ok(Some((group, answer.lock_token.ok_or_else(|| AwsError::missing(GET, "LockToken"))?)))
}

/// A create or update with everything that the template says.
macro_rules! with_settings {
    ($call:expr, $operation:expr, $group:expr) => {{
        let unsayable = unsayable($operation);
        let group: &RuleGroup = $group;
        let rules: Vec<sdk::Rule> =
            group.rules.iter().cloned().map(Rule::from).collect::<BTreeSet<_>>().to_parts().map_err(&unsayable)?;
        $call
            .set_description(group.description.clone())
            .set_rules(Some(rules))
            .set_visibility_config(group.visibility_config.to_part().map_err(&unsayable)?)
            .set_custom_response_bodies(sdk_bodies(&group.custom_response_bodies).map_err(&unsayable)?)
            .set_monetization_config(group.monetization_config.to_part().map_err(&unsayable)?)
    }};
}

/// A create with everything that a template says.
pub(super) fn with_everything(
    create: CreateRuleGroupFluentBuilder,
    group: &RuleGroup,
) -> Result<CreateRuleGroupFluentBuilder, AwsError> {
    let create = create.set_name(group.name.clone()).scope(group.scope.as_str().into()).capacity(group.capacity);
    Ok(with_settings!(create, CREATE, group).set_tags(tags_to_sdk(&group.tags)))
}

async fn make(cx: &Context, group: &RuleGroup) -> Result<PhysicalId, AwsError> {
    let scope = scope_here(&group.scope, &cx.scope, CREATE)?;
    let create = with_everything(cx.wafv2.create_rule_group(), group)?;
    let create = || async { create.clone().send().await.during(CREATE) };
    let answer = once_visible(cx, || cx.while_passing(WRITING, passes, create)).await?;
    let summary = answer.summary.ok_or_else(|| AwsError::missing(CREATE, "Summary"))?;
    Identity::of_summary((summary.name, summary.id), scope, CREATE).map(|identity| identity.physical_id())
}

async fn replace(cx: &Context, identity: &Identity, group: &RuleGroup) -> Result<(), AwsError> {
    const UPDATE: &str = "wafv2.UpdateRuleGroup";
    let Some((_, lock_token)) = look(cx, identity).await? else {
        return Err(identity.gone("rule group", UPDATE));
    };
    let update = cx.wafv2.update_rule_group().name(&identity.name).id(&identity.id).scope(identity.scope.clone());
    let update = with_settings!(update, UPDATE, group).lock_token(lock_token);
    update.send().await.during(UPDATE).map(drop)
}

async fn remove(cx: &Context, identity: &Identity) -> Result<(), AwsError> {
    let Some((_, lock_token)) = look(cx, identity).await? else { return Ok(()) };
    let delete = cx.wafv2.delete_rule_group().name(&identity.name).id(&identity.id).scope(identity.scope.clone());
    gone_is_fine(delete.lock_token(lock_token).send().await.during("wafv2.DeleteRuleGroup"))
}

pub(super) fn from_sdk(group: sdk::RuleGroup, scope: &sdk::Scope, tags: Tags) -> Result<RuleGroup, Untranslatable> {
    let mut rules = BTreeSet::new();
    for rule in group.rules.unwrap_or_default() {
        let name = rule.name.clone();
        rules.insert(Rule::from_sdk(Some(rule)).map_err(|error| error.within(&name))?.into());
    }
    Ok(RuleGroup {
        name: Some(group.name),
        scope: scope.as_str().to_owned(),
        capacity: group.capacity,
        description: group.description,
        rules,
        visibility_config: Shape::from_sdk(group.visibility_config)
            .map_err(|error| error.within("VisibilityConfig"))?,
        custom_response_bodies: bodies_of(group.custom_response_bodies)?,
        monetization_config: Shape::from_sdk(group.monetization_config)?,
        tags,
    })
}

fn attributes_of(identity: &Identity, group: &sdk::RuleGroup) -> Attributes {
    let namespace = group.label_namespace.clone().unwrap_or_default();
    referred(
        identity.physical_id().as_str(),
        [("Arn", group.arn.clone()), ("Id", group.id.clone()), ("LabelNamespace", namespace)],
    )
}
