//! What an apply leaves behind, and what the next one makes of it.

use crate::apply::{Kind, schedule};
use crate::fake::line::{Account, desired};
use crate::fake::{Call, Trouble};
use crate::identity::PhysicalId;
use crate::plan::Options;

const RESOURCES: &str = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n";

/// An account to which a template has been applied.
fn applied(resources: &str) -> Account {
    let account = Account::default();
    apply(&account, resources);
    account
}

fn apply(account: &Account, resources: &str) {
    let wanted = desired(&format!("{RESOURCES}{resources}"));
    let report = account.apply(&wanted).expect("nothing crashes");
    assert!(report.is_complete(), "{report:#?}");
    assert!(account.plan(&wanted).is_empty(), "{:#?}", account.plan(&wanted));
}

/// Something goes wrong at one call.
fn stumble(account: &Account, resources: &str, at: usize, trouble: Trouble) {
    account.aws.fail_at(at, trouble);
    account.apply(&desired(&format!("{RESOURCES}{resources}")));
    account.aws.recover();
}

fn queue(logical_id: &str, name: &str) -> String {
    format!("  {logical_id}: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {name}}}}}\n")
}

/// The names of the queues that are there.
fn queues(account: &Account) -> Vec<String> {
    let things = account.aws.things();
    let queues = things.iter().filter_map(|thing| thing.strip_prefix("AWS::SQS::Queue "));
    queues.map(|url| url.rsplit('/').next().unwrap_or_default().to_owned()).collect()
}

/// The place of a call among all calls.
fn place(account: &Account, call: impl Fn(&Call) -> bool) -> usize {
    let calls = account.aws.calls();
    calls.iter().position(call).unwrap_or_else(|| panic!("it is not among {calls:#?}"))
}

const API: &str = "
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: orders}}
  Ping:
    Type: AWS::ApiGateway::Method
    Properties:
      {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: NONE,
       Integration: {Type: MOCK}}
";

fn released(deployment: &str) -> String {
    format!(
        "{API}
  {deployment}: {{Type: AWS::ApiGateway::Deployment, Properties: {{RestApiId: !Ref Api}}}}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {{RestApiId: !Ref Api, StageName: v1, DeploymentId: !Ref {deployment}}}
"
    )
}

#[test]
fn an_api_that_was_deleted_outside_comes_back_and_the_old_one_is_forgotten() {
    let account = applied(API);
    account.aws.lose("AWS::ApiGateway::RestApi");
    apply(&account, API);
    assert!(account.ledgers.load().resources.contains_key(&"Api".into()));
}

#[test]
fn what_a_create_made_without_an_answer_goes_when_the_template_has_another_name_for_it() {
    for trouble in [Trouble::AnswerLost, Trouble::CrashAfter] {
        let account = Account::default();
        stumble(&account, &queue("Orders", "orders"), 0, trouble);
        apply(&account, &queue("Orders", "orders-v2"));
        assert_eq!(queues(&account), ["orders-v2"], "after {trouble:?}");
    }
}

#[test]
fn what_a_create_made_without_an_answer_goes_when_the_template_has_it_no_longer() {
    let account = Account::default();
    stumble(&account, &queue("Orders", "orders"), 0, Trouble::CrashAfter);
    apply(&account, &queue("Bills", "bills"));
    assert_eq!(queues(&account), ["bills"]);
}

#[test]
fn a_replacement_that_was_interrupted_and_is_taken_back_leaves_one_queue() {
    for trouble in Trouble::ALL {
        for at in 0..2 {
            let account = applied(&queue("Orders", "orders"));
            stumble(&account, &queue("Orders", "orders-v2"), at, trouble);
            apply(&account, &queue("Orders", "orders"));
            assert_eq!(queues(&account), ["orders"], "after {trouble:?} at call {at}");
        }
    }
}

