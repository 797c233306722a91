//! `AWS::SNS::TopicPolicy`: the attribute `Policy` of each of its topics.
//! Its identifier is the ARNs of its topics, joined by `|`. A topic always has a policy: one that carries the service's default
//! has none of ours, and deleting puts the default back. Two resources of this type that name the same topic overwrite each
//! other.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::aws::error::{AwsError, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::policy_document::{PolicyDocument, carried};
use crate::resource::sns::{self, set_topic_attribute};
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct SnsTopicPolicy;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct TopicPolicy {
    pub policy_document: Option<PolicyDocument>,
    /// ARNs.
    pub topics: BTreeSet<String>,
}

impl Handler for SnsTopicPolicy {
    const TYPE: &'static str = "AWS::SNS::TopicPolicy";
    const FOUND_BY: &'static [&'static str] = &["Topics"];
    const PART_OF: &'static [&'static str] = &["Topics"];
    const WITHIN: Option<&'static str> = Some("AWS::SNS::Topic");
    type Properties = TopicPolicy;

    fn predict(_scope: &Scope, policy: &TopicPolicy) -> Attributes {
        attributes_of(&id_of(policy))
    }

    async fn find(cx: &Context, _owner: &Owner, policy: &TopicPolicy) -> Result<Option<PhysicalId>, AwsError> {
        let id = id_of(policy);
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<TopicPolicy>>, AwsError> {
        let mut targets = Vec::new();
        for topic in id.each() {
            targets.push((topic.to_owned(), ours(cx, topic).await?));
        }
        Ok(carried(targets).map(|(document, topics)| {
            Live::unmarkable(TopicPolicy { policy_document: Some(document), topics }, attributes_of(id))
        }))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        policy: &TopicPolicy,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        put_all(cx, policy).await?;
        let id = id_of(policy);
        Ok(Made { attributes: attributes_of(&id), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        policy: &TopicPolicy,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put_all(cx, policy).await?;
        for topic in id.each().filter(|topic| !policy.topics.contains(*topic)) {
            reset(cx, topic).await?;
        }
        Ok(id_of(policy))
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        for topic in id.each() {
            reset(cx, topic).await?;
        }
        Ok(())
    }

    async fn list_within(cx: &Context, topic: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        Ok(Self::read(cx, topic).await?.map(|_| topic.clone()).into_iter().collect())
    }
}

async fn put_all(cx: &Context, policy: &TopicPolicy) -> Result<(), AwsError> {
    let Some(document) = &policy.policy_document else { return Ok(()) };
    for topic in &policy.topics {
        put(cx, topic, document).await?;
    }
    Ok(())
}

pub(super) async fn put(cx: &Context, topic: &str, document: &PolicyDocument) -> Result<(), AwsError> {
    let document = document.to_json();
    set_topic_attribute(cx, topic, "Policy", &document).await?;
    cx.until("sns.GetTopicAttributes", "the policy to name its principals", Patience::seconds(120), || async {
        let shown = shown(cx, topic).await?;
        Ok(shown.is_none_or(|shown| names_principals(&shown) || !names_principals(&document)).then_some(()))
    })
    .await
}

/// The topic's policy, unless it is the one that every topic begins with.
pub(super) async fn ours(cx: &Context, topic: &str) -> Result<Option<PolicyDocument>, AwsError> {
    let shown = shown(cx, topic).await?.map(|text| PolicyDocument::new(text.into()));
    Ok(shown.filter(|document| !is_default(topic, document)))
}

/// A role that was made a moment ago is shown by its unique id for a while, as one that was deleted is for ever.
fn names_principals(document: &str) -> bool {
    !document.contains("\"AROA") && !document.contains("\"AIDA")
}

/// A topic that is gone took its policy along.
pub(super) async fn reset(cx: &Context, topic: &str) -> Result<(), AwsError> {
    gone_is_fine(set_topic_attribute(cx, topic, "Policy", &default_policy(topic, &ACTIONS).to_string()).await)
}

async fn shown(cx: &Context, topic: &str) -> Result<Option<String>, AwsError> {
    Ok(sns::shown(cx, topic).await?.and_then(|mut attributes| attributes.remove("Policy")))
}

/// What the owner's account may do under the default policy.
const ACTIONS: [&str; 8] = [
    "SNS:GetTopicAttributes",
    "SNS:SetTopicAttributes",
    "SNS:AddPermission",
    "SNS:RemovePermission",
    "SNS:DeleteTopic",
    "SNS:Subscribe",
    "SNS:ListSubscriptionsByTopic",
    "SNS:Publish",
];

/// The policy of a topic that nobody gave one.
fn default_policy(topic: &str, actions: &[&str]) -> Value {
    let account = topic.split(':').nth(4).unwrap_or_default();
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": actions,
            "Resource": topic,
            "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
        }],
    })
}

/// The default policy of older topics allows `SNS:Receive` too.
fn is_default(topic: &str, document: &PolicyDocument) -> bool {
    let older: Vec<&str> = ACTIONS.into_iter().chain(["SNS:Receive"]).collect();
    [&ACTIONS[..], &older].into_iter().any(|actions| *document == PolicyDocument::new(default_policy(topic, actions)))
}

fn id_of(policy: &TopicPolicy) -> PhysicalId {
    PhysicalId::join(policy.topics.iter().map(String::as_str))
}

fn attributes_of(id: &PhysicalId) -> Attributes {
    referred(id.as_str(), [("Id", id.as_str().to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:orders";

    #[test]
    fn the_default_policy_is_none_of_ours_in_whatever_order_it_comes() {
        let mut answered = default_policy(TOPIC, &ACTIONS);
        answered["Statement"][0]["Action"].as_array_mut().unwrap().reverse();
        assert!(is_default(TOPIC, &PolicyDocument::new(answered.to_string().into())));
        answered["Statement"][0]["Action"].as_array_mut().unwrap().push("SNS:Receive".into());
        assert!(is_default(TOPIC, &PolicyDocument::new(answered)));
    }

    #[test]
    fn a_default_policy_with_one_statement_more_is_somebodys() {
        let mut extended = default_policy(TOPIC, &ACTIONS);
        extended["Statement"].as_array_mut().unwrap().push(json!({"Effect": "Deny", "Principal": "*"}));
        assert!(!is_default(TOPIC, &PolicyDocument::new(extended)));
    }

    #[test]
    fn a_principal_without_a_name_is_one_that_is_not_known_everywhere_yet() {
        assert!(!names_principals(r#"{"Principal":{"AWS":"AROAEXAMPLEID"}}"#));
        assert!(names_principals(r#"{"Principal":{"AWS":"arn:aws:iam::123456789012:role/x"}}"#));
    }
}
