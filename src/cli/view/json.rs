//! JSON, for programs. `version` counts incompatible changes of its shape.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Value, json};

use crate::apply::Report;
use crate::plan::Plan;
use crate::unknown::display_within;

const VERSION: u32 = 1;

pub fn write(out: &mut dyn io::Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value:#}")
}

pub fn plan(plan: &Plan) -> Value {
    let plan = plan.shown();
    json!({
        "version": VERSION,
        "stack": plan.stack,
        "scope": plan.scope,
        "summary": plan.summary(),
        "steps": plan.steps,
        "left_out": plan.left_out,
        "problems": plan.problems,
    })
}

pub fn applied(the_plan: &Plan, report: &Report, the_outputs: &BTreeMap<String, Value>) -> Value {
    json!({
        "version": VERSION,
        "plan": plan(the_plan),
        "report": report,
        "outputs": outputs(the_outputs),
    })
}

pub fn destroyed(the_plan: &Plan, report: &Report, left: Option<&Plan>) -> Value {
    json!({ "version": VERSION, "plan": plan(the_plan), "report": report, "left": left.map(plan) })
}

pub fn outputs(outputs: &BTreeMap<String, Value>) -> Value {
    outputs.iter().map(|(name, value)| (name.clone(), display_within(value))).collect()
}
