//! `paystack.toml`: which template, under which names, with which parameters and tags in which environment.
//!
//! Knows nothing of templates and AWS: a parameter that the template does not declare is the template's to refuse.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use crate::assembly;
use crate::identity::StackId;
use crate::policy::Settings;
use crate::smoke::Smoke;
use crate::state::StateTable;
use crate::text_file;

/// The file that makes a directory a project.
pub const FILE_NAME: &str = "paystack.toml";

/// How large a `paystack.toml` may be.
const LARGEST_BYTES: u64 = 1024 * 1024;

/// The parameter that tells two environments of one project apart; its value ends the stack's name.
pub const SUFFIX_PARAMETER: &str = "EnvironmentSuffix";

/// One `paystack.toml`, or one template that is planned without.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    pub name: String,
    /// Where the `paystack.toml` is.
    pub directory: PathBuf,
    pub template: PathBuf,
    /// Where code may come from beside the project's directory; `None` where there is no project to say so.
    pub code_directories: Option<Vec<PathBuf>>,
    pub state: State,
    /// What `paystack smoke` sends through the deployed system.
    pub smoke: Option<Smoke>,
    /// What its templates are held to.
    pub policy: Option<Settings>,
    naming: Naming,
}

/// Where the project's ledgers are.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// As files in this directory.
    Local { directory: PathBuf },
    /// In a table in each stack's account and region.
    DynamoDb(StateTable),
}

/// How the project's stacks get their names.
#[derive(Debug, Clone, PartialEq)]
enum Naming {
    /// `<project>-<suffix>`, one stack an environment.
    ByEnvironment { environments: BTreeMap<String, Environment>, default: Option<String> },
    /// Exactly the project's name: a template without a project has one stack.
    Fixed(Box<Environment>),
}

/// What one environment says, with what the project says for all of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Environment {
    /// `None` where a template is planned without a project.
    pub name: Option<String>,
    /// In CloudFormation's text form: a list is joined by commas.
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// Whether it may change whenever a file does: `paystack watch` works on no other.
    pub is_development: bool,
    /// Whether Python code is shipped with its bytecode, for which the runtime's Python has to be on this machine.
    pub ships_bytecode: bool,
    /// `None` leaves the choice to the SDK's own rules (`AWS_REGION`, the profile).
    pub region: Option<String>,
    /// The only account that it may be deployed to; `None` takes the one that the credentials are for.
    pub account: Option<String>,
}

