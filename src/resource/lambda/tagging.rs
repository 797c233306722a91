//! Tags of functions and event source mappings. Functions' answers carry them, mappings' do not.

use crate::aws::Context;
use crate::aws::error::{AwsError, During, found};
use crate::resource::tags::{self, Tags};

/// The tags of what the ARN names; `None` where it is not there.
pub async fn read(cx: &Context, arn: &str) -> Result<Option<Tags>, AwsError> {
    let shown = || async {
        let answer = cx.lambda.list_tags().resource(arn).send().await;
        Ok(found("lambda.ListTags", answer)?.map(|answer| answer.tags.unwrap_or_default().into()))
    };
    tags::of(cx, arn, shown).await
}

pub async fn sync(cx: &Context, arn: &str, wanted: &Tags) -> Result<(), AwsError> {
    let live = read(cx, arn).await?.unwrap_or_default();
    let changes = wanted.since(&live);
    if !changes.written.0.is_empty() {
        let tag = cx.lambda.tag_resource().resource(arn).set_tags(Some(changes.written.to_map()));
        tag.send().await.during("lambda.TagResource")?;
    }
    if !changes.removed.is_empty() {
        let untag = cx.lambda.untag_resource().resource(arn).set_tag_keys(Some(changes.removed.into_iter().collect()));
        untag.send().await.during("lambda.UntagResource")?;
    }
    Ok(())
}
