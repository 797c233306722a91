//! Where a template's code may come from: the project's directory, and what its paystack.toml allows besides.
//!
//! What is packaged is uploaded. A template that somebody else wrote must not be able to name `~/.aws` as a function's code.

use std::io;
use std::path::{Path, PathBuf};

use super::PackageError;
use crate::assembly::Assets;

/// The directories that code may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodePlaces {
    /// Where the template is: its paths are relative to this.
    pub template: PathBuf,
    /// Where paystack.toml is, or where paystack runs if there is none.
    pub project: PathBuf,
    /// What paystack.toml allows besides; `None` where there is none, and the template's own directory is allowed.
    pub besides: Option<Vec<PathBuf>>,
    /// What goes with the template, where an app has written it.
    pub assets: Assets,
}

impl CodePlaces {
    /// The path that a template's text means.
    ///
    /// # Errors
    ///
    /// Nothing is there, or it is, links followed, in none of the directories.
    pub fn find(&self, written: &str) -> Result<PathBuf, PackageError> {
        let path: PathBuf = self.template.join(written).components().collect();
        let real = path.canonicalize().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => PackageError::Missing { path: path.clone() },
            _ => PackageError::Read { path: path.clone(), source },
        })?;
        let is_in = |place: &Path| place.canonicalize().is_ok_and(|place| real.starts_with(place));
        let is_allowed = match &self.besides {
            Some(besides) => besides.iter().any(|place| is_in(place)),
            None => is_in(&self.template),
        };
        match &self.besides {
            _ if is_in(&self.project) || is_allowed => Ok(path),
            Some(_) => Err(PackageError::OutsideOfProject { path: real, project: self.project.clone() }),
            None => Err(PackageError::OutsideOfDirectory { path: real, directory: self.project.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (tempfile::TempDir, CodePlaces) {
        let root = tempfile::tempdir().expect("a directory");
        for directory in ["project/templates", "project/handlers", "shared/code", "secret"] {
            std::fs::create_dir_all(root.path().join(directory)).expect("a directory");
        }
        let at = |path: &str| root.path().join(path);
        let places = CodePlaces {
            template: at("project/templates"),
            project: at("project"),
            besides: Some(vec![at("shared")]),
            assets: Assets::new(),
        };
        (root, places)
    }

    #[test]
    fn code_comes_from_the_project_or_from_what_it_allows() {
        let (root, places) = world();
        assert!(places.find("../handlers").is_ok());
        assert!(places.find("../../shared/code").is_ok());
        for outside in ["../../secret", "/etc", "../..", root.path().join("secret").to_str().expect("text")] {
            let error = places.find(outside).expect_err(outside);
            assert!(matches!(error, PackageError::OutsideOfProject { .. }), "{outside}: {error}");
        }
        assert!(matches!(places.find("../handler"), Err(PackageError::Missing { .. })));
    }

    #[test]
    fn without_a_project_code_comes_from_here_or_from_beside_the_template() {
        let (root, places) = world();
        let places = CodePlaces { project: root.path().join("shared"), besides: None, ..places };
        assert!(places.find("../../shared/code").is_ok());
        assert!(places.find(".").is_ok());
        assert!(matches!(places.find("../handlers"), Err(PackageError::OutsideOfDirectory { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_counts_for_where_it_leads() {
        let (root, places) = world();
        let link = |name: &str, target: &str| {
            std::os::unix::fs::symlink(root.path().join(target), root.path().join("project").join(name))
                .expect("a link");
        };
        link("out", "secret");
        link("in", "project/handlers");
        assert!(matches!(places.find("../out"), Err(PackageError::OutsideOfProject { .. })));
        assert!(places.find("../in").is_ok());
    }
}
