//! What the properties of an alarm are made of, in the template's shapes and the SDK's.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::types as sdk;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Dimension {
    pub name: String,
    pub value: String,
}

/// A metric or an expression of an alarm on several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct MetricDataQuery {
    pub id: String,
    pub account_id: Option<String>,
    pub expression: Option<String>,
    pub label: Option<String>,
    pub metric_stat: Option<MetricStat>,
    /// Seconds.
    pub period: Option<i32>,
    pub return_data: bool,
}

impl Default for MetricDataQuery {
    fn default() -> Self {
        Self {
            id: String::new(),
            account_id: None,
            expression: None,
            label: None,
            metric_stat: None,
            period: None,
            return_data: true,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct MetricStat {
    pub metric: Metric,
    /// Seconds.
    pub period: i32,
    pub stat: String,
    pub unit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Metric {
    pub namespace: Option<String>,
    pub metric_name: Option<String>,
    pub dimensions: BTreeSet<Dimension>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ActionConfiguration {
    pub alarm_tags_propagation: Option<AlarmTagsPropagation>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct AlarmTagsPropagation {
    pub enabled: bool,
    pub included_tag_keys: BTreeSet<String>,
    pub excluded_tag_keys: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationCriteria {
    #[serde(rename = "PromQLCriteria")]
    pub prom_ql_criteria: PromQlCriteria,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct PromQlCriteria {
    pub query: String,
    /// Seconds.
    pub pending_period: Option<i32>,
    /// Seconds.
    pub recovery_period: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum EvaluationWindow {
    SlidingWindow {},
    #[serde(rename_all = "PascalCase")]
    WallClockWindow {
        timezone: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct WarmUpConfiguration {
    pub warm_up_period_duration_in_minutes: Option<i32>,
    pub only_start_evaluating_after_warm_up_period_ends: bool,
}

pub(super) fn sdk_dimensions(dimensions: &BTreeSet<Dimension>) -> Option<Vec<sdk::Dimension>> {
    let sdk = |it: &Dimension| sdk::Dimension::builder().name(&it.name).value(&it.value).build();
    (!dimensions.is_empty()).then(|| dimensions.iter().map(sdk).collect())
}

pub(super) fn dimensions_of(live: Option<Vec<sdk::Dimension>>) -> BTreeSet<Dimension> {
    let dimension =
        |it: sdk::Dimension| Dimension { name: it.name.unwrap_or_default(), value: it.value.unwrap_or_default() };
    live.unwrap_or_default().into_iter().map(dimension).collect()
}

pub(super) fn sdk_query(query: &MetricDataQuery) -> sdk::MetricDataQuery {
    let stat = |stat: &MetricStat| {
        let metric = sdk::Metric::builder()
            .set_namespace(stat.metric.namespace.clone())
            .set_metric_name(stat.metric.metric_name.clone())
            .set_dimensions(sdk_dimensions(&stat.metric.dimensions));
        sdk::MetricStat::builder()
            .metric(metric.build())
            .period(stat.period)
            .stat(&stat.stat)
            .set_unit(stat.unit.as_deref().map(Into::into))
            .build()
    };
    sdk::MetricDataQuery::builder()
        .id(&query.id)
        .set_account_id(query.account_id.clone())
        .set_expression(query.expression.clone())
        .set_label(query.label.clone())
        .set_metric_stat(query.metric_stat.as_ref().map(stat))
        .set_period(query.period)
        .return_data(query.return_data)
        .build()
}

pub(super) fn query_of(live: sdk::MetricDataQuery) -> MetricDataQuery {
    let metric = |live: sdk::Metric| Metric {
        namespace: live.namespace,
        metric_name: live.metric_name,
        dimensions: dimensions_of(live.dimensions),
    };
    let stat = |live: sdk::MetricStat| MetricStat {
        metric: live.metric.map(metric).unwrap_or_default(),
        period: live.period.unwrap_or_default(),
        stat: live.stat.unwrap_or_default(),
        unit: live.unit.map(|it| it.as_str().to_owned()),
    };
    MetricDataQuery {
        id: live.id.unwrap_or_default(),
        account_id: live.account_id,
        expression: live.expression,
        label: live.label,
        metric_stat: live.metric_stat.map(stat),
        period: live.period,
        return_data: live.return_data.unwrap_or(true),
    }
}

pub(super) fn sdk_action_configuration(configuration: &ActionConfiguration) -> sdk::ActionConfiguration {
    let keys = |keys: &BTreeSet<String>| (!keys.is_empty()).then(|| keys.iter().cloned().collect());
    let propagation = |it: &AlarmTagsPropagation| {
        sdk::AlarmTagsPropagation::builder()
            .enabled(it.enabled)
            .set_included_tag_keys(keys(&it.included_tag_keys))
            .set_excluded_tag_keys(keys(&it.excluded_tag_keys))
            .build()
    };
    let propagation = configuration.alarm_tags_propagation.as_ref().map(propagation);
    sdk::ActionConfiguration::builder().set_alarm_tags_propagation(propagation).build()
}

pub(super) fn action_configuration_of(live: sdk::ActionConfiguration) -> ActionConfiguration {
    let keys = |keys: Option<Vec<String>>| keys.unwrap_or_default().into_iter().collect();
    let propagation = |live: sdk::AlarmTagsPropagation| AlarmTagsPropagation {
        enabled: live.enabled.unwrap_or_default(),
        included_tag_keys: keys(live.included_tag_keys),
        excluded_tag_keys: keys(live.excluded_tag_keys),
    };
    ActionConfiguration { alarm_tags_propagation: live.alarm_tags_propagation.map(propagation) }
}

pub(super) fn sdk_criteria(criteria: &EvaluationCriteria) -> sdk::EvaluationCriteria {
    let EvaluationCriteria { prom_ql_criteria: it } = criteria;
    let criteria = sdk::AlarmPromQlCriteria::builder()
        .query(&it.query)
        .set_pending_period(it.pending_period)
        .set_recovery_period(it.recovery_period);
    sdk::EvaluationCriteria::PromQlCriteria(criteria.build())
}

/// `None` for a kind of criteria that is younger than paystack.
pub(super) fn criteria_of(live: sdk::EvaluationCriteria) -> Option<EvaluationCriteria> {
    let sdk::EvaluationCriteria::PromQlCriteria(it) = live else { return None };
    let prom_ql_criteria = PromQlCriteria {
        query: it.query.unwrap_or_default(),
        pending_period: it.pending_period,
        recovery_period: it.recovery_period,
    };
    Some(EvaluationCriteria { prom_ql_criteria })
}

pub(super) fn sdk_window(window: &EvaluationWindow) -> sdk::EvaluationWindow {
    match window {
        EvaluationWindow::SlidingWindow {} => {
            sdk::EvaluationWindow::SlidingWindow(sdk::SlidingWindow::builder().build())
        }
        EvaluationWindow::WallClockWindow { timezone } => sdk::EvaluationWindow::WallClockWindow(
            sdk::WallClockWindow::builder().set_timezone(timezone.clone()).build(),
        ),
    }
}

/// `None` for a kind of window that is younger than paystack.
pub(super) fn window_of(live: sdk::EvaluationWindow) -> Option<EvaluationWindow> {
    match live {
        sdk::EvaluationWindow::SlidingWindow(_) => Some(EvaluationWindow::SlidingWindow {}),
        sdk::EvaluationWindow::WallClockWindow(it) => Some(EvaluationWindow::WallClockWindow { timezone: it.timezone }),
        _ => None,
    }
}

pub(super) fn sdk_warm_up(warm_up: &WarmUpConfiguration) -> sdk::WarmUpConfiguration {
    sdk::WarmUpConfiguration::builder()
        .set_warm_up_period_duration_in_minutes(warm_up.warm_up_period_duration_in_minutes)
        .only_start_evaluating_after_warm_up_period_ends(warm_up.only_start_evaluating_after_warm_up_period_ends)
        .build()
}

pub(super) fn warm_up_of(live: sdk::WarmUpConfiguration) -> WarmUpConfiguration {
    WarmUpConfiguration {
        warm_up_period_duration_in_minutes: live.warm_up_period_duration_in_minutes,
        only_start_evaluating_after_warm_up_period_ends: live
            .only_start_evaluating_after_warm_up_period_ends
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    fn parsed<T: DeserializeOwned>(properties: Value) -> T {
        serde_json::from_value(properties).unwrap()
    }

    #[test]
    fn every_part_of_a_metric_query_comes_back() {
        let wanted: MetricDataQuery = parsed(json!({
            "Id": "a", "AccountId": "123456789012", "Label": "all", "Period": 60, "ReturnData": false,
            "MetricStat": {"Period": 60, "Stat": "p99", "Unit": "Count", "Metric": {
                "Namespace": "n", "MetricName": "m", "Dimensions": [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}],
            }},
        }));
        assert_eq!(query_of(sdk_query(&wanted)), wanted);
    }

    #[test]
    fn how_an_alarm_evaluates_and_tells_comes_back() {
        let criteria: EvaluationCriteria = parsed(json!({"PromQLCriteria": {"Query": "up == 0", "PendingPeriod": 60}}));
        assert_eq!(criteria_of(sdk_criteria(&criteria)), Some(criteria));
        let window: EvaluationWindow = parsed(json!({"WallClockWindow": {"Timezone": "Europe/Berlin"}}));
        assert_eq!(window_of(sdk_window(&window)), Some(window));
        let actions: ActionConfiguration =
            parsed(json!({"AlarmTagsPropagation": {"Enabled": true, "IncludedTagKeys": ["team"]}}));
        assert_eq!(action_configuration_of(sdk_action_configuration(&actions)), actions);
        let warm_up: WarmUpConfiguration = parsed(json!({"WarmUpPeriodDurationInMinutes": 5}));
        assert_eq!(warm_up_of(sdk_warm_up(&warm_up)), warm_up);
    }
}
