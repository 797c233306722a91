//! What an update takes: the changes, and the reading of what has become of the resource.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::apply::Task;
use crate::budget::applying::{inline, length, texts, times};
use crate::budget::reading;
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::plan::Plan;
use crate::resource::lambda::function;

/// `None` for a change whose calls are in none of these tables.
pub fn updating(plan: &Plan, task: &Task, live: &Value, wanted: &Value) -> Option<Vec<&'static str>> {
    let changes = Changes::between(live, wanted);
    if changes.touch("Tags") {
        return None;
    }
    let mut calls = writing(task, &changes, live, wanted)?;
    let id = task.physical_id.as_ref()?;
    calls.extend(reading::of_one(&task.resource_type, id, wanted)?);
    calls.extend(put_there_by_others(plan, task.resource_type.as_str(), id));
    Some(calls)
}

fn writing(task: &Task, changes: &Changes, live: &Value, wanted: &Value) -> Option<Vec<&'static str>> {
    let resource_type = task.resource_type.as_str();
    if let Some((_, calls)) = ALWAYS.iter().find(|(name, _)| *name == resource_type) {
        return Some(calls.to_vec());
    }
    let touches_only = |properties: &[&str]| {
        changes.0.iter().all(|change| change.path.property().is_some_and(|property| properties.contains(&property)))
    };
    let touches = |property: &str| usize::from(changes.touch(property));
    Some(match resource_type {
        "AWS::ApiGateway::RestApi" if touches_only(&["Name", "Description"]) => {
            vec!["apigateway.GetRestApi", "apigateway.UpdateRestApi"]
        }
        "AWS::ApiGateway::UsagePlan" if touches_only(&["UsagePlanName", "Description", "Quota", "Throttle"]) => {
            vec!["apigateway.GetUsagePlan", "apigateway.UpdateUsagePlan"]
        }
        "AWS::IAM::Group" if touches_only(&["ManagedPolicyArns", "Path", "Policies"]) => {
            let [put, delete, attach, detach] =
                ["iam.PutGroupPolicy", "iam.DeleteGroupPolicy", "iam.AttachGroupPolicy", "iam.DetachGroupPolicy"];
            [times(touches("Path"), "iam.UpdateGroup"), holding(changes, live, wanted, [put, delete, attach, detach])]
                .concat()
        }
        "AWS::IAM::InstanceProfile" => {
            let (was, will_be) = (set(texts(&live["Roles"])), set(texts(&wanted["Roles"])));
            [
                vec!["iam.GetInstanceProfile"],
                times(was.difference(&will_be).count(), "iam.RemoveRoleFromInstanceProfile"),
                times(will_be.difference(&was).count(), "iam.AddRoleToInstanceProfile"),
            ]
            .concat()
        }
        "AWS::IAM::Role"
            if touches_only(&[
                "AssumeRolePolicyDocument",
                "Description",
                "ManagedPolicyArns",
                "MaxSessionDuration",
                "Policies",
            ]) =>
        {
            let [put, delete, attach, detach] =
                ["iam.PutRolePolicy", "iam.DeleteRolePolicy", "iam.AttachRolePolicy", "iam.DetachRolePolicy"];
            [
                times(touches("AssumeRolePolicyDocument"), "iam.UpdateAssumeRolePolicy"),
                times(touches("Description").max(touches("MaxSessionDuration")), "iam.UpdateRole"),
                holding(changes, live, wanted, [put, delete, attach, detach]),
            ]
            .concat()
        }
        "AWS::IAM::User" if touches_only(&["Groups", "ManagedPolicyArns", "Path", "Policies"]) => {
            let [put, delete, attach, detach] =
                ["iam.PutUserPolicy", "iam.DeleteUserPolicy", "iam.AttachUserPolicy", "iam.DetachUserPolicy"];
            let (was, will_be) = (set(texts(&live["Groups"])), set(texts(&wanted["Groups"])));
            let joins = touches("Groups") * will_be.len();
            [
                times(touches("Path"), "iam.UpdateUser"),
                holding(changes, live, wanted, [put, delete, attach, detach]),
                times(joins, "iam.AddUserToGroup"),
                times(was.difference(&will_be).count(), "iam.RemoveUserFromGroup"),
            ]
            .concat()
        }
        "AWS::Lambda::Alias" if !changes.touch("ProvisionedConcurrencyConfig") => vec!["lambda.UpdateAlias"],
        "AWS::Lambda::Function" if touches_only(&["Code"]) || touches_only(function::CONFIGURATION) => {
            let update =
                if changes.touch("Code") { "lambda.UpdateFunctionCode" } else { "lambda.UpdateFunctionConfiguration" };
            vec!["lambda.GetFunction", update, "lambda.GetFunction"]
        }
        "AWS::Logs::Destination" if !changes.touch("DestinationPolicy") => vec!["logs.PutDestination"],
        "AWS::Logs::LogGroup" if touches_only(&["RetentionInDays"]) => {
            vec![if wanted["RetentionInDays"].is_null() {
                "logs.DeleteRetentionPolicy"
            } else {
                "logs.PutRetentionPolicy"
            }]
        }
        "AWS::SNS::Topic" if touches_only(&["DisplayName"]) => {
            vec!["sns.GetTopicAttributes", "sns.SetTopicAttributes"]
        }
        "AWS::SNS::TopicPolicy" if touches_only(&["PolicyDocument"]) => {
            let topics = length(&wanted["Topics"]);
            [times(topics, "sns.SetTopicAttributes"), times(topics, "sns.GetTopicAttributes")].concat()
        }
        "AWS::SQS::QueuePolicy" if touches_only(&["PolicyDocument"]) => {
            let queues = length(&wanted["Queues"]);
            [times(queues, "sqs.SetQueueAttributes"), times(queues, "sqs.GetQueueAttributes")].concat()
        }
        _ => return None,
    })
}

