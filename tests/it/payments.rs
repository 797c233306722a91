//! The payments system, from an empty account to an empty account, as a user and a third party see it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::harness::{Account, Paystack, Ran};

const TEMPLATE: &str = "examples/payments/template.yaml";

/// The API Gateway logging role belongs to the account; a test's account is its own.
const OWN_ACCOUNT: [&str; 2] = ["-p", "ManageApiGatewayAccount=true"];

/// What happens to the ledger between two steps: the result must be the same.
#[derive(Clone, Copy, PartialEq)]
enum Memory {
    Kept,
    Lost,
}

#[test]
fn the_payments_system_lives_and_leaves_nothing() {
    live(Memory::Kept);
}

#[test]
fn the_payments_system_lives_and_leaves_nothing_though_the_ledger_is_lost_at_every_step() {
    live(Memory::Lost);
}

#[test]
fn two_environments_in_one_account_do_not_touch_each_other() {
    let story = Story::begin(Memory::Kept);
    story
        .paystack
        .run(&story.account, &["apply", "--auto-approve", "--project", "examples/payments/account/paystack.toml"])
        .exits(0);
    let none = story.account.census();
    story.paystack.run(&story.account, &["apply", "--auto-approve", "-e", "dev"]).exits(0);
    let one = story.account.census();
    story.paystack.run(&story.account, &["apply", "--auto-approve", "-e", "staging"]).exits(0);
    let both = story.account.census();
    assert_eq!(both.of("tables").as_object().map(serde_json::Map::len), Some(2));
    for environment in ["dev", "staging"] {
        let plan = story.paystack.run(&story.account, &["plan", "-e", environment, "--format", "json"]).exits(0);
        assert_eq!(actions(&plan), BTreeMap::new(), "{environment} is untouched by the other");
    }
    story.paystack.run(&story.account, &["destroy", "--auto-approve", "-e", "staging"]).exits(0);
    assert_eq!(story.account.census(), one, "the account is as it was before staging");
    story.paystack.run(&story.account, &["destroy", "--auto-approve", "-e", "dev"]).exits(0);
    assert_eq!(story.account.census(), none, "the account is as it was before dev");
    story
        .paystack
        .run(&story.account, &["destroy", "--auto-approve", "--project", "examples/payments/account/paystack.toml"])
        .exits(0);
    story.account.census().assert_empty();
}

#[test]
fn an_environment_that_sets_the_accounts_logging_role_takes_away_that_and_nothing_of_another_one() {
    let story = Story::begin(Memory::Kept);
    let (dev, staging) = (["-e", "dev", OWN_ACCOUNT[0], OWN_ACCOUNT[1]], ["-e", "staging"]);
    let run =
        |command: &[&str], stack: &[&str]| story.paystack.run(&story.account, &[command, stack].concat()).exits(0);
    let planned = run(&["plan", "--full"], &dev).stdout;
    let said = "`ApiGatewayAccount` is the account's one setting for the region: without it, no other API writes logs";
    assert!(planned.contains(said), "{planned}");
    run(&["apply", "--auto-approve"], &dev);
    let one = story.account.census();
    run(&["apply", "--auto-approve"], &staging);
    let both = story.account.census();
    run(&["destroy", "--auto-approve"], &dev);
    assert_eq!(story.account.census(), both.without(&one), "nothing of staging is touched");
    assert_eq!(actions(&run(&["plan", "--format", "json"], &staging)), BTreeMap::new());
    run(&["destroy", "--auto-approve"], &staging);
    story.account.census().assert_empty();
}

fn live(memory: Memory) {
    let story = Story::begin(memory);
    story.everything_is_planned_as_a_create();
    story.apply();
    story.is_settled();
    story.a_third_party_sees_what_the_template_says();
    story.small_changes_make_small_plans();
    story.what_others_did_is_undone();
    story.destroy();
}

struct Story {
    paystack: Paystack,
    account: Account,
    memory: Memory,
}

impl Story {
    fn begin(memory: Memory) -> Self {
        let paystack = Paystack::in_empty_directory();
        paystack.copy("paystack.toml").copy("examples").copy("handlers");
        Self { paystack, account: Account::fresh(), memory }
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        if self.memory == Memory::Lost {
            self.paystack.remove("state");
        }
        let arguments: Vec<&str> = arguments.iter().copied().chain(OWN_ACCOUNT).collect();
        self.paystack.run(&self.account, &arguments)
    }

    #[track_caller]
    fn plan(&self) -> BTreeMap<String, String> {
        actions(&self.run(&["plan", "--format", "json"]).exits(0))
    }

    #[track_caller]
    fn apply(&self) -> Ran {
        self.run(&["apply", "--auto-approve"]).exits(0)
    }

