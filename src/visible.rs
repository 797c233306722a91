//! Text from elsewhere (templates, AWS, ledgers, kept plans) as people may be shown it: with everything written out that a
//! terminal would obey, or that nobody would see. Pure.

use std::borrow::Cow;

use serde_json::Value;

/// A text of several lines.
pub fn visible(text: &str) -> Cow<'_, str> {
    written_out(text, |it| !matches!(it, '\n' | '\t') && is_dangerous(it))
}

/// A name, or whatever else has to stay on its line.
pub fn on_its_line(text: &str) -> Cow<'_, str> {
    written_out(text, is_dangerous)
}

/// A value with every text in it made visible.
pub fn visible_within(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(visible(text).into_owned()),
        Value::Array(items) => items.iter().map(visible_within).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (on_its_line(key).into_owned(), visible_within(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// JSON, in which all that is written in another way and means the same.
pub fn in_json(text: &str) -> Cow<'_, str> {
    let is_written_out = |it: char| it != '\n' && is_dangerous(it);
    if !text.contains(is_written_out) {
        return Cow::Borrowed(text);
    }
    let mut units = [0; 2];
    let mut written = String::with_capacity(text.len());
    for it in text.chars() {
        match is_written_out(it) {
            true => it.encode_utf16(&mut units).iter().for_each(|unit| written.push_str(&format!("\\u{unit:04x}"))),
            false => written.push(it),
        }
    }
    Cow::Owned(written)
}

fn written_out(text: &str, is_written_out: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_written_out) {
        return Cow::Borrowed(text);
    }
    let one = |it: char| if is_written_out(it) { it.escape_default().to_string() } else { it.to_string() };
    Cow::Owned(text.chars().map(one).collect())
}

/// Controls, which move the cursor, ring, or begin a command to the terminal; what turns the direction of reading around; what
/// ends a line without being a line's end; and what takes no room ("Unicode Technical Report 36", 2.5 and 2.10).
fn is_dangerous(it: char) -> bool {
    it.is_control()
        || matches!(it,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_to_a_terminal_are_shown_as_what_they_are() {
        assert_eq!(visible("\u{1b}]52;c;aGk=\u{7}"), r"\u{1b}]52;c;aGk=\u{7}");
        assert_eq!(visible("\u{9b}2Ja\rb\u{202e}c\u{200b}"), r"\u{9b}2Ja\rb\u{202e}c\u{200b}");
        assert_eq!(visible("a\n\tb – ü 😀 👩\u{200d}💻"), "a\n\tb – ü 😀 👩\u{200d}💻");
        assert_eq!(on_its_line("a\n+ b\tc"), r"a\n+ b\tc");
        let value = serde_json::json!({"a\n": ["\u{1b}[2J", 1]});
        assert_eq!(visible_within(&value), serde_json::json!({"a\\n": ["\\u{1b}[2J", 1]}));
    }

    proptest! {
        #[test]
        fn nothing_dangerous_is_left(text in "(\\PC|[\u{0}-\u{9f}\u{200b}-\u{202e}\u{e0041}\u{feff}]){0,20}") {
            prop_assert!(!on_its_line(&text).contains(is_dangerous));
            let once = visible(&text);
            prop_assert_eq!(visible(&once), &*once);
            let json = Value::from(text);
            let written = format!("{json:#}");
            prop_assert!(!in_json(&written).contains(is_dangerous));
            prop_assert_eq!(serde_json::from_str::<Value>(&in_json(&written)).expect("it is JSON"), json);
        }
    }
}
