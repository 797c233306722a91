//! IAM accepts in one place what the others learn of later: its own replicas, Lambda, and its checks of principals.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::real::lambda::function_of;
use crate::real::{Lag, Named, Pace, Strikes, is_done};
use crate::{Behaviour, held};

pub fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![
        Arc::new(RoleNotYetAssumable { pace, made: Lag::new(), strikes: Strikes::default() }),
        Arc::new(PolicyNotYetEffective {
            pace,
            written: Lag::new(),
            roles: Mutex::default(),
            strikes: Strikes::default(),
        }),
        Arc::new(RoleNotYetEverywhere { pace, made: Lag::new(), strikes: Strikes::default() }),
        Arc::new(PrincipalNotYetKnown { pace, made: Lag::new(), strikes: Strikes::default() }),
        Arc::new(StillAttached { pace, detached: Lag::new(), strikes: Strikes::default() }),
        Arc::new(WrittenAtTheSameTime { seen: Mutex::default(), strikes: Strikes::default() }),
    ]
}

/// Lambda cannot assume a role for the first seconds of its life.
///
/// "Real AWS behaviour" 1.1 and 13.1: CreateFunction and UpdateFunctionConfiguration answer InvalidParameterValueException
/// for 5 to 10 s (Terraform's `lambda/function.go` retries for five minutes).
struct RoleNotYetAssumable {
    pace: Pace,
    made: Lag<Named>,
    strikes: Strikes,
}

