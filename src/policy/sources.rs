//! Rules for what calls functions by itself: event source mappings on queues.

use super::dynamodb::TABLES;
use super::roles::function_named;
use super::{Breach, Level, On, Rule, Stack, broken_at, unless};
use crate::resolved::{Resolved, Subject};

macro_rules! source {
    (queue: $queue:literal, function: $function:literal, mapping: $mapping:literal) => {
        concat!(
            "
Orders: { Type: AWS::SQS::Queue, Properties: { ",
            $queue,
            " } }
Book:
  Type: AWS::Lambda::Function
  Properties:
    FunctionName: book-dev
    Handler: index.handler
    Code: { ZipFile: 'def handler(event, context): pass' }
    Role: arn:aws:iam::123456789012:role/book-dev
    Runtime: python3.13
    Timeout: 30
    ",
            $function,
            "
OrdersSource:
  Type: AWS::Lambda::EventSourceMapping
  Properties: { EventSourceArn: !GetAtt Orders.Arn, FunctionName: !Ref Book, ",
            $mapping,
            " }"
        )
    };
}

pub const RULES: &[Rule] = &[
    Rule {
        id: "source-visibility",
        level: Level::Mandatory,
        demand: "A queue's visibility timeout is at least six times the function's timeout, and the batch window",
        reason: "a message that shows again while its batch is still being tried is processed twice",
        fix: "raise the queue's `VisibilityTimeout`, or lower the function's `Timeout`",
        on: On::Type(MAPPING),
        breaches: visibility,
        kept_by: source!(queue: "VisibilityTimeout: 180", function: "MemorySize: 128", mapping: "BatchSize: 10"),
        broken_by: source!(queue: "VisibilityTimeout: 60", function: "MemorySize: 128", mapping: "BatchSize: 10"),
    },
    Rule {
        id: "source-batch",
        level: Level::Mandatory,
        demand: "A batch of more than ten messages has a window to be gathered in",
        reason: "AWS refuses it without one",
        fix: "set `MaximumBatchingWindowInSeconds` to 1 or more, or `BatchSize` to 10 or less",
        on: On::Type(MAPPING),
        breaches: batch,
        kept_by: source!(
            queue: "VisibilityTimeout: 185", function: "MemorySize: 128",
            mapping: "BatchSize: 100, MaximumBatchingWindowInSeconds: 5"
        ),
        broken_by: source!(queue: "VisibilityTimeout: 180", function: "MemorySize: 128", mapping: "BatchSize: 100"),
    },
    Rule {
        id: "source-concurrency",
        level: Level::Mandatory,
        demand: "What a function's queues may run at once is set, and within its reserved concurrency",
        reason: "batches beyond the reservation are throttled, counted as received, and end as dead letters untried",
        fix: "set `ScalingConfig: { MaximumConcurrency: … }` to at most the function's `ReservedConcurrentExecutions`",
        on: On::Type(MAPPING),
        breaches: concurrency,
        kept_by: source!(
            queue: "VisibilityTimeout: 180", function: "ReservedConcurrentExecutions: 10",
            mapping: "ScalingConfig: { MaximumConcurrency: 10 }"
        ),
        broken_by: source!(
            queue: "VisibilityTimeout: 180", function: "ReservedConcurrentExecutions: 10",
            mapping: "ScalingConfig: { MaximumConcurrency: 11 }"
        ),
    },
    Rule {
        id: "source-partial-failures",
        level: Level::Advisory,
        demand: "A function reports which messages of a batch have failed",
        reason: "otherwise one bad message brings back the nine good ones with it",
        fix: "set `FunctionResponseTypes: [ReportBatchItemFailures]`, and let the function answer so",
        on: On::Type(MAPPING),
        breaches: partial_failures,
        kept_by: source!(
            queue: "VisibilityTimeout: 180", function: "MemorySize: 128",
            mapping: "FunctionResponseTypes: [ReportBatchItemFailures]"
        ),
        broken_by: source!(queue: "VisibilityTimeout: 180", function: "MemorySize: 128", mapping: "BatchSize: 10"),
    },
];

const MAPPING: &str = "AWS::Lambda::EventSourceMapping";

/// "Using Lambda with Amazon SQS": at least six times, to allow for retries of a throttled batch.
const TIMES: u64 = 6;

/// The queue that a mapping takes from, if the template declares it.
pub fn queue_of<'a>(mapping: &Subject<'_>, stack: &'a Resolved<'_>) -> Option<Subject<'a>> {
    stack.of_type("AWS::SQS::Queue").find(|queue| queue.is_among(&mapping.properties["EventSourceArn"]))
}

/// The table whose stream a mapping takes from, if the template declares it.
pub fn stream_of<'a>(mapping: &Subject<'_>, stack: &'a Resolved<'_>) -> Option<Subject<'a>> {
    let mut tables = TABLES.iter().flat_map(|kind| stack.of_type(kind));
    tables.find(|table| table.is_among(&mapping.properties["EventSourceArn"]))
}

