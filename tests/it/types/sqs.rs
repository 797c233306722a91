use serde_json::json;

use crate::conformance::{Case, check, resource};

#[tokio::test]
async fn sqs_queue() {
    check(Case {
        before: vec![resource("Dlq", "AWS::SQS::Queue", json!({"QueueName": "orders-dlq"}))],
        subject: resource(
            "Orders",
            "AWS::SQS::Queue",
            json!({
                "QueueName": "orders",
                "VisibilityTimeout": 60,
                "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dlq", "Arn"]}, "maxReceiveCount": 5},
                "Tags": [{"Key": "Owner", "Value": "me"}],
            }),
        ),
        updates: vec![
            json!({"QueueName": "orders", "VisibilityTimeout": 90, "MessageRetentionPeriod": 1_209_600}),
            json!({"QueueName": "orders", "KmsMasterKeyId": "alias/aws/sqs", "Tags": [{"Key": "Owner", "Value": "you"}]}),
            json!({"QueueName": "orders"}),
        ],
    })
    .await;
}

#[tokio::test]
async fn sqs_fifo_queue() {
    check(Case {
        before: vec![],
        subject: resource("Orders", "AWS::SQS::Queue", json!({"QueueName": "orders.fifo", "FifoQueue": true})),
        updates: vec![json!({"QueueName": "orders.fifo", "FifoQueue": true, "ContentBasedDeduplication": true})],
    })
    .await;
}

#[tokio::test]
async fn sqs_queue_policy() {
    let allow = |action: &str| {
        json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": "*", "Action": action, "Resource": {"Fn::GetAtt": ["Orders", "Arn"]},
            "Condition": {"Bool": {"aws:SecureTransport": true}},
        }})
    };
    check(Case {
        before: vec![
            resource("Orders", "AWS::SQS::Queue", json!({"QueueName": "orders"})),
            resource("Refunds", "AWS::SQS::Queue", json!({"QueueName": "refunds"})),
        ],
        subject: resource(
            "Policy",
            "AWS::SQS::QueuePolicy",
            json!({"Queues": [{"Ref": "Orders"}], "PolicyDocument": allow("SQS:SendMessage")}),
        ),
        updates: vec![
            json!({"Queues": [{"Ref": "Orders"}], "PolicyDocument": allow("sqs:ReceiveMessage")}),
            json!({"Queues": [{"Ref": "Refunds"}, {"Ref": "Orders"}], "PolicyDocument": allow("sqs:ReceiveMessage")}),
            json!({"Queues": [{"Ref": "Refunds"}], "PolicyDocument": allow("sqs:SendMessage")}),
        ],
    })
    .await;
}

#[tokio::test]
async fn sqs_queue_inline_policy() {
    let policy = |action: &str| {
        json!({
            "Queue": {"Ref": "Orders"},
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": action,
                    "Resource": {"Fn::GetAtt": ["Orders", "Arn"]},
                },
            },
        })
    };
    check(Case {
        before: vec![resource("Orders", "AWS::SQS::Queue", json!({"QueueName": "orders"}))],
        subject: resource("Policy", "AWS::SQS::QueueInlinePolicy", policy("sqs:SendMessage")),
        updates: vec![policy("sqs:*")],
    })
    .await;
}
