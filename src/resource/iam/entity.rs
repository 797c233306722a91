//! Whom a policy can be put on, inline or by attaching it: roles, users, groups. IAM has an operation for each.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::aws::Context;
use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::identity::PhysicalId;
use crate::resource::Contribution;
use crate::resource::iam::{decoded, write};
use crate::resource::policy_document::PolicyDocument;

/// Written `role/worker`, `user/jo`, `group/ops`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entity {
    Group(String),
    Role(String),
    User(String),
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) => write!(f, "group/{name}"),
            Self::Role(name) => write!(f, "role/{name}"),
            Self::User(name) => write!(f, "user/{name}"),
        }
    }
}

/// Every name of the three lists that templates have.
pub(super) fn all(groups: &BTreeSet<String>, roles: &BTreeSet<String>, users: &BTreeSet<String>) -> BTreeSet<Entity> {
    let groups = groups.iter().cloned().map(Entity::Group);
    groups.chain(roles.iter().cloned().map(Entity::Role)).chain(users.iter().cloned().map(Entity::User)).collect()
}

/// What a policy shows on each of those that it is put on.
pub(super) fn contributions(
    groups: &BTreeSet<String>,
    roles: &BTreeSet<String>,
    users: &BTreeSet<String>,
    property: &'static str,
    item: &Value,
) -> Vec<Contribution> {
    let kinds =
        [("AWS::IAM::Group", "Groups", groups), ("AWS::IAM::Role", "Roles", roles), ("AWS::IAM::User", "Users", users)];
    let contributions = kinds.into_iter().flat_map(|(resource_type, through, names)| {
        names.iter().map(move |name| Contribution {
            resource_type,
            id: PhysicalId::from(name.as_str()),
            through,
            property,
            item: item.clone(),
        })
    });
    contributions.collect()
}

impl Entity {
    /// What the entity's own attachments show on the managed policies.
    pub(super) fn attachments(&self, managed_policy_arns: &BTreeSet<String>) -> Vec<Contribution> {
        let (property, name) = match self {
            Self::Group(name) => ("Groups", name),
            Self::Role(name) => ("Roles", name),
            Self::User(name) => ("Users", name),
        };
        let contribution = |arn: &String| Contribution {
            resource_type: "AWS::IAM::ManagedPolicy",
            id: PhysicalId::from(arn.as_str()),
            through: "ManagedPolicyArns",
            property,
            item: Value::String(name.clone()),
        };
        managed_policy_arns.iter().map(contribution).collect()
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('/')?;
        match kind {
            "group" => Some(Self::Group(name.to_owned())),
            "role" => Some(Self::Role(name.to_owned())),
            "user" => Some(Self::User(name.to_owned())),
            _ => None,
        }
    }

    /// The document of an inline policy. Who it is on shows it, and what puts it there: in a survey it is read once.
    pub(super) async fn inline_policy(&self, cx: &Context, policy: &str) -> Result<Option<PolicyDocument>, AwsError> {
        let (operation, name) = match self {
            Self::Group(name) => ("iam.GetGroupPolicy", name),
            Self::Role(name) => ("iam.GetRolePolicy", name),
            Self::User(name) => ("iam.GetUserPolicy", name),
        };
        cx.once(operation, &format!("{name}|{policy}"), || async move {
            let document = match self {
                Self::Group(_) => {
                    let get = cx.iam.get_group_policy().group_name(name).policy_name(policy);
                    found(operation, get.send().await)?.map(|answer| answer.policy_document)
                }
                Self::Role(_) => {
                    let get = cx.iam.get_role_policy().role_name(name).policy_name(policy);
                    found(operation, get.send().await)?.map(|answer| answer.policy_document)
                }
                Self::User(_) => {
                    let get = cx.iam.get_user_policy().user_name(name).policy_name(policy);
                    found(operation, get.send().await)?.map(|answer| answer.policy_document)
                }
            };
            Ok(document.map(|document| PolicyDocument::new(decoded(&document))))
        })
        .await
    }

