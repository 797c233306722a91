//! How many environments Lambda keeps ready for a version or an alias. What is being made ready takes minutes.

use aws_sdk_lambda::types::ProvisionedConcurrencyStatusEnum as Status;
use serde::{Deserialize, Serialize};

use crate::aws::Context;
use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::resource::lambda::passing::is_busy;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ProvisionedConcurrency {
    pub provisioned_concurrent_executions: i32,
}

const GET: &str = "lambda.GetProvisionedConcurrencyConfig";

/// What is asked for; a version or an alias without has no such configuration.
pub async fn read(cx: &Context, function: &str, qualifier: &str) -> Result<Option<ProvisionedConcurrency>, AwsError> {
    let get = cx.lambda.get_provisioned_concurrency_config().function_name(function).qualifier(qualifier);
    let executions = found(GET, get.send().await)?.and_then(|it| it.requested_provisioned_concurrent_executions);
    Ok(executions.map(|executions| ProvisionedConcurrency { provisioned_concurrent_executions: executions }))
}

/// Sets or removes it, and waits until what was asked for is ready.
pub async fn write(
    cx: &Context,
    function: &str,
    qualifier: &str,
    wanted: Option<&ProvisionedConcurrency>,
) -> Result<(), AwsError> {
    let Some(wanted) = wanted else {
        let delete = cx.lambda.delete_provisioned_concurrency_config().function_name(function).qualifier(qualifier);
        return gone_is_fine(delete.send().await.during("lambda.DeleteProvisionedConcurrencyConfig"));
    };
    let put = cx.lambda.put_provisioned_concurrency_config().function_name(function).qualifier(qualifier);
    let put = put.provisioned_concurrent_executions(wanted.provisioned_concurrent_executions);
    cx.while_passing(Patience::seconds(300), is_busy, || async {
        put.clone().send().await.during("lambda.PutProvisionedConcurrencyConfig")
    })
    .await?;
    cx.until(GET, "the provisioned concurrency to be ready", Patience::minutes(900), || async {
        let get = cx.lambda.get_provisioned_concurrency_config().function_name(function).qualifier(qualifier);
        let answer = get.send().await.during(GET)?;
        match answer.status {
            Some(Status::Ready) => Ok(Some(())),
            Some(Status::Failed) => {
                let reason = answer.status_reason.unwrap_or_else(|| "Lambda gives no reason".to_owned());
                Err(AwsError::new(GET, ErrorClass::Invalid, format!("no environments could be made ready: {reason}")))
            }
            _ => Ok(None),
        }
    })
    .await
}
