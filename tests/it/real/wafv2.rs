use super::{APPLY, DESTROY, Scene};

const GUARDED: &str = r"
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: orders}
  Root:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      AuthorizationType: NONE
      Integration: {Type: MOCK}
  Deployment:
    Type: AWS::ApiGateway::Deployment
    Properties: {RestApiId: !Ref Api}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: prod}
  Friends:
    Type: AWS::WAFv2::IPSet
    Properties: {Scope: REGIONAL, IPAddressVersion: IPV4, Addresses: [192.0.2.0/24]}
  Guard:
    Type: AWS::WAFv2::WebACL
    Properties:
      Scope: REGIONAL
      DefaultAction: {Block: {}}
      VisibilityConfig: {SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: guard}
      Rules:
        - Name: friends
          Priority: 0
          Action: {Allow: {}}
          Statement: {IPSetReferenceStatement: {Arn: !GetAtt Friends.Arn}}
          VisibilityConfig: {SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: friends}
  Association:
    Type: AWS::WAFv2::WebACLAssociation
    Properties:
      ResourceArn: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${Api}/stages/${Stage}'
      WebACLArn: !GetAtt Guard.Arn
";

const SETS: &str = r"
Resources:
  One:
    Type: AWS::WAFv2::IPSet
    Properties: {Scope: REGIONAL, IPAddressVersion: IPV4, Addresses: [192.0.2.0/24]}
  Two:
    Type: AWS::WAFv2::IPSet
    Properties: {Scope: REGIONAL, IPAddressVersion: IPV4, Addresses: [198.51.100.0/24]}
  Three:
    Type: AWS::WAFv2::IPSet
    Properties: {Scope: REGIONAL, IPAddressVersion: IPV4, Addresses: [203.0.113.0/24]}
";

#[test]
fn what_refers_to_a_new_entity_waits_until_it_is_available() {
    let scene = Scene::new("waf-entity-unavailable", 0.03, GUARDED);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_web_acl_is_there_and_gone_when_every_host_tells_so() {
    let scene = Scene::new("waf-association-lags", 0.2, GUARDED);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_web_acl_and_its_ip_set_are_deleted_when_nothing_holds_them_any_more() {
    let scene = Scene::new("waf-association-holds", 0.1, GUARDED);
    scene.succeeds(APPLY);
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}

#[test]
fn what_somebody_else_has_written_meanwhile_is_looked_at_again() {
    let scene = Scene::new("waf-lock-token-stale", 1.0, SETS);
    scene.succeeds(APPLY);
    scene.paystack.replace("template.yaml", "192.0.2.0/24", "192.0.2.0/25");
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}

#[test]
fn ip_sets_are_made_one_a_second() {
    let scene = Scene::new("waf-rates", 1.0, SETS);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}
