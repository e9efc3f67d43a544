//! Circles among phases, among stages, and among both together.
//!
//! The graph searched is the union of what a plan says: a phase waits for those it comes after
//! and for its own stages; a stage waits for what it starts from and for all that its ops read,
//! be it a stage or a phase. So a stage that reads a phase which comes after its own stands on a
//! circle, even where the stage that the phase gives out does not need it: phases are an order,
//! and an order that holds only by luck is none.
//!
//! Every circle is reported in the sense that taking away one edge of each leaves none: one
//! shortest circle for every edge that a depth-first walk finds to lead back.

use std::collections::{BTreeMap, VecDeque};

use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use super::outlet::Outlet;
use super::stages::StageGraph;
use crate::plan::{Input, PhaseName, Span, StageName};

/// At most this many circles are reported of stages that all depend on each other: a plan with
/// more has one cause, and time stays linear.
const MOST_OF_ONE_TANGLE: usize = 16;

/// One circle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// What it runs through.
    pub kind: CycleKind,
    /// Each node waits for the next one, and the last for the first.
    pub path: Vec<Hop>,
}

impl Cycle {
    /// How much of a path is shown: all of any that people make, and not a book of one that a
    /// program made.
    pub const SHOWN: usize = 100;
}

/// What a circle runs through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CycleKind {
    /// Phases come after each other.
    Phases,
    /// Stages read each other.
    Stages,
    /// A stage reads a phase that comes after its own.
    Both,
}

/// One node of a circle and why it waits for the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The node as it is written: `%venv`, or `phase build.app`.
    pub node: String,
    /// Why it waits for the next node, for a label.
    pub why: String,
    /// Where the plan says so.
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node<'p> {
    Phase(&'p PhaseName),
    Stage(&'p StageName),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// A phase comes after another.
    After,
    /// A phase gives out what its stages make.
    Holds,
    /// A stage reads what the plan names.
    Reads,
    /// A stage says no `from`.
    StartsFrom,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    why: Why,
    span: Span,
}

type Union<'p> = DiGraph<Node<'p>, Edge>;

/// The circles of a plan, those of phases first.
pub fn cycles(stages: &StageGraph<'_>) -> Vec<Cycle> {
    let mut graph = Union::new();
    let phases = add_phases(&mut graph, stages);
    let of_phases = circles_of(&graph);
    if !of_phases.is_empty() {
        // What comes before what is open then, so only what stages read of each other is left.
        graph.retain_edges(|graph, edge| graph[edge].why != Why::After);
    }
    add_stages(&mut graph, stages, &phases);
    let mut all = of_phases;
    all.extend(circles_of(&graph));
    all
}

fn add_phases<'p>(graph: &mut Union<'p>, stages: &StageGraph<'p>) -> BTreeMap<&'p PhaseName, NodeIndex> {
    let phases = stages.phases();
    let nodes: BTreeMap<&PhaseName, NodeIndex> =
        phases.names().map(|name| (name, graph.add_node(Node::Phase(name)))).collect();
    for (name, node) in &nodes {
        for before in phases.phase(name).into_iter().flat_map(|phase| &phase.after) {
            if let Some(before_node) = nodes.get(&before.value) {
                graph.add_edge(*node, *before_node, Edge { why: Why::After, span: before.span });
            }
        }
    }
    nodes
}

fn add_stages<'p>(
    graph: &mut Union<'p>,
    stages: &StageGraph<'p>,
    phases: &BTreeMap<&'p PhaseName, NodeIndex>,
) {
    let nodes: Vec<NodeIndex> =
        stages.plan().stages.iter().map(|stage| graph.add_node(Node::Stage(&stage.name.value))).collect();
    let node_of = |input: &Input| match input {
        Input::Stage(name) => stages.place(name).map(|place| nodes[place]),
        Input::Phase(name) => phases.get(name).copied(),
        Input::Scratch | Input::Image(_) | Input::Context(_) => None,
    };
    for (stage, node) in stages.plan().stages.iter().zip(&nodes) {
        if let Some(phase) = &stage.phase
            && let Some(phase_node) = phases.get(&phase.value)
        {
            graph.add_edge(*phase_node, *node, Edge { why: Why::Holds, span: phase.span });
        }
        stage.for_each_input(|input| {
            if let Some(read) = node_of(&input.value) {
                graph.add_edge(*node, read, Edge { why: Why::Reads, span: input.span });
            }
        });
    }
    for (place, node) in nodes.iter().enumerate() {
        let stage = stages.stage(place);
        if stage.from.is_none()
            && let Outlet::One(start) = stages.start(place)
            && let Some(start) = node_of(start)
        {
            graph.add_edge(*node, start, Edge { why: Why::StartsFrom, span: stage.name.span });
        }
    }
}

