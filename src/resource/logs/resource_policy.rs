//! `AWS::Logs::ResourcePolicy`: one of an account's ten in a region. Found by name, which replaces it. It cannot carry a mark.

use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types as sdk;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope, pages};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::policy_document::PolicyDocument;
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct LogsResourcePolicy;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct ResourcePolicy {
    pub policy_name: String,
    pub policy_document: Option<PolicyDocument>,
}

impl Handler for LogsResourcePolicy {
    const TYPE: &'static str = "AWS::Logs::ResourcePolicy";
    const FOUND_BY: &'static [&'static str] = &["PolicyName"];
    type Properties = ResourcePolicy;

    fn predict(_scope: &Scope, policy: &ResourcePolicy) -> Attributes {
        referred(&policy.policy_name, [])
    }

    async fn find(cx: &Context, _owner: &Owner, policy: &ResourcePolicy) -> Result<Option<PhysicalId>, AwsError> {
        let id = PhysicalId::from(policy.policy_name.as_str());
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<ResourcePolicy>>, AwsError> {
        let policies = listed(cx).await?;
        let live = policies.iter().find(|policy| policy.policy_name() == Some(id.as_str()));
        Ok(live.map(|live| {
            let document = live.policy_document().map(|text| PolicyDocument::new(text.into()));
            let policy = ResourcePolicy { policy_name: id.as_str().to_owned(), policy_document: document };
            Live::unmarkable(policy, referred(id.as_str(), []))
        }))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        policy: &ResourcePolicy,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        put(cx, policy).await?;
        let id = PhysicalId::from(policy.policy_name.as_str());
        let live = cx.until(DESCRIBE, "the new policy to show", Patience::seconds(30), || Self::read(cx, &id)).await?;
        Ok(Made { attributes: live.attributes, id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        policy: &ResourcePolicy,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put(cx, policy).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.logs.delete_resource_policy().policy_name(id.as_str());
        gone_is_fine(delete.send().await.during("logs.DeleteResourcePolicy"))?;
        cx.until(DESCRIBE, "the policy to be gone", Patience::seconds(30), || async {
            Ok(Self::read(cx, id).await?.is_none().then_some(()))
        })
        .await
    }
}

const DESCRIBE: &str = "logs.DescribeResourcePolicies";

/// The list takes no name: one serves every policy of a survey.
pub(in crate::resource) async fn listed(cx: &Context) -> Result<Arc<Vec<sdk::ResourcePolicy>>, AwsError> {
    cx.once(DESCRIBE, "", || async {
        let policies = pages::all(async |token| {
            let page = cx.logs.describe_resource_policies().set_next_token(token).send().await.during(DESCRIBE)?;
            Ok((page.resource_policies, page.next_token))
        });
        policies.await.map(Arc::new)
    })
    .await
}

async fn put(cx: &Context, policy: &ResourcePolicy) -> Result<(), AwsError> {
    let document = policy.policy_document.as_ref().map(PolicyDocument::to_json);
    let put = cx.logs.put_resource_policy().policy_name(&policy.policy_name).set_policy_document(document);
    put.send().await.during("logs.PutResourcePolicy")?;
    Ok(())
}
