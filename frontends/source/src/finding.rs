//! A finding, and the file of the project that it is about.

use std::fmt;

use crate::path::SourcePath;

/// A finding of any family, whose labels are byte ranges of the text of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFile<F> {
    /// The file.
    pub file: SourcePath,
    /// What is wrong there.
    pub finding: F,
}

impl<F> InFile<F> {
    /// `finding` in `file`.
    pub fn new(file: &SourcePath, finding: F) -> Self {
        Self { file: file.clone(), finding }
    }

    /// The same finding as one of a larger family.
    pub fn of<G: From<F>>(self) -> InFile<G> {
        InFile { file: self.file, finding: self.finding.into() }
    }
}

impl<F: fmt::Display> fmt::Display for InFile<F> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.file, self.finding)
    }
}
