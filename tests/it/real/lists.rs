//! What was made a moment ago is not in lists yet: a run that makes anew what a run before it has made, and died, would make
//! two where no name is unique.

use serde_json::Value;

use super::{APPLY, DESTROY, Scene};

/// The run dies when the service has made the thing, and the next one finds it.
#[track_caller]
fn is_made_once(template: &str, create: &str, times: usize) -> Scene {
    let scene = Scene::with_fault("lists-lag", 4.0, template, &format!("{create}#{times}:kill-after"));
    if times > 1 {
        scene.succeeds(APPLY);
        scene.paystack.replace("template.yaml", "Version 1", "Version 2");
    }
    scene.is_killed(APPLY);
    scene.outlasts(APPLY);
    scene.is_settled();
    assert_eq!(scene.calls(create), times);
    scene
}

/// The service makes the thing, and its answer is lost: the same run finds it, though lists show it late.
#[track_caller]
fn is_made_once_without_an_answer(template: &str, create: &str) {
    let scene = Scene::with_fault("lists-lag", 4.0, template, &format!("{create}#1:lose"));
    scene.outlasts(APPLY);
    scene.is_settled();
    assert_eq!(scene.calls(create), 1);
    scene.leaves_nothing();
}

const API: &str = r"
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: orders}
  Validator:
    Type: AWS::ApiGateway::RequestValidator
    Properties: {RestApiId: !Ref Api, ValidateRequestBody: true}
  Root:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      AuthorizationType: NONE
      OperationName: Version 1
      Integration: {Type: MOCK}
  Deployment:
    Type: AWS::ApiGateway::Deployment
    Properties: {RestApiId: !Ref Api}
";

#[test]
fn an_api_is_made_once() {
    is_made_once(API, "apigateway.CreateRestApi", 1).leaves_nothing();
}

#[test]
fn a_request_validator_is_made_once() {
    is_made_once(API, "apigateway.CreateRequestValidator", 1).leaves_nothing();
}

#[test]
fn a_deployment_is_made_once() {
    is_made_once(API, "apigateway.CreateDeployment", 1).leaves_nothing();
}

#[test]
fn the_next_deployment_is_made_once() {
    let scene = is_made_once(API, "apigateway.CreateDeployment", 2);
    let apis = scene.account.census();
    let deployments = apis.of("rest_apis").pointer("/0/deployments").and_then(Value::as_array).map(Vec::len);
    assert_eq!(deployments, Some(1));
    scene.leaves_nothing();
}

#[test]
fn an_api_key_is_made_once() {
    let key = "Resources: {Key: {Type: 'AWS::ApiGateway::ApiKey', Properties: {Enabled: true}}}";
    is_made_once(key, "apigateway.CreateApiKey", 1).leaves_nothing();
}

#[test]
fn a_usage_plan_is_made_once() {
    let plan = "Resources: {Plan: {Type: 'AWS::ApiGateway::UsagePlan', Properties: {Description: Some}}}";
    is_made_once(plan, "apigateway.CreateUsagePlan", 1).leaves_nothing();
}

#[test]
fn a_saved_query_is_made_once() {
    let query = "
Resources:
  Failures:
    Type: AWS::Logs::QueryDefinition
    Properties: {Name: failures, QueryString: 'fields @message'}
";
    is_made_once(query, "logs.PutQueryDefinition", 1).leaves_nothing();
}

#[test]
fn what_the_tagging_api_tells_of_is_looked_at_before_it_is_believed() {
    let queue = "Resources: {Orders: {Type: 'AWS::SQS::Queue'}, Letters: {Type: 'AWS::SNS::Topic'}}";
    let scene = Scene::new("tagging-lags", 0.2, queue);
    scene.succeeds(APPLY);
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}

#[test]
fn a_deployment_without_an_answer_is_made_once() {
    is_made_once_without_an_answer(API, "apigateway.CreateDeployment");
}

#[test]
fn a_usage_plan_without_an_answer_is_made_once() {
    let plan = "Resources: {Plan: {Type: 'AWS::ApiGateway::UsagePlan', Properties: {Description: Some}}}";
    is_made_once_without_an_answer(plan, "apigateway.CreateUsagePlan");
}
