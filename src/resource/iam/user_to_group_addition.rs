//! `AWS::IAM::UserToGroupAddition`: puts users into a group, which may have others. Found by the users who are in it. Nothing
//! about it can carry a mark.
//!
//! CloudFormation makes an identifier up. Here it names the group and the users, so that they can be taken out again:
//! `ops|jo|kim`; it changes when they change.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, ErrorClass, found};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::iam::membership;
use crate::resource::{Attributes, Contribute, Contribution, Handler, Live, Made, Owner, referred};

pub struct IamUserToGroupAddition;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct UserToGroupAddition {
    pub group_name: String,
    pub users: BTreeSet<String>,
}

impl Handler for IamUserToGroupAddition {
    const TYPE: &'static str = "AWS::IAM::UserToGroupAddition";
    const FOUND_BY: &'static [&'static str] = &["GroupName", "Users"];
    const PART_OF: &'static [&'static str] = &["GroupName", "Users"];
    /// The group shows among each user's own.
    const CONTRIBUTIONS: Option<Contribute<UserToGroupAddition>> = Some(|_, addition| {
        let contribution = |user: &String| Contribution {
            resource_type: "AWS::IAM::User",
            id: PhysicalId::from(user.as_str()),
            through: "Users",
            property: "Groups",
            item: Value::String(addition.group_name.clone()),
        };
        addition.users.iter().map(contribution).collect()
    });

    type Properties = UserToGroupAddition;

    fn predict(_scope: &Scope, addition: &UserToGroupAddition) -> Attributes {
        attributes_of(&id_of(&addition.group_name, &addition.users))
    }

    /// What an interrupted create left is some of the users: the identifier names them.
    async fn find(
        cx: &Context,
        _owner: &Owner,
        addition: &UserToGroupAddition,
    ) -> Result<Option<PhysicalId>, AwsError> {
        let there = members(cx, &addition.group_name, &addition.users).await?;
        Ok((!there.is_empty()).then(|| id_of(&addition.group_name, &there)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<UserToGroupAddition>>, AwsError> {
        let (group, users) = parts(id)?;
        let there = members(cx, group, &users).await?;
        if there.is_empty() {
            return Ok(None);
        }
        let addition = UserToGroupAddition { group_name: group.to_owned(), users: there };
        Ok(Some(Live::unmarkable(addition, attributes_of(id))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        addition: &UserToGroupAddition,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = put(cx, addition).await?;
        Ok(Made { attributes: attributes_of(&id), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        addition: &UserToGroupAddition,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let now = put(cx, addition).await?;
        let (group, before) = parts(id)?;
        let stays = |user: &&String| group == addition.group_name && addition.users.contains(*user);
        for user in before.iter().filter(|user| !stays(user)) {
            membership::leave(cx, group, user).await?;
        }
        Ok(now)
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let (group, users) = parts(id)?;
        for user in &users {
            membership::leave(cx, group, user).await?;
        }
        cx.until("iam.GetGroup", "the users to have left the group", Patience::seconds(60), || async {
            Ok(members(cx, group, &users).await?.is_empty().then_some(()))
        })
        .await
    }
}

async fn put(cx: &Context, addition: &UserToGroupAddition) -> Result<PhysicalId, AwsError> {
    for user in &addition.users {
        membership::join(cx, &addition.group_name, user).await?;
    }
    cx.until("iam.GetGroup", "the users to show in the group", Patience::seconds(60), || async {
        Ok((members(cx, &addition.group_name, &addition.users).await? == addition.users).then_some(()))
    })
    .await?;
    Ok(id_of(&addition.group_name, &addition.users))
}

/// Those of the users who are in the group. In a survey it is asked once for its members.
async fn members(cx: &Context, group: &str, of: &BTreeSet<String>) -> Result<BTreeSet<String>, AwsError> {
    let of_group = format!("the members of {group}");
    let all = cx.once("iam.GetGroup", &of_group, || async {
        let pages: Result<Vec<_>, _> = cx.iam.get_group().group_name(group).into_paginator().send().collect().await;
        let pages = found("iam.GetGroup", pages)?.unwrap_or_default();
        Ok(pages.into_iter().flat_map(|page| page.users).map(|user| user.user_name).collect::<BTreeSet<String>>())
    });
    Ok(all.await?.intersection(of).cloned().collect())
}

fn id_of(group: &str, users: &BTreeSet<String>) -> PhysicalId {
    PhysicalId::join([group].into_iter().chain(users.iter().map(String::as_str)))
}

fn parts(id: &PhysicalId) -> Result<(&str, BTreeSet<String>), AwsError> {
    let parts =
        id.as_str().split_once('|').map(|(group, users)| (group, users.split('|').map(str::to_owned).collect()));
    parts.ok_or_else(|| {
        let message = format!("`{id}` is no identifier of the form `group|user|user`");
        AwsError::new("iam.GetGroup", ErrorClass::Invalid, message)
    })
}

fn attributes_of(id: &PhysicalId) -> Attributes {
    referred(id.as_str(), [("Id", id.as_str().to_owned())])
}
