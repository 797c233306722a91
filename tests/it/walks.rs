//! Random walks: one random template after another over many types, with crashes, cancellations, lost ledgers and other people's
//! changes in between. However it got there, the account is in the end what a fresh one becomes by the last template: the same
//! resources, each with the same properties and attributes, and nothing beside them.
//!
//! In CI a few walks, always the same; `PROPTEST_CASES=20 cargo test --test it walks::` takes others. In memory, where no
//! service has a say, many more are walked: `src/apply/random_tests.rs`.

#[path = "../../src/fake/worlds.rs"]
#[expect(dead_code, reason = "what the walks in memory need besides")]
mod worlds;

mod beside;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::{env, fs};

use fault_proxy::Script;
use fault_proxy::fault::{Fault, What, When};
use paystack::aws::clock::SystemClock;
use paystack::aws::{Context, LocalAccount, Packages, Target, connect};
use paystack::identity::{PhysicalId, ResourceType};
use paystack::resource::row;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::harness::{AS_BEFORE, Account, Code, Paystack, Ran, Victim};
use beside::{OFTEN, with_more};
use worlds::{Template, templates};

/// How many walks there are where nobody asks for more.
const WALKS_IN_CI: u32 = 2;

/// What happens at one step of a walk.
#[derive(Debug, Clone)]
enum Mishap {
    Nothing,
    /// Paystack is killed at a call, before or after it is heard; the ledger may be lost with it.
    Killed {
        call: usize,
        what: What,
        loses_ledger: bool,
    },
    /// It is told to stop when so many calls were answered.
    Cancelled(usize),
    /// Somebody deletes something afterwards.
    Deleted(prop::sample::Index),
    /// Somebody changes queues and functions afterwards.
    Changed,
}

fn mishaps() -> impl Strategy<Value = Mishap> {
    let moments = prop_oneof![Just(What::KillBefore), Just(What::KillAfter)];
    prop_oneof![
        Just(Mishap::Nothing),
        (20..90_usize, moments, any::<bool>()).prop_map(|(call, what, loses_ledger)| Mishap::Killed {
            call,
            what,
            loses_ledger
        }),
        (20..90_usize).prop_map(Mishap::Cancelled),
        any::<prop::sample::Index>().prop_map(Mishap::Deleted),
        Just(Mishap::Changed),
    ]
}

#[test]
fn a_walk_through_any_templates_ends_where_a_fresh_start_does() {
    let asked = env::var("PROPTEST_CASES").ok();
    let (cases, max_shrink_iters) = match &asked {
        Some(cases) => (cases.parse().expect("a number of walks"), 100),
        None => (WALKS_IN_CI, 0),
    };
    let config = Config { cases, max_shrink_iters, failure_persistence: None, ..Config::default() };
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let template = || with_more(templates(), OFTEN);
    let walks = (any::<bool>(), prop::collection::vec((template(), mishaps()), 2..4), template());
    let walked = runner.run(&walks, |(keeps_ledger, walk, last)| {
        let walker = Walker { keeps_ledger, ..Walker::set_out() };
        for (template, mishap) in &walk {
            walker.step(template, mishap);
        }
        walker.arrives(&last)
    });
    walked.unwrap_or_else(|error| panic!("{error}"));
}

struct Walker {
    paystack: Paystack,
    account: Account,
    /// Where it gets lost, nobody knows any more whose that is what carries no mark: such walks go without it.
    keeps_ledger: bool,
}

impl Walker {
    fn set_out() -> Self {
        let paystack = Paystack::in_empty_directory();
        write_layers(&paystack);
        Self { paystack, account: Account::fresh(), keeps_ledger: true }
    }

    fn run(&self, arguments: &[&str], account: &Account, victim: &Victim) -> Ran {
        let stack = ["--template", "walk.json", "--stack", "walk"];
        self.paystack.run_victim(self.paystack.command(account, &[arguments, &stack].concat()), victim)
    }

