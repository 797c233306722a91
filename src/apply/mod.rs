//! Making a plan true: which task when, who does it, and what is told of it.

mod execute;
mod schedule;

#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod tests;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::aws::error::AwsError;
use crate::change::Changes;
use crate::identity::{PhysicalId, ResourceType};
use crate::resource::{Attributes, Owner};

pub use execute::{Event, Failure, Outcome, Report, World, execute};
pub use schedule::{Kind, Schedule, Task, TaskId, schedule};

/// What a writer is asked to do: everything in it is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    Create { owner: Owner, resource_type: ResourceType, wanted: Value },
    Update { owner: Owner, resource_type: ResourceType, id: PhysicalId, wanted: Value, changes: Changes },
    Delete { resource_type: ResourceType, id: PhysicalId },
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

/// Keeps what was done, before anything that depends on it starts.
pub trait Journal: Send {
    /// A create is about to be asked for: whatever happens next, something may be there.
    ///
    /// # Errors
    ///
    /// The memory cannot be written; the create must not start.
    fn intend(&mut self, step: &crate::plan::Step, wanted: &Value) -> Result<(), String>;

    /// A task is done.
    ///
    /// # Errors
    ///
    /// The memory cannot be written; nothing further may start.
    fn record(
        &mut self,
        step: &crate::plan::Step,
        kind: Kind,
        done: &Done,
        applied: Option<&Value>,
    ) -> Result<(), String>;
}
