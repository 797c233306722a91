//! What waits for what: the edges that a template writes down, and those that every CloudFormation user has to know by heart.
//! Pure.

mod circles;
mod implied;

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::kosaraju_scc;
use petgraph::graphmap::DiGraphMap;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::identity::{ByName, LogicalId, ResourceType};
use crate::{DesiredGraph, DesiredResource};

pub use circles::without_circles;
pub use implied::{ImpliedEdge, implied};

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

    /// Adds what is implied, but for an edge that would close a circle: what the template writes wins over what paystack knows,
    /// and the first edge over the next.
    pub fn imply(&mut self, edges: Vec<ImpliedEdge>) {
        let there = self.0.iter().flat_map(|(from, reasons)| reasons.keys().map(move |on| (on, from)));
        let wished: Vec<(&LogicalId, &LogicalId)> = edges.iter().map(|edge| (&edge.on, &edge.from)).collect();
        let added = without_circles(there, &wished);
        for (ImpliedEdge { from, on, because }, _) in edges.into_iter().zip(added).filter(|(_, is_added)| *is_added) {
            self.add(from, on, Reason::Implied(because.to_owned()));
        }
    }

    /// The given resources, each after all that it depends on: first those that depend on nothing, then those that depend on
    /// these alone, and so on; else in the order given. What is in a circle, or depends on one, comes last.
    pub fn in_order<'a>(&self, resources: impl Iterator<Item = &'a LogicalId>) -> Vec<LogicalId> {
        self.in_levels(resources).into_iter().flatten().collect()
    }

    /// The same, level by level: none depends on another of its level, but for the last where it has circles.
    pub fn in_levels<'a>(&self, resources: impl Iterator<Item = &'a LogicalId>) -> Vec<Vec<LogicalId>> {
        let given: Vec<&LogicalId> = resources.collect();
        let places: ByName<&LogicalId, usize> = given.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        let mut missing = vec![0_usize; given.len()];
        let mut followers = vec![Vec::new(); given.len()];
        for (place, id) in given.iter().enumerate() {
            for on in self.of(id).filter_map(|on| places.get(on)) {
                missing[place] += 1;
                followers[*on].push(place);
            }
        }
        let mut levels: Vec<Vec<usize>> = Vec::new();
        let mut ready: Vec<usize> = (0..given.len()).filter(|place| missing[*place] == 0).collect();
        while !ready.is_empty() {
            ready.sort_unstable();
            let mut next = Vec::new();
            for follower in ready.iter().flat_map(|place| &followers[*place]) {
                missing[*follower] -= 1;
                if missing[*follower] == 0 {
                    next.push(*follower);
                }
            }
            levels.push(std::mem::replace(&mut ready, next));
        }
        levels.push((0..given.len()).filter(|place| missing[*place] > 0).collect());
        levels.into_iter().map(|level| level.into_iter().map(|place| given[place].clone()).collect()).collect()
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
    let rings = kosaraju_scc(&edges).into_iter().filter(|ring| ring.len() > 1);
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

/// The API that a resource belongs to, where the template names it by any of its attributes.
pub fn api_of(resource: &DesiredResource) -> Option<LogicalId> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn dependencies(edges: &[(&str, &str)]) -> Dependencies {
        let mut dependencies = Dependencies::default();
        edges.iter().for_each(|(from, on)| dependencies.add((*from).into(), (*on).into(), Reason::Reference));
        dependencies
    }

    fn implied(from: &str, on: &str) -> ImpliedEdge {
        ImpliedEdge { from: from.into(), on: on.into(), because: "it is so" }
    }

    #[test]
    fn what_depends_on_nothing_comes_first_and_what_is_in_a_circle_last() {
        let dependencies =
            dependencies(&[("A", "C"), ("B", "A"), ("D", "Elsewhere"), ("X", "Y"), ("Y", "X"), ("Z", "X")]);
        let given = ["A", "B", "X", "Y", "Z", "C", "D"].map(LogicalId::from);
        let order = dependencies.in_order(given.iter());
        let order: Vec<&str> = order.iter().map(LogicalId::as_str).collect();
        assert_eq!(order, ["C", "D", "A", "B", "X", "Y", "Z"]);
    }

    #[test]
    fn what_is_implied_closes_no_circle_and_the_first_edge_wins() {
        let mut dependencies = dependencies(&[("B", "A"), ("C", "B")]);
        dependencies.imply(vec![implied("A", "C"), implied("D", "C"), implied("A", "D"), implied("B", "A")]);
        let all: Vec<String> = ["A", "B", "C", "D"]
            .map(LogicalId::from)
            .iter()
            .flat_map(|id| dependencies.reasons(id).map(move |(on, why)| format!("{id} on {on}: {why:?}")))
            .collect();
        assert_eq!(all, ["B on A: Reference", "C on B: Reference", "D on C: Implied(\"it is so\")"]);
    }
}
