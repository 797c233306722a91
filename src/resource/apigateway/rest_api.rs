//! `AWS::ApiGateway::RestApi`. Found by the marks of its owner, since names repeat. Nothing replaces it.
//!
//! An API with a `Body` is made empty, with its marks, and then given the document in one call. See [`body`] for how the two are
//! compared; the digest of the document that was imported last stands in the tag [`BODY`].
//!
//! A policy acts only after the next deployment. Deleting takes everything inside along, and an account may do so once every
//! 30 seconds.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_apigateway::operation::get_rest_api::GetRestApiOutput;
use aws_sdk_apigateway::primitives::Blob;
use aws_sdk_apigateway::types::{self, ApiStatus, PatchOperation, PutMode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, During, ErrorClass, absent_is_none, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::apigateway::body::{self, Import, Settings};
use crate::resource::apigateway::patch::{
    self, add, add_item, remove, remove_item, replace, replace_or_clear, segment,
};
use crate::resource::apigateway::request_validator;
use crate::resource::apigateway::resource::resources_with_methods;
use crate::resource::json_text;
use crate::resource::policy_document::PolicyDocument;
use crate::resource::tags::{self, Tags};
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct ApiGatewayRestApi;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct RestApi {
    pub name: Option<String>,
    /// An OpenAPI document: an object, or a text in YAML.
    #[serde(deserialize_with = "json_text::deserialize")]
    pub body: Option<Value>,
    /// Where the document is: it is in `Body` before anything is compared or sent.
    pub body_s3_location: Option<Value>,
    /// What paystack says of the document and of how it is imported, as hexadecimal digits. CloudFormation does not know it.
    pub body_digest: Option<String>,
    pub fail_on_warnings: bool,
    /// `overwrite`, or `merge`, which leaves what the document does not have.
    pub mode: Option<String>,
    /// What PutRestApi takes beside the document, such as `basepath`.
    pub parameters: BTreeMap<String, String>,
    pub description: Option<String>,
    pub api_key_source_type: String,
    pub binary_media_types: BTreeSet<String>,
    pub disable_execute_api_endpoint: bool,
    /// Only with an enhanced security policy.
    pub endpoint_access_mode: Option<String>,
    pub endpoint_configuration: EndpointConfiguration,
    /// Bytes from which on answers are compressed; without it none are.
    pub minimum_compression_size: Option<i32>,
    pub policy: Option<PolicyDocument>,
    pub security_policy: Option<String>,
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct EndpointConfiguration {
    /// One, though the service makes it a list.
    pub types: Vec<String>,
    pub ip_address_type: Option<String>,
    pub vpc_endpoint_ids: BTreeSet<String>,
}

impl Default for RestApi {
    fn default() -> Self {
        Self {
            name: None,
            body: None,
            body_s3_location: None,
            body_digest: None,
            fail_on_warnings: false,
            mode: None,
            parameters: BTreeMap::new(),
            description: None,
            api_key_source_type: "HEADER".to_owned(),
            binary_media_types: BTreeSet::new(),
            disable_execute_api_endpoint: false,
            endpoint_access_mode: None,
            endpoint_configuration: EndpointConfiguration::default(),
            minimum_compression_size: None,
            policy: None,
            security_policy: None,
            tags: Tags::default(),
        }
    }
}

impl Default for EndpointConfiguration {
    fn default() -> Self {
        Self { types: vec!["EDGE".to_owned()], ip_address_type: None, vpc_endpoint_ids: BTreeSet::new() }
    }
}

impl EndpointConfiguration {
    fn is_private(&self) -> bool {
        self.types.iter().any(|kind| kind == "PRIVATE")
    }

    fn default_security_policy(&self) -> &'static str {
        if self.is_private() { "TLS_1_2" } else { "TLS_1_0" }
    }
}

/// The tag that says of which document an API was imported last.
const BODY: &str = "paystack:body";

impl Handler for ApiGatewayRestApi {
    const TYPE: &'static str = "AWS::ApiGateway::RestApi";
    const FOUND_BY: &'static [&'static str] = &[];
    const CREATES_ANOTHER: bool = true;
    const TAGGED_AS: Option<&'static str> = Some("apigateway:restapis");
    const REFUSED: &'static [(&'static str, &'static str)] = &[
        ("CloneFrom", "what a copy was made from cannot be read back: declare the API's resources and methods instead"),
        (
            "Version",
            "API Gateway takes it at creation only, for people to read: put it into `Description` or into a tag",
        ),
    ];
    type Properties = RestApi;

    /// The digest of a document is no property of its own, and neither is what is within the API: see `Handler::ALL_IN`.
    const ALL_IN: Option<&'static str> = Some("Body");

    fn complete(api: &mut RestApi) {
        if let Some(Settings {
            name,
            description,
            api_key_source_type,
            binary_media_types,
            minimum_compression_size,
            policy,
        }) = api.body.as_ref().map(Settings::of)
        {
            api.name = api.name.take().or(name);
            api.description = api.description.take().or(description);
            api.minimum_compression_size = api.minimum_compression_size.or(minimum_compression_size);
            api.policy = api.policy.take().or(policy.map(PolicyDocument::new));
            if let Some(types) = binary_media_types.filter(|_| api.binary_media_types.is_empty()) {
                api.binary_media_types = types;
            }
            if let Some(source) = api_key_source_type {
                api.api_key_source_type = source;
            }
        }
        let endpoint = &mut api.endpoint_configuration;
        if endpoint.types.is_empty() {
            endpoint.types = EndpointConfiguration::default().types;
        }
        let ip_address_type = if endpoint.is_private() { "dualstack" } else { "ipv4" };
        endpoint.ip_address_type.get_or_insert_with(|| ip_address_type.to_owned());
        api.security_policy.get_or_insert_with(|| endpoint.default_security_policy().to_owned());
        // The service refuses an empty text; none is what it means.
        api.description.take_if(|description| description.is_empty());
    }

    fn predict(_scope: &Scope, _api: &RestApi) -> Attributes {
        Attributes::new()
    }

    /// What is live is written in the document's words. An API that another tool has imported does not say of what: its
    /// operations have to do.
    fn equate(live: &mut RestApi, wanted: &RestApi) {
        live.body_s3_location.clone_from(&wanted.body_s3_location);
        live.fail_on_warnings = wanted.fail_on_warnings;
        live.mode.clone_from(&wanted.mode);
        live.parameters.clone_from(&wanted.parameters);
        let Some(document) = &wanted.body else {
            live.body = None;
            return;
        };
        let said = live.body.as_ref().map(|live| body::in_words_of(live, document, wanted.import()));
        if said.as_ref() == Some(document) && live.body_digest.is_none() {
            live.body_digest.clone_from(&wanted.body_digest);
        }
        live.body = said;
    }

    async fn find(cx: &Context, owner: &Owner, _api: &RestApi) -> Result<Option<PhysicalId>, AwsError> {
        let mut pages = cx.apigateway.get_rest_apis().into_paginator().page_size(500).send();
        while let Some(page) = pages.next().await {
            let apis = page.during("apigateway.GetRestApis")?.items.unwrap_or_default();
            let is_ours = |api: &types::RestApi| tags_of(api.tags.as_ref()).owner().as_ref() == Some(owner);
            if let Some(id) = apis.into_iter().find(is_ours).and_then(|api| api.id) {
                return Ok(Some(PhysicalId::from(id)));
            }
        }
        Ok(None)
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<RestApi>>, AwsError> {
        let answer = cx.apigateway.get_rest_api().rest_api_id(id.as_str()).send().await;
        let Some(answer) = found(GET, answer)? else { return Ok(None) };
        let mut live = live(&cx.scope, id.as_str(), answer)?;
        // Only of an API that is imported, or may have been, operations are asked for.
        if live.properties.body_digest.is_some() || live.properties.tags.owner().is_none() {
            let Some(resources) = resources_with_methods(cx, id.as_str()).await? else { return Ok(None) };
            let validators = match body::is_validated(&resources) {
                true => absent_is_none(request_validator::validators(cx, id.as_str()).await)?.unwrap_or_default(),
                false => Vec::new(),
            };
            live.properties.body = Some(body::of_live(&resources, &validators));
        }
        Ok(Some(live))
    }

    async fn create(cx: &Context, _owner: &Owner, api: &RestApi, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, api).await?,
        };
        let answer = settled(cx, &id).await?;
        let digest = answer.tags().and_then(|tags| tags.get(BODY));
        let is_imported = api.body.is_none() || digest.is_some() && digest == api.body_digest.as_ref();
        let attributes = match is_imported {
            true => live(&cx.scope, id.as_str(), answer)?.attributes,
            false => import(cx, &id, api).await?,
        };
        Ok(Made { id, attributes })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        api: &RestApi,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if api.is_imported_for(changes) {
            import(cx, id, api).await?;
        } else {
            let answer = cx.apigateway.get_rest_api().rest_api_id(id.as_str()).send().await;
            put_right(cx, id, api, answer.during(GET)?).await?;
            if changes.touch_any(TAGGED) {
                sync_tags(cx, id, api).await?;
            }
        }
        if changes.touch_any(SETTLES) {
            settled(cx, id).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.apigateway.delete_rest_api().rest_api_id(id.as_str());
        let delete = || async { gone_is_fine(delete.clone().send().await.during("apigateway.DeleteRestApi")) };
        let _turn = cx.turn("apigateway.DeleteRestApi").await;
        // All stacks of an account share the one delete every 30 seconds.
        let is_throttled = |error: &AwsError| error.class == ErrorClass::Throttled;
        cx.while_passing(Patience::minutes(3600), is_throttled, || patch::write(cx, id.as_str(), delete)).await?;
        cx.until(GET, "the API to be gone", Patience::seconds(120), || async {
            let answer = cx.apigateway.get_rest_api().rest_api_id(id.as_str()).send().await;
            Ok(found(GET, answer)?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        let id = arn.strip_prefix(&patch::arn(&cx.scope, "/restapis/"));
        Ok(id.filter(|id| !id.contains('/')).map(PhysicalId::from))
    }
}

impl RestApi {
    fn import(&self) -> Import<'_> {
        let is = |name: &str, value: &str| self.parameters.get(name).is_some_and(|it| it.eq_ignore_ascii_case(value));
        let base_path = self.body.as_ref().and_then(|body| body["basePath"].as_str()).unwrap_or_default();
        Import {
            base_path: if is("basepath", "prepend") { base_path.trim_end_matches('/') } else { "" },
            merges: self.mode.as_deref().is_some_and(|mode| mode.eq_ignore_ascii_case("merge")),
        }
    }

    fn is_imported_for(&self, changes: &Changes) -> bool {
        self.body.is_some() && changes.touch_any(&["Body", "BodyDigest", "Mode", "Parameters"])
    }

    /// The template's tags, and the one that says of which document the API was imported.
    fn all_tags(&self) -> Tags {
        let mut tags = self.tags.clone();
        if let Some(digest) = &self.body_digest {
            tags.0.insert(BODY.to_owned(), digest.clone());
        }
        tags
    }
}

/// The calls that an update takes, tags and all, between properties in canonical form. `None` where only AWS can say what an
/// import leaves of what the API said of itself.
pub(crate) fn updating(live: &RestApi, wanted: &RestApi, changes: &Changes) -> Option<Vec<&'static str>> {
    let patched = |patches: Vec<PatchOperation>| (!patches.is_empty()).then_some(UPDATE);
    let mut calls = Vec::new();
    if wanted.is_imported_for(changes) {
        calls.extend(importing(live, wanted)?);
    } else {
        calls.push(GET);
        calls.extend(patched(endpoint_patches(live, wanted)));
        calls.extend(patched(patches(live, wanted)));
        if changes.touch_any(TAGGED) {
            calls.extend(tags::syncing(patch::TAGS, &live.all_tags(), &wanted.all_tags()));
        }
    }
    calls.extend(changes.touch_any(SETTLES).then_some(GET));
    Some(calls)
}

