//! Event source mappings, and the queues that they look at.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::real::lambda::{Told, conflict, function_of};
use crate::real::{Lag, Named, Pace, Strikes, Underway, edit_json, is_done, json_answer, names};
use crate::{Behaviour, held};

pub fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![
        Arc::new(MappingTakesTime {
            pace,
            at_work: Underway::new(),
            shown: Mutex::default(),
            strikes: Strikes::default(),
        }),
        Arc::new(QueueNotYetSeen {
            pace,
            changed: Lag::new(),
            before: Told::default(),
            visible: Told::default(),
            timeouts: Told::default(),
            strikes: Strikes::default(),
        }),
    ]
}

/// A mapping takes long to come, to change and to go; meanwhile it is in use, and it is seen until it is gone.
///
/// "Real AWS behaviour" 1.1, 1.5, 4.4 and 13.3: 10 to 30 s each, with ResourceInUseException (Terraform's
/// `lambda/event_source_mapping.go` retries for five and ten minutes), and a second mapping of the same function and queue is
/// refused (recorded by LocalStack's tests).
struct MappingTakesTime {
    pace: Pace,
    /// By UUID, with the state.
    at_work: Underway<Named, &'static str>,
    /// What was last shown of each mapping.
    shown: Mutex<HashMap<Named, Value>>,
    strikes: Strikes,
}

