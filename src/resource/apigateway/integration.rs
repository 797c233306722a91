//! The part of a method that says what stands behind it. Putting an integration replaces it whole, and so is how it changes.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_apigateway::types;
use serde::{Deserialize, Serialize};

use crate::aws::Context;
use crate::aws::error::{AwsError, During, gone_is_fine};
use crate::resource::apigateway::method::{Place, sorted, unless_empty};
use crate::resource::apigateway::patch;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Integration {
    #[serde(rename = "Type")]
    pub kind: String,
    pub cache_key_parameters: BTreeSet<String>,
    /// The resource's identifier where the template gives none.
    pub cache_namespace: Option<String>,
    pub connection_id: Option<String>,
    pub connection_type: String,
    pub content_handling: Option<String>,
    pub credentials: Option<String>,
    pub integration_http_method: Option<String>,
    /// In order of status code.
    pub integration_responses: Vec<IntegrationResponse>,
    pub integration_target: Option<String>,
    pub passthrough_behavior: String,
    /// Parameter of the integration to what of the request it is.
    pub request_parameters: BTreeMap<String, String>,
    /// Content type to template.
    pub request_templates: BTreeMap<String, String>,
    pub response_transfer_mode: String,
    pub timeout_in_millis: i32,
    pub uri: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct IntegrationResponse {
    pub status_code: String,
    pub content_handling: Option<String>,
    /// Header of the response to what of the integration it is.
    pub response_parameters: BTreeMap<String, String>,
    /// Content type to template.
    pub response_templates: BTreeMap<String, String>,
    /// Which answers of the integration become this response. Without it, all that become no other.
    pub selection_pattern: Option<String>,
}

impl Default for Integration {
    fn default() -> Self {
        Self {
            kind: "MOCK".to_owned(),
            cache_key_parameters: BTreeSet::new(),
            cache_namespace: None,
            connection_id: None,
            connection_type: "INTERNET".to_owned(),
            content_handling: None,
            credentials: None,
            integration_http_method: None,
            integration_responses: Vec::new(),
            integration_target: None,
            passthrough_behavior: "WHEN_NO_MATCH".to_owned(),
            request_parameters: BTreeMap::new(),
            request_templates: BTreeMap::new(),
            response_transfer_mode: "BUFFERED".to_owned(),
            timeout_in_millis: 29_000,
            uri: None,
        }
    }
}

impl Integration {
    pub(super) fn complete(&mut self, resource: &str) {
        self.cache_namespace.get_or_insert_with(|| resource.to_owned());
        self.integration_responses.sort_by(|one, other| one.status_code.cmp(&other.status_code));
        for response in &mut self.integration_responses {
            response.selection_pattern.take_if(|pattern| pattern.is_empty());
        }
        if self.kind == "MOCK" {
            // There is nothing behind it to call, and the service forgets what one says of it.
            self.integration_http_method = None;
            self.uri = None;
        }
    }

    fn without_responses(&self) -> Self {
        Self { integration_responses: Vec::new(), ..self.clone() }
    }
}

/// One call of those that make an integration what it should be.
pub(super) enum Step<'a> {
    Put(&'a Integration),
    PutResponse(&'a IntegrationResponse),
    DeleteResponse(String),
    Delete,
}

impl Step<'_> {
    pub(super) fn call(&self) -> &'static str {
        match self {
            Self::Put(_) => PUT,
            Self::PutResponse(_) => PUT_RESPONSE,
            Self::DeleteResponse(_) => DELETE_RESPONSE,
            Self::Delete => DELETE,
        }
    }

    pub(super) async fn take(self, cx: &Context, place: Place<'_>) -> Result<(), AwsError> {
        match self {
            Self::Put(integration) => put(cx, place, integration).await,
            Self::PutResponse(response) => put_response(cx, place, response).await,
            Self::DeleteResponse(status_code) => delete_response(cx, place, &status_code).await,
            Self::Delete => delete(cx, place).await,
        }
    }
}

const PUT: &str = "apigateway.PutIntegration";
const PUT_RESPONSE: &str = "apigateway.PutIntegrationResponse";
const DELETE_RESPONSE: &str = "apigateway.DeleteIntegrationResponse";
const DELETE: &str = "apigateway.DeleteIntegration";

/// How one integration becomes another, or goes.
pub(super) fn steps<'a>(live: Option<&Integration>, wanted: Option<&'a Integration>) -> Vec<Step<'a>> {
    let Some(wanted) = wanted else { return live.map(|_| Step::Delete).into_iter().collect() };
    let is_kept = live.is_some_and(|live| live.without_responses() == wanted.without_responses());
    let live_responses = live.map(|live| live.integration_responses.as_slice()).unwrap_or_default();
    // A new integration has lost the responses of the old one.
    let put = wanted.integration_responses.iter().filter(|it| !is_kept || !live_responses.contains(it));
    let is_wanted = |status_code: &str| wanted.integration_responses.iter().any(|it| it.status_code == status_code);
    let gone = live_responses.iter().filter(|live| !is_wanted(&live.status_code));
    let gone = gone.map(|response| Step::DeleteResponse(response.status_code.clone()));
    (!is_kept).then_some(Step::Put(wanted)).into_iter().chain(put.map(Step::PutResponse)).chain(gone).collect()
}

