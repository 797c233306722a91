//! `paystack apply`: shows what will change, asks, and does it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;

use serde_json::Value;

use crate::apply::bound::Bound;
use crate::apply::chronicle::Chronicle;
use crate::apply::{Event, Report, Task, World as Run, execute, schedule};
use crate::aws::clock::Clock;
use crate::aws::rates::Call;
use crate::budget::{Foreseen, of_task};
use crate::cli::arguments::{ApplyArguments, Format, PlanningArguments, StackArguments};
use crate::cli::assembly::{self, Others, each, only_one};
use crate::cli::plan::{foreseen, make, options};
use crate::cli::stack::{Opened, open};
use crate::cli::{CliError, Exit, World, destroy, refresh, rules, saved, view};
use crate::desired::Desired;
use crate::identity::LogicalId;
use crate::interrupt::PATIENCE;
use crate::plan::residue::Before;
use crate::plan::saved::Goal;
use crate::plan::served::as_planned;
use crate::plan::{Options, Plan, SENSITIVE};
use crate::resource::Attributes;
use crate::state::{LedgerJournal, Lock, Run as HistoryEntry};
use crate::unknown;

pub async fn apply(arguments: &ApplyArguments, world: &mut World) -> Result<Exit, CliError> {
    let assembly = match &arguments.file {
        Some(file) if world.directory.join(file).is_dir() => Some(file.as_path()),
        Some(file) => {
            says_nothing_else(arguments)?;
            return saved::apply(file, arguments, world).await;
        }
        None => None,
    };
    let stacks = assembly::chosen(&arguments.stack, assembly, &arguments.app, world)?;
    only_one(&stacks, &arguments.planning.of_one_stack())?;
    each(stacks, Others::Wait, world, async |chosen, world| {
        let arguments = ApplyArguments { stack: chosen.arguments, ..arguments.clone() };
        one(&arguments, world).await
    })
    .await
}

/// A plan that is kept says itself what is done.
fn says_nothing_else(arguments: &ApplyArguments) -> Result<(), CliError> {
    let PlanningArguments { adopt_all, refresh_only, .. } = arguments.planning;
    let StackArguments { local, skip_unsupported, delete_retained, ref imports, .. } = arguments.stack;
    let others = [
        ("--adopt-all", adopt_all),
        ("--refresh-only", refresh_only),
        ("--local", local),
        ("--skip-unsupported", skip_unsupported),
        ("--delete-retained", delete_retained),
        ("--import", !imports.is_empty()),
    ];
    let mut given = arguments.planning.of_one_stack().into_iter().chain(others).filter(|(_, is_given)| *is_given);
    match given.next() {
        Some((option, _)) => Err(CliError::NotForPlan { option }),
        None => Ok(()),
    }
}

async fn one(arguments: &ApplyArguments, world: &mut World) -> Result<Exit, CliError> {
    if arguments.planning.refresh_only {
        return refresh::apply(arguments, world).await;
    }
    let stack = &open(&arguments.stack, world).await?;
    keep_attempts(arguments.trace.as_deref(), stack);
    stack.has_imports()?;
    let options = options(&arguments.planning, stack)?;
    let work = async |lock: &dyn Lock, world: &mut World| apply_locked(arguments, &options, stack, lock, world).await;
    stack.locked("apply", arguments.lock, world, work).await
}

async fn apply_locked(
    arguments: &ApplyArguments,
    options: &Options,
    stack: &Opened,
    lock: &dyn Lock,
    world: &mut World,
) -> Result<Exit, CliError> {
    let ledger = stack.ledger(world).await?;
    let concurrency = arguments.planning.concurrency;
    let plan = make(Goal::Template, options, stack, &ledger, concurrency).await?;
    let foreseen = foreseen(Goal::Template, &plan, stack, &ledger);
    view::proposed(world, &plan, &foreseen, arguments.format, arguments.planning.detail())?;
    if plan.blocked().next().is_some() {
        return Err(CliError::Blocked);
    }
    rules::refuse(&plan, stack)?;
    let may_go_on = arguments.auto_approve || plan.is_empty() || ask(world, "apply", stack).await?;
    if !may_go_on {
        return Ok(Exit::Failed);
    }
    let approved = Approved {
        goal: Goal::Template,
        plan: &plan,
        foreseen: &foreseen,
        concurrency,
        format: arguments.format,
        trace: arguments.trace.as_deref(),
        watch_logs: None,
    };
    finish(&approved, &mut LedgerJournal::new(lock, ledger), stack, world).await
}

