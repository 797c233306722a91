//! What a template wants of each resource, as far as it is known: evaluated, named, tagged, in canonical form. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use serde_json::{Map, Value};

use crate::aws::Scope;
use crate::digest::hex_digest;
use crate::graph::{Dependencies, api_of, implied};
use crate::identity::{ByName, ByResource, LogicalId, StackId};
use crate::property_path::PathStep;
use crate::resource::apigateway::deployment::{ANEW, CONTENT_DIGEST};
use crate::resource::{Attributes, Case, Contribution, GeneratedName, Owner, Row, Settled, row, tags};
use crate::template::{DesiredGraph, DesiredResource, Expr, Reference};
use crate::unknown;

/// How many threads predict side by side.
const THREADS: usize = 4;
/// So many resources take longer to predict than a thread to start.
const WORTH_A_THREAD: usize = 64;

/// A resolved template together with what it is resolved for.
#[derive(Clone)]
pub struct Desired {
    pub graph: DesiredGraph,
    pub stack: StackId,
    /// The project's tags, which every resource gets that takes tags.
    pub tags: BTreeMap<String, String>,
    pub scope: Scope,
    /// What each resource waits for, and why.
    pub dependencies: Dependencies,
    /// Every resource's properties when nothing is known but what follows from names. It is worked out once.
    predicted: ByResource<Arc<Value>>,
    /// What follows from these.
    attributes: ByName<LogicalId, Arc<Attributes>>,
    /// What these put into other resources, of those that put something anywhere.
    contributions: BTreeMap<LogicalId, Vec<Contribution>>,
}

impl Desired {
    /// Works out what follows from the template alone: the resources' properties as far as they can be told, the implied edges,
    /// and the digests of what deployments snapshot.
    ///
    /// The graph's references must have no cycle: see [`crate::graph::cycles`].
    pub fn new(graph: DesiredGraph, stack: StackId, tags: BTreeMap<String, String>, scope: Scope) -> Self {
        let dependencies = Dependencies::declared(&graph);
        let (predicted, attributes, contributions) = (ByResource::default(), ByName::default(), BTreeMap::new());
        let mut desired = Self { graph, stack, tags, scope, dependencies, predicted, attributes, contributions };
        for level in desired.dependencies.in_levels(desired.graph.resources.keys()) {
            desired.predict_level(&level);
        }
        for (api, digest) in body_digests(&desired.graph, &desired.predicted) {
            desired.set(&api, "BodyDigest", digest.into());
        }
        for (deployment, digest) in content_digests(&desired.graph, &desired.predicted) {
            desired.set(&deployment, CONTENT_DIGEST, digest.into());
        }
        desired.dependencies.imply(implied(&desired.graph, &desired.predicted));
        desired
    }

