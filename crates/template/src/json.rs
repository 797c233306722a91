//! JSON text → positioned tree.
//!
//! Only structure and places are worked out here; strings and numbers are decoded by `serde_json`.

use super::document::{DEPTH_LIMIT, Entries, Entry, Kind, Node, empty, refuse_mark, too_deep, without_byte_order_mark};
use crate::diagnostic::{Diagnostic, Span};

/// Reads JSON up to its first syntax error.
pub(super) fn read(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Node> {
    let start = text.len() - without_byte_order_mark(text).len();
    let mut reader = Reader { text, position: start, depth: 0, diagnostics };
    let document = reader.document();
    document.map_err(|error| diagnostics.push(error)).ok()
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Node, Diagnostic> {
        if self.peek().is_none() {
            return Err(empty());
        }
        let node = self.value()?;
        match self.peek() {
            None => Ok(node),
            Some(_) => Err(self.unexpected("the end of the file")),
        }
    }

    fn value(&mut self) -> Result<Node, Diagnostic> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(|(text, span)| Node { kind: Kind::Text(text), span }),
            Some(_) => self.literal(),
            None => Err(self.unexpected("a value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Kind, Diagnostic>) -> Result<Node, Diagnostic> {
        let start = self.position;
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(too_deep(Span::new(start, start + 1)));
        }
        let kind = read(self)?;
        self.depth -= 1;
        Ok(Node { kind, span: Span::new(start, self.position) })
    }

    fn object(&mut self) -> Result<Kind, Diagnostic> {
        self.expect(b'{', "`{`")?;
        let mut entries = Entries::default();
        if self.skip(b'}') {
            return Ok(entries.into_map());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key in double quotes"));
            }
            let (key, key_span) = self.string()?;
            self.expect(b':', "`:`")?;
            let value = self.value()?;
            entries.insert(Entry { key, key_span, value }, self.diagnostics);
            if self.skip(b'}') {
                return Ok(entries.into_map());
            }
            self.expect(b',', "`,` or `}`")?;
        }
    }

    fn array(&mut self) -> Result<Kind, Diagnostic> {
        self.expect(b'[', "`[`")?;
        let mut items = Vec::new();
        if self.skip(b']') {
            return Ok(Kind::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.skip(b']') {
                return Ok(Kind::List(items));
            }
            self.expect(b',', "`,` or `]`")?;
        }
    }

    fn string(&mut self) -> Result<(String, Span), Diagnostic> {
        let start = self.position;
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(b'\n') | None => {
                    let opened = Span::new(start, start + 1);
                    return Err(Diagnostic::error("a string is not closed").at(opened).label("it starts here"));
                }
                Some(_) => end += 1,
            }
        }
        let span = Span::new(start, end + 1);
        self.position = span.end;
        let text: String = serde_json::from_str(&self.text[span.start..span.end])
            .map_err(|error| Diagnostic::error(reason(&error)).at(span).label("in this string"))?;
        refuse_mark(&text, span, self.diagnostics);
        Ok((text, span))
    }

    fn literal(&mut self) -> Result<Node, Diagnostic> {
        let rest = &self.text[self.position..];
        let length = rest.find(|it: char| !it.is_ascii_alphanumeric() && !"+-.".contains(it)).unwrap_or(rest.len());
        let span = Span::new(self.position, self.position + length);
        let kind = match &rest[..length] {
            "null" => Kind::Null,
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            other => match serde_json::from_str(other) {
                Ok(number) => Kind::Number(number),
                Err(_) => return Err(self.unexpected("a value")),
            },
        };
        self.position = span.end;
        Ok(Node { kind, span })
    }

    /// The next byte that is not white space, without taking it.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.position..];
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        self.position += blanks;
        rest.get(blanks).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.position += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8, name: &str) -> Result<(), Diagnostic> {
        if self.skip(byte) { Ok(()) } else { Err(self.unexpected(name)) }
    }

    fn unexpected(&self, wanted: &str) -> Diagnostic {
        let length = self.text[self.position..].chars().next().map_or(0, char::len_utf8);
        let span = Span::new(self.position, self.position + length);
        let message = if length == 0 { "the file ends too early" } else { "this is not JSON" };
        Diagnostic::error(message).at(span).label(format!("expected {wanted}"))
    }
}

/// What `serde_json` says, without its position: that one counts from the start of the string.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Result<serde_json::Value, String> {
        let mut diagnostics = Vec::new();
        let node = read(text, &mut diagnostics);
        match (node, diagnostics.first()) {
            (Some(node), None) => Ok(node.to_value()),
            (_, finding) => Err(finding.map(|it| it.message.clone()).unwrap_or_default()),
        }
    }

    #[test]
    fn tabs_escaped_slashes_and_surrogate_pairs_are_json() {
        let text =
            "\u{feff}{\t\"url\":\t\"http:\\/\\/a\",\r\n\t\"smile\": \"\\ud83d\\ude00\", \"n\": [-1.5e3, true, null]}";
        assert_eq!(value(text), Ok(json!({"url": "http://a", "smile": "😀", "n": [-1500.0, true, null]})));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        assert_eq!(value("{\"a\": 1,}"), Err("this is not JSON".into()));
        assert_eq!(value("{\"a\": 01}"), Err("this is not JSON".into()));
        assert_eq!(value("{\"a\": \"x\n\"}"), Err("a string is not closed".into()));
        assert_eq!(value("{\"a\": \"\\ud800\"}"), Err("unexpected end of hex escape".into()));
        assert_eq!(value("{\"a\": 1"), Err("the file ends too early".into()));
        assert_eq!(value("{} x"), Err("this is not JSON".into()));
        assert_eq!(value(" "), Err("the template is empty".into()));
        assert_eq!(
            value("{\"a\": \"\\u0001\"}"),
            Err("the control character U+0001 is not allowed in a template".into())
        );
        assert_eq!(value("{\"a\": 1, \"a\": 2}"), Err("the key `a` occurs twice".into()));
    }

    #[test]
    fn nesting_has_a_bound() {
        assert_eq!(value(&"[".repeat(100_000)), Err("the template nests deeper than 100 levels".into()));
    }

    #[test]
    fn places_are_bytes() {
        let node = read("{\"ä\": \"x\"}", &mut Vec::new()).unwrap();
        let Kind::Map(entries) = node.kind else { panic!("a map") };
        assert_eq!((entries[0].key_span, entries[0].value.span), (Span::new(1, 5), Span::new(7, 10)));
    }
}
