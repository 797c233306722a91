use super::{APPLY, Scene};

const TOPIC: &str = r"
Resources:
  Orders:
    Type: AWS::SNS::Topic
    Properties:
      Tags: [{Key: Owner, Value: me}]
  Queue:
    Type: AWS::SQS::Queue
  Subscription:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Orders
      Protocol: sqs
      Endpoint: !GetAtt Queue.Arn
      RawMessageDelivery: false
";

const LETTERS: &str = r"
Resources:
  Orders:
    Type: AWS::SNS::Topic
";

const LETTER: &str = r"
  Letter:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Orders
      Protocol: email
      Endpoint: me@example.org
";

const POLICY: &str = r"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
  Orders:
    Type: AWS::SNS::Topic
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Orders]
      PolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: 'sns:Publish', Resource: !Ref Orders}]
";

#[test]
fn a_topics_policy_waits_until_its_principal_is_known() {
    let scene = Scene::new("topic-policy-principal", 0.2, POLICY);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_topics_tags_are_written_though_somebody_else_writes_them_too() {
    let scene = Scene::new("topic-tags-busy", 1.0, TOPIC);
    scene.succeeds(APPLY);
    scene.paystack.replace("template.yaml", "Value: me", "Value: you");
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_topic_that_a_run_has_made_before_it_died_becomes_what_the_template_wants_now() {
    let scene = Scene::with_fault("topic-shows-late", 10.0, TOPIC, "sns.CreateTopic#1:kill-after");
    scene.is_killed(APPLY);
    scene.paystack.replace("template.yaml", "Value: me", "Value: you");
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_topic_is_gone_when_its_subscriptions_are() {
    let scene = Scene::new("subscriptions-linger", 0.2, TOPIC);
    scene.succeeds(APPLY);
    scene.outlasts(&["apply", "--auto-approve", "--replace", "Orders"]);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_subscription_that_a_run_has_made_before_it_died_becomes_what_the_template_wants_now() {
    let scene = Scene::with_fault("subscriptions-show-late", 10.0, TOPIC, "sns.Subscribe#1:kill-after");
    scene.is_killed(APPLY);
    scene.paystack.replace("template.yaml", "RawMessageDelivery: false", "RawMessageDelivery: true");
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_subscription_that_nobody_confirmed_is_no_drift_and_leaves_the_template_in_peace() {
    let scene = Scene::new("subscription-pending", 1.0, &[LETTERS, LETTER].concat());
    scene.succeeds(APPLY);
    scene.is_settled();
    scene.paystack.write("template.yaml", LETTERS);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}
