//! What keeps and passes on data: tables, queues, topics, and logs.

use super::flow::Flow;
use super::{Hop, Load, number};
use crate::policy::dynamodb::TABLES;
use crate::resolved::{Resolved, Subject};

/// "Amazon SQS FIFO queue quotas": messages per second of each API action without batches.
const FIFO_MESSAGES: f64 = 300.0;
/// "Amazon SQS message quotas": messages that are being handled, of a standard queue.
const IN_FLIGHT: f64 = 120_000.0;
/// "Amazon SNS endpoints and quotas": e-mails per second of an account.
const EMAILS: f64 = 10.0;
/// "CloudWatch Logs quotas": `PutLogEvents` calls per second of an account.
const LOG_CALLS: f64 = 5_000.0;
const SMALL_LOG_CALLS: f64 = 1_500.0;
const LARGE_REGIONS: [&str; 3] = ["us-east-1", "us-west-2", "eu-west-1"];

pub fn hops(resolved: &Resolved<'_>, flow: &Flow, load: &Load) -> Vec<Hop> {
    let mut hops = tables(resolved, flow, load);
    hops.extend(queues(resolved, flow, load));
    hops.extend(topics(resolved, flow, load));
    hops.extend(logs(resolved, flow, load));
    hops
}

/// What reads and what writes of a table are, and how much of them it takes.
struct Use {
    /// `write`.
    verb: &'static str,
    /// "Read/write capacity mode": a unit is for so many kilobytes begun.
    kilobytes: f64,
    /// "DynamoDB on-demand capacity mode": what a new table takes at once, in units per second.
    initial: f64,
    /// "Designing partition keys to distribute your workload": units per second of one partition.
    of_partition: f64,
    provisioned: &'static str,
    warm: &'static str,
    /// The most units, in the property of a table and of a global table.
    most: (&'static str, [&'static str; 2]),
}

const WRITES: Use = Use {
    verb: "write",
    kilobytes: 1.0,
    initial: 4_000.0,
    of_partition: 1_000.0,
    provisioned: "WriteCapacityUnits",
    warm: "WriteUnitsPerSecond",
    most: ("MaxWriteRequestUnits", ["OnDemandThroughput", "WriteOnDemandThroughputSettings"]),
};

const READS: Use = Use {
    verb: "read",
    kilobytes: 4.0,
    initial: 12_000.0,
    of_partition: 3_000.0,
    provisioned: "ReadCapacityUnits",
    warm: "ReadUnitsPerSecond",
    most: ("MaxReadRequestUnits", ["OnDemandThroughput", "ReadOnDemandThroughputSettings"]),
};

fn tables(resolved: &Resolved<'_>, flow: &Flow, load: &Load) -> Vec<Hop> {
    let mut hops = Vec::new();
    for table in TABLES.iter().flat_map(|kind| resolved.of_type(kind)) {
        for (of, sums) in [(WRITES, &flow.written), (READS, &flow.read)] {
            if let Some((rate, parts)) = sums.get(table.id()) {
                hops.extend(of.hops(&table, *rate, parts, load));
            }
        }
    }
    hops
}

impl Use {
    fn hops(&self, table: &Subject<'_>, rate: f64, parts: &[String], load: &Load) -> Vec<Hop> {
        let units = (load.item_kilobytes / self.kilobytes).ceil().max(1.0);
        let needed = rate * units;
        let (limit, source) = self.limit(table);
        let what = format!("{} units per second", self.verb);
        let hop = load.hop(Some(table.id()), what, needed, limit);
        let mut hops = vec![hop.because(format!("({}) × {} units", parts.join(" + "), number(units)), source)];
        let indexes = table.properties["GlobalSecondaryIndexes"].as_array().into_iter().flatten();
        // Which index is read nobody says: each read is of the table.
        let indexes = indexes.filter(|_| self.verb == WRITES.verb).map(|it| (it, it["IndexName"].as_str()));
        for (index, name) in std::iter::once((table.properties, None)).chain(indexes) {
            let Some(key) = hash_key(index) else { continue };
            let (on_one_key, arithmetic) = if is_one_of_each_request(key) {
                // Its own, one after the other.
                let each = if load.rate > 0.0 { rate / load.rate } else { 0.0 };
                let (verb, each_is) = (self.verb, number(each));
                let arithmetic =
                    format!("`{key}` is another one in each request: {each_is} {verb}s × {} units", number(units));
                (each * units, arithmetic)
            } else {
                let share = load.hottest_key;
                let arithmetic = format!("{} % of {}/s have the same `{key}`", number(share * 100.0), number(needed));
                (needed * share, arithmetic)
            };
            let place = name.map(|name| format!(", index {name}")).unwrap_or_default();
            let what = format!("{} units per second of one key{place}", self.verb);
            let hop = load.hop(Some(table.id()), what, on_one_key, self.of_partition);
            hops.push(hop.because(arithmetic, "Designing partition keys to distribute your workload"));
        }
        hops
    }

