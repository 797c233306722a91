//! Logical ids for what another tool has named. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::identity::LogicalId;

/// What is to be named.
pub struct Named<'a> {
    pub address: &'a str,
    pub name: &'a str,
    pub key: Option<&'a str>,
    pub resource_type: &'a str,
}

/// A logical id for each, in the same order: from its name, with its type where the name does not say it; where two would be the
/// same, from the whole address.
pub fn logical_ids(resources: &[Named<'_>]) -> Vec<LogicalId> {
    let short: Vec<String> = resources.iter().map(short).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for id in &short {
        *counts.entry(id).or_default() += 1;
    }
    let wanted =
        resources.iter().zip(&short).map(|(it, id)| if counts[id.as_str()] == 1 { id.clone() } else { long(it) });
    let mut taken = BTreeSet::new();
    wanted.map(|id| free(id, &mut taken)).collect()
}

/// A logical id for something within a resource that has one.
pub fn within(whole: &LogicalId, name: &str, resource_type: &str, taken: &mut BTreeSet<String>) -> LogicalId {
    free(with_type(format!("{whole}{}", words(name)), resource_type), taken)
}

/// `Secret` and the like of what stands behind a logical id.
pub fn parameter(logical_id: &LogicalId, name: &str, taken: &mut BTreeSet<String>) -> String {
    free(format!("{logical_id}{}", words(name)), taken).as_str().to_owned()
}

/// `QueueUrl` of an output `queue_url`.
pub fn output(name: &str, taken: &mut BTreeSet<String>) -> String {
    let name = words(name);
    free(if name.is_empty() { "Output".to_owned() } else { name }, taken).as_str().to_owned()
}

/// Names that say nothing.
const GENERIC: [&str; 6] = ["all", "current", "default", "it", "main", "this"];

fn short(it: &Named<'_>) -> String {
    let name = if GENERIC.contains(&it.name) { String::new() } else { words(it.name) };
    // A place in a count says nothing beside a name, unless it is not the first.
    let key = it.key.filter(|key| *key != "0").map(words).unwrap_or_default();
    with_type(name + &key, it.resource_type)
}

fn long(it: &Named<'_>) -> String {
    let parts = it.address.split(['.', '[', ']', '"']).filter(|part| *part != "module" && !part.starts_with("aws_"));
    with_type(parts.map(words).collect(), it.resource_type)
}

fn with_type(name: String, resource_type: &str) -> String {
    let word = resource_type.rsplit("::").next().unwrap_or_default();
    if name.contains(word) {
        return name;
    }
    // A queue's policy is no `QueueQueuePolicy`.
    let overlap = (1..=word.len()).rev().find(|length| name.ends_with(word.get(..*length).unwrap_or(word)));
    format!("{name}{}", overlap.and_then(|length| word.get(length..)).unwrap_or(word))
}

/// `process-payment` as `ProcessPayment`.
fn words(text: &str) -> String {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric());
    words
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
        })
        .collect()
}

/// The longest name that CloudFormation takes is 255 characters.
fn free(mut id: String, taken: &mut BTreeSet<String>) -> LogicalId {
    id.truncate(240);
    let numbered = (2..).map(|number| format!("{id}{number}"));
    let found = std::iter::once(id.clone()).chain(numbered).find(|id| !taken.contains(id)).unwrap_or_default();
    taken.insert(found.clone());
    LogicalId::from(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(resources: &[(&str, &str, Option<&str>, &str)]) -> Vec<String> {
        let named: Vec<Named<'_>> = resources
            .iter()
            .map(|(address, name, key, resource_type)| Named { address, name, key: *key, resource_type })
            .collect();
        logical_ids(&named).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_logical_id_says_what_something_is_called_and_what_it_is() {
        let ids = ids(&[
            (
                "aws_lambda_function.function[\"process-payment\"]",
                "function",
                Some("process-payment"),
                "AWS::Lambda::Function",
            ),
            ("aws_iam_role.function[\"process-payment\"]", "function", Some("process-payment"), "AWS::IAM::Role"),
            ("aws_sqs_queue.dlq", "dlq", None, "AWS::SQS::Queue"),
            ("aws_sns_topic.this[0]", "this", Some("0"), "AWS::SNS::Topic"),
        ]);
        assert_eq!(ids, ["FunctionProcessPayment", "FunctionProcessPaymentRole", "DlqQueue", "Topic"]);
    }

    #[test]
    fn what_is_within_something_is_called_after_it() {
        let mut taken = BTreeSet::new();
        let mut within = |whole: &str, name, resource_type| {
            within(&LogicalId::from(whole), name, resource_type, &mut taken).as_str().to_owned()
        };
        assert_eq!(within("OrdersQueue", "", "AWS::SQS::QueuePolicy"), "OrdersQueuePolicy");
        assert_eq!(within("ShopRestApi", "POST", "AWS::ApiGateway::Method"), "ShopRestApiPOSTMethod");
        assert_eq!(within("ShopRestApi", "POST", "AWS::ApiGateway::Method"), "ShopRestApiPOSTMethod2");
    }

    #[test]
    fn two_of_one_name_are_told_apart_by_where_they_are() {
        let ids = ids(&[
            ("module.shop[\"dev-1\"].aws_sqs_queue.orders", "orders", None, "AWS::SQS::Queue"),
            ("module.shop[\"dev-2\"].aws_sqs_queue.orders", "orders", None, "AWS::SQS::Queue"),
            ("aws_sqs_queue.a-b", "a-b", None, "AWS::SQS::Queue"),
            ("aws_sqs_queue.a_b", "a_b", None, "AWS::SQS::Queue"),
        ]);
        assert_eq!(ids, ["ShopDev1OrdersQueue", "ShopDev2OrdersQueue", "ABQueue", "ABQueue2"]);
    }
}
