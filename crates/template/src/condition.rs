//! What `Conditions` and `Rules` decide.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::{IndexMap, IndexSet};
use serde_json::Value;

use super::document::{Kind as NodeKind, Node};
use super::evaluate::Scope;
use super::expression::Expr;
use super::intrinsic::{CallNode, Place, Reader, VALUES, as_call, refused, unknown_function};
use crate::diagnostic::{Diagnostic, Span};
use crate::unknown;

/// A test over parameters, mappings and pseudo parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    kind: Kind,
    span: Span,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Another condition, by its name.
    Named(String),
    Equals(Expr, Expr),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    /// Whether a list has a value in it.
    Contains {
        list: Expr,
        value: Expr,
    },
    /// Whether every item of a list is the same value.
    EachEquals {
        list: Expr,
        value: Expr,
    },
    /// Whether every item of a list is in another.
    EachIn {
        list: Expr,
        among: Expr,
    },
}

impl Condition {
    pub(super) fn read(reader: &mut Reader, node: &Node) -> Option<Self> {
        debug_assert!(matches!(reader.place, Place::Condition), "conditions stand in places of conditions");
        let Some(call) = as_call(node, Place::Condition) else {
            let message = format!("expected a condition such as `Fn::Equals`, found {}", node.describe());
            reader.report(Diagnostic::error(message).at(node.span));
            return None;
        };
        Self::kind(reader, call).map(|kind| Self { kind, span: node.span })
    }

    fn kind(reader: &mut Reader, call: CallNode) -> Option<Kind> {
        match call.function {
            "Condition" => reader.condition_name(call.argument).map(Kind::Named),
            "Fn::Equals" => pair(reader, call, "two values").map(|[left, right]| Kind::Equals(left, right)),
            "Fn::And" => several(reader, call).map(Kind::And),
            "Fn::Or" => several(reader, call).map(Kind::Or),
            "Fn::Not" => {
                let [condition] = reader.arguments(call, "one condition")?;
                Some(Kind::Not(Box::new(Self::read(reader, condition)?)))
            }
            "Fn::Contains" => {
                pair(reader, call, "a list and a value").map(|[list, value]| Kind::Contains { list, value })
            }
            "Fn::EachMemberEquals" => {
                pair(reader, call, "a list and a value").map(|[list, value]| Kind::EachEquals { list, value })
            }
            "Fn::EachMemberIn" => pair(reader, call, "two lists").map(|[list, among]| Kind::EachIn { list, among }),
            _ => {
                let finding = not_a_condition(reader, call);
                reader.report(finding);
                None
            }
        }
    }

    /// Whether it holds; the conditions that it names have been decided before.
    pub(super) fn holds(&self, scope: &Scope) -> Result<bool, Diagnostic> {
        match &self.kind {
            Kind::Named(name) => Ok(scope.conditions.get(name).copied().unwrap_or_default()),
            Kind::Equals(left, right) => self.same(&scope.constant(left)?, &scope.constant(right)?),
            Kind::And(all) => all.iter().try_fold(true, |holds, it| Ok(holds & it.holds(scope)?)),
            Kind::Or(any) => any.iter().try_fold(false, |holds, it| Ok(holds | it.holds(scope)?)),
            Kind::Not(condition) => Ok(!condition.holds(scope)?),
            Kind::Contains { list, value } => self.contains(&scope.constant_list(list)?, &scope.constant(value)?),
            Kind::EachEquals { list, value } => {
                let value = scope.constant(value)?;
                scope.constant_list(list)?.iter().try_fold(true, |all, item| Ok(all & self.same(item, &value)?))
            }
            Kind::EachIn { list, among } => self.each_is_in(&scope.constant_list(list)?, &scope.constant_list(among)?),
        }
    }

    fn each_is_in(&self, list: &[Value], among: &[Value]) -> Result<bool, Diagnostic> {
        if list.iter().chain(among).any(unknown::is_within) {
            // What is unknown comes first: whatever it is compared with, that is the end of it.
            let (unknown, known): (Vec<_>, Vec<_>) = list.iter().partition(|it| unknown::is_within(it));
            let mut items = unknown.into_iter().chain(known);
            return items.try_fold(true, |all, item| Ok(all & self.contains(among, item)?));
        }
        let compared = |item| as_compared(item).to_string();
        let among: BTreeSet<String> = among.iter().map(compared).collect();
        Ok(list.iter().map(compared).all(|item| among.contains(&item)))
    }

    fn contains(&self, list: &[Value], value: &Value) -> Result<bool, Diagnostic> {
        list.iter().try_fold(false, |any, item| Ok(any | self.same(item, value)?))
    }

