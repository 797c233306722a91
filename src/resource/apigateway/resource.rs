//! `AWS::ApiGateway::Resource`: a part of a path. Found by its parent and that part. Every property replaces it, and since a
//! level has room for one variable only, the old one has to go first.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::apigateway::{joined, parts, patch};
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct ApiGatewayResource;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct PathResource {
    pub rest_api_id: String,
    pub parent_id: String,
    pub path_part: String,
}

impl Handler for ApiGatewayResource {
    const TYPE: &'static str = "AWS::ApiGateway::Resource";
    /// Without the part itself: under another name the old resource goes first all the same, and callers do not notice, since
    /// they see what was deployed.
    const FOUND_BY: &'static [&'static str] = &["RestApiId", "ParentId"];
    const PART_OF: &'static [&'static str] = &["RestApiId", "ParentId"];
    const WITHIN: Option<&'static str> = Some("AWS::ApiGateway::RestApi");
    type Properties = PathResource;

    fn predict(_scope: &Scope, _resource: &PathResource) -> Attributes {
        Attributes::new()
    }

    async fn find(cx: &Context, _owner: &Owner, resource: &PathResource) -> Result<Option<PhysicalId>, AwsError> {
        let api = resource.rest_api_id.as_str();
        let Some(resources) = resources(cx, api).await? else { return Ok(None) };
        let is_it = |it: &aws_sdk_apigateway::types::Resource| {
            it.parent_id() == Some(&resource.parent_id) && it.path_part() == Some(&resource.path_part)
        };
        Ok(resources.iter().find(|it| is_it(it)).and_then(|it| it.id()).map(|id| joined([api, id])))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<PathResource>>, AwsError> {
        let [api, resource] = parts(id)?;
        let tree = match cx.survey {
            Some(_) => resources(cx, api).await?.unwrap_or_default(),
            None => Arc::default(),
        };
        // A list may not have yet what has just been made.
        let (parent_id, path_part) = match tree.iter().find(|it| it.id() == Some(resource)) {
            Some(shown) => (shown.parent_id.clone(), shown.path_part.clone()),
            None => {
                let answer = cx.apigateway.get_resource().rest_api_id(api).resource_id(resource).send().await;
                let Some(answer) = found("apigateway.GetResource", answer)? else { return Ok(None) };
                (answer.parent_id, answer.path_part)
            }
        };
        let properties = PathResource {
            rest_api_id: api.to_owned(),
            parent_id: parent_id.unwrap_or_default(),
            path_part: path_part.unwrap_or_default(),
        };
        Ok(Some(Live::unmarkable(properties, attributes(resource))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        resource: &PathResource,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, resource).await?,
        };
        let [_, resource] = parts(&id)?;
        Ok(Made { attributes: attributes(resource), id })
    }

    async fn update(
        _cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        _resource: &PathResource,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [api, resource] = parts(id)?;
        let delete = cx.apigateway.delete_resource().rest_api_id(api).resource_id(resource);
        let delete = || async { gone_is_fine(delete.clone().send().await.during("apigateway.DeleteResource")) };
        patch::write(cx, api, delete).await?;
        cx.until("apigateway.GetResource", "the resource to be gone", Patience::seconds(60), || async {
            let answer = cx.apigateway.get_resource().rest_api_id(api).resource_id(resource).send().await;
            Ok(found("apigateway.GetResource", answer)?.is_none().then_some(()))
        })
        .await
    }

    async fn list_within(cx: &Context, api: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let listed = resources(cx, api.as_str()).await?.unwrap_or_default();
        // The root is the API's own.
        let listed = listed.iter().filter(|it| it.parent_id().is_some());
        Ok(listed.filter_map(|it| Some(joined([api.as_str(), it.id()?]))).collect())
    }
}

async fn make(cx: &Context, resource: &PathResource) -> Result<PhysicalId, AwsError> {
    let create = cx
        .apigateway
        .create_resource()
        .rest_api_id(&resource.rest_api_id)
        .parent_id(&resource.parent_id)
        .path_part(&resource.path_part);
    let create = || async { create.clone().send().await.during("apigateway.CreateResource") };
    let answer = patch::write(cx, &resource.rest_api_id, create).await?;
    let id = answer.id.ok_or_else(|| AwsError::missing("apigateway.CreateResource", "id"))?;
    Ok(joined([&resource.rest_api_id, &id]))
}

/// An API's whole tree.
type Tree = Arc<Vec<aws_sdk_apigateway::types::Resource>>;

/// An API's whole tree, in a survey with all that its methods are; `None` where the API is not there.
pub(super) async fn resources(cx: &Context, api: &str) -> Result<Option<Tree>, AwsError> {
    tree(cx, api, cx.survey.is_some()).await
}

/// An API's whole tree with all that its methods are.
pub(super) async fn resources_with_methods(cx: &Context, api: &str) -> Result<Option<Tree>, AwsError> {
    tree(cx, api, true).await
}

async fn tree(cx: &Context, api: &str, has_methods: bool) -> Result<Option<Tree>, AwsError> {
    const GET: &str = "apigateway.GetResources";
    cx.once(GET, api, || async {
        let embedded = has_methods.then(|| vec!["methods".to_owned()]);
        let get = cx.apigateway.get_resources().rest_api_id(api).set_embed(embedded);
        let resources: Result<Vec<_>, _> = get.into_paginator().page_size(500).items().send().try_collect().await;
        Ok(found(GET, resources)?.map(Arc::new))
    })
    .await
}

fn attributes(resource: &str) -> Attributes {
    referred(resource, [("ResourceId", resource.to_owned())])
}
