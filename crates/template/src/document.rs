//! A template's text as a tree in which everything knows its place.
//!
//! YAML and JSON give the same tree. Knows nothing of sections, and of functions only that a YAML tag (`!Sub`) is a call.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use super::{json, yaml};
use crate::diagnostic::{Diagnostic, Source, Span};
use crate::unknown;

/// How deep a template may nest, so that no function over the tree runs out of stack.
pub(super) const DEPTH_LIMIT: usize = 100;

/// A value of the document, with the bytes that it was written with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// A function in its short form, `!Sub …`.
    Call(Call),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) value: Node,
}

/// A function by its long name (`Fn::Sub`), the place of the name, and what it is given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) function: String,
    pub(super) function_span: Span,
    pub(super) argument: Box<Node>,
}

impl Node {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text, or what is written without quotes but stands for one: `2010` or `true`.
    pub(super) fn scalar(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Number(number) => Some(number.to_string()),
            Kind::Bool(value) => Some(value.to_string()),
            Kind::Null | Kind::List(_) | Kind::Map(_) | Kind::Call(_) => None,
        }
    }

    /// The value as plain JSON, calls in their long form: for metadata, which nothing evaluates.
    pub(super) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Node::to_value).collect(),
            Kind::Map(entries) => {
                let fields = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value()));
                Value::Object(fields.collect::<Map<_, _>>())
            }
            Kind::Call(call) => serde_json::json!({ call.function.as_str(): call.argument.to_value() }),
        }
    }

    /// What it is, for "expected a list, found a map".
    pub(super) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a string",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Call(_) => "a function",
        }
    }
}

/// Reads a document; what can be read in spite of errors is read, so that all of them are found at once.
pub(super) fn read(source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Option<Node> {
    if is_json(source) { json::read(&source.text, diagnostics) } else { yaml::read(&source.text, diagnostics) }
}

/// JSON is read as such: a YAML parser refuses its tabs and surrogate pairs. YAML can start with `{` as well.
fn is_json(source: &Source) -> bool {
    let named_json = source.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let text = without_byte_order_mark(&source.text);
    named_json || (text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

pub(super) fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The finding for a file with nothing in it.
pub(super) fn empty() -> Diagnostic {
    Diagnostic::error("the template is empty").at(Span::new(0, 0)).help("declare what should exist under `Resources`")
}

/// The entries of a map while it is read.
#[derive(Default)]
pub(super) struct Entries {
    entries: Vec<Entry>,
    /// By key, where there are too many to look through: a map of any size is read in time that grows with its size alone.
    places: HashMap<String, Span>,
}

/// How many keys are looked through.
const FEW: usize = 16;

impl Entries {
    /// Adds an entry, or reports that its key is there already.
    pub(super) fn insert(&mut self, entry: Entry, diagnostics: &mut Vec<Diagnostic>) {
        if let Some(earlier) = self.place(&entry.key) {
            diagnostics.push(
                Diagnostic::error(format!("the key `{}` occurs twice", entry.key))
                    .at(entry.key_span)
                    .related(earlier, "first here")
                    .help("remove one of them, or rename it"),
            );
            return;
        }
        self.entries.push(entry);
        if self.entries.len() >= FEW {
            let missing = &self.entries[self.places.len()..];
            self.places.extend(missing.iter().map(|entry| (entry.key.clone(), entry.key_span)));
        }
    }

    fn place(&self, key: &str) -> Option<Span> {
        if self.entries.len() >= FEW {
            return self.places.get(key).copied();
        }
        self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.key_span)
    }

    pub(super) fn into_map(self) -> Kind {
        Kind::Map(self.entries)
    }
}

/// Refuses the character that marks what is not known yet, so that no text can be mistaken for an unknown.
pub(super) fn refuse_mark(text: &str, span: Span, diagnostics: &mut Vec<Diagnostic>) {
    if unknown::is_in(text) {
        let message = "the control character U+0001 is not allowed in a template";
        diagnostics.push(Diagnostic::error(message).at(span).help("remove it: no AWS service takes it either"));
    }
}

pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(format!("the template nests deeper than {DEPTH_LIMIT} levels")).at(span)
}
