//! Real AWS where emulators are kinder: what takes a while, what is refused meanwhile, what lags behind. Each behaviour
//! stands in a file of its service, with its source.
//!
//! "Real AWS behaviour" is the project's reference of that name; its sections are numbered, and name their own sources.

mod iam;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::Response;
use crate::{Behaviour, held};

/// How fast AWS's time goes by: 1.0 is real time, 0.1 makes ten seconds one.
#[derive(Debug, Clone, Copy)]
pub struct Pace(pub f64);

impl Pace {
    /// So many of AWS's seconds, as they pass here.
    pub fn seconds(self, seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds * self.0)
    }
}

/// All behaviours, by name.
pub fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![Arc::new(iam::RoleNotYetAssumable::new(pace))]
}

/// One behaviour.
///
/// # Errors
///
/// There is none of that name; the message lists those that there are.
pub fn named(name: &str, pace: Pace) -> Result<Arc<dyn Behaviour>, String> {
    let all = all(pace);
    let names: Vec<_> = all.iter().map(|behaviour| behaviour.name()).collect();
    let found = all.iter().find(|behaviour| behaviour.name() == name).cloned();
    found.ok_or_else(|| format!("`{name}` is no behaviour: {}", names.join(", ")))
}

/// When something happened last, by what it happened to.
#[derive(Debug)]
struct Moments<K>(Mutex<HashMap<K, Instant>>);

impl<K: Eq + Hash> Moments<K> {
    fn new() -> Self {
        Self(Mutex::default())
    }

    fn note(&self, what: K) {
        held(&self.0).insert(what, Instant::now());
    }

    fn forget(&self, what: &K) {
        held(&self.0).remove(what);
    }

    /// How long ago it was; `None` where it has not happened.
    fn age(&self, what: &K) -> Option<Duration> {
        held(&self.0).get(what).map(Instant::elapsed)
    }

    /// Whether it happened less than so long ago.
    fn is_younger(&self, what: &K, than: Duration) -> bool {
        self.age(what).is_some_and(|age| age < than)
    }
}

/// Counts how often a behaviour made a difference.
#[derive(Debug, Default)]
struct Strikes(AtomicUsize);

impl Strikes {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts where there is something to count, and passes it on.
    fn with<T>(&self, something: Option<T>) -> Option<T> {
        if something.is_some() {
            self.add();
        }
        something
    }
}

/// Changes an answer that is JSON.
fn edit_json(answer: &mut Response, edit: impl FnOnce(&mut Value)) {
    if let Ok(mut value) = serde_json::from_slice(&answer.body) {
        edit(&mut value);
        answer.body = value.to_string().into_bytes();
    }
}
