//! Random templates, of resources that refer to each other in every way that has gone wrong somewhere.

use std::fmt;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A random template, as JSON.
#[derive(Clone, PartialEq)]
pub struct Template(pub Map<String, Value>);

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Template {
    pub fn text(&self) -> String {
        format!("{:#}", json!({ "Resources": self.0 }))
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The same template with its resources in another order.
    pub fn reversed(&self) -> String {
        let resources = self.0.iter().rev();
        let resources: Vec<String> = resources.map(|(id, resource)| format!("{}: {resource}", json!(id))).collect();
        format!("{{\"Resources\": {{{}}}}}", resources.join(", "))
    }
}

/// What decides how one resource looks.
type Dice = [u8; 4];

/// A resource that a template may have: its properties from its dice, or nothing where what it needs is not there.
type Slot = (&'static str, fn(&Present, Dice) -> Option<Value>);

const SLOTS: &[Slot] = &[
    ("QueueA", |present, dice| Some(queue(present, "QueueA", dice))),
    ("QueueB", |present, dice| Some(queue(present, "QueueB", dice))),
    ("QueueC", |present, dice| Some(queue(present, "QueueC", dice))),
    ("OldId", |present, dice| (!present.has("NewId")).then(|| named_queue(dice))),
    ("NewId", |_, dice| Some(named_queue(dice))),
    ("Shape", shape),
    ("QueuePolicy", queue_policy),
    ("Topic", |_, dice| {
        Some(resource("AWS::SNS::Topic", json!({"TopicName": version("topic", dice[0]), "DisplayName": text(dice[1])})))
    }),
    ("Subscription", subscription),
    ("Layer", |_, dice| {
        let properties = json!({"LayerName": version("layer", dice[0]), "Content": text(dice[1])});
        Some(resource("AWS::Lambda::LayerVersion", properties))
    }),
    ("Role", role),
    ("Policy", role_policy),
    ("ManagedPolicy", |_, dice| {
        let document =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]});
        let properties = json!({"ManagedPolicyName": version("policy", dice[0]), "PolicyDocument": document});
        Some(resource("AWS::IAM::ManagedPolicy", properties))
    }),
    ("Table", |_, dice| {
        let key = ["id", "key"][usize::from(dice[1]) % 2];
        let properties = json!({
            "TableName": version("table", dice[0]),
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        });
        Some(resource("AWS::DynamoDB::Table", properties))
    }),
    ("FunctionA", |present, dice| Some(function(present, "FunctionA", dice))),
    ("FunctionB", |present, dice| Some(function(present, "FunctionB", dice))),
    ("LogGroup", |_, dice| {
        let name = format!("/aws/lambda/{}", version("FunctionA", dice[0]));
        Some(resource("AWS::Logs::LogGroup", json!({"LogGroupName": name, "RetentionInDays": 7})))
    }),
    ("MetricFilter", metric_filter),
    ("Permission", permission),
    ("Mapping", mapping),
    ("Api", |present, dice| {
        Some(with_shape(present, dice, resource("AWS::ApiGateway::RestApi", json!({"Name": text(dice[0])}))))
    }),
    ("ResourceA", |present, dice| path_resource(present, dice, "Fn::GetAtt", "a")),
    ("ResourceB", |present, dice| {
        let parent = if dice[1].is_multiple_of(2) && present.has("ResourceA") { "Ref" } else { "Fn::GetAtt" };
        path_resource(present, dice, parent, "b")
    }),
    ("Validator", |present, dice| {
        present.has("Api").then(|| {
            let properties = json!({"RestApiId": reference("Api"), "ValidateRequestBody": dice[0].is_multiple_of(2)});
            resource("AWS::ApiGateway::RequestValidator", properties)
        })
    }),
    ("MethodA", |present, dice| method(present, "ResourceA", dice)),
    ("MethodB", |present, dice| method(present, "ResourceB", dice)),
    ("DeploymentOne", deployment),
    ("DeploymentTwo", deployment),
    ("Stage", stage),
    ("Plan", usage_plan),
    ("Key", |_, dice| {
        Some(resource(
            "AWS::ApiGateway::ApiKey",
            json!({"Name": version("key", dice[0]), "Enabled": dice[1].is_multiple_of(2)}),
        ))
    }),
    ("PlanKey", |present, _| {
        (present.has("Plan") && present.has("Key")).then(|| {
            let properties = json!({"KeyId": reference("Key"), "KeyType": "API_KEY", "UsagePlanId": reference("Plan")});
            resource("AWS::ApiGateway::UsagePlanKey", properties)
        })
    }),
    ("Acl", |_, dice| Some(web_acl(dice))),
    ("Association", association),
];

