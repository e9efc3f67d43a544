//! One stage: its layers in order, each on what the one before left.
//!
//! - Neighbouring file ops of one `layer` are one vertex, and so one cache key and one layer; a
//!   file op outside a group is a vertex of its own.
//! - A `run` is a vertex and a layer of its own even inside a `layer` group. BuildKit has nothing
//!   that makes one layer of two: a diff of a vertex and its own ancestor is answered with the
//!   layers between them. The files are the same either way.
//! - An independent layer is made on the empty filesystem and merged over the rest, so that it
//!   keeps its bytes and its place in every cache when the rest changes. Each has a merge of its
//!   own, as each `COPY --link` has: a daemon makes one of merges of merges, and a merge of all
//!   would be another key for the same files. Where the daemon has no merges, it is copied over
//!   it, which is the same but for a file that meets a directory: that fails.
//! - `env`, `user` and `shell` are no vertices: they are part of the execs after them, and of the
//!   image config.

use std::sync::Arc;

use cogpack_backends_contract::Unsupported;
use cogpack_backends_contract::again::owner_by_name;
use cogpack_backends_contract::layers::{LayerPlan, layers};
use cogpack_backends_contract::titles::describe;
use cogpack_ir::plan::{LayerName, OpKind, Span, StageName};
use cogpack_ir::resolve::{StageId, Step};

use super::files::Given;
use super::{Ended, Input, Lowering, Root, label, titles};
use crate::annotations::Group;
use crate::graph::Label;
use crate::wire::op::VertexId;
use crate::wire::{File, Op};

/// Edits that will be one vertex.
pub(super) struct Chain<'a> {
    pub(super) file: File<'a>,
    /// What the edits are in the plan, for the vertex's name.
    title: String,
    /// By step that has edits.
    spans: Vec<Span>,
}

/// The layer that is being lowered, as its vertices are named.
pub(super) struct Site<'a> {
    /// `build.app-deps %venv: `
    prefix: &'a str,
    stage: &'a StageName,
    layer: Option<&'a LayerName>,
    /// Its place in the stage.
    place: usize,
    /// Made when a second vertex turns up that belongs to the first.
    group: Option<Arc<Group>>,
    /// Whether the stage starts from an image, which has the programs that every system has.
    pub(super) is_a_system: bool,
    /// What the layer lies on.
    pub(super) below: Root,
}

impl<'a> Lowering<'a> {
    /// Lowers a stage, and notes what it leaves.
    pub(super) fn stage(&mut self, id: StageId) {
        let plan = self.plan;
        let start = match (plan.start_of(id), &plan.stage(id).from) {
            (Some(before), _) => self.left_by(before),
            (None, Some(from)) => {
                let start = self.source(&from.value, from.span);
                self.noting(start).unwrap_or_default()
            }
            (None, None) => Input::default(),
        };
        let end = self.layers_on(id, start);
        let root = self.noting(end).flatten();
        self.stages[id.index()] = Ended { root, is_a_system: start.is_a_system };
    }

    /// All of a stage on what it, or another like it, starts from.
    pub(super) fn layers_on(&mut self, id: StageId, start: Input) -> Result<Root, Unsupported> {
        let plan = self.plan;
        let stage = plan.stage(id);
        let mut root = start.root;
        let prefix = titles::prefix(stage);
        for (place, layer) in layers(plan, id).into_iter().enumerate() {
            if !layer.changes_filesystem {
                continue;
            }
            let name = &stage.name.value;
            let is_a_system = start.is_a_system;
            let mut site = Site {
                prefix: &prefix,
                stage: name,
                layer: layer.name.map(|name| &name.value),
                place,
                group: None,
                is_a_system,
                below: root,
            };
            if layer.name.is_some() && layer.steps.len() > 1 {
                site.grouped();
            }
            let lowered = match layer.independent {
                true => self.independent_layer(&mut site, &layer, &mut root),
                false => self.layer(&mut site, &layer, &mut root),
            };
            self.noting(lowered);
        }
        Ok(root)
    }

