//! Everything that is shown. A view takes finished data and a place to write; text and JSON show one value.

mod brief;
mod capacity;
mod evidence;
pub mod graph;
mod html;
pub(crate) mod json;
mod markdown;
mod operate;
mod palette;
pub(crate) mod progress;
mod remarks;
mod state;
pub(crate) mod text;
pub(crate) mod timing;
mod trace;
mod values;
pub(crate) mod words;

use std::collections::BTreeMap;
use std::io;

use serde_json::Value;

use crate::apply::Report as ApplyReport;
use crate::apply::bound::Bound;
use crate::apply::chronicle::Timing;
use crate::aws::calls::Calls;
use crate::aws::operate::{Found, Invocation, LogEvent};
use crate::budget::Foreseen;
use crate::capacity::Capacity;
use crate::cli::World;
use crate::cli::arguments::{Format, GraphFormat, PlanFormat};
use crate::cli::named::Declared;
use crate::cli::view::graph::Picture;
use crate::deployer;
use crate::diagnostic::{self, Source, Style};
use crate::evidence::{Comparison, Report};
use crate::grants::Fit;
use crate::plan::residue::Residue;
use crate::plan::{Drift, Plan};
use crate::policy::{self, Finding};
use crate::smoke::Smoked;
use crate::state::{Ledger, Shown, ShownRecord};

pub use progress::{Progress, TICK, Terminal};
pub use text::Detail;
pub use trace::trace;
pub use words::count;

/// Shows a plan; `detail` is for text, all else has everything.
pub fn plan(world: &mut World, plan: &Plan, format: PlanFormat, detail: Detail) -> io::Result<()> {
    match format {
        PlanFormat::Text => text::plan(&mut world.out, plan, detail),
        PlanFormat::Json => json::write(&mut world.out, &json::plan(plan)),
        PlanFormat::Markdown => markdown::plan(&mut world.out, plan, detail),
        PlanFormat::Html => html::plan(&mut world.out, plan, &graph::svg(&Picture::of_plan(plan, None))),
    }
}

/// A plan that is all that was asked for, what it took, and what it and carrying it out were foreseen to take.
pub struct Planned<'a> {
    pub plan: &'a Plan,
    pub calls: &'a Calls,
    pub foreseen: &'a Foreseen,
}

/// Shows a plan that is all that was asked for.
pub fn planned(world: &mut World, planned: &Planned<'_>, format: PlanFormat, detail: Detail) -> io::Result<()> {
    let Planned { plan, calls, foreseen } = *planned;
    match format {
        PlanFormat::Text | PlanFormat::Markdown | PlanFormat::Html => {
            self::plan(world, plan, format, detail)?;
            text::calls(&mut world.err, calls)?;
            text::takes(&mut world.err, &foreseen.applying)
        }
        PlanFormat::Json => {
            let mut shown = json::with_calls(json::plan(plan), calls);
            shown["foreseen"] = serde_json::json!(foreseen);
            json::write(&mut world.out, &shown)
        }
    }
}

/// Shows the rules that a template breaks though nothing is refused for them, and those that it is let off.
pub fn broken_rules(world: &mut World, findings: &[Finding], source: &Source) -> io::Result<()> {
    let style = if world.is_coloured { Style::Coloured } else { Style::Plain };
    let drawn = diagnostic::render(&policy::diagnostics(findings), source, style);
    if !drawn.is_empty() {
        writeln!(world.err, "{}", drawn.trim_end())?;
    }
    text::let_pass(&mut world.err, findings)
}

/// Shows what somebody else did.
pub fn drift(world: &mut World, drift: &Drift, format: PlanFormat) -> io::Result<()> {
    match format {
        PlanFormat::Text => text::drift(&mut world.out, drift),
        PlanFormat::Json => json::write(&mut world.out, &json::drift(drift)),
        PlanFormat::Markdown => markdown::drift(&mut world.out, drift),
        PlanFormat::Html => html::drift(&mut world.out, drift),
    }
}

/// Says that what somebody else did is accepted; in JSON the drift itself has said it.
pub fn accepted(world: &mut World, drift: &Drift, format: Format) -> io::Result<()> {
    match format {
        Format::Text => text::accepted(&mut world.out, drift),
        Format::Json => Ok(()),
    }
}

/// Shows a plan that is about to be carried out, or is blocked. In JSON the former is a part of what is shown at the end.
pub fn proposed(world: &mut World, plan: &Plan, foreseen: &Foreseen, format: Format, detail: Detail) -> io::Result<()> {
    match format {
        Format::Text => {
            text::plan(&mut world.out, plan, detail)?;
            text::takes(&mut world.err, &foreseen.applying)
        }
        Format::Json if plan.blocked().next().is_some() => json::write_line(&mut world.out, &json::blocked(plan)),
        Format::Json => Ok(()),
    }
}

