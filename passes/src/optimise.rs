//! Running passes one after the other.

use cogpack_ir::finding::Finding;
use cogpack_ir::plan::{Plan, order};
use cogpack_ir::resolve::Resolved;

use crate::facts::Facts;
use crate::note::Note;
use crate::order::Pass;

/// What one pass did.
#[derive(Debug, Clone)]
pub struct Step {
    /// The pass.
    pub pass: &'static str,
    /// What it did, and why not more.
    pub notes: Vec<Note>,
    /// The plan after it; `None` where it changed nothing.
    pub after: Option<Resolved>,
}

/// What came of all passes.
#[derive(Debug, Clone)]
pub struct Optimised {
    /// What each did, in their order.
    pub steps: Vec<Step>,
}

impl Optimised {
    /// The plan at the end; `None` where no pass changed anything.
    pub fn plan(&self) -> Option<&Resolved> {
        self.steps.iter().rev().find_map(|step| step.after.as_ref())
    }

    /// The plan at the end, `before` where no pass changed anything.
    pub fn into_plan(self, before: Resolved) -> Resolved {
        self.steps.into_iter().rev().find_map(|step| step.after).unwrap_or(before)
    }
}

/// A pass that made a plan of a good one that breaks rules: a mistake of ours.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the pass `{pass}` made a plan that breaks rules: {}", .findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Broken {
    /// The pass.
    pub pass: &'static str,
    /// The rules.
    pub findings: Vec<Finding>,
}

/// Runs `passes` on a plan, and resolves it again after each that changed it: `resolve` verifies a plan and
/// resolves it with what was known of the one before.
pub fn optimise(
    plan: &Resolved,
    passes: &[&dyn Pass],
    facts: &Facts,
    resolve: &dyn Fn(Plan) -> Result<Resolved, Vec<Finding>>,
) -> Result<Optimised, Broken> {
    let mut steps: Vec<Step> = Vec::with_capacity(passes.len());
    for pass in passes {
        let latest = steps.iter().rev().find_map(|step| step.after.as_ref()).unwrap_or(plan);
        let rewrite = pass.run(latest, facts);
        let after = rewrite.plan.map(|mut plan| {
            order::canonicalise(&mut plan);
            resolve(plan).map_err(|findings| Broken { pass: pass.name(), findings })
        });
        steps.push(Step { pass: pass.name(), notes: rewrite.notes, after: after.transpose()? });
    }
    Ok(Optimised { steps })
}
