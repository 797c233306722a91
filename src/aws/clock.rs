//! Time, and the chance by which waits vary, handed in from `main`, so that tests need not wait and find the same each time.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use futures::future::BoxFuture;

/// What tells the time and lets it pass.
pub trait Clock: Send + Sync {
    /// The moment, for people and for the ledger.
    fn now(&self) -> jiff::Timestamp;
    /// Time since some fixed moment, never going back.
    fn monotonic(&self) -> Duration;
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
    /// A number from 0 to 1, another each time: what many wait for at once, they do not all ask for again at once.
    fn jitter(&self) -> f64 {
        1.0
    }
}

/// The machine's clock, and the one place that looks at it.
#[derive(Debug)]
pub struct SystemClock {
    start: std::time::Instant,
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that the others ask")]
impl SystemClock {
    pub fn start() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

#[expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is the clock that the others ask")]
impl Clock for SystemClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn jitter(&self) -> f64 {
        let random = std::hash::RandomState::new().build_hasher().finish();
        random as f64 / u64::MAX as f64
    }
}
