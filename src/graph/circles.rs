//! What closes a circle and what does not. Pure.

use std::collections::BTreeSet;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

/// An edge between two nodes by their numbers: the first comes before the second.
pub type Edge = (usize, usize);

/// Which of the edges that are wished for can be added, one after the other, to those that are there without closing a circle.
///
/// Takes time in proportion to all edges, and more for what could be in a circle: no edge between two strongly connected
/// components is in any, whichever others are added.
pub fn without_circles(nodes: usize, there: impl IntoIterator<Item = Edge>, wished: &[Edge]) -> Vec<bool> {
    let there: Vec<Edge> = there.into_iter().collect();
    let component = components(nodes, there.iter().chain(wished));
    let is_within = |(before, after): &Edge| component[*before] == component[*after];
    let mut followers = vec![Vec::new(); nodes];
    there.iter().filter(|edge| is_within(edge)).for_each(|(before, after)| followers[*before].push(*after));
    let mut add = |edge: &Edge| {
        let (before, after) = *edge;
        if is_within(edge) {
            if leads_to(&followers, after, before) {
                return false;
            }
            followers[before].push(after);
        }
        true
    };
    wished.iter().map(&mut add).collect()
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

fn leads_to(followers: &[Vec<usize>], from: usize, to: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = vec![from];
    while let Some(node) = next.pop() {
        if node == to {
            return true;
        }
        if seen.insert(node) {
            next.extend(&followers[node]);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One edge after the other, each looked at on its own.
    fn one_by_one(nodes: usize, there: &[Edge], wished: &[Edge]) -> Vec<bool> {
        let mut followers = vec![Vec::new(); nodes];
        there.iter().for_each(|(before, after)| followers[*before].push(*after));
        let mut add = |(before, after): &Edge| {
            let closes = leads_to(&followers, *after, *before);
            if !closes {
                followers[*before].push(*after);
            }
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
            let added = without_circles(8, there.iter().copied(), &wished);
            prop_assert_eq!(added, one_by_one(8, &there, &wished));
        }
    }
}
