//! Which function and queue gets how much: from the API's methods to the functions, by what their roles let them reach, and
//! by event source mappings from queues to functions.

use std::collections::{BTreeMap, HashMap};

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{DfsPostOrder, EdgeRef, Walker};

use super::{Load, number};
use crate::identity::LogicalId;
use crate::policy::roles::{FUNCTION, role_of, statements_of, with_policies};
use crate::policy::sources::{function_of, queue_of};
use crate::resolved::{Resolved, Subject};

const QUEUE: &str = "AWS::SQS::Queue";

/// How much passes where, in events per second.
pub struct Flow {
    /// Runs by requests that wait for the answer.
    pub called: BTreeMap<LogicalId, f64>,
    /// Messages that are put into a queue.
    pub sent: BTreeMap<LogicalId, f64>,
    /// Messages that a function is given by a queue.
    pub taken: BTreeMap<LogicalId, f64>,
    /// Writes to a table, and what they are made of.
    pub written: BTreeMap<LogicalId, (f64, Vec<String>)>,
    /// Publications on a topic.
    pub published: BTreeMap<LogicalId, f64>,
}

/// What a role's actions do to the hops behind a function.
const WRITES: [&str; 3] = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"];

/// The ways that a load takes: from functions to the queues that they may send to, and from queues to what takes from them
/// and to their dead-letter queues, with the share that goes on.
struct Ways<'a> {
    graph: DiGraph<Subject<'a>, f64>,
    called: Vec<NodeIndex>,
}

impl Flow {
    pub fn of(resolved: &Resolved<'_>, load: &Load) -> Self {
        let mut flow = Self {
            called: BTreeMap::new(),
            sent: BTreeMap::new(),
            taken: BTreeMap::new(),
            written: BTreeMap::new(),
            published: BTreeMap::new(),
        };
        let Ways { graph, called } = Ways::of(resolved, load);
        let mut totals: Vec<Option<f64>> = vec![None; graph.node_count()];
        for function in &called {
            flow.called.insert(graph[*function].id().clone(), load.rate);
            for (node, rate) in rates_from(&graph, *function, load.rate) {
                *totals[node.index()].get_or_insert_default() += rate;
            }
        }
        for node in graph.node_indices() {
            let Some(rate) = totals[node.index()] else { continue };
            let subject = &graph[node];
            if subject.resource_type() == FUNCTION {
                flow.use_stores(resolved, subject, rate);
                continue;
            }
            flow.sent.insert(subject.id().clone(), rate);
            for consumer in graph.neighbors(node).filter(|it| graph[*it].resource_type() == FUNCTION) {
                *flow.taken.entry(graph[consumer].id().clone()).or_default() += rate;
            }
        }
        flow
    }

    /// What a function writes and publishes.
    fn use_stores(&mut self, resolved: &Resolved<'_>, function: &Subject<'_>, rate: f64) {
        let grants = grants(resolved, function);
        for table in resolved.of_type("AWS::DynamoDB::Table") {
            for action in WRITES.into_iter().filter(|action| may(&grants, action, &table)) {
                let (sum, parts) = self.written.entry(table.id().clone()).or_default();
                *sum += rate;
                parts.push(format!(
                    "{}/s {} by {}",
                    number(rate),
                    action.trim_start_matches("dynamodb:"),
                    function.id()
                ));
            }
        }
        for topic in resolved.of_type("AWS::SNS::Topic").filter(|topic| may(&grants, "sns:Publish", topic)) {
            *self.published.entry(topic.id().clone()).or_default() += rate;
        }
    }

    /// What is taken for granted where nobody has said it.
    pub fn assumptions(&self, load: &Load) -> Vec<String> {
        let mut assumptions = vec![
            format!("the load comes evenly from {} and with {}", plural(load.addresses, "address", "addresses"), plural(load.keys, "API key", "API keys")),
            "every request goes through every method's function, and does once each thing that the function's role lets it do".to_owned(),
            format!("{} % of the messages of a queue end in its dead-letter queue", number(load.failing * 100.0)),
            format!("an item has {} KB", number(load.item_kilobytes)),
        ];
        let mut said: Vec<String> =
            load.latencies.iter().map(|(function, latency)| format!("{} s for {function}", number(*latency))).collect();
        said.push(format!(
            "{} s for every {}function",
            number(load.latency),
            if said.is_empty() { "" } else { "other " }
        ));
        assumptions.push(format!("one run takes {}", said.join(", ")));
        let account = load.account;
        assumptions.push(match account.is_read {
            true => format!("the account's concurrency is {}, as it says", number(account.concurrency)),
            false => {
                format!("the account's concurrency is {}, AWS's default; nobody was asked", number(account.concurrency))
            }
        });
        assumptions
    }
}