impl Behaviour for RoleNotYetAssumable {
    fn name(&self) -> &'static str {
        "role-not-yet-assumable"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let takes_a_role =
            ["CreateFunction", "UpdateFunctionConfiguration"].iter().any(|it| call.is(Service::Lambda, it));
        let role = takes_a_role.then(|| role_in(call, "Role")).flatten()?;
        let is_fresh = self.made.lasts(&role, self.pace.seconds(8.0));
        let message = "The role defined for the function cannot be assumed by Lambda.";
        self.strikes.with(is_fresh.then(|| error(call, 400, "InvalidParameterValueException", message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if let Some(role) = made(call, answer) {
            self.made.note(role);
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// Lambda does not see yet what a function's role may do, when an event source is mapped to the function.
///
/// "Real AWS behaviour" 1.1, 4.4 and 13.1: CreateEventSourceMapping answers InvalidParameterValueException for 5 to 10 s
/// after the policy was put on the role (Terraform's `lambda/event_source_mapping.go` retries for five minutes).
struct PolicyNotYetEffective {
    pace: Pace,
    /// The roles whose policies were changed.
    written: Lag<Named>,
    /// The role of each function.
    roles: Mutex<HashMap<Named, Named>>,
    strikes: Strikes,
}

impl Behaviour for PolicyNotYetEffective {
    fn name(&self) -> &'static str {
        "policy-not-yet-effective"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !call.is(Service::Lambda, "CreateEventSourceMapping") {
            return None;
        }
        let role = held(&self.roles).get(&function_of(call)?).cloned()?;
        let source = call.text("EventSourceArn")?;
        let message = if source.contains(":sqs:") {
            "The provided execution role does not have permissions to call ReceiveMessage on SQS".to_owned()
        } else {
            format!(
                "Cannot access stream {source}. Please ensure the role can perform the GetRecords, GetShardIterator, \
                 DescribeStream, ListShards, and ListStreams Actions on your stream in IAM."
            )
        };
        let is_fresh = self.written.lasts(&role, self.pace.seconds(8.0));
        self.strikes.with(is_fresh.then(|| error(call, 400, "InvalidParameterValueException", &message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let is_function =
            ["CreateFunction", "UpdateFunctionConfiguration"].iter().any(|it| call.is(Service::Lambda, it));
        let is_policy = ["CreateRole", "PutRolePolicy", "AttachRolePolicy"].iter().any(|it| call.is(Service::Iam, it));
        if is_function
            && is_done(answer)
            && let (Some(function), Some(role)) = (function_of(call), role_in(call, "Role"))
        {
            held(&self.roles).insert(function, role);
        }
        if is_policy
            && is_done(answer)
            && let Some(role) = role_of(call)
        {
            self.written.note(role);
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A role that was just made is not there yet for the replica that answers; each operation finds one of its own.
///
/// "Real AWS behaviour" 10, 10.1 and 13.10: NoSuchEntity for 1 to 3 s after CreateRole (AWS's page "Changes that I make are
/// not always immediately visible"; Terraform's `propagationTimeout` is two minutes).
struct RoleNotYetEverywhere {
    pace: Pace,
    made: Lag<(Named, &'static str)>,
    strikes: Strikes,
}

const ON_A_NEW_ROLE: [&str; 3] = ["AttachRolePolicy", "GetRole", "PutRolePolicy"];

impl Behaviour for RoleNotYetEverywhere {
    fn name(&self) -> &'static str {
        "role-not-yet-everywhere"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let operation = ON_A_NEW_ROLE.into_iter().find(|it| call.is(Service::Iam, it))?;
        let role = role_of(call)?;
        let message = format!("The role with name {} cannot be found.", role.1);
        let is_fresh = self.made.lasts(&(role, operation), self.pace.seconds(2.0));
        self.strikes.with(is_fresh.then(|| error(call, 404, "NoSuchEntity", &message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        for operation in ON_A_NEW_ROLE {
            if let Some(role) = made(call, answer) {
                self.made.note((role, operation));
            } else if call.is(Service::Iam, "DeleteRole")
                && let Some(role) = role_of(call)
            {
                self.made.forget(&(role, operation));
            }
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A role that was just made is no principal yet for the trust policies of others.
///
/// "Real AWS behaviour" 1.1, 10.1 and 13.6: CreateRole and UpdateAssumeRolePolicy answer MalformedPolicyDocument for about
/// 10 s (Terraform's `iam/role.go` retries for two minutes).
struct PrincipalNotYetKnown {
    pace: Pace,
    made: Lag<Named>,
    strikes: Strikes,
}

impl Behaviour for PrincipalNotYetKnown {
    fn name(&self) -> &'static str {
        "principal-not-yet-known"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let document = match call.operation.as_str() {
            "CreateRole" => call.text("AssumeRolePolicyDocument"),
            "UpdateAssumeRolePolicy" => call.text("PolicyDocument"),
            _ => None,
        };
        let document: Value = serde_json::from_str(&document?).ok()?;
        let is_fresh = |arn: &&str| {
            let role = arn.rsplit('/').next().unwrap_or_default().to_owned();
            self.made.lasts(&(call.account.clone(), role), self.pace.seconds(10.0))
        };
        let fresh = principals(&document).into_iter().find(is_fresh)?;
        let message = format!(r#"Invalid principal in policy: "AWS":"{fresh}""#);
        self.strikes.with(Some(error(call, 400, "MalformedPolicyDocument", &message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if let Some(role) = made(call, answer) {
            self.made.note(role);
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// What was taken off a role or policy a moment ago is still in the way of its deletion.
///
/// "Real AWS behaviour" 1.1, 10.1, 10.3 and 13.10: DeleteRole and DeletePolicy answer DeleteConflict for seconds after the
/// last detach (Terraform's `iam/role.go` and `iam/policy.go` retry for two minutes).
struct StillAttached {
    pace: Pace,
    /// Names of roles and ARNs of policies.
    detached: Lag<Named>,
    strikes: Strikes,
}

impl Behaviour for StillAttached {
    fn name(&self) -> &'static str {
        "still-attached"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let (what, message) = match call.operation.as_str() {
            "DeleteRole" => (call.text("RoleName")?, "Cannot delete entity, must detach all policies first."),
            "DeletePolicy" => (call.text("PolicyArn")?, "Cannot delete a policy attached to entities."),
            _ => return None,
        };
        let is_fresh = self.detached.lasts(&(call.account.clone(), what), self.pace.seconds(3.0));
        self.strikes.with(is_fresh.then(|| error(call, 409, "DeleteConflict", message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let takes_off = ["DetachRolePolicy", "DeleteRolePolicy"].iter().any(|it| call.is(Service::Iam, it));
        if takes_off && is_done(answer) {
            for what in ["RoleName", "PolicyArn"].iter().filter_map(|it| call.text(it)) {
                self.detached.note((call.account.clone(), what));
            }
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// Somebody else writes to the same thing at the same time: each kind of write to each thing is refused once.
///
/// "Real AWS behaviour" 1.1: any write of IAM may answer ConcurrentModification (Terraform's
/// `iam/role_policy_attachment.go` retries it; the text is that of AWS's page "CreateRole").
struct WrittenAtTheSameTime {
    seen: Mutex<HashSet<(Named, String)>>,
    strikes: Strikes,
}

impl Behaviour for WrittenAtTheSameTime {
    fn name(&self) -> &'static str {
        "written-at-the-same-time"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let is_read = ["Get", "List"].iter().any(|it| call.operation.starts_with(it));
        if call.service != Service::Iam || is_read {
            return None;
        }
        let what = ["RoleName", "PolicyArn", "PolicyName"].iter().find_map(|it| call.text(it))?;
        let is_first = held(&self.seen).insert(((call.account.clone(), what), call.operation.clone()));
        let message = "The request was rejected because multiple requests to change this object were submitted \
                       simultaneously. Wait a few minutes and submit your request again.";
        self.strikes.with(is_first.then(|| error(call, 409, "ConcurrentModification", message)))
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// The role that the call has made.
fn made(call: &Call, answer: &Response) -> Option<Named> {
    (call.is(Service::Iam, "CreateRole") && is_done(answer)).then(|| role_of(call)).flatten()
}

fn role_of(call: &Call) -> Option<Named> {
    Some((call.account.clone(), call.text("RoleName")?))
}

/// The role whose ARN is a member of the input.
fn role_in(call: &Call, member: &str) -> Option<Named> {
    let arn = call.text(member)?;
    Some((call.account.clone(), arn.rsplit('/').next().unwrap_or_default().to_owned()))
}

/// The ARNs of those whom a trust policy names.
fn principals(document: &Value) -> Vec<&str> {
    let statements = listed(&document["Statement"]).into_iter();
    statements.flat_map(|it| listed(&it["Principal"]["AWS"])).filter_map(Value::as_str).collect()
}

/// The items of a list; policies may write one item without it.
fn listed(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}
