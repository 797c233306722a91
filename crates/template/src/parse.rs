//! Text → [`Template`]: every error that can be found without knowing parameters, all at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::condition::{Condition, NamedCondition, ordered};
use super::document::{self, Entry, Kind as NodeKind, Node};
use super::expression::{Expr, Kind};
use super::intrinsic::{Names, Place, Reader, refused};
use super::parameter::{self, Parameter};
use super::resolve::Inputs;
use super::section::{Fields, entries, fields, text};
use super::{extensions, sam};
use crate::diagnostic::{Diagnostic, SHOWN_LIMIT, Severity, Source, Span};
use crate::identity::{ByResource, LogicalId, ResourceType};

/// A template as it is written: its references name things that exist, its parameters have no values yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub description: Option<String>,
    pub parameters: IndexMap<String, Parameter>,
    pub mappings: IndexMap<String, Mapping>,
    /// In an order in which each comes after those that it names.
    pub conditions: IndexMap<String, NamedCondition>,
    pub rules: IndexMap<String, Rule>,
    /// In the order of the file. CDK's `AWS::CDK::Metadata` is not among them: it is CDK's own bookkeeping.
    pub resources: ByResource<Resource>,
    pub outputs: IndexMap<String, Output>,
    pub metadata: Value,
    /// What is wrong with the file, and what works, but probably not as its author thinks.
    pub findings: Vec<Diagnostic>,
}

/// Two levels of keys, and a string or a list of strings for each pair.
pub type Mapping = IndexMap<String, IndexMap<String, Value>>;

/// Assertions about parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The assertions count only where this holds.
    pub condition: Option<Condition>,
    pub assertions: Vec<Assertion>,
}

/// A condition that a rule demands.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    pub condition: Condition,
    /// What is said where it does not hold.
    pub description: Option<String>,
    /// The place of the condition.
    pub span: Span,
}

/// A resource as the template declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    pub resource_type: ResourceType,
    pub type_span: Span,
    pub properties: Expr,
    pub depends_on: BTreeSet<LogicalId>,
    /// The name of the condition under which it exists.
    pub condition: Option<String>,
    pub metadata: Value,
    pub deletion_policy: Option<DeletionPolicy>,
    pub update_replace_policy: Option<DeletionPolicy>,
    /// The place of its logical id.
    pub span: Span,
}

/// What should become of a resource that is deleted or replaced, and where the template says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletionPolicy {
    pub kind: DeletionPolicyKind,
    pub span: Span,
}

/// CloudFormation's policies for what is deleted or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionPolicyKind {
    Delete,
    Retain,
    RetainExceptOnCreate,
    Snapshot,
}

/// An output as the template declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    pub value: Expr,
    /// What other stacks import it by.
    pub export: Option<Expr>,
    pub description: Option<String>,
    /// The name of the condition under which it is given.
    pub condition: Option<String>,
    /// The place of its name.
    pub span: Span,
}

const SECTIONS: [&str; 10] = [
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];

const RESOURCE_ATTRIBUTES: [&str; 10] = [
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Description",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

/// Reads a template in which nothing is wrong.
pub fn parse(source: &Source) -> Result<Template, Vec<Diagnostic>> {
    let template = draft(source)?;
    if template.has_mistakes() { Err(template.findings) } else { Ok(template) }
}

/// Reads a template as far as it can be read: what is wrong with it is in its findings, so that more can be looked for.
///
/// # Errors
///
/// The file is no template at all.
pub fn draft(source: &Source) -> Result<Template, Vec<Diagnostic>> {
    Document::read(source, &Inputs::unknown())?.template(source)
}

/// A template's text as a tree, before its sections are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    root: Node,
    /// Whether it is written with `AWS::LanguageExtensions`.
    has_extensions: bool,
    findings: Vec<Diagnostic>,
}

