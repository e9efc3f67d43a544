//! What there is to be seen of a plan: boxes with rows, lanes that hold boxes, and edges.

use std::collections::{BTreeMap, BTreeSet};

use super::describe;
use crate::graph::{Outlet, PhaseGraph, StageGraph};
use crate::plan::order::phase_order;
use crate::plan::{Input, MountKind, Op, OpKind, Phase, PhaseName, Plan, Spanned, Stage};

/// The most rows that a box shows; what is left is counted in a last one.
const MOST_ROWS: usize = 16;

/// The place of a node in [`Picture::nodes`].
pub type NodeId = usize;

/// A plan as a graph to be drawn.
#[derive(Debug)]
pub struct Picture {
    /// A line about the whole plan.
    pub title: String,
    /// Sources first, then stages, then what else there is.
    pub nodes: Vec<Node>,
    /// Phases with something in them, in their order; chains that have nothing to do with each
    /// other are apart. Stages of no phase are in no lane.
    pub lanes: Vec<Lane>,
    /// What is read by what.
    pub edges: Vec<Edge>,
}

/// One box.
#[derive(Debug)]
pub struct Node {
    /// What it stands for.
    pub kind: NodeKind,
    /// Its name.
    pub title: String,
    /// What is said below the name.
    pub subtitle: String,
    /// What is in it.
    pub rows: Vec<Row>,
    /// Whether the export needs it; true where there is no export.
    pub needed: bool,
}

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// A base image.
    Image,
    /// A context.
    Context,
    /// `scratch`.
    Scratch,
    /// A name that nothing declares.
    Missing,
    /// A stage.
    Stage,
    /// What comes out of a parallel phase.
    Merge,
    /// A phase of which it cannot be told what comes out of it.
    Phase,
    /// What becomes the image.
    Export,
}

/// One line of a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it stands for.
    pub kind: RowKind,
    /// How deep it is set in: 1 in a layer, and a mount one deeper than its op.
    pub depth: usize,
    /// The line.
    pub text: String,
}

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// An op, or a property of the export.
    Op,
    /// The head of a layer.
    Layer,
    /// A mount or a setting of the op above.
    Mount,
    /// A remark.
    Note,
}

/// A phase with its boxes in order.
#[derive(Debug)]
pub struct Lane {
    /// The phase's name, and what is special about it.
    pub title: String,
    /// The boxes.
    pub nodes: Vec<NodeId>,
    /// Whether the boxes stand side by side rather than one after the other.
    pub parallel: bool,
    /// Lanes of one chain share a number.
    pub chain: usize,
}

/// One box, or a row of it, reads another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// What is read.
    pub from: NodeId,
    /// What reads.
    pub to: NodeId,
    /// The row that reads; `None` for the box as such.
    pub row: Option<usize>,
    /// How.
    pub kind: EdgeKind,
    /// Whether it is told by the plan; a guess where a breach keeps it from being so.
    pub certain: bool,
    /// The edge in words.
    pub label: String,
}

/// How one thing reads another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// It starts from it.
    From,
    /// It copies files from it.
    Copy,
    /// It sees its files while it runs.
    Mount,
}

impl Row {
    pub(super) fn new(kind: RowKind, text: String) -> Self {
        Self { kind, depth: 0, text }
    }
}

impl Picture {
    /// The picture of `plan`.
    pub fn of(plan: &Plan) -> Self {
        let phases = plan.phases();
        let graph = StageGraph::new(plan, PhaseGraph::new(plan, &phases));
        let mut painter = Painter::new(plan, &graph);
        for place in 0..plan.stages.len() {
            painter.add_stage(place);
        }
        painter.add_export();
        painter.add_lanes(&phase_order(&phases));
        painter.picture
    }
}

struct Painter<'p> {
    plan: &'p Plan,
    graph: &'p StageGraph<'p>,
    picture: Picture,
    /// Where each source, merge or phase has its box.
    boxes: BTreeMap<Input, NodeId>,
    /// Where each stage has its box, by its place in the plan.
    stages: Vec<NodeId>,
    /// The edges that are there.
    drawn: BTreeSet<(NodeId, NodeId, Option<usize>, EdgeKind)>,
}

