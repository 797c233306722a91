//! Where everything in a picture stands: in columns from left to right, each thing left of what it waits for, the things of
//! a service together. Pure, and the same for the same picture.

use std::collections::BTreeSet;

use dugong::graphlib::{Graph, GraphOptions};
use dugong::{EdgeLabel, GraphLabel, NodeLabel, RankDir, layout_dagreish};

use super::{Node, Picture};

/// A picture's measures, in pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    pub width: f64,
    pub height: f64,
    /// One for each node.
    pub boxes: Vec<Frame>,
    pub groups: Vec<Group>,
    pub ways: Vec<Way>,
}

/// A node's place, and its words.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    pub area: Area,
    /// The logical id, in as many lines as it needs.
    pub lines: Vec<String>,
}

/// The things of one service.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub service: String,
    pub area: Area,
}

/// The line of one edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// The edge's place in the picture.
    pub edge: usize,
    pub points: Vec<Point>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

pub const LINE_HEIGHT: f64 = 14.0;
const CHARACTER_WIDTH: f64 = 7.2;
const PADDING: f64 = 12.0;
/// Above each box there is room for the name of its group.
const HEADROOM: f64 = 16.0;
const MARGIN: f64 = 20.0;
/// Characters in a line of a logical id.
const LONGEST_LINE: usize = 24;
const MOST_LINES: usize = 3;

/// Places everything. What follows from other edges is not drawn: `A` waits for `C` where `A` waits for `B` and `B` for `C`.
pub fn layout(picture: &Picture) -> Layout {
    // In a circle one edge is turned around for the layout, and needs a name beside one that is there: without several edges
    // between two nodes, dugong looks for such a name for ever.
    let options = GraphOptions { compound: true, directed: true, multigraph: true };
    let mut graph = Graph::<NodeLabel, EdgeLabel, GraphLabel>::new(options);
    graph.set_graph(GraphLabel {
        rankdir: RankDir::LR,
        nodesep: 6.0,
        ranksep: 60.0,
        edgesep: 8.0,
        marginx: MARGIN,
        marginy: MARGIN,
        ..GraphLabel::default()
    });
    let lines: Vec<Vec<String>> = picture.nodes.iter().map(|node| wrapped(node.logical_id.as_str())).collect();
    let sizes: Vec<(f64, f64)> = picture.nodes.iter().zip(&lines).map(|(node, lines)| size(node, lines)).collect();
    for (service, nodes) in picture.services() {
        graph.set_node(group(service), NodeLabel::default());
        for index in nodes {
            let (width, height) = sizes[index];
            let height = height + HEADROOM;
            graph.set_node(name(index), NodeLabel { width, height, ..NodeLabel::default() });
            graph.set_parent(name(index), group(service));
        }
    }
    let drawn = essential(picture);
    for &edge in &drawn {
        let edge = &picture.edges[edge];
        let label = EdgeLabel { weight: 1.0, ..EdgeLabel::default() };
        graph.set_edge_with_label(name(edge.from), name(edge.on), label);
    }
    if !picture.nodes.is_empty() {
        layout_dagreish(&mut graph);
    }
    let place =
        |name: &str| graph.node(name).map(area).unwrap_or(Area { left: 0.0, top: 0.0, width: 0.0, height: 0.0 });
    let boxes: Vec<Frame> = lines
        .into_iter()
        .enumerate()
        .map(|(index, lines)| {
            let whole = place(&name(index));
            let area = Area { top: whole.top + HEADROOM, height: whole.height - HEADROOM, ..whole };
            Frame { area, lines }
        })
        .collect();
    let groups = picture.services().into_keys().map(|service| {
        let area = place(&group(service));
        Group { service: service.to_owned(), area: Area { top: area.top + 4.0, height: area.height + 2.0, ..area } }
    });
    let ways = drawn.into_iter().map(|edge| {
        let ends = &picture.edges[edge];
        let label = graph.edge(&name(ends.from), &name(ends.on), None);
        let bends = label.map(|label| label.points.as_slice()).unwrap_or_default();
        let bends: Vec<Point> = bends.iter().map(|point| Point { x: point.x, y: point.y }).collect();
        Way { edge, points: between(&boxes[ends.from].area, &bends, &boxes[ends.on].area) }
    });
    let (groups, ways): (Vec<Group>, Vec<Way>) = (groups.collect(), ways.collect());
    let areas = || groups.iter().map(|group| &group.area).chain(boxes.iter().map(|it| &it.area));
    let points = || ways.iter().flat_map(|way| &way.points);
    let right = areas().map(|area| area.left + area.width).chain(points().map(|point| point.x)).fold(0.0, f64::max);
    let bottom = areas().map(|area| area.top + area.height).chain(points().map(|point| point.y)).fold(0.0, f64::max);
    Layout { width: right + MARGIN, height: bottom + MARGIN, boxes, groups, ways }
}

