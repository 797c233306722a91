//! API Gateway: what brings an API to its callers.

use serde_json::{Value, json};

use crate::conformance::{Case, Declared, check, resource};

#[tokio::test]
async fn apigateway_api_key() {
    check(Case {
        before: vec![],
        subject: resource(
            "PartnerKey",
            "AWS::ApiGateway::ApiKey",
            json!({
                "Name": "partner",
                "Description": "For the partner",
                "Enabled": true,
                "CustomerId": "c-1",
                "GenerateDistinctId": true,
                "Value": "0123456789abcdef0123456789abcdef",
                "Tags": [{"Key": "Owner", "Value": "me"}],
            }),
        ),
        updates: vec![
            json!({
                "Name": "partner",
                "Description": "For the partner's second system",
                "CustomerId": "c-2",
                "Value": "0123456789abcdef0123456789abcdef",
                "Tags": [{"Key": "Owner", "Value": "you"}, {"Key": "Env", "Value": "dev"}],
            }),
            json!({"Name": "partner", "Value": "0123456789abcdef0123456789abcdef"}),
        ],
    })
    .await;
}

#[tokio::test]
async fn apigateway_api_key_whose_value_the_service_makes_up() {
    check(Case {
        before: vec![],
        subject: resource("PartnerKey", "AWS::ApiGateway::ApiKey", json!({"Name": "partner"})),
        updates: vec![json!({"Name": "partner", "Enabled": true})],
    })
    .await;
}

#[tokio::test]
async fn apigateway_usage_plan_without_stages() {
    check(Case {
        before: vec![],
        subject: resource("Plan", "AWS::ApiGateway::UsagePlan", json!({"UsagePlanName": "basic"})),
        updates: vec![
            json!({"UsagePlanName": "basic", "Throttle": {"BurstLimit": 20, "RateLimit": 7.5}}),
            json!({"UsagePlanName": "gold", "Quota": {"Limit": 1000, "Period": "WEEK", "Offset": 2}}),
            json!({"UsagePlanName": "gold", "Description": "Shiny", "Tags": [{"Key": "Owner", "Value": "me"}]}),
            json!({"UsagePlanName": "gold"}),
        ],
    })
    .await;
}

#[tokio::test]
async fn apigateway_usage_plan_key() {
    check(Case {
        before: vec![
            resource("PartnerKey", "AWS::ApiGateway::ApiKey", json!({"Name": "partner"})),
            resource("Plan", "AWS::ApiGateway::UsagePlan", json!({"UsagePlanName": "basic"})),
        ],
        subject: resource(
            "PlanKey",
            "AWS::ApiGateway::UsagePlanKey",
            json!({"KeyId": {"Ref": "PartnerKey"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}}),
        ),
        updates: vec![],
    })
    .await;
}

/// An API with one method that answers by itself.
fn api() -> Vec<Declared> {
    vec![
        resource("Api", "AWS::ApiGateway::RestApi", json!({"Name": "webhooks"})),
        resource(
            "Method",
            "AWS::ApiGateway::Method",
            json!({
                "RestApiId": {"Ref": "Api"},
                "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                "HttpMethod": "POST",
                "AuthorizationType": "NONE",
                "Integration": {"Type": "MOCK"},
            }),
        ),
    ]
}

fn api_with(more: impl IntoIterator<Item = Declared>) -> Vec<Declared> {
    api().into_iter().chain(more).collect()
}

fn deployment(logical_id: &'static str, digest: &str) -> Declared {
    let properties = json!({"RestApiId": {"Ref": "Api"}, "ContentDigest": digest});
    resource(logical_id, "AWS::ApiGateway::Deployment", properties)
}

fn of_api(mut properties: Value) -> Value {
    properties["RestApiId"] = json!({"Ref": "Api"});
    properties
}

#[tokio::test]
async fn apigateway_deployment_of_known_content() {
    let digest = "0123456789abcdef";
    check(Case {
        before: api(),
        subject: resource(
            "Deployment",
            "AWS::ApiGateway::Deployment",
            of_api(json!({"Description": "First [draft]", "ContentDigest": digest})),
        ),
        updates: vec![
            of_api(json!({"Description": "Second draft", "ContentDigest": digest})),
            of_api(json!({"ContentDigest": digest})),
        ],
    })
    .await;
}

fn stage_of(mut properties: Value) -> Value {
    properties["StageName"] = json!("prod");
    let fields = properties.as_object_mut().expect("properties");
    fields.entry("DeploymentId").or_insert_with(|| json!({"Ref": "Second"}));
    of_api(properties)
}

