//! A ledger that somebody has written cannot make paystack touch what is not the stack's.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::desired::Desired;
use crate::fake::line::{Account, desired, desired_of, finish, text_of};
use crate::identity::{PhysicalId, ResourceType, StackId};
use crate::plan::{Action, Options, Plan};
use crate::state::{Ledger, Lock};

/// What both stacks are made of, so that each has a namesake in the other's.
const RESOURCES: &str = "
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 5}}
  OrdersPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties: {Queues: [!Ref Orders], PolicyDocument: {Statement: []}}
  News: {Type: AWS::SNS::Topic}
  NewsPolicy: {Type: AWS::SNS::TopicPolicy, Properties: {Topics: [!Ref News], PolicyDocument: {Statement: []}}}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref News, Protocol: sqs, Endpoint: !GetAtt Orders.Arn}
  Worker: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}}}
  WorkerPolicy:
    Type: AWS::IAM::Policy
    Properties: {PolicyName: queue, Roles: [!Ref Worker], PolicyDocument: {Statement: []}}
  Logs: {Type: AWS::Logs::LogGroup}
  Errors:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref Logs
      FilterPattern: ERROR
      MetricTransformations: [{MetricName: errors, MetricNamespace: orders, MetricValue: '1'}]
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: api}}
  Path: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: a}}
  Method:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: !Ref Api, ResourceId: !Ref Path, HttpMethod: GET, AuthorizationType: NONE}
";

fn ours() -> Desired {
    desired(RESOURCES)
}

/// An account with another stack in it and with what nobody's marks are on; the second is all of that.
fn account() -> (Account, BTreeMap<(ResourceType, PhysicalId), Value>) {
    let account = Account::default();
    account.apply(&desired_of(&StackId::from("other-prod"), RESOURCES, &[])).expect("nothing crashes");
    account.ledgers.lose();
    account.aws.plant("AWS::SQS::Queue", json!({"QueueName": "unmarked"}));
    account.aws.plant("AWS::SNS::Topic", json!({"TopicName": "unmarked"}));
    account.aws.plant("AWS::IAM::Role", json!({"RoleName": "unmarked", "AssumeRolePolicyDocument": {}}));
    account.aws.plant("AWS::Logs::LogGroup", json!({"LogGroupName": "unmarked"}));
    let foreign = account.aws.properties();
    account.apply(&ours()).expect("nothing crashes");
    (account, foreign)
}

/// Writes other identifiers into the ledger: for what it remembers, or as something new.
fn tamper(account: &Account, foreign: &[(ResourceType, PhysicalId)], changes: &[(Index, Index, u8)]) {
    let mut ledger: Ledger = account.ledgers.load();
    let ids: Vec<_> = ledger.resources.keys().cloned().collect();
    for (record, target, how) in changes {
        let (resource_type, physical_id) = target.get(foreign).clone();
        let logical_id = record.get(&ids).clone();
        let mut record = ledger.resources[&logical_id].clone();
        match how % 4 {
            // In the place of something of the same type, where there is such a thing.
            0 => {
                let same = ids.iter().find(|id| ledger.resources[*id].resource_type == resource_type);
                if let Some(same) = same {
                    ledger.resources.get_mut(same).expect("it is there").physical_id = Some(physical_id);
                }
            }
            1 => {
                record.resource_type = resource_type;
                record.physical_id = Some(physical_id);
                ledger.resources.insert(logical_id, record);
            }
            2 => {
                record.resource_type = resource_type;
                record.physical_id = Some(physical_id);
                ledger.resources.insert(format!("Gone{how}").into(), record);
            }
            _ => {
                record.resource_type = resource_type;
                record.deposed.insert(physical_id);
                ledger.resources.insert(format!("Replaced{how}").into(), record);
            }
        }
    }
    finish(account.ledgers.save(&mut ledger)).expect("memory can be written");
}

