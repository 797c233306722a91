//! `AWS::SNS::Topic`. Found by name, from which its ARN follows. Only the name and `FifoTopic` replace it.
//! Its attributes are set one a call. Its policy is the type `AWS::SNS::TopicPolicy`. See "SNS" in the behaviour notes.

use std::collections::{BTreeSet, HashMap};

use futures::future::try_join3;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::sns::inline_subscription::{self, InlineSubscription};
use crate::resource::sns::{
    PENDING, invalid, is_there_already, passes, sdk_tag, set_topic_attribute, shown, subscriptions_of, sync_tags,
    tags_of,
};
use crate::resource::tags::Tags;
use crate::resource::{
    Attributes, Contents, GeneratedName, Handler, Live, Made, Owner, changes_between, json_text, left_to_change,
    referred,
};

pub struct SnsTopic;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Topic {
    pub topic_name: Option<String>,
    pub display_name: String,
    pub fifo_topic: bool,
    pub content_based_deduplication: bool,
    pub fifo_throughput_scope: Option<String>,
    #[serde(deserialize_with = "json_text::deserialize")]
    pub archive_policy: Option<Value>,
    #[serde(deserialize_with = "json_text::deserialize")]
    pub data_protection_policy: Option<Value>,
    pub delivery_status_logging: Vec<DeliveryStatusLog>,
    pub kms_master_key_id: Option<String>,
    /// Bytes.
    pub maximum_message_size: u32,
    pub signature_version: String,
    pub tracing_config: String,
    pub subscription: BTreeSet<InlineSubscription>,
    pub tags: Tags,
}

impl Default for Topic {
    fn default() -> Self {
        Self {
            topic_name: None,
            display_name: String::new(),
            fifo_topic: false,
            content_based_deduplication: false,
            fifo_throughput_scope: None,
            archive_policy: None,
            data_protection_policy: None,
            delivery_status_logging: Vec::new(),
            kms_master_key_id: None,
            maximum_message_size: 262_144,
            signature_version: "1".to_owned(),
            tracing_config: "PassThrough".to_owned(),
            subscription: BTreeSet::new(),
            tags: Tags::default(),
        }
    }
}

/// Where deliveries over one protocol are logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeliveryStatusLog {
    pub protocol: String,
    pub success_feedback_role_arn: Option<String>,
    pub failure_feedback_role_arn: Option<String>,
    /// Percent of the successful deliveries.
    pub success_feedback_sample_rate: Option<String>,
}

/// The template's protocols, and what the names of their attributes begin with.
const LOGGED_PROTOCOLS: [(&str, &str); 5] = [
    ("application", "Application"),
    ("firehose", "Firehose"),
    ("http/s", "HTTP"),
    ("lambda", "Lambda"),
    ("sqs", "SQS"),
];

