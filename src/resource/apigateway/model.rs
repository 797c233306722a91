//! `AWS::ApiGateway::Model`. Found by name, which is unique in its API and made of letters and digits. Name, content type and
//! API replace it. One that a method uses cannot be deleted.

use aws_sdk_apigateway::types;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::apigateway::patch::replace;
use crate::resource::apigateway::{joined, listed, parts, patch};
use crate::resource::{Attributes, Case, GeneratedName, Handler, Live, Made, Owner, attributes, json_text, referred};

pub struct ApiGatewayModel;

/// The template's names and shapes. What CloudFormation does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Model {
    pub rest_api_id: String,
    pub name: Option<String>,
    pub content_type: String,
    pub description: Option<String>,
    #[serde(deserialize_with = "json_text::deserialize")]
    pub schema: Option<Value>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            rest_api_id: String::new(),
            name: None,
            content_type: "application/json".to_owned(),
            description: None,
            schema: None,
        }
    }
}

impl Handler for ApiGatewayModel {
    const TYPE: &'static str = "AWS::ApiGateway::Model";
    const FOUND_BY: &'static [&'static str] = &["RestApiId", "Name"];
    const PART_OF: &'static [&'static str] = &["RestApiId"];
    const GENERATED_NAME: Option<GeneratedName> =
        Some(GeneratedName { case: Case::Alphanumeric, ..GeneratedName::new("Name", 128) });
    const WITHIN: Option<&'static str> = Some("AWS::ApiGateway::RestApi");
    type Properties = Model;

    fn complete(model: &mut Model) {
        // The service takes no model without a schema; this one lets everything through.
        model.schema.get_or_insert_with(|| json!({}));
        model.description.take_if(|description| description.is_empty());
    }

    fn predict(_scope: &Scope, model: &Model) -> Attributes {
        attributes([("Ref", model.name.clone())])
    }

    async fn find(cx: &Context, _owner: &Owner, model: &Model) -> Result<Option<PhysicalId>, AwsError> {
        let name = model.name.as_deref().unwrap_or_default();
        let answer = cx.apigateway.get_model().rest_api_id(&model.rest_api_id).model_name(name).send().await;
        Ok(found("apigateway.GetModel", answer)?.map(|_| joined([&model.rest_api_id, name])))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Model>>, AwsError> {
        let [api, name] = parts(id)?;
        let listed = listed(cx, || models(cx, api)).await?;
        let shown = match listed.into_iter().find(|it| it.name() == Some(name)) {
            Some(it) => Some((it.content_type, it.description, it.schema)),
            None => {
                let answer = cx.apigateway.get_model().rest_api_id(api).model_name(name).send().await;
                found("apigateway.GetModel", answer)?.map(|it| (it.content_type, it.description, it.schema))
            }
        };
        let Some((content_type, description, schema)) = shown else { return Ok(None) };
        let model = Model {
            rest_api_id: api.to_owned(),
            name: Some(name.to_owned()),
            content_type: content_type.unwrap_or_default(),
            description,
            schema: schema.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
        };
        Ok(Some(Live::unmarkable(model, referred(name, []))))
    }

    async fn create(cx: &Context, _owner: &Owner, model: &Model, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, model).await?,
        };
        Ok(Made { id, attributes: referred(model.name.as_deref().unwrap_or_default(), []) })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        model: &Model,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let [api, name] = parts(id)?;
        let schema = changes.touch("Schema").then(|| replace("/schema", json_text::written(model.schema.as_ref())));
        let description = changes.touch("Description").then(|| model.description.clone().unwrap_or_default());
        let patches = schema.into_iter().chain(description.map(|text| replace("/description", text))).collect();
        let update = cx.apigateway.update_model().rest_api_id(api).model_name(name).set_patch_operations(Some(patches));
        patch::write(cx, api, || async { update.clone().send().await.during("apigateway.UpdateModel") }).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [api, name] = parts(id)?;
        let delete = cx.apigateway.delete_model().rest_api_id(api).model_name(name);
        let delete = || async { gone_is_fine(delete.clone().send().await.during("apigateway.DeleteModel")) };
        patch::write(cx, api, delete).await?;
        cx.until("apigateway.GetModel", "the model to be gone", Patience::seconds(60), || async {
            let answer = cx.apigateway.get_model().rest_api_id(api).model_name(name).send().await;
            Ok(found("apigateway.GetModel", answer)?.is_none().then_some(()))
        })
        .await
    }

    async fn list_within(cx: &Context, api: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        /// Every API has these from its beginning.
        const BUILT_IN: [&str; 2] = ["Empty", "Error"];
        let names = models(cx, api.as_str()).await?.into_iter().filter_map(|model| model.name);
        Ok(names.filter(|it| !BUILT_IN.contains(&it.as_str())).map(|it| joined([api.as_str(), &it])).collect())
    }
}

/// All models of an API, the built-in ones among them.
async fn models(cx: &Context, api: &str) -> Result<Vec<types::Model>, AwsError> {
    const GET: &str = "apigateway.GetModels";
    cx.once(GET, api, || async {
        let list = cx.apigateway.get_models().rest_api_id(api).limit(500).into_paginator().items().send();
        let models: Result<Vec<_>, _> = list.try_collect().await;
        models.during(GET)
    })
    .await
}

async fn make(cx: &Context, model: &Model) -> Result<PhysicalId, AwsError> {
    let name = model.name.as_deref().unwrap_or_default();
    let create = cx
        .apigateway
        .create_model()
        .rest_api_id(&model.rest_api_id)
        .name(name)
        .content_type(&model.content_type)
        .set_description(model.description.clone())
        .schema(json_text::written(model.schema.as_ref()));
    let create = || async { create.clone().send().await.during("apigateway.CreateModel") };
    patch::write(cx, &model.rest_api_id, create).await?;
    Ok(joined([&model.rest_api_id, name]))
}
