//! What was there before: refused, taken over when it is asked for, and never another stack's.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Account, Paystack, Ran};

const TEMPLATE: &str = r#"
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties: {QueueName: orders, VisibilityTimeout: 45}
  Worker:
    Type: AWS::IAM::Role
    Properties:
      RoleName: worker
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  MayWork:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: work
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:*", Resource: "*"}]}
      Roles: [!Ref Worker]
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: orders, RetentionInDays: 30}
  Failures:
    Type: AWS::Logs::QueryDefinition
    Properties: {Name: failures, QueryString: "fields @message | limit 20"}
  TooOld:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: too-old
      Namespace: AWS/SQS
      MetricName: ApproximateAgeOfOldestMessage
      Statistic: Maximum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 300
      ComparisonOperator: GreaterThanThreshold
"#;

const ALL: [&str; 6] = ["Failures", "Logs", "MayWork", "Orders", "TooOld", "Worker"];

struct Story {
    paystack: Paystack,
    account: Account,
}

impl Story {
    fn begin(template: &str) -> Self {
        let paystack = Paystack::in_empty_directory();
        paystack.write("orders.yaml", template);
        Self { paystack, account: Account::fresh() }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_as("orders", arguments)
    }

    fn run_as(&self, stack: &str, arguments: &[&str]) -> Ran {
        let arguments = [arguments, &["--template", "orders.yaml", "--stack", stack]].concat();
        self.paystack.run(&self.account, &arguments)
    }

    /// Makes by hand what the template declares, here and there otherwise.
    fn somebody_makes_it_all(&self) {
        let aws = |service, operation, arguments| self.account.aws(service, operation, arguments);
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
            ],
        });
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}],
        });
        aws("sqs", "create_queue", json!({"QueueName": "orders", "Attributes": {"VisibilityTimeout": "60"}}));
        aws("iam", "create_role", json!({"RoleName": "worker", "AssumeRolePolicyDocument": trust.to_string()}));
        aws("iam", "create_policy", json!({"PolicyName": "work", "PolicyDocument": policy.to_string()}));
        let attached = json!({"RoleName": "worker", "PolicyArn": self.policy_arn()});
        aws("iam", "attach_role_policy", attached);
        aws("logs", "create_log_group", json!({"logGroupName": "orders"}));
        let query = json!({"name": "failures", "queryString": "fields @message | limit 20"});
        aws("logs", "put_query_definition", query);
        aws(
            "cloudwatch",
            "put_metric_alarm",
            json!({
                "AlarmName": "too-old",
                "Namespace": "AWS/SQS",
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Statistic": "Maximum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 600.0,
                "ComparisonOperator": "GreaterThanThreshold",
            }),
        );
    }

    fn policy_arn(&self) -> String {
        format!("arn:aws:iam::{}:policy/work", self.account.number)
    }

    /// What AWS gives each thing once, when it is made.
    fn births(&self) -> Vec<Value> {
        let queue = self.account.aws("sqs", "get_queue_url", json!({"QueueName": "orders"}))["QueueUrl"].clone();
        let ask = |service, operation, arguments, pointer: &str| {
            let answer = self.account.aws(service, operation, arguments);
            answer.pointer(pointer).unwrap_or_else(|| panic!("{answer} has no {pointer}")).clone()
        };
        let created = json!({"QueueUrl": queue, "AttributeNames": ["CreatedTimestamp"]});
        vec![
            ask("sqs", "get_queue_attributes", created, "/Attributes/CreatedTimestamp"),
            ask("iam", "get_role", json!({"RoleName": "worker"}), "/Role/RoleId"),
            ask("iam", "get_policy", json!({"PolicyArn": self.policy_arn()}), "/Policy/PolicyId"),
            ask("logs", "describe_log_groups", json!({}), "/logGroups/0/creationTime"),
            ask("logs", "describe_query_definitions", json!({}), "/queryDefinitions/0/queryDefinitionId"),
        ]
    }
}

