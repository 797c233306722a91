//! Text, for people.

mod plan;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::Value;
use similar::ChangeTag;

use crate::apply::chronicle::Timing;
use crate::apply::{Kind, Report, Task, Unremembered};
use crate::aws::calls::Calls;
use crate::budget::Budget;
use crate::cli::view::palette::{Role, paint};
use crate::cli::view::remarks::{self, Remark};
use crate::cli::view::values::{inline, line_by_line, on_one_line};
use crate::cli::view::words::{count, drift_summary, elapsed};
use crate::plan::residue::{Residue, Thing};
use crate::plan::{Action, Drift, Drifted, Happened, Plan, Since};
use crate::policy::Finding;
use crate::property_path::PropertyPath;
use crate::unknown::display_within;
use crate::visible::{on_its_line, visible, visible_within};

pub use plan::{Detail, plan};

/// The rules that a template is let off, and why.
pub fn let_pass(out: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    for finding in findings.iter().filter(|finding| finding.suppressed.is_some()) {
        let Remark { kind, role, text } = remarks::finding(finding);
        writeln!(out, "{} {}", paint(role, format!("{kind}:")), on_its_line(&text))?;
    }
    Ok(())
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

pub fn accepted(out: &mut dyn Write, drift: &Drift) -> io::Result<()> {
    writeln!(
        out,
        "\nAccepted: {} remembered as it is now. AWS was not changed.",
        count(drift.resources.len(), "resource")
    )
}

pub fn report(out: &mut dyn Write, report: &Report, timing: &Timing, command: &str) -> io::Result<()> {
    let done = report.done.len();
    let tasks = done + report.failed.len() + report.skipped.len() + report.unfinished.len();
    if tasks == 0 && report.unremembered.is_none() {
        return Ok(());
    }
    if report.is_complete() {
        for name in &report.came_back {
            writeln!(out, "Late logs brought the log group `{}` back: it was deleted again.", on_its_line(name))?;
        }
        let took = elapsed(timing.total_milliseconds);
        return writeln!(out, "\n{command} is complete: {} in {took}.", done_by_kind(report));
    }
    writeln!(
        out,
        "\n{}, {} failed, {} not started.\n",
        done_by_kind(report),
        report.failed.len(),
        report.skipped.len()
    )?;
    for failure in &report.failed {
        writeln!(out, "  {} {}: {}", paint(Role::Blocked, "failed:"), name(&failure.task), visible(&failure.error))?;
        if let Some(way_out) = &failure.way_out {
            writeln!(out, "          help: {}", visible(way_out))?;
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

/// `3 created, 1 updated, 0 deleted`.
fn done_by_kind(report: &Report) -> String {
    let of = |kind: Kind| report.done.iter().filter(|task| task.kind == kind).count();
    format!("{} created, {} updated, {} deleted", of(Kind::Create), of(Kind::Update), of(Kind::Delete))
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

/// In what an account differs from what it was, and why that may be.
pub fn residue(out: &mut dyn Write, residue: &Residue) -> io::Result<()> {
    let Residue { since, kinds: _, appeared, disappeared } = residue;
    let since = since.strftime("%Y-%m-%d %H:%M UTC");
    if residue.is_empty() {
        return writeln!(out, "What carries no marks is as it was before the first apply ({since}).");
    }
    writeln!(out, "\nSince before the first apply ({since}), of what carries no marks:")?;
    let things = appeared.iter().map(|thing| ("new ", thing)).chain(disappeared.iter().map(|thing| ("gone", thing)));
    for (sign, Thing { kind, name, made_by_aws }) in things {
        let why = made_by_aws.filter(|_| sign == "new ").map(|why| format!(": {why}")).unwrap_or_default();
        writeln!(out, "  {sign}  {kind} {}{why}", on_its_line(name))?;
    }
    writeln!(out, "What AWS makes for all of an account, and what others make or delete meanwhile, stays as it is.")
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
    if calls.waits() > 0 {
        line.push_str(&format!(", {} to see what is waited for", calls.waits()));
    }
    writeln!(out, "{}", paint(Role::Quiet, line))
}

/// What carrying out a plan is going to ask of AWS, quietly; nothing where there is nothing to do.
pub fn takes(out: &mut dyn Write, applying: &Budget) -> io::Result<()> {
    if applying.reads() + applying.writes() == 0 {
        return Ok(());
    }
    let by_service: Vec<_> =
        applying.writes.iter().map(|(name, counts)| format!("{name} {}", counts.values().sum::<usize>())).collect();
    let mut line = format!(
        "Applying it takes {} ({}) and {}, and what there is to wait for",
        count(applying.writes(), "write"),
        by_service.join(", "),
        count(applying.reads(), "read"),
    );
    if !applying.is_exact() {
        let types: Vec<_> = applying.besides.iter().map(|it| it.as_str()).collect();
        line.push_str(&format!("; more for {}", types.join(", ")));
    }
    writeln!(out, "{}", paint(Role::Quiet, line))
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
