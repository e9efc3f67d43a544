//! What is declared and never used: no harm to the image, but seldom meant.

use std::collections::BTreeSet;

use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::graph::{Outlet, StageGraph};
use crate::plan::{CacheName, Input, InputName, MountKind, Plan, SecretName, Span, for_each_op};

/// Something that nothing uses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum UnusedFinding {
    /// An image.
    #[error("the image `{name}` is never used")]
    #[diagnostic(code(cpk::unused::image), severity(Warning), help("take it away"))]
    Image {
        /// Its name.
        name: String,
        /// Its declaration.
        #[label("nothing reads this")]
        place: Place,
    },
    /// A context.
    #[error("the context `{name}` is never used")]
    #[diagnostic(code(cpk::unused::context), severity(Warning), help("take it away"))]
    Context {
        /// Its name.
        name: String,
        /// Its declaration.
        #[label("nothing reads this")]
        place: Place,
    },
    /// A secret.
    #[error("the secret `{name}` is never used")]
    #[diagnostic(code(cpk::unused::secret), severity(Warning), help("take it away"))]
    Secret {
        /// Its name.
        name: String,
        /// Its declaration.
        #[label("nothing mounts this")]
        place: Place,
    },
    /// A cache.
    #[error("the cache `{name}` is never used")]
    #[diagnostic(code(cpk::unused::cache), severity(Warning), help("take it away"))]
    Cache {
        /// Its name.
        name: String,
        /// Its declaration.
        #[label("nothing mounts this")]
        place: Place,
    },
    /// A stage that the export does not need.
    #[error("the stage `{name}` does not reach the image")]
    #[diagnostic(
        code(cpk::unused::stage),
        severity(Warning),
        help("read it from a stage that is exported, or take it away")
    )]
    Stage {
        /// Its name.
        name: String,
        /// Its declaration.
        #[label("nothing that is exported needs this")]
        place: Place,
    },
}

#[derive(Default)]
struct Uses<'p> {
    inputs: BTreeSet<&'p InputName>,
    secrets: BTreeSet<&'p SecretName>,
    caches: BTreeSet<&'p CacheName>,
}

/// Warns of everything that nothing uses.
pub(super) fn check(graph: &StageGraph<'_>, findings: &mut Vec<Finding>) {
    let plan = graph.plan();
    let uses = uses(plan);
    let mut warn = |name: String, span: Span, warning: fn(String, Place) -> UnusedFinding| {
        findings.push(warning(name, span.place()).into());
    };
    for (name, image) in plan.images.iter().filter(|(name, _)| !uses.inputs.contains(name)) {
        warn(name.to_string(), image.span, |name, place| UnusedFinding::Image { name, place });
    }
    for (name, context) in plan.contexts.iter().filter(|(name, _)| !uses.inputs.contains(name)) {
        warn(name.to_string(), context.span, |name, place| UnusedFinding::Context { name, place });
    }
    for (name, secret) in plan.secrets.iter().filter(|(name, _)| !uses.secrets.contains(name)) {
        warn(name.to_string(), secret.span, |name, place| UnusedFinding::Secret { name, place });
    }
    for (name, span) in plan.caches.iter().filter(|(name, _)| !uses.caches.contains(name)) {
        warn(name.to_string(), *span, |name, place| UnusedFinding::Cache { name, place });
    }
    // Without an export, or with one that cannot be told, every stage may be the one that is meant.
    if let Some(export) = &plan.export
        && let Outlet::One(from) = graph.concrete(&export.from)
    {
        let needed = graph.needed_by(&from);
        for (stage, _) in plan.stages.iter().zip(needed).filter(|(_, needed)| !needed) {
            warn(stage.name.to_string(), stage.name.span, |name, place| UnusedFinding::Stage { name, place });
        }
    }
}

fn uses(plan: &Plan) -> Uses<'_> {
    let mut uses = Uses::default();
    for stage in &plan.stages {
        stage.for_each_input(|input| uses.inputs.extend(name_of(input)));
        for_each_op(&stage.ops, &mut |op| {
            for mount in op.execution().into_iter().flat_map(|execution| &execution.mounts) {
                match &mount.kind {
                    MountKind::Secret { name, .. } => drop(uses.secrets.insert(&name.value)),
                    MountKind::Cache { name, .. } => drop(uses.caches.insert(&name.value)),
                    MountKind::Bind { .. } | MountKind::Ssh { .. } | MountKind::Tmpfs { .. } => {}
                }
            }
        });
    }
    uses.inputs.extend(plan.export.iter().filter_map(|export| name_of(&export.from)));
    uses
}

fn name_of(input: &Input) -> Option<&InputName> {
    match input {
        Input::Image(name) | Input::Context(name) => Some(name),
        Input::Scratch | Input::Stage(_) | Input::Phase(_) => None,
    }
}
