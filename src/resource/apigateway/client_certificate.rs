//! `AWS::ApiGateway::ClientCertificate`: what API Gateway shows of itself to the backends that it calls. Found by the marks of
//! its owner, since it has no name. Nothing replaces it.

use aws_sdk_apigateway::types::ClientCertificate as Shown;
use serde::{Deserialize, Serialize};

use super::patch::{self, replace_or_clear};
use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct ApiGatewayClientCertificate;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct ClientCertificate {
    pub description: Option<String>,
    pub tags: Tags,
}

impl Handler for ApiGatewayClientCertificate {
    const TYPE: &'static str = "AWS::ApiGateway::ClientCertificate";
    const FOUND_BY: &'static [&'static str] = &[];
    const CREATES_ANOTHER: bool = true;
    const TAGGED_AS: Option<&'static str> = Some("apigateway:clientcertificates");
    type Properties = ClientCertificate;

    fn complete(certificate: &mut ClientCertificate) {
        certificate.description.take_if(|text| text.is_empty());
    }

    fn predict(_scope: &Scope, _certificate: &ClientCertificate) -> Attributes {
        Attributes::new()
    }

    async fn find(
        cx: &Context,
        owner: &Owner,
        _certificate: &ClientCertificate,
    ) -> Result<Option<PhysicalId>, AwsError> {
        let pages = cx.apigateway.get_client_certificates().limit(500).into_paginator().items().send();
        let shown: Vec<Shown> = pages.try_collect().await.during("apigateway.GetClientCertificates")?;
        let is_ours =
            |shown: &Shown| Tags::from(shown.tags.clone().unwrap_or_default()).owner().as_ref() == Some(owner);
        Ok(shown.into_iter().find(is_ours).and_then(|shown| shown.client_certificate_id).map(PhysicalId::from))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<ClientCertificate>>, AwsError> {
        let get = cx.apigateway.get_client_certificate().client_certificate_id(id.as_str());
        let Some(shown) = found("apigateway.GetClientCertificate", get.send().await)? else { return Ok(None) };
        let certificate =
            ClientCertificate { description: shown.description, tags: shown.tags.unwrap_or_default().into() };
        Ok(Some(Live::tagged(certificate, attributes(id.as_str()))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        certificate: &ClientCertificate,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, certificate).await?,
        };
        Ok(Made { attributes: attributes(id.as_str()), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        certificate: &ClientCertificate,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch("Description") {
            let update = cx.apigateway.update_client_certificate().client_certificate_id(id.as_str());
            let update = update.patch_operations(replace_or_clear("/description", certificate.description.clone()));
            let update = || async { update.clone().send().await.during("apigateway.UpdateClientCertificate") };
            patch::write(cx, id.as_str(), update).await?;
        }
        if changes.touch("Tags") {
            patch::sync_tags(cx, id.as_str(), &format!("/clientcertificates/{id}"), &certificate.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.apigateway.delete_client_certificate().client_certificate_id(id.as_str());
        gone_is_fine(delete.send().await.during("apigateway.DeleteClientCertificate"))
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.strip_prefix(&patch::arn(&cx.scope, "/clientcertificates/")).map(PhysicalId::from))
    }
}

async fn make(cx: &Context, certificate: &ClientCertificate) -> Result<PhysicalId, AwsError> {
    const GENERATE: &str = "apigateway.GenerateClientCertificate";
    let generate = cx.apigateway.generate_client_certificate().set_description(certificate.description.clone());
    let made = generate.set_tags(Some(certificate.tags.to_map())).send().await.during(GENERATE)?;
    let id = made.client_certificate_id.ok_or_else(|| AwsError::missing(GENERATE, "clientCertificateId"))?;
    Ok(PhysicalId::from(id))
}

fn attributes(id: &str) -> Attributes {
    referred(id, [("ClientCertificateId", id.to_owned())])
}