    /// What a table takes from its first second on.
    fn limit(&self, table: &Subject<'_>) -> (f64, String) {
        let properties = table.properties;
        if properties["BillingMode"] == "PROVISIONED" {
            let units = properties["ProvisionedThroughput"][self.provisioned].as_f64();
            return (units.unwrap_or_default(), format!("`ProvisionedThroughput.{}`", self.provisioned));
        }
        let warm = properties["WarmThroughput"][self.warm].as_f64().unwrap_or(self.initial);
        let (name, places) = self.most;
        let replica = &properties["Replicas"][0];
        let mut most = places.iter().flat_map(|place| [&properties[place][name], &replica[place][name]]);
        match most.find_map(|most| most.as_f64().filter(|most| *most < warm)) {
            Some(most) => (most, format!("`{name}`")),
            None if warm > self.initial => (warm, format!("`WarmThroughput.{}`", self.warm)),
            None => (self.initial, "DynamoDB on-demand capacity mode".to_owned()),
        }
    }
}

/// How many partitions a table begins with, and why: "Partitions and data distribution in DynamoDB". Each has a shard of its
/// stream.
pub fn partitions(table: &Subject<'_>) -> (f64, String) {
    let of = |of: &Use| {
        let (units, _) = of.limit(table);
        let words = format!("{} {} units / {}", number(units), of.verb, number(of.of_partition));
        ((units / of.of_partition).ceil().max(1.0), words)
    };
    let (writing, reading) = (of(&WRITES), of(&READS));
    if reading.0 > writing.0 { reading } else { writing }
}

pub fn hash_key(index: &serde_json::Value) -> Option<&str> {
    let keys = index["KeySchema"].as_array()?;
    keys.iter().find(|key| key["KeyType"] == "HASH")?["AttributeName"].as_str()
}

/// What ends in `id` is taken for the name of one thing among many.
pub fn is_one_of_each_request(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    ["id", "uuid", "pk", "key", "token"].iter().any(|end| lower.ends_with(end))
}

fn queues(resolved: &Resolved<'_>, flow: &Flow, load: &Load) -> Vec<Hop> {
    let mut hops = Vec::new();
    for queue in resolved.of_type("AWS::SQS::Queue") {
        let Some(rate) = flow.sent.get(queue.id()).copied() else { continue };
        let is_fast = queue.properties["FifoThroughputLimit"] == "perMessageGroupId";
        if queue.properties["FifoQueue"] == true && !is_fast {
            let hop = load.hop(Some(queue.id()), "messages sent per second", rate, FIFO_MESSAGES);
            hops.push(hop.because(format!("{}/s", number(rate)), "Amazon SQS FIFO queue quotas"));
        }
        let slowest = resolved.of_type("AWS::Lambda::EventSourceMapping").filter_map(|mapping| {
            let is_it = crate::policy::sources::queue_of(&mapping, resolved)?.id() == queue.id();
            let function = crate::policy::sources::function_of(&mapping, resolved).filter(|_| is_it)?;
            Some(load.latency_of(function.id()))
        });
        let Some(latency) = slowest.reduce(f64::max) else { continue };
        let hop = load.hop(Some(queue.id()), "messages being handled", rate * latency, IN_FLIGHT);
        hops.push(hop.because(format!("{}/s × {} s", number(rate), number(latency)), "Amazon SQS message quotas"));
    }
    hops
}

fn topics(resolved: &Resolved<'_>, flow: &Flow, load: &Load) -> Vec<Hop> {
    // "Amazon SNS endpoints and quotas": messages published per second, by region.
    let limit = match resolved.desired.scope.region.as_str() {
        "us-east-1" => 30_000.0,
        "us-west-2" | "eu-west-1" => 9_000.0,
        _ => 300.0,
    };
    let mut hops = Vec::new();
    for topic in resolved.of_type("AWS::SNS::Topic") {
        let Some(rate) = flow.published.get(topic.id()).copied() else { continue };
        let hop = load.hop(Some(topic.id()), "messages published per second", rate, limit);
        hops.push(hop.because(format!("{}/s", number(rate)), "Amazon SNS endpoints and quotas"));
        let own = topic.properties["Subscription"].as_array().into_iter().flatten();
        let others = resolved.of_type("AWS::SNS::Subscription").filter(|it| topic.is_among(&it.properties["TopicArn"]));
        let protocols = own.chain(others.map(|it| it.properties)).filter_map(|it| it["Protocol"].as_str());
        let mails = protocols.filter(|protocol| protocol.starts_with("email")).count();
        if mails > 0 {
            let needed = rate * mails as f64;
            let hop = load.hop(Some(topic.id()), "e-mails per second", needed, EMAILS);
            hops.push(hop.because(format!("{}/s × {mails}", number(rate)), "Amazon SNS endpoints and quotas"));
        }
    }
    hops
}

/// Lambda gathers what runs write; taken for granted is the worst case, one call for each run.
fn logs(resolved: &Resolved<'_>, flow: &Flow, load: &Load) -> Option<Hop> {
    resolved.of_type("AWS::Logs::LogGroup").next()?;
    let is_logged = |it: &Subject<'_>| !it.properties["AccessLogSetting"]["DestinationArn"].is_null();
    let access =
        if resolved.of_type("AWS::ApiGateway::Stage").any(|stage| is_logged(&stage)) { load.rate } else { 0.0 };
    let runs: f64 = flow.called.values().chain(flow.taken.values()).sum();
    let limit =
        if LARGE_REGIONS.contains(&resolved.desired.scope.region.as_str()) { LOG_CALLS } else { SMALL_LOG_CALLS };
    let hop = load.hop(None, "log writes per second of the account", access + runs, limit);
    let arithmetic = format!("{}/s access logs + {}/s runs, one write each at most", number(access), number(runs));
    Some(hop.because(arithmetic, "CloudWatch Logs quotas"))
}
