//! `paystack migrate terraform`: takes over what a state of Terraform's has deployed, with a template of what is live.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use futures::stream::{self, StreamExt};

use super::{context, directory, parameters, quoted, stack_arguments, take_over_all, write};
use crate::aws::error::{AwsError, ErrorClass};
use crate::aws::survey::Expected;
use crate::aws::{Context, deployed};
use crate::cli::arguments::{CONCURRENCY, StackArguments, TerraformArguments};
use crate::cli::stack::open;
use crate::cli::{CliError, Exit, World};
use crate::identity::{LogicalId, PhysicalId, ResourceType, StackId};
use crate::inventory::{Identity, READS_FOR_A_CHANGE, Reader};
use crate::migrate::names;
use crate::migrate::terraform::{Mapped, State, StateOutput, StateResource, Unsupported, Whole, map, parse};
use crate::migrate::written::{Found, Given, Written, code_property, template};
use crate::package::sha256_base64;
use crate::resource::live::AwsReader;
use crate::resource::{LiveResource, Owner, Reading, TYPES, row};
use crate::text_file;
use crate::visible::on_its_line;

/// The largest states in the wild have tens of megabytes.
const STATE_BYTES: u64 = 256 * 1024 * 1024;

/// How many resources are read at once.
const READS: usize = CONCURRENCY as usize * READS_FOR_A_CHANGE;

pub async fn terraform(arguments: &TerraformArguments, world: &mut World) -> Result<Exit, CliError> {
    let path = world.directory.join(&arguments.state);
    let text = text_file::read(&path, STATE_BYTES)
        .map_err(|source| CliError::UnreadableState { path: arguments.state.clone(), source })?;
    let State { resources, outputs } =
        parse(&text).map_err(|source| CliError::NoTerraformState { path: arguments.state.clone(), source })?;
    let name = arguments.stack.clone().unwrap_or_else(|| stack_name(&path));
    let directory = directory(&arguments.take_over, &name);
    let cx = context(&arguments.take_over, &name, world).await?;
    let mapped = map(resources, &cx.scope);
    let reader = AwsReader::new(std::sync::Arc::clone(&cx));
    let Live { mut found, mut unsupported, sources } = read(&mapped, &StackId::from(name.as_str()), &reader).await?;
    unsupported.extend(mapped.unsupported.iter().cloned());
    if !unsupported.is_empty() && !arguments.skip_unsupported {
        return Err(CliError::NotTakenOver { unsupported });
    }
    if found.is_empty() {
        return Err(CliError::NothingToTakeOver { path: arguments.state.clone() });
    }
    let files = Files { directory: world.directory.join(&directory), shown: directory };
    if !files.template().exists() {
        let places = Places { state: path.parent().unwrap_or(&world.directory), project: &world.directory };
        for it in &mut found {
            it.code = code(it, sources.get(&it.logical_id), &places, &files, &cx).await?;
        }
    }
    let description = format!("What Terraform deployed as {name}, from what was live");
    let given = |StateOutput { name, value, is_sensitive }| Given { name, value, is_secret: is_sensitive };
    let given: Vec<Given> = outputs.into_iter().map(given).collect();
    let Written { template, parameters, left_out } = template(&description, &found, &given, &cx.scope);
    if !files.template().exists() {
        // The last of all that is written: where it is there, nothing is written again.
        write(&files.template(), template.as_bytes())?;
        writeln!(world.err, "Wrote `{}`.", files.shown.join(TEMPLATE).display())?;
        if !left_out.is_empty() {
            let names = left_out.iter().map(|name| format!("`{}`", on_its_line(name))).collect::<Vec<_>>().join(", ");
            writeln!(world.err, "Outputs that are secrets of no resource are not written into it: {names}.")?;
        }
    }
    let secret: BTreeSet<String> = parameters.keys().cloned().collect();
    let given = parameters.into_iter().chain(arguments.take_over.parameters.iter().cloned()).collect();
    let opening = stack_arguments(&arguments.take_over, &name, files.shown.join(TEMPLATE), given);
    let mut stack = open(&opening, world).await?;
    stack.reader.believe(found.iter().map(|it| (it.logical_id.clone(), it.resource_type.clone(), it.live.id.clone())));
    let ended = take_over_all(&arguments.take_over, &stack, world).await?;
    if ended == Exit::Done {
        let taken = taken(&mapped, &unsupported);
        writeln!(world.out, "{}", how_to_forget(&taken, &mapped.local, &unsupported, &opening, &secret))?;
    }
    Ok(ended)
}

const TEMPLATE: &str = "template.yaml";

/// Where the template and its packages are.
struct Files {
    directory: PathBuf,
    /// As people are shown it.
    shown: PathBuf,
}

impl Files {
    fn template(&self) -> PathBuf {
        self.directory.join(TEMPLATE)
    }
}

