//! Where a call waits until AWS's published rates let it go. What the rest of a run waits for longest goes first: an alarm that
//! nothing waits for lets a role pass.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::aws::calls::word;
use crate::aws::clock::Clock;
use crate::aws::observer::{Observer, RATE};
use crate::aws::rates::{Call, Turn, Turns};

tokio::task_local! {
    /// How urgent the calls are that are made here.
    static URGENCY: u64;
}

/// Does some work whose calls are so urgent: in milliseconds, how much there is to do from its beginning on.
pub async fn urgently<F: Future>(milliseconds: u64, work: F) -> F::Output {
    URGENCY.scope(milliseconds, work).await
}

/// The turnstile of one run; its clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Turnstile(Arc<Mutex<Turns<Arc<Notify>>>>);

impl Turnstile {
    /// Waits until a call may go, and gives how long that took. What nobody has said to be less urgent than something else goes
    /// first.
    pub async fn pass(&self, call: Call<'_>, clock: &dyn Clock, observer: Option<&Observer>) -> Duration {
        let urgency = URGENCY.try_with(|urgency| *urgency).unwrap_or(u64::MAX);
        let begun = clock.monotonic();
        let me = Arc::new(Notify::new());
        let place = Place { turnstile: self, turn: self.turns().ask(call, urgency, Arc::clone(&me)) };
        let mut waiting = None;
        loop {
            let now = clock.monotonic();
            let Some(moment) = place.look(now) else { break };
            waiting = waiting.or_else(|| {
                let waiting_for = format!("{RATE}, for {} s", (moment - now).as_secs_f64().ceil());
                observer.map(|it| it.waits(&format!("{}.{}", word(call.service), call.operation), waiting_for))
            });
            tokio::select! {
                () = clock.sleep(moment - now) => {}
                () = me.notified() => {}
            }
        }
        clock.monotonic().saturating_sub(begun)
    }

    fn turns(&self) -> MutexGuard<'_, Turns<Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Among those that wait, until it is dropped.
struct Place<'a> {
    turnstile: &'a Turnstile,
    turn: Turn,
}

impl Place<'_> {
    /// Lets all go that may; gives when to look again, or nothing where this one may go.
    fn look(&self, now: Duration) -> Option<Duration> {
        let mut turns = self.turnstile.turns();
        turns.let_go(now).into_iter().for_each(|goes| goes.notify_one());
        turns.opens(self.turn, now)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.turnstile.turns().leave(self.turn);
    }
}