fn name(index: usize) -> String {
    format!("n{index}")
}

fn group(service: &str) -> String {
    format!("s{service}")
}

fn size(node: &Node, lines: &[String]) -> (f64, f64) {
    let longest = lines.iter().map(|line| line.chars().count()).chain([node.kind().chars().count()]).max();
    let characters = f64::from(u16::try_from(longest.unwrap_or_default()).unwrap_or(u16::MAX));
    let rows = f64::from(u16::try_from(lines.len() + 1).unwrap_or(u16::MAX));
    (characters * CHARACTER_WIDTH + 2.0 * PADDING, rows * LINE_HEIGHT + PADDING)
}

/// A logical id on several lines, broken where a word of it begins.
fn wrapped(id: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words(id) {
        let line = lines.last_mut().map(|line| line.chars().count()).unwrap_or_default();
        match lines.last_mut().filter(|_| line == 0 || line + word.chars().count() <= LONGEST_LINE) {
            Some(line) => line.push_str(&word),
            None => lines.push(word),
        }
    }
    if lines.len() > MOST_LINES {
        lines.truncate(MOST_LINES);
        lines.last_mut().into_iter().for_each(|last| last.push('…'));
    }
    lines
}

/// `DeadLetter`, `Queue`: what begins with a capital after a small letter, and nothing longer than a line.
fn words(id: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = ' ';
    for character in id.chars() {
        let begins = character.is_uppercase() && !last.is_uppercase();
        match words.last_mut().filter(|word| !begins && word.chars().count() < LONGEST_LINE) {
            Some(word) => word.push(character),
            None => words.push(character.to_string()),
        }
        last = character;
    }
    words
}

/// The edges that do not follow from others.
fn essential(picture: &Picture) -> Vec<usize> {
    let mut next: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); picture.nodes.len()];
    for edge in &picture.edges {
        next[edge.from].insert(edge.on);
    }
    let follows = |from: usize, on: usize| {
        let mut seen = BTreeSet::from([from]);
        let mut left: Vec<usize> = next[from].iter().copied().filter(|it| *it != on).collect();
        while let Some(node) = left.pop() {
            if node == on {
                return true;
            }
            if seen.insert(node) {
                left.extend(&next[node]);
            }
        }
        false
    };
    let is_essential = |edge: &usize| {
        let edge = &picture.edges[*edge];
        edge.from != edge.on && !follows(edge.from, edge.on)
    };
    (0..picture.edges.len()).filter(is_essential).collect()
}

fn area(label: &NodeLabel) -> Area {
    let (x, y) = (label.x.unwrap_or_default(), label.y.unwrap_or_default());
    Area { left: x - label.width / 2.0, top: y - label.height / 2.0, width: label.width, height: label.height }
}

/// A line from the side of one box, by some points, to the side of another.
fn between(from: &Area, bends: &[Point], on: &Area) -> Vec<Point> {
    let inner = bends.get(1..bends.len().saturating_sub(1)).unwrap_or_default();
    let (first, last) = (inner.first().copied().unwrap_or(on.middle()), inner.last().copied().unwrap_or(from.middle()));
    let mut points = vec![from.side_towards(first)];
    points.extend(inner);
    points.push(on.side_towards(last));
    points
}

