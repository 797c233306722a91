//! What paystack knows of resource types: the handler trait, and the table of handlers.
//!
//! A type is facts (`facts/`, from CloudFormation's resource schemas) and a handler (`<service>/<type>.rs`). A handler sees
//! typed, known properties and AWS; it never sees a template, an unknown value or the terminal.

pub mod apigateway;
pub mod cloudwatch;
mod contribution;
pub mod dynamodb;
mod erased;
pub mod facts;
pub mod iam;
pub mod json_text;
pub mod lambda;
pub mod live;
pub mod logs;
mod lost;
pub mod needs;
pub mod policy_document;
mod registry;
pub mod sns;
pub mod sqs;
pub mod tags;
mod unmarked;
pub mod wafv2;

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::aws::error::AwsError;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{LogicalId, PhysicalId, REF, ResourceType, StackId};
use crate::unknown;

pub use contribution::{Contribute, Contribution, Contributions};
pub use erased::Resource;
pub use registry::{Row, TYPES, row};

/// What `Fn::GetAtt` gives, and under [`REF`] what `Ref` gives.
pub type Attributes = BTreeMap<String, Value>;

/// Whose a resource is: written into AWS at its creation, as the tags `paystack:stack` and `paystack:resource` where the type
/// takes tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Owner {
    pub stack: StackId,
    pub resource: LogicalId,
}

/// What a resource that is there says of its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Ownership {
    /// It carries paystack's marks.
    Owned(Owner),
    /// It could carry marks and does not: somebody else made it.
    Unmarked,
    /// Its type has nowhere to carry a mark; it belongs to whoever owns its parent, or its name.
    Unmarkable,
}

/// Where a handler finds the mark of a resource's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// In the property `Tags`.
    InTags,
    /// Elsewhere: in a description, a comment, or tags that CloudFormation has no property for. `None`: it has none.
    Elsewhere(Option<Owner>),
    /// The type has nowhere to carry one.
    Nowhere,
}

impl Mark {
    /// Of what is named by its owner where it has one; what somebody else has named can carry none.
    pub fn in_name(owner: Option<Owner>) -> Self {
        owner.map_or(Self::Nowhere, |owner| Self::Elsewhere(Some(owner)))
    }
}

/// A resource as it is in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Live<P> {
    pub properties: P,
    pub attributes: Attributes,
    pub mark: Mark,
}

impl<P> Live<P> {
    /// A resource whose owner stands in its tags.
    pub fn tagged(properties: P, attributes: Attributes) -> Self {
        Self { properties, attributes, mark: Mark::InTags }
    }

    /// A resource that cannot say whose it is.
    pub fn unmarkable(properties: P, attributes: Attributes) -> Self {
        Self { properties, attributes, mark: Mark::Nowhere }
    }
}

/// What a create made: under which identifier, and what `Ref` and `Fn::GetAtt` give of it from now on.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub id: PhysicalId,
    pub attributes: Attributes,
}

/// What reading for one resource found. Not being allowed to look is not the same as nothing being there.
#[derive(Debug, Clone)]
pub enum Reading {
    Absent,
    Live(LiveResource),
    Unreadable(AwsError),
}

/// A live resource of any type, its properties in canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveResource {
    pub id: PhysicalId,
    pub properties: Value,
    pub attributes: Attributes,
    pub ownership: Ownership,
}

/// What is known of a resource before it is looked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settled {
    /// In canonical form.
    pub properties: Value,
    /// What follows from them: nearly every ARN.
    pub attributes: Attributes,
    /// What they put into other resources.
    pub contributions: Vec<Contribution>,
}

