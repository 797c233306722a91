//! Where installed and finished layers are kept, so that a plan neither runs pip nor compresses.
//!
//! Everything has the same content under the same key, appears all at once, and can be deleted at any time.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Content, FileEntry, Package, PackageError};
use crate::digest::hexadecimal;

/// One layer's place: `<key>/` is what pip installed, `<key>.package` the last zip made of it.
pub(super) struct Slot {
    directory: PathBuf,
    key: String,
}

/// The first line of a kept package; the zip follows.
#[derive(Serialize, Deserialize)]
struct Heading {
    own_sha256: String,
    sha256_base64: String,
    files: Vec<FileEntry>,
}

impl Slot {
    pub fn new(cache: &Path, key: String) -> Self {
        Self { directory: cache.join("layers"), key }
    }

    pub fn is_installed(&self) -> bool {
        self.installed().is_dir()
    }

    /// Where the packages are, after `install` has been run on an empty directory if they were not there.
    ///
    /// Processes that want the same layer wait for the one that installs it. What an interrupted one left is thrown away.
    pub fn installed_by(
        &self,
        install: impl FnOnce(&Path) -> Result<(), PackageError>,
    ) -> Result<PathBuf, PackageError> {
        let installed = self.installed();
        if self.is_installed() {
            return Ok(installed);
        }
        self.during(fs::create_dir_all(&self.directory))?;
        let lock = self.during(File::create(self.file("lock")))?;
        self.during(lock.lock())?;
        if !self.is_installed() {
            self.remove_partial();
            // Of its own name each time: the pip of a killed run may still be writing to the last one.
            let partial = tempfile::Builder::new().prefix(&self.partial_prefix()).tempdir_in(&self.directory);
            let partial = self.during(partial)?;
            install(partial.path())?;
            self.during(fs::rename(partial.keep(), &installed))?;
        }
        Ok(installed)
    }

    /// The finished zip, if it was made with the same files beside the packages. A damaged one is as good as none.
    pub fn package(&self, own_sha256: &[u8]) -> Option<Package> {
        let path = self.file("package");
        let mut first_line = Vec::new();
        BufReader::new(File::open(&path).ok()?).read_until(b'\n', &mut first_line).ok()?;
        let Heading { own_sha256: kept_for, sha256_base64, files } = serde_json::from_slice(&first_line).ok()?;
        let content = Content::of_file(&path, first_line.len() as u64).ok()?;
        let is_whole = kept_for == hexadecimal(own_sha256) && content.sha256_base64().ok()? == sha256_base64;
        is_whole.then_some(Package { content, sha256_base64, files })
    }

    pub fn keep(&self, own_sha256: &[u8], package: &Package) -> Result<(), PackageError> {
        let heading = Heading {
            own_sha256: hexadecimal(own_sha256),
            sha256_base64: package.sha256_base64.clone(),
            files: package.files.clone(),
        };
        let written = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
            serde_json::to_writer(&mut file, &heading)?;
            file.write_all(b"\n")?;
            io::copy(&mut package.content.open(), &mut file)?;
            file.persist(self.file("package"))?;
            Ok(())
        };
        self.during(written())
    }

    /// Removes what interrupted installations have left; only under the lock. What stays takes room and nothing else.
    fn remove_partial(&self) {
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&self.partial_prefix()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    fn partial_prefix(&self) -> String {
        format!("{}.partial-", self.key)
    }

    fn installed(&self) -> PathBuf {
        self.directory.join(&self.key)
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.directory.join(format!("{}.{kind}", self.key))
    }

    fn during<T>(&self, result: io::Result<T>) -> Result<T, PackageError> {
        result.map_err(|source| PackageError::Cache { path: self.directory.clone(), source })
    }
}
