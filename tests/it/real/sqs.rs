use std::thread;
use std::time::Duration;

use super::{APPLY, Scene};

const QUEUE: &str = r"
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 30
";

const REPLACE: &[&str] = &["apply", "--auto-approve", "--replace", "Orders"];

const POLICY: &str = r"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
  Orders:
    Type: AWS::SQS::Queue
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Orders]
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - {Effect: Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: 'sqs:SendMessage', Resource: !GetAtt Orders.Arn}
";

#[test]
fn a_queue_is_made_anew_as_soon_as_its_name_can_be_had_again() {
    let scene = Scene::new("queue-deleted-recently", 0.05, QUEUE);
    scene.succeeds(APPLY);
    scene.outlasts(REPLACE);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_queue_is_gone_when_no_host_tells_of_it_any_more() {
    let scene = Scene::new("queue-lingers", 0.07, QUEUE);
    scene.succeeds(APPLY);
    scene.outlasts(REPLACE);
    // The old queue, taken for a new one, would be gone by now.
    thread::sleep(Duration::from_secs(5));
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_queue_has_changed_when_every_host_tells_so() {
    let scene = Scene::new("queue-attributes-lag", 0.1, QUEUE);
    scene.succeeds(APPLY);
    scene.paystack.replace("template.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_new_queue_is_made_when_it_shows() {
    let scene = Scene::new("queue-shows-late", 3.0, QUEUE);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_queue_that_a_run_has_made_before_it_died_becomes_what_the_template_wants_now() {
    let scene = Scene::with_fault("queue-shows-late", 10.0, QUEUE, "sqs.CreateQueue#1:kill-after");
    scene.is_killed(APPLY);
    scene.paystack.replace("template.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_queues_policy_waits_until_its_principal_is_known() {
    let scene = Scene::new("queue-policy-principal", 0.2, POLICY);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}
