//! `AWS::SQS::Queue`. Found by name. Only the name and `FifoQueue` replace it.
//! A deleted queue's name is refused for 60 seconds, and a change takes up to 60 seconds to be seen everywhere: see "SQS" in
//! the behaviour notes.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use futures::future::try_join;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::sqs::shown;
use crate::resource::tags::{self, Tags};
use crate::resource::{
    Attributes, Contents, GeneratedName, Handler, Live, Made, Owner, attributes, complete_what_is_there, json_text,
    referred,
};

pub struct SqsQueue;

const COUNTS: [Attribute; 3] = [
    Attribute::ApproximateNumberOfMessages,
    Attribute::ApproximateNumberOfMessagesNotVisible,
    Attribute::ApproximateNumberOfMessagesDelayed,
];

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Queue {
    pub queue_name: Option<String>,
    pub fifo_queue: bool,
    pub content_based_deduplication: bool,
    pub deduplication_scope: Option<String>,
    pub fifo_throughput_limit: Option<String>,
    /// Seconds before a sent message can be received.
    pub delay_seconds: u32,
    /// Bytes.
    pub maximum_message_size: u32,
    /// Seconds.
    pub message_retention_period: u32,
    /// Seconds that a receive call waits for a message.
    pub receive_message_wait_time_seconds: u32,
    /// Seconds for which a received message stays hidden.
    pub visibility_timeout: u32,
    pub kms_master_key_id: Option<String>,
    /// Seconds. The service has one only with a KMS key.
    pub kms_data_key_reuse_period_seconds: Option<u32>,
    pub sqs_managed_sse_enabled: Option<bool>,
    #[serde(deserialize_with = "json_text::deserialize")]
    pub redrive_policy: Option<RedrivePolicy>,
    #[serde(deserialize_with = "json_text::deserialize")]
    pub redrive_allow_policy: Option<Value>,
    pub tags: Tags,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            queue_name: None,
            fifo_queue: false,
            content_based_deduplication: false,
            deduplication_scope: None,
            fifo_throughput_limit: None,
            delay_seconds: 0,
            maximum_message_size: 1_048_576,
            message_retention_period: 345_600,
            receive_message_wait_time_seconds: 0,
            visibility_timeout: 30,
            kms_master_key_id: None,
            kms_data_key_reuse_period_seconds: None,
            sqs_managed_sse_enabled: None,
            redrive_policy: None,
            redrive_allow_policy: None,
            tags: Tags::default(),
        }
    }
}

/// Where messages go that were received too often. The names are the service's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedrivePolicy {
    pub dead_letter_target_arn: String,
    #[serde(deserialize_with = "json_text::whole_number")]
    pub max_receive_count: u64,
}

