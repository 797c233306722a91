//! A state of Terraform's as it lies in a file: `terraform.tfstate` (format 4), or what `terraform show -json` prints. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

/// One instance of a managed resource.
#[derive(Debug, Clone, PartialEq)]
pub struct StateResource {
    /// As Terraform names it: `module.shop["dev"].aws_sqs_queue.orders[0]`.
    pub address: String,
    /// The resource in the configuration, which has no keys: `module.shop.aws_sqs_queue.orders`.
    pub configuration: String,
    /// `aws_sqs_queue`.
    pub resource_type: String,
    pub name: String,
    /// What `count` or `for_each` tells this instance by.
    pub key: Option<String>,
    /// The last part of the provider's address: `aws`.
    pub provider: String,
    pub attributes: Value,
    /// The resources that this one depends on, whatever lies between, as in the configuration.
    pub dependencies: BTreeSet<String>,
    /// Texts that Terraform calls sensitive.
    pub secrets: BTreeSet<String>,
    /// Whether it is only left to be destroyed.
    pub is_deposed: bool,
}

/// What the configuration's root module gives to whoever asks.
#[derive(Debug, Clone, PartialEq)]
pub struct StateOutput {
    pub name: String,
    pub value: Value,
    pub is_sensitive: bool,
}

/// What is read of a state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// The managed ones: what data sources have read is nobody's to manage.
    pub resources: Vec<StateResource>,
    pub outputs: Vec<StateOutput>,
}

/// Why a text is no state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("it is not JSON of that form")]
    Json(#[from] serde_json::Error),
    #[error("its format is {0}, and 4 is the one that is read")]
    Format(u64),
    #[error("it has neither resources nor a format")]
    Neither,
}

/// A state's resources and outputs.
///
/// # Errors
///
/// The text is neither a state of format 4 nor what `terraform show -json` prints.
pub fn parse(text: &str) -> Result<State, StateError> {
    let file: File = serde_json::from_str(text)?;
    match file {
        File { version: Some(4), resources, outputs, .. } => Ok(State {
            resources: resources.into_iter().flat_map(Block::instances).collect(),
            outputs: Output::all(outputs),
        }),
        File { version: Some(version), .. } => Err(StateError::Format(version)),
        File { format_version: Some(_), values: None, .. } => Ok(State::default()),
        File { format_version: Some(_), values: Some(values), .. } => {
            let mut resources = Vec::new();
            values.root_module.collect(&mut resources);
            Ok(State { resources, outputs: Output::all(values.outputs) })
        }
        _ => Err(StateError::Neither),
    }
}

/// Both forms.
#[derive(Deserialize)]
struct File {
    version: Option<u64>,
    #[serde(default)]
    resources: Vec<Block>,
    #[serde(default)]
    outputs: BTreeMap<String, Output>,
    format_version: Option<String>,
    values: Option<Values>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    value: Value,
    #[serde(default)]
    sensitive: bool,
}

impl Output {
    fn all(outputs: BTreeMap<String, Self>) -> Vec<StateOutput> {
        let output = |(name, Self { value, sensitive })| StateOutput { name, value, is_sensitive: sensitive };
        outputs.into_iter().map(output).collect()
    }
}

