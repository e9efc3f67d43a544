//! What `cogpackc build` sees to, and nobody where a definition is solved by itself.

use cogpack_backends_llb::LlbImage;
use cogpack_backends_llb::owners::{OwnerNotLookedUp, not_looked_up};
use cogpack_backends_llb::side_by_side::{NotCompared, Of, not_compared};
use cogpack_io_project::ignore_file;
use cogpack_ir::plan::{ContextKind, InputName};
use miette::{Diagnostic, SourceSpan};

use crate::front::Front;
use crate::plan_file::PlanFile;

/// A warning of a definition that is written and not built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum Unwatched {
    /// An owner by name.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Owner(OwnerNotLookedUp),
    /// Stages that run side by side.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Parallel(NotCompared),
    /// A directory with an ignore file.
    #[error("what `{}` leaves out of `{context}` is not left out of this definition", ignore_file::NAME)]
    #[diagnostic(
        severity(Warning),
        code("cpk::llb::ignore-file"),
        help(
            "write its lines as `exclude` rules of the context; or build with `cogpackc build`, which keeps to it"
        )
    )]
    IgnoreFile {
        /// The context.
        context: InputName,
        /// Where the plan declares it.
        #[label("whoever sends this directory sends all that the plan takes of it")]
        span: Option<SourceSpan>,
    },
}

/// What is to be said of the definitions of a plan.
pub fn unwatched(images: &[LlbImage], front: &Front, file: &PlanFile) -> Vec<Unwatched> {
    let contexts = front.resolved.plan().contexts.iter();
    let ignoring = contexts.filter_map(|(name, context)| {
        let ContextKind::Directory(it) = &context.kind else { return None };
        let is_sent = images.iter().any(|image| image.needs.directories.contains(name));
        let ignores = || file.directory.join(&it.path.value).join(ignore_file::NAME).exists();
        (is_sent && ignores())
            .then(|| Unwatched::IgnoreFile { context: name.clone(), span: context.span.place() })
    });
    let owners = not_looked_up(images).into_iter().map(Unwatched::Owner);
    let parallel = not_compared(images, Of::All).into_iter().map(Unwatched::Parallel);
    owners.chain(parallel).chain(ignoring).collect()
}
