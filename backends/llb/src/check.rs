//! What BuildKit takes for granted of an op, checked before anything leaves this crate.
//!
//! A daemon finds most of these late, without a line to point at, or not at all. A breach is a
//! mistake of this backend and never of a plan, so it has one message for all: please report it.
//!
//! Acyclic graphs, present inputs and output indices need no check of their own: a vertex can
//! only name one that was added before it, and every vertex has exactly one output.

use std::collections::BTreeSet;

use cogpack_ir::plan::Network;

use crate::capability::{Capabilities, Capability};
use crate::wire::{Action, Edit, Exec, File, MountKind, Op, Owner, Principal, Source};

/// A rule of BuildKit's that a finished op does not keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// An input that was not added before.
    #[error("an op reads vertex {vertex}, which is not there")]
    MissingInput {
        /// Its place.
        vertex: u32,
    },
    /// More vertices than can be numbered.
    #[error("the graph has more than 4,294,967,295 vertices")]
    TooManyVertices,
    /// An op whose parts do not fit together.
    #[error("{kind}: {rule}")]
    Malformed {
        /// The kind of op.
        kind: &'static str,
        /// What does not hold.
        rule: &'static str,
    },
}

/// Checks one op that is to become the vertex after `existing` others.
pub(crate) fn op(op: &Op<'_>, existing: usize) -> Result<(), Breach> {
    if let Some(missing) = op.inputs().iter().find(|input| input.0 as usize >= existing) {
        return Err(Breach::MissingInput { vertex: missing.0 });
    }
    match op {
        Op::Source(source) => check_source(source),
        Op::Exec(exec) => check_exec(exec),
        Op::File(file) => check_file(file),
        Op::Merge(inputs) => {
            hold("merge", inputs.len() >= 2, "it has two inputs or more")?;
            hold("merge", all_differ(inputs.iter()), "its inputs differ")
        }
        Op::Diff { lower, upper } => hold("diff", lower != upper, "its sides differ"),
    }
}

fn hold(kind: &'static str, holds: bool, rule: &'static str) -> Result<(), Breach> {
    if holds { Ok(()) } else { Err(Breach::Malformed { kind, rule }) }
}

/// Whether no two of a few items are equal: most lists here have fewer than five.
fn all_differ<T: Ord>(items: impl Iterator<Item = T> + Clone) -> bool {
    const FEW: usize = 8;
    if items.clone().nth(FEW).is_some() {
        let mut seen = BTreeSet::new();
        return items.into_iter().all(|item| seen.insert(item));
    }
    let mut rest = items;
    while let Some(item) = rest.next() {
        if rest.clone().any(|other| other == item) {
            return false;
        }
    }
    true
}

fn check_source(source: &Source<'_>) -> Result<(), Breach> {
    let hold = |holds, rule| hold("source", holds, rule);
    let (scheme, rest) = source.identifier.split_once("://").unwrap_or(("", ""));
    hold(
        ["docker-image", "git", "http", "https", "local", "oci-layout"].contains(&scheme),
        "its scheme is known",
    )?;
    hold(!rest.is_empty(), "its address is not empty")?;
    // Of others, the daemon says nothing and does nothing.
    let known: &[&str] = match scheme {
        "local" => &[
            "local.excludepatterns",
            "local.followpaths",
            "local.includepattern",
            "local.sharedkeyhint",
            "local.unique",
        ],
        "http" | "https" => &["http.checksum", "http.filename", "http.perm"],
        "git" => &["git.fullurl"],
        "oci-layout" => &["oci.store"],
        _ => &[],
    };
    hold(source.attributes.keys().all(|name| known.contains(name)), "its scheme knows its attributes")?;
    hold(
        source.per_platform == matches!(scheme, "docker-image" | "oci-layout"),
        "images have a platform and files have none",
    )?;
    if scheme == "oci-layout" {
        let (path, digest) = rest.split_once('@').unwrap_or((rest, ""));
        hold(path.contains('/'), "a layout has a host and a path")?;
        hold(digest.starts_with("sha256:"), "a layout's image is named by its digest")?;
    }
    Ok(())
}

