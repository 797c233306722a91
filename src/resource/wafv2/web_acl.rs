//! `AWS::WAFv2::WebACL`. Found by name, which is unique in its scope. Only name and scope replace it.
//! An update replaces everything: what it leaves out is gone. Rules that Shield Advanced adds are kept, and not looked
//! at.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_wafv2::operation::create_web_acl::builders::CreateWebACLFluentBuilder;
use aws_sdk_wafv2::types as sdk;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, During, absent_is_none, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::tags::Tags;
use crate::resource::wafv2::action::{
    CaptchaConfig, ChallengeConfig, CustomResponseBody, DefaultAction, VisibilityConfig, bodies_of, sdk_bodies,
};
use crate::resource::wafv2::settings::{
    ApplicationConfig, AssociationConfig, DataProtectionConfig, MonetizationConfig, OnSourceDDoSProtectionConfig,
};
use crate::resource::wafv2::shape::{Shape, Untranslatable};
use crate::resource::wafv2::statement::Rule;
use crate::resource::wafv2::{
    Identity, WRITING, described, find_in_pages, lets_go, once_visible, passes, scope_here, sync_tags, tags_of,
    tags_to_sdk, unreadable, unsayable, with_lock,
};
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, attributes, referred};

pub struct Wafv2WebAcl;

/// The template's names and shapes. What the service does when the template is silent is the field's default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct WebAcl {
    pub name: Option<String>,
    pub scope: String,
    pub default_action: DefaultAction,
    pub description: Option<String>,
    #[serde(default)]
    pub rules: BTreeSet<Rule>,
    pub visibility_config: VisibilityConfig,
    pub captcha_config: Option<CaptchaConfig>,
    pub challenge_config: Option<ChallengeConfig>,
    /// What blocked requests are answered, by the key that rules refer to.
    #[serde(default)]
    pub custom_response_bodies: BTreeMap<String, CustomResponseBody>,
    /// The domains whose tokens count, beside that of the protected resource.
    #[serde(default)]
    pub token_domains: BTreeSet<String>,
    pub association_config: Option<AssociationConfig>,
    pub data_protection_config: Option<DataProtectionConfig>,
    pub application_config: Option<ApplicationConfig>,
    pub monetization_config: Option<MonetizationConfig>,
    #[serde(rename = "OnSourceDDoSProtectionConfig", default)]
    pub on_source_ddos_protection_config: OnSourceDDoSProtectionConfig,
    #[serde(default)]
    pub tags: Tags,
}

