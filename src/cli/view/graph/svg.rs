//! A picture that every browser shows, and that needs nothing beside itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::layout::{Area, Frame, LINE_HEIGHT, Layout, Point, Way, layout};
use super::{Colours, Edge, Picture, Why};

const INK: &str = "#1f2328";
const QUIET: &str = "#57606a";
const LEGEND_LINE: f64 = 18.0;

pub fn svg(picture: &Picture) -> String {
    let layout = layout(picture);
    let notes = Notes::of(picture, &layout);
    let legend = legend(picture, &layout, &notes);
    let (top, width) = (36.0, layout.width.max(640.0));
    let legend_top = top + layout.height + 8.0;
    let height = legend_top + LEGEND_LINE * count(legend.len()) + 12.0;
    let mut out = Svg::default();
    out.line(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\" role=\"img\">"
    ));
    out.line(&format!("<title>{}</title>", escaped(&picture.title)));
    out.line(&arrow_heads());
    out.line("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>");
    out.text(Point { x: 20.0, y: 26.0 }, "font-size=\"16\" font-weight=\"bold\"", INK, &picture.title);
    out.line(&format!("<g transform=\"translate(0 {top:.0})\">"));
    for group in &layout.groups {
        out.area(&group.area, "rx=\"6\"", &Colours { fill: "#f6f8fa", line: "#d0d7de" });
        let corner = Point { x: group.area.left + 8.0, y: group.area.top + 13.0 };
        out.text(corner, "font-size=\"11\" font-weight=\"bold\"", QUIET, &group.service);
    }
    for way in &layout.ways {
        out.way(way, picture, &notes);
    }
    for (node, frame) in picture.nodes.iter().zip(&layout.boxes) {
        let change = node.change.map(|change| format!(": {}", change.word())).unwrap_or_default();
        out.node(frame, node.kind(), &format!("{}, {}{change}", node.logical_id, node.resource_type), &node.colours());
    }
    out.line("</g>");
    for (row, entry) in legend.iter().enumerate() {
        out.entry(entry, legend_top + LEGEND_LINE * (count(row) + 0.5));
    }
    out.line("</svg>");
    out.0
}

/// What cannot be read off a line is said once, under the picture, by a number.
struct Notes<'a>(BTreeMap<&'a str, usize>);

impl<'a> Notes<'a> {
    fn of(picture: &'a Picture, layout: &Layout) -> Self {
        let mut notes = BTreeMap::new();
        for way in &layout.ways {
            if let Why::Implied(because) = &picture.edges[way.edge].why {
                let next = notes.len() + 1;
                notes.entry(because.as_str()).or_insert(next);
            }
        }
        Self(notes)
    }

    fn number(&self, edge: &Edge) -> Option<usize> {
        match &edge.why {
            Why::Implied(because) => self.0.get(because.as_str()).copied(),
            Why::Refers(_) | Why::DependsOn | Why::Waits => None,
        }
    }
}

/// A line under the picture.
enum Entry {
    Stroke { dashes: &'static str, text: &'static str },
    Box { colours: Colours, text: &'static str },
    Text(String),
}

fn legend(picture: &Picture, layout: &Layout, notes: &Notes<'_>) -> Vec<Entry> {
    let mut entries = Vec::new();
    if picture.nodes.is_empty() {
        entries.push(Entry::Text("There is nothing to draw.".to_owned()));
    }
    entries.extend(picture.changes().into_iter().map(|it| Entry::Box { colours: it.colours(), text: it.word() }));
    let mut strokes: Vec<(&str, &str)> = Vec::new();
    for why in layout.ways.iter().map(|way| &picture.edges[way.edge].why) {
        let stroke = (dashes(why), meaning(why));
        if !strokes.contains(&stroke) {
            strokes.push(stroke);
        }
    }
    entries.extend(strokes.into_iter().map(|(dashes, text)| Entry::Stroke { dashes, text }));
    let mut reasons: Vec<_> = notes.0.iter().collect();
    reasons.sort_by_key(|(_, number)| **number);
    entries.extend(reasons.into_iter().map(|(because, number)| Entry::Text(format!("{number}  {because}"))));
    match picture.edges.len() - layout.ways.len() {
        0 => {}
        1 => entries.push(Entry::Text("One edge that follows from others is not drawn.".to_owned())),
        left_out => entries.push(Entry::Text(format!("{left_out} edges that follow from others are not drawn."))),
    }
    entries
}

fn dashes(why: &Why) -> &'static str {
    match why {
        Why::Refers(_) | Why::Waits => "",
        Why::DependsOn => "6 4",
        Why::Implied(_) => "2 4",
    }
}

