//! What a template has to say with `DependsOn`: the order that another tool keeps and that no reference shows. Pure.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graphmap::DiGraphMap;

use crate::identity::LogicalId;

/// One waits for the other.
pub type Edge = (LogicalId, LogicalId);

/// Of what the other tool knows to wait for what, the edges that nothing else implies, by who waits. References have no
/// circles, and none is closed here: where the two contradict each other, references win.
pub fn depends_on(references: &BTreeSet<Edge>, known: &BTreeSet<Edge>) -> BTreeMap<LogicalId, BTreeSet<LogicalId>> {
    let both = || references.union(known);
    let ids: Vec<&LogicalId> = both().flat_map(|(from, on)| [from, on]).collect::<BTreeSet<_>>().into_iter().collect();
    let place: BTreeMap<&LogicalId, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    let at = |(from, on): &Edge| (place[from], place[on]);
    let mut graph: DiGraphMap<usize, ()> = both().map(at).collect();
    let mut circle = vec![0; ids.len()];
    for (number, members) in tarjan_scc(&graph).into_iter().enumerate() {
        members.into_iter().for_each(|member| circle[member] = number);
    }
    let mut open: BTreeSet<(usize, usize)> = known.difference(references).map(at).collect();
    open.retain(|(from, on)| {
        let closes = circle[*from] == circle[*on];
        if closes {
            graph.remove_edge(*from, *on);
        }
        !closes
    });
    // What is left has no circles; if it had, nothing would be said.
    let mut behind: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); ids.len()];
    let mut said: BTreeMap<LogicalId, BTreeSet<LogicalId>> = BTreeMap::new();
    for from in toposort(&graph, None).unwrap_or_default().into_iter().rev() {
        let mut further = BTreeSet::new();
        graph.neighbors(from).for_each(|on| further.extend(&behind[on]));
        let direct: Vec<usize> = graph.neighbors(from).collect();
        let needed = direct.iter().filter(|on| open.contains(&(from, **on)) && !further.contains(*on));
        for on in needed {
            said.entry(ids[from].clone()).or_default().insert(ids[*on].clone());
        }
        further.extend(direct);
        behind[from] = further;
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(references: &str, known: &str) -> String {
        let edges = |text: &str| -> BTreeSet<Edge> {
            let edge = |edge: &str| edge.split_once('>').map(|(from, on)| (LogicalId::from(from), LogicalId::from(on)));
            text.split_whitespace().filter_map(edge).collect()
        };
        let said = depends_on(&edges(references), &edges(known)).into_iter();
        said.flat_map(|(from, on)| on.into_iter().map(move |on| format!("{from}>{on}"))).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_nothing_else_implies_is_said() {
        assert_eq!(said("", "Deployment>Method Deployment>Api Method>Api"), "Deployment>Method Method>Api");
        assert_eq!(said("Deployment>Api Method>Api", "Deployment>Method Deployment>Api"), "Deployment>Method");
        assert_eq!(said("A>B B>C", "A>C A>B"), "");
    }

    #[test]
    fn no_circle_is_closed() {
        assert_eq!(said("A>B", "B>A C>A"), "C>A");
        assert_eq!(said("", "A>B B>A"), "");
    }
}
