//! API Gateway: what stands around APIs: their documentation, certificates, custom domains, and the way into networks.

use serde_json::{Value, json};

use crate::conformance::{Case, Declared, check, resource, with};

fn api() -> Declared {
    resource("Api", "AWS::ApiGateway::RestApi", json!({"Name": "orders"}))
}

#[tokio::test]
async fn apigateway_documentation_part() {
    let part = |said: &str| {
        json!({
            "RestApiId": {"Ref": "Api"},
            "Location": {"Type": "RESPONSE", "Path": "/orders", "Method": "GET", "StatusCode": "200"},
            "Properties": said,
        })
    };
    check(Case {
        before: vec![api()],
        subject: resource(
            "Orders",
            "AWS::ApiGateway::DocumentationPart",
            part(r#"{"description": "All orders", "tags": ["orders"]}"#),
        ),
        updates: vec![part(r#"{"description": "Orders of the caller"}"#)],
    })
    .await;
}

#[tokio::test]
async fn apigateway_documentation_part_about_everything() {
    check(Case {
        before: vec![api()],
        subject: resource(
            "Everything",
            "AWS::ApiGateway::DocumentationPart",
            json!({
                "RestApiId": {"Ref": "Api"},
                "Location": {"Type": "METHOD", "Path": "/", "Method": "*"},
                "Properties": "{\"description\": \"It takes a key\"}",
            }),
        ),
        updates: vec![],
    })
    .await;
}

#[tokio::test]
async fn apigateway_documentation_version() {
    let version = json!({"RestApiId": {"Ref": "Api"}, "DocumentationVersion": "1.0"});
    let said = |description: &str| with(version.clone(), json!({"Description": description}));
    check(Case {
        before: vec![
            api(),
            resource(
                "Orders",
                "AWS::ApiGateway::DocumentationPart",
                json!({
                    "RestApiId": {"Ref": "Api"},
                    "Location": {"Type": "API"},
                    "Properties": "{\"description\": \"Takes orders\"}",
                }),
            ),
        ],
        subject: resource("First", "AWS::ApiGateway::DocumentationVersion", said("The first edition")),
        updates: vec![said("The edition of spring"), version],
    })
    .await;
}

#[tokio::test]
async fn apigateway_client_certificate() {
    check(Case {
        before: vec![],
        subject: resource(
            "Certificate",
            "AWS::ApiGateway::ClientCertificate",
            json!({"Description": "For the backend", "Tags": [{"Key": "Owner", "Value": "me"}]}),
        ),
        updates: vec![
            json!({"Description": "For both backends", "Tags": [{"Key": "Owner", "Value": "you"}]}),
            json!({}),
        ],
    })
    .await;
}

/// An API with two stages, and another one.
fn before_a_mapping() -> Vec<Declared> {
    let method = |logical_id, api: &str| {
        let properties = json!({
            "RestApiId": {"Ref": api},
            "ResourceId": {"Fn::GetAtt": [api, "RootResourceId"]},
            "HttpMethod": "GET",
            "Integration": {"Type": "MOCK"},
        });
        resource(logical_id, "AWS::ApiGateway::Method", properties)
    };
    let deployment = |logical_id, api: &str| {
        let properties = json!({"RestApiId": {"Ref": api}, "ContentDigest": "aaaa"});
        resource(logical_id, "AWS::ApiGateway::Deployment", properties)
    };
    let stage = |logical_id, api: &str, deployment: &str, name: &str| {
        let properties = json!({"RestApiId": {"Ref": api}, "DeploymentId": {"Ref": deployment}, "StageName": name});
        resource(logical_id, "AWS::ApiGateway::Stage", properties)
    };
    vec![
        api(),
        method("Get", "Api"),
        deployment("Deployment", "Api"),
        stage("Live", "Api", "Deployment", "live"),
        stage("Next", "Api", "Deployment", "next"),
        resource("Other", "AWS::ApiGateway::RestApi", json!({"Name": "other"})),
        method("GetOther", "Other"),
        deployment("OtherDeployment", "Other"),
        stage("OtherLive", "Other", "OtherDeployment", "live"),
    ]
}

/// The emulator maps paths of domains that do not exist; AWS takes a domain with a certificate of one's own.
#[tokio::test]
async fn apigateway_base_path_mapping() {
    let mapping = |api: &str, more: Value| {
        let mapping = json!({"DomainName": "api.example.com", "BasePath": "orders", "RestApiId": {"Ref": api}});
        with(mapping, more)
    };
    check(Case {
        before: before_a_mapping(),
        subject: resource(
            "Orders",
            "AWS::ApiGateway::BasePathMapping",
            mapping("Api", json!({"Stage": {"Ref": "Live"}})),
        ),
        updates: vec![
            mapping("Api", json!({"Stage": {"Ref": "Next"}})),
            mapping("Other", json!({"Stage": {"Ref": "OtherLive"}})),
            mapping("Other", json!({})),
        ],
    })
    .await;
}

#[tokio::test]
async fn apigateway_base_path_mapping_of_a_whole_domain() {
    let mapping = json!({"DomainName": "api.example.com", "RestApiId": {"Ref": "Api"}});
    check(Case {
        before: before_a_mapping(),
        subject: resource("Root", "AWS::ApiGateway::BasePathMapping", mapping.clone()),
        updates: vec![with(mapping, json!({"Stage": {"Ref": "Live"}}))],
    })
    .await;
}

#[tokio::test]
async fn apigateway_domain_name() {
    let certificate = |name: &str| format!("arn:aws:acm:us-east-1:123456789012:certificate/{name}");
    let regional = |name: &str, more: Value| {
        let domain = json!({
            "DomainName": "api.example.com",
            "RegionalCertificateArn": certificate(name),
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
        });
        with(domain, more)
    };
    check(Case {
        before: vec![],
        subject: resource(
            "Domain",
            "AWS::ApiGateway::DomainName",
            regional(
                "first",
                json!({
                    "SecurityPolicy": "TLS_1_2",
                    "MutualTlsAuthentication": {"TruststoreUri": "s3://certificates/trusted.pem", "TruststoreVersion": "1"},
                    "RoutingMode": "ROUTING_RULE_THEN_BASE_PATH_MAPPING",
                    "Tags": [{"Key": "Owner", "Value": "me"}],
                }),
            ),
        ),
        updates: vec![
            regional(
                "second",
                json!({
                    "EndpointConfiguration": {"Types": ["REGIONAL"], "IpAddressType": "dualstack"},
                    "MutualTlsAuthentication": {"TruststoreUri": "s3://certificates/trusted.pem", "TruststoreVersion": "2"},
                    "OwnershipVerificationCertificateArn": certificate("ownership"),
                    "Tags": [{"Key": "Owner", "Value": "you"}],
                }),
            ),
            json!({"DomainName": "api.example.com", "CertificateArn": certificate("edge")}),
            regional("first", json!({})),
        ],
    })
    .await;
}

#[tokio::test]
async fn apigateway_vpc_link() {
    let targets =
        json!(["arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/orders/0123456789abcdef"]);
    check(Case {
        before: vec![],
        subject: resource(
            "Link",
            "AWS::ApiGateway::VpcLink",
            json!({
                "Name": "orders",
                "Description": "To the orders' network",
                "TargetArns": targets,
                "Tags": [{"Key": "Owner", "Value": "me"}],
            }),
        ),
        updates: vec![
            json!({
                "Name": "orders-two",
                "Description": "To the network",
                "TargetArns": targets,
                "Tags": [{"Key": "Owner", "Value": "you"}],
            }),
            json!({"Name": "orders-two", "TargetArns": targets}),
        ],
    })
    .await;
}
