//! Text, for people.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::apply::Report;
use crate::aws::calls::Calls;
use crate::cli::view::json::shown;
use crate::cli::view::palette::{Role, paint};
use crate::inventory::Gone;
use crate::plan::{Action, Cause, Explained, ForcedBy, Missing, Order, Plan, Step};

/// What is shown in place of a secret.
pub const SENSITIVE: &str = "(sensitive)";

/// A value that is longer than this stands on lines of its own.
const ONE_LINE: usize = 100;

pub fn plan(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    let scope = &plan.scope;
    writeln!(out, "Stack `{}` in account {}, {}.\n", plan.stack, scope.account_id, scope.region)?;
    for problem in &plan.problems {
        writeln!(out, "  {} {problem}; the plan may lack something\n", paint(Role::Blocked, "warning:"))?;
    }
    for step in &plan.steps {
        show_step(out, step)?;
    }
    if plan.is_empty() {
        return writeln!(out, "Nothing to change: AWS is as the template says.");
    }
    writeln!(out, "{}", summary(plan))
}

fn summary(plan: &Plan) -> String {
    let it = plan.summary();
    let named = [
        (it.created, "to create"),
        (it.adopted, "to adopt"),
        (it.updated, "to update"),
        (it.replaced, "to replace"),
        (it.deleted, "to delete"),
        (it.forgotten, "to forget"),
        (it.blocked, "blocked"),
    ];
    let always = ["to create", "to update", "to delete"];
    let shown = named.iter().filter(|(count, what)| *count > 0 || always.contains(what));
    let parts: Vec<String> = shown.map(|(count, what)| format!("{count} {what}")).collect();
    format!("Plan: {}.", parts.join(", "))
}

fn show_step(out: &mut dyn Write, step: &Step) -> io::Result<()> {
    let (sign, role, note) = match &step.action {
        Action::None => return Ok(()),
        Action::Create { why: Missing::New } => ("+", Role::Created, String::new()),
        Action::Create { why: Missing::DeletedOutside } => {
            ("+", Role::Created, "  # drift: it was deleted outside of paystack".to_owned())
        }
        Action::Adopt { .. } => ("~", Role::Changed, "  # taken over".to_owned()),
        Action::Update { .. } => ("~", Role::Changed, String::new()),
        Action::Replace { order: Order::CreateFirst, forced_by, .. } => ("+/-", Role::Replaced, forced(forced_by)),
        Action::Replace { order: Order::DeleteFirst, forced_by, .. } => ("-/+", Role::Replaced, forced(forced_by)),
        Action::Delete { why } => ("-", Role::Deleted, format!("  # {}", gone(*why))),
        Action::Forget => ("-", Role::Quiet, "  # no longer there: only the memory of it goes".to_owned()),
        Action::Blocked { .. } => ("!", Role::Blocked, String::new()),
    };
    let id = step.physical_id.as_ref().map(|id| format!(" [{id}]")).unwrap_or_default();
    writeln!(
        out,
        "{:>5} {}  {}{}{}",
        paint(role, sign),
        paint(Role::Name, &step.logical_id),
        step.resource_type,
        paint(Role::Quiet, id),
        paint(Role::Quiet, note)
    )?;
    match &step.action {
        Action::Create { .. } => {
            for (name, value) in step.desired.iter().filter_map(Value::as_object).flatten() {
                if says_nothing(value) {
                    continue;
                }
                let value = if step.secret.contains(name) { Value::from(SENSITIVE) } else { shown(value) };
                property(out, name, &value)?;
            }
        }
        Action::Adopt { changes } | Action::Update { changes } | Action::Replace { changes, .. } => {
            for change in changes {
                let forces = forces(&step.action, change);
                show_change(out, change, step, forces)?;
            }
        }
        Action::Blocked { reason, help } => {
            writeln!(out, "          {reason}")?;
            if let Some(help) = help {
                writeln!(out, "          help: {help}")?;
            }
        }
        Action::None | Action::Delete { .. } | Action::Forget => {}
    }
    writeln!(out)
}

