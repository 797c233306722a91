//! What an expression gives, as far as it is known.
//!
//! A call over something unknown gives an unknown: nothing is ever guessed. Knows the parameters' values and asks its
//! caller for the resources' attributes, so that the same expression can be evaluated again when more is known.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};
use serde_json::{Map, Value};

use super::expression::{Expr, Field, FindInMap, Import, Kind};
use super::parse::Mapping;
use super::pseudo::Pseudo;
use crate::diagnostic::{Diagnostic, Span, nearest};
use crate::identity::LogicalId;
use crate::unknown::{self, MARK};

/// How much one expression may give, its intermediate values included. A parameter that is named a thousand times is a
/// thousand times its text, and what is made of that again as often.
const EVALUATED_BYTES_LIMIT: usize = 16 * 1024 * 1024;
/// How much all properties and outputs of a template may give together.
const TOTAL_BYTES_LIMIT: usize = 64 * 1024 * 1024;
/// What a value takes beside its text.
const VALUE_BYTES: usize = 32;

/// What is known before any resource is: all that conditions may refer to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scope {
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) mappings: IndexMap<String, Mapping>,
    pub(super) conditions: BTreeMap<String, bool>,
    /// What other stacks give, as far as it is known.
    pub(super) imports: BTreeMap<String, String>,
    pub(super) pseudo: Pseudo,
}

/// Gives what is known of a resource's attributes.
pub(super) type Attributes<'a> = dyn Fn(&LogicalId, &str) -> Option<Value> + 'a;

impl Scope {
    /// What an expression gives that refers to no resource.
    pub(super) fn constant(&self, expr: &Expr) -> Result<Value, Diagnostic> {
        self.evaluate(expr, &|_, _| None)
    }

    /// The same for an expression that gives a list.
    pub(super) fn constant_list(&self, expr: &Expr) -> Result<Vec<Value>, Diagnostic> {
        match self.constant(expr)? {
            Value::Array(items) => Ok(items),
            other => Err(Diagnostic::error(format!("expected a list, found {}", describe(&other))).at(expr.span)),
        }
    }

    /// What an expression gives; null for `AWS::NoValue` alone.
    pub(super) fn evaluate(&self, expr: &Expr, attributes: &Attributes) -> Result<Value, Diagnostic> {
        self.evaluation(attributes, EVALUATED_BYTES_LIMIT).value(expr).map(|value| value.unwrap_or(Value::Null))
    }

    /// Whether each of several expressions gives something, whatever the resources' attributes will be: what is wrong, by the
    /// expression's number.
    pub(super) fn check_all<'e>(&self, exprs: impl Iterator<Item = &'e Expr>) -> Vec<(usize, Diagnostic)> {
        let mut findings = Vec::new();
        let mut left = TOTAL_BYTES_LIMIT;
        for (number, expr) in exprs.enumerate() {
            let evaluation = match left {
                EVALUATED_BYTES_LIMIT.. => self.evaluation(&|_, _| None, EVALUATED_BYTES_LIMIT),
                left => Evaluation { left: Cell::new(left), ..self.evaluation(&|_, _| None, TOTAL_BYTES_LIMIT) },
            };
            let before = evaluation.left.get();
            let objection = evaluation.check(expr).err();
            left -= before - evaluation.left.get();
            findings.extend(objection.map(|finding| (number, finding)));
        }
        findings
    }

    /// What an import is known by: an export's name, or a stack and its output.
    pub(super) fn name_of(&self, import: &Import) -> Result<String, Diagnostic> {
        self.evaluation(&|_, _| None, EVALUATED_BYTES_LIMIT).import_name(import)
    }

    fn evaluation<'a>(&'a self, attributes: &'a Attributes<'a>, limit: usize) -> Evaluation<'a> {
        Evaluation { scope: self, attributes, limit, left: Cell::new(limit) }
    }
}

struct Evaluation<'a> {
    scope: &'a Scope,
    attributes: &'a Attributes<'a>,
    limit: usize,
    /// How many bytes may still be made.
    left: Cell<usize>,
}

/// What a call gets where it needs a list or a string.
enum Known<T> {
    Value(T),
    /// The text of an unknown that stands for all of it.
    Unknown(String),
}

