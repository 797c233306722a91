//! What has happened in a run so far, and what determined how long it took. Pure: events and their times go in.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::apply::bound::{Bound, Takes, bound};
use crate::apply::durations::{Durations, Usual};
use crate::apply::{Event, Kind, Outcome, Schedule, Task, TaskId};
use crate::aws::observer::{RATE, TURN};
use crate::aws::rates::Call;
use crate::identity::{LogicalId, ResourceType};

/// A run as far as it has come. Times count from the run's beginning.
#[derive(Debug, Clone)]
pub struct Chronicle {
    /// When the run began, in the clock's monotonic time.
    pub begun: Duration,
    pub schedule: Schedule,
    /// One for each task of the schedule.
    pub entries: Vec<Entry>,
    pub is_interrupted: bool,
}

/// What is known of one task.
#[derive(Debug, Clone)]
pub struct Entry {
    pub usual: Usual,
    pub state: State,
    /// What it waited for, in order of the beginnings.
    pub waits: Vec<Waited>,
}

/// How far a task is.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    Waits,
    Runs {
        since: Duration,
    },
    Ended {
        since: Duration,
        at: Duration,
        end: End,
    },
    /// It never starts: something before it failed, or what it was to delete is what was wanted.
    NeverRuns,
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Done,
    Failed,
    /// It was not waited for any longer.
    GivenUp,
}

/// Something of AWS's that a task waited for.
#[derive(Debug, Clone, PartialEq)]
pub struct Waited {
    pub operation: String,
    pub waiting_for: String,
    pub since: Duration,
    /// `None` while it goes on.
    pub until: Option<Duration>,
}

impl Waited {
    /// Whether it is for other work of the same run, or for the published rates.
    fn is_arranged(&self) -> bool {
        self.operation == TURN || self.waiting_for.starts_with(RATE)
    }
}

impl Chronicle {
    pub fn new(schedule: &Schedule, durations: &Durations, begun: Duration) -> Self {
        let entry = |task: &Task| Entry {
            usual: durations.usual(&task.resource_type, task.kind),
            state: State::Waits,
            waits: Vec::new(),
        };
        let entries = schedule.tasks.iter().map(entry).collect();
        Self { begun, schedule: schedule.clone(), entries, is_interrupted: false }
    }

    /// Takes note of an event.
    pub fn note(&mut self, event: &Event<'_>, now: Duration) {
        match event {
            Event::Started { id, .. } => self.entries[id.0].state = State::Runs { since: now },
            Event::Waits { id, at, operation, waiting_for, .. } => self.entries[id.0].waits.push(Waited {
                operation: (*operation).to_owned(),
                waiting_for: (*waiting_for).to_owned(),
                since: at.saturating_sub(self.begun),
                until: None,
            }),
            Event::GoesOn { id, at, operation, .. } => {
                let open = |wait: &&mut Waited| wait.until.is_none() && wait.operation == *operation;
                if let Some(wait) = self.entries[id.0].waits.iter_mut().rev().find(open) {
                    wait.until = Some(at.saturating_sub(self.begun));
                }
            }
            Event::Finished { id, outcome, .. } => {
                let end = match outcome {
                    Outcome::Done(_) => End::Done,
                    Outcome::Failed(_) => End::Failed,
                };
                self.end(*id, end, now);
            }
            Event::Skipped { id, .. } | Event::Unneeded { id, .. } => self.entries[id.0].state = State::NeverRuns,
            Event::GivenUp { id, .. } => self.end(*id, End::GivenUp, now),
            Event::Stopping { .. } => self.is_interrupted = true,
        }
    }

    fn end(&mut self, id: TaskId, end: End, now: Duration) {
        let entry = &mut self.entries[id.0];
        let since = if let State::Runs { since } = entry.state { since } else { now };
        entry.state = State::Ended { since, at: now, end };
        entry.waits.iter_mut().filter(|wait| wait.until.is_none()).for_each(|wait| wait.until = Some(now));
    }

    pub fn task(&self, id: TaskId) -> &Task {
        &self.schedule.tasks[id.0]
    }

