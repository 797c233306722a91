//! What waits for what: the edges that a template writes down, and those that every CloudFormation user has to know by heart.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::desired::of_type;
use crate::diagnostic::Diagnostic;
use crate::identity::{LogicalId, ResourceType};
use crate::template::{DesiredGraph, DesiredResource};

/// Why one resource waits for another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reason {
    /// `Ref`, `Fn::GetAtt` or `Fn::Sub`.
    Reference,
    DependsOn,
    /// paystack knows it; the text says what would go wrong otherwise.
    Implied(String),
}

/// What each resource waits for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dependencies(BTreeMap<LogicalId, BTreeMap<LogicalId, Reason>>);

/// An edge that follows from the types of its ends.
pub struct ImpliedEdge {
    pub from: LogicalId,
    pub on: LogicalId,
    pub because: String,
}

impl Dependencies {
    /// The edges that the template writes down.
    pub fn declared(graph: &DesiredGraph) -> Self {
        let mut dependencies = Self::default();
        for resource in graph.resources.values() {
            for on in &resource.depends_on {
                dependencies.add(resource.logical_id.clone(), on.clone(), Reason::DependsOn);
            }
            for reference in &resource.references {
                dependencies.add(resource.logical_id.clone(), reference.resource.clone(), Reason::Reference);
            }
        }
        dependencies
    }

    /// Adds an edge; a reference is the better reason where there are several.
    pub fn add(&mut self, from: LogicalId, on: LogicalId, reason: Reason) {
        if from == on {
            return;
        }
        let reasons = self.0.entry(from).or_default();
        let best = reasons.get(&on).map_or(&reason, |known| known.min(&reason)).clone();
        reasons.insert(on, best);
    }

    /// What a resource waits for.
    pub fn of(&self, logical_id: &LogicalId) -> impl Iterator<Item = &LogicalId> {
        self.0.get(logical_id).into_iter().flat_map(BTreeMap::keys)
    }

    /// What a resource waits for, with the reasons.
    pub fn reasons(&self, logical_id: &LogicalId) -> impl Iterator<Item = (&LogicalId, &Reason)> {
        self.0.get(logical_id).into_iter().flatten()
    }

    /// The given resources, each after all that it depends on; else in the order given. What is in a cycle comes last.
    pub fn in_order<'a>(&self, resources: impl Iterator<Item = &'a LogicalId>) -> Vec<LogicalId> {
        let mut left: Vec<&LogicalId> = resources.collect();
        let known: BTreeSet<&LogicalId> = left.iter().copied().collect();
        let mut done: BTreeSet<LogicalId> = BTreeSet::new();
        let mut order = Vec::with_capacity(left.len());
        loop {
            let (ready, waiting): (Vec<_>, Vec<_>) =
                left.iter().partition(|id| self.of(id).all(|on| done.contains(on) || !known.contains(on)));
            if ready.is_empty() {
                order.extend(waiting.into_iter().cloned());
                return order;
            }
            done.extend(ready.iter().map(|id| (*id).clone()));
            order.extend(ready.into_iter().cloned());
            left = waiting;
        }
    }

    /// Whether a resource waits for another, at first or second hand.
    pub fn reaches(&self, from: &LogicalId, on: &LogicalId) -> bool {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(id) = next.pop() {
            if id == on {
                return true;
            }
            if seen.insert(id) {
                next.extend(self.of(id));
            }
        }
        false
    }
}

/// How much of the way round a cycle is shown.
const SHOWN_ON_THE_WAY: usize = 20;

/// The cycles among a template's references, each as an error that shows the way round.
pub fn cycles(graph: &DesiredGraph) -> Vec<Diagnostic> {
    let dependencies = Dependencies::declared(graph);
    let mut edges = DiGraphMap::<&str, ()>::new();
    for from in graph.resources.keys() {
        for on in dependencies.of(from) {
            edges.add_edge(from.as_str(), on.as_str(), ());
        }
    }
    let rings = tarjan_scc(&edges).into_iter().filter(|ring| ring.len() > 1);
    rings.filter_map(|ring| cycle(graph, &dependencies, &ring.into_iter().collect())).collect()
}