impl<'p> Painter<'p> {
    fn new(plan: &'p Plan, graph: &'p StageGraph<'p>) -> Self {
        let platforms: Vec<String> = plan.platforms.iter().map(|platform| platform.to_string()).collect();
        let title = format!("{} · {}", platforms.join(", "), describe::counted(plan.stages.len(), "stage"));
        let picture = Picture { title, nodes: Vec::new(), lanes: Vec::new(), edges: Vec::new() };
        let mut painter =
            Self { plan, graph, picture, boxes: BTreeMap::new(), stages: Vec::new(), drawn: BTreeSet::new() };
        painter.add_sources();
        let needed = plan.export.as_ref().map(|export| match graph.concrete(&export.from) {
            Outlet::One(input) => graph.needed_by(&input),
            Outlet::Nothing | Outlet::Several(_) | Outlet::Broken => vec![true; plan.stages.len()],
        });
        for (place, stage) in plan.stages.iter().enumerate() {
            let needed = needed.as_ref().is_none_or(|needed| needed[place]);
            let id = painter.add(NodeKind::Stage, stage.name.to_string(), String::new());
            painter.picture.nodes[id].needed = needed;
            painter.stages.push(id);
        }
        painter
    }

    fn add(&mut self, kind: NodeKind, title: String, subtitle: String) -> NodeId {
        self.picture.nodes.push(Node { kind, title, subtitle, rows: Vec::new(), needed: true });
        self.picture.nodes.len() - 1
    }

    fn add_sources(&mut self) {
        for (name, image) in &self.plan.images {
            let (subtitle, rows) = describe::image(image);
            let id = self.add(NodeKind::Image, name.to_string(), subtitle);
            self.picture.nodes[id].rows = rows;
            self.boxes.insert(Input::Image(name.clone()), id);
        }
        for (name, context) in &self.plan.contexts {
            let id = self.add(NodeKind::Context, name.to_string(), describe::context(context));
            self.boxes.insert(Input::Context(name.clone()), id);
        }
        // What is used without being declared (`scratch` need not be) follows, sorted.
        let mut used = BTreeSet::new();
        let mut note = |input: &Spanned<Input>| {
            if let Outlet::One(input) = self.graph.concrete(&input.value) {
                used.insert(input);
            } else if let Input::Stage(_) = &input.value {
                used.insert(input.value.clone());
            }
        };
        for stage in &self.plan.stages {
            stage.for_each_input(&mut note);
        }
        self.plan.export.iter().for_each(|export| note(&export.from));
        for input in used {
            let is_known = match &input {
                Input::Stage(name) => self.graph.place(name).is_some(),
                Input::Phase(_) => true,
                Input::Scratch | Input::Image(_) | Input::Context(_) => self.boxes.contains_key(&input),
            };
            if !is_known {
                let (kind, subtitle) = match &input {
                    Input::Scratch => (NodeKind::Scratch, "the empty filesystem"),
                    Input::Image(_) | Input::Context(_) | Input::Stage(_) | Input::Phase(_) => {
                        (NodeKind::Missing, "nothing declares it")
                    }
                };
                let id = self.add(kind, input.to_string(), subtitle.to_owned());
                self.boxes.insert(input, id);
            }
        }
    }

    fn add_stage(&mut self, place: usize) {
        let (graph, stage) = (self.graph, self.graph.stage(place));
        let id = self.stages[place];
        let start = graph.start(place).clone();
        self.picture.nodes[id].subtitle = match (&stage.from, &start) {
            (Some(from), _) => format!("from {}", from.value),
            (None, Outlet::One(input)) => format!("goes on from {input}"),
            (None, Outlet::Several(_)) => "from several, none is named".to_owned(),
            (None, Outlet::Nothing | Outlet::Broken) => "from nothing that is known".to_owned(),
        };
        let label = |input: &Input| format!("{} starts from {input}", stage.name.value);
        match (&stage.from, start) {
            (_, Outlet::One(input)) => self.edge(&input, id, None, EdgeKind::From, true, &label),
            (Some(from), _) => self.reads(from, id, None, EdgeKind::From, &label),
            (None, Outlet::Several(inputs)) => {
                for input in inputs {
                    self.edge(&input, id, None, EdgeKind::From, false, &label);
                }
            }
            (None, Outlet::Nothing | Outlet::Broken) => {}
        }
        self.add_rows(id, stage);
    }

