//! The target's gap: something a plan rightly says and a backend cannot express.

use std::fmt;

use cogpack_ir::plan::Span;
use miette::{Diagnostic, LabeledSpan, SourceSpan};

/// One thing that a backend cannot express, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// The backend's name, for instance `oci`.
    pub backend: &'static str,
    /// A stable code, for instance `cpk::unsupported::run`.
    pub code: &'static str,
    /// What it cannot express, lower case, names in backticks: "`run` needs an OCI runtime".
    pub what: String,
    /// Where the plan says so.
    pub span: Span,
    /// The way out.
    pub help: String,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the `{}` backend cannot express this: {}", self.backend, self.what)
    }
}

impl std::error::Error for Unsupported {}

impl Diagnostic for Unsupported {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.span.range()?;
        let label = LabeledSpan::new_with_span(Some("said here".to_owned()), SourceSpan::from(self.span));
        Some(Box::new(std::iter::once(label)))
    }
}
