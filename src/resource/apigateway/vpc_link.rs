//! `AWS::ApiGateway::VpcLink`: the way from an API into a network. Names repeat: found by name and the tags of its owner. Its
//! targets replace it. It takes minutes to come, and some more to go.

use std::collections::BTreeSet;

use aws_sdk_apigateway::types::{VpcLink as Shown, VpcLinkStatus};
use serde::{Deserialize, Serialize};

use super::patch::{self, replace, replace_or_clear};
use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct ApiGatewayVpcLink;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct VpcLink {
    pub name: String,
    pub description: Option<String>,
    pub target_arns: BTreeSet<String>,
    pub tags: Tags,
}

const GET: &str = "apigateway.GetVpcLink";
/// Terraform waits as long, and as long for the end.
const LONG: Patience = Patience::minutes(1200);

impl Handler for ApiGatewayVpcLink {
    const TYPE: &'static str = "AWS::ApiGateway::VpcLink";
    const FOUND_BY: &'static [&'static str] = &["Name"];
    const CREATES_ANOTHER: bool = true;
    const TAGGED_AS: Option<&'static str> = Some("apigateway:vpclinks");
    type Properties = VpcLink;

    fn complete(link: &mut VpcLink) {
        link.description.take_if(|text| text.is_empty());
    }

    fn predict(_scope: &Scope, _link: &VpcLink) -> Attributes {
        Attributes::new()
    }

    async fn find(cx: &Context, owner: &Owner, _link: &VpcLink) -> Result<Option<PhysicalId>, AwsError> {
        let pages = cx.apigateway.get_vpc_links().limit(500).into_paginator().items().send();
        let links: Vec<Shown> = pages.try_collect().await.during("apigateway.GetVpcLinks")?;
        let is_ours = |link: &Shown| {
            let owned = Tags::from(link.tags.clone().unwrap_or_default()).owner();
            owned.as_ref() == Some(owner) && link.status != Some(VpcLinkStatus::Deleting)
        };
        Ok(links.into_iter().find(is_ours).and_then(|link| link.id).map(PhysicalId::from))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<VpcLink>>, AwsError> {
        let answer = cx.apigateway.get_vpc_link().vpc_link_id(id.as_str()).send().await;
        let Some(shown) = found(GET, answer)?.filter(|it| it.status != Some(VpcLinkStatus::Deleting)) else {
            return Ok(None);
        };
        let link = VpcLink {
            name: shown.name.unwrap_or_default(),
            description: shown.description,
            target_arns: shown.target_arns.unwrap_or_default().into_iter().collect(),
            tags: shown.tags.unwrap_or_default().into(),
        };
        Ok(Some(Live::tagged(link, attributes(id.as_str()))))
    }

    async fn create(cx: &Context, _owner: &Owner, link: &VpcLink, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, link).await?,
        };
        let come = cx.until(GET, "the VPC link", LONG, || has_come(cx, &id)).await;
        if come.as_ref().is_err_and(|error| error.class == ErrorClass::Invalid) {
            // It stays as it is: the next run is to make another one.
            remove(cx, &id).await?;
        }
        come?;
        Ok(Made { attributes: attributes(id.as_str()), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        link: &VpcLink,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let name = changes.touch("Name").then(|| replace("/name", &link.name));
        let description =
            changes.touch("Description").then(|| replace_or_clear("/description", link.description.clone()));
        let patches: Vec<_> = name.into_iter().chain(description).collect();
        if !patches.is_empty() {
            let update = cx.apigateway.update_vpc_link().vpc_link_id(id.as_str()).set_patch_operations(Some(patches));
            let update = || async { update.clone().send().await.during("apigateway.UpdateVpcLink") };
            patch::write(cx, id.as_str(), update).await?;
        }
        if changes.touch("Tags") {
            patch::sync_tags(cx, id.as_str(), &format!("/vpclinks/{id}"), &link.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        remove(cx, id).await?;
        cx.until(GET, "the VPC link to be gone", LONG, || async {
            let answer = cx.apigateway.get_vpc_link().vpc_link_id(id.as_str()).send().await;
            Ok(found(GET, answer)?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.strip_prefix(&patch::arn(&cx.scope, "/vpclinks/")).map(PhysicalId::from))
    }
}

async fn make(cx: &Context, link: &VpcLink) -> Result<PhysicalId, AwsError> {
    const CREATE: &str = "apigateway.CreateVpcLink";
    let create = cx.apigateway.create_vpc_link().name(&link.name).set_description(link.description.clone());
    let create = create.set_target_arns(Some(link.target_arns.iter().cloned().collect()));
    let made = create.set_tags(Some(link.tags.to_map())).send().await.during(CREATE)?;
    made.id.map(PhysicalId::from).ok_or_else(|| AwsError::missing(CREATE, "id"))
}

async fn remove(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
    let delete = cx.apigateway.delete_vpc_link().vpc_link_id(id.as_str());
    gone_is_fine(delete.send().await.during("apigateway.DeleteVpcLink"))
}

/// Whether it can be used. One that failed never will be: its targets are none that a link can have.
async fn has_come(cx: &Context, id: &PhysicalId) -> Result<Option<()>, AwsError> {
    let shown = cx.apigateway.get_vpc_link().vpc_link_id(id.as_str()).send().await.during(GET)?;
    match shown.status {
        Some(VpcLinkStatus::Failed) => {
            let why = shown.status_message.unwrap_or_default();
            Err(AwsError::new(GET, ErrorClass::Invalid, format!("the VPC link could not be made: {why}")))
        }
        status => Ok((status == Some(VpcLinkStatus::Available)).then_some(())),
    }
}

fn attributes(id: &str) -> Attributes {
    referred(id, [("VpcLinkId", id.to_owned())])
}
