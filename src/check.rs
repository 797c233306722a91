//! Holds a template's resources against CloudFormation's facts of their types, before AWS is asked anything. Pure.

use serde_json::Value;

use crate::diagnostic::{Diagnostic, SHOWN_LIMIT, Span};
use crate::identity::REF;
use crate::property_path::PropertyPath;
use crate::resource::facts::{At, Finding, lambda_runtime};
use crate::resource::{Row, TYPES, row};
use crate::template::{DeletionPolicyKind, DesiredGraph, DesiredResource, Expr, Part, Reference};

/// How many findings are enough to stop looking for more.
const ENOUGH: usize = 10 * SHOWN_LIMIT;

/// What is done with a template's wish to leave something behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retained {
    /// It is a mistake.
    Refused,
    /// It is not heard.
    Deleted,
}

/// Everything that is wrong, or will be refused by AWS, in a graph's resources and outputs.
///
/// `today` is a date, `2026-11-22`: runtimes are refused from a day on.
pub fn check(graph: &DesiredGraph, today: &str, retained: Retained) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for resource in graph.resources.values() {
        diagnostics.extend(check_resource(graph, resource, today, retained));
        if diagnostics.len() > ENOUGH {
            break;
        }
    }
    diagnostics.extend(graph.outputs.values().flat_map(|output| missing_attributes(graph, &output.value)));
    diagnostics
}

fn check_resource(
    graph: &DesiredGraph,
    resource: &DesiredResource,
    today: &str,
    retained: Retained,
) -> Vec<Diagnostic> {
    let Some(row) = row(&resource.resource_type) else { return vec![unhandled_type(resource)] };
    let mut diagnostics = match retained {
        Retained::Refused => retention(resource),
        Retained::Deleted => Vec::new(),
    };
    diagnostics.extend(missing_attributes(graph, &resource.properties));
    let properties = match graph.evaluate(&resource.properties, &|_, _| None) {
        Ok(properties) => properties,
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            return diagnostics;
        }
    };
    let properties = if properties.is_null() { Value::Object(serde_json::Map::new()) } else { properties };
    let checked = row.facts().check(&properties);
    let refused: Vec<_> = refused_properties(row, resource, &properties).collect();
    let is_sound = checked.findings.is_empty() && refused.is_empty();
    diagnostics.extend(checked.findings.iter().take(SHOWN_LIMIT).map(|finding| placed(resource, finding)));
    diagnostics.extend(refused);
    diagnostics.extend(runtime(resource, &properties, today));
    if is_sound && !crate::unknown::is_within(&checked.value) && !has_packages(row, &checked.value) {
        diagnostics.extend(row.handler.canonical(&checked.value).err().map(|error| {
            Diagnostic::error(format!("the properties do not fit `{}`", resource.resource_type))
                .at(resource.span)
                .label(error)
        }));
    }
    diagnostics
}

fn unhandled_type(resource: &DesiredResource) -> Diagnostic {
    if let Some(finding) = refused_type(resource.resource_type.as_str(), resource.type_span) {
        return finding;
    }
    let known = TYPES.iter().map(|row| row.handler.resource_type());
    Diagnostic::error(format!("paystack does not handle `{}`", resource.resource_type))
        .at(resource.type_span)
        .label("no handler for this type")
        .help("deploy it with another tool, and plan the rest with `--skip-unsupported`")
        .did_you_mean(resource.resource_type.as_str(), known)
}

/// Types that need CloudFormation itself.
fn refused_type(name: &str, span: Span) -> Option<Diagnostic> {
    let (what, why, way_out) = if name.starts_with("Custom::") || name == "AWS::CloudFormation::CustomResource" {
        (
            "custom resources are not supported",
            "their functions answer to CloudFormation",
            "declare what the function makes as resources",
        )
    } else if name == "AWS::CloudFormation::Stack" {
        (
            "nested stacks are not supported",
            "this needs CloudFormation",
            "move the resources into this template, or make the nested one a project of its own",
        )
    } else {
        return None;
    };
    Some(Diagnostic::error(what).at(span).label(why).help(way_out))
}

