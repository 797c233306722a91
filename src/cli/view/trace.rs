//! A run as a trace that Chrome's `about:tracing` and Perfetto show: tasks, what they waited for, and every call ("Trace Event
//! Format"). Pure.

use std::time::Duration;

use serde_json::{Value, json};

use crate::apply::TaskId;
use crate::apply::chronicle::{Chronicle, State};
use crate::aws::observer::Attempt;
use crate::cli::view::progress::doing;

/// The groups of rows.
const TASKS: u32 = 1;
const AT_ONCE: u32 = 2;
const READING: u32 = 3;

/// Something with a beginning and an end, in the clock's monotonic time.
struct Span {
    start: Duration,
    end: Duration,
    name: String,
    category: &'static str,
    about: Value,
}

pub fn trace(chronicle: &Chronicle, attempts: &[Attempt]) -> Value {
    let mut rows = Rows::default();
    let ran: Vec<(TaskId, Duration, Duration)> = chronicle.ids().filter_map(|id| ran(chronicle, id)).collect();
    let times: Vec<(Duration, Duration)> = ran.iter().map(|(_, start, end)| (*start, *end)).collect();
    let mut at_once = Vec::new();
    for ((id, start, end), lane) in ran.iter().zip(lanes(&times)) {
        let task = chronicle.task(*id);
        let about = json!({"logical_id": task.logical_id, "resource_type": task.resource_type, "kind": task.kind});
        let name = format!("{}: {}", task.logical_id, doing(task.kind).to_lowercase());
        rows.add(TASKS, lane, Span { start: *start, end: *end, name, category: "task", about });
        let mut open = vec![*end];
        for span in inside(chronicle, *id, attempts) {
            while open.len() > 1 && open.last().is_some_and(|end| *end <= span.start) {
                open.pop();
            }
            if span.start >= *start && open.last().is_some_and(|end| span.end <= *end) {
                open.push(span.end);
                rows.add(TASKS, lane, span);
            } else {
                at_once.push(span);
            }
        }
    }
    let reading = attempts.iter().filter(|attempt| attempt.by.is_none()).map(|attempt| call(attempt, None)).collect();
    rows.add_side_by_side(AT_ONCE, at_once);
    rows.add_side_by_side(READING, reading);
    rows.finish()
}

fn ran(chronicle: &Chronicle, id: TaskId) -> Option<(TaskId, Duration, Duration)> {
    match chronicle.entries[id.0].state {
        State::Ended { since, at, .. } => Some((id, chronicle.begun + since, chronicle.begun + at)),
        State::Waits | State::Runs { .. } | State::NeverRuns => None,
    }
}

/// The waits and calls of a task, what contains others before them.
fn inside(chronicle: &Chronicle, id: TaskId, attempts: &[Attempt]) -> Vec<Span> {
    let task = chronicle.task(id);
    let waits = chronicle.entries[id.0].waits.iter().map(|wait| Span {
        start: chronicle.begun + wait.since,
        end: chronicle.begun + wait.until.unwrap_or(wait.since),
        name: format!("waits for {}", wait.waiting_for),
        category: "wait",
        about: json!({"logical_id": task.logical_id, "operation": wait.operation}),
    });
    let calls = attempts.iter().filter(|attempt| attempt.by.is_some_and(|by| by.0 == id.0));
    let mut spans: Vec<Span> =
        waits.chain(calls.map(|attempt| call(attempt, Some(task.logical_id.as_str())))).collect();
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    spans
}

fn call(attempt: &Attempt, logical_id: Option<&str>) -> Span {
    let again = if attempt.number > 1 { format!(" (attempt {})", attempt.number) } else { String::new() };
    Span {
        start: attempt.start,
        end: attempt.end,
        name: format!("{}.{}{again}", attempt.service, attempt.operation),
        category: "call",
        about: json!({"logical_id": logical_id, "attempt": attempt.number, "has_failed": attempt.has_failed}),
    }
}

/// For each of some spans the first row in which there is room for it.
fn lanes(spans: &[(Duration, Duration)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|index| spans[*index]);
    let mut ends: Vec<Duration> = Vec::new();
    let mut lanes = vec![0; spans.len()];
    for index in order {
        let (start, end) = spans[index];
        let lane = ends.iter().position(|last| *last <= start).unwrap_or(ends.len());
        ends.resize(ends.len().max(lane + 1), Duration::ZERO);
        ends[lane] = end;
        lanes[index] = lane;
    }
    lanes
}

/// The events of a trace.
#[derive(Default)]
struct Rows {
    spans: Vec<(u32, usize, Span)>,
}

impl Rows {
    fn add(&mut self, group: u32, lane: usize, span: Span) {
        self.spans.push((group, lane, span));
    }

    fn add_side_by_side(&mut self, group: u32, spans: Vec<Span>) {
        let times: Vec<(Duration, Duration)> = spans.iter().map(|span| (span.start, span.end)).collect();
        for (span, lane) in spans.into_iter().zip(lanes(&times)) {
            self.add(group, lane, span);
        }
    }

    fn finish(mut self) -> Value {
        // What contains another comes before it.
        self.spans.sort_by_key(|(group, lane, span)| (*group, *lane, span.start, std::cmp::Reverse(span.end)));
        let groups = [(TASKS, "tasks"), (AT_ONCE, "what tasks do at once"), (READING, "reading what is there")];
        let used = groups.into_iter().filter(|(group, _)| self.spans.iter().any(|(it, _, _)| it == group));
        let names = used.map(|(group, name)| {
            json!({"ph": "M", "name": "process_name", "pid": group, "tid": 0, "ts": 0, "args": {"name": name}})
        });
        let spans = self.spans.iter().map(|(group, lane, span)| {
            let (start, end) = (microseconds(span.start), microseconds(span.end));
            json!({
                "ph": "X",
                "name": span.name,
                "cat": span.category,
                "pid": group,
                "tid": lane + 1,
                "ts": start,
                "dur": end - start,
                "args": span.about,
            })
        });
        json!({"displayTimeUnit": "ms", "traceEvents": names.chain(spans).collect::<Vec<_>>()})
    }
}