fn cycle(graph: &DesiredGraph, dependencies: &Dependencies, ring: &BTreeSet<&str>) -> Option<Diagnostic> {
    let first = LogicalId::from(*ring.first()?);
    let mut way = vec![first.clone()];
    let mut places = BTreeMap::from([(first, 0)]);
    // Each step stays within the ring, so that after as many steps as it has members a resource is met again.
    let start = loop {
        let next = dependencies.of(way.last()?).find(|on| ring.contains(on.as_str()))?.clone();
        let met = places.insert(next.clone(), way.len());
        way.push(next);
        if let Some(met) = met {
            break met;
        }
    };
    let way = &way[start..];
    let resource = graph.resources.get(way.first()?)?;
    let mut shown: Vec<String> = way.iter().take(SHOWN_ON_THE_WAY).map(|id| format!("`{id}`")).collect();
    if way.len() > SHOWN_ON_THE_WAY {
        shown.push(format!("… ({} in all)", way.len() - 1));
    }
    let diagnostic = Diagnostic::error(format!("resources wait for each other in a circle: {}", shown.join(" → ")))
        .at(resource.span)
        .label("this resource waits for itself")
        .help("remove one reference or `DependsOn`: build an ARN from a name with `Fn::Sub`, or give the edge a resource of its own");
    Some(
        way[1..way.len() - 1]
            .iter()
            .take(SHOWN_ON_THE_WAY)
            .filter_map(|id| graph.resources.get(id))
            .fold(diagnostic, |diagnostic, resource| diagnostic.related(resource.span, "part of the circle")),
    )
}

/// A rule: the type that waits, the types it waits for, which of them, and why.
struct Rule {
    from: &'static str,
    on: &'static [&'static str],
    because: &'static str,
    applies: fn(&World, &DesiredResource, &DesiredResource) -> bool,
}

struct World<'a> {
    graph: &'a DesiredGraph,
    values: &'a BTreeMap<LogicalId, Value>,
}

/// The edges that no template writes down, each with its reason.
const RULES: &[Rule] = &[
    Rule {
        from: "AWS::ApiGateway::Deployment",
        on: &[
            "AWS::ApiGateway::Authorizer",
            "AWS::ApiGateway::Method",
            "AWS::ApiGateway::GatewayResponse",
            "AWS::ApiGateway::Model",
            "AWS::ApiGateway::RequestValidator",
            "AWS::ApiGateway::Resource",
        ],
        because: "a deployment is a snapshot: what comes later is not in it",
        applies: |world, from, on| world.same_api(from, on),
    },
    Rule {
        from: "AWS::ApiGateway::Stage",
        on: &["AWS::ApiGateway::Account"],
        because: "a stage that logs is refused until the account has a logging role",
        applies: |world, from, on| world.always(from, on),
    },
    Rule {
        from: "AWS::ApiGateway::DocumentationVersion",
        on: &["AWS::ApiGateway::DocumentationPart"],
        because: "a version of the documentation is a snapshot: what comes later is not in it",
        applies: |world, from, on| world.same_api(from, on),
    },
    Rule {
        from: "AWS::ApiGateway::Stage",
        on: &["AWS::ApiGateway::DocumentationVersion"],
        because: "a stage is refused for a version of the documentation that does not exist",
        applies: |world, from, on| world.same_api(from, on) && world.same(from, on, "DocumentationVersion"),
    },
    Rule {
        from: "AWS::ApiGateway::BasePathMapping",
        on: &["AWS::ApiGateway::DomainName"],
        because: "a mapping belongs to a domain",
        applies: |world, from, on| world.same(from, on, "DomainName"),
    },
    Rule {
        from: "AWS::ApiGateway::BasePathMapping",
        on: &["AWS::ApiGateway::Stage"],
        because: "a mapping is refused for a stage that does not exist",
        applies: |world, from, on| world.refers_to_api_of(from, on),
    },
    Rule {
        from: "AWS::ApiGateway::UsagePlan",
        on: &["AWS::ApiGateway::Stage"],
        because: "a usage plan is refused for a stage that does not exist",
        applies: |world, from, on| world.refers_to_api_of(from, on),
    },
    Rule {
        from: "AWS::WAFv2::WebACLAssociation",
        on: &["AWS::ApiGateway::Stage"],
        because: "a web ACL is associated with a stage that exists",
        applies: |world, from, on| world.refers_to_api_of(from, on),
    },
    Rule {
        from: "AWS::Lambda::Function",
        on: &["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"],
        because: "a function's role needs its permissions before the function runs",
        applies: |world, from, on| world.share_a_role(from, on),
    },
    Rule {
        from: "AWS::Lambda::Function",
        on: &["AWS::Logs::LogGroup"],
        because: "a function that runs first makes a log group of its own, without tags and retention",
        applies: |world, from, on| world.is_log_group_of(from, on),
    },
    Rule {
        from: "AWS::Logs::SubscriptionFilter",
        on: &["AWS::Lambda::Permission"],
        because: "a subscription is refused until its destination permits it",
        applies: |world, from, on| world.share_a_destination(from, on),
    },
    Rule {
        from: "AWS::Logs::SubscriptionFilter",
        on: &["AWS::Logs::LogGroup"],
        because: "a subscription filter belongs to a log group",
        applies: |world, filter, group| world.same(filter, group, "LogGroupName"),
    },
    Rule {
        from: "AWS::Logs::LogStream",
        on: &["AWS::Logs::LogGroup"],
        because: "a log stream belongs to a log group",
        applies: |world, stream, group| world.same(stream, group, "LogGroupName"),
    },
    Rule {
        from: "AWS::CloudWatch::CompositeAlarm",
        on: &["AWS::CloudWatch::Alarm"],
        because: "a composite alarm is refused while an alarm of its rule does not exist",
        applies: |world, composite, alarm| world.rule_names(composite, alarm),
    },
    Rule {
        from: "AWS::Logs::MetricFilter",
        on: &["AWS::Logs::LogGroup"],
        because: "a metric filter belongs to a log group",
        applies: |world, filter, group| world.same(filter, group, "LogGroupName"),
    },
    Rule {
        from: "AWS::SNS::Subscription",
        on: &["AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy", "AWS::Lambda::Permission"],
        because: "messages to an endpoint that does not permit them are lost in silence",
        applies: |world, from, on| world.share_an_endpoint(from, on),
    },
];

