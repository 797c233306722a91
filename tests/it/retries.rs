//! Whatever the network and the services do to single calls, a run goes on to its end, once, and leaves nothing twice.

use std::collections::BTreeMap;

use fault_proxy::Script;
use serde_json::Value;

use crate::harness::{Account, Paystack};

const TEMPLATE: &str = "examples/payments/template.yaml";

/// The API Gateway logging role belongs to the account; a test's account is its own.
const OWN_ACCOUNT: [&str; 2] = ["-p", "ManageApiGatewayAccount=true"];

/// What befalls any call: a fifth is refused, and of the rest each twentieth fails, is not heard, or is not answered.
const STORM: &str = "20%:throttle 5%:fail=500 5%:drop 5%:lose";

/// Each operation's first answer in a run is lost, that of those that only look too.
const LOST: &str = "first:lose";
/// The same, where the service itself does not know what it has done.
const FAILED_AFTER: &str = "first:fail-after=503";

/// A stack through its life, each run of paystack with faults of its own.
struct Life {
    paystack: Paystack,
    account: Account,
    arguments: Vec<String>,
    faults: &'static str,
    runs: u64,
}

impl Life {
    fn of_payments(faults: &'static str) -> Self {
        let paystack = Paystack::in_empty_directory();
        paystack.copy("paystack.toml").copy("examples").copy("handlers").without_rules();
        let arguments = OWN_ACCOUNT.map(str::to_owned).into();
        Self { paystack, account: Account::fresh(), arguments, faults, runs: 0 }
    }

    fn of_example(template: &str, faults: &'static str) -> Self {
        let paystack = Paystack::in_empty_directory();
        paystack.copy("examples");
        let arguments = ["--template", template, "--stack", "calm"].map(str::to_owned).into();
        Self { paystack, account: Account::fresh(), arguments, faults, runs: 0 }
    }

    /// Runs a command once, through its faults, to a good end.
    #[track_caller]
    fn does(&mut self, command: &[&str]) {
        self.runs += 1;
        let faults = self.faults.split_whitespace().map(|fault| fault.parse().expect("a fault")).collect();
        let proxy = self.account.proxy(Script { faults, seed: self.runs, ..Script::default() });
        let arguments: Vec<&str> = command.iter().copied().chain(self.arguments.iter().map(String::as_str)).collect();
        self.paystack.run(&self.account.through(&proxy), &arguments).exits(0);
    }

    #[track_caller]
    fn applies(&mut self) {
        self.does(&["apply", "--auto-approve"]);
        // With changes left, this ends with 2.
        self.does(&["plan", "--detailed-exitcode"]);
    }

    /// How much there is of each kind: things, and all that is said of them and is within them.
    fn things(&self) -> BTreeMap<String, usize> {
        self.account.census().0.iter().map(|(kind, things)| (kind.clone(), size(things))).collect()
    }

    /// Lives the same life without faults, and compares what both leave in their accounts at each step.
    #[track_caller]
    fn lives_as_without_faults(mut self, mut calm: Self, changes: &[(&str, &str, &str)]) {
        for life in [&mut self, &mut calm] {
            life.applies();
        }
        assert_eq!(self.things(), calm.things(), "after the creation");
        if !changes.is_empty() {
            for life in [&mut self, &mut calm] {
                for (file, from, to) in changes {
                    life.paystack.replace(file, from, to);
                }
                life.applies();
            }
            assert_eq!(self.things(), calm.things(), "after the change");
        }
        self.does(&["destroy", "--auto-approve"]);
        self.account.census().assert_empty();
    }
}

/// How many values are in a value.
fn size(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields.values().map(size).sum::<usize>() + fields.len(),
        Value::Array(items) => items.iter().map(size).sum::<usize>() + items.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// An update of every kind that payments can have: in place, code, content of an API, replaced, deleted.
const CHANGES: [(&str, &str, &str); 5] = [
    (TEMPLATE, "Default: 1\n    MinValue: 0\n", "Default: 2\n    MinValue: 0\n"),
    (TEMPLATE, "OperationName: ReceiveWebhook", "OperationName: PostWebhook"),
    (TEMPLATE, "TableName: !Sub payment-transactions-", "TableName: !Sub payment-transactions-v2-"),
    ("handlers/process_accounting/index.py", "\nimport os\n", "\n# changed\nimport os\n"),
    ("handlers/layer/python/payments_common/__init__.py", "\"\"\"", "# changed\n\"\"\""),
];

#[test]
fn a_storm_does_not_keep_the_payments_system_from_coming_and_going() {
    Life::of_payments(STORM).lives_as_without_faults(Life::of_payments(""), &CHANGES);
}

#[test]
fn a_lost_answer_to_any_operation_makes_nothing_of_the_payments_system_twice() {
    Life::of_payments(LOST).lives_as_without_faults(Life::of_payments(""), &CHANGES);
}

#[test]
fn a_failure_after_the_work_is_done_makes_nothing_of_the_payments_system_twice() {
    Life::of_payments(FAILED_AFTER).lives_as_without_faults(Life::of_payments(""), &CHANGES);
}

/// The smaller examples, which have the types that the payments system has not, each with a change.
macro_rules! examples {
    ($($name:ident: $template:literal, $changes:expr;)*) => {
        $(
            #[test]
            fn $name() {
                for faults in [LOST, FAILED_AFTER] {
                    let changes = $changes.map(|(from, to)| ($template, from, to));
                    let calm = Life::of_example($template, "");
                    Life::of_example($template, faults).lives_as_without_faults(calm, &changes);
                }
            }
        )*
    };
}

examples! {
    a_lost_answer_makes_no_second_function: "examples/inline-function.yaml", [
        ("Architectures: [arm64]", "Architectures: [arm64]\n      Timeout: 9"),
        ("Action: [logs:CreateLogStream, logs:PutLogEvents]", "Action: logs:PutLogEvents"),
    ];
    a_lost_answer_makes_no_second_metric: "examples/log-metrics.yaml", [
        ("RetentionInDays: 14", "RetentionInDays: 30"),
        ("Threshold: 10", "Threshold: 11"),
    ];
    a_lost_answer_makes_no_second_queue: "examples/queue-with-dlq.yaml", [
        ("VisibilityTimeout: 60", "VisibilityTimeout: 61"),
    ];
    a_lost_answer_makes_no_second_api: "examples/rest-api-mock.yaml", [
        ("Types: [REGIONAL] }", "Types: [REGIONAL] }\n      BinaryMediaTypes: [image/png]"),
        ("AuthorizationType: NONE", "AuthorizationType: NONE\n      RequestParameters: { method.request.querystring.a: true }"),
        ("StageName: live", "StageName: live\n      Variables: { colour: blue }"),
    ];
    a_lost_answer_makes_no_second_table: "examples/table-with-indexes.yaml", [
        ("        AttributeName: expires_at\n        Enabled: true\n", "        AttributeName: ends_at\n        Enabled: true\n"),
        ("- IndexName: by-device", "- IndexName: by-gadget"),
    ];
    a_lost_answer_makes_no_second_subscription: "examples/topic-to-queue.yaml", [
        ("event_type: [payment.refunded]", "event_type: [payment.failed]"),
    ];
    a_lost_answer_makes_no_second_web_acl: "examples/waf-ipset.yaml", [
        ("198.51.100.7/32", "198.51.100.8/32"),
        ("Priority: 0\n          Action: { Allow: {} }", "Priority: 0\n          Action: { Count: {} }"),
    ];
}
