use super::{APPLY, DESTROY, Scene};

const API: &str = r#"
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: orders}
  Orders:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: orders}
  Refunds:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: refunds}
  Model:
    Type: AWS::ApiGateway::Model
    Properties: {RestApiId: !Ref Api, Schema: {type: object}}
  Validator:
    Type: AWS::ApiGateway::RequestValidator
    Properties: {RestApiId: !Ref Api, ValidateRequestBody: true}
  Denied:
    Type: AWS::ApiGateway::GatewayResponse
    Properties: {RestApiId: !Ref Api, ResponseType: ACCESS_DENIED, StatusCode: '404'}
  List:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Orders
      HttpMethod: GET
      AuthorizationType: NONE
      Integration:
        Type: MOCK
        RequestTemplates: {application/json: '{\"statusCode\": 200}'}
        IntegrationResponses: [{StatusCode: '200'}]
      MethodResponses: [{StatusCode: '200'}]
  Deployment:
    Type: AWS::ApiGateway::Deployment
    Properties: {RestApiId: !Ref Api}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties:
      RestApiId: !Ref Api
      DeploymentId: !Ref Deployment
      StageName: prod
      MethodSettings: [{ResourcePath: /*, HttpMethod: '*', ThrottlingRateLimit: 5, ThrottlingBurstLimit: 5}]
"#;

const PLAN: &str = r"
  Plan:
    Type: AWS::ApiGateway::UsagePlan
    Properties:
      ApiStages: [{ApiId: !Ref Api, Stage: !Ref Stage}]
";

const TWO_APIS: &str = r"
Resources:
  One:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: one}
  Two:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: two}
";

const ACCOUNT: &str = r"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: apigateway.amazonaws.com}, Action: 'sts:AssumeRole'}]
  Account:
    Type: AWS::ApiGateway::Account
    Properties: {CloudWatchRoleArn: !GetAtt Role.Arn}
";

const PRIVATE: &str = r"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Name: orders
      Policy:
        Version: '2012-10-17'
        Statement:
          - {Effect: Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: 'execute-api:Invoke', Resource: 'execute-api:/*'}
";

#[test]
fn an_api_is_written_though_another_program_writes_it_too() {
    let scene = Scene::new("api-busy", 1.0, API);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.paystack.replace("template.yaml", "StatusCode: '404'", "StatusCode: '403'");
    scene.succeeds(APPLY);
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}

#[test]
fn an_api_is_written_by_one_call_at_a_time() {
    let scene = Scene::new("api-writes-overlap", 0.2, API);
    scene.succeeds(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
    assert_eq!(scene.behaviour.strikes(), 0, "two writes came at once");
}

#[test]
fn apis_come_and_go_as_seldom_as_the_account_may() {
    let scene = Scene::new("apigateway-rates", 0.4, TWO_APIS);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}

#[test]
fn a_deployment_is_deleted_when_its_stage_has_moved() {
    let scene = Scene::new("stage-moves-late", 0.5, API);
    scene.succeeds(APPLY);
    scene.paystack.replace("template.yaml", "statusCode", "StatusCode");
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn the_accounts_role_is_set_when_it_can_be_used() {
    let scene = Scene::new("account-role-not-usable", 0.1, ACCOUNT);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn an_apis_policy_waits_until_its_principal_is_known() {
    let scene = Scene::new("api-policy-principal", 0.2, PRIVATE);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_stage_that_is_half_made_is_finished_by_the_next_run() {
    let scene = Scene::new("stage-half-made", 1.0, API);
    let failed = scene.run(APPLY).exits(1);
    assert!(failed.stdout.contains("give API Gateway a logging role first"), "{}", failed.stdout);
    scene.succeeds(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_method_that_is_half_made_is_finished_by_the_next_run() {
    let scene = Scene::with_fault("method-half-made", 1.0, API, "apigateway.PutMethod#1:kill-after");
    scene.is_killed(APPLY);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_usage_plan_lets_go_of_its_stages_before_it_goes() {
    let scene = Scene::new("usage-plan-of-stages", 1.0, &[API, PLAN].concat());
    scene.succeeds(APPLY);
    scene.is_settled();
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}
