//! A template from what is live. Pure.
//!
//! What a template from here says of a resource means, in canonical form, what was read: it plans empty.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::aws::Scope;
use crate::identity::{LogicalId, PhysicalId, ResourceType};
use crate::migrate::references::{Connected, connected};
use crate::migrate::{names, yaml};
use crate::property_path::{PathStep, PropertyPath};
use crate::resource::{Contributions, LiveResource, Row, row, tags};

/// A live resource that is to stand in the template.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub logical_id: LogicalId,
    pub resource_type: ResourceType,
    /// What the other tool calls it; `None` for what it does not know.
    pub address: Option<String>,
    /// What the other tool's dependencies call it and its parts.
    pub configurations: BTreeSet<String>,
    /// What it depends on, as the other tool knows.
    pub dependencies: BTreeSet<String>,
    /// What the other tool keeps secret in it.
    pub secrets: BTreeSet<String>,
    pub live: LiveResource,
    /// Where its code is, from the template's directory.
    pub code: Option<String>,
}

impl Found {
    /// Whether the other tool says so.
    pub fn depends_on(&self, other: &Self) -> bool {
        !self.dependencies.is_disjoint(&other.configurations)
    }

    pub fn key(&self) -> (ResourceType, PhysicalId) {
        (self.resource_type.clone(), self.live.id.clone())
    }
}

/// What the other tool gives to whoever asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    pub name: String,
    pub value: Value,
    pub is_secret: bool,
}

/// A template, and what its secret parameters are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub template: String,
    pub parameters: BTreeMap<String, String>,
    /// The names of secrets that would stand in the template's outputs.
    pub left_out: Vec<String>,
}

/// Writes the template of live resources.
pub fn template(description: &str, found: &[Found], given: &[Given], scope: &Scope) -> Written {
    let properties: BTreeMap<LogicalId, Value> = alone(found, scope)
        .into_iter()
        .zip(found)
        .map(|(live, it)| {
            let mut properties = row(&it.resource_type)
                .map_or(Value::Null, |row| with_secret_documents(row, reduced(row, &live), &it.secrets));
            if let (Some(path), Some(property)) = (&it.code, code_property(&it.resource_type)) {
                properties[property] = json!(path);
            }
            (it.logical_id.clone(), properties)
        })
        .collect();
    let secrets = secrets(found, &properties);
    let Connected { properties: mut connected, outputs, depends_on } =
        connected(found, given, &properties, &secrets, scope);
    connected.values_mut().for_each(Value::sort_all_objects);
    let mut text = String::from("AWSTemplateFormatVersion: \"2010-09-09\"\n");
    yaml::entry(&mut text, "Description", &json!(description), 0);
    if !secrets.is_empty() {
        text.push_str("\nParameters:\n");
        let declared = secrets.values().map(|name| (name.clone(), json!({"Type": "String", "NoEcho": true})));
        text.push_str(&yaml::block(&declared.collect(), 2));
    }
    text.push_str("\nResources:\n");
    for (index, it) in found.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let whence = it.address.as_deref().unwrap_or("not in the state, and within what is");
        // Writing to a text does not fail.
        let _ = writeln!(text, "  # {}", crate::visible::on_its_line(whence));
        let properties = &connected[&it.logical_id];
        text.push_str("  ");
        text.push_str(it.logical_id.as_str());
        text.push_str(":\n");
        yaml::entry(&mut text, "Type", &json!(it.resource_type), 4);
        if let Some(others) = depends_on.get(&it.logical_id) {
            yaml::entry(&mut text, "DependsOn", &json!(others), 4);
        }
        if properties.as_object().is_some_and(|fields| !fields.is_empty()) {
            yaml::entry(&mut text, "Properties", properties, 4);
        }
    }
    let left_out = write_outputs(&mut text, given, outputs);
    Written { template: text, parameters: secrets.into_iter().map(|(value, name)| (name, value)).collect(), left_out }
}

