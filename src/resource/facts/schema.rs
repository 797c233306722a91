//! The part of JSON Schema, and of what CloudFormation adds to it, that resource schemas use.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex_automata::Input;
use regex_automata::meta::{self, Regex};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Number, Value};

/// What a value has to be. `false` is what nothing can be; `true` and `{}` say nothing.
///
/// It is read when it is first looked into: a template sets a few of a type's hundreds of properties. What is wrong in it
/// panics then, as a keyword does that is not here: no published fact is lost in silence, and a test reads them all.
#[derive(Debug, Deserialize)]
#[serde(transparent, bound(deserialize = "'de: 'static"))]
pub(super) struct Schema {
    text: &'static RawValue,
    #[serde(skip)]
    keywords: OnceLock<Box<Keywords>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Keywords {
    /// The name of a definition that holds besides.
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
    #[serde(rename = "type")]
    pub types: Types,
    #[serde(rename = "enum")]
    pub one_of_values: Vec<Value>,
    #[serde(rename = "const")]
    pub one_value: Option<Value>,

    pub minimum: Option<Number>,
    pub maximum: Option<Number>,
    pub multiple_of: Option<Number>,

    pub min_length: Option<usize>,
    pub max_length: Option<usize>,
    pub pattern: Option<Pattern>,
    /// A string has to be JSON.
    pub json: bool,
    /// A string is a path on this machine.
    pub packaged: bool,

    pub items: Option<Box<Schema>>,
    pub prefix_items: Vec<Schema>,
    pub min_items: Option<usize>,
    pub max_items: Option<usize>,
    pub max_unique_items: Option<usize>,
    pub unique_items: bool,
    /// The properties in which no two items agree.
    pub unique_keys: Vec<String>,
    pub insertion_order: Option<bool>,

    pub properties: BTreeMap<String, Schema>,
    #[serde(deserialize_with = "pairs")]
    pub pattern_properties: Vec<(Pattern, Schema)>,
    pub additional_properties: Option<Schema>,
    pub property_names: Option<Box<Schema>>,
    pub min_properties: Option<usize>,
    pub required: Vec<String>,
    pub required_xor: Vec<String>,
    pub dependent_required: BTreeMap<String, Vec<String>>,
    pub dependent_excluded: BTreeMap<String, Vec<String>>,

    pub all_of: Vec<Schema>,
    pub any_of: Vec<Schema>,
    pub one_of: Vec<Schema>,
    pub not: Option<Box<Schema>>,
    #[serde(rename = "if")]
    pub condition: Option<Box<Schema>>,
    pub then: Option<Box<Schema>>,
    #[serde(rename = "else")]
    pub otherwise: Option<Box<Schema>>,
    /// Why, for people.
    pub because: Option<String>,
}

impl Schema {
    pub fn is_never(&self) -> bool {
        self.text.get() == "false"
    }

    pub(super) fn read(&self) -> serde_json::Result<Box<Keywords>> {
        match self.text.get() {
            "true" | "false" => Ok(Box::default()),
            text if text.starts_with('{') => serde_json::from_str(text),
            _ => Err(serde::de::Error::custom("a schema is an object, true or false")),
        }
    }

    /// What holds for a key of an object: the property, or what its pattern or all others are.
    pub fn of_key(&self, name: &str) -> Option<&Schema> {
        let patterned = || self.pattern_properties.iter().find(|(it, _)| it.matches(name)).map(|(_, it)| it);
        let other = || self.additional_properties.as_ref().filter(|it| !it.is_never());
        self.properties.get(name).or_else(patterned).or_else(other)
    }

    /// Whether an object can have only the keys that are named here.
    pub fn is_closed(&self) -> bool {
        self.additional_properties.as_ref().is_some_and(Schema::is_never)
    }

    /// The keys that have to be there, if any.
    pub fn requires(&self) -> Option<&[String]> {
        Some(self.required.as_slice()).filter(|required| !required.is_empty())
    }

