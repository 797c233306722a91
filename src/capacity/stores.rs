//! What keeps and passes on data: tables, queues, topics, and logs.

use super::flow::Flow;
use super::{Hop, Load, number};
use crate::resolved::{Resolved, Subject};

/// "DynamoDB on-demand capacity mode": what a new table takes at once, in write units per second.
const INITIAL_WRITES: f64 = 4_000.0;
/// "Designing partition keys to distribute your workload": write units per second of one partition.
const PARTITION_WRITES: f64 = 1_000.0;
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

fn tables(resolved: &Resolved<'_>, flow: &Flow, load: &Load) -> Vec<Hop> {
    let mut hops = Vec::new();
    for table in resolved.of_type("AWS::DynamoDB::Table") {
        let Some((rate, parts)) = flow.written.get(table.id()) else { continue };
        // "Read/write capacity mode": a unit for each kilobyte begun.
        let units = load.item_kilobytes.ceil().max(1.0);
        let indexes = table.properties["GlobalSecondaryIndexes"].as_array().map_or(&[][..], Vec::as_slice);
        let needed = rate * units;
        let (limit, source) = writes(&table);
        let hop = load.hop(Some(table.id()), "write units per second", needed, limit);
        hops.push(hop.because(format!("({}) × {} units", parts.join(" + "), number(units)), source));
        for (index, name) in
            std::iter::once((table.properties, None)).chain(indexes.iter().map(|it| (it, it["IndexName"].as_str())))
        {
            let Some(key) = hash_key(index) else { continue };
            let share = if is_one_of_each_request(key) { None } else { Some(load.hottest_key) };
            let (on_one_key, arithmetic) = match share {
                // Its own writes, one after the other.
                None => {
                    let writes = if load.rate > 0.0 { rate / load.rate } else { 0.0 };
                    (
                        writes * units,
                        format!(
                            "`{key}` is another one in each request: {} writes × {} units",
                            number(writes),
                            number(units)
                        ),
                    )
                }
                Some(share) => (
                    needed * share,
                    format!("{} % of {}/s have the same `{key}`", number(share * 100.0), number(needed)),
                ),
            };
            let place = name.map(|name| format!(", index {name}")).unwrap_or_default();
            let hop = load.hop(
                Some(table.id()),
                format!("write units per second of one key{place}"),
                on_one_key,
                PARTITION_WRITES,
            );
            hops.push(hop.because(arithmetic, "Designing partition keys to distribute your workload"));
        }
    }
    hops
}

/// What a table takes from its first second on.
fn writes(table: &Subject<'_>) -> (f64, &'static str) {
    if table.properties["BillingMode"] == "PROVISIONED" {
        let units = table.properties["ProvisionedThroughput"]["WriteCapacityUnits"].as_f64();
        return (units.unwrap_or_default(), "`ProvisionedThroughput.WriteCapacityUnits`");
    }
    let warm = table.properties["WarmThroughput"]["WriteUnitsPerSecond"].as_f64().unwrap_or(INITIAL_WRITES);
    match table.properties["OnDemandThroughput"]["MaxWriteRequestUnits"].as_f64().filter(|most| *most < warm) {
        Some(most) => (most, "`OnDemandThroughput.MaxWriteRequestUnits`"),
        None if warm > INITIAL_WRITES => (warm, "`WarmThroughput.WriteUnitsPerSecond`"),
        None => (INITIAL_WRITES, "DynamoDB on-demand capacity mode"),
    }
}

fn hash_key(index: &serde_json::Value) -> Option<&str> {
    let keys = index["KeySchema"].as_array()?;
    keys.iter().find(|key| key["KeyType"] == "HASH")?["AttributeName"].as_str()
}

/// What ends in `id` is taken for the name of one thing among many.
fn is_one_of_each_request(key: &str) -> bool {
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
        let is_mailed = |it: &Subject<'_>| it.properties["Protocol"].as_str().is_some_and(|it| it.starts_with("email"));
        let mails = resolved
            .of_type("AWS::SNS::Subscription")
            .filter(|it| is_mailed(it) && topic.is_among(&it.properties["TopicArn"]));
        let mails = mails.count();
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