/// A secret is an output only where the template refers to it. Gives the names of the others.
fn write_outputs(text: &mut String, given: &[Given], values: Vec<Option<Value>>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut left_out = Vec::new();
    let mut outputs = Map::new();
    for (it, value) in given.iter().zip(values) {
        match value {
            Some(Value::String(_)) if it.is_secret => left_out.push(it.name.clone()),
            Some(value) if it.is_secret && value.get("Fn::Sub").is_some() => left_out.push(it.name.clone()),
            Some(value) => _ = outputs.insert(names::output(&it.name, &mut taken), json!({"Value": value})),
            // What has no value is nothing in a template.
            None => {}
        }
    }
    if !outputs.is_empty() {
        text.push_str("\nOutputs:\n");
        text.push_str(&yaml::block(&outputs, 2));
    }
    left_out
}

/// The property that holds a resource's code, if it has any.
pub fn code_property(resource_type: &ResourceType) -> Option<&'static str> {
    match resource_type.as_str() {
        "AWS::Lambda::Function" => Some("Code"),
        "AWS::Lambda::LayerVersion" => Some("Content"),
        _ => None,
    }
}

const MANAGED_POLICY: &str = "AWS::IAM::ManagedPolicy";

/// What is live of each without what others put into it: those say it themselves. A role says what is attached to it, and the
/// policy does not say it again.
fn alone(found: &[Found], scope: &Scope) -> Vec<Value> {
    let mut properties: Vec<Value> = found.iter().map(|it| without_marks(&it.live.properties)).collect();
    for policies in [true, false] {
        let contributions: Contributions = found
            .iter()
            .zip(&properties)
            .filter(|(it, _)| !policies || it.resource_type.as_str() != MANAGED_POLICY)
            .filter_map(|(it, properties)| Some(row(&it.resource_type)?.handler.contributions(scope, properties)))
            .flatten()
            .collect();
        for (it, properties) in found.iter().zip(&mut properties) {
            if (it.resource_type.as_str() == MANAGED_POLICY) == policies
                && let Some(row) = row(&it.resource_type)
            {
                let contributed = contributions.within(row.handler.resource_type(), &it.live.id);
                *properties = row.handler.comparable(properties, &Value::Null, contributed);
            }
        }
    }
    properties
}

/// Marks of an owner are given, not declared.
fn without_marks(live: &Value) -> Value {
    let mut properties = live.clone();
    if let Some(list) = properties.get_mut("Tags").and_then(Value::as_array_mut) {
        list.retain(|tag| !matches!(tag["Key"].as_str(), Some(tags::STACK | tags::RESOURCE)));
    }
    properties
}

/// The properties without all that a template need not say for them to mean the same.
fn reduced(row: &Row, live: &Value) -> Value {
    let mut kept = live.clone();
    if let Some(fields) = kept.as_object_mut() {
        // What is within an API stands in the template one by one.
        let is_left_out = |name: &str| row.handler.all_in() == Some(name);
        fields.retain(|name, value| row.facts().has_property(name) && !is_left_out(name) && !is_as_new(name, value));
    }
    let wanted = meaning(row, &kept);
    let means_the_same = |other: &Value| {
        let meant = meaning(row, other);
        meant.0 == wanted.0 && meant.1 <= wanted.1
    };
    let places = places(&kept, &PropertyPath::root());
    let mut gone: Vec<PropertyPath> = Vec::new();
    for place in places {
        if gone.iter().any(|around| place.starts_with(around)) {
            continue;
        }
        let Some(less) = without(&kept, place.steps()) else { continue };
        if means_the_same(&less) {
            kept = less;
            gone.push(place);
        }
    }
    let rounded = with_whole_numbers(&kept);
    if means_the_same(&rounded) {
        kept = rounded;
    }
    with_documents(row, &kept)
}

/// JSON in a text is read as what it is: it is written as a text again, on as many lines as it takes to be read by people.
fn with_documents(row: &Row, properties: &Value) -> Value {
    let mut written = properties.clone();
    for (name, value) in properties.as_object().into_iter().flatten() {
        let document = match value {
            Value::String(text) if text.len() > LONG => serde_json::from_str(text).unwrap_or(Value::Null),
            value => value.clone(),
        };
        let (Value::Object(_) | Value::Array(_), Ok(text)) = (&document, serde_json::to_string_pretty(&document))
        else {
            continue;
        };
        let mut as_text = written.clone();
        as_text[name] = json!(text);
        let [was, is] = [&written, &as_text].map(|properties| meaning(row, properties));
        if was.0 == is.0 && (value.is_string() && is.1 == was.1 || is.1 < was.1) {
            written = as_text;
        }
    }
    written
}

