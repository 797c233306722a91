//! `paystack logs`: what the functions of a stack have written, and what they write from now on.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws::operate::LogFollower;
use crate::cli::arguments::LogsArguments;
use crate::cli::stack::running;
use crate::cli::{CliError, Exit, World, named, view};

/// How long a follower waits between two looks.
const PAUSE: Duration = Duration::from_secs(2);

pub async fn logs(arguments: &LogsArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = running(&arguments.stack, world).await?;
    let functions = match &arguments.function {
        Some(word) => vec![named::function(&stack.desired, word)?],
        None => named::functions(&stack.desired),
    };
    // Several functions may write into one group: then it is called by its own name.
    let mut writers: BTreeMap<String, String> = BTreeMap::new();
    for function in functions {
        let shared = function.log_group.clone();
        writers.entry(function.log_group).and_modify(|it| *it = shared).or_insert(function.logical_id.to_string());
    }
    let since = arguments.since.moment(world.clock.now());
    let mut follower = LogFollower::new(writers.keys().cloned(), since, arguments.filter.clone());
    loop {
        for event in follower.look(&stack.cx).await? {
            let writer = writers.get(&event.log_group).map_or("", String::as_str);
            view::log_event(world, &event, writer, arguments.format)?;
        }
        if !arguments.follow {
            return Ok(Exit::Done);
        }
        world.out.flush()?;
        world.clock.sleep(PAUSE).await;
    }
}
