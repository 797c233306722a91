//! The deployer's policy, held against what plan, apply and destroy really call; and what is said where a call is refused.

use std::collections::BTreeSet;

use paystack::aws::actions::actions;
use serde_json::Value;

use crate::harness::{Account, Paystack};

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().into_iter().collect(),
    }
}

/// The calls that a command made, as errors name them.
fn calls(shown: &Value) -> BTreeSet<String> {
    let services = shown["calls"].as_object().expect("the calls are counted");
    let of = |(service, calls): (&String, &Value)| {
        let calls = calls.as_object().expect("by operation");
        calls.keys().map(|call| format!("{service}.{call}")).collect::<Vec<_>>()
    };
    services.iter().flat_map(of).collect()
}

/// Called only where somebody else has instance profiles, or policies of his own: a fresh account has neither.
const WHERE_OTHERS_ARE: [&str; 3] =
    ["iam.ListInstanceProfileTags", "iam.ListPolicyTags", "iam.RemoveRoleFromInstanceProfile"];

/// Deploys a stack from nothing to nothing, and gives every action that its policy lacks, and every statement of which nothing
/// was called: without any of the others, a call would be refused.
fn lacking(paystack: &Paystack, account: &Account, stack: &[&str]) -> Vec<String> {
    let run = |arguments: &[&str]| paystack.run(account, &[arguments, stack].concat()).exits(0);
    let policy = run(&["policy", "--deployer"]).json();
    let statements = policy["Statement"].as_array().expect("statements");
    let allowed: BTreeSet<&str> = statements.iter().flat_map(|statement| texts(&statement["Action"])).collect();
    let mut called = calls(&run(&["plan", "--format", "json"]).json());
    for command in ["apply", "apply", "destroy"] {
        called.extend(calls(&run(&[command, "--auto-approve", "--format", "json"]).last_json()));
    }
    assert!(called.len() > 5, "{called:?}");
    let needed = called.iter().map(|call| (call, actions(call).remove(0)));
    let missing = needed.filter(|(_, action)| !allowed.contains(action.as_str()));
    let missing = missing.map(|(call, action)| format!("{action} for {call}"));
    let asked_for: BTreeSet<String> =
        called.iter().map(String::as_str).chain(WHERE_OTHERS_ARE).flat_map(actions).collect();
    let is_idle = |statement: &&Value| !texts(&statement["Action"]).iter().any(|action| asked_for.contains(*action));
    let idle = statements.iter().filter(is_idle).map(|statement| format!("nothing needs {}", statement["Sid"]));
    missing.chain(idle).collect()
}

#[test]
fn the_policy_allows_all_that_deploying_the_payments_system_calls() {
    let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
    for path in ["paystack.toml", "examples/payments", "handlers"] {
        paystack.copy(path);
    }
    assert_eq!(lacking(&paystack, &account, &["-p", "ManageApiGatewayAccount=true"]), [""; 0]);
}

#[test]
fn the_policy_allows_all_that_deploying_the_small_examples_calls() {
    for example in [
        "api-documentation",
        "inline-function",
        "inline-policies",
        "log-metrics",
        "people",
        "queue-with-dlq",
        "rest-api-mock",
        "rest-api-openapi",
        "table-with-indexes",
        "topic-to-queue",
        "waf-ipset",
        "waf-rule-group",
    ] {
        let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
        paystack.copy(&format!("examples/{example}.yaml"));
        let template = format!("examples/{example}.yaml");
        let stack = ["--template", &template, "--stack", "demo"];
        assert_eq!(lacking(&paystack, &account, &stack), [""; 0], "{example}");
    }
}

#[test]
fn the_policy_names_what_the_template_names_and_nothing_of_other_types() {
    let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
    paystack.write(
        "queue.yaml",
        "Resources:\n  Orders:\n    Type: AWS::SQS::Queue\n    Properties: { QueueName: orders }\n",
    );
    let policy = paystack.run(&account, &["policy", "--deployer", "--template", "queue.yaml", "--stack", "demo"]);
    let policy = policy.exits(0).json();
    let statements = policy["Statement"].as_array().expect("statements");
    let of_queues: Vec<&Value> =
        statements.iter().filter(|it| texts(&it["Action"]).iter().any(|action| action.starts_with("sqs:"))).collect();
    assert_eq!(of_queues.len(), 1, "{policy:#}");
    assert_eq!(of_queues[0]["Resource"], format!("arn:aws:sqs:us-east-1:{}:orders", account.number));
    let everything: BTreeSet<&str> = statements.iter().flat_map(|it| texts(&it["Action"])).collect();
    assert!(!everything.iter().any(|action| action.contains('*') || action.starts_with("dynamodb:")), "{policy:#}");
}
