//! What is remembered of stacks, and who may write it: in files and in a table, alone and together with others.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use fault_proxy::Script;
use paystack::aws::clock::SystemClock;
use paystack::aws::{ApiRates, Context, LocalAccount, Packages, Target, connect};
use paystack::identity::StackId;
use paystack::state::{DynamoDbLedgers, Holder, Ledger, Ledgers, Lock, Record, StateTable, lock};
use serde_json::{Value, json};

use crate::harness::{Account, Paystack, Ran};

const PROJECT: &str = r#"
[project]
name = "orders"
template = "template.yaml"
default_environment = "dev"

[tags]
Team = "orders"

[environments.dev]
[environments.test]
"#;

const FILES: &str = "";
/// A lease that runs out while a test waits for it.
const TABLE: &str = "[state]\nbackend = 'dynamodb'\nlease_seconds = 8\n";
/// A lease that runs out in no test.
const LONG: &str = "[state]\nbackend = 'dynamodb'\nlease_seconds = 900\n";

const STATE_TABLE: &str = "paystack-state";

/// Enough for a run to be in the midst of it.
const QUEUES: usize = 40;

const DEADLINE: Duration = Duration::from_secs(280);

struct Story {
    paystack: Paystack,
    account: Account,
}

impl Story {
    fn begin(state: &str, template: &str) -> Self {
        let paystack = Paystack::in_empty_directory();
        paystack.write("paystack.toml", &format!("{PROJECT}{state}")).write("template.yaml", template);
        Self { paystack, account: Account::fresh() }
    }

    fn with_queues(state: &str) -> Self {
        let queues = (0..QUEUES).map(|number| format!("  Queue{number}: {{Type: AWS::SQS::Queue}}\n"));
        Self::begin(state, &format!("Resources:\n{}", queues.collect::<String>()))
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        self.paystack.run(&self.account, arguments)
    }

    /// Begins an apply that takes its time.
    fn start(&self, name: &str) -> Running {
        self.start_with(name, &["apply", "--auto-approve", "--concurrency", "1"])
    }

    fn start_with(&self, name: &str, arguments: &[&str]) -> Running {
        let mut command = self.paystack.command(&self.account, arguments);
        let path = |stream: &str| self.paystack.path().join(format!("{name}.{stream}"));
        let file = |path: &PathBuf| File::create(path).expect("a file can be made");
        let (out, err) = (path("out"), path("err"));
        let child = command.stdout(file(&out)).stderr(file(&err)).spawn().expect("the binary runs");
        Running { child, out, err }
    }

    fn queues(&self) -> usize {
        self.account.census().of("queues").as_object().map_or(0, serde_json::Map::len)
    }

    /// All is there once, and there is nothing to do.
    #[track_caller]
    fn is_converged(&self) {
        self.run(&["plan", "--detailed-exitcode"]).exits(0);
        assert_eq!(self.queues(), QUEUES);
    }

    /// Which write the ledger in the table is of.
    fn write(&self) -> Value {
        let key = json!({"Stack": {"S": "orders-dev"}, "Part": {"S": "Ledger"}});
        let names = json!({"#serial": "Serial", "#write": "Write"});
        let arguments = json!({
            "TableName": STATE_TABLE,
            "Key": key,
            "ProjectionExpression": "#serial, #write",
            "ExpressionAttributeNames": names,
        });
        self.account.aws("dynamodb", "get_item", arguments)["Item"].clone()
    }

    fn lose_the_table(&self) {
        self.account.aws("dynamodb", "delete_table", json!({"TableName": STATE_TABLE}));
    }
}

