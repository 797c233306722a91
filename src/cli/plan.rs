//! `paystack plan`: shows what would change. Nothing is written.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::budget::{Foreseen, of_applying, of_reading};
use crate::cli::arguments::{PlanArguments, PlanFormat, PlanningArguments};
use crate::cli::assembly::{self, Others, each, only_one};
use crate::cli::stack::{Opened, open};
use crate::cli::{CliError, Exit, World, refresh, rules, saved, view};
use crate::diagnostic::nearest;
use crate::identity::LogicalId;
use crate::inventory::{self, Inventory, add_side_effects};
use crate::losses;
use crate::plan::destruction::destruction;
use crate::plan::saved::{Asked, Goal};
use crate::plan::served::{differences, tell, with_new_snapshots};
use crate::plan::{self, Options, Plan};
use crate::served::with_served;
use crate::state::Ledger;

pub async fn plan(arguments: &PlanArguments, world: &mut World) -> Result<Exit, CliError> {
    let PlanArguments { stack, assembly, planning, out, format, .. } = arguments;
    let stacks = assembly::chosen(stack, assembly.assembly.as_deref(), &assembly.app, world)?;
    let is_page = *format == PlanFormat::Html;
    only_one(&stacks, &[("--out", out.is_some()), ("--format html", is_page)])?;
    only_one(&stacks, &planning.of_one_stack())?;
    each(stacks, Others::GoOn, world, async |chosen, world| {
        let arguments = PlanArguments { stack: chosen.arguments, ..arguments.clone() };
        one(&arguments, world).await
    })
    .await
}

async fn one(arguments: &PlanArguments, world: &mut World) -> Result<Exit, CliError> {
    if arguments.planning.refresh_only {
        return refresh::plan(arguments, world).await;
    }
    let stack = open(&arguments.stack, world).await?;
    let goal = if arguments.destroy { Goal::Nothing } else { Goal::Template };
    if goal == Goal::Template {
        stack.has_exporters()?;
    }
    let ledger = stack.ledger(world).await?;
    let options = options(&arguments.planning, &stack)?;
    let plan = make(goal, &options, &stack, &ledger, arguments.planning.concurrency).await?;
    let foreseen = foreseen(goal, &plan, &stack, &ledger);
    let planned = view::Planned { plan: &plan, calls: &stack.calls.so_far(), foreseen: &foreseen };
    view::planned(world, &planned, arguments.format, arguments.planning.detail())?;
    if plan.blocked().next().is_some() {
        return Ok(Exit::Failed);
    }
    rules::refuse(&plan, &stack)?;
    if let Some(file) = &arguments.out {
        let opening = saved::opening(&arguments.stack, &stack);
        saved::save(file, &plan, Asked { opening, goal, options }, &stack, world)?;
    }
    Ok(if arguments.detailed_exitcode && !plan.is_empty() { Exit::Changes } else { Exit::Done })
}

/// What reading for a plan takes, and what carrying it out is going to take, by what was known before either. Before all is
/// deleted it is searched, whatever is remembered.
pub fn foreseen(goal: Goal, plan: &Plan, stack: &Opened, ledger: &Ledger) -> Foreseen {
    let reading = (goal == Goal::Template).then(|| of_reading(&stack.desired, ledger)).flatten();
    Foreseen { reading, applying: of_applying(plan) }
}