#[test]
fn what_somebody_made_is_taken_over_when_it_is_asked_for_and_not_before() {
    let story = Story::begin(TEMPLATE);
    story.somebody_makes_it_all();
    let (before, births) = (story.account.census(), story.births());

    let plan = story.run(&["plan"]).exits(1);
    for id in ALL {
        assert!(plan.stdout.contains(&format!("take it over with `--adopt {id}`")), "{id}: {}", plan.stdout);
    }
    story.run(&["apply", "--auto-approve"]).exits(1);
    story.run(&["apply", "--auto-approve", "--adopt", "Orders"]).exits(1);
    assert_eq!(story.account.census(), before, "nothing is changed while anything is blocked");

    let adopt: Vec<&str> = ALL.iter().flat_map(|id| ["--adopt", id]).collect();
    let plan = story.run(&[&["plan"], &adopt[..]].concat()).exits(0).stdout;
    assert_eq!(plan.matches("\n    <~ ").count(), ALL.len(), "{plan}");
    assert!(plan.contains("VisibilityTimeout: 60 -> 45") && plan.contains("6 to adopt"), "{plan}");
    assert_eq!(story.account.census(), before, "a plan changes nothing");

    story.run(&[&["apply", "--auto-approve"], &adopt[..]].concat()).exits(0);
    assert_eq!(story.births(), births, "nothing is made anew");
    story.run(&["plan", "--detailed-exitcode"]).exits(0);
    story.paystack.remove("state");
    story.run(&["plan", "--detailed-exitcode"]).exits(0);

    story.run(&["destroy", "--auto-approve"]).exits(0);
    story.account.census().assert_empty();
}

#[test]
fn what_is_another_stacks_is_refused_though_it_is_asked_for() {
    let story = Story::begin(TEMPLATE);
    story.run_as("theirs", &["apply", "--auto-approve"]).exits(0);
    let before = story.account.census();
    let adopt: Vec<&str> = ALL.iter().flat_map(|id| ["--adopt", id]).collect();
    for command in [&["plan"][..], &["apply", "--auto-approve"]] {
        let refused = story.run(&[command, &adopt[..]].concat()).exits(1);
        let belongs = refused.stdout.matches("belongs to the stack `theirs`").count();
        // Names of saved queries may repeat: this stack gets one of its own.
        assert_eq!(belongs, ALL.len() - 1, "{}", refused.stdout);
    }
    assert_eq!(story.account.census(), before);
    story.run_as("theirs", &["destroy", "--auto-approve"]).exits(0);
    story.account.census().assert_empty();
}

