//! What paystack remembers of a stack between runs: a memory, not the truth.
//!
//! The ledger saves looking things up (physical ids), tells drift from a changed template (what was applied last), and
//! remembers what the template no longer has. Losing it costs only that: the next plan finds everything again.

mod accept;
mod dynamodb;
mod journal;
mod lease;
mod local;
mod lock;
mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::apply::durations::Durations;
use crate::aws::Scope;
use crate::aws::error::AwsError;
use crate::digest::hex_digest;
use crate::identity::{LogicalId, PhysicalId, ResourceType, StackId};
use crate::plan::residue::Before;

pub use dynamodb::{DynamoDbLedgers, StateTable};
pub use journal::LedgerJournal;
pub use local::LocalLedgers;
pub use lock::{Attempt, Holder, Holding, Ledgers, Lock, Sign, lock};
pub use shown::{Shown, ShownRecord};

/// The layout of a ledger. A reader that meets a newer one refuses it.
pub const VERSION: u32 = 1;

/// The record of one stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    pub version: u32,
    pub stack: StackId,
    /// Where it is, so that it is taken for no other account's or region's; a table is where its stacks are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Counts the writes.
    pub serial: u64,
    /// What secrets are digested with, so that equal secrets of two stacks do not look equal.
    pub salt: String,
    /// Whether this is a memory at all: a stack that nothing is remembered of has to be searched for.
    #[serde(skip)]
    pub is_remembered: bool,
    /// Where a stack of this name is remembered that this run knows nothing of here.
    #[serde(skip)]
    pub elsewhere: Option<Place>,
    pub resources: BTreeMap<LogicalId, Record>,
    pub history: Vec<Run>,
    /// How long the tasks of earlier runs took.
    #[serde(default, skip_serializing_if = "Durations::is_empty")]
    pub durations: Durations,
    /// What was in the account before the stack was first applied, of what carries no marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
}

/// Where a stack is: names of resources are taken in one account and region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub account_id: String,
    pub region: String,
}

impl Place {
    pub fn of(scope: &Scope) -> Self {
        Self { account_id: scope.account_id.clone(), region: scope.region.clone() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "account {}, {}", self.account_id, self.region)
    }
}

/// What is remembered of one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub resource_type: ResourceType,
    /// `None` between the intent to create and the answer.
    pub physical_id: Option<PhysicalId>,
    /// The properties as they were applied last; a secret one as a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Value>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub dependencies: BTreeSet<LogicalId>,
    /// The properties of a create that was asked for, and of which nobody knows what came: something may be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intended: Option<Value>,
    /// What a replacement left and still has to delete.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deposed: BTreeSet<PhysicalId>,
}

/// One run that changed something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub at: jiff::Timestamp,
    pub command: String,
    pub caller: String,
    pub done: usize,
    pub failed: usize,
}

impl Ledger {
    /// A ledger that remembers nothing.
    pub fn empty(stack: StackId, salt: String) -> Self {
        Self {
            version: VERSION,
            stack,
            place: None,
            serial: 0,
            salt,
            is_remembered: false,
            elsewhere: None,
            resources: BTreeMap::new(),
            history: Vec::new(),
            durations: Durations::default(),
            before: None,
        }
    }

    /// The ledger of a stack in the text that stands at a place.
    ///
    /// # Errors
    ///
    /// It is no ledger, or another stack's or a newer paystack's.
    pub fn parse(text: &str, place: &str, stack: &StackId) -> Result<Self, LedgerError> {
        /// What every layout has. Nothing else is kept in memory to find it.
        #[derive(Deserialize)]
        struct Layout {
            version: u32,
        }
        if let Ok(Layout { version }) = serde_json::from_str(text)
            && version > VERSION
        {
            return Err(LedgerError::Newer { place: place.to_owned(), version });
        }
        let ledger: Self =
            serde_json::from_str(text).map_err(|source| LedgerError::Unreadable { place: place.to_owned(), source })?;
        if &ledger.stack != stack {
            let (found, expected) = (ledger.stack, stack.clone());
            return Err(LedgerError::OtherStack { place: place.to_owned(), found, expected });
        }
        Ok(Self { is_remembered: true, ..ledger })
    }

    /// The properties as they may be kept: those with a secret in them as salted digests.
    pub fn without_secrets(&self, properties: &Value, secret: &BTreeSet<String>) -> Value {
        let Value::Object(fields) = properties else { return properties.clone() };
        let keep = |(name, value): (&String, &Value)| {
            let kept = if secret.contains(name) { self.digest(value) } else { value.clone() };
            (name.clone(), kept)
        };
        Value::Object(fields.iter().map(keep).collect())
    }

    fn digest(&self, value: &Value) -> Value {
        Value::String(salted_digest(&self.salt, &value.to_string()))
    }
}

impl Record {
    /// The properties that are kept as digests.
    pub fn digested(&self) -> BTreeSet<String> {
        let applied = self.applied.iter().filter_map(Value::as_object).flatten();
        applied.filter(|(_, value)| is_digest(value)).map(|(name, _)| name.clone()).collect()
    }
}

const DIGEST: &str = "sha256:";

fn is_digest(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with(DIGEST) && text.len() == 71)
}

/// What stands for a text that must not be kept: `sha256:` and 64 hexadecimal digits.
pub fn salted_digest(salt: &str, text: &str) -> String {
    format!("{DIGEST}{}", hex_digest(format!("{salt}{text}"), 64))
}

