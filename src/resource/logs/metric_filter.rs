//! `AWS::Logs::MetricFilter`. Found by log group and name, which replace it. It cannot carry a mark.
//! The filters of one log group are written one at a time, and go with it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types as sdk;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::logs::{in_group, turn_of, when_idle};
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, referred};

pub struct LogsMetricFilter;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct MetricFilter {
    pub log_group_name: String,
    pub filter_name: Option<String>,
    pub filter_pattern: String,
    pub metric_transformations: Vec<MetricTransformation>,
    pub apply_on_transformed_logs: bool,
    pub field_selection_criteria: Option<String>,
    pub emit_system_field_dimensions: BTreeSet<String>,
}

/// The metric that a matching line gives; a filter has one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct MetricTransformation {
    pub metric_name: String,
    pub metric_namespace: String,
    pub metric_value: String,
    /// What is counted while nothing matches: nothing, which is not the same as 0.
    pub default_value: Option<f64>,
    pub dimensions: BTreeSet<Dimension>,
    pub unit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Dimension {
    pub key: String,
    pub value: String,
}

impl Handler for LogsMetricFilter {
    const TYPE: &'static str = "AWS::Logs::MetricFilter";
    const FOUND_BY: &'static [&'static str] = &["LogGroupName", "FilterName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("FilterName", 512));
    const PART_OF: &'static [&'static str] = &["LogGroupName"];
    const WITHIN: Option<&'static str> = Some("AWS::Logs::LogGroup");
    type Properties = MetricFilter;

    fn complete(filter: &mut MetricFilter) {
        filter.field_selection_criteria.take_if(|criteria| criteria.is_empty());
        for transformation in &mut filter.metric_transformations {
            transformation.unit.take_if(|unit| unit == "None");
        }
    }

    fn predict(_scope: &Scope, filter: &MetricFilter) -> Attributes {
        filter.filter_name.as_deref().map(|name| referred(name, [])).unwrap_or_default()
    }

    async fn find(cx: &Context, _owner: &Owner, filter: &MetricFilter) -> Result<Option<PhysicalId>, AwsError> {
        let name = filter.filter_name.as_deref().unwrap_or_default();
        Ok(described(cx, &filter.log_group_name, name).await?.map(|_| id_of(filter)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<MetricFilter>>, AwsError> {
        let [group, name] = in_group(id, DESCRIBE, "metric filter")?;
        let live = described(cx, group, name).await?;
        Ok(live.map(|live| Live::unmarkable(filter_of(group, live), referred(name, []))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        filter: &MetricFilter,
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
        filter: &MetricFilter,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put(cx, filter).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [group, name] = in_group(id, DESCRIBE, "metric filter")?;
        {
            let _turn = cx.turn(&turn_of(group)).await;
            let delete = cx.logs.delete_metric_filter().log_group_name(group).filter_name(name);
            let deleted = when_idle(cx, || async { delete.clone().send().await.during("logs.DeleteMetricFilter") });
            gone_is_fine(deleted.await)?;
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

const DESCRIBE: &str = "logs.DescribeMetricFilters";

/// The filter of exactly this name.
async fn described(cx: &Context, group: &str, name: &str) -> Result<Option<sdk::MetricFilter>, AwsError> {
    // One list of all serves every filter of the group in a survey.
    let filters = match cx.survey {
        Some(_) => cx.once(DESCRIBE, group, || listed(cx, group, None)).await?,
        None => listed(cx, group, Some(name)).await?,
    };
    Ok(filters.iter().find(|filter| filter.filter_name() == Some(name)).cloned())
}

/// The filters of a group, or those whose names begin so.
async fn listed(cx: &Context, group: &str, prefix: Option<&str>) -> Result<Arc<Vec<sdk::MetricFilter>>, AwsError> {
    let describe =
        cx.logs.describe_metric_filters().log_group_name(group).set_filter_name_prefix(prefix.map(str::to_owned));
    let mut pages = describe.into_paginator().send();
    let mut filters = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = found(DESCRIBE, page)? else { break };
        filters.extend(page.metric_filters.unwrap_or_default());
    }
    Ok(Arc::new(filters))
}

/// Replaces the whole filter, or makes it.
async fn put(cx: &Context, filter: &MetricFilter) -> Result<(), AwsError> {
    const PUT: &str = "logs.PutMetricFilter";
    let transformations = filter.metric_transformations.iter().map(sdk_transformation).collect::<Result<_, _>>();
    let transformations =
        transformations.map_err(|error| AwsError::new(PUT, ErrorClass::Invalid, error.to_string()))?;
    let fields: Vec<String> = filter.emit_system_field_dimensions.iter().cloned().collect();
    let put = cx
        .logs
        .put_metric_filter()
        .log_group_name(&filter.log_group_name)
        .set_filter_name(filter.filter_name.clone())
        .filter_pattern(&filter.filter_pattern)
        .set_metric_transformations(Some(transformations))
        .apply_on_transformed_logs(filter.apply_on_transformed_logs)
        .set_field_selection_criteria(filter.field_selection_criteria.clone())
        .set_emit_system_field_dimensions((!fields.is_empty()).then_some(fields));
    let _turn = cx.turn(&turn_of(&filter.log_group_name)).await;
    when_idle(cx, || async { put.clone().send().await.during(PUT) }).await?;
    Ok(())
}

fn sdk_transformation(
    transformation: &MetricTransformation,
) -> Result<sdk::MetricTransformation, aws_sdk_cloudwatchlogs::error::BuildError> {
    let dimensions: HashMap<String, String> =
        transformation.dimensions.iter().map(|it| (it.key.clone(), it.value.clone())).collect();
    sdk::MetricTransformation::builder()
        .metric_name(&transformation.metric_name)
        .metric_namespace(&transformation.metric_namespace)
        .metric_value(&transformation.metric_value)
        .set_default_value(transformation.default_value)
        .set_dimensions((!dimensions.is_empty()).then_some(dimensions))
        .set_unit(transformation.unit.as_deref().map(Into::into))
        .build()
}

fn filter_of(group: &str, live: sdk::MetricFilter) -> MetricFilter {
    MetricFilter {
        log_group_name: group.to_owned(),
        filter_name: live.filter_name,
        filter_pattern: live.filter_pattern.unwrap_or_default(),
        metric_transformations: live
            .metric_transformations
            .unwrap_or_default()
            .into_iter()
            .map(transformation_of)
            .collect(),
        apply_on_transformed_logs: live.apply_on_transformed_logs,
        field_selection_criteria: live.field_selection_criteria,
        emit_system_field_dimensions: live.emit_system_field_dimensions.unwrap_or_default().into_iter().collect(),
    }
}

fn transformation_of(live: sdk::MetricTransformation) -> MetricTransformation {
    let dimensions = live.dimensions.unwrap_or_default().into_iter();
    MetricTransformation {
        metric_name: live.metric_name,
        metric_namespace: live.metric_namespace,
        metric_value: live.metric_value,
        default_value: live.default_value,
        dimensions: dimensions.map(|(key, value)| Dimension { key, value }).collect(),
        unit: live.unit.map(|unit| unit.as_str().to_owned()),
    }
}

fn id_of(filter: &MetricFilter) -> PhysicalId {
    PhysicalId::join([filter.log_group_name.as_str(), filter.filter_name.as_deref().unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counting_nought_by_default_is_not_counting_nothing() {
        let transformation: MetricTransformation = serde_json::from_value(json!({
            "MetricName": "m", "MetricNamespace": "n", "MetricValue": "1", "DefaultValue": 0, "Unit": "Count",
        }))
        .unwrap();
        let back = transformation_of(sdk_transformation(&transformation).unwrap());
        assert_eq!(back, transformation);
        assert_ne!(back, MetricTransformation { default_value: None, ..transformation });
    }
}