fn plural(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The functions that an API's methods call.
fn called_by_api(resolved: &Resolved<'_>) -> Vec<LogicalId> {
    let uris: Vec<&str> = resolved
        .of_type("AWS::ApiGateway::Method")
        .filter_map(|method| method.properties["Integration"]["Uri"].as_str())
        .collect();
    let is_called = |function: &Subject<'_>| {
        let arn = function.attribute("Arn");
        uris.iter().any(|uri| arn.is_some_and(|arn| uri.contains(&format!("/{arn}/"))) || function.is_named_in(uri))
    };
    resolved.of_type("AWS::Lambda::Function").filter(is_called).map(|function| function.id().clone()).collect()
}

/// Action and resource of everything that a function's role allows.
fn grants(resolved: &Resolved<'_>, function: &Subject<'_>) -> Vec<(String, String)> {
    let Some(role) = role_of(function, resolved) else { return Vec::new() };
    let mut grants = Vec::new();
    for policy in with_policies(role, resolved) {
        for statement in statements_of(&policy).iter().filter(|statement| statement.allows()) {
            for (_, action) in statement.actions() {
                grants.extend(
                    statement.resources().into_iter().map(|(_, resource)| (action.to_owned(), resource.to_owned())),
                );
            }
        }
    }
    grants
}

fn may(grants: &[(String, String)], action: &str, target: &Subject<'_>) -> bool {
    grants.iter().any(|(granted, resource)| granted.eq_ignore_ascii_case(action) && target.is_named_by(resource))
}

impl<'a> Ways<'a> {
    fn of(resolved: &'a Resolved<'_>, load: &Load) -> Self {
        let mut graph = DiGraph::new();
        let mut nodes = BTreeMap::new();
        for subject in [FUNCTION, QUEUE].into_iter().flat_map(|kind| resolved.of_type(kind)) {
            nodes.insert(subject.id(), graph.add_node(subject));
        }
        let subjects: Vec<NodeIndex> = graph.node_indices().collect();
        for node in &subjects {
            let subject = graph[*node];
            if subject.resource_type() == FUNCTION {
                let grants = grants(resolved, &subject);
                for queue in resolved.of_type(QUEUE).filter(|queue| may(&grants, "sqs:SendMessage", queue)) {
                    graph.add_edge(*node, nodes[queue.id()], 1.0);
                }
                continue;
            }
            for mapping in resolved.of_type("AWS::Lambda::EventSourceMapping") {
                let is_it = queue_of(&mapping, resolved).is_some_and(|it| it.id() == subject.id());
                let function = function_of(&mapping, resolved).filter(|_| is_it);
                if let Some(function) = function.and_then(|function| nodes.get(function.id())) {
                    graph.add_edge(*node, *function, 1.0);
                }
            }
            let target = &subject.properties["RedrivePolicy"]["deadLetterTargetArn"];
            let dead = resolved.of_type(QUEUE).find(|it| it.is_among(target) && it.id() != subject.id());
            if let Some(dead) = dead.and_then(|dead| nodes.get(dead.id())) {
                graph.add_edge(*node, *dead, load.failing);
            }
        }
        let called = called_by_api(resolved).iter().filter_map(|id| nodes.get(id).copied()).collect();
        Self { graph, called }
    }
}

/// How much of what begins at one node comes to each that is reached from it. A circle ends where it was entered.
fn rates_from(graph: &DiGraph<Subject<'_>, f64>, start: NodeIndex, rate: f64) -> Vec<(NodeIndex, f64)> {
    let mut order: Vec<NodeIndex> = DfsPostOrder::new(graph, start).iter(graph).collect();
    order.reverse();
    let place: HashMap<NodeIndex, usize> = order.iter().enumerate().map(|(index, node)| (*node, index)).collect();
    let mut rates = vec![0.0; order.len()];
    rates[0] = rate;
    for (index, node) in order.iter().enumerate() {
        for way in graph.edges(*node) {
            let to = place[&way.target()];
            if to > index {
                rates[to] += rates[index] * way.weight();
            }
        }
    }
    order.into_iter().zip(rates).collect()
}
