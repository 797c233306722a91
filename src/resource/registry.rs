//! The table of resource types, in order of name. A new type is its file, one line here, its facts and its tests.

use std::marker::PhantomData;

use crate::identity::ResourceType;
use crate::resource::{Erased, Handler, Resource, apigateway, sqs};

/// A resource type: what is known of it, and who handles it.
pub struct Row {
    pub handler: &'static dyn Resource,
    /// CloudFormation's facts of the type, as JSON.
    pub facts: &'static str,
}

impl<H: Handler> Erased<H> {
    const HANDLER: &'static dyn Resource = &Self(PhantomData);
}

const fn handled<H: Handler>(facts: &'static str) -> Row {
    Row { handler: Erased::<H>::HANDLER, facts }
}

/// Every type that paystack handles.
pub static TYPES: &[Row] = &[
    handled::<apigateway::api_key::ApiGatewayApiKey>(include_str!("facts/aws-apigateway-apikey.json")),
    handled::<apigateway::deployment::ApiGatewayDeployment>(include_str!("facts/aws-apigateway-deployment.json")),
    handled::<apigateway::rest_api::ApiGatewayRestApi>(include_str!("facts/aws-apigateway-restapi.json")),
    handled::<apigateway::stage::ApiGatewayStage>(include_str!("facts/aws-apigateway-stage.json")),
    handled::<apigateway::usage_plan::ApiGatewayUsagePlan>(include_str!("facts/aws-apigateway-usageplan.json")),
    handled::<apigateway::usage_plan_key::ApiGatewayUsagePlanKey>(include_str!(
        "facts/aws-apigateway-usageplankey.json"
    )),
    handled::<sqs::queue::SqsQueue>(include_str!("facts/aws-sqs-queue.json")),
];

/// The row of a type, if paystack handles it.
pub fn row(resource_type: &ResourceType) -> Option<&'static Row> {
    TYPES.iter().find(|row| row.handler.resource_type() == resource_type.as_str())
}
