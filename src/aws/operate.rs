//! What an operator asks of what runs: the events of logs, one run of a function, one query. Changes no resource.
//!
//! Everything is named as the service names it: which function or log group is meant is the caller's to know.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::QueryStatus;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::aws::Context;
use crate::aws::error::{AwsError, During, ErrorClass, absent_is_none};
use crate::aws::wait::Patience;

/// One event of a log group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEvent {
    pub at: Timestamp,
    pub log_group: String,
    pub log_stream: String,
    pub message: String,
    #[serde(skip)]
    id: String,
}

/// Follows log groups: each look gives what has come since the one before.
pub struct LogFollower {
    log_groups: Vec<String>,
    pattern: Option<String>,
    /// Milliseconds since 1970 at which the next look begins.
    from: i64,
    /// The events at or after `from` that were given already.
    given: BTreeSet<String>,
}

/// How late an event may be taken in and still be shown: a look begins that much before the newest event that was seen.
const LATENESS_MILLISECONDS: i64 = 20_000;

impl LogFollower {
    /// Begins at a moment. A pattern is one of CloudWatch Logs' own ("Filter pattern syntax").
    pub fn new(log_groups: impl IntoIterator<Item = String>, since: Timestamp, pattern: Option<String>) -> Self {
        let log_groups: BTreeSet<String> = log_groups.into_iter().collect();
        Self {
            log_groups: log_groups.into_iter().collect(),
            pattern,
            from: since.as_millisecond(),
            given: BTreeSet::new(),
        }
    }

    /// The events that no earlier look has given, oldest first. A log group that is not there has none: Lambda makes
    /// it when the function runs first.
    ///
    /// # Errors
    ///
    /// A log group cannot be read.
    pub async fn look(&mut self, cx: &Context) -> Result<Vec<LogEvent>, AwsError> {
        let looks = self.log_groups.iter().map(|log_group| {
            let (pattern, from) = (self.pattern.clone(), self.from);
            async move { events(cx, log_group, from, pattern).await }
        });
        let mut seen: Vec<LogEvent> = futures::future::try_join_all(looks).await?.into_iter().flatten().collect();
        // The ids tell events of one group apart, not of several.
        let key = |event: &LogEvent| format!("{}/{}", event.log_group, event.id);
        let newest = seen.iter().map(|event| event.at.as_millisecond()).max();
        if let Some(newest) = newest {
            self.from = self.from.max(newest - LATENESS_MILLISECONDS);
        }
        let still_in_sight = seen.iter().filter(|event| event.at.as_millisecond() >= self.from).map(key).collect();
        let before = std::mem::replace(&mut self.given, still_in_sight);
        seen.retain(|event| !before.contains(&key(event)));
        seen.sort_by(|one, other| (one.at, &one.log_group).cmp(&(other.at, &other.log_group)));
        Ok(seen)
    }
}

async fn events(cx: &Context, log_group: &str, from: i64, pattern: Option<String>) -> Result<Vec<LogEvent>, AwsError> {
    const FILTER: &str = "logs.FilterLogEvents";
    let mut events = Vec::new();
    let mut next_token = None;
    loop {
        let filter = cx.logs.filter_log_events().log_group_name(log_group).start_time(from);
        let page = filter.set_filter_pattern(pattern.clone()).set_next_token(next_token).send().await.during(FILTER);
        let Some(page) = absent_is_none(page)? else { return Ok(events) };
        for event in page.events.unwrap_or_default() {
            events.push(LogEvent {
                at: Timestamp::from_millisecond(event.timestamp.unwrap_or_default()).unwrap_or_default(),
                log_group: log_group.to_owned(),
                log_stream: event.log_stream_name.unwrap_or_default(),
                message: event.message.unwrap_or_default(),
                id: event.event_id.unwrap_or_default(),
            });
        }
        next_token = page.next_token.filter(|token| !token.is_empty());
        if next_token.is_none() {
            return Ok(events);
        }
    }
}

/// What became of one run of a function.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Invocation {
    pub function: String,
    pub version: Option<String>,
    /// How the run failed, in Lambda's word: `Unhandled` or `Handled`. `None` where it did not.
    pub error: Option<String>,
    /// What the function answered, or what Lambda says of the error; text where it is no JSON.
    pub result: Value,
    /// The last 4 KB of the run's log.
    pub log_tail: String,
    /// From the call to its answer.
    pub duration_milliseconds: u64,
}

/// Lambda's longest run is 15 minutes ("Lambda quotas").
const LONGEST_RUN: Duration = Duration::from_secs(930);

