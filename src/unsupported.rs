//! A template without what paystack does not handle, for whoever asks for the rest. Pure.
//!
//! What refers to something that is left out cannot be made as it is meant, and is left out with it; each is named with its reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Diagnostic;
use crate::identity::LogicalId;
use crate::resource::row;
use crate::template::{DesiredGraph, DesiredResource, Expr};

/// Takes out what is not handled, and says of each resource and output that goes why it does.
///
/// `has_no_code` says of a function or layer whether its code is where paystack cannot take it from.
pub fn leave_out(graph: &mut DesiredGraph, has_no_code: &dyn Fn(&DesiredResource) -> bool) -> Vec<Diagnostic> {
    let mut reasons: BTreeMap<LogicalId, String> = BTreeMap::new();
    for resource in graph.resources.values() {
        if row(&resource.resource_type).is_none() {
            let reason = format!("paystack does not handle `{}`", resource.resource_type);
            reasons.insert(resource.logical_id.clone(), reason);
        } else if has_no_code(resource) {
            reasons.insert(resource.logical_id.clone(), "its code is in S3".to_owned());
        }
    }
    loop {
        let gone: BTreeSet<&LogicalId> = reasons.keys().collect();
        let more: Vec<(LogicalId, String)> = graph
            .resources
            .values()
            .filter(|resource| !gone.contains(&resource.logical_id))
            .filter_map(|resource| Some((resource.logical_id.clone(), refers(&resource.properties, &gone)?)))
            .collect();
        if more.is_empty() {
            break;
        }
        reasons.extend(more);
    }
    let gone: BTreeSet<&LogicalId> = reasons.keys().collect();
    let mut findings = Vec::new();
    graph.outputs.retain(|name, output| {
        let reason = refers(&output.value, &gone);
        findings.extend(reason.iter().map(|reason| left_out(&format!("the output `{name}`"), reason).at(output.span)));
        reason.is_none()
    });
    graph.resources.retain(|logical_id, resource| {
        resource.depends_on.retain(|id| !gone.contains(id));
        let reason = reasons.get(logical_id);
        findings.extend(reason.map(|reason| left_out(&format!("`{logical_id}`"), reason).at(resource.type_span)));
        reason.is_none()
    });
    graph.left_out.extend(reasons.into_keys());
    findings
}

fn refers(expr: &Expr, gone: &BTreeSet<&LogicalId>) -> Option<String> {
    let reference = expr.references().into_iter().find(|reference| gone.contains(&reference.resource))?;
    Some(format!("it refers to `{}`, which is left out", reference.resource))
}

fn left_out(what: &str, reason: &str) -> Diagnostic {
    Diagnostic::warning(format!("{what} is left out")).label(reason)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::diagnostic::Source;
    use crate::identity::StackId;
    use crate::template::{Inputs, Pseudo, parse};

    const SHOP: &str = "
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Orders: {Type: AWS::SQS::Queue, DependsOn: [Bucket, Refunds]}
  Refunds: {Type: AWS::SQS::Queue}
  News: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Bucket}}
  Policy: {Type: AWS::SNS::TopicPolicy, Properties: {Topics: [!Ref News], PolicyDocument: {}}}
Outputs:
  Url: {Value: !Ref Orders}
  Name: {Value: !GetAtt News.TopicName}
";

    #[test]
    fn what_refers_to_what_is_left_out_is_left_out_too() {
        let pseudo = Pseudo {
            account_id: None,
            region: "us-east-1".to_owned(),
            partition: "aws".to_owned(),
            stack: StackId::from("shop"),
        };
        let template = parse(&Source::new("shop.yaml", SHOP)).expect("a template");
        let inputs = Inputs { parameters: BTreeMap::new(), imports: BTreeMap::new(), pseudo };
        let mut graph = template.resolve(&inputs).expect("a graph");
        let findings = leave_out(&mut graph, &|resource| resource.logical_id.as_str() == "Refunds");
        let said: Vec<String> =
            findings.iter().map(|it| format!("{}: {}", it.message, it.label.clone().unwrap_or_default())).collect();
        assert_eq!(
            said,
            [
                "the output `Name` is left out: it refers to `News`, which is left out",
                "`Bucket` is left out: paystack does not handle `AWS::S3::Bucket`",
                "`Refunds` is left out: its code is in S3",
                "`News` is left out: it refers to `Bucket`, which is left out",
                "`Policy` is left out: it refers to `News`, which is left out",
            ]
        );
        assert_eq!(graph.resources.keys().map(LogicalId::as_str).collect::<Vec<_>>(), ["Orders"]);
        assert!(graph.resources[0].depends_on.is_empty());
        assert_eq!(graph.outputs.keys().collect::<Vec<_>>(), ["Url"]);
        assert_eq!(graph.left_out.len(), 4);
    }
}