/// A resource of the configuration with its instances, in format 4.
#[derive(Deserialize)]
struct Block {
    module: Option<String>,
    mode: String,
    #[serde(rename = "type")]
    resource_type: String,
    name: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
struct Instance {
    index_key: Option<Value>,
    deposed: Option<String>,
    #[serde(default)]
    attributes: Value,
    #[serde(default)]
    sensitive_attributes: Vec<Vec<Step>>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// A step of a path into attributes: a name, or a key of a list or a map.
#[derive(Deserialize)]
struct Step {
    value: Value,
}

impl Block {
    fn instances(self) -> Vec<StateResource> {
        let Self { module, mode, resource_type, name, provider, instances } = self;
        if mode != "managed" {
            return Vec::new();
        }
        let within = module.map(|module| format!("{module}.")).unwrap_or_default();
        let block = format!("{within}{resource_type}.{name}");
        let instance = |it: Instance| {
            let paths = it.sensitive_attributes.iter();
            let secrets = paths.filter_map(|path| path.iter().try_fold(&it.attributes, step)).flat_map(texts).collect();
            StateResource {
                address: format!("{block}{}", it.index_key.as_ref().map(|key| format!("[{key}]")).unwrap_or_default()),
                configuration: without_keys(&block),
                resource_type: resource_type.clone(),
                name: name.clone(),
                key: it.index_key.as_ref().map(key),
                provider: provider_name(&provider),
                dependencies: it.dependencies.iter().map(|it| without_keys(it)).collect(),
                secrets,
                is_deposed: it.deposed.is_some(),
                attributes: it.attributes,
            }
        };
        instances.into_iter().map(instance).collect()
    }
}

/// What `terraform show -json` prints of a state.
#[derive(Deserialize)]
struct Values {
    root_module: Module,
    #[serde(default)]
    outputs: BTreeMap<String, Output>,
}

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    resources: Vec<Shown>,
    #[serde(default)]
    child_modules: Vec<Module>,
}

#[derive(Deserialize)]
struct Shown {
    address: String,
    mode: String,
    #[serde(rename = "type")]
    resource_type: String,
    name: String,
    index: Option<Value>,
    #[serde(default)]
    provider_name: String,
    #[serde(default)]
    values: Value,
    #[serde(default)]
    sensitive_values: Value,
    #[serde(default)]
    depends_on: Vec<String>,
    deposed_key: Option<String>,
}

impl Module {
    fn collect(self, resources: &mut Vec<StateResource>) {
        for shown in self.resources.into_iter().filter(|shown| shown.mode == "managed") {
            let mut secrets = BTreeSet::new();
            marked(&shown.values, &shown.sensitive_values, &mut secrets);
            resources.push(StateResource {
                configuration: without_keys(&shown.address),
                address: shown.address,
                resource_type: shown.resource_type,
                name: shown.name,
                key: shown.index.as_ref().map(key),
                provider: provider_name(&shown.provider_name),
                dependencies: shown.depends_on.iter().map(|it| without_keys(it)).collect(),
                secrets,
                is_deposed: shown.deposed_key.is_some(),
                attributes: shown.values,
            });
        }
        for module in self.child_modules {
            module.collect(resources);
        }
    }
}

fn step<'a>(value: &'a Value, step: &Step) -> Option<&'a Value> {
    // The key of a list or a map comes with its type.
    match step.value.get("value").unwrap_or(&step.value) {
        Value::String(name) => value.get(name),
        key => value.get(usize::try_from(key.as_u64()?).ok()?),
    }
}

/// The texts of what is marked with `true` in a value of the same shape.
fn marked(value: &Value, marks: &Value, found: &mut BTreeSet<String>) {
    match (value, marks) {
        (_, Value::Bool(true)) => found.extend(texts(value)),
        (Value::Object(fields), Value::Object(marks)) => {
            for (name, mark) in marks {
                fields.get(name).into_iter().for_each(|value| marked(value, mark, found));
            }
        }
        (Value::Array(items), Value::Array(marks)) => {
            items.iter().zip(marks).for_each(|(value, mark)| marked(value, mark, found));
        }
        _ => {}
    }
}

/// All texts in a value but empty ones.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

fn key(key: &Value) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

/// `aws` of `module.shop.provider["registry.terraform.io/hashicorp/aws"].west`, or of what stands in the quotation marks.
fn provider_name(provider: &str) -> String {
    let quoted = provider.split('"').nth(1).unwrap_or(provider);
    quoted.rsplit('/').next().unwrap_or_default().to_owned()
}

