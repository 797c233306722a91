//! A CDK cloud assembly, the directory that an app writes: its stacks, in order, and the files that go with them.
//!
//! Knows nothing of what is in a template. What of an assembly is for CDK's own tools (the construct tree, feature flags, roles
//! and buckets of the bootstrap stack) is not looked at: code goes with the function, and the caller's credentials are used.

mod app;
mod manifest;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::diagnostic::nearest;
use crate::text_file;

pub use app::{App, CDK_JSON, synthesise};
use manifest::{Artifact, AssetManifest, Manifest, Messages, Packaging};

/// The file that makes a directory a cloud assembly.
pub const MANIFEST: &str = "manifest.json";

/// How large a file of an assembly may be.
const LARGEST_BYTES: u64 = 32 * 1024 * 1024;

/// How deep assemblies may lie within each other: an app's stages.
const DEEPEST: usize = 10;

/// A whole assembly, its stages included.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembly {
    pub directory: PathBuf,
    /// Each after all that it depends on.
    pub stacks: Vec<Stack>,
}

/// One stack of an assembly.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// What the app calls it: `Payments`, or `Prod/Payments` in a stage.
    pub id: String,
    /// What it is to be called in AWS.
    pub name: String,
    pub template: PathBuf,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// `None` where the app leaves it to whoever deploys.
    pub account: Option<String>,
    pub region: Option<String>,
    /// The ids of the stacks that have to be there before this one.
    pub depends_on: BTreeSet<String>,
    /// Whether the app does not want it deleted.
    pub is_protected: bool,
    /// What the app has to say about it.
    pub warnings: Vec<String>,
    pub errors: Vec<String>,
}

/// The files of an assembly, by the key that templates name them by.
pub type Assets = BTreeMap<String, Asset>;

/// A file or directory that goes with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// As the assembly has it: relative to the assembly, or absolute.
    pub path: PathBuf,
    pub packing: Packing,
}

/// What becomes of an asset before it is uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// A directory is zipped.
    Zipped,
    /// A file goes as it is.
    AsItIs,
}

impl Assembly {
    /// Whether there is an assembly at a path, and not a template.
    pub fn is_at(path: &Path) -> bool {
        path.join(MANIFEST).is_file()
    }

    /// Reads an assembly, and those of its stages.
    ///
    /// # Errors
    ///
    /// It cannot be read, it is not finished (the app has asked for context that is not there), or it leads out of its directory.
    pub fn load(directory: &Path) -> Result<Self, AssemblyError> {
        let mut stacks = Vec::new();
        read(directory, 0, &mut stacks)?;
        if stacks.is_empty() {
            return Err(AssemblyError::NoStack { path: directory.to_owned() });
        }
        Ok(Self { directory: directory.to_owned(), stacks })
    }

    /// The stack of this id or name; without one, the only one that there is.
    pub fn stack(&self, name: Option<&str>) -> Result<&Stack, AssemblyError> {
        let known = || self.stacks.iter().map(|stack| stack.id.as_str());
        let listed = || known().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
        match (name, self.stacks.as_slice()) {
            (None, [only]) => Ok(only),
            (None, _) => Err(AssemblyError::WhichStack { path: self.directory.clone(), known: listed() }),
            (Some(name), stacks) => {
                let found = stacks.iter().find(|stack| stack.id == name || stack.name == name);
                found.ok_or_else(|| AssemblyError::UnknownStack {
                    path: self.directory.clone(),
                    name: name.to_owned(),
                    help: nearest(name, known())
                        .map_or_else(|| format!("it has {}", listed()), |near| format!("did you mean `{near}`?")),
                })
            }
        }
    }

    /// All that a stack depends on, in order.
    pub fn before(&self, stack: &Stack) -> Vec<&Stack> {
        let mut needed: BTreeSet<&str> = BTreeSet::new();
        let mut next: Vec<&Stack> = vec![stack];
        while let Some(stack) = next.pop() {
            let new = self.stacks.iter().filter(|it| stack.depends_on.contains(&it.id));
            next.extend(new.filter(|it| needed.insert(it.id.as_str())));
        }
        self.stacks.iter().filter(|it| needed.contains(it.id.as_str())).collect()
    }
}

