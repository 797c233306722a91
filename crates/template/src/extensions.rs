//! `AWS::LanguageExtensions`: the loops of `Fn::ForEach` are written out, and functions are called where CloudFormation itself
//! takes only names ("AWS::LanguageExtensions transform" in the CloudFormation user guide).
//!
//! Works on the document, before anything is known of its sections: what comes out is a template without extensions. What a
//! loop has written out keeps the place of its body, so that a mistake in it is shown where it can be mended.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::document::{Call, Entries, Entry, Kind, Node};
use super::evaluate::Scope;
use super::intrinsic::{Names, Place, Reader, as_call};
use super::parameter;
use super::parse::{Parser, has_transform};
use super::resolve::Inputs;
use crate::diagnostic::{Diagnostic, Span};
use crate::unknown;

pub(super) const TRANSFORM: &str = "AWS::LanguageExtensions";
const LOOP: &str = "Fn::ForEach";

/// How many values all loops of a template may write out.
const WRITTEN_LIMIT: usize = 100_000;

/// What takes only a name, or a list of names, unless the extensions are there.
const NAMED: [&str; 2] = ["Ref", "Fn::GetAtt"];
/// Attributes of resources for which the same goes.
const ATTRIBUTES: [&str; 2] = ["DeletionPolicy", "UpdateReplacePolicy"];

/// Whether a template is written with the extensions.
pub(super) fn are_in(document: &Node) -> bool {
    has_transform(document, TRANSFORM)
}

/// The document as CloudFormation sees it once the extensions are done.
pub(super) fn expand(document: Node, source: &str, inputs: &Inputs, diagnostics: &mut Vec<Diagnostic>) -> Node {
    if !are_in(&document) {
        return document;
    }
    let (names, scope) = constants(&document, source, inputs);
    let mut expansion = Expansion { source, names, scope, written: 0, is_told: false, diagnostics };
    expansion.node(&document, &[])
}

