//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::view::Detail;

/// Plans and applies CloudFormation templates straight against live AWS.
#[derive(Debug, Parser)]
#[command(name = "paystack", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what would change.
    Plan(PlanArguments),
    /// Show a plan that was kept with `plan --out`, without asking AWS.
    Show(ShowArguments),
    /// Make AWS as the template says.
    Apply(ApplyArguments),
    /// Delete everything that belongs to the stack.
    Destroy(DestroyArguments),
    /// Check template and parameters without asking AWS.
    Validate(StackArguments),
    /// Show the outputs of the stack.
    Output(OutputArguments),
    /// Look at what is remembered of the stack, or change that. AWS itself is not touched.
    State {
        #[command(subcommand)]
        command: StateCommand,
    },
    /// Run the emulator that `--local` uses: AWS on this machine, without an account.
    Local {
        #[command(subcommand)]
        command: LocalCommand,
    },
}

/// Which stack, and with what.
#[derive(Debug, Clone, Args)]
pub struct StackArguments {
    /// The environment of paystack.toml; without it, the project's default.
    #[arg(short, long, value_name = "ENV")]
    pub environment: Option<String>,
    /// A parameter of the template, over the environment's.
    #[arg(short, long = "parameter", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub parameters: Vec<(String, String)>,
    /// The project file; without it, the nearest paystack.toml upwards.
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    pub project: Option<PathBuf>,
    /// A template without a project.
    #[arg(long, value_name = "FILE", requires = "stack")]
    pub template: Option<PathBuf>,
    /// The name of the stack that `--template` is for.
    #[arg(long, value_name = "NAME", requires = "template")]
    pub stack: Option<String>,
    /// Use the emulator on this machine; it is installed and started when it is not there.
    #[arg(long)]
    pub local: bool,
}

#[derive(Debug, Clone, Args)]
pub struct PlanningArguments {
    /// Take over a resource that exists and that paystack did not make.
    #[arg(long, value_name = "ID")]
    pub adopt: Vec<String>,
    /// Replace a resource though nothing forces it.
    #[arg(long, value_name = "ID")]
    pub replace: Vec<String>,
    /// Plan only this resource and what it needs.
    #[arg(long = "target", value_name = "ID")]
    pub targets: Vec<String>,
    /// Look only for what somebody else changed since the last apply; to apply that is to accept it.
    #[arg(long, conflicts_with_all = ["adopt", "replace"])]
    pub refresh_only: bool,
    /// Show all properties of what is created or changed.
    #[arg(long)]
    pub full: bool,
    /// How many resources are read or changed at once.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
}

/// What to do where another paystack works on the stack.
#[derive(Debug, Clone, Copy, Args)]
pub struct LockArguments {
    /// How long to wait for another paystack that works on the same stack.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub lock_timeout: u32,
}

#[derive(Debug, Clone, Args)]
pub struct PlanArguments {
    #[command(flatten)]
    pub stack: StackArguments,
    #[command(flatten)]
    pub planning: PlanningArguments,
    /// How the plan is shown.
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
    /// Keep the plan in a file, for `paystack apply FILE`.
    #[arg(long, value_name = "FILE", conflicts_with = "refresh_only")]
    pub out: Option<PathBuf>,
    /// Plan the deletion of everything.
    #[arg(long, conflicts_with_all = ["adopt", "replace", "targets", "refresh_only"])]
    pub destroy: bool,
    /// Exit with 2 when there is something to do.
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ShowArguments {
    /// The file that `paystack plan --out` has written.
    pub file: PathBuf,
    /// How the plan is shown.
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
    /// Show all properties of what is created or changed.
    #[arg(long)]
    pub full: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ApplyArguments {
    /// A plan that `paystack plan --out` has kept: exactly that is done, without asking.
    #[arg(value_name = "PLANFILE", conflicts_with_all = [
        "environment", "local", "adopt", "replace", "targets", "refresh_only",
    ])]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub stack: StackArguments,
    #[command(flatten)]
    pub planning: PlanningArguments,
    #[command(flatten)]
    pub lock: LockArguments,
    /// How plan and result are shown.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
}

#[derive(Debug, Clone, Args)]
pub struct DestroyArguments {
    #[command(flatten)]
    pub stack: StackArguments,
    #[command(flatten)]
    pub lock: LockArguments,
    /// How plan and result are shown.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How many resources are read or deleted at once.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// How long to watch, when all is deleted, for log groups that late logs of functions and API stages bring back: they
    /// are deleted again. [default: 60; 0 at an endpoint of one's own, which is an emulator's]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub watch_logs: Option<u16>,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
}

#[derive(Debug, Clone, Args)]
pub struct OutputArguments {
    #[command(flatten)]
    pub stack: StackArguments,
    /// One output, its bare value.
    pub name: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Show what a secret goes into, too.
    #[arg(long)]
    pub reveal: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub enum StateCommand {
    /// List the resources that are remembered.
    List(StateArguments),
    /// Show what is remembered of one resource.
    Show {
        /// Its logical id.
        id: String,
        #[command(flatten)]
        state: StateArguments,
    },
    /// Forget one resource. It stays in AWS as it is.
    Forget {
        /// Its logical id.
        id: String,
        #[command(flatten)]
        state: StateArguments,
        #[command(flatten)]
        lock: LockArguments,
    },
    /// Break the lock of a run that is dead. A lock that is a file needs no breaking.
    Unlock {
        #[command(flatten)]
        stack: StackArguments,
        /// Do not ask.
        #[arg(long, visible_alias = "auto-approve")]
        force: bool,
    },
    /// List the runs that changed something.
    History(StateArguments),
}

#[derive(Debug, Clone, Args)]
pub struct StateArguments {
    #[command(flatten)]
    pub stack: StackArguments,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Clone, Subcommand)]
pub enum LocalCommand {
    /// Start the emulator; the first time, install it.
    Start {
        #[arg(long, default_value_t = crate::local::DEFAULT_PORT)]
        port: u16,
    },
    /// Stop the emulator. What it held is gone.
    Stop,
    /// Say whether the emulator runs, and where.
    Status,
    /// Print the environment variables with which other AWS tools reach the emulator.
    Env,
}

/// How output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// How a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    Text,
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// One page with a picture of what waits for what.
    Html,
}

impl PlanningArguments {
    pub fn detail(&self) -> Detail {
        Detail::of(self.full)
    }
}

impl From<Format> for PlanFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
        }
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}
