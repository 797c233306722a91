//! Tags as CloudFormation writes them, and the two by which paystack knows its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::aws::Context;
use crate::aws::error::{AwsError, During};
use crate::identity::{LogicalId, StackId};
use crate::resource::Owner;

/// The tag that names the stack.
pub const STACK: &str = "paystack:stack";
/// The tag that names the logical id.
pub const RESOURCE: &str = "paystack:resource";

/// Key to value, in CloudFormation's shape: a list of `Key` and `Value`, here in order of key. What AWS itself puts on
/// resources (`aws:…`) is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags(pub BTreeMap<String, String>);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Pair {
    key: String,
    value: String,
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(key, value)| Pair { key: key.clone(), value: value.clone() }))
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Vec::<Pair>::deserialize(deserializer)?;
        Ok(pairs.into_iter().map(|pair| (pair.key, pair.value)).collect())
    }
}

impl From<HashMap<String, String>> for Tags {
    fn from(tags: HashMap<String, String>) -> Self {
        tags.into_iter().collect()
    }
}

impl FromIterator<(String, String)> for Tags {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(tags: I) -> Self {
        Self(tags.into_iter().filter(|(key, _)| !key.to_ascii_lowercase().starts_with("aws:")).collect())
    }
}

impl Tags {
    /// The two tags by which paystack knows what is the owner's.
    pub fn marks(owner: &Owner) -> Self {
        let pairs = [(STACK, owner.stack.as_str()), (RESOURCE, owner.resource.as_str())];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// Tags from the SDK's own pairs: `Tags::from_sdk(tags, |tag| (tag.key(), tag.value()))`.
    pub fn from_sdk<'a, T: 'a>(
        tags: impl IntoIterator<Item = &'a T>,
        pair: impl Fn(&'a T) -> (&'a str, &'a str),
    ) -> Self {
        tags.into_iter().map(pair).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// The tags as the SDK's own pairs.
    pub fn to_sdk<T>(&self, tag: impl Fn(&str, &str) -> T) -> Vec<T> {
        self.0.iter().map(|(key, value)| tag(key, value)).collect()
    }

    /// The tags as a map, as some services take them.
    pub fn to_map(&self) -> HashMap<String, String> {
        self.0.clone().into_iter().collect()
    }

    /// What has to be written and what has to be removed to get from `live` to these tags.
    pub fn since(&self, live: &Tags) -> TagChanges {
        let written = self.0.iter().filter(|(key, value)| live.0.get(*key) != Some(value));
        let removed = live.0.keys().filter(|key| !self.0.contains_key(*key));
        TagChanges {
            written: Tags(written.map(|(key, value)| (key.clone(), value.clone())).collect()),
            removed: removed.cloned().collect(),
        }
    }

    /// The owner that the tags name.
    pub fn owner(&self) -> Option<Owner> {
        let stack = self.0.get(STACK)?;
        let resource = self.0.get(RESOURCE)?;
        Some(Owner { stack: StackId::from(stack.as_str()), resource: LogicalId::from(resource.as_str()) })
    }
}

/// The tags of what an ARN names. In a survey one call gives the tags of all that carries the stack's mark, and `ask`, which
/// asks the service itself, is left out where that call says of a resource what the last apply and the template say of it.
///
/// The tagging API lags behind its services, no page says by how much. So it is never believed where it tells of a difference,
/// nor of what the last apply has changed; a tag that somebody else changed a moment ago may be seen by the next plan only.
pub async fn of<T, F>(cx: &Context, arn: &str, ask: impl FnOnce() -> F) -> Result<T, AwsError>
where
    T: From<Tags>,
    F: Future<Output = Result<T, AwsError>> + Send,
{
    match as_expected(cx, arn).await {
        Some(tags) => Ok(tags.into()),
        None => ask().await,
    }
}

async fn as_expected(cx: &Context, arn: &str) -> Option<Tags> {
    let survey = cx.survey.as_ref().filter(|survey| survey.expected.has_tags_together())?;
    // Who may not ask for all together asks for each.
    let marked = marked(cx, &survey.expected.stack).await.ok()?;
    let tags = marked.get(arn)?;
    let expected = survey.expected.tags.get(&tags.owner()?.resource)?;
    (tags.0 == *expected).then(|| tags.clone())
}

/// What the tagging API knows of a stack: ARNs with all their tags. Roles and users it leaves out.
pub async fn marked(cx: &Context, stack: &StackId) -> Result<Arc<BTreeMap<String, Tags>>, AwsError> {
    cx.once(GET_RESOURCES, stack.as_str(), || async {
        let filter =
            aws_sdk_resourcegroupstagging::types::TagFilter::builder().key(STACK).values(stack.as_str()).build();
        let get = cx.tagging.get_resources().tag_filters(filter).resources_per_page(PAGE);
        let mut pages = get.into_paginator().items().send();
        let mut marked = BTreeMap::new();
        while let Some(resource) = pages.next().await {
            let resource = resource.during(GET_RESOURCES)?;
            let arn = resource.resource_arn().unwrap_or_default();
            marked.insert(arn.to_owned(), Tags::from_sdk(resource.tags(), |tag| (tag.key(), tag.value())));
        }
        Ok(Arc::new(marked))
    })
    .await
}

const GET_RESOURCES: &str = "tagging.GetResources";
/// The most that GetResources gives at once.
const PAGE: i32 = 100;

/// What differs between two sets of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagChanges {
    pub written: Tags,
    pub removed: BTreeSet<String>,
}

/// The calls that it takes to get from `live` to `wanted`, by the operations that read, write and remove tags.
pub fn syncing([read, write, remove]: [&'static str; 3], live: &Tags, wanted: &Tags) -> Vec<&'static str> {
    let changes = wanted.since(live);
    let written = (!changes.written.0.is_empty()).then_some(write);
    let removed = (!changes.removed.is_empty()).then_some(remove);
    std::iter::once(read).chain(written).chain(removed).collect()
}

/// The property `Tags` of canonical properties.
pub fn tags_in(properties: &Value) -> Option<Tags> {
    Tags::deserialize(properties.get("Tags")?).ok()
}

/// The owner that the property `Tags` of canonical properties names.
pub fn owner_in(properties: &Value) -> Option<Owner> {
    tags_in(properties)?.owner()
}

/// Adds tags to a template's list of them; what the template says itself wins, but for the owner's marks.
pub fn add(properties: &mut Value, project: &BTreeMap<String, String>, owner: &Owner) {
    let Some(fields) = properties.as_object_mut() else { return };
    let list = fields.entry("Tags").or_insert_with(|| json!([]));
    let Some(list) = list.as_array_mut() else { return };
    let has = |list: &[Value], key: &str| list.iter().any(|tag| tag.get("Key").and_then(Value::as_str) == Some(key));
    for (key, value) in project {
        if !has(list, key) {
            list.push(json!({"Key": key, "Value": value}));
        }
    }
    list.retain(|tag| !matches!(tag.get("Key").and_then(Value::as_str), Some(STACK | RESOURCE)));
    list.push(json!({"Key": STACK, "Value": owner.stack}));
    list.push(json!({"Key": RESOURCE, "Value": owner.resource}));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn tags_that_aws_puts_there_are_not_ours_to_see() {
        assert_eq!(tags(&[("aws:cloudformation:stack-name", "x"), ("Owner", "me")]), tags(&[("Owner", "me")]));
    }

    #[test]
    fn only_what_differs_is_written_and_removed() {
        let changes = tags(&[("Owner", "me"), ("Env", "prod")]).since(&tags(&[("Owner", "me"), ("Old", "1")]));
        assert_eq!(changes.written, tags(&[("Env", "prod")]));
        assert_eq!(changes.removed, BTreeSet::from(["Old".to_owned()]));
    }

    #[test]
    fn the_owners_marks_are_added_and_found_again() {
        let owner = Owner { stack: StackId::from("payments-dev"), resource: LogicalId::from("Orders") };
        let mut properties = json!({"Tags": [{"Key": "Owner", "Value": "template"}]});
        add(&mut properties, &BTreeMap::from([("Owner".to_owned(), "project".to_owned())]), &owner);
        assert_eq!(owner_in(&properties), Some(owner));
        assert_eq!(properties["Tags"][0]["Value"], "template");
    }
}
