//! [`Template`] and parameters → [`DesiredGraph`]: what should exist, with the values that are known already.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::Value;

use super::evaluate::Scope;
use super::expression::{Expr, Kind, Reference};
use super::parse::{DeletionPolicy, Output, Resource, Template};
use super::pseudo::Pseudo;
use crate::diagnostic::{Diagnostic, Span};
use crate::identity::{ByResource, LogicalId, REF, ResourceType, StackId};
use crate::unknown;

/// What a template is resolved with.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// The parameters that are given, as text.
    pub parameters: BTreeMap<String, String>,
    /// What other stacks give, as far as it is known: by an export's name, or by `STACK.OUTPUT`.
    pub imports: BTreeMap<String, String>,
    pub pseudo: Pseudo,
}

/// What should exist: the resources and outputs whose conditions hold, and what their expressions are evaluated with.
///
/// It holds the values of `NoEcho` parameters, and is on purpose not serialisable.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredGraph {
    pub resources: ByResource<DesiredResource>,
    pub outputs: IndexMap<String, DesiredOutput>,
    /// What the template declares and is not planned: it is neither to be made nor to go.
    pub left_out: BTreeSet<LogicalId>,
    scope: Scope,
    /// The names of `NoEcho` parameters.
    secrets: BTreeSet<String>,
    /// What of other stacks' outputs is secret there, by the names that it is imported by.
    secret_imports: BTreeSet<String>,
}

/// A resource that should exist.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredResource {
    pub logical_id: LogicalId,
    pub resource_type: ResourceType,
    pub properties: Expr,
    /// What `DependsOn` names; what does not exist under the conditions given is left out, as in CloudFormation.
    pub depends_on: BTreeSet<LogicalId>,
    /// What the properties refer to.
    pub references: BTreeSet<Reference>,
    pub metadata: Value,
    pub deletion_policy: Option<DeletionPolicy>,
    pub update_replace_policy: Option<DeletionPolicy>,
    /// The place of the logical id.
    pub span: Span,
    pub type_span: Span,
}

/// An output that should be given.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredOutput {
    pub value: Expr,
    /// What other stacks import it by.
    pub export: Option<Expr>,
    pub description: Option<String>,
    /// The place of its name.
    pub span: Span,
}

impl Inputs {
    /// Nothing is given, and nothing is known of where the template is for.
    pub fn unknown() -> Self {
        let pseudo = Pseudo {
            account_id: None,
            region: unknown::named("AWS::Region"),
            partition: unknown::named("AWS::Partition"),
            stack: StackId::new(unknown::named("AWS::StackName")),
        };
        Self { parameters: BTreeMap::new(), imports: BTreeMap::new(), pseudo }
    }
}

impl Template {
    /// Gives the parameters their values, decides the conditions, checks the rules, and keeps what should exist.
    pub fn resolve(&self, inputs: &Inputs) -> Result<DesiredGraph, Vec<Diagnostic>> {
        let (graph, diagnostics) = self.draft(inputs);
        if diagnostics.is_empty() { Ok(graph) } else { Err(diagnostics) }
    }

    /// The same as far as it can be said, and what is wrong: a graph with mistakes can only be looked at for more of them.
    pub fn draft(&self, inputs: &Inputs) -> (DesiredGraph, Vec<Diagnostic>) {
        let (mut scope, mut diagnostics) = self.scope(inputs);
        // What depends on a mistake would be reported as one itself.
        let is_sound = diagnostics.is_empty() && !self.has_mistakes();
        let undecided = self.decide_conditions(&mut scope);
        let is_decided = is_sound && undecided.is_empty();
        let mut graph = DesiredGraph {
            resources: desired_resources(&self.resources, &self.resources, &scope.conditions),
            outputs: self.desired_outputs(&scope.conditions),
            left_out: BTreeSet::new(),
            secrets: self.secrets(),
            secret_imports: BTreeSet::new(),
            scope,
        };
        if is_sound {
            diagnostics.extend(undecided);
        }
        if is_decided {
            diagnostics.extend(self.broken_rules(&graph.scope));
            diagnostics.extend(self.dangling(&graph));
        }
        diagnostics.extend(graph.objections());
        (graph, diagnostics)
    }

    /// Every resource, also those whose conditions do not hold, with the parameters unknown: what is wrong whatever they are.
    ///
    /// It is only to be looked at for mistakes.
    pub fn whole(&self, inputs: &Inputs) -> DesiredGraph {
        let (mut scope, _) = self.scope(inputs);
        self.decide_conditions(&mut scope);
        let everywhere = |resource: &Resource| {
            let mut conditions = scope.conditions.clone();
            conditions.extend(resource.condition.iter().map(|name| (name.clone(), true)));
            conditions
        };
        let resources = self.resources.iter().map(|(logical_id, resource)| {
            let only = [(logical_id.clone(), resource.clone())].into_iter().collect();
            desired_resources(&only, &self.resources, &everywhere(resource))
        });
        let resources = resources.flatten().collect();
        scope.parameters.clear();
        DesiredGraph {
            resources,
            outputs: IndexMap::new(),
            left_out: BTreeSet::new(),
            scope,
            secrets: self.secrets(),
            secret_imports: BTreeSet::new(),
        }
    }

