//! AWS IAM. What was written shows everywhere only after seconds, and a fresh role is not at once a principal for others.

mod entity;
pub mod group;
pub mod group_policy;
mod held;
mod inline;
pub mod instance_profile;
pub mod managed_policy;
mod membership;
pub mod policy;
pub mod role;
pub mod role_policy;
pub mod service_linked_role;
pub mod user;
pub mod user_policy;
pub mod user_to_group_addition;

use std::collections::BTreeSet;

use aws_sdk_iam::types::Tag;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::aws::Context;
use crate::aws::error::{AwsError, ErrorClass};
use crate::aws::wait::Patience;
use crate::change::Changes;
use crate::property_path::PathStep;
use crate::resource::tags::Tags;

/// How long a change takes at the most until it is seen everywhere.
const PROPAGATION: Patience = Patience::seconds(120);

/// The text of a policy document, which IAM answers percent-encoded. A document may itself contain `%3A`: decode once.
fn decoded(document: &str) -> Value {
    Value::String(percent_decode_str(document).decode_utf8_lossy().into_owned())
}

/// A role or user that was made a moment ago is refused as a principal. A service that does not exist is refused for good.
fn is_fresh_principal(error: &AwsError) -> bool {
    error.says("MalformedPolicyDocument", "Invalid principal in policy") && !error.message.contains("\"SERVICE\"")
}

/// What was detached or deleted a moment ago is still in the way of a delete.
fn is_still_attached(error: &AwsError) -> bool {
    is_at_the_same_time(error) || error.code == "DeleteConflict"
}

/// Makes a write, and again while another one to the same entity is in its way.
async fn write<T, F>(cx: &Context, call: impl FnMut() -> F) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, AwsError>> + Send,
{
    cx.while_passing(PROPAGATION, is_at_the_same_time, call).await
}

/// Two writes to one entity.
fn is_at_the_same_time(error: &AwsError) -> bool {
    error.code == "ConcurrentModification"
}

/// Tags as IAM takes them.
fn sdk_tags(tags: &Tags, operation: &'static str) -> Result<Vec<Tag>, AwsError> {
    let tags = tags.to_sdk(|key, value| Tag::builder().key(key).value(value).build());
    let tags = tags.into_iter().collect::<Result<_, _>>();
    tags.map_err(|error| AwsError::new(operation, ErrorClass::Invalid, error.to_string()))
}

/// Tags as IAM gives them.
fn tags_of(tags: &[Tag]) -> Tags {
    Tags::from_sdk(tags, |tag| (tag.key(), tag.value()))
}

/// The names that the changes take out of a list of names or of inline policies. What siblings put on the live entity is in no
/// change, so it stays.
fn taken_out(changes: &Changes, property: &str, kept: &BTreeSet<String>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for change in changes.0.iter().filter(|change| change.path.property() == Some(property)) {
        match (change.path.steps(), &change.live) {
            ([_], Some(Value::Array(items))) => {
                names.extend(items.iter().filter_map(|item| item.as_str().or(item["PolicyName"].as_str())));
            }
            ([_, PathStep::Index(_)], Some(Value::String(name))) => _ = names.insert(name),
            ([_, PathStep::Index(_), PathStep::Key(key)], Some(Value::String(name))) if key == "PolicyName" => {
                names.insert(name);
            }
            _ => {}
        }
    }
    names.into_iter().filter(|name| !kept.contains(*name)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_document_is_decoded_once() {
        assert_eq!(decoded("%7B%22a%22%3A%22%253A%20+%22%7D"), json!(r#"{"a":"%3A +"}"#));
    }

    #[test]
    fn only_what_the_comparison_saw_is_taken_out() {
        let live = json!({"Policies": [{"PolicyName": "a", "PolicyDocument": {"Id": "x"}}, {"PolicyName": "b"}], "Arns": ["p"]});
        let fewer = json!({"Policies": [{"PolicyName": "b"}], "Arns": ["q"]});
        let changes = Changes::between(&live, &fewer);
        assert_eq!(taken_out(&changes, "Policies", &names(&["b"])), names(&["a"]));
        assert_eq!(taken_out(&changes, "Arns", &names(&["q"])), names(&["p"]));
        let renamed = json!({"Policies": [{"PolicyName": "b", "PolicyDocument": {"Id": "y"}}, {"PolicyName": "c"}]});
        let changes = Changes::between(&live, &renamed);
        assert_eq!(taken_out(&changes, "Policies", &names(&["b", "c"])), names(&["a"]));
    }
}