/// The edges that follow from the resources' types. `values` are their properties as far as they follow from names.
pub fn implied(graph: &DesiredGraph, values: &BTreeMap<LogicalId, Value>) -> Vec<ImpliedEdge> {
    let world = World { graph, values };
    let mut edges = Vec::new();
    for rule in RULES {
        for from in of_type(graph, rule.from) {
            for on in rule.on.iter().flat_map(|on| of_type(graph, on)) {
                if (rule.applies)(&world, from, on) {
                    edges.push(ImpliedEdge {
                        from: from.logical_id.clone(),
                        on: on.logical_id.clone(),
                        because: rule.because.to_owned(),
                    });
                }
            }
        }
    }
    edges
}

impl World<'_> {
    fn always(&self, _from: &DesiredResource, _on: &DesiredResource) -> bool {
        true
    }

    fn value(&self, resource: &DesiredResource, property: &str) -> Option<&Value> {
        self.values.get(&resource.logical_id)?.get(property)
    }

    fn same(&self, from: &DesiredResource, on: &DesiredResource, property: &str) -> bool {
        self.value(from, property).is_some_and(|value| self.value(on, property) == Some(value))
    }

    fn same_api(&self, from: &DesiredResource, on: &DesiredResource) -> bool {
        match (api_of(from), api_of(on)) {
            (Some(from), Some(on)) => from == on,
            _ => self.same(from, on, "RestApiId"),
        }
    }

    /// Whether `from` refers to the API that the stage `on` belongs to.
    fn refers_to_api_of(&self, from: &DesiredResource, on: &DesiredResource) -> bool {
        self.referred(on, "AWS::ApiGateway::RestApi").any(|api| refers_to(from, api))
    }

    fn share_a_role(&self, from: &DesiredResource, on: &DesiredResource) -> bool {
        self.referred(from, "AWS::IAM::Role").any(|role| refers_to(on, role))
    }

    fn is_log_group_of(&self, function: &DesiredResource, group: &DesiredResource) -> bool {
        let Some(group) = self.value(group, "LogGroupName").and_then(Value::as_str) else { return false };
        let configured =
            self.value(function, "LoggingConfig").and_then(|it| it.get("LogGroup")).and_then(Value::as_str);
        let name = self.value(function, "FunctionName").and_then(Value::as_str).unwrap_or_default();
        configured == Some(group) || format!("/aws/lambda/{name}") == group
    }

    fn share_a_destination(&self, filter: &DesiredResource, on: &DesiredResource) -> bool {
        self.referred(filter, "AWS::Lambda::Function").any(|function| refers_to(on, function))
    }

    /// Whether the rule of a composite alarm names the alarm in its text, which is no reference.
    fn rule_names(&self, composite: &DesiredResource, alarm: &DesiredResource) -> bool {
        let rule = self.value(composite, "AlarmRule").and_then(Value::as_str).unwrap_or_default();
        let name = self.value(alarm, "AlarmName").and_then(Value::as_str).unwrap_or_default();
        !name.is_empty() && [format!("\"{name}\""), format!("({name})")].iter().any(|it| rule.contains(it))
    }

    fn share_an_endpoint(&self, subscription: &DesiredResource, on: &DesiredResource) -> bool {
        let queues = self.referred(subscription, "AWS::SQS::Queue");
        let functions = self.referred(subscription, "AWS::Lambda::Function");
        queues.chain(functions).any(|endpoint| refers_to(on, endpoint))
    }

    /// The resources of a type that a resource refers to.
    fn referred<'a>(
        &'a self,
        from: &'a DesiredResource,
        resource_type: &'a str,
    ) -> impl Iterator<Item = &'a LogicalId> {
        let targets = from.references.iter().map(|reference| &reference.resource);
        targets.filter(move |id| {
            self.graph.resources.get(*id).is_some_and(|it| it.resource_type.as_str() == resource_type)
        })
    }
}