/// What there is to show at the end of a run.
pub struct Ended<'a> {
    pub plan: &'a Plan,
    pub report: &'a ApplyReport,
    pub timing: Timing,
    pub calls: Calls,
    pub foreseen: &'a Foreseen,
    /// The least time that the run could have taken.
    pub bound: Bound,
}

/// Shows what an apply did, the outputs, and what it took.
pub fn applied(
    world: &mut World,
    ended: &Ended<'_>,
    outputs: &BTreeMap<String, Value>,
    format: Format,
) -> io::Result<()> {
    match format {
        Format::Text => {
            text::report(&mut world.out, ended.report, &ended.timing, "apply")?;
            if ended.report.is_complete() && !outputs.is_empty() {
                writeln!(world.out, "\nOutputs:\n")?;
                text::outputs(&mut world.out, outputs)?;
            }
            timing::timing(&mut world.err, &ended.timing)?;
            timing::least(&mut world.err, &ended.timing, &ended.bound)?;
            text::calls(&mut world.err, &ended.calls)
        }
        Format::Json => json::write_line(&mut world.out, &json::applied(ended, outputs)),
    }
}

/// Says that a destroy goes on watching; in JSON nothing is told on the way.
pub fn watching(world: &mut World, seconds: u16, format: Format) -> io::Result<()> {
    match format {
        Format::Text => text::watching(&mut world.out, seconds),
        Format::Json => Ok(()),
    }
}

/// Shows what a destroy did, what is left, what is otherwise in the account, and what it took.
pub fn destroyed(
    world: &mut World,
    ended: &Ended<'_>,
    left: Option<&Plan>,
    residue: Option<&Residue>,
    format: Format,
) -> io::Result<()> {
    match format {
        Format::Text => {
            text::report(&mut world.out, ended.report, &ended.timing, "destroy")?;
            if let Some(left) = left {
                text::left(&mut world.out, left)?;
            }
            if let Some(residue) = residue {
                text::residue(&mut world.out, residue)?;
            }
            timing::timing(&mut world.err, &ended.timing)?;
            timing::least(&mut world.err, &ended.timing, &ended.bound)?;
            text::calls(&mut world.err, &ended.calls)
        }
        Format::Json => json::write_line(&mut world.out, &json::destroyed(ended, left, residue)),
    }
}

/// Shows what is remembered of a stack.
pub fn remembered(world: &mut World, ledger: &Shown<'_>, format: Format) -> io::Result<()> {
    match format {
        Format::Text => state::list(&mut world.out, ledger),
        Format::Json => json::write(&mut world.out, &state::list_json(ledger)),
    }
}

/// Shows what is remembered of one resource.
pub fn record(world: &mut World, ledger: &Ledger, record: &ShownRecord, format: Format) -> io::Result<()> {
    match format {
        Format::Text => state::record(&mut world.out, record),
        Format::Json => json::write(&mut world.out, &state::record_json("resource", ledger, record)),
    }
}

/// Says what is remembered no longer, and what that means.
pub fn forgotten(world: &mut World, ledger: &Ledger, record: &ShownRecord, format: Format) -> io::Result<()> {
    match format {
        Format::Text => state::forgotten(&mut world.out, record),
        Format::Json => json::write(&mut world.out, &state::record_json("forgotten", ledger, record)),
    }
}

/// Shows the runs that are remembered.
pub fn history(world: &mut World, ledger: &Shown<'_>, format: Format) -> io::Result<()> {
    match format {
        Format::Text => state::history(&mut world.out, ledger),
        Format::Json => json::write(&mut world.out, &state::history_json(ledger)),
    }
}

/// Shows all outputs.
pub fn outputs(world: &mut World, outputs: &BTreeMap<String, Value>, format: Format) -> io::Result<()> {
    match format {
        Format::Text => text::outputs(&mut world.out, outputs),
        Format::Json => json::write(&mut world.out, &json::outputs(outputs)),
    }
}

/// Shows one output: the bare value, for scripts.
pub fn output(world: &mut World, value: &Value, format: Format) -> io::Result<()> {
    match (format, value) {
        (Format::Text, Value::String(text)) => writeln!(world.out, "{}", crate::unknown::display(text)),
        (Format::Text | Format::Json, value) => json::write(&mut world.out, &crate::unknown::display_within(value)),
    }
}

