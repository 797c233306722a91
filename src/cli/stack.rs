//! The way from arguments to a desired state: project, template, checks, account, packages.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::assembly::{Assembly, assets_beside};
use crate::aws::calls::Counter;
use crate::aws::error::AwsError;
use crate::aws::observer::Observer;
use crate::aws::{ApiRates, Connection, Context, Packages, Scope, Target, connect, partition_of};
use crate::check::{Retained, check};
use crate::cli::arguments::{CONCURRENCY, LockArguments, StackArguments};
use crate::cli::imports::{self, Imports};
use crate::cli::{CliError, World, documents, local, rules};
use crate::desired::Desired;
use crate::diagnostic::{self, Diagnostic, Severity, Source, Span, Style};
use crate::graph::cycles;
use crate::identity::{LogicalId, StackId};
use crate::inventory;
use crate::package::{
    self, Bytecode, CodePlaces, DocumentPlace, PIP_VARIABLES, PipCommand, Shelf, Workshop, is_elsewhere, leave_out,
    local_code, missing_code, package,
};
use crate::policy::Finding;
use crate::project::{Environment, Project, SUFFIX_PARAMETER, State};
use crate::resource::live::{AwsReader, AwsWriter};
use crate::resource::{Attributes, Reading, row};
use crate::sam::{self, SamError};
use crate::smoke::Smoke;
use crate::state::{DynamoDbLedgers, Holder, Ledger, Ledgers, LocalLedgers, Lock, Place, Sign, StateTable, lock};
use crate::template::{DesiredGraph, DesiredResource, Document, Inputs, Pseudo, Template};
use crate::text_file;
use crate::unsupported;
use crate::visible::on_its_line;

/// The region where no other is named: AWS's own first one, for checks that ask no AWS.
const ANY_REGION: &str = "us-east-1";

const API_RATES: &str = "PAYSTACK_API_RATES";

/// How large a template may be: what CloudFormation takes ("CloudFormation quotas", template body size in an object).
const TEMPLATE_BYTES: u64 = 1024 * 1024;

/// A project's template with its environment, read and checked; nothing has been asked of AWS.
pub struct Checked {
    pub stack: StackId,
    pub environment: Environment,
    state: State,
    pub smoke: Option<Smoke>,
    rules: Option<rules::Rules>,
    /// What other stacks give, as far as it is known.
    imports: BTreeMap<String, String>,
    skips_unsupported: bool,
    retained: Retained,
    code: CodePlaces,
    pub source: Source,
    template: Template,
    pub resources: usize,
    /// Where the code of its functions and layers is.
    pub local_code: Vec<(LogicalId, PathBuf)>,
}

/// A stack in its account.
pub struct Opened {
    pub desired: Desired,
    /// What was found of what the template takes from other stacks.
    pub imports: Imports,
    /// The template's file.
    pub source: Source,
    /// What the project holds it to.
    pub rules: Option<rules::Rules>,
    pub ledgers: Box<dyn Ledgers>,
    pub reader: AwsReader,
    pub writer: AwsWriter,
    pub calls: Counter,
    /// Whether it is AWS's own. An endpoint of one's own is an emulator's.
    pub is_in_aws: bool,
    /// The packages that can be looked into.
    pub shelf: Shelf,
    pub observer: Observer,
}

