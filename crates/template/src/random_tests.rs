//! No text makes the template language panic, whatever AWS answers.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::diagnostic::{Diagnostic, Source, Style, render};
use crate::identity::StackId;
use crate::unknown;

/// A small template with every function in it, for others to be made of by cutting and pasting.
const EVERYTHING: &str = r#"AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Names: {Type: CommaDelimitedList, Default: 'a, b'}
  Stage: {Type: String, Default: prod, AllowedPattern: '[a-z]+', MaxLength: 9, NoEcho: true}
Mappings: {Sizes: {prod: {small: 1, list: [x, y]}}}
Conditions:
  IsProduction: !And [!Equals [!Ref Stage, prod], !Not [!Equals [a, b]]]
Rules: {R: {Assertions: [{Assert: {'Fn::Contains': [!Ref Names, a]}}]}}
Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Condition: IsProduction, Properties: &x {Name: é}}
  Queue:
    Type: AWS::SQS::Queue
    DependsOn: [Api]
    Properties:
      A: !If [IsProduction, !Ref Api, !Ref AWS::NoValue]
      B: !Join [',', !Split ['.', !GetAtt Api.Names]]
      C: !Sub ['${Api.Arn}/${V}/${!W}', {V: !Select [1, !GetAtt Api.List]}]
      D: !FindInMap [Sizes, !Ref Stage, !Ref Api]
      E: [!Base64 {Ref: Api}, !Length {'Fn::GetAtt': [Api, List]}, !ToJsonString {x: !Ref Api}]
      F: *x
      G: |
        text
Outputs: {Url: {Value: !GetAZs ''}}
Transform: AWS::LanguageExtensions
"#;

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n".to_owned()),
        Just("\n  ".to_owned()),
        Just("\n    - ".to_owned()),
        Just("\t".to_owned()),
        "[\\[\\]{},:?&*!|>'\"%@`#~<=-]",
        "(Resources|Conditions|Fn::Sub|!Ref|!GetAtt|!If|!!str|<<|\\$\\{A\\}|Type|Ref|yes|0x1|1e9|\\\\u0001): ?",
        "\\PC{0,3}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The template with a piece of it overwritten by another piece, or by noise.
fn spliced() -> impl Strategy<Value = String> {
    let length = EVERYTHING.len();
    (0..length, 0..60_usize, 0..length, 0..60_usize, prop::option::of(pieces())).prop_map(
        move |(at, cut, from, copy, noise)| {
            let slice = |start: usize, end: usize| {
                let [start, end] = [start, end].map(|it| EVERYTHING.floor_char_boundary(it));
                &EVERYTHING[start..end.max(start)]
            };
            let pasted = noise.unwrap_or_else(|| slice(from, from + copy).to_owned());
            format!("{}{pasted}{}", slice(0, at), slice(at + cut, length + cut))
        },
    )
}

fn attribute_values() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        Just(None),
        Just(Some(json!(["a", 1]))),
        Just(Some(json!(true))),
        Just(Some(Value::Null)),
        Just(Some(json!({"a": "b"}))),
        "\\PC{0,9}".prop_map(|text| Some(Value::String(text))),
        Just(Some(Value::String(unknown::named("Later")))),
    ]
}

/// Reads, resolves and evaluates a text, and shows what is wrong with it.
fn run(path: &str, text: &str, attribute: Option<&Value>) -> Result<(), Vec<Diagnostic>> {
    let template = parse(&Source::new(path, text))?;
    let pseudo =
        Pseudo { account_id: None, region: "us-east-1".into(), partition: "aws".into(), stack: StackId::from("s") };
    let graph = template.resolve(&Inputs { parameters: BTreeMap::new(), imports: BTreeMap::new(), pseudo })?;
    let exprs = graph.resources.values().map(|it| &it.properties).chain(graph.outputs.values().map(|it| &it.value));
    for expr in exprs {
        graph.evaluate(expr, &|_, _| attribute.cloned()).map_err(|finding| vec![finding])?;
    }
    Ok(())
}

fn survives(path: &str, text: &str, attribute: Option<&Value>) {
    if let Err(findings) = run(path, text, attribute) {
        assert!(!findings.is_empty(), "an error says what it is");
        let source = Source::new(path, text);
        for finding in &findings {
            assert!(finding.span.is_none_or(|span| text.get(span.start..span.end).is_some()), "{finding:?}");
        }
        render(&findings, &source, Style::Plain);
    }
}

#[test]
fn the_template_that_the_others_are_made_of_is_right() {
    assert_eq!(run("a.yaml", EVERYTHING, None), Ok(()));
}

proptest! {
    #[test]
    fn no_text_is_too_strange_to_be_read(text in "\\PC*", path in "a\\.(json|yaml)") {
        survives(&path, &text, None);
    }

    #[test]
    fn no_heap_of_syntax_is_too_strange_to_be_read(text in pieces(), path in "a\\.(json|yaml)") {
        survives(&path, &text, None);
    }

    #[test]
    fn a_template_with_a_mistake_in_it_is_survived(text in spliced(), attribute in attribute_values()) {
        survives("a.yaml", &text, attribute.as_ref());
    }
}
