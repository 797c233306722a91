//! Which users are in which groups.

use std::collections::BTreeSet;

use crate::aws::Context;
use crate::aws::error::{AwsError, During, gone_is_fine};
use crate::aws::wait::Patience;
use crate::resource::iam::write;

pub(super) async fn groups_of(cx: &Context, user: &str) -> Result<BTreeSet<String>, AwsError> {
    let list = cx.iam.list_groups_for_user().user_name(user).into_paginator().items().send();
    let groups = list.collect::<Result<Vec<_>, _>>().await.during("iam.ListGroupsForUser")?;
    Ok(groups.into_iter().map(|group| group.group_name).collect())
}

/// Whoever is in the group already stays in it. One of the two that was made a moment ago may not be seen yet.
pub(super) async fn join(cx: &Context, group: &str, user: &str) -> Result<(), AwsError> {
    let add = cx.iam.add_user_to_group().group_name(group).user_name(user);
    let call = || async { add.clone().send().await.during("iam.AddUserToGroup") };
    cx.while_passing(Patience::seconds(30), AwsError::is_not_found, || write(cx, call)).await.map(drop)
}

pub(super) async fn leave(cx: &Context, group: &str, user: &str) -> Result<(), AwsError> {
    let remove = cx.iam.remove_user_from_group().group_name(group).user_name(user);
    gone_is_fine(write(cx, || async { remove.clone().send().await.during("iam.RemoveUserFromGroup") }).await)
}
