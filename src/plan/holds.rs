//! What live resources hold on to: the ledger remembers it, and what refers to another by an id or an ARN shows it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::identity::LogicalId;
use crate::plan::{Action, Step};
use crate::state::Ledger;

/// A name that is shorter is only believed where it stands alone.
const TELLING: usize = 8;

/// For every step, what its live resource holds on to among what goes.
pub fn held(steps: &[Step], ledger: &Ledger) -> Vec<BTreeSet<LogicalId>> {
    let names = Names::of(steps);
    let of_step = |step: &Step| {
        let Some(live) = &step.live else { return BTreeSet::new() };
        let record = ledger.resources.get(&step.logical_id).filter(|record| record.resource_type == step.resource_type);
        let mut held = record.map(|record| record.dependencies.clone()).unwrap_or_default();
        if step.desired.is_none() {
            held.extend(step.dependencies.iter().cloned());
        }
        names.look_in(&live.properties, &mut held);
        held.remove(&step.logical_id);
        held
    };
    steps.iter().map(of_step).collect()
}

/// The texts by which what goes is referred to.
#[derive(Default)]
struct Names<'a> {
    whole: BTreeMap<&'a str, BTreeSet<&'a LogicalId>>,
    /// Those that are found in the middle of a longer text too.
    telling: Vec<(&'a str, &'a LogicalId)>,
}

impl<'a> Names<'a> {
    fn of(steps: &'a [Step]) -> Self {
        let mut names = Self::default();
        let goes = |step: &&Step| matches!(step.action, Action::Delete { .. } | Action::Replace { .. });
        for step in steps.iter().filter(goes) {
            let Some(live) = &step.live else { continue };
            for name in live.attributes.values().filter_map(Value::as_str).chain([live.id.as_str()]) {
                if names.whole.entry(name).or_default().insert(&step.logical_id) && name.len() >= TELLING {
                    names.telling.push((name, &step.logical_id));
                }
            }
        }
        names
    }

    fn look_in(&self, value: &Value, held: &mut BTreeSet<LogicalId>) {
        match value {
            Value::String(text) => {
                held.extend(self.whole.get(text.as_str()).into_iter().flatten().map(|id| (*id).clone()));
                let within = self.telling.iter().filter(|(name, _)| text.len() > name.len() && text.contains(name));
                held.extend(within.map(|(_, id)| (*id).clone()));
            }
            Value::Array(items) => items.iter().for_each(|item| self.look_in(item, held)),
            Value::Object(fields) => fields.values().for_each(|field| self.look_in(field, held)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
