//! Everything that is shown. A view takes finished data and a place to write; text and JSON show one value.

pub(crate) mod json;
mod palette;
mod progress;
pub(crate) mod text;

use std::collections::BTreeMap;
use std::io;

use serde_json::Value;

use crate::apply::Report;
use crate::cli::World;
use crate::cli::arguments::Format;
use crate::plan::Plan;

pub use progress::Progress;

/// Shows a plan.
pub fn plan(world: &mut World, plan: &Plan, format: Format) -> io::Result<()> {
    match format {
        Format::Text => text::plan(&mut world.out, plan),
        Format::Json => json::write(&mut world.out, &json::plan(plan)),
    }
}

/// Shows what an apply did, and the outputs.
pub fn applied(
    world: &mut World,
    plan: &Plan,
    report: &Report,
    outputs: &BTreeMap<String, Value>,
    format: Format,
) -> io::Result<()> {
    match format {
        Format::Text => {
            text::report(&mut world.out, report, "apply")?;
            if report.is_complete() && !outputs.is_empty() {
                writeln!(world.out, "\nOutputs:\n")?;
                text::outputs(&mut world.out, outputs)?;
            }
            Ok(())
        }
        Format::Json => json::write(&mut world.out, &json::applied(plan, report, outputs)),
    }
}

/// Shows what a destroy did, and what is left.
pub fn destroyed(
    world: &mut World,
    plan: &Plan,
    report: &Report,
    left: Option<&Plan>,
    format: Format,
) -> io::Result<()> {
    match format {
        Format::Text => {
            text::report(&mut world.out, report, "destroy")?;
            match left {
                Some(left) => text::left(&mut world.out, left),
                None => Ok(()),
            }
        }
        Format::Json => json::write(&mut world.out, &json::destroyed(plan, report, left)),
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
