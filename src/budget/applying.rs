//! What carrying out a plan takes.

use serde_json::Value;

use crate::apply::{Kind, Task, schedule};
use crate::budget::Budget;
use crate::budget::calls::{length, times};
use crate::budget::iam::{self, TakenOff};
use crate::budget::plain::plain;
use crate::budget::updating::{LOG_GROUPS_SETTINGS, is_confirmed, is_pending, set_apart, typed, updating};
use crate::identity::PhysicalId;
use crate::inventory::Gone;
use crate::plan::residue::{LISTED_BY, LISTS_APIS};
use crate::plan::{Action, Plan, Step};
use crate::resource::apigateway::rest_api;
use crate::resource::lambda::function;
use crate::resource::logs::log_group;
use crate::resource::sns::topic;
use crate::resource::{changes_between, is_within_new};

/// The calls that carrying out a plan is going to take, where everything goes as the plan says. Of every wait it has the first
/// look, without which nobody knows whether there is anything to wait for.
pub fn of_applying(plan: &Plan) -> Budget {
    let mut budget = Budget::default();
    // What a destroy will have to come back to is looked at first.
    if plan.is_first() {
        LISTED_BY.iter().chain([&LISTS_APIS]).for_each(|call| budget.add(call));
    }
    let schedule = schedule(plan);
    let mut taken_off = TakenOff::default();
    for task in schedule.in_order().into_iter().filter_map(|id| schedule.tasks.get(id.0)) {
        match of_task_after(plan, task, &mut taken_off) {
            Some(calls) => calls.iter().for_each(|call| budget.add(call)),
            None => _ = budget.besides.insert(task.resource_type.clone()),
        }
    }
    budget
}

/// The calls that one task of a plan's schedule is going to take, `None` where that is not known.
pub fn of_task(plan: &Plan, task: &Task) -> Option<Vec<&'static str>> {
    of_task_after(plan, task, &mut TakenOff::default())
}

fn of_task_after(plan: &Plan, task: &Task, taken_off: &mut TakenOff) -> Option<Vec<&'static str>> {
    let step = &plan.steps[task.step];
    let nothing = Value::Null;
    let live = step.live.as_ref().map_or(&nothing, |live| &live.properties);
    let wanted = step.desired.as_deref().unwrap_or(&nothing);
    match task.kind {
        Kind::Create => {
            let calls = creating(task.resource_type.as_str(), wanted)?;
            // In what is new, nothing is looked for.
            let looked = usize::from(is_within_new(&task.resource_type, wanted));
            Some(calls.into_iter().skip(looked).collect())
        }
        Kind::Update => updating(plan, step, live, wanted),
        // One call deletes several.
        Kind::Delete if !task.together.is_empty() && !task.is_first_together() => Some(Vec::new()),
        Kind::Delete if !task.together.is_empty() && task.resource_type.as_str() == "AWS::CloudWatch::Dashboard" => {
            Some(vec!["cloudwatch.DeleteDashboards", "cloudwatch.ListDashboards"])
        }
        Kind::Delete => deleting(step, live, taken_off),
    }
}

