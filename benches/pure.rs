//! Everything between the template's text and the first task: parse, resolve, diff, schedule. `cargo bench --bench pure`.
//!
//! `random` templates have resources that only wait for each other; in those of `services`, most refer to others.

mod line;
#[path = "line/services.rs"]
mod services;

use divan::Bencher;
use line::{desired_of, empty, first_plan, graph_of, plan, random_template};
use mimalloc::MiMalloc;
use paystack::apply::{Schedule, schedule};
use paystack::desired::Desired;
use paystack::identity::StackId;
use paystack::inventory::Inventory;
use paystack::plan::Plan;
use services::{departed, deployed, services_template};

/// As in the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    divan::main();
}

const SIZES: [usize; 3] = [500, 5_000, 50_000];

/// The whole way, with nothing in the account.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn all_of_random(bencher: Bencher<'_, '_>, resources: usize) {
    let text = random_template(resources, 1);
    let empty = empty(&desired_of("random-dev", &text, &[]));
    bencher.bench_local(|| whole_way("random-dev", &text, &empty));
}

/// The whole way, with nothing in the account.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn all_of_services(bencher: Bencher<'_, '_>, resources: usize) {
    let text = services_template(resources);
    let empty = empty(&services(resources));
    bencher.bench_local(|| whole_way("services-dev", &text, &empty));
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn parse_and_resolve(bencher: Bencher<'_, '_>, resources: usize) {
    let text = services_template(resources);
    bencher.bench_local(|| graph_of(&StackId::from("services-dev"), &text, &[]));
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn predict(bencher: Bencher<'_, '_>, resources: usize) {
    let desired = services(resources);
    let with = || (desired.graph.clone(), desired.stack.clone(), desired.scope.clone());
    let new = |(graph, stack, scope)| Desired::new(graph, stack, Default::default(), scope);
    bencher.with_inputs(with).bench_local_values(new);
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn diff(bencher: Bencher<'_, '_>, resources: usize) {
    let desired = services(resources);
    let empty = empty(&desired);
    bencher.bench_local(|| plan(&desired, &empty));
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn scheduling(bencher: Bencher<'_, '_>, resources: usize) {
    let plan = first_plan(&services(resources));
    bencher.bench_local(|| schedule(&plan));
}

/// `diff` and `schedule` where all is there as it should be.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn without_changes(bencher: Bencher<'_, '_>, resources: usize) {
    let desired = services(resources);
    let inventory = deployed(&desired);
    bencher.bench_local(|| scheduled(plan(&desired, &inventory)));
}

/// `diff` and `schedule` where all of it goes.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn destroy(bencher: Bencher<'_, '_>, resources: usize) {
    let desired = services(resources);
    let (inventory, nothing) = (departed(&desired), desired.nothing());
    bencher.bench_local(|| scheduled(plan(&nothing, &inventory)));
}

/// All that the way gives, so that what is measured is making it, and not giving its memory back.
fn whole_way(stack: &str, text: &str, empty: &Inventory) -> (Desired, Plan, Schedule) {
    let desired = desired_of(stack, text, &[]);
    let (plan, schedule) = scheduled(plan(&desired, empty));
    (desired, plan, schedule)
}

fn scheduled(plan: Plan) -> (Plan, Schedule) {
    let schedule = schedule(&plan);
    (plan, schedule)
}

fn services(resources: usize) -> Desired {
    desired_of("services-dev", &services_template(resources), &[])
}
