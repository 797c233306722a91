//! What a role, a user or a group holds: inline policies of its own, and managed policies that are attached to it.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::aws::Context;
use crate::aws::error::{AwsError, During};
use crate::change::Changes;
use crate::resource::iam::entity::Entity;
use crate::resource::iam::taken_out;
use crate::resource::policy_document::PolicyDocument;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct InlinePolicy {
    pub policy_name: String,
    pub policy_document: PolicyDocument,
}

/// The inline policies with their documents, in order of name.
pub(super) async fn inline_policies(cx: &Context, entity: &Entity) -> Result<Vec<InlinePolicy>, AwsError> {
    let documents = inline_names(cx, entity).await?.into_iter().map(|policy_name| async {
        let document = entity.inline_policy(cx, &policy_name).await?;
        Ok::<_, AwsError>(document.map(|policy_document| InlinePolicy { policy_name, policy_document }))
    });
    Ok(try_join_all(documents).await?.into_iter().flatten().collect())
}

async fn inline_names(cx: &Context, entity: &Entity) -> Result<Vec<String>, AwsError> {
    match entity {
        Entity::Group(name) => {
            let list = cx.iam.list_group_policies().group_name(name).into_paginator().items().send();
            list.collect::<Result<_, _>>().await.during("iam.ListGroupPolicies")
        }
        Entity::Role(name) => {
            let list = cx.iam.list_role_policies().role_name(name).into_paginator().items().send();
            list.collect::<Result<_, _>>().await.during("iam.ListRolePolicies")
        }
        Entity::User(name) => {
            let list = cx.iam.list_user_policies().user_name(name).into_paginator().items().send();
            list.collect::<Result<_, _>>().await.during("iam.ListUserPolicies")
        }
    }
}

/// The ARNs of the managed policies.
pub(super) async fn attached(cx: &Context, entity: &Entity) -> Result<BTreeSet<String>, AwsError> {
    let policies: Vec<_> = match entity {
        Entity::Group(name) => {
            let list = cx.iam.list_attached_group_policies().group_name(name).into_paginator().items().send();
            list.collect::<Result<_, _>>().await.during("iam.ListAttachedGroupPolicies")?
        }
        Entity::Role(name) => {
            let list = cx.iam.list_attached_role_policies().role_name(name).into_paginator().items().send();
            list.collect::<Result<_, _>>().await.during("iam.ListAttachedRolePolicies")?
        }
        Entity::User(name) => {
            let list = cx.iam.list_attached_user_policies().user_name(name).into_paginator().items().send();
            list.collect::<Result<_, _>>().await.during("iam.ListAttachedUserPolicies")?
        }
    };
    Ok(policies.into_iter().filter_map(|policy| policy.policy_arn).collect())
}

/// Puts the inline policies on, and attaches the managed ones. What is there already stays.
pub(super) async fn give(
    cx: &Context,
    entity: &Entity,
    policies: &[InlinePolicy],
    managed_policy_arns: &BTreeSet<String>,
) -> Result<(), AwsError> {
    for policy in policies {
        entity.put_policy(cx, &policy.policy_name, &policy.policy_document).await?;
    }
    for arn in managed_policy_arns {
        entity.attach(cx, arn).await?;
    }
    Ok(())
}

/// Gives what changed, and takes off what the changes take out.
pub(super) async fn change(
    cx: &Context,
    entity: &Entity,
    policies: &[InlinePolicy],
    managed_policy_arns: &BTreeSet<String>,
    changes: &Changes,
) -> Result<(), AwsError> {
    if changes.touch("Policies") {
        give(cx, entity, policies, &BTreeSet::new()).await?;
        let kept = policies.iter().map(|policy| policy.policy_name.clone()).collect();
        for policy in taken_out(changes, "Policies", &kept) {
            entity.delete_policy(cx, &policy).await?;
        }
    }
    if changes.touch("ManagedPolicyArns") {
        give(cx, entity, &[], managed_policy_arns).await?;
        for arn in taken_out(changes, "ManagedPolicyArns", managed_policy_arns) {
            entity.detach(cx, &arn).await?;
        }
    }
    Ok(())
}

/// Takes everything off, which would keep the entity from being deleted.
pub(super) async fn strip(cx: &Context, entity: &Entity) -> Result<(), AwsError> {
    for arn in attached(cx, entity).await? {
        entity.detach(cx, &arn).await?;
    }
    for policy in inline_names(cx, entity).await? {
        entity.delete_policy(cx, &policy).await?;
    }
    Ok(())
}
