//! `AWS::ApiGateway::Account`: the role with which API Gateway writes logs, one for all APIs of a region, whoever made them.
//! Nothing replaces it.
//!
//! CloudFormation's identifier says nothing of the role. Here it carries the role that was set, so that a delete takes away
//! that one and no other that somebody has set since.

use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::apigateway::patch::replace;
use crate::resource::apigateway::{joined, parts, patch};
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct ApiGatewayAccount;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    #[serde(rename = "CloudWatchRoleArn")]
    pub cloudwatch_role_arn: Option<String>,
}

impl Account {
    fn role(&self) -> Result<&str, AwsError> {
        let message = "an account without `CloudWatchRoleArn` sets nothing: give it a role, or leave the resource out";
        let missing = || AwsError::new("apigateway.UpdateAccount", ErrorClass::Invalid, message);
        self.cloudwatch_role_arn.as_deref().filter(|role| !role.is_empty()).ok_or_else(missing)
    }
}

const NAME: &str = "account";

impl Handler for ApiGatewayAccount {
    const TYPE: &'static str = "AWS::ApiGateway::Account";
    const FOUND_BY: &'static [&'static str] = &[];
    type Properties = Account;

    fn predict(_scope: &Scope, _account: &Account) -> Attributes {
        attributes()
    }

    /// The setting is the account's: only with the role that is wanted is it taken for ours.
    async fn find(cx: &Context, _owner: &Owner, account: &Account) -> Result<Option<PhysicalId>, AwsError> {
        let live = live_role(cx).await?.filter(|role| account.cloudwatch_role_arn.as_ref() == Some(role));
        Ok(live.map(|role| joined([NAME, &role])))
    }

    async fn read(cx: &Context, _id: &PhysicalId) -> Result<Option<Live<Account>>, AwsError> {
        let role = live_role(cx).await?;
        Ok(role.map(|role| Live::unmarkable(Account { cloudwatch_role_arn: Some(role) }, attributes())))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        account: &Account,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let role = account.role()?;
        if left.is_none() {
            set_role(cx, role).await?;
        }
        Ok(Made { id: joined([NAME, role]), attributes: attributes() })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        _id: &PhysicalId,
        account: &Account,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let role = account.role()?;
        set_role(cx, role).await?;
        Ok(joined([NAME, role]))
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [_, ours] = parts(id)?;
        if live_role(cx).await?.as_deref() == Some(ours) {
            set_role(cx, "").await?;
        }
        Ok(())
    }
}

async fn live_role(cx: &Context) -> Result<Option<String>, AwsError> {
    let answer = cx.apigateway.get_account().send().await.during("apigateway.GetAccount")?;
    Ok(answer.cloudwatch_role_arn.filter(|role| !role.is_empty()))
}

/// Sets the role, or none. One call every 20 seconds is granted, so a role that is too fresh is tried seldom.
async fn set_role(cx: &Context, role: &str) -> Result<(), AwsError> {
    let update = cx.apigateway.update_account().patch_operations(replace("/cloudwatchRoleArn", role));
    let update = || async { update.clone().send().await.during("apigateway.UpdateAccount").map(drop) };
    cx.while_passing(Patience::backing_off(150), is_fresh_role, || patch::write(cx, NAME, update)).await
}

/// A role, or a policy of it, that was made a moment ago.
fn is_fresh_role(error: &AwsError) -> bool {
    error.says("BadRequestException", "The role ARN does not have required permissions")
        || error.says("BadRequestException", "could not successfully write to CloudWatch Logs")
}

fn attributes() -> Attributes {
    referred(NAME, [("Id", NAME.to_owned())])
}