impl Project {
    /// The nearest `paystack.toml` in `start` or above it.
    pub fn find(start: &Path) -> Result<PathBuf, ProjectError> {
        let candidates = start.ancestors().map(|directory| directory.join(FILE_NAME));
        candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| ProjectError::Missing { start: start.into() })
    }

    /// Reads a `paystack.toml`; what it names is relative to it.
    pub fn load(path: &Path) -> Result<Self, ProjectError> {
        let path = if path.is_dir() { path.join(FILE_NAME) } else { path.to_owned() };
        let text = text_file::read(&path, LARGEST_BYTES)
            .map_err(|source| ProjectError::Read { path: path.clone(), source })?;
        Self::parse(&path, &text)
    }

    /// What [`Project::load`] makes of a file's text.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ProjectError> {
        let file = toml::from_str::<File>(text).map_err(Mistake::from_toml);
        let project = file.and_then(|file| file.into_project(path.parent().unwrap_or(Path::new(""))));
        project.map_err(|mistake| {
            ProjectError::Mistake(Box::new(MistakeInFile { path: path.to_owned(), text: text.to_owned(), mistake }))
        })
    }

    /// A template without a `paystack.toml`: one stack of exactly this name, its ledger under `state/` of a directory.
    pub fn from_template(directory: &Path, template: &Path, stack: &str) -> Result<Self, ProjectError> {
        let longest = PROJECT_NAME_LONGEST + 1 + SUFFIX_LONGEST;
        if !is_name(stack, longest) {
            return Err(ProjectError::StackName { stack: stack.to_owned(), longest });
        }
        Ok(Self {
            name: stack.to_owned(),
            directory: directory.to_owned(),
            template: directory.join(template),
            code_directories: None,
            state: State::Local { directory: directory.join(STATE_DIRECTORY) },
            smoke: None,
            policy: None,
            naming: Naming::Fixed(Box::default()),
        })
    }

    /// A stack of a cloud assembly without a `paystack.toml`: under its own name, its ledger under `state/` of a directory.
    ///
    /// # Errors
    ///
    /// CloudFormation would not take the name either.
    pub fn from_assembly(directory: &Path, stack: &assembly::Stack) -> Result<Self, ProjectError> {
        // "CreateStack" of the CloudFormation API reference.
        const LONGEST: usize = 128;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let name = stack.name.as_str();
        if !name.starts_with(|it: char| it.is_ascii_alphabetic())
            || name.len() > LONGEST
            || !name.bytes().all(is_allowed)
        {
            return Err(ProjectError::AssemblyStackName { stack: name.to_owned() });
        }
        let project = Self {
            name: name.to_owned(),
            directory: directory.to_owned(),
            template: stack.template.clone(),
            code_directories: None,
            state: State::Local { directory: directory.join(STATE_DIRECTORY) },
            smoke: None,
            policy: None,
            naming: Naming::Fixed(Box::default()),
        };
        Ok(project.with(stack))
    }

    /// The project with the template of an assembly's stack. Where both say something, the project's word counts.
    pub fn with(mut self, stack: &assembly::Stack) -> Self {
        self.template.clone_from(&stack.template);
        let environments: Vec<&mut Environment> = match &mut self.naming {
            Naming::ByEnvironment { environments, .. } => environments.values_mut().collect(),
            Naming::Fixed(environment) => vec![environment],
        };
        for environment in environments {
            let Environment { parameters, tags, region, account, .. } = environment;
            stack
                .parameters
                .iter()
                .for_each(|(name, value)| _ = parameters.entry(name.clone()).or_insert(value.clone()));
            stack.tags.iter().for_each(|(key, value)| _ = tags.entry(key.clone()).or_insert(value.clone()));
            *region = region.take().or_else(|| stack.region.clone());
            account.clone_from(&stack.account);
        }
        self
    }

    /// The environment of this name; without one the default, or the only one that there is.
    pub fn environment(&self, name: Option<&str>) -> Result<Environment, ProjectError> {
        let (environments, default) = match (&self.naming, name) {
            (Naming::ByEnvironment { environments, default }, _) => (environments, default),
            (Naming::Fixed(environment), None) => return Ok(environment.as_ref().clone()),
            (Naming::Fixed(_), Some(name)) => return Err(ProjectError::NoEnvironments { name: name.to_owned() }),
        };
        let only = || environments.keys().next().filter(|_| environments.len() == 1).map(String::as_str);
        let known = || environments.keys().map(String::as_str);
        let Some(name) = name.or(default.as_deref()).or_else(only) else {
            return Err(ProjectError::WhichEnvironment { known: listed(known()) });
        };
        environments.get(name).cloned().ok_or_else(|| ProjectError::UnknownEnvironment {
            name: name.to_owned(),
            help: nearest_help(name, known()).unwrap_or_else(|| format!("there is {}", listed(known()))),
        })
    }

    /// The stack's name, once the parameters of the command line are in the environment.
    pub fn stack(&self, environment: &Environment) -> Result<StackId, ProjectError> {
        if matches!(self.naming, Naming::Fixed(_)) {
            return Ok(StackId::from(self.name.as_str()));
        }
        let suffix = environment.suffix();
        if !is_suffix(suffix) {
            return Err(ProjectError::Suffix { suffix: suffix.to_owned() });
        }
        Ok(StackId::new(format!("{}-{suffix}", self.name)))
    }
}

impl Environment {
    /// With the parameters of the command line, which win over the file's.
    pub fn overridden_by(mut self, parameters: impl IntoIterator<Item = (String, String)>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// What ends the stack's name.
    pub fn suffix(&self) -> &str {
        let suffix = self.parameters.get(SUFFIX_PARAMETER).or(self.name.as_ref());
        suffix.map_or("", String::as_str)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error("there is no `{FILE_NAME}` in `{start}` or above it")]
    Missing { start: PathBuf },
    #[error("failed to read the project `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{0}")]
    Mistake(Box<MistakeInFile>),
    #[error("there is no environment `{name}`")]
    UnknownEnvironment { name: String, help: String },
    #[error("no environment is chosen")]
    WhichEnvironment { known: String },
    #[error("a template that is planned with `--stack` has no environment `{name}`")]
    NoEnvironments { name: String },
    #[error(
        "the environment's suffix `{suffix}` cannot be part of a name: it takes 1 to {SUFFIX_LONGEST} lower-case \
         letters, digits and inner dashes"
    )]
    Suffix { suffix: String },
    #[error(
        "`{stack}` cannot be a stack's name: it takes 1 to {longest} lower-case letters, digits and dashes, \
         beginning with a letter"
    )]
    StackName { stack: String, longest: usize },
    #[error(
        "`{stack}` cannot be a stack's name: it takes up to 128 letters, digits and dashes, beginning with a letter"
    )]
    AssemblyStackName { stack: String },
}