/// Reads and checks everything that needs no AWS.
pub fn read(arguments: &StackArguments, world: &mut World) -> Result<Checked, CliError> {
    let project = project(arguments, &world.directory)?;
    let environment = project.environment(arguments.environment.as_deref())?;
    let environment = environment.overridden_by(arguments.parameters.clone());
    let stack = project.stack(&environment)?;
    let assets = assets_beside(&project.template)?;
    let shown = project.template.strip_prefix(&world.directory).unwrap_or(&project.template);
    let text = text_file::read(&project.template, TEMPLATE_BYTES)
        .map_err(|source| CliError::UnreadableTemplate { path: shown.to_owned(), source })?;
    let source = Source::new(shown, text);
    let template = template(&source, &stack, &environment, world);
    let template = match template {
        Ok(template) => template,
        Err(Unread::Wrong(findings)) => return Err(CliError::Template { source_file: Box::new(source), findings }),
        Err(Unread::Unexpanded(error)) => return Err(error.into()),
    };
    let environment = with_suffix(environment, &template);
    let smoke = project.smoke.clone();
    let rules = rules::load(project.policy, &project.directory, environment.suffix(), world)?;
    let code = CodePlaces {
        template: project.template.parent().unwrap_or(&project.directory).to_owned(),
        project: project.directory,
        besides: project.code_directories,
        assets,
    };
    let mut checked = Checked {
        stack,
        environment,
        state: project.state,
        smoke,
        rules,
        imports: arguments.imports.iter().cloned().collect(),
        skips_unsupported: arguments.skip_unsupported,
        retained: if arguments.delete_retained { Retained::Deleted } else { Retained::Refused },
        code,
        source,
        template,
        resources: 0,
        local_code: Vec::new(),
    };
    let region = region(&checked.environment, world).unwrap_or_else(|| ANY_REGION.to_owned());
    let graph = checked.resolve(None, &region, world)?;
    checked.resources = graph.resources.len();
    checked.local_code = local_code(&graph, &checked.code);
    let documents = package::documents(&graph, &checked.code).0.into_iter();
    checked.local_code.extend(documents.filter_map(|it| match it.place {
        DocumentPlace::Local(path) => Some((it.logical_id, path)),
        DocumentPlace::Object(_) | DocumentPlace::Template(_) | DocumentPlace::Unknown => None,
    }));
    Ok(checked)
}

/// Why a text is no template.
enum Unread {
    Wrong(Vec<Diagnostic>),
    Unexpanded(SamError),
}

impl From<Vec<Diagnostic>> for Unread {
    fn from(findings: Vec<Diagnostic>) -> Self {
        Self::Wrong(findings)
    }
}

/// Reads a template's text, and has it expanded where it is written for SAM.
fn template(
    source: &Source,
    stack: &StackId,
    environment: &Environment,
    world: &mut World,
) -> Result<Template, Unread> {
    let region = region(environment, world).unwrap_or_else(|| ANY_REGION.to_owned());
    let mut parameters = environment.parameters.clone();
    if let Some(name) = &environment.name {
        parameters.entry(SUFFIX_PARAMETER.to_owned()).or_insert_with(|| name.clone());
    }
    let inputs = Inputs { parameters, imports: BTreeMap::new(), pseudo: pseudo(None, &region, stack) };
    let document = Document::read(source, &inputs)?;
    let Some(plain) = document.for_sam() else { return Ok(document.template(source)?) };
    let secrets = document.secrets();
    let parameters = inputs.parameters.iter().filter(|(name, _)| !secrets.contains(*name));
    let given = sam::Given {
        template: &plain,
        parameters: parameters.map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        region: &region,
        partition: partition_of(&region),
    };
    let (cache, pip) = (world.cache(), pip(world));
    let workshop = sam::Workshop { cache: &cache, pip: &pip };
    if !sam::is_installed(&workshop) {
        // What is told on the way is not worth failing for.
        let _ = writeln!(world.err, "Installing AWS's translator of SAM templates, once...");
    }
    let made = tokio::task::block_in_place(|| sam::expand(&given, &workshop));
    match made {
        Ok(made) => Ok(document.expanded(&made).template(source)?),
        Err(SamError::Refused(objections)) => Err(Unread::Wrong(
            objections
                .into_iter()
                .map(|objection| {
                    let place = objection.logical_id.and_then(|id| document.place(&id));
                    let finding = Diagnostic::error(objection.message).label("SAM's translator refuses this");
                    place.map_or(finding.clone(), |place| finding.at(place))
                })
                .collect(),
        )),
        Err(error) => Err(Unread::Unexpanded(error)),
    }
}

fn pseudo(account_id: Option<String>, region: &str, stack: &StackId) -> Pseudo {
    let partition = partition_of(region).to_owned();
    Pseudo { account_id, region: region.to_owned(), partition, stack: stack.clone() }
}

/// A template resolved for its account.
struct Placed {
    checked: Checked,
    connection: Connection,
    graph: DesiredGraph,
    imports: Imports,
}

