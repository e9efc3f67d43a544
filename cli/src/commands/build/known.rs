//! What the backend would like to know of directories, looked up where they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cogpack_backends_llb::Limits;
use cogpack_backends_llb::known::{Kind, Known, modes_matter, questions};
use cogpack_io_project::look::{file_type, has_plain_modes};
use cogpack_ir::plan::{ContextKind, InputName};
use cogpack_ir::resolve::Resolved;

/// What is known of a plan's directories.
pub fn known(plan: &Resolved, limits: Limits, directories: &BTreeMap<InputName, PathBuf>) -> Known {
    let mut kinds = BTreeMap::new();
    for (name, paths) in questions(plan) {
        let Some(directory) = directories.get(&name) else { continue };
        let found = paths.into_iter().filter_map(|path| {
            let found = file_type(directory, &path)?;
            let kind = match (found.is_dir(), found.is_file()) {
                (true, _) => Kind::Directory,
                (false, true) => Kind::File,
                (false, false) => return None,
            };
            Some((path, kind))
        });
        kinds.insert(name, found.collect());
    }
    let asks_for_modes = !limits.set_modes_exactly() && modes_matter(plan);
    let plain = if asks_for_modes { plain(plan, directories) } else { BTreeSet::new() };
    Known { kinds, plain }
}

/// The contexts in which nothing has setuid, setgid or sticky. What cannot be looked at is
/// reported when it is sent.
fn plain(plan: &Resolved, directories: &BTreeMap<InputName, PathBuf>) -> BTreeSet<InputName> {
    let mut plain = BTreeSet::new();
    for (name, context) in &plan.plan().contexts {
        if let ContextKind::Directory(it) = &context.kind
            && let Some(directory) = directories.get(name)
            && has_plain_modes(directory, name, &it.rules).unwrap_or(false)
        {
            plain.insert(name.clone());
        }
    }
    plain
}
