//! A context whose content is known to come in parts that other images have too.

use crate::content::Content;
use crate::tree::Tree;

/// A part of a context, which is a layer of its own where a stage starts from the context.
///
/// Each part has the directories that lead to what is in it, as the whole has them, so that its
/// layer says the same whatever lies under it. Together the parts are the whole.
#[derive(Debug, Clone)]
pub struct ContextLayer {
    /// What it holds, for people.
    pub what: String,
    /// What is in it.
    pub tree: Tree<Content>,
}