/// What loops may go over: mappings, and parameters that are no secret, since it is written into names. What is wrong with them is told by whoever reads them.
fn constants(document: &Node, source: &str, inputs: &Inputs) -> (Names, Scope) {
    let mut untold = Vec::new();
    let section = |name: &str| match &document.kind {
        Kind::Map(sections) => sections.iter().find(|entry| entry.key == name).map(|entry| &entry.value.kind),
        _ => None,
    };
    let entries = |name: &str| match section(name) {
        Some(Kind::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    let mut parameters = BTreeMap::new();
    for entry in entries("Parameters") {
        let Some(parameter) = parameter::read(entry, &mut untold).filter(|it| !it.no_echo) else { continue };
        if let Some(text) = inputs.parameters.get(&entry.key).or(parameter.default.as_ref()) {
            parameters.insert(entry.key.clone(), parameter.value(text));
        }
    }
    let mut parser =
        Parser { source, names: Names::default(), properties: HashMap::new(), copied: 0, diagnostics: &mut untold };
    let mappings = entries("Mappings").iter().filter_map(|it| Some((it.key.clone(), parser.mapping(it)?))).collect();
    let names = Names {
        has_extensions: true,
        parameters: entries("Parameters").iter().map(|entry| entry.key.clone()).collect(),
        mappings: entries("Mappings").iter().map(|entry| entry.key.clone()).collect(),
        ..Names::default()
    };
    let (conditions, imports) = (BTreeMap::new(), BTreeMap::new());
    (names, Scope { parameters, mappings, conditions, imports, pseudo: inputs.pseudo.clone() })
}

/// What a loop's name stands for in the round that is written out.
type Round = (String, String);

struct Expansion<'a> {
    source: &'a str,
    names: Names,
    scope: Scope,
    /// How many values the loops have written out so far.
    written: usize,
    /// Whether it was said that they are too many.
    is_told: bool,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Expansion<'_> {
    fn node(&mut self, node: &Node, rounds: &[Round]) -> Node {
        if !rounds.is_empty() {
            self.written += 1;
            if let Some(value) = referred(node, rounds) {
                return Node { kind: Kind::Text(value.to_owned()), span: node.span };
            }
        }
        let kind = match &node.kind {
            Kind::Text(text) => Kind::Text(replaced(text, rounds)),
            Kind::List(items) => Kind::List(items.iter().map(|item| self.node(item, rounds)).collect()),
            Kind::Map(entries) => self.map(entries, rounds),
            Kind::Call(call) => {
                let argument = self.node(&call.argument, rounds);
                let argument = if is_named(&call.function) { self.name(argument) } else { argument };
                let (function, function_span) = (call.function.clone(), call.function_span);
                Kind::Call(Call { function, function_span, argument: Box::new(argument) })
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => node.kind.clone(),
        };
        Node { kind, span: node.span }
    }

    fn map(&mut self, entries: &[Entry], rounds: &[Round]) -> Kind {
        let mut written = Entries::default();
        for entry in entries {
            if is_loop(&entry.key) {
                for entry in self.rounds(entry, rounds) {
                    written.insert(entry, self.diagnostics);
                }
                continue;
            }
            let value = self.node(&entry.value, rounds);
            let is_name = ATTRIBUTES.contains(&entry.key.as_str()) || (entries.len() == 1 && is_named(&entry.key));
            let value = if is_name { self.name(value) } else { value };
            written
                .insert(Entry { key: replaced(&entry.key, rounds), key_span: entry.key_span, value }, self.diagnostics);
        }
        written.into_map()
    }

    /// What a loop writes out.
    fn rounds(&mut self, entry: &Entry, rounds: &[Round]) -> Vec<Entry> {
        let wanted = "an identifier, a collection and a map of what to repeat";
        let Kind::List(arguments) = &entry.value.kind else { return self.wrong(entry, wanted) };
        let [identifier, collection, body] = arguments.as_slice() else { return self.wrong(entry, wanted) };
        let (Some(identifier), Kind::Map(body)) = (identifier.text(), &body.kind) else {
            return self.wrong(entry, wanted);
        };
        if self.names.parameters.contains(identifier) {
            let message = format!("the loop's identifier `{identifier}` is the name of a parameter");
            self.diagnostics.push(Diagnostic::error(message).at(arguments[0].span).help("give it a name of its own"));
            return Vec::new();
        }
        let collection = self.node(collection, rounds);
        let mut written = Vec::new();
        for value in self.collection(&collection) {
            if self.written > WRITTEN_LIMIT {
                self.too_many(entry.key_span);
                break;
            }
            let mut rounds = rounds.to_vec();
            rounds.push((identifier.to_owned(), value));
            match self.map(body, &rounds) {
                Kind::Map(entries) => written.extend(entries),
                _ => return Vec::new(),
            }
        }
        written
    }

    fn too_many(&mut self, span: Span) {
        if !self.is_told {
            self.is_told = true;
            let finding = Diagnostic::error(format!("the loops write out more than {WRITTEN_LIMIT} values"));
            self.diagnostics.push(finding.at(span).help("loop over less, or split the template"));
        }
    }

    fn wrong(&mut self, entry: &Entry, wanted: &str) -> Vec<Entry> {
        let message = format!("`{LOOP}` takes a list of {wanted}");
        self.diagnostics.push(Diagnostic::error(message).at(entry.key_span));
        Vec::new()
    }

    /// The texts that a loop goes over.
    fn collection(&mut self, node: &Node) -> Vec<String> {
        let items = match &node.kind {
            Kind::List(items) => items.iter().map(|item| Some((self.constant(item)?, item.span))).collect(),
            _ => self.constant(node).map(|value| match value {
                Value::Array(values) => values.into_iter().map(|value| (value, node.span)).collect(),
                other => vec![(other, node.span)],
            }),
        };
        let items: Vec<(Value, Span)> = items.unwrap_or_default();
        let mut texts = Vec::new();
        for (value, span) in items {
            match value {
                // A list within the list, as a reference to a parameter is.
                Value::Array(values) => {
                    texts.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                Value::String(text) if unknown::is_in(&text) => {
                    let finding = Diagnostic::error("a loop cannot go over what is not known yet").at(span);
                    self.diagnostics.push(finding.help("loop over parameters, mappings or a list that is written out"));
                }
                Value::String(text) => texts.push(text),
                Value::Number(_) | Value::Bool(_) => texts.push(value.to_string()),
                Value::Null | Value::Object(_) => {
                    self.diagnostics.push(Diagnostic::error("a loop goes over texts").at(span));
                }
            }
        }
        texts
    }

    /// A name, or a list of names, of which some are made by functions.
    fn name(&mut self, node: Node) -> Node {
        match node.kind {
            Kind::List(items) => {
                Node { kind: Kind::List(items.into_iter().map(|item| self.name(item)).collect()), span: node.span }
            }
            Kind::Call(_) | Kind::Map(_) => match self.constant(&node) {
                Some(Value::String(text)) if !unknown::is_in(&text) => Node { kind: Kind::Text(text), span: node.span },
                _ => node,
            },
            _ => node,
        }
    }

    /// What a node gives that names parameters and mappings only; what is wrong with it is told.
    fn constant(&mut self, node: &Node) -> Option<Value> {
        let Self { source, names, scope, diagnostics, .. } = self;
        let (before, mut copied) = (diagnostics.len(), 0);
        let mut reader = Reader { source, names, place: Place::Condition, copied: &mut copied, diagnostics };
        let expr = reader.expression(node);
        if diagnostics.len() > before {
            return None;
        }
        match scope.constant(&expr) {
            Ok(value) => Some(value),
            Err(finding) => {
                diagnostics.push(finding);
                None
            }
        }
    }
}

fn is_loop(key: &str) -> bool {
    key.strip_prefix(LOOP).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn is_named(function: &str) -> bool {
    NAMED.contains(&function)
}

/// What `Ref` gives of a loop's identifier.
fn referred<'a>(node: &Node, rounds: &'a [Round]) -> Option<&'a str> {
    let call = as_call(node, Place::Output).filter(|call| call.function == "Ref")?;
    let name = call.argument.text()?;
    rounds.iter().rev().find(|(identifier, _)| identifier == name).map(|(_, value)| value.as_str())
}

/// A text with the loops' identifiers replaced: `${Name}` by the value, `&{Name}` by its letters and digits.
fn replaced(text: &str, rounds: &[Round]) -> String {
    rounds.iter().fold(text.to_owned(), |text, (identifier, value)| {
        let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
        text.replace(&format!("${{{identifier}}}"), value).replace(&format!("&{{{identifier}}}"), &plain)
    })
}