/// The function that a mapping calls, if the template declares it.
pub fn function_of<'a>(mapping: &Subject<'_>, stack: &'a Resolved<'_>) -> Option<Subject<'a>> {
    function_named(mapping.properties["FunctionName"].as_str()?, stack)
}

fn visibility(mapping: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let (Some(queue), Some(function)) = (queue_of(mapping, stack), function_of(mapping, stack)) else {
        return Vec::new();
    };
    let timeouts = (queue.properties["VisibilityTimeout"].as_u64(), function.properties["Timeout"].as_u64());
    let (Some(visibility), Some(timeout)) = timeouts else { return Vec::new() };
    let window = mapping.properties["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or_default();
    let needed = TIMES * timeout + window;
    unless(visibility >= needed, || {
        let besides = if window > 0 { format!(" + {window} s") } else { String::new() };
        let what = format!(
            "takes from `{}`, whose visibility timeout of {visibility} s is less than {TIMES} × {timeout} s{besides} = {needed} s",
            queue.id()
        );
        broken_at("EventSourceArn", what)
    })
}

fn batch(mapping: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let size = mapping.properties["BatchSize"].as_u64().unwrap_or_default();
    let window = mapping.properties["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or_default();
    let is_fine = size <= 10 || window >= 1 || queue_of(mapping, stack).is_none();
    unless(is_fine, || broken_at("BatchSize", format!("gathers {size} messages without a window")))
}

fn concurrency(mapping: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let maximum = |mapping: &Subject<'_>| mapping.properties["ScalingConfig"]["MaximumConcurrency"].as_u64();
    if queue_of(mapping, stack).is_none() {
        return Vec::new();
    }
    let Some(function) = function_of(mapping, stack) else { return Vec::new() };
    let Some(reserved) = function.properties["ReservedConcurrentExecutions"].as_u64() else { return Vec::new() };
    // A function that is stopped takes nothing, which is what its batches wait for.
    if reserved == 0 {
        return Vec::new();
    }
    if maximum(mapping).is_none() {
        let what = format!("may run more than the {reserved} that are reserved for `{}`", function.id());
        return broken_at("ScalingConfig", what);
    }
    let is_its = |other: &Subject<'_>| function_of(other, stack).is_some_and(|it| it.id() == function.id());
    let of_function = stack.of_type(MAPPING).filter(is_its);
    let sum: u64 = of_function.filter_map(|other| maximum(&other)).sum();
    unless(sum <= reserved, || {
        broken_at(
            "ScalingConfig",
            format!("lets `{}` run {sum} times at once, with {reserved} reserved", function.id()),
        )
    })
}

fn partial_failures(mapping: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let types = mapping.properties["FunctionResponseTypes"].as_array();
    let reports = types.is_some_and(|types| types.iter().any(|it| it == "ReportBatchItemFailures"));
    unless(reports || queue_of(mapping, stack).is_none(), || {
        broken_at("FunctionResponseTypes", "does not let the function report single messages as failed")
    })
}
