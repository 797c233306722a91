//! What an API's stage serves is what the template declares; where it is not, a plan shows it and an apply mends it.

use serde_json::{Value, json};

use crate::harness::{Account, Paystack};

const TEMPLATE: &str = "
Resources:
  Api: { Type: AWS::ApiGateway::RestApi, Properties: { Name: orders } }
  Orders:
    Type: AWS::ApiGateway::Resource
    Properties: { RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: orders }
  GetOrders:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Orders
      HttpMethod: GET
      AuthorizationType: NONE
      ApiKeyRequired: true
      Integration: { Type: MOCK, RequestTemplates: { application/json: '{\"statusCode\": 200}' } }
  Deployment: { Type: AWS::ApiGateway::Deployment, Properties: { RestApiId: !Ref Api } }
  Stage: { Type: AWS::ApiGateway::Stage, Properties: { RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: dev } }
";

const STACK: [&str; 4] = ["--template", "api.yaml", "--stack", "demo"];

struct Shop {
    paystack: Paystack,
    account: Account,
    api: String,
}

impl Shop {
    fn opened() -> Self {
        let (paystack, account) = (Paystack::in_empty_directory(), Account::fresh());
        paystack.write("api.yaml", TEMPLATE);
        paystack.run(&account, &[&["apply", "--auto-approve"], STACK.as_slice()].concat()).exits(0);
        let apis = account.aws("apigateway", "get_rest_apis", json!({}));
        let api = apis["items"][0]["id"].as_str().expect("it is there").to_owned();
        Self { paystack, account, api }
    }

    fn run(&self, arguments: &[&str], code: i32) -> String {
        self.paystack.run(&self.account, &[arguments, STACK.as_slice()].concat()).exits(code).stdout
    }

    fn call(&self, operation: &str, more: Value) -> Value {
        let mut arguments = json!({"restApiId": self.api});
        arguments.as_object_mut().expect("a map").extend(more.as_object().cloned().unwrap_or_default());
        self.account.aws("apigateway", operation, arguments)
    }

    /// Lets the method's integration send back another status.
    fn answers(&self, status: u16) {
        let resources = self.call("get_resources", json!({}));
        let orders = resources["items"].as_array().expect("items").iter().find(|it| it["path"] == "/orders");
        let patch = json!({
            "op": "replace",
            "path": "/requestTemplates/application~1json",
            "value": format!("{{\"statusCode\": {status}}}"),
        });
        let integration = json!({
            "resourceId": orders.expect("it is there")["id"],
            "httpMethod": "GET",
            "patchOperations": [patch],
        });
        self.call("update_integration", integration);
    }

    fn stage(&self) -> Value {
        self.call("get_stage", json!({"stageName": "dev"}))
    }

    fn serve(&self, deployment: &Value) {
        let patch = json!({"op": "replace", "path": "/deploymentId", "value": deployment["id"]});
        self.call("update_stage", json!({"stageName": "dev", "patchOperations": [patch]}));
    }

    /// One apply, and then the plan is empty, also by what is live alone.
    fn is_mended(&self) {
        self.run(&["apply", "--auto-approve"], 0);
        self.run(&["plan", "--detailed-exitcode"], 0);
        self.paystack.remove("state");
        self.run(&["plan", "--detailed-exitcode"], 0);
        assert_eq!(self.call("get_deployments", json!({}))["items"].as_array().map(Vec::len), Some(1));
        self.run(&["destroy", "--auto-approve"], 0);
        self.account.census().assert_empty();
    }
}

#[test]
fn a_stage_that_was_pointed_at_another_snapshot_is_shown_and_brought_back() {
    let shop = Shop::opened();
    shop.answers(503);
    let other = shop.call("create_deployment", json!({}));
    shop.answers(200);
    shop.serve(&other);
    let plan = shop.run(&["plan", "--detailed-exitcode"], 2);
    assert!(plan.contains("`Stage` serves another snapshot: it differs in the integration of GET /orders"), "{plan}");
    assert!(plan.contains("DeploymentId: "), "{plan}");
    shop.run(&["apply", "--auto-approve"], 0);
    shop.call("delete_deployment", json!({"deploymentId": other["id"]}));
    shop.is_mended();
}

#[test]
fn a_snapshot_of_ours_that_is_not_as_declared_is_taken_anew() {
    let shop = Shop::opened();
    // As if somebody had changed the method at the moment in which the snapshot was taken.
    let ours = shop.call("get_deployment", json!({"deploymentId": shop.stage()["deploymentId"]}));
    shop.answers(503);
    let other = shop.call("create_deployment", json!({"description": ours["description"]}));
    shop.answers(200);
    shop.serve(&other);
    shop.call("delete_deployment", json!({"deploymentId": ours["id"]}));
    let plan = shop.run(&["plan", "--detailed-exitcode"], 2);
    let said =
        "`Stage` serves another snapshot: it differs in the integration of GET /orders, and `Deployment` is made anew";
    assert!(plan.contains(said), "{plan}");
    shop.is_mended();
}

#[test]
fn a_snapshot_is_taken_anew_when_that_is_asked_for() {
    let shop = Shop::opened();
    let before = shop.stage()["deploymentId"].clone();
    shop.run(&["apply", "--auto-approve", "--replace", "Deployment"], 0);
    assert_ne!(shop.stage()["deploymentId"], before);
    shop.is_mended();
}
