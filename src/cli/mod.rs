//! The command line: one file a command. Only what is in here, and `main`, prints.

mod apply;
mod arguments;
mod destroy;
mod error;
mod local;
mod output;
mod plan;
mod stack;
mod validate;
pub mod view;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use crate::aws::clock::Clock;

pub use arguments::{Arguments, Command};
pub use error::CliError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    /// With `--detailed-exitcode`: there is something to do.
    Changes,
    Interrupted,
}

/// What a command knows of the machine it runs on: all that is not its arguments.
pub struct World {
    pub directory: PathBuf,
    pub variable: fn(&str) -> Option<OsString>,
    pub clock: Arc<dyn Clock>,
    /// Random, for secrets' digests.
    pub salt: String,
    /// Who runs this: user and host.
    pub caller: String,
    pub out: Box<dyn Write>,
    pub err: Box<dyn Write>,
    pub is_coloured: bool,
}

impl World {
    /// Whether somebody can be asked.
    fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal()
    }

    /// Where installed layers and the emulator are kept.
    fn cache(&self) -> PathBuf {
        let home = || (self.variable)("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let cache = (self.variable)("XDG_CACHE_HOME").filter(|it| !it.is_empty()).map(PathBuf::from);
        cache.or_else(home).unwrap_or_else(std::env::temp_dir).join("paystack")
    }
}

/// Runs a command.
///
/// # Errors
///
/// Whatever kept it from being done; what it did until then stands in its output.
pub async fn run(arguments: Arguments, world: &mut World) -> Result<Exit, CliError> {
    match arguments.command {
        Command::Plan(arguments) => plan::plan(&arguments, world).await,
        Command::Apply(arguments) => apply::apply(&arguments, world).await,
        Command::Destroy(arguments) => destroy::destroy(&arguments, world).await,
        Command::Validate(arguments) => validate::validate(&arguments, world),
        Command::Output(arguments) => output::output(&arguments, world).await,
        Command::Local { command } => local::local(&command, world),
    }
}
