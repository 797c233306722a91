//! The crash matrix: paystack is killed at any call of an apply, an update and a destroy of the payments system, before the
//! call is heard or after it, and the same command is run again: with the ledger as the crash left it, and without one.
//! It must converge, with nothing twice and nothing left.
//!
//! In CI some points of it; all of it by `scripts/crash-matrix all`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fmt, panic, thread};

use fault_proxy::Script;
use fault_proxy::fault::{Fault, What, When};
use serde_json::{Value, json};

use crate::harness::account::Census;
use crate::harness::{Account, Code, Paystack, Ran, Victim};

const TEMPLATE: &str = "examples/payments/template.yaml";
const QUEUE_OF_OTHERS: &str = "payment-archive-dev";

/// How many points a part of the matrix has where nothing else is asked for.
const POINTS_IN_CI: usize = 1;

/// How many points are tried at once.
const AT_ONCE: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Apply,
    Update,
    Destroy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Before,
    After,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Memory {
    Kept,
    Lost,
}

/// One part of the matrix: one command, one moment, one memory, any call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    phase: Phase,
    moment: Moment,
    memory: Memory,
}

/// What an undisturbed run does.
struct Reference {
    calls: usize,
    shape: Value,
}

/// What came of one point.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Converged,
    /// Running the same command again did not end well, or the next plan was not empty.
    Stuck(String),
    /// The account is not as after an undisturbed run: something is there twice, or left, or not there.
    Differs(String),
    /// The run ended before it came to this call.
    NotReached,
}

#[test]
fn whatever_call_a_crash_comes_at_the_next_run_finishes_the_job() {
    let points = match env::var("PAYSTACK_CRASH_POINTS").as_deref() {
        Err(_) => POINTS_IN_CI,
        Ok("all") => usize::MAX,
        Ok(number) => number.parse().expect("PAYSTACK_CRASH_POINTS is a number of points for each part, or `all`"),
    };
    let references: BTreeMap<Phase, Reference> =
        [Phase::Apply, Phase::Update, Phase::Destroy].into_iter().map(|phase| (phase, undisturbed(phase))).collect();
    let parts = parts();
    let chosen: Vec<(Part, usize)> = parts
        .iter()
        .enumerate()
        .flat_map(|(index, part)| {
            let calls = references[&part.phase].calls;
            spread(points, calls, index, parts.len()).into_iter().map(|call| (*part, call))
        })
        .collect();
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((part, call)) = chosen.get(next.fetch_add(1, Ordering::SeqCst)).copied() {
                    let tried = panic::catch_unwind(|| attempt(part, call, &references[&part.phase]));
                    let outcome =
                        tried.unwrap_or_else(|_| Outcome::Stuck("the test itself failed; see above".to_owned()));
                    if !matches!(outcome, Outcome::Converged | Outcome::NotReached) {
                        eprintln!("{part}, call {call}: {outcome:?}");
                    }
                    outcomes.lock().expect("no test goes on after a panic under this lock").push((part, call, outcome));
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().expect("no test goes on after a panic under this lock");
    let report = report(&parts, &outcomes, &references);
    eprintln!("{report}");
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|(_, _, outcome)| !matches!(outcome, Outcome::Converged | Outcome::NotReached))
        .map(|(part, call, outcome)| format!("{part}, call {call}: {outcome:?}"))
        .collect();
    assert!(failed.is_empty(), "{}\n{report}", failed.join("\n"));
}

fn parts() -> Vec<Part> {
    let mut parts = Vec::new();
    for phase in [Phase::Apply, Phase::Update, Phase::Destroy] {
        for moment in [Moment::Before, Moment::After] {
            for memory in [Memory::Kept, Memory::Lost] {
                parts.push(Part { phase, moment, memory });
            }
        }
    }
    parts
}

/// So many calls of all, evenly spread, for each part others.
fn spread(points: usize, calls: usize, part: usize, parts: usize) -> Vec<usize> {
    if points >= calls {
        return (1..=calls).collect();
    }
    (0..points).map(|point| 1 + (calls * (point * parts + part)) / (points * parts)).collect()
}

/// Runs a phase without a fault: how many calls it makes, and how the account looks afterwards.
fn undisturbed(phase: Phase) -> Reference {
    let story = Story::up_to(phase);
    let proxy = story.account.proxy(Script::default());
    story.run(phase, &story.account.through(&proxy)).exits(0);
    if phase == Phase::Update {
        story.has_every_kind_of_action();
    }
    Reference { calls: proxy.calls(), shape: shape(&story.account.census()) }
}