    pub fn ids(&self) -> impl Iterator<Item = TaskId> + use<> {
        (0..self.entries.len()).map(TaskId)
    }

    /// The tasks that run, those that began first before the others.
    pub fn running(&self) -> Vec<(TaskId, Duration)> {
        let since = |id: TaskId| match self.entries[id.0].state {
            State::Runs { since } => Some((id, since)),
            State::Waits | State::Ended { .. } | State::NeverRuns => None,
        };
        let mut running: Vec<_> = self.ids().filter_map(since).collect();
        running.sort_by_key(|(id, since)| (*since, *id));
        running
    }

    /// How many tasks need no more to be done.
    pub fn ended(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.state, State::Ended { .. } | State::NeverRuns)).count()
    }

    /// What a task waits for now; the last of several.
    pub fn waits_for(&self, id: TaskId) -> Option<&Waited> {
        self.entries[id.0].waits.iter().rev().find(|wait| wait.until.is_none())
    }

    /// What a task that has not begun still has to wait for.
    pub fn unfinished_before(&self, id: TaskId) -> impl Iterator<Item = TaskId> + '_ {
        let is_open = |id: &&TaskId| matches!(self.entries[id.0].state, State::Waits | State::Runs { .. });
        self.schedule.after[id.0].iter().filter(is_open).copied()
    }

    /// When each open task is expected to end, if all goes as usual and there is room for all.
    pub fn expected_ends(&self, now: Duration) -> BTreeMap<TaskId, Duration> {
        let mut ends = BTreeMap::new();
        let mut open: Vec<TaskId> =
            self.ids().filter(|id| matches!(self.entries[id.0].state, State::Waits | State::Runs { .. })).collect();
        while !open.is_empty() {
            let (ready, rest): (Vec<_>, Vec<_>) = open
                .iter()
                .copied()
                .partition(|id| self.unfinished_before(*id).all(|before| ends.contains_key(&before)));
            if ready.is_empty() {
                break;
            }
            for id in ready {
                let usual = Duration::from_millis(self.entries[id.0].usual.milliseconds);
                let end = match self.entries[id.0].state {
                    State::Runs { since } => (since + usual).max(now),
                    State::Waits | State::Ended { .. } | State::NeverRuns => {
                        let before = self.unfinished_before(id).filter_map(|before| ends.get(&before)).max();
                        before.copied().unwrap_or(now) + usual
                    }
                };
                ends.insert(id, end);
            }
            open = rest;
        }
        ends
    }

    /// How long the run took, and why.
    pub fn timing(&self) -> Timing {
        let ended = |id: TaskId| match self.entries[id.0].state {
            State::Ended { since, at, end } => Some((id, since, at, end)),
            State::Waits | State::Runs { .. } | State::NeverRuns => None,
        };
        let timed = |(id, since, at, end): (TaskId, Duration, Duration, End)| Timed {
            task: TaskName::of(self.task(id)),
            started_milliseconds: milliseconds(since),
            ended_milliseconds: milliseconds(at),
            end,
            waits: self.entries[id.0].waits.iter().map(|wait| TimedWait::of(wait, at)).collect(),
        };
        let mut tasks: Vec<Timed> = self.ids().filter_map(ended).map(timed).collect();
        tasks.sort_by_key(|task| task.started_milliseconds);
        let critical_path = self.critical_path();
        let total_milliseconds = critical_path.last().map_or(0, |link| link.ended_milliseconds);
        Timing { total_milliseconds, critical_path, tasks }
    }

    /// The least time that the run could have taken where each task takes what it took here, and makes these `calls`, which the
    /// published rates have to let through.
    ///
    /// A task's turn and the rates are the schedule's to arrange: time spent waiting for them is no part of what a task takes.
    /// When in its time a task makes its calls is not known: nothing is taken to come after them.
    pub fn bound(&self, concurrency: usize, calls: &dyn Fn(&Task) -> Vec<Call<'static>>) -> Bound {
        let takes = |id: TaskId, task: &Task| {
            let entry = &self.entries[id.0];
            let State::Ended { since, at, .. } = entry.state else { return Takes::default() };
            let waited = |is_arranged: bool| {
                let waits = entry.waits.iter().filter(|wait| wait.is_arranged() == is_arranged);
                waits.map(|wait| wait.until.unwrap_or(at).saturating_sub(wait.since)).sum::<Duration>()
            };
            let whole = at.saturating_sub(since).saturating_sub(waited(true));
            Takes { whole, waiting: waited(false).min(whole), calls: calls(task), after_calls: Duration::ZERO }
        };
        bound(&self.schedule, concurrency, &takes)
    }

    /// The chain of tasks that determined the total: the last one to end, before it the one that it waited for last, and so on.
    fn critical_path(&self) -> Vec<Link> {
        let ended = |id: TaskId| match self.entries[id.0].state {
            State::Ended { since, at, .. } => Some((id, since, at)),
            State::Waits | State::Runs { .. } | State::NeverRuns => None,
        };
        let mut path = Vec::new();
        let mut next = self.ids().filter_map(ended).max_by_key(|(_, _, at)| *at);
        while let Some((id, since, at)) = next {
            let before =
                self.schedule.after[id.0].iter().filter_map(|before| ended(*before)).max_by_key(|(_, _, at)| *at);
            let ready = before.map_or(Duration::ZERO, |(_, _, at)| at);
            path.push(Link {
                task: TaskName::of(self.task(id)),
                held_up_milliseconds: milliseconds(since.saturating_sub(ready)),
                started_milliseconds: milliseconds(since),
                ended_milliseconds: milliseconds(at),
                waits: self.entries[id.0].waits.iter().map(|wait| TimedWait::of(wait, at)).collect(),
            });
            next = before;
        }
        path.reverse();
        path
    }
}

