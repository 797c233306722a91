//! A layer's directory: as it is, or with the Python packages of its hash-locked `requirements.txt`.
//!
//! Packages are installed for the layer's Python and processor, not for those of this machine: only wheels are taken, and
//! what pip writes about the machine is removed again, so that one lock file gives one digest everywhere.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::archive;
use super::bytecode::{self, Bytecode};
use super::cache::Slot;
use super::{Package, PackageError, Tree, requirements, zip_path};
use crate::children::Children;
use crate::digest::hex_digest;
use crate::text_file;

/// Counts up when this module installs or cleans in another way: what is in the cache is then made anew.
const PACKAGING_VERSION: &str = "1";

/// The directories of a layer that Lambda puts on a path of a Python runtime; the rest is about the layer.
const SHIPPED: [&str; 3] = ["bin", "lib", "python"];

/// What a layer is built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerTarget {
    /// Lambda's name of it, `python3.11`.
    pub runtime: String,
    pub architecture: Architecture,
    pub bytecode: Bytecode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    Arm64,
    X86_64,
}

/// How pip is called here: `python3 -m pip`.
#[derive(Debug, Clone)]
pub struct PipCommand {
    pub program: OsString,
    pub args: Vec<OsString>,
    /// All that it sees of the environment: no credentials, and nothing that makes Python load other code.
    pub environment: Vec<(OsString, OsString)>,
    /// Where it is counted while it runs.
    pub children: Children,
}

/// The environment variables that pip may need: where programs and caches are, how to reach an index, what the user has set
/// for pip.
pub const PIP_VARIABLES: [&str; 36] = [
    "PATH",
    "HOME",
    "USER",
    "TMPDIR",
    "TEMP",
    "TMP",
    "LANG",
    "LC_ALL",
    "SYSTEMROOT",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "VIRTUAL_ENV",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CONFIG_FILE",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_PROXY",
    "PIP_CACHE_DIR",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_RETRIES",
];

/// How large a lock file may be.
const REQUIREMENTS_BYTES: u64 = 4 * 1024 * 1024;

/// Zips a layer's directory, its packages installed first unless the cache has them. Takes seconds to minutes when it has not.
pub fn layer(dir: &Path, target: &LayerTarget, cache_dir: &Path, pip: &PipCommand) -> Result<Package, PackageError> {
    let minor = bytecode::minor(&target.runtime).filter(|_| target.bytecode == Bytecode::Compiled);
    let Some(locked) = Locked::read(dir, target)? else {
        return match minor.filter(|_| dir.is_dir()) {
            Some(minor) => {
                archive::of_tree(dir, &bytecode::compiled(dir, &Tree::read(dir)?, bytecode::LAYER, minor, pip)?.tree)
            }
            None => zip_path(dir),
        };
    };
    let slot = locked.slot(cache_dir);
    let mut own = Tree::default();
    for directory in SHIPPED.map(Path::new).into_iter().filter(|directory| dir.join(directory).is_dir()) {
        own = own.join(Tree::read_below(dir, directory)?)?;
    }
    let own_sha256 = own.sha256()?;
    if let Some(package) = slot.package(&own_sha256) {
        return Ok(package);
    }
    let installed = slot.installed_by(|empty| locked.install(empty, pip))?;
    let package = match minor {
        Some(minor) => {
            let own = bytecode::compiled(dir, &own, bytecode::LAYER, minor, pip)?;
            archive::of_tree(dir, &Tree::read_compiled(&installed)?.join(own.tree)?)?
        }
        None => archive::of_tree(dir, &Tree::read(&installed)?.join(own)?)?,
    };
    slot.keep(&own_sha256, &package)?;
    // What is kept need not be held in memory too.
    Ok(slot.package(&own_sha256).unwrap_or(package))
}

/// Whether [`layer`] would answer without running pip, so that the caller can tell people what takes so long.
pub fn is_installed(dir: &Path, target: &LayerTarget, cache_dir: &Path) -> Result<bool, PackageError> {
    Ok(Locked::read(dir, target)?.is_none_or(|locked| locked.slot(cache_dir).is_installed()))
}

/// A lock file that is fit to be installed, with what it is installed for.
struct Locked {
    path: PathBuf,
    text: String,
    /// What of it pip is given.
    pinned: String,
    python: PythonTarget,
    bytecode: Bytecode,
}

impl Locked {
    fn read(dir: &Path, target: &LayerTarget) -> Result<Option<Self>, PackageError> {
        let path = dir.join("requirements.txt");
        // Errors repeat lines of the file, and of no other.
        if let (Ok(real), Ok(border)) = (path.canonicalize(), dir.canonicalize())
            && !real.starts_with(&border)
        {
            return Err(PackageError::LinkOutside { link: path, target: real });
        }
        let text = match text_file::read(&path, REQUIREMENTS_BYTES) {
            Ok(text) => text,
            // Also where `dir` is a single file, or is not there: those are for `zip_path` to judge.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(source) => return Err(PackageError::Read { path, source }),
        };
        let pinned = requirements::locked(&path, &text)?;
        match PythonTarget::of(target) {
            Some(python) => Ok(Some(Self { path, text, pinned, python, bytecode: target.bytecode })),
            None => Err(PackageError::LayerRuntime { path, runtime: target.runtime.clone() }),
        }
    }

