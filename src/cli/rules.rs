//! The project's rules: read, and held against the template.

use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::children::{Children, Ended};
use crate::cli::stack::Opened;
use crate::cli::{CliError, World};
use crate::desired::Desired;
use crate::diagnostic::Source;
use crate::plan::Plan;
use crate::policy::{self, Finding, GuardFile, Policy, Settings};
use crate::text_file;

/// Where Guard rules are looked for, if `[policy]` names no place.
const DIRECTORY: &str = "policies";

/// With this as its argument, paystack's program is [`policy::guard_engine`] from its input to its output, and nothing else.
pub const GUARD_ENGINE: &str = "guard-engine";

/// How large a file of Guard rules may be.
const LARGEST_BYTES: u64 = 1024 * 1024;

/// What a project holds its templates to, and how its Guard rules are run.
pub struct Rules {
    policy: Policy,
    guard: GuardProcess,
}

/// Guard in a process of its own, which a mistake in a rule may end.
struct GuardProcess {
    program: PathBuf,
    temporary: PathBuf,
    children: Children,
}

/// The rules of a project that has some, with its Guard rules read.
pub fn load(
    settings: Option<Settings>,
    directory: &Path,
    suffix: &str,
    world: &World,
) -> Result<Option<Rules>, CliError> {
    let Some(settings) = settings else { return Ok(None) };
    let named = settings.guard.clone().unwrap_or_else(|| {
        let usual = PathBuf::from(DIRECTORY);
        if directory.join(&usual).is_dir() { vec![usual] } else { Vec::new() }
    });
    let mut guard = Vec::new();
    for path in named {
        for path in files(&directory.join(&path))? {
            let shown = path.strip_prefix(&world.directory).unwrap_or(&path).display().to_string();
            let text = text_file::read(&path, LARGEST_BYTES).map_err(|source| unreadable(&path, source))?;
            guard.push(GuardFile { file: shown, text });
        }
    }
    let today = world.clock.now().strftime("%Y-%m-%d").to_string();
    let policy = Policy { settings, suffix: suffix.to_owned(), today, guard };
    let guard = GuardProcess {
        program: world.program.clone(),
        temporary: world.temporary.clone(),
        children: world.interrupts.children.clone(),
    };
    Ok(Some(Rules { policy, guard }))
}

/// A file, or the files of Guard rules in a directory, in order of name.
fn files(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = path.read_dir().map_err(|source| unreadable(path, source))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(|source| unreadable(path, source))?.path();
        if file.extension().is_some_and(|extension| extension == "guard" || extension == "ruleset") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, source: std::io::Error) -> CliError {
    CliError::UnreadableRules { path: path.to_owned(), source }
}

/// What of a template breaks the project's rules; nothing, where it has none.
pub fn judge(rules: Option<&Rules>, desired: &Desired, source: &Source) -> Result<Vec<Finding>, CliError> {
    let Some(Rules { policy, guard }) = rules else { return Ok(Vec::new()) };
    let mut findings = policy::check(desired, policy, &|payload| guard.run(payload))?;
    policy::locate(&mut findings, source);
    Ok(findings)
}

impl GuardProcess {
    fn run(&self, payload: &str) -> Result<String, String> {
        let start = || {
            let mut input = tempfile::tempfile_in(&self.temporary)?;
            input.write_all(payload.as_bytes())?;
            input.rewind()?;
            let mut command = Command::new(&self.program);
            command.arg(GUARD_ENGINE);
            self.children.run_on(command, input.into())
        };
        let Ended { status, said } = start().map_err(|error| format!("failed to start Guard: {error}"))?;
        match status.code() {
            Some(0) => Ok(said),
            Some(1) => Err(said),
            _ => Err("they made Guard itself fail".to_owned()),
        }
    }
}

/// Stops where a mandatory rule is broken.
pub fn refuse(plan: &Plan, stack: &Opened) -> Result<(), CliError> {
    refuse_findings(&plan.remarks.policy, &stack.source)
}

pub fn refuse_findings(findings: &[Finding], source: &Source) -> Result<(), CliError> {
    if !findings.iter().any(Finding::is_refusal) {
        return Ok(());
    }
    Err(CliError::BreaksRules { source_file: Box::new(source.clone()), findings: policy::diagnostics(findings) })
}
