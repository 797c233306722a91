//! What carrying out a plan takes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::apply::{Kind, Task, schedule};
use crate::budget::Budget;
use crate::budget::plain::plain;
use crate::budget::updating::updating;
use crate::identity::PhysicalId;
use crate::plan::residue::{LISTED_BY, LISTS_APIS};
use crate::plan::{Plan, Step};
use crate::resource::lambda::function;

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
    let wanted = step.desired.as_ref().unwrap_or(&nothing);
    match task.kind {
        Kind::Create => {
            let mut calls = creating(task, wanted)?;
            // Deployments are told apart by what they say of themselves: the one that is replaced is found, and looked at.
            let is_found = task.resource_type.as_str() == "AWS::ApiGateway::Deployment" && step.live.is_some();
            calls.extend(times(usize::from(is_found), "apigateway.GetDeployment"));
            Some(calls)
        }
        Kind::Update => updating(plan, task, live, wanted),
        // Each version but the first is deleted by itself, and nothing says how many there are.
        Kind::Delete if task.resource_type.as_str() == "AWS::IAM::ManagedPolicy" && !has_one_version(step) => None,
        // A stage that was made along goes with its deployment, if it is still there.
        Kind::Delete
            if task.resource_type.as_str() == "AWS::ApiGateway::Deployment" && !live["StageName"].is_null() =>
        {
            None
        }
        Kind::Delete => deleting(task, live, taken_off),
    }
}

fn has_one_version(policy: &Step) -> bool {
    policy.live.as_ref().is_some_and(|live| live.attributes.get("DefaultVersionId") == Some(&Value::from("v1")))
}

