//! Which paths of a tree are taken: an ordered list of `include` and `exclude` patterns.
//!
//! The last rule that matches a path, or a directory above it, decides. Where none matches, the
//! *first* rule does: a list that opens with `include` starts from nothing, any other from
//! everything. Patterns are globs relative to the root of what is taken; `*` and `?` do not
//! cross `/`, `**` does.

use super::span::Spanned;

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathRule {
    /// Whether matching paths are taken or left.
    pub kind: RuleKind,
    /// The glob.
    pub pattern: Spanned<String>,
}

/// Whether matching paths are taken or left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKind {
    /// `include`
    Include,
    /// `exclude`
    Exclude,
}

/// Rules in the order in which they were written, which is part of their meaning.
pub type PathRules = Vec<PathRule>;

/// Whether a path that no rule matches is taken.
pub fn takes_by_default(rules: &[PathRule]) -> bool {
    !matches!(rules.first(), Some(PathRule { kind: RuleKind::Include, .. }))
}
