//! Template text → [`Template`] → [`DesiredGraph`]: CloudFormation's language, with a place for everything. Beside it, the graph
//! of what waits for what, and the words that all of paystack is said in: identities, unknowns, changes, diagnostics.
//!
//! Pure: no AWS, no files, no clock. The language knows no resource type, the facts check them; only the implied edges of
//! [`graph`] do. A crate of
//! its own, since it is compiled for speed, and what calls AWS is compiled to be small.

pub mod change;
mod condition;
pub mod diagnostic;
pub mod digest;
mod document;
pub mod edit;
mod evaluate;
mod expression;
mod extensions;
pub mod graph;
pub mod identity;
mod intrinsic;
mod json;
mod parameter;
mod parse;
pub mod property_path;
mod pseudo;
mod resolve;
mod sam;
mod section;
pub mod unknown;
mod yaml;

use crate::diagnostic::{Diagnostic, Severity, Source};
pub use crate::property_path::PathStep;
pub use condition::{Condition, NamedCondition};
pub use expression::{Expr, Part, Reference};
pub use parameter::{Parameter, ParameterType};
pub use parse::{
    Assertion, DeletionPolicy, DeletionPolicyKind, Document, Mapping, Output, Resource, Rule, Template, draft, parse,
};
pub use pseudo::Pseudo;
pub use resolve::{DesiredGraph, DesiredOutput, DesiredResource, Inputs};

/// A file of JSON or YAML as plain data, within the bounds that a template has. Nothing in it is evaluated.
///
/// # Errors
///
/// What cannot be read, each at its place in the file.
pub fn plain(source: &Source) -> Result<serde_json::Value, Vec<Diagnostic>> {
    let mut findings = Vec::new();
    let node = document::read(source, &mut findings);
    findings.retain(|finding| finding.severity == Severity::Error);
    match node {
        Some(node) if findings.is_empty() => Ok(node.to_value()),
        _ => Err(findings),
    }
}

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod extension_tests;
#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod tests;