    #[track_caller]
    fn is_settled(&self) {
        let ran = self.run(&["plan", "--detailed-exitcode"]).exits(0);
        assert!(ran.stdout.contains("Nothing to change"), "{}", ran.stdout);
    }

    /// A change of the template makes exactly this plan, and after it nothing is left to do.
    #[track_caller]
    fn changes(&self, expected: &[(&str, &str)]) {
        let expected: BTreeMap<String, String> =
            expected.iter().map(|(id, action)| ((*id).to_owned(), (*action).to_owned())).collect();
        assert_eq!(self.plan(), expected);
        self.apply();
        self.is_settled();
    }

    fn everything_is_planned_as_a_create(&self) {
        let plan = self.plan();
        assert!(plan.len() > 55, "{plan:?}");
        assert!(plan.values().all(|action| action == "create"), "{plan:?}");
        let text = self.run(&["plan", "--full"]).exits(0).stdout;
        let number = &self.account.number;
        for arn in [
            format!("arn:aws:lambda:us-east-1:{number}:function:process-payment-dev"),
            format!("arn:aws:dynamodb:us-east-1:{number}:table/payment-transactions-dev"),
            format!("arn:aws:sqs:us-east-1:{number}:payment-processing-dlq-dev"),
            format!("arn:aws:sns:us-east-1:{number}:payment-notifications-dev"),
        ] {
            assert!(text.contains(&arn), "the plan of an empty account knows {arn}");
        }
        self.account.census().assert_empty();
    }

