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
