//! The places where a Dockerfile may stand among the user's directories, the best first.
//!
//! 1. The build context is the user's own directory: the plan's, or the only one that the plan
//!    reads. Other directories are given by name where the dialect can do that.
//! 2. The build context is the Dockerfile's directory, and the user's are given by name.
//! 3. All is gathered beside the Dockerfile.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::Tree;
use cogpack_backends_dockerfile::{
    Artifact, Dialect, Root, Surroundings, contexts, followed_sources, optional_sources, sources_with_mode,
};
use cogpack_io_project::ignore_file::IgnoreFile;
use cogpack_ir::plan::context::DirectoryContext;
use cogpack_ir::plan::{ContextKind, InputName};
use cogpack_ir::resolve::Resolved;

use super::Wanted;
use super::matches::matches;
use crate::contexts::Walked;
use crate::plan_file::PlanFile;
use crate::ways::{ELSEWHERE, settled, way};

/// The bits of setuid and setgid.
pub const SET_IDS: u32 = 0o6000;

/// One place.
pub struct Standing {
    /// As the backend is told.
    pub surroundings: Surroundings,
    /// Whether files can lie beside it.
    holds_files: bool,
}

/// A `dir` context that the plan reads.
pub struct Used<'p> {
    pub context: &'p DirectoryContext,
    /// Its directory, as the disk knows it.
    pub path: PathBuf,
}

/// All that are worth trying.
pub fn standings(wanted: &Wanted, plan: &Resolved, file: &PlanFile, installed: &Walked) -> Vec<Standing> {
    let used = used(plan, file);
    let missing = missing(plan, &used, installed);
    let files = files(plan, &used);
    let links = links(plan, &used);
    let eject = wanted.directory.as_deref().map(settled);
    let matches = matches(plan, &used, eject.as_deref());
    let mut standings = Vec::new();
    if !wanted.self_contained {
        if let Some(root) = main_of(&used) {
            standings.extend(in_context(wanted, &used, &root, eject.as_deref()));
        }
        if let Some(eject) = &eject {
            let named = named(&used, None, eject);
            if !named.is_empty() {
                let surroundings = Surroundings { named, ..Surroundings::default() };
                standings.push(Standing { surroundings, holds_files: true });
            }
        }
    }
    let surroundings = Surroundings { alone: wanted.directory.is_none(), ..Surroundings::default() };
    standings.push(Standing { surroundings, holds_files: wanted.directory.is_some() });
    for standing in &mut standings {
        let from = match (&standing.surroundings.root, &eject) {
            (Some(root), _) if root.path == "." => used.get(&root.context).map(|main| main.path.clone()),
            (_, Some(eject)) => Some(eject.clone()),
            (_, None) => Some(settled(&file.directory)),
        };
        if let Some(from) = from {
            standing.surroundings.named.extend(layouts(plan, file, &from));
        }
        standing.surroundings.missing.clone_from(&missing);
        standing.surroundings.files.clone_from(&files);
        standing.surroundings.links.clone_from(&links);
        standing.surroundings.matches.clone_from(&matches);
    }
    standings
}

/// The user's directory as build context.
fn in_context(
    wanted: &Wanted,
    used: &BTreeMap<InputName, Used<'_>>,
    root: &InputName,
    eject: Option<&Path>,
) -> Option<Standing> {
    let main = used.get(root)?;
    let rules_can_be_kept = match wanted.dialect {
        Dialect::BuildKit { .. } | Dialect::Buildah => true,
        // It reads no ignore file but the context's own.
        Dialect::Legacy => main.context.rules.is_empty(),
    };
    if !rules_can_be_kept {
        return None;
    }
    let (file, path, beside, from) = match eject {
        None => ("-".to_owned(), ".".to_owned(), None, main.path.clone()),
        Some(eject) => match way(&main.path, eject) {
            Some(inside) if !inside.starts_with("..") => {
                let file =
                    if inside.is_empty() { "Dockerfile".to_owned() } else { format!("{inside}/Dockerfile") };
                (file, ".".to_owned(), Some(inside), main.path.clone())
            }
            Some(_) | None => {
                let path = way(eject, &main.path).unwrap_or_else(|| ELSEWHERE.to_owned());
                ("Dockerfile".to_owned(), path, None, eject.to_owned())
            }
        },
    };
    // A file that the ignore file leaves out cannot be copied.
    let beside = beside.filter(|beside| beside.is_empty() || !is_ignored(&main.path, beside));
    let holds_files = beside.is_some();
    let named = named(used, Some(root), &from);
    let root = Root { context: root.clone(), path, file, beside };
    let alone = eject.is_none();
    Some(Standing {
        surroundings: Surroundings { root: Some(root), named, alone, ..Surroundings::default() },
        holds_files,
    })
}

