//! `paystack migrate`: takes over what another tool has deployed. Nothing of it is changed but its tags.

mod terraform;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::aws::deployed::{self, DeployedStack};
use crate::aws::{Context, Packages};
use crate::cli::apply::{Approved, ask, finish};
use crate::cli::arguments::{CONCURRENCY, Format, MigrateArguments, MigrateCommand, StackArguments, TakeOverArguments};
use crate::cli::plan::{foreseen, make};
use crate::cli::stack::{Opened, connection, open};
use crate::cli::{CliError, Exit, World, view};
use crate::diagnostic::Source;
use crate::identity::LogicalId;
use crate::migrate;
use crate::plan::saved::Goal;
use crate::plan::{Action, Options, Plan, Step};
use crate::project::Environment;
use crate::state::{LedgerJournal, Lock};
use crate::template::edit::{Edit, edited, resources};
use crate::visible::on_its_line;

pub async fn migrate(command: &MigrateCommand, world: &mut World) -> Result<Exit, CliError> {
    match command {
        MigrateCommand::Cloudformation(arguments) => cloudformation(arguments, world).await,
        MigrateCommand::Terraform(arguments) => terraform::terraform(arguments, world).await,
    }
}

/// Reads the stack, writes its template, takes over what it made, and says how to retire it.
async fn cloudformation(arguments: &MigrateArguments, world: &mut World) -> Result<Exit, CliError> {
    let MigrateArguments { name, take_over } = arguments;
    let directory = directory(take_over, name);
    let cx = context(take_over, name, world).await?;
    let deployed = deployed::stack(&cx, &arguments.name).await?;
    let files = Files::of(&deployed, &world.directory.join(&directory), &directory);
    if !files.template.exists() {
        write_template(&deployed, &files, &cx, world).await?;
    }
    if let Some(name) = deployed.secret_parameters.iter().find(|name| !has(&take_over.parameters, name)) {
        return Err(CliError::SecretParameter { stack: arguments.name.clone(), name: name.clone() });
    }
    let mut parameters = deployed.parameters.clone();
    parameters.extend(take_over.parameters.iter().cloned());
    let opening = stack_arguments(take_over, name, directory.join(files.template_name), parameters);
    let mut stack = open(&opening, world).await?;
    stack.reader.believe_cloudformation(&deployed);
    let ended = take_over_all(take_over, &stack, world).await?;
    if ended == Exit::Done {
        writeln!(world.out, "{}", how_to_retire(arguments, &files, &opening, &deployed.secret_parameters))?;
    }
    Ok(ended)
}

fn directory(arguments: &TakeOverArguments, stack: &str) -> PathBuf {
    arguments.directory.clone().unwrap_or_else(|| PathBuf::from(stack))
}

/// AWS, before there is a template.
async fn context(arguments: &TakeOverArguments, name: &str, world: &mut World) -> Result<Arc<Context>, CliError> {
    let asking = stack_arguments(arguments, name, PathBuf::new(), BTreeMap::new());
    let environment = Environment { region: arguments.region.clone(), ..Environment::default() };
    let connection = connection(&asking, &environment, world).await?;
    Ok(Arc::new(Context::new(&connection, Packages::new(), Arc::clone(&world.clock))))
}

async fn take_over_all(arguments: &TakeOverArguments, stack: &Opened, world: &mut World) -> Result<Exit, CliError> {
    let work = async |lock: &dyn Lock, world: &mut World| take_over(arguments, stack, lock, world).await;
    stack.locked("migrate", arguments.lock, world, work).await
}

async fn take_over(
    arguments: &TakeOverArguments,
    stack: &Opened,
    lock: &dyn Lock,
    world: &mut World,
) -> Result<Exit, CliError> {
    let ledger = stack.ledger(world).await?;
    let adopt = stack.desired.graph.resources.keys().cloned().collect();
    let options = Options { adopt, ..Options::default() };
    let plan = make(Goal::Template, &options, stack, &ledger, CONCURRENCY).await?;
    let foreseen = foreseen(Goal::Template, &plan, stack, &ledger);
    view::proposed(world, &plan, &foreseen, Format::Text, view::Detail::Brief)?;
    if plan.blocked().next().is_some() {
        return Err(CliError::Blocked);
    }
    let inline = resources(&stack.source).map(|declared| migrate::inline(&declared)).unwrap_or_default();
    let differing = differing(&plan, &inline);
    if !differing.is_empty() {
        let resources = differing.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
        return Err(CliError::MigrationChanges { resources });
    }
    if !(arguments.auto_approve || plan.is_empty() || ask(world, "migrate", stack).await?) {
        return Ok(Exit::Failed);
    }
    let approved = Approved {
        goal: Goal::Template,
        plan: &plan,
        foreseen: &foreseen,
        concurrency: CONCURRENCY,
        format: Format::Text,
        trace: None,
        watch_logs: None,
    };
    finish(&approved, &mut LedgerJournal::new(lock, ledger), stack, world).await
}