/// Kills paystack at a call, and runs the same command again.
fn attempt(part: Part, call: usize, reference: &Reference) -> Outcome {
    let Part { phase, moment, memory } = part;
    let story = Story::up_to(phase);
    let victim = Victim::default();
    let what = match moment {
        Moment::Before => What::KillBefore,
        Moment::After => What::KillAfter,
    };
    let killer = victim.clone();
    let script = Script {
        faults: vec![Fault { when: When::Call(call), what }],
        kill: Some(Box::new(move || killer.kill())),
        ..Script::default()
    };
    let proxy = story.account.proxy(script);
    let command = story.paystack.command(&story.account.through(&proxy), &arguments(phase));
    let killed = story.paystack.run_victim(command, &victim);
    drop(proxy);
    match killed.code {
        Code::Signal => {}
        Code::Exit(0) => return Outcome::NotReached,
        Code::Exit(_) | Code::TooLate => return Outcome::Stuck(format!("before the crash: {killed:?}")),
    }
    if memory == Memory::Lost {
        story.paystack.remove("state");
    }
    let again = story.run(phase, &story.account);
    if again.code != Code::Exit(0) {
        return Outcome::Stuck(format!("{again:?}"));
    }
    if phase != Phase::Destroy {
        let plan = story.paystack.run(&story.account, &["plan", "--detailed-exitcode", "-p", OWN_ACCOUNT]);
        if plan.code != Code::Exit(0) {
            return Outcome::Stuck(format!("the next plan: {plan:?}"));
        }
    }
    let found = shape(&story.account.census());
    if found == reference.shape {
        Outcome::Converged
    } else {
        Outcome::Differs(differences("", &reference.shape, &found))
    }
}

/// The API Gateway logging role belongs to the account; a test's account is its own.
const OWN_ACCOUNT: &str = "ManageApiGatewayAccount=true";

fn arguments(phase: Phase) -> Vec<&'static str> {
    let command = match phase {
        Phase::Apply => ["apply"].as_slice(),
        Phase::Update => &["apply", "--adopt", "Archive"],
        Phase::Destroy => &["destroy"],
    };
    [command, &["--auto-approve", "-p", OWN_ACCOUNT]].concat()
}

struct Story {
    paystack: Paystack,
    account: Account,
}

impl Story {
    /// An account as it is before a phase.
    fn up_to(phase: Phase) -> Self {
        let paystack = Paystack::in_empty_directory();
        paystack.copy("paystack.toml").copy("examples").copy("handlers").without_rules();
        let story = Self { paystack, account: Account::fresh() };
        if phase > Phase::Apply {
            story.run(Phase::Apply, &story.account).exits(0);
        }
        if phase == Phase::Update {
            story.account.aws("sqs", "create_queue", json!({"QueueName": QUEUE_OF_OTHERS}));
            story.change_the_template();
        }
        story
    }

    fn run(&self, phase: Phase, account: &Account) -> Ran {
        self.paystack.run(account, &arguments(phase))
    }

    /// Creates, updates, replaces in both orders, deletes, and takes over.
    fn change_the_template(&self) {
        let edit = |from: &str, to: &str| _ = self.paystack.replace(TEMPLATE, from, to);
        edit("Default: 1\n    MinValue: 0\n", "Default: 2\n    MinValue: 0\n");
        let index = "handlers/process_accounting/index.py";
        self.paystack.write(index, &format!("{}\n# changed\n", self.paystack.read(index)));
        edit("OperationName: ReceiveWebhook", "OperationName: PostWebhook");
        // Another type of the sort key: the table has to go before the one of the same name can come.
        edit("{ AttributeName: timestamp, AttributeType: S }", "{ AttributeName: timestamp, AttributeType: N }");
        self.paystack.without_resource(TEMPLATE, "DuplicatesQuery");
        let more = format!(
            "Resources:\n  Archive:\n    Type: AWS::SQS::Queue\n    Properties: {{QueueName: {QUEUE_OF_OTHERS}}}\n\n  \
             Audit:\n    Type: AWS::SNS::Topic\n\n"
        );
        edit("Resources:\n", &more);
    }

