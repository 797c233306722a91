//! The table of resource types, in order of name. A new type is its file, one line here, its facts and its tests.

use std::marker::PhantomData;
use std::sync::OnceLock;

use crate::identity::ResourceType;
use crate::resource::facts::Facts;
use crate::resource::{
    Erased, Handler, Resource, apigateway, cloudwatch, dynamodb, iam, lambda, logs, sns, sqs, wafv2,
};

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

impl<H: Handler> Erased<H> {
    const HANDLER: &'static dyn Resource = &Self(PhantomData);
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
    handled::<apigateway::deployment::ApiGatewayDeployment>(include_str!("facts/aws-apigateway-deployment.json")),
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
    handled::<cloudwatch::alarm::CloudWatchAlarm>(include_str!("facts/aws-cloudwatch-alarm.json")),
    handled::<cloudwatch::dashboard::CloudWatchDashboard>(include_str!("facts/aws-cloudwatch-dashboard.json")),
    handled::<dynamodb::table::DynamoDbTable>(include_str!("facts/aws-dynamodb-table.json")),
    handled::<iam::managed_policy::IamManagedPolicy>(include_str!("facts/aws-iam-managedpolicy.json")),
    handled::<iam::policy::IamPolicy>(include_str!("facts/aws-iam-policy.json")),
    handled::<iam::role::IamRole>(include_str!("facts/aws-iam-role.json")),
    handled::<lambda::event_source_mapping::LambdaEventSourceMapping>(include_str!(
        "facts/aws-lambda-eventsourcemapping.json"
    )),
    handled::<lambda::function::LambdaFunction>(include_str!("facts/aws-lambda-function.json")),
    handled::<lambda::layer_version::LambdaLayerVersion>(include_str!("facts/aws-lambda-layerversion.json")),
    handled::<lambda::permission::LambdaPermission>(include_str!("facts/aws-lambda-permission.json")),
    handled::<logs::log_group::LogsLogGroup>(include_str!("facts/aws-logs-loggroup.json")),
    handled::<logs::metric_filter::LogsMetricFilter>(include_str!("facts/aws-logs-metricfilter.json")),
    handled::<logs::query_definition::LogsQueryDefinition>(include_str!("facts/aws-logs-querydefinition.json")),
    handled::<logs::resource_policy::LogsResourcePolicy>(include_str!("facts/aws-logs-resourcepolicy.json")),
    handled::<sns::subscription::SnsSubscription>(include_str!("facts/aws-sns-subscription.json")),
    handled::<sns::topic::SnsTopic>(include_str!("facts/aws-sns-topic.json")),
    handled::<sns::topic_policy::SnsTopicPolicy>(include_str!("facts/aws-sns-topicpolicy.json")),
    handled::<sqs::queue::SqsQueue>(include_str!("facts/aws-sqs-queue.json")),
    handled::<sqs::queue_policy::SqsQueuePolicy>(include_str!("facts/aws-sqs-queuepolicy.json")),
    handled::<wafv2::ip_set::Wafv2IpSet>(include_str!("facts/aws-wafv2-ipset.json")),
    handled::<wafv2::logging_configuration::Wafv2LoggingConfiguration>(include_str!(
        "facts/aws-wafv2-loggingconfiguration.json"
    )),
    handled::<wafv2::web_acl::Wafv2WebAcl>(include_str!("facts/aws-wafv2-webacl.json")),
    handled::<wafv2::web_acl_association::Wafv2WebAclAssociation>(include_str!(
        "facts/aws-wafv2-webaclassociation.json"
    )),
];

/// The row of a type, if paystack handles it.
pub fn row(resource_type: &ResourceType) -> Option<&'static Row> {
    TYPES.iter().find(|row| row.handler.resource_type() == resource_type.as_str())
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