    fn independent_layer(
        &mut self,
        site: &mut Site<'_>,
        layer: &LayerPlan<'a>,
        root: &mut Root,
    ) -> Result<(), Unsupported> {
        let mut chain = Chain::on(None, site);
        for step in &layer.steps {
            self.edit(site, &mut chain, step)?;
        }
        // What lays it over the rest is part of it: it has its name and its places.
        let (title, spans) = (chain.title.clone(), chain.spans.clone());
        let Some(made) = self.close(site, chain)? else { return Ok(()) };
        let Some(below) = *root else {
            *root = Some(made);
            return Ok(());
        };
        if !self.settings.limits.allow_merges() {
            let mut over = Chain { title, spans, ..Chain::on(Some(below), site) };
            self.tell_owners_apart(&mut over.file, made);
            over.file.lay_in(made, "/", Given::default());
            *root = self.close(site, over)?;
        } else if below != made {
            // A merge names each of its inputs once, and the same layer again changes nothing.
            *root = Some(self.vertex(site, &Op::Merge(vec![below, made]), title, &spans)?);
        }
        Ok(())
    }

    fn layer(
        &mut self,
        site: &mut Site<'_>,
        layer: &LayerPlan<'a>,
        root: &mut Root,
    ) -> Result<(), Unsupported> {
        let mut chain: Option<Chain<'a>> = None;
        for step in &layer.steps {
            let breaks = matches!(step.op.kind, OpKind::Run { .. } | OpKind::Exec { .. })
                || owner_by_name(step).is_some() && chain.as_ref().is_some_and(Chain::touches_accounts);
            if breaks && let Some(chain) = chain.take() {
                *root = self.close(site, chain)?;
            }
            match &step.op.kind {
                OpKind::Run { execution, .. } | OpKind::Exec { execution, .. } => {
                    let mut below = *root;
                    let user =
                        execution.user.as_ref().map(|user| user.as_written()).or(step.state.user.as_deref());
                    if let Some(workdir) = &execution.workdir
                        && !user.is_none_or(is_root)
                    {
                        // The daemon would make it too, but as the user's.
                        let mut made = Chain::on(below, site);
                        self.workdir(&mut made, workdir)?;
                        made.describe(step);
                        below = self.close(site, made)?.or(below);
                    }
                    let mut name = site.title();
                    describe(&mut name, &step.op.kind);
                    let label = Label { group: site.group.clone(), ..label(name, step.op.span) };
                    *root = self.execute(step, below, label)?;
                }
                OpKind::Copy(_)
                | OpKind::File(_)
                | OpKind::Mkdir(_)
                | OpKind::Symlink(_)
                | OpKind::Remove(_)
                | OpKind::Workdir(_) => {
                    let chain = match &mut chain {
                        Some(chain) => chain,
                        None => chain.insert(Chain::on(*root, site)),
                    };
                    self.edit(site, chain, step)?;
                }
                OpKind::Env(_) | OpKind::User(_) | OpKind::Shell(_) | OpKind::Layer(_) | OpKind::By(_) => {}
            }
        }
        if let Some(chain) = chain {
            *root = self.close(site, chain)?;
        }
        Ok(())
    }

    /// Adds the edits of one step.
    fn edit(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        step: &Step<'a>,
    ) -> Result<(), Unsupported> {
        let before = (chain.base(), chain.file.edits.len());
        let span = step.op.span;
        match &step.op.kind {
            OpKind::Copy(copy) => self.copy(site, chain, copy, step)?,
            OpKind::File(file) => self.file(site, chain, file, span)?,
            OpKind::Mkdir(directory) => self.mkdir(site, chain, directory, step)?,
            OpKind::Symlink(link) => self.symlink(site, chain, link, span)?,
            OpKind::Remove(remove) => self.remove(site, chain, remove, step)?,
            OpKind::Workdir(workdir) => self.workdir(chain, workdir)?,
            OpKind::Run { .. }
            | OpKind::Exec { .. }
            | OpKind::Env(_)
            | OpKind::User(_)
            | OpKind::Shell(_)
            | OpKind::Layer(_)
            | OpKind::By(_) => {}
        }
        // A helper that had to run between the edits has begun the chain anew.
        if (chain.base(), chain.file.edits.len()) != before && !chain.file.edits.is_empty() {
            chain.describe(step);
        }
        Ok(())
    }

