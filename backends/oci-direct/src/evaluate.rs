//! From a plan and its inputs to layers: each stage's filesystem, and what each op changed.
//!
//! All but programs is done here, on trees. A program is given away as data, and what it has left
//! comes back as a tree; see [`Evaluation`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_backends_contract::accounts;
use cogpack_backends_contract::config_json::HistoryEntry;
use cogpack_backends_contract::content::{Content, ContentSource};
use cogpack_backends_contract::copy::{self, CopyProblem};
use cogpack_backends_contract::file_ops::{self, FileProblem};
use cogpack_backends_contract::inputs::inputs_of_stage;
use cogpack_backends_contract::layers::{LayerPlan, layers};
use cogpack_backends_contract::programs;
use cogpack_backends_contract::tree::{Ids, Tree};
use cogpack_ir::plan::{
    ContextKind, Input, InputName, Mount, MountKind, OpKind, Owner, PhaseName, SecretName, Span, Spanned,
    StageName,
};
use cogpack_ir::resolve::{Resolved, StageId, Step};

use crate::describe;
use crate::history::{History, HistoryStep};
use crate::inputs::{BaseImage, BaseLayer, Inputs, inline_tree};
use crate::layer::{Layer, LayerProblem};
use crate::merge::merge;
use crate::problem::AssemblyProblem;
use crate::program::{self, Filesystem, MountProblem, Mounted, Origin, Program, ProgramMount};

/// A layer of the image.
#[derive(Debug, Clone)]
pub enum ImageLayer {
    /// One of a base's, passed through.
    Base(BaseLayer),
    /// One that we make. The same layer in two places is written once.
    Made(Arc<Layer>),
}

/// A filesystem and how it came to be.
#[derive(Debug, Clone, Default)]
pub struct Rootfs {
    /// All that is in it.
    pub tree: Tree<Content>,
    /// How it came to be.
    pub history: History,
    /// The filesystem outside of the plan that it has grown out of.
    pub origin: Origin,
}

/// Why a stage has no filesystem.
enum Stopped {
    /// This is wrong with it.
    By(AssemblyProblem),
    /// Something is wrong with what it reads, and that is reported already.
    Already,
}

impl From<AssemblyProblem> for Stopped {
    fn from(problem: AssemblyProblem) -> Self {
        Self::By(problem)
    }
}

/// An evaluation of a plan, as far as it has come.
///
/// It goes on by itself until programs are to be run, gives these away, and goes on with what
/// each has left. So it neither knows how programs are run nor in which order they end.
pub struct Evaluation<'p> {
    plan: &'p Resolved,
    inputs: &'p Inputs,
    /// Opens the account files that explain names of owners.
    files: &'p dyn ContentSource,
    /// Stages that are not begun, each after what it reads.
    ahead: Vec<StageId>,
    /// Stages that wait for a program.
    waiting: BTreeMap<StageId, Going<'p>>,
    /// What each stage so far leaves; those with a problem are missing.
    stages: BTreeMap<StageName, Arc<Rootfs>>,
    bases: BTreeMap<InputName, Arc<Rootfs>>,
    /// What each parallel phase that was read leaves; nothing where it has a problem.
    merged: BTreeMap<PhaseName, Option<Arc<Rootfs>>>,
    problems: Vec<AssemblyProblem>,
    programs: Vec<Program>,
    passed: Vec<(StageId, usize)>,
}

/// A stage in the middle of its ops.
struct Going<'p> {
    id: StageId,
    /// What the layers that are finished leave.
    rootfs: Rootfs,
    /// What the ops so far leave.
    tree: Tree<Content>,
    layers: std::vec::IntoIter<LayerPlan<'p>>,
    /// The layer that is being made, and the next of its steps.
    layer: Option<(LayerPlan<'p>, usize)>,
    /// The programs of that layer, with what they found and what they left.
    ran: Vec<Ran>,
    /// How many steps of the stage are done.
    done: usize,
}

/// A program that a stage has run, or waits for.
struct Ran {
    span: Span,
    found: Tree<Content>,
    left: Tree<Content>,
}

impl Ran {
    /// Whether this is what stands in the way of a layer.
    fn has_left(&self, problem: &LayerProblem) -> bool {
        Layer::between(&self.found, &self.left).is_err_and(|left| left == *problem)
    }
}

/// How far a stage has come.
enum Gone<'p> {
    /// To its end.
    Done(Rootfs),
    /// To a program.
    Waits(Box<Going<'p>>, Box<Program>),
}