impl Handler for SqsQueue {
    const TYPE: &'static str = "AWS::SQS::Queue";
    const FOUND_BY: &'static [&'static str] = &["QueueName"];
    const GENERATED_NAME: Option<GeneratedName> =
        Some(GeneratedName { fifo_property: Some("FifoQueue"), ..GeneratedName::new("QueueName", 80) });
    const TAGGED_AS: Option<&'static str> = Some("sqs");
    type Properties = Queue;

    fn complete(queue: &mut Queue) {
        queue.sqs_managed_sse_enabled.get_or_insert(queue.kms_master_key_id.is_none());
        if queue.kms_master_key_id.is_some() {
            queue.kms_data_key_reuse_period_seconds.get_or_insert(300);
        }
        if queue.fifo_queue {
            queue.deduplication_scope.get_or_insert_with(|| "queue".to_owned());
            queue.fifo_throughput_limit.get_or_insert_with(|| "perQueue".to_owned());
        }
    }

    fn predict(scope: &Scope, queue: &Queue) -> Attributes {
        let Some(name) = &queue.queue_name else { return Attributes::new() };
        attributes([("Arn", Some(scope.arn("sqs", name))), ("QueueName", Some(name.clone()))])
    }

    async fn find(cx: &Context, _owner: &Owner, queue: &Queue) -> Result<Option<PhysicalId>, AwsError> {
        let name = queue.queue_name.as_deref().unwrap_or_default();
        let answer = cx.sqs.get_queue_url().queue_name(name).send().await;
        Ok(found("sqs.GetQueueUrl", answer)?.and_then(|answer| answer.queue_url).map(PhysicalId::from))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Queue>>, AwsError> {
        let url = id.as_str();
        let (shown, tags) = try_join(shown(cx, url), tags_of(cx, url)).await?;
        let (Some(shown), Some(tags)) = (shown, tags) else { return Ok(None) };
        live(url, &shown, tags).map(Some)
    }

    async fn contents(cx: &Context, id: &PhysicalId) -> Result<Option<Contents>, AwsError> {
        let ask = cx.sqs.get_queue_attributes().queue_url(id.as_str()).set_attribute_names(Some(COUNTS.to_vec()));
        let Some(answer) = found("sqs.GetQueueAttributes", ask.send().await)? else { return Ok(None) };
        let attributes = answer.attributes.unwrap_or_default();
        let [visible, in_flight, delayed] =
            COUNTS.map(|name| attributes.get(&name).and_then(|count| count.parse().ok()).unwrap_or_default());
        Ok(Some(Contents::Messages { visible, in_flight, delayed }))
    }

    async fn create(cx: &Context, owner: &Owner, queue: &Queue, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        // A queue of this name with these attributes would be taken for a new one: only `left` tells them apart.
        let url = match left {
            Some(id) => {
                complete_what_is_there::<Self>(cx, owner, &id, queue).await?;
                id.as_str().to_owned()
            }
            None => make(cx, queue).await?,
        };
        cx.until("sqs.GetQueueAttributes", "the new queue to show", Patience::seconds(60), || async {
            let answer = cx.sqs.get_queue_attributes().queue_url(&url).send().await;
            found("sqs.GetQueueAttributes", answer)
        })
        .await?;
        let attributes = referred(
            &url,
            [
                ("Arn", cx.scope.arn("sqs", queue.queue_name.as_deref().unwrap_or_default())),
                ("QueueName", queue.queue_name.clone().unwrap_or_default()),
                ("QueueUrl", url.clone()),
            ],
        );
        Ok(Made { id: PhysicalId::from(url), attributes })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        queue: &Queue,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let changed: HashMap<Attribute, String> =
            attributes_of(queue).into_iter().filter(|(attribute, _)| changes.touch(attribute.as_str())).collect();
        if !changed.is_empty() {
            set_attributes(cx, id, changed).await?;
        }
        if changes.touch("Tags") {
            sync_tags(cx, id, &queue.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        gone_is_fine(cx.sqs.delete_queue().queue_url(id.as_str()).send().await.during("sqs.DeleteQueue"))?;
        cx.until_everywhere("sqs.GetQueueAttributes", "the queue to be gone", 180, || async {
            let answer = cx.sqs.get_queue_attributes().queue_url(id.as_str()).send().await;
            Ok(found("sqs.GetQueueAttributes", answer)?.is_none())
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        let Some(name) = arn.strip_prefix(&cx.scope.arn("sqs", "")) else { return Ok(None) };
        let answer = cx.sqs.get_queue_url().queue_name(name).send().await;
        Ok(found("sqs.GetQueueUrl", answer)?.and_then(|answer| answer.queue_url).map(PhysicalId::from))
    }
}

async fn make(cx: &Context, queue: &Queue) -> Result<String, AwsError> {
    let deleted_recently = |error: &AwsError| error.code.ends_with("QueueDeletedRecently");
    let attributes: HashMap<Attribute, String> =
        attributes_of(queue).into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let create = cx.sqs.create_queue().set_queue_name(queue.queue_name.clone());
    let create = create.set_attributes(Some(attributes)).set_tags(Some(queue.tags.to_map()));
    let answer = cx
        .while_passing(
            Patience::seconds(90),
            |error| deleted_recently(error) || is_fresh_principal(error),
            || async { create.clone().send().await.during("sqs.CreateQueue") },
        )
        .await?;
    answer.queue_url.ok_or_else(|| AwsError::missing("sqs.CreateQueue", "QueueUrl"))
}

/// A role that was made a moment ago is refused as a principal.
pub(super) fn is_fresh_principal(error: &AwsError) -> bool {
    error.says("InvalidAttributeValue", "Invalid value for the parameter Policy")
}

/// Changes are seen everywhere only after up to 60 seconds; what reads the queue next must see them.
async fn set_attributes(cx: &Context, id: &PhysicalId, wanted: HashMap<Attribute, String>) -> Result<(), AwsError> {
    let set = cx.sqs.set_queue_attributes().queue_url(id.as_str()).set_attributes(Some(wanted.clone()));
    cx.while_passing(Patience::seconds(120), is_fresh_principal, || async {
        set.clone().send().await.during("sqs.SetQueueAttributes")
    })
    .await?;
    cx.until_everywhere("sqs.GetQueueAttributes", "the queue's new attributes to show", 120, || async {
        let read = cx.sqs.get_queue_attributes().queue_url(id.as_str()).attribute_names(Attribute::All);
        let shown = read.send().await.during("sqs.GetQueueAttributes")?.attributes.unwrap_or_default();
        let agrees = |(attribute, value): (&Attribute, &String)| same(shown.get(attribute), value);
        Ok(wanted.iter().all(agrees))
    })
    .await
}

/// An attribute that was cleared is not shown; JSON comes back with its keys in any order.
fn same(shown: Option<&String>, wanted: &str) -> bool {
    let shown = shown.map(String::as_str).unwrap_or_default();
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
    shown == wanted || (parsed(shown).is_some() && parsed(shown) == parsed(wanted))
}

async fn tags_of(cx: &Context, url: &str) -> Result<Option<Tags>, AwsError> {
    let ask = || async {
        let answer = found("sqs.ListQueueTags", cx.sqs.list_queue_tags().queue_url(url).send().await)?;
        Ok(answer.map(|answer| answer.tags.unwrap_or_default().into_iter().collect()))
    };
    let name = url.rsplit('/').next().unwrap_or_default();
    tags::of(cx, &cx.scope.arn("sqs", name), ask).await
}

async fn sync_tags(cx: &Context, id: &PhysicalId, wanted: &Tags) -> Result<(), AwsError> {
    let answer = cx.sqs.list_queue_tags().queue_url(id.as_str()).send().await.during("sqs.ListQueueTags")?;
    let changes = wanted.since(&answer.tags.unwrap_or_default().into_iter().collect());
    if !changes.written.0.is_empty() {
        let tag = cx.sqs.tag_queue().queue_url(id.as_str()).set_tags(Some(changes.written.to_map()));
        tag.send().await.during("sqs.TagQueue")?;
    }
    if !changes.removed.is_empty() {
        let untag =
            cx.sqs.untag_queue().queue_url(id.as_str()).set_tag_keys(Some(changes.removed.into_iter().collect()));
        untag.send().await.during("sqs.UntagQueue")?;
    }
    Ok(())
}

/// Every attribute of the queue with the text that sets it: for one that the template leaves out, the text that resets it.
/// The service takes FIFO attributes for FIFO queues only.
fn attributes_of(queue: &Queue) -> HashMap<Attribute, String> {
    let json = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
    let redrive = queue.redrive_policy.as_ref().and_then(|policy| serde_json::to_value(policy).ok());
    let mut attributes = HashMap::from([
        (Attribute::DelaySeconds, queue.delay_seconds.to_string()),
        (Attribute::MaximumMessageSize, queue.maximum_message_size.to_string()),
        (Attribute::MessageRetentionPeriod, queue.message_retention_period.to_string()),
        (Attribute::ReceiveMessageWaitTimeSeconds, queue.receive_message_wait_time_seconds.to_string()),
        (Attribute::VisibilityTimeout, queue.visibility_timeout.to_string()),
        (Attribute::KmsMasterKeyId, queue.kms_master_key_id.clone().unwrap_or_default()),
        (Attribute::SqsManagedSseEnabled, queue.sqs_managed_sse_enabled.unwrap_or_default().to_string()),
        (Attribute::RedrivePolicy, json(&redrive)),
        (Attribute::RedriveAllowPolicy, json(&queue.redrive_allow_policy)),
    ]);
    if let Some(seconds) = queue.kms_data_key_reuse_period_seconds {
        attributes.insert(Attribute::KmsDataKeyReusePeriodSeconds, seconds.to_string());
    }
    if queue.fifo_queue {
        attributes.insert(Attribute::FifoQueue, "true".to_owned());
        attributes.insert(Attribute::ContentBasedDeduplication, queue.content_based_deduplication.to_string());
        attributes.insert(Attribute::DeduplicationScope, queue.deduplication_scope.clone().unwrap_or_default());
        attributes.insert(Attribute::FifoThroughputLimit, queue.fifo_throughput_limit.clone().unwrap_or_default());
    }
    attributes
}

fn live(url: &str, shown: &HashMap<Attribute, String>, tags: Tags) -> Result<Live<Queue>, AwsError> {
    let text = |attribute: Attribute| shown.get(&attribute).filter(|text| !text.is_empty()).cloned();
    let number = |attribute: Attribute| text(attribute).and_then(|text| text.parse().ok());
    let json = |attribute: Attribute| text(attribute).and_then(|text| serde_json::from_str(&text).ok());
    let is = |attribute: Attribute| text(attribute).as_deref() == Some("true");
    let missing = |what: &str| AwsError::missing("sqs.GetQueueAttributes", what);
    let arn = text(Attribute::QueueArn).ok_or_else(|| missing("QueueArn"))?;
    let name = arn.rsplit(':').next().unwrap_or_default().to_owned();
    let required = |attribute: Attribute| {
        let name = attribute.as_str().to_owned();
        number(attribute).ok_or_else(|| missing(&name))
    };
    let queue = Queue {
        queue_name: Some(name.clone()),
        fifo_queue: is(Attribute::FifoQueue),
        content_based_deduplication: is(Attribute::ContentBasedDeduplication),
        deduplication_scope: text(Attribute::DeduplicationScope),
        fifo_throughput_limit: text(Attribute::FifoThroughputLimit),
        delay_seconds: required(Attribute::DelaySeconds)?,
        maximum_message_size: required(Attribute::MaximumMessageSize)?,
        message_retention_period: required(Attribute::MessageRetentionPeriod)?,
        receive_message_wait_time_seconds: required(Attribute::ReceiveMessageWaitTimeSeconds)?,
        visibility_timeout: required(Attribute::VisibilityTimeout)?,
        kms_master_key_id: text(Attribute::KmsMasterKeyId),
        kms_data_key_reuse_period_seconds: number(Attribute::KmsDataKeyReusePeriodSeconds),
        sqs_managed_sse_enabled: Some(is(Attribute::SqsManagedSseEnabled)),
        redrive_policy: json(Attribute::RedrivePolicy).and_then(|policy| serde_json::from_value(policy).ok()),
        redrive_allow_policy: json(Attribute::RedriveAllowPolicy),
        tags,
    };
    let attributes = referred(url, [("Arn", arn), ("QueueName", name), ("QueueUrl", url.to_owned())]);
    Ok(Live::tagged(queue, attributes))
}
