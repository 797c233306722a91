//! Everything that can keep a command from being done, as people are shown it.

use std::error::Error;
use std::io::ErrorKind;

use crate::assembly::AssemblyError;
use crate::aws::error::AwsError;
use crate::cli::saved::SavedPlanError;
use crate::cli::view;
use crate::diagnostic::{self, Diagnostic, Severity, Source, Style};
use crate::identity::StackId;
use crate::local::LocalError;
use crate::migrate::terraform::{StateError, Unsupported};
use crate::policy::PolicyError;
use crate::project::ProjectError;
use crate::sam::SamError;
use crate::state::{Holder, LedgerError};
use crate::visible::visible;

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The template has mistakes: shown by their places.
    #[error("{} in `{}`", count(.findings), .source_file.path.display())]
    Template { source_file: Box<Source>, findings: Vec<Diagnostic> },
    /// The template breaks rules of the project's: shown by their places.
    #[error("{} in `{}`", broken(.findings), .source_file.path.display())]
    BreaksRules { source_file: Box<Source>, findings: Vec<Diagnostic> },
    #[error("failed to read the Guard rules `{path}`")]
    UnreadableRules {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("failed to read the report `{path}`")]
    UnreadableReport {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{path}` is no report that `paystack evidence --format json` has written")]
    NoReport {
        path: std::path::PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("failed to read the template `{path}`")]
    UnreadableTemplate {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Sam(#[from] SamError),
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    #[error("`--template` needs the name of the stack")]
    NoStackName,
    #[error("`--stack` is for a template or a cloud assembly")]
    NoTemplate,
    #[error("the stack `{stack}` is for the account {wanted}, and the credentials are for {found}")]
    OtherAccount { stack: StackId, wanted: String, found: String },
    #[error("nothing gives {}, which the stack `{stack}` imports", quoted(.names))]
    NothingExports { stack: StackId, names: Vec<String> },
    #[error("{} is not there yet, which the stack `{stack}` imports", quoted(.names))]
    NotExported { stack: StackId, names: Vec<String> },
    #[error("the stack `{stack}` is protected from being deleted")]
    Protected { stack: String },
    #[error("`{option}` is for one stack, and there are several")]
    OneStackOnly { option: &'static str },
    #[error("`{option}` is not for a plan that is kept")]
    NotForPlan { option: &'static str },
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Local(#[from] LocalError),
    #[error("there is no part {part}: the policy makes {parts} in all")]
    NoSuchPart { part: std::num::NonZeroU8, parts: usize },
    #[error("failed to write the trace `{path}`")]
    UnwrittenTrace {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("failed to write the output")]
    Output(#[from] std::io::Error),
    #[error("the plan has blocked entries: nothing was changed")]
    Blocked,
    /// It has been told already.
    #[error("interrupted")]
    Interrupted,
    #[error("there is no terminal to ask on")]
    CannotAsk { command: &'static str },
    #[error(transparent)]
    SavedPlan(#[from] SavedPlanError),
    #[error("nothing is remembered of the stack `{stack}`: what was applied last is not known")]
    NothingRemembered { stack: StackId },
    #[error("nothing is remembered of `{name}` in the stack `{stack}`")]
    NotRemembered { name: String, stack: StackId, help: Option<String> },
    #[error("the lock of the stack `{stack}` is not one that can be broken: {}", process(.holder.as_ref()))]
    Unbreakable { stack: StackId, holder: Option<Holder> },
    #[error("`{name}` is no resource of the stack")]
    UnknownTarget { name: String, help: Option<String> },
    #[error("`{name}` is no resource that goes: there is nothing of it to delete")]
    NotDeparted { name: String, help: Option<String> },
    #[error("`{name}` is no resource of the template")]
    UnknownResource { name: String, help: Option<String> },
    #[error("`PAYSTACK_API_RATES` is `{value}`")]
    UnknownRates { value: String },
    #[error("the stack has no {what} `{name}`")]
    NotInStack { what: &'static str, name: String, help: String },
    #[error("failed to read the payload from {from}")]
    UnreadablePayload {
        from: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the payload from {from} is not JSON")]
    NotJson {
        from: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("`{word}` is no word of the query")]
    NotInQuery { word: String },
    #[error("what `{word}` is set to holds a character that may end a text or a pattern of the query")]
    EndsText { word: String },
    #[error("the project says nothing of how to test the deployed system")]
    NoSmoke,
    #[error("the project says nothing of what fails")]
    NoFailing,
    #[error("{what} is not known: the stack is not deployed")]
    NotDeployed { what: String },
    #[error("{} is not for development", environment.as_ref().map_or("this stack".to_owned(), |name| format!("the environment `{name}`")))]
    NotForDevelopment { environment: Option<String> },
    #[error("there is no command `{name}`")]
    UnknownCommand { name: String, known: Vec<String> },
    #[error("CloudFormation does not tell what the parameter `{name}` of `{stack}` is")]
    SecretParameter { stack: String, name: String },
    #[error("not everything is as the template says: {resources} would be changed, and nothing was")]
    MigrationChanges { resources: String },
    #[error("the template of the stack cannot be written to `{path}`: it is none that paystack can read")]
    UnreadableMigration { path: std::path::PathBuf },
    #[error("failed to read the state `{path}`")]
    UnreadableState {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{path}` is no state of Terraform's")]
    NoTerraformState {
        path: std::path::PathBuf,
        #[source]
        source: StateError,
    },
    #[error("nothing in the state `{path}` can be taken over")]
    NothingToTakeOver { path: std::path::PathBuf },
    #[error("{} of the state cannot be taken over, and nothing was changed:{}", view::count(.unsupported.len(), "resource"), listed(.unsupported))]
    NotTakenOver { unsupported: Vec<Unsupported> },
    #[error("failed to write `{path}`")]
    Write {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the template has no output `{name}`")]
    UnknownOutput { name: String, known: Vec<String> },
}

fn count(findings: &[Diagnostic]) -> String {
    view::count(findings.iter().filter(|finding| finding.severity == Severity::Error).count(), "error")
}

fn broken(findings: &[Diagnostic]) -> String {
    let broken = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    format!("nothing is applied: a mandatory rule is broken {}", view::count(broken, "time"))
}

fn listed(unsupported: &[Unsupported]) -> String {
    unsupported.iter().map(|it| format!("\n  {}: {}", it.address, it.reason)).collect()
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn process(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "a running process holds it".to_owned(), |holder| format!("{holder} is running"))
}

impl CliError {
    /// The whole of it: what happened, its causes, and the way out.
    pub fn show(&self, style: Style) -> String {
        let mut text = String::new();
        if let Self::Template { source_file, findings } | Self::BreaksRules { source_file, findings } = self {
            text.push_str(diagnostic::render(findings, source_file, style).trim_end());
            text.push_str("\n\n");
        }
        text.push_str(&format!("error: {}\n", visible(&self.to_string())));
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(&format!("  caused by: {}\n", visible(&error.to_string())));
            cause = error.source();
        }
        if let Some(help) = self.help() {
            text.push_str(&format!("  help: {}\n", visible(&help)));
        }
        text
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::UnreadableTemplate { source, .. } if source.kind() == ErrorKind::InvalidData => {
                Some("a template is text in UTF-8: save it as that".to_owned())
            }
            Self::UnreadableTemplate { source, .. } if source.kind() == ErrorKind::FileTooLarge => Some(
                "CloudFormation takes no larger one either: move code and texts into files of their own, or split it"
                    .to_owned(),
            ),
            Self::UnreadableTemplate { .. } => {
                Some("`template` in paystack.toml, or `--template`, says which file it is".to_owned())
            }
            Self::BreaksRules { .. } => Some(
                "mend the template, or say in a resource's `Metadata` why a rule does not count there: docs/policies.md"
                    .to_owned(),
            ),
            Self::UnreadableRules { .. } => Some("`guard` under `[policy]` in paystack.toml names it".to_owned()),
            Self::Policy(error) => error.way_out(),
            Self::Project(error) => error.way_out(),
            Self::Assembly(error) => error.way_out(),
            Self::NoStackName => Some("name it with `--stack NAME`: it begins the names of resources".to_owned()),
            Self::NoTemplate => Some("leave it out: paystack.toml names the stack; or give `--template` too".to_owned()),
            Self::OtherAccount { .. } => Some("use credentials of that account".to_owned()),
            Self::NothingExports { names, .. } => Some(format!(
                "give it: `--import {}=VALUE`",
                names.first().map_or("NAME", String::as_str)
            )),
            Self::NotExported { .. } => Some("apply the stacks that it depends on first: `paystack apply ASSEMBLY` does all in order".to_owned()),
            Self::Protected { .. } => Some("take `termination_protection` out of the app, and write the assembly anew".to_owned()),
            Self::OneStackOnly { .. } => Some("name one with `--stack`".to_owned()),
            Self::NotForPlan { .. } => Some("leave it out: the plan says what is done".to_owned()),
            Self::Ledger(error) => error.way_out(),
            Self::Aws(error) => error.way_out(),
            Self::Blocked => Some("each blocked entry above says what to do".to_owned()),
            Self::CannotAsk { command: "state unlock" } => Some("run it with `--force`".to_owned()),
            Self::CannotAsk { command } => {
                Some(format!("look at the plan, then run `paystack {command} --auto-approve`"))
            }
            Self::SavedPlan(error) => error.way_out(),
            Self::NothingRemembered { .. } => {
                Some("`paystack plan` compares with the template; `paystack apply` begins to remember".to_owned())
            }
            Self::NotRemembered { help, .. } => {
                Some(help.clone().unwrap_or_else(|| "`paystack state list` lists what is remembered".to_owned()))
            }
            Self::Unbreakable { .. } => Some(
                "it is a file's, which the system frees as soon as that process has ended, however it ends: end it, or wait \
                 for it with `--lock-timeout SECONDS`"
                    .to_owned(),
            ),
            Self::UnknownTarget { help, .. } | Self::NotDeparted { help, .. } | Self::UnknownResource { help, .. } => {
                help.clone()
            }
            Self::UnknownRates { .. } => {
                Some("set it to `aws` to keep AWS's rates at an emulator too, or leave it out".to_owned())
            }
            Self::NotInStack { help, .. } => Some(help.clone()),
            Self::NotJson { .. } => Some(
                "a text is JSON with quotation marks around it; `--file FILE` reads a file, `--file -` the input"
                    .to_owned(),
            ),
            Self::NotInQuery { .. } => Some("`paystack query --format json` shows the queries' texts".to_owned()),
            Self::EndsText { .. } => Some("leave out quotation marks, `\\`, `|`, `/`, `#` and line ends".to_owned()),
            Self::NoSmoke => Some("add `[smoke]` to paystack.toml: docs/daily-work.md shows it".to_owned()),
            Self::NoFailing => Some("add `[smoke.failing]` to paystack.toml: docs/daily-work.md shows it".to_owned()),
            Self::NotDeployed { .. } => Some("run `paystack apply` first".to_owned()),
            Self::NotForDevelopment { environment } => {
                let name = environment.as_deref().unwrap_or("NAME");
                Some(format!(
                    "`watch` changes it without asking: set `development = true` under `[environments.{name}]` if that is fine"
                ))
            }
            Self::SecretParameter { name, .. } => Some(format!("give it with `-p {name}=VALUE`")),
            Self::MigrationChanges { .. } => Some(
                "write into the template what is deployed, as the plan above shows it, and run the same command again"
                    .to_owned(),
            ),
            Self::NoTerraformState { .. } => Some(
                "give `terraform.tfstate`; where it is elsewhere, what `terraform state pull` prints of it".to_owned(),
            ),
            Self::NotTakenOver { .. } => {
                Some("`--skip-unsupported` takes over the rest, and leaves these to Terraform".to_owned())
            }
            Self::UnknownCommand { known, .. } => Some(format!("there is {}", known.join(", "))),
            Self::UnknownOutput { known, .. } if known.is_empty() => {
                Some("the template declares no outputs".to_owned())
            }
            Self::UnknownOutput { known, .. } => Some(format!("it has {}", known.join(", "))),
            _ => None,
        }
    }
}