impl<'p> Evaluation<'p> {
    /// At the beginning.
    pub fn new(plan: &'p Resolved, inputs: &'p Inputs, files: &'p dyn ContentSource) -> Self {
        Self {
            plan,
            inputs,
            files,
            ahead: plan.order().to_vec(),
            waiting: BTreeMap::new(),
            stages: BTreeMap::new(),
            bases: BTreeMap::new(),
            merged: BTreeMap::new(),
            problems: Vec::new(),
            programs: Vec::new(),
            passed: Vec::new(),
        }
    }

    /// Goes on as far as can be gone without another program, and gives those that can be run
    /// now, each once, in the order of their stages.
    pub fn advance(&mut self) -> Vec<Program> {
        for id in std::mem::take(&mut self.ahead) {
            if self.waits_for_others(id) {
                self.ahead.push(id);
                continue;
            }
            let gone = self.begin(id).and_then(|going| self.go_on(going));
            self.settle(id, gone);
        }
        std::mem::take(&mut self.programs)
    }

    /// Takes what the program that a stage waits for has left.
    pub fn ran(&mut self, stage: StageId, left: Tree<Content>) {
        let Some(mut going) = self.waiting.remove(&stage) else { return };
        going.rootfs.origin = Origin::Program(stage, going.done);
        if let Some(ran) = going.ran.last_mut() {
            ran.left = left.clone();
        }
        going.tree = left;
        self.passed.push((stage, going.done));
        going.done += 1;
        let gone = self.go_on(going);
        self.settle(stage, gone);
    }

    /// The ops that are done, since this was asked for: by stage and place in it.
    pub fn passed(&mut self) -> Vec<(StageId, usize)> {
        std::mem::take(&mut self.passed)
    }

    /// Whether something is wrong already, so that no more programs need be run.
    pub fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// The filesystem that the plan exports, or of each stage that has one its first problem and the
    /// copies that cannot be in any case. To
    /// be asked for when no program is left.
    pub fn finish(mut self) -> Result<Arc<Rootfs>, Vec<AssemblyProblem>> {
        let from = &self.plan.export().from;
        match self.start(&from.value, from.span) {
            Ok(rootfs) if self.problems.is_empty() => return Ok(rootfs),
            Ok(_) | Err(Stopped::Already) => {}
            Err(Stopped::By(problem)) => self.problems.push(problem),
        }
        Err(self.problems)
    }