fn circles_of(graph: &Union<'_>) -> Vec<Cycle> {
    let mut component_of = vec![usize::MAX; graph.node_count()];
    let mut tangles = Vec::new();
    for mut tangle in kosaraju_scc(graph) {
        let first = tangle[0];
        if tangle.len() > 1 || graph.contains_edge(first, first) {
            for node in &tangle {
                component_of[node.index()] = tangles.len();
            }
            tangle.sort_unstable();
            tangles.push(tangle);
        }
    }
    tangles.sort_unstable();
    let mut circles = Vec::new();
    let mut seen = vec![false; graph.node_count()];
    let mut on_path = seen.clone();
    for tangle in &tangles {
        let component = component_of[tangle[0].index()];
        let inside = |node: NodeIndex| component_of[node.index()] == component;
        let closing_edges = closing_edges(graph, tangle[0], &inside, &mut seen, &mut on_path);
        for closing in closing_edges.into_iter().take(MOST_OF_ONE_TANGLE) {
            circles.push(circle_through(graph, closing, &inside));
        }
    }
    circles
}

/// The edges of one tangle that a depth-first walk finds to lead back into its own path. The
/// marks are lent, because a plan may have as many tangles as stages; `on_path` comes back clear.
fn closing_edges(
    graph: &Union<'_>,
    first: NodeIndex,
    inside: &impl Fn(NodeIndex) -> bool,
    seen: &mut [bool],
    on_path: &mut [bool],
) -> Vec<EdgeIndex> {
    let mut closing = Vec::new();
    let mut path = vec![(first, graph.neighbors(first).detach())];
    seen[first.index()] = true;
    on_path[first.index()] = true;
    while let Some((node, walk)) = path.last_mut() {
        let Some((edge, next)) = walk.next(graph) else {
            on_path[node.index()] = false;
            path.pop();
            continue;
        };
        if !inside(next) {
            continue;
        }
        if on_path[next.index()] {
            closing.push(edge);
        } else if !std::mem::replace(&mut seen[next.index()], true) {
            on_path[next.index()] = true;
            path.push((next, graph.neighbors(next).detach()));
        }
    }
    closing
}

/// The shortest circle that has `closing` as an edge.
fn circle_through(graph: &Union<'_>, closing: EdgeIndex, inside: &impl Fn(NodeIndex) -> bool) -> Cycle {
    let (last, first) = graph.edge_endpoints(closing).expect("the edge is of this graph");
    let mut reached_by: BTreeMap<NodeIndex, EdgeIndex> = BTreeMap::new();
    let mut waiting = VecDeque::from([first]);
    while let Some(node) = waiting.pop_front() {
        if node == last {
            break;
        }
        for edge in graph.edges_directed(node, Direction::Outgoing) {
            let next = edge.target();
            if inside(next) && next != first && !reached_by.contains_key(&next) {
                reached_by.insert(next, edge.id());
                waiting.push_back(next);
            }
        }
    }
    let mut edges = vec![closing];
    let mut node = last;
    while node != first {
        // Both ends are of one strongly connected component, so the way back is there.
        let edge = reached_by[&node];
        edges.push(edge);
        node = graph.edge_endpoints(edge).expect("the edge is of this graph").0;
    }
    edges.reverse();
    // The guilty edge comes first: a stage that reads a phase, or else any stage that reads.
    let reads_phase = |edge: &EdgeIndex| {
        let (_, read) = graph.edge_endpoints(*edge).expect("the edge is of this graph");
        graph[*edge].why == Why::Reads && matches!(graph[read], Node::Phase(_))
    };
    let of_stage = |edge: &EdgeIndex| [Why::Reads, Why::StartsFrom].contains(&graph[*edge].why);
    let guilty = edges.iter().position(reads_phase).or_else(|| edges.iter().position(of_stage));
    edges.rotate_left(guilty.unwrap_or(0));
    cycle_of(graph, &edges)
}

fn cycle_of(graph: &Union<'_>, edges: &[EdgeIndex]) -> Cycle {
    let has = |wanted: Why| edges.iter().any(|edge| graph[*edge].why == wanted);
    let kind = match (has(Why::After), has(Why::Reads) || has(Why::StartsFrom) || has(Why::Holds)) {
        (true, false) => CycleKind::Phases,
        (true, true) => CycleKind::Both,
        (false, _) => CycleKind::Stages,
    };
    let path = edges
        .iter()
        .map(|edge| {
            let (from, to) = graph.edge_endpoints(*edge).expect("the edge is of this graph");
            let (from, to) = (graph[from].to_string(), graph[to].to_string());
            let Edge { why, span } = graph[*edge];
            let why = match why {
                Why::After => format!("`{from}` comes after `{to}`"),
                Why::Holds => format!("`{from}` gives out what `{to}` makes"),
                Why::Reads => format!("`{from}` reads `{to}`"),
                Why::StartsFrom => format!("`{from}` says no `from`, so it starts from `{to}`"),
            };
            Hop { node: from, why, span }
        })
        .collect();
    Cycle { kind, path }
}

impl std::fmt::Display for Node<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Phase(name) => write!(out, "phase {name}"),
            Self::Stage(name) => write!(out, "{name}"),
        }
    }
}

impl std::fmt::Display for Cycle {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for hop in self.path.iter().take(Self::SHOWN) {
            write!(out, "`{}` → ", hop.node)?;
        }
        if self.path.len() > Self::SHOWN {
            write!(out, "{} others → ", self.path.len() - Self::SHOWN)?;
        }
        write!(out, "`{}`", self.path[0].node)
    }
}
