//! What can be typed.

use std::num::NonZeroU8;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::{SignedDuration, Timestamp};

use crate::cli::capacity::CapacityArguments;
use crate::cli::evidence::EvidenceArguments;
use crate::cli::view::Detail;

/// How many resources are read or changed at once where nothing is said.
pub const CONCURRENCY: u16 = 16;

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
    Validate(ValidateArguments),
    /// Draw what waits for what, in the template or in a plan.
    Graph(GraphArguments),
    /// Show the outputs of the stack.
    Output(OutputArguments),
    /// Look at what is remembered of the stack, or change that. AWS itself is not touched.
    State {
        #[command(subcommand)]
        command: StateCommand,
    },
    /// Show what the functions write.
    Logs(LogsArguments),
    /// Run a function once.
    Invoke(InvokeArguments),
    /// Run a query that the template declares, and show its table.
    Query(QueryArguments),
    /// Apply again whenever the template or local code changes, in an environment of a developer's.
    Watch(WatchArguments),
    /// Send something through the deployed system and follow it from place to place.
    Smoke(SmokeArguments),
    /// Gather evidence for PCI DSS v4.0.1 from what is live.
    Evidence(EvidenceArguments),
    /// Say whether the template carries a load, hop by hop.
    Capacity(CapacityArguments),
    /// Show the permissions that deploying the template needs.
    Policy(PolicyArguments),
    /// Print what makes a shell complete paystack's commands.
    Completions {
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print a page of the manual, for `man -l -`.
    Man {
        /// The page of one command; without it, the first page.
        command: Option<String>,
    },
    /// Take over what another tool has deployed, without touching it.
    Migrate {
        #[command(subcommand)]
        command: MigrateCommand,
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
    /// A template without a project, or a cloud assembly of CDK's.
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// The name of the stack that `--template` is for, or one stack of a cloud assembly.
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    /// What `Fn::ImportValue` gives for a name, or `Fn::GetStackOutput` for `STACK.OUTPUT`.
    #[arg(long = "import", value_name = "NAME=VALUE", value_parser = key_and_value, allow_hyphen_values = true)]
    pub imports: Vec<(String, String)>,
    /// Leave out the types that paystack does not handle, and what refers to them; each is named.
    #[arg(long)]
    pub skip_unsupported: bool,
    /// Delete also what the template wants retained (`DeletionPolicy: Retain`); without it such a template is refused.
    #[arg(long)]
    pub delete_retained: bool,
    /// Use the emulator on this machine; it is installed and started when it is not there.
    #[arg(long)]
    pub local: bool,
}

/// A CDK app's stacks, in place of a project.
#[derive(Debug, Clone, Args)]
pub struct AssemblyArguments {
    /// A cloud assembly of CDK's, `cdk.out`: all its stacks, or the one that `--stack` names.
    #[arg(value_name = "ASSEMBLY", conflicts_with_all = ["template", "project", "environment", "app"])]
    pub assembly: Option<PathBuf>,
    #[command(flatten)]
    pub app: AppArguments,
}

/// How a CDK app is run.
#[derive(Debug, Clone, Default, Args)]
pub struct AppArguments {
    /// Run the CDK app of this directory first: `app` of cdk.json, or this command.
    #[arg(long, value_name = "COMMAND", num_args = 0..=1, require_equals = true, default_missing_value = "",
        conflicts_with_all = ["template", "project", "environment"])]
    pub app: Option<String>,
    /// A context value for the app, over those of cdk.json.
    #[arg(short = 'c', long = "context", value_name = "KEY=VALUE", value_parser = key_and_value, requires = "app")]
    pub context: Vec<(String, String)>,
}

#[derive(Debug, Clone, Args)]
pub struct ValidateArguments {
    #[command(flatten)]
    pub stack: StackArguments,
    #[command(flatten)]
    pub assembly: AssemblyArguments,
}

#[derive(Debug, Clone, Args)]
pub struct PlanningArguments {
    /// Take over a resource that exists and that paystack did not make.
    #[arg(long, value_name = "ID")]
    pub adopt: Vec<String>,
    /// Take over everything that exists under the template's names: what another tool has deployed from it.
    #[arg(long, conflicts_with_all = ["adopt", "refresh_only"])]
    pub adopt_all: bool,
    /// Replace a resource though nothing forces it.
    #[arg(long, value_name = "ID")]
    pub replace: Vec<String>,
    #[command(flatten)]
    pub deleting: DeletingArguments,
    /// Plan only this resource and what it needs.
    #[arg(long = "target", value_name = "ID")]
    pub targets: Vec<String>,
    /// Look only for what somebody else changed since the last apply; to apply that is to accept it.
    #[arg(long, conflicts_with_all = ["adopt", "replace", "delete_unmarked"])]
    pub refresh_only: bool,
    /// Show all properties of what is created or changed.
    #[arg(long)]
    pub full: bool,
    /// How many resources are changed at once; what waits for AWS does not count, and four times as many are read.
    #[arg(long, value_name = "N", default_value_t = CONCURRENCY, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
}