/// The plan towards what the template says, or towards nothing.
pub async fn make(
    goal: Goal,
    options: &Options,
    stack: &Opened,
    ledger: &Ledger,
    concurrency: u16,
) -> Result<Plan, CliError> {
    let known = match goal {
        Goal::Template => Cow::Borrowed(ledger),
        // What the ledger has missed is searched for before all is deleted: nobody looks again.
        Goal::Nothing => Cow::Owned(Ledger { is_remembered: false, ..ledger.clone() }),
    };
    let taking = inventory::take(&stack.desired, &known, &stack.reader, usize::from(concurrency));
    let mut inventory = match goal {
        Goal::Template => with_served(&stack.desired, ledger, &stack.reader, taking).await,
        Goal::Nothing => taking.await,
    };
    if goal == Goal::Template {
        inventory.departed.retain(|departed| !stack.desired.graph.left_out.contains(&departed.logical_id));
    }
    targets_exist(&options.targets, &inventory)?;
    let mut plan = match goal {
        Goal::Template => {
            have_departed(&options.delete_unmarked, &inventory)?;
            let served = differences(&stack.desired, &inventory);
            let desired = with_new_snapshots(&stack.desired, &inventory, &served, &options.replace);
            let mut plan = plan::diff(&desired, &inventory, ledger, options);
            tell(&mut plan, served);
            plan.remarks.destruction = Some(destruction(&stack.desired));
            plan.remarks.policy = rules::judge(stack.rules.as_ref(), &stack.desired, &stack.source)?;
            plan
        }
        Goal::Nothing => {
            let mut inventory = inventory.departing(&stack.desired);
            have_departed(&options.delete_unmarked, &inventory)?;
            add_side_effects(&mut inventory, &stack.desired, &stack.reader).await;
            plan::diff(&stack.desired.nothing(), &inventory, ledger, options)
        }
    };
    plan.remarks.elsewhere.clone_from(&ledger.elsewhere);
    losses::count(&mut plan, &stack.reader, usize::from(concurrency)).await;
    plan.explain_code(&|digest| stack.shelf.get(digest));
    Ok(plan)
}

/// What the user asks for beside what the template says. To be adopted or replaced a resource has to be in the template.
pub fn options(arguments: &PlanningArguments, stack: &Opened) -> Result<Options, CliError> {
    let declared = |names: &[String]| -> Result<BTreeSet<LogicalId>, CliError> {
        let known = || stack.desired.graph.resources.keys();
        let unknown = names.iter().find(|name| !known().any(|id| id.as_str() == name.as_str()));
        match unknown {
            Some(name) => Err(CliError::UnknownResource { name: name.clone(), help: did_you_mean(name, known()) }),
            None => Ok(named(names)),
        }
    };
    let (mut adopt, replace) = (declared(&arguments.adopt)?, declared(&arguments.replace)?);
    if arguments.adopt_all {
        adopt.extend(stack.desired.graph.resources.keys().cloned());
    }
    let delete_unmarked = named(&arguments.deleting.delete_unmarked);
    Ok(Options { adopt, replace, delete_unmarked, targets: named(&arguments.targets) })
}

/// A target may also be something that has left the template.
pub fn targets_exist(targets: &BTreeSet<LogicalId>, inventory: &Inventory) -> Result<(), CliError> {
    let departed = inventory.departed.iter().map(|departed| &departed.logical_id);
    let known: Vec<&LogicalId> = inventory.readings.keys().chain(departed).collect();
    match targets.iter().find(|target| !known.contains(target)) {
        Some(target) => Err(CliError::UnknownTarget {
            name: target.to_string(),
            help: did_you_mean(target.as_str(), known.into_iter()),
        }),
        None => Ok(()),
    }
}

/// What the template still has is not to be deleted.
fn have_departed(names: &BTreeSet<LogicalId>, inventory: &Inventory) -> Result<(), CliError> {
    let departed: BTreeSet<&LogicalId> = inventory.departed.iter().map(|departed| &departed.logical_id).collect();
    match names.iter().find(|name| !departed.contains(name)) {
        Some(name) => Err(CliError::NotDeparted {
            name: name.to_string(),
            help: did_you_mean(name.as_str(), departed.into_iter()),
        }),
        None => Ok(()),
    }
}

pub fn named(names: &[String]) -> BTreeSet<LogicalId> {
    names.iter().map(|name| LogicalId::from(name.as_str())).collect()
}

fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a LogicalId>) -> Option<String> {
    nearest(name, known.map(LogicalId::as_str)).map(|nearest| format!("did you mean `{nearest}`?"))
}
