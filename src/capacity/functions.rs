//! What functions take: Little's law for what calls them, batches for what queues give them, and the account's concurrency.

use super::flow::Flow;
use super::{Backlog, Hop, Load, number, streams};
use crate::identity::LogicalId;
use crate::policy::sources::{function_of, queue_of};
use crate::resolved::{Resolved, Subject};

const FUNCTION: &str = "AWS::Lambda::Function";

/// "Lambda quotas": runs per second for each concurrent run.
const RUNS_PER_SECOND: f64 = 10.0;
/// "Lambda quotas": concurrency that an account keeps for functions without a reservation.
const UNRESERVED: f64 = 100.0;
/// "Using Lambda with Amazon SQS": concurrency of a mapping on which no limit is set.
const LARGEST_SCALING: f64 = 1_250.0;

pub fn hops(resolved: &Resolved<'_>, flow: &Flow, load: &Load) -> Vec<Hop> {
    let mut hops = Vec::new();
    for function in resolved.of_type(FUNCTION) {
        if let Some(rate) = flow.called.get(function.id()) {
            hops.extend(called(&function, *rate, load));
        }
    }
    for mapping in resolved.of_type("AWS::Lambda::EventSourceMapping") {
        hops.extend(taken(resolved, &mapping, flow, load));
    }
    hops.extend(streams::hops(resolved, flow, load));
    hops.extend(account(resolved, flow, load));
    hops
}

/// What requests wait for.
fn called(function: &Subject<'_>, rate: f64, load: &Load) -> Vec<Hop> {
    let latency = load.latency_of(function.id());
    let concurrent = rate * latency;
    let (limit, source) = match reserved(function) {
        Some(reserved) => (reserved, "`ReservedConcurrentExecutions`"),
        None => (load.account.concurrency - load.account.reserved_elsewhere, "the account's concurrency"),
    };
    let mut hops = vec![
        load.hop(Some(function.id()), "concurrent runs", concurrent, limit)
            .because(format!("{}/s × {} s", number(rate), number(latency)), source),
        load.hop(Some(function.id()), "runs per second", rate, limit * RUNS_PER_SECOND).because(
            format!("{}/s", number(rate)),
            format!("Lambda quotas, {} × {}", number(limit), number(RUNS_PER_SECOND)),
        ),
    ];
    if let Some(timeout) = function.properties["Timeout"].as_f64() {
        let hop = load.hop(Some(function.id()), "seconds of one run", latency, timeout);
        hops.push(hop.because(format!("{} s", number(latency)), "`Timeout`"));
    }
    hops
}

/// What a queue or a table's stream gives to a function.
fn taken(resolved: &Resolved<'_>, mapping: &Subject<'_>, flow: &Flow, load: &Load) -> Option<Hop> {
    let consumer = Consumer::of(resolved, mapping, load)?;
    let arriving = consumer.arriving(flow)?;
    let hop = load.hop(Some(mapping.id()), &consumer.what, arriving, consumer.rate());
    let source = format!("{}, {}", consumer.source, consumer.arithmetic());
    Some(hop.because(format!("{}/s", number(arriving)), source))
}

/// What the reservations and the rest need of the account.
fn account(resolved: &Resolved<'_>, flow: &Flow, load: &Load) -> Option<Hop> {
    let functions: Vec<Subject<'_>> = resolved.of_type(FUNCTION).collect();
    if functions.is_empty() {
        return None;
    }
    let sum: f64 = functions.iter().filter_map(reserved).sum();
    let without = functions.iter().filter(|function| reserved(function).is_none());
    let unreserved: f64 = without
        .map(|function| {
            let rate = flow.called.get(function.id()).copied().unwrap_or_default();
            rate * load.latency_of(function.id())
        })
        .sum();
    let rest = UNRESERVED.max(unreserved);
    let elsewhere = load.account.reserved_elsewhere;
    let needed = sum + rest + elsewhere;
    let mut parts = vec![format!("{} reserved here", number(sum)), format!("{} for what reserves none", number(rest))];
    if elsewhere > 0.0 {
        parts.push(format!("{} reserved elsewhere", number(elsewhere)));
    }
    let hop = load.hop(None, "concurrent runs of the account", needed, load.account.concurrency);
    // Reservations are room already: they need no headroom of their own.
    let carries = load.account.concurrency >= needed;
    Some(Hop { carries, ..hop.because(parts.join(" + "), "Lambda quotas") })
}

