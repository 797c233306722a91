//! Property values as people read them: on one line, on several, and beside what they were.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// A value that is longer than this stands on lines of its own.
const ONE_LINE: usize = 100;

/// A property on one line where there is room, else on several; on none where it says nothing.
pub fn unfolded(name: &str, value: &Value) -> Vec<String> {
    if says_nothing(value) {
        return Vec::new();
    }
    let line = inline(value);
    if is_tags(value) || line.len() <= ONE_LINE && !line.contains('\n') {
        return vec![format!("{name}: {line}")];
    }
    let lines = block(value);
    std::iter::once(format!("{name}:")).chain(lines.lines().map(|line| format!("  {line}"))).collect()
}

/// `before -> after`, where that is short.
pub fn on_one_line(before: Option<&Value>, after: Option<&Value>) -> Option<String> {
    let short = |value: Option<&Value>| match value {
        None => "(none)".to_owned(),
        Some(value) if says_nothing(value) => "(none)".to_owned(),
        Some(value) => inline(value),
    };
    let line = format!("{} -> {}", short(before), short(after));
    (line.len() <= ONE_LINE && !line.contains('\n')).then_some(line)
}

/// The lines that differ, each with two of its neighbours.
pub fn line_by_line(before: Option<&Value>, after: Option<&Value>) -> Vec<(ChangeTag, String)> {
    let text = |value: Option<&Value>| value.map(block).unwrap_or_default();
    let (before, after) = (text(before), text(after));
    let diff = TextDiff::from_lines(&before, &after);
    let groups = diff.grouped_ops(2);
    let changes = groups.iter().flatten().flat_map(|operation| diff.iter_changes(operation));
    changes.map(|change| (change.tag(), change.value().trim_end().to_owned())).collect()
}

/// A value on one line.
pub fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => tags(value).map_or_else(|| ordered(value).to_string(), |pairs| pairs.join(", ")),
    }
}

/// A value on as many lines as it needs, each ended.
fn block(value: &Value) -> String {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(parsed @ (Value::Object(_) | Value::Array(_))) => format!("{:#}\n", ordered(&parsed)),
            _ => format!("{text}\n"),
        },
        value => match tags(value) {
            Some(pairs) => pairs.iter().map(|pair| format!("{pair}\n")).collect(),
            None if says_nothing(value) => String::new(),
            None => format!("{:#}\n", ordered(value)),
        },
    }
}

/// The same with its fields in order of name: a template and AWS give the same fields in another order.
fn ordered(value: &Value) -> Value {
    let mut value = value.clone();
    value.sort_all_objects();
    value
}

/// An empty list or object is how a service says that there is nothing.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn is_tags(value: &Value) -> bool {
    tags(value).is_some()
}

/// Tags as people write them: `Owner=me`, `Environment=dev`. `None` for what is no list of tags.
fn tags(value: &Value) -> Option<Vec<String>> {
    let pair = |tag: &Value| {
        let fields = tag.as_object().filter(|fields| fields.len() == 2)?;
        Some(format!("{}={}", fields.get("Key")?.as_str()?, fields.get("Value")?.as_str()?))
    };
    let pairs: Option<Vec<String>> = value.as_array()?.iter().map(pair).collect();
    pairs.filter(|pairs| !pairs.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tags_are_read_as_pairs() {
        let tags = json!([{"Key": "Owner", "Value": "me"}, {"Key": "Team", "Value": "payments"}]);
        assert_eq!(unfolded("Tags", &tags), ["Tags: Owner=me, Team=payments"]);
        assert_eq!(on_one_line(None, Some(&tags)).as_deref(), Some("(none) -> Owner=me, Team=payments"));
    }

    #[test]
    fn a_document_in_a_text_is_compared_line_by_line() {
        let document = |action: &str| Value::from(json!({"Version": "2012-10-17", "Action": action}).to_string());
        let lines = line_by_line(Some(&document("sqs:*")), Some(&document("sqs:SendMessage")));
        let changed: Vec<&str> =
            lines.iter().filter(|(tag, _)| *tag != ChangeTag::Equal).map(|(_, line)| line.trim()).collect();
        assert_eq!(changed, [r#""Action": "sqs:*","#, r#""Action": "sqs:SendMessage","#]);
    }
}
