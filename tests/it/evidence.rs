//! Evidence, capacity and the functions' grants, as a user asks for them.

use std::collections::BTreeSet;
use std::env;

use paystack::evidence::controls::{AS_DECLARED, CONTROLS};
use serde_json::{Value, json};

use crate::harness::{Account, Paystack};

const QUEUE: [&str; 4] = ["--template", "queue.yaml", "--stack", "demo"];

fn queue() -> Paystack {
    let paystack = Paystack::in_empty_directory();
    paystack.write(
        "queue.yaml",
        "Resources:\n  Orders:\n    Type: AWS::SQS::Queue\n    Properties: { QueueName: orders, DelaySeconds: 1 }\n",
    );
    paystack
}

fn run(paystack: &Paystack, account: &Account, arguments: &[&str], code: i32) -> crate::harness::binary::Ran {
    paystack.run(account, &[arguments, &QUEUE].concat()).exits(code)
}

fn statuses(report: &Value) -> Vec<(String, String)> {
    let evidence = report["evidence"].as_array().expect("evidence");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    evidence.iter().map(|it| (text(&it["control"]), text(&it["status"]))).collect()
}

#[test]
fn evidence_names_the_request_that_has_read_it_and_sees_what_was_changed_since() {
    let (paystack, account) = (queue(), Account::fresh());
    run(&paystack, &account, &["apply", "--auto-approve"], 0);
    let first = run(&paystack, &account, &["evidence", "--format", "json"], 0);
    let report = first.json();
    let pass = |control: &str| (control.to_owned(), "pass".to_owned());
    assert_eq!(statuses(&report), [pass("queue-encryption"), pass("as-declared")]);
    for evidence in report["evidence"].as_array().expect("evidence") {
        let calls = evidence["read_by"].as_array().expect("calls");
        assert!(calls.iter().any(|call| call["operation"] == "sqs.GetQueueAttributes"), "{evidence:#}");
        assert!(calls.iter().all(|call| call["request_id"].is_string() && call["at"].is_string()), "{evidence:#}");
    }
    paystack.write("earlier.json", &first.stdout);
    paystack.replace("queue.yaml", "DelaySeconds: 1", "DelaySeconds: 2");
    let second = run(&paystack, &account, &["evidence", "--since", "earlier.json"], 1);
    assert!(second.stdout.contains("as-declared at Orders: pass -> fail"), "{}", second.stdout);
}

/// How many fields are changed at once in CI. `PAYSTACK_FIELDS_AT_ONCE=1` changes them one by one, in some minutes.
const AT_ONCE: usize = 9;

#[test]
fn every_control_sees_its_field_changed_in_the_account_and_no_other_does() {
    let at_once = env::var("PAYSTACK_FIELDS_AT_ONCE").map_or(AT_ONCE, |it| it.parse().expect("a number of fields"));
    let paystack = Paystack::in_empty_directory();
    for path in ["paystack.toml", "examples/payments", "handlers", "policies"] {
        paystack.copy(path);
    }
    let account = Account::fresh();
    let stack = ["-p", "ManageApiGatewayAccount=true", "-p", "LogRetentionDays=400"];
    let run = |arguments: &[&str]| paystack.run(&account, &[arguments, &stack].concat());
    run(&["apply", "--auto-approve"]).exits(0);
    let failing = || {
        let report = run(&["evidence", "--format", "json"]).json();
        let failing = statuses(&report).into_iter().filter(|(_, status)| status != "pass" && status != "exempt");
        failing.map(|(control, _)| control).collect::<BTreeSet<String>>()
    };
    assert_eq!(failing(), BTreeSet::new());
    let mut controls: Vec<&str> = CONTROLS.iter().map(|control| control.id).chain([AS_DECLARED]).collect();
    controls.dedup();
    let mut back = Value::Null;
    for changed in controls.chunks(at_once) {
        let calls = account.run_python(include_str!("meddle.py"), changed, &back, &[]);
        back = serde_json::from_str(&calls).expect("the script prints JSON");
        assert_eq!(failing(), changed.iter().map(|it| (*it).to_owned()).collect());
    }
    account.run_python(include_str!("meddle.py"), &[], &back, &[]);
    assert_eq!(failing(), BTreeSet::new());
}

const API: &str = "
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      EndpointConfiguration: { Types: [REGIONAL] }
      Body:
        openapi: 3.0.1
        info: { title: orders, version: '1' }
        x-amazon-apigateway-request-validators: { bodies: { validateRequestBody: true, validateRequestParameters: false } }
        components: { securitySchemes: { api_key: { type: apiKey, name: x-api-key, in: header } } }
        paths:
          /orders:
            post:
              security: [{ api_key: [] }]
              x-amazon-apigateway-request-validator: bodies
              responses: { '200': { description: taken } }
              x-amazon-apigateway-integration:
                type: mock
                passthroughBehavior: when_no_match
                requestTemplates: { application/json: '{\"statusCode\": 200}' }
                responses: { default: { statusCode: '200' } }
";

