//! The payments system where AWS behaves in all of its ways at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use fault_proxy::real::{self, Pace};
use fault_proxy::{Behaviour, Proxy, Script};

use crate::harness::{Account, Paystack, Ran};

const TEMPLATE: &str = "examples/payments/template.yaml";

/// What the payments system does not meet: it has no room there at all, fails once, or has nothing of that kind.
const NOT_HERE: [&str; 2] = ["small-account", "stage-half-made"];

/// What it cannot miss.
const STRIKES: [&str; 25] = [
    "account-role-not-usable",
    "api-busy",
    "backups-not-yet-available",
    "encryption-updating",
    "function-pending",
    "function-updating",
    "log-group-busy",
    "log-group-reappears",
    "mapping-takes-time",
    "permission-not-yet-shown",
    "policy-not-yet-effective",
    "policy-written-by-another",
    "queue-shows-late",
    "role-not-yet-assumable",
    "role-not-yet-everywhere",
    "still-attached",
    "table-creating",
    "table-deleting",
    "tags-stale",
    "topic-shows-late",
    "waf-association-holds",
    "waf-association-lags",
    "waf-entity-unavailable",
    "waf-lock-token-stale",
    "written-at-the-same-time",
];

struct Story {
    paystack: Paystack,
    account: Account,
    proxy: Proxy,
    behaviours: Vec<Arc<dyn Behaviour>>,
}

#[test]
fn the_payments_system_lives_and_leaves_nothing_whatever_aws_does() {
    let paystack = Paystack::in_empty_directory();
    paystack.copy("paystack.toml").copy("examples").copy("handlers").without_rules();
    let account = Account::fresh();
    let mut behaviours = real::all(Pace(0.1));
    behaviours.retain(|behaviour| !NOT_HERE.contains(&behaviour.name()));
    let proxy = account.proxy(Script { behaviours: behaviours.clone(), ..Script::default() });
    let story = Story { paystack, account, proxy, behaviours };
    story.succeeds(&["apply", "--auto-approve"]);
    story.is_settled();
    story.changes();
    story.succeeds(&["apply", "--auto-approve"]);
    story.is_settled();
    story.succeeds(&["destroy", "--auto-approve", "--watch-logs", "8"]);
    story.account.census().assert_empty();
    story.has_met_them_all();
}

impl Story {
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        // The API Gateway logging role belongs to the account; a test's account is its own.
        let own_account = ["-p", "ManageApiGatewayAccount=true"];
        self.paystack.run(&self.account.through(&self.proxy), &[arguments, &own_account].concat()).exits(0)
    }

    #[track_caller]
    fn succeeds(&self, arguments: &[&str]) {
        self.run(arguments);
        let unsettled: Vec<String> = self.behaviours.iter().flat_map(|it| it.unsettled()).collect();
        assert_eq!(unsettled, [""; 0], "{arguments:?} did not wait");
    }

    #[track_caller]
    fn is_settled(&self) {
        self.run(&["plan", "--detailed-exitcode"]);
    }

    /// A change for every service: configuration and code of functions, a mapping, a role, the table, its tags.
    fn changes(&self) {
        let index = "handlers/process_accounting/index.py";
        self.paystack.write(index, &format!("{}\n# changed\n", self.paystack.read(index)));
        self.paystack
            .replace(TEMPLATE, "MemorySize: 512", "MemorySize: 1024")
            .replace(TEMPLATE, "BatchSize: 10", "BatchSize: 5")
            .replace(TEMPLATE, "Action: dynamodb:UpdateItem", "Action: dynamodb:PutItem")
            .replace(TEMPLATE, "      SSESpecification:\n        SSEEnabled: true\n", "")
            .replace("paystack.toml", "CC-1001", "CC-1003");
    }

    fn has_met_them_all(&self) {
        let met: BTreeSet<&str> =
            self.behaviours.iter().filter(|it| it.strikes() > 0).map(|behaviour| behaviour.name()).collect();
        let missed: Vec<&str> = STRIKES.into_iter().filter(|name| !met.contains(name)).collect();
        assert_eq!(missed, [""; 0], "met were {met:?}");
    }
}
