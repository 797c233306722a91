//! What the types of CloudWatch Logs need.

use super::{LOGS_ANYWHERE, Need, anything, besides, log_group, need, pass};

pub(super) const NEEDS: &[Need] = &[
    need("AWS::Logs::LogGroup", anything, LOGS_ANYWHERE),
    need("AWS::Logs::LogGroup", anything, &["logs.DeleteIndexPolicy", "logs.PutIndexPolicy"]),
    // As with functions: filters that the template does not declare.
    need("AWS::Logs::LogGroup", log_group, &["logs.DescribeMetricFilters"]),
    // What a plan would lose is counted.
    need("AWS::Logs::LogGroup", log_group, &["logs.DescribeLogStreams"]),
    need(
        "AWS::Logs::LogGroup",
        log_group,
        &[
            "logs.AssociateKmsKey",
            "logs.CreateLogGroup",
            "logs.DeleteDataProtectionPolicy",
            "logs.DeleteLogGroup",
            "logs.DeleteRetentionPolicy",
            "logs.DisassociateKmsKey",
            "logs.GetDataProtectionPolicy",
            "logs.ListTagsForResource",
            "logs.PutBearerTokenAuthentication",
            "logs.PutDataProtectionPolicy",
            "logs.PutLogGroupDeletionProtection",
            "logs.PutRetentionPolicy",
            "logs.TagResource",
            "logs.UntagResource",
        ],
    ),
    need(
        "AWS::Logs::MetricFilter",
        log_group,
        &["logs.DeleteMetricFilter", "logs.DescribeMetricFilters", "logs.PutMetricFilter"],
    ),
    need(
        "AWS::Logs::QueryDefinition",
        anything,
        &["logs.DeleteQueryDefinition", "logs.DescribeQueryDefinitions", "logs.PutQueryDefinition"],
    ),
    need(
        "AWS::Logs::ResourcePolicy",
        anything,
        &["logs.DeleteResourcePolicy", "logs.DescribeResourcePolicies", "logs.PutResourcePolicy"],
    ),
    need(
        "AWS::Logs::AccountPolicy",
        anything,
        &["logs.DeleteAccountPolicy", "logs.DescribeAccountPolicies", "logs.PutAccountPolicy"],
    ),
    // Each kind of policy asks for the action of its own kind as well.
    besides(
        "AWS::Logs::AccountPolicy",
        anything,
        &[
            "logs:DeleteDataProtectionPolicy",
            "logs:DeleteIndexPolicy",
            "logs:DeleteSubscriptionFilter",
            "logs:DeleteTransformer",
            "logs:PutDataProtectionPolicy",
            "logs:PutIndexPolicy",
            "logs:PutSubscriptionFilter",
            "logs:PutTransformer",
        ],
    ),
    need("AWS::Logs::Destination", anything, &["logs.DescribeDestinations"]),
    need(
        "AWS::Logs::Destination",
        |it| it.named("logs", "destination:", "DestinationName"),
        &[
            "logs.DeleteDestination",
            "logs.ListTagsForResource",
            "logs.PutDestination",
            "logs.PutDestinationPolicy",
            "logs.TagResource",
            "logs.UntagResource",
        ],
    ),
    pass("AWS::Logs::Destination", "logs.amazonaws.com", |it| it.arns("RoleArn")),
    need("AWS::Logs::LogAnomalyDetector", anything, &["logs.CreateLogAnomalyDetector", "logs.ListLogAnomalyDetectors"]),
    need(
        "AWS::Logs::LogAnomalyDetector",
        |it| vec![it.scope.arn("logs", "anomaly-detector:*")],
        &[
            "logs.DeleteLogAnomalyDetector",
            "logs.GetLogAnomalyDetector",
            "logs.ListTagsForResource",
            "logs.TagResource",
            "logs.UpdateLogAnomalyDetector",
        ],
    ),
    need("AWS::Logs::LogGroup", log_group, &["logs.DescribeSubscriptionFilters"]),
    need(
        "AWS::Logs::LogStream",
        log_group,
        &["logs.CreateLogStream", "logs.DeleteLogStream", "logs.DescribeLogStreams"],
    ),
    need(
        "AWS::Logs::SubscriptionFilter",
        log_group,
        &["logs.DeleteSubscriptionFilter", "logs.DescribeSubscriptionFilters", "logs.PutSubscriptionFilter"],
    ),
    pass("AWS::Logs::SubscriptionFilter", "logs.amazonaws.com", |it| it.arns("RoleArn")),
];