/// What may be deleted beside what AWS says is the stack's.
#[derive(Debug, Clone, Default, Args)]
pub struct DeletingArguments {
    /// Delete this resource that has left the template, though nothing in AWS says that it is the stack's: some types take no
    /// tags, and marks can get lost.
    #[arg(long, value_name = "ID")]
    pub delete_unmarked: Vec<String>,
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
    pub assembly: AssemblyArguments,
    #[command(flatten)]
    pub planning: PlanningArguments,
    /// How the plan is shown.
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
    /// Keep the plan in a file, for `paystack apply FILE`.
    #[arg(long, value_name = "FILE", conflicts_with = "refresh_only")]
    pub out: Option<PathBuf>,
    /// Plan the deletion of everything.
    #[arg(long, conflicts_with_all = ["adopt", "adopt_all", "replace", "targets", "refresh_only"])]
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
    /// A plan that `paystack plan --out` has kept: exactly that is done, without asking. Or a cloud assembly of CDK's, `cdk.out`.
    #[arg(value_name = "PLANFILE|ASSEMBLY", conflicts_with_all = ["environment", "app"])]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub app: AppArguments,
    #[command(flatten)]
    pub stack: StackArguments,
    #[command(flatten)]
    pub planning: PlanningArguments,
    #[command(flatten)]
    pub lock: LockArguments,
    /// How plan and result are shown.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write a trace of all tasks and calls, for Perfetto or `about:tracing` of Chrome.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
}

#[derive(Debug, Clone, Args)]
pub struct DestroyArguments {
    #[command(flatten)]
    pub stack: StackArguments,
    #[command(flatten)]
    pub assembly: AssemblyArguments,
    #[command(flatten)]
    pub lock: LockArguments,
    #[command(flatten)]
    pub deleting: DeletingArguments,
    /// How plan and result are shown.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How many resources are deleted at once; what waits for AWS does not count, and four times as many are read.
    #[arg(long, value_name = "N", default_value_t = CONCURRENCY, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// How long to watch, when all is deleted, for log groups that late logs of functions and API stages bring back: they
    /// are deleted again. [default: 60; 0 at an endpoint of one's own, which is an emulator's]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub watch_logs: Option<u16>,
    /// Write a trace of all tasks and calls, for Perfetto or `about:tracing` of Chrome.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
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

#[derive(Debug, Clone, Args)]
pub struct LogsArguments {
    /// The function, by its logical id or its name; without it, all of the stack's.
    pub function: Option<String>,
    #[command(flatten)]
    pub stack: StackArguments,
    /// From when on: so long ago (`30s`, `10m`, `2h`, `7d`), or a moment (`2026-11-25T19:00:00Z`).
    #[arg(long, value_name = "WHEN", default_value = "10m", value_parser = since)]
    pub since: Since,
    /// Go on with what is written from now on, until Ctrl-C.
    #[arg(long)]
    pub follow: bool,
    /// Only events that match a filter pattern of CloudWatch Logs, as `{ $.level = "ERROR" }`.
    #[arg(long, value_name = "PATTERN")]
    pub filter: Option<String>,
    /// How events are shown; in JSON, one on each line.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Clone, Args)]
pub struct InvokeArguments {
    /// The function, by its logical id or its name.
    pub function: String,
    /// What it is given, in JSON; without it, `{}`.
    #[arg(value_name = "JSON", conflicts_with = "file")]
    pub payload: Option<String>,
    #[command(flatten)]
    pub stack: StackArguments,
    /// A file with what it is given; `-` is the standard input.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Clone, Args)]
pub struct QueryArguments {
    /// The query, by its logical id or its name; without it, those that there are.
    pub name: Option<String>,
    #[command(flatten)]
    pub stack: StackArguments,
    /// From when on: so long ago (`30s`, `10m`, `2h`, `7d`), or a moment (`2026-11-25T19:00:00Z`).
    #[arg(long, value_name = "WHEN", default_value = "1h", value_parser = since)]
    pub since: Since,
    /// Replaces a word of the query.
    #[arg(long = "set", value_name = "WORD=TEXT", value_parser = key_and_value)]
    pub words: Vec<(String, String)>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Clone, Args)]
pub struct WatchArguments {
    #[command(flatten)]
    pub stack: StackArguments,
    #[command(flatten)]
    pub planning: PlanningArguments,
    #[command(flatten)]
    pub lock: LockArguments,
}

#[derive(Debug, Clone, Args)]
pub struct SmokeArguments {
    #[command(flatten)]
    pub stack: StackArguments,
    /// Send what fails, and follow it to the alert.
    #[arg(long, conflicts_with = "url")]
    pub failing: bool,
    /// Post to this address, as to a domain of one's own, instead of the output's.
    #[arg(long)]
    pub url: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Clone, Args)]
pub struct PolicyArguments {
    #[command(flatten)]
    pub stack: StackArguments,
    /// The IAM policy of whoever plans, applies and destroys the stack: no more than that takes.
    #[arg(long, required_unless_present = "functions")]
    pub deployer: bool,
    /// One of the several policies that a policy longer than a managed one may be makes, counted from 1.
    #[arg(long, value_name = "N", conflicts_with = "functions")]
    pub part: Option<NonZeroU8>,
    /// What the functions' code calls, as its sources say it, against what their roles grant: excess and missing.
    #[arg(long, conflicts_with = "deployer")]
    pub functions: bool,
    /// How the functions are shown; a policy is always JSON.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Clone, Subcommand)]
pub enum MigrateCommand {
    /// Take over a stack of CloudFormation's: write its template, plan, and mark its resources.
    Cloudformation(MigrateArguments),
    /// Take over what a state of Terraform's has deployed: write a template of what is live, plan, and mark it.
    Terraform(TerraformArguments),
}

#[derive(Debug, Clone, Args)]
pub struct MigrateArguments {
    /// The stack.
    #[arg(value_name = "STACK")]
    pub name: String,
    #[command(flatten)]
    pub take_over: TakeOverArguments,
}

#[derive(Debug, Clone, Args)]
pub struct TerraformArguments {
    /// The state: `terraform.tfstate`, or what `terraform state pull` or `terraform show -json` prints.
    #[arg(value_name = "STATEFILE")]
    pub state: PathBuf,
    /// The name of the stack from now on; without it, that of the state's directory.
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    /// Leave to Terraform what cannot be taken over.
    #[arg(long)]
    pub skip_unsupported: bool,
    #[command(flatten)]
    pub take_over: TakeOverArguments,
}

#[derive(Debug, Clone, Args)]
pub struct TakeOverArguments {
    /// Where template and packages are written to; without it, a directory of the stack's name. A template that is there
    /// already is used as it is.
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// A parameter of the template: one that CloudFormation does not tell, or another value.
    #[arg(short, long = "parameter", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub parameters: Vec<(String, String)>,
    /// The region of what is taken over.
    #[arg(long)]
    pub region: Option<String>,
    /// Use the emulator on this machine; it is installed and started when it is not there.
    #[arg(long)]
    pub local: bool,
    #[command(flatten)]
    pub lock: LockArguments,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
}

/// When to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    Ago(SignedDuration),
    At(Timestamp),
}

impl Since {
    pub fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(duration) => now.saturating_sub(duration).unwrap_or(Timestamp::UNIX_EPOCH),
            Self::At(moment) => moment,
        }
    }
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

