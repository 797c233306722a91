//! What is live against what was applied last, whatever the template says by now: what somebody else did. Pure.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::aws::Scope;
use crate::change::Changes;
use crate::desired::Desired;
use crate::identity::{LogicalId, PhysicalId, ResourceType, StackId};
use crate::inventory::{Departed, Inventory};
use crate::plan::SENSITIVE;
use crate::plan::diff::{comparable, contributions};
use crate::property_path::PropertyPath;
use crate::resource::{Contributions, LiveResource, Reading, row};
use crate::state::{Ledger, Record};
use crate::unknown::display_within;

/// Everything that somebody else changed since the last apply.
#[derive(Debug, Clone, Serialize)]
pub struct Drift {
    pub stack: StackId,
    pub scope: Scope,
    pub resources: Vec<Drifted>,
    /// What could not be looked at.
    pub problems: Vec<String>,
}

/// A resource that is no longer as it was applied.
#[derive(Debug, Clone, Serialize)]
pub struct Drifted {
    pub logical_id: LogicalId,
    pub resource_type: ResourceType,
    pub physical_id: PhysicalId,
    pub what: Happened,
    /// Properties whose values are not shown.
    pub secret: BTreeSet<String>,
}

/// What somebody else did to a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happened {
    Changed { changes: Vec<Since> },
    Deleted,
}

/// A property then and now; a secret one as its digest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Since {
    pub path: PropertyPath,
    pub applied: Option<Value>,
    pub live: Option<Value>,
}

impl Drift {
    /// Without all that is not named. Nothing is dropped where nothing is named.
    pub fn only(mut self, targets: &BTreeSet<LogicalId>) -> Self {
        if !targets.is_empty() {
            self.resources.retain(|drifted| targets.contains(&drifted.logical_id));
        }
        self
    }

    /// As it may be shown: without secrets.
    pub fn shown(&self) -> Self {
        let mut shown = self.clone();
        for Drifted { what, secret, .. } in &mut shown.resources {
            let Happened::Changed { changes } = what else { continue };
            for Since { path, applied, live } in changes {
                let is_secret = path.property().is_some_and(|property| secret.contains(property));
                for side in [applied, live] {
                    *side = if is_secret { Some(Value::from(SENSITIVE)) } else { side.as_ref().map(display_within) };
                }
            }
        }
        shown
    }
}

/// Compares what the ledger remembers as applied with what was found.
pub fn drift(desired: &Desired, inventory: &Inventory, ledger: &Ledger) -> Drift {
    let contributions = contributions(desired, inventory);
    let mut drift = Drift {
        stack: desired.stack.clone(),
        scope: desired.scope.clone(),
        resources: Vec::new(),
        problems: inventory.problems.iter().map(ToString::to_string).collect(),
    };
    for (logical_id, record) in &ledger.resources {
        let (Some(physical_id), Some(applied)) = (&record.physical_id, &record.applied) else { continue };
        let what = match reading(desired, inventory, logical_id, record) {
            None => continue,
            Some(Reading::Unreadable(error)) => {
                drift.problems.push(format!("`{logical_id}` could not be read: {error}"));
                continue;
            }
            Some(Reading::Absent) => Happened::Deleted,
            Some(Reading::Live(live)) => match since(record, applied, live, ledger, &contributions) {
                changes if changes.is_empty() => continue,
                changes => Happened::Changed { changes },
            },
        };
        drift.resources.push(Drifted {
            logical_id: logical_id.clone(),
            resource_type: record.resource_type.clone(),
            physical_id: physical_id.clone(),
            what,
            secret: &desired.secret_properties(logical_id) | &record.digested(),
        });
    }
    drift
}

/// What was found where the record says that something is.
fn reading<'a>(
    desired: &Desired,
    inventory: &'a Inventory,
    logical_id: &LogicalId,
    record: &Record,
) -> Option<&'a Reading> {
    let declared = desired.graph.resources.get(logical_id);
    if declared.is_some_and(|resource| resource.resource_type == record.resource_type) {
        return inventory.readings.get(logical_id);
    }
    let is_it = |it: &&Departed| {
        (&it.logical_id, &it.resource_type) == (logical_id, &record.resource_type)
            && it.physical_id == record.physical_id
    };
    inventory.departed.iter().find(is_it).map(|departed| &departed.reading)
}