/// A plan that may be carried out.
pub struct Approved<'a> {
    pub goal: Goal,
    pub plan: &'a Plan,
    pub foreseen: &'a Foreseen,
    pub concurrency: u16,
    pub format: Format,
    /// Seconds to watch for late logs after a destroy; `None` leaves it to where the stack is.
    pub watch_logs: Option<u16>,
    /// Where a trace is to be kept.
    pub trace: Option<&'a Path>,
}

/// What came of a plan, and how it went.
pub struct Ran {
    pub report: Report,
    pub chronicle: Chronicle,
}

/// Carries out a plan, and shows what came of it.
pub async fn finish(
    approved: &Approved<'_>,
    journal: &mut LedgerJournal<'_>,
    stack: &Opened,
    world: &mut World,
) -> Result<Exit, CliError> {
    if approved.goal == Goal::Nothing {
        return destroy::finish(approved, journal, stack, world).await;
    }
    // Where nothing of the stack is there yet, this is what a destroy has to come back to.
    if approved.plan.is_first() {
        journal.ledger.before = Some(Before { at: world.clock.now(), names: stack.reader.unmarked().await });
    }
    let ran = carry_out("apply", approved, &as_planned(&stack.desired, approved.plan), journal, stack, world).await?;
    let mut outputs = outputs(&stack.desired, &ran.report.attributes, Secrets::Masked);
    // Of what was left out nothing is known.
    outputs.retain(|_, value| !unknown::is_within(value));
    view::applied(world, &ended(approved, &ran, stack), &outputs, approved.format)?;
    keep_trace(approved, &ran.chronicle, stack, world)?;
    Ok(exit(&ran.report))
}

/// What there is to show of a run.
pub fn ended<'a>(approved: &Approved<'a>, ran: &'a Ran, stack: &Opened) -> view::Ended<'a> {
    view::Ended {
        plan: approved.plan,
        report: &ran.report,
        timing: ran.chronicle.timing(),
        calls: stack.calls.so_far(),
        foreseen: approved.foreseen,
        bound: bound(approved, &ran.chronicle, stack),
    }
}

/// The least time that a run could have taken. An emulator keeps no rates.
fn bound(approved: &Approved<'_>, chronicle: &Chronicle, stack: &Opened) -> Bound {
    let calls = |task: &Task| {
        let calls = of_task(approved.plan, task).filter(|_| stack.is_in_aws).unwrap_or_default();
        calls.into_iter().filter_map(Call::named).collect()
    };
    chronicle.bound(usize::from(approved.concurrency), &calls)
}

