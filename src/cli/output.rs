//! `paystack output`: the outputs of a stack, from what is live.

use std::collections::BTreeMap;

use crate::cli::apply::{Secrets, outputs};
use crate::cli::arguments::OutputArguments;
use crate::cli::stack::open;
use crate::cli::{CliError, Exit, World, view};
use crate::inventory;
use crate::resource::Reading;

/// How many resources are read at once.
const CONCURRENCY: usize = 16;

pub async fn output(arguments: &OutputArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = open(&arguments.stack, world).await?;
    let ledger = stack.ledger(world).await?;
    let inventory = inventory::take(&stack.desired, &ledger, &stack.reader, CONCURRENCY).await;
    let mut attributes = BTreeMap::new();
    for (logical_id, reading) in inventory.readings {
        match reading {
            Reading::Live(live) => {
                attributes.insert(logical_id, live.attributes);
            }
            Reading::Absent => {}
            Reading::Unreadable(error) => return Err(error.into()),
        }
    }
    let secrets = if arguments.reveal { Secrets::Revealed } else { Secrets::Masked };
    let outputs = outputs(&stack.desired, &attributes, secrets);
    match &arguments.name {
        Some(name) => {
            let known = || outputs.keys().map(|name| format!("`{name}`")).collect();
            let value =
                outputs.get(name).ok_or_else(|| CliError::UnknownOutput { name: name.clone(), known: known() })?;
            view::output(world, value, arguments.format)?;
        }
        None => view::outputs(world, &outputs, arguments.format)?,
    }
    Ok(Exit::Done)
}
