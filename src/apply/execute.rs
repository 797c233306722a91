//! The executor: starts what is ready, keeps what is done, tells what happens. It decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::apply::queue::Queue;
use crate::apply::{Done, End, Journal, Kind, Schedule, Task, TaskId, Unremembered, Work, Writer};
use crate::aws::clock::Clock;
use crate::aws::error::AwsError;
use crate::aws::observer::{Observer, Wait, WorkId};
use crate::aws::turnstile::urgently;
use crate::change::Changes;
use crate::desired::Desired;
use crate::identity::{LogicalId, PhysicalId, ResourceType};
use crate::plan::{Plan, Step};
use crate::resource::{Attributes, is_within_new};
use crate::unknown;

/// What the executor tells. A task is `Started` before it `Waits`, and `Finished` or `GivenUp` after that; one that is `Skipped`
/// or `Unneeded` never starts.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    Started {
        id: TaskId,
        task: &'a Task,
    },
    /// It waits for something of AWS's since `at`, in the clock's monotonic time.
    Waits {
        id: TaskId,
        task: &'a Task,
        at: Duration,
        /// What it asks to see whether that has come: `dynamodb.DescribeTable`.
        operation: &'a str,
        /// In words: `the table to be at rest`.
        waiting_for: &'a str,
    },
    /// What it waited for has come, or will not.
    GoesOn {
        id: TaskId,
        task: &'a Task,
        at: Duration,
        operation: &'a str,
    },
    Finished {
        id: TaskId,
        task: &'a Task,
        outcome: &'a Outcome,
        milliseconds: u64,
    },
    /// Something that it needs has failed.
    Skipped {
        id: TaskId,
        task: &'a Task,
        because_of: &'a LogicalId,
    },
    /// What it was to delete turned out to be what is wanted.
    Unneeded {
        id: TaskId,
        task: &'a Task,
    },
    /// The run was interrupted: these are waited for, for so long, and nothing else starts.
    Stopping {
        running: &'a [&'a Task],
        patience: Duration,
    },
    /// It was still under way when waiting came to an end.
    GivenUp {
        id: TaskId,
        task: &'a Task,
    },
}

/// How a task ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    Done(Done),
    Failed(AwsError),
}

/// What became of a schedule.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    pub done: Vec<Task>,
    pub failed: Vec<Failure>,
    /// Never started, because something before it failed or the run was stopped.
    pub skipped: Vec<Task>,
    /// Started and not waited for to the end, because the run was stopped. What came of it the next run finds out.
    pub unfinished: Vec<Task>,
    pub is_interrupted: bool,
    /// Why nothing further was started: what is not remembered must not be done.
    pub unremembered: Option<Unremembered>,
    /// Log groups that late logs brought back after their deletion, and that were deleted again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub came_back: Vec<String>,
    /// What is known of the stack's resources now.
    #[serde(skip)]
    pub attributes: BTreeMap<LogicalId, Attributes>,
}

/// A task that failed, and how.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    pub task: Task,
    pub error: String,
    pub way_out: Option<String>,
}

impl Report {
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_empty() && self.unfinished.is_empty() && !self.is_stopped()
    }

    /// Whether nothing further may start.
    fn is_stopped(&self) -> bool {
        self.is_interrupted || self.unremembered.is_some()
    }
}

/// What a run needs beside its plan.
pub struct World<'a> {
    pub writer: &'a dyn Writer,
    pub journal: &'a mut dyn Journal,
    pub clock: &'a dyn Clock,
    pub concurrency: usize,
    /// Hears what the writer's work waits for.
    pub observer: &'a Observer,
    /// Becomes true when nothing new shall start.
    pub stop: watch::Receiver<bool>,
    /// How long what is in flight is waited for then.
    pub patience: Duration,
}

