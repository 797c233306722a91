//! What the AWS in memory calls its things: the ids that AWS invents, the attributes that follow, and what others may say for them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{PERMISSION, scope, strings};
use crate::identity::{PhysicalId, REF, ResourceType};
use crate::resource::{Attributes, Owner, Row};

/// How AWS names what it makes.
pub(super) struct Naming<'a> {
    pub row: &'a Row,
    pub owner: &'a Owner,
    pub properties: &'a Value,
    pub number: u64,
}

impl Naming<'_> {
    pub fn identify(&self) -> (PhysicalId, Attributes) {
        let facts = self.row.facts();
        let predicted = self.row.handler.predict(&scope(), self.properties);
        let known = |name: &str| Some(predicted.get(name).or_else(|| self.properties.get(name))?.as_str()?.to_owned());
        if let ("AWS::IAM::Policy", Some(roles)) = (self.row.handler.resource_type(), self.properties.get("Roles")) {
            let name = known(REF).unwrap_or_default();
            return (PhysicalId::join([name.as_str()].into_iter().chain(strings(roles))), predicted);
        }
        let names = facts.primary_identifier();
        let is_only = names.len() == 1;
        let mut invented = None;
        let parts: Vec<String> = names
            .iter()
            .map(|name| {
                let named = known(name).or_else(|| known(REF).filter(|_| is_only));
                named.unwrap_or_else(|| invented.insert(self.invent(name)).clone())
            })
            .collect();
        let id = PhysicalId::join(parts.iter().map(String::as_str));
        let mut attributes: Attributes = facts
            .attributes()
            .map(|name| {
                let part = names.iter().position(|it| it == name).map(|index| parts[index].clone());
                let text = part.or_else(|| known(name)).unwrap_or_else(|| format!("{name}-of-{id}"));
                (name.to_owned(), Value::String(text))
            })
            .collect();
        let reference = known(REF).or(invented).unwrap_or_else(|| id.to_string());
        attributes.insert(REF.to_owned(), Value::String(reference));
        attributes.extend(predicted);
        (id, attributes)
    }

    fn invent(&self, name: &str) -> String {
        let resource_type = self.row.handler.resource_type();
        let kind = resource_type.rsplit("::").next().unwrap_or_default().to_lowercase();
        match resource_type {
            "AWS::SQS::Queue" => {
                let name = self.properties["QueueName"].as_str().unwrap_or_default();
                format!("https://sqs.us-east-1.amazonaws.com/123456789012/{name}")
            }
            PERMISSION => format!("{}-{}", self.owner.stack, self.owner.resource),
            _ if name.ends_with("Arn") => scope().arn(&kind, &self.number.to_string()),
            _ => format!("{kind}{}", self.number),
        }
    }
}

/// Every text by which others refer to it.
pub(super) fn names(resource_type: &ResourceType, id: &PhysicalId, attributes: &Attributes) -> BTreeSet<String> {
    // A topic's or a queue's plain name may name many things.
    let own = attributes.iter().filter(|(name, _)| !name.ends_with("Name"));
    let mut names: BTreeSet<String> = own.flat_map(|(_, value)| strings(value)).map(str::to_owned).collect();
    if let ("AWS::ApiGateway::Stage", Some([api, stage])) = (resource_type.as_str(), id.parts()) {
        names.insert(format!("arn:aws:apigateway:us-east-1::/restapis/{api}/stages/{stage}"));
    }
    names
}
