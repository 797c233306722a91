//! Local code as Lambda takes it: zips that depend on nothing but the content, and layers with their Python packages.
//!
//! The same source gives the same digest on every machine, so that a plan after an apply is empty. Left out is what tools
//! leave behind and nobody means to ship: `__pycache__`, `*.pyc`, `.pytest_cache`, `.mypy_cache`, `.ruff_cache`, `.git` and
//! `.DS_Store`. Bytecode is shipped where an environment asks for it, and is then made here. Knows nothing of templates and AWS.

mod archive;
mod bytecode;
mod cache;
mod changes;
mod content;
mod documents;
mod inline;
mod layer;
mod place;
mod requirements;
mod resources;
mod shelf;
mod tree;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use archive::sha256_base64;
pub use bytecode::Bytecode;
pub use changes::{CodeChange, FileChange};
pub use content::Content;
pub use documents::{DOCUMENT, Document, DocumentPlace, LOCATION, documents};
pub use inline::zip_inline;
pub use layer::{Architecture, LayerTarget, PIP_VARIABLES, PipCommand, is_installed, layer};
pub use place::CodePlaces;
pub use resources::{Workshop, is_elsewhere, leave_out, local_code, missing_code, package};
pub use shelf::Shelf;

use archive::Archive;
use tree::{Mode, Tree};

/// What Lambda takes in one upload; from the page "Lambda quotas", as the next one.
pub const ZIPPED_LIMIT_BYTES: u64 = 52_428_800;
/// What a function may take unpacked, its layers included.
pub const UNZIPPED_LIMIT_BYTES: u64 = 262_144_000;

/// A finished zip.
#[derive(Clone)]
pub struct Package {
    pub content: Content,
    /// What Lambda answers as `CodeSha256` once it has these bytes.
    pub sha256_base64: String,
    /// In the order of their names.
    pub files: Vec<FileEntry>,
}

/// One file of a package, so that a plan can say which ones have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    pub name: String,
    pub size: u64,
    /// Hexadecimal, of the content.
    pub sha256: String,
}

/// Zips what a template's `Code` or `Content` points to: a directory, or a single source file. A `.zip` is taken as it is.
pub fn zip_path(path: &Path) -> Result<Package, PackageError> {
    if metadata(path)?.is_dir() {
        return archive::of_tree(path, &Tree::read(path)?);
    }
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
        return archive::open(path);
    }
    archive::of_tree(path, &Tree::of_file(path)?)
}

/// Zips a function's code as [`zip_path`] does; where it is a directory for a Python runtime, each module with its bytecode.
pub fn zip_compiled(path: &Path, runtime: &str, pip: &PipCommand) -> Result<Package, PackageError> {
    match bytecode::minor(runtime) {
        Some(minor) if metadata(path)?.is_dir() => {
            let compiled = bytecode::compiled(path, &Tree::read(path)?, bytecode::FUNCTION, minor, pip)?;
            archive::of_tree(path, &compiled.tree)
        }
        _ => zip_path(path),
    }
}

fn metadata(path: &Path) -> Result<std::fs::Metadata, PackageError> {
    std::fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => PackageError::Missing { path: path.to_owned() },
        _ => PackageError::Read { path: path.to_owned(), source },
    })
}

/// Takes a file as the zip that it is, whatever it is called.
pub fn zip_file(path: &Path) -> Result<Package, PackageError> {
    archive::open(path)
}

/// Zips with the same digest have the same bytes.
impl PartialEq for Package {
    fn eq(&self, other: &Self) -> bool {
        self.sha256_base64 == other.sha256_base64 && self.files == other.files
    }
}