    /// Makes a vertex of a chain; what it stands on where there is nothing to do.
    pub(super) fn close(&mut self, site: &Site<'_>, chain: Chain<'a>) -> Result<Root, Unsupported> {
        if chain.file.edits.is_empty() {
            return Ok(chain.base());
        }
        let Chain { file, title, spans } = chain;
        self.vertex(site, &Op::File(file), title, &spans).map(Some)
    }

    /// Adds a vertex that several steps ask for.
    fn vertex(
        &mut self,
        site: &Site<'_>,
        op: &Op<'a>,
        title: String,
        spans: &[Span],
    ) -> Result<VertexId, Unsupported> {
        let first = spans.first().copied().unwrap_or(Span::NOWHERE);
        let label = Label { group: site.group.clone(), ..label(title, first) };
        let vertex = self.add(op, label, first)?;
        for span in spans.iter().skip(1) {
            self.graph.also_at(vertex, *span);
        }
        Ok(vertex)
    }

    /// What a chain has made so far, as a vertex; the chain goes on from there.
    pub(super) fn before(
        &mut self,
        site: &Site<'_>,
        chain: &mut Chain<'a>,
        span: Span,
    ) -> Result<Root, Unsupported> {
        if chain.file.edits.is_empty() {
            return Ok(chain.base());
        }
        let so_far = Chain { file: chain.file.clone(), title: chain.title.clone(), spans: vec![span] };
        self.close(site, so_far)
    }

    /// The label of a vertex that only serves another one.
    pub(super) fn helper_label(&self, site: &mut Site<'_>, does: &str, span: Span) -> Label {
        Label { group: Some(site.grouped()), ..label(format!("{}{does}", site.prefix), span) }
    }
}

impl Site<'_> {
    /// The group of the layer's vertices.
    fn grouped(&mut self) -> Arc<Group> {
        let new = || match self.layer {
            Some(layer) => {
                Group { id: format!("{}/{layer}", self.stage), name: format!("{}layer {layer}", self.prefix) }
            }
            None => Group {
                id: format!("{}/{}", self.stage, self.place),
                name: self.prefix.trim_end_matches([':', ' ']).to_owned(),
            },
        };
        self.group.get_or_insert_with(|| Arc::new(new())).clone()
    }

    /// The beginning of a vertex's name, with room for the rest.
    fn title(&self) -> String {
        let mut title = String::with_capacity(self.prefix.len() + titles::USUAL);
        title.push_str(self.prefix);
        title
    }
}

impl<'a> Chain<'a> {
    /// A chain without an edit yet.
    pub(super) fn on(root: Root, site: &Site<'_>) -> Self {
        Self { file: File::on(root), title: site.title(), spans: Vec::new() }
    }

    /// A chain on nothing, for a vertex that only serves another one.
    pub(super) fn beside() -> Self {
        Self { file: File::on(None), title: String::new(), spans: Vec::new() }
    }

    /// What the first edit stands on.
    pub(super) fn base(&self) -> Root {
        self.file.base.map(|place| self.file.inputs[place])
    }

    /// Whether nothing can be in the way of the next edit.
    pub(super) fn is_on_nothing(&self) -> bool {
        self.file.base.is_none() && self.file.edits.is_empty()
    }

    /// Notes which step the last edits are of; a name tells the first few.
    pub(super) fn describe(&mut self, step: &Step<'a>) {
        match self.spans.len() {
            0 => describe(&mut self.title, &step.op.kind),
            1 | 2 => {
                self.title.push_str("; ");
                describe(&mut self.title, &step.op.kind);
            }
            3 => self.title.push_str("; …"),
            _ => {}
        }
        self.spans.push(step.op.span);
    }

    /// Whether the edits may have changed which names there are.
    fn touches_accounts(&self) -> bool {
        self.file.edits.iter().any(|edit| {
            let path = edit.action.path();
            path == "/" || path == "/etc" || path.starts_with("/etc/")
        })
    }
}

fn is_root(user: &str) -> bool {
    matches!(user.split(':').next(), Some("" | "0" | "root"))
}
