//! Judges a value by the facts, and says what is wrong with it in words.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::Facts;
use super::schema::{Schema, Type};
use crate::diagnostic::SHOWN_LIMIT;
use crate::property_path::{PathStep, PropertyPath};
use crate::unknown;

/// A value in its declared types, and everything that is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    pub value: Value,
    pub findings: Vec<Finding>,
}

/// One thing that is wrong with a resource's properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The entry that the label belongs under; for something that is missing, what it is missing in.
    pub path: PropertyPath,
    pub at: At,
    /// What is wrong, in a sentence of its own.
    pub message: String,
    /// What is wrong, in a few words under the place.
    pub label: String,
    pub help: Option<String>,
}

/// Which part of an entry a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum At {
    Key,
    Value,
}

pub(super) fn check(facts: &Facts, properties: &Value) -> Checked {
    let mut value = properties.clone();
    facts.coerce(&mut value);
    let mut checker = Checker { facts, path: PropertyPath::root(), findings: Vec::new(), is_unsure: false };
    for pointer in &facts.read_only {
        checker.read_only(&pointer.0, &value);
    }
    checker.schema(&facts.schema, &value);
    Checked { findings: distinct(checker.findings), value }
}

/// The known name that somebody who wrote `name` most likely meant.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // What is longer is no name, and would take long to compare.
    if name.len() > 128 {
        return None;
    }
    let distance = |it: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &it.to_lowercase());
    let in_common = |it: &str| name.chars().zip(it.chars()).take_while(|(one, other)| one == other).count();
    let near = known.into_iter().map(|it| (distance(it), Reverse(in_common(it)), it));
    near.min().filter(|(distance, _, it)| *distance <= (it.chars().count() / 3).max(1)).map(|(_, _, it)| it)
}

/// Brings each scalar into the type that is declared for it, where CloudFormation takes one for the other.
pub(super) fn coerce(facts: &Facts, schema: &Schema, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                facts.of_key(schema, name).into_iter().for_each(|it| coerce(facts, it, value));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                facts.of_item(schema, index).into_iter().for_each(|it| coerce(facts, it, item));
            }
        }
        scalar => {
            let types = facts.layers(schema).map(|it| it.types.0.as_slice()).find(|it| !it.is_empty());
            if let Some(converted) = types.and_then(|types| converted(types, scalar)) {
                *scalar = converted;
            }
        }
    }
}

/// The scalar as one of the types, or `None` where it stays what it is.
fn converted(types: &[Type], scalar: &Value) -> Option<Value> {
    let accepts = |it| types.contains(&it);
    let accepts_text = accepts(Type::String) && !accepts(Type::Object);
    match scalar {
        // Most texts belong where they stand: nothing is looked for in them.
        Value::String(_) if accepts(Type::String) && !accepts(Type::Boolean) => None,
        Value::String(text) if is_open(text) => None,
        Value::String(text) if accepts(Type::Boolean) => boolean(text).map(Value::Bool),
        Value::String(_) if accepts(Type::String) => None,
        Value::String(text) if accepts(Type::Number) => number(text).map(Value::Number),
        Value::String(text) if accepts(Type::Integer) => whole(&number(text)?).map(Value::Number),
        Value::Number(number) if accepts(Type::Integer) && !accepts(Type::Number) => whole(number).map(Value::Number),
        Value::Number(number) if accepts_text && !accepts(Type::Number) => Some(Value::String(number.to_string())),
        Value::Bool(is_true) if accepts_text && !accepts(Type::Boolean) => Some(Value::String(is_true.to_string())),
        _ => None,
    }
}

/// Whether the text is still to become another: it has an unknown in it, or a dynamic reference.
fn is_open(text: &str) -> bool {
    unknown::is_in(text) || text.contains("{{resolve:")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Option<Number> {
    text.parse::<i64>().map(Number::from).ok().or_else(|| Number::from_f64(text.parse().ok()?))
}

/// `30.0` as `30`.
fn whole(number: &Number) -> Option<Number> {
    /// Up to here every whole number has a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if !number.is_f64() {
        return Some(number.clone());
    }
    number.as_f64().filter(|it| it.fract() == 0.0 && it.abs() <= EXACT).map(|it| Number::from(it as i64))
}

/// In the order of their paths; what two rules found, once.
fn distinct(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|one, other| (&one.path, &one.message).cmp(&(&other.path, &other.message)));
    findings.dedup_by(|one, other| one.path == other.path && one.message == other.message);
    findings
}

struct Checker<'a> {
    facts: &'a Facts,
    path: PropertyPath,
    findings: Vec<Finding>,
    /// Whether something was left unjudged because it is unknown.
    is_unsure: bool,
}

