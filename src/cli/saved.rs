//! Plans in files: `plan --out FILE` keeps one, `apply FILE` does exactly that or refuses.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::aws::Scope;
use crate::cli::apply::{Approved, finish, keep_attempts};
use crate::cli::arguments::{ApplyArguments, StackArguments};
use crate::cli::plan::{foreseen, make};
use crate::cli::stack::{Opened, open};
use crate::cli::{CliError, Exit, World, rules, view};
use crate::identity::StackId;
use crate::plan::Plan;
use crate::plan::saved::{Asked, Goal, Inputs, Opening, Refusal, SavedPlan, Stale, VERSION};
use crate::project::Project;
use crate::state::{LedgerJournal, Lock};
use crate::text_file;
use crate::visible::on_its_line;

/// How large a kept plan may be.
const LARGEST_BYTES: u64 = 32 * 1024 * 1024;

/// Keeps a plan, whole and at once. Only its owner can read the file.
pub fn save(file: &Path, plan: &Plan, asked: Asked, stack: &Opened, world: &mut World) -> Result<(), CliError> {
    let saved = SavedPlan::new(plan, asked, &inputs(stack), world.salt.clone(), world.clock.now());
    let path = world.directory.join(file);
    let failed = |source| SavedPlanError::Write { path: file.to_owned(), source };
    let text = serde_json::to_vec_pretty(&saved).map_err(|error| failed(error.into()))?;
    let mut new = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(&world.directory)).map_err(failed)?;
    new.write_all(&text).map_err(failed)?;
    new.persist(&path).map_err(|error| failed(error.error))?;
    writeln!(world.err, "The plan is kept: `paystack apply {}` does exactly that.", file.display())?;
    Ok(())
}

/// Makes a kept plan anew, and carries it out where it is still the same.
pub async fn apply(file: &Path, arguments: &ApplyArguments, world: &mut World) -> Result<Exit, CliError> {
    let saved = load(file, world)?;
    let opening = opened_again(&saved.asked.opening, &arguments.stack, &world.directory)?;
    writeln!(world.err, "The plan was made at {} with `{}`.", saved.at, on_its_line(&said(&saved.asked)))?;
    let stack = &open(&opening, world).await?;
    if saved.asked.goal == Goal::Template {
        stack.has_imports()?;
    }
    is_for(&saved, stack)?;
    keep_attempts(arguments.trace.as_deref(), stack);
    let work = async |lock: &dyn Lock, world: &mut World| apply_locked(&saved, arguments, stack, lock, world).await;
    stack.locked("apply", arguments.lock, world, work).await
}

async fn apply_locked(
    saved: &SavedPlan,
    arguments: &ApplyArguments,
    stack: &Opened,
    lock: &dyn Lock,
    world: &mut World,
) -> Result<Exit, CliError> {
    let ledger = stack.ledger(world).await?;
    let concurrency = arguments.planning.concurrency;
    let Asked { goal, options, .. } = &saved.asked;
    let plan = make(*goal, options, stack, &ledger, concurrency).await?;
    let stale = saved.compare(&plan);
    if !stale.is_empty() {
        let is_template_changed = !saved.has_template(&inputs(stack));
        return Err(SavedPlanError::Stale { stale, is_template_changed }.into());
    }
    let foreseen = foreseen(*goal, &plan, stack, &ledger);
    view::proposed(world, &plan, &foreseen, arguments.format, arguments.planning.detail())?;
    rules::refuse(&plan, stack)?;
    let approved = Approved {
        goal: *goal,
        plan: &plan,
        foreseen: &foreseen,
        concurrency,
        format: arguments.format,
        trace: arguments.trace.as_deref(),
        watch_logs: None,
    };
    finish(&approved, &mut LedgerJournal::new(lock, ledger), stack, world).await
}

/// A plan as it was kept.
pub fn load(file: &Path, world: &World) -> Result<SavedPlan, SavedPlanError> {
    let path = || file.to_owned();
    let text = text_file::read(&world.directory.join(file), LARGEST_BYTES)
        .map_err(|source| SavedPlanError::Read { path: path(), source })?;
    SavedPlan::parse(&text).map_err(|refusal| match refusal {
        Refusal::Unreadable(source) => SavedPlanError::Unreadable { path: path(), source },
        Refusal::OtherVersion(version) => SavedPlanError::OtherVersion { path: path(), version },
    })
}

