//! What is told of a run, as one value for every form: a line of JSON is this value, a line of text a sentence about it.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;

use crate::apply::chronicle::{Chronicle, TaskName, milliseconds};
use crate::apply::durations::Usual;
use crate::apply::{Done, Event, Kind, Outcome, Task, TaskId};
use crate::cli::view::palette::{Painted, Role, paint};
use crate::cli::view::words::elapsed;
use crate::identity::{LogicalId, PhysicalId};
use crate::visible::{on_its_line, visible};

/// Something that has happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Message {
    /// The run begins: these are its tasks.
    Begun { tasks: Vec<Planned> },
    TaskStarted {
        #[serde(flatten)]
        task: TaskName,
        physical_id: Option<PhysicalId>,
    },
    /// A task waits for something of AWS's.
    TaskWaits {
        #[serde(flatten)]
        task: TaskName,
        operation: String,
        waiting_for: String,
    },
    /// What the task waited for has come.
    TaskGoesOn {
        #[serde(flatten)]
        task: TaskName,
        operation: String,
    },
    /// A task still runs: told every ten seconds.
    TaskStillRuns {
        #[serde(flatten)]
        task: TaskName,
        physical_id: Option<PhysicalId>,
        running_milliseconds: u64,
        waiting_for: Option<String>,
    },
    TaskDone {
        #[serde(flatten)]
        task: TaskName,
        physical_id: Option<PhysicalId>,
        took_milliseconds: u64,
    },
    TaskFailed {
        #[serde(flatten)]
        task: TaskName,
        took_milliseconds: u64,
        error: String,
    },
    /// A task never starts, because something before it failed.
    TaskSkipped {
        #[serde(flatten)]
        task: TaskName,
        because_of: LogicalId,
    },
    /// A task need not start: what it was to delete turned out to be what is wanted.
    TaskUnneeded {
        #[serde(flatten)]
        task: TaskName,
    },
    /// The run was interrupted: these are waited for, for so long, and nothing else starts.
    Stopping { running: Vec<TaskName>, patience_milliseconds: u64 },
    /// A task was still under way when waiting came to an end.
    TaskGivenUp {
        #[serde(flatten)]
        task: TaskName,
    },
}

/// A task that is to run.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    #[serde(flatten)]
    pub task: TaskName,
    /// The places in this list of the tasks that it waits for.
    pub after: Vec<TaskId>,
    pub usual: Usual,
}

impl Message {
    pub fn begun(chronicle: &Chronicle) -> Self {
        let planned = |id: TaskId| Planned {
            task: TaskName::of(chronicle.task(id)),
            after: chronicle.schedule.after[id.0].iter().copied().collect(),
            usual: chronicle.entries[id.0].usual,
        };
        Self::Begun { tasks: chronicle.ids().map(planned).collect() }
    }

    pub fn of(event: &Event<'_>) -> Self {
        let name = |task: &&Task| TaskName::of(task);
        match event {
            Event::Started { task, .. } => {
                Self::TaskStarted { task: name(task), physical_id: task.physical_id.clone() }
            }
            Event::Waits { task, operation, waiting_for, .. } => Self::TaskWaits {
                task: name(task),
                operation: (*operation).to_owned(),
                waiting_for: (*waiting_for).to_owned(),
            },
            Event::GoesOn { task, operation, .. } => {
                Self::TaskGoesOn { task: name(task), operation: (*operation).to_owned() }
            }
            Event::Finished { task, outcome: Outcome::Done(done), milliseconds, .. } => Self::TaskDone {
                task: name(task),
                physical_id: match done {
                    Done::Created { id, .. } | Done::Updated { id, .. } => Some(id.clone()),
                    Done::Deleted => task.physical_id.clone(),
                },
                took_milliseconds: *milliseconds,
            },
            Event::Finished { task, outcome: Outcome::Failed(error), milliseconds, .. } => {
                Self::TaskFailed { task: name(task), took_milliseconds: *milliseconds, error: error.to_string() }
            }
            Event::Skipped { task, because_of, .. } => {
                Self::TaskSkipped { task: name(task), because_of: (*because_of).clone() }
            }
            Event::Unneeded { task, .. } => Self::TaskUnneeded { task: name(task) },
            Event::Stopping { running, patience } => Self::Stopping {
                running: running.iter().map(|task| TaskName::of(task)).collect(),
                patience_milliseconds: milliseconds(*patience),
            },
            Event::GivenUp { task, .. } => Self::TaskGivenUp { task: name(task) },
        }
    }

