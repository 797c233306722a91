//! What of a ledger may be seen: all but its salt and the digests of secrets.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::identity::{LogicalId, PhysicalId, ResourceType, StackId};
use crate::state::{Ledger, Place, Record, Run, is_digest};

/// What stands for a secret.
const SENSITIVE: &str = "(sensitive)";

/// A ledger, as people and programs may see it.
#[derive(Debug, Serialize)]
pub struct Shown<'a> {
    pub stack: &'a StackId,
    pub place: Option<&'a Place>,
    /// Counts the writes; 0 where nothing is remembered.
    pub serial: u64,
    pub resources: Vec<ShownRecord>,
    pub history: &'a [Run],
}

/// What is remembered of one resource.
#[derive(Debug, Serialize)]
pub struct ShownRecord {
    pub logical_id: LogicalId,
    pub resource_type: ResourceType,
    pub physical_id: Option<PhysicalId>,
    /// The properties as they were applied last.
    pub applied: Option<Value>,
    /// The properties of a create of which nobody knows what came.
    pub intended: Option<Value>,
    pub dependencies: BTreeSet<LogicalId>,
    /// What a replacement left and still has to delete.
    pub deposed: BTreeSet<PhysicalId>,
}

impl Ledger {
    pub fn shown(&self) -> Shown<'_> {
        let Self {
            version: _,
            stack,
            place,
            serial,
            salt: _,
            is_remembered: _,
            elsewhere: _,
            resources,
            history,
            durations: _,
            before: _,
        } = self;
        let resources = resources.iter().map(|(logical_id, record)| record.shown(logical_id)).collect();
        Shown { stack, place: place.as_ref(), serial: *serial, resources, history }
    }
}

impl Record {
    pub fn shown(&self, logical_id: &LogicalId) -> ShownRecord {
        let Self { resource_type, physical_id, applied, dependencies, intended, deposed } = self;
        ShownRecord {
            logical_id: logical_id.clone(),
            resource_type: resource_type.clone(),
            physical_id: physical_id.clone(),
            applied: applied.as_ref().map(masked),
            intended: intended.as_ref().map(masked),
            dependencies: dependencies.clone(),
            deposed: deposed.clone(),
        }
    }
}

/// A digest of a short secret can be guessed from, wherever its salt is known.
fn masked(properties: &Value) -> Value {
    let Value::Object(fields) = properties else { return properties.clone() };
    let shown = |value: &Value| if is_digest(value) { Value::from(SENSITIVE) } else { value.clone() };
    Value::Object(fields.iter().map(|(name, value)| (name.clone(), shown(value))).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn neither_salt_nor_digest_is_shown() {
        let mut ledger = Ledger::empty("orders-dev".into(), "pepper".to_owned());
        let secret = BTreeSet::from(["Password".to_owned()]);
        let kept = ledger.without_secrets(&json!({"Password": "hunter2", "Name": "orders"}), &secret);
        let record = Record {
            resource_type: "AWS::SQS::Queue".into(),
            physical_id: Some("orders".into()),
            applied: Some(kept.clone()),
            dependencies: BTreeSet::new(),
            intended: Some(kept),
            deposed: BTreeSet::new(),
        };
        ledger.resources.insert("Orders".into(), record);
        let shown = serde_json::to_value(ledger.shown()).expect("plain data");
        let masked = json!({"Password": "(sensitive)", "Name": "orders"});
        assert_eq!((&shown["resources"][0]["applied"], &shown["resources"][0]["intended"]), (&masked, &masked));
        let text = shown.to_string();
        assert!(!text.contains("sha256:") && !text.contains("pepper"), "{text}");
    }
}
