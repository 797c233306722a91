use serde_json::{Value, json};

use crate::conformance::{Case, check, resource, with};
use crate::harness::{Account, Paystack};

#[tokio::test]
async fn cloudwatch_alarm() {
    check(Case {
        before: vec![resource("Topic", "AWS::SNS::Topic", json!({"TopicName": "alerts"}))],
        subject: resource(
            "Errors",
            "AWS::CloudWatch::Alarm",
            json!({
                "AlarmName": "errors",
                "AlarmDescription": "too many errors",
                "AlarmActions": [{"Ref": "Topic"}],
                "OKActions": [{"Ref": "Topic"}],
                "InsufficientDataActions": [{"Ref": "Topic"}],
                "Namespace": "AWS/Lambda",
                "MetricName": "Errors",
                "Dimensions": [{"Name": "Resource", "Value": "b"}, {"Name": "FunctionName", "Value": "a"}],
                "Statistic": "Sum",
                "Unit": "Count",
                "Period": 60,
                "EvaluationPeriods": 3,
                "DatapointsToAlarm": 2,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "Threshold": 1,
                "TreatMissingData": "notBreaching",
                "Tags": [{"Key": "Owner", "Value": "me"}],
            }),
        ),
        updates: vec![
            json!({
                "AlarmName": "errors",
                "ActionsEnabled": false,
                "Namespace": "AWS/Lambda",
                "MetricName": "Duration",
                "ExtendedStatistic": "p99.9",
                "EvaluateLowSampleCountPercentile": "ignore",
                "Period": 300,
                "EvaluationPeriods": 1,
                "ComparisonOperator": "GreaterThanThreshold",
                "Threshold": 2.5,
                "Tags": [{"Key": "Owner", "Value": "you"}],
            }),
            json!({
                "AlarmName": "errors",
                "EvaluationPeriods": 2,
                "ComparisonOperator": "GreaterThanUpperThreshold",
                "ThresholdMetricId": "band",
                "Metrics": [
                    {"Id": "m", "ReturnData": true, "MetricStat": {
                        "Metric": {"Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent", "Dimensions": [
                            {"Name": "QueueName", "Value": "orders"},
                        ]},
                        "Period": 300, "Stat": "Average",
                    }},
                    {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m, 2)", "Label": "expected"},
                ],
            }),
            json!({
                "AlarmName": "errors",
                "Namespace": "AWS/Lambda",
                "MetricName": "Errors",
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "ComparisonOperator": "GreaterThanThreshold",
                "Threshold": 0,
            }),
        ],
    })
    .await;
}

#[tokio::test]
async fn cloudwatch_dashboard() {
    let body =
        r#"{"widgets": [{"type": "text", "x": 0, "y": 0, "width": 6, "height": 3, "properties": {"markdown": "hi"}}]}"#;
    check(Case {
        before: vec![],
        subject: resource(
            "Dashboard",
            "AWS::CloudWatch::Dashboard",
            json!({"DashboardName": "payments", "DashboardBody": body, "Tags": [{"Key": "Owner", "Value": "me"}]}),
        ),
        updates: vec![
            json!({"DashboardName": "payments", "DashboardBody": "{\"widgets\": []}", "Tags": [{"Key": "Owner", "Value": "you"}]}),
            json!({"DashboardName": "payments", "DashboardBody": "{\"widgets\": []}"}),
        ],
    })
    .await;
}

#[tokio::test]
async fn cloudwatch_composite_alarm() {
    let alarm = |name: &str| {
        json!({
            "AlarmName": name,
            "Namespace": "Orders",
            "MetricName": name,
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 1,
        })
    };
    let composite = |rule: &str, more: Value| with(json!({"AlarmName": "broken", "AlarmRule": rule}), more);
    check(Case {
        before: vec![
            resource("Errors", "AWS::CloudWatch::Alarm", alarm("errors")),
            resource("Slow", "AWS::CloudWatch::Alarm", alarm("slow")),
        ],
        subject: resource(
            "Broken",
            "AWS::CloudWatch::CompositeAlarm",
            composite(
                "ALARM(errors) AND ALARM(slow)",
                json!({
                    "AlarmDescription": "customers notice",
                    "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:pager"],
                    "OKActions": ["arn:aws:sns:us-east-1:123456789012:calm"],
                    "Tags": [{"Key": "Owner", "Value": "me"}],
                }),
            ),
        ),
        updates: vec![
            composite(
                "ALARM(errors) OR ALARM(slow)",
                json!({"ActionsEnabled": false, "Tags": [{"Key": "Owner", "Value": "you"}]}),
            ),
            composite("ALARM(errors)", json!({})),
        ],
    })
    .await;
}