/// What would be changed beyond its tags. Code that stands in the template is zipped anew, by whoever uploads it.
fn differing(plan: &Plan, inline: &BTreeSet<LogicalId>) -> Vec<LogicalId> {
    let is_mark = |step: &&Step| match &step.action {
        Action::None => true,
        Action::Adopt { changes } | Action::Update { changes } => changes.iter().all(|change| {
            let property = change.path.property();
            property == Some("Tags") || property == Some("Code") && inline.contains(&step.logical_id)
        }),
        _ => false,
    };
    plan.steps.iter().filter(|step| !is_mark(step)).map(|step| step.logical_id.clone()).collect()
}

/// What is written for a stack.
struct Files {
    directory: PathBuf,
    /// As people are shown it.
    shown: PathBuf,
    template: PathBuf,
    template_name: &'static str,
    retained: PathBuf,
}

impl Files {
    fn of(deployed: &DeployedStack, directory: &Path, shown: &Path) -> Self {
        let is_json = deployed.template.trim_start().starts_with('{');
        let (template, retained) =
            if is_json { ("template.json", "retained.json") } else { ("template.yaml", "retained.yaml") };
        Self {
            directory: directory.to_owned(),
            shown: shown.to_owned(),
            template: directory.join(template),
            template_name: template,
            retained: directory.join(retained),
        }
    }
}

/// Writes the template with the names that CloudFormation gave, the packages from S3, and the copy of the template that keeps
/// CloudFormation from deleting anything.
async fn write_template(
    deployed: &DeployedStack,
    files: &Files,
    cx: &Context,
    world: &mut World,
) -> Result<(), CliError> {
    let source = Source::new(files.shown.join(files.template_name), deployed.template.clone());
    let unreadable = || CliError::UnreadableMigration { path: files.template.clone() };
    let declared = resources(&source).ok_or_else(unreadable)?;
    let mut edits = migrate::names(&declared, &deployed.resources);
    for (logical_id, property) in migrate::packages(&declared) {
        let Some(resource) = deployed.resources.get(&logical_id) else { continue };
        let package = match property {
            "Code" => deployed::function_package(cx, &resource.physical_id).await?,
            _ => deployed::layer_package(cx, &resource.physical_id).await?,
        };
        let file = format!("code/{logical_id}.zip");
        write(&files.directory.join(&file), &package)?;
        edits.push((logical_id, Edit::Property { name: property.to_owned(), text: file }));
    }
    let text = edited(&source, &edits).ok_or_else(unreadable)?;
    let retained = edited(&source, &migrate::retained(&declared)).ok_or_else(unreadable)?;
    write(&files.retained, retained.as_bytes())?;
    // The last of all: where it is there, nothing is written again.
    write(&files.template, text.as_bytes())?;
    writeln!(world.err, "Wrote `{}`.", files.shown.join(files.template_name).display())?;
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let failed = |source| CliError::Write { path: path.to_owned(), source };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    fs::write(path, content).map_err(failed)
}

fn stack_arguments(
    arguments: &TakeOverArguments,
    name: &str,
    template: PathBuf,
    parameters: BTreeMap<String, String>,
) -> StackArguments {
    StackArguments {
        environment: None,
        parameters: parameters.into_iter().collect(),
        project: None,
        template: Some(template),
        stack: Some(name.to_owned()),
        imports: Vec::new(),
        skip_unsupported: false,
        delete_retained: false,
        local: arguments.local,
    }
}

fn has(parameters: &[(String, String)], name: &str) -> bool {
    parameters.iter().any(|(key, _)| key == name)
}

/// The parameters as they are typed; a secret one the user knows.
fn parameters(opening: &StackArguments, is_secret: impl Fn(&String) -> bool) -> String {
    let said = |(key, value): &(String, String)| {
        let value = if is_secret(key) { "VALUE".into() } else { on_its_line(value) };
        format!(" -p {key}={}", quoted(&value))
    };
    opening.parameters.iter().map(said).collect()
}

/// A text as a shell takes it for one word.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What is to be typed to make CloudFormation forget the stack, and to go on without it.
fn how_to_retire(
    arguments: &MigrateArguments,
    files: &Files,
    opening: &StackArguments,
    secret_parameters: &[String],
) -> String {
    let name = &arguments.name;
    let shown = |path: &Path| path.file_name().map(|file| files.shown.join(file)).unwrap_or_default();
    let (retained, template) = (shown(&files.retained), shown(&files.template));
    let keys: Vec<String> =
        opening.parameters.iter().map(|(key, _)| format!(" ParameterKey={key},UsePreviousValue=true")).collect();
    let keys = if keys.is_empty() { String::new() } else { format!(" --parameters{}", keys.concat()) };
    let parameters = parameters(opening, |key| secret_parameters.contains(key));
    format!(
        "
`{name}` is paystack's now, and still CloudFormation's. To retire the stack there, and delete nothing:

    aws cloudformation update-stack --stack-name {name} --template-body file://{}{keys} \\
        --capabilities CAPABILITY_IAM CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND
    aws cloudformation wait stack-update-complete --stack-name {name}
    aws cloudformation delete-stack --stack-name {name}

The first gives every resource `DeletionPolicy: Retain`: look that it has ended before you delete the stack. From then on:

    paystack plan --template {} --stack {name}{parameters}",
        retained.display(),
        template.display(),
    )
}
