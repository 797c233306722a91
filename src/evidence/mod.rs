//! Evidence for PCI DSS v4.0.1 from what is live: which field says what, and which call has read it. Pure.
//!
//! It is evidence for an assessment and not its result: whether a requirement is met is for an assessor to say.

mod compare;
pub mod controls;
mod imported;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::Scope;
use crate::desired::{Desired, of_type};
use crate::identity::{LogicalId, PhysicalId, StackId};
use crate::inventory::Inventory;
use crate::plan::{Action, Plan, SENSITIVE};
use crate::policy::Finding;
use crate::resolved::Resolved;
use crate::resource::Reading;

pub use compare::{Comparison, Difference, Side, compare};
use controls::{AS_DECLARED, AS_DECLARED_DEMAND, AS_DECLARED_REQUIREMENTS, Around, CONTROLS, Control};

/// What one field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pass,
    Fail,
    /// The template says why it does not count here.
    Exempt,
    /// It could not be read.
    Unreadable,
}

/// A call that has read what is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBy {
    /// `dynamodb.DescribeTable`.
    pub operation: String,
    /// By which AWS's own logs know it.
    pub request_id: Option<String>,
    pub at: Timestamp,
}

/// A live field, what it has to be, and whether it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub control: String,
    pub requirements: Vec<String>,
    /// What has to hold, as a sentence.
    pub demand: String,
    pub resource: LogicalId,
    pub resource_type: String,
    pub physical_id: Option<PhysicalId>,
    /// Empty for the resource as a whole.
    pub field: String,
    pub expected: String,
    pub live: Value,
    pub status: Status,
    /// Why it is exempt or could not be read, or what differs.
    pub reason: Option<String>,
    pub read_by: Vec<ReadBy>,
}

/// All that one run has found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub version: u32,
    pub standard: String,
    pub stack: StackId,
    pub scope: Scope,
    pub at: Timestamp,
    pub evidence: Vec<Evidence>,
}

/// Counts incompatible changes of the report's shape.
pub const VERSION: u32 = 1;
pub const STANDARD: &str = "PCI DSS v4.0.1";

/// What a report is made of.
pub struct Seen<'a> {
    pub desired: &'a Desired,
    pub inventory: &'a Inventory,
    /// What would have to change so that all is as the template says.
    pub plan: &'a Plan,
    /// What the template is let off, among other things.
    pub findings: &'a [Finding],
    pub read_by: &'a BTreeMap<LogicalId, Vec<ReadBy>>,
    pub at: Timestamp,
}

/// Holds every control against what is live.
pub fn report(seen: &Seen<'_>) -> Report {
    let resolved = Resolved::new(seen.desired);
    let mut evidence: Vec<Evidence> =
        CONTROLS.iter().flat_map(|control| of_control(control, seen, &resolved)).collect();
    evidence.extend(as_declared(seen));
    Report {
        version: VERSION,
        standard: STANDARD.to_owned(),
        stack: seen.desired.stack.clone(),
        scope: seen.desired.scope.clone(),
        at: seen.at,
        evidence,
    }
}

impl Report {
    pub fn count(&self, status: Status) -> usize {
        self.evidence.iter().filter(|evidence| evidence.status == status).count()
    }

    /// The requirements that there is evidence for, in their order, each with it.
    pub fn by_requirement(&self) -> Vec<(&'static str, &'static str, Vec<&Evidence>)> {
        let of = |number: &str| {
            self.evidence.iter().filter(|it| it.requirements.iter().any(|it| it == number)).collect::<Vec<_>>()
        };
        let all = controls::REQUIREMENTS.iter().map(|(number, title)| (*number, *title, of(number)));
        all.filter(|(_, _, evidence)| !evidence.is_empty()).collect()
    }
}

fn of_control(control: &Control, seen: &Seen<'_>, resolved: &Resolved<'_>) -> Vec<Evidence> {
    let of_type = || of_type(&seen.desired.graph, control.resource_type);
    let live: Vec<(&LogicalId, &Value)> = of_type()
        .filter_map(|resource| match seen.inventory.readings.get(&resource.logical_id)? {
            Reading::Live(live) => Some((&resource.logical_id, &live.properties)),
            Reading::Absent | Reading::Unreadable(_) => None,
        })
        .collect();
    let today = seen.at.strftime("%Y-%m-%d").to_string();
    let declared = of_type().map(|resource| {
        let mut evidence = unseen(control, &resource.logical_id, seen);
        let Some(Reading::Live(found)) = seen.inventory.readings.get(&resource.logical_id) else { return evidence };
        evidence.physical_id = Some(found.id.clone());
        let value = if control.field.is_empty() { &found.properties } else { &found.properties[control.field] };
        let others = live.iter().filter(|(id, _)| **id != resource.logical_id);
        let others: Vec<&Value> = others.map(|(_, properties)| *properties).collect();
        let is_as_declared = !differs(&resource.logical_id, control.field, seen.plan);
        let around = Around { today: &today, own: &found.properties, is_as_declared, others: &others };
        let holds = (control.holds)(value, &around);
        evidence.status = if holds { Status::Pass } else { Status::Fail };
        evidence.reason = None;
        evidence.live = without_secrets(value, control.field, &resource.logical_id, seen);
        evidence
    });
    let all = declared.chain(imported::evidence(control, seen, &today));
    all.map(|mut evidence| {
        if evidence.status == Status::Fail
            && let Some(reason) = exemption(control, &evidence.resource, seen, resolved)
        {
            evidence.status = Status::Exempt;
            evidence.reason = Some(reason);
        }
        evidence
    })
    .collect()
}

