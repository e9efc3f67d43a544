//! The order in which blocks take their turns: each after those that provide what it requires.
//!
//! Blocks that do not wait for each other go by their names, so that no list's order matters.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_ir::suggest::nearest;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::finding::ComposeFinding;

/// What one block needs and brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockOrder {
    /// The block.
    pub name: String,
    /// Words that another block must provide.
    pub requires: BTreeSet<String>,
    /// Words that it comes after where somebody provides them.
    pub after: BTreeSet<String>,
    /// Words that it provides.
    pub provides: BTreeSet<String>,
}

/// The places of `blocks` in the order of their turns, or why there is none.
pub fn block_order(blocks: &[BlockOrder]) -> Result<Vec<usize>, Vec<ComposeFinding>> {
    let mut findings = Vec::new();
    let mut by_name: Vec<usize> = (0..blocks.len()).collect();
    by_name.sort_by(|one, other| blocks[*one].name.cmp(&blocks[*other].name));

    let mut provider: BTreeMap<&str, usize> = BTreeMap::new();
    for block in &by_name {
        for word in &blocks[*block].provides {
            if let Some(first) = provider.insert(word, *block) {
                findings.push(ComposeFinding::ProvidedTwice {
                    word: word.clone(),
                    first: blocks[first].name.clone(),
                    second: blocks[*block].name.clone(),
                });
            }
        }
    }
    let mut graph: DiGraph<usize, &str> = DiGraph::new();
    let mut node_of: BTreeMap<usize, NodeIndex> = BTreeMap::new();
    for block in &by_name {
        node_of.insert(*block, graph.add_node(*block));
    }
    for block in &by_name {
        let BlockOrder { name, requires, after, .. } = &blocks[*block];
        for word in requires.union(after) {
            match provider.get(word.as_str()) {
                // What a block provides itself it does not wait for.
                Some(other) if other == block => {}
                Some(other) => {
                    graph.add_edge(node_of[other], node_of[block], word);
                }
                None if requires.contains(word) => findings.push(ComposeFinding::NobodyProvides {
                    block: name.clone(),
                    word: word.clone(),
                    near: nearest(word, provider.keys().copied()).map(str::to_owned),
                }),
                None => {}
            }
        }
    }
    for members in tarjan_scc(&graph).into_iter().filter(|members| members.len() > 1) {
        findings.push(ComposeFinding::Cycle { path: circle(&graph, &members, blocks) });
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    Ok(first_ready_by_name(&graph, &by_name, &node_of))
}

/// A shortest circle through the first member by name, as `a needs x of b needs y of a`.
fn circle(graph: &DiGraph<usize, &str>, members: &[NodeIndex], blocks: &[BlockOrder]) -> String {
    let name = |node: NodeIndex| blocks[graph[node]].name.as_str();
    let members: BTreeSet<NodeIndex> = members.iter().copied().collect();
    // Nodes were added by name, so the first index is the first name. A component has a member.
    let Some(start) = members.first().copied() else { return String::new() };
    // Who each node was reached from, walking from a block to those that it needs.
    let mut reached: BTreeMap<NodeIndex, NodeIndex> = BTreeMap::new();
    let mut wave = vec![start];
    while !reached.contains_key(&start) && !wave.is_empty() {
        let mut next = Vec::new();
        for node in wave {
            let mut needed: Vec<NodeIndex> = graph
                .neighbors_directed(node, petgraph::Incoming)
                .filter(|one| members.contains(one))
                .collect();
            needed.sort();
            for other in needed {
                reached.entry(other).or_insert_with(|| {
                    next.push(other);
                    node
                });
            }
        }
        wave = next;
    }
    let mut back = vec![start];
    let mut node = start;
    while let Some(from) = reached.get(&node) {
        back.push(*from);
        node = *from;
        if node == start {
            break;
        }
    }
    back.reverse();
    let mut path = name(start).to_owned();
    for pair in back.windows(2) {
        let word = graph.find_edge(pair[1], pair[0]).map_or("", |edge| graph[edge]);
        path.push_str(&format!(" needs `{word}` of {}", name(pair[1])));
    }
    path
}

/// Each block as soon as all that it waits for had their turns; of several the first by name.
fn first_ready_by_name(
    graph: &DiGraph<usize, &str>,
    by_name: &[usize],
    node_of: &BTreeMap<usize, NodeIndex>,
) -> Vec<usize> {
    let mut order = Vec::with_capacity(by_name.len());
    let mut done: BTreeSet<NodeIndex> = BTreeSet::new();
    while order.len() < by_name.len() {
        let ready = by_name.iter().find(|block| {
            let node = node_of[block];
            !done.contains(&node)
                && graph.neighbors_directed(node, petgraph::Incoming).all(|before| done.contains(&before))
        });
        // There is one as long as there is no circle, and those were told before.
        let Some(ready) = ready else { break };
        done.insert(node_of[ready]);
        order.push(*ready);
    }
    order
}
