//! A plan for some resources only: they, and all that they cannot do without.

use std::collections::BTreeSet;

use crate::identity::LogicalId;
use crate::plan::{Action, ForcedBy, Step};

/// The steps that the targets need, and the others. Without targets, all steps.
pub(super) fn only(steps: Vec<Step>, targets: &BTreeSet<LogicalId>) -> (Vec<Step>, Vec<Step>) {
    if targets.is_empty() {
        return (steps, Vec::new());
    }
    let needed = needed(&steps, targets);
    steps.into_iter().partition(|step| needed.contains(&step.logical_id))
}

fn needed(steps: &[Step], targets: &BTreeSet<LogicalId>) -> BTreeSet<LogicalId> {
    let mut needed = targets.clone();
    loop {
        let going: BTreeSet<&LogicalId> = steps
            .iter()
            .filter(|step| needed.contains(&step.logical_id) && goes(step))
            .map(|it| &it.logical_id)
            .collect();
        let more = steps
            .iter()
            .flat_map(|step| if needed.contains(&step.logical_id) { needs(step) } else { comes_along(step, &going) });
        let more: Vec<LogicalId> = more.filter(|id| !needed.contains(*id)).cloned().collect();
        if more.is_empty() {
            return needed;
        }
        needed.extend(more);
    }
}

fn goes(step: &Step) -> bool {
    matches!(step.action, Action::Delete { .. } | Action::Replace { .. })
}

/// What stays needs all that it depends on.
fn needs(step: &Step) -> Vec<&LogicalId> {
    match step.action {
        Action::Delete { .. } | Action::Forget => Vec::new(),
        Action::None
        | Action::Create { .. }
        | Action::Adopt { .. }
        | Action::Update { .. }
        | Action::Replace { .. }
        | Action::Blocked { .. } => step.dependencies.iter().collect(),
    }
}

/// What holds something that goes has to let it go first, and a part goes with its whole.
fn comes_along<'a>(step: &'a Step, going: &BTreeSet<&LogicalId>) -> Vec<&'a LogicalId> {
    let is_part = |it: &ForcedBy| matches!(it, ForcedBy::Parent { logical_id } if going.contains(logical_id));
    let comes_along = match &step.action {
        Action::None => false,
        Action::Replace { forced_by, .. } if forced_by.iter().any(is_part) => true,
        Action::Create { .. }
        | Action::Adopt { .. }
        | Action::Update { .. }
        | Action::Replace { .. }
        | Action::Delete { .. }
        | Action::Forget
        | Action::Blocked { .. } => step.holds.iter().any(|on| going.contains(on)),
    };
    if comes_along { vec![&step.logical_id] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::line::{Account, desired};
    use crate::plan::{Options, Plan};

    /// A topic, a queue that hears of it through a subscription, and a queue beside them.
    const ALL: &str = "
Resources:
  News: {Type: AWS::SNS::Topic}
  Inbox: {Type: AWS::SQS::Queue}
  Hears: {Type: AWS::SNS::Subscription, Properties: {Protocol: sqs, TopicArn: !Ref News, Endpoint: !GetAtt Inbox.Arn}}
  Other: {Type: AWS::SQS::Queue}
";

    fn plan(account: &Account, template: &str, target: &str) -> Plan {
        let options = Options { targets: BTreeSet::from([target.into()]), ..Options::default() };
        account.plan_with(&desired(template), &options)
    }

    fn names(steps: &[Step]) -> Vec<&str> {
        steps.iter().map(|step| step.logical_id.as_str()).collect()
    }

    fn without(template: &str, names: &[&str]) -> String {
        let is_kept = |line: &&str| !names.iter().any(|name| line.starts_with(&format!("  {name}:")));
        template.lines().filter(is_kept).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_target_is_planned_with_what_it_depends_on() {
        let account = Account::default();
        let plan = plan(&account, ALL, "Hears");
        assert_eq!(names(&plan.steps), ["News", "Inbox", "Hears"]);
        assert_eq!((names(&plan.left_out), plan.summary().left_out), (vec!["Other"], 1));
        account.carry_out(&plan, &desired(ALL)).expect("nothing crashes");
        assert_eq!(account.aws.things().len(), 3);
    }

    #[test]
    fn what_has_departed_can_be_a_target_and_takes_along_what_holds_it() {
        let account = Account::default();
        account.apply(&desired(ALL)).expect("nothing crashes");
        let template = without(ALL, &["News", "Hears", "Other"]);
        let plan = plan(&account, &template, "News");
        assert_eq!(names(&plan.steps), ["Hears", "News"]);
        assert_eq!(names(&plan.left_out), ["Inbox", "Other"]);
    }

    #[test]
    fn what_is_left_out_is_not_forgotten_where_nothing_was_remembered() {
        let account = Account::default();
        account.apply(&desired(ALL)).expect("nothing crashes");
        account.ledgers.lose();
        let template = without(ALL, &["Other"]);
        account.carry_out(&plan(&account, &template, "Inbox"), &desired(&template)).expect("nothing crashes");
        let rest = account.plan(&desired(&template));
        let rest: Vec<_> = rest.touching().map(|step| (step.logical_id.as_str(), &step.action)).collect();
        assert!(matches!(rest[..], [("Other", Action::Delete { .. })]), "{rest:#?}");
    }
}
