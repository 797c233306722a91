//! Every rule is kept by its one example and broken by the other.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::*;
use crate::aws::Scope;
use crate::diagnostic::{Style, render};
use crate::fake::line::desired_with;
use crate::fake::scope;
use crate::identity::StackId;
use crate::package::leave_out;
use crate::template::{Inputs, Pseudo, parse};

fn policy() -> Policy {
    let customer = Encryption { log_groups: Key::Customer, ..Encryption::default() };
    let tags = BTreeMap::from([("Owner".to_owned(), vec!["payments-team".to_owned()])]);
    let settings = Settings { tags, encryption: customer, ..Settings::default() };
    Policy { settings, suffix: "dev".into(), today: "2026-11-22".into(), guard: Vec::new() }
}

/// A template of these resources.
fn source(resources: &str) -> Source {
    let indented: Vec<String> = resources.trim_matches('\n').lines().map(|line| format!("  {line}")).collect();
    Source::new("orders.yaml", format!("Resources:\n{}\n", indented.join("\n")))
}

fn desired(source: &Source) -> Desired {
    let shown = |findings: &[Diagnostic]| render(findings, source, Style::Plain);
    let template = parse(source).unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    let Scope { account_id, region, partition } = scope();
    let stack = StackId::from("orders-dev");
    let pseudo = Pseudo { account_id: Some(account_id), region, partition, stack: stack.clone() };
    let resolved = template.resolve(&Inputs { parameters: BTreeMap::new(), imports: BTreeMap::new(), pseudo });
    let mut graph = resolved.unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    let mistakes = crate::check::check(&graph, "2020-01-01", crate::check::Retained::Refused);
    let mistakes: Vec<_> = mistakes.into_iter().filter(|it| it.severity == Severity::Error).collect();
    assert!(mistakes.is_empty(), "{}", shown(&mistakes));
    leave_out(&mut graph);
    Desired::new(graph, stack, BTreeMap::new(), scope())
}

fn findings(resources: &str, policy: &Policy) -> Vec<Finding> {
    check(&desired(&source(resources)), policy, &guard_engine).expect("the policy is sound")
}

/// The findings of one rule.
fn of(rule: &Rule, resources: &str) -> Vec<Finding> {
    findings(resources, &policy()).into_iter().filter(|finding| finding.rule == rule.id).collect()
}

#[track_caller]
fn is_drawn(resources: &str, rule: &str, policy: &Policy, drawn: Expect) {
    let source = source(resources);
    let found = check(&desired(&source), policy, &guard_engine).expect("the policy is sound");
    let found: Vec<Finding> = found.into_iter().filter(|finding| finding.rule == rule).collect();
    drawn.assert_eq(&render(&diagnostics(&found), &source, Style::Plain));
}

#[test]
fn every_rule_is_kept_by_its_example() {
    for rule in rules() {
        let found = of(rule, rule.kept_by);
        assert!(found.is_empty(), "{}: {found:#?}", rule.id);
    }
}

#[test]
fn every_rule_is_broken_by_its_example_at_a_place() {
    for rule in rules() {
        let found = of(rule, rule.broken_by);
        assert!(!found.is_empty(), "{} finds nothing in{}", rule.id, rule.broken_by);
        assert!(found.iter().all(|it| it.span.is_some_and(|span| span.end > span.start)), "{found:#?}");
    }
}

