//! SQS accepts a change, and tells of it when it has reached every host.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::real::spell::Spells;
use crate::real::{Pace, Strikes, edit_json};
use crate::{Behaviour, held};

/// The behaviours of this file.
pub(super) fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![
        Arc::new(QueueAttributesLag::new(pace)),
        Arc::new(QueueDeletedRecently::new(pace)),
        Arc::new(QueueLingers::new(pace)),
        Arc::new(QueueShowsLate::new(pace)),
    ]
}

/// Account and name.
type Queue = (String, String);

/// The queue that a call is about, by its name or its URL.
fn queue(call: &Call) -> Option<Queue> {
    let name = call.text("QueueName").or_else(|| {
        let url = call.text("QueueUrl")?;
        Some(url.rsplit('/').next()?.to_owned())
    })?;
    Some((call.account.clone(), name))
}

fn is_read(call: &Call) -> bool {
    ["GetQueueUrl", "GetQueueAttributes", "ListQueueTags"].iter().any(|it| call.is(Service::Sqs, it))
}

fn missing(call: &Call) -> Response {
    error(call, 400, "QueueDoesNotExist", "The specified queue does not exist.")
}

/// A deleted queue's name is refused for 60 s, even where reads say that it is gone.
///
/// "Real AWS behaviour" 1.1, 6 and 13.5 (botocore's documentation of DeleteQueue; Terraform's `sqs/queue.go` waits 70 s).
pub struct QueueDeletedRecently {
    deleted: Spells<Queue>,
    strikes: Strikes,
}

impl QueueDeletedRecently {
    pub fn new(pace: Pace) -> Self {
        Self { deleted: Spells::of(pace.seconds(60.0)), strikes: Strikes::default() }
    }
}

impl Behaviour for QueueDeletedRecently {
    fn name(&self) -> &'static str {
        "queue-deleted-recently"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !call.is(Service::Sqs, "CreateQueue") {
            return None;
        }
        let message =
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.";
        let refused = self.deleted.look(&queue(call)?);
        self.strikes.with(refused.map(|_| error(call, 400, "QueueDeletedRecently", message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if call.is(Service::Sqs, "DeleteQueue")
            && answer.status == 200
            && let Some(queue) = queue(call)
        {
            self.deleted.begin(queue);
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A new queue is not known everywhere for its first second.
///
/// "Real AWS behaviour" 1.5 and 6: "After you create a queue, you must wait at least one second after the queue is created to
/// be able to use the queue" (botocore's documentation of CreateQueue).
pub struct QueueShowsLate {
    made: Spells<Queue>,
    strikes: Strikes,
}

impl QueueShowsLate {
    pub fn new(pace: Pace) -> Self {
        Self { made: Spells::of(pace.seconds(1.0)), strikes: Strikes::default() }
    }
}

impl Behaviour for QueueShowsLate {
    fn name(&self) -> &'static str {
        "queue-shows-late"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !is_read(call) && !call.is(Service::Sqs, "SetQueueAttributes") {
            return None;
        }
        let refused = self.made.look(&queue(call)?);
        self.strikes.with(refused.map(|_| missing(call)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if call.is(Service::Sqs, "CreateQueue")
            && answer.status == 200
            && let Some(queue) = queue(call)
        {
            self.made.begin(queue);
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// New attributes show for up to 60 s only at some hosts: reads tell the new ones and the old ones by turns.
///
/// "Real AWS behaviour" 1.5, 6 and 13.5 (botocore's documentation of SetQueueAttributes; Terraform wants six reads in a row
/// that agree).
pub struct QueueAttributesLag {
    queues: Mutex<HashMap<Queue, Attributes>>,
    changed: Spells<Queue>,
    strikes: Strikes,
}

#[derive(Default)]
struct Attributes {
    /// What the service said last.
    shown: BTreeMap<String, Value>,
    /// What it said before a change, of what changed.
    old: BTreeMap<String, Option<Value>>,
}

impl QueueAttributesLag {
    pub fn new(pace: Pace) -> Self {
        Self { queues: Mutex::default(), changed: Spells::of(pace.seconds(60.0)), strikes: Strikes::default() }
    }
}

impl Behaviour for QueueAttributesLag {
    fn name(&self) -> &'static str {
        "queue-attributes-lag"
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(queue) = queue(call).filter(|_| answer.status == 200) else { return };
        let mut queues = held(&self.queues);
        let attributes = queues.entry(queue.clone()).or_default();
        if call.is(Service::Sqs, "SetQueueAttributes") {
            let names =
                call.input("Attributes").and_then(|it| Some(it.as_object()?.keys().cloned().collect::<Vec<_>>()));
            for name in names.unwrap_or_default() {
                let old = attributes.shown.get(&name).cloned();
                attributes.old.insert(name, old);
            }
            self.changed.begin(queue);
        } else if call.is(Service::Sqs, "GetQueueAttributes") {
            let shown = serde_json::from_slice::<Value>(&answer.body).ok();
            let shown = shown.and_then(|it| Some(it.get("Attributes")?.as_object()?.clone())).unwrap_or_default();
            attributes.shown.extend(shown);
            // The first read tells what is new: whoever believes it is deceived by the second.
            if self.changed.look(&queue).is_some_and(|look| look % 3 != 1) {
                self.strikes.add();
                edit_json(answer, |answer| put_back(&mut answer["Attributes"], &attributes.old));
            }
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

fn put_back(attributes: &mut Value, old: &BTreeMap<String, Option<Value>>) {
    if attributes.is_null() {
        *attributes = Value::Object(serde_json::Map::new());
    }
    let Some(attributes) = attributes.as_object_mut() else { return };
    for (name, value) in old {
        match value {
            Some(value) => _ = attributes.insert(name.clone(), value.clone()),
            None => _ = attributes.remove(name),
        }
    }
}

/// Reads of a deleted queue still succeed for up to 60 s, and now and then again after they have failed.
///
/// "Real AWS behaviour" 1.3, 1.5 and 6 (botocore's documentation of DeleteQueue; Terraform's `sqs/queue.go` wants to see it
/// missing 15 times in a row).
pub struct QueueLingers {
    answers: Mutex<HashMap<(Queue, String), Response>>,
    deleted: Spells<Queue>,
    strikes: Strikes,
}

impl QueueLingers {
    pub fn new(pace: Pace) -> Self {
        Self { answers: Mutex::default(), deleted: Spells::of(pace.seconds(60.0)), strikes: Strikes::default() }
    }
}

impl Behaviour for QueueLingers {
    fn name(&self) -> &'static str {
        "queue-lingers"
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(queue) = queue(call) else { return };
        let is_done = answer.status == 200;
        if is_read(call) {
            let key = (queue.clone(), call.operation.clone());
            let mut answers = held(&self.answers);
            if is_done {
                answers.insert(key, answer.clone());
            } else if let Some(look) = self.deleted.look(&queue)
                // There, there, gone, and there again for a while: whoever believes the first miss is deceived.
                && look % 10 != 3
                && let Some(old) = answers.get(&key)
            {
                self.strikes.add();
                *answer = old.clone();
            }
        } else if is_done && call.is(Service::Sqs, "DeleteQueue") {
            self.deleted.begin(queue);
        } else if is_done && call.is(Service::Sqs, "CreateQueue") {
            self.deleted.end(&queue);
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}