    fn runs(&self, arguments: &[&str]) -> Ran {
        self.run(arguments, &self.account, &Victim::default())
    }

    fn want(&self, template: &Template) {
        let mut resources = deployable(template);
        if !self.keeps_ledger {
            resources.retain(|_, resource| !UNMARKED.contains(&resource["Type"].as_str().unwrap_or_default()));
        }
        self.paystack.write("walk.json", &json!({ "Resources": resources }).to_string());
    }

    /// An apply that deletes also what a plan says that only the ledger knows.
    fn apply(&self) -> Vec<String> {
        let plan = self.runs(&["plan"]).stdout;
        let named = plan.split("`--delete-unmarked ").skip(1).filter_map(|rest| rest.split('`').next());
        let named: BTreeSet<&str> = named.collect();
        let deleting = named.into_iter().flat_map(|id| ["--delete-unmarked", id]);
        APPLY.iter().copied().chain(deleting).map(str::to_owned).collect()
    }

    fn step(&self, template: &Template, mishap: &Mishap) {
        self.want(template);
        let apply = self.apply();
        let apply: Vec<&str> = apply.iter().map(String::as_str).collect();
        match mishap {
            Mishap::Nothing => _ = self.runs(&apply).exits(0),
            Mishap::Killed { call, what, loses_ledger } => {
                let victim = Victim::default();
                let killer = victim.clone();
                let faults = vec![Fault { when: When::Call(*call), what: *what }];
                let kill: Option<Box<dyn Fn() + Send + Sync>> = Some(Box::new(move || killer.kill()));
                let proxy = self.account.proxy(Script { faults, kill, ..Script::default() });
                let ran = self.run(&apply, &self.account.through(&proxy), &victim);
                assert!(matches!(ran.code, Code::Signal | Code::Exit(0)), "{ran:?}");
                if *loses_ledger && !self.keeps_ledger {
                    self.paystack.remove("state");
                }
            }
            Mishap::Cancelled(call) => {
                let victim = Victim::default();
                let (canceller, call) = (victim.clone(), *call);
                let watch: fault_proxy::Watch = Box::new(move |line| {
                    if line.number == call {
                        canceller.interrupt();
                    }
                });
                let proxy = self.account.proxy(Script { watch: Some(watch), ..Script::default() });
                let ran = self.run(&apply, &self.account.through(&proxy), &victim);
                assert!(matches!(ran.code, Code::Exit(0 | 130)), "{ran:?}");
            }
            Mishap::Deleted(which) => {
                self.runs(&apply).exits(0);
                self.delete_one(*which);
            }
            Mishap::Changed => {
                self.runs(&apply).exits(0);
                self.change();
            }
        }
    }

    /// Deletes a queue, a function or a table, as somebody might by hand. Of a log group the emulator keeps the filters.
    fn delete_one(&self, which: prop::sample::Index) {
        let census = self.account.census();
        let kinds = [
            ("queues", "sqs", "delete_queue"),
            ("functions", "lambda", "delete_function"),
            ("tables", "dynamodb", "delete_table"),
        ];
        let all: Vec<(&str, &str, &str, &String)> = kinds
            .into_iter()
            .flat_map(|(kind, service, operation)| {
                names(census.of(kind)).map(move |name| (kind, service, operation, name))
            })
            .collect();
        if all.is_empty() {
            return;
        }
        let (kind, service, operation, name) = which.get(&all);
        let arguments = match *kind {
            "queues" => json!({"QueueUrl": self.queue(name)}),
            "functions" => json!({"FunctionName": name}),
            _ => json!({"TableName": name}),
        };
        self.account.aws(service, operation, arguments);
    }

    fn change(&self) {
        let census = self.account.census();
        for name in names(census.of("queues")) {
            let arguments = json!({"QueueUrl": self.queue(name), "Attributes": {"DelaySeconds": "7"}});
            self.account.aws("sqs", "set_queue_attributes", arguments);
        }
        for name in names(census.of("functions")) {
            let arguments = json!({"FunctionName": name, "MemorySize": 3008, "Description": "by hand"});
            self.account.aws("lambda", "update_function_configuration", arguments);
        }
    }

