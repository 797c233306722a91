//! Functions that are being made and changed, their policies, and the account's concurrency.

mod mapping;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::real::{Lag, Named, Pace, Strikes, Underway, edit_json, is_done, names};
use crate::{Behaviour, held};

pub fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    let functions: Vec<Arc<dyn Behaviour>> = vec![
        Arc::new(FunctionPending { pace, made: Underway::new(), strikes: Strikes::default() }),
        Arc::new(FunctionUpdating { pace, changed: Underway::new(), strikes: Strikes::default() }),
        Arc::new(PolicyWrittenByAnother {
            pace,
            seen: Mutex::default(),
            writes: Underway::new(),
            strikes: Strikes::default(),
        }),
        Arc::new(PermissionNotYetShown { pace, made: Lag::new(), strikes: Strikes::default() }),
        Arc::new(SmallAccount { strikes: Strikes::default() }),
    ];
    [functions, mapping::all(pace)].concat()
}

/// The function that a call names, by its name or ARN.
pub(super) fn function_of(call: &Call) -> Option<Named> {
    let text = call.text("FunctionName")?;
    let name = text.rsplit_once("function:").map_or(text.as_str(), |(_, name)| name);
    Some((call.account.clone(), name.split(':').next().unwrap_or_default().to_owned()))
}

fn conflict(call: &Call, message: &str) -> Response {
    error(call, 409, "ResourceConflictException", message)
}

/// The operations that a function refuses while it is at work.
const CHANGES: [&str; 4] =
    ["PublishVersion", "PutRuntimeManagementConfig", "UpdateFunctionCode", "UpdateFunctionConfiguration"];

/// Changes a function's configuration where the answer shows it.
fn edit_configuration(call: &Call, answer: &mut Response, edit: impl FnOnce(&mut Value)) {
    match call.operation.as_str() {
        _ if !is_done(answer) => {}
        "GetFunction" => edit_json(answer, |answer| edit(&mut answer["Configuration"])),
        "CreateFunction" | "GetFunctionConfiguration" | "UpdateFunctionCode" | "UpdateFunctionConfiguration" => {
            edit_json(answer, edit);
        }
        _ => {}
    }
}

/// A new function is `Pending` for seconds, and refuses changes, its deletion among them.
///
/// "Real AWS behaviour" 4.1, 1.5 and 13.2: 3 to 10 s (the waiter FunctionActiveV2 of botocore's Lambda model; cdkd's
/// Lambda provider found which operations are refused).
struct FunctionPending {
    pace: Pace,
    made: Underway<Named, ()>,
    strikes: Strikes,
}