impl ProjectError {
    /// What a person can do about it.
    pub fn way_out(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some(
                "run paystack inside a project, name one with `--project FILE`, or a single template with \
                 `--template FILE --stack NAME`"
                    .to_owned(),
            ),
            Self::UnknownEnvironment { help, .. } => Some(help.clone()),
            Self::WhichEnvironment { known } => {
                Some(format!("name one of {known} with `-e`, or set `default_environment` under `[project]`"))
            }
            Self::NoEnvironments { .. } => Some(format!("leave `-e` out, or write a `{FILE_NAME}`")),
            Self::Suffix { .. } => Some(format!("set the parameter `{SUFFIX_PARAMETER}`")),
            Self::Read { .. } | Self::Mistake(_) | Self::StackName { .. } | Self::AssemblyStackName { .. } => None,
        }
    }
}

/// Something wrong with a `paystack.toml`, shown at its place.
#[derive(Debug)]
pub struct MistakeInFile {
    pub path: PathBuf,
    pub text: String,
    pub mistake: Mistake,
}

#[derive(Debug)]
pub struct Mistake {
    pub message: String,
    /// In bytes.
    pub span: Range<usize>,
    pub help: Option<String>,
}

impl Mistake {
    fn from_toml(error: toml::de::Error) -> Self {
        let message = error.message().to_owned();
        // serde lists the names that it knows, between backticks, but does not say which of them was meant.
        let mut names = message.split('`').skip(1).step_by(2);
        let help = match names.next() {
            Some(name) if message.starts_with("unknown ") => nearest_help(name, names),
            _ => None,
        };
        Self { span: error.span().unwrap_or(0..0), help, message }
    }
}

impl fmt::Display for MistakeInFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mistake { message, span, help } = &self.mistake;
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[line_start..].lines().next().unwrap_or("");
        let number = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        let marked =
            self.text.get(span.clone()).and_then(|text| text.lines().next()).unwrap_or("").chars().count().max(1);
        let gutter = " ".repeat(number.to_string().len());
        writeln!(f, "{message}")?;
        writeln!(f, "{gutter}--> {}:{number}:{column}", self.path.display())?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {line}")?;
        write!(f, "{gutter} | {}{}", " ".repeat(column - 1), "^".repeat(marked))?;
        if let Some(help) = help {
            write!(f, "\n{gutter} = help: {help}")?;
        }
        Ok(())
    }
}