    fn slot(&self, cache_dir: &Path) -> Slot {
        let how = match self.bytecode {
            Bytecode::LeftOut => PACKAGING_VERSION.to_owned(),
            Bytecode::Compiled => format!("{PACKAGING_VERSION} compiled"),
        };
        let what = [&how, &self.python.to_string(), &self.text].map(String::as_str).join("\n");
        Slot::new(cache_dir, hex_digest(what, 32))
    }

    fn install(&self, directory: &Path, pip: &PipCommand) -> Result<(), PackageError> {
        let packages = directory.join("python");
        let cannot_write = |source| PackageError::Cache { path: directory.to_owned(), source };
        let place = tempfile::tempdir().map_err(cannot_write)?;
        let requirements = place.path().join("requirements.txt");
        std::fs::write(&requirements, &self.pinned).map_err(cannot_write)?;
        let mut command = Command::new(&pip.program);
        // `python -m pip` would run a `pip.py` of the directory that it is started in, and `PYTHONPATH`'s before any.
        command.current_dir(place.path()).env_clear().envs(pip.environment.iter().map(|(name, value)| (name, value)));
        command.args(&pip.args).args(["install", "--quiet", "--no-input", "--disable-pip-version-check"]);
        command.args(["--require-hashes", "--only-binary=:all:", "--no-compile", "--implementation", "cp"]);
        command.args(["--python-version", &format!("3.{}", self.python.minor)]);
        for platform in self.python.platforms() {
            command.args(["--platform", &platform]);
        }
        command.arg("--requirement").arg(&requirements).arg("--target").arg(&packages);
        let start = |source| PackageError::PipStart { command: pip.to_string(), source };
        let ended = pip.children.run(command).map_err(start)?;
        if !ended.status.success() {
            return Err(PackageError::Pip {
                requirements: self.path.clone(),
                target: self.python.to_string(),
                last_lines: last_lines(&ended.said),
            });
        }
        remove_traces(&packages).map_err(|source| PackageError::Cache { path: packages, source })?;
        match self.bytecode {
            Bytecode::LeftOut => Ok(()),
            Bytecode::Compiled => bytecode::compile_packages(directory, self.python.minor, pip),
        }
    }
}

/// A Python of Lambda, in the words of wheels.
struct PythonTarget {
    minor: u32,
    architecture: Architecture,
}

impl PythonTarget {
    fn of(target: &LayerTarget) -> Option<Self> {
        Some(Self { minor: bytecode::minor(&target.runtime)?, architecture: target.architecture })
    }

    /// The platforms whose wheels run there, the newest first, because pip prefers what is named first.
    fn platforms(&self) -> Vec<String> {
        // The C library of Amazon Linux 2, and of Amazon Linux 2023, which Python 3.12 and later run on.
        let glibc = if self.minor < 12 { 26 } else { 34 };
        let (machine, oldest_glibc) = match self.architecture {
            Architecture::Arm64 => ("aarch64", 17),
            Architecture::X86_64 => ("x86_64", 5),
        };
        let mut platforms: Vec<_> =
            (oldest_glibc..=glibc).rev().map(|glibc| format!("manylinux_2_{glibc}_{machine}")).collect();
        // An older name of glibc 2.17; pip takes the still older ones with it.
        platforms.push(format!("manylinux2014_{machine}"));
        platforms
    }
}

impl fmt::Display for PythonTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let architecture = match self.architecture {
            Architecture::Arm64 => "arm64",
            Architecture::X86_64 => "x86_64",
        };
        write!(f, "python3.{} on {architecture}", self.minor)
    }
}

impl fmt::Display for PipCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program.to_string_lossy())?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", arg.to_string_lossy()))
    }
}

/// Removes what tells of the installation rather than of the packages: scripts that begin with this machine's Python, and
/// the records that list them.
fn remove_traces(packages: &Path) -> io::Result<()> {
    let gone = |removed: io::Result<()>| match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    gone(std::fs::remove_dir_all(packages.join("bin")))?;
    for entry in std::fs::read_dir(packages)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "dist-info") {
            for record in ["INSTALLER", "RECORD", "REQUESTED", "direct_url.json"] {
                gone(std::fs::remove_file(path.join(record)))?;
            }
        }
    }
    Ok(())
}

/// The end of what pip said, where the reason stands.
pub(super) fn last_lines(output: &str) -> String {
    const SHOWN: usize = 8;
    let mut lines: Vec<&str> = output.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.drain(..lines.len().saturating_sub(SHOWN));
    if lines.is_empty() {
        lines.push("(it gave no reason)");
    }
    if output.contains("requires a different Python") {
        lines.push("pip checks packages against the Python that runs it: run it with one that they support too");
    }
    format!("  {}", lines.join("\n  "))
}
