//! Ledgers as files: `state/<stack>.json`, written whole and at once.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::identity::StackId;
use crate::state::{Ledger, LedgerError, LedgerStore, VERSION};

/// The ledgers in one directory.
#[derive(Debug, Clone)]
pub struct LocalLedgers {
    directory: PathBuf,
}

/// The right to change a stack's ledger, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl LocalLedgers {
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    pub fn path(&self, stack: &StackId) -> PathBuf {
        self.directory.join(format!("{stack}.json"))
    }

    /// The stack's ledger; an empty one with this salt where there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is no ledger, or is another stack's or a newer paystack's.
    pub fn load(&self, stack: &StackId, salt: String) -> Result<Ledger, LedgerError> {
        let path = self.path(stack);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ledger::empty(stack.clone(), salt)),
            Err(source) => return Err(LedgerError::Read { path, source }),
        };
        parse(&text, &path, stack)
    }

    /// Removes the ledger of a stack of which nothing is left.
    ///
    /// # Errors
    ///
    /// The file is there and cannot be removed.
    pub fn remove(&self, stack: &StackId) -> Result<(), LedgerError> {
        let path = self.path(stack);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(LedgerError::Write { path, source }),
            _ => Ok(()),
        }
    }

    /// Takes the stack's lock for this process; `holder` tells others who has it. The system frees it when the process ends.
    ///
    /// # Errors
    ///
    /// Somebody else has it, or the lock's file cannot be written.
    pub fn lock(&self, stack: &StackId, holder: &str) -> Result<Lock, LedgerError> {
        let path = self.directory.join(format!("{stack}.lock"));
        let failed = |source| LedgerError::Write { path: path.clone(), source };
        fs::create_dir_all(&self.directory).map_err(failed)?;
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(failed)?;
                return Err(LedgerError::Locked { stack: stack.clone(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(failed)?;
        Ok(Lock { _file: file })
    }
}

impl LedgerStore for LocalLedgers {
    /// Whoever reads it meanwhile sees the old one or the new one.
    fn save(&self, ledger: &mut Ledger) -> Result<(), LedgerError> {
        let path = self.path(&ledger.stack);
        ledger.serial += 1;
        let written = |source| LedgerError::Write { path: path.clone(), source };
        let text = serde_json::to_vec_pretty(ledger).map_err(|error| written(error.into()))?;
        fs::create_dir_all(&self.directory).map_err(written)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.directory).map_err(written)?;
        file.write_all(&text).map_err(written)?;
        file.as_file().sync_data().map_err(written)?;
        file.persist(&path).map_err(|error| written(error.error))?;
        Ok(())
    }
}

fn parse(text: &str, path: &Path, stack: &StackId) -> Result<Ledger, LedgerError> {
    let path = path.to_owned();
    let version = serde_json::from_str::<serde_json::Value>(text).ok().and_then(|it| it.get("version")?.as_u64());
    if let Some(version) = version.and_then(|it| u32::try_from(it).ok()).filter(|it| *it > VERSION) {
        return Err(LedgerError::Newer { path, version });
    }
    let ledger: Ledger =
        serde_json::from_str(text).map_err(|source| LedgerError::Unreadable { path: path.clone(), source })?;
    if &ledger.stack != stack {
        return Err(LedgerError::OtherStack { path, found: ledger.stack, expected: stack.clone() });
    }
    Ok(Ledger { is_remembered: true, ..ledger })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledgers() -> (tempfile::TempDir, LocalLedgers, StackId) {
        let directory = tempfile::tempdir().expect("a directory");
        let ledgers = LocalLedgers::new(directory.path().join("state"));
        (directory, ledgers, StackId::from("payments-dev"))
    }

    #[test]
    fn a_ledger_that_was_saved_is_remembered() {
        let (_directory, ledgers, stack) = ledgers();
        let mut ledger = ledgers.load(&stack, "salt".to_owned()).expect("an empty ledger");
        assert!(!ledger.is_remembered);
        ledgers.save(&mut ledger).expect("saved");
        let loaded = ledgers.load(&stack, "other".to_owned()).expect("loaded");
        assert!(loaded.is_remembered);
        assert_eq!((loaded.serial, loaded.salt.as_str()), (1, "salt"));
    }

    #[test]
    fn a_stack_is_locked_for_one() {
        let (_directory, ledgers, stack) = ledgers();
        let lock = ledgers.lock(&stack, "apply by ada since noon").expect("locked");
        let error = ledgers.lock(&stack, "apply by bob").expect_err("it is locked");
        assert!(error.to_string().contains("ada since noon"), "{error}");
        drop(lock);
        ledgers.lock(&stack, "apply by bob").expect("free again");
    }

    #[test]
    fn a_ledger_of_a_newer_paystack_is_not_touched() {
        let (_directory, ledgers, stack) = ledgers();
        fs::create_dir_all(&ledgers.directory).expect("a directory");
        fs::write(ledgers.path(&stack), r#"{"version": 99, "future": true}"#).expect("written");
        let error = ledgers.load(&stack, String::new()).expect_err("newer");
        assert!(error.to_string().contains("version 99"), "{error}");
    }
}
