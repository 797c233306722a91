//! What functions may do: the role of each, every policy that the template puts on it, and what they allow.

use serde_json::Value;

use super::statements::{Statement, listed, statements};
use crate::property_path::PropertyPath;
use crate::resolved::{Resolved, Subject};

pub const ROLE: &str = "AWS::IAM::Role";
pub const FUNCTION: &str = "AWS::Lambda::Function";

/// Types that name a version of a function.
const QUALIFIED: [&str; 2] = ["AWS::Lambda::Alias", "AWS::Lambda::Version"];

/// Types that put policies on roles which are resources of their own.
const ATTACHED: [&str; 3] = ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"];

/// The role of a function, if the template declares it.
pub fn role_of<'a>(function: &Subject<'_>, resolved: &'a Resolved<'_>) -> Option<Subject<'a>> {
    resolved.of_type(ROLE).find(|role| role.is_among(&function.properties["Role"]))
}

/// The function that a text stands for, if the template declares it: by its own name or ARN, or by those of an alias or a
/// version of it.
pub fn function_named<'a>(text: &str, resolved: &'a Resolved<'_>) -> Option<Subject<'a>> {
    let function = |text: &str| resolved.of_type(FUNCTION).find(|function| function.is_named_by(text));
    let mut qualified = QUALIFIED.into_iter().flat_map(|kind| resolved.of_type(kind));
    let behind = || qualified.find(|it| it.is_named_by(text))?.properties["FunctionName"].as_str().and_then(function);
    let unqualified = || text.rsplit_once(':').and_then(|(text, _)| function(text));
    function(text).or_else(behind).or_else(unqualified)
}

/// A role, and every policy of the template that is attached to it.
pub fn with_policies<'a>(role: Subject<'a>, resolved: &'a Resolved<'_>) -> Vec<Subject<'a>> {
    let attached = ATTACHED.into_iter().flat_map(|kind| resolved.of_type(kind)).filter(|policy| {
        role.is_among(&policy.properties["Roles"])
            || role.is_among(&policy.properties["RoleName"])
            || policy.is_among(&role.properties["ManagedPolicyArns"])
    });
    std::iter::once(role).chain(attached).collect()
}

/// Every statement of a resource's policies, of whichever kind: its own document, inline ones, or who may use it.
pub fn statements_of<'a>(subject: &Subject<'a>) -> Vec<Statement<'a>> {
    let documents = documents_of(subject.declared).into_iter();
    documents.flat_map(|(at, document)| statements(document, &at)).collect()
}

fn documents_of<'a>(declared: &'a Value) -> Vec<(PropertyPath, &'a Value)> {
    // A role's or a group's, a queue's, an API's, a log group's, a destination's.
    let own = ["PolicyDocument", "Policy", "ResourcePolicyDocument", "DestinationPolicy"];
    let own = own.map(|property| (PropertyPath::of(property), &declared[property]));
    let within = |at: PropertyPath, it: &'a Value| (at.key("PolicyDocument"), &it["PolicyDocument"]);
    let inline = listed(&declared["Policies"], &PropertyPath::of("Policies")).into_iter();
    // A table's, and of its stream; a global table has them at its replica.
    let replicas = listed(&declared["Replicas"], &PropertyPath::of("Replicas")).into_iter();
    let tables = std::iter::once((PropertyPath::default(), declared)).chain(replicas);
    let of_tables = tables.flat_map(|(at, table)| {
        let stream = (at.key("StreamSpecification"), &table["StreamSpecification"]);
        [(at, table), stream].map(|(at, it)| within(at.key("ResourcePolicy"), &it["ResourcePolicy"]))
    });
    own.into_iter().chain(inline.map(|(at, policy)| within(at, policy))).chain(of_tables).collect()
}

/// AWS's own policies, or others', that a resource names.
pub fn managed<'a>(subject: &Subject<'a>) -> Vec<(PropertyPath, &'a str)> {
    let arns = listed(&subject.declared["ManagedPolicyArns"], &PropertyPath::of("ManagedPolicyArns"));
    arns.into_iter().filter_map(|(at, arn)| Some((at, arn.as_str()?))).collect()
}