fn check_exec(exec: &Exec<'_>) -> Result<(), Breach> {
    let hold = |holds, rule| hold("exec", holds, rule);
    hold(exec.arguments.first().is_some_and(|program| !program.is_empty()), "it names a program")?;
    hold(exec.directory.starts_with('/'), "its directory is absolute")?;
    hold(exec.secret_environment.iter().all(|secret| !secret.id.is_empty()), "secrets have ids")?;
    hold(all_differ(exec.inputs.iter()), "its inputs differ")?;
    hold(all_differ(exec.mounts.iter().map(|mount| &*mount.target)), "no two mounts share a target")?;
    let roots = exec.mounts.iter().filter(|mount| matches!(mount.kind, MountKind::Root { .. })).count();
    let root_is_at_root =
        exec.mounts.iter().all(|mount| (mount.target == "/") == matches!(mount.kind, MountKind::Root { .. }));
    hold(roots == 1 && root_is_at_root, "exactly one mount is the root, and it is at `/`")?;
    for mount in &exec.mounts {
        hold(mount.target.starts_with('/'), "targets are absolute")?;
        match &mount.kind {
            MountKind::Root { input } | MountKind::Bind { input, .. } => {
                hold(input.is_none_or(|place| place < exec.inputs.len()), "mounts name an input")?;
            }
            MountKind::Cache { id, .. } => hold(!id.is_empty(), "caches have ids")?,
            MountKind::Tmpfs { size } => hold(*size >= 0, "a size is not negative")?,
            MountKind::Secret { id, .. } => hold(!id.is_empty(), "secrets have ids")?,
            MountKind::Ssh { .. } => {}
        }
    }
    Ok(())
}

fn check_file(file: &File<'_>) -> Result<(), Breach> {
    let hold = |holds, rule| hold("file", holds, rule);
    let is_input = |place: usize| place < file.inputs.len();
    hold(!file.edits.is_empty(), "it has an action")?;
    hold(file.base.is_none_or(is_input), "it edits an input")?;
    hold(all_differ(file.inputs.iter()), "its inputs differ")?;
    for Edit { action, owner } in &file.edits {
        let (paths, mode) = match action {
            Action::Copy(copy) => {
                hold(is_input(copy.from), "copies read an input")?;
                let has_wildcard = copy.source.contains(['*', '?', '[']);
                hold(copy.wildcard || !copy.may_be_empty, "only wildcards may match nothing")?;
                hold(copy.wildcard || !has_wildcard || !copy.may_be_empty, "wildcards are meant")?;
                hold(copy.mode.is_none_or(|mode| mode <= 0o7777), "modes have twelve bits")?;
                ([Some(&copy.source), Some(&copy.destination)], None)
            }
            Action::Mkfile { path, mode, .. } | Action::Mkdir { path, mode } => {
                ([Some(path), None], Some(*mode))
            }
            Action::MkdirInside { path } => ([Some(path), None], None),
            Action::Remove { path, .. } => {
                hold(path.len() > 1, "the root is not removed")?;
                ([Some(path), None], None)
            }
            Action::Symlink { target, path } => {
                hold(!target.is_empty(), "a link says something")?;
                ([Some(path), None], None)
            }
        };
        hold(paths.into_iter().flatten().all(|path| path.starts_with('/')), "paths are absolute")?;
        // Of what is made and not copied, BuildKit drops the other bits without a word.
        hold(mode.is_none_or(|mode| mode <= 0o777), "modes are permission bits")?;
        let names_an_input = |principal: &Principal| match principal {
            Principal::Name(name, place) => !name.is_empty() && is_input(*place),
            Principal::Id(_) => true,
        };
        if let Some(Owner { user, group }) = owner {
            hold(
                names_an_input(user) && group.iter().all(names_an_input),
                "names are looked up in an input",
            )?;
        }
    }
    Ok(())
}

