//! `AWS::CloudWatch::MetricStream`: metrics as they come, into a Firehose stream. Found by name, which replaces it. Its Firehose
//! stream is of a service that paystack does not handle, and is named by its ARN. Tags it takes only while it is new.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::operation::get_metric_stream::GetMetricStreamOutput as Shown;
use aws_sdk_cloudwatch::primitives::DateTimeFormat;
use aws_sdk_cloudwatch::types::{self, MetricStreamOutputFormat};
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{PhysicalId, REF};
use crate::resource::cloudwatch::{sdk_tag, sync_tags, tags_of};
use crate::resource::tags::Tags;
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, attributes, complete_what_is_there};

pub struct CloudWatchMetricStream;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct MetricStream {
    pub name: Option<String>,
    pub firehose_arn: String,
    pub role_arn: String,
    pub output_format: String,
    /// Without any, and without any to leave out, every metric is sent.
    pub include_filters: BTreeSet<Filter>,
    pub exclude_filters: BTreeSet<Filter>,
    pub include_linked_accounts_metrics: bool,
    /// What is sent beside minimum, maximum, sum and count.
    pub statistics_configurations: BTreeSet<Statistics>,
    pub tags: Tags,
}

/// A namespace, or some of its metrics.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Filter {
    pub namespace: String,
    pub metric_names: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Statistics {
    pub additional_statistics: BTreeSet<String>,
    pub include_metrics: BTreeSet<Metric>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Metric {
    pub metric_name: String,
    pub namespace: String,
}

const GET: &str = "cloudwatch.GetMetricStream";
const UPDATED: &str = "LastUpdateDate";

impl Handler for CloudWatchMetricStream {
    const TYPE: &'static str = "AWS::CloudWatch::MetricStream";
    const FOUND_BY: &'static [&'static str] = &["Name"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("Name", 255));
    const UNSETTLES: &'static [(&'static str, &'static str)] = &[
        ("ExcludeFilters", UPDATED),
        ("FirehoseArn", UPDATED),
        ("IncludeFilters", UPDATED),
        ("IncludeLinkedAccountsMetrics", UPDATED),
        ("OutputFormat", UPDATED),
        ("RoleArn", UPDATED),
        ("StatisticsConfigurations", UPDATED),
    ];
    const TAGGED_AS: Option<&'static str> = Some("cloudwatch:metric-stream");
    type Properties = MetricStream;

    fn predict(scope: &Scope, stream: &MetricStream) -> Attributes {
        let arn = stream.name.as_deref().map(|name| arn_of(scope, name));
        attributes([(REF, stream.name.clone()), ("Arn", arn)])
    }

    async fn find(cx: &Context, _owner: &Owner, stream: &MetricStream) -> Result<Option<PhysicalId>, AwsError> {
        let name = stream.name.as_deref().unwrap_or_default();
        Ok(show(cx, name).await?.map(|_| PhysicalId::from(name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<MetricStream>>, AwsError> {
        let Some(shown) = show(cx, id.as_str()).await? else { return Ok(None) };
        let stream = MetricStream {
            name: Some(id.as_str().to_owned()),
            firehose_arn: shown.firehose_arn.clone().unwrap_or_default(),
            role_arn: shown.role_arn.clone().unwrap_or_default(),
            output_format: shown.output_format.as_ref().map(|it| it.as_str().to_owned()).unwrap_or_default(),
            include_filters: shown.include_filters().iter().map(Filter::shown).collect(),
            exclude_filters: shown.exclude_filters().iter().map(Filter::shown).collect(),
            include_linked_accounts_metrics: shown.include_linked_accounts_metrics.unwrap_or_default(),
            statistics_configurations: shown.statistics_configurations().iter().map(Statistics::shown).collect(),
            tags: tags_of(cx, &arn_of(&cx.scope, id.as_str())).await?,
        };
        Ok(Some(Live::tagged(stream, attributes_of(&shown))))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        stream: &MetricStream,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = PhysicalId::from(stream.name.as_deref().unwrap_or_default());
        match left {
            None => put(cx, stream).await?,
            Some(_) => complete_what_is_there::<Self>(cx, owner, &id, stream).await?,
        }
        let shown = cx.until(GET, "the new metric stream", Patience::seconds(60), || show(cx, id.as_str())).await?;
        Ok(Made { attributes: attributes_of(&shown), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        stream: &MetricStream,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch_other_than("Tags") {
            put(cx, stream).await?;
        }
        if changes.touch("Tags") {
            sync_tags(cx, &arn_of(&cx.scope, id.as_str()), &stream.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.cloudwatch.delete_metric_stream().name(id.as_str());
        gone_is_fine(delete.send().await.during("cloudwatch.DeleteMetricStream"))?;
        cx.until(GET, "the metric stream to be gone", Patience::seconds(60), || async {
            Ok(show(cx, id.as_str()).await?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.strip_prefix(&arn_of(&cx.scope, "")).map(PhysicalId::from))
    }
}

async fn show(cx: &Context, name: &str) -> Result<Option<Shown>, AwsError> {
    found(GET, cx.cloudwatch.get_metric_stream().name(name).send().await)
}

/// Puts the whole stream in place of whatever is there.
async fn put(cx: &Context, stream: &MetricStream) -> Result<(), AwsError> {
    let filters = |filters: &BTreeSet<Filter>| {
        let filters: Vec<_> = filters.iter().map(Filter::to_sdk).collect();
        (!filters.is_empty()).then_some(filters)
    };
    let statistics: Vec<_> = stream.statistics_configurations.iter().map(Statistics::to_sdk).collect();
    let put = cx
        .cloudwatch
        .put_metric_stream()
        .set_name(stream.name.clone())
        .firehose_arn(&stream.firehose_arn)
        .role_arn(&stream.role_arn)
        .output_format(MetricStreamOutputFormat::from(stream.output_format.as_str()))
        .set_include_filters(filters(&stream.include_filters))
        .set_exclude_filters(filters(&stream.exclude_filters))
        .include_linked_accounts_metrics(stream.include_linked_accounts_metrics)
        .set_statistics_configurations((!statistics.is_empty()).then_some(statistics))
        .set_tags(Some(stream.tags.to_sdk(sdk_tag)));
    put.send().await.during("cloudwatch.PutMetricStream").map(drop)
}

impl Filter {
    fn shown(shown: &types::MetricStreamFilter) -> Self {
        Self {
            namespace: shown.namespace.clone().unwrap_or_default(),
            metric_names: shown.metric_names().iter().cloned().collect(),
        }
    }

    fn to_sdk(&self) -> types::MetricStreamFilter {
        let names: Vec<String> = self.metric_names.iter().cloned().collect();
        let filter = types::MetricStreamFilter::builder().namespace(&self.namespace);
        filter.set_metric_names((!names.is_empty()).then_some(names)).build()
    }
}

impl Statistics {
    fn shown(shown: &types::MetricStreamStatisticsConfiguration) -> Self {
        let metric = |it: &types::MetricStreamStatisticsMetric| Metric {
            metric_name: it.metric_name.clone().unwrap_or_default(),
            namespace: it.namespace.clone().unwrap_or_default(),
        };
        Self {
            additional_statistics: shown.additional_statistics().iter().cloned().collect(),
            include_metrics: shown.include_metrics().iter().map(metric).collect(),
        }
    }

    fn to_sdk(&self) -> types::MetricStreamStatisticsConfiguration {
        let metric = |it: &Metric| {
            let metric = types::MetricStreamStatisticsMetric::builder().metric_name(&it.metric_name);
            metric.namespace(&it.namespace).build()
        };
        types::MetricStreamStatisticsConfiguration::builder()
            .set_additional_statistics(Some(self.additional_statistics.iter().cloned().collect()))
            .set_include_metrics(Some(self.include_metrics.iter().map(metric).collect()))
            .build()
    }
}

fn arn_of(scope: &Scope, name: &str) -> String {
    scope.arn("cloudwatch", &format!("metric-stream/{name}"))
}

fn attributes_of(shown: &Shown) -> Attributes {
    let date = |date: Option<aws_sdk_cloudwatch::primitives::DateTime>| date?.fmt(DateTimeFormat::DateTime).ok();
    attributes([
        (REF, shown.name.clone()),
        ("Arn", shown.arn.clone()),
        ("CreationDate", date(shown.creation_date)),
        (UPDATED, date(shown.last_update_date)),
        ("State", shown.state.clone()),
    ])
}