#[test]
fn what_cannot_be_remembered_is_not_gone_on_from() {
    let chain = "  Orders:
    Type: AWS::SQS::Queue
    Properties: {QueueName: orders, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
";
    let wanted = desired(&format!("{RESOURCES}{chain}"));
    // The plan, the intent to create the first, its end, the intent to create the second, its end.
    for (room, made) in [(1, vec![]), (2, vec!["dead"]), (3, vec!["dead"]), (4, vec!["dead", "orders"])] {
        let account = Account::default();
        account.ledgers.limit(Some(room));
        let report = account.apply(&wanted).expect("nothing crashes");
        assert_eq!(queues(&account), made, "after {room} writes");
        assert!(!report.is_complete() && report.failed.is_empty(), "{report:#?}");
        let unremembered = report.unremembered.expect("it says why it stopped");
        assert_eq!(unremembered.error, "failed to write the ledger `ledger`: no storage space");
        account.ledgers.limit(None);
        apply(&account, chain);
        assert_eq!(queues(&account), ["dead", "orders"]);
    }
}

#[test]
fn what_a_search_has_found_is_not_forgotten_when_its_deletion_fails() {
    let account = applied(&format!("{}{}", queue("Orders", "orders"), queue("Bills", "bills")));
    account.ledgers.lose();
    stumble(&account, &queue("Orders", "orders"), 0, Trouble::Refused);
    apply(&account, &queue("Orders", "orders"));
    assert_eq!(queues(&account), ["orders"]);
}

#[test]
fn what_a_replacement_has_left_is_deleted_by_the_next_run() {
    let account = applied(&queue("Orders", "orders"));
    stumble(&account, &queue("Orders", "orders-v2"), 1, Trouble::CrashBefore);
    assert_eq!(queues(&account), ["orders", "orders-v2"]);
    apply(&account, &queue("Orders", "orders-v2"));
    assert_eq!(queues(&account), ["orders-v2"]);
}

#[test]
fn a_queue_whose_logical_id_is_taken_by_a_topic_goes_also_after_a_crash() {
    let topic = "  Orders: {Type: AWS::SNS::Topic, Properties: {TopicName: orders}}\n";
    for at in 0..2 {
        let account = applied(&queue("Orders", "orders"));
        stumble(&account, topic, at, Trouble::CrashAfter);
        apply(&account, topic);
        assert_eq!(queues(&account), Vec::<String>::new(), "after a crash at call {at}");
    }
}

#[test]
fn a_stage_moves_to_its_new_deployment_before_the_old_one_goes() {
    let account = applied(&released("DeploymentA1"));
    let before = account.aws.calls().len();
    apply(&account, &released("DeploymentB2"));
    let of = |resource_type: &str| resource_type.rsplit("::").next() == Some("Stage");
    let moved = place(&account, |call| matches!(call, Call::Update(resource_type, _) if of(resource_type.as_str())));
    let gone = place(&account, |call| matches!(call, Call::Delete(..)));
    assert!(before < moved && moved < gone, "{:#?}", account.aws.calls());
}

#[test]
fn a_stage_moves_before_its_old_deployment_goes_though_nobody_remembers_it() {
    let account = applied(&released("DeploymentA1"));
    account.ledgers.lose();
    apply(&account, &released("DeploymentB2"));
}

#[test]
fn a_dead_letter_queue_goes_after_the_queue_has_let_go_of_it() {
    let with = "  Orders:
    Type: AWS::SQS::Queue
    Properties: {QueueName: orders, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
";
    let account = applied(with);
    apply(&account, &queue("Orders", "orders"));
    let updated = place(&account, |call| matches!(call, Call::Update(..)));
    let deleted = place(&account, |call| matches!(call, Call::Delete(..)));
    assert!(updated < deleted, "{:#?}", account.aws.calls());
}

#[test]
fn queues_that_turn_round_who_refers_to_whom_are_not_scheduled_in_a_circle() {
    let pair = |from: &str, to: &str, name: &str| {
        format!(
            "  {from}:
    Type: AWS::SQS::Queue
    Properties: {{QueueName: {from}-{name}, RedrivePolicy: {{deadLetterTargetArn: !GetAtt {to}.Arn, maxReceiveCount: 3}}}}
  {to}: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {to}-{name}}}}}
"
        )
    };
    let account = applied(&pair("A", "B", "v1"));
    apply(&account, &pair("B", "A", "v2"));
    assert_eq!(queues(&account), ["A-v2", "B-v2"]);
}

#[test]
fn the_old_half_of_a_replacement_goes_last() {
    let account = applied(&queue("Orders", "orders"));
    let plan = account.plan(&desired(&format!("{RESOURCES}{}", queue("Orders", "orders-v2"))));
    let schedule = schedule(&plan);
    let kinds: Vec<Kind> = schedule.tasks.iter().map(|task| task.kind).collect();
    assert_eq!(kinds, [Kind::Create, Kind::Delete]);
    assert!(schedule.after[0].is_empty() && schedule.after[1].len() == 1, "{schedule:#?}");
}

