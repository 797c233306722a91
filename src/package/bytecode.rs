//! Bytecode beside a Python module's source, so that a cold start does not compile what it imports.
//!
//! It is made by the Python that the code will run on (3.11 for `python3.11`), names files as Lambda has them, and counts
//! without a look at the source (`unchecked-hash`, PEP 552). So it tells of no time and no machine: a version's patch
//! releases write the same bytes, and one source has one digest wherever it is packaged.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use walkdir::WalkDir;

use super::layer::{PipCommand, last_lines};
use super::{PackageError, Tree};
use crate::children::Ended;
use crate::pythons;

/// Where Lambda has a function's code.
pub(super) const FUNCTION: &str = "/var/task";
/// Where Lambda has the content of layers.
pub(super) const LAYER: &str = "/opt";

/// Whether bytecode is shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bytecode {
    #[default]
    LeftOut,
    Compiled,
}

/// A copy of a tree with its bytecode, which is there as long as this is.
pub(super) struct Compiled {
    pub tree: Tree,
    _place: TempDir,
}

/// The `11` of `python3.11`.
pub(super) fn minor(runtime: &str) -> Option<u32> {
    runtime.strip_prefix("python3.")?.parse().ok()
}

/// Compiles one's own modules; `path` is where they come from, and `mounted` where Lambda will have them.
pub(super) fn compiled(
    path: &Path,
    tree: &Tree,
    mounted: &str,
    minor: u32,
    pip: &PipCommand,
) -> Result<Compiled, PackageError> {
    let place = tempfile::tempdir().and_then(|place| copy(tree, place.path()).map(|()| place));
    let place = place.map_err(|source| PackageError::Read { path: path.to_owned(), source })?;
    let ended = compile(place.path(), mounted, minor, pip)?;
    if !ended.status.success() {
        let said = ended.said.replace(&format!("{}/", place.path().display()), "");
        return Err(PackageError::Compile { path: path.to_owned(), last_lines: last_lines(&said) });
    }
    Ok(Compiled { tree: Tree::read_compiled(place.path())?, _place: place })
}

/// Compiles a layer's packages where they are. Some ship modules of another Python, which do not compile, and nobody imports.
pub(super) fn compile_packages(directory: &Path, minor: u32, pip: &PipCommand) -> Result<(), PackageError> {
    let in_cache = |source| PackageError::Cache { path: directory.to_owned(), source };
    for entry in WalkDir::new(directory).into_iter().flatten() {
        if entry.file_name() == "__pycache__" {
            fs::remove_dir_all(entry.path()).map_err(in_cache)?;
        } else if entry.path().extension().is_some_and(|it| it == "pyc") && entry.path().is_file() {
            fs::remove_file(entry.path()).map_err(in_cache)?;
        }
    }
    compile(directory, LAYER, minor, pip).map(|_| ())
}

fn compile(directory: &Path, mounted: &str, minor: u32, pip: &PipCommand) -> Result<Ended, PackageError> {
    let python = python(minor, pip)?;
    let mut command = isolated(&python, pip);
    command.args(["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]);
    command.arg("-s").arg(directory).arg("-p").arg(mounted).arg(directory);
    pip.children.run(command).map_err(|source| PackageError::Read { path: python, source })
}

/// The first Python of this version that runs: a version manager's name on the path may have nothing behind it.
fn python(minor: u32, pip: &PipCommand) -> Result<PathBuf, PackageError> {
    let variable = |name: &str| pip.environment.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_os_str());
    let version = format!("3.{minor}");
    let on_path = pythons::on_path(variable("PATH").unwrap_or(OsStr::new("")), &format!("python{version}"));
    let pyenv = variable("PYENV_ROOT").map(PathBuf::from);
    let pyenv = pyenv.or_else(|| Some(Path::new(variable("HOME")?).join(".pyenv")));
    let of_pyenv = pyenv.iter().flat_map(|root| pythons::of_pyenv(root, &version));
    let is_one = |program: &PathBuf| {
        let mut command = isolated(program, pip);
        command.arg("-c").arg(format!("import sys; sys.exit(sys.version_info[:2] != (3, {minor}))"));
        pip.children.run(command).is_ok_and(|ended| ended.status.success())
    };
    on_path.into_iter().chain(of_pyenv).find(is_one).ok_or(PackageError::NoCompiler { minor })
}

/// A Python that loads nothing of the directory that it is started in, nor of the user's.
fn isolated(program: &Path, pip: &PipCommand) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(pip.environment.iter().map(|(name, value)| (name, value))).arg("-I");
    command
}

fn copy(tree: &Tree, to: &Path) -> io::Result<()> {
    for (name, file) in &tree.files {
        let path = to.join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::copy(&file.path, path)?;
    }
    Ok(())
}
