//! API Gateway keeps one backend for each API, which takes one write at a time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::real::spell::Spells;
use crate::real::{Pace, Strikes};
use crate::{Behaviour, held};

/// The behaviours of this file.
pub(super) fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![
        Arc::new(AccountRoleNotUsable::new(pace)),
        Arc::new(ApiBusy::new(pace)),
        Arc::new(MethodHalfMade::new(pace)),
        Arc::new(StageHalfMade::new(pace)),
        Arc::new(StageMovesLate::new(pace)),
        Arc::new(UsagePlanOfStages::new(pace)),
    ]
}

/// Another program writes to the API when one does: the first call of each operation on it is refused.
///
/// "Real AWS behaviour" 1.1, 2 and 13.8: ConflictException (Terraform repeats whatever says `try again later`).
pub struct ApiBusy {
    refused: Mutex<HashSet<(String, String)>>,
    strikes: Strikes,
}

impl ApiBusy {
    pub fn new(_pace: Pace) -> Self {
        Self { refused: Mutex::default(), strikes: Strikes::default() }
    }
}

impl Behaviour for ApiBusy {
    fn name(&self) -> &'static str {
        "api-busy"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if call.service != Service::ApiGateway || call.request.method == "GET" {
            return None;
        }
        let is_first = held(&self.refused).insert((call.text("restApiId")?, call.operation.clone()));
        let message = "Unable to complete operation due to concurrent modification. Please try again later.";
        self.strikes.with(is_first.then(|| error(call, 409, "ConflictException", message)))
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A deployment counts as used for some seconds after its stage was moved to another one or deleted.
///
/// "Real AWS behaviour" 1.7 and 2.6 (`Active stages pointing to this deployment must be moved or deleted`, recorded by
/// LocalStack) with 1 rule 1: a 200 means that the move is accepted.
pub struct StageMovesLate {
    moved: Spells<String>,
    strikes: Strikes,
}

impl StageMovesLate {
    pub fn new(pace: Pace) -> Self {
        Self { moved: Spells::of(pace.seconds(5.0)), strikes: Strikes::default() }
    }
}

impl Behaviour for StageMovesLate {
    fn name(&self) -> &'static str {
        "stage-moves-late"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !call.is(Service::ApiGateway, "DeleteDeployment") {
            return None;
        }
        let refused = self.moved.look(&call.text("restApiId")?);
        let message = "Active stages pointing to this deployment must be moved or deleted";
        self.strikes.with(refused.map(|_| error(call, 400, "BadRequestException", message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let moves = call.is(Service::ApiGateway, "UpdateStage")
            && String::from_utf8_lossy(&call.request.body).contains("/deploymentId");
        if (moves || call.is(Service::ApiGateway, "DeleteStage"))
            && answer.status < 300
            && let Some(api) = call.text("restApiId")
        {
            self.moved.begin(api);
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// The account's logging role is refused while it, or its policy, is new.
///
/// "Real AWS behaviour" 1.1, 1.5 and 13.8: 10 to 30 s (Terraform's `apigateway/account.go` repeats for two minutes).
pub struct AccountRoleNotUsable {
    made: Spells<(String, String)>,
    strikes: Strikes,
}

impl AccountRoleNotUsable {
    pub fn new(pace: Pace) -> Self {
        Self { made: Spells::of(pace.seconds(20.0)), strikes: Strikes::default() }
    }
}

impl Behaviour for AccountRoleNotUsable {
    fn name(&self) -> &'static str {
        "account-role-not-usable"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !call.is(Service::ApiGateway, "UpdateAccount") {
            return None;
        }
        let body = String::from_utf8_lossy(&call.request.body).into_owned();
        let is_fresh = self
            .made
            .look_at_any(|(account, role)| *account == call.account && body.contains(&format!("role/{role}\"")));
        let message = "The role ARN does not have required permissions configured. Please grant trust permission for API \
                       Gateway and add the required role policy.";
        self.strikes.with(is_fresh.then(|| error(call, 400, "BadRequestException", message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if call.is(Service::Iam, "CreateRole")
            && answer.status == 200
            && let Some(name) = call.text("RoleName")
        {
            self.made.begin((call.account.clone(), name));
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// What is patched into a stage right after its creation is refused once, so that the stage is there without it; and a stage
/// that is there cannot be made.
///
/// "Real AWS behaviour" 2.6: "UpdateStage right after; if that fails, the stage exists and the next create gives
/// ConflictException `Stage already exists`".
pub struct StageHalfMade {
    refused: Mutex<HashSet<(String, String)>>,
    strikes: Strikes,
}

impl StageHalfMade {
    pub fn new(_pace: Pace) -> Self {
        Self { refused: Mutex::default(), strikes: Strikes::default() }
    }
}

impl Behaviour for StageHalfMade {
    fn name(&self) -> &'static str {
        "stage-half-made"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !call.is(Service::ApiGateway, "UpdateStage") {
            return None;
        }
        let is_first = held(&self.refused).insert((call.text("restApiId")?, call.text("stageName")?));
        let message = "CloudWatch Logs role ARN must be set in account settings to enable logging";
        self.strikes.with(is_first.then(|| error(call, 400, "BadRequestException", message)))
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A method that is there cannot be put again, though its integration and responses may be missing.
///
/// "Real AWS behaviour" 2.1: the next PutMethod is refused with `Method already exists for this resource` (CDKD's
/// apigateway-provider).
pub struct MethodHalfMade {
    made: Mutex<HashSet<[String; 3]>>,
    /// How often it was asked about a method that it knew to be there.
    strikes: Strikes,
}

impl MethodHalfMade {
    pub fn new(_pace: Pace) -> Self {
        Self { made: Mutex::default(), strikes: Strikes::default() }
    }
}

fn method(call: &Call) -> Option<[String; 3]> {
    Some([call.text("restApiId")?, call.text("resourceId")?, call.text("httpMethod")?])
}

impl Behaviour for MethodHalfMade {
    fn name(&self) -> &'static str {
        "method-half-made"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let is_there = held(&self.made).contains(&method(call)?);
        if call.is(Service::ApiGateway, "GetMethod") && is_there {
            self.strikes.add();
        }
        let is_second = is_there && call.is(Service::ApiGateway, "PutMethod");
        is_second.then(|| error(call, 409, "ConflictException", "Method already exists for this resource"))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(method) = method(call).filter(|_| answer.status < 300) else { return };
        if call.is(Service::ApiGateway, "PutMethod") {
            held(&self.made).insert(method);
        } else if call.is(Service::ApiGateway, "DeleteMethod") {
            held(&self.made).remove(&method);
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A usage plan with stages cannot be deleted.
///
/// "Real AWS behaviour" 1.7, 2.7 and 13.8 (Terraform's `apigateway/usage_plan.go` takes the stages out first).
pub struct UsagePlanOfStages {
    of_stages: Mutex<HashSet<String>>,
    /// How often it judged a deletion.
    strikes: Strikes,
}

impl UsagePlanOfStages {
    pub fn new(_pace: Pace) -> Self {
        Self { of_stages: Mutex::default(), strikes: Strikes::default() }
    }
}

impl Behaviour for UsagePlanOfStages {
    fn name(&self) -> &'static str {
        "usage-plan-of-stages"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !call.is(Service::ApiGateway, "DeleteUsagePlan") {
            return None;
        }
        self.strikes.add();
        let plan = call.text("usagePlanId")?;
        let message = format!("Cannot delete Usage Plan {plan} because there are API Stages associated with it");
        held(&self.of_stages).contains(&plan).then(|| error(call, 400, "BadRequestException", &message))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let writes = ["CreateUsagePlan", "UpdateUsagePlan"].iter().any(|it| call.is(Service::ApiGateway, it));
        let Some(plan) = serde_json::from_slice::<Value>(&answer.body).ok().filter(|_| writes && answer.status < 300)
        else {
            return;
        };
        let Some(id) = plan.get("id").and_then(Value::as_str) else { return };
        let has_stages = plan.get("apiStages").and_then(Value::as_array).is_some_and(|stages| !stages.is_empty());
        let mut of_stages = held(&self.of_stages);
        match has_stages {
            true => _ = of_stages.insert(id.to_owned()),
            false => _ = of_stages.remove(id),
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}
