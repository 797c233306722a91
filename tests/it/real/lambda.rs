use std::time::{Duration, Instant};

use serde_json::json;

use super::{APPLY, DESTROY, Scene};

const FUNCTION: &str = r"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
      Policies:
        - PolicyName: take
          PolicyDocument:
            Version: '2012-10-17'
            Statement: [{Effect: Allow, Action: 'sqs:*', Resource: '*'}]
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Timeout: 10
      Code:
        ZipFile: 'def handler(event, context): pass'
";

const MAPPING: &str = r"
  Queue:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 30}
  Source:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt Queue.Arn
      FunctionName: !Ref Worker
      BatchSize: 5
";

fn mapped() -> String {
    format!("{FUNCTION}{MAPPING}")
}

#[test]
fn a_function_waits_until_its_role_can_be_assumed() {
    let scene = Scene::new("role-not-yet-assumable", 0.2, FUNCTION);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_mapping_waits_until_the_functions_role_may_take_from_the_queue() {
    let scene = Scene::new("policy-not-yet-effective", 0.2, &mapped());
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn an_apply_ends_when_the_function_can_be_used() {
    let scene = Scene::new("function-pending", 0.5, FUNCTION);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_function_that_is_still_being_made_is_deleted_as_soon_as_that_is_possible() {
    let scene = Scene::with_fault("function-pending", 1.0, FUNCTION, "lambda.CreateFunction#1:kill-after");
    scene.is_killed(APPLY);
    scene.outlasts(DESTROY);
    assert!(scene.calls("lambda.DeleteFunction") > 1);
    scene.account.census().assert_empty();
}

#[test]
fn the_steps_of_a_change_wait_for_each_other() {
    let scene = Scene::new("function-updating", 0.5, FUNCTION);
    scene.succeeds(APPLY);
    scene.paystack.replace("template.yaml", "Timeout: 10", "Timeout: 20").replace("template.yaml", "pass", "return 1");
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn permissions_of_one_function_are_given_though_somebody_else_gives_one_too() {
    let permission = |name: &str| {
        format!(
            "  {name}: {{Type: AWS::Lambda::Permission, Properties: {{FunctionName: !Ref Worker, \
             Action: 'lambda:InvokeFunction', Principal: {name}.amazonaws.com}}}}\n"
        )
    };
    let template = [FUNCTION, &permission("events"), &permission("sns"), &permission("s3")].concat();
    let scene = Scene::new("policy-written-by-another", 1.0, &template);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_permission_is_given_when_it_shows() {
    let permission = "  Permission: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Worker, \
                      Action: 'lambda:InvokeFunction', Principal: events.amazonaws.com}}\n";
    let scene = Scene::new("permission-not-yet-shown", 1.0, &format!("{FUNCTION}{permission}"));
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_mapping_comes_changes_and_goes_slowly() {
    let scene = Scene::new("mapping-takes-time", 0.3, &mapped());
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.paystack.replace("template.yaml", "BatchSize: 5", "BatchSize: 6");
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}

#[test]
fn a_mapping_that_is_still_being_made_is_deleted_as_soon_as_that_is_possible() {
    let fault = "lambda.CreateEventSourceMapping#1:kill-after";
    let scene = Scene::with_fault("mapping-takes-time", 0.3, &mapped(), fault);
    scene.is_killed(APPLY);
    scene.outlasts(DESTROY);
    assert!(scene.calls("lambda.DeleteEventSourceMapping") > 1);
    scene.account.census().assert_empty();
}

#[test]
fn a_mapping_that_is_still_being_made_is_changed_as_soon_as_that_is_possible() {
    let fault = "lambda.CreateEventSourceMapping#1:kill-after";
    let scene = Scene::with_fault("mapping-takes-time", 0.3, &mapped(), fault);
    scene.is_killed(APPLY);
    scene.paystack.replace("template.yaml", "BatchSize: 5", "BatchSize: 6");
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_mapping_is_made_anew_when_the_old_one_is_gone() {
    let fault = "lambda.DeleteEventSourceMapping#1:kill-after";
    let scene = Scene::with_fault("mapping-takes-time", 0.3, &mapped(), fault);
    scene.succeeds(APPLY);
    scene.is_killed(DESTROY);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_mapping_whose_function_is_gone_is_deleted_though_nobody_remembers_it() {
    let scene = Scene::new("mapping-takes-time", 0.05, &mapped());
    scene.succeeds(APPLY);
    let functions = scene.account.census().of("functions").clone();
    let name = functions.as_object().and_then(|it| it.keys().next()).expect("a function").clone();
    scene.account.aws("lambda", "delete_function", json!({"FunctionName": name}));
    scene.paystack.remove("state");
    // Neither the ledger nor the template leads to it: its tags do.
    scene.paystack.write("template.yaml", FUNCTION);
    scene.leaves_nothing();
}

#[test]
fn a_reservation_that_the_account_has_no_room_for_is_refused_once_and_with_the_way_out() {
    let template = FUNCTION.replace("Timeout: 10", "ReservedConcurrentExecutions: 5");
    let scene = Scene::new("small-account", 1.0, &template);
    let start = Instant::now();
    let ran = scene.run(APPLY).exits(1);
    for words in [
        "below its minimum value of [10]",
        "the account may run 10 executions at once, of which 10 are not reserved",
        "lower `ReservedConcurrentExecutions` or leave it out",
    ] {
        assert!(ran.stderr.contains(words) || ran.stdout.contains(words), "{words}: {ran:#?}");
    }
    assert_eq!(scene.calls("lambda.PutFunctionConcurrency"), 1);
    assert!(start.elapsed() < Duration::from_secs(60));
    scene.paystack.replace("template.yaml", "ReservedConcurrentExecutions: 5", "Timeout: 10");
    scene.succeeds(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_mapping_waits_until_lambda_sees_the_queues_new_timeout() {
    let queue = "
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 30}
";
    let scene = Scene::new("queue-not-yet-seen", 0.1, queue);
    scene.succeeds(APPLY);
    let template =
        mapped().replace("Timeout: 10", "Timeout: 60").replace("VisibilityTimeout: 30", "VisibilityTimeout: 90");
    scene.paystack.write("template.yaml", &template);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}
