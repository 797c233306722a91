//! Rules for topics.

use super::sqs::is_awss_own;
use super::statements::denies_plain_text;
use super::{Breach, Key, Level, On, Rule, Stack, broken, broken_at, unless};
use crate::resolved::Subject;

pub const RULES: &[Rule] = &[
    Rule {
        id: "topic-encryption",
        level: Level::Mandatory,
        demand: "Every topic is encrypted with a key as `[policy.encryption]` asks for",
        reason: "a notification may hold payment data while it is delivered",
        fix: "set `KmsMasterKeyId`; `alias/aws/sns` does where no other service of AWS publishes",
        on: On::Type(TOPIC),
        breaches: encryption,
        kept_by: "Alerts: { Type: AWS::SNS::Topic, Properties: { KmsMasterKeyId: alias/aws/sns } }",
        broken_by: "Alerts: { Type: AWS::SNS::Topic }",
    },
    Rule {
        id: "topic-tls",
        level: Level::Mandatory,
        demand: "Every topic has a policy that denies what is published without TLS",
        reason: "payment data crosses no network in plain text (PCI DSS 4.2)",
        fix: "add an `AWS::SNS::TopicPolicy` that denies `sns:Publish` where `aws:SecureTransport` is `false`",
        on: On::Type(TOPIC),
        breaches: tls,
        kept_by: "
Alerts: { Type: AWS::SNS::Topic }
AlertsPolicy:
  Type: AWS::SNS::TopicPolicy
  Properties:
    Topics: [!Ref Alerts]
    PolicyDocument:
      Version: '2012-10-17'
      Statement:
        - Effect: Deny
          Principal: '*'
          Action: sns:Publish
          Resource: !Ref Alerts
          Condition: { Bool: { aws:SecureTransport: 'false' } }",
        broken_by: "Alerts: { Type: AWS::SNS::Topic }",
    },
];

const TOPIC: &str = "AWS::SNS::Topic";

fn encryption(topic: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let key = topic.properties["KmsMasterKeyId"].as_str();
    match stack.policy.settings.encryption.topics {
        Key::Service => Vec::new(),
        Key::Managed => unless(key.is_some(), || broken_at("KmsMasterKeyId", "is not encrypted")),
        Key::Customer => unless(key.is_some_and(|key| !is_awss_own(key)), || {
            broken_at("KmsMasterKeyId", "is not encrypted with a key of the account's own")
        }),
    }
}

fn tls(topic: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let is_denied = stack.subjects().any(|policy| {
        let topics = match policy.resource_type() {
            "AWS::SNS::TopicPolicy" => &policy.declared["Topics"],
            "AWS::SNS::TopicInlinePolicy" => &policy.declared["TopicArn"],
            _ => return false,
        };
        topic.is_among(topics) && denies_plain_text(&policy.declared["PolicyDocument"])
    });
    unless(is_denied, || broken("has no policy that denies what is published without TLS"))
}
