//! `paystack state`: what is remembered of a stack. Nothing here asks AWS for anything but the ledger, where that is there, and
//! whose account it is, where several are remembered.

use crate::cli::arguments::{LockArguments, StackArguments, StateArguments, StateCommand};
use crate::cli::stack::{Remembered, locked, remembered};
use crate::cli::{CliError, Exit, World, view};
use crate::diagnostic::nearest;
use crate::identity::LogicalId;
use crate::state::{Holding, Ledger, Lock, Record};
use crate::visible::on_its_line;

pub async fn state(command: &StateCommand, world: &mut World) -> Result<Exit, CliError> {
    match command {
        StateCommand::List(arguments) => list(arguments, world).await,
        StateCommand::Show { id, state } => show(id, state, world).await,
        StateCommand::Forget { id, state, lock } => forget(id, state, *lock, world).await,
        StateCommand::Unlock { stack, force } => unlock(stack, *force, world).await,
        StateCommand::History(arguments) => history(arguments, world).await,
    }
}

async fn list(arguments: &StateArguments, world: &mut World) -> Result<Exit, CliError> {
    let ledger = load(&remembered(&arguments.stack, world).await?, world).await?;
    view::remembered(world, &ledger.shown(), arguments.format)?;
    Ok(Exit::Done)
}

async fn show(id: &str, arguments: &StateArguments, world: &mut World) -> Result<Exit, CliError> {
    let ledger = load(&remembered(&arguments.stack, world).await?, world).await?;
    let (id, record) = find(&ledger, id)?;
    view::record(world, &ledger, &record.shown(id), arguments.format)?;
    Ok(Exit::Done)
}

async fn history(arguments: &StateArguments, world: &mut World) -> Result<Exit, CliError> {
    let ledger = load(&remembered(&arguments.stack, world).await?, world).await?;
    view::history(world, &ledger.shown(), arguments.format)?;
    Ok(Exit::Done)
}

async fn forget(
    id: &str,
    arguments: &StateArguments,
    lock: LockArguments,
    world: &mut World,
) -> Result<Exit, CliError> {
    let stack = remembered(&arguments.stack, world).await?;
    // Looking first takes no lock, and makes no table, for what is not there.
    find(&load(&stack, world).await?, id)?;
    let work = async |lock: &dyn Lock, world: &mut World| {
        let mut ledger = load(&stack, world).await?;
        let shown = {
            let (id, record) = find(&ledger, id)?;
            record.shown(id)
        };
        ledger.resources.remove(&shown.logical_id);
        lock.save(&mut ledger).await?;
        view::forgotten(world, &ledger, &shown, arguments.format)?;
        Ok(Exit::Done)
    };
    locked("state forget", stack.ledgers.as_ref(), &stack.stack, lock, world, work).await
}

async fn unlock(arguments: &StackArguments, force: bool, world: &mut World) -> Result<Exit, CliError> {
    let Remembered { stack, ledgers } = remembered(arguments, world).await?;
    let (holder, token) = match ledgers.holding(&stack).await? {
        Holding::Nobody => {
            writeln!(world.out, "The stack `{stack}` is not locked.")?;
            return Ok(Exit::Done);
        }
        Holding::Process(holder) => return Err(CliError::Unbreakable { stack, holder }),
        Holding::Lease { holder, token } => (holder, token),
    };
    writeln!(world.err, "The stack `{stack}` is locked: {}.", on_its_line(&holder.to_string()))?;
    if !force && !ask(world)? {
        return Ok(Exit::Failed);
    }
    ledgers.break_lease(&stack, &token).await?;
    writeln!(world.out, "The lock is broken. Whoever had it can write nothing to the ledger any more.")?;
    Ok(Exit::Done)
}

fn ask(world: &mut World) -> Result<bool, CliError> {
    if !world.can_ask {
        return Err(CliError::CannotAsk { command: "state unlock" });
    }
    write!(world.err, "Is that run dead, and do you want to break its lock? Only `yes` is taken for it: ")?;
    world.err.flush()?;
    let mut answer = String::new();
    world.input.read_line(&mut answer)?;
    let is_approved = answer.trim() == "yes";
    if !is_approved {
        writeln!(world.err, "The lock stays.")?;
    }
    Ok(is_approved)
}

async fn load(stack: &Remembered, world: &World) -> Result<Ledger, CliError> {
    Ok(stack.ledgers.load(&stack.stack, &world.salt).await?)
}

fn find<'a>(ledger: &'a Ledger, id: &str) -> Result<(&'a LogicalId, &'a Record), CliError> {
    ledger.resources.get_key_value(&LogicalId::from(id)).ok_or_else(|| CliError::NotRemembered {
        name: id.to_owned(),
        stack: ledger.stack.clone(),
        help: nearest(id, ledger.resources.keys().map(LogicalId::as_str))
            .map(|nearest| format!("did you mean `{nearest}`?")),
    })
}
