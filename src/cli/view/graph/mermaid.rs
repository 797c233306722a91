//! Mermaid's flowcharts, which GitHub draws in any Markdown.

use super::{Picture, Why};

pub fn mermaid(picture: &Picture) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    for (service, nodes) in picture.services() {
        lines.push(format!("  subgraph s_{}[{}]", name(service), quoted(service)));
        for index in nodes {
            let node = &picture.nodes[index];
            let class = node.change.map(|change| format!(":::{}", name(change.word()))).unwrap_or_default();
            let label = format!("{}<br/>{}", escaped(node.logical_id.as_str()), escaped(node.kind()));
            lines.push(format!("    n{index}[\"{label}\"]{class}"));
        }
        lines.push("  end".to_owned());
    }
    for edge in &picture.edges {
        let arrow = match edge.why {
            Why::Refers(_) | Why::Waits => "-->",
            Why::DependsOn => "==>",
            Why::Implied(_) => "-.->",
        };
        let why = quoted(&edge.why.label());
        lines.push(format!("  n{} {arrow}|{why}| n{}", edge.from, edge.on));
    }
    for change in picture.changes() {
        let colours = change.colours();
        lines.push(format!(
            "  classDef {} fill:{},stroke:{},color:#1f2328",
            name(change.word()),
            colours.fill,
            colours.line
        ));
    }
    lines.join("\n") + "\n"
}

/// A word without what Mermaid would read as more than one.
fn name(text: &str) -> String {
    text.replace(|character: char| !character.is_ascii_alphanumeric(), "_")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('"', "#quot;")
}
