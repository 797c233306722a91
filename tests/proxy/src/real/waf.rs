//! WAF makes, associates and lets go with a delay. Its messages have curly apostrophes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::call::{Call, Service};
use crate::error::error;
use crate::http::Response;
use crate::real::spell::Spells;
use crate::real::{Pace, Strikes, edit_json};
use crate::{Behaviour, held};

/// The behaviours of this file.
pub(super) fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![
        Arc::new(AssociationHolds::new(pace)),
        Arc::new(AssociationLags::new(pace)),
        Arc::new(EntityUnavailable::new(pace)),
        Arc::new(LockTokenStale::new(pace)),
    ]
}

fn is_any(call: &Call, operations: &[&str]) -> bool {
    operations.iter().any(|operation| call.is(Service::Wafv2, operation))
}

/// A member of an answer's `Summary`.
fn summary(answer: &Response, member: &str) -> Option<String> {
    let answer: Value = serde_json::from_slice(&answer.body).ok()?;
    Some(answer.get("Summary")?.get(member)?.as_str()?.to_owned())
}

/// What refers to a thing that was made a moment ago is refused.
///
/// "Real AWS behaviour" 1.1, 1.5 and 13.9: WAFUnavailableEntityException, for more than 150 s at times (Terraform repeats for
/// five minutes).
pub struct EntityUnavailable {
    made: Spells<String>,
    strikes: Strikes,
}

impl EntityUnavailable {
    pub fn new(pace: Pace) -> Self {
        Self { made: Spells::of(pace.seconds(60.0)), strikes: Strikes::default() }
    }
}