enum Verdict {
    Holds,
    Fails(Vec<Finding>),
    Unsure,
}

impl<'a> Checker<'a> {
    fn schema(&mut self, schema: &'a Schema, value: &Value) {
        let earlier = self.findings.len();
        self.keywords(schema, value);
        if let Some(because) = &schema.because {
            for finding in &mut self.findings[earlier..] {
                finding.help.get_or_insert_with(|| because.clone());
            }
        }
    }

    fn keywords(&mut self, schema: &'a Schema, value: &Value) {
        if schema.is_never() {
            let message = format!("`{}` cannot be set here", self.path);
            return self.find(At::Key, message, "not allowed here", None);
        }
        if let Value::String(text) = value {
            if is_open(text) {
                self.is_unsure = true;
                return;
            }
            if schema.packaged {
                return;
            }
        }
        if !self.is_of_type(schema, value) {
            return;
        }
        if let Some(referenced) = schema.reference.as_deref().and_then(|name| self.facts.definitions.get(name)) {
            self.schema(referenced, value);
        }
        self.allowed_values(schema, value);
        match value {
            Value::Number(number) => self.number(schema, number),
            Value::String(text) => self.text(schema, text),
            Value::Array(items) => self.list(schema, items),
            Value::Object(fields) => self.object(schema, fields),
            Value::Null | Value::Bool(_) => {}
        }
        self.alternatives(schema, value);
        self.conditions(schema, value);
    }

    fn is_of_type(&mut self, schema: &Schema, value: &Value) -> bool {
        let types = &schema.types.0;
        if types.is_empty() || types.iter().any(|it| it.has(value)) {
            return true;
        }
        let expected = listed(types.iter().map(|it| type_name(*it).to_owned()), "or");
        let message = format!("{} is {}, not {expected}", self.here(), shown(value));
        self.find(At::Value, message, &format!("expected {expected}"), None);
        false
    }

    fn allowed_values(&mut self, schema: &Schema, value: &Value) {
        let allowed = schema.one_value.as_ref().map_or(schema.one_of_values.as_slice(), std::slice::from_ref);
        if allowed.is_empty() || allowed.iter().any(|it| is_same(it, value)) {
            return;
        }
        let meant = value.as_str().and_then(|text| nearest(text, allowed.iter().filter_map(Value::as_str)));
        let all = listed(allowed.iter().map(plain), "or");
        let (label, help) = match meant {
            _ if allowed.len() <= 4 => (format!("expected {all}"), meant.map(did_you_mean)),
            Some(meant) => ("not one of the allowed values".to_owned(), Some(did_you_mean(meant))),
            None => ("not one of the allowed values".to_owned(), Some(format!("expected {all}"))),
        };
        let message = format!("{} cannot be {}", self.here(), plain(value));
        self.find(At::Value, message, &label, help);
    }

    fn number(&mut self, schema: &Schema, number: &Number) {
        let Some(it) = number.as_f64() else { return };
        let minimum = schema.minimum.as_ref().filter(|bound| bound.as_f64().is_some_and(|bound| it < bound));
        let maximum = schema.maximum.as_ref().filter(|bound| bound.as_f64().is_some_and(|bound| it > bound));
        if minimum.or(maximum).is_some() {
            let message = format!("{} cannot be {number}", self.here());
            let bounds = range(schema.minimum.as_ref(), schema.maximum.as_ref());
            self.find(At::Value, message, &format!("expected {bounds}"), None);
        }
        if let Some(step) = &schema.multiple_of
            && step.as_f64().is_some_and(|step| it % step != 0.0)
        {
            let message = format!("{} cannot be {number}", self.here());
            self.find(At::Value, message, &format!("expected a multiple of {step}"), None);
        }
    }