    /// What the update has done, as its ledger was told to: a fresh account shows the plan of it.
    fn has_every_kind_of_action(&self) {
        let story = Self::up_to(Phase::Update);
        let plan = ["plan", "--adopt", "Archive", "--format", "json", "-p", OWN_ACCOUNT];
        let plan = story.paystack.run(&story.account, &plan).exits(0).json();
        let steps = plan["steps"].as_array().expect("a plan has steps");
        for kind in ["create", "adopt", "update", "delete", "none"] {
            assert!(steps.iter().any(|step| step["action"]["kind"] == kind), "nothing to {kind}: {plan:#}");
        }
        for order in ["create_first", "delete_first"] {
            let is_it = |step: &Value| step["action"]["kind"] == "replace" && step["action"]["order"] == order;
            assert!(steps.iter().any(is_it), "nothing to replace {order}: {plan:#}");
        }
    }
}

/// What there is, without what AWS invents: names as they are, the rest by its kind and number.
fn shape(census: &Census) -> Value {
    let kinds = census.0.iter().map(|(kind, things)| (kind.clone(), shape_of(things)));
    Value::Object(kinds.collect())
}

fn shape_of(value: &Value) -> Value {
    match value {
        // What is numbered or has an id for its name is only counted.
        Value::Object(fields) if fields.keys().any(|key| is_invented(key)) => sorted(fields.values()),
        Value::Object(fields) => Value::Object(fields.iter().map(|(key, it)| (key.clone(), shape_of(it))).collect()),
        Value::Array(items) => sorted(items.iter()),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) | Value::Null => value.clone(),
    }
}

fn sorted<'a>(values: impl Iterator<Item = &'a Value>) -> Value {
    let mut shapes: Vec<Value> = values.map(shape_of).collect();
    shapes.sort_by_key(Value::to_string);
    Value::Array(shapes)
}

fn is_invented(key: &str) -> bool {
    key.bytes().all(|it| it.is_ascii_digit())
}

/// Where two shapes part, in lines.
fn differences(path: &str, expected: &Value, found: &Value) -> String {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let mut lines = Vec::new();
            let keys: std::collections::BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
            for key in keys {
                let path = format!("{path}/{key}");
                match (expected.get(key), found.get(key)) {
                    (Some(expected), Some(found)) if expected == found => {}
                    (Some(expected), Some(found)) => lines.push(differences(&path, expected, found)),
                    (Some(_), None) => lines.push(format!("{path} is missing")),
                    (None, _) => lines.push(format!("{path} is left over")),
                }
            }
            lines.join("\n")
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() != found.len() => {
            format!("{path} has {} instead of {}", found.len(), expected.len())
        }
        _ => format!("{path} is {found}, not {expected}"),
    }
}

/// The matrix as a table.
fn report(parts: &[Part], outcomes: &[(Part, usize, Outcome)], references: &BTreeMap<Phase, Reference>) -> String {
    let calls: Vec<String> =
        references.iter().map(|(phase, reference)| format!("{phase} makes {} calls", reference.calls)).collect();
    let mut lines = vec![
        format!("Crash matrix of the payments system ({}):", calls.join(", ")),
        "command  killed  ledger  points tried  not reached  converged  stuck  duplicates, leftovers  manual steps"
            .to_owned(),
    ];
    let mut row = |name: String, is_in: &dyn Fn(&Part) -> bool| {
        let count = |is: fn(&Outcome) -> bool| outcomes.iter().filter(|(part, _, it)| is_in(part) && is(it)).count();
        let tried = count(|it| *it != Outcome::NotReached);
        let (converged, not_reached) = (count(|it| *it == Outcome::Converged), count(|it| *it == Outcome::NotReached));
        let stuck = count(|it| matches!(it, Outcome::Stuck(_)));
        let differs = count(|it| matches!(it, Outcome::Differs(_)));
        lines.push(format!(
            "{name:23}  {tried:12}  {not_reached:11}  {converged:9}  {stuck:5}  {differs:21}  {:12}",
            stuck + differs
        ));
    };
    for part in parts {
        row(part.to_string(), &|it| it == part);
    }
    row("all".to_owned(), &|_| true);
    lines.join("\n")
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Apply => "apply",
            Self::Update => "update",
            Self::Destroy => "destroy",
        })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = match self.moment {
            Moment::Before => "before",
            Moment::After => "after",
        };
        let memory = match self.memory {
            Memory::Kept => "kept",
            Memory::Lost => "lost",
        };
        write!(f, "{:7}  {moment:6}  {memory:6}", self.phase)
    }
}
