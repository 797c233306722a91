//! Rules for who may do what.

use super::roles::{FUNCTION, ROLE, creates_log_groups, managed, statements_of};
use super::{Breach, Level, On, Rule, Stack, broken, broken_at};
use crate::resolved::Subject;

/// A function and its role.
macro_rules! role {
    ($more:literal) => {
        concat!(
            "
PayRole:
  Type: AWS::IAM::Role
  Properties:
    RoleName: pay-dev
    AssumeRolePolicyDocument:
      Version: '2012-10-17'
      Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: 'sts:AssumeRole' }]
    ",
            $more,
            "
Pay:
  Type: AWS::Lambda::Function
  Properties:
    FunctionName: pay-dev
    Handler: index.handler
    Code: { ZipFile: 'def handler(event, context): pass' }
    Role: !GetAtt PayRole.Arn
    Runtime: python3.13"
        )
    };
}

pub const RULES: &[Rule] = &[
    Rule {
        id: "policy-action",
        level: Level::Mandatory,
        demand: "No policy allows actions by a wildcard",
        reason: "it also allows what AWS adds to the service tomorrow (PCI DSS 7.2)",
        fix: "name the actions that are needed; `paystack policy --functions` says which the code calls",
        on: On::Types(&[GIVES, PUT_ON]),
        breaches: actions,
        kept_by: "
Pay:
  Type: AWS::IAM::ManagedPolicy
  Properties:
    PolicyDocument:
      Version: '2012-10-17'
      Statement: [{ Effect: Allow, Action: 'sqs:SendMessage', Resource: 'arn:aws:sqs:us-east-1:123456789012:orders-dev' }]",
        broken_by: "
Pay:
  Type: AWS::IAM::ManagedPolicy
  Properties:
    PolicyDocument:
      Version: '2012-10-17'
      Statement: [{ Effect: Allow, Action: 'sqs:*', Resource: 'arn:aws:sqs:us-east-1:123456789012:orders-dev' }]",
    },
    Rule {
        id: "policy-resource",
        level: Level::Mandatory,
        demand: "No policy allows an action on every resource, where the action knows resources",
        reason: "it reaches the tables, queues and keys of every other system of the account (PCI DSS 7.2)",
        fix: "name the resources by `Fn::GetAtt` or `Fn::Sub`",
        on: On::Types(&[GIVES]),
        breaches: resources,
        kept_by: "
Pay:
  Type: AWS::IAM::ManagedPolicy
  Properties:
    PolicyDocument:
      Version: '2012-10-17'
      Statement:
        - { Effect: Allow, Action: 'sqs:SendMessage', Resource: 'arn:aws:sqs:us-east-1:123456789012:orders-dev' }
        - { Effect: Allow, Action: 'xray:PutTraceSegments', Resource: '*' }",
        broken_by: "
Pay:
  Type: AWS::IAM::ManagedPolicy
  Properties:
    PolicyDocument:
      Version: '2012-10-17'
      Statement: [{ Effect: Allow, Action: 'sqs:SendMessage', Resource: '*' }]",
    },
    Rule {
        id: "role-log-groups",
        level: Level::Mandatory,
        demand: "No function's role may create log groups",
        reason: "what a function writes while the stack is destroyed would bring its log group back, without its retention",
        fix: "declare the log group, and allow only `logs:CreateLogStream` and `logs:PutLogEvents` on it",
        on: On::Type(ROLE),
        breaches: log_groups,
        kept_by: role!(
            "Policies:
      - PolicyName: log
        PolicyDocument:
          Version: '2012-10-17'
          Statement:
            - Effect: Allow
              Action: logs:PutLogEvents
              Resource: arn:aws:logs:us-east-1:123456789012:log-group:pay-dev:*"
        ),
        broken_by: role!(
            "ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']"
        ),
    },
];

/// What gives permissions to roles, users and groups.
const GIVES: &[&str] = &[
    ROLE,
    "AWS::IAM::Group",
    "AWS::IAM::GroupPolicy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::User",
    "AWS::IAM::UserPolicy",
];

/// What says who may do something with one resource.
const PUT_ON: &[&str] = &[
    "AWS::ApiGateway::RestApi",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    PERMISSION,
    "AWS::Logs::Destination",
    "AWS::Logs::LogGroup",
    "AWS::Logs::ResourcePolicy",
    "AWS::SNS::TopicInlinePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueueInlinePolicy",
    "AWS::SQS::QueuePolicy",
];

/// Says one action, without a document.
const PERMISSION: &str = "AWS::Lambda::Permission";

