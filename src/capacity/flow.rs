//! Which function and queue gets how much: from the API's methods to the functions, by what their roles let them reach, and
//! by event source mappings from queues and the streams of tables to functions.

use std::collections::{BTreeMap, HashMap};

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{DfsPostOrder, EdgeRef, Walker};

use super::{Load, number};
use crate::identity::LogicalId;
use crate::policy::dynamodb::TABLES;
use crate::policy::methods::{URL, methods};
use crate::policy::roles::{FUNCTION, ROLE, function_named, role_of, statements_of, with_policies};
use crate::policy::sources::{function_of, queue_of, stream_of};
use crate::resolved::{Resolved, Subject};

const QUEUE: &str = "AWS::SQS::Queue";
const TOPIC: &str = "AWS::SNS::Topic";

/// How much passes where, in events per second.
pub struct Flow {
    /// Runs of a function that come one by one: by requests, and by what is published on a topic.
    pub called: BTreeMap<LogicalId, f64>,
    /// Messages that are put into a queue.
    pub sent: BTreeMap<LogicalId, f64>,
    /// Messages and records that a function is given by a queue or a table's stream.
    pub taken: BTreeMap<LogicalId, f64>,
    /// Writes to a table, and what they are made of.
    pub written: BTreeMap<LogicalId, (f64, Vec<String>)>,
    /// Reads of a table, and what they are made of.
    pub read: BTreeMap<LogicalId, (f64, Vec<String>)>,
    /// Publications on a topic.
    pub published: BTreeMap<LogicalId, f64>,
}

/// What a role's actions do to the hops behind a function.
const WRITES: [&str; 3] = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"];
const READS: [&str; 3] = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem"];

/// The ways that a load takes: from functions to the queues and topics that they may send to and the tables that they may write
/// to, from topics to what is subscribed to them, from queues and tables to what takes from them, and from queues to their
/// dead-letter queues, with the share that goes on.
struct Ways<'a> {
    graph: DiGraph<Subject<'a>, f64>,
    /// Where a request enters, and as how many events.
    entries: BTreeMap<NodeIndex, f64>,
}

impl Flow {
    pub fn of(resolved: &Resolved<'_>, load: &Load) -> Self {
        let mut flow = Self {
            called: BTreeMap::new(),
            sent: BTreeMap::new(),
            taken: BTreeMap::new(),
            written: BTreeMap::new(),
            read: BTreeMap::new(),
            published: BTreeMap::new(),
        };
        let Ways { graph, entries } = Ways::of(resolved, load);
        let mut totals: Vec<Option<f64>> = vec![None; graph.node_count()];
        for (entry, events) in &entries {
            if graph[*entry].resource_type() == FUNCTION {
                flow.called.insert(graph[*entry].id().clone(), load.rate);
            }
            for (node, rate) in rates_from(&graph, *entry, load.rate * events) {
                *totals[node.index()].get_or_insert_default() += rate;
            }
        }
        for node in graph.node_indices() {
            let Some(rate) = totals[node.index()] else { continue };
            let (subject, id) = (&graph[node], graph[node].id().clone());
            let functions = graph.neighbors(node).filter(|it| graph[*it].resource_type() == FUNCTION);
            match subject.resource_type() {
                FUNCTION => flow.use_tables(resolved, &grants(resolved, subject), rate, &id),
                TOPIC => {
                    functions.for_each(|it| *flow.called.entry(graph[it].id().clone()).or_default() += rate);
                    flow.published.insert(id, rate);
                }
                kind => {
                    functions.for_each(|it| *flow.taken.entry(graph[it].id().clone()).or_default() += rate);
                    if kind == QUEUE {
                        flow.sent.insert(id, rate);
                    }
                }
            }
        }
        for role in integration_roles(resolved) {
            flow.use_tables(resolved, &granted(resolved, role), load.rate, role.id());
        }
        flow
    }