/// What a daemon must be able to do for an op.
pub(crate) fn capabilities(op: &Op<'_>) -> Capabilities {
    let mut needs = Capabilities::default();
    match op {
        Op::Source(source) => source_needs(source, &mut needs),
        Op::Exec(exec) => exec_needs(exec, &mut needs),
        Op::File(file) => {
            needs.add(Capability::FileBase);
            for edit in &file.edits {
                match &edit.action {
                    Action::Copy(copy) => {
                        if !copy.includes.is_empty() || !copy.excludes.is_empty() {
                            needs.add(Capability::FileCopyPatterns);
                        }
                        // Daemons that drop the upper bits of a copy's mode cannot be told from
                        // others by a capability of that name. This one is a little younger.
                        if copy.mode.is_some_and(|mode| mode > 0o777) {
                            needs.add(Capability::FileSymlink);
                        }
                    }
                    Action::Remove { may_be_link: true, .. } => needs.add(Capability::FileRmNoFollow),
                    Action::Symlink { .. } => needs.add(Capability::FileSymlink),
                    Action::Mkfile { .. }
                    | Action::Mkdir { .. }
                    | Action::MkdirInside { .. }
                    | Action::Remove { may_be_link: false, .. } => {}
                }
            }
        }
        Op::Merge(_) => needs.add(Capability::Merge),
        Op::Diff { .. } => needs.add(Capability::Diff),
    }
    needs
}

fn source_needs(source: &Source<'_>, needs: &mut Capabilities) {
    let scheme = source.identifier.split_once("://").map_or("", |(scheme, _)| scheme);
    needs.add(match scheme {
        "local" => Capability::SourceLocal,
        "http" | "https" => Capability::SourceHttp,
        "git" => Capability::SourceGit,
        "oci-layout" => Capability::SourceOciLayout,
        _ => Capability::SourceImage,
    });
    for name in source.attributes.keys() {
        match *name {
            "local.includepattern" => needs.add(Capability::SourceLocalInclude),
            "local.followpaths" => needs.add(Capability::SourceLocalFollow),
            "local.excludepatterns" => needs.add(Capability::SourceLocalExclude),
            "local.sharedkeyhint" => needs.add(Capability::SourceLocalSharedKeyHint),
            "local.unique" => needs.add(Capability::SourceLocalUnique),
            "http.checksum" => needs.add(Capability::SourceHttpChecksum),
            "http.perm" => needs.add(Capability::SourceHttpMode),
            "git.fullurl" => needs.add(Capability::SourceGitFullUrl),
            _ => {}
        }
    }
    if scheme == "git" && source.identifier.rsplit_once('#').is_some_and(|(_, at)| at.contains(':')) {
        needs.add(Capability::SourceGitSubdir);
    }
}

fn exec_needs(exec: &Exec<'_>, needs: &mut Capabilities) {
    needs.add(Capability::ExecMetaBase);
    if exec.network != Network::Default {
        needs.add(Capability::ExecMetaNetwork);
    }
    if !exec.environment.iter().any(|(name, _)| *name == "PATH") {
        needs.add(Capability::ExecMetaSetsDefaultPath);
    }
    for mount in &exec.mounts {
        match &mount.kind {
            MountKind::Root { input } => {
                if input.is_some() {
                    needs.add(Capability::ExecMountBind);
                }
            }
            MountKind::Bind { selector, readonly, .. } => {
                needs.add(Capability::ExecMountBind);
                if !readonly {
                    needs.add(Capability::ExecMountBindScrap);
                }
                if !selector.is_empty() {
                    needs.add(Capability::ExecMountSelector);
                }
            }
            MountKind::Cache { .. } => {
                needs.add(Capability::ExecMountCache);
                needs.add(Capability::ExecMountCacheSharing);
            }
            MountKind::Tmpfs { size } => {
                needs.add(Capability::ExecMountTmpfs);
                if *size > 0 {
                    needs.add(Capability::ExecMountTmpfsSize);
                }
            }
            MountKind::Secret { .. } => needs.add(Capability::ExecMountSecret),
            MountKind::Ssh { .. } => needs.add(Capability::ExecMountSsh),
        }
    }
    if !exec.secret_environment.is_empty() {
        needs.add(Capability::ExecMountSecret);
        needs.add(Capability::ExecSecretEnv);
    }
}
