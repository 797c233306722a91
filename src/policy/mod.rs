//! The rules that a project holds its templates to: what AWS would take and the project does not want. Pure.
//!
//! A rule is a row of [`RULES`]: one table for each service, in a file of its own. Rules in AWS's Guard language come from the
//! project (`guard.rs`). Nothing here knows what is in AWS: a template is judged as it is resolved.

mod apigateway;
mod cloudwatch;
pub(crate) mod dynamodb;
mod every;
mod guard;
pub(crate) mod iam;
mod lambda;
mod logs;
pub(crate) mod methods;
pub(crate) mod roles;
mod settings;
mod sns;
pub(crate) mod sources;
mod sqs;
pub mod statements;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::desired::Desired;
use crate::diagnostic::{Diagnostic, Position, Severity, Source, Span, nearest};
use crate::identity::LogicalId;
use crate::property_path::PropertyPath;
use crate::resolved::{Resolved, Subject};
use crate::visible::on_its_line;

pub use guard::{Engine, GuardFile, guard_engine};
pub use settings::{Encryption, Key, Settings};

/// How much a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Where it is broken, nothing is applied.
    Mandatory,
    /// Where it is broken, it is said.
    Advisory,
    /// It is not looked at.
    Off,
}

/// A built-in rule.
pub struct Rule {
    /// By which it is configured and suppressed: `queue-dlq`.
    pub id: &'static str,
    /// Unless the project sets another.
    pub level: Level,
    /// What has to hold, as a sentence without its point.
    pub demand: &'static str,
    pub reason: &'static str,
    pub fix: &'static str,
    /// Which resources it is about.
    pub on: On,
    /// Where one of them breaks it.
    breaches: fn(&Subject<'_>, &Stack<'_>) -> Vec<Breach>,
    /// Resources, in YAML, that keep it. The tests hold it to that, and the documents show it.
    pub kept_by: &'static str,
    /// Resources that break it, and nothing else of what the test looks at.
    pub broken_by: &'static str,
}

/// Which resources a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    Every,
    Type(&'static str),
    /// Lists of types, so that one may be a part of another.
    Types(&'static [&'static [&'static str]]),
}

impl On {
    fn is(self, resource_type: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Type(it) => it == resource_type,
            Self::Types(lists) => lists.iter().any(|types| types.contains(&resource_type)),
        }
    }
}

/// A place where a rule is broken, and how: `has no dead-letter queue`, after the resource's name.
struct Breach {
    at: PropertyPath,
    what: String,
}

/// A rule that a resource breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id, or the name of a Guard rule.
    pub rule: String,
    pub level: Level,
    pub resource: LogicalId,
    pub path: PropertyPath,
    /// How it is broken, after the resource's name.
    pub what: String,
    pub reason: String,
    pub fix: String,
    /// Why the template lets it pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<String>,
    #[serde(skip)]
    pub span: Option<Span>,
    /// Where in the template it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

impl Finding {
    /// Whether nothing may be applied while it is there.
    pub fn is_refusal(&self) -> bool {
        self.level == Level::Mandatory && self.suppressed.is_none()
    }

    /// The finding as every other about a template is drawn.
    pub fn diagnostic(&self) -> Diagnostic {
        let Self { rule, resource, what, .. } = self;
        let message = format!("`{resource}` {what} [{rule}]");
        let diagnostic = match Severity::from(self) {
            Severity::Error => Diagnostic::error(message),
            Severity::Warning => Diagnostic::warning(message),
        };
        let diagnostic = match self.span {
            Some(span) => diagnostic.at(span),
            None => diagnostic,
        };
        let diagnostic = if self.reason.is_empty() { diagnostic } else { diagnostic.label(&self.reason) };
        if self.fix.is_empty() { diagnostic } else { diagnostic.help(&self.fix) }
    }

    /// Makes everything in it visible.
    pub(crate) fn make_legible(&mut self) {
        let Self { rule, level: _, resource, path: _, what, reason, fix, suppressed, span: _, position: _ } = self;
        *resource = LogicalId::new(on_its_line(resource.as_str()));
        for text in [rule, what, reason, fix].into_iter().chain(suppressed) {
            *text = on_its_line(text).into_owned();
        }
    }
}

/// What a project holds its templates to.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub settings: Settings,
    /// What every name has to carry: the environment's suffix.
    pub suffix: String,
    /// A date, `2026-11-22`: runtimes end on a day.
    pub today: String,
    pub guard: Vec<GuardFile>,
}

/// A template, and what it is held to.
pub(crate) struct Stack<'a> {
    resolved: Resolved<'a>,
    policy: &'a Policy,
}

impl<'a> std::ops::Deref for Stack<'a> {
    type Target = Resolved<'a>;

    fn deref(&self) -> &Resolved<'a> {
        &self.resolved
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("there is no rule `{name}`, which `[policy.levels]` sets")]
    UnknownRule { name: String, nearest: Option<String> },
    #[error("failed to understand the Guard rules `{file}`: {message}")]
    Guard { file: String, message: String },
}

impl PolicyError {
    /// What a person can do about it.
    pub fn way_out(&self) -> Option<String> {
        match self {
            Self::UnknownRule { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownRule { nearest: None, .. } => Some("docs/policies.md lists the rules".to_owned()),
            Self::Guard { .. } => Some("mend the file, or take it out of `guard` under `[policy]`".to_owned()),
        }
    }
}

/// Every built-in rule, by service.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let tables: [&'static [Rule]; 10] = [
        every::RULES,
        apigateway::RULES,
        cloudwatch::RULES,
        dynamodb::RULES,
        iam::RULES,
        lambda::RULES,
        sources::RULES,
        logs::RULES,
        sns::RULES,
        sqs::RULES,
    ];
    tables.into_iter().flatten()
}

