//! Templates for SAM: given to its translator as data, and what comes back put where it came from.
//!
//! What the translator leaves as it is keeps its place in the file; what it makes has the place of what it is made of, so that
//! every finding is shown in the file that was written.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::document::{Entry, Kind, Node};
use super::parse::has_transform;
use crate::diagnostic::Span;

/// The transform that the translator does.
pub(super) const TRANSFORM: &str = "AWS::Serverless-2016-10-31";

/// Whether a template is written for SAM.
pub(super) fn is_meant(document: &Node) -> bool {
    has_transform(document, TRANSFORM)
}

/// A template as the translator takes it.
pub(super) fn plain(node: &Node) -> Value {
    let mut value = node.to_value();
    split_attributes(&mut value);
    value
}

/// `Fn::GetAtt: A.B` is a list to the translator.
fn split_attributes(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get("Fn::GetAtt")
                && fields.len() == 1
                && let Some((resource, attribute)) = text.split_once('.')
            {
                *value = serde_json::json!({ "Fn::GetAtt": [resource, attribute] });
                return;
            }
            fields.values_mut().for_each(split_attributes);
        }
        Value::Array(items) => items.iter_mut().for_each(split_attributes),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The place of a resource's name.
pub(super) fn place(document: &Node, logical_id: &str) -> Option<Span> {
    entries(document, "Resources").iter().find(|entry| entry.key == logical_id).map(|entry| entry.key_span)
}

/// The document with what the translator has made of it.
pub(super) fn expanded(document: &Node, made: &Value) -> Node {
    let Value::Object(sections) = made else { return document.clone() };
    let mut kept: Vec<Entry> = Vec::new();
    for (name, value) in sections {
        let own = entries(document, name);
        let whole = section(document, name);
        let span = whole.map_or(document.span, |entry| entry.key_span);
        let value = match value {
            Value::Object(fields) if name == "Resources" || name == "Outputs" || name == "Conditions" => {
                let by_name: BTreeMap<&str, &Entry> = own.iter().map(|entry| (entry.key.as_str(), entry)).collect();
                Node { kind: Kind::Map(fields.iter().map(|it| grafted(it, &by_name, span)).collect()), span }
            }
            // Parameters, mappings and the like pass unchanged.
            _ => match whole {
                Some(entry) if plain(&entry.value) == *value => entry.value.clone(),
                _ => node(value, span),
            },
        };
        kept.push(Entry { key: name.clone(), key_span: span, value });
    }
    kept.retain(|entry| entry.key != "Transform");
    Node { kind: Kind::Map(kept), span: document.span }
}

fn grafted((name, value): (&String, &Value), own: &BTreeMap<&str, &Entry>, span: Span) -> Entry {
    if let Some(entry) = own.get(name.as_str()) {
        let is_same = plain(&entry.value) == *value;
        let value = if is_same { entry.value.clone() } else { node(value, entry.key_span) };
        return Entry { key: name.clone(), key_span: entry.key_span, value };
    }
    // The translator begins a name with that of what it is made for.
    let origin = own.iter().rev().find(|(origin, _)| name.starts_with(**origin));
    let span = origin.map_or(span, |(_, entry)| entry.key_span);
    Entry { key: name.clone(), key_span: span, value: node(value, span) }
}

fn section<'a>(document: &'a Node, name: &str) -> Option<&'a Entry> {
    match &document.kind {
        Kind::Map(sections) => sections.iter().find(|entry| entry.key == name),
        _ => None,
    }
}

fn entries<'a>(document: &'a Node, name: &str) -> &'a [Entry] {
    match section(document, name).map(|entry| &entry.value.kind) {
        Some(Kind::Map(entries)) => entries,
        _ => &[],
    }
}

/// A value of which all has one place.
fn node(value: &Value, span: Span) -> Node {
    let kind = match value {
        Value::Null => Kind::Null,
        Value::Bool(value) => Kind::Bool(*value),
        Value::Number(number) => Kind::Number(number.clone()),
        Value::String(text) => Kind::Text(text.clone()),
        Value::Array(items) => Kind::List(items.iter().map(|item| node(item, span)).collect()),
        Value::Object(fields) => Kind::Map(map(fields, span)),
    };
    Node { kind, span }
}

fn map(fields: &Map<String, Value>, span: Span) -> Vec<Entry> {
    fields.iter().map(|(key, value)| Entry { key: key.clone(), key_span: span, value: node(value, span) }).collect()
}
