//! `paystack policy`: the IAM policy that deploying the template needs.

use crate::cli::arguments::PolicyArguments;
use crate::cli::stack::running;
use crate::cli::{CliError, Exit, World, view};
use crate::deployer;

pub async fn policy(arguments: &PolicyArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = running(&arguments.stack, world).await?;
    view::policy(world, &deployer::policy(&stack.desired))?;
    Ok(Exit::Done)
}
