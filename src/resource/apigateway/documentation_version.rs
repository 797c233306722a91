//! `AWS::ApiGateway::DocumentationVersion`: a snapshot of what is said of an API. Found by its name, which an API has once; name
//! and API replace it. What is said later is not in it, as with CloudFormation: it takes a version of another name.

use serde::{Deserialize, Serialize};

use super::patch::{self, replace_or_clear};
use super::{joined, parts};
use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::{Attributes, Handler, Live, Made, Owner, complete_what_is_there, referred};

pub struct ApiGatewayDocumentationVersion;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct DocumentationVersion {
    pub rest_api_id: String,
    pub documentation_version: String,
    pub description: Option<String>,
}

impl Handler for ApiGatewayDocumentationVersion {
    const TYPE: &'static str = "AWS::ApiGateway::DocumentationVersion";
    const FOUND_BY: &'static [&'static str] = &["RestApiId", "DocumentationVersion"];
    const PART_OF: &'static [&'static str] = &["RestApiId"];
    const WITHIN: Option<&'static str> = Some("AWS::ApiGateway::RestApi");
    type Properties = DocumentationVersion;

    fn complete(version: &mut DocumentationVersion) {
        version.description.take_if(|text| text.is_empty());
    }

    fn predict(_scope: &Scope, version: &DocumentationVersion) -> Attributes {
        referred(version.documentation_version.as_str(), [])
    }

    async fn find(
        cx: &Context,
        _owner: &Owner,
        version: &DocumentationVersion,
    ) -> Result<Option<PhysicalId>, AwsError> {
        let id = id_of(version);
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<DocumentationVersion>>, AwsError> {
        let [name, api] = parts(id)?;
        let get = cx.apigateway.get_documentation_version().rest_api_id(api).documentation_version(name);
        let Some(shown) = found("apigateway.GetDocumentationVersion", get.send().await)? else { return Ok(None) };
        let version = DocumentationVersion {
            rest_api_id: api.to_owned(),
            documentation_version: name.to_owned(),
            description: shown.description,
        };
        Ok(Some(Live::unmarkable(version, referred(name, []))))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        version: &DocumentationVersion,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = id_of(version);
        match left {
            None => make(cx, version).await?,
            Some(_) => complete_what_is_there::<Self>(cx, owner, &id, version).await?,
        }
        Ok(Made { attributes: referred(version.documentation_version.as_str(), []), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        version: &DocumentationVersion,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let [name, api] = parts(id)?;
        if changes.touch("Description") {
            let update = cx.apigateway.update_documentation_version().rest_api_id(api).documentation_version(name);
            let update = update.patch_operations(replace_or_clear("/description", version.description.clone()));
            let update = || async { update.clone().send().await.during("apigateway.UpdateDocumentationVersion") };
            patch::write(cx, api, update).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [name, api] = parts(id)?;
        let delete = cx.apigateway.delete_documentation_version().rest_api_id(api).documentation_version(name);
        let delete = || async { delete.clone().send().await.during("apigateway.DeleteDocumentationVersion") };
        gone_is_fine(patch::write(cx, api, delete).await)
    }

    /// The SDK has no paginator for this list.
    async fn list_within(cx: &Context, api: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let list = cx.apigateway.get_documentation_versions().rest_api_id(api.as_str()).limit(500);
        let mut ids = Vec::new();
        let mut position = None;
        loop {
            let page =
                list.clone().set_position(position).send().await.during("apigateway.GetDocumentationVersions")?;
            let names = page.items.unwrap_or_default().into_iter().filter_map(|it| it.version);
            ids.extend(names.map(|name| joined([&name, api.as_str()])));
            position = page.position.filter(|position| !position.is_empty());
            if position.is_none() {
                return Ok(ids);
            }
        }
    }
}

async fn make(cx: &Context, version: &DocumentationVersion) -> Result<(), AwsError> {
    let create = cx.apigateway.create_documentation_version().rest_api_id(&version.rest_api_id);
    let create = create.documentation_version(&version.documentation_version);
    let create = create.set_description(version.description.clone());
    let create = || async { create.clone().send().await.during("apigateway.CreateDocumentationVersion") };
    patch::write(cx, &version.rest_api_id, create).await.map(drop)
}

fn id_of(version: &DocumentationVersion) -> PhysicalId {
    joined([&version.documentation_version, &version.rest_api_id])
}