/// Whether a plan leaves alone what is not the stack's.
fn spares(plan: &Plan, foreign: &BTreeMap<(ResourceType, PhysicalId), Value>) -> Result<(), TestCaseError> {
    for step in plan.touching() {
        let touches = match &step.action {
            Action::None | Action::Create { .. } | Action::Forget | Action::Blocked { .. } => false,
            Action::Adopt { .. } | Action::Update { .. } | Action::Replace { .. } | Action::Delete { .. } => true,
        };
        let id = step.physical_id.clone();
        let is_foreign = id.is_some_and(|id| foreign.contains_key(&(step.resource_type.clone(), id)));
        prop_assert!(!(touches && is_foreign), "{}", text_of(plan));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_ledger_leads_to_what_is_not_the_stack_s(
        changes in prop::collection::vec(any::<(Index, Index, u8)>(), 1..6),
    ) {
        let (account, foreign) = account();
        let targets: Vec<_> = foreign.keys().cloned().collect();
        tamper(&account, &targets, &changes);
        let (ours, nothing) = (ours(), desired("Resources: {}"));
        for (plan, wanted) in [(account.plan(&ours), &ours), (account.destruction(&ours), &nothing), (account.plan(&nothing), &nothing)] {
            spares(&plan, &foreign)?;
            if plan.blocked().next().is_none() {
                account.carry_out(&plan, wanted);
            }
            let now = account.aws.properties();
            for (key, properties) in &foreign {
                prop_assert_eq!(now.get(key), Some(properties), "{:?} was touched by {}", key, text_of(&plan));
            }
        }
    }
}

fn blocked(plan: &Plan) -> Vec<String> {
    let reason = |action: &Action| match action {
        Action::Blocked { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    plan.steps.iter().filter_map(|step| Some(format!("{}: {}", step.logical_id, reason(&step.action)?))).collect()
}

#[test]
fn what_has_lost_its_mark_is_marked_again_and_not_deleted() {
    let (account, _) = account();
    account.aws.meddle("AWS::SQS::Queue", |queue| {
        if queue["QueueName"].as_str().is_some_and(|name| name.starts_with("orders-dev")) {
            queue["Tags"] = json!([]);
        }
    });
    let unmarked = account.plan(&desired("Resources: {}"));
    assert!(blocked(&unmarked)[0].starts_with("Orders: only the ledger says that"), "{:?}", blocked(&unmarked));
    assert!(blocked(&account.destruction(&ours()))[0].starts_with("Orders: only the ledger says that"));
    let marking = account.plan(&ours());
    assert_eq!(blocked(&marking), [""; 0]);
    account.carry_out(&marking, &ours()).expect("nothing crashes");
    assert_eq!(blocked(&account.destruction(&ours())), [""; 0]);
}

/// A group takes no tags: under a name of its own nothing in AWS says whose it is.
#[test]
fn what_carries_no_mark_goes_when_it_is_asked_for_by_name() {
    let account = Account::default();
    let group = desired("Resources: {Staff: {Type: AWS::IAM::Group, Properties: {GroupName: staff}}}");
    account.apply(&group).expect("nothing crashes");
    let nothing = desired("Resources: {}");
    let left = account.plan(&nothing);
    assert_eq!(blocked(&left), ["Staff: only the ledger says that `staff` is this stack's: nothing in AWS does"]);
    let others = Options { delete_unmarked: ["Crew".into()].into(), ..Options::default() };
    assert_eq!(blocked(&account.plan_with(&nothing, &others)).len(), 1);
    let asked = Options { delete_unmarked: ["Staff".into()].into(), ..Options::default() };
    account.carry_out(&account.plan_with(&nothing, &asked), &nothing).expect("nothing crashes");
    assert_eq!(account.aws.properties(), BTreeMap::new());
}

#[test]
fn a_name_that_only_this_stack_makes_is_a_mark() {
    let account = Account::default();
    account.apply(&desired("Resources: {Staff: {Type: AWS::IAM::Group}}")).expect("nothing crashes");
    account.apply(&desired("Resources: {}")).expect("nothing crashes");
    assert_eq!(account.aws.properties(), BTreeMap::new());
}

/// Whoever marks what the ledger names has it, whatever is asked for here.
#[test]
fn what_somebody_else_marked_is_not_deleted_on_demand() {
    let (account, foreign) = account();
    let mut ledger = account.ledgers.load();
    let (kind, theirs) = foreign
        .iter()
        .find(|((kind, _), properties)| kind.as_str() == "AWS::SQS::Queue" && properties["Tags"] != json!([]))
        .map(|((kind, id), _)| (kind.clone(), id.clone()))
        .expect("the other stack has a queue");
    let record = ledger.resources.get_mut(&"Orders".into()).expect("it is there");
    assert_eq!(record.resource_type, kind);
    record.physical_id = Some(theirs.clone());
    finish(account.ledgers.save(&mut ledger)).expect("memory can be written");
    let asked = Options { delete_unmarked: ["Orders".into()].into(), ..Options::default() };
    let plan = account.plan_with(&desired("Resources: {}"), &asked);
    assert!(plan.touching().all(|step| step.physical_id.as_ref() != Some(&theirs)), "{}", text_of(&plan));
}

#[test]
fn swapped_identifiers_are_put_right() {
    let (account, _) = account();
    let mut ledger = account.ledgers.load();
    let two = desired(&RESOURCES.replace("  News:", "  Bills: {Type: AWS::SQS::Queue}\n  News:"));
    account.apply(&two).expect("nothing crashes");
    let id = |name: &str| account.ledgers.load().resources[&name.into()].physical_id.clone();
    let (orders, bills) = (id("Orders"), id("Bills"));
    ledger = Ledger { resources: account.ledgers.load().resources, ..ledger };
    ledger.resources.get_mut(&"Orders".into()).expect("it is there").physical_id = bills.clone();
    ledger.resources.get_mut(&"Bills".into()).expect("it is there").physical_id = orders.clone();
    finish(account.ledgers.save(&mut ledger)).expect("memory can be written");
    assert!(account.plan(&two).is_empty(), "{}", text_of(&account.plan(&two)));
    account.apply(&two).expect("nothing crashes");
    assert_eq!((id("Orders"), id("Bills")), (orders, bills));
}
