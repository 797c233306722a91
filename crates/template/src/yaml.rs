//! YAML text → positioned tree, as CloudFormation reads YAML.
//!
//! That is YAML 1.1 for booleans (`yes`, `off`), and no more types than JSON has: a date is a string, and so is a number
//! with leading zeros (an account id). Anchors and aliases work, within bounds; merge keys do not, as in CloudFormation.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};
use serde_json::Number;

use super::document::{
    Call, DEPTH_LIMIT, Entries, Entry, Kind, Node, empty, refuse_mark, too_deep, without_byte_order_mark,
};
use crate::diagnostic::{Diagnostic, Span};

/// How many values the anchors and aliases of a document may copy: "a billion laughs" ends here.
const COPIED_VALUES_LIMIT: usize = 100_000;
/// How many bytes of text they may copy: so does a long text that is repeated often.
const COPIED_BYTES_LIMIT: usize = 8 * 1024 * 1024;

/// Reads YAML up to its first syntax error.
pub(super) fn read(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Node> {
    let body = without_byte_order_mark(text);
    let mut reader = Reader {
        text,
        offsets: Offsets::new(text, body),
        parser: Parser::new_from_str(body),
        anchors: HashMap::new(),
        copied: Extent::default(),
        depth: 0,
        diagnostics,
    };
    let document = reader.document();
    document.map_err(|error| diagnostics.push(error)).ok()
}

/// From the parser's places, which count characters, to bytes.
struct Offsets {
    /// Where each character starts; empty for a text of ASCII, where characters are bytes.
    starts: Vec<usize>,
    skipped: usize,
    length: usize,
}

impl Offsets {
    fn new(text: &str, body: &str) -> Self {
        let starts = if body.is_ascii() { Vec::new() } else { body.char_indices().map(|(start, _)| start).collect() };
        Self { starts, skipped: text.len() - body.len(), length: body.len() }
    }

    fn byte(&self, marker: &Marker) -> usize {
        let index = marker.index();
        let byte = if self.starts.is_empty() { index } else { self.starts.get(index).copied().unwrap_or(self.length) };
        self.skipped + byte.min(self.length)
    }
}

struct Reader<'a> {
    text: &'a str,
    offsets: Offsets,
    parser: Parser<'a, StrInput<'a>>,
    /// What has been anchored and read to its end: an alias within its own anchor finds nothing.
    anchors: HashMap<usize, Node>,
    copied: Extent,
    depth: usize,
    diagnostics: &'a mut Vec<Diagnostic>,
}