    /// Whether a stage reads another that is not done. None does unless a program is waited for.
    fn waits_for_others(&self, id: StageId) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let unsettled = |stage: &StageId| self.waiting.contains_key(stage) || self.ahead.contains(stage);
        inputs_of_stage(self.plan, id)
            .into_iter()
            .any(|input| stages_of(self.plan, input).iter().any(unsettled))
    }

    fn settle(&mut self, id: StageId, gone: Result<Gone<'p>, Stopped>) {
        match gone {
            Ok(Gone::Done(rootfs)) => {
                self.stages.insert(self.plan.stage(id).name.value.clone(), Arc::new(rootfs));
            }
            Ok(Gone::Waits(going, program)) => {
                self.waiting.insert(id, *going);
                self.programs.push(*program);
            }
            Err(Stopped::By(problem)) => {
                let others = self.other_bad_copies(id, &problem);
                self.problems.push(problem);
                self.problems.extend(others);
            }
            Err(Stopped::Already) => {}
        }
    }

    /// What is wrong with copies of a stage whatever else is in it: a stage ends with the first
    /// problem, and of these the author need not learn one by one.
    fn other_bad_copies(&mut self, id: StageId, known: &AssemblyProblem) -> Vec<AssemblyProblem> {
        let known = if let AssemblyProblem::Copy { span, .. } = known { Some(span.start()) } else { None };
        let mut others = Vec::new();
        for step in self.plan.steps(id) {
            if let OpKind::Copy(_) = &step.op.kind
                && known != Some(step.op.span.start())
                && let Err(Stopped::By(problem @ AssemblyProblem::Copy { .. })) =
                    self.step(&step, &mut Tree::empty())
            {
                others.push(problem);
            }
        }
        others
    }

    fn begin(&mut self, id: StageId) -> Result<Going<'p>, Stopped> {
        let plan = self.plan;
        let start = match &plan.stage(id).from {
            Some(from) => self.start(&from.value, from.span)?,
            None => Arc::default(),
        };
        let rootfs = Rootfs::clone(&start);
        let tree = rootfs.tree.clone();
        Ok(Going {
            id,
            rootfs,
            tree,
            layers: layers(plan, id).into_iter(),
            layer: None,
            ran: Vec::new(),
            done: 0,
        })
    }

    /// Does ops until one of them is a program, or none is left.
    fn go_on(&mut self, mut going: Going<'p>) -> Result<Gone<'p>, Stopped> {
        while let Some((layer, next)) = going.layer.take().or_else(|| Some((going.layers.next()?, 0))) {
            let span = layer.steps.first().map_or(Span::NOWHERE, |step| step.op.span);
            let problem = |ran: &[Ran], problem| match ran.iter().find(|ran| ran.has_left(&problem)) {
                Some(Ran { span, .. }) => AssemblyProblem::LeftByProgram { problem, span: *span },
                None => AssemblyProblem::Layer { problem, span },
            };
            let mut made = None;
            if !layer.changes_filesystem {
                going.done += layer.steps.len();
            } else if layer.independent {
                let mut alone = Tree::empty();
                for step in &layer.steps {
                    self.step(step, &mut alone)?;
                    self.pass(&mut going);
                }
                going.tree.overlay(&alone);
                made = Some(Layer::of_tree(&alone).map_err(|it| problem(&[], it))?);
            } else {
                for (place, step) in layer.steps.iter().enumerate().skip(next) {
                    if let Some(program) = self.program(step, &mut going)? {
                        let found = going.tree.clone();
                        going.ran.push(Ran { span: step.op.span, found, left: Tree::empty() });
                        going.layer = Some((layer, place + 1));
                        return Ok(Gone::Waits(Box::new(going), Box::new(program)));
                    }
                    self.step(step, &mut going.tree)?;
                    self.pass(&mut going);
                }
                let between = Layer::between(&going.rootfs.tree, &going.tree);
                made = Some(between.map_err(|it| problem(&going.ran, it))?);
                going.ran.clear();
            }
            going.rootfs.tree = going.tree.clone();
            going.rootfs.history.push(HistoryStep {
                created_by: describe::created_by(&self.plan.stage(going.id).name.value, &layer),
                comment: describe::asked_by(&layer),
                created: None,
                layer: made.filter(|made| !made.is_empty()).map(|made| ImageLayer::Made(Arc::new(made))),
            });
        }
        Ok(Gone::Done(going.rootfs))
    }

    fn pass(&mut self, going: &mut Going<'p>) {
        self.passed.push((going.id, going.done));
        going.done += 1;
    }

    /// The program of a step, if it runs one. Its working directory is made where it is missing.
    fn program(&mut self, step: &Step<'p>, going: &mut Going<'p>) -> Result<Option<Program>, Stopped> {
        let Some((arguments, execution)) = programs::execution(step) else { return Ok(None) };
        let span = step.op.span;
        let directory = match &execution.workdir {
            Some(workdir) => program::literal(workdir),
            None => step.state.workdir.as_deref().unwrap_or("/").to_owned(),
        };
        file_ops::make_working_directory(&directory, &mut going.tree)
            .map_err(|problem| AssemblyProblem::File { problem, span })?;
        let plan = self.plan;
        let is_optional =
            |name: &SecretName| plan.plan().secrets.get(name).is_some_and(|secret| secret.optional);
        let mut mounts: Vec<ProgramMount> = program::agents(execution).collect();
        for mount in &execution.mounts {
            mounts.extend(program::plain_mount(mount, is_optional));
            mounts.extend(self.mounted_files(mount)?);
        }
        mounts.sort_by(|one, other| one.target.cmp(&other.target));
        Ok(Some(Program {
            stage: going.id,
            step: going.done,
            span,
            arguments: arguments.into_iter().map(Cow::into_owned).collect(),
            environment: program::environment(step.state, execution),
            secrets: program::secret_variables(execution, is_optional),
            directory,
            user: match &execution.user {
                Some(user) => Some(program::literal(user)),
                None => step.state.user.as_deref().map(str::to_owned),
            },
            network: execution.network,
            root: Filesystem { tree: going.tree.clone(), origin: going.rootfs.origin.clone() },
            mounts,
        }))
    }

    /// A mount of files; `None` for other mounts.
    fn mounted_files(&mut self, mount: &Mount) -> Result<Option<ProgramMount>, Stopped> {
        let MountKind::Bind { source, select, target, writable } = &mount.kind else { return Ok(None) };
        let rootfs = self.input(&source.value, source.span)?;
        let problem = |problem| AssemblyProblem::Mount { problem, span: mount.span };
        let asked = select.as_ref().map_or_else(|| "/".to_owned(), |select| program::literal(select));
        let select = rootfs.tree.resolve(asked.as_bytes(), true).map_err(|error| problem(error.into()))?;
        if !select.is_empty() && rootfs.tree.get(&select).is_none() {
            return Err(problem(MountProblem::Missing(asked)).into());
        }
        let from = Filesystem { tree: rootfs.tree.clone(), origin: rootfs.origin.clone() };
        let what = Mounted::Files { from, select, writable: *writable };
        Ok(Some(ProgramMount { target: program::literal(target), what }))
    }

    fn step(&mut self, step: &Step<'_>, tree: &mut Tree<Content>) -> Result<(), Stopped> {
        let span = step.op.span;
        let done = match &step.op.kind {
            OpKind::Copy(it) => {
                let source = self.input(&it.from.value, it.from.span)?;
                let owner = self.ids(it.owner.as_ref(), tree)?.unwrap_or(Ids::ROOT);
                return copy::apply(it, owner, &source.tree, tree)
                    .map_err(|problem| AssemblyProblem::Copy { problem, span }.into());
            }
            OpKind::File(it) => {
                let owner = self.ids(it.owner.as_ref(), tree)?.unwrap_or(Ids::ROOT);
                file_ops::make_file(it, owner, Content::Inline(it.content.clone().into()), tree)
            }
            OpKind::Mkdir(it) => {
                let owner = self.ids(it.owner.as_ref(), tree)?;
                file_ops::make_directory(it, owner, tree)
            }
            OpKind::Symlink(it) => file_ops::make_symlink(it, tree),
            OpKind::Remove(it) => file_ops::remove(it, tree),
            OpKind::Workdir(path) => match path.as_literal() {
                Some(path) => file_ops::make_working_directory(&path, tree),
                None => Err(FileProblem::OpenPath(path.as_written().to_owned())),
            },
            // Programs are given away before; the rest changes no file.
            OpKind::Run { .. }
            | OpKind::Exec { .. }
            | OpKind::Env(_)
            | OpKind::User(_)
            | OpKind::Shell(_)
            | OpKind::Layer(_)
            | OpKind::By(_) => Ok(()),
        };
        done.map_err(|problem| AssemblyProblem::File { problem, span }.into())
    }

    /// The numbers of an owner, by the account files of what its op stands on.
    fn ids(
        &self,
        owner: Option<&Spanned<Owner>>,
        tree: &Tree<Content>,
    ) -> Result<Option<Ids>, AssemblyProblem> {
        let Some(owner) = owner else { return Ok(None) };
        let found = accounts::ids(&owner.value, tree, self.files);
        found.map(Some).map_err(|problem| AssemblyProblem::of_owner(problem, owner.span))
    }

    /// What a stage or an image starts from. A context is then a layer of its
    /// own, or those that it is known to come in.
    fn start(&mut self, input: &Input, span: Span) -> Result<Arc<Rootfs>, Stopped> {
        let rootfs = self.input(input, span)?;
        match input {
            Input::Scratch | Input::Stage(_) | Input::Phase(_) => return Ok(rootfs),
            Input::Image(name) | Input::Context(name) if self.inputs.bases.contains_key(name) => {
                return Ok(rootfs);
            }
            Input::Image(_) | Input::Context(_) => {}
        }
        let step = |what: Option<&str>, tree: &Tree<Content>| {
            let layer = Layer::of_tree(tree).map_err(|problem| AssemblyProblem::Layer { problem, span })?;
            Ok::<_, AssemblyProblem>(HistoryStep {
                created_by: match what {
                    Some(what) => format!("from {input}: {what}"),
                    None => format!("from {input}"),
                },
                comment: None,
                created: None,
                layer: (!layer.is_empty()).then(|| ImageLayer::Made(Arc::new(layer))),
            })
        };
        let parts = match input {
            Input::Context(name) => self.inputs.layers.get(name),
            Input::Scratch | Input::Stage(_) | Input::Phase(_) | Input::Image(_) => None,
        };
        let history = match parts {
            Some(parts) => parts.iter().map(|part| step(Some(&part.what), &part.tree)).collect(),
            None => step(None, &rootfs.tree).map(|step| History::from_iter([step])),
        }?;
        Ok(Arc::new(Rootfs { tree: rootfs.tree.clone(), history, origin: Origin::Nothing }))
    }

    /// What copies read.
    fn input(&mut self, input: &Input, span: Span) -> Result<Arc<Rootfs>, Stopped> {
        match input {
            Input::Scratch => Ok(Arc::default()),
            Input::Stage(name) => self.stages.get(name).cloned().ok_or(Stopped::Already),
            Input::Phase(name) => self.phase(name),
            Input::Image(name) | Input::Context(name) => {
                if let Some(rootfs) = self.bases.get(name) {
                    return Ok(Arc::clone(rootfs));
                }
                let rootfs = Arc::new(self.base(name, span)?);
                self.bases.insert(name.clone(), Arc::clone(&rootfs));
                Ok(rootfs)
            }
        }
    }

    fn base(&self, name: &InputName, span: Span) -> Result<Rootfs, Stopped> {
        if let Some(base) = self.inputs.bases.get(name) {
            return Ok(Rootfs { origin: Origin::Base(name.clone()), ..of_base(base) });
        }
        let kind = self.plan.plan().contexts.get(name).map(|context| &context.kind);
        let tree = match kind {
            Some(ContextKind::Files(files)) => inline_tree(files)
                .map_err(|problem| AssemblyProblem::Copy { problem: CopyProblem::Path(problem), span })?,
            Some(ContextKind::Oci(oci)) => {
                let path = oci.path.value.clone();
                return Err(AssemblyProblem::Layout { name: name.clone(), path, span }.into());
            }
            Some(
                ContextKind::Directory(_)
                | ContextKind::Http(_)
                | ContextKind::Git(_)
                | ContextKind::Wheels(_)
                | ContextKind::Debs(_),
            )
            | None => match self.inputs.directories.get(name) {
                Some(tree) => tree.clone(),
                None => return Err(AssemblyProblem::Input { name: name.clone(), span }.into()),
            },
        };
        Ok(Rootfs { tree, ..Rootfs::default() })
    }

    /// What a parallel phase leaves. It is merged, and a problem of it reported, once.
    fn phase(&mut self, name: &PhaseName) -> Result<Arc<Rootfs>, Stopped> {
        if let Some(merged) = self.merged.get(name) {
            return merged.clone().ok_or(Stopped::Already);
        }
        let merged = self.merge(name);
        self.merged.insert(name.clone(), merged.as_ref().ok().cloned());
        merged
    }

    /// The base of a parallel phase with the layers of all branches on top.
    fn merge(&mut self, name: &PhaseName) -> Result<Arc<Rootfs>, Stopped> {
        let plan = self.plan;
        let phase = plan.merge(name);
        let base = self.start(&phase.base, Span::NOWHERE)?;
        let mut branches = Vec::with_capacity(phase.branches.len());
        for branch in &phase.branches {
            let name = &plan.stage(*branch).name;
            let rootfs = self.stages.get(&name.value).cloned().ok_or(Stopped::Already)?;
            branches.push((name, rootfs));
        }
        Ok(Arc::new(merge(&base, &branches)?))
    }
}

