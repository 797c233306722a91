//! Keeping a run in the ledger as it goes: after every task, before what depends on it starts.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::apply::{Done, Journal, Kind};
use crate::identity::{LogicalId, PhysicalId, ResourceType};
use crate::plan::{Action, Order, Plan, Step};
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

    /// Writes down what the plan has found as it should be, and forgets what is no longer there.
    ///
    /// # Errors
    ///
    /// The ledger cannot be written.
    pub fn begin(&mut self, plan: &Plan) -> Result<(), LedgerError> {
        for step in &plan.steps {
            match (&step.action, &step.live) {
                (Action::None, Some(live)) => {
                    let applied =
                        step.desired.as_ref().map(|desired| self.ledger.without_secrets(desired, &step.secret));
                    let record = self.record_of(step);
                    record.physical_id = Some(live.id.clone());
                    record.applied = applied;
                    record.dependencies = step.dependencies.clone();
                }
                (Action::Update { .. } | Action::Replace { .. } | Action::Delete { .. }, Some(live)) => {
                    let id = live.id.clone();
                    if step.desired.is_some() || !self.ledger.resources.contains_key(&step.logical_id) {
                        let record = self.record_of(step);
                        record.physical_id = Some(id);
                        record.dependencies = step.dependencies.clone();
                    }
                }
                (Action::Forget, _) => {
                    self.ledger.resources.remove(&step.logical_id);
                }
                _ => {}
            }
        }
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
            let name = LogicalId::new(format!("{logical_id}@{}", old.resource_type));
            self.ledger.resources.insert(name, old);
        }
        self.ledger.resources.entry(logical_id.clone()).or_insert_with(|| Record {
            resource_type: resource_type.clone(),
            physical_id: None,
            applied: None,
            dependencies: BTreeSet::new(),
            deposed: BTreeSet::new(),
        })
    }

    fn forget(&mut self, step: &Step, id: &PhysicalId) {
        let is_replaced = matches!(step.action, Action::Replace { order: Order::DeleteFirst, .. });
        self.ledger.resources.retain(|_, record| {
            if record.resource_type != step.resource_type {
                return true;
            }
            record.deposed.remove(id);
            if record.physical_id.as_ref() != Some(id) {
                return true;
            }
            record.physical_id = None;
            is_replaced || !record.deposed.is_empty()
        });
    }
}

impl Journal for LedgerJournal<'_> {
    fn intend(&mut self, logical_id: &LogicalId, resource_type: &ResourceType) -> Result<(), String> {
        self.entry(logical_id, resource_type);
        self.save().map_err(|error| error.to_string())
    }

    fn record(&mut self, step: &Step, kind: Kind, done: &Done, applied: Option<&Value>) -> Result<(), String> {
        match done {
            Done::Created { id, .. } | Done::Updated { id, .. } => {
                let applied = applied.map(|applied| self.ledger.without_secrets(applied, &step.secret));
                let record = self.record_of(step);
                let old = record.physical_id.replace(id.clone()).filter(|old| old != id);
                if kind == Kind::Create {
                    record.deposed.extend(old);
                }
                record.applied = applied;
                record.dependencies = step.dependencies.clone();
            }
            Done::Deleted => {
                if let Some(id) = &step.physical_id {
                    self.forget(step, id);
                }
            }
        }
        self.save().map_err(|error| error.to_string())
    }
}
