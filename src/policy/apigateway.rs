//! Rules for what the internet reaches.

use super::methods::{METHODS, Method, URL, Validation, methods_of};
use super::{Breach, Level, On, Rule, Stack, broken, broken_at, unless};
use crate::property_path::PropertyPath;
use crate::resolved::Subject;

/// An API with one method and one stage.
macro_rules! api {
    (method: $method:literal, stage: $stage:literal $(, $more:literal)*) => {
        concat!(
            "
Api: { Type: AWS::ApiGateway::RestApi, Properties: { Name: pay-dev } }
Orders: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: orders } }
Body: { Type: AWS::ApiGateway::RequestValidator, Properties: { RestApiId: !Ref Api, Name: body, ValidateRequestBody: true } }
PostOrders:
  Type: AWS::ApiGateway::Method
  Properties: { RestApiId: !Ref Api, ResourceId: !Ref Orders, HttpMethod: POST, AuthorizationType: NONE, Integration: { Type: MOCK }, ",
            $method,
            " }
Deployment: { Type: AWS::ApiGateway::Deployment, DependsOn: PostOrders, Properties: { RestApiId: !Ref Api } }
Stage:
  Type: AWS::ApiGateway::Stage
  Properties: { RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: dev, ",
            $stage,
            " }",
            $("\n", $more,)*
        )
    };
}

const PLAIN: &str = api!(method: "OperationName: Post", stage: "Description: Orders");

pub const RULES: &[Rule] = &[
    Rule {
        id: "method-api-key",
        level: Level::Mandatory,
        demand: "Every method and every function's address asks for an API key, or for another proof of who calls",
        reason: "a method that anybody may call is limited for everybody together only (PCI DSS 8.3)",
        fix: "set `ApiKeyRequired: true`, or an authorizer; of a function's address, `AuthType: AWS_IAM`",
        on: On::Types(&[METHODS, &[URL]]),
        breaches: api_key,
        kept_by: api!(method: "ApiKeyRequired: true", stage: "Description: Orders"),
        broken_by: PLAIN,
    },
    Rule {
        id: "method-validation",
        level: Level::Mandatory,
        demand: "Every method that takes a body has it validated",
        reason: "what does not fit is refused before it costs a run, or reaches code (PCI DSS 6.2.4)",
        fix: "set `RequestValidatorId` to a validator with `ValidateRequestBody: true`, and `RequestModels`",
        on: On::Types(&[METHODS]),
        breaches: validation,
        kept_by: api!(method: "RequestValidatorId: !Ref Body", stage: "Description: Orders"),
        broken_by: PLAIN,
    },
    Rule {
        id: "stage-throttling",
        level: Level::Mandatory,
        demand: "Every stage limits how much it takes",
        reason: "without it one caller can use up what the account may send to all of its APIs",
        fix: "set `ThrottlingRateLimit` and `ThrottlingBurstLimit` in `MethodSettings` for `/*` and `*`",
        on: On::Type(STAGE),
        breaches: throttling,
        kept_by: api!(
            method: "OperationName: Post",
            stage: "MethodSettings: [{ ResourcePath: '/*', HttpMethod: '*', ThrottlingRateLimit: 100, ThrottlingBurstLimit: 50 }]"
        ),
        broken_by: PLAIN,
    },
    Rule {
        id: "stage-access-logs",
        level: Level::Mandatory,
        demand: "Every stage logs who calls it",
        reason: "an incident is followed by its requests (PCI DSS 10.2)",
        fix: "set `AccessLogSetting` with `DestinationArn` and `Format`",
        on: On::Type(STAGE),
        breaches: access_logs,
        kept_by: api!(
            method: "OperationName: Post",
            stage: "AccessLogSetting: { DestinationArn: 'arn:aws:logs:us-east-1:123456789012:log-group:pay-dev', Format: $context.requestId }"
        ),
        broken_by: PLAIN,
    },
    Rule {
        id: "stage-tracing",
        level: Level::Mandatory,
        demand: "Every stage is traced",
        reason: "a trace that begins at the function lacks the wait before it",
        fix: "set `TracingEnabled: true`",
        on: On::Type(STAGE),
        breaches: tracing,
        kept_by: api!(method: "OperationName: Post", stage: "TracingEnabled: true"),
        broken_by: PLAIN,
    },
    Rule {
        id: "stage-waf",
        level: Level::Mandatory,
        demand: "Every stage has a firewall in front of it",
        reason: "public web applications are protected automatically (PCI DSS 6.4.2)",
        fix: "declare an `AWS::WAFv2::WebACLAssociation` with the stage's ARN",
        on: On::Type(STAGE),
        breaches: firewall,
        kept_by: api!(
            method: "OperationName: Post",
            stage: "Description: Orders",
            "
Firewall:
  Type: AWS::WAFv2::WebACLAssociation
  Properties:
    ResourceArn: !Sub arn:aws:apigateway:${AWS::Region}::/restapis/${Api}/stages/${Stage}
    WebACLArn: arn:aws:wafv2:us-east-1:123456789012:regional/webacl/pay-dev/11111111-2222-3333-4444-555555555555"
        ),
        broken_by: PLAIN,
    },
    Rule {
        id: "usage-plan-throttle",
        level: Level::Mandatory,
        demand: "Every usage plan limits what one key may send",
        reason: "otherwise one provider's mistake uses up what all of them share",
        fix: "set `Throttle` with `RateLimit` and `BurstLimit`",
        on: On::Type("AWS::ApiGateway::UsagePlan"),
        breaches: plan_throttle,
        kept_by: "Plan: { Type: AWS::ApiGateway::UsagePlan, Properties: { Throttle: { RateLimit: 100, BurstLimit: 50 } } }",
        broken_by: "Plan: { Type: AWS::ApiGateway::UsagePlan, Properties: { Description: Orders } }",
    },
];

