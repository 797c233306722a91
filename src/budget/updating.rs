//! What an update takes: the changes, and the reading of what has become of the resource.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::budget::calls::{length, texts, times};
use crate::budget::{iam, reading};
use crate::change::{Change, Changes};
use crate::identity::PhysicalId;
use crate::plan::{Plan, Step};
use crate::policy::methods::REST_API;
use crate::resource::apigateway::{domain_name, method, patch, rest_api, usage_plan};
use crate::resource::dynamodb::{global_table, table};
use crate::resource::lambda::function;
use crate::resource::sns::{self, subscription, topic};
use crate::resource::tags::{self, tags_in};
use crate::resource::{Owner, Ownership};

/// `None` for a change of which only AWS can say what it takes, or that is in none of these tables.
pub fn updating(plan: &Plan, step: &Step, live: &Value, wanted: &Value) -> Option<Vec<&'static str>> {
    let resource_type = step.resource_type.as_str();
    let changes = Changes::between(live, wanted);
    let is_tag = |change: &Change| change.path.property() == Some("Tags");
    let (tags, others): (Vec<Change>, Vec<Change>) = changes.0.iter().cloned().partition(is_tag);
    let mut calls = match resource_type {
        REST_API => rest_api::updating(&typed(live)?, &typed(wanted)?, &changes)?,
        _ if others.is_empty() && !tags.is_empty() => looking(step, wanted)?,
        _ => writing(plan, step, &Changes(others), live, wanted)?,
    };
    calls.extend(tagging(step, &changes, live, wanted)?);
    let id = step.physical_id.as_ref()?;
    calls.extend(match is_pending(step) {
        true => vec!["sns.GetSubscriptionAttributes"],
        false => reading::of_one(&step.resource_type, &id_after(resource_type, id, wanted), wanted)?,
    });
    calls.extend(iam::put_there_by_others(plan, resource_type, id));
    Some(calls)
}

/// The identifier after an update: a policy's names what it is put on.
fn id_after<'a>(resource_type: &str, id: &'a PhysicalId, wanted: &Value) -> Cow<'a, PhysicalId> {
    match resource_type {
        "AWS::SNS::TopicPolicy" => Cow::Owned(PhysicalId::join(texts(&wanted["Topics"]))),
        "AWS::SQS::QueuePolicy" => Cow::Owned(PhysicalId::join(texts(&wanted["Queues"]))),
        _ => Cow::Borrowed(id),
    }
}

/// Properties in canonical form as their type has them. `None` where something is not known yet that is no text.
pub(super) fn typed<P: DeserializeOwned>(properties: &Value) -> Option<P> {
    P::deserialize(properties).ok()
}

/// What is looked at before any change, also where only tags change.
fn looking(step: &Step, wanted: &Value) -> Option<Vec<&'static str>> {
    Some(match step.resource_type.as_str() {
        "AWS::DynamoDB::GlobalTable" => reading::of_one(&step.resource_type, step.physical_id.as_ref()?, wanted)?,
        "AWS::Lambda::Function" => vec!["lambda.GetFunction"],
        _ => Vec::new(),
    })
}

