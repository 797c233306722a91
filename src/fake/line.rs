//! The way from a template to the account in memory and back, as the commands go it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, ready};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::task::noop_waker_ref;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::apply::{Done, Event, Kind, Outcome, Report, Schedule, Task, World, execute, schedule};
use crate::aws::clock::Clock;
use crate::aws::observer::Observer;
use crate::check::{Retained, check};
use crate::cli::view::Detail;
use crate::desired::Desired;
use crate::diagnostic::{Severity, Source, Style, render};
use crate::fake::{FakeAws, scope};
use crate::graph::cycles;
use crate::identity::StackId;
use crate::inventory::{self, Inventory, add_side_effects};
use crate::losses;
use crate::plan::{Drift, Options, Plan, diff, drift};
use crate::state::{Ledger, LedgerError, LedgerJournal, Lock};
use crate::template::{DesiredGraph, Inputs, Pseudo, parse};

/// The stack of every test.
pub const STACK: &str = "orders-dev";

const SALT: &str = "salt";
const CONCURRENCY: usize = 4;

/// What a template wants; panics with the findings where something is wrong with it.
pub fn desired(template: &str) -> Desired {
    desired_with(template, &[])
}

pub fn desired_with(template: &str, parameters: &[(&str, &str)]) -> Desired {
    desired_of(&StackId::from(STACK), template, parameters)
}

/// The same for any stack.
pub fn desired_of(stack: &StackId, template: &str, parameters: &[(&str, &str)]) -> Desired {
    let source = Source::new("orders.yaml", template);
    let shown = |findings: &[_]| render(findings, &source, Style::Plain);
    let template = parse(&source).unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let scope = scope();
    let pseudo = Pseudo {
        account_id: Some(scope.account_id.clone()),
        region: scope.region.clone(),
        partition: scope.partition.clone(),
        stack: stack.clone(),
    };
    let resolved = template.resolve(&Inputs { parameters, imports: BTreeMap::new(), pseudo });
    let mut graph = resolved.unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    let mut findings = cycles(&graph);
    findings.extend(check(&graph, "2026-11-22", Retained::Refused));
    findings.retain(|finding| finding.severity == Severity::Error);
    assert!(findings.is_empty(), "{}", shown(&findings));
    stand_in_for_packages(&mut graph);
    Desired::new(graph, stack.clone(), BTreeMap::new(), scope)
}

/// Code and content are their own digests here.
fn stand_in_for_packages(graph: &mut DesiredGraph) {
    let mut digests = Vec::new();
    for resource in graph.resources.values() {
        let property = match resource.resource_type.as_str() {
            "AWS::Lambda::Function" => "Code",
            "AWS::Lambda::LayerVersion" => "Content",
            _ => continue,
        };
        let properties = graph.evaluate(&resource.properties, &|_, _| None).expect("the check has evaluated it");
        digests.push((resource.logical_id.clone(), property, properties[property].to_string()));
    }
    for (logical_id, property, digest) in digests {
        if let Some(resource) = graph.resources.get_mut(&logical_id) {
            resource.set_property(property, json!({"Sha256": digest}));
        }
    }
}

/// An account, and what paystack remembers of it.
#[derive(Default)]
pub struct Account {
    pub aws: FakeAws,
    pub ledgers: MemoryLedgers,
}

impl Account {
    pub fn plan(&self, desired: &Desired) -> Plan {
        self.plan_with(desired, &Options::default())
    }

    pub fn plan_with(&self, desired: &Desired, options: &Options) -> Plan {
        let ledger = self.ledgers.load();
        let mut plan = diff(desired, &self.inventory(desired, &ledger), &ledger, options);
        finish(losses::count(&mut plan, &self.aws, CONCURRENCY));
        plan
    }

    /// The plan as it would be if the ledger were lost.
    pub fn forgetful_plan(&self, desired: &Desired) -> Plan {
        let ledger = Ledger::empty(StackId::from(STACK), SALT.to_owned());
        diff(desired, &self.inventory(desired, &ledger), &ledger, &Options::default())
    }

