//! One thing that is wrong with a plan, or that its author should know.
//!
//! Each family of findings is a small enum beside the code that finds it; this is their sum.
//! A finding has a stable code, a label on the guilty text and a way out.

use miette::{Diagnostic, Severity, SourceSpan};

use crate::json::JsonFinding;
use crate::resolve::{ResolveFinding, VariableFinding};
use crate::syntax::SyntaxFinding;

/// Where a finding points to; `None` for a plan that was written in no text.
pub type Place = Option<SourceSpan>;

/// A finding of any family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum Finding {
    /// The text is not one of a plan.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Syntax(#[from] SyntaxFinding),
    /// What a template says of variables.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Variable(#[from] VariableFinding),
    /// What only shows when a plan is resolved.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Resolve(#[from] ResolveFinding),
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

/// Sorts by place, then by code and message, so that equal plans give equal lists.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by_cached_key(|finding| (finding.start(), finding.stable_code(), finding.to_string()));
}
