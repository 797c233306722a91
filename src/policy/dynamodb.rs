//! Rules for tables.

use serde_json::Value;

use super::{Breach, Key, Level, On, Rule, Stack, broken_at, unless};
use crate::property_path::PropertyPath;
use crate::resolved::Subject;

pub const RULES: &[Rule] = &[
    Rule {
        id: "table-encryption",
        level: Level::Mandatory,
        demand: "Every table is encrypted with a key as `[policy.encryption]` asks for",
        reason: "with DynamoDB's own key nobody sees in CloudTrail who used it (PCI DSS 3.5)",
        fix: "set `SSESpecification: { SSEEnabled: true }`",
        on: On::Types(&[TABLES]),
        breaches: encryption,
        kept_by: "
Orders:
  Type: AWS::DynamoDB::Table
  Properties:
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
    KeySchema: [{ AttributeName: id, KeyType: HASH }]
    SSESpecification: { SSEEnabled: true }",
        broken_by: PLAIN,
    },
    Rule {
        id: "table-pitr",
        level: Level::Mandatory,
        demand: "Every table has point-in-time recovery",
        reason: "without it a wrong write or delete is final",
        fix: "set `PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }`",
        on: On::Types(&[TABLES]),
        breaches: recovery,
        kept_by: "
Orders:
  Type: AWS::DynamoDB::Table
  Properties:
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
    KeySchema: [{ AttributeName: id, KeyType: HASH }]
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }",
        broken_by: PLAIN,
    },
    Rule {
        id: "table-on-demand",
        level: Level::Mandatory,
        demand: "Every table is billed on demand",
        reason: "a peak beyond what was provisioned is throttled, and a payment with it",
        fix: "set `BillingMode: PAY_PER_REQUEST`",
        on: On::Types(&[TABLES]),
        breaches: billing,
        kept_by: PLAIN,
        broken_by: "
Orders:
  Type: AWS::DynamoDB::Table
  Properties:
    ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 5 }
    AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
    KeySchema: [{ AttributeName: id, KeyType: HASH }]",
    },
];

pub const TABLE: &str = "AWS::DynamoDB::Table";
pub const GLOBAL_TABLE: &str = "AWS::DynamoDB::GlobalTable";
pub const TABLES: &[&str] = &[TABLE, GLOBAL_TABLE];

const PLAIN: &str = "
Orders:
  Type: AWS::DynamoDB::Table
  Properties:
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
    KeySchema: [{ AttributeName: id, KeyType: HASH }]";

/// A property of a table; of a global table, what is said of its one replica is said there.
pub fn said<'a>(table: &'a Value, property: &str) -> (PropertyPath, &'a Value) {
    let own = (PropertyPath::of(property), &table[property]);
    let at_replica = (PropertyPath::of("Replicas").index(0).key(property), &table["Replicas"][0][property]);
    if own.1.is_null() && !at_replica.1.is_null() { at_replica } else { own }
}

fn encryption(table: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let encryption = &table.declared["SSESpecification"];
    let is_on = encryption["SSEEnabled"] == true || encryption["SSEEnabled"] == "true";
    let of_replica = &table.declared["Replicas"][0]["SSESpecification"];
    let mut keys = [encryption, of_replica].into_iter().filter_map(|it| it["KMSMasterKeyId"].as_str());
    let has_key = keys.any(|key| !super::sqs::is_awss_own(key));
    match stack.policy.settings.encryption.tables {
        Key::Service => Vec::new(),
        Key::Managed => unless(is_on, || broken_at("SSESpecification", "is encrypted with DynamoDB's own key only")),
        Key::Customer => unless(is_on && has_key, || {
            broken_at("SSESpecification", "is not encrypted with a key of the account's own")
        }),
    }
}

fn recovery(table: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let (at, recovery) = said(table.properties, "PointInTimeRecoverySpecification");
    let is_on = recovery["PointInTimeRecoveryEnabled"] == true;
    unless(is_on, || vec![Breach { at, what: "has no point-in-time recovery".to_owned() }])
}

fn billing(table: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let is_on_demand = table.properties["BillingMode"] == "PAY_PER_REQUEST";
    unless(is_on_demand, || broken_at("BillingMode", "has a provisioned capacity"))
}
