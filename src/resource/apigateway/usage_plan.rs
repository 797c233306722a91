//! `AWS::ApiGateway::UsagePlan`. Names repeat and can change: found by the tags of its owner.
//!
//! An account may update one plan every 20 seconds: all that differs goes into one call.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_apigateway::types::{self as sdk, PatchOperation, QuotaPeriodType, UsagePlan as Shown};
use serde::{Deserialize, Serialize};

use super::patch::{self, add, remove, remove_item, replace, segment, sync_tags, write};
use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::tags::Tags;
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, referred};

pub struct ApiGatewayUsagePlan;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct UsagePlan {
    pub usage_plan_name: Option<String>,
    pub description: Option<String>,
    /// In order of API and stage.
    pub api_stages: Vec<ApiStage>,
    pub throttle: Option<Throttle>,
    pub quota: Option<Quota>,
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct ApiStage {
    pub api_id: String,
    pub stage: String,
    /// By path and verb: `/orders/GET`.
    pub throttle: BTreeMap<String, Throttle>,
}

/// What is left out is 0, as the service has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Throttle {
    pub burst_limit: i32,
    /// Requests per second.
    pub rate_limit: f64,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Quota {
    pub limit: i32,
    /// Requests that the first period has less.
    pub offset: i32,
    pub period: Option<String>,
}

impl Handler for ApiGatewayUsagePlan {
    const TYPE: &'static str = "AWS::ApiGateway::UsagePlan";
    const FOUND_BY: &'static [&'static str] = &[];
    const CREATES_ANOTHER: bool = true;
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("UsagePlanName", 128));
    const TAGGED_AS: Option<&'static str> = Some("apigateway:usageplans");
    type Properties = UsagePlan;

    fn complete(plan: &mut UsagePlan) {
        plan.description.take_if(|text| text.is_empty());
        plan.throttle.take_if(|throttle| *throttle == Throttle::default());
        for stage in &mut plan.api_stages {
            stage.throttle.retain(|_, throttle| *throttle != Throttle::default());
        }
        plan.api_stages.sort_by_key(ApiStage::key);
    }

    fn predict(_scope: &Scope, _plan: &UsagePlan) -> Attributes {
        Attributes::new()
    }

    async fn find(cx: &Context, owner: &Owner, plan: &UsagePlan) -> Result<Option<PhysicalId>, AwsError> {
        Ok(find_owned(cx, owner, plan).await?.map(PhysicalId::from))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<UsagePlan>>, AwsError> {
        Ok(show(cx, id).await?.map(|plan| Live::tagged(plan, attributes(id.as_str()))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        plan: &UsagePlan,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => PhysicalId::from(make(cx, plan).await?),
        };
        Ok(Made { attributes: attributes(id.as_str()), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        plan: &UsagePlan,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch_other_than("Tags") {
            let live = show(cx, id).await?.ok_or_else(|| AwsError::missing(GET, "plan"))?;
            patch(cx, id, patches(&live, plan)).await?;
        }
        if changes.touch("Tags") {
            sync_tags(cx, id.as_str(), &format!("/usageplans/{id}"), &plan.tags).await?;
        }
        Ok(id.clone())
    }

    /// A plan with stages refuses to go.
    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let Some(live) = show(cx, id).await? else { return Ok(()) };
        let without_stages = UsagePlan { api_stages: Vec::new(), ..live.clone() };
        gone_is_fine(patch(cx, id, patches(&live, &without_stages)).await)?;
        let delete = cx.apigateway.delete_usage_plan().usage_plan_id(id.as_str());
        let deleted =
            write(cx, id.as_str(), || async { delete.clone().send().await.during("apigateway.DeleteUsagePlan") });
        gone_is_fine(deleted.await)
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.strip_prefix(&patch::arn(&cx.scope, "/usageplans/")).map(PhysicalId::from))
    }
}

fn attributes(id: &str) -> Attributes {
    referred(id, [("Id", id.to_owned())])
}

/// The plan with the owner's tags, whatever its name. The service need not list tags.
async fn find_owned(cx: &Context, owner: &Owner, plan: &UsagePlan) -> Result<Option<String>, AwsError> {
    let pages = cx.apigateway.get_usage_plans().limit(500).into_paginator().items().send();
    let plans: Vec<Shown> = pages.try_collect().await.during("apigateway.GetUsagePlans")?;
    for Shown { id, name, tags, .. } in plans {
        let Some(id) = id else { continue };
        let tags = match tags {
            Some(tags) => Tags::from(tags),
            None if name == plan.usage_plan_name => {
                show(cx, &PhysicalId::from(id.as_str())).await?.unwrap_or_default().tags
            }
            None => continue,
        };
        if tags.owner().as_ref() == Some(owner) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

async fn show(cx: &Context, id: &PhysicalId) -> Result<Option<UsagePlan>, AwsError> {
    let answer = cx.apigateway.get_usage_plan().usage_plan_id(id.as_str()).send().await;
    let Some(shown) = found(GET, answer)? else { return Ok(None) };
    let mut plan = UsagePlan {
        usage_plan_name: shown.name,
        description: shown.description,
        api_stages: shown.api_stages.unwrap_or_default().into_iter().map(ApiStage::shown).collect(),
        throttle: shown.throttle.as_ref().map(Throttle::shown),
        quota: shown.quota.map(|quota| Quota {
            limit: quota.limit,
            offset: quota.offset,
            period: quota.period.map(|period| period.as_str().to_owned()),
        }),
        tags: shown.tags.unwrap_or_default().into(),
    };
    ApiGatewayUsagePlan::complete(&mut plan);
    Ok(Some(plan))
}

async fn make(cx: &Context, plan: &UsagePlan) -> Result<String, AwsError> {
    let create = cx.apigateway.create_usage_plan().set_name(plan.usage_plan_name.clone());
    let create = create
        .set_description(plan.description.clone())
        .set_api_stages(Some(plan.api_stages.iter().map(ApiStage::to_sdk).collect()))
        .set_throttle(plan.throttle.as_ref().map(Throttle::to_sdk))
        .set_quota(plan.quota.as_ref().map(Quota::to_sdk))
        .set_tags(Some(plan.tags.to_map()));
    let created = create.send().await.during("apigateway.CreateUsagePlan")?;
    created.id.ok_or_else(|| AwsError::missing("apigateway.CreateUsagePlan", "id"))
}

async fn patch(cx: &Context, id: &PhysicalId, patches: Vec<PatchOperation>) -> Result<(), AwsError> {
    if patches.is_empty() {
        return Ok(());
    }
    let update = cx.apigateway.update_usage_plan().usage_plan_id(id.as_str()).set_patch_operations(Some(patches));
    write(cx, id.as_str(), || async { update.clone().send().await.during(UPDATE) }).await.map(drop)
}

/// The calls that an update takes, between properties in canonical form, tags aside.
pub(crate) fn updating(live: &UsagePlan, wanted: &UsagePlan) -> Vec<&'static str> {
    let is_patched = !patches(live, wanted).is_empty();
    std::iter::once(GET).chain(is_patched.then_some(UPDATE)).collect()
}

const GET: &str = "apigateway.GetUsagePlan";
const UPDATE: &str = "apigateway.UpdateUsagePlan";

/// What turns a plan into the wanted one, tags aside.
fn patches(live: &UsagePlan, wanted: &UsagePlan) -> Vec<PatchOperation> {
    let mut patches = Vec::new();
    if live.usage_plan_name != wanted.usage_plan_name {
        patches.push(replace("/name", wanted.usage_plan_name.as_deref().unwrap_or_default()));
    }
    if live.description != wanted.description {
        patches.push(replace("/description", wanted.description.as_deref().unwrap_or_default()));
    }
    let values = |throttle: &Throttle| throttle.values();
    patches.extend(object_patches(
        "/throttle",
        live.throttle.as_ref().map(values),
        wanted.throttle.as_ref().map(values),
    ));
    let values = |quota: &Quota| quota.values();
    patches.extend(object_patches("/quota", live.quota.as_ref().map(values), wanted.quota.as_ref().map(values)));
    patches.extend(stage_patches(&live.api_stages, &wanted.api_stages));
    patches
}

fn stage_patches(live: &[ApiStage], wanted: &[ApiStage]) -> Vec<PatchOperation> {
    let of = |stages: &[ApiStage], key: &str| stages.iter().find(|stage| stage.key() == key).cloned();
    let mut patches = Vec::new();
    for key in live.iter().map(ApiStage::key).filter(|key| of(wanted, key).is_none()) {
        patches.push(remove_item("/apiStages", key));
    }
    for stage in wanted {
        let key = stage.key();
        let before = of(live, &key);
        if before.is_none() {
            patches.push(add("/apiStages", &key));
        }
        let before = before.unwrap_or_default().throttle;
        let methods: BTreeSet<_> = before.keys().chain(stage.throttle.keys()).collect();
        for method in methods {
            let path = format!("/apiStages/{key}/throttle/{}", method_segments(method));
            let values = |throttles: &BTreeMap<_, Throttle>| throttles.get(method).map(Throttle::values);
            patches.extend(object_patches(&path, values(&before), values(&stage.throttle)));
        }
    }
    patches
}

/// Members that differ are set one by one; an object that is wanted no more goes as a whole.
fn object_patches<const N: usize>(
    path: &str,
    live: Option<[(&str, String); N]>,
    wanted: Option<[(&str, String); N]>,
) -> Vec<PatchOperation> {
    let below = |member: &str| format!("{path}/{member}");
    match (live, wanted) {
        (None, None) => Vec::new(),
        (Some(_), None) => vec![remove(path)],
        // As in the create call, 0 is said by saying nothing.
        (None, Some(wanted)) => {
            let said = wanted.into_iter().filter(|(_, value)| value != "0");
            said.map(|(member, value)| add(below(member), value)).collect()
        }
        (Some(live), Some(wanted)) => {
            let changed = wanted.into_iter().zip(live).filter(|(wanted, live)| wanted != live);
            changed.map(|((member, value), _)| replace(below(member), value)).collect()
        }
    }
}

/// `/orders/{id}/GET` as the two segments of a patch's path: `~1orders~1{id}/GET`.
fn method_segments(method: &str) -> String {
    let (path, verb) = method.rsplit_once('/').unwrap_or((method, "*"));
    format!("{}/{verb}", segment(path))
}

impl ApiStage {
    /// `a1b2c3:prod`, as patches call it.
    fn key(&self) -> String {
        format!("{}:{}", self.api_id, self.stage)
    }

    fn shown(stage: sdk::ApiStage) -> Self {
        let throttle = stage.throttle.unwrap_or_default();
        Self {
            api_id: stage.api_id.unwrap_or_default(),
            stage: stage.stage.unwrap_or_default(),
            throttle: throttle.iter().map(|(method, throttle)| (method.clone(), Throttle::shown(throttle))).collect(),
        }
    }

    fn to_sdk(&self) -> sdk::ApiStage {
        let throttle: HashMap<_, _> =
            self.throttle.iter().map(|(method, throttle)| (method.clone(), throttle.to_sdk())).collect();
        sdk::ApiStage::builder()
            .api_id(&self.api_id)
            .stage(&self.stage)
            .set_throttle(Some(throttle).filter(|throttle| !throttle.is_empty()))
            .build()
    }
}

impl Throttle {
    fn shown(throttle: &sdk::ThrottleSettings) -> Self {
        Self { burst_limit: throttle.burst_limit, rate_limit: throttle.rate_limit }
    }

    fn to_sdk(&self) -> sdk::ThrottleSettings {
        sdk::ThrottleSettings::builder().burst_limit(self.burst_limit).rate_limit(self.rate_limit).build()
    }

    fn values(&self) -> [(&'static str, String); 2] {
        [("burstLimit", self.burst_limit.to_string()), ("rateLimit", self.rate_limit.to_string())]
    }
}

impl Quota {
    fn to_sdk(&self) -> sdk::QuotaSettings {
        let period = self.period.as_deref().map(QuotaPeriodType::from);
        sdk::QuotaSettings::builder().limit(self.limit).offset(self.offset).set_period(period).build()
    }

    fn values(&self) -> [(&'static str, String); 3] {
        let period = self.period.clone().unwrap_or_default();
        [("limit", self.limit.to_string()), ("offset", self.offset.to_string()), ("period", period)]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn lines(live: Value, wanted: Value) -> Vec<String> {
        let plan = |value: Value| serde_json::from_value::<UsagePlan>(value).expect("a plan");
        let line = |patch: &PatchOperation| {
            let op = patch.op.as_ref().map(ToString::to_string).unwrap_or_default();
            [op, patch.path.clone().unwrap_or_default(), patch.value.clone().unwrap_or_default()].join(" ")
        };
        let patches = patches(&plan(live), &plan(wanted));
        patches.iter().map(line).map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn only_the_members_that_differ_are_set() {
        let live = json!({"Quota": {"Limit": 10, "Period": "DAY"}, "Throttle": {"RateLimit": 1, "BurstLimit": 2}});
        let wanted = json!({"Quota": {"Limit": 20, "Period": "DAY"}});
        assert_eq!(lines(live, wanted), ["remove /throttle", "replace /quota/limit 20"]);
    }

    #[test]
    fn stages_come_and_go_with_the_limits_of_their_methods() {
        let live = json!({"ApiStages": [
            {"ApiId": "a", "Stage": "dev"},
            {"ApiId": "a", "Stage": "prod", "Throttle": {"/orders/GET": {"RateLimit": 1}, "//POST": {"RateLimit": 1}}},
        ]});
        let wanted = json!({"ApiStages": [
            {"ApiId": "a", "Stage": "prod", "Throttle": {"/orders/GET": {"RateLimit": 2.5}}},
            {"ApiId": "b", "Stage": "prod", "Throttle": {"/orders/{id}/GET": {"BurstLimit": 3}}},
        ]});
        assert_eq!(
            lines(live, wanted),
            [
                "remove /apiStages a:dev",
                "remove /apiStages/a:prod/throttle/~1/POST",
                "replace /apiStages/a:prod/throttle/~1orders/GET/rateLimit 2.5",
                "add /apiStages b:prod",
                "add /apiStages/b:prod/throttle/~1orders~1{id}/GET/burstLimit 3",
            ]
        );
    }
}
