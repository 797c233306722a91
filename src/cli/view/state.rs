//! What is remembered of a stack: lists and single resources, as text and as JSON.

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cli::view::json::VERSION;
use crate::cli::view::palette::{Role, paint};
use crate::cli::view::values::unfolded;
use crate::cli::view::words::count;
use crate::state::{Ledger, Shown, ShownRecord};
use crate::visible::{on_its_line, visible_within};

pub fn list(out: &mut dyn Write, ledger: &Shown<'_>) -> io::Result<()> {
    if ledger.resources.is_empty() {
        return writeln!(out, "Nothing is remembered of the stack `{}`.", ledger.stack);
    }
    if let Some(place) = ledger.place {
        writeln!(out, "The stack `{}` in {}:", ledger.stack, on_its_line(&place.to_string()))?;
    }
    let names = ledger.resources.iter().map(|record| name(record).len());
    let types = ledger.resources.iter().map(|record| resource_type(record).len());
    let (name_width, type_width) = (names.max().unwrap_or_default(), types.max().unwrap_or_default());
    for record in &ledger.resources {
        let name = paint(Role::Name, format!("{:name_width$}", name(record)));
        writeln!(out, "{name}  {:type_width$}  {}", resource_type(record), stands_for(record))?;
        for id in &record.deposed {
            let id = on_its_line(id.as_str());
            writeln!(out, "{:name_width$}  {:type_width$}  {id} (replaced, to be deleted)", "", "")?;
        }
    }
    Ok(())
}

fn name(record: &ShownRecord) -> Cow<'_, str> {
    on_its_line(record.logical_id.as_str())
}

fn resource_type(record: &ShownRecord) -> Cow<'_, str> {
    on_its_line(record.resource_type.as_str())
}

fn stands_for(record: &ShownRecord) -> String {
    match (&record.physical_id, &record.intended) {
        (Some(id), _) => on_its_line(id.as_str()).into_owned(),
        (None, Some(_)) => "(its creation was begun, and its end is not known)".to_owned(),
        (None, None) => "(nothing)".to_owned(),
    }
}

pub fn list_json(ledger: &Shown<'_>) -> Value {
    let resources = ledger.resources.iter().map(|record| {
        json!({
            "logical_id": record.logical_id,
            "resource_type": record.resource_type,
            "physical_id": record.physical_id,
            "is_intended": record.intended.is_some(),
            "deposed": record.deposed,
        })
    });
    let resources: Vec<Value> = resources.collect();
    json!({
        "version": VERSION, "stack": ledger.stack, "place": ledger.place, "serial": ledger.serial, "resources": resources
    })
}

pub fn record(out: &mut dyn Write, record: &ShownRecord) -> io::Result<()> {
    writeln!(out, "{}  {}  {}", paint(Role::Name, name(record)), resource_type(record), stands_for(record))?;
    for id in &record.deposed {
        writeln!(out, "  replaced, to be deleted: {}", on_its_line(id.as_str()))?;
    }
    if !record.dependencies.is_empty() {
        let names: Vec<_> = record.dependencies.iter().map(|id| on_its_line(id.as_str())).collect();
        writeln!(out, "  depends on: {}", names.join(", "))?;
    }
    for (title, properties) in [("applied last", &record.applied), ("begun to create", &record.intended)] {
        let Some(Value::Object(properties)) = properties.as_ref().map(visible_within) else { continue };
        writeln!(out, "  {title}:")?;
        for line in properties.iter().flat_map(|(name, value)| unfolded(name, value)) {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}

/// One record, under the word for what it is here.
pub fn record_json(what: &str, ledger: &Ledger, record: &ShownRecord) -> Value {
    let mut shown = json!({"version": VERSION, "stack": ledger.stack, "serial": ledger.serial});
    shown[what] = json!(record);
    shown
}

pub fn forgotten(out: &mut dyn Write, record: &ShownRecord) -> io::Result<()> {
    let name = name(record);
    writeln!(out, "Forgotten: {}  {}  {}", paint(Role::Name, &name), resource_type(record), stands_for(record))?;
    for id in &record.deposed {
        let id = on_its_line(id.as_str());
        writeln!(out, "           {id}, which a replacement has left and nobody deletes now")?;
    }
    writeln!(out, "AWS is as it was, and so are its tags.")?;
    writeln!(
        out,
        "While the template declares `{name}`, the next plan finds it again, by its name, its parent or its tags; it cannot say \
         any more whether the template or somebody else has changed it."
    )?;
    writeln!(
        out,
        "Once the template declares it no longer, it stays in AWS until `paystack destroy`, which searches for all that is marked \
         as the stack's."
    )
}

pub fn history(out: &mut dyn Write, ledger: &Shown<'_>) -> io::Result<()> {
    if ledger.history.is_empty() {
        return writeln!(out, "No run is remembered of the stack `{}`.", ledger.stack);
    }
    let width = ledger.history.iter().map(|run| run.command.len()).max().unwrap_or_default();
    for run in ledger.history {
        let done = count(run.done, "task");
        let (command, caller) = (on_its_line(&run.command), on_its_line(&run.caller));
        writeln!(out, "{:.0}  {command:width$}  {done} done, {} failed  {caller}", run.at, run.failed)?;
    }
    Ok(())
}

pub fn history_json(ledger: &Shown<'_>) -> Value {
    json!({"version": VERSION, "stack": ledger.stack, "serial": ledger.serial, "history": ledger.history})
}
