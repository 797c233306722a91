//! How CloudFormation's physical ids are read: the names in them, and paystack's own identifiers beside them. Pure.
//!
//! For most types both are the same. A part of something has only its own id there, and here its whole's as well. What has no
//! id of AWS's at all there (a policy on a queue, a method) is found by its properties.

use serde_json::Value;

use crate::identity::PhysicalId;

/// The name in a physical id; `None` where there is none in it.
pub fn name(resource_type: &str, physical_id: &str) -> Option<String> {
    let name = match resource_type {
        "AWS::SQS::Queue" | "AWS::IAM::ManagedPolicy" => physical_id.rsplit('/').next(),
        "AWS::SNS::Topic" => physical_id.rsplit(':').next(),
        "AWS::Lambda::LayerVersion" => physical_id.rsplit(':').nth(1),
        "AWS::WAFv2::WebACL" | "AWS::WAFv2::IPSet" | "AWS::WAFv2::RuleGroup" | "AWS::WAFv2::RegexPatternSet" => {
            physical_id.split('|').next()
        }
        // Ids that the service made up.
        "AWS::ApiGateway::ApiKey"
        | "AWS::ApiGateway::ClientCertificate"
        | "AWS::ApiGateway::DocumentationPart"
        | "AWS::ApiGateway::RequestValidator"
        | "AWS::ApiGateway::UsagePlan"
        | "AWS::ApiGateway::VpcLink"
        | "AWS::Logs::QueryDefinition" => None,
        _ => Some(physical_id),
    };
    name.filter(|name| !name.is_empty()).map(str::to_owned)
}

/// paystack's identifier of what CloudFormation knows by a physical id. `None`: it is to be found by its properties.
pub fn ours(resource_type: &str, physical_id: &str, wanted: &Value) -> Option<PhysicalId> {
    let within = |property: &str| {
        let whole = wanted.get(property)?.as_str()?;
        Some(PhysicalId::join([whole, physical_id]))
    };
    match resource_type {
        "AWS::ApiGateway::Authorizer"
        | "AWS::ApiGateway::Model"
        | "AWS::ApiGateway::RequestValidator"
        | "AWS::ApiGateway::Resource"
        | "AWS::ApiGateway::Stage" => within("RestApiId"),
        "AWS::ApiGateway::Deployment" => Some(PhysicalId::join([physical_id, wanted.get("RestApiId")?.as_str()?])),
        "AWS::Lambda::Permission" => within("FunctionName"),
        "AWS::Logs::LogStream" | "AWS::Logs::MetricFilter" | "AWS::Logs::SubscriptionFilter" => within("LogGroupName"),
        "AWS::ApiGateway::Account"
        | "AWS::ApiGateway::BasePathMapping"
        | "AWS::ApiGateway::DocumentationPart"
        | "AWS::ApiGateway::DocumentationVersion"
        | "AWS::ApiGateway::GatewayResponse"
        | "AWS::ApiGateway::Method"
        | "AWS::ApiGateway::UsagePlanKey"
        | "AWS::CloudWatch::AnomalyDetector"
        | "AWS::IAM::GroupPolicy"
        | "AWS::IAM::Policy"
        | "AWS::IAM::RolePolicy"
        | "AWS::IAM::UserPolicy"
        | "AWS::IAM::UserToGroupAddition"
        | "AWS::Lambda::EventInvokeConfig"
        | "AWS::Lambda::Url"
        | "AWS::Logs::AccountPolicy"
        | "AWS::SNS::TopicInlinePolicy"
        | "AWS::SNS::TopicPolicy"
        | "AWS::SQS::QueueInlinePolicy"
        | "AWS::SQS::QueuePolicy"
        | "AWS::WAFv2::WebACLAssociation" => None,
        _ => Some(PhysicalId::from(physical_id)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_found_in_whatever_names_it() {
        let name = |resource_type, id| name(resource_type, id);
        assert_eq!(name("AWS::SNS::Topic", "arn:aws:sns:us-east-1:1:orders").as_deref(), Some("orders"));
        assert_eq!(name("AWS::IAM::ManagedPolicy", "arn:aws:iam::1:policy/p/read").as_deref(), Some("read"));
        let layer = "arn:aws:lambda:us-east-1:1:layer:libraries:3";
        assert_eq!(name("AWS::Lambda::LayerVersion", layer).as_deref(), Some("libraries"));
        assert_eq!(name("AWS::ApiGateway::UsagePlan", "x1y2z3"), None);
    }

    #[test]
    fn a_part_is_known_with_its_whole() {
        let wanted = json!({"RestApiId": "a1b2", "FunctionName": "orders"});
        let ours = |resource_type| ours(resource_type, "it", &wanted).map(|id| id.to_string());
        assert_eq!(ours("AWS::ApiGateway::Resource").as_deref(), Some("a1b2|it"));
        assert_eq!(ours("AWS::ApiGateway::Deployment").as_deref(), Some("it|a1b2"));
        assert_eq!(ours("AWS::Lambda::Permission").as_deref(), Some("orders|it"));
        assert_eq!(ours("AWS::IAM::Policy"), None);
        assert_eq!(ours("AWS::DynamoDB::Table").as_deref(), Some("it"));
    }
}
