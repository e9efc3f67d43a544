//! One thing that is wrong with a plan, or that its author should know.
//!
//! Each family of findings is a small enum beside the code that finds it; this is their sum.
//! A finding has a stable code, a label on the guilty text and a way out.

use miette::{Diagnostic, Severity, SourceSpan};

use crate::json::JsonFinding;
use crate::resolve::{ResolveFinding, TriggerFinding, VariableFinding};
use crate::syntax::SyntaxFinding;
use crate::verify::addresses::AddressFinding;
use crate::verify::commands::CommandFinding;
use crate::verify::contexts::ContextFinding;
use crate::verify::copies::CopyFinding;
use crate::verify::cycles::CycleFinding;
use crate::verify::exports::ExportFinding;
use crate::verify::images::ImageFinding;
use crate::verify::layers::LayerFinding;
use crate::verify::mounts::MountFinding;
use crate::verify::parallel::ParallelFinding;
use crate::verify::paths::PathFinding;
use crate::verify::patterns::PatternFinding;
use crate::verify::platforms::PlatformFinding;
use crate::verify::references::ReferenceFinding;
use crate::verify::secrets::SecretFinding;
use crate::verify::stages::StageFinding;
use crate::verify::templates::TemplateFinding;
use crate::verify::unused::UnusedFinding;

/// Where a finding points to; `None` for a plan that was written in no text.
pub type Place = Option<SourceSpan>;

/// A finding of any family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum Finding {
    /// The text is not one of a plan.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Syntax(#[from] SyntaxFinding),
    /// A name that stands for nothing, or for something else.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Reference(#[from] ReferenceFinding),
    /// Where a stage stands or starts.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Stage(#[from] StageFinding),
    /// A circle.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cycle(#[from] CycleFinding),
    /// Stages that get in each other's way.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Parallel(#[from] ParallelFinding),
    /// What is built for.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Platform(#[from] PlatformFinding),
    /// A declared image.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Image(#[from] ImageFinding),
    /// A context.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Context(#[from] ContextFinding),
    /// The address of a context or of a package.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Address(#[from] AddressFinding),
    /// A pattern of `include` or `exclude`.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pattern(#[from] PatternFinding),
    /// A path.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Path(#[from] PathFinding),
    /// A copy.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Copy(#[from] CopyFinding),
    /// A mount.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Mount(#[from] MountFinding),
    /// A secret that could reach what it must not.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Secret(#[from] SecretFinding),
    /// What is run, and by whom.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Command(#[from] CommandFinding),
    /// A layer.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Layer(#[from] LayerFinding),
    /// A template as it is written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Template(#[from] TemplateFinding),
    /// What becomes the image.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Export(#[from] ExportFinding),
    /// Something that nothing uses.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unused(#[from] UnusedFinding),
    /// What a template says of variables.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Variable(#[from] VariableFinding),
    /// What only shows when a plan is resolved.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Resolve(#[from] ResolveFinding),
    /// Something of a base that a plan leaves alone.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Trigger(#[from] TriggerFinding),
    /// A breach of the JSON form.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Json(#[from] JsonFinding),
}

impl Finding {
    /// The stable code, for instance `cpk::stage::cycle`.
    pub fn stable_code(&self) -> String {
        // Every variant of every family has a code; the suite of the explanations checks it.
        self.code().map(|code| code.to_string()).unwrap_or_default()
    }

    /// Whether the plan must not be used; a warning leaves that to its author.
    pub fn is_error(&self) -> bool {
        self.severity().unwrap_or(Severity::Error) == Severity::Error
    }

    /// The first byte of the first label; `None` where there is no label.
    pub fn start(&self) -> Option<usize> {
        self.labels().and_then(|mut labels| labels.next()).map(|label| label.offset())
    }
}

/// How many mistakes of one plan are told: nobody would read on.
pub(crate) const MOST: usize = 500;

/// Leaves the first [`MOST`] of a plan's mistakes, and says so where there were more.
pub(crate) fn shorten(findings: &mut Vec<Finding>) {
    if findings.len() > MOST {
        findings.truncate(MOST);
        findings.push(crate::syntax::SyntaxFinding::Many { shown: MOST }.into());
    }
}

/// Sorts by place, then by code and message, so that equal plans give equal lists.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by_cached_key(|finding| (finding.start(), finding.stable_code(), finding.to_string()));
}