impl Behaviour for FunctionPending {
    fn name(&self) -> &'static str {
        "function-pending"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let is_refused = CHANGES.iter().chain(&["DeleteFunction"]).any(|it| call.is(Service::Lambda, it));
        is_refused.then(|| self.made.on(&function_of(call)?)).flatten()?;
        let message = "The operation cannot be performed at this time. The function is currently in the following \
                       state: Pending";
        self.strikes.with(Some(conflict(call, message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if call.service != Service::Lambda {
            return;
        }
        let Some(function) = function_of(call) else { return };
        if call.operation == "CreateFunction" && is_done(answer) {
            self.made.start(function.clone(), (), self.pace.seconds(6.0));
        }
        if self.made.on(&function).is_some() {
            edit_configuration(call, answer, |configuration| {
                self.strikes.add();
                configuration["State"] = json!("Pending");
                configuration["StateReason"] = json!("The function is being created.");
                configuration["StateReasonCode"] = json!("Creating");
            });
        }
    }

    fn unsettled(&self) -> Vec<String> {
        names(self.made.all(), "Pending")
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A function that is being changed refuses the next change.
///
/// "Real AWS behaviour" 1.1, 4.1 and 13.2: `LastUpdateStatus` is `InProgress` for 2 to 5 s, also where nothing differs
/// (recorded by LocalStack's tests; Terraform's `lambda/function.go` waits for it).
struct FunctionUpdating {
    pace: Pace,
    changed: Underway<Named, ()>,
    strikes: Strikes,
}

impl Behaviour for FunctionUpdating {
    fn name(&self) -> &'static str {
        "function-updating"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let is_refused = CHANGES.iter().any(|it| call.is(Service::Lambda, it));
        let function = is_refused.then(|| function_of(call)).flatten()?;
        self.changed.on(&function)?;
        let arn = format!("arn:aws:lambda:{}:{}:function:{}", call.region, function.0, function.1);
        let message =
            format!("The operation cannot be performed at this time. An update is in progress for resource: {arn}");
        self.strikes.with(Some(conflict(call, &message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if call.service != Service::Lambda {
            return;
        }
        let Some(function) = function_of(call) else { return };
        if call.operation.starts_with("UpdateFunctionC") && is_done(answer) {
            self.changed.start(function.clone(), (), self.pace.seconds(4.0));
        }
        if self.changed.on(&function).is_some() {
            edit_configuration(call, answer, |configuration| {
                self.strikes.add();
                configuration["LastUpdateStatus"] = json!("InProgress");
                configuration["LastUpdateStatusReason"] = json!("The function is being created.");
                configuration["LastUpdateStatusReasonCode"] = json!("Creating");
            });
        }
    }

    fn unsettled(&self) -> Vec<String> {
        names(self.changed.all(), "InProgress")
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A function's policy takes one write at a time, and somebody else is at it first.
///
/// "Real AWS behaviour" 1 (rule 7), 1.1, 4.3 and 13.2 (Terraform's `lambda/permission.go` has a lock for each function;
/// cdkd's `retryable-errors` repeats the call).
struct PolicyWrittenByAnother {
    pace: Pace,
    /// The functions whose policy somebody has written meanwhile.
    seen: Mutex<HashSet<Named>>,
    writes: Underway<Named, ()>,
    strikes: Strikes,
}

impl Behaviour for PolicyWrittenByAnother {
    fn name(&self) -> &'static str {
        "policy-written-by-another"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let is_write = ["AddPermission", "RemovePermission"].iter().any(|it| call.is(Service::Lambda, it));
        let function = is_write.then(|| function_of(call)).flatten()?;
        let is_first = held(&self.seen).insert(function.clone());
        if is_first || self.writes.on(&function).is_some() {
            let message = "The function could not be updated due to a concurrent update operation.";
            return self.strikes.with(Some(conflict(call, message)));
        }
        // The lock is held until the answer; a write takes AWS some time.
        self.writes.start(function, (), self.pace.seconds(30.0));
        thread::sleep(self.pace.seconds(0.5));
        None
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if ["AddPermission", "RemovePermission"].iter().any(|it| call.is(Service::Lambda, it))
            && answer.status != 409
            && let Some(function) = function_of(call)
        {
            self.writes.stop(&function);
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A permission that was just given does not show yet.
///
/// "Real AWS behaviour" 4.3: GetPolicy may lack it right after AddPermission (Terraform's `lambda/permission.go` repeats the
/// read for five minutes).
struct PermissionNotYetShown {
    pace: Pace,
    made: Lag<(Named, String)>,
    strikes: Strikes,
}

impl Behaviour for PermissionNotYetShown {
    fn name(&self) -> &'static str {
        "permission-not-yet-shown"
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if call.service != Service::Lambda || !is_done(answer) {
            return;
        }
        let Some(function) = function_of(call) else { return };
        match call.operation.as_str() {
            "AddPermission" => {
                if let Some(id) = call.text("StatementId") {
                    self.made.note((function, id));
                }
            }
            "GetPolicy" => self.hide_what_is_new(call, &function, answer),
            _ => {}
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

impl PermissionNotYetShown {
    fn hide_what_is_new(&self, call: &Call, function: &Named, answer: &mut Response) {
        let Ok(shown) = serde_json::from_slice::<Value>(&answer.body) else { return };
        let policy = shown["Policy"].as_str().and_then(|policy| serde_json::from_str(policy).ok());
        let Some(Value::Object(mut policy)) = policy else { return };
        let Some(Value::Array(statements)) = policy.get_mut("Statement") else { return };
        let before = statements.len();
        let is_new = |statement: &Value| {
            let id = statement["Sid"].as_str().unwrap_or_default().to_owned();
            self.made.lasts(&(function.clone(), id), self.pace.seconds(2.0))
        };
        statements.retain(|statement| !is_new(statement));
        if statements.len() == before {
            return;
        }
        self.strikes.add();
        if statements.is_empty() {
            let message = "The resource you requested does not exist.";
            *answer = error(call, 404, "ResourceNotFoundException", message);
        } else {
            let policy = Value::Object(policy).to_string();
            edit_json(answer, |answer| answer["Policy"] = json!(policy));
        }
    }
}

/// An account that may run ten functions at once, and all of them have to stay unreserved.
///
/// "Real AWS behaviour" 4.1 and 13.4: new accounts may have so few (the text is in the logs of several public
/// repositories; the limits are on AWS's page "Lambda quotas").
struct SmallAccount {
    strikes: Strikes,
}

impl Behaviour for SmallAccount {
    fn name(&self) -> &'static str {
        "small-account"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let reserves = call.is(Service::Lambda, "PutFunctionConcurrency")
            && call.input("ReservedConcurrentExecutions").is_some_and(|it| it != 0);
        let message = "Specified ReservedConcurrentExecutions for function decreases account's \
                       UnreservedConcurrentExecution below its minimum value of [10].";
        self.strikes.with(reserves.then(|| error(call, 400, "InvalidParameterValueException", message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if call.is(Service::Lambda, "GetAccountSettings") && is_done(answer) {
            edit_json(answer, |answer| {
                answer["AccountLimit"]["ConcurrentExecutions"] = json!(10);
                answer["AccountLimit"]["UnreservedConcurrentExecutions"] = json!(10);
            });
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// What functions were told to be, for others that compare with it.
#[derive(Debug, Default)]
struct Told(Mutex<HashMap<Named, i64>>);

impl Told {
    fn hear(&self, what: Named, number: i64) {
        held(&self.0).insert(what, number);
    }

    fn of(&self, what: &Named) -> Option<i64> {
        held(&self.0).get(what).copied()
    }
}