#[derive(Debug, Clone, Args)]
pub struct GraphArguments {
    #[command(flatten)]
    pub stack: StackArguments,
    /// Draw the plan, coloured by what it does, and not the template; this asks AWS.
    #[arg(long)]
    pub plan: bool,
    /// How the picture is written.
    #[arg(long, value_enum, default_value_t = GraphFormat::Dot)]
    pub format: GraphFormat,
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

    /// What names resources of one stack, and whether it is given.
    pub fn of_one_stack(&self) -> [(&'static str, bool); 4] {
        let Self { adopt, replace, deleting, targets, .. } = self;
        let [delete_unmarked] = deleting.of_one_stack();
        let target = ("--target", !targets.is_empty());
        [("--adopt", !adopt.is_empty()), ("--replace", !replace.is_empty()), delete_unmarked, target]
    }
}

impl DeletingArguments {
    /// What names resources of one stack, and whether it is given.
    pub fn of_one_stack(&self) -> [(&'static str, bool); 1] {
        [("--delete-unmarked", !self.delete_unmarked.is_empty())]
    }
}

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz.
    Dot,
    /// For Markdown on GitHub and elsewhere.
    Mermaid,
    /// A picture that every browser shows.
    Svg,
}

impl From<Format> for PlanFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
        }
    }
}

fn since(text: &str) -> Result<Since, String> {
    let wrong = || format!("`{text}` is neither a time as `10m` nor a moment as `2026-11-25T19:00:00Z`");
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(Since::At(moment));
    }
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Since::Ago(SignedDuration::from_secs(i64::from(number) * seconds)))
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_so_long_ago_or_a_moment() {
        let now: Timestamp = "2026-11-25T19:40:00Z".parse().expect("a moment");
        let begins = |text: &str| since(text).map(|since| since.moment(now).to_string());
        assert_eq!(begins("10m").as_deref(), Ok("2026-11-25T19:30:00Z"));
        assert_eq!(begins("2d").as_deref(), Ok("2026-11-23T19:40:00Z"));
        assert_eq!(begins("2026-11-25T00:00:00+01:00").as_deref(), Ok("2026-11-24T23:00:00Z"));
        for wrong in ["", "10", "m", "-3m", "yesterday", "10\u{e4}"] {
            assert!(begins(wrong).is_err(), "{wrong}");
        }
    }
}
