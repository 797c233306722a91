//! `[smoke]` of paystack.toml: what is sent through a deployed system, and where it has to arrive. Asks no AWS.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A way through the system. In every text `${id}` stands for what this run is known by, and `${now}` for its moment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smoke {
    /// The output that holds the address to post to.
    pub url: String,
    /// The API key, by its logical id; its value goes into the header `x-api-key`.
    pub api_key: Option<String>,
    /// What is posted, as JSON.
    pub post: Value,
    /// The status that has to come back.
    #[serde(default = "accepted")]
    pub status: u16,
    /// Within how many seconds each place has to be reached.
    #[serde(default = "a_minute")]
    pub within_seconds: u64,
    pub hops: Vec<Hop>,
    pub failing: Option<Failing>,
}

/// The way of what fails.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failing {
    /// The queue that the message is sent to, by its logical id.
    pub queue: String,
    pub message: Value,
    #[serde(default = "a_minute")]
    pub within_seconds: u64,
    pub hops: Vec<Hop>,
}

fn accepted() -> u16 {
    200
}

fn a_minute() -> u64 {
    60
}

/// A place on the way.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "HopTable")]
pub struct Hop {
    pub name: String,
    pub place: Place,
}

/// Where something shows that what was sent has come so far.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// An item of a table, under the run's id; with an attribute, once it has that.
    Item { table: String, key: String, attribute: Option<String> },
    /// An event in a function's log that contains all of these texts.
    Log { function: String, texts: Vec<String> },
}

/// A hop as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HopTable {
    name: String,
    table: Option<String>,
    key: Option<String>,
    attribute: Option<String>,
    function: Option<String>,
    #[serde(default)]
    logs: Vec<String>,
}

impl TryFrom<HopTable> for Hop {
    type Error = String;

    fn try_from(hop: HopTable) -> Result<Self, String> {
        let HopTable { name, table, key, attribute, function, logs } = hop;
        let place = match (table, key, function) {
            (Some(table), Some(key), None) if logs.is_empty() => Place::Item { table, key, attribute },
            (None, None, Some(function)) if !logs.is_empty() && attribute.is_none() => {
                Place::Log { function, texts: logs }
            }
            _ => {
                return Err(format!(
                    "the hop `{name}` is neither a `table` with its `key` nor a `function` with what it `logs`"
                ));
            }
        };
        Ok(Self { name, place })
    }
}

/// What the texts of a run are filled in with.
#[derive(Debug, Clone)]
pub struct Filling {
    pub id: String,
    pub now: Timestamp,
}

impl Filling {
    pub fn text(&self, text: &str) -> String {
        text.replace("${id}", &self.id).replace("${now}", &self.now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
    }

    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), self.value(value))).collect(),
            value => value.clone(),
        }
    }
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Smoked {
    pub id: String,
    /// The places that were reached, in order.
    pub reached: Vec<Reached>,
    /// The first place that was not.
    pub missed: Option<Missed>,
}

/// A place that was reached, and when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reached {
    pub name: String,
    /// Since what was sent was about to be sent.
    pub after_milliseconds: u64,
}

/// A place that was not reached.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Missed {
    pub name: String,
    pub why: String,
}

/// The logical ids that are referred to, with what each is meant to be.
pub fn referred(smoke: &Smoke) -> BTreeMap<&str, &'static str> {
    let failing = smoke.failing.iter();
    let hops = smoke.hops.iter().chain(failing.clone().flat_map(|failing| &failing.hops));
    let places = hops.map(|hop| match &hop.place {
        Place::Item { table, .. } => (table.as_str(), "AWS::DynamoDB::Table"),
        Place::Log { function, .. } => (function.as_str(), "AWS::Lambda::Function"),
    });
    let key = smoke.api_key.iter().map(|key| (key.as_str(), "AWS::ApiGateway::ApiKey"));
    places.chain(key).chain(failing.map(|it| (it.queue.as_str(), "AWS::SQS::Queue"))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hop_is_an_item_or_an_event() {
        let hop =
            |text: &str| toml::from_str::<Hop>(text).map(|hop| hop.place).map_err(|error| error.message().to_owned());
        let item = Place::Item { table: "Orders".to_owned(), key: "id".to_owned(), attribute: None };
        assert_eq!(hop("name = \"stored\"\ntable = \"Orders\"\nkey = \"id\""), Ok(item));
        let log = Place::Log { function: "Greet".to_owned(), texts: vec!["${id}".to_owned()] };
        assert_eq!(hop("name = \"greeted\"\nfunction = \"Greet\"\nlogs = [\"${id}\"]"), Ok(log));
        for wrong in ["name = \"x\"", "name = \"x\"\ntable = \"Orders\"", "name = \"x\"\nfunction = \"Greet\""] {
            assert!(hop(wrong).is_err_and(|error| error.contains("the hop `x` is neither")), "{wrong}");
        }
    }

    #[test]
    fn every_text_is_filled_in_however_deep() {
        let filling = Filling { id: "smoke-1".to_owned(), now: "2026-11-25T19:40:00.5Z".parse().expect("a moment") };
        assert_eq!(
            filling.value(&json!({"id": "${id}", "more": [{"at": "${now}"}], "amount": 1})),
            json!({"id": "smoke-1", "more": [{"at": "2026-11-25T19:40:00.500000Z"}], "amount": 1})
        );
    }
}
