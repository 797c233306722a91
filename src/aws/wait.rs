//! Waiting for AWS: for a state to come, for an error to pass. Every wait has a deadline and says what it waits for. Only
//! what AWS costs counts for it: see [`held_up`].

use std::cell::Cell;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::aws::clock::Clock;
use crate::aws::error::{AwsError, Tried};

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

    /// For what many hosts answer, of which some learn of a change late: five looks in half a second, then more and more
    /// seldom.
    const fn everywhere(deadline_seconds: u64) -> Self {
        Self { pauses: &[100, 100, 100, 200, 500, 1000, 2000], deadline_seconds }
    }

    /// For what takes minutes whatever one does.
    pub const fn minutes(deadline_seconds: u64) -> Self {
        Self { pauses: &[1000, 2000, 5000], deadline_seconds }
    }

    /// For what may be long: longer and longer.
    pub const fn backing_off(deadline_seconds: u64) -> Self {
        Self { pauses: &[1000, 2000, 4000, 8000, 16000, 30000], deadline_seconds }
    }

    /// For what was written to show in lists and tags, before it is missed.
    pub const fn lagging(deadline_seconds: u64) -> Self {
        Self { pauses: &[6000], deadline_seconds }
    }

    /// Between half and all of the round's pause, so that what began to wait together does not look together.
    pub fn pause(&self, round: usize, jitter: f64) -> Duration {
        let whole = self.pauses.get(round).or(self.pauses.last()).copied().unwrap_or(1000);
        Duration::from_millis(whole).mul_f64(0.5 + jitter / 2.0)
    }
}

tokio::task_local! {
    /// The look of the innermost wait around a call.
    static LOOK: Look;
}

struct Look {
    /// For how long our own rates have held it up.
    held: Cell<Duration>,
    /// Whether it is made, or the call tried again, only since an earlier time was too early.
    is_again: bool,
}

/// Whether a call is made only since an earlier one came too early.
pub fn is_again() -> bool {
    LOOK.try_with(|look| look.is_again).unwrap_or_default()
}

/// Says that a call waited for our own rates, which is not AWS's fault: it counts for no deadline of the waits around it.
pub fn held_up(wait: Duration) {
    // Outside of all waits nobody asks.
    let _ = LOOK.try_with(|look| look.held.set(look.held.get() + wait));
}

/// A wait under way.
struct Watch<'a> {
    clock: &'a dyn Clock,
    patience: Patience,
    start: Duration,
    held: Duration,
    rounds: usize,
}

impl<'a> Watch<'a> {
    fn start(clock: &'a dyn Clock, patience: Patience) -> Self {
        Self { clock, patience, start: clock.monotonic(), held: Duration::ZERO, rounds: 0 }
    }

    /// Looks once. What is awaited is boxed, because the code around it would otherwise be there once for every wait of paystack's.
    async fn look<T>(&mut self, look: BoxFuture<'_, T>) -> T {
        let this = Look { held: Cell::default(), is_again: self.rounds > 0 || is_again() };
        let (seen, held) = LOOK.scope(this, async { (look.await, LOOK.with(|look| look.held.get())) }).await;
        self.held += held;
        held_up(held);
        seen
    }

