//! What only AWS can say, before it has said it: an unknown inside a plain JSON value.
//!
//! An unknown is a string that names the attribute it stands for, between two [`MARK`]s: a character that the template
//! parser refuses, so that no value of a user's can be mistaken for one. It lives anywhere a string lives, also in the
//! middle of one (`Fn::Sub`), which keeps values plain `serde_json::Value`s that every function can compare.

use serde_json::Value;

use crate::identity::LogicalId;

/// Opens and closes an unknown. U+0001; the parser refuses it in templates and parameters.
pub const MARK: char = '\u{1}';

/// The unknown that stands for an attribute of a resource.
pub fn attribute(logical_id: &LogicalId, attribute: &str) -> String {
    format!("{MARK}{logical_id}.{attribute}{MARK}")
}

/// The unknown that stands for something that no resource gives: the account before AWS was asked for it.
pub fn named(name: &str) -> String {
    format!("{MARK}{name}{MARK}")
}

/// Whether a text has an unknown in it.
pub fn is_in(text: &str) -> bool {
    text.contains(MARK)
}

/// Whether a value has an unknown anywhere in it.
pub fn is_within(value: &Value) -> bool {
    match value {
        Value::String(text) => is_in(text),
        Value::Array(items) => items.iter().any(is_within),
        Value::Object(fields) => fields.iter().any(|(key, value)| is_in(key) || is_within(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The text as people are shown it: each unknown as `(known after apply)`, or as `${Api.RestApiId}` within a longer text.
pub fn display(text: &str) -> String {
    let pieces: Vec<&str> = text.split(MARK).collect();
    if let ["", _, ""] = pieces[..] {
        return "(known after apply)".to_owned();
    }
    pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| if index % 2 == 1 { format!("${{{piece}}}") } else { (*piece).to_owned() })
        .collect()
}

/// A value with every text in it as people are shown it.
pub fn display_within(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(display(text)),
        Value::Array(items) => items.iter().map(display_within).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), display_within(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_is_shown_as_such_alone_and_by_name_within_a_text() {
        let unknown = attribute(&LogicalId::from("Api"), "RestApiId");
        assert_eq!(display(&unknown), "(known after apply)");
        assert_eq!(display(&format!("arn:{unknown}/*")), "arn:${Api.RestApiId}/*");
        assert_eq!(display("plain"), "plain");
    }

    #[test]
    fn an_unknown_is_found_at_any_depth() {
        let value = serde_json::json!({"a": [{"b": format!("x{}", named("AccountId"))}]});
        assert!(is_within(&value));
        assert!(!is_within(&serde_json::json!({"a": ["b"]})));
    }
}
