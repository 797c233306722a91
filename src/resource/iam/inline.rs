//! One inline policy of one role, user or group: what `AWS::IAM::RolePolicy`, `UserPolicy` and `GroupPolicy` have in common.
//! Found by both names, which replace it; it cannot carry a mark, and goes with whom it is on.

use serde_json::json;

use crate::aws::Context;
use crate::aws::error::{AwsError, ErrorClass};
use crate::aws::wait::Patience;
use crate::identity::PhysicalId;
use crate::resource::iam::entity::Entity;
use crate::resource::policy_document::PolicyDocument;
use crate::resource::{Attributes, Contribution, Made, referred};

pub(super) async fn put(
    cx: &Context,
    entity: &Entity,
    policy: &str,
    document: Option<&PolicyDocument>,
) -> Result<(), AwsError> {
    let Some(document) = document else {
        let message = format!("the inline policy `{policy}` has no `PolicyDocument`");
        return Err(AwsError::new("iam.PutRolePolicy", ErrorClass::Invalid, message));
    };
    entity.put_policy(cx, policy, document).await?;
    cx.until("iam.GetRolePolicy", "the new policy to show", Patience::seconds(60), || async {
        Ok(entity.inline_policy(cx, policy).await?.filter(|shown| shown == document).map(drop))
    })
    .await
}

pub(super) fn made(id: PhysicalId) -> Made {
    Made { attributes: attributes_of(&id), id }
}

pub(super) async fn delete(cx: &Context, entity: &Entity, policy: &str) -> Result<(), AwsError> {
    entity.delete_policy(cx, policy).await?;
    cx.until("iam.GetRolePolicy", "the policy to be gone", Patience::seconds(60), || async {
        Ok(entity.inline_policy(cx, policy).await?.is_none().then_some(()))
    })
    .await
}

/// The policy shows among the entity's own.
pub(super) fn contribution(
    resource_type: &'static str,
    through: &'static str,
    entity: &str,
    policy: &str,
) -> Vec<Contribution> {
    let item = json!({"PolicyName": policy});
    vec![Contribution { resource_type, id: PhysicalId::from(entity), through, property: "Policies", item }]
}

pub(super) fn id_of(policy: &str, entity: &str) -> PhysicalId {
    PhysicalId::join([policy, entity])
}

pub(super) fn attributes_of(id: &PhysicalId) -> Attributes {
    referred(id.as_str(), [])
}

/// The names of policy and entity.
pub(super) fn parts(id: &PhysicalId) -> Result<[&str; 2], AwsError> {
    id.parts().ok_or_else(|| {
        let message = format!("`{id}` is no identifier of the form `PolicyName|name`");
        AwsError::new("iam.GetRolePolicy", ErrorClass::Invalid, message)
    })
}
