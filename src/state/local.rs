//! Ledgers as files: `state/<stack>.json`, written whole and at once.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;

use futures::future::BoxFuture;

use crate::identity::StackId;
use crate::state::lease::Watch;
use crate::state::{Attempt, Holder, Holding, Ledger, LedgerError, Ledgers, Lock, Sign};
use crate::text_file;

/// How large a ledger may be.
const LARGEST_BYTES: u64 = 32 * 1024 * 1024;

/// The ledgers in one directory.
#[derive(Debug, Clone)]
pub struct LocalLedgers {
    directory: PathBuf,
}

/// A stack's lock, until it is dropped or the process ends: then the system frees it.
#[derive(Debug)]
struct FileLock {
    ledgers: LocalLedgers,
    stack: StackId,
    _file: File,
}

impl LocalLedgers {
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    pub fn path(&self, stack: &StackId) -> PathBuf {
        self.directory.join(format!("{stack}.json"))
    }

    fn read(&self, stack: &StackId, salt: &str) -> Result<Ledger, LedgerError> {
        let path = self.path(stack);
        let text = match text_file::read(&path, LARGEST_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Ledger::empty(stack.clone(), salt.to_owned()));
            }
            Err(source) => return Err(LedgerError::Read { path, source }),
        };
        Ledger::parse(&text, &path.display().to_string(), stack)
    }

    /// Whoever reads it meanwhile sees the old one or the new one.
    fn write(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        let path = self.path(&ledger.stack);
        let written = |source| LedgerError::Write { path: path.clone(), source };
        let text = serde_json::to_vec_pretty(ledger).map_err(|error| written(error.into()))?;
        fs::create_dir_all(&self.directory).map_err(written)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.directory).map_err(written)?;
        file.write_all(&text).map_err(written)?;
        file.as_file().sync_data().map_err(written)?;
        file.persist(&path).map_err(|error| written(error.error))?;
        Ok(())
    }

    fn remove(&self, stack: &StackId) -> Result<(), LedgerError> {
        let path = self.path(stack);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(LedgerError::Write { path, source }),
            _ => Ok(()),
        }
    }

    fn lock_path(&self, stack: &StackId) -> PathBuf {
        self.directory.join(format!("{stack}.lock"))
    }

    /// Who has the lock; nobody's file is changed by looking.
    fn look(&self, stack: &StackId) -> Result<Holding, LedgerError> {
        let path = self.lock_path(stack);
        let failed = |source| LedgerError::Read { path: path.clone(), source };
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Holding::Nobody),
            Err(source) => return Err(failed(source)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Holding::Nobody),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(failed)?;
                Ok(Holding::Process(serde_json::from_str(&text).ok()))
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    fn take(&self, stack: &StackId, holder: &Holder) -> Result<Attempt, LedgerError> {
        let path = self.lock_path(stack);
        let failed = |source| LedgerError::Write { path: path.clone(), source };
        fs::create_dir_all(&self.directory).map_err(failed)?;
        // What a link leads to would be overwritten, wherever it is.
        if path.is_symlink() {
            return Err(LedgerError::Link { path });
        }
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(failed)?;
                return Ok(Attempt::Held(serde_json::from_str(&text).ok(), Sign::Process));
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let text = serde_json::to_vec(holder).map_err(|error| failed(error.into()))?;
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&text)).map_err(failed)?;
        Ok(Attempt::Taken(Box::new(FileLock { ledgers: self.clone(), stack: stack.clone(), _file: file })))
    }
}

impl Ledgers for LocalLedgers {
    fn load<'a>(&'a self, stack: &'a StackId, salt: &'a str) -> BoxFuture<'a, Result<Ledger, LedgerError>> {
        Box::pin(async move { self.read(stack, salt) })
    }

    fn try_lock<'a>(
        &'a self,
        stack: &'a StackId,
        holder: &'a Holder,
        _watch: &'a mut Watch,
    ) -> BoxFuture<'a, Result<Attempt, LedgerError>> {
        Box::pin(async move { self.take(stack, holder) })
    }

    fn holding<'a>(&'a self, stack: &'a StackId) -> BoxFuture<'a, Result<Holding, LedgerError>> {
        Box::pin(async move { self.look(stack) })
    }

    /// What a running process has locked, nobody can take from it.
    fn break_lease<'a>(&'a self, _stack: &'a StackId, _token: &'a str) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(async { Ok(()) })
    }
}

