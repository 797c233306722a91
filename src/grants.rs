//! What a function's code calls, as its sources say it, against what its role grants. Pure.
//!
//! Sources are read as text: a call is a method of a client by its name in Python's SDK, in a file set that names the
//! service. What is called in another way is not seen, so that an excess is a question, and a missing grant an answer.

use std::collections::{BTreeMap, BTreeSet};

use fancy_regex::Regex;
use serde::Serialize;

use crate::identity::LogicalId;
use crate::policy::roles::{role_of, statements_of, with_policies};
use crate::resolved::{Resolved, Subject};

/// A file of a function's code, or of a layer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

/// One function, and whether its role fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fit {
    pub function: LogicalId,
    /// `None` where the template does not declare it: nothing is known of what it grants.
    pub role: Option<LogicalId>,
    /// Granted and called, or needed by Lambda itself; by action, with where or why.
    pub used: BTreeMap<String, String>,
    /// Granted, and called nowhere.
    pub excess: BTreeSet<String>,
    /// Called, and not granted; with where.
    pub missing: BTreeMap<String, String>,
}

impl Fit {
    pub fn is_exact(&self) -> bool {
        self.excess.is_empty() && self.missing.is_empty()
    }
}

/// A client's method, and the action that it takes. `is_plain`: the name is a common word, and counts only on a client.
struct Method {
    service: &'static str,
    name: &'static str,
    action: &'static str,
    is_plain: bool,
}

const fn method(service: &'static str, name: &'static str, action: &'static str) -> Method {
    Method { service, name, action, is_plain: false }
}

const fn plain(service: &'static str, name: &'static str, action: &'static str) -> Method {
    Method { service, name, action, is_plain: true }
}

/// "Service Authorization Reference", and the client references of boto3.
const METHODS: [Method; 44] = [
    method("cloudwatch", "put_metric_data", "cloudwatch:PutMetricData"),
    method("dynamodb", "batch_get_item", "dynamodb:BatchGetItem"),
    method("dynamodb", "batch_write_item", "dynamodb:BatchWriteItem"),
    method("dynamodb", "delete_item", "dynamodb:DeleteItem"),
    method("dynamodb", "describe_table", "dynamodb:DescribeTable"),
    method("dynamodb", "get_item", "dynamodb:GetItem"),
    method("dynamodb", "put_item", "dynamodb:PutItem"),
    plain("dynamodb", "query", "dynamodb:Query"),
    plain("dynamodb", "scan", "dynamodb:Scan"),
    method("dynamodb", "update_item", "dynamodb:UpdateItem"),
    method("events", "put_events", "events:PutEvents"),
    plain("kms", "decrypt", "kms:Decrypt"),
    plain("kms", "encrypt", "kms:Encrypt"),
    method("kms", "generate_data_key", "kms:GenerateDataKey"),
    plain("kms", "sign", "kms:Sign"),
    plain("lambda", "invoke", "lambda:InvokeFunction"),
    method("s3", "copy_object", "s3:PutObject"),
    method("s3", "delete_object", "s3:DeleteObject"),
    method("s3", "download_file", "s3:GetObject"),
    method("s3", "get_object", "s3:GetObject"),
    method("s3", "head_object", "s3:GetObject"),
    method("s3", "list_objects_v2", "s3:ListBucket"),
    method("s3", "put_object", "s3:PutObject"),
    method("s3", "upload_file", "s3:PutObject"),
    method("s3", "upload_fileobj", "s3:PutObject"),
    method("secretsmanager", "get_secret_value", "secretsmanager:GetSecretValue"),
    method("secretsmanager", "put_secret_value", "secretsmanager:PutSecretValue"),
    method("ses", "send_email", "ses:SendEmail"),
    plain("sns", "publish", "sns:Publish"),
    method("sns", "publish_batch", "sns:Publish"),
    method("sqs", "change_message_visibility", "sqs:ChangeMessageVisibility"),
    method("sqs", "change_message_visibility_batch", "sqs:ChangeMessageVisibility"),
    method("sqs", "delete_message", "sqs:DeleteMessage"),
    method("sqs", "delete_message_batch", "sqs:DeleteMessage"),
    method("sqs", "get_queue_attributes", "sqs:GetQueueAttributes"),
    method("sqs", "get_queue_url", "sqs:GetQueueUrl"),
    method("sqs", "receive_message", "sqs:ReceiveMessage"),
    method("sqs", "send_message", "sqs:SendMessage"),
    method("sqs", "send_message_batch", "sqs:SendMessage"),
    method("ssm", "get_parameter", "ssm:GetParameter"),
    method("ssm", "get_parameters", "ssm:GetParameters"),
    method("ssm", "get_parameters_by_path", "ssm:GetParametersByPath"),
    method("ssm", "put_parameter", "ssm:PutParameter"),
    method("stepfunctions", "start_execution", "states:StartExecution"),
];

