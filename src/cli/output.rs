//! `paystack output`: the outputs of a stack, from what is live.

use crate::cli::apply::{Secrets, outputs};
use crate::cli::arguments::OutputArguments;
use crate::cli::stack::{attributes, open};
use crate::cli::{CliError, Exit, World, view};

pub async fn output(arguments: &OutputArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = open(&arguments.stack, world).await?;
    let attributes = attributes(&stack.desired, &stack.ledger(world).await?, &stack.reader).await?;
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
