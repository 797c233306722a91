//! Making a plan true: which task when, who does it, and what is told of it.

pub mod bound;
pub mod chronicle;
pub mod durations;
mod execute;
mod queue;
mod schedule;

#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;

use crate::aws::error::AwsError;
use crate::change::Changes;
use crate::identity::{PhysicalId, ResourceType};
use crate::plan::Step;
use crate::resource::{Attributes, Owner};

pub use execute::{Event, Failure, Outcome, Report, World, execute};
pub use schedule::{Kind, Schedule, Task, TaskId, schedule};

/// What a writer is asked to do: everything in it is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// `within_new`: it is to be a part of something that this run has made, so that nothing of the kind can be there.
    Create {
        owner: Owner,
        resource_type: ResourceType,
        wanted: Value,
        within_new: bool,
    },
    Update {
        owner: Owner,
        resource_type: ResourceType,
        id: PhysicalId,
        wanted: Value,
        changes: Changes,
    },
    /// `together`: what the same call deletes, in order, as the schedule has put it together.
    Delete {
        resource_type: ResourceType,
        id: PhysicalId,
        together: Arc<[PhysicalId]>,
    },
}

impl Work {
    /// A deletion by itself.
    pub fn delete(resource_type: ResourceType, id: PhysicalId) -> Self {
        Self::Delete { resource_type, id, together: Arc::default() }
    }
}

/// What a writer did.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    Created { id: PhysicalId, attributes: Attributes },
    Updated { id: PhysicalId, attributes: Attributes },
    Deleted,
}

/// What only the executor holds.
pub trait Writer: Send + Sync {
    fn run<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Result<Done, AwsError>>;
}

/// Keeps what is done: before a task starts, and before anything that depends on it does.
pub trait Journal: Send {
    /// Tasks are about to start, and of these creates something may be there from now on, whatever happens next.
    ///
    /// # Errors
    ///
    /// It cannot be written: none of the tasks may start.
    fn start<'a>(&'a mut self, creates: &'a [(&'a Step, &'a Value)]) -> BoxFuture<'a, Result<(), Unremembered>>;

    /// Tasks are done.
    ///
    /// # Errors
    ///
    /// It cannot be written: nothing further may start.
    fn record<'a>(&'a mut self, ends: &'a [End<'a>]) -> BoxFuture<'a, Result<(), Unremembered>>;
}

/// The end of a task that was done.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    pub step: &'a Step,
    pub kind: Kind,
    pub done: &'a Done,
    /// The properties that the resource has now.
    pub applied: Option<&'a Value>,
}

/// Why a run could not be remembered, and went no further.
#[derive(Debug, Clone, Serialize)]
pub struct Unremembered {
    pub error: String,
    pub way_out: Option<String>,
}