impl Behaviour for MappingTakesTime {
    fn name(&self) -> &'static str {
        "mapping-takes-time"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if call.is(Service::Lambda, "CreateEventSourceMapping") {
            return self.strikes.with(self.exists_already(call));
        }
        let mapping = mapping_of(call)?;
        let state = self.at_work.on(&mapping)?;
        let refused = |verb: &str| {
            let message = format!("Cannot {verb} the event source mapping because it is in use.");
            error(call, 400, "ResourceInUseException", &message)
        };
        let answer = match call.operation.as_str() {
            "UpdateEventSourceMapping" => refused("update"),
            "DeleteEventSourceMapping" => refused("delete"),
            "GetEventSourceMapping" if state == "Deleting" => {
                json_answer("application/json", held(&self.shown).get(&mapping)?)
            }
            _ => return None,
        };
        self.strikes.with(Some(answer))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let state = match call.operation.as_str() {
            _ if call.service != Service::Lambda || !is_done(answer) => return,
            "ListEventSourceMappings" => return self.show_all(call, answer),
            "CreateEventSourceMapping" => Some("Creating"),
            "UpdateEventSourceMapping" => Some("Updating"),
            "DeleteEventSourceMapping" => Some("Deleting"),
            "GetEventSourceMapping" => None,
            _ => return,
        };
        edit_json(answer, |shown| {
            let mapping = (call.account.clone(), shown["UUID"].as_str().unwrap_or_default().to_owned());
            if let Some(state) = state {
                self.at_work.start(mapping.clone(), state, self.pace.seconds(20.0));
            }
            if let Some(state) = self.at_work.on(&mapping) {
                self.strikes.add();
                shown["State"] = json!(state);
            }
            held(&self.shown).insert(mapping, shown.clone());
        });
    }

    fn unsettled(&self) -> Vec<String> {
        names(self.at_work.all(), "at work")
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

impl MappingTakesTime {
    /// Those of an account that are going, with what is shown of them.
    fn going(&self, account: &str) -> Vec<Value> {
        let going = self.at_work.all().into_iter();
        let going = going.filter(|it| it.0 == account && self.at_work.on(it) == Some("Deleting"));
        going.filter_map(|it| held(&self.shown).get(&it).cloned()).collect()
    }

    fn show_all(&self, call: &Call, answer: &mut Response) {
        edit_json(answer, |answer| {
            let Some(listed) = answer["EventSourceMappings"].as_array_mut() else { return };
            for shown in listed.iter_mut() {
                let uuid = shown["UUID"].as_str().unwrap_or_default().to_owned();
                if let Some(state) = self.at_work.on(&(call.account.clone(), uuid)) {
                    shown["State"] = json!(state);
                }
            }
            let query = call.request.target.split_once('?').map_or("", |(_, query)| query);
            let is_asked_for = |shown: &Value| {
                let source = shown["EventSourceArn"].as_str().unwrap_or_default().replace(':', "%3A");
                !query.contains("EventSourceArn=") || query.contains(&source)
            };
            let is_listed = |shown: &Value| listed.iter().any(|it| it["UUID"] == shown["UUID"]);
            let missing: Vec<Value> =
                self.going(&call.account).into_iter().filter(|it| is_asked_for(it) && !is_listed(it)).collect();
            listed.extend(missing);
        });
    }

    /// One that is going is still in the way of another of the same function and source.
    fn exists_already(&self, call: &Call) -> Option<Response> {
        let (source, (_, function)) = (call.text("EventSourceArn")?, function_of(call)?);
        let is_same = |shown: &Value| {
            let arn = shown["FunctionArn"].as_str().unwrap_or_default();
            shown["EventSourceArn"] == json!(source) && arn.rsplit(':').next() == Some(function.as_str())
        };
        let shown = self.going(&call.account).into_iter().find(is_same)?;
        let uuid = shown["UUID"].as_str().unwrap_or_default();
        let message = format!(
            r#"An event source mapping with SQS arn ("{source}") and function ("{function}") already exists. Please update or delete the existing mapping with UUID {uuid}"#
        );
        Some(conflict(call, &message))
    }
}

fn mapping_of(call: &Call) -> Option<Named> {
    let is_one = call.service == Service::Lambda && call.operation.ends_with("EventSourceMapping");
    let uuid = is_one.then(|| call.text("UUID")).flatten()?;
    Some((call.account.clone(), uuid))
}

/// Lambda sees a queue's new visibility timeout late, and maps no queue whose messages come back before the function ends.
///
/// "Real AWS behaviour" 1.5 and 4.4: CreateEventSourceMapping answers InvalidParameterValueException for up to 60 s after
/// SetQueueAttributes (AWS's page "SetQueueAttributes" names the time).
struct QueueNotYetSeen {
    pace: Pace,
    changed: Lag<Named>,
    /// The visibility timeout that Lambda still sees, and the real one.
    before: Told,
    visible: Told,
    /// The timeouts of functions.
    timeouts: Told,
    strikes: Strikes,
}

impl Behaviour for QueueNotYetSeen {
    fn name(&self) -> &'static str {
        "queue-not-yet-seen"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !call.is(Service::Lambda, "CreateEventSourceMapping") {
            return None;
        }
        let source = call.text("EventSourceArn")?;
        let queue = (call.account.clone(), source.rsplit(':').next()?.to_owned());
        let is_late = self.changed.lasts(&queue, self.pace.seconds(30.0));
        let visibility = self.before.of(&queue).filter(|_| is_late)?;
        let timeout = self.timeouts.of(&function_of(call)?).unwrap_or(3);
        let message =
            format!("Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds");
        let is_too_short = visibility < timeout;
        self.strikes.with(is_too_short.then(|| error(call, 400, "InvalidParameterValueException", &message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if !is_done(answer) {
            return;
        }
        let seconds = || {
            let seconds = call.input("Attributes")?.get("VisibilityTimeout")?.as_str()?.parse::<i64>();
            seconds.ok()
        };
        match (call.service, call.operation.as_str()) {
            (Service::Sqs, "CreateQueue") => {
                if let Some(name) = call.text("QueueName") {
                    self.visible.hear((call.account.clone(), name), seconds().unwrap_or(30));
                }
            }
            (Service::Sqs, "SetQueueAttributes") => {
                if let (Some(url), Some(seconds)) = (call.text("QueueUrl"), seconds()) {
                    let queue = (call.account.clone(), url.rsplit('/').next().unwrap_or_default().to_owned());
                    self.before.hear(queue.clone(), self.visible.of(&queue).unwrap_or(30));
                    self.visible.hear(queue.clone(), seconds);
                    self.changed.note(queue);
                }
            }
            (Service::Lambda, "CreateFunction" | "UpdateFunctionConfiguration") => {
                let timeout = call.input("Timeout").and_then(|it| it.as_i64());
                if let (Some(function), Some(timeout)) = (function_of(call), timeout) {
                    self.timeouts.hear(function, timeout);
                }
            }
            _ => {}
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}
