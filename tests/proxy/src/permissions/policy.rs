//! What a policy allows: as much of IAM's evaluation as identity-based policies with `Allow` and `Deny` take.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Ask;

/// An identity-based policy.
#[derive(Debug, Clone)]
pub struct Policy(Vec<Statement>);

#[derive(Debug, Clone)]
struct Statement {
    is_deny: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    /// `StringEquals`: any of the values of each key.
    equals: BTreeMap<String, Vec<String>>,
}

impl Policy {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// It has an element whose meaning is not known here: it would be judged wrongly.
    pub fn read(document: &Value) -> Result<Self, String> {
        let statements = document["Statement"].as_array().ok_or("no list of statements")?;
        statements.iter().map(Statement::read).collect::<Result<_, _>>().map(Self)
    }

    /// Explicit denials win, and what nobody allows is denied.
    pub fn allows(&self, ask: &Ask) -> bool {
        let mut about = self.0.iter().filter(|statement| statement.is_about(ask)).peekable();
        about.peek().is_some() && !about.any(|statement| statement.is_deny)
    }
}

impl Statement {
    fn read(value: &Value) -> Result<Self, String> {
        let mut statement =
            Self { is_deny: false, actions: Vec::new(), resources: Vec::new(), equals: BTreeMap::new() };
        for (element, value) in value.as_object().ok_or("a statement is an object")? {
            match (element.as_str(), value) {
                ("Sid", _) => {}
                ("Effect", effect) => statement.is_deny = effect == "Deny",
                ("Action", actions) => statement.actions = texts(actions),
                ("Resource", resources) => statement.resources = texts(resources),
                ("Condition", Value::Object(operators)) => {
                    for (operator, keys) in operators {
                        let ("StringEquals", Some(keys)) = (operator.as_str(), keys.as_object()) else {
                            return Err(format!("the condition `{operator}` is not known"));
                        };
                        statement.equals.extend(keys.iter().map(|(key, values)| (key.clone(), texts(values))));
                    }
                }
                (element, _) => return Err(format!("the element `{element}` is not known")),
            }
        }
        Ok(statement)
    }

    fn is_about(&self, ask: &Ask) -> bool {
        let holds = |(key, values): (&String, &Vec<String>)| {
            key == "iam:PassedToService" && ask.passed_to.is_some_and(|service| values.iter().any(|it| it == service))
        };
        let action = ask.action.to_lowercase();
        self.actions.iter().any(|pattern| is_like(&pattern.to_lowercase(), &action))
            && self.resources.iter().any(|pattern| is_arn_like(pattern, &ask.resource))
            && self.equals.iter().all(holds)
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        value => value.as_str().map(str::to_owned).into_iter().collect(),
    }
}

/// A wildcard stays within one of an ARN's six parts ("IAM JSON policy elements: Resource"). An action that knows no resources
/// is on `*`, which only `*` is like.
fn is_arn_like(pattern: &str, arn: &str) -> bool {
    let (patterns, parts): (Vec<_>, Vec<_>) = (pattern.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
    pattern == "*" || patterns.len() == parts.len() && patterns.iter().zip(parts).all(|(it, part)| is_like(it, part))
}

fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => is_same(pattern, text),
        Some((start, rest)) => {
            let (head, tail) = match text.split_at_checked(start.len()) {
                Some(parts) => parts,
                None => return false,
            };
            let mut ends = tail.char_indices().map(|(index, _)| index).chain([tail.len()]);
            is_same(start, head) && ends.any(|end| is_like(rest, &tail[end..]))
        }
    }
}

fn is_same(pattern: &str, text: &str) -> bool {
    let mut characters = text.chars();
    let is_same = pattern.chars().all(|it| characters.next().is_some_and(|character| it == '?' || it == character));
    is_same && characters.next().is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask(action: &str, resource: &str, passed_to: Option<&'static str>) -> Ask {
        Ask { action: action.to_owned(), resource: resource.to_owned(), passed_to }
    }

    #[test]
    fn action_resource_and_condition_all_have_to_fit() {
        let policy = Policy::read(&json!({"Statement": [
            {"Effect": "Allow", "Action": ["sqs:Create*", "sqs:GetQueue?rl"], "Resource": "arn:aws:sqs:*:1:orders-*"},
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::1:role/pay",
             "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}},
            {"Effect": "Deny", "Action": "sqs:*", "Resource": "arn:aws:sqs:us-east-1:1:orders-archive"},
            {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "arn:aws:sqs:us-east-1:1:*"},
        ]}))
        .expect("a policy");
        let may = |action, resource| policy.allows(&ask(action, resource, None));
        assert!(may("sqs:CreateQueue", "arn:aws:sqs:us-east-1:1:orders-dev"));
        assert!(may("SQS:getqueueUrl", "arn:aws:sqs:us-east-1:1:orders-dev"));
        assert!(!may("sqs:DeleteQueue", "arn:aws:sqs:us-east-1:1:orders-dev"));
        assert!(!may("sqs:CreateQueue", "arn:aws:sqs:us-east-1:2:orders-dev"));
        assert!(!may("sqs:CreateQueue", "arn:aws:sqs:us-east-1:1:orders-archive"), "what is denied is denied");
        assert!(!may("sqs:ListQueues", "*"), "an action without resources is allowed on all or nowhere");
        let pass = |to| policy.allows(&ask("iam:PassRole", "arn:aws:iam::1:role/pay", to));
        assert!(pass(Some("lambda.amazonaws.com")));
        assert!(!pass(Some("ec2.amazonaws.com")) && !pass(None));
    }

    #[test]
    fn a_wildcard_stays_within_its_part_of_an_arn() {
        assert!(!is_arn_like("arn:aws:sqs:*:orders", "arn:aws:sqs:us-east-1:1:orders"));
        assert!(is_arn_like("arn:aws:logs:us-east-1:1:log-group:pay:*", "arn:aws:logs:us-east-1:1:log-group:pay:x:y"));
    }

    #[test]
    fn what_is_not_understood_is_not_judged() {
        for statement in [
            json!({"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"a": "true"}}}),
        ] {
            assert!(Policy::read(&json!({"Statement": [statement]})).is_err());
        }
    }
}
