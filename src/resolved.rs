//! A resolved template as it is judged before AWS is asked: every resource with its defaults, and who refers to whom. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::desired::Desired;
use crate::diagnostic::Span;
use crate::identity::{LogicalId, REF};
use crate::property_path::PropertyPath;
use crate::resource::{Attributes, Resource, row};
use crate::template::{DesiredResource, Part};
use crate::unknown::{self, MARK};

/// Every resource that a template wants.
pub struct Resolved<'a> {
    pub desired: &'a Desired,
    resources: BTreeMap<&'a LogicalId, Judged>,
}

struct Judged {
    /// With every default filled in.
    properties: Arc<Value>,
    /// As the template says it, evaluated.
    declared: Value,
    attributes: Arc<Attributes>,
}

/// One resource.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    resource: &'a DesiredResource,
    pub properties: &'a Value,
    pub declared: &'a Value,
    attributes: &'a Attributes,
}

impl<'a> Resolved<'a> {
    pub fn new(desired: &'a Desired) -> Self {
        let known = |id: &LogicalId, name: &str| desired.predicted_attributes(id)?.get(name).cloned();
        let judged = desired.graph.resources.iter().map(|(id, resource)| {
            let declared = desired.graph.evaluate(&resource.properties, &known).unwrap_or(Value::Null);
            let judged = Judged {
                properties: desired.predicted().get(id).cloned().unwrap_or_else(|| Arc::new(declared.clone())),
                declared,
                attributes: desired.predicted_attributes(id).cloned().unwrap_or_default(),
            };
            (id, judged)
        });
        Self { desired, resources: judged.collect() }
    }

    /// Every resource, in the order of the template.
    pub fn subjects(&self) -> impl Iterator<Item = Subject<'_>> {
        self.desired.graph.resources.values().filter_map(|resource| {
            let Judged { properties, declared, attributes } = self.resources.get(&resource.logical_id)?;
            Some(Subject { resource, properties, declared, attributes })
        })
    }

    pub fn of_type(&self, resource_type: &str) -> impl Iterator<Item = Subject<'_>> {
        self.subjects().filter(move |subject| subject.resource_type() == resource_type)
    }
}

impl<'a> Subject<'a> {
    pub fn id(&self) -> &'a LogicalId {
        &self.resource.logical_id
    }

    pub fn resource_type(&self) -> &'a str {
        self.resource.resource_type.as_str()
    }

    pub fn metadata(&self) -> &'a Value {
        &self.resource.metadata
    }

    /// What `Fn::GetAtt` gives, where it follows from the template.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes.get(name)?.as_str()
    }

    /// Whether a text stands for this resource: something that `Ref` or `Fn::GetAtt` gives of it.
    pub fn is_named_by(&self, text: &str) -> bool {
        let is_unknown = || {
            let inner = text.strip_prefix(MARK).and_then(|text| text.strip_suffix(MARK));
            inner.and_then(|inner| inner.split_once('.')).is_some_and(|(id, _)| id == self.id().as_str())
        };
        is_unknown() || self.attributes.values().any(|value| value.as_str() == Some(text))
    }

    /// Whether a text names it anywhere in it.
    pub fn is_named_in(&self, text: &str) -> bool {
        let reference = unknown::attribute(self.id(), REF);
        text.contains(&reference)
            || self.attributes.get(REF).and_then(Value::as_str).is_some_and(|it| text.contains(it))
    }

    /// Whether any text of a list, or a lone text, stands for this resource.
    pub fn is_among(&self, texts: &Value) -> bool {
        match texts {
            Value::String(text) => self.is_named_by(text),
            Value::Array(items) => items.iter().any(|item| self.is_among(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        }
    }

    /// The name by which the service tells it from others of the account, where it has one.
    pub fn name(&self) -> Option<(&'static str, &'a str)> {
        let property = name_property(row(&self.resource.resource_type)?.handler)?;
        Some((property, self.properties[property].as_str()?))
    }

    /// Where in the template it is said, or where it should be.
    pub fn place(&self, path: &PropertyPath) -> Span {
        let is_said =
            path.steps().first().is_some_and(|step| self.resource.properties.at(std::slice::from_ref(step)).is_some());
        if is_said { self.resource.properties.span_at(path.steps(), Part::Value) } else { self.resource.span }
    }
}

/// The property that holds a resource's name in its account. A domain's name is the internet's.
fn name_property(handler: &dyn Resource) -> Option<&'static str> {
    match handler.resource_type() {
        // Their names need not be unique, but are what people look for.
        "AWS::ApiGateway::RestApi" | "AWS::ApiGateway::VpcLink" | "AWS::Logs::QueryDefinition" => Some("Name"),
        "AWS::CloudWatch::InsightRule" => Some("RuleName"),
        "AWS::IAM::Policy" | "AWS::Logs::AccountPolicy" | "AWS::Logs::ResourcePolicy" => Some("PolicyName"),
        "AWS::Logs::Destination" => Some("DestinationName"),
        "AWS::Logs::LogAnomalyDetector" => Some("AnomalyDetectorName"),
        // What is within an API or a log group is told apart by that.
        _ if !handler.part_of().is_empty() => None,
        _ => handler.generated_name().map(|name| name.property),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::resource::TYPES;

    #[test]
    fn what_has_no_name_of_its_own_in_an_account_is_a_part_of_something_or_told_apart_by_what_it_joins() {
        let nameless = TYPES.iter().filter(|row| name_property(row.handler).is_none());
        let nameless: Vec<&str> = nameless.map(|row| row.handler.resource_type()).collect();
        expect![[r"
            AWS::ApiGateway::Account
            AWS::ApiGateway::Authorizer
            AWS::ApiGateway::BasePathMapping
            AWS::ApiGateway::ClientCertificate
            AWS::ApiGateway::Deployment
            AWS::ApiGateway::DocumentationPart
            AWS::ApiGateway::DocumentationVersion
            AWS::ApiGateway::DomainName
            AWS::ApiGateway::GatewayResponse
            AWS::ApiGateway::Method
            AWS::ApiGateway::Model
            AWS::ApiGateway::RequestValidator
            AWS::ApiGateway::Resource
            AWS::ApiGateway::Stage
            AWS::ApiGateway::UsagePlanKey
            AWS::CloudWatch::AnomalyDetector
            AWS::IAM::GroupPolicy
            AWS::IAM::RolePolicy
            AWS::IAM::ServiceLinkedRole
            AWS::IAM::UserPolicy
            AWS::IAM::UserToGroupAddition
            AWS::Lambda::Alias
            AWS::Lambda::CodeSigningConfig
            AWS::Lambda::EventInvokeConfig
            AWS::Lambda::EventSourceMapping
            AWS::Lambda::LayerVersionPermission
            AWS::Lambda::Permission
            AWS::Lambda::Url
            AWS::Lambda::Version
            AWS::Logs::LogStream
            AWS::Logs::MetricFilter
            AWS::Logs::SubscriptionFilter
            AWS::SNS::Subscription
            AWS::SNS::TopicInlinePolicy
            AWS::SNS::TopicPolicy
            AWS::SQS::QueueInlinePolicy
            AWS::SQS::QueuePolicy
            AWS::WAFv2::LoggingConfiguration
            AWS::WAFv2::WebACLAssociation"]]
        .assert_eq(&nameless.join("\n"));
    }
}
