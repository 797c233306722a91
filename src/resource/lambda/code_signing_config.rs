//! `AWS::Lambda::CodeSigningConfig`: who has to have signed a function's code. Found by its owner's tags, since it has no name.
//! Nothing replaces it.

use std::collections::BTreeSet;

use aws_sdk_lambda::types::{self, AllowedPublishers as SdkPublishers, CodeSigningPolicies as SdkPolicies};
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::lambda::tagging;
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct LambdaCodeSigningConfig;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct CodeSigningConfig {
    pub allowed_publishers: AllowedPublishers,
    pub code_signing_policies: CodeSigningPolicies,
    pub description: Option<String>,
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct AllowedPublishers {
    pub signing_profile_version_arns: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct CodeSigningPolicies {
    pub untrusted_artifact_on_deployment: String,
}

impl Default for CodeSigningPolicies {
    fn default() -> Self {
        Self { untrusted_artifact_on_deployment: "Warn".to_owned() }
    }
}

impl Handler for LambdaCodeSigningConfig {
    const TYPE: &'static str = "AWS::Lambda::CodeSigningConfig";
    const FOUND_BY: &'static [&'static str] = &[];
    const CREATES_ANOTHER: bool = true;
    const TAGGED_AS: Option<&'static str> = Some("lambda:code-signing-config");
    type Properties = CodeSigningConfig;

    fn complete(config: &mut CodeSigningConfig) {
        config.description.take_if(|text| text.is_empty());
    }

    /// Its id is Lambda's to give.
    fn predict(_scope: &Scope, _config: &CodeSigningConfig) -> Attributes {
        Attributes::new()
    }

    /// An account has twenty at most, and the list does not show tags.
    async fn find(cx: &Context, owner: &Owner, _config: &CodeSigningConfig) -> Result<Option<PhysicalId>, AwsError> {
        let list = cx.lambda.list_code_signing_configs().into_paginator().items().send();
        let configs: Result<Vec<_>, _> = list.collect().await;
        for config in configs.during("lambda.ListCodeSigningConfigs")? {
            let tags = tagging::read(cx, &config.code_signing_config_arn).await?;
            if tags.and_then(|tags| tags.owner()).as_ref() == Some(owner) {
                return Ok(Some(PhysicalId::from(config.code_signing_config_arn)));
            }
        }
        Ok(None)
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<CodeSigningConfig>>, AwsError> {
        let get = cx.lambda.get_code_signing_config().code_signing_config_arn(id.as_str());
        let answer = found("lambda.GetCodeSigningConfig", get.send().await)?;
        let Some(live) = answer.and_then(|answer| answer.code_signing_config) else { return Ok(None) };
        let Some(tags) = tagging::read(cx, id.as_str()).await? else { return Ok(None) };
        let attributes = attributes_of(&live);
        let publishers = live.allowed_publishers.map(|it| it.signing_profile_version_arns).unwrap_or_default();
        let policy = live.code_signing_policies.and_then(|it| it.untrusted_artifact_on_deployment);
        let config = CodeSigningConfig {
            allowed_publishers: AllowedPublishers { signing_profile_version_arns: publishers.into_iter().collect() },
            code_signing_policies: policy.map_or_else(CodeSigningPolicies::default, |policy| CodeSigningPolicies {
                untrusted_artifact_on_deployment: policy.as_str().to_owned(),
            }),
            description: live.description,
            tags,
        };
        Ok(Some(Live::tagged(config, attributes)))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        config: &CodeSigningConfig,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        const CREATE: &str = "lambda.CreateCodeSigningConfig";
        if let Some(id) = left {
            let live = Self::read(cx, &id).await?.ok_or_else(|| AwsError::missing(CREATE, "CodeSigningConfig"))?;
            return Ok(Made { id, attributes: live.attributes });
        }
        let create = cx.lambda.create_code_signing_config().allowed_publishers(publishers(config, CREATE)?);
        let create = create.code_signing_policies(policies(config)).set_description(config.description.clone());
        let answer = create.set_tags(Some(config.tags.to_map())).send().await.during(CREATE)?;
        let made = answer.code_signing_config.ok_or_else(|| AwsError::missing(CREATE, "CodeSigningConfig"))?;
        Ok(Made { attributes: attributes_of(&made), id: PhysicalId::from(made.code_signing_config_arn) })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        config: &CodeSigningConfig,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        const UPDATE: &str = "lambda.UpdateCodeSigningConfig";
        if changes.touch_any(&["AllowedPublishers", "CodeSigningPolicies", "Description"]) {
            let update = cx.lambda.update_code_signing_config().code_signing_config_arn(id.as_str());
            let update = update.allowed_publishers(publishers(config, UPDATE)?);
            let update = update.code_signing_policies(policies(config));
            let update = update.description(config.description.as_deref().unwrap_or_default());
            update.send().await.during(UPDATE)?;
        }
        if changes.touch("Tags") {
            tagging::sync(cx, id.as_str(), &config.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.lambda.delete_code_signing_config().code_signing_config_arn(id.as_str());
        gone_is_fine(delete.send().await.during("lambda.DeleteCodeSigningConfig"))
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.starts_with(&cx.scope.arn("lambda", "code-signing-config:")).then(|| PhysicalId::from(arn)))
    }
}

fn publishers(config: &CodeSigningConfig, operation: &'static str) -> Result<SdkPublishers, AwsError> {
    let arns = config.allowed_publishers.signing_profile_version_arns.iter().cloned().collect();
    SdkPublishers::builder()
        .set_signing_profile_version_arns(Some(arns))
        .build()
        .map_err(|error| AwsError::new(operation, crate::aws::error::ErrorClass::Invalid, error.to_string()))
}

fn policies(config: &CodeSigningConfig) -> SdkPolicies {
    let policy = config.code_signing_policies.untrusted_artifact_on_deployment.as_str().into();
    SdkPolicies::builder().untrusted_artifact_on_deployment(policy).build()
}

fn attributes_of(config: &types::CodeSigningConfig) -> Attributes {
    let arn = config.code_signing_config_arn.clone();
    let id = config.code_signing_config_id.clone();
    referred(arn.as_str(), [("CodeSigningConfigArn", arn.clone()), ("CodeSigningConfigId", id)])
}