/// How the plan was asked for, as it would be typed.
fn said(asked: &Asked) -> String {
    let Asked { opening, goal, options } = asked;
    let Opening { environment, parameters, project, template, stack, imports, .. } = opening;
    let paths = [("--project", project), ("--template", template)];
    let paths = paths.into_iter().filter_map(|(name, path)| Some((name, path.as_ref()?.display().to_string())));
    let texts = [("-e", environment), ("--stack", stack)];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?)));
    let parameters = parameters.iter().map(|(name, value)| ("-p", format!("{name}={value}")));
    let imports = imports.iter().map(|(name, value)| ("--import", format!("{name}={value}")));
    let ids = [("--target", &options.targets), ("--replace", &options.replace), ("--adopt", &options.adopt)];
    let ids = ids.into_iter().flat_map(|(name, ids)| ids.iter().map(move |id| (name, id.to_string())));
    let mut said = "paystack plan".to_owned();
    for (name, value) in paths.chain(texts).chain(parameters).chain(imports).chain(ids) {
        said.push_str(&format!(" {name} {value}"));
    }
    let flags = [
        ("--skip-unsupported", opening.skip_unsupported),
        ("--delete-retained", opening.delete_retained),
        ("--local", opening.local),
        ("--destroy", *goal == Goal::Nothing),
    ];
    for (name, _) in flags.into_iter().filter(|(_, is_given)| *is_given) {
        said.push_str(&format!(" {name}"));
    }
    said
}

/// What to open the stack with: what the plan was made with, and the secrets, which only the user can give again.
///
/// A plan may come from anywhere. That it leads to another place than the one that the user stands in is for the user to say.
fn opened_again(opening: &Opening, given: &StackArguments, directory: &Path) -> Result<StackArguments, SavedPlanError> {
    let found = Project::find(directory).ok();
    let project = opening.project.as_ref().or(found.as_ref());
    for (planned, given) in [(project, &given.project), (opening.template.as_ref(), &given.template)] {
        match (planned, given) {
            (Some(planned), Some(given)) if is_same(planned, given, directory) => {}
            (None, Some(given)) | (Some(_), Some(given)) => {
                return Err(SavedPlanError::OtherProject { path: given.clone() });
            }
            (Some(planned), None) if !is_here(planned, found.as_deref(), directory) => {
                return Err(SavedPlanError::Elsewhere { path: planned.clone(), stack: opening.stack.clone() });
            }
            (_, None) => {}
        }
    }
    if given.stack.is_some() && given.stack != opening.stack {
        return Err(SavedPlanError::OtherProject { path: given.template.clone().unwrap_or_default() });
    }
    let is_other = |(name, value): &&(String, String)| opening.parameters.get(name).is_some_and(|kept| kept != value);
    if let Some((name, _)) = given.parameters.iter().find(is_other) {
        return Err(SavedPlanError::OtherParameter { name: name.clone() });
    }
    let Opening {
        environment,
        parameters,
        project,
        template,
        stack,
        imports,
        skip_unsupported,
        delete_retained,
        local,
    } = opening.clone();
    Ok(StackArguments {
        environment,
        parameters: parameters.into_iter().chain(given.parameters.iter().cloned()).collect(),
        project,
        template,
        stack,
        imports: imports.into_iter().collect(),
        skip_unsupported,
        delete_retained,
        local,
    })
}

fn is_same(one: &Path, other: &Path, directory: &Path) -> bool {
    match [one, other].map(|path| directory.join(path).canonicalize()) {
        [Ok(one), Ok(other)] => one == other,
        _ => false,
    }
}

/// Whether a path is below the directory that the user stands in, links followed, or is its project. One that leads nowhere
/// is for whoever reads it to refuse.
fn is_here(path: &Path, found: Option<&Path>, directory: &Path) -> bool {
    let (Ok(path), Ok(directory)) = (directory.join(path).canonicalize(), directory.canonicalize()) else {
        return true;
    };
    path.starts_with(directory) || found.is_some_and(|found| found.canonicalize().is_ok_and(|found| found == path))
}

