//! IAM accepts in one place what the others learn of later.

use crate::Behaviour;
use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::real::{Moments, Pace, Strikes};

/// Lambda cannot assume a role for the first seconds of its life.
///
/// "Real AWS behaviour" 1.1 and 13.1: CreateFunction, UpdateFunctionConfiguration and CreateEventSourceMapping answer
/// InvalidParameterValueException for 5 to 10 s (Terraform's `lambda/function.go` retries for five minutes).
pub struct RoleNotYetAssumable {
    pace: Pace,
    made: Moments<(String, String)>,
    strikes: Strikes,
}

impl RoleNotYetAssumable {
    pub fn new(pace: Pace) -> Self {
        Self { pace, made: Moments::new(), strikes: Strikes::default() }
    }
}

impl Behaviour for RoleNotYetAssumable {
    fn name(&self) -> &'static str {
        "role-not-yet-assumable"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let takes_a_role =
            ["CreateFunction", "UpdateFunctionConfiguration"].iter().any(|it| call.is(Service::Lambda, it));
        if !takes_a_role {
            return None;
        }
        let arn = call.text("Role")?;
        let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
        let is_fresh = self.made.is_younger(&(call.account.clone(), name), self.pace.seconds(8.0));
        let message = "The role defined for the function cannot be assumed by Lambda.";
        self.strikes.with(is_fresh.then(|| error(call, 400, "InvalidParameterValueException", message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if call.is(Service::Iam, "CreateRole")
            && answer.status == 200
            && let Some(name) = call.text("RoleName")
        {
            self.made.note((call.account.clone(), name));
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}
