//! Parents whose children must be written one at a time: a write that comes while another one is under way is refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::real::{Pace, Strikes};
use crate::{Behaviour, held};

/// The behaviours of this file.
pub(super) fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![Arc::new(Overlaps::new(Parents::Apis, pace)), Arc::new(Overlaps::new(Parents::LogGroups, pace))]
}

/// Refuses the second of two writes at once.
///
/// "Real AWS behaviour" 1 rule 7, 1.1, 2, 9 and 13.8: API Gateway's ConflictException, Logs' OperationAbortedException.
pub struct Overlaps {
    of: Parents,
    /// How long a write takes.
    length: Duration,
    /// The number of the call that is under way.
    under_way: Mutex<HashMap<String, usize>>,
    strikes: Strikes,
}

/// Of what there are many writes.
#[derive(Debug, Clone, Copy)]
pub enum Parents {
    Apis,
    LogGroups,
}

impl Overlaps {
    pub fn new(of: Parents, pace: Pace) -> Self {
        Self { of, length: pace.seconds(0.5), under_way: Mutex::default(), strikes: Strikes::default() }
    }

    fn parent(&self, call: &Call) -> Option<String> {
        match self.of {
            Parents::Apis => call.text("restApiId").filter(|_| call.request.method != "GET"),
            Parents::LogGroups => log_group_written(call),
        }
    }

    fn refusal(&self, call: &Call) -> Response {
        match self.of {
            Parents::Apis => {
                let message = "Unable to complete operation due to concurrent modification. Please try again later.";
                error(call, 409, "ConflictException", message)
            }
            Parents::LogGroups => aborted(call),
        }
    }
}

/// The log group that a call writes.
pub(super) fn log_group_written(call: &Call) -> Option<String> {
    let is_write = call.service == Service::Logs && !call.operation.starts_with("Describe");
    call.text("logGroupName").filter(|_| is_write)
}

pub(super) fn aborted(call: &Call) -> Response {
    let message = "A conflicting operation is currently in progress against this resource. Please try again.";
    error(call, 400, "OperationAbortedException", message)
}

impl Behaviour for Overlaps {
    fn name(&self) -> &'static str {
        match self.of {
            Parents::Apis => "api-writes-overlap",
            Parents::LogGroups => "log-group-writes-overlap",
        }
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let parent = self.parent(call)?;
        let is_second = *held(&self.under_way).entry(parent).or_insert(call.number) != call.number;
        if !is_second {
            thread::sleep(self.length);
        }
        self.strikes.with(is_second.then(|| self.refusal(call)))
    }

    fn after(&self, call: &Call, _answer: &mut Response) {
        if let Some(parent) = self.parent(call) {
            let mut under_way = held(&self.under_way);
            if under_way.get(&parent) == Some(&call.number) {
                under_way.remove(&parent);
            }
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}
