//! What of a function has an API of its own.
//!
//! Reserved concurrency comes with GetFunction. Recursion, runtime management and code signing do not, and asking for them
//! would cost three more calls for every function in every plan. So a function that uses one of them says so in the tag
//! [`TAG`], which comes with GetFunction too, and only what the tag names is read. The price: set by somebody else on a
//! function that declares nothing of it, such a setting is not seen.

use aws_sdk_lambda::types::{RecursiveLoop, UpdateRuntimeOn};

use crate::aws::Context;
use crate::aws::error::{AwsError, During, absent_is_none, gone_is_fine};
use crate::aws::wait::Patience;
use crate::resource::lambda::function::properties::{Function, RuntimeManagementConfig};
use crate::resource::lambda::passing::is_busy;
use crate::resource::tags::Tags;

/// The tag that names the settings to read.
const TAG: &str = "paystack:settings";

const CODE_SIGNING: &str = "CodeSigningConfigArn";
const CONCURRENCY: &str = "ReservedConcurrentExecutions";
const RECURSION: &str = "RecursiveLoop";
const RUNTIME_MANAGEMENT: &str = "RuntimeManagementConfig";

/// The properties that a change of the tag goes along with.
pub const TAGGED: [&str; 3] = [CODE_SIGNING, RECURSION, RUNTIME_MANAGEMENT];

/// The template's tags and, where the function uses such settings, the one that names them.
pub fn tags(function: &Function) -> Tags {
    let named: Vec<&str> = TAGGED.into_iter().filter(|setting| is_used(function, setting)).collect();
    let mut tags = function.tags.clone();
    if !named.is_empty() {
        tags.0.insert(TAG.to_owned(), named.join(" "));
    }
    tags
}

/// Whether a new function has to be given the setting.
pub fn is_used(function: &Function, setting: &str) -> bool {
    let unset = Function::default();
    match setting {
        CODE_SIGNING => function.code_signing_config_arn.is_some(),
        CONCURRENCY => function.reserved_concurrent_executions.is_some(),
        RECURSION => function.recursive_loop != unset.recursive_loop,
        RUNTIME_MANAGEMENT => function.runtime_management_config != unset.runtime_management_config,
        _ => false,
    }
}

/// Takes the tag out of the tags and reads what it names.
pub async fn read(cx: &Context, name: &str, function: &mut Function) -> Result<(), AwsError> {
    let Some(named) = function.tags.0.remove(TAG) else { return Ok(()) };
    let is_named = |setting: &str| named.split(' ').any(|name| name == setting);
    if is_named(CODE_SIGNING) {
        let get = cx.lambda.get_function_code_signing_config().function_name(name);
        let answer = get.send().await.during("lambda.GetFunctionCodeSigningConfig")?;
        function.code_signing_config_arn = Some(answer.code_signing_config_arn).filter(|arn| !arn.is_empty());
    }
    if is_named(RECURSION) {
        let get = cx.lambda.get_function_recursion_config().function_name(name);
        let answer = absent_is_none(get.send().await.during("lambda.GetFunctionRecursionConfig"))?;
        if let Some(recursion) = answer.and_then(|answer| answer.recursive_loop) {
            function.recursive_loop = recursion.as_str().to_owned();
        }
    }
    if is_named(RUNTIME_MANAGEMENT) {
        let get = cx.lambda.get_runtime_management_config().function_name(name);
        let answer = get.send().await.during("lambda.GetRuntimeManagementConfig")?;
        if let Some(update_runtime_on) = answer.update_runtime_on {
            function.runtime_management_config = RuntimeManagementConfig {
                update_runtime_on: update_runtime_on.as_str().to_owned(),
                runtime_version_arn: answer.runtime_version_arn,
            };
        }
    }
    Ok(())
}

/// Writes the settings that differ; one that the template leaves out is put back to what a new function has.
pub async fn write(
    cx: &Context,
    name: &str,
    function: &Function,
    differs: impl Fn(&str) -> bool,
) -> Result<(), AwsError> {
    if differs(CODE_SIGNING) {
        sign(cx, name, function.code_signing_config_arn.as_deref()).await?;
    }
    if differs(CONCURRENCY) {
        reserve(cx, name, function.reserved_concurrent_executions).await?;
    }
    if differs(RECURSION) {
        let put = cx.lambda.put_function_recursion_config().function_name(name);
        let put = put.recursive_loop(RecursiveLoop::from(function.recursive_loop.as_str()));
        put.send().await.during("lambda.PutFunctionRecursionConfig")?;
    }
    if differs(RUNTIME_MANAGEMENT) {
        let config = &function.runtime_management_config;
        let put = cx.lambda.put_runtime_management_config().function_name(name);
        let put = put
            .update_runtime_on(UpdateRuntimeOn::from(config.update_runtime_on.as_str()))
            .set_runtime_version_arn(config.runtime_version_arn.clone());
        cx.while_passing(Patience::seconds(120), is_busy, || async {
            put.clone().send().await.during("lambda.PutRuntimeManagementConfig")
        })
        .await?;
    }
    Ok(())
}

async fn sign(cx: &Context, name: &str, arn: Option<&str>) -> Result<(), AwsError> {
    let Some(arn) = arn else {
        let delete = cx.lambda.delete_function_code_signing_config().function_name(name);
        return gone_is_fine(delete.send().await.during("lambda.DeleteFunctionCodeSigningConfig"));
    };
    let put = cx.lambda.put_function_code_signing_config().function_name(name).code_signing_config_arn(arn);
    put.send().await.during("lambda.PutFunctionCodeSigningConfig").map(drop)
}

async fn reserve(cx: &Context, name: &str, executions: Option<i32>) -> Result<(), AwsError> {
    let Some(executions) = executions else {
        let delete = cx.lambda.delete_function_concurrency().function_name(name);
        return gone_is_fine(delete.send().await.during("lambda.DeleteFunctionConcurrency"));
    };
    let put = cx.lambda.put_function_concurrency().function_name(name).reserved_concurrent_executions(executions);
    match put.send().await.during("lambda.PutFunctionConcurrency") {
        Err(error) if error.says("InvalidParameterValueException", "UnreservedConcurrentExecution") => {
            Err(with_quota(cx, error).await)
        }
        answer => answer.map(drop),
    }
}

/// The service names the floor and not what the account has: that takes one more look, which may fail without harm.
async fn with_quota(cx: &Context, mut error: AwsError) -> AwsError {
    let limit = cx.lambda.get_account_settings().send().await.ok().and_then(|answer| answer.account_limit);
    if let Some(limit) = limit {
        error.message += &format!(
            "; the account may run {} executions at once, of which {} are not reserved",
            limit.concurrent_executions,
            limit.unreserved_concurrent_executions.unwrap_or_default()
        );
    }
    error.message += "; lower `ReservedConcurrentExecutions` or leave it out, or ask AWS to raise the quota \
                      `Concurrent executions` of Lambda";
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_names_in_a_tag_only_the_settings_that_it_uses() {
        assert_eq!(tags(&Function::default()), Tags::default());
        let function = Function { recursive_loop: "Allow".to_owned(), ..Function::default() };
        assert_eq!(tags(&function).0[TAG], "RecursiveLoop");
    }
}