impl Behaviour for EntityUnavailable {
    fn name(&self) -> &'static str {
        "waf-entity-unavailable"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !is_any(call, &["CreateWebACL", "UpdateWebACL", "AssociateWebACL", "PutLoggingConfiguration"]) {
            return None;
        }
        let body = String::from_utf8_lossy(&call.request.body).into_owned();
        let is_fresh = self.made.look_at_any(|arn| body.contains(arn.as_str()));
        let message = "AWS WAF couldn’t retrieve the resource that you requested. Retry your request.";
        self.strikes.with(is_fresh.then(|| error(call, 400, "WAFUnavailableEntityException", message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if is_any(call, &["CreateIPSet", "CreateWebACL"])
            && let Some(arn) = summary(answer, "ARN")
        {
            self.made.begin(arn);
        } else if call.is(Service::ApiGateway, "CreateStage")
            && answer.status == 201
            && let (Some(api), Some(stage)) = (call.text("restApiId"), call.text("stageName"))
        {
            self.made.begin(format!("/restapis/{api}/stages/{stage}"));
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// A web ACL that was taken off its resource a moment ago cannot be deleted, nor can an IP set whose web ACL is just gone.
///
/// "Real AWS behaviour" 1.1, 3 and 13.9: WAFAssociatedItemException, for minutes at times (Terraform repeats for five).
pub struct AssociationHolds {
    held: Mutex<Held>,
    let_go: Spells<String>,
    strikes: Strikes,
}

#[derive(Default)]
struct Held {
    /// Identifier of the web ACL of each resource.
    web_acls: HashMap<String, String>,
    /// Identifiers of the IP sets of each web ACL.
    ip_sets: HashMap<String, HashSet<String>>,
}

impl AssociationHolds {
    pub fn new(pace: Pace) -> Self {
        Self { held: Mutex::default(), let_go: Spells::of(pace.seconds(30.0)), strikes: Strikes::default() }
    }
}

/// The identifiers in a body that stand at the end of the ARNs of IP sets.
fn ip_sets_in(call: &Call) -> HashSet<String> {
    let body = String::from_utf8_lossy(&call.request.body).into_owned();
    let arns = body.split('"').filter(|text| text.starts_with("arn:") && text.contains("/ipset/"));
    arns.filter_map(|arn| arn.rsplit('/').next()).map(str::to_owned).collect()
}

impl Behaviour for AssociationHolds {
    fn name(&self) -> &'static str {
        "waf-association-holds"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !is_any(call, &["DeleteWebACL", "DeleteIPSet"]) {
            return None;
        }
        let refused = self.let_go.look(&call.text("Id")?);
        let message = "AWS WAF couldn’t perform the operation because your resource is being used by another resource or \
                       it’s associated with another resource.";
        self.strikes.with(refused.map(|_| error(call, 400, "WAFAssociatedItemException", message)))
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        if answer.status >= 300 {
            return;
        }
        let mut held = held(&self.held);
        if is_any(call, &["CreateWebACL", "UpdateWebACL"]) {
            if let Some(id) = summary(answer, "Id").or_else(|| call.text("Id")) {
                held.ip_sets.insert(id, ip_sets_in(call));
            }
        } else if call.is(Service::Wafv2, "AssociateWebACL") {
            if let (Some(resource), Some(arn)) = (call.text("ResourceArn"), call.text("WebACLArn")) {
                held.web_acls.insert(resource, arn.rsplit('/').next().unwrap_or_default().to_owned());
            }
        } else if call.is(Service::Wafv2, "DeleteWebACL") {
            let sets = call.text("Id").and_then(|id| held.ip_sets.remove(&id));
            sets.into_iter().flatten().for_each(|set| self.let_go.begin(set));
        } else {
            let left = if call.is(Service::Wafv2, "DisassociateWebACL") {
                call.text("ResourceArn")
            } else if call.is(Service::ApiGateway, "DeleteStage") || call.is(Service::ApiGateway, "DeleteRestApi") {
                call.text("restApiId").map(|api| format!("/restapis/{api}/"))
            } else {
                None
            };
            let Some(left) = left else { return };
            let resources: Vec<String> = held.web_acls.keys().filter(|arn| arn.contains(&left)).cloned().collect();
            for resource in resources {
                held.web_acls.remove(&resource).into_iter().for_each(|web_acl| self.let_go.begin(web_acl));
            }
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// Somebody else has written the thing since it was looked at: each kind of write of it is refused once.
///
/// "Real AWS behaviour" 1.1, 3 and 13.9: WAFOptimisticLockException. A new look gives a new token.
pub struct LockTokenStale {
    refused: Mutex<HashSet<(String, String)>>,
    strikes: Strikes,
}

impl LockTokenStale {
    pub fn new(_pace: Pace) -> Self {
        Self { refused: Mutex::default(), strikes: Strikes::default() }
    }
}

impl Behaviour for LockTokenStale {
    fn name(&self) -> &'static str {
        "waf-lock-token-stale"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if !is_any(call, &["UpdateIPSet", "UpdateWebACL", "DeleteIPSet", "DeleteWebACL"]) {
            return None;
        }
        let is_first = held(&self.refused).insert((call.operation.clone(), call.text("Id")?));
        let message = "AWS WAF couldn’t save your changes because someone changed the resource after you started to edit it. \
                       Reapply your changes.";
        self.strikes.with(is_first.then(|| error(call, 400, "WAFOptimisticLockException", message)))
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}

/// Reads of a resource's web ACL tell the new one and the old one by turns, after it was associated or taken off.
///
/// "Real AWS behaviour" 1.5 and 3: "Reads are eventually consistent too"; seconds, at times more than 150.
pub struct AssociationLags {
    resources: Mutex<HashMap<String, Answers>>,
    changed: Spells<String>,
    strikes: Strikes,
}

#[derive(Default)]
struct Answers {
    last: Option<Response>,
    old: Option<Response>,
}

impl AssociationLags {
    pub fn new(pace: Pace) -> Self {
        Self { resources: Mutex::default(), changed: Spells::of(pace.seconds(30.0)), strikes: Strikes::default() }
    }
}

impl Behaviour for AssociationLags {
    fn name(&self) -> &'static str {
        "waf-association-lags"
    }

    fn after(&self, call: &Call, answer: &mut Response) {
        let Some(resource) = call.text("ResourceArn").filter(|_| answer.status == 200) else { return };
        let mut resources = held(&self.resources);
        let answers = resources.entry(resource.clone()).or_default();
        if is_any(call, &["AssociateWebACL", "DisassociateWebACL"]) {
            answers.old = answers.last.clone();
            self.changed.begin(resource);
        } else if is_any(call, &["GetWebACLForResource"]) {
            answers.last = Some(answer.clone());
            // The first read tells what is new: whoever believes it is deceived by the second.
            if self.changed.look(&resource).is_some_and(|look| look % 3 != 1) {
                self.strikes.add();
                match &answers.old {
                    Some(old) => *answer = old.clone(),
                    // Nobody has asked before: it had none.
                    None => edit_json(answer, |answer| *answer = json!({})),
                }
            }
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}
