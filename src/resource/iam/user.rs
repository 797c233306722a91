//! `AWS::IAM::User`. Found by name, which replaces it.
//!
//! Inline policies, attachments and groups that other resources of the stack declare show here as well, as they do with roles.
//! What makes somebody able to act as the user (passwords, access keys, devices) is no part of a template, and goes with it.

use std::collections::BTreeSet;

use aws_sdk_iam::types::{EntityType, UserDetail};
use futures::future::try_join3;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, absent_is_none, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{PhysicalId, StackId};
use crate::resource::iam::entity::Entity;
use crate::resource::iam::held::{self, InlinePolicy};
use crate::resource::iam::{PROPAGATION, is_still_attached, membership, sdk_tags, tags_of, taken_out, write};
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Contribute, GeneratedName, Handler, Live, Made, Owner, attributes, referred};

pub struct IamUser;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct User {
    pub user_name: Option<String>,
    pub path: String,
    pub groups: BTreeSet<String>,
    pub managed_policy_arns: BTreeSet<String>,
    pub permissions_boundary: Option<String>,
    /// In order of name.
    pub policies: Vec<InlinePolicy>,
    pub tags: Tags,
}

impl Default for User {
    fn default() -> Self {
        Self {
            user_name: None,
            path: "/".to_owned(),
            groups: BTreeSet::new(),
            managed_policy_arns: BTreeSet::new(),
            permissions_boundary: None,
            policies: Vec::new(),
            tags: Tags::default(),
        }
    }
}