#[test]
fn what_was_attached_to_a_replaced_role_is_attached_again_by_the_same_apply() {
    let story = Story::begin(TEMPLATE);
    story.run(&["apply", "--auto-approve"]).exits(0);
    story.paystack.replace("orders.yaml", "RoleName: worker\n", "RoleName: worker\n      Path: /service/\n");
    story.run(&["apply", "--auto-approve"]).exits(0);
    let attached = story.account.aws("iam", "list_attached_role_policies", json!({"RoleName": "worker"}));
    assert_eq!(attached["AttachedPolicies"][0]["PolicyArn"], story.policy_arn(), "{attached}");
    story.run(&["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn the_value_of_an_api_key_is_told_to_aws_and_to_nobody_else() {
    const VALUES: [&str; 2] = ["tr0ub4dor-tr0ub4dor-1", "t00-short"];
    let key = |value: &str| {
        format!("Resources: {{Key: {{Type: AWS::ApiGateway::ApiKey, Properties: {{Name: acme, Value: {value}}}}}}}")
    };
    let story = Story::begin(&key(VALUES[0]));
    let mut told = Vec::new();
    let mut tell = |ran: Ran| told.push(ran.stdout + &ran.stderr);
    tell(story.run(&["plan"]).exits(0));
    tell(story.run(&["plan", "--format", "json"]).exits(0));
    tell(story.run(&["apply", "--auto-approve", "--format", "json"]).exits(0));
    tell(story.run(&["plan", "--detailed-exitcode"]).exits(0));
    let keys = story.account.aws("apigateway", "get_api_keys", json!({"includeValues": true}));
    assert_eq!(keys["items"][0]["value"], VALUES[0]);
    story.paystack.write("orders.yaml", &key(VALUES[1]));
    tell(story.run(&["apply", "--auto-approve"]).exits(1));
    told.push(story.paystack.read("state/orders.json"));
    let told = told.concat();
    assert!(VALUES.iter().all(|value| !told.contains(value)), "{told}");
}

/// Lets CloudFormation deploy a template as the stack `demo`.
#[track_caller]
pub fn deploy(account: &Account, template: &str) {
    let asked = json!({
        "StackName": "demo",
        "TemplateBody": template,
        "Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    });
    account.aws("cloudformation", "create_stack", asked);
    let mut status = String::new();
    for _ in 0..240 {
        let stacks = account.aws("cloudformation", "describe_stacks", json!({"StackName": "demo"}));
        status = stacks["Stacks"][0]["StackStatus"].as_str().unwrap_or_default().to_owned();
        if !status.ends_with("_IN_PROGRESS") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(250));
    }
    assert_eq!(status, "CREATE_COMPLETE");
}

/// What others have deployed from a template is taken over whole, changes nothing that runs, and is paystack's from then on.
#[track_caller]
fn is_taken_over_from_cloudformation(example: &str, marks: usize) {
    let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
    let path = format!("examples/{example}.yaml");
    paystack.copy(&path);
    deploy(&account, &paystack.read(&path));
    let before = counts(&account);

    let run = |arguments: &[&str], code: i32| {
        let stack = ["--template", &path, "--stack", "demo"];
        paystack.run(&account, &[arguments, &stack].concat()).exits(code)
    };
    let refused = run(&["plan"], 1).stdout;
    assert!(refused.contains("was not made by paystack"), "{example}: {refused}");
    let plan = run(&["plan", "--adopt-all", "--format", "json"], 0).json();
    let summary = &plan["summary"];
    assert_eq!((&summary["adopted"], &summary["blocked"]), (&json!(marks), &json!(0)), "{example}: {summary}");
    assert_eq!((&summary["deleted"], &summary["replaced"]), (&json!(0), &json!(0)), "{example}: {summary}");
    run(&["apply", "--adopt-all", "--auto-approve"], 0);
    assert!(run(&["plan", "--detailed-exitcode"], 0).stdout.contains("Nothing to change"), "{example}");
    let after = counts(&account);
    assert_eq!(before, after, "{example}: nothing was made anew");
    run(&["destroy", "--auto-approve"], 0);
}

/// How many there are of each kind.
pub fn counts(account: &Account) -> BTreeMap<String, usize> {
    account.census().counts().into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect()
}

#[test]
fn queues_that_cloudformation_deployed_are_taken_over_whole() {
    is_taken_over_from_cloudformation("queue-with-dlq", 2);
}

#[test]
fn a_table_that_cloudformation_deployed_is_taken_over_whole() {
    is_taken_over_from_cloudformation("table-with-indexes", 1);
}

#[test]
fn a_topic_with_its_queue_that_cloudformation_deployed_is_taken_over_whole() {
    is_taken_over_from_cloudformation("topic-to-queue", 2);
}

#[test]
fn a_function_with_its_role_that_cloudformation_deployed_is_taken_over_whole() {
    is_taken_over_from_cloudformation("inline-function", 4);
}

/// Names that CloudFormation makes up, and things that have none.
const UNNAMED: &str = r#"
Parameters:
  Stage: {Type: String, Default: live}
Resources:
  # What customers send.
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 45 # seconds
  OrdersPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Orders]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:SendMessage", Resource: !GetAtt Orders.Arn}
  Events:
    Type: AWS::SNS::Topic
  EventsToOrders:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Events, Protocol: sqs, Endpoint: !GetAtt Orders.Arn}
  Logs:
    Type: AWS::Logs::LogGroup
  Worker:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: demo, EndpointConfiguration: {Types: [REGIONAL]}}
  Status:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: status}
  GetStatus:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Status
      HttpMethod: GET
      AuthorizationType: NONE
      Integration: {Type: MOCK, RequestTemplates: {application/json: '{"statusCode": 200}'}}
  Deployment:
    Type: AWS::ApiGateway::Deployment
    DependsOn: GetStatus
    Properties: {RestApiId: !Ref Api}
  LiveStage:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: !Ref Stage}
"#;

#[test]
fn a_stack_of_cloudformations_is_migrated_without_making_anything_anew() {
    let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
    deploy(&account, UNNAMED);
    let before = counts(&account);

    let migrated = paystack.run(&account, &["migrate", "cloudformation", "demo", "--auto-approve"]).exits(0);
    assert!(migrated.stdout.contains("aws cloudformation delete-stack --stack-name demo"), "{}", migrated.stdout);
    let template = paystack.read("demo/template.yaml");
    assert!(template.contains("QueueName: \"demo-"), "{template}");
    assert!(template.contains("VisibilityTimeout: 45 # seconds"), "comments stay: {template}");
    assert_eq!(paystack.read("demo/retained.yaml").matches("DeletionPolicy: \"Retain\"").count(), 11);

    let stack = ["--template", "demo/template.yaml", "--stack", "demo"];
    let again = paystack.run(&account, &[&["plan", "--detailed-exitcode"][..], &stack].concat()).exits(0);
    assert!(again.stdout.contains("Nothing to change"), "{}", again.stdout);
    assert_eq!(counts(&account), before, "nothing was made anew");
    // What is marked is found without the ledger too.
    std::fs::remove_dir_all(paystack.path().join("state")).expect("the ledger can be lost");
    let lost = paystack.run(&account, &[&["plan", "--detailed-exitcode"][..], &stack].concat()).exits(0);
    assert!(lost.stdout.contains("Nothing to change"), "{}", lost.stdout);
}
