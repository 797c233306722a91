//! `AWS::IAM::Role`. Found by name; name and path replace it.
//!
//! Inline policies and attachments that other resources of the stack declare show here as well: they are those resources'
//! contributions, which the comparison leaves out and an update leaves alone. Everything else that is on the role and not in
//! the template is drift.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{EntityType, RoleDetail};
use futures::future::try_join;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, absent_is_none, found, gone_is_fine, none_if};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{PhysicalId, StackId};
use crate::resource::iam::entity::Entity;
use crate::resource::iam::held::{self, InlinePolicy};
use crate::resource::iam::{PROPAGATION, decoded, is_fresh_principal, is_still_attached, sdk_tags, tags_of, write};
use crate::resource::policy_document::{PolicyDocument, TrustPolicy};
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Contribute, GeneratedName, Handler, Live, Made, Owner, attributes, referred};

pub struct IamRole;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Role {
    pub role_name: Option<String>,
    pub path: String,
    pub description: Option<String>,
    /// Who may take the role.
    pub assume_role_policy_document: Option<TrustPolicy>,
    pub managed_policy_arns: BTreeSet<String>,
    /// Seconds.
    pub max_session_duration: i32,
    pub permissions_boundary: Option<String>,
    /// In order of name.
    pub policies: Vec<InlinePolicy>,
    pub tags: Tags,
}

impl Default for Role {
    fn default() -> Self {
        Self {
            role_name: None,
            path: "/".to_owned(),
            description: None,
            assume_role_policy_document: None,
            managed_policy_arns: BTreeSet::new(),
            max_session_duration: 3600,
            permissions_boundary: None,
            policies: Vec::new(),
            tags: Tags::default(),
        }
    }
}

