//! Which changes come from a replacement: they name what the replaced resource is no longer. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::identity::LogicalId;
use crate::plan::{Action, Cause, Known, Step};
use crate::unknown;

/// What a replaced resource was called, and what it will be called.
struct Renamed {
    logical_id: LogicalId,
    before: String,
    after: String,
}

/// Says of every change which replacements it follows; `known` is what each resource's attributes will be.
pub(super) fn explain(steps: &mut [Step], known: &Known) {
    let renamed: Vec<Renamed> = steps.iter().flat_map(|step| renamed(step, known)).collect();
    for step in steps {
        let Step { logical_id, action, .. } = step;
        let (Action::Adopt { changes } | Action::Update { changes } | Action::Replace { changes, .. }) = action else {
            continue;
        };
        for change in changes.iter_mut().filter(|change| change.cause != Cause::Drift) {
            let says = |side: &Option<Value>, words: &str| side.as_ref().is_some_and(|value| mentions(value, words));
            let is_it = |it: &&Renamed| {
                &it.logical_id != logical_id && says(&change.live, &it.before) && says(&change.desired, &it.after)
            };
            change.follows = renamed.iter().filter(is_it).map(|it| it.logical_id.clone()).collect::<BTreeSet<_>>();
        }
    }
}

/// The attributes of a replaced resource that others will see change. What is short may stand anywhere by chance.
fn renamed(step: &Step, known: &Known) -> Vec<Renamed> {
    const SHORTEST: usize = 4;
    let (Action::Replace { .. }, Some(live)) = (&step.action, &step.live) else { return Vec::new() };
    let after = known.get(&step.logical_id);
    let renamed = live.attributes.iter().filter_map(|(name, before)| {
        let before = text(before);
        let after = after.and_then(|attributes| attributes.get(name)).map(text);
        let after = after.unwrap_or_else(|| unknown::attribute(&step.logical_id, name));
        let is_told = before.len() >= SHORTEST && before != after;
        is_told.then(|| Renamed { logical_id: step.logical_id.clone(), before, after })
    });
    renamed.collect()
}

fn mentions(value: &Value, words: &str) -> bool {
    match value {
        Value::String(text) => text.contains(words),
        Value::Array(items) => items.iter().any(|item| mentions(item, words)),
        Value::Object(fields) => fields.values().any(|field| mentions(field, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::fake::line::{Account, desired};

    /// A topic that is told by its ARN, and a queue that nothing names.
    fn template(topic: &str, delay: u32) -> String {
        format!(
            "
Resources:
  News: {{Type: AWS::SNS::Topic, Properties: {{TopicName: {topic}}}}}
  Orders: {{Type: AWS::SQS::Queue, Properties: {{QueueName: orders, DelaySeconds: {delay}}}}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: age
      AlarmActions: [!Ref News]
      ComparisonOperator: GreaterThanThreshold
      EvaluationPeriods: 1
      MetricName: Age
      Namespace: Orders
      Period: 60
      Statistic: Maximum
      Threshold: {delay}
"
        )
    }

    #[test]
    fn what_names_a_replaced_resource_follows_it_and_nothing_else_does() {
        let account = Account::default();
        account.apply(&desired(&template("news", 1))).expect("nothing crashes");
        let plan = account.plan(&desired(&template("news-v2", 2)));
        let news = "News".into();
        let following: Vec<&str> = plan.following(&news).map(|step| step.logical_id.as_str()).collect();
        assert_eq!(following, ["Alarm"]);
        let alarm = plan.steps.iter().find(|step| step.logical_id.as_str() == "Alarm").expect("it is planned");
        let follows: Vec<(String, usize)> =
            alarm.changes().iter().map(|change| (change.path.to_string(), change.follows.len())).collect();
        assert_eq!(follows, [("AlarmActions[0]".to_owned(), 1), ("Threshold".to_owned(), 0)]);
    }
}
