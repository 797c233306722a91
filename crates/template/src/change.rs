//! What differs between two values of one shape, path by path. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::property_path::PropertyPath;

/// One difference. `None` where a side has nothing there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub path: PropertyPath,
    pub live: Option<Value>,
    pub desired: Option<Value>,
}

/// All differences between what is live and what is desired, in order of path.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Changes(pub Vec<Change>);

impl Changes {
    /// Compares two values in canonical form. Objects are compared field by field; lists item by item where they are equally
    /// long, else as a whole, since an item that moved says nothing to a reader.
    pub fn between(live: &Value, desired: &Value) -> Self {
        let mut changes = Vec::new();
        compare(&PropertyPath::default(), Some(live), Some(desired), &mut changes);
        Self(changes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether anything changes in the top-level property.
    pub fn touch(&self, property: &str) -> bool {
        self.0.iter().any(|change| change.path.property() == Some(property))
    }

    /// Whether anything changes outside of the top-level property.
    pub fn touch_other_than(&self, property: &str) -> bool {
        self.0.iter().any(|change| change.path.property() != Some(property))
    }

    /// Whether nothing changes outside of the top-level properties.
    pub fn touch_only(&self, properties: &[&str]) -> bool {
        self.0.iter().all(|change| change.path.property().is_some_and(|property| properties.contains(&property)))
    }

    /// Whether anything changes in one of the top-level properties.
    pub fn touch_any(&self, properties: &[&str]) -> bool {
        properties.iter().any(|property| self.touch(property))
    }
}

fn compare(path: &PropertyPath, live: Option<&Value>, desired: Option<&Value>, changes: &mut Vec<Change>) {
    match (live, desired) {
        (Some(Value::Object(live)), Some(Value::Object(desired))) => {
            let mut keys: Vec<&String> = live.keys().chain(desired.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                compare(&path.key(key), live.get(key), desired.get(key), changes);
            }
        }
        (Some(Value::Array(live)), Some(Value::Array(desired))) if live.len() == desired.len() => {
            for (index, (live, desired)) in live.iter().zip(desired).enumerate() {
                compare(&path.index(index), Some(live), Some(desired), changes);
            }
        }
        (Some(live), Some(desired)) if same(live, desired) => {}
        (None, None) => {}
        (live, desired) => {
            changes.push(Change { path: path.clone(), live: live.cloned(), desired: desired.cloned() });
        }
    }
}

/// Numbers are equal by value: a service may answer `1.0` where the template says `1`.
fn same(live: &Value, desired: &Value) -> bool {
    match (live, desired) {
        (Value::Number(live), Value::Number(desired)) => live == desired || live.as_f64() == desired.as_f64(),
        (live, desired) => live == desired,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(live: Value, desired: Value) -> Vec<String> {
        Changes::between(&live, &desired).0.iter().map(|change| change.path.to_string()).collect()
    }

    #[test]
    fn a_difference_is_named_by_its_path() {
        let live = json!({"Delay": 0, "Tags": [{"Key": "a", "Value": "1"}], "Same": true});
        let desired = json!({"Delay": 5, "Tags": [{"Key": "a", "Value": "2"}], "Same": true});
        assert_eq!(paths(live, desired), ["Delay", "Tags[0].Value"]);
    }

    #[test]
    fn a_list_of_another_length_differs_as_a_whole() {
        assert_eq!(paths(json!({"Layers": ["a"]}), json!({"Layers": ["a", "b"]})), ["Layers"]);
    }

    #[test]
    fn a_whole_number_equals_its_decimal_form() {
        assert!(Changes::between(&json!({"Threshold": 1.0}), &json!({"Threshold": 1})).is_empty());
    }
}
