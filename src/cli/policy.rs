//! `paystack policy`: the IAM policy that deploying the template needs, and whether the functions' roles fit their code.

use std::path::Path;

use walkdir::WalkDir;

use crate::cli::arguments::PolicyArguments;
use crate::cli::stack::{Checked, read, running};
use crate::cli::{CliError, Exit, World, view};
use crate::deployer;
use crate::grants::{Fit, SourceFile, fit};
use crate::identity::LogicalId;
use crate::resolved::Resolved;
use crate::text_file;

/// How large a source file may be: what is larger is none that somebody has written.
const LARGEST_BYTES: u64 = 1024 * 1024;

pub async fn policy(arguments: &PolicyArguments, world: &mut World) -> Result<Exit, CliError> {
    if arguments.functions {
        return functions(arguments, world);
    }
    let stack = running(&arguments.stack, world).await?;
    let policy = deployer::policy(&stack.desired, stack.state_table.as_ref());
    let Some(part) = arguments.part else {
        view::policy(world, &policy)?;
        return Ok(Exit::Done);
    };
    let parts = deployer::parts(&policy);
    let Some(chosen) = parts.get(usize::from(part.get() - 1)) else {
        return Err(CliError::NoSuchPart { part, parts: parts.len() });
    };
    view::policy(world, chosen)?;
    Ok(Exit::Done)
}

fn functions(arguments: &PolicyArguments, world: &mut World) -> Result<Exit, CliError> {
    let checked = read(&arguments.stack, world)?;
    let desired = checked.anywhere(world)?;
    let resolved = Resolved::new(&desired);
    let layers: Vec<SourceFile> = resolved
        .of_type("AWS::Lambda::LayerVersion")
        .flat_map(|layer| sources(&checked, layer.id(), &world.directory))
        .collect();
    let mut fits: Vec<Fit> = Vec::new();
    for function in resolved.of_type("AWS::Lambda::Function") {
        let own = sources(&checked, function.id(), &world.directory);
        // Of code that is not here nothing can be said.
        if own.is_empty() {
            writeln!(world.err, "`{}` has no Python code here, and is left out.", function.id())?;
            continue;
        }
        let all: Vec<SourceFile> = own.into_iter().chain(layers.iter().cloned()).collect();
        fits.push(fit(&function, &resolved, &all));
    }
    view::fits(world, &fits, arguments.format)?;
    Ok(if fits.iter().all(Fit::is_exact) { Exit::Done } else { Exit::Failed })
}

/// The Python files of a function's or a layer's local code, without tests.
fn sources(checked: &Checked, id: &LogicalId, directory: &Path) -> Vec<SourceFile> {
    let Some((_, root)) = checked.local_code.iter().find(|(of, _)| of == id) else { return Vec::new() };
    // The template names code relative to itself: its path is shown without the way up.
    let (root, directory) = match (root.canonicalize(), directory.canonicalize()) {
        (Ok(root), Ok(directory)) => (root, directory),
        _ => return Vec::new(),
    };
    let files = WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok);
    let is_source = |path: &Path| path.extension().is_some_and(|extension| extension == "py");
    let files = files.filter(|entry| entry.file_type().is_file() && is_source(entry.path()));
    files
        .filter_map(|entry| {
            let text = text_file::read(entry.path(), LARGEST_BYTES).ok()?;
            let path = entry.path().strip_prefix(&directory).unwrap_or(entry.path()).display().to_string();
            Some(SourceFile { path, text })
        })
        .collect()
}