    /// What a function, or an API itself, writes and reads.
    fn use_tables(&mut self, resolved: &Resolved<'_>, grants: &[(String, String)], rate: f64, by: &LogicalId) {
        for table in TABLES.iter().flat_map(|kind| resolved.of_type(kind)) {
            for (actions, sums) in [(WRITES, &mut self.written), (READS, &mut self.read)] {
                for action in actions.into_iter().filter(|action| may(grants, action, &table)) {
                    let (sum, parts) = sums.entry(table.id().clone()).or_default();
                    *sum += rate;
                    parts.push(format!("{}/s {} by {by}", number(rate), action.trim_start_matches("dynamodb:")));
                }
            }
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

/// The functions that an API's methods call, or that have addresses of their own.
fn called<'a>(resolved: &'a Resolved<'_>) -> Vec<Subject<'a>> {
    let behind_methods = methods(resolved).filter_map(|method| {
        let (_, function) = method.uri()?.split_once("/functions/")?;
        function_named(function.trim_end_matches("/invocations"), resolved)
    });
    let behind_addresses =
        resolved.of_type(URL).filter_map(|url| function_named(url.properties["TargetFunctionArn"].as_str()?, resolved));
    behind_methods.chain(behind_addresses).collect()
}

/// The roles that APIs take on to call a service without a function between.
fn integration_roles<'a>(resolved: &'a Resolved<'_>) -> Vec<Subject<'a>> {
    let taken_on: Vec<&str> = methods(resolved).filter_map(|method| method.credentials()).collect();
    resolved.of_type(ROLE).filter(|role| taken_on.iter().any(|it| role.is_named_by(it))).collect()
}

/// Action and resource of everything that a function's role allows.
fn grants(resolved: &Resolved<'_>, function: &Subject<'_>) -> Vec<(String, String)> {
    role_of(function, resolved).map(|role| granted(resolved, role)).unwrap_or_default()
}

/// Action and resource of everything that a role allows.
fn granted(resolved: &Resolved<'_>, role: Subject<'_>) -> Vec<(String, String)> {
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

/// The queues and topics that somebody may send to, and the tables, each with how many events one run is for it.
fn targets<'a>(resolved: &'a Resolved<'_>, grants: &[(String, String)]) -> Vec<(Subject<'a>, f64)> {
    let actions = |kind: &str| match kind {
        QUEUE => &["sqs:SendMessage"][..],
        TOPIC => &["sns:Publish"],
        _ => &WRITES,
    };
    let all = [QUEUE, TOPIC].iter().chain(TABLES).flat_map(|kind| resolved.of_type(kind));
    all.map(|it| (it, actions(it.resource_type()).iter().filter(|action| may(grants, action, &it)).count() as f64))
        .filter(|(_, events)| *events > 0.0)
        .collect()
}

impl<'a> Ways<'a> {
    fn of(resolved: &'a Resolved<'_>, load: &Load) -> Self {
        let mut ways = Self { graph: DiGraph::new(), entries: BTreeMap::new() };
        let mut nodes = BTreeMap::new();
        for subject in [FUNCTION, QUEUE, TOPIC].iter().chain(TABLES).flat_map(|kind| resolved.of_type(kind)) {
            nodes.insert(subject.id(), ways.graph.add_node(subject));
        }
        let node = |subject: &Subject<'_>| nodes.get(subject.id()).copied();
        for from in ways.graph.node_indices() {
            let subject = ways.graph[from];
            let to: Vec<(NodeIndex, f64)> = match subject.resource_type() {
                FUNCTION => {
                    let targets = targets(resolved, &grants(resolved, &subject));
                    targets.iter().filter_map(|(target, events)| Some((node(target)?, *events))).collect()
                }
                TOPIC => subscribed(&subject, resolved).iter().filter_map(|it| Some((node(it)?, 1.0))).collect(),
                _ => {
                    let takers = resolved.of_type("AWS::Lambda::EventSourceMapping").filter_map(|mapping| {
                        let source = queue_of(&mapping, resolved).or_else(|| stream_of(&mapping, resolved));
                        source.filter(|source| source.id() == subject.id())?;
                        Some((node(&function_of(&mapping, resolved)?)?, 1.0))
                    });
                    let target = &subject.properties["RedrivePolicy"]["deadLetterTargetArn"];
                    let dead = resolved.of_type(QUEUE).find(|it| it.is_among(target) && it.id() != subject.id());
                    takers.chain(dead.and_then(|dead| Some((node(&dead)?, load.failing)))).collect()
                }
            };
            for (to, share) in to {
                ways.graph.add_edge(from, to, share);
            }
        }
        let direct =
            integration_roles(resolved).into_iter().flat_map(|role| targets(resolved, &granted(resolved, role)));
        let entries = called(resolved).into_iter().map(|function| (function, 1.0)).chain(direct);
        ways.entries.extend(entries.filter_map(|(entry, events)| Some((node(&entry)?, events))));
        ways
    }
}

/// The queues and functions that are given what is published on a topic, if the template declares them.
fn subscribed<'a>(topic: &Subject<'_>, resolved: &'a Resolved<'_>) -> Vec<Subject<'a>> {
    let own = topic.properties["Subscription"].as_array().into_iter().flatten();
    let others = resolved.of_type("AWS::SNS::Subscription").filter(|it| topic.is_among(&it.properties["TopicArn"]));
    let all = own.chain(others.map(|it| it.properties));
    all.filter_map(|it| {
        let endpoint = it["Endpoint"].as_str()?;
        match it["Protocol"].as_str()? {
            "sqs" => resolved.of_type(QUEUE).find(|queue| queue.is_named_by(endpoint)),
            "lambda" => function_named(endpoint, resolved),
            _ => None,
        }
    })
    .collect()
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