    fn text(&mut self, schema: &Schema, text: &str) {
        let length = text.chars().count();
        if schema.min_length.is_some_and(|it| length < it) || schema.max_length.is_some_and(|it| length > it) {
            let message = format!("{} is {} long", self.here(), count(length, "character"));
            let label = expected_count(schema.min_length, schema.max_length, "character");
            self.find(At::Value, message, &label, None);
        }
        if let Some(pattern) = &schema.pattern
            && !pattern.matches(text)
        {
            let message = format!("{} cannot be {}", self.here(), plain(&Value::from(text)));
            self.find(At::Value, message, &format!("does not match `{}`", pattern.as_str()), None);
        }
        if schema.json
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text)
        {
            let message = format!("{} is a string that is not JSON", self.here());
            self.find(At::Value, message, &format!("not JSON: {error}"), None);
        }
    }

    fn list(&mut self, schema: &'a Schema, items: &[Value]) {
        let length = items.len();
        if schema.min_items.is_some_and(|it| length < it) || schema.max_items.is_some_and(|it| length > it) {
            let message = format!("{} has {}", self.here(), count(length, "item"));
            let label = expected_count(schema.min_items, schema.max_items, "item");
            self.find(At::Value, message, &label, None);
        }
        if schema.unique_items {
            self.unique(
                items,
                |item| Some(item.to_string()),
                |index, first| (format!("{index} is the same as {first}"), "listed twice".to_owned()),
            );
        }
        for name in &schema.unique_keys {
            self.unique(
                items,
                |item| Some(item.get(name)?.to_string()),
                |index, first| (format!("{index} has the same `{name}` as {first}"), format!("`{name}` used twice")),
            );
        }
        if let Some(most) = schema.max_unique_items {
            let length = items.iter().map(Value::to_string).collect::<BTreeSet<_>>().len();
            if length > most {
                let message = format!("{} has {}", self.here(), count(length, "item"));
                self.find(At::Value, message, &expected_count(None, Some(most), "item"), None);
            }
        }
        for (index, item) in items.iter().enumerate() {
            let prefix = schema.prefix_items.get(index);
            let each = schema.items.as_deref();
            for schema in [prefix, each].into_iter().flatten() {
                self.within(PathStep::Index(index), |it| it.schema(schema, item));
            }
        }
    }

    /// Finds the items whose key an earlier one has. What is unknown is like nothing else.
    fn unique(
        &mut self,
        items: &[Value],
        key: impl Fn(&Value) -> Option<String>,
        words: impl Fn(String, String) -> (String, String),
    ) {
        let mut seen = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            if unknown::is_within(item) {
                self.is_unsure = true;
                continue;
            }
            let Some(key) = key(item) else { continue };
            let first = *seen.entry(key).or_insert(index);
            if first != index {
                let name = |index| format!("`{}`", self.path.index(index));
                let (message, label) = words(name(index), name(first));
                self.within(PathStep::Index(index), |it| it.find(At::Value, message, &label, None));
            }
        }
    }

    fn object(&mut self, schema: &'a Schema, fields: &Map<String, Value>) {
        if schema.min_properties.is_some_and(|it| fields.len() < it) {
            let message = format!("{} has {}", self.here(), count(fields.len(), "entry"));
            self.find(At::Value, message, &expected_count(schema.min_properties, None, "entry"), None);
        }
        if fields.keys().any(|name| unknown::is_in(name)) {
            self.is_unsure = true;
        } else {
            self.presence(schema, fields);
        }
        for (name, value) in fields {
            if unknown::is_in(name) {
                continue;
            }
            self.within(PathStep::Key(name.clone()), |it| it.field(schema, name, value));
        }
    }

    fn field(&mut self, schema: &'a Schema, name: &str, value: &Value) {
        match schema.of_key(name) {
            Some(field) => self.schema(field, value),
            None if schema.is_closed() => self.no_such_property(schema, name),
            None => {}
        }
        if let Some(names) = &schema.property_names
            && let Verdict::Fails(_) = self.verdict(names, &Value::from(name))
        {
            let message = format!("`{}` cannot be set", self.path);
            self.find(At::Key, message, &format!("`{name}` is not allowed as a name here"), None);
        }
    }

    fn no_such_property(&mut self, schema: &Schema, name: &str) {
        let parent = self.path.parent().unwrap_or_default();
        let (owner, subject) = match parent.is_root() {
            true => (format!("`{}`", self.facts.type_name), format!("`{}`", self.facts.type_name)),
            false => (format!("`{parent}` of `{}`", self.facts.type_name), format!("`{parent}`")),
        };
        if let Some((pattern, _)) = schema.pattern_properties.first() {
            let message = format!("{owner} cannot have an entry `{name}`");
            return self.find(At::Key, message, &format!("does not match `{}`", pattern.as_str()), None);
        }
        let settable = |it: &&str| {
            let path = parent.key(it);
            !self.facts.read_only.iter().any(|pointer| pointer.holds(&path))
        };
        let known = schema.properties.keys().map(String::as_str).filter(settable).collect::<Vec<_>>();
        let is_shown = self.findings.len() < SHOWN_LIMIT;
        let meant = if is_shown { nearest(name, known.iter().copied()) } else { None };
        let help = match meant {
            Some(meant) => Some(did_you_mean(meant)),
            None if known.is_empty() || !is_shown => None,
            None => Some(format!("there {}", properties_there_are(&known))),
        };
        let message = format!("{owner} has no property `{name}`");
        self.find(At::Key, message, &format!("not a property of {subject}"), help);
    }

    /// Which keys are there, whatever their values.
    fn presence(&mut self, schema: &Schema, fields: &Map<String, Value>) {
        let has = |name: &String| fields.contains_key(name);
        let missing = schema.required.iter().filter(|name| !has(name)).map(|name| format!("`{name}`"));
        let missing = missing.collect::<Vec<_>>();
        if !missing.is_empty() {
            let verb = if missing.len() == 1 { "is" } else { "are" };
            let missing = listed(missing, "and");
            self.find(At::Key, format!("{} needs {missing}", self.here()), &format!("{missing} {verb} missing"), None);
        }
        if !schema.required_xor.is_empty() {
            let present = schema.required_xor.iter().filter(|name| has(name)).cloned().collect::<Vec<_>>();
            self.exactly_one(&schema.required_xor, &present);
        }
        for (name, others) in schema.dependent_required.iter().filter(|(name, _)| has(name)) {
            for other in others.iter().filter(|name| !has(name)) {
                let message = format!("`{}` needs `{other}` beside it", self.path.key(name));
                let label = format!("`{other}` is missing");
                self.within(PathStep::Key(name.clone()), |it| it.find(At::Key, message, &label, None));
            }
        }
        for (name, others) in schema.dependent_excluded.iter().filter(|(name, _)| has(name)) {
            for other in others.iter().filter(|name| has(name)) {
                let is_mutual = schema.dependent_excluded.get(other).is_some_and(|back| back.contains(name));
                if is_mutual && other < name {
                    continue;
                }
                let message = format!("{} cannot have both `{name}` and `{other}`", self.here());
                let label = format!("not together with `{name}`");
                self.within(PathStep::Key(other.clone()), |it| it.find(At::Key, message, &label, None));
            }
        }
    }

    fn exactly_one(&mut self, names: &[String], present: &[String]) {
        match present {
            [] => {
                let names = listed(names.iter().map(|name| format!("`{name}`")), "or");
                let message = format!("{} needs {names}", self.here());
                self.find(At::Key, message, &format!("one of {names} is missing"), None);
            }
            [_] => {}
            [first, others @ ..] => {
                for other in others {
                    let message = format!("{} cannot have both `{first}` and `{other}`", self.here());
                    let label = format!("not together with `{first}`");
                    self.within(PathStep::Key(other.clone()), |it| it.find(At::Key, message, &label, None));
                }
            }
        }
    }

    fn alternatives(&mut self, schema: &'a Schema, value: &Value) {
        for all in &schema.all_of {
            self.schema(all, value);
        }
        if !schema.any_of.is_empty() {
            self.at_least_one_holds(&schema.any_of, value);
        }
        if !schema.one_of.is_empty() {
            self.at_least_one_holds(&schema.one_of, value);
            let required = schema.one_of.iter().filter_map(|it| it.requires()).flatten();
            let present = required.filter(|name| value.get(name.as_str()).is_some()).cloned().collect::<Vec<_>>();
            if present.len() > 1 {
                self.exactly_one(&present, &present);
            }
        }
        if let Some(not) = &schema.not {
            match self.verdict(not, value) {
                Verdict::Holds => {
                    let message = format!("{} cannot be {}", self.here(), plain(value));
                    self.find(At::Value, message, "not allowed here", None);
                }
                Verdict::Fails(_) => {}
                Verdict::Unsure => self.is_unsure = true,
            }
        }
    }

    fn at_least_one_holds(&mut self, alternatives: &'a [Schema], value: &Value) {
        let mut nearest: Option<Vec<Finding>> = None;
        for alternative in alternatives {
            match self.verdict(alternative, value) {
                Verdict::Holds => return,
                Verdict::Unsure => {
                    self.is_unsure = true;
                    return;
                }
                Verdict::Fails(findings) if nearest.as_ref().is_none_or(|it| findings.len() < it.len()) => {
                    nearest = Some(findings);
                }
                Verdict::Fails(_) => {}
            }
        }
        let required = alternatives.iter().map(|it| it.requires()).collect::<Option<Vec<_>>>();
        match required {
            Some(required) => {
                let names = listed(required.into_iter().flatten().map(|name| format!("`{name}`")), "or");
                let message = format!("{} needs {names}", self.here());
                self.find(At::Key, message, &format!("one of {names} is missing"), None);
            }
            None => self.findings.extend(nearest.into_iter().flatten()),
        }
    }

    fn conditions(&mut self, schema: &'a Schema, value: &Value) {
        let Some(condition) = &schema.condition else { return };
        let consequence = match self.verdict(condition, value) {
            Verdict::Holds => &schema.then,
            Verdict::Fails(_) => &schema.otherwise,
            Verdict::Unsure => {
                self.is_unsure = true;
                return;
            }
        };
        if let Some(consequence) = consequence {
            self.schema(consequence, value);
        }
    }

    /// Whether the value is what the schema says, without finding anything.
    fn verdict(&mut self, schema: &'a Schema, value: &Value) -> Verdict {
        let findings = mem::take(&mut self.findings);
        let is_unsure = mem::replace(&mut self.is_unsure, false);
        self.schema(schema, value);
        let failures = mem::replace(&mut self.findings, findings);
        match mem::replace(&mut self.is_unsure, is_unsure) {
            _ if !failures.is_empty() => Verdict::Fails(failures),
            true => Verdict::Unsure,
            false => Verdict::Holds,
        }
    }

    /// Finds what a template sets although only AWS does.
    fn read_only(&mut self, segments: &[String], value: &Value) {
        if self.findings.iter().any(|it| self.path.starts_with(&it.path)) {
            return;
        }
        match (segments, value) {
            ([], _) => {
                let name = self.path.to_string();
                let message = format!("`{name}` of `{}` is read-only", self.facts.type_name);
                let help =
                    if self.facts.has_attribute(&name) { "remove it: `Fn::GetAtt` gives it" } else { "remove it" };
                self.find(At::Key, message, "set by AWS", Some(help.to_owned()));
            }
            ([name, rest @ ..], Value::Object(fields)) => {
                if let Some(value) = fields.get(name) {
                    self.within(PathStep::Key(name.clone()), |it| it.read_only(rest, value));
                }
            }
            ([_, rest @ ..], Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.within(PathStep::Index(index), |it| it.read_only(rest, item));
                }
            }
            _ => {}
        }
    }

    fn within(&mut self, step: PathStep, act: impl FnOnce(&mut Self)) {
        self.path.push(step);
        act(self);
        self.path.pop();
    }

    fn find(&mut self, at: At, message: String, label: &str, help: Option<String>) {
        self.findings.push(Finding { path: self.path.clone(), at, message, label: label.to_owned(), help });
    }

    /// The path in words; the resource itself by its type.
    fn here(&self) -> String {
        if self.path.is_root() { format!("`{}`", self.facts.type_name) } else { format!("`{}`", self.path) }
    }
}