impl Standing {
    /// Whether what the Dockerfile needs can be where it looks for it: files beside it must be
    /// reachable, and must not be copied by chance with the directory that they are in.
    pub fn can_hold(&self, artifact: &Artifact) -> bool {
        if artifact.beside.is_empty() {
            return true;
        }
        let copied_by_chance = match &self.surroundings.root {
            Some(Root { context, beside: Some(beside), .. }) => artifact
                .read
                .get(context)
                .is_some_and(|read| read.paths.keys().any(|path| is_within(beside, path))),
            Some(Root { beside: None, .. }) | None => false,
        };
        self.holds_files && !copied_by_chance
    }
}

/// The directory that is the build context: the plan's own, else the only one.
fn main_of(used: &BTreeMap<InputName, Used<'_>>) -> Option<InputName> {
    let own = used.iter().find(|(_, it)| matches!(it.context.path.value.as_str(), "." | "./"));
    let only = used.iter().next().filter(|_| used.len() == 1);
    own.or(only).map(|(name, _)| name.clone())
}

/// The directories that can be given by name: those of which all is taken.
fn named(
    used: &BTreeMap<InputName, Used<'_>>,
    root: Option<&InputName>,
    from: &Path,
) -> BTreeMap<InputName, String> {
    used.iter()
        .filter(|(name, it)| {
            Some(*name) != root && it.context.rules.is_empty() && !it.path.join(".cog").exists()
        })
        .filter_map(|(name, it)| Some((name.clone(), way(from, &it.path)?)))
        .collect()
}

/// The layouts that a plan reads, each with the way to it.
fn layouts(plan: &Resolved, file: &PlanFile, from: &Path) -> BTreeMap<InputName, String> {
    let mut layouts = BTreeMap::new();
    for (name, context) in &plan.plan().contexts {
        if let ContextKind::Oci(layout) = &context.kind
            && let Some(way) = way(from, &settled(&file.directory.join(&layout.path.value)))
        {
            layouts.insert(name.clone(), way);
        }
    }
    layouts
}

fn used<'p>(plan: &'p Resolved, file: &PlanFile) -> BTreeMap<InputName, Used<'p>> {
    let mut used = BTreeMap::new();
    for name in contexts(plan) {
        if let Some(ContextKind::Directory(context)) =
            plan.plan().contexts.get(&name).map(|context| &context.kind)
        {
            let path = settled(&file.directory.join(&context.path.value));
            used.insert(name, Used { context, path });
        }
    }
    used
}

fn missing(
    plan: &Resolved,
    used: &BTreeMap<InputName, Used<'_>>,
    installed: &Walked,
) -> BTreeSet<(InputName, String)> {
    let mut missing = optional_sources(plan);
    missing.retain(|(name, path)| match plan.plan().contexts.get(name).map(|context| &context.kind) {
        Some(ContextKind::Files(files)) => !files.keys().any(|file| is_within(file, path)),
        Some(ContextKind::Wheels(_) | ContextKind::Debs(_)) => {
            installed.trees.get(name).is_some_and(|tree| is_missing(tree, path))
        }
        Some(
            ContextKind::Directory(_) | ContextKind::Http(_) | ContextKind::Git(_) | ContextKind::Oci(_),
        )
        | None => used.get(name).is_some_and(|it| it.path.join(path).symlink_metadata().is_err()),
    });
    missing
}

/// Whether a path leads to nothing, however often through links.
fn is_missing(tree: &Tree<Content>, path: &str) -> bool {
    let found = tree.resolve(path.as_bytes(), false);
    found.map_or(true, |at| !at.is_empty() && tree.get(&at).is_none())
}

fn files(plan: &Resolved, used: &BTreeMap<InputName, Used<'_>>) -> BTreeSet<(InputName, String)> {
    let mut files = sources_with_mode(plan);
    files.retain(|(name, path)| {
        let found = used.get(name).and_then(|it| it.path.join(path).symlink_metadata().ok());
        found.is_some_and(|found| found.is_file() && found.mode() & SET_IDS == 0)
    });
    files
}

fn links(plan: &Resolved, used: &BTreeMap<InputName, Used<'_>>) -> BTreeSet<(InputName, String)> {
    let mut links = followed_sources(plan);
    links.retain(|(name, path)| used.get(name).is_some_and(|it| it.path.join(path).is_symlink()));
    links
}

/// Whether the ignore file of a directory leaves out a path in it.
pub fn is_ignored(directory: &Path, path: &str) -> bool {
    // One that cannot be read is reported where the directory is walked.
    let Ok(ignore) = IgnoreFile::of_directory(directory) else { return false };
    let mut matched = ignore.at_root();
    let mut way = String::new();
    for part in path.split('/') {
        if !way.is_empty() {
            way.push('/');
        }
        way.push_str(part);
        matched = ignore.at(way.as_bytes(), &matched);
        if ignore.leaves_out(&matched) {
            return true;
        }
    }
    false
}

fn is_within(path: &str, directory: &str) -> bool {
    directory.is_empty()
        || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