/// What all changes take, but for tags.
fn writing(plan: &Plan, step: &Step, changes: &Changes, live: &Value, wanted: &Value) -> Option<Vec<&'static str>> {
    let resource_type = step.resource_type.as_str();
    if let Some((_, calls)) = ALWAYS.iter().find(|(name, _)| *name == resource_type) {
        return Some(calls.to_vec());
    }
    let touches = |properties: &[&str]| usize::from(changes.touch_any(properties));
    Some(match resource_type {
        "AWS::ApiGateway::DomainName" => domain_name::updating(&typed(live)?, &typed(wanted)?),
        "AWS::ApiGateway::Method" => method::updating(typed(live)?, &typed(wanted)?),
        "AWS::ApiGateway::UsagePlan" => usage_plan::updating(&typed(live)?, &typed(wanted)?),
        "AWS::DynamoDB::GlobalTable" => {
            [looking(step, wanted)?, global_table::updating(&typed(live)?, &typed(wanted)?)].concat()
        }
        "AWS::DynamoDB::Table" => table::updating(&typed(live)?, &typed(wanted)?, changes),
        "AWS::Lambda::Alias" => {
            let provisioned: &[_] = match &wanted["ProvisionedConcurrencyConfig"] {
                _ if !changes.touch("ProvisionedConcurrencyConfig") => &[],
                Value::Null => &["lambda.DeleteProvisionedConcurrencyConfig"],
                _ => &["lambda.PutProvisionedConcurrencyConfig", "lambda.GetProvisionedConcurrencyConfig"],
            };
            let own = touches(&["Description", "FunctionVersion", "RoutingConfig"]);
            [provisioned, &times(own, "lambda.UpdateAlias")].concat()
        }
        "AWS::Lambda::Function" => of_function(changes, wanted)?,
        "AWS::Logs::Destination" if is_made_anew(changes, wanted) => {
            vec!["logs.DeleteDestination", "logs.DescribeDestinations", "logs.PutDestination"]
        }
        "AWS::Logs::Destination" => [
            times(touches(&["RoleArn", "TargetArn"]), "logs.PutDestination"),
            times(touches(&["DestinationPolicy"]), "logs.PutDestinationPolicy"),
        ]
        .concat(),
        "AWS::Logs::LogAnomalyDetector" => [
            vec!["logs.ListTagsForResource"],
            times(usize::from(is_marked_anew(plan, step)), "logs.TagResource"),
            times(usize::from(!changes.0.is_empty()), "logs.UpdateLogAnomalyDetector"),
        ]
        .concat(),
        "AWS::Logs::LogGroup" => set_apart(LOG_GROUPS_SETTINGS, changes, wanted)?,
        "AWS::SNS::Subscription" => {
            let set = times(touched(changes).len(), "sns.SetSubscriptionAttributes");
            [confirming(step), set].concat()
        }
        "AWS::SNS::Topic" => topic::updating(step.physical_id.as_ref()?, &typed(live)?, &typed(wanted)?)?,
        "AWS::SNS::TopicPolicy" => {
            let (topics, left) = targets(step, &wanted["Topics"]);
            [times(topics + left, "sns.SetTopicAttributes"), times(topics, "sns.GetTopicAttributes")].concat()
        }
        "AWS::SQS::QueuePolicy" => {
            let (queues, left) = targets(step, &wanted["Queues"]);
            [times(queues + left, "sqs.SetQueueAttributes"), times(queues + left, "sqs.GetQueueAttributes")].concat()
        }
        _ => return iam::changing(plan, step, changes, live, wanted),
    })
}

/// Whether the mark that a resource carries elsewhere than in its `Tags` is another one, or is not there.
pub(super) fn is_marked_anew(plan: &Plan, step: &Step) -> bool {
    let owner = Owner { stack: plan.stack.clone(), resource: step.logical_id.clone() };
    step.live.as_ref().is_some_and(|live| live.ownership != Ownership::Owned(owner))
}

/// Of what a policy is put on: how many there will be, and on how many it is no more.
fn targets(step: &Step, wanted: &Value) -> (usize, usize) {
    let before = step.physical_id.iter().flat_map(PhysicalId::each);
    (length(wanted), before.filter(|target| !texts(wanted).any(|it| it == *target)).count())
}

/// Whether a subscription waited for its confirmation when it was made.
pub(super) fn is_pending(step: &Step) -> bool {
    step.resource_type.as_str() == "AWS::SNS::Subscription"
        && step.physical_id.as_ref().is_some_and(subscription::is_pending)
}

/// Whether it waits no more.
pub(super) fn is_confirmed(step: &Step) -> bool {
    let reference = step.live.as_ref().and_then(|live| live.attributes.get("Ref"));
    reference.is_some_and(|reference| *reference != sns::PENDING)
}

/// How such a subscription's ARN becomes known.
fn confirming(step: &Step) -> Vec<&'static str> {
    match (is_pending(step), is_confirmed(step)) {
        (false, _) => Vec::new(),
        (true, true) => vec!["sns.ListSubscriptionsByTopic"],
        (true, false) => vec!["sns.ListSubscriptionsByTopic", "sns.Subscribe"],
    }
}

/// Whether a destination loses its policy, for which there is no call.
fn is_made_anew(changes: &Changes, wanted: &Value) -> bool {
    changes.touch("DestinationPolicy") && wanted["DestinationPolicy"].is_null()
}

