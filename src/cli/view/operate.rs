//! Events, runs and tables of what runs. What AWS has is shown as it is, but for what would move a terminal's cursor.

use std::io::{self, Write};

use jiff::fmt::temporal::DateTimePrinter;
use serde_json::{Value, json};

use crate::aws::operate::{Found, Invocation, LogEvent};
use crate::cli::named::Declared;
use crate::cli::view::palette::{Role, paint};
use crate::cli::view::words::{count, duration};
use crate::grants::Fit;
use crate::smoke::{Missed, Reached, Smoked};
use crate::visible::{in_json, on_its_line, visible};

/// One function after the other: what its role grants too much or too little.
pub fn fits(out: &mut dyn Write, fits: &[Fit]) -> io::Result<()> {
    for Fit { function, role, used, excess, missing } in fits {
        let role = role.as_ref().map_or_else(|| "a role that is not declared".to_owned(), |role| format!("`{role}`"));
        writeln!(out, "{} with {role}", paint(Role::Name, function))?;
        for (action, place) in missing {
            writeln!(out, "  {} {action}, called at {}", paint(Role::Blocked, "missing"), on_its_line(place))?;
        }
        for action in excess {
            writeln!(out, "  {} {}, called nowhere", paint(Role::Changed, "excess "), on_its_line(action))?;
        }
        for (action, why) in used {
            writeln!(out, "  {} {}, {}", paint(Role::Quiet, "used   "), on_its_line(action), on_its_line(why))?;
        }
    }
    Ok(())
}

/// `2026-11-25T19:40:00.123Z ProcessPayment  {"level":"INFO",…}`.
pub fn log_event(out: &mut dyn Write, event: &LogEvent, writer: &str) -> io::Result<()> {
    let mut at = String::new();
    let printed = DateTimePrinter::new().precision(Some(3)).print_timestamp(&event.at, &mut at);
    printed.map_err(io::Error::other)?;
    for line in event.message.trim_end().lines() {
        writeln!(out, "{} {}  {}", paint(Role::Quiet, &at), paint(Role::Name, writer), visible(line))?;
    }
    Ok(())
}

/// One event on one line.
pub fn log_event_as_json(out: &mut dyn Write, event: &LogEvent) -> io::Result<()> {
    writeln!(out, "{}", in_json(&json!(event).to_string()))
}

/// What a run answered, to be piped on.
pub fn result(out: &mut dyn Write, invocation: &Invocation) -> io::Result<()> {
    match &invocation.result {
        Value::String(text) => writeln!(out, "{}", visible(text)),
        value => writeln!(out, "{}", in_json(&format!("{value:#}"))),
    }
}

/// What there is to say of a run beside its answer.
pub fn invocation(err: &mut dyn Write, invocation: &Invocation) -> io::Result<()> {
    let Invocation { function, version, error, result: _, log_tail, duration_milliseconds } = invocation;
    writeln!(err, "{}", paint(Role::Quiet, "\nThe end of its log:"))?;
    for line in log_tail.trim_end().lines() {
        writeln!(err, "  {}", visible(line))?;
    }
    let took = duration(*duration_milliseconds);
    let version = version.as_ref().map(|version| format!(" (version {version})")).unwrap_or_default();
    match error {
        None => writeln!(err, "\n`{function}`{version} answered after {took}."),
        Some(error) => {
            let failed = format!("`{function}`{version} failed after {took} ({error}): see its result and its log");
            writeln!(err, "\n{} {failed}", paint(Role::Blocked, "error:"))
        }
    }
}

/// Each place that was reached, with the time since the start and since the place before.
pub fn smoked(out: &mut dyn Write, smoked: &Smoked) -> io::Result<()> {
    writeln!(out, "Sent `{}`.\n", smoked.id)?;
    let width = smoked.reached.iter().map(|it| it.name.chars().count()).max().unwrap_or_default();
    let mut before = 0;
    for Reached { name, after_milliseconds } in &smoked.reached {
        let (after, step) = (duration(*after_milliseconds), duration(after_milliseconds.saturating_sub(before)));
        let step = paint(Role::Quiet, format!("+{step}"));
        writeln!(out, "  {} {name:width$}  {after:>10}  {step}", paint(Role::Created, "reached"))?;
        before = *after_milliseconds;
    }
    match &smoked.missed {
        None => writeln!(out, "\nEverything arrived."),
        Some(Missed { name, why }) => writeln!(out, "  {}  {name}: {}", paint(Role::Blocked, "missed"), visible(why)),
    }
}

