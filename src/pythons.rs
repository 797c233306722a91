//! The Pythons of this machine, where programs and version managers put them. Whether one runs is for others to try.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The programs of this name on a search path, the first one first.
pub fn on_path(path: &OsStr, name: &str) -> Vec<PathBuf> {
    std::env::split_paths(path).map(|it| it.join(name)).filter(|it| it.is_file()).collect()
}

/// pyenv's Pythons of one version, such as `3.11`, the newest patch first.
pub fn of_pyenv(root: &Path, version: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root.join("versions")) else { return Vec::new() };
    let prefix = format!("{version}.");
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|it| {
            let patch = it.file_name().to_str()?.strip_prefix(&prefix)?.parse().ok()?;
            Some((patch, inside(&it.path())))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, program)| program).filter(|it| it.is_file()).collect()
}

/// The Python of an environment or an installation.
pub fn inside(root: &Path) -> PathBuf {
    root.join("bin").join("python")
}