/// Of a create: first what has the name, if anything has it; then the create, and the first look whether it shows.
fn creating(resource_type: &str, wanted: &Value) -> Option<Vec<&'static str>> {
    if let Some(plain) = plain(resource_type) {
        return Some(plain.create.to_vec());
    }
    Some(match resource_type {
        "AWS::ApiGateway::Account" => vec!["apigateway.GetAccount", "apigateway.UpdateAccount"],
        "AWS::ApiGateway::ApiKey" => vec!["apigateway.GetApiKeys", "apigateway.CreateApiKey"],
        "AWS::ApiGateway::Deployment" => {
            vec!["apigateway.GetDeployments", "apigateway.CreateDeployment"]
        }
        "AWS::ApiGateway::GatewayResponse" => vec!["apigateway.GetGatewayResponse", "apigateway.PutGatewayResponse"],
        "AWS::ApiGateway::Method" => {
            let integration = &wanted["Integration"];
            let put = usize::from(!integration.is_null());
            [
                vec!["apigateway.GetMethod", "apigateway.PutMethod"],
                times(length(&wanted["MethodResponses"]), "apigateway.PutMethodResponse"),
                times(put, "apigateway.PutIntegration"),
                times(length(&integration["IntegrationResponses"]), "apigateway.PutIntegrationResponse"),
            ]
            .concat()
        }
        "AWS::ApiGateway::Model" => vec!["apigateway.GetModel", "apigateway.CreateModel"],
        "AWS::ApiGateway::RequestValidator" => {
            vec!["apigateway.GetRequestValidators", "apigateway.CreateRequestValidator"]
        }
        "AWS::ApiGateway::Resource" => {
            vec!["apigateway.GetResources", "apigateway.CreateResource"]
        }
        "AWS::ApiGateway::RestApi" => {
            let made = vec!["apigateway.CreateRestApi", "apigateway.GetRestApi"];
            [vec!["apigateway.GetRestApis"], made, rest_api::filling(&typed(wanted)?)?].concat()
        }
        "AWS::ApiGateway::Stage" => {
            // What a create does not take is patched, and looked at again.
            let is_patched = !wanted["AccessLogSetting"].is_null() || length(&wanted["MethodSettings"]) > 0;
            let patches = usize::from(is_patched);
            [
                times(2 + patches, "apigateway.GetStage"),
                vec!["apigateway.CreateStage"],
                times(patches, "apigateway.UpdateStage"),
            ]
            .concat()
        }
        "AWS::ApiGateway::UsagePlan" => {
            vec!["apigateway.GetUsagePlans", "apigateway.CreateUsagePlan"]
        }
        "AWS::ApiGateway::UsagePlanKey" => {
            vec!["apigateway.GetUsagePlanKey", "apigateway.CreateUsagePlanKey"]
        }
        "AWS::CloudWatch::Alarm" => [times(2, "cloudwatch.DescribeAlarms"), vec!["cloudwatch.PutMetricAlarm"]].concat(),
        "AWS::CloudWatch::Dashboard" => {
            [times(2, "cloudwatch.GetDashboard"), vec!["cloudwatch.PutDashboard", "cloudwatch.ListTagsForResource"]]
                .concat()
        }
        "AWS::CloudWatch::CompositeAlarm" => {
            [times(2, "cloudwatch.DescribeAlarms"), vec!["cloudwatch.PutCompositeAlarm"]].concat()
        }
        "AWS::DynamoDB::GlobalTable" => table(wanted, &wanted["Replicas"][0]),
        "AWS::DynamoDB::Table" => table(wanted, wanted),
        "AWS::Lambda::Alias" => [vec!["lambda.GetAlias", "lambda.CreateAlias"], provisioning(wanted)].concat(),
        "AWS::Lambda::EventSourceMapping" => {
            vec!["lambda.ListEventSourceMappings", "lambda.CreateEventSourceMapping", "lambda.GetEventSourceMapping"]
        }
        "AWS::Lambda::Function" => {
            let uses = |setting: &str| usize::from(function::uses(wanted, setting));
            [
                vec!["lambda.CreateFunction", "lambda.GetFunction"],
                times(uses("ReservedConcurrentExecutions"), "lambda.PutFunctionConcurrency"),
                times(uses("RecursiveLoop"), "lambda.PutFunctionRecursionConfig"),
                times(uses("RuntimeManagementConfig"), "lambda.PutRuntimeManagementConfig"),
            ]
            .concat()
        }
        "AWS::Lambda::LayerVersion" => {
            vec!["lambda.ListLayerVersions", "lambda.PublishLayerVersion"]
        }
        "AWS::Lambda::Permission" => [times(2, "lambda.GetPolicy"), vec!["lambda.AddPermission"]].concat(),
        "AWS::Lambda::Version" => {
            let runtime = usize::from(!wanted["RuntimePolicy"].is_null());
            [
                vec!["lambda.ListVersionsByFunction", "lambda.PublishVersion", "lambda.GetFunction"],
                times(runtime, "lambda.PutRuntimeManagementConfig"),
                provisioning(wanted),
            ]
            .concat()
        }
        "AWS::Logs::Destination" => {
            let policy = usize::from(!wanted["DestinationPolicy"].is_null());
            [
                times(2, "logs.DescribeDestinations"),
                vec!["logs.PutDestination"],
                times(policy, "logs.PutDestinationPolicy"),
            ]
            .concat()
        }
        "AWS::Logs::LogGroup" => {
            let group = typed(wanted)?;
            let left = changes_between(&log_group::made(&group), &group);
            [vec!["logs.CreateLogGroup"], set_apart(LOG_GROUPS_SETTINGS, &left, wanted)?].concat()
        }
        "AWS::Logs::QueryDefinition" => {
            [times(2, "logs.DescribeQueryDefinitions"), vec!["logs.PutQueryDefinition"]].concat()
        }
        "AWS::SNS::Subscription" => vec!["sns.ListSubscriptionsByTopic", "sns.Subscribe"],
        "AWS::SNS::Topic" => creating_topic(wanted)?,
        "AWS::SNS::TopicPolicy" => {
            let topics = length(&wanted["Topics"]);
            [times(2 * topics, "sns.GetTopicAttributes"), times(topics, "sns.SetTopicAttributes")].concat()
        }
        "AWS::SQS::Queue" => vec!["sqs.GetQueueUrl", "sqs.CreateQueue", "sqs.GetQueueAttributes"],
        "AWS::SQS::QueuePolicy" => {
            let queues = length(&wanted["Queues"]);
            [times(2 * queues, "sqs.GetQueueAttributes"), times(queues, "sqs.SetQueueAttributes")].concat()
        }
        "AWS::WAFv2::LoggingConfiguration" => {
            [times(2, "wafv2.GetLoggingConfiguration"), vec!["wafv2.PutLoggingConfiguration"]].concat()
        }
        "AWS::WAFv2::WebACL" => vec!["wafv2.ListWebACLs", "wafv2.CreateWebACL", "wafv2.GetWebACL"],
        "AWS::WAFv2::WebACLAssociation" => {
            [times(2, "wafv2.GetWebACLForResource"), vec!["wafv2.AssociateWebACL"]].concat()
        }
        _ => return iam::creating(resource_type, wanted),
    })
}

