//! What the LLB backend would like to know of directories, looked up where they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cogpack_backends_contract::copy::lands_apart;
use cogpack_backends_llb::Limits;
use cogpack_backends_llb::known::{Kind, Known, Sources, gatherings, modes_matter, questions};
use cogpack_io_project::look::{file_type, has_plain_modes};
use cogpack_io_project::walk::walk;
use cogpack_ir::plan::context::DirectoryContext;
use cogpack_ir::plan::{Context, ContextKind, InputName};
use cogpack_ir::resolve::Resolved;

/// What is known of a plan's directories, for a daemon that can do what `limits` say.
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
    Known { kinds, plain, landings: landings(plan, directories) }
}

/// The contexts in which nothing has setuid, setgid or sticky. What cannot be looked at is
/// reported when it is sent.
fn plain(plan: &Resolved, directories: &BTreeMap<InputName, PathBuf>) -> BTreeSet<InputName> {
    let is_plain = |name: &InputName| {
        let (it, directory) = directory_of(plan, name, directories)?;
        has_plain_modes(directory, name, &it.rules).ok().filter(|is_plain| *is_plain)
    };
    plan.plan().contexts.keys().filter(|name| is_plain(name).is_some()).cloned().collect()
}

/// Which copies bring two things of one name. That takes a walk of their contexts, each once; what
/// cannot be walked is not known.
fn landings(
    plan: &Resolved,
    directories: &BTreeMap<InputName, PathBuf>,
) -> BTreeMap<Sources, Result<(), String>> {
    let mut trees = BTreeMap::new();
    let mut landings = BTreeMap::new();
    for (sources, copy) in gatherings(plan) {
        let name = sources.context.clone();
        let tree = trees.entry(name.clone()).or_insert_with(|| {
            let (it, directory) = directory_of(plan, &name, directories)?;
            walk(directory, &name, &it.rules).ok()
        });
        if let Some(tree) = tree {
            landings.insert(sources, lands_apart(copy, tree).map_err(|problem| problem.to_string()));
        }
    }
    landings
}

/// A `dir` context, and where it is.
fn directory_of<'d>(
    plan: &'d Resolved,
    name: &InputName,
    directories: &'d BTreeMap<InputName, PathBuf>,
) -> Option<(&'d DirectoryContext, &'d Path)> {
    match plan.plan().contexts.get(name) {
        Some(Context { kind: ContextKind::Directory(it), .. }) => Some((it, directories.get(name)?)),
        Some(_) | None => None,
    }
}
