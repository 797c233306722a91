//! `AWS::CloudWatch::Dashboard`. Found by name, which replaces it. Its body is compared as the JSON that it is.
//! Dashboards are the account's and not a region's: a stack in another region sees the same name.

use futures::future::try_join;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{PhysicalId, StackId};
use crate::resource::cloudwatch::{sdk_tag, sync_tags, tags_of};
use crate::resource::tags::Tags;
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, json_text, left_to_change, referred};

pub struct CloudWatchDashboard;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Dashboard {
    pub dashboard_name: Option<String>,
    #[serde(deserialize_with = "json_text::deserialize")]
    pub dashboard_body: Option<Value>,
    pub tags: Tags,
}

impl Handler for CloudWatchDashboard {
    const TYPE: &'static str = "AWS::CloudWatch::Dashboard";
    const FOUND_BY: &'static [&'static str] = &["DashboardName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("DashboardName", 255));
    const DELETED_TOGETHER: usize = 100;
    const TAGGED_AS: Option<&'static str> = Some("cloudwatch:dashboard");
    type Properties = Dashboard;

    fn predict(_scope: &Scope, dashboard: &Dashboard) -> Attributes {
        dashboard.dashboard_name.as_deref().map(|name| referred(name, [])).unwrap_or_default()
    }

    async fn find(cx: &Context, _owner: &Owner, dashboard: &Dashboard) -> Result<Option<PhysicalId>, AwsError> {
        let name = dashboard.dashboard_name.as_deref().unwrap_or_default();
        Ok(body_of(cx, name).await?.map(|_| PhysicalId::from(name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Dashboard>>, AwsError> {
        let name = id.as_str();
        let arn = arn_of(cx, name);
        let (body, tags) = try_join(body_of(cx, name), tags_of(cx, &arn)).await?;
        let Some(body) = body else { return Ok(None) };
        let dashboard = Dashboard {
            dashboard_name: Some(name.to_owned()),
            dashboard_body: Some(serde_json::from_str(&body).unwrap_or(Value::String(body))),
            tags,
        };
        Ok(Some(Live::tagged(dashboard, referred(name, []))))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        dashboard: &Dashboard,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let name = dashboard.dashboard_name.as_deref().unwrap_or_default();
        let id = match left {
            Some(id) => id,
            None => {
                put(cx, name, dashboard).await?;
                PhysicalId::from(name)
            }
        };
        let live = cx
            .until("cloudwatch.GetDashboard", "the new dashboard to show", Patience::seconds(30), || {
                Self::read(cx, &id)
            })
            .await?;
        Self::update(cx, owner, &id, dashboard, &left_to_change::<Self>(&live, dashboard)).await?;
        Ok(Made { attributes: live.attributes, id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        dashboard: &Dashboard,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch("DashboardBody") {
            put(cx, id.as_str(), dashboard).await?;
        }
        if changes.touch("Tags") {
            sync_tags(cx, &arn_of(cx, id.as_str()), &dashboard.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.cloudwatch.delete_dashboards().dashboard_names(id.as_str());
        gone_is_fine(delete.send().await.during(DELETE))?;
        cx.until("cloudwatch.GetDashboard", "the dashboard to be gone", Patience::seconds(60), || async {
            Ok(body_of(cx, id.as_str()).await?.is_none().then_some(()))
        })
        .await
    }

    /// Where one of them is not there any more, none goes ("DeleteDashboards").
    async fn delete_together(cx: &Context, ids: &[PhysicalId]) -> Result<(), AwsError> {
        let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let delete = cx.cloudwatch.delete_dashboards().set_dashboard_names(Some(names.clone()));
        delete.send().await.during(DELETE)?;
        cx.until(LIST, "the dashboards to be gone", Patience::seconds(60), || async {
            let left = listed(cx, "").await?;
            Ok((!names.iter().any(|name| left.contains(name))).then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.strip_prefix(&arn_of(cx, "")).map(PhysicalId::from))
    }

    /// The tagging API is a region's, and whether it lists what belongs to none is not documented. Asking every dashboard of
    /// the account for its tags takes too long for each plan: those that are named for the stack are asked.
    async fn sweep(cx: &Context, stack: &StackId) -> Result<Vec<(Owner, PhysicalId)>, AwsError> {
        let mut ours = Vec::new();
        for name in listed(cx, stack.as_str()).await? {
            let owner = tags_of(cx, &arn_of(cx, &name)).await?.owner();
            ours.extend(owner.filter(|owner| owner.stack == *stack).map(|owner| (owner, PhysicalId::from(name))));
        }
        Ok(ours)
    }
}

const DELETE: &str = "cloudwatch.DeleteDashboards";
const LIST: &str = "cloudwatch.ListDashboards";

/// The names of the account's dashboards that begin so.
async fn listed(cx: &Context, prefix: &str) -> Result<Vec<String>, AwsError> {
    let prefix = Some(prefix).filter(|prefix| !prefix.is_empty()).map(str::to_owned);
    let list = cx.cloudwatch.list_dashboards().set_dashboard_name_prefix(prefix).into_paginator().items().send();
    let entries: Vec<_> = list.try_collect().await.during(LIST)?;
    Ok(entries.into_iter().filter_map(|entry| entry.dashboard_name).collect())
}

/// What the service finds questionable in a body it takes all the same, and shows in the console.
async fn put(cx: &Context, name: &str, dashboard: &Dashboard) -> Result<(), AwsError> {
    let body = json_text::written(dashboard.dashboard_body.as_ref());
    let put = cx.cloudwatch.put_dashboard().dashboard_name(name).dashboard_body(body);
    let put = put.set_tags(Some(dashboard.tags.to_sdk(sdk_tag)));
    put.send().await.during("cloudwatch.PutDashboard")?;
    Ok(())
}

async fn body_of(cx: &Context, name: &str) -> Result<Option<String>, AwsError> {
    const GET: &str = "cloudwatch.GetDashboard";
    let get = cx.cloudwatch.get_dashboard().dashboard_name(name);
    cx.once(GET, name, || async { Ok(found(GET, get.send().await)?.and_then(|answer| answer.dashboard_body)) }).await
}

fn arn_of(cx: &Context, name: &str) -> String {
    cx.scope.global_arn("cloudwatch", &format!("dashboard/{name}"))
}
