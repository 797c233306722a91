//! What a table has beside its description: backups, tags, time to live.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::real::dynamodb::{in_use, invalid, table_of};
use crate::real::{Lag, Moments, Named, Pace, Strikes, Underway, is_done};
use crate::{Behaviour, held};

pub fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![
        Arc::new(BackupsNotYetAvailable { pace, made: Lag::new(), strikes: Strikes::default() }),
        Arc::new(TagsLocked { pace, written: Underway::new(), strikes: Strikes::default() }),
        Arc::new(TagsStale { pace, written: Lag::new(), shown: Mutex::default(), strikes: Strikes::default() }),
        Arc::new(TimeToLiveCoolingDown { pace, changed: Moments::new(), strikes: Strikes::default() }),
    ]
}

/// A new table takes point-in-time recovery only seconds after it is `ACTIVE`.
///
/// "Real AWS behaviour" 5.1 and 13.7: ContinuousBackupsUnavailableException for 1.4 to 6 s (measured by the DynamoDB
/// controller of AWS Controllers for Kubernetes; Terraform's `dynamodb/table.go` retries for 20 minutes).
struct BackupsNotYetAvailable {
    pace: Pace,
    made: Lag<Named>,
    strikes: Strikes,
}

impl Behaviour for BackupsNotYetAvailable {
    fn name(&self) -> &'static str {
        "backups-not-yet-available"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let table = table_of(call).filter(|_| call.operation == "UpdateContinuousBackups")?;
        let is_new = self.made.lasts(&table, self.pace.seconds(3.0));
        let message = format!("Backups are being enabled for the table: {}. Please retry later", table.1);
        self.strikes.with(is_new.then(|| error(call, 400, "ContinuousBackupsUnavailableException", &message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if call.is(Service::DynamoDb, "CreateTable")
            && is_done(answer)
            && let Some(table) = table_of(call)
        {
            self.made.note(table);
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

fn writes_tags(call: &Call) -> bool {
    ["TagResource", "UntagResource"].iter().any(|it| call.is(Service::DynamoDb, it))
}

/// A write of tags keeps the next one away, and the table's deletion.
///
/// "Real AWS behaviour" 5.3, 5.4 and 13.7: for about 1.6 s (measured by the DynamoDB controller of AWS Controllers for
/// Kubernetes).
struct TagsLocked {
    pace: Pace,
    written: Underway<Named, ()>,
    strikes: Strikes,
}

impl Behaviour for TagsLocked {
    fn name(&self) -> &'static str {
        "tags-locked"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let table = table_of(call)?;
        self.written.on(&table)?;
        let answer = match call.operation.as_str() {
            "DeleteTable" => in_use(call, &format!("Table tags are being updated: {}", table.1)),
            _ if writes_tags(call) => {
                let message = "Subscriber limit exceeded: Table tags are being updated";
                error(call, 400, "LimitExceededException", message)
            }
            _ => return None,
        };
        self.strikes.with(Some(answer))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if writes_tags(call)
            && is_done(answer)
            && let Some(table) = table_of(call)
        {
            self.written.start(table, (), self.pace.seconds(1.6));
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// Tags that were written a moment ago are read as they were before.
///
/// "Real AWS behaviour" 5.2 and 13.7: for 1.3 to 3 s (measured by the DynamoDB controller of AWS Controllers for
/// Kubernetes).
struct TagsStale {
    pace: Pace,
    written: Lag<Named>,
    /// The last answer to ListTagsOfResource that was true.
    shown: Mutex<HashMap<Named, Vec<u8>>>,
    strikes: Strikes,
}

impl Behaviour for TagsStale {
    fn name(&self) -> &'static str {
        "tags-stale"
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(table) = table_of(call).filter(|_| is_done(answer)) else { return };
        if writes_tags(call) {
            self.written.note(table);
        } else if call.operation == "ListTagsOfResource" {
            let is_stale = self.written.lasts(&table, self.pace.seconds(2.0));
            let mut shown = held(&self.shown);
            match shown.get(&table).filter(|_| is_stale) {
                Some(before) => {
                    self.strikes.add();
                    answer.body.clone_from(before);
                    answer.headers.remove("x-amz-crc32");
                }
                None => _ = shown.insert(table, answer.body.clone()),
            }
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// Time to live can be changed again only after half an hour.
///
/// "Real AWS behaviour" 1.6, 5.2 and 13.7: about 31 minutes (measured by the DynamoDB controller of AWS Controllers for
/// Kubernetes; AWS's page "UpdateTimeToLive" says an hour).
struct TimeToLiveCoolingDown {
    pace: Pace,
    changed: Moments<Named>,
    strikes: Strikes,
}

impl Behaviour for TimeToLiveCoolingDown {
    fn name(&self) -> &'static str {
        "time-to-live-cooling-down"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let table = table_of(call).filter(|_| call.operation == "UpdateTimeToLive")?;
        let is_too_early = self.changed.is_younger(&table, self.pace.seconds(1860.0));
        let message = "Time to live has been modified multiple times within a fixed interval";
        self.strikes.with(is_too_early.then(|| invalid(call, message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(table) = table_of(call).filter(|_| is_done(answer)) else { return };
        match call.operation.as_str() {
            "UpdateTimeToLive" => self.changed.note(table),
            "DeleteTable" => self.changed.forget(&table),
            _ => {}
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}