fn reserved(function: &Subject<'_>) -> Option<f64> {
    function.properties["ReservedConcurrentExecutions"].as_f64()
}

/// How many runs of a function there can be at once.
pub fn available(function: &Subject<'_>, load: &Load) -> f64 {
    reserved(function).unwrap_or(load.account.concurrency - load.account.reserved_elsewhere)
}

/// What takes from a queue, or from a table's stream.
pub struct Consumer {
    /// The queue, or the table.
    pub from: LogicalId,
    /// `messages per second from Orders`.
    pub what: String,
    pub batch: f64,
    pub concurrent: f64,
    /// How `concurrent` comes about.
    pub concurrency: String,
    pub latency: f64,
    pub source: String,
    /// Seconds for which is kept what waits.
    pub retention: f64,
}

impl Consumer {
    fn of(resolved: &Resolved<'_>, mapping: &Subject<'_>, load: &Load) -> Option<Self> {
        Self::of_queue(resolved, mapping, load).or_else(|| Self::of_stream(resolved, mapping, load))
    }

    fn of_queue(resolved: &Resolved<'_>, mapping: &Subject<'_>, load: &Load) -> Option<Self> {
        let (queue, function) = (queue_of(mapping, resolved)?, function_of(mapping, resolved)?);
        let set = mapping.properties["ScalingConfig"]["MaximumConcurrency"].as_f64();
        let reserved = reserved(&function);
        let concurrent = set.unwrap_or(LARGEST_SCALING).min(available(&function, load));
        let source = match (set, reserved) {
            (Some(set), Some(reserved)) if reserved < set => "`ReservedConcurrentExecutions` × `BatchSize`",
            (Some(_), _) => "`MaximumConcurrency` × `BatchSize`",
            (None, Some(_)) => "`ReservedConcurrentExecutions` × `BatchSize`",
            (None, None) => "Using Lambda with Amazon SQS",
        };
        Some(Self {
            what: format!("messages per second from {}", queue.id()),
            batch: mapping.properties["BatchSize"].as_f64().unwrap_or(10.0),
            concurrent,
            concurrency: number(concurrent),
            latency: load.latency_of(function.id()),
            source: source.to_owned(),
            retention: queue.properties["MessageRetentionPeriod"].as_f64().unwrap_or(345_600.0),
            from: queue.id().clone(),
        })
    }

    /// Messages or records per second that come, if any do.
    fn arriving(&self, flow: &Flow) -> Option<f64> {
        flow.sent.get(&self.from).copied().or_else(|| flow.written.get(&self.from).map(|(rate, _)| *rate))
    }

    /// Messages or records per second.
    fn rate(&self) -> f64 {
        if self.latency > 0.0 { self.batch * self.concurrent / self.latency } else { f64::MAX }
    }

    fn arithmetic(&self) -> String {
        format!("{} × {} / {} s", self.concurrency, number(self.batch), number(self.latency))
    }
}

/// What waits after an outage of everything that takes from queues and streams.
pub fn backlogs(resolved: &Resolved<'_>, flow: &Flow, load: &Load) -> Vec<Backlog> {
    let mut backlogs = Vec::new();
    for mapping in resolved.of_type("AWS::Lambda::EventSourceMapping") {
        let Some(consumer) = Consumer::of(resolved, &mapping, load) else { continue };
        let Some(arriving) = consumer.arriving(flow) else { continue };
        let waiting = arriving * load.outage_minutes * 60.0;
        let rate = consumer.rate();
        let minutes = (rate > arriving).then(|| waiting / (rate - arriving) / 60.0);
        let oldest = minutes.map(|minutes| (load.outage_minutes + minutes) * 60.0);
        backlogs.push(Backlog {
            arithmetic: format!(
                "{}/s × {} min × 60 s = {}; {} / ({}/s − {}/s)",
                number(arriving),
                number(load.outage_minutes),
                number(waiting),
                number(waiting),
                number(rate),
                number(arriving)
            ),
            queue: consumer.from,
            waiting,
            drained_at: rate,
            minutes,
            carries: oldest.is_some_and(|oldest| oldest < consumer.retention),
        });
    }
    backlogs
}
