//! What a table has beside UpdateTable: time to live, backups, policy and tags, each with operations of its own.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    PointInTimeRecoverySpecification, PointInTimeRecoveryStatus, Tag, TimeToLiveSpecification, TimeToLiveStatus,
};
use serde_json::Value;

use crate::aws::error::{AwsError, During};
use crate::aws::wait::Patience;
use crate::aws::{Context, pages};
use crate::change::Changes;
use crate::resource::dynamodb::shape;
use crate::resource::dynamodb::table::{BUSY, Recovery, ResourcePolicy, Table, TimeToLive, is_busy};
use crate::resource::policy_document::PolicyDocument;
use crate::resource::tags::{self, Tags};

/// The properties that are set here.
pub(super) const PROPERTIES: [&str; 4] =
    ["TimeToLiveSpecification", "PointInTimeRecoverySpecification", "ResourcePolicy", "Tags"];

/// The calls that setting all of it takes, tags aside; of every wait the first look.
pub(super) fn setting(live: &Table, wanted: &Table, changes: &Changes) -> Vec<&'static str> {
    let mut calls = Vec::new();
    if changes.touch("TimeToLiveSpecification") {
        let attribute = |table: &Table| table.time_to_live_specification.as_ref()?.attribute_name.clone();
        let (live, wanted) = (attribute(live), attribute(wanted));
        calls.push(DESCRIBE_TIME_TO_LIVE);
        if live != wanted {
            calls.extend([live, wanted].into_iter().flatten().map(|_| UPDATE_TIME_TO_LIVE));
        }
    }
    calls.extend(changes.touch("PointInTimeRecoverySpecification").then_some(UPDATE_BACKUPS));
    if changes.touch("ResourcePolicy") {
        calls.push(if wanted.resource_policy.is_some() { PUT_POLICY } else { DELETE_POLICY });
        calls.push(GET_POLICY);
    }
    calls
}

const DESCRIBE_TIME_TO_LIVE: &str = "dynamodb.DescribeTimeToLive";
const UPDATE_TIME_TO_LIVE: &str = "dynamodb.UpdateTimeToLive";
const UPDATE_BACKUPS: &str = "dynamodb.UpdateContinuousBackups";
const GET_POLICY: &str = "dynamodb.GetResourcePolicy";
const PUT_POLICY: &str = "dynamodb.PutResourcePolicy";
const DELETE_POLICY: &str = "dynamodb.DeleteResourcePolicy";

/// The attribute by which items expire, where they do.
pub(super) async fn time_to_live(cx: &Context, name: &str) -> Result<Option<String>, AwsError> {
    let answer = cx.dynamodb.describe_time_to_live().table_name(name).send().await;
    let description = answer.during(DESCRIBE_TIME_TO_LIVE)?.time_to_live_description;
    Ok(description.and_then(|it| match it.time_to_live_status {
        Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling) => it.attribute_name,
        _ => None,
    }))
}

/// Another attribute takes turning it off and on again.
pub(super) async fn set_time_to_live(cx: &Context, name: &str, wanted: Option<&TimeToLive>) -> Result<(), AwsError> {
    let wanted = wanted.and_then(|it| it.attribute_name.as_deref());
    let live = time_to_live(cx, name).await?;
    if live.as_deref() == wanted {
        return Ok(());
    }
    if let Some(attribute) = live {
        turn_time_to_live(cx, name, &attribute, false).await?;
    }
    match wanted {
        Some(attribute) => turn_time_to_live(cx, name, attribute, true).await,
        None => Ok(()),
    }
}

/// One change per table in about 31 minutes: a second one waits for its turn.
async fn turn_time_to_live(cx: &Context, name: &str, attribute: &str, enabled: bool) -> Result<(), AwsError> {
    let specification = TimeToLiveSpecification::builder().enabled(enabled).attribute_name(attribute).build();
    let update = cx.dynamodb.update_time_to_live().table_name(name);
    let update = update.time_to_live_specification(shape::built(UPDATE_TIME_TO_LIVE, specification)?);
    let passes = |error: &AwsError| {
        error.says("ValidationException", "modified multiple times")
            || error.says("ValidationException", "must be ACTIVE")
            || is_busy(error)
    };
    let call = || async { update.clone().send().await.during(UPDATE_TIME_TO_LIVE) };
    match cx.while_passing(Patience::minutes(2400), passes, call).await {
        Err(error) if error.says("ValidationException", "already") => Ok(()),
        answer => answer.map(drop),
    }
}

