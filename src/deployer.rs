//! The IAM policy that whoever deploys a template needs, and no more. Pure: it follows from what the template names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::desired::Desired;
use crate::resource::needs::{NEEDS, Need, Subject};

/// How long a managed policy may be, in characters without white space ("IAM and AWS STS quotas").
pub const LONGEST_MANAGED_POLICY: usize = 6_144;

/// What statements are told apart by: their resources, and to whom a role may be passed.
type Place = (BTreeSet<String>, Option<&'static str>);

/// The policy for planning, applying and destroying what the template has now, under the names that it has now.
pub fn policy(desired: &Desired) -> Value {
    let properties = desired.predicted();
    let mut statements: BTreeMap<Place, BTreeSet<String>> = BTreeMap::new();
    for need in NEEDS {
        let resources = resources(need, desired, &properties);
        if !resources.is_empty() {
            statements.entry((resources, need.passed_to)).or_default().extend(need.actions());
        }
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
    json!({"Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>()})
}

/// How long a policy is, as IAM counts.
pub fn length(policy: &Value) -> usize {
    policy.to_string().chars().filter(|character| !character.is_whitespace()).count()
}

fn resources(
    need: &Need,
    desired: &Desired,
    properties: &BTreeMap<crate::identity::LogicalId, Value>,
) -> BTreeSet<String> {
    let scope = &desired.scope;
    let on = |properties: &Value| (need.on)(&Subject { scope, properties });
    let Some(resource_type) = need.resource_type else { return on(&Value::Null).into_iter().collect() };
    let declared = desired.graph.resources.values().filter(|it| it.resource_type.as_str() == resource_type);
    let resources: BTreeSet<String> =
        declared.flat_map(|it| on(properties.get(&it.logical_id).unwrap_or(&Value::Null))).collect();
    if resources.contains("*") { BTreeSet::from(["*".to_owned()]) } else { resources }
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
