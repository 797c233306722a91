//! Amazon SNS.

pub mod inline_subscription;
pub mod subscription;
pub mod topic;
pub mod topic_inline_policy;
pub mod topic_policy;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_sns::types::{Subscription, Tag};

use crate::aws::Context;
use crate::aws::error::{AwsError, During, ErrorClass, found};
use crate::aws::wait::Patience;
use crate::resource::tags::{self, Tags};

/// What lists say instead of the ARN of a subscription that nobody has confirmed yet.
pub(crate) const PENDING: &str = "PendingConfirmation";

/// Sets one attribute of a topic; the service takes one a call.
async fn set_topic_attribute(cx: &Context, topic: &str, attribute: &str, value: &str) -> Result<(), AwsError> {
    let _turn = cx.turn(topic).await;
    let set = cx.sns.set_topic_attributes().topic_arn(topic).attribute_name(attribute).attribute_value(value);
    cx.while_passing(Patience::seconds(120), passes, || async {
        set.clone().send().await.during("sns.SetTopicAttributes")
    })
    .await?;
    Ok(())
}

/// A role that was made a moment ago is no principal and no role for logs yet; tags may be in the middle of a change.
fn passes(error: &AwsError) -> bool {
    error.class == ErrorClass::Conflict
        || error.says("InvalidParameter", "Policy Error: PrincipalNotFound")
        || error.says("InvalidParameter", "is not a valid role to allow SNS to write to Cloudwatch Logs")
}

/// Whether the service refuses to make what is there already, under the same name and otherwise different.
fn is_there_already(error: &AwsError) -> bool {
    error.says("InvalidParameter", "already exists with different")
}

/// Every subscription of a topic, but for those that are being cleared away.
async fn subscriptions_of(cx: &Context, topic: &str) -> Result<Arc<Vec<Subscription>>, AwsError> {
    let list = || async { list_subscriptions(cx, topic).await.map(Arc::new) };
    cx.once("sns.ListSubscriptionsByTopic", topic, list).await
}

async fn list_subscriptions(cx: &Context, topic: &str) -> Result<Vec<Subscription>, AwsError> {
    let mut pages = cx.sns.list_subscriptions_by_topic().topic_arn(topic).into_paginator().send();
    let mut subscriptions = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = found("sns.ListSubscriptionsByTopic", page)? else { break };
        subscriptions.extend(page.subscriptions.unwrap_or_default());
    }
    subscriptions.retain(|it| it.subscription_arn().is_some_and(|arn| arn == PENDING || arn.starts_with("arn:")));
    Ok(subscriptions)
}

/// The attributes of a topic.
async fn shown(cx: &Context, arn: &str) -> Result<Option<HashMap<String, String>>, AwsError> {
    const GET: &str = "sns.GetTopicAttributes";
    cx.once(GET, arn, || async {
        let answer = found(GET, cx.sns.get_topic_attributes().topic_arn(arn).send().await)?;
        Ok(answer.map(|answer| answer.attributes.unwrap_or_default()))
    })
    .await
}

async fn tags_of(cx: &Context, arn: &str) -> Result<Option<Tags>, AwsError> {
    tags::of(cx, arn, || async { tags_shown(cx, arn).await }).await
}

async fn tags_shown(cx: &Context, arn: &str) -> Result<Option<Tags>, AwsError> {
    let answer = found("sns.ListTagsForResource", cx.sns.list_tags_for_resource().resource_arn(arn).send().await)?;
    Ok(answer.map(|answer| Tags::from_sdk(answer.tags(), |tag| (tag.key(), tag.value()))))
}

async fn sync_tags(cx: &Context, arn: &str, wanted: &Tags) -> Result<(), AwsError> {
    let changes = wanted.since(&tags_of(cx, arn).await?.unwrap_or_default());
    if !changes.written.0.is_empty() {
        let tags = changes.written.to_sdk(sdk_tag).into_iter().collect::<Result<_, _>>();
        let tags = tags.map_err(|error| invalid("sns.TagResource", &error))?;
        let tag = cx.sns.tag_resource().resource_arn(arn).set_tags(Some(tags));
        cx.while_passing(Patience::seconds(60), passes, || async {
            tag.clone().send().await.during("sns.TagResource")
        })
        .await?;
    }
    if !changes.removed.is_empty() {
        let keys = changes.removed.into_iter().collect();
        let untag = cx.sns.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
        cx.while_passing(Patience::seconds(60), passes, || async {
            untag.clone().send().await.during("sns.UntagResource")
        })
        .await?;
    }
    Ok(())
}

fn sdk_tag(key: &str, value: &str) -> Result<Tag, aws_sdk_sns::error::BuildError> {
    Tag::builder().key(key).value(value).build()
}

fn invalid(operation: &'static str, error: &aws_sdk_sns::error::BuildError) -> AwsError {
    AwsError::new(operation, ErrorClass::Invalid, error.to_string())
}
