use super::Scene;

const FUNCTION: &str = r"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: 'def handler(event, context): pass'
";

#[test]
fn a_function_waits_until_its_role_can_be_assumed() {
    let scene = Scene::new("role-not-yet-assumable", 0.2, FUNCTION);
    scene.outlasts(&["apply", "--auto-approve"]);
    scene.is_settled();
    scene.leaves_nothing();
}