    pub fn is_list(&self) -> bool {
        self.types.0.contains(&Type::Array)
    }
}

impl std::ops::Deref for Schema {
    type Target = Keywords;

    fn deref(&self) -> &Keywords {
        self.keywords.get_or_init(|| self.read().expect("the facts in the tree parse: a test reads them all"))
    }
}

/// The types of which a value has to be one; none at all where any will do.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "OneOrMany")]
pub(super) struct Types(pub Vec<Type>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Type {
    Array,
    Boolean,
    Integer,
    Number,
    Object,
    String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Type),
    Many(Vec<Type>),
}

impl From<OneOrMany> for Types {
    fn from(types: OneOrMany) -> Self {
        match types {
            OneOrMany::One(only) => Self(vec![only]),
            OneOrMany::Many(types) => Self(types),
        }
    }
}

impl Type {
    pub fn has(self, value: &Value) -> bool {
        match self {
            Self::Array => value.is_array(),
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|it| it.fract() == 0.0),
            Self::Number => value.is_number(),
            Self::Object => value.is_object(),
            Self::String => value.is_string(),
        }
    }
}

/// A regular expression, compiled when first used. Finds its match anywhere in a text, as JSON Schema has it.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
pub(super) struct Pattern {
    text: String,
    compiled: OnceLock<Option<Engine>>,
}

#[derive(Debug)]
pub(super) enum Engine {
    Plain(Regex),
    /// The pattern looks around.
    Fancy(Box<fancy_regex::Regex>),
}

impl Pattern {
    /// Whether the text matches. A pattern that cannot be decided is no reason to refuse anything.
    pub fn matches(&self, text: &str) -> bool {
        match self.compiled() {
            // What it takes to match is not kept: there are hundreds of patterns, and each is used once or twice.
            Some(Engine::Plain(regex)) => {
                regex.search_half_with(&mut regex.create_cache(), &Input::new(text).earliest(true)).is_some()
            }
            Some(Engine::Fancy(regex)) => regex.is_match(text).unwrap_or(true),
            None => true,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn compiled(&self) -> Option<&Engine> {
        self.compiled.get_or_init(|| compile(&translated(&self.text))).as_ref()
    }
}

/// Without the automata that make long searches fast: they take megabytes, and what is searched here are names.
fn compile(pattern: &str) -> Option<Engine> {
    let plain = meta::Config::new().onepass(false).hybrid(false).dfa(false);
    match Regex::builder().configure(plain).build(pattern) {
        Ok(regex) => Some(Engine::Plain(regex)),
        Err(_) => fancy_regex::Regex::new(pattern).ok().map(Box::new).map(Engine::Fancy),
    }
}

/// The pattern in the dialect of our engine. There `\Z` admits a final line break, while the publishers mean the end; and
/// `\d` and `\w` take digits and letters of every script, while ECMA-262 has those of ASCII: they take 16 KB less, too.
fn translated(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            translated.push(next);
            continue;
        }
        match rest.next() {
            Some('Z') => translated.push_str(r"\z"),
            Some('d') => translated.push_str("[0-9]"),
            Some('D') => translated.push_str("[^0-9]"),
            Some('w') => translated.push_str("[0-9A-Za-z_]"),
            Some('W') => translated.push_str("[^0-9A-Za-z_]"),
            escaped => translated.extend(['\\'].into_iter().chain(escaped)),
        }
    }
    translated
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self { text, compiled: OnceLock::new() }
    }
}

/// An object as its entries.
fn pairs<D: Deserializer<'static>>(deserializer: D) -> Result<Vec<(Pattern, Schema)>, D::Error> {
    let entries = BTreeMap::<String, Schema>::deserialize(deserializer)?;
    Ok(entries.into_iter().map(|(text, schema)| (Pattern::from(text), schema)).collect())
}
