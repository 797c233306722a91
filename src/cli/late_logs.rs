//! Log groups that come back after they were deleted: what a function or an API stage logged last is written late, and where
//! its log group is gone, the service makes another one.
//!
//! AWS gives no sign of a write that is still to come, so a destroy watches for a while ("LogGroup" in the behaviour notes).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::apply::{Work, Writer};
use crate::cli::apply::Approved;
use crate::cli::stack::Opened;
use crate::cli::{CliError, World, view};
use crate::identity::{LogicalId, PhysicalId, ResourceType};
use crate::inventory::{Identity, LOG_GROUP, Reader, log_group_of};
use crate::plan::{Action, Step};
use crate::resource::{Ownership, Reading};

/// How long AWS is watched. No number is published; late writes have been seen 20 seconds after the deletion.
const SECONDS: u16 = 60;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Watches for the log groups of what a destroy deleted, deletes those that come back, and gives their names.
///
/// # Errors
///
/// AWS could not be asked, or a log group not be deleted.
pub async fn watch(approved: &Approved<'_>, stack: &Opened, world: &mut World) -> Result<Vec<String>, CliError> {
    let seconds = approved.watch_logs.unwrap_or(if stack.is_in_aws { SECONDS } else { 0 });
    let names: BTreeSet<String> = approved.plan.steps.iter().filter_map(written_late).collect();
    let mut came_back = Vec::new();
    if seconds == 0 || names.is_empty() {
        return Ok(came_back);
    }
    view::watching(world, seconds, approved.format)?;
    let clock = std::sync::Arc::clone(&world.clock);
    let end = clock.monotonic() + Duration::from_secs(seconds.into());
    loop {
        for name in &names {
            if is_back(stack, name).await? {
                let work = Work::delete(ResourceType::from(LOG_GROUP), PhysicalId::from(name.as_str()));
                stack.writer.run(&work).await?;
                came_back.push(name.clone());
            }
        }
        let left = end.saturating_sub(clock.monotonic());
        if left.is_zero() {
            return Ok(came_back);
        }
        clock.sleep(PAUSE.min(left)).await;
    }
}

/// The log group that late logs of what was deleted go to.
fn written_late(step: &Step) -> Option<String> {
    let Action::Delete { .. } = step.action else { return None };
    log_group_of(&step.resource_type, step.physical_id.as_ref()?)
}

/// A log group with marks is a resource of some stack's own.
async fn is_back(stack: &Opened, name: &str) -> Result<bool, CliError> {
    let what = Identity {
        owner: stack.desired.owner(&LogicalId::new(name)),
        resource_type: ResourceType::from(LOG_GROUP),
        physical_id: Some(PhysicalId::from(name)),
        wanted: None,
        was_asked_for: false,
    };
    match stack.reader.read(&what).await {
        Reading::Live(live) => Ok(live.ownership == Ownership::Unmarked),
        Reading::Absent => Ok(false),
        Reading::Unreadable(error) => Err(error.into()),
    }
}
