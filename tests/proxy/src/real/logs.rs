//! Logs that come late, and log groups that are busy.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::json;

use crate::call::{Call, Service};
use crate::http::{self, Response};
use crate::real::overlap::{aborted, log_group_written};
use crate::real::{Pace, Strikes};
use crate::{Behaviour, held};

/// The behaviours of this file.
pub(super) fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![Arc::new(LogGroupBusy::new(pace)), Arc::new(LogGroupReappears::new(pace))]
}

/// Another program writes to the log group when one does: the first call of each operation on it is refused.
///
/// "Real AWS behaviour" 1.1 and 9: OperationAbortedException (Terraform repeats for one minute and for five).
pub struct LogGroupBusy {
    refused: Mutex<HashSet<(String, String)>>,
    strikes: Strikes,
}

impl LogGroupBusy {
    pub fn new(_pace: Pace) -> Self {
        Self { refused: Mutex::default(), strikes: Strikes::default() }
    }
}

impl Behaviour for LogGroupBusy {
    fn name(&self) -> &'static str {
        "log-group-busy"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let is_first = held(&self.refused).insert((log_group_written(call)?, call.operation.clone()));
        self.strikes.with(is_first.then(|| aborted(call)))
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// What a function or an API stage logged before it was deleted is written some 20 s after the log group is deleted, and makes
/// it again: without tags, and for ever.
///
/// "Real AWS behaviour" 1.7, 9.1 and 13.11 (CDKD's logs-loggroup-provider).
pub struct LogGroupReappears {
    pace: Pace,
    reappeared: Mutex<HashSet<String>>,
    strikes: Arc<Strikes>,
}

impl LogGroupReappears {
    pub fn new(pace: Pace) -> Self {
        Self { pace, reappeared: Mutex::default(), strikes: Arc::default() }
    }
}

impl Behaviour for LogGroupReappears {
    fn name(&self) -> &'static str {
        "log-group-reappears"
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(name) = call.text("logGroupName").filter(|_| call.is(Service::Logs, "DeleteLogGroup")) else { return };
        let is_a_services = name.starts_with("/aws/lambda/") || name.starts_with("API-Gateway-Execution-Logs_");
        if !is_a_services || answer.status != 200 || !held(&self.reappeared).insert(name.clone()) {
            return;
        }
        // The late write comes through this very proxy, as the client's own calls do.
        let mut request = call.request.clone();
        request.headers.set("X-Amz-Target", "Logs_20140328.CreateLogGroup");
        request.body = json!({"logGroupName": name}).to_string().into_bytes();
        let Some(proxy) = request.headers.get("Host").map(str::to_owned) else { return };
        let (delay, strikes) = (self.pace.seconds(20.0), Arc::clone(&self.strikes));
        thread::spawn(move || {
            thread::sleep(delay);
            if http::forward(&request, &proxy).is_ok_and(|answer| answer.status == 200) {
                strikes.add();
            }
        });
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}
