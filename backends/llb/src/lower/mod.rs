//! From a resolved plan to a graph: one walk over the stages that the export needs.
//!
//! What cannot be lowered is noted and the walk goes on without it, so that all gaps are
//! reported at once.

pub(crate) mod archive;
pub(crate) mod copy;
pub(crate) mod exec;
pub(crate) mod files;
pub(crate) mod lacking;
pub(crate) mod owned;
pub(crate) mod owners;
pub(crate) mod parallel;
pub(crate) mod paths;
pub(crate) mod sources;
pub(crate) mod stage;
pub(crate) mod titles;
pub(crate) mod used;
pub(crate) mod wildcards;

use std::collections::BTreeMap;
use std::thread;

use cogpack_backends_contract::Unsupported;
use cogpack_content::Platform;
use cogpack_ir::plan::{ContextKind, Input as PlanInput, Owner, Span, Spanned};
use cogpack_ir::resolve::{Resolved, StageId};

use crate::check::{self, Breach};
use crate::graph::{Finished, Graph, Label};
use crate::owners::OwnersByName;
use crate::side_by_side::SideBySide;
use crate::wire::Op;
use crate::wire::op::VertexId;
use crate::{Limits, Llb, Needs};

/// A filesystem: a vertex, or nothing for the empty one, which BuildKit has no vertex for.
pub(crate) type Root = Option<VertexId>;

/// What an input comes to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Input {
    root: Root,
    /// Whether files of it may belong to somebody else than root.
    may_be_owned: bool,
    /// Whether it is an image, or starts from one, and so is likely to hold the programs that
    /// every system has.
    is_a_system: bool,
}

/// A stage that has been lowered.
#[derive(Debug, Clone, Copy, Default)]
struct Ended {
    root: Root,
    /// As of [`Input`].
    is_a_system: bool,
}

/// The walk.
pub(crate) struct Lowering<'a> {
    plan: &'a Resolved,
    settings: &'a Llb,
    graph: Graph<'a>,
    /// Images, contexts and parallel phases that have been used so far.
    inputs: BTreeMap<&'a PlanInput, Input>,
    /// By place of the stage in the plan.
    stages: Vec<Ended>,
    /// What is used of directories.
    used: used::Used<'a>,
    special_modes: copy::SpecialModes,
    needs: Needs,
    /// Owners by name, by the vertex that a daemon looks them up in.
    owners: BTreeMap<VertexId, Vec<&'a Spanned<Owner>>>,
    /// What was said of owners, for daemons that do not compare them.
    owned: owned::OwnedBy,
    /// Phases whose stages may write one path, with what each changes.
    side_by_side: Vec<parallel::Beside<'a>>,
    unsupported: Vec<Unsupported>,
}

/// What the walk comes to: the graph, and what is to be known of it.
pub(crate) struct Lowered {
    pub(crate) finished: Finished,
    pub(crate) needs: Needs,
    pub(crate) owners: Vec<OwnersByName>,
    pub(crate) side_by_side: Vec<SideBySide>,
}

/// Lowers a plan for one platform.
pub(crate) fn lower(
    plan: &Resolved,
    settings: &Llb,
    platform: &Platform,
) -> Result<Lowered, Vec<Unsupported>> {
    thread::scope(|scope| {
        lower_into(
            Graph::new(
                scope,
                platform.clone(),
                &settings.source,
                expected_vertices(plan),
                settings.ignores_caches,
            ),
            plan,
            settings,
        )
    })
}

/// The same into a graph without a vertex.
fn lower_into<'a>(
    graph: Graph<'a>,
    plan: &'a Resolved,
    settings: &'a Llb,
) -> Result<Lowered, Vec<Unsupported>> {
    let mut lowering = Lowering {
        plan,
        settings,
        graph,
        inputs: BTreeMap::new(),
        stages: vec![Ended::default(); plan.plan().stages.len()],
        used: used::Used::by(plan),
        special_modes: copy::SpecialModes::of(plan, settings),
        needs: Needs::default(),
        owners: BTreeMap::new(),
        owned: BTreeMap::new(),
        side_by_side: Vec::new(),
        unsupported: Vec::new(),
    };
    for &id in plan.order() {
        lowering.stage(id);
    }
    let from = &plan.export().from;
    let root = lowering.root(&from.value, from.span);
    let root = lowering.noting(root);
    let Lowering { graph, needs, owners, side_by_side, mut unsupported, .. } = lowering;
    if !unsupported.is_empty() {
        return Err(unsupported);
    }
    match root.flatten() {
        Some(root) => match graph.finish(root) {
            Ok(finished) => {
                let digest = |vertex: VertexId| finished.digests[vertex.0 as usize];
                let owners = owners.into_iter().map(|(vertex, owners)| OwnersByName {
                    within: digest(vertex),
                    owners: owners.into_iter().cloned().collect(),
                });
                let owners = owners.collect();
                let phases = side_by_side.into_iter().map(|beside| SideBySide {
                    phase: beside.phase.clone(),
                    span: beside.span,
                    before: beside.before.map(digest),
                    stages: beside.stages.into_iter().map(|stage| stage.map(digest)).collect(),
                });
                let side_by_side = phases.collect();
                Ok(Lowered { finished, needs, owners, side_by_side })
            }
            Err(breach) => Err(vec![ours(breach, from.span)]),
        },
        None => {
            unsupported.push(gap(
                "cpk::unsupported::empty-image",
                "an image without a file, because BuildKit cannot solve an empty graph",
                from.span,
                "let a stage make something first, for instance `mkdir \"/work\"`",
            ));
            Err(unsupported)
        }
    }
}

