//! Tables that are being made, changed and deleted, and what is refused and not yet seen meanwhile.

mod beside;
mod rules;
mod states;

use std::sync::Arc;

use serde_json::Value;

use crate::Behaviour;
use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::real::{Named, Pace, edit_json, is_done};

pub fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    [states::all(pace), beside::all(pace), rules::all()].concat()
}

/// The table that a call names, by its name or ARN.
fn table_of(call: &Call) -> Option<Named> {
    if call.service != Service::DynamoDb {
        return None;
    }
    let text = call.text("TableName").or_else(|| call.text("ResourceArn"))?;
    Some((call.account.clone(), text.rsplit('/').next().unwrap_or_default().to_owned()))
}

/// A table that is at work: "Real AWS behaviour" 5.4 knows forty texts after the colon.
fn in_use(call: &Call, detail: &str) -> Response {
    let message = format!("Attempt to change a resource which is still in use: {detail}");
    error(call, 400, "ResourceInUseException", &message)
}

fn invalid(call: &Call, message: &str) -> Response {
    error(call, 400, "ValidationException", message)
}

/// Changes a table's description where the answer shows it.
fn edit_description(call: &Call, answer: &mut Response, edit: impl FnOnce(&mut Value)) {
    match call.operation.as_str() {
        _ if !is_done(answer) => {}
        "DescribeTable" => edit_json(answer, |answer| edit(&mut answer["Table"])),
        "CreateTable" | "UpdateTable" | "DeleteTable" => edit_json(answer, |it| edit(&mut it["TableDescription"])),
        _ => {}
    }
}

/// What an UpdateTable does to indexes: `Create`, `Update` or `Delete`, and the index's name.
fn index_updates(call: &Call) -> Vec<(String, String)> {
    let Some(Value::Array(updates)) = call.input("GlobalSecondaryIndexUpdates") else { return Vec::new() };
    let entries = updates.iter().filter_map(Value::as_object).flatten();
    let name = |action: &Value| action["IndexName"].as_str().unwrap_or_default().to_owned();
    entries.map(|(kind, action)| (kind.clone(), name(action))).collect()
}
