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
use crate::plan::{ImageConfig, InputName, Plan};
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
    let mut plan = verified.plan().clone();
    for (name, image) in &mut plan.images {
        if image.config.is_none() {
            image.config = known.get(name).cloned();
        }
    }
    let phases = plan.phases().into_owned();
    let graph = StageGraph::new(&plan, PhaseGraph::new(&plan, &phases));
    let mut findings = Vec::new();
    let evaluation = evaluate::evaluate(&graph, known, &mut findings);
    if !known.is_empty() {
        // The verifier has seen all that the plan alone says; facts from elsewhere say more.
        check_expanded(&graph, &evaluation, &mut findings);
    }
    findings.extend(evaluation.unsettled.iter().cloned().map(Finding::from));
    let export = match &plan.export {
        Some(export) => Some(evaluate::export(&graph, export)),
        None => {
            findings.push(ResolveFinding::NoExport.into());
            None
        }
    };
    let Some(export) = export.filter(|_| !findings.iter().any(Finding::is_error)) else {
        findings.extend_from_slice(verified.warnings());
        finding::sort(&mut findings);
        return Err(findings);
    };
    let needed = graph.needed_by(&export.from.value);
    let mut warnings = verified.warnings().to_vec();
    warnings.append(&mut findings);
    warnings::warn_of_unpinned(&plan, &evaluation, &needed, &export, known, &mut warnings);
    finding::sort(&mut warnings);
    let order =
        graph.order().into_iter().filter(|place| needed[*place]).map(resolved::StageId::of_place).collect();
    let ids = evaluate::ids(&graph);
    drop(graph);
    let evaluate::Evaluation { stages, states, merges, scratch, bases, merged, .. } = evaluation;
    let plan = Plan { stages, export: Some(export.clone()), ..plan };
    Ok(Resolved { plan, export, warnings, order, ids, states, merges, scratch, bases, merged })
}

#[cfg(test)]
mod tests;