    fn elapsed(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.start).saturating_sub(self.held)
    }

    /// Lets the pause before the next look pass; gives false where the deadline comes before it.
    async fn rest(&mut self) -> bool {
        let pause = self.patience.pause(self.rounds, self.clock.jitter());
        self.rounds += 1;
        if self.elapsed() + pause > Duration::from_secs(self.patience.deadline_seconds) {
            return false;
        }
        self.clock.sleep(pause).await;
        true
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
    F: Future<Output = Result<Option<T>, AwsError>> + Send,
{
    let mut watch = Watch::start(clock, patience);
    loop {
        if let Some(seen) = watch.look(Box::pin(look())).await? {
            return Ok(seen);
        }
        if !watch.rest().await {
            return Err(AwsError::deadline(operation, waiting_for, patience.deadline_seconds));
        }
    }
}

/// How often in a row something must be seen that not every host knows yet. Terraform wants to see a queue missing 15 times
/// and its attributes 6 times, each after seconds; here the looks lie the further apart the longer they disagree.
const IN_A_ROW: u32 = 5;

/// Looks until `look` has been true five times in a row, or the deadline passes.
pub async fn until_everywhere<F>(
    clock: &dyn Clock,
    operation: &'static str,
    waiting_for: &str,
    deadline_seconds: u64,
    mut look: impl FnMut() -> F,
) -> Result<(), AwsError>
where
    F: Future<Output = Result<bool, AwsError>> + Send,
{
    let mut watch = Watch::start(clock, Patience::everywhere(deadline_seconds));
    let mut in_a_row = 0;
    loop {
        in_a_row = if watch.look(Box::pin(look())).await? { in_a_row + 1 } else { 0 };
        if in_a_row >= IN_A_ROW {
            return Ok(());
        }
        if !watch.rest().await {
            return Err(AwsError::deadline(operation, waiting_for, deadline_seconds));
        }
    }
}

/// Repeats a call while it fails with an error that is known to pass; when the deadline passes, gives that error back with
/// how long it was tried.
pub async fn while_passing<T, F>(
    clock: &dyn Clock,
    patience: Patience,
    passes: impl Fn(&AwsError) -> bool,
    mut call: impl FnMut() -> F,
) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, AwsError>> + Send,
{
    let mut watch = Watch::start(clock, patience);
    let mut times = 0;
    loop {
        let error = match watch.look(Box::pin(call())).await {
            Ok(done) => return Ok(done),
            Err(error) if passes(&error) => error,
            Err(error) => return Err(error),
        };
        times += error.tried.map_or(1, |tried| tried.times);
        if !watch.rest().await {
            return Err(AwsError { tried: Some(Tried { times, within: watch.elapsed() }), ..error });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use expect_test::expect;

    use super::*;
    use crate::aws::error::ErrorClass;

    const HELD: &str = "no test goes on after a panic under this lock";

    /// Time passes where somebody sleeps.
    #[derive(Default)]
    struct Napping {
        now: Mutex<Duration>,
        jitter: f64,
    }

    impl Clock for Napping {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            *self.now.lock().expect(HELD)
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            *self.now.lock().expect(HELD) += duration;
            Box::pin(std::future::ready(()))
        }

        fn jitter(&self) -> f64 {
            self.jitter
        }
    }

    fn busy() -> AwsError {
        AwsError::new("lambda.UpdateFunctionCode", ErrorClass::Conflict, "an update is in progress")
    }

    #[tokio::test]
    async fn an_error_that_does_not_pass_says_how_long_it_was_waited_for() {
        let clock = Napping { jitter: 1.0, ..Napping::default() };
        let call = || async { Err::<(), _>(busy()) };
        let error = while_passing(&clock, Patience::seconds(30), |_| true, call).await.expect_err("always busy");
        expect!["`lambda.UpdateFunctionCode` failed: an update is in progress (tried 19 times in 29 s)"]
            .assert_eq(&error.to_string());
    }

    #[tokio::test]
    async fn attempts_of_the_call_itself_are_among_those_that_are_told() {
        let clock = Napping::default();
        let tried = Some(Tried { times: 10, within: Duration::from_secs(5) });
        let call = || async { Err::<(), _>(AwsError { tried, ..busy() }) };
        let error = while_passing(&clock, Patience::seconds(0), |_| true, call).await.expect_err("always busy");
        assert_eq!(error.tried.map(|tried| tried.times), Some(10));
    }

    #[tokio::test]
    async fn a_wait_that_is_held_up_by_our_own_rates_is_as_long_as_it_would_be_without() {
        let looks = async |held: u64| {
            let clock = Napping::default();
            let looks = AtomicUsize::new(0);
            let look = || async {
                looks.fetch_add(1, Ordering::Relaxed);
                clock.sleep(Duration::from_secs(held)).await;
                held_up(Duration::from_secs(held));
                Ok(None::<()>)
            };
            let nested = || while_passing(&clock, Patience::seconds(1), |_| false, look);
            let waited = until(&clock, "sqs.GetQueueUrl", "the queue", Patience::seconds(10), nested).await;
            assert_eq!(waited.expect_err("never there").message, "waited 10 s for the queue, in vain");
            looks.load(Ordering::Relaxed)
        };
        assert_eq!(looks(30).await, looks(0).await);
    }

    #[tokio::test]
    async fn what_flickers_is_looked_at_until_it_stays_and_more_and_more_seldom() {
        let looks = async |seen: &str| {
            let clock = Napping { jitter: 1.0, ..Napping::default() };
            let mut answers = seen.chars().map(|it| it == '+');
            let look = || std::future::ready(Ok(answers.next().unwrap_or(true)));
            until_everywhere(&clock, "sqs.GetQueueUrl", "the queue", 60, look).await.expect("it stays");
            clock.monotonic().as_millis()
        };
        assert_eq!(looks("+++++").await, 500);
        assert_eq!(looks("+-++-+++++").await, 8_000);
    }

    #[test]
    fn a_pause_is_between_half_and_all_of_what_it_is_said_to_be() {
        let pause = |jitter| Patience::minutes(60).pause(1, jitter).as_millis();
        assert_eq!([pause(0.0), pause(0.5), pause(1.0)], [1000, 1500, 2000]);
    }
}