/// Holds a function's role against its sources.
pub fn fit(function: &Subject<'_>, resolved: &Resolved<'_>, sources: &[SourceFile]) -> Fit {
    let role = role_of(function, resolved);
    let granted: BTreeSet<String> = role.map(|role| granted(role, resolved)).unwrap_or_default();
    let called = called(sources);
    let mut used = BTreeMap::new();
    let mut excess = BTreeSet::new();
    for action in &granted {
        match called.get(action.as_str()).cloned().or_else(|| by_lambda(action, function, resolved)) {
            Some(why) => _ = used.insert(action.clone(), why),
            None => _ = excess.insert(action.clone()),
        }
    }
    let is_granted = |action: &str| granted.iter().any(|it| it.eq_ignore_ascii_case(action));
    let missing = called.into_iter().filter(|(action, _)| !is_granted(action));
    let missing = missing.map(|(action, place)| (action.to_owned(), place));
    Fit {
        function: function.id().clone(),
        role: role.map(|role| role.id().clone()),
        used,
        excess,
        missing: if role.is_some() { missing.collect() } else { BTreeMap::new() },
    }
}

fn granted(role: Subject<'_>, resolved: &Resolved<'_>) -> BTreeSet<String> {
    let mut granted = BTreeSet::new();
    for policy in with_policies(role, resolved) {
        for statement in statements_of(&policy).iter().filter(|statement| statement.allows()) {
            granted.extend(statement.actions().into_iter().map(|(_, action)| action.to_owned()));
        }
    }
    granted
}

/// The actions that the sources call, each with the first place.
fn called(sources: &[SourceFile]) -> BTreeMap<&'static str, String> {
    let names = |service: &str| {
        let quoted = [format!("\"{service}\""), format!("'{service}'")];
        sources.iter().any(|source| quoted.iter().any(|quoted| source.text.contains(quoted)))
    };
    let mut called = BTreeMap::new();
    for Method { service, name, action, is_plain } in METHODS.iter().filter(|method| names(method.service)) {
        let before = if *is_plain { format!(r"\w*(?:client|{service})\w*") } else { String::new() };
        let Ok(pattern) = Regex::new(&format!(r"{before}\.{name}\b")) else { continue };
        let place = sources.iter().find_map(|source| {
            let mut lines = source.text.lines().enumerate();
            let found = lines.find(|(_, line)| {
                pattern.is_match(line.trim_start().trim_end()).unwrap_or_default()
                    && !line.trim_start().starts_with('#')
            });
            found.map(|(index, _)| format!("{}:{}", source.path, index + 1))
        });
        if let Some(place) = place {
            called.entry(*action).or_insert(place);
        }
    }
    called
}