    fn a_third_party_sees_what_the_template_says(&self) {
        let census = self.account.census();
        let table = census.get("tables", "payment-transactions-dev");
        let function = census.get("functions", "process-payment-dev");
        let text = |value: &Value| value.to_string();
        assert!(text(table).contains("PAY_PER_REQUEST"), "{table}");
        assert!(text(function).contains("python3.11") && text(function).contains("arm64"), "{function}");
        assert!(
            text(function).contains(r#""CostCenter": "CC-1001""#)
                || text(function).contains(r#""CostCenter":"CC-1001""#)
        );
        assert_eq!(census.of("event_source_mappings").as_array().map(Vec::len), Some(2));
        assert_eq!(census.of("usage_plans").as_array().map(Vec::len), Some(1));
        let plan = &census.of("usage_plans")[0];
        assert_eq!(plan["throttle"]["rateLimit"], json!(1000.0));
    }

    fn small_changes_make_small_plans(&self) {
        // A threshold.
        self.paystack.replace(TEMPLATE, "Default: 1\n    MinValue: 0\n", "Default: 2\n    MinValue: 0\n");
        self.changes(&[
            ("NotifyFailuresErrorsAlarm", "update"),
            ("ProcessAccountingErrorsAlarm", "update"),
            ("ProcessPaymentErrorsAlarm", "update"),
        ]);
        // A handler's code.
        let index = "handlers/process_accounting/index.py";
        self.paystack.write(index, &format!("{}\n# changed\n", self.paystack.read(index)));
        self.changes(&[("ProcessAccounting", "update")]);
        // A property that is no longer there.
        self.edit(&DESCRIPTION_OF_PROCESS_PAYMENT, "");
        self.changes(&[("ProcessPayment", "update")]);
        // A resource that is no longer there.
        self.paystack.without_resource(TEMPLATE, "DuplicatesQuery");
        self.changes_deleting("DuplicatesQuery", "AWS::Logs::QueryDefinition");
        // A method's content: the API is deployed anew by itself.
        self.edit("OperationName: ReceiveWebhook", "OperationName: PostWebhook");
        self.changes(&[("Deployment", "replace"), ("PostWebhooks", "update"), ("Stage", "update")]);
        // A property that replaces what it belongs to: the table, and all that names it.
        self.edit("TableName: !Sub payment-transactions-", "TableName: !Sub payment-transactions-v2-");
        self.changes(&[
            ("Dashboard", "update"),
            ("ProcessAccounting", "update"),
            ("ProcessAccountingRole", "update"),
            ("ProcessPayment", "update"),
            ("ProcessPaymentRole", "update"),
            ("TransactionsTable", "replace"),
        ]);
        let tables = self.account.census().of("tables").clone();
        let names: Vec<&String> = tables.as_object().into_iter().flat_map(serde_json::Map::keys).collect();
        assert_eq!(names, ["payment-transactions-v2-dev"]);
    }

    fn what_others_did_is_undone(&self) {
        let account = &self.account;
        let url = self.run(&["output", "ProcessingQueueUrl"]).exits(0).stdout.trim().to_owned();
        account.aws(
            "sqs",
            "set_queue_attributes",
            json!({"QueueUrl": url, "Attributes": {"VisibilityTimeout": "777"}}),
        );
        self.is_undone("ProcessingQueue", "VisibilityTimeout");
        let arn = format!("arn:aws:lambda:us-east-1:{}:function:process-payment-dev", account.number);
        account.aws("lambda", "tag_resource", json!({"Resource": arn, "Tags": {"Owner": "somebody-else"}}));
        self.is_undone("ProcessPayment", "Tags");
        let role = self.physical_id("ProcessPaymentRole");
        let everything =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        account.aws(
            "iam",
            "put_role_policy",
            json!({"RoleName": role, "PolicyName": "backdoor", "PolicyDocument": everything.to_string()}),
        );
        self.is_undone("ProcessPaymentRole", "Policies");
        // Deleted by somebody.
        let alarm = self.physical_id("DeadLetterQueueDepthAlarm");
        account.aws("cloudwatch", "delete_alarms", json!({"AlarmNames": [alarm]}));
        assert_eq!(self.plan().get("DeadLetterQueueDepthAlarm").map(String::as_str), Some("create"));
        self.apply();
        self.is_settled();
    }

    /// The plan names the drift, and an apply repairs it.
    #[track_caller]
    fn is_undone(&self, logical_id: &str, property: &str) {
        let plan = self.run(&["plan", "--format", "json"]).exits(0);
        assert_eq!(actions(&plan), BTreeMap::from([(logical_id.to_owned(), "update".to_owned())]));
        let plan = plan.json();
        let steps = plan["steps"].as_array().expect("a plan has steps");
        let step = steps.iter().find(|step| step["logical_id"] == logical_id).expect("the step is there");
        let changes = step["action"]["changes"].as_array().expect("an update has changes");
        assert!(!changes.is_empty());
        for change in changes {
            assert!(change["path"].as_str().is_some_and(|path| path.starts_with(property)), "{change}");
            let cause = if self.memory == Memory::Kept { "drift" } else { "unrecorded" };
            assert_eq!(change["cause"], cause, "{change}");
        }
        self.apply();
        self.is_settled();
    }

    fn destroy(&self) {
        let ran = self.run(&["destroy", "--auto-approve"]).exits(0);
        assert!(ran.stdout.contains("Nothing of the stack `payments-dev` is left."), "{}", ran.stdout);
        let is_compared = ran.stdout.contains("What carries no marks is as it was before the first apply");
        assert_eq!(is_compared, self.memory == Memory::Kept, "{}", ran.stdout);
        self.account.census().assert_empty();
        let plan = self.plan();
        assert!(plan.values().all(|action| action == "create"), "after a destroy everything is new: {plan:?}");
    }

    #[track_caller]
    fn changes_deleting(&self, logical_id: &str, resource_type: &str) {
        let plan = self.run(&["plan", "--format", "json"]).exits(0).json();
        let deleted: Vec<&Value> =
            plan["steps"].as_array().into_iter().flatten().filter(|step| step["action"]["kind"] != "none").collect();
        assert_eq!(deleted.len(), 1, "{deleted:#?}");
        assert_eq!(
            (&deleted[0]["action"]["kind"], &deleted[0]["resource_type"]),
            (&json!("delete"), &json!(resource_type))
        );
        assert_eq!(deleted[0]["logical_id"], logical_id);
        self.apply();
        self.is_settled();
    }

    fn physical_id(&self, logical_id: &str) -> String {
        let plan = self.run(&["plan", "--format", "json"]).exits(0).json();
        let steps = plan["steps"].as_array().expect("a plan has steps");
        let step = steps.iter().find(|step| step["logical_id"] == logical_id).expect("the step is there");
        step["physical_id"].as_str().expect("it is live").to_owned()
    }

    fn edit(&self, from: &str, to: &str) {
        self.paystack.replace(TEMPLATE, from, to);
    }
}

/// The line that describes a function.
static DESCRIPTION_OF_PROCESS_PAYMENT: LazyLock<String> = LazyLock::new(|| {
    let template = include_str!("../../examples/payments/template.yaml");
    let start = template.find("\n  ProcessPayment:\n").expect("the function is there");
    let line = template[start..].find("      Description:").expect("the function is described") + start;
    let end = template[line..].find('\n').expect("the line ends") + line;
    template[line..=end].to_owned()
});

/// What a plan in JSON does, by logical id; what stays is left out.
fn actions(plan: &Ran) -> BTreeMap<String, String> {
    let plan = plan.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    plan["steps"]
        .as_array()
        .expect("a plan has steps")
        .iter()
        .map(|step| (text(&step["logical_id"]), text(&step["action"]["kind"])))
        .filter(|(_, kind)| kind != "none")
        .collect()
}
