//! Policy documents in one form, so that documents that mean the same are equal ("Real AWS behaviour", 1.8).

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A policy of a resource or an identity. Written as an object or as a text of JSON; read back as an object whose lists are
/// in order, whose single values are lists, whose accounts are twelve digits and whose conditions are texts. A text that is
/// not JSON, or has an unknown in its shape, stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct PolicyDocument(Value);

/// A role's trust policy: a policy in which the principal `*` is not the same as `{"AWS": "*"}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct TrustPolicy(Value);

impl PolicyDocument {
    pub fn new(document: Value) -> Self {
        Self(canonical(document, Star::IsAnyAccount))
    }

    /// The document as the services take it.
    pub fn to_json(&self) -> String {
        to_json(&self.0)
    }

    pub fn value(&self) -> &Value {
        &self.0
    }
}

impl TrustPolicy {
    pub fn new(document: Value) -> Self {
        Self(canonical(document, Star::IsItself))
    }

    /// The document as IAM takes it.
    pub fn to_json(&self) -> String {
        to_json(&self.0)
    }
}

impl<'de> Deserialize<'de> for PolicyDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::new)
    }
}

impl<'de> Deserialize<'de> for TrustPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::new)
    }
}

/// The document that the first of several targets carries, and all targets that carry the same one. For types that put
/// one document on a list of targets.
pub fn carried(
    targets: impl IntoIterator<Item = (String, Option<PolicyDocument>)>,
) -> Option<(PolicyDocument, BTreeSet<String>)> {
    let carrying: Vec<(String, PolicyDocument)> =
        targets.into_iter().filter_map(|(target, document)| Some((target, document?))).collect();
    let document = carrying.first()?.1.clone();
    let same = carrying.into_iter().filter(|(_, it)| *it == document).map(|(target, _)| target).collect();
    Some((document, same))
}

#[derive(Clone, Copy)]
enum Star {
    IsAnyAccount,
    IsItself,
}

fn to_json(document: &Value) -> String {
    match document {
        Value::String(text) => text.clone(),
        document => document.to_string(),
    }
}

fn canonical(document: Value, star: Star) -> Value {
    let document = match document {
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(document @ Value::Object(_)) => document,
            _ => return Value::String(text),
        },
        document => document,
    };
    let Value::Object(mut fields) = document else { return document };
    if let Some(statements) = fields.remove("Statement") {
        let mut statements: Vec<Value> = listed(statements).into_iter().map(|it| statement(it, star)).collect();
        // Their order follows from their texts, and those from the order of names, which IAM answers in another one.
        statements.iter_mut().for_each(Value::sort_all_objects);
        statements.sort_by_cached_key(Value::to_string);
        fields.insert("Statement".to_owned(), Value::Array(statements));
    }
    Value::Object(fields)
}

fn statement(statement: Value, star: Star) -> Value {
    let Value::Object(fields) = statement else { return statement };
    let canonical = |(key, value): (String, Value)| {
        let value = match key.as_str() {
            "Action" | "NotAction" => sorted(listed(value).into_iter().map(action).collect()),
            "Resource" | "NotResource" => sorted(listed(value)),
            "Principal" | "NotPrincipal" => principal(value, star),
            "Condition" => condition(value),
            _ => value,
        };
        (key, value)
    };
    Value::Object(fields.into_iter().map(canonical).collect())
}

/// `SQS:SendMessage` and `sqs:SendMessage` are one action; the service's part is written small.
fn action(action: Value) -> Value {
    match action.as_str().and_then(|text| text.split_once(':')) {
        Some((service, name)) if !crate::unknown::is_in(service) => {
            Value::String(format!("{}:{name}", service.to_ascii_lowercase()))
        }
        _ => action,
    }
}

fn principal(principal: Value, star: Star) -> Value {
    match (principal, star) {
        (Value::String(text), Star::IsAnyAccount) if text == "*" => {
            Value::Object(Map::from_iter([("AWS".to_owned(), Value::Array(vec![Value::String(text)]))]))
        }
        (Value::Object(kinds), _) => {
            let canonical =
                |(kind, who): (String, Value)| (kind, sorted(listed(who).into_iter().map(account).collect()));
            Value::Object(kinds.into_iter().map(canonical).collect())
        }
        (principal, _) => principal,
    }
}

