//! Amazon CloudWatch.

pub mod alarm;
pub mod alarm_parts;
pub mod anomaly_detector;
pub mod composite_alarm;
pub mod dashboard;
pub mod insight_rule;

use aws_sdk_cloudwatch::types::Tag;

use crate::aws::Context;
use crate::aws::error::{AwsError, During, absent_is_none};
use crate::resource::tags::{self, Tags};

/// The tags of an alarm or a dashboard; none for one that is gone.
async fn tags_of(cx: &Context, arn: &str) -> Result<Tags, AwsError> {
    tags::of(cx, arn, || async { tags_shown(cx, arn).await }).await
}

async fn tags_shown(cx: &Context, arn: &str) -> Result<Tags, AwsError> {
    let list = cx.cloudwatch.list_tags_for_resource().resource_arn(arn);
    let answer = list.send().await.during("cloudwatch.ListTagsForResource");
    let tags = absent_is_none(answer)?.and_then(|answer| answer.tags).unwrap_or_default();
    Ok(Tags::from_sdk(&tags, |tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())))
}

/// Both types take tags in the call that creates them and ignore them in the same call later.
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