#[test]
fn a_policy_that_is_written_as_a_text_keeps_the_same_rules() {
    let managed = |document: &str| {
        let resources = format!("Pay:\n  Type: AWS::IAM::ManagedPolicy\n  Properties:\n    PolicyDocument: {document}");
        let found = findings(&resources, &policy());
        found.into_iter().map(|it| (it.rule, it.what)).collect::<Vec<_>>()
    };
    let found = |rule: &str, what: &str| (rule.to_owned(), what.to_owned());
    let wide = r#"'{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}}'"#;
    assert_eq!(
        managed(wide),
        [found("policy-action", "allows the actions `sqs:*`"), found("policy-resource", "allows `sqs:*` on `*`")]
    );
    let queue = r#"
Orders: { Type: AWS::SQS::Queue, Properties: { QueueName: orders-dev } }
OrdersPolicy:
  Type: AWS::SQS::QueuePolicy
  Properties:
    Queues: [!Ref Orders]
    PolicyDocument: !Sub '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "${Orders.Arn}", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}'"#;
    assert!(!findings(queue, &policy()).iter().any(|it| it.rule == "queue-tls"));
}

const GLOBAL: &str = "
Orders:
  Type: AWS::DynamoDB::GlobalTable
  Properties:
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
    KeySchema: [{ AttributeName: id, KeyType: HASH }]";

const DENIED: &str = "PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Deny, Principal: '*', Action: '*', \
                      Resource: '*', Condition: { Bool: { aws:SecureTransport: 'false' } } }] }";

const WIDE: &str = "{ Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: '*', Action: 'sqs:*', Resource: 'arn:aws:sqs:us-east-1:123456789012:orders' }] }";

const DOCUMENT: &str = "
Api:
  Type: AWS::ApiGateway::RestApi
  Properties:
    Name: api-dev
    Body:
      openapi: 3.0.1
      info: { title: api-dev, version: '1' }
      x-amazon-apigateway-request-validators: { all: { validateRequestBody: true } }
      components: { securitySchemes: { key: { type: apiKey, name: x-api-key, in: header } } }
      paths:
        /orders:
          options: { x-amazon-apigateway-integration: { type: mock } }
          post: { x-amazon-apigateway-integration: { type: mock }MORE }";

const BEHIND_AN_ALIAS: &str = "
Orders: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: 60 } }
Book:
  Type: AWS::Lambda::Function
  Properties:
    FunctionName: book-dev
    Handler: index.handler
    Code: { ZipFile: 'def handler(event, context): pass' }
    Role: arn:aws:iam::123456789012:role/book-dev
    Runtime: python3.13
    Timeout: SECONDS
Version: { Type: AWS::Lambda::Version, Properties: { FunctionName: !Ref Book } }
Live: { Type: AWS::Lambda::Alias, Properties: { FunctionName: !Ref Book, FunctionVersion: !GetAtt Version.Version, Name: live } }
Source: { Type: AWS::Lambda::EventSourceMapping, Properties: { EventSourceArn: !GetAtt Orders.Arn, FunctionName: !Ref Live } }";

