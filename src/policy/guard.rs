//! A project's own rules, in AWS's Guard language, on the resolved template.
//!
//! What only AWS can say stands there as `${Api.RestApiId}`. Where a rule speaks of a resource, the finding is the
//! resource's; rules that hold only for the template as a whole have no place here.

use std::collections::BTreeSet;
use std::io::Cursor;

use cfn_guard::commands::Executable;
use cfn_guard::commands::validate::{OutputFormatType, ShowSummaryType};
use cfn_guard::utils::reader::{ReadBuffer, Reader};
use cfn_guard::utils::writer::{WriteBuffer, Writer};
use cfn_guard::{CommandBuilder, ValidateBuilder};
use serde_json::{Map, Value, json};

use super::{PolicyError, Stack};
use crate::identity::LogicalId;
use crate::property_path::{PathStep, PropertyPath};
use crate::unknown;

/// A file of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardFile {
    /// The path as people are shown it.
    pub file: String,
    pub text: String,
}

/// What the rules of all files found.
pub(super) struct Own {
    /// Of every rule that was looked at.
    pub names: BTreeSet<String>,
    pub breaches: Vec<OwnBreach>,
}

/// A place that a rule does not hold at.
pub(super) struct OwnBreach {
    pub rule: String,
    pub resource: LogicalId,
    pub path: PropertyPath,
    pub what: String,
    /// What the rule itself says of it.
    pub reason: String,
}

/// Runs Guard on a payload, and gives its report or what it says against the rules: [`guard_engine`], or a process that does.
pub type Engine<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

pub(super) fn check(stack: &Stack<'_>, files: &[GuardFile], engine: &Engine<'_>) -> Result<Own, PolicyError> {
    let mut own = Own { names: BTreeSet::new(), breaches: Vec::new() };
    if files.is_empty() {
        return Ok(own);
    }
    let template = template(stack).to_string();
    for file in files {
        let report = report(file, &template, engine)?;
        for list in ["compliant", "not_applicable"] {
            let names = report[list].as_array().into_iter().flatten().filter_map(Value::as_str);
            own.names.extend(names.map(str::to_owned));
        }
        for rule in report["not_compliant"].as_array().into_iter().flatten() {
            let rule = &rule["Rule"];
            let Some(name) = rule["name"].as_str() else { continue };
            own.names.insert(name.to_owned());
            let mut breaches = Vec::new();
            look(rule, &Said::default(), &mut |path, said| breaches.push(breach(name, path, said, stack)));
            own.breaches.extend(breaches.into_iter().flatten());
        }
    }
    // One place may break a rule in several clauses.
    let mut seen = BTreeSet::new();
    own.breaches.retain(|it| seen.insert((it.rule.clone(), it.resource.clone(), it.path.clone())));
    Ok(own)
}

/// The template as Guard sees it: what should exist, with what is known.
fn template(stack: &Stack<'_>) -> Value {
    let resources = stack.subjects().map(|subject| {
        let mut resource = json!({
            "Type": subject.resource_type(),
            "Properties": unknown::display_within(subject.declared),
        });
        if !subject.metadata().is_null() {
            resource["Metadata"] = subject.metadata().clone();
        }
        (subject.id().to_string(), resource)
    });
    json!({ "AWSTemplateFormatVersion": "2010-09-09", "Resources": resources.collect::<Map<_, _>>() })
}

fn report(file: &GuardFile, template: &str, engine: &Engine<'_>) -> Result<Value, PolicyError> {
    let failed = |message: String| PolicyError::Guard { file: file.file.clone(), message };
    let payload = json!({ "rules": [file.text], "data": [template] }).to_string();
    let report = engine(&payload).map_err(|message| failed(one_line(&message)))?;
    let mut reports: Vec<Value> = serde_json::from_str(&report).map_err(|error| failed(error.to_string()))?;
    reports.pop().ok_or_else(|| failed("there is no rule in it".to_owned()))
}

/// Guard itself. A mistake in a rule may end the process that this runs in: the library is written for a program of its own.
///
/// # Errors
///
/// What Guard says against the rules.
pub fn guard_engine(payload: &str) -> Result<String, String> {
    let validate = ValidateBuilder::default()
        .payload(true)
        .structured(true)
        .output_format(OutputFormatType::JSON)
        .show_summary(vec![ShowSummaryType::None])
        .try_build()
        .map_err(|error| error.to_string())?;
    let mut reader = Reader::new(ReadBuffer::Cursor(Cursor::new(payload.as_bytes().to_vec())));
    let (out, err) = (WriteBuffer::Vec(Vec::new()), WriteBuffer::Vec(Vec::new()));
    let mut writer = Writer::new_with_err(out, err).map_err(|error| error.to_string())?;
    let code = validate.execute(&mut writer, &mut reader).map_err(|error| error.to_string())?;
    match code {
        PASSED | FAILED => writer.into_string().map_err(|error| error.to_string()),
        _ => Err(writer.err_to_stripped().unwrap_or_default()),
    }
}

/// Guard's exit codes.
const PASSED: i32 = 0;
const FAILED: i32 = 19;

/// What a rule says of a breach, the innermost winning.
#[derive(Clone, Default)]
struct Said<'a> {
    custom: Option<&'a str>,
    error: Option<&'a str>,
    context: Option<&'a str>,
}

/// Walks through a report of nested clauses, and tells of each innermost one with the first path in it.
fn look<'a>(node: &'a Value, said: &Said<'a>, tell: &mut dyn FnMut(&'a str, &Said<'a>)) {
    let text = |value: &'a Value| value.as_str().filter(|text| !text.trim().is_empty());
    let messages = &node["messages"];
    let said = Said {
        custom: text(&messages["custom_message"]).or(said.custom),
        error: text(&messages["error_message"]).or(said.error),
        context: text(&node["context"]).or(said.context),
    };
    if let Some(checks) = node["checks"].as_array() {
        for check in checks {
            look(check, &said, tell);
        }
        return;
    }
    if let Some(check) = node.get("check").or_else(|| node.get("unresolved").filter(|it| !it.is_null()))
        && let Some(path) = first_path(check)
    {
        tell(path, &said);
        return;
    }
    if let Some(fields) = node.as_object() {
        for (name, value) in fields {
            if value.is_object() && name != "messages" && name != "metadata" {
                look(value, &said, tell);
            }
        }
    }
}

fn first_path(value: &Value) -> Option<&str> {
    if let Some(path) = value["path"].as_str().filter(|path| path.starts_with("/Resources/")) {
        return Some(path);
    }
    match value {
        Value::Array(items) => items.iter().find_map(first_path),
        Value::Object(fields) => fields.values().find_map(first_path),
        _ => None,
    }
}

fn breach(rule: &str, path: &str, said: &Said<'_>, stack: &Stack<'_>) -> Option<OwnBreach> {
    let mut steps = path.strip_prefix("/Resources/")?.split('/');
    let resource = LogicalId::from(steps.next()?);
    let mut path = PropertyPath::default();
    if steps.next() == Some("Properties") {
        for step in steps {
            path.push(step.parse().map_or_else(|_| PathStep::from(step), PathStep::Index));
        }
    }
    let clause = said.context.map(one_line);
    let what = match &clause {
        Some(clause) => format!("does not keep `{clause}`"),
        None => "does not keep the rule".to_owned(),
    };
    // Guard's own words have the values in them that it compares.
    let error = said.error.filter(|_| stack.desired.secret_properties(&resource).is_empty());
    let reason = said.custom.or(error).map(one_line).unwrap_or_default();
    Some(OwnBreach { rule: rule.to_owned(), resource, path, what, reason })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