    /// Adds an inline policy, or gives it another document.
    pub(super) async fn put_policy(
        &self,
        cx: &Context,
        policy: &str,
        document: &PolicyDocument,
    ) -> Result<(), AwsError> {
        let document = document.to_json();
        self.put(cx, || async {
            match self {
                Self::Group(name) => {
                    let put = cx.iam.put_group_policy().group_name(name).policy_name(policy);
                    put.policy_document(&document).send().await.during("iam.PutGroupPolicy").map(drop)
                }
                Self::Role(name) => {
                    let put = cx.iam.put_role_policy().role_name(name).policy_name(policy);
                    put.policy_document(&document).send().await.during("iam.PutRolePolicy").map(drop)
                }
                Self::User(name) => {
                    let put = cx.iam.put_user_policy().user_name(name).policy_name(policy);
                    put.policy_document(&document).send().await.during("iam.PutUserPolicy").map(drop)
                }
            }
        })
        .await
    }

    pub(super) async fn delete_policy(&self, cx: &Context, policy: &str) -> Result<(), AwsError> {
        let call = || async {
            match self {
                Self::Group(name) => {
                    let delete = cx.iam.delete_group_policy().group_name(name).policy_name(policy);
                    delete.send().await.during("iam.DeleteGroupPolicy").map(drop)
                }
                Self::Role(name) => {
                    let delete = cx.iam.delete_role_policy().role_name(name).policy_name(policy);
                    delete.send().await.during("iam.DeleteRolePolicy").map(drop)
                }
                Self::User(name) => {
                    let delete = cx.iam.delete_user_policy().user_name(name).policy_name(policy);
                    delete.send().await.during("iam.DeleteUserPolicy").map(drop)
                }
            }
        };
        gone_is_fine(write(cx, call).await)
    }

    /// Attaches a managed policy; one that is attached already stays so.
    pub(super) async fn attach(&self, cx: &Context, arn: &str) -> Result<(), AwsError> {
        self.put(cx, || async {
            match self {
                Self::Group(name) => {
                    let attach = cx.iam.attach_group_policy().group_name(name).policy_arn(arn);
                    attach.send().await.during("iam.AttachGroupPolicy").map(drop)
                }
                Self::Role(name) => {
                    let attach = cx.iam.attach_role_policy().role_name(name).policy_arn(arn);
                    attach.send().await.during("iam.AttachRolePolicy").map(drop)
                }
                Self::User(name) => {
                    let attach = cx.iam.attach_user_policy().user_name(name).policy_arn(arn);
                    attach.send().await.during("iam.AttachUserPolicy").map(drop)
                }
            }
        })
        .await
    }

    pub(super) async fn detach(&self, cx: &Context, arn: &str) -> Result<(), AwsError> {
        let call = || async {
            match self {
                Self::Group(name) => {
                    let detach = cx.iam.detach_group_policy().group_name(name).policy_arn(arn);
                    detach.send().await.during("iam.DetachGroupPolicy").map(drop)
                }
                Self::Role(name) => {
                    let detach = cx.iam.detach_role_policy().role_name(name).policy_arn(arn);
                    detach.send().await.during("iam.DetachRolePolicy").map(drop)
                }
                Self::User(name) => {
                    let detach = cx.iam.detach_user_policy().user_name(name).policy_arn(arn);
                    detach.send().await.during("iam.DetachUserPolicy").map(drop)
                }
            }
        };
        gone_is_fine(write(cx, call).await)
    }

    /// An entity or policy that was made a moment ago may not be there yet for the replica that is asked.
    async fn put<F>(&self, cx: &Context, call: impl Fn() -> F + Sync) -> Result<(), AwsError>
    where
        F: Future<Output = Result<(), AwsError>> + Send,
    {
        cx.while_passing(Patience::seconds(30), AwsError::is_not_found, || write(cx, &call)).await
    }
}