    fn scope(&self, inputs: &Inputs) -> (Scope, Vec<Diagnostic>) {
        let mut diagnostics: Vec<_> = self.unknown_parameters(inputs).collect();
        let mut parameters = BTreeMap::new();
        for (name, parameter) in &self.parameters {
            let Some(text) = inputs.parameters.get(name).or(parameter.default.as_ref()) else {
                let finding = Diagnostic::error(format!("the parameter `{name}` has no value")).at(parameter.span);
                let way_out = format!("give it with `-p {name}=…`, or under `parameters` in paystack.toml");
                diagnostics.push(finding.help(way_out));
                continue;
            };
            diagnostics.extend(parameter.objection(name, text));
            parameters.insert(name.clone(), parameter.value(text));
        }
        let Inputs { imports, pseudo, .. } = inputs.clone();
        let (mappings, conditions) = (self.mappings.clone(), BTreeMap::new());
        (Scope { parameters, mappings, conditions, imports, pseudo }, diagnostics)
    }

    fn unknown_parameters(&self, inputs: &Inputs) -> impl Iterator<Item = Diagnostic> {
        let unknown = inputs.parameters.keys().filter(|name| !self.parameters.contains_key(*name));
        unknown.map(|name| {
            let known = self.parameters.keys().map(String::as_str);
            Diagnostic::error(format!("the template has no parameter `{name}`")).did_you_mean(name, known)
        })
    }

    /// Decides the conditions that can be decided, and says what is wrong with the others.
    fn decide_conditions(&self, scope: &mut Scope) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for (name, named) in &self.conditions {
            match named.condition.holds(scope) {
                Ok(holds) => _ = scope.conditions.insert(name.clone(), holds),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        diagnostics
    }

    fn broken_rules(&self, scope: &Scope) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for (name, rule) in &self.rules {
            match rule.condition.as_ref().map_or(Ok(true), |condition| condition.holds(scope)) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(diagnostic) => {
                    diagnostics.push(diagnostic);
                    continue;
                }
            }
            for assertion in &rule.assertions {
                let broken = Diagnostic::error(format!("the rule `{name}` is broken")).at(assertion.span);
                match (assertion.condition.holds(scope), &assertion.description) {
                    (Ok(true), _) => {}
                    (Ok(false), Some(description)) => diagnostics.push(broken.label(description)),
                    (Ok(false), None) => diagnostics.push(broken),
                    (Err(diagnostic), _) => diagnostics.push(diagnostic),
                }
            }
        }
        diagnostics
    }

    fn desired_outputs(&self, conditions: &BTreeMap<String, bool>) -> IndexMap<String, DesiredOutput> {
        let existing = self.outputs.iter().filter(|(_, output)| holds(output.condition.as_ref(), conditions));
        let desired = existing.map(|(name, output)| {
            let Output { mut value, mut export, description, span, .. } = output.clone();
            value.choose(conditions);
            export.iter_mut().for_each(|name| name.choose(conditions));
            (name.clone(), DesiredOutput { value, export, description, span })
        });
        desired.collect()
    }

    fn secrets(&self) -> BTreeSet<String> {
        let secret = self.parameters.iter().filter(|(_, parameter)| parameter.no_echo);
        secret.map(|(name, _)| name.clone()).collect()
    }

    /// References to resources whose condition does not hold.
    fn dangling(&self, graph: &DesiredGraph) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for expr in graph.expressions() {
            expr.visit(&mut |part| {
                if let Kind::Attribute(reference) = &part.kind
                    && !graph.resources.contains_key(&reference.resource)
                {
                    diagnostics.push(self.absent(reference, part.span));
                }
            });
        }
        diagnostics
    }

    fn absent(&self, Reference { resource, attribute }: &Reference, span: Span) -> Diagnostic {
        let what = if attribute == REF { "the resource".to_owned() } else { format!("`{attribute}` of the resource") };
        let finding = Diagnostic::error(format!("{what} `{resource}` is not there to refer to")).at(span);
        let declared = self.resources.get(resource);
        match declared.and_then(|it| it.condition.as_ref().map(|condition| (it, condition))) {
            Some((declared, condition)) => finding
                .label(format!("its condition `{condition}` does not hold"))
                .related(declared.span, "declared here")
                .help(format!("refer to it within `Fn::If: [{condition}, …]`, or put this under the same condition")),
            None => finding,
        }
    }
}