/// What a resource holds beside its properties, and what goes with it: no template brings it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// Of a table, as DynamoDB counts them about every six hours. `has_new`: it counts none, and yet there is one.
    Items { count: u64, bytes: u64, has_new: bool },
    /// Of a queue, each number approximate: to be received, being handled, and delayed.
    Messages { visible: u64, in_flight: u64, delayed: u64 },
    /// Of a log group, as CloudWatch Logs counts them, some hours late. `has_new`: it counts none, and yet there are some.
    LogEvents { bytes: u64, has_new: bool },
    /// Of a topic: protocol and endpoint of each.
    Subscriptions(Vec<(String, String)>),
}

/// The name that a resource gets when its template gives none: a pure function of stack and logical id.
#[derive(Debug, Clone, Copy)]
pub struct GeneratedName {
    /// The property that carries the name.
    pub property: &'static str,
    /// The longest name that the service takes.
    pub longest: usize,
    pub case: Case,
    /// `.fifo` where the property `FifoQueue` or `FifoTopic` is true.
    pub fifo_property: Option<&'static str>,
}

/// Which letters a service takes in names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Any,
    Lower,
    /// Any, but nothing that is neither letter nor digit.
    Alphanumeric,
}

impl GeneratedName {
    pub const fn new(property: &'static str, longest: usize) -> Self {
        Self { property, longest, case: Case::Any, fifo_property: None }
    }
}

