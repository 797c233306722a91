//! `AWS::SNS::Subscription`. Found by topic, protocol and endpoint, which replace it. It cannot carry a mark.
//!
//! One that waits for somebody to confirm it (e-mail, HTTP, other accounts) is there and no drift. Lists do not tell its ARN:
//! where only they are left to ask, its identifier is `pending|topic|protocol|endpoint`, and all that it filters stays unseen. It
//! cannot be deleted and lapses by itself. See "SNS" in the behaviour notes.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::sns::{PENDING, is_there_already, subscriptions_of};
use crate::resource::{Attributes, Handler, Live, Made, Owner, json_text, left_to_change, referred};

pub struct SnsSubscription;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Subscription {
    pub topic_arn: String,
    pub protocol: String,
    pub endpoint: Option<String>,
    #[serde(deserialize_with = "json_text::deserialize")]
    pub filter_policy: Option<Value>,
    /// The service has one only with a filter policy.
    pub filter_policy_scope: Option<String>,
    pub raw_message_delivery: bool,
    #[serde(deserialize_with = "json_text::deserialize")]
    pub delivery_policy: Option<Value>,
    #[serde(deserialize_with = "json_text::deserialize")]
    pub redrive_policy: Option<Value>,
    #[serde(deserialize_with = "json_text::deserialize")]
    pub replay_policy: Option<Value>,
    /// The role that delivers to Firehose.
    pub subscription_role_arn: Option<String>,
}

impl Handler for SnsSubscription {
    const TYPE: &'static str = "AWS::SNS::Subscription";
    const FOUND_BY: &'static [&'static str] = &["TopicArn", "Protocol", "Endpoint"];
    const REFUSED: &'static [(&'static str, &'static str)] = &[(
        "Region",
        "a stack lives in one region: leave it out where the topic is in the stack's own, or subscribe in a project of the \
         topic's region",
    )];
    const PART_OF: &'static [&'static str] = &["TopicArn"];
    type Properties = Subscription;

    fn complete(subscription: &mut Subscription) {
        let no_policy = |policy: &mut Value| policy.as_object().is_some_and(serde_json::Map::is_empty);
        subscription.filter_policy.take_if(no_policy);
        subscription.redrive_policy.take_if(no_policy);
        subscription.replay_policy.take_if(no_policy);
        subscription.delivery_policy.as_mut().map(drop_unset);
        subscription.delivery_policy.take_if(no_policy);
        match subscription.filter_policy {
            Some(_) => drop(subscription.filter_policy_scope.get_or_insert_with(|| ATTRIBUTES.to_owned())),
            None => subscription.filter_policy_scope = None,
        }
    }

    /// The ARN has an identifier in it that only the service can give.
    fn predict(_scope: &Scope, _subscription: &Subscription) -> Attributes {
        Attributes::new()
    }

    async fn find(cx: &Context, _owner: &Owner, subscription: &Subscription) -> Result<Option<PhysicalId>, AwsError> {
        let Subscription { topic_arn, protocol, endpoint, .. } = subscription;
        Ok(match listed(cx, topic_arn, protocol, endpoint.as_deref().unwrap_or_default()).await? {
            Some(Listed::Confirmed(arn)) => Some(PhysicalId::from(arn)),
            Some(Listed::Pending) => Some(pending_id(subscription)),
            None => None,
        })
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Subscription>>, AwsError> {
        let Some([topic, protocol, endpoint]) = pending(id) else { return read_confirmed(cx, id.as_str()).await };
        match listed(cx, topic, protocol, endpoint).await? {
            Some(Listed::Confirmed(arn)) => read_confirmed(cx, &arn).await,
            Some(Listed::Pending) => {
                let subscription = Subscription {
                    topic_arn: topic.to_owned(),
                    protocol: protocol.to_owned(),
                    endpoint: Some(endpoint.to_owned()),
                    ..Subscription::default()
                };
                Ok(Some(Live::unmarkable(subscription, attributes_of(PENDING))))
            }
            None => Ok(None),
        }
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        subscription: &Subscription,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => match subscribe(cx, subscription, initial_attributes(subscription)).await {
                // One that a run before this has made, and that was not listed yet.
                Err(error) if is_there_already(&error) => {
                    let look = || Self::find(cx, owner, subscription);
                    cx.until(LIST, "the subscription to show", Patience::seconds(60), look).await?
                }
                made => {
                    let arn = made?;
                    return Ok(Made { attributes: attributes_of(&arn), id: PhysicalId::from(arn) });
                }
            },
        };
        let live = Self::read(cx, &id).await?.ok_or_else(|| AwsError::missing(LIST, "Subscriptions"))?;
        // Asking again for one that is pending would send another letter to a person.
        if pending(&id).is_none() {
            Self::update(cx, owner, &id, subscription, &left_to_change::<Self>(&live, subscription)).await?;
        }
        Ok(Made { id, attributes: live.attributes })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        subscription: &Subscription,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let arn = arn_of(cx, id, subscription).await?;
        for (attribute, value) in settings(subscription).into_iter().filter(|(attribute, _)| changes.touch(attribute)) {
            let set = cx.sns.set_subscription_attributes().subscription_arn(&arn).attribute_name(attribute);
            set.attribute_value(value).send().await.during("sns.SetSubscriptionAttributes")?;
        }
        Ok(PhysicalId::from(arn))
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let arn = match pending(id) {
            None => id.as_str().to_owned(),
            Some([topic, protocol, endpoint]) => match listed(cx, topic, protocol, endpoint).await? {
                Some(Listed::Confirmed(arn)) => arn,
                Some(Listed::Pending) | None => return Ok(()),
            },
        };
        match cx.sns.unsubscribe().subscription_arn(&arn).send().await.during("sns.Unsubscribe") {
            Err(error) if error.says("InvalidParameter", "pending confirmation") => return Ok(()),
            answer => gone_is_fine(answer)?,
        }
        cx.until("sns.GetSubscriptionAttributes", "the subscription to be gone", Patience::seconds(60), || async {
            Ok(read_confirmed(cx, &arn).await?.is_none().then_some(()))
        })
        .await
    }
}