impl Handler for SnsTopic {
    const TYPE: &'static str = "AWS::SNS::Topic";
    const FOUND_BY: &'static [&'static str] = &["TopicName"];
    const GENERATED_NAME: Option<GeneratedName> =
        Some(GeneratedName { fifo_property: Some("FifoTopic"), ..GeneratedName::new("TopicName", 256) });
    const TAGGED_AS: Option<&'static str> = Some("sns");
    type Properties = Topic;

    fn complete(topic: &mut Topic) {
        if topic.fifo_topic {
            topic.fifo_throughput_scope.get_or_insert_with(|| "Topic".to_owned());
        }
        topic.kms_master_key_id.take_if(|key| key.is_empty());
        topic.archive_policy = topic.archive_policy.take().and_then(archive_policy);
        for log in &mut topic.delivery_status_logging {
            log.success_feedback_sample_rate.take_if(|rate| rate == "0");
        }
        topic.delivery_status_logging.retain(DeliveryStatusLog::says_something);
        topic.delivery_status_logging.sort_by(|one, other| one.protocol.cmp(&other.protocol));
    }

    fn predict(scope: &Scope, topic: &Topic) -> Attributes {
        let Some(name) = &topic.topic_name else { return Attributes::new() };
        attributes_of(&scope.arn("sns", name), name)
    }

    async fn find(cx: &Context, _owner: &Owner, topic: &Topic) -> Result<Option<PhysicalId>, AwsError> {
        let arn = arn_of(cx, topic);
        Ok(shown(cx, &arn).await?.map(|_| PhysicalId::from(arn)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Topic>>, AwsError> {
        let arn = id.as_str();
        let (shown, tags, policy) =
            try_join3(shown(cx, arn), tags_of(cx, arn), data_protection_policy(cx, arn)).await?;
        let (Some(shown), Some(mut tags)) = (shown, tags) else { return Ok(None) };
        let mut topic = topic_of(arn, &shown);
        topic.subscription = inline_subscription::read(cx, arn, &mut tags).await?;
        topic.data_protection_policy = policy;
        topic.tags = tags;
        let name = topic.topic_name.clone().unwrap_or_default();
        Ok(Some(Live::tagged(topic, attributes_of(arn, &name))))
    }

    async fn contents(cx: &Context, id: &PhysicalId) -> Result<Option<Contents>, AwsError> {
        let said = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let subscriptions = subscriptions_of(cx, id.as_str()).await?;
        Ok(Some(Contents::Subscriptions(
            subscriptions.iter().map(|it| (said(it.protocol()), said(it.endpoint()))).collect(),
        )))
    }

    async fn create(cx: &Context, owner: &Owner, topic: &Topic, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let arn = arn_of(cx, topic);
        let id = PhysicalId::from(arn.as_str());
        // A topic of this name is answered like a new one, or refused, depending on its attributes and tags.
        let mut was_there = false;
        if left.is_none() {
            match make(cx, topic).await {
                // One that a run before this has made, and that did not show yet.
                Err(error) if is_there_already(&error) => was_there = true,
                made => made?,
            }
        }
        let live = cx
            .until("sns.GetTopicAttributes", "the new topic to show", Patience::seconds(60), || Self::read(cx, &id))
            .await?;
        if was_there && live.properties.tags.owner().as_ref() != Some(owner) {
            let message =
                format!("a topic `{arn}` of somebody else came in between: give `{}` another name", owner.resource);
            return Err(AwsError::new("sns.CreateTopic", ErrorClass::AlreadyExists, message));
        }
        Self::update(cx, owner, &id, topic, &left_to_change::<Self>(&live, topic)).await?;
        Ok(Made { attributes: live.attributes, id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        topic: &Topic,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let arn = id.as_str();
        let touched = || attributes_to_set(topic).into_iter().filter(|it| changes.touch(it.property));
        if touched().next().is_some() {
            let shown = shown(cx, arn).await?.unwrap_or_default();
            for it in touched().filter(|it| shown.get(&it.attribute).unwrap_or(&it.unset) != &it.value) {
                set_topic_attribute(cx, arn, &it.attribute, &it.value).await?;
            }
        }
        if changes.touch("DataProtectionPolicy") {
            let policy = topic.data_protection_policy.as_ref().map(Value::to_string).unwrap_or_default();
            let put = cx.sns.put_data_protection_policy().resource_arn(arn).data_protection_policy(policy);
            put.send().await.during("sns.PutDataProtectionPolicy")?;
        }
        if changes.touch("Subscription") {
            inline_subscription::sync(cx, arn, &topic.subscription).await?;
        }
        if changes.touch("Tags") {
            let mut wanted = topic.tags.clone();
            inline_subscription::name_in(&mut wanted, &topic.subscription);
            sync_tags(cx, arn, &wanted).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let arn = id.as_str();
        let Some(shown) = shown(cx, arn).await? else { return Ok(()) };
        // The service refuses to delete a topic with an archive.
        if topic_of(arn, &shown).archive_policy.is_some() {
            gone_is_fine(set_topic_attribute(cx, arn, "ArchivePolicy", "{}").await)?;
        }
        let delete = cx.sns.delete_topic().topic_arn(arn);
        let deleted = cx.while_passing(Patience::seconds(60), passes, || async {
            delete.clone().send().await.during("sns.DeleteTopic")
        });
        gone_is_fine(deleted.await)?;
        cx.until("sns.GetTopicAttributes", "the topic to be gone", Patience::seconds(60), || async {
            Ok(self::shown(cx, arn).await?.is_none().then_some(()))
        })
        .await?;
        // Those that stay listed would be taken for subscriptions of the next topic of this name.
        cx.until(
            "sns.ListSubscriptionsByTopic",
            "the topic's subscriptions to be gone",
            Patience::seconds(180),
            || async {
                let left = subscriptions_of(cx, arn).await?;
                // What nobody has confirmed lapses by itself.
                Ok(left.iter().all(|it| it.subscription_arn() == Some(PENDING)).then_some(()))
            },
        )
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.starts_with(&cx.scope.arn("sns", "")).then(|| PhysicalId::from(arn)))
    }
}

impl DeliveryStatusLog {
    /// An entry without a role logs nothing, and the service does not keep it.
    fn says_something(&self) -> bool {
        let Self { protocol: _, success_feedback_role_arn, failure_feedback_role_arn, success_feedback_sample_rate } =
            self;
        [success_feedback_role_arn, failure_feedback_role_arn, success_feedback_sample_rate]
            .into_iter()
            .any(Option::is_some)
    }
}

/// Everything but the name, the kind and the tags is set afterwards, as an interrupted create finds it.
async fn make(cx: &Context, topic: &Topic) -> Result<(), AwsError> {
    let tags = topic.tags.to_sdk(sdk_tag).into_iter().collect::<Result<_, _>>();
    let tags = tags.map_err(|error| invalid("sns.CreateTopic", &error))?;
    let create = cx.sns.create_topic().set_name(topic.topic_name.clone()).set_tags(Some(tags));
    let fifo = topic.fifo_topic.then(|| HashMap::from([("FifoTopic".to_owned(), "true".to_owned())]));
    let create = create.set_attributes(fifo);
    cx.while_passing(Patience::seconds(60), passes, || async { create.clone().send().await.during("sns.CreateTopic") })
        .await?;
    Ok(())
}

/// FIFO topics, whose names tell them, have none.
async fn data_protection_policy(cx: &Context, arn: &str) -> Result<Option<Value>, AwsError> {
    if arn.ends_with(".fifo") {
        return Ok(None);
    }
    let answer = cx.sns.get_data_protection_policy().resource_arn(arn).send().await;
    let policy = found("sns.GetDataProtectionPolicy", answer)?.and_then(|answer| answer.data_protection_policy);
    Ok(policy.and_then(|text| serde_json::from_str(&text).ok()))
}

/// An attribute of a topic: the property it comes from, the text that sets it, or resets it where the template leaves it out,
/// and the text that means the same as its absence.
struct Setting {
    property: &'static str,
    attribute: String,
    value: String,
    unset: String,
}

/// Every attribute of the topic that can change. The service takes FIFO attributes for FIFO topics only.
fn attributes_to_set(topic: &Topic) -> Vec<Setting> {
    let setting = |property: &'static str, value: String, unset: &str| Setting {
        property,
        attribute: property.to_owned(),
        value,
        unset: unset.to_owned(),
    };
    let mut settings = vec![
        setting("DisplayName", topic.display_name.clone(), ""),
        setting("KmsMasterKeyId", topic.kms_master_key_id.clone().unwrap_or_default(), ""),
        setting("MaximumMessageSize", topic.maximum_message_size.to_string(), "262144"),
        setting("SignatureVersion", topic.signature_version.clone(), "1"),
        setting("TracingConfig", topic.tracing_config.clone(), "PassThrough"),
    ];
    if topic.fifo_topic {
        let archive = topic.archive_policy.as_ref().map_or_else(|| "{}".to_owned(), Value::to_string);
        settings.extend([
            setting("ArchivePolicy", archive, "{}"),
            setting("ContentBasedDeduplication", topic.content_based_deduplication.to_string(), "false"),
            setting("FifoThroughputScope", topic.fifo_throughput_scope.clone().unwrap_or_default(), "Topic"),
        ]);
    }
    for (protocol, prefix) in LOGGED_PROTOCOLS {
        let log = topic.delivery_status_logging.iter().find(|log| log.protocol == protocol);
        let text = |value: Option<&String>| value.cloned().unwrap_or_default();
        let rate = log.and_then(|log| log.success_feedback_sample_rate.clone()).unwrap_or_else(|| "0".to_owned());
        let success = text(log.and_then(|log| log.success_feedback_role_arn.as_ref()));
        let failure = text(log.and_then(|log| log.failure_feedback_role_arn.as_ref()));
        let feedback = |attribute: &str, value: String, unset: &str| Setting {
            attribute: format!("{prefix}{attribute}"),
            ..setting("DeliveryStatusLogging", value, unset)
        };
        settings.extend([
            feedback("SuccessFeedbackRoleArn", success, ""),
            feedback("FailureFeedbackRoleArn", failure, ""),
            feedback("SuccessFeedbackSampleRate", rate, "0"),
        ]);
    }
    settings
}

/// The calls that an update takes, tags aside, between properties in canonical form. `None` where only AWS can say which
/// subscriptions were confirmed.
pub(crate) fn updating(id: &PhysicalId, live: &Topic, wanted: &Topic) -> Option<Vec<&'static str>> {
    let changes = changes_between(live, wanted);
    let mut calls = Vec::new();
    let touched = || attributes_to_set(wanted).into_iter().filter(|it| changes.touch(it.property));
    if touched().next().is_some() {
        let were = attributes_to_set(live);
        let was = |it: &Setting| were.iter().find(|was| was.attribute == it.attribute).map(|was| &was.value);
        calls.push("sns.GetTopicAttributes");
        calls.extend(touched().filter(|it| was(it) != Some(&it.value)).map(|_| "sns.SetTopicAttributes"));
    }
    calls.extend(changes.touch("DataProtectionPolicy").then_some("sns.PutDataProtectionPolicy"));
    if changes.touch("Subscription") {
        calls.extend(inline_subscription::updating(id.as_str(), &live.subscription, &wanted.subscription)?);
    }
    Some(calls)
}

/// The calls that what a topic has beyond its name, its kind and its tags takes of a create; see [`updating`].
pub(crate) fn completing(wanted: &Topic) -> Option<Vec<&'static str>> {
    let mut made = Topic {
        topic_name: wanted.topic_name.clone(),
        fifo_topic: wanted.fifo_topic,
        tags: wanted.tags.clone(),
        ..Topic::default()
    };
    SnsTopic::complete(&mut made);
    updating(&PhysicalId::from(""), &made, wanted)
}

/// What the attributes say; subscriptions, tags and data protection are asked for apart.
fn topic_of(arn: &str, shown: &HashMap<String, String>) -> Topic {
    let text = |attribute: &str| shown.get(attribute).filter(|text| !text.is_empty()).cloned();
    let is = |attribute: &str| text(attribute).as_deref() == Some("true");
    let default = Topic::default();
    let logging = LOGGED_PROTOCOLS.map(|(protocol, prefix)| DeliveryStatusLog {
        protocol: protocol.to_owned(),
        success_feedback_role_arn: text(&format!("{prefix}SuccessFeedbackRoleArn")),
        failure_feedback_role_arn: text(&format!("{prefix}FailureFeedbackRoleArn")),
        success_feedback_sample_rate: text(&format!("{prefix}SuccessFeedbackSampleRate")),
    });
    let size = text("MaximumMessageSize").and_then(|size| size.parse().ok());
    Topic {
        topic_name: arn.rsplit(':').next().map(str::to_owned),
        display_name: text("DisplayName").unwrap_or_default(),
        fifo_topic: is("FifoTopic"),
        content_based_deduplication: is("ContentBasedDeduplication"),
        fifo_throughput_scope: text("FifoThroughputScope"),
        archive_policy: text("ArchivePolicy")
            .and_then(|text| serde_json::from_str(&text).ok())
            .and_then(archive_policy),
        delivery_status_logging: logging.into(),
        kms_master_key_id: text("KmsMasterKeyId"),
        maximum_message_size: size.unwrap_or(default.maximum_message_size),
        signature_version: text("SignatureVersion").unwrap_or(default.signature_version.clone()),
        tracing_config: text("TracingConfig").unwrap_or(default.tracing_config.clone()),
        ..default
    }
}

/// An empty policy is none. The service writes the days as a text.
fn archive_policy(policy: Value) -> Option<Value> {
    let Value::Object(fields) = policy else { return Some(policy) };
    let days_as_text = |(key, value): (String, Value)| match value {
        Value::Number(days) => (key, Value::String(days.to_string())),
        value => (key, value),
    };
    (!fields.is_empty()).then(|| fields.into_iter().map(days_as_text).collect())
}

fn arn_of(cx: &Context, topic: &Topic) -> String {
    cx.scope.arn("sns", topic.topic_name.as_deref().unwrap_or_default())
}

fn attributes_of(arn: &str, name: &str) -> Attributes {
    referred(arn, [("TopicArn", arn.to_owned()), ("TopicName", name.to_owned())])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:sns:us-east-1:123456789012:orders";

    fn topic(properties: Value) -> Topic {
        let mut topic = serde_json::from_value(properties).unwrap();
        SnsTopic::complete(&mut topic);
        topic
    }

    /// What the service shows after every attribute has been set.
    fn shown_after(wanted: &Topic) -> Topic {
        let shown = attributes_to_set(wanted).into_iter().map(|it| (it.attribute, it.value));
        let kind = wanted.fifo_topic.then(|| ("FifoTopic".to_owned(), "true".to_owned()));
        let mut topic = topic_of(ARN, &shown.chain(kind).collect());
        SnsTopic::complete(&mut topic);
        topic
    }

    #[test]
    fn every_attribute_that_is_set_reads_back() {
        let wanted = topic(json!({
            "TopicName": "orders", "DisplayName": "Orders", "FifoTopic": true, "ArchivePolicy": {"MessageRetentionPeriod": 30},
            "DeliveryStatusLogging": [
                {"Protocol": "sqs", "FailureFeedbackRoleArn": "arn:f"},
                {"Protocol": "http/s", "SuccessFeedbackRoleArn": "arn:s", "SuccessFeedbackSampleRate": "10"},
            ],
        }));
        assert_eq!(shown_after(&wanted), wanted);
    }

    #[test]
    fn a_topic_that_nobody_set_anything_on_is_one_whose_template_is_silent() {
        let silent = topic(json!({"TopicName": "orders"}));
        assert_eq!(shown_after(&silent), silent);
        let mut untouched = topic_of(ARN, &HashMap::from([("DisplayName".to_owned(), String::new())]));
        SnsTopic::complete(&mut untouched);
        assert_eq!(untouched, silent);
    }

    #[test]
    fn a_log_of_deliveries_without_a_role_is_none() {
        let idle = json!({"DeliveryStatusLogging": [{"Protocol": "lambda", "SuccessFeedbackSampleRate": "0"}]});
        assert_eq!(topic(idle).delivery_status_logging, []);
    }
}
