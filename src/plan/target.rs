//! A plan for some resources only: they, and all that they cannot do without.

use std::collections::BTreeSet;

use crate::identity::LogicalId;
use crate::plan::{Action, ForcedBy, Step};

/// The steps that the targets need, and the names of the others. Without targets, all steps.
pub(super) fn only(steps: Vec<Step>, targets: &BTreeSet<LogicalId>) -> (Vec<Step>, Vec<LogicalId>) {
    if targets.is_empty() {
        return (steps, Vec::new());
    }
    let needed = needed(&steps, targets);
    let (kept, left_out): (Vec<Step>, Vec<Step>) =
        steps.into_iter().partition(|step| needed.contains(&step.logical_id));
    (kept, left_out.into_iter().map(|step| step.logical_id).collect())
}

fn needed(steps: &[Step], targets: &BTreeSet<LogicalId>) -> BTreeSet<LogicalId> {
    let mut needed = targets.clone();
    loop {
        let more: BTreeSet<&LogicalId> = steps.iter().flat_map(|step| neighbours(step, &needed)).collect();
        let more: Vec<LogicalId> = more.into_iter().filter(|id| !needed.contains(*id)).cloned().collect();
        if more.is_empty() {
            return needed;
        }
        needed.extend(more);
    }
}

/// What stays needs what it depends on. What goes needs those gone that depend on it. What is a part goes with its whole.
fn neighbours<'a>(step: &'a Step, needed: &BTreeSet<LogicalId>) -> Vec<&'a LogicalId> {
    let is_needed = needed.contains(&step.logical_id);
    match &step.action {
        Action::Delete { .. } | Action::Forget if !is_needed && step.dependencies.iter().any(|on| needed.contains(on)) => {
            vec![&step.logical_id]
        }
        Action::Delete { .. } | Action::Forget => Vec::new(),
        Action::Replace { forced_by, .. } if !is_needed => {
            let goes_along =
                |it: &ForcedBy| matches!(it, ForcedBy::Parent { logical_id } if needed.contains(logical_id));
            if forced_by.iter().any(goes_along) { vec![&step.logical_id] } else { Vec::new() }
        }
        Action::None
        | Action::Create { .. }
        | Action::Adopt { .. }
        | Action::Update { .. }
        | Action::Replace { .. }
        | Action::Blocked { .. } => {
            if is_needed { step.dependencies.iter().collect() } else { Vec::new() }
        }
    }
}
