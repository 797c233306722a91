//! Stacks of one account that put something into what is another one's.

use serde_json::json;

use crate::harness::{Account, Paystack};

const SHOP: &str = "
Resources:
  Api: { Type: AWS::ApiGateway::RestApi, Properties: { Name: orders, EndpointConfiguration: { Types: [REGIONAL] } } }
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      AuthorizationType: NONE
      Integration: { Type: MOCK }
  Deployment: { Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: { RestApiId: !Ref Api } }
  Stage: { Type: AWS::ApiGateway::Stage, Properties: { RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: live } }
  Logs: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: orders, RetentionInDays: 30 } }
";

/// A usage plan over the shop's stage, and a filter in its log group.
const GUESTS: &str = "
Parameters: { Api: { Type: String } }
Resources:
  Plan: { Type: AWS::ApiGateway::UsagePlan, Properties: { UsagePlanName: guests, ApiStages: [{ ApiId: !Ref Api, Stage: live }] } }
  Errors:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: orders
      FilterPattern: ERROR
      MetricTransformations: [{ MetricName: errors, MetricNamespace: orders, MetricValue: '1' }]
";

#[test]
fn a_stack_that_puts_something_into_anothers_takes_that_away_and_is_not_taken_for_a_part_of_it() {
    let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
    paystack.write("shop.yaml", SHOP).write("guests.yaml", GUESTS);
    let shop = ["--template", "shop.yaml", "--stack", "shop"];
    let run = |command: &[&str], stack: &[&str]| paystack.run(&account, &[command, stack].concat()).exits(0).stdout;
    run(&["apply", "--auto-approve"], &shop);
    let alone = account.census();
    let apis = account.aws("apigateway", "get_rest_apis", json!({}));
    let api = format!("Api={}", apis["items"][0]["id"].as_str().expect("it is there"));
    let guests = ["--template", "guests.yaml", "--stack", "guests", "-p", &api];
    run(&["apply", "--auto-approve"], &guests);
    // Whoever has lost the ledger looks for what nobody remembers within what is its own.
    paystack.remove("state");
    for stack in [&shop[..], &guests] {
        let plan = run(&["plan", "--detailed-exitcode"], stack);
        assert!(plan.contains("Nothing to change"), "{plan}");
    }
    run(&["destroy", "--auto-approve"], &guests);
    assert_eq!(account.census(), alone, "the shop is as it was before it had guests");
    run(&["destroy", "--auto-approve"], &shop);
    account.census().assert_empty();
}