#[test]
fn alarms_that_wait_for_nothing_go_in_one_call() {
    let alarm = |id: &str| {
        format!(
            "  {id}:
    Type: AWS::CloudWatch::Alarm
    Properties: {{AlarmName: {id}, MetricName: Errors, Namespace: AWS/Lambda, Statistic: Sum, Period: 60, EvaluationPeriods: 1,
      Threshold: 1, ComparisonOperator: GreaterThanThreshold}}
"
        )
    };
    let any = "  Any:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: any, AlarmRule: !Sub 'ALARM(${Named})'}
";
    let account = applied(&format!("{}{}{}{any}", alarm("Late"), alarm("Named"), alarm("Wrong")));
    let schedule = schedule(&account.plan(&desired(&RESOURCES.replace("Resources:", "Resources: {}"))));
    let together = |name: &str| {
        let task = schedule.tasks.iter().find(|task| task.logical_id.as_str() == name).expect("it goes");
        (task.together.iter().map(PhysicalId::as_str).collect::<Vec<_>>(), task.is_first_together())
    };
    assert_eq!(together("Late"), (vec!["Late", "Wrong"], true));
    assert_eq!(together("Wrong"), (vec!["Late", "Wrong"], false));
    // What the other one names waits for it.
    assert_eq!(["Named", "Any"].map(together), [(vec![], false), (vec![], false)]);
}

#[test]
fn wherever_an_apply_an_update_or_a_destroy_goes_wrong_the_next_one_repairs_it() {
    let first = format!("{}{}", released("Deployment"), queue("Orders", "orders"));
    let second = first.replace("HttpMethod: GET", "HttpMethod: POST").replace("QueueName: orders", "QueueName: bills");
    let [empty, first, second] = [
        RESOURCES.replace("Resources:", "Resources: {}"),
        RESOURCES.to_owned() + &first,
        RESOURCES.to_owned() + &second,
    ]
    .map(|template| desired(&template));
    for (from, to) in [(&empty, &first), (&first, &second), (&second, &empty)] {
        for trouble in Trouble::ALL {
            for at in 0.. {
                let account = Account::default();
                account.apply(from);
                let calls = account.aws.calls().len();
                account.aws.fail_at(at, trouble);
                account.apply(to);
                account.aws.recover();
                let has_happened = account.aws.calls().len() > calls + at;
                if at % 2 == 1 {
                    account.ledgers.lose();
                }
                let report = account.apply(to).expect("nothing crashes");
                assert!(report.is_complete(), "{trouble:?} at call {at}: {report:#?}");
                assert!(account.plan(to).is_empty(), "{trouble:?} at call {at}: {:#?}", account.plan(to));
                assert_eq!(account.aws.things().len(), to.graph.resources.len(), "{trouble:?} at call {at}");
                if !has_happened {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_subscription_that_was_made_without_an_answer_goes_when_the_template_has_it_no_longer() {
    let without =
        format!("{}  Paid: {{Type: AWS::SNS::Topic, Properties: {{TopicName: paid}}}}\n", queue("Bills", "bills"));
    let with = format!(
        "{without}  Subscription:
    Type: AWS::SNS::Subscription
    Properties: {{TopicArn: !Ref Paid, Protocol: sqs, Endpoint: !GetAtt Bills.Arn}}\n"
    );
    let account = applied(&without);
    stumble(&account, &with, 0, Trouble::CrashAfter);
    assert_eq!(account.aws.things().len(), 3);
    apply(&account, &without);
    assert_eq!(account.aws.things().len(), 2, "{:#?}", account.aws.things());
}

#[test]
fn what_is_replaced_does_not_hold_up_the_stage_that_leaves_an_old_deployment() {
    let validator = "  Validator: {Type: AWS::ApiGateway::RequestValidator, Properties: {RestApiId: !Ref Api}}\n";
    let account = applied(&format!("{}{validator}", released("DeploymentA1")));
    let wanted = desired(&format!("{RESOURCES}{}{validator}", released("DeploymentB2")));
    let options = Options { replace: ["Validator".into()].into(), ..Options::default() };
    let plan = account.plan_with(&wanted, &options);
    let report = account.carry_out(&plan, &wanted).expect("nothing crashes");
    assert!(report.is_complete(), "{report:#?}");
}