#[tokio::test]
async fn cloudwatch_anomaly_detector() {
    let detector = |more: Value| {
        with(
            json!({
                "Namespace": "Orders",
                "MetricName": "Taken",
                "Stat": "Sum",
                "Dimensions": [{"Name": "Shop", "Value": "north"}],
            }),
            more,
        )
    };
    check(Case {
        before: vec![],
        subject: resource(
            "Normal",
            "AWS::CloudWatch::AnomalyDetector",
            detector(json!({"Configuration": {"MetricTimeZone": "Europe/Berlin"}})),
        ),
        updates: vec![detector(json!({"Configuration": {"MetricTimeZone": "America/New_York"}}))],
    })
    .await;
}

#[tokio::test]
async fn cloudwatch_insight_rule() {
    let rule = |state: &str, more: Value| {
        let body = json!({
            "Schema": {"Name": "CloudWatchLogRule", "Version": 1},
            "LogGroupNames": ["/orders/api"],
            "LogFormat": "JSON",
            "Contribution": {"Keys": ["$.customer"], "Filters": []},
            "AggregateOn": "Count",
        });
        with(json!({"RuleName": "customers", "RuleBody": body.to_string(), "RuleState": state}), more)
    };
    check(Case {
        before: vec![],
        subject: resource(
            "Customers",
            "AWS::CloudWatch::InsightRule",
            rule("ENABLED", json!({"Tags": [{"Key": "Owner", "Value": "me"}]})),
        ),
        updates: vec![
            rule("DISABLED", json!({"Tags": [{"Key": "Owner", "Value": "you"}]})),
            rule("DISABLED", json!({})),
        ],
    })
    .await;
}

#[tokio::test]
async fn cloudwatch_metric_stream() {
    let stream = |more: Value| {
        with(
            json!({
                "Name": "metrics",
                "FirehoseArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/metrics",
                "RoleArn": "arn:aws:iam::123456789012:role/sender",
                "OutputFormat": "json",
            }),
            more,
        )
    };
    check(Case {
        before: vec![],
        subject: resource(
            "Metrics",
            "AWS::CloudWatch::MetricStream",
            stream(json!({
                "IncludeFilters": [
                    {"Namespace": "AWS/SQS"},
                    {"Namespace": "AWS/Lambda", "MetricNames": ["Errors", "Duration"]},
                ],
                "IncludeLinkedAccountsMetrics": true,
                "StatisticsConfigurations": [{
                    "AdditionalStatistics": ["p99", "p50"],
                    "IncludeMetrics": [{"Namespace": "AWS/Lambda", "MetricName": "Duration"}],
                }],
                "Tags": [{"Key": "Owner", "Value": "me"}],
            })),
        ),
        updates: vec![
            stream(json!({
                "OutputFormat": "opentelemetry1.0",
                "ExcludeFilters": [{"Namespace": "AWS/EC2"}],
                "Tags": [{"Key": "Owner", "Value": "you"}],
            })),
            stream(json!({})),
        ],
    })
    .await;
}

/// A rule that the service made for a table can be adopted and not deleted.
#[test]
fn cloudwatch_insight_rule_that_cannot_be_deleted_lets_others_go() {
    let (account, paystack) = (Account::fresh(), Paystack::in_empty_directory());
    let rule = |name: &str| {
        let body = json!({"Schema": {"Name": "CloudWatchLogRule", "Version": 1}}).to_string();
        let properties = json!({"RuleName": name, "RuleBody": body, "RuleState": "ENABLED"});
        json!({"Type": "AWS::CloudWatch::InsightRule", "Properties": properties})
    };
    let resources =
        json!({"BuiltIn": rule("DynamoDBContributorInsights-PKC-1"), "One": rule("one"), "Other": rule("other")});
    paystack.write("rules.json", &json!({ "Resources": resources }).to_string());
    let run = |command: &str| {
        paystack.run(&account, &[command, "--auto-approve", "--template", "rules.json", "--stack", "rules"])
    };
    run("apply").exits(0);
    let destroyed = run("destroy").exits(1);
    let reason = "the rule `DynamoDBContributorInsights-PKC-1`: A built-in rule cannot be deleted";
    assert!(destroyed.stdout.contains(reason), "{}", destroyed.stdout);
    let left = account.census();
    assert_eq!(left.of("insight_rules").as_array().map(Vec::len), Some(1), "{left:#?}");
}
