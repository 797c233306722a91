//! `AWS::IAM::Group`. Found by name, which replaces it. IAM has no tags for groups: one under the template's name is the
//! template's.
//!
//! Inline policies and attachments that other resources of the stack declare show here as well, as they do with roles.

use std::collections::BTreeSet;

use futures::future::try_join;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, absent_is_none, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::iam::entity::Entity;
use crate::resource::iam::held::{self, InlinePolicy};
use crate::resource::iam::{PROPAGATION, is_still_attached, write};
use crate::resource::{
    Attributes, Contribute, GeneratedName, Handler, Live, Made, Owner, attributes, complete_what_is_there, referred,
};

pub struct IamGroup;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Group {
    pub group_name: Option<String>,
    pub path: String,
    pub managed_policy_arns: BTreeSet<String>,
    /// In order of name.
    pub policies: Vec<InlinePolicy>,
}

impl Default for Group {
    fn default() -> Self {
        let managed_policy_arns = BTreeSet::new();
        Self { group_name: None, path: "/".to_owned(), managed_policy_arns, policies: Vec::new() }
    }
}

impl Handler for IamGroup {
    const TYPE: &'static str = "AWS::IAM::Group";
    const FOUND_BY: &'static [&'static str] = &["GroupName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("GroupName", 128));
    const CONTRIBUTIONS: Option<Contribute<Group>> = Some(|_, group| {
        let Some(name) = &group.group_name else { return Vec::new() };
        Entity::Group(name.clone()).attachments(&group.managed_policy_arns)
    });

    type Properties = Group;

    fn complete(group: &mut Group) {
        group.policies.sort_by(|one, other| one.policy_name.cmp(&other.policy_name));
    }

    fn predict(scope: &Scope, group: &Group) -> Attributes {
        let Some(name) = &group.group_name else { return Attributes::new() };
        let arn = scope.global_arn("iam", &format!("group{}{name}", group.path));
        attributes([("Ref", Some(name.clone())), ("Arn", Some(arn))])
    }

    async fn find(cx: &Context, _owner: &Owner, group: &Group) -> Result<Option<PhysicalId>, AwsError> {
        Ok(get(cx, name_of(group)).await?.map(|group| PhysicalId::from(group.group_name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Group>>, AwsError> {
        let Some(group) = get(cx, id.as_str()).await? else { return Ok(None) };
        let entity = Entity::Group(id.as_str().to_owned());
        let policies = try_join(held::inline_policies(cx, &entity), held::attached(cx, &entity)).await;
        let Some((policies, managed_policy_arns)) = absent_is_none(policies)? else { return Ok(None) };
        let attributes = attributes_of(&group);
        let group = Group { group_name: Some(group.group_name), path: group.path, managed_policy_arns, policies };
        Ok(Some(Live::unmarkable(group, attributes)))
    }

    async fn create(cx: &Context, owner: &Owner, group: &Group, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let name = name_of(group);
        let id = PhysicalId::from(name);
        let shows = || cx.until("iam.GetGroup", "the new group to show", PROPAGATION, || get(cx, name));
        let live = match left {
            Some(_) => {
                complete_what_is_there::<Self>(cx, owner, &id, group).await?;
                shows().await?
            }
            None => {
                let create = cx.iam.create_group().group_name(name).path(&group.path);
                write(cx, || async { create.clone().send().await.during("iam.CreateGroup") }).await?;
                let live = shows().await?;
                held::give(cx, &entity(&id), &group.policies, &group.managed_policy_arns).await?;
                live
            }
        };
        Ok(Made { id, attributes: attributes_of(&live) })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        group: &Group,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch("Path") {
            let update = cx.iam.update_group().group_name(id.as_str()).new_path(&group.path);
            write(cx, || async { update.clone().send().await.during("iam.UpdateGroup") }).await?;
        }
        held::change(cx, &entity(id), &group.policies, &group.managed_policy_arns, changes).await?;
        Ok(id.clone())
    }

    /// Its members stay, without the group.
    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let group = id.as_str();
        let call = || async {
            held::strip(cx, &entity(id)).await?;
            let list = cx.iam.get_group().group_name(group).into_paginator().send();
            for page in list.collect::<Result<Vec<_>, _>>().await.during("iam.GetGroup")? {
                for member in page.users {
                    let remove = cx.iam.remove_user_from_group().group_name(group).user_name(member.user_name);
                    gone_is_fine(remove.send().await.during("iam.RemoveUserFromGroup"))?;
                }
            }
            cx.iam.delete_group().group_name(group).send().await.during("iam.DeleteGroup")
        };
        gone_is_fine(cx.while_passing(PROPAGATION, is_still_attached, call).await)?;
        let is_gone = || async { Ok(get(cx, group).await?.is_none().then_some(())) };
        cx.until("iam.GetGroup", "the group to be gone", PROPAGATION, is_gone).await
    }
}

fn entity(id: &PhysicalId) -> Entity {
    Entity::Group(id.as_str().to_owned())
}

fn name_of(group: &Group) -> &str {
    group.group_name.as_deref().unwrap_or_default()
}

fn attributes_of(group: &aws_sdk_iam::types::Group) -> Attributes {
    referred(group.group_name(), [("Arn", group.arn.clone())])
}

async fn get(cx: &Context, name: &str) -> Result<Option<aws_sdk_iam::types::Group>, AwsError> {
    let answer = found("iam.GetGroup", cx.iam.get_group().group_name(name).max_items(1).send().await)?;
    Ok(answer.and_then(|answer| answer.group))
}