/// Connects to AWS, and resolves the template for the account.
async fn placed(arguments: &StackArguments, world: &mut World) -> Result<Placed, CliError> {
    let checked = read(arguments, world)?;
    let connection = connection(arguments, &checked.environment, world).await?;
    let scope = &connection.scope;
    is_for(&checked.environment, scope, &checked.stack)?;
    let mut graph = checked.resolve(Some(scope.account_id.clone()), &scope.region, world)?;
    let imports = imports::find(&mut graph, arguments, world).await?;
    Ok(Placed { checked, connection, graph, imports })
}

/// Connects to AWS, and works out what the template wants there.
pub async fn open(arguments: &StackArguments, world: &mut World) -> Result<Opened, CliError> {
    opened(arguments, Documents::Read, world).await
}

/// The same for whoever wants nothing of it any more: a document that is gone is not missed.
pub async fn open_to_destroy(arguments: &StackArguments, world: &mut World) -> Result<Opened, CliError> {
    opened(arguments, Documents::LeftOut, world).await
}

/// What becomes of documents that the template names and does not hold.
#[derive(PartialEq, Eq)]
enum Documents {
    Read,
    LeftOut,
}

async fn opened(arguments: &StackArguments, with_documents: Documents, world: &mut World) -> Result<Opened, CliError> {
    let Placed { checked, connection, mut graph, imports } = placed(arguments, world).await?;
    let packages = {
        let (cache, pip) = (world.cache(), pip(world));
        let bytecode = if checked.environment.ships_bytecode { Bytecode::Compiled } else { Bytecode::LeftOut };
        let workshop = Workshop { places: &checked.code, cache: &cache, pip: &pip, bytecode };
        tokio::task::block_in_place(|| package(&mut graph, &workshop)).map_err(|findings| checked.mistakes(findings))?
    };
    let shelf = Shelf::new(packages.clone(), &world.cache());
    let cx = Arc::new(Context::new(&connection, packages, Arc::clone(&world.clock)));
    if with_documents == Documents::Read {
        let brought = documents::bring(&mut graph, &checked.code, &connection, &cx).await;
        brought.map_err(|findings| checked.mistakes(findings))?;
    }
    let scope = connection.scope.clone();
    let desired = Desired::new(graph, checked.stack.clone(), checked.environment.tags.clone(), scope);
    Ok(Opened {
        desired,
        imports,
        source: checked.source,
        rules: checked.rules,
        ledgers: ledgers(checked.state, &cx, world),
        calls: cx.calls.clone(),
        is_in_aws: connection.is_aws(),
        observer: cx.observer.clone(),
        reader: AwsReader::new(Arc::clone(&cx)),
        writer: AwsWriter::new(cx),
        shelf,
    })
}

/// A stack's ledger, found without its template.
pub struct Remembered {
    pub stack: StackId,
    pub ledgers: Box<dyn Ledgers>,
}

/// Finds where a stack is remembered. AWS is asked only where its ledger is there, or where it has several and it has to be
/// known whose is meant.
pub async fn remembered(arguments: &StackArguments, world: &mut World) -> Result<Remembered, CliError> {
    let project = project(arguments, &world.directory)?;
    let environment = project.environment(arguments.environment.as_deref())?;
    let environment = environment.overridden_by(arguments.parameters.clone());
    let stack = project.stack(&environment)?;
    if let State::Local { directory } = &project.state {
        let place = arguments.local.then(local::place);
        let ledgers = LocalLedgers::new(directory, place.clone());
        if place.is_some() || !ledgers.has_several(&stack) {
            return Ok(Remembered { stack, ledgers: Box::new(ledgers) });
        }
    }
    let connection = connection(arguments, &environment, world).await?;
    is_for(&environment, &connection.scope, &stack)?;
    let cx = Arc::new(Context::new(&connection, Packages::new(), Arc::clone(&world.clock)));
    Ok(Remembered { stack, ledgers: ledgers(project.state, &cx, world) })
}

fn ledgers(state: State, cx: &Arc<Context>, world: &World) -> Box<dyn Ledgers> {
    match state {
        State::Local { directory } => Box::new(LocalLedgers::new(directory, Some(Place::of(&cx.scope)))),
        State::DynamoDb(table) => Box::new(DynamoDbLedgers::new(Arc::clone(cx), table, world.salt.clone())),
    }
}

