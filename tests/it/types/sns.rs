use std::sync::Arc;

use paystack::apply::{Done, Work};
use paystack::aws::clock::SystemClock;
use paystack::aws::{Context, Packages};
use paystack::change::Changes;
use paystack::identity::{LogicalId, PhysicalId, ResourceType, StackId};
use paystack::resource::{Owner, Resource, row};
use serde_json::{Value, json};

use crate::conformance::{Case, check, connection, does, makes, resource, with};

#[tokio::test]
async fn sns_topic() {
    let role = "arn:aws:iam::123456789012:role/deliveries";
    check(Case {
        before: vec![resource("Queue", "AWS::SQS::Queue", json!({"QueueName": "orders"}))],
        subject: resource(
            "Topic",
            "AWS::SNS::Topic",
            json!({
                "TopicName": "orders",
                "DisplayName": "Orders",
                "KmsMasterKeyId": "alias/aws/sns",
                "TracingConfig": "Active",
                "SignatureVersion": "2",
                "DataProtectionPolicy": {"Name": "none", "Version": "2021-06-01", "Statement": []},
                "DeliveryStatusLogging": [
                    {"Protocol": "sqs", "SuccessFeedbackRoleArn": role, "SuccessFeedbackSampleRate": "50"},
                    {"Protocol": "http/s", "FailureFeedbackRoleArn": role},
                ],
                "Subscription": [
                    {"Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]}},
                    {"Protocol": "email", "Endpoint": "me@example.org"},
                ],
                "Tags": [{"Key": "Owner", "Value": "me"}],
            }),
        ),
        updates: vec![
            json!({
                "TopicName": "orders",
                "MaximumMessageSize": 65536,
                "DeliveryStatusLogging": [{"Protocol": "sqs", "FailureFeedbackRoleArn": role}],
                "Subscription": [{"Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]}}],
                "Tags": [{"Key": "Owner", "Value": "you"}, {"Key": "Env", "Value": "dev"}],
            }),
            json!({"TopicName": "orders", "Subscription": [{"Protocol": "email", "Endpoint": "you@example.org"}]}),
            json!({"TopicName": "orders"}),
        ],
    })
    .await;
}

#[tokio::test]
async fn sns_fifo_topic() {
    let topic = |more: Value| with(json!({"TopicName": "orders.fifo", "FifoTopic": true}), more);
    check(Case {
        before: vec![],
        subject: resource(
            "Topic",
            "AWS::SNS::Topic",
            topic(json!({"ContentBasedDeduplication": true, "ArchivePolicy": {"MessageRetentionPeriod": 30}})),
        ),
        updates: vec![
            topic(json!({"FifoThroughputScope": "MessageGroup", "ArchivePolicy": {"MessageRetentionPeriod": "7"}})),
            topic(json!({})),
        ],
    })
    .await;
}

#[tokio::test]
async fn sns_subscription() {
    let subscription = |more: Value| {
        with(
            json!({
                "TopicArn": {"Ref": "Topic"}, "Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
            }),
            more,
        )
    };
    check(Case {
        before: vec![
            resource("Topic", "AWS::SNS::Topic", json!({"TopicName": "orders"})),
            resource("Queue", "AWS::SQS::Queue", json!({"QueueName": "orders"})),
            resource("Dlq", "AWS::SQS::Queue", json!({"QueueName": "orders-dlq"})),
        ],
        subject: resource(
            "Subscription",
            "AWS::SNS::Subscription",
            subscription(json!({
                "RawMessageDelivery": true,
                "FilterPolicy": {"provider": ["stripe"]},
                "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dlq", "Arn"]}},
            })),
        ),
        updates: vec![
            subscription(json!({
                "FilterPolicy": {"event": {"kind": ["paid", "refunded"]}}, "FilterPolicyScope": "MessageBody",
            })),
            subscription(json!({"FilterPolicy": {"provider": ["stripe", "adyen"]}})),
            subscription(json!({})),
        ],
    })
    .await;
}