    pub fn destruction(&self, desired: &Desired) -> Plan {
        let ledger = self.ledgers.load();
        let mut inventory = self.inventory(desired, &ledger).departing(desired);
        finish(add_side_effects(&mut inventory, desired, &self.aws));
        diff(&desired.nothing(), &inventory, &ledger, &Options::default())
    }

    /// What somebody else did since the last apply.
    pub fn drift(&self, desired: &Desired) -> Drift {
        let ledger = self.ledgers.load();
        drift(desired, &self.inventory(desired, &ledger), &ledger)
    }

    pub fn accept(&self, drift: &Drift) {
        let mut ledger = self.ledgers.load();
        ledger.accept(drift);
        finish(self.ledgers.save(&mut ledger)).expect("memory can be written");
    }

    pub fn inventory(&self, desired: &Desired, ledger: &Ledger) -> Inventory {
        finish(inventory::take(desired, ledger, &self.aws, CONCURRENCY))
    }

    /// Plans and applies; `None` where paystack was killed on the way.
    pub fn apply(&self, desired: &Desired) -> Option<Report> {
        self.carry_out(&self.plan(desired), desired)
    }

    pub fn destroy(&self, desired: &Desired) -> Option<Report> {
        self.carry_out(&self.destruction(desired), &desired.nothing())
    }

    /// Carries out a plan, and watches that no task starts before all it waits for is done.
    pub fn carry_out(&self, plan: &Plan, desired: &Desired) -> Option<Report> {
        self.carry_out_until(plan, desired, usize::MAX)
    }

    /// The same, interrupted when so many tasks have ended.
    pub fn carry_out_until(&self, plan: &Plan, desired: &Desired, ended: usize) -> Option<Report> {
        let blocked: Vec<_> = plan.blocked().collect();
        assert!(blocked.is_empty(), "a plan with something blocked in it is not applied: {blocked:#?}");
        let mut journal = LedgerJournal::new(&self.ledgers, self.ledgers.load());
        finish(journal.begin(plan)).expect("memory can be written");
        let schedule = schedule(plan);
        assert!(is_acyclic(&schedule), "tasks wait for each other in a circle: {schedule:#?}");
        let (stop, stopping) = watch::channel(false);
        let world = World {
            writer: &self.aws,
            journal: &mut journal,
            clock: &StoppedClock,
            concurrency: CONCURRENCY,
            observer: &Observer::new(Arc::new(StoppedClock)),
            stop: stopping,
            patience: crate::interrupt::PATIENCE,
        };
        let mut watchman = Watchman { schedule: &schedule, done: Vec::new() };
        let mut left = ended;
        let mut tell = |event: Event<'_>| {
            watchman.watch(&event);
            if matches!(event, Event::Finished { .. }) {
                left = left.saturating_sub(1);
                if left == 0 {
                    stop.send_replace(true);
                }
            }
        };
        drive(execute(plan, &schedule, desired, world, &mut tell), || self.aws.is_crashed())
    }
}

fn is_acyclic(schedule: &Schedule) -> bool {
    let mut done = BTreeSet::new();
    let all = 0..schedule.tasks.len();
    loop {
        let before = done.len();
        done.extend(
            all.clone()
                .filter(|task| schedule.after[*task].iter().all(|earlier| done.contains(&earlier.0)))
                .collect::<Vec<_>>(),
        );
        if done.len() == before {
            return done.len() == schedule.tasks.len();
        }
    }
}

/// Sees that the executor keeps to the schedule.
struct Watchman<'a> {
    schedule: &'a Schedule,
    done: Vec<usize>,
}

impl Watchman<'_> {
    fn watch(&mut self, event: &Event<'_>) {
        let index_of =
            |task| self.schedule.tasks.iter().position(|it| std::ptr::eq(it, task)).expect("it is scheduled");
        match event {
            Event::Started { task, .. } => {
                let waits_for = &self.schedule.after[index_of(*task)];
                assert!(waits_for.iter().all(|id| self.done.contains(&id.0)), "{task:?} starts too early");
            }
            Event::Finished { task, outcome: Outcome::Done(done), .. } => {
                self.done.push(index_of(*task));
                // A create that finds what is to be deleted takes it over: the deletion never starts.
                if let Done::Created { id, .. } = done {
                    let is_same = |it: &Task| it.kind == Kind::Delete && it.physical_id.as_ref() == Some(id);
                    let tasks = self.schedule.tasks.iter().enumerate();
                    self.done.extend(tasks.filter(|(_, it)| is_same(it)).map(|(index, _)| index));
                }
            }
            Event::Waits { .. }
            | Event::GoesOn { .. }
            | Event::Finished { .. }
            | Event::Skipped { .. }
            | Event::Unneeded { .. }
            | Event::Stopping { .. }
            | Event::GivenUp { .. } => {}
        }
    }
}