impl Document {
    /// Reads a text, and does what the language extensions in it say with the parameters that are given.
    ///
    /// # Errors
    ///
    /// It is neither YAML nor JSON.
    pub fn read(source: &Source, inputs: &Inputs) -> Result<Self, Vec<Diagnostic>> {
        let mut findings = Vec::new();
        match document::read(source, &mut findings) {
            Some(root) => {
                let has_extensions = extensions::are_in(&root);
                let root = extensions::expand(root, &source.text, inputs, &mut findings);
                Ok(Self { root, has_extensions, findings })
            }
            None => Err(findings),
        }
    }

    /// The template as SAM's translator takes it, where it is written for that.
    pub fn for_sam(&self) -> Option<Value> {
        sam::is_meant(&self.root).then(|| sam::plain(&self.root))
    }

    /// The template that the translator has made of it. What it did not touch keeps its place. It takes all transforms out,
    /// also those that it has not done.
    pub fn expanded(&self, made: &Value) -> Self {
        let left = undone(&self.root, &[extensions::TRANSFORM, sam::TRANSFORM]);
        let findings = self.findings.iter().cloned().chain(left).collect();
        Self { root: sam::expanded(&self.root, made), findings, ..self.clone() }
    }

    /// The place of a resource's name.
    pub fn place(&self, logical_id: &str) -> Option<Span> {
        sam::place(&self.root, logical_id)
    }

    /// The names of the parameters whose values are secret.
    pub fn secrets(&self) -> BTreeSet<String> {
        let mut untold = Vec::new();
        let NodeKind::Map(sections) = &self.root.kind else { return BTreeSet::new() };
        let parameters = sections.iter().find(|entry| entry.key == "Parameters").map(|entry| &entry.value.kind);
        let Some(NodeKind::Map(parameters)) = parameters else { return BTreeSet::new() };
        let is_secret = |entry: &&Entry| parameter::read(entry, &mut untold).is_none_or(|it| it.no_echo);
        parameters.iter().filter(is_secret).map(|entry| entry.key.clone()).collect()
    }

    /// Reads the sections: see [`draft`].
    ///
    /// # Errors
    ///
    /// It is no template at all.
    pub fn template(self, source: &Source) -> Result<Template, Vec<Diagnostic>> {
        let Self { mut root, has_extensions, findings: mut diagnostics } = self;
        let properties = take_properties(&mut root);
        let undone = undone(&root, &[extensions::TRANSFORM]);
        let is_meant_as_it_stands = undone.is_empty();
        diagnostics.extend(undone);
        let template = is_meant_as_it_stands.then_some(()).and_then(|()| {
            let sections = fields(&root, "a template", &SECTIONS, &mut diagnostics)?;
            let names = Names { has_extensions, ..Names::default() };
            let source = &source.text;
            Some(Parser { source, names, properties, copied: 0, diagnostics: &mut diagnostics }.template(&sections))
        });
        diagnostics.sort_by_key(|diagnostic| diagnostic.severity);
        match template {
            Some(template) => Ok(Template { findings: diagnostics, ..template }),
            None => Err(diagnostics),
        }
    }
}

/// Takes out of a document what its resources have as properties, by the resource: most of a template is in there, and need not
/// be copied. An empty map stays in its place.
fn take_properties(document: &mut Node) -> HashMap<String, Vec<Entry>> {
    fn at<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
        let NodeKind::Map(entries) = &mut node.kind else { return None };
        entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
    }
    let resources = at(document, "Resources").map(|it| &mut it.kind);
    let Some(NodeKind::Map(resources)) = resources else { return HashMap::new() };
    let taken = resources.iter_mut().filter_map(|resource| {
        let NodeKind::Map(properties) = &mut at(&mut resource.value, "Properties")?.kind else { return None };
        Some((resource.key.clone(), std::mem::take(properties)))
    });
    taken.collect()
}

/// Whether a template is written for a macro.
pub(super) fn has_transform(document: &Node, name: &str) -> bool {
    transforms(document).iter().any(|transform| transform.text() == Some(name))
}

