//! `AWS::ApiGateway::RequestValidator`. Found by name, which an API can have twice: the first one is it. Name and API replace
//! it. One that a method uses cannot be deleted.

use aws_sdk_apigateway::types;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, absent_is_none, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::apigateway::patch::replace;
use crate::resource::apigateway::{joined, listed, parts, patch};
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, referred};

pub struct ApiGatewayRequestValidator;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct RequestValidator {
    pub rest_api_id: String,
    pub name: Option<String>,
    pub validate_request_body: bool,
    pub validate_request_parameters: bool,
}

impl Handler for ApiGatewayRequestValidator {
    const TYPE: &'static str = "AWS::ApiGateway::RequestValidator";
    const FOUND_BY: &'static [&'static str] = &["RestApiId", "Name"];
    const CREATES_ANOTHER: bool = true;
    const PART_OF: &'static [&'static str] = &["RestApiId"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("Name", 128));
    const WITHIN: Option<&'static str> = Some("AWS::ApiGateway::RestApi");
    type Properties = RequestValidator;

    fn predict(_scope: &Scope, _validator: &RequestValidator) -> Attributes {
        Attributes::new()
    }

    async fn find(cx: &Context, _owner: &Owner, validator: &RequestValidator) -> Result<Option<PhysicalId>, AwsError> {
        let api = validator.rest_api_id.as_str();
        let validators = absent_is_none(validators(cx, api).await)?.unwrap_or_default();
        let is_it = |it: &&types::RequestValidator| it.name() == validator.name.as_deref();
        Ok(validators.iter().find(is_it).and_then(|it| it.id()).map(|id| joined([api, id])))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<RequestValidator>>, AwsError> {
        let [api, validator] = parts(id)?;
        let listed = listed(cx, || validators(cx, api)).await?;
        let shown = match listed.into_iter().find(|it| it.id() == Some(validator)) {
            Some(it) => Some((it.name, it.validate_request_body, it.validate_request_parameters)),
            None => {
                let get = cx.apigateway.get_request_validator().rest_api_id(api).request_validator_id(validator);
                let shown = found("apigateway.GetRequestValidator", get.send().await)?;
                shown.map(|it| (it.name, it.validate_request_body, it.validate_request_parameters))
            }
        };
        let Some((name, validate_request_body, validate_request_parameters)) = shown else { return Ok(None) };
        let properties =
            RequestValidator { rest_api_id: api.to_owned(), name, validate_request_body, validate_request_parameters };
        Ok(Some(Live::unmarkable(properties, attributes(validator))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        validator: &RequestValidator,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, validator).await?,
        };
        let [_, validator] = parts(&id)?;
        Ok(Made { attributes: attributes(validator), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        validator: &RequestValidator,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let [api, validator_id] = parts(id)?;
        let flags = [
            ("ValidateRequestBody", "/validateRequestBody", validator.validate_request_body),
            ("ValidateRequestParameters", "/validateRequestParameters", validator.validate_request_parameters),
        ];
        let changed = flags.into_iter().filter(|(property, ..)| changes.touch(property));
        let patches = changed.map(|(_, path, flag)| replace(path, flag)).collect();
        let update = cx.apigateway.update_request_validator().rest_api_id(api).request_validator_id(validator_id);
        let update = update.set_patch_operations(Some(patches));
        let update = || async { update.clone().send().await.during("apigateway.UpdateRequestValidator") };
        patch::write(cx, api, update).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [api, validator] = parts(id)?;
        let delete = cx.apigateway.delete_request_validator().rest_api_id(api).request_validator_id(validator);
        let delete = || async { gone_is_fine(delete.clone().send().await.during("apigateway.DeleteRequestValidator")) };
        patch::write(cx, api, delete).await?;
        let get = cx.apigateway.get_request_validator().rest_api_id(api).request_validator_id(validator);
        cx.until("apigateway.GetRequestValidator", "the validator to be gone", Patience::seconds(60), || async {
            Ok(found("apigateway.GetRequestValidator", get.clone().send().await)?.is_none().then_some(()))
        })
        .await
    }

    async fn list_within(cx: &Context, api: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let ids = validators(cx, api.as_str()).await?.into_iter().filter_map(|validator| validator.id);
        Ok(ids.map(|id| joined([api.as_str(), &id])).collect())
    }
}

/// All validators of an API.
pub(super) async fn validators(cx: &Context, api: &str) -> Result<Vec<types::RequestValidator>, AwsError> {
    cx.once("apigateway.GetRequestValidators", api, || list(cx, api)).await
}

/// The SDK has no paginator for this list.
async fn list(cx: &Context, api: &str) -> Result<Vec<types::RequestValidator>, AwsError> {
    let list = cx.apigateway.get_request_validators().rest_api_id(api).limit(500);
    let mut validators = Vec::new();
    let mut position = None;
    loop {
        let page = list.clone().set_position(position).send().await.during("apigateway.GetRequestValidators")?;
        validators.extend(page.items.unwrap_or_default());
        position = page.position.filter(|position| !position.is_empty());
        if position.is_none() {
            return Ok(validators);
        }
    }
}

async fn make(cx: &Context, validator: &RequestValidator) -> Result<PhysicalId, AwsError> {
    let create = cx
        .apigateway
        .create_request_validator()
        .rest_api_id(&validator.rest_api_id)
        .set_name(validator.name.clone())
        .validate_request_body(validator.validate_request_body)
        .validate_request_parameters(validator.validate_request_parameters);
    let create = || async { create.clone().send().await.during("apigateway.CreateRequestValidator") };
    let answer = patch::write(cx, &validator.rest_api_id, create).await?;
    let id = answer.id.ok_or_else(|| AwsError::missing("apigateway.CreateRequestValidator", "id"))?;
    Ok(joined([&validator.rest_api_id, &id]))
}

fn attributes(validator: &str) -> Attributes {
    referred(validator, [("RequestValidatorId", validator.to_owned())])
}
