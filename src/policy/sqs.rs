//! Rules for queues.

use serde_json::Value;

use super::statements::denies_plain_text;
use super::{Breach, Key, Level, On, Rule, Stack, broken, broken_at, unless};
use crate::resolved::Subject;

pub const RULES: &[Rule] = &[
    Rule {
        id: "queue-encryption",
        level: Level::Mandatory,
        demand: "Every queue is encrypted with a key as `[policy.encryption]` asks for",
        reason: "messages hold payment data while they wait",
        fix: "set `SqsManagedSseEnabled: true`, or `KmsMasterKeyId`",
        on: On::Type(QUEUE),
        breaches: encryption,
        kept_by: "Orders: { Type: AWS::SQS::Queue, Properties: { SqsManagedSseEnabled: true } }",
        broken_by: "Orders: { Type: AWS::SQS::Queue, Properties: { SqsManagedSseEnabled: false } }",
    },
    Rule {
        id: "queue-dlq",
        level: Level::Mandatory,
        demand: "Every queue has a dead-letter queue, or is one",
        reason: "a message that always fails would be tried until it is too old, and then be lost",
        fix: "set `RedrivePolicy` with `deadLetterTargetArn` and `maxReceiveCount`",
        on: On::Type(QUEUE),
        breaches: dead_letters,
        kept_by: "
Orders:
  Type: AWS::SQS::Queue
  Properties:
    RedrivePolicy: { deadLetterTargetArn: !GetAtt Failed.Arn, maxReceiveCount: 3 }
Failed: { Type: AWS::SQS::Queue, Properties: { MessageRetentionPeriod: 1209600 } }",
        broken_by: "Orders: { Type: AWS::SQS::Queue }",
    },
    Rule {
        id: "dlq-retention",
        level: Level::Mandatory,
        demand: "A dead-letter queue keeps its messages for 14 days",
        reason: "a dead letter keeps the age of the message, and what nobody looks at in time is lost",
        fix: "set `MessageRetentionPeriod: 1209600`",
        on: On::Type(QUEUE),
        breaches: retention,
        kept_by: "
Orders:
  Type: AWS::SQS::Queue
  Properties:
    RedrivePolicy: { deadLetterTargetArn: !GetAtt Failed.Arn, maxReceiveCount: 3 }
Failed: { Type: AWS::SQS::Queue, Properties: { MessageRetentionPeriod: 1209600 } }",
        broken_by: "
Orders:
  Type: AWS::SQS::Queue
  Properties:
    RedrivePolicy: { deadLetterTargetArn: !GetAtt Failed.Arn, maxReceiveCount: 3 }
Failed: { Type: AWS::SQS::Queue, Properties: { MessageRetentionPeriod: 345600 } }",
    },
    Rule {
        id: "queue-tls",
        level: Level::Mandatory,
        demand: "Every queue has a policy that denies what comes without TLS",
        reason: "payment data crosses no network in plain text (PCI DSS 4.2)",
        fix: "add an `AWS::SQS::QueuePolicy` that denies `sqs:*` where `aws:SecureTransport` is `false`",
        on: On::Type(QUEUE),
        breaches: tls,
        kept_by: "
Orders: { Type: AWS::SQS::Queue }
OrdersPolicy:
  Type: AWS::SQS::QueuePolicy
  Properties:
    Queues: [!Ref Orders]
    PolicyDocument:
      Version: '2012-10-17'
      Statement:
        - Effect: Deny
          Principal: '*'
          Action: sqs:*
          Resource: !GetAtt Orders.Arn
          Condition: { Bool: { aws:SecureTransport: 'false' } }",
        broken_by: "Orders: { Type: AWS::SQS::Queue }",
    },
];

const QUEUE: &str = "AWS::SQS::Queue";

/// The longest that SQS keeps a message ("Amazon SQS message quotas").
const FOURTEEN_DAYS: u64 = 1_209_600;

fn encryption(queue: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let key = queue.properties["KmsMasterKeyId"].as_str();
    let is_customers = key.is_some_and(|key| !is_awss_own(key));
    match stack.policy.settings.encryption.queues {
        Key::Service => Vec::new(),
        Key::Managed => {
            let is_encrypted = key.is_some() || queue.properties["SqsManagedSseEnabled"] == true;
            unless(is_encrypted, || broken_at("SqsManagedSseEnabled", "is not encrypted"))
        }
        Key::Customer => {
            unless(is_customers, || broken_at("KmsMasterKeyId", "is not encrypted with a key of the account's own"))
        }
    }
}

/// Whether a key is one that AWS manages: `alias/aws/sqs`.
pub fn is_awss_own(key: &str) -> bool {
    key.contains("alias/aws/")
}

fn dead_letters(queue: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let has_one = !queue.properties["RedrivePolicy"].is_null();
    unless(has_one || takes_dead_letters(queue, stack), || broken("has no dead-letter queue"))
}

fn retention(queue: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let seconds = queue.properties["MessageRetentionPeriod"].as_u64();
    let is_long = seconds.is_none_or(|seconds| seconds >= FOURTEEN_DAYS);
    unless(is_long || !takes_dead_letters(queue, stack), || {
        let days = seconds.unwrap_or_default() / 86_400;
        broken_at("MessageRetentionPeriod", format!("takes dead letters and keeps them for {days} days"))
    })
}

/// Whether another queue, a function or a subscription sends here what it could not deliver.
fn takes_dead_letters(queue: &Subject<'_>, stack: &Stack<'_>) -> bool {
    let target = |subject: &Subject<'_>| match subject.resource_type() {
        "AWS::SQS::Queue" | "AWS::SNS::Subscription" => {
            subject.properties["RedrivePolicy"]["deadLetterTargetArn"].clone()
        }
        "AWS::Lambda::Function" => subject.properties["DeadLetterConfig"]["TargetArn"].clone(),
        "AWS::Lambda::EventSourceMapping" | "AWS::Lambda::EventInvokeConfig" => {
            subject.properties["DestinationConfig"]["OnFailure"]["Destination"].clone()
        }
        _ => Value::Null,
    };
    stack.subjects().any(|subject| queue.is_among(&target(&subject)))
}

fn tls(queue: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let is_denied = stack.subjects().any(|policy| {
        let queues = match policy.resource_type() {
            "AWS::SQS::QueuePolicy" => &policy.declared["Queues"],
            "AWS::SQS::QueueInlinePolicy" => &policy.declared["Queue"],
            _ => return false,
        };
        queue.is_among(queues) && denies_plain_text(&policy.declared["PolicyDocument"])
    });
    unless(is_denied, || broken("has no policy that denies what comes without TLS"))
}
