//! How long tasks usually take: as earlier runs of the stack have shown, else as AWS usually does. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::apply::Kind;
use crate::identity::ResourceType;

/// How many runs back are remembered: the middle of an odd number is one that was measured.
const REMEMBERED: usize = 5;

/// What is remembered of how long tasks took, by type and kind: the last few, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Durations(BTreeMap<ResourceType, BTreeMap<Kind, Vec<u64>>>);

/// How long a task usually takes, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Usual {
    pub milliseconds: u64,
    pub known_from: KnownFrom,
}

/// Where a duration is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownFrom {
    EarlierRuns,
    /// What AWS usually needs.
    Table,
}

impl Durations {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Remembers how long one task took.
    pub fn remember(&mut self, resource_type: &ResourceType, kind: Kind, milliseconds: u64) {
        let took = self.0.entry(resource_type.clone()).or_default().entry(kind).or_default();
        took.push(milliseconds);
        let too_many = took.len().saturating_sub(REMEMBERED);
        took.drain(..too_many);
    }

    /// The middle one of what is remembered, else what AWS usually needs.
    pub fn usual(&self, resource_type: &ResourceType, kind: Kind) -> Usual {
        let mut took = self.0.get(resource_type).and_then(|kinds| kinds.get(&kind)).cloned().unwrap_or_default();
        took.sort_unstable();
        match took.get(took.len() / 2) {
            Some(middle) => Usual { milliseconds: *middle, known_from: KnownFrom::EarlierRuns },
            None => Usual { milliseconds: typical_milliseconds(resource_type, kind), known_from: KnownFrom::Table },
        }
    }
}

/// How long a task usually takes on AWS: "Real AWS behaviour", 1.5 (waits) and 1.6 (API rates). Rules of thumb, of which the
/// proportions matter most.
pub fn typical_milliseconds(resource_type: &ResourceType, kind: Kind) -> u64 {
    match (resource_type.as_str(), kind) {
        // 2 to 6 seconds, 14 to 22 with indexes; an update lasts up to minutes.
        ("AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable", Kind::Create | Kind::Update) => 10_000,
        // 4 to 6 seconds.
        ("AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable", Kind::Delete) => 5_000,
        // 5 to 60 seconds until it is enabled, or gone.
        ("AWS::Lambda::EventSourceMapping", _) => 30_000,
        // 1 to 10 seconds until it is active.
        ("AWS::Lambda::Function", Kind::Create | Kind::Update) => 5_000,
        // 5 to 15 seconds until others may use it.
        ("AWS::IAM::Role" | "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy", Kind::Create) => 8_000,
        // 10 to 30 seconds until the role is one that API Gateway may take.
        ("AWS::ApiGateway::Account", Kind::Create | Kind::Update) => 15_000,
        // Seconds, at times minutes.
        ("AWS::WAFv2::WebACLAssociation", Kind::Create) => 10_000,
        // One in 30 seconds.
        ("AWS::ApiGateway::RestApi", Kind::Delete) => 30_000,
        // 1 to 2 seconds.
        ("AWS::Logs::LogGroup", Kind::Delete) => 1_500,
        // Usable, or to be seen, after a second.
        ("AWS::SQS::Queue", _) => 1_000,
        _ => 500,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_earlier_runs_have_shown_goes_before_what_is_usual() {
        let queue = ResourceType::from("AWS::SQS::Queue");
        let mut durations = Durations::default();
        let usual = |durations: &Durations| durations.usual(&queue, Kind::Create);
        assert_eq!(usual(&durations), Usual { milliseconds: 1_000, known_from: KnownFrom::Table });
        for took in [90_000, 300, 200, 400, 250, 350] {
            durations.remember(&queue, Kind::Create, took);
        }
        // The first one is forgotten, and a single bad day does not matter.
        assert_eq!(usual(&durations), Usual { milliseconds: 300, known_from: KnownFrom::EarlierRuns });
        assert_eq!(durations.usual(&queue, Kind::Delete).known_from, KnownFrom::Table);
    }

    #[test]
    fn what_is_remembered_is_kept_by_type_and_kind() {
        let mut durations = Durations::default();
        durations.remember(&ResourceType::from("AWS::SQS::Queue"), Kind::Create, 300);
        let kept = serde_json::to_value(&durations).expect("plain data");
        assert_eq!(kept, serde_json::json!({"AWS::SQS::Queue": {"create": [300]}}));
        assert_eq!(serde_json::from_value::<Durations>(kept).expect("what was written"), durations);
    }
}
