//! Any text as one property of a template that has everything that an expression can refer to.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use paystack::diagnostic::Source;
use paystack::identity::StackId;
use paystack::template::{Inputs, Pseudo, draft};
use serde_json::json;

const BEFORE: &str = "
Parameters:
  Names: {Type: CommaDelimitedList, Default: 'a, b'}
  Stage: {Type: String, Default: prod, NoEcho: true}
Mappings: {Sizes: {prod: {small: 1, list: [x, y]}}}
Conditions: {IsProduction: !Equals [!Ref Stage, prod]}
Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Condition: IsProduction}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      A: ";

fuzz_target!(|text: &str| {
    let source = Source::new("a.yaml", format!("{BEFORE}{}\n", text.replace('\n', "\n        ")));
    let Ok(template) = draft(&source) else { return };
    let pseudo = Pseudo {
        account_id: Some("123456789012".into()),
        region: "us-east-1".into(),
        partition: "aws".into(),
        stack: StackId::from("fuzz"),
    };
    let (graph, _) = template.draft(&Inputs { parameters: BTreeMap::new(), imports: BTreeMap::new(), pseudo });
    for attribute in [None, Some(json!("text,text")), Some(json!(["a", 1, {"b": null}])), Some(json!(true))] {
        for resource in graph.resources.values() {
            // What is wrong with an expression is an answer too.
            let _ = graph.evaluate(&resource.properties, &|_, _| attribute.clone());
        }
    }
});