/// What went wrong with a ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("failed to read the ledger `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("failed to write the ledger `{path}`")]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the ledger `{place}` is not one that this paystack can read")]
    Unreadable {
        place: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("the ledger `{place}` was written by a newer paystack (version {version})")]
    Newer { place: String, version: u32 },
    #[error("the ledger `{place}` belongs to the stack `{found}`, not to `{expected}`")]
    OtherStack { place: String, found: StackId, expected: StackId },
    #[error("the ledger `{path}` is of {found}, not of {expected}")]
    OtherPlace { path: PathBuf, found: Place, expected: Place },
    #[error("`{path}` is a symbolic link")]
    Link { path: PathBuf },
    #[error("another paystack works on the stack `{stack}`: {}", who(.holder))]
    Locked { stack: StackId, holder: Option<Holder>, sign: Sign },
    #[error("this run has lost the lock of the stack `{stack}`, which it did not renew in time or which was broken; {}", by_now(.holder))]
    Lost { stack: StackId, holder: Option<Holder> },
    #[error("the ledger of the stack `{stack}` was changed by somebody else while this run had its lock")]
    Changed { stack: StackId },
    #[error("the ledger `{place}` was written anew each time that it was read")]
    Torn { place: String },
    #[error("the ledger of the stack `{stack}` is too large for a table: {bytes} bytes, compressed")]
    TooLarge { stack: StackId, bytes: usize },
    #[error("failed to reach the table `{table}`, in which the ledgers are")]
    Unreachable {
        table: String,
        #[source]
        source: Box<AwsError>,
    },
    #[error("failed to prepare the table `{table}` for ledgers")]
    Table {
        table: String,
        #[source]
        source: Box<AwsError>,
    },
    #[error("the table `{table}` is not made for ledgers: its keys are not `Stack` and `Part`")]
    ForeignTable { table: String },
    #[error("the table `{table}` is gone, and the ledgers with it")]
    TableGone { table: String },
}

fn who(holder: &Option<Holder>) -> String {
    holder.as_ref().map_or_else(|| "it has just begun".to_owned(), ToString::to_string)
}

fn by_now(holder: &Option<Holder>) -> String {
    let nobody = || "nobody has it now".to_owned();
    holder.as_ref().map_or_else(nobody, |holder| format!("it is held by {holder}"))
}

impl LedgerError {
    /// What a person can do about it.
    pub fn way_out(&self) -> Option<String> {
        let way_out = match self {
            Self::Unreadable { .. } => Some("delete it: that costs only the memory of what was applied"),
            Self::Newer { .. } => Some("use that paystack"),
            Self::Link { .. } => Some("remove it: paystack writes files of its own there"),
            Self::OtherPlace { .. } => Some("move it away, or give it back the name that says where it is"),
            Self::OtherStack { .. } => Some("move it away: the ledger of this stack is written anew"),
            Self::Locked { sign: Sign::Process, .. } => Some(
                "wait for it with `--lock-timeout SECONDS`; the lock is free as soon as that process has ended, however it ends",
            ),
            Self::Locked { .. } => Some(
                "wait for it with `--lock-timeout SECONDS`; where that run is dead, the next one takes over by itself, and \
                 `paystack state unlock` does at once",
            ),
            Self::Lost { .. } => {
                Some("nothing was written since; wait until nobody works on the stack, then run the same command again")
            }
            Self::Changed { .. } | Self::Torn { .. } => Some("run the same command again"),
            Self::TooLarge { .. } => Some("make two stacks of it, or keep its ledger in a file: `backend = \"local\"`"),
            Self::ForeignTable { .. } => Some("name another one with `table` under `[state]` of paystack.toml"),
            Self::TableGone { .. } => {
                Some("run the same command again: the table is made anew, and everything is found again")
            }
            Self::Unreachable { source, .. } | Self::Table { source, .. } => return source.way_out(),
            Self::Read { .. } | Self::Write { .. } => None,
        };
        way_out.map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEDGER: &str = r#"{"version": 1, "stack": "payments-dev",
        "place": {"account_id": "123456789012", "region": "us-east-1"}, "serial": 3, "salt": "ab", "resources": {"Orders": {
        "resource_type": "AWS::SQS::Queue", "physical_id": "https://queue/orders", "applied": {"Tags": [{"Key": "a"}]},
        "dependencies": ["Role"], "intended": {"QueueName": "orders"}, "deposed": ["https://queue/old"]}},
        "history": [{"at": "2026-11-22T10:00:00Z", "command": "apply", "caller": "ada", "done": 1, "failed": 0}]}"#;

    #[test]
    fn the_ledger_that_others_are_made_of_is_read() {
        let ledger = Ledger::parse(LEDGER, "a.json", &StackId::from("payments-dev")).expect("a ledger");
        assert_eq!(ledger.resources.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn no_file_is_too_strange_to_be_read_as_a_ledger(text in crate::fake::mangled::mangled(LEDGER)) {
            match Ledger::parse(&text, "a.json", &StackId::from("payments-dev")) {
                Ok(ledger) => proptest::prop_assert!(ledger.version <= VERSION && ledger.stack.as_str() == "payments-dev"),
                Err(error) => proptest::prop_assert!(error.way_out().is_some(), "{error}"),
            }
        }
    }
}