/// A table, global or not: what a replica has of its own, `here` has of the one in this region.
fn table(wanted: &Value, here: &Value) -> Vec<&'static str> {
    let is_set = |value: &Value| usize::from(!value.is_null());
    let expires = is_set(&wanted["TimeToLiveSpecification"]);
    let (recovers, policy) = (is_set(&here["PointInTimeRecoverySpecification"]), is_set(&here["ResourcePolicy"]));
    [
        vec!["dynamodb.CreateTable", "dynamodb.DescribeTable"],
        times(expires, "dynamodb.DescribeTimeToLive"),
        times(expires, "dynamodb.UpdateTimeToLive"),
        times(recovers, "dynamodb.UpdateContinuousBackups"),
        times(policy, "dynamodb.PutResourcePolicy"),
        times(policy, "dynamodb.GetResourcePolicy"),
    ]
    .concat()
}

/// Provisioned concurrency of a version or an alias.
fn provisioning(wanted: &Value) -> Vec<&'static str> {
    let is_provisioned = usize::from(!wanted["ProvisionedConcurrencyConfig"].is_null());
    [
        times(is_provisioned, "lambda.PutProvisionedConcurrencyConfig"),
        times(is_provisioned, "lambda.GetProvisionedConcurrencyConfig"),
    ]
    .concat()
}

/// Attributes of a new topic are set one a call.
fn creating_topic(wanted: &Value) -> Option<Vec<&'static str>> {
    let has_protection = wanted["FifoTopic"] != true;
    Some(
        [
            times(2, "sns.GetTopicAttributes"),
            vec!["sns.CreateTopic", "sns.ListTagsForResource"],
            times(usize::from(has_protection), "sns.GetDataProtectionPolicy"),
            topic::completing(&typed(wanted)?)?,
        ]
        .concat(),
    )
}

