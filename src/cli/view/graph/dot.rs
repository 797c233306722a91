//! Graphviz's language.

use std::fmt::Write as _;

use super::{Picture, Why};

pub fn dot(picture: &Picture) -> String {
    let mut text = String::new();
    text.push_str(&format!("digraph {} {{\n", quoted(&picture.title)));
    text.push_str("  rankdir=LR; newrank=true; fontname=Helvetica;\n");
    text.push_str("  node [shape=box, style=\"rounded,filled\", fontname=Helvetica, fontsize=11];\n");
    text.push_str("  edge [fontname=Helvetica, fontsize=8, color=\"#57606a\"];\n");
    for (service, nodes) in picture.services() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  subgraph {} {{", quoted(&format!("cluster_{service}")));
        let _ = writeln!(text, "    label={}; color=\"#d0d7de\";", quoted(service));
        for index in nodes {
            let node = &picture.nodes[index];
            let label = quoted(&format!("{}\n{}", node.logical_id, node.kind()));
            let colours = node.colours();
            let _ = writeln!(
                text,
                "    n{index} [label={label}, fillcolor=\"{}\", color=\"{}\"{}];",
                colours.fill,
                colours.line,
                node.change.map(|change| format!(", tooltip={}", quoted(change.word()))).unwrap_or_default()
            );
        }
        text.push_str("  }\n");
    }
    for edge in &picture.edges {
        let style = match edge.why {
            Why::Refers(_) | Why::Waits => "solid",
            Why::DependsOn => "dashed",
            Why::Implied(_) => "dotted",
        };
        let why = quoted(&edge.why.label());
        let _ = writeln!(text, "  n{} -> n{} [style={style}, label={why}];", edge.from, edge.on);
    }
    text.push_str("}\n");
    text
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
