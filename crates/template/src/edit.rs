//! Small changes to a template's text that leave everything else in it as it was written: comments, order, style.

use std::collections::BTreeMap;

use super::document::{Entry, Kind, Node, read};
use crate::diagnostic::Source;
use crate::identity::LogicalId;

/// What is to stand in a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A property of a text; one that is there already is replaced.
    Property { name: String, text: String },
    /// An attribute beside `Type`, such as `DeletionPolicy`; one that is there already is replaced.
    Attribute { name: String, text: String },
}

/// The template with the edits in it; `None` where it has no such resource, or cannot be read.
pub fn edited(source: &Source, edits: &[(LogicalId, Edit)]) -> Option<String> {
    let mut findings = Vec::new();
    let document = read(source, &mut findings)?;
    let resources = map(entry(map(&document)?, "Resources")?)?;
    // By place, so that those at one place stand in the order given.
    let mut pieces: BTreeMap<usize, (usize, String)> = BTreeMap::new();
    for (logical_id, edit) in edits {
        let resource = resources.iter().find(|it| it.key == logical_id.as_str())?;
        let (from, to, text) = piece(&source.text, resource, edit)?;
        let piece = pieces.entry(from).or_insert_with(|| (to, String::new()));
        piece.1.push_str(&text);
    }
    let mut text = source.text.clone();
    for (from, (to, piece)) in pieces.into_iter().rev() {
        text.replace_range(from..to, &piece);
    }
    Some(text)
}

/// The logical ids of a template's resources, with what they say of themselves as plain values, calls in their long form.
pub fn resources(source: &Source) -> Option<BTreeMap<LogicalId, serde_json::Value>> {
    let mut findings = Vec::new();
    let document = read(source, &mut findings)?;
    let resources = map(entry(map(&document)?, "Resources")?)?;
    Some(resources.iter().map(|it| (LogicalId::from(it.key.as_str()), it.value.to_value())).collect())
}

/// What is replaced by what: bytes, and the text.
fn piece(text: &str, resource: &Entry, edit: &Edit) -> Option<(usize, usize, String)> {
    let attributes = map(&resource.value)?;
    let first = attributes.first()?;
    match edit {
        Edit::Attribute { name, text: value } => match attributes.iter().find(|it| &it.key == name) {
            Some(there) => Some((there.value.span.start, there.value.span.end, quoted(value))),
            None => Some(insertion(text, first, &format!("{}: {}", key(text, first, name), quoted(value)))),
        },
        Edit::Property { name, text: value } => {
            let Some(properties) = attributes.iter().find(|it| it.key == "Properties") else {
                let pair = match style(text, first) {
                    Style::Block => {
                        format!("Properties:\n{}{name}: {}", " ".repeat(column(text, first) + 2), quoted(value))
                    }
                    Style::Flow => {
                        format!("{}: {{{}: {}}}", key(text, first, "Properties"), key(text, first, name), quoted(value))
                    }
                };
                return Some(insertion(text, first, &pair));
            };
            let entries = map(&properties.value)?;
            if let Some(there) = entries.iter().find(|it| &it.key == name) {
                return Some((there.value.span.start, end_of(text, &there.value), quoted(value)));
            }
            match entries.first() {
                Some(first) => Some(insertion(text, first, &format!("{}: {}", key(text, first, name), quoted(value)))),
                None => {
                    let span = properties.value.span;
                    Some((span.start, span.end, format!("{{{}: {}}}", quoted(name), quoted(value))))
                }
            }
        }
    }
}

/// How the entries of a map are kept apart.
enum Style {
    /// Each on a line of its own.
    Block,
    /// By commas: JSON, and YAML in one line.
    Flow,
}

/// A block's entries begin their lines; in JSON too, but there the keys have quotes.
fn style(text: &str, first: &Entry) -> Style {
    let before = text[..start(text, first)].rsplit('\n').next().unwrap_or_default();
    let is_alone = before.trim().is_empty() && !is_quoted(text, first);
    if is_alone { Style::Block } else { Style::Flow }
}

/// Puts a pair before the first entry of a map.
fn insertion(text: &str, first: &Entry, pair: &str) -> (usize, usize, String) {
    let at = start(text, first);
    let before = text[..at].rsplit('\n').next().unwrap_or_default();
    let lines = match (style(text, first), before.trim().is_empty()) {
        (Style::Block, _) => format!("{pair}\n{}", " ".repeat(column(text, first))),
        (Style::Flow, true) => format!("{pair},\n{before}"),
        (Style::Flow, false) => format!("{pair}, "),
    };
    (at, at, lines)
}

