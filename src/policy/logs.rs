//! Rules for log groups.

use super::{Breach, Key, Level, On, Rule, Stack, broken_at, unless};
use crate::resolved::Subject;

pub const RULES: &[Rule] = &[
    Rule {
        id: "log-retention",
        level: Level::Mandatory,
        demand: "Every log group says for how long it keeps its logs",
        reason: "without it logs are kept, and paid for, for ever",
        fix: "set `RetentionInDays`",
        on: On::Type(LOG_GROUP),
        breaches: retention,
        kept_by: "Logs: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: 30 } }",
        broken_by: "Logs: { Type: AWS::Logs::LogGroup }",
    },
    Rule {
        id: "log-encryption",
        level: Level::Mandatory,
        demand: "Every log group is encrypted with a key as `[policy.encryption]` asks for",
        reason: "CloudWatch Logs encrypts with a key of its own; who may read is then decided by IAM alone",
        fix: "set `KmsKeyId` to a key whose policy lets CloudWatch Logs use it",
        on: On::Type(LOG_GROUP),
        breaches: encryption,
        kept_by: "
Logs:
  Type: AWS::Logs::LogGroup
  Properties:
    KmsKeyId: arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        broken_by: "Logs: { Type: AWS::Logs::LogGroup }",
    },
];

const LOG_GROUP: &str = "AWS::Logs::LogGroup";

fn retention(group: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let is_set = !group.properties["RetentionInDays"].is_null();
    unless(is_set, || broken_at("RetentionInDays", "keeps its logs for ever"))
}

fn encryption(group: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    // AWS manages no key for log groups: there is the service's own, or one of the account's.
    let is_asked_for = stack.policy.settings.encryption.log_groups == Key::Customer;
    let has_key = !group.properties["KmsKeyId"].is_null();
    unless(has_key || !is_asked_for, || broken_at("KmsKeyId", "is not encrypted with a key of the account's own"))
}
