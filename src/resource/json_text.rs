//! Properties that CloudFormation takes as an object or as a text of JSON, and services as a text.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Deserialises an object, or a text of JSON that holds one. A text that is no JSON stays the text it is.
///
/// # Errors
///
/// The object does not have the shape of `T`.
pub fn deserialize<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let Some(value) = Option::<Value>::deserialize(deserializer)? else { return Ok(None) };
    let value = match value {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        value => value,
    };
    serde_json::from_value(value).map(Some).map_err(D::Error::custom)
}

/// The text of a property that was deserialised so, as a service takes it; nothing where the template has none.
pub fn written(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// The number in a value that services write as a number or as a text.
///
/// # Errors
///
/// The value is neither.
pub fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64().ok_or_else(|| D::Error::custom("expected a whole number")),
        Value::String(text) => text.parse().map_err(|_| D::Error::custom("expected a whole number")),
        _ => Err(D::Error::custom("expected a whole number")),
    }
}