/// Everything in a template that breaks a rule, what is let pass included, in the order of the template. `guard` runs the rules
/// that are in its language.
///
/// # Errors
///
/// A rule is configured that is not there, or the project's own rules cannot be understood.
pub fn check(desired: &Desired, policy: &Policy, guard: &Engine<'_>) -> Result<Vec<Finding>, PolicyError> {
    let stack = Stack { resolved: Resolved::new(desired), policy };
    let own = guard::check(&stack, &policy.guard, guard)?;
    let ids = || rules().map(|rule| rule.id).chain(own.names.iter().map(String::as_str));
    if let Some(name) = policy.settings.levels.keys().find(|name| !ids().any(|id| id == name.as_str())) {
        let nearest = nearest(name, ids()).map(str::to_owned);
        return Err(PolicyError::UnknownRule { name: name.clone(), nearest });
    }
    let level = |id: &str, usual: Level| policy.settings.levels.get(id).copied().unwrap_or(usual);
    let mut findings = Vec::new();
    for subject in stack.subjects() {
        let suppressions = Suppressions::of(&subject);
        for rule in rules().filter(|rule| rule.on.is(subject.resource_type())) {
            let level = level(rule.id, rule.level);
            if level == Level::Off {
                continue;
            }
            for Breach { at, what } in (rule.breaches)(&subject, &stack) {
                findings.push(Finding {
                    rule: rule.id.to_owned(),
                    level,
                    resource: subject.id().clone(),
                    span: Some(subject.place(&at)),
                    path: at,
                    what,
                    reason: rule.reason.to_owned(),
                    fix: rule.fix.to_owned(),
                    suppressed: suppressions.reason(rule.id),
                    position: None,
                });
            }
        }
        for breach in own.breaches.iter().filter(|breach| &breach.resource == subject.id()) {
            let level = level(&breach.rule, Level::Mandatory);
            if level == Level::Off {
                continue;
            }
            findings.push(Finding {
                rule: breach.rule.clone(),
                level,
                resource: breach.resource.clone(),
                span: Some(subject.place(&breach.path)),
                path: breach.path.clone(),
                what: breach.what.clone(),
                reason: breach.reason.clone(),
                fix: String::new(),
                suppressed: suppressions.reason(&breach.rule),
                position: None,
            });
        }
        findings.extend(suppressions.mistakes(&subject, &|id| ids().any(|known| known == id)));
    }
    Ok(findings)
}

/// Gives findings their lines and columns.
pub fn locate(findings: &mut [Finding], source: &Source) {
    for finding in findings {
        finding.position = finding.span.map(|span| source.position(span.start));
    }
}

/// The findings as diagnostics, what is let pass left out.
pub fn diagnostics(findings: &[Finding]) -> Vec<Diagnostic> {
    findings.iter().filter(|finding| finding.suppressed.is_none()).map(Finding::diagnostic).collect()
}

/// Which rules a resource is let off, and why: `Metadata: { paystack: { suppress: { queue-dlq: a reason } } }`.
struct Suppressions<'a>(BTreeMap<&'a str, &'a Value>);

/// The id of the rule that suppressions themselves have to keep.
const SUPPRESSION: &str = "suppression";

impl<'a> Suppressions<'a> {
    fn of(subject: &Subject<'a>) -> Self {
        let suppress = subject.metadata()["paystack"]["suppress"].as_object();
        Self(suppress.into_iter().flatten().map(|(id, reason)| (id.as_str(), reason)).collect())
    }

    fn reason(&self, id: &str) -> Option<String> {
        self.0.get(id)?.as_str().filter(|reason| !reason.trim().is_empty()).map(str::to_owned)
    }

    /// Suppressions that suppress nothing: without a reason, or of a rule that is not there.
    fn mistakes(&self, subject: &Subject<'_>, is_known: &dyn Fn(&str) -> bool) -> Vec<Finding> {
        let mistakes = self.0.keys().filter_map(|id| {
            let (what, fix) = match (is_known(id), self.reason(id)) {
                (false, _) => (format!("suppresses `{id}`, which is no rule"), "write the id that the finding shows"),
                (true, None) => {
                    (format!("suppresses `{id}` without a reason"), "write the reason as the suppression's text")
                }
                (true, Some(_)) => return None,
            };
            Some(Finding {
                rule: SUPPRESSION.to_owned(),
                level: Level::Mandatory,
                resource: subject.id().clone(),
                path: PropertyPath::default(),
                what,
                reason: "whoever reads the template has to see why a rule does not count".to_owned(),
                fix: fix.to_owned(),
                suppressed: None,
                span: Some(subject.place(&PropertyPath::default())),
                position: None,
            })
        });
        mistakes.collect()
    }
}

impl From<&Finding> for Severity {
    fn from(finding: &Finding) -> Self {
        if finding.is_refusal() { Self::Error } else { Self::Warning }
    }
}

/// A breach of the resource as a whole.
fn broken(what: impl Into<String>) -> Vec<Breach> {
    vec![Breach { at: PropertyPath::default(), what: what.into() }]
}

/// A breach at a top-level property, or where it is missing at the resource.
fn broken_at(property: &str, what: impl Into<String>) -> Vec<Breach> {
    vec![Breach { at: PropertyPath::of(property), what: what.into() }]
}

/// What is only said where something does not hold.
fn unless(holds: bool, breaches: impl FnOnce() -> Vec<Breach>) -> Vec<Breach> {
    if holds { Vec::new() } else { breaches() }
}