/// Whether properties leave an API what their document does not have.
pub(crate) fn is_merged(properties: &Value) -> bool {
    properties["Mode"].as_str().is_some_and(|mode| mode.eq_ignore_ascii_case("merge"))
}

/// The calls that it takes to fill an API that was just made; see [`updating`].
pub(crate) fn filling(wanted: &RestApi) -> Option<Vec<&'static str>> {
    // An empty API is made with all that the template says of it, but for the document.
    let made = RestApi { body: None, body_digest: None, ..wanted.clone() };
    if wanted.body.is_some() { importing(&made, wanted) } else { Some(Vec::new()) }
}

/// The calls that it takes to give an API a document, see [`updating`]. What the document says of the API itself goes for it then,
/// and is put right where the template says something else.
fn importing(live: &RestApi, wanted: &RestApi) -> Option<Vec<&'static str>> {
    let document = wanted.body.as_ref()?;
    if !document["x-amazon-apigateway-endpoint-configuration"].is_null() {
        return None;
    }
    let says = Settings::of(document);
    let said_over = |before: &RestApi| RestApi {
        name: says.name.clone().or_else(|| before.name.clone()),
        description: says.description.clone().or_else(|| before.description.clone()),
        api_key_source_type: says.api_key_source_type.clone().unwrap_or_else(|| before.api_key_source_type.clone()),
        binary_media_types: says.binary_media_types.clone().unwrap_or_else(|| before.binary_media_types.clone()),
        minimum_compression_size: says.minimum_compression_size.or(before.minimum_compression_size),
        policy: says.policy.clone().map(PolicyDocument::new).or_else(|| before.policy.clone()),
        ..live.clone()
    };
    // AWS does not say what becomes of what the document is silent about, nor what goes for the API where documents are merged.
    let either = match wanted.import().merges {
        true => live.clone(),
        false => said_over(&RestApi::default()),
    };
    let [is_patched, is_patched_either] = [said_over(live), either].map(|it| !patches(&it, wanted).is_empty());
    if is_patched != is_patched_either {
        return None;
    }
    let endpoint = (!endpoint_patches(live, wanted).is_empty()).then_some(UPDATE);
    let calls = [PUT, GET].into_iter().chain(endpoint).chain(is_patched.then_some(UPDATE));
    Some(calls.chain(tags::syncing(patch::TAGS, &live.all_tags(), &wanted.all_tags())).collect())
}

