use serde_json::{Value, json};

use crate::conformance::{Case, check, resource, with};

const TABLE: &str = "AWS::DynamoDB::Table";

/// A table of sessions with these further properties.
fn sessions(attributes: &[&str], further: Value) -> Value {
    let definition = |name: &&str| json!({"AttributeName": name, "AttributeType": "S"});
    with(
        json!({
            "TableName": "sessions",
            "AttributeDefinitions": attributes.iter().map(definition).collect::<Vec<_>>(),
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        }),
        further,
    )
}

fn index(name: &str, attribute: &str, projection: Value) -> Value {
    let keys = json!([{"AttributeName": attribute, "KeyType": "HASH"}]);
    json!({"IndexName": name, "KeySchema": keys, "Projection": projection})
}

#[tokio::test]
async fn dynamodb_table_on_demand() {
    let on_demand = |attributes: &[&str], mut further: Value| {
        further["BillingMode"] = json!("PAY_PER_REQUEST");
        sessions(attributes, further)
    };
    check(Case {
        before: vec![],
        subject: resource(
            "Sessions",
            TABLE,
            on_demand(
                &["id", "at", "user", "unused"],
                json!({
                    "GlobalSecondaryIndexes": [
                        index("by-user", "user", json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "a"]})),
                    ],
                    "LocalSecondaryIndexes": [{
                        "IndexName": "by-local-user",
                        "KeySchema": [
                            {"AttributeName": "id", "KeyType": "HASH"},
                            {"AttributeName": "user", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }],
                    "DeletionProtectionEnabled": true,
                    "PointInTimeRecoverySpecification": {
                        "PointInTimeRecoveryEnabled": true,
                        "RecoveryPeriodInDays": 7,
                    },
                    "SSESpecification": {"SSEEnabled": true},
                    "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
                    "TableClass": "STANDARD_INFREQUENT_ACCESS",
                    "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": true},
                    "Tags": [{"Key": "Owner", "Value": "me"}, {"Key": "Old", "Value": "1"}],
                }),
            ),
        ),
        updates: vec![
            on_demand(
                &["id", "at", "user", "device"],
                json!({
                    "GlobalSecondaryIndexes": [
                        index("by-device", "device", json!({"ProjectionType": "ALL"})),
                        index("by-user", "user", json!({"ProjectionType": "KEYS_ONLY"})),
                    ],
                    "LocalSecondaryIndexes": [{
                        "IndexName": "by-local-user",
                        "KeySchema": [
                            {"AttributeName": "id", "KeyType": "HASH"},
                            {"AttributeName": "user", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }],
                    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true},
                    "SSESpecification": {
                        "SSEEnabled": true,
                        "SSEType": "KMS",
                        "KMSMasterKeyId": "arn:aws:kms:us-east-1:123456789012:key/0aa1f5a4-5c0e-4c4e-8a46-1d6c7a1f4f10",
                    },
                    "StreamSpecification": {"StreamViewType": "KEYS_ONLY"},
                    "TimeToLiveSpecification": {"AttributeName": "gone_at", "Enabled": true},
                    "Tags": [{"Key": "Owner", "Value": "you"}],
                }),
            ),
            on_demand(
                &["id", "at", "user"],
                json!({
                    "LocalSecondaryIndexes": [{
                        "IndexName": "by-local-user",
                        "KeySchema": [
                            {"AttributeName": "id", "KeyType": "HASH"},
                            {"AttributeName": "user", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }],
                }),
            ),
        ],
    })
    .await;
}

#[tokio::test]
async fn dynamodb_table_with_provisioned_capacity() {
    let capacity = |units: u32| json!({"ReadCapacityUnits": units, "WriteCapacityUnits": units});
    let by_user = |units: u32| {
        let mut index = index("by-user", "user", json!({"ProjectionType": "ALL"}));
        index["ProvisionedThroughput"] = capacity(units);
        index
    };
    check(Case {
        before: vec![],
        subject: resource(
            "Sessions",
            TABLE,
            sessions(
                &["id", "at", "user"],
                json!({"ProvisionedThroughput": capacity(1), "GlobalSecondaryIndexes": [by_user(1)]}),
            ),
        ),
        updates: vec![
            sessions(
                &["id", "at", "user"],
                json!({"ProvisionedThroughput": capacity(2), "GlobalSecondaryIndexes": [by_user(3)]}),
            ),
            sessions(
                &["id", "at", "user"],
                json!({
                    "BillingMode": "PAY_PER_REQUEST",
                    "GlobalSecondaryIndexes": [index("by-user", "user", json!({"ProjectionType": "ALL"}))],
                }),
            ),
            sessions(
                &["id", "at", "user"],
                json!({"ProvisionedThroughput": capacity(4), "GlobalSecondaryIndexes": [by_user(4)]}),
            ),
            sessions(&["id", "at"], json!({"ProvisionedThroughput": capacity(4)})),
        ],
    })
    .await;
}

#[tokio::test]
async fn dynamodb_table_with_a_policy() {
    let policy = |action: &str| {
        json!({
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
                    "Action": action,
                    "Resource": {"Fn::Sub": "arn:aws:dynamodb:us-east-1:${AWS::AccountId}:table/sessions"},
                }],
            },
        })
    };
    let table = |further: Value| {
        let mut table = sessions(&["id", "at"], further);
        table["BillingMode"] = json!("PAY_PER_REQUEST");
        table
    };
    check(Case {
        before: vec![],
        subject: resource("Sessions", TABLE, table(json!({"ResourcePolicy": policy("dynamodb:GetItem")}))),
        updates: vec![table(json!({"ResourcePolicy": policy("dynamodb:PutItem")})), table(json!({}))],
    })
    .await;
}

#[tokio::test]
async fn dynamodb_global_table_of_one_replica() {
    let table = |attributes: &[&str], further: Value, mut replica: Value| {
        replica["Region"] = json!("us-east-1");
        let mut table = sessions(attributes, further);
        table["BillingMode"] = json!("PAY_PER_REQUEST");
        table["Replicas"] = json!([replica]);
        table
    };
    check(Case {
        before: vec![],
        subject: resource(
            "Sessions",
            "AWS::DynamoDB::GlobalTable",
            table(
                &["id", "at", "user"],
                json!({
                    "GlobalSecondaryIndexes": [index("by-user", "user", json!({"ProjectionType": "KEYS_ONLY"}))],
                    "SSESpecification": {"SSEEnabled": true, "SSEType": "KMS"},
                    "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
                    "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": true},
                }),
                json!({
                    "DeletionProtectionEnabled": true,
                    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true},
                    "Tags": [{"Key": "Owner", "Value": "me"}],
                }),
            ),
        ),
        updates: vec![
            table(
                &["id", "at"],
                json!({
                    "SSESpecification": {"SSEEnabled": true},
                    "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
                }),
                json!({
                    "DeletionProtectionEnabled": false,
                    "SSESpecification": {"KMSMasterKeyId": "11111111-2222-3333-4444-555555555555"},
                    "TableClass": "STANDARD_INFREQUENT_ACCESS",
                    "Tags": [{"Key": "Owner", "Value": "you"}],
                }),
            ),
            table(&["id", "at"], json!({}), json!({})),
        ],
    })
    .await;
}