/// A stack as it runs: what its resources are called, and who asks them.
pub struct Running {
    pub desired: Desired,
    pub ledgers: Box<dyn Ledgers>,
    /// Where they are in a table.
    pub state_table: Option<StateTable>,
    pub smoke: Option<Smoke>,
    pub cx: Arc<Context>,
}

/// Connects to AWS, and works out what the stack's resources are called there. No code is packaged: none is needed to ask.
pub async fn running(arguments: &StackArguments, world: &mut World) -> Result<Running, CliError> {
    let Placed { checked, connection, mut graph, .. } = placed(arguments, world).await?;
    leave_out(&mut graph);
    let scope = connection.scope.clone();
    let desired = Desired::new(graph, checked.stack.clone(), checked.environment.tags.clone(), scope);
    let cx = Arc::new(Context::new(&connection, Packages::new(), Arc::clone(&world.clock)));
    let state_table = match &checked.state {
        State::Local { .. } => None,
        State::DynamoDb(table) => Some(table.clone()),
    };
    let ledgers = ledgers(checked.state, &cx, world);
    Ok(Running { desired, ledgers, state_table, smoke: checked.smoke, cx })
}

impl Running {
    /// What is remembered of the stack.
    pub async fn ledger(&self, world: &World) -> Result<Ledger, CliError> {
        Ok(self.ledgers.load(&self.desired.stack, &world.salt).await?)
    }

    /// What is live of the stack.
    pub async fn attributes(&self, world: &World) -> Result<BTreeMap<LogicalId, Attributes>, CliError> {
        attributes(&self.desired, &self.ledger(world).await?, &AwsReader::new(Arc::clone(&self.cx))).await
    }
}

/// The attributes of what is live of a stack.
pub async fn attributes(
    desired: &Desired,
    ledger: &Ledger,
    reader: &AwsReader,
) -> Result<BTreeMap<LogicalId, Attributes>, CliError> {
    let inventory = inventory::take(desired, ledger, reader, CONCURRENCY.into()).await;
    let attributes = inventory.readings.into_iter().filter_map(|(id, reading)| match reading {
        Reading::Live(live) => Some(Ok((id, live.attributes))),
        Reading::Absent => None,
        Reading::Unreadable(error) => Some(Err(error)),
    });
    Ok(attributes.collect::<Result<_, AwsError>>()?)
}

impl Opened {
    /// What is remembered of the stack.
    pub async fn ledger(&self, world: &World) -> Result<Ledger, CliError> {
        Ok(self.ledgers.load(&self.desired.stack, &world.salt).await?)
    }

    /// Does something with the stack's lock: see [`locked`].
    pub async fn locked<T>(
        &self,
        command: &str,
        arguments: LockArguments,
        world: &mut World,
        work: impl AsyncFnOnce(&dyn Lock, &mut World) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        locked(command, self.ledgers.as_ref(), &self.desired.stack, arguments, world, work).await
    }
}

/// Does something while no other paystack can write the stack's ledger, and gives the lock back whatever comes of it.
pub async fn locked<T>(
    command: &str,
    ledgers: &dyn Ledgers,
    stack: &StackId,
    arguments: LockArguments,
    world: &mut World,
    work: impl AsyncFnOnce(&dyn Lock, &mut World) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let clock = Arc::clone(&world.clock);
    let holder = Holder {
        command: command.to_owned(),
        caller: world.caller.clone(),
        process: std::process::id(),
        since: clock.now(),
    };
    let patience = Duration::from_secs(arguments.lock_timeout.into());
    let err = &mut world.err;
    let mut tell = |by: Option<&Holder>, sign: Sign| {
        let by = by.map_or_else(|| "another paystack".to_owned(), ToString::to_string);
        let doing = match sign {
            Sign::Process | Sign::Renewed => "waiting for it",
            Sign::None => "looking whether that run is alive",
        };
        // What is told on the way is not worth failing for.
        let _ = writeln!(err, "The stack `{stack}` is locked: {}; {doing}...", on_its_line(&by));
    };
    let lock = lock(ledgers, stack, &holder, patience, clock.as_ref(), &mut tell).await?;
    let interrupts = world.interrupts.clone();
    let held = interrupts.hold();
    let result = tokio::select! {
        result = work(lock.as_ref(), world) => result,
        () = interrupts.leaving() => Err(CliError::Interrupted),
    };
    lock.release().await;
    drop(held);
    result
}

