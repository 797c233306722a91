//! What a stack takes from others: asked of the stacks of the same cloud assembly, as they are live.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::assembly::Assembly;
use crate::cli::apply::{Secrets, outputs};
use crate::cli::arguments::StackArguments;
use crate::cli::stack::{Opened, running};
use crate::cli::{CliError, World};
use crate::template::DesiredGraph;
use crate::unknown;

/// What was not found of what a stack imports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imports {
    /// What a stack will give that has not been applied yet.
    pub awaited: Vec<String>,
    /// What no stack gives.
    pub missing: Vec<String>,
}

/// Looks for what a graph imports, and gives it what is found.
pub async fn find(
    graph: &mut DesiredGraph,
    arguments: &StackArguments,
    world: &mut World,
) -> Result<Imports, CliError> {
    let is_given = |name: &String| arguments.imports.iter().any(|(given, _)| given == name);
    let mut wanted: BTreeSet<String> = graph.imports().into_iter().filter(|name| !is_given(name)).collect();
    let mut imports = Imports::default();
    if wanted.is_empty() {
        return Ok(imports);
    }
    // The nearest first: an import may itself be made of imports, for which its own stacks are looked at.
    for stack in before(arguments, world)?.into_iter().rev() {
        for (name, export) in Box::pin(exports(&stack, world)).await? {
            if !wanted.remove(&name) {
                continue;
            }
            match export.value {
                Some(value) => graph.import(name, value, export.is_secret),
                None => imports.awaited.push(name),
            }
        }
        if wanted.is_empty() {
            break;
        }
    }
    imports.awaited.sort();
    imports.missing = wanted.into_iter().collect();
    Ok(imports)
}

impl Opened {
    /// Refuses a plan of a stack that imports what nobody exports.
    pub fn has_exporters(&self) -> Result<(), CliError> {
        let Imports { missing: names, .. } = self.imports.clone();
        let stack = self.desired.stack.clone();
        if names.is_empty() { Ok(()) } else { Err(CliError::NothingExports { stack, names }) }
    }

    /// Refuses to make what needs a stack that is not there yet.
    pub fn has_imports(&self) -> Result<(), CliError> {
        self.has_exporters()?;
        let Imports { awaited: names, .. } = self.imports.clone();
        let stack = self.desired.stack.clone();
        if names.is_empty() { Ok(()) } else { Err(CliError::NotExported { stack, names }) }
    }
}

/// The stacks that have to be there before one, which may be a stack of an assembly.
fn before(arguments: &StackArguments, world: &World) -> Result<Vec<StackArguments>, CliError> {
    let path = arguments.template.as_ref().map(|template| world.directory.join(template));
    let Some(path) = path.filter(|path| Assembly::is_at(path)) else { return Ok(Vec::new()) };
    let assembly = Assembly::load(&path)?;
    let stacks = assembly.before(assembly.stack(arguments.stack.as_deref())?);
    let template: Option<PathBuf> = arguments.template.clone();
    let meaning = stacks.into_iter().map(|stack| StackArguments {
        stack: Some(stack.id.clone()),
        template: template.clone(),
        parameters: Vec::new(),
        ..arguments.clone()
    });
    Ok(meaning.collect())
}

/// What one stack gives to others.
#[derive(Debug, Clone)]
struct Export {
    /// `None`: it is not there yet.
    value: Option<String>,
    is_secret: bool,
}

/// All that a stack gives to others, by an export's name and by `STACK.OUTPUT`.
async fn exports(arguments: &StackArguments, world: &mut World) -> Result<BTreeMap<String, Export>, CliError> {
    let stack = running(arguments, world).await?;
    let attributes = stack.attributes(world).await?;
    let values = outputs(&stack.desired, &attributes, Secrets::Revealed);
    let graph = &stack.desired.graph;
    let mut exports = BTreeMap::new();
    for (name, output) in &graph.outputs {
        let value = values.get(name).filter(|value| !unknown::is_within(value));
        let export = Export {
            value: value.and_then(|value| value.as_str()).map(str::to_owned),
            is_secret: value.is_some_and(|value| stack.desired.is_secret(&output.value, value)),
        };
        let exported = output.export.as_ref().and_then(|name| graph.evaluate(name, &|_, _| None).ok());
        if let Some(exported) = exported.as_ref().and_then(|name| name.as_str()) {
            exports.insert(exported.to_owned(), export.clone());
        }
        exports.insert(format!("{}.{name}", stack.desired.stack), export);
    }
    Ok(exports)
}
