//! What a resource is, in a few words: the properties that matter most of each type, as a table.

use serde_json::Value;

use crate::cli::view::values::inline;
use crate::cli::view::words::{count, seconds};
use crate::identity::ResourceType;

/// What is not known yet says nothing of a resource.
const UNKNOWN: &str = "(known after apply)";

/// The key facts of a resource: its name first, then what somebody asks of such a thing first.
pub fn brief(resource_type: &ResourceType, properties: &Value) -> String {
    let it = Properties(properties);
    let facts: Vec<Option<String>> = match resource_type.as_str() {
        "AWS::ApiGateway::Account" => vec![it.tail("CloudWatchRoleArn")],
        "AWS::ApiGateway::ApiKey" => vec![it.text("Name"), it.unless("Enabled", "disabled")],
        "AWS::ApiGateway::BasePathMapping" => vec![it.text("DomainName"), it.text("BasePath"), it.text("Stage")],
        "AWS::ApiGateway::DocumentationPart" => {
            vec![it.at("/Location/Type"), it.at("/Location/Method"), it.at("/Location/Path"), it.at("/Location/Name")]
        }
        "AWS::ApiGateway::DocumentationVersion" => vec![it.text("DocumentationVersion")],
        "AWS::ApiGateway::GatewayResponse" => vec![it.text("ResponseType"), it.text("StatusCode")],
        "AWS::ApiGateway::Method" => vec![
            it.text("HttpMethod"),
            it.at("/Integration/Type"),
            it.tail_at("/Integration/Uri"),
            it.when("ApiKeyRequired", "with an API key"),
        ],
        "AWS::ApiGateway::RequestValidator" => vec![
            it.text("Name"),
            it.when("ValidateRequestBody", "body"),
            it.when("ValidateRequestParameters", "parameters"),
        ],
        "AWS::ApiGateway::Resource" => vec![it.text("PathPart").map(|part| format!("/{part}"))],
        "AWS::ApiGateway::RestApi" => vec![it.text("Name"), it.at("/EndpointConfiguration/Types")],
        "AWS::ApiGateway::Stage" => vec![
            it.text("StageName"),
            it.when("TracingEnabled", "traced"),
            it.at("/AccessLogSetting/DestinationArn").map(|_| "with access logs".to_owned()),
        ],
        "AWS::ApiGateway::UsagePlan" => vec![
            it.text("UsagePlanName"),
            it.at("/Throttle/RateLimit").map(|rate| format!("{rate} requests/s")),
            it.at("/Throttle/BurstLimit").map(|burst| format!("bursts of {burst}")),
            it.at("/Quota/Limit").zip(it.at("/Quota/Period")).map(|(limit, period)| format!("{limit} a {period}")),
        ],
        "AWS::CloudWatch::Alarm" => vec![it.text("AlarmName"), condition(it)],
        "AWS::CloudWatch::Dashboard" => vec![it.text("DashboardName"), widgets(it)],
        "AWS::DynamoDB::GlobalTable" => vec![it.text("TableName"), keys(it), it.at("/Replicas/0/Region")],
        "AWS::DynamoDB::Table" => vec![
            it.text("TableName"),
            keys(it),
            it.text("BillingMode").map(|mode| mode.replace('_', " ").to_lowercase()),
            it.at("/SSESpecification/SSEType").map(|with| format!("encrypted with {with}")),
            it.at("/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled")
                .filter(|it| it == "true")
                .map(|_| "recoverable".to_owned()),
            it.number_of("GlobalSecondaryIndexes", "index"),
        ],
        "AWS::IAM::ManagedPolicy" => vec![it.text("ManagedPolicyName"), statements(it)],
        "AWS::IAM::Policy" => vec![it.text("PolicyName"), statements(it)],
        "AWS::IAM::Role" => vec![
            it.text("RoleName"),
            it.at("/AssumeRolePolicyDocument/Statement/0/Principal/Service").map(|who| format!("for {who}")),
            it.number_of("Policies", "inline policy"),
            it.number_of("ManagedPolicyArns", "managed policy"),
        ],
        "AWS::Lambda::EventSourceMapping" => vec![
            it.tail("EventSourceArn").zip(it.text("FunctionName")).map(|(from, to)| format!("{from} -> {to}")),
            it.text("BatchSize").map(|size| format!("batches of {size}")),
            it.unless("Enabled", "disabled"),
        ],
        "AWS::Lambda::Function" => vec![
            it.text("FunctionName"),
            it.text("Runtime"),
            it.text("MemorySize").map(|size| format!("{size} MB")),
            it.seconds("Timeout"),
            it.text("Architectures"),
            it.text("ReservedConcurrentExecutions").map(|it| format!("{it} at once")),
        ],
        "AWS::Lambda::LayerVersion" => {
            vec![it.text("LayerName"), it.text("CompatibleRuntimes"), it.text("CompatibleArchitectures")]
        }
        "AWS::Lambda::Permission" => {
            vec![it.text("Principal").zip(it.text("FunctionName")).map(|(who, what)| format!("{who} -> {what}"))]
        }
        "AWS::Logs::LogGroup" => vec![
            it.text("LogGroupName"),
            Some(it.text("RetentionInDays").map_or("kept for ever".to_owned(), |days| format!("kept {days} days"))),
        ],
        "AWS::Logs::MetricFilter" => vec![it.text("FilterName"), it.text("FilterPattern")],
        "AWS::SNS::Subscription" => vec![it.text("Protocol"), it.text("Endpoint")],
        "AWS::SNS::Topic" => vec![it.text("TopicName"), it.when("FifoTopic", "FIFO"), it.text("KmsMasterKeyId")],
        "AWS::SQS::Queue" => vec![
            it.text("QueueName"),
            it.when("FifoQueue", "FIFO"),
            it.seconds("VisibilityTimeout").map(|time| format!("hidden {time}")),
            it.seconds("MessageRetentionPeriod").map(|time| format!("kept {time}")),
            dead_letters(it),
        ],
        "AWS::SQS::QueuePolicy" | "AWS::SNS::TopicPolicy" | "AWS::Logs::ResourcePolicy" => {
            vec![it.name(), statements(it)]
        }
        "AWS::WAFv2::IPSet" => vec![it.text("Name"), it.number_of("Addresses", "range")],
        "AWS::WAFv2::LoggingConfiguration" => vec![it.tail_at("/LogDestinationConfigs/0")],
        "AWS::WAFv2::WebACL" => vec![it.text("Name"), it.number_of("Rules", "rule")],
        "AWS::WAFv2::WebACLAssociation" => vec![it.tail("ResourceArn")],
        _ => vec![it.name()],
    };
    facts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A resource's properties as they are shown.
#[derive(Clone, Copy)]
struct Properties<'a>(&'a Value);

