//! The controls: which requirement each live field bears on, and what the field has to be.
//!
//! Every field belongs to one control, so that a field that is changed by hand shows in exactly one place.

use serde_json::Value;

use crate::policy::statements::{denies_plain_text, statements};
use crate::property_path::PropertyPath;
use crate::resource::facts::lambda_runtime;

/// What one live field is evidence for. A control of several types has a row for each.
#[derive(Clone, Copy)]
pub struct Control {
    /// `table-encryption`.
    pub id: &'static str,
    /// Requirements of PCI DSS v4.0.1 that it bears on.
    pub requirements: &'static [&'static str],
    /// What has to hold, as a sentence without its point.
    pub demand: &'static str,
    pub resource_type: &'static str,
    /// The field that is read; empty for whether the resource is there at all.
    pub field: &'static str,
    /// What the field has to be, in words.
    pub expected: &'static str,
    pub(super) holds: fn(&Value, &Around<'_>) -> bool,
    /// The policy's rule that asks for the same: where the template is let off that, it is let off this.
    pub rule: Option<SameRule>,
}

/// A rule of the policy's that asks for what a control does.
#[derive(Clone, Copy)]
pub struct SameRule {
    pub id: &'static str,
    /// The property that names the resources which the rule is about; `None` where it is about this resource.
    pub about: Option<&'static str>,
}

const fn rule(id: &'static str) -> Option<SameRule> {
    Some(SameRule { id, about: None })
}

const fn rule_about(id: &'static str, property: &'static str) -> Option<SameRule> {
    Some(SameRule { id, about: Some(property) })
}

/// What a control may look at beside its field.
pub(super) struct Around<'a> {
    /// A date, `2026-11-22`.
    pub today: &'a str,
    /// All properties of the resource.
    pub own: &'a Value,
    /// Whether the field is as the template says.
    pub is_as_declared: bool,
    /// The properties of every other live resource of the type.
    pub others: &'a [&'a Value],
}

/// The title of each requirement, shortened.
pub const REQUIREMENTS: [(&str, &str); 21] = [
    ("1.2.5", "Services, protocols and ports allowed are identified and approved"),
    ("1.4.1", "Controls are implemented between trusted and untrusted networks"),
    ("1.4.2", "Inbound traffic from untrusted networks is restricted"),
    ("2.2.1", "Configuration standards are kept"),
    ("3.3.1", "Sensitive authentication data is not stored after authorization"),
    ("3.5.1", "Stored account data is unreadable"),
    ("4.2.1", "Strong cryptography during transmission"),
    ("6.2.4", "Common software attacks are prevented"),
    ("6.3.3", "Components are protected from known vulnerabilities by patches"),
    ("6.4.2", "An automated technical solution protects public web applications"),
    ("6.5.1", "Changes follow established procedures"),
    ("7.2.2", "Access is assigned by least privilege"),
    ("7.2.5", "Application and system accounts have the least privileges"),
    ("7.3.1", "An access control system restricts access"),
    ("8.3.1", "Access of users and systems is authenticated"),
    ("8.3.2", "Authentication factors are unreadable when stored or transmitted"),
    ("10.2.1", "Audit logs are enabled and active"),
    ("10.2.2", "Audit logs record what is needed to follow an event"),
    ("10.5.1", "Audit logs are retained for 12 months"),
    ("10.7.2", "Failures of critical security controls are detected and alerted"),
    ("11.5.2", "Unauthorized changes are detected"),
];

