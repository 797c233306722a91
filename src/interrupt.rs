//! Ctrl-C and SIGTERM: what the first of them does and what the next, whichever command runs.
//!
//! Knows no signals: `main` listens for them, and asks here what to do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::children::Children;

/// How long what is in flight may take once a run is interrupted. What takes longer waits for AWS, which goes on without
/// paystack; the next run finds out what came of it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long giving back what is held may take: a lease is one call to AWS.
const GIVING_BACK: Duration = Duration::from_secs(3);

/// What an interruption means at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing has been changed: there is nothing to finish.
    Looking,
    /// Tasks run. The first interruption lets them finish, the second does not.
    Working,
    /// What was to be done is done, as far as it can be, and remembered.
    Done,
}

/// What the user, or whoever stops this process, has asked for.
#[derive(Debug, Clone)]
pub struct Interrupts {
    phase: Arc<Mutex<Phase>>,
    stop: watch::Sender<bool>,
    leave: watch::Sender<bool>,
    held: Arc<AtomicUsize>,
    /// What has to end when paystack does.
    pub children: Children,
}

/// That paystack has to leave at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving {
    /// What there is to say.
    pub said: &'static str,
    /// How long the command may take to end by itself, for what it holds to be given back.
    pub patience: Duration,
}

/// Something that outlives the process, such as a lease; it has been given back when this is dropped.
pub struct Held<'a> {
    interrupts: &'a Interrupts,
}

/// A run that is worth finishing; it is over when this is dropped.
pub struct Working<'a> {
    interrupts: &'a Interrupts,
}

impl Default for Interrupts {
    fn default() -> Self {
        Self {
            phase: Arc::new(Mutex::new(Phase::Looking)),
            stop: watch::Sender::new(false),
            leave: watch::Sender::new(false),
            held: Arc::default(),
            children: Children::default(),
        }
    }
}

impl Interrupts {
    /// Takes an interruption. `None` where the run knows and comes to its end by itself.
    pub fn interrupt(&self) -> Option<Leaving> {
        let said = match *self.lock() {
            Phase::Working if !self.stop.send_replace(true) => return None,
            Phase::Working => {
                "stopped at once: what was in flight may have been done or not; run the same command again, it finds out"
            }
            Phase::Looking => "interrupted: nothing was changed",
            Phase::Done => "interrupted: what was done is remembered; run the same command again for what is left",
        };
        self.leave.send_replace(true);
        self.children.end();
        let patience = if self.held.load(Ordering::SeqCst) > 0 { GIVING_BACK } else { Duration::ZERO };
        Some(Leaving { said, patience })
    }

    /// Whether paystack has to leave.
    pub fn is_leaving(&self) -> bool {
        *self.leave.borrow()
    }

    /// Ends when paystack has to leave.
    pub async fn leaving(&self) {
        // Who could send it is this very value.
        let _ = self.leave.subscribe().wait_for(|is_leaving| *is_leaving).await;
    }

    /// Something is held from now on that has to be given back before paystack leaves.
    pub fn hold(&self) -> Held<'_> {
        self.held.fetch_add(1, Ordering::SeqCst);
        Held { interrupts: self }
    }

    /// From now on something is changed, until what is returned is dropped.
    pub fn work(&self) -> Working<'_> {
        *self.lock() = Phase::Working;
        Working { interrupts: self }
    }

    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Working<'_> {
    /// Becomes true when nothing new shall start.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.interrupts.stop.subscribe()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.interrupts.held.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        *self.interrupts.lock() = Phase::Done;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(interrupts: &Interrupts) -> &'static str {
        interrupts.interrupt().map(|leaving| leaving.said).unwrap_or_default()
    }

    #[test]
    fn while_nothing_is_changed_the_first_interruption_is_the_end() {
        let leaving = Leaving { said: "interrupted: nothing was changed", patience: Duration::ZERO };
        assert_eq!(Interrupts::default().interrupt(), Some(leaving));
    }

    #[tokio::test]
    async fn what_is_held_is_given_back_first() {
        let interrupts = Interrupts::default();
        let held = interrupts.hold();
        assert_eq!(interrupts.interrupt().map(|leaving| leaving.patience), Some(GIVING_BACK));
        interrupts.leaving().await;
        drop(held);
        assert_eq!(interrupts.interrupt().map(|leaving| leaving.patience), Some(Duration::ZERO));
    }

    #[test]
    fn a_run_is_finished_unless_it_is_interrupted_again() {
        let interrupts = Interrupts::default();
        let working = interrupts.work();
        let stopping = working.stopping();
        assert!(!*stopping.borrow());
        assert_eq!(interrupts.interrupt(), None);
        assert!(*stopping.borrow());
        assert!(said(&interrupts).starts_with("stopped at once"));
    }

    #[test]
    fn after_a_run_there_is_nothing_to_wait_for() {
        let interrupts = Interrupts::default();
        drop(interrupts.work());
        assert!(said(&interrupts).starts_with("interrupted: what was done"));
    }
}
