//! What a plan says beside its steps, in words that every form shows.

use std::collections::BTreeSet;

use crate::cli::view::palette::Role;
use crate::plan::Plan;
use crate::plan::destruction::{AtDestroy, Destruction, MadeByAws, Obstacle};
use crate::plan::served::Served;
use crate::policy::{Finding, Level};
use crate::state::Place;

/// One thing to know.
pub struct Remark {
    /// What kind it is, which leads the line: `refused`, `warning`, `let pass`.
    pub kind: &'static str,
    pub role: Role,
    pub text: String,
}

/// The kind of what counts only when the stack is destroyed.
pub const AT_A_DESTROY: &str = "at a destroy";

/// Everything that a plan says beside its steps, what stops it first.
pub fn remarks(plan: &Plan) -> Vec<Remark> {
    let policy = plan.remarks.policy.iter().map(finding);
    let destruction = plan.remarks.destruction.iter().flat_map(destroying);
    let elsewhere = plan.remarks.elsewhere.iter().map(elsewhere);
    let mut remarks: Vec<Remark> =
        policy.chain(elsewhere).chain(plan.remarks.served.iter().map(served)).chain(destruction).collect();
    remarks.sort_by_key(|remark| match remark.role {
        Role::Blocked => 0,
        Role::Changed => 1,
        _ => 2,
    });
    remarks
}

/// Whoever has another account's credentials, or another region, than they believe learns of it before anything is made.
fn elsewhere(place: &Place) -> Remark {
    let text = format!("nothing is remembered of this stack here, but one of its name in {place}");
    Remark { kind: "warning", role: Role::Changed, text }
}

/// What to know of a later destroy: what stays after it, and what could stop it.
fn destroying(destruction: &Destruction) -> Vec<Remark> {
    let Destruction { order: _, made_by_aws, obstacles } = destruction;
    let made = made_by_aws.iter().map(|MadeByAws { by, what, at_destroy }| {
        let then = match at_destroy {
            AtDestroy::Deleted => "which a destroy deletes",
            AtDestroy::Shared => "which stays, for others use it too",
            AtDestroy::GoesByItself => "which goes by itself",
        };
        format!("AWS makes for `{by}` {what}, {then}")
    });
    let obstacles = obstacles.iter().map(|Obstacle { resource, what }| format!("`{resource}` {what}"));
    made.chain(obstacles).map(|text| Remark { kind: AT_A_DESTROY, role: Role::Quiet, text }).collect()
}

/// What a stage serves that is not declared, or the other way round.
fn served(served: &Served) -> Remark {
    let Served { stage, deployment, not_served, not_declared, differing } = served;
    let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
    let parts = [(not_served, "it does not serve"), (not_declared, "it still serves"), (differing, "it differs in")];
    let parts = parts.into_iter().filter(|(names, _)| !names.is_empty());
    let parts: Vec<String> = parts.map(|(names, words)| format!("{words} {}", list(names))).collect();
    let way_out = deployment.as_ref().map(|it| format!(", and `{it}` is made anew")).unwrap_or_default();
    let text = format!("`{stage}` serves another snapshot: {}{way_out}", parts.join("; "));
    Remark { kind: "warning", role: Role::Changed, text }
}

/// A broken rule on one line.
pub fn finding(finding: &Finding) -> Remark {
    let Finding { rule, level, resource, what, reason, suppressed, position, .. } = finding;
    let place = position.map(|at| format!(", line {}", at.line)).unwrap_or_default();
    let why = |reason: &str| if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let broken = format!("`{resource}` {what} [{rule}{place}]");
    match (suppressed, level) {
        (Some(reason), _) => Remark { kind: "let pass", role: Role::Quiet, text: broken + &why(reason) },
        (None, Level::Mandatory) => Remark { kind: "refused", role: Role::Blocked, text: broken + &why(reason) },
        (None, Level::Advisory | Level::Off) => {
            Remark { kind: "warning", role: Role::Changed, text: broken + &why(reason) }
        }
    }
}
