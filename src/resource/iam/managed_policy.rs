//! `AWS::IAM::ManagedPolicy`. Found by its ARN, which follows from name and path; name, path and description replace it.
//!
//! CloudFormation has no tags for it, IAM has: the owner's marks are such tags. A role's `ManagedPolicyArns` attaches the policy
//! too and then shows among `Roles`: that is the role's contribution.

use std::collections::BTreeSet;

use aws_sdk_iam::primitives::DateTimeFormat;
use aws_sdk_iam::types::{PolicyScopeType, PolicyUsageType, PolicyVersion, Tag};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::aws::error::{AwsError, During, absent_is_none, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{PhysicalId, StackId};
use crate::resource::iam::entity::{self, Entity};
use crate::resource::iam::{
    PROPAGATION, decoded, is_fresh_principal, is_still_attached, sdk_tags, tags_of, taken_out, write,
};
use crate::resource::policy_document::PolicyDocument;
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Contribute, GeneratedName, Handler, Live, Made, Mark, Owner, attributes, referred};

pub struct IamManagedPolicy;

/// A policy keeps so many versions; one of them is in force.
pub(crate) const VERSIONS: usize = 5;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct ManagedPolicy {
    pub managed_policy_name: Option<String>,
    pub path: String,
    pub description: Option<String>,
    pub policy_document: Option<PolicyDocument>,
    pub groups: BTreeSet<String>,
    pub roles: BTreeSet<String>,
    pub users: BTreeSet<String>,
}

impl Default for ManagedPolicy {
    fn default() -> Self {
        Self {
            managed_policy_name: None,
            path: "/".to_owned(),
            description: None,
            policy_document: None,
            groups: BTreeSet::new(),
            roles: BTreeSet::new(),
            users: BTreeSet::new(),
        }
    }
}