/// Carries out a plan, keeping the ledger; an interruption stops starting new work.
pub async fn carry_out(
    command: &'static str,
    approved: &Approved<'_>,
    desired: &Desired,
    journal: &mut LedgerJournal<'_>,
    stack: &Opened,
    world: &mut World,
) -> Result<Ran, CliError> {
    let Approved { plan, concurrency, format, .. } = *approved;
    let interrupts = world.interrupts.clone();
    let working = interrupts.work();
    journal.begin(plan).await?;
    plan.uploads().for_each(|digest| stack.shelf.keep(&digest));
    let schedule = schedule(plan);
    let durations = &journal.ledger.durations;
    let schedule = schedule.weighed(&|task| durations.usual(&task.resource_type, task.kind).milliseconds);
    let clock = std::sync::Arc::clone(&world.clock);
    let progress = RefCell::new(view::Progress::new(format, &schedule, &journal.ledger.durations, world));
    let run = Run {
        writer: &stack.writer,
        journal,
        clock: clock.as_ref(),
        concurrency: usize::from(concurrency),
        observer: &stack.observer,
        stop: working.stopping(),
        patience: PATIENCE,
    };
    let mut tell = |event: Event<'_>| progress.borrow_mut().tell(&event);
    let mut report = tokio::select! {
        report = execute(plan, &schedule, desired, run, &mut tell) => report,
        never = ticks(&progress, clock.as_ref()) => match never {},
    };
    let chronicle = progress.into_inner().finish()?;
    chronicle.timing().teach(&mut journal.ledger.durations);
    if !schedule.tasks.is_empty() {
        journal.ledger.history.push(HistoryEntry {
            at: clock.now(),
            command: command.to_owned(),
            caller: world.caller.clone(),
            done: report.done.len(),
            failed: report.failed.len(),
        });
        if let Err(error) = journal.save().await {
            report.unremembered.get_or_insert(error.into());
        }
    }
    Ok(Ran { report, chronicle })
}

/// A trace has what was asked of AWS from the beginning.
pub fn keep_attempts(trace: Option<&Path>, stack: &Opened) {
    if trace.is_some() {
        stack.observer.keep_attempts();
    }
}

/// Lets the view know that time passes.
async fn ticks(progress: &RefCell<view::Progress<'_>>, clock: &dyn Clock) -> Infallible {
    loop {
        clock.sleep(view::TICK).await;
        progress.borrow_mut().tick();
    }
}

/// Writes the trace of a run, where one is asked for.
pub fn keep_trace(
    approved: &Approved<'_>,
    chronicle: &Chronicle,
    stack: &Opened,
    world: &mut World,
) -> Result<(), CliError> {
    let Some(file) = approved.trace else { return Ok(()) };
    let text = view::trace(chronicle, &stack.observer.attempts()).to_string();
    let unwritten = |source| CliError::UnwrittenTrace { path: file.to_owned(), source };
    std::fs::write(world.directory.join(file), text).map_err(unwritten)?;
    writeln!(world.err, "The trace is in `{}`; Perfetto (ui.perfetto.dev) and Chrome show it.", file.display())?;
    Ok(())
}

pub fn exit(report: &Report) -> Exit {
    match (report.is_interrupted, report.is_complete()) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Done,
        (false, false) => Exit::Failed,
    }
}

/// Whether secrets are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    Masked,
    Revealed,
}

/// The stack's outputs, with unknowns for what is not known.
pub fn outputs(
    desired: &Desired,
    attributes: &BTreeMap<LogicalId, Attributes>,
    secrets: Secrets,
) -> BTreeMap<String, Value> {
    let known = |id: &LogicalId, name: &str| attributes.get(id)?.get(name).cloned();
    let outputs = desired.graph.outputs.iter().filter_map(|(name, output)| {
        let value = desired.graph.evaluate(&output.value, &known).ok()?;
        let is_masked = secrets == Secrets::Masked && desired.is_secret(&output.value, &value);
        Some((name.clone(), if is_masked { Value::from(SENSITIVE) } else { value }))
    });
    outputs.collect()
}

/// Asks whether to go on.
///
/// # Errors
///
/// There is nobody to ask.
pub async fn ask(world: &mut World, command: &'static str, stack: &Opened) -> Result<bool, CliError> {
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
    // On a thread of its own, so that an interruption is heard meanwhile.
    let mut input = std::mem::replace(&mut world.input, Box::new(std::io::empty()));
    let asking = tokio::task::spawn_blocking(move || {
        let mut answer = String::new();
        let read = input.read_line(&mut answer);
        (input, read.map(|_| answer))
    });
    let (input, answer) = asking.await.map_err(std::io::Error::other)?;
    world.input = input;
    let answer = answer?;
    let is_approved = answer.trim() == "yes";
    if !is_approved {
        writeln!(world.err, "Nothing was changed.")?;
    }
    Ok(is_approved)
}
