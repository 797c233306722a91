use serde_json::{Value, json};

use crate::conformance::{Case, Declared, check, resource, with};

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

/// `/orders`, a model and a validator: what a method needs.
fn before_a_method() -> Vec<Declared> {
    vec![
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
        resource(
            "Order",
            "AWS::ApiGateway::Model",
            json!({"RestApiId": {"Ref": "Api"}, "Name": "Order", "Schema": {"type": "object"}}),
        ),
        resource(
            "Validator",
            "AWS::ApiGateway::RequestValidator",
            json!({"RestApiId": {"Ref": "Api"}, "Name": "all", "ValidateRequestBody": true}),
        ),
    ]
}

fn method(verb: &str, rest: Value) -> Value {
    with(json!({"RestApiId": {"Ref": "Api"}, "ResourceId": {"Ref": "Orders"}, "HttpMethod": verb}), rest)
}

/// A method with everything that can be said of one.
fn whole_method() -> Value {
    method(
        "POST",
        json!({
            "ApiKeyRequired": true,
            "AuthorizationType": "AWS_IAM",
            "OperationName": "PlaceOrder",
            "RequestModels": {"application/json": {"Ref": "Order"}},
            "RequestParameters": {"method.request.header.Etag": true, "method.request.querystring.page": "false"},
            "RequestValidatorId": {"Ref": "Validator"},
            "Integration": {
                "Type": "HTTP",
                "Uri": "https://example.com/orders",
                "IntegrationHttpMethod": "POST",
                "ConnectionType": "INTERNET",
                "PassthroughBehavior": "NEVER",
                "TimeoutInMillis": 5000,
                "ContentHandling": "CONVERT_TO_TEXT",
                "CacheKeyParameters": ["method.request.querystring.page"],
                "RequestParameters": {"integration.request.header.Etag": "method.request.header.Etag"},
                "RequestTemplates": {"application/json": "$input.json('$')", "text/plain": ""},
                "IntegrationResponses": [
                    {
                        "StatusCode": "400",
                        "SelectionPattern": "4\\d{2}",
                        "ResponseTemplates": {"application/json": ""},
                    },
                    {
                        "StatusCode": "200",
                        "ResponseParameters": {"method.response.header.Etag": "integration.response.header.Etag"},
                    },
                ],
            },
            "MethodResponses": [
                {"StatusCode": "400", "ResponseModels": {"application/json": "Error"}},
                {"StatusCode": "200", "ResponseParameters": {"method.response.header.Etag": true}},
            ],
        }),
    )
}