/// What other types than those of the examples say of the same: the rule, resources that keep it, and ones that break it.
fn in_other_words() -> Vec<(&'static str, String, String)> {
    let table = |replica: &str, more: &str| format!("{GLOBAL}\n    Replicas: [{{ Region: us-east-1{replica} }}]{more}");
    let document = |more: &str| DOCUMENT.replace("MORE", more);
    let on_demand = |mode: &str| table("", "").replace("PAY_PER_REQUEST", mode);
    let queue = |policy: &str| {
        format!(
            "Orders: {{ Type: AWS::SQS::Queue }}\nPolicy:\n  Type: AWS::SQS::QueueInlinePolicy\n  Properties:\n    Queue: !Ref Orders\n    {policy}"
        )
    };
    let topic = |policy: &str| {
        format!(
            "Alerts: {{ Type: AWS::SNS::Topic }}\nPolicy:\n  Type: AWS::SNS::TopicInlinePolicy\n  Properties:\n    TopicArn: !Ref Alerts\n    {policy}"
        )
    };
    let harmless = DENIED.replace("Deny", "Allow").replace("Action: '*'", "Action: 'sqs:SendMessage'");
    let url = |auth: &str| {
        format!("Address: {{ Type: AWS::Lambda::Url, Properties: {{ TargetFunctionArn: pay-dev, AuthType: {auth} }} }}")
    };
    let permission = |action: &str| {
        format!(
            "May: {{ Type: AWS::Lambda::Permission, Properties: {{ FunctionName: pay-dev, Action: '{action}', Principal: sns.amazonaws.com }} }}"
        )
    };
    let put_on = |resource: &str| {
        let wide = resource.replace("WIDE", WIDE);
        ("policy-action", wide.replace("sqs:*", "sqs:SendMessage"), wide)
    };
    let composite = |actions: &str| {
        format!(
            "{}\nAny: {{ Type: AWS::CloudWatch::CompositeAlarm, Properties: {{ AlarmRule: !Sub 'ALARM(${{Errors}})', {actions} }} }}",
            rules().find(|rule| rule.id == "alarm-action").expect("it is one").broken_by
        )
    };
    let protected = |is_on: bool| table(&format!(", DeletionProtectionEnabled: {is_on}"), "");
    vec![
        ("table-encryption", table("", "\n    SSESpecification: { SSEEnabled: true }"), table("", "")),
        (
            "table-pitr",
            table(", PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }", ""),
            table("", ""),
        ),
        ("table-on-demand", on_demand("PAY_PER_REQUEST"), on_demand("PROVISIONED")),
        ("deletion-protection", protected(false), protected(true)),
        ("required-tags", table(", Tags: [{ Key: Owner, Value: payments-team }]", ""), table("", "")),
        ("queue-tls", queue(DENIED), queue(&harmless)),
        ("topic-tls", topic(DENIED), topic(&harmless)),
        ("method-api-key", document(", security: [{ key: [] }]"), document("")),
        ("method-api-key", document(", x-amazon-apigateway-auth: { type: AWS_IAM }"), document("")),
        ("method-api-key", url("AWS_IAM"), url("NONE")),
        ("method-validation", document(", x-amazon-apigateway-request-validator: all"), document("")),
        (
            "alarm-action",
            composite("AlarmActions: ['arn:aws:sns:us-east-1:123456789012:alarms']"),
            composite("ActionsEnabled: true"),
        ),
        ("policy-action", permission("lambda:InvokeFunction"), permission("lambda:*")),
        put_on("Api: { Type: AWS::ApiGateway::RestApi, Properties: { Name: api-dev, Policy: WIDE } }"),
        put_on(
            "Logs:\n  Type: AWS::Logs::ResourcePolicy\n  Properties:\n    PolicyName: logs-dev\n    PolicyDocument: '{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"sqs:*\", \"Resource\": \"*\"}]}'",
        ),
        put_on(&table(", ResourcePolicy: { PolicyDocument: WIDE }", "")),
        ("source-visibility", BEHIND_AN_ALIAS.replace("SECONDS", "10"), BEHIND_AN_ALIAS.replace("SECONDS", "30")),
    ]
}

#[test]
fn rules_hold_in_the_words_of_every_type_that_can_say_the_same() {
    for (id, kept, broken) in in_other_words() {
        let rule = rules().find(|rule| rule.id == id).expect("it is a rule");
        let found = of(rule, &kept);
        assert!(found.is_empty(), "{id} finds in {kept}: {found:#?}");
        let found = of(rule, &broken);
        assert!(!found.is_empty(), "{id} finds nothing in {broken}");
        assert!(found.iter().all(|it| it.span.is_some_and(|span| span.end > span.start)), "{found:#?}");
    }
}

