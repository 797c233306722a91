use std::collections::BTreeMap;
use std::sync::Arc;

use paystack::aws::clock::SystemClock;
use paystack::aws::{Context, Packages};
use paystack::identity::{LogicalId, ResourceType, StackId};
use paystack::package::{Package, zip_inline};
use paystack::resource::{Owner, Ownership, Resource, row, tags};
use serde_json::{Value, json};

use crate::conformance::{Case, Declared, check_with, connection, makes, resource, with};

pub(super) const HANDLER: &str = "def handler(event, context):\n    return event\n";
pub(super) const OTHER_HANDLER: &str = "def handler(event, context):\n    return None\n";

fn package(source: &str) -> Package {
    zip_inline("python3.11", source).expect("inline code is packaged")
}

pub(super) fn packages() -> Packages {
    let packages = [HANDLER, OTHER_HANDLER].map(package);
    packages.into_iter().map(|package| (package.sha256_base64, package.content)).collect::<BTreeMap<_, _>>()
}

pub(super) fn code(source: &str) -> Value {
    json!({"Sha256": package(source).sha256_base64})
}

/// A small function with further properties.
pub(super) fn function(name: &str, further: Value) -> Value {
    with(
        json!({
            "FunctionName": name,
            "Code": code(HANDLER),
            "Runtime": "python3.11",
            "Handler": "index.handler",
            "Role": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/orders"},
        }),
        further,
    )
}

pub(super) fn orders_function() -> Declared {
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
        with(
            json!({
                "FunctionName": {"Ref": "Orders"},
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
            }),
            further,
        )
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

pub(super) async fn context() -> Context {
    Context::new(&connection().await, packages(), Arc::new(SystemClock::start()))
}

pub(super) fn handler(resource_type: &str) -> &'static dyn Resource {
    row(&ResourceType::from(resource_type)).expect("the type is in the table").handler
}

pub(super) fn owner(logical_id: &str) -> Owner {
    Owner { stack: StackId::from("it"), resource: LogicalId::from(logical_id) }
}

#[tokio::test]
async fn a_layer_with_other_content_is_found_and_published_beside_the_old_one() {
    let (cx, owner, layers) = (context().await, owner("Libraries"), handler("AWS::Lambda::LayerVersion"));
    let wanted =
        |source: &str| layers.canonical(&json!({"LayerName": "libraries", "Content": code(source)})).expect("a layer");
    let old = makes(layers, &cx, &owner, &wanted(HANDLER)).await.expect("create").id;
    assert_eq!(layers.find(&cx, &owner, &wanted(OTHER_HANDLER)).await.expect("find"), Some(old.clone()));

    let new = makes(layers, &cx, &owner, &wanted(OTHER_HANDLER)).await.expect("create").id;
    assert_ne!(new, old);
    assert_eq!(layers.find(&cx, &owner, &wanted(HANDLER)).await.expect("find"), Some(new.clone()));

    let swept = layers.sweep(&cx, &owner.stack).await.expect("sweep");
    assert_eq!(swept, [(owner.clone(), new), (owner, old)]);
    assert_eq!(layers.sweep(&cx, &StackId::from("others")).await.expect("sweep"), []);
}

#[tokio::test]
async fn a_permission_that_an_interrupted_replacement_left_makes_room_for_the_new_one() {
    let (cx, owner, permissions) = (context().await, owner("MayInvoke"), handler("AWS::Lambda::Permission"));
    let functions = handler("AWS::Lambda::Function");
    let mut orders = function("orders", json!({"Role": "arn:aws:iam::123456789012:role/orders"}));
    tags::add(&mut orders, &BTreeMap::new(), &self::owner("Orders"));
    let orders = functions.canonical(&orders).expect("a function");
    makes(functions, &cx, &self::owner("Orders"), &orders).await.expect("create the function");
    let wanted = |principal: &str| {
        let properties = json!({"FunctionName": "orders", "Action": "lambda:InvokeFunction", "Principal": principal});
        permissions.canonical(&properties).expect("a permission")
    };
    let old = makes(permissions, &cx, &owner, &wanted("sns.amazonaws.com")).await.expect("create");
    let new = makes(permissions, &cx, &owner, &wanted("apigateway.amazonaws.com")).await.expect("create");
    assert_eq!(new.id, old.id);
    let live = permissions.read(&cx, &new.id).await.expect("read").expect("it is there");
    assert_eq!(live.properties, wanted("apigateway.amazonaws.com"));
    assert_eq!(live.ownership, Ownership::Owned(owner));
}
