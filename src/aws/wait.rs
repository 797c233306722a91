//! Waiting for AWS: for a state to come, for an error to pass. Every wait has a deadline and says what it waits for.

use std::time::Duration;

use crate::aws::clock::Clock;
use crate::aws::error::{AwsError, ErrorClass};

/// When to look again, and when to give up.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The pauses between the first looks; the last one is repeated.
    pauses: &'static [u64],
    /// Seconds after which the wait is given up.
    deadline_seconds: u64,
}

impl Patience {
    /// For what usually passes in seconds: dense at first, then every two seconds (IAM propagation, pending functions).
    pub const fn seconds(deadline_seconds: u64) -> Self {
        Self { pauses: &[250, 250, 500, 1000, 1000, 2000], deadline_seconds }
    }

    /// For what takes minutes whatever one does.
    pub const fn minutes(deadline_seconds: u64) -> Self {
        Self { pauses: &[1000, 2000, 5000], deadline_seconds }
    }

    /// For throttles: longer and longer.
    pub const fn backing_off(deadline_seconds: u64) -> Self {
        Self { pauses: &[1000, 2000, 4000, 8000, 16000, 30000], deadline_seconds }
    }

    fn pause(&self, round: usize) -> Duration {
        Duration::from_millis(self.pauses.get(round).or(self.pauses.last()).copied().unwrap_or(1000))
    }
}

/// Looks until `look` gives something, or the deadline passes.
pub async fn until<T, F>(
    clock: &dyn Clock,
    operation: &'static str,
    waiting_for: &str,
    patience: Patience,
    mut look: impl FnMut() -> F,
) -> Result<T, AwsError>
where
    F: Future<Output = Result<Option<T>, AwsError>>,
{
    let start = clock.monotonic();
    for round in 0.. {
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        let pause = patience.pause(round);
        if clock.monotonic().saturating_sub(start) + pause > Duration::from_secs(patience.deadline_seconds) {
            break;
        }
        clock.sleep(pause).await;
    }
    Err(AwsError::deadline(operation, waiting_for, patience.deadline_seconds))
}

/// Repeats a call while it fails with an error that is known to pass; gives that error back when the deadline passes.
pub async fn while_passing<T, F>(
    clock: &dyn Clock,
    patience: Patience,
    passes: impl Fn(&AwsError) -> bool,
    mut call: impl FnMut() -> F,
) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, AwsError>>,
{
    let start = clock.monotonic();
    let mut round = 0;
    loop {
        let error = match call().await {
            Ok(done) => return Ok(done),
            Err(error) if passes(&error) => error,
            Err(error) => return Err(error),
        };
        let pause = patience.pause(round);
        if clock.monotonic().saturating_sub(start) + pause > Duration::from_secs(patience.deadline_seconds) {
            return Err(error);
        }
        clock.sleep(pause).await;
        round += 1;
    }
}

/// Whether the error is the service asking for less, which the SDK's three attempts do not always outlast.
pub fn is_throttle(error: &AwsError) -> bool {
    error.class == ErrorClass::Throttled
}