/// The types of which every update takes the same calls, whatever it changes; of a wait, the first look.
const ALWAYS: &[(&str, &[&str])] = &[
    ("AWS::ApiGateway::Account", &["apigateway.UpdateAccount"]),
    ("AWS::ApiGateway::ApiKey", &["apigateway.UpdateApiKey"]),
    ("AWS::ApiGateway::Authorizer", &["apigateway.GetAuthorizer", "apigateway.UpdateAuthorizer"]),
    ("AWS::ApiGateway::BasePathMapping", &["apigateway.UpdateBasePathMapping"]),
    ("AWS::ApiGateway::ClientCertificate", &["apigateway.UpdateClientCertificate"]),
    ("AWS::ApiGateway::DocumentationPart", &["apigateway.UpdateDocumentationPart"]),
    ("AWS::ApiGateway::DocumentationVersion", &["apigateway.UpdateDocumentationVersion"]),
    (
        "AWS::ApiGateway::DomainName",
        &[
            "apigateway.GetDomainName",
            "apigateway.UpdateDomainName",
            "apigateway.GetDomainName",
            "apigateway.GetDomainName",
        ],
    ),
    ("AWS::ApiGateway::GatewayResponse", &["apigateway.PutGatewayResponse"]),
    ("AWS::ApiGateway::Model", &["apigateway.UpdateModel"]),
    ("AWS::ApiGateway::RequestValidator", &["apigateway.UpdateRequestValidator"]),
    ("AWS::ApiGateway::Stage", &["apigateway.GetStage", "apigateway.UpdateStage", "apigateway.GetStage"]),
    ("AWS::ApiGateway::VpcLink", &["apigateway.UpdateVpcLink"]),
    ("AWS::CloudWatch::Alarm", &["cloudwatch.PutMetricAlarm"]),
    ("AWS::CloudWatch::AnomalyDetector", &["cloudwatch.PutAnomalyDetector"]),
    ("AWS::CloudWatch::CompositeAlarm", &["cloudwatch.PutCompositeAlarm"]),
    ("AWS::CloudWatch::Dashboard", &["cloudwatch.PutDashboard"]),
    ("AWS::CloudWatch::InsightRule", &["cloudwatch.PutInsightRule"]),
    ("AWS::CloudWatch::MetricStream", &["cloudwatch.PutMetricStream"]),
    ("AWS::IAM::GroupPolicy", &["iam.PutGroupPolicy", "iam.GetGroupPolicy"]),
    ("AWS::IAM::RolePolicy", &["iam.PutRolePolicy", "iam.GetRolePolicy"]),
    ("AWS::IAM::ServiceLinkedRole", &["iam.UpdateRole"]),
    ("AWS::IAM::UserPolicy", &["iam.PutUserPolicy", "iam.GetUserPolicy"]),
    ("AWS::Lambda::CodeSigningConfig", &["lambda.UpdateCodeSigningConfig"]),
    ("AWS::Lambda::EventInvokeConfig", &["lambda.PutFunctionEventInvokeConfig"]),
    (
        "AWS::Lambda::EventSourceMapping",
        &["lambda.GetEventSourceMapping", "lambda.UpdateEventSourceMapping", "lambda.GetEventSourceMapping"],
    ),
    ("AWS::Lambda::Url", &["lambda.UpdateFunctionUrlConfig"]),
    ("AWS::Logs::AccountPolicy", &["logs.PutAccountPolicy"]),
    ("AWS::Logs::LogAnomalyDetector", &["logs.ListTagsForResource", "logs.UpdateLogAnomalyDetector"]),
    ("AWS::Logs::MetricFilter", &["logs.PutMetricFilter"]),
    ("AWS::Logs::QueryDefinition", &["logs.PutQueryDefinition"]),
    ("AWS::Logs::ResourcePolicy", &["logs.PutResourcePolicy"]),
    ("AWS::Logs::SubscriptionFilter", &["logs.PutSubscriptionFilter"]),
    ("AWS::SNS::TopicInlinePolicy", &["sns.SetTopicAttributes", "sns.GetTopicAttributes"]),
    ("AWS::SQS::Queue", &["sqs.SetQueueAttributes", "sqs.GetQueueAttributes"]),
    ("AWS::SQS::QueueInlinePolicy", &["sqs.SetQueueAttributes", "sqs.GetQueueAttributes"]),
    ("AWS::WAFv2::IPSet", &["wafv2.GetIPSet", "wafv2.UpdateIPSet"]),
    ("AWS::WAFv2::LoggingConfiguration", &["wafv2.PutLoggingConfiguration"]),
    ("AWS::WAFv2::RegexPatternSet", &["wafv2.GetRegexPatternSet", "wafv2.UpdateRegexPatternSet"]),
    ("AWS::WAFv2::RuleGroup", &["wafv2.GetRuleGroup", "wafv2.UpdateRuleGroup"]),
    ("AWS::WAFv2::WebACL", &["wafv2.GetWebACL", "wafv2.UpdateWebACL"]),
];

