//! AWS WAF, version 2. Everything here lives in a scope, is written whole, and takes a lock token of the last look.

pub mod action;
pub mod field;
pub mod ip_set;
pub mod logging_configuration;
pub mod managed;
pub mod rate;
pub mod settings;
pub mod shape;
pub mod statement;
pub mod web_acl;
pub mod web_acl_association;

use aws_sdk_wafv2::types as sdk;

use crate::aws::error::{AwsError, During, ErrorClass};
use crate::aws::wait::{Patience, is_throttle};
use crate::aws::{Context, Scope};
use crate::identity::PhysicalId;
use crate::resource::tags::Tags;
use crate::resource::wafv2::shape::Untranslatable;

/// For writes, of which each kind passes once a second, and which see what was just made only after minutes.
const WRITING: Patience = Patience::backing_off(300);

/// What CloudFormation identifies web ACLs and IP sets by: `orders|c1a2…|REGIONAL`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    name: String,
    id: String,
    scope: sdk::Scope,
}

impl Identity {
    fn parse(id: &PhysicalId, cx: &Context, operation: &'static str) -> Result<Self, AwsError> {
        let [name, unique, scope] = id.as_str().split('|').collect::<Vec<_>>()[..] else {
            let message = format!("`{id}` is no identifier of the form `Name|Id|Scope`");
            return Err(AwsError::new(operation, ErrorClass::Invalid, message));
        };
        Ok(Self { name: name.to_owned(), id: unique.to_owned(), scope: scope_here(scope, cx, operation)? })
    }

    fn physical_id(&self) -> PhysicalId {
        PhysicalId::from(format!("{}|{}|{}", self.name, self.id, self.scope.as_str()))
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
fn scope_here(scope: &str, cx: &Context, operation: &'static str) -> Result<sdk::Scope, AwsError> {
    let scope = sdk::Scope::from(scope);
    if scope == sdk::Scope::Cloudfront && cx.scope.region != "us-east-1" {
        let message = format!(
            "the scope `CLOUDFRONT` lives in us-east-1 only, and this stack in {}: give these resources a stack of their \
             own in us-east-1",
            cx.scope.region
        );
        return Err(AwsError::new(operation, ErrorClass::Invalid, message));
    }
    Ok(scope)
}

/// Whether an error passes by itself: a throttle, an entity made a moment ago, a service-linked role in the making.
fn passes(error: &AwsError) -> bool {
    is_throttle(error)
        || matches!(
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

/// Runs what looks and then writes with the look's lock token; once more where somebody else wrote in between.
async fn with_lock<F>(
    cx: &Context,
    passes: fn(&AwsError) -> bool,
    look_and_write: impl Fn() -> F,
) -> Result<(), AwsError>
where
    F: Future<Output = Result<(), AwsError>>,
{
    match cx.while_passing(WRITING, passes, &look_and_write).await {
        Err(error) if error.code == "WAFOptimisticLockException" => {
            cx.while_passing(WRITING, passes, &look_and_write).await
        }
        answer => answer,
    }
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

    fn here() -> Scope {
        Scope { account_id: "123456789012".into(), region: "us-east-1".into(), partition: "aws".into() }
    }

    #[test]
    fn an_arn_and_what_it_names_become_each_other() {
        let arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/orders/c1a2";
        let identity = Identity::of_arn(arn, &here(), "webacl").expect("it is one");
        assert_eq!(identity.physical_id(), PhysicalId::from("orders|c1a2|CLOUDFRONT"));
        assert_eq!(identity.arn(&here(), "webacl"), arn);
        assert_eq!(Identity::of_arn(arn, &here(), "ipset"), None);
    }
}
