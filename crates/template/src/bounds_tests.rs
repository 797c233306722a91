//! No text takes paystack more time or memory than a template is worth: each of these ends in an error, and soon.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::diagnostic::{Diagnostic, Source, Style, render};
use crate::identity::StackId;

/// What is wrong with a template, the first finding's message first; empty where all of it can be evaluated.
fn findings(text: &str) -> Vec<String> {
    findings_with(text, &[])
}

fn findings_with(text: &str, parameters: &[(&str, &str)]) -> Vec<String> {
    let source = Source::new("a.yaml", text);
    let pseudo =
        Pseudo { account_id: None, region: "us-east-1".into(), partition: "aws".into(), stack: StackId::from("s") };
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let found: Vec<Diagnostic> = match draft(&source) {
        Ok(template) => {
            let (graph, unresolved) = template.draft(&Inputs { parameters, imports: BTreeMap::new(), pseudo });
            let cycles = crate::graph::cycles(&graph);
            template.findings.into_iter().chain(unresolved).chain(cycles).collect()
        }
        Err(findings) => findings,
    };
    render(&found, &source, Style::Plain);
    found.into_iter().map(|finding| finding.message).collect()
}

fn queue(properties: &str) -> String {
    format!("Resources: {{Q: {{Type: AWS::SQS::Queue, Properties: {{{properties}}}}}}}")
}

#[test]
fn variables_within_variables_come_to_an_end() {
    let mut text = "!Sub x".to_owned();
    for _ in 0..15 {
        text = format!("!Sub ['{}', {{V: {text}}}]", "${V}".repeat(16));
    }
    assert_eq!(findings(&queue(&format!("A: {text}"))), ["the variables of `Fn::Sub` repeat more than 100000 values"]);
}

#[test]
fn what_grows_without_end_is_said_to() {
    let grows = ["what the template gives grows beyond 16 MB"];
    let long = "x".repeat(50_000);
    let parameter = format!("Parameters: {{P: {{Type: String, Default: {long}}}}}\n");
    let often = |what: &str, count: usize| vec![what; count].join(", ");
    // A parameter, named often; a delimiter between many; what is repeated by an alias.
    assert_eq!(findings(&(parameter.clone() + &queue(&format!("A: !Sub '{}'", "${P}".repeat(1000))))), grows);
    assert_eq!(findings(&(parameter.clone() + &queue(&format!("A: !Join [!Ref P, [{}]]", often("a", 1000))))), grows);
    let repeated = format!("A: [{}]", often("!Ref P", 1000));
    assert_eq!(findings(&(parameter.clone() + &queue(&repeated))), grows);
    // JSON within JSON: each level escapes the escapes of the one within.
    let nested = (0..24).fold("[a]".to_owned(), |text, _| format!("[!ToJsonString {text}]"));
    let extended = format!("Transform: AWS::LanguageExtensions\n{}", queue(&format!("A: {nested}")));
    assert_eq!(findings(&extended), grows);
    // Many pieces of nothing.
    let commas = format!("A: !Split [',', !Join [',', !Split ['x', !Sub '{}']]]", "${P}".repeat(20));
    assert_eq!(findings(&(parameter.clone() + &queue(&commas))), grows);
    // Each resource alone is small enough.
    let queues: Vec<_> = (0..50)
        .map(|index| format!("Q{index}: {{Type: A::B::C, Properties: {{A: [{}]}}}}", often("!Ref P", 100)))
        .collect();
    let found = findings(&format!("{parameter}Resources: {{{}}}", queues.join(", ")));
    assert_eq!(found.first().map(String::as_str), Some("what the template gives grows beyond 64 MB"));
}

#[test]
fn long_lists_are_compared_in_the_time_that_they_take_to_read() {
    let items: Vec<_> = (0..40_000).map(|index| index.to_string()).collect();
    let items = items.join(", ");
    let rule = format!("Rules: {{R: {{Assertions: [{{Assert: {{'Fn::EachMemberIn': [[{items}], [{items}]]}}}}]}}}}\n");
    assert_eq!(findings(&(rule + &queue(""))), [""; 0]);
    let keys: Vec<_> = (0..40_000).map(|index| format!("k{index}: 1")).collect();
    assert_eq!(findings(&queue(&keys.join(", "))), [""; 0]);
}

#[test]
fn thousands_of_mistakes_are_counted_and_the_first_of_them_explained() {
    let names: Vec<_> = (0..3000).map(|index| format!("Name{index}: {{Type: A::B::C}}")).collect();
    let wrong: Vec<_> = (0..3000).map(|index| format!("!Ref Nome{index}")).collect();
    let text =
        format!("Resources: {{{}, Q: {{Type: A::B::C, Properties: {{A: [{}]}}}}}}", names.join(", "), wrong.join(", "));
    assert_eq!(findings(&text).len(), 3000);
}

