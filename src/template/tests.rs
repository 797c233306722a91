//! What the template language promises, from text to values and diagnostics.

use std::collections::BTreeMap;

use expect_test::expect;
use serde_json::{Value, json};

use super::*;
use crate::diagnostic::{Diagnostic, Source, Style, render};
use crate::identity::{LogicalId, StackId};
use crate::unknown;

fn pseudo() -> Pseudo {
    Pseudo {
        account_id: Some("123456789012".into()),
        region: "us-east-1".into(),
        partition: "aws".into(),
        stack: StackId::from("orders-dev"),
    }
}

fn inputs(parameters: &[(&str, &str)]) -> Inputs {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Inputs { parameters: parameters.collect(), pseudo: pseudo() }
}

fn source(text: &str) -> Source {
    Source::new("orders.yaml", text)
}

fn resolved(text: &str, parameters: &[(&str, &str)]) -> Result<DesiredGraph, Vec<Diagnostic>> {
    parse(&source(text))?.resolve(&inputs(parameters))
}

fn graph_of(text: &str) -> DesiredGraph {
    resolved(text, &[]).unwrap_or_else(|findings| panic!("{}", render(&findings, &source(text), Style::Plain)))
}

/// The findings about a template as people see them.
fn findings(text: &str) -> String {
    findings_with(text, &[])
}

fn findings_with(text: &str, parameters: &[(&str, &str)]) -> String {
    let findings = resolved(text, parameters).err().unwrap_or_default();
    render(&findings, &source(text), Style::Plain)
}

fn known(attributes: &[(&str, &str, &str)]) -> impl Fn(&LogicalId, &str) -> Option<Value> {
    let known: BTreeMap<(String, String), Value> = attributes
        .iter()
        .map(|(id, attribute, value)| (((*id).to_owned(), (*attribute).to_owned()), json!(value)))
        .collect();
    move |id, attribute| known.get(&(id.to_string(), attribute.to_owned())).cloned()
}

#[test]
fn a_template_becomes_a_graph_whose_values_are_known_as_far_as_they_can_be() {
    let graph = graph_of(
        r"
        Parameters: {Suffix: {Type: String, Default: dev}}
        Resources:
          Orders:
            Type: AWS::SQS::Queue
            Properties:
              QueueName: !Sub orders-${Suffix}
          Rights:
            Type: AWS::SQS::QueuePolicy
            DependsOn: Orders
            Properties:
              Queues: [!Ref Orders]
              PolicyDocument: {Statement: [{Resource: !GetAtt Orders.Arn, Condition: {Bool: {a: 'true'}}}]}
        Outputs: {Url: {Value: !Ref Orders}}
        ",
    );
    let orders = &graph.resources[&LogicalId::from("Orders")];
    assert_eq!(graph.evaluate(&orders.properties, &known(&[])), Ok(json!({"QueueName": "orders-dev"})));
    let rights = &graph.resources[&LogicalId::from("Rights")];
    let value = graph.evaluate(&rights.properties, &known(&[("Orders", "Arn", "arn:aws:sqs:::orders")])).unwrap();
    let url = unknown::attribute(&LogicalId::from("Orders"), "Ref");
    assert_eq!(
        value,
        json!({
            "Queues": [url],
            "PolicyDocument": {"Statement": [{"Resource": "arn:aws:sqs:::orders", "Condition": {"Bool": {"a": "true"}}}]},
        })
    );
}