impl Properties<'_> {
    fn text(self, name: &str) -> Option<String> {
        said(self.0.get(name)?)
    }

    /// What stands at a JSON pointer.
    fn at(self, pointer: &str) -> Option<String> {
        said(self.0.pointer(pointer)?)
    }

    /// The last part of an ARN or a path, which is what people call it.
    fn tail(self, name: &str) -> Option<String> {
        self.text(name).map(last_part)
    }

    fn tail_at(self, pointer: &str) -> Option<String> {
        self.at(pointer).map(last_part)
    }

    fn seconds(self, name: &str) -> Option<String> {
        let value = self.0.get(name)?;
        value.as_u64().map(seconds).or_else(|| said(value))
    }

    fn when(self, name: &str, words: &str) -> Option<String> {
        (self.0.get(name)? == true).then(|| words.to_owned())
    }

    fn unless(self, name: &str, words: &str) -> Option<String> {
        (self.0.get(name)? == false).then(|| words.to_owned())
    }

    fn number_of(self, name: &str, what: &str) -> Option<String> {
        let items = self.0.get(name)?.as_array()?;
        (!items.is_empty()).then(|| count(items.len(), what))
    }

    /// The property that is called a name, of a type that has no line in the table.
    fn name(self) -> Option<String> {
        let fields = self.0.as_object()?;
        let is_name = |(name, _): &(&String, &Value)| name.as_str() == "Name" || name.ends_with("Name");
        fields.iter().find(is_name).and_then(|(_, value)| said(value))
    }
}

/// A value in words; a list without its brackets.
fn said(value: &Value) -> Option<String> {
    let text = match value {
        Value::Array(items) => {
            items.iter().map(said).collect::<Option<Vec<_>>>().filter(|items| !items.is_empty())?.join(" ")
        }
        Value::Object(_) | Value::Null => return None,
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string()),
        Value::String(_) | Value::Bool(_) => inline(value),
    };
    // A text of many lines is a document, and no fact.
    (!text.is_empty() && !text.contains('\n') && !text.contains(UNKNOWN)).then_some(text)
}

fn last_part(text: String) -> String {
    let text = text.strip_suffix("/invocations").unwrap_or(&text);
    text.rsplit([':', '/']).next().unwrap_or(text).to_owned()
}