    /// Whether two values are the same text: to a condition `true` and `"true"` are one.
    fn same(&self, left: &Value, right: &Value) -> Result<bool, Diagnostic> {
        let is_unknown = unknown::is_within(left) || unknown::is_within(right);
        if is_unknown && left != right {
            let finding = Diagnostic::error("this condition depends on what is not known without asking AWS");
            return Err(finding.at(self.span).help("let it depend on a parameter instead"));
        }
        Ok(as_compared(left) == as_compared(right))
    }

    /// The conditions that this one names.
    fn names(&self) -> Vec<&str> {
        match &self.kind {
            Kind::Named(name) => vec![name],
            Kind::And(all) | Kind::Or(all) => all.iter().flat_map(Self::names).collect(),
            Kind::Not(it) => it.names(),
            Kind::Equals(..) | Kind::Contains { .. } | Kind::EachEquals { .. } | Kind::EachIn { .. } => Vec::new(),
        }
    }
}

/// A condition of the section `Conditions`.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedCondition {
    /// What it tests.
    pub condition: Condition,
    /// The place of its name.
    pub span: Span,
}

/// Puts conditions into an order in which each comes after those that it names, or reports those that go in a circle.
pub(super) fn ordered(
    conditions: &IndexMap<String, NamedCondition>,
    diagnostics: &mut Vec<Diagnostic>,
) -> IndexMap<String, NamedCondition> {
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut undecided: IndexMap<&str, usize> = IndexMap::new();
    for (name, named) in conditions {
        let names: BTreeSet<&str> =
            named.condition.names().into_iter().filter(|it| conditions.contains_key(*it)).collect();
        undecided.insert(name, names.len());
        names.into_iter().for_each(|it| dependents.entry(it).or_default().push(name));
    }
    let mut order: Vec<&str> = undecided.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    let mut next = 0;
    while let Some(name) = order.get(next).copied() {
        for dependent in dependents.remove(name).unwrap_or_default() {
            let count = undecided.entry(dependent).and_modify(|count| *count -= 1).or_default();
            if *count == 0 {
                order.push(dependent);
            }
        }
        next += 1;
    }
    undecided.retain(|_, count| *count > 0);
    diagnostics.extend(circle(conditions, &undecided));
    order.into_iter().filter_map(|name| Some((name.to_owned(), conditions.get(name)?.clone()))).collect()
}

/// A circle among conditions of which each names another.
fn circle(conditions: &IndexMap<String, NamedCondition>, undecided: &IndexMap<&str, usize>) -> Option<Diagnostic> {
    let mut path: IndexSet<&str> = IndexSet::new();
    let mut name = *undecided.keys().next()?;
    while path.insert(name) {
        let names = conditions.get(name)?.condition.names();
        name = names.into_iter().find(|it| undecided.contains_key(it))?;
    }
    let circle: Vec<&str> = path.into_iter().skip_while(|it| *it != name).chain([name]).collect();
    let finding = Diagnostic::error(format!("conditions go round in a circle: {}", circle.join(" -> ")));
    Some(finding.at(conditions.get(name)?.span))
}

fn as_compared(value: &Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        Value::Array(items) => items.iter().map(as_compared).collect(),
        Value::Null | Value::String(_) | Value::Object(_) => value.clone(),
    }
}

fn pair(reader: &mut Reader, call: CallNode, wanted: &str) -> Option<[Expr; 2]> {
    let [left, right] = reader.arguments(call, wanted)?;
    Some([left, right].map(|node| reader.expression(node)))
}

fn several(reader: &mut Reader, call: CallNode) -> Option<Vec<Condition>> {
    match &call.argument.kind {
        NodeKind::List(items) if (2..=10).contains(&items.len()) => {
            let conditions: Vec<_> = items.iter().map(|item| Condition::read(reader, item)).collect();
            conditions.into_iter().collect()
        }
        _ => {
            reader.wrong_argument(call, "a list of two to ten conditions");
            None
        }
    }
}

fn not_a_condition(reader: &Reader, call: CallNode) -> Diagnostic {
    let written = reader.written(call.function_span);
    if let Some(finding) = refused(call.function, &format!("`{written}`"), call.function_span) {
        finding
    } else if VALUES.contains(&call.function) {
        Diagnostic::error(format!("`{written}` is not a condition"))
            .at(call.function_span)
            .help("compare what it gives with `Fn::Equals`")
    } else {
        unknown_function(call.function, &written, call.function_span)
    }
}
