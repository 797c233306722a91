//! Which function and queue gets how much: from the API's methods to the functions, by what their roles let them reach, and
//! by event source mappings from queues to functions.

use std::collections::{BTreeMap, BTreeSet};

use super::{Load, number};
use crate::identity::LogicalId;
use crate::policy::iam::statements_of;
use crate::policy::sources::{function_of, queue_of};
use crate::resolved::{Resolved, Subject};

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

/// How many hops are followed: no request passes more functions.
const LONGEST: usize = 16;

impl Flow {
    pub fn of(resolved: &Resolved<'_>, load: &Load) -> Self {
        let mut flow = Self {
            called: BTreeMap::new(),
            sent: BTreeMap::new(),
            taken: BTreeMap::new(),
            written: BTreeMap::new(),
            published: BTreeMap::new(),
        };
        // Each function is followed once from where it gets its load; a circle ends where it began.
        let mut at: Vec<(LogicalId, f64)> = Vec::new();
        for function in called_by_api(resolved) {
            flow.called.insert(function.clone(), load.rate);
            at.push((function, load.rate));
        }
        let mut seen = BTreeSet::new();
        for _ in 0..LONGEST {
            let mut next = Vec::new();
            for (function, rate) in std::mem::take(&mut at) {
                if !seen.insert(function.clone()) {
                    continue;
                }
                let Some(function) = resolved.of_type("AWS::Lambda::Function").find(|it| it.id() == &function) else {
                    continue;
                };
                next.extend(flow.follow(resolved, load, &function, rate));
            }
            at = next;
        }
        flow
    }

    /// What a function does with what it gets; gives the functions that get something from it.
    fn follow(
        &mut self,
        resolved: &Resolved<'_>,
        load: &Load,
        function: &Subject<'_>,
        rate: f64,
    ) -> Vec<(LogicalId, f64)> {
        let grants = grants(resolved, function);
        let may = |action: &str, target: &Subject<'_>| {
            grants
                .iter()
                .any(|(granted, resource)| granted.eq_ignore_ascii_case(action) && target.is_named_by(resource))
        };
        for table in resolved.of_type("AWS::DynamoDB::Table") {
            for action in WRITES.into_iter().filter(|action| may(action, &table)) {
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
        for topic in resolved.of_type("AWS::SNS::Topic").filter(|topic| may("sns:Publish", topic)) {
            *self.published.entry(topic.id().clone()).or_default() += rate;
        }
        let mut next = Vec::new();
        for queue in resolved.of_type("AWS::SQS::Queue").filter(|queue| may("sqs:SendMessage", queue)) {
            next.extend(self.send(resolved, load, &queue, rate));
        }
        next
    }

    /// What is put into a queue goes on to what takes from it, and a share of it to its dead-letter queue.
    fn send(&mut self, resolved: &Resolved<'_>, load: &Load, queue: &Subject<'_>, rate: f64) -> Vec<(LogicalId, f64)> {
        *self.sent.entry(queue.id().clone()).or_default() += rate;
        let mut next = Vec::new();
        for mapping in resolved.of_type("AWS::Lambda::EventSourceMapping") {
            let is_it = queue_of(&mapping, resolved).is_some_and(|it| it.id() == queue.id());
            if let Some(function) = function_of(&mapping, resolved).filter(|_| is_it) {
                *self.taken.entry(function.id().clone()).or_default() += rate;
                next.push((function.id().clone(), rate));
            }
        }
        let target = &queue.properties["RedrivePolicy"]["deadLetterTargetArn"];
        let mut dead = resolved.of_type("AWS::SQS::Queue").filter(|it| it.is_among(target) && it.id() != queue.id());
        if let Some(dead) = dead.next().filter(|dead| !self.sent.contains_key(dead.id())) {
            next.extend(self.send(resolved, load, &dead, rate * load.failing));
        }
        next
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
    let role = |it: &Subject<'_>| it.is_among(&function.properties["Role"]);
    let Some(role) = resolved.of_type("AWS::IAM::Role").find(role) else { return Vec::new() };
    let attached = ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"].into_iter().flat_map(|kind| resolved.of_type(kind));
    let attached = attached.filter(|policy| {
        role.is_among(&policy.properties["Roles"]) || policy.is_among(&role.properties["ManagedPolicyArns"])
    });
    let mut grants = Vec::new();
    for policy in std::iter::once(role).chain(attached) {
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
