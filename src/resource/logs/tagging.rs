//! Tags of what has an ARN here: log groups, destinations, detectors.

use crate::aws::Context;
use crate::aws::error::{AwsError, During, found};
use crate::resource::logs::when_idle;
use crate::resource::tags::{self, Tags};

/// The tags of what the ARN names; `None` where it is not there.
pub async fn read(cx: &Context, arn: &str) -> Result<Option<Tags>, AwsError> {
    tags::of(cx, arn, || async {
        let list = cx.logs.list_tags_for_resource().resource_arn(arn).send().await;
        Ok(found("logs.ListTagsForResource", list)?.map(|answer| answer.tags.unwrap_or_default().into()))
    })
    .await
}

pub async fn sync(cx: &Context, arn: &str, wanted: &Tags) -> Result<(), AwsError> {
    let changes = wanted.since(&read(cx, arn).await?.unwrap_or_default());
    if !changes.written.0.is_empty() {
        let tag = cx.logs.tag_resource().resource_arn(arn).set_tags(Some(changes.written.to_map()));
        when_idle(cx, || async { tag.clone().send().await.during("logs.TagResource") }).await?;
    }
    if !changes.removed.is_empty() {
        let keys = changes.removed.into_iter().collect();
        let untag = cx.logs.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
        when_idle(cx, || async { untag.clone().send().await.during("logs.UntagResource") }).await?;
    }
    Ok(())
}
