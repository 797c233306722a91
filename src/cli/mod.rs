//! The command line: one file a command. Only what is in here, and `main`, prints.

mod apply;
mod arguments;
mod assembly;
mod capacity;
mod destroy;
mod documents;
mod error;
mod evidence;
mod graph;
mod imports;
mod invoke;
mod late_logs;
mod local;
mod logs;
mod manual;
mod migrate;
mod named;
mod output;
mod plan;
mod policy;
mod query;
mod refresh;
mod rules;
mod saved;
mod show;
mod smoke;
mod stack;
mod state;
mod validate;
pub mod view;
mod watch;

use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::aws::clock::Clock;
use crate::interrupt::Interrupts;

pub use arguments::{Arguments, Command};
pub use error::CliError;
pub use rules::GUARD_ENGINE;

/// How a command ended.
///
/// The later, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Done,
    /// With `--detailed-exitcode`: there is something to do.
    Changes,
    Failed,
    Interrupted,
}

/// What a command knows of the machine it runs on: all that is not its arguments.
pub struct World {
    /// Paystack's own.
    pub program: PathBuf,
    pub directory: PathBuf,
    /// Where files go that nobody keeps.
    pub temporary: PathBuf,
    pub variable: fn(&str) -> Option<OsString>,
    pub clock: Arc<dyn Clock>,
    /// Lets time pass where nothing else is going on.
    pub sleep: fn(Duration),
    /// Random, for secrets' digests.
    pub salt: String,
    /// Who runs this: user and host.
    pub caller: String,
    pub input: Box<dyn BufRead + Send>,
    /// Whether somebody sits at the other end of `input`.
    pub can_ask: bool,
    pub out: Box<dyn Write>,
    pub err: Box<dyn Write>,
    pub is_coloured: bool,
    pub interrupts: Interrupts,
    /// Where `out` is a terminal on which lines can be drawn over.
    pub terminal: Option<view::Terminal>,
}

impl World {
    /// Where installed layers and the emulator are kept.
    fn cache(&self) -> PathBuf {
        let home = || (self.variable)("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let cache = (self.variable)("XDG_CACHE_HOME").filter(|it| !it.is_empty()).map(PathBuf::from);
        cache.or_else(home).unwrap_or_else(|| self.temporary.clone()).join("paystack")
    }
}

/// Runs a command.
///
/// # Errors
///
/// Whatever kept it from being done; what it did until then stands in its output.
pub async fn run(arguments: Arguments, world: &mut World) -> Result<Exit, CliError> {
    let ended = match arguments.command {
        Command::Plan(arguments) => plan::plan(&arguments, world).await,
        Command::Show(arguments) => show::show(&arguments, world),
        Command::Apply(arguments) => apply::apply(&arguments, world).await,
        Command::Destroy(arguments) => destroy::destroy(&arguments, world).await,
        Command::Validate(arguments) => validate::validate(&arguments, world).await,
        Command::Graph(arguments) => graph::graph(&arguments, world).await,
        Command::Output(arguments) => output::output(&arguments, world).await,
        Command::State { command } => state::state(&command, world).await,
        Command::Logs(arguments) => logs::logs(&arguments, world).await,
        Command::Invoke(arguments) => invoke::invoke(&arguments, world).await,
        Command::Query(arguments) => query::query(&arguments, world).await,
        Command::Watch(arguments) => watch::watch(&arguments, world).await,
        Command::Smoke(arguments) => smoke::smoke(&arguments, world).await,
        Command::Evidence(arguments) => evidence::show(&arguments, world).await,
        Command::Capacity(arguments) => capacity::show(&arguments, world).await,
        Command::Policy(arguments) => policy::policy(&arguments, world).await,
        Command::Completions { shell } => manual::completions(shell, world),
        Command::Man { command } => manual::man(command.as_deref(), world),
        Command::Local { command } => local::local(&command, world),
        Command::Migrate { command } => migrate::migrate(&command, world).await,
    };
    match ended {
        Err(CliError::Interrupted) => Ok(Exit::Interrupted),
        // What an interruption has broken off, a pip for example, is no mistake to be told of.
        Err(_) if world.interrupts.is_leaving() => Ok(Exit::Interrupted),
        ended => ended,
    }
}
