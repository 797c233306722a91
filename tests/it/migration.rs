//! What other tools have deployed, taken over as it is: Terraform by its state, SAM by its stack.

use serde_json::{Value, json};

use crate::adoption::{counts, deploy};
use crate::harness::{Account, Paystack, Ran};

/// What Terraform would have made: CloudFormation makes it here, since the tests run no Terraform.
const SHOP: &str = r#"
Resources:
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: shop-dead}}
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: shop-orders
      VisibilityTimeout: 90
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  MaySend:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Orders]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:SendMessage", Resource: !GetAtt Orders.Arn}
  Events: {Type: AWS::SNS::Topic, Properties: {TopicName: shop-events}}
  EventsToOrders:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Events, Protocol: sqs, Endpoint: !GetAtt Orders.Arn}
  MayWork:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: shop-work
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:*", Resource: !GetAtt Orders.Arn}]}
  Worker:
    Type: AWS::IAM::Role
    Properties:
      RoleName: shop-worker
      ManagedPolicyArns: [!Ref MayWork]
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: logs
          PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "logs:*", Resource: !GetAtt Logs.Arn}]}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /aws/lambda/shop-run, RetentionInDays: 30}}
  Run:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: shop-run
      Runtime: python3.12
      Handler: index.handler
      Role: !GetAtt Worker.Arn
      Code: {ZipFile: "def handler(event, context): return {'statusCode': 200, 'body': ''}"}
      Environment: {Variables: {QUEUE_URL: !Ref Orders, STRIPE_KEY: sk_live_4242, LEVEL: info}}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: shop, EndpointConfiguration: {Types: [REGIONAL]}}}
  Pay:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: pay}
  PostPay:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Pay
      HttpMethod: POST
      AuthorizationType: NONE
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Sub "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Run.Arn}/invocations"
  Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: PostPay, Properties: {RestApiId: !Ref Api}}
  Live:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: live}
  TooOld:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: shop-too-old
      Namespace: AWS/SQS
      MetricName: ApproximateAgeOfOldestMessage
      Dimensions: [{Name: QueueName, Value: !GetAtt Orders.QueueName}]
      Statistic: Maximum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 300
      ComparisonOperator: GreaterThanThreshold
      AlarmActions: [!Ref Events]
"#;

/// Runs paystack on the stack of the migration.
struct Shop {
    paystack: Paystack,
    account: Account,
}

impl Shop {
    fn deployed() -> Self {
        let account = Account::fresh();
        deploy(&account, SHOP);
        let filter = json!({
            "logGroupName": "/aws/lambda/shop-run", "filterName": "failures", "filterPattern": "ERROR",
            "metricTransformations": [{"metricName": "failures", "metricNamespace": "shop", "metricValue": "1"}],
        });
        account.aws("logs", "put_metric_filter", filter);
        Self { paystack: Paystack::in_empty_directory(), account }
    }

    fn migrate(&self, state: &Value, options: &[&str]) -> Ran {
        self.paystack.write("terraform.tfstate", &state.to_string());
        let migrate = ["migrate", "terraform", "terraform.tfstate", "--stack", "shop", "--auto-approve"];
        self.paystack.run(&self.account, &[&migrate[..], options].concat())
    }

    fn run(&self, command: &[&str], secret: &str) -> Ran {
        let stack = ["--template", "shop/template.yaml", "--stack", "shop", "-p", secret];
        self.paystack.run(&self.account, &[command, &stack].concat())
    }

    /// What CloudFormation calls what it has made.
    fn id(&self, logical_id: &str) -> String {
        let asked = json!({"StackName": "demo", "LogicalResourceId": logical_id});
        let detail = self.account.aws("cloudformation", "describe_stack_resource", asked);
        detail["StackResourceDetail"]["PhysicalResourceId"].as_str().expect("it has an id").to_owned()
    }

