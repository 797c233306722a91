//! Reading the fixed parts of a template: sections and attributes whose names are known.

use super::document::{Entry, Kind, Node};
use crate::diagnostic::Diagnostic;

/// A map whose keys have been checked against the names that are allowed in it.
pub(super) struct Fields<'a> {
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == name)
    }
}

/// A map of which every key has to be known.
pub(super) fn fields<'a>(
    node: &'a Node,
    what: &str,
    known: &[&str],
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Fields<'a>> {
    let entries = entries(node, what, diagnostics)?;
    for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
        let finding = Diagnostic::error(format!("{what} cannot have `{}`", entry.key)).at(entry.key_span);
        diagnostics.push(finding.did_you_mean(&entry.key, known.iter().copied()));
    }
    Some(Fields { entries })
}

/// A map with names of the user's own.
pub(super) fn entries<'a>(node: &'a Node, what: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<&'a [Entry]> {
    match &node.kind {
        Kind::Map(entries) => Some(entries),
        _ => {
            let message = format!("{what} has to be a map, found {}", node.describe());
            diagnostics.push(Diagnostic::error(message).at(node.span));
            None
        }
    }
}

/// The string that a key is given.
pub(super) fn text(entry: &Entry, diagnostics: &mut Vec<Diagnostic>) -> Option<String> {
    let text = entry.value.text();
    if text.is_none() {
        let message = format!("`{}` has to be a string, found {}", entry.key, entry.value.describe());
        diagnostics.push(Diagnostic::error(message).at(entry.value.span));
    }
    text.map(str::to_owned)
}
