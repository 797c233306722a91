//! Taking over what another tool has deployed: which names and identifiers it gave, and a template from what is live. Pure.

pub mod ids;
pub mod names;
pub mod order;
pub mod references;
pub mod terraform;
pub mod written;
#[cfg(test)]
mod written_tests;
pub mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::identity::LogicalId;
use crate::resource::row;
use crate::template::edit::Edit;

use crate::aws::deployed::DeployedResource;

/// The edits that give each resource the name that CloudFormation made up, where the template gives none: what paystack would
/// make up is another one, and a name replaces.
pub fn names(
    resources: &BTreeMap<LogicalId, Value>,
    deployed: &BTreeMap<LogicalId, DeployedResource>,
) -> Vec<(LogicalId, Edit)> {
    let name = |(logical_id, resource): (&LogicalId, &Value)| {
        let DeployedResource { resource_type, physical_id } = deployed.get(logical_id)?;
        let generated = row(resource_type)?.handler.generated_name()?;
        if resource["Properties"].get(generated.property).is_some() {
            return None;
        }
        let text = ids::name(resource_type.as_str(), physical_id)?;
        Some((logical_id.clone(), Edit::Property { name: generated.property.to_owned(), text }))
    };
    resources.iter().filter_map(name).collect()
}

/// The edits that keep CloudFormation from deleting anything when the stack is deleted.
pub fn retained(resources: &BTreeMap<LogicalId, Value>) -> Vec<(LogicalId, Edit)> {
    let retain = |logical_id: &LogicalId| {
        let edit = Edit::Attribute { name: "DeletionPolicy".to_owned(), text: "Retain".to_owned() };
        (logical_id.clone(), edit)
    };
    resources.keys().map(retain).collect()
}

/// The functions and layers whose packages lie in S3, with the property that names them. What is inline stays so.
pub fn packages(resources: &BTreeMap<LogicalId, Value>) -> Vec<(LogicalId, &'static str)> {
    let package = |(logical_id, resource): (&LogicalId, &Value)| {
        let property = match resource["Type"].as_str()? {
            "AWS::Lambda::Function" => "Code",
            "AWS::Lambda::LayerVersion" => "Content",
            _ => return None,
        };
        resource["Properties"][property].get("S3Bucket").map(|_| (logical_id.clone(), property))
    };
    resources.iter().filter_map(package).collect()
}

/// The functions whose code stands in the template.
pub fn inline(resources: &BTreeMap<LogicalId, Value>) -> BTreeSet<LogicalId> {
    let has_code = |resource: &Value| resource["Properties"]["Code"].get("ZipFile").is_some();
    resources.iter().filter(|(_, resource)| has_code(resource)).map(|(logical_id, _)| logical_id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployed(resource_type: &str, physical_id: &str) -> DeployedResource {
        DeployedResource { resource_type: resource_type.into(), physical_id: physical_id.to_owned() }
    }

    #[test]
    fn only_names_that_the_template_does_not_give_are_written_into_it() {
        let resources = BTreeMap::from([
            ("Orders".into(), json!({"Type": "AWS::SQS::Queue"})),
            ("Named".into(), json!({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "named"}})),
            ("Api".into(), json!({"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "orders"}})),
        ]);
        let url = "https://sqs.us-east-1.amazonaws.com/123456789012/shop-Orders-1A2B";
        let deployed = BTreeMap::from([
            ("Orders".into(), deployed("AWS::SQS::Queue", url)),
            ("Named".into(), deployed("AWS::SQS::Queue", "https://sqs.us-east-1.amazonaws.com/123456789012/named")),
            ("Api".into(), deployed("AWS::ApiGateway::RestApi", "a1b2c3")),
        ]);
        let edit = Edit::Property { name: "QueueName".to_owned(), text: "shop-Orders-1A2B".to_owned() };
        assert_eq!(names(&resources, &deployed), [("Orders".into(), edit)]);
    }

    #[test]
    fn what_lies_in_s3_is_fetched_and_what_is_inline_stays() {
        let function = |code: Value| json!({"Type": "AWS::Lambda::Function", "Properties": {"Code": code}});
        let resources = BTreeMap::from([
            ("Run".into(), function(json!({"S3Bucket": "packages", "S3Key": "run.zip"}))),
            ("Inline".into(), function(json!({"ZipFile": "def handler(event, context): pass"}))),
        ]);
        assert_eq!(packages(&resources), [("Run".into(), "Code")]);
    }
}
