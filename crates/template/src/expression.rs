//! What a template gives as a value, before its references are known: data, with function calls in it.
//!
//! Knows what can be called and where everything stands, not what a call gives: that is `evaluate`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pseudo::PseudoParameter;
use crate::diagnostic::Span;
use crate::identity::LogicalId;
use crate::property_path::PathStep;

/// A value of the template, and its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expr {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Kind {
    Literal(Value),
    /// What cannot be read and has been reported: nothing is known of it.
    Mistake,
    /// Copies share what is in it, as those of an object do: most of it stays as it is written.
    List(Arc<Vec<Expr>>),
    Object(Arc<Vec<Field>>),
    Parameter(String),
    Pseudo(PseudoParameter),
    /// `Ref` or `Fn::GetAtt` of a resource.
    Attribute(Reference),
    /// `Fn::Sub`, taken apart.
    Concat(Vec<Expr>),
    Join {
        delimiter: Box<Expr>,
        items: Box<Expr>,
    },
    Select {
        index: Box<Expr>,
        items: Box<Expr>,
    },
    Split {
        delimiter: Box<Expr>,
        text: Box<Expr>,
    },
    FindInMap(Box<FindInMap>),
    Import(Box<Import>),
    If(Box<If>),
    Base64(Box<Expr>),
    Length(Box<Expr>),
    ToJsonString(Box<Expr>),
    AvailabilityZones(Box<Expr>),
}

/// A key of an object and its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) value: Expr,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FindInMap {
    pub(super) mapping: Expr,
    pub(super) first: Expr,
    pub(super) second: Expr,
    pub(super) default: Option<Expr>,
}

/// What another stack gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Import {
    /// `Fn::ImportValue`.
    Export(Expr),
    /// `Fn::GetStackOutput`; `elsewhere` is the region and the role that it is read with, where the template names them.
    Output { stack: Expr, output: Expr, elsewhere: Vec<Expr> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct If {
    pub(super) condition: String,
    pub(super) then: Expr,
    pub(super) otherwise: Expr,
}

/// An attribute of a resource that something refers to; [`REF`](crate::identity::REF) for what `Ref` gives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reference {
    pub resource: LogicalId,
    pub attribute: String,
}

/// Which part of a field a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The name: it should not be there.
    Key,
    /// The value: it should be another.
    Value,
}

impl Expr {
    pub(super) fn new(kind: Kind, span: Span) -> Self {
        Self { kind, span }
    }

    /// A known value that stands in for what the template says at `span`.
    pub fn literal(value: Value, span: Span) -> Self {
        Self::new(Kind::Literal(value), span)
    }

    /// Where the value stands in the template.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The place of what a path leads to, or of the last thing on the way that the template spells out: behind a
    /// function call there is only the call.
    pub fn span_at(&self, path: &[PathStep], part: Part) -> Span {
        let mut span = self.span;
        let mut expr = self;
        for (step, rest) in path.iter().zip((0..path.len()).rev()) {
            let Some((key_span, child)) = expr.step(step) else { return span };
            expr = child;
            span = match (part, key_span, rest) {
                (Part::Key, Some(key_span), 0) => key_span,
                _ => child.span,
            };
        }
        span
    }

    /// The expression that a path leads to, if the template spells it out.
    pub fn at(&self, path: &[PathStep]) -> Option<&Expr> {
        path.iter().try_fold(self, |expr, step| expr.step(step).map(|(_, child)| child))
    }

