//! What a backend is.

use cogpack_ir::resolve::Resolved;

use crate::Unsupported;

/// One lowering: from a resolved plan to what a builder takes.
///
/// Pure and total: the answer is an artifact, or all that this target cannot express, each with
/// a way out. Nothing is approximated.
pub trait Backend {
    /// What it makes.
    type Artifact;

    /// Its name as `-o` takes it, for instance `llb`.
    fn name(&self) -> &'static str;

    /// Lowers a plan.
    fn lower(&self, plan: &Resolved) -> Result<Self::Artifact, Vec<Unsupported>>;
}
