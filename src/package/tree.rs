//! What is in a directory, by name: the list of what a zip will contain, before any of it is read.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use walkdir::{DirEntry, WalkDir};

use super::PackageError;

/// What tools leave behind, beside `*.pyc`.
const LEFT_OUT: [&str; 6] = [".DS_Store", ".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__"];

/// Files by the name that they have in the zip, separated by `/` everywhere.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub files: BTreeMap<String, File>,
}

#[derive(Debug)]
pub(super) struct File {
    pub path: PathBuf,
    pub size: u64,
    pub mode: Mode,
}

/// What of a file's permissions is kept: the rest depends on who checked it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Plain,
    Executable,
}

impl Tree {
    pub fn read(root: &Path) -> Result<Self, PackageError> {
        Self::read_all(root, &is_left_out)
    }

    /// As [`read`](Self::read), with the bytecode that is there.
    pub fn read_compiled(root: &Path) -> Result<Self, PackageError> {
        Self::read_all(root, &|_| false)
    }

    fn read_all(root: &Path, is_left_out: &dyn Fn(&DirEntry) -> bool) -> Result<Self, PackageError> {
        let tree = Self::walk(root, Path::new(""), is_left_out)?;
        if tree.files.is_empty() {
            return Err(PackageError::Empty { path: root.to_owned() });
        }
        Ok(tree)
    }

    /// What is in one directory of `root`, its name included.
    pub fn read_below(root: &Path, directory: &Path) -> Result<Self, PackageError> {
        Self::walk(root, directory, &is_left_out)
    }

    fn walk(root: &Path, directory: &Path, is_left_out: &dyn Fn(&DirEntry) -> bool) -> Result<Self, PackageError> {
        // Links may point anywhere inside, so the border is the real directory, whatever link led to it.
        let border = read(root, Path::canonicalize)?;
        let mut tree = Self::default();
        let walk = WalkDir::new(root.join(directory)).follow_links(true).into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_left_out(entry)) {
            let entry = entry.map_err(of_walk)?;
            if entry.path_is_symlink() {
                let target = read(entry.path(), Path::canonicalize)?;
                if !target.starts_with(&border) {
                    return Err(PackageError::LinkOutside { link: entry.into_path(), target });
                }
            }
            if !entry.file_type().is_dir() {
                let name = name_below(root, entry.path())?;
                tree.files.insert(name, File::at(entry.path())?);
            }
        }
        Ok(tree)
    }

    /// One file, under its own name.
    pub fn of_file(path: &Path) -> Result<Self, PackageError> {
        let name = name_below(path.parent().unwrap_or(Path::new("")), path)?;
        Ok(Self { files: BTreeMap::from([(name, File::at(path)?)]) })
    }

    /// Adds another tree's files, none of which this one has.
    pub fn join(mut self, other: Self) -> Result<Self, PackageError> {
        for (name, file) in other.files {
            if self.files.insert(name.clone(), file).is_some() {
                return Err(PackageError::Overlap { name });
            }
        }
        Ok(self)
    }

    /// Of names, modes and contents: equal for trees that make equal zips.
    pub fn sha256(&self) -> Result<[u8; 32], PackageError> {
        let mut digest = Sha256::new();
        for (name, file) in &self.files {
            digest.update(Sha256::digest(name));
            digest.update(file.mode.unix().to_be_bytes());
            digest.update(Sha256::digest(file.content()?));
        }
        Ok(digest.finalize().into())
    }
}

impl File {
    fn at(path: &Path) -> Result<Self, PackageError> {
        let metadata = read(path, Path::metadata)?;
        // Reading a pipe would wait for ever.
        if !metadata.is_file() {
            return Err(PackageError::Special { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), size: metadata.len(), mode: Mode::of(&metadata) })
    }

    pub fn content(&self) -> Result<Vec<u8>, PackageError> {
        read(&self.path, |path| std::fs::read(path))
    }
}

impl Mode {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::PermissionsExt;
        if metadata.permissions().mode() & 0o111 == 0 { Self::Plain } else { Self::Executable }
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self::Plain
    }

    /// Readable by everyone: Lambda runs a function as a user that owns none of its files.
    pub fn unix(self) -> u32 {
        match self {
            Self::Plain => 0o644,
            Self::Executable => 0o755,
        }
    }
}

fn is_left_out(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    LEFT_OUT.iter().any(|left_out| name == *left_out) || Path::new(name).extension().is_some_and(|it| it == "pyc")
}

fn name_below(root: &Path, path: &Path) -> Result<String, PackageError> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    let parts = parts.ok_or_else(|| PackageError::Name { path: path.to_owned() })?;
    Ok(parts.join("/"))
}

fn of_walk(error: walkdir::Error) -> PackageError {
    let path = error.path().unwrap_or(Path::new("")).to_owned();
    if error.loop_ancestor().is_some() {
        return PackageError::LinkLoop { link: path };
    }
    let source = error.into_io_error().unwrap_or_else(|| std::io::Error::other("the walk has ended"));
    if path.is_symlink() {
        PackageError::LinkToNothing { link: path, source }
    } else {
        PackageError::Read { path, source }
    }
}

/// Names the file that an operation failed on.
fn read<T>(path: &Path, operation: impl FnOnce(&Path) -> std::io::Result<T>) -> Result<T, PackageError> {
    operation(path).map_err(|source| PackageError::Read { path: path.to_owned(), source })
}