/// About how many vertices a plan has: one an op, and one a stage for what its layers are put
/// together by.
fn expected_vertices(plan: &Resolved) -> usize {
    plan.order().iter().map(|&id| plan.stage(id).ops.len() + 1).sum()
}

/// Whether a context is likely to hold the programs that every system has.
fn is_a_system(kind: &ContextKind) -> bool {
    match kind {
        ContextKind::Oci(_) => true,
        ContextKind::Debs(debs) => debs.packages.keys().any(|file| file.starts_with("coreutils_")),
        ContextKind::Directory(_)
        | ContextKind::Http(_)
        | ContextKind::Git(_)
        | ContextKind::Files(_)
        | ContextKind::Wheels(_) => false,
    }
}

/// The name of a vertex that a statement at `span` asks for.
fn label(name: String, span: Span) -> Label {
    Label { name, span, group: None }
}

/// Something this target cannot express.
fn gap(code: &'static str, what: impl Into<String>, span: Span, help: impl Into<String>) -> Unsupported {
    Unsupported { backend: crate::NAME, code, what: what.into(), span, help: help.into() }
}

/// A mistake of ours, in the only form a backend's answer has.
fn ours(breach: Breach, span: Span) -> Unsupported {
    gap(
        "cpk::internal::llb",
        format!("its graph would break a rule of BuildKit: {breach}"),
        span,
        "this is a mistake of cogpackc and not of the plan: please report it together with the plan",
    )
}

/// The same for what a verified plan does not say.
fn unverified(what: &str, span: Span) -> Unsupported {
    gap(
        "cpk::internal::llb",
        format!("{what}, which the verifier should have said"),
        span,
        "this is a mistake of cogpackc: correct the plan, and please report that it came so far",
    )
}

impl<'a> Lowering<'a> {
    /// Keeps what was lowered, or notes why it was not.
    fn noting<T>(&mut self, result: Result<T, Unsupported>) -> Option<T> {
        result.map_err(|gap| self.unsupported.push(gap)).ok()
    }

    /// Adds a vertex.
    fn add(&mut self, op: &Op<'_>, label: Label, span: Span) -> Result<VertexId, Unsupported> {
        let limits = self.settings.limits;
        if limits != Limits::all()
            && let Some(missing) = limits.lacking(check::capabilities(op))
        {
            return Err(lacking::refuse(missing, &label.name, span));
        }
        let vertex = self.graph.add(op, label).map_err(|breach| ours(breach, span))?;
        self.note_owners(vertex, op);
        Ok(vertex)
    }

    /// The files of an input that a statement at `span` names.
    fn root(&mut self, input: &'a PlanInput, span: Span) -> Result<Root, Unsupported> {
        self.source(input, span).map(|input| input.root)
    }

    /// An input that a statement at `span` names.
    fn source(&mut self, input: &'a PlanInput, span: Span) -> Result<Input, Unsupported> {
        match input {
            PlanInput::Scratch => return Ok(Input::default()),
            PlanInput::Stage(name) => return Ok(self.left_by(self.plan.id(name))),
            PlanInput::Image(_) | PlanInput::Context(_) | PlanInput::Phase(_) => {}
        }
        if let Some(input) = self.inputs.get(input) {
            return Ok(*input);
        }
        let (root, is_a_system) = match input {
            PlanInput::Image(name) => (self.image(name, span), true),
            PlanInput::Context(name) => {
                let kind = self.plan.plan().contexts.get(name).map(|context| &context.kind);
                (self.context(name, span), kind.is_some_and(is_a_system))
            }
            PlanInput::Phase(name) => (self.merged(name, span), self.phase_is_a_system(name)),
            PlanInput::Scratch | PlanInput::Stage(_) => return Ok(Input::default()),
        };
        let may_be_owned = match input {
            PlanInput::Image(_) | PlanInput::Phase(_) => true,
            PlanInput::Context(name) => {
                let kind = self.plan.plan().contexts.get(name).map(|context| &context.kind);
                matches!(kind, Some(ContextKind::Oci(_) | ContextKind::Debs(_)))
            }
            PlanInput::Scratch | PlanInput::Stage(_) => false,
        };
        // What cannot be lowered is reported where it is first used, and once.
        let root_or_nothing = root.as_ref().copied().unwrap_or_default();
        self.inputs.insert(input, Input { root: root_or_nothing, may_be_owned, is_a_system });
        root.map(|root| Input { root, may_be_owned, is_a_system })
    }

    /// What a stage has left.
    fn left_by(&self, stage: StageId) -> Input {
        let Ended { root, is_a_system } = self.stages[stage.index()];
        Input { root, may_be_owned: true, is_a_system }
    }

    /// Filesystems one on top of the other; BuildKit wants two or more.
    fn merge(&mut self, inputs: Vec<VertexId>, name: String, span: Span) -> Result<Root, Unsupported> {
        match *inputs.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            _ => {
                let label = label(name, span);
                self.add(&Op::Merge(inputs), label, span).map(Some)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_mistakes_ask_to_be_reported() {
        for mistake in [
            ours(Breach::MissingInput { vertex: 7 }, Span::NOWHERE),
            unverified("`.` has no name to land under", Span::NOWHERE),
        ] {
            assert_eq!(mistake.code, "cpk::internal::llb");
            assert!(mistake.help.contains("report"), "{}", mistake.help);
        }
    }
}