type Next<'a> = (Event<'a>, Span);

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Node, Diagnostic> {
        let mut document = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => break,
                (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
                (_, span) if document.is_some() => {
                    return Err(Diagnostic::error("a template is one YAML document")
                        .at(span)
                        .label("a second starts here"));
                }
                first => document = Some(self.node(first)?),
            }
        }
        document.filter(|node| node.kind != Kind::Null).ok_or_else(empty)
    }

    fn next(&mut self) -> Result<Next<'a>, Diagnostic> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let span = Span::new(self.offsets.byte(&span.start), self.offsets.byte(&span.end));
                Ok((event, self.trimmed(span)))
            }
            Some(Err(error)) => {
                let place = self.offsets.byte(error.marker());
                Err(Diagnostic::error("this is not YAML").at(Span::new(place, place)).label(error.info()))
            }
            None => Ok((Event::StreamEnd, Span::new(self.text.len(), self.text.len()))),
        }
    }

    /// A block scalar's place reaches up to the next key; only what is written counts.
    fn trimmed(&self, span: Span) -> Span {
        let written = self.text.get(span.start..span.end).unwrap_or_default().trim_end();
        Span::new(span.start, span.start + written.len())
    }

    fn node(&mut self, (event, span): Next<'a>) -> Result<Node, Diagnostic> {
        let (node, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => (self.scalar(text, style, tag.as_deref(), span), anchor, tag),
            Event::SequenceStart(anchor, tag) => (self.nested(span, Self::list)?, anchor, tag),
            Event::MappingStart(anchor, tag) => (self.nested(span, Self::map)?, anchor, tag),
            Event::Alias(anchor) => (self.alias(anchor, span)?, 0, None),
            _ => return Err(Diagnostic::error("this is not YAML").at(span).label("expected a value")),
        };
        let node = match tag {
            Some(tag) => self.tagged(node, &tag),
            None => node,
        };
        if anchor != 0 {
            self.count_copy(&node, span)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn nested(
        &mut self,
        opened: Span,
        read: fn(&mut Self) -> Result<(Kind, Span), Diagnostic>,
    ) -> Result<Node, Diagnostic> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(too_deep(opened));
        }
        let (kind, closed) = read(self)?;
        self.depth -= 1;
        Ok(Node { kind, span: self.trimmed(opened.to(closed)) })
    }

    fn list(&mut self) -> Result<(Kind, Span), Diagnostic> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, span) => {
                    let closed = if span.end > span.start { Some(span) } else { items.last().map(|item| item.span) };
                    return Ok((Kind::List(items), closed.unwrap_or(span)));
                }
                item => items.push(self.node(item)?),
            }
        }
    }

    fn map(&mut self) -> Result<(Kind, Span), Diagnostic> {
        let mut entries = Entries::default();
        let mut last = None;
        loop {
            let (event, key_span) = self.next()?;
            if event == Event::MappingEnd {
                let closed = if key_span.end > key_span.start { Some(key_span) } else { last };
                return Ok((entries.into_map(), closed.unwrap_or(key_span)));
            }
            let key = self.key((event, key_span))?;
            let next = self.next()?;
            let value = self.node(next)?;
            last = Some(if value.kind == Kind::Null { key_span } else { value.span });
            if let Some(key) = key {
                entries.insert(Entry { key, key_span, value }, self.diagnostics);
            }
        }
    }

    /// The text of a key; `None` for what cannot be one, which is reported.
    fn key(&mut self, (event, span): Next<'a>) -> Result<Option<String>, Diagnostic> {
        let finding = match event {
            Event::Scalar(text, ScalarStyle::Plain, 0, None) if text == "<<" => {
                Diagnostic::error("CloudFormation has no merge keys (`<<`)")
                    .help("write out the keys, or give an alias (`*name`) in place of a whole value")
            }
            Event::Scalar(text, _, _, None) => {
                refuse_mark(&text, span, self.diagnostics);
                return Ok(Some(text.into_owned()));
            }
            other => {
                self.node((other, span))?;
                Diagnostic::error("a key has to be a plain string")
            }
        };
        self.diagnostics.push(finding.at(span));
        Ok(None)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, Diagnostic> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(Diagnostic::error("an alias cannot stand within what it repeats").at(span));
        };
        let depth = self.count_copy(&node, span)?;
        if self.depth + depth > DEPTH_LIMIT {
            return Err(too_deep(span));
        }
        Ok(node)
    }

    /// Counts what is copied against the bound; gives how deep it nests.
    fn count_copy(&mut self, node: &Node, span: Span) -> Result<usize, Diagnostic> {
        let Extent { depth, values, bytes } = extent(node);
        self.copied.values += values;
        self.copied.bytes += bytes;
        let what = if self.copied.values > COPIED_VALUES_LIMIT {
            format!("{COPIED_VALUES_LIMIT} values")
        } else if self.copied.bytes > COPIED_BYTES_LIMIT {
            format!("{} MB of text", COPIED_BYTES_LIMIT / 1024 / 1024)
        } else {
            return Ok(depth);
        };
        let finding = Diagnostic::error(format!("the aliases of this template repeat more than {what}")).at(span);
        Err(finding.help("write out what is needed, or split the template"))
    }

    fn scalar(&mut self, text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Node {
        refuse_mark(&text, span, self.diagnostics);
        let forced_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
        let kind = if style == ScalarStyle::Plain && !forced_text {
            self.plain(text, span)
        } else {
            Kind::Text(text.into_owned())
        };
        Node { kind, span }
    }

    fn plain(&mut self, text: Cow<'_, str>, span: Span) -> Kind {
        match text.as_ref() {
            "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
            "true" | "True" | "TRUE" => Kind::Bool(true),
            "false" | "False" | "FALSE" => Kind::Bool(false),
            "yes" | "Yes" | "YES" | "on" | "On" | "ON" => self.old_boolean(&text, true, span),
            "no" | "No" | "NO" | "off" | "Off" | "OFF" => self.old_boolean(&text, false, span),
            plain => number(plain).map_or_else(|| Kind::Text(text.into_owned()), Kind::Number),
        }
    }

    fn old_boolean(&mut self, text: &str, value: bool, span: Span) -> Kind {
        let finding =
            Diagnostic::warning(format!("CloudFormation reads `{text}` without quotes as the boolean `{value}`"))
                .at(span)
                .help(format!("write `\"{text}\"` for the text, or `{value}` for the boolean"));
        self.diagnostics.push(finding);
        Kind::Bool(value)
    }

    fn tagged(&mut self, node: Node, tag: &Tag) -> Node {
        if tag.is_yaml_core_schema() {
            return self.core_tagged(node, tag);
        }
        if tag.handle != "!" || tag.suffix.is_empty() {
            return node;
        }
        let written = format!("!{}", tag.suffix);
        let before = &self.text[..self.text.floor_char_boundary(node.span.start + written.len())];
        let start = before.rfind(&written).unwrap_or(node.span.start);
        let function_span = self.trimmed(Span::new(start, start + written.len()));
        let function = match tag.suffix.as_str() {
            "Ref" | "Condition" => tag.suffix.clone(),
            suffix => format!("Fn::{suffix}"),
        };
        let span = function_span.to(node.span);
        Node { kind: Kind::Call(Call { function, function_span, argument: Box::new(node) }), span }
    }

    fn core_tagged(&mut self, node: Node, tag: &Tag) -> Node {
        let fits = match tag.suffix.as_str() {
            "str" => matches!(node.kind, Kind::Text(_)),
            "bool" => matches!(node.kind, Kind::Bool(_)),
            "int" | "float" => matches!(node.kind, Kind::Number(_)),
            "null" => matches!(node.kind, Kind::Null),
            "map" => matches!(node.kind, Kind::Map(_)),
            "seq" => matches!(node.kind, Kind::List(_)),
            _ => false,
        };
        if !fits {
            let message = format!("`!!{}` does not fit {}", tag.suffix, node.describe());
            self.diagnostics.push(Diagnostic::error(message).at(node.span).help("leave the tag out"));
        }
        node
    }
}

