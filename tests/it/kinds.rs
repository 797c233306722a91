//! Templates of the kinds that people have, small and our own: each is validated, planned, applied to the emulator, planned empty
//! with the ledger and without, and destroyed.

use serde_json::{Value, json};

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

/// An API whose document is elsewhere.
const DOCUMENTED: &str = r"
Parameters: { Bucket: { Type: String } }
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      BodyS3Location: { Bucket: !Ref Bucket, Key: apis/orders v1.yaml }
      EndpointConfiguration: { Types: [REGIONAL] }
  Deployment:
    Type: AWS::ApiGateway::Deployment
    Properties: { RestApiId: !Ref Api }
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: { RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: live }
";

const DOCUMENT: &str = r#"
openapi: 3.0.1
info: { title: orders, version: '1' }
paths:
  /orders:
    get:
      responses: { '200': { description: Done } }
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: { application/json: '{"statusCode": 200}' }
        responses: { default: { statusCode: '200' } }
"#;

const DEFINED: &str = r"
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties: { StageName: live, DefinitionUri: openapi.yaml, EndpointConfiguration: REGIONAL }
";

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

#[test]
fn a_stream_of_a_table_with_filters_from_sam() {
    with(STREAMED).goes_the_whole_way(&Account::fresh(), &STACK);
}

/// Puts a document into a bucket, which is made with it.
const PUT: &str = r#"
import sys, boto3
bucket, key, document = sys.argv[1:]
s3 = boto3.client("s3")
s3.create_bucket(Bucket=bucket)
s3.put_object(Bucket=bucket, Key=key, Body=document.encode())
"#;

#[test]
fn an_api_from_a_document_in_s3_and_then_from_this_machine() {
    let (paystack, account) = (with(DOCUMENTED), Account::fresh());
    let (bucket, key) = (format!("apis-{}", account.number), "apis/orders v1.yaml");
    let parameter = format!("Bucket={bucket}");
    let run = |command: &[&str], code: i32| {
        paystack.run(&account, &[command, &STACK, &["-p", &parameter]].concat()).exits(code)
    };
    let put = |document: &str| account.run_python(PUT, &[&bucket, key, document], &Value::Null, &[]);
    let missing = run(&["plan"], 1).stderr;
    assert!(
        missing.contains(&format!("there is no bucket `{bucket}`")) && missing.contains("BodyS3Location"),
        "{missing}"
    );

    put(DOCUMENT);
    let calls = run(&["apply", "--auto-approve"], 0).stderr;
    assert!(calls.contains("s3 1"), "{calls}");
    run(&["plan", "--detailed-exitcode"], 0);
    let more = DOCUMENT.replace("/orders:", "/returns:");
    put(&more);
    let plan = run(&["plan", "--detailed-exitcode"], 2).stdout;
    assert!(plan.contains("/returns") && plan.contains("Deployment"), "{plan}");
    run(&["apply", "--auto-approve"], 0);
    let policy = run(&["policy", "--deployer"], 0).stdout;
    let object = format!("\"arn:aws:s3:::{bucket}/{key}\"");
    assert!(policy.contains("\"s3:GetObject\"") && policy.contains(&object), "{policy}");

    account.aws("s3", "delete_object", json!({"Bucket": bucket, "Key": key}));
    let missing = run(&["plan"], 1).stderr;
    assert!(missing.contains(&format!("there is no object `s3://{bucket}/{key}`")), "{missing}");
    let location = format!("{{ Bucket: !Ref Bucket, Key: {key} }}");
    paystack.write("openapi.yaml", &more).replace("template.yaml", &location, "openapi.yaml");
    run(&["plan", "--detailed-exitcode"], 0);
    paystack.replace("template.yaml", "BodyS3Location: openapi.yaml", &format!("BodyS3Location: {location}"));
    run(&["destroy", "--auto-approve"], 0);
    account.census().assert_empty();
}

#[test]
fn an_api_from_a_document_beside_a_sam_template() {
    let paystack = with(DEFINED);
    paystack.write("openapi.yaml", DOCUMENT);
    paystack.goes_the_whole_way(&Account::fresh(), &STACK);
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