/// A document that is a secret as a whole stands as the other tool keeps it, however deep it is within a property.
fn with_secret_documents(row: &Row, properties: Value, secrets: &BTreeSet<String>) -> Value {
    let mut written = properties;
    for secret in secrets.iter().filter(|secret| secret.trim_start().starts_with(['{', '['])) {
        for place in places(&written, &PropertyPath::root()) {
            let Some(as_text) = with(&written, place.steps(), json!(secret)) else { continue };
            let [was, is] = [&written, &as_text].map(|properties| meaning(row, properties));
            if was.0 == is.0 && is.1 <= was.1 {
                written = as_text;
            }
        }
    }
    written
}

/// A longer JSON text is laid out.
const LONG: usize = 80;

/// What every on-demand table is ready for, and no table takes less of (Amazon DynamoDB Developer Guide, "Understanding DynamoDB
/// warm throughput").
fn is_as_new(name: &str, value: &Value) -> bool {
    name == "WarmThroughput" && *value == json!({"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000})
}

/// `1.0` as `1`.
fn with_whole_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64().map(|it| format!("{it}").parse::<i64>()) {
            Some(Ok(whole)) => json!(whole),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(with_whole_numbers).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), with_whole_numbers(value))).collect::<Map<_, _>>().into()
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

/// What properties mean, and how much is wrong with them: the service may take what the facts do not.
fn meaning(row: &Row, properties: &Value) -> (Result<Value, String>, usize) {
    let checked = row.facts().check(properties);
    (row.handler.canonical(&checked.value), checked.findings.len())
}

/// Every entry of every object, the outer ones first.
fn places(value: &Value, at: &PropertyPath) -> Vec<PropertyPath> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| {
                let place = at.key(key);
                let within = places(value, &place);
                std::iter::once(place).chain(within)
            })
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| places(item, &at.index(index))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn without(value: &Value, path: &[PathStep]) -> Option<Value> {
    let (last, way) = path.split_last()?;
    let mut less = value.clone();
    let PathStep::Key(key) = last else { return None };
    at(&mut less, way)?.as_object_mut()?.remove(key)?;
    Some(less)
}

fn with(value: &Value, path: &[PathStep], other: Value) -> Option<Value> {
    let mut changed = value.clone();
    *at(&mut changed, path)? = other;
    Some(changed)
}

fn at<'a>(value: &'a mut Value, path: &[PathStep]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        PathStep::Key(key) => value.get_mut(key),
        PathStep::Index(index) => value.get_mut(*index),
    })
}

/// The secrets that stand in properties, each with the name of its parameter.
fn secrets(found: &[Found], properties: &BTreeMap<LogicalId, Value>) -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    let mut taken: BTreeSet<String> = found.iter().map(|it| it.logical_id.to_string()).collect();
    for it in found {
        let row = row(&it.resource_type);
        let own = row.map(|row| row.handler.secrets()).unwrap_or_default();
        for (key, text) in texts("", &properties[&it.logical_id]) {
            let is_own = own.contains(&key) && properties[&it.logical_id][key] == text;
            let is_secret = is_own || it.secrets.iter().any(|secret| is_told(text, secret));
            if is_secret && !named.contains_key(text) {
                let secret = it.secrets.iter().filter(|secret| is_told(text, secret)).max_by_key(|it| it.len());
                let secret = secret.map_or(text, String::as_str);
                if !named.contains_key(secret) {
                    named.insert(secret.to_owned(), names::parameter(&it.logical_id, key, &mut taken));
                }
            }
        }
    }
    named
}

/// A short secret within a longer text is there by chance.
fn is_told(text: &str, secret: &str) -> bool {
    text == secret || secret.len() >= 6 && text.contains(secret)
}

/// Every text with the key that it stands under.
fn texts<'a>(key: &'a str, value: &'a Value) -> Vec<(&'a str, &'a str)> {
    match value {
        Value::String(text) => vec![(key, text)],
        Value::Array(items) => items.iter().flat_map(|item| texts(key, item)).collect(),
        Value::Object(fields) => fields.iter().flat_map(|(key, value)| texts(key, value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
