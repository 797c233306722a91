//! `paystack invoke`: runs a function of the stack once, and shows what it answers and writes.

use std::io::Read;

use crate::aws::operate;
use crate::cli::arguments::InvokeArguments;
use crate::cli::stack::running;
use crate::cli::{CliError, Exit, World, named, view};
use crate::text_file;

/// More than Lambda takes ("Lambda quotas").
const LONGEST_BYTES: u64 = 8 * 1024 * 1024;

pub async fn invoke(arguments: &InvokeArguments, world: &mut World) -> Result<Exit, CliError> {
    let payload = payload(arguments, world)?;
    let stack = running(&arguments.stack, world).await?;
    let function = named::function(&stack.desired, &arguments.function)?;
    let invocation = operate::invoke(&stack.cx, &function.name, payload.as_bytes()).await?;
    view::invocation(world, &invocation, arguments.format)?;
    Ok(if invocation.error.is_some() { Exit::Failed } else { Exit::Done })
}

/// What the function is given: JSON, found out before anything is asked of AWS.
fn payload(arguments: &InvokeArguments, world: &mut World) -> Result<String, CliError> {
    let (from, read) = match (&arguments.payload, &arguments.file) {
        (None, None) => return Ok("{}".to_owned()),
        (Some(text), _) => ("the argument".to_owned(), Ok(text.clone())),
        (None, Some(file)) if file.as_os_str() == "-" => {
            let mut text = String::new();
            let read = (&mut world.input).take(LONGEST_BYTES).read_to_string(&mut text);
            ("the standard input".to_owned(), read.map(|_| text))
        }
        (None, Some(file)) => {
            (format!("`{}`", file.display()), text_file::read(&world.directory.join(file), LONGEST_BYTES))
        }
    };
    let text = match read {
        Ok(text) => text,
        Err(source) => return Err(CliError::UnreadablePayload { from, source }),
    };
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(source) => Err(CliError::NotJson { from, source }),
    }
}