fn forced(forced_by: &[ForcedBy]) -> String {
    let reasons = forced_by.iter().filter_map(|forced| match forced {
        ForcedBy::Property { .. } => None,
        ForcedBy::Parent { logical_id } => Some(format!("goes with `{logical_id}`")),
        ForcedBy::Request => Some("as asked for".to_owned()),
    });
    let reasons: Vec<String> = reasons.collect();
    if reasons.is_empty() { String::new() } else { format!("  # {}", reasons.join(", ")) }
}

fn forces(action: &Action, change: &Explained) -> bool {
    let Action::Replace { forced_by, .. } = action else { return false };
    forced_by.iter().any(|forced| matches!(forced, ForcedBy::Property { path } if path == &change.path))
}

fn gone(why: Gone) -> &'static str {
    match why {
        Gone::NotInTemplate => "not in the template",
        Gone::Replaced => "left behind by a replacement",
        Gone::OtherType => "its name now stands for another type",
        Gone::Destroyed => "the stack is destroyed",
        Gone::MadeByAws => "made by AWS on the side",
        Gone::Unclaimed => "part of the stack's own, and not in the template",
    }
}

/// An empty list or object is how a service says that there is nothing.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// Tags on one line, as people write them: `Owner=me, Environment=dev`. `None` for what is no list of tags.
fn tags(value: &Value) -> Option<String> {
    let pair = |tag: &Value| {
        let fields = tag.as_object().filter(|fields| fields.len() == 2)?;
        Some(format!("{}={}", fields.get("Key")?.as_str()?, fields.get("Value")?.as_str()?))
    };
    let pairs: Option<Vec<String>> = value.as_array()?.iter().map(pair).collect();
    pairs.filter(|pairs| !pairs.is_empty()).map(|pairs| pairs.join(", "))
}

fn property(out: &mut dyn Write, name: &str, value: &Value) -> io::Result<()> {
    if let Some(tags) = tags(value) {
        return writeln!(out, "          {name}: {tags}");
    }
    let line = inline(value);
    if line.len() <= ONE_LINE {
        return writeln!(out, "          {name}: {line}");
    }
    writeln!(out, "          {name}:")?;
    for line in block(value).lines() {
        writeln!(out, "            {line}")?;
    }
    Ok(())
}

fn show_change(out: &mut dyn Write, change: &Explained, step: &Step, forces: bool) -> io::Result<()> {
    let cause = match change.cause {
        Cause::Template => "template",
        Cause::Drift => "drift",
        Cause::Both => "template and drift",
        Cause::Unrecorded => "differs",
    };
    let note = if forces { format!("({cause}, forces replacement)") } else { format!("({cause})") };
    let note = paint(Role::Quiet, note);
    if change.path.property().is_some_and(|property| step.secret.contains(property)) {
        return writeln!(out, "          {}: {SENSITIVE} -> {SENSITIVE}  {note}", change.path);
    }
    let side = |value: &Option<Value>| value.as_ref().map(shown);
    let (live, desired) = (side(&change.live), side(&change.desired));
    let short = |value: &Option<Value>| value.as_ref().map_or_else(|| "(none)".to_owned(), inline);
    let line = format!("{} -> {}", short(&live), short(&desired));
    if line.len() <= ONE_LINE && !line.contains('\n') {
        return writeln!(out, "          {}: {line}  {note}", change.path);
    }
    writeln!(out, "          {}:  {note}", change.path)?;
    let text = |value: &Option<Value>| value.as_ref().map(block).unwrap_or_default();
    let (live, desired) = (text(&live), text(&desired));
    let diff = TextDiff::from_lines(&live, &desired);
    for group in diff.grouped_ops(2) {
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let (sign, role) = match change.tag() {
                ChangeTag::Insert => ("+", Role::Created),
                ChangeTag::Delete => ("-", Role::Deleted),
                ChangeTag::Equal => (" ", Role::Quiet),
            };
            writeln!(out, "            {}", paint(role, format!("{sign} {}", change.value().trim_end())))?;
        }
    }
    Ok(())
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// A value on as many lines as it needs, each ended.
fn block(value: &Value) -> String {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(parsed @ (Value::Object(_) | Value::Array(_))) => format!("{parsed:#}\n"),
            _ => format!("{text}\n"),
        },
        value => format!("{value:#}\n"),
    }
}

