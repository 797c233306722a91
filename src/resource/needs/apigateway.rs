//! What the types of API Gateway need.

use super::{
    GATEWAY_TAGS, LOGS_ANYWHERE, LOGS_ON_THE_SIDE, Need, Versioned, account, anything, apis, besides, execution_logs,
    gateway_tags, keys, need, pass, usage_plans,
};

pub(super) const NEEDS: &[Need] = &[
    need("AWS::ApiGateway::Account", account, &["apigateway.GetAccount", "apigateway.UpdateAccount"]),
    pass("AWS::ApiGateway::Account", "apigateway.amazonaws.com", |it| it.arns("CloudWatchRoleArn")),
    need(
        "AWS::ApiGateway::ApiKey",
        keys,
        &[
            "apigateway.CreateApiKey",
            "apigateway.DeleteApiKey",
            "apigateway.GetApiKey",
            "apigateway.GetApiKeys",
            "apigateway.UpdateApiKey",
        ],
    ),
    need("AWS::ApiGateway::ApiKey", gateway_tags, GATEWAY_TAGS),
    need(
        "AWS::ApiGateway::Authorizer",
        apis,
        &[
            "apigateway.CreateAuthorizer",
            "apigateway.DeleteAuthorizer",
            "apigateway.GetAuthorizer",
            "apigateway.GetAuthorizers",
            "apigateway.UpdateAuthorizer",
        ],
    ),
    pass("AWS::ApiGateway::Authorizer", "apigateway.amazonaws.com", |it| it.arns("AuthorizerCredentials")),
    need(
        "AWS::ApiGateway::BasePathMapping",
        |it| {
            let domain = it.text("DomainName").unwrap_or("*");
            let mappings = format!("/domainnames/{domain}/basepathmappings");
            it.gateway(&[&mappings, &format!("{mappings}/*")])
        },
        &[
            "apigateway.CreateBasePathMapping",
            "apigateway.DeleteBasePathMapping",
            "apigateway.GetBasePathMapping",
            "apigateway.UpdateBasePathMapping",
        ],
    ),
    need(
        "AWS::ApiGateway::ClientCertificate",
        |it| it.gateway(&["/clientcertificates", "/clientcertificates/*"]),
        &[
            "apigateway.DeleteClientCertificate",
            "apigateway.GenerateClientCertificate",
            "apigateway.GetClientCertificate",
            "apigateway.GetClientCertificates",
            "apigateway.UpdateClientCertificate",
        ],
    ),
    need("AWS::ApiGateway::ClientCertificate", gateway_tags, GATEWAY_TAGS),
    need(
        "AWS::ApiGateway::Deployment",
        apis,
        &[
            "apigateway.CreateDeployment",
            "apigateway.DeleteDeployment",
            "apigateway.DeleteStage",
            "apigateway.GetDeployment",
            "apigateway.GetDeployments",
            "apigateway.GetRestApis",
            "apigateway.GetStage",
            "apigateway.UpdateDeployment",
        ],
    ),
    need(
        "AWS::ApiGateway::DocumentationPart",
        apis,
        &[
            "apigateway.CreateDocumentationPart",
            "apigateway.DeleteDocumentationPart",
            "apigateway.GetDocumentationPart",
            "apigateway.GetDocumentationParts",
            "apigateway.UpdateDocumentationPart",
        ],
    ),
    need(
        "AWS::ApiGateway::DocumentationVersion",
        apis,
        &[
            "apigateway.CreateDocumentationVersion",
            "apigateway.DeleteDocumentationVersion",
            "apigateway.GetDocumentationVersion",
            "apigateway.GetDocumentationVersions",
            "apigateway.UpdateDocumentationVersion",
        ],
    ),
    need(
        "AWS::ApiGateway::DomainName",
        |it| {
            let domain = it.text("DomainName").unwrap_or("*");
            it.gateway(&["/domainnames", &format!("/domainnames/{domain}")])
        },
        &[
            "apigateway.CreateDomainName",
            "apigateway.DeleteDomainName",
            "apigateway.GetDomainName",
            "apigateway.UpdateDomainName",
        ],
    ),
    need("AWS::ApiGateway::DomainName", gateway_tags, GATEWAY_TAGS),
    need(
        "AWS::ApiGateway::GatewayResponse",
        apis,
        &[
            "apigateway.DeleteGatewayResponse",
            "apigateway.GetGatewayResponse",
            "apigateway.GetGatewayResponses",
            "apigateway.PutGatewayResponse",
        ],
    ),
    need(
        "AWS::ApiGateway::Method",
        apis,
        &[
            "apigateway.DeleteIntegration",
            "apigateway.DeleteIntegrationResponse",
            "apigateway.DeleteMethod",
            "apigateway.DeleteMethodResponse",
            "apigateway.GetMethod",
            "apigateway.GetResources",
            "apigateway.PutIntegration",
            "apigateway.PutIntegrationResponse",
            "apigateway.PutMethod",
            "apigateway.PutMethodResponse",
            "apigateway.UpdateMethod",
            "apigateway.UpdateMethodResponse",
        ],
    ),
    pass("AWS::ApiGateway::Method", "apigateway.amazonaws.com", |it| it.arns("Integration/Credentials")),
    need(
        "AWS::ApiGateway::Model",
        apis,
        &[
            "apigateway.CreateModel",
            "apigateway.DeleteModel",
            "apigateway.GetModel",
            "apigateway.GetModels",
            "apigateway.UpdateModel",
        ],
    ),
    need(
        "AWS::ApiGateway::RequestValidator",
        apis,
        &[
            "apigateway.CreateRequestValidator",
            "apigateway.DeleteRequestValidator",
            "apigateway.GetRequestValidator",
            "apigateway.GetRequestValidators",
            "apigateway.UpdateRequestValidator",
        ],
    ),
    need(
        "AWS::ApiGateway::Resource",
        apis,
        &[
            "apigateway.CreateResource",
            "apigateway.DeleteResource",
            "apigateway.GetResource",
            "apigateway.GetResources",
        ],
    ),
    need(
        "AWS::ApiGateway::RestApi",
        apis,
        &[
            "apigateway.CreateRestApi",
            "apigateway.DeleteRestApi",
            "apigateway.GetRequestValidators",
            "apigateway.GetResources",
            "apigateway.GetRestApi",
            "apigateway.GetRestApis",
            "apigateway.PutRestApi",
            "apigateway.UpdateRestApi",
        ],
    ),
    besides("AWS::ApiGateway::RestApi", |it| it.where_set("Policy", apis), &["apigateway:UpdateRestApiPolicy"]),
    need("AWS::ApiGateway::RestApi", gateway_tags, GATEWAY_TAGS),
    besides("AWS::ApiGateway::RestApi", |it| it.document(Versioned::No), &["s3:GetObject"]),
    besides("AWS::ApiGateway::RestApi", |it| it.document(Versioned::Yes), &["s3:GetObjectVersion"]),
    need(
        "AWS::ApiGateway::Stage",
        apis,
        &[
            "apigateway.CreateStage",
            "apigateway.DeleteStage",
            "apigateway.GetExport",
            "apigateway.GetStage",
            "apigateway.UpdateStage",
        ],
    ),
    need("AWS::ApiGateway::Stage", gateway_tags, GATEWAY_TAGS),
    need(
        "AWS::ApiGateway::UsagePlan",
        usage_plans,
        &[
            "apigateway.CreateUsagePlan",
            "apigateway.DeleteUsagePlan",
            "apigateway.GetUsagePlan",
            "apigateway.GetUsagePlans",
            "apigateway.UpdateUsagePlan",
        ],
    ),
    need("AWS::ApiGateway::UsagePlan", gateway_tags, GATEWAY_TAGS),
    need(
        "AWS::ApiGateway::UsagePlanKey",
        usage_plans,
        &["apigateway.CreateUsagePlanKey", "apigateway.DeleteUsagePlanKey", "apigateway.GetUsagePlanKey"],
    ),
    need(
        "AWS::ApiGateway::VpcLink",
        |it| it.gateway(&["/vpclinks", "/vpclinks/*"]),
        &[
            "apigateway.CreateVpcLink",
            "apigateway.DeleteVpcLink",
            "apigateway.GetVpcLink",
            "apigateway.GetVpcLinks",
            "apigateway.UpdateVpcLink",
        ],
    ),
    need("AWS::ApiGateway::VpcLink", gateway_tags, GATEWAY_TAGS),
    // The groups that API Gateway and Lambda make on the side are looked for, and go with the stack.
    need("AWS::ApiGateway::Stage", anything, LOGS_ANYWHERE),
    need("AWS::ApiGateway::Stage", execution_logs, LOGS_ON_THE_SIDE),
];
