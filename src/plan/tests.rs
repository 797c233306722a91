//! What a plan says of a template and an account: the account in memory stands for AWS, the text view for people.

use expect_test::expect;
use serde_json::json;

use crate::fake::Call;
use crate::fake::line::{Account, desired, desired_with, full_text_of, json_of, text_of};
use crate::graph::Reason;
use crate::plan::{Options, Plan};

const QUEUE: &str = "AWS::SQS::Queue";

/// An account to which a template has been applied.
fn applied(template: &str) -> Account {
    let account = Account::default();
    let report = account.apply(&desired(template)).expect("nothing crashes");
    assert!(report.is_complete(), "{report:#?}");
    account
}

/// The plan from one template to another, without its first and last line.
fn plan_of(template: &str, live: &str) -> String {
    shown(&applied(live), template)
}

fn shown(account: &Account, template: &str) -> String {
    steps_of(&text_of(&account.plan(&desired(template))))
}

fn shown_in_full(account: &Account, template: &str) -> String {
    steps_of(&full_text_of(&account.plan(&desired(template))))
}

/// The steps alone, with a heading over each kind of them.
fn steps_of(text: &str) -> String {
    let steps = text.lines().skip(2).filter(|line| !line.starts_with("Plan: ")).collect::<Vec<_>>();
    format!("{}\n", steps.join("\n").trim_end())
}

/// Only the first line of each step, and those with the given text; none of it indented as a whole.
fn heads(text: &str, further: &str) -> String {
    let is_shown = |line: &&str| line.starts_with("    ") && (!line.starts_with("     ") || line.contains(further));
    text.lines().filter(is_shown).map(|line| format!("{}\n", &line[4..])).collect()
}

fn queue(properties: &str) -> String {
    format!("Resources: {{Orders: {{Type: AWS::SQS::Queue, Properties: {{{properties}}}}}}}")
}

