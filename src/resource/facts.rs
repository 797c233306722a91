//! What CloudFormation publishes about a resource type: its properties, their shapes, and what changes what.
//!
//! The facts are JSON in the tree beside this file, written by `scripts/facts.py`; nothing in a handler repeats them.
//! Knows nothing of templates, of handlers or of AWS: a value goes in, findings come out.

mod check;

mod runtimes;
mod schema;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::property_path::{PathStep, PropertyPath};
pub use check::{At, Checked, Finding};
pub use runtimes::{LambdaRuntime, lambda_runtime};
use schema::Schema;

#[derive(Debug, thiserror::Error)]
#[error("failed to parse the facts of a resource type")]
pub struct FactsError(#[from] serde_json::Error);

/// The facts of one resource type. What they say of a property is read when it is first asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub struct Facts {
    type_name: String,
    schema: Schema,
    #[serde(default)]
    definitions: BTreeMap<String, Schema>,
    #[serde(default)]
    attributes: Vec<String>,
    primary_identifier: Vec<String>,
    #[serde(default)]
    create_only: Vec<Pointer>,
    #[serde(default)]
    conditional_create_only: Vec<Pointer>,
    #[serde(default)]
    read_only: Vec<Pointer>,
    #[serde(default)]
    write_only: Vec<Pointer>,
    tag_property: Option<String>,
}

impl Facts {
    /// Looks into no schema: what is wrong in one panics when it is first asked for.
    ///
    /// # Errors
    ///
    /// The text is no JSON, or not made as facts are.
    pub fn parse(json: &'static str) -> Result<Self, FactsError> {
        Ok(serde_json::from_str(json)?)
    }

    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The top-level properties that a template can set, sorted.
    pub fn properties(&self) -> impl Iterator<Item = &str> {
        self.schema.properties.keys().map(String::as_str).filter(|name| !self.is_read_only(&PropertyPath::of(name)))
    }

    pub fn has_property(&self, name: &str) -> bool {
        self.schema.properties.contains_key(name) && !self.is_read_only(&PropertyPath::of(name))
    }

    /// Whether every resource of the type has to set this top-level property.
    pub fn is_required(&self, name: &str) -> bool {
        self.schema.required.iter().any(|it| it == name)
    }

    /// What `Fn::GetAtt` gives, sorted; what lies deeper with dots in its name, `SnapStartResponse.ApplyOn`.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(String::as_str)
    }

    pub fn has_attribute(&self, name: &str) -> bool {
        self.attributes().any(|it| it == name)
    }

    /// The attribute that somebody who wrote `name` most likely meant.
    pub fn nearest_attribute(&self, name: &str) -> Option<&str> {
        check::nearest(name, self.attributes())
    }

    /// Whether a change at this path replaces the resource: it is within something that only a create can set, or around
    /// it.
    pub fn is_create_only(&self, path: &PropertyPath) -> bool {
        self.create_only.iter().any(|it| it.holds(path) || it.is_within(path))
    }

    /// Whether a change at this path replaces the resource in cases that only its handler can tell.
    pub fn is_conditionally_create_only(&self, path: &PropertyPath) -> bool {
        self.conditional_create_only.iter().any(|it| it.holds(path) || it.is_within(path))
    }

    /// Whether no call gives back what was set at this path.
    pub fn is_write_only(&self, path: &PropertyPath) -> bool {
        self.write_only.iter().any(|it| it.holds(path))
    }

    /// The names whose values, joined by `|`, identify a resource.
    pub fn primary_identifier(&self) -> &[String] {
        &self.primary_identifier
    }

    /// The property that takes the tags, or `None` for a type that takes none.
    pub fn tag_property(&self) -> Option<&str> {
        self.tag_property.as_deref()
    }

    /// Whether the list at this path has an order that means nothing.
    pub fn is_set(&self, path: &PropertyPath) -> bool {
        let Some(schema) = self.at(path) else { return false };
        let is_of_tags = self.tag_property().is_some_and(|tags| *path == PropertyPath::of(tags)) && schema.is_list();
        is_of_tags || self.layers(schema).any(|it| it.insertion_order == Some(false))
    }

    /// Whether a text at this path is a file on this machine, which `aws cloudformation package` replaces.
    pub fn is_packaged(&self, path: &PropertyPath) -> bool {
        self.at(path).is_some_and(|schema| schema.packaged)
    }

    /// Judges the properties of a template, and brings their scalars into the declared types as CloudFormation does.
    ///
    /// All findings come at once, in the order of the value. What has an unknown in it is not judged.
    pub fn check(&self, properties: &serde_json::Value) -> Checked {
        check::check(self, properties)
    }

    /// Brings the scalars of properties into the declared types.
    pub fn coerce(&self, properties: &mut serde_json::Value) {
        check::coerce(self, &self.schema, properties);
    }

    fn is_read_only(&self, path: &PropertyPath) -> bool {
        self.read_only.iter().any(|it| it.holds(path))
    }

    fn at(&self, path: &PropertyPath) -> Option<&Schema> {
        path.steps().iter().try_fold(&self.schema, |schema, step| match step {
            // As facts write it: every item.
            PathStep::Key(name) if name == "*" => self.of_item(schema, 0),
            PathStep::Key(name) => self.of_key(schema, name),
            PathStep::Index(index) => self.of_item(schema, *index),
        })
    }

    /// A schema and, one after the other, those it refers to: all of them hold.
    fn layers<'a>(&'a self, schema: &'a Schema) -> impl Iterator<Item = &'a Schema> {
        std::iter::successors(Some(schema), |it| self.definitions.get(it.reference.as_deref()?))
    }

    fn of_key<'a>(&'a self, schema: &'a Schema, name: &str) -> Option<&'a Schema> {
        self.layers(schema).find_map(|it| it.of_key(name))
    }

    fn of_item<'a>(&'a self, schema: &'a Schema, index: usize) -> Option<&'a Schema> {
        let items = |it: &'a Schema| it.items.as_deref().or_else(|| it.prefix_items.get(index));
        self.layers(schema).find_map(items)
    }
}

/// A path in the facts: `SnapStart.ApplyOn`, with `*` for the items of a list.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
struct Pointer(Vec<String>);

impl From<String> for Pointer {
    fn from(text: String) -> Self {
        Self(text.split('.').map(str::to_owned).collect())
    }
}

impl Pointer {
    /// Whether the path is the pointer's, or leads to something within it.
    fn holds(&self, path: &PropertyPath) -> bool {
        path.steps().len() >= self.0.len() && self.agrees(path)
    }

    /// Whether the pointer leads to something within the path.
    fn is_within(&self, path: &PropertyPath) -> bool {
        path.steps().len() < self.0.len() && self.agrees(path)
    }

    fn agrees(&self, path: &PropertyPath) -> bool {
        self.0.iter().zip(path.steps()).all(|(segment, step)| match step {
            PathStep::Key(name) => segment == name || segment == "*",
            PathStep::Index(_) => segment == "*",
        })
    }
}

#[cfg(test)]
mod tests;
