//! The positioned tree → expressions: recognises the function calls, and checks what they name.
//!
//! Every error becomes a diagnostic and a placeholder, so that one wrong call does not hide the next.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::document::{Entry, Kind as NodeKind, Node};
use super::expression::{Expr, Field, FindInMap, If, Import, Kind, Reference};
use super::pseudo::PseudoParameter;
use super::section::fields;
use crate::diagnostic::{Diagnostic, SHOWN_LIMIT, Span, nearest};
use crate::identity::{LogicalId, REF, Resources, Written};

/// How many values the variables of a template's `Fn::Sub`s may repeat: a variable within a variable doubles each time.
const COPIED_VALUES_LIMIT: usize = 100_000;

/// Functions that give a value.
pub(super) const VALUES: [&str; 14] = [
    "Ref",
    "Fn::Base64",
    "Fn::FindInMap",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::GetStackOutput",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Length",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::ToJsonString",
];

/// Functions that give true or false: for `Conditions` and `Rules` only.
const TESTS: [&str; 8] = [
    "Condition",
    "Fn::And",
    "Fn::Contains",
    "Fn::EachMemberEquals",
    "Fn::EachMemberIn",
    "Fn::Equals",
    "Fn::Not",
    "Fn::Or",
];

/// What CloudFormation can and paystack cannot, why, and the way out.
const REFUSED: [(&str, &str, &str); 6] = [
    ("Fn::Transform", "macros run inside of CloudFormation", "write out what the macro makes"),
    (
        "Fn::ForEach",
        "loops belong to the language extensions",
        "write `Transform: AWS::LanguageExtensions` at the top of the template",
    ),
    ("Fn::Cidr", "it is for networks, which paystack does not handle", "write out the address blocks"),
    ("Fn::RefAll", "the accounts' parameter values are known only inside of CloudFormation", "name the values"),
    ("Fn::ValueOf", "attributes of parameters are known only inside of CloudFormation", "name the values"),
    ("Fn::ValueOfAll", "attributes of parameters are known only inside of CloudFormation", "name the values"),
];

/// Every name that expressions may refer to.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Whether the template is written with `AWS::LanguageExtensions`.
    pub(super) has_extensions: bool,
    pub(super) parameters: BTreeSet<String>,
    pub(super) resources: Resources,
    pub(super) conditions: BTreeSet<String>,
    pub(super) mappings: BTreeSet<String>,
}

impl Names {
    /// The resource of this name: all that refers to it shares its text.
    pub(super) fn resource(&self, name: &str) -> Option<LogicalId> {
        self.resources.get(&Written(name)).cloned()
    }
}

/// Where an expression stands decides what it may refer to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// Within a resource, which must not refer to itself.
    Resource(&'a str),
    Output,
    /// Within `Conditions` or `Rules`, which are decided before there are resources.
    Condition,
}

/// Reads the expressions of one place.
pub(super) struct Reader<'a> {
    pub(super) source: &'a str,
    pub(super) names: &'a Names,
    pub(super) place: Place<'a>,
    /// How many values the variables of `Fn::Sub` have repeated so far.
    pub(super) copied: &'a mut usize,
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
}

/// A function call, in its short or long form.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallNode<'a> {
    pub(super) function: &'a str,
    pub(super) function_span: Span,
    pub(super) argument: &'a Node,
}

/// A node as a call: `!Sub x`, or an object whose only key is a function's name. `{Condition: x}` is a call only where
/// conditions stand; elsewhere it is a policy statement's.
pub(super) fn as_call<'a>(node: &'a Node, place: Place<'_>) -> Option<CallNode<'a>> {
    let is_function = |name: &str| {
        name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && matches!(place, Place::Condition))
    };
    match &node.kind {
        NodeKind::Call(call) => {
            Some(CallNode { function: &call.function, function_span: call.function_span, argument: &call.argument })
        }
        NodeKind::Map(entries) => match entries.as_slice() {
            [Entry { key, key_span, value }] if is_function(key) => {
                Some(CallNode { function: key, function_span: *key_span, argument: value })
            }
            _ => None,
        },
        _ => None,
    }
}

impl<'a> Reader<'a> {
    pub(super) fn expression(&mut self, node: &Node) -> Expr {
        if let Some(call) = as_call(node, self.place) {
            let kind = self.call(call);
            return Expr::new(kind.unwrap_or(Kind::Mistake), node.span);
        }
        let kind = match &node.kind {
            NodeKind::Null => self.null(node.span),
            NodeKind::List(items) => Kind::List(Arc::new(items.iter().map(|item| self.expression(item)).collect())),
            NodeKind::Map(entries) => Kind::Object(Arc::new(entries.iter().map(|entry| self.field(entry)).collect())),
            NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::Call(_) => {
                Kind::Literal(node.to_value())
            }
        };
        Expr::new(kind, node.span)
    }

