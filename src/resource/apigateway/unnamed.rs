//! Creating what has no unique name: nothing but our own care keeps a second copy from being made.

use aws_sdk_apigateway::config::{Builder, Config};
use aws_smithy_types::retry::RetryConfig;

use crate::aws::Context;
use crate::aws::error::{AwsError, ErrorClass};
use crate::aws::wait::Patience;

/// Looks for the thing and creates it where it is not there, and looks again each time an answer is lost: what was asked may
/// have been done. The call in `create` must be made [`without_repeats`].
pub async fn create_once<T, Found, Created>(
    cx: &Context,
    find: impl Fn() -> Found,
    create: impl Fn() -> Created,
) -> Result<T, AwsError>
where
    Found: Future<Output = Result<Option<T>, AwsError>>,
    Created: Future<Output = Result<T, AwsError>>,
{
    cx.while_passing(Patience::seconds(30), may_be_done, || async {
        match find().await? {
            Some(found) => Ok(found),
            None => create().await,
        }
    })
    .await
}

/// What keeps the SDK from repeating a call by itself: `create.customize().config_override(without_repeats())`.
pub fn without_repeats() -> Builder {
    Config::builder().retry_config(RetryConfig::disabled())
}

fn may_be_done(error: &AwsError) -> bool {
    matches!(error.class, ErrorClass::Unreachable | ErrorClass::Service)
}
