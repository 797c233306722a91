//! `paystack show`: shows a plan that `plan --out` has kept, without asking AWS.

use crate::cli::arguments::ShowArguments;
use crate::cli::{CliError, Exit, World, saved, view};

pub fn show(arguments: &ShowArguments, world: &mut World) -> Result<Exit, CliError> {
    let saved = saved::load(&arguments.file, world)?;
    view::plan(world, &saved.plan, arguments.format, view::Detail::of(arguments.full))?;
    let at = saved.at.strftime("%Y-%m-%d %H:%M:%S UTC");
    writeln!(world.err, "Made at {at}: `paystack apply {}` does exactly that.", arguments.file.display())?;
    Ok(Exit::Done)
}