const GET: &str = "apigateway.GetRestApi";
const PUT: &str = "apigateway.PutRestApi";
const UPDATE: &str = "apigateway.UpdateRestApi";

/// With what the tags change: one of them tells of which document the API was imported.
const TAGGED: &[&str] = &["Tags", "Body", "BodyDigest"];

/// After what the API is not available for a while.
const SETTLES: &[&str] = &["SecurityPolicy", "EndpointAccessMode", "EndpointConfiguration"];

/// Gives the API its document, puts right what the document says of it and the template does not, and then says so in a tag: an
/// import that was interrupted is done again.
async fn import(cx: &Context, id: &PhysicalId, api: &RestApi) -> Result<Attributes, AwsError> {
    let put = cx
        .apigateway
        .put_rest_api()
        .rest_api_id(id.as_str())
        .mode(PutMode::from(api.mode.as_deref().unwrap_or("overwrite")))
        .fail_on_warnings(api.fail_on_warnings)
        .set_parameters(Some(api.parameters.clone().into_iter().collect()))
        .body(Blob::new(json_text::written(api.body.as_ref())));
    let put = || async { put.clone().send().await.during(PUT) };
    // What was left out of an import for a mistake in it shows as a difference in the next plan.
    patch::write(cx, id.as_str(), put).await?;
    let attributes = put_right(cx, id, api, settled(cx, id).await?).await?;
    sync_tags(cx, id, api).await?;
    Ok(attributes)
}

