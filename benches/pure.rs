//! Everything between the template's text and the first task: parse, resolve, diff, schedule. `cargo bench --bench pure`.
//!
//! `random` templates have resources that only wait for each other; in those of `services`, most refer to others.

mod line;
#[path = "line/services.rs"]
mod services;

use divan::Bencher;
use line::{desired_of, first_plan, graph_of, random_template};
use paystack::apply::schedule;
use paystack::desired::Desired;
use paystack::identity::StackId;
use services::{plan_to_destroy, plan_without_changes, services_template};

fn main() {
    divan::main();
}

const SIZES: [usize; 3] = [500, 5_000, 50_000];

/// The whole way, with nothing in the account.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn all_of_random(bencher: Bencher<'_, '_>, resources: usize) {
    let text = random_template(resources, 1);
    bencher.bench_local(|| schedule(&first_plan(&desired_of("random-dev", &text, &[]))).tasks.len());
}

/// The whole way, with nothing in the account.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn all_of_services(bencher: Bencher<'_, '_>, resources: usize) {
    let text = services_template(resources);
    bencher.bench_local(|| schedule(&first_plan(&desired_of("services-dev", &text, &[]))).tasks.len());
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn parse_and_resolve(bencher: Bencher<'_, '_>, resources: usize) {
    let text = services_template(resources);
    bencher.bench_local(|| graph_of(&StackId::from("services-dev"), &text, &[]).resources.len());
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn predict(bencher: Bencher<'_, '_>, resources: usize) {
    let desired = services(resources);
    let with = || (desired.graph.clone(), desired.stack.clone(), desired.scope.clone());
    let new = |(graph, stack, scope)| Desired::new(graph, stack, Default::default(), scope);
    bencher.with_inputs(with).bench_local_values(|it| new(it).predicted().len());
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn diff(bencher: Bencher<'_, '_>, resources: usize) {
    let desired = services(resources);
    bencher.bench_local(|| first_plan(&desired).steps.len());
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn scheduling(bencher: Bencher<'_, '_>, resources: usize) {
    let plan = first_plan(&services(resources));
    bencher.bench_local(|| schedule(&plan).tasks.len());
}

/// `diff` and `schedule` where all is there as it should be.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn without_changes(bencher: Bencher<'_, '_>, resources: usize) {
    let desired = services(resources);
    bencher.bench_local(|| schedule(&plan_without_changes(&desired)).tasks.len());
}

/// `diff` and `schedule` where all of it goes.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn destroy(bencher: Bencher<'_, '_>, resources: usize) {
    let desired = services(resources);
    bencher.bench_local(|| schedule(&plan_to_destroy(&desired)).tasks.len());
}

fn services(resources: usize) -> Desired {
    desired_of("services-dev", &services_template(resources), &[])
}