/// Runs a future that waits for nothing but turns.
pub fn finish<F: Future>(future: F) -> F::Output {
    drive(future, || false).expect("nothing crashes")
}

/// Runs a future until it is done, or until paystack is killed.
fn drive<F: Future>(future: F, is_crashed: impl Fn() -> bool) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(noop_waker_ref());
    for _ in 0..100_000 {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return Some(output),
            Poll::Pending if is_crashed() => return None,
            Poll::Pending => {}
        }
    }
    panic!("it would never end");
}

/// The ledger of the one stack, as it would be read from its file.
#[derive(Default)]
pub struct MemoryLedgers {
    text: Mutex<Option<String>>,
    /// How many more writes there is room for, where that is limited.
    room: Mutex<Option<usize>>,
}

impl MemoryLedgers {
    pub fn load(&self) -> Ledger {
        let text = self.text.lock().expect("no test goes on after a panic under this lock");
        match text.as_deref() {
            None => Ledger::empty(StackId::from(STACK), SALT.to_owned()),
            Some(text) => {
                let ledger: Ledger = serde_json::from_str(text).expect("a ledger that was written can be read");
                Ledger { is_remembered: true, ..ledger }
            }
        }
    }

    /// Loses the ledger.
    pub fn lose(&self) {
        *self.text.lock().expect("no test goes on after a panic under this lock") = None;
    }

    /// Leaves room for so many more writes, or for any number.
    pub fn limit(&self, writes: Option<usize>) {
        *self.room.lock().expect("no test goes on after a panic under this lock") = writes;
    }

    fn has_room(&self) -> bool {
        match &mut *self.room.lock().expect("no test goes on after a panic under this lock") {
            None => true,
            Some(0) => false,
            Some(room) => {
                *room -= 1;
                true
            }
        }
    }

    pub fn text(&self) -> String {
        self.text.lock().expect("no test goes on after a panic under this lock").clone().unwrap_or_default()
    }
}

/// The one run of a test has the lock all the time.
impl Lock for MemoryLedgers {
    fn save<'a>(&'a self, ledger: &'a mut Ledger) -> BoxFuture<'a, Result<(), LedgerError>> {
        if !self.has_room() {
            let full = LedgerError::Write { path: "ledger".into(), source: std::io::ErrorKind::StorageFull.into() };
            return Box::pin(ready(Err(full)));
        }
        ledger.serial += 1;
        let text = serde_json::to_string_pretty(ledger).expect("a ledger is plain data");
        *self.text.lock().expect("no test goes on after a panic under this lock") = Some(text);
        Box::pin(ready(Ok(())))
    }

    fn remove(&self) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.lose();
        Box::pin(ready(Ok(())))
    }

    fn confirm(&self) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(ready(Ok(())))
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

/// Time stands still in tests.
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

/// A plan as people are shown it.
pub fn text_of(plan: &Plan) -> String {
    text_with(plan, Detail::Brief)
}

/// A plan as people are shown it who ask for all.
pub fn full_text_of(plan: &Plan) -> String {
    text_with(plan, Detail::Full)
}

fn text_with(plan: &Plan, detail: Detail) -> String {
    let mut out = Vec::new();
    crate::cli::view::text::plan(&mut out, plan, detail).expect("memory can be written");
    let text = String::from_utf8(out).expect("a plan is text");
    anstream::adapter::strip_str(&text).to_string()
}

/// A plan as programs are given it.
pub fn json_of(plan: &Plan) -> Value {
    crate::cli::view::json::plan(plan)
}
