//! What an account and its functions can take, as AWS says it. Changes nothing.

use aws_sdk_cloudwatch::types::{Datapoint, Dimension, Statistic};
use jiff::Timestamp;

use crate::aws::Context;
use crate::aws::error::{AwsError, During, absent_is_none};
use crate::capacity::Account;

/// The account's concurrency, and what others than these functions have reserved of it.
pub async fn account(cx: &Context, functions: impl IntoIterator<Item = &String>) -> Result<Account, AwsError> {
    let settings = cx.lambda.get_account_settings().send().await.during("lambda.GetAccountSettings")?;
    let Some(limit) = settings.account_limit else { return Ok(Account::DEFAULT) };
    let concurrency = f64::from(limit.concurrent_executions);
    let unreserved = limit.unreserved_concurrent_executions.map_or(concurrency, f64::from);
    let mut own = 0.0;
    for function in functions {
        let asked = cx.lambda.get_function_concurrency().function_name(function).send().await;
        let answer = absent_is_none(asked.during("lambda.GetFunctionConcurrency"))?;
        own += answer.and_then(|it| it.reserved_concurrent_executions).map_or(0.0, f64::from);
    }
    Ok(Account { concurrency, is_read: true, reserved_elsewhere: (concurrency - unreserved - own).max(0.0) })
}

/// The mean duration of a function's runs in seconds; `None` where there were none.
pub async fn mean_duration(
    cx: &Context,
    function: &str,
    since: Timestamp,
    until: Timestamp,
) -> Result<Option<f64>, AwsError> {
    let asked = cx
        .cloudwatch
        .get_metric_statistics()
        .namespace("AWS/Lambda")
        .metric_name("Duration")
        .dimensions(Dimension::builder().name("FunctionName").value(function).build())
        .start_time(aws_smithy_types::DateTime::from_millis(since.as_millisecond()))
        .end_time(aws_smithy_types::DateTime::from_millis(until.as_millisecond()))
        .period(86_400)
        .statistics(Statistic::Sum)
        .statistics(Statistic::SampleCount)
        .send();
    let answer = asked.await.during("cloudwatch.GetMetricStatistics")?;
    let of_all = |of: fn(&Datapoint) -> Option<f64>| answer.datapoints().iter().filter_map(of).sum::<f64>();
    let (milliseconds, runs) = (of_all(Datapoint::sum), of_all(Datapoint::sample_count));
    Ok((runs > 0.0).then(|| milliseconds / runs / 1_000.0))
}
