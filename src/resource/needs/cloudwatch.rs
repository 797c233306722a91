//! What the types of CloudWatch need.

use super::{Need, anything, need, pass};

pub(super) const NEEDS: &[Need] = &[
    need("AWS::CloudWatch::Alarm", anything, &["cloudwatch.DescribeAlarms"]),
    need(
        "AWS::CloudWatch::Alarm",
        |it| it.named("cloudwatch", "alarm:", "AlarmName"),
        &[
            "cloudwatch.DeleteAlarms",
            "cloudwatch.ListTagsForResource",
            "cloudwatch.PutMetricAlarm",
            "cloudwatch.TagResource",
            "cloudwatch.UntagResource",
        ],
    ),
    need(
        "AWS::CloudWatch::Dashboard",
        |it| it.named_globally("cloudwatch", "dashboard/", "DashboardName"),
        &[
            "cloudwatch.DeleteDashboards",
            "cloudwatch.GetDashboard",
            "cloudwatch.ListTagsForResource",
            "cloudwatch.PutDashboard",
            "cloudwatch.TagResource",
            "cloudwatch.UntagResource",
        ],
    ),
    need(
        "AWS::CloudWatch::AnomalyDetector",
        anything,
        &["cloudwatch.DeleteAnomalyDetector", "cloudwatch.DescribeAnomalyDetectors", "cloudwatch.PutAnomalyDetector"],
    ),
    // A rule may name alarms that are not the stack's: then the service asks for all of them.
    need("AWS::CloudWatch::CompositeAlarm", anything, &["cloudwatch.DescribeAlarms", "cloudwatch.PutCompositeAlarm"]),
    need(
        "AWS::CloudWatch::CompositeAlarm",
        |it| it.named("cloudwatch", "alarm:", "AlarmName"),
        &[
            "cloudwatch.DeleteAlarms",
            "cloudwatch.ListTagsForResource",
            "cloudwatch.TagResource",
            "cloudwatch.UntagResource",
        ],
    ),
    need("AWS::CloudWatch::InsightRule", anything, &["cloudwatch.DescribeInsightRules"]),
    need(
        "AWS::CloudWatch::InsightRule",
        |it| it.named("cloudwatch", "insight-rule/", "RuleName"),
        &[
            "cloudwatch.DeleteInsightRules",
            "cloudwatch.ListTagsForResource",
            "cloudwatch.PutInsightRule",
            "cloudwatch.TagResource",
            "cloudwatch.UntagResource",
        ],
    ),
    need(
        "AWS::CloudWatch::MetricStream",
        |it| it.named("cloudwatch", "metric-stream/", "Name"),
        &[
            "cloudwatch.DeleteMetricStream",
            "cloudwatch.GetMetricStream",
            "cloudwatch.ListTagsForResource",
            "cloudwatch.PutMetricStream",
            "cloudwatch.TagResource",
            "cloudwatch.UntagResource",
        ],
    ),
    pass("AWS::CloudWatch::MetricStream", "streams.metrics.cloudwatch.amazonaws.com", |it| it.arns("RoleArn")),
];
