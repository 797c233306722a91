//! Counting calls.

use serde_json::Value;

/// So many times the same.
pub fn times(count: usize, call: &'static str) -> Vec<&'static str> {
    vec![call; count]
}

/// How many items a list has, nothing counting as none.
pub fn length(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

/// The texts in a list.
pub fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