const LIST: &str = "sns.ListSubscriptionsByTopic";

/// The scope of a filter policy that does not name one.
const ATTRIBUTES: &str = "MessageAttributes";

/// A subscription as lists show it.
enum Listed {
    Confirmed(String),
    Pending,
}

async fn listed(cx: &Context, topic: &str, protocol: &str, endpoint: &str) -> Result<Option<Listed>, AwsError> {
    let all = subscriptions_of(cx, topic).await?;
    let mut matching = all.iter().filter(|it| it.protocol() == Some(protocol) && it.endpoint() == Some(endpoint));
    Ok(matching.next().and_then(|it| it.subscription_arn()).map(|arn| match arn {
        PENDING => Listed::Pending,
        arn => Listed::Confirmed(arn.to_owned()),
    }))
}

async fn read_confirmed(cx: &Context, arn: &str) -> Result<Option<Live<Subscription>>, AwsError> {
    let answer = cx.sns.get_subscription_attributes().subscription_arn(arn).send().await;
    let Some(answer) = found("sns.GetSubscriptionAttributes", answer)? else { return Ok(None) };
    let shown = answer.attributes.unwrap_or_default();
    Ok(Some(Live::unmarkable(subscription_of(&shown), attributes_of(arn))))
}

/// Gives the ARN also of a subscription that has yet to be confirmed.
async fn subscribe(
    cx: &Context,
    subscription: &Subscription,
    attributes: HashMap<String, String>,
) -> Result<String, AwsError> {
    let Subscription { topic_arn, protocol, endpoint, .. } = subscription;
    let subscribe = cx.sns.subscribe().topic_arn(topic_arn).protocol(protocol).set_endpoint(endpoint.clone());
    let attributes = (!attributes.is_empty()).then_some(attributes);
    let answer = subscribe.set_attributes(attributes).return_subscription_arn(true).send().await;
    let arn = answer.during("sns.Subscribe")?.subscription_arn;
    arn.ok_or_else(|| AwsError::missing("sns.Subscribe", "SubscriptionArn"))
}

/// Asking once more is the only way to the ARN of a pending subscription that nobody kept.
async fn arn_of(cx: &Context, id: &PhysicalId, subscription: &Subscription) -> Result<String, AwsError> {
    let Some([topic, protocol, endpoint]) = pending(id) else { return Ok(id.as_str().to_owned()) };
    match listed(cx, topic, protocol, endpoint).await? {
        Some(Listed::Confirmed(arn)) => Ok(arn),
        Some(Listed::Pending) => subscribe(cx, subscription, HashMap::new()).await,
        None => {
            Err(AwsError::new(LIST, ErrorClass::NotFound, "the subscription was not confirmed in time and is gone"))
        }
    }
}

fn pending_id(subscription: &Subscription) -> PhysicalId {
    let Subscription { topic_arn, protocol, endpoint, .. } = subscription;
    PhysicalId::join(["pending", topic_arn, protocol, endpoint.as_deref().unwrap_or_default()])
}

/// Whether a subscription waited for its confirmation when it was given its identifier.
pub(crate) fn is_pending(id: &PhysicalId) -> bool {
    pending(id).is_some()
}

/// Topic, protocol and endpoint of a pending subscription; the endpoint may have anything in it.
fn pending(id: &PhysicalId) -> Option<[&str; 3]> {
    let parts = id.as_str().strip_prefix("pending|")?;
    parts.splitn(3, '|').collect::<Vec<_>>().try_into().ok()
}

