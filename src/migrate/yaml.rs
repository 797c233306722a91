//! A template's YAML from plain values: blocks, short-form calls, quotation marks only where they are needed. Pure.

use serde_json::{Map, Value};

/// Writes an object as a block, each line so far to the right.
pub fn block(fields: &Map<String, Value>, indent: usize) -> String {
    let mut text = String::new();
    write_fields(&mut text, fields, indent);
    text
}

/// One entry of a block.
pub fn entry(text: &mut String, key: &str, value: &Value, indent: usize) {
    text.push_str(&" ".repeat(indent));
    write_entry(text, key, value, indent);
}

fn write_fields(text: &mut String, fields: &Map<String, Value>, indent: usize) {
    for (key, value) in fields {
        entry(text, key, value, indent);
    }
}

fn write_entry(text: &mut String, key: &str, value: &Value, indent: usize) {
    text.push_str(&plain_or_quoted(key));
    text.push(':');
    match value {
        Value::Object(fields) if !fields.is_empty() && call(fields).is_none() => {
            text.push('\n');
            write_fields(text, fields, indent + 2);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            write_items(text, items, indent + 2);
        }
        value => {
            text.push(' ');
            write_scalar(text, value, indent + 2);
        }
    }
}

fn write_items(text: &mut String, items: &[Value], indent: usize) {
    for item in items {
        text.push_str(&" ".repeat(indent));
        text.push_str("- ");
        match item {
            Value::Object(fields) if !fields.is_empty() && call(fields).is_none() => {
                for (index, (key, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        text.push_str(&" ".repeat(indent + 2));
                    }
                    write_entry(text, key, value, indent + 2);
                }
            }
            // A list in a list stands in one line: no property of these types has a long one.
            Value::Array(items) if !items.is_empty() => {
                text.push_str(&item.to_string());
                text.push('\n');
            }
            item => write_scalar(text, item, indent + 2),
        }
    }
}

fn write_scalar(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(fields) => match call(fields) {
            Some((tag, argument)) => {
                text.push_str(tag);
                text.push(' ');
                write_text(text, argument, indent);
            }
            None => text.push_str("{}\n"),
        },
        Value::String(it) => write_text(text, it, indent),
        value => {
            text.push_str(&value.to_string());
            text.push('\n');
        }
    }
}

/// A call in its short form: its tag and its one argument.
fn call(fields: &Map<String, Value>) -> Option<(&'static str, &str)> {
    let (name, argument) = fields.iter().next().filter(|_| fields.len() == 1)?;
    let tag = match name.as_str() {
        "Ref" => "!Ref",
        "Fn::GetAtt" => "!GetAtt",
        "Fn::Sub" => "!Sub",
        _ => return None,
    };
    Some((tag, argument.as_str()?))
}

fn write_text(text: &mut String, value: &str, indent: usize) {
    let is_block = value.contains('\n') && value.lines().all(is_printable_line) && !value.starts_with([' ', '\n']);
    if !is_block {
        text.push_str(&plain_or_quoted(value));
        text.push('\n');
        return;
    }
    let kept = value.trim_end_matches('\n');
    text.push_str(match value.len() - kept.len() {
        0 => "|-\n",
        1 => "|\n",
        _ => "|+\n",
    });
    for line in value.lines() {
        if !line.is_empty() {
            text.push_str(&" ".repeat(indent));
            text.push_str(line);
        }
        text.push('\n');
    }
}

/// Nothing that would have to be escaped, nor white space at the end that nobody sees.
fn is_printable_line(line: &str) -> bool {
    !line.ends_with([' ', '\t']) && line.chars().all(|character| character == '\t' || !character.is_control())
}

/// A text as YAML takes it for a text, in version 1.1 as in 1.2.
fn plain_or_quoted(text: &str) -> String {
    const WORDS: [&str; 11] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "nan"];
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_-./:$+=@ ".contains(character);
    let begins_well = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/' || first == '_')
        || text.starts_with("./")
        || text.starts_with("../");
    let is_a_word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    if begins_well && text.chars().all(is_plain) && !is_a_word && !text.contains(": ") && !text.ends_with([':', ' ']) {
        text.to_owned()
    } else {
        Value::String(text.to_owned()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::diagnostic::Source;
    use crate::template::edit::resources;

    fn written(value: &Value) -> String {
        block(value.as_object().expect("an object"), 0)
    }

    #[test]
    fn a_template_is_written_as_people_write_it() {
        let value = json!({
            "Action": ["sqs:SendMessage", "*"],
            "Arn": {"Fn::GetAtt": "Orders.Arn"},
            "Empty": {},
            "Enabled": true,
            "List": [{"Key": "a", "Value": {"Ref": "Orders"}}, []],
            "Method": {"Fn::Sub": "${Api}/*/POST"},
            "Text": "fields @message\n| limit 20\n",
            "Time": "2012-10-17",
            "Word": "no",
        });
        expect![[r#"
            Action:
              - sqs:SendMessage
              - "*"
            Arn: !GetAtt Orders.Arn
            Empty: {}
            Enabled: true
            List:
              - Key: a
                Value: !Ref Orders
              - []
            Method: !Sub "${Api}/*/POST"
            Text: |
              fields @message
              | limit 20
            Time: "2012-10-17"
            Word: "no"
        "#]]
        .assert_eq(&written(&value));
    }

    fn values() -> impl Strategy<Value = Value> {
        let text = prop_oneof![any::<String>(), "[ -~\n]{0,20}", Just("yes".to_owned()), Just("1e3".to_owned())];
        let texts = text.prop_filter("calls are no texts", |it| !it.contains('\u{1}')).prop_map(Value::from);
        let leaf = prop_oneof![texts, any::<bool>().prop_map(Value::from), any::<i32>().prop_map(Value::from)];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ -~]{1,8}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in values()) {
            let resource = json!({"Type": "AWS::SQS::Queue", "Properties": {"Value": value}});
            let text = written(&json!({"Resources": {"It": resource}}));
            let read = resources(&Source::new("template.yaml", text.clone()));
            prop_assert_eq!(read.as_ref().and_then(|it| it.get(&"It".into())), Some(&resource), "{}", text);
        }
    }
}