/// Templates with each of the resources or without it.
pub fn templates() -> impl Strategy<Value = Template> {
    let dice = prop::option::weighted(0.5, prop::array::uniform4(0..12_u8));
    (prop::collection::vec(dice, SLOTS.len()), any::<bool>()).prop_map(|(dice, is_forward)| {
        let ids = SLOTS.iter().zip(&dice).filter(|(_, dice)| dice.is_some()).map(|((id, _), _)| *id).collect();
        let mut present = Present { ids, is_forward };
        // What turns out to lack something it needs takes those along that need it.
        loop {
            let made: Map<String, Value> = SLOTS
                .iter()
                .zip(&dice)
                .filter(|((id, _), _)| present.has(id))
                .filter_map(|((id, make), dice)| Some(((*id).to_owned(), make(&present, (*dice)?)?)))
                .collect();
            if made.len() == present.ids.len() {
                return Template(made);
            }
            present.ids.retain(|id| made.contains_key(*id));
        }
    })
}

/// Which resources a template has.
struct Present {
    ids: Vec<&'static str>,
    /// Which way queues refer to each other: another template may turn it round.
    is_forward: bool,
}

impl Present {
    fn has(&self, id: &str) -> bool {
        self.ids.contains(&id)
    }
}

fn resource(resource_type: &str, properties: Value) -> Value {
    json!({"Type": resource_type, "Properties": properties})
}

