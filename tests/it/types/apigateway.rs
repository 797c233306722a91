use serde_json::json;

use crate::conformance::{Case, Declared, check, resource};

#[tokio::test]
async fn apigateway_rest_api() {
    check(Case {
        before: vec![],
        subject: resource(
            "Api",
            "AWS::ApiGateway::RestApi",
            json!({
                "Name": "orders",
                "Description": "Takes orders",
                "ApiKeySourceType": "AUTHORIZER",
                "BinaryMediaTypes": ["image/png", "application/octet-stream"],
                "DisableExecuteApiEndpoint": true,
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
                "MinimumCompressionSize": 1024,
                "Policy": {
                    "Version": "2012-10-17",
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": "execute-api:Invoke",
                        "Resource": "execute-api:/*",
                    },
                },
                "Tags": [{"Key": "Owner", "Value": "me"}],
            }),
        ),
        updates: vec![
            json!({
                "Name": "orders-two",
                "Description": "Takes more orders",
                "BinaryMediaTypes": ["image/png", "*/*"],
                "EndpointConfiguration": {"Types": ["REGIONAL"], "IpAddressType": "dualstack"},
                "MinimumCompressionSize": 0,
                "Tags": [{"Key": "Owner", "Value": "you"}, {"Key": "Team", "Value": "payments"}],
            }),
            json!({
                "Name": "orders",
                "DisableExecuteApiEndpoint": true,
                "EndpointConfiguration": {"Types": ["PRIVATE"], "VpcEndpointIds": ["vpce-0123456789abcdef0"]},
            }),
            json!({"Name": "orders", "Description": "Takes orders"}),
            json!({"Name": "orders"}),
        ],
    })
    .await;
}

/// An API to put things into.
fn api() -> Declared {
    resource("Api", "AWS::ApiGateway::RestApi", json!({"Name": "orders"}))
}

#[tokio::test]
async fn apigateway_resource() {
    check(Case {
        before: vec![
            api(),
            resource(
                "Orders",
                "AWS::ApiGateway::Resource",
                json!({
                    "RestApiId": {"Ref": "Api"},
                    "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                    "PathPart": "orders",
                }),
            ),
        ],
        subject: resource(
            "Order",
            "AWS::ApiGateway::Resource",
            json!({"RestApiId": {"Ref": "Api"}, "ParentId": {"Ref": "Orders"}, "PathPart": "{id}"}),
        ),
        updates: vec![],
    })
    .await;
}

#[tokio::test]
async fn apigateway_model() {
    let order = json!({"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]});
    check(Case {
        before: vec![api()],
        subject: resource(
            "Order",
            "AWS::ApiGateway::Model",
            json!({
                "RestApiId": {"Ref": "Api"},
                "Name": "Order",
                "ContentType": "application/json",
                "Description": "What is ordered",
                "Schema": order,
            }),
        ),
        updates: vec![
            json!({"RestApiId": {"Ref": "Api"}, "Name": "Order", "Description": "An order", "Schema": order.to_string()}),
            json!({"RestApiId": {"Ref": "Api"}, "Name": "Order", "Description": "An order", "Schema": {"type": "array"}}),
            json!({"RestApiId": {"Ref": "Api"}, "Name": "Order"}),
        ],
    })
    .await;
}

#[tokio::test]
async fn apigateway_request_validator() {
    check(Case {
        before: vec![api()],
        subject: resource(
            "Validator",
            "AWS::ApiGateway::RequestValidator",
            json!({
                "RestApiId": {"Ref": "Api"},
                "Name": "all",
                "ValidateRequestBody": true,
                "ValidateRequestParameters": true,
            }),
        ),
        updates: vec![
            json!({"RestApiId": {"Ref": "Api"}, "Name": "all", "ValidateRequestBody": true}),
            json!({"RestApiId": {"Ref": "Api"}, "Name": "all"}),
        ],
    })
    .await;
}

#[tokio::test]
async fn apigateway_gateway_response() {
    check(Case {
        before: vec![api()],
        subject: resource(
            "Throttled",
            "AWS::ApiGateway::GatewayResponse",
            json!({
                "RestApiId": {"Ref": "Api"},
                "ResponseType": "THROTTLED",
                "StatusCode": "503",
                "ResponseParameters": {"gatewayresponse.header.Retry-After": "'10'"},
                "ResponseTemplates": {"application/json": "{\"message\": \"later\"}", "text/plain": "later"},
            }),
        ),
        updates: vec![
            json!({
                "RestApiId": {"Ref": "Api"},
                "ResponseType": "THROTTLED",
                "StatusCode": "429",
                "ResponseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
            }),
            json!({"RestApiId": {"Ref": "Api"}, "ResponseType": "THROTTLED"}),
        ],
    })
    .await;
}

#[tokio::test]
async fn apigateway_gateway_response_to_a_class_of_errors() {
    check(Case {
        before: vec![api()],
        subject: resource(
            "ClientErrors",
            "AWS::ApiGateway::GatewayResponse",
            json!({"RestApiId": {"Ref": "Api"}, "ResponseType": "DEFAULT_4XX"}),
        ),
        updates: vec![],
    })
    .await;
}

#[tokio::test]
async fn apigateway_account() {
    let role = |logical_id, name: &str| {
        let trust = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }});
        let logs = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";
        let properties = json!({"RoleName": name, "AssumeRolePolicyDocument": trust, "ManagedPolicyArns": [logs]});
        resource(logical_id, "AWS::IAM::Role", properties)
    };
    check(Case {
        before: vec![role("Logs", "api-logs"), role("OtherLogs", "other-api-logs")],
        subject: resource(
            "Account",
            "AWS::ApiGateway::Account",
            json!({"CloudWatchRoleArn": {"Fn::GetAtt": ["Logs", "Arn"]}}),
        ),
        updates: vec![json!({"CloudWatchRoleArn": {"Fn::GetAtt": ["OtherLogs", "Arn"]}})],
    })
    .await;
}
