//! The IAM policy that whoever deploys a template needs, and no more. Pure: it follows from what the template names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::aws::actions::actions;
use crate::desired::Desired;
use crate::resource::needs::{Need, Subject, needs};
use crate::state::StateTable;

/// How long a managed policy may be, in characters without white space ("IAM and AWS STS quotas").
pub const LONGEST_MANAGED_POLICY: usize = 6_144;

/// What is allowed, and to whom a role may be passed by it.
type Permission = (String, Option<&'static str>);

/// The policy for planning, applying and destroying what the template has now, under the names that it has now; where ledgers
/// are in a table, with what is done there. Nothing in it is said twice: without any statement, something is refused.
pub fn policy(desired: &Desired, state_table: Option<&StateTable>) -> Value {
    let mut permissions: BTreeMap<Permission, BTreeSet<String>> = BTreeMap::new();
    for need in needs() {
        let resources = resources(need, desired);
        if !resources.is_empty() {
            for action in need.actions() {
                permissions.entry((action, need.passed_to)).or_default().extend(resources.clone());
            }
        }
    }
    if let Some(table) = state_table {
        let scope = &desired.scope;
        let arn =
            format!("arn:{}:dynamodb:{}:{}:table/{}", scope.partition, scope.region, scope.account_id, table.name);
        for action in StateTable::CALLS.iter().flat_map(|call| actions(call)) {
            permissions.entry((action, None)).or_default().insert(arn.clone());
        }
    }
    let mut statements: BTreeMap<(BTreeSet<String>, Option<&str>), BTreeSet<String>> = BTreeMap::new();
    for ((action, passed_to), resources) in permissions {
        statements.entry((without_covered(&resources), passed_to)).or_default().insert(action);
    }
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let statements = statements.into_iter().map(|((resources, passed_to), actions)| {
        let name = name(&resources, passed_to, &actions);
        let count = names.entry(name.clone()).and_modify(|count| *count += 1).or_insert(1);
        let sid = if *count == 1 { name } else { format!("{name}{count}") };
        let mut statement =
            json!({"Sid": sid, "Effect": "Allow", "Action": one_or_all(actions), "Resource": one_or_all(resources)});
        if let Some(service) = passed_to {
            statement["Condition"] = json!({"StringEquals": {"iam:PassedToService": service}});
        }
        statement
    });
    document(statements.collect::<Vec<_>>())
}

/// The resources but for those that another of them stands for, as `topic-*` does for `topic-dev`.
fn without_covered(resources: &BTreeSet<String>) -> BTreeSet<String> {
    let covers = |pattern: &str, resource: &str| {
        let start = pattern.strip_suffix('*').filter(|start| !start.contains('*'));
        pattern != resource && start.is_some_and(|start| resource.starts_with(start))
    };
    resources.iter().filter(|it| !resources.iter().any(|pattern| covers(pattern, it))).cloned().collect()
}

/// How long a policy is, as IAM counts.
pub fn length(policy: &Value) -> usize {
    policy.to_string().chars().filter(|character| !character.is_whitespace()).count()
}

/// The policy as several that each fit into a managed policy, the statements in their order.
pub fn parts(policy: &Value) -> Vec<Value> {
    let mut parts: Vec<Vec<Value>> = Vec::new();
    for statement in policy["Statement"].as_array().into_iter().flatten() {
        let fits = |part: &&mut Vec<Value>| {
            let more: Vec<Value> = part.iter().chain([statement]).cloned().collect();
            length(&document(more)) <= LONGEST_MANAGED_POLICY
        };
        match parts.last_mut().filter(fits) {
            Some(part) => part.push(statement.clone()),
            None => parts.push(vec![statement.clone()]),
        }
    }
    parts.into_iter().map(document).collect()
}

fn document(statements: impl Into<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements.into()})
}

fn resources(need: &Need, desired: &Desired) -> BTreeSet<String> {
    let scope = &desired.scope;
    let on = |properties: &Value| (need.on)(&Subject { scope, properties });
    let Some(resource_type) = need.resource_type else { return on(&Value::Null).into_iter().collect() };
    let declared = desired.graph.resources.values().filter(|it| it.resource_type.as_str() == resource_type);
    declared.flat_map(|it| on(desired.predicted().get(&it.logical_id).map_or(&Value::Null, Arc::as_ref))).collect()
}

/// A statement is named by its service.
fn name(resources: &BTreeSet<String>, passed_to: Option<&str>, actions: &BTreeSet<String>) -> String {
    if passed_to.is_some() {
        return "PassRoles".to_owned();
    }
    if resources.contains("*") {
        return "WithoutResources".to_owned();
    }
    let service = actions.first().and_then(|action| action.split(':').next()).unwrap_or_default();
    let mut letters = service.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn one_or_all(all: BTreeSet<String>) -> Value {
    match Vec::from_iter(all).as_slice() {
        [one] => json!(one),
        all => json!(all),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fake::line::desired;

    const QUEUE: &str = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: orders}}}";

    fn statements(policy: &Value) -> Vec<Value> {
        policy["Statement"].as_array().cloned().unwrap_or_default()
    }

    #[test]
    fn ledgers_in_a_table_need_that_table_and_no_other() {
        let table = StateTable { name: "ledgers".to_owned(), lease: Duration::from_secs(30), tags: BTreeMap::new() };
        let without = statements(&policy(&desired(QUEUE), None));
        let with = statements(&policy(&desired(QUEUE), Some(&table)));
        let more: Vec<&Value> = with.iter().filter(|it| !without.contains(it)).collect();
        let [more] = more.as_slice() else { panic!("one statement more, not {more:?}") };
        let arn = more["Resource"].as_str().expect("one resource");
        assert!(arn.starts_with("arn:aws:dynamodb:") && arn.ends_with(":table/ledgers"), "{arn}");
        assert!(more["Action"].as_array().expect("several actions").contains(&json!("dynamodb:PutItem")), "{more}");
    }

    #[test]
    fn what_one_resource_stands_for_is_not_said_again() {
        let given =
            ["arn:aws:sns:eu-west-1:1:pay-*", "arn:aws:sns:eu-west-1:1:pay-dev", "arn:aws:sns:eu-west-1:1:ship"];
        let kept = without_covered(&given.map(str::to_owned).into());
        assert_eq!(Vec::from_iter(kept), ["arn:aws:sns:eu-west-1:1:pay-*", "arn:aws:sns:eu-west-1:1:ship"]);
    }

    #[test]
    fn a_long_policy_becomes_several_that_together_say_the_same() {
        let statement = |number: usize| json!({"Sid": format!("S{number}"), "Resource": "x".repeat(1_000)});
        let long = document((0..14).map(statement).collect::<Vec<_>>());
        let parts = parts(&long);
        assert_eq!(parts.iter().map(|it| statements(it).len()).collect::<Vec<_>>(), [5, 5, 4]);
        assert!(parts.iter().all(|it| length(it) <= LONGEST_MANAGED_POLICY));
        assert_eq!(parts.iter().flat_map(statements).collect::<Vec<_>>(), statements(&long));
    }
}