/// Where an entry begins, with the quotes of its key.
fn start(text: &str, entry: &Entry) -> usize {
    let at = entry.key_span.start;
    if at > 0 && is_quoted(text, entry) && !text[at..].starts_with(['"', '\'']) { at - 1 } else { at }
}

fn is_quoted(text: &str, entry: &Entry) -> bool {
    let at = entry.key_span.start;
    text[at..].starts_with(['"', '\'']) || text[..at].ends_with(['"', '\''])
}

fn column(text: &str, entry: &Entry) -> usize {
    text[..start(text, entry)].rsplit('\n').next().unwrap_or_default().chars().count()
}

/// A value's end without the line breaks behind it, which a block's span may have.
fn end_of(text: &str, value: &Node) -> usize {
    let span = value.span;
    span.start + text[span.start..span.end].trim_end().len()
}

/// A key as the map's other keys are written.
fn key(text: &str, first: &Entry, name: &str) -> String {
    if is_quoted(text, first) { quoted(name) } else { name.to_owned() }
}

/// A text as JSON and YAML both take it.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

fn map(node: &Node) -> Option<&Vec<Entry>> {
    match &node.kind {
        Kind::Map(entries) => Some(entries),
        _ => None,
    }
}

fn entry<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Node> {
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn edit(file: &str, text: &str) -> String {
        let source = Source::new(file, text.to_owned());
        let property = |id: &str, name: &str, text: &str| {
            (LogicalId::from(id), Edit::Property { name: name.to_owned(), text: text.to_owned() })
        };
        let retain = Edit::Attribute { name: "DeletionPolicy".to_owned(), text: "Retain".to_owned() };
        let edits = [
            property("Orders", "QueueName", "stack-Orders-1A2B"),
            property("Topic", "TopicName", "stack-Topic-3C4D"),
            property("Flow", "QueueName", "stack-Flow-5E6F"),
            property("Run", "Code", "code/Run.zip"),
            (LogicalId::from("Topic"), retain),
        ];
        let edited = edited(&source, &edits).expect("the template can be read");
        let again = edited.clone();
        assert!(resources(&Source::new(file, again)).is_some(), "what comes out can be read: {edited}");
        edited
    }

    #[test]
    fn a_yaml_template_keeps_its_comments_and_its_style() {
        let text = "\
Resources:
  Orders: # takes orders
    Type: AWS::SQS::Queue
    Properties:
      # seconds
      VisibilityTimeout: 30
  Topic:
    Type: AWS::SNS::Topic
  Flow: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 5}}
  Run:
    Type: AWS::Lambda::Function
    Properties:
      Code:
        S3Bucket: packages
        S3Key: run.zip
      Handler: index.handler
";
        expect![[r#"
            Resources:
              Orders: # takes orders
                Type: AWS::SQS::Queue
                Properties:
                  # seconds
                  QueueName: "stack-Orders-1A2B"
                  VisibilityTimeout: 30
              Topic:
                Properties:
                  TopicName: "stack-Topic-3C4D"
                DeletionPolicy: "Retain"
                Type: AWS::SNS::Topic
              Flow: {Type: AWS::SQS::Queue, Properties: {QueueName: "stack-Flow-5E6F", DelaySeconds: 5}}
              Run:
                Type: AWS::Lambda::Function
                Properties:
                  Code:
                    "code/Run.zip"
                  Handler: index.handler
        "#]]
        .assert_eq(&edit("template.yaml", text));
    }

    #[test]
    fn a_json_template_stays_one() {
        let text = r#"{"Resources": {
  "Orders": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30}},
  "Topic": {
    "Type": "AWS::SNS::Topic"
  },
  "Flow": {"Type": "AWS::SQS::Queue", "Properties": {}},
  "Run": {"Type": "AWS::Lambda::Function", "Properties": {
    "Code": {"S3Bucket": "packages", "S3Key": "run.zip"}
  }}
}}
"#;
        expect![[r#"
            {"Resources": {
              "Orders": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "stack-Orders-1A2B", "VisibilityTimeout": 30}},
              "Topic": {
                "Properties": {"TopicName": "stack-Topic-3C4D"},
                "DeletionPolicy": "Retain",
                "Type": "AWS::SNS::Topic"
              },
              "Flow": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "stack-Flow-5E6F"}},
              "Run": {"Type": "AWS::Lambda::Function", "Properties": {
                "Code": "code/Run.zip"
              }}
            }}
        "#]]
        .assert_eq(&edit("template.json", text));
    }
}