/// Of a deletion: the call, and the first look whether it is gone.
fn deleting(step: &Step, live: &Value, taken_off: &mut TakenOff) -> Option<Vec<&'static str>> {
    if let Some(plain) = plain(step.resource_type.as_str()) {
        return Some(plain.delete.to_vec());
    }
    Some(match step.resource_type.as_str() {
        "AWS::ApiGateway::Account" => vec!["apigateway.GetAccount", "apigateway.UpdateAccount"],
        "AWS::ApiGateway::ApiKey" => vec!["apigateway.DeleteApiKey"],
        // One that an interrupted replacement has left: its stage may be the next one's by now.
        "AWS::ApiGateway::Deployment"
            if !live["StageName"].is_null() && matches!(step.action, Action::Delete { why: Gone::Replaced }) =>
        {
            return None;
        }
        "AWS::ApiGateway::Deployment" => {
            // A stage that was made along goes as well, unless it was moved on to the next deployment.
            let is_along = !live["StageName"].is_null();
            let is_moved = step.desired.as_ref().is_some_and(|wanted| wanted["StageName"] == live["StageName"]);
            [
                vec!["apigateway.GetDeployment", "apigateway.DeleteDeployment"],
                times(usize::from(is_along), "apigateway.GetStage"),
                times(usize::from(is_along && !is_moved), "apigateway.DeleteStage"),
            ]
            .concat()
        }
        "AWS::ApiGateway::GatewayResponse" => {
            vec!["apigateway.DeleteGatewayResponse", "apigateway.GetGatewayResponse"]
        }
        "AWS::ApiGateway::Method" => vec!["apigateway.DeleteMethod", "apigateway.GetMethod"],
        "AWS::ApiGateway::Model" => vec!["apigateway.DeleteModel", "apigateway.GetModel"],
        "AWS::ApiGateway::RequestValidator" => {
            vec!["apigateway.DeleteRequestValidator", "apigateway.GetRequestValidator"]
        }
        "AWS::ApiGateway::Resource" => vec!["apigateway.DeleteResource", "apigateway.GetResource"],
        "AWS::ApiGateway::RestApi" => vec!["apigateway.DeleteRestApi", "apigateway.GetRestApi"],
        "AWS::ApiGateway::Stage" => vec!["apigateway.DeleteStage"],
        "AWS::ApiGateway::UsagePlan" => {
            let stages = usize::from(length(&live["ApiStages"]) > 0);
            [vec!["apigateway.GetUsagePlan", "apigateway.DeleteUsagePlan"], times(stages, "apigateway.UpdateUsagePlan")]
                .concat()
        }
        "AWS::ApiGateway::UsagePlanKey" => vec!["apigateway.DeleteUsagePlanKey"],
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => {
            vec!["cloudwatch.DeleteAlarms", "cloudwatch.DescribeAlarms"]
        }
        "AWS::CloudWatch::Dashboard" => vec!["cloudwatch.DeleteDashboards", "cloudwatch.GetDashboard"],
        "AWS::DynamoDB::GlobalTable" => deleting_table(&live["Replicas"][0]),
        "AWS::DynamoDB::Table" => deleting_table(live),
        "AWS::Lambda::Alias" => vec!["lambda.DeleteAlias", "lambda.GetAlias"],
        "AWS::Lambda::EventSourceMapping" => {
            vec!["lambda.DeleteEventSourceMapping", "lambda.GetEventSourceMapping"]
        }
        "AWS::Lambda::Function" => vec!["lambda.DeleteFunction", "lambda.GetFunction"],
        "AWS::Lambda::LayerVersion" => vec!["lambda.DeleteLayerVersion", "lambda.GetLayerVersion"],
        "AWS::Lambda::Permission" => vec!["lambda.RemovePermission", "lambda.GetPolicy"],
        "AWS::Lambda::Version" => vec!["lambda.DeleteFunction", "lambda.GetFunction"],
        "AWS::Logs::Destination" => vec!["logs.DeleteDestination", "logs.DescribeDestinations"],
        "AWS::Logs::LogGroup" => vec!["logs.DeleteLogGroup", "logs.DescribeLogGroups"],
        "AWS::Logs::QueryDefinition" => vec!["logs.DeleteQueryDefinition", "logs.DescribeQueryDefinitions"],
        // One that waits for a confirmation cannot be taken back.
        "AWS::SNS::Subscription" if is_pending(step) => {
            let confirmed = usize::from(is_confirmed(step));
            [
                vec!["sns.ListSubscriptionsByTopic"],
                times(confirmed, "sns.Unsubscribe"),
                times(confirmed, "sns.GetSubscriptionAttributes"),
            ]
            .concat()
        }
        "AWS::SNS::Subscription" => vec!["sns.Unsubscribe", "sns.GetSubscriptionAttributes"],
        "AWS::SNS::Topic" => {
            let archives = usize::from(!live["ArchivePolicy"].is_null());
            [
                times(2, "sns.GetTopicAttributes"),
                times(archives, "sns.SetTopicAttributes"),
                vec!["sns.DeleteTopic", "sns.ListSubscriptionsByTopic"],
            ]
            .concat()
        }
        "AWS::SNS::TopicPolicy" => times(targets(step), "sns.SetTopicAttributes"),
        "AWS::SQS::Queue" => vec!["sqs.DeleteQueue", "sqs.GetQueueAttributes"],
        "AWS::SQS::QueuePolicy" => {
            let queues = targets(step);
            [times(queues, "sqs.SetQueueAttributes"), times(queues, "sqs.GetQueueAttributes")].concat()
        }
        "AWS::WAFv2::LoggingConfiguration" => {
            vec!["wafv2.DeleteLoggingConfiguration", "wafv2.GetLoggingConfiguration"]
        }
        "AWS::WAFv2::WebACL" => vec!["wafv2.GetWebACL", "wafv2.DeleteWebACL", "wafv2.GetWebACL"],
        "AWS::WAFv2::WebACLAssociation" => {
            vec!["wafv2.GetWebACLForResource", "wafv2.DisassociateWebACL", "wafv2.GetWebACLForResource"]
        }
        _ => return iam::deleting(step, live, taken_off),
    })
}

/// How many topics or queues a policy was put on, whether it is still there or not.
fn targets(step: &Step) -> usize {
    step.physical_id.iter().flat_map(PhysicalId::each).count()
}

/// A table, global or not: what a replica has of its own, `here` has of the one in this region.
fn deleting_table(here: &Value) -> Vec<&'static str> {
    let is_protected = usize::from(here["DeletionProtectionEnabled"] == true);
    [
        times(3, "dynamodb.DescribeTable"),
        vec!["dynamodb.UpdateContinuousBackups", "dynamodb.DeleteTable"],
        times(is_protected, "dynamodb.UpdateTable"),
    ]
    .concat()
}