/// In whole microseconds, so that what ends when another begins does not overlap with it.
fn microseconds(duration: Duration) -> u64 {
    duration.as_micros().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use super::*;
    use crate::apply::durations::Durations;
    use crate::apply::{Done, Event, Kind, Outcome, Schedule, Task};
    use crate::aws::observer::WorkId;

    fn seconds(tenths: u64) -> Duration {
        Duration::from_millis(tenths * 100)
    }

    /// Two tables that are made at once, the first of them in a wait with two calls, and calls that overlap.
    fn two_tables() -> (Chronicle, Vec<Attempt>) {
        let mut schedule = Schedule::default();
        for logical_id in ["Orders", "Bills"] {
            schedule.tasks.push(Task {
                logical_id: logical_id.into(),
                resource_type: "AWS::DynamoDB::Table".into(),
                kind: Kind::Create,
                step: 0,
                physical_id: None,
                together: Arc::default(),
            });
            schedule.after.push(BTreeSet::new());
            schedule.remaining.push(0);
        }
        let mut chronicle = Chronicle::new(&schedule, &Durations::default(), seconds(10));
        let outcome = Outcome::Done(Done::Deleted);
        for index in 0..2 {
            let (id, task) = (TaskId(index), &schedule.tasks[index]);
            chronicle.note(&Event::Started { id, task }, seconds(0));
            let (operation, waiting_for) = ("dynamodb.DescribeTable", "the table to be at rest");
            chronicle.note(&Event::Waits { id, task, at: seconds(12), operation, waiting_for }, seconds(3));
            chronicle.note(&Event::GoesOn { id, task, at: seconds(18), operation }, seconds(9));
            chronicle.note(&Event::Finished { id, task, outcome: &outcome, milliseconds: 1_000 }, seconds(10));
        }
        let call = |by: Option<usize>, operation: &str, start, end| Attempt {
            by: by.map(WorkId),
            service: "dynamodb".to_owned(),
            operation: operation.to_owned(),
            number: 1,
            start: seconds(start),
            end: seconds(end),
            has_failed: false,
            at: jiff::Timestamp::UNIX_EPOCH,
            request_id: None,
        };
        let attempts = vec![
            call(None, "DescribeTable", 1, 4),
            call(None, "DescribeTable", 2, 5),
            call(Some(0), "CreateTable", 10, 12),
            call(Some(0), "DescribeTable", 12, 14),
            call(Some(0), "DescribeTable", 15, 17),
            call(Some(1), "CreateTable", 10, 13),
            call(Some(1), "DescribeTimeToLive", 11, 14),
        ];
        (chronicle, attempts)
    }

    /// What the format asks for: the fields of each phase, and in each row spans that begin one after the other and lie
    /// side by side or one in the other.
    fn check(trace: &Value) {
        let events = trace["traceEvents"].as_array().expect("a list of events");
        let mut rows: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
        for event in events {
            let number = |name: &str| event[name].as_u64().unwrap_or_else(|| panic!("`{name}` of {event}"));
            assert!(event["name"].is_string() && event["args"].is_object(), "{event}");
            match event["ph"].as_str() {
                Some("M") => assert_eq!((event["name"].as_str(), number("tid")), (Some("process_name"), 0)),
                Some("X") => {
                    assert!(event["cat"].is_string(), "{event}");
                    let (start, took) = (number("ts"), number("dur"));
                    rows.entry((number("pid"), number("tid"))).or_default().push((start, start + took));
                }
                other => panic!("the phase {other:?} of {event}"),
            }
        }
        for spans in rows.values() {
            let mut open: Vec<(u64, u64)> = Vec::new();
            for &(start, end) in spans {
                while open.last().is_some_and(|(_, until)| *until <= start) {
                    open.pop();
                }
                assert!(open.iter().all(|(since, until)| *since <= start && end <= *until), "{spans:?}");
                open.push((start, end));
            }
            assert!(spans.is_sorted_by_key(|(start, _)| start), "{spans:?}");
        }
    }

    #[test]
    fn calls_and_waits_lie_within_their_task() {
        let (chronicle, attempts) = two_tables();
        let trace = trace(&chronicle, &attempts);
        check(&trace);
        let events = trace["traceEvents"].as_array().expect("a list of events");
        let of = |group: u32| -> Vec<&str> {
            let spans = events.iter().filter(|event| event["ph"] == "X" && event["pid"] == group);
            spans.filter_map(|event| event["name"].as_str()).collect()
        };
        let wait = "waits for the table to be at rest";
        assert_eq!(
            of(TASKS),
            [
                "Orders: creating",
                "dynamodb.CreateTable",
                wait,
                "dynamodb.DescribeTable",
                "dynamodb.DescribeTable",
                "Bills: creating",
                "dynamodb.CreateTable",
            ]
        );
        assert_eq!(of(AT_ONCE), ["dynamodb.DescribeTimeToLive", wait]);
        assert_eq!(of(READING), ["dynamodb.DescribeTable", "dynamodb.DescribeTable"]);
    }

    #[test]
    fn a_run_that_did_nothing_has_a_trace_too() {
        let chronicle = Chronicle::new(&Schedule::default(), &Durations::default(), Duration::ZERO);
        check(&trace(&chronicle, &[]));
    }
}