/// Runs every task as soon as all it waits for is done, those with the longest way to go first.
pub async fn execute(
    plan: &Plan,
    schedule: &Schedule,
    desired: &Desired,
    mut world: World<'_>,
    tell: &mut dyn FnMut(Event<'_>),
) -> Report {
    let mut report = Report { attributes: attributes_at_start(plan), ..Report::default() };
    let mut queue = Queue::new(schedule);
    let deletions = deletions(schedule);
    let mut running = FuturesUnordered::new();
    let mut ended: Vec<Ended> = Vec::new();
    let mut waits = world.observer.listen();
    let mut in_flight: BTreeSet<TaskId> = BTreeSet::new();
    // How many things of AWS's each of them waits for just now: who waits takes nobody's place.
    let mut pausing: BTreeMap<TaskId, usize> = BTreeMap::new();
    let mut patience = world.clock.sleep(world.patience);
    loop {
        if !report.is_interrupted && *world.stop.borrow() {
            report.is_interrupted = true;
            patience = world.clock.sleep(world.patience);
            if !in_flight.is_empty() {
                let running: Vec<&Task> = in_flight.iter().map(|id| &schedule.tasks[id.0]).collect();
                tell(Event::Stopping { running: &running, patience: world.patience });
            }
        }
        let room = if report.is_stopped() { 0 } else { room(world.concurrency, in_flight.len(), pausing.len()) };
        let starting: Vec<_> = queue
            .next(room)
            .into_iter()
            .map(|id| (id, prepare(schedule, id, plan, desired, &report.attributes)))
            .collect();
        let written = match starting.is_empty() {
            true => Ok(()),
            false => {
                let creates: Vec<_> =
                    starting.iter().filter_map(|(id, work)| intent(schedule, *id, plan, work)).collect();
                alongside(&mut running, &mut ended, world.journal.start(&creates)).await
            }
        };
        match written {
            Ok(()) => {
                for (id, work) in starting {
                    queue.remove(id);
                    in_flight.insert(id);
                    tell(Event::Started { id, task: &schedule.tasks[id.0] });
                    let (writer, clock, observer) = (world.writer, world.clock, world.observer);
                    let remaining = schedule.remaining[id.0];
                    running.push(async move {
                        let start = clock.monotonic();
                        let (work, result) = match work {
                            Ok(work) => {
                                let run = Box::pin(urgently(remaining, writer.run(&work)));
                                let result = observer.at_work(WorkId(id.0), run).await;
                                (Some(work), result)
                            }
                            Err(error) => (None, Err(error)),
                        };
                        Ended { id, work, result, took: clock.monotonic().saturating_sub(start) }
                    });
                }
            }
            Err(unremembered) => report.unremembered = Some(unremembered),
        }
        if ended.is_empty() {
            let next = tokio::select! {
                biased;
                next = running.next() => next,
                Some(wait) = waits.next() => {
                    note_pause(&mut pausing, &in_flight, &wait);
                    tell(waits_or_goes_on(schedule, &wait));
                    continue;
                }
                // Where nobody is left to stop the run, there is nothing to listen for.
                Ok(()) = world.stop.changed(), if !report.is_interrupted => continue,
                () = &mut patience, if report.is_interrupted => break,
            };
            let Some(next) = next else { break };
            ended.push(next);
        }
        // What has ended at the same time is written at once.
        while let Some(Some(more)) = running.next().now_or_never() {
            ended.push(more);
        }
        while let Some(wait) = waits.next().now_or_never().flatten() {
            note_pause(&mut pausing, &in_flight, &wait);
            tell(waits_or_goes_on(schedule, &wait));
        }
        let batch = std::mem::take(&mut ended);
        let ends: Vec<_> = batch.iter().filter_map(|ended| ended.end(schedule, plan)).collect();
        if !ends.is_empty()
            && let Err(unremembered) = alongside(&mut running, &mut ended, world.journal.record(&ends)).await
        {
            report.unremembered.get_or_insert(unremembered);
        }
        let mut lost: Vec<(TaskId, LogicalId)> = Vec::new();
        for Ended { id, result, took, .. } in batch {
            in_flight.remove(&id);
            pausing.remove(&id);
            let task = &schedule.tasks[id.0];
            let milliseconds = took.as_millis().try_into().unwrap_or(u64::MAX);
            let outcome = match result {
                Ok(it) => {
                    queue.finish(id);
                    // What was to be replaced by another turned out to be what was wanted: it must not be deleted.
                    if let Some(old) = deletion_of_the_same(&deletions, task, &it).filter(|old| queue.remove(*old)) {
                        queue.finish(old);
                        tell(Event::Unneeded { id: old, task: &schedule.tasks[old.0] });
                    }
                    learn(&mut report.attributes, task, &it);
                    report.done.push(task.clone());
                    Outcome::Done(it)
                }
                Err(error) => {
                    lost.extend(queue.lose(id).into_iter().map(|lost| (lost, task.logical_id.clone())));
                    let failure = Failure { task: task.clone(), error: error.to_string(), way_out: error.way_out() };
                    report.failed.push(failure);
                    Outcome::Failed(error)
                }
            };
            tell(Event::Finished { id, task, outcome: &outcome, milliseconds });
        }
        for (skipped, because_of) in lost {
            let task = &schedule.tasks[skipped.0];
            tell(Event::Skipped { id: skipped, task, because_of: &because_of });
            report.skipped.push(task.clone());
        }
    }
    // As if paystack had been ended in the middle of them: every task can be begun again.
    drop(running);
    for (id, task) in in_flight.into_iter().map(|id| (id, &schedule.tasks[id.0])) {
        tell(Event::GivenUp { id, task });
        report.unfinished.push(task.clone());
    }
    report.skipped.extend(queue.into_waiting().into_iter().map(|id| schedule.tasks[id.0].clone()));
    report
}

fn waits_or_goes_on<'a>(schedule: &'a Schedule, wait: &'a Wait) -> Event<'a> {
    let Wait { by: WorkId(by), at, operation, waiting_for } = wait;
    let (id, task, at) = (TaskId(*by), &schedule.tasks[*by], *at);
    match waiting_for {
        Some(waiting_for) => Event::Waits { id, task, at, operation, waiting_for },
        None => Event::GoesOn { id, task, at, operation },
    }
}

/// A task that has come to its end.
struct Ended {
    id: TaskId,
    /// `None` where it was not known what to ask for.
    work: Option<Work>,
    result: Result<Done, AwsError>,
    took: Duration,
}

impl Ended {
    /// What there is to remember of it.
    fn end<'a>(&'a self, schedule: &Schedule, plan: &'a Plan) -> Option<End<'a>> {
        let task = &schedule.tasks[self.id.0];
        let applied = match &self.work {
            Some(Work::Create { wanted, .. } | Work::Update { wanted, .. }) => Some(wanted),
            Some(Work::Delete { .. }) | None => None,
        };
        let done = self.result.as_ref().ok()?;
        Some(End { step: &plan.steps[task.step], kind: task.kind, done, applied })
    }
}

/// Lets what runs go on while the journal is written; what ends meanwhile is put by.
async fn alongside<F: Future, T>(
    running: &mut FuturesUnordered<F>,
    ended: &mut Vec<F::Output>,
    mut writing: BoxFuture<'_, T>,
) -> T {
    loop {
        tokio::select! {
            biased;
            written = &mut writing => return written,
            Some(next) = running.next() => ended.push(next),
        }
    }
}

fn attributes_at_start(plan: &Plan) -> BTreeMap<LogicalId, Attributes> {
    let staying = plan.steps.iter().filter(|step| step.desired.is_some());
    staying.filter_map(|step| Some((step.logical_id.clone(), step.live.as_ref()?.attributes.clone()))).collect()
}

/// How many tasks may be under way for each that may be at work: what waits costs little, and not nothing.
const UNDER_WAY: usize = 16;

/// How many tasks may start. Where one at a time is asked for, one at a time it is.
fn room(concurrency: usize, in_flight: usize, pausing: usize) -> usize {
    if concurrency == 1 {
        return 1_usize.saturating_sub(in_flight);
    }
    let at_work = in_flight.saturating_sub(pausing);
    concurrency.saturating_sub(at_work).min((concurrency * UNDER_WAY).saturating_sub(in_flight))
}

/// Takes note of a wait that begins or ends. What is told of a task that has ended comes too late.
fn note_pause(pausing: &mut BTreeMap<TaskId, usize>, in_flight: &BTreeSet<TaskId>, wait: &Wait) {
    let id = TaskId(wait.by.0);
    let waits = pausing.get(&id).copied().unwrap_or_default();
    match &wait.waiting_for {
        Some(_) if in_flight.contains(&id) => _ = pausing.insert(id, waits + 1),
        None if waits > 1 => _ = pausing.insert(id, waits - 1),
        Some(_) | None => _ = pausing.remove(&id),
    }
}

/// Everything that is known now goes into the properties; what is still unknown cannot be asked for.
fn prepare(
    schedule: &Schedule,
    id: TaskId,
    plan: &Plan,
    desired: &Desired,
    attributes: &BTreeMap<LogicalId, Attributes>,
) -> Result<Work, AwsError> {
    let invalid = |reason: String| AwsError::new("evaluate", crate::aws::error::ErrorClass::Invalid, reason);
    let task = &schedule.tasks[id.0];
    let step = &plan.steps[task.step];
    let resource_type = task.resource_type.clone();
    let wanted = || -> Result<Value, AwsError> {
        let known = |id: &LogicalId, name: &str| attributes.get(id)?.get(name).cloned();
        let wanted = desired.properties(&task.logical_id, &known).map_err(invalid)?;
        if unknown::is_within(&wanted) {
            return Err(invalid(format!("a property of `{}` is still not known", task.logical_id)));
        }
        Ok(Arc::unwrap_or_clone(wanted))
    };
    let id = || task.physical_id.clone().ok_or_else(|| invalid(format!("`{}` has no physical id", task.logical_id)));
    Ok(match task.kind {
        Kind::Create => {
            let within_new = is_within_new(&resource_type, step.desired.as_deref().unwrap_or(&Value::Null));
            Work::Create { owner: desired.owner(&task.logical_id), resource_type, wanted: wanted()?, within_new }
        }
        Kind::Update => {
            let wanted = wanted()?;
            let live = step.live.as_ref().map_or(&Value::Null, |live| &live.properties);
            let changes = Changes::between(live, &wanted);
            Work::Update { owner: desired.owner(&task.logical_id), resource_type, id: id()?, changes, wanted }
        }
        Kind::Delete => Work::Delete { resource_type, id: id()?, together: Arc::clone(&task.together) },
    })
}

/// What a create is about to ask for.
fn intent<'a>(
    schedule: &Schedule,
    id: TaskId,
    plan: &'a Plan,
    work: &'a Result<Work, AwsError>,
) -> Option<(&'a Step, &'a Value)> {
    let step = &plan.steps[schedule.tasks[id.0].step];
    match work {
        Ok(Work::Create { wanted, .. }) => Some((step, wanted)),
        Ok(Work::Update { .. } | Work::Delete { .. }) | Err(_) => None,
    }
}

/// The deletions of a schedule, by what they delete.
type Deletions<'a> = BTreeMap<(&'a ResourceType, &'a PhysicalId), TaskId>;

fn deletions(schedule: &Schedule) -> Deletions<'_> {
    let all = schedule.tasks.iter().enumerate().rev();
    let deletions = all.filter(|(_, task)| task.kind == Kind::Delete);
    deletions.filter_map(|(id, task)| Some(((&task.resource_type, task.physical_id.as_ref()?), TaskId(id)))).collect()
}

/// The task that would delete what a create gave back instead of making a second one: the one that is replaced, or one that
/// an earlier replacement has left.
fn deletion_of_the_same(deletions: &Deletions<'_>, task: &Task, done: &Done) -> Option<TaskId> {
    let Done::Created { id, .. } = done else { return None };
    deletions.get(&(&task.resource_type, id)).copied()
}

fn learn(attributes: &mut BTreeMap<LogicalId, Attributes>, task: &Task, done: &Done) {
    match done {
        Done::Created { attributes: new, .. } | Done::Updated { attributes: new, .. } => {
            attributes.insert(task.logical_id.clone(), new.clone());
        }
        // A replacement's old half goes after the new one has come, or before.
        Done::Deleted => {}
    }
}