/// The name of the directory that the state is in, as far as it can name a stack.
fn stack_name(state: &Path) -> String {
    let directory =
        state.canonicalize().ok().and_then(|path| Some(path.parent()?.file_name()?.to_string_lossy().into_owned()));
    let name: String = directory
        .unwrap_or_default()
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '-' })
        .collect();
    let name = name.trim_start_matches(|first: char| !first.is_ascii_alphabetic()).trim_end_matches('-');
    if name.is_empty() { "terraform".to_owned() } else { name.to_owned() }
}

/// What is live of a state.
struct Live {
    found: Vec<Found>,
    unsupported: Vec<Unsupported>,
    /// What the state says of each.
    sources: BTreeMap<LogicalId, StateResource>,
}

/// Reads all that the state names, and what is within it besides: an API's methods from a document, a queue's policy.
async fn read(mapped: &Mapped, stack: &StackId, reader: &AwsReader) -> Result<Live, CliError> {
    let known = mapped.wholes.iter().map(|whole| (whole.resource_type.clone(), whole.id.clone()));
    let expected = Expected::new(stack.clone(), known, BTreeMap::new());
    let survey = reader.survey(expected);
    let survey = survey.as_ref();
    let look = |resource_type: ResourceType, physical_id: PhysicalId| async move {
        let identity = Identity {
            owner: Owner { stack: stack.clone(), resource: LogicalId::from("") },
            resource_type,
            physical_id: Some(physical_id),
            wanted: None,
            was_asked_for: false,
        };
        survey.read(&identity).await
    };
    let look = &look;
    let reads = mapped
        .wholes
        .iter()
        .map(|whole| async move { (whole, look(whole.resource_type.clone(), whole.id.clone()).await) });
    let readings: Vec<(&Whole, Reading)> = stream::iter(reads).buffered(READS).collect().await;
    let mut live = Live { found: Vec::new(), unsupported: Vec::new(), sources: BTreeMap::new() };
    for (whole, reading) in readings {
        let address = whole.resource.address.clone();
        match settled(reading)? {
            Ok(found) => {
                live.sources.insert(whole.logical_id.clone(), whole.resource.clone());
                live.found.push(Found {
                    logical_id: whole.logical_id.clone(),
                    resource_type: whole.resource_type.clone(),
                    address: Some(address),
                    configurations: whole.configurations.clone(),
                    dependencies: whole.resource.dependencies.clone(),
                    secrets: whole.resource.secrets.clone(),
                    live: found,
                    code: None,
                });
            }
            Err(reason) => live.unsupported.push(Unsupported { address, reason }),
        }
    }
    let wholes =
        live.found.iter().filter(|it| TYPES.iter().any(|row| row.handler.within() == Some(it.resource_type.as_str())));
    let lists = wholes
        .map(|whole| async { (whole.logical_id.clone(), survey.parts(&whole.resource_type, &whole.live.id).await) });
    let lists: Vec<_> = stream::iter(lists).buffered(READS).collect().await;
    let mut known: BTreeSet<(ResourceType, PhysicalId)> = live.found.iter().map(Found::key).collect();
    let mut taken: BTreeSet<String> = live.found.iter().map(|it| it.logical_id.to_string()).collect();
    let mut unnamed = Vec::new();
    for (whole, parts) in lists {
        for (resource_type, id) in parts? {
            // Of two types that mean the same one is enough.
            let is_told =
                row(&resource_type).is_some_and(|row| row.handler.same_as().is_some()) && is_inline(&resource_type);
            if !is_told && known.insert((resource_type.clone(), id.clone())) {
                unnamed.push((whole.clone(), resource_type, id));
            }
        }
    }
    let reads = unnamed.into_iter().map(|(whole, resource_type, id)| async move {
        let reading = look(resource_type.clone(), id.clone()).await;
        (whole, resource_type, id, reading)
    });
    let readings: Vec<_> = stream::iter(reads).buffered(READS).collect().await;
    for (whole, resource_type, id, reading) in readings {
        match settled(reading)? {
            Ok(found) => live.found.push(Found {
                logical_id: names::within(&whole, told_by(&found), resource_type.as_str(), &mut taken),
                resource_type,
                address: None,
                configurations: BTreeSet::new(),
                dependencies: BTreeSet::new(),
                secrets: BTreeSet::new(),
                live: found,
                code: None,
            }),
            Err(reason) => live.unsupported.push(Unsupported { address: format!("{resource_type} {id}"), reason }),
        }
    }
    Ok(live)
}

/// The younger of the two types for a policy on a queue or a topic.
fn is_inline(resource_type: &ResourceType) -> bool {
    resource_type.as_str().ends_with("InlinePolicy")
}

/// What tells something from others within the same whole.
fn told_by(live: &LiveResource) -> &str {
    const PROPERTIES: [&str; 6] = ["PathPart", "HttpMethod", "Name", "FilterName", "ResponseType", "Qualifier"];
    PROPERTIES.iter().find_map(|name| live.properties.get(*name)?.as_str()).unwrap_or_default()
}

