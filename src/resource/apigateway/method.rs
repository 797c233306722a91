//! `AWS::ApiGateway::Method`, with its integration and the responses of both: one resource for CloudFormation, four kinds of
//! calls for API Gateway. Found by API, resource and verb, which alone replace it.
//!
//! A create that was interrupted leaves a method with some of its parts. So creating is the same as updating: what is there
//! is compared with what is wanted, part by part.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_apigateway::operation::get_method::GetMethodOutput;
use aws_sdk_apigateway::types::{self, Op, PatchOperation};
use serde::{Deserialize, Deserializer, Serialize};

use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::apigateway::integration::{self, Integration};
use crate::resource::apigateway::patch::{self, add, map_changes, remove_item, replace, replace_or_clear};
use crate::resource::apigateway::resource::resources;
use crate::resource::apigateway::{joined, parts};
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct ApiGatewayMethod;

/// The template's names and shapes. What CloudFormation does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Method {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
    pub api_key_required: bool,
    pub authorization_scopes: BTreeSet<String>,
    pub authorization_type: String,
    pub authorizer_id: Option<String>,
    pub integration: Option<Integration>,
    /// In order of status code.
    pub method_responses: Vec<MethodResponse>,
    pub operation_name: Option<String>,
    /// Content type to the name of a model.
    pub request_models: BTreeMap<String, String>,
    /// Parameter to whether a request has to have it.
    #[serde(deserialize_with = "flags")]
    pub request_parameters: BTreeMap<String, bool>,
    pub request_validator_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct MethodResponse {
    pub status_code: String,
    /// Content type to the name of a model.
    pub response_models: BTreeMap<String, String>,
    /// Header to whether a response has to have it.
    #[serde(deserialize_with = "flags")]
    pub response_parameters: BTreeMap<String, bool>,
}

impl Default for Method {
    fn default() -> Self {
        Self {
            rest_api_id: String::new(),
            resource_id: String::new(),
            http_method: String::new(),
            api_key_required: false,
            authorization_scopes: BTreeSet::new(),
            authorization_type: "NONE".to_owned(),
            authorizer_id: None,
            integration: None,
            method_responses: Vec::new(),
            operation_name: None,
            request_models: BTreeMap::new(),
            request_parameters: BTreeMap::new(),
            request_validator_id: None,
        }
    }
}

/// Where a method is: everything that its calls name.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub api: &'a str,
    pub resource: &'a str,
    pub verb: &'a str,
}

impl<'a> Place<'a> {
    fn of(id: &'a PhysicalId) -> Result<Self, AwsError> {
        let [api, resource, verb] = parts(id)?;
        Ok(Self { api, resource, verb })
    }
}