    /// What Terraform would remember of all that.
    fn state(&self) -> Value {
        let arn = |service: &str, name: &str| format!("arn:aws:{service}:us-east-1:{}:{name}", self.account.number);
        let policy = format!("arn:aws:iam::{}:policy/shop-work", self.account.number);
        let [api, pay, deployment] = ["Api", "Pay", "Deployment"].map(|id| self.id(id));
        let [dead, orders] = ["Dead", "Orders"].map(|id| self.id(id));
        let method = json!({"rest_api_id": api, "resource_id": pay, "http_method": "POST"});
        let run = json!({
            "function_name": "shop-run", "arn": arn("lambda", "function:shop-run"), "filename": "build/run.zip",
            "environment": [{"variables": {"STRIPE_KEY": "sk_live_4242", "LEVEL": "info"}}],
        });
        let key = json!([
            {"type": "get_attr", "value": "environment"}, {"type": "index", "value": {"value": 0, "type": "number"}},
            {"type": "get_attr", "value": "variables"}, {"type": "index", "value": {"value": "STRIPE_KEY", "type": "string"}},
        ]);
        let mut resources = vec![
            managed("aws_sqs_queue.dead", json!({"url": dead, "arn": arn("sqs", "shop-dead")}), &[]),
            managed("aws_sqs_queue.orders", json!({"url": orders}), &["aws_sqs_queue.dead"]),
            managed("aws_sqs_queue_redrive_policy.orders", json!({"queue_url": orders}), &[]),
            managed("aws_sns_topic.events", json!({"arn": arn("sns", "shop-events")}), &[]),
            managed("aws_sns_topic_subscription.orders", json!({"arn": self.id("EventsToOrders")}), &[]),
            managed("aws_iam_policy.work", json!({"arn": policy}), &[]),
            managed("aws_iam_role.worker", json!({"name": "shop-worker"}), &[]),
            managed(
                "aws_iam_role_policy.logs",
                json!({"name": "logs", "role": "shop-worker"}),
                &["aws_iam_role.worker"],
            ),
            managed("aws_iam_role_policy_attachment.work", json!({"role": "shop-worker", "policy_arn": policy}), &[]),
            managed("aws_cloudwatch_log_group.run", json!({"name": "/aws/lambda/shop-run"}), &[]),
            managed("aws_lambda_function.run", run, &["aws_sqs_queue.orders", "aws_iam_role.worker"]),
            managed("aws_api_gateway_rest_api.shop", json!({"id": api}), &[]),
            managed("aws_api_gateway_resource.pay", json!({"rest_api_id": api, "id": pay}), &[]),
            managed("aws_api_gateway_method.pay", method.clone(), &[]),
            managed("aws_api_gateway_integration.pay", method, &[]),
            managed(
                "aws_api_gateway_deployment.this",
                json!({"rest_api_id": api, "id": deployment}),
                &["aws_api_gateway_integration.pay", "aws_api_gateway_rest_api.shop"],
            ),
            managed("aws_api_gateway_stage.live", json!({"rest_api_id": api, "stage_name": "live"}), &[]),
            managed(
                "aws_cloudwatch_metric_alarm.old",
                json!({"alarm_name": "shop-too-old"}),
                &["aws_sqs_queue.orders"],
            ),
        ];
        for resource in &mut resources {
            if resource["name"] == "run" && resource["type"] == "aws_lambda_function" {
                resource["instances"][0]["sensitive_attributes"] = json!([key]);
            }
        }
        let outputs = json!({
            "queue_url": {"value": orders, "type": "string"},
            "stripe_key": {"value": "sk_live_4242", "type": "string", "sensitive": true},
            "password": {"value": "hunter2", "type": "string", "sensitive": true},
        });
        json!({"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "shop", "outputs": outputs, "resources": resources})
    }
}

fn managed(address: &str, attributes: Value, dependencies: &[&str]) -> Value {
    let (resource_type, name) = address.split_once('.').expect("a type and a name");
    json!({
        "mode": "managed", "type": resource_type, "name": name,
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
        "instances": [{"schema_version": 0, "attributes": attributes, "dependencies": dependencies}],
    })
}

#[test]
fn what_terraform_deployed_is_taken_over_with_a_template_of_what_is_live() {
    let shop = Shop::deployed();
    let before = counts(&shop.account);
    let mut state = shop.state();
    let others = [
        managed("aws_s3_bucket.files", json!({"id": "files"}), &[]),
        managed("aws_sqs_queue.gone", json!({"url": shop.id("Orders").replace("shop-orders", "gone")}), &[]),
        managed("random_pet.name", json!({"id": "cat"}), &[]),
    ];
    state["resources"].as_array_mut().expect("a list").extend(others);

    let refused = shop.migrate(&state, &[]).exits(1).stderr;
    assert!(refused.contains("aws_s3_bucket.files: paystack does not handle `aws_s3_bucket`"), "{refused}");
    assert!(refused.contains("aws_sqs_queue.gone: it is not in AWS any more"), "{refused}");
    assert!(!shop.paystack.path().join("shop").exists(), "nothing is written");

    let Ran { stdout, stderr, .. } = shop.migrate(&state, &["--skip-unsupported"]).exits(0);
    let template = shop.paystack.read("shop/template.yaml");
    for written in [
        "deadLetterTargetArn: !GetAtt DeadQueue.Arn",
        "QUEUE_URL: !Ref OrdersQueue",
        "STRIPE_KEY: !Ref RunFunctionSTRIPEKEY",
        "LEVEL: info",
        "ManagedPolicyArns:\n        - !Ref WorkManagedPolicy",
        "RoleName: !Ref WorkerRole",
        "functions/${RunFunction.Arn}/invocations",
        "Value: !GetAtt OrdersQueue.QueueName",
        "Code: code/RunFunction.zip",
        // What is within what the state has: a queue's policy, a filter.
        "Type: AWS::SQS::QueuePolicy",
        "LogGroupName: !Ref RunLogGroup",
        // What no reference shows, and what the configuration gives.
        "Type: AWS::ApiGateway::Deployment\n    DependsOn:\n      - PayMethod\n",
        "  QueueUrl:\n    Value: !Ref OrdersQueue\n",
        "  StripeKey:\n    Value: !Ref RunFunctionSTRIPEKEY\n",
    ] {
        assert!(template.contains(written), "{written}: {template}");
    }
    for told in [&template, &stdout, &stderr, &shop.paystack.read("state/shop.json")] {
        assert!(!told.contains("sk_live_4242") && !told.contains("hunter2"), "{told}");
    }
    assert!(
        stderr.contains("Outputs that are secrets of no resource are not written into it: `password`."),
        "{stderr}"
    );
    let forget = stdout.split("terraform state rm").nth(1).expect("it says how to forget");
    assert_eq!(forget.matches("\n        '").count(), 18, "{forget}");
    assert!(
        stdout.contains("Left to Terraform: `aws_s") && stdout.contains("-p RunFunctionSTRIPEKEY='VALUE'"),
        "{stdout}"
    );
    assert_eq!(counts(&shop.account), before, "nothing was made anew");

    const SECRET: &str = "RunFunctionSTRIPEKEY=sk_live_4242";
    let plan = shop.run(&["plan", "--detailed-exitcode"], SECRET).exits(0).stdout;
    assert!(plan.contains("Nothing to change"), "{plan}");
    shop.paystack.remove("state");
    let lost = shop.run(&["plan", "--detailed-exitcode"], SECRET).exits(0).stdout;
    assert!(lost.contains("Nothing to change"), "{lost}");

    // The file that Terraform has uploaded is used where it is, and no second time written.
    std::fs::create_dir_all(shop.paystack.path().join("build")).expect("a directory can be made");
    std::fs::copy(shop.paystack.path().join("shop/code/RunFunction.zip"), shop.paystack.path().join("build/run.zip"))
        .expect("the package was downloaded");
    shop.paystack.remove("shop");
    shop.migrate(&state, &["--skip-unsupported"]).exits(0);
    assert!(shop.paystack.read("shop/template.yaml").contains("Code: ../build/run.zip"));
    assert!(!shop.paystack.path().join("shop/code").exists());

    shop.run(&["destroy", "--auto-approve"], SECRET).exits(0);
    shop.account.aws("cloudformation", "delete_stack", json!({"StackName": "demo"}));
    shop.account.census().assert_empty();
}

/// A function whose package SAM's command line has put into a bucket, with a table, a queue and an API that SAM makes up.
const SAM: &str = r#"
Transform: AWS::Serverless-2016-10-31
# AWS takes the name from the API's document, where it is the stack's; the emulator makes one up.
Globals: {Api: {Name: demo}}
Resources:
  Orders: {Type: AWS::SQS::Queue}
  Kept: {Type: AWS::Serverless::SimpleTable}
  Take:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handle
      CodeUri: s3://BUCKET/take.zip
      Policies:
        - Version: "2012-10-17"
          Statement: [{Effect: Allow, Action: "dynamodb:PutItem", Resource: !GetAtt Kept.Arn}]
      Events:
        Ordered: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, BatchSize: 5}}
        Asked: {Type: Api, Properties: {Path: /orders, Method: get}}
