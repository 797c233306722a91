//! What is wrong with a template: plain values, collected and shown all at once, each with its place and a way out.
//!
//! Knows nothing of templates: a place is a range of bytes in a text.

use std::path::PathBuf;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Padding, Renderer, Snippet};
use serde::{Deserialize, Serialize};

/// A range of bytes in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to, but not including, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the start of this one to the end of the other.
    pub fn to(self, other: Span) -> Self {
        Self { start: self.start, end: other.end.max(self.start) }
    }
}

/// A text that diagnostics point into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path as people are shown it.
    pub path: PathBuf,
    pub text: String,
}

/// A place as editors count it: both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl Source {
    /// A text under the path that people are shown.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// The line and column of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing can be planned before it is mended.
    Error,
    /// It works, but probably not as its author thinks.
    Warning,
}

/// One finding about a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub severity: Severity,
    /// What is wrong: a lower-case fragment, names in backticks.
    pub message: String,
    /// The offending text; `None` for what is wrong outside of the file (a parameter on the command line).
    pub span: Option<Span>,
    /// What is said right under the offending text.
    pub label: Option<String>,
    /// Other places that one has to see to understand this one.
    pub related: Box<[Related]>,
    /// The way out.
    pub help: Option<String>,
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    pub span: Span,
    /// What is said right under it.
    pub label: String,
}

impl Diagnostic {
    /// A finding that stops everything, so far without a place.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            span: None,
            label: None,
            related: Box::default(),
            help: None,
        }
    }

    /// A finding that stops nothing.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// Points at the offending text.
    pub fn at(self, span: Span) -> Self {
        Self { span: Some(span), ..self }
    }

    /// Says something right under the offending text.
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// Points at one more place.
    pub fn related(self, span: Span, label: impl Into<String>) -> Self {
        let one_more = Related { span, label: label.into() };
        Self { related: self.related.into_iter().chain([one_more]).collect(), ..self }
    }

    /// Names the way out.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Asks whether the known name nearest to a misspelt one was meant, where there is one near enough.
    pub fn did_you_mean<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, known) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }
}

/// Whether what is rendered carries colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For pipes and files.
    Plain,
    /// With ANSI escapes.
    Coloured,
}

/// Bytes of a line that is shown. In a longer one nobody would see where it is.
const LONGEST_LINE: usize = 2000;

/// How many findings of one file are worked out and shown in full: nobody reads more, and each costs a look at the file.
pub const SHOWN_LIMIT: usize = 100;

/// The first findings as rustc shows its own, in the order of their places; those without a place come first.
pub fn render(diagnostics: &[Diagnostic], source: &Source, style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| diagnostic.span);
    let left_out = sorted.len().saturating_sub(SHOWN_LIMIT);
    sorted.truncate(SHOWN_LIMIT);
    let reports = sorted.into_iter().map(|diagnostic| renderer.render(&[group(diagnostic, source)]) + "\n");
    let more = (left_out > 0).then(|| format!("and {left_out} more, which are shown when these are mended\n"));
    reports.chain(more).collect::<Vec<_>>().join("\n")
}

fn group<'a>(diagnostic: &'a Diagnostic, source: &'a Source) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.message));
    if let Some(span) = diagnostic.span {
        group = match snippet(diagnostic, span, source) {
            Some(snippet) => group.element(snippet),
            None => {
                let Position { line, column } = source.position(span.start);
                let place = Origin::path(source.path.to_string_lossy().into_owned()).line(line).char_column(column);
                let label = diagnostic.label.as_ref().map(|label| Level::NOTE.message(label));
                group.element(place).elements(label)
            }
        };
        if diagnostic.help.is_some() {
            group = group.element(Padding);
        }
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    }
}

/// The lines that a finding is about. `None` where one of them is too long to be looked at.
fn snippet<'a>(diagnostic: &'a Diagnostic, span: Span, source: &'a Source) -> Option<Snippet<'a, Annotation<'a>>> {
    let text = source.text.as_str();
    let spans = std::iter::once(span).chain(diagnostic.related.iter().map(|related| related.span));
    let (first, last) = spans
        .map(|span| shown(span, text))
        .fold((text.len(), 0), |(first, last), it| (first.min(it.start), last.max(it.end)));
    // What comes after the last line is shown with it.
    let start = if first == text.len() { 0 } else { text[..first].rfind('\n').map_or(0, |newline| newline + 1) };
    let end = text[last..].find('\n').map_or(text.len(), |newline| last + newline + 1);
    let lines = &text[start..end];
    if lines.lines().any(|line| line.len() > LONGEST_LINE) {
        return None;
    }
    let within = |span: Span| {
        let shown = shown(span, text);
        shown.start - start..shown.end - start
    };
    let primary = AnnotationKind::Primary.span(within(span)).label(diagnostic.label.as_deref());
    let related = diagnostic
        .related
        .iter()
        .map(|related| AnnotationKind::Context.span(within(related.span)).label(related.label.as_str()));
    let snippet = Snippet::source(lines)
        .line_start(text[..start].matches('\n').count() + 1)
        .path(source.path.to_string_lossy().into_owned())
        .annotation(primary)
        .annotations(related);
    Some(snippet)
}

