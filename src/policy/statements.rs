//! The statements of policy documents, each with its place.

use serde_json::Value;

use crate::property_path::PropertyPath;

/// One statement and where it is.
pub struct Statement<'a> {
    pub at: PropertyPath,
    pub value: &'a Value,
}

/// The statements of a document that is at a path.
pub fn statements<'a>(document: &'a Value, at: &PropertyPath) -> Vec<Statement<'a>> {
    listed(&document["Statement"], &at.key("Statement"))
        .into_iter()
        .map(|(at, value)| Statement { at, value })
        .collect()
}

/// The items of what may be one thing or a list of them, each with its place.
pub fn listed<'a>(value: &'a Value, at: &PropertyPath) -> Vec<(PropertyPath, &'a Value)> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (at.index(index), item)).collect(),
        value => vec![(at.clone(), value)],
    }
}

impl<'a> Statement<'a> {
    pub fn allows(&self) -> bool {
        self.value["Effect"] == "Allow"
    }

    pub fn actions(&self) -> Vec<(PropertyPath, &'a str)> {
        self.texts("Action")
    }

    pub fn resources(&self) -> Vec<(PropertyPath, &'a str)> {
        self.texts("Resource")
    }

    fn texts(&self, key: &str) -> Vec<(PropertyPath, &'a str)> {
        let items = listed(&self.value[key], &self.at.key(key)).into_iter();
        items.filter_map(|(at, value)| Some((at, value.as_str()?))).collect()
    }

    /// Whether it denies what comes without TLS.
    pub fn denies_plain_text(&self) -> bool {
        let condition = &self.value["Condition"]["Bool"]["aws:SecureTransport"];
        let is_false = |value: &Value| *value == false || value == "false";
        self.value["Effect"] == "Deny"
            && listed(condition, &PropertyPath::default()).iter().any(|(_, value)| is_false(value))
    }
}