/// One resource type. Every function is safe to repeat; `delete` of something gone is a success.
pub trait Handler: Send + Sync + 'static {
    /// `AWS::SQS::Queue`.
    const TYPE: &'static str;
    /// The properties without which `find` cannot look: while one of them is unknown, the resource cannot exist.
    const FOUND_BY: &'static [&'static str];
    /// The name to generate where the template gives none.
    const GENERATED_NAME: Option<GeneratedName> = None;
    /// How many of the type the service deletes in one call: see [`delete_together`](Self::delete_together).
    const DELETED_TOGETHER: usize = 1;
    /// Whether the service refuses a second resource with the same [`FOUND_BY`](Self::FOUND_BY) properties.
    const IS_UNIQUE: bool = true;
    /// Whether a create that is asked for twice makes two: nothing in the service keeps a name unique, and only lists tell what
    /// is there.
    const CREATES_ANOTHER: bool = false;
    /// The properties that name the resource this one is a part of: when that is deleted, this is gone too.
    const PART_OF: &'static [&'static str] = &[];
    /// Properties that replace the resource when they change, beside those that CloudFormation's facts name.
    const ALSO_CREATE_ONLY: &'static [&'static str] = &[];
    /// Properties that are secret whatever the template says of them: what they hold is shown and kept nowhere.
    const SECRETS: &'static [&'static str] = &[];
    /// Attributes that a change of a property gives another value: property, attribute.
    const UNSETTLES: &'static [(&'static str, &'static str)] = &[];
    /// What the Resource Groups Tagging API calls the type: `sqs`, `lambda:function`. `None` where it does not know it.
    const TAGGED_AS: Option<&'static str> = None;
    /// Properties that CloudFormation has and that are refused here, each with the reason and the way out. Within a property
    /// the path is written with points, and `*` for every item of a list.
    const REFUSED: &'static [(&'static str, &'static str)] = &[];

    /// The properties in CloudFormation's names and shapes. What the service does when the template is silent is `Default`.
    type Properties: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync + 'static;

    /// Fills in defaults that depend on other properties.
    fn complete(_properties: &mut Self::Properties) {}

    /// What follows from the properties alone, before AWS has been asked: nearly every ARN. An unknown in a property may
    /// come through; what only AWS can say is left out.
    fn predict(scope: &Scope, wanted: &Self::Properties) -> Attributes;

    /// What the resource puts into others that show it when they are read; `None` for a type that puts nothing anywhere. An
    /// unknown in a property may come through.
    const CONTRIBUTIONS: Option<Contribute<Self::Properties>> = None;

    /// Writes what is live in the words of what is wanted, where both mean the same and the wanted side alone can tell: a key
    /// by its ARN or its id, more warm capacity than was asked for. What is equal is not brought here: it stays as it is.
    fn equate(_live: &mut Self::Properties, _wanted: &Self::Properties) {}

    /// The property that differs in a way that replaces the resource, though another change of it would not. It is asked only
    /// where something differs.
    fn replaced_by(_live: &Self::Properties, _wanted: &Self::Properties) -> Option<&'static str> {
        None
    }

    /// Looks for the resource without knowing its identifier: by name, by its parent, or by the marks of its owner.
    fn find(
        cx: &Context,
        owner: &Owner,
        wanted: &Self::Properties,
    ) -> impl Future<Output = Result<Option<PhysicalId>, AwsError>> + Send;

    /// Looks for just what a create with these properties made, where [`find`](Self::find) is content with another one of the
    /// same owner.
    fn find_made(
        cx: &Context,
        owner: &Owner,
        wanted: &Self::Properties,
    ) -> impl Future<Output = Result<Option<PhysicalId>, AwsError>> + Send {
        Self::find(cx, owner, wanted)
    }

    /// Reads the resource in the template's own shape.
    fn read(
        cx: &Context,
        id: &PhysicalId,
    ) -> impl Future<Output = Result<Option<Live<Self::Properties>>, AwsError>> + Send;

    /// Makes the resource without a look at whether it is there, where the service itself refuses a name that is taken. `None`, and
    /// nothing is made: something has the name, or the service is none that refuses it, and [`create`](Self::create) is to follow.
    fn make_new(
        _cx: &Context,
        _owner: &Owner,
        _wanted: &Self::Properties,
    ) -> impl Future<Output = Result<Option<Made>, AwsError>> + Send {
        async { Ok(None) }
    }

    /// Creates the resource and waits until it can be used. `left` is what [`find_made`](Self::find_made) has just found: what an
    /// earlier, interrupted create has left, which is completed instead.
    fn create(
        cx: &Context,
        owner: &Owner,
        wanted: &Self::Properties,
        left: Option<PhysicalId>,
    ) -> impl Future<Output = Result<Made, AwsError>> + Send;

    /// Changes what differs and nothing else. Gives the identifier from now on, which may name other targets than before.
    ///
    /// What carries its owner's mark elsewhere than in `Tags` is marked as the owner's, though nothing else may have changed:
    /// that is how it is adopted.
    fn update(
        cx: &Context,
        owner: &Owner,
        id: &PhysicalId,
        wanted: &Self::Properties,
        changes: &Changes,
    ) -> impl Future<Output = Result<PhysicalId, AwsError>> + Send;

    /// Deletes the resource and waits until it is really gone.
    fn delete(cx: &Context, id: &PhysicalId) -> impl Future<Output = Result<(), AwsError>> + Send;

    /// Deletes several in one call and waits until all are gone, where [`DELETED_TOGETHER`](Self::DELETED_TOGETHER) is more than
    /// one. After an error, each is deleted by itself.
    fn delete_together(_cx: &Context, _ids: &[PhysicalId]) -> impl Future<Output = Result<(), AwsError>> + Send {
        async { Err(AwsError::missing(Self::TYPE, "a call that deletes several")) }
    }

    /// What the resource holds that goes with it. Asked only of what a plan would delete or replace.
    fn contents(_cx: &Context, _id: &PhysicalId) -> impl Future<Output = Result<Option<Contents>, AwsError>> + Send {
        async { Ok(None) }
    }

    /// The identifier of the resource that an ARN of this type names: what the sweep by tags turns its hits into.
    fn identify(_cx: &Context, _arn: &str) -> impl Future<Output = Result<Option<PhysicalId>, AwsError>> + Send {
        async { Ok(None) }
    }

    /// The type of the resources that resources of this type belong to whole: whatever is in one of ours is ours.
    const WITHIN: Option<&'static str> = None;

    /// The property that, where the template has it, says itself all that is within the resource: then nothing in there is
    /// anybody else's.
    const ALL_IN: Option<&'static str> = None;

    /// The type whose resources are the same thing in AWS, told in other words: what one of the two declares is declared.
    const SAME_AS: Option<&'static str> = None;

    /// Lists everything of this type within one resource of the type [`WITHIN`](Self::WITHIN).
    fn list_within(
        _cx: &Context,
        _whole: &PhysicalId,
    ) -> impl Future<Output = Result<Vec<PhysicalId>, AwsError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Finds what carries the stack's marks where the tagging API does not look: roles, layers, descriptions.
    fn sweep(
        _cx: &Context,
        _stack: &StackId,
    ) -> impl Future<Output = Result<Vec<(Owner, PhysicalId)>, AwsError>> + Send {
        async { Ok(Vec::new()) }
    }
}