/// What was read, or why it cannot be taken over. Not being allowed to look, or nobody answering, is neither.
fn settled(reading: Reading) -> Result<Result<LiveResource, String>, AwsError> {
    match reading {
        Reading::Live(live) => Ok(Ok(live)),
        Reading::Absent => {
            Ok(Err("it is not in AWS any more: `terraform apply -refresh-only` tells the state".to_owned()))
        }
        Reading::Unreadable(error) if error.class == ErrorClass::Invalid => Ok(Err(error.to_string())),
        Reading::Unreadable(error) => Err(error),
    }
}

/// Where packages may be on this machine.
struct Places<'a> {
    /// What paths in the state are relative to.
    state: &'a Path,
    /// Where code may come from.
    project: &'a Path,
}

/// The path of a function's or a layer's package, from the template: the file that Terraform has uploaded, where it is here and
/// still the same, or else what runs, downloaded.
async fn code(
    found: &Found,
    source: Option<&StateResource>,
    places: &Places<'_>,
    files: &Files,
    cx: &Context,
) -> Result<Option<String>, CliError> {
    let Some(property) = code_property(&found.resource_type) else { return Ok(None) };
    let digest = found.live.properties[property]["Sha256"].as_str().unwrap_or_default();
    let uploaded = source.and_then(|source| source.attributes.get("filename")?.as_str());
    if let Some(path) = uploaded.map(|path| places.state.join(path))
        && let Ok(content) = fs::read(&path)
        && sha256_base64(&content) == digest
    {
        if let Some(path) = within(&path, places.project).and_then(|it| from_directory(&it, &files.directory)) {
            return Ok(Some(path));
        }
        return keep(&found.logical_id, files, &content).map(Some);
    }
    let content = match property {
        "Code" => deployed::function_package(cx, found.live.id.as_str()).await?,
        _ => deployed::layer_package(cx, found.live.id.as_str()).await?,
    };
    if sha256_base64(&content) != digest {
        let message = format!("the package of `{}` is another than what runs", found.live.id);
        return Err(AwsError::new("GET", ErrorClass::Service, message).into());
    }
    keep(&found.logical_id, files, &content).map(Some)
}

fn keep(logical_id: &LogicalId, files: &Files, content: &[u8]) -> Result<String, CliError> {
    let file = format!("code/{logical_id}.zip");
    write(&files.directory.join(&file), content)?;
    Ok(file)
}

/// The real path of a file, where it is in a directory.
fn within(path: &Path, directory: &Path) -> Option<PathBuf> {
    let real = |path: &Path| -> io::Result<PathBuf> { path.canonicalize() };
    let (path, directory) = (real(path).ok()?, real(directory).ok()?);
    path.starts_with(&directory).then_some(path)
}

/// A path as it is written in a template in that directory, which need not be there yet.
fn from_directory(path: &Path, directory: &Path) -> Option<String> {
    let mut there = directory;
    let mut missing = Vec::new();
    let real = loop {
        match there.canonicalize() {
            Ok(real) => break real,
            Err(_) => {
                missing.push(there.file_name()?);
                there = there.parent()?;
            }
        }
    };
    let directory: PathBuf = missing.into_iter().rev().fold(real, |path, name| path.join(name));
    let same = path.components().zip(directory.components()).take_while(|(one, other)| one == other).count();
    let up = directory.components().skip(same).map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(path.components().skip(same)).collect();
    relative.to_str().map(str::to_owned)
}

/// The addresses of what was taken over.
fn taken<'a>(mapped: &'a Mapped, unsupported: &[Unsupported]) -> Vec<&'a str> {
    let is_left = |address: &str| unsupported.iter().any(|it| it.address == address);
    mapped.taken().into_iter().filter(|address| !is_left(address)).collect()
}

/// What is to be typed to make Terraform forget what is paystack's now, and to go on without it.
fn how_to_forget(
    taken: &[&str],
    local: &[String],
    unsupported: &[Unsupported],
    opening: &StackArguments,
    secret: &BTreeSet<String>,
) -> String {
    let name = opening.stack.as_deref().unwrap_or_default();
    let template = opening.template.as_deref().unwrap_or(Path::new(TEMPLATE)).display();
    let addresses: Vec<String> =
        taken.iter().map(|address| format!("        {}", quoted(&on_its_line(address)))).collect();
    let parameters = parameters(opening, |key| secret.contains(key));
    let mut left = Vec::new();
    if !unsupported.is_empty() {
        let addresses = unsupported.iter().map(|it| format!("`{}`", it.address)).collect::<Vec<_>>().join(", ");
        left.push(format!("Left to Terraform: {}. ", on_its_line(&addresses)));
    }
    if !local.is_empty() {
        let addresses = local.iter().map(|address| format!("`{address}`")).collect::<Vec<_>>().join(", ");
        left.push(format!("Nothing in AWS, and left there: {}. ", on_its_line(&addresses)));
    }
    format!(
        "
`{name}` is paystack's now, and still Terraform's. To let Terraform forget it, and destroy nothing:

    terraform state rm \\
{}

Then take its resources out of the configuration, or the next `terraform apply` makes them once more. {}From then on:

    paystack plan --template {template} --stack {name}{parameters}",
        addresses.join(" \\\n"),
        left.concat(),
    )
}
