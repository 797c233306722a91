//! `AWS::CloudWatch::AnomalyDetector`: a model of what is normal for a metric, or for an expression over several. There is one
//! for each metric and statistic, or for each expression: found by them, which replace it. It cannot carry a mark.
//!
//! CloudFormation makes an identifier up. Here it is what the detector is for, as JSON.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::types as sdk;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::cloudwatch::alarm_parts::{
    Dimension, MetricDataQuery, dimensions_of, query_of, sdk_dimensions, sdk_query,
};
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct CloudWatchAnomalyDetector;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct AnomalyDetector {
    pub namespace: Option<String>,
    pub metric_name: Option<String>,
    pub stat: Option<String>,
    pub dimensions: BTreeSet<Dimension>,
    /// The same in the newer form, which it is read back in.
    pub single_metric_anomaly_detector: Option<SingleMetric>,
    pub metric_math_anomaly_detector: Option<MetricMath>,
    pub metric_characteristics: Option<MetricCharacteristics>,
    pub configuration: Option<Configuration>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct SingleMetric {
    pub account_id: Option<String>,
    pub namespace: Option<String>,
    pub metric_name: Option<String>,
    pub stat: Option<String>,
    pub dimensions: BTreeSet<Dimension>,
}

/// In order of id.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct MetricMath {
    pub metric_data_queries: Vec<MetricDataQuery>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct MetricCharacteristics {
    pub periodic_spikes: bool,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Configuration {
    pub excluded_time_ranges: Vec<Range>,
    pub metric_time_zone: Option<String>,
}

/// `2026-11-25T00:00:00`, of which the seconds count.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Range {
    pub start_time: String,
    pub end_time: String,
}

impl Handler for CloudWatchAnomalyDetector {
    const TYPE: &'static str = "AWS::CloudWatch::AnomalyDetector";
    const FOUND_BY: &'static [&'static str] = &["SingleMetricAnomalyDetector", "MetricMathAnomalyDetector"];
    type Properties = AnomalyDetector;

    /// One form for what two say, and one for what is nothing.
    fn complete(detector: &mut AnomalyDetector) {
        if detector.metric_name.is_some() {
            detector.single_metric_anomaly_detector.get_or_insert_with(|| SingleMetric {
                account_id: None,
                namespace: detector.namespace.take(),
                metric_name: detector.metric_name.take(),
                stat: detector.stat.take(),
                dimensions: std::mem::take(&mut detector.dimensions),
            });
        }
        if let Some(math) = &mut detector.metric_math_anomaly_detector {
            math.metric_data_queries.sort_by(|one, other| one.id.cmp(&other.id));
        }
        detector.metric_characteristics.take_if(|it| *it == MetricCharacteristics::default());
        if let Some(configuration) = &mut detector.configuration {
            for range in &mut configuration.excluded_time_ranges {
                range.start_time = written(&range.start_time);
                range.end_time = written(&range.end_time);
            }
        }
        detector.configuration.take_if(|it| *it == Configuration::default());
    }

    fn predict(_scope: &Scope, detector: &AnomalyDetector) -> Attributes {
        attributes_of(&id_of(detector))
    }

    async fn find(cx: &Context, _owner: &Owner, detector: &AnomalyDetector) -> Result<Option<PhysicalId>, AwsError> {
        let id = id_of(detector);
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<AnomalyDetector>>, AwsError> {
        let of = subject(id)?;
        Ok(described(cx, &of).await?.map(|live| Live::unmarkable(live, attributes_of(id))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        detector: &AnomalyDetector,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        put(cx, detector).await?;
        let id = id_of(detector);
        cx.until(DESCRIBE, "the new detector to show", Patience::seconds(60), || described(cx, detector)).await?;
        Ok(Made { attributes: attributes_of(&id), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        detector: &AnomalyDetector,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put(cx, detector).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let of = subject(id)?;
        let delete = cx.cloudwatch.delete_anomaly_detector();
        let delete =
            delete.set_single_metric_anomaly_detector(of.single_metric_anomaly_detector.as_ref().map(sdk_single));
        let delete = delete.set_metric_math_anomaly_detector(of.metric_math_anomaly_detector.as_ref().map(sdk_math));
        gone_is_fine(delete.send().await.during("cloudwatch.DeleteAnomalyDetector"))?;
        cx.until(DESCRIBE, "the detector to be gone", Patience::seconds(60), || async {
            Ok(described(cx, &of).await?.is_none().then_some(()))
        })
        .await
    }
}

const DESCRIBE: &str = "cloudwatch.DescribeAnomalyDetectors";

/// The detector of the same metric, or of the same expression.
async fn described(cx: &Context, of: &AnomalyDetector) -> Result<Option<AnomalyDetector>, AwsError> {
    let single = of.single_metric_anomaly_detector.as_ref();
    let kind = match single {
        Some(_) => sdk::AnomalyDetectorType::SingleMetric,
        None => sdk::AnomalyDetectorType::MetricMath,
    };
    let describe = cx.cloudwatch.describe_anomaly_detectors().anomaly_detector_types(kind);
    let describe = describe.set_namespace(single.and_then(|it| it.namespace.clone()));
    let describe = describe.set_metric_name(single.and_then(|it| it.metric_name.clone()));
    let mut pages = describe.into_paginator().send();
    while let Some(page) = pages.next().await {
        let detectors = page.during(DESCRIBE)?.anomaly_detectors.unwrap_or_default();
        for mut live in detectors.into_iter().map(detector_of) {
            CloudWatchAnomalyDetector::complete(&mut live);
            if id_of(&live) == id_of(of) {
                return Ok(Some(live));
            }
        }
    }
    Ok(None)
}

async fn put(cx: &Context, detector: &AnomalyDetector) -> Result<(), AwsError> {
    const PUT: &str = "cloudwatch.PutAnomalyDetector";
    let characteristics = detector.metric_characteristics.as_ref();
    let characteristics =
        characteristics.map(|it| sdk::MetricCharacteristics::builder().periodic_spikes(it.periodic_spikes).build());
    let configuration = match &detector.configuration {
        Some(configuration) => Some(sdk_configuration(configuration).map_err(|what| {
            AwsError::new(PUT, ErrorClass::Invalid, format!("`{what}` is no time: write `2026-11-25T00:00:00`"))
        })?),
        None => None,
    };
    let put = cx
        .cloudwatch
        .put_anomaly_detector()
        .set_single_metric_anomaly_detector(detector.single_metric_anomaly_detector.as_ref().map(sdk_single))
        .set_metric_math_anomaly_detector(detector.metric_math_anomaly_detector.as_ref().map(sdk_math))
        .set_metric_characteristics(characteristics)
        .set_configuration(configuration);
    put.send().await.during(PUT).map(drop)
}

fn sdk_single(single: &SingleMetric) -> sdk::SingleMetricAnomalyDetector {
    sdk::SingleMetricAnomalyDetector::builder()
        .set_account_id(single.account_id.clone())
        .set_namespace(single.namespace.clone())
        .set_metric_name(single.metric_name.clone())
        .set_stat(single.stat.clone())
        .set_dimensions(sdk_dimensions(&single.dimensions))
        .build()
}

fn sdk_math(math: &MetricMath) -> sdk::MetricMathAnomalyDetector {
    let queries = math.metric_data_queries.iter().map(sdk_query).collect();
    sdk::MetricMathAnomalyDetector::builder().set_metric_data_queries(Some(queries)).build()
}

fn sdk_configuration(configuration: &Configuration) -> Result<sdk::AnomalyDetectorConfiguration, String> {
    let time = |text: &str| parsed(text).ok_or_else(|| text.to_owned());
    let ranges = configuration.excluded_time_ranges.iter().map(|range| {
        Ok(sdk::Range::builder().start_time(time(&range.start_time)?).end_time(time(&range.end_time)?).build())
    });
    Ok(sdk::AnomalyDetectorConfiguration::builder()
        .set_excluded_time_ranges(Some(ranges.collect::<Result<_, String>>()?))
        .set_metric_timezone(configuration.metric_time_zone.clone())
        .build())
}

#[expect(deprecated, reason = "a detector that was made in the older form may be answered in it")]
fn detector_of(live: sdk::AnomalyDetector) -> AnomalyDetector {
    let single = live.single_metric_anomaly_detector.map(|it| SingleMetric {
        account_id: it.account_id,
        namespace: it.namespace,
        metric_name: it.metric_name,
        stat: it.stat,
        dimensions: dimensions_of(it.dimensions),
    });
    let math = live.metric_math_anomaly_detector.map(|it| MetricMath {
        metric_data_queries: it.metric_data_queries.unwrap_or_default().into_iter().map(query_of).collect(),
    });
    let text = |time: Option<DateTime>| time.and_then(|time| time.fmt(Format::DateTime).ok()).unwrap_or_default();
    let configuration = live.configuration.map(|it| Configuration {
        excluded_time_ranges: it
            .excluded_time_ranges
            .unwrap_or_default()
            .into_iter()
            .map(|range| Range { start_time: text(range.start_time), end_time: text(range.end_time) })
            .collect(),
        metric_time_zone: it.metric_timezone,
    });
    // Older answers have the metric only in the older form.
    let is_new = single.is_some() || math.is_some();
    AnomalyDetector {
        namespace: live.namespace.filter(|_| !is_new),
        metric_name: live.metric_name.filter(|_| !is_new),
        stat: live.stat.filter(|_| !is_new),
        dimensions: dimensions_of(live.dimensions.filter(|_| !is_new)),
        single_metric_anomaly_detector: single,
        metric_math_anomaly_detector: math,
        metric_characteristics: live
            .metric_characteristics
            .map(|it| MetricCharacteristics { periodic_spikes: it.periodic_spikes.unwrap_or_default() }),
        configuration,
    }
}

/// Times without a zone are in UTC.
fn parsed(text: &str) -> Option<DateTime> {
    let zoned = if text.ends_with('Z') { text.to_owned() } else { format!("{text}Z") };
    DateTime::from_str(&zoned, Format::DateTime).ok()
}

/// A time as the service writes it back; what is no time stays as it is.
fn written(text: &str) -> String {
    parsed(text).and_then(|time| time.fmt(Format::DateTime).ok()).unwrap_or_else(|| text.to_owned())
}

fn id_of(detector: &AnomalyDetector) -> PhysicalId {
    let of = AnomalyDetector {
        single_metric_anomaly_detector: detector.single_metric_anomaly_detector.clone(),
        metric_math_anomaly_detector: detector.metric_math_anomaly_detector.clone(),
        ..AnomalyDetector::default()
    };
    PhysicalId::from(serde_json::to_string(&of).unwrap_or_default())
}

/// What a detector of this identifier is for.
fn subject(id: &PhysicalId) -> Result<AnomalyDetector, AwsError> {
    serde_json::from_str(id.as_str()).map_err(|_| {
        let message = format!("`{id}` does not say which metric or expression the detector is for");
        AwsError::new(DESCRIBE, ErrorClass::Invalid, message)
    })
}

fn attributes_of(id: &PhysicalId) -> Attributes {
    referred(id.as_str(), [("Id", id.as_str().to_owned())])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn detector(properties: Value) -> AnomalyDetector {
        let mut detector = serde_json::from_value(properties).expect("properties of a detector");
        CloudWatchAnomalyDetector::complete(&mut detector);
        detector
    }

    #[test]
    fn both_forms_of_a_metric_are_the_same_detector() {
        let metric = json!({"Namespace": "AWS/Lambda", "MetricName": "Errors", "Stat": "Sum"});
        let newer = detector(json!({"SingleMetricAnomalyDetector": metric}));
        assert_eq!(detector(metric), newer);
        let again = subject(&id_of(&newer)).expect("an identifier");
        assert_eq!(again, newer);
    }

    #[test]
    fn times_are_the_same_with_and_without_a_zone() {
        let range = |end: &str| json!({"Configuration": {"ExcludedTimeRanges": [{"StartTime": "2026-11-25T00:00:00", "EndTime": end}]}});
        assert_eq!(detector(range("2026-11-26T00:00:00")), detector(range("2026-11-26T00:00:00Z")));
    }
}