/// Every attribute with the text that sets it, or resets it where the template leaves it out, in the order in which the
/// service takes them: a policy for bodies needs that scope, and one for attributes needs the other one.
fn settings(subscription: &Subscription) -> Vec<(&'static str, String)> {
    let json = |policy: &Option<Value>, none: &str| policy.as_ref().map_or_else(|| none.to_owned(), Value::to_string);
    let scope = subscription.filter_policy_scope.clone().unwrap_or_else(|| ATTRIBUTES.to_owned());
    let policy = ("FilterPolicy", json(&subscription.filter_policy, "{}"));
    let filter = match scope.as_str() {
        ATTRIBUTES => [policy, ("FilterPolicyScope", scope)],
        _ => [("FilterPolicyScope", scope), policy],
    };
    let rest = [
        ("RawMessageDelivery", subscription.raw_message_delivery.to_string()),
        ("DeliveryPolicy", json(&subscription.delivery_policy, "")),
        ("RedrivePolicy", json(&subscription.redrive_policy, "")),
        ("ReplayPolicy", json(&subscription.replay_policy, "")),
        ("SubscriptionRoleArn", subscription.subscription_role_arn.clone().unwrap_or_default()),
    ];
    filter.into_iter().chain(rest).collect()
}

/// The attributes that a new subscription needs because it differs from one that the template says nothing of.
fn initial_attributes(subscription: &Subscription) -> HashMap<String, String> {
    let silent = settings(&Subscription::default());
    let differing = settings(subscription).into_iter().filter(|setting| !silent.contains(setting));
    differing.map(|(attribute, value)| (attribute.to_owned(), value)).collect()
}

fn subscription_of(shown: &HashMap<String, String>) -> Subscription {
    let text = |attribute: &str| shown.get(attribute).filter(|text| !text.is_empty()).cloned();
    let json = |attribute: &str| text(attribute).and_then(|text| serde_json::from_str(&text).ok());
    Subscription {
        topic_arn: text("TopicArn").unwrap_or_default(),
        protocol: text("Protocol").unwrap_or_default(),
        endpoint: text("Endpoint"),
        filter_policy: json("FilterPolicy"),
        filter_policy_scope: text("FilterPolicyScope"),
        raw_message_delivery: text("RawMessageDelivery").as_deref() == Some("true"),
        delivery_policy: json("DeliveryPolicy"),
        redrive_policy: json("RedrivePolicy"),
        replay_policy: json("ReplayPolicy"),
        subscription_role_arn: text("SubscriptionRoleArn"),
    }
}

/// The service fills a delivery policy up with nulls, noughts and `false` for what nobody said.
fn drop_unset(policy: &mut Value) {
    let Value::Object(fields) = policy else { return };
    fields.values_mut().for_each(drop_unset);
    fields.retain(|_, value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::String(_) | Value::Array(_) => true,
    });
}

fn attributes_of(arn: &str) -> Attributes {
    referred(arn, [("Arn", arn.to_owned())])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn subscription(properties: Value) -> Subscription {
        let mut subscription = serde_json::from_value(properties).unwrap();
        SnsSubscription::complete(&mut subscription);
        subscription
    }

    fn order_of(subscription: &Subscription) -> Vec<&'static str> {
        settings(subscription).into_iter().map(|(attribute, _)| attribute).take(2).collect()
    }

    #[test]
    fn the_scope_comes_before_a_policy_for_bodies_and_after_one_for_attributes() {
        let body = subscription(json!({"FilterPolicy": {"a": {"b": ["x"]}}, "FilterPolicyScope": "MessageBody"}));
        assert_eq!(order_of(&body), ["FilterPolicyScope", "FilterPolicy"]);
        assert_eq!(order_of(&Subscription::default()), ["FilterPolicy", "FilterPolicyScope"]);
    }

    #[test]
    fn a_scope_without_a_policy_says_nothing() {
        assert_eq!(
            subscription(json!({"FilterPolicy": "{}", "FilterPolicyScope": "MessageBody"})),
            subscription(json!({}))
        );
    }

    #[test]
    fn a_new_subscription_is_told_only_what_its_template_says() {
        assert_eq!(initial_attributes(&subscription(json!({"Protocol": "sqs"}))), HashMap::new());
        let filtered = initial_attributes(&subscription(json!({"FilterPolicy": {"a": ["x"]}})));
        assert_eq!(filtered, HashMap::from([("FilterPolicy".to_owned(), r#"{"a":["x"]}"#.to_owned())]));
    }

    #[test]
    fn what_the_service_adds_to_a_delivery_policy_is_no_difference() {
        let written = json!({"DeliveryPolicy": {"healthyRetryPolicy": {"numRetries": 5}}});
        let answered = json!({"DeliveryPolicy": {
            "healthyRetryPolicy": {"numRetries": 5, "numNoDelayRetries": 0, "backoffFunction": null},
            "sicklyRetryPolicy": null, "throttlePolicy": null, "guaranteed": false,
        }});
        assert_eq!(subscription(written), subscription(answered));
    }

    #[test]
    fn the_identifier_of_a_pending_subscription_tells_what_it_is() {
        let wanted =
            subscription(json!({"TopicArn": "arn:t", "Protocol": "https", "Endpoint": "https://a.example/?x=1|2"}));
        assert_eq!(pending(&pending_id(&wanted)), Some(["arn:t", "https", "https://a.example/?x=1|2"]));
        assert_eq!(pending(&PhysicalId::from("arn:aws:sns:us-east-1:1:t:uuid")), None);
    }
}
