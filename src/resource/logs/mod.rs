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
use crate::aws::error::AwsError;
use crate::aws::wait::Patience;

/// Repeats a write while another one of the same log group is under way.
async fn when_idle<T, F>(cx: &Context, call: impl FnMut() -> F) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, AwsError>>,
{
    cx.while_passing(Patience::seconds(60), |error| error.code == "OperationAbortedException", call).await
}