    /// Predicts resources of which none depends on another, side by side where there are many.
    fn predict_level(&mut self, level: &[LogicalId]) {
        let predicted_in = |part: &[LogicalId]| part.iter().map(|id| self.predicted_from_names(id)).collect::<Vec<_>>();
        let predicted: Vec<Option<Settled>> = match level.chunks(level.len().div_ceil(THREADS).max(WORTH_A_THREAD)) {
            parts if parts.len() < 2 => predicted_in(level),
            parts => thread::scope(|scope| {
                let threads: Vec<_> = parts.map(|part| scope.spawn(|| predicted_in(part))).collect();
                threads.into_iter().flat_map(|it| it.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
            }),
        };
        for (logical_id, predicted) in level.iter().zip(predicted) {
            predicted.into_iter().for_each(|predicted| self.keep(logical_id, predicted));
        }
    }

    /// `None` for what does not fit its type.
    fn predicted_from_names(&self, logical_id: &LogicalId) -> Option<Settled> {
        let known = |id: &LogicalId, name: &str| self.attributes.get(id)?.get(name).cloned();
        self.settled(logical_id, &known).ok()
    }

    fn keep(&mut self, logical_id: &LogicalId, predicted: Settled) {
        let Settled { properties, attributes, contributions } = predicted;
        self.attributes.insert(logical_id.clone(), Arc::new(attributes));
        self.predicted.insert(logical_id.clone(), Arc::new(properties));
        match contributions.is_empty() {
            true => self.contributions.remove(logical_id),
            false => self.contributions.insert(logical_id.clone(), contributions),
        };
    }

    /// Sets what no template can set, and on which no attribute hangs.
    fn set(&mut self, logical_id: &LogicalId, property: &str, value: Value) {
        let Some(resource) = self.graph.resources.get_mut(logical_id) else { return };
        resource.set_property(property, value);
        self.predict_level(std::slice::from_ref(logical_id));
    }

    /// The same, with this snapshot for a deployment.
    pub fn set_snapshot(&mut self, deployment: &LogicalId, digest: Value) {
        self.set(deployment, CONTENT_DIGEST, digest);
    }

    /// The same, with another snapshot for each of these deployments, told from the one that is there by a text.
    pub fn taken_anew(&self, deployments: &BTreeMap<LogicalId, String>) -> Self {
        let mut desired = self.clone();
        for (deployment, told_by) in deployments {
            let Some(resource) = self.graph.resources.get(deployment) else { continue };
            let digest = resource.properties.at(&[CONTENT_DIGEST.into()]).and_then(Expr::as_literal);
            let Some(content) = digest.and_then(Value::as_str) else { continue };
            let digest = format!("{content}{ANEW}{}", hex_digest(told_by, 8));
            desired.set_snapshot(deployment, digest.into());
        }
        desired
    }

    /// A desired state in which nothing is left: what destroy plans towards.
    pub fn nothing(&self) -> Self {
        let mut nothing = self.clone();
        nothing.graph.resources.clear();
        nothing.graph.outputs.clear();
        nothing.dependencies = Dependencies::default();
        nothing.predicted.clear();
        nothing.attributes.clear();
        nothing.contributions.clear();
        nothing
    }

    /// The resources, each after all that it depends on. What is in a cycle comes last.
    pub fn in_order(&self) -> Vec<LogicalId> {
        self.dependencies.in_order(self.graph.resources.keys())
    }

    pub fn owner(&self, logical_id: &LogicalId) -> Owner {
        Owner { stack: self.stack.clone(), resource: logical_id.clone() }
    }

    /// The resource's properties in canonical form, with unknowns for the attributes that `known` does not give.
    ///
    /// # Errors
    ///
    /// Says what does not fit, for a type or a property that the check has not seen, or that only AWS's answers brought.
    pub fn properties(
        &self,
        logical_id: &LogicalId,
        known: &dyn Fn(&LogicalId, &str) -> Option<Value>,
    ) -> Result<Arc<Value>, String> {
        match self.predicted.get(logical_id) {
            Some(predicted) if self.is_as_predicted(logical_id, known) => Ok(predicted.clone()),
            _ => self.settled(logical_id, known).map(|settled| Arc::new(settled.properties)),
        }
    }

    /// What the resource puts into others, with its [`properties`](Self::properties).
    pub fn contributions(
        &self,
        logical_id: &LogicalId,
        known: &dyn Fn(&LogicalId, &str) -> Option<Value>,
    ) -> Vec<Contribution> {
        if self.is_as_predicted(logical_id, known) {
            return self.contributions.get(logical_id).cloned().unwrap_or_default();
        }
        self.settled(logical_id, known).map(|settled| settled.contributions).unwrap_or_default()
    }

    /// Whether all that a resource refers to is known to be what was predicted.
    fn is_as_predicted(&self, logical_id: &LogicalId, known: &dyn Fn(&LogicalId, &str) -> Option<Value>) -> bool {
        let is_it = |it: &Reference| {
            let predicted = self.attributes.get(&it.resource).and_then(|attributes| attributes.get(&it.attribute));
            known(&it.resource, &it.attribute).as_ref() == predicted
        };
        self.graph.resources.get(logical_id).is_some_and(|resource| resource.references.iter().all(is_it))
    }

    /// The resource's properties in canonical form, and what follows from them.
    fn settled(
        &self,
        logical_id: &LogicalId,
        known: &dyn Fn(&LogicalId, &str) -> Option<Value>,
    ) -> Result<Settled, String> {
        let (row, written) = self.written(logical_id, known)?;
        match row.handler.settled(&self.scope, written) {
            Ok(settled) => Ok(Settled { attributes: without_unknowns(settled.attributes), ..settled }),
            // Errors are rare: it is written again for them, and not copied for everyone.
            Err(error) => match self.written(logical_id, known)? {
                // An unknown may stand where a number or a list belongs: then the value is compared as it is.
                (_, properties) if unknown::is_within(&properties) => Ok(Settled { properties, ..Settled::default() }),
                _ => Err(error),
            },
        }
    }

    /// The resource's properties as they are written, with a name, tags and numbers that are numbers.
    fn written(
        &self,
        logical_id: &LogicalId,
        known: &dyn Fn(&LogicalId, &str) -> Option<Value>,
    ) -> Result<(&'static Row, Value), String> {
        let resource = self.graph.resources.get(logical_id).ok_or_else(|| format!("`{logical_id}` is not declared"))?;
        let row = row(&resource.resource_type).ok_or_else(|| format!("`{}` is not handled", resource.resource_type))?;
        let mut value =
            self.graph.evaluate(&resource.properties, known).map_err(|diagnostic| diagnostic.message.clone())?;
        if value.is_null() {
            value = Value::Object(Map::new());
        }
        if let Some(name) = row.handler.generated_name() {
            fill_in_name(&mut value, &name, &self.owner(logical_id));
        }
        if row.facts().tag_property().is_some() {
            tags::add(&mut value, &self.tags, &self.owner(logical_id));
        }
        row.facts().coerce(&mut value);
        Ok((row, value))
    }

    /// Every resource's properties when nothing is known but what follows from names.
    pub fn predicted(&self) -> &ByResource<Arc<Value>> {
        &self.predicted
    }

    /// What follows from these.
    pub fn predicted_attributes(&self, logical_id: &LogicalId) -> Option<&Arc<Attributes>> {
        self.attributes.get(logical_id)
    }

    /// What follows from a resource's properties alone; of what has an unknown in it, nothing.
    pub fn predict(&self, logical_id: &LogicalId, properties: &Value) -> Arc<Attributes> {
        let is_it = |it: &Arc<Value>| std::ptr::eq(it.as_ref(), properties) || **it == *properties;
        if self.predicted.get(logical_id).is_some_and(is_it) {
            return self.attributes.get(logical_id).cloned().unwrap_or_default();
        }
        let predict = |row: &Row| without_unknowns(row.handler.predict(&self.scope, properties));
        self.row(logical_id).map(predict).unwrap_or_default().into()
    }

    pub fn row(&self, logical_id: &LogicalId) -> Option<&'static Row> {
        row(&self.graph.resources.get(logical_id)?.resource_type)
    }

