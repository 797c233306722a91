//! Everything between the template's text and the first task, with nothing in the account: parse, resolve, diff, schedule.
//! `cargo bench --bench pure`.

mod line;

use divan::Bencher;
use line::{desired_of, first_plan, graph_of, random_template};
use paystack::apply::schedule;
use paystack::identity::StackId;

fn main() {
    divan::main();
}

const SIZES: [usize; 3] = [500, 5_000, 50_000];

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn all(bencher: Bencher<'_, '_>, resources: usize) {
    let text = random_template(resources, 1);
    bencher.bench_local(|| schedule(&first_plan(&desired_of("random-dev", &text, &[]))).tasks.len());
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn parse_and_resolve(bencher: Bencher<'_, '_>, resources: usize) {
    let text = random_template(resources, 1);
    bencher.bench_local(|| graph_of(&StackId::from("random-dev"), &text, &[]).resources.len());
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn diff(bencher: Bencher<'_, '_>, resources: usize) {
    let desired = desired_of("random-dev", &random_template(resources, 1), &[]);
    bencher.bench_local(|| first_plan(&desired).steps.len());
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn scheduling(bencher: Bencher<'_, '_>, resources: usize) {
    let plan = first_plan(&desired_of("random-dev", &random_template(resources, 1), &[]));
    bencher.bench_local(|| schedule(&plan).tasks.len());
}
