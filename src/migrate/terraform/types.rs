//! What each of Terraform's resource types is to CloudFormation, and which attributes identify it.

/// A resource of its own there.
pub(super) struct Whole {
    pub terraform: &'static str,
    pub cloudformation: &'static str,
    /// paystack's identifier, with attributes in braces: see [`super::filled`].
    pub id: &'static str,
}

/// A part of what another resource is there. Where there are several it may be a part of, each of them has it.
pub(super) struct Part {
    pub terraform: &'static str,
    pub of: &'static [(&'static str, &'static str)],
}

const fn whole(terraform: &'static str, cloudformation: &'static str, id: &'static str) -> Whole {
    Whole { terraform, cloudformation, id }
}

const fn part(terraform: &'static str, of: &'static [(&'static str, &'static str)]) -> Part {
    Part { terraform, of }
}

/// In order of Terraform's names.
pub(super) const WHOLES: &[Whole] = &[
    whole("aws_api_gateway_account", "AWS::ApiGateway::Account", "account|{cloudwatch_role_arn}"),
    whole("aws_api_gateway_api_key", "AWS::ApiGateway::ApiKey", "{id}"),
    whole("aws_api_gateway_authorizer", "AWS::ApiGateway::Authorizer", "{rest_api_id}|{id}"),
    whole("aws_api_gateway_base_path_mapping", "AWS::ApiGateway::BasePathMapping", "{domain_name}|{base_path?(none)}"),
    whole("aws_api_gateway_client_certificate", "AWS::ApiGateway::ClientCertificate", "{id}"),
    whole("aws_api_gateway_deployment", "AWS::ApiGateway::Deployment", "{id}|{rest_api_id}"),
    whole("aws_api_gateway_documentation_part", "AWS::ApiGateway::DocumentationPart", "{id/}|{rest_api_id}"),
    whole("aws_api_gateway_documentation_version", "AWS::ApiGateway::DocumentationVersion", "{version}|{rest_api_id}"),
    whole("aws_api_gateway_domain_name", "AWS::ApiGateway::DomainName", "{domain_name}"),
    whole("aws_api_gateway_gateway_response", "AWS::ApiGateway::GatewayResponse", "{rest_api_id}|{response_type}"),
    whole("aws_api_gateway_method", "AWS::ApiGateway::Method", METHOD),
    whole("aws_api_gateway_model", "AWS::ApiGateway::Model", "{rest_api_id}|{name}"),
    whole("aws_api_gateway_request_validator", "AWS::ApiGateway::RequestValidator", "{rest_api_id}|{id}"),
    whole("aws_api_gateway_resource", "AWS::ApiGateway::Resource", "{rest_api_id}|{id}"),
    whole("aws_api_gateway_rest_api", "AWS::ApiGateway::RestApi", "{id}"),
    whole("aws_api_gateway_stage", "AWS::ApiGateway::Stage", "{rest_api_id}|{stage_name}"),
    whole("aws_api_gateway_usage_plan", "AWS::ApiGateway::UsagePlan", "{id}"),
    whole("aws_api_gateway_usage_plan_key", "AWS::ApiGateway::UsagePlanKey", "{key_id}:{usage_plan_id}"),
    whole("aws_api_gateway_vpc_link", "AWS::ApiGateway::VpcLink", "{id}"),
    whole("aws_cloudwatch_composite_alarm", "AWS::CloudWatch::CompositeAlarm", "{alarm_name}"),
    whole("aws_cloudwatch_contributor_insight_rule", "AWS::CloudWatch::InsightRule", "{rule_name}"),
    whole("aws_cloudwatch_dashboard", "AWS::CloudWatch::Dashboard", "{dashboard_name}"),
    whole("aws_cloudwatch_log_account_policy", "AWS::Logs::AccountPolicy", "{policy_type}|{policy_name}"),
    whole("aws_cloudwatch_log_anomaly_detector", "AWS::Logs::LogAnomalyDetector", "{arn}"),
    whole("aws_cloudwatch_log_destination", "AWS::Logs::Destination", "{name}"),
    whole("aws_cloudwatch_log_group", "AWS::Logs::LogGroup", "{name}"),
    whole("aws_cloudwatch_log_metric_filter", "AWS::Logs::MetricFilter", "{log_group_name}|{name}"),
    whole("aws_cloudwatch_log_resource_policy", "AWS::Logs::ResourcePolicy", "{policy_name}"),
    whole("aws_cloudwatch_log_stream", "AWS::Logs::LogStream", "{log_group_name}|{name}"),
    whole("aws_cloudwatch_log_subscription_filter", "AWS::Logs::SubscriptionFilter", "{log_group_name}|{name}"),
    whole("aws_cloudwatch_metric_alarm", "AWS::CloudWatch::Alarm", "{alarm_name}"),
    whole("aws_cloudwatch_metric_stream", "AWS::CloudWatch::MetricStream", "{name}"),
    whole("aws_cloudwatch_query_definition", "AWS::Logs::QueryDefinition", "{query_definition_id}"),
    whole("aws_dynamodb_table", "AWS::DynamoDB::Table", "{name}"),
    whole("aws_iam_group", "AWS::IAM::Group", "{name}"),
    whole("aws_iam_group_policy", "AWS::IAM::GroupPolicy", "{name}|{group}"),
    whole("aws_iam_instance_profile", "AWS::IAM::InstanceProfile", "{name}"),
    whole("aws_iam_policy", "AWS::IAM::ManagedPolicy", "{arn}"),
    whole("aws_iam_role", "AWS::IAM::Role", "{name}"),
    whole("aws_iam_role_policy", "AWS::IAM::RolePolicy", "{name}|{role}"),
    whole("aws_iam_service_linked_role", "AWS::IAM::ServiceLinkedRole", "{name}"),
    whole("aws_iam_user", "AWS::IAM::User", "{name}"),
    whole("aws_iam_user_policy", "AWS::IAM::UserPolicy", "{name}|{user}"),
    whole("aws_lambda_alias", "AWS::Lambda::Alias", "{arn}"),
    whole("aws_lambda_code_signing_config", "AWS::Lambda::CodeSigningConfig", "{arn}"),
    whole("aws_lambda_event_source_mapping", "AWS::Lambda::EventSourceMapping", "{uuid}"),
    whole("aws_lambda_function", "AWS::Lambda::Function", "{function_name}"),
    whole(
        "aws_lambda_function_event_invoke_config",
        "AWS::Lambda::EventInvokeConfig",
        "{function_name}|{qualifier?$LATEST}",
    ),
    whole("aws_lambda_function_url", "AWS::Lambda::Url", "{function_name}{:qualifier}"),
    whole("aws_lambda_layer_version", "AWS::Lambda::LayerVersion", "{arn}"),
    whole("aws_lambda_permission", "AWS::Lambda::Permission", "{function_name}{:qualifier}|{statement_id}"),
    whole("aws_sns_topic", "AWS::SNS::Topic", "{arn}"),
    whole("aws_sns_topic_policy", "AWS::SNS::TopicPolicy", "{arn}"),
    whole("aws_sns_topic_subscription", "AWS::SNS::Subscription", "{arn}"),
    whole("aws_sqs_queue", "AWS::SQS::Queue", "{url}"),
    whole("aws_sqs_queue_policy", "AWS::SQS::QueuePolicy", "{queue_url}"),
    whole("aws_wafv2_ip_set", "AWS::WAFv2::IPSet", "{name}|{id}|{scope}"),
    whole("aws_wafv2_regex_pattern_set", "AWS::WAFv2::RegexPatternSet", "{name}|{id}|{scope}"),
    whole("aws_wafv2_rule_group", "AWS::WAFv2::RuleGroup", "{name}|{id}|{scope}"),
    whole("aws_wafv2_web_acl", "AWS::WAFv2::WebACL", "{name}|{id}|{scope}"),
    whole("aws_wafv2_web_acl_association", "AWS::WAFv2::WebACLAssociation", "{resource_arn}|{web_acl_arn}"),
    whole("aws_wafv2_web_acl_logging_configuration", "AWS::WAFv2::LoggingConfiguration", "{resource_arn}"),
];