#[tokio::test]
async fn apigateway_method() {
    check(Case {
        before: before_a_method(),
        subject: resource(
            "Post",
            "AWS::ApiGateway::Method",
            whole_method(),
        ),
        updates: vec![
            // The method itself.
            method(
                "POST",
                json!({
                    "AuthorizationType": "NONE",
                    "OperationName": "PlaceOneOrder",
                    "RequestModels": {"text/plain": "Empty"},
                    "RequestParameters": {"method.request.header.Etag": false, "method.request.header.Accept": true},
                    "Integration": {"Type": "HTTP", "Uri": "https://example.com/orders", "IntegrationHttpMethod": "POST"},
                }),
            ),
            // An integration of another type, and other responses.
            method(
                "POST",
                json!({
                    "Integration": {
                        "Type": "AWS_PROXY",
                        "IntegrationHttpMethod": "POST",
                        "Uri": {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/\
                                            arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:orders/invocations"},
                    },
                    "MethodResponses": [
                        {"StatusCode": "200", "ResponseModels": {"application/json": "Empty"}},
                        {"StatusCode": "500"},
                    ],
                }),
            ),
            // The responses alone.
            method(
                "POST",
                json!({
                    "Integration": {
                        "Type": "AWS_PROXY",
                        "IntegrationHttpMethod": "POST",
                        "Uri": {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/\
                                            arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:orders/invocations"},
                        "IntegrationResponses": [{"StatusCode": "200"}],
                    },
                    "MethodResponses": [
                        {
                            "StatusCode": "200",
                            "ResponseModels": {"application/json": {"Ref": "Order"}, "text/plain": "Empty"},
                            "ResponseParameters": {"method.response.header.Etag": false},
                        },
                    ],
                }),
            ),
            method("POST", json!({"Integration": {"Type": "MOCK"}})),
            method("POST", json!({})),
        ],
    })
    .await;
}

#[tokio::test]
async fn apigateway_method_for_preflight_requests() {
    let headers = |methods: &str| {
        json!([{
            "StatusCode": "204",
            "ResponseParameters": {
                "method.response.header.Access-Control-Allow-Methods": format!("'{methods}'"),
                "method.response.header.Access-Control-Allow-Origin": "'*'",
            },
            "ResponseTemplates": {"application/json": ""},
        }])
    };
    let preflight = |methods: &str| {
        method(
            "OPTIONS",
            json!({
                "AuthorizationType": "NONE",
                "Integration": {
                    "Type": "MOCK",
                    "IntegrationHttpMethod": "OPTIONS",
                    "RequestTemplates": {"application/json": "{ statusCode: 200 }"},
                    "IntegrationResponses": headers(methods),
                },
                "MethodResponses": [{
                    "StatusCode": "204",
                    "ResponseParameters": {
                        "method.response.header.Access-Control-Allow-Methods": true,
                        "method.response.header.Access-Control-Allow-Origin": true,
                    },
                }],
            }),
        )
    };
    check(Case {
        before: before_a_method(),
        subject: resource("Options", "AWS::ApiGateway::Method", preflight("GET")),
        updates: vec![preflight("GET,POST")],
    })
    .await;
}

#[tokio::test]
async fn apigateway_method_that_lacks_its_parts() {
    check(Case {
        before: before_a_method(),
        subject: resource("Post", "AWS::ApiGateway::Method", method("POST", json!({}))),
        updates: vec![whole_method()],
    })
    .await;
}

#[tokio::test]
async fn apigateway_rest_api_from_openapi() {
    let mock = |status: &str| {
        json!({
            "responses": {"200": {"description": "fine"}},
            "x-amazon-apigateway-integration": {
                "type": "mock",
                "passthroughBehavior": "when_no_match",
                "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
                "responses": {"default": {"statusCode": status}},
            },
        })
    };
    let api = |digest: &str, paths: Value, more: Value| {
        with(
            json!({
                "Body": {
                    "openapi": "3.0.1",
                    "info": {"title": "orders", "description": "Takes orders", "version": "1"},
                    "paths": paths,
                },
                "BodyDigest": digest,
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
            }),
            more,
        )
    };
    check(Case {
        before: vec![],
        subject: resource(
            "Api",
            "AWS::ApiGateway::RestApi",
            api("one", json!({"/orders": {"get": mock("200")}}), json!({"Tags": [{"Key": "Owner", "Value": "me"}]})),
        ),
        updates: vec![
            api(
                "two",
                json!({"/orders": {"get": mock("200"), "post": mock("200")}, "/status": {"get": mock("200")}}),
                json!({"Tags": [{"Key": "Owner", "Value": "you"}]}),
            ),
            api("three", json!({"/orders": {"get": mock("200")}}), json!({"Name": "orders-two"})),
            json!({"Name": "orders-two", "EndpointConfiguration": {"Types": ["REGIONAL"]}}),
        ],
    })
    .await;
}

#[tokio::test]
async fn apigateway_authorizer() {
    let authorizer = |more: Value| {
        with(
            json!({
                "RestApiId": {"Ref": "Api"},
                "Name": "keys",
                "Type": "TOKEN",
                "AuthorizerUri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:keys/invocations",
                "IdentitySource": "method.request.header.Authorization",
            }),
            more,
        )
    };
    check(Case {
        before: vec![api()],
        subject: resource(
            "Keys",
            "AWS::ApiGateway::Authorizer",
            authorizer(json!({
                "AuthorizerCredentials": "arn:aws:iam::123456789012:role/caller",
                "AuthorizerResultTtlInSeconds": 60,
                "IdentityValidationExpression": "^Bearer .+$",
            })),
        ),
        updates: vec![authorizer(json!({"Type": "REQUEST", "AuthorizerResultTtlInSeconds": 0})), authorizer(json!({}))],
    })
    .await;
}
