//! Calls keep AWS's published rates where they are told to, and are counted.

use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use paystack::aws::clock::{Clock, SystemClock};
use paystack::aws::{ApiRates, Context, LocalAccount, Packages, Target, connect};
use serde_json::{Value, json};

use crate::harness::{Account, Paystack};

const ALARMS: &str = "
Resources:
  Errors:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/Lambda
      MetricName: Errors
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      ComparisonOperator: GreaterThanThreshold
      Threshold: 1
";

#[tokio::test]
async fn six_alarms_take_a_second() {
    let account = Account::fresh();
    let local = LocalAccount { endpoint: account.endpoint().to_owned(), account_id: account.number };
    let target = Target { region: Some("us-east-1".to_owned()), local: Some(local), rates: ApiRates::Everywhere };
    let connection = connect(target).await.expect("the emulator says who we are");
    let clock = Arc::new(SystemClock::start());
    let cx = Context::new(&connection, Packages::new(), Arc::clone(&clock) as Arc<dyn Clock>);
    let put = |number: usize| {
        let alarm = cx.cloudwatch.put_metric_alarm().alarm_name(format!("alarm-{number}"));
        let alarm = alarm.namespace("AWS/Lambda").metric_name("Errors").statistic("Sum".into()).period(60);
        alarm.evaluation_periods(1).threshold(1.0).comparison_operator("GreaterThanThreshold".into()).send()
    };
    let start = clock.monotonic();
    try_join_all((0..6).map(put)).await.expect("the emulator takes alarms");
    assert!(clock.monotonic() - start >= Duration::from_secs(1));
    assert_eq!(cx.calls.so_far().by_service(), [("cloudwatch", 6)]);
}

#[test]
fn a_run_tells_what_it_asked_of_aws() {
    let (account, paystack) = (Account::fresh(), Paystack::in_empty_directory());
    paystack.write("alarms.yaml", ALARMS);
    let of = |arguments: &[&str], rates: &str| {
        let stack = ["--template", "alarms.yaml", "--stack", "alarms"];
        let mut command = paystack.command(&account, &[arguments, &stack].concat());
        command.env("PAYSTACK_API_RATES", rates);
        paystack.run_command(command)
    };
    let applied = of(&["apply", "--auto-approve", "--format", "json"], "aws").exits(0).last_json();
    assert_eq!(
        applied.pointer("/calls/cloudwatch/PutMetricAlarm"),
        Some(&json!({"attempts": 1, "retries": 0, "waits": 0}))
    );
    let planned = of(&["plan", "--format", "json"], "").exits(0).json();
    assert_eq!(planned.pointer("/calls/cloudwatch/PutMetricAlarm"), None::<&Value>);
    let planned = of(&["plan"], "").exits(0);
    assert!(planned.stderr.contains(" to AWS (cloudwatch "), "{}", planned.stderr);
    let refused = of(&["plan"], "fast").exits(1);
    assert!(refused.stderr.contains("error: `PAYSTACK_API_RATES` is `fast`"), "{}", refused.stderr);
}
