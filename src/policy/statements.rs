//! The statements of policy documents, each with its place. A document may be written as an object, or as a text of JSON.

use std::borrow::Cow;

use serde_json::Value;

use crate::property_path::PropertyPath;
use crate::unknown::MARK;

/// One statement and where it is.
#[derive(Clone)]
pub struct Statement<'a> {
    pub at: PropertyPath,
    pub value: Cow<'a, Value>,
}

/// The statements of a document that is at a path. What is written as a text has its place as a whole.
pub fn statements<'a>(document: &'a Value, at: &PropertyPath) -> Vec<Statement<'a>> {
    if let Some(document) = parsed(document) {
        let statements = listed(&document["Statement"], at).into_iter();
        return statements.map(|(_, value)| Statement { at: at.clone(), value: Cow::Owned(value.clone()) }).collect();
    }
    let statements = listed(&document["Statement"], &at.key("Statement")).into_iter();
    statements.map(|(at, value)| Statement { at, value: Cow::Borrowed(value) }).collect()
}

/// What a text says, with all that is not known yet still in it.
fn parsed(document: &Value) -> Option<Value> {
    let text = document.as_str()?.replace(MARK, "\\u0001");
    serde_json::from_str(&text).ok().filter(Value::is_object)
}

/// The items of what may be one thing or a list of them, each with its place.
pub fn listed<'a>(value: &'a Value, at: &PropertyPath) -> Vec<(PropertyPath, &'a Value)> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (at.index(index), item)).collect(),
        value => vec![(at.clone(), value)],
    }
}

impl Statement<'_> {
    pub fn allows(&self) -> bool {
        self.value["Effect"] == "Allow"
    }

    pub fn actions(&self) -> Vec<(PropertyPath, &str)> {
        self.texts("Action")
    }

    pub fn resources(&self) -> Vec<(PropertyPath, &str)> {
        self.texts("Resource")
    }

    /// Where an element of it is.
    pub fn place(&self, element: &str) -> PropertyPath {
        match self.value {
            Cow::Borrowed(_) => self.at.key(element),
            Cow::Owned(_) => self.at.clone(),
        }
    }

    fn texts(&self, element: &str) -> Vec<(PropertyPath, &str)> {
        let items = listed(&self.value[element], &self.place(element)).into_iter();
        let is_text = matches!(self.value, Cow::Owned(_));
        let at = |at: PropertyPath| if is_text { self.at.clone() } else { at };
        items.filter_map(|(place, value)| Some((at(place), value.as_str()?))).collect()
    }

    /// Whether it denies what comes without TLS.
    pub fn denies_plain_text(&self) -> bool {
        let condition = &self.value["Condition"]["Bool"]["aws:SecureTransport"];
        let is_false = |value: &Value| *value == false || value == "false";
        self.value["Effect"] == "Deny"
            && listed(condition, &PropertyPath::default()).iter().any(|(_, value)| is_false(value))
    }
}

/// Whether a document has a statement that denies what comes without TLS.
pub fn denies_plain_text(document: &Value) -> bool {
    statements(document, &PropertyPath::default()).iter().any(Statement::denies_plain_text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(document: &Value) -> Vec<String> {
        let statements = statements(document, &PropertyPath::of("PolicyDocument"));
        let actions = statements.iter().flat_map(Statement::actions);
        actions.map(|(at, action)| format!("{action} at {at}")).collect()
    }

    #[test]
    fn a_text_of_json_says_what_the_object_says() {
        let document = json!({"Statement": {"Effect": "Allow", "Action": ["sqs:*", "sns:*"], "Resource": "*"}});
        let at = |index: u8| format!("PolicyDocument.Statement.Action[{index}]");
        assert_eq!(said(&document), [format!("sqs:* at {}", at(0)), format!("sns:* at {}", at(1))]);
        let text = json!(document.to_string());
        assert_eq!(said(&text), ["sqs:* at PolicyDocument", "sns:* at PolicyDocument"]);
        let unknown = format!("{{\"Statement\": [{{\"Action\": \"{MARK}Other.Action{MARK}\"}}]}}");
        assert_eq!(said(&json!(unknown)).len(), 1, "what is not known yet is no hindrance");
    }
}