/// What differs, without what the service never shows again.
fn since(
    record: &Record,
    applied: &Value,
    live: &LiveResource,
    ledger: &Ledger,
    contributions: &Contributions,
) -> Vec<Since> {
    let Some(row) = row(&record.resource_type) else { return Vec::new() };
    let digested = record.digested();
    let mut readable = applied.clone();
    for (name, value) in readable.as_object_mut().into_iter().flatten() {
        if let Some(live) = live.properties.get(name).filter(|_| digested.contains(name)) {
            *value = live.clone();
        }
    }
    let live = ledger.without_secrets(&comparable(row, live, &readable, contributions), &digested);
    let changes = Changes::between(applied, &live).0.into_iter();
    let is_readable = |since: &Since| since.live.is_some() || !row.facts().is_write_only(&since.path);
    changes
        .map(|change| Since { path: change.path, applied: change.live, live: change.desired })
        .filter(is_readable)
        .collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::fake::line::{Account, desired, desired_with};
    use crate::plan::{Action, Cause};

    const QUEUE: &str = "AWS::SQS::Queue";

    fn queue(properties: &str) -> String {
        format!("Resources: {{Orders: {{Type: AWS::SQS::Queue, Properties: {{{properties}}}}}}}")
    }

    fn applied(template: &str) -> Account {
        let account = Account::default();
        account.apply(&desired(template)).expect("nothing crashes");
        account
    }

    fn text(drift: &Drift) -> String {
        let mut out = Vec::new();
        crate::cli::view::text::drift(&mut out, drift).expect("memory can be written");
        anstream::adapter::strip_str(&String::from_utf8(out).expect("text")).to_string()
    }

    #[test]
    fn drift_is_what_somebody_else_did_whatever_the_template_says_by_now() {
        let account = applied(&queue("QueueName: orders, DelaySeconds: 1"));
        account.aws.meddle(QUEUE, |queue| queue["VisibilityTimeout"] = json!(60));
        expect![[r"
            Stack `orders-dev` in account 123456789012, us-east-1.

            ~ Orders  AWS::SQS::Queue [https://sqs.us-east-1.amazonaws.com/123456789012/orders]
                      VisibilityTimeout: 30 -> 60

            Drift: 1 resource changed since the last apply.
        "]]
        .assert_eq(&text(&account.drift(&desired(&queue("QueueName: orders, DelaySeconds: 2")))));
    }

    #[test]
    fn after_drift_is_accepted_the_template_is_to_blame() {
        let template = desired(&queue("QueueName: orders"));
        let account = applied(&queue("QueueName: orders"));
        account.aws.meddle(QUEUE, |queue| queue["VisibilityTimeout"] = json!(60));
        account.accept(&account.drift(&template));
        assert!(account.drift(&template).resources.is_empty());
        let plan = account.plan(&template);
        let Action::Update { changes } = &plan.steps[0].action else { panic!("{plan:#?}") };
        assert_eq!((changes.len(), changes[0].cause), (1, Cause::Template));
    }

    #[test]
    fn a_secret_that_drifted_is_told_and_not_shown() {
        const TEMPLATE: &str = "
Parameters: {Secret: {Type: String, NoEcho: true}}
Resources: {News: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Secret}}}";
        let template = desired_with(TEMPLATE, &[("Secret", "hunter2hunter2")]);
        let account = Account::default();
        account.apply(&template).expect("nothing crashes");
        assert!(account.drift(&template).resources.is_empty());
        account.aws.meddle("AWS::SNS::Topic", |topic| topic["DisplayName"] = json!("swordfish"));
        let drift = account.drift(&template);
        assert_eq!(drift.resources.len(), 1);
        account.accept(&drift);
        let said = format!("{}{}{}", text(&drift), crate::cli::view::json::drift(&drift), account.ledgers.text());
        assert!(!said.contains("hunter2") && !said.contains("swordfish"), "{said}");
        assert!(account.drift(&template).resources.is_empty());
    }
}