/// How long a run took, in milliseconds from its beginning.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Timing {
    pub total_milliseconds: u64,
    /// The tasks that determined the total, one after the other.
    pub critical_path: Vec<Link>,
    /// Every task that ran.
    pub tasks: Vec<Timed>,
}

/// One task of the chain that determined the total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    #[serde(flatten)]
    pub task: TaskName,
    /// How long it could have run, and did not: as many ran as may at once.
    pub held_up_milliseconds: u64,
    pub started_milliseconds: u64,
    pub ended_milliseconds: u64,
    /// What of AWS's it waited for.
    pub waits: Vec<TimedWait>,
}

/// A task that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timed {
    #[serde(flatten)]
    pub task: TaskName,
    pub started_milliseconds: u64,
    pub ended_milliseconds: u64,
    pub end: End,
    pub waits: Vec<TimedWait>,
}

/// A wait of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimedWait {
    pub operation: String,
    pub waiting_for: String,
    pub started_milliseconds: u64,
    pub ended_milliseconds: u64,
}

/// Which task it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskName {
    pub logical_id: LogicalId,
    pub resource_type: ResourceType,
    pub kind: Kind,
}

impl TaskName {
    pub fn of(task: &Task) -> Self {
        let Task { logical_id, resource_type, kind, .. } = task;
        Self { logical_id: logical_id.clone(), resource_type: resource_type.clone(), kind: *kind }
    }
}

impl TimedWait {
    /// In milliseconds.
    pub fn took(&self) -> u64 {
        self.ended_milliseconds.saturating_sub(self.started_milliseconds)
    }

    fn of(wait: &Waited, end: Duration) -> Self {
        Self {
            operation: wait.operation.clone(),
            waiting_for: wait.waiting_for.clone(),
            started_milliseconds: milliseconds(wait.since),
            ended_milliseconds: milliseconds(wait.until.unwrap_or(end)),
        }
    }
}

impl Timing {
    /// Remembers how long what was done took, for the runs to come.
    pub fn teach(&self, durations: &mut Durations) {
        for Timed { task, started_milliseconds, ended_milliseconds, end, .. } in &self.tasks {
            if *end == End::Done {
                let took = ended_milliseconds.saturating_sub(*started_milliseconds);
                durations.remember(&task.resource_type, task.kind, took);
            }
        }
    }
}

pub fn milliseconds(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
