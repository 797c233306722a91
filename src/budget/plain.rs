//! The types of which every resource takes the same calls, whatever its properties.

/// What one resource of a type takes.
pub struct Plain {
    pub resource_type: &'static str,
    /// To read it.
    pub read: &'static [&'static str],
    /// What gives its tags, where nothing gives those of the whole stack.
    pub tags: Option<&'static str>,
    /// To create it: what has the name, if anything has it; the create; and the first look whether it shows.
    pub create: &'static [&'static str],
    /// To delete it, with the first look whether it is gone.
    pub delete: &'static [&'static str],
}

pub fn plain(resource_type: &str) -> Option<&'static Plain> {
    PLAIN.iter().find(|it| it.resource_type == resource_type)
}

const PLAIN: &[Plain] = &[
    Plain {
        resource_type: "AWS::ApiGateway::Authorizer",
        read: &["apigateway.GetAuthorizer"],
        tags: None,
        create: &["apigateway.GetAuthorizers", "apigateway.CreateAuthorizer"],
        delete: &["apigateway.DeleteAuthorizer", "apigateway.GetAuthorizer"],
    },
    Plain {
        resource_type: "AWS::ApiGateway::BasePathMapping",
        read: &["apigateway.GetBasePathMapping"],
        tags: None,
        create: &["apigateway.GetBasePathMapping", "apigateway.CreateBasePathMapping"],
        delete: &["apigateway.DeleteBasePathMapping"],
    },
    Plain {
        resource_type: "AWS::ApiGateway::ClientCertificate",
        read: &["apigateway.GetClientCertificate"],
        tags: None,
        create: &["apigateway.GetClientCertificates", "apigateway.GenerateClientCertificate"],
        delete: &["apigateway.DeleteClientCertificate"],
    },
    Plain {
        resource_type: "AWS::ApiGateway::DocumentationPart",
        read: &["apigateway.GetDocumentationPart"],
        tags: None,
        create: &["apigateway.GetDocumentationParts", "apigateway.CreateDocumentationPart"],
        delete: &["apigateway.DeleteDocumentationPart"],
    },
    Plain {
        resource_type: "AWS::ApiGateway::DocumentationVersion",
        read: &["apigateway.GetDocumentationVersion"],
        tags: None,
        create: &["apigateway.GetDocumentationVersion", "apigateway.CreateDocumentationVersion"],
        delete: &["apigateway.DeleteDocumentationVersion"],
    },
    Plain {
        resource_type: "AWS::ApiGateway::DomainName",
        read: &["apigateway.GetDomainName"],
        tags: None,
        create: &[
            "apigateway.GetDomainName",
            "apigateway.CreateDomainName",
            "apigateway.GetDomainName",
            "apigateway.GetDomainName",
            "apigateway.GetDomainName",
        ],
        delete: &["apigateway.DeleteDomainName", "apigateway.GetDomainName"],
    },
    Plain {
        resource_type: "AWS::ApiGateway::VpcLink",
        read: &["apigateway.GetVpcLink"],
        tags: None,
        create: &["apigateway.GetVpcLinks", "apigateway.CreateVpcLink", "apigateway.GetVpcLink"],
        delete: &["apigateway.DeleteVpcLink", "apigateway.GetVpcLink"],
    },
    Plain {
        resource_type: "AWS::CloudWatch::AnomalyDetector",
        read: &["cloudwatch.DescribeAnomalyDetectors"],
        tags: None,
        create: &[
            "cloudwatch.DescribeAnomalyDetectors",
            "cloudwatch.PutAnomalyDetector",
            "cloudwatch.DescribeAnomalyDetectors",
        ],
        delete: &["cloudwatch.DeleteAnomalyDetector", "cloudwatch.DescribeAnomalyDetectors"],
    },
    Plain {
        resource_type: "AWS::CloudWatch::InsightRule",
        read: &["cloudwatch.DescribeInsightRules"],
        tags: Some("cloudwatch.ListTagsForResource"),
        create: &["cloudwatch.DescribeInsightRules", "cloudwatch.PutInsightRule", "cloudwatch.DescribeInsightRules"],
        delete: &["cloudwatch.DeleteInsightRules", "cloudwatch.DescribeInsightRules"],
    },
    Plain {
        resource_type: "AWS::CloudWatch::MetricStream",
        read: &["cloudwatch.GetMetricStream"],
        tags: Some("cloudwatch.ListTagsForResource"),
        create: &["cloudwatch.GetMetricStream", "cloudwatch.PutMetricStream", "cloudwatch.GetMetricStream"],
        delete: &["cloudwatch.DeleteMetricStream", "cloudwatch.GetMetricStream"],
    },
    Plain {
        resource_type: "AWS::IAM::ServiceLinkedRole",
        read: &["iam.GetRole"],
        tags: None,
        create: &["iam.ListRoles", "iam.CreateServiceLinkedRole", "iam.GetRole"],
        delete: &["iam.DeleteServiceLinkedRole", "iam.GetServiceLinkedRoleDeletionStatus", "iam.GetRole"],
    },
    Plain {
        resource_type: "AWS::Lambda::CodeSigningConfig",
        read: &["lambda.GetCodeSigningConfig"],
        tags: Some("lambda.ListTags"),
        create: &["lambda.ListCodeSigningConfigs", "lambda.CreateCodeSigningConfig"],
        delete: &["lambda.DeleteCodeSigningConfig"],
    },
    Plain {
        resource_type: "AWS::Lambda::EventInvokeConfig",
        read: &["lambda.GetFunctionEventInvokeConfig"],
        tags: None,
        create: &["lambda.GetFunctionEventInvokeConfig", "lambda.PutFunctionEventInvokeConfig"],
        delete: &["lambda.DeleteFunctionEventInvokeConfig"],
    },
    Plain {
        resource_type: "AWS::Lambda::LayerVersionPermission",
        read: &["lambda.GetLayerVersionPolicy"],
        tags: None,
        create: &["lambda.GetLayerVersionPolicy", "lambda.AddLayerVersionPermission"],
        delete: &["lambda.RemoveLayerVersionPermission"],
    },
    Plain {
        resource_type: "AWS::Lambda::Url",
        read: &["lambda.GetFunctionUrlConfig"],
        tags: None,
        create: &["lambda.GetFunctionUrlConfig", "lambda.CreateFunctionUrlConfig"],
        delete: &["lambda.DeleteFunctionUrlConfig"],
    },
    Plain {
        resource_type: "AWS::Logs::AccountPolicy",
        read: &["logs.DescribeAccountPolicies"],
        tags: None,
        create: &["logs.DescribeAccountPolicies", "logs.PutAccountPolicy", "logs.DescribeAccountPolicies"],
        delete: &["logs.DeleteAccountPolicy", "logs.DescribeAccountPolicies"],
    },
    Plain {
        resource_type: "AWS::Logs::LogAnomalyDetector",
        read: &["logs.GetLogAnomalyDetector", "logs.ListTagsForResource"],
        tags: None,
        create: &[
            "logs.ListLogAnomalyDetectors",
            "logs.CreateLogAnomalyDetector",
            "logs.GetLogAnomalyDetector",
            "logs.ListTagsForResource",
        ],
        delete: &["logs.DeleteLogAnomalyDetector", "logs.GetLogAnomalyDetector"],
    },
    Plain {
        resource_type: "AWS::Logs::LogStream",
        read: &["logs.DescribeLogStreams"],
        tags: None,
        create: &["logs.DescribeLogStreams", "logs.CreateLogStream", "logs.DescribeLogStreams"],
        delete: &["logs.DeleteLogStream", "logs.DescribeLogStreams"],
    },
    Plain {
        resource_type: "AWS::Logs::MetricFilter",
        read: &["logs.DescribeMetricFilters"],
        tags: None,
        create: &["logs.DescribeMetricFilters", "logs.PutMetricFilter", "logs.DescribeMetricFilters"],
        delete: &["logs.DeleteMetricFilter", "logs.DescribeMetricFilters"],
    },
    Plain {
        resource_type: "AWS::Logs::ResourcePolicy",
        read: &["logs.DescribeResourcePolicies"],
        tags: None,
        create: &["logs.DescribeResourcePolicies", "logs.PutResourcePolicy", "logs.DescribeResourcePolicies"],
        delete: &["logs.DeleteResourcePolicy", "logs.DescribeResourcePolicies"],
    },
    Plain {
        resource_type: "AWS::Logs::SubscriptionFilter",
        read: &["logs.DescribeSubscriptionFilters"],
        tags: None,
        create: &["logs.DescribeSubscriptionFilters", "logs.PutSubscriptionFilter", "logs.DescribeSubscriptionFilters"],
        delete: &["logs.DeleteSubscriptionFilter", "logs.DescribeSubscriptionFilters"],
    },
    Plain {
        resource_type: "AWS::SNS::TopicInlinePolicy",
        read: &["sns.GetTopicAttributes"],
        tags: None,
        create: &["sns.GetTopicAttributes", "sns.SetTopicAttributes", "sns.GetTopicAttributes"],
        delete: &["sns.SetTopicAttributes"],
    },
    Plain {
        resource_type: "AWS::SQS::QueueInlinePolicy",
        read: &["sqs.GetQueueAttributes"],
        tags: None,
        create: &["sqs.GetQueueAttributes", "sqs.SetQueueAttributes", "sqs.GetQueueAttributes"],
        delete: &["sqs.SetQueueAttributes", "sqs.GetQueueAttributes"],
    },
    Plain {
        resource_type: "AWS::WAFv2::IPSet",
        read: &["wafv2.GetIPSet"],
        tags: Some("wafv2.ListTagsForResource"),
        create: &["wafv2.ListIPSets", "wafv2.CreateIPSet", "wafv2.GetIPSet"],
        delete: &["wafv2.GetIPSet", "wafv2.DeleteIPSet", "wafv2.GetIPSet"],
    },
    Plain {
        resource_type: "AWS::WAFv2::RegexPatternSet",
        read: &["wafv2.GetRegexPatternSet"],
        tags: Some("wafv2.ListTagsForResource"),
        create: &["wafv2.ListRegexPatternSets", "wafv2.CreateRegexPatternSet", "wafv2.GetRegexPatternSet"],
        delete: &["wafv2.GetRegexPatternSet", "wafv2.DeleteRegexPatternSet", "wafv2.GetRegexPatternSet"],
    },
    Plain {
        resource_type: "AWS::WAFv2::RuleGroup",
        read: &["wafv2.GetRuleGroup"],
        tags: Some("wafv2.ListTagsForResource"),
        create: &["wafv2.ListRuleGroups", "wafv2.CreateRuleGroup", "wafv2.GetRuleGroup"],
        delete: &["wafv2.GetRuleGroup", "wafv2.DeleteRuleGroup", "wafv2.GetRuleGroup"],
    },
];
