//! Amazon CloudWatch Logs.

pub mod account_policy;
pub mod destination;
pub mod log_anomaly_detector;
pub mod log_group;
pub mod log_stream;
pub mod metric_filter;
pub mod query_definition;
pub mod resource_policy;
pub mod subscription_filter;
mod tagging;

use crate::aws::Context;
use crate::aws::error::{AwsError, ErrorClass};
use crate::aws::wait::Patience;
use crate::identity::PhysicalId;

/// A log group's name, and that of what is in it. The group's has no `|` in it; the other may.
fn in_group<'a>(id: &'a PhysicalId, operation: &'static str, what: &str) -> Result<[&'a str; 2], AwsError> {
    let parts = id.as_str().split_once('|').map(Into::into);
    let message = || format!("`{id}` is no identifier of a {what}: it would be `log group|name`");
    parts.ok_or_else(|| AwsError::new(operation, ErrorClass::Invalid, message()))
}

/// The filters of one log group are written one at a time.
fn turn_of(group: &str) -> String {
    format!("log group {group}")
}

/// Repeats a write while another one of the same log group is under way.
async fn when_idle<T, F>(cx: &Context, call: impl FnMut() -> F) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, AwsError>> + Send,
{
    cx.while_passing(Patience::seconds(60), |error| error.code == "OperationAbortedException", call).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filters_name_may_have_a_bar_in_it() {
        let parts =
            |id: &'static str| in_group(&PhysicalId::from(id), "test", "metric filter").map(|it| it.map(str::to_owned));
        assert_eq!(parts("/aws/lambda/f|a|b").unwrap(), ["/aws/lambda/f", "a|b"]);
        assert!(parts("f").is_err());
    }
}
