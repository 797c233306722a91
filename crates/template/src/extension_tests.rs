//! `AWS::LanguageExtensions`, and SAM's translations put back where they came from.

use std::collections::BTreeMap;

use expect_test::expect;
use serde_json::{Value, json};

use super::{DesiredGraph, Document, Inputs, Pseudo};
use crate::diagnostic::{Diagnostic, Source, Style, render};
use crate::identity::StackId;

fn source(text: &str) -> Source {
    Source::new("orders.yaml", text)
}

fn inputs(parameters: &[(&str, &str)]) -> Inputs {
    let pseudo = Pseudo {
        account_id: Some("123456789012".to_owned()),
        region: "eu-west-1".to_owned(),
        partition: "aws".to_owned(),
        stack: StackId::from("orders-dev"),
    };
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Inputs { parameters, imports: BTreeMap::new(), pseudo }
}

fn graph(text: &str, parameters: &[(&str, &str)]) -> Result<DesiredGraph, Vec<Diagnostic>> {
    let (source, inputs) = (source(text), inputs(parameters));
    let template = Document::read(&source, &inputs)?.template(&source)?;
    if template.has_mistakes() { Err(template.findings) } else { template.resolve(&inputs) }
}

/// The properties of each resource, and the outputs' values.
fn made(text: &str, parameters: &[(&str, &str)]) -> Value {
    let graph =
        graph(text, parameters).unwrap_or_else(|findings| panic!("{}", render(&findings, &source(text), Style::Plain)));
    let value = |expr| graph.evaluate(expr, &|id, name| Some(json!(format!("<{id}.{name}>")))).expect("a value");
    let resources = graph.resources.iter().map(|(id, resource)| (id.to_string(), value(&resource.properties)));
    let outputs = graph.outputs.iter().map(|(name, output)| (name.clone(), value(&output.value)));
    Value::Object(resources.chain(outputs).collect())
}

fn findings(text: &str) -> String {
    match graph(text, &[]) {
        Ok(_) => String::new(),
        Err(findings) => render(&findings, &source(text), Style::Plain),
    }
}

const LOOPS: &str = "
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: 'orders,re-funds'}}
Mappings: {Delays: {orders: {Seconds: '5'}, other: {Seconds: '7'}}}
Conditions:
  'Fn::ForEach::Wanted':
    - Name
    - !Ref Names
    - 'Is&{Name}': !Not [!Equals [!Ref Name, none]]
Resources:
  'Fn::ForEach::Queues':
    - Name
    - !Ref Names
    - 'Queue&{Name}':
        Type: AWS::SQS::Queue
        Condition: 'Is&{Name}'
        Properties:
          QueueName: !Sub '${Name}-${AWS::StackName}'
          DelaySeconds: !FindInMap [Delays, !Ref Name, Seconds, {DefaultValue: 3}]
          'Fn::ForEach::Kinds':
            - Kind
            - [Message, Group]
            - '${Kind}Of': !Ref Kind
Outputs:
  'Fn::ForEach::Urls':
    - Name
    - [orders]
    - '${Name}Url': {Value: !Ref {Fn::Sub: 'Queue${Name}'}}
      '${Name}Arn': {Value: !GetAtt [!Sub 'Queue${Name}', Arn]}
";

