//! A role that was made a moment ago is no principal yet, in the words of each service.

use std::sync::Arc;

use crate::Behaviour;
use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::real::spell::Spells;
use crate::real::{Pace, Strikes};

/// The behaviours of this file.
pub(super) fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![
        Arc::new(FreshPrincipal::new(Policies::Apis, pace)),
        Arc::new(FreshPrincipal::new(Policies::Queues, pace)),
        Arc::new(FreshPrincipal::new(Policies::Topics, pace)),
    ]
}

/// Policies that name a role are refused for the first seconds of its life.
///
/// "Real AWS behaviour" 1.1 and 13.6: less than 10 s, and Terraform repeats for two minutes (`sqs/queue.go`,
/// `sns/topic_policy.go`, `apigateway/rest_api.go`).
pub struct FreshPrincipal {
    of: Policies,
    made: Spells<(String, String)>,
    strikes: Strikes,
}

/// Whose policies.
#[derive(Debug, Clone, Copy)]
pub enum Policies {
    Apis,
    Queues,
    Topics,
}

impl FreshPrincipal {
    pub fn new(of: Policies, pace: Pace) -> Self {
        Self { of, made: Spells::of(pace.seconds(8.0)), strikes: Strikes::default() }
    }

    /// The policy in a call that sets one.
    fn policy(&self, call: &Call) -> Option<String> {
        match self.of {
            Policies::Queues => {
                let sets = call.is(Service::Sqs, "SetQueueAttributes") || call.is(Service::Sqs, "CreateQueue");
                call.input("Attributes").filter(|_| sets)?.get("Policy")?.as_str().map(str::to_owned)
            }
            Policies::Topics => {
                let sets = call.is(Service::Sns, "SetTopicAttributes");
                let is_policy = call.text("AttributeName").as_deref() == Some("Policy");
                call.text("AttributeValue").filter(|_| sets && is_policy)
            }
            Policies::Apis => call.text("policy").filter(|_| call.is(Service::ApiGateway, "CreateRestApi")),
        }
    }

    fn refusal(&self, call: &Call) -> Response {
        let (status, code, message) = match self.of {
            Policies::Queues => (400, "InvalidAttributeValue", "Invalid value for the parameter Policy."),
            Policies::Topics => (400, "InvalidParameter", "Invalid parameter: Policy Error: PrincipalNotFound"),
            Policies::Apis => (
                400,
                "BadRequestException",
                "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
            ),
        };
        error(call, status, code, message)
    }
}

impl Behaviour for FreshPrincipal {
    fn name(&self) -> &'static str {
        match self.of {
            Policies::Apis => "api-policy-principal",
            Policies::Queues => "queue-policy-principal",
            Policies::Topics => "topic-policy-principal",
        }
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let policy = self.policy(call)?;
        let is_named =
            |(account, role): &(String, String)| *account == call.account && policy.contains(&format!("role/{role}\""));
        let is_fresh = self.made.look_at_any(is_named);
        self.strikes.with(is_fresh.then(|| self.refusal(call)))
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
