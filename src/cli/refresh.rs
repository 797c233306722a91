//! `--refresh-only`: what somebody else did since the last apply, shown by `plan`, accepted by `apply`. AWS stays as it is.

use crate::cli::apply::ask;
use crate::cli::arguments::{ApplyArguments, PlanArguments, PlanningArguments};
use crate::cli::plan::{named, targets_exist};
use crate::cli::stack::{Opened, open};
use crate::cli::{CliError, Exit, World, view};
use crate::inventory;
use crate::plan::{Drift, drift};
use crate::state::{Ledger, Lock};

pub async fn plan(arguments: &PlanArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = open(&arguments.stack, world).await?;
    let ledger = remembered(&stack, world).await?;
    let drift = find(&arguments.planning, &stack, &ledger).await?;
    view::drift(world, &drift, arguments.format)?;
    let has_drifted = !drift.resources.is_empty();
    Ok(if arguments.detailed_exitcode && has_drifted { Exit::Changes } else { Exit::Done })
}

pub async fn apply(arguments: &ApplyArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = &open(&arguments.stack, world).await?;
    let work = async |lock: &dyn Lock, world: &mut World| apply_locked(arguments, stack, lock, world).await;
    stack.locked("apply --refresh-only", arguments.lock, world, work).await
}

async fn apply_locked(
    arguments: &ApplyArguments,
    stack: &Opened,
    lock: &dyn Lock,
    world: &mut World,
) -> Result<Exit, CliError> {
    let mut ledger = remembered(stack, world).await?;
    let drift = find(&arguments.planning, stack, &ledger).await?;
    view::drift(world, &drift, arguments.format.into())?;
    if drift.resources.is_empty() {
        return Ok(Exit::Done);
    }
    if !(arguments.auto_approve || ask(world, "apply", stack).await?) {
        return Ok(Exit::Failed);
    }
    ledger.accept(&drift);
    lock.save(&mut ledger).await?;
    view::accepted(world, &drift, arguments.format)?;
    Ok(Exit::Done)
}

/// What was applied last is all that drift can be told from.
async fn remembered(stack: &Opened, world: &World) -> Result<Ledger, CliError> {
    let ledger = stack.ledger(world).await?;
    if ledger.is_remembered {
        return Ok(ledger);
    }
    Err(CliError::NothingRemembered { stack: stack.desired.stack.clone() })
}

async fn find(arguments: &PlanningArguments, stack: &Opened, ledger: &Ledger) -> Result<Drift, CliError> {
    let concurrency = usize::from(arguments.concurrency);
    let inventory = inventory::take(&stack.desired, ledger, &stack.reader, concurrency).await;
    let targets = named(&arguments.targets);
    targets_exist(&targets, &inventory)?;
    Ok(drift(&stack.desired, &inventory, ledger).only(&targets))
}