impl Handler for Wafv2WebAcl {
    const TYPE: &'static str = "AWS::WAFv2::WebACL";
    const FOUND_BY: &'static [&'static str] = &["Name", "Scope"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("Name", 128));
    const TAGGED_AS: Option<&'static str> = Some("wafv2");
    type Properties = WebAcl;

    fn complete(acl: &mut WebAcl) {
        acl.description = described(acl.description.take());
        acl.association_config = acl.association_config.take().filter(|config| !config.request_body.is_empty());
    }

    fn predict(scope: &Scope, acl: &WebAcl) -> Attributes {
        let namespace = |name: &String| format!("awswaf:{}:webacl:{name}:", scope.account_id);
        attributes([("LabelNamespace", acl.name.as_ref().map(namespace))])
    }

    async fn find(cx: &Context, _owner: &Owner, acl: &WebAcl) -> Result<Option<PhysicalId>, AwsError> {
        const LIST: &str = "wafv2.ListWebACLs";
        let scope = scope_here(&acl.scope, &cx.scope, LIST)?;
        let list = cx.wafv2.list_web_acls().scope(scope.clone()).limit(100);
        let found = find_in_pages(acl.name.as_deref(), scope, LIST, |marker| async {
            let answer = list.clone().set_next_marker(marker).send().await.during(LIST)?;
            let summaries = answer.web_acls.unwrap_or_default().into_iter();
            Ok((summaries.map(|summary| (summary.name, summary.id)).collect(), answer.next_marker))
        })
        .await?;
        Ok(found.map(|identity| identity.physical_id()))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<WebAcl>>, AwsError> {
        let identity = Identity::parse(id, &cx.scope, GET)?;
        let Some((acl, _)) = look(cx, &identity).await? else { return Ok(None) };
        let Some(tags) = absent_is_none(tags_of(cx, &acl.arn).await)? else { return Ok(None) };
        let attributes = attributes_of(&identity, &acl);
        let name = acl.name.clone();
        let acl = from_sdk(acl, &identity.scope, tags).map_err(|error| unreadable(GET)(error.within(&name)))?;
        Ok(Some(Live::tagged(acl, attributes)))
    }

    async fn create(cx: &Context, _owner: &Owner, acl: &WebAcl, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, acl).await?,
        };
        let identity = Identity::parse(&id, &cx.scope, GET)?;
        cx.until(GET, "the new web ACL to show", Patience::seconds(60), || async {
            let seen = look(cx, &identity).await?;
            Ok(seen.map(|(acl, _)| Made { id: id.clone(), attributes: attributes_of(&identity, &acl) }))
        })
        .await
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        acl: &WebAcl,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let identity = Identity::parse(id, &cx.scope, "wafv2.UpdateWebACL")?;
        if changes.touch_other_than("Tags") {
            once_visible(cx, || with_lock(cx, passes, || replace(cx, &identity, acl))).await?;
        }
        if changes.touch("Tags") {
            sync_tags(cx, &identity.arn(&cx.scope, KIND), &acl.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let identity = Identity::parse(id, &cx.scope, "wafv2.DeleteWebACL")?;
        with_lock(cx, lets_go, || remove(cx, &identity)).await?;
        cx.until(GET, "the web ACL to be gone", Patience::seconds(60), || async {
            Ok(look(cx, &identity).await?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(Identity::of_arn(arn, &cx.scope, KIND).map(|identity| identity.physical_id()))
    }
}

const CREATE: &str = "wafv2.CreateWebACL";
const GET: &str = "wafv2.GetWebACL";
const KIND: &str = "webacl";

/// The names of rules that Shield Advanced adds to web ACLs begin so.
const SHIELDS: &str = "ShieldMitigationRuleGroup_";

/// The web ACL as it is now, with the lock token that a write of it takes.
async fn look(cx: &Context, identity: &Identity) -> Result<Option<(sdk::WebAcl, String)>, AwsError> {
    let get = cx.wafv2.get_web_acl().name(&identity.name).id(&identity.id).scope(identity.scope.clone());
    let Some(answer) = found(GET, get.send().await)? else { return Ok(None) };
    let acl = answer.web_acl.ok_or_else(|| AwsError::missing(GET, "WebACL"))?;
    Ok(Some((acl, answer.lock_token.ok_or_else(|| AwsError::missing(GET, "LockToken"))?)))
}

/// A create or update with everything that the template says, and the rules that are not its own.
macro_rules! with_settings {
    ($call:expr, $operation:expr, $acl:expr, $shields:expr) => {{
        let unsayable = unsayable($operation);
        let acl: &WebAcl = $acl;
        let mut rules: Vec<sdk::Rule> = acl.rules.to_parts().map_err(&unsayable)?;
        rules.extend($shields);
        $call
            .set_default_action(acl.default_action.to_part().map_err(&unsayable)?)
            .set_description(acl.description.clone())
            .set_rules(Some(rules))
            .set_visibility_config(acl.visibility_config.to_part().map_err(&unsayable)?)
            .set_captcha_config(acl.captcha_config.to_part().map_err(&unsayable)?)
            .set_challenge_config(acl.challenge_config.to_part().map_err(&unsayable)?)
            .set_custom_response_bodies(sdk_bodies(&acl.custom_response_bodies).map_err(&unsayable)?)
            .set_token_domains(
                Some(acl.token_domains.iter().cloned().collect()).filter(|them: &Vec<_>| !them.is_empty()),
            )
            .set_association_config(acl.association_config.to_part().map_err(&unsayable)?)
            .set_data_protection_config(acl.data_protection_config.to_part().map_err(&unsayable)?)
            .set_application_config(acl.application_config.to_part().map_err(&unsayable)?)
            .set_monetization_config(acl.monetization_config.to_part().map_err(&unsayable)?)
            .set_on_source_d_do_s_protection_config(load_balancers(acl).map_err(&unsayable)?)
    }};
}

/// A create with everything that a template says.
pub(super) fn with_everything(
    create: CreateWebACLFluentBuilder,
    acl: &WebAcl,
) -> Result<CreateWebACLFluentBuilder, AwsError> {
    let create = create.set_name(acl.name.clone()).scope(acl.scope.as_str().into());
    Ok(with_settings!(create, CREATE, acl, []).set_tags(tags_to_sdk(&acl.tags)))
}

async fn make(cx: &Context, acl: &WebAcl) -> Result<PhysicalId, AwsError> {
    let scope = scope_here(&acl.scope, &cx.scope, CREATE)?;
    let create = with_everything(cx.wafv2.create_web_acl(), acl)?;
    let create = || async { create.clone().send().await.during(CREATE) };
    let answer = once_visible(cx, || cx.while_passing(WRITING, passes, create)).await?;
    let summary = answer.summary.ok_or_else(|| AwsError::missing(CREATE, "Summary"))?;
    Identity::of_summary((summary.name, summary.id), scope, CREATE).map(|identity| identity.physical_id())
}

async fn replace(cx: &Context, identity: &Identity, acl: &WebAcl) -> Result<(), AwsError> {
    const UPDATE: &str = "wafv2.UpdateWebACL";
    let Some((live, lock_token)) = look(cx, identity).await? else {
        return Err(identity.gone("web ACL", UPDATE));
    };
    let shields = live.rules.unwrap_or_default().into_iter().filter(is_shields);
    let update = cx.wafv2.update_web_acl().name(&identity.name).id(&identity.id).scope(identity.scope.clone());
    let update = with_settings!(update, UPDATE, acl, shields).lock_token(lock_token);
    update.send().await.during(UPDATE).map(drop)
}

async fn remove(cx: &Context, identity: &Identity) -> Result<(), AwsError> {
    let Some((_, lock_token)) = look(cx, identity).await? else { return Ok(()) };
    let delete = cx.wafv2.delete_web_acl().name(&identity.name).id(&identity.id).scope(identity.scope.clone());
    gone_is_fine(delete.lock_token(lock_token).send().await.during("wafv2.DeleteWebACL"))
}

fn is_shields(rule: &sdk::Rule) -> bool {
    rule.name.starts_with(SHIELDS)
}

/// Only what differs from what WAF does anyhow: not every kind of web ACL takes the setting.
fn load_balancers(acl: &WebAcl) -> Result<Option<sdk::OnSourceDDoSProtectionConfig>, Untranslatable> {
    let config = &acl.on_source_ddos_protection_config;
    if *config == OnSourceDDoSProtectionConfig::default() { Ok(None) } else { config.to_part() }
}

pub(super) fn from_sdk(acl: sdk::WebAcl, scope: &sdk::Scope, tags: Tags) -> Result<WebAcl, Untranslatable> {
    let mut rules = BTreeSet::new();
    for rule in acl.rules.unwrap_or_default().into_iter().filter(|rule| !is_shields(rule)) {
        let name = rule.name.clone();
        rules.insert(Rule::from_sdk(Some(rule)).map_err(|error| error.within(&name))?);
    }
    let ddos = acl.on_source_d_do_s_protection_config;
    Ok(WebAcl {
        name: Some(acl.name),
        scope: scope.as_str().to_owned(),
        default_action: Shape::from_sdk(acl.default_action).map_err(|error| error.within("DefaultAction"))?,
        description: acl.description,
        rules,
        visibility_config: Shape::from_sdk(acl.visibility_config).map_err(|error| error.within("VisibilityConfig"))?,
        captcha_config: Shape::from_sdk(acl.captcha_config)?,
        challenge_config: Shape::from_sdk(acl.challenge_config)?,
        custom_response_bodies: bodies_of(acl.custom_response_bodies)?,
        token_domains: acl.token_domains.unwrap_or_default().into_iter().collect(),
        association_config: Shape::from_sdk(acl.association_config)?,
        data_protection_config: Shape::from_sdk(acl.data_protection_config)?,
        application_config: Shape::from_sdk(acl.application_config)?,
        monetization_config: Shape::from_sdk(acl.monetization_config)?,
        on_source_ddos_protection_config: Option::from_sdk(ddos)?.unwrap_or_default(),
        tags,
    })
}

fn attributes_of(identity: &Identity, acl: &sdk::WebAcl) -> Attributes {
    let namespace = acl.label_namespace.clone().unwrap_or_default();
    let mut attributes = referred(
        identity.physical_id().as_str(),
        [("Arn", acl.arn.clone()), ("Id", acl.id.clone()), ("LabelNamespace", namespace)],
    );
    attributes.insert("Capacity".to_owned(), Value::from(acl.capacity));
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web_acl(rule: &str, statement: sdk::Statement) -> sdk::WebAcl {
        let visibility = sdk::VisibilityConfig::builder()
            .metric_name("orders")
            .cloud_watch_metrics_enabled(true)
            .sampled_requests_enabled(true)
            .build()
            .expect("complete");
        let rule = sdk::Rule::builder().name(rule).priority(0).statement(statement);
        let rule = rule.visibility_config(visibility.clone()).build().expect("complete");
        let allow = sdk::DefaultAction::builder().allow(sdk::AllowAction::builder().build()).build();
        let acl = sdk::WebAcl::builder().name("orders").id("c1a2").arn("arn").default_action(allow);
        acl.visibility_config(visibility).rules(rule).build().expect("complete")
    }

    fn read(rule: &str, statement: sdk::Statement) -> Result<WebAcl, Untranslatable> {
        from_sdk(web_acl(rule, statement), &sdk::Scope::Regional, Tags::default())
    }

    #[test]
    fn rules_that_shield_advanced_adds_are_not_looked_at() {
        let acl = read("ShieldMitigationRuleGroup_1_2_3", sdk::Statement::builder().build());
        assert_eq!(acl.map(|acl| acl.rules), Ok(BTreeSet::new()));
    }

    #[test]
    fn a_rule_of_an_unknown_kind_is_named() {
        let error = read("newest", sdk::Statement::builder().build()).expect_err("unknown");
        assert_eq!(
            error.to_string(),
            "`newest`: `Rule`: `statement`: `Statement`: AWS has a kind here that this version of paystack does not \
             know"
        );
    }
}
