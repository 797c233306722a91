//! `[policy]` of `paystack.toml`: which rules count, and what they ask for where that is a project's to say.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::Level;

/// What a project says of its rules. All of it may be left out: then every built-in rule counts as it usually does.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Files of Guard rules, or directories with them; without it, `policies` beside `paystack.toml` if it is there.
    pub guard: Option<Vec<PathBuf>>,
    /// By the rule's id, or the Guard rule's name.
    pub levels: BTreeMap<String, Level>,
    /// The tags that everything has to carry that takes tags, each with the values that it may have; none allows any.
    pub tags: BTreeMap<String, Vec<String>>,
    pub encryption: Encryption,
}

/// Which keys encrypt what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Encryption {
    pub tables: Key,
    pub queues: Key,
    pub topics: Key,
    pub log_groups: Key,
}

impl Default for Encryption {
    fn default() -> Self {
        Self { tables: Key::Managed, queues: Key::Managed, topics: Key::Managed, log_groups: Key::Service }
    }
}

/// Whose key encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// The service's own, or none where it has none.
    Service,
    /// One that AWS manages for the account; for queues, SQS's own too.
    Managed,
    /// A KMS key of the account's own.
    Customer,
}