    fn queue(&self, name: &str) -> Value {
        self.account.aws("sqs", "get_queue_url", json!({"QueueName": name}))["QueueUrl"].clone()
    }

    /// One apply makes all as the template says, as it makes an empty account; a destroy leaves nothing.
    fn arrives(&self, last: &Template) -> Result<(), TestCaseError> {
        self.want(last);
        let apply = self.apply();
        self.runs(&apply.iter().map(String::as_str).collect::<Vec<_>>()).exits(0);
        self.runs(SETTLED).exits(0);
        let fresh = Self { keeps_ledger: self.keeps_ledger, ..Self::set_out() };
        fresh.want(last);
        fresh.runs(APPLY).exits(0);
        let (here, there) = (self.account.census(), fresh.account.census());
        prop_assert_eq!(here.counts(), there.counts());
        let (here, there) = (self.everything(), fresh.everything());
        prop_assert_eq!(Vec::from_iter(here.keys()), Vec::from_iter(there.keys()));
        for (logical_id, walked) in &here {
            prop_assert_eq!(walked, &there[logical_id], "{}", logical_id);
        }
        self.paystack.remove("state");
        self.runs(SETTLED).exits(0);
        let destroy = ["destroy", "--auto-approve"];
        self.runs(&destroy).exits(0);
        let destroyed = fresh.runs(&destroy).exits(0).stdout;
        prop_assert!(there.is_empty() || destroyed.contains(AS_BEFORE), "{}", destroyed);
        for walker in [self, &fresh] {
            walker.account.census().assert_empty();
        }
        Ok(())
    }

    /// Every resource with its properties and attributes as AWS has them, but for what AWS invents.
    fn everything(&self) -> BTreeMap<String, String> {
        // A template of nothing leaves no ledger.
        let Ok(text) = fs::read_to_string(self.paystack.path().join("state/walk.json")) else { return BTreeMap::new() };
        let ledger: Value = serde_json::from_str(&text).expect("a ledger is JSON");
        let records = ledger["resources"].as_object().expect("a ledger has resources");
        let live = tokio::runtime::Runtime::new().expect("a runtime").block_on(self.read(records));
        let mut invented: BTreeMap<String, String> =
            BTreeMap::from([(self.account.number.clone(), "(account)".into())]);
        for (logical_id, (id, _, attributes)) in &live {
            let ids = id.as_str().split('|').map(str::to_owned);
            let attributes = INVENTED.iter().filter_map(|name| attributes[*name].as_str()).map(str::to_owned);
            for (number, value) in ids.chain(attributes).enumerate() {
                invented.entry(value).or_insert(format!("({logical_id} {number})"));
            }
        }
        let mut invented: Vec<(String, String)> = invented.into_iter().collect();
        invented.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        let releases: BTreeMap<String, String> = live
            .iter()
            .filter_map(|(logical_id, (_, _, attributes))| {
                Some((attributes["Version"].as_str()?.to_owned(), logical_id.clone()))
            })
            .collect();
        let shown = |(logical_id, (_, mut properties, mut attributes)): (String, (PhysicalId, Value, Value))| {
            if let Some(release) = properties["FunctionVersion"].as_str().and_then(|version| releases.get(version)) {
                properties["FunctionVersion"] = json!({ "release": release });
            }
            attributes.as_object_mut().expect("a map").retain(|name, _| !OF_THE_MOMENT.contains(&name.as_str()));
            let text = format!("{properties} {attributes}");
            let text = invented.iter().fold(text, |text, (value, label)| text.replace(value.as_str(), label));
            (logical_id, text)
        };
        live.into_iter().map(shown).collect()
    }

