//! AWS WAF, version 2. Everything here lives in a scope, is written whole, and takes a lock token of the last look.

pub mod action;
pub mod field;
pub mod ip_set;
pub mod logging_configuration;
pub mod managed;
pub mod rate;
pub mod regex_pattern_set;
pub mod rule_group;
pub mod settings;
pub mod shape;
pub mod statement;
pub mod web_acl;
pub mod web_acl_association;

use aws_sdk_wafv2::types as sdk;

use crate::aws::error::{AwsError, During, ErrorClass};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::identity::PhysicalId;
use crate::resource::tags::{self, Tags};
use crate::resource::wafv2::shape::Untranslatable;

/// For writes, which see what was just made only after minutes.
const WRITING: Patience = Patience::backing_off(300);

/// What CloudFormation identifies web ACLs and IP sets by: `orders|c1a2…|REGIONAL`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    name: String,
    id: String,
    scope: sdk::Scope,
}

impl Identity {
    fn parse(id: &PhysicalId, here: &Scope, operation: &'static str) -> Result<Self, AwsError> {
        let [name, unique, scope] = id.as_str().split('|').collect::<Vec<_>>()[..] else {
            let message = format!("`{id}` is no identifier of the form `Name|Id|Scope`");
            return Err(AwsError::new(operation, ErrorClass::Invalid, message));
        };
        Ok(Self { name: name.to_owned(), id: unique.to_owned(), scope: scope_here(scope, here, operation)? })
    }

    /// What a summary names in a list, or in the answer to a create.
    fn of_summary((name, id): NameAndId, scope: sdk::Scope, operation: &'static str) -> Result<Self, AwsError> {
        let missing = |what| AwsError::missing(operation, what);
        Ok(Self { name: name.ok_or_else(|| missing("Name"))?, id: id.ok_or_else(|| missing("Id"))?, scope })
    }

    fn physical_id(&self) -> PhysicalId {
        PhysicalId::from(format!("{}|{}|{}", self.name, self.id, self.scope.as_str()))
    }

    /// Says that it is not there any more.
    fn gone(&self, what: &str, operation: &'static str) -> AwsError {
        AwsError::new(operation, ErrorClass::NotFound, format!("the {what} `{}` is gone", self.name))
    }

    fn arn(&self, here: &Scope, kind: &str) -> String {
        here.arn("wafv2", &format!("{}/{kind}/{}/{}", place(&self.scope), self.name, self.id))
    }

    /// The thing that an ARN names, if it is one of this kind: `webacl`, `ipset`.
    fn of_arn(arn: &str, here: &Scope, kind: &str) -> Option<Self> {
        let resource = arn.strip_prefix(&here.arn("wafv2", ""))?;
        let [place, of_kind, name, id] = resource.split('/').collect::<Vec<_>>()[..] else { return None };
        let scope = match place {
            "regional" => sdk::Scope::Regional,
            "global" => sdk::Scope::Cloudfront,
            _ => return None,
        };
        (of_kind == kind).then(|| Self { name: name.to_owned(), id: id.to_owned(), scope })
    }
}

/// What ARNs call a scope.
fn place(scope: &sdk::Scope) -> &'static str {
    if *scope == sdk::Scope::Cloudfront { "global" } else { "regional" }
}

/// A scope that can be reached from the region of this run.
fn scope_here(scope: &str, here: &Scope, operation: &'static str) -> Result<sdk::Scope, AwsError> {
    let scope = sdk::Scope::from(scope);
    if scope == sdk::Scope::Cloudfront && here.region != "us-east-1" {
        let message = format!(
            "the scope `CLOUDFRONT` lives in us-east-1 only, and this stack in {}: give these resources a stack of \
             their own in us-east-1",
            here.region
        );
        return Err(AwsError::new(operation, ErrorClass::Invalid, message));
    }
    Ok(scope)
}

/// What every summary has of its thing.
type NameAndId = (Option<String>, Option<String>);

/// Goes through the pages of a list, each with the marker of the next, until one has the name.
async fn find_in_pages<F>(
    name: Option<&str>,
    scope: sdk::Scope,
    operation: &'static str,
    page: impl Fn(Option<String>) -> F,
) -> Result<Option<Identity>, AwsError>
where
    F: Future<Output = Result<(Vec<NameAndId>, Option<String>), AwsError>> + Send,
{
    let mut marker = None;
    loop {
        let (summaries, next) = page(marker).await?;
        if let Some(summary) = summaries.into_iter().find(|(its_name, _)| its_name.as_deref() == name) {
            return Identity::of_summary(summary, scope, operation).map(Some);
        }
        marker = next.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            return Ok(None);
        }
    }
}

/// Whether an error passes by itself: an entity made a moment ago, a service-linked role in the making.
fn passes(error: &AwsError) -> bool {
    matches!(
        error.code.as_str(),
        "WAFUnavailableEntityException"
            | "WAFTagOperationException"
            | "WAFTagOperationInternalErrorException"
            | "WAFServiceLinkedRoleErrorException"
    )
}

/// The same for a delete: what refers to the thing may be on its way out.
fn lets_go(error: &AwsError) -> bool {
    passes(error) || error.code == "WAFAssociatedItemException"
}