#[tokio::test]
async fn apigateway_stage() {
    let logs = "arn:aws:logs:us-east-1:${AWS::AccountId}:log-group:webhooks:*";
    check(Case {
        before: api_with([deployment("First", "aaaa"), deployment("Second", "bbbb")]),
        subject: resource(
            "Stage",
            "AWS::ApiGateway::Stage",
            stage_of(json!({
                "DeploymentId": {"Ref": "First"},
                "Description": "For callers",
                "TracingEnabled": true,
                "Variables": {"color": "blue", "size": "1"},
                "AccessLogSetting": {"DestinationArn": {"Fn::Sub": logs}, "Format": "$context.requestId"},
                "MethodSettings": [
                    {"ResourcePath": "/*", "HttpMethod": "*", "LoggingLevel": "INFO", "MetricsEnabled": true},
                    {"ResourcePath": "/~1orders~1{id}", "HttpMethod": "GET", "ThrottlingRateLimit": 0.5},
                ],
                "Tags": [{"Key": "Owner", "Value": "me"}],
            })),
        ),
        updates: vec![
            stage_of(json!({
                "Variables": {"color": "green", "shape": "round"},
                "AccessLogSetting": {"DestinationArn": {"Fn::Sub": logs}, "Format": "$context.extendedRequestId"},
                "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingBurstLimit": 10}],
                "Tags": [{"Key": "Owner", "Value": "you"}],
            })),
            stage_of(json!({"CacheClusterEnabled": true, "MethodSettings": [
                {"ResourcePath": "/", "HttpMethod": "POST", "CacheTtlInSeconds": 60, "CacheDataEncrypted": true},
                {"ResourcePath": "/orders", "HttpMethod": "GET", "CachingEnabled": false, "DataTraceEnabled": true},
            ]})),
            stage_of(json!({"CacheClusterEnabled": true, "CacheClusterSize": "1.6"})),
            stage_of(json!({"Variables": {"color": "green"}})),
            stage_of(json!({})),
        ],
    })
    .await;
}

#[tokio::test]
async fn apigateway_stage_with_a_canary() {
    check(Case {
        before: api_with([deployment("First", "aaaa"), deployment("Second", "bbbb")]),
        subject: resource(
            "Stage",
            "AWS::ApiGateway::Stage",
            stage_of(json!({"CanarySetting": {
                "DeploymentId": {"Ref": "First"},
                "PercentTraffic": 10,
                "StageVariableOverrides": {"color": "blue", "size": "1"},
            }})),
        ),
        updates: vec![
            stage_of(json!({"CanarySetting": {
                "DeploymentId": {"Ref": "First"},
                "PercentTraffic": 12.5,
                "UseStageCache": true,
                "StageVariableOverrides": {"color": "green"},
            }})),
            stage_of(json!({"CanarySetting": {"DeploymentId": {"Ref": "Second"}}})),
            stage_of(json!({})),
        ],
    })
    .await;
}

#[tokio::test]
async fn apigateway_usage_plan_of_stages() {
    let stage = |name: &'static str, logical_id| {
        let properties = json!({"RestApiId": {"Ref": "Api"}, "StageName": name, "DeploymentId": {"Ref": "First"}});
        resource(logical_id, "AWS::ApiGateway::Stage", properties)
    };
    let plan = |stages: Value| json!({"UsagePlanName": "basic", "ApiStages": stages});
    check(Case {
        before: api_with([deployment("First", "aaaa"), stage("dev", "Dev"), stage("prod", "Prod")]),
        subject: resource(
            "Plan",
            "AWS::ApiGateway::UsagePlan",
            plan(json!([
                {"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Prod"}, "Throttle": {"/orders/GET": {"RateLimit": 5, "BurstLimit": 2}}},
            ])),
        ),
        updates: vec![
            plan(json!([
                {"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Prod"}, "Throttle": {
                    "/orders/GET": {"RateLimit": 7.5, "BurstLimit": 2},
                    "/orders/{id}/GET": {"BurstLimit": 3},
                    "//POST": {"RateLimit": 1},
                }},
                {"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Dev"}},
            ])),
            plan(json!([{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Prod"}, "Throttle": {"//POST": {"RateLimit": 1}}}])),
            plan(json!([{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Prod"}}])),
            plan(json!([{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Dev"}}])),
            json!({"UsagePlanName": "basic"}),
        ],
    })
    .await;
}
