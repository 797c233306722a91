//! How near the real executor comes to the least time that a schedule can take: simulated, with the durations that paystack
//! knows of AWS and with AWS's published rates. `cargo bench --bench simulate`.

#![expect(clippy::print_stdout, reason = "a bench shows a table")]

mod line;
#[path = "line/simulated.rs"]
mod simulated;

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use line::{desired_of, first_plan, random_template};
use paystack::apply::bound::{Bound, bound};
use paystack::apply::{Schedule, World, execute, schedule};
use paystack::aws::observer::Observer;
use paystack::aws::turnstile::Turnstile;
use paystack::desired::Desired;
use paystack::plan::Plan;
use simulated::{NoJournal, Simulated, SimulatedClock, takes};
use tokio::sync::watch;

const CONCURRENCY: usize = 16;
const PAYMENTS: &str = include_str!("../examples/payments/template.yaml");

/// The share above the least time that is still near it.
const NEAR: f64 = 1.05;

fn main() {
    println!("{:<38} {:>7} {:>10} {:>10} {:>6}  bound by", "simulated", "tasks", "least s", "took s", "ratio");
    let payments = |suffix: usize| {
        let suffix = format!("e{suffix}");
        let parameters = [("EnvironmentSuffix", suffix.as_str()), ("Owner", "payments"), ("CostCenter", "CC-1001")];
        desired_of(&format!("payments-{suffix}"), PAYMENTS, &parameters)
    };
    let mut is_near = show("payments, one environment", vec![payments(0)]);
    is_near &= show("payments, ten environments at once", (0..10).map(payments).collect());
    for (resources, seed) in [(1_000, 1), (1_000, 2), (10_000, 3)] {
        let template = random_template(resources, seed);
        is_near &= show(&format!("random, seed {seed}"), vec![desired_of("random-dev", &template, &[])]);
    }
    println!("{}", if is_near { "All are within 1.05 of the bound." } else { "Not all are within 1.05 of the bound." });
}

/// Runs stacks beside each other, each with its own executor, and shows how long all took. Says whether that was near the least.
fn show(name: &str, stacks: Vec<Desired>) -> bool {
    let planned: Vec<(Desired, Plan, Schedule)> = stacks
        .into_iter()
        .map(|desired| {
            let plan = first_plan(&desired);
            assert_eq!(plan.blocked().count(), 0, "nothing stands in the way");
            let schedule = schedule(&plan).weighed(&|task| milliseconds(takes(task).whole));
            (desired, plan, schedule)
        })
        .collect();
    let clock = SimulatedClock::default();
    let rates = Turnstile::default();
    let runs = planned.iter().map(|(desired, plan, schedule)| {
        let (clock, rates) = (clock.clone(), rates.clone());
        async move {
            let observer = Observer::new(Arc::new(clock.clone()));
            let writer = Simulated { desired, clock: clock.clone(), rates, observer: observer.clone() };
            let (_stop, stop) = watch::channel(false);
            let world = World {
                writer: &writer,
                journal: &mut NoJournal,
                clock: &clock,
                concurrency: CONCURRENCY,
                observer: &observer,
                stop,
                patience: Duration::from_secs(20),
            };
            let report = execute(plan, schedule, desired, world, &mut |_| {}).await;
            assert!(report.is_complete(), "{:?}", report.failed.first());
        }
    });
    let (_, took) = clock.run(join_all(runs));
    let all = together(planned.iter().map(|(.., schedule)| schedule));
    let least = bound(&all, CONCURRENCY * planned.len(), &|_, task| takes(task));
    let ratio = least.ratio(milliseconds(took));
    println!(
        "{name:<38} {:>7} {:>10.1} {:>10.1} {ratio:>6.3}  {}",
        all.tasks.len(),
        least.lower_bound() as f64 / 1000.0,
        took.as_secs_f64(),
        bound_by(&least)
    );
    ratio <= NEAR
}

fn bound_by(bound: &Bound) -> &'static str {
    match bound.lower_bound() {
        it if it == bound.longest_path => "the longest chain",
        it if it == bound.api_rates => "AWS's rates",
        _ => "concurrency",
    }
}

/// Schedules side by side as one.
fn together<'a>(schedules: impl Iterator<Item = &'a Schedule>) -> Schedule {
    let mut all = Schedule::default();
    for schedule in schedules {
        let offset = all.tasks.len();
        let moved = |after: &std::collections::BTreeSet<paystack::apply::TaskId>| {
            after.iter().map(|id| paystack::apply::TaskId(id.0 + offset)).collect()
        };
        all.after.extend(schedule.after.iter().map(moved));
        all.tasks.extend(schedule.tasks.iter().cloned());
        all.remaining.extend(&schedule.remaining);
    }
    all
}

fn milliseconds(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
