//! What destroying a stack will take: in which order, what AWS makes beside the template, and what could stop it. Pure, from
//! the template alone, so that it is known before anything is made.

use serde::{Deserialize, Serialize};

use crate::desired::Desired;
use crate::identity::LogicalId;
use crate::policy::dynamodb::{GLOBAL_TABLE, TABLE, said};
use crate::policy::roles::{creates_log_groups, log_group_of, role_of};
use crate::resolved::{Resolved, Subject};

/// What a later destroy has to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destruction {
    /// The template's resources as a destroy deletes them: each before all that it depends on.
    pub order: Vec<LogicalId>,
    /// What AWS makes by itself, beside what the template declares.
    pub made_by_aws: Vec<MadeByAws>,
    /// What could stop a destroy, or bring something back after it.
    pub obstacles: Vec<Obstacle>,
}

/// Something that no template names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeByAws {
    /// What makes it necessary.
    pub by: LogicalId,
    /// What it is.
    pub what: String,
    /// What becomes of it at a destroy.
    pub at_destroy: AtDestroy,
}

/// What becomes of something that AWS has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtDestroy {
    /// A destroy looks for it and deletes it.
    Deleted,
    /// It belongs to the account and serves others too: it stays.
    Shared,
    /// Nobody can delete it; it goes by itself.
    GoesByItself,
}

/// Something to know before a destroy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    pub resource: LogicalId,
    /// After the resource's name: `may bring its log group back`.
    pub what: String,
}

/// What destroying the stack will take.
pub fn destruction(desired: &Desired) -> Destruction {
    let resolved = Resolved::new(desired);
    let mut order = desired.in_order();
    order.reverse();
    Destruction { order, made_by_aws: made_by_aws(&resolved), obstacles: obstacles(&resolved) }
}

fn made_by_aws(resolved: &Resolved<'_>) -> Vec<MadeByAws> {
    let mut made = Vec::new();
    for subject in resolved.subjects() {
        let mut makes = |what: String, at_destroy| made.push(MadeByAws { by: subject.id().clone(), what, at_destroy });
        match subject.resource_type() {
            "AWS::Lambda::Function" => {
                let name = subject.properties["FunctionName"].as_str().unwrap_or_default();
                if log_group_of(&subject, resolved).is_none() && may_create_log_groups(resolved, &subject) {
                    makes(format!("the log group /aws/lambda/{name}, at its first run"), AtDestroy::Deleted);
                }
            }
            "AWS::ApiGateway::Stage" => {
                let settings = subject.properties["MethodSettings"].as_array();
                if settings.into_iter().flatten().any(|it| it["LoggingLevel"] != "OFF") {
                    let stage = subject.properties["StageName"].as_str().unwrap_or_default();
                    makes(format!("the log group API-Gateway-Execution-Logs_…/{stage}"), AtDestroy::Deleted);
                }
            }
            "AWS::ApiGateway::Account" => {
                makes("the log group /aws/apigateway/welcome, once for the region".to_owned(), AtDestroy::Shared);
            }
            "AWS::WAFv2::LoggingConfiguration" => {
                makes("the role AWSServiceRoleForWAFV2Logging, once for the account".to_owned(), AtDestroy::Shared);
                makes("a resource policy of CloudWatch Logs that lets logs be delivered".to_owned(), AtDestroy::Shared);
            }
            TABLE | GLOBAL_TABLE if !subject.properties["StreamSpecification"].is_null() => {
                makes("the table's stream, which can be read for a day more".to_owned(), AtDestroy::GoesByItself);
            }
            "AWS::SNS::Subscription" | "AWS::SNS::Topic" => {
                let own = subject.properties["Subscription"].as_array();
                let mut all = own.into_iter().flatten().chain([subject.properties]);
                let waits = |protocol: &str| ["email", "email-json", "http", "https"].contains(&protocol);
                if all.any(|it| it["Protocol"].as_str().is_some_and(waits)) {
                    makes(
                        "a confirmation, which goes after two days if nobody answers".to_owned(),
                        AtDestroy::GoesByItself,
                    );
                }
            }
            _ => {}
        }
    }
    made
}

