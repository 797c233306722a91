//! Which texts among live properties name another resource, and how a template says so: `!Ref`, `!GetAtt`, `!Sub`. Pure.
//!
//! An ARN, a URL or an identifier that AWS made up names one thing only. A name may be that of several, or a word: it is taken for
//! another resource's only where something else says that the one depends on the other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::aws::Scope;
use crate::graph::without_circles;
use crate::identity::{LogicalId, REF};
use crate::migrate::order::{self, Edge};
use crate::migrate::written::{Found, Given};
use crate::resource::row;

/// Live resources, each with what it says of the others.
pub struct Connected {
    pub properties: BTreeMap<LogicalId, Value>,
    /// The values of outputs, in their order; `None` where there is none.
    pub outputs: Vec<Option<Value>>,
    /// What each waits for beside what it refers to.
    pub depends_on: BTreeMap<LogicalId, BTreeSet<LogicalId>>,
}

/// The properties of every resource and the outputs with references where they name others, but none that would close a circle.
pub fn connected(
    found: &[Found],
    given: &[Given],
    properties: &BTreeMap<LogicalId, Value>,
    secrets: &BTreeMap<String, String>,
    scope: &Scope,
) -> Connected {
    let names = names(found, properties);
    let mut possible = BTreeSet::new();
    for it in found {
        let mut writer = Writer { names: &names, secrets, scope, from: Some(it), edges: Edges::All(&mut possible) };
        writer.fields(&properties[&it.logical_id]);
    }
    let known: BTreeMap<&LogicalId, &Found> = found.iter().map(|it| (&it.logical_id, it)).collect();
    // What the other tool knows to depend on something comes first: the rest gives way to it.
    let (first, rest): (Vec<Edge>, Vec<Edge>) =
        possible.into_iter().partition(|(from, on)| known[from].depends_on(known[on]));
    let wished: Vec<Edge> = first.into_iter().chain(rest).collect();
    let added = without_circles([], &wished.iter().map(|(from, on)| (on, from)).collect::<Vec<_>>());
    let allowed: BTreeSet<Edge> =
        wished.iter().zip(added).filter(|(_, is_added)| *is_added).map(|(edge, _)| edge.clone()).collect();
    let connect = |it: &Found| {
        let mut writer = Writer { names: &names, secrets, scope, from: Some(it), edges: Edges::Only(&allowed) };
        (it.logical_id.clone(), writer.fields(&properties[&it.logical_id]))
    };
    let give = |it: &Given| {
        let mut writer = Writer { names: &names, secrets, scope, from: None, edges: Edges::Only(&allowed) };
        writer.output(it)
    };
    Connected {
        properties: found.iter().map(connect).collect(),
        outputs: given.iter().map(give).collect(),
        depends_on: order::depends_on(&allowed, &waits(found)),
    }
}

/// What the other tool knows to wait for what.
fn waits(found: &[Found]) -> BTreeSet<Edge> {
    let mut called: BTreeMap<&str, Vec<&LogicalId>> = BTreeMap::new();
    for it in found {
        it.configurations.iter().for_each(|name| called.entry(name).or_default().push(&it.logical_id));
    }
    let waits = found.iter().flat_map(|it| {
        let others = it.dependencies.iter().filter_map(|name| called.get(name.as_str())).flatten();
        others.filter(|on| **on != &it.logical_id).map(|on| (it.logical_id.clone(), (*on).clone()))
    });
    waits.collect()
}

/// Something that a text may be.
struct Name<'a> {
    text: &'a str,
    of: &'a Found,
    attribute: &'a str,
    /// AWS made it up, or it says all of what it names: nothing else has it.
    is_unique: bool,
}

fn names<'a>(found: &'a [Found], properties: &'a BTreeMap<LogicalId, Value>) -> Vec<Name<'a>> {
    let mut names = Vec::new();
    for of in found {
        let Some(row) = row(&of.resource_type) else { continue };
        let own = &properties[&of.logical_id];
        let has = |property: &str, text: &str| own.get(property).is_some_and(|value| is_or_holds(value, text));
        for (attribute, value) in &of.live.attributes {
            let Some(text) = value.as_str().filter(|text| text.len() >= SHORTEST) else { continue };
            let is_name = attribute == REF
                || row.facts().has_attribute(attribute) && NAMING.iter().any(|it| attribute.ends_with(it));
            // What is on a queue may go by the queue's name: that is the queue's.
            let is_the_wholes = row.handler.part_of().iter().any(|property| has(property, text));
            if is_name && !is_the_wholes {
                let is_long = text.starts_with("arn:") || text.starts_with("http");
                let is_own = own.as_object().is_some_and(|fields| fields.values().any(|value| value == text));
                names.push(Name { text, of, attribute, is_unique: is_long || !is_own && text.len() >= SHORTEST_ID });
            }
        }
    }
    // The longest first: an ARN may begin with another. Of the same text, what is a whole, and `Ref`.
    let is_part = |name: &Name<'_>| row(&name.of.resource_type).is_some_and(|row| !row.handler.part_of().is_empty());
    names.sort_by_key(|name| {
        (std::cmp::Reverse(name.text.len()), name.text, is_part(name), name.attribute != REF, &name.of.logical_id)
    });
    names
}

