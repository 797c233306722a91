//! What stands beside a function: versions, aliases, addresses, and what becomes of calls that fail.

use std::collections::BTreeMap;

use paystack::change::Changes;
use paystack::resource::tags;
use serde_json::{Value, json};

use super::lambda::{HANDLER, OTHER_HANDLER, code, context, function, handler, orders_function, owner, packages};
use crate::conformance::{Case, Declared, check_with, makes, resource, with};

fn version(logical_id: &'static str, description: &str) -> Declared {
    let properties = json!({"FunctionName": {"Ref": "Orders"}, "Description": description});
    resource(logical_id, "AWS::Lambda::Version", properties)
}

#[tokio::test]
async fn lambda_version() {
    let case = Case { before: vec![orders_function()], subject: version("First", "the first one"), updates: vec![] };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn lambda_alias() {
    let alias = |further: Value| {
        with(
            json!({
                "FunctionName": {"Fn::GetAtt": ["Orders", "Arn"]},
                "Name": "live",
                "FunctionVersion": {"Fn::GetAtt": ["First", "Version"]},
            }),
            further,
        )
    };
    let latest = json!({"FunctionVersion": "$LATEST"});
    let case = Case {
        before: vec![orders_function(), version("First", "")],
        subject: resource("Live", "AWS::Lambda::Alias", alias(json!({"Description": "what customers call"}))),
        updates: vec![
            alias(json!({"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 2}})),
            alias(json!({})),
            alias(latest),
            alias(json!({"Description": "again"})),
        ],
    };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn lambda_event_invoke_config() {
    let config = |further: Value| with(json!({"FunctionName": {"Ref": "Orders"}, "Qualifier": "$LATEST"}), further);
    let queue = json!({"Destination": {"Fn::GetAtt": ["Failures", "Arn"]}});
    let case = Case {
        before: vec![orders_function(), resource("Failures", "AWS::SQS::Queue", json!({"QueueName": "failures"}))],
        subject: resource(
            "Calls",
            "AWS::Lambda::EventInvokeConfig",
            config(json!({
                "MaximumEventAgeInSeconds": 600,
                "MaximumRetryAttempts": 0,
                "DestinationConfig": {"OnFailure": queue, "OnSuccess": queue},
            })),
        ),
        updates: vec![
            config(json!({"MaximumEventAgeInSeconds": 60, "DestinationConfig": {"OnFailure": queue}})),
            config(json!({"MaximumRetryAttempts": 1})),
        ],
    };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn lambda_url() {
    let url = |further: Value| {
        with(json!({"TargetFunctionArn": {"Fn::GetAtt": ["Orders", "Arn"]}, "AuthType": "NONE"}), further)
    };
    let case = Case {
        before: vec![orders_function()],
        subject: resource(
            "Address",
            "AWS::Lambda::Url",
            url(json!({
                "InvokeMode": "RESPONSE_STREAM",
                "Cors": {
                    "AllowCredentials": true,
                    "AllowHeaders": ["content-type", "authorization"],
                    "AllowMethods": ["POST", "GET"],
                    "AllowOrigins": ["https://shop.example"],
                    "ExposeHeaders": ["x-request-id"],
                    "MaxAge": 300,
                },
            })),
        ),
        updates: vec![
            url(json!({"AuthType": "AWS_IAM", "Cors": {"AllowMethods": ["GET"], "AllowOrigins": ["*"]}})),
            url(json!({})),
        ],
    };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn lambda_url_of_an_alias() {
    let alias = json!({"FunctionName": {"Ref": "Orders"}, "Name": "live", "FunctionVersion": "$LATEST"});
    let url =
        |auth_type: &str| json!({"TargetFunctionArn": {"Ref": "Orders"}, "Qualifier": "live", "AuthType": auth_type});
    let case = Case {
        before: vec![orders_function(), resource("Live", "AWS::Lambda::Alias", alias)],
        subject: resource("Address", "AWS::Lambda::Url", url("NONE")),
        updates: vec![url("AWS_IAM")],
    };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn lambda_layer_version_permission() {
    let layer = json!({"LayerName": "libraries", "Content": code(HANDLER), "CompatibleRuntimes": ["python3.11"]});
    let case = Case {
        before: vec![resource("Libraries", "AWS::Lambda::LayerVersion", layer)],
        subject: resource(
            "Shared",
            "AWS::Lambda::LayerVersionPermission",
            json!({
                "LayerVersionArn": {"Ref": "Libraries"},
                "Action": "lambda:GetLayerVersion",
                "Principal": "111122223333",
            }),
        ),
        updates: vec![],
    };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn lambda_code_signing_config() {
    let config = |profile: &str, further: Value| {
        let arn = format!("arn:aws:signer:us-east-1:123456789012:/signing-profiles/{profile}/a1b2c3d4e5");
        with(json!({"AllowedPublishers": {"SigningProfileVersionArns": [arn]}}), further)
    };
    let case = Case {
        before: vec![],
        subject: resource(
            "Signed",
            "AWS::Lambda::CodeSigningConfig",
            config(
                "one",
                json!({
                    "Description": "what the pipeline signs",
                    "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"},
                    "Tags": [{"Key": "Owner", "Value": "me"}],
                }),
            ),
        ),
        updates: vec![config("two", json!({"Tags": [{"Key": "Owner", "Value": "you"}]})), config("two", json!({}))],
    };
    check_with(case, packages()).await;
}

#[tokio::test]
async fn an_alias_splits_its_calls_between_two_versions() {
    let cx = context().await;
    let (functions, versions) = (handler("AWS::Lambda::Function"), handler("AWS::Lambda::Version"));
    let aliases = handler("AWS::Lambda::Alias");
    let orders = |source: &str| {
        let further = json!({"Role": "arn:aws:iam::123456789012:role/orders", "Code": code(source)});
        let mut orders = function("orders", further);
        tags::add(&mut orders, &BTreeMap::new(), &owner("Orders"));
        functions.canonical(&orders).expect("a function")
    };
    let id = makes(functions, &cx, &owner("Orders"), &orders(HANDLER)).await.expect("create the function").id;
    let version = versions.canonical(&json!({"FunctionName": "orders"})).expect("a version");
    let first = makes(versions, &cx, &owner("First"), &version).await.expect("publish").attributes;
    let error = makes(versions, &cx, &owner("Second"), &version).await.expect_err("nothing has changed");
    assert!(error.message.contains("was published for `First`"), "{error}");

    let changes = Changes::between(&orders(HANDLER), &orders(OTHER_HANDLER));
    functions.update(&cx, &owner("Orders"), &id, &orders(OTHER_HANDLER), &changes).await.expect("update the function");
    let second = makes(versions, &cx, &owner("Second"), &version).await.expect("publish again").attributes;
    assert_ne!(first["Version"], second["Version"]);

    let alias = |weights: Value| {
        let weights = json!({"AdditionalVersionWeights": weights});
        let version = &first["Version"];
        let alias =
            json!({"FunctionName": "orders", "Name": "live", "FunctionVersion": version, "RoutingConfig": weights});
        aliases.canonical(&alias).expect("an alias")
    };
    let split = alias(json!([{"FunctionVersion": second["Version"], "FunctionWeight": 0.25}]));
    let live = makes(aliases, &cx, &owner("Live"), &split).await.expect("create the alias").id;
    assert_eq!(aliases.read(&cx, &live).await.expect("read").expect("live").properties, split);
    let whole = alias(json!([]));
    aliases.update(&cx, &owner("Live"), &live, &whole, &Changes::between(&split, &whole)).await.expect("take it back");
    assert_eq!(aliases.read(&cx, &live).await.expect("read").expect("live").properties, whole);
}

#[tokio::test]
async fn logs_subscription_filter() {
    let filter = |more: Value| {
        with(
            json!({
                "LogGroupName": {"Ref": "Group"},
                "FilterName": "failures",
                "DestinationArn": {"Fn::GetAtt": ["Orders", "Arn"]},
            }),
            more,
        )
    };
    let permission = json!({
        "FunctionName": {"Ref": "Orders"},
        "Action": "lambda:InvokeFunction",
        "Principal": "logs.amazonaws.com",
    });
    let case = Case {
        before: vec![
            orders_function(),
            resource("Group", "AWS::Logs::LogGroup", json!({"LogGroupName": "/orders/api"})),
            resource("MayInvoke", "AWS::Lambda::Permission", permission),
        ],
        subject: resource("Failures", "AWS::Logs::SubscriptionFilter", filter(json!({"FilterPattern": "ERROR"}))),
        updates: vec![filter(json!({"FilterPattern": "?ERROR ?Exception"})), filter(json!({"FilterPattern": ""}))],
    };
    check_with(case, packages()).await;
}