    fn add_rows(&mut self, id: NodeId, stage: &Stage) {
        let mut rows = Rows::default();
        rows.push_ops(&stage.ops, 0);
        let Rows { mut rows, mut reads } = rows;
        if rows.len() > MOST_ROWS {
            let left = rows.len() - (MOST_ROWS - 1);
            rows.truncate(MOST_ROWS - 1);
            rows.push(Row::new(RowKind::Note, format!("… and {left} more")));
            reads.iter_mut().for_each(|(row, ..)| *row = (*row).min(MOST_ROWS - 1));
        }
        self.picture.nodes[id].rows = rows;
        for (row, input, kind, text) in reads {
            let label = |input: &Input| format!("{}: {text}, from {input}", stage.name.value);
            self.reads(input, id, Some(row), kind, &label);
        }
    }

    /// An edge for an input as it was written.
    fn reads(
        &mut self,
        input: &Spanned<Input>,
        to: NodeId,
        row: Option<usize>,
        kind: EdgeKind,
        label: &dyn Fn(&Input) -> String,
    ) {
        match self.graph.concrete(&input.value) {
            Outlet::One(concrete) => self.edge(&concrete, to, row, kind, true, label),
            Outlet::Nothing | Outlet::Several(_) | Outlet::Broken => {
                self.edge(&input.value, to, row, kind, false, label);
            }
        }
    }

    fn edge(
        &mut self,
        input: &Input,
        to: NodeId,
        row: Option<usize>,
        kind: EdgeKind,
        certain: bool,
        label: &dyn Fn(&Input) -> String,
    ) {
        let from = self.box_of(input);
        // Several reads of one thing may be in the one row "and more".
        if self.drawn.insert((from, to, row, kind)) {
            self.picture.edges.push(Edge { from, to, row, kind, certain, label: label(input) });
        }
    }

    /// The box of an input; those of phases are made when they are first read.
    fn box_of(&mut self, input: &Input) -> NodeId {
        if let Input::Stage(name) = input
            && let Some(place) = self.graph.place(name)
        {
            return self.stages[place];
        }
        if let Some(id) = self.boxes.get(input) {
            return *id;
        }
        let id = match input {
            Input::Phase(name) if self.graph.phases().is_parallel(name) => self.add_merge(name),
            Input::Phase(name) => {
                self.add(NodeKind::Phase, format!("phase {name}"), "what comes out of it".to_owned())
            }
            Input::Scratch | Input::Image(_) | Input::Stage(_) | Input::Context(_) => {
                self.add(NodeKind::Missing, input.to_string(), "nothing declares it".to_owned())
            }
        };
        self.boxes.insert(input.clone(), id);
        id
    }

    fn add_merge(&mut self, phase: &PhaseName) -> NodeId {
        let id = self.add(NodeKind::Merge, format!("phase {phase}"), "the merge of its stages".to_owned());
        for (row, place) in self.graph.phases().members(phase).iter().enumerate() {
            let name = &self.graph.stage(*place).name.value;
            self.picture.nodes[id].rows.push(Row::new(RowKind::Op, name.to_string()));
            self.picture.edges.push(Edge {
                from: self.stages[*place],
                to: id,
                row: Some(row),
                kind: EdgeKind::From,
                certain: true,
                label: format!("phase {phase} merges {name}"),
            });
        }
        id
    }