/// The file as it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    project: ProjectTable,
    #[serde(default)]
    tags: BTreeMap<TagKey, TagValue>,
    #[serde(default)]
    environments: BTreeMap<String, EnvironmentTable>,
    #[serde(default)]
    state: StateSettings,
    smoke: Option<Smoke>,
    policy: Option<Settings>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectTable {
    name: ProjectName,
    template: PathBuf,
    default_environment: Option<Spanned<String>>,
    region: Option<Region>,
    #[serde(default)]
    code_directories: Vec<PathBuf>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvironmentTable {
    #[serde(default)]
    parameters: BTreeMap<String, ParameterText>,
    #[serde(default)]
    tags: BTreeMap<TagKey, TagValue>,
    region: Option<Region>,
    #[serde(default)]
    development: bool,
    #[serde(default)]
    bytecode: bool,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct StateSettings {
    backend: Backend,
    directory: Option<Spanned<PathBuf>>,
    table: Option<Spanned<TableName>>,
    lease_seconds: Option<Spanned<LeaseSeconds>>,
}

const STATE_DIRECTORY: &str = "state";
const STATE_TABLE: &str = "paystack-state";
const LEASE_SECONDS: u64 = 30;

impl StateSettings {
    fn into_state(self, root: &Path, tags: &BTreeMap<TagKey, TagValue>) -> Result<State, Mistake> {
        let Self { backend, directory, table, lease_seconds } = self;
        let misplaced = |name: &str, span: Range<usize>, backend: &str| Mistake {
            message: format!("`{name}` is for the backend `{backend}` only"),
            span,
            help: Some(format!("remove it, or set `backend = \"{backend}\"`")),
        };
        match (backend, directory) {
            (Backend::Local, directory) => {
                if let Some(table) = table {
                    return Err(misplaced("table", table.span(), "dynamodb"));
                }
                if let Some(seconds) = lease_seconds {
                    return Err(misplaced("lease_seconds", seconds.span(), "dynamodb"));
                }
                let directory = directory.map_or_else(|| PathBuf::from(STATE_DIRECTORY), Spanned::into_inner);
                Ok(State::Local { directory: root.join(directory) })
            }
            (Backend::DynamoDb, Some(directory)) => Err(misplaced("directory", directory.span(), "local")),
            (Backend::DynamoDb, None) => Ok(State::DynamoDb(StateTable {
                name: table.map_or_else(|| STATE_TABLE.to_owned(), |table| table.into_inner().0),
                lease: Duration::from_secs(lease_seconds.map_or(LEASE_SECONDS, |it| it.into_inner().0)),
                tags: tags.iter().map(|(key, value)| (key.0.clone(), value.0.clone())).collect(),
            })),
        }
    }
}

impl File {
    fn into_project(self, root: &Path) -> Result<Project, Mistake> {
        let Self { project, tags, environments, state, smoke, policy } = self;
        if let Some(default) = &project.default_environment
            && !environments.contains_key(default.get_ref())
        {
            let name = default.get_ref();
            return Err(Mistake {
                message: format!("there is no environment `{name}`"),
                span: default.span(),
                help: nearest_help(name, environments.keys().map(String::as_str))
                    .or_else(|| Some(format!("add `[environments.{name}]`"))),
            });
        }
        let state = state.into_state(root, &tags)?;
        let environments = environments.into_iter().map(|(name, table)| {
            let EnvironmentTable { parameters, tags: own_tags, region, development, bytecode } = table;
            let environment = Environment {
                name: Some(name.clone()),
                parameters: parameters.into_iter().map(|(name, ParameterText(value))| (name, value)).collect(),
                tags: tags.iter().chain(&own_tags).map(|(key, value)| (key.0.clone(), value.0.clone())).collect(),
                is_development: development,
                ships_bytecode: bytecode,
                region: region.or_else(|| project.region.clone()).map(|Region(region)| region),
                account: None,
            };
            (name, environment)
        });
        Ok(Project {
            naming: Naming::ByEnvironment {
                environments: environments.collect(),
                default: project.default_environment.map(Spanned::into_inner),
            },
            name: project.name.0,
            directory: root.to_owned(),
            template: root.join(project.template),
            code_directories: Some(project.code_directories.iter().map(|it| root.join(it)).collect()),
            state,
            smoke,
            policy,
        })
    }
}

const PROJECT_NAME_LONGEST: usize = 32;
const SUFFIX_LONGEST: usize = 20;

#[derive(serde::Deserialize)]
#[serde(try_from = "String")]
struct ProjectName(String);

impl TryFrom<String> for ProjectName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if is_name(&name, PROJECT_NAME_LONGEST) {
            return Ok(Self(name));
        }
        Err(format!(
            "a project's name takes 1 to {PROJECT_NAME_LONGEST} lower-case letters, digits and dashes, beginning with \
             a letter: it begins the names of resources"
        ))
    }
}

#[derive(Clone, serde::Deserialize)]
#[serde(try_from = "String")]
struct Region(String);

impl TryFrom<String> for Region {
    type Error = String;