    /// Whether a secret goes into the value of an expression: a secret parameter, a name made of one, or an API key's value.
    pub fn is_secret(&self, expr: &Expr, value: &Value) -> bool {
        let text = value.to_string();
        let is_in_text =
            |(_, secret): (&str, &Value)| secret.as_str().is_some_and(|it| it.len() >= 6 && text.contains(it));
        let is_key = |reference: &Reference| {
            let resource = self.graph.resources.get(&reference.resource);
            resource.is_some_and(|resource| resource.resource_type.as_str() == API_KEY && self.id_is_value(resource))
        };
        self.graph.has_secret(expr) || self.graph.secrets().any(is_in_text) || expr.references().iter().any(is_key)
    }

    /// A key may be made so that its id is its value.
    fn id_is_value(&self, key: &DesiredResource) -> bool {
        let distinct = key.properties.at(&[PathStep::from("GenerateDistinctId")]);
        let is_distinct = |expr| self.graph.evaluate(expr, &|_, _| None).is_ok_and(|value| is_true(&value));
        distinct.is_some_and(|expr| !is_distinct(expr))
    }

    /// The top-level properties that are secret by their type, or into which a secret parameter goes.
    pub fn secret_properties(&self, logical_id: &LogicalId) -> BTreeSet<String> {
        let Some(resource) = self.graph.resources.get(logical_id) else { return BTreeSet::new() };
        let Some(row) = row(&resource.resource_type) else { return BTreeSet::new() };
        let has_secret = |(_, expr): &(&str, &Expr)| self.graph.has_secret(expr);
        let told = resource.properties.fields().filter(has_secret).map(|(name, _)| name);
        let all = row.handler.secrets().iter().copied().chain(told);
        all.filter(|name| row.facts().has_property(name)).map(str::to_owned).collect()
    }
}

