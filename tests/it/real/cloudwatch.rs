use super::{APPLY, Scene};

/// So many alarms.
fn alarms(number: usize) -> String {
    let alarm = |number| {
        format!(
            "  Alarm{number}:
    Type: AWS::CloudWatch::Alarm
    Properties: {{Namespace: Orders, MetricName: Errors, Statistic: Sum, Period: 60, EvaluationPeriods: 1, Threshold: 1,
      ComparisonOperator: GreaterThanThreshold}}
"
        )
    };
    let alarms: String = (0..number).map(alarm).collect();
    format!("Resources:\n{alarms}")
}

#[test]
fn alarms_are_put_three_a_second() {
    let scene = Scene::new("cloudwatch-rates", 1.0, &alarms(8));
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}
