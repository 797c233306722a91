//! `AWS::ApiGateway`: REST APIs, what is inside of them, what leads to them, and what the account says of them.

pub mod account;
pub mod api_key;
pub mod authorizer;
pub mod base_path_mapping;
pub mod body;
pub mod client_certificate;
pub mod deployment;
pub mod documentation_part;
pub mod documentation_version;
pub mod domain_name;
pub mod gateway_response;
mod integration;
pub mod method;
pub mod method_setting;
pub mod model;
pub mod patch;
pub mod request_validator;
pub mod resource;
pub mod rest_api;
pub mod stage;
pub mod usage_plan;
pub mod usage_plan_key;
pub mod vpc_link;

use crate::aws::Context;
use crate::aws::error::{AwsError, ErrorClass, absent_is_none};
use crate::identity::PhysicalId;

/// The identifier of something inside of an API, from the outside in: `a1b2c3|Order`.
fn joined<const N: usize>(parts: [&str; N]) -> PhysicalId {
    PhysicalId::from(parts.join("|"))
}

/// What a list has of an API's parts, where one call for all of them saves many: in a survey. It may not have yet what has just
/// been made.
async fn listed<T, F>(cx: &Context, list: impl FnOnce() -> F) -> Result<Vec<T>, AwsError>
where
    F: Future<Output = Result<Vec<T>, AwsError>>,
{
    match cx.survey {
        Some(_) => Ok(absent_is_none(list().await)?.unwrap_or_default()),
        None => Ok(Vec::new()),
    }
}

/// The parts of an identifier that [`joined`] made.
fn parts<const N: usize>(id: &PhysicalId) -> Result<[&str; N], AwsError> {
    let parts: Vec<&str> = id.as_str().split('|').collect();
    parts.try_into().map_err(|_| {
        let message = format!("the identifier `{id}` does not have the {N} parts that this type's identifiers have");
        AwsError::new("apigateway", ErrorClass::Invalid, message)
    })
}
