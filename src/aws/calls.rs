//! What a run asked of AWS, counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// How often each operation was called, by service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Calls {
    pub services: BTreeMap<String, BTreeMap<String, Count>>,
}

/// The calls of one operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Everything that was sent, or was about to be.
    pub attempts: usize,
    /// Those of them that repeat one that failed.
    pub retries: usize,
    /// Those of them that look again, or try again, since what they wait for had not come.
    pub waits: usize,
}

/// Why an attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Asks,
    /// The same call has failed.
    FailedBefore,
    /// What is waited for had not come.
    TooEarlyBefore,
}

impl Calls {
    fn count(&mut self, service: &str, operation: &str, why: Why) {
        let service = self.services.entry(word(service)).or_default();
        let count = service.entry(operation.to_owned()).or_default();
        count.attempts += 1;
        count.retries += usize::from(why == Why::FailedBefore);
        count.waits += usize::from(why == Why::TooEarlyBefore);
    }

    /// All attempts, by service, most first.
    pub fn by_service(&self) -> Vec<(&str, usize)> {
        let sum = |counts: &BTreeMap<String, Count>| counts.values().map(|count| count.attempts).sum();
        let mut sums: Vec<_> = self.services.iter().map(|(name, counts)| (name.as_str(), sum(counts))).collect();
        sums.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
        sums
    }

    pub fn attempts(&self) -> usize {
        self.operations().map(|count| count.attempts).sum()
    }

    pub fn retries(&self) -> usize {
        self.operations().map(|count| count.retries).sum()
    }

    pub fn waits(&self) -> usize {
        self.operations().map(|count| count.waits).sum()
    }

    fn operations(&self) -> impl Iterator<Item = &Count> {
        self.services.values().flat_map(BTreeMap::values)
    }
}

/// Counts the calls of one run; its clones count together.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<Mutex<Calls>>);

impl Counter {
    /// Counts one attempt.
    pub fn count(&self, service: &str, operation: &str, why: Why) {
        self.calls().count(service, operation, why);
    }

    pub fn so_far(&self) -> Calls {
        self.calls().clone()
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A service as errors name it, `logs.CreateLogGroup`, from what the SDK calls it.
pub(crate) fn word(service: &str) -> String {
    match service {
        "CloudWatch Logs" => "logs".to_owned(),
        "Resource Groups Tagging API" => "tagging".to_owned(),
        service => service.to_lowercase().replace(' ', ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_and_retries_are_counted_by_service_and_operation() {
        let mut calls = Calls::default();
        calls.count("SQS", "CreateQueue", Why::Asks);
        calls.count("API Gateway", "GetRestApis", Why::TooEarlyBefore);
        calls.count("API Gateway", "CreateRestApi", Why::Asks);
        calls.count("API Gateway", "CreateRestApi", Why::FailedBefore);
        assert_eq!((calls.attempts(), calls.retries(), calls.waits()), (4, 1, 1));
        assert_eq!(calls.by_service(), [("apigateway", 3), ("sqs", 1)]);
        assert_eq!(
            serde_json::to_value(&calls).expect("plain data"),
            serde_json::json!({
                "apigateway": {
                    "CreateRestApi": {"attempts": 2, "retries": 1, "waits": 0},
                    "GetRestApis": {"attempts": 1, "retries": 0, "waits": 1},
                },
                "sqs": {"CreateQueue": {"attempts": 1, "retries": 0, "waits": 0}},
            })
        );
    }
}
