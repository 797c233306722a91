//! Where installed and finished layers are kept, so that a plan neither runs pip nor compresses.
//!
//! Everything has the same content under the same key, appears all at once, and can be deleted at any time.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::archive::{self, hexadecimal};
use super::{FileEntry, Package, PackageError};

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
        let kept = fs::read(self.file("package")).ok()?;
        let end = kept.iter().position(|byte| *byte == b'\n')?;
        let (heading, bytes) = (&kept[..end], &kept[end + 1..]);
        let heading: Heading = serde_json::from_slice(heading).ok()?;
        let is_whole =
            heading.own_sha256 == hexadecimal(own_sha256) && heading.sha256_base64 == archive::sha256_base64(bytes);
        is_whole.then(|| Package { bytes: bytes.into(), sha256_base64: heading.sha256_base64, files: heading.files })
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
            file.write_all(&package.bytes)?;
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
