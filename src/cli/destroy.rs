//! `paystack destroy`: the plan towards nothing, carried out, and then a second look at what is left.

use crate::cli::apply::{Approved, ask, carry_out, ended, exit, keep_attempts, keep_trace};
use crate::cli::arguments::DestroyArguments;
use crate::cli::assembly::{self, Others, each, only_one};
use crate::cli::plan::{foreseen, make, named};
use crate::cli::stack::{Opened, open_to_destroy};
use crate::cli::{CliError, Exit, World, late_logs, view};
use crate::plan::residue::residue;
use crate::plan::saved::Goal;
use crate::plan::{Options, Plan};
use crate::state::{Ledger, LedgerJournal, Lock};

pub async fn destroy(arguments: &DestroyArguments, world: &mut World) -> Result<Exit, CliError> {
    let DestroyArguments { stack, assembly, deleting, .. } = arguments;
    let mut stacks = assembly::chosen(stack, assembly.assembly.as_deref(), &assembly.app, world)?;
    only_one(&stacks, &deleting.of_one_stack())?;
    // What others depend on goes last.
    stacks.reverse();
    each(stacks, Others::Wait, world, async |chosen, world| {
        if chosen.is_protected {
            return Err(CliError::Protected { stack: chosen.arguments.stack.unwrap_or_default() });
        }
        let arguments = DestroyArguments { stack: chosen.arguments, ..arguments.clone() };
        one(&arguments, world).await
    })
    .await
}

async fn one(arguments: &DestroyArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = &open_to_destroy(&arguments.stack, world).await?;
    keep_attempts(arguments.trace.as_deref(), stack);
    let work = async |lock: &dyn Lock, world: &mut World| destroy_locked(arguments, stack, lock, world).await;
    stack.locked("destroy", arguments.lock, world, work).await
}

async fn destroy_locked(
    arguments: &DestroyArguments,
    stack: &Opened,
    lock: &dyn Lock,
    world: &mut World,
) -> Result<Exit, CliError> {
    let ledger = stack.ledger(world).await?;
    let options = Options { delete_unmarked: named(&arguments.deleting.delete_unmarked), ..Options::default() };
    let plan = make(Goal::Nothing, &options, stack, &ledger, arguments.concurrency).await?;
    let foreseen = foreseen(Goal::Nothing, &plan, stack, &ledger);
    view::proposed(world, &plan, &foreseen, arguments.format, view::Detail::Brief)?;
    if plan.blocked().next().is_some() {
        return Err(CliError::Blocked);
    }
    if !(arguments.auto_approve || plan.is_empty() || ask(world, "destroy", stack).await?) {
        return Ok(Exit::Failed);
    }
    let approved = Approved {
        goal: Goal::Nothing,
        plan: &plan,
        foreseen: &foreseen,
        concurrency: arguments.concurrency,
        format: arguments.format,
        trace: arguments.trace.as_deref(),
        watch_logs: arguments.watch_logs,
    };
    finish(&approved, &mut LedgerJournal::new(lock, ledger), stack, world).await
}

/// Deletes, looks again, and shows what is left, and in what the account differs from what it was before the stack.
pub async fn finish(
    approved: &Approved<'_>,
    journal: &mut LedgerJournal<'_>,
    stack: &Opened,
    world: &mut World,
) -> Result<Exit, CliError> {
    let nothing = stack.desired.nothing();
    let mut ran = carry_out("destroy", approved, &nothing, journal, stack, world).await?;
    if ran.report.is_complete() {
        ran.report.came_back = late_logs::watch(approved, stack, world).await?;
    }
    let mut left = if ran.report.is_complete() { Some(look_again(stack, approved.concurrency).await?) } else { None };
    if let Some(left) = &mut left {
        // Within what is gone nobody can look any more: what was not seen then is not known now.
        let unseen = approved.plan.problems.iter().filter(|problem| !left.problems.contains(problem));
        let unseen: Vec<String> = unseen.cloned().collect();
        left.problems.extend(unseen);
    }
    let residue = match (&left, &journal.ledger.before) {
        (Some(_), Some(before)) => Some(residue(before, &stack.reader.unmarked().await)),
        _ => None,
    };
    if let Some(left) = &left
        && is_nothing(left)
    {
        journal.remove().await?;
    }
    view::destroyed(world, &ended(approved, &ran, stack), left.as_ref(), residue.as_ref(), approved.format)?;
    keep_trace(approved, &ran.chronicle, stack, world)?;
    Ok(match left {
        Some(left) if !is_nothing(&left) => Exit::Failed,
        _ => exit(&ran.report),
    })
}

/// What could not be looked for may still be there.
fn is_nothing(left: &Plan) -> bool {
    left.is_empty() && left.problems.is_empty()
}

/// Searches for the stack as if nothing were remembered of it.
async fn look_again(stack: &Opened, concurrency: u16) -> Result<Plan, CliError> {
    let forgetful = Ledger::empty(stack.desired.stack.clone(), String::new());
    make(Goal::Nothing, &Options::default(), stack, &forgetful, concurrency).await
}
