//! From what was written to what backends take: every input concrete, every variable expanded,
//! every stage's environment known at each of its ops.
//!
//! [`resolve`] is a fixed point: resolving the text of a resolved plan gives the same plan.

mod as_written;
pub mod environment;
pub(crate) mod evaluate;
pub mod expand;
pub(crate) mod merged;
pub mod resolved;
pub mod state;
pub mod triggers;
pub mod variables;
pub mod warnings;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::finding::{self, Finding};
use crate::graph::{PhaseGraph, StageGraph};
use crate::plan::{BaseImage, ImageConfig, InputName, Plan};
use crate::verify::{Verified, Walked, check_expanded};

pub use environment::Environment;
pub use resolved::{Merge, Resolved, StageId, Step};
pub use state::{EnvValue, State};
pub use triggers::{KnownTriggers, TriggerFinding};
pub use variables::VariableFinding;
pub use warnings::ResolveFinding;

/// Configs read elsewhere, by the name of the image or context: of OCI contexts, of layouts on
/// this machine. They stand in for what a plan does not record, and never replace what it does.
pub type KnownConfigs = BTreeMap<InputName, ImageConfig>;

/// Resolves a plan, or says all that keeps it from being emitted.
pub fn resolve(verified: Verified, known: &KnownConfigs) -> Result<Resolved, Vec<Finding>> {
    let (plan, warnings, walked) = verified.into_parts();
    let mut findings = Vec::new();
    // The verifier has walked over all that the plan alone says. Only facts from elsewhere
    // make another walk find more.
    let walked = if known.is_empty() { walked } else { walk(&plan, known, &mut findings) };
    let Walked { evaluation, export } = walked;
    findings.extend(evaluation.unsettled.iter().cloned().map(Finding::from));
    let Some((export, needed)) = export else {
        findings.push(ResolveFinding::NoExport.into());
        return Err(refusal(findings, warnings));
    };
    if findings.iter().any(Finding::is_error) {
        return Err(refusal(findings, warnings));
    }
    let images = with_known_configs(&plan.images, known);
    warnings::warn_of_unpinned(&plan, &images, &evaluation, &needed, &export, known, &mut findings);
    let evaluate::Evaluation { order, rewritten, starts, states, merges, scratch, bases, merged, .. } =
        evaluation;
    let stages = plan.stages.into_iter().zip(rewritten);
    let stages: Vec<_> =
        stages.map(|(written, rewritten)| rewritten.map_or(written, |rewritten| *rewritten)).collect();
    Ok(Resolved {
        ids: OnceLock::new(),
        plan: Plan { images, stages, export: Some(export.clone()), ..plan },
        warnings: with_warnings(findings, warnings),
        export,
        order: order.into_iter().filter(|place| needed[*place]).map(StageId::of_place).collect(),
        starts,
        states,
        merges,
        scratch,
        bases,
        merged,
        triggers: KnownTriggers::new(),
    })
}

/// Walks over a plan with facts from elsewhere, and checks what they make of it.
fn walk(plan: &Plan, known: &KnownConfigs, findings: &mut Vec<Finding>) -> Walked {
    let phases = plan.phases();
    let graph = StageGraph::new(plan, PhaseGraph::new(plan, &phases));
    let evaluation = evaluate::evaluate(&graph, known, findings);
    check_expanded(&graph, &evaluation, findings);
    Walked::of(&graph, evaluation)
}

/// What keeps a plan from being resolved, at most as much as anybody reads.
fn refusal(findings: Vec<Finding>, warnings: Vec<Finding>) -> Vec<Finding> {
    let mut findings = with_warnings(findings, warnings);
    finding::shorten(&mut findings);
    findings
}

fn with_warnings(mut findings: Vec<Finding>, warnings: Vec<Finding>) -> Vec<Finding> {
    findings.extend(warnings);
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
