//! `--refresh-only`: what somebody else did since the last apply, shown by `plan`, accepted by `apply`. AWS stays as it is.

use crate::cli::apply::{ask, holder};
use crate::cli::arguments::{ApplyArguments, Format, PlanArguments, PlanFormat, PlanningArguments};
use crate::cli::plan::{named, targets_exist};
use crate::cli::stack::{Opened, open};
use crate::cli::{CliError, Exit, World, view};
use crate::inventory;
use crate::plan::{Drift, drift};
use crate::state::{Ledger, LedgerStore};

pub async fn plan(arguments: &PlanArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = open(&arguments.stack, world).await?;
    let ledger = remembered(&stack, world)?;
    let drift = find(&arguments.planning, &stack, &ledger).await?;
    view::drift(world, &drift, arguments.format)?;
    let has_drifted = !drift.resources.is_empty();
    Ok(if arguments.detailed_exitcode && has_drifted { Exit::Changes } else { Exit::Done })
}

pub async fn apply(arguments: &ApplyArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = open(&arguments.stack, world).await?;
    let _lock = stack.ledgers.lock(&stack.desired.stack, &holder(world, "apply --refresh-only"))?;
    let mut ledger = remembered(&stack, world)?;
    let drift = find(&arguments.planning, &stack, &ledger).await?;
    let format = match arguments.format {
        Format::Text => PlanFormat::Text,
        Format::Json => PlanFormat::Json,
    };
    view::drift(world, &drift, format)?;
    if drift.resources.is_empty() {
        return Ok(Exit::Done);
    }
    if !(arguments.auto_approve || ask(world, "apply", &stack)?) {
        return Ok(Exit::Failed);
    }
    ledger.accept(&drift);
    stack.ledgers.save(&mut ledger)?;
    view::accepted(world, &drift, arguments.format)?;
    Ok(Exit::Done)
}

/// What was applied last is all that drift can be told from.
fn remembered(stack: &Opened, world: &World) -> Result<Ledger, CliError> {
    let ledger = stack.ledgers.load(&stack.desired.stack, world.salt.clone())?;
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
