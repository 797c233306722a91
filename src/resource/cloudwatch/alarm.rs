//! `AWS::CloudWatch::Alarm`. Found by name, which replaces it. One call writes the whole definition and resets what it leaves
//! out; tags it takes only while the alarm is new. See "CloudWatch" in the behaviour notes.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::types as sdk;
use futures::future::try_join;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::cloudwatch::alarm_parts::{
    ActionConfiguration, Dimension, EvaluationCriteria, EvaluationWindow, MetricDataQuery, WarmUpConfiguration,
    action_configuration_of, criteria_of, dimensions_of, query_of, sdk_action_configuration, sdk_criteria,
    sdk_dimensions, sdk_query, sdk_warm_up, sdk_window, warm_up_of, window_of,
};
use crate::resource::cloudwatch::{
    DESCRIBE, MOST_ALARMS, alarm_arn, alarm_attributes, alarm_identified, delete_alarm, delete_alarms, describe_alarms,
    sdk_tag, sync_tags, tags_of,
};
use crate::resource::tags::Tags;
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, complete_what_is_there};

pub struct CloudWatchAlarm;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Alarm {
    pub alarm_name: Option<String>,
    pub alarm_description: Option<String>,
    pub actions_enabled: bool,
    pub alarm_actions: BTreeSet<String>,
    #[serde(rename = "OKActions")]
    pub ok_actions: BTreeSet<String>,
    pub insufficient_data_actions: BTreeSet<String>,
    pub action_configuration: Option<ActionConfiguration>,
    pub namespace: Option<String>,
    pub metric_name: Option<String>,
    pub dimensions: BTreeSet<Dimension>,
    pub statistic: Option<String>,
    pub extended_statistic: Option<String>,
    /// Seconds.
    pub period: Option<i32>,
    pub unit: Option<String>,
    /// In order of id.
    pub metrics: Vec<MetricDataQuery>,
    pub evaluation_criteria: Option<EvaluationCriteria>,
    /// Seconds.
    pub evaluation_interval: Option<i32>,
    pub evaluation_periods: Option<i32>,
    pub evaluation_window: Option<EvaluationWindow>,
    pub warm_up_configuration: Option<WarmUpConfiguration>,
    pub datapoints_to_alarm: Option<i32>,
    pub comparison_operator: Option<String>,
    pub threshold: Option<f64>,
    pub threshold_metric_id: Option<String>,
    pub treat_missing_data: String,
    pub evaluate_low_sample_count_percentile: Option<String>,
    pub tags: Tags,
}

impl Default for Alarm {
    fn default() -> Self {
        Self {
            alarm_name: None,
            alarm_description: None,
            actions_enabled: true,
            alarm_actions: BTreeSet::new(),
            ok_actions: BTreeSet::new(),
            insufficient_data_actions: BTreeSet::new(),
            action_configuration: None,
            namespace: None,
            metric_name: None,
            dimensions: BTreeSet::new(),
            statistic: None,
            extended_statistic: None,
            period: None,
            unit: None,
            metrics: Vec::new(),
            evaluation_criteria: None,
            evaluation_interval: None,
            evaluation_periods: None,
            evaluation_window: None,
            warm_up_configuration: None,
            datapoints_to_alarm: None,
            comparison_operator: None,
            threshold: None,
            threshold_metric_id: None,
            treat_missing_data: "missing".to_owned(),
            evaluate_low_sample_count_percentile: None,
            tags: Tags::default(),
        }
    }
}