/// What a control says of a resource that is not live: it is not there, or could not be read.
fn unseen(control: &Control, resource: &LogicalId, seen: &Seen<'_>) -> Evidence {
    let (status, reason) = match seen.inventory.readings.get(resource) {
        Some(Reading::Unreadable(error)) => (Status::Unreadable, error.to_string()),
        Some(Reading::Live(_) | Reading::Absent) | None => (Status::Fail, "it is not there".to_owned()),
    };
    Evidence {
        control: control.id.to_owned(),
        requirements: control.requirements.iter().map(|it| (*it).to_owned()).collect(),
        demand: control.demand.to_owned(),
        resource: resource.clone(),
        resource_type: control.resource_type.to_owned(),
        physical_id: None,
        field: control.field.to_owned(),
        expected: control.expected.to_owned(),
        live: Value::Null,
        status,
        reason: Some(reason),
        read_by: seen.read_by.get(resource).cloned().unwrap_or_default(),
    }
}

/// Whether a plan would change a field.
fn differs(resource: &LogicalId, field: &str, plan: &Plan) -> bool {
    let mut steps = plan.steps.iter().filter(|step| step.logical_id == *resource);
    steps.any(|step| step.changes().iter().any(|change| change.path.property() == Some(field)))
}

/// A field as it may be seen, or all properties, where the field is none.
fn without_secrets(value: &Value, field: &str, resource: &LogicalId, seen: &Seen<'_>) -> Value {
    let secrets = seen.desired.secret_properties(resource);
    if secrets.contains(field) {
        return SENSITIVE.into();
    }
    let mut value = value.clone();
    if let (true, Some(fields)) = (field.is_empty(), value.as_object_mut()) {
        let secret = fields.iter_mut().filter(|(name, _)| secrets.contains(*name));
        secret.for_each(|(_, value)| *value = SENSITIVE.into());
    }
    value
}

/// Why the template is let off the rule that asks for the same. Where the rule is about what the resource is put on, as a
/// queue's policy is on queues, all of that has to be let off.
fn exemption(control: &Control, resource: &LogicalId, seen: &Seen<'_>, resolved: &Resolved<'_>) -> Option<String> {
    let rule = control.rule.as_ref()?;
    let let_off = |id: &LogicalId| {
        let finding = seen.findings.iter().find(|finding| finding.rule == rule.id && finding.resource == *id)?;
        finding.suppressed.clone()
    };
    let Some(property) = rule.about else { return let_off(resource) };
    let on = resolved.subjects().find(|it| it.id() == resource)?;
    let named: Vec<&LogicalId> = resolved
        .subjects()
        .filter(|it| it.id() != resource && it.is_among(&on.declared[property]))
        .map(|it| it.id())
        .collect();
    let reasons: Option<Vec<String>> = named.into_iter().map(let_off).collect();
    reasons.filter(|reasons| !reasons.is_empty()).map(|reasons| reasons.join("; "))
}

/// Of each resource, whether all fields that no control is about are as the template says.
fn as_declared(seen: &Seen<'_>) -> Vec<Evidence> {
    let is_looked_at = |resource_type: &str, field: &str| {
        CONTROLS.iter().any(|it| it.resource_type == resource_type && it.field == field)
    };
    let steps = seen.plan.steps.iter().map(|step| {
        let resource_type = step.resource_type.as_str();
        let mut changed: Vec<String> = step
            .changes()
            .iter()
            .filter_map(|change| {
                let property = change.path.property().unwrap_or_default();
                (!is_looked_at(resource_type, property)).then(|| format!("`{}`", change.path))
            })
            .collect();
        changed.dedup();
        let (status, reason) = match &step.action {
            Action::None | Action::Forget => (Status::Pass, None),
            Action::Create { .. } if is_looked_at(resource_type, "") => (Status::Pass, None),
            Action::Create { .. } => (Status::Fail, Some("it is not there".to_owned())),
            Action::Delete { .. } => {
                (Status::Fail, Some("it is there, and the template does not declare it".to_owned()))
            }
            Action::Blocked { reason, .. } => (Status::Unreadable, Some(reason.clone())),
            Action::Adopt { .. } | Action::Update { .. } | Action::Replace { .. } if changed.is_empty() => {
                (Status::Pass, None)
            }
            Action::Adopt { .. } | Action::Update { .. } | Action::Replace { .. } => {
                (Status::Fail, Some(format!("{} differ", changed.join(", "))))
            }
        };
        Evidence {
            control: AS_DECLARED.to_owned(),
            requirements: AS_DECLARED_REQUIREMENTS.iter().map(|it| (*it).to_owned()).collect(),
            demand: AS_DECLARED_DEMAND.to_owned(),
            resource: step.logical_id.clone(),
            resource_type: resource_type.to_owned(),
            physical_id: step.physical_id.clone(),
            field: String::new(),
            expected: "as the template says".to_owned(),
            live: Value::Null,
            status,
            reason,
            read_by: seen.read_by.get(&step.logical_id).cloned().unwrap_or_default(),
        }
    });
    steps.collect()
}