/// What an alarm watches: `ApproximateAgeOfOldestMessage > 300 (3 of 3 x 60 s)`.
fn condition(it: Properties<'_>) -> Option<String> {
    let returned = || {
        let metrics = it.0.get("Metrics")?.as_array()?;
        let metric = metrics.iter().find(|metric| metric["ReturnData"] == true)?;
        said(&metric["Label"]).or_else(|| said(&metric["Expression"]))
    };
    let metric = it.text("MetricName").or_else(returned)?;
    let sign = match it.text("ComparisonOperator")?.as_str() {
        "GreaterThanThreshold" => ">",
        "GreaterThanOrEqualToThreshold" => ">=",
        "LessThanThreshold" => "<",
        "LessThanOrEqualToThreshold" => "<=",
        _ => "outside of",
    };
    let threshold = it.text("Threshold").or_else(|| it.text("ThresholdMetricId"))?;
    let periods = it.text("EvaluationPeriods").map(|of| {
        let points = it.text("DatapointsToAlarm").unwrap_or_else(|| of.clone());
        let each = it.seconds("Period").map(|period| format!(" x {period}")).unwrap_or_default();
        format!(" ({points} of {of}{each})")
    });
    Some(format!("{metric} {sign} {threshold}{}", periods.unwrap_or_default()))
}

fn widgets(it: Properties<'_>) -> Option<String> {
    let body = it.0.get("DashboardBody")?;
    let parsed = body.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let widgets = parsed.as_ref().unwrap_or(body)["widgets"].as_array()?;
    Some(count(widgets.len(), "widget"))
}

/// A table's key: `transaction_id (S) + timestamp (S)`.
fn keys(it: Properties<'_>) -> Option<String> {
    let types = it.0.get("AttributeDefinitions")?.as_array()?;
    let type_of = |name: &Value| types.iter().find(|it| &it["AttributeName"] == name)?["AttributeType"].as_str();
    let key = |part: &Value| {
        let name = &part["AttributeName"];
        Some(format!("{} ({})", name.as_str()?, type_of(name).unwrap_or("?")))
    };
    let keys: Option<Vec<String>> = it.0.get("KeySchema")?.as_array()?.iter().map(key).collect();
    Some(keys?.join(" + "))
}

/// Where messages go that nobody can handle: `payments-dlq after 3 times`.
fn dead_letters(it: Properties<'_>) -> Option<String> {
    let queue = it.tail_at("/RedrivePolicy/deadLetterTargetArn")?;
    let times = it.at("/RedrivePolicy/maxReceiveCount")?;
    Some(format!("to {queue} after {times} times"))
}

fn statements(it: Properties<'_>) -> Option<String> {
    let document = it.0.get("PolicyDocument")?;
    let statements = document.get("Statement")?;
    Some(count(statements.as_array().map_or(1, Vec::len), "statement"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(resource_type: &str, properties: Value) -> String {
        brief(&ResourceType::from(resource_type), &properties)
    }

    #[test]
    fn a_resource_is_told_by_what_matters_of_its_type() {
        let function = json!({"FunctionName": "pay", "Runtime": "python3.11", "MemorySize": 512, "Timeout": 180});
        assert_eq!(of("AWS::Lambda::Function", function), "pay, python3.11, 512 MB, 3 min");
        let queue = json!({
            "QueueName": "orders", "VisibilityTimeout": 45, "MessageRetentionPeriod": 1_209_600,
            "RedrivePolicy": {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:1:orders-dlq", "maxReceiveCount": 3},
        });
        assert_eq!(of("AWS::SQS::Queue", queue), "orders, hidden 45 s, kept 14 days, to orders-dlq after 3 times");
        let alarm = json!({
            "AlarmName": "age", "MetricName": "Age", "ComparisonOperator": "GreaterThanThreshold", "Threshold": 300.0,
            "EvaluationPeriods": 3, "Period": 60,
        });
        assert_eq!(of("AWS::CloudWatch::Alarm", alarm), "age, Age > 300 (3 of 3 x 1 min)");
    }

    #[test]
    fn what_is_not_known_yet_or_secret_is_no_hindrance() {
        let subscription = json!({"Protocol": "email", "Endpoint": "(sensitive)", "TopicArn": UNKNOWN});
        assert_eq!(of("AWS::SNS::Subscription", subscription), "email, (sensitive)");
        assert_eq!(
            of("AWS::SQS::Queue", json!({"QueueName": UNKNOWN, "VisibilityTimeout": "(sensitive)"})),
            "hidden (sensitive)"
        );
        assert_eq!(of("AWS::Some::Other", json!({"OtherName": "it", "Size": 3})), "it");
    }
}