impl Handler for ApiGatewayMethod {
    const TYPE: &'static str = "AWS::ApiGateway::Method";
    const FOUND_BY: &'static [&'static str] = &["RestApiId", "ResourceId", "HttpMethod"];
    const PART_OF: &'static [&'static str] = &["RestApiId", "ResourceId"];
    const WITHIN: Option<&'static str> = Some("AWS::ApiGateway::RestApi");
    type Properties = Method;

    fn complete(method: &mut Method) {
        method.method_responses.sort_by(|one, other| one.status_code.cmp(&other.status_code));
        if let Some(integration) = &mut method.integration {
            integration.complete(&method.resource_id);
        }
    }

    fn predict(_scope: &Scope, method: &Method) -> Attributes {
        referred(identifier(method).as_str(), [])
    }

    async fn find(cx: &Context, _owner: &Owner, method: &Method) -> Result<Option<PhysicalId>, AwsError> {
        let id = identifier(method);
        Ok(get(cx, Place::of(&id)?).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Method>>, AwsError> {
        let method = get(cx, Place::of(id)?).await?;
        Ok(method.map(|method| Live::unmarkable(method, referred(id.as_str(), []))))
    }

    async fn create(cx: &Context, _owner: &Owner, method: &Method, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let id = identifier(method);
        let place = Place::of(&id)?;
        match left {
            Some(_) => bring_about(cx, place, method).await?,
            None => make(cx, place, method).await?,
        }
        Ok(Made { attributes: referred(id.as_str(), []), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        method: &Method,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        bring_about(cx, Place::of(id)?, method).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let place = Place::of(id)?;
        let Place { api, resource, verb } = place;
        let delete = cx.apigateway.delete_method().rest_api_id(api).resource_id(resource).http_method(verb);
        let delete = || async { gone_is_fine(delete.clone().send().await.during("apigateway.DeleteMethod")) };
        patch::write(cx, api, delete).await?;
        cx.until(GET, "the method to be gone", Patience::seconds(60), || async {
            Ok(get(cx, place).await?.is_none().then_some(()))
        })
        .await
    }

    async fn list_within(cx: &Context, api: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let api = api.as_str();
        let listed = resources(cx, api).await?.unwrap_or_default();
        let methods = listed.iter().flat_map(|resource| {
            let verbs = resource.resource_methods().into_iter().flat_map(HashMap::keys);
            verbs.filter_map(|verb| Some(joined([api, resource.id()?, verb])))
        });
        Ok(methods.collect())
    }
}

/// Makes the live method, if there is one, what it should be.
async fn bring_about(cx: &Context, place: Place<'_>, wanted: &Method) -> Result<(), AwsError> {
    match get(cx, place).await? {
        Some(live) => complete(cx, place, live, wanted).await,
        None => make(cx, place, wanted).await,
    }
}

async fn make(cx: &Context, place: Place<'_>, wanted: &Method) -> Result<(), AwsError> {
    let made = Box::pin(put(cx, place, wanted)).await?;
    complete(cx, place, made, wanted).await
}

async fn complete(cx: &Context, place: Place<'_>, live: Method, wanted: &Method) -> Result<(), AwsError> {
    for step in steps(live, wanted) {
        Box::pin(step.take(cx, place)).await?;
    }
    Ok(())
}

/// One call of those that make a method what it should be.
enum Step<'a> {
    Patch(Vec<PatchOperation>),
    PutResponse(&'a MethodResponse),
    PatchResponse(&'a str, Vec<PatchOperation>),
    DeleteResponse(String),
    Integration(integration::Step<'a>),
}

impl Step<'_> {
    fn call(&self) -> &'static str {
        match self {
            Self::Patch(_) => UPDATE,
            Self::PutResponse(_) => PUT_RESPONSE,
            Self::PatchResponse(..) => UPDATE_RESPONSE,
            Self::DeleteResponse(_) => DELETE_RESPONSE,
            Self::Integration(step) => step.call(),
        }
    }

    async fn take(self, cx: &Context, place: Place<'_>) -> Result<(), AwsError> {
        match self {
            Self::Patch(patches) => patch_method(cx, place, patches).await,
            Self::PutResponse(response) => put_response(cx, place, response).await,
            Self::PatchResponse(status_code, patches) => patch_response(cx, place, status_code, patches).await,
            Self::DeleteResponse(status_code) => delete_response(cx, place, &status_code).await,
            Self::Integration(step) => step.take(cx, place).await,
        }
    }
}

const UPDATE: &str = "apigateway.UpdateMethod";
const PUT_RESPONSE: &str = "apigateway.PutMethodResponse";
const UPDATE_RESPONSE: &str = "apigateway.UpdateMethodResponse";
const DELETE_RESPONSE: &str = "apigateway.DeleteMethodResponse";

/// How one method becomes another. What others refer to comes before what refers to it, and goes after: parameters and method
/// responses around the integration, which maps them.
fn steps(mut live: Method, wanted: &Method) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut last = Vec::new();
    let (removed, written) = parted(method_patches(&live, wanted));
    steps.extend((!written.is_empty()).then_some(Step::Patch(written)));
    for response in &wanted.method_responses {
        let status_code = response.status_code.as_str();
        let Some(live) = live.method_responses.iter().find(|live| live.status_code == status_code) else {
            steps.push(Step::PutResponse(response));
            continue;
        };
        let (removed, written) = parted(response_patches(live, response));
        steps.extend((!written.is_empty()).then_some(Step::PatchResponse(status_code, written)));
        last.extend((!removed.is_empty()).then_some(Step::PatchResponse(status_code, removed)));
    }
    if let Some(integration) = &mut live.integration {
        if live.request_parameters != wanted.request_parameters {
            // The service forgets that a parameter is a cache key when the parameter changes.
            integration.cache_key_parameters.clear();
        }
        integration.complete(&wanted.resource_id);
    }
    let integration = integration::steps(live.integration.as_ref(), wanted.integration.as_ref());
    steps.extend(integration.into_iter().map(Step::Integration));
    steps.append(&mut last);
    let is_wanted = |status_code: &str| wanted.method_responses.iter().any(|it| it.status_code == status_code);
    let gone = live.method_responses.into_iter().map(|it| it.status_code).filter(|it| !is_wanted(it));
    steps.extend(gone.map(Step::DeleteResponse));
    steps.extend((!removed.is_empty()).then_some(Step::Patch(removed)));
    steps
}

/// The calls that an update takes, between properties in canonical form.
pub(crate) fn updating(live: Method, wanted: &Method) -> Vec<&'static str> {
    std::iter::once(GET).chain(steps(live, wanted).iter().map(Step::call)).collect()
}

const GET: &str = "apigateway.GetMethod";

async fn get(cx: &Context, place: Place<'_>) -> Result<Option<Method>, AwsError> {
    if cx.survey.is_some() {
        let tree = resources(cx, place.api).await?.unwrap_or_default();
        let resource = tree.iter().find(|it| it.id() == Some(place.resource));
        // One that only its name is told of, or that the list does not have yet, is asked for itself.
        let shown = resource.and_then(|it| it.resource_methods()?.get(place.verb));
        if let Some(shown) = shown.filter(|it| it.http_method().is_some()) {
            return Ok(Some(live(place, shown.clone())));
        }
    }
    let get = cx.apigateway.get_method();
    let get = get.rest_api_id(place.api).resource_id(place.resource).http_method(place.verb);
    Ok(found(GET, get.send().await)?.map(|answer| live(place, embedded(answer))))
}

/// The answer as a list of resources has it.
fn embedded(answer: GetMethodOutput) -> types::Method {
    types::Method::builder()
        .set_http_method(answer.http_method)
        .set_authorization_type(answer.authorization_type)
        .set_authorizer_id(answer.authorizer_id)
        .set_api_key_required(answer.api_key_required)
        .set_request_validator_id(answer.request_validator_id)
        .set_operation_name(answer.operation_name)
        .set_request_parameters(answer.request_parameters)
        .set_request_models(answer.request_models)
        .set_method_responses(answer.method_responses)
        .set_method_integration(answer.method_integration)
        .set_authorization_scopes(answer.authorization_scopes)
        .build()
}

/// Puts the method without its integration and responses, and gives what is there then.
async fn put(cx: &Context, place: Place<'_>, method: &Method) -> Result<Method, AwsError> {
    let put = cx
        .apigateway
        .put_method()
        .rest_api_id(place.api)
        .resource_id(place.resource)
        .http_method(place.verb)
        .api_key_required(method.api_key_required)
        .set_authorization_scopes(unless_empty(&method.authorization_scopes))
        .authorization_type(&method.authorization_type)
        .set_authorizer_id(method.authorizer_id.clone())
        .set_operation_name(method.operation_name.clone())
        .set_request_models(unless_empty(&method.request_models))
        .set_request_parameters(unless_empty(&method.request_parameters))
        .set_request_validator_id(method.request_validator_id.clone());
    let put = || async { put.clone().send().await.during("apigateway.PutMethod") };
    patch::write(cx, place.api, put).await?;
    Ok(Method { integration: None, method_responses: Vec::new(), ..method.clone() })
}

async fn patch_method(cx: &Context, place: Place<'_>, patches: Vec<PatchOperation>) -> Result<(), AwsError> {
    let update = cx.apigateway.update_method().set_patch_operations(Some(patches));
    let update = update.rest_api_id(place.api).resource_id(place.resource).http_method(place.verb);
    let update = || async { update.clone().send().await.during(UPDATE).map(drop) };
    patch::write(cx, place.api, update).await
}

async fn put_response(cx: &Context, place: Place<'_>, response: &MethodResponse) -> Result<(), AwsError> {
    let put = cx
        .apigateway
        .put_method_response()
        .rest_api_id(place.api)
        .resource_id(place.resource)
        .http_method(place.verb)
        .status_code(&response.status_code)
        .set_response_models(unless_empty(&response.response_models))
        .set_response_parameters(unless_empty(&response.response_parameters));
    let put = || async { put.clone().send().await.during(PUT_RESPONSE).map(drop) };
    patch::write(cx, place.api, put).await
}

async fn patch_response(
    cx: &Context,
    place: Place<'_>,
    status_code: &str,
    patches: Vec<PatchOperation>,
) -> Result<(), AwsError> {
    let update = cx.apigateway.update_method_response().status_code(status_code).set_patch_operations(Some(patches));
    let update = update.rest_api_id(place.api).resource_id(place.resource).http_method(place.verb);
    let update = || async { update.clone().send().await.during(UPDATE_RESPONSE).map(drop) };
    patch::write(cx, place.api, update).await
}

async fn delete_response(cx: &Context, place: Place<'_>, status_code: &str) -> Result<(), AwsError> {
    let delete = cx.apigateway.delete_method_response().status_code(status_code);
    let delete = delete.rest_api_id(place.api).resource_id(place.resource).http_method(place.verb);
    let delete = || async { gone_is_fine(delete.clone().send().await.during(DELETE_RESPONSE)) };
    patch::write(cx, place.api, delete).await
}

/// What is to be removed, and what is to be written before it.
fn parted(patches: Vec<PatchOperation>) -> (Vec<PatchOperation>, Vec<PatchOperation>) {
    patches.into_iter().partition(|patch| patch.op == Some(Op::Remove))
}

fn method_patches(live: &Method, wanted: &Method) -> Vec<PatchOperation> {
    let singles = [
        (live.authorization_type != wanted.authorization_type)
            .then(|| replace("/authorizationType", &wanted.authorization_type)),
        (live.authorizer_id != wanted.authorizer_id)
            .then(|| replace_or_clear("/authorizerId", wanted.authorizer_id.as_ref())),
        (live.api_key_required != wanted.api_key_required).then(|| replace("/apiKeyRequired", wanted.api_key_required)),
        (live.operation_name != wanted.operation_name)
            .then(|| replace_or_clear("/operationName", wanted.operation_name.as_ref())),
        (live.request_validator_id != wanted.request_validator_id)
            .then(|| replace_or_clear("/requestValidatorId", wanted.request_validator_id.as_ref())),
    ];
    let scopes = "/authorizationScopes";
    let fewer = live.authorization_scopes.difference(&wanted.authorization_scopes);
    let more = wanted.authorization_scopes.difference(&live.authorization_scopes);
    let maps = [
        map_changes("/requestModels", &live.request_models, &wanted.request_models),
        map_changes("/requestParameters", &live.request_parameters, &wanted.request_parameters),
    ];
    let fewer = fewer.map(|scope| remove_item(scopes, scope));
    let more = more.map(|scope| add(scopes, scope));
    singles.into_iter().flatten().chain(fewer).chain(more).chain(maps.into_iter().flatten()).collect()
}

fn response_patches(live: &MethodResponse, wanted: &MethodResponse) -> Vec<PatchOperation> {
    let mut patches = map_changes("/responseModels", &live.response_models, &wanted.response_models);
    patches.extend(map_changes("/responseParameters", &live.response_parameters, &wanted.response_parameters));
    patches
}

fn live(place: Place<'_>, answer: types::Method) -> Method {
    let response = |(status_code, response): (String, types::MethodResponse)| MethodResponse {
        status_code,
        response_models: sorted(response.response_models),
        response_parameters: sorted(response.response_parameters),
    };
    // What was cleared may be shown as empty.
    let unless_cleared = |text: Option<String>| text.filter(|text| !text.is_empty());
    Method {
        rest_api_id: place.api.to_owned(),
        resource_id: place.resource.to_owned(),
        http_method: place.verb.to_owned(),
        api_key_required: answer.api_key_required.unwrap_or_default(),
        authorization_scopes: answer.authorization_scopes.unwrap_or_default().into_iter().collect(),
        authorization_type: answer.authorization_type.unwrap_or_else(|| "NONE".to_owned()),
        authorizer_id: unless_cleared(answer.authorizer_id),
        integration: answer.method_integration.and_then(integration::live),
        method_responses: answer.method_responses.unwrap_or_default().into_iter().map(response).collect(),
        operation_name: unless_cleared(answer.operation_name),
        request_models: sorted(answer.request_models),
        request_parameters: sorted(answer.request_parameters),
        request_validator_id: unless_cleared(answer.request_validator_id),
    }
}

fn identifier(method: &Method) -> PhysicalId {
    joined([&method.rest_api_id, &method.resource_id, &method.http_method])
}

/// What the SDK takes for a map or a list that has something in it.
pub(super) fn unless_empty<C: Clone + IntoIterator<Item = T>, T, S: FromIterator<T>>(items: &C) -> Option<S> {
    let mut items = items.clone().into_iter().peekable();
    items.peek().is_some().then_some(())?;
    Some(items.collect())
}

pub(super) fn sorted<V>(map: Option<HashMap<String, V>>) -> BTreeMap<String, V> {
    map.unwrap_or_default().into_iter().collect()
}

/// CloudFormation takes `true` and `"true"`.
fn flags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, bool>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Is(bool),
        Says(String),
    }
    let flags = BTreeMap::<String, Flag>::deserialize(deserializer)?;
    let flag = |(name, flag)| {
        let flag = match flag {
            Flag::Is(flag) => flag,
            Flag::Says(text) => text.eq_ignore_ascii_case("true"),
        };
        (name, flag)
    };
    Ok(flags.into_iter().map(flag).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn method(properties: Value) -> Method {
        serde_json::from_value(properties).expect("properties of a method")
    }

    #[test]
    fn a_flag_may_be_a_text() {
        let method =
            method(json!({"RequestParameters": {"method.request.path.id": "true", "method.request.path.v": false}}));
        assert_eq!(method.request_parameters.into_values().collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn what_is_removed_waits_for_what_is_written() {
        let live = method(json!({
            "OperationName": "GetOrder",
            "RequestParameters": {"method.request.path.id": true, "method.request.header.Etag": false},
        }));
        let wanted = method(json!({
            "AuthorizationType": "AWS_IAM",
            "RequestParameters": {"method.request.path.id": true, "method.request.header.Accept": false},
            "RequestModels": {"application/json": "Order"},
        }));
        let (removed, written) = parted(method_patches(&live, &wanted));
        assert_eq!(removed, [patch::remove("/requestParameters/method.request.header.Etag")]);
        assert_eq!(
            written,
            [
                replace("/authorizationType", "AWS_IAM"),
                replace_or_clear("/operationName", None::<String>),
                add("/requestModels/application~1json", "Order"),
                add("/requestParameters/method.request.header.Accept", "false"),
            ]
        );
        assert_eq!(method_patches(&wanted, &wanted), []);
    }
}
