//! The packages that can be looked into: those made in this run, and those that earlier runs have uploaded.
//!
//! What is uploaded is kept in the cache under its digest, so that a later plan can say which files change: the digest that
//! Lambda tells of what is live is all that is needed to find it. A shelf without it costs only that.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Content;
use crate::aws::Packages;

/// How many uploaded packages are kept; the oldest go first.
const MOST_KEPT: usize = 40;

/// Packages by their digests.
#[derive(Debug, Clone)]
pub struct Shelf {
    made: Packages,
    directory: PathBuf,
}

impl Shelf {
    pub fn new(made: Packages, cache: &Path) -> Self {
        Self { made, directory: cache.join("packages") }
    }

    /// The package of this digest; a damaged one is as good as none.
    pub fn get(&self, digest: &str) -> Option<Content> {
        if let Some(content) = self.made.get(digest) {
            return Some(content.clone());
        }
        let kept = Content::of_file(&self.file(digest)?, 0).ok()?;
        (kept.sha256_base64().ok()? == digest).then_some(kept)
    }

    /// Keeps a package that is about to be uploaded. Where that fails, later plans name its digest instead of its files.
    pub fn keep(&self, digest: &str) {
        let _ = self.try_keep(digest);
    }

    fn try_keep(&self, digest: &str) -> io::Result<()> {
        let (Some(content), Some(file)) = (self.made.get(digest), self.file(digest)) else { return Ok(()) };
        if file.exists() {
            return Ok(());
        }
        fs::create_dir_all(&self.directory)?;
        let mut new = tempfile::NamedTempFile::new_in(&self.directory)?;
        io::copy(&mut content.open(), &mut new)?;
        new.persist(file)?;
        self.forget_the_oldest()
    }

    fn forget_the_oldest(&self) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if entry.path().extension().is_some_and(|it| it == "zip") {
                kept.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        kept.sort();
        let too_many = kept.len().saturating_sub(MOST_KEPT);
        kept.into_iter().take(too_many).try_for_each(|(_, path)| fs::remove_file(path))
    }

    /// A digest is a file name once its slashes are gone; what is no digest names no file.
    fn file(&self, digest: &str) -> Option<PathBuf> {
        let is_digest = digest.len() == 44 && digest.chars().all(|it| it.is_ascii_alphanumeric() || "+/=".contains(it));
        is_digest.then(|| self.directory.join(format!("{}.zip", digest.replace('/', "_").replace('+', "-"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_uploaded_is_found_again_by_its_digest_and_a_damaged_one_is_not() {
        let cache = tempfile::tempdir().expect("there is room for a directory");
        let content = Content::from(b"a package".to_vec());
        let digest = content.sha256_base64().expect("it is in memory");
        Shelf::new(Packages::from([(digest.clone(), content)]), cache.path()).keep(&digest);
        let shelf = Shelf::new(Packages::new(), cache.path());
        assert_eq!(shelf.get(&digest).and_then(|kept| kept.sha256_base64().ok()), Some(digest.clone()));
        fs::write(shelf.file(&digest).expect("it is a digest"), "damaged").expect("it can be written");
        assert!(shelf.get(&digest).is_none());
        assert!(shelf.get("../../etc/passwd").is_none());
    }
}
