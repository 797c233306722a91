//! Rules for functions.

use super::roles::{FUNCTION, log_group_of};
use super::{Breach, Level, On, Rule, Stack, broken, broken_at, unless};
use crate::resolved::Subject;
use crate::resource::facts::lambda_runtime;

/// A function in which nothing is set that a rule asks for, but what is said here.
macro_rules! function {
    ($($more:literal),*) => {
        concat!(
            "
Pay:
  Type: AWS::Lambda::Function
  Properties:
    FunctionName: pay-dev
    Handler: index.handler
    Code: { ZipFile: 'def handler(event, context): pass' }
    Role: arn:aws:iam::123456789012:role/pay-dev
",
            $("    ", $more, "\n",)*
        )
    };
}

pub const RULES: &[Rule] = &[
    Rule {
        id: "function-runtime",
        level: Level::Mandatory,
        demand: "Every function's runtime is maintained by AWS",
        reason: "a deprecated runtime gets no security patches, and later no deployments (PCI DSS 6.3.3)",
        fix: "set `Runtime` to a newer version of the language",
        on: On::Type(FUNCTION),
        breaches: runtime,
        kept_by: function!("Runtime: python3.13"),
        broken_by: function!("Runtime: python3.8"),
    },
    Rule {
        id: "function-arm64",
        level: Level::Advisory,
        demand: "Every function runs on arm64",
        reason: "it costs a fifth less for the same work",
        fix: "set `Architectures: [arm64]`, and build native packages for it",
        on: On::Type(FUNCTION),
        breaches: architecture,
        kept_by: function!("Runtime: python3.13", "Architectures: [arm64]"),
        broken_by: function!("Runtime: python3.13"),
    },
    Rule {
        id: "function-layer",
        level: Level::Advisory,
        demand: "Every function takes its libraries from a layer",
        reason: "libraries are pinned and reviewed in one place",
        fix: "set `Layers`",
        on: On::Type(FUNCTION),
        breaches: layer,
        kept_by: function!(
            "Runtime: python3.13",
            "Layers: ['arn:aws:lambda:us-east-1:123456789012:layer:libraries-dev:1']"
        ),
        broken_by: function!("Runtime: python3.13"),
    },
    Rule {
        id: "function-tracing",
        level: Level::Mandatory,
        demand: "Every function is traced",
        reason: "without traces nobody sees where a slow payment spent its time",
        fix: "set `TracingConfig: { Mode: Active }`, and let the role write to X-Ray",
        on: On::Type(FUNCTION),
        breaches: tracing,
        kept_by: function!("Runtime: python3.13", "TracingConfig: { Mode: Active }"),
        broken_by: function!("Runtime: python3.13"),
    },
    Rule {
        id: "function-reserved-concurrency",
        level: Level::Advisory,
        demand: "Every function has a reserved concurrency",
        reason: "without it one function can take all of the account's, and be starved by any other; a small account has none to reserve",
        fix: "set `ReservedConcurrentExecutions`; `paystack capacity` says how much the load takes",
        on: On::Type(FUNCTION),
        breaches: concurrency,
        kept_by: function!("Runtime: python3.13", "ReservedConcurrentExecutions: 10"),
        broken_by: function!("Runtime: python3.13"),
    },
    Rule {
        id: "function-own-role",
        level: Level::Mandatory,
        demand: "Every function has a role of its own",
        reason: "a shared role gives each function what the others need (PCI DSS 7.2)",
        fix: "declare one `AWS::IAM::Role` for each function",
        on: On::Type(FUNCTION),
        breaches: own_role,
        kept_by: function!("Runtime: python3.13"),
        broken_by: concat!(
            function!("Runtime: python3.13"),
            "
Refund:
  Type: AWS::Lambda::Function
  Properties:
    FunctionName: refund-dev
    Handler: index.handler
    Code: { ZipFile: 'def handler(event, context): pass' }
    Role: arn:aws:iam::123456789012:role/pay-dev
    Runtime: python3.13"
        ),
    },
    Rule {
        id: "function-logs",
        level: Level::Mandatory,
        demand: "Every function's log group is declared",
        reason: "one that Lambda makes by itself keeps its logs for ever, and is not the stack's to delete",
        fix: "declare the `AWS::Logs::LogGroup`, and name it in `LoggingConfig`",
        on: On::Type(FUNCTION),
        breaches: logs,
        kept_by: concat!(
            function!("Runtime: python3.13", "LoggingConfig: { LogGroup: !Ref PayLogs }"),
            "PayLogs: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: 30 } }"
        ),
        broken_by: function!("Runtime: python3.13"),
    },
];

fn runtime(function: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let Some(name) = function.properties["Runtime"].as_str() else { return Vec::new() };
    let deprecated = lambda_runtime(name).and_then(|runtime| runtime.deprecated.as_deref());
    let passed = deprecated.filter(|date| *date <= stack.policy.today.as_str());
    passed.map(|date| broken_at("Runtime", format!("runs on `{name}`, deprecated since {date}"))).unwrap_or_default()
}

fn architecture(function: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let is_arm = function.properties["Architectures"].as_array().is_some_and(|all| all.iter().all(|it| it == "arm64"));
    unless(is_arm, || broken_at("Architectures", "does not run on arm64"))
}

fn layer(function: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let has_layers = function.properties["Layers"].as_array().is_some_and(|layers| !layers.is_empty());
    unless(has_layers, || broken_at("Layers", "has no layer"))
}

fn tracing(function: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let is_traced = function.properties["TracingConfig"]["Mode"] == "Active";
    unless(is_traced, || broken_at("TracingConfig", "is not traced"))
}

fn concurrency(function: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let is_set = !function.properties["ReservedConcurrentExecutions"].is_null();
    unless(is_set, || broken_at("ReservedConcurrentExecutions", "has no reserved concurrency"))
}

fn own_role(function: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let role = &function.properties["Role"];
    let shares = |other: &Subject<'_>| other.id() != function.id() && &other.properties["Role"] == role;
    let other = stack.of_type(FUNCTION).find(shares);
    other.map(|other| broken_at("Role", format!("shares its role with `{}`", other.id()))).unwrap_or_default()
}

fn logs(function: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    unless(log_group_of(function, stack).is_some(), || broken("writes to a log group that is not declared"))
}
