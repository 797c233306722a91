//! What the types of DynamoDB need.

use super::{KMS, Need, besides, need};

pub(super) const NEEDS: &[Need] = &[
    need(
        "AWS::DynamoDB::Table",
        |it| it.named("dynamodb", "table/", "TableName"),
        &[
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
        ],
    ),
    besides("AWS::DynamoDB::Table", |it| it.arns("SSESpecification/KMSMasterKeyId"), KMS),
];
