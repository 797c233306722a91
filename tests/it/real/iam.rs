use super::{APPLY, DESTROY, Scene};

/// A role with what can be on a role.
const ROLE: &str = r"
Resources:
  Reading:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Action: 'sqs:ReceiveMessage', Resource: '*'}]
  Role:
    Type: AWS::IAM::Role
    Properties:
      Description: works
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
      ManagedPolicyArns: [!Ref Reading]
      Policies:
        - PolicyName: writing
          PolicyDocument:
            Version: '2012-10-17'
            Statement: [{Effect: Allow, Action: 'sqs:SendMessage', Resource: '*'}]
      Tags: [{Key: Owner, Value: me}, {Key: Old, Value: 'yes'}]
";

#[test]
fn a_role_waits_until_it_is_everywhere() {
    let scene = Scene::new("role-not-yet-everywhere", 1.0, ROLE);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn what_was_taken_off_a_role_or_policy_is_waited_for_before_its_deletion() {
    let scene = Scene::new("still-attached", 1.0, ROLE);
    scene.succeeds(APPLY);
    scene.outlasts(DESTROY);
    assert!(scene.calls("iam.DeleteRole") > 1 && scene.calls("iam.DeletePolicy") > 1);
    scene.account.census().assert_empty();
}

#[test]
fn every_write_outlasts_another_at_the_same_time() {
    let scene = Scene::new("written-at-the-same-time", 1.0, ROLE);
    scene.outlasts(APPLY);
    scene.is_settled();
    let changed = ROLE
        .replace("Description: works", "Description: worked")
        .replace("Principal: {Service: lambda", "Principal: {Service: apigateway")
        .replace("sqs:SendMessage", "sqs:DeleteMessage")
        .replace("sqs:ReceiveMessage", "sqs:PurgeQueue")
        .replace("ManagedPolicyArns: [!Ref Reading]", "PermissionsBoundary: !Ref Reading")
        .replace("{Key: Owner, Value: me}, {Key: Old, Value: 'yes'}", "{Key: Owner, Value: you}");
    scene.paystack.write("template.yaml", &changed);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}

#[test]
fn a_role_that_trusts_a_new_role_waits_until_it_is_known() {
    let trusting = r"
Resources:
  First:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
  Second:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {AWS: !GetAtt First.Arn}, Action: 'sts:AssumeRole'}]
";
    let scene = Scene::new("principal-not-yet-known", 0.3, trusting);
    scene.outlasts(APPLY);
    scene.is_settled();
    let third = trusting.replace("First", "Third");
    scene.paystack.write("template.yaml", &third);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}