"#;

/// A SAM application whose names are its own.
const NAMED: &str = r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: shop-orders}}
  Kept: {Type: AWS::Serverless::SimpleTable, Properties: {TableName: shop-kept}}
  Worker:
    Type: AWS::IAM::Role
    Properties:
      RoleName: shop-worker
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Take:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: shop-take
      Runtime: python3.12
      Handler: index.handle
      InlineCode: "def handle(event, context): return {}"
      Role: !GetAtt Worker.Arn
      Events:
        Ordered: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, BatchSize: 5}}
"#;

#[test]
fn a_sam_application_with_names_of_its_own_is_taken_over_from_its_own_template() {
    let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
    deploy(&account, NAMED);
    let before = counts(&account);
    paystack.write("template.yaml", NAMED);
    let run = |arguments: &[&str], code: i32| {
        paystack.run(&account, &[arguments, &["--template", "template.yaml", "--stack", "demo"]].concat()).exits(code)
    };
    let refused = run(&["plan"], 1).stdout;
    assert!(refused.contains("was not made by paystack"), "{refused}");
    let plan = run(&["plan", "--adopt-all", "--format", "json"], 0).json();
    let summary = &plan["summary"];
    assert_eq!(
        (&summary["deleted"], &summary["replaced"], &summary["blocked"]),
        (&json!(0), &json!(0), &json!(0)),
        "{plan}"
    );
    run(&["apply", "--adopt-all", "--auto-approve"], 0);
    assert!(run(&["plan", "--detailed-exitcode"], 0).stdout.contains("Nothing to change"));
    assert_eq!(counts(&account), before, "nothing was made anew");
    run(&["destroy", "--auto-approve"], 0);
}

