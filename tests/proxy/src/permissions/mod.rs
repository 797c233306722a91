//! Permissions as IAM enforces them: each call is decided by the policy of whoever makes it, and refused as its service does.
//!
//! Emulators do not: the one of these tests asks nobody, and where others enforce IAM on request they look at actions only,
//! not at resources and conditions. What a call asks for is here (`asks.rs`) as AWS documents it, and deliberately not as
//! paystack's own table has it, which is what is to be proven.

mod asks;
mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Mutex;

use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::{Behaviour, held};

pub use policy::Policy;

/// What IAM is asked: may the caller do this there?
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    /// `sqs:CreateQueue`.
    pub action: String,
    /// An ARN, or `*` for an action that knows no resources.
    pub resource: String,
    /// The service that a role is passed to, for `iam:PassRole`.
    pub passed_to: Option<&'static str>,
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)
    }
}

/// Lets pass what a policy allows.
pub struct Permissions {
    policy: Policy,
    /// IAM knows its entities by their paths, which calls do not say again.
    paths: Mutex<BTreeMap<String, String>>,
    asked: Mutex<BTreeSet<Ask>>,
    refused: Mutex<BTreeSet<Ask>>,
}

impl Permissions {
    pub fn of(policy: Policy) -> Self {
        Self { policy, paths: Mutex::default(), asked: Mutex::default(), refused: Mutex::default() }
    }

    /// All that was asked for, whether it was allowed or not.
    pub fn asked(&self) -> BTreeSet<Ask> {
        held(&self.asked).clone()
    }

    pub fn refused(&self) -> BTreeSet<Ask> {
        held(&self.refused).clone()
    }
}

impl Behaviour for Permissions {
    fn name(&self) -> &'static str {
        "permissions"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let asks = {
            let mut paths = held(&self.paths);
            if let Some((entity, path)) = asks::path_of_new(call) {
                paths.insert(entity, path);
            }
            asks::of(call, &paths)
        };
        held(&self.asked).extend(asks.iter().cloned());
        let refused = asks.into_iter().find(|ask| !self.policy.allows(ask))?;
        let answer = denied(call, &refused);
        held(&self.refused).insert(refused);
        Some(answer)
    }

    fn strikes(&self) -> usize {
        self.refused().len()
    }
}

/// "Troubleshoot access denied error messages", and the common errors of each service's API reference.
fn denied(call: &Call, ask: &Ask) -> Response {
    let Ask { action, resource, .. } = ask;
    let message = format!(
        "User: arn:aws:iam::{}:user/deployer is not authorized to perform: {action} on resource: {resource} because no \
         identity-based policy allows the {action} action",
        call.account
    );
    let (status, code) = match call.service {
        Service::DynamoDb | Service::Logs | Service::Tagging | Service::Wafv2 => (400, "AccessDeniedException"),
        Service::ApiGateway | Service::Lambda | Service::Sqs => (403, "AccessDeniedException"),
        Service::Sns => (403, "AuthorizationError"),
        Service::CloudWatch | Service::Iam | Service::Sts | Service::Other => (403, "AccessDenied"),
    };
    error(call, status, code, &message)
}
