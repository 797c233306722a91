//! `AWS::ApiGateway::Stage`. Found by its name in the API. The API and the name replace it.
//!
//! Method settings, access logs and the client certificate are no part of the create call: they are patched in right after it.
//! A cache takes minutes to come and go, and the stage refuses changes meanwhile.

use std::collections::BTreeMap;

use aws_sdk_apigateway::operation::get_stage::GetStageOutput as Shown;
use aws_sdk_apigateway::types::{self as sdk, CacheClusterStatus, PatchOperation};
use serde::{Deserialize, Serialize};

use super::method_setting::{self, MethodSetting};
use super::patch::{self, map_changes, remove, replace, sync_tags, write};
use super::{joined, parts};
use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{PhysicalId, REF};
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Case, GeneratedName, Handler, Live, Made, Owner, attributes, referred};

pub struct ApiGatewayStage;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Stage {
    pub rest_api_id: String,
    pub stage_name: Option<String>,
    pub deployment_id: Option<String>,
    pub description: Option<String>,
    pub variables: BTreeMap<String, String>,
    pub tracing_enabled: bool,
    pub access_log_setting: Option<AccessLogSetting>,
    /// In order of path and verb.
    #[serde(deserialize_with = "method_setting::one_for_each_method")]
    pub method_settings: Vec<MethodSetting>,
    pub cache_cluster_enabled: bool,
    /// Gigabytes. Means nothing without a cache.
    pub cache_cluster_size: Option<String>,
    pub canary_setting: Option<CanarySetting>,
    pub client_certificate_id: Option<String>,
    pub documentation_version: Option<String>,
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct AccessLogSetting {
    pub destination_arn: Option<String>,
    pub format: Option<String>,
}

/// A second deployment that gets a share of the traffic.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct CanarySetting {
    pub deployment_id: Option<String>,
    pub percent_traffic: f64,
    pub stage_variable_overrides: BTreeMap<String, String>,
    pub use_stage_cache: bool,
}

