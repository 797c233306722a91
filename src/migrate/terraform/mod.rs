//! What a state of Terraform's has deployed, in CloudFormation's types and under paystack's identifiers. Pure.
//!
//! Terraform splits what CloudFormation has as one: an integration is a part of its method, an attachment of its role. A part is
//! not looked at: what is live of the whole shows it.

mod state;
mod types;

use std::collections::BTreeSet;

use serde_json::Value;

pub use self::state::{State, StateError, StateOutput, StateResource, parse};
use self::types::{LOCAL_PROVIDERS, PARTS, WHOLES};
use crate::aws::Scope;
use crate::identity::{LogicalId, PhysicalId, ResourceType};
use crate::migrate::names::{Named, logical_ids};

/// A state, sorted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapped {
    pub wholes: Vec<Whole>,
    /// What is a part of a whole: addresses.
    pub parts: Vec<String>,
    /// What is nothing in AWS, such as a random name: addresses.
    pub local: Vec<String>,
    pub unsupported: Vec<Unsupported>,
}

/// A resource of the state that is one in CloudFormation too.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    pub logical_id: LogicalId,
    pub resource_type: ResourceType,
    pub id: PhysicalId,
    pub resource: StateResource,
    /// The resource in the configuration, and those that are its parts: what others depend on.
    pub configurations: BTreeSet<String>,
}

/// Something that cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    pub address: String,
    pub reason: String,
}

