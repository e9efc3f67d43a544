//! What the LLB backend would like to know of directories and packages, looked up where they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::copy::lands_apart;
use cogpack_backends_contract::tree::{Node, Tree, components};
use cogpack_backends_llb::Limits;
use cogpack_backends_llb::known::{Kind, Known, Sources, gatherings, modes_matter, questions};
use cogpack_io_project::look::{file_type, has_plain_modes, is_plain};
use cogpack_io_project::walk::walk;
use cogpack_ir::plan::context::DirectoryContext;
use cogpack_ir::plan::{Context, ContextKind, InputName};
use cogpack_ir::resolve::Resolved;

/// The trees of packages that were installed, by the name of their context.
pub type Packages = BTreeMap<InputName, Tree<Content>>;

/// What is known of a plan's directories and packages, for a daemon that can do what `limits` say.
pub fn known(
    plan: &Resolved,
    limits: Limits,
    directories: &BTreeMap<InputName, PathBuf>,
    packages: &Packages,
) -> Known {
    let mut kinds = BTreeMap::new();
    for (name, paths) in questions(plan) {
        let (directory, tree) = (directories.get(&name), packages.get(&name));
        let found = paths.into_iter().filter_map(|path| {
            let of_directory = directory.and_then(|directory| on_disk(directory, &path));
            let kind = of_directory.or_else(|| in_tree(tree?, &path))?;
            Some((path, kind))
        });
        kinds.insert(name, found.collect());
    }
    let asks_for_modes = !limits.set_modes_exactly() && modes_matter(plan);
    let plain = if asks_for_modes { plain(plan, directories, packages) } else { BTreeSet::new() };
    Known { kinds, plain, landings: landings(plan, directories, packages) }
}

fn on_disk(directory: &Path, path: &str) -> Option<Kind> {
    let found = file_type(directory, path)?;
    match (found.is_dir(), found.is_file()) {
        (true, _) => Some(Kind::Directory),
        (false, true) => Some(Kind::File),
        (false, false) => None,
    }
}

fn in_tree(tree: &Tree<Content>, path: &str) -> Option<Kind> {
    match tree.get(&components(path.as_bytes()))? {
        Node::Directory(_) => Some(Kind::Directory),
        Node::File { .. } => Some(Kind::File),
        Node::Symlink { .. } | Node::Special { .. } => None,
    }
}

/// The contexts in which nothing has setuid, setgid or sticky. What cannot be looked at is
/// reported when it is sent.
fn plain(
    plan: &Resolved,
    directories: &BTreeMap<InputName, PathBuf>,
    packages: &Packages,
) -> BTreeSet<InputName> {
    let has_plain_modes = |name: &InputName| match packages.get(name) {
        Some(tree) => Some(is_plain(tree)),
        None => {
            let (it, directory) = directory_of(plan, name, directories)?;
            has_plain_modes(directory, name, &it.rules).ok()
        }
    };
    plan.plan().contexts.keys().filter(|name| has_plain_modes(name) == Some(true)).cloned().collect()
}

/// Which copies bring two things of one name. That takes a walk of their contexts, each once; what
/// cannot be walked is not known.
fn landings(
    plan: &Resolved,
    directories: &BTreeMap<InputName, PathBuf>,
    packages: &Packages,
) -> BTreeMap<Sources, Result<(), String>> {
    let mut trees = BTreeMap::new();
    let mut landings = BTreeMap::new();
    for (sources, copy) in gatherings(plan) {
        let name = sources.context.clone();
        let lands_apart = |tree| lands_apart(copy, tree).map_err(|problem| problem.to_string());
        if let Some(tree) = packages.get(&name) {
            landings.insert(sources, lands_apart(tree));
            continue;
        }
        let tree = trees.entry(name.clone()).or_insert_with(|| {
            let (it, directory) = directory_of(plan, &name, directories)?;
            walk(directory, &name, &it.rules).ok()
        });
        if let Some(tree) = tree {
            landings.insert(sources, lands_apart(tree));
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