const STAGE: &str = "AWS::ApiGateway::Stage";

fn api_key(subject: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    if subject.resource_type() == URL {
        let asks = subject.properties["AuthType"] != "NONE";
        return unless(asks, || broken_at("AuthType", "lets anybody call the function"));
    }
    // A browser sends the request before the request without any proof.
    let is_open = |method: &Method<'_>| !method.asks_for_key && !method.asks_who_calls() && method.verb != "OPTIONS";
    let open = methods_of(subject).into_iter().filter(is_open);
    open.map(|method| breach(&method, "ApiKeyRequired", "asks for no API key")).collect()
}

fn validation(subject: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let takes_a_body = |method: &Method<'_>| ["POST", "PUT", "PATCH", "ANY"].contains(&method.verb.as_str());
    let validates = |method: &Method<'_>| match method.validation {
        Validation::Named { by: _, looks_at_bodies } => looks_at_bodies,
        Validation::By(validator) => {
            let mut declared = stack.of_type("AWS::ApiGateway::RequestValidator").filter(|it| it.is_among(validator));
            match declared.next() {
                Some(it) => it.properties["ValidateRequestBody"] == true,
                // One of another stack: what it does is not to be seen here.
                None => !validator.is_null(),
            }
        }
    };
    let unseen = methods_of(subject).into_iter().filter(|method| takes_a_body(method) && !validates(method));
    unseen
        .map(|method| {
            let what = format!("takes a body ({}) that nothing validates", method.verb);
            breach(&method, "RequestValidatorId", &what)
        })
        .collect()
}

/// At a method's property, or at its operation in a document.
fn breach(method: &Method<'_>, property: &str, what: &str) -> Breach {
    match method.path {
        None => Breach { at: PropertyPath::of(property), what: what.to_owned() },
        Some(path) => Breach { at: method.at.clone(), what: format!("{what} at `{} {path}`", method.verb) },
    }
}

fn throttling(stage: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let settings = stage.declared["MethodSettings"].as_array();
    let limits = settings.into_iter().flatten().any(|setting| {
        setting["HttpMethod"] == "*"
            && setting["ResourcePath"].as_str().is_some_and(|path| path == "/*" || path == "*")
            && !setting["ThrottlingRateLimit"].is_null()
            && !setting["ThrottlingBurstLimit"].is_null()
    });
    unless(limits, || broken_at("MethodSettings", "has no limit of its own on what it takes"))
}

fn access_logs(stage: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let logs = !stage.properties["AccessLogSetting"]["DestinationArn"].is_null();
    unless(logs, || broken_at("AccessLogSetting", "has no access logs"))
}

fn tracing(stage: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    unless(stage.properties["TracingEnabled"] == true, || broken_at("TracingEnabled", "is not traced"))
}

fn firewall(stage: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let text = |property: &str| stage.properties[property].as_str().unwrap_or_default();
    let arn = plain(&format!("/restapis/{}/stages/{}", text("RestApiId"), text("StageName")));
    let is_guarded = stack
        .of_type("AWS::WAFv2::WebACLAssociation")
        .any(|association| association.properties["ResourceArn"].as_str().is_some_and(|it| plain(it).ends_with(&arn)));
    unless(is_guarded, || broken("has no firewall in front of it"))
}

/// `Ref` and `RestApiId` of an API are one id.
fn plain(text: &str) -> String {
    text.replace(&format!(".RestApiId{}", crate::unknown::MARK), &format!(".Ref{}", crate::unknown::MARK))
}

fn plan_throttle(plan: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let rate = plan.properties["Throttle"]["RateLimit"].as_f64().unwrap_or_default();
    unless(rate > 0.0, || broken_at("Throttle", "has no limit for a key"))
}