fn without_unknowns(mut attributes: Attributes) -> Attributes {
    attributes.retain(|_, value| !unknown::is_within(value));
    attributes
}

const API_KEY: &str = "AWS::ApiGateway::ApiKey";

/// What the names of FIFO queues and topics end with.
pub const FIFO: &str = ".fifo";

/// The name that a resource gets when its template gives none: stack, logical id and a digest of both, so that it stays
/// apart from every other when it has to be cut.
pub fn generated_name(owner: &Owner, longest: usize, case: Case, suffix: &str) -> String {
    let digest = hex_digest(format!("{}/{}", owner.stack, owner.resource), 8);
    let readable = format!("{}-{}", owner.stack, owner.resource);
    let room = longest.saturating_sub(digest.len() + 1 + suffix.len());
    let readable: String = readable.chars().take(room).collect();
    let name = format!("{}-{digest}{suffix}", readable.trim_end_matches('-'));
    match case {
        Case::Any => name,
        Case::Lower => name.to_lowercase(),
        Case::Alphanumeric => name.chars().filter(char::is_ascii_alphanumeric).collect(),
    }
}

fn fill_in_name(properties: &mut Value, name: &GeneratedName, owner: &Owner) {
    let Some(fields) = properties.as_object_mut() else { return };
    if fields.contains_key(name.property) {
        return;
    }
    let is_fifo = name.fifo_property.and_then(|property| fields.get(property)).is_some_and(is_true);
    let suffix = if is_fifo { FIFO } else { "" };
    fields.insert(name.property.to_owned(), Value::String(generated_name(owner, name.longest, name.case, suffix)));
}

fn is_true(value: &Value) -> bool {
    value == &Value::Bool(true) || value.as_str() == Some("true")
}

/// Which OpenAPI document an API is imported from, and how: it cannot be read back.
fn body_digests(graph: &DesiredGraph, values: &ByResource<Arc<Value>>) -> Vec<(LogicalId, String)> {
    let digest = |api: &DesiredResource| {
        let value = values.get(&api.logical_id)?;
        let text = serde_json::to_vec(&[value.get("Body")?, &value["Mode"], &value["Parameters"]]).ok()?;
        Some((api.logical_id.clone(), hex_digest(&text, 32)))
    };
    of_type(graph, "AWS::ApiGateway::RestApi").filter_map(digest).collect()
}

/// What a deployment takes a snapshot of, and nothing can read back: of every API, all that is deployed with it.
fn content_digests(graph: &DesiredGraph, values: &ByResource<Arc<Value>>) -> BTreeMap<LogicalId, String> {
    const CONTENT: [&str; 7] = [
        "AWS::ApiGateway::Authorizer",
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Model",
        "AWS::ApiGateway::RequestValidator",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::RestApi",
    ];
    let is_content = |resource: &DesiredResource| CONTENT.contains(&resource.resource_type.as_str());
    let deployments = of_type(graph, "AWS::ApiGateway::Deployment");
    deployments
        .filter_map(|deployment| {
            let id = |logical_id: &LogicalId| values.get(logical_id)?.get("RestApiId");
            let (api, literal) = (api_of(deployment), id(&deployment.logical_id)?);
            let of_this_api = |resource: &&DesiredResource| match resource.resource_type.as_str() {
                "AWS::ApiGateway::RestApi" => api.as_ref() == Some(&resource.logical_id),
                _ if api.is_some() => api_of(resource) == api,
                _ => id(&resource.logical_id) == Some(literal),
            };
            let content: BTreeMap<&LogicalId, Value> = graph
                .resources
                .values()
                .filter(|resource| is_content(resource))
                .filter(of_this_api)
                .filter_map(|resource| Some((&resource.logical_id, deployed(values.get(&resource.logical_id)?))))
                .collect();
            // Whoever writes the same in another order has changed nothing.
            let mut content = serde_json::to_value(&content).ok()?;
            content.sort_all_objects();
            let text = serde_json::to_vec(&content).ok()?;
            Some((deployment.logical_id.clone(), hex_digest(&text, 16)))
        })
        .collect()
}