pub fn report(out: &mut dyn Write, report: &Report, command: &str) -> io::Result<()> {
    let done = report.done.len();
    if done + report.failed.len() + report.skipped.len() == 0 {
        return Ok(());
    }
    if report.is_complete() {
        return writeln!(out, "\n{command} is complete: {} done.", count(done, "task"));
    }
    writeln!(
        out,
        "\n{} done, {} failed, {} not started.\n",
        count(done, "task"),
        report.failed.len(),
        report.skipped.len()
    )?;
    for failure in &report.failed {
        writeln!(out, "  {} {}: {}", paint(Role::Blocked, "failed:"), failure.task.logical_id, failure.error)?;
        if let Some(way_out) = failure.way_out {
            writeln!(out, "          help: {way_out}")?;
        }
    }
    for task in &report.skipped {
        writeln!(out, "  not started: {}", task.logical_id)?;
    }
    if report.is_interrupted {
        writeln!(out, "\nThe run was interrupted. What was started was finished and is remembered.")?;
    }
    writeln!(out, "Everything that is done stays done. Run `paystack {command}` again: it goes on from here.")
}

/// What a second look found after everything was deleted.
pub fn left(out: &mut dyn Write, left: &Plan) -> io::Result<()> {
    if left.is_empty() && left.problems.is_empty() {
        return writeln!(out, "Nothing of the stack `{}` is left.", left.stack);
    }
    writeln!(out, "\nThis is left of the stack `{}`:", left.stack)?;
    for problem in &left.problems {
        writeln!(out, "  {problem}")?;
    }
    for step in left.steps.iter().filter(|step| !matches!(step.action, Action::None)) {
        let id = step.physical_id.as_ref().map(ToString::to_string).unwrap_or_default();
        writeln!(out, "  {}  {}  {id}", step.logical_id, step.resource_type)?;
        if let Action::Blocked { reason, .. } = &step.action {
            writeln!(out, "    {reason}")?;
        }
    }
    writeln!(out, "Run `paystack destroy` again to delete it.")
}

pub fn outputs(out: &mut dyn Write, outputs: &BTreeMap<String, Value>) -> io::Result<()> {
    let width = outputs.keys().map(String::len).max().unwrap_or_default();
    for (name, value) in outputs {
        writeln!(out, "{name:width$} = {}", inline(&shown(value)))?;
    }
    Ok(())
}

/// How much was asked of AWS, quietly: `3 calls to AWS (sqs 2, iam 1), 1 of them repeated`.
pub fn calls(out: &mut dyn Write, calls: &Calls) -> io::Result<()> {
    let services: Vec<_> = calls.by_service().into_iter().map(|(name, count)| format!("{name} {count}")).collect();
    let mut line = format!("{} to AWS", count(calls.attempts(), "call"));
    if !services.is_empty() {
        line.push_str(&format!(" ({})", services.join(", ")));
    }
    if calls.retries() > 0 {
        line.push_str(&format!(", {} of them repeated", calls.retries()));
    }
    writeln!(out, "{}", paint(Role::Quiet, line))
}

/// `1 task`, `2 tasks`.
pub fn count(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A time that has passed, short.
pub fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds / 1_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        assert_eq!([duration(12), duration(1_250), duration(61_000)], ["12 ms", "1.2 s", "1 min 1 s"]);
    }
}