/// Nothing is ever retained: a stack that is destroyed leaves nothing behind.
fn retention(resource: &DesiredResource) -> Vec<Diagnostic> {
    let policies =
        [("DeletionPolicy", &resource.deletion_policy), ("UpdateReplacePolicy", &resource.update_replace_policy)];
    policies
        .into_iter()
        .filter_map(|(name, policy)| {
            let policy = policy.as_ref()?;
            match policy.kind {
                DeletionPolicyKind::Delete => None,
                _ => Some(
                    Diagnostic::error(format!("`{name}` of `{}` would leave something behind", resource.logical_id))
                        .at(policy.span)
                        .label("only `Delete` is supported")
                        .help(
                            "paystack retains nothing: write `Delete`, or leave the policy out; `--delete-retained` deletes it \
                             all the same",
                        ),
                ),
            }
        })
        .collect()
}

/// What an expression refers to and the types do not have.
fn missing_attributes(graph: &DesiredGraph, expr: &Expr) -> Vec<Diagnostic> {
    let places = expr.placed_references().into_iter();
    places.filter_map(|(reference, span)| Some(missing_attribute(graph, reference)?.at(span))).collect()
}

fn missing_attribute(graph: &DesiredGraph, Reference { resource, attribute }: &Reference) -> Option<Diagnostic> {
    let target = graph.resources.get(resource)?;
    let facts = row(&target.resource_type)?.facts();
    if attribute == REF || facts.has_attribute(attribute) {
        return None;
    }
    let diagnostic = Diagnostic::error(format!("`{}` has no attribute `{attribute}`", target.resource_type))
        .label(format!("`{resource}.{attribute}` does not exist"));
    Some(match facts.nearest_attribute(attribute) {
        Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
        None => diagnostic,
    })
}

fn placed(resource: &DesiredResource, finding: &Finding) -> Diagnostic {
    let diagnostic =
        Diagnostic::error(&finding.message).label(&finding.label).at(place(resource, &finding.path, finding.at));
    match &finding.help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn place(resource: &DesiredResource, path: &PropertyPath, at: At) -> crate::diagnostic::Span {
    if path.is_root() {
        return resource.span;
    }
    let part = match at {
        At::Key => Part::Key,
        At::Value => Part::Value,
    };
    resource.properties.span_at(path.steps(), part)
}

fn refused_properties<'a>(
    row: &'a Row,
    resource: &'a DesiredResource,
    properties: &'a Value,
) -> impl Iterator<Item = Diagnostic> + 'a {
    row.handler.refused().iter().flat_map(move |(property, reason)| {
        let steps: Vec<&str> = property.split('.').collect();
        places_of(properties, &steps).into_iter().map(move |path| {
            Diagnostic::error(format!("paystack does not handle `{path}` of `{}`", resource.resource_type))
                .at(place(resource, &path, At::Key))
                .label("not handled")
                .help(*reason)
        })
    })
}

/// Every place in some properties that a path with `*` for list items leads to.
fn places_of(value: &Value, steps: &[&str]) -> Vec<PropertyPath> {
    let mut places = vec![(PropertyPath::default(), value)];
    for step in steps {
        places = places
            .into_iter()
            .flat_map(|(path, value)| match value {
                Value::Array(items) if *step == "*" => {
                    items.iter().enumerate().map(|(index, item)| (path.index(index), item)).collect()
                }
                value => value.get(step).map(|value| (path.key(step), value)).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    places.into_iter().map(|(path, _)| path).collect()
}

/// A function's code or a layer's content is a path until the packages are made.
fn has_packages(row: &Row, properties: &Value) -> bool {
    let Some(fields) = properties.as_object() else { return false };
    fields.keys().any(|name| row.facts().is_packaged(&PropertyPath::of(name)))
}

/// AWS closes a runtime first for new functions, then for changes.
fn runtime(resource: &DesiredResource, properties: &Value, today: &str) -> Option<Diagnostic> {
    if resource.resource_type.as_str() != "AWS::Lambda::Function" {
        return None;
    }
    let name = properties.get("Runtime")?.as_str()?;
    let runtime = lambda_runtime(name)?;
    let successor = runtime.successor.as_deref().map_or(String::new(), |it| format!(": move to `{it}`"));
    let passed = |date: &Option<String>| date.clone().filter(|date| date.as_str() <= today);
    let message = if let Some(date) = passed(&runtime.update_blocked) {
        format!("AWS has refused to create or change functions of `{name}` since {date}")
    } else if let Some(date) = passed(&runtime.create_blocked) {
        format!("AWS has refused to create functions of `{name}` since {date}")
    } else {
        let date = passed(&runtime.deprecated)?;
        format!("AWS has not maintained the runtime `{name}` since {date}")
    };
    let place = place(resource, &PropertyPath::of("Runtime"), At::Value);
    Some(Diagnostic::warning(message).at(place).label(format!("`{name}` is at its end{successor}")))
}
