//! API Gateway: what brings an API to its callers.

use serde_json::{Value, json};

use crate::conformance::{Case, Declared, check, resource};

#[tokio::test]
async fn api_key() {
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
async fn api_key_whose_value_the_service_makes_up() {
    check(Case {
        before: vec![],
        subject: resource("PartnerKey", "AWS::ApiGateway::ApiKey", json!({"Name": "partner"})),
        updates: vec![json!({"Name": "partner", "Enabled": true})],
    })
    .await;
}

#[tokio::test]
async fn usage_plan_without_stages() {
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
async fn usage_plan_key() {
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
async fn deployment_of_known_content() {
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