fn project(arguments: &StackArguments, directory: &Path) -> Result<Project, CliError> {
    let name = arguments.stack.as_deref();
    if let Some(template) = &arguments.template {
        let path = directory.join(template);
        if Assembly::is_at(&path) {
            return Ok(Project::from_assembly(directory, Assembly::load(&path)?.stack(name)?)?);
        }
        let name = name.ok_or(CliError::NoStackName)?;
        return Ok(Project::from_template(directory, template, name)?);
    }
    let project = match &arguments.project {
        Some(file) => Project::load(&directory.join(file))?,
        None => Project::load(&Project::find(directory)?)?,
    };
    if Assembly::is_at(&project.template) {
        let assembly = Assembly::load(&project.template)?;
        return Ok(project.with(assembly.stack(name)?));
    }
    match name {
        Some(_) => Err(CliError::NoTemplate),
        None => Ok(project),
    }
}

/// Whether the account is the one that the stack is for.
fn is_for(environment: &Environment, scope: &Scope, stack: &StackId) -> Result<(), CliError> {
    match &environment.account {
        Some(account) if *account != scope.account_id => Err(CliError::OtherAccount {
            stack: stack.clone(),
            wanted: account.clone(),
            found: scope.account_id.clone(),
        }),
        _ => Ok(()),
    }
}

/// A template that asks for the suffix gets the one that the stack is named by.
fn with_suffix(mut environment: Environment, template: &Template) -> Environment {
    if let Some(name) = environment.name.clone()
        && template.parameters.contains_key(SUFFIX_PARAMETER)
    {
        environment.parameters.entry(SUFFIX_PARAMETER.to_owned()).or_insert(name);
    }
    environment
}

fn region(environment: &Environment, world: &World) -> Option<String> {
    let variable = |name: &str| (world.variable)(name)?.into_string().ok().filter(|value| !value.is_empty());
    environment.region.clone().or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"))
}

pub(super) async fn connection(
    arguments: &StackArguments,
    environment: &Environment,
    world: &mut World,
) -> Result<Connection, CliError> {
    let rates = rates(world)?;
    let target = if arguments.local {
        local::target(world)?
    } else {
        Target { region: environment.region.clone(), ..Target::default() }
    };
    Ok(connect(Target { rates, ..target }).await?)
}

/// `PAYSTACK_API_RATES=aws` keeps AWS's rates at an emulator too.
fn rates(world: &World) -> Result<ApiRates, CliError> {
    let Some(value) = (world.variable)(API_RATES).filter(|value| !value.is_empty()) else {
        return Ok(ApiRates::WhereTheyExist);
    };
    if value == "aws" {
        return Ok(ApiRates::Everywhere);
    }
    Err(CliError::UnknownRates { value: value.to_string_lossy().into_owned() })
}

/// The Python that the user has chosen, else any on the path. A name on the path may be a version manager's that runs nothing.
fn pip(world: &World) -> PipCommand {
    let path = (world.variable)("PATH").unwrap_or_default();
    let candidates = ["python3", "python3.13", "python3.12", "python3.11"];
    let is_there = |name: &&str| std::env::split_paths(&path).any(|directory| directory.join(name).is_file());
    let program = candidates.into_iter().find(is_there).unwrap_or("python3");
    let variable = |name: &&str| Some((OsString::from(*name), (world.variable)(name)?));
    PipCommand {
        program: program.into(),
        args: vec!["-m".into(), "pip".into()],
        environment: PIP_VARIABLES.iter().filter_map(variable).collect(),
        children: world.interrupts.children.clone(),
    }
}

