//! What each type needs to be allowed, and on which resources: the table behind `paystack policy --deployer`. Asks no AWS.
//! `tests/it/sources.rs` holds it against the calls in the handlers.

use serde_json::Value;

use crate::aws::Scope;
use crate::aws::actions::actions;
use crate::unknown;

/// A resource of a template, with its properties as far as they are known.
pub struct Subject<'a> {
    pub scope: &'a Scope,
    pub properties: &'a Value,
}

/// What a type needs on some resources.
pub struct Need {
    /// `None`: every stack needs it, whatever is in its template, for what paystack looks for by its marks.
    pub resource_type: Option<&'static str>,
    /// The calls that the handler makes.
    pub calls: &'static [&'static str],
    /// IAM actions that no call is named by.
    pub besides: &'static [&'static str],
    /// The service that a role is passed to.
    pub passed_to: Option<&'static str>,
    /// The ARNs of the resources. None: it is not needed for this subject.
    pub on: fn(&Subject<'_>) -> Vec<String>,
}

impl Need {
    /// The actions that are to be allowed, each once, in order.
    pub fn actions(&self) -> Vec<String> {
        let named = self.calls.iter().filter_map(|call| actions(call).into_iter().next());
        let mut actions: Vec<String> = named.chain(self.besides.iter().map(|action| (*action).to_owned())).collect();
        actions.sort();
        actions.dedup();
        actions
    }
}

const fn need(
    resource_type: &'static str,
    on: fn(&Subject<'_>) -> Vec<String>,
    calls: &'static [&'static str],
) -> Need {
    Need { resource_type: Some(resource_type), calls, besides: &[], passed_to: None, on }
}

const fn besides(
    resource_type: &'static str,
    on: fn(&Subject<'_>) -> Vec<String>,
    besides: &'static [&'static str],
) -> Need {
    Need { resource_type: Some(resource_type), calls: &[], besides, passed_to: None, on }
}

