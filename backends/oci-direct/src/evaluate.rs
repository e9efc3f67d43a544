//! From a plan and its inputs to layers: each stage's filesystem, and what each op changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_backends_contract::accounts::numeric;
use cogpack_backends_contract::config_json::HistoryEntry;
use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::copy::{self, CopyProblem};
use cogpack_backends_contract::file_ops::{self, FileProblem};
use cogpack_backends_contract::layers::{LayerPlan, layers};
use cogpack_backends_contract::tree::{Ids, Tree};
use cogpack_ir::plan::{ContextKind, Input, InputName, OpKind, Owner, PhaseName, Span, Spanned, StageName};
use cogpack_ir::resolve::{Resolved, StageId, Step};

use crate::describe;
use crate::history::{History, HistoryStep};
use crate::inputs::{BaseImage, BaseLayer, Inputs, inline_tree};
use crate::layer::{Layer, LayerProblem};
use crate::merge::{MergeConflict, merge};

/// Why a plan and its inputs make no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum AssemblyProblem {
    /// A copy cannot be made.
    #[error("{problem}")]
    #[diagnostic(
        code(cpk::oci::copy),
        help("look at what is in the copy's input: `include`, `exclude` and the ignore file decide")
    )]
    Copy {
        /// Why.
        problem: CopyProblem,
        /// The op.
        #[label("this copy")]
        span: Span,
    },
    /// A `file`, `mkdir`, `symlink`, `remove` or `workdir` cannot be done.
    #[error("{problem}")]
    #[diagnostic(code(cpk::oci::file), help("change the path, or what stands there before"))]
    File {
        /// Why.
        problem: FileProblem,
        /// The op.
        #[label("this op")]
        span: Span,
    },
    /// A layer cannot say it.
    #[error("{problem}")]
    #[diagnostic(
        code(cpk::oci::layer),
        help("name another path, or use `-o llb` or `-o dockerfile`, whose builders unpack base images")
    )]
    Layer {
        /// Why.
        problem: LayerProblem,
        /// The first op of the layer.
        #[label("this makes the layer")]
        span: Span,
    },
    /// Two stages of a parallel phase write one path.
    #[error("{conflict}")]
    #[diagnostic(
        code(cpk::oci::merge),
        help("let only one of the stages write it, or put them one after the other")
    )]
    Merge {
        /// Which.
        conflict: MergeConflict,
        /// The second of the two stages.
        #[label("this stage")]
        span: Span,
    },
    /// There is no image where an `oci` context says.
    #[error("there is no OCI image layout at `{path}`")]
    #[diagnostic(
        code(cpk::oci::layout),
        help("put one there, as `skopeo copy … oci:DIR:TAG` makes it, or correct the path of `{name}`")
    )]
    Layout {
        /// The context.
        name: InputName,
        /// Where it should be.
        path: String,
        /// Where it is used.
        #[label("used here")]
        span: Span,
    },
    /// Nobody read an input.
    #[error("the input `{name}` was not read")]
    #[diagnostic(code(cpk::oci::input), help("this is a mistake of the program, not of the plan: report it"))]
    Input {
        /// Its name.
        name: InputName,
        /// Where it is used.
        #[label("used here")]
        span: Span,
    },
}

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
}

/// The filesystem that a plan exports, or the first problem of each stage that has one.
pub fn evaluate(plan: &Resolved, inputs: &Inputs) -> Result<Arc<Rootfs>, Vec<AssemblyProblem>> {
    let mut evaluation =
        Evaluation { plan, inputs, stages: BTreeMap::new(), bases: BTreeMap::new(), merged: BTreeMap::new() };
    let mut problems = Vec::new();
    for id in plan.order() {
        match evaluation.stage(*id) {
            Ok(rootfs) => {
                evaluation.stages.insert(plan.stage(*id).name.value.clone(), Arc::new(rootfs));
            }
            Err(Stopped::By(problem)) => problems.push(problem),
            Err(Stopped::Already) => {}
        }
    }
    let from = &plan.export().from;
    match evaluation.start(&from.value, from.span) {
        Ok(rootfs) if problems.is_empty() => return Ok(rootfs),
        Ok(_) | Err(Stopped::Already) => {}
        Err(Stopped::By(problem)) => problems.push(problem),
    }
    Err(problems)
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

struct Evaluation<'p> {
    plan: &'p Resolved,
    inputs: &'p Inputs,
    /// What each stage so far leaves; those with a problem are missing.
    stages: BTreeMap<StageName, Arc<Rootfs>>,
    bases: BTreeMap<InputName, Arc<Rootfs>>,
    /// What each parallel phase that was read leaves; nothing where it has a problem.
    merged: BTreeMap<PhaseName, Option<Arc<Rootfs>>>,
}

