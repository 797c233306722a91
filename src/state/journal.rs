//! Keeping a run in the ledger as it goes: after every task, before what depends on it starts.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::apply::{Done, Journal, Kind};
use crate::identity::{LogicalId, PhysicalId, ResourceType};
use crate::plan::{Action, Plan, Step};
use crate::state::{Ledger, LedgerError, LedgerStore, Record};

/// A ledger that is being written.
pub struct LedgerJournal<'a> {
    ledgers: &'a dyn LedgerStore,
    pub ledger: Ledger,
}

impl<'a> LedgerJournal<'a> {
    pub fn new(ledgers: &'a dyn LedgerStore, ledger: Ledger) -> Self {
        Self { ledgers, ledger }
    }

    /// Writes down what the plan has found, so that nothing of it is lost whatever happens next, and forgets what is gone.
    ///
    /// # Errors
    ///
    /// The ledger cannot be written.
    pub fn begin(&mut self, plan: &Plan) -> Result<(), LedgerError> {
        // What the creates of earlier runs have left has been searched for, and is in the plan.
        if plan.problems.is_empty() && !plan.left_out.iter().any(Step::is_blocked) {
            self.ledger.resources.values_mut().for_each(|record| record.is_being_created = false);
        }
        for step in plan.steps.iter().chain(&plan.left_out) {
            match (&step.action, &step.live) {
                (Action::None, Some(live)) => {
                    let applied =
                        step.desired.as_ref().map(|desired| self.ledger.without_secrets(desired, &step.secret));
                    let record = self.stand_for(step, &live.id);
                    record.applied = applied;
                    record.dependencies = step.dependencies.clone();
                }
                (Action::Update { .. } | Action::Replace { .. }, Some(live)) => {
                    self.stand_for(step, &live.id);
                }
                (Action::Delete { .. }, Some(live)) => self.remember(step, &live.id),
                (Action::Create { .. }, _) => self.forget_current(&step.logical_id, &step.resource_type),
                (Action::Forget, _) => match &step.physical_id {
                    Some(id) => self.forget(&step.resource_type, id),
                    None => self.forget_current(&step.logical_id, &step.resource_type),
                },
                _ => {}
            }
        }
        self.drop_empty();
        self.save()
    }

    /// Writes the ledger as it is.
    ///
    /// # Errors
    ///
    /// The ledger cannot be written.
    pub fn save(&mut self) -> Result<(), LedgerError> {
        self.ledgers.save(&mut self.ledger)
    }

    fn record_of(&mut self, step: &Step) -> &mut Record {
        self.entry(&step.logical_id, &step.resource_type)
    }

    /// The record under a logical id. One of another type makes room: what it stands for still has to be deleted.
    fn entry(&mut self, logical_id: &LogicalId, resource_type: &ResourceType) -> &mut Record {
        let is_other = |record: &Record| &record.resource_type != resource_type;
        if self.ledger.resources.get(logical_id).is_some_and(is_other)
            && let Some(old) = self.ledger.resources.remove(logical_id)
        {
            let waiting = self.ledger.resources.entry(aside(logical_id, &old.resource_type));
            waiting
                .and_modify(|it| it.deposed.extend(old.physical_id.iter().chain(&old.deposed).cloned()))
                .or_insert(old);
        }
        self.ledger.resources.entry(logical_id.clone()).or_insert_with(|| Record {
            resource_type: resource_type.clone(),
            physical_id: None,
            applied: None,
            dependencies: BTreeSet::new(),
            is_being_created: false,
            deposed: BTreeSet::new(),
        })
    }

    /// The record of a resource that stays, now that it is known what stands for it in AWS.
    fn stand_for(&mut self, step: &Step, id: &PhysicalId) -> &mut Record {
        self.forget(&step.resource_type, id);
        let record = self.record_of(step);
        record.physical_id = Some(id.clone());
        record
    }

    /// Remembers what has to be deleted, beside whatever else its logical id stands for.
    fn remember(&mut self, step: &Step, id: &PhysicalId) {
        let is_known = |record: &Record| {
            record.resource_type == step.resource_type
                && (record.physical_id.as_ref() == Some(id) || record.deposed.contains(id))
        };
        if self.ledger.resources.values().any(is_known) {
            return;
        }
        let is_of_another_type = |record: &Record| record.resource_type != step.resource_type;
        let name = match self.ledger.resources.get(&step.logical_id).is_some_and(is_of_another_type) {
            true => aside(&step.logical_id, &step.resource_type),
            false => step.logical_id.clone(),
        };
        let is_new = !self.ledger.resources.contains_key(&name);
        let record = self.entry(&name, &step.resource_type);
        match is_new {
            true => record.physical_id = Some(id.clone()),
            false => _ = record.deposed.insert(id.clone()),
        }
    }

    /// What stood for a logical id is not there any more.
    fn forget_current(&mut self, logical_id: &LogicalId, resource_type: &ResourceType) {
        let record = self.ledger.resources.get_mut(logical_id).filter(|record| &record.resource_type == resource_type);
        if let Some(record) = record {
            record.physical_id = None;
        }
    }

    fn forget(&mut self, resource_type: &ResourceType, id: &PhysicalId) {
        let of_type = self.ledger.resources.values_mut().filter(|record| &record.resource_type == resource_type);
        for record in of_type {
            record.deposed.remove(id);
            record.physical_id.take_if(|it| it == id);
        }
    }

    /// What stands for nothing, and for nothing that may come, need not be remembered.
    fn drop_empty(&mut self) {
        self.ledger
            .resources
            .retain(|_, record| record.physical_id.is_some() || record.is_being_created || !record.deposed.is_empty());
    }
}

/// The name under which a resource waits for its deletion when its logical id stands for another type.
fn aside(logical_id: &LogicalId, resource_type: &ResourceType) -> LogicalId {
    LogicalId::new(format!("{logical_id}@{resource_type}"))
}

impl Journal for LedgerJournal<'_> {
    fn intend(&mut self, logical_id: &LogicalId, resource_type: &ResourceType) -> Result<(), String> {
        self.entry(logical_id, resource_type).is_being_created = true;
        self.save().map_err(|error| error.to_string())
    }

    fn record(&mut self, step: &Step, kind: Kind, done: &Done, applied: Option<&Value>) -> Result<(), String> {
        match done {
            Done::Created { id, .. } | Done::Updated { id, .. } => {
                let applied = applied.map(|applied| self.ledger.without_secrets(applied, &step.secret));
                let old = self.record_of(step).physical_id.take().filter(|old| old != id);
                let record = self.stand_for(step, id);
                // What an update changes is the same resource, also where its identifier is another from now on.
                if kind == Kind::Create {
                    record.deposed.extend(old);
                }
                record.applied = applied;
                record.dependencies = step.dependencies.clone();
                record.is_being_created = false;
            }
            Done::Deleted => {
                if let Some(id) = &step.physical_id {
                    self.forget(&step.resource_type, id);
                    self.drop_empty();
                }
            }
        }
        self.save().map_err(|error| error.to_string())
    }
}
