//! Pictures of small templates and plans.

use expect_test::expect;

use super::{Picture, dot, mermaid, svg};
use crate::fake::line::{Account, desired};

const ORDERS: &str = "AWSTemplateFormatVersion: '2010-09-09'
Resources:
  DeadLetters: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
  Orders:
    Type: AWS::SQS::Queue
    DependsOn: Logs
    Properties: {QueueName: orders, RedrivePolicy: {deadLetterTargetArn: !GetAtt DeadLetters.Arn, maxReceiveCount: 3}}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /orders}}
  Errors:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: /orders
      FilterPattern: ERROR
      MetricTransformations: [{MetricName: Errors, MetricNamespace: Orders, MetricValue: '1'}]
";

fn orders() -> Picture {
    Picture::of_template(&desired(ORDERS))
}

#[test]
fn dot_has_every_edge_with_its_reason() {
    expect![[""]].assert_eq(&dot(&orders()));
}

#[test]
fn mermaid_has_every_edge_with_its_reason() {
    expect![[""]].assert_eq(&mermaid(&orders()));
}

#[test]
fn an_svg_explains_its_lines() {
    expect![[""]].assert_eq(&svg(&orders()));
}

#[test]
fn a_plan_is_coloured_by_what_it_does() {
    let account = Account::default();
    account.apply(&desired(ORDERS)).expect("nothing crashes");
    let wanted =
        desired(&ORDERS.replace("maxReceiveCount: 3", "maxReceiveCount: 5").replace("QueueName: dead", "QueueName: d"));
    let picture = Picture::of_plan(&account.plan(&wanted), Some(&wanted));
    expect![[""]].assert_eq(&mermaid(&picture));
}

#[test]
fn what_is_deleted_keeps_the_edges_that_it_was_applied_with() {
    let account = Account::default();
    let wanted = desired(ORDERS);
    account.apply(&wanted).expect("nothing crashes");
    let picture = Picture::of_plan(&account.plan(&wanted.nothing()), None);
    expect![[""]].assert_eq(&mermaid(&picture));
}

#[test]
fn a_title_cannot_break_out_of_the_picture() {
    let mut picture = orders();
    picture.title = "</title><script>alert(\"x\")</script>\n\\".to_owned();
    assert!(!svg(&picture).contains("<script>"), "{}", svg(&picture));
    assert!(dot(&picture).starts_with("digraph \"</title><script>alert(\\\"x\\\")</script>\\n\\\\\" {\n"));
}

#[test]
fn a_stack_of_nothing_is_a_picture_too() {
    let nothing = Picture { title: "nothing".to_owned(), nodes: Vec::new(), edges: Vec::new() };
    assert!(svg(&nothing).contains("There is nothing to draw."));
    assert_eq!(mermaid(&nothing), "flowchart LR\n");
}
