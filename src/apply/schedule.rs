//! Which task waits for which. Pure. The plan is for eyes, the schedule for hands: a replacement is one action and two tasks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::apply::durations::typical_milliseconds;
use crate::graph::without_circles;
use crate::identity::{ByName, LogicalId, PhysicalId, ResourceType};
use crate::plan::{Action, Hold, Order, Plan, Step};
use crate::resource::TYPES;

/// The place of a task in its schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TaskId(pub usize);

/// What is done in one go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    pub logical_id: LogicalId,
    pub resource_type: ResourceType,
    pub kind: Kind,
    /// The step of the plan that this is a part of.
    pub step: usize,
    /// What is there before: what an update changes and a delete deletes.
    pub physical_id: Option<PhysicalId>,
    /// What goes in one call with what this deletes, itself among it. Empty: it goes by itself.
    #[serde(skip_serializing_if = "is_empty")]
    pub together: Arc<[PhysicalId]>,
}

fn is_empty(together: &Arc<[PhysicalId]>) -> bool {
    together.is_empty()
}

impl Task {
    /// Whether this is the one of several deletions in one call that makes it.
    pub fn is_first_together(&self) -> bool {
        self.physical_id.is_some() && self.together.first() == self.physical_id.as_ref()
    }
}

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Create,
    Update,
    Delete,
}

/// Tasks, and what each waits for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Schedule {
    pub tasks: Vec<Task>,
    /// For each task, those that must be done before it.
    pub after: Vec<BTreeSet<TaskId>>,
    /// For each task, the length of the longest way from its start to the end of all: what is longest goes first.
    pub remaining: Vec<u64>,
}

/// Turns a plan into tasks. What a plan has blocked is not scheduled.
///
/// What is made waits for all that it refers to, without exception. A deletion waits for all that still refers to what goes,
/// unless that in turn has to wait for the deletion: so no schedule goes in a circle, whatever the plan.
pub fn schedule(plan: &Plan) -> Schedule {
    let mut schedule = Schedule::default();
    let mut making: ByName<&LogicalId, TaskId> = ByName::default();
    let mut deleting: Vec<(TaskId, &Step, Deletion)> = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let (make, delete) = tasks_of(step);
        if let Some(kind) = make {
            making.insert(&step.logical_id, schedule.add(step, index, kind));
        }
        if let Some(deletion) = delete {
            deleting.push((schedule.add(step, index, Kind::Delete), step, deletion));
        }
    }
    let wanted: ByName<&LogicalId, &Step> =
        plan.steps.iter().filter(|step| step.desired.is_some()).map(|step| (&step.logical_id, step)).collect();
    for (logical_id, step) in &wanted {
        let Some(task) = making.get(logical_id) else { continue };
        schedule.after[task.0].extend(made_before(&wanted, &making, step));
    }
    for (task, step, deletion) in &deleting {
        let Some(make) = making.get(&step.logical_id) else { continue };
        match deletion {
            // The new one waits until the name is free.
            Deletion::First => _ = schedule.after[make.0].insert(*task),
            // The old one stays until the new one has taken its place.
            Deletion::Last | Deletion::Only => _ = schedule.after[task.0].insert(*make),
        }
    }
    if !deleting.is_empty() {
        schedule.let_deletions_wait(plan, &making, deleting);
    }
    schedule.put_together();
    schedule.weighed(&usual)
}