/// The part of a span on its first line: whoever sees where something starts has found it.
fn shown(span: Span, text: &str) -> std::ops::Range<usize> {
    let start = text.floor_char_boundary(span.start);
    let end = text.floor_char_boundary(span.end).max(start);
    let line = text[start..end].lines().next().unwrap_or_default();
    start..start + line.len()
}

/// The known name that a misspelt word probably means.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // What is longer is no name, and would take long to compare.
    const LONGEST: usize = 128;
    if word.len() > LONGEST {
        return None;
    }
    let allowed = (word.chars().count() / 3).max(1);
    let lower = word.to_lowercase();
    known
        .into_iter()
        .filter(|name| name.len() <= LONGEST)
        .map(|name| (strsim::osa_distance(&lower, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn orders() -> Source {
        let text = "Orders:\n  Type: AWS::SQS::Queue\n  Properties:\n    VisibilityTimout: 45\n";
        Source::new("examples/orders.yaml", text)
    }

    #[test]
    fn a_finding_is_shown_at_its_place_with_its_way_out() {
        let finding = Diagnostic::error("`AWS::SQS::Queue` has no property `VisibilityTimout`")
            .at(Span::new(50, 66))
            .label("not a property of `AWS::SQS::Queue`")
            .did_you_mean("VisibilityTimout", ["DelaySeconds", "VisibilityTimeout"]);
        expect![[r"
            error: `AWS::SQS::Queue` has no property `VisibilityTimout`
             --> examples/orders.yaml:4:5
              |
            4 |     VisibilityTimout: 45
              |     ^^^^^^^^^^^^^^^^ not a property of `AWS::SQS::Queue`
              |
              = help: did you mean `VisibilityTimeout`?
        "]]
        .assert_eq(&render(&[finding], &orders(), Style::Plain));
    }

    #[test]
    fn findings_come_in_the_order_of_their_places() {
        let findings = [
            Diagnostic::error("second").at(Span::new(10, 14)).related(Span::new(0, 6), "because of this"),
            Diagnostic::warning("first").at(Span::new(0, 6)),
            Diagnostic::error("not in the file").help("look elsewhere"),
        ];
        expect![[r"
            error: not in the file
             |
             = help: look elsewhere

            warning: first
             --> examples/orders.yaml:1:1
              |
            1 | Orders:
              | ^^^^^^

            error: second
             --> examples/orders.yaml:2:3
              |
            1 | Orders:
              | ------ because of this
            2 |   Type: AWS::SQS::Queue
              |   ^^^^
        "]]
        .assert_eq(&render(&findings, &orders(), Style::Plain));
    }

    #[test]
    fn no_more_findings_are_shown_than_anybody_reads() {
        let findings: Vec<_> = (0..1000).map(|index| Diagnostic::error("again").at(Span::new(index, index))).collect();
        let shown = render(&findings, &orders(), Style::Plain);
        assert_eq!(shown.matches("error: again").count(), SHOWN_LIMIT);
        assert!(shown.ends_with("and 900 more, which are shown when these are mended\n"), "{shown}");
    }

    #[test]
    fn a_line_that_nobody_could_read_is_named_and_not_shown() {
        let source = Source::new("a.json", format!("{{\n{}\n}}", "[1], ".repeat(1000)));
        let finding = Diagnostic::error("wrong").at(Span::new(3002, 3003)).label("this").help("mend it");
        expect![[r"
            error: wrong
            --> a.json:2:3001
             = note: this
             |
             = help: mend it
        "]]
        .assert_eq(&render(&[finding], &source, Style::Plain));
    }

    #[test]
    fn a_place_outside_of_the_text_is_shown_at_its_end() {
        let finding = Diagnostic::error("too far").at(Span::new(1000, 2000));
        assert!(render(&[finding], &Source::new("a.yaml", "ä"), Style::Plain).contains("a.yaml:1:2"));
    }

    #[test]
    fn a_column_counts_characters() {
        let source = Source::new("a.yaml", "a: 1\nü: 2");
        assert_eq!(source.position(8), Position { line: 2, column: 3 });
    }

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(nearest("propertys", ["Properties", "Type"]), Some("Properties"));
        assert_eq!(nearest("Foo", ["Properties", "Type"]), None);
        let endless = "x".repeat(1_000_000);
        assert_eq!(nearest(&endless, [endless.as_str()]), None);
    }
}
