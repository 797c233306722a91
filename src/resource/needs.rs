//! What each type needs to be allowed, and on which resources: the table behind `paystack policy --deployer`. Asks no AWS.
//! `tests/it/sources.rs` holds it against the calls in the handlers.

mod apigateway;
mod cloudwatch;
mod dynamodb;
mod iam;
mod lambda;
mod logs;
mod messaging;
mod wafv2;

use serde_json::Value;

use crate::aws::Scope;
use crate::aws::actions::actions;
use crate::plan::residue::{LISTED_BY, LISTS_APIS};
use crate::unknown;

/// A resource of a template, with its properties as far as they are known.
pub struct Subject<'a> {
    pub scope: &'a Scope,
    pub properties: &'a Value,
}

/// What a type needs on some resources.
pub struct Need {
    /// `None`: every stack needs it, whatever is in its template, for what paystack looks for by its marks.
    pub resource_type: Option<&'static str>,
    /// The calls that the handler makes.
    pub calls: &'static [&'static str],
    /// IAM actions that no call is named by.
    pub besides: &'static [&'static str],
    /// The service that a role is passed to.
    pub passed_to: Option<&'static str>,
    /// The ARNs of the resources. None: it is not needed for this subject.
    pub on: fn(&Subject<'_>) -> Vec<String>,
}

impl Need {
    /// The actions that are to be allowed, each once, in order.
    pub fn actions(&self) -> Vec<String> {
        let named = self.calls.iter().filter_map(|call| actions(call).into_iter().next());
        let mut actions: Vec<String> = named.chain(self.besides.iter().map(|action| (*action).to_owned())).collect();
        actions.sort();
        actions.dedup();
        actions
    }
}

const fn need(
    resource_type: &'static str,
    on: fn(&Subject<'_>) -> Vec<String>,
    calls: &'static [&'static str],
) -> Need {
    Need { resource_type: Some(resource_type), calls, besides: &[], passed_to: None, on }
}

const fn besides(
    resource_type: &'static str,
    on: fn(&Subject<'_>) -> Vec<String>,
    besides: &'static [&'static str],
) -> Need {
    Need { resource_type: Some(resource_type), calls: &[], besides, passed_to: None, on }
}