/// Puts a package where SAM's command line puts it.
const PACKAGE: &str = r#"
import io, sys, zipfile, boto3
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as archive:
    archive.writestr("index.py", "def handle(event, context):\n    return {}\n")
s3 = boto3.client("s3")
s3.create_bucket(Bucket=sys.argv[1])
s3.put_object(Bucket=sys.argv[1], Key="take.zip", Body=packed.getvalue())
"#;

#[test]
fn a_stack_that_sam_deployed_is_taken_over_as_it_is() {
    let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
    // Buckets are everybody's: a name is taken for good.
    let bucket = format!("packages-{}", account.number);
    account.run_python(PACKAGE, &[&bucket], &json!({}), &[]);
    deploy(&account, &SAM.replace("BUCKET", &bucket));
    let before = counts(&account);

    let migrated = paystack.run(&account, &["migrate", "cloudformation", "demo", "--auto-approve"]).exits(0);
    assert!(migrated.stdout.contains("aws cloudformation delete-stack --stack-name demo"), "{}", migrated.stdout);
    let directory = paystack.path().join("demo");
    assert!(directory.join("code/Take.zip").exists(), "the package is brought home");
    let template =
        ["demo/template.yaml", "demo/template.json"].into_iter().find(|it| paystack.path().join(it).exists());
    let stack = ["--template", template.expect("a template is written"), "--stack", "demo"];
    let again = paystack.run(&account, &[&["plan", "--detailed-exitcode"][..], &stack].concat()).exits(0);
    assert!(again.stdout.contains("Nothing to change"), "{}", again.stdout);
    assert_eq!(counts(&account), before, "nothing was made anew");
}