impl Evaluation<'_> {
    fn stage(&mut self, id: StageId) -> Result<Rootfs, Stopped> {
        let stage = self.plan.stage(id);
        let start = match &stage.from {
            Some(from) => self.start(&from.value, from.span)?,
            None => Arc::default(),
        };
        let mut rootfs = Rootfs::clone(&start);
        for layer in layers(self.plan, id) {
            let made = self.layer(&layer, &mut rootfs.tree)?;
            rootfs.history.push(HistoryStep {
                created_by: describe::created_by(&stage.name.value, &layer),
                comment: describe::asked_by(&layer),
                created: None,
                layer: (!made.is_empty()).then(|| ImageLayer::Made(Arc::new(made))),
            });
        }
        Ok(rootfs)
    }

    /// Does the ops of one layer, and says what they changed.
    fn layer(&mut self, layer: &LayerPlan<'_>, tree: &mut Tree<Content>) -> Result<Layer, Stopped> {
        let span = layer.steps.first().map_or(Span::NOWHERE, |step| step.op.span);
        let problem = |problem| AssemblyProblem::Layer { problem, span };
        if !layer.changes_filesystem {
            return Ok(Layer::default());
        }
        if layer.independent {
            let mut alone = Tree::empty();
            for step in &layer.steps {
                self.step(step, &mut alone)?;
            }
            tree.overlay(&alone);
            return Ok(Layer::of_tree(&alone).map_err(problem)?);
        }
        let before = tree.clone();
        for step in &layer.steps {
            self.step(step, tree)?;
        }
        Ok(Layer::between(&before, tree).map_err(problem)?)
    }

    fn step(&mut self, step: &Step<'_>, tree: &mut Tree<Content>) -> Result<(), Stopped> {
        let span = step.op.span;
        let done = match &step.op.kind {
            OpKind::Copy(it) => {
                let source = self.input(&it.from.value, it.from.span)?;
                let owner = ids(it.owner.as_ref()).unwrap_or(Ids::ROOT);
                return copy::apply(it, owner, &source.tree, tree)
                    .map_err(|problem| AssemblyProblem::Copy { problem, span }.into());
            }
            OpKind::File(it) => {
                let owner = ids(it.owner.as_ref()).unwrap_or(Ids::ROOT);
                file_ops::make_file(it, owner, Content::Inline(it.content.clone()), tree)
            }
            OpKind::Mkdir(it) => file_ops::make_directory(it, ids(it.owner.as_ref()), tree),
            OpKind::Symlink(it) => file_ops::make_symlink(it, tree),
            OpKind::Remove(it) => file_ops::remove(it, tree),
            OpKind::Workdir(path) => match path.as_literal() {
                Some(path) => file_ops::make_working_directory(&path, tree),
                None => Err(FileProblem::OpenPath(path.as_written().to_owned())),
            },
            // Programs are refused before anything is evaluated; the rest changes no file.
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

    /// What a stage or an image starts from. All of a context is then a layer of its own.
    fn start(&mut self, input: &Input, span: Span) -> Result<Arc<Rootfs>, Stopped> {
        let rootfs = self.input(input, span)?;
        match input {
            Input::Scratch | Input::Stage(_) | Input::Phase(_) => return Ok(rootfs),
            Input::Image(name) | Input::Context(name) if self.inputs.bases.contains_key(name) => {
                return Ok(rootfs);
            }
            Input::Image(_) | Input::Context(_) => {}
        }
        let layer =
            Layer::of_tree(&rootfs.tree).map_err(|problem| AssemblyProblem::Layer { problem, span })?;
        let step = HistoryStep {
            created_by: format!("from {input}"),
            comment: None,
            created: None,
            layer: (!layer.is_empty()).then(|| ImageLayer::Made(Arc::new(layer))),
        };
        Ok(Arc::new(Rootfs { tree: rootfs.tree.clone(), history: History::from_iter([step]) }))
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
            return Ok(of_base(base));
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
        Ok(Rootfs { tree, history: History::default() })
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

fn ids(owner: Option<&Spanned<Owner>>) -> Option<Ids> {
    owner.and_then(|owner| numeric(&owner.value))
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
    Rootfs { tree: base.tree.clone(), history }
}
