//! What closes a circle and what does not. Pure.

use std::hash::Hash;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::identity::ByName;

/// An edge between two nodes by their numbers: the first comes before the second.
type Edge = (usize, usize);

/// Which of the edges that are wished for can be added, one after the other, to those that are there without closing a circle. An
/// edge is a pair: the first comes before the second.
///
/// Takes time in proportion to all edges, and more for what could be in a circle: no edge between two strongly connected
/// components is in any, whichever others are added.
pub fn without_circles<N: Copy + Eq + Hash>(there: impl IntoIterator<Item = (N, N)>, wished: &[(N, N)]) -> Vec<bool> {
    let mut numbers = ByName::default();
    let mut number = |node: N| {
        let next = numbers.len();
        *numbers.entry(node).or_insert(next)
    };
    let mut numbered = |(before, after): (N, N)| (number(before), number(after));
    let there: Vec<Edge> = there.into_iter().map(&mut numbered).collect();
    let wished: Vec<Edge> = wished.iter().copied().map(&mut numbered).collect();
    let nodes = numbers.len();
    let component = components(nodes, there.iter().chain(&wished));
    let is_within = |(before, after): &Edge| component[*before] == component[*after];
    let mut within = Within { followers: vec![Vec::new(); nodes], seen_by: vec![0; nodes], looks: 0 };
    there.iter().filter(|edge| is_within(edge)).for_each(|edge| within.add(*edge));
    let mut add = |edge: &Edge| {
        if is_within(edge) {
            if within.leads_to(edge.1, edge.0) {
                return false;
            }
            within.add(*edge);
        }
        true
    };
    wished.iter().map(&mut add).collect()
}

/// The edges within components.
struct Within {
    followers: Vec<Vec<usize>>,
    /// The last look that came by each node.
    seen_by: Vec<usize>,
    looks: usize,
}

impl Within {
    fn add(&mut self, (before, after): Edge) {
        self.followers[before].push(after);
    }

    fn leads_to(&mut self, from: usize, to: usize) -> bool {
        self.looks += 1;
        let mut next = vec![from];
        while let Some(node) = next.pop() {
            if node == to {
                return true;
            }
            if std::mem::replace(&mut self.seen_by[node], self.looks) != self.looks {
                next.extend(&self.followers[node]);
            }
        }
        false
    }
}

/// For each node, the strongly connected component that it is in.
fn components<'a>(nodes: usize, edges: impl Iterator<Item = &'a Edge>) -> Vec<usize> {
    let mut graph = DiGraph::<(), ()>::with_capacity(nodes, 0);
    (0..nodes).for_each(|_| _ = graph.add_node(()));
    edges.for_each(|(before, after)| _ = graph.add_edge(NodeIndex::new(*before), NodeIndex::new(*after), ()));
    let mut component = vec![0; nodes];
    for (number, members) in kosaraju_scc(&graph).into_iter().enumerate() {
        members.into_iter().for_each(|member| component[member.index()] = number);
    }
    component
}

#[cfg(test)]
mod tests {
    use petgraph::algo::has_path_connecting;
    use petgraph::graphmap::DiGraphMap;
    use proptest::prelude::*;

    use super::*;

    /// One edge after the other, each looked at on its own.
    fn one_by_one(there: &[Edge], wished: &[Edge]) -> Vec<bool> {
        let mut graph: DiGraphMap<usize, ()> = there.iter().copied().collect();
        let mut add = |(before, after): &Edge| {
            let nodes = [before, after].map(|node| graph.add_node(*node));
            let closes = has_path_connecting(&graph, nodes[1], nodes[0], None);
            (!closes).then(|| graph.add_edge(*before, *after, ()));
            !closes
        };
        wished.iter().map(&mut add).collect()
    }

    fn edges() -> impl Strategy<Value = Vec<Edge>> {
        proptest::collection::vec((0..8_usize, 0..8_usize), 0..24)
    }

    proptest! {
        #[test]
        fn edges_are_added_as_if_each_were_looked_at_on_its_own(there in edges(), wished in edges()) {
            let added = without_circles(there.iter().copied(), &wished);
            prop_assert_eq!(added, one_by_one(&there, &wished));
        }
    }
}