impl Handler for CloudWatchAlarm {
    const TYPE: &'static str = "AWS::CloudWatch::Alarm";
    const FOUND_BY: &'static [&'static str] = &["AlarmName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("AlarmName", 255));
    const DELETED_TOGETHER: usize = MOST_ALARMS;
    const TAGGED_AS: Option<&'static str> = Some("cloudwatch:alarm");
    type Properties = Alarm;

    fn complete(alarm: &mut Alarm) {
        alarm.alarm_description.take_if(|text| text.is_empty());
        alarm.datapoints_to_alarm = alarm.datapoints_to_alarm.or(alarm.evaluation_periods);
        alarm.evaluation_window.take_if(|window| *window == EvaluationWindow::SlidingWindow {});
        alarm.metrics.sort_by(|one, other| one.id.cmp(&other.id));
    }

    fn predict(scope: &Scope, alarm: &Alarm) -> Attributes {
        alarm.alarm_name.as_deref().map(|name| alarm_attributes(scope, name)).unwrap_or_default()
    }

    async fn find(cx: &Context, _owner: &Owner, alarm: &Alarm) -> Result<Option<PhysicalId>, AwsError> {
        let name = alarm.alarm_name.as_deref().unwrap_or_default();
        Ok(described(cx, name).await?.map(|_| PhysicalId::from(name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Alarm>>, AwsError> {
        let arn = alarm_arn(&cx.scope, id.as_str());
        let (described, tags) = try_join(described(cx, id.as_str()), tags_of(cx, &arn)).await?;
        let Some(described) = described else { return Ok(None) };
        let alarm = Alarm { tags, ..alarm_of(described) };
        Ok(Some(Live::tagged(alarm, alarm_attributes(&cx.scope, id.as_str()))))
    }

    async fn create(cx: &Context, owner: &Owner, alarm: &Alarm, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let name = alarm.alarm_name.as_deref().unwrap_or_default();
        let id = PhysicalId::from(name);
        match left {
            None => put(cx, alarm).await?,
            Some(id) => complete_what_is_there::<Self>(cx, owner, &id, alarm).await?,
        }
        cx.until(DESCRIBE, "the new alarm to show", Patience::seconds(60), || described(cx, name)).await?;
        Ok(Made { attributes: alarm_attributes(&cx.scope, name), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        alarm: &Alarm,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch_other_than("Tags") {
            put(cx, alarm).await?;
        }
        if changes.touch("Tags") {
            sync_tags(cx, &alarm_arn(&cx.scope, id.as_str()), &alarm.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete_together(cx: &Context, ids: &[PhysicalId]) -> Result<(), AwsError> {
        delete_alarms(cx, ids).await
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        delete_alarm(cx, id.as_str()).await?;
        cx.until(DESCRIBE, "the alarm to be gone", Patience::seconds(60), || async {
            Ok(described(cx, id.as_str()).await?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        alarm_identified(cx, arn, &sdk::AlarmType::MetricAlarm).await
    }
}

async fn described(cx: &Context, name: &str) -> Result<Option<sdk::MetricAlarm>, AwsError> {
    cx.together(DESCRIBE, CloudWatchAlarm::TYPE, name, MOST_ALARMS, |names| describe(cx, names)).await
}

/// The alarms by name.
async fn describe(cx: &Context, names: Vec<String>) -> Result<BTreeMap<String, sdk::MetricAlarm>, AwsError> {
    let answer = describe_alarms(cx, names).await?;
    if let Some(composite) = answer.composite_alarms().first() {
        let name = composite.alarm_name().unwrap_or_default();
        let message = format!("a composite alarm has the name `{name}`: give the alarm another one");
        return Err(AwsError::new(DESCRIBE, ErrorClass::AlreadyExists, message));
    }
    let alarms = answer.metric_alarms.unwrap_or_default().into_iter();
    Ok(alarms.filter_map(|alarm| Some((alarm.alarm_name.clone()?, alarm))).collect())
}

async fn put(cx: &Context, alarm: &Alarm) -> Result<(), AwsError> {
    let list = |actions: &BTreeSet<String>| Some(actions.iter().cloned().collect());
    let metrics = alarm.metrics.iter().map(sdk_query).collect();
    let put = cx
        .cloudwatch
        .put_metric_alarm()
        .set_alarm_name(alarm.alarm_name.clone())
        .set_alarm_description(alarm.alarm_description.clone())
        .actions_enabled(alarm.actions_enabled)
        .set_alarm_actions(list(&alarm.alarm_actions))
        .set_ok_actions(list(&alarm.ok_actions))
        .set_insufficient_data_actions(list(&alarm.insufficient_data_actions))
        .set_action_configuration(alarm.action_configuration.as_ref().map(sdk_action_configuration))
        .set_namespace(alarm.namespace.clone())
        .set_metric_name(alarm.metric_name.clone())
        .set_dimensions(sdk_dimensions(&alarm.dimensions))
        .set_statistic(alarm.statistic.as_deref().map(Into::into))
        .set_extended_statistic(alarm.extended_statistic.clone())
        .set_period(alarm.period)
        .set_unit(alarm.unit.as_deref().map(Into::into))
        .set_metrics((!alarm.metrics.is_empty()).then_some(metrics))
        .set_evaluation_criteria(alarm.evaluation_criteria.as_ref().map(sdk_criteria))
        .set_evaluation_interval(alarm.evaluation_interval)
        .set_evaluation_periods(alarm.evaluation_periods)
        .set_evaluation_window(alarm.evaluation_window.as_ref().map(sdk_window))
        .set_warm_up_configuration(alarm.warm_up_configuration.as_ref().map(sdk_warm_up))
        .set_datapoints_to_alarm(alarm.datapoints_to_alarm)
        .set_comparison_operator(alarm.comparison_operator.as_deref().map(Into::into))
        .set_threshold(alarm.threshold)
        .set_threshold_metric_id(alarm.threshold_metric_id.clone())
        .treat_missing_data(&alarm.treat_missing_data)
        .set_evaluate_low_sample_count_percentile(alarm.evaluate_low_sample_count_percentile.clone())
        .set_tags(Some(alarm.tags.to_sdk(sdk_tag)));
    put.send().await.during("cloudwatch.PutMetricAlarm")?;
    Ok(())
}

/// The alarm in the template's shape, without its tags.
fn alarm_of(live: sdk::MetricAlarm) -> Alarm {
    let set = |list: Option<Vec<String>>| list.unwrap_or_default().into_iter().collect();
    Alarm {
        alarm_name: live.alarm_name,
        alarm_description: live.alarm_description,
        actions_enabled: live.actions_enabled.unwrap_or(true),
        alarm_actions: set(live.alarm_actions),
        ok_actions: set(live.ok_actions),
        insufficient_data_actions: set(live.insufficient_data_actions),
        action_configuration: live.action_configuration.map(action_configuration_of),
        namespace: live.namespace,
        metric_name: live.metric_name,
        dimensions: dimensions_of(live.dimensions),
        statistic: live.statistic.map(|it| it.as_str().to_owned()),
        extended_statistic: live.extended_statistic,
        period: live.period,
        unit: live.unit.map(|it| it.as_str().to_owned()),
        metrics: live.metrics.unwrap_or_default().into_iter().map(query_of).collect(),
        evaluation_criteria: live.evaluation_criteria.and_then(criteria_of),
        evaluation_interval: live.evaluation_interval,
        evaluation_periods: live.evaluation_periods,
        evaluation_window: live.evaluation_window.and_then(window_of),
        warm_up_configuration: live.warm_up_configuration.map(warm_up_of),
        datapoints_to_alarm: live.datapoints_to_alarm,
        comparison_operator: live.comparison_operator.map(|it| it.as_str().to_owned()),
        threshold: live.threshold,
        threshold_metric_id: live.threshold_metric_id,
        treat_missing_data: live.treat_missing_data.unwrap_or_else(|| Alarm::default().treat_missing_data),
        evaluate_low_sample_count_percentile: live.evaluate_low_sample_count_percentile,
        tags: Tags::default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn alarm(properties: Value) -> Alarm {
        let mut alarm = serde_json::from_value(properties).unwrap();
        CloudWatchAlarm::complete(&mut alarm);
        alarm
    }

    #[test]
    fn an_alarm_that_nobody_said_more_of_is_what_the_service_shows() {
        let live = sdk::MetricAlarm::builder().alarm_name("errors").evaluation_periods(3).threshold(1.0);
        let mut live = alarm_of(live.actions_enabled(true).set_dimensions(Some(Vec::new())).build());
        CloudWatchAlarm::complete(&mut live);
        assert_eq!(live, alarm(json!({"AlarmName": "errors", "EvaluationPeriods": 3, "Threshold": 1})));
    }

    #[test]
    fn metrics_are_the_same_in_any_order() {
        let total = json!({"Id": "total", "Expression": "a + b"});
        let part = json!({"Id": "a", "ReturnData": false});
        assert_eq!(alarm(json!({"Metrics": [total, part]})), alarm(json!({"Metrics": [part, total]})));
    }

    #[test]
    fn a_sliding_window_is_what_an_alarm_has_anyway() {
        assert_eq!(alarm(json!({"EvaluationWindow": {"SlidingWindow": {}}})), alarm(json!({})));
    }
}