/// An address without the keys of modules and instances.
fn without_keys(address: &str) -> String {
    let mut plain = String::with_capacity(address.len());
    let (mut is_in_key, mut is_in_text, mut is_escaped) = (false, false, false);
    for character in address.chars() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_in_text => is_escaped = true,
            '"' if is_in_key => is_in_text = !is_in_text,
            '[' if !is_in_key => is_in_key = true,
            ']' if !is_in_text => is_in_key = false,
            _ if is_in_key => {}
            _ => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_says_where_each_instance_stands_and_what_of_it_is_secret() {
        let state = json!({"version": 4, "resources": [
            {"mode": "data", "type": "aws_region", "name": "here", "instances": [{"attributes": {}}]},
            {
                "module": "module.shop[\"eu.west\"]", "mode": "managed", "type": "aws_lambda_function", "name": "run",
                "provider": "module.shop.provider[\"registry.terraform.io/hashicorp/aws\"].west",
                "instances": [{
                    "index_key": "pay",
                    "attributes": {"environment": [{"variables": {"KEY": "s3cret", "TABLE": "orders"}}]},
                    "sensitive_attributes": [[
                        {"type": "get_attr", "value": "environment"},
                        {"type": "index", "value": {"value": 0, "type": "number"}},
                        {"type": "get_attr", "value": "variables"},
                        {"type": "index", "value": {"value": "KEY", "type": "string"}},
                    ]],
                    "dependencies": ["module.shop.aws_dynamodb_table.orders"],
                }],
            },
        ]});
        let [run] = &parse(&state.to_string()).expect("it is a state").resources[..] else { panic!("one is managed") };
        assert_eq!(run.address, r#"module.shop["eu.west"].aws_lambda_function.run["pay"]"#);
        assert_eq!(run.configuration, "module.shop.aws_lambda_function.run");
        assert_eq!((run.key.as_deref(), run.provider.as_str()), (Some("pay"), "aws"));
        assert_eq!(run.secrets, BTreeSet::from(["s3cret".to_owned()]));
    }

    #[test]
    fn what_terraform_shows_of_a_state_says_the_same() {
        let shown = json!({"format_version": "1.0", "values": {"root_module": {"child_modules": [{"resources": [{
            "address": "module.shop.aws_sqs_queue.orders[0]", "mode": "managed", "type": "aws_sqs_queue", "name": "orders",
            "index": 0, "provider_name": "registry.terraform.io/hashicorp/aws",
            "values": {"name": "orders", "tags": {"token": "s3cret"}}, "sensitive_values": {"tags": {"token": true}},
            "depends_on": ["module.shop.aws_sqs_queue.dead"],
        }]}]}}});
        let [orders] = &parse(&shown.to_string()).expect("it is a state").resources[..] else {
            panic!("one is managed")
        };
        assert_eq!(orders.configuration, "module.shop.aws_sqs_queue.orders");
        assert_eq!(orders.secrets, BTreeSet::from(["s3cret".to_owned()]));
        assert_eq!(orders.dependencies, BTreeSet::from(["module.shop.aws_sqs_queue.dead".to_owned()]));
    }

    #[test]
    fn outputs_are_read_from_both_forms() {
        let outputs =
            json!({"url": {"value": "https://q", "type": "string"}, "key": {"value": "k", "sensitive": true}});
        let state = json!({"version": 4, "outputs": outputs}).to_string();
        let shown = json!({"format_version": "1.0", "values": {"outputs": outputs, "root_module": {}}}).to_string();
        for text in [state, shown] {
            let outputs = parse(&text).expect("it is a state").outputs;
            let told: Vec<_> = outputs.iter().map(|it| (it.name.as_str(), it.is_sensitive)).collect();
            assert_eq!(told, [("key", true), ("url", false)]);
            assert_eq!(outputs[1].value, "https://q");
        }
    }

    #[test]
    fn what_is_no_state_is_refused() {
        for (text, why) in [("[]", "not JSON"), ("{\"version\": 3}", "format is 3"), ("{}", "neither"), ("a", "JSON")] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
