//! Rules for alarms.

use serde_json::Value;

use super::{Breach, Level, On, Rule, Stack, broken, broken_at, unless};
use crate::resolved::Subject;

pub const RULES: &[Rule] = &[
    Rule {
        id: "function-alarm",
        level: Level::Mandatory,
        demand: "Every function has an alarm on its errors",
        reason: "what fails without an alarm is found by customers",
        fix: "add an `AWS::CloudWatch::Alarm` on `AWS/Lambda` `Errors` with the function as its dimension",
        on: On::Type("AWS::Lambda::Function"),
        breaches: function_alarm,
        kept_by: "
Pay:
  Type: AWS::Lambda::Function
  Properties:
    FunctionName: pay-dev
    Role: arn:aws:iam::123456789012:role/pay-dev
    Runtime: python3.13
    Handler: index.handler
    Code: { ZipFile: 'def handler(event, context): pass' }
PayErrors:
  Type: AWS::CloudWatch::Alarm
  Properties:
    Namespace: AWS/Lambda
    MetricName: Errors
    Dimensions: [{ Name: FunctionName, Value: !Ref Pay }]
    Statistic: Sum
    Period: 60
    EvaluationPeriods: 1
    Threshold: 0
    ComparisonOperator: GreaterThanThreshold",
        broken_by: "
Pay:
  Type: AWS::Lambda::Function
  Properties:
    FunctionName: pay-dev
    Role: arn:aws:iam::123456789012:role/pay-dev
    Runtime: python3.13
    Handler: index.handler
    Code: { ZipFile: 'def handler(event, context): pass' }",
    },
    Rule {
        id: "alarm-action",
        level: Level::Advisory,
        demand: "Every alarm tells somebody",
        reason: "an alarm without an action is seen only by whoever looks",
        fix: "set `AlarmActions` to a topic",
        on: On::Type(ALARM),
        breaches: action,
        kept_by: "
Errors:
  Type: AWS::CloudWatch::Alarm
  Properties:
    AlarmActions: ['arn:aws:sns:us-east-1:123456789012:alarms']
    Namespace: AWS/SQS
    MetricName: NumberOfMessagesSent
    Statistic: Sum
    Period: 60
    EvaluationPeriods: 1
    Threshold: 0
    ComparisonOperator: GreaterThanThreshold",
        broken_by: "
Errors:
  Type: AWS::CloudWatch::Alarm
  Properties:
    Namespace: AWS/SQS
    MetricName: NumberOfMessagesSent
    Statistic: Sum
    Period: 60
    EvaluationPeriods: 1
    Threshold: 0
    ComparisonOperator: GreaterThanThreshold",
    },
];

const ALARM: &str = "AWS::CloudWatch::Alarm";

fn function_alarm(function: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let watches = |metric: &Value| {
        let dimensions = metric["Dimensions"].as_array();
        let mut dimensions = dimensions.into_iter().flatten();
        metric["Namespace"] == "AWS/Lambda"
            && metric["MetricName"] == "Errors"
            && dimensions.any(|it| it["Name"] == "FunctionName" && function.is_among(&it["Value"]))
    };
    let is_watched = stack.of_type(ALARM).any(|alarm| {
        let metrics = alarm.properties["Metrics"].as_array();
        let mut metrics = metrics.into_iter().flatten().map(|query| &query["MetricStat"]["Metric"]);
        watches(alarm.properties) || metrics.any(watches)
    });
    unless(is_watched, || broken("has no alarm on its errors"))
}

fn action(alarm: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let actions = alarm.properties["AlarmActions"].as_array();
    unless(actions.is_some_and(|actions| !actions.is_empty()), || broken_at("AlarmActions", "tells nobody"))
}
