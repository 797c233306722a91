//! `AWS::Logs::AccountPolicy`: a policy for all log groups of an account in a region. Found by type and name, which replace it.
//! It cannot carry a mark.

use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types as sdk;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope, pages};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::{Attributes, Handler, Live, Made, Owner, json_text, referred};

pub struct LogsAccountPolicy;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct AccountPolicy {
    pub policy_name: String,
    pub policy_type: String,
    /// JSON; what only differs in how it is written is equal.
    #[serde(deserialize_with = "json_text::deserialize")]
    pub policy_document: Option<Value>,
    pub scope: String,
    pub selection_criteria: Option<String>,
}

impl Default for AccountPolicy {
    fn default() -> Self {
        Self {
            policy_name: String::new(),
            policy_type: String::new(),
            policy_document: None,
            scope: "ALL".to_owned(),
            selection_criteria: None,
        }
    }
}

impl Handler for LogsAccountPolicy {
    const TYPE: &'static str = "AWS::Logs::AccountPolicy";
    const FOUND_BY: &'static [&'static str] = &["PolicyName", "PolicyType"];
    type Properties = AccountPolicy;

    fn complete(policy: &mut AccountPolicy) {
        policy.selection_criteria.take_if(|criteria| criteria.is_empty());
    }

    fn predict(scope: &Scope, policy: &AccountPolicy) -> Attributes {
        attributes_of(scope, &id_of(policy))
    }

    async fn find(cx: &Context, _owner: &Owner, policy: &AccountPolicy) -> Result<Option<PhysicalId>, AwsError> {
        let id = id_of(policy);
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<AccountPolicy>>, AwsError> {
        let [policy_type, name] = parts(id)?;
        let policies = listed(cx, policy_type).await?;
        let live = policies.iter().find(|policy| policy.policy_name() == Some(name)).cloned();
        Ok(live.map(|live| {
            let document = live.policy_document.unwrap_or_default();
            let policy = AccountPolicy {
                policy_name: name.to_owned(),
                policy_type: policy_type.to_owned(),
                policy_document: Some(serde_json::from_str(&document).unwrap_or(Value::String(document))),
                scope: live.scope.map_or("ALL".to_owned(), |scope| scope.as_str().to_owned()),
                selection_criteria: live.selection_criteria,
            };
            Live::unmarkable(policy, attributes_of(&cx.scope, id))
        }))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        policy: &AccountPolicy,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        put(cx, policy).await?;
        let id = id_of(policy);
        cx.until(DESCRIBE, "the new policy to show", Patience::seconds(60), || Self::read(cx, &id)).await?;
        Ok(Made { attributes: attributes_of(&cx.scope, &id), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        policy: &AccountPolicy,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put(cx, policy).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [policy_type, name] = parts(id)?;
        let delete = cx.logs.delete_account_policy().policy_type(policy_type.into()).policy_name(name);
        gone_is_fine(delete.send().await.during("logs.DeleteAccountPolicy"))?;
        cx.until(DESCRIBE, "the policy to be gone", Patience::seconds(60), || async {
            Ok(Self::read(cx, id).await?.is_none().then_some(()))
        })
        .await
    }
}

const DESCRIBE: &str = "logs.DescribeAccountPolicies";

/// The account's policies of a type: one list serves every policy of a survey.
async fn listed(cx: &Context, policy_type: &str) -> Result<Arc<Vec<sdk::AccountPolicy>>, AwsError> {
    cx.once(DESCRIBE, policy_type, || async {
        let policies = pages::all(async |token| {
            let describe = cx.logs.describe_account_policies().policy_type(policy_type.into());
            let answer = found(DESCRIBE, describe.set_next_token(token).send().await)?;
            Ok(answer.map(|answer| (answer.account_policies, answer.next_token)).unwrap_or_default())
        });
        policies.await.map(Arc::new)
    })
    .await
}

/// Replaces the whole policy, or makes it.
async fn put(cx: &Context, policy: &AccountPolicy) -> Result<(), AwsError> {
    let put = cx
        .logs
        .put_account_policy()
        .policy_name(&policy.policy_name)
        .policy_type(policy.policy_type.as_str().into())
        .policy_document(json_text::written(policy.policy_document.as_ref()))
        .scope(policy.scope.as_str().into())
        .set_selection_criteria(policy.selection_criteria.clone());
    put.send().await.during("logs.PutAccountPolicy").map(drop)
}

fn id_of(policy: &AccountPolicy) -> PhysicalId {
    PhysicalId::join([policy.policy_type.as_str(), &policy.policy_name])
}

fn parts(id: &PhysicalId) -> Result<[&str; 2], AwsError> {
    id.parts().ok_or_else(|| {
        let message = format!("`{id}` is no identifier of the form `PolicyType|PolicyName`");
        AwsError::new(DESCRIBE, ErrorClass::Invalid, message)
    })
}

/// What `Ref` gives is CloudFormation's own identifier, which begins with the account.
fn attributes_of(scope: &Scope, id: &PhysicalId) -> Attributes {
    referred(format!("{}|{id}", scope.account_id), [("AccountId", scope.account_id.clone())])
}
