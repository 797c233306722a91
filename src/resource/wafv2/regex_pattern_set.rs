//! `AWS::WAFv2::RegexPatternSet`. Found by name, which is unique in its scope. Name and scope replace it.

use std::collections::BTreeSet;

use aws_sdk_wafv2::types as sdk;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, absent_is_none, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::tags::Tags;
use crate::resource::wafv2::{
    Identity, WRITING, described, find_in_pages, lets_go, passes, scope_here, sync_tags, tags_of, tags_to_sdk,
    with_lock,
};
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, referred};

pub struct Wafv2RegexPatternSet;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RegexPatternSet {
    pub name: Option<String>,
    pub scope: String,
    pub description: Option<String>,
    pub regular_expression_list: BTreeSet<String>,
    #[serde(default)]
    pub tags: Tags,
}

impl Handler for Wafv2RegexPatternSet {
    const TYPE: &'static str = "AWS::WAFv2::RegexPatternSet";
    const FOUND_BY: &'static [&'static str] = &["Name", "Scope"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("Name", 128));
    const TAGGED_AS: Option<&'static str> = Some("wafv2");
    type Properties = RegexPatternSet;

    fn complete(set: &mut RegexPatternSet) {
        set.description = described(set.description.take());
    }

    fn predict(_scope: &Scope, _set: &RegexPatternSet) -> Attributes {
        // The service's own id is part of everything.
        Attributes::new()
    }

    async fn find(cx: &Context, _owner: &Owner, set: &RegexPatternSet) -> Result<Option<PhysicalId>, AwsError> {
        const LIST: &str = "wafv2.ListRegexPatternSets";
        let scope = scope_here(&set.scope, &cx.scope, LIST)?;
        let list = cx.wafv2.list_regex_pattern_sets().scope(scope.clone()).limit(100);
        let found = find_in_pages(set.name.as_deref(), scope, LIST, |marker| async {
            let answer = list.clone().set_next_marker(marker).send().await.during(LIST)?;
            let summaries = answer.regex_pattern_sets.unwrap_or_default().into_iter();
            Ok((summaries.map(|summary| (summary.name, summary.id)).collect(), answer.next_marker))
        })
        .await?;
        Ok(found.map(|identity| identity.physical_id()))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<RegexPatternSet>>, AwsError> {
        let identity = Identity::parse(id, &cx.scope, GET)?;
        let Some((set, _)) = look(cx, &identity).await? else { return Ok(None) };
        let arn = identity.arn(&cx.scope, KIND);
        let Some(tags) = absent_is_none(tags_of(cx, &arn).await)? else { return Ok(None) };
        let expressions = set.regular_expression_list.unwrap_or_default();
        let set = RegexPatternSet {
            name: set.name,
            scope: identity.scope.as_str().to_owned(),
            description: set.description,
            regular_expression_list: expressions.into_iter().filter_map(|it| it.regex_string).collect(),
            tags,
        };
        Ok(Some(Live::tagged(set, attributes_of(&identity, &cx.scope))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        set: &RegexPatternSet,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, set).await?,
        };
        let identity = Identity::parse(&id, &cx.scope, GET)?;
        cx.until(GET, "the new pattern set to show", Patience::seconds(60), || async {
            Ok(look(cx, &identity).await?.map(drop))
        })
        .await?;
        Ok(Made { id, attributes: attributes_of(&identity, &cx.scope) })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        set: &RegexPatternSet,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let identity = Identity::parse(id, &cx.scope, "wafv2.UpdateRegexPatternSet")?;
        if changes.touch_any(&["RegularExpressionList", "Description"]) {
            with_lock(cx, passes, || replace(cx, &identity, set)).await?;
        }
        if changes.touch("Tags") {
            sync_tags(cx, &identity.arn(&cx.scope, KIND), &set.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let identity = Identity::parse(id, &cx.scope, "wafv2.DeleteRegexPatternSet")?;
        with_lock(cx, lets_go, || remove(cx, &identity)).await?;
        cx.until(GET, "the pattern set to be gone", Patience::seconds(60), || async {
            Ok(look(cx, &identity).await?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(Identity::of_arn(arn, &cx.scope, KIND).map(|identity| identity.physical_id()))
    }
}

const GET: &str = "wafv2.GetRegexPatternSet";
const KIND: &str = "regexpatternset";

/// The set as it is now, with the lock token that a write of it takes.
async fn look(cx: &Context, identity: &Identity) -> Result<Option<(sdk::RegexPatternSet, String)>, AwsError> {
    let get = cx.wafv2.get_regex_pattern_set().name(&identity.name).id(&identity.id).scope(identity.scope.clone());
    let Some(answer) = found(GET, get.send().await)? else { return Ok(None) };
    let set = answer.regex_pattern_set.ok_or_else(|| AwsError::missing(GET, "RegexPatternSet"))?;
    Ok(Some((set, answer.lock_token.ok_or_else(|| AwsError::missing(GET, "LockToken"))?)))
}

async fn make(cx: &Context, set: &RegexPatternSet) -> Result<PhysicalId, AwsError> {
    const CREATE: &str = "wafv2.CreateRegexPatternSet";
    let scope = scope_here(&set.scope, &cx.scope, CREATE)?;
    let create = cx.wafv2.create_regex_pattern_set().set_name(set.name.clone()).scope(scope.clone());
    let create = create.set_description(set.description.clone()).set_tags(tags_to_sdk(&set.tags));
    let create = create.set_regular_expression_list(Some(expressions(set)));
    let answer = cx.while_passing(WRITING, passes, || async { create.clone().send().await.during(CREATE) }).await?;
    let summary = answer.summary.ok_or_else(|| AwsError::missing(CREATE, "Summary"))?;
    Identity::of_summary((summary.name, summary.id), scope, CREATE).map(|identity| identity.physical_id())
}

async fn replace(cx: &Context, identity: &Identity, set: &RegexPatternSet) -> Result<(), AwsError> {
    const UPDATE: &str = "wafv2.UpdateRegexPatternSet";
    let Some((_, lock_token)) = look(cx, identity).await? else {
        return Err(identity.gone("pattern set", UPDATE));
    };
    let update =
        cx.wafv2.update_regex_pattern_set().name(&identity.name).id(&identity.id).scope(identity.scope.clone());
    let update = update.set_description(set.description.clone()).set_regular_expression_list(Some(expressions(set)));
    update.lock_token(lock_token).send().await.during(UPDATE).map(drop)
}

async fn remove(cx: &Context, identity: &Identity) -> Result<(), AwsError> {
    let Some((_, lock_token)) = look(cx, identity).await? else { return Ok(()) };
    let delete =
        cx.wafv2.delete_regex_pattern_set().name(&identity.name).id(&identity.id).scope(identity.scope.clone());
    gone_is_fine(delete.lock_token(lock_token).send().await.during("wafv2.DeleteRegexPatternSet"))
}

fn expressions(set: &RegexPatternSet) -> Vec<sdk::Regex> {
    set.regular_expression_list.iter().map(|text| sdk::Regex::builder().regex_string(text).build()).collect()
}

fn attributes_of(identity: &Identity, here: &Scope) -> Attributes {
    referred(identity.physical_id().as_str(), [("Arn", identity.arn(here, KIND)), ("Id", identity.id.clone())])
}
