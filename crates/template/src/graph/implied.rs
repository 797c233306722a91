//! The edges that no template writes down and every CloudFormation user has to know by heart, each with its reason. Pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::graph::api_of;
use crate::identity::{ByResource, LogicalId};
use crate::{DesiredGraph, DesiredResource};

/// An edge that follows from the types of its ends.
pub struct ImpliedEdge {
    pub from: LogicalId,
    pub on: LogicalId,
    pub because: &'static str,
}

/// A rule: the type that waits, the types it waits for, by what each of the two is told, and why. One waits for another where
/// the two have a key in common.
struct Rule {
    from: &'static str,
    on: &'static [&'static str],
    because: &'static str,
    from_keys: for<'a> fn(&World<'a>, &'a DesiredResource) -> Keys<'a>,
    on_keys: for<'a> fn(&World<'a>, &'a DesiredResource) -> Keys<'a>,
}

type Keys<'a> = Vec<Cow<'a, str>>;

struct World<'a> {
    graph: &'a DesiredGraph,
    values: &'a ByResource<Arc<Value>>,
}

const RULES: &[Rule] = &[
    Rule {
        from: "AWS::ApiGateway::Deployment",
        on: &[
            "AWS::ApiGateway::Authorizer",
            "AWS::ApiGateway::Method",
            "AWS::ApiGateway::GatewayResponse",
            "AWS::ApiGateway::Model",
            "AWS::ApiGateway::RequestValidator",
            "AWS::ApiGateway::Resource",
        ],
        because: "a deployment is a snapshot: what comes later is not in it",
        from_keys: |world, deployment| world.api(deployment),
        on_keys: |world, part| world.api(part),
    },
    Rule {
        from: "AWS::ApiGateway::Stage",
        on: &["AWS::ApiGateway::Account"],
        because: "a stage that logs is refused until the account has a logging role",
        from_keys: |_, _| anything(),
        on_keys: |_, _| anything(),
    },
    Rule {
        from: "AWS::ApiGateway::DocumentationVersion",
        on: &["AWS::ApiGateway::DocumentationPart"],
        because: "a version of the documentation is a snapshot: what comes later is not in it",
        from_keys: |world, version| world.api(version),
        on_keys: |world, part| world.api(part),
    },
    Rule {
        from: "AWS::ApiGateway::Stage",
        on: &["AWS::ApiGateway::DocumentationVersion"],
        because: "a stage is refused for a version of the documentation that does not exist",
        from_keys: |world, stage| world.documentation(stage),
        on_keys: |world, version| world.documentation(version),
    },
    Rule {
        from: "AWS::ApiGateway::BasePathMapping",
        on: &["AWS::ApiGateway::DomainName"],
        because: "a mapping belongs to a domain",
        from_keys: |world, mapping| world.text(mapping, "DomainName"),
        on_keys: |world, domain| world.text(domain, "DomainName"),
    },
    Rule {
        from: "AWS::ApiGateway::BasePathMapping",
        on: &["AWS::ApiGateway::Stage"],
        because: "a mapping is refused for a stage that does not exist",
        from_keys: |_, mapping| all_referred(mapping),
        on_keys: |world, stage| world.referred(stage, &[REST_API]),
    },
    Rule {
        from: "AWS::ApiGateway::UsagePlan",
        on: &["AWS::ApiGateway::Stage"],
        because: "a usage plan is refused for a stage that does not exist",
        from_keys: |_, plan| all_referred(plan),
        on_keys: |world, stage| world.referred(stage, &[REST_API]),
    },
    Rule {
        from: "AWS::WAFv2::WebACLAssociation",
        on: &["AWS::ApiGateway::Stage"],
        because: "a web ACL is associated with a stage that exists",
        from_keys: |_, association| all_referred(association),
        on_keys: |world, stage| world.referred(stage, &[REST_API]),
    },
    Rule {
        from: FUNCTION,
        on: &["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"],
        because: "a function's role needs its permissions before the function runs",
        from_keys: |world, function| world.referred(function, &["AWS::IAM::Role"]),
        on_keys: |_, policy| all_referred(policy),
    },
    Rule {
        from: FUNCTION,
        on: &["AWS::Logs::LogGroup"],
        because: "a function that runs first makes a log group of its own, without tags and retention",
        from_keys: |world, function| world.log_groups(function),
        on_keys: |world, group| world.text(group, "LogGroupName"),
    },
    Rule {
        from: "AWS::Logs::SubscriptionFilter",
        on: &["AWS::Lambda::Permission"],
        because: "a subscription is refused until its destination permits it",
        from_keys: |world, filter| world.referred(filter, &[FUNCTION]),
        on_keys: |_, permission| all_referred(permission),
    },
    Rule {
        from: "AWS::Logs::SubscriptionFilter",
        on: &["AWS::Logs::LogGroup"],
        because: "a subscription filter belongs to a log group",
        from_keys: |world, filter| world.text(filter, "LogGroupName"),
        on_keys: |world, group| world.text(group, "LogGroupName"),
    },
    Rule {
        from: "AWS::Logs::LogStream",
        on: &["AWS::Logs::LogGroup"],
        because: "a log stream belongs to a log group",
        from_keys: |world, stream| world.text(stream, "LogGroupName"),
        on_keys: |world, group| world.text(group, "LogGroupName"),
    },
    Rule {
        from: "AWS::CloudWatch::CompositeAlarm",
        on: &["AWS::CloudWatch::Alarm"],
        because: "a composite alarm is refused while an alarm of its rule does not exist",
        from_keys: |world, composite| world.named_in_rule(composite),
        on_keys: |world, alarm| world.text(alarm, "AlarmName"),
    },
    Rule {
        from: "AWS::Logs::MetricFilter",
        on: &["AWS::Logs::LogGroup"],
        because: "a metric filter belongs to a log group",
        from_keys: |world, filter| world.text(filter, "LogGroupName"),
        on_keys: |world, group| world.text(group, "LogGroupName"),
    },
    Rule {
        from: "AWS::SNS::Subscription",
        on: &["AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy", "AWS::Lambda::Permission"],
        because: "messages to an endpoint that does not permit them are lost in silence",
        from_keys: |world, subscription| world.referred(subscription, &["AWS::SQS::Queue", FUNCTION]),
        on_keys: |_, policy| all_referred(policy),
    },
];