const fn always(on: fn(&Subject<'_>) -> Vec<String>, calls: &'static [&'static str]) -> Need {
    Need { resource_type: None, calls, besides: &[], passed_to: None, on }
}

const fn pass(resource_type: &'static str, to: &'static str, on: fn(&Subject<'_>) -> Vec<String>) -> Need {
    Need { resource_type: Some(resource_type), calls: &[], besides: &["iam:PassRole"], passed_to: Some(to), on }
}

/// What each type needs, in order of type; several rows where not all of it is on the same resources.
pub const NEEDS: &[Need] = &[
    always(
        anything,
        &[
            "tagging.GetResources",
            "cloudwatch.ListDashboards",
            "iam.GetAccountAuthorizationDetails",
            "iam.ListPolicies",
            "lambda.ListLayers",
            "logs.DescribeQueryDefinitions",
        ],
    ),
    always(apis, &["apigateway.GetRestApis", "apigateway.GetDeployments"]),
    always(policies, &["iam.ListPolicyTags"]),
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
        "AWS::ApiGateway::Deployment",
        apis,
        &[
            "apigateway.CreateDeployment",
            "apigateway.DeleteDeployment",
            "apigateway.GetDeployment",
            "apigateway.GetDeployments",
            "apigateway.GetRestApis",
            "apigateway.UpdateDeployment",
        ],
    ),
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
            "apigateway.GetRestApi",
            "apigateway.GetRestApis",
            "apigateway.UpdateRestApi",
        ],
    ),
    besides("AWS::ApiGateway::RestApi", |it| it.where_set("Policy", apis), &["apigateway:UpdateRestApiPolicy"]),
    need("AWS::ApiGateway::RestApi", gateway_tags, GATEWAY_TAGS),
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
    need("AWS::CloudWatch::Alarm", anything, &["cloudwatch.DescribeAlarms"]),
    need(
        "AWS::CloudWatch::Alarm",
        |it| it.named("cloudwatch", "alarm:", "AlarmName"),
        &[
            "cloudwatch.DeleteAlarms",
            "cloudwatch.ListTagsForResource",
            "cloudwatch.PutMetricAlarm",
            "cloudwatch.TagResource",
            "cloudwatch.UntagResource",
        ],
    ),
    need(
        "AWS::CloudWatch::Dashboard",
        |it| it.named_globally("cloudwatch", "dashboard/", "DashboardName"),
        &[
            "cloudwatch.DeleteDashboards",
            "cloudwatch.GetDashboard",
            "cloudwatch.ListTagsForResource",
            "cloudwatch.PutDashboard",
            "cloudwatch.TagResource",
            "cloudwatch.UntagResource",
        ],
    ),
    need(
        "AWS::DynamoDB::Table",
        |it| it.named("dynamodb", "table/", "TableName"),
        &[
            "dynamodb.CreateTable",
            "dynamodb.DeleteResourcePolicy",
            "dynamodb.DeleteTable",
            "dynamodb.DescribeContinuousBackups",
            "dynamodb.DescribeTable",
            "dynamodb.DescribeTimeToLive",
            "dynamodb.GetResourcePolicy",
            "dynamodb.ListTagsOfResource",
            "dynamodb.PutResourcePolicy",
            "dynamodb.Scan",
            "dynamodb.TagResource",
            "dynamodb.UntagResource",
            "dynamodb.UpdateContinuousBackups",
            "dynamodb.UpdateTable",
            "dynamodb.UpdateTimeToLive",
        ],
    ),
    besides("AWS::DynamoDB::Table", |it| it.arns("SSESpecification/KMSMasterKeyId"), KMS),
    need(
        "AWS::IAM::ManagedPolicy",
        |it| it.named_globally("iam", "policy", "ManagedPolicyName"),
        &[
            "iam.CreatePolicy",
            "iam.CreatePolicyVersion",
            "iam.DeletePolicy",
            "iam.DeletePolicyVersion",
            "iam.GetPolicy",
            "iam.GetPolicyVersion",
            "iam.ListEntitiesForPolicy",
            "iam.ListPolicyVersions",
            "iam.TagPolicy",
        ],
    ),
    need(
        "AWS::IAM::ManagedPolicy",
        |it| it.each("iam", "role", "Roles"),
        &["iam.AttachRolePolicy", "iam.DetachRolePolicy"],
    ),
    need(
        "AWS::IAM::ManagedPolicy",
        |it| it.each("iam", "user", "Users"),
        &["iam.AttachUserPolicy", "iam.DetachUserPolicy"],
    ),
    need(
        "AWS::IAM::ManagedPolicy",
        |it| it.each("iam", "group", "Groups"),
        &["iam.AttachGroupPolicy", "iam.DetachGroupPolicy"],
    ),
    need(
        "AWS::IAM::Policy",
        |it| it.each("iam", "role", "Roles"),
        &["iam.DeleteRolePolicy", "iam.GetRolePolicy", "iam.PutRolePolicy"],
    ),
    need(
        "AWS::IAM::Policy",
        |it| it.each("iam", "user", "Users"),
        &["iam.DeleteUserPolicy", "iam.GetUserPolicy", "iam.PutUserPolicy"],
    ),
    need(
        "AWS::IAM::Policy",
        |it| it.each("iam", "group", "Groups"),
        &["iam.DeleteGroupPolicy", "iam.GetGroupPolicy", "iam.PutGroupPolicy"],
    ),
    need(
        "AWS::IAM::Role",
        |it| it.named_globally("iam", "role", "RoleName"),
        &[
            "iam.AttachRolePolicy",
            "iam.CreateRole",
            "iam.DeleteRole",
            "iam.DeleteRolePermissionsBoundary",
            "iam.DeleteRolePolicy",
            "iam.DetachRolePolicy",
            "iam.GetRole",
            "iam.GetRolePolicy",
            "iam.ListAttachedRolePolicies",
            "iam.ListInstanceProfilesForRole",
            "iam.ListRolePolicies",
            "iam.PutRolePermissionsBoundary",
            "iam.PutRolePolicy",
            "iam.TagRole",
            "iam.UntagRole",
            "iam.UpdateAssumeRolePolicy",
            "iam.UpdateRole",
        ],
    ),
    need(
        "AWS::IAM::Role",
        |it| vec![it.scope.global_arn("iam", "instance-profile/*")],
        &["iam.RemoveRoleFromInstanceProfile"],
    ),
    need(
        "AWS::Lambda::EventSourceMapping",
        anything,
        &["lambda.CreateEventSourceMapping", "lambda.ListEventSourceMappings"],
    ),
    need(
        "AWS::Lambda::EventSourceMapping",
        |it| vec![it.scope.arn("lambda", "event-source-mapping:*")],
        &[
            "lambda.DeleteEventSourceMapping",
            "lambda.GetEventSourceMapping",
            "lambda.ListTags",
            "lambda.TagResource",
            "lambda.UntagResource",
            "lambda.UpdateEventSourceMapping",
        ],
    ),
    need("AWS::Lambda::Function", anything, &["lambda.GetAccountSettings"]),
    need(
        "AWS::Lambda::Function",
        |it| it.named("lambda", "function:", "FunctionName"),
        &[
            "lambda.CreateFunction",
            "lambda.DeleteFunction",
            "lambda.DeleteFunctionCodeSigningConfig",
            "lambda.DeleteFunctionConcurrency",
            "lambda.GetFunction",
            "lambda.GetFunctionCodeSigningConfig",
            "lambda.GetFunctionRecursionConfig",
            "lambda.GetRuntimeManagementConfig",
            "lambda.ListTags",
            "lambda.PutFunctionCodeSigningConfig",
            "lambda.PutFunctionConcurrency",
            "lambda.PutFunctionRecursionConfig",
            "lambda.PutRuntimeManagementConfig",
            "lambda.TagResource",
            "lambda.UntagResource",
            "lambda.UpdateFunctionCode",
            "lambda.UpdateFunctionConfiguration",
        ],
    ),
    // The layers of the template are known by name; those of others stand in the function as they are.
    besides("AWS::Lambda::Function", |it| it.arns("Layers"), &["lambda:GetLayerVersion"]),
    besides("AWS::Lambda::Function", |it| it.arns("KmsKeyArn"), KMS),
    besides(
        "AWS::Lambda::Function",
        |it| it.where_set("VpcConfig", anything),
        &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"],
    ),
    // Where nothing is remembered, what is in it is searched for: statements that the template does not declare.
    need("AWS::Lambda::Function", |it| it.named("lambda", "function:", "FunctionName"), &["lambda.GetPolicy"]),
    pass("AWS::Lambda::Function", "lambda.amazonaws.com", |it| it.arns("Role")),
    need(
        "AWS::Lambda::LayerVersion",
        layer,
        &[
            "lambda.DeleteLayerVersion",
            "lambda.GetLayerVersion",
            "lambda.ListLayerVersions",
            "lambda.PublishLayerVersion",
        ],
    ),
    need(
        "AWS::Lambda::Permission",
        |it| it.named("lambda", "function:", "FunctionName"),
        &["lambda.AddPermission", "lambda.GetPolicy", "lambda.RemovePermission"],
    ),
    // The groups that API Gateway and Lambda make on the side are looked for, and go with the stack.
    need("AWS::ApiGateway::Stage", anything, &["logs.DescribeLogGroups"]),
    need("AWS::ApiGateway::Stage", execution_logs, LOGS_ON_THE_SIDE),
    need("AWS::Lambda::Function", anything, &["logs.DescribeLogGroups"]),
    need("AWS::Lambda::Function", function_logs, LOGS_ON_THE_SIDE),
    need("AWS::Logs::LogGroup", anything, &["logs.DescribeLogGroups"]),
    // As with functions: filters that the template does not declare.
    need("AWS::Logs::LogGroup", log_group, &["logs.DescribeMetricFilters"]),
    // What a plan would lose is counted.
    need("AWS::Logs::LogGroup", log_group, &["logs.DescribeLogStreams"]),
    need(
        "AWS::Logs::LogGroup",
        log_group,
        &[
            "logs.AssociateKmsKey",
            "logs.CreateLogGroup",
            "logs.DeleteDataProtectionPolicy",
            "logs.DeleteIndexPolicy",
            "logs.DeleteLogGroup",
            "logs.DeleteRetentionPolicy",
            "logs.DescribeIndexPolicies",
            "logs.DisassociateKmsKey",
            "logs.GetDataProtectionPolicy",
            "logs.ListTagsForResource",
            "logs.PutBearerTokenAuthentication",
            "logs.PutDataProtectionPolicy",
            "logs.PutIndexPolicy",
            "logs.PutLogGroupDeletionProtection",
            "logs.PutRetentionPolicy",
            "logs.TagResource",
            "logs.UntagResource",
        ],
    ),
    need(
        "AWS::Logs::MetricFilter",
        log_group,
        &["logs.DeleteMetricFilter", "logs.DescribeMetricFilters", "logs.PutMetricFilter"],
    ),
    need(
        "AWS::Logs::QueryDefinition",
        anything,
        &["logs.DeleteQueryDefinition", "logs.DescribeQueryDefinitions", "logs.PutQueryDefinition"],
    ),
    need(
        "AWS::Logs::ResourcePolicy",
        anything,
        &["logs.DeleteResourcePolicy", "logs.DescribeResourcePolicies", "logs.PutResourcePolicy"],
    ),
    // The service knows no resources for what is asked of one subscription.
    need(
        "AWS::SNS::Subscription",
        anything,
        &["sns.GetSubscriptionAttributes", "sns.SetSubscriptionAttributes", "sns.Unsubscribe"],
    ),
    need("AWS::SNS::Subscription", |it| it.arns("TopicArn"), &["sns.ListSubscriptionsByTopic", "sns.Subscribe"]),
    pass("AWS::SNS::Subscription", "sns.amazonaws.com", |it| it.arns("SubscriptionRoleArn")),
    need(
        "AWS::SNS::Topic",
        |it| it.named("sns", "", "TopicName"),
        &[
            "sns.CreateTopic",
            "sns.DeleteTopic",
            "sns.GetDataProtectionPolicy",
            "sns.GetTopicAttributes",
            "sns.ListSubscriptionsByTopic",
            "sns.ListTagsForResource",
            "sns.PutDataProtectionPolicy",
            "sns.SetTopicAttributes",
            "sns.Subscribe",
            "sns.TagResource",
            "sns.UntagResource",
        ],
    ),
    need("AWS::SNS::Topic", |it| it.where_set("Subscription", anything), &["sns.Unsubscribe"]),
    need("AWS::SNS::TopicPolicy", |it| it.arns("Topics"), &["sns.GetTopicAttributes", "sns.SetTopicAttributes"]),
    need(
        "AWS::SQS::Queue",
        |it| it.named("sqs", "", "QueueName"),
        &[
            "sqs.CreateQueue",
            "sqs.DeleteQueue",
            "sqs.GetQueueAttributes",
            "sqs.GetQueueUrl",
            "sqs.ListQueueTags",
            "sqs.SetQueueAttributes",
            "sqs.TagQueue",
            "sqs.UntagQueue",
        ],
    ),
    need("AWS::SQS::QueuePolicy", queues, &["sqs.GetQueueAttributes", "sqs.GetQueueUrl", "sqs.SetQueueAttributes"]),
    need("AWS::WAFv2::IPSet", anything, &["wafv2.ListIPSets"]),
    need(
        "AWS::WAFv2::IPSet",
        |it| it.in_firewall("ipset"),
        &[
            "wafv2.CreateIPSet",
            "wafv2.DeleteIPSet",
            "wafv2.GetIPSet",
            "wafv2.ListTagsForResource",
            "wafv2.TagResource",
            "wafv2.UntagResource",
            "wafv2.UpdateIPSet",
        ],
    ),
    need(
        "AWS::WAFv2::LoggingConfiguration",
        web_acls,
        &["wafv2.DeleteLoggingConfiguration", "wafv2.GetLoggingConfiguration", "wafv2.PutLoggingConfiguration"],
    ),
    besides(
        "AWS::WAFv2::LoggingConfiguration",
        anything,
        &[
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:PutResourcePolicy",
        ],
    ),
    besides(
        "AWS::WAFv2::LoggingConfiguration",
        |it| vec![it.scope.global_arn("iam", "role/aws-service-role/wafv2.amazonaws.com/*")],
        &["iam:CreateServiceLinkedRole"],
    ),
    need("AWS::WAFv2::WebACL", anything, &["wafv2.ListWebACLs"]),
    need(
        "AWS::WAFv2::WebACL",
        |it| it.in_firewall("webacl"),
        &[
            "wafv2.CreateWebACL",
            "wafv2.DeleteWebACL",
            "wafv2.GetWebACL",
            "wafv2.ListTagsForResource",
            "wafv2.TagResource",
            "wafv2.UntagResource",
            "wafv2.UpdateWebACL",
        ],
    ),
    // What a web ACL refers to has to be allowed too.
    need("AWS::WAFv2::WebACL", rules_of_others, &["wafv2.CreateWebACL", "wafv2.UpdateWebACL"]),
    need(
        "AWS::WAFv2::WebACLAssociation",
        web_acls,
        &["wafv2.AssociateWebACL", "wafv2.DisassociateWebACL", "wafv2.GetWebACL", "wafv2.GetWebACLForResource"],
    ),
    need(
        "AWS::WAFv2::WebACLAssociation",
        stages,
        &["wafv2.AssociateWebACL", "wafv2.DisassociateWebACL", "wafv2.GetWebACLForResource"],
    ),
    besides("AWS::WAFv2::WebACLAssociation", stages, &["apigateway:SetWebACL"]),
];