#[test]
fn long_chains_and_deep_nesting_are_no_trouble() {
    let chain: Vec<_> = (0..5000)
        .map(|index| format!("R{index}: {{Type: A::B::C, DependsOn: R{}}}", (index + 1) % 5001))
        .chain(["R5000: {Type: A::B::C}".to_owned()])
        .collect();
    assert_eq!(findings(&format!("Resources: {{{}}}", chain.join(", "))), [""; 0]);
    let ring: Vec<_> =
        (0..5000).map(|index| format!("R{index}: {{Type: A::B::C, DependsOn: R{}}}", (index + 1) % 5000)).collect();
    let found = findings(&format!("Resources: {{{}}}", ring.join(", ")));
    assert!(found[0].ends_with("… (5000 in all)") && found[0].len() < 500, "{found:?}");
    let conditions: Vec<_> = (1..5000).map(|index| format!("C{index}: !Not [!Condition C{}]", index - 1)).collect();
    let conditions = format!("Conditions: {{C0: !Equals [a, a], {}}}\n", conditions.join(", "));
    assert_eq!(findings(&(conditions + &queue(""))), [""; 0]);
    let nestings = ["[!Not ", "!Not [", "{\"a\":", "{a: ", "[", "- ", "? ", "!Sub [x, {a: "];
    for nesting in nestings.map(|it| it.repeat(100_000)) {
        let texts = [nesting.clone(), queue(&format!("A: {nesting}")), format!("Conditions: {{C: {nesting}")];
        for found in texts.iter().map(|text| findings(text)) {
            // Where the parser itself has had enough, it says so in its own words.
            let [message] = found.as_slice() else { panic!("{found:?}") };
            assert!(
                ["the template nests deeper than 100 levels", "this is not YAML"].contains(&message.as_str()),
                "{message}"
            );
        }
    }
}

#[test]
fn a_pattern_that_never_ends_is_given_up() {
    let text = "Parameters: {P: {Type: String, AllowedPattern: '(?=.*)(a+)+$'}}\nResources: {}";
    let found = findings_with(text, &[("P", &format!("{}b", "a".repeat(40)))]);
    assert!(found[0].ends_with("that takes too long; write it without a repetition within a repetition"), "{found:?}");
    let huge = "Parameters: {P: {Type: String, AllowedPattern: '((a{1000}){1000}){1000}'}}\nResources: {}";
    assert_eq!(findings_with(huge, &[("P", "a")]), ["`AllowedPattern` is not a regular expression"]);
}

#[test]
fn strange_numbers_and_characters_are_read_or_refused() {
    let digits = "9".repeat(1000);
    let numbers = format!("A: [1e999, {digits}, -0, 0x10, .inf, 1_000, {digits}.{digits}]");
    assert_eq!(findings(&queue(&numbers)), [""; 0]);
    for number in ["1e999", &digits] {
        let text =
            format!("{{\"Resources\": {{\"Q\": {{\"Type\": \"A::B::C\", \"Properties\": {{\"A\": {number}}}}}}}}}");
        assert!(findings(&text).len() < 2, "{number}");
    }
    let text = "Parameters: {P: {Type: Number, MaxValue: 1e400}}\nResources: {}";
    assert_eq!(findings_with(text, &[("P", "1e400")]), ["the parameter `P` is `1e400`, which is not a number"]);
    assert_eq!(findings("\u{feff}Resources:\r\n  Q:\r\n    Type: A::B::C\r\n"), [""; 0]);
    for text in
        ["Resources: \0", "\0", "a: \u{1}", "\u{feff}\u{feff}", "%YAML 9.9\n---\n", "--- ---", "? ? ? ?", "*a", "&a"]
    {
        assert!(!findings(text).is_empty(), "{text:?}");
    }
}

/// The evaluator alone, on values that no template can write.
#[test]
fn deep_values_from_aws_are_evaluated() {
    let deep = (0..120).fold(Value::from("x"), |value, _| Value::Array(vec![value]));
    let text = "Transform: AWS::LanguageExtensions\nResources: {Q: {Type: A::B::C}}\nOutputs: {O: {Value: !ToJsonString [!Ref Q]}}";
    let source = Source::new("a.yaml", text);
    let template = parse(&source).expect("a template");
    let pseudo =
        Pseudo { account_id: None, region: "us-east-1".into(), partition: "aws".into(), stack: StackId::from("s") };
    let graph =
        template.resolve(&Inputs { parameters: BTreeMap::new(), imports: BTreeMap::new(), pseudo }).expect("a graph");
    let value = graph.evaluate(&graph.outputs["O"].value, &|_, _| Some(deep.clone())).expect("a value");
    assert_eq!(value.as_str().map(str::len), Some(245));
}
