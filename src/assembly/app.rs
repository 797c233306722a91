//! Runs a CDK app as the CDK's command line does, so that it writes its assembly.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{AssemblyError, read_json};
use crate::children::Children;

/// The file that makes a directory a CDK app.
pub const CDK_JSON: &str = "cdk.json";

/// What the command line keeps of what it has looked up.
const CDK_CONTEXT_JSON: &str = "cdk.context.json";

/// Where an assembly is written if `cdk.json` says nothing else.
const OUTPUT: &str = "cdk.out";

/// The longest text that goes into a variable: Linux takes 128 KiB. CDK reads more from a file.
const LONGEST_VARIABLE: usize = 100 * 1024;

/// How an app is to be run.
pub struct App<'a> {
    /// Where `cdk.json` is.
    pub directory: &'a Path,
    /// In place of what `cdk.json` says.
    pub command: Option<&'a str>,
    /// Over what `cdk.json` says.
    pub context: &'a [(String, String)],
    /// What the app gets where it asks for the caller's region.
    pub region: Option<&'a str>,
    /// The user's home, whose `.cdk.json` has context for all apps.
    pub home: Option<OsString>,
    pub children: &'a Children,
}

/// What an app has written, and what it said on the way.
pub struct Synthesised {
    pub assembly: PathBuf,
    pub said: String,
}

/// What is read of `cdk.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    app: Option<String>,
    output: Option<PathBuf>,
    context: Map<String, Value>,
}

/// Runs an app to its end.
///
/// # Errors
///
/// There is nothing to run, or what is run fails.
pub fn synthesise(app: &App<'_>) -> Result<Synthesised, AssemblyError> {
    let settings = settings(&app.directory.join(CDK_JSON))?;
    let written = app.command.map(str::to_owned).or_else(|| settings.app.clone());
    let Some(written) = written else {
        return Err(AssemblyError::NoApp { path: app.directory.join(CDK_JSON) });
    };
    let assembly = app.directory.join(settings.output.clone().unwrap_or_else(|| PathBuf::from(OUTPUT)));
    let start = |source| AssemblyError::Start { command: written.clone(), source };
    let context = Value::Object(context(app, settings)?).to_string();
    let mut command = Command::new("sh");
    command.arg("-c").arg(executable(&written, app.directory)).current_dir(app.directory).env("CDK_OUTDIR", &assembly);
    if let Some(region) = app.region {
        command.env("CDK_DEFAULT_REGION", region);
    }
    // Kept until the app has ended.
    let overflow = tempfile::NamedTempFile::new().map_err(start)?;
    if context.len() > LONGEST_VARIABLE {
        std::fs::write(overflow.path(), &context).map_err(start)?;
        command.env("CONTEXT_OVERFLOW_LOCATION", overflow.path()).env("CDK_CONTEXT_JSON", "{}");
    } else {
        command.env("CDK_CONTEXT_JSON", &context);
    }
    let ended = app.children.run(command).map_err(start)?;
    if !ended.status.success() {
        let lines: Vec<&str> = ended.said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last_lines = lines[lines.len().saturating_sub(20)..].join("\n");
        return Err(AssemblyError::Failed { command: written, status: ended.status, last_lines });
    }
    Ok(Synthesised { assembly, said: ended.said })
}

/// A file of JavaScript is run by Node.js.
fn executable(written: &str, directory: &Path) -> String {
    let is_script = written.ends_with(".js") && directory.join(written).is_file();
    if is_script { format!("node {written}") } else { written.to_owned() }
}

fn settings(path: &Path) -> Result<Settings, AssemblyError> {
    if path.is_file() { read_json(path) } else { Ok(Settings::default()) }
}

/// What the app may ask: of the command line first, then of `cdk.json`, of what was looked up, and of the user's own settings.
fn context(app: &App<'_>, settings: Settings) -> Result<Map<String, Value>, AssemblyError> {
    let mut context = Map::new();
    if let Some(home) = &app.home {
        context.extend(self::settings(&Path::new(home).join(".cdk.json"))?.context);
    }
    let looked_up = app.directory.join(CDK_CONTEXT_JSON);
    if looked_up.is_file() {
        context.extend(read_json::<Map<String, Value>>(&looked_up)?);
    }
    context.extend(settings.context);
    context.extend(app.context.iter().map(|(key, value)| (key.clone(), json!(value))));
    // What CDK's own command line sets, without its reports.
    context.extend([
        ("aws:cdk:enable-path-metadata".to_owned(), json!(true)),
        ("aws:cdk:enable-asset-metadata".to_owned(), json!(true)),
        ("aws:cdk:version-reporting".to_owned(), json!(false)),
        ("aws:cdk:bundling-stacks".to_owned(), json!(["**"])),
    ]);
    Ok(context)
}
