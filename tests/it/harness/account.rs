//! An AWS account for one test, and what a third party sees in it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::process::{Command, Stdio};

use fault_proxy::{Proxy, Script};
use serde_json::Value;

use super::Emulator;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/localstack");

/// An account with nothing in it: the emulator knows every 12-digit access key as an account of its own.
pub struct Account {
    pub number: String,
    emulator: &'static Emulator,
    /// Where paystack finds it, if not at the emulator itself.
    through: Option<String>,
}

impl Account {
    pub fn fresh() -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        let number = (100_000_000_000 + random % 900_000_000_000).to_string();
        Self { number, emulator: Emulator::shared(), through: None }
    }

    /// The same account, which paystack reaches through a proxy. A census and calls of the test's own do not go through it.
    pub fn through(&self, proxy: &Proxy) -> Self {
        Self { number: self.number.clone(), emulator: self.emulator, through: Some(proxy.endpoint()) }
    }

    pub fn endpoint(&self) -> &str {
        self.through.as_deref().unwrap_or(&self.emulator.endpoint)
    }

    /// A proxy in front of the emulator.
    pub fn proxy(&self, script: Script) -> Proxy {
        Proxy::start(&self.emulator.endpoint, script).expect("a port is free")
    }

    /// The environment variables of a process that works in this account.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        self.variables_at(self.endpoint())
    }

    fn variables_at(&self, endpoint: &str) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_ACCESS_KEY_ID", self.number.clone()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// Everything that is in the account, by asking each service for its lists.
    pub fn census(&self) -> Census {
        let answer = self.python(&["census.py"], &Value::Null);
        Census(serde_json::from_value(answer).expect("the census is a map of kinds"))
    }

    /// Makes one call, named as boto3 names it, and gives its answer. Panics if AWS refuses.
    pub fn aws(&self, service: &str, operation: &str, arguments: Value) -> Value {
        let answer = self.python(&["call.py", service, operation], &arguments);
        assert!(answer.get("Error").is_none(), "{service} {operation} {arguments}: {answer}");
        answer
    }

    /// Runs a Python script with arguments and, on its standard input, a value; gives what it printed.
    pub fn run_python(&self, script: &str, arguments: &[&str], input: &Value, variables: &[(&str, &str)]) -> String {
        let given = [&["-c", script], arguments].concat();
        String::from_utf8(self.output_of_python(&given, input, variables)).expect("the script prints text")
    }

    fn python(&self, arguments: &[&str], input: &Value) -> Value {
        serde_json::from_slice(&self.output_of_python(arguments, input, &[])).expect("the scripts print JSON")
    }

    fn output_of_python(&self, arguments: &[&str], input: &Value, variables: &[(&str, &str)]) -> Vec<u8> {
        let mut command = Command::new(&self.emulator.python);
        command.args(["-W", "ignore"]).args(arguments).current_dir(SCRIPTS);
        command.envs(self.variables_at(&self.emulator.endpoint));
        command
            .envs(variables.iter().copied())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the emulator's Python runs");
        let mut stdin = child.stdin.take().expect("input is piped");
        // A script that does not read its input has ended before all of it is written.
        let _ = stdin.write_all(input.to_string().as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("the script's output can be read");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?} failed: {errors}");
        output.stdout
    }
}

/// What an account holds, by kind: `tables`, `queues`, `roles`, `web_acls`, …
#[derive(Debug, Clone, PartialEq)]
pub struct Census(pub BTreeMap<String, Value>);

impl Census {
    /// All things of a kind: a map by name, or a list where names repeat.
    pub fn of(&self, kind: &str) -> &Value {
        self.0.get(kind).unwrap_or_else(|| panic!("the census knows no {kind}, but {:?}", self.0.keys()))
    }

    /// One thing, by its kind and its name.
    pub fn get(&self, kind: &str, name: &str) -> &Value {
        self.of(kind).get(name).unwrap_or_else(|| panic!("there is no {name} among the {kind}: {}", self.of(kind)))
    }

    /// How many there are of each kind that there is anything of.
    pub fn counts(&self) -> BTreeMap<&str, usize> {
        let count = |value: &Value| match value {
            Value::Object(things) => things.len(),
            Value::Array(things) => things.len(),
            Value::String(text) => usize::from(!text.is_empty()),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        };
        self.0.iter().map(|(kind, value)| (kind.as_str(), count(value))).filter(|(_, count)| *count > 0).collect()
    }

    /// What is here and is not in another one.
    pub fn without(&self, other: &Self) -> Self {
        let rest = |(kind, all): (&String, &Value)| {
            let rest = match (all, other.of(kind)) {
                (Value::Object(all), Value::Object(others)) => {
                    Value::Object(all.clone().into_iter().filter(|(name, it)| others.get(name) != Some(it)).collect())
                }
                (Value::Array(all), Value::Array(others)) => {
                    Value::Array(all.iter().filter(|it| !others.contains(it)).cloned().collect())
                }
                (all, others) if all == others => Value::from(""),
                (all, _) => all.clone(),
            };
            (kind.clone(), rest)
        };
        Self(self.0.iter().map(rest).collect())
    }

    /// Panics, with all that is there, unless the account is as empty as a new one.
    #[track_caller]
    pub fn assert_empty(&self) {
        assert!(self.counts().is_empty(), "left behind: {:#?}", self.0);
    }
}