/// Those of some resources that exist under some conditions; `all` is what they may depend on.
fn desired_resources(
    some: &ByResource<Resource>,
    all: &ByResource<Resource>,
    conditions: &BTreeMap<String, bool>,
) -> ByResource<DesiredResource> {
    let exists = |resource: &Resource| holds(resource.condition.as_ref(), conditions);
    let existing = some.iter().filter(|(_, resource)| exists(resource));
    let desired = existing.map(|(logical_id, resource)| {
        let mut properties = resource.properties.clone();
        properties.choose(conditions);
        let depends_on = resource.depends_on.iter().filter(|id| all.get(*id).is_some_and(exists));
        let desired = DesiredResource {
            logical_id: logical_id.clone(),
            resource_type: resource.resource_type.clone(),
            references: properties.references(),
            properties,
            depends_on: depends_on.cloned().collect(),
            metadata: resource.metadata.clone(),
            deletion_policy: resource.deletion_policy,
            update_replace_policy: resource.update_replace_policy,
            span: resource.span,
            type_span: resource.type_span,
        };
        (logical_id.clone(), desired)
    });
    desired.collect()
}

fn holds(condition: Option<&String>, conditions: &BTreeMap<String, bool>) -> bool {
    condition.is_none_or(|name| conditions.get(name).copied().unwrap_or_default())
}

impl DesiredGraph {
    /// The graph in which nothing should exist: what destroy plans towards.
    pub fn empty(pseudo: Pseudo) -> Self {
        let (parameters, mappings) = (BTreeMap::new(), IndexMap::new());
        let scope = Scope { parameters, mappings, conditions: BTreeMap::new(), imports: BTreeMap::new(), pseudo };
        let (resources, outputs, left_out) = (ByResource::default(), IndexMap::new(), BTreeSet::new());
        Self { resources, outputs, left_out, scope, secrets: BTreeSet::new(), secret_imports: BTreeSet::new() }
    }

    /// What an expression of this graph gives. `attributes` says what is known of a resource ([`REF`] for what `Ref`
    /// gives); for what it does not know, an unknown takes the value's place.
    pub fn evaluate(
        &self,
        expr: &Expr,
        attributes: &dyn Fn(&LogicalId, &str) -> Option<Value>,
    ) -> Result<Value, Diagnostic> {
        self.scope.evaluate(expr, attributes)
    }

    /// What the graph takes from other stacks: the names of exports, and `STACK.OUTPUT`.
    pub fn imports(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for expr in self.expressions() {
            expr.visit(&mut |part| {
                if let Kind::Import(import) = &part.kind {
                    names.extend(self.scope.name_of(import).ok());
                }
            });
        }
        names
    }

    /// Says what another stack gives, and whether that is secret there.
    pub fn import(&mut self, name: String, value: String, is_secret: bool) {
        if is_secret {
            self.secret_imports.insert(name.clone());
        }
        self.scope.imports.insert(name, value);
    }

    /// Whether the value of a `NoEcho` parameter, or what is secret in another stack, goes into what an expression gives.
    pub fn has_secret(&self, expr: &Expr) -> bool {
        let mut has_secret = false;
        if self.secrets.is_empty() && self.secret_imports.is_empty() {
            return has_secret;
        }
        expr.visit(&mut |part| {
            has_secret |= match &part.kind {
                Kind::Parameter(name) => self.secrets.contains(name),
                Kind::Import(import) => {
                    self.scope.name_of(import).is_ok_and(|name| self.secret_imports.contains(&name))
                }
                _ => false,
            };
        });
        has_secret
    }

    /// The `NoEcho` parameters.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.secrets.iter().filter_map(|name| Some((name.as_str(), self.scope.parameters.get(name)?)))
    }

    fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let resources = self.resources.values().map(|resource| &resource.properties);
        resources
            .chain(self.outputs.values().flat_map(|output| [Some(&output.value), output.export.as_ref()]).flatten())
    }

    /// What is wrong with calls whatever the resources' attributes will be: the first finding of each property, of which
    /// nothing is known from then on.
    fn objections(&mut self) -> Vec<Diagnostic> {
        let properties = self.resources.values().map(|resource| &resource.properties);
        let outputs = self.outputs.values().map(|output| &output.value);
        let findings = self.scope.check_all(properties.chain(outputs).flat_map(Expr::parts));
        if findings.is_empty() {
            return Vec::new();
        }
        let properties = self.resources.values_mut().map(|resource| &mut resource.properties);
        let outputs = self.outputs.values_mut().map(|output| &mut output.value);
        let mut parts: Vec<&mut Expr> = properties.chain(outputs).flat_map(Expr::parts_mut).collect();
        let objection = |(number, finding): (usize, Diagnostic)| {
            parts[number].kind = Kind::Mistake;
            finding
        };
        findings.into_iter().map(objection).collect()
    }
}

impl DesiredResource {
    /// Gives a property a known value, in place of what the template says. The references follow.
    pub fn set_property(&mut self, name: &str, value: Value) {
        self.properties.set(name, value);
        self.references = self.properties.references();
    }
}
