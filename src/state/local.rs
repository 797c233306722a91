//! Ledgers as files, written whole and at once: `state/<stack>.json`.
//!
//! One project may be deployed to several accounts or regions under the same stack's name, an emulator's account among them.
//! The first of them has `<stack>.json`, and each other one a file that is named by its place. One lock serves them all.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;

use crate::identity::StackId;
use crate::state::lease::Watch;
use crate::state::{Attempt, Holder, Holding, Ledger, LedgerError, Ledgers, Lock, Place, Sign};
use crate::text_file;

/// How large a ledger may be.
const LARGEST_BYTES: u64 = 32 * 1024 * 1024;

/// The ledgers in one directory.
#[derive(Debug, Clone)]
pub struct LocalLedgers {
    directory: PathBuf,
    /// Where the stacks are; `None` for whoever has not asked AWS, who gets the one ledger that there is.
    place: Option<Place>,
}

/// A stack's lock, until it is dropped or the process ends: then the system frees it.
#[derive(Debug)]
struct FileLock {
    ledgers: LocalLedgers,
    /// The ledger's. Nobody else writes one of the stack's meanwhile, so that it stays the right one.
    path: PathBuf,
    _file: File,
}

impl LocalLedgers {
    pub fn new(directory: impl Into<PathBuf>, place: Option<Place>) -> Self {
        Self { directory: directory.into(), place }
    }

    /// Whether the stack is remembered in more than one place, so that it has to be known which is meant.
    pub fn has_several(&self, stack: &StackId) -> bool {
        usize::from(self.first(stack).exists()) + self.others(stack).len() > 1
    }

    fn first(&self, stack: &StackId) -> PathBuf {
        self.directory.join(format!("{stack}.json"))
    }

    fn own(&self, stack: &StackId, place: &Place) -> PathBuf {
        self.directory.join(format!("{stack}@{}.json", file_name(place)))
    }

    /// The ledgers that have a place in their names.
    fn others(&self, stack: &StackId) -> Vec<PathBuf> {
        let beside = format!("{stack}@");
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name()).filter(|name| {
            let name = name.to_string_lossy();
            name.starts_with(&beside) && name.ends_with(".json")
        });
        names.map(|name| self.directory.join(name)).collect()
    }

    /// The stack's ledger here, or where it is going to be.
    fn find(&self, stack: &StackId) -> Result<Found, LedgerError> {
        let first = self.first(stack);
        let Some(place) = &self.place else {
            let of_first = self.parsed(&first, stack)?;
            return match self.others(stack).into_iter().next().filter(|_| of_first.is_none()) {
                Some(other) => Ok(Found { ledger: self.parsed(&other, stack)?, path: other, elsewhere: None }),
                None => Ok(Found { path: first, ledger: of_first, elsewhere: None }),
            };
        };
        let own = self.own(stack, place);
        if let Some(ledger) = self.parsed(&own, stack)? {
            return match place_of(&ledger) {
                Some(found) if found != *place => {
                    Err(LedgerError::OtherPlace { path: own, found, expected: place.clone() })
                }
                _ => Ok(Found { path: own, ledger: Some(ledger), elsewhere: None }),
            };
        }
        let of_first = self.parsed(&first, stack)?;
        match of_first.as_ref().and_then(place_of).filter(|found| found != place) {
            Some(elsewhere) => Ok(Found { path: own, ledger: None, elsewhere: Some(elsewhere) }),
            None if of_first.is_some() => Ok(Found { path: first, ledger: of_first, elsewhere: None }),
            None => {
                // What is wrong with one of another place is no concern of this one's.
                let mut others =
                    self.others(stack).into_iter().filter_map(|path| self.parsed(&path, stack).ok().flatten());
                Ok(Found { path: first, ledger: None, elsewhere: others.find_map(|other| place_of(&other)) })
            }
        }
    }

    /// The ledger in a file; nothing where there is none.
    fn parsed(&self, path: &Path, stack: &StackId) -> Result<Option<Ledger>, LedgerError> {
        match text_file::read(path, LARGEST_BYTES) {
            Ok(text) => Ledger::parse(&text, &path.display().to_string(), stack).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LedgerError::Read { path: path.to_owned(), source }),
        }
    }

    fn read(&self, stack: &StackId, salt: &str) -> Result<Ledger, LedgerError> {
        let Found { path: _, ledger, elsewhere } = self.find(stack)?;
        let ledger = ledger.unwrap_or_else(|| Ledger { elsewhere, ..Ledger::empty(stack.clone(), salt.to_owned()) });
        let place = self.place.clone().or_else(|| ledger.place.clone());
        Ok(Ledger { place, ..ledger })
    }

    /// Whoever reads it meanwhile sees the old one or the new one.
    fn write(&self, path: &Path, ledger: &Ledger) -> Result<(), LedgerError> {
        let written = |source| LedgerError::Write { path: path.to_owned(), source };
        let text = serde_json::to_vec_pretty(ledger).map_err(|error| written(error.into()))?;
        fs::create_dir_all(&self.directory).map_err(written)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.directory).map_err(written)?;
        file.write_all(&text).map_err(written)?;
        file.as_file().sync_data().map_err(written)?;
        file.persist(path).map_err(|error| written(error.error))?;
        Ok(())
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
        let Found { path, .. } = self.find(stack)?;
        Ok(Attempt::Taken(Box::new(FileLock { ledgers: self.clone(), path, _file: file })))
    }
}