impl Handler for ApiGatewayStage {
    const TYPE: &'static str = "AWS::ApiGateway::Stage";
    const FOUND_BY: &'static [&'static str] = &["RestApiId", "StageName"];
    const GENERATED_NAME: Option<GeneratedName> =
        Some(GeneratedName { case: Case::Alphanumeric, ..GeneratedName::new("StageName", 128) });
    const PART_OF: &'static [&'static str] = &["RestApiId"];
    const TAGGED_AS: Option<&'static str> = Some("apigateway:restapis/stages");
    type Properties = Stage;

    fn complete(stage: &mut Stage) {
        for text in [&mut stage.description, &mut stage.documentation_version, &mut stage.client_certificate_id] {
            text.take_if(|text| text.is_empty());
        }
        match stage.cache_cluster_enabled {
            true => _ = stage.cache_cluster_size.get_or_insert_with(|| "0.5".to_owned()),
            false => stage.cache_cluster_size = None,
        }
        // `Fn::GetAtt` of a log group ends in `:*`, which the service refuses here.
        if let Some(AccessLogSetting { destination_arn: Some(arn), .. }) = &mut stage.access_log_setting
            && let Some(group) = arn.strip_suffix(":*")
        {
            *arn = group.to_owned();
        }
        if let Some(canary) = &mut stage.canary_setting {
            canary.deployment_id = canary.deployment_id.take().or_else(|| stage.deployment_id.clone());
        }
        method_setting::put_in_order(&mut stage.method_settings);
    }

    fn predict(_scope: &Scope, stage: &Stage) -> Attributes {
        attributes([(REF, stage.stage_name.clone())])
    }

    async fn find(cx: &Context, _owner: &Owner, stage: &Stage) -> Result<Option<PhysicalId>, AwsError> {
        let id = physical_id(stage);
        Ok(show(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Stage>>, AwsError> {
        let Some(shown) = show(cx, id).await? else { return Ok(None) };
        let [api, name] = parts(id)?;
        Ok(Some(Live::tagged(live(api, &shown), referred(name, []))))
    }

    async fn create(cx: &Context, _owner: &Owner, stage: &Stage, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let id = physical_id(stage);
        if left.is_none() {
            make(cx, stage).await?;
        }
        settle(cx, &id, stage).await?;
        Ok(Made { id, attributes: referred(stage.stage_name.as_deref().unwrap_or_default(), []) })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        stage: &Stage,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch_other_than("Tags") {
            settle(cx, id, stage).await?;
        }
        if changes.touch("Tags") {
            let [api, name] = parts(id)?;
            sync_tags(cx, api, &format!("/restapis/{api}/stages/{name}"), &stage.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [api, name] = parts(id)?;
        let delete = cx.apigateway.delete_stage().rest_api_id(api).stage_name(name);
        let deleted = write(cx, api, || async { delete.clone().send().await.during("apigateway.DeleteStage") });
        gone_is_fine(deleted.await)
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        let path = arn.strip_prefix(&patch::arn(&cx.scope, "/restapis/"));
        let parts = path.and_then(|path| path.split_once("/stages/")).filter(|(_, name)| !name.contains('/'));
        Ok(parts.map(|(api, name)| joined([api, name])))
    }
}

/// The snapshot that a stage serves, in OpenAPI 3 with its integrations and authorizers. `None`: the stage is gone.
///
/// # Errors
///
/// The service says no, or answers with something that is no JSON.
pub async fn export(cx: &Context, id: &PhysicalId) -> Result<Option<serde_json::Value>, AwsError> {
    let [api, name] = parts(id)?;
    let export = cx.apigateway.get_export().rest_api_id(api).stage_name(name).export_type("oas30");
    let export = export.parameters("extensions", "integrations,authorizers").accepts("application/json");
    let Some(answer) = found("apigateway.GetExport", export.send().await)? else { return Ok(None) };
    let Some(body) = answer.body else { return Ok(None) };
    let text = serde_json::from_slice(body.as_ref());
    text.map(Some).map_err(|error| {
        AwsError::new("apigateway.GetExport", ErrorClass::Invalid, format!("the export is no JSON: {error}"))
    })
}

fn physical_id(stage: &Stage) -> PhysicalId {
    joined([&stage.rest_api_id, stage.stage_name.as_deref().unwrap_or_default()])
}

/// The stage as it is.
pub(super) async fn show(cx: &Context, id: &PhysicalId) -> Result<Option<Shown>, AwsError> {
    let [api, name] = parts(id)?;
    let ask = || async {
        found("apigateway.GetStage", cx.apigateway.get_stage().rest_api_id(api).stage_name(name).send().await)
    };
    cx.once("apigateway.GetStage", id.as_str(), ask).await
}

async fn make(cx: &Context, stage: &Stage) -> Result<(), AwsError> {
    let create = cx.apigateway.create_stage().rest_api_id(&stage.rest_api_id);
    let create = create
        .set_stage_name(stage.stage_name.clone())
        .set_deployment_id(stage.deployment_id.clone())
        .set_description(stage.description.clone())
        .set_documentation_version(stage.documentation_version.clone())
        .set_variables(Some(stage.variables.clone().into_iter().collect()))
        .set_canary_settings(stage.canary_setting.as_ref().map(CanarySetting::to_sdk))
        .set_cache_cluster_size(stage.cache_cluster_size.as_deref().map(Into::into))
        .cache_cluster_enabled(stage.cache_cluster_enabled)
        .tracing_enabled(stage.tracing_enabled)
        .set_tags(Some(stage.tags.to_map()));
    let created =
        write(cx, &stage.rest_api_id, || async { create.clone().send().await.during("apigateway.CreateStage") });
    created.await.map(drop).map_err(with_way_out)
}

/// Patches the stage until it is as wanted. The second round is for what the first one brought along: defaults of this account
/// that are not the ones assumed here.
async fn settle(cx: &Context, id: &PhysicalId, wanted: &Stage) -> Result<(), AwsError> {
    let [api, name] = parts(id)?;
    for _ in 0..2 {
        let patches = patches(&ready(cx, id).await?, wanted);
        if patches.is_empty() {
            return Ok(());
        }
        let update = cx.apigateway.update_stage().rest_api_id(api).stage_name(name);
        let update = update.set_patch_operations(Some(patches));
        let updated = write(cx, api, || async { update.clone().send().await.during("apigateway.UpdateStage") });
        updated.await.map_err(with_way_out)?;
    }
    ready(cx, id).await.map(drop)
}

/// What a stage lacks to write logs is nothing of its own.
fn with_way_out(error: AwsError) -> AwsError {
    if !error.says("BadRequestException", "CloudWatch Logs role ARN must be set") {
        return error;
    }
    let message = format!(
        "{}: give API Gateway a logging role first: an `AWS::ApiGateway::Account` with `CloudWatchRoleArn`, once per account \
         and region",
        error.message
    );
    AwsError { message, ..error }
}

/// The stage once its cache has come or gone.
async fn ready(cx: &Context, id: &PhysicalId) -> Result<Shown, AwsError> {
    let [api, name] = parts(id)?;
    cx.until("apigateway.GetStage", "the stage's cache", Patience::minutes(5400), || async {
        let answer = cx.apigateway.get_stage().rest_api_id(api).stage_name(name).send().await;
        let shown = answer.during("apigateway.GetStage")?;
        let is_changing = matches!(
            shown.cache_cluster_status,
            Some(CacheClusterStatus::CreateInProgress | CacheClusterStatus::DeleteInProgress)
        );
        Ok((!is_changing).then_some(shown))
    })
    .await
}

/// What turns the stage into the wanted one. Every value is set that differs, to its default where the template is silent.
fn patches(shown: &Shown, wanted: &Stage) -> Vec<PatchOperation> {
    let live = live(&wanted.rest_api_id, shown);
    let text = |path: &str, live: &Option<String>, wanted: &Option<String>| {
        (live != wanted).then(|| replace(path, wanted.as_deref().unwrap_or_default()))
    };
    let mut patches = Vec::new();
    if wanted.deployment_id.is_some() {
        patches.extend(text("/deploymentId", &live.deployment_id, &wanted.deployment_id));
    }
    patches.extend(text("/description", &live.description, &wanted.description));
    patches.extend(text("/documentationVersion", &live.documentation_version, &wanted.documentation_version));
    patches.extend(text("/clientCertificateId", &live.client_certificate_id, &wanted.client_certificate_id));
    patches.extend(map_changes("/variables", &live.variables, &wanted.variables));
    if live.tracing_enabled != wanted.tracing_enabled {
        patches.push(replace("/tracingEnabled", wanted.tracing_enabled));
    }
    if live.cache_cluster_enabled != wanted.cache_cluster_enabled {
        patches.push(replace("/cacheClusterEnabled", wanted.cache_cluster_enabled));
    }
    if wanted.cache_cluster_enabled {
        patches.extend(text("/cacheClusterSize", &live.cache_cluster_size, &wanted.cache_cluster_size));
    }
    if live.access_log_setting != wanted.access_log_setting {
        patches.extend(access_log_patches(wanted.access_log_setting.as_ref()));
    }
    patches.extend(canary_patches(live.canary_setting, wanted.canary_setting.as_ref()));
    patches.extend(method_setting::patches(shown.method_settings.as_ref(), &wanted.method_settings));
    patches
}

fn access_log_patches(wanted: Option<&AccessLogSetting>) -> Vec<PatchOperation> {
    let Some(AccessLogSetting { destination_arn, format }) = wanted else { return vec![remove("/accessLogSettings")] };
    let set = |path: &str, value: &Option<String>| value.as_ref().map(|value| replace(path, value));
    [set("/accessLogSettings/destinationArn", destination_arn), set("/accessLogSettings/format", format)]
        .into_iter()
        .flatten()
        .collect()
}

/// An override of a variable cannot be removed by itself: the canary goes as a whole and comes back without it.
fn canary_patches(live: Option<CanarySetting>, wanted: Option<&CanarySetting>) -> Vec<PatchOperation> {
    let Some(wanted) = wanted else { return live.map(|_| remove("/canarySettings")).into_iter().collect() };
    let is_kept = |key: &String| wanted.stage_variable_overrides.contains_key(key);
    let kept = live.clone().filter(|live| live.stage_variable_overrides.keys().all(is_kept));
    let removed = (live.is_some() && kept.is_none()).then(|| remove("/canarySettings"));
    let before = kept.unwrap_or_default().values();
    let changed = wanted.values().into_iter().filter(|(path, value)| before.get(path) != Some(value));
    removed.into_iter().chain(changed.map(|(path, value)| replace(path, value))).collect()
}

impl CanarySetting {
    fn to_sdk(&self) -> sdk::CanarySettings {
        sdk::CanarySettings::builder()
            .set_deployment_id(self.deployment_id.clone())
            .set_stage_variable_overrides(Some(self.stage_variable_overrides.clone().into_iter().collect()))
            .percent_traffic(self.percent_traffic)
            .use_stage_cache(self.use_stage_cache)
            .build()
    }

    fn shown(canary: &sdk::CanarySettings) -> Self {
        Self {
            deployment_id: canary.deployment_id.clone(),
            percent_traffic: canary.percent_traffic,
            stage_variable_overrides: canary.stage_variable_overrides.clone().unwrap_or_default().into_iter().collect(),
            use_stage_cache: canary.use_stage_cache,
        }
    }

    /// Each value under its path in a patch.
    fn values(&self) -> BTreeMap<String, String> {
        let below = |path: &str| format!("/canarySettings/{path}");
        let overrides = self.stage_variable_overrides.iter();
        let overrides = overrides.map(|(key, value)| (below(&format!("stageVariableOverrides/{key}")), value.clone()));
        let deployment = self.deployment_id.clone().map(|id| (below("deploymentId"), id));
        let traffic = (below("percentTraffic"), self.percent_traffic.to_string());
        let cache = (below("useStageCache"), self.use_stage_cache.to_string());
        deployment.into_iter().chain([traffic, cache]).chain(overrides).collect()
    }
}

fn live(api: &str, shown: &Shown) -> Stage {
    let mut stage = Stage {
        rest_api_id: api.to_owned(),
        stage_name: shown.stage_name.clone(),
        deployment_id: shown.deployment_id.clone(),
        description: shown.description.clone(),
        variables: shown.variables.clone().unwrap_or_default().into_iter().collect(),
        tracing_enabled: shown.tracing_enabled,
        access_log_setting: shown.access_log_settings.as_ref().map(|logs| AccessLogSetting {
            destination_arn: logs.destination_arn.clone(),
            format: logs.format.clone(),
        }),
        method_settings: shown
            .method_settings
            .iter()
            .flatten()
            .map(|(key, setting)| MethodSetting::shown(key, setting))
            .collect(),
        cache_cluster_enabled: shown.cache_cluster_enabled,
        cache_cluster_size: shown.cache_cluster_size.as_ref().map(|size| size.as_str().to_owned()),
        canary_setting: shown.canary_settings.as_ref().map(CanarySetting::shown),
        client_certificate_id: shown.client_certificate_id.clone(),
        documentation_version: shown.documentation_version.clone(),
        tags: shown.tags.clone().unwrap_or_default().into(),
    };
    ApiGatewayStage::complete(&mut stage);
    stage
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::error::ErrorClass;

    fn stage(properties: serde_json::Value) -> Stage {
        let mut stage: Stage = serde_json::from_value(properties).expect("a stage");
        ApiGatewayStage::complete(&mut stage);
        stage
    }

    fn lines(patches: &[PatchOperation]) -> Vec<String> {
        let line = |patch: &PatchOperation| {
            let op = patch.op.as_ref().map(ToString::to_string).unwrap_or_default();
            [op, patch.path.clone().unwrap_or_default(), patch.value.clone().unwrap_or_default()].join(" ")
        };
        patches.iter().map(line).map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn a_stage_that_may_not_log_says_what_the_account_lacks() {
        let refused = |message: &str| AwsError {
            code: "BadRequestException".to_owned(),
            ..AwsError::new("apigateway.UpdateStage", ErrorClass::Invalid, message)
        };
        let lacking =
            with_way_out(refused("CloudWatch Logs role ARN must be set in account settings to enable logging"));
        assert!(lacking.message.contains("an `AWS::ApiGateway::Account` with `CloudWatchRoleArn`"), "{lacking}");
        assert_eq!(with_way_out(refused("Invalid stage name")).message, "Invalid stage name");
    }

    #[test]
    fn a_log_group_is_named_without_the_star_that_its_arn_ends_in() {
        let arn =
            |arn: &str| stage(json!({"AccessLogSetting": {"DestinationArn": arn, "Format": "$context.requestId"}}));
        assert_eq!(arn("arn:aws:logs:eu-west-1:1:log-group:api:*"), arn("arn:aws:logs:eu-west-1:1:log-group:api"));
    }

    #[test]
    fn a_canary_without_one_of_its_overrides_is_a_new_canary() {
        let canary = |overrides: &[&str]| CanarySetting {
            deployment_id: Some("d1".to_owned()),
            percent_traffic: 10.0,
            stage_variable_overrides: overrides.iter().map(|key| ((*key).to_owned(), "x".to_owned())).collect(),
            use_stage_cache: false,
        };
        let patches =
            |live: &[&str], wanted: &[&str]| lines(&canary_patches(Some(canary(live)), Some(&canary(wanted))));
        assert_eq!(patches(&["a"], &["a", "b"]), ["replace /canarySettings/stageVariableOverrides/b x"]);
        assert_eq!(
            patches(&["a"], &[]),
            [
                "remove /canarySettings",
                "replace /canarySettings/deploymentId d1",
                "replace /canarySettings/percentTraffic 10",
            ]
        );
    }
}
