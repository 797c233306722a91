//! `paystack policy`: the IAM policy that deploying the template needs.

use crate::cli::arguments::PolicyArguments;
use crate::cli::stack::running;
use crate::cli::{CliError, Exit, World, view};
use crate::deployer;

pub async fn policy(arguments: &PolicyArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = running(&arguments.stack, world).await?;
    let policy = deployer::policy(&stack.desired, stack.state_table.as_ref());
    let Some(part) = arguments.part else {
        view::policy(world, &policy)?;
        return Ok(Exit::Done);
    };
    let parts = deployer::parts(&policy);
    let Some(chosen) = parts.get(usize::from(part.get() - 1)) else {
        return Err(CliError::NoSuchPart { part, parts: parts.len() });
    };
    view::policy(world, chosen)?;
    Ok(Exit::Done)
}