impl Evaluation<'_> {
    /// `None` for `AWS::NoValue`, which removes the property or item that it is given to.
    fn value(&self, expr: &Expr) -> Result<Option<Value>, Diagnostic> {
        let value = match &expr.kind {
            Kind::Literal(value) => self.copied(value, expr)?,
            Kind::Mistake => unknown::named("a mistake").into(),
            Kind::List(items) => {
                self.spend(VALUE_BYTES, expr)?;
                Value::Array(self.items(items)?)
            }
            Kind::Object(fields) => {
                self.spend_on_keys(fields, expr)?;
                Value::Object(self.object(fields)?)
            }
            Kind::Parameter(name) => match self.scope.parameters.get(name) {
                Some(value) => self.copied(value, expr)?,
                None => unknown::named(name).into(),
            },
            Kind::Pseudo(parameter) => return Ok(self.scope.pseudo.value(*parameter)),
            Kind::Attribute(reference) => {
                let known = (self.attributes)(&reference.resource, &reference.attribute);
                self.spend(known.as_ref().map_or(VALUE_BYTES, size), expr)?;
                known.unwrap_or_else(|| unknown::attribute(&reference.resource, &reference.attribute).into())
            }
            Kind::Concat(parts) => self.concat(parts)?.into(),
            Kind::Join { delimiter, items } => self.join(delimiter, items)?.into(),
            Kind::Select { index, items } => return self.select(index, items),
            Kind::Split { delimiter, text } => self.split(delimiter, text)?,
            Kind::FindInMap(find) => return self.find_in_map(find),
            Kind::Import(import) => self.import(import, expr)?.into(),
            Kind::If(choice) => {
                let is_met = self.scope.conditions.get(&choice.condition).copied().unwrap_or_default();
                return self.value(if is_met { &choice.then } else { &choice.otherwise });
            }
            Kind::Base64(text) => self.base64(text)?.into(),
            Kind::Length(items) => match self.list(items, "Fn::Length")? {
                Known::Value(items) => items.len().into(),
                Known::Unknown(text) => derived("Fn::Length", &text).into(),
            },
            Kind::ToJsonString(value) => self.json(value)?.into(),
            Kind::AvailabilityZones(region) => self.availability_zones(region)?,
        };
        Ok(Some(value))
    }

    /// Whether there is a value: what is written out is not made for that.
    fn check(&self, expr: &Expr) -> Result<(), Diagnostic> {
        match &expr.kind {
            Kind::Literal(value) => self.spend(size(value), expr),
            Kind::List(items) => {
                self.spend(VALUE_BYTES, expr)?;
                items.iter().try_for_each(|item| self.check(item))
            }
            Kind::Object(fields) => {
                self.spend_on_keys(fields, expr)?;
                fields.iter().try_for_each(|field| self.check(&field.value))
            }
            _ => self.value(expr).map(drop),
        }
    }

    fn items(&self, items: &[Expr]) -> Result<Vec<Value>, Diagnostic> {
        items.iter().filter_map(|item| self.value(item).transpose()).collect()
    }

    fn object(&self, fields: &[Field]) -> Result<Map<String, Value>, Diagnostic> {
        let known = |field: &Field| Ok(self.value(&field.value)?.map(|value| (field.key.clone(), value)));
        fields.iter().filter_map(|field| known(field).transpose()).collect()
    }

    fn concat(&self, parts: &[Expr]) -> Result<String, Diagnostic> {
        parts.iter().map(|part| self.text(part, "Fn::Sub")).collect()
    }

    fn join(&self, delimiter: &Expr, items: &Expr) -> Result<String, Diagnostic> {
        let delimiter = self.text(delimiter, "Fn::Join")?;
        match self.list(items, "Fn::Join")? {
            Known::Value(values) => {
                self.spend(delimiter.len().saturating_mul(values.len()), items)?;
                let texts: Result<Vec<_>, _> = values.iter().map(|it| as_text(it, items.span, "Fn::Join")).collect();
                Ok(texts?.join(&delimiter))
            }
            Known::Unknown(text) => Ok(derived("Fn::Join", &text)),
        }
    }

    fn select(&self, index: &Expr, items: &Expr) -> Result<Option<Value>, Diagnostic> {
        let wanted = self.text(index, "Fn::Select")?;
        let list = self.list(items, "Fn::Select")?;
        match list {
            Known::Unknown(text) => Ok(Some(derived("Fn::Select", &text).into())),
            Known::Value(_) if unknown::is_in(&wanted) => Ok(Some(derived("Fn::Select", &wanted).into())),
            Known::Value(values) => {
                let value = wanted.parse::<usize>().ok().and_then(|position| values.get(position));
                let message = format!("`Fn::Select` has no item `{wanted}` in a list of {}", values.len());
                value.cloned().map(Some).ok_or_else(|| Diagnostic::error(message).at(index.span))
            }
        }
    }

    /// An unknown anywhere in the text may contain the delimiter, so that not even the number of pieces is known.
    fn split(&self, delimiter: &Expr, text: &Expr) -> Result<Value, Diagnostic> {
        let wanted = self.text(delimiter, "Fn::Split")?;
        let text = self.text(text, "Fn::Split")?;
        if wanted.is_empty() {
            return Err(Diagnostic::error("`Fn::Split` needs a delimiter, found an empty string").at(delimiter.span));
        }
        match [&text, &wanted].into_iter().find(|it| unknown::is_in(it)) {
            Some(unknown) => Ok(derived("Fn::Split", unknown).into()),
            None => {
                self.spend(text.matches(&wanted).count().saturating_mul(VALUE_BYTES), delimiter)?;
                Ok(text.split(&wanted).collect())
            }
        }
    }

    fn find_in_map(&self, find: &FindInMap) -> Result<Option<Value>, Diagnostic> {
        let FindInMap { mapping, first, second, default } = find;
        let names = [mapping, first, second].map(|part| self.text(part, "Fn::FindInMap"));
        let [mapping_name, first_key, second_key] = names;
        let (mapping_name, first_key, second_key) = (mapping_name?, first_key?, second_key?);
        if let Some(unknown) = [&mapping_name, &first_key, &second_key].into_iter().find(|it| unknown::is_in(it)) {
            return Ok(Some(derived("Fn::FindInMap", unknown).into()));
        }
        let found = lookup(&self.scope.mappings, &mapping_name, mapping.span, "`Mappings`")
            .and_then(|it| lookup(it, &first_key, first.span, &format!("the mapping `{mapping_name}`")))
            .and_then(|it| {
                lookup(it, &second_key, second.span, &format!("`{first_key}` of the mapping `{mapping_name}`"))
            });
        match (found, default) {
            (Ok(value), _) => self.copied(value, mapping).map(Some),
            (Err(_), Some(default)) => self.value(default),
            (Err(finding), None) => Err(finding),
        }
    }

    fn import(&self, import: &Import, expr: &Expr) -> Result<String, Diagnostic> {
        let name = self.import_name(import)?;
        let known = self.scope.imports.get(&name);
        self.spend(known.map_or(VALUE_BYTES, String::len), expr)?;
        Ok(match known {
            Some(value) => value.clone(),
            None if unknown::is_in(&name) => derived("Fn::ImportValue", &name),
            None => unknown::named(&name),
        })
    }

    fn import_name(&self, import: &Import) -> Result<String, Diagnostic> {
        match import {
            Import::Export(name) => self.text(name, "Fn::ImportValue"),
            Import::Output { stack, output, elsewhere } => {
                let text = |expr| self.text(expr, "Fn::GetStackOutput");
                let place: String = elsewhere.iter().map(|part| Ok(text(part)? + "/")).collect::<Result<_, _>>()?;
                Ok(format!("{place}{}.{}", text(stack)?, text(output)?))
            }
        }
    }

    fn base64(&self, text: &Expr) -> Result<String, Diagnostic> {
        let text = self.text(text, "Fn::Base64")?;
        Ok(if unknown::is_in(&text) { derived("Fn::Base64", &text) } else { BASE64_STANDARD.encode(text) })
    }

    fn json(&self, expr: &Expr) -> Result<String, Diagnostic> {
        match self.value(expr)?.unwrap_or_default() {
            Value::String(text) if unknown::is_in(&text) => Ok(derived("Fn::ToJsonString", &text)),
            value @ (Value::Array(_) | Value::Object(_)) => {
                let text = json_text(&value);
                // Within JSON, JSON is escaped, and what is escaped is escaped again.
                self.spend(text.len(), expr)?;
                Ok(text)
            }
            other => {
                let message = format!("`Fn::ToJsonString` takes an object or a list, found {}", describe(&other));
                Err(Diagnostic::error(message).at(expr.span))
            }
        }
    }

    fn availability_zones(&self, region: &Expr) -> Result<Value, Diagnostic> {
        let named = self.text(region, "Fn::GetAZs")?;
        let region_name = if named.is_empty() { &self.scope.pseudo.region } else { &named };
        if region_name == "us-east-1" {
            return Ok(["a", "b", "c", "d", "e", "f"].map(|zone| format!("us-east-1{zone}")).as_slice().into());
        }
        let message = format!("which availability zones `{region_name}` has is not known without asking AWS");
        Err(Diagnostic::error(message).at(region.span).help("write out the zones, or pass them as a parameter"))
    }

    fn copied(&self, value: &Value, expr: &Expr) -> Result<Value, Diagnostic> {
        self.spend(size(value), expr)?;
        Ok(value.clone())
    }

    fn spend_on_keys(&self, fields: &[Field], object: &Expr) -> Result<(), Diagnostic> {
        self.spend(VALUE_BYTES + fields.iter().map(|field| field.key.len()).sum::<usize>(), object)
    }

    fn spend(&self, bytes: usize, expr: &Expr) -> Result<(), Diagnostic> {
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(too_much(self.limit, expr.span)),
        }
    }

    /// A string, where a call needs one.
    fn text(&self, expr: &Expr, function: &str) -> Result<String, Diagnostic> {
        as_text(&self.value(expr)?.unwrap_or_default(), expr.span, function).map(Cow::into_owned)
    }

    /// A list, where a call needs one.
    fn list(&self, expr: &Expr, function: &str) -> Result<Known<Vec<Value>>, Diagnostic> {
        match self.value(expr)?.unwrap_or_default() {
            Value::Array(items) => Ok(Known::Value(items)),
            Value::String(text) if unknown::is_in(&text) => Ok(Known::Unknown(text)),
            other => {
                let message = format!("`{function}` takes a list, found {}", describe(&other));
                Err(Diagnostic::error(message).at(expr.span))
            }
        }
    }
}

