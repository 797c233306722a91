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
    expect![[r##"
        digraph "orders-dev: the template" {
          rankdir=LR; newrank=true; fontname=Helvetica;
          node [shape=box, style="rounded,filled", fontname=Helvetica, fontsize=11];
          edge [fontname=Helvetica, fontsize=8, color="#57606a"];
          subgraph "cluster_Logs" {
            label="Logs"; color="#d0d7de";
            n2 [label="Logs\nLogGroup", fillcolor="#ffffff", color="#57606a"];
            n3 [label="Errors\nMetricFilter", fillcolor="#ffffff", color="#57606a"];
          }
          subgraph "cluster_SQS" {
            label="SQS"; color="#d0d7de";
            n0 [label="DeadLetters\nQueue", fillcolor="#ffffff", color="#57606a"];
            n1 [label="Orders\nQueue", fillcolor="#ffffff", color="#57606a"];
          }
          n1 -> n0 [style=solid, label="GetAtt Arn"];
          n1 -> n2 [style=dashed, label="DependsOn"];
          n3 -> n2 [style=dotted, label="implied: a metric filter belongs to a log group"];
        }
    "##]]
    .assert_eq(&dot(&orders()));
}

#[test]
fn mermaid_has_every_edge_with_its_reason() {
    expect![[r#"
        flowchart LR
          subgraph s_Logs["Logs"]
            n2["Logs<br/>LogGroup"]
            n3["Errors<br/>MetricFilter"]
          end
          subgraph s_SQS["SQS"]
            n0["DeadLetters<br/>Queue"]
            n1["Orders<br/>Queue"]
          end
          n1 -->|"GetAtt Arn"| n0
          n1 ==>|"DependsOn"| n2
          n3 -.->|"implied: a metric filter belongs to a log group"| n2
    "#]]
    .assert_eq(&mermaid(&orders()));
}

#[test]
fn an_svg_explains_its_lines() {
    expect![[r##"
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 326" width="640" height="326" font-family="Helvetica, Arial, sans-serif" font-size="12" role="img">
        <title>orders-dev: the template</title>
        <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#57606a"/></marker></defs>
        <rect width="100%" height="100%" fill="#ffffff"/>
        <text x="20" y="26" font-size="16" font-weight="bold" fill="#1f2328">orders-dev: the template</text>
        <g transform="translate(0 36)">
        <rect x="20" y="24" width="334" height="72" rx="6" fill="#f6f8fa" stroke="#d0d7de"/>
        <text x="28" y="37" font-size="11" font-weight="bold" fill="#57606a">Logs</text>
        <rect x="20" y="102" width="334" height="76" rx="6" fill="#f6f8fa" stroke="#d0d7de"/>
        <text x="28" y="115" font-size="11" font-weight="bold" fill="#57606a">SQS</text>
        <path d="M139 139 Q190 137 205 138 L220 140" fill="none" stroke="#57606a" stroke-dasharray="" marker-end="url(#arrow)"><title>Orders → DeadLetters: GetAtt Arn</title></path>
        <path d="M139 133 Q190 120 217 101 L243 83" fill="none" stroke="#57606a" stroke-dasharray="6 4" marker-end="url(#arrow)"><title>Orders → Logs: DependsOn</title></path>
        <path d="M160 58 Q190 55 211 57 L231 59" fill="none" stroke="#57606a" stroke-dasharray="2 4" marker-end="url(#arrow)"><title>Errors → Logs: implied: a metric filter belongs to a log group</title></path>
        <text x="193" y="52" font-size="10" font-weight="bold" fill="#57606a">1</text>
        <g><title>DeadLetters, AWS::SQS::Queue</title>
        <rect x="220" y="125" width="103" height="40" rx="5" fill="#ffffff" stroke="#57606a"/>
        <text x="272" y="141" text-anchor="middle" fill="#1f2328">DeadLetters</text>
        <text x="272" y="155" text-anchor="middle" font-size="10" fill="#57606a">Queue</text>
        </g>
        <g><title>Orders, AWS::SQS::Queue</title>
        <rect x="72" y="121" width="67" height="40" rx="5" fill="#ffffff" stroke="#57606a"/>
        <text x="105" y="137" text-anchor="middle" fill="#1f2328">Orders</text>
        <text x="105" y="151" text-anchor="middle" font-size="10" fill="#57606a">Queue</text>
        </g>
        <g><title>Logs, AWS::Logs::LogGroup</title>
        <rect x="231" y="43" width="82" height="40" rx="5" fill="#ffffff" stroke="#57606a"/>
        <text x="272" y="59" text-anchor="middle" fill="#1f2328">Logs</text>
        <text x="272" y="73" text-anchor="middle" font-size="10" fill="#57606a">LogGroup</text>
        </g>
        <g><title>Errors, AWS::Logs::MetricFilter</title>
        <rect x="50" y="43" width="110" height="40" rx="5" fill="#ffffff" stroke="#57606a"/>
        <text x="105" y="59" text-anchor="middle" fill="#1f2328">Errors</text>
        <text x="105" y="73" text-anchor="middle" font-size="10" fill="#57606a">MetricFilter</text>
        </g>
        </g>
        <path d="M20 251 L52 251" stroke="#57606a" stroke-dasharray="" marker-end="url(#arrow)"/>
        <text x="60" y="255"  fill="#1f2328">needs what it points to: Ref or GetAtt</text>
        <path d="M20 269 L52 269" stroke="#57606a" stroke-dasharray="6 4" marker-end="url(#arrow)"/>
        <text x="60" y="273"  fill="#1f2328">DependsOn</text>
        <path d="M20 287 L52 287" stroke="#57606a" stroke-dasharray="2 4" marker-end="url(#arrow)"/>
        <text x="60" y="291"  fill="#1f2328">implied, for the reason with its number</text>
        <text x="20" y="309"  fill="#57606a">1  a metric filter belongs to a log group</text>
        </svg>
    "##]].assert_eq(&svg(&orders()));
}

#[test]
fn a_plan_is_coloured_by_what_it_does() {
    let account = Account::default();
    account.apply(&desired(ORDERS)).expect("nothing crashes");
    let wanted =
        desired(&ORDERS.replace("maxReceiveCount: 3", "maxReceiveCount: 5").replace("QueueName: dead", "QueueName: d"));
    let picture = Picture::of_plan(&account.plan(&wanted), Some(&wanted));
    expect![[r#"
        flowchart LR
          subgraph s_Logs["Logs"]
            n1["Logs<br/>LogGroup"]:::no_change
            n3["Errors<br/>MetricFilter"]:::no_change
          end
          subgraph s_SQS["SQS"]
            n0["DeadLetters<br/>Queue"]:::replace
            n2["Orders<br/>Queue"]:::update
          end
          n2 -->|"GetAtt Arn"| n0
          n2 ==>|"DependsOn"| n1
          n3 -.->|"implied: a metric filter belongs to a log group"| n1
          classDef update fill:#fff8c5,stroke:#9a6700,color:#1f2328
          classDef replace fill:#fbefff,stroke:#8250df,color:#1f2328
          classDef no_change fill:#f6f8fa,stroke:#8c959f,color:#1f2328
    "#]]
    .assert_eq(&mermaid(&picture));
}

#[test]
fn what_is_deleted_keeps_the_edges_that_it_was_applied_with() {
    let account = Account::default();
    let wanted = desired(ORDERS);
    account.apply(&wanted).expect("nothing crashes");
    let picture = Picture::of_plan(&account.plan(&wanted.nothing()), None);
    expect![[r#"
        flowchart LR
          subgraph s_Logs["Logs"]
            n1["Errors<br/>MetricFilter"]:::delete
            n2["Logs<br/>LogGroup"]:::delete
          end
          subgraph s_SQS["SQS"]
            n0["DeadLetters<br/>Queue"]:::delete
            n3["Orders<br/>Queue"]:::delete
          end
          n1 -->|"waits"| n2
          n3 -->|"waits"| n0
          n3 -->|"waits"| n2
          classDef delete fill:#ffebe9,stroke:#cf222e,color:#1f2328
    "#]]
    .assert_eq(&mermaid(&picture));
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
