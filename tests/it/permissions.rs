//! The deployer's policy, enforced: every call of a deployment is decided by the policy that paystack prints, as IAM would.
//! With it everything passes; without any one of its statements, something is refused.

use std::collections::BTreeSet;
use std::env;
use std::sync::Arc;

use fault_proxy::permissions::{Permissions, Policy};
use fault_proxy::{Behaviour, Proxy, Script};
use serde_json::{Value, json};

use crate::harness::{AS_BEFORE, Account, Code, Paystack, Ran};

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().into_iter().collect(),
    }
}

/// Whoever deploys one template, in an account where others have things as well.
struct Deployer {
    paystack: Paystack,
    account: Account,
    stack: Vec<String>,
}

impl Deployer {
    fn of_payments() -> Self {
        let paystack = Paystack::in_empty_directory();
        for path in ["paystack.toml", "examples/payments", "handlers"] {
            paystack.copy(path);
        }
        Self::of(paystack, &["-p", "ManageApiGatewayAccount=true"])
    }

    fn of_example(name: &str) -> Self {
        let (paystack, template) = (Paystack::in_empty_directory(), format!("examples/{name}.yaml"));
        paystack.copy(&template);
        Self::of(paystack, &["--template", &template, "--stack", "demo"])
    }

    fn of(paystack: Paystack, stack: &[&str]) -> Self {
        let account = Account::fresh();
        // Of these paystack has to ask whose they are.
        account.aws("iam", "create_instance_profile", json!({"InstanceProfileName": "of-others"}));
        let document = json!({"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"});
        let document = json!({"Version": "2012-10-17", "Statement": document}).to_string();
        account.aws("iam", "create_policy", json!({"PolicyName": "of-others", "PolicyDocument": document}));
        Self { paystack, account, stack: stack.iter().map(|it| (*it).to_owned()).collect() }
    }

    fn policy(&self) -> Value {
        self.run(&["policy", "--deployer"], &self.account).exits(0).json()
    }

    fn run(&self, arguments: &[&str], account: &Account) -> Ran {
        let stack = self.stack.iter().map(String::as_str);
        self.paystack.run(account, &arguments.iter().copied().chain(stack).collect::<Vec<_>>())
    }

    /// The account, as somebody enters it who has this policy and no more.
    fn enter(&self, policy: &Value) -> (Arc<Permissions>, Proxy, Account) {
        let permissions = Arc::new(Permissions::of(Policy::read(policy).expect("a policy that can be judged")));
        let behaviours: Vec<Arc<dyn Behaviour>> = vec![permissions.clone()];
        let proxy = self.account.proxy(Script { behaviours, ..Script::default() });
        let account = self.account.through(&proxy);
        (permissions, proxy, account)
    }

    /// Deploys from nothing to nothing under the printed policy, in which no statement may be idle. Gives the
    /// policy.
    #[track_caller]
    fn deploys_under_its_policy(&self) -> Value {
        let policy = self.policy();
        let (permissions, _proxy, account) = self.enter(&policy);
        for command in COMMANDS {
            let ran = self.run(command, &account);
            assert_eq!(permissions.refused(), BTreeSet::new(), "{command:?}: {}", ran.stderr);
            let ran = ran.exits(0);
            assert!(command[0] != "destroy" || ran.stdout.contains(AS_BEFORE), "{}", ran.stdout);
        }
        let asked = permissions.asked();
        assert!(asked.len() > 10, "{asked:?}");
        for (sid, rest) in with_one_out(&policy) {
            let rest = Policy::read(&rest).expect("a policy that can be judged");
            assert!(asked.iter().any(|ask| !rest.allows(ask)), "nothing needs {sid} of {policy:#}");
        }
        policy
    }
}

const COMMANDS: [&[&str]; 5] =
    [&["plan"], &["apply", "--auto-approve"], &["plan"], &["apply", "--auto-approve"], &["destroy", "--auto-approve"]];

/// The policy without each of its statements in turn, by the name of what is missing.
fn with_one_out(policy: &Value) -> Vec<(String, Value)> {
    let statements = policy["Statement"].as_array().expect("statements");
    let without = |index: usize| {
        let mut rest = statements.clone();
        let sid = rest.remove(index)["Sid"].as_str().expect("statements have names").to_owned();
        (sid, json!({"Version": "2012-10-17", "Statement": rest}))
    };
    (0..statements.len()).map(without).collect()
}

#[test]
fn the_payments_system_is_deployed_under_its_policy() {
    Deployer::of_payments().deploys_under_its_policy();
}

#[test]
fn the_small_examples_are_deployed_under_their_policies() {
    for example in [
        "api-documentation",
        "global-table",
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
        eprintln!("{example}");
        Deployer::of_example(example).deploys_under_its_policy();
    }
}

/// Which statements are taken out for real, by their names; in CI one. `scripts/deployer-policy` takes out all.
#[test]
fn with_a_statement_taken_out_the_deployment_is_refused() {
    let chosen = env::var("PAYSTACK_STATEMENTS").unwrap_or_else(|_| "PassRoles".to_owned());
    let statements = with_one_out(&Deployer::of_payments().policy());
    let (mut tried, mut passed) = (0, Vec::new());
    for (index, (sid, _)) in statements.iter().enumerate() {
        if chosen != "all" && !chosen.split(',').any(|it| it == sid) {
            continue;
        }
        let deployer = Deployer::of_payments();
        // The policy names the account that it is for.
        let (_, rest) = with_one_out(&deployer.policy()).remove(index);
        let (permissions, _proxy, account) = deployer.enter(&rest);
        let ran = COMMANDS.iter().map(|command| (command, deployer.run(command, &account)));
        let failed = ran.into_iter().find(|(_, ran)| ran.code != Code::Exit(0));
        tried += 1;
        match &failed {
            Some((command, ran)) if (ran.stderr.clone() + &ran.stdout).contains("not authorized to perform") => {
                let refused: Vec<String> = permissions.refused().iter().map(ToString::to_string).collect();
                eprintln!("without {sid}: `{}` is refused {}", command[0], refused.join(", "));
            }
            failed => passed.push(format!("without {sid}: {failed:?}, refused {:?}", permissions.refused())),
        }
    }
    assert!(tried > 0, "there is no statement {chosen}");
    assert!(passed.is_empty(), "{} of {tried} are not needed:\n{}", passed.len(), passed.join("\n"));
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