/// Patches what the API says of itself otherwise than the template.
async fn put_right(
    cx: &Context,
    id: &PhysicalId,
    api: &RestApi,
    answer: GetRestApiOutput,
) -> Result<Attributes, AwsError> {
    let Live { properties: mut live, attributes, .. } = live(&cx.scope, id.as_str(), answer)?;
    ApiGatewayRestApi::complete(&mut live);
    patch_api(cx, id, endpoint_patches(&live, api)).await?;
    patch_api(cx, id, patches(&live, api)).await?;
    Ok(attributes)
}

async fn sync_tags(cx: &Context, id: &PhysicalId, api: &RestApi) -> Result<(), AwsError> {
    patch::sync_tags(cx, id.as_str(), &format!("/restapis/{id}"), &api.all_tags()).await
}

async fn make(cx: &Context, api: &RestApi) -> Result<PhysicalId, AwsError> {
    let endpoint = &api.endpoint_configuration;
    let mut configuration = types::EndpointConfiguration::builder()
        .set_types(Some(endpoint.types.iter().map(|kind| kind.as_str().into()).collect()))
        .set_ip_address_type(endpoint.ip_address_type.as_deref().map(Into::into));
    if !endpoint.vpc_endpoint_ids.is_empty() {
        configuration = configuration.set_vpc_endpoint_ids(Some(endpoint.vpc_endpoint_ids.iter().cloned().collect()));
    }
    // What the service would do anyway is left out: regions differ in what they let one say.
    let security_policy = api.security_policy.as_deref().filter(|policy| *policy != endpoint.default_security_policy());
    let create = cx
        .apigateway
        .create_rest_api()
        .set_name(api.name.clone())
        .set_description(api.description.clone())
        .api_key_source(api.api_key_source_type.as_str().into())
        .set_binary_media_types(Some(api.binary_media_types.iter().cloned().collect()))
        .disable_execute_api_endpoint(api.disable_execute_api_endpoint)
        .set_endpoint_access_mode(api.endpoint_access_mode.as_deref().map(Into::into))
        .endpoint_configuration(configuration.build())
        .set_minimum_compression_size(api.minimum_compression_size)
        .set_policy(api.policy.as_ref().map(PolicyDocument::to_json))
        .set_security_policy(security_policy.map(Into::into))
        .set_tags(Some(api.tags.to_map()));
    let answer = cx
        .while_passing(Patience::seconds(30), is_fresh_principal, || async {
            create.clone().send().await.during("apigateway.CreateRestApi")
        })
        .await?;
    let missing = || AwsError::missing("apigateway.CreateRestApi", "id");
    answer.id.map(PhysicalId::from).ok_or_else(missing)
}