/// What earlier deletions have taken off roles, users and groups: it is taken off once, and both sides show it. By the call that
/// takes it off, the holder and the policy or member.
#[derive(Default)]
struct TakenOff(BTreeSet<(&'static str, String, String)>);

impl TakenOff {
    /// The call, once for each policy whether it is still there or not.
    fn all<'a>(
        &mut self,
        call: &'static str,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Vec<&'static str> {
        let pairs = pairs.into_iter().map(|(holder, what)| self.0.insert((call, holder.to_owned(), what.to_owned())));
        times(pairs.count(), call)
    }

    /// The call, once for each policy that is still to be taken off its holder.
    fn each<'a>(
        &mut self,
        call: &'static str,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Vec<&'static str> {
        let is_new = |(holder, what): &(&str, &str)| self.0.insert((call, (*holder).to_owned(), (*what).to_owned()));
        let count = pairs.into_iter().filter(is_new).count();
        times(count, call)
    }
}

/// The texts in a list.
pub(super) fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// So many times the same.
pub(super) fn times(count: usize, call: &'static str) -> Vec<&'static str> {
    vec![call; count]
}

pub(super) fn length(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}

/// Of a create: whose is what has the name, if anything has it; what a create that was interrupted has left; and the create.
fn creating(task: &Task, wanted: &Value) -> Option<Vec<&'static str>> {
    if let Some(plain) = plain(task.resource_type.as_str()) {
        return Some(plain.create.to_vec());
    }
    Some(match task.resource_type.as_str() {
        "AWS::ApiGateway::Account" => [times(2, "apigateway.GetAccount"), vec!["apigateway.UpdateAccount"]].concat(),
        "AWS::ApiGateway::ApiKey" => [times(2, "apigateway.GetApiKeys"), vec!["apigateway.CreateApiKey"]].concat(),
        "AWS::ApiGateway::Deployment" => {
            [times(2, "apigateway.GetDeployments"), vec!["apigateway.CreateDeployment"]].concat()
        }
        "AWS::ApiGateway::GatewayResponse" => vec!["apigateway.GetGatewayResponse", "apigateway.PutGatewayResponse"],
        "AWS::ApiGateway::Method" => {
            let integration = &wanted["Integration"];
            let put = usize::from(!integration.is_null());
            [
                times(2, "apigateway.GetMethod"),
                vec!["apigateway.PutMethod"],
                times(length(&wanted["MethodResponses"]), "apigateway.PutMethodResponse"),
                times(put, "apigateway.PutIntegration"),
                times(length(&integration["IntegrationResponses"]), "apigateway.PutIntegrationResponse"),
            ]
            .concat()
        }
        "AWS::ApiGateway::Model" => [times(2, "apigateway.GetModel"), vec!["apigateway.CreateModel"]].concat(),
        "AWS::ApiGateway::RequestValidator" => {
            [times(2, "apigateway.GetRequestValidators"), vec!["apigateway.CreateRequestValidator"]].concat()
        }
        "AWS::ApiGateway::Resource" => {
            [times(2, "apigateway.GetResources"), vec!["apigateway.CreateResource"]].concat()
        }
        "AWS::ApiGateway::RestApi" => {
            [times(2, "apigateway.GetRestApis"), vec!["apigateway.CreateRestApi", "apigateway.GetRestApi"]].concat()
        }
        "AWS::ApiGateway::Stage" => {
            // What a create does not take is patched, and looked at again.
            let is_patched = !wanted["AccessLogSetting"].is_null() || length(&wanted["MethodSettings"]) > 0;
            let patches = usize::from(is_patched);
            [
                times(3 + patches, "apigateway.GetStage"),
                vec!["apigateway.CreateStage"],
                times(patches, "apigateway.UpdateStage"),
            ]
            .concat()
        }
        "AWS::ApiGateway::UsagePlan" => {
            [times(2, "apigateway.GetUsagePlans"), vec!["apigateway.CreateUsagePlan"]].concat()
        }
        "AWS::ApiGateway::UsagePlanKey" => {
            [times(2, "apigateway.GetUsagePlanKey"), vec!["apigateway.CreateUsagePlanKey"]].concat()
        }
        "AWS::CloudWatch::Alarm" => [times(3, "cloudwatch.DescribeAlarms"), vec!["cloudwatch.PutMetricAlarm"]].concat(),
        "AWS::CloudWatch::Dashboard" => {
            [times(3, "cloudwatch.GetDashboard"), vec!["cloudwatch.PutDashboard", "cloudwatch.ListTagsForResource"]]
                .concat()
        }
        "AWS::CloudWatch::CompositeAlarm" => {
            [times(3, "cloudwatch.DescribeAlarms"), vec!["cloudwatch.PutCompositeAlarm"]].concat()
        }
        "AWS::DynamoDB::GlobalTable" => table(wanted, &wanted["Replicas"][0]),
        "AWS::DynamoDB::Table" => table(wanted, wanted),
        "AWS::IAM::Group" => [
            times(4, "iam.GetGroup"),
            vec!["iam.CreateGroup"],
            times(length(&wanted["Policies"]), "iam.PutGroupPolicy"),
            times(length(&wanted["ManagedPolicyArns"]), "iam.AttachGroupPolicy"),
        ]
        .concat(),
        "AWS::IAM::GroupPolicy" => vec!["iam.GetGroupPolicy", "iam.PutGroupPolicy", "iam.GetGroupPolicy"],
        "AWS::IAM::InstanceProfile" => [
            times(3, "iam.GetInstanceProfile"),
            vec!["iam.CreateInstanceProfile"],
            times(length(&wanted["Roles"]), "iam.AddRoleToInstanceProfile"),
        ]
        .concat(),
        "AWS::IAM::ManagedPolicy" => [
            times(4, "iam.GetPolicy"),
            vec!["iam.CreatePolicy"],
            times(length(&wanted["Groups"]), "iam.AttachGroupPolicy"),
            times(length(&wanted["Roles"]), "iam.AttachRolePolicy"),
            times(length(&wanted["Users"]), "iam.AttachUserPolicy"),
        ]
        .concat(),
        "AWS::IAM::Policy" => {
            let (groups, roles, users) =
                (length(&wanted["Groups"]), length(&wanted["Roles"]), length(&wanted["Users"]));
            [
                times(2 * groups, "iam.GetGroupPolicy"),
                times(2 * roles, "iam.GetRolePolicy"),
                times(2 * users, "iam.GetUserPolicy"),
                times(groups, "iam.PutGroupPolicy"),
                times(roles, "iam.PutRolePolicy"),
                times(users, "iam.PutUserPolicy"),
            ]
            .concat()
        }
        "AWS::IAM::Role" => [
            times(3, "iam.GetRole"),
            vec!["iam.CreateRole"],
            times(length(&wanted["Policies"]), "iam.PutRolePolicy"),
            times(length(&wanted["ManagedPolicyArns"]), "iam.AttachRolePolicy"),
        ]
        .concat(),
        "AWS::IAM::RolePolicy" => vec!["iam.GetRolePolicy", "iam.PutRolePolicy", "iam.GetRolePolicy"],
        "AWS::IAM::User" => [
            times(3, "iam.GetUser"),
            vec!["iam.CreateUser"],
            times(length(&wanted["Policies"]), "iam.PutUserPolicy"),
            times(length(&wanted["ManagedPolicyArns"]), "iam.AttachUserPolicy"),
            times(length(&wanted["Groups"]), "iam.AddUserToGroup"),
        ]
        .concat(),
        "AWS::IAM::UserPolicy" => vec!["iam.GetUserPolicy", "iam.PutUserPolicy", "iam.GetUserPolicy"],
        "AWS::IAM::UserToGroupAddition" => {
            [times(2, "iam.GetGroup"), times(length(&wanted["Users"]), "iam.AddUserToGroup")].concat()
        }
        "AWS::Lambda::Alias" => [vec!["lambda.GetAlias", "lambda.CreateAlias"], provisioning(wanted)].concat(),
        "AWS::Lambda::EventSourceMapping" => [
            times(2, "lambda.ListEventSourceMappings"),
            vec!["lambda.CreateEventSourceMapping", "lambda.GetEventSourceMapping"],
        ]
        .concat(),
        "AWS::Lambda::Function" => {
            let uses = |setting: &str| usize::from(function::uses(wanted, setting));
            [
                times(3, "lambda.GetFunction"),
                vec!["lambda.CreateFunction"],
                times(uses("ReservedConcurrentExecutions"), "lambda.PutFunctionConcurrency"),
                times(uses("RecursiveLoop"), "lambda.PutFunctionRecursionConfig"),
                times(uses("RuntimeManagementConfig"), "lambda.PutRuntimeManagementConfig"),
            ]
            .concat()
        }
        "AWS::Lambda::LayerVersion" => {
            [times(2, "lambda.ListLayerVersions"), vec!["lambda.PublishLayerVersion"]].concat()
        }
        "AWS::Lambda::Permission" => [times(3, "lambda.GetPolicy"), vec!["lambda.AddPermission"]].concat(),
        "AWS::Lambda::Version" => {
            let runtime = usize::from(!wanted["RuntimePolicy"].is_null());
            [
                times(2, "lambda.ListVersionsByFunction"),
                vec!["lambda.PublishVersion", "lambda.GetFunction"],
                times(runtime, "lambda.PutRuntimeManagementConfig"),
                provisioning(wanted),
            ]
            .concat()
        }
        "AWS::Logs::Destination" => {
            let policy = usize::from(!wanted["DestinationPolicy"].is_null());
            [
                times(3, "logs.DescribeDestinations"),
                vec!["logs.PutDestination"],
                times(policy, "logs.PutDestinationPolicy"),
            ]
            .concat()
        }
        "AWS::Logs::LogGroup" => {
            let is_set = |property: &str| usize::from(!wanted[property].is_null());
            let is_standard = usize::from(wanted["LogGroupClass"] == "STANDARD");
            [
                times(2, "logs.DescribeLogGroups"),
                vec!["logs.CreateLogGroup", "logs.ListTagsForResource"],
                times(is_standard, "logs.DescribeIndexPolicies"),
                times(is_set("RetentionInDays"), "logs.PutRetentionPolicy"),
                times(is_set("DataProtectionPolicy"), "logs.PutDataProtectionPolicy"),
                times(length(&wanted["FieldIndexPolicies"]), "logs.PutIndexPolicy"),
            ]
            .concat()
        }
        "AWS::Logs::QueryDefinition" => {
            [times(3, "logs.DescribeQueryDefinitions"), vec!["logs.PutQueryDefinition"]].concat()
        }
        "AWS::SNS::Subscription" => [times(2, "sns.ListSubscriptionsByTopic"), vec!["sns.Subscribe"]].concat(),
        "AWS::SNS::Topic" => topic(wanted)?,
        "AWS::SNS::TopicPolicy" => {
            let topics = length(&wanted["Topics"]);
            [times(2 * topics, "sns.GetTopicAttributes"), times(topics, "sns.SetTopicAttributes")].concat()
        }
        "AWS::SQS::Queue" => [times(2, "sqs.GetQueueUrl"), vec!["sqs.CreateQueue", "sqs.GetQueueAttributes"]].concat(),
        "AWS::SQS::QueuePolicy" => {
            let queues = length(&wanted["Queues"]);
            [times(2 * queues, "sqs.GetQueueAttributes"), times(queues, "sqs.SetQueueAttributes")].concat()
        }
        "AWS::WAFv2::LoggingConfiguration" => {
            [times(2, "wafv2.GetLoggingConfiguration"), vec!["wafv2.PutLoggingConfiguration"]].concat()
        }
        "AWS::WAFv2::WebACL" => [times(2, "wafv2.ListWebACLs"), vec!["wafv2.CreateWebACL", "wafv2.GetWebACL"]].concat(),
        "AWS::WAFv2::WebACLAssociation" => {
            [times(2, "wafv2.GetWebACLForResource"), vec!["wafv2.AssociateWebACL"]].concat()
        }
        _ => return None,
    })
}

/// A table, global or not: what a replica has of its own, `here` has of the one in this region.
fn table(wanted: &Value, here: &Value) -> Vec<&'static str> {
    let is_set = |value: &Value| usize::from(!value.is_null());
    let expires = is_set(&wanted["TimeToLiveSpecification"]);
    let (recovers, policy) = (is_set(&here["PointInTimeRecoverySpecification"]), is_set(&here["ResourcePolicy"]));
    [
        times(3, "dynamodb.DescribeTable"),
        vec!["dynamodb.CreateTable", "dynamodb.ListTagsOfResource"],
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

/// Attributes of a new topic are set one a call. `None` for one with subscriptions or a delivery status of its own.
fn topic(wanted: &Value) -> Option<Vec<&'static str>> {
    let is_rare = ["DeliveryStatusLogging", "Subscription"].iter().any(|it| length(&wanted[*it]) > 0)
        || !wanted["DataProtectionPolicy"].is_null()
        || wanted["MaximumMessageSize"].as_i64().is_some_and(|size| size != 262_144);
    if is_rare {
        return None;
    }
    let is_fifo = wanted["FifoTopic"] == true;
    let differs = |(property, unset): &&(&str, &str)| wanted[*property].as_str().is_some_and(|value| value != *unset);
    let texts =
        [("DisplayName", ""), ("KmsMasterKeyId", ""), ("SignatureVersion", "1"), ("TracingConfig", "PassThrough")];
    let fifo_texts = [("FifoThroughputScope", "Topic")];
    let set = texts.iter().chain(fifo_texts.iter().filter(|_| is_fifo)).filter(differs).count()
        + usize::from(is_fifo && wanted["ContentBasedDeduplication"] == true)
        + usize::from(is_fifo && !wanted["ArchivePolicy"].is_null());
    Some(
        [
            // What is to be set is compared with what is there once more.
            times(3 + usize::from(set > 0), "sns.GetTopicAttributes"),
            vec!["sns.CreateTopic", "sns.ListTagsForResource"],
            times(usize::from(!is_fifo), "sns.GetDataProtectionPolicy"),
            times(set, "sns.SetTopicAttributes"),
        ]
        .concat(),
    )
}

/// Of a deletion: the call, and the first look whether it is gone.
fn deleting(task: &Task, live: &Value, taken_off: &mut TakenOff) -> Option<Vec<&'static str>> {
    if let Some(plain) = plain(task.resource_type.as_str()) {
        return Some(plain.delete.to_vec());
    }
    Some(match task.resource_type.as_str() {
        "AWS::ApiGateway::Account" => vec!["apigateway.GetAccount", "apigateway.UpdateAccount"],
        "AWS::ApiGateway::ApiKey" => vec!["apigateway.DeleteApiKey"],
        "AWS::ApiGateway::Deployment" => vec!["apigateway.GetDeployment", "apigateway.DeleteDeployment"],
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
        "AWS::IAM::Group" => {
            let name = live["GroupName"].as_str().unwrap_or_default();
            let mut calls = vec![
                "iam.ListAttachedGroupPolicies",
                "iam.ListGroupPolicies",
                "iam.GetGroup",
                "iam.DeleteGroup",
                "iam.GetGroup",
            ];
            calls.extend(taken_off.each("iam.DeleteGroupPolicy", inline(live).map(|policy| (name, policy))));
            calls.extend(taken_off.each("iam.DetachGroupPolicy", attached(live).map(|policy| (name, policy))));
            calls
        }
        "AWS::IAM::GroupPolicy" | "AWS::IAM::RolePolicy" | "AWS::IAM::UserPolicy" | "AWS::IAM::Policy" => {
            let name = live["PolicyName"].as_str().unwrap_or_default();
            let kinds = [
                (["GroupName", "Groups"], "iam.DeleteGroupPolicy", "iam.GetGroupPolicy"),
                (["RoleName", "Roles"], "iam.DeleteRolePolicy", "iam.GetRolePolicy"),
                (["UserName", "Users"], "iam.DeleteUserPolicy", "iam.GetUserPolicy"),
            ];
            let mut calls = Vec::new();
            for ([one, several], delete, get) in kinds {
                let holders: Vec<&str> = live[one].as_str().into_iter().chain(texts(&live[several])).collect();
                calls.extend(times(holders.len(), get));
                calls.extend(taken_off.all(delete, holders.into_iter().map(|holder| (holder, name))));
            }
            calls
        }
        "AWS::IAM::InstanceProfile" => [
            times(2, "iam.GetInstanceProfile"),
            vec!["iam.DeleteInstanceProfile"],
            times(length(&live["Roles"]), "iam.RemoveRoleFromInstanceProfile"),
        ]
        .concat(),
        "AWS::IAM::ManagedPolicy" => {
            let arn = task.physical_id.as_ref().map(PhysicalId::as_str).unwrap_or_default();
            let mut calls =
                vec!["iam.ListEntitiesForPolicy", "iam.ListPolicyVersions", "iam.DeletePolicy", "iam.GetPolicy"];
            let kinds = [
                ("Groups", "iam.DetachGroupPolicy"),
                ("Roles", "iam.DetachRolePolicy"),
                ("Users", "iam.DetachUserPolicy"),
            ];
            for (property, detach) in kinds {
                calls.extend(taken_off.each(detach, texts(&live[property]).map(|holder| (holder, arn))));
            }
            calls
        }
        "AWS::IAM::Role" => {
            let name = live["RoleName"].as_str().unwrap_or_default();
            let mut calls = vec![
                "iam.ListAttachedRolePolicies",
                "iam.ListRolePolicies",
                "iam.ListInstanceProfilesForRole",
                "iam.DeleteRole",
                "iam.GetRole",
            ];
            calls.extend(taken_off.each("iam.DeleteRolePolicy", inline(live).map(|policy| (name, policy))));
            calls.extend(taken_off.each("iam.DetachRolePolicy", attached(live).map(|policy| (name, policy))));
            calls
        }
        "AWS::IAM::User" => {
            let name = live["UserName"].as_str().unwrap_or_default();
            let mut calls = vec![
                "iam.ListAttachedUserPolicies",
                "iam.ListUserPolicies",
                "iam.ListGroupsForUser",
                "iam.DeleteLoginProfile",
                "iam.ListAccessKeys",
                "iam.DeleteUser",
                "iam.GetUser",
            ];
            calls.extend(taken_off.each("iam.DeleteUserPolicy", inline(live).map(|policy| (name, policy))));
            calls.extend(taken_off.each("iam.DetachUserPolicy", attached(live).map(|policy| (name, policy))));
            calls.extend(taken_off.each("iam.RemoveUserFromGroup", texts(&live["Groups"]).map(|group| (group, name))));
            calls
        }
        "AWS::IAM::UserToGroupAddition" => {
            let group = live["GroupName"].as_str().unwrap_or_default();
            let removed = taken_off.all("iam.RemoveUserFromGroup", texts(&live["Users"]).map(|user| (group, user)));
            [removed, vec!["iam.GetGroup"]].concat()
        }
        "AWS::Lambda::Alias" => vec!["lambda.DeleteAlias", "lambda.GetAlias"],
        "AWS::Lambda::EventSourceMapping" => {
            vec!["lambda.DeleteEventSourceMapping", "lambda.GetEventSourceMapping"]
        }
        "AWS::Lambda::Function" => vec!["lambda.DeleteFunction", "lambda.GetFunction"],
        "AWS::Lambda::LayerVersion" => vec!["lambda.DeleteLayerVersion", "lambda.GetLayerVersion"],
        "AWS::Lambda::Version" => vec!["lambda.DeleteFunction", "lambda.GetFunction"],
        "AWS::Logs::Destination" => vec!["logs.DeleteDestination", "logs.DescribeDestinations"],
        "AWS::Lambda::Permission" => vec!["lambda.RemovePermission", "lambda.GetPolicy"],
        "AWS::Logs::LogGroup" => vec!["logs.DeleteLogGroup", "logs.DescribeLogGroups"],
        "AWS::Logs::QueryDefinition" => vec!["logs.DeleteQueryDefinition", "logs.DescribeQueryDefinitions"],
        // One that waits for a confirmation cannot be taken back.
        "AWS::SNS::Subscription" if task.physical_id.as_ref().is_some_and(|id| id.as_str().starts_with("pending|")) => {
            vec!["sns.ListSubscriptionsByTopic"]
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
        "AWS::SNS::TopicPolicy" => times(length(&live["Topics"]), "sns.SetTopicAttributes"),
        "AWS::SQS::Queue" => vec!["sqs.DeleteQueue", "sqs.GetQueueAttributes"],
        "AWS::SQS::QueuePolicy" => {
            let queues = length(&live["Queues"]);
            [times(queues, "sqs.SetQueueAttributes"), times(queues, "sqs.GetQueueAttributes")].concat()
        }
        "AWS::WAFv2::LoggingConfiguration" => {
            vec!["wafv2.DeleteLoggingConfiguration", "wafv2.GetLoggingConfiguration"]
        }
        "AWS::WAFv2::WebACL" => vec!["wafv2.GetWebACL", "wafv2.DeleteWebACL", "wafv2.GetWebACL"],
        "AWS::WAFv2::WebACLAssociation" => {
            vec!["wafv2.GetWebACLForResource", "wafv2.DisassociateWebACL", "wafv2.GetWebACLForResource"]
        }
        _ => return None,
    })
}

/// The names of the inline policies that a role, a user or a group shows.
pub(super) fn inline(live: &Value) -> impl Iterator<Item = &str> {
    live["Policies"].as_array().into_iter().flatten().filter_map(|policy| policy["PolicyName"].as_str())
}

/// The ARNs of the managed policies that it shows.
fn attached(live: &Value) -> impl Iterator<Item = &str> {
    texts(&live["ManagedPolicyArns"])
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
