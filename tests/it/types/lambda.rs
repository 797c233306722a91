use std::collections::BTreeMap;

use paystack::aws::Packages;
use paystack::package::{Package, zip_inline};
use serde_json::{Value, json};

use crate::conformance::{Case, Declared, check_with, resource};

const HANDLER: &str = "def handler(event, context):\n    return event\n";
const OTHER_HANDLER: &str = "def handler(event, context):\n    return None\n";

fn package(source: &str) -> Package {
    zip_inline("python3.11", source).expect("inline code is packaged")
}

fn packages() -> Packages {
    let packages = [HANDLER, OTHER_HANDLER].map(package);
    packages.into_iter().map(|package| (package.sha256_base64, package.bytes)).collect::<BTreeMap<_, _>>()
}

fn code(source: &str) -> Value {
    json!({"Sha256": package(source).sha256_base64})
}

/// A small function with further properties.
fn function(name: &str, further: Value) -> Value {
    let mut properties = json!({
        "FunctionName": name,
        "Code": code(HANDLER),
        "Runtime": "python3.11",
        "Handler": "index.handler",
        "Role": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/orders"},
    });
    let Value::Object(further) = further else { panic!("properties are an object") };
    properties.as_object_mut().expect("an object").extend(further);
    properties
}

fn orders_function() -> Declared {
    resource("Orders", "AWS::Lambda::Function", function("orders", json!({})))
}

#[tokio::test]
async fn lambda_function() {
    let everything = json!({
        "Description": "Takes orders",
        "Timeout": 15,
        "MemorySize": 512,
        "Architectures": ["arm64"],
        "Environment": {"Variables": {"TABLE": "orders", "STAGE": "dev"}},
        "Layers": [{"Ref": "Second"}, {"Ref": "First"}],
        "TracingConfig": {"Mode": "Active"},
        "DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": ["Dlq", "Arn"]}},
        "EphemeralStorage": {"Size": 1024},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/orders", "ApplicationLogLevel": "DEBUG"},
        "ReservedConcurrentExecutions": 5,
        "RecursiveLoop": "Allow",
        "Tags": [{"Key": "Owner", "Value": "me"}],
    });
    let layer = |name: &str| json!({"LayerName": name, "Content": code(HANDLER), "CompatibleRuntimes": ["python3.11"]});
    let case = Case {
        before: vec![
            resource("First", "AWS::Lambda::LayerVersion", layer("first")),
            resource("Second", "AWS::Lambda::LayerVersion", layer("second")),
            resource("Dlq", "AWS::SQS::Queue", json!({"QueueName": "orders-dlq"})),
        ],
        subject: resource("Orders", "AWS::Lambda::Function", function("orders", everything)),
        updates: vec![
            function("orders", json!({"Code": code(OTHER_HANDLER), "Tags": [{"Key": "Owner", "Value": "you"}]})),
            function("orders", json!({"Layers": [{"Ref": "First"}], "ReservedConcurrentExecutions": 2})),
            function("orders", json!({"Environment": {"Variables": {"TABLE": "orders"}}, "Timeout": 900})),
            function("orders", json!({"RecursiveLoop": "Allow", "LoggingConfig": {"LogFormat": "JSON"}})),
            function("orders", json!({"Architectures": ["arm64"], "Handler": "index.other"})),
            function("orders", json!({})),
        ],
    };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn lambda_function_that_may_not_run() {
    let stopped = json!({"ReservedConcurrentExecutions": 0});
    let case = Case {
        before: vec![],
        subject: resource("Orders", "AWS::Lambda::Function", function("orders", stopped)),
        updates: vec![function("orders", json!({}))],
    };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn lambda_function_that_chooses_when_its_runtime_changes() {
    let on_update = json!({"RuntimeManagementConfig": {"UpdateRuntimeOn": "FunctionUpdate"}});
    let case = Case {
        before: vec![],
        subject: resource("Orders", "AWS::Lambda::Function", function("orders", on_update)),
        updates: vec![function("orders", json!({}))],
    };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn lambda_layer_version() {
    let case = Case {
        before: vec![],
        subject: resource(
            "Libraries",
            "AWS::Lambda::LayerVersion",
            json!({
                "LayerName": "libraries",
                "Description": "What functions share",
                "Content": code(HANDLER),
                "CompatibleRuntimes": ["python3.12", "python3.11"],
                "CompatibleArchitectures": ["x86_64", "arm64"],
                "LicenseInfo": "MIT",
            }),
        ),
        updates: vec![],
    };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn lambda_permission() {
    let case = Case {
        before: vec![orders_function()],
        subject: resource(
            "ApiMayInvoke",
            "AWS::Lambda::Permission",
            json!({
                "FunctionName": {"Fn::GetAtt": ["Orders", "Arn"]},
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:api/*/POST/webhooks"},
                "SourceAccount": {"Fn::Sub": "${AWS::AccountId}"},
            }),
        ),
        updates: vec![],
    };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn lambda_permission_for_an_account() {
    let case = Case {
        before: vec![orders_function()],
        subject: resource(
            "PartnerMayInvoke",
            "AWS::Lambda::Permission",
            json!({
                "FunctionName": {"Ref": "Orders"},
                "Action": "lambda:InvokeFunction",
                "Principal": "arn:aws:iam::111122223333:root",
                "PrincipalOrgID": "o-a1b2c3d4e5",
            }),
        ),
        updates: vec![],
    };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn lambda_event_source_mapping_of_a_queue() {
    let mapping = |further: Value| {
        let mut properties = json!({
            "FunctionName": {"Ref": "Orders"},
            "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
        });
        let Value::Object(further) = further else { panic!("properties are an object") };
        properties.as_object_mut().expect("an object").extend(further);
        properties
    };
    let case = Case {
        before: vec![
            orders_function(),
            resource("Others", "AWS::Lambda::Function", function("others", json!({}))),
            resource("Queue", "AWS::SQS::Queue", json!({"QueueName": "orders"})),
        ],
        subject: resource(
            "OrdersSource",
            "AWS::Lambda::EventSourceMapping",
            mapping(json!({
                "BatchSize": 100,
                "MaximumBatchingWindowInSeconds": 5,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": {"MaximumConcurrency": 4},
                "FilterCriteria": {"Filters": [{"Pattern": "{\"body\":{\"kind\":[\"b\"]}}"}, {"Pattern": "{\"body\":{\"kind\":[\"a\"]}}"}]},
                "Tags": [{"Key": "Owner", "Value": "me"}],
            })),
        ),
        updates: vec![
            mapping(json!({"Enabled": false, "ScalingConfig": {"MaximumConcurrency": 2}})),
            mapping(
                json!({"FunctionName": {"Fn::GetAtt": ["Others", "Arn"]}, "Tags": [{"Key": "Owner", "Value": "you"}]}),
            ),
            mapping(json!({})),
        ],
    };
    check_with(case, packages()).await;
}
