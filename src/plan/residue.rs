//! In what an account differs from what it was before a stack was first applied, in all that carries no marks. Pure.
//!
//! What carries marks is searched by them after a destroy. The rest can only be told by its name: whether it was there before.
//! Others work in the account too, so that a difference is no failure: it is shown.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Names by what they are names of: `log group`, `role`. A kind that could not be listed is not in it.
pub type Names = BTreeMap<String, BTreeSet<String>>;

/// The calls that list them, of one page each, but for [`LISTS_APIS`]. IAM knows no resources for them.
pub const LISTED_BY: [&str; 8] = [
    "cloudwatch.ListDashboards",
    "iam.GetAccountAuthorizationDetails",
    "iam.ListInstanceProfiles",
    "iam.ListPolicies",
    "lambda.ListLayers",
    "logs.DescribeLogGroups",
    "logs.DescribeQueryDefinitions",
    "logs.DescribeResourcePolicies",
];

/// The call that lists APIs. IAM knows the list as a resource.
pub const LISTS_APIS: &str = "apigateway.GetRestApis";

/// What was in an account before a stack was first applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    pub at: Timestamp,
    pub names: Names,
}

/// The difference between an account before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Residue {
    pub since: Timestamp,
    /// What was compared.
    pub kinds: Vec<String>,
    /// What was not there before.
    pub appeared: Vec<Thing>,
    /// What is no longer there.
    pub disappeared: Vec<Thing>,
}

/// Something in an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Thing {
    pub kind: String,
    pub name: String,
    /// Where AWS makes such things by itself: when, and for whom.
    pub made_by_aws: Option<&'static str>,
}

/// What AWS makes by itself: kind, how its name begins, when it is made.
const MADE_BY_AWS: [(&str, &str, &str); 6] = [
    (
        "log group",
        "/aws/apigateway/welcome",
        "API Gateway makes it, once for the region, when it is given a role for logs",
    ),
    ("log group", "API-Gateway-Execution-Logs_", "API Gateway makes it when a stage logs"),
    ("log group", "/aws/lambda/", "Lambda makes it when a function logs"),
    ("resource policy of logs", "AWSLogDeliveryWrite", "AWS makes it, once for the account, when logs are delivered"),
    ("resource policy of logs", "AWSWAF-LOGS", "AWS WAF makes it, once for the account, when it is to log"),
    ("role", "AWSServiceRole", "AWS makes it, once for the account, when a service is used first"),
];

/// Compares what was listed both times.
pub fn residue(before: &Before, after: &Names) -> Residue {
    let kinds = before.names.keys().filter(|kind| after.contains_key(*kind));
    let mut residue =
        Residue { since: before.at, kinds: kinds.cloned().collect(), appeared: Vec::new(), disappeared: Vec::new() };
    for kind in &residue.kinds {
        let (was, is) = (&before.names[kind], &after[kind]);
        residue.appeared.extend(is.difference(was).map(|name| thing(kind, name)));
        residue.disappeared.extend(was.difference(is).map(|name| thing(kind, name)));
    }
    residue
}

fn thing(kind: &str, name: &str) -> Thing {
    let made = MADE_BY_AWS.iter().find(|(of, start, _)| *of == kind && name.starts_with(start));
    Thing { kind: kind.to_owned(), name: name.to_owned(), made_by_aws: made.map(|(_, _, when)| *when) }
}

impl Residue {
    pub fn is_empty(&self) -> bool {
        let Self { since: _, kinds: _, appeared, disappeared } = self;
        appeared.is_empty() && disappeared.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[(&str, &[&str])]) -> Names {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        all.iter().map(|(kind, names)| ((*kind).to_owned(), set(names))).collect()
    }

    #[test]
    fn what_was_not_there_before_is_told_with_why_aws_makes_such_things() {
        let at = "2026-11-22T12:00:00Z".parse().expect("a moment");
        let before = Before { at, names: names(&[("log group", &["mine"]), ("role", &["of-others"]), ("layer", &[])]) };
        let after = names(&[("log group", &["/aws/apigateway/welcome", "mine", "other"]), ("role", &[])]);
        let residue = residue(&before, &after);
        assert_eq!(residue.kinds, ["log group", "role"], "what could not be listed is not compared");
        let told =
            |things: &[Thing]| things.iter().map(|it| (it.name.clone(), it.made_by_aws.is_some())).collect::<Vec<_>>();
        assert_eq!(
            told(&residue.appeared),
            [("/aws/apigateway/welcome".to_owned(), true), ("other".to_owned(), false)]
        );
        assert_eq!(told(&residue.disappeared), [("of-others".to_owned(), false)]);
    }
}