#[test]
fn rules_have_names_of_their_own_and_say_why_and_what_to_do() {
    let mut ids: Vec<&str> = rules().map(|rule| rule.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for Rule { id, demand, reason, fix, .. } in rules() {
        assert!(demand.starts_with(|it: char| it.is_uppercase()) && !demand.ends_with('.'), "{id}: {demand}");
        assert!(!reason.is_empty() && !reason.ends_with('.') && !fix.is_empty() && !fix.ends_with('.'), "{id}");
    }
}

#[test]
fn a_finding_shows_its_place_its_reason_and_the_way_out() {
    is_drawn(
        "Orders:\n  Type: AWS::SQS::Queue\n  Properties:\n    QueueName: orders-dev\n    SqsManagedSseEnabled: false",
        "queue-encryption",
        &policy(),
        expect![[r"
            error: `Orders` is not encrypted [queue-encryption]
             --> orders.yaml:6:29
              |
            6 |       SqsManagedSseEnabled: false
              |                             ^^^^^ messages hold payment data while they wait
              |
              = help: set `SqsManagedSseEnabled: true`, or `KmsMasterKeyId`
        "]],
    );
}

#[test]
fn what_is_missing_is_shown_at_the_resource() {
    is_drawn(
        "Orders:\n  Type: AWS::SQS::Queue",
        "queue-dlq",
        &policy(),
        expect![[r"
            error: `Orders` has no dead-letter queue [queue-dlq]
             --> orders.yaml:2:3
              |
            2 |   Orders:
              |   ^^^^^^ a message that always fails would be tried until it is too old, and then be lost
              |
              = help: set `RedrivePolicy` with `deadLetterTargetArn` and `maxReceiveCount`
        "]],
    );
}

#[test]
fn a_rule_is_let_pass_for_a_reason_that_is_kept() {
    let suppressed = "
Orders:
  Type: AWS::SQS::Queue
  Metadata: { paystack: { suppress: { queue-dlq: tests drop what fails } } }";
    let found = findings(suppressed, &policy());
    let finding = found.iter().find(|it| it.rule == "queue-dlq").expect("it is still found");
    assert_eq!(finding.suppressed.as_deref(), Some("tests drop what fails"));
    assert!(!finding.is_refusal());
    assert!(!diagnostics(&found).iter().any(|it| it.message.contains("queue-dlq")));
    assert!(found.iter().any(|it| it.rule == "queue-tls" && it.is_refusal()), "the others count: {found:#?}");
}

#[test]
fn a_suppression_without_a_reason_or_a_rule_suppresses_nothing() {
    let suppressed = "
Orders:
  Type: AWS::SQS::Queue
  Metadata: { paystack: { suppress: { queue-dlq: '', queue-dql: a slip } } }";
    let found = findings(suppressed, &policy());
    assert!(found.iter().any(|it| it.rule == "queue-dlq" && it.is_refusal()));
    let mistakes: Vec<&str> = found.iter().filter(|it| it.rule == SUPPRESSION).map(|it| it.what.as_str()).collect();
    assert_eq!(mistakes, ["suppresses `queue-dlq` without a reason", "suppresses `queue-dql`, which is no rule"]);
}

#[test]
fn a_level_is_the_projects_to_set() {
    let mut policy = policy();
    let levels = [("queue-dlq", Level::Off), ("queue-tls", Level::Advisory)];
    policy.settings.levels = levels.map(|(id, level)| (id.to_owned(), level)).into();
    let found = findings("Orders: { Type: AWS::SQS::Queue }", &policy);
    assert!(!found.iter().any(|it| it.rule == "queue-dlq"));
    assert!(found.iter().any(|it| it.rule == "queue-tls" && !it.is_refusal()));
    policy.settings.levels = BTreeMap::from([("queue-dql".to_owned(), Level::Off)]);
    let error = check(&desired(&source("Orders: { Type: AWS::SQS::Queue }")), &policy, &guard_engine)
        .expect_err("there is none");
    assert_eq!(error.way_out().as_deref(), Some("did you mean `queue-dlq`?"));
}

#[test]
fn the_index_of_a_statement_is_that_of_the_template() {
    let role = "
Pay:
  Type: AWS::IAM::ManagedPolicy
  Properties:
    ManagedPolicyName: pay-dev
    PolicyDocument:
      Version: '2012-10-17'
      Statement:
        - { Effect: Deny, Action: 'z:*', Resource: '*' }
        - Effect: Allow
          Action: ['sqs:SendMessage', 'dynamodb:*']
          Resource: arn:aws:sqs:us-east-1:123456789012:orders-dev";
    let found = findings(role, &policy());
    let found: Vec<String> = found.iter().map(|it| format!("{} {}", it.rule, it.path)).collect();
    assert_eq!(found, ["policy-action PolicyDocument.Statement[1].Action[1]"]);
}

fn guard(text: &str) -> Policy {
    let file = GuardFile { file: "policies/own.guard".into(), text: text.into() };
    Policy { guard: vec![file], ..policy() }
}

const QUEUES_WAIT: &str = "
let queues = Resources.*[ Type == 'AWS::SQS::Queue' ]
rule queues_wait_long when %queues !empty {
    %queues.Properties.ReceiveMessageWaitTimeSeconds == 20 <<Empty answers cost money>>
}";

#[test]
fn a_rule_in_guard_is_shown_at_its_place_with_its_own_words() {
    is_drawn(
        "Orders:\n  Type: AWS::SQS::Queue\n  Properties:\n    ReceiveMessageWaitTimeSeconds: 5",
        "queues_wait_long",
        &guard(QUEUES_WAIT),
        expect![[r"
            error: `Orders` does not keep `%queues[*].Properties.ReceiveMessageWaitTimeSeconds EQUALS 20` [queues_wait_long]
             --> orders.yaml:5:38
              |
            5 |       ReceiveMessageWaitTimeSeconds: 5
              |                                      ^ Empty answers cost money
        "]],
    );
}

#[test]
fn a_rule_in_guard_speaks_of_the_resource_where_the_property_is_missing() {
    let found = findings("Orders: { Type: AWS::SQS::Queue }\nLogs: { Type: AWS::Logs::LogGroup }", &guard(QUEUES_WAIT));
    let found: Vec<&Finding> = found.iter().filter(|it| it.rule == "queues_wait_long").collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].resource, LogicalId::from("Orders"));
}

#[test]
fn guards_own_words_do_not_tell_a_secret() {
    let rule = "rule names { Resources.*.Properties.DisplayName == 'x' }";
    let topic = "Topic: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Ref Name } }";
    let reason = |parameter: &str| {
        let template = format!("Parameters: {{ Name: {parameter} }}\n{}", source(topic).text);
        let desired = desired_with(&template, &[("Name", "hunter2")]);
        let found = check(&desired, &guard(rule), &guard_engine).expect("the rule is one");
        let found = found.into_iter().find(|it| it.rule == "names").expect("it is broken");
        format!("{} {}", found.what, found.reason)
    };
    assert!(reason("{ Type: String }").contains("hunter2"));
    assert!(!reason("{ Type: String, NoEcho: true }").contains("hunter2"));
}

#[test]
fn a_rule_in_guard_is_suppressed_and_set_like_any_other() {
    let suppressed = "
Orders:
  Type: AWS::SQS::Queue
  Metadata: { paystack: { suppress: { queues_wait_long: nobody polls it } } }";
    let found = findings(suppressed, &guard(QUEUES_WAIT));
    assert!(found.iter().any(|it| it.rule == "queues_wait_long" && it.suppressed.is_some()), "{found:#?}");
    let mut off = guard(QUEUES_WAIT);
    off.settings.levels = BTreeMap::from([("queues_wait_long".to_owned(), Level::Off)]);
    assert!(!findings("Orders: { Type: AWS::SQS::Queue }", &off).iter().any(|it| it.rule == "queues_wait_long"));
}

#[test]
fn what_is_no_guard_rule_is_said_to_be_none() {
    let error = check(&desired(&source("Orders: { Type: AWS::SQS::Queue }")), &guard("rule {"), &guard_engine)
        .expect_err("no rule");
    let error = error.to_string();
    assert!(error.starts_with("failed to understand the Guard rules `policies/own.guard`: "), "{error}");
    assert!(!error.contains('\n') && error.len() > 60, "{error}");
}