    fn try_from(region: String) -> Result<Self, String> {
        let parts: Vec<&str> = region.split('-').collect();
        let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let is_word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
        match parts.split_last() {
            Some((last, words)) if words.len() >= 2 && is_number(last) && words.iter().all(|part| is_word(part)) => {
                Ok(Self(region))
            }
            _ => Err(format!("`{region}` is not a region, such as `eu-west-1`")),
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(try_from = "String")]
#[derive(Default)]
enum Backend {
    #[default]
    Local,
    DynamoDb,
}

impl TryFrom<String> for Backend {
    type Error = String;

    fn try_from(backend: String) -> Result<Self, String> {
        match backend.as_str() {
            "local" => Ok(Self::Local),
            "dynamodb" => Ok(Self::DynamoDb),
            _ => Err(format!("unknown backend `{backend}`: there are `local` and `dynamodb`")),
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(try_from = "String")]
struct TableName(String);

impl TryFrom<String> for TableName {
    type Error = String;

    /// "Supported data types and naming rules in Amazon DynamoDB".
    fn try_from(name: String) -> Result<Self, String> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if (3..=255).contains(&name.len()) && name.bytes().all(is_allowed) {
            return Ok(Self(name));
        }
        Err("a table's name takes 3 to 255 letters, digits, dashes, dots and underscores".to_owned())
    }
}

#[derive(serde::Deserialize)]
#[serde(try_from = "u64")]
struct LeaseSeconds(u64);

impl TryFrom<u64> for LeaseSeconds {
    type Error = String;

    fn try_from(seconds: u64) -> Result<Self, String> {
        if (2..=900).contains(&seconds) {
            return Ok(Self(seconds));
        }
        Err("a lease takes 2 to 900 seconds".to_owned())
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(try_from = "String")]
struct TagKey(String);

impl TryFrom<String> for TagKey {
    type Error = String;

    fn try_from(key: String) -> Result<Self, String> {
        if let Some(prefix) =
            ["aws:", "paystack:"].into_iter().find(|prefix| key.to_ascii_lowercase().starts_with(prefix))
        {
            return Err(format!("tags that begin with `{prefix}` are reserved"));
        }
        if key.is_empty() || key.chars().count() > 128 {
            return Err("a tag's key takes 1 to 128 characters".to_owned());
        }
        Ok(Self(key))
    }
}

#[derive(serde::Deserialize)]
#[serde(try_from = "String")]
struct TagValue(String);

impl TryFrom<String> for TagValue {
    type Error = String;

    fn try_from(value: String) -> Result<Self, String> {
        if value.chars().count() > 256 {
            return Err("a tag's value takes at most 256 characters".to_owned());
        }
        Ok(Self(value))
    }
}

/// A parameter's value as CloudFormation takes it: always text.
struct ParameterText(String);

impl<'de> Deserialize<'de> for ParameterText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParameterVisitor { inside_list: false }).map(Self)
    }
}

struct ParameterVisitor {
    inside_list: bool,
}

impl<'de> Visitor<'de> for ParameterVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.inside_list {
            "a text, a number or a boolean"
        } else {
            "a text, a number, a boolean or a list"
        })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        // CloudFormation has no way to write a comma inside an item.
        if self.inside_list && text.contains(',') {
            return Err(E::custom("an item of a list cannot contain a comma, because commas are what joins the items"));
        }
        Ok(text.to_owned())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<String, E> {
        if !value.is_finite() {
            return Err(E::custom("a parameter's number is finite"));
        }
        Ok(value.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<String, A::Error> {
        if self.inside_list {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        }
        let mut texts = Vec::new();
        while let Some(ItemText(text)) = items.next_element()? {
            texts.push(text);
        }
        Ok(texts.join(","))
    }

    // The toml crate hands over a date as a map, too.
    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        Err(de::Error::custom("a parameter is no table, and a date as a parameter is a text: quote it"))
    }
}

/// One item of a parameter that is a list.
struct ItemText(String);

impl<'de> Deserialize<'de> for ItemText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParameterVisitor { inside_list: true }).map(Self)
    }
}

/// Lower-case letters, digits and dashes, beginning with a letter and not ending in a dash.
fn is_name(text: &str, longest: usize) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase()) && has_name_characters(text, longest)
}

fn is_suffix(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && has_name_characters(text, SUFFIX_LONGEST)
}

fn has_name_characters(text: &str, longest: usize) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= longest && !text.ends_with('-') && text.bytes().all(is_allowed)
}

