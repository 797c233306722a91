//! `AWS::IAM::RolePolicy`: one inline policy of one role. See [`inline`].

use serde::{Deserialize, Serialize};

use crate::aws::error::AwsError;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::iam::entity::Entity;
use crate::resource::iam::inline;
use crate::resource::policy_document::PolicyDocument;
use crate::resource::{Attributes, Contribute, Handler, Live, Made, Owner};

pub struct IamRolePolicy;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct RolePolicy {
    pub policy_name: String,
    pub role_name: String,
    pub policy_document: Option<PolicyDocument>,
}

impl Handler for IamRolePolicy {
    const TYPE: &'static str = "AWS::IAM::RolePolicy";
    const FOUND_BY: &'static [&'static str] = &["PolicyName", "RoleName"];
    const PART_OF: &'static [&'static str] = &["RoleName"];
    const CONTRIBUTIONS: Option<Contribute<RolePolicy>> =
        Some(|_, policy| inline::contribution("AWS::IAM::Role", "RoleName", &policy.role_name, &policy.policy_name));

    type Properties = RolePolicy;

    fn predict(_scope: &Scope, policy: &RolePolicy) -> Attributes {
        inline::attributes_of(&id_of(policy))
    }

    async fn find(cx: &Context, _owner: &Owner, policy: &RolePolicy) -> Result<Option<PhysicalId>, AwsError> {
        let document = entity_of(&policy.role_name).inline_policy(cx, &policy.policy_name).await?;
        Ok(document.map(|_| id_of(policy)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<RolePolicy>>, AwsError> {
        let [policy_name, role_name] = inline::parts(id)?;
        let document = entity_of(role_name).inline_policy(cx, policy_name).await?;
        Ok(document.map(|document| {
            let policy = RolePolicy {
                policy_name: policy_name.to_owned(),
                role_name: role_name.to_owned(),
                policy_document: Some(document),
            };
            Live::unmarkable(policy, inline::attributes_of(id))
        }))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        policy: &RolePolicy,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let document = policy.policy_document.as_ref();
        inline::put(cx, &entity_of(&policy.role_name), &policy.policy_name, document).await?;
        Ok(inline::made(id_of(policy)))
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        policy: &RolePolicy,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let [policy_name, role_name] = inline::parts(id)?;
        inline::put(cx, &entity_of(role_name), policy_name, policy.policy_document.as_ref()).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [policy_name, role_name] = inline::parts(id)?;
        inline::delete(cx, &entity_of(role_name), policy_name).await
    }
}

fn entity_of(name: &str) -> Entity {
    Entity::Role(name.to_owned())
}

fn id_of(policy: &RolePolicy) -> PhysicalId {
    inline::id_of(&policy.policy_name, &policy.role_name)
}