    /// The same of a node that nothing else needs: its texts are not copied.
    pub(super) fn taken(&mut self, node: Node) -> Expr {
        if as_call(&node, self.place).is_some() {
            return self.expression(&node);
        }
        let kind = match node.kind {
            NodeKind::List(items) => Kind::List(Arc::new(items.into_iter().map(|item| self.taken(item)).collect())),
            NodeKind::Map(entries) => {
                let field = |Entry { key, key_span, value }| {
                    self.check_key(&key, key_span);
                    Field { key, key_span, value: self.taken(value) }
                };
                Kind::Object(Arc::new(entries.into_iter().map(field).collect()))
            }
            NodeKind::Text(text) => Kind::Literal(Value::String(text)),
            kind => return self.expression(&Node { kind, span: node.span }),
        };
        Expr::new(kind, node.span)
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports a name that there is not, with the nearest that there is.
    fn report_unknown<'n>(&mut self, finding: Diagnostic, name: &str, known: impl IntoIterator<Item = &'n str>) {
        let finding = if self.diagnostics.len() < SHOWN_LIMIT { finding.did_you_mean(name, known) } else { finding };
        self.report(finding);
    }

    fn null(&mut self, span: Span) -> Kind {
        let finding = Diagnostic::error("null is not allowed in a template");
        self.report(finding.at(span).help("leave the property out, or give it `!Ref AWS::NoValue`"));
        Kind::Mistake
    }

    fn check_key(&mut self, key: &str, span: Span) {
        if key.starts_with("Fn::ForEach") {
            self.report(refused("Fn::ForEach", "`Fn::ForEach`", span).unwrap_or_else(|| unknown_key(key, span)));
        } else if key.starts_with("Fn::") {
            self.report(unknown_key(key, span));
        }
    }

    fn field(&mut self, entry: &Entry) -> Field {
        self.check_key(&entry.key, entry.key_span);
        Field { key: entry.key.clone(), key_span: entry.key_span, value: self.expression(&entry.value) }
    }

    fn call(&mut self, call: CallNode) -> Option<Kind> {
        match call.function {
            "Ref" => self.reference(call),
            "Fn::GetAtt" => self.get_att(call),
            "Fn::Sub" => self.sub(call),
            "Fn::Join" => {
                let [delimiter, items] = self.arguments(call, "a delimiter and a list")?;
                Some(Kind::Join { delimiter: self.boxed(delimiter), items: self.boxed(items) })
            }
            "Fn::Select" => {
                let [index, items] = self.arguments(call, "an index and a list")?;
                Some(Kind::Select { index: self.boxed(index), items: self.boxed(items) })
            }
            "Fn::Split" => {
                let [delimiter, text] = self.arguments(call, "a delimiter and a string")?;
                Some(Kind::Split { delimiter: self.boxed(delimiter), text: self.boxed(text) })
            }
            "Fn::FindInMap" => self.find_in_map(call),
            "Fn::ImportValue" => self.import(call, |reader| Some(Import::Export(reader.expression(call.argument)))),
            "Fn::GetStackOutput" => self.import(call, |reader| reader.stack_output(call)),
            "Fn::If" => self.choice(call),
            "Fn::Base64" => Some(Kind::Base64(self.boxed(call.argument))),
            "Fn::Length" => {
                self.needs_extensions(call, "");
                Some(Kind::Length(self.boxed(call.argument)))
            }
            "Fn::ToJsonString" => {
                self.needs_extensions(call, "");
                Some(Kind::ToJsonString(self.boxed(call.argument)))
            }
            "Fn::GetAZs" => Some(Kind::AvailabilityZones(self.boxed(call.argument))),
            _ => {
                self.not_a_value(call);
                None
            }
        }
    }

    /// CloudFormation knows some functions only in templates that say so.
    fn needs_extensions(&mut self, call: CallNode, what: &str) {
        if !self.names.has_extensions {
            let message = format!("{what}`{}` belongs to the language extensions", self.written(call.function_span));
            let finding = Diagnostic::error(message).at(call.function_span);
            self.report(finding.help("write `Transform: AWS::LanguageExtensions` at the top of the template"));
        }
    }