    /// The fields of an object that the template spells out.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Expr)> {
        let fields = match &self.kind {
            Kind::Object(fields) => fields.as_slice(),
            _ => &[],
        };
        fields.iter().map(|field| (field.key.as_str(), &field.value))
    }

    /// The value, if it is written out as such, without any call.
    pub fn as_literal(&self) -> Option<&Value> {
        match &self.kind {
            Kind::Literal(value) => Some(value),
            _ => None,
        }
    }

    fn step(&self, step: &PathStep) -> Option<(Option<Span>, &Expr)> {
        match (&self.kind, step) {
            (Kind::Object(fields), PathStep::Key(key)) => {
                fields.iter().find(|field| field.key == *key).map(|field| (Some(field.key_span), &field.value))
            }
            // `AWS::NoValue` leaves no item behind, so that it does not count.
            (Kind::List(items), PathStep::Index(index)) => {
                let is_item = |item: &&Expr| item.kind != Kind::Pseudo(PseudoParameter::NoValue);
                items.iter().filter(is_item).nth(*index).map(|item| (None, item))
            }
            _ => None,
        }
    }

    /// The values of an object, or the one value that something else is.
    pub(super) fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            Kind::Object(fields) => fields.iter().map(|field| &field.value).collect(),
            _ => vec![self],
        }
    }

    /// The same, to be changed.
    pub(super) fn parts_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Expr { kind: Kind::Object(fields), .. } => {
                Arc::make_mut(fields).iter_mut().map(|field| &mut field.value).collect()
            }
            other => vec![other],
        }
    }

    /// Sets a field; a value that is not an object becomes one. A field that is there already keeps its place.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        if !matches!(self.kind, Kind::Object(_)) {
            self.kind = Kind::Object(Arc::default());
        }
        let span = self.span;
        if let Kind::Object(fields) = &mut self.kind {
            let fields = Arc::make_mut(fields);
            match fields.iter_mut().find(|field| field.key == key) {
                Some(field) => field.value.kind = Kind::Literal(value),
                None => {
                    let value = Expr::literal(value, span);
                    fields.push(Field { key: key.to_owned(), key_span: span, value });
                }
            }
        }
    }

    /// Everything that the expression refers to.
    pub fn references(&self) -> BTreeSet<Reference> {
        let mut references = BTreeSet::new();
        self.visit(&mut |expr| {
            if let Kind::Attribute(reference) = &expr.kind {
                references.insert(reference.clone());
            }
        });
        references
    }

    /// Everything that the expression refers to, each at its place.
    pub fn placed_references(&self) -> Vec<(&Reference, Span)> {
        let mut references = Vec::new();
        self.visit(&mut |expr| {
            if let Kind::Attribute(reference) = &expr.kind {
                references.push((reference, expr.span));
            }
        });
        references
    }

    pub(super) fn visit<'a>(&'a self, look: &mut impl FnMut(&'a Expr)) {
        look(self);
        self.for_each_child(&mut |child| child.visit(look));
    }

    fn for_each_child<'a>(&'a self, look: &mut dyn FnMut(&'a Expr)) {
        match &self.kind {
            Kind::Literal(_) | Kind::Mistake | Kind::Parameter(_) | Kind::Pseudo(_) | Kind::Attribute(_) => {}
            Kind::List(items) => items.iter().for_each(look),
            Kind::Concat(parts) => parts.iter().for_each(look),
            Kind::Object(fields) => fields.iter().map(|field| &field.value).for_each(look),
            Kind::Join { delimiter: one, items: other }
            | Kind::Select { index: one, items: other }
            | Kind::Split { delimiter: one, text: other } => [one.as_ref(), other].into_iter().for_each(look),
            Kind::FindInMap(find) => {
                let FindInMap { mapping, first, second, default } = find.as_ref();
                [mapping, first, second].into_iter().chain(default).for_each(look);
            }
            Kind::Import(import) => match import.as_ref() {
                Import::Export(name) => look(name),
                Import::Output { stack, output, elsewhere } => {
                    elsewhere.iter().chain([stack, output]).for_each(look);
                }
            },
            Kind::If(choice) => [&choice.then, &choice.otherwise].into_iter().for_each(look),
            Kind::Base64(it) | Kind::Length(it) | Kind::ToJsonString(it) | Kind::AvailabilityZones(it) => look(it),
        }
    }

    fn for_each_child_mut(&mut self, change: &mut dyn FnMut(&mut Expr)) {
        match &mut self.kind {
            Kind::Literal(_) | Kind::Mistake | Kind::Parameter(_) | Kind::Pseudo(_) | Kind::Attribute(_) => {}
            Kind::List(items) => Arc::make_mut(items).iter_mut().for_each(change),
            Kind::Concat(parts) => parts.iter_mut().for_each(change),
            Kind::Object(fields) => Arc::make_mut(fields).iter_mut().map(|field| &mut field.value).for_each(change),
            Kind::Join { delimiter: one, items: other }
            | Kind::Select { index: one, items: other }
            | Kind::Split { delimiter: one, text: other } => [one.as_mut(), other].into_iter().for_each(change),
            Kind::FindInMap(find) => {
                let FindInMap { mapping, first, second, default } = find.as_mut();
                [mapping, first, second].into_iter().chain(default).for_each(change);
            }
            Kind::Import(import) => match import.as_mut() {
                Import::Export(name) => change(name),
                Import::Output { stack, output, elsewhere } => {
                    elsewhere.iter_mut().chain([stack, output]).for_each(change);
                }
            },
            Kind::If(choice) => [&mut choice.then, &mut choice.otherwise].into_iter().for_each(change),
            Kind::Base64(it) | Kind::Length(it) | Kind::ToJsonString(it) | Kind::AvailabilityZones(it) => change(it),
        }
    }

    /// Replaces every `Fn::If` by the branch that its condition chooses.
    pub(super) fn choose(&mut self, conditions: &BTreeMap<String, bool>) {
        let mut has_choice = false;
        self.visit(&mut |part| has_choice |= matches!(part.kind, Kind::If(_)));
        if has_choice {
            self.choose_within(conditions);
        }
    }

    fn choose_within(&mut self, conditions: &BTreeMap<String, bool>) {
        while let Kind::If(choice) = &mut self.kind {
            let is_met = conditions.get(&choice.condition).copied().unwrap_or_default();
            let chosen = if is_met { &mut choice.then } else { &mut choice.otherwise };
            *self = Expr::new(std::mem::replace(&mut chosen.kind, Kind::Mistake), chosen.span);
        }
        self.for_each_child_mut(&mut |child| child.choose_within(conditions));
    }
}