impl Handler for IamUser {
    const TYPE: &'static str = "AWS::IAM::User";
    const FOUND_BY: &'static [&'static str] = &["UserName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("UserName", 64));
    const REFUSED: &'static [(&'static str, &'static str)] = &[(
        "LoginProfile",
        "a password in a template is known to all who read it, and cannot be read back to compare it: set it with \
         `aws iam create-login-profile`",
    )];
    const CONTRIBUTIONS: Option<Contribute<User>> = Some(|_, user| {
        let Some(name) = &user.user_name else { return Vec::new() };
        Entity::User(name.clone()).attachments(&user.managed_policy_arns)
    });

    type Properties = User;

    fn complete(user: &mut User) {
        user.policies.sort_by(|one, other| one.policy_name.cmp(&other.policy_name));
    }

    fn predict(scope: &Scope, user: &User) -> Attributes {
        let Some(name) = &user.user_name else { return Attributes::new() };
        let arn = scope.global_arn("iam", &format!("user{}{name}", user.path));
        attributes([("Ref", Some(name.clone())), ("Arn", Some(arn))])
    }

    async fn find(cx: &Context, _owner: &Owner, user: &User) -> Result<Option<PhysicalId>, AwsError> {
        Ok(get(cx, name_of(user)).await?.map(|user| PhysicalId::from(user.user_name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<User>>, AwsError> {
        let Some(user) = get(cx, id.as_str()).await? else { return Ok(None) };
        let entity = entity(id);
        let held = try_join3(
            held::inline_policies(cx, &entity),
            held::attached(cx, &entity),
            membership::groups_of(cx, id.as_str()),
        );
        let Some((policies, managed_policy_arns, groups)) = absent_is_none(held.await)? else { return Ok(None) };
        let attributes = attributes_of(&user);
        let user = User {
            tags: tags_of(user.tags()),
            user_name: Some(user.user_name),
            path: user.path,
            groups,
            managed_policy_arns,
            permissions_boundary: user.permissions_boundary.and_then(|it| it.permissions_boundary_arn),
            policies,
        };
        Ok(Some(Live::tagged(user, attributes)))
    }

    async fn create(cx: &Context, _owner: &Owner, user: &User, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let name = name_of(user);
        if left.is_none() {
            make(cx, user).await?;
        }
        let live = cx.until("iam.GetUser", "the new user to show", PROPAGATION, || get(cx, name)).await?;
        held::give(cx, &Entity::User(name.to_owned()), &user.policies, &user.managed_policy_arns).await?;
        for group in &user.groups {
            membership::join(cx, group, name).await?;
        }
        Ok(Made { id: PhysicalId::from(name), attributes: attributes_of(&live) })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        user: &User,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let name = id.as_str();
        if changes.touch("Path") {
            let update = cx.iam.update_user().user_name(name).new_path(&user.path);
            write(cx, || async { update.clone().send().await.during("iam.UpdateUser") }).await?;
        }
        if changes.touch("PermissionsBoundary") {
            set_boundary(cx, name, user.permissions_boundary.as_deref()).await?;
        }
        held::change(cx, &entity(id), &user.policies, &user.managed_policy_arns, changes).await?;
        if changes.touch("Groups") {
            for group in &user.groups {
                membership::join(cx, group, name).await?;
            }
            for group in taken_out(changes, "Groups", &user.groups) {
                membership::leave(cx, &group, name).await?;
            }
        }
        if changes.touch("Tags") {
            sync_tags(cx, name, &user.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let name = id.as_str();
        let call = || async {
            strip(cx, name).await?;
            cx.iam.delete_user().user_name(name).send().await.during("iam.DeleteUser")
        };
        gone_is_fine(cx.while_passing(PROPAGATION, is_still_attached, call).await)?;
        let is_gone = || async { Ok(get(cx, name).await?.is_none().then_some(())) };
        cx.until("iam.GetUser", "the user to be gone", PROPAGATION, is_gone).await
    }

    /// As with roles: the tagging API leaves users out.
    async fn sweep(cx: &Context, stack: &StackId) -> Result<Vec<(Owner, PhysicalId)>, AwsError> {
        const OPERATION: &str = "iam.GetAccountAuthorizationDetails";
        let list = cx.iam.get_account_authorization_details().filter(EntityType::User).max_items(1000);
        let mut pages = list.into_paginator().send();
        let mut owned = Vec::new();
        while let Some(page) = pages.try_next().await.during(OPERATION)? {
            owned.extend(page.user_detail_list.unwrap_or_default().into_iter().filter_map(owner_and_id));
        }
        owned.retain(|(owner, _)| owner.stack == *stack);
        Ok(owned)
    }
}

fn owner_and_id(user: UserDetail) -> Option<(Owner, PhysicalId)> {
    let owner = tags_of(user.tags()).owner()?;
    Some((owner, PhysicalId::from(user.user_name?)))
}

fn entity(id: &PhysicalId) -> Entity {
    Entity::User(id.as_str().to_owned())
}

fn name_of(user: &User) -> &str {
    user.user_name.as_deref().unwrap_or_default()
}

fn attributes_of(user: &aws_sdk_iam::types::User) -> Attributes {
    referred(user.user_name(), [("Arn", user.arn.clone())])
}

async fn get(cx: &Context, name: &str) -> Result<Option<aws_sdk_iam::types::User>, AwsError> {
    let answer = found("iam.GetUser", cx.iam.get_user().user_name(name).send().await)?;
    Ok(answer.and_then(|answer| answer.user))
}

async fn make(cx: &Context, user: &User) -> Result<(), AwsError> {
    let create = cx.iam.create_user().user_name(name_of(user)).path(&user.path);
    let create = create
        .set_permissions_boundary(user.permissions_boundary.clone())
        .set_tags(Some(sdk_tags(&user.tags, "iam.CreateUser")?));
    write(cx, || async { create.clone().send().await.during("iam.CreateUser") }).await.map(drop)
}

async fn set_boundary(cx: &Context, name: &str, boundary: Option<&str>) -> Result<(), AwsError> {
    match boundary {
        Some(arn) => {
            let put = cx.iam.put_user_permissions_boundary().user_name(name).permissions_boundary(arn);
            write(cx, || async { put.clone().send().await.during("iam.PutUserPermissionsBoundary") }).await.map(drop)
        }
        None => {
            let delete = cx.iam.delete_user_permissions_boundary().user_name(name);
            let call = || async { delete.clone().send().await.during("iam.DeleteUserPermissionsBoundary") };
            gone_is_fine(write(cx, call).await)
        }
    }
}

async fn sync_tags(cx: &Context, name: &str, wanted: &Tags) -> Result<(), AwsError> {
    let live = get(cx, name).await?.map(|user| tags_of(user.tags())).unwrap_or_default();
    let changes = wanted.since(&live);
    if !changes.written.0.is_empty() {
        let tag = cx.iam.tag_user().user_name(name).set_tags(Some(sdk_tags(&changes.written, "iam.TagUser")?));
        write(cx, || async { tag.clone().send().await.during("iam.TagUser") }).await?;
    }
    if !changes.removed.is_empty() {
        let untag = cx.iam.untag_user().user_name(name).set_tag_keys(Some(changes.removed.into_iter().collect()));
        write(cx, || async { untag.clone().send().await.during("iam.UntagUser") }).await?;
    }
    Ok(())
}

/// Takes off the user everything that keeps it from being deleted. Devices and certificates, which people register, stay in the
/// way: IAM names them.
async fn strip(cx: &Context, name: &str) -> Result<(), AwsError> {
    held::strip(cx, &Entity::User(name.to_owned())).await?;
    for group in membership::groups_of(cx, name).await? {
        membership::leave(cx, &group, name).await?;
    }
    let login = cx.iam.delete_login_profile().user_name(name);
    gone_is_fine(write(cx, || async { login.clone().send().await.during("iam.DeleteLoginProfile") }).await)?;
    let keys = cx.iam.list_access_keys().user_name(name).into_paginator().items().send();
    for key in keys.collect::<Result<Vec<_>, _>>().await.during("iam.ListAccessKeys")? {
        let delete = cx.iam.delete_access_key().user_name(name).set_access_key_id(key.access_key_id);
        gone_is_fine(write(cx, || async { delete.clone().send().await.during("iam.DeleteAccessKey") }).await)?;
    }
    Ok(())
}
