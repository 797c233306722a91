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
    Inputs { parameters: parameters.collect(), imports: BTreeMap::new(), pseudo: pseudo() }
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

fn value_of(expression: &str) -> Value {
    value_with(expression, &[])
}

/// What a property gives that is written as `expression`, in a small world.
fn value_with(expression: &str, attributes: &[(&str, &str, &str)]) -> Value {
    let graph = graph_of(&world(expression));
    let queue = &graph.resources[&LogicalId::from("Queue")];
    let value = graph.evaluate(&queue.properties, &known(attributes)).unwrap();
    value.get("Value").cloned().unwrap_or_default()
}

fn world(expression: &str) -> String {
    format!(
        "Parameters:
  Names: {{Type: CommaDelimitedList, Default: 'a, b,c'}}
  Count: {{Type: Number, Default: 3}}
Mappings: {{Sizes: {{us-east-1: {{small: 1, zones: [x, y]}}}}}}
Conditions:
  Always: !Equals [!Ref AWS::Region, us-east-1]
  Never: !Not [!Condition Always]
Resources:
  Api: {{Type: AWS::ApiGateway::RestApi}}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      Value: {expression}
Transform: AWS::LanguageExtensions
"
    )
}

#[test]
fn every_function_gives_what_cloudformation_says() {
    assert_eq!(value_of("!Ref Names"), json!(["a", "b", "c"]));
    assert_eq!(value_of("!Ref Count"), json!("3"));
    assert_eq!(value_of("!Join ['-', [a, 1, true, !Ref Count]]"), json!("a-1-true-3"));
    assert_eq!(value_of("{'Fn::Join': [',', !Ref Names]}"), json!("a,b,c"));
    assert_eq!(value_of("!Select [1, !Ref Names]"), json!("b"));
    assert_eq!(value_of("!Select ['2', !Split ['/', a/b/c]]"), json!("c"));
    assert_eq!(value_of("!FindInMap [Sizes, !Ref 'AWS::Region', small]"), json!(1));
    assert_eq!(value_of("!FindInMap [Sizes, mars, small, {DefaultValue: 9}]"), json!(9));
    assert_eq!(value_of("!If [Always, yes please, no thanks]"), json!("yes please"));
    assert_eq!(value_of("!If [Never, a, !If [Always, {b: 1}, c]]"), json!({"b": 1}));
    assert_eq!(value_of("!Base64 text"), json!("dGV4dA=="));
    assert_eq!(value_of("!Length [1, 2, !Ref AWS::NoValue]"), json!(2));
    assert_eq!(value_of("!ToJsonString {a: [1, !Ref Count]}"), json!(r#"{"a":[1,"3"]}"#));
    assert_eq!(value_of("!Select [5, !GetAZs '']"), json!("us-east-1f"));
    assert_eq!(value_of("[a, !Ref AWS::NoValue, {b: !Ref AWS::NoValue, c: 1}]"), json!(["a", {"c": 1}]));
    assert_eq!(value_of("!Ref AWS::NoValue"), Value::Null);
    assert_eq!(value_of("{Condition: Always}"), json!({"Condition": "Always"}));
}

#[test]
fn sub_replaces_names_and_nothing_else() {
    assert_eq!(value_of("!Sub '${AWS::StackName}-${Count}-${!Kept}-$x-${'"), json!("orders-dev-3-${Kept}-$x-${"));
    assert_eq!(value_of("!Sub ['${A}${B}', {A: !Ref Count, B: !Sub '${Count}!'}]"), json!("33!"));
    let url = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}";
    let api = [("Api", "Ref", "abc")];
    assert_eq!(value_with(&format!("!Sub {url}"), &api), json!("https://abc.execute-api.us-east-1.amazonaws.com"));
}

#[test]
fn what_is_made_of_an_unknown_is_unknown() {
    let shown = |expression| unknown::display(value_of(expression).as_str().unwrap());
    assert_eq!(shown("!Ref Api"), "(known after apply)");
    assert_eq!(shown("!Sub 'a/${Api.RootResourceId}/${Count}'"), "a/${Api.RootResourceId}/3");
    assert_eq!(shown("!Join ['/', [a, !Ref Api]]"), "a/${Api.Ref}");
    assert_eq!(shown("!Sub ['x${A}', {A: !Base64 {Ref: Api}}]"), "x${Fn::Base64 of Api.Ref}");
    assert_eq!(
        shown("!Sub ['x${A}', {A: !Select [1, !Split [':', !GetAtt Api.Arn]]}]"),
        "x${Fn::Select of Fn::Split of Api.Arn}"
    );
    assert_eq!(shown("!Join [',', ['-', !FindInMap [Sizes, !Ref Api, small]]]"), "-,${Fn::FindInMap of Api.Ref}");
    assert_eq!(shown("!ToJsonString {a: [!Ref Api]}"), r#"{"a":["${Api.Ref}"]}"#);
    assert_eq!(shown("!Sub ['${A}.', {A: !Length {'Fn::GetAtt': [Api, A.B]}}]"), "${Fn::Length of Api.A.B}.");
    assert_ne!(value_of("!Select [0, !Split [':', !Ref Api]]"), value_of("!Ref Api"));
}

#[test]
fn an_account_that_was_not_asked_for_is_unknown() {
    let template = parse(&source(&world("!Sub 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:q'"))).unwrap();
    let inputs = Inputs { pseudo: Pseudo { account_id: None, ..pseudo() }, ..inputs(&[]) };
    let graph = template.resolve(&inputs).unwrap();
    let value = graph.evaluate(&graph.resources[&LogicalId::from("Queue")].properties, &known(&[])).unwrap();
    assert_eq!(unknown::display(value["Value"].as_str().unwrap()), "arn:aws:sqs:us-east-1:${AWS::AccountId}:q");
}

#[test]
fn a_broken_file_says_where() {
    expect![[r#"
        error: this is not YAML
         --> orders.yaml:4:4
          |
        4 |    Properties: {}
          |    ^ while parsing a block mapping, did not find expected key
    "#]]
    .assert_eq(&findings("Resources:\n  Orders:\n    Type: AWS::SQS::Queue\n   Properties: {}\n"));
    expect![[r#"
        error: this is not YAML
         --> orders.yaml:2:18
          |
        2 |   Orders: {Type: 'AWS::SQS::Queue}
          |                  ^ while scanning a quoted scalar, found unexpected end of stream
    "#]]
    .assert_eq(&findings("Resources:\n  Orders: {Type: 'AWS::SQS::Queue}\n"));
}

#[test]
fn all_errors_of_a_file_are_shown_at_once() {
    expect![[r#"
        error: the resource `Orders` cannot have `Propertis`
         --> orders.yaml:6:5
          |
        6 |     Propertis: {}
          |     ^^^^^^^^^
          |
          = help: did you mean `Properties`?

        error: there is no parameter or resource `Suffix`
         --> orders.yaml:8:30
          |
        8 |       QueueName: !Sub orders-${Suffix}
          |                              ^^^^^^^^^
          |
          = help: did you mean `Sufix`?

        error: there is no resource `Order`
         --> orders.yaml:9:22
          |
        9 |       Tags: [!GetAtt Order.Arn, !Jion ['', []], {Ref: Orders}]
          |                      ^^^^^^^^^
          |
          = help: did you mean `Orders`?

        error: there is no function `!Jion`
         --> orders.yaml:9:33
          |
        9 |       Tags: [!GetAtt Order.Arn, !Jion ['', []], {Ref: Orders}]
          |                                 ^^^^^
          |
          = help: did you mean `!Join`?

        error: `Orders` refers to itself
         --> orders.yaml:9:55
          |
        9 |       Tags: [!GetAtt Order.Arn, !Jion ['', []], {Ref: Orders}]
          |                                                       ^^^^^^
          |
          = help: a value cannot be known before the resource that it is given to

        error: the key `Tags` occurs twice
          --> orders.yaml:10:7
           |
         9 |       Tags: [!GetAtt Order.Arn, !Jion ['', []], {Ref: Orders}]
           |       ---- first here
        10 |       Tags: []
           |       ^^^^
           |
           = help: remove one of them, or rename it

        error: there is no resource `Order`
          --> orders.yaml:13:17
           |
        13 |     DependsOn: [Order]
           |                 ^^^^^
           |
           = help: did you mean `Orders`?

        error: a template cannot have `Output`
          --> orders.yaml:14:1
           |
        14 | Output: {}
           | ^^^^^^
           |
           = help: did you mean `Outputs`?
    "#]]
    .assert_eq(&findings(
        "Parameters:
  Sufix: {Type: String}
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Propertis: {}
    Properties:
      QueueName: !Sub orders-${Suffix}
      Tags: [!GetAtt Order.Arn, !Jion ['', []], {Ref: Orders}]
      Tags: []
  Alarm:
    Type: Custom::Alarm
    DependsOn: [Order]
Output: {}
",
    ));
}

#[test]
fn what_cannot_be_done_is_refused_with_the_way_out() {
    expect![[r#"
        error: the parameter type `AWS::SSM::Parameter::Value<String>` is not supported
         --> orders.yaml:2:15
          |
        2 |   Ami: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /x}
          |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a plan must not change because a value in the Parameter Store has
          |
          = help: make it a `String`, and pass the value

        error: `Fn::ForEach` is not supported
         --> orders.yaml:5:3
          |
        5 |   'Fn::ForEach::Queues': [Name, [a, b], {}]
          |   ^^^^^^^^^^^^^^^^^^^^^ loops belong to the language extensions
          |
          = help: write `Transform: AWS::LanguageExtensions` at the top of the template

        error: `UpdatePolicy` is not supported
         --> orders.yaml:8:5
          |
        8 |     UpdatePolicy: {}
          |     ^^^^^^^^^^^^
          |
          = help: remove it: no type that paystack handles has a use for it

        error: `!Equals` gives no value
          --> orders.yaml:11:13
           |
        11 |       Tags: !Equals [a, b]
           |             ^^^^^^^
           |
           = help: state it under `Conditions`, and choose a value with `Fn::If`

        error: null is not allowed in a template
          --> orders.yaml:12:14
           |
        12 |       Other: null
           |              ^^^^
           |
           = help: leave the property out, or give it `!Ref AWS::NoValue`
    "#]]
    .assert_eq(&findings(
        "Parameters:
  Ami: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /x}
Resources:
  Nested: {Type: AWS::CloudFormation::Stack}
  'Fn::ForEach::Queues': [Name, [a, b], {}]
  Orders:
    Type: AWS::SQS::Queue
    UpdatePolicy: {}
    Properties:
      QueueName: !ImportValue shared-name
      Tags: !Equals [a, b]
      Other: null
",
    ));
    expect![[r#"
        error: this transform is not supported
         --> orders.yaml:1:12
          |
        1 | Transform: AWS::Serverless-2016-10-31
          |            ^^^^^^^^^^^^^^^^^^^^^^^^^^ macros run inside of CloudFormation
          |
          = help: write out what the macro makes
    "#]]
    .assert_eq(&findings("Transform: AWS::Serverless-2016-10-31\nGlobals: {}\nResources: {A: {Type: B, X: !Ref C}}\n"));
}

#[test]
fn a_parameter_has_to_be_given_and_to_fit() {
    let text = "Parameters:
  Suffix: {Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: letters only}
  Count: {Type: Number, MinValue: 1}
  Key: {Type: String, NoEcho: true, MinLength: 8}
  Zone: {Type: String, AllowedValues: [a, b]}
Resources: {}
";
    expect![[r#"
        error: the template has no parameter `Zon`
         |
         = help: did you mean `Zone`?

        error: the parameter `Suffix` is `dev1`, which does not match `[a-z]+`
         --> orders.yaml:2:3
          |
        2 |   Suffix: {Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: letters only}
          |   ^^^^^^
          |
          = help: letters only

        error: the parameter `Count` is `0`, which is less than 1
         --> orders.yaml:3:3
          |
        3 |   Count: {Type: Number, MinValue: 1}
          |   ^^^^^

        error: the parameter `Key` is a secret, which has fewer than 8 characters
         --> orders.yaml:4:3
          |
        4 |   Key: {Type: String, NoEcho: true, MinLength: 8}
          |   ^^^

        error: the parameter `Zone` has no value
         --> orders.yaml:5:3
          |
        5 |   Zone: {Type: String, AllowedValues: [a, b]}
          |   ^^^^
          |
          = help: give it with `-p Zone=…`, or under `parameters` in paystack.toml
    "#]]
    .assert_eq(&findings_with(text, &[("Suffix", "dev1"), ("Count", "0"), ("Key", "hunter2"), ("Zon", "a")]));
}

#[test]
fn a_rule_that_is_broken_says_what_it_is_for() {
    let text = "Parameters: {Stage: {Type: String}, Size: {Type: String}}
Rules:
  ProductionIsLarge:
    RuleCondition: !Equals [!Ref Stage, prod]
    Assertions:
      - Assert: {'Fn::Contains': [[large, huge], !Ref Size]}
        AssertDescription: production needs room
  CheckBootstrapVersion: {Assertions: [{Assert: {'Fn::Anything': []}}]}
Resources: {}
";
    assert_eq!(findings_with(text, &[("Stage", "prod"), ("Size", "large")]), "");
    assert_eq!(findings_with(text, &[("Stage", "dev"), ("Size", "small")]), "");
    expect![[r#"
        error: the rule `ProductionIsLarge` is broken
         --> orders.yaml:6:17
          |
        6 |       - Assert: {'Fn::Contains': [[large, huge], !Ref Size]}
          |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ production needs room
    "#]]
    .assert_eq(&findings_with(text, &[("Stage", "prod"), ("Size", "small")]));
}

const CONDITIONAL: &str = "Parameters: {Stage: {Type: String}}
Conditions: {IsProduction: !Equals [!Ref Stage, prod]}
Resources:
  Alarm: {Type: AWS::SNS::Topic, Condition: IsProduction}
  Orders:
    Type: AWS::SQS::Queue
    DependsOn: Alarm
    Properties:
      Tags: [!If [IsProduction, !Ref Alarm, !Ref AWS::NoValue]]
Outputs: {Alarm: {Value: !Ref Alarm, Condition: IsProduction}}
";

#[test]
fn what_has_a_condition_that_does_not_hold_is_not_there() {
    let production = resolved(CONDITIONAL, &[("Stage", "prod")]).unwrap();
    let orders = &production.resources[&LogicalId::from("Orders")];
    assert_eq!((production.resources.len(), production.outputs.len()), (2, 1));
    assert_eq!((orders.depends_on.len(), orders.references.len()), (1, 1));

    let development = resolved(CONDITIONAL, &[("Stage", "dev")]).unwrap();
    let orders = &development.resources[&LogicalId::from("Orders")];
    assert_eq!((development.resources.len(), development.outputs.len()), (1, 0));
    assert_eq!((orders.depends_on.len(), orders.references.len()), (0, 0));
}

#[test]
fn a_reference_to_what_is_not_there_says_why_it_is_not() {
    let text = CONDITIONAL.replace("!If [IsProduction, !Ref Alarm, !Ref AWS::NoValue]", "!GetAtt Alarm.TopicArn");
    expect![[r#"
        error: `TopicArn` of the resource `Alarm` is not there to refer to
         --> orders.yaml:9:14
          |
        4 |   Alarm: {Type: AWS::SNS::Topic, Condition: IsProduction}
          |   ----- declared here
        ...
        9 |       Tags: [!GetAtt Alarm.TopicArn]
          |              ^^^^^^^^^^^^^^^^^^^^^^ its condition `IsProduction` does not hold
          |
          = help: refer to it within `Fn::If: [IsProduction, …]`, or put this under the same condition
    "#]]
    .assert_eq(&findings_with(&text, &[("Stage", "dev")]));
}

#[test]
fn conditions_that_cannot_be_decided_are_reported() {
    expect![[r#"
        error: conditions go round in a circle: A -> B -> A
         --> orders.yaml:2:3
          |
        2 |   A: !Or [!Condition B, !Equals [1, 2]]
          |   ^

        error: a condition cannot refer to the resource `Orders`
         --> orders.yaml:4:20
          |
        4 |   C: !Equals [!Ref Orders, x]
          |                    ^^^^^^
          |
          = help: conditions are decided by parameters, mappings and pseudo parameters

        error: `!Join` is not a condition
         --> orders.yaml:5:6
          |
        5 |   D: !Join ['', []]
          |      ^^^^^
          |
          = help: compare what it gives with `Fn::Equals`

        error: there is no condition `Missing`
         --> orders.yaml:6:23
          |
        6 |   E: !Not [!Condition Missing]
          |                       ^^^^^^^
    "#]]
    .assert_eq(&findings(
        "Conditions:
  A: !Or [!Condition B, !Equals [1, 2]]
  B: !Not [!Condition A]
  C: !Equals [!Ref Orders, x]
  D: !Join ['', []]
  E: !Not [!Condition Missing]
Resources: {Orders: {Type: AWS::SQS::Queue}}
",
    ));
}

#[test]
fn a_call_that_can_give_nothing_is_reported_before_anything_is_planned() {
    expect![[r#"
        error: `Fn::Select` has no item `3` in a list of 3
          --> orders.yaml:13:23
           |
        13 |       Value: !Select [3, !Ref Names]
           |                       ^

        error: there is no `smal` in `us-east-1` of the mapping `Sizes`
          --> orders.yaml:14:40
           |
        14 |       A: !FindInMap [Sizes, us-east-1, smal]
           |                                        ^^^^
           |
           = help: did you mean `small`?

        error: `Fn::Join` takes a list, found a string
          --> orders.yaml:15:21
           |
        15 |       B: !Join ['', !Ref Count]
           |                     ^^^^^^^^^^

        error: `Fn::Sub` takes a string here, found a list
          --> orders.yaml:16:16
           |
        16 |       C: !Sub '${Names}'
           |                ^^^^^^^^

        error: which availability zones `eu-west-1` has is not known without asking AWS
          --> orders.yaml:17:18
           |
        17 |       D: !GetAZs eu-west-1
           |                  ^^^^^^^^^
           |
           = help: write out the zones, or pass them as a parameter
    "#]]
    .assert_eq(&findings(&world(
        "!Select [3, !Ref Names]
      A: !FindInMap [Sizes, us-east-1, smal]
      B: !Join ['', !Ref Count]
      C: !Sub '${Names}'
      D: !GetAZs eu-west-1",
    )));
}

#[test]
fn warnings_come_with_a_template_that_works() {
    let text = "Resources: {Orders: {Type: AWS::SQS::Queue, Properties: {FifoQueue: yes}}}
Outputs: {Url: {Value: !Ref Orders, Export: {Name: orders}}}
";
    expect![[r#"
        warning: CloudFormation reads `yes` without quotes as the boolean `true`
         --> orders.yaml:1:69
          |
        1 | Resources: {Orders: {Type: AWS::SQS::Queue, Properties: {FifoQueue: yes}}}
          |                                                                     ^^^
          |
          = help: write `"yes"` for the text, or `true` for the boolean
    "#]]
    .assert_eq(&render(&parse(&source(text)).unwrap().findings, &source(text), Style::Plain));
}

#[test]
fn what_cdk_adds_for_itself_is_left_out() {
    let graph = graph_of(
        r#"{
            "Resources": {
                "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Condition": "Available", "Properties": {"Analytics": "v2"}},
                "Orders": {"Type": "AWS::SQS::Queue", "Metadata": {"aws:cdk:path": "Stack/Orders"}}
            },
            "Conditions": {"Available": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}},
            "Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk"}},
            "Rules": {"CheckBootstrapVersion": {"Assertions": [{"Assert": {"Fn::Contains": [["1"], {"Ref": "BootstrapVersion"}]}}]}}
        }"#,
    );
    assert_eq!(graph.resources.keys().map(LogicalId::as_str).collect::<Vec<_>>(), ["Orders"]);
}

#[test]
fn a_finding_about_a_property_leads_to_its_place() {
    let text = world("{a: [!If [Never, x, !Ref AWS::NoValue], 1, !If [Always, {b: !Sub '${Count}'}, c]]}");
    let graph = graph_of(&text);
    let properties = &graph.resources[&LogicalId::from("Queue")].properties;
    let place = |path: &[PathStep], part| {
        let span = properties.span_at(path, part);
        text[span.start..span.end].to_owned()
    };
    let path: [PathStep; 5] = ["Value".into(), "a".into(), 1.into(), "b".into(), "deeper".into()];
    assert_eq!(place(&path[..1], Part::Key), "Value");
    assert_eq!(place(&path[..3], Part::Key), "{b: !Sub '${Count}'}");
    assert_eq!(place(&path[..4], Part::Key), "b");
    assert_eq!(place(&path[..4], Part::Value), "!Sub '${Count}'");
    assert_eq!(place(&path, Part::Key), "!Sub '${Count}'");
}

#[test]
fn a_property_can_be_given_a_known_value() {
    let mut graph = graph_of(&world("!Ref Api"));
    let queue = graph.resources.get_mut(&LogicalId::from("Queue")).unwrap();
    assert_eq!(queue.references.len(), 1);
    queue.set_property("Value", json!({"known": true}));
    queue.set_property("More", json!([1]));
    assert!(queue.references.is_empty());
    let queue = queue.clone();
    let value = graph.evaluate(&queue.properties, &known(&[])).unwrap();
    assert_eq!(value, json!({"Value": {"known": true}, "More": [1]}));
}

#[test]
fn a_secret_is_known_to_be_one() {
    let graph = resolved(
        "Parameters: {Key: {Type: String, NoEcho: true}}
Resources: {Orders: {Type: AWS::SQS::Queue, Properties: {Shown: a, Hidden: !Sub 'x${Key}'}}}
",
        &[("Key", "hunter2")],
    )
    .unwrap();
    let properties = &graph.resources[&LogicalId::from("Orders")].properties;
    let has_secret = |name: &str| properties.at(&[name.into()]).is_some_and(|expr| graph.has_secret(expr));
    assert!(has_secret("Hidden") && !has_secret("Shown"));
}

#[test]
fn what_is_secret_in_another_stack_stays_secret() {
    let template =
        "Resources: {Orders: {Type: AWS::SQS::Queue, Properties: {Hidden: !ImportValue key, Shown: !ImportValue url}}}";
    let mut graph = resolved(template, &[]).unwrap();
    graph.import("key".to_owned(), "hunter2".to_owned(), true);
    graph.import("url".to_owned(), "https://example.com".to_owned(), false);
    let properties = &graph.resources[&LogicalId::from("Orders")].properties;
    let has_secret = |name: &str| properties.at(&[name.into()]).is_some_and(|expr| graph.has_secret(expr));
    assert!(has_secret("Hidden") && !has_secret("Shown"));
}

#[test]
fn what_nests_as_deep_as_is_allowed_can_be_evaluated() {
    let depth = 90;
    let value = value_of(&format!("{}!Sub '${{Count}}'{}", "{a: [".repeat(depth / 2), "]}".repeat(depth / 2)));
    assert!(value.to_string().contains("\"3\""));
}

#[test]
fn conditions_that_name_each_other_are_decided_once() {
    let levels: String =
        (0..5000).map(|it| format!("  C{it}: !And [!Condition C{0}, !Condition C{0}]\n", it + 1)).collect();
    let text =
        format!("Conditions:\n{levels}  C5000: !Equals [a, a]\nResources: {{A: {{Type: A::B::C, Condition: C0}}}}\n");
    assert_eq!(graph_of(&text).resources.len(), 1);
}
