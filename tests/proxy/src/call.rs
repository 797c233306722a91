//! What a request asks of which service, read off the wire as the service itself would.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::cbor;
use crate::http::Request;

/// One call of an AWS API.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its place among all calls that came through, from 1.
    pub number: usize,
    pub service: Service,
    /// `CreateQueue`.
    pub operation: String,
    /// The access key, which is the account at an emulator.
    pub account: String,
    pub region: String,
    pub request: Request,
    /// What stands in the path of a REST call, by the names of its API model.
    path: BTreeMap<&'static str, String>,
}

/// A service, by the name that requests are signed for, and with its protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    ApiGateway,
    CloudWatch,
    DynamoDb,
    Iam,
    Lambda,
    Logs,
    Sns,
    Sqs,
    Sts,
    Tagging,
    Wafv2,
    Other,
}

impl Service {
    fn signed_for(name: &str) -> Self {
        match name {
            "apigateway" => Self::ApiGateway,
            "monitoring" => Self::CloudWatch,
            "dynamodb" => Self::DynamoDb,
            "iam" => Self::Iam,
            "lambda" => Self::Lambda,
            "logs" => Self::Logs,
            "sns" => Self::Sns,
            "sqs" => Self::Sqs,
            "sts" => Self::Sts,
            "tagging" => Self::Tagging,
            "wafv2" => Self::Wafv2,
            _ => Self::Other,
        }
    }

    /// The name that paystack uses in its messages: `lambda`, `logs`.
    pub fn word(self) -> &'static str {
        match self {
            Self::ApiGateway => "apigateway",
            Self::CloudWatch => "cloudwatch",
            Self::DynamoDb => "dynamodb",
            Self::Iam => "iam",
            Self::Lambda => "lambda",
            Self::Logs => "logs",
            Self::Sns => "sns",
            Self::Sqs => "sqs",
            Self::Sts => "sts",
            Self::Tagging => "tagging",
            Self::Wafv2 => "wafv2",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Call {
    /// Reads a request. What is no signed call of a service that is known here has the service `Other`.
    pub fn read(number: usize, request: Request) -> Self {
        let scope = scope(&request).unwrap_or_default();
        let service = Service::signed_for(&scope.service);
        let (operation, path) = operation(service, &request);
        Self { number, service, operation, account: scope.account, region: scope.region, request, path }
    }

    /// `sqs.CreateQueue`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.service, self.operation)
    }

    /// Whether this is the operation: `call.is(Service::Sqs, "CreateQueue")`.
    pub fn is(&self, service: Service, operation: &str) -> bool {
        self.service == service && self.operation == operation
    }

    /// A member of the input, of the first level: from the path, a body in JSON or CBOR, or a form. `None` for what is not
    /// there.
    pub fn input(&self, member: &str) -> Option<Value> {
        if let Some(value) = self.path.get(member) {
            return Some(Value::from(value.as_str()));
        }
        if let Some(fields) = self.json().as_ref().and_then(Value::as_object) {
            return fields.get(member).cloned();
        }
        self.form().find(|(name, _)| name == member).map(|(_, value)| Value::from(value))
    }

    /// A member of the input that is a text.
    pub fn text(&self, member: &str) -> Option<String> {
        Some(self.input(member)?.as_str()?.to_owned())
    }

    /// The body, where it is JSON or CBOR.
    pub fn json(&self) -> Option<Value> {
        match self.request.headers.get("smithy-protocol") {
            Some("rpc-v2-cbor") => cbor::json(&self.request.body),
            _ => serde_json::from_slice(&self.request.body).ok(),
        }
    }

    fn form(&self) -> impl Iterator<Item = (String, String)> {
        let body = String::from_utf8_lossy(&self.request.body).replace('+', " ");
        let pairs: Vec<_> = body.split('&').filter_map(|pair| pair.split_once('=')).map(decoded).collect();
        pairs.into_iter()
    }
}

fn decoded((name, value): (&str, &str)) -> (String, String) {
    (decode(name), decode(value))
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[derive(Debug, Default)]
struct Scope {
    account: String,
    region: String,
    service: String,
}

/// What a signature is for: `Credential=AKID/20261125/us-east-1/sqs/aws4_request`.
fn scope(request: &Request) -> Option<Scope> {
    let authorization = request.headers.get("Authorization")?;
    let credential = authorization.split_once("Credential=")?.1.split([',', ' ']).next()?;
    let mut parts = credential.split('/').map(str::to_owned);
    let (account, _date) = (parts.next()?, parts.next()?);
    Some(Scope { account, region: parts.next()?, service: parts.next()? })
}

/// The operation, and what stands in the path.
fn operation(service: Service, request: &Request) -> (String, BTreeMap<&'static str, String>) {
    let path = request.target.split('?').next().unwrap_or_default();
    let named = match service {
        // AWS JSON: `AmazonSQS.CreateQueue`.
        Service::DynamoDb | Service::Logs | Service::Sqs | Service::Tagging | Service::Wafv2 => {
            request.headers.get("X-Amz-Target").and_then(|target| target.rsplit('.').next()).map(str::to_owned)
        }
        // AWS query: `Action=CreateTopic`.
        Service::Iam | Service::Sns | Service::Sts => {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            body.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(str::to_owned)
        }
        // Smithy RPC v2: `/service/GraniteServiceVersion20100801/operation/PutMetricAlarm`; JSON as boto3 speaks it.
        Service::CloudWatch => {
            let target = request.headers.get("X-Amz-Target").and_then(|target| target.rsplit('.').next());
            path.rsplit_once("/operation/").map(|(_, operation)| operation).or(target).map(str::to_owned)
        }
        Service::ApiGateway | Service::Lambda => {
            // Two operations of Lambda share a path.
            if request.target.contains("?find=LayerVersion") {
                return ("GetLayerVersionByArn".to_owned(), BTreeMap::new());
            }
            let Some(route) = ROUTES.iter().find_map(|route| route.matches(service, request, path)) else {
                return (format!("{} {path}", request.method), BTreeMap::new());
            };
            return route;
        }
        Service::Other => None,
    };
    (named.unwrap_or_else(|| format!("{} {path}", request.method)), BTreeMap::new())
}

struct Route {
    service: &'static str,
    method: &'static str,
    segments: Vec<&'static str>,
    operation: &'static str,
}

static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let lines = include_str!("routes.txt").lines().filter(|line| !line.starts_with('#'));
    let mut routes: Vec<Route> = lines.filter_map(Route::parse).collect();
    // What is written out goes before what stands for anything.
    routes.sort_by_key(|route| route.segments.iter().filter(|segment| segment.starts_with('{')).count());
    routes
});

