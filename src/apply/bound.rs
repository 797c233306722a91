//! What no run of a schedule can be faster than. Pure.
//!
//! Three things bound it from below, and the largest of them counts: the longest chain of tasks that wait for each other; what
//! AWS's published rates let through of each operation; and the time that tasks are at work, shared among as many as may be
//! at work at once.
//!
//! What is shared bounds more than by its sum: before the first of some tasks comes at least the shortest of their ways from the
//! beginning, and after the last of them at least the shortest of their ways to the end. So of all tasks those with a long
//! enough way on either side are taken by themselves, for each such length.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::apply::{Schedule, Task, TaskId};
use crate::aws::rates::{Call, Shared};

/// What one task takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Takes {
    /// From its start to its end where nothing holds it up.
    pub whole: Duration,
    /// How much of it is waiting for AWS, in which it takes nobody's place.
    pub waiting: Duration,
    /// The calls that may have a published rate.
    pub calls: Vec<Call<'static>>,
    /// How much of it comes after its last call at the least.
    pub after_calls: Duration,
}

/// The least time that a schedule takes, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// Of the longest chain.
    pub longest_path: u64,
    /// Until the published rates have let the calls through, and what has to follow has followed.
    pub api_rates: u64,
    /// Of all that is at work, shared among as many as may be at work at once.
    pub concurrency: u64,
    /// The longest chain itself, in order.
    #[serde(skip)]
    pub path: Vec<TaskId>,
}

impl Bound {
    /// The least time of all three, in milliseconds.
    pub fn lower_bound(&self) -> u64 {
        let Self { longest_path, api_rates, concurrency, path: _ } = self;
        *longest_path.max(api_rates).max(concurrency)
    }

    /// How many times the least time a run took; at least once, and exactly once where there is nothing to do.
    pub fn ratio(&self, took_milliseconds: u64) -> f64 {
        match self.lower_bound() {
            0 => 1.0,
            least => took_milliseconds as f64 / least as f64,
        }
    }
}

/// Works out how long a schedule takes at least.
pub fn bound(schedule: &Schedule, concurrency: usize, takes: &dyn Fn(TaskId, &Task) -> Takes) -> Bound {
    let takes: Vec<Takes> = schedule.tasks.iter().enumerate().map(|(id, task)| takes(TaskId(id), task)).collect();
    let ways = Ways::of(schedule, &takes);
    Bound {
        longest_path: milliseconds(ways.longest()),
        api_rates: milliseconds(through_rates(&takes, &ways)),
        concurrency: milliseconds(through_places(&takes, &ways, concurrency)),
        path: ways.path(),
    }
}

/// How far each task is from both ends of the schedule, where nothing holds anything up.
struct Ways {
    /// When it starts.
    before: Vec<Duration>,
    /// When it ends.
    ends: Vec<Duration>,
    /// How long what follows takes after its end.
    after: Vec<Duration>,
    /// Which one it waits for until its start.
    last: Vec<Option<TaskId>>,
}

impl Ways {
    fn of(schedule: &Schedule, takes: &[Takes]) -> Self {
        let none = || vec![Duration::ZERO; takes.len()];
        let mut ways = Self { before: none(), ends: none(), after: none(), last: vec![None; takes.len()] };
        let order = schedule.in_order();
        for id in &order {
            let before = schedule.after[id.0].iter().copied().max_by_key(|before| ways.ends[before.0]);
            ways.before[id.0] = before.map_or(Duration::ZERO, |before| ways.ends[before.0]);
            ways.ends[id.0] = ways.before[id.0] + takes[id.0].whole;
            ways.last[id.0] = before;
        }
        for id in order.iter().rev() {
            let way = takes[id.0].whole + ways.after[id.0];
            for before in &schedule.after[id.0] {
                ways.after[before.0] = ways.after[before.0].max(way);
            }
        }
        ways
    }

    fn longest(&self) -> Duration {
        self.ends.iter().copied().max().unwrap_or_default()
    }

    fn path(&self) -> Vec<TaskId> {
        let end = (0..self.ends.len()).map(TaskId).max_by_key(|id| self.ends[id.0]);
        let mut path: Vec<TaskId> = std::iter::successors(end, |id| self.last[id.0]).collect();
        path.reverse();
        path
    }
}

/// One use of what is shared.
struct Use<T> {
    /// What comes before it at the least.
    before: Duration,
    /// What comes after it at the least.
    after: Duration,
    /// How much of it is used.
    of: T,
}

/// When the published rates have let all calls through, and what follows them is over.
fn through_rates(takes: &[Takes], ways: &Ways) -> Duration {
    let mut uses: BTreeMap<Shared, Vec<Use<usize>>> = BTreeMap::new();
    for (id, it) in takes.iter().enumerate() {
        for shared in it.calls.iter().flat_map(|call| Shared::of(*call)) {
            let after = it.after_calls + ways.after[id];
            uses.entry(shared).or_default().push(Use { before: ways.before[id], after, of: 1 });
        }
    }
    uses.into_iter().map(|(shared, uses)| least(uses, |calls| shared.last_of(calls))).max().unwrap_or_default()
}

