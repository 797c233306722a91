//! SAM templates, expanded by AWS's own translator in a private Python environment, which is made on first use.
//!
//! The translator sees the template and its plain parameters: no secret, no credentials, and no network. What it made is kept,
//! so that the same template is expanded once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::hex_digest_of;
use crate::package::PipCommand;
use crate::text_file;

/// The translator and what it needs, pinned to the byte.
const REQUIREMENTS: &str = include_str!("requirements.txt");
const SCRIPT: &str = include_str!("translate.py");

/// How large an expanded template may be.
const LARGEST_BYTES: u64 = 32 * 1024 * 1024;

/// What expanding needs to know of the machine.
pub struct Workshop<'a> {
    pub cache: &'a Path,
    pub pip: &'a PipCommand,
}

/// What the translator is given.
#[derive(Debug, Serialize)]
pub struct Given<'a> {
    pub template: &'a Value,
    /// Without those that are secret.
    pub parameters: BTreeMap<&'a str, &'a str>,
    /// `us-east-1`.
    pub region: &'a str,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: &'a str,
}

/// Something that the translator does not like about a template.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Objection {
    /// The resource that it is about, where it is about one.
    pub logical_id: Option<String>,
    pub message: String,
}

#[derive(Debug, thiserror::Error)]
pub enum SamError {
    /// The template is wrong.
    #[error("SAM's translator refuses the template")]
    Refused(Vec<Objection>),
    #[error("failed to write SAM's translator to the cache at `{path}`")]
    Cache {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to start `{program}`, which runs SAM's translator: install Python 3.10 or later with pip")]
    Start {
        program: String,
        #[source]
        source: io::Error,
    },
    #[error("pip could not install SAM's translator:\n{last_lines}")]
    Install { last_lines: String },
    #[error("SAM's translator failed:\n{last_lines}")]
    Failed { last_lines: String },
}

/// The translator's answer.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Made { template: Value },
    Refused { errors: Vec<Objection> },
}

/// Whether [`expand`] has to install the translator first, which takes a minute.
pub fn is_installed(workshop: &Workshop<'_>) -> bool {
    environment(workshop).is_dir()
}

/// The template that a SAM template stands for, in CloudFormation's types; local code stays a path.
///
/// # Errors
///
/// The translator cannot be installed or run, or has something to object.
pub fn expand(given: &Given<'_>, workshop: &Workshop<'_>) -> Result<Value, SamError> {
    let text = serde_json::to_string(given).unwrap_or_default();
    let kept = workshop.cache.join("sam").join(format!("{}.json", hex_digest_of([SCRIPT, REQUIREMENTS, &text], 32)));
    if let Some(made) = text_file::read(&kept, LARGEST_BYTES).ok().and_then(|text| serde_json::from_str(&text).ok()) {
        return Ok(made);
    }
    let packages = installed(workshop)?;
    let cannot_write = |source| SamError::Cache { path: workshop.cache.to_owned(), source };
    let place = tempfile::tempdir().map_err(cannot_write)?;
    let (script, input) = (place.path().join("translate.py"), place.path().join("template.json"));
    std::fs::write(&script, SCRIPT).and_then(|()| std::fs::write(&input, &text)).map_err(cannot_write)?;
    let output = place.path().join("answer.json");
    let mut command = python(workshop, place.path());
    command.args(["-I", "-W", "ignore"]).arg(&script).arg(&packages).arg(&input).arg(&output);
    command.envs([("AWS_DEFAULT_REGION", given.region), ("AWS_EC2_METADATA_DISABLED", "true")]);
    let said = run(workshop, command)?.map_err(|last_lines| SamError::Failed { last_lines })?;
    let answer = text_file::read(&output, LARGEST_BYTES).map_err(|_| SamError::Failed { last_lines: said })?;
    match serde_json::from_str(&answer) {
        Ok(Answer::Made { template }) => {
            keep(&kept, &template).map_err(cannot_write)?;
            Ok(template)
        }
        Ok(Answer::Refused { errors }) => Err(SamError::Refused(errors)),
        Err(error) => Err(SamError::Failed { last_lines: error.to_string() }),
    }
}

/// Where the translator is, once it is installed.
fn environment(workshop: &Workshop<'_>) -> PathBuf {
    let python = workshop.pip.program.to_string_lossy();
    workshop.cache.join("sam").join(format!("translator-{}", hex_digest_of([REQUIREMENTS, &python], 32)))
}

fn installed(workshop: &Workshop<'_>) -> Result<PathBuf, SamError> {
    let environment = environment(workshop);
    if environment.is_dir() {
        return Ok(environment);
    }
    let parent = workshop.cache.join("sam");
    let cannot_write = |source| SamError::Cache { path: parent.clone(), source };
    std::fs::create_dir_all(&parent).map_err(cannot_write)?;
    let partial = tempfile::Builder::new().prefix("partial-").tempdir_in(&parent).map_err(cannot_write)?;
    let place = tempfile::tempdir().map_err(cannot_write)?;
    let requirements = place.path().join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS).map_err(cannot_write)?;
    let mut command = python(workshop, place.path());
    command.args(&workshop.pip.args).args(["install", "--quiet", "--no-input", "--disable-pip-version-check"]);
    command.args(["--require-hashes", "--no-deps", "--only-binary=:all:", "--requirement"]).arg(&requirements);
    command.arg("--target").arg(partial.path());
    run(workshop, command)?.map_err(|last_lines| SamError::Install { last_lines })?;
    match std::fs::rename(partial.keep(), &environment) {
        // Another paystack was faster.
        Err(_) if environment.is_dir() => Ok(environment),
        renamed => renamed.map(|()| environment).map_err(cannot_write),
    }
}

/// The user's Python, with nothing of the environment but what pip may need.
fn python(workshop: &Workshop<'_>, directory: &Path) -> Command {
    let mut command = Command::new(&workshop.pip.program);
    let environment: &[(OsString, OsString)] = &workshop.pip.environment;
    command.current_dir(directory).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

/// Runs a program to its end: what it said, or the end of that where it failed.
fn run(workshop: &Workshop<'_>, command: Command) -> Result<Result<String, String>, SamError> {
    let program = workshop.pip.program.to_string_lossy().into_owned();
    let ended = workshop.pip.children.run(command).map_err(|source| SamError::Start { program, source })?;
    let lines: Vec<&str> = ended.said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last_lines = lines[lines.len().saturating_sub(8)..].join("\n");
    Ok(if ended.status.success() { Ok(last_lines) } else { Err(last_lines) })
}

fn keep(path: &Path, made: &Value) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    serde_json::to_writer(&mut file, made)?;
    file.flush()?;
    file.persist(path)?;
    Ok(())
}
