//! Ctrl-C and SIGTERM: what the first of them does and what the next, whichever command runs.
//!
//! Knows no signals: `main` listens for them, and asks here what to do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::children::Children;

/// How long what is in flight may take once a run is interrupted. What takes longer waits for AWS, which goes on without
/// paystack; the next run finds out what came of it.
pub const PATIENCE: Duration = Duration::from_secs(20);

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
    /// What has to end when paystack does.
    pub children: Children,
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
            children: Children::default(),
        }
    }
}

impl Interrupts {
    /// Takes an interruption. `None` where the run knows and comes to its end by itself; else paystack has to leave at once,
    /// and this is what there is to say.
    pub fn interrupt(&self) -> Option<&'static str> {
        let said = match *self.lock() {
            Phase::Working if !self.stop.send_replace(true) => return None,
            Phase::Working => {
                "stopped at once: what was in flight may have been done or not; run the same command again, it finds out"
            }
            Phase::Looking => "interrupted: nothing was changed",
            Phase::Done => "interrupted: what was done is remembered; run the same command again for what is left",
        };
        self.children.end();
        Some(said)
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

impl Drop for Working<'_> {
    fn drop(&mut self) {
        *self.interrupts.lock() = Phase::Done;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_nothing_is_changed_the_first_interruption_is_the_end() {
        assert_eq!(Interrupts::default().interrupt(), Some("interrupted: nothing was changed"));
    }

    #[test]
    fn a_run_is_finished_unless_it_is_interrupted_again() {
        let interrupts = Interrupts::default();
        let working = interrupts.work();
        let stopping = working.stopping();
        assert!(!*stopping.borrow());
        assert_eq!(interrupts.interrupt(), None);
        assert!(*stopping.borrow());
        assert!(interrupts.interrupt().is_some_and(|said| said.starts_with("stopped at once")));
    }

    #[test]
    fn after_a_run_there_is_nothing_to_wait_for() {
        let interrupts = Interrupts::default();
        drop(interrupts.work());
        assert!(interrupts.interrupt().is_some_and(|said| said.starts_with("interrupted: what was done")));
    }
}