impl fmt::Debug for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { content, sha256_base64, files } = self;
        let mut package = f.debug_struct("Package");
        package.field("size", &content.length()).field("sha256_base64", sha256_base64).field("files", files).finish()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("there is no file or directory `{path}`: paths are relative to the template")]
    Missing { path: PathBuf },
    #[error(
        "`{path}` is outside of the project `{project}`: move it inside, or allow its directory with \
         `code_directories = [\"…\"]` under `[project]` in paystack.toml"
    )]
    OutsideOfProject { path: PathBuf, project: PathBuf },
    #[error(
        "`{path}` is neither in `{directory}`, where paystack runs, nor beside the template: run paystack in a directory \
         that has both, or write a paystack.toml"
    )]
    OutsideOfDirectory { path: PathBuf, directory: PathBuf },
    #[error("failed to read `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("nothing to package in `{path}`: the directory has no files")]
    Empty { path: PathBuf },
    #[error("the name of `{path}` is not UTF-8, which a zip cannot carry: rename it")]
    Name { path: PathBuf },
    #[error("`{path}` is neither a file nor a directory: remove it from what is packaged")]
    Special { path: PathBuf },
    #[error(
        "the symbolic link `{link}` points to `{target}`, outside of what is packaged: move the target inside, \
         or share it through a layer"
    )]
    LinkOutside { link: PathBuf, target: PathBuf },
    #[error("the symbolic link `{link}` leads to nothing: remove it, or create what it points to")]
    LinkToNothing {
        link: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the symbolic link `{link}` leads back to a directory that contains it: remove it")]
    LinkLoop { link: PathBuf },
    #[error("`{path}` is {} {}, and Lambda takes {}; the biggest files are {biggest}", Megabytes(*size), state, Megabytes(*limit))]
    TooLarge { path: PathBuf, state: ZipState, size: u64, limit: u64, biggest: String },
    #[error("`{path}` cannot be read as a zip")]
    NotAZip {
        path: PathBuf,
        #[source]
        source: zip::result::ZipError,
    },
    #[error("failed to write the zip of `{path}`")]
    Write {
        path: PathBuf,
        #[source]
        source: zip::result::ZipError,
    },
    #[error("inline code needs a `nodejs` or a `python` runtime, not `{runtime}`: point `Code` to a directory")]
    InlineRuntime { runtime: String },
    #[error(
        "the inline code imports `{module}`, which answers CloudFormation for custom resources: there is no \
         CloudFormation to answer; remove the import"
    )]
    InlineResponseModule { module: &'static str },
    #[error("`{path}` lists Python packages, but the layer is for `{runtime}`: give it a `python3` runtime")]
    LayerRuntime { path: PathBuf, runtime: String },
    #[error(
        "`{path}` does not pin {packages} by hash, so the layer would depend on the day it is built: \
         write the file with `uv pip compile --generate-hashes requirements.in -o requirements.txt`"
    )]
    Unhashed { path: PathBuf, packages: String },
    #[error(
        "`{path}` takes {packages} only under a condition (`;`), which pip judges by the Python that runs it and not by \
         the layer's: lock for the layer alone, without conditions, as `uv pip compile --generate-hashes` does"
    )]
    Conditional { path: PathBuf, packages: String },
    #[error(
        "`{path}` has the line `{line}`: a layer's packages are pinned in this one file, as wheels of the index that pip is \
         set up with (`PIP_INDEX_URL`, `pip.conf`)"
    )]
    RequirementsOption { path: PathBuf, line: String },
    #[error(
        "`{path}` has the line `{line}`: a package is named as `name==version --hash=sha256:…`, not by a URL, a path or a range"
    )]
    NoPackage { path: PathBuf, line: String },
    #[error("`{name}` is in the layer's directory and in one of its packages: rename the one of yours")]
    Overlap { name: String },
    #[error(
        "failed to start `{command}`, which installs a layer's packages: install Python 3 with pip, or put it on the PATH"
    )]
    PipStart {
        command: String,
        #[source]
        source: io::Error,
    },
    #[error("pip could not install `{requirements}` for {target}:\n{last_lines}")]
    Pip { requirements: PathBuf, target: String, last_lines: String },
    #[error(
        "found no Python 3.{minor}, whose bytecode the environment asks for (`bytecode = true`): install it, for example \
         with `uv python install 3.{minor}`, or take the line out of paystack.toml"
    )]
    NoCompiler { minor: u32 },
    #[error("`{path}` does not compile:\n{last_lines}")]
    Compile { path: PathBuf, last_lines: String },
    #[error("failed to write to the cache of layers at `{path}`")]
    Cache {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// In which form something is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZipState {
    Zipped,
    Unzipped,
}

impl fmt::Display for ZipState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zipped => "zipped",
            Self::Unzipped => "unzipped",
        })
    }
}

/// A size as Lambda's pages give it: 1 MB is 1024 · 1024 bytes.
struct Megabytes(u64);

impl fmt::Display for Megabytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} MB", self.0 as f64 / (1024.0 * 1024.0))
    }
}

/// Refuses what Lambda would refuse, with the files that matter most.
fn check_size<'a>(
    path: &Path,
    state: ZipState,
    size: u64,
    files: impl Iterator<Item = (&'a str, u64)>,
) -> Result<(), PackageError> {
    let limit = match state {
        ZipState::Zipped => ZIPPED_LIMIT_BYTES,
        ZipState::Unzipped => UNZIPPED_LIMIT_BYTES,
    };
    if size <= limit {
        return Ok(());
    }
    let mut files: Vec<(&str, u64)> = files.collect();
    files.sort_by_key(|(name, size)| (std::cmp::Reverse(*size), *name));
    let biggest: Vec<String> =
        files.iter().take(3).map(|(name, size)| format!("`{name}` ({})", Megabytes(*size))).collect();
    Err(PackageError::TooLarge { path: path.to_owned(), state, size, limit, biggest: biggest.join(", ") })
}

#[cfg(test)]
mod tests;