/// The policies of a role, a user or a group: all that are wanted are given again, what is wanted no more is taken off.
fn holding(
    changes: &Changes,
    live: &Value,
    wanted: &Value,
    [put, delete, attach, detach]: [&'static str; 4],
) -> Vec<&'static str> {
    let mut calls = Vec::new();
    if changes.touch("Policies") {
        let (was, will_be) = (set(inline(live)), set(inline(wanted)));
        calls.extend(times(will_be.len(), put));
        calls.extend(times(was.difference(&will_be).count(), delete));
    }
    if changes.touch("ManagedPolicyArns") {
        let (was, will_be) = (set(texts(&live["ManagedPolicyArns"])), set(texts(&wanted["ManagedPolicyArns"])));
        calls.extend(times(will_be.len(), attach));
        calls.extend(times(was.difference(&will_be).count(), detach));
    }
    calls
}

/// The inline policies that other resources of the stack put on a role, a user or a group are read with it.
fn put_there_by_others(plan: &Plan, resource_type: &str, id: &PhysicalId) -> Vec<&'static str> {
    let (one, several, own, call) = match resource_type {
        "AWS::IAM::Group" => ("GroupName", "Groups", "AWS::IAM::GroupPolicy", "iam.GetGroupPolicy"),
        "AWS::IAM::Role" => ("RoleName", "Roles", "AWS::IAM::RolePolicy", "iam.GetRolePolicy"),
        "AWS::IAM::User" => ("UserName", "Users", "AWS::IAM::UserPolicy", "iam.GetUserPolicy"),
        _ => return Vec::new(),
    };
    let is_on_it = |step: &&crate::plan::Step| {
        let Some(live) = &step.live else { return false };
        match step.resource_type.as_str() {
            "AWS::IAM::Policy" => texts(&live.properties[several]).any(|holder| holder == id.as_str()),
            other if other == own => live.properties[one].as_str() == Some(id.as_str()),
            _ => false,
        }
    };
    times(plan.steps.iter().filter(is_on_it).count(), call)
}

fn set<'a>(items: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    items.collect()
}
