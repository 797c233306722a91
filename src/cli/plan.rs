//! `paystack plan`: shows what would change. Nothing is written.

use crate::cli::arguments::{PlanArguments, PlanningArguments};
use crate::cli::stack::{Opened, open};
use crate::cli::{CliError, Exit, World, view};
use crate::diagnostic::nearest;
use crate::identity::LogicalId;
use crate::inventory::{self, add_side_effects};
use crate::plan::{self, Options, Plan};
use crate::state::Ledger;

pub async fn plan(arguments: &PlanArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = open(&arguments.stack, world).await?;
    let concurrency = usize::from(arguments.planning.concurrency);
    let ledger = stack.ledgers.load(&stack.desired.stack, world.salt.clone())?;
    let plan = if arguments.destroy {
        destruction(&stack, &ledger, concurrency).await
    } else {
        let options = options(&arguments.planning, &stack)?;
        changes(&stack, &ledger, &options, concurrency).await
    };
    view::planned(world, &plan, &stack.calls.so_far(), arguments.planning.format)?;
    Ok(match (plan.blocked().next(), plan.is_empty()) {
        (Some(_), _) => Exit::Failed,
        (None, false) if arguments.detailed_exitcode => Exit::Changes,
        (None, _) => Exit::Done,
    })
}

/// The plan towards what the template says.
pub async fn changes(stack: &Opened, ledger: &Ledger, options: &Options, concurrency: usize) -> Plan {
    let inventory = inventory::take(&stack.desired, ledger, &stack.reader, concurrency).await;
    plan::diff(&stack.desired, &inventory, ledger, options)
}

/// The plan towards nothing.
pub async fn destruction(stack: &Opened, ledger: &Ledger, concurrency: usize) -> Plan {
    // What the ledger has missed is searched for as well: this is the last time that anybody looks.
    let searching = Ledger { is_remembered: false, ..ledger.clone() };
    let inventory = inventory::take(&stack.desired, &searching, &stack.reader, concurrency).await;
    let mut inventory = inventory.departing(&stack.desired);
    add_side_effects(&mut inventory, &stack.desired, &stack.reader).await;
    plan::diff(&stack.desired.nothing(), &inventory, ledger, &Options::default())
}

/// What the user asks for beside what the template says; only resources that exist in the template can be named.
pub fn options(arguments: &PlanningArguments, stack: &Opened) -> Result<Options, CliError> {
    let named = |names: &[String]| -> Result<_, CliError> {
        names
            .iter()
            .map(|name| {
                let id = LogicalId::from(name.as_str());
                if stack.desired.graph.resources.contains_key(&id) {
                    return Ok(id);
                }
                let known = stack.desired.graph.resources.keys().map(LogicalId::as_str);
                let help = nearest(name, known).map(|nearest| format!("did you mean `{nearest}`?"));
                Err(CliError::UnknownResource { name: name.clone(), help })
            })
            .collect()
    };
    Ok(Options { adopt: named(&arguments.adopt)?, replace: named(&arguments.replace)? })
}
