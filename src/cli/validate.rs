//! `paystack validate`: everything that can be said of a template without asking AWS.

use crate::cli::arguments::StackArguments;
use crate::cli::{CliError, Exit, World, rules, stack, view};

pub fn validate(arguments: &StackArguments, world: &mut World) -> Result<Exit, CliError> {
    let checked = stack::read(arguments, world)?;
    let findings = checked.findings(world)?;
    rules::refuse_findings(&findings, &checked.source)?;
    view::broken_rules(world, &findings, &checked.source)?;
    let resources = view::count(checked.resources, "resource");
    writeln!(world.out, "The template of the stack `{}` is valid: {resources}.", checked.stack)?;
    Ok(Exit::Done)
}