const fn always(on: fn(&Subject<'_>) -> Vec<String>, calls: &'static [&'static str]) -> Need {
    Need { resource_type: None, calls, besides: &[], passed_to: None, on }
}

const fn pass(resource_type: &'static str, to: &'static str, on: fn(&Subject<'_>) -> Vec<String>) -> Need {
    Need { resource_type: Some(resource_type), calls: &[], besides: &["iam:PassRole"], passed_to: Some(to), on }
}

/// What every stack needs, whatever is in its template: for what is searched by its marks, and told by its name.
const ALWAYS: &[Need] = &[
    always(anything, &["tagging.GetResources"]),
    always(anything, &LISTED_BY),
    always(apis, &[LISTS_APIS, "apigateway.GetDeployments"]),
    always(policies, &["iam.ListPolicyTags"]),
    always(|it| vec![it.scope.global_arn("iam", "instance-profile/*")], &["iam.ListInstanceProfileTags"]),
];

/// What each type needs; several rows where not all of it is on the same resources.
pub fn needs() -> impl Iterator<Item = &'static Need> {
    [
        ALWAYS,
        apigateway::NEEDS,
        cloudwatch::NEEDS,
        dynamodb::NEEDS,
        iam::NEEDS,
        lambda::NEEDS,
        logs::NEEDS,
        messaging::NEEDS,
        wafv2::NEEDS,
    ]
    .into_iter()
    .flatten()
}

/// What of it knows no resources: finding log groups, and which of their fields are indexed.
const LOGS_ANYWHERE: &[&str] = &["logs.DescribeIndexPolicies", "logs.DescribeLogGroups"];

/// What reading and deleting a log group that no template declares takes.
const LOGS_ON_THE_SIDE: &[&str] = &[
    "logs.DeleteLogGroup",
    "logs.DescribeLogStreams",
    "logs.DescribeMetricFilters",
    "logs.DescribeSubscriptionFilters",
    "logs.GetDataProtectionPolicy",
    "logs.ListTagsForResource",
];

/// Tags of API Gateway are a path of their own, whatever they are on.
const GATEWAY_TAGS: &[&str] = &["apigateway.GetTags", "apigateway.TagResource", "apigateway.UntagResource"];

const KMS: &[&str] = &["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"];

impl Subject<'_> {
    fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property)?.as_str().filter(|text| !text.is_empty() && !unknown::is_in(text))
    }

    /// The resource by its name; a name that only AWS knows stands for any.
    fn named(&self, service: &str, kind: &str, property: &str) -> Vec<String> {
        let name = self.text(property).unwrap_or("*");
        // A function may be named by its ARN.
        let name = name.rsplit(':').next().unwrap_or(name);
        vec![self.scope.arn(service, &format!("{kind}{name}"))]
    }

    fn named_globally(&self, service: &str, kind: &str, property: &str) -> Vec<String> {
        let path = match service {
            "iam" => self.text("Path").unwrap_or("/"),
            _ => "",
        };
        vec![self.scope.global_arn(service, &format!("{kind}{path}{}", self.text(property).unwrap_or("*")))]
    }

    /// What a list of names stands for; a path in front of a name is not to be seen from here.
    fn each(&self, service: &str, kind: &str, property: &str) -> Vec<String> {
        let names = self.properties.get(property).and_then(Value::as_array).into_iter().flatten();
        let name = |value: &Value| value.as_str().filter(|text| !unknown::is_in(text)).unwrap_or("*").to_owned();
        names.map(name).map(|name| self.scope.global_arn(service, &format!("{kind}/{name}"))).collect()
    }

    /// The ARNs that stand in a property, alone or in a list.
    fn arns(&self, path: &str) -> Vec<String> {
        let value = self.properties.pointer(&format!("/{path}")).unwrap_or(&Value::Null);
        let texts = match value {
            Value::Array(items) => items.iter().collect(),
            value => vec![value],
        };
        let known = texts.into_iter().filter_map(Value::as_str).filter(|text| text.starts_with("arn:"));
        known.filter(|text| !unknown::is_in(text)).map(str::to_owned).collect()
    }

    fn where_set(&self, property: &str, on: fn(&Self) -> Vec<String>) -> Vec<String> {
        let is_set = match self.properties.get(property) {
            None | Some(Value::Null) => false,
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(fields)) => fields.values().any(|it| !it.is_null() && it != &Value::Array(Vec::new())),
            Some(_) => true,
        };
        if is_set { on(self) } else { Vec::new() }
    }

    fn in_firewall(&self, kind: &str) -> Vec<String> {
        let place = if self.text("Scope") == Some("CLOUDFRONT") { "global" } else { "regional" };
        vec![self.scope.arn("wafv2", &format!("{place}/{kind}/{}/*", self.text("Name").unwrap_or("*")))]
    }

    /// The object that an API's document is.
    fn document(&self, versioned: Versioned) -> Vec<String> {
        let location = self.properties.get("BodyS3Location").unwrap_or(&Value::Null);
        let text = |name: &str| location.get(name)?.as_str();
        let is_meant = text("Version").is_some() == (versioned == Versioned::Yes);
        let known = |text: &str| if unknown::is_in(text) { "*".to_owned() } else { text.to_owned() };
        let (Some(bucket), Some(key)) = (text("Bucket").filter(|_| is_meant), text("Key")) else { return Vec::new() };
        vec![format!("arn:{}:s3:::{}/{}", self.scope.partition, known(bucket), known(key))]
    }

    fn gateway(&self, paths: &[&str]) -> Vec<String> {
        let Scope { partition, region, .. } = self.scope;
        paths.iter().map(|path| format!("arn:{partition}:apigateway:{region}::{path}")).collect()
    }
}

