//! Text, for people.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::apply::{Report, Task, Unremembered};
use crate::aws::calls::Calls;
use crate::cli::view::palette::{Role, paint};
use crate::inventory::Gone;
use crate::plan::{Action, Cause, Drift, Drifted, Explained, ForcedBy, Happened, Missing, Order, Plan, Since, Step};
use crate::property_path::PropertyPath;
use crate::unknown::display_within;
use crate::visible::{on_its_line, visible, visible_within};

/// A value that is longer than this stands on lines of its own.
const ONE_LINE: usize = 100;

pub fn plan(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    let plan = &plan.shown().legible();
    let scope = &plan.scope;
    writeln!(out, "Stack `{}` in account {}, {}.\n", plan.stack, scope.account_id, scope.region)?;
    for problem in &plan.problems {
        writeln!(out, "  {} {problem}; the plan may lack something\n", paint(Role::Blocked, "warning:"))?;
    }
    for step in &plan.steps {
        show_step(out, step)?;
    }
    if !plan.left_out.is_empty() {
        writeln!(out, "Left out, as not targeted: {}.", count(plan.left_out.len(), "resource"))?;
    }
    writeln!(out, "{}", summary(plan))
}

/// The plan in one sentence.
pub fn summary(plan: &Plan) -> String {
    if plan.is_empty() {
        return "Nothing to change: AWS is as the template says.".to_owned();
    }
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
    let (sign, role) = match &step.action {
        Action::None => return Ok(()),
        Action::Create { .. } => ("+", Role::Created),
        Action::Adopt { .. } | Action::Update { .. } => ("~", Role::Changed),
        Action::Replace { order: Order::CreateFirst, .. } => ("+/-", Role::Replaced),
        Action::Replace { order: Order::DeleteFirst, .. } => ("-/+", Role::Replaced),
        Action::Delete { .. } => ("-", Role::Deleted),
        Action::Forget => ("-", Role::Quiet),
        Action::Blocked { .. } => ("!", Role::Blocked),
    };
    let note = note(&step.action).map(|note| format!("  # {note}")).unwrap_or_default();
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
                property(out, name, value)?;
            }
        }
        Action::Adopt { changes } | Action::Update { changes } | Action::Replace { changes, .. } => {
            for change in changes {
                show_change(out, change, &step.action)?;
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

/// What there is to say of an action as a whole.
pub fn note(action: &Action) -> Option<String> {
    match action {
        Action::Create { why: Missing::DeletedOutside } => Some("drift: it was deleted outside of paystack".to_owned()),
        Action::Adopt { .. } => Some("taken over".to_owned()),
        Action::Replace { forced_by, .. } => forced(forced_by),
        Action::Delete { why } => Some(gone(*why).to_owned()),
        Action::Forget => Some("no longer there: only the memory of it goes".to_owned()),
        Action::None | Action::Create { why: Missing::New } | Action::Update { .. } | Action::Blocked { .. } => None,
    }
}

fn forced(forced_by: &[ForcedBy]) -> Option<String> {
    let reasons = forced_by.iter().filter_map(|forced| match forced {
        ForcedBy::Property { .. } => None,
        ForcedBy::Parent { logical_id } => Some(format!("goes with `{logical_id}`")),
        ForcedBy::Request => Some("as asked for".to_owned()),
    });
    let reasons: Vec<String> = reasons.collect();
    if reasons.is_empty() { None } else { Some(reasons.join(", ")) }
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
    unfolded(name, value).into_iter().try_for_each(|line| writeln!(out, "          {line}"))
}

/// A property on one line where there is room, else on several; on none where it says nothing.
pub fn unfolded(name: &str, value: &Value) -> Vec<String> {
    if says_nothing(value) {
        return Vec::new();
    }
    if let Some(tags) = tags(value) {
        return vec![format!("{name}: {tags}")];
    }
    let line = inline(value);
    if line.len() <= ONE_LINE && !line.contains('\n') {
        return vec![format!("{name}: {line}")];
    }
    let lines = block(value);
    std::iter::once(format!("{name}:")).chain(lines.lines().map(|line| format!("  {line}"))).collect()
}

fn show_change(out: &mut dyn Write, change: &Explained, action: &Action) -> io::Result<()> {
    let note = format!("  ({})", reason(change, action));
    difference(out, &change.path, change.live.as_ref(), change.desired.as_ref(), &note)
}

/// Why a property changes, and whether that replaces what it belongs to.
pub fn reason(change: &Explained, action: &Action) -> String {
    let cause = match change.cause {
        Cause::Template => "template",
        Cause::Drift => "drift",
        Cause::Both => "template and drift",
        Cause::Replacement => "put back after a replacement",
        Cause::Unrecorded => "differs",
    };
    if forces(action, change) { format!("{cause}, forces replacement") } else { cause.to_owned() }
}

/// One property before and after: on one line where there is room, else line by line.
fn difference(
    out: &mut dyn Write,
    path: &PropertyPath,
    before: Option<&Value>,
    after: Option<&Value>,
    note: &str,
) -> io::Result<()> {
    if let Some(line) = on_one_line(before, after) {
        return writeln!(out, "          {path}: {line}{}", paint(Role::Quiet, note));
    }
    writeln!(out, "          {path}:{}", paint(Role::Quiet, note))?;
    for (tag, line) in line_by_line(before, after) {
        let (sign, role) = match tag {
            ChangeTag::Insert => ("+", Role::Created),
            ChangeTag::Delete => ("-", Role::Deleted),
            ChangeTag::Equal => (" ", Role::Quiet),
        };
        writeln!(out, "            {}", paint(role, format!("{sign} {line}")))?;
    }
    Ok(())
}

/// `before -> after`, where that is short.
pub fn on_one_line(before: Option<&Value>, after: Option<&Value>) -> Option<String> {
    let short = |value: Option<&Value>| value.map_or_else(|| "(none)".to_owned(), inline);
    let line = format!("{} -> {}", short(before), short(after));
    (line.len() <= ONE_LINE && !line.contains('\n')).then_some(line)
}

/// The lines that differ, each with two of its neighbours.
pub fn line_by_line(before: Option<&Value>, after: Option<&Value>) -> Vec<(ChangeTag, String)> {
    let text = |value: Option<&Value>| value.map(block).unwrap_or_default();
    let (before, after) = (text(before), text(after));
    let diff = TextDiff::from_lines(&before, &after);
    let groups = diff.grouped_ops(2);
    let changes = groups.iter().flatten().flat_map(|operation| diff.iter_changes(operation));
    changes.map(|change| (change.tag(), change.value().trim_end().to_owned())).collect()
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

/// What somebody else did since the last apply.
pub fn drift(out: &mut dyn Write, drift: &Drift) -> io::Result<()> {
    let drift = drift.shown().legible();
    let scope = &drift.scope;
    writeln!(out, "Stack `{}` in account {}, {}.\n", drift.stack, scope.account_id, scope.region)?;
    for problem in &drift.problems {
        writeln!(out, "  {} {problem}\n", paint(Role::Blocked, "warning:"))?;
    }
    for Drifted { logical_id, resource_type, physical_id, what, .. } in &drift.resources {
        let (sign, role) = match what {
            Happened::Changed { .. } => ("~", Role::Changed),
            Happened::Deleted => ("-", Role::Deleted),
        };
        let id = paint(Role::Quiet, format!(" [{physical_id}]"));
        writeln!(out, "{:>5} {}  {resource_type}{id}", paint(role, sign), paint(Role::Name, logical_id))?;
        match what {
            Happened::Changed { changes } => {
                for Since { path, applied, live } in changes {
                    difference(out, path, applied.as_ref(), live.as_ref(), "")?;
                }
            }
            Happened::Deleted => writeln!(out, "          it is no longer there")?,
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", drift_summary(&drift))
}

/// The drift in one sentence.
pub fn drift_summary(drift: &Drift) -> String {
    match drift.resources.len() {
        0 => "No drift: what was applied last is still so.".to_owned(),
        drifted => format!("Drift: {} changed since the last apply.", count(drifted, "resource")),
    }
}

pub fn accepted(out: &mut dyn Write, drift: &Drift) -> io::Result<()> {
    writeln!(
        out,
        "\nAccepted: {} remembered as it is now. AWS was not changed.",
        count(drift.resources.len(), "resource")
    )
}

pub fn report(out: &mut dyn Write, report: &Report, command: &str) -> io::Result<()> {
    let done = report.done.len();
    let tasks = done + report.failed.len() + report.skipped.len() + report.unfinished.len();
    if tasks == 0 && report.unremembered.is_none() {
        return Ok(());
    }
    if report.is_complete() {
        for name in &report.came_back {
            writeln!(out, "Late logs brought the log group `{}` back: it was deleted again.", on_its_line(name))?;
        }
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
        writeln!(out, "  {} {}: {}", paint(Role::Blocked, "failed:"), name(&failure.task), visible(&failure.error))?;
        if let Some(way_out) = failure.way_out {
            writeln!(out, "          help: {way_out}")?;
        }
    }
    for task in &report.skipped {
        writeln!(out, "  not started: {}", name(task))?;
    }
    for task in &report.unfinished {
        writeln!(out, "  not finished: {}", name(task))?;
    }
    if let Some(Unremembered { error, way_out }) = &report.unremembered {
        writeln!(out, "\n{} {}", paint(Role::Blocked, "stopped:"), visible(error))?;
        if let Some(way_out) = way_out {
            writeln!(out, "          help: {way_out}")?;
        }
        writeln!(out, "What cannot be remembered is not done: nothing further was started.")?;
    }
    if report.is_interrupted {
        let came_of_it = match report.unfinished.len() {
            0 => "What was started was finished and is remembered.",
            _ => "What was not finished goes on in AWS, or is begun again by the next run.",
        };
        writeln!(out, "\nThe run was interrupted. {came_of_it}")?;
    }
    writeln!(out, "Everything that is done stays done. Run `paystack {command}` again: it goes on from here.")
}

fn name(task: &Task) -> Cow<'_, str> {
    on_its_line(task.logical_id.as_str())
}

/// What a destroy waits for at its end.
pub fn watching(out: &mut dyn Write, seconds: u16) -> io::Result<()> {
    writeln!(
        out,
        "\nWatching for {seconds} s whether late logs of functions and stages bring log groups back (`--watch-logs 0` does \
         not)..."
    )
}

/// What a second look found after everything was deleted.
pub fn left(out: &mut dyn Write, left: &Plan) -> io::Result<()> {
    let left = &left.shown().legible();
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
        writeln!(out, "{name:width$} = {}", inline(&visible_within(&display_within(value))))?;
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
