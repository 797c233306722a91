use serde_json::json;

use crate::conformance::{Case, check, resource};

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