/// The top-level properties that change.
fn touched(changes: &Changes) -> BTreeSet<&str> {
    changes.0.iter().filter_map(|change| change.path.property()).collect()
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
pub(super) type Apart = (&'static str, &'static [&'static str], &'static [&'static str]);

const FUNCTIONS_SETTINGS: &[Apart] = &[
    ("CodeSigningConfigArn", &["lambda.PutFunctionCodeSigningConfig"], &["lambda.DeleteFunctionCodeSigningConfig"]),
    ("RecursiveLoop", &["lambda.PutFunctionRecursionConfig"], &["lambda.PutFunctionRecursionConfig"]),
    ("ReservedConcurrentExecutions", &["lambda.PutFunctionConcurrency"], &["lambda.DeleteFunctionConcurrency"]),
    ("RuntimeManagementConfig", &["lambda.PutRuntimeManagementConfig"], &["lambda.PutRuntimeManagementConfig"]),
];

pub(super) const LOG_GROUPS_SETTINGS: &[Apart] = &[
    (
        "BearerTokenAuthenticationEnabled",
        &["logs.PutBearerTokenAuthentication"],
        &["logs.PutBearerTokenAuthentication"],
    ),
    ("DataProtectionPolicy", &["logs.PutDataProtectionPolicy"], &["logs.DeleteDataProtectionPolicy"]),
    ("DeletionProtectionEnabled", &["logs.PutLogGroupDeletionProtection"], &["logs.PutLogGroupDeletionProtection"]),
    ("FieldIndexPolicies", &["logs.PutIndexPolicy"], &["logs.DeleteIndexPolicy"]),
    ("KmsKeyId", &["logs.AssociateKmsKey"], &["logs.DisassociateKmsKey"]),
    ("RetentionInDays", &["logs.PutRetentionPolicy"], &["logs.DeleteRetentionPolicy"]),
];

/// The calls for properties that each have their own; `None` where another one changes.
pub(super) fn set_apart(settings: &[Apart], changes: &Changes, wanted: &Value) -> Option<Vec<&'static str>> {
    let mut calls = Vec::new();
    for property in touched(changes) {
        let (_, set, unset) = settings.iter().find(|(name, ..)| *name == property)?;
        calls.extend_from_slice(if is_unset(&wanted[property]) { unset } else { set });
    }
    Some(calls)
}

fn is_unset(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// Tags are read, written and removed; of a wait for them, the first look.
fn tagging(step: &Step, changes: &Changes, live: &Value, wanted: &Value) -> Option<Vec<&'static str>> {
    let resource_type = step.resource_type.as_str();
    let (were, will_be) = match resource_type {
        // All tags of an API are among its own calls.
        REST_API => return Some(Vec::new()),
        "AWS::Logs::Destination" if is_made_anew(changes, wanted) => return Some(Vec::new()),
        "AWS::Lambda::Function" if changes.touch_any(&function::TAGGED) || changes.touch("Tags") => {
            (function::tags(&typed(live)?), function::tags(&typed(wanted)?))
        }
        _ if changes.touch("Tags") => (tags_in(live).unwrap_or_default(), tags_in(wanted).unwrap_or_default()),
        _ => return Some(Vec::new()),
    };
    let (_, operations) = TAGGED.iter().find(|(types, _)| types.contains(&resource_type))?;
    let mut calls = tags::syncing(*operations, &were, &will_be);
    calls.extend(resource_type.starts_with("AWS::DynamoDB::").then_some(operations[0]));
    Some(calls)
}

/// By which calls tags are read, written and removed.
const TAGGED: &[(&[&str], [&str; 3])] = &[
    (
        &[
            "AWS::ApiGateway::ApiKey",
            "AWS::ApiGateway::ClientCertificate",
            "AWS::ApiGateway::DomainName",
            "AWS::ApiGateway::Stage",
            "AWS::ApiGateway::UsagePlan",
            "AWS::ApiGateway::VpcLink",
        ],
        patch::TAGS,
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
    (
        &["AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"],
        ["dynamodb.ListTagsOfResource", "dynamodb.TagResource", "dynamodb.UntagResource"],
    ),
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

/// The types of which every update takes the same calls, whatever it changes; of a wait, the first look.
const ALWAYS: &[(&str, &[&str])] = &[
    ("AWS::ApiGateway::Account", &["apigateway.UpdateAccount"]),
    ("AWS::ApiGateway::ApiKey", &["apigateway.UpdateApiKey"]),
    ("AWS::ApiGateway::Authorizer", &["apigateway.GetAuthorizer", "apigateway.UpdateAuthorizer"]),
    ("AWS::ApiGateway::BasePathMapping", &["apigateway.UpdateBasePathMapping"]),
    ("AWS::ApiGateway::ClientCertificate", &["apigateway.UpdateClientCertificate"]),
    ("AWS::ApiGateway::Deployment", &["apigateway.UpdateDeployment"]),
    ("AWS::ApiGateway::DocumentationPart", &["apigateway.UpdateDocumentationPart"]),
    ("AWS::ApiGateway::DocumentationVersion", &["apigateway.UpdateDocumentationVersion"]),
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
