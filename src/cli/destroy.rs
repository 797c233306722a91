//! `paystack destroy`: the plan towards nothing, carried out, and then a second look at what is left.

use crate::cli::apply::{Task, ask, carry_out, exit, holder};
use crate::cli::arguments::{DestroyArguments, Format};
use crate::cli::plan::destruction;
use crate::cli::stack::{Opened, open};
use crate::cli::{CliError, Exit, World, view};
use crate::plan::Plan;
use crate::state::Ledger;

pub async fn destroy(arguments: &DestroyArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = open(&arguments.stack, world).await?;
    let id = stack.desired.stack.clone();
    let _lock = stack.ledgers.lock(&id, &holder(world, "destroy"))?;
    let ledger = stack.ledgers.load(&id, world.salt.clone())?;
    let concurrency = usize::from(arguments.concurrency);
    let plan = destruction(&stack, &ledger, concurrency).await;
    if arguments.format == Format::Text {
        view::plan(world, &plan, arguments.format)?;
    }
    if plan.blocked().next().is_some() {
        return Err(CliError::Blocked);
    }
    if !(arguments.auto_approve || plan.is_empty() || ask(world, "destroy", &stack)?) {
        return Ok(Exit::Failed);
    }
    let nothing = stack.desired.nothing();
    let task = Task { command: "destroy", plan: &plan, desired: &nothing, concurrency, format: arguments.format };
    let report = carry_out(&task, ledger, &stack, world).await?;
    let left = if report.is_complete() { Some(look_again(&stack, concurrency).await) } else { None };
    if let Some(left) = &left
        && is_nothing(left)
    {
        stack.ledgers.remove(&id)?;
    }
    view::destroyed(world, &plan, &report, left.as_ref(), &stack.calls.so_far(), arguments.format)?;
    Ok(match left {
        Some(left) if !is_nothing(&left) => Exit::Failed,
        _ => exit(&report),
    })
}

/// What could not be looked for may still be there.
fn is_nothing(left: &Plan) -> bool {
    left.is_empty() && left.problems.is_empty()
}

/// Searches for the stack as if nothing were remembered of it.
async fn look_again(stack: &Opened, concurrency: usize) -> Plan {
    let forgetful = Ledger::empty(stack.desired.stack.clone(), String::new());
    destruction(stack, &forgetful, concurrency).await
}
