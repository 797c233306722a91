//! What an update takes: the changes, and the reading of what has become of the resource.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::apply::Task;
use crate::budget::calls::{length, times};
use crate::budget::{iam, reading};
use crate::change::{Change, Changes};
use crate::plan::Plan;
use crate::resource::lambda::function;
use crate::resource::tags::tags_in;

/// `None` for a change whose calls are in none of these tables.
pub fn updating(plan: &Plan, task: &Task, live: &Value, wanted: &Value) -> Option<Vec<&'static str>> {
    let is_tag = |change: &Change| change.path.property() == Some("Tags");
    let (tags, others): (Vec<Change>, Vec<Change>) = Changes::between(live, wanted).0.into_iter().partition(is_tag);
    let resource_type = task.resource_type.as_str();
    let mut calls = match (others.as_slice(), tags.as_slice()) {
        // What is taken over as it is: some are only marked, each by another call.
        ([], []) => return None,
        ([], _) => ALWAYS_LOOKED_AT.iter().filter(|(name, _)| *name == resource_type).map(|(_, call)| *call).collect(),
        _ => writing(task, &Changes(others), live, wanted)?,
    };
    if !tags.is_empty() {
        calls.extend(tagging(resource_type, live, wanted)?);
    }
    let id = task.physical_id.as_ref()?;
    calls.extend(reading::of_one(&task.resource_type, id, wanted)?);
    calls.extend(iam::put_there_by_others(plan, resource_type, id));
    Some(calls)
}

fn writing(task: &Task, changes: &Changes, live: &Value, wanted: &Value) -> Option<Vec<&'static str>> {
    let resource_type = task.resource_type.as_str();
    if let Some((_, calls)) = ALWAYS.iter().find(|(name, _)| *name == resource_type) {
        return Some(calls.to_vec());
    }
    Some(match resource_type {
        "AWS::ApiGateway::RestApi" if changes.touch_only(&["Name", "Description"]) => {
            vec!["apigateway.GetRestApi", "apigateway.UpdateRestApi"]
        }
        "AWS::ApiGateway::UsagePlan" if changes.touch_only(&["UsagePlanName", "Description", "Quota", "Throttle"]) => {
            vec!["apigateway.GetUsagePlan", "apigateway.UpdateUsagePlan"]
        }
        "AWS::Lambda::Alias" if !changes.touch("ProvisionedConcurrencyConfig") => vec!["lambda.UpdateAlias"],
        "AWS::ApiGateway::Method" if changes.0.iter().all(is_patch_of_method) => {
            vec!["apigateway.GetMethod", "apigateway.UpdateMethod"]
        }
        "AWS::DynamoDB::Table" => set_apart(TABLES_SETTINGS, changes, wanted)?,
        "AWS::Lambda::Function" => of_function(changes, wanted)?,
        "AWS::Logs::Destination" if !changes.touch("DestinationPolicy") => vec!["logs.PutDestination"],
        "AWS::Logs::LogGroup" => set_apart(LOG_GROUPS_SETTINGS, changes, wanted)?,
        "AWS::SNS::Subscription" if task.physical_id.as_ref().is_some_and(|id| id.as_str().starts_with("arn:")) => {
            times(touched(changes).len(), "sns.SetSubscriptionAttributes")
        }
        "AWS::SNS::Topic" if changes.touch_only(&["DisplayName"]) => {
            vec!["sns.GetTopicAttributes", "sns.SetTopicAttributes"]
        }
        "AWS::SNS::TopicPolicy" if changes.touch_only(&["PolicyDocument"]) => {
            let topics = length(&wanted["Topics"]);
            [times(topics, "sns.SetTopicAttributes"), times(topics, "sns.GetTopicAttributes")].concat()
        }
        "AWS::SQS::QueuePolicy" if changes.touch_only(&["PolicyDocument"]) => {
            let queues = length(&wanted["Queues"]);
            [times(queues, "sqs.SetQueueAttributes"), times(queues, "sqs.GetQueueAttributes")].concat()
        }
        _ => return iam::changing(resource_type, changes, live, wanted),
    })
}

/// The top-level properties that change.
fn touched(changes: &Changes) -> BTreeSet<&str> {
    changes.0.iter().filter_map(|change| change.path.property()).collect()
}

/// Whether a change of a method goes into the one patch that comes before all that refers to it.
fn is_patch_of_method(change: &Change) -> bool {
    let is_patched = |property| ["ApiKeyRequired", "AuthorizationType", "OperationName"].contains(&property);
    change.desired.is_some() && change.path.property().is_some_and(is_patched)
}

fn of_function(changes: &Changes, wanted: &Value) -> Option<Vec<&'static str>> {
    let parts: [(&[&str], _); 2] = [
        (function::CONFIGURATION, "lambda.UpdateFunctionConfiguration"),
        (&["Architectures", "Code"], "lambda.UpdateFunctionCode"),
    ];
    let is_part = |change: &Change| {
        change.path.property().is_some_and(|property| parts.iter().any(|(names, _)| names.contains(&property)))
    };
    let others = changes.0.iter().filter(|change| !is_part(change)).cloned().collect();
    let updates = parts.iter().filter(|(names, _)| changes.touch_any(names));
    let mut calls = vec!["lambda.GetFunction"];
    calls.extend(updates.flat_map(|(_, update)| [*update, "lambda.GetFunction"]));
    calls.extend(set_apart(FUNCTIONS_SETTINGS, &Changes(others), wanted)?);
    Some(calls)
}

