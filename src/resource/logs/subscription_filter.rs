//! `AWS::Logs::SubscriptionFilter`. Found by log group and name, which replace it. It cannot carry a mark, and goes with its group.
//! The service sends the destination a message before it takes the filter: what permits that has to be seen first.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types as sdk;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::logs::{in_group, turn_of, when_idle};
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, referred};

pub struct LogsSubscriptionFilter;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct SubscriptionFilter {
    pub log_group_name: String,
    pub filter_name: Option<String>,
    pub filter_pattern: String,
    pub destination_arn: String,
    /// Only for streams.
    pub role_arn: Option<String>,
    pub distribution: String,
    pub apply_on_transformed_logs: bool,
    pub field_selection_criteria: Option<String>,
    pub emit_system_fields: BTreeSet<String>,
}

impl Default for SubscriptionFilter {
    fn default() -> Self {
        Self {
            log_group_name: String::new(),
            filter_name: None,
            filter_pattern: String::new(),
            destination_arn: String::new(),
            role_arn: None,
            distribution: "ByLogStream".to_owned(),
            apply_on_transformed_logs: false,
            field_selection_criteria: None,
            emit_system_fields: BTreeSet::new(),
        }
    }
}

impl Handler for LogsSubscriptionFilter {
    const TYPE: &'static str = "AWS::Logs::SubscriptionFilter";
    const FOUND_BY: &'static [&'static str] = &["LogGroupName", "FilterName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("FilterName", 512));
    const PART_OF: &'static [&'static str] = &["LogGroupName"];
    const WITHIN: Option<&'static str> = Some("AWS::Logs::LogGroup");
    type Properties = SubscriptionFilter;

    fn complete(filter: &mut SubscriptionFilter) {
        filter.field_selection_criteria.take_if(|criteria| criteria.is_empty());
        filter.role_arn.take_if(|arn| arn.is_empty());
    }

    fn predict(_scope: &Scope, filter: &SubscriptionFilter) -> Attributes {
        filter.filter_name.as_deref().map(|name| referred(name, [])).unwrap_or_default()
    }

    async fn find(cx: &Context, _owner: &Owner, filter: &SubscriptionFilter) -> Result<Option<PhysicalId>, AwsError> {
        let name = filter.filter_name.as_deref().unwrap_or_default();
        Ok(described(cx, &filter.log_group_name, name).await?.map(|_| id_of(filter)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<SubscriptionFilter>>, AwsError> {
        let [group, name] = in_group(id, DESCRIBE, "subscription filter")?;
        let live = described(cx, group, name).await?;
        Ok(live.map(|live| Live::unmarkable(filter_of(group, live), referred(name, []))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        filter: &SubscriptionFilter,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        put(cx, filter).await?;
        let id = id_of(filter);
        let live = cx.until(DESCRIBE, "the new filter to show", Patience::seconds(30), || Self::read(cx, &id)).await?;
        Ok(Made { attributes: live.attributes, id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        filter: &SubscriptionFilter,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put(cx, filter).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [group, name] = in_group(id, DESCRIBE, "subscription filter")?;
        {
            let _turn = cx.turn(&turn_of(group)).await;
            let delete = cx.logs.delete_subscription_filter().log_group_name(group).filter_name(name);
            let call = || async { delete.clone().send().await.during("logs.DeleteSubscriptionFilter") };
            gone_is_fine(when_idle(cx, call).await)?;
        }
        cx.until(DESCRIBE, "the filter to be gone", Patience::seconds(30), || async {
            Ok(described(cx, group, name).await?.is_none().then_some(()))
        })
        .await
    }

    async fn list_within(cx: &Context, group: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let filters = listed(cx, group.as_str(), None).await?;
        let names = filters.iter().filter_map(|filter| filter.filter_name());
        Ok(names.map(|name| PhysicalId::join([group.as_str(), name])).collect())
    }
}

const DESCRIBE: &str = "logs.DescribeSubscriptionFilters";

/// The filter of exactly this name.
async fn described(cx: &Context, group: &str, name: &str) -> Result<Option<sdk::SubscriptionFilter>, AwsError> {
    // One list of all serves every filter of the group in a survey.
    let filters = match cx.survey {
        Some(_) => cx.once(DESCRIBE, group, || listed(cx, group, None)).await?,
        None => listed(cx, group, Some(name)).await?,
    };
    Ok(filters.iter().find(|filter| filter.filter_name() == Some(name)).cloned())
}

/// The filters of a group, or those whose names begin so.
async fn listed(
    cx: &Context,
    group: &str,
    prefix: Option<&str>,
) -> Result<Arc<Vec<sdk::SubscriptionFilter>>, AwsError> {
    let describe =
        cx.logs.describe_subscription_filters().log_group_name(group).set_filter_name_prefix(prefix.map(str::to_owned));
    let mut pages = describe.into_paginator().send();
    let mut filters = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = found(DESCRIBE, page)? else { break };
        filters.extend(page.subscription_filters.unwrap_or_default());
    }
    Ok(Arc::new(filters))
}

/// Replaces the whole filter, or makes it.
async fn put(cx: &Context, filter: &SubscriptionFilter) -> Result<(), AwsError> {
    let fields: Vec<String> = filter.emit_system_fields.iter().cloned().collect();
    let put = cx
        .logs
        .put_subscription_filter()
        .log_group_name(&filter.log_group_name)
        .set_filter_name(filter.filter_name.clone())
        .filter_pattern(&filter.filter_pattern)
        .destination_arn(&filter.destination_arn)
        .set_role_arn(filter.role_arn.clone())
        // Said only where it is not what the service does anyway: destinations other than streams have none.
        .set_distribution((filter.distribution != "ByLogStream").then(|| filter.distribution.as_str().into()))
        .apply_on_transformed_logs(filter.apply_on_transformed_logs)
        .set_field_selection_criteria(filter.field_selection_criteria.clone())
        .set_emit_system_fields((!fields.is_empty()).then_some(fields));
    let _turn = cx.turn(&turn_of(&filter.log_group_name)).await;
    cx.while_passing(Patience::seconds(120), is_not_permitted_yet, || {
        when_idle(cx, || async { put.clone().send().await.during("logs.PutSubscriptionFilter") })
    })
    .await
    .map(drop)
}

/// What permits the service to write to the destination was made a moment ago.
fn is_not_permitted_yet(error: &AwsError) -> bool {
    let texts = ["Could not execute the lambda function", "Could not deliver test message", "Make sure you have given"];
    texts.iter().any(|text| error.says("InvalidParameterException", text))
}

fn filter_of(group: &str, live: sdk::SubscriptionFilter) -> SubscriptionFilter {
    SubscriptionFilter {
        log_group_name: group.to_owned(),
        filter_name: live.filter_name,
        filter_pattern: live.filter_pattern.unwrap_or_default(),
        destination_arn: live.destination_arn.unwrap_or_default(),
        role_arn: live.role_arn,
        distribution: live.distribution.map_or("ByLogStream".to_owned(), |it| it.as_str().to_owned()),
        apply_on_transformed_logs: live.apply_on_transformed_logs,
        field_selection_criteria: live.field_selection_criteria,
        emit_system_fields: live.emit_system_fields.unwrap_or_default().into_iter().collect(),
    }
}

fn id_of(filter: &SubscriptionFilter) -> PhysicalId {
    PhysicalId::join([filter.log_group_name.as_str(), filter.filter_name.as_deref().unwrap_or_default()])
}
