//! What each call asks of IAM: which actions, on which resources.
//!
//! "Service Authorization Reference" (the tables "Actions defined by" and "Resource types defined by", with their dependent
//! actions); beside it, what a service asks for tags that a create sets, and where a function says otherwise, its page.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::Ask;
use crate::call::{Call, Service};

/// Stands for an id that AWS invents at a create.
const NEW: &str = "00000000-0000-0000-0000-000000000000";

/// For actions that know no resources.
const ANY: &str = "*";

/// How the entities begin that belong to a service.
const SERVICES_OWN: &str = "role/AWSServiceRoleFor";

/// All that has to be allowed for a call, the call's own action first.
pub fn of(call: &Call, paths: &BTreeMap<String, String>) -> Vec<Ask> {
    match call.service {
        Service::ApiGateway => api_gateway(call),
        Service::CloudWatch => cloudwatch(call),
        Service::DynamoDb => dynamodb(call),
        Service::Iam => iam(call, paths),
        Service::Lambda => lambda(call),
        Service::Logs => logs(call),
        Service::Sns => sns(call),
        Service::Sqs => sqs(call),
        // Whoever has credentials may ask whose they are.
        Service::Sts => Vec::new(),
        Service::Tagging => vec![ask(format!("tag:{}", call.operation), ANY)],
        Service::Wafv2 => wafv2(call),
        // Of what is not known here nobody can say that it is allowed.
        Service::Other => vec![ask(format!("unknown:{}", call.operation), ANY)],
    }
}

/// The path that IAM will know a new entity by.
pub fn path_of_new(call: &Call) -> Option<(String, String)> {
    // AWS makes up the name of a service's own role, which then says what kind it is.
    if let Some(service) = call.text("AWSServiceName") {
        return Some((SERVICES_OWN.to_owned(), format!("/aws-service-role/{service}/")));
    }
    let is_new = call.service == Service::Iam && call.operation.starts_with("Create");
    let (kind, name) = entity(call).filter(|_| is_new)?;
    Some((format!("{kind}/{name}"), call.text("Path")?))
}

fn ask(action: impl Into<String>, resource: impl Into<String>) -> Ask {
    Ask { action: action.into(), resource: resource.into(), passed_to: None }
}

fn pass(role: impl Into<String>, to: &'static str) -> Ask {
    Ask { passed_to: Some(to), ..ask("iam:PassRole", role) }
}

fn arn(call: &Call, service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:{}:{}:{rest}", call.region, call.account)
}

fn global(call: &Call, service: &str, rest: &str) -> String {
    format!("arn:aws:{service}::{}:{rest}", call.account)
}

/// Whether a member is there and not empty.
fn has(call: &Call, member: &str) -> bool {
    match call.input(member) {
        None | Some(Value::Null) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
        Some(_) => true,
    }
}