fn obstacles(resolved: &Resolved<'_>) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    for subject in resolved.subjects() {
        let what = match subject.resource_type() {
            "AWS::Lambda::Function" if may_create_log_groups(resolved, &subject) => {
                "may bring its log group back by what it writes late: its role lets it create log groups"
            }
            "AWS::SQS::Queue" => continue,
            "AWS::ApiGateway::UsagePlan" if names_others_stages(resolved, &subject) => {
                "names stages that the template does not declare: they are taken out of it first"
            }
            "AWS::ApiGateway::Account" => {
                "is the account's one setting for the region: without it, no other API writes logs any more"
            }
            _ if said(subject.properties, "DeletionProtectionEnabled").1 == true => "is protected from deletion",
            _ => continue,
        };
        obstacles.push(Obstacle { resource: subject.id().clone(), what: what.to_owned() });
    }
    if let Some(queue) = resolved.of_type("AWS::SQS::Queue").next() {
        let what = "has a name that SQS refuses for 60 seconds after its deletion: an apply right after waits for that";
        obstacles.push(Obstacle { resource: queue.id().clone(), what: what.to_owned() });
    }
    obstacles
}

/// A role that the template does not declare may allow anything.
fn may_create_log_groups(resolved: &Resolved<'_>, function: &Subject<'_>) -> bool {
    role_of(function, resolved).is_none_or(|role| creates_log_groups(role, resolved).is_some())
}

fn names_others_stages(resolved: &Resolved<'_>, plan: &Subject<'_>) -> bool {
    let named = plan.properties["ApiStages"].as_array();
    let is_declared = |it: &serde_json::Value| {
        resolved.of_type("AWS::ApiGateway::Stage").any(|stage| stage.properties["StageName"] == it["Stage"])
    };
    named.is_some_and(|named| !named.iter().all(is_declared))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fake::line::desired;

    #[track_caller]
    fn is_said(template: &str, said: Expect) {
        let Destruction { order, made_by_aws, obstacles } = destruction(&desired(template));
        let order: Vec<&str> = order.iter().map(LogicalId::as_str).collect();
        let mut lines = vec![order.join(", ")];
        lines.extend(made_by_aws.iter().map(|it| format!("{} makes {} ({:?})", it.by, it.what, it.at_destroy)));
        lines.extend(obstacles.iter().map(|it| format!("{} {}", it.resource, it.what)));
        said.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn what_depends_goes_before_what_it_depends_on_and_a_queues_name_cools_down() {
        is_said(
            "Resources:\n  Failed: { Type: AWS::SQS::Queue }\n  Orders:\n    Type: AWS::SQS::Queue\n    Properties:\n      \
             RedrivePolicy: { deadLetterTargetArn: !GetAtt Failed.Arn, maxReceiveCount: 3 }\n",
            expect![[r#"
                Orders, Failed
                Failed has a name that SQS refuses for 60 seconds after its deletion: an apply right after waits for that"#]],
        );
    }

    #[test]
    fn a_function_that_may_create_log_groups_makes_one_and_may_bring_it_back() {
        is_said(
            "Resources:\n  Pay:\n    Type: AWS::Lambda::Function\n    Properties:\n      FunctionName: pay\n      Runtime: \
             python3.13\n      Handler: index.handler\n      Code: { ZipFile: 'x = 1' }\n      Role: \
             arn:aws:iam::123456789012:role/anything\n",
            expect![[r#"
                Pay
                Pay makes the log group /aws/lambda/pay, at its first run (Deleted)
                Pay may bring its log group back by what it writes late: its role lets it create log groups"#]],
        );
    }

    #[test]
    fn the_payments_system_leaves_only_what_the_account_shares() {
        let payments = include_str!("../../examples/payments/template.yaml");
        let Destruction { order, made_by_aws, obstacles } = destruction(&desired(payments));
        assert_eq!(order.len(), desired(payments).graph.resources.len());
        assert!(made_by_aws.iter().all(|it| it.at_destroy == AtDestroy::Shared), "{made_by_aws:#?}");
        let named: Vec<&str> = obstacles.iter().map(|it| it.resource.as_str()).collect();
        assert_eq!(named, ["ProcessingQueue"]);
    }
}
