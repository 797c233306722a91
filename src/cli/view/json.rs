//! JSON, for programs. `version` counts incompatible changes of its shape.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Value, json};

use crate::apply::Report;
use crate::aws::calls::Calls;
use crate::plan::{Plan, Step};
use crate::unknown;

const VERSION: u32 = 1;

pub fn write(out: &mut dyn io::Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value:#}")
}

pub fn plan(plan: &Plan) -> Value {
    json!({
        "version": VERSION,
        "stack": plan.stack,
        "scope": plan.scope,
        "summary": plan.summary(),
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
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

/// What a command shows, with what it took: attempts and retries by service and operation.
pub fn with_calls(mut shown: Value, calls: &Calls) -> Value {
    shown["calls"] = json!(calls);
    shown
}

pub fn outputs(outputs: &BTreeMap<String, Value>) -> Value {
    outputs.iter().map(|(name, value)| (name.clone(), shown(value))).collect()
}

fn step(step: &Step) -> Value {
    let mut value = serde_json::to_value(step).unwrap_or_default();
    if let Some(desired) = value.get_mut("desired").and_then(Value::as_object_mut) {
        for name in &step.secret {
            desired.entry(name.as_str()).and_modify(|value| *value = super::text::SENSITIVE.into());
        }
    }
    if let Some(changes) = value.pointer_mut("/action/changes").and_then(Value::as_array_mut) {
        for change in changes {
            let path = change.get("path").and_then(Value::as_str).unwrap_or_default();
            let property = path.split(['.', '[']).next().unwrap_or_default();
            if step.secret.contains(property) {
                change["live"] = super::text::SENSITIVE.into();
                change["desired"] = super::text::SENSITIVE.into();
            }
        }
    }
    shown(&value)
}

/// A value as it may be shown: what is not known yet says so.
pub fn shown(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(unknown::display(text)),
        Value::Array(items) => items.iter().map(shown).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shown(value))).collect(),
        value => value.clone(),
    }
}
