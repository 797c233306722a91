//! What reading takes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::aws::survey::Expected;
use crate::budget::Budget;
use crate::budget::iam::{self, GROUP, Holder, ROLE, USER, holder_of_policy, holders_in};
use crate::budget::plain::plain;
use crate::desired::{Desired, of_type};
use crate::identity::{LogicalId, PhysicalId, ResourceType};
use crate::inventory::expected;
use crate::policy::methods::REST_API;
use crate::resource::apigateway::{body, rest_api};
use crate::resource::sns::subscription;
use crate::served;
use crate::state::Ledger;
use crate::template::DesiredResource;

/// A call, and what it asks about: in one survey it is sent once.
type Ask = (&'static str, String);

/// The calls that reading all that a ledger remembers is going to take, where all of it is still there as it was applied.
///
/// `None` where nothing is remembered: how many calls a search takes depends on what it finds.
pub fn of_reading(desired: &Desired, ledger: &Ledger) -> Option<Budget> {
    if !ledger.is_remembered {
        return None;
    }
    let expected = expected(desired, ledger);
    let mut asks = BTreeSet::new();
    let mut budget = Budget::default();
    for (logical_id, record) in &ledger.resources {
        // What was asked for and not answered is looked for until it shows.
        if record.intended.is_some() {
            budget.besides.insert(record.resource_type.clone());
        }
        for id in record.physical_id.iter().chain(&record.deposed) {
            let applied = record.applied.as_ref().unwrap_or(&Value::Null);
            let has_expected_tags = expected.has_tags_together() && expected.tags.contains_key(logical_id);
            let read = Read { expected: &expected, id, applied, has_expected_tags };
            match read.asks(&record.resource_type) {
                Some(of_this) => asks.extend(of_this),
                None => _ = budget.besides.insert(record.resource_type.clone()),
            }
        }
    }
    // What the template has and the ledger has not is looked for by its name or its parent.
    let is_new = |id: &&LogicalId| {
        ledger.resources.get(*id).is_none_or(|record| record.physical_id.is_none() && record.intended.is_none())
    };
    let new = desired.graph.resources.keys().filter(is_new);
    budget.besides.extend(new.filter_map(|id| Some(desired.graph.resources.get(id)?.resource_type.clone())));
    asks.extend(
        served::remembered(desired, ledger).into_keys().map(|stage| ("apigateway.GetExport", stage.to_string())),
    );
    asks.iter().for_each(|(call, _)| budget.add(call));
    // Documents are read before anything else, and one by one.
    let is_in_s3 = |api: &&DesiredResource| {
        let properties = desired.predicted().get(&api.logical_id);
        properties.is_some_and(|properties| properties["BodyS3Location"].get("Bucket").is_some())
    };
    of_type(&desired.graph, REST_API).filter(is_in_s3).for_each(|_| budget.add("s3.GetObject"));
    Some(budget)
}

/// The calls that reading one resource takes by itself, of which nothing else is asked at the same time. `None` for a type that is
/// not in the table.
pub(super) fn of_one(resource_type: &ResourceType, id: &PhysicalId, properties: &Value) -> Option<Vec<&'static str>> {
    let expected = Expected::new("".into(), [], BTreeMap::new());
    let read = Read { expected: &expected, id, applied: properties, has_expected_tags: false };
    let asks: BTreeSet<Ask> = read.asks(resource_type)?.into_iter().collect();
    let alone = |(call, _): Ask| match (call, resource_type.as_str()) {
        // What an import has put into an API is read all at once.
        (call, REST_API) => call,
        ("apigateway.GetGatewayResponses", _) => "apigateway.GetGatewayResponse",
        ("apigateway.GetModels", _) => "apigateway.GetModel",
        ("apigateway.GetRequestValidators", _) => "apigateway.GetRequestValidator",
        ("apigateway.GetResources", "AWS::ApiGateway::Method") => "apigateway.GetMethod",
        ("apigateway.GetResources", _) => "apigateway.GetResource",
        (call, _) => call,
    };
    Some(asks.into_iter().map(alone).collect())
}

/// Reading one resource.
struct Read<'a> {
    expected: &'a Expected,
    id: &'a PhysicalId,
    applied: &'a Value,
    has_expected_tags: bool,
}

fn policy_of(holder: &str, policy: &str) -> String {
    format!("{holder}|{policy}")
}

