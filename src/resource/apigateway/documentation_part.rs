//! `AWS::ApiGateway::DocumentationPart`: what is said of a part of an API. Found by the place that it is about, of which an API
//! takes one; place and API replace it.

use aws_sdk_apigateway::types::{self, DocumentationPartLocation};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::patch::{self, replace};
use super::{joined, parts};
use crate::aws::error::{AwsError, During, ErrorClass, absent_is_none, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::{Attributes, Handler, Live, Made, Owner, json_text, referred};

pub struct ApiGatewayDocumentationPart;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct DocumentationPart {
    pub rest_api_id: String,
    pub location: Location,
    /// JSON; what only differs in how it is written is equal.
    #[serde(deserialize_with = "json_text::deserialize")]
    pub properties: Option<Value>,
}

/// Of what kind the place is, and which one of its kind.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Location {
    #[serde(rename = "Type")]
    pub kind: String,
    pub path: Option<String>,
    pub method: Option<String>,
    pub status_code: Option<String>,
    pub name: Option<String>,
}

impl Handler for ApiGatewayDocumentationPart {
    const TYPE: &'static str = "AWS::ApiGateway::DocumentationPart";
    const FOUND_BY: &'static [&'static str] = &["RestApiId", "Location"];
    const PART_OF: &'static [&'static str] = &["RestApiId"];
    const WITHIN: Option<&'static str> = Some("AWS::ApiGateway::RestApi");
    type Properties = DocumentationPart;

    /// What stands for every place says as much as nothing ("DocumentationPartLocation": the defaults are `/` and `*`).
    fn complete(part: &mut DocumentationPart) {
        let place = &mut part.location;
        place.path.take_if(|path| path == "/" || path.is_empty());
        place.method.take_if(|method| method == "*" || method.is_empty());
        place.status_code.take_if(|code| code == "*" || code.is_empty());
        place.name.take_if(|name| name.is_empty());
    }

    fn predict(_scope: &Scope, _part: &DocumentationPart) -> Attributes {
        Attributes::new()
    }

    async fn find(cx: &Context, _owner: &Owner, part: &DocumentationPart) -> Result<Option<PhysicalId>, AwsError> {
        let api = part.rest_api_id.as_str();
        let parts = absent_is_none(documented(cx, api).await)?.unwrap_or_default();
        let same = parts.into_iter().find(|it| place_of(it.location.as_ref()) == part.location);
        Ok(same.and_then(|it| it.id).map(|id| joined([&id, api])))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<DocumentationPart>>, AwsError> {
        let [part, api] = parts(id)?;
        let get = cx.apigateway.get_documentation_part().rest_api_id(api).documentation_part_id(part);
        let Some(shown) = found("apigateway.GetDocumentationPart", get.send().await)? else { return Ok(None) };
        let said = shown.properties.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)));
        let location = place_of(shown.location.as_ref());
        let properties = DocumentationPart { rest_api_id: api.to_owned(), location, properties: said };
        Ok(Some(Live::unmarkable(properties, attributes(part))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        part: &DocumentationPart,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => {
                say(cx, &id, part).await?;
                id
            }
            None => make(cx, part).await?,
        };
        let [part, _] = parts(&id)?;
        Ok(Made { attributes: attributes(part), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        part: &DocumentationPart,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        say(cx, id, part).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [part, api] = parts(id)?;
        let delete = cx.apigateway.delete_documentation_part().rest_api_id(api).documentation_part_id(part);
        let delete = || async { delete.clone().send().await.during("apigateway.DeleteDocumentationPart") };
        gone_is_fine(patch::write(cx, api, delete).await)
    }

    async fn list_within(cx: &Context, api: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let ids = documented(cx, api.as_str()).await?.into_iter().filter_map(|it| it.id);
        Ok(ids.map(|id| joined([&id, api.as_str()])).collect())
    }
}

/// The SDK has no paginator for this list.
async fn documented(cx: &Context, api: &str) -> Result<Vec<types::DocumentationPart>, AwsError> {
    let list = cx.apigateway.get_documentation_parts().rest_api_id(api).limit(500);
    let mut parts = Vec::new();
    let mut position = None;
    loop {
        let page = list.clone().set_position(position).send().await.during("apigateway.GetDocumentationParts")?;
        parts.extend(page.items.unwrap_or_default());
        position = page.position.filter(|position| !position.is_empty());
        if position.is_none() {
            return Ok(parts);
        }
    }
}

async fn make(cx: &Context, part: &DocumentationPart) -> Result<PhysicalId, AwsError> {
    const CREATE: &str = "apigateway.CreateDocumentationPart";
    let Location { kind, path, method, status_code, name } = part.location.clone();
    let location = DocumentationPartLocation::builder().r#type(kind.as_str().into());
    let location = location.set_path(path).set_method(method).set_status_code(status_code).set_name(name).build();
    let location = location.map_err(|error| AwsError::new(CREATE, ErrorClass::Invalid, error.to_string()))?;
    let create = cx.apigateway.create_documentation_part().rest_api_id(&part.rest_api_id);
    let create = create.location(location).properties(json_text::written(part.properties.as_ref()));
    let made = patch::write(cx, &part.rest_api_id, || async { create.clone().send().await.during(CREATE) }).await?;
    let id = made.id.ok_or_else(|| AwsError::missing(CREATE, "id"))?;
    Ok(joined([&id, &part.rest_api_id]))
}

async fn say(cx: &Context, id: &PhysicalId, wanted: &DocumentationPart) -> Result<(), AwsError> {
    let [part, api] = parts(id)?;
    let update = cx.apigateway.update_documentation_part().rest_api_id(api).documentation_part_id(part);
    let update = update.patch_operations(replace("/properties", json_text::written(wanted.properties.as_ref())));
    let update = || async { update.clone().send().await.during("apigateway.UpdateDocumentationPart") };
    patch::write(cx, api, update).await.map(drop)
}

/// The place in the template's shape, without what says nothing.
fn place_of(shown: Option<&DocumentationPartLocation>) -> Location {
    let Some(shown) = shown.cloned() else { return Location::default() };
    let location = Location {
        kind: shown.r#type.as_str().to_owned(),
        path: shown.path,
        method: shown.method,
        status_code: shown.status_code,
        name: shown.name,
    };
    let mut part = DocumentationPart { location, ..DocumentationPart::default() };
    ApiGatewayDocumentationPart::complete(&mut part);
    part.location
}

fn attributes(part: &str) -> Attributes {
    referred(part, [("DocumentationPartId", part.to_owned())])
}