/// The API that a resource belongs to, where the template names it by any of its attributes.
pub(crate) fn api_of(resource: &DesiredResource) -> Option<LogicalId> {
    let references = resource.properties.at(&["RestApiId".into()])?.references();
    references.into_iter().next().map(|reference| reference.resource)
}

/// Which of several resources goes first when nobody remembers what waits for what: the lower the sooner ("Real AWS
/// behaviour", 1.7).
pub fn deletion_rank(resource_type: &ResourceType) -> usize {
    const ORDER: &[&[&str]] = &[
        &["AWS::Lambda::EventSourceMapping", "AWS::WAFv2::WebACLAssociation", "AWS::WAFv2::LoggingConfiguration"],
        &[
            "AWS::ApiGateway::BasePathMapping",
            "AWS::ApiGateway::UsagePlanKey",
            "AWS::CloudWatch::CompositeAlarm",
            "AWS::Lambda::Alias",
            "AWS::Lambda::EventInvokeConfig",
            "AWS::Lambda::LayerVersionPermission",
            "AWS::Lambda::Permission",
            "AWS::Lambda::Url",
            "AWS::SNS::Subscription",
        ],
        &["AWS::Lambda::Version"],
        &["AWS::ApiGateway::UsagePlan", "AWS::ApiGateway::ApiKey"],
        &["AWS::ApiGateway::Stage"],
        &["AWS::ApiGateway::Deployment", "AWS::ApiGateway::DocumentationVersion"],
        &["AWS::ApiGateway::Method"],
        &[
            "AWS::ApiGateway::Authorizer",
            "AWS::ApiGateway::DocumentationPart",
            "AWS::ApiGateway::GatewayResponse",
            "AWS::ApiGateway::Model",
            "AWS::ApiGateway::RequestValidator",
        ],
        &["AWS::ApiGateway::Resource"],
        &["AWS::ApiGateway::RestApi", "AWS::WAFv2::WebACL", "AWS::Lambda::Function"],
        &["AWS::WAFv2::RuleGroup"],
        &[
            "AWS::IAM::GroupPolicy",
            "AWS::IAM::Policy",
            "AWS::IAM::RolePolicy",
            "AWS::IAM::UserPolicy",
            "AWS::IAM::UserToGroupAddition",
            "AWS::Lambda::CodeSigningConfig",
            "AWS::Lambda::LayerVersion",
            "AWS::Logs::LogAnomalyDetector",
            "AWS::Logs::LogStream",
            "AWS::Logs::MetricFilter",
            "AWS::Logs::SubscriptionFilter",
            "AWS::WAFv2::IPSet",
            "AWS::WAFv2::RegexPatternSet",
        ],
    ];
    let is_in = |types: &&[&str]| types.contains(&resource_type.as_str());
    let last = ORDER.len() + usize::from(resource_type.service() == "IAM");
    ORDER.iter().position(is_in).unwrap_or(last)
}

fn refers_to(from: &DesiredResource, target: &LogicalId) -> bool {
    from.references.iter().any(|reference| &reference.resource == target)
}
