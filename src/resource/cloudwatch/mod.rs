//! Amazon CloudWatch.

pub mod alarm;
pub mod alarm_parts;
pub mod anomaly_detector;
pub mod composite_alarm;
pub mod dashboard;
pub mod insight_rule;
pub mod metric_stream;

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use aws_sdk_cloudwatch::types::{AlarmType, Tag};

use crate::aws::error::{AwsError, During, absent_is_none, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::identity::PhysicalId;
use crate::resource::tags::{self, Tags};
use crate::resource::{Attributes, referred};

const DESCRIBE: &str = "cloudwatch.DescribeAlarms";

/// How many names DescribeAlarms takes, and how many alarms it gives at once.
const MOST_ALARMS: usize = 100;

/// The alarms of these names, of both kinds, which share their names: putting one over another of the other kind would not do
/// what the template says.
async fn describe_alarms(cx: &Context, names: Vec<String>) -> Result<DescribeAlarmsOutput, AwsError> {
    let both = vec![AlarmType::MetricAlarm, AlarmType::CompositeAlarm];
    let most = i32::try_from(MOST_ALARMS).unwrap_or(i32::MAX);
    let describe = cx.cloudwatch.describe_alarms().set_alarm_names(Some(names)).set_alarm_types(Some(both));
    describe.max_records(most).send().await.during(DESCRIBE)
}

/// The alarm that an ARN names, if it is of this kind. ARNs of both kinds look the same: one list tells all composite ones.
async fn alarm_identified(cx: &Context, arn: &str, kind: &AlarmType) -> Result<Option<PhysicalId>, AwsError> {
    let Some(name) = arn.strip_prefix(&alarm_arn(&cx.scope, "")) else { return Ok(None) };
    // No alarm has such a name.
    let of = "\u{1}composite";
    let composite = cx.once(DESCRIBE, of, || async {
        let list = cx.cloudwatch.describe_alarms().alarm_types(AlarmType::CompositeAlarm);
        let mut pages = list.into_paginator().send();
        let mut names = BTreeSet::new();
        while let Some(page) = pages.try_next().await.during(DESCRIBE)? {
            names.extend(page.composite_alarms.unwrap_or_default().into_iter().filter_map(|alarm| alarm.alarm_name));
        }
        Ok(names)
    });
    let is_composite = composite.await?.contains(name);
    Ok((is_composite == (*kind == AlarmType::CompositeAlarm)).then(|| PhysicalId::from(name)))
}

async fn delete_alarm(cx: &Context, name: &str) -> Result<(), AwsError> {
    gone_is_fine(cx.cloudwatch.delete_alarms().alarm_names(name).send().await.during("cloudwatch.DeleteAlarms"))
}

/// Deletes several in one call: where one of them is not there any more, none goes ("DeleteAlarms").
async fn delete_alarms(cx: &Context, names: &[PhysicalId]) -> Result<(), AwsError> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let delete = cx.cloudwatch.delete_alarms().set_alarm_names(Some(names.clone()));
    delete.send().await.during("cloudwatch.DeleteAlarms")?;
    cx.until(DESCRIBE, "the alarms to be gone", Patience::seconds(60), || async {
        let left = describe_alarms(cx, names.clone()).await?;
        Ok((left.metric_alarms().is_empty() && left.composite_alarms().is_empty()).then_some(()))
    })
    .await
}

fn alarm_arn(scope: &Scope, name: &str) -> String {
    scope.arn("cloudwatch", &format!("alarm:{name}"))
}

fn alarm_attributes(scope: &Scope, name: &str) -> Attributes {
    referred(name, [("Arn", alarm_arn(scope, name))])
}

/// The tags of an alarm, a dashboard or a rule; none for one that is gone.
async fn tags_of(cx: &Context, arn: &str) -> Result<Tags, AwsError> {
    tags::of(cx, arn, || async { tags_shown(cx, arn).await }).await
}

async fn tags_shown(cx: &Context, arn: &str) -> Result<Tags, AwsError> {
    let list = cx.cloudwatch.list_tags_for_resource().resource_arn(arn);
    let answer = list.send().await.during("cloudwatch.ListTagsForResource");
    let tags = absent_is_none(answer)?.and_then(|answer| answer.tags).unwrap_or_default();
    Ok(Tags::from_sdk(&tags, |tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())))
}

/// These types take tags in the call that creates them and ignore them in the same call later.
async fn sync_tags(cx: &Context, arn: &str, wanted: &Tags) -> Result<(), AwsError> {
    let changes = wanted.since(&tags_of(cx, arn).await?);
    if !changes.written.0.is_empty() {
        let tag = cx.cloudwatch.tag_resource().resource_arn(arn).set_tags(Some(changes.written.to_sdk(sdk_tag)));
        tag.send().await.during("cloudwatch.TagResource")?;
    }
    if !changes.removed.is_empty() {
        let keys = changes.removed.into_iter().collect();
        let untag = cx.cloudwatch.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
        untag.send().await.during("cloudwatch.UntagResource")?;
    }
    Ok(())
}

fn sdk_tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}
