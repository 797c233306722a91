//! What a word on the command line means: a function or a query of the stack, by its logical id or by its name. Asks no AWS.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::aws::operate::Query;
use crate::cli::CliError;
use crate::desired::Desired;
use crate::diagnostic::nearest;
use crate::identity::LogicalId;
use crate::unknown;

/// A function of the stack, as it is called in AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub logical_id: LogicalId,
    pub name: String,
    pub log_group: String,
}

/// A query definition of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    pub logical_id: LogicalId,
    pub name: String,
    pub query: Query,
}

/// All functions of the stack.
pub fn functions(desired: &Desired) -> Vec<Function> {
    let declared = of_type(desired, "AWS::Lambda::Function").into_iter();
    let function = |(logical_id, properties): (LogicalId, Arc<Value>)| {
        let name = known(&properties["FunctionName"])?;
        let log_group = match properties.pointer("/LoggingConfig/LogGroup") {
            Some(Value::String(log_group)) => known_text(log_group)?,
            _ => format!("/aws/lambda/{name}"),
        };
        Some(Function { logical_id, name, log_group })
    };
    declared.filter_map(function).collect()
}

/// The function that is meant.
pub fn function(desired: &Desired, word: &str) -> Result<Function, CliError> {
    chosen("function", word, functions(desired), |it| [it.logical_id.as_str(), &it.name])
}

/// All queries of the stack.
pub fn queries(desired: &Desired) -> Vec<Declared> {
    let declared = of_type(desired, "AWS::Logs::QueryDefinition").into_iter();
    let query = |(logical_id, properties): (LogicalId, Arc<Value>)| {
        let log_groups = properties["LogGroupNames"].as_array().into_iter().flatten().map(known);
        let query = Query {
            log_groups: log_groups.collect::<Option<_>>()?,
            text: known(&properties["QueryString"])?,
            language: known(&properties["QueryLanguage"])?,
        };
        Some(Declared { logical_id, name: known(&properties["Name"])?, query })
    };
    declared.filter_map(query).collect()
}

/// The query that is meant; of a name with `/` in it the last part is enough.
pub fn query(desired: &Desired, word: &str) -> Result<Declared, CliError> {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let all = queries(desired);
    let mut shortened = all.iter().filter(|it| last(&it.name) == word);
    match (shortened.next(), shortened.next()) {
        (Some(only), None) => Ok(only.clone()),
        _ => chosen("query", word, all, |it| [it.logical_id.as_str(), &it.name]),
    }
}

fn chosen<T>(
    what: &'static str,
    word: &str,
    mut all: Vec<T>,
    names: impl for<'a> Fn(&'a T) -> [&'a str; 2],
) -> Result<T, CliError> {
    if let Some(place) = all.iter().position(|it| names(it).contains(&word)) {
        return Ok(all.swap_remove(place));
    }
    let help = match nearest(word, all.iter().flat_map(&names)) {
        Some(name) => format!("did you mean `{name}`?"),
        None if all.is_empty() => "the template declares none".to_owned(),
        None => {
            let known: Vec<String> = all.iter().map(|it| format!("`{}`", names(it)[0])).collect();
            format!("it has {}", known.join(", "))
        }
    };
    Err(CliError::NotInStack { what, name: word.to_owned(), help })
}

fn of_type(desired: &Desired, resource_type: &str) -> BTreeMap<LogicalId, Arc<Value>> {
    let is_it = |id: &LogicalId| {
        desired.graph.resources.get(id).is_some_and(|resource| resource.resource_type.as_str() == resource_type)
    };
    desired.predicted().iter().filter(|(id, _)| is_it(id)).map(|(id, value)| (id.clone(), value.clone())).collect()
}

fn known(value: &Value) -> Option<String> {
    value.as_str().and_then(known_text)
}

fn known_text(text: &str) -> Option<String> {
    (!text.is_empty() && !unknown::is_in(text)).then(|| text.to_owned())
}
