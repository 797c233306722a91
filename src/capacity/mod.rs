//! Whether a template carries a load: each hop of a request held against what the hop can take. Pure arithmetic, all of it
//! shown, over the resolved template and what is said of the load.
//!
//! Who calls whom follows from the template (`flow.rs`); what a hop can take follows from its properties and from AWS's
//! published quotas (`edge.rs`, `functions.rs`, `streams.rs`, `stores.rs`).

mod edge;
mod flow;
mod functions;
mod stores;
mod streams;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::desired::Desired;
use crate::identity::LogicalId;
use crate::resolved::Resolved;

use flow::Flow;

/// What is said of the load, and of what the template cannot say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Load {
    /// Requests per second at the API.
    pub rate: f64,
    /// How much more than the load every hop has to take: 0.2 is a fifth.
    pub headroom: f64,
    /// From how many addresses the load comes, evenly.
    pub addresses: u32,
    /// How many API keys it comes with, evenly.
    pub keys: u32,
    /// Seconds that one run of a function takes, by the function's logical id.
    pub latencies: BTreeMap<String, f64>,
    /// Seconds that one run takes of a function of which nothing is said.
    pub latency: f64,
    /// The share of messages that end in a dead-letter queue.
    pub failing: f64,
    /// Kilobytes of an item in a table.
    pub item_kilobytes: f64,
    /// The share of the load that falls on one partition key of a table whose keys are not one of each request.
    pub hottest_key: f64,
    /// For how many minutes what takes from queues and streams stands still.
    pub outage_minutes: f64,
    pub account: Account,
}

/// What the account lets all of its systems do together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Account {
    /// Concurrent runs of all functions.
    pub concurrency: f64,
    /// Whether AWS was asked, or it is AWS's default.
    pub is_read: bool,
    /// What functions outside of this template have reserved.
    pub reserved_elsewhere: f64,
}

impl Account {
    /// "Lambda quotas": what an account has by default.
    pub const DEFAULT: Self = Self { concurrency: 1_000.0, is_read: false, reserved_elsewhere: 0.0 };
}

/// One place that the load passes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hop {
    pub resource: Option<LogicalId>,
    /// What is limited: `requests of one address in 300 s`.
    pub what: String,
    /// What the load needs, without headroom.
    pub needed: f64,
    /// `None` where there is no limit.
    pub limit: Option<f64>,
    /// How `needed` comes about.
    pub arithmetic: String,
    /// Where the limit comes from: a property, or the title of a page of AWS's.
    pub source: String,
    /// Whether the limit is at least what is needed and the headroom.
    pub carries: bool,
}

impl Hop {
    /// How much more it could take, as a share of what is needed.
    pub fn spare(&self) -> Option<f64> {
        let limit = self.limit?;
        (self.needed > 0.0).then(|| limit / self.needed - 1.0)
    }
}

/// What waits in a queue or a table's stream when its consumer comes back, and how long it takes to be done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backlog {
    /// Or the table.
    pub queue: LogicalId,
    /// Messages or records.
    pub waiting: f64,
    /// Messages or records per second that the consumer takes.
    pub drained_at: f64,
    /// Minutes until nothing waits any more; `None` where it never is.
    pub minutes: Option<f64>,
    pub arithmetic: String,
    /// Whether it is gone before any of it is too old to be kept.
    pub carries: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capacity {
    pub load: Load,
    /// In the order in which a request passes them.
    pub hops: Vec<Hop>,
    pub backlogs: Vec<Backlog>,
    /// The hop with the least to spare.
    pub bottleneck: Option<Hop>,
    /// What was taken for granted.
    pub assumptions: Vec<String>,
    pub carries: bool,
}

/// Holds every hop of a template against a load.
pub fn capacity(desired: &Desired, load: &Load) -> Capacity {
    let resolved = Resolved::new(desired);
    let flow = Flow::of(&resolved, load);
    let mut hops = edge::hops(&resolved, load);
    hops.extend(functions::hops(&resolved, &flow, load));
    hops.extend(stores::hops(&resolved, &flow, load));
    let backlogs = functions::backlogs(&resolved, &flow, load);
    let spare = |hop: &Hop| hop.spare().unwrap_or(f64::INFINITY);
    let bottleneck =
        hops.iter().filter(|hop| hop.limit.is_some()).min_by(|a, b| spare(a).total_cmp(&spare(b))).cloned();
    let carries = hops.iter().all(|hop| hop.carries) && backlogs.iter().all(|backlog| backlog.carries);
    Capacity { load: load.clone(), hops, backlogs, bottleneck, assumptions: flow.assumptions(load), carries }
}

impl Load {
    fn latency_of(&self, function: &LogicalId) -> f64 {
        self.latencies.get(function.as_str()).copied().unwrap_or(self.latency)
    }

    /// A hop with a limit.
    fn hop(&self, resource: Option<&LogicalId>, what: impl Into<String>, needed: f64, limit: f64) -> Hop {
        Hop {
            resource: resource.cloned(),
            what: what.into(),
            needed,
            limit: Some(limit),
            arithmetic: String::new(),
            source: String::new(),
            // A thousandth less is no less: floating point.
            carries: limit * 1.000_001 >= needed * (1.0 + self.headroom),
        }
    }
}

impl Hop {
    fn because(self, arithmetic: impl Into<String>, source: impl Into<String>) -> Self {
        Self { arithmetic: arithmetic.into(), source: source.into(), ..self }
    }
}

/// A number as people write it: no more digits than it has worth.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        it if it >= 100.0 || it.fract() == 0.0 => 0,
        it if it >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{rest}") }
}