    /// What there is to say of a task that runs for long.
    pub fn still_runs(chronicle: &Chronicle, id: TaskId, since: Duration, now: Duration) -> Self {
        let task = chronicle.task(id);
        Self::TaskStillRuns {
            task: TaskName::of(task),
            physical_id: task.physical_id.clone(),
            running_milliseconds: milliseconds(now.saturating_sub(since)),
            waiting_for: chronicle.waits_for(id).map(|wait| wait.waiting_for.clone()),
        }
    }

    /// In Terraform's words; `None` for what a line a task is too much for.
    pub fn sentence(&self) -> Option<String> {
        Some(match self {
            Self::Begun { .. } | Self::TaskWaits { .. } | Self::TaskGoesOn { .. } => return None,
            Self::TaskStarted { task, physical_id } => {
                let id = physical_id.as_ref().map(bracketed).unwrap_or_default();
                format!("{}: {}...{}", name(task), doing(task.kind), paint(Role::Quiet, id))
            }
            Self::TaskStillRuns { task, running_milliseconds, waiting_for, .. } => {
                let doing = doing(task.kind).to_lowercase();
                let why = waiting_for.as_ref().map(|what| format!(", waiting for {}", on_its_line(what)));
                let why = why.unwrap_or_default();
                let note = format!("[{} elapsed{why}]", elapsed(*running_milliseconds));
                format!("{}: Still {doing}... {}", name(task), paint(Role::Quiet, note))
            }
            Self::TaskDone { task, physical_id, took_milliseconds } => {
                let (role, done) = match task.kind {
                    Kind::Create => (Role::Created, "Creation complete"),
                    Kind::Update => (Role::Changed, "Modifications complete"),
                    Kind::Delete => (Role::Deleted, "Destruction complete"),
                };
                let is_there = |_: &&PhysicalId| task.kind != Kind::Delete;
                let id = physical_id.as_ref().filter(is_there).map(bracketed).unwrap_or_default();
                let after = format!("after {}", elapsed(*took_milliseconds));
                format!("{}: {} {after}{}", name(task), paint(role, done), paint(Role::Quiet, id))
            }
            Self::TaskFailed { task, took_milliseconds, error } => {
                let failed = match task.kind {
                    Kind::Create => "Creation failed",
                    Kind::Update => "Modifications failed",
                    Kind::Delete => "Destruction failed",
                };
                let after = format!("after {}", elapsed(*took_milliseconds));
                format!("{}: {} {after}: {}", name(task), paint(Role::Blocked, failed), visible(error))
            }
            Self::TaskSkipped { task, because_of } => {
                let because_of = on_its_line(because_of.as_str());
                format!("{}: Not started, because `{because_of}` failed", name(task))
            }
            Self::TaskUnneeded { task } => format!("{}: Kept, it is what is wanted", name(task)),
            Self::Stopping { running, patience_milliseconds } => {
                let running = running.iter().map(|task| format!("{} {}", doing(task.kind).to_lowercase(), name(task)));
                let running: Vec<String> = running.collect();
                format!(
                    "\nStopping: nothing new is started. In flight: {}.\nThey are waited for, for {} s at most; interrupt \
                     again to stop at once.\n",
                    running.join(", "),
                    patience_milliseconds / 1_000
                )
            }
            Self::TaskGivenUp { task } => format!("{}: Not waited for any longer", name(task)),
        })
    }
}

fn name(task: &TaskName) -> Painted<Cow<'_, str>> {
    paint(Role::Name, on_its_line(task.logical_id.as_str()))
}

fn bracketed(id: &PhysicalId) -> String {
    format!(" [id={}]", on_its_line(id.as_str()))
}

pub fn doing(kind: Kind) -> &'static str {
    match kind {
        Kind::Create => "Creating",
        Kind::Update => "Modifying",
        Kind::Delete => "Destroying",
    }
}
