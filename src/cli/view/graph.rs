//! Pictures of what waits for what: of a template, or of a plan. The picture is plain data; each form draws the same one.

mod dot;
mod layout;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::Desired;
use crate::graph::Reason;
use crate::identity::{LogicalId, REF, ResourceType};
use crate::plan::{Action, Plan};

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

/// Resources, and what each waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub title: String,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub logical_id: LogicalId,
    pub resource_type: ResourceType,
    /// What a plan does with it; `None` in the picture of a template.
    pub change: Option<Change>,
}

/// What happens to a resource, as far as a colour can say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    Create,
    Adopt,
    Update,
    Replace,
    Delete,
    Forget,
    Blocked,
    None,
}

/// One resource waits for another; both are places among the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    pub from: usize,
    pub on: usize,
    pub why: Why,
}

/// Why one resource waits for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It says so: by `Ref`, or by `Fn::GetAtt` with these attributes.
    Refers(Vec<String>),
    DependsOn,
    /// paystack knows it; the text says what would go wrong otherwise.
    Implied(String),
    /// It did when it was applied, or nobody has said why.
    Waits,
}

impl Picture {
    /// What a template declares.
    pub fn of_template(desired: &Desired) -> Self {
        let resources = desired.graph.resources.values();
        let nodes: Vec<Node> = resources
            .map(|it| Node { logical_id: it.logical_id.clone(), resource_type: it.resource_type.clone(), change: None })
            .collect();
        let waits = |node: &Node| desired.dependencies.of(&node.logical_id).cloned().collect();
        let edges = edges(&nodes, waits, Some(desired));
        Self { title: format!("{}: the template", desired.stack), nodes, edges }
    }

    /// What a plan does, and what it leaves as it is. Why one waits for another only the template can say.
    pub fn of_plan(plan: &Plan, desired: Option<&Desired>) -> Self {
        let steps: BTreeMap<&LogicalId, &BTreeSet<LogicalId>> =
            plan.steps.iter().rev().map(|step| (&step.logical_id, &step.dependencies)).collect();
        let nodes: Vec<Node> = plan
            .steps
            .iter()
            .map(|step| Node {
                logical_id: step.logical_id.clone(),
                resource_type: step.resource_type.clone(),
                change: Some(Change::of(&step.action)),
            })
            .collect();
        let waits = |node: &Node| steps.get(&node.logical_id).copied().cloned().unwrap_or_default();
        let edges = edges(&nodes, waits, desired);
        Self { title: format!("{}: the plan", plan.stack), nodes, edges }
    }

    /// The nodes of each service, in order of the service's name.
    fn services(&self) -> BTreeMap<&str, Vec<usize>> {
        let mut services: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            services.entry(node.resource_type.service()).or_default().push(index);
        }
        services
    }

    /// What its plan does, each once: what a legend explains.
    fn changes(&self) -> BTreeSet<Change> {
        self.nodes.iter().filter_map(|node| node.change).collect()
    }
}

impl Node {
    /// `Queue` of `AWS::SQS::Queue`.
    fn kind(&self) -> &str {
        self.resource_type.as_str().rsplit("::").next().unwrap_or_default()
    }
}

impl Change {
    fn of(action: &Action) -> Self {
        match action {
            Action::None => Self::None,
            Action::Create { .. } => Self::Create,
            Action::Adopt { .. } => Self::Adopt,
            Action::Update { .. } => Self::Update,
            Action::Replace { .. } => Self::Replace,
            Action::Delete { .. } => Self::Delete,
            Action::Forget => Self::Forget,
            Action::Blocked { .. } => Self::Blocked,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Forget => "forget",
            Self::Blocked => "blocked",
            Self::None => "no change",
        }
    }

    /// The colours of a box: inside, and around it. Both are readable under black text.
    fn colours(self) -> Colours {
        let (fill, line) = match self {
            Self::Create => ("#dafbe1", "#1a7f37"),
            Self::Adopt | Self::Update => ("#fff8c5", "#9a6700"),
            Self::Replace => ("#fbefff", "#8250df"),
            Self::Delete => ("#ffebe9", "#cf222e"),
            Self::Blocked => ("#ff8182", "#a40e26"),
            Self::Forget | Self::None => ("#f6f8fa", "#8c959f"),
        };
        Colours { fill, line }
    }
}

/// What a box is drawn with.
#[derive(Debug, Clone, Copy)]
struct Colours {
    fill: &'static str,
    line: &'static str,
}

/// A box in the picture of a template.
const PLAIN: Colours = Colours { fill: "#ffffff", line: "#57606a" };

impl Node {
    fn colours(&self) -> Colours {
        self.change.map_or(PLAIN, Change::colours)
    }
}

impl Why {
    /// In a few words: `Ref, GetAtt Arn`.
    fn label(&self) -> String {
        match self {
            Self::Refers(attributes) => {
                let (names, references): (Vec<_>, Vec<_>) = attributes.iter().partition(|name| *name != REF);
                let reference = (!references.is_empty()).then(|| "Ref".to_owned());
                let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
                let attribute = (!names.is_empty()).then(|| format!("GetAtt {}", names.join(", ")));
                reference.into_iter().chain(attribute).collect::<Vec<_>>().join(", ")
            }
            Self::DependsOn => "DependsOn".to_owned(),
            Self::Implied(because) => format!("implied: {because}"),
            Self::Waits => "waits".to_owned(),
        }
    }
}

fn edges(nodes: &[Node], waits: impl Fn(&Node) -> BTreeSet<LogicalId>, desired: Option<&Desired>) -> Vec<Edge> {
    // What is left of a replacement has the name of what came for it, and comes later.
    let places: BTreeMap<&LogicalId, usize> =
        nodes.iter().enumerate().rev().map(|(index, node)| (&node.logical_id, index)).collect();
    let mut edges = Vec::new();
    for (from, node) in nodes.iter().enumerate() {
        for (id, on) in waits(node).iter().filter_map(|id| Some((id, *places.get(id)?))) {
            let why = desired.and_then(|desired| why(desired, &node.logical_id, id)).unwrap_or(Why::Waits);
            edges.push(Edge { from, on, why });
        }
    }
    edges
}

fn why(desired: &Desired, from: &LogicalId, on: &LogicalId) -> Option<Why> {
    let (_, reason) = desired.dependencies.reasons(from).find(|(id, _)| *id == on)?;
    Some(match reason {
        Reason::Reference => {
            let references = desired.graph.resources.get(from)?.references.iter();
            let to_it = references.filter(|reference| &reference.resource == on);
            Why::Refers(to_it.map(|reference| reference.attribute.clone()).collect())
        }
        Reason::DependsOn => Why::DependsOn,
        Reason::Implied(because) => Why::Implied(because.clone()),
    })
}
