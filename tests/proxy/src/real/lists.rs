//! Lists and tags that lag behind.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};

use crate::call::{Call, Service};
use crate::http::Response;
use crate::real::spell::Spells;
use crate::real::{Pace, Strikes, edit_json};
use crate::{Behaviour, held};

/// The behaviours of this file.
pub(super) fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![Arc::new(ListsLag::new(pace)), Arc::new(TaggingLags::new(pace))]
}

/// What was made a moment ago is not in lists yet.
///
/// "Real AWS behaviour" 1 rule 3 and 13.10. How long is documented nowhere: a second or two.
pub struct ListsLag {
    made: Spells<(Service, String)>,
    strikes: Strikes,
}

/// What makes a thing, what lists them, and where each has its identifier.
struct Listed {
    service: Service,
    create: &'static str,
    id: &'static str,
    list: &'static str,
    /// Where the list is in the answer.
    items: &'static str,
}

const fn of_apis(create: &'static str, list: &'static str) -> Listed {
    Listed { service: Service::ApiGateway, create, id: "id", list, items: "item" }
}

const LISTED: [Listed; 7] = [
    of_apis("CreateApiKey", "GetApiKeys"),
    of_apis("CreateDeployment", "GetDeployments"),
    of_apis("CreateRequestValidator", "GetRequestValidators"),
    of_apis("CreateRestApi", "GetRestApis"),
    of_apis("CreateUsagePlan", "GetUsagePlans"),
    Listed {
        service: Service::Lambda,
        create: "PublishLayerVersion",
        id: "LayerVersionArn",
        list: "ListLayerVersions",
        items: "LayerVersions",
    },
    Listed {
        service: Service::Logs,
        create: "PutQueryDefinition",
        id: "queryDefinitionId",
        list: "DescribeQueryDefinitions",
        items: "queryDefinitions",
    },
];

impl ListsLag {
    pub fn new(pace: Pace) -> Self {
        Self { made: Spells::of(pace.seconds(1.5)), strikes: Strikes::default() }
    }
}

impl Behaviour for ListsLag {
    fn name(&self) -> &'static str {
        "lists-lag"
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if answer.status >= 300 {
            return;
        }
        if let Some(kind) = LISTED.iter().find(|it| call.is(it.service, it.create)) {
            let made = serde_json::from_slice::<Value>(&answer.body).ok();
            let id = made.and_then(|made| Some(made.get(kind.id)?.as_str()?.to_owned()));
            // What was put again is not new.
            if let Some(id) = id.filter(|id| call.text(kind.id).as_ref() != Some(id)) {
                self.made.begin((kind.service, id));
            }
        }
        if let Some(kind) = LISTED.iter().find(|it| call.is(it.service, it.list)) {
            edit_json(answer, |answer| {
                let Some(items) = answer.get_mut(kind.items).and_then(Value::as_array_mut) else { return };
                let before = items.len();
                items.retain(|item| {
                    let id = item.get(kind.id).and_then(Value::as_str).unwrap_or_default().to_owned();
                    self.made.look(&(kind.service, id)).is_none()
                });
                if items.len() < before {
                    self.strikes.add();
                }
            });
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// The Resource Groups Tagging API does not know what is new, and goes on listing what is gone.
///
/// "Real AWS behaviour" 1.4 and 13.10: for seconds to minutes.
pub struct TaggingLags {
    pace: Pace,
    known: Mutex<HashMap<(String, String), Known>>,
    strikes: Strikes,
}

/// Something that was in an answer.
struct Known {
    first: Instant,
    last: Instant,
    entry: Value,
}

impl TaggingLags {
    pub fn new(pace: Pace) -> Self {
        Self { pace, known: Mutex::default(), strikes: Strikes::default() }
    }
}

impl Behaviour for TaggingLags {
    fn name(&self) -> &'static str {
        "tagging-lags"
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if !call.is(Service::Tagging, "GetResources") || answer.status != 200 {
            return;
        }
        let length = self.pace.seconds(60.0);
        let now = Instant::now();
        let mut known = held(&self.known);
        edit_json(answer, |answer| {
            let Some(entries) = answer["ResourceTagMappingList"].as_array_mut() else { return };
            for entry in entries.iter() {
                let arn = entry["ResourceARN"].as_str().unwrap_or_default().to_owned();
                let of = known.entry((call.account.clone(), arn)).or_insert(Known {
                    first: now,
                    last: now,
                    entry: entry.clone(),
                });
                (of.last, of.entry) = (now, entry.clone());
            }
            // New is what was not known a while ago, and a ghost is what was known a while ago and is not any more.
            let mine = known.iter().filter(|((account, _), _)| *account == call.account);
            let shown: Vec<Value> = mine
                .filter(|(_, it)| if it.last == now { it.first + length <= now } else { it.last + length > now })
                .map(|(_, it)| it.entry.clone())
                .collect();
            if json!(shown) != json!(entries) {
                self.strikes.add();
                *entries = shown;
            }
        });
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}
