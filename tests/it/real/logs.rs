use serde_json::json;

use super::{APPLY, DESTROY, Scene};

const GROUP: &str = r"
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: /orders/api, RetentionInDays: 7}
  Errors:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref Group
      FilterPattern: ERROR
      MetricTransformations: [{MetricName: Errors, MetricNamespace: Orders, MetricValue: '1'}]
  Warnings:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref Group
      FilterPattern: WARNING
      MetricTransformations: [{MetricName: Warnings, MetricNamespace: Orders, MetricValue: '1'}]
  Notes:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref Group
      FilterPattern: NOTE
      MetricTransformations: [{MetricName: Notes, MetricNamespace: Orders, MetricValue: '1'}]
";

const FUNCTION: &str = r"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: worker
      Runtime: python3.11
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: 'def handler(event, context): pass'
";

#[test]
fn a_log_group_is_written_though_somebody_else_writes_it_too() {
    let scene = Scene::new("log-group-busy", 1.0, GROUP);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}

#[test]
fn a_log_group_is_written_by_one_call_at_a_time() {
    let scene = Scene::new("log-group-writes-overlap", 0.2, GROUP);
    scene.succeeds(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
    assert_eq!(scene.behaviour.strikes(), 0, "two writes came at once");
}

#[test]
fn a_log_group_whose_name_goes_on_is_another_one() {
    let scene = Scene::new("log-group-busy", 1.0, GROUP);
    scene.account.aws("logs", "create_log_group", json!({"logGroupName": "/orders/api-2"}));
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.succeeds(DESTROY);
    let left = scene.account.census();
    let names: Vec<&str> =
        left.of("log_groups").as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["/orders/api-2"]);
}

#[test]
fn a_log_group_that_late_logs_bring_back_is_deleted_again() {
    let scene = Scene::new("log-group-reappears", 0.1, FUNCTION);
    scene.succeeds(APPLY);
    // Lambda makes it when the function runs first.
    scene.account.aws("logs", "create_log_group", json!({"logGroupName": "/aws/lambda/worker"}));
    let destroyed = scene.outlasts(&["destroy", "--auto-approve", "--watch-logs", "8"]);
    let told = "Late logs brought the log group `/aws/lambda/worker` back: it was deleted again.";
    assert!(destroyed.stdout.contains(told), "{}", destroyed.stdout);
    scene.account.census().assert_empty();
}