/// The text in a member, or all of a list.
fn texts(call: &Call, member: &str) -> Vec<String> {
    match call.input(member) {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn sqs(call: &Call) -> Vec<Ask> {
    let named = call.text("QueueName").or_else(|| Some(call.text("QueueUrl")?.rsplit('/').next()?.to_owned()));
    let queue = named.map_or(ANY.to_owned(), |name| arn(call, "sqs", &name));
    let mut asks = vec![ask(format!("sqs:{}", call.operation), queue.as_str())];
    // "To be able to tag a queue on creation" (API reference, CreateQueue).
    if call.operation == "CreateQueue" && has(call, "tags") {
        asks.push(ask("sqs:TagQueue", queue));
    }
    asks
}

fn sns(call: &Call) -> Vec<Ask> {
    let is_without =
        ["SetSubscriptionAttributes", "GetSubscriptionAttributes", "Unsubscribe"].contains(&call.operation.as_str());
    let named = call.text("Name").map(|name| arn(call, "sns", &name));
    let topic = named.or_else(|| call.text("TopicArn")).or_else(|| call.text("ResourceArn")).filter(|_| !is_without);
    let topic = topic.unwrap_or(ANY.to_owned());
    let mut asks = vec![ask(format!("sns:{}", call.operation), topic.as_str())];
    if call.operation == "CreateTopic" && has(call, "Tags.member.1.Key") {
        asks.push(ask("sns:TagResource", topic));
    }
    asks
}

fn dynamodb(call: &Call) -> Vec<Ask> {
    let named = call.text("TableName").or_else(|| call.text("ResourceArn")).or_else(|| call.text("TableArn"));
    let table = named.map_or(ANY.to_owned(), |name| match name.starts_with("arn:") {
        true => name,
        false => arn(call, "dynamodb", &format!("table/{name}")),
    });
    let mut asks = vec![ask(format!("dynamodb:{}", call.operation), table.as_str())];
    if call.operation == "CreateTable" && has(call, "Tags") {
        asks.push(ask("dynamodb:TagResource", table));
    }
    asks
}

/// The entity that a call of IAM is about.
fn entity(call: &Call) -> Option<(&'static str, String)> {
    let kinds = [
        ("InstanceProfileName", "instance-profile"),
        ("GroupName", "group"),
        ("RoleName", "role"),
        ("UserName", "user"),
        ("PolicyName", "policy"),
    ];
    kinds.into_iter().find_map(|(member, kind)| Some((kind, call.text(member)?)))
}

fn iam(call: &Call, paths: &BTreeMap<String, String>) -> Vec<Ask> {
    let known = |kind: &str, name: &str| {
        let entity = format!("{kind}/{name}");
        let entity = if entity.starts_with(SERVICES_OWN) { SERVICES_OWN } else { &entity };
        let path = paths.get(entity).map_or("/", String::as_str);
        global(call, "iam", &format!("{kind}{path}{name}"))
    };
    let service = call.text("AWSServiceName").map(|it| format!("role/aws-service-role/{it}/AWSServiceRoleForNew"));
    let resource = match (service, entity(call)) {
        (Some(role), _) => global(call, "iam", &role),
        (None, Some((kind, name))) => known(kind, &name),
        (None, None) => call.text("PolicyArn").unwrap_or(ANY.to_owned()),
    };
    let mut asks = vec![ask(format!("iam:{}", call.operation), resource.as_str())];
    if let (Some(kind), true) = (call.operation.strip_prefix("Create"), has(call, "Tags.member.1.Key")) {
        asks.push(ask(format!("iam:Tag{kind}"), resource));
    }
    if let ("AddRoleToInstanceProfile", Some(role)) = (call.operation.as_str(), call.text("RoleName")) {
        asks.push(pass(known("role", &role), "ec2.amazonaws.com"));
    }
    asks
}

fn lambda(call: &Call) -> Vec<Ask> {
    let operation = call.operation.as_str();
    let function = || {
        let name = call.text("FunctionName")?;
        let name = name.split_once(":function:").map_or(name.as_str(), |(_, name)| name);
        let name = name.split(':').next().unwrap_or(name);
        let of_one = operation.contains("ProvisionedConcurrencyConfig");
        let qualifier = query(call, "Qualifier").filter(|_| of_one).map(|it| format!(":{it}")).unwrap_or_default();
        Some(arn(call, "lambda", &format!("function:{name}{qualifier}")))
    };
    let layer = || {
        let version = call.text("VersionNumber").map(|number| format!(":{number}")).unwrap_or_default();
        let name = call.text("LayerName")?;
        let name = name.split_once(":layer:").map_or(name.as_str(), |(_, name)| name);
        Some(arn(call, "lambda", &format!("layer:{name}{version}")))
    };
    let resource = match operation {
        "CreateEventSourceMapping"
        | "ListEventSourceMappings"
        | "ListFunctions"
        | "ListLayers"
        | "ListLayerVersions"
        | "GetAccountSettings"
        | "CreateCodeSigningConfig"
        | "ListCodeSigningConfigs" => Some(ANY.to_owned()),
        "ListTags" | "TagResource" | "UntagResource" => call.text("Resource"),
        "GetLayerVersionByArn" => query(call, "Arn"),
        _ => function()
            .or_else(layer)
            .or_else(|| Some(arn(call, "lambda", &format!("event-source-mapping:{}", call.text("UUID")?))))
            .or_else(|| call.text("CodeSigningConfigArn")),
    };
    let resource = resource.unwrap_or(ANY.to_owned());
    let action = if operation == "GetLayerVersionByArn" { "GetLayerVersion" } else { operation };
    let mut asks = vec![ask(format!("lambda:{action}"), resource.as_str())];
    if ["CreateFunction", "UpdateFunctionConfiguration"].contains(&operation) {
        asks.extend(call.text("Role").map(|role| pass(role, "lambda.amazonaws.com")));
        asks.extend(texts(call, "Layers").into_iter().map(|layer| ask("lambda:GetLayerVersion", layer)));
    }
    if operation.starts_with("Create") && has(call, "Tags") {
        let resource = match operation {
            "CreateEventSourceMapping" => arn(call, "lambda", &format!("event-source-mapping:{NEW}")),
            "CreateCodeSigningConfig" => arn(call, "lambda", &format!("code-signing-config:{NEW}")),
            _ => resource,
        };
        asks.push(ask("lambda:TagResource", resource));
    }
    asks
}

/// A parameter behind the path.
fn query(call: &Call, name: &str) -> Option<String> {
    let (_, query) = call.request.target.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(it, _)| *it == name)?;
    Some(percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// "Understanding Amazon Resource Names for log groups" (API reference, LogGroup): for tags a log group is named as it is, for
/// all else with what is in it.
fn logs(call: &Call) -> Vec<Ask> {
    let operation = call.operation.as_str();
    let group = |name: &str| match name.strip_prefix("arn:") {
        Some(_) => name.trim_end_matches(":*").to_owned(),
        None => arn(call, "logs", &format!("log-group:{name}")),
    };
    let knows_none = ["QueryDefinition", "ResourcePolic", "AccountPolic", "IndexPolic"];
    let knows_none = knows_none.iter().any(|it| operation.contains(it))
        || ["DescribeLogGroups", "DescribeDestinations", "ListLogAnomalyDetectors"].contains(&operation);
    let members = ["logGroupName", "logGroupIdentifier", "logGroupArnList"];
    let named = members.iter().flat_map(|member| texts(call, member)).next();
    let destination = |name: String| arn(call, "logs", &format!("destination:{name}"));
    let resource = match (knows_none, call.text("resourceArn"), named) {
        (true, _, _) => Some(ANY.to_owned()),
        (false, Some(arn), _) => Some(arn),
        (false, None, Some(name)) => Some(format!("{}:log-stream:", group(&name))),
        (false, None, None) => {
            call.text("anomalyDetectorArn").or_else(|| call.text("destinationName").map(destination))
        }
    };
    let mut asks = vec![ask(format!("logs:{operation}"), resource.as_deref().unwrap_or(ANY))];
    if operation.starts_with("Create") && has(call, "tags") {
        let tagged = call.text("logGroupName").map(|name| group(&name));
        asks.extend(tagged.map(|group| ask("logs:TagResource", group)));
    }
    asks.extend(call.text("roleArn").map(|role| pass(role, "logs.amazonaws.com")));
    asks
}

fn cloudwatch(call: &Call) -> Vec<Ask> {
    let action = format!("cloudwatch:{}", call.operation);
    let alarms = ["AlarmName", "AlarmNames"].into_iter().flat_map(|member| texts(call, member));
    let alarms = alarms.map(|name| arn(call, "cloudwatch", &format!("alarm:{name}")));
    let dashboards = ["DashboardName", "DashboardNames"].into_iter().flat_map(|member| texts(call, member));
    let dashboards = dashboards.map(|name| global(call, "cloudwatch", &format!("dashboard/{name}")));
    let rules = ["RuleName", "RuleNames"].into_iter().flat_map(|member| texts(call, member));
    let rules = rules.map(|name| arn(call, "cloudwatch", &format!("insight-rule/{name}")));
    let named = call.text("ResourceARN");
    let mut resources: Vec<String> = alarms.chain(dashboards).chain(rules).chain(named).collect();
    if resources.is_empty() {
        resources.push(match call.operation.as_str() {
            "DescribeAlarms" => arn(call, "cloudwatch", "alarm:*"),
            _ => ANY.to_owned(),
        });
    }
    let tags = call.operation.starts_with("Put") && has(call, "Tags");
    let tagged: Vec<Ask> =
        resources.iter().filter(|_| tags).map(|it| ask("cloudwatch:TagResource", it.as_str())).collect();
    resources.into_iter().map(|it| ask(action.as_str(), it)).chain(tagged).collect()
}

fn wafv2(call: &Call) -> Vec<Ask> {
    let operation = call.operation.as_str();
    let scope = if call.text("Scope").as_deref() == Some("CLOUDFRONT") { "global" } else { "regional" };
    let kinds =
        [("RegexPatternSet", "regexpatternset"), ("RuleGroup", "rulegroup"), ("IPSet", "ipset"), ("WebACL", "webacl")];
    let kind = kinds.iter().find(|(word, _)| operation.contains(word)).map_or("webacl", |(_, kind)| kind);
    let named = call.text("Name").map(|name| {
        arn(call, "wafv2", &format!("{scope}/{kind}/{name}/{}", call.text("Id").as_deref().unwrap_or(NEW)))
    });
    let configured = call.input("LoggingConfiguration").and_then(|it| it["ResourceArn"].as_str().map(str::to_owned));
    let given = ["WebACLArn", "ResourceARN", "ResourceArn", "ARN"].into_iter().find_map(|member| call.text(member));
    let resource = named.or(configured).or(given).unwrap_or(ANY.to_owned());
    let mut asks = vec![ask(format!("wafv2:{operation}"), resource.as_str())];
    match operation {
        "CreateWebACL" | "UpdateWebACL" | "CreateRuleGroup" | "UpdateRuleGroup" => {
            let mut used = Vec::new();
            referred(call, &call.input("Rules").unwrap_or_default(), scope, &mut used);
            asks.extend(used.into_iter().map(|it| ask(format!("wafv2:{operation}"), it)));
        }
        "AssociateWebACL" => {
            let stage = call.text("ResourceArn").unwrap_or_default();
            asks.extend([ask("wafv2:AssociateWebACL", stage.as_str()), ask("apigateway:SetWebACL", stage)]);
        }
        "DisassociateWebACL" => asks.push(ask("apigateway:SetWebACL", resource.as_str())),
        // "Permissions for sending logs to CloudWatch Logs" (AWS WAF Developer Guide).
        "PutLoggingConfiguration" => {
            let beside = ["CreateLogDelivery", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"];
            asks.extend(beside.iter().map(|it| ask(format!("logs:{it}"), ANY)));
            let role = "role/aws-service-role/wafv2.amazonaws.com/AWSServiceRoleForWAFV2Logging";
            asks.push(ask("iam:CreateServiceLinkedRole", global(call, "iam", role)));
        }
        "DeleteLoggingConfiguration" => asks.push(ask("logs:DeleteLogDelivery", ANY)),
        _ => {}
    }
    if operation.starts_with("Create") && has(call, "Tags") {
        asks.push(ask("wafv2:TagResource", resource));
    }
    asks
}

/// What rules refer to, at any depth.
fn referred(call: &Call, value: &Value, scope: &str, used: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name.ends_with("ReferenceStatement") {
                    used.extend(value["ARN"].as_str().map(str::to_owned));
                }
                if let ("ManagedRuleGroupStatement", Some(group)) = (name.as_str(), value["Name"].as_str()) {
                    used.push(arn(call, "wafv2", &format!("{scope}/managedruleset/{group}/{NEW}")));
                }
                referred(call, value, scope, used);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| referred(call, item, scope, used)),
        _ => {}
    }
}

/// Actions are the verbs of HTTP and resources are paths ("Control access for invoking an API", "Actions, resources, and
/// condition keys for Amazon API Gateway Management").
fn api_gateway(call: &Call) -> Vec<Ask> {
    let path = call.request.target.split('?').next().unwrap_or_default();
    let arn_of = |path: &str| format!("arn:aws:apigateway:{}::{path}", call.region);
    let mut asks = vec![ask(format!("apigateway:{}", call.request.method), arn_of(path))];
    if has(call, "tags") && call.operation.starts_with("Create") {
        let tagged = arn_of(&format!("{path}/new"));
        let tagged = utf8_percent_encode(&tagged, NON_ALPHANUMERIC);
        asks.push(ask("apigateway:PUT", arn_of(&format!("/tags/{tagged}"))));
    }
    let patches = call.input("patchOperations").unwrap_or_default();
    let patched = |path: &str| patches.as_array()?.iter().find(|it| it["path"] == path)?["value"].as_str();
    let roles = ["/cloudwatchRoleArn", "/credentials", "/authorizerCredentials"].into_iter().filter_map(patched);
    let given = ["credentials", "authorizerCredentials"].into_iter().filter_map(|member| call.text(member));
    let roles = roles.map(str::to_owned).chain(given).filter(|role| role.starts_with("arn:aws:iam::"));
    asks.extend(roles.map(|role| pass(role, "apigateway.amazonaws.com")));
    if patched("/policy").is_some() || call.operation == "CreateRestApi" && has(call, "policy") {
        asks.push(ask("apigateway:UpdateRestApiPolicy", arn_of(path)));
    }
    asks
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::{Headers, Request};

    fn call(service: &str, method: &str, target: &str, header: (&str, &str), body: &[u8]) -> Call {
        let mut headers = Headers::default();
        let scope = format!("AWS4-HMAC-SHA256 Credential=1/20261125/us-east-1/{service}/aws4_request, Sig=x");
        headers.set("authorization", scope);
        headers.set(header.0, header.1);
        Call::read(1, Request { method: method.into(), target: target.into(), headers, body: body.to_vec() })
    }

    fn asked(call: &Call) -> Vec<String> {
        of(call, &BTreeMap::new()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_call_asks_for_its_action_on_its_resource_and_for_what_it_does_beside() {
        let body = json!({"FunctionName": "pay", "Role": "arn:aws:iam::1:role/pay", "Layers": ["arn:l:1"], "Tags": {"a": "b"}});
        let create = call("lambda", "POST", "/2015-03-31/functions", ("a", "b"), body.to_string().as_bytes());
        let function = "arn:aws:lambda:us-east-1:1:function:pay";
        assert_eq!(
            asked(&create),
            [
                format!("lambda:CreateFunction on {function}"),
                "iam:PassRole on arn:aws:iam::1:role/pay".to_owned(),
                "lambda:GetLayerVersion on arn:l:1".to_owned(),
                format!("lambda:TagResource on {function}"),
            ]
        );
        let alarms = "/service/GraniteServiceVersion20100801/operation/DeleteAlarms";
        let cbor = ("smithy-protocol", "rpc-v2-cbor");
        let delete = call("monitoring", "POST", alarms, cbor, b"\xa1\x6aAlarmNames\x81\x63dlq");
        assert_eq!(asked(&delete), ["cloudwatch:DeleteAlarms on arn:aws:cloudwatch:us-east-1:1:alarm:dlq"]);
        let stage = call("apigateway", "PATCH", "/restapis/abc/stages/v1?x=y", ("a", "b"), b"{}");
        assert_eq!(asked(&stage), ["apigateway:PATCH on arn:aws:apigateway:us-east-1::/restapis/abc/stages/v1"]);
    }

    #[test]
    fn an_entity_of_iam_is_known_by_the_path_that_it_was_made_with() {
        let new = call("iam", "POST", "/", ("a", "b"), b"Action=CreateRole&RoleName=pay&Path=%2Fapp%2F");
        let paths = BTreeMap::from_iter(path_of_new(&new));
        let get = call("iam", "POST", "/", ("a", "b"), b"Action=GetRole&RoleName=pay");
        assert_eq!(of(&get, &paths)[0].to_string(), "iam:GetRole on arn:aws:iam::1:role/app/pay");
    }
}