fn too_much(limit_bytes: usize, span: Span) -> Diagnostic {
    let message = format!("what the template gives grows beyond {} MB", limit_bytes / 1024 / 1024);
    Diagnostic::error(message).at(span).label("here").help("repeat less, or split the template")
}

/// How much room a value takes, roughly.
fn size(value: &Value) -> usize {
    VALUE_BYTES
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(size).sum(),
            Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + size(value)).sum(),
        }
}

fn lookup<'a, T>(map: &'a IndexMap<String, T>, key: &str, span: Span, place: &str) -> Result<&'a T, Diagnostic> {
    map.get(key).ok_or_else(|| {
        let finding = Diagnostic::error(format!("there is no `{key}` in {place}")).at(span);
        match nearest(key, map.keys().map(String::as_str)) {
            Some(name) => finding.help(format!("did you mean `{name}`?")),
            None => finding.help(format!("there is {}", names(map.keys()))),
        }
    })
}

fn names<'a>(keys: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<_> = keys.map(|key| format!("`{key}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn as_text<'a>(value: &'a Value, span: Span, function: &str) -> Result<Cow<'a, str>, Diagnostic> {
    match value {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Bool(_) | Value::Number(_) => Ok(Cow::Owned(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            let message = format!("`{function}` takes a string here, found {}", describe(value));
            Err(Diagnostic::error(message).at(span))
        }
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The unknown for what a call makes of an unknown. Its name is its own, so that it is not taken for the attribute.
fn derived(function: &str, text: &str) -> String {
    unknown::named(&format!("{function} of {}", text.split(MARK).nth(1).unwrap_or_default()))
}

/// JSON in which an unknown stays one: its marks are not escaped.
fn json_text(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, KeepingMarks);
    value.serialize(&mut serializer).expect("a JSON value can be written into memory");
    String::from_utf8(bytes).expect("JSON is text")
}

struct KeepingMarks;

impl Formatter for KeepingMarks {
    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::AsciiControl(byte) if char::from(byte) == MARK => writer.write_all(&[byte]),
            other => CompactFormatter.write_char_escape(writer, other),
        }
    }
}
