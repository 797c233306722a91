//! What a table's stream gives to a function: its shards are read side by side, one batch at a time or as many as the mapping
//! says, and what is of one key stays in its order.

use super::flow::Flow;
use super::functions::Consumer;
use super::stores::{hash_key, is_one_of_each_request, partitions};
use super::{Hop, Load, number};
use crate::policy::dynamodb::TABLES;
use crate::policy::sources::{function_of, stream_of};
use crate::resolved::{Resolved, Subject};

/// The AWS page that all of it comes from, where no other is named.
const PAGE: &str = "Using AWS Lambda with Amazon DynamoDB";
/// "Lambda parameters for Amazon DynamoDB event source mappings": the batch where none is set.
const BATCH: f64 = 100.0;
/// "Lambda quotas": kilobytes of what one run is given.
const PAYLOAD_KILOBYTES: f64 = 6_144.0;
/// "Change data capture for DynamoDB Streams": seconds for which a record is kept.
const RETENTION_SECONDS: f64 = 86_400.0;

impl Consumer {
    /// What takes from a table's stream. What a filter would leave out counts as well.
    pub fn of_stream(resolved: &Resolved<'_>, mapping: &Subject<'_>, load: &Load) -> Option<Self> {
        let (table, function) = (stream_of(mapping, resolved)?, function_of(mapping, resolved)?);
        let (shards, because) = partitions(&table);
        let factor = mapping.properties["ParallelizationFactor"].as_f64().unwrap_or(1.0);
        let available = super::functions::available(&function, load);
        let is_bound = available < shards * factor;
        let (batch, batch_is) = batch(mapping, &table, load);
        let oldest = mapping.properties["MaximumRecordAgeInSeconds"].as_f64().filter(|seconds| *seconds > 0.0);
        Some(Self {
            from: table.id().clone(),
            what: format!("records per second from the stream of {}", table.id()),
            batch,
            concurrent: available.min(shards * factor),
            concurrency: match is_bound {
                true => number(available),
                false => format!("{} shards ({because}) × {}", number(shards), number(factor)),
            },
            latency: load.latency_of(function.id()),
            source: match is_bound {
                true => format!("`ReservedConcurrentExecutions` × {batch_is}"),
                false => format!("{PAGE}: shards × `ParallelizationFactor` × {batch_is}"),
            },
            retention: oldest.map_or(RETENTION_SECONDS, |oldest| oldest.min(RETENTION_SECONDS)),
        })
    }
}

/// How many records one run is given at most, and why.
fn batch(mapping: &Subject<'_>, table: &Subject<'_>, load: &Load) -> (f64, &'static str) {
    let set = mapping.properties["BatchSize"].as_f64().unwrap_or(BATCH);
    let images = match table.properties["StreamSpecification"]["StreamViewType"].as_str() {
        Some("NEW_AND_OLD_IMAGES") => 2.0,
        Some("KEYS_ONLY") => return (set, "`BatchSize`"),
        _ => 1.0,
    };
    let fit = (PAYLOAD_KILOBYTES / (load.item_kilobytes * images)).floor().max(1.0);
    if fit < set { (fit, "what fits into 6 MB (Lambda quotas)") } else { (set, "`BatchSize`") }
}

/// What else limits a stream beside all of its shards together: the shard of one key, and how many read one shard.
pub fn hops(resolved: &Resolved<'_>, flow: &Flow, load: &Load) -> Vec<Hop> {
    let mut hops = Vec::new();
    for table in TABLES.iter().flat_map(|kind| resolved.of_type(kind)) {
        let Some((written, _)) = flow.written.get(table.id()) else { continue };
        let is_its = |mapping: &Subject<'_>| stream_of(mapping, resolved).is_some_and(|it| it.id() == table.id());
        let mappings: Vec<Subject<'_>> =
            resolved.of_type("AWS::Lambda::EventSourceMapping").filter(|mapping| is_its(mapping)).collect();
        for mapping in &mappings {
            let consumer = Consumer::of_stream(resolved, mapping, load);
            let key = hash_key(table.properties).filter(|key| !is_one_of_each_request(key));
            if let (Some(consumer), Some(key)) = (consumer, key) {
                hops.push(of_one_key(mapping, &consumer, key, *written, load));
            }
        }
        let most = if table.resource_type() == "AWS::DynamoDB::GlobalTable" { 1.0 } else { 2.0 };
        let readers = mappings.len() as f64;
        // They do not become more with the load: only too many are worth a word.
        if readers > most {
            let hop = load.hop(Some(table.id()), "functions that read one shard", readers, most);
            hops.push(Hop { carries: false, ..hop.because(format!("{} mappings", number(readers)), PAGE) });
        }
    }
    hops
}

/// Records of one key are handled one batch after the other, whatever the factor.
fn of_one_key(mapping: &Subject<'_>, consumer: &Consumer, key: &str, written: f64, load: &Load) -> Hop {
    let (needed, share) = (written * load.hottest_key, number(load.hottest_key * 100.0));
    let Consumer { batch, latency, from, .. } = consumer;
    let limit = if *latency > 0.0 { batch / latency } else { f64::MAX };
    let hop = load.hop(Some(mapping.id()), format!("records per second of one `{key}` of {from}"), needed, limit);
    let arithmetic = format!("{share} % of {}/s have the same `{key}`", number(written));
    hop.because(arithmetic, format!("{PAGE}: one batch at a time, {} / {} s", number(*batch), number(*latency)))
}