/// What has to be made before a step's resource: what it depends on, also through what stays as it is.
fn made_before(
    wanted: &ByName<&LogicalId, &Step>,
    making: &ByName<&LogicalId, TaskId>,
    step: &Step,
) -> BTreeSet<TaskId> {
    let mut before = BTreeSet::new();
    let mut seen: BTreeSet<&LogicalId> = BTreeSet::from([&step.logical_id]);
    let mut next: Vec<&LogicalId> = step.dependencies.iter().collect();
    while let Some(on) = next.pop() {
        if !seen.insert(on) {
            continue;
        }
        match making.get(on) {
            Some(task) => _ = before.insert(*task),
            None => next.extend(wanted.get(on).into_iter().flat_map(|stays| &stays.dependencies)),
        }
    }
    before
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deletion {
    First,
    Last,
    Only,
}

fn tasks_of(step: &Step) -> (Option<Kind>, Option<Deletion>) {
    match &step.action {
        Action::None | Action::Blocked { .. } | Action::Forget => (None, None),
        Action::Create { .. } => (Some(Kind::Create), None),
        Action::Adopt { .. } | Action::Update { .. } => (Some(Kind::Update), None),
        Action::Replace { order: Order::CreateFirst, .. } => (Some(Kind::Create), Some(Deletion::Last)),
        Action::Replace { order: Order::DeleteFirst, .. } => (Some(Kind::Create), Some(Deletion::First)),
        Action::Delete { .. } => (None, Some(Deletion::Only)),
    }
}

impl Schedule {
    fn add(&mut self, step: &Step, index: usize, kind: Kind) -> TaskId {
        self.tasks.push(Task {
            logical_id: step.logical_id.clone(),
            resource_type: step.resource_type.clone(),
            kind,
            step: index,
            physical_id: if kind == Kind::Create { None } else { step.physical_id.clone() },
            together: Arc::default(),
        });
        self.after.push(BTreeSet::new());
        TaskId(self.tasks.len() - 1)
    }

    /// Lets each deletion wait for all that holds on to what goes, except for what waits for it.
    fn let_deletions_wait(
        &mut self,
        plan: &Plan,
        making: &ByName<&LogicalId, TaskId>,
        mut deleting: Vec<(TaskId, &Step, Deletion)>,
    ) {
        // Of two that name each other, the one that has waited for the other goes first.
        let rank = |step: &Step, held: &LogicalId, hold: Hold| match hold {
            Hold::Refers if step.dependencies.contains(held) => 0,
            Hold::Refers => 1,
            Hold::Waited => 2,
            Hold::Mentions => 3,
        };
        let mut holders: ByName<(&LogicalId, usize), Vec<usize>> = ByName::default();
        let mut dependents: ByName<&LogicalId, Vec<TaskId>> = ByName::default();
        for (index, step) in plan.steps.iter().enumerate() {
            for (held, hold) in &step.holds {
                holders.entry((held, rank(step, held, *hold))).or_default().push(index);
            }
            if let Some(make) = making.get(&step.logical_id) {
                step.dependencies.iter().for_each(|on| dependents.entry(on).or_default().push(*make));
            }
        }
        let goes: BTreeMap<usize, TaskId> =
            deleting.iter().map(|(task, ..)| (self.tasks[task.0].step, *task)).collect();
        let changes = |holder: &usize| {
            let step = plan.steps.get(*holder).filter(|step| step.desired.is_some())?;
            making.get(&step.logical_id).copied()
        };
        // Much waits for what goes first to make room: what that waits for comes last, where it closes no circle.
        deleting.sort_by_key(|(_, _, deletion)| *deletion == Deletion::First);
        // What comes before each deletion.
        let mut wished: Vec<(TaskId, TaskId)> = Vec::new();
        for rank in 0..=3 {
            for (task, step, _) in &deleting {
                let holders = holders.get(&(&step.logical_id, rank)).into_iter().flatten();
                let earlier = holders.filter_map(|holder| goes.get(holder).copied().or_else(|| changes(holder)));
                wished.extend(earlier.map(|earlier| (earlier, *task)));
            }
        }
        for (task, step, deletion) in &deleting {
            if step.goes_last {
                wished.extend(making.values().map(|earlier| (*earlier, *task)));
            } else if *deletion != Deletion::First {
                let dependents = dependents.get(&step.logical_id).into_iter().flatten();
                wished.extend(dependents.map(|earlier| (*earlier, *task)));
            }
        }
        let there = self.after.iter().enumerate();
        let there = there.flat_map(|(task, after)| after.iter().map(move |earlier| (*earlier, TaskId(task))));
        let added = without_circles(there, &wished);
        for ((earlier, task), _) in wished.into_iter().zip(added).filter(|(_, is_added)| *is_added) {
            self.after[task.0].insert(earlier);
        }
    }

    /// Where the service deletes several in one call, those that wait for nothing go together.
    fn put_together(&mut self) {
        for row in TYPES.iter().filter(|row| row.handler.deleted_together() > 1) {
            let is_free = |(task, after): &(&mut Task, &BTreeSet<TaskId>)| {
                task.kind == Kind::Delete
                    && task.resource_type.as_str() == row.handler.resource_type()
                    && after.is_empty()
            };
            let free = self.tasks.iter_mut().zip(&self.after).filter(is_free).map(|(task, _)| task);
            let mut free: Vec<&mut Task> = free.filter(|task| task.physical_id.is_some()).collect();
            for call in free.chunks_mut(row.handler.deleted_together()).filter(|call| call.len() > 1) {
                let ids: Arc<[PhysicalId]> = call.iter().filter_map(|task| task.physical_id.clone()).collect();
                call.iter_mut().for_each(|task| task.together = Arc::clone(&ids));
            }
        }
    }

    /// The same schedule by another model of how long tasks take, in milliseconds: what has the longest way to go by it goes
    /// first.
    pub fn weighed(mut self, takes: &dyn Fn(&Task) -> u64) -> Self {
        let takes: Vec<u64> = self.tasks.iter().map(takes).collect();
        self.remaining.clone_from(&takes);
        for task in self.in_order().into_iter().rev() {
            for earlier in &self.after[task.0] {
                let with_it = takes[earlier.0] + self.remaining[task.0];
                self.remaining[earlier.0] = self.remaining[earlier.0].max(with_it);
            }
        }
        self
    }

    /// For each task, those that wait for it.
    pub fn followers(&self) -> Vec<Vec<TaskId>> {
        let mut followers: Vec<Vec<TaskId>> = vec![Vec::new(); self.tasks.len()];
        for (task, after) in self.after.iter().enumerate() {
            after.iter().for_each(|earlier| followers[earlier.0].push(TaskId(task)));
        }
        followers
    }

    /// The tasks, each after all that it waits for.
    pub fn in_order(&self) -> Vec<TaskId> {
        let mut missing: Vec<usize> = self.after.iter().map(BTreeSet::len).collect();
        let followers = self.followers();
        let mut order: Vec<TaskId> = (0..self.tasks.len()).map(TaskId).filter(|id| missing[id.0] == 0).collect();
        let mut next = 0;
        while let Some(id) = order.get(next).copied() {
            next += 1;
            for follower in &followers[id.0] {
                missing[follower.0] -= 1;
                if missing[follower.0] == 0 {
                    order.push(*follower);
                }
            }
        }
        order
    }
}

/// In milliseconds; only the proportions matter.
fn usual(task: &Task) -> u64 {
    typical_milliseconds(&task.resource_type, task.kind)
}