/// What Lambda does with a function's role before and beside its code.
fn by_lambda(action: &str, function: &Subject<'_>, resolved: &Resolved<'_>) -> Option<String> {
    let takes_from = |service: &str| {
        resolved.of_type("AWS::Lambda::EventSourceMapping").any(|mapping| {
            let arn = mapping.properties["EventSourceArn"].as_str().unwrap_or_default();
            function.is_among(&mapping.properties["FunctionName"]) && arn.split(':').nth(2) == Some(service)
        })
    };
    let is_traced = function.properties["TracingConfig"]["Mode"] == "Active";
    let dead_letters = function.properties["DeadLetterConfig"]["TargetArn"].as_str().unwrap_or_default();
    let is_in_vpc = function.properties["VpcConfig"]["SubnetIds"].as_array().is_some_and(|subnets| !subnets.is_empty());
    let why = match action {
        "logs:CreateLogStream" | "logs:PutLogEvents" => "what the function writes",
        "xray:PutTraceSegments" | "xray:PutTelemetryRecords" if is_traced => "`TracingConfig`",
        "sqs:ReceiveMessage" | "sqs:DeleteMessage" | "sqs:GetQueueAttributes" if takes_from("sqs") => {
            "its event source mapping"
        }
        action if action.starts_with("dynamodb:") && takes_from("dynamodb") && action.contains("Stream") => {
            "its event source mapping"
        }
        action if action.starts_with("kinesis:") && takes_from("kinesis") => "its event source mapping",
        "sqs:SendMessage" if dead_letters.contains(":sqs:") => "`DeadLetterConfig`",
        "sns:Publish" if dead_letters.contains(":sns:") => "`DeadLetterConfig`",
        action if action.starts_with("ec2:") && action.contains("NetworkInterface") && is_in_vpc => "`VpcConfig`",
        _ => return None,
    };
    Some(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::line::desired;

    const TEMPLATE: &str = "
Resources:
  Orders: { Type: AWS::SQS::Queue, Properties: { QueueName: orders } }
  PayRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: pay
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: 'sts:AssumeRole' }]
      Policies:
        - PolicyName: pay
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - { Effect: Allow, Action: [logs:PutLogEvents, 'xray:PutTraceSegments'], Resource: '*' }
              - { Effect: Allow, Action: ['sqs:SendMessage', 'sqs:ReceiveMessage'], Resource: !GetAtt Orders.Arn }
              - { Effect: Allow, Action: 'dynamodb:Scan', Resource: '*' }
  Pay:
    Type: AWS::Lambda::Function
    Properties: { FunctionName: pay, Runtime: python3.13, Handler: index.handler, Code: { ZipFile: 'x = 1' }, Role: !GetAtt PayRole.Arn }
";

    fn fitted(text: &str) -> Fit {
        let desired = desired(TEMPLATE);
        let resolved = Resolved::new(&desired);
        let function = resolved.of_type("AWS::Lambda::Function").next().expect("there is one");
        fit(&function, &resolved, &[SourceFile { path: "index.py".into(), text: text.into() }])
    }

    #[test]
    fn what_is_called_and_not_granted_is_missing_with_its_place() {
        let fit = fitted(
            "import boto3\nsqs, table = boto3.client('sqs'), boto3.client(\"dynamodb\")\ntable.put_item(Item={})\n",
        );
        assert_eq!(fit.missing, BTreeMap::from([("dynamodb:PutItem".to_owned(), "index.py:3".to_owned())]));
        assert!(fit.excess.contains("sqs:SendMessage"));
        assert!(!fit.is_exact());
    }

    #[test]
    fn what_is_granted_and_not_called_is_an_excess_unless_lambda_needs_it() {
        let fit = fitted("import boto3\nboto3.client('sqs').send_message()\n");
        let excess = ["dynamodb:Scan", "sqs:ReceiveMessage", "xray:PutTraceSegments"].map(str::to_owned);
        assert_eq!(fit.excess, BTreeSet::from(excess), "no mapping takes from the queue, and nothing is traced");
        assert_eq!(fit.used["sqs:SendMessage"], "index.py:2");
        assert_eq!(fit.used["logs:PutLogEvents"], "what the function writes");
    }

    #[test]
    fn a_common_word_counts_only_on_a_client() {
        assert!(fitted("x = \"dynamodb\"\ndocument.scan()\n").excess.contains("dynamodb:Scan"));
        assert!(!fitted("x = \"dynamodb\"\nself.client.scan()\n").excess.contains("dynamodb:Scan"));
        assert!(fitted("x = \"dynamodb\"\n# self.client.scan()\n").excess.contains("dynamodb:Scan"));
    }
}