impl Handler for IamRole {
    const TYPE: &'static str = "AWS::IAM::Role";
    const FOUND_BY: &'static [&'static str] = &["RoleName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("RoleName", 64));
    /// Attaching a managed policy shows among that policy's `Roles`.
    const CONTRIBUTIONS: Option<Contribute<Role>> = Some(|_, role| {
        let Some(name) = &role.role_name else { return Vec::new() };
        Entity::Role(name.clone()).attachments(&role.managed_policy_arns)
    });

    type Properties = Role;

    fn complete(role: &mut Role) {
        role.description = role.description.take().filter(|text| !text.is_empty());
        role.policies.sort_by(|one, other| one.policy_name.cmp(&other.policy_name));
    }

    fn predict(scope: &Scope, role: &Role) -> Attributes {
        let Some(name) = &role.role_name else { return Attributes::new() };
        let arn = scope.global_arn("iam", &format!("role{}{name}", role.path));
        attributes([("Ref", Some(name.clone())), ("Arn", Some(arn))])
    }

    async fn find(cx: &Context, _owner: &Owner, role: &Role) -> Result<Option<PhysicalId>, AwsError> {
        Ok(get(cx, name_of(role)).await?.map(|role| PhysicalId::from(role.role_name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Role>>, AwsError> {
        let (role, policies) = try_join(get(cx, id.as_str()), policies(cx, id.as_str())).await?;
        let (Some(role), Some((policies, managed_policy_arns))) = (role, policies) else { return Ok(None) };
        let attributes = attributes_of(&role);
        let tags = tags_of(role.tags());
        let properties = Role {
            role_name: Some(role.role_name),
            path: role.path,
            description: role.description,
            assume_role_policy_document: role.assume_role_policy_document.map(|it| TrustPolicy::new(decoded(&it))),
            managed_policy_arns,
            max_session_duration: role.max_session_duration.unwrap_or(3600),
            permissions_boundary: role.permissions_boundary.and_then(|it| it.permissions_boundary_arn),
            policies,
            tags,
        };
        Ok(Some(Live::tagged(properties, attributes)))
    }

    async fn make_new(cx: &Context, _owner: &Owner, role: &Role) -> Result<Option<Made>, AwsError> {
        let Some(()) = none_if(make(cx, role).await, AwsError::is_taken)? else { return Ok(None) };
        complete(cx, role).await.map(Some)
    }

    async fn create(cx: &Context, _owner: &Owner, role: &Role, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        if left.is_none() {
            make(cx, role).await?;
        }
        complete(cx, role).await
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        role: &Role,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch("AssumeRolePolicyDocument") {
            let trust = cx.iam.update_assume_role_policy().role_name(id.as_str()).policy_document(trust_of(role));
            let call = || async { trust.clone().send().await.during("iam.UpdateAssumeRolePolicy") };
            cx.while_passing(PROPAGATION, is_fresh_principal, || write(cx, call)).await?;
        }
        if changes.touch_any(&["Description", "MaxSessionDuration"]) {
            let update = cx.iam.update_role().role_name(id.as_str()).max_session_duration(role.max_session_duration);
            let update = update.description(role.description.as_deref().unwrap_or_default());
            write(cx, || async { update.clone().send().await.during("iam.UpdateRole") }).await?;
        }
        if changes.touch("PermissionsBoundary") {
            set_boundary(cx, id, role.permissions_boundary.as_deref()).await?;
        }
        let entity = Entity::Role(id.as_str().to_owned());
        held::change(cx, &entity, &role.policies, &role.managed_policy_arns, changes).await?;
        if changes.touch("Tags") {
            sync_tags(cx, id, &role.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let call = || async {
            strip(cx, id.as_str()).await?;
            cx.iam.delete_role().role_name(id.as_str()).send().await.during("iam.DeleteRole")
        };
        gone_is_fine(cx.while_passing(PROPAGATION, is_still_attached, call).await)?;
        let is_gone = || async { Ok(get(cx, id.as_str()).await?.is_none().then_some(())) };
        cx.until("iam.GetRole", "the role to be gone", PROPAGATION, is_gone).await
    }

    /// The tagging API leaves roles out, and ListRoles leaves out tags: this is the one list that has both, a thousand at a
    /// time, so that no role need be missed for its name.
    async fn sweep(cx: &Context, stack: &StackId) -> Result<Vec<(Owner, PhysicalId)>, AwsError> {
        let list = cx.iam.get_account_authorization_details().filter(EntityType::Role).max_items(1000);
        let mut pages = list.into_paginator().send();
        let mut owned = Vec::new();
        while let Some(page) = pages.try_next().await.during(DETAILS)? {
            owned.extend(page.role_detail_list.unwrap_or_default().into_iter().filter_map(owner_and_id));
        }
        owned.retain(|(owner, _)| owner.stack == *stack);
        Ok(owned)
    }
}

fn owner_and_id(role: RoleDetail) -> Option<(Owner, PhysicalId)> {
    let owner = tags_of(role.tags()).owner()?;
    Some((owner, PhysicalId::from(role.role_name?)))
}

fn name_of(role: &Role) -> &str {
    role.role_name.as_deref().unwrap_or_default()
}

fn trust_of(role: &Role) -> String {
    role.assume_role_policy_document.as_ref().map(TrustPolicy::to_json).unwrap_or_default()
}

fn attributes_of(role: &aws_sdk_iam::types::Role) -> Attributes {
    referred(role.role_name(), [("Arn", role.arn.clone()), ("RoleId", role.role_id.clone())])
}

/// The role, once its ARN is one: for moments after the creation a replica may answer with the role's unique id instead.
async fn get(cx: &Context, name: &str) -> Result<Option<aws_sdk_iam::types::Role>, AwsError> {
    const GET: &str = "iam.GetRole";
    let answer = cx.once(GET, name, || async { found(GET, cx.iam.get_role().role_name(name).send().await) }).await?;
    Ok(answer.and_then(|answer| answer.role).filter(|role| role.arn.starts_with("arn:")))
}

/// Inline policies, and the ARNs of attached ones.
type Policies = (Vec<InlinePolicy>, BTreeSet<String>);

/// The policies of a role; `None` where it is not there.
async fn policies(cx: &Context, role: &str) -> Result<Option<Policies>, AwsError> {
    match cx.together(DETAILS, IamRole::TYPE, role, MOST, |names| details(cx, names)).await {
        Ok(Some(policies)) => Ok(Some(policies)),
        // The list may not show the role yet.
        Ok(None) => absent_is_none(policies_of(cx, role).await),
        Err(error) => absent_is_none(Err(error)),
    }
}

/// The policies of roles by name. Those of several are asked for with all other roles of the account, as far as that takes no
/// more calls than roles: a role by itself takes at least two.
async fn details(cx: &Context, names: Vec<String>) -> Result<BTreeMap<String, Policies>, AwsError> {
    if let [name] = names.as_slice() {
        return Ok(BTreeMap::from([(name.clone(), policies_of(cx, name).await?)]));
    }
    let list = cx.iam.get_account_authorization_details().filter(EntityType::Role).max_items(1000);
    let mut pages = list.into_paginator().send();
    let mut details = BTreeMap::new();
    for _ in 0..names.len() {
        let Some(page) = pages.try_next().await.during(DETAILS)? else { break };
        for role in page.role_detail_list.unwrap_or_default() {
            let Some(name) = role.role_name.as_ref().filter(|name| names.contains(name)) else { continue };
            details.insert(name.clone(), policies_in(&role));
        }
        if details.len() == names.len() {
            break;
        }
    }
    Ok(details)
}

const DETAILS: &str = "iam.GetAccountAuthorizationDetails";
/// The most roles that IAM lists at once.
const MOST: usize = 1000;

fn policies_in(role: &RoleDetail) -> Policies {
    let inline = role.role_policy_list().iter().filter_map(|policy| {
        let policy_document = PolicyDocument::new(decoded(policy.policy_document()?));
        Some(InlinePolicy { policy_name: policy.policy_name()?.to_owned(), policy_document })
    });
    let attached = role.attached_managed_policies().iter().filter_map(|policy| policy.policy_arn.clone());
    (inline.collect(), attached.collect())
}

async fn policies_of(cx: &Context, role: &str) -> Result<Policies, AwsError> {
    let entity = Entity::Role(role.to_owned());
    try_join(held::inline_policies(cx, &entity), held::attached(cx, &entity)).await
}

async fn make(cx: &Context, role: &Role) -> Result<(), AwsError> {
    let create = cx.iam.create_role().role_name(name_of(role)).path(&role.path);
    let create = create.assume_role_policy_document(trust_of(role)).max_session_duration(role.max_session_duration);
    let create = create.set_description(role.description.clone());
    let create = create
        .set_permissions_boundary(role.permissions_boundary.clone())
        .set_tags(Some(sdk_tags(&role.tags, "iam.CreateRole")?));
    let call = || async { create.clone().send().await.during("iam.CreateRole") };
    cx.while_passing(PROPAGATION, is_fresh_principal, || write(cx, call)).await.map(drop)
}

/// Gives a role that was made its policies, once it shows.
async fn complete(cx: &Context, role: &Role) -> Result<Made, AwsError> {
    let name = name_of(role);
    let live = cx.until("iam.GetRole", "the new role to show", PROPAGATION, || get(cx, name)).await?;
    held::give(cx, &Entity::Role(name.to_owned()), &role.policies, &role.managed_policy_arns).await?;
    Ok(Made { id: PhysicalId::from(name), attributes: attributes_of(&live) })
}

async fn set_boundary(cx: &Context, id: &PhysicalId, boundary: Option<&str>) -> Result<(), AwsError> {
    match boundary {
        Some(arn) => {
            let put = cx.iam.put_role_permissions_boundary().role_name(id.as_str()).permissions_boundary(arn);
            write(cx, || async { put.clone().send().await.during("iam.PutRolePermissionsBoundary") }).await.map(drop)
        }
        None => {
            let delete = cx.iam.delete_role_permissions_boundary().role_name(id.as_str());
            let call = || async { delete.clone().send().await.during("iam.DeleteRolePermissionsBoundary") };
            gone_is_fine(write(cx, call).await)
        }
    }
}

async fn sync_tags(cx: &Context, id: &PhysicalId, wanted: &Tags) -> Result<(), AwsError> {
    let live = get(cx, id.as_str()).await?.map(|role| tags_of(role.tags())).unwrap_or_default();
    let changes = wanted.since(&live);
    if !changes.written.0.is_empty() {
        let tag = cx.iam.tag_role().role_name(id.as_str()).set_tags(Some(sdk_tags(&changes.written, "iam.TagRole")?));
        write(cx, || async { tag.clone().send().await.during("iam.TagRole") }).await?;
    }
    if !changes.removed.is_empty() {
        let keys = changes.removed.into_iter().collect();
        let untag = cx.iam.untag_role().role_name(id.as_str()).set_tag_keys(Some(keys));
        write(cx, || async { untag.clone().send().await.during("iam.UntagRole") }).await?;
    }
    Ok(())
}

/// Takes off the role everything that keeps it from being deleted.
async fn strip(cx: &Context, role: &str) -> Result<(), AwsError> {
    held::strip(cx, &Entity::Role(role.to_owned())).await?;
    let profiles = cx.iam.list_instance_profiles_for_role().role_name(role).into_paginator().items().send();
    for profile in profiles.collect::<Result<Vec<_>, _>>().await.during("iam.ListInstanceProfilesForRole")? {
        let remove = cx.iam.remove_role_from_instance_profile().role_name(role);
        let remove = remove.instance_profile_name(profile.instance_profile_name);
        let call = || async { remove.clone().send().await.during("iam.RemoveRoleFromInstanceProfile") };
        gone_is_fine(write(cx, call).await)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_order_of_policies_and_an_empty_description_mean_nothing() {
        let policy = |name: &str| json!({"PolicyName": name, "PolicyDocument": {"Statement": []}});
        let complete = |properties: Value| {
            let mut role: Role = serde_json::from_value(properties).expect("a role");
            IamRole::complete(&mut role);
            role
        };
        let one = complete(json!({"Policies": [policy("a"), policy("b")], "Description": ""}));
        assert_eq!(one, complete(json!({"Policies": [policy("b"), policy("a")]})));
    }

    #[test]
    fn a_role_in_a_path_has_the_path_in_its_arn() {
        let scope = Scope {
            account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            partition: "aws".to_owned(),
        };
        let role = Role { role_name: Some("worker".to_owned()), path: "/payments/".to_owned(), ..Role::default() };
        assert_eq!(IamRole::predict(&scope, &role)["Arn"], "arn:aws:iam::123456789012:role/payments/worker");
    }
}