/// Runs what looks and then writes with the look's lock token; again where somebody else wrote in between, or this very write
/// did, whose answer was lost.
async fn with_lock<F>(
    cx: &Context,
    passes: fn(&AwsError) -> bool,
    look_and_write: impl Fn() -> F,
) -> Result<(), AwsError>
where
    F: Future<Output = Result<(), AwsError>> + Send,
{
    let passes = |error: &AwsError| passes(error) || error.code == "WAFOptimisticLockException";
    cx.while_passing(WRITING, passes, look_and_write).await
}

/// Runs a write that refers to what may have been made a moment ago: until that is seen everywhere, it may be said not
/// to exist. What is really missing costs a minute.
async fn once_visible<T, F>(cx: &Context, write: impl Fn() -> F) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, AwsError>> + Send,
{
    let is_not_seen = |error: &AwsError| error.code == "WAFNonexistentItemException";
    cx.while_passing(Patience::seconds(60), is_not_seen, &write).await
}

/// What the template says and the SDK cannot.
fn unsayable(operation: &'static str) -> impl Fn(Untranslatable) -> AwsError {
    move |error| AwsError::new(operation, ErrorClass::Invalid, error.to_string())
}

/// What AWS says and paystack cannot.
fn unreadable(operation: &'static str) -> impl Fn(Untranslatable) -> AwsError {
    move |error| AwsError::new(operation, ErrorClass::Service, error.to_string())
}

/// WAF refuses an empty description and gives one for none.
fn described(description: Option<String>) -> Option<String> {
    description.filter(|text| !text.is_empty())
}

async fn tags_of(cx: &Context, arn: &str) -> Result<Tags, AwsError> {
    tags::of(cx, arn, || async { tags_shown(cx, arn).await }).await
}

async fn tags_shown(cx: &Context, arn: &str) -> Result<Tags, AwsError> {
    let mut tags = Tags::default();
    let mut marker = None;
    loop {
        let list = cx.wafv2.list_tags_for_resource().resource_arn(arn).set_next_marker(marker);
        let answer = list.send().await.during("wafv2.ListTagsForResource")?;
        let page = answer.tag_info_for_resource.and_then(|info| info.tag_list).unwrap_or_default();
        tags.0.extend(Tags::from_sdk(&page, |tag| (tag.key(), tag.value())).0);
        marker = answer.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            return Ok(tags);
        }
    }
}

fn tags_to_sdk(tags: &Tags) -> Option<Vec<sdk::Tag>> {
    let tag = |key: &str, value: &str| sdk::Tag::builder().key(key).value(value).build();
    let tags: Vec<sdk::Tag> = tags.to_sdk(tag).into_iter().flatten().collect();
    Some(tags).filter(|tags| !tags.is_empty())
}

async fn sync_tags(cx: &Context, arn: &str, wanted: &Tags) -> Result<(), AwsError> {
    let changes = wanted.since(&tags_of(cx, arn).await?);
    if let Some(tags) = tags_to_sdk(&changes.written) {
        let tag = cx.wafv2.tag_resource().resource_arn(arn).set_tags(Some(tags));
        cx.while_passing(WRITING, passes, || async { tag.clone().send().await.during("wafv2.TagResource") }).await?;
    }
    if !changes.removed.is_empty() {
        let keys = changes.removed.into_iter().collect();
        let untag = cx.wafv2.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
        cx.while_passing(WRITING, passes, || async { untag.clone().send().await.during("wafv2.UntagResource") })
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod round_trip;

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(region: &str) -> Scope {
        Scope { account_id: "123456789012".into(), region: region.into(), partition: "aws".into() }
    }

    #[test]
    fn an_arn_and_what_it_names_become_each_other() {
        let arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/orders/c1a2";
        let here = scope("us-east-1");
        let identity = Identity::of_arn(arn, &here, "webacl").expect("it is one");
        assert_eq!(identity.physical_id(), PhysicalId::from("orders|c1a2|CLOUDFRONT"));
        assert_eq!(identity.arn(&here, "webacl"), arn);
        assert_eq!(Identity::of_arn(arn, &here, "ipset"), None);
    }

    #[test]
    fn what_belongs_to_cloudfront_is_refused_outside_of_its_region() {
        let id = PhysicalId::from("orders|c1a2|CLOUDFRONT");
        assert!(Identity::parse(&id, &scope("us-east-1"), "wafv2.GetWebACL").is_ok());
        let error = Identity::parse(&id, &scope("eu-west-1"), "wafv2.GetWebACL").expect_err("refused");
        assert_eq!(
            error.message,
            "the scope `CLOUDFRONT` lives in us-east-1 only, and this stack in eu-west-1: give these resources a \
             stack of their own in us-east-1"
        );
    }

    #[test]
    fn an_identifier_of_another_form_is_refused() {
        for id in ["", "orders", "orders|REGIONAL", "orders|c1a2|REGIONAL|more"] {
            let error = Identity::parse(&PhysicalId::from(id), &scope("us-east-1"), "wafv2.GetWebACL");
            assert_eq!(error.expect_err("refused").class, ErrorClass::Invalid);
        }
    }
}
