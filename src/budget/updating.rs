//! What an update takes: the changes, and the reading of what has become of the resource.

use serde_json::Value;

use crate::apply::Task;
use crate::budget::calls::{length, times};
use crate::budget::{iam, reading};
use crate::change::Changes;
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
    calls.extend(iam::put_there_by_others(plan, task.resource_type.as_str(), id));
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
        "AWS::Lambda::Function" if changes.touch_only(&["Code"]) || changes.touch_only(function::CONFIGURATION) => {
            let update =
                if changes.touch("Code") { "lambda.UpdateFunctionCode" } else { "lambda.UpdateFunctionConfiguration" };
            vec!["lambda.GetFunction", update, "lambda.GetFunction"]
        }
        "AWS::Logs::Destination" if !changes.touch("DestinationPolicy") => vec!["logs.PutDestination"],
        "AWS::Logs::LogGroup" if changes.touch_only(&["RetentionInDays"]) => {
            vec![if wanted["RetentionInDays"].is_null() {
                "logs.DeleteRetentionPolicy"
            } else {
                "logs.PutRetentionPolicy"
            }]
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