impl Lock for FileLock {
    fn save<'a>(&'a self, ledger: &'a mut Ledger) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(async move {
            ledger.serial += 1;
            self.ledgers.write(ledger).inspect_err(|_| ledger.serial -= 1)
        })
    }

    fn remove(&self) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move { self.ledgers.remove(&self.stack) })
    }

    /// The system takes it from nobody.
    fn confirm(&self) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async { Ok(()) })
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move { drop(self) })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn ledgers() -> (tempfile::TempDir, LocalLedgers, StackId) {
        let directory = tempfile::tempdir().expect("a directory");
        let ledgers = LocalLedgers::new(directory.path().join("state"));
        (directory, ledgers, StackId::from("payments-dev"))
    }

    fn holder(caller: &str) -> Holder {
        Holder { command: "apply".to_owned(), caller: caller.to_owned(), process: 7, since: Timestamp::UNIX_EPOCH }
    }

    async fn taken(ledgers: &LocalLedgers, stack: &StackId, caller: &str) -> Box<dyn Lock> {
        match ledgers
            .try_lock(stack, &holder(caller), &mut Watch::default())
            .await
            .expect("the directory can be written")
        {
            Attempt::Taken(lock) => lock,
            Attempt::Held(by, _) => panic!("it is held by {by:?}"),
        }
    }

    #[tokio::test]
    async fn a_ledger_that_was_saved_is_remembered() {
        let (_directory, ledgers, stack) = ledgers();
        let mut ledger = ledgers.load(&stack, "salt").await.expect("an empty ledger");
        assert!(!ledger.is_remembered);
        taken(&ledgers, &stack, "ada").await.save(&mut ledger).await.expect("saved");
        let loaded = ledgers.load(&stack, "other").await.expect("loaded");
        assert!(loaded.is_remembered);
        assert_eq!((loaded.serial, loaded.salt.as_str()), (1, "salt"));
    }

    #[tokio::test]
    async fn a_stack_is_locked_for_one() {
        let (_directory, ledgers, stack) = ledgers();
        let lock = taken(&ledgers, &stack, "ada").await;
        let attempt = ledgers.try_lock(&stack, &holder("bob"), &mut Watch::default()).await;
        let Attempt::Held(by, Sign::Process) = attempt.expect("it can be seen") else { panic!("it is locked") };
        assert_eq!(by, Some(holder("ada")));
        assert_eq!(ledgers.holding(&stack).await.expect("it can be seen"), Holding::Process(Some(holder("ada"))));
        lock.release().await;
        assert_eq!(ledgers.holding(&stack).await.expect("it can be seen"), Holding::Nobody);
        taken(&ledgers, &stack, "bob").await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_a_link_leads_to_is_not_written() {
        let (directory, ledgers, stack) = ledgers();
        let other = directory.path().join("other");
        fs::write(&other, "precious").expect("written");
        let lock = taken(&ledgers, &stack, "ada").await;
        std::os::unix::fs::symlink(&other, ledgers.path(&stack)).expect("a link");
        lock.save(&mut Ledger::empty(stack.clone(), String::new())).await.expect("saved in its own place");
        lock.release().await;
        let path = ledgers.directory.join("payments-dev.lock");
        fs::remove_file(&path).expect("removed");
        std::os::unix::fs::symlink(&other, path).expect("a link");
        assert!(matches!(
            ledgers.try_lock(&stack, &holder("ada"), &mut Watch::default()).await,
            Err(LedgerError::Link { .. })
        ));
        assert_eq!(fs::read_to_string(&other).expect("it is there"), "precious");
    }

    #[tokio::test]
    async fn a_ledger_of_a_newer_paystack_is_not_touched() {
        let (_directory, ledgers, stack) = ledgers();
        fs::create_dir_all(&ledgers.directory).expect("a directory");
        fs::write(ledgers.path(&stack), r#"{"version": 99, "future": true}"#).expect("written");
        let error = ledgers.load(&stack, "").await.expect_err("newer");
        assert!(error.to_string().contains("version 99"), "{error}");
    }
}