    fn add_lanes(&mut self, order: &[PhaseName]) {
        let mut members: BTreeMap<&PhaseName, Vec<NodeId>> = BTreeMap::new();
        for (place, stage) in self.plan.stages.iter().enumerate() {
            if let Some(phase) = &stage.phase {
                members.entry(&phase.value).or_default().push(self.stages[place]);
            }
        }
        for phase in order {
            if let Some(id) = self.boxes.get(&Input::Phase(phase.clone())) {
                members.entry(phase).or_default().push(*id);
            }
        }
        let chains = chains(&self.plan.phases(), order);
        for phase in order {
            if let Some(nodes) = members.remove(phase) {
                let parallel = self.graph.phases().is_parallel(phase);
                let title = if parallel { format!("{phase} · parallel") } else { phase.to_string() };
                let chain = chains.get(&phase).copied().unwrap_or_default();
                self.picture.lanes.push(Lane { title, nodes, parallel, chain });
            }
        }
        for (phase, nodes) in members {
            let title = format!("{phase} · not declared");
            self.picture.lanes.push(Lane { title, nodes, parallel: false, chain: usize::MAX });
        }
        // Chains one after the other; inside each the order of its phases stays.
        self.picture.lanes.sort_by_key(|lane| lane.chain);
    }

    fn add_export(&mut self) {
        let Some(export) = &self.plan.export else { return };
        let id = self.add(NodeKind::Export, "export".to_owned(), format!("from {}", export.from.value));
        self.picture.nodes[id].rows = describe::export(export);
        let label = |input: &Input| format!("the image is {input}");
        self.reads(&export.from, id, None, EdgeKind::From, &label);
    }
}

/// A number for each phase, the same for all that hang together, smaller for what comes first.
fn chains<'a>(phases: &BTreeMap<PhaseName, Phase>, order: &'a [PhaseName]) -> BTreeMap<&'a PhaseName, usize> {
    let rank: BTreeMap<&PhaseName, usize> = order.iter().zip(0..).collect();
    let mut chain: Vec<usize> = (0..order.len()).collect();
    for (name, phase) in phases {
        for before in &phase.after {
            if let (Some(one), Some(other)) = (rank.get(name), rank.get(&before.value)) {
                let (one, other) = (first_of(&mut chain, *one), first_of(&mut chain, *other));
                chain[one.max(other)] = one.min(other);
            }
        }
    }
    (0..order.len()).map(|at| (&order[at], first_of(&mut chain, at))).collect()
}

/// The first member of a chain, with the way to it made shorter for the next who asks.
fn first_of(chain: &mut [usize], mut at: usize) -> usize {
    while chain[at] != at {
        chain[at] = chain[chain[at]];
        at = chain[at];
    }
    at
}

/// Rows under construction, with what each reads.
#[derive(Default)]
struct Rows<'p> {
    rows: Vec<Row>,
    reads: Vec<(usize, &'p Spanned<Input>, EdgeKind, String)>,
}

impl<'p> Rows<'p> {
    fn push_ops(&mut self, ops: &'p [Op], depth: usize) {
        for op in ops {
            let text = describe::op(op);
            let (kind, row) = (RowKind::Op, self.rows.len());
            let mut push = |kind| self.rows.push(Row { kind, depth, text: text.clone() });
            match &op.kind {
                OpKind::Copy(copy) => {
                    push(kind);
                    self.reads.push((row, &copy.from, EdgeKind::Copy, text));
                }
                OpKind::Run { execution, .. } | OpKind::Exec { execution, .. } => {
                    push(kind);
                    let setting = describe::settings(execution);
                    self.rows.extend(setting.map(|text| Row {
                        kind: RowKind::Mount,
                        depth: depth + 1,
                        text,
                    }));
                    for mount in &execution.mounts {
                        let text = describe::mount(mount);
                        if let MountKind::Bind { source, .. } = &mount.kind {
                            self.reads.push((self.rows.len(), source, EdgeKind::Mount, text.clone()));
                        }
                        self.rows.push(Row { kind: RowKind::Mount, depth: depth + 1, text });
                    }
                }
                OpKind::Layer(layer) => {
                    push(RowKind::Layer);
                    self.push_ops(&layer.ops, depth + 1);
                }
                OpKind::By(_) => push(RowKind::Note),
                OpKind::File(_)
                | OpKind::Mkdir(_)
                | OpKind::Symlink(_)
                | OpKind::Remove(_)
                | OpKind::Env(_)
                | OpKind::Workdir(_)
                | OpKind::User(_)
                | OpKind::Shell(_) => push(kind),
            }
        }
    }
}
