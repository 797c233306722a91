//! What stands beside the resources of `worlds`, so that a walk meets every type that the emulator can play.
//!
//! Each refers only to what comes before it: to the resources of `worlds`, and to the ones above it here.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::worlds::Template;

type Dice = [u8; 4];
type Resources = Map<String, Value>;

/// A resource from its dice, or nothing where what it needs is not there.
type Slot = (&'static str, fn(&Resources, Dice) -> Option<Value>);

const SLOTS: &[Slot] = &[
    ("Account", |all, _| {
        of(all, &["Role"], "AWS::ApiGateway::Account", json!({"CloudWatchRoleArn": attribute("Role", "Arn")}))
    }),
    ("Authorizer", |all, dice| {
        let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${FunctionA.Arn}/invocations";
        let properties = json!({
            "RestApiId": {"Ref": "Api"},
            "Name": version("authorizer", dice[0]),
            "Type": "TOKEN",
            "IdentitySource": format!("method.request.header.{}", ["Auth", "Token"][usize::from(dice[1]) % 2]),
            "AuthorizerUri": {"Fn::Sub": uri},
        });
        of(all, &["Api", "FunctionA"], "AWS::ApiGateway::Authorizer", properties)
    }),
    ("Part", |all, dice| {
        let said = json!({"description": text(dice[0])}).to_string();
        let properties = json!({"RestApiId": {"Ref": "Api"}, "Location": {"Type": "API"}, "Properties": said});
        of(all, &["Api"], "AWS::ApiGateway::DocumentationPart", properties)
    }),
    ("Edition", |all, dice| {
        let version = version("edition", dice[0]);
        let properties =
            json!({"RestApiId": {"Ref": "Api"}, "DocumentationVersion": version, "Description": text(dice[1])});
        of(all, &["Part"], "AWS::ApiGateway::DocumentationVersion", properties)
    }),
    ("Refusal", |all, dice| {
        let kind = ["UNAUTHORIZED", "THROTTLED"][usize::from(dice[0]) % 2];
        let status = format!("43{}", dice[1] % 2);
        let properties = json!({"RestApiId": {"Ref": "Api"}, "ResponseType": kind, "StatusCode": status});
        of(all, &["Api"], "AWS::ApiGateway::GatewayResponse", properties)
    }),
    ("Model", |all, dice| {
        let properties = json!({
            "RestApiId": {"Ref": "Api"},
            "Name": format!("order{}", dice[0] % 2),
            "ContentType": "application/json",
            "Schema": {"type": "object", "description": text(dice[1])},
        });
        of(all, &["Api"], "AWS::ApiGateway::Model", properties)
    }),
    ("Domain", |all, dice| {
        let certificate = format!("arn:aws:acm:us-east-1:123456789012:certificate/{}", dice[1] % 2);
        let properties = json!({
            "DomainName": format!("v{}.example.com", dice[0] % 2),
            "RegionalCertificateArn": certificate,
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
        });
        of(all, &[], "AWS::ApiGateway::DomainName", properties)
    }),
    ("Path", |all, dice| {
        let mut properties =
            json!({"DomainName": {"Ref": "Domain"}, "BasePath": version("base", dice[0]), "RestApiId": {"Ref": "Api"}});
        if all.contains_key("Stage") && dice[1].is_multiple_of(2) {
            properties["Stage"] = json!({"Ref": "Stage"});
        }
        of(all, &["Api", "Domain"], "AWS::ApiGateway::BasePathMapping", properties)
    }),
    ("Certificate", |all, dice| {
        of(all, &[], "AWS::ApiGateway::ClientCertificate", json!({"Description": text(dice[0])}))
    }),
    ("Link", |all, dice| {
        let balancer = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/orders/0123456789abcdef";
        of(all, &[], "AWS::ApiGateway::VpcLink", json!({"Name": version("link", dice[0]), "TargetArns": [balancer]}))
    }),
    ("Normal", |all, dice| {
        let zone = ["Europe/Berlin", "America/New_York"][usize::from(dice[1]) % 2];
        let properties = json!({
            "Namespace": "Orders",
            "MetricName": version("taken", dice[0]),
            "Stat": "Sum",
            "Configuration": {"MetricTimeZone": zone},
        });
        of(all, &[], "AWS::CloudWatch::AnomalyDetector", properties)
    }),
    ("Loudest", |all, dice| {
        let body = json!({
            "Schema": {"Name": "CloudWatchLogRule", "Version": 1},
            "LogGroupNames": ["/orders/*"],
            "LogFormat": "JSON",
            "Contribution": {"Keys": ["$.customer"], "Filters": []},
            "AggregateOn": "Count",
        });
        let state = ["ENABLED", "DISABLED"][usize::from(dice[1]) % 2];
        let properties =
            json!({"RuleName": version("loudest", dice[0]), "RuleBody": body.to_string(), "RuleState": state});
        of(all, &[], "AWS::CloudWatch::InsightRule", properties)
    }),
    ("Metrics", |all, dice| {
        let properties = json!({
            "Name": version("metrics", dice[0]),
            "FirehoseArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/metrics",
            "RoleArn": "arn:aws:iam::123456789012:role/sender",
            "OutputFormat": (["json", "opentelemetry1.0"][usize::from(dice[1]) % 2]),
        });
        of(all, &[], "AWS::CloudWatch::MetricStream", properties)
    }),
    ("Alarm", |all, dice| {
        let properties = json!({
            "AlarmName": version("alarm", dice[0]),
            "Namespace": "AWS/SQS",
            "MetricName": "NumberOfMessagesSent",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1 + dice[1] % 2,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": dice[2] % 2,
        });
        of(all, &[], "AWS::CloudWatch::Alarm", properties)
    }),
    ("AnyAlarm", |all, dice| {
        let properties = json!({
            "AlarmName": version("any", dice[0]),
            "AlarmRule": {"Fn::Sub": "ALARM(\"${Alarm}\")"},
            "ActionsEnabled": dice[1].is_multiple_of(2),
        });
        of(all, &["Alarm"], "AWS::CloudWatch::CompositeAlarm", properties)
    }),
    ("Dashboard", |all, dice| {
        let widget = json!({"type": "text", "properties": {"markdown": text(dice[1])}});
        let properties = json!({
            "DashboardName": version("dashboard", dice[0]),
            "DashboardBody": json!({"widgets": [widget]}).to_string(),
        });
        of(all, &[], "AWS::CloudWatch::Dashboard", properties)
    }),
    ("GlobalTable", |all, dice| {
        let properties = json!({
            "TableName": version("global", dice[0]),
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "SSESpecification": {"SSEEnabled": dice[1].is_multiple_of(2)},
            "Replicas": [{
                "Region": "us-east-1",
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": dice[2].is_multiple_of(2)},
            }],
        });
        of(all, &[], "AWS::DynamoDB::GlobalTable", properties)
    }),
    ("Group", |all, dice| {
        let path = if dice[1].is_multiple_of(2) { "/people/" } else { "/" };
        of(all, &[], "AWS::IAM::Group", json!({"GroupName": version("group", dice[0]), "Path": path}))
    }),
    ("GroupMay", |all, dice| may(all, "Group", "AWS::IAM::GroupPolicy", dice)),
    ("User", |all, dice| {
        let mut properties = json!({"UserName": version("user", dice[0])});
        if all.contains_key("Group") && dice[1].is_multiple_of(2) {
            properties["Groups"] = json!([{"Ref": "Group"}]);
        }
        of(all, &[], "AWS::IAM::User", properties)
    }),
    ("UserMay", |all, dice| may(all, "User", "AWS::IAM::UserPolicy", dice)),
    ("OtherGroup", |all, _| of(all, &[], "AWS::IAM::Group", json!({"GroupName": "others"}))),
    ("Membership", |all, _| {
        let properties = json!({"GroupName": {"Ref": "OtherGroup"}, "Users": [{"Ref": "User"}]});
        of(all, &["OtherGroup", "User"], "AWS::IAM::UserToGroupAddition", properties)
    }),
    ("RoleMay", |all, dice| may(all, "Role", "AWS::IAM::RolePolicy", dice)),
    ("Profile", |all, dice| {
        let properties = json!({"InstanceProfileName": version("profile", dice[0]), "Roles": [{"Ref": "Role"}]});
        of(all, &["Role"], "AWS::IAM::InstanceProfile", properties)
    }),
    ("Linked", |all, dice| {
        let properties = json!({
            "AWSServiceName": "autoscaling.amazonaws.com",
            "CustomSuffix": version("walk", dice[0]),
            "Description": text(dice[1]),
        });
        of(all, &[], "AWS::IAM::ServiceLinkedRole", properties)
    }),
    ("Release", |all, _| {
        of(all, &["FunctionA"], "AWS::Lambda::Version", json!({"FunctionName": {"Ref": "FunctionA"}}))
    }),
    ("Live", |all, dice| {
        let version = match all.contains_key("Release") && dice[0].is_multiple_of(2) {
            true => attribute("Release", "Version"),
            false => json!("$LATEST"),
        };
        let properties = json!({
            "FunctionName": {"Ref": "FunctionA"},
            "FunctionVersion": version,
            "Name": "live",
            "Description": text(dice[1]),
        });
        of(all, &["FunctionA"], "AWS::Lambda::Alias", properties)
    }),
    ("Calls", |all, dice| {
        let properties = json!({
            "FunctionName": {"Ref": "FunctionA"},
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": dice[0] % 3,
        });
        of(all, &["FunctionA"], "AWS::Lambda::EventInvokeConfig", properties)
    }),
    ("Address", |all, dice| {
        let auth_type = ["NONE", "AWS_IAM"][usize::from(dice[0]) % 2];
        let properties = json!({"TargetFunctionArn": attribute("FunctionB", "Arn"), "AuthType": auth_type});
        of(all, &["FunctionB"], "AWS::Lambda::Url", properties)
    }),
    ("Shared", |all, dice| {
        let principal = ["111122223333", "444455556666"][usize::from(dice[0]) % 2];
        let properties = json!({
            "LayerVersionArn": {"Ref": "Layer"},
            "Action": "lambda:GetLayerVersion",
            "Principal": principal,
        });
        of(all, &["Layer"], "AWS::Lambda::LayerVersionPermission", properties)
    }),
    ("Signed", |all, dice| {
        let profile = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/pipeline/a1b2c3d4e5";
        let properties = json!({
            "Description": text(dice[0]),
            "AllowedPublishers": {"SigningProfileVersionArns": [profile]},
        });
        of(all, &[], "AWS::Lambda::CodeSigningConfig", properties)
    }),
    ("Indexed", |all, dice| {
        let field = ["requestId", "customer"][usize::from(dice[1]) % 2];
        let properties = json!({
            "PolicyName": version("indexed", dice[0]),
            "PolicyType": "FIELD_INDEX_POLICY",
            "PolicyDocument": json!({"Fields": [field]}).to_string(),
            "SelectionCriteria": "LogGroupNamePrefix IN [\"/orders\"]",
        });
        of(all, &[], "AWS::Logs::AccountPolicy", properties)
    }),
    ("Oddities", |all, dice| {
        let properties = json!({
            "DetectorName": version("oddities", dice[0]),
            "LogGroupArnList": [attribute("LogGroup", "Arn")],
            "EvaluationFrequency": (["TEN_MIN", "ONE_HOUR"][usize::from(dice[1]) % 2]),
        });
        of(all, &["LogGroup"], "AWS::Logs::LogAnomalyDetector", properties)
    }),
    ("Door", |all, dice| {
        let properties = json!({
            "DestinationName": version("door", dice[0]),
            "TargetArn": format!("arn:aws:kinesis:us-east-1:123456789012:stream/v{}", dice[1] % 2),
            "RoleArn": "arn:aws:iam::123456789012:role/logs-to-stream",
        });
        of(all, &[], "AWS::Logs::Destination", properties)
    }),
    ("Stream", |all, dice| {
        let properties = json!({"LogGroupName": {"Ref": "LogGroup"}, "LogStreamName": version("stream", dice[0])});
        of(all, &["LogGroup"], "AWS::Logs::LogStream", properties)
    }),
    ("Query", |all, dice| {
        let properties =
            json!({"Name": version("walk/query", dice[0]), "QueryString": format!("limit {}", dice[1] % 2 + 1)});
        of(all, &[], "AWS::Logs::QueryDefinition", properties)
    }),
    ("Writers", |all, dice| {
        let service = ["events.amazonaws.com", "route53.amazonaws.com"][usize::from(dice[1]) % 2];
        let statement = json!({
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "logs:PutLogEvents",
            "Resource": "*",
        });
        let document = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let properties = json!({"PolicyName": version("writers", dice[0]), "PolicyDocument": document});
        of(all, &[], "AWS::Logs::ResourcePolicy", properties)
    }),
    ("LogsMayCall", |all, _| {
        let properties = json!({
            "FunctionName": {"Ref": "FunctionA"},
            "Action": "lambda:InvokeFunction",
            "Principal": "logs.amazonaws.com",
        });
        of(all, &["FunctionA"], "AWS::Lambda::Permission", properties)
    }),
    ("Forward", |all, dice| {
        let properties = json!({
            "LogGroupName": {"Ref": "LogGroup"},
            "FilterName": version("forward", dice[0]),
            "FilterPattern": text(dice[1]),
            "DestinationArn": attribute("FunctionA", "Arn"),
        });
        of(all, &["LogGroup", "LogsMayCall"], "AWS::Logs::SubscriptionFilter", properties)
    }),
    ("TopicMay", |all, dice| {
        let document = statement(&json!({"Ref": "Topic"}), "sns:Publish", dice);
        let properties = json!({"Topics": [{"Ref": "Topic"}], "PolicyDocument": document});
        of(all, &["Topic"], "AWS::SNS::TopicPolicy", properties)
    }),
    ("TopicMayInline", |all, dice| {
        let document = statement(&json!({"Ref": "Topic"}), "sns:Publish", dice);
        let properties = json!({"TopicArn": {"Ref": "Topic"}, "PolicyDocument": document});
        // A topic has one policy.
        let is_free = !all.contains_key("TopicMay");
        of(all, &["Topic"], "AWS::SNS::TopicInlinePolicy", properties).filter(|_| is_free)
    }),
    ("QueueMayInline", |all, dice| {
        let document = statement(&attribute("QueueB", "Arn"), "sqs:SendMessage", dice);
        let properties = json!({"Queue": {"Ref": "QueueB"}, "PolicyDocument": document});
        of(all, &["QueueB"], "AWS::SQS::QueueInlinePolicy", properties)
    }),
    ("Addresses", |all, dice| {
        let properties = json!({
            "Name": version("addresses", dice[0]),
            "Scope": "REGIONAL",
            "IPAddressVersion": "IPV4",
            "Addresses": [format!("192.0.2.{}/32", dice[1] % 2)],
        });
        of(all, &[], "AWS::WAFv2::IPSet", properties)
    }),
    ("Patterns", |all, dice| {
        let properties = json!({
            "Name": version("patterns", dice[0]),
            "Scope": "REGIONAL",
            "RegularExpressionList": [format!("order-{}", dice[1] % 2)],
        });
        of(all, &[], "AWS::WAFv2::RegexPatternSet", properties)
    }),
    ("Rules", |all, dice| {
        let visibility = |name: &str| json!({"CloudWatchMetricsEnabled": false, "MetricName": name, "SampledRequestsEnabled": false});
        let mut rules = Vec::new();
        if all.contains_key("Addresses") {
            rules.push(json!({
                "Name": "known",
                "Priority": dice[1] % 2,
                "Action": {"Block": {}},
                "Statement": {"IPSetReferenceStatement": {"Arn": attribute("Addresses", "Arn")}},
                "VisibilityConfig": visibility("known"),
            }));
        }
        let properties = json!({
            "Name": version("rules", dice[0]),
            "Scope": "REGIONAL",
            "Capacity": 10,
            "Rules": rules,
            "VisibilityConfig": visibility("rules"),
        });
        of(all, &[], "AWS::WAFv2::RuleGroup", properties)
    }),
    ("AclLogs", |all, dice| {
        let group = format!("arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-{}", dice[0] % 2);
        let properties = json!({"ResourceArn": attribute("Acl", "Arn"), "LogDestinationConfigs": [group]});
        of(all, &["Acl"], "AWS::WAFv2::LoggingConfiguration", properties)
    }),
];

/// How likely it is that a template of a walk has one of these; of the others it is a half.
pub const OFTEN: f64 = 0.3;

/// Adds them to a template, each as likely as that and with its dice.
pub fn with_more(templates: impl Strategy<Value = Template>, often: f64) -> impl Strategy<Value = Template> {
    let dice = prop::option::weighted(often, prop::array::uniform4(0..12_u8));
    (templates, prop::collection::vec(dice, SLOTS.len())).prop_map(|(Template(mut all), dice)| {
        for ((id, make), dice) in SLOTS.iter().zip(dice) {
            if let Some(resource) = dice.and_then(|dice| make(&all, dice)) {
                all.insert((*id).to_owned(), resource);
            }
        }
        Template(all)
    })
}

fn of(all: &Resources, needed: &[&str], resource_type: &str, properties: Value) -> Option<Value> {
    let is_whole = needed.iter().all(|id| all.contains_key(*id));
    is_whole.then(|| json!({"Type": resource_type, "Properties": properties}))
}

/// A policy that is a part of a role, a user or a group.
fn may(all: &Resources, whom: &str, resource_type: &str, dice: Dice) -> Option<Value> {
    let action = ["sqs:ListQueues", "sns:ListTopics"][usize::from(dice[1]) % 2];
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
    let properties = json!({
        "PolicyName": version("may", dice[0]),
        (format!("{whom}Name")): {"Ref": whom},
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    });
    of(all, &[whom], resource_type, properties)
}

fn statement(resource: &Value, action: &str, dice: Dice) -> Value {
    let principal = json!({"AWS": format!("arn:aws:iam::{}:root", 111_122_223_330_u64 + u64::from(dice[0] % 2))});
    let statement = json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource});
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

fn attribute(id: &str, name: &str) -> Value {
    json!({"Fn::GetAtt": [id, name]})
}

fn text(dice: u8) -> String {
    format!("text {}", dice % 2)
}

fn version(name: &str, dice: u8) -> String {
    format!("{name}-v{}", dice % 2)
}