pub const CONTROLS: &[Control] = &[
    Control {
        id: "firewall-attached",
        requirements: &["1.4.1", "6.4.2"],
        demand: "A web application firewall stands in front of the public entry",
        resource_type: "AWS::WAFv2::WebACLAssociation",
        field: "",
        expected: "the association is there",
        holds: |value, _| !value.is_null(),
        rule: None,
    },
    Control {
        id: "firewall-rules",
        requirements: &["1.4.2", "6.4.2"],
        demand: "The firewall limits each address and blocks by AWS's managed rules",
        resource_type: "AWS::WAFv2::WebACL",
        field: "Rules",
        expected: "a rate-based rule that blocks, and managed rule groups that are not overridden to count",
        holds: |rules, _| firewall_blocks(rules),
        rule: None,
    },
    Control {
        id: "firewall-logs",
        requirements: &["10.2.1"],
        demand: "What the firewall refuses is logged where the template says",
        resource_type: "AWS::WAFv2::LoggingConfiguration",
        field: "LogDestinationConfigs",
        expected: "the declared destination",
        holds: |value, around| has_items(value) && around.is_as_declared,
        rule: None,
    },
    Control {
        id: "firewall-redaction",
        requirements: &["8.3.2"],
        demand: "No API key stands in the firewall's logs",
        resource_type: "AWS::WAFv2::LoggingConfiguration",
        field: "RedactedFields",
        expected: "the header x-api-key is among them",
        holds: |fields, _| {
            any(fields, |field| {
                field["SingleHeader"]["Name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("x-api-key"))
            })
        },
        rule: None,
    },
    ENDPOINT_TYPE,
    Control { resource_type: "AWS::ApiGateway::DomainName", ..ENDPOINT_TYPE },
    TABLE_ENCRYPTION,
    Control { resource_type: "AWS::DynamoDB::GlobalTable", ..TABLE_ENCRYPTION },
    Control {
        id: "queue-encryption",
        requirements: &["3.5.1"],
        demand: "Queues are encrypted",
        resource_type: "AWS::SQS::Queue",
        field: "SqsManagedSseEnabled",
        expected: "true, or a KMS key instead",
        holds: |value, around| *value == true || !around.own["KmsMasterKeyId"].is_null(),
        rule: rule("queue-encryption"),
    },
    Control {
        id: "topic-encryption",
        requirements: &["3.5.1"],
        demand: "Topics are encrypted with a KMS key",
        resource_type: "AWS::SNS::Topic",
        field: "KmsMasterKeyId",
        expected: "a key",
        holds: |value, _| !value.is_null(),
        rule: rule("topic-encryption"),
    },
    QUEUE_TLS,
    Control { resource_type: "AWS::SQS::QueueInlinePolicy", rule: rule_about("queue-tls", "Queue"), ..QUEUE_TLS },
    TOPIC_TLS,
    Control { resource_type: "AWS::SNS::TopicInlinePolicy", rule: rule_about("topic-tls", "TopicArn"), ..TOPIC_TLS },
    Control {
        id: "request-validator",
        requirements: &["6.2.4"],
        demand: "What does not fit the model is refused at the entry",
        resource_type: "AWS::ApiGateway::RequestValidator",
        field: "ValidateRequestBody",
        expected: "true",
        holds: |value, _| *value == true,
        rule: None,
    },
    Control {
        id: "method-validation",
        requirements: &["6.2.4"],
        demand: "Every method has its requests validated",
        resource_type: "AWS::ApiGateway::Method",
        field: "RequestValidatorId",
        expected: "a validator",
        holds: |value, _| !value.is_null(),
        rule: rule("method-validation"),
    },
    API_KEY,
    Control {
        resource_type: "AWS::Lambda::Url",
        field: "AuthType",
        expected: "AWS_IAM",
        holds: |value, _| value == "AWS_IAM",
        ..API_KEY
    },
    Control {
        id: "runtime",
        requirements: &["6.3.3"],
        demand: "Functions run on a runtime that AWS patches",
        resource_type: "AWS::Lambda::Function",
        field: "Runtime",
        expected: "not deprecated today",
        holds: |value, around| {
            let runtime = value.as_str().and_then(lambda_runtime);
            !value.is_null() && runtime.and_then(|it| it.deprecated.as_deref()).is_none_or(|date| date > around.today)
        },
        rule: rule("function-runtime"),
    },
    Control {
        id: "own-role",
        requirements: &["7.2.5"],
        demand: "Every function has a role of its own",
        resource_type: "AWS::Lambda::Function",
        field: "Role",
        expected: "no other function's",
        holds: |value, around| !around.others.iter().any(|it| it["Role"] == *value),
        rule: rule("function-own-role"),
    },
    LEAST_PRIVILEGE,
    Control { resource_type: "AWS::IAM::Group", ..LEAST_PRIVILEGE },
    Control { resource_type: "AWS::IAM::User", ..LEAST_PRIVILEGE },
    Control { resource_type: "AWS::IAM::GroupPolicy", ..LEAST_PRIVILEGE_OF_ONE },
    Control { resource_type: "AWS::IAM::ManagedPolicy", ..LEAST_PRIVILEGE_OF_ONE },
    Control { resource_type: "AWS::IAM::Policy", ..LEAST_PRIVILEGE_OF_ONE },
    Control { resource_type: "AWS::IAM::RolePolicy", ..LEAST_PRIVILEGE_OF_ONE },
    Control { resource_type: "AWS::IAM::UserPolicy", ..LEAST_PRIVILEGE_OF_ONE },
    MANAGED_POLICIES,
    Control { resource_type: "AWS::IAM::Group", ..MANAGED_POLICIES },
    Control { resource_type: "AWS::IAM::User", ..MANAGED_POLICIES },
    Control {
        id: "role-trust",
        requirements: &["7.3.1"],
        demand: "Only services of AWS may take on a role",
        resource_type: "AWS::IAM::Role",
        field: "AssumeRolePolicyDocument",
        expected: "every allowed principal is a service",
        holds: |value, _| trusts_services_only(value),
        rule: None,
    },
    Control {
        id: "invoke-permission",
        requirements: &["7.3.1"],
        demand: "A function may be invoked only from a named source",
        resource_type: "AWS::Lambda::Permission",
        field: "",
        expected: "the permission is there, with an ARN as its source",
        holds: |value, _| value["SourceArn"].as_str().is_some_and(|arn| arn.starts_with("arn:")),
        rule: None,
    },
    Control {
        id: "access-logs",
        requirements: &["10.2.1", "10.2.2"],
        demand: "Every request is logged with who, when, what and the outcome",
        resource_type: "AWS::ApiGateway::Stage",
        field: "AccessLogSetting",
        expected: "a destination, and a format with time, address, method, path and status",
        holds: |value, _| logs_what_is_needed(value),
        rule: rule("stage-access-logs"),
    },
    Control {
        id: "no-bodies-logged",
        requirements: &["3.3.1"],
        demand: "No request's body is logged",
        resource_type: "AWS::ApiGateway::Stage",
        field: "MethodSettings",
        expected: "DataTraceEnabled is false for every method",
        holds: |value, _| !any(value, |setting| setting["DataTraceEnabled"] == true),
        rule: None,
    },
    Control {
        id: "log-retention",
        requirements: &["10.5.1"],
        demand: "Logs are kept for twelve months",
        resource_type: "AWS::Logs::LogGroup",
        field: "RetentionInDays",
        expected: "365 or more, or without an end",
        holds: |value, _| value.is_null() || value.as_u64().is_some_and(|days| days >= 365),
        rule: None,
    },
    ALARMS_TELL,
    Control { resource_type: "AWS::CloudWatch::CompositeAlarm", ..ALARMS_TELL },
    ALARMS_ENABLED,
    Control { resource_type: "AWS::CloudWatch::CompositeAlarm", ..ALARMS_ENABLED },
];

const ENDPOINT_TYPE: Control = Control {
    id: "endpoint-type",
    requirements: &["1.2.5"],
    demand: "The API is reached only by the kind of endpoint that was approved",
    resource_type: "AWS::ApiGateway::RestApi",
    field: "EndpointConfiguration",
    expected: "REGIONAL or PRIVATE",
    holds: |value, _| {
        any(&value["Types"], |kind| kind == "REGIONAL" || kind == "PRIVATE")
            && !any(&value["Types"], |kind| kind == "EDGE")
    },
    rule: None,
};

const TABLE_ENCRYPTION: Control = Control {
    id: "table-encryption",
    requirements: &["3.5.1"],
    demand: "Tables are encrypted with a KMS key",
    resource_type: "AWS::DynamoDB::Table",
    field: "SSESpecification",
    expected: "SSEEnabled is true",
    holds: |value, _| value["SSEEnabled"] == true,
    rule: rule("table-encryption"),
};

const QUEUE_TLS: Control = Control {
    id: "queue-tls",
    requirements: &["4.2.1"],
    demand: "Queues deny what comes without TLS",
    resource_type: "AWS::SQS::QueuePolicy",
    field: "PolicyDocument",
    expected: "a statement that denies where aws:SecureTransport is false",
    holds: |value, _| denies_plain_text(value),
    rule: rule_about("queue-tls", "Queues"),
};

const TOPIC_TLS: Control = Control {
    id: "topic-tls",
    requirements: &["4.2.1"],
    demand: "Topics deny what is published without TLS",
    resource_type: "AWS::SNS::TopicPolicy",
    field: "PolicyDocument",
    expected: "a statement that denies where aws:SecureTransport is false",
    holds: |value, _| denies_plain_text(value),
    rule: rule_about("topic-tls", "Topics"),
};

const API_KEY: Control = Control {
    id: "api-key",
    requirements: &["8.3.1"],
    demand: "Every method asks for an API key, and every function's address for a signature",
    resource_type: "AWS::ApiGateway::Method",
    field: "ApiKeyRequired",
    expected: "true",
    holds: |value, _| *value == true,
    rule: rule("method-api-key"),
};

const LEAST_PRIVILEGE: Control = Control {
    id: "least-privilege",
    requirements: &["7.2.2", "7.2.5"],
    demand: "No policy allows actions or resources by a wildcard, where AWS knows narrower ones",
    resource_type: "AWS::IAM::Role",
    field: "Policies",
    expected: "no `*` among allowed actions; `*` as a resource only of X-Ray and its like",
    holds: |value, _| has_least_privilege(value),
    rule: rule("policy-action"),
};

const MANAGED_POLICIES: Control = Control {
    id: "managed-policies",
    requirements: &["7.2.2"],
    demand: "No role, user or group has a policy of AWS's for whole services",
    resource_type: "AWS::IAM::Role",
    field: "ManagedPolicyArns",
    expected: "no AdministratorAccess, PowerUserAccess or …FullAccess",
    holds: |value, _| !any(value, |arn| arn.as_str().is_some_and(crate::policy::iam::is_wide)),
    rule: rule("policy-action"),
};

const ALARMS_TELL: Control = Control {
    id: "alarms-tell",
    requirements: &["10.7.2"],
    demand: "Every alarm tells somebody",
    resource_type: "AWS::CloudWatch::Alarm",
    field: "AlarmActions",
    expected: "an action",
    holds: |value, _| has_items(value),
    rule: rule("alarm-action"),
};

const ALARMS_ENABLED: Control = Control {
    id: "alarms-enabled",
    requirements: &["10.7.2"],
    demand: "No alarm is muted",
    resource_type: "AWS::CloudWatch::Alarm",
    field: "ActionsEnabled",
    expected: "true",
    holds: |value, _| *value == true,
    rule: None,
};

/// The same of a policy that is a resource of its own.
const LEAST_PRIVILEGE_OF_ONE: Control =
    Control { field: "PolicyDocument", holds: |document, _| allows_least([document]), ..LEAST_PRIVILEGE };

/// The control of all fields that no other control looks at.
pub const AS_DECLARED: &str = "as-declared";
pub const AS_DECLARED_REQUIREMENTS: &[&str] = &["2.2.1", "6.5.1", "11.5.2"];
pub const AS_DECLARED_DEMAND: &str = "All that no other control looks at is as the template says";

fn any(list: &Value, is_it: impl Fn(&Value) -> bool) -> bool {
    list.as_array().is_some_and(|items| items.iter().any(is_it))
}

fn has_items(list: &Value) -> bool {
    list.as_array().is_some_and(|items| !items.is_empty())
}

fn firewall_blocks(rules: &Value) -> bool {
    let limits =
        any(rules, |rule| !rule["Statement"]["RateBasedStatement"].is_null() && !rule["Action"]["Block"].is_null());
    let is_managed = |rule: &Value| !rule["Statement"]["ManagedRuleGroupStatement"].is_null();
    limits
        && any(rules, |rule| is_managed(rule) && !rule["OverrideAction"]["None"].is_null())
        && !any(rules, |rule| is_managed(rule) && !rule["OverrideAction"]["Count"].is_null())
}

fn has_least_privilege(policies: &Value) -> bool {
    allows_least(policies.as_array().into_iter().flatten().map(|policy| &policy["PolicyDocument"]))
}

fn allows_least<'a>(documents: impl IntoIterator<Item = &'a Value>) -> bool {
    let mut statements = documents.into_iter().flat_map(|document| statements(document, &PropertyPath::default()));
    statements.all(|statement| {
        let actions = statement.actions();
        let is_wild = actions.iter().any(|(_, action)| action.contains('*')) || !statement.value["NotAction"].is_null();
        let knows_resources = actions.iter().any(|(_, action)| crate::policy::iam::knows_resources(action));
        let is_everywhere =
            statement.resources().iter().any(|(_, resource)| crate::policy::iam::is_everything(resource));
        !statement.allows() || !(is_wild || knows_resources && is_everywhere)
    })
}

fn trusts_services_only(document: &Value) -> bool {
    let statements = statements(document, &PropertyPath::default());
    let is_service = |principal: &Value| {
        principal.as_object().is_some_and(|kinds| !kinds.is_empty() && kinds.keys().all(|kind| kind == "Service"))
    };
    statements.iter().all(|statement| !statement.allows() || is_service(&statement.value["Principal"]))
}

fn logs_what_is_needed(setting: &Value) -> bool {
    let format = setting["Format"].as_str().unwrap_or_default();
    let needed = [
        "$context.requestTime",
        "$context.identity.sourceIp",
        "$context.httpMethod",
        "$context.resourcePath",
        "$context.status",
    ];
    !setting["DestinationArn"].is_null() && needed.iter().all(|variable| format.contains(variable))
}
