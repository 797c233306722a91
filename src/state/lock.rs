//! Who may write a stack's ledger: one run at a time.

use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::aws::clock::Clock;
use crate::identity::StackId;
use crate::state::{Ledger, LedgerError};

/// Where the ledgers of stacks are. Whoever only reads needs no lock.
pub trait Ledgers: Send + Sync {
    /// The stack's ledger; an empty one with this salt where there is none.
    ///
    /// # Errors
    ///
    /// It cannot be read, is no ledger, or is another stack's or a newer paystack's.
    fn load<'a>(&'a self, stack: &'a StackId, salt: &'a str) -> BoxFuture<'a, Result<Ledger, LedgerError>>;

    /// Tries to take the stack's lock.
    ///
    /// # Errors
    ///
    /// It cannot be seen whether somebody has it.
    fn try_lock<'a>(&'a self, stack: &'a StackId, holder: &'a Holder) -> BoxFuture<'a, Result<Attempt, LedgerError>>;
}

/// The right to write one stack's ledger. It ends when it is released or its process ends.
pub trait Lock: Send + Sync {
    /// Keeps the ledger, and counts that in its serial.
    ///
    /// # Errors
    ///
    /// It could not be kept, or the lock is another's by now; what was kept before still is.
    fn save<'a>(&'a self, ledger: &'a mut Ledger) -> BoxFuture<'a, Result<(), LedgerError>>;

    /// Removes the ledger of a stack of which nothing is left.
    ///
    /// # Errors
    ///
    /// It is there and cannot be removed, or the lock is another's by now.
    fn remove(&self) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Makes sure that the lock is still held.
    ///
    /// # Errors
    ///
    /// It is another's by now, or that cannot be seen.
    fn confirm(&self) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Gives the lock back.
    fn release(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// What came of trying to take a lock.
pub enum Attempt {
    Taken(Box<dyn Lock>),
    /// Somebody has it; `None` where they have not said yet who they are.
    Held(Option<Holder>),
}

/// Who has a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// What they do with it: `apply`.
    pub command: String,
    /// User and host.
    pub caller: String,
    pub process: u32,
    pub since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, caller, process, since } = self;
        write!(f, "`{command}` by {caller} (process {process}) since {since:.0}")
    }
}

/// How long to wait for a lock between two tries.
const PAUSE: Duration = Duration::from_millis(250);

/// Takes the stack's lock; waits so long for whoever has it, and tells once who that is.
///
/// # Errors
///
/// Somebody else still has it, or that cannot be seen.
pub async fn lock(
    ledgers: &dyn Ledgers,
    stack: &StackId,
    holder: &Holder,
    patience: Duration,
    clock: &dyn Clock,
    tell: &mut dyn FnMut(Option<&Holder>),
) -> Result<Box<dyn Lock>, LedgerError> {
    let start = clock.monotonic();
    let mut is_told = false;
    loop {
        let by = match ledgers.try_lock(stack, holder).await? {
            Attempt::Taken(lock) => return Ok(lock),
            Attempt::Held(by) => by,
        };
        if clock.monotonic().saturating_sub(start) >= patience {
            return Err(LedgerError::Locked { stack: stack.clone(), holder: by });
        }
        if !is_told {
            is_told = true;
            tell(by.as_ref());
        }
        clock.sleep(PAUSE).await;
    }
}