/// The macros that a template is written for.
fn transforms(document: &Node) -> Vec<&Node> {
    let NodeKind::Map(sections) = &document.kind else { return Vec::new() };
    let Some(entry) = sections.iter().find(|entry| entry.key == "Transform") else { return Vec::new() };
    match &entry.value.kind {
        NodeKind::List(items) => items.iter().collect(),
        _ => vec![&entry.value],
    }
}

impl Template {
    /// Whether something is wrong with the file: then it can only be looked at for more that is wrong.
    pub fn has_mistakes(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// What is wrong with the macros that a template is written for, but those that are done: where there are any, it is not meant
/// as it stands.
fn undone(document: &Node, done: &[&str]) -> Vec<Diagnostic> {
    let undone = transforms(document).into_iter().filter(|it| it.text().is_none_or(|name| !done.contains(&name)));
    let refused = undone.map(|transform| {
        Diagnostic::error("this transform is not supported")
            .at(transform.span)
            .label("macros run inside of CloudFormation")
            .help("write out what the macro makes")
    });
    refused.collect()
}

pub(super) struct Parser<'a> {
    pub(super) source: &'a str,
    pub(super) names: Names,
    /// What was taken out of the resources that are read.
    pub(super) properties: HashMap<String, Vec<Entry>>,
    /// How many values the variables of `Fn::Sub` have repeated so far.
    pub(super) copied: usize,
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
}

impl Parser<'_> {
    fn template(&mut self, sections: &Fields) -> Template {
        let [parameters, mappings, conditions, rules, resources, outputs] =
            ["Parameters", "Mappings", "Conditions", "Rules", "Resources", "Outputs"]
                .map(|name| self.section(sections, name));
        let parameters: Vec<_> = parameters.iter().filter(|entry| !is_cdk_bootstrap_version(entry)).collect();
        let rules: Vec<_> = rules.iter().filter(|entry| entry.key != "CheckBootstrapVersion").collect();
        let resources: Vec<_> = resources.iter().filter(|entry| !is_cdk_metadata(entry)).collect();
        self.names = Names {
            has_extensions: self.names.has_extensions,
            parameters: parameters.iter().map(|entry| entry.key.clone()).collect(),
            mappings: mappings.iter().map(|entry| entry.key.clone()).collect(),
            conditions: conditions.iter().map(|entry| entry.key.clone()).collect(),
            resources: resources.iter().map(|entry| LogicalId::from(entry.key.as_str())).collect(),
        };
        self.check_format_version(sections);
        self.require_resources(sections);
        self.check_names(&parameters, &resources);
        Template {
            description: sections.get("Description").and_then(|entry| text(entry, self.diagnostics)),
            metadata: sections.get("Metadata").map(|entry| entry.value.to_value()).unwrap_or_default(),
            parameters: self.read_all(&parameters, |parser, entry| parameter::read(entry, parser.diagnostics)),
            mappings: self.read_all(&mappings.iter().collect::<Vec<_>>(), Self::mapping),
            conditions: self.conditions(conditions),
            rules: self.read_all(&rules, Self::rule),
            resources: self
                .read_all(&resources, Self::resource)
                .into_iter()
                .filter_map(|(name, resource)| Some((self.names.resource(&name)?, resource)))
                .collect(),
            outputs: self.read_all(&outputs.iter().collect::<Vec<_>>(), Self::output),
            findings: Vec::new(),
        }
    }