/// What is remembered here of a stack.
struct Found {
    /// Where it is, or is going to be.
    path: PathBuf,
    ledger: Option<Ledger>,
    /// Where else a stack of this name is remembered, where none is here.
    elsewhere: Option<Place>,
}

/// Where the stack of a ledger is, by what it says or, before it said so, by the ARNs in it; `None` where neither tells.
fn place_of(ledger: &Ledger) -> Option<Place> {
    let ids = ledger.resources.values().filter_map(|record| record.physical_id.as_ref());
    ledger.place.clone().or_else(|| ids.filter_map(|id| place_in(id.as_str())).next())
}

/// The place in an ARN that has one (AWS General Reference, "Amazon Resource Names (ARNs)").
fn place_in(arn: &str) -> Option<Place> {
    let mut parts = arn.strip_prefix("arn:")?.split(':').skip(2);
    let (region, account_id) = (parts.next()?, parts.next()?);
    let is_placed = !region.is_empty() && account_id.len() == 12;
    is_placed.then(|| Place { account_id: account_id.to_owned(), region: region.to_owned() })
}

/// A place in a file's name: an endpoint of one's own may have any region.
fn file_name(Place { account_id, region }: &Place) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '-';
    format!("{account_id}-{region}").chars().map(|it| if is_plain(it) { it } else { '_' }).collect()
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
            self.ledgers.write(&self.path, ledger).inspect_err(|_| ledger.serial -= 1)
        })
    }

    fn remove(&self) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            match fs::remove_file(&self.path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    Err(LedgerError::Write { path: self.path.clone(), source })
                }
                _ => Ok(()),
            }
        })
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
    use std::collections::BTreeSet;

    use jiff::Timestamp;

    use super::*;
    use crate::state::Record;

    fn ledgers() -> (tempfile::TempDir, LocalLedgers, StackId) {
        let directory = tempfile::tempdir().expect("a directory");
        let ledgers = LocalLedgers::new(directory.path().join("state"), None);
        (directory, ledgers, StackId::from("payments-dev"))
    }

    fn place(account_id: &str) -> Place {
        Place { account_id: account_id.to_owned(), region: "us-east-1".to_owned() }
    }

    impl LocalLedgers {
        /// The same directory's, for whoever works there.
        fn at(&self, place: &Place) -> Self {
            Self { place: Some(place.clone()), ..self.clone() }
        }
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
    async fn each_place_has_its_own_ledger() {
        let (_directory, unplaced, stack) = ledgers();
        let [ada, bob] = ["111111111111", "222222222222"].map(place);
        let serial =
            async |place: &Place| unplaced.at(place).load(&stack, "salt").await.expect("it can be read").serial;

        // What was written before places were is whose it is found to be next.
        let mut old = unplaced.load(&stack, "salt").await.expect("an empty ledger");
        taken(&unplaced, &stack, "ada").await.save(&mut old).await.expect("saved");
        let mut of_ada = unplaced.at(&ada).load(&stack, "salt").await.expect("it can be read");
        assert!(of_ada.is_remembered);
        taken(&unplaced.at(&ada), &stack, "ada").await.save(&mut of_ada).await.expect("saved");
        assert!(!unplaced.has_several(&stack));

        let mut of_bob = unplaced.at(&bob).load(&stack, "salt").await.expect("it can be read");
        assert_eq!((of_bob.is_remembered, of_bob.elsewhere.as_ref()), (false, Some(&ada)));
        let lock = taken(&unplaced.at(&bob), &stack, "bob").await;
        lock.save(&mut of_bob).await.expect("saved");
        assert_eq!((serial(&ada).await, serial(&bob).await), (2, 1));
        assert!(unplaced.has_several(&stack));
        assert_eq!(
            unplaced.at(&bob).load(&stack, "salt").await.expect("it can be read").elsewhere,
            None,
            "it is remembered here"
        );

        // Each one's is still its own when the other's is gone, and a third one learns of it.
        lock.release().await;
        let lock = taken(&unplaced.at(&ada), &stack, "ada").await;
        lock.remove().await.expect("removed");
        assert_eq!((serial(&ada).await, serial(&bob).await), (0, 1));
        lock.release().await;
        let third = unplaced.at(&place("333333333333")).load(&stack, "salt").await.expect("it can be read");
        assert_eq!((third.is_remembered, third.elsewhere), (false, Some(bob.clone())));
        assert!(!unplaced.has_several(&stack));
        assert_eq!(unplaced.load(&stack, "salt").await.expect("it can be read").serial, 1, "it is the only one");
        taken(&unplaced.at(&bob), &stack, "bob").await.remove().await.expect("removed");
        assert_eq!((serial(&ada).await, serial(&bob).await), (0, 0));
    }

    #[tokio::test]
    async fn a_ledger_of_another_place_is_not_taken_for_this_one() {
        let (_directory, unplaced, stack) = ledgers();
        let [ada, bob] = ["111111111111", "222222222222"].map(place);

        // It was written before ledgers said where they are, and what is in it does.
        let mut old = Ledger::empty(stack.clone(), "salt".to_owned());
        let record = Record {
            resource_type: "AWS::SNS::Topic".into(),
            physical_id: Some("arn:aws:sns:us-east-1:111111111111:orders".into()),
            applied: None,
            dependencies: BTreeSet::new(),
            intended: None,
            deposed: BTreeSet::new(),
        };
        old.resources.insert("Orders".into(), record);
        taken(&unplaced, &stack, "ada").await.save(&mut old).await.expect("saved");
        let of_bob = unplaced.at(&bob).load(&stack, "salt").await.expect("it can be read");
        assert_eq!((of_bob.is_remembered, of_bob.elsewhere), (false, Some(ada.clone())));
        assert!(unplaced.at(&ada).load(&stack, "salt").await.expect("it can be read").is_remembered);

        // Somebody has given it another one's name.
        fs::rename(unplaced.first(&stack), unplaced.own(&stack, &bob)).expect("renamed");
        let error = unplaced.at(&bob).load(&stack, "salt").await.expect_err("it is Ada's");
        assert!(error.to_string().contains("is of account 111111111111, us-east-1, not of"), "{error}");
        let attempt = unplaced.at(&bob).try_lock(&stack, &holder("bob"), &mut Watch::default()).await;
        assert!(matches!(attempt, Err(LedgerError::OtherPlace { .. })));
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
        std::os::unix::fs::symlink(&other, ledgers.first(&stack)).expect("a link");
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
        fs::write(ledgers.first(&stack), r#"{"version": 99, "future": true}"#).expect("written");
        let error = ledgers.load(&stack, "").await.expect_err("newer");
        assert!(error.to_string().contains("version 99"), "{error}");
    }
}