/// Sorts the resources of a state, for the account and region that paystack works in.
pub fn map(resources: Vec<StateResource>, scope: &Scope) -> Mapped {
    let mut mapped = Mapped::default();
    let mut wholes: Vec<(StateResource, &'static str, PhysicalId)> = Vec::new();
    let mut configurations: Vec<BTreeSet<String>> = Vec::new();
    let mut parts = Vec::new();
    for resource in resources {
        match sort(&resource, scope) {
            Ok(Sorted::Local) => mapped.local.push(resource.address),
            Ok(Sorted::Part(of)) => parts.push((resource, of)),
            Ok(Sorted::Whole(resource_type, id)) => {
                // The same thing twice is one thing.
                match wholes.iter().position(|(_, known, its)| *known == resource_type && *its == id) {
                    Some(place) => {
                        configurations[place].insert(resource.configuration);
                        mapped.parts.push(resource.address);
                    }
                    None => {
                        configurations.push(BTreeSet::from([resource.configuration.clone()]));
                        wholes.push((resource, resource_type, id));
                    }
                }
            }
            Err(reason) => mapped.unsupported.push(Unsupported { address: resource.address, reason }),
        }
    }
    for (resource, of) in parts {
        let place = |(whole, id): &(&'static str, PhysicalId)| {
            wholes.iter().position(|(_, resource_type, its)| resource_type == whole && its == id)
        };
        if let Some(place) = of.iter().find_map(place) {
            configurations[place].insert(resource.configuration);
            mapped.parts.push(resource.address);
        } else {
            let whole = of.first().map_or("", |(whole, _)| whole);
            let reason = format!("in CloudFormation it is a part of its `{whole}`, which the state does not have");
            mapped.unsupported.push(Unsupported { address: resource.address, reason });
        }
    }
    let named = wholes.iter().map(|(resource, resource_type, _)| Named {
        address: &resource.address,
        name: &resource.name,
        key: resource.key.as_deref(),
        resource_type,
    });
    let logical_ids = logical_ids(&named.collect::<Vec<_>>());
    let whole = |(((resource, resource_type, id), logical_id), configurations)| Whole {
        logical_id,
        resource_type: ResourceType::from(resource_type),
        id,
        resource,
        configurations,
    };
    mapped.wholes = wholes.into_iter().zip(logical_ids).zip(configurations).map(whole).collect();
    mapped
}

impl Mapped {
    /// The addresses of all that is taken over, in order.
    pub fn taken(&self) -> BTreeSet<&str> {
        self.wholes
            .iter()
            .map(|whole| whole.resource.address.as_str())
            .chain(self.parts.iter().map(String::as_str))
            .collect()
    }
}

enum Sorted {
    Whole(&'static str, PhysicalId),
    /// Of which wholes it may be a part.
    Part(Vec<(&'static str, PhysicalId)>),
    Local,
}

fn sort(resource: &StateResource, scope: &Scope) -> Result<Sorted, String> {
    if LOCAL_PROVIDERS.contains(&resource.provider.as_str()) {
        return Ok(Sorted::Local);
    }
    if resource.is_deposed {
        return Err("it is left to be destroyed: `terraform apply` does it".to_owned());
    }
    let identified = |pattern: &str| {
        filled(pattern, &resource.attributes).ok_or_else(|| "the state does not say which one it is".to_owned())
    };
    if let Some(whole) = WHOLES.iter().find(|it| it.terraform == resource.resource_type) {
        is_here(&resource.attributes, scope)?;
        return Ok(Sorted::Whole(whole.cloudformation, identified(whole.id)?));
    }
    if let Some(part) = PARTS.iter().find(|it| it.terraform == resource.resource_type) {
        let of: Result<Vec<_>, _> = part.of.iter().map(|(of, pattern)| Ok((*of, identified(pattern)?))).collect();
        return of.map(Sorted::Part);
    }
    Err(format!("paystack does not handle `{}`", resource.resource_type))
}

/// Whether the ARN among the attributes is one of this account and region. Global services name no region.
fn is_here(attributes: &Value, scope: &Scope) -> Result<(), String> {
    let arn = attributes.get("arn").and_then(Value::as_str).unwrap_or_default();
    let [region, account] = [3, 4].map(|part| arn.split(':').nth(part).unwrap_or_default());
    if !region.is_empty() && region != scope.region {
        return Err(format!("it is in {region}, and this is {}", scope.region));
    }
    if !account.is_empty() && account != scope.account_id {
        return Err(format!("it is in the account {account}, and this is {}", scope.account_id));
    }
    Ok(())
}

/// An identifier from its pattern. `{name}` is an attribute that has to be there, `{:name}` one that follows a colon where it is
/// there, `{name?text}` the text where it is not, and `{name/}` what is behind its last slash. A function is meant by its name.
fn filled(pattern: &str, attributes: &Value) -> Option<PhysicalId> {
    let mut id = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('{') {
        let (field, after) = behind.split_once('}')?;
        id.push_str(before);
        if let Some(field) = field.strip_prefix(':') {
            id.extend(text(field, attributes).map(|text| format!(":{text}")));
        } else if let Some((field, default)) = field.split_once('?') {
            id.push_str(text(field, attributes).unwrap_or(default));
        } else if let Some(field) = field.strip_suffix('/') {
            id.push_str(text(field, attributes)?.rsplit('/').next()?);
        } else {
            id.push_str(text(field, attributes)?);
        }
        rest = after;
    }
    id.push_str(rest);
    Some(PhysicalId::from(id))
}

fn text<'a>(field: &str, attributes: &'a Value) -> Option<&'a str> {
    let text = attributes.get(field)?.as_str().filter(|text| !text.is_empty())?;
    match (field, text.split_once(":function:")) {
        ("function_name", Some((_, name))) => name.split(':').next(),
        _ => Some(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        Scope { account_id: "123456789012".into(), region: "us-east-1".into(), partition: "aws".into() }
    }

    fn mapped(resources: &[(&str, Value)]) -> Mapped {
        let block = |(resource_type, attributes): &(&str, Value)| {
            json!({
                "mode": "managed", "type": resource_type, "name": "it",
                "provider": format!("provider[\"registry.terraform.io/hashicorp/{}\"]", resource_type.split('_').next().unwrap_or("")),
                "instances": [{"attributes": attributes}],
            })
        };
        let blocks: Vec<Value> = resources.iter().map(block).collect();
        let state = parse(&json!({"version": 4, "resources": blocks}).to_string()).expect("it is a state");
        map(state.resources, &scope())
    }

    fn id(resource_type: &str, attributes: Value) -> String {
        mapped(&[(resource_type, attributes)]).wholes[0].id.to_string()
    }

    #[test]
    fn every_whole_is_of_a_type_that_is_handled_and_the_tables_are_in_order() {
        for whole in WHOLES {
            let row = crate::resource::row(&ResourceType::from(whole.cloudformation));
            assert!(row.is_some(), "{}", whole.cloudformation);
        }
        assert!(WHOLES.is_sorted_by_key(|it| it.terraform));
        assert!(PARTS.is_sorted_by_key(|it| it.terraform));
        let of = PARTS.iter().flat_map(|part| part.of.iter().map(|(whole, _)| whole));
        assert!(of.into_iter().all(|whole| WHOLES.iter().any(|it| it.cloudformation == *whole)));
    }

    #[test]
    fn a_resource_is_known_by_its_attributes() {
        let permission =
            json!({"function_name": "arn:aws:lambda:us-east-1:123456789012:function:pay", "statement_id": "Api"});
        assert_eq!(id("aws_lambda_permission", permission), "pay|Api");
        let live = json!({"function_name": "pay", "qualifier": "live", "statement_id": "Api"});
        assert_eq!(id("aws_lambda_permission", live), "pay:live|Api");
        let invokes = json!({"function_name": "pay", "qualifier": ""});
        assert_eq!(id("aws_lambda_function_event_invoke_config", invokes), "pay|$LATEST");
        let documented = json!({"id": "a1/p1", "rest_api_id": "a1"});
        assert_eq!(id("aws_api_gateway_documentation_part", documented), "p1|a1");
        assert_eq!(id("aws_api_gateway_deployment", json!({"id": "d1", "rest_api_id": "a1"})), "d1|a1");
    }

    #[test]
    fn what_terraform_splits_comes_together_and_what_is_not_handled_is_told_all_at_once() {
        let mapped = mapped(&[
            ("aws_iam_role", json!({"name": "worker"})),
            ("aws_iam_role_policy_attachment", json!({"role": "worker", "policy_arn": "arn:aws:iam::aws:policy/Logs"})),
            ("aws_iam_user_policy_attachment", json!({"user": "jo", "policy_arn": "arn:aws:iam::aws:policy/Logs"})),
            ("aws_s3_bucket", json!({"id": "bucket"})),
            ("aws_sqs_queue", json!({"url": "https://q", "arn": "arn:aws:sqs:eu-west-1:123456789012:orders"})),
            ("random_pet", json!({"id": "pet"})),
        ]);
        assert_eq!(
            mapped.taken().into_iter().collect::<Vec<_>>(),
            ["aws_iam_role.it", "aws_iam_role_policy_attachment.it"]
        );
        assert_eq!(mapped.local, ["random_pet.it"]);
        let told: Vec<String> = mapped.unsupported.iter().map(|it| format!("{}: {}", it.address, it.reason)).collect();
        assert_eq!(
            told,
            [
                "aws_s3_bucket.it: paystack does not handle `aws_s3_bucket`",
                "aws_sqs_queue.it: it is in eu-west-1, and this is us-east-1",
                "aws_iam_user_policy_attachment.it: in CloudFormation it is a part of its `AWS::IAM::User`, which the state does \
                 not have",
            ]
        );
    }
}
