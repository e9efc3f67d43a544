//! Links in contexts, which a plan's copies keep and a Dockerfile's follow.
//!
//! Where a copied path is no link, both do the same, and a copy that follows shares its cache
//! with the `COPY` of a Dockerfile. Whether it is one stands on the client's disk and not in the
//! plan: [`questions`] says of which paths it matters, and whoever has the disk says in
//! [`crate::Llb::no_links`] which of them are none. Without an answer links are kept.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::glob::has_wildcard;
use cogpack_ir::plan::{ContextKind, CopyForm, Input, InputName, for_each_op};
use cogpack_ir::resolve::Resolved;

use crate::lower::paths;

/// Paths by context, from the context's root and without a `/` before them.
pub type Paths = BTreeMap<InputName, BTreeSet<String>>;

/// The paths of directories of which it matters whether they are links.
pub fn questions(plan: &Resolved) -> Paths {
    let mut questions = Paths::new();
    for &id in plan.order() {
        for_each_op(&plan.stage(id).ops, &mut |op| {
            let Some(copy) = op.copy() else { return };
            let Input::Context(name) = &copy.from.value else { return };
            let kind = plan.plan().contexts.get(name).map(|context| &context.kind);
            if copy.follow || !matches!(kind, Some(ContextKind::Directory(_))) {
                return;
            }
            let (sources, may_be_patterns) = match &copy.form {
                CopyForm::To { source, .. } => (std::slice::from_ref(source), false),
                CopyForm::Into { sources, .. } => (sources.as_slice(), true),
                // Always followed.
                CopyForm::Contents { .. } => return,
            };
            let literal = sources.iter().filter_map(|source| paths::path(source).ok());
            let named = literal.filter(|path| path.len() > 1 && !(may_be_patterns && has_wildcard(path)));
            questions.entry(name.clone()).or_default().extend(named.map(|path| path[1..].to_owned()));
        });
    }
    questions
}
