//! A CDK app's stacks: which ones a command is for, and in which order it goes through them.

use std::path::{Path, PathBuf};

use crate::assembly::{App, Assembly, AssemblyError, synthesise};
use crate::cli::arguments::{AppArguments, StackArguments};
use crate::cli::{CliError, Exit, World};
use crate::diagnostic::Style;
use crate::visible::visible;

/// A stack that a command is for.
pub struct Chosen {
    /// What means this stack and no other.
    pub arguments: StackArguments,
    /// Whether the app does not want it deleted.
    pub is_protected: bool,
}

/// What becomes of the other stacks when something is not done with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They need not wait for it.
    GoOn,
    /// They may depend on it.
    Wait,
}

/// The stacks that a command is for, each after those that it depends on; the app is run first where that is asked for.
///
/// Without an assembly it is the one stack that the arguments mean already.
pub fn chosen(
    arguments: &StackArguments,
    assembly: Option<&Path>,
    app: &AppArguments,
    world: &mut World,
) -> Result<Vec<Chosen>, CliError> {
    let written = match &app.app {
        Some(command) => Some(run(command, app, world)?),
        None => assembly.map(Path::to_owned),
    };
    let Some(directory) = written else {
        return Ok(vec![Chosen { arguments: arguments.clone(), is_protected: false }]);
    };
    let assembly = Assembly::load(&world.directory.join(&directory))?;
    let stacks = match &arguments.stack {
        Some(name) => vec![assembly.stack(Some(name))?],
        None => assembly.stacks.iter().collect(),
    };
    if stacks.len() > 1 && !arguments.parameters.is_empty() {
        return Err(CliError::OneStackOnly { option: "--parameter" });
    }
    let mut chosen = Vec::new();
    for stack in stacks {
        for warning in &stack.warnings {
            writeln!(world.err, "warning: the app says of the stack `{}`: {}", stack.id, visible(warning))?;
        }
        if !stack.errors.is_empty() {
            return Err(AssemblyError::Refused { stack: stack.id.clone(), errors: stack.errors.clone() }.into());
        }
        let (template, name) = (Some(directory.clone()), Some(stack.id.clone()));
        let arguments = StackArguments { template, stack: name, ..arguments.clone() };
        chosen.push(Chosen { arguments, is_protected: stack.is_protected });
    }
    Ok(chosen)
}

/// Does something with each stack; the worst end counts.
pub async fn each(
    stacks: Vec<Chosen>,
    others: Others,
    world: &mut World,
    mut work: impl AsyncFnMut(Chosen, &mut World) -> Result<Exit, CliError>,
) -> Result<Exit, CliError> {
    let names: Vec<String> = stacks.iter().map(|it| it.arguments.stack.clone().unwrap_or_default()).collect();
    let count = stacks.len();
    let mut worst = Exit::Done;
    for (index, stack) in stacks.into_iter().enumerate() {
        if count > 1 {
            writeln!(world.err, "Stack `{}`, {} of {count}:", names[index], index + 1)?;
        }
        let ended = work(stack, world).await;
        let rest = &names[index + 1..];
        if rest.is_empty() && worst == Exit::Done {
            return ended;
        }
        let ended = match (ended, others) {
            (Ok(ended), Others::GoOn) => ended,
            (Ok(Exit::Done), Others::Wait) => continue,
            (Err(error), Others::GoOn) if !world.interrupts.is_leaving() => {
                let style = if world.is_coloured { Style::Coloured } else { Style::Plain };
                write!(world.err, "{}", error.show(style))?;
                Exit::Failed
            }
            (ended, _) => {
                if !rest.is_empty() {
                    let rest: Vec<_> = rest.iter().map(|name| format!("`{name}`")).collect();
                    writeln!(world.err, "Nothing was done with the stacks after it: {}.", rest.join(", "))?;
                }
                return ended;
            }
        };
        worst = worst.max(ended);
    }
    Ok(worst)
}

/// Refuses what cannot mean several stacks.
pub fn only_one(stacks: &[Chosen], options: &[(&'static str, bool)]) -> Result<(), CliError> {
    let given = options.iter().find(|(_, is_given)| *is_given);
    match given {
        Some((option, _)) if stacks.len() > 1 => Err(CliError::OneStackOnly { option }),
        _ => Ok(()),
    }
}

fn run(command: &str, arguments: &AppArguments, world: &mut World) -> Result<PathBuf, CliError> {
    let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| (world.variable)(name));
    let region = region.and_then(|region| region.into_string().ok()).filter(|region| !region.is_empty());
    let home = (world.variable)("HOME");
    let children = world.interrupts.children.clone();
    let app = App {
        directory: &world.directory,
        command: Some(command).filter(|command| !command.is_empty()),
        context: &arguments.context,
        region: region.as_deref(),
        home,
        children: &children,
    };
    writeln!(world.err, "Running the CDK app...")?;
    let synthesised = tokio::task::block_in_place(|| synthesise(&app))?;
    for line in synthesised.said.lines() {
        writeln!(world.err, "  {}", visible(line))?;
    }
    let here = synthesised.assembly.strip_prefix(&world.directory).map(Path::to_owned);
    Ok(here.unwrap_or(synthesised.assembly))
}