    fn section<'n>(&mut self, sections: &Fields<'n>, name: &str) -> &'n [Entry] {
        let entry = sections.get(name);
        entry.and_then(|entry| entries(&entry.value, &format!("`{name}`"), self.diagnostics)).unwrap_or_default()
    }

    fn read_all<T>(
        &mut self,
        entries: &[&Entry],
        read: impl Fn(&mut Self, &Entry) -> Option<T>,
    ) -> IndexMap<String, T> {
        let read = entries.iter().filter_map(|entry| read(self, entry).map(|it| (entry.key.clone(), it)));
        read.collect()
    }

    fn check_format_version(&mut self, sections: &Fields) {
        let Some(entry) = sections.get("AWSTemplateFormatVersion") else { return };
        if entry.value.text() != Some("2010-09-09") {
            let finding = Diagnostic::error("there is only one template format").at(entry.value.span);
            self.diagnostics.push(finding.help("write `\"2010-09-09\"`, or leave the line out"));
        }
    }

    fn require_resources(&mut self, sections: &Fields) {
        if sections.get("Resources").is_none() {
            self.diagnostics.push(
                Diagnostic::error("the template has no `Resources`")
                    .at(Span::new(0, 0))
                    .help("declare what should exist under `Resources`"),
            );
        }
    }

    fn check_names(&mut self, parameters: &[&Entry], resources: &[&Entry]) {
        let parameter_spans: BTreeMap<&str, Span> =
            parameters.iter().map(|entry| (entry.key.as_str(), entry.key_span)).collect();
        for entry in resources {
            if let Some(parameter) = parameter_spans.get(entry.key.as_str()) {
                let finding = Diagnostic::error(format!("`{}` names a parameter and a resource", entry.key));
                self.diagnostics.push(finding.at(entry.key_span).related(*parameter, "the parameter"));
            }
        }
        for entry in parameters.iter().chain(resources) {
            if entry.key.starts_with("Fn::ForEach") {
                self.diagnostics.extend(refused("Fn::ForEach", "`Fn::ForEach`", entry.key_span));
            } else if entry.key.is_empty() || !entry.key.chars().all(|it| it.is_ascii_alphanumeric()) {
                let finding = Diagnostic::error(format!("`{}` is not a name", entry.key)).at(entry.key_span);
                self.diagnostics.push(finding.label("only letters and digits"));
            }
        }
    }

    fn reader<'r>(&'r mut self, place: Place<'r>) -> Reader<'r> {
        let Self { source, names, copied, diagnostics, .. } = self;
        Reader { source, names, place, copied, diagnostics }
    }

    pub(super) fn mapping(&mut self, entry: &Entry) -> Option<Mapping> {
        let what = format!("the mapping `{}`", entry.key);
        let mut mapping = Mapping::new();
        for first in entries(&entry.value, &what, self.diagnostics)? {
            let seconds = entries(&first.value, &format!("`{}` of {what}", first.key), self.diagnostics)?;
            let values = seconds.iter().map(|second| (second.key.clone(), self.mapped(second)));
            mapping.insert(first.key.clone(), values.collect());
        }
        Some(mapping)
    }

    fn mapped(&mut self, entry: &Entry) -> Value {
        let is_plain = match &entry.value.kind {
            NodeKind::List(items) => items.iter().all(|item| item.scalar().is_some()),
            _ => entry.value.scalar().is_some(),
        };
        if !is_plain {
            let finding = Diagnostic::error(format!("`{}` has to be a string or a list of strings", entry.key));
            self.diagnostics.push(finding.at(entry.value.span).help("a mapping cannot contain functions or maps"));
        }
        entry.value.to_value()
    }

    fn conditions(&mut self, entries: &[Entry]) -> IndexMap<String, NamedCondition> {
        let entries: Vec<_> = entries.iter().collect();
        let conditions = self.read_all(&entries, |parser, entry| {
            let condition = Condition::read(&mut parser.reader(Place::Condition), &entry.value)?;
            Some(NamedCondition { condition, span: entry.key_span })
        });
        ordered(&conditions, self.diagnostics)
    }

    fn rule(&mut self, entry: &Entry) -> Option<Rule> {
        let known = ["Assertions", "RuleCondition"];
        let fields = fields(&entry.value, &format!("the rule `{}`", entry.key), &known, self.diagnostics)?;
        let condition = fields.get("RuleCondition");
        let condition = condition.map(|it| Condition::read(&mut self.reader(Place::Condition), &it.value));
        let assertions = match fields.get("Assertions").map(|it| &it.value.kind) {
            Some(NodeKind::List(items)) => items.iter().filter_map(|item| self.assertion(item)).collect(),
            _ => {
                let message = format!("the rule `{}` has no list of `Assertions`", entry.key);
                self.diagnostics.push(Diagnostic::error(message).at(entry.key_span));
                Vec::new()
            }
        };
        Some(Rule { condition: condition.flatten(), assertions })
    }

    fn assertion(&mut self, node: &Node) -> Option<Assertion> {
        let fields = fields(node, "an assertion", &["Assert", "AssertDescription"], self.diagnostics)?;
        let Some(assert) = fields.get("Assert") else {
            self.diagnostics.push(Diagnostic::error("an assertion needs an `Assert`").at(node.span));
            return None;
        };
        let condition = Condition::read(&mut self.reader(Place::Condition), &assert.value)?;
        let description = fields.get("AssertDescription").and_then(|it| text(it, self.diagnostics));
        Some(Assertion { condition, description, span: assert.value.span })
    }

    fn resource(&mut self, entry: &Entry) -> Option<Resource> {
        if entry.key.starts_with("Fn::ForEach") {
            return None;
        }
        let what = format!("the resource `{}`", entry.key);
        let fields = fields(&entry.value, &what, &RESOURCE_ATTRIBUTES, self.diagnostics)?;
        self.refuse_policies(&fields);
        let resource_type = self.resource_type(entry, &fields);
        let properties = self.properties(entry, &fields);
        let depends_on = self.depends_on(entry, &fields);
        let condition = self.condition_attribute(&fields);
        let deletion_policy = self.deletion_policy(&fields, "DeletionPolicy");
        let update_replace_policy = self.deletion_policy(&fields, "UpdateReplacePolicy");
        let (resource_type, type_span) = resource_type?;
        Some(Resource {
            resource_type,
            type_span,
            properties,
            depends_on,
            condition,
            metadata: fields.get("Metadata").map(|it| it.value.to_value()).unwrap_or_default(),
            deletion_policy,
            update_replace_policy,
            span: entry.key_span,
        })
    }

    fn resource_type(&mut self, entry: &Entry, fields: &Fields) -> Option<(ResourceType, Span)> {
        let Some(written) = fields.get("Type") else {
            let message = format!("the resource `{}` has no `Type`", entry.key);
            self.diagnostics.push(Diagnostic::error(message).at(entry.key_span));
            return None;
        };
        let name = text(written, self.diagnostics)?;
        Some((ResourceType::from(name), written.value.span))
    }

    fn properties(&mut self, entry: &Entry, fields: &Fields) -> Expr {
        let Some(written) = fields.get("Properties") else {
            return Expr::new(Kind::Object(Arc::default()), entry.key_span);
        };
        if !matches!(written.value.kind, NodeKind::Map(_) | NodeKind::Call(_)) {
            let message = format!("`Properties` has to be a map, found {}", written.value.describe());
            self.diagnostics.push(Diagnostic::error(message).at(written.key_span));
            return Expr::new(Kind::Mistake, entry.key_span);
        }
        let kind = match self.properties.remove(&entry.key) {
            Some(taken) => NodeKind::Map(taken),
            None => written.value.kind.clone(),
        };
        self.reader(Place::Resource(&entry.key)).taken(Node { kind, span: written.value.span })
    }

    fn depends_on(&mut self, entry: &Entry, fields: &Fields) -> BTreeSet<LogicalId> {
        let Some(written) = fields.get("DependsOn") else { return BTreeSet::new() };
        let nodes = match &written.value.kind {
            NodeKind::List(items) => items.iter().collect(),
            _ => vec![&written.value],
        };
        nodes.into_iter().filter_map(|node| self.dependency(entry, node)).collect()
    }

    fn dependency(&mut self, entry: &Entry, node: &Node) -> Option<LogicalId> {
        let finding = match node.text() {
            None => {
                let message = format!("`DependsOn` takes logical ids, found {}", node.describe());
                Diagnostic::error(message).at(node.span)
            }
            Some(name) if name == entry.key => {
                Diagnostic::error(format!("`{name}` depends on itself")).at(node.span).help("remove it")
            }
            Some(name) => {
                if let Some(resource) = self.names.resource(name) {
                    return Some(resource);
                }
                let finding = Diagnostic::error(format!("there is no resource `{name}`")).at(node.span);
                let known = self.names.resources.iter().map(LogicalId::as_str);
                if self.diagnostics.len() < SHOWN_LIMIT { finding.did_you_mean(name, known) } else { finding }
            }
        };
        self.diagnostics.push(finding);
        None
    }

    fn condition_attribute(&mut self, fields: &Fields) -> Option<String> {
        let written = fields.get("Condition")?;
        self.reader(Place::Output).condition_name(&written.value)
    }

    fn deletion_policy(&mut self, fields: &Fields, name: &str) -> Option<DeletionPolicy> {
        let written = fields.get(name)?;
        let policy = text(written, self.diagnostics)?;
        let kind = match policy.as_str() {
            "Delete" => DeletionPolicyKind::Delete,
            "Retain" => DeletionPolicyKind::Retain,
            "RetainExceptOnCreate" => DeletionPolicyKind::RetainExceptOnCreate,
            "Snapshot" => DeletionPolicyKind::Snapshot,
            _ => {
                let known = ["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"];
                let finding = Diagnostic::error(format!("there is no `{name}` `{policy}`")).at(written.value.span);
                self.diagnostics.push(finding.did_you_mean(&policy, known));
                return None;
            }
        };
        Some(DeletionPolicy { kind, span: written.value.span })
    }

    fn refuse_policies(&mut self, fields: &Fields) {
        for written in ["CreationPolicy", "UpdatePolicy"].into_iter().filter_map(|name| fields.get(name)) {
            let finding = Diagnostic::error(format!("`{}` is not supported", written.key)).at(written.key_span);
            self.diagnostics.push(finding.help("remove it: no type that paystack handles has a use for it"));
        }
    }

    fn output(&mut self, entry: &Entry) -> Option<Output> {
        let known = ["Condition", "Description", "Export", "Value"];
        let fields = fields(&entry.value, &format!("the output `{}`", entry.key), &known, self.diagnostics)?;
        let condition = self.condition_attribute(&fields);
        let Some(value) = fields.get("Value") else {
            let message = format!("the output `{}` has no `Value`", entry.key);
            self.diagnostics.push(Diagnostic::error(message).at(entry.key_span));
            return None;
        };
        let value = self.reader(Place::Output).expression(&value.value);
        let export = fields.get("Export").and_then(|it| self.export(it));
        let description = fields.get("Description").and_then(|it| text(it, self.diagnostics));
        Some(Output { value, export, description, condition, span: entry.key_span })
    }

    /// The name that an output is exported under.
    fn export(&mut self, entry: &Entry) -> Option<Expr> {
        let fields = fields(&entry.value, "`Export`", &["Name"], self.diagnostics)?;
        let Some(name) = fields.get("Name") else {
            self.diagnostics.push(Diagnostic::error("an export needs a `Name`").at(entry.key_span));
            return None;
        };
        Some(self.reader(Place::Output).expression(&name.value))
    }
}

/// CDK asks for the version of its bootstrap stack, of which nothing is used here.
fn is_cdk_bootstrap_version(entry: &Entry) -> bool {
    entry.key == "BootstrapVersion" && has_type(entry, "AWS::SSM::Parameter::Value<String>")
}

fn is_cdk_metadata(entry: &Entry) -> bool {
    has_type(entry, "AWS::CDK::Metadata")
}

fn has_type(entry: &Entry, name: &str) -> bool {
    match &entry.value.kind {
        NodeKind::Map(fields) => fields.iter().any(|field| field.key == "Type" && field.value.text() == Some(name)),
        _ => false,
    }
}
