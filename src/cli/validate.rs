//! `paystack validate`: everything that can be said of a template without asking AWS.

use crate::cli::arguments::{StackArguments, ValidateArguments};
use crate::cli::assembly::{self, Others};
use crate::cli::{CliError, Exit, World, rules, stack, view};

pub async fn validate(arguments: &ValidateArguments, world: &mut World) -> Result<Exit, CliError> {
    let ValidateArguments { stack, assembly } = arguments;
    let stacks = assembly::chosen(stack, assembly.assembly.as_deref(), &assembly.app, world)?;
    assembly::each(stacks, Others::GoOn, world, async |stack, world| one(&stack.arguments, world)).await
}

fn one(arguments: &StackArguments, world: &mut World) -> Result<Exit, CliError> {
    let checked = stack::read(arguments, world)?;
    let findings = checked.findings(world)?;
    rules::refuse_findings(&findings, &checked.source)?;
    view::broken_rules(world, &findings, &checked.source)?;
    let resources = view::count(checked.resources, "resource");
    writeln!(world.out, "The template of the stack `{}` is valid: {resources}.", checked.stack)?;
    Ok(Exit::Done)
}
