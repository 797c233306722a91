use serde_json::json;

use crate::conformance::{Case, check, resource};

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