/// The assets of the assembly that a template is a part of; none where it is a part of none.
///
/// # Errors
///
/// There is an assembly, and it cannot be read.
pub fn assets_beside(template: &Path) -> Result<Assets, AssemblyError> {
    let (Some(directory), Some(file)) = (template.parent(), template.file_name()) else { return Ok(Assets::new()) };
    if !directory.join(MANIFEST).is_file() {
        return Ok(Assets::new());
    }
    let manifest: Manifest = read_json(&directory.join(MANIFEST))?;
    let is_of_template = |artifact: &Artifact| artifact.properties.template_file.as_deref() == file.to_str();
    if !manifest.artifacts.values().any(is_of_template) {
        return Ok(Assets::new());
    }
    let mut assets = Assets::new();
    for artifact in manifest.artifacts.values().filter(|it| it.kind == "cdk:asset-manifest") {
        let Some(file) = &artifact.properties.file else { continue };
        let listed: AssetManifest = read_json(&within(directory, file)?)?;
        for file in listed.files.into_values() {
            let (Some(path), packing) = (file.source.path, file.source.packaging) else { continue };
            let packing = match packing {
                Packaging::Zip => Packing::Zipped,
                Packaging::File => Packing::AsItIs,
            };
            for destination in file.destinations.into_values() {
                assets.insert(destination.object_key, Asset { path: path.clone(), packing });
            }
        }
    }
    Ok(assets)
}

fn read(directory: &Path, depth: usize, stacks: &mut Vec<Stack>) -> Result<(), AssemblyError> {
    let path = directory.join(MANIFEST);
    if depth > DEEPEST {
        return Err(AssemblyError::TooDeep { path });
    }
    let manifest: Manifest = read_json(&path)?;
    if !manifest.missing.is_empty() {
        let keys: Vec<_> = manifest.missing.iter().map(|it| format!("`{}`", it.key)).collect();
        return Err(AssemblyError::MissingContext { path, keys: keys.join(", ") });
    }
    let mut reading = Reading { directory, depth, manifest: &manifest, done: BTreeSet::new(), ids: BTreeMap::new() };
    for id in manifest.artifacts.keys() {
        reading.visit(id, stacks)?;
    }
    Ok(())
}

/// Reads one manifest, each artifact after those that it depends on.
struct Reading<'a> {
    directory: &'a Path,
    depth: usize,
    manifest: &'a Manifest,
    done: BTreeSet<&'a str>,
    /// The stacks that an artifact is, or has in it.
    ids: BTreeMap<&'a str, Vec<String>>,
}