impl Area {
    pub fn middle(&self) -> Point {
        Point { x: self.left + self.width / 2.0, y: self.top + self.height / 2.0 }
    }

    /// Where a line from the middle to a point outside leaves the area.
    fn side_towards(&self, point: Point) -> Point {
        let middle = self.middle();
        let (x, y) = (point.x - middle.x, point.y - middle.y);
        let part = (self.width / 2.0 / x.abs()).min(self.height / 2.0 / y.abs());
        if part.is_finite() { Point { x: middle.x + x * part, y: middle.y + y * part } } else { middle }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Edge, Why};
    use super::*;

    fn pictures() -> impl Strategy<Value = Picture> {
        let services = vec!["SQS", "SNS", "Lambda"];
        let nodes =
            prop::collection::vec(("[A-Z][a-z]{0,9}([A-Z][a-z]{0,9}){0,5}", prop::sample::select(services)), 0..14);
        let nodes = nodes.prop_map(|nodes| {
            let node = |(id, service): (String, &str)| Node {
                logical_id: id.into(),
                resource_type: format!("AWS::{service}::Thing").into(),
                change: None,
            };
            nodes.into_iter().map(node).collect::<Vec<_>>()
        });
        nodes.prop_flat_map(|nodes| {
            let count = nodes.len();
            // Where somebody has written down what waited for what, it may go in a circle.
            let edges = prop::collection::vec((0..count.max(1), 0..count.max(1)), 0..=2 * count);
            edges.prop_map(move |edges| {
                let edge = |(from, on)| Edge { from, on, why: Why::Waits };
                Picture {
                    title: "random".to_owned(),
                    nodes: nodes.clone(),
                    edges: edges.into_iter().map(edge).collect(),
                }
            })
        })
    }

    fn overlap(one: &Area, other: &Area) -> bool {
        one.left < other.left + other.width
            && other.left < one.left + one.width
            && one.top < other.top + other.height
            && other.top < one.top + one.height
    }

    fn is_within(inner: &Area, outer: &Area) -> bool {
        inner.left >= outer.left
            && inner.top >= outer.top
            && inner.left + inner.width <= outer.left + outer.width
            && inner.top + inner.height <= outer.top + outer.height
    }

    proptest! {
        #[test]
        fn no_box_covers_another_and_each_is_in_its_group(picture in pictures()) {
            let layout = layout(&picture);
            let canvas = Area { left: 0.0, top: 0.0, width: layout.width, height: layout.height };
            for (index, one) in layout.boxes.iter().enumerate() {
                prop_assert!(layout.boxes[index + 1..].iter().all(|other| !overlap(&one.area, &other.area)), "{layout:?}");
                let service = picture.nodes[index].resource_type.service();
                let group = layout.groups.iter().find(|group| group.service == service).expect("each has a group");
                prop_assert!(is_within(&one.area, &group.area) && is_within(&group.area, &canvas), "{layout:?}");
            }
            let points = layout.ways.iter().flat_map(|way| &way.points);
            for point in points {
                prop_assert!((0.0..=layout.width).contains(&point.x) && (0.0..=layout.height).contains(&point.y));
            }
        }

        #[test]
        fn the_same_picture_is_laid_out_the_same(picture in pictures()) {
            prop_assert_eq!(layout(&picture), layout(&picture));
        }
    }

    #[test]
    fn long_names_are_broken_between_words() {
        assert_eq!(wrapped("Api"), ["Api"]);
        assert_eq!(wrapped("ApiMayInvokeProcessPayment"), ["ApiMayInvokeProcess", "Payment"]);
        assert_eq!(wrapped(&"x".repeat(30)), ["x".repeat(24), "x".repeat(6)]);
        assert_eq!(wrapped(&"LongerThanAnyone".repeat(9))[2], "AnyoneLongerThanAnyone…");
    }
}
