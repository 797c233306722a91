//! The difference between what is wanted and what is there. Pure: a desired state, an inventory and a ledger go in, a plan
//! comes out, and what cannot be planned is a blocked entry in it.

mod code;
pub mod destruction;
mod diff;
mod drift;
pub(crate) mod evidence;
mod follows;
mod holds;
mod legible;
pub mod loss;
mod remarks;
pub mod residue;
pub mod saved;
pub mod served;
mod shown;
#[cfg(test)]
mod tampering_tests;
mod target;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::Scope;
use crate::change::Changes;
use crate::identity::{ByName, LogicalId, PhysicalId, ResourceType, StackId};
use crate::inventory::Gone;
use crate::package::CodeChange;
use crate::property_path::PropertyPath;
use crate::resource::LiveResource;

pub use diff::diff;
pub use drift::{Drift, Drifted, Happened, Since, drift};
pub use loss::Loss;
pub use remarks::Remarks;
pub use shown::SENSITIVE;

/// What has to happen so that AWS is as the template says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    pub stack: StackId,
    pub scope: Scope,
    /// Resources of the template in order of dependency, then what has departed.
    pub steps: Vec<Step>,
    /// What is not planned, because others are targeted.
    pub left_out: Vec<Step>,
    /// What could not be looked for; the plan may lack something.
    pub problems: Vec<String>,
    /// What there is to know beside the steps.
    #[serde(default)]
    pub remarks: Remarks,
}

/// One resource and what happens to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Step {
    pub logical_id: LogicalId,
    pub resource_type: ResourceType,
    pub action: Action,
    /// The properties as far as they are known; `None` for what goes.
    pub desired: Option<Arc<Value>>,
    #[serde(skip)]
    pub live: Option<LiveResource>,
    pub physical_id: Option<PhysicalId>,
    /// What this waits for.
    pub dependencies: BTreeSet<LogicalId>,
    /// What the live resource holds on to among what goes: none of that goes before this is changed, or gone.
    pub holds: BTreeMap<LogicalId, Hold>,
    /// Nobody remembers what depended on it: it goes when all else is done.
    pub goes_last: bool,
    /// Properties whose values are not shown.
    pub secret: BTreeSet<String>,
    /// What goes with the resource and does not come back, counted live.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Loss>,
    /// What changes in the files of its package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeChange>,
}

impl Step {
    /// A step of which nothing more is known.
    pub fn new(logical_id: LogicalId, resource_type: ResourceType, action: Action) -> Self {
        Self {
            logical_id,
            resource_type,
            action,
            desired: None,
            live: None,
            physical_id: None,
            dependencies: BTreeSet::new(),
            holds: BTreeMap::new(),
            goes_last: false,
            secret: BTreeSet::new(),
            losses: Vec::new(),
            code: None,
        }
    }

    /// The properties as far as they are known; none for what goes.
    pub fn properties(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.desired.iter().filter_map(|properties| properties.as_object()).flatten()
    }
}

/// How a live resource holds on to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// It names it by its ARN or its address: the service may refuse to delete what is named.
    Refers,
    /// It waited for it when it was made.
    Waited,
    /// It has a text that is a name or an id of it, and may mean something else: an inline policy can be called like its function.
    Mentions,
}

/// What happens to one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    None,
    Create {
        why: Missing,
    },
    Adopt {
        changes: Vec<Explained>,
    },
    Update {
        changes: Vec<Explained>,
    },
    Replace {
        changes: Vec<Explained>,
        forced_by: Vec<ForcedBy>,
        order: Order,
    },
    Delete {
        why: Gone,
    },
    /// It is remembered, but no longer there: only the memory goes.
    Forget,
    Blocked {
        reason: String,
        help: Option<String>,
    },
}

/// Why a resource is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    New,
    /// It was there when paystack last looked.
    DeletedOutside,
}

/// What makes a replacement necessary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ForcedBy {
    /// The service cannot change it in place.
    Property { path: PropertyPath },
    /// It is a part of another resource that is replaced.
    Parent { logical_id: LogicalId },
    /// The user asked for it.
    Request,
}

/// Which goes first in a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    CreateFirst,
    /// The service takes no second one of that name.
    DeleteFirst,
}

/// A change, and who made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    pub path: PropertyPath,
    pub live: Option<Value>,
    pub desired: Option<Value>,
    pub cause: Cause,
    /// The replaced resources that it follows: it names what they are no longer.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub follows: BTreeSet<LogicalId>,
}

/// Who made a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The template was changed since the last apply.
    Template,
    /// Somebody changed the resource since the last apply.
    Drift,
    Both,
    /// It goes when something that is replaced goes, and comes back with it.
    Replacement,
    /// Nothing is remembered of what was applied last.
    Unrecorded,
}