fn reference(id: &str) -> Value {
    json!({ "Ref": id })
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

/// Lets a resource wait for another that may be of another type in the next template.
fn with_shape(present: &Present, dice: Dice, mut resource: Value) -> Value {
    if dice[3].is_multiple_of(3) && present.has("Shape") {
        resource["DependsOn"] = json!("Shape");
    }
    resource
}

fn queue(present: &Present, id: &str, dice: Dice) -> Value {
    const RING: [&str; 3] = ["QueueA", "QueueB", "QueueC"];
    let mut properties = json!({"DelaySeconds": dice[1] % 2});
    if !dice[0].is_multiple_of(3) {
        properties["QueueName"] = json!(version(id, dice[0]));
    }
    let place = RING.iter().position(|it| *it == id).unwrap_or_default();
    let next = if present.is_forward { place.checked_add(1) } else { place.checked_sub(1) };
    let next = next.and_then(|next| RING.get(next)).filter(|next| present.has(next));
    if let Some(next) = next.filter(|_| dice[2].is_multiple_of(2)) {
        properties["RedrivePolicy"] = json!({"deadLetterTargetArn": attribute(next, "Arn"), "maxReceiveCount": 3});
    }
    resource("AWS::SQS::Queue", properties)
}

/// Stands under one logical id or another, with the same name.
fn named_queue(dice: Dice) -> Value {
    resource("AWS::SQS::Queue", json!({"QueueName": "named", "DelaySeconds": dice[0] % 2}))
}

/// Is now of one type, now of another.
fn shape(present: &Present, dice: Dice) -> Option<Value> {
    let mut shape = match dice[0] % 3 {
        0 => resource("AWS::SQS::Queue", json!({"QueueName": version("shape", dice[1])})),
        1 => resource("AWS::SNS::Topic", json!({"TopicName": version("shape", dice[1])})),
        _ => resource("AWS::ApiGateway::ApiKey", json!({"Name": version("shape", dice[1])})),
    };
    if dice[2].is_multiple_of(2) && present.has("QueueA") {
        shape["DependsOn"] = json!("QueueA");
    }
    Some(shape)
}

fn statement(resource: &Value, action: &str) -> Value {
    let statement = json!({"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource});
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

fn queue_policy(present: &Present, dice: Dice) -> Option<Value> {
    let action = if dice[0].is_multiple_of(2) { "sqs:SendMessage" } else { "sqs:ReceiveMessage" };
    let document = statement(&attribute("QueueA", "Arn"), action);
    let properties = json!({"Queues": [reference("QueueA")], "PolicyDocument": document});
    present.has("QueueA").then(|| resource("AWS::SQS::QueuePolicy", properties))
}

fn subscription(present: &Present, dice: Dice) -> Option<Value> {
    let queue = if dice[0].is_multiple_of(2) { "QueueA" } else { "QueueB" };
    let properties = json!({
        "TopicArn": reference("Topic"),
        "Protocol": "sqs",
        "Endpoint": attribute(queue, "Arn"),
        "RawMessageDelivery": dice[1].is_multiple_of(2),
    });
    (present.has("Topic") && present.has(queue)).then(|| resource("AWS::SNS::Subscription", properties))
}

fn role(present: &Present, dice: Dice) -> Option<Value> {
    let service = json!({"Service": "lambda.amazonaws.com"});
    let statement = json!({"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"});
    let mut properties = json!({
        "RoleName": version("role", dice[0]),
        "Path": if dice[1].is_multiple_of(3) { "/orders/" } else { "/" },
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    });
    if present.has("ManagedPolicy") && dice[2].is_multiple_of(2) {
        properties["ManagedPolicyArns"] = json!([reference("ManagedPolicy")]);
    }
    Some(resource("AWS::IAM::Role", properties))
}

fn role_policy(present: &Present, dice: Dice) -> Option<Value> {
    let resource_arn = if present.has("QueueA") { attribute("QueueA", "Arn") } else { json!("*") };
    let statement = json!({"Effect": "Allow", "Action": "sqs:*", "Resource": resource_arn});
    let properties = json!({
        "PolicyName": version("inline", dice[0]),
        "Roles": [reference("Role")],
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    });
    present.has("Role").then(|| resource("AWS::IAM::Policy", properties))
}

fn function(present: &Present, id: &str, dice: Dice) -> Value {
    let mut properties = json!({
        "FunctionName": version(id, dice[0]),
        "Role": "arn:aws:iam::123456789012:role/anybody",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Code": {"ZipFile": text(dice[1])},
    });
    if present.has("Role") {
        properties["Role"] = attribute("Role", "Arn");
    }
    let target = ["QueueA", "OldId", "NewId", "Api", "Table"][usize::from(dice[2]) % 5];
    if present.has(target) {
        properties["Environment"] = json!({"Variables": {"TARGET": reference(target)}});
    }
    if present.has("Layer") && dice[2].is_multiple_of(3) {
        properties["Layers"] = json!([reference("Layer")]);
    }
    with_shape(present, dice, resource("AWS::Lambda::Function", properties))
}

fn metric_filter(present: &Present, dice: Dice) -> Option<Value> {
    let transformation =
        json!({"MetricName": "errors", "MetricNamespace": "orders", "MetricValue": format!("{}", dice[0] % 2)});
    let properties = json!({
        "LogGroupName": reference("LogGroup"),
        "FilterPattern": "ERROR",
        "MetricTransformations": [transformation],
    });
    present.has("LogGroup").then(|| resource("AWS::Logs::MetricFilter", properties))
}

fn permission(present: &Present, dice: Dice) -> Option<Value> {
    let function = if dice[0].is_multiple_of(2) { "FunctionA" } else { "FunctionB" };
    let principal = if dice[1].is_multiple_of(2) { "sns.amazonaws.com" } else { "apigateway.amazonaws.com" };
    let properties =
        json!({"FunctionName": reference(function), "Action": "lambda:InvokeFunction", "Principal": principal});
    present.has(function).then(|| resource("AWS::Lambda::Permission", properties))
}

fn mapping(present: &Present, dice: Dice) -> Option<Value> {
    let function = if dice[0].is_multiple_of(2) { "FunctionA" } else { "FunctionB" };
    let queue = if dice[1].is_multiple_of(2) { "QueueB" } else { "QueueC" };
    let properties = json!({"FunctionName": reference(function), "EventSourceArn": attribute(queue, "Arn"), "BatchSize": 1 + dice[2] % 2});
    (present.has(function) && present.has(queue)).then(|| resource("AWS::Lambda::EventSourceMapping", properties))
}

fn path_resource(present: &Present, dice: Dice, parent: &str, part: &str) -> Option<Value> {
    let parent = if parent == "Ref" { reference("ResourceA") } else { attribute("Api", "RootResourceId") };
    let properties =
        json!({"RestApiId": reference("Api"), "ParentId": parent, "PathPart": format!("{part}{}", dice[0] % 2)});
    present.has("Api").then(|| resource("AWS::ApiGateway::Resource", properties))
}

fn method(present: &Present, place: &str, dice: Dice) -> Option<Value> {
    let mut properties = json!({
        "RestApiId": reference("Api"),
        "ResourceId": reference(place),
        "HttpMethod": if dice[0].is_multiple_of(3) { "GET" } else { "POST" },
        "AuthorizationType": "NONE",
        "ApiKeyRequired": dice[1].is_multiple_of(2),
        "Integration": {"Type": "MOCK"},
    });
    if dice[2].is_multiple_of(2) && present.has("Validator") {
        properties["RequestValidatorId"] = reference("Validator");
    }
    let method = resource("AWS::ApiGateway::Method", properties);
    (present.has("Api") && present.has(place)).then(|| with_shape(present, dice, method))
}

fn deployment(present: &Present, dice: Dice) -> Option<Value> {
    let properties = json!({"RestApiId": reference("Api"), "Description": text(dice[0])});
    present.has("Api").then(|| resource("AWS::ApiGateway::Deployment", properties))
}

fn stage(present: &Present, dice: Dice) -> Option<Value> {
    let wished = if dice[0].is_multiple_of(2) { "DeploymentOne" } else { "DeploymentTwo" };
    let deployment = [wished, "DeploymentOne", "DeploymentTwo"].into_iter().find(|it| present.has(it))?;
    let properties = json!({
        "RestApiId": reference("Api"),
        "DeploymentId": reference(deployment),
        "StageName": format!("v{}", dice[1] % 2),
        "Variables": {"text": text(dice[2])},
    });
    present.has("Api").then(|| with_shape(present, dice, resource("AWS::ApiGateway::Stage", properties)))
}

fn usage_plan(present: &Present, dice: Dice) -> Option<Value> {
    let mut properties = json!({"UsagePlanName": text(dice[0])});
    if present.has("Stage") && dice[1].is_multiple_of(2) {
        properties["ApiStages"] = json!([{"ApiId": reference("Api"), "Stage": reference("Stage")}]);
    }
    Some(resource("AWS::ApiGateway::UsagePlan", properties))
}

fn web_acl(dice: Dice) -> Value {
    let visibility = json!({"CloudWatchMetricsEnabled": false, "MetricName": "acl", "SampledRequestsEnabled": false});
    let properties = json!({
        "Name": version("acl", dice[0]),
        "Scope": "REGIONAL",
        "Description": text(dice[1]),
        "DefaultAction": {"Allow": {}},
        "VisibilityConfig": visibility,
    });
    resource("AWS::WAFv2::WebACL", properties)
}

fn association(present: &Present, _dice: Dice) -> Option<Value> {
    let stage = json!({"Fn::Sub": "arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/${Stage}"});
    let properties = json!({"ResourceArn": stage, "WebACLArn": attribute("Acl", "Arn")});
    let is_whole = present.has("Stage") && present.has("Acl");
    is_whole.then(|| resource("AWS::WAFv2::WebACLAssociation", properties))
}
