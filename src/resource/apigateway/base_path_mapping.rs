//! `AWS::ApiGateway::BasePathMapping`: which API answers below a path of a custom domain. Found by domain and path, which replace
//! it. Mappings of other stacks on the same domain are left alone: they carry no mark.

use serde::{Deserialize, Serialize};

use super::patch::{self, replace};
use super::{joined, parts};
use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::{Attributes, Handler, Live, Made, Owner, complete_what_is_there, referred};

pub struct ApiGatewayBasePathMapping;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct BasePathMapping {
    pub domain_name: String,
    /// `(none)` is the domain's root.
    pub base_path: String,
    pub rest_api_id: Option<String>,
    /// Without it callers name the stage in their path.
    pub stage: Option<String>,
}

/// How the service writes a path that is empty ("GetBasePathMapping").
const ROOT: &str = "(none)";

impl Default for BasePathMapping {
    fn default() -> Self {
        Self { domain_name: String::new(), base_path: ROOT.to_owned(), rest_api_id: None, stage: None }
    }
}

impl Handler for ApiGatewayBasePathMapping {
    const TYPE: &'static str = "AWS::ApiGateway::BasePathMapping";
    const FOUND_BY: &'static [&'static str] = &["DomainName", "BasePath"];
    const PART_OF: &'static [&'static str] = &["DomainName"];
    type Properties = BasePathMapping;

    fn complete(mapping: &mut BasePathMapping) {
        if mapping.base_path.is_empty() {
            mapping.base_path = ROOT.to_owned();
        }
        mapping.stage.take_if(|stage| stage.is_empty() || stage == ROOT);
    }

    fn predict(_scope: &Scope, mapping: &BasePathMapping) -> Attributes {
        referred(id_of(mapping).as_str(), [])
    }

    async fn find(cx: &Context, _owner: &Owner, mapping: &BasePathMapping) -> Result<Option<PhysicalId>, AwsError> {
        let id = id_of(mapping);
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<BasePathMapping>>, AwsError> {
        let [domain_name, base_path] = parts(id)?;
        let get = cx.apigateway.get_base_path_mapping().domain_name(domain_name).base_path(base_path);
        let Some(shown) = found("apigateway.GetBasePathMapping", get.send().await)? else { return Ok(None) };
        let mapping = BasePathMapping {
            domain_name: domain_name.to_owned(),
            base_path: base_path.to_owned(),
            rest_api_id: shown.rest_api_id,
            stage: shown.stage,
        };
        Ok(Some(Live::unmarkable(mapping, referred(id.as_str(), []))))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        mapping: &BasePathMapping,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = id_of(mapping);
        match left {
            None => make(cx, mapping).await?,
            Some(_) => complete_what_is_there::<Self>(cx, owner, &id, mapping).await?,
        }
        Ok(Made { attributes: referred(id.as_str(), []), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        mapping: &BasePathMapping,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        // The paths are not the members' names: see "Patch Operations".
        let texts = [("RestApiId", "/restapiId", &mapping.rest_api_id), ("Stage", "/stage", &mapping.stage)];
        let changed = texts.into_iter().filter(|(property, ..)| changes.touch(property));
        let patches: Vec<_> =
            changed.map(|(_, path, text)| replace(path, text.as_deref().unwrap_or_default())).collect();
        if !patches.is_empty() {
            let update = cx.apigateway.update_base_path_mapping().domain_name(&mapping.domain_name);
            let update = update.base_path(&mapping.base_path).set_patch_operations(Some(patches));
            let update = || async { update.clone().send().await.during("apigateway.UpdateBasePathMapping") };
            patch::write(cx, &mapping.domain_name, update).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [domain_name, base_path] = parts(id)?;
        let delete = cx.apigateway.delete_base_path_mapping().domain_name(domain_name).base_path(base_path);
        let delete = || async { delete.clone().send().await.during("apigateway.DeleteBasePathMapping") };
        gone_is_fine(patch::write(cx, domain_name, delete).await)
    }
}

async fn make(cx: &Context, mapping: &BasePathMapping) -> Result<(), AwsError> {
    let path = Some(mapping.base_path.clone()).filter(|path| path != ROOT);
    let create = cx.apigateway.create_base_path_mapping().domain_name(&mapping.domain_name).set_base_path(path);
    let create = create.set_rest_api_id(mapping.rest_api_id.clone()).set_stage(mapping.stage.clone());
    let create = || async { create.clone().send().await.during("apigateway.CreateBasePathMapping") };
    patch::write(cx, &mapping.domain_name, create).await.map(drop)
}

fn id_of(mapping: &BasePathMapping) -> PhysicalId {
    joined([&mapping.domain_name, &mapping.base_path])
}