impl<'a> Reading<'a> {
    /// Reads an artifact after all that it depends on, however long that chain is.
    fn visit(&mut self, id: &'a str, stacks: &mut Vec<Stack>) -> Result<(), AssemblyError> {
        let mut begun: Vec<(&str, &Artifact, std::slice::Iter<'_, String>)> = Vec::new();
        let mut next = Some(id);
        loop {
            // In a circle, what has been begun counts as done.
            let found = next.and_then(|id| self.manifest.artifacts.get_key_value(id));
            if let Some((id, artifact)) = found
                && self.done.insert(id)
            {
                begun.push((id, artifact, artifact.dependencies.iter()));
            }
            let Some((id, artifact, dependencies)) = begun.last_mut() else { return Ok(()) };
            next = dependencies.next().map(String::as_str);
            if next.is_none() {
                self.read(id, artifact, stacks)?;
                begun.pop();
            }
        }
    }

    fn read(&mut self, id: &'a str, artifact: &Artifact, stacks: &mut Vec<Stack>) -> Result<(), AssemblyError> {
        let before = stacks.len();
        match artifact.kind.as_str() {
            "aws:cloudformation:stack" => {
                let stack = self.stack(id, artifact)?;
                stacks.push(stack);
            }
            "cdk:cloud-assembly" => {
                if let Some(inner) = &artifact.properties.directory_name {
                    read(&within(self.directory, inner)?, self.depth + 1, stacks)?;
                }
                let outer = self.depends_on(artifact);
                stacks[before..].iter_mut().for_each(|stack| stack.depends_on.extend(outer.iter().cloned()));
            }
            _ => {}
        }
        self.ids.insert(id, stacks[before..].iter().map(|stack| stack.id.clone()).collect());
        Ok(())
    }

    fn depends_on(&self, artifact: &Artifact) -> BTreeSet<String> {
        artifact.dependencies.iter().filter_map(|it| self.ids.get(it.as_str())).flatten().cloned().collect()
    }

    fn stack(&self, id: &str, artifact: &Artifact) -> Result<Stack, AssemblyError> {
        let properties = &artifact.properties;
        let Some(template) = &properties.template_file else {
            return Err(AssemblyError::NoTemplate { path: self.directory.join(MANIFEST), id: id.to_owned() });
        };
        let mut messages = artifact.metadata.clone();
        if let Some(file) = &artifact.additional_metadata_file {
            messages.extend(read_json::<Messages>(&within(self.directory, file)?)?);
        }
        let said = |kind: &str| -> Vec<String> {
            let all = messages.iter().flat_map(|(path, entries)| entries.iter().map(move |entry| (path, entry)));
            let of_kind = all.filter(|(_, entry)| entry.kind == kind);
            of_kind.filter_map(|(path, entry)| Some(format!("[{path}] {}", entry.data.as_str()?))).collect()
        };
        let (account, region) = environment(artifact.environment.as_deref().unwrap_or_default());
        Ok(Stack {
            id: artifact.display_name.clone().unwrap_or_else(|| id.to_owned()),
            name: properties.stack_name.clone().unwrap_or_else(|| id.to_owned()),
            template: within(self.directory, template)?,
            parameters: properties.parameters.clone(),
            tags: properties.tags.clone(),
            account,
            region,
            depends_on: self.depends_on(artifact),
            is_protected: properties.termination_protection,
            warnings: said("aws:cdk:warning"),
            errors: said("aws:cdk:error"),
        })
    }
}

/// `aws://account/region`, of which each may be unknown.
fn environment(text: &str) -> (Option<String>, Option<String>) {
    let mut parts = text.strip_prefix("aws://").unwrap_or_default().split('/');
    let mut known = |unknown: &str| parts.next().filter(|it| !it.is_empty() && *it != unknown).map(str::to_owned);
    (known("unknown-account"), known("unknown-region"))
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, AssemblyError> {
    let text =
        text_file::read(path, LARGEST_BYTES).map_err(|source| AssemblyError::Read { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|source| AssemblyError::NoManifest { path: path.to_owned(), source })
}

/// A file of an assembly's own.
fn within(directory: &Path, name: &str) -> Result<PathBuf, AssemblyError> {
    let is_inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if is_inside {
        return Ok(directory.join(name));
    }
    Err(AssemblyError::Outside { path: directory.join(MANIFEST), name: name.to_owned() })
}

/// Why an assembly is not read, or not made.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    #[error("failed to read `{path}` of the cloud assembly")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{path}` is not what CDK writes")]
    NoManifest {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("`{path}` names the file `{name}`, which is outside of the assembly")]
    Outside { path: PathBuf, name: String },
    #[error("the assemblies at `{path}` lie more than {DEEPEST} deep within each other")]
    TooDeep { path: PathBuf },
    #[error("the stack `{id}` in `{path}` has no template")]
    NoTemplate { path: PathBuf, id: String },
    #[error("the cloud assembly `{path}` has no stack")]
    NoStack { path: PathBuf },
    #[error("the app that wrote `{path}` asks for context that has to be looked up: {keys}")]
    MissingContext { path: PathBuf, keys: String },
    #[error("the cloud assembly `{path}` has several stacks")]
    WhichStack { path: PathBuf, known: String },
    #[error("the cloud assembly `{path}` has no stack `{name}`")]
    UnknownStack { path: PathBuf, name: String, help: String },
    #[error("the app says that something is wrong with the stack `{stack}`: {}", errors.join("; "))]
    Refused { stack: String, errors: Vec<String> },
    #[error("there is no `app` to run in `{path}`")]
    NoApp { path: PathBuf },
    #[error("failed to run `{command}`")]
    Start {
        command: String,
        #[source]
        source: io::Error,
    },
    #[error("`{command}` ended with {status}:\n{last_lines}")]
    Failed { command: String, status: std::process::ExitStatus, last_lines: String },
}

impl AssemblyError {
    /// What to do about it.
    pub fn way_out(&self) -> Option<String> {
        Some(match self {
            Self::Read { source, path } if source.kind() == io::ErrorKind::NotFound && path.ends_with(MANIFEST) => {
                "write the assembly with `cdk synth`, or let `--app` run the app".to_owned()
            }
            Self::NoManifest { .. } | Self::NoTemplate { .. } | Self::Outside { .. } => {
                "write the assembly anew with `cdk synth`".to_owned()
            }
            Self::MissingContext { .. } => {
                "run `cdk synth` once with credentials: it keeps what it looks up in cdk.context.json".to_owned()
            }
            Self::WhichStack { known, .. } => format!("name one of {known} with `--stack`"),
            Self::UnknownStack { help, .. } => help.clone(),
            Self::NoApp { .. } => "name the app's command: `--app='python3 app.py'`".to_owned(),
            Self::Read { .. }
            | Self::TooDeep { .. }
            | Self::NoStack { .. }
            | Self::Refused { .. }
            | Self::Start { .. }
            | Self::Failed { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests;