/// What attributes that name something end with.
const NAMING: [&str; 5] = ["Arn", "ARN", "Id", "Name", "Url"];
/// A shorter text is a word.
const SHORTEST: usize = 3;
/// The shortest identifier that AWS makes up: API Gateway's.
const SHORTEST_ID: usize = 6;
/// An identifier within a longer text has to be one that stands nowhere by chance.
const SHORTEST_WITHIN: usize = 8;

fn is_or_holds(value: &Value, text: &str) -> bool {
    value == text || value.as_array().is_some_and(|items| items.iter().any(|item| item == text))
}

enum Edges<'a> {
    /// Every one, which is noted.
    All(&'a mut BTreeSet<Edge>),
    Only(&'a BTreeSet<Edge>),
}

struct Writer<'a> {
    names: &'a [Name<'a>],
    /// Secret texts, with the parameters that hold them.
    secrets: &'a BTreeMap<String, String>,
    scope: &'a Scope,
    /// Who refers; `None` where an output does.
    from: Option<&'a Found>,
    edges: Edges<'a>,
}

/// A part of a text: as it is, or a reference as `Fn::Sub` writes it.
enum Piece {
    Text(String),
    Reference(String),
}

impl Writer<'_> {
    fn fields(&mut self, properties: &Value) -> Value {
        let Value::Object(fields) = properties else { return properties.clone() };
        let handler = self.from.and_then(|from| row(&from.resource_type)).map(|row| row.handler);
        let own_name = handler.and_then(|handler| handler.generated_name()).map(|name| name.property);
        let found_by = handler.map(|handler| handler.found_by()).unwrap_or_default();
        let part_of = handler.map(|handler| handler.part_of()).unwrap_or_default();
        let connect = |(key, value): (&String, &Value)| {
            let key = key.as_str();
            let naming = if own_name == Some(key) {
                Naming::Itself
            } else if part_of.contains(&key) {
                Naming::ItsWhole
            } else if found_by.contains(&key) && key.ends_with("Name") {
                Naming::ItselfOrAnother
            } else {
                Naming::Another
            };
            let place = Place { key, naming };
            // Tags say what they say, and a path is one on this machine.
            let is_apart = matches!(key, "Tags" | "Code" | "Content");
            (key.to_owned(), if is_apart { value.clone() } else { self.value(value, place) })
        };
        Value::Object(fields.iter().map(connect).collect::<Map<_, _>>())
    }

    fn value(&mut self, value: &Value, place: Place<'_>) -> Value {
        match value {
            Value::String(text) => self.text(text, place),
            Value::Array(items) => items.iter().map(|item| self.value(item, place)).collect(),
            Value::Object(fields) => {
                let named = fields.get("Name").and_then(Value::as_str);
                let connect = |(key, value): (&String, &Value)| {
                    // The value of a metric's dimension is called what the dimension is.
                    let key_of_value = if key == "Value" { named.unwrap_or(key) } else { key };
                    (key.clone(), self.value(value, Place { key: key_of_value, ..place }))
                };
                Value::Object(fields.iter().map(connect).collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// A list as its items with commas between them, as CloudFormation's own outputs are, and what is deeper as JSON.
    fn output(&mut self, given: &Given) -> Option<Value> {
        let scalar = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        match &given.value {
            Value::Null => None,
            Value::String(text) => Some(self.text(text, Place { key: &given.name, naming: Naming::ItselfOrAnother })),
            Value::Array(items) if items.iter().all(|item| scalar(item).is_some()) => {
                Some(self.parts(&items.iter().filter_map(scalar).collect::<Vec<_>>().join(",")))
            }
            value => Some(self.parts(&value.to_string())),
        }
    }

    fn text(&mut self, text: &str, place: Place<'_>) -> Value {
        if let Some(parameter) = self.secrets.get(text) {
            return json!({"Ref": parameter});
        }
        let names = self.names;
        let whole = names.iter().filter(|name| name.text == text && self.may_be(name, place));
        // Several may have the name: the one that the property asks for.
        let mut whole: Vec<&Name<'_>> = whole.collect();
        whole.sort_by_key(|name| (!name.is_unique, !place.asks_for(name.of), !self.depends_on(name.of)));
        if let Some(name) = whole.into_iter().find(|name| self.connects(name)) {
            return match name.attribute {
                REF => json!({"Ref": name.of.logical_id}),
                attribute => json!({"Fn::GetAtt": format!("{}.{attribute}", name.of.logical_id)}),
            };
        }
        if text == self.scope.account_id {
            return json!({"Ref": "AWS::AccountId"});
        }
        self.parts(text)
    }

    /// Whether a name may be meant where it stands alone.
    fn may_be(&self, name: &Name<'_>, place: Place<'_>) -> bool {
        let depends = self.depends_on(name.of);
        let is_asked_for = place.asks_for(name.of);
        let may_be = match place.naming {
            Naming::Itself => false,
            Naming::ItsWhole => depends || is_asked_for,
            Naming::ItselfOrAnother => depends && is_asked_for,
            Naming::Another => depends,
        };
        !self.is_itself(name.of) && (name.is_unique || may_be)
    }

    fn depends_on(&self, other: &Found) -> bool {
        self.from.is_none_or(|from| from.depends_on(other))
    }

    fn is_itself(&self, other: &Found) -> bool {
        self.from.is_some_and(|from| from.logical_id == other.logical_id)
    }

    /// Notes that one refers to the other, or says that it must not.
    fn connects(&mut self, name: &Name<'_>) -> bool {
        // Nothing waits for an output.
        let Some(from) = self.from else { return true };
        let edge = (from.logical_id.clone(), name.of.logical_id.clone());
        match &mut self.edges {
            Edges::All(edges) => {
                edges.insert(edge);
                true
            }
            Edges::Only(edges) => edges.contains(&edge),
        }
    }

    /// A text in which others are named.
    fn parts(&mut self, text: &str) -> Value {
        let mut pieces = vec![Piece::Text(text.to_owned())];
        for (secret, parameter) in self.secrets.iter().filter(|(secret, _)| secret.len() >= SHORTEST_ID) {
            split(&mut pieces, secret, parameter, |_, _| true);
        }
        let is_arn = text.starts_with("arn:");
        let names = self.names;
        for name in names {
            if self.is_itself(name.of) {
                continue;
            }
            let is_meant = match name.is_unique {
                true => name.text.len() >= SHORTEST_WITHIN,
                // The name at the end of an ARN, or on the way there.
                false => is_arn && name.attribute == REF && self.depends_on(name.of) && is_of_service(text, name.of),
            };
            if is_meant && text.contains(name.text) && self.connects(name) {
                let written = match name.attribute {
                    REF => name.of.logical_id.to_string(),
                    attribute => format!("{}.{attribute}", name.of.logical_id),
                };
                split(&mut pieces, name.text, &written, is_apart);
            }
        }
        if is_arn {
            let between = |before: Option<char>, after: Option<char>| before == Some(':') && after == Some(':');
            split(&mut pieces, &self.scope.account_id, "AWS::AccountId", between);
            split(&mut pieces, &self.scope.region, "AWS::Region", between);
            if pieces.len() > 1 {
                split(&mut pieces, &self.scope.partition, "AWS::Partition", between);
            }
        }
        if let [Piece::Text(text)] = &pieces[..] {
            return Value::String(text.clone());
        }
        let written = pieces.into_iter().map(|piece| match piece {
            // What looks like a reference and is none is escaped.
            Piece::Text(text) => text.replace("${", "${!"),
            Piece::Reference(name) => format!("${{{name}}}"),
        });
        json!({"Fn::Sub": written.collect::<String>()})
    }
}

/// Where a text stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    key: &'a str,
    naming: Naming,
}

/// What names stand in a property.
#[derive(Clone, Copy)]
enum Naming {
    /// The resource's own.
    Itself,
    /// That of what the resource is a part of.
    ItsWhole,
    /// It is found by it: its own, or that of what it connects.
    ItselfOrAnother,
    Another,
}

impl Place<'_> {
    /// Whether the property is called as such resources are: `FunctionName`, `TABLE_NAME`, `Queues`.
    fn asks_for(self, of: &Found) -> bool {
        let word = of.resource_type.as_str().rsplit("::").next().unwrap_or_default();
        let letters = |text: &str| text.replace('_', "").to_ascii_lowercase();
        letters(self.key).contains(&letters(word))
    }
}

fn is_of_service(arn: &str, of: &Found) -> bool {
    arn.split(':').nth(2).is_some_and(|service| service == of.resource_type.service().to_ascii_lowercase())
}

/// Nothing of a word around it.
fn is_apart(before: Option<char>, after: Option<char>) -> bool {
    let is_word = |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphanumeric() || it == '-' || it == '_');
    !is_word(before) && !is_word(after)
}

/// Puts a reference where a text stands, as often as it does, where what is before and after it allows that.
fn split(pieces: &mut Vec<Piece>, text: &str, reference: &str, may: impl Fn(Option<char>, Option<char>) -> bool) {
    let mut split = Vec::new();
    for piece in pieces.drain(..) {
        let Piece::Text(whole) = piece else {
            split.push(piece);
            continue;
        };
        let mut from = 0;
        for (at, _) in whole.match_indices(text) {
            let end = at + text.len();
            if at < from || !may(whole[..at].chars().next_back(), whole[end..].chars().next()) {
                continue;
            }
            if at > from {
                split.push(Piece::Text(whole[from..at].to_owned()));
            }
            split.push(Piece::Reference(reference.to_owned()));
            from = end;
        }
        if from < whole.len() {
            split.push(Piece::Text(whole[from..].to_owned()));
        }
    }
    *pieces = split;
}
