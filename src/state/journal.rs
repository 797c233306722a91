//! Keeping a run in the ledger as it goes: after every task, before what depends on it starts.

use std::collections::BTreeSet;
use std::error::Error;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::apply::{Done, End, Journal, Kind, Unremembered};
use crate::identity::{LogicalId, PhysicalId, ResourceType};
use crate::plan::{Action, Plan, Step};
use crate::state::{Ledger, LedgerError, Lock, Record};

/// A ledger that is being written.
pub struct LedgerJournal<'a> {
    lock: &'a dyn Lock,
    pub ledger: Ledger,
}

impl<'a> LedgerJournal<'a> {
    pub fn new(lock: &'a dyn Lock, ledger: Ledger) -> Self {
        Self { lock, ledger }
    }

    /// Writes down what the plan has found, so that nothing of it is lost whatever happens next, and forgets what is gone.
    ///
    /// # Errors
    ///
    /// The ledger cannot be written.
    pub async fn begin(&mut self, plan: &Plan) -> Result<(), LedgerError> {
        // What the creates of earlier runs have left has been looked for, and is in the plan.
        if plan.problems.is_empty() && !plan.left_out.iter().any(Step::is_blocked) {
            self.ledger.resources.values_mut().for_each(|record| record.intended = None);
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
        self.save().await
    }

    /// Writes the ledger as it is.
    ///
    /// # Errors
    ///
    /// The ledger cannot be written.
    pub async fn save(&mut self) -> Result<(), LedgerError> {
        self.lock.save(&mut self.ledger).await
    }

    /// Removes the ledger: nothing of the stack is left.
    ///
    /// # Errors
    ///
    /// It is there and cannot be removed.
    pub async fn remove(&self) -> Result<(), LedgerError> {
        self.lock.remove().await
    }

    fn keep(&mut self, end: &End<'_>) {
        let step = end.step;
        match end.done {
            Done::Created { id, .. } | Done::Updated { id, .. } => {
                let applied = end.applied.map(|applied| self.ledger.without_secrets(applied, &step.secret));
                let old = self.record_of(step).physical_id.take().filter(|old| old != id);
                let record = self.stand_for(step, id);
                // What an update changes is the same resource, also where its identifier is another from now on.
                if end.kind == Kind::Create {
                    record.deposed.extend(old);
                }
                record.applied = applied;
                record.dependencies = step.dependencies.clone();
                record.intended = None;
            }
            Done::Deleted => {
                if let Some(id) = &step.physical_id {
                    self.forget(&step.resource_type, id);
                    self.drop_empty();
                }
            }
        }
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
            intended: None,
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
        self.ledger.resources.retain(|_, record| {
            record.physical_id.is_some() || record.intended.is_some() || !record.deposed.is_empty()
        });
    }
}

/// The name under which a resource waits for its deletion when its logical id stands for another type.
fn aside(logical_id: &LogicalId, resource_type: &ResourceType) -> LogicalId {
    LogicalId::new(format!("{logical_id}@{resource_type}"))
}

impl Journal for LedgerJournal<'_> {
    fn start<'a>(&'a mut self, creates: &'a [(&'a Step, &'a Value)]) -> BoxFuture<'a, Result<(), Unremembered>> {
        Box::pin(async move {
            for (step, wanted) in creates {
                let intended = self.ledger.without_secrets(wanted, &step.secret);
                self.record_of(step).intended = Some(intended);
            }
            // What is written proves as well whose the lock is.
            Ok(if creates.is_empty() { self.lock.confirm().await } else { self.save().await }?)
        })
    }

    fn record<'a>(&'a mut self, ends: &'a [End<'a>]) -> BoxFuture<'a, Result<(), Unremembered>> {
        Box::pin(async move {
            ends.iter().for_each(|end| self.keep(end));
            Ok(self.save().await?)
        })
    }
}

impl From<LedgerError> for Unremembered {
    fn from(error: LedgerError) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self { error: text, way_out: error.way_out() }
    }
}