fn nearest_help<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    // What is longer is no name, and would take long to compare.
    if name.len() > 128 {
        return None;
    }
    let by_distance = known.map(|known| (strsim::damerau_levenshtein(name, known), known));
    let (distance, nearest) = by_distance.min()?;
    (distance <= name.len().max(nearest.len()) / 3 + 1).then(|| format!("did you mean `{nearest}`?"))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none (add `[environments.dev]`)".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const PAYMENTS: &str = r#"
        [project]
        name = "payments"
        template = "examples/payments/template.yaml"
        default_environment = "dev"
        region = "us-east-1"
        [tags]
        Project = "payments"
        Environment = "unknown"
        [environments.dev]
        parameters = { EnvironmentSuffix = "dev", AlarmThreshold = 1, Rate = 0.5, Tracing = true, Flags = ["a", 2] }
        region = "eu-west-1"
        [environments.dev.tags]
        Environment = "dev"
        [environments.staging]
    "#;

    fn project(text: &str) -> Result<Project, ProjectError> {
        Project::parse(Path::new("shop/paystack.toml"), text)
    }

    fn payments() -> Project {
        project(PAYMENTS).unwrap()
    }

    fn check_refused(text: &str, expected: Expect) {
        expected.assert_eq(&project(text).unwrap_err().to_string());
    }

    proptest::proptest! {
        #[test]
        fn no_file_is_too_strange_to_be_read_as_a_project(text in crate::fake::mangled::mangled(PAYMENTS)) {
            match project(&text) {
                Ok(project) => {
                    // What becomes the name of a file names one in its own directory.
                    if let Ok(environment) = project.environment(None)
                        && let Ok(stack) = project.stack(&environment)
                    {
                        proptest::prop_assert!(is_name(stack.as_str(), 64), "{stack}");
                    }
                }
                Err(error) => proptest::prop_assert!(!error.to_string().is_empty()),
            }
        }
    }

    #[test]
    fn nothing_in_a_project_says_where_aws_is() {
        for line in
            ["endpoint_url = 'http://evil.example'", "region = 'evil.example/'", "region = 'us-east-'", "profile = 'x'"]
        {
            let text = format!("[project]\nname = 'a'\ntemplate = 't'\n{line}");
            assert!(project(&text).is_err(), "{line}");
        }
    }

    #[test]
    fn tables_within_tables_come_to_an_end() {
        for deep in [
            "a = ".to_owned() + &"[".repeat(100_000),
            "[".repeat(100_000),
            format!("[{}]", "a.".repeat(100_000)),
            "a.".repeat(100_000),
            "a = ".to_owned() + &"{a=".repeat(100_000),
        ] {
            assert!(project(&deep).is_err());
        }
    }

    #[test]
    fn what_a_project_names_is_relative_to_it() {
        let project = payments();
        assert_eq!(project.template, Path::new("shop/examples/payments/template.yaml"));
        assert_eq!(project.state, State::Local { directory: "shop/state".into() });
    }

    #[test]
    fn ledgers_are_in_a_table_where_the_project_says_so() {
        let text = "project = { name = 'a', template = 't' }\ntags = { Team = 'x' }\nstate = ";
        let state = |state: &str| project(&format!("{text}{state}")).unwrap().state;
        let table = |name: &str, seconds| {
            let tags = BTreeMap::from([("Team".to_owned(), "x".to_owned())]);
            State::DynamoDb(StateTable { name: name.to_owned(), lease: Duration::from_secs(seconds), tags })
        };
        assert_eq!(state("{ backend = 'dynamodb' }"), table("paystack-state", 30));
        assert_eq!(state("{ backend = 'dynamodb', table = 'ours', lease_seconds = 5 }"), table("ours", 5));
    }

    #[test]
    fn an_environment_completes_what_the_project_says() {
        expect![[r#"
            Environment {
                name: Some(
                    "dev",
                ),
                parameters: {
                    "AlarmThreshold": "1",
                    "EnvironmentSuffix": "dev",
                    "Flags": "a,2",
                    "Rate": "0.5",
                    "Tracing": "true",
                },
                tags: {
                    "Environment": "dev",
                    "Project": "payments",
                },
                is_development: false,
                ships_bytecode: false,
                region: Some(
                    "eu-west-1",
                ),
                account: None,
            }
        "#]]
        .assert_debug_eq(&payments().environment(None).unwrap());
        let staging = payments().environment(Some("staging")).unwrap();
        assert_eq!(staging.region.as_deref(), Some("us-east-1"));
    }

    #[test]
    fn a_stack_is_named_by_its_suffix_or_else_by_its_environment() {
        let stack = |environment: &str, parameters: &[(&str, &str)]| {
            let parameters = parameters.iter().map(|(name, value)| (name.to_string(), value.to_string()));
            let environment = payments().environment(Some(environment)).unwrap().overridden_by(parameters);
            payments().stack(&environment).map(|stack| stack.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(stack("dev", &[]), Ok("payments-dev".to_owned()));
        assert_eq!(stack("staging", &[]), Ok("payments-staging".to_owned()));
        assert_eq!(stack("dev", &[("EnvironmentSuffix", "pr-17")]), Ok("payments-pr-17".to_owned()));
        expect![[r#"
            Err(
                "the environment's suffix `PR_17` cannot be part of a name: it takes 1 to 20 lower-case letters, digits and inner dashes",
            )
        "#]]
        .assert_debug_eq(&stack("dev", &[("EnvironmentSuffix", "PR_17")]));
    }

    #[test]
    fn a_template_without_a_project_is_a_stack_of_the_given_name() {
        let project = Project::from_template(Path::new("here"), Path::new("queue.yaml"), "queue").unwrap();
        assert_eq!(project.state, State::Local { directory: "here/state".into() });
        let environment = project.environment(None).unwrap();
        let environment = environment.overridden_by([("EnvironmentSuffix".to_owned(), "x".to_owned())]);
        assert_eq!(project.stack(&environment).unwrap().as_str(), "queue");
        assert!(matches!(project.environment(Some("dev")), Err(ProjectError::NoEnvironments { .. })));
        assert!(matches!(
            Project::from_template(Path::new("here"), Path::new("queue.yaml"), "Queue"),
            Err(ProjectError::StackName { .. })
        ));
    }

    #[test]
    fn an_unknown_environment_names_the_one_that_was_meant() {
        let refused = |name| payments().environment(Some(name)).unwrap_err();
        assert_eq!(refused("stagging").to_string(), "there is no environment `stagging`");
        assert_eq!(refused("stagging").way_out().unwrap(), "did you mean `staging`?");
        assert_eq!(refused("production").way_out().unwrap(), "there is `dev`, `staging`");
    }

    #[test]
    fn with_several_environments_and_no_default_one_has_to_be_chosen() {
        let text = PAYMENTS.replace("default_environment = \"dev\"", "");
        let error = project(&text).unwrap().environment(None).unwrap_err();
        assert_eq!(error.to_string(), "no environment is chosen");
        expect!["name one of `dev`, `staging` with `-e`, or set `default_environment` under `[project]`"]
            .assert_eq(&error.way_out().unwrap());
        let one = "project = { name = 'a', template = 't' }\n[environments.only]";
        assert_eq!(project(one).unwrap().environment(None).unwrap().name.as_deref(), Some("only"));
    }

    #[test]
    fn a_misspelt_key_is_shown_at_its_place_with_the_nearest_known_one() {
        check_refused(
            "[project]\nname = 'a'\ntemplat = 't'",
            expect![[r#"
            unknown field `templat`, expected one of `name`, `template`, `default_environment`, `region`, `code_directories`
             --> shop/paystack.toml:3:1
              |
            3 | templat = 't'
              | ^^^^^^^
              = help: did you mean `template`?"#]],
        );
        check_refused(
            "project = { name = 'a', template = 't' }\n[environment.dev]",
            expect![[r#"
            unknown field `environment`, expected one of `project`, `tags`, `environments`, `state`, `smoke`, `policy`
             --> shop/paystack.toml:2:2
              |
            2 | [environment.dev]
              |  ^^^^^^^^^^^
              = help: did you mean `environments`?"#]],
        );
    }

    #[test]
    fn a_value_that_cannot_be_is_shown_at_its_place() {
        let project = "project = { name = 'a', template = 't' }\n";
        let with = |rest: &str| format!("{project}{rest}");
        check_refused(
            "[project]\nname = 'Pay_ments'\ntemplate = 't'",
            expect![[r#"
            a project's name takes 1 to 32 lower-case letters, digits and dashes, beginning with a letter: it begins the names of resources
             --> shop/paystack.toml:2:8
              |
            2 | name = 'Pay_ments'
              |        ^^^^^^^^^^^"#]],
        );
        check_refused(
            "[project]\ntemplate = 't'",
            expect![[r#"
            missing field `name`
             --> shop/paystack.toml:1:1
              |
            1 | [project]
              | ^^^^^^^^^"#]],
        );
        check_refused(
            "[project]\nname = 'a'\ntemplate = 't'\ndefault_environment = 'dev'",
            expect![[r#"
            there is no environment `dev`
             --> shop/paystack.toml:4:23
              |
            4 | default_environment = 'dev'
              |                       ^^^^^
              = help: add `[environments.dev]`"#]],
        );
        check_refused(
            &with("state = { backend = 'dynamodb', directory = 'state' }"),
            expect![[r#"
            `directory` is for the backend `local` only
             --> shop/paystack.toml:2:45
              |
            2 | state = { backend = 'dynamodb', directory = 'state' }
              |                                             ^^^^^^^
              = help: remove it, or set `backend = "local"`"#]],
        );
        check_refused(
            &with("state = { lease_seconds = 5 }"),
            expect![[r#"
            `lease_seconds` is for the backend `dynamodb` only
             --> shop/paystack.toml:2:27
              |
            2 | state = { lease_seconds = 5 }
              |                           ^
              = help: remove it, or set `backend = "dynamodb"`"#]],
        );
        check_refused(
            &with("state = { backend = 'dynamodb', lease_seconds = 1 }"),
            expect![[r#"
            a lease takes 2 to 900 seconds
             --> shop/paystack.toml:2:49
              |
            2 | state = { backend = 'dynamodb', lease_seconds = 1 }
              |                                                 ^"#]],
        );
        check_refused(
            &with("[policy]\nrequire_tags = ['Owner']"),
            expect![[r#"
            unknown field `require_tags`, expected one of `guard`, `levels`, `tags`, `encryption`
             --> shop/paystack.toml:3:1
              |
            3 | require_tags = ['Owner']
              | ^^^^^^^^^^^^"#]],
        );
        check_refused(
            &with("tags = { \"paystack:stack\" = 'mine' }"),
            expect![[r#"
            tags that begin with `paystack:` are reserved
             --> shop/paystack.toml:2:10
              |
            2 | tags = { "paystack:stack" = 'mine' }
              |          ^^^^^^^^^^^^^^^^"#]],
        );
        check_refused(
            &with("environments.dev.region = 'Ireland'"),
            expect![[r#"
            `Ireland` is not a region, such as `eu-west-1`
             --> shop/paystack.toml:2:27
              |
            2 | environments.dev.region = 'Ireland'
              |                           ^^^^^^^^^"#]],
        );
        check_refused(
            &with("environments.dev.parameters = { Since = 2026-01-01 }"),
            expect![[r#"
                a parameter is no table, and a date as a parameter is a text: quote it
                 --> shop/paystack.toml:2:41
                  |
                2 | environments.dev.parameters = { Since = 2026-01-01 }
                  |                                         ^^^^^^^^^^"#]],
        );
        check_refused(
            &with("environments.dev.parameters = { List = ['a,b'] }"),
            expect![[r#"
            an item of a list cannot contain a comma, because commas are what joins the items
             --> shop/paystack.toml:2:41
              |
            2 | environments.dev.parameters = { List = ['a,b'] }
              |                                         ^^^^^"#]],
        );
        check_refused(
            &with("environments.dev.parameters = { List = [['a']] }"),
            expect![[r#"
            invalid type: sequence, expected a text, a number or a boolean
             --> shop/paystack.toml:2:41
              |
            2 | environments.dev.parameters = { List = [['a']] }
              |                                         ^^^^^"#]],
        );
        check_refused(
            "[project",
            expect![[r#"
            unclosed table, expected `]`
             --> shop/paystack.toml:1:9
              |
            1 | [project
              |         ^"#]],
        );
        check_refused(
            "",
            expect![[r#"
            missing field `project`
             --> shop/paystack.toml:1:1
              |
            1 | 
              | ^"#]],
        );
    }

    #[test]
    fn a_project_is_found_from_any_directory_inside_it() {
        let root = tempfile::tempdir().unwrap();
        let inside = root.path().join("handlers/process_payment");
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::write(root.path().join(FILE_NAME), PAYMENTS).unwrap();
        let found = Project::find(&inside).unwrap();
        assert_eq!(found, root.path().join(FILE_NAME));
        assert_eq!(Project::load(&found).unwrap(), Project::load(root.path()).unwrap());
    }
}