#[test]
fn the_methods_of_an_imported_api_are_evidence_that_is_read_live() {
    let (paystack, account) = (queue(), Account::fresh());
    paystack.write("queue.yaml", API);
    run(&paystack, &account, &["apply", "--auto-approve"], 0);
    let report = |code: i32| run(&paystack, &account, &["evidence", "--format", "json"], code).json();
    let failing = |report: &Value| {
        let failing = statuses(report).into_iter().filter(|(_, status)| status != "pass");
        failing.map(|(control, _)| control).collect::<Vec<String>>()
    };
    let whole = report(0);
    let evidence = whole["evidence"].as_array().expect("evidence").iter();
    let method = evidence.clone().find(|it| it["field"] == "ApiKeyRequired of POST /orders").expect("it has a method");
    let calls = method["read_by"].as_array().expect("calls");
    assert!(calls.iter().any(|call| call["operation"] == "apigateway.GetResources"), "{method:#}");
    let call = |operation: &str, arguments: Value| account.aws("apigateway", operation, arguments);
    let first = |answer: Value| answer["items"][0]["id"].clone();
    let api = first(call("get_rest_apis", json!({})));
    let resources = call("get_resources", json!({"restApiId": api}));
    let orders = resources["items"].as_array().expect("items").iter().find(|it| it["path"] == "/orders");
    let method = json!({"restApiId": api, "resourceId": orders.expect("it is there")["id"], "httpMethod": "POST"});
    let validator = first(call("get_request_validators", json!({"restApiId": api})));
    let patched = |operation: &str, of: &Value, path: &str, value: &str| {
        let mut arguments = of.clone();
        arguments["patchOperations"] = json!([{"op": "replace", "path": path, "value": value}]);
        call(operation, arguments);
    };
    patched("update_method", &method, "/apiKeyRequired", "false");
    assert_eq!(failing(&report(1)), ["api-key"]);
    patched("update_method", &method, "/apiKeyRequired", "true");
    let of_validator = json!({"restApiId": api, "requestValidatorId": validator});
    patched("update_request_validator", &of_validator, "/validateRequestBody", "false");
    assert_eq!(failing(&report(1)), ["request-validator"]);
    patched("update_request_validator", &of_validator, "/validateRequestBody", "true");
    patched("update_method", &method, "/requestValidatorId", "");
    assert_eq!(failing(&report(1)), ["method-validation"]);
}

#[test]
fn capacity_says_whether_the_payments_system_carries_a_load_without_asking_aws() {
    let paystack = Paystack::in_empty_directory();
    for path in ["paystack.toml", "examples/payments", "handlers"] {
        paystack.copy(path);
    }
    let account = Account::fresh();
    let asked = |arguments: &[&str]| {
        paystack.run(&account, &[&["capacity", "--offline", "--rate", "10000/min"], arguments].concat())
    };
    let carried = asked(&["--latency", "1s"]).exits(0).stdout;
    assert!(carried.contains("The template carries the load."), "{carried}");
    assert!(carried.contains("167/s × 300 s / 1 = 50,000; limit: `Limit` of the rate-based rule"), "{carried}");
    let refused = asked(&["-p", "WafRateLimit=2000"]).exits(1).stdout;
    assert!(refused.contains("50,000 of 2,000: 96 % too little"), "{refused}");
    let json = asked(&["-p", "ProcessPaymentReservedConcurrency=1", "--format", "json"]).exits(1).json();
    assert_eq!(json["carries"], false);
    assert_eq!(json["bottleneck"]["resource"], "ProcessPayment");
    let online = paystack.run(&account, &["capacity", "--rate", "10000/min"]).exits(0).stdout;
    assert!(online.contains("the account's concurrency is 1,000, as it says"), "{online}");
}

#[test]
fn capacity_takes_the_mean_of_all_runs_of_the_last_day_as_measured() {
    let paystack = Paystack::in_empty_directory();
    for path in ["paystack.toml", "examples/payments", "handlers"] {
        paystack.copy(path);
    }
    let account = Account::fresh();
    // As Lambda writes it down; the emulator's does not.
    let run = |milliseconds: f64, hours: i64| {
        let at = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours)).to_string();
        let function = json!([{"Name": "FunctionName", "Value": "process-payment-dev"}]);
        json!({"MetricName": "Duration", "Dimensions": function, "Value": milliseconds, "Timestamp": at})
    };
    let runs = json!([run(100.0, 20), run(100.0, 19), run(100.0, 18), run(500.0, 1), run(9_000.0, 30)]);
    account.aws("cloudwatch", "put_metric_data", json!({"Namespace": "AWS/Lambda", "MetricData": runs}));
    let measured = paystack.run(&account, &["capacity", "--measured", "--rate", "10000/min"]).exits(0).stdout;
    assert!(measured.contains("one run takes 0.2 s for ProcessPayment, 1 s for every other function"), "{measured}");
}

#[test]
fn the_payments_functions_call_what_their_roles_grant_and_nothing_else() {
    let paystack = Paystack::in_empty_directory();
    for path in ["paystack.toml", "examples/payments", "handlers"] {
        paystack.copy(path);
    }
    let account = Account::fresh();
    let fits = paystack.run(&account, &["policy", "--functions"]).exits(0).stdout;
    assert!(fits.contains("dynamodb:PutItem, handlers/process_payment/transactions.py:"), "{fits}");
    paystack.replace("handlers/process_payment/transactions.py", "self.client.put_item", "self.client.delete_item");
    let fits = paystack.run(&account, &["policy", "--functions", "--format", "json"]).exits(1).json();
    let payment = fits["functions"].as_array().expect("functions").iter().find(|it| it["function"] == "ProcessPayment");
    let payment = payment.expect("it is one of them");
    assert_eq!(payment["excess"], serde_json::json!(["dynamodb:PutItem"]));
    assert!(payment["missing"]["dynamodb:DeleteItem"].is_string(), "{payment:#}");
}
