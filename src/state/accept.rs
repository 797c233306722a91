//! Accepting drift: what is live becomes what was applied last, so that the next plan asks the template why it differs.

use serde_json::Value;

use crate::plan::{Drift, Happened};
use crate::property_path::{PathStep, PropertyPath};
use crate::state::Ledger;

impl Ledger {
    /// Remembers what somebody else did as if it had been applied.
    pub fn accept(&mut self, drift: &Drift) {
        for drifted in &drift.resources {
            let Some(mut record) = self.resources.remove(&drifted.logical_id) else { continue };
            match &drifted.what {
                Happened::Deleted => {
                    record.physical_id = None;
                    record.applied = None;
                    if record.deposed.is_empty() {
                        continue;
                    }
                }
                Happened::Changed { changes } => {
                    if let Some(applied) = &mut record.applied {
                        changes.iter().for_each(|since| put(applied, &since.path, since.live.as_ref()));
                    }
                    // What has become a secret since then was kept in the open.
                    let open = &drifted.secret - &record.digested();
                    record.applied = record.applied.map(|applied| self.without_secrets(&applied, &open));
                }
            }
            self.resources.insert(drifted.logical_id.clone(), record);
        }
    }
}

/// Sets what is at a path, or removes it. A path that leads nowhere changes nothing.
fn put(root: &mut Value, path: &PropertyPath, value: Option<&Value>) {
    let Some((last, way)) = path.steps().split_last() else {
        *root = value.cloned().unwrap_or_default();
        return;
    };
    let parent = way.iter().try_fold(root, |value, step| match step {
        PathStep::Key(key) => value.get_mut(key),
        PathStep::Index(index) => value.get_mut(index),
    });
    match (parent, last, value) {
        (Some(Value::Object(fields)), PathStep::Key(key), Some(value)) => {
            fields.insert(key.clone(), value.clone());
        }
        (Some(Value::Object(fields)), PathStep::Key(key), None) => {
            fields.remove(key);
        }
        (Some(Value::Array(items)), PathStep::Index(index), Some(value)) => {
            if let Some(item) = items.get_mut(*index) {
                *item = value.clone();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn after(path: &str, value: Option<Value>) -> Value {
        let mut root = json!({"Delay": 1, "Tags": [{"Key": "a"}]});
        put(&mut root, &path.parse().expect("a path"), value.as_ref());
        root
    }

    #[test]
    fn what_is_live_takes_the_place_of_what_was_applied() {
        assert_eq!(after("Delay", Some(json!(2))), json!({"Delay": 2, "Tags": [{"Key": "a"}]}));
        assert_eq!(after("Delay", None), json!({"Tags": [{"Key": "a"}]}));
        assert_eq!(after("Tags[0].Key", Some(json!("b"))), json!({"Delay": 1, "Tags": [{"Key": "b"}]}));
        assert_eq!(after("Policy", Some(json!({}))), json!({"Delay": 1, "Policy": {}, "Tags": [{"Key": "a"}]}));
    }
}
