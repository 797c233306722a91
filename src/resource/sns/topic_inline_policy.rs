//! `AWS::SNS::TopicInlinePolicy`: the policy of one topic. What `AWS::SNS::TopicPolicy` is for a list of them; a topic has one.

use serde::{Deserialize, Serialize};

use crate::aws::error::AwsError;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::policy_document::PolicyDocument;
use crate::resource::sns::topic_policy;
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct SnsTopicInlinePolicy;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct TopicInlinePolicy {
    pub policy_document: Option<PolicyDocument>,
    pub topic_arn: String,
}

impl Handler for SnsTopicInlinePolicy {
    const TYPE: &'static str = "AWS::SNS::TopicInlinePolicy";
    const FOUND_BY: &'static [&'static str] = &["TopicArn"];
    const PART_OF: &'static [&'static str] = &["TopicArn"];
    const SAME_AS: Option<&'static str> = Some("AWS::SNS::TopicPolicy");
    type Properties = TopicInlinePolicy;

    fn predict(_scope: &Scope, policy: &TopicInlinePolicy) -> Attributes {
        referred(policy.topic_arn.as_str(), [])
    }

    async fn find(cx: &Context, _owner: &Owner, policy: &TopicInlinePolicy) -> Result<Option<PhysicalId>, AwsError> {
        let id = PhysicalId::from(policy.topic_arn.as_str());
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<TopicInlinePolicy>>, AwsError> {
        let document = topic_policy::ours(cx, id.as_str()).await?;
        Ok(document.map(|document| {
            let policy = TopicInlinePolicy { policy_document: Some(document), topic_arn: id.as_str().to_owned() };
            Live::unmarkable(policy, referred(id.as_str(), []))
        }))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        policy: &TopicInlinePolicy,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        put(cx, policy).await?;
        let id = PhysicalId::from(policy.topic_arn.as_str());
        Ok(Made { attributes: referred(id.as_str(), []), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        policy: &TopicInlinePolicy,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put(cx, policy).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        topic_policy::reset(cx, id.as_str()).await
    }
}

async fn put(cx: &Context, policy: &TopicInlinePolicy) -> Result<(), AwsError> {
    match &policy.policy_document {
        Some(document) => topic_policy::put(cx, &policy.topic_arn, document).await,
        None => Ok(()),
    }
}
