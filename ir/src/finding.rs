//! One thing that is wrong with a plan, or that its author should know.
//!
//! Each family of findings is a small enum beside the code that finds it; this is their sum.
//! A finding has a stable code, a label on the guilty text and a way out.

/// A finding of any family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum Finding {}