impl Checked {
    /// The files and directories that make the stack: the template and its local code.
    ///
    /// # Errors
    ///
    /// The environment is not one that may change whenever a file does.
    pub fn watched(&self, arguments: &StackArguments, world: &World) -> Result<Vec<PathBuf>, CliError> {
        if !self.environment.is_development {
            let environment = self.environment.name.clone().or_else(|| arguments.environment.clone());
            return Err(CliError::NotForDevelopment { environment });
        }
        let mut watched = vec![world.directory.join(&self.source.path)];
        watched.extend(self.local_code.iter().map(|(_, path)| path.clone()));
        Ok(watched)
    }

    /// What the template wants in an account of nobody's: what waits for what is the same in each.
    pub fn anywhere(&self, world: &mut World) -> Result<Desired, CliError> {
        let region = region(&self.environment, world).unwrap_or_else(|| ANY_REGION.to_owned());
        let account_id = "123456789012".to_owned();
        let mut graph = self.resolve(Some(account_id.clone()), &region, world)?;
        leave_out(&mut graph);
        let partition = partition_of(&region).to_owned();
        let scope = Scope { account_id, region, partition };
        Ok(Desired::new(graph, self.stack.clone(), self.environment.tags.clone(), scope))
    }

    /// What of the template breaks the project's rules.
    pub fn findings(&self, world: &mut World) -> Result<Vec<Finding>, CliError> {
        rules::judge(self.rules.as_ref(), &self.anywhere(world)?, &self.source)
    }

    /// The template for an account, checked; its warnings are shown where an account is given.
    fn resolve(&self, account_id: Option<String>, region: &str, world: &mut World) -> Result<DesiredGraph, CliError> {
        let pseudo = pseudo(account_id.clone(), region, &self.stack);
        let (parameters, imports) = (self.environment.parameters.clone(), self.imports.clone());
        let inputs = Inputs { parameters, imports, pseudo };
        let (mut graph, unresolved) = self.template.draft(&inputs);
        let today = world.clock.now().strftime("%Y-%m-%d").to_string();
        let mut findings: Vec<Diagnostic> = self.template.findings.clone();
        if self.skips_unsupported {
            let whole = graph.clone();
            let has_no_code = |resource: &DesiredResource| is_elsewhere(&whole, resource, &self.code);
            findings.extend(unsupported::leave_out(&mut graph, &has_no_code));
        }
        let mut missing = missing_code(&graph, &self.code);
        missing.extend(package::documents(&graph, &self.code).1);
        let unseen = if account_id.is_none() { self.unseen(&inputs, &today) } else { Vec::new() };
        for more in [unresolved, cycles(&graph), check(&graph, &today, self.retained), missing, unseen] {
            // What one look found wrong, the next need not find wrong at the same place. A warning is nothing wrong.
            let wrong = findings.iter().filter(|finding| finding.severity == Severity::Error);
            let places: BTreeSet<Span> = wrong.filter_map(|finding| finding.span).collect();
            let told: BTreeSet<(Option<Span>, String)> =
                findings.iter().map(|finding| (finding.span, finding.message.clone())).collect();
            let is_new = |it: &Diagnostic| {
                it.span.is_none_or(|span| !places.contains(&span)) && !told.contains(&(it.span, it.message.clone()))
            };
            findings.extend(more.into_iter().filter(is_new));
        }
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(self.mistakes(findings));
        }
        if account_id.is_none() && !findings.is_empty() {
            let style = if world.is_coloured { Style::Coloured } else { Style::Plain };
            writeln!(world.err, "{}", diagnostic::render(&findings, &self.source, style).trim_end())?;
        }
        Ok(graph)
    }

    /// What is wrong with the resources that are not planned: their condition does not hold, or their code is not here.
    fn unseen(&self, inputs: &Inputs, today: &str) -> Vec<Diagnostic> {
        if self.template.has_mistakes() {
            return Vec::new();
        }
        let mut whole = self.template.whole(inputs);
        if self.skips_unsupported {
            whole.resources.retain(|_, resource| row(&resource.resource_type).is_some());
        }
        check(&whole, today, self.retained)
    }

    fn mistakes(&self, findings: Vec<Diagnostic>) -> CliError {
        CliError::Template { source_file: Box::new(self.source.clone()), findings }
    }
}