/// A property that has calls of its own: those that set it, and those that take it back.
type Apart = (&'static str, &'static [&'static str], &'static [&'static str]);

const FUNCTIONS_SETTINGS: &[Apart] =
    &[("ReservedConcurrentExecutions", &["lambda.PutFunctionConcurrency"], &["lambda.DeleteFunctionConcurrency"])];

const LOG_GROUPS_SETTINGS: &[Apart] = &[
    ("DataProtectionPolicy", &["logs.PutDataProtectionPolicy"], &["logs.DeleteDataProtectionPolicy"]),
    ("DeletionProtectionEnabled", &["logs.PutLogGroupDeletionProtection"], &["logs.PutLogGroupDeletionProtection"]),
    ("FieldIndexPolicies", &["logs.PutIndexPolicy"], &["logs.DeleteIndexPolicy"]),
    ("KmsKeyId", &["logs.AssociateKmsKey"], &["logs.DisassociateKmsKey"]),
    ("RetentionInDays", &["logs.PutRetentionPolicy"], &["logs.DeleteRetentionPolicy"]),
];

/// Of a wait, the first look.
const TABLES_SETTINGS: &[Apart] = &[
    ("PointInTimeRecoverySpecification", &["dynamodb.UpdateContinuousBackups"], &["dynamodb.UpdateContinuousBackups"]),
    (
        "ResourcePolicy",
        &["dynamodb.PutResourcePolicy", "dynamodb.GetResourcePolicy"],
        &["dynamodb.DeleteResourcePolicy", "dynamodb.GetResourcePolicy"],
    ),
];

/// The calls for properties that each have their own; `None` where another one changes.
fn set_apart(settings: &[Apart], changes: &Changes, wanted: &Value) -> Option<Vec<&'static str>> {
    let mut calls = Vec::new();
    for property in touched(changes) {
        let (_, set, unset) = settings.iter().find(|(name, ..)| *name == property)?;
        let wanted = &wanted[property];
        let is_unset = wanted.is_null() || wanted.as_array().is_some_and(Vec::is_empty);
        calls.extend_from_slice(if is_unset { unset } else { set });
    }
    Some(calls)
}

/// Tags are read, written and removed; of a wait for them, the first look.
fn tagging(resource_type: &str, live: &Value, wanted: &Value) -> Option<Vec<&'static str>> {
    let (_, [read, write, remove]) = TAGGED.iter().find(|(types, _)| types.contains(&resource_type))?;
    let changes = tags_in(wanted).unwrap_or_default().since(&tags_in(live).unwrap_or_default());
    let mut calls = vec![*read];
    calls.extend((!changes.written.0.is_empty()).then_some(*write));
    calls.extend((!changes.removed.is_empty()).then_some(*remove));
    calls.extend((resource_type == "AWS::DynamoDB::Table").then_some(*read));
    Some(calls)
}

/// By which calls tags are read, written and removed.
const TAGGED: &[(&[&str], [&str; 3])] = &[
    (
        &[
            "AWS::ApiGateway::ApiKey",
            "AWS::ApiGateway::ClientCertificate",
            "AWS::ApiGateway::DomainName",
            "AWS::ApiGateway::RestApi",
            "AWS::ApiGateway::Stage",
            "AWS::ApiGateway::UsagePlan",
            "AWS::ApiGateway::VpcLink",
        ],
        ["apigateway.GetTags", "apigateway.TagResource", "apigateway.UntagResource"],
    ),
    (
        &[
            "AWS::CloudWatch::Alarm",
            "AWS::CloudWatch::CompositeAlarm",
            "AWS::CloudWatch::Dashboard",
            "AWS::CloudWatch::InsightRule",
            "AWS::CloudWatch::MetricStream",
        ],
        ["cloudwatch.ListTagsForResource", "cloudwatch.TagResource", "cloudwatch.UntagResource"],
    ),
    (&["AWS::DynamoDB::Table"], ["dynamodb.ListTagsOfResource", "dynamodb.TagResource", "dynamodb.UntagResource"]),
    (&["AWS::IAM::Role"], ["iam.GetRole", "iam.TagRole", "iam.UntagRole"]),
    (&["AWS::IAM::User"], ["iam.GetUser", "iam.TagUser", "iam.UntagUser"]),
    (
        &["AWS::Lambda::CodeSigningConfig", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function"],
        ["lambda.ListTags", "lambda.TagResource", "lambda.UntagResource"],
    ),
    (
        &["AWS::Logs::Destination", "AWS::Logs::LogGroup"],
        ["logs.ListTagsForResource", "logs.TagResource", "logs.UntagResource"],
    ),
    (&["AWS::SNS::Topic"], ["sns.ListTagsForResource", "sns.TagResource", "sns.UntagResource"]),
    (&["AWS::SQS::Queue"], ["sqs.ListQueueTags", "sqs.TagQueue", "sqs.UntagQueue"]),
    (
        &["AWS::WAFv2::IPSet", "AWS::WAFv2::RegexPatternSet", "AWS::WAFv2::RuleGroup", "AWS::WAFv2::WebACL"],
        ["wafv2.ListTagsForResource", "wafv2.TagResource", "wafv2.UntagResource"],
    ),
];

/// What is looked at before any change, also where only tags change.
const ALWAYS_LOOKED_AT: &[(&str, &str)] =
    &[("AWS::ApiGateway::RestApi", "apigateway.GetRestApi"), ("AWS::Lambda::Function", "lambda.GetFunction")];

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