/// Tags, descriptions, and where a document was read are not deployed.
fn deployed(properties: &Value) -> Value {
    let Value::Object(fields) = properties else { return properties.clone() };
    let is_deployed = |name: &str| !matches!(name, "Tags" | "Description" | "BodyS3Location");
    Value::Object(fields.iter().filter(|(name, _)| is_deployed(name)).map(|(k, v)| (k.clone(), v.clone())).collect())
}

pub(crate) fn of_type<'a>(
    graph: &'a DesiredGraph,
    resource_type: &'a str,
) -> impl Iterator<Item = &'a DesiredResource> + 'a {
    graph.resources.values().filter(move |resource| resource.resource_type.as_str() == resource_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::line::desired;

    fn name(logical_id: &str, longest: usize) -> String {
        let owner = Owner { stack: StackId::from("payments-dev"), resource: LogicalId::from(logical_id) };
        generated_name(&owner, longest, Case::Any, "")
    }

    #[test]
    fn a_generated_name_depends_on_stack_and_logical_id_alone() {
        assert_eq!(name("Orders", 80), name("Orders", 80));
        assert_ne!(name("Orders", 80), name("Order", 80));
        assert!(name("Orders", 80).starts_with("payments-dev-Orders-"));
    }

    #[test]
    fn a_name_that_is_cut_stays_apart_from_others() {
        let long = "AVeryLongLogicalIdThatNobodyWouldWriteByHandButGeneratorsDo";
        let one = name(&format!("{long}A"), 40);
        let other = name(&format!("{long}B"), 40);
        assert_eq!(one.len(), 40);
        assert_ne!(one, other);
    }

    #[test]
    fn what_is_predicted_side_by_side_is_each_resources_own() {
        let queues = (0..THREADS * WORTH_A_THREAD + 7).map(|number| {
            format!(
                "  Dead{number}: {{Type: AWS::SQS::Queue, Properties: {{QueueName: dead-{number}}}}}\n  \
                 Orders{number}: {{Type: AWS::SQS::Queue, Properties: {{QueueName: orders-{number}, \
                 RedrivePolicy: {{deadLetterTargetArn: !GetAtt Dead{number}.Arn, maxReceiveCount: 3}}}}}}\n"
            )
        });
        let desired = desired(&format!("Resources:\n{}", queues.collect::<String>()));
        assert_eq!(desired.predicted().len(), desired.graph.resources.len());
        for (logical_id, properties) in desired.predicted() {
            let name = properties["QueueName"].as_str().unwrap_or_default();
            let (kind, number) = name.split_once('-').expect("it is the name of the template");
            assert_eq!(logical_id.as_str().to_lowercase(), format!("{kind}{number}"));
            let dead = properties["RedrivePolicy"]["deadLetterTargetArn"].as_str();
            assert_eq!(dead.is_some(), kind == "orders");
            assert!(dead.is_none_or(|arn| arn.ends_with(&format!(":dead-{number}"))), "{logical_id}: {dead:?}");
        }
    }

    #[test]
    fn a_composite_alarm_waits_for_those_that_its_rule_names() {
        let alarm = |name: &str| {
            format!(
                "{{Type: AWS::CloudWatch::Alarm, Properties: {{AlarmName: '{name}', MetricName: Age, Namespace: Orders, Period: 60, \
                 Statistic: Maximum, EvaluationPeriods: 1, ComparisonOperator: GreaterThanThreshold, Threshold: 1}}}}"
            )
        };
        let rule = r#"ALARM("age of orders") AND NOT (OK( errors ) OR ALARM("late"))"#;
        let template = format!(
            "Resources:\n  Any: {{Type: AWS::CloudWatch::CompositeAlarm, Properties: {{AlarmRule: '{rule}'}}}}\n  \
             Age: {}\n  Errors: {}\n  Late: {}\n  Other: {}\n",
            alarm("age of orders"),
            alarm("errors"),
            alarm("late"),
            alarm("orders"),
        );
        let desired = desired(&template);
        let on: Vec<&str> = desired.dependencies.of(&"Any".into()).map(LogicalId::as_str).collect();
        assert_eq!(on, ["Age", "Errors", "Late"]);
    }
}