#[test]
fn what_is_not_there_is_created_with_the_names_that_follow_from_the_template() {
    expect![[r#"
        + create

            + Orders  AWS::SQS::Queue
                  ContentBasedDeduplication: false
                  DelaySeconds: 5
                  FifoQueue: false
                  MaximumMessageSize: 1048576
                  MessageRetentionPeriod: 345600
                  QueueName: orders-dev-Orders-85c9532c
                  ReceiveMessageWaitTimeSeconds: 0
                  SqsManagedSseEnabled: true
                  Tags: paystack:resource=Orders, paystack:stack=orders-dev
                  VisibilityTimeout: 30
    "#]]
    .assert_eq(&shown_in_full(&Account::default(), &queue("DelaySeconds: 5")));
}

#[test]
fn what_is_as_the_template_says_is_left_alone() {
    expect![[r#"
        Nothing to change: AWS is as the template says.
    "#]]
    .assert_eq(&plan_of(&queue("QueueName: orders"), &queue("QueueName: orders")));
}

#[test]
fn a_change_says_whether_the_template_or_somebody_else_made_it() {
    let account = applied(&queue("QueueName: orders, DelaySeconds: 1, VisibilityTimeout: 10"));
    account.aws.meddle(QUEUE, |queue| {
        queue["DelaySeconds"] = json!(2);
        queue["MessageRetentionPeriod"] = json!(60);
    });
    let template = queue("QueueName: orders, DelaySeconds: 3, VisibilityTimeout: 20");
    expect![[r#"
        ~ update in-place

            ~ Orders  AWS::SQS::Queue [https://sqs.us-east-1.amazonaws.com/123456789012/orders]
                  DelaySeconds: 2 -> 3  (template and drift)
                  MessageRetentionPeriod: 60 -> 345600  (drift)
                  VisibilityTimeout: 10 -> 20  (template)
    "#]]
    .assert_eq(&shown(&account, &template));
    account.ledgers.lose();
    expect![[r#"
        ~ update in-place

            ~ Orders  AWS::SQS::Queue [https://sqs.us-east-1.amazonaws.com/123456789012/orders]
                  DelaySeconds: 2 -> 3  (differs)
                  MessageRetentionPeriod: 60 -> 345600  (differs)
                  VisibilityTimeout: 10 -> 20  (differs)
    "#]]
    .assert_eq(&shown(&account, &template));
}

#[test]
fn a_property_that_left_the_template_goes_back_to_the_default() {
    expect![[r#"
        ~ update in-place

            ~ Orders  AWS::SQS::Queue [https://sqs.us-east-1.amazonaws.com/123456789012/orders]
                  DelaySeconds: 9 -> 0  (template)
    "#]]
    .assert_eq(&plan_of(&queue("QueueName: orders"), &queue("QueueName: orders, DelaySeconds: 9")));
}

#[test]
fn a_queue_under_another_name_is_another_queue() {
    expect![[r#"
        +/- replace (create first)

            +/- Orders  AWS::SQS::Queue [https://sqs.us-east-1.amazonaws.com/123456789012/orders]
                  QueueName: orders -> orders-v2  (template, forces replacement)
    "#]]
    .assert_eq(&plan_of(&queue("QueueName: orders-v2"), &queue("QueueName: orders")));
}

#[test]
fn what_left_the_template_is_deleted() {
    expect![[r#"
        - destroy

            AWS::SQS
            - Orders  Queue  [https://sqs.us-east-1.amazonaws.com/123456789012/orders]  # not in the template
    "#]]
    .assert_eq(&plan_of("Resources: {}", &queue("QueueName: orders")));
}

#[test]
fn what_somebody_else_made_is_not_touched_until_it_is_adopted() {
    let account = Account::default();
    account.aws.plant(QUEUE, json!({"QueueName": "orders", "DelaySeconds": 7}));
    let desired = desired(&queue("QueueName: orders"));
    expect![[r#"
        ! blocked

            ! Orders  AWS::SQS::Queue [https://sqs.us-east-1.amazonaws.com/123456789012/orders]
                  `https://sqs.us-east-1.amazonaws.com/123456789012/orders` exists and was not made by paystack
                  help: take it over with `--adopt Orders`, or give this resource another name
    "#]]
    .assert_eq(&steps_of(&text_of(&account.plan(&desired))));
    let options = Options { adopt: ["Orders".into()].into(), ..Options::default() };
    expect![[r#"
        <~ adopt

            <~ Orders  AWS::SQS::Queue [https://sqs.us-east-1.amazonaws.com/123456789012/orders]
                  DelaySeconds: 7 -> 0  (differs)
                  Tags: (none) -> paystack:resource=Orders, paystack:stack=orders-dev  (differs)
    "#]]
    .assert_eq(&steps_of(&text_of(&account.plan_with(&desired, &options))));
}

#[test]
fn what_is_another_stacks_is_never_touched() {
    let account = Account::default();
    let tags = json!([
        {"Key": "paystack:resource", "Value": "TheirOrders"},
        {"Key": "paystack:stack", "Value": "theirs"},
    ]);
    account.aws.plant(QUEUE, json!({"QueueName": "orders", "Tags": tags}));
    let options = Options { adopt: ["Orders".into()].into(), ..Options::default() };
    let plan = account.plan_with(&desired(&queue("QueueName: orders")), &options);
    expect![[r#"
        ! blocked

            ! Orders  AWS::SQS::Queue [https://sqs.us-east-1.amazonaws.com/123456789012/orders]
                  `https://sqs.us-east-1.amazonaws.com/123456789012/orders` belongs to the stack `theirs` (as `TheirOrders`)
                  help: give this resource another name, or destroy it in the other stack first
    "#]].assert_eq(&steps_of(&text_of(&plan)));
}

#[test]
fn what_cannot_be_looked_at_is_not_taken_for_absent() {
    let account = applied(&queue("QueueName: orders"));
    account.aws.forbid(QUEUE);
    expect![[r#"
        ! blocked

            ! Orders  AWS::SQS::Queue
                  `fake.Read` failed: you may not look at this
                  help: allow `fake:Read`; `paystack policy --deployer` shows all that the template needs
    "#]]
    .assert_eq(&shown(&account, &queue("QueueName: orders")));
}

#[test]
fn what_was_deleted_outside_is_made_again() {
    let account = applied(&queue("QueueName: orders"));
    account.aws.lose(QUEUE);
    expect![[r#"
            AWS::SQS
            + Orders  Queue  orders, hidden 30 s, kept 4 days  # drift: it was deleted outside of paystack
    "#]]
    .assert_eq(&heads(&shown(&account, &queue("QueueName: orders")), "QueueName"));
}

#[test]
fn a_secret_is_in_no_plan_and_in_no_ledger() {
    const TEMPLATE: &str = "
        Parameters: {ApiToken: {Type: String, NoEcho: true}}
        Resources:
          Charge:
            Type: AWS::Lambda::Function
            Properties:
              FunctionName: charge
              Role: arn:aws:iam::123456789012:role/charge
              Runtime: python3.13
              Handler: index.handler
              Code: {ZipFile: 'pass'}
              Environment: {Variables: {TOKEN: !Ref ApiToken}}
        ";
    let account = Account::default();
    let first = desired_with(TEMPLATE, &[("ApiToken", "tr0ub4dor")]);
    let mut shown = text_of(&account.plan(&first)) + &json_of(&account.plan(&first)).to_string();
    account.apply(&first);
    let second = desired_with(TEMPLATE, &[("ApiToken", "c0rrect-h0rse")]);
    let plan = account.plan(&second);
    expect![[r#"
        ~ update in-place

            ~ Charge  AWS::Lambda::Function [charge]
                  Environment.Variables.TOKEN: (sensitive) -> (sensitive)  (template)
    "#]]
    .assert_eq(&steps_of(&text_of(&plan)));
    shown += &(text_of(&plan) + &json_of(&plan).to_string() + &account.ledgers.text());
    assert!(!shown.contains("tr0ub4dor") && !shown.contains("c0rrect"), "{shown}");
}

#[test]
fn an_api_keys_value_is_in_no_plan_and_in_no_ledger_though_the_template_writes_it_down() {
    let key = |value: &str| {
        desired(&format!(
            "Resources: {{Key: {{Type: AWS::ApiGateway::ApiKey, Properties: {{Name: acme, Value: {value}}}}}}}"
        ))
    };
    let account = Account::default();
    let first = key("tr0ub4dor-tr0ub4dor-1");
    let mut shown = text_of(&account.plan(&first)) + &json_of(&account.plan(&first)).to_string();
    account.apply(&first);
    let second = key("c0rrect-h0rse-battery");
    let plan = account.plan(&second);
    expect![[r#"
        -/+ replace

            -/+ Key  AWS::ApiGateway::ApiKey [apikey1]
                  Value: (sensitive) -> (sensitive)  (template, forces replacement)

        ! lost for good, if this is applied

            Key [apikey1]: its value: whoever uses the key has to be given the new one
    "#]]
    .assert_eq(&steps_of(&text_of(&plan)));
    shown += &(text_of(&plan) + &json_of(&plan).to_string() + &account.ledgers.text());
    shown += &json_of(&account.destruction(&second)).to_string();
    assert!(!shown.contains("tr0ub4dor") && !shown.contains("c0rrect"), "{shown}");
}

const FUNCTION_AND_LOG_GROUP: &str = "
    Resources:
      Logs:
        Type: AWS::Logs::LogGroup
        Properties: {LogGroupName: /aws/lambda/charge, RetentionInDays: 30}
      Charge:
        Type: AWS::Lambda::Function
        Properties:
          FunctionName: charge
          Role: arn:aws:iam::123456789012:role/charge
          Runtime: python3.13
          Handler: index.handler
          Code: {ZipFile: 'pass'}
    ";

fn log_group_step(account: &Account) -> String {
    let plan = account.plan(&desired(FUNCTION_AND_LOG_GROUP));
    let step = plan.steps.iter().find(|step| step.logical_id.as_str() == "Logs").expect("it is planned");
    text_of(&Plan { steps: vec![step.clone()], ..plan }).lines().nth(4).unwrap_or_default().trim().to_owned()
}

#[test]
fn the_log_group_that_lambda_made_for_a_function_of_the_stack_is_taken_over_unasked() {
    let account = Account::default();
    account.aws.plant("AWS::Logs::LogGroup", json!({"LogGroupName": "/aws/lambda/charge"}));
    expect!["<~ Logs  AWS::Logs::LogGroup [/aws/lambda/charge]"].assert_eq(&log_group_step(&account));
}

#[test]
fn a_log_group_that_somebody_made_for_a_function_or_that_somebodys_function_writes_into_is_not() {
    let account = Account::default();
    let tags = json!([{"Key": "Owner", "Value": "somebody"}]);
    account.aws.plant("AWS::Logs::LogGroup", json!({"LogGroupName": "/aws/lambda/charge", "Tags": tags}));
    expect!["! Logs  AWS::Logs::LogGroup [/aws/lambda/charge]"].assert_eq(&log_group_step(&account));

    let account = Account::default();
    account.aws.plant("AWS::Logs::LogGroup", json!({"LogGroupName": "/aws/lambda/charge"}));
    account.aws.plant("AWS::Lambda::Function", json!({"FunctionName": "charge", "Role": "theirs"}));
    expect!["! Logs  AWS::Logs::LogGroup [/aws/lambda/charge]"].assert_eq(&log_group_step(&account));
}

#[test]
fn a_log_group_of_another_class_is_another_log_group() {
    let logs = |class: &str| {
        format!(
            "Resources: {{Logs: {{Type: AWS::Logs::LogGroup, \
             Properties: {{LogGroupName: logs, LogGroupClass: {class}}}}}}}"
        )
    };
    expect![[r#"
        -/+ replace

            -/+ Logs  AWS::Logs::LogGroup [logs]
                  LogGroupClass: STANDARD -> INFREQUENT_ACCESS  (template, forces replacement)
    "#]]
    .assert_eq(&plan_of(&logs("INFREQUENT_ACCESS"), &logs("STANDARD")));
}

#[test]
fn an_attribute_of_a_tables_key_cannot_change_its_type_and_one_of_an_index_can() {
    let table = |key: &str, index: &str| {
        format!(
            "
            Resources:
              Orders:
                Type: AWS::DynamoDB::Table
                Properties:
                  TableName: orders
                  BillingMode: PAY_PER_REQUEST
                  AttributeDefinitions:
                    - {{AttributeName: id, AttributeType: {key}}}
                    - {{AttributeName: state, AttributeType: {index}}}
                  KeySchema: [{{AttributeName: id, KeyType: HASH}}]
                  GlobalSecondaryIndexes:
                    - IndexName: by-state
                      KeySchema: [{{AttributeName: state, KeyType: HASH}}]
                      Projection: {{ProjectionType: ALL}}
            "
        )
    };
    expect![[r#"
        -/+ replace

            -/+ Orders  AWS::DynamoDB::Table [orders]
                  AttributeDefinitions[0].AttributeType: S -> N  (template, forces replacement)
    "#]]
    .assert_eq(&plan_of(&table("N", "S"), &table("S", "S")));
    expect![[r#"
        ~ update in-place

            ~ Orders  AWS::DynamoDB::Table [orders]
                  AttributeDefinitions[1].AttributeType: S -> N  (template)
    "#]]
    .assert_eq(&plan_of(&table("S", "N"), &table("S", "S")));
}

#[test]
fn what_was_attached_to_a_replaced_role_is_attached_again() {
    let role_and_policy = |path: &str| {
        format!(
            "
            Resources:
              Worker:
                Type: AWS::IAM::Role
                Properties: {{RoleName: worker, Path: {path}, AssumeRolePolicyDocument: {{Statement: []}}}}
              Policy:
                Type: AWS::IAM::ManagedPolicy
                Properties: {{ManagedPolicyName: work, PolicyDocument: {{Statement: []}}, Roles: [!Ref Worker]}}
            "
        )
    };
    expect![[r#"
        ~ update in-place

            ~ Policy  AWS::IAM::ManagedPolicy [arn:aws:iam::123456789012:policy/work]
                  Roles: (none) -> ["worker"]  (put back after a replacement)

        -/+ replace

            -/+ Worker  AWS::IAM::Role [worker]
                  Path: / -> /service/  (template, forces replacement)
    "#]]
    .assert_eq(&plan_of(&role_and_policy("/service/"), &role_and_policy("/")));
}

/// An API with one method and a stage; `$1` stands for what the method is like.
const API: &str = "
Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: orders}}
  Orders:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: orders}
  List:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Orders
      HttpMethod: GET
      AuthorizationType: NONE
      ApiKeyRequired: false
      Integration: {Type: MOCK}
  Deployment: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api}}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: v1}
";

#[test]
fn what_only_aws_can_say_is_not_guessed() {
    expect![[r#"
            + Api  AWS::ApiGateway::RestApi
            + Orders  AWS::ApiGateway::Resource
                  ParentId: (known after apply)
                  RestApiId: (known after apply)
            + List  AWS::ApiGateway::Method
                      "CacheNamespace": "(known after apply)",
                  ResourceId: (known after apply)
                  RestApiId: (known after apply)
            + Deployment  AWS::ApiGateway::Deployment
                  RestApiId: (known after apply)
            + Stage  AWS::ApiGateway::Stage
                  DeploymentId: (known after apply)
                  RestApiId: (known after apply)
    "#]]
    .assert_eq(&heads(&shown_in_full(&Account::default(), API), "known after apply"));
}

#[test]
fn a_method_that_changes_is_deployed_anew_and_the_stage_follows() {
    expect![[r#"
        ~ update in-place

            ~ List  AWS::ApiGateway::Method [restapi1|resource2|GET]
                  ApiKeyRequired: false -> true  (template)

            ~ Stage  AWS::ApiGateway::Stage [restapi1|v1]
                  DeploymentId: deployment4 -> (known after apply)  (template, follows `Deployment`)

        +/- replace (create first)

            +/- Deployment  AWS::ApiGateway::Deployment [deployment4|restapi1]
                  ContentDigest: e09f153d002abf03 -> ed21f92119c1d355  (template, forces replacement)
                  `Stage` follows
    "#]]
    .assert_eq(&plan_of(&API.replace("Required: false", "Required: true"), API));
}

#[test]
fn a_path_is_replaced_with_all_that_is_in_it() {
    expect![[r#"
        ~ update in-place

            ~ Stage  AWS::ApiGateway::Stage [restapi1|v1]
                  DeploymentId: deployment4 -> (known after apply)  (template, follows `Deployment`)

        +/- replace (create first)

            +/- Deployment  AWS::ApiGateway::Deployment [deployment4|restapi1]
                  ContentDigest: e09f153d002abf03 -> bc7bbbc73f1358d4  (template, forces replacement)
                  `Stage` follows

        -/+ replace

            -/+ Orders  AWS::ApiGateway::Resource [restapi1|resource2]
                  PathPart: orders -> bills  (template, forces replacement)
                  `List` follows

            -/+ List  AWS::ApiGateway::Method [restapi1|resource2|GET]  # goes with `Orders`
                  Integration.CacheNamespace: resource2 -> (known after apply)  (template, follows `Orders`)
                  ResourceId: resource2 -> (known after apply)  (template, follows `Orders`, forces replacement)
    "#]]
    .assert_eq(&plan_of(&API.replace("PathPart: orders", "PathPart: bills"), API));
}

#[test]
fn a_new_logical_id_for_the_same_name_moves_the_mark() {
    let renamed = queue("QueueName: orders").replace("Orders:", "AllOrders:");
    expect![[r#"
        ~ update in-place

            ~ AllOrders  AWS::SQS::Queue [https://sqs.us-east-1.amazonaws.com/123456789012/orders]
                  Tags[0].Value: Orders -> AllOrders  (differs)
    "#]]
    .assert_eq(&plan_of(&renamed, &queue("QueueName: orders")));
}

#[test]
fn a_new_logical_id_without_a_name_is_another_queue() {
    let plan = plan_of(&queue("").replace("Orders:", "AllOrders:"), &queue(""));
    expect![[r#"
            AWS::SQS
            + AllOrders  Queue  orders-dev-AllOrders-6303e687, hidden 30 s, kept 4 days
            AWS::SQS
            - Orders  Queue  [https://sqs.us-east-1.amazonaws.com/123456789012/orders-dev-Orders-85c9532c]  # not in the template
    "#]].assert_eq(&heads(&plan, "QueueName"));
}

#[test]
fn another_type_under_the_same_logical_id_is_a_new_resource_and_a_deletion() {
    let topic = "Resources: {Orders: {Type: AWS::SNS::Topic, Properties: {TopicName: orders}}}";
    expect![[r#"
            AWS::SNS
            + Orders  Topic  orders
            AWS::SQS
            - Orders  Queue  [https://sqs.us-east-1.amazonaws.com/123456789012/orders]  # its name now stands for another type
    "#]].assert_eq(&heads(&plan_of(topic, &queue("QueueName: orders")), "TopicName"));
}

#[test]
fn a_replacement_that_somebody_asks_for_says_so() {
    let account = applied(&queue("QueueName: orders"));
    let options = Options { replace: ["Orders".into()].into(), ..Options::default() };
    let plan = account.plan_with(&desired(&queue("QueueName: orders")), &options);
    expect![[r#"
        -/+ replace

            -/+ Orders  AWS::SQS::Queue [https://sqs.us-east-1.amazonaws.com/123456789012/orders]  # as asked for
    "#]]
    .assert_eq(&steps_of(&text_of(&plan)));
}

#[test]
fn a_stack_is_found_again_when_nothing_is_remembered_of_it() {
    let account = applied(API);
    account.ledgers.lose();
    expect![[r#"
        Nothing to change: AWS is as the template says.
    "#]]
    .assert_eq(&shown(&account, API));
    expect![[r#"
        - destroy

            AWS::ApiGateway
            - (restapi1|resource2)      Resource    [restapi1|resource2]  # part of the stack's own, and not in the template
            - (restapi1|resource2|GET)  Method      [restapi1|resource2|GET]  # part of the stack's own, and not in the template
            - Api                       RestApi     [restapi1]  # not in the template
            - Deployment                Deployment  [deployment4|restapi1]  # not in the template
            - Stage                     Stage       [restapi1|v1]  # not in the template
    "#]].assert_eq(&shown(&account, "Resources: {}"));
}

#[test]
fn what_is_destroyed_goes_from_the_outside_in() {
    let account = applied(API);
    let desired = desired(API);
    account.destroy(&desired);
    let calls = account.aws.calls().into_iter().filter_map(|call| match call {
        Call::Delete(resource_type, id) => Some(format!("{resource_type} {id}\n")),
        Call::Create(..) | Call::Update(..) => None,
    });
    expect![[r#"
        AWS::ApiGateway::Stage restapi1|v1
        AWS::ApiGateway::Deployment deployment4|restapi1
        AWS::ApiGateway::Method restapi1|resource2|GET
        AWS::ApiGateway::Resource restapi1|resource2
        AWS::ApiGateway::RestApi restapi1
    "#]]
    .assert_eq(&calls.collect::<String>());
}

#[test]
fn what_every_cloudformation_user_has_to_know_by_heart_is_known() {
    let desired = desired(
        "
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]}
  MayRead:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: read
      Roles: [!Ref Role]
      PolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Action: 'sqs:*', Resource: '*'}]}
  MayCallItself:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: call
      Roles: [!Ref Role]
      PolicyDocument:
        {Version: '2012-10-17', Statement: [{Effect: Allow, Action: 'lambda:InvokeFunction', Resource: !GetAtt Charge.Arn}]}
  Charge:
    Type: AWS::Lambda::Function
    Properties:
      {FunctionName: charge, Role: !GetAtt Role.Arn, Runtime: python3.13, Handler: index.handler, Code: {ZipFile: pass}}
  Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /aws/lambda/charge}}
  Errors:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: /aws/lambda/charge
      FilterPattern: ERROR
      MetricTransformations: [{MetricName: errors, MetricNamespace: orders, MetricValue: '1'}]
  Paid: {Type: AWS::SNS::Topic, Properties: {TopicName: paid}}
  Bills: {Type: AWS::SQS::Queue, Properties: {QueueName: bills}}
  BillsPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Bills]
      PolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: '*', Action: 'sqs:SendMessage', Resource: '*'}]}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Paid, Protocol: sqs, Endpoint: !GetAtt Bills.Arn}
  Account: {Type: AWS::ApiGateway::Account, Properties: {CloudWatchRoleArn: !GetAtt Role.Arn}}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: orders}}
  Ping:
    Type: AWS::ApiGateway::Method
    Properties:
      {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: NONE,
       Integration: {Type: MOCK}}
  Deployment: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api}}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: v1, DocumentationVersion: '1'}
  Plan:
    Type: AWS::ApiGateway::UsagePlan
    Properties: {ApiStages: [{ApiId: !Ref Api, Stage: v1}]}
  Edition:
    Type: AWS::ApiGateway::DocumentationVersion
    Properties: {RestApiId: !Ref Api, DocumentationVersion: '1'}
  Said:
    Type: AWS::ApiGateway::DocumentationPart
    Properties: {RestApiId: !Ref Api, Location: {Type: API}, Properties: '{}'}
  Mapping:
    Type: AWS::ApiGateway::BasePathMapping
    Properties: {DomainName: api.example.com, RestApiId: !Ref Api, Stage: v1}
  Domain: {Type: AWS::ApiGateway::DomainName, Properties: {DomainName: api.example.com}}
",
    );
    let waits = desired.graph.resources.keys().flat_map(|id| {
        let reasons = desired.dependencies.reasons(id);
        reasons.filter_map(move |(on, reason)| match reason {
            Reason::Implied(because) => Some(format!("{id} waits for {on}: {because}\n")),
            Reason::Reference | Reason::DependsOn => None,
        })
    });
    expect![[r#"
        Charge waits for Log: a function that runs first makes a log group of its own, without tags and retention
        Charge waits for MayRead: a function's role needs its permissions before the function runs
        Errors waits for Log: a metric filter belongs to a log group
        Subscription waits for BillsPolicy: messages to an endpoint that does not permit them are lost in silence
        Deployment waits for Ping: a deployment is a snapshot: what comes later is not in it
        Stage waits for Account: a stage that logs is refused until the account has a logging role
        Stage waits for Edition: a stage is refused for a version of the documentation that does not exist
        Plan waits for Stage: a usage plan is refused for a stage that does not exist
        Edition waits for Said: a version of the documentation is a snapshot: what comes later is not in it
        Mapping waits for Domain: a mapping belongs to a domain
        Mapping waits for Stage: a mapping is refused for a stage that does not exist
    "#]]
    .assert_eq(&waits.collect::<String>());
}