    async fn read(&self, records: &Map<String, Value>) -> BTreeMap<String, (PhysicalId, Value, Value)> {
        let local =
            LocalAccount { endpoint: self.account.endpoint().to_owned(), account_id: self.account.number.clone() };
        let target = Target { region: Some("us-east-1".to_owned()), local: Some(local), ..Target::default() };
        let connection = connect(target).await.expect("the emulator says who we are");
        let cx = Context::new(&connection, Packages::new(), Arc::new(SystemClock::start()));
        let mut live = BTreeMap::new();
        for (logical_id, record) in records {
            let text = |field: &str| record[field].as_str().unwrap_or_default();
            let id = PhysicalId::from(text("physical_id"));
            let handler = row(&ResourceType::from(text("resource_type"))).expect("the type is in the table").handler;
            let found = handler.read(&cx, &id).await.expect(logical_id).expect("it is there");
            live.insert(logical_id.clone(), (id, found.properties, json!(found.attributes)));
        }
        live
    }
}

const APPLY: &[&str] = &["apply", "--auto-approve"];
/// Types that take no mark and are no part of what takes one.
const UNMARKED: &[&str] = &["AWS::IAM::Group", "AWS::Logs::AccountPolicy", "AWS::Logs::ResourcePolicy"];
const SETTLED: &[&str] = &["plan", "--detailed-exitcode"];

/// Attributes that AWS makes up, and that are no part of an id.
const INVENTED: [&str; 9] = [
    "CodeSigningConfigId",
    "DistributionDomainName",
    "FunctionUrl",
    "Id",
    "PolicyId",
    "RegionalDomainName",
    "RoleId",
    "RootResourceId",
    "TableId",
];

/// Attributes that tell when something was made, or how often it was changed.
const OF_THE_MOMENT: [&str; 8] = [
    "CreateDate",
    "CreationDate",
    "CreationTimeStamp",
    "DefaultVersionId",
    "LastModifiedTimeStamp",
    "LastUpdateDate",
    "UpdateDate",
    "Version",
];

fn names(things: &Value) -> impl Iterator<Item = &String> {
    things.as_object().into_iter().flat_map(Map::keys)
}

/// Some templates, always the same, that have as many types among them as so many can.
pub fn of_many_types(count: usize) -> Vec<Map<String, Value>> {
    const ALWAYS: f64 = 0.99;
    const TRIED: usize = 600;
    let mut runner = TestRunner::deterministic();
    let all = with_more(templates(), ALWAYS);
    let mut any = || deployable(&all.new_tree(&mut runner).expect("there is no filter").current());
    let mut best: Vec<Map<String, Value>> = (0..count).map(|_| any()).collect();
    for place in (0..count).cycle().take(TRIED) {
        let mut other = best.clone();
        other[place] = any();
        if types(&other).len() > types(&best).len() {
            best = other;
        }
    }
    best
}

pub fn types(templates: &[Map<String, Value>]) -> BTreeSet<&str> {
    templates.iter().flat_map(Map::values).filter_map(|resource| resource["Type"].as_str()).collect()
}

/// What layers are made of.
pub fn write_layers(paystack: &Paystack) {
    for text in ["text 0", "text 1"] {
        paystack.write(&format!("{text}/python/words.py"), &format!("WORDS = '{text}'\n"));
    }
}

/// The template without what AWS refuses: it deploys no API that has no method.
fn deployable(template: &Template) -> Map<String, Value> {
    let mut resources = template.0.clone();
    if ["MethodA", "MethodB"].iter().any(|id| resources.contains_key(*id)) {
        return resources;
    }
    let gone = BTreeSet::from(["Association", "DeploymentOne", "DeploymentTwo", "Stage"]);
    resources.retain(|id, _| !gone.contains(id.as_str()));
    if let Some(properties) = resources.get_mut("Path").and_then(|path| path["Properties"].as_object_mut()) {
        properties.remove("Stage");
    }
    if let Some(properties) = resources.get_mut("Plan").and_then(|plan| plan["Properties"].as_object_mut()) {
        properties.remove("ApiStages");
    }
    resources
}
