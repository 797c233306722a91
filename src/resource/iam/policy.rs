//! `AWS::IAM::Policy`: one document as an inline policy of roles, users and groups. Found by its name on those it names.
//!
//! CloudFormation knows it by its name alone. The identifier here also names whom the policy is on, so that it can be taken off
//! again: `PolicyName|group/a|role/b|user/c`; it changes when they change. Nothing about it can carry a mark.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aws::error::{AwsError, ErrorClass};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::iam::entity::{self, Entity};
use crate::resource::policy_document::PolicyDocument;
use crate::resource::{Attributes, Contribute, Handler, Live, Made, Owner, attributes, referred};

pub struct IamPolicy;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Policy {
    pub policy_name: Option<String>,
    pub policy_document: Option<PolicyDocument>,
    pub groups: BTreeSet<String>,
    pub roles: BTreeSet<String>,
    pub users: BTreeSet<String>,
}

impl Handler for IamPolicy {
    const TYPE: &'static str = "AWS::IAM::Policy";
    const FOUND_BY: &'static [&'static str] = &["PolicyName", "Groups", "Roles", "Users"];
    const PART_OF: &'static [&'static str] = &["Groups", "Roles", "Users"];
    /// An inline policy shows among the policies of whom it is on.
    const CONTRIBUTIONS: Option<Contribute<Policy>> = Some(|_, policy| {
        let item = json!({"PolicyName": policy.policy_name});
        entity::contributions(&policy.groups, &policy.roles, &policy.users, "Policies", &item)
    });

    type Properties = Policy;

    fn predict(_scope: &Scope, policy: &Policy) -> Attributes {
        let name = || policy.policy_name.clone();
        attributes([("Ref", name()), ("Id", name())])
    }

    /// What an interrupted create left is on some of those it should be on: the identifier names them.
    async fn find(cx: &Context, _owner: &Owner, policy: &Policy) -> Result<Option<PhysicalId>, AwsError> {
        let name = name_of(policy);
        let entities = entities_of(policy);
        let having = having(cx, name, &entities).await?;
        Ok((!having.is_empty()).then(|| id(name, having.iter().map(|(entity, _)| *entity))))
    }

    /// One document is read for all. Whoever has another one counts as lacking the policy, which an update puts right.
    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Policy>>, AwsError> {
        let (name, entities) = parse(id)?;
        let mut having = having(cx, name, &entities).await?;
        let Some((_, document)) = having.first().cloned() else { return Ok(None) };
        having.retain(|(_, other)| *other == document);
        let mut policy =
            Policy { policy_name: Some(name.to_owned()), policy_document: Some(document), ..Policy::default() };
        for (entity, _) in having {
            match entity {
                Entity::Group(name) => policy.groups.insert(name.clone()),
                Entity::Role(name) => policy.roles.insert(name.clone()),
                Entity::User(name) => policy.users.insert(name.clone()),
            };
        }
        Ok(Some(Live::unmarkable(policy, referred(name, [("Id", name.to_owned())]))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        policy: &Policy,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = put(cx, policy).await?;
        let name = name_of(policy);
        let all = entities_of(policy);
        cx.until("iam.GetRolePolicy", "the new policy to show", Patience::seconds(60), || async {
            Ok((having(cx, name, &all).await?.len() == all.len()).then_some(()))
        })
        .await?;
        Ok(Made { id, attributes: referred(name, [("Id", name.to_owned())]) })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        policy: &Policy,
        _: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let now = put(cx, policy).await?;
        let (name, before) = parse(id)?;
        let kept = if name == name_of(policy) { entities_of(policy) } else { BTreeSet::new() };
        for entity in before.difference(&kept) {
            entity.delete_policy(cx, name).await?;
        }
        Ok(now)
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let (name, entities) = parse(id)?;
        for entity in &entities {
            entity.delete_policy(cx, name).await?;
        }
        cx.until("iam.GetRolePolicy", "the policy to be gone", Patience::seconds(60), || async {
            Ok(having(cx, name, &entities).await?.is_empty().then_some(()))
        })
        .await
    }
}

fn name_of(policy: &Policy) -> &str {
    policy.policy_name.as_deref().unwrap_or_default()
}

fn entities_of(policy: &Policy) -> BTreeSet<Entity> {
    entity::all(&policy.groups, &policy.roles, &policy.users)
}

fn id<'a>(name: &str, entities: impl IntoIterator<Item = &'a Entity>) -> PhysicalId {
    let entities: Vec<String> = entities.into_iter().map(Entity::to_string).collect();
    PhysicalId::join([name].into_iter().chain(entities.iter().map(String::as_str)))
}

fn parse(id: &PhysicalId) -> Result<(&str, BTreeSet<Entity>), AwsError> {
    let mut parts = id.as_str().split('|');
    let name = parts.next().unwrap_or_default();
    let entities = parts.map(Entity::parse).collect::<Option<_>>();
    let entities = entities.ok_or_else(|| {
        let message = format!("`{id}` is no inline policy: expected `PolicyName|role/RoleName`");
        AwsError::new("iam.GetRolePolicy", ErrorClass::Invalid, message)
    })?;
    Ok((name, entities))
}

/// Those that have the policy, each with its document.
async fn having<'a>(
    cx: &Context,
    name: &str,
    entities: &'a BTreeSet<Entity>,
) -> Result<Vec<(&'a Entity, PolicyDocument)>, AwsError> {
    let documents = entities.iter().map(|entity| async move {
        Ok::<_, AwsError>(entity.inline_policy(cx, name).await?.map(|document| (entity, document)))
    });
    Ok(try_join_all(documents).await?.into_iter().flatten().collect())
}

async fn put(cx: &Context, policy: &Policy) -> Result<PhysicalId, AwsError> {
    let name = name_of(policy);
    let entities = entities_of(policy);
    if let Some(document) = &policy.policy_document {
        for entity in &entities {
            entity.put_policy(cx, name, document).await?;
        }
    }
    Ok(id(name, &entities))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identifier_says_whom_the_policy_is_on() {
        let entities = BTreeSet::from([
            Entity::User("jo".to_owned()),
            Entity::Role("worker".to_owned()),
            Entity::Group("ops".to_owned()),
        ]);
        let id = id("queue", &entities);
        assert_eq!(id.as_str(), "queue|group/ops|role/worker|user/jo");
        assert_eq!(parse(&id).expect("an identifier"), ("queue", entities));
        assert!(parse(&PhysicalId::from("queue|robot/x")).is_err());
    }
}