/// Numbers by their value: `30` is `30.0`.
fn is_same(one: &Value, other: &Value) -> bool {
    one == other || one.as_f64().is_some_and(|it| other.as_f64() == Some(it))
}

fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

fn properties_there_are(known: &[&str]) -> String {
    let names = listed(known.iter().map(|name| format!("`{name}`")), "and");
    if known.len() == 1 { format!("is {names}") } else { format!("are {names}") }
}

fn type_name(it: Type) -> &'static str {
    match it {
        Type::Array => "a list",
        Type::Boolean => "`true` or `false`",
        Type::Integer => "a whole number",
        Type::Number => "a number",
        Type::Object => "an object",
        Type::String => "a string",
    }
}

/// A value and its type, in words.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => plain(value),
        Value::String(_) => format!("the string {}", plain(value)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// A value as people would write it, shortened.
fn plain(value: &Value) -> String {
    const WIDTH: usize = 60;
    let Value::String(text) = value else { return value.to_string() };
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// `a`, `a or b`, `a, b or c`; of many the first ones.
fn listed(items: impl IntoIterator<Item = String>, last: &str) -> String {
    const MOST: usize = 24;
    let mut items = items.into_iter().collect::<Vec<_>>();
    if items.len() > MOST {
        let more = items.split_off(MOST).len();
        items.push(format!("{more} more"));
    }
    match items.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

fn range<T: std::fmt::Display>(least: Option<T>, most: Option<T>) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => "anything".to_owned(),
    }
}

/// How many there should be: `expected 1 to 5 items`.
fn expected_count(least: Option<usize>, most: Option<usize>, what: &str) -> String {
    match (least, most) {
        (Some(least), Some(most)) if least == most => format!("expected {}", count(least, what)),
        _ => format!("expected {} {}", range(least, most), plural(most.or(least).unwrap_or_default(), what)),
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {}", plural(number, what))
}

fn plural(number: usize, what: &str) -> String {
    match (number, what.strip_suffix('y')) {
        (1, _) => what.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) => format!("{what}s"),
    }
}