/// When as many as may be at work at once have done all work, and what follows is over.
fn through_places(takes: &[Takes], ways: &Ways, concurrency: usize) -> Duration {
    let places = u32::try_from(concurrency.max(1)).unwrap_or(u32::MAX);
    let at_work = |(id, it): (usize, &Takes)| Use {
        before: ways.before[id],
        after: ways.after[id],
        of: it.whole.saturating_sub(it.waiting),
    };
    least(takes.iter().enumerate().map(at_work).collect(), |work: Duration| work / places)
}

/// How many different ways from the beginning are looked at: more of them cost time, and bound hardly better.
const MOST_WAYS: usize = 64;

/// The least time for all uses of one thing, that takes `takes` for so much of it one after the other.
fn least<T: Copy + Default + std::ops::AddAssign>(mut uses: Vec<Use<T>>, takes: impl Fn(T) -> Duration) -> Duration {
    let ways: BTreeSet<Duration> = uses.iter().map(|it| it.before).collect();
    let stride = ways.len().div_ceil(MOST_WAYS).max(1);
    uses.sort_by_key(|it| Reverse(it.after));
    let from = |way: Duration| {
        let mut sum = T::default();
        let later = uses.iter().filter(move |it| it.before >= way);
        let ends = later.map(|it| {
            sum += it.of;
            way + takes(sum) + it.after
        });
        ends.max().unwrap_or_default()
    };
    ways.into_iter().step_by(stride).map(from).max().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::apply::Kind;
    use crate::identity::{LogicalId, ResourceType};

    pub(in crate::apply) fn task() -> Task {
        Task {
            logical_id: LogicalId::from("Orders"),
            resource_type: ResourceType::from("AWS::SQS::Queue"),
            kind: Kind::Create,
            step: 0,
            physical_id: None,
            together: Arc::default(),
        }
    }

    /// Tasks of one second each, that wait for others.
    fn schedule(after: &[&[usize]]) -> Schedule {
        Schedule {
            tasks: vec![task(); after.len()],
            after: after.iter().map(|after| after.iter().copied().map(TaskId).collect()).collect(),
            remaining: vec![0; after.len()],
        }
    }

    fn a_second(waiting: u64, calls: &[&'static str]) -> Takes {
        let (whole, waiting) = (Duration::from_secs(1), Duration::from_millis(waiting));
        let calls = calls.iter().filter_map(|call| Call::named(call)).collect();
        Takes { whole, waiting, calls, after_calls: whole }
    }

    #[test]
    fn the_longest_chain_bounds_what_has_room() {
        let bound = bound(&schedule(&[&[], &[0], &[], &[1, 2]]), 16, &|_, _| a_second(0, &[]));
        assert_eq!(bound.path, [TaskId(0), TaskId(1), TaskId(3)]);
        assert_eq!(bound.lower_bound(), 3_000);
        assert_eq!(bound.ratio(3_300), 1.1);
    }

    #[test]
    fn work_is_shared_among_those_that_may_be_at_work_and_waiting_takes_no_place() {
        let many: &[&[usize]] = &[[].as_slice(); 8];
        assert_eq!(bound(&schedule(many), 2, &|_, _| a_second(0, &[])).lower_bound(), 4_000);
        assert_eq!(bound(&schedule(many), 2, &|_, _| a_second(750, &[])).lower_bound(), 1_000);
    }

    #[test]
    fn published_rates_bound_what_nothing_else_does() {
        let delete = |_: TaskId, _: &Task| a_second(0, &["apigateway.DeleteRestApi"]);
        assert_eq!(bound(&schedule(&[&[], &[], &[]]), 16, &delete).lower_bound(), 61_200);
    }

    #[test]
    fn what_comes_before_and_after_a_rate_counts_as_well() {
        // Two chains of three seconds, with a call in the middle of each that may be made once in 30 seconds.
        let takes = |id: TaskId, _: &Task| {
            let calls: &[_] = if matches!(id.0, 1 | 4) { &["apigateway.DeleteRestApi"] } else { &[] };
            a_second(0, calls)
        };
        let bound = bound(&schedule(&[&[], &[0], &[1], &[], &[3], &[4]]), 16, &takes);
        assert_eq!((bound.api_rates, bound.longest_path), (1_000 + 30_100 + 1_000 + 1_000, 3_000));
    }

    #[test]
    fn work_in_the_middle_is_shared_between_what_comes_before_and_after_it() {
        // One task, then eight, then one: with two places.
        let all: Vec<usize> = (1..9).collect();
        let after: Vec<&[usize]> = std::iter::once(&[][..]).chain((0..8).map(|_| &[0][..])).chain([&all[..]]).collect();
        assert_eq!(bound(&schedule(&after), 2, &|_, _| a_second(0, &[])).concurrency, 6_000);
    }

    #[test]
    fn nothing_to_do_is_done_at_once() {
        assert_eq!(bound(&schedule(&[]), 16, &|_, _| Takes::default()).ratio(0), 1.0);
    }
}