/// A role that was made a moment ago is refused as a principal, in the words for a policy that is wrong.
fn is_fresh_principal(error: &AwsError) -> bool {
    error.says("BadRequestException", "Invalid policy document")
}

/// A new security policy takes about 15 minutes, in which the API answers but takes no further one.
async fn settled(cx: &Context, id: &PhysicalId) -> Result<GetRestApiOutput, AwsError> {
    cx.until(GET, "the API to be available", Patience::minutes(2400), || async {
        let answer = cx.apigateway.get_rest_api().rest_api_id(id.as_str()).send().await;
        let answer = answer.during(GET)?;
        match &answer.api_status {
            Some(ApiStatus::Pending | ApiStatus::Updating) => Ok(None),
            Some(ApiStatus::Failed) => {
                let why = answer.api_status_message.as_deref().unwrap_or("the service does not say why");
                Err(AwsError::new(GET, ErrorClass::Service, format!("the API has failed: {why}")))
            }
            _ => Ok(Some(answer)),
        }
    })
    .await
}

async fn patch_api(cx: &Context, id: &PhysicalId, patches: Vec<PatchOperation>) -> Result<(), AwsError> {
    if patches.is_empty() {
        return Ok(());
    }
    let update = cx.apigateway.update_rest_api().rest_api_id(id.as_str()).set_patch_operations(Some(patches));
    let update = || async { update.clone().send().await.during(UPDATE).map(drop) };
    patch::write(cx, id.as_str(), || cx.while_passing(Patience::seconds(30), is_fresh_principal, update)).await
}

