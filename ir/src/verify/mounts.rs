//! Where mounts show, and what they may not cover.
//!
//! One target below another is fine: the outer one is mounted first. Equal targets are not,
//! because which of the two would show is the builder's whim; and below a secret or a socket,
//! which are files, there is no place.

use std::collections::BTreeMap;

use miette::Diagnostic;

use super::copies::literal;
use super::paths;
use crate::finding::{Finding, Place};
use crate::plan::{Execution, Input, MountKind, SecretTarget, Span, Stage, for_each_op};

/// What is wrong with a mount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum MountFinding {
    /// Two mounts in one place.
    #[error("two mounts share {what}")]
    #[diagnostic(code(cpk::mount::overlap), help("give one of them another place"))]
    Overlap {
        /// The place: a path or a variable.
        what: String,
        /// The second mount.
        #[label("this place is taken")]
        place: Place,
        /// The first mount.
        #[label("by this mount")]
        first: Place,
    },
    /// A mount below a file.
    #[error("a mount at `{path}` lies below `{file}`, where {what} is mounted")]
    #[diagnostic(code(cpk::mount::overlap), help("give one of them another place"))]
    BelowFile {
        /// The target.
        path: String,
        /// The target above it.
        file: String,
        /// What is mounted there.
        what: &'static str,
        /// The mount.
        #[label("nothing can be mounted below a file")]
        place: Place,
        /// The mount above it.
        #[label("this is a file")]
        first: Place,
    },
    /// A mount over what a program cannot do without.
    #[error("a mount at `{path}` would cover {what}")]
    #[diagnostic(code(cpk::mount::reserved), help("{way_out}"))]
    Reserved {
        /// The target.
        path: String,
        /// What it would cover.
        what: &'static str,
        /// What to do.
        way_out: &'static str,
        /// The target.
        #[label("nothing may be mounted here")]
        place: Place,
    },
    /// There is nothing in `scratch`.
    #[error("`scratch` is empty, so there is nothing to mount")]
    #[diagnostic(code(cpk::mount::scratch), help("write `mount tmpfs at …` for an empty directory"))]
    Scratch {
        /// The input.
        #[label("nothing is here")]
        place: Place,
    },
    /// A tmpfs that can hold nothing, or, to some kernels, everything.
    #[error("a tmpfs of size 0 can hold nothing")]
    #[diagnostic(code(cpk::mount::size), help("say how much it may hold, or leave `size` out"))]
    Size {
        /// The mount.
        #[label("its size is 0")]
        place: Place,
    },
}

/// Checks the mounts of a stage, whose templates are expanded where they can be.
pub(super) fn check(stage: &Stage, findings: &mut Vec<Finding>) {
    for_each_op(&stage.ops, &mut |op| {
        if let Some(execution) = op.execution() {
            check_execution(execution, findings);
        }
    });
}

fn check_execution(execution: &Execution, findings: &mut Vec<Finding>) {
    let mut taken: BTreeMap<String, Span> = BTreeMap::new();
    for mount in &execution.mounts {
        let target = mount.kind.target().and_then(literal).filter(|path| path.starts_with('/'));
        if let (Some(target), Some(written)) = (&target, mount.kind.target()) {
            let path = paths::normal(target);
            if let Some((what, way_out)) = reserved(&path) {
                let place = written.span.place();
                findings.push(MountFinding::Reserved { path, what, way_out, place }.into());
            } else {
                claim(format!("`{path}`"), written.span, &mut taken, findings);
            }
        }
        match &mount.kind {
            MountKind::Bind { source, .. } => {
                if source.value == Input::Scratch {
                    findings.push(MountFinding::Scratch { place: source.span.place() }.into());
                }
            }
            MountKind::Secret { target: SecretTarget::Env(name), .. } => {
                claim(format!("the variable `{name}`"), name.span, &mut taken, findings);
            }
            MountKind::Ssh { .. } => {
                claim("the variable `SSH_AUTH_SOCK`".to_owned(), mount.span, &mut taken, findings);
            }
            MountKind::Tmpfs { size, .. } => {
                if *size == Some(0) {
                    findings.push(MountFinding::Size { place: mount.span.place() }.into());
                }
            }
            MountKind::Cache { .. } | MountKind::Secret { target: SecretTarget::File(_), .. } => {}
        }
    }
    check_below_files(execution, findings);
}

fn check_below_files(execution: &Execution, findings: &mut Vec<Finding>) {
    let mut files: BTreeMap<String, (&'static str, Span)> = BTreeMap::new();
    for mount in &execution.mounts {
        let (target, what) = match &mount.kind {
            MountKind::Secret { target: SecretTarget::File(target), .. } => (target, "a secret"),
            MountKind::Ssh { target: Some(target), .. } => (target, "a socket"),
            MountKind::Secret { target: SecretTarget::Env(_), .. }
            | MountKind::Ssh { target: None, .. }
            | MountKind::Bind { .. }
            | MountKind::Cache { .. }
            | MountKind::Tmpfs { .. } => continue,
        };
        if let Some(path) = literal(target) {
            files.insert(paths::normal(&path), (what, target.span));
        }
    }
    for target in execution.mounts.iter().filter_map(|mount| mount.kind.target()) {
        let Some(path) = literal(target).map(|path| paths::normal(&path)) else { continue };
        let above = path.match_indices('/').skip(1).find_map(|(at, _)| files.get_key_value(&path[..at]));
        if let Some((file, (what, first))) = above {
            let (file, place, first) = (file.clone(), target.span.place(), first.place());
            findings.push(MountFinding::BelowFile { path, file, what, place, first }.into());
        }
    }
}

fn claim(what: String, span: Span, taken: &mut BTreeMap<String, Span>, findings: &mut Vec<Finding>) {
    match taken.get(&what) {
        None => drop(taken.insert(what, span)),
        Some(first) => {
            // Mounts are kept sorted, so of two equal ones the text says which came first.
            let (first, second) = if first.start() <= span.start() { (*first, span) } else { (span, *first) };
            findings.push(MountFinding::Overlap { what, place: second.place(), first: first.place() }.into());
        }
    }
}

/// What a mount at `path` would cover, and what to do instead.
fn reserved(path: &str) -> Option<(&'static str, &'static str)> {
    let below = "mount at a path below it";
    match path {
        // Whatever runs the program refuses a mount there.
        below_it if below_it.starts_with("/proc/") => {
            Some(("a part of the kernel's view of processes", "mount outside `/proc`"))
        }
        "/" => Some((
            "the whole filesystem of the stage",
            "start the stage from it, or mount it at a path below `/`",
        )),
        "/proc" => Some(("the kernel's view of processes", "mount outside `/proc`")),
        "/sys" => Some(("the kernel's view of devices", below)),
        "/dev" => Some(("the devices", below)),
        _ => None,
    }
}