/// Actions that know no resources, so that `*` is as narrow as they get ("Service Authorization Reference").
const WITHOUT_RESOURCES: [&str; 31] = [
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:ListMetrics",
    "cloudwatch:PutMetricData",
    "dynamodb:ListTables",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    "kms:GenerateRandom",
    "kms:ListAliases",
    "kms:ListKeys",
    "lambda:GetAccountSettings",
    "lambda:ListEventSourceMappings",
    "lambda:ListFunctions",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "s3:ListAllMyBuckets",
    "sns:ListTopics",
    "sts:GetCallerIdentity",
    "tag:GetResources",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];

/// Whether an action can be allowed on single resources.
pub fn knows_resources(action: &str) -> bool {
    !WITHOUT_RESOURCES.iter().any(|it| it.eq_ignore_ascii_case(action))
}

/// AWS's own policies that allow whole services.
pub fn is_wide(managed: &str) -> bool {
    let name = managed.rsplit('/').next().unwrap_or_default();
    managed.contains(":aws:policy/")
        && (name == "AdministratorAccess" || name == "PowerUserAccess" || name.contains("FullAccess"))
}

fn actions(subject: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let statements = statements_of(subject);
    let allowing = statements.iter().filter(|statement| statement.allows());
    let by_action = allowing.clone().flat_map(|statement| statement.actions()).filter(|(_, it)| it.contains('*'));
    let by_action = by_action.map(|(at, action)| Breach { at, what: format!("allows the actions `{action}`") });
    let by_exception = allowing.filter(|statement| !statement.value["NotAction"].is_null());
    let by_exception = by_exception
        .map(|statement| Breach { at: statement.place("NotAction"), what: "allows all actions but some".to_owned() });
    let permitted =
        subject.declared["Action"].as_str().filter(|it| subject.resource_type() == PERMISSION && it.contains('*'));
    let permitted = permitted.into_iter().flat_map(|it| broken_at("Action", format!("allows the actions `{it}`")));
    let by_managed = managed(subject).into_iter().filter(|(_, arn)| is_wide(arn));
    let by_managed = by_managed.map(|(at, arn)| Breach { at, what: format!("has all that `{arn}` allows") });
    by_action.chain(by_exception).chain(permitted).chain(by_managed).collect()
}

fn resources(subject: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for statement in statements_of(subject).iter().filter(|statement| statement.allows()) {
        let actions = statement.actions();
        let Some((_, action)) = actions.iter().find(|(_, action)| knows_resources(action)) else { continue };
        if !statement.value["NotResource"].is_null() {
            let what = format!("allows `{action}` on all resources but some");
            breaches.push(Breach { at: statement.place("NotResource"), what });
        }
        for (at, resource) in statement.resources().into_iter().filter(|(_, resource)| is_everything(resource)) {
            breaches.push(Breach { at, what: format!("allows `{action}` on `{resource}`") });
        }
    }
    breaches
}

/// Whether an ARN pattern is everything of a service, or of all of them.
pub fn is_everything(resource: &str) -> bool {
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    match parts[..] {
        ["*"] => true,
        [_, _, service, _, _, resource] => service.contains('*') || resource == "*",
        _ => false,
    }
}

fn log_groups(role: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let is_functions = stack.of_type(FUNCTION).any(|function| role.is_among(&function.properties["Role"]));
    let Some((policy, at)) = creates_log_groups(*role, stack).filter(|_| is_functions) else { return Vec::new() };
    if policy.id() == role.id() {
        return vec![Breach { at, what: "lets a function create log groups".to_owned() }];
    }
    broken(format!("lets a function create log groups, by the policy `{}`", policy.id()))
}

#[cfg(test)]
mod unit_tests {
    use super::{is_everything, is_wide};

    #[test]
    fn everything_of_a_service_is_everything() {
        for resource in ["*", "arn:aws:s3:::*", "arn:aws:sqs:us-east-1:123456789012:*", "arn:aws:*:*:*:orders"] {
            assert!(is_everything(resource), "{resource}");
        }
        for resource in ["arn:aws:s3:::orders/*", "arn:aws:sqs:us-east-1:123456789012:orders-*"] {
            assert!(!is_everything(resource), "{resource}");
        }
    }

    #[test]
    fn a_policy_of_awss_for_a_whole_service_is_wide() {
        assert!(is_wide("arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"));
        assert!(!is_wide("arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"));
        assert!(!is_wide("arn:aws:iam::123456789012:policy/FullAccess"));
    }
}