async fn put(cx: &Context, place: Place<'_>, integration: &Integration) -> Result<(), AwsError> {
    let Integration {
        kind,
        cache_key_parameters,
        cache_namespace,
        connection_id,
        connection_type,
        content_handling,
        credentials,
        integration_http_method,
        integration_responses: _,
        integration_target,
        passthrough_behavior,
        request_parameters,
        request_templates,
        response_transfer_mode,
        timeout_in_millis,
        uri,
    } = integration;
    let usual = Integration::default();
    let unusual = |value: &str, usual: &str| (value != usual).then(|| value.to_owned());
    let put = cx
        .apigateway
        .put_integration()
        .rest_api_id(place.api)
        .resource_id(place.resource)
        .http_method(place.verb)
        .r#type(kind.as_str().into())
        .set_cache_key_parameters(unless_empty(cache_key_parameters))
        .set_cache_namespace(cache_namespace.clone())
        .set_connection_id(connection_id.clone())
        .set_connection_type(unusual(connection_type, &usual.connection_type).map(|it| it.as_str().into()))
        .set_content_handling(content_handling.as_deref().map(Into::into))
        .set_credentials(credentials.clone())
        .set_integration_http_method(integration_http_method.clone())
        .set_integration_target(integration_target.clone())
        .passthrough_behavior(passthrough_behavior)
        .set_request_parameters(unless_empty(request_parameters))
        .set_request_templates(unless_empty(request_templates))
        .set_response_transfer_mode(
            unusual(response_transfer_mode, &usual.response_transfer_mode).map(|it| it.as_str().into()),
        )
        .timeout_in_millis(*timeout_in_millis)
        .set_uri(uri.clone());
    let put = || async { put.clone().send().await.during(PUT).map(drop) };
    patch::write(cx, place.api, put).await
}

async fn delete(cx: &Context, place: Place<'_>) -> Result<(), AwsError> {
    let delete = cx.apigateway.delete_integration();
    let delete = delete.rest_api_id(place.api).resource_id(place.resource).http_method(place.verb);
    let delete = || async { gone_is_fine(delete.clone().send().await.during(DELETE)) };
    patch::write(cx, place.api, delete).await
}

async fn put_response(cx: &Context, place: Place<'_>, response: &IntegrationResponse) -> Result<(), AwsError> {
    let put = cx
        .apigateway
        .put_integration_response()
        .rest_api_id(place.api)
        .resource_id(place.resource)
        .http_method(place.verb)
        .status_code(&response.status_code)
        .set_content_handling(response.content_handling.as_deref().map(Into::into))
        .set_response_parameters(unless_empty(&response.response_parameters))
        .set_response_templates(unless_empty(&response.response_templates))
        .set_selection_pattern(response.selection_pattern.clone());
    let put = || async { put.clone().send().await.during(PUT_RESPONSE).map(drop) };
    patch::write(cx, place.api, put).await
}

async fn delete_response(cx: &Context, place: Place<'_>, status_code: &str) -> Result<(), AwsError> {
    let delete = cx.apigateway.delete_integration_response().status_code(status_code);
    let delete = delete.rest_api_id(place.api).resource_id(place.resource).http_method(place.verb);
    let delete = || async { gone_is_fine(delete.clone().send().await.during(DELETE_RESPONSE)) };
    patch::write(cx, place.api, delete).await
}

/// `None` where the answer names no type: an integration always has one.
pub(super) fn live(answer: types::Integration) -> Option<Integration> {
    let usual = Integration::default();
    let response = |(status_code, response): (String, types::IntegrationResponse)| IntegrationResponse {
        status_code,
        content_handling: response.content_handling.map(|handling| handling.as_str().to_owned()),
        response_parameters: sorted(response.response_parameters),
        response_templates: sorted(response.response_templates),
        selection_pattern: response.selection_pattern,
    };
    Some(Integration {
        kind: answer.r#type?.as_str().to_owned(),
        cache_key_parameters: answer.cache_key_parameters.unwrap_or_default().into_iter().collect(),
        cache_namespace: answer.cache_namespace,
        connection_id: answer.connection_id,
        connection_type: answer.connection_type.map_or(usual.connection_type, |kind| kind.as_str().to_owned()),
        content_handling: answer.content_handling.map(|handling| handling.as_str().to_owned()),
        credentials: answer.credentials,
        integration_http_method: answer.http_method,
        integration_responses: answer.integration_responses.unwrap_or_default().into_iter().map(response).collect(),
        integration_target: answer.integration_target,
        passthrough_behavior: answer.passthrough_behavior.unwrap_or(usual.passthrough_behavior),
        request_parameters: sorted(answer.request_parameters),
        request_templates: sorted(answer.request_templates),
        response_transfer_mode: answer
            .response_transfer_mode
            .map_or(usual.response_transfer_mode, |mode| mode.as_str().to_owned()),
        timeout_in_millis: if answer.timeout_in_millis == 0 {
            usual.timeout_in_millis
        } else {
            answer.timeout_in_millis
        },
        uri: answer.uri,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mock_has_nothing_behind_it() {
        let integration = json!({"Type": "MOCK", "IntegrationHttpMethod": "OPTIONS", "ConnectionType": "INTERNET"});
        let mut integration: Integration = serde_json::from_value(integration).expect("an integration");
        integration.complete("res123");
        let bare = Integration { cache_namespace: Some("res123".to_owned()), ..Integration::default() };
        assert_eq!(integration, bare);
    }
}
