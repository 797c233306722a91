//! JSON, for programs. `version` counts incompatible changes of its shape.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::{Value, json};

use crate::aws::calls::Calls;
use crate::cli::view::Ended;
use crate::plan::residue::Residue;
use crate::plan::{Drift, Plan};
use crate::unknown::display_within;
use crate::visible::in_json;

pub const VERSION: u32 = 1;

pub fn write(out: &mut dyn io::Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{}", in_json(&format!("{value:#}")))
}

/// A value among others, each on its line.
pub fn write_line(out: &mut dyn io::Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{}", in_json(&value.to_string()))
}

pub fn plan(plan: &Plan) -> Value {
    let plan = plan.shown();
    json!({
        "version": VERSION,
        "stack": plan.stack,
        "scope": plan.scope,
        "summary": plan.summary(),
        "steps": plan.steps,
        "left_out": plan.left_out.iter().map(|step| &step.logical_id).collect::<Vec<_>>(),
        "problems": plan.problems,
        "remarks": plan.remarks,
    })
}

pub fn drift(drift: &Drift) -> Value {
    versioned(&drift.shown())
}

/// The last line of an apply.
pub fn applied(ended: &Ended<'_>, the_outputs: &BTreeMap<String, Value>) -> Value {
    let mut value = finished(ended);
    value["outputs"] = outputs(the_outputs);
    value
}

/// The last line of a destroy.
pub fn destroyed(ended: &Ended<'_>, left: Option<&Plan>, residue: Option<&Residue>) -> Value {
    let mut value = finished(ended);
    value["left"] = json!(left.map(plan));
    value["account"] = json!(residue);
    value
}

fn finished(ended: &Ended<'_>) -> Value {
    let Ended { plan: the_plan, report, timing, calls, foreseen, bound } = ended;
    let (least, ratio) = (bound.lower_bound(), bound.ratio(timing.total_milliseconds));
    json!({
        "version": VERSION,
        "type": "finished",
        "plan": plan(the_plan),
        "report": report,
        "timing": timing,
        "calls": calls,
        "foreseen": foreseen,
        "bound": { "parts": bound, "lower_bound_milliseconds": least, "ratio": ratio },
    })
}

/// The only line of a run that does not begin.
pub fn blocked(the_plan: &Plan) -> Value {
    json!({ "version": VERSION, "type": "blocked", "plan": plan(the_plan) })
}

/// A value as it is, with the version of its shape.
pub fn versioned(shown: &impl Serialize) -> Value {
    let mut value = json!(shown);
    value["version"] = VERSION.into();
    value
}

/// What a command shows, with what it took: attempts and retries by service and operation.
pub fn with_calls(mut shown: Value, calls: &Calls) -> Value {
    shown["calls"] = json!(calls);
    shown
}

pub fn outputs(outputs: &BTreeMap<String, Value>) -> Value {
    outputs.iter().map(|(name, value)| (name.clone(), display_within(value))).collect()
}