/// `arn:aws:iam::123456789012:root` is how services write the account `123456789012`.
fn account(who: Value) -> Value {
    let digits = who.as_str().and_then(|arn| {
        let parts: Vec<&str> = arn.split(':').collect();
        match parts[..] {
            ["arn", _, "iam", "", account, "root"] => Some(account.to_owned()),
            _ => None,
        }
    });
    digits.map_or(who, Value::String)
}

fn condition(condition: Value) -> Value {
    let Value::Object(operators) = condition else { return condition };
    let operator = |(operator, keys): (String, Value)| {
        let Value::Object(keys) = keys else { return (operator, keys) };
        let key = |(key, values): (String, Value)| (key, sorted(listed(values).into_iter().map(text).collect()));
        (operator, Value::Object(keys.into_iter().map(key).collect()))
    };
    Value::Object(operators.into_iter().map(operator).collect())
}

fn text(value: Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        value => value,
    }
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        value => vec![value],
    }
}

fn sorted(mut items: Vec<Value>) -> Value {
    items.sort_by_cached_key(Value::to_string);
    items.dedup();
    Value::Array(items)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_that_mean_the_same_are_equal() {
        let written = PolicyDocument::new(json!({
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "SQS:*",
                "Resource": "arn:aws:sqs:us-east-1:123456789012:q",
                "Condition": {"Bool": {"aws:SecureTransport": false}},
            },
        }));
        let answered = PolicyDocument::new(Value::String(
            r#"{"Statement":[{"Action":["sqs:*"],"Principal":{"AWS":"*"},"Effect":"Deny",
                "Condition":{"Bool":{"aws:SecureTransport":"false"}},
                "Resource":["arn:aws:sqs:us-east-1:123456789012:q"]}],"Version":"2012-10-17"}"#
                .to_owned(),
        ));
        assert_eq!(written, answered);
    }

    #[test]
    fn an_account_is_its_root_and_the_order_of_statements_means_nothing() {
        let one = json!({"Statement": [{"Sid": "A", "Principal": {"AWS": "123456789012"}}, {"Sid": "B"}]});
        let other = json!({"Statement": [{"Sid": "B"}, {"Sid": "A", "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}}]});
        assert_eq!(PolicyDocument::new(one), PolicyDocument::new(other));
        let text = |text: &str| PolicyDocument::new(Value::String(text.to_owned()));
        assert_eq!(
            text(r#"{"Statement": [{"Sid": "A", "Action": "sqs:Z"}, {"Sid": "B", "Action": "sqs:Y"}]}"#),
            text(r#"{"Statement": [{"Action": "sqs:Z", "Sid": "A"}, {"Action": "sqs:Y", "Sid": "B"}]}"#)
        );
        assert_eq!(
            text(r#"{"Statement": [{"Sid": "A", "Action": "sqs:Z"}, {"Sid": "B", "Action": "sqs:Y"}]}"#),
            text(r#"{"Statement": [{"Action": "sqs:Z", "Sid": "A"}, {"Sid": "B", "Action": "sqs:Y"}]}"#)
        );
    }

    #[test]
    fn in_a_trust_policy_anybody_is_not_any_account() {
        let anybody = TrustPolicy::new(json!({"Statement": [{"Principal": "*"}]}));
        let any_account = TrustPolicy::new(json!({"Statement": [{"Principal": {"AWS": "*"}}]}));
        assert_ne!(anybody, any_account);
    }

    #[test]
    fn targets_that_carry_another_document_are_told_apart() {
        let allow = PolicyDocument::new(json!({"Statement": [{"Effect": "Allow"}]}));
        let deny = PolicyDocument::new(json!({"Statement": [{"Effect": "Deny"}]}));
        let targets = [("a", Some(&allow)), ("b", None), ("c", Some(&deny)), ("d", Some(&allow))];
        let targets = targets.map(|(target, document)| (target.to_owned(), document.cloned()));
        assert_eq!(carried(targets), Some((allow, BTreeSet::from(["a".to_owned(), "d".to_owned()]))));
        assert_eq!(carried([("a".to_owned(), None)]), None);
    }

    #[test]
    fn a_principal_that_is_gone_is_a_difference() {
        let role = json!({"Statement": [{"Principal": {"AWS": "arn:aws:iam::123456789012:role/x"}}]});
        let ghost = json!({"Statement": [{"Principal": {"AWS": "AROAEXAMPLEID"}}]});
        assert_ne!(PolicyDocument::new(role), PolicyDocument::new(ghost));
    }
}
