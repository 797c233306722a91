//! `AWS::ApiGateway::GatewayResponse`: what an API answers by itself. Found by its type, of which every API has one, given by
//! the service until somebody sets it. API and type replace it.
//!
//! CloudFormation's identifier is an `Id` of its own making, from which nothing can be read: here API and type are it.

use std::collections::BTreeMap;

use aws_sdk_apigateway::types;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::apigateway::{joined, listed, parts, patch};
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct ApiGatewayGatewayResponse;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct GatewayResponse {
    pub rest_api_id: String,
    pub response_type: String,
    pub status_code: Option<String>,
    pub response_parameters: BTreeMap<String, String>,
    pub response_templates: BTreeMap<String, String>,
}

impl Handler for ApiGatewayGatewayResponse {
    const TYPE: &'static str = "AWS::ApiGateway::GatewayResponse";
    const FOUND_BY: &'static [&'static str] = &["RestApiId", "ResponseType"];
    const PART_OF: &'static [&'static str] = &["RestApiId"];
    const WITHIN: Option<&'static str> = Some("AWS::ApiGateway::RestApi");
    type Properties = GatewayResponse;

    fn complete(response: &mut GatewayResponse) {
        if response.status_code.is_none() {
            response.status_code = usual_status(&response.response_type).map(str::to_owned);
        }
        if response.response_templates.is_empty() {
            let message = r#"{"message":$context.error.messageString}"#;
            response.response_templates.insert("application/json".to_owned(), message.to_owned());
        }
    }

    fn predict(_scope: &Scope, response: &GatewayResponse) -> Attributes {
        attributes(&identifier(response))
    }

    async fn find(cx: &Context, _owner: &Owner, response: &GatewayResponse) -> Result<Option<PhysicalId>, AwsError> {
        let id = identifier(response);
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<GatewayResponse>>, AwsError> {
        let [api, kind] = parts(id)?;
        let listed = listed(cx, || ours(cx, api)).await?;
        let shown = match listed.into_iter().find(|it| it.response_type() == Some(&kind.into())) {
            Some(it) => Some((it.status_code, it.response_parameters, it.response_templates)),
            None => {
                let get = cx.apigateway.get_gateway_response().rest_api_id(api).response_type(kind.into());
                let shown = found("apigateway.GetGatewayResponse", get.send().await)?.filter(|it| !it.default_response);
                shown.map(|it| (it.status_code, it.response_parameters, it.response_templates))
            }
        };
        let Some((status_code, response_parameters, response_templates)) = shown else { return Ok(None) };
        let response = GatewayResponse {
            rest_api_id: api.to_owned(),
            response_type: kind.to_owned(),
            status_code,
            response_parameters: response_parameters.unwrap_or_default().into_iter().collect(),
            response_templates: response_templates.unwrap_or_default().into_iter().collect(),
        };
        Ok(Some(Live::unmarkable(response, attributes(id))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        response: &GatewayResponse,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = identifier(response);
        put(cx, response).await?;
        Ok(Made { attributes: attributes(&id), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        response: &GatewayResponse,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put(cx, response).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [api, kind] = parts(id)?;
        let delete = cx.apigateway.delete_gateway_response().rest_api_id(api).response_type(kind.into());
        let delete = || async { gone_is_fine(delete.clone().send().await.during("apigateway.DeleteGatewayResponse")) };
        patch::write(cx, api, delete).await?;
        cx.until("apigateway.GetGatewayResponse", "the response to be the service's", Patience::seconds(60), || async {
            Ok(Self::read(cx, id).await?.is_none().then_some(()))
        })
        .await
    }

    async fn list_within(cx: &Context, api: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let kinds = ours(cx, api.as_str()).await?.into_iter().filter_map(|it| it.response_type);
        Ok(kinds.map(|kind| joined([api.as_str(), kind.as_str()])).collect())
    }
}

/// An API's responses, but for those that are the service's own.
async fn ours(cx: &Context, api: &str) -> Result<Vec<types::GatewayResponse>, AwsError> {
    const GET: &str = "apigateway.GetGatewayResponses";
    cx.once(GET, api, || async {
        // There are 21 kinds, all of them always listed: one page.
        let answer = cx.apigateway.get_gateway_responses().rest_api_id(api).limit(500).send().await;
        let all = answer.during(GET)?.items.unwrap_or_default();
        Ok(all.into_iter().filter(|it| !it.default_response).collect())
    })
    .await
}

/// Puts the whole response in place of whatever is there.
async fn put(cx: &Context, response: &GatewayResponse) -> Result<(), AwsError> {
    let put = cx
        .apigateway
        .put_gateway_response()
        .rest_api_id(&response.rest_api_id)
        .response_type(response.response_type.as_str().into())
        .set_status_code(response.status_code.clone())
        .set_response_parameters(Some(response.response_parameters.clone().into_iter().collect()))
        .set_response_templates(Some(response.response_templates.clone().into_iter().collect()));
    let put = || async { put.clone().send().await.during("apigateway.PutGatewayResponse").map(drop) };
    patch::write(cx, &response.rest_api_id, put).await
}

/// The status that the service gives a response whose template gives none. Those for whole classes of errors keep the status
/// of each error.
fn usual_status(response_type: &str) -> Option<&'static str> {
    match response_type {
        "BAD_REQUEST_BODY" | "BAD_REQUEST_PARAMETERS" => Some("400"),
        "UNAUTHORIZED" => Some("401"),
        "ACCESS_DENIED"
        | "EXPIRED_TOKEN"
        | "INVALID_API_KEY"
        | "INVALID_SIGNATURE"
        | "MISSING_AUTHENTICATION_TOKEN"
        | "WAF_FILTERED" => Some("403"),
        "RESOURCE_NOT_FOUND" => Some("404"),
        "REQUEST_TOO_LARGE" => Some("413"),
        "UNSUPPORTED_MEDIA_TYPE" => Some("415"),
        "QUOTA_EXCEEDED" | "THROTTLED" => Some("429"),
        "API_CONFIGURATION_ERROR" | "AUTHORIZER_CONFIGURATION_ERROR" | "AUTHORIZER_FAILURE" => Some("500"),
        "INTEGRATION_FAILURE" | "INTEGRATION_TIMEOUT" => Some("504"),
        _ => None,
    }
}

fn identifier(response: &GatewayResponse) -> PhysicalId {
    joined([&response.rest_api_id, &response.response_type])
}

fn attributes(id: &PhysicalId) -> Attributes {
    referred(id.as_str(), [("Id", id.as_str().to_owned())])
}