impl Handler for IamManagedPolicy {
    const TYPE: &'static str = "AWS::IAM::ManagedPolicy";
    const FOUND_BY: &'static [&'static str] = &["ManagedPolicyName", "Path"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("ManagedPolicyName", 128));
    /// An attachment shows among the `ManagedPolicyArns` of whom it is attached to.
    const CONTRIBUTIONS: Option<Contribute<ManagedPolicy>> = Some(|scope, policy| {
        let item = Value::String(arn_of(scope, policy));
        entity::contributions(&policy.groups, &policy.roles, &policy.users, "ManagedPolicyArns", &item)
    });

    type Properties = ManagedPolicy;

    fn complete(policy: &mut ManagedPolicy) {
        policy.description = policy.description.take().filter(|text| !text.is_empty());
    }

    fn predict(scope: &Scope, policy: &ManagedPolicy) -> Attributes {
        let arn = || policy.managed_policy_name.as_ref().map(|_| arn_of(scope, policy));
        attributes([("Ref", arn()), ("PolicyArn", arn())])
    }

    async fn find(cx: &Context, _owner: &Owner, policy: &ManagedPolicy) -> Result<Option<PhysicalId>, AwsError> {
        let arn = arn_of(&cx.scope, policy);
        Ok(get(cx, &arn).await?.map(|_| PhysicalId::from(arn)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<ManagedPolicy>>, AwsError> {
        let arn = id.as_str();
        let Some(policy) = get(cx, arn).await? else { return Ok(None) };
        let version = cx.iam.get_policy_version().policy_arn(arn).set_version_id(policy.default_version_id.clone());
        let Some(version) = found("iam.GetPolicyVersion", version.send().await)? else { return Ok(None) };
        let document = version.policy_version.and_then(|version| version.document);
        let entities = absent_is_none(entities_having(cx, arn).await)?;
        let mut properties = ManagedPolicy {
            managed_policy_name: policy.policy_name.clone(),
            path: policy.path.clone().unwrap_or_else(|| "/".to_owned()),
            description: policy.description.clone(),
            policy_document: document.map(|document| PolicyDocument::new(decoded(&document))),
            ..ManagedPolicy::default()
        };
        for entity in entities.unwrap_or_default() {
            match entity {
                Entity::Group(name) => properties.groups.insert(name),
                Entity::Role(name) => properties.roles.insert(name),
                Entity::User(name) => properties.users.insert(name),
            };
        }
        let mark = Mark::Elsewhere(tags_of(policy.tags()).owner());
        Ok(Some(Live { properties, attributes: attributes_of(arn, &policy), mark }))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        policy: &ManagedPolicy,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let arn = arn_of(&cx.scope, policy);
        if left.is_none() {
            make(cx, owner, policy).await?;
        }
        cx.until("iam.GetPolicy", "the new policy to show", PROPAGATION, || get(cx, &arn)).await?;
        for entity in entities_of(policy) {
            entity.attach(cx, &arn).await?;
        }
        let live = get(cx, &arn).await?.ok_or_else(|| AwsError::missing("iam.GetPolicy", "Policy"))?;
        Ok(Made { id: PhysicalId::from(arn.as_str()), attributes: attributes_of(&arn, &live) })
    }

    async fn update(
        cx: &Context,
        owner: &Owner,
        id: &PhysicalId,
        policy: &ManagedPolicy,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let live = get(cx, id.as_str()).await?.ok_or_else(|| AwsError::missing("iam.GetPolicy", "Policy"))?;
        if tags_of(live.tags()).owner().as_ref() != Some(owner) {
            let tag = cx
                .iam
                .tag_policy()
                .policy_arn(id.as_str())
                .set_tags(Some(sdk_tags(&Tags::marks(owner), "iam.TagPolicy")?));
            write(cx, || async { tag.clone().send().await.during("iam.TagPolicy") }).await?;
        }
        if changes.touch("PolicyDocument") {
            put_document(cx, id.as_str(), policy).await?;
        }
        if changes.touch_any(&["Groups", "Roles", "Users"]) {
            for entity in entities_of(policy) {
                entity.attach(cx, id.as_str()).await?;
            }
            let gone = entity::all(
                &taken_out(changes, "Groups", &policy.groups),
                &taken_out(changes, "Roles", &policy.roles),
                &taken_out(changes, "Users", &policy.users),
            );
            for entity in gone {
                entity.detach(cx, id.as_str()).await?;
            }
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let arn = id.as_str();
        let call = || async {
            for entity in entities_having(cx, arn).await? {
                entity.detach(cx, arn).await?;
            }
            for version in versions(cx, arn).await?.iter().filter(|version| !version.is_default_version) {
                delete_version(cx, arn, version).await?;
            }
            cx.iam.delete_policy().policy_arn(arn).send().await.during("iam.DeletePolicy")
        };
        gone_is_fine(cx.while_passing(PROPAGATION, is_still_attached, call).await)?;
        let is_gone = || async { Ok(get(cx, arn).await?.is_none().then_some(())) };
        cx.until("iam.GetPolicy", "the policy to be gone", PROPAGATION, is_gone).await
    }

    /// The tagging API may leave policies out, and ListPolicies leaves out tags: the account's own policies are asked one by
    /// one.
    async fn sweep(cx: &Context, stack: &StackId) -> Result<Vec<(Owner, PhysicalId)>, AwsError> {
        let mut policies = cx.iam.list_policies().scope(PolicyScopeType::Local).into_paginator().items().send();
        let mut owned = Vec::new();
        while let Some(policy) = policies.try_next().await.during("iam.ListPolicies")? {
            let Some(arn) = policy.arn else { continue };
            let list = cx.iam.list_policy_tags().policy_arn(&arn).into_paginator().items().send();
            let tags: Vec<Tag> = found("iam.ListPolicyTags", list.collect::<Result<_, _>>().await)?.unwrap_or_default();
            let owner = tags_of(&tags).owner();
            owned.extend(owner.filter(|owner| owner.stack == *stack).map(|owner| (owner, PhysicalId::from(arn))));
        }
        Ok(owned)
    }
}

fn arn_of(scope: &Scope, policy: &ManagedPolicy) -> String {
    let name = policy.managed_policy_name.as_deref().unwrap_or_default();
    scope.global_arn("iam", &format!("policy{}{name}", policy.path))
}

fn entities_of(policy: &ManagedPolicy) -> BTreeSet<Entity> {
    entity::all(&policy.groups, &policy.roles, &policy.users)
}

fn attributes_of(arn: &str, policy: &aws_sdk_iam::types::Policy) -> Attributes {
    let date = |date: Option<aws_sdk_iam::primitives::DateTime>| {
        date.and_then(|date| date.fmt(DateTimeFormat::DateTime).ok()).unwrap_or_default()
    };
    let mut attributes = referred(
        arn,
        [
            ("PolicyArn", arn.to_owned()),
            ("PolicyId", policy.policy_id.clone().unwrap_or_default()),
            ("DefaultVersionId", policy.default_version_id.clone().unwrap_or_default()),
            ("CreateDate", date(policy.create_date)),
            ("UpdateDate", date(policy.update_date)),
        ],
    );
    attributes.insert("AttachmentCount".to_owned(), json!(policy.attachment_count.unwrap_or_default()));
    attributes.insert("IsAttachable".to_owned(), json!(policy.is_attachable));
    let boundaries = policy.permissions_boundary_usage_count.unwrap_or_default();
    attributes.insert("PermissionsBoundaryUsageCount".to_owned(), json!(boundaries));
    attributes
}

async fn get(cx: &Context, arn: &str) -> Result<Option<aws_sdk_iam::types::Policy>, AwsError> {
    let answer = found("iam.GetPolicy", cx.iam.get_policy().policy_arn(arn).send().await)?;
    Ok(answer.and_then(|answer| answer.policy))
}

async fn make(cx: &Context, owner: &Owner, policy: &ManagedPolicy) -> Result<(), AwsError> {
    const OPERATION: &str = "iam.CreatePolicy";
    let create = cx.iam.create_policy().set_policy_name(policy.managed_policy_name.clone()).path(&policy.path);
    let create = create.set_description(policy.description.clone());
    let create = create.set_policy_document(policy.policy_document.as_ref().map(PolicyDocument::to_json));
    let create = create.set_tags(Some(sdk_tags(&Tags::marks(owner), OPERATION)?));
    let call = || async { create.clone().send().await.during(OPERATION) };
    cx.while_passing(PROPAGATION, is_fresh_principal, || write(cx, call)).await.map(drop)
}

/// Puts a new version in force, unless it is already: the answer to an earlier call may have been lost. Where there is no room
/// for it, the oldest that is not in force goes.
async fn put_document(cx: &Context, arn: &str, policy: &ManagedPolicy) -> Result<(), AwsError> {
    let live = IamManagedPolicy::read(cx, &PhysicalId::from(arn)).await?;
    if live.is_some_and(|live| live.properties.policy_document == policy.policy_document) {
        return Ok(());
    }
    let versions = versions(cx, arn).await?;
    if versions.len() >= VERSIONS {
        let idle = versions.iter().filter(|version| !version.is_default_version);
        if let Some(oldest) = idle.min_by_key(|version| number_of(version)) {
            delete_version(cx, arn, oldest).await?;
        }
    }
    let create = cx.iam.create_policy_version().policy_arn(arn).set_as_default(true);
    let create = create.set_policy_document(policy.policy_document.as_ref().map(PolicyDocument::to_json));
    write(cx, || async { create.clone().send().await.during("iam.CreatePolicyVersion") }).await.map(drop)
}

/// 12 of `v12`.
fn number_of(version: &PolicyVersion) -> u64 {
    version.version_id().and_then(|id| id.trim_start_matches('v').parse().ok()).unwrap_or_default()
}

async fn versions(cx: &Context, arn: &str) -> Result<Vec<PolicyVersion>, AwsError> {
    let list = cx.iam.list_policy_versions().policy_arn(arn).into_paginator().items().send();
    list.collect::<Result<_, _>>().await.during("iam.ListPolicyVersions")
}

async fn delete_version(cx: &Context, arn: &str, version: &PolicyVersion) -> Result<(), AwsError> {
    let delete = cx.iam.delete_policy_version().policy_arn(arn).set_version_id(version.version_id.clone());
    gone_is_fine(write(cx, || async { delete.clone().send().await.during("iam.DeletePolicyVersion") }).await)
}

/// Everybody on whom the policy is; those whom it only bounds are left out.
async fn entities_having(cx: &Context, arn: &str) -> Result<BTreeSet<Entity>, AwsError> {
    let list = cx.iam.list_entities_for_policy().policy_arn(arn);
    let mut pages = list.policy_usage_filter(PolicyUsageType::PermissionsPolicy).into_paginator().send();
    let mut entities = BTreeSet::new();
    while let Some(page) = pages.try_next().await.during("iam.ListEntitiesForPolicy")? {
        let groups = page.policy_groups.unwrap_or_default().into_iter().filter_map(|it| it.group_name);
        let roles = page.policy_roles.unwrap_or_default().into_iter().filter_map(|it| it.role_name);
        let users = page.policy_users.unwrap_or_default().into_iter().filter_map(|it| it.user_name);
        entities.extend(groups.map(Entity::Group).chain(roles.map(Entity::Role)).chain(users.map(Entity::User)));
    }
    Ok(entities)
}
