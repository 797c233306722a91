//! Writing to API Gateway: patches, tags, and one write at a time for each API.
//!
//! API Gateway keeps one backend per API, which refuses writes that come at once, and grants an account ten calls per second
//! over all of its APIs.

use std::collections::BTreeMap;

use aws_sdk_apigateway::types::{Op, PatchOperation};

use crate::aws::error::{AwsError, During};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::resource::tags::Tags;

/// Sets what is at the path. Every value is a text, numbers and booleans too.
pub fn replace(path: impl Into<String>, value: impl ToString) -> PatchOperation {
    operation(Op::Replace, path).value(value.to_string()).build()
}

/// Sets what is at the path, and where there is nothing says so without a value, which is how most texts are cleared: an empty
/// one is refused.
pub fn replace_or_clear(path: impl Into<String>, value: Option<impl ToString>) -> PatchOperation {
    operation(Op::Replace, path).set_value(value.map(|value| value.to_string())).build()
}

/// Adds an item to the set, or a key to the map, that the path names.
pub fn add(path: impl Into<String>, value: impl ToString) -> PatchOperation {
    operation(Op::Add, path).value(value.to_string()).build()
}

/// Adds what the path names whole: an item of a set whose path ends in the item.
pub fn add_item(path: impl Into<String>) -> PatchOperation {
    operation(Op::Add, path).build()
}

/// Removes what is at the path.
pub fn remove(path: impl Into<String>) -> PatchOperation {
    operation(Op::Remove, path).build()
}

/// Removes an item from the set that the path names.
pub fn remove_item(path: impl Into<String>, value: impl ToString) -> PatchOperation {
    operation(Op::Remove, path).value(value.to_string()).build()
}

fn operation(op: Op, path: impl Into<String>) -> aws_sdk_apigateway::types::builders::PatchOperationBuilder {
    PatchOperation::builder().op(op).path(path)
}

/// A key as one segment of a path: `application/json` is `application~1json`.
pub fn segment(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// What turns one map into another, key by key, below a path such as `/requestModels`.
pub fn map_changes<V: ToString + PartialEq>(
    path: &str,
    live: &BTreeMap<String, V>,
    wanted: &BTreeMap<String, V>,
) -> Vec<PatchOperation> {
    let below = |key: &str| format!("{path}/{}", segment(key));
    let removed = live.keys().filter(|key| !wanted.contains_key(*key)).map(|key| remove(below(key)));
    let written = wanted.iter().filter_map(|(key, value)| match live.get(key) {
        None => Some(add(below(key), value.to_string())),
        Some(live) if live != value => Some(replace(below(key), value.to_string())),
        Some(_) => None,
    });
    removed.chain(written).collect()
}

/// Makes a write when it is its turn: no other write of this run goes to the same parent (an API, a usage plan) meanwhile, and
/// one that another program is in the way of is repeated.
pub async fn write<T, F>(cx: &Context, parent: &str, call: impl Fn() -> F) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, AwsError>> + Send,
{
    let _turn = cx.turn(&format!("apigateway/{parent}")).await;
    cx.while_passing(Patience::seconds(120), is_busy, &call).await
}

/// Whether another write to the same API is under way.
pub fn is_busy(error: &AwsError) -> bool {
    error.says("ConflictException", "try again later")
}

/// The ARN of what a path such as `/restapis/a1b2c3` names: it has no account.
pub fn arn(scope: &Scope, path: &str) -> String {
    format!("arn:{}:apigateway:{}::{path}", scope.partition, scope.region)
}

/// The operations that read, write and remove tags.
pub const TAGS: [&str; 3] = ["apigateway.GetTags", "apigateway.TagResource", "apigateway.UntagResource"];

/// Writes and removes the tags that differ.
pub async fn sync_tags(cx: &Context, parent: &str, path: &str, wanted: &Tags) -> Result<(), AwsError> {
    let [read, write_tags, remove_tags] = TAGS;
    let arn = arn(&cx.scope, path);
    let live = cx.apigateway.get_tags().resource_arn(&arn).send().await.during(read)?;
    let changes = wanted.since(&live.tags.unwrap_or_default().into());
    if !changes.written.0.is_empty() {
        let tag = cx.apigateway.tag_resource().resource_arn(&arn).set_tags(Some(changes.written.to_map()));
        write(cx, parent, || async { tag.clone().send().await.during(write_tags) }).await?;
    }
    if !changes.removed.is_empty() {
        let keys = changes.removed.into_iter().collect();
        let untag = cx.apigateway.untag_resource().resource_arn(&arn).set_tag_keys(Some(keys));
        write(cx, parent, || async { untag.clone().send().await.during(remove_tags) }).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_a_slash_is_one_segment() {
        assert_eq!(segment("application/json"), "application~1json");
        assert_eq!(segment("a~1/b"), "a~01~1b");
    }

    #[test]
    fn only_the_keys_that_differ_are_patched() {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let live = map(&[("text/html", "Page"), ("a/b", "Old"), ("same", "Same")]);
        let wanted = map(&[("a/b", "New"), ("added", "Added"), ("same", "Same")]);
        let operations = map_changes("/requestModels", &live, &wanted);
        assert_eq!(
            operations,
            [
                remove("/requestModels/text~1html"),
                replace("/requestModels/a~1b", "New"),
                add("/requestModels/added", "Added"),
            ]
        );
    }
}