/// What makes an endpoint one of another type. The rest of a change is judged by the type that the API already has, so this
/// goes first, in a call of its own.
fn endpoint_patches(live: &RestApi, wanted: &RestApi) -> Vec<PatchOperation> {
    let (was, is) = (&live.endpoint_configuration, &wanted.endpoint_configuration);
    let left = was.vpc_endpoint_ids.difference(&is.vpc_endpoint_ids);
    let left = left.map(|id| remove_item("/endpointConfiguration/vpcEndpointIds", id));
    let types = (was.types != is.types).then(|| replace("/endpointConfiguration/types/0", is.types.concat()));
    let security_policy = (live.security_policy != wanted.security_policy)
        .then(|| replace("/securityPolicy", wanted.security_policy.as_deref().unwrap_or_default()));
    let access_mode = (live.endpoint_access_mode != wanted.endpoint_access_mode)
        .then(|| replace("/endpointAccessMode", wanted.endpoint_access_mode.as_deref().unwrap_or_default()));
    left.chain(types).chain(security_policy).chain(access_mode).collect()
}

/// What else turns one API into another.
fn patches(live: &RestApi, wanted: &RestApi) -> Vec<PatchOperation> {
    let (was, is) = (&live.endpoint_configuration, &wanted.endpoint_configuration);
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let singles = [
        (was.ip_address_type != is.ip_address_type)
            .then(|| replace("/endpointConfiguration/ipAddressType", text(&is.ip_address_type))),
        (live.name != wanted.name).then(|| replace("/name", text(&wanted.name))),
        (live.description != wanted.description).then(|| match &wanted.description {
            Some(description) => replace("/description", description),
            None => remove("/description"),
        }),
        (live.api_key_source_type != wanted.api_key_source_type)
            .then(|| replace("/apiKeySource", &wanted.api_key_source_type)),
        (live.disable_execute_api_endpoint != wanted.disable_execute_api_endpoint)
            .then(|| replace("/disableExecuteApiEndpoint", wanted.disable_execute_api_endpoint)),
        (live.minimum_compression_size != wanted.minimum_compression_size)
            .then(|| replace_or_clear("/minimumCompressionSize", wanted.minimum_compression_size)),
        (live.policy != wanted.policy)
            .then(|| replace("/policy", wanted.policy.as_ref().map(PolicyDocument::to_json).unwrap_or_default())),
    ];
    let joined = is.vpc_endpoint_ids.difference(&was.vpc_endpoint_ids);
    let joined = joined.map(|id| add("/endpointConfiguration/vpcEndpointIds", id));
    let media_type = |kind: &String| format!("/binaryMediaTypes/{}", segment(kind));
    let fewer = live.binary_media_types.difference(&wanted.binary_media_types).map(|kind| remove(media_type(kind)));
    let more = wanted.binary_media_types.difference(&live.binary_media_types).map(|kind| add_item(media_type(kind)));
    singles.into_iter().flatten().chain(joined).chain(fewer).chain(more).collect()
}

fn live(scope: &Scope, id: &str, answer: GetRestApiOutput) -> Result<Live<RestApi>, AwsError> {
    let root = answer.root_resource_id.clone();
    let root = root.ok_or_else(|| AwsError::missing(GET, "rootResourceId"))?;
    let texts = |list: Option<Vec<String>>| list.unwrap_or_default().into_iter().collect();
    let endpoint = answer.endpoint_configuration;
    let mut tags = tags_of(answer.tags.as_ref());
    let body_digest = tags.0.remove(BODY);
    let api = RestApi {
        body: None,
        body_s3_location: None,
        body_digest,
        fail_on_warnings: false,
        mode: None,
        parameters: BTreeMap::new(),
        name: answer.name,
        description: answer.description,
        api_key_source_type: answer.api_key_source.map_or("HEADER".to_owned(), |source| source.as_str().to_owned()),
        binary_media_types: texts(answer.binary_media_types),
        disable_execute_api_endpoint: answer.disable_execute_api_endpoint,
        endpoint_access_mode: answer.endpoint_access_mode.map(|mode| mode.as_str().to_owned()),
        endpoint_configuration: endpoint.map_or_else(EndpointConfiguration::default, |endpoint| {
            EndpointConfiguration {
                types: endpoint.types().iter().map(|kind| kind.as_str().to_owned()).collect(),
                ip_address_type: endpoint.ip_address_type().map(|kind| kind.as_str().to_owned()),
                vpc_endpoint_ids: texts(endpoint.vpc_endpoint_ids),
            }
        }),
        minimum_compression_size: answer.minimum_compression_size,
        policy: answer.policy.filter(|policy| !policy.is_empty()).map(|policy| read_policy(scope, id, &policy)),
        security_policy: answer.security_policy.map(|policy| policy.as_str().to_owned()),
        tags,
    };
    let attributes = referred(id, [("RestApiId", id.to_owned()), ("RootResourceId", root)]);
    Ok(Live::tagged(api, attributes))
}