/// What reading and deleting a log group that no template declares takes.
const LOGS_ON_THE_SIDE: &[&str] = &[
    "logs.DeleteLogGroup",
    "logs.DescribeIndexPolicies",
    "logs.DescribeLogStreams",
    "logs.DescribeMetricFilters",
    "logs.GetDataProtectionPolicy",
    "logs.ListTagsForResource",
];

/// Tags of API Gateway are a path of their own, whatever they are on.
const GATEWAY_TAGS: &[&str] = &["apigateway.GetTags", "apigateway.TagResource", "apigateway.UntagResource"];

const KMS: &[&str] = &["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"];

impl Subject<'_> {
    fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property)?.as_str().filter(|text| !text.is_empty() && !unknown::is_in(text))
    }

    /// The resource by its name; a name that only AWS knows stands for any.
    fn named(&self, service: &str, kind: &str, property: &str) -> Vec<String> {
        let name = self.text(property).unwrap_or("*");
        // A function may be named by its ARN.
        let name = name.rsplit(':').next().unwrap_or(name);
        vec![self.scope.arn(service, &format!("{kind}{name}"))]
    }

    fn named_globally(&self, service: &str, kind: &str, property: &str) -> Vec<String> {
        let path = match service {
            "iam" => self.text("Path").unwrap_or("/"),
            _ => "",
        };
        vec![self.scope.global_arn(service, &format!("{kind}{path}{}", self.text(property).unwrap_or("*")))]
    }

    /// What a list of names stands for; a path in front of a name is not to be seen from here.
    fn each(&self, service: &str, kind: &str, property: &str) -> Vec<String> {
        let names = self.properties.get(property).and_then(Value::as_array).into_iter().flatten();
        let name = |value: &Value| value.as_str().filter(|text| !unknown::is_in(text)).unwrap_or("*").to_owned();
        names.map(name).map(|name| self.scope.global_arn(service, &format!("{kind}/{name}"))).collect()
    }

    /// The ARNs that stand in a property, alone or in a list.
    fn arns(&self, path: &str) -> Vec<String> {
        let value = self.properties.pointer(&format!("/{path}")).unwrap_or(&Value::Null);
        let texts = match value {
            Value::Array(items) => items.iter().collect(),
            value => vec![value],
        };
        let known = texts.into_iter().filter_map(Value::as_str).filter(|text| text.starts_with("arn:"));
        known.filter(|text| !unknown::is_in(text)).map(str::to_owned).collect()
    }

    fn where_set(&self, property: &str, on: fn(&Self) -> Vec<String>) -> Vec<String> {
        let is_set = match self.properties.get(property) {
            None | Some(Value::Null) => false,
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(fields)) => fields.values().any(|it| !it.is_null() && it != &Value::Array(Vec::new())),
            Some(_) => true,
        };
        if is_set { on(self) } else { Vec::new() }
    }

    fn in_firewall(&self, kind: &str) -> Vec<String> {
        let place = if self.text("Scope") == Some("CLOUDFRONT") { "global" } else { "regional" };
        vec![self.scope.arn("wafv2", &format!("{place}/{kind}/{}/*", self.text("Name").unwrap_or("*")))]
    }

    fn gateway(&self, paths: &[&str]) -> Vec<String> {
        let Scope { partition, region, .. } = self.scope;
        paths.iter().map(|path| format!("arn:{partition}:apigateway:{region}::{path}")).collect()
    }
}

