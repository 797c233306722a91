//! `paystack validate`: everything that can be said of a template without asking AWS.

use crate::cli::arguments::StackArguments;
use crate::cli::{CliError, Exit, World, stack, view};

pub fn validate(arguments: &StackArguments, world: &mut World) -> Result<Exit, CliError> {
    let checked = stack::read(arguments, world)?;
    let resources = view::count(checked.resources, "resource");
    writeln!(world.out, "The template of the stack `{}` is valid: {resources}.", checked.stack)?;
    Ok(Exit::Done)
}