#[test]
fn loops_are_written_out_for_the_parameters_that_are_given() {
    expect![[r#"
        {
          "Queueorders": {
            "QueueName": "orders-orders-dev",
            "DelaySeconds": "5",
            "MessageOf": "Message",
            "GroupOf": "Group"
          },
          "Queuerefunds": {
            "QueueName": "re-funds-orders-dev",
            "DelaySeconds": 3,
            "MessageOf": "Message",
            "GroupOf": "Group"
          },
          "ordersUrl": "<Queueorders.Ref>",
          "ordersArn": "<Queueorders.Arn>"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&made(LOOPS, &[])).expect("JSON"));
    let given = made(LOOPS, &[("Names", "orders,a,none")]);
    let keys: Vec<_> = given.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(keys, ["Queueorders", "Queuea", "ordersUrl", "ordersArn"]);
}

#[test]
fn policies_and_lengths_may_be_functions() {
    let text = "
Transform: [AWS::LanguageExtensions]
Parameters: {Keep: {Type: String, Default: Delete}, Zones: {Type: CommaDelimitedList, Default: 'a,b,c'}}
Resources:
  Orders:
    Type: AWS::SQS::Queue
    DeletionPolicy: !Ref Keep
    Properties: {Count: !Length {Ref: Zones}, Json: !ToJsonString {a: 1}}
";
    assert_eq!(made(text, &[]), json!({"Orders": {"Count": 3, "Json": "{\"a\":1}"}}));
}

#[test]
fn a_loop_that_is_none_is_shown_at_its_place() {
    expect![[r#"
        error: `Fn::ForEach` takes a list of an identifier, a collection and a map of what to repeat
         --> orders.yaml:3:3
          |
        3 |   'Fn::ForEach::A': [Name, [a, b]]
          |   ^^^^^^^^^^^^^^^^

        error: there is no parameter or resource `Nowhere`
         --> orders.yaml:5:33
          |
        5 |   'Fn::ForEach::C': [Name, !Ref Nowhere, {'C${Name}': {Type: A}}]
          |                                 ^^^^^^^

        error: the key `Queue` occurs twice
         --> orders.yaml:6:3
          |
        4 |   'Fn::ForEach::B': [Name, [a], {Queue: {Type: A}, '${Name}ueue': {Type: A}}]
          |                                  ----- first here
        5 |   'Fn::ForEach::C': [Name, !Ref Nowhere, {'C${Name}': {Type: A}}]
        6 |   Queue: {Type: A}
          |   ^^^^^
          |
          = help: remove one of them, or rename it
    "#]]
    .assert_eq(&findings(
        "Transform: AWS::LanguageExtensions
Resources:
  'Fn::ForEach::A': [Name, [a, b]]
  'Fn::ForEach::B': [Name, [a], {Queue: {Type: A}, '${Name}ueue': {Type: A}}]
  'Fn::ForEach::C': [Name, !Ref Nowhere, {'C${Name}': {Type: A}}]
  Queue: {Type: A}
",
    ));
}

#[test]
fn loops_within_loops_end() {
    let mut body = "'Q${A}${B}${C}${D}${E}': {Type: AWS::SQS::Queue}".to_owned();
    for name in ["E", "D", "C", "B", "A"] {
        let items: Vec<_> = (0..30).map(|it| format!("x{it}")).collect();
        body = format!("'Fn::ForEach::{name}': [{name}, [{}], {{{body}}}]", items.join(", "));
    }
    let text = format!("Transform: AWS::LanguageExtensions\nResources: {{{body}}}\n");
    let said = findings(&text);
    assert!(said.contains("the loops write out more than 100000 values"), "{}", &said[..said.len().min(2000)]);
}

#[test]
fn extensions_have_to_be_asked_for() {
    let said = findings("Resources: {A: {Type: B, Properties: {C: {Fn::Length: [a]}}}}");
    assert!(said.contains("`Fn::Length` belongs to the language extensions"), "{said}");
    let said = findings("Resources: {'Fn::ForEach::A': [B, [c], {D: {Type: E}}]}");
    assert!(said.contains("write `Transform: AWS::LanguageExtensions` at the top"), "{said}");
}

const SAM: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src, Role: !GetAtt Role.Arn}
  Role: {Type: AWS::IAM::Role, Properties: {RoleName: !Sub 'a-${B}'}}
";

#[test]
fn what_sam_makes_has_the_place_of_what_it_is_made_of() {
    let source = source(SAM);
    let document = Document::read(&source, &inputs(&[])).expect("a document");
    let plain = document.for_sam().expect("it is for SAM");
    assert_eq!(plain["Resources"]["Hello"]["Properties"]["Role"], json!({"Fn::GetAtt": ["Role", "Arn"]}));
    let made = json!({"Resources": {
        "Hello": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"Ref": "Nothing"}}},
        "HelloEvents": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "Nobody"}}},
        "Role": plain["Resources"]["Role"].clone(),
    }});
    let findings = document.expanded(&made).template(&source).expect("a template").findings;
    let places: Vec<_> =
        findings.iter().map(|it| (it.message.as_str(), it.span.map(|span| &SAM[span.start..span.end]))).collect();
    assert_eq!(
        places,
        [
            ("there is no parameter or resource `Nothing`", Some("Hello")),
            ("there is no parameter or resource `Nobody`", Some("Hello")),
            ("there is no parameter or resource `B`", Some("${B}")),
        ]
    );
}

#[test]
fn a_loop_does_not_write_out_a_secret() {
    let text = "
Transform: AWS::LanguageExtensions
Parameters: {Keys: {Type: CommaDelimitedList, NoEcho: true}}
Resources:
  'Fn::ForEach::Queues':
    - Key
    - !Ref Keys
    - 'Queue&{Key}': {Type: AWS::SQS::Queue}
";
    let found = graph(text, &[("Keys", "hunter2")]).expect_err("a secret is no name");
    let found = render(&found, &source(text), Style::Plain);
    assert!(found.contains("a loop") && !found.contains("hunter2"), "{found}");
}
