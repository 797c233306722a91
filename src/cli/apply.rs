//! `paystack apply`: shows what will change, asks, and does it.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::sync::watch;

use crate::apply::{Report, World as Run, execute, schedule};
use crate::cli::arguments::{ApplyArguments, Format};
use crate::cli::plan::{changes, options};
use crate::cli::stack::{Opened, open};
use crate::cli::{CliError, Exit, World, view};
use crate::desired::Desired;
use crate::identity::LogicalId;
use crate::plan::Plan;
use crate::resource::Attributes;
use crate::state::{Ledger, LedgerJournal, Run as HistoryEntry};

pub async fn apply(arguments: &ApplyArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = open(&arguments.stack, world).await?;
    let _lock = stack.ledgers.lock(&stack.desired.stack, &holder(world, "apply"))?;
    let ledger = stack.ledgers.load(&stack.desired.stack, world.salt.clone())?;
    let options = options(&arguments.planning, &stack)?;
    let concurrency = usize::from(arguments.planning.concurrency);
    let format = arguments.planning.format;
    let plan = changes(&stack, &ledger, &options, concurrency).await;
    if format == Format::Text {
        view::plan(world, &plan, format)?;
    }
    if plan.blocked().next().is_some() {
        return Err(CliError::Blocked);
    }
    let may_go_on = arguments.auto_approve || plan.is_empty() || ask(world, "apply", &stack)?;
    if !may_go_on {
        return Ok(Exit::Failed);
    }
    let task = Task { command: "apply", plan: &plan, desired: &stack.desired, concurrency, format };
    let report = carry_out(&task, ledger, &stack, world).await?;
    let outputs = outputs(&stack.desired, &report.attributes);
    view::applied(world, &plan, &report, &outputs, &stack.calls.so_far(), format)?;
    Ok(exit(&report))
}

/// A plan that may be carried out.
pub struct Task<'a> {
    pub command: &'static str,
    pub plan: &'a Plan,
    pub desired: &'a Desired,
    pub concurrency: usize,
    pub format: Format,
}

/// Carries out a plan, keeping the ledger; Ctrl-C stops starting new work.
pub async fn carry_out(task: &Task<'_>, ledger: Ledger, stack: &Opened, world: &mut World) -> Result<Report, CliError> {
    let mut journal = LedgerJournal::new(&stack.ledgers, ledger);
    journal.begin(task.plan)?;
    let schedule = schedule(task.plan);
    let clock = std::sync::Arc::clone(&world.clock);
    let (stop, stopping) = watch::channel(false);
    let interrupts = tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if stop.send_replace(true) {
                // The second one: what runs is given up; the next run finds it.
                std::process::exit(130);
            }
        }
    });
    let mut progress = view::Progress::new(task.format, schedule.tasks.len(), world);
    let run = Run {
        writer: &stack.writer,
        journal: &mut journal,
        clock: clock.as_ref(),
        concurrency: task.concurrency,
        stop: stopping,
    };
    let report = execute(task.plan, &schedule, task.desired, run, &mut |event| progress.tell(&event)).await;
    interrupts.abort();
    progress.finish()?;
    if !schedule.tasks.is_empty() {
        journal.ledger.history.push(HistoryEntry {
            at: clock.now(),
            command: task.command.to_owned(),
            caller: world.caller.clone(),
            done: report.done.len(),
            failed: report.failed.len(),
        });
        journal.save()?;
    }
    Ok(report)
}

pub fn exit(report: &Report) -> Exit {
    match (report.is_interrupted, report.is_complete()) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Done,
        (false, false) => Exit::Failed,
    }
}

/// The outputs whose values are known.
pub fn outputs(desired: &Desired, attributes: &BTreeMap<LogicalId, Attributes>) -> BTreeMap<String, Value> {
    let known = |id: &LogicalId, name: &str| attributes.get(id)?.get(name).cloned();
    let outputs = desired.graph.outputs.iter().filter_map(|(name, output)| {
        let value = desired.graph.evaluate(&output.value, &known).ok()?;
        Some((name.clone(), value))
    });
    outputs.collect()
}

/// Who holds the lock, for whoever finds it taken.
pub fn holder(world: &World, command: &str) -> String {
    format!("`{command}` by {} (process {}) since {}", world.caller, std::process::id(), world.clock.now())
}

/// Asks whether to go on.
///
/// # Errors
///
/// There is nobody to ask.
pub fn ask(world: &mut World, command: &'static str, stack: &Opened) -> Result<bool, CliError> {
    if !world.can_ask {
        return Err(CliError::CannotAsk { command });
    }
    let scope = &stack.desired.scope;
    write!(
        world.err,
        "\nDo you want to {command} this to the stack `{}` in account {} ({})? Only `yes` is taken for it: ",
        stack.desired.stack, scope.account_id, scope.region
    )?;
    world.err.flush()?;
    let mut answer = String::new();
    world.input.read_line(&mut answer)?;
    let is_approved = answer.trim() == "yes";
    if !is_approved {
        writeln!(world.err, "Nothing was changed.")?;
    }
    Ok(is_approved)
}