/// The stages that an input is made of.
fn stages_of(plan: &Resolved, input: &Input) -> Vec<StageId> {
    let (mut stages, mut next) = (Vec::new(), Some(input));
    while let Some(input) = next.take() {
        match input {
            Input::Stage(name) => stages.push(plan.id(name)),
            Input::Phase(name) => {
                let merge = plan.merge(name);
                stages.extend(&merge.branches);
                next = Some(&merge.base);
            }
            Input::Scratch | Input::Image(_) | Input::Context(_) => {}
        }
    }
    stages
}

/// A base image's history with its layers. A history that does not tell as many layers as there
/// are is no use, and is replaced by one line a layer.
fn of_base(base: &BaseImage) -> Rootfs {
    let told = base.history.iter().filter(|entry| !entry.empty_layer).count();
    let mut layers = base.layers.iter().cloned().map(ImageLayer::Base);
    let history = if told == base.layers.len() {
        let step = |entry: &HistoryEntry| HistoryStep {
            created_by: entry.created_by.clone().unwrap_or_default(),
            comment: entry.comment.clone(),
            created: entry.created.clone(),
            layer: if entry.empty_layer { None } else { layers.next() },
        };
        base.history.iter().map(step).collect()
    } else {
        let created_by = || "a layer of the base image".to_owned();
        layers
            .map(|layer| HistoryStep {
                created_by: created_by(),
                comment: None,
                created: None,
                layer: Some(layer),
            })
            .collect()
    };
    Rootfs { tree: base.tree.clone(), history, origin: Origin::Nothing }
}