/// Runs a function once and waits for its answer. It is never sent twice: who repeats a run decides that.
///
/// # Errors
///
/// Lambda did not run it. A run that fails is no error here: see [`Invocation::error`].
pub async fn invoke(cx: &Context, function: &str, payload: &[u8]) -> Result<Invocation, AwsError> {
    const INVOKE: &str = "lambda.Invoke";
    let patient = aws_sdk_lambda::config::Builder::default()
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().read_timeout(LONGEST_RUN).build());
    let start = cx.clock.monotonic();
    let call = cx.lambda.invoke().function_name(function).log_type(LogType::Tail).payload(Blob::new(payload));
    let answer = call.customize().config_override(patient).send().await.during(INVOKE)?;
    let duration = cx.clock.monotonic().saturating_sub(start);
    let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
    let text = String::from_utf8_lossy(&payload);
    let log = answer.log_result.and_then(|log| STANDARD.decode(log).ok()).unwrap_or_default();
    Ok(Invocation {
        function: function.to_owned(),
        version: answer.executed_version,
        error: answer.function_error,
        result: serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.as_ref())),
        log_tail: String::from_utf8_lossy(&log).into_owned(),
        duration_milliseconds: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
    })
}

/// A query of Logs Insights, as a query definition says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub log_groups: Vec<String>,
    pub text: String,
    /// `CWLI`, `SQL` or `PPL`.
    pub language: String,
}

/// What a query found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// In the order in which the query names them.
    pub columns: Vec<String>,
    /// A row has a value for each column, or none.
    pub rows: Vec<Vec<Option<String>>>,
    /// How many events were looked at, and how many of them matched.
    pub scanned: u64,
    pub matched: u64,
}

/// Runs a query over what was logged between two moments, and waits for its end.
///
/// # Errors
///
/// The service refuses the query, gives it up, or is not done within the deadline; then it is stopped.
pub async fn query(cx: &Context, query: &Query, since: Timestamp, until: Timestamp) -> Result<Found, AwsError> {
    const START: &str = "logs.StartQuery";
    const RESULTS: &str = "logs.GetQueryResults";
    let start = cx
        .logs
        .start_query()
        .set_log_group_names((!query.log_groups.is_empty()).then(|| query.log_groups.clone()))
        .query_string(&query.text)
        .query_language(query.language.as_str().into())
        .start_time(since.as_second())
        .end_time(until.as_second());
    let started = start.send().await.during(START)?;
    let id = started.query_id.ok_or_else(|| AwsError::missing(START, "queryId"))?;
    let look = || async {
        let answer = cx.logs.get_query_results().query_id(&id).send().await.during(RESULTS)?;
        match &answer.status {
            Some(QueryStatus::Complete) => Ok(Some(answer)),
            Some(status @ (QueryStatus::Failed | QueryStatus::Cancelled | QueryStatus::Timeout)) => {
                let message = format!("the query ended with the status `{}`", status.as_str());
                Err(AwsError::new(RESULTS, ErrorClass::Service, message))
            }
            _ => Ok(None),
        }
    };
    let answer = cx.until(RESULTS, "the query to be done", Patience::seconds(300), look).await;
    if answer.as_ref().is_err_and(|error| error.class == ErrorClass::Deadline) {
        // It goes on for up to an hour otherwise, and is paid for; that it was not done in time is what counts.
        let _ = cx.logs.stop_query().query_id(&id).send().await;
    }
    let answer = answer?;
    let (scanned, matched) = answer.statistics.map(|it| (it.records_scanned, it.records_matched)).unwrap_or_default();
    let rows = answer.results.unwrap_or_default();
    let rows = rows.into_iter().map(|row| row.into_iter().filter_map(|it| Some((it.field?, it.value?))).collect());
    let (columns, rows) = table(rows.collect());
    Ok(Found { columns, rows, scanned: whole(scanned), matched: whole(matched) })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the service counts events in a double")]
fn whole(count: f64) -> u64 {
    count as u64
}

/// A pointer to the event, which the service adds to every row and nobody can read.
const POINTER: &str = "@ptr";

/// Rows of fields as a table. A field that a row does not have is left out of it by the service.
fn table(rows: Vec<Vec<(String, String)>>) -> (Vec<String>, Vec<Vec<Option<String>>>) {
    let mut columns: Vec<String> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if name != POINTER && !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let value = |row: &Vec<(String, String)>, column: &String| {
        row.iter().find(|(name, _)| name == column).map(|(_, value)| value.clone())
    };
    let rows = rows.iter().map(|row| columns.iter().map(|column| value(row, column)).collect()).collect();
    (columns, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_different_fields_make_one_table_without_pointers() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let rows = vec![
            vec![field("provider", "acme"), field("failures", "3"), field("@ptr", "x")],
            vec![field("provider", "zen"), field("error_code", "conflict"), field("@ptr", "y")],
        ];
        let (columns, rows) = table(rows);
        assert_eq!(columns, ["provider", "failures", "error_code"]);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(rows, [[some("acme"), some("3"), None], [some("zen"), None, some("conflict")],]);
    }
}