    fn boxed(&mut self, node: &Node) -> Box<Expr> {
        Box::new(self.expression(node))
    }

    /// Exactly `N` arguments, or a diagnostic.
    pub(super) fn arguments<'n, const N: usize>(&mut self, call: CallNode<'n>, wanted: &str) -> Option<&'n [Node; N]> {
        let NodeKind::List(items) = &call.argument.kind else {
            self.wrong_argument(call, &format!("a list of {wanted}"));
            return None;
        };
        let arguments = items.as_slice().try_into().ok();
        if arguments.is_none() {
            self.wrong_argument(call, &format!("a list of {wanted}"));
        }
        arguments
    }

    pub(super) fn wrong_argument(&mut self, call: CallNode, wanted: &str) {
        let found = match &call.argument.kind {
            NodeKind::List(items) => format!("a list of {}", items.len()),
            _ => call.argument.describe().to_owned(),
        };
        let message = format!("`{}` takes {wanted}, found {found}", self.written(call.function_span));
        self.report(Diagnostic::error(message).at(call.function_span));
    }

    fn reference(&mut self, call: CallNode) -> Option<Kind> {
        let Some(name) = call.argument.text() else {
            self.wrong_argument(call, "the name of a parameter or a resource");
            return None;
        };
        self.named(name, call.argument.span)
    }

    /// What `Ref` and a plain `${Name}` refer to.
    fn named(&mut self, name: &str, span: Span) -> Option<Kind> {
        if let Some(pseudo) = PseudoParameter::from_name(name) {
            return Some(Kind::Pseudo(pseudo));
        }
        if self.names.parameters.contains(name) {
            return Some(Kind::Parameter(name.to_owned()));
        }
        if let Some(resource) = self.names.resource(name) {
            return self.attribute(resource, REF, span);
        }
        let names = self.names;
        let parameters = names.parameters.iter().map(String::as_str);
        let known = parameters.chain(names.resources.iter().map(LogicalId::as_str));
        let finding = Diagnostic::error(format!("there is no parameter or resource `{name}`")).at(span);
        self.report_unknown(finding, name, known.chain(PseudoParameter::names()));
        None
    }

    fn get_att(&mut self, call: CallNode) -> Option<Kind> {
        let wanted = "`Resource.Attribute`, or a list of both";
        let (resource, attribute) = match &call.argument.kind {
            NodeKind::Text(text) => match text.split_once('.') {
                Some(parts) => parts,
                None => {
                    self.wrong_argument(call, wanted);
                    return None;
                }
            },
            _ => {
                let [resource, attribute] = self.arguments(call, "a resource and an attribute")?;
                let (Some(resource), Some(attribute)) = (resource.text(), attribute.text()) else {
                    self.wrong_argument(call, wanted);
                    return None;
                };
                (resource, attribute)
            }
        };
        self.attribute_of(resource, attribute, call.argument.span)
    }

    /// An attribute of what should be a resource.
    fn attribute_of(&mut self, resource: &str, attribute: &str, span: Span) -> Option<Kind> {
        if let Some(resource) = self.names.resource(resource) {
            return self.attribute(resource, attribute, span);
        }
        let finding = Diagnostic::error(format!("there is no resource `{resource}`")).at(span);
        self.report_unknown(finding, resource, self.names.resources.iter().map(LogicalId::as_str));
        None
    }

    /// An attribute of a resource that exists, if this place may refer to it.
    fn attribute(&mut self, resource: LogicalId, attribute: &str, span: Span) -> Option<Kind> {
        let finding = match self.place {
            Place::Resource(own) if own == resource.as_str() => {
                Diagnostic::error(format!("`{resource}` refers to itself"))
                    .help("a value cannot be known before the resource that it is given to")
            }
            Place::Condition => Diagnostic::error(format!("a condition cannot refer to the resource `{resource}`"))
                .help("conditions are decided by parameters, mappings and pseudo parameters"),
            Place::Resource(_) | Place::Output => {
                let reference = Reference { resource, attribute: attribute.to_owned() };
                return Some(Kind::Attribute(reference));
            }
        };
        self.report(finding.at(span));
        None
    }

    fn find_in_map(&mut self, call: CallNode) -> Option<Kind> {
        let wanted = "a mapping and two keys";
        let (arguments, default) = match &call.argument.kind {
            NodeKind::List(items) if items.len() == 4 => {
                self.needs_extensions(call, "a default value of ");
                (items.first_chunk::<3>(), self.default_value(&items[3]))
            }
            _ => (Some(self.arguments::<3>(call, wanted)?), None),
        };
        let [mapping, first, second] = arguments?;
        if let Some(name) = mapping.text().filter(|name| !self.names.mappings.contains(*name)) {
            let finding = Diagnostic::error(format!("there is no mapping `{name}`")).at(mapping.span);
            self.report_unknown(finding, name, self.names.mappings.iter().map(String::as_str));
        }
        let [mapping, first, second] = [mapping, first, second].map(|node| self.expression(node));
        Some(Kind::FindInMap(Box::new(FindInMap { mapping, first, second, default })))
    }

    /// What other stacks give is not known before conditions are decided.
    fn import(&mut self, call: CallNode, read: impl FnOnce(&mut Self) -> Option<Import>) -> Option<Kind> {
        if matches!(self.place, Place::Condition) {
            let message = format!("a condition cannot contain `{}`", self.written(call.function_span));
            let finding = Diagnostic::error(message).at(call.function_span);
            self.report(finding.help("conditions are decided by parameters, mappings and pseudo parameters"));
            return None;
        }
        read(self).map(|import| Kind::Import(Box::new(import)))
    }

    fn stack_output(&mut self, call: CallNode) -> Option<Import> {
        const KNOWN: [&str; 4] = ["OutputName", "Region", "RoleArn", "StackName"];
        let fields = fields(call.argument, "`Fn::GetStackOutput`", &KNOWN, self.diagnostics)?;
        let (Some(stack), Some(output)) = (fields.get("StackName"), fields.get("OutputName")) else {
            self.wrong_argument(call, "a map with `StackName` and `OutputName`");
            return None;
        };
        let elsewhere = ["RoleArn", "Region"].into_iter().filter_map(|name| fields.get(name));
        Some(Import::Output {
            elsewhere: elsewhere.map(|entry| self.expression(&entry.value)).collect(),
            stack: self.expression(&stack.value),
            output: self.expression(&output.value),
        })
    }

    fn default_value(&mut self, node: &Node) -> Option<Expr> {
        match &node.kind {
            NodeKind::Map(entries) if entries.len() == 1 && entries[0].key == "DefaultValue" => {
                Some(self.expression(&entries[0].value))
            }
            _ => {
                let message = format!("expected `DefaultValue` after the two keys, found {}", node.describe());
                self.report(Diagnostic::error(message).at(node.span));
                None
            }
        }
    }

    fn choice(&mut self, call: CallNode) -> Option<Kind> {
        if matches!(self.place, Place::Condition) {
            let finding = Diagnostic::error("a condition cannot contain `Fn::If`").at(call.function_span);
            self.report(finding.help("combine conditions with `Fn::And`, `Fn::Or` and `Fn::Not`"));
            return None;
        }
        let [condition, then, otherwise] = self.arguments(call, "a condition's name and two values")?;
        let name = self.condition_name(condition);
        let [then, otherwise] = [then, otherwise].map(|node| self.expression(node));
        Some(Kind::If(Box::new(If { condition: name?, then, otherwise })))
    }

    /// The name of a condition that exists, or a diagnostic.
    pub(super) fn condition_name(&mut self, node: &Node) -> Option<String> {
        let Some(name) = node.text() else {
            let message = format!("expected the name of a condition, found {}", node.describe());
            self.report(Diagnostic::error(message).at(node.span));
            return None;
        };
        if !self.names.conditions.contains(name) {
            let finding = Diagnostic::error(format!("there is no condition `{name}`")).at(node.span);
            self.report_unknown(finding, name, self.names.conditions.iter().map(String::as_str));
            return None;
        }
        Some(name.to_owned())
    }

    fn sub(&mut self, call: CallNode) -> Option<Kind> {
        let (text_node, variables) = match &call.argument.kind {
            NodeKind::Text(_) => (call.argument, None),
            _ => {
                let [text, variables] = self.arguments(call, "a string and a map of variables")?;
                (text, Some(variables))
            }
        };
        let Some(text) = text_node.text() else {
            self.wrong_argument(call, "a string, or a list of a string and a map of variables");
            return None;
        };
        let variables = match variables.map(|node| &node.kind) {
            None => Vec::new(),
            Some(NodeKind::Map(entries)) => entries.iter().map(|entry| self.field(entry)).collect(),
            Some(_) => {
                self.wrong_argument(call, "a list of a string and a map of variables");
                return None;
            }
        };
        self.substituted(text, text_node.span, &variables).map(Kind::Concat)
    }

    /// Takes a text with `${Name}`s apart.
    fn substituted(&mut self, text: &str, span: Span, variables: &[Field]) -> Option<Vec<Expr>> {
        let variables: HashMap<&str, &Expr> = variables.iter().map(|it| (it.key.as_str(), &it.value)).collect();
        let mut parts = Vec::new();
        let mut rest = text;
        let mut searched = span.start;
        while let Some((before, name, after)) = next_variable(rest) {
            parts.push(Expr::literal(Value::String(before.to_owned()), span));
            let place = self.place_of(&format!("${{{name}}}"), Span::new(searched, span.end));
            // Where one is not written as it reads, neither are those behind it.
            searched = place.map_or(span.end, |found| found.end);
            parts.push(self.variable(name, place.unwrap_or(span), &variables)?);
            rest = after;
        }
        parts.push(Expr::literal(Value::String(rest.to_owned()), span));
        parts.retain(|part| part.as_literal() != Some(&Value::String(String::new())));
        Some(parts)
    }

    /// `None` where there is no end of them.
    fn variable(&mut self, name: &str, span: Span, variables: &HashMap<&str, &Expr>) -> Option<Expr> {
        if let Some(literal) = name.strip_prefix('!') {
            return Some(Expr::literal(Value::String(format!("${{{literal}}}")), span));
        }
        let name = name.trim();
        if let Some(value) = variables.get(name) {
            let before = *self.copied;
            value.visit(&mut |_| *self.copied += 1);
            if before > COPIED_VALUES_LIMIT {
                return None;
            }
            if *self.copied > COPIED_VALUES_LIMIT {
                let message = format!("the variables of `Fn::Sub` repeat more than {COPIED_VALUES_LIMIT} values");
                self.report(
                    Diagnostic::error(message).at(span).help("write out what is needed, or split the template"),
                );
                return None;
            }
            return Some((*value).clone());
        }
        let is_name = |it: char| it.is_ascii_alphanumeric() || "_.:".contains(it);
        let kind = if name.is_empty() || !name.chars().all(is_name) {
            let finding = Diagnostic::error(format!("`${{{name}}}` is not a name that `Fn::Sub` can replace")).at(span);
            self.report(finding.help(format!("write `${{!{name}}}` for the text itself")));
            None
        } else {
            match name.split_once('.') {
                Some((resource, attribute)) => self.attribute_of(resource, attribute, span),
                None => self.named(name, span),
            }
        };
        Some(Expr::new(kind.unwrap_or(Kind::Mistake), span))
    }

    /// Where a piece of a scalar stands in the source, if it is written there without escapes.
    fn place_of(&self, piece: &str, within: Span) -> Option<Span> {
        let start = within.start + self.source.get(within.start..within.end)?.find(piece)?;
        Some(Span::new(start, start + piece.len()))
    }

    fn not_a_value(&mut self, call: CallNode) {
        let written = self.written(call.function_span);
        let finding = if let Some(finding) = refused(call.function, &format!("`{written}`"), call.function_span) {
            finding
        } else if TESTS.contains(&call.function) {
            Diagnostic::error(format!("`{written}` gives no value"))
                .at(call.function_span)
                .help("state it under `Conditions`, and choose a value with `Fn::If`")
        } else {
            unknown_function(call.function, &written, call.function_span)
        };
        self.report(finding);
    }

    /// How something is written in the source: errors say `!Sub` where the template does.
    pub(super) fn written(&self, span: Span) -> String {
        self.source.get(span.start..span.end).unwrap_or_default().trim_matches(['"', '\'']).to_owned()
    }
}

/// The next `${…}` of a text: what is before it, the name in it, and what is after it.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// The diagnostic for a function that paystack knows and does not support.
pub(super) fn refused(function: &str, written: &str, span: Span) -> Option<Diagnostic> {
    let (_, why, way_out) = REFUSED.iter().find(|(name, ..)| *name == function)?;
    Some(Diagnostic::error(format!("{written} is not supported")).at(span).label(*why).help(*way_out))
}

pub(super) fn unknown_function(function: &str, written: &str, span: Span) -> Diagnostic {
    let finding = Diagnostic::error(format!("there is no function `{written}`")).at(span);
    match nearest(function, VALUES.into_iter().chain(TESTS)) {
        Some(name) if written.starts_with('!') => {
            finding.help(format!("did you mean `!{}`?", name.trim_start_matches("Fn::")))
        }
        Some(name) => finding.help(format!("did you mean `{name}`?")),
        None => finding,
    }
}

fn unknown_key(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error(format!("`{key}` has to be the only key of its object"))
        .at(span)
        .label("a function call gives the whole value")
}