fn anything(_: &Subject<'_>) -> Vec<String> {
    vec!["*".to_owned()]
}

fn account(it: &Subject<'_>) -> Vec<String> {
    it.gateway(&["/account"])
}

fn apis(it: &Subject<'_>) -> Vec<String> {
    it.gateway(&["/restapis", "/restapis/*"])
}

fn stages(it: &Subject<'_>) -> Vec<String> {
    it.gateway(&["/restapis/*/stages/*"])
}

fn keys(it: &Subject<'_>) -> Vec<String> {
    it.gateway(&["/apikeys", "/apikeys/*"])
}

fn usage_plans(it: &Subject<'_>) -> Vec<String> {
    it.gateway(&["/usageplans", "/usageplans/*"])
}

fn gateway_tags(it: &Subject<'_>) -> Vec<String> {
    it.gateway(&["/tags/*"])
}

fn policies(it: &Subject<'_>) -> Vec<String> {
    vec![it.scope.global_arn("iam", "policy/*")]
}

fn layer(it: &Subject<'_>) -> Vec<String> {
    let name = it.text("LayerName").unwrap_or("*");
    [format!("layer:{name}"), format!("layer:{name}:*")].iter().map(|layer| it.scope.arn("lambda", layer)).collect()
}

/// A log group is asked for with and without its streams.
fn log_group(it: &Subject<'_>) -> Vec<String> {
    log_groups(it, it.text("LogGroupName").unwrap_or("*"))
}