/// Says that the next change is waited for.
pub fn watching_files(world: &mut World, paths: usize) -> io::Result<()> {
    writeln!(world.err, "\nWaiting for a change in {}. Ctrl-C ends it.", count(paths, "place"))?;
    world.err.flush()
}

/// Shows how far something came, and when.
pub fn smoked(world: &mut World, smoked: &Smoked, format: Format) -> io::Result<()> {
    match format {
        Format::Text => operate::smoked(&mut world.out, smoked),
        Format::Json => json::write(&mut world.out, &json::versioned(smoked)),
    }
}

/// Shows whether roles fit what the functions' code calls.
pub fn fits(world: &mut World, fits: &[Fit], format: Format) -> io::Result<()> {
    match format {
        Format::Text => operate::fits(&mut world.out, fits),
        Format::Json => {
            json::write(&mut world.out, &serde_json::json!({ "version": json::VERSION, "functions": fits }))
        }
    }
}

/// Shows what is evidence for what.
pub fn evidence(world: &mut World, report: &Report, format: PlanFormat) -> io::Result<()> {
    match format {
        PlanFormat::Text => self::evidence::text(&mut world.out, report),
        PlanFormat::Json => json::write(&mut world.out, &json::versioned(report)),
        PlanFormat::Markdown => self::evidence::markdown(&mut world.out, report),
        PlanFormat::Html => self::evidence::html(&mut world.out, report),
    }
}

/// Shows what differs between two reports.
pub fn compared(world: &mut World, comparison: &Comparison, format: PlanFormat) -> io::Result<()> {
    match format {
        PlanFormat::Text => self::evidence::differences(&mut world.out, comparison, "  "),
        PlanFormat::Json => json::write(&mut world.out, &json::versioned(comparison)),
        PlanFormat::Markdown => self::evidence::differences(&mut world.out, comparison, "- "),
        PlanFormat::Html => self::evidence::differences_page(&mut world.out, comparison),
    }
}

/// Shows whether a load is carried.
pub fn capacity(world: &mut World, capacity: &Capacity, format: Format) -> io::Result<()> {
    match format {
        Format::Text => self::capacity::text(&mut world.out, capacity),
        Format::Json => json::write(&mut world.out, &json::versioned(capacity)),
    }
}

/// Shows an IAM policy; one that is too long for a managed policy is said to be.
pub fn policy(world: &mut World, policy: &Value) -> io::Result<()> {
    json::write(&mut world.out, policy)?;
    let length = deployer::length(policy);
    if length > deployer::LONGEST_MANAGED_POLICY {
        let most = deployer::LONGEST_MANAGED_POLICY;
        let parts = deployer::parts(policy).len();
        writeln!(
            world.err,
            "The policy has {length} characters, a managed policy takes {most}: `--part 1` to `--part {parts}` give it in {parts}."
        )?;
    }
    Ok(())
}

/// Shows one event of a log; `writer` is who wrote it.
pub fn log_event(world: &mut World, event: &LogEvent, writer: &str, format: Format) -> io::Result<()> {
    match format {
        Format::Text => operate::log_event(&mut world.out, event, writer),
        Format::Json => operate::log_event_as_json(&mut world.out, event),
    }
}

/// Shows one run of a function: its result on the one side, all else on the other.
pub fn invocation(world: &mut World, invocation: &Invocation, format: Format) -> io::Result<()> {
    match format {
        Format::Text => {
            operate::result(&mut world.out, invocation)?;
            world.out.flush()?;
            operate::invocation(&mut world.err, invocation)
        }
        Format::Json => json::write(&mut world.out, &json::versioned(invocation)),
    }
}

/// Shows the queries that can be run.
pub fn queries(world: &mut World, queries: &[Declared], format: Format) -> io::Result<()> {
    match format {
        Format::Text => operate::queries(&mut world.out, queries),
        Format::Json => json::write(&mut world.out, &operate::queries_as_json(queries)),
    }
}

/// Shows what a query found.
pub fn found(world: &mut World, found: &Found, format: Format) -> io::Result<()> {
    match format {
        Format::Text => {
            operate::found(&mut world.out, found)?;
            operate::found_summary(&mut world.err, found)
        }
        Format::Json => json::write(&mut world.out, &json::versioned(found)),
    }
}

/// Draws a picture.
pub fn picture(world: &mut World, picture: &Picture, format: GraphFormat) -> io::Result<()> {
    let text = match format {
        GraphFormat::Dot => graph::dot(picture),
        GraphFormat::Mermaid => graph::mermaid(picture),
        GraphFormat::Svg => graph::svg(picture),
    };
    world.out.write_all(text.as_bytes())
}
