//! From what was written to what backends take: every input concrete, every variable expanded,
//! every stage's environment known at each of its ops.
//!
//! [`resolve`] is a fixed point: resolving the text of a resolved plan gives the same plan.

pub(crate) mod evaluate;
pub mod expand;
pub(crate) mod merged;
pub mod resolved;
pub mod state;
pub mod variables;
pub mod warnings;

use std::collections::BTreeMap;

use crate::finding::{self, Finding};
use crate::graph::{PhaseGraph, StageGraph};
use crate::plan::{BaseImage, ImageConfig, InputName, Plan};
use crate::verify::{Verified, check_expanded};

pub use resolved::{Merge, Resolved, StageId, Step};
pub use state::{EnvValue, State};
pub use variables::VariableFinding;
pub use warnings::ResolveFinding;

/// Configs read elsewhere, by the name of the image or context: of OCI contexts, of layouts on
/// this machine. They stand in for what a plan does not record, and never replace what it does.
pub type KnownConfigs = BTreeMap<InputName, ImageConfig>;

/// Resolves a plan, or says all that keeps it from being emitted.
pub fn resolve(verified: &Verified, known: &KnownConfigs) -> Result<Resolved, Vec<Finding>> {
    let plan = verified.plan();
    let phases = plan.phases();
    let graph = StageGraph::new(plan, PhaseGraph::new(plan, &phases));
    let mut findings = Vec::new();
    let evaluation = evaluate::evaluate(&graph, known, &mut findings);
    if !known.is_empty() {
        // The verifier has seen all that the plan alone says; facts from elsewhere say more.
        check_expanded(&graph, &evaluation, &mut findings);
    }
    findings.extend(evaluation.unsettled.iter().cloned().map(Finding::from));
    let Some(export) = &plan.export else {
        findings.push(ResolveFinding::NoExport.into());
        return Err(with_warnings(findings, verified));
    };
    if findings.iter().any(Finding::is_error) {
        return Err(with_warnings(findings, verified));
    }
    let export = evaluate::export(&graph, export);
    let images = with_known_configs(&plan.images, known);
    let needed = graph.needed_by(&export.from.value);
    warnings::warn_of_unpinned(plan, &images, &evaluation, &needed, &export, known, &mut findings);
    let evaluate::Evaluation { order, stages, states, merges, scratch, bases, merged, .. } = evaluation;
    Ok(Resolved {
        ids: evaluate::ids(&graph),
        plan: Plan {
            platforms: plan.platforms.clone(),
            images,
            contexts: plan.contexts.clone(),
            secrets: plan.secrets.clone(),
            caches: plan.caches.clone(),
            declared_phases: plan.declared_phases.clone(),
            stages,
            export: Some(export.clone()),
        },
        warnings: with_warnings(findings, verified),
        export,
        order: order.into_iter().filter(|place| needed[*place]).map(StageId::of_place).collect(),
        states,
        merges,
        scratch,
        bases,
        merged,
    })
}

fn with_warnings(mut findings: Vec<Finding>, verified: &Verified) -> Vec<Finding> {
    findings.extend_from_slice(verified.warnings());
    finding::sort(&mut findings);
    findings
}

fn with_known_configs(
    images: &BTreeMap<InputName, BaseImage>,
    known: &KnownConfigs,
) -> BTreeMap<InputName, BaseImage> {
    let mut images = images.clone();
    for (name, image) in &mut images {
        if image.config.is_none() {
            image.config = known.get(name).cloned();
        }
    }
    images
}

#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;