/// Plain JSON without nulls: a property that is not set is not there.
fn plain<P: Serialize>(properties: &P) -> Value {
    let mut value = serde_json::to_value(properties).unwrap_or_default();
    drop_nulls(&mut value);
    value
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.values().any(Value::is_null) {
                fields.retain(|_, value| !value.is_null());
            }
            // In order of name, whatever order this build of `serde_json` keeps: digests are made of it.
            if !fields.keys().is_sorted() {
                fields.sort_keys();
            }
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether what is wanted is to be a part of something that is not there yet: while an apply makes that first, nobody else can
/// have put anything into it. `wanted` as the plan knows it.
pub fn is_within_new(resource_type: &ResourceType, wanted: &Value) -> bool {
    let is_new = |property: &&str| wanted.get(property).and_then(Value::as_str).is_some_and(unknown::is_in);
    row(resource_type).is_some_and(|row| row.handler.part_of().iter().any(is_new))
}

/// Changes what an interrupted create has not come to, of what it has left.
pub async fn complete_what_is_there<H: Handler>(
    cx: &Context,
    owner: &Owner,
    id: &PhysicalId,
    wanted: &H::Properties,
) -> Result<(), AwsError> {
    let Some(live) = H::read(cx, id).await? else { return Ok(()) };
    H::update(cx, owner, id, wanted, &left_to_change::<H>(&live, wanted)).await?;
    Ok(())
}

/// What is still to change on a resource that a create found half made.
pub fn left_to_change<H: Handler>(live: &Live<H::Properties>, wanted: &H::Properties) -> Changes {
    let mut live = live.properties.clone();
    H::complete(&mut live);
    changes_between(&live, wanted)
}

/// What differs between properties in canonical form.
pub fn changes_between<P: Serialize>(live: &P, wanted: &P) -> Changes {
    Changes::between(&plain(live), &plain(wanted))
}

/// Attributes from pairs of name and value, leaving out what is not there.
pub fn attributes<const N: usize>(pairs: [(&str, Option<String>); N]) -> Attributes {
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?)))).collect()
}

/// Attributes of a resource whose `Ref` is this text, with further pairs.
pub fn referred<const N: usize>(reference: impl Into<String>, pairs: [(&str, String); N]) -> Attributes {
    let mut attributes: Attributes =
        pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
    attributes.insert(REF.to_owned(), Value::String(reference.into()));
    attributes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_sibling_contributes_is_not_seen_unless_it_is_declared_as_well() {
        let sibling = Contribution {
            resource_type: "AWS::IAM::Role",
            id: PhysicalId::from("worker"),
            through: "Roles",
            property: "Policies",
            item: json!({"PolicyName": "queue"}),
        };
        let live = json!({"Policies": [{"PolicyName": "queue", "PolicyDocument": {}}, {"PolicyName": "strange"}]});
        let mut seen = live.clone();
        sibling.take_from(&mut seen, &json!({"Policies": []}));
        assert_eq!(seen, json!({"Policies": [{"PolicyName": "strange"}]}));
        let mut seen = live.clone();
        sibling.take_from(&mut seen, &json!({"Policies": [{"PolicyName": "queue"}]}));
        assert_eq!(seen, live);
    }
}
