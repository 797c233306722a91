//! `AWS::SQS::QueuePolicy`: the attribute `Policy` of each of its queues.
//! Its identifier is the URLs of its queues, joined by `|`. A queue has one policy: two resources of this type that name the
//! same queue overwrite each other.

use std::collections::BTreeSet;

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, absent_is_none};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::policy_document::{PolicyDocument, carried};
use crate::resource::sqs::{self, queue::is_fresh_principal};
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct SqsQueuePolicy;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct QueuePolicy {
    pub policy_document: Option<PolicyDocument>,
    /// URLs.
    pub queues: BTreeSet<String>,
}

impl Handler for SqsQueuePolicy {
    const TYPE: &'static str = "AWS::SQS::QueuePolicy";
    const FOUND_BY: &'static [&'static str] = &["Queues"];
    const PART_OF: &'static [&'static str] = &["Queues"];
    const WITHIN: Option<&'static str> = Some("AWS::SQS::Queue");
    type Properties = QueuePolicy;

    fn predict(_scope: &Scope, policy: &QueuePolicy) -> Attributes {
        attributes_of(&id_of(policy))
    }

    async fn find(cx: &Context, _owner: &Owner, policy: &QueuePolicy) -> Result<Option<PhysicalId>, AwsError> {
        let id = id_of(policy);
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<QueuePolicy>>, AwsError> {
        let mut targets = Vec::new();
        for url in id.each() {
            targets.push((url.to_owned(), shown(cx, url).await?));
        }
        Ok(carried(targets).map(|(document, queues)| {
            Live::unmarkable(QueuePolicy { policy_document: Some(document), queues }, attributes_of(id))
        }))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        policy: &QueuePolicy,
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
        policy: &QueuePolicy,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put_all(cx, policy).await?;
        for url in id.each().filter(|url| !policy.queues.contains(*url)) {
            clear(cx, url).await?;
        }
        Ok(id_of(policy))
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        for url in id.each() {
            clear(cx, url).await?;
        }
        Ok(())
    }

    async fn list_within(cx: &Context, queue: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        Ok(Self::read(cx, queue).await?.map(|_| queue.clone()).into_iter().collect())
    }
}

async fn put_all(cx: &Context, policy: &QueuePolicy) -> Result<(), AwsError> {
    let Some(document) = &policy.policy_document else { return Ok(()) };
    for url in &policy.queues {
        put(cx, url, document).await?;
    }
    Ok(())
}

pub(super) async fn put(cx: &Context, url: &str, document: &PolicyDocument) -> Result<(), AwsError> {
    // A queue that was made a moment ago is not known everywhere yet.
    let text = document.to_json();
    cx.while_passing(Patience::seconds(15), AwsError::is_not_found, || set(cx, url, &text)).await?;
    shows(cx, url, Some(document)).await
}

/// A queue that is gone took its policy along.
pub(super) async fn clear(cx: &Context, url: &str) -> Result<(), AwsError> {
    match absent_is_none(set(cx, url, "").await)? {
        Some(()) => shows(cx, url, None).await,
        None => Ok(()),
    }
}

async fn set(cx: &Context, url: &str, document: &str) -> Result<(), AwsError> {
    let set = cx.sqs.set_queue_attributes().queue_url(url).attributes(Attribute::Policy, document);
    cx.while_passing(Patience::seconds(120), is_fresh_principal, || async {
        set.clone().send().await.during("sqs.SetQueueAttributes")
    })
    .await?;
    Ok(())
}

/// Changes are seen everywhere only after up to 60 seconds; what reads the queue next must see them.
async fn shows(cx: &Context, url: &str, wanted: Option<&PolicyDocument>) -> Result<(), AwsError> {
    cx.until_everywhere("sqs.GetQueueAttributes", "the queue's new policy to show", 120, || async {
        Ok(shown(cx, url).await?.as_ref() == wanted)
    })
    .await
}

pub(super) async fn shown(cx: &Context, url: &str) -> Result<Option<PolicyDocument>, AwsError> {
    let document = sqs::shown(cx, url).await?.and_then(|mut attributes| attributes.remove(&Attribute::Policy));
    Ok(document.filter(|text| !text.is_empty()).map(|text| PolicyDocument::new(text.into())))
}

fn id_of(policy: &QueuePolicy) -> PhysicalId {
    PhysicalId::join(policy.queues.iter().map(String::as_str))
}

fn attributes_of(id: &PhysicalId) -> Attributes {
    referred(id.as_str(), [("Id", id.as_str().to_owned())])
}