fn is_for(saved: &SavedPlan, stack: &Opened) -> Result<(), SavedPlanError> {
    let (desired, plan) = (&stack.desired, &saved.plan);
    if (&plan.stack, &plan.scope) != (&desired.stack, &desired.scope) {
        let place = |stack: &StackId, scope: &Scope| {
            format!("the stack `{stack}` in account {} ({})", scope.account_id, scope.region)
        };
        return Err(SavedPlanError::OtherPlace {
            saved: place(&plan.stack, &plan.scope),
            here: place(&desired.stack, &desired.scope),
        });
    }
    match saved.other_secrets(&inputs(stack)).into_iter().next() {
        Some(name) => Err(SavedPlanError::OtherSecret { name }),
        None => Ok(()),
    }
}

/// What was said of the stack on the command line, without its secrets.
pub fn opening(arguments: &StackArguments, stack: &Opened) -> Opening {
    let StackArguments {
        environment,
        parameters,
        project,
        template,
        stack: name,
        imports,
        skip_unsupported,
        delete_retained,
        local,
    } = arguments.clone();
    let is_secret = |name: &str| stack.desired.graph.secrets().any(|(secret, _)| secret == name);
    let parameters = parameters.into_iter().filter(|(name, _)| !is_secret(name)).collect();
    let imports = imports.into_iter().collect();
    Opening {
        environment,
        parameters,
        project,
        template,
        stack: name,
        imports,
        skip_unsupported,
        delete_retained,
        local,
    }
}

fn inputs(stack: &Opened) -> Inputs<'_> {
    Inputs { template: &stack.source.text, secrets: stack.desired.graph.secrets().collect() }
}

/// Why a plan in a file is not applied, or not kept.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    #[error("failed to write the plan `{path}`")]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("failed to read the plan `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{path}` is no plan that `paystack plan --out` has written")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("the plan `{path}` has another layout (version {version}, this paystack has {VERSION})")]
    OtherVersion { path: PathBuf, version: u64 },
    #[error("the plan is for `{}`, which is outside of this directory", .path.display())]
    Elsewhere { path: PathBuf, stack: Option<String> },
    #[error("the plan is for another project than `{}`", .path.display())]
    OtherProject { path: PathBuf },
    #[error("the plan is for {saved}, and this is {here}")]
    OtherPlace { saved: String, here: String },
    #[error("the parameter `{name}` has another value in the plan")]
    OtherParameter { name: String },
    #[error("the secret parameter `{name}` has not the value that the plan was made with")]
    OtherSecret { name: String },
    #[error("the plan is stale: {}", listed(.stale))]
    Stale { stale: Vec<Stale>, is_template_changed: bool },
}

fn listed(stale: &[Stale]) -> String {
    stale.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl SavedPlanError {
    /// What to do about it.
    pub fn way_out(&self) -> Option<String> {
        let anew = "nothing was changed; make the plan anew with `paystack plan --out FILE`";
        match self {
            Self::Write { .. } | Self::Read { .. } => None,
            Self::Unreadable { .. } | Self::OtherVersion { .. } | Self::OtherParameter { .. } => Some(anew.to_owned()),
            Self::Elsewhere { path, stack: None } => {
                Some(format!("nothing was changed; if it is what you mean, name it: `--project {}`", path.display()))
            }
            Self::Elsewhere { path, stack: Some(stack) } => Some(format!(
                "nothing was changed; if it is what you mean, name it: `--template {} --stack {stack}`",
                path.display()
            )),
            Self::OtherProject { .. } => Some("leave it out, or give the plan that was made for it".to_owned()),
            Self::OtherPlace { .. } => {
                Some("use the credentials and the region that the plan was made with".to_owned())
            }
            Self::OtherSecret { name } => Some(format!("no plan keeps a secret: give it again with `-p {name}=…`")),
            Self::Stale { is_template_changed: true, .. } => Some(format!("the template was changed; {anew}")),
            Self::Stale { is_template_changed: false, .. } => Some(anew.to_owned()),
        }
    }
}
