//! `AWS::SQS::QueueInlinePolicy`: the policy of one queue. What `AWS::SQS::QueuePolicy` is for a list of them; a queue has one.

use serde::{Deserialize, Serialize};

use crate::aws::error::AwsError;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::policy_document::PolicyDocument;
use crate::resource::sqs::queue_policy;
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct SqsQueueInlinePolicy;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct QueueInlinePolicy {
    pub policy_document: Option<PolicyDocument>,
    /// Its URL.
    pub queue: String,
}

impl Handler for SqsQueueInlinePolicy {
    const TYPE: &'static str = "AWS::SQS::QueueInlinePolicy";
    const FOUND_BY: &'static [&'static str] = &["Queue"];
    const PART_OF: &'static [&'static str] = &["Queue"];
    const SAME_AS: Option<&'static str> = Some("AWS::SQS::QueuePolicy");
    type Properties = QueueInlinePolicy;

    fn predict(_scope: &Scope, policy: &QueueInlinePolicy) -> Attributes {
        referred(policy.queue.as_str(), [])
    }

    async fn find(cx: &Context, _owner: &Owner, policy: &QueueInlinePolicy) -> Result<Option<PhysicalId>, AwsError> {
        let id = PhysicalId::from(policy.queue.as_str());
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<QueueInlinePolicy>>, AwsError> {
        let document = queue_policy::shown(cx, id.as_str()).await?;
        Ok(document.map(|document| {
            let policy = QueueInlinePolicy { policy_document: Some(document), queue: id.as_str().to_owned() };
            Live::unmarkable(policy, referred(id.as_str(), []))
        }))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        policy: &QueueInlinePolicy,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        put(cx, policy).await?;
        let id = PhysicalId::from(policy.queue.as_str());
        Ok(Made { attributes: referred(id.as_str(), []), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        policy: &QueueInlinePolicy,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put(cx, policy).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        queue_policy::clear(cx, id.as_str()).await
    }
}

async fn put(cx: &Context, policy: &QueueInlinePolicy) -> Result<(), AwsError> {
    match &policy.policy_document {
        Some(document) => queue_policy::put(cx, &policy.queue, document).await,
        None => Ok(()),
    }
}
