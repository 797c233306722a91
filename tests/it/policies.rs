//! The project's rules, where a user meets them: at validate, at plan and at apply.

use crate::harness::{Account, Paystack};

const PROJECT: &str = "[project]
name = \"orders\"
template = \"template.yaml\"

[environments.dev]

[policy]
";

const QUEUE: &str = "Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties: { QueueName: orders-dev }
";

fn project(policy: &str, template: &str) -> Paystack {
    let paystack = Paystack::in_empty_directory();
    paystack.write("paystack.toml", &format!("{PROJECT}{policy}")).write("template.yaml", template);
    paystack
}

#[test]
fn the_payments_system_keeps_every_rule() {
    let paystack = Paystack::in_empty_directory();
    for path in ["paystack.toml", "examples/payments", "handlers", "policies"] {
        paystack.copy(path);
    }
    let validated = paystack.run(&Account::fresh(), &["validate"]).exits(0);
    assert!(!validated.stderr.contains("warning") && !validated.stderr.contains("error"), "{}", validated.stderr);
    let let_pass: Vec<&str> = validated.stderr.lines().filter(|line| line.starts_with("let pass:")).collect();
    assert_eq!(let_pass.len(), 1, "{}", validated.stderr);
    assert!(let_pass[0].contains("`AlarmsTopic` is not encrypted [topic-encryption"), "{let_pass:?}");
}

#[test]
fn an_apply_that_breaks_a_mandatory_rule_is_refused_before_anything_is_made() {
    let (paystack, account) = (project("", QUEUE), Account::fresh());
    let validated = paystack.run(&account, &["validate"]).exits(1);
    assert!(validated.stderr.contains("error: `Orders` has no dead-letter queue [queue-dlq]"), "{}", validated.stderr);
    assert!(validated.stderr.contains("template.yaml:2:3"), "{}", validated.stderr);
    let planned = paystack.run(&account, &["plan"]).exits(1);
    assert!(planned.stdout.contains("refused: `Orders` has no dead-letter queue"), "{}", planned.stdout);
    let applied = paystack.run(&account, &["apply", "--auto-approve"]).exits(1);
    assert!(applied.stderr.contains("nothing is applied: a mandatory rule is broken 2 times"), "{}", applied.stderr);
    let advisory = "[policy.levels]\nqueue-dlq = \"advisory\"\nqueue-tls = \"off\"\n";
    paystack.write("paystack.toml", &format!("{PROJECT}{advisory}"));
    let plan = paystack.run(&account, &["plan", "--format", "json"]).exits(0).json();
    assert_eq!(plan["summary"]["created"], 1, "nothing was made: {plan:#}");
    let findings = plan["remarks"]["policy"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0]["rule"], "queue-dlq");
    assert_eq!(findings[0]["level"], "advisory");
    assert_eq!(findings[0]["position"]["line"], 2);
    paystack.run(&account, &["apply", "--auto-approve"]).exits(0);
    paystack.write("paystack.toml", PROJECT);
    paystack.run(&account, &["destroy", "--auto-approve"]).exits(0);
}

#[test]
fn a_kept_plan_that_breaks_a_rule_is_refused_as_well() {
    let (paystack, account) =
        (project("levels = { queue-dlq = \"off\", queue-tls = \"off\" }\n", QUEUE), Account::fresh());
    paystack.run(&account, &["plan", "--out", "kept.plan"]).exits(0);
    paystack.write("paystack.toml", PROJECT);
    let applied = paystack.run(&account, &["apply", "kept.plan"]).exits(1);
    assert!(applied.stderr.contains("a mandatory rule is broken"), "{}", applied.stderr);
}

#[test]
fn rules_in_guard_lie_beside_the_project() {
    let paystack = project("levels = { queue-dlq = \"off\", queue-tls = \"off\" }\n", QUEUE);
    let rule = "rule queues_wait when Resources exists {\n    Resources.*[ Type == 'AWS::SQS::Queue' ]\
                .Properties.ReceiveMessageWaitTimeSeconds == 20 <<empty answers cost money>>\n}\n";
    paystack.write("policies/own.guard", rule);
    let validated = paystack.run(&Account::fresh(), &["validate"]).exits(1);
    assert!(validated.stderr.contains("[queues_wait]"), "{}", validated.stderr);
    assert!(validated.stderr.contains("empty answers cost money"), "{}", validated.stderr);
    paystack.write("policies/own.guard", "rule {");
    let broken = paystack.run(&Account::fresh(), &["validate"]).exits(1);
    assert!(broken.stderr.contains("failed to understand the Guard rules `policies/own.guard`"), "{}", broken.stderr);
}