fn meaning(why: &Why) -> &'static str {
    match why {
        Why::Refers(_) => "needs what it points to: Ref or GetAtt",
        Why::DependsOn => "DependsOn",
        Why::Implied(_) => "implied, for the reason with its number",
        Why::Waits => "waits for what it points to",
    }
}

fn arrow_heads() -> String {
    format!(
        "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" fill=\"{QUIET}\"/></marker></defs>"
    )
}

#[derive(Default)]
struct Svg(String);

impl Svg {
    fn line(&mut self, text: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{text}");
    }

    fn text(&mut self, at: Point, style: &str, colour: &str, text: &str) {
        let Point { x, y } = at;
        self.line(&format!("<text x=\"{x:.0}\" y=\"{y:.0}\" {style} fill=\"{colour}\">{}</text>", escaped(text)));
    }

    fn area(&mut self, area: &Area, style: &str, colours: &Colours) {
        let Area { left, top, width, height } = area;
        self.line(&format!(
            "<rect x=\"{left:.0}\" y=\"{top:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" {style} fill=\"{}\" \
             stroke=\"{}\"/>",
            colours.fill, colours.line
        ));
    }

    fn node(&mut self, frame: &Frame, kind: &str, title: &str, colours: &Colours) {
        self.line(&format!("<g><title>{}</title>", escaped(title)));
        self.area(&frame.area, "rx=\"5\"", colours);
        let middle = frame.area.middle().x;
        let mut y = frame.area.top + LINE_HEIGHT + 2.0;
        for line in &frame.lines {
            self.text(Point { x: middle, y }, "text-anchor=\"middle\"", INK, line);
            y += LINE_HEIGHT;
        }
        self.text(Point { x: middle, y }, "text-anchor=\"middle\" font-size=\"10\"", QUIET, kind);
        self.line("</g>");
    }

    fn way(&mut self, way: &Way, picture: &Picture, notes: &Notes<'_>) {
        let edge = &picture.edges[way.edge];
        let (from, on) = (&picture.nodes[edge.from].logical_id, &picture.nodes[edge.on].logical_id);
        let title = format!("{from} → {on}: {}", edge.why.label());
        self.line(&format!(
            "<path d=\"{}\" fill=\"none\" stroke=\"{QUIET}\" stroke-dasharray=\"{}\" marker-end=\"url(#arrow)\"><title>{}\
             </title></path>",
            curve(&way.points),
            dashes(&edge.why),
            escaped(&title)
        ));
        if let Some(number) = notes.number(edge) {
            let at = way.points[way.points.len() / 2];
            let at = Point { x: at.x + 3.0, y: at.y - 3.0 };
            self.text(at, "font-size=\"10\" font-weight=\"bold\"", QUIET, &number.to_string());
        }
    }

    fn entry(&mut self, entry: &Entry, middle: f64) {
        let beside = Point { x: 60.0, y: middle + 4.0 };
        match entry {
            Entry::Stroke { dashes, text } => {
                self.line(&format!(
                    "<path d=\"M20 {middle:.0} L52 {middle:.0}\" stroke=\"{QUIET}\" stroke-dasharray=\"{dashes}\" \
                     marker-end=\"url(#arrow)\"/>"
                ));
                self.text(beside, "", INK, text);
            }
            Entry::Box { colours, text } => {
                self.area(&Area { left: 20.0, top: middle - 6.0, width: 32.0, height: 12.0 }, "rx=\"3\"", colours);
                self.text(beside, "", INK, text);
            }
            Entry::Text(text) => self.text(Point { x: 20.0, ..beside }, "", QUIET, text),
        }
    }
}

/// A line by some points, with its corners rounded.
fn curve(points: &[Point]) -> String {
    let Some((first, rest)) = points.split_first() else { return String::new() };
    let mut path = format!("M{:.0} {:.0}", first.x, first.y);
    for pair in rest.windows(2) {
        let (corner, next) = (pair[0], pair[1]);
        let (x, y) = ((corner.x + next.x) / 2.0, (corner.y + next.y) / 2.0);
        path.push_str(&format!(" Q{:.0} {:.0} {x:.0} {y:.0}", corner.x, corner.y));
    }
    if let Some(last) = rest.last() {
        path.push_str(&format!(" L{:.0} {:.0}", last.x, last.y));
    }
    path
}

fn count(number: usize) -> f64 {
    f64::from(u16::try_from(number).unwrap_or(u16::MAX))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
