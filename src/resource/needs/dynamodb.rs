//! What the types of DynamoDB need.

use super::{KMS, Need, besides, need};

/// A global table of one replica is a table.
const TABLE: &[&str] = &[
    "dynamodb.CreateTable",
    "dynamodb.DeleteResourcePolicy",
    "dynamodb.DeleteTable",
    "dynamodb.DescribeContinuousBackups",
    "dynamodb.DescribeTable",
    "dynamodb.DescribeTimeToLive",
    "dynamodb.GetResourcePolicy",
    "dynamodb.ListTagsOfResource",
    "dynamodb.PutResourcePolicy",
    "dynamodb.Scan",
    "dynamodb.TagResource",
    "dynamodb.UntagResource",
    "dynamodb.UpdateContinuousBackups",
    "dynamodb.UpdateTable",
    "dynamodb.UpdateTimeToLive",
];

pub(super) const NEEDS: &[Need] = &[
    need("AWS::DynamoDB::GlobalTable", |it| it.named("dynamodb", "table/", "TableName"), TABLE),
    besides("AWS::DynamoDB::GlobalTable", |it| it.arns("Replicas/0/SSESpecification/KMSMasterKeyId"), KMS),
    need("AWS::DynamoDB::Table", |it| it.named("dynamodb", "table/", "TableName"), TABLE),
    besides("AWS::DynamoDB::Table", |it| it.arns("SSESpecification/KMSMasterKeyId"), KMS),
];