impl Read<'_> {
    /// `None` for a type that is not in this table.
    fn asks(&self, resource_type: &ResourceType) -> Option<Vec<Ask>> {
        let id = self.id.as_str();
        let first = || id.split('|').next().unwrap_or_default().to_owned();
        let of = |calls: &[&'static str]| calls.iter().map(|call| (*call, id.to_owned())).collect::<Vec<_>>();
        if let Some(plain) = plain(resource_type.as_str()) {
            let of = match resource_type.as_str() {
                // One list tells all of the account's, of the kind's or of the group's.
                "AWS::CloudWatch::InsightRule" | "AWS::Logs::ResourcePolicy" => String::new(),
                "AWS::Logs::AccountPolicy" | "AWS::Logs::MetricFilter" | "AWS::Logs::SubscriptionFilter" => first(),
                _ => id.to_owned(),
            };
            let reads = plain.read.iter().map(|call| (*call, of.clone()));
            return Some(reads.chain(plain.tags.map(|call| self.tags(call))).collect());
        }
        Some(match resource_type.as_str() {
            "AWS::ApiGateway::Account" => vec![("apigateway.GetAccount", String::new())],
            "AWS::ApiGateway::ApiKey" => of(&["apigateway.GetApiKey"]),
            "AWS::ApiGateway::Deployment" => of(&["apigateway.GetDeployment"]),
            "AWS::ApiGateway::GatewayResponse" => vec![("apigateway.GetGatewayResponses", first())],
            "AWS::ApiGateway::Method" | "AWS::ApiGateway::Resource" => vec![("apigateway.GetResources", first())],
            "AWS::ApiGateway::Model" => vec![("apigateway.GetModels", first())],
            "AWS::ApiGateway::RequestValidator" => vec![("apigateway.GetRequestValidators", first())],
            "AWS::ApiGateway::RestApi" if self.applied["BodyDigest"].is_null() => of(&["apigateway.GetRestApi"]),
            // What operations there are beside those of the document, nobody but AWS can say.
            "AWS::ApiGateway::RestApi" if rest_api::is_merged(self.applied) => return None,
            "AWS::ApiGateway::RestApi" => {
                let validators =
                    body::names_validator(&self.applied["Body"]).then_some("apigateway.GetRequestValidators");
                let calls = ["apigateway.GetRestApi", "apigateway.GetResources"].into_iter().chain(validators);
                of(&calls.collect::<Vec<_>>())
            }
            "AWS::ApiGateway::Stage" => of(&["apigateway.GetStage"]),
            "AWS::ApiGateway::UsagePlan" => of(&["apigateway.GetUsagePlan"]),
            "AWS::ApiGateway::UsagePlanKey" => of(&["apigateway.GetUsagePlanKey"]),
            "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => {
                vec![
                    self.together("cloudwatch.DescribeAlarms", resource_type, 100),
                    self.tags("cloudwatch.ListTagsForResource"),
                ]
            }
            "AWS::CloudWatch::Dashboard" => {
                vec![("cloudwatch.GetDashboard", id.to_owned()), self.tags("cloudwatch.ListTagsForResource")]
            }
            "AWS::DynamoDB::GlobalTable" | "AWS::DynamoDB::Table" => {
                let mut asks = of(&[
                    "dynamodb.DescribeTable",
                    "dynamodb.DescribeTimeToLive",
                    "dynamodb.DescribeContinuousBackups",
                    "dynamodb.GetResourcePolicy",
                ]);
                asks.push(self.tags("dynamodb.ListTagsOfResource"));
                asks
            }
            "AWS::IAM::Group" => self.holder(&GROUP),
            "AWS::IAM::InstanceProfile" => of(&["iam.GetInstanceProfile"]),
            "AWS::IAM::ManagedPolicy" => of(&["iam.GetPolicy", "iam.GetPolicyVersion", "iam.ListEntitiesForPolicy"]),
            "AWS::IAM::Policy" => self.policy_of_several(),
            "AWS::IAM::Role" => self.role(resource_type),
            "AWS::IAM::User" => [self.holder(&USER), of(&["iam.ListGroupsForUser"])].concat(),
            "AWS::IAM::UserToGroupAddition" => vec![("iam.GetGroup", format!("the members of {}", first()))],
            "AWS::Lambda::Alias" => of(&["lambda.GetAlias", "lambda.GetProvisionedConcurrencyConfig"]),
            "AWS::Lambda::EventSourceMapping" => {
                vec![("lambda.GetEventSourceMapping", id.to_owned()), self.tags("lambda.ListTags")]
            }
            "AWS::Lambda::Function" => self.function(),
            "AWS::Lambda::LayerVersion" => of(&["lambda.GetLayerVersion"]),
            "AWS::Lambda::Permission" => vec![("lambda.GetPolicy", first())],
            "AWS::Lambda::Version" => of(&[
                "lambda.GetFunction",
                "lambda.GetRuntimeManagementConfig",
                "lambda.GetProvisionedConcurrencyConfig",
            ]),
            "AWS::Logs::Destination" => {
                vec![("logs.DescribeDestinations", id.to_owned()), self.tags("logs.ListTagsForResource")]
            }
            "AWS::Logs::LogGroup" => self.log_group(resource_type),
            "AWS::Logs::QueryDefinition" => vec![("logs.DescribeQueryDefinitions", String::new())],
            // What waits for a confirmation is looked for among the topic's.
            // It may have been confirmed since.
            "AWS::SNS::Subscription" if subscription::is_pending(self.id) => return None,
            "AWS::SNS::Subscription" => of(&["sns.GetSubscriptionAttributes"]),
            "AWS::SNS::Topic" => self.topic(),
            "AWS::SNS::TopicPolicy" => self.each("sns.GetTopicAttributes"),
            "AWS::SQS::Queue" => vec![("sqs.GetQueueAttributes", id.to_owned()), self.tags("sqs.ListQueueTags")],
            "AWS::SQS::QueuePolicy" => self.each("sqs.GetQueueAttributes"),
            "AWS::WAFv2::LoggingConfiguration" => of(&["wafv2.GetLoggingConfiguration"]),
            "AWS::WAFv2::WebACL" => vec![("wafv2.GetWebACL", id.to_owned()), self.tags("wafv2.ListTagsForResource")],
            "AWS::WAFv2::WebACLAssociation" => of(&["wafv2.GetWebACLForResource"]),
            other => return Some(self.inline_policy(holder_of_policy(other)?)),
        })
    }

    /// One call for as many of a type as it takes.
    fn together(&self, call: &'static str, resource_type: &ResourceType, most: usize) -> Ask {
        let together = self.expected.together_with(resource_type.as_str(), self.id.as_str(), most);
        (call, together.first().map(ToString::to_string).unwrap_or_default())
    }

    /// Tags come from one call for the whole stack, or each from its own.
    fn tags(&self, call: &'static str) -> Ask {
        if self.has_expected_tags {
            return ("tagging.GetResources", String::new());
        }
        (call, self.id.to_string())
    }

    /// A policy on several targets is read on each.
    fn each(&self, call: &'static str) -> Vec<Ask> {
        self.id.as_str().split('|').map(|target| (call, target.to_owned())).collect()
    }

    fn role(&self, resource_type: &ResourceType) -> Vec<Ask> {
        if self.expected.together_with(resource_type.as_str(), self.id.as_str(), usize::MAX).len() > 1 {
            return vec![(ROLE.get, self.id.to_string()), ("iam.GetAccountAuthorizationDetails", String::new())];
        }
        self.holder(&ROLE)
    }

    /// A role, a user or a group with its inline policies. What others of the stack put on it is read once for both.
    fn holder(&self, holder: &Holder) -> Vec<Ask> {
        let policies = iam::inline(self.applied).map(|name| (holder.get_policy, policy_of(self.id.as_str(), name)));
        let own = [holder.get, holder.list_policies, holder.list_attached].map(|call| (call, self.id.to_string()));
        policies.chain(own).collect()
    }

    /// A policy that is a part of one role, user or group.
    fn inline_policy(&self, holder: &Holder) -> Vec<Ask> {
        let parts = self.id.parts::<2>();
        parts.into_iter().map(|[policy, name]| (holder.get_policy, policy_of(name, policy))).collect()
    }

    /// A policy that may be on several.
    fn policy_of_several(&self) -> Vec<Ask> {
        let policy = self.applied["PolicyName"].as_str().unwrap_or_default();
        holders_in(self.applied).map(|(holder, name)| (holder.get_policy, policy_of(name, policy))).collect()
    }

    fn function(&self) -> Vec<Ask> {
        const SETTINGS: [(&str, &str); 3] = [
            ("CodeSigningConfigArn", "lambda.GetFunctionCodeSigningConfig"),
            ("RecursiveLoop", "lambda.GetFunctionRecursionConfig"),
            ("RuntimeManagementConfig", "lambda.GetRuntimeManagementConfig"),
        ];
        let used =
            |(property, _): &&(&str, &'static str)| crate::resource::lambda::function::uses(self.applied, property);
        let settings = SETTINGS.iter().filter(used).map(|(_, call)| *call);
        std::iter::once("lambda.GetFunction").chain(settings).map(|call| (call, self.id.to_string())).collect()
    }

    fn log_group(&self, resource_type: &ResourceType) -> Vec<Ask> {
        let id = || self.id.to_string();
        let mut asks =
            vec![self.together("logs.DescribeLogGroups", resource_type, 50), self.tags("logs.ListTagsForResource")];
        if self.applied["LogGroupClass"] == "STANDARD" {
            asks.push(("logs.DescribeIndexPolicies", id()));
        }
        if !self.applied["DataProtectionPolicy"].is_null() {
            asks.push(("logs.GetDataProtectionPolicy", id()));
        }
        asks
    }

    fn topic(&self) -> Vec<Ask> {
        let id = || self.id.to_string();
        let mut asks = vec![("sns.GetTopicAttributes", id())];
        if self.applied["Subscription"].as_array().is_some_and(|all| !all.is_empty()) {
            // A tag of the topic tells which subscriptions are its own: then its tags are not what the template says.
            asks.extend([("sns.ListSubscriptionsByTopic", id()), ("sns.ListTagsForResource", id())]);
            asks.extend(self.has_expected_tags.then(|| ("tagging.GetResources", String::new())));
        } else {
            asks.push(self.tags("sns.ListTagsForResource"));
        }
        if !self.id.as_str().ends_with(".fifo") {
            asks.push(("sns.GetDataProtectionPolicy", id()));
        }
        asks
    }
}