/// The queries that can be run.
pub fn queries(out: &mut dyn Write, queries: &[Declared]) -> io::Result<()> {
    let width = queries.iter().map(|it| it.logical_id.as_str().len()).max().unwrap_or_default();
    for query in queries {
        writeln!(out, "{:width$}  {}", query.logical_id, query.name)?;
    }
    Ok(())
}

pub fn queries_as_json(queries: &[Declared]) -> Value {
    let query = |it: &Declared| {
        let (id, name, query) = (&it.logical_id, &it.name, &it.query);
        json!({"logical_id": id, "name": name, "log_groups": query.log_groups, "query": query.text})
    };
    queries.iter().map(query).collect()
}

/// A table with a line under its head; numbers stand to the right.
pub fn found(out: &mut dyn Write, found: &Found) -> io::Result<()> {
    if found.columns.is_empty() {
        return Ok(());
    }
    let cells: Vec<Vec<String>> = found.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let column = |place: usize| cells.iter().map(move |row| row.get(place).map_or("", String::as_str));
    let places = 0..found.columns.len();
    let width = |place: usize| column(place).chain([found.columns[place].as_str()]).map(|it| it.chars().count()).max();
    let widths: Vec<usize> = places.clone().map(|place| width(place).unwrap_or_default()).collect();
    let is_number: Vec<bool> =
        places.map(|place| column(place).all(|cell| cell.is_empty() || cell.parse::<f64>().is_ok())).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).zip(&is_number).map(|((cell, width), is_number)| {
            if *is_number { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    writeln!(out, "{}", paint(Role::Name, line(&found.columns)))?;
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    writeln!(out, "{}", paint(Role::Quiet, rules.join("  ")))?;
    cells.iter().try_for_each(|row| writeln!(out, "{}", line(row)))
}

/// `3 rows from 1200 events, 14 of which matched`.
pub fn found_summary(err: &mut dyn Write, found: &Found) -> io::Result<()> {
    let events = usize::try_from(found.scanned).unwrap_or(usize::MAX);
    let rows = count(found.rows.len(), "row");
    let line = match events {
        0 => rows,
        events => format!("{rows} from {}, {} of which matched", count(events, "event"), found.matched),
    };
    writeln!(err, "{}", paint(Role::Quiet, line))
}

fn cell(value: &Option<String>) -> String {
    value.as_ref().map(|text| on_its_line(text.trim_end()).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = anstream::StripStream::new(Vec::new());
        write(&mut out).expect("a vector takes everything");
        String::from_utf8(out.into_inner()).expect("it is text")
    }

    #[test]
    fn a_table_is_as_wide_as_it_has_to_be() {
        let some = |text: &str| Some(text.to_owned());
        let table = Found {
            columns: ["provider", "failures", "last_seen"].map(str::to_owned).into(),
            rows: vec![
                vec![some("acme"), some("12"), some("2026-11-25 19:40:00.000")],
                vec![some("a-long-provider"), some("3"), None],
            ],
            scanned: 1200,
            matched: 15,
        };
        expect![[r#"
            provider         failures  last_seen
            ---------------  --------  -----------------------
            acme                   12  2026-11-25 19:40:00.000
            a-long-provider         3
            2 rows from 1,200 events, 15 of which matched
        "#]]
        .assert_eq(&written(|out| {
            found(out, &table)?;
            found_summary(out, &table)
        }));
    }

    #[test]
    fn each_place_on_the_way_is_shown_with_its_times() {
        let reached = |name: &str, after_milliseconds| Reached { name: name.to_owned(), after_milliseconds };
        let run = Smoked {
            id: "smoke-a".to_owned(),
            reached: vec![reached("answered 202", 84), reached("stored", 310)],
            missed: Some(Missed { name: "booked".to_owned(), why: "not within 60 s".to_owned() }),
        };
        expect![[r#"
            Sent `smoke-a`.

              reached answered 202       84 ms  +84 ms
              reached stored            310 ms  +226 ms
              missed  booked: not within 60 s
        "#]]
        .assert_eq(&written(|out| smoked(out, &run)));
    }

    #[test]
    fn a_run_that_fails_says_so_after_its_log() {
        let run = Invocation {
            function: "orders".to_owned(),
            version: Some("$LATEST".to_owned()),
            error: Some("Unhandled".to_owned()),
            result: json!({"errorMessage": "no"}),
            log_tail: "START RequestId: 1\n[ERROR] \u{1b}[31mno\nEND\n".to_owned(),
            duration_milliseconds: 1_250,
        };
        expect![[r#"

            The end of its log:
              START RequestId: 1
              [ERROR] \u{1b}[31mno
              END

            error: `orders` (version $LATEST) failed after 1.2 s (Unhandled): see its result and its log
        "#]]
        .assert_eq(&written(|out| invocation(out, &run)));
    }
}