impl Route {
    fn parse(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ');
        let (service, method, path) = (words.next()?, words.next()?, words.next()?);
        Some(Self { service, method, segments: segments(path).collect(), operation: words.next()? })
    }

    fn matches(
        &self,
        service: Service,
        request: &Request,
        path: &str,
    ) -> Option<(String, BTreeMap<&'static str, String>)> {
        if self.service != service.word() || self.method != request.method {
            return None;
        }
        let mut values = BTreeMap::new();
        let mut given = segments(path);
        for segment in &self.segments {
            let value = given.next()?;
            match segment.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
                Some(name) => _ = values.insert(name, decode(value)),
                None if *segment == value => {}
                None => return None,
            }
        }
        given.next().is_none().then(|| (self.operation.to_owned(), values))
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_matches('/').split('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Headers;

    fn call(service: &str, method: &str, target: &str, header: Option<(&str, &str)>, body: &str) -> Call {
        let mut headers = Headers::default();
        let scope =
            format!("AWS4-HMAC-SHA256 Credential=123456789012/20261125/us-east-1/{service}/aws4_request, Sig=x");
        headers.set("authorization", scope);
        if let Some((name, value)) = header {
            headers.set(name, value);
        }
        let (method, target) = (method.to_owned(), target.to_owned());
        Call::read(1, Request { method, target, headers, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn each_protocol_names_its_operation() {
        let target = ("x-amz-target", "AmazonSQS.CreateQueue");
        let queue = call("sqs", "POST", "/", Some(target), r#"{"QueueName": "orders"}"#);
        assert_eq!((queue.name().as_str(), queue.text("QueueName").as_deref()), ("sqs.CreateQueue", Some("orders")));
        let topic = call("sns", "POST", "/", None, "Action=CreateTopic&Version=2010-03-31&Name=a%2Bb+c");
        assert_eq!((topic.name().as_str(), topic.text("Name").as_deref()), ("sns.CreateTopic", Some("a+b c")));
        let path = "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm";
        assert_eq!(call("monitoring", "POST", path, None, "").name(), "cloudwatch.PutMetricAlarm");
        let path = "/2015-03-31/functions/pay%3Ament/code";
        let code = call("lambda", "PUT", path, None, "{}");
        assert_eq!(code.name(), "lambda.UpdateFunctionCode");
        assert_eq!(code.text("FunctionName").as_deref(), Some("pay:ment"));
        let layers = |query: &str| call("lambda", "GET", &format!("/2018-10-31/layers{query}"), None, "").name();
        assert_eq!(layers("?MaxItems=50"), "lambda.ListLayers");
        assert_eq!(layers("?find=LayerVersion&Arn=x"), "lambda.GetLayerVersionByArn");
        assert_eq!((queue.account.as_str(), queue.region.as_str()), ("123456789012", "us-east-1"));
    }

    #[test]
    fn a_path_that_is_written_out_goes_before_one_that_stands_for_anything() {
        let get = |path| call("apigateway", "GET", path, None, "").name();
        assert_eq!(get("/restapis/abc/resources?embed=methods"), "apigateway.GetResources");
        assert_eq!(get("/restapis/abc/stages/prod"), "apigateway.GetStage");
        assert_eq!(get("/account"), "apigateway.GetAccount");
        assert_eq!(get("/nothing/of/that/kind"), "apigateway.GET /nothing/of/that/kind");
    }
}
