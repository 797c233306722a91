//! `paystack local`, and what `--local` does: the emulator on this machine.

use crate::aws::{LocalAccount, Target};
use crate::cli::arguments::LocalCommand;
use crate::cli::{CliError, Exit, World};
use crate::local::{self, DEFAULT_PORT, Instance, LocalSettings, Running, Stopped};
use crate::state::Place;

/// The account that the emulator is used with when the user names none.
const ACCOUNT: &str = "000000000000";
const REGION: &str = "us-east-1";

pub fn local(command: &LocalCommand, world: &mut World) -> Result<Exit, CliError> {
    match command {
        LocalCommand::Start { port } => {
            let running = start(*port, world)?;
            writeln!(world.out, "The emulator runs at {} (process {}).", running.endpoint(), running.pid)?;
        }
        LocalCommand::Stop => match local::stop(&settings(world)?, Instance::of_user(DEFAULT_PORT), &mut |_| {})? {
            Stopped::Now(running) => writeln!(world.out, "The emulator at {} is stopped.", running.endpoint())?,
            Stopped::Before => writeln!(world.out, "The emulator does not run.")?,
        },
        LocalCommand::Status => match status(world)? {
            Some(running) => {
                writeln!(world.out, "The emulator runs at {} (process {}).", running.endpoint(), running.pid)?
            }
            None => writeln!(world.out, "The emulator does not run; `paystack local start` starts it.")?,
        },
        LocalCommand::Env => {
            let running = match status(world)? {
                Some(running) => running,
                None => start(DEFAULT_PORT, world)?,
            };
            for (name, value) in running.variables(ACCOUNT) {
                writeln!(world.out, "export {name}={value}")?;
            }
        }
    }
    Ok(Exit::Done)
}

/// Where stacks are with `--local`.
pub fn place() -> Place {
    Place { account_id: ACCOUNT.to_owned(), region: REGION.to_owned() }
}

/// The running emulator, started where it does not run, as a place to deploy to.
pub fn target(world: &mut World) -> Result<Target, CliError> {
    let running = match status(world)? {
        Some(running) => running,
        None => start(DEFAULT_PORT, world)?,
    };
    Ok(Target {
        region: Some(REGION.to_owned()),
        local: Some(LocalAccount { endpoint: running.endpoint(), account_id: ACCOUNT.to_owned() }),
        ..Target::default()
    })
}

fn status(world: &World) -> Result<Option<Running>, CliError> {
    Ok(local::status(&settings(world)?, Instance::of_user(DEFAULT_PORT)))
}

fn start(port: u16, world: &mut World) -> Result<Running, CliError> {
    let settings = settings(world)?;
    let err = &mut world.err;
    let mut tell = |progress: local::Progress| {
        // What is told on the way is not worth failing for.
        let _ = writeln!(err, "{progress}");
    };
    Ok(local::start(&settings, Instance::of_user(port), &mut tell)?)
}

fn settings(world: &World) -> Result<LocalSettings, CliError> {
    let settings = LocalSettings::from_variables(world.variable, world.sleep)?;
    Ok(LocalSettings { children: world.interrupts.children.clone(), ..settings })
}