const FUNCTION: &str = "AWS::Lambda::Function";
const REST_API: &str = "AWS::ApiGateway::RestApi";

/// The edges that follow from the resources' types. `values` are their properties as far as they follow from names.
pub fn implied(graph: &DesiredGraph, values: &ByResource<Arc<Value>>) -> Vec<ImpliedEdge> {
    let mut by_type: BTreeMap<&str, Vec<&DesiredResource>> = BTreeMap::new();
    for resource in graph.resources.values() {
        by_type.entry(resource.resource_type.as_str()).or_default().push(resource);
    }
    let of_type = |name: &str| by_type.get(name).into_iter().flatten().copied();
    let world = World { graph, values };
    let mut edges = Vec::new();
    for rule in RULES.iter().filter(|rule| by_type.contains_key(rule.from)) {
        let targets: Vec<&DesiredResource> = rule.on.iter().flat_map(|name| of_type(name)).collect();
        let mut by_key: BTreeMap<Cow<'_, str>, Vec<usize>> = BTreeMap::new();
        for (place, target) in targets.iter().enumerate() {
            for key in (rule.on_keys)(&world, target) {
                by_key.entry(key).or_default().push(place);
            }
        }
        for from in of_type(rule.from) {
            let keys = (rule.from_keys)(&world, from);
            let places: BTreeSet<usize> = keys.iter().filter_map(|key| by_key.get(key)).flatten().copied().collect();
            edges.extend(places.into_iter().map(|place| ImpliedEdge {
                from: from.logical_id.clone(),
                on: targets[place].logical_id.clone(),
                because: rule.because,
            }));
        }
    }
    edges
}

impl<'a> World<'a> {
    fn value(&self, resource: &DesiredResource, property: &str) -> Option<&'a Value> {
        self.values.get(&resource.logical_id)?.get(property)
    }

    /// A property that is a text.
    fn text(&self, resource: &DesiredResource, property: &str) -> Keys<'a> {
        self.value(resource, property).and_then(Value::as_str).into_iter().map(Cow::from).collect()
    }

    /// The API that a resource is a part of.
    fn api(&self, part: &DesiredResource) -> Keys<'a> {
        match api_of(part) {
            Some(api) => vec![format!("${{{api}}}").into()],
            None => self.text(part, "RestApiId"),
        }
    }

    /// The API, and the version of its documentation.
    fn documentation(&self, resource: &DesiredResource) -> Keys<'a> {
        let versions = self.text(resource, "DocumentationVersion");
        let of_api =
            |api: Cow<'a, str>| versions.iter().map(move |version| format!("{api} {version}").into()).collect();
        self.api(resource).into_iter().flat_map::<Keys<'a>, _>(of_api).collect()
    }

    /// The log groups that a function may write to.
    fn log_groups(&self, function: &DesiredResource) -> Keys<'a> {
        let configured =
            self.value(function, "LoggingConfig").and_then(|it| it.get("LogGroup")).and_then(Value::as_str);
        let usual = self.text(function, "FunctionName").into_iter().map(|name| format!("/aws/lambda/{name}").into());
        usual.chain(configured.map(Cow::from)).collect()
    }

    /// The alarms that the rule of a composite alarm names in its text, which is no reference: `ALARM("a") OR ALARM(b)`.
    fn named_in_rule(&self, composite: &DesiredResource) -> Keys<'a> {
        let rule = self.value(composite, "AlarmRule").and_then(Value::as_str).unwrap_or_default();
        let quoted = rule.split('"').skip(1).step_by(2);
        let bracketed = rule.split('(').filter_map(|after| Some(after.split_once(')')?.0.trim()));
        quoted.chain(bracketed).filter(|name| !name.is_empty()).map(Cow::from).collect()
    }

    /// The resources of these types that a resource refers to.
    fn referred(&self, from: &'a DesiredResource, types: &[&str]) -> Keys<'a> {
        let is_meant = |id: &&LogicalId| {
            self.graph.resources.get(*id).is_some_and(|it| types.contains(&it.resource_type.as_str()))
        };
        from.references.iter().map(|it| &it.resource).filter(is_meant).map(|id| id.as_str().into()).collect()
    }
}

fn all_referred(from: &DesiredResource) -> Keys<'_> {
    from.references.iter().map(|reference| reference.resource.as_str().into()).collect()
}

fn anything<'a>() -> Keys<'a> {
    vec!["".into()]
}