const METHOD: &str = "{rest_api_id}|{resource_id}|{http_method}";
const OF_METHOD: &[(&str, &str)] = &[("AWS::ApiGateway::Method", METHOD)];
const OF_STAGE: &[(&str, &str)] = &[("AWS::ApiGateway::Stage", "{rest_api_id}|{stage_name}")];
const OF_API: &[(&str, &str)] = &[("AWS::ApiGateway::RestApi", "{rest_api_id}")];
const OF_LOG_GROUP: &[(&str, &str)] = &[("AWS::Logs::LogGroup", "{log_group_name}")];
const OF_QUEUE: &[(&str, &str)] = &[("AWS::SQS::Queue", "{queue_url}")];
const OF_FUNCTION: &[(&str, &str)] = &[("AWS::Lambda::Function", "{function_name}")];

/// In order of Terraform's names.
pub(super) const PARTS: &[Part] = &[
    part("aws_api_gateway_integration", OF_METHOD),
    part("aws_api_gateway_integration_response", OF_METHOD),
    part("aws_api_gateway_method_response", OF_METHOD),
    part("aws_api_gateway_method_settings", OF_STAGE),
    part("aws_api_gateway_rest_api_policy", OF_API),
    part("aws_api_gateway_rest_api_put", OF_API),
    part("aws_cloudwatch_log_data_protection_policy", OF_LOG_GROUP),
    part("aws_cloudwatch_log_destination_policy", &[("AWS::Logs::Destination", "{destination_name}")]),
    part("aws_cloudwatch_log_index_policy", OF_LOG_GROUP),
    part("aws_dynamodb_contributor_insights", &[("AWS::DynamoDB::Table", "{table_name}")]),
    part("aws_dynamodb_kinesis_streaming_destination", &[("AWS::DynamoDB::Table", "{table_name}")]),
    part("aws_dynamodb_resource_policy", &[("AWS::DynamoDB::Table", "{resource_arn/}")]),
    part(
        "aws_iam_group_policy_attachment",
        &[("AWS::IAM::Group", "{group}"), ("AWS::IAM::ManagedPolicy", "{policy_arn}")],
    ),
    part("aws_iam_role_policies_exclusive", &[("AWS::IAM::Role", "{role_name}")]),
    part(
        "aws_iam_role_policy_attachment",
        &[("AWS::IAM::Role", "{role}"), ("AWS::IAM::ManagedPolicy", "{policy_arn}")],
    ),
    part("aws_iam_role_policy_attachments_exclusive", &[("AWS::IAM::Role", "{role_name}")]),
    part("aws_iam_user_group_membership", &[("AWS::IAM::User", "{user}")]),
    part(
        "aws_iam_user_policy_attachment",
        &[("AWS::IAM::User", "{user}"), ("AWS::IAM::ManagedPolicy", "{policy_arn}")],
    ),
    part("aws_lambda_function_recursion_config", OF_FUNCTION),
    part("aws_lambda_runtime_management_config", OF_FUNCTION),
    part("aws_sns_topic_data_protection_policy", &[("AWS::SNS::Topic", "{arn}")]),
    part("aws_sqs_queue_redrive_allow_policy", OF_QUEUE),
    part("aws_sqs_queue_redrive_policy", OF_QUEUE),
];

/// Providers whose resources are nothing that anybody runs: values, files and steps of Terraform's own.
pub(super) const LOCAL_PROVIDERS: &[&str] =
    &["archive", "cloudinit", "external", "local", "null", "random", "template", "terraform", "time", "tls"];
