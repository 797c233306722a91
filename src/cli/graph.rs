//! `paystack graph`: draws what waits for what.

use crate::cli::arguments::{CONCURRENCY, GraphArguments};
use crate::cli::plan::make;
use crate::cli::stack::{self, open};
use crate::cli::view::graph::Picture;
use crate::cli::{CliError, Exit, World, view};
use crate::plan::Options;
use crate::plan::saved::Goal;

pub async fn graph(arguments: &GraphArguments, world: &mut World) -> Result<Exit, CliError> {
    let picture = if arguments.plan {
        let stack = open(&arguments.stack, world).await?;
        let ledger = stack.ledger(world).await?;
        let plan = make(Goal::Template, &Options::default(), &stack, &ledger, CONCURRENCY).await?;
        Picture::of_plan(&plan, Some(&stack.desired))
    } else {
        let checked = stack::read(&arguments.stack, world)?;
        Picture::of_template(&checked.anywhere(world)?)
    };
    view::picture(world, &picture, arguments.format)?;
    Ok(Exit::Done)
}