fn function_logs(it: &Subject<'_>) -> Vec<String> {
    log_groups(it, &format!("/aws/lambda/{}", it.text("FunctionName").unwrap_or("*")))
}

/// The name of such a group has the API's id in it, which only AWS knows.
fn execution_logs(it: &Subject<'_>) -> Vec<String> {
    log_groups(it, "API-Gateway-Execution-Logs_*")
}

fn log_groups(it: &Subject<'_>, name: &str) -> Vec<String> {
    let group = it.scope.arn("logs", &format!("log-group:{name}"));
    vec![format!("{group}:*"), group]
}

/// A queue's policy names its queues by their URLs.
fn queues(it: &Subject<'_>) -> Vec<String> {
    let urls = it.properties.get("Queues").and_then(Value::as_array).into_iter().flatten();
    let name = |url: &Value| {
        let url = url.as_str().filter(|url| !unknown::is_in(url)).unwrap_or("*");
        url.rsplit('/').next().unwrap_or(url).to_owned()
    };
    urls.map(|url| it.scope.arn("sqs", &name(url))).collect()
}

fn web_acls(it: &Subject<'_>) -> Vec<String> {
    vec![it.scope.arn("wafv2", "*/webacl/*/*")]
}

fn rules_of_others(it: &Subject<'_>) -> Vec<String> {
    let rules = it.properties.get("Rules").map(Value::to_string).unwrap_or_default();
    let place = if it.text("Scope") == Some("CLOUDFRONT") { "global" } else { "regional" };
    let kinds = [
        ("\"ManagedRuleGroupStatement\":{", "managedruleset"),
        ("\"IPSetReferenceStatement\":{", "ipset"),
        ("\"RegexPatternSetReferenceStatement\":{", "regexpatternset"),
        ("\"RuleGroupReferenceStatement\":{", "rulegroup"),
    ];
    let used = kinds.iter().filter(|(word, _)| rules.contains(word));
    used.map(|(_, kind)| it.scope.arn("wafv2", &format!("{place}/{kind}/*/*"))).collect()
}