#[tokio::test]
async fn a_subscription_that_waits_for_its_confirmation_is_there_and_goes_with_its_topic() {
    let cx = Arc::new(Context::new(&connection().await, Packages::new(), Arc::new(SystemClock::start())));
    let handler = |resource_type: &str| row(&ResourceType::from(resource_type)).expect("it is in the table").handler;
    let (topics, subscriptions) = (handler("AWS::SNS::Topic"), handler("AWS::SNS::Subscription"));
    let owner = Owner { stack: StackId::from("it"), resource: LogicalId::from("Letters") };
    let topic = create(&cx, topics, &owner, json!({"TopicName": "letters"})).await;
    let wanted = json!({
        "TopicArn": topic, "Protocol": "email", "Endpoint": "me@example.org", "FilterPolicy": {"provider": ["stripe"]},
    });
    let wanted = subscriptions.canonical(&wanted).expect("it fits");
    let made = create(&cx, subscriptions, &owner, wanted.clone()).await;
    let live = subscriptions.read(&cx, &made).await.expect("read").expect("it is there");
    assert_eq!(live.properties, wanted, "what is filtered is seen by the one who has its ARN");
    let found = subscriptions.find(&cx, &owner, &wanted).await.expect("find").expect("it is found");
    let live = subscriptions.read(&cx, &found).await.expect("read").expect("it is there");
    assert_eq!(live.properties["Endpoint"], "me@example.org");
    assert_eq!(create(&cx, subscriptions, &owner, wanted).await, found, "nobody gets a second letter");
    let raw = json!({"TopicArn": topic, "Protocol": "email", "Endpoint": "me@example.org", "RawMessageDelivery": true});
    let raw = subscriptions.canonical(&raw).expect("it fits");
    let changes = Changes::between(&live.properties, &raw);
    let resource_type = ResourceType::from("AWS::SNS::Subscription");
    let update = Work::Update { owner, resource_type, id: found.clone(), wanted: raw, changes };
    let updated = does(&cx, &update, Some(live)).await;
    assert!(
        matches!(&updated, Done::Updated { id, .. } if *id == made),
        "asked once more, its ARN is known: {updated:?}"
    );
    subscriptions.delete(&cx, &made).await.expect("what cannot be taken back is left to lapse");
    subscriptions.delete(&cx, &found).await.expect("by any identifier");
    topics.delete(&cx, &topic).await.expect("delete");
    assert_eq!(subscriptions.read(&cx, &found).await.expect("read"), None);
}

async fn create(cx: &Context, handler: &dyn Resource, owner: &Owner, properties: Value) -> PhysicalId {
    let wanted = handler.canonical(&properties).expect("it fits");
    makes(handler, cx, owner, &wanted).await.expect("create").id
}

#[tokio::test]
async fn sns_topic_policy() {
    let allow = |service: &str| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": service}, "Action": ["sns:Publish"], "Resource": "*",
        }]})
    };
    check(Case {
        before: vec![
            resource("Alerts", "AWS::SNS::Topic", json!({"TopicName": "alerts"})),
            resource("Orders", "AWS::SNS::Topic", json!({"TopicName": "orders"})),
        ],
        subject: resource(
            "Policy",
            "AWS::SNS::TopicPolicy",
            json!({"Topics": [{"Ref": "Alerts"}], "PolicyDocument": allow("events.amazonaws.com")}),
        ),
        updates: vec![
            json!({"Topics": [{"Ref": "Orders"}, {"Ref": "Alerts"}], "PolicyDocument": allow("s3.amazonaws.com")}),
            json!({"Topics": [{"Ref": "Orders"}], "PolicyDocument": allow("s3.amazonaws.com")}),
        ],
    })
    .await;
}

#[tokio::test]
async fn sns_topic_inline_policy() {
    let policy = |service: &str| {
        json!({
            "TopicArn": {"Ref": "Topic"},
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                    "Action": "sns:Publish",
                    "Resource": {"Ref": "Topic"},
                },
            },
        })
    };
    check(Case {
        before: vec![resource("Topic", "AWS::SNS::Topic", json!({"TopicName": "orders"}))],
        subject: resource("Policy", "AWS::SNS::TopicInlinePolicy", policy("cloudwatch.amazonaws.com")),
        updates: vec![policy("events.amazonaws.com")],
    })
    .await;
}