/// Whether one version of an object is meant: reading it is another action.
#[derive(PartialEq, Eq)]
enum Versioned {
    No,
    Yes,
}

fn anything(_: &Subject<'_>) -> Vec<String> {
    vec!["*".to_owned()]
}

fn account(it: &Subject<'_>) -> Vec<String> {
    it.gateway(&["/account"])
}

fn apis(it: &Subject<'_>) -> Vec<String> {
    it.gateway(&["/restapis", "/restapis/*"])
}

fn stages(it: &Subject<'_>) -> Vec<String> {
    it.gateway(&["/restapis/*/stages/*"])
}

fn keys(it: &Subject<'_>) -> Vec<String> {
    it.gateway(&["/apikeys", "/apikeys/*"])
}

fn usage_plans(it: &Subject<'_>) -> Vec<String> {
    it.gateway(&["/usageplans", "/usageplans/*"])
}

fn gateway_tags(it: &Subject<'_>) -> Vec<String> {
    it.gateway(&["/tags/*"])
}

fn policies(it: &Subject<'_>) -> Vec<String> {
    vec![it.scope.global_arn("iam", "policy/*")]
}

fn layer(it: &Subject<'_>) -> Vec<String> {
    let name = it.text("LayerName").unwrap_or("*");
    [format!("layer:{name}"), format!("layer:{name}:*")].iter().map(|layer| it.scope.arn("lambda", layer)).collect()
}

/// A log group is asked for with and without its streams.
fn log_group(it: &Subject<'_>) -> Vec<String> {
    log_groups(it, it.text("LogGroupName").unwrap_or("*"))
}

fn function_logs(it: &Subject<'_>) -> Vec<String> {
    log_groups(it, &format!("/aws/lambda/{}", it.text("FunctionName").unwrap_or("*")))
}

/// The name of such a group has the API's id in it, which only AWS knows.
fn execution_logs(it: &Subject<'_>) -> Vec<String> {
    log_groups(it, "API-Gateway-Execution-Logs_*")
}

fn log_groups(it: &Subject<'_>, name: &str) -> Vec<String> {
    let group = it.scope.arn("logs", &format!("log-group:{name}"));
    vec![format!("{group}:*"), group]
}

/// A queue's policy names its queues by their URLs.
fn queues(it: &Subject<'_>) -> Vec<String> {
    let urls = it.properties.get("Queues").and_then(Value::as_array).into_iter().flatten();
    let name = |url: &Value| {
        let url = url.as_str().filter(|url| !unknown::is_in(url)).unwrap_or("*");
        url.rsplit('/').next().unwrap_or(url).to_owned()
    };
    urls.map(|url| it.scope.arn("sqs", &name(url))).collect()
}

fn web_acls(it: &Subject<'_>) -> Vec<String> {
    vec![it.scope.arn("wafv2", "*/webacl/*/*")]
}

fn rules_of_others(it: &Subject<'_>) -> Vec<String> {
    let rules = it.properties.get("Rules").map(Value::to_string).unwrap_or_default();
    let place = if it.text("Scope") == Some("CLOUDFRONT") { "global" } else { "regional" };
    let kinds = [
        ("\"ManagedRuleGroupStatement\":{", "managedruleset"),
        ("\"IPSetReferenceStatement\":{", "ipset"),
        ("\"RegexPatternSetReferenceStatement\":{", "regexpatternset"),
        ("\"RuleGroupReferenceStatement\":{", "rulegroup"),
    ];
    let used = kinds.iter().filter(|(word, _)| rules.contains(word));
    used.map(|(_, kind)| it.scope.arn("wafv2", &format!("{place}/{kind}/*/*"))).collect()
}