/// Where a role, or a policy that is attached to it, allows to create log groups: the resource, and the place in it.
pub fn creates_log_groups<'a>(role: Subject<'a>, resolved: &'a Resolved<'_>) -> Option<(Subject<'a>, PropertyPath)> {
    with_policies(role, resolved).into_iter().find_map(|policy| Some((policy, creates_in(&policy)?)))
}

fn creates_in(policy: &Subject<'_>) -> Option<PropertyPath> {
    let creates = |action: &str| {
        let action = action.to_ascii_lowercase();
        match action.split_once('*') {
            Some((start, _)) => "logs:createloggroup".starts_with(start),
            None => action == "logs:createloggroup",
        }
    };
    let statements = statements_of(policy);
    let allowing = statements.iter().filter(|statement| statement.allows());
    let own = allowing.flat_map(Statement::actions).find(|(_, action)| creates(action)).map(|(at, _)| at);
    let by_name = || managed(policy).into_iter().find(|(_, arn)| arn.contains(":aws:policy/service-role/AWSLambda"));
    own.or_else(|| by_name().map(|(at, _)| at))
}

/// The log group that a function writes to, if the template declares it.
pub fn log_group_of<'a>(function: &Subject<'_>, resolved: &'a Resolved<'_>) -> Option<Subject<'a>> {
    let usual = function.properties["FunctionName"].as_str().map(|name| format!("/aws/lambda/{name}"));
    let name = function.properties["LoggingConfig"]["LogGroup"].as_str().or(usual.as_deref())?;
    let mut groups = resolved.of_type("AWS::Logs::LogGroup");
    groups.find(|group| group.is_named_by(name) || group.properties["LogGroupName"] == *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::line::desired;

    /// A function whose role says nothing, and a policy beside it.
    fn creates(policy: &str) -> Option<String> {
        let desired = desired(&format!(
            "
Resources:
  PayRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: pay
      AssumeRolePolicyDocument: {{ Version: '2012-10-17', Statement: [] }}
  Pay:
    Type: AWS::Lambda::Function
    Properties: {{ FunctionName: pay, Runtime: python3.13, Handler: a.b, Code: {{ ZipFile: 'x = 1' }}, Role: !GetAtt PayRole.Arn }}
  Beside:
{policy}
"
        ));
        let resolved = Resolved::new(&desired);
        let function = resolved.of_type(FUNCTION).next().expect("there is one");
        let role = role_of(&function, &resolved).expect("it is declared");
        creates_log_groups(role, &resolved).map(|(policy, at)| format!("{} {at}", policy.id()))
    }

    #[test]
    fn a_policy_that_is_attached_counts_as_the_roles_own() {
        let document =
            "{ Version: '2012-10-17', Statement: [{ Effect: Allow, Action: 'logs:Create*', Resource: '*' }] }";
        for (kind, more) in [
            ("Policy", "PolicyName: logs, Roles: [!Ref PayRole]"),
            ("ManagedPolicy", "Roles: [!Ref PayRole]"),
            ("RolePolicy", "PolicyName: logs, RoleName: !Ref PayRole"),
        ] {
            let beside =
                format!("    Type: AWS::IAM::{kind}\n    Properties: {{ PolicyDocument: {document}, {more} }}");
            assert_eq!(creates(&beside).as_deref(), Some("Beside PolicyDocument.Statement[0].Action"), "{kind}");
        }
        let elsewhere = format!("    Type: AWS::IAM::ManagedPolicy\n    Properties: {{ PolicyDocument: {document} }}");
        assert_eq!(creates(&elsewhere), None);
        let writes = "    Type: AWS::IAM::ManagedPolicy\n    Properties: { Roles: [!Ref PayRole], PolicyDocument: { \
                      Version: '2012-10-17', Statement: { Effect: Allow, Action: 'logs:CreateLogStream', Resource: '*' } } }";
        assert_eq!(creates(writes), None);
    }
}
