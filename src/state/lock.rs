//! Who may write a stack's ledger: one run at a time.

use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::aws::clock::Clock;
use crate::identity::StackId;
use crate::state::lease::Watch;
use crate::state::{Ledger, LedgerError};

/// Where the ledgers of stacks are. Whoever only reads needs no lock.
pub trait Ledgers: Send + Sync {
    /// The stack's ledger; an empty one with this salt where there is none.
    ///
    /// # Errors
    ///
    /// It cannot be read, is no ledger, or is another stack's or a newer paystack's.
    fn load<'a>(&'a self, stack: &'a StackId, salt: &'a str) -> BoxFuture<'a, Result<Ledger, LedgerError>>;

    /// Tries to take the stack's lock; `watch` is what earlier tries have seen.
    ///
    /// # Errors
    ///
    /// It cannot be seen whether somebody has it.
    fn try_lock<'a>(
        &'a self,
        stack: &'a StackId,
        holder: &'a Holder,
        watch: &'a mut Watch,
    ) -> BoxFuture<'a, Result<Attempt, LedgerError>>;

    /// Who has the stack's lock.
    ///
    /// # Errors
    ///
    /// It cannot be seen.
    fn holding<'a>(&'a self, stack: &'a StackId) -> BoxFuture<'a, Result<Holding, LedgerError>>;

    /// Takes a lease from whoever has it, unless it has ended or is another's by now. They can write nothing any more.
    ///
    /// # Errors
    ///
    /// It cannot be broken.
    fn break_lease<'a>(&'a self, stack: &'a StackId, token: &'a str) -> BoxFuture<'a, Result<(), LedgerError>>;
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
    Held(Option<Holder>, Sign),
}

/// How it is known that whoever has a lock is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The system frees the lock when its process ends.
    Process,
    /// The lease was renewed while it was watched.
    Renewed,
    /// It is not known yet.
    None,
}

/// Who has a lock, and by what right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    Nobody,
    /// A running process, which only its end can free it from.
    Process(Option<Holder>),
    Lease {
        holder: Holder,
        token: String,
    },
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

/// Takes the stack's lock; waits so long for whoever works with it, and tells who that is.
///
/// Where nobody knows whether the holder is alive, it is watched until that is known, whatever the patience.
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
    tell: &mut dyn FnMut(Option<&Holder>, Sign),
) -> Result<Box<dyn Lock>, LedgerError> {
    let start = clock.monotonic();
    let mut watch = Watch::default();
    let mut told = None;
    loop {
        let (by, sign) = match ledgers.try_lock(stack, holder, &mut watch).await? {
            Attempt::Taken(lock) => return Ok(lock),
            Attempt::Held(by, sign) => (by, sign),
        };
        if sign != Sign::None && clock.monotonic().saturating_sub(start) >= patience {
            return Err(LedgerError::Locked { stack: stack.clone(), holder: by, sign });
        }
        if told.replace(sign) != Some(sign) {
            tell(by.as_ref(), sign);
        }
        clock.sleep(PAUSE).await;
    }
}