/// A paystack in the background. It ends with its test.
struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    /// Waits until it has said something.
    #[track_caller]
    fn says(&mut self, text: &str) -> &mut Self {
        let start = Instant::now();
        while !self.said().contains(text) {
            assert!(start.elapsed() < DEADLINE, "it did not say `{text}`: {}", self.said());
            let has_ended = self.child.try_wait().expect("a child can be waited for").is_some();
            assert!(!has_ended || self.said().contains(text), "it ended without saying `{text}`: {}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
        self
    }

    fn said(&self) -> String {
        [&self.out, &self.err].map(|path| fs::read_to_string(path).unwrap_or_default()).concat()
    }

    #[track_caller]
    fn send(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Ends it so that it can do nothing about it.
    fn kill(mut self) {
        self.send("-KILL");
        self.child.wait().expect("a child can be waited for");
    }

    /// Waits for its end, and gives what it said.
    #[track_caller]
    fn ends(mut self, code: i32) -> String {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                assert_eq!(status.code(), Some(code), "{}", self.said());
                return self.said();
            }
            assert!(start.elapsed() < DEADLINE, "it does not end: {}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, where its test has gone well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

/// Of two applies of one stack one works; the other says who that is, or waits for it.
fn two_applies_of_one_stack(state: &str) {
    let story = Story::with_queues(state);
    let mut first = story.start("first");
    first.says("Creation complete after");
    let holder = format!("(process {})", first.child.id());
    let refused = story.run(&["apply", "--auto-approve"]).exits(1).stderr;
    contains(&refused, &["another paystack works on the stack `orders-dev`: `apply` by ", &holder, " since 20"]);
    contains(&refused, &["--lock-timeout SECONDS"]);
    // A plan writes nothing and asks for no lock.
    story.run(&["plan"]).exits(0);
    let mut second = story.start_with("second", &["apply", "--auto-approve", "--lock-timeout", "280"]);
    second.says("The stack `orders-dev` is locked: `apply` by ").says("waiting for it...");
    contains(&first.ends(0), &["apply is complete: 40 created, 0 updated, 0 deleted in "]);
    contains(&second.ends(0), &["Nothing to change"]);
    story.is_converged();
}

#[test]
fn of_two_applies_of_one_stack_one_works_with_a_ledger_in_a_file() {
    two_applies_of_one_stack(FILES);
}

#[test]
fn of_two_applies_of_one_stack_one_works_with_a_ledger_in_a_table() {
    two_applies_of_one_stack(TABLE);
}

/// A lock whose holder was killed is taken over by the same command, with nothing to be done by hand.
fn killed_and_taken_over(state: &str) {
    let story = Story::with_queues(state);
    let mut first = story.start("first");
    first.says("Creation complete after");
    first.kill();
    assert!(story.queues() < QUEUES);
    contains(&story.run(&["apply", "--auto-approve"]).exits(0).stdout, &["apply is complete"]);
    story.is_converged();
}

#[test]
fn the_lock_of_a_killed_run_is_taken_over_with_a_ledger_in_a_file() {
    killed_and_taken_over(FILES);
}

#[test]
fn the_lock_of_a_killed_run_is_taken_over_with_a_ledger_in_a_table() {
    killed_and_taken_over(TABLE);
}

#[test]
fn a_paused_run_that_wakes_up_writes_nothing_and_says_why() {
    let story = Story::with_queues(TABLE);
    let mut first = story.start("first");
    first.says("Creation complete after");
    first.send("-STOP");
    // It is not known to be dead, and shows no sign of life for as long as its lease holds.
    let second = story.run(&["apply", "--auto-approve"]).exits(0);
    contains(&second.stderr, &["looking whether that run is alive..."]);
    let write = story.write();
    assert!(write["Serial"]["N"].is_string(), "{write}");
    first.send("-CONT");
    let said = first.ends(1);
    contains(&said, &["stopped: this run has lost the lock of the stack `orders-dev`"]);
    contains(&said, &["not started: Queue", "nothing was written since"]);
    assert_eq!(story.write(), write);
    story.is_converged();
}

#[test]
fn two_stacks_at_once_make_one_table_and_leave_each_other_alone() {
    let story = Story::with_queues(TABLE);
    let apply = |environment| story.start_with(environment, &["apply", "--auto-approve", "-e", environment]);
    for run in [apply("dev"), apply("test")] {
        contains(&run.ends(0), &["apply is complete: 40 created, 0 updated, 0 deleted in "]);
    }
    assert_eq!(story.queues(), 2 * QUEUES);
    for environment in ["dev", "test"] {
        story.run(&["plan", "--detailed-exitcode", "-e", environment]).exits(0);
    }
    let table = story.account.aws("dynamodb", "describe_table", json!({"TableName": STATE_TABLE}))["Table"].clone();
    assert_eq!(table["SSEDescription"]["Status"], "ENABLED", "{table}");
    assert_eq!(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST", "{table}");
    let backups = story.account.aws("dynamodb", "describe_continuous_backups", json!({"TableName": STATE_TABLE}));
    let recovery = &backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
    assert_eq!(recovery["PointInTimeRecoveryStatus"], "ENABLED", "{backups}");
    let tags = story.account.aws("dynamodb", "list_tags_of_resource", json!({"ResourceArn": table["TableArn"]}));
    for (key, value) in [("paystack:state", "ledgers"), ("Team", "orders")] {
        let tag = json!({"Key": key, "Value": value});
        assert!(tags["Tags"].as_array().is_some_and(|tags| tags.contains(&tag)), "{tags}");
    }
    // One goes, and the other knows nothing of it.
    let destroyed = story.run(&["destroy", "--auto-approve", "-e", "test"]).exits(0).stdout;
    contains(&destroyed, &["Nothing of the stack `orders-test` is left."]);
    story.is_converged();
}

#[test]
fn a_lost_ledger_costs_only_its_memory() {
    for state in [FILES, TABLE] {
        let story = Story::with_queues(state);
        story.run(&["apply", "--auto-approve"]).exits(0);
        contains(&story.run(&["state", "history"]).exits(0).stdout, &["apply  40 tasks done, 0 failed"]);
        if state == TABLE {
            story.lose_the_table()
        } else {
            _ = story.paystack.remove("state")
        }
        story.is_converged();
        contains(&story.run(&["state", "history"]).exits(0).stdout, &["No run is remembered"]);
        // What has left the template meanwhile is found by its marks.
        story.paystack.replace("template.yaml", "  Queue7: {Type: AWS::SQS::Queue}\n", "");
        contains(
            &story.run(&["apply", "--auto-approve"]).exits(0).stdout,
            &["Queue7", "apply is complete: 0 created, 0 updated, 1 deleted in "],
        );
        assert_eq!(story.queues(), QUEUES - 1);
        story.run(&["plan", "--detailed-exitcode"]).exits(0);
    }
}

#[test]
fn one_project_in_two_accounts_is_remembered_in_each() {
    const BOTH: &str = "Resources:\n  Orders: {Type: AWS::SQS::Queue}\n  Failures: {Type: AWS::SNS::Topic}\n";
    const ONE: &str = "Resources:\n  Orders: {Type: AWS::SQS::Queue}\n";
    let story = Story::begin(FILES, BOTH);
    let (first, second) = (&story.account, Account::fresh());
    story.run(&["apply", "--auto-approve"]).exits(0);
    let untouched = first.census();

    let plan = story.paystack.run(&second, &["plan"]).exits(0).stdout;
    let elsewhere =
        format!("nothing is remembered of this stack here, but one of its name in account {}, us-east-1", first.number);
    contains(&plan, &[&elsewhere, "2 to create"]);
    story.paystack.run(&second, &["apply", "--auto-approve"]).exits(0);
    assert_eq!(first.census(), untouched);
    for account in [first, &second] {
        let plan = story.paystack.run(account, &["plan", "--detailed-exitcode"]).exits(0).stdout;
        assert!(!plan.contains("nothing is remembered"), "{plan}");
        let listed = story.paystack.run(account, &["state", "list", "--format", "json"]).exits(0).json();
        assert_eq!(listed["place"], json!({"account_id": account.number, "region": "us-east-1"}));
        let other = if account.number == first.number { &second } else { first };
        let resources = listed["resources"].to_string();
        assert!(resources.contains(&account.number) && !resources.contains(&other.number), "{listed}");
    }

    story.paystack.write("template.yaml", ONE);
    story.paystack.run(&second, &["destroy", "--auto-approve"]).exits(0);
    second.census().assert_empty();
    assert_eq!(first.census(), untouched);
    contains(&story.run(&["apply", "--auto-approve"]).exits(0).stdout, &["0 created, 0 updated, 1 deleted"]);
    story.run(&["destroy", "--auto-approve"]).exits(0);
    first.census().assert_empty();
    let left = fs::read_dir(story.paystack.path().join("state")).expect("it is there").flatten();
    let left: Vec<_> =
        left.map(|it| it.file_name()).filter(|name| name != "orders-dev.lock" && name != ".gitignore").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_table_that_goes_in_the_midst_of_a_run_stops_it_and_the_next_one_goes_on() {
    let story = Story::with_queues(TABLE);
    let mut first = story.start("first");
    first.says("Creation complete after");
    // However long that takes, the run is not over before.
    first.send("-STOP");
    story.lose_the_table();
    first.send("-CONT");
    let said = first.ends(1);
    contains(&said, &["stopped: the table `paystack-state` is gone", "the table is made anew", "not started: Queue"]);
    assert!(story.queues() < QUEUES);
    story.run(&["apply", "--auto-approve"]).exits(0);
    story.is_converged();
}

/// What befalls any call, the table's own too; `first` is of every operation.
const FAULTS: [&str; 3] = ["20%:throttle 5%:fail=500 5%:drop 5%:lose", "first:lose", "first:fail-after=503"];

#[test]
fn whatever_befalls_the_calls_of_the_table_a_run_comes_to_its_end_and_is_remembered() {
    for faults in FAULTS {
        let story = Story::with_queues(LONG);
        for (seed, command) in (1..).zip(["apply", "destroy"]) {
            let script = faults.split_whitespace().map(|fault| fault.parse().expect("a fault")).collect();
            let proxy = story.account.proxy(Script { faults: script, seed, ..Script::default() });
            story.paystack.run(&story.account.through(&proxy), &[command, "--auto-approve"]).exits(0);
            if command == "apply" {
                story.is_converged();
                let remembered = story.run(&["state", "list", "--format", "json"]).exits(0).json();
                assert_eq!(remembered["resources"].as_array().map(Vec::len), Some(QUEUES), "{faults}");
            }
        }
        assert_eq!(story.queues(), 0, "{faults}");
    }
}

#[test]
fn a_table_of_somebody_else_is_left_alone() {
    let story = Story::with_queues(TABLE);
    let key = |name: &str| json!([{"AttributeName": "id", name: if name == "KeyType" { "HASH" } else { "S" }}]);
    let table = json!({
        "TableName": STATE_TABLE,
        "KeySchema": key("KeyType"),
        "AttributeDefinitions": key("AttributeType"),
        "BillingMode": "PAY_PER_REQUEST",
    });
    story.account.aws("dynamodb", "create_table", table);
    let refused = story.run(&["apply", "--auto-approve"]).exits(1).stderr;
    contains(&refused, &["the table `paystack-state`"]);
    assert_eq!(story.queues(), 0);
}

#[test]
fn a_plan_makes_no_table() {
    let story = Story::with_queues(TABLE);
    story.run(&["plan"]).exits(0);
    contains(&story.run(&["state", "list"]).exits(0).stdout, &["Nothing is remembered of the stack `orders-dev`."]);
    contains(&story.run(&["state", "unlock"]).exits(0).stdout, &["is not locked"]);
    story.account.census().assert_empty();
}

#[test]
fn a_lease_can_be_broken_by_hand() {
    let story = Story::with_queues(LONG);
    let mut first = story.start("first");
    first.says("Creation complete after");
    first.kill();
    let asked = story.run(&["state", "unlock"]).exits(1).stderr;
    contains(&asked, &["The stack `orders-dev` is locked: `apply` by ", "run it with `--force`"]);
    contains(&story.run(&["state", "unlock", "--force"]).exits(0).stdout, &["The lock is broken."]);
    contains(&story.run(&["state", "unlock", "--auto-approve"]).exits(0).stdout, &["is not locked"]);
    story.run(&["apply", "--auto-approve"]).exits(0);
    story.is_converged();
}

#[test]
fn a_run_whose_lease_is_broken_stops() {
    let story = Story::with_queues(LONG);
    let mut first = story.start("first");
    first.says("Creation complete after");
    story.run(&["state", "unlock", "--force"]).exits(0);
    let said = first.ends(1);
    contains(&said, &["stopped: this run has lost the lock of the stack `orders-dev`", "nobody has it now"]);
    story.run(&["apply", "--auto-approve"]).exits(0);
    story.is_converged();
}

#[test]
fn the_lock_of_a_file_needs_no_breaking() {
    let story = Story::with_queues(FILES);
    let mut first = story.start("first");
    first.says("Creation complete after");
    let refused = story.run(&["state", "unlock", "--force"]).exits(1).stderr;
    contains(&refused, &["not one that can be broken", "the system frees as soon as that process has ended"]);
    first.kill();
    contains(&story.run(&["state", "unlock"]).exits(0).stdout, &["The stack `orders-dev` is not locked."]);
}

const SECRET: &str = r"
Parameters:
  Secret: {Type: String, NoEcho: true}
Resources:
  News: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Secret, TopicName: news}}
  Orders: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 5}}
  Refunds: {Type: AWS::SQS::Queue, DependsOn: News}
";

#[test]
fn what_is_remembered_can_be_looked_at_and_forgotten_without_its_secrets() {
    for state in [FILES, TABLE] {
        let story = Story::begin(state, SECRET);
        let secret = ["-p", "Secret=hunter2hunter2"];
        story.run(&[&["apply", "--auto-approve"], &secret[..]].concat()).exits(0);
        let list = story.run(&["state", "list"]).exits(0).stdout;
        contains(&list, &["News     AWS::SNS::Topic  arn:aws:sns:", "Orders   AWS::SQS::Queue  http"]);
        let list = story.run(&["state", "list", "--format", "json"]).exits(0).json();
        assert_eq!(list["resources"][0]["logical_id"], "News", "{list}");
        let show = story.run(&["state", "show", "Refunds"]).exits(0).stdout;
        contains(&show, &["Refunds  AWS::SQS::Queue  http", "depends on: News", "applied last:"]);
        let show = story.run(&["state", "show", "News"]).exits(0).stdout;
        contains(&show, &["DisplayName: (sensitive)", "TopicName: news"]);
        let json = story.run(&["state", "show", "News", "--format", "json"]).exits(0);
        assert_eq!(json.json()["resource"]["applied"]["DisplayName"], "(sensitive)");
        let history = story.run(&["state", "history", "--format", "json"]).exits(0).json();
        assert_eq!((&history["history"][0]["command"], &history["history"][0]["done"]), (&json!("apply"), &json!(3)));
        for text in [&show, &json.stdout, &list.to_string(), &history.to_string()] {
            assert!(!text.contains("hunter2") && !text.contains("sha256:"), "{text}");
        }
        let unknown = story.run(&["state", "show", "Order"]).exits(1).stderr;
        contains(&unknown, &["nothing is remembered of `Order` in the stack `orders-dev`", "did you mean `Orders`?"]);
        // What is declared and was forgotten is found again, and nothing changes.
        let forgotten = story.run(&["state", "forget", "Orders"]).exits(0).stdout;
        contains(&forgotten, &["Forgotten: Orders  AWS::SQS::Queue  http", "the next plan finds it again"]);
        story.run(&["state", "show", "Orders"]).exits(1);
        story.run(&[&["plan", "--detailed-exitcode"], &secret[..]].concat()).exits(0);
        // What is not declared any more and was forgotten stays, until everything goes.
        story.run(&["state", "forget", "Orders"]).exits(1);
        story.run(&["state", "forget", "Refunds", "--format", "json"]).exits(0).json();
        story.paystack.replace("template.yaml", "  Refunds: {Type: AWS::SQS::Queue, DependsOn: News}\n", "");
        story.run(&[&["plan", "--detailed-exitcode"], &secret[..]].concat()).exits(0);
        assert_eq!(story.queues(), 2);
        story.run(&[&["destroy", "--auto-approve"], &secret[..]].concat()).exits(0);
        assert_eq!(story.queues(), 0);
    }
}

async fn ledgers(account: &Account) -> DynamoDbLedgers {
    let local = LocalAccount { endpoint: account.endpoint().to_owned(), account_id: account.number.clone() };
    let target = Target { region: Some("us-east-1".to_owned()), local: Some(local), rates: ApiRates::default() };
    let connection = connect(target).await.expect("the emulator says who we are");
    let cx = Context::new(&connection, Packages::new(), Arc::new(SystemClock::start()));
    let table = StateTable {
        name: "ledgers".to_owned(),
        lease: Duration::from_secs(30),
        tags: std::collections::BTreeMap::new(),
    };
    DynamoDbLedgers::new(Arc::new(cx), table, account.number.clone())
}

async fn taken(ledgers: &DynamoDbLedgers, stack: &StackId) -> Box<dyn Lock> {
    let holder = Holder {
        command: "apply".to_owned(),
        caller: "a test".to_owned(),
        process: std::process::id(),
        since: "2026-11-25T12:00:00Z".parse().expect("a moment"),
    };
    let clock = SystemClock::start();
    let taken = lock(ledgers, stack, &holder, Duration::ZERO, &clock, &mut |_, _| {}).await;
    taken.unwrap_or_else(|error| panic!("{error}"))
}

/// A ledger of so many resources, none of which looks like another.
fn large(stack: &StackId, resources: usize) -> Ledger {
    let mut ledger = Ledger::empty(stack.clone(), "salt".to_owned());
    let digest = |number: usize| paystack::state::salted_digest("resource", &number.to_string());
    for number in 0..resources {
        let statements: Vec<Value> =
            (0..4).map(|it| json!({"Sid": digest(number * 4 + it), "Effect": "Allow"})).collect();
        let record = Record {
            resource_type: "AWS::IAM::ManagedPolicy".into(),
            physical_id: Some(format!("arn:aws:iam::123456789012:policy/{number}").as_str().into()),
            applied: Some(json!({"PolicyDocument": {"Version": "2012-10-17", "Statement": statements}})),
            dependencies: std::collections::BTreeSet::new(),
            intended: None,
            deposed: std::collections::BTreeSet::new(),
        };
        ledger.resources.insert(format!("Policy{number}").as_str().into(), record);
    }
    ledger
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_of_thousands_of_resources_fits_and_shrinks_again() {
    let account = Account::fresh();
    let ledgers = ledgers(&account).await;
    let stack = StackId::from("orders-dev");
    let lock = taken(&ledgers, &stack).await;
    let mut ledger = large(&stack, 6_000);
    for resources in [6_000, 1_500, 6_000] {
        ledger.resources = large(&stack, resources).resources;
        lock.save(&mut ledger).await.expect("it fits");
        let loaded = ledgers.load(&stack, "other").await.expect("it is there");
        assert_eq!(loaded, Ledger { is_remembered: true, ..ledger.clone() });
        let count = json!({"TableName": "ledgers", "Select": "COUNT"});
        let items = account.aws("dynamodb", "scan", count)["Count"].as_u64().expect("a number");
        // The table's own item, the lease, and the ledger.
        assert_eq!(items > 3, resources == 6_000, "{items} items for {resources} resources");
    }
    assert_eq!(ledger.serial, 3);
    lock.remove().await.expect("it is there");
    lock.release().await;
    let count = json!({"TableName": "ledgers", "Select": "COUNT"});
    assert_eq!(account.aws("dynamodb", "scan", count)["Count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_somebody_has_changed_is_not_overwritten() {
    let account = Account::fresh();
    let ledgers = ledgers(&account).await;
    let stack = StackId::from("orders-dev");
    let lock = taken(&ledgers, &stack).await;
    let mut ledger = large(&stack, 1);
    lock.save(&mut ledger).await.expect("it is the first");
    let mut other = Ledger { serial: 17, ..ledger.clone() };
    lock.save(&mut other).await.expect("what this run has written itself is no surprise to it");
    assert_eq!(other.serial, 2);
    let change = json!({
        "TableName": "ledgers",
        "Key": {"Stack": {"S": "orders-dev"}, "Part": {"S": "Ledger"}},
        "UpdateExpression": "SET Serial = :serial, #write = :write",
        "ExpressionAttributeNames": {"#write": "Write"},
        "ExpressionAttributeValues": {":serial": {"N": "9"}, ":write": {"S": "somebody"}},
    });
    account.aws("dynamodb", "update_item", change);
    let error = lock.save(&mut other).await.expect_err("it is another's");
    assert!(error.to_string().contains("was changed by somebody else"), "{error}");
    assert_eq!(other.serial, 2);
    lock.release().await;
}
