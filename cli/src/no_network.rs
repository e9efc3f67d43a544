//! `--no-network`: a plan whose programs reach no network is built; any other is refused, op by op.
//!
//! Looked at is what a plan says, and not what its programs would do: each `run` and `exec` must say
//! `network none`, which every builder keeps. What comes from elsewhere before programs run is not meant:
//! base images, locked packages and `http` contexts have digests, and what they are is known.

use cogpack_ir::plan::walk::for_each_op;
use cogpack_ir::plan::{Network, Plan};
use miette::{Diagnostic, SourceSpan};

use crate::console::Console;
use crate::plan_file::PlanFile;
use crate::report::{self, Format, Stream};

/// An op that may reach one.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{stage}: a program may reach the network, and `--no-network` was said")]
#[diagnostic(
    code(cpk::build::network),
    help(
        "write `network none` into the op, where its program needs no network; a project's packages come without \
         one from locks, and those of `system_packages` with `--base debian`; or leave `--no-network` away"
    )
)]
struct NeedsNetwork {
    stage: String,
    #[label("this runs with a network")]
    place: SourceSpan,
}

/// Whether no program of a plan may reach a network; the ops of which one may are shown.
pub fn is_kept(plan: &Plan, file: &PlanFile, format: Format, console: &mut Console<'_>) -> bool {
    let mut breaches = Vec::new();
    for stage in &plan.stages {
        for_each_op(&stage.ops, &mut |op| {
            if op.execution().is_some_and(|it| it.network != Network::None) {
                breaches.push(NeedsNetwork { stage: stage.name.to_string(), place: op.span.into() });
            }
        });
    }
    if breaches.is_empty() {
        return true;
    }
    let diagnostics: Vec<&dyn Diagnostic> = breaches.iter().map(|it| it as &dyn Diagnostic).collect();
    report::findings(&diagnostics, file, format, Stream::Talk, console);
    false
}