/// The number that a plain scalar is, if JSON could hold it as it is written.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let is_decimal = whole == "0" || (whole.starts_with(|it: char| it != '0') && is_digits(whole));
    let is_fraction = fraction.is_none_or(|it| it.starts_with(|it: char| it.is_ascii_digit()));
    if !is_decimal || !is_fraction {
        return None;
    }
    serde_json::from_str(text.strip_prefix('+').unwrap_or(text)).ok()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// How deep a value nests, of how many values it consists, and of how many bytes of text.
#[derive(Default)]
struct Extent {
    depth: usize,
    values: usize,
    bytes: usize,
}

fn extent(node: &Node) -> Extent {
    let (children, keys): (Vec<&Node>, usize) = match &node.kind {
        Kind::List(items) => (items.iter().collect(), 0),
        Kind::Map(entries) => {
            (entries.iter().map(|entry| &entry.value).collect(), entries.iter().map(|entry| entry.key.len()).sum())
        }
        Kind::Call(call) => (vec![&call.argument], 0),
        Kind::Text(text) => return Extent { depth: 0, values: 1, bytes: text.len() },
        Kind::Null | Kind::Bool(_) | Kind::Number(_) => return Extent { depth: 0, values: 1, bytes: 0 },
    };
    let whole = Extent { depth: 0, values: 1, bytes: keys };
    let whole = children.into_iter().map(extent).fold(whole, |whole, part| Extent {
        depth: whole.depth.max(part.depth),
        values: whole.values + part.values,
        bytes: whole.bytes + part.bytes,
    });
    Extent { depth: whole.depth + 1, ..whole }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(text: &str) -> Value {
        let mut diagnostics = Vec::new();
        let node = read(text, &mut diagnostics).unwrap_or_else(|| panic!("{diagnostics:?}"));
        node.to_value()
    }

    fn finding(text: &str) -> String {
        let mut diagnostics = Vec::new();
        read(text, &mut diagnostics);
        diagnostics.first().map(|it| it.message.clone()).unwrap_or_default()
    }

    #[test]
    fn scalars_are_what_cloudformation_takes_them_for() {
        assert_eq!(value("2012-10-17"), json!("2012-10-17"));
        assert_eq!(value("012345678901"), json!("012345678901"));
        assert_eq!(value("123456789012"), json!(123_456_789_012_u64));
        assert_eq!(
            value("[-1, 1.5, 0.5, 12e5, 1.2.3, 1:30, .5]"),
            json!([-1, 1.5, 0.5, "12e5", "1.2.3", "1:30", ".5"])
        );
        assert_eq!(value("[yes, Off, true, 'yes', y]"), json!([true, false, true, "yes", "y"]));
        assert_eq!(value("[~, '', !!str 5]"), json!([null, "", "5"]));
        assert_eq!(value("yes: 1\n2: 3"), json!({"yes": 1, "2": 3}));
    }

    #[test]
    fn an_unquoted_yes_is_warned_about() {
        assert_eq!(finding("a: YES"), "CloudFormation reads `YES` without quotes as the boolean `true`");
    }

    #[test]
    fn a_short_form_is_the_long_form() {
        assert_eq!(value("a: !Sub x"), json!({"a": {"Fn::Sub": "x"}}));
        assert_eq!(value("!Join ['', [!Ref A]]"), json!({"Fn::Join": ["", [{"Ref": "A"}]]}));
        assert_eq!(value("a: !Not\n  - !Condition b"), json!({"a": {"Fn::Not": [{"Condition": "b"}]}}));
    }

    #[test]
    fn aliases_repeat_what_is_anchored_but_not_without_end() {
        assert_eq!(value("a: &x [1]\nb: *x"), json!({"a": [1], "b": [1]}));
        assert_eq!(finding("a: &x [*x]"), "an alias cannot stand within what it repeats");
        let mut laughs = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for level in 1..20 {
            let items = vec![format!("*a{}", level - 1); 9].join(", ");
            laughs += &format!("a{level}: &a{level} [{items}]\n");
        }
        assert_eq!(finding(&laughs), "the aliases of this template repeat more than 100000 values");
        let long = format!("a: &a {}\nb: [{}]", "x".repeat(100_000), vec!["*a"; 100].join(", "));
        assert_eq!(finding(&long), "the aliases of this template repeat more than 8 MB of text");
        assert_eq!(finding("a: &x {b: 1}\nc:\n  <<: *x"), "CloudFormation has no merge keys (`<<`)");
    }

    #[test]
    fn nesting_has_a_bound() {
        assert_eq!(finding(&"[".repeat(150)), "the template nests deeper than 100 levels");
        assert_eq!(finding(&"- ".repeat(50_000)), "the template nests deeper than 100 levels");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert_eq!(finding("a: 1\na: 2"), "the key `a` occurs twice");
        assert_eq!(finding("? [a]\n: 1"), "a key has to be a plain string");
        assert_eq!(finding("a: 1\n---\nb: 2"), "a template is one YAML document");
        assert_eq!(finding("# nothing"), "the template is empty");
        assert_eq!(finding("a: \"\\x01\""), "the control character U+0001 is not allowed in a template");
        assert_eq!(finding("a: [1"), "this is not YAML");
        assert_eq!(finding("a: !!binary aGk="), "`!!binary` does not fit a string");
    }

    #[test]
    fn places_are_bytes() {
        let text = "\u{feff}ä: ö\nb:\n  !Sub |\n    ü\n    x\n\nc: [1,\n 2]\nd:\n  - e\n  - f: 'g'\n\n";
        let Kind::Map(entries) = read(text, &mut Vec::new()).unwrap().kind else { panic!("a map") };
        let written: Vec<_> = entries
            .iter()
            .map(|it| (&text[it.key_span.start..it.key_span.end], &text[it.value.span.start..it.value.span.end]))
            .collect();
        assert_eq!(written, [("ä", "ö"), ("b", "!Sub |\n    ü\n    x"), ("c", "[1,\n 2]"), ("d", "- e\n  - f: 'g'")]);
    }
}