pub(super) async fn recovery(cx: &Context, name: &str) -> Result<Option<Recovery>, AwsError> {
    let answer = cx.dynamodb.describe_continuous_backups().table_name(name).send().await;
    let description = answer.during("dynamodb.DescribeContinuousBackups")?.continuous_backups_description;
    let recovery = description.and_then(|it| it.point_in_time_recovery_description);
    Ok(recovery.filter(|it| it.point_in_time_recovery_status == Some(PointInTimeRecoveryStatus::Enabled)).map(|it| {
        Recovery { point_in_time_recovery_enabled: true, recovery_period_in_days: it.recovery_period_in_days }
    }))
}

/// A new table takes it only seconds after it is `ACTIVE`.
pub(super) async fn set_recovery(cx: &Context, name: &str, wanted: Option<&Recovery>) -> Result<(), AwsError> {
    let specification = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(wanted.is_some())
        .set_recovery_period_in_days(wanted.and_then(|it| it.recovery_period_in_days))
        .build();
    let update = cx.dynamodb.update_continuous_backups().table_name(name);
    let update = update.point_in_time_recovery_specification(shape::built(UPDATE_BACKUPS, specification)?);
    let passes = |error: &AwsError| error.code == "ContinuousBackupsUnavailableException";
    let call = || async { update.clone().send().await.during(UPDATE_BACKUPS) };
    cx.while_passing(Patience::seconds(1200), passes, call).await.map(drop)
}

pub(super) async fn resource_policy(cx: &Context, arn: &str) -> Result<Option<PolicyDocument>, AwsError> {
    match cx.dynamodb.get_resource_policy().resource_arn(arn).send().await.during(GET_POLICY) {
        Err(error) if error.code == "PolicyNotFoundException" => Ok(None),
        answer => Ok(answer?.policy.map(|policy| PolicyDocument::new(Value::String(policy)))),
    }
}

/// Reads lag behind: what reads the table next must see the policy.
pub(super) async fn set_resource_policy(
    cx: &Context,
    arn: &str,
    wanted: Option<&ResourcePolicy>,
) -> Result<(), AwsError> {
    let wanted = wanted.map(|policy| &policy.policy_document);
    match wanted {
        Some(policy) => {
            let put = cx.dynamodb.put_resource_policy().resource_arn(arn).policy(policy.to_json());
            let call = || async { put.clone().send().await.during(PUT_POLICY) };
            cx.while_passing(BUSY, is_busy, call).await?;
        }
        None => {
            let delete = cx.dynamodb.delete_resource_policy().resource_arn(arn);
            let call = || async { delete.clone().send().await.during(DELETE_POLICY) };
            match cx.while_passing(BUSY, is_busy, call).await {
                Err(error) if error.code == "PolicyNotFoundException" => {}
                answer => drop(answer?),
            }
        }
    }
    cx.until(GET_POLICY, "the table's new policy to show", Patience::seconds(60), || async {
        Ok((resource_policy(cx, arn).await?.is_some() == wanted.is_some()).then_some(()))
    })
    .await
}

pub(super) async fn tags_of(cx: &Context, arn: &str) -> Result<Tags, AwsError> {
    tags::of(cx, arn, || async { tags_shown(cx, arn).await }).await
}

async fn tags_shown(cx: &Context, arn: &str) -> Result<Tags, AwsError> {
    let tags = pages::all(async |token| {
        let list = cx.dynamodb.list_tags_of_resource().resource_arn(arn).set_next_token(token);
        let answer = list.send().await.during("dynamodb.ListTagsOfResource")?;
        Ok((answer.tags, answer.next_token))
    });
    Ok(Tags::from_sdk(&tags.await?, |tag: &Tag| (tag.key(), tag.value())))
}

/// A write of tags locks them for 1.6 seconds, and what it wrote shows up to 3 seconds later.
pub(super) async fn sync_tags(cx: &Context, arn: &str, wanted: &Tags) -> Result<(), AwsError> {
    let changes = wanted.since(&tags_of(cx, arn).await?);
    let patience = Patience::seconds(60);
    let has_both = !changes.written.0.is_empty() && !changes.removed.is_empty();
    if !changes.written.0.is_empty() {
        let tag = cx.dynamodb.tag_resource().resource_arn(arn).set_tags(Some(shape::tags(&changes.written)?));
        let call = || async { tag.clone().send().await.during("dynamodb.TagResource") };
        cx.while_passing(patience, is_busy, call).await?;
    }
    if has_both {
        cx.clock.sleep(Duration::from_secs(3)).await;
    }
    if !changes.removed.is_empty() {
        let keys = changes.removed.into_iter().collect();
        let untag = cx.dynamodb.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
        let call = || async { untag.clone().send().await.during("dynamodb.UntagResource") };
        cx.while_passing(patience, is_busy, call).await?;
    }
    cx.until("dynamodb.ListTagsOfResource", "the table's new tags to show", patience, || async {
        Ok((tags_of(cx, arn).await? == *wanted).then_some(()))
    })
    .await
}
