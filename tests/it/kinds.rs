//! Templates of the kinds that people have, small and our own: each is validated, planned, applied to the emulator, planned empty
//! with the ledger and without, and destroyed.

use crate::harness::{Account, Paystack};

/// An API with keys, and a queue whose messages are chosen from, as SAM writes them.
const SERVERLESS: &str = r#"
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: { Runtime: python3.12, Handler: app.handle, CodeUri: src, Timeout: 5 }
Resources:
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      EndpointConfiguration: REGIONAL
      Cors: "'*'"
      Auth:
        ApiKeyRequired: true
        AddApiKeyRequiredToCorsPreflight: false
        UsagePlan:
          CreateUsagePlan: PER_API
          Throttle: { BurstLimit: 20, RateLimit: 10 }
          Quota: { Limit: 1000, Period: MONTH }
  PlaceOrder:
    Type: AWS::Serverless::Function
    Properties:
      Environment: { Variables: { QUEUE: !Ref Orders } }
      Policies:
        - Version: '2012-10-17'
          Statement: { Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Orders.Arn }
      Events:
        Post:
          Type: Api
          Properties: { RestApiId: !Ref Shop, Path: /orders, Method: post }
  Orders:
    Type: AWS::SQS::Queue
    Properties: { VisibilityTimeout: 30 }
  BigOrders:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Big:
          Type: SQS
          Properties:
            Queue: !GetAtt Orders.Arn
            BatchSize: 5
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria:
              Filters:
                - Pattern: '{"body": {"amount": [{"numeric": [">", 100]}]}}'
                - Pattern: '{"body": {"kind": [{"anything-but": ["test"]}]}}'
  BigOrdersLogs:
    Type: AWS::Logs::LogGroup
    Properties: { LogGroupName: !Sub '/aws/lambda/${BigOrders}', RetentionInDays: 3 }
"#;

/// A firewall before an API, with rules of AWS's and one of our own.
const GUARDED: &str = "
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: guarded, EndpointConfiguration: {Types: [REGIONAL]}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      AuthorizationType: NONE
      Integration: {Type: MOCK, RequestTemplates: {application/json: '{\"statusCode\": 200}'}}
  Deployment:
    Type: AWS::ApiGateway::Deployment
    DependsOn: Get
    Properties: {RestApiId: !Ref Api}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: live}
  Firewall:
    Type: AWS::WAFv2::WebACL
    Properties:
      Scope: REGIONAL
      DefaultAction: {Allow: {}}
      VisibilityConfig: {CloudWatchMetricsEnabled: true, SampledRequestsEnabled: true, MetricName: guarded}
      Rules:
        - Name: common
          Priority: 0
          OverrideAction: {None: {}}
          Statement: {ManagedRuleGroupStatement: {VendorName: AWS, Name: AWSManagedRulesCommonRuleSet}}
          VisibilityConfig: {CloudWatchMetricsEnabled: true, SampledRequestsEnabled: true, MetricName: common}
        - Name: often
          Priority: 1
          Action: {Block: {}}
          Statement: {RateBasedStatement: {Limit: 1000, AggregateKeyType: IP}}
          VisibilityConfig: {CloudWatchMetricsEnabled: true, SampledRequestsEnabled: true, MetricName: often}
  Association:
    Type: AWS::WAFv2::WebACLAssociation
    Properties:
      WebACLArn: !GetAtt Firewall.Arn
      ResourceArn: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${Api}/stages/live'
";

/// Functions that choose from the changes of a table.
const STREAMED: &str = r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::DynamoDB::GlobalTable
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }
      Replicas: [{ Region: !Ref AWS::Region }]
  Removed:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: app.handle
      CodeUri: src
      Events:
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Orders.StreamArn
            StartingPosition: TRIM_HORIZON
            MaximumRetryAttempts: 3
            FilterCriteria:
              Filters: [{ Pattern: '{"eventName": ["REMOVE"]}' }]
"#;

fn with(template: &str) -> Paystack {
    let paystack = Paystack::in_empty_directory();
    paystack.write("template.yaml", template).write("src/app.py", "def handle(event, context):\n    return {}\n");
    paystack
}

const STACK: [&str; 4] = ["--template", "template.yaml", "--stack", "kinds"];

#[test]
fn an_api_with_keys_and_a_queue_with_filters_from_sam() {
    with(SERVERLESS).goes_the_whole_way(&Account::fresh(), &STACK);
}

#[test]
fn a_firewall_before_a_rest_api() {
    with(GUARDED).goes_the_whole_way(&Account::fresh(), &STACK);
}

/// The emulator's tables have no streams that a function could read: as far as the plan.
#[test]
fn a_stream_of_a_table_with_filters_from_sam() {
    let (paystack, account) = (with(STREAMED), Account::fresh());
    let planned = paystack.run(&account, &[&["plan", "--detailed-exitcode", "--full"], &STACK[..]].concat()).exits(2);
    for line in ["+ RemovedStream", "+ Orders", "eventName", "TRIM_HORIZON"] {
        assert!(planned.stdout.contains(line), "{line}\n{}", planned.stdout);
    }
}

/// What SAM expands has one place for all that is wrong with it.
#[test]
fn a_warning_hides_no_mistake_at_its_place() {
    let paystack = with(&SERVERLESS.replace("python3.12", "python3.9").replace("CodeUri: src", "CodeUri: absent"));
    let ran = paystack.run_command(paystack.command_nowhere(&[&["validate"], &STACK[..]].concat())).exits(1);
    for finding in ["warning: AWS has not maintained the runtime `python3.9`", "error: there is no file or directory"] {
        assert!(ran.stderr.contains(finding), "{finding}\n{}", ran.stderr);
    }
}