/// What the user asks for beside what the template says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Foreign resources to take over.
    pub adopt: BTreeSet<LogicalId>,
    /// Resources to replace though nothing forces it.
    pub replace: BTreeSet<LogicalId>,
    /// What has left the template and may go though nothing in AWS says that it is the stack's.
    #[serde(default)]
    pub delete_unmarked: BTreeSet<LogicalId>,
    /// The only resources to plan, with what they need; empty for all.
    pub targets: BTreeSet<LogicalId>,
}

impl Plan {
    /// The steps that do something.
    pub fn touching(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| !matches!(step.action, Action::None))
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.touching().next().is_none()
    }

    /// Whether nothing of the stack is there yet.
    pub fn is_first(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|step| matches!(step.action, Action::Create { .. }))
    }

    pub fn blocked(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.is_blocked())
    }

    pub fn summary(&self) -> Summary {
        let mut summary = Summary { left_out: self.left_out.len(), ..Summary::default() };
        for step in &self.steps {
            match step.action {
                Action::None => {}
                Action::Create { .. } => summary.created += 1,
                Action::Adopt { .. } => summary.adopted += 1,
                Action::Update { .. } => summary.updated += 1,
                Action::Replace { .. } => summary.replaced += 1,
                Action::Delete { .. } => summary.deleted += 1,
                Action::Forget => summary.forgotten += 1,
                Action::Blocked { .. } => summary.blocked += 1,
            }
        }
        summary
    }
}

impl Plan {
    /// The steps that a replacement brings about.
    pub fn following<'a>(&'a self, replaced: &'a LogicalId) -> impl Iterator<Item = &'a Step> {
        self.steps.iter().filter(move |step| &step.logical_id != replaced && step.follows(replaced))
    }
}

impl Step {
    /// The changes, where there are any.
    pub fn changes(&self) -> &[Explained] {
        match &self.action {
            Action::Adopt { changes } | Action::Update { changes } | Action::Replace { changes, .. } => changes,
            Action::None | Action::Create { .. } | Action::Delete { .. } | Action::Forget | Action::Blocked { .. } => {
                &[]
            }
        }
    }

    fn follows(&self, replaced: &LogicalId) -> bool {
        let is_parent = |it: &ForcedBy| matches!(it, ForcedBy::Parent { logical_id } if logical_id == replaced);
        let goes_with = matches!(&self.action, Action::Replace { forced_by, .. } if forced_by.iter().any(is_parent));
        goes_with || self.changes().iter().any(|change| change.follows.contains(replaced))
    }

    pub fn is_blocked(&self) -> bool {
        matches!(self.action, Action::Blocked { .. })
    }
}

/// How many resources each action is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub created: usize,
    pub adopted: usize,
    pub updated: usize,
    pub replaced: usize,
    pub deleted: usize,
    pub forgotten: usize,
    pub blocked: usize,
    /// Not planned, because others are targeted.
    pub left_out: usize,
}

/// What is compared to tell who made a change: secrets only as the ledger keeps them.
struct Sides<'a> {
    live: &'a Value,
    desired: &'a Value,
    applied: &'a Value,
    /// Properties that are kept as digests, of which only the whole can be compared.
    secret: &'a BTreeSet<String>,
}

impl Sides<'_> {
    /// What was applied last tells the template's changes from the world's.
    fn cause(&self, path: &PropertyPath) -> Cause {
        let secret = path.property().filter(|property| self.secret.contains(*property)).map(PropertyPath::of);
        let path = secret.as_ref().unwrap_or(path);
        let [live, desired, applied] = [self.live, self.desired, self.applied].map(|side| at(side, path));
        match (applied == desired, applied == live) {
            (true, _) => Cause::Drift,
            (false, true) => Cause::Template,
            (false, false) => Cause::Both,
        }
    }
}

/// The changes of a step with who made each.
fn explain(changes: Changes, sides: Option<&Sides<'_>>) -> Vec<Explained> {
    let explained = changes.0.into_iter().map(|change| {
        let cause = sides.map_or(Cause::Unrecorded, |sides| sides.cause(&change.path));
        Explained { path: change.path, live: change.live, desired: change.desired, cause, follows: BTreeSet::new() }
    });
    explained.collect()
}

fn at<'a>(value: &'a Value, path: &PropertyPath) -> Option<&'a Value> {
    path.steps().iter().try_fold(value, |value, step| match step {
        crate::property_path::PathStep::Key(key) => value.get(key),
        crate::property_path::PathStep::Index(index) => value.get(index),
    })
}

/// What is known of each resource's attributes while a plan is made.
type Known = ByName<LogicalId, Arc<crate::resource::Attributes>>;
