//! Real AWS where emulators are kinder: what takes a while, what is refused meanwhile, what lags behind. Each behaviour
//! stands in a file of its service, with its source.
//!
//! "Real AWS behaviour" is the project's reference of that name; its sections are numbered, and name their own sources.

mod apigateway;
mod dynamodb;
mod iam;
mod lambda;
mod lists;
mod logs;
mod overlap;
mod principal;
mod rates;
mod sns;
mod spell;
mod sqs;
mod waf;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::{Headers, Response};
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

/// All behaviours.
pub fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    [
        apigateway::all(pace),
        dynamodb::all(pace),
        iam::all(pace),
        lambda::all(pace),
        lists::all(pace),
        logs::all(pace),
        overlap::all(pace),
        principal::all(pace),
        rates::all(pace),
        sns::all(pace),
        sqs::all(pace),
        waf::all(pace),
    ]
    .concat()
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

/// What others learn of late. How long they take is counted from when they are first asked, so that the caller meets it
/// however slowly it comes to ask.
#[derive(Debug)]
struct Lag<K>(Mutex<HashMap<K, Option<Instant>>>);

impl<K: Eq + Hash> Lag<K> {
    fn new() -> Self {
        Self(Mutex::default())
    }

    fn note(&self, what: K) {
        held(&self.0).insert(what, None);
    }

    fn forget(&self, what: &K) {
        held(&self.0).remove(what);
    }

    /// Whether they have not learned of it yet, where that takes so long.
    fn lasts(&self, what: &K, time: Duration) -> bool {
        let mut noted = held(&self.0);
        noted.get_mut(what).is_some_and(|asked| asked.get_or_insert_with(Instant::now).elapsed() < time)
    }
}

/// What is being done to things, and until when.
#[derive(Debug)]
struct Underway<K, W>(Mutex<HashMap<K, (W, Instant)>>);

impl<K: Eq + Hash + Clone, W: Clone> Underway<K, W> {
    fn new() -> Self {
        Self(Mutex::default())
    }

    fn start(&self, what: K, work: W, time: Duration) {
        held(&self.0).insert(what, (work, Instant::now() + time));
    }

    fn stop(&self, what: &K) {
        held(&self.0).remove(what);
    }

    /// What is being done to it now.
    fn on(&self, what: &K) -> Option<W> {
        held(&self.0).get(what).filter(|(_, end)| Instant::now() < *end).map(|(work, _)| work.clone())
    }

    /// All to which something is being done.
    fn all(&self) -> Vec<K> {
        let now = Instant::now();
        held(&self.0).iter().filter(|(_, (_, end))| now < *end).map(|(what, _)| what.clone()).collect()
    }
}

/// A thing in an account: the account and the thing's name.
type Named = (String, String);

/// The things, as [`Behaviour::unsettled`] names them.
fn names(things: Vec<Named>, state: &str) -> Vec<String> {
    things.into_iter().map(|(_, name)| format!("`{name}` is {state}")).collect()
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
        // The sum would no longer be right.
        answer.headers.remove("x-amz-crc32");
    }
}

/// An answer that is JSON, where the emulator is not asked.
fn json_answer(content_type: &str, value: &Value) -> Response {
    let mut headers = Headers::default();
    headers.set("Content-Type", content_type);
    Response { status: 200, headers, body: value.to_string().into_bytes() }
}

fn is_done(answer: &Response) -> bool {
    (200..300).contains(&answer.status)
}
