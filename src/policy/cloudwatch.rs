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
        fix: "set `AlarmActions` to a topic, here or at a composite alarm whose rule names it",
        on: On::Types(&[&[ALARM, COMPOSITE]]),
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
const COMPOSITE: &str = "AWS::CloudWatch::CompositeAlarm";

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

fn action(alarm: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let has_actions =
        |alarm: &Subject<'_>| alarm.properties["AlarmActions"].as_array().is_some_and(|it| !it.is_empty());
    let is_named_in = |other: &Subject<'_>| {
        let rule = other.properties["AlarmRule"].as_str().unwrap_or_default();
        other.id() != alarm.id()
            && (alarm.is_named_in(rule) || alarm.attribute("Arn").is_some_and(|arn| rule.contains(arn)))
    };
    let tells = has_actions(alarm) || stack.of_type(COMPOSITE).any(|other| is_named_in(&other) && has_actions(&other));
    unless(tells, || broken_at("AlarmActions", "tells nobody"))
}
