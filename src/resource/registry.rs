//! The table of resource types, in order of name. A new type is its file, one line here, its facts and its tests.

use std::sync::OnceLock;

use crate::identity::ResourceType;
use crate::resource::erased::Erased;
use crate::resource::facts::Facts;
use crate::resource::{Handler, Resource, apigateway, cloudwatch, dynamodb, iam, lambda, logs, sns, sqs, wafv2};

/// A resource type: what is known of it, and who handles it.
pub struct Row {
    pub handler: &'static dyn Resource,
    json: &'static str,
    facts: OnceLock<Facts>,
}

impl Row {
    /// CloudFormation's facts of the type, parsed when they are first asked for.
    pub fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| Facts::parse(self.json).expect("the facts in the tree parse: a test reads them all"))
    }
}

const fn handled<H: Handler>(facts: &'static str) -> Row {
    Row { handler: Erased::<H>::HANDLER, json: facts, facts: OnceLock::new() }
}

/// A static array of as many rows as there are.
macro_rules! table {
    ($($row:expr),* $(,)?) => {
        /// Every type that paystack handles.
        pub static TYPES: [Row; [$(stringify!($row)),*].len()] = [$($row),*];
    };
}

table![
    handled::<apigateway::account::ApiGatewayAccount>(include_str!("facts/aws-apigateway-account.json")),
    handled::<apigateway::api_key::ApiGatewayApiKey>(include_str!("facts/aws-apigateway-apikey.json")),
    handled::<apigateway::authorizer::ApiGatewayAuthorizer>(include_str!("facts/aws-apigateway-authorizer.json")),
    handled::<apigateway::base_path_mapping::ApiGatewayBasePathMapping>(include_str!(
        "facts/aws-apigateway-basepathmapping.json"
    )),
    handled::<apigateway::client_certificate::ApiGatewayClientCertificate>(include_str!(
        "facts/aws-apigateway-clientcertificate.json"
    )),
    handled::<apigateway::deployment::ApiGatewayDeployment>(include_str!("facts/aws-apigateway-deployment.json")),
    handled::<apigateway::documentation_part::ApiGatewayDocumentationPart>(include_str!(
        "facts/aws-apigateway-documentationpart.json"
    )),
    handled::<apigateway::documentation_version::ApiGatewayDocumentationVersion>(include_str!(
        "facts/aws-apigateway-documentationversion.json"
    )),
    handled::<apigateway::domain_name::ApiGatewayDomainName>(include_str!("facts/aws-apigateway-domainname.json")),
    handled::<apigateway::gateway_response::ApiGatewayGatewayResponse>(include_str!(
        "facts/aws-apigateway-gatewayresponse.json"
    )),
    handled::<apigateway::method::ApiGatewayMethod>(include_str!("facts/aws-apigateway-method.json")),
    handled::<apigateway::model::ApiGatewayModel>(include_str!("facts/aws-apigateway-model.json")),
    handled::<apigateway::request_validator::ApiGatewayRequestValidator>(include_str!(
        "facts/aws-apigateway-requestvalidator.json"
    )),
    handled::<apigateway::resource::ApiGatewayResource>(include_str!("facts/aws-apigateway-resource.json")),
    handled::<apigateway::rest_api::ApiGatewayRestApi>(include_str!("facts/aws-apigateway-restapi.json")),
    handled::<apigateway::stage::ApiGatewayStage>(include_str!("facts/aws-apigateway-stage.json")),
    handled::<apigateway::usage_plan::ApiGatewayUsagePlan>(include_str!("facts/aws-apigateway-usageplan.json")),
    handled::<apigateway::usage_plan_key::ApiGatewayUsagePlanKey>(include_str!(
        "facts/aws-apigateway-usageplankey.json"
    )),
    handled::<apigateway::vpc_link::ApiGatewayVpcLink>(include_str!("facts/aws-apigateway-vpclink.json")),
    handled::<cloudwatch::alarm::CloudWatchAlarm>(include_str!("facts/aws-cloudwatch-alarm.json")),
    handled::<cloudwatch::anomaly_detector::CloudWatchAnomalyDetector>(include_str!(
        "facts/aws-cloudwatch-anomalydetector.json"
    )),
    handled::<cloudwatch::composite_alarm::CloudWatchCompositeAlarm>(include_str!(
        "facts/aws-cloudwatch-compositealarm.json"
    )),
    handled::<cloudwatch::dashboard::CloudWatchDashboard>(include_str!("facts/aws-cloudwatch-dashboard.json")),
    handled::<cloudwatch::insight_rule::CloudWatchInsightRule>(include_str!("facts/aws-cloudwatch-insightrule.json")),
    handled::<cloudwatch::metric_stream::CloudWatchMetricStream>(include_str!(
        "facts/aws-cloudwatch-metricstream.json"
    )),
    handled::<dynamodb::global_table::DynamoDbGlobalTable>(include_str!("facts/aws-dynamodb-globaltable.json")),
    handled::<dynamodb::table::DynamoDbTable>(include_str!("facts/aws-dynamodb-table.json")),
    handled::<iam::group::IamGroup>(include_str!("facts/aws-iam-group.json")),
    handled::<iam::group_policy::IamGroupPolicy>(include_str!("facts/aws-iam-grouppolicy.json")),
    handled::<iam::instance_profile::IamInstanceProfile>(include_str!("facts/aws-iam-instanceprofile.json")),
    handled::<iam::managed_policy::IamManagedPolicy>(include_str!("facts/aws-iam-managedpolicy.json")),
    handled::<iam::policy::IamPolicy>(include_str!("facts/aws-iam-policy.json")),
    handled::<iam::role::IamRole>(include_str!("facts/aws-iam-role.json")),
    handled::<iam::role_policy::IamRolePolicy>(include_str!("facts/aws-iam-rolepolicy.json")),
    handled::<iam::service_linked_role::IamServiceLinkedRole>(include_str!("facts/aws-iam-servicelinkedrole.json")),
    handled::<iam::user::IamUser>(include_str!("facts/aws-iam-user.json")),
    handled::<iam::user_policy::IamUserPolicy>(include_str!("facts/aws-iam-userpolicy.json")),
    handled::<iam::user_to_group_addition::IamUserToGroupAddition>(include_str!(
        "facts/aws-iam-usertogroupaddition.json"
    )),
    handled::<lambda::alias::LambdaAlias>(include_str!("facts/aws-lambda-alias.json")),
    handled::<lambda::code_signing_config::LambdaCodeSigningConfig>(include_str!(
        "facts/aws-lambda-codesigningconfig.json"
    )),
    handled::<lambda::event_invoke_config::LambdaEventInvokeConfig>(include_str!(
        "facts/aws-lambda-eventinvokeconfig.json"
    )),
    handled::<lambda::event_source_mapping::LambdaEventSourceMapping>(include_str!(
        "facts/aws-lambda-eventsourcemapping.json"
    )),
    handled::<lambda::function::LambdaFunction>(include_str!("facts/aws-lambda-function.json")),
    handled::<lambda::layer_version::LambdaLayerVersion>(include_str!("facts/aws-lambda-layerversion.json")),
    handled::<lambda::layer_version_permission::LambdaLayerVersionPermission>(include_str!(
        "facts/aws-lambda-layerversionpermission.json"
    )),
    handled::<lambda::permission::LambdaPermission>(include_str!("facts/aws-lambda-permission.json")),
    handled::<lambda::url::LambdaUrl>(include_str!("facts/aws-lambda-url.json")),
    handled::<lambda::version::LambdaVersion>(include_str!("facts/aws-lambda-version.json")),
    handled::<logs::account_policy::LogsAccountPolicy>(include_str!("facts/aws-logs-accountpolicy.json")),
    handled::<logs::destination::LogsDestination>(include_str!("facts/aws-logs-destination.json")),
    handled::<logs::log_anomaly_detector::LogsLogAnomalyDetector>(include_str!(
        "facts/aws-logs-loganomalydetector.json"
    )),
    handled::<logs::log_group::LogsLogGroup>(include_str!("facts/aws-logs-loggroup.json")),
    handled::<logs::log_stream::LogsLogStream>(include_str!("facts/aws-logs-logstream.json")),
    handled::<logs::metric_filter::LogsMetricFilter>(include_str!("facts/aws-logs-metricfilter.json")),
    handled::<logs::query_definition::LogsQueryDefinition>(include_str!("facts/aws-logs-querydefinition.json")),
    handled::<logs::resource_policy::LogsResourcePolicy>(include_str!("facts/aws-logs-resourcepolicy.json")),
    handled::<logs::subscription_filter::LogsSubscriptionFilter>(include_str!(
        "facts/aws-logs-subscriptionfilter.json"
    )),
    handled::<sns::subscription::SnsSubscription>(include_str!("facts/aws-sns-subscription.json")),
    handled::<sns::topic::SnsTopic>(include_str!("facts/aws-sns-topic.json")),
    handled::<sns::topic_inline_policy::SnsTopicInlinePolicy>(include_str!("facts/aws-sns-topicinlinepolicy.json")),
    handled::<sns::topic_policy::SnsTopicPolicy>(include_str!("facts/aws-sns-topicpolicy.json")),
    handled::<sqs::queue::SqsQueue>(include_str!("facts/aws-sqs-queue.json")),
    handled::<sqs::queue_inline_policy::SqsQueueInlinePolicy>(include_str!("facts/aws-sqs-queueinlinepolicy.json")),
    handled::<sqs::queue_policy::SqsQueuePolicy>(include_str!("facts/aws-sqs-queuepolicy.json")),
    handled::<wafv2::ip_set::Wafv2IpSet>(include_str!("facts/aws-wafv2-ipset.json")),
    handled::<wafv2::logging_configuration::Wafv2LoggingConfiguration>(include_str!(
        "facts/aws-wafv2-loggingconfiguration.json"
    )),
    handled::<wafv2::regex_pattern_set::Wafv2RegexPatternSet>(include_str!("facts/aws-wafv2-regexpatternset.json")),
    handled::<wafv2::rule_group::Wafv2RuleGroup>(include_str!("facts/aws-wafv2-rulegroup.json")),
    handled::<wafv2::web_acl::Wafv2WebAcl>(include_str!("facts/aws-wafv2-webacl.json")),
    handled::<wafv2::web_acl_association::Wafv2WebAclAssociation>(include_str!(
        "facts/aws-wafv2-webaclassociation.json"
    )),
];

/// The row of a type, if paystack handles it.
pub fn row(resource_type: &ResourceType) -> Option<&'static Row> {
    let found = TYPES.binary_search_by(|row| row.handler.resource_type().cmp(resource_type.as_str())).ok()?;
    TYPES.get(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_facts_of_its_own_and_they_stand_in_order() {
        for row in &TYPES {
            assert_eq!(row.facts().type_name(), row.handler.resource_type());
        }
        let names: Vec<&str> = TYPES.iter().map(|row| row.handler.resource_type()).collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
    }
}
