//! `AWS::IAM::UserPolicy`: one inline policy of one user. See [`inline`].

use serde::{Deserialize, Serialize};

use crate::aws::error::AwsError;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::iam::entity::Entity;
use crate::resource::iam::inline;
use crate::resource::policy_document::PolicyDocument;
use crate::resource::{Attributes, Contribute, Handler, Live, Made, Owner};

pub struct IamUserPolicy;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct UserPolicy {
    pub policy_name: String,
    pub user_name: String,
    pub policy_document: Option<PolicyDocument>,
}

impl Handler for IamUserPolicy {
    const TYPE: &'static str = "AWS::IAM::UserPolicy";
    const FOUND_BY: &'static [&'static str] = &["PolicyName", "UserName"];
    const PART_OF: &'static [&'static str] = &["UserName"];
    const CONTRIBUTIONS: Option<Contribute<UserPolicy>> =
        Some(|_, policy| inline::contribution("AWS::IAM::User", "UserName", &policy.user_name, &policy.policy_name));

    type Properties = UserPolicy;

    fn predict(_scope: &Scope, policy: &UserPolicy) -> Attributes {
        inline::attributes_of(&id_of(policy))
    }

    async fn find(cx: &Context, _owner: &Owner, policy: &UserPolicy) -> Result<Option<PhysicalId>, AwsError> {
        let document = entity_of(&policy.user_name).inline_policy(cx, &policy.policy_name).await?;
        Ok(document.map(|_| id_of(policy)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<UserPolicy>>, AwsError> {
        let [policy_name, user_name] = inline::parts(id)?;
        let document = entity_of(user_name).inline_policy(cx, policy_name).await?;
        Ok(document.map(|document| {
            let policy = UserPolicy {
                policy_name: policy_name.to_owned(),
                user_name: user_name.to_owned(),
                policy_document: Some(document),
            };
            Live::unmarkable(policy, inline::attributes_of(id))
        }))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        policy: &UserPolicy,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let document = policy.policy_document.as_ref();
        inline::put(cx, &entity_of(&policy.user_name), &policy.policy_name, document).await?;
        Ok(inline::made(id_of(policy)))
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        policy: &UserPolicy,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let [policy_name, user_name] = inline::parts(id)?;
        inline::put(cx, &entity_of(user_name), policy_name, policy.policy_document.as_ref()).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [policy_name, user_name] = inline::parts(id)?;
        inline::delete(cx, &entity_of(user_name), policy_name).await
    }
}

fn entity_of(name: &str) -> Entity {
    Entity::User(name.to_owned())
}

fn id_of(policy: &UserPolicy) -> PhysicalId {
    inline::id_of(&policy.policy_name, &policy.user_name)
}
