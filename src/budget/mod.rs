//! Which calls a run is going to make, known before it makes any: reading what the ledger remembers, and carrying out a plan.
//! Pure. What is sent once for many, what one call answers for all, and what depends on a resource's own properties is in
//! it; waits and repetitions are not, since only AWS can say how many there will be: they are counted apart.
//!
//! `tests/it/budget.rs` holds it against what is really sent, call by call; of a destroy, what changes something.

mod applying;
mod calls;
mod iam;
mod plain;
mod reading;
mod updating;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::identity::ResourceType;

pub use applying::{of_applying, of_task};
pub use reading::of_reading;

/// Calls that are going to be made, each once for every time that it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// What changes nothing, by service and operation.
    pub reads: Counts,
    /// What changes something.
    pub writes: Counts,
    /// Types of which it is not known what they take: the calls for them come on top.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub besides: BTreeSet<ResourceType>,
}

/// What a command is going to ask of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Foreseen {
    /// To read what is there; `None` where nothing is remembered, and what a search takes depends on what it finds.
    pub reading: Option<Budget>,
    /// To carry out the plan.
    pub applying: Budget,
}

/// How often each operation is called, by service.
pub type Counts = BTreeMap<String, BTreeMap<String, usize>>;

impl Budget {
    /// Adds one call, `sqs.CreateQueue`.
    fn add(&mut self, call: &str) {
        let (service, operation) = call.split_once('.').unwrap_or((call, ""));
        let counts = if reads(operation) { &mut self.reads } else { &mut self.writes };
        *counts.entry(service.to_owned()).or_default().entry(operation.to_owned()).or_default() += 1;
    }

    pub fn reads(&self) -> usize {
        sum(&self.reads)
    }

    pub fn writes(&self) -> usize {
        sum(&self.writes)
    }

    /// Whether there is nothing that it does not know.
    pub fn is_exact(&self) -> bool {
        self.besides.is_empty()
    }
}

fn sum(counts: &Counts) -> usize {
    counts.values().flat_map(BTreeMap::values).sum()
}

/// Whether an operation changes nothing. AWS names what only reads so.
fn reads(operation: &str) -> bool {
    ["Describe", "Get", "List", "Scan"].iter().any(|verb| operation.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_are_told_apart_by_their_names() {
        let mut budget = Budget::default();
        for call in ["sqs.CreateQueue", "sqs.GetQueueUrl", "sqs.GetQueueUrl", "lambda.PutFunctionConcurrency"] {
            budget.add(call);
        }
        assert_eq!((budget.reads(), budget.writes()), (2, 2));
        assert_eq!(budget.reads["sqs"]["GetQueueUrl"], 2);
    }
}
