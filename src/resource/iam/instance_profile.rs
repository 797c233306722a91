//! `AWS::IAM::InstanceProfile`: how a role reaches an EC2 instance. Found by name; name and path replace it.
//!
//! CloudFormation has no tags for it, IAM has: the owner's marks are such tags.

use std::collections::BTreeSet;

use aws_sdk_iam::types::{self, Tag};
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{PhysicalId, StackId};
use crate::resource::iam::{PROPAGATION, is_still_attached, sdk_tags, tags_of, write};
use crate::resource::tags::Tags;
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Mark, Owner, attributes, referred};

pub struct IamInstanceProfile;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct InstanceProfile {
    pub instance_profile_name: Option<String>,
    pub path: String,
    /// One, though the template makes it a list.
    pub roles: BTreeSet<String>,
}

impl Default for InstanceProfile {
    fn default() -> Self {
        Self { instance_profile_name: None, path: "/".to_owned(), roles: BTreeSet::new() }
    }
}

impl Handler for IamInstanceProfile {
    const TYPE: &'static str = "AWS::IAM::InstanceProfile";
    const FOUND_BY: &'static [&'static str] = &["InstanceProfileName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("InstanceProfileName", 128));
    type Properties = InstanceProfile;

    fn predict(scope: &Scope, profile: &InstanceProfile) -> Attributes {
        let Some(name) = &profile.instance_profile_name else { return Attributes::new() };
        let arn = scope.global_arn("iam", &format!("instance-profile{}{name}", profile.path));
        attributes([("Ref", Some(name.clone())), ("Arn", Some(arn))])
    }

    async fn find(cx: &Context, _owner: &Owner, profile: &InstanceProfile) -> Result<Option<PhysicalId>, AwsError> {
        Ok(get(cx, name_of(profile)).await?.map(|profile| PhysicalId::from(profile.instance_profile_name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<InstanceProfile>>, AwsError> {
        let Some(live) = get(cx, id.as_str()).await? else { return Ok(None) };
        let (attributes, mark) = (attributes_of(&live), Mark::Elsewhere(tags_of(live.tags()).owner()));
        let profile = InstanceProfile {
            instance_profile_name: Some(live.instance_profile_name),
            path: live.path,
            roles: live.roles.into_iter().map(|role| role.role_name).collect(),
        };
        Ok(Some(Live { properties: profile, attributes, mark }))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        profile: &InstanceProfile,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        const CREATE: &str = "iam.CreateInstanceProfile";
        let name = name_of(profile);
        if left.is_none() {
            let create = cx.iam.create_instance_profile().instance_profile_name(name).path(&profile.path);
            let create = create.set_tags(Some(sdk_tags(&Tags::marks(owner), CREATE)?));
            write(cx, || async { create.clone().send().await.during(CREATE) }).await?;
        }
        let shows = || get(cx, name);
        let live = cx.until("iam.GetInstanceProfile", "the new instance profile to show", PROPAGATION, shows).await?;
        set_roles(cx, name, &live, &profile.roles).await?;
        Ok(Made { id: PhysicalId::from(name), attributes: attributes_of(&live) })
    }

    async fn update(
        cx: &Context,
        owner: &Owner,
        id: &PhysicalId,
        profile: &InstanceProfile,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let missing = || AwsError::missing("iam.GetInstanceProfile", "InstanceProfile");
        let live = get(cx, id.as_str()).await?.ok_or_else(missing)?;
        if tags_of(live.tags()).owner().as_ref() != Some(owner) {
            const TAG: &str = "iam.TagInstanceProfile";
            let tag = cx.iam.tag_instance_profile().instance_profile_name(id.as_str());
            let tag = tag.set_tags(Some(sdk_tags(&Tags::marks(owner), TAG)?));
            write(cx, || async { tag.clone().send().await.during(TAG) }).await?;
        }
        if changes.touch("Roles") {
            set_roles(cx, id.as_str(), &live, &profile.roles).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let name = id.as_str();
        let call = || async {
            if let Some(live) = get(cx, name).await? {
                set_roles(cx, name, &live, &BTreeSet::new()).await?;
            }
            cx.iam
                .delete_instance_profile()
                .instance_profile_name(name)
                .send()
                .await
                .during("iam.DeleteInstanceProfile")
        };
        gone_is_fine(cx.while_passing(PROPAGATION, is_still_attached, call).await)?;
        let is_gone = || async { Ok(get(cx, name).await?.is_none().then_some(())) };
        cx.until("iam.GetInstanceProfile", "the instance profile to be gone", PROPAGATION, is_gone).await
    }

    /// The tagging API leaves instance profiles out, and so does the list their tags.
    async fn sweep(cx: &Context, stack: &StackId) -> Result<Vec<(Owner, PhysicalId)>, AwsError> {
        let mut profiles = cx.iam.list_instance_profiles().into_paginator().items().send();
        let mut owned = Vec::new();
        while let Some(profile) = profiles.try_next().await.during("iam.ListInstanceProfiles")? {
            let name = profile.instance_profile_name;
            let list = cx.iam.list_instance_profile_tags().instance_profile_name(&name);
            let tags: Result<Vec<Tag>, _> = list.into_paginator().items().send().collect().await;
            let tags = found("iam.ListInstanceProfileTags", tags)?.unwrap_or_default();
            let owner = tags_of(&tags).owner();
            owned.extend(owner.filter(|owner| owner.stack == *stack).map(|owner| (owner, PhysicalId::from(name))));
        }
        Ok(owned)
    }
}

/// A profile holds one role: the old one goes first.
async fn set_roles(
    cx: &Context,
    name: &str,
    live: &types::InstanceProfile,
    wanted: &BTreeSet<String>,
) -> Result<(), AwsError> {
    let held: BTreeSet<String> = live.roles.iter().map(|role| role.role_name.clone()).collect();
    for role in held.difference(wanted) {
        let remove = cx.iam.remove_role_from_instance_profile().instance_profile_name(name).role_name(role);
        let call = || async { remove.clone().send().await.during("iam.RemoveRoleFromInstanceProfile") };
        gone_is_fine(write(cx, call).await)?;
    }
    for role in wanted.difference(&held) {
        let add = cx.iam.add_role_to_instance_profile().instance_profile_name(name).role_name(role);
        let call = || async { add.clone().send().await.during("iam.AddRoleToInstanceProfile") };
        // A role that was made a moment ago may not be there yet for the replica that is asked.
        cx.while_passing(PROPAGATION, AwsError::is_not_found, || write(cx, call)).await?;
    }
    Ok(())
}

fn name_of(profile: &InstanceProfile) -> &str {
    profile.instance_profile_name.as_deref().unwrap_or_default()
}

fn attributes_of(profile: &types::InstanceProfile) -> Attributes {
    referred(profile.instance_profile_name(), [("Arn", profile.arn.clone())])
}

async fn get(cx: &Context, name: &str) -> Result<Option<types::InstanceProfile>, AwsError> {
    let get = cx.iam.get_instance_profile().instance_profile_name(name);
    Ok(found("iam.GetInstanceProfile", get.send().await)?.and_then(|answer| answer.instance_profile))
}