fn tags_of(tags: Option<&std::collections::HashMap<String, String>>) -> Tags {
    tags.cloned().unwrap_or_default().into()
}

/// The service answers a policy with its quotes escaped, and its resources, which a template can only write as
/// `execute-api:/…` since it does not know the id, as ARNs of the API.
fn read_policy(scope: &Scope, id: &str, policy: &str) -> PolicyDocument {
    let unescaped = serde_json::from_str::<String>(&format!("\"{policy}\""));
    let policy = unescaped.as_deref().unwrap_or(policy);
    let own = format!("{}/", scope.arn("execute-api", id));
    let Ok(document) = serde_json::from_str::<Value>(policy) else {
        return PolicyDocument::new(Value::String(policy.to_owned()));
    };
    PolicyDocument::new(shortened(document, &own))
}

fn shortened(value: Value, own: &str) -> Value {
    match value {
        Value::String(text) => {
            Value::String(text.strip_prefix(own).map(|path| format!("execute-api:/{path}")).unwrap_or(text))
        }
        Value::Array(items) => items.into_iter().map(|item| shortened(item, own)).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, shortened(value, own))).collect(),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_reads_back_as_it_was_written() {
        let scope = Scope { account_id: "123456789012".into(), region: "us-east-1".into(), partition: "aws".into() };
        let answered = concat!(
            r#"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"execute-api:Invoke\","#,
            r#"\"Resource\":\"arn:aws:execute-api:us-east-1:123456789012:a1b2c3\/*\"}]}"#
        );
        let written = json!({"Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/*",
        }});
        assert_eq!(read_policy(&scope, "a1b2c3", answered), PolicyDocument::new(written));
    }

    #[test]
    fn what_depends_on_the_endpoint_follows_it() {
        let api = |properties: Value| {
            let mut api: RestApi = serde_json::from_value(properties).expect("properties of an API");
            ApiGatewayRestApi::complete(&mut api);
            api
        };
        let edge = api(json!({"Name": "orders", "Description": "Takes orders"}));
        let private = api(json!({
            "Name": "orders",
            "BinaryMediaTypes": ["image/png"],
            "EndpointConfiguration": {"Types": ["PRIVATE"], "VpcEndpointIds": ["vpce-1"]},
        }));
        let paths = |patches: Vec<PatchOperation>| -> Vec<String> {
            patches.into_iter().filter_map(|patch| patch.path).collect()
        };
        assert_eq!(paths(endpoint_patches(&edge, &private)), ["/endpointConfiguration/types/0", "/securityPolicy"]);
        assert_eq!(
            paths(patches(&edge, &private)),
            [
                "/endpointConfiguration/ipAddressType",
                "/description",
                "/endpointConfiguration/vpcEndpointIds",
                "/binaryMediaTypes/image~1png",
            ]
        );
        assert_eq!(paths(endpoint_patches(&private, &edge))[0], "/endpointConfiguration/vpcEndpointIds");
        assert_eq!(endpoint_patches(&private, &private), []);
        assert_eq!(patches(&private, &private), []);
    }
}
