//! An op as bytes: inputs, platform, constraints and then the op itself, as BuildKit's Go encoder
//! has it, so that the digests computed here are the digests a daemon reports.
//!
//! The numbers are the field numbers of BuildKit's `ops.proto`; the tests read the bytes back
//! through the published message types and compare them with another client's.

use cogpack_content::Platform;
use cogpack_ir::plan::{Network, Sharing};

use super::op::{Action, Copy, Edit, Exec, File, Mount, MountKind, Op, Owner, Place, Principal, Source};
use super::writer::Writer;

/// Writes `op`, whose inputs have these digests.
pub(crate) fn op<D: AsRef<str>>(
    to: &mut Writer,
    op: &Op<'_>,
    platform: &Platform,
    inputs: impl Iterator<Item = D>,
) {
    for digest in inputs {
        to.message(1, |to| to.text(1, digest.as_ref()));
    }
    let per_platform = match op {
        Op::Exec(_) => true,
        Op::Source(source) => source.per_platform,
        Op::File(_) | Op::Merge(_) | Op::Diff { .. } => false,
    };
    if per_platform {
        to.message(10, |to| {
            to.text(1, platform.architecture());
            to.text(2, platform.os());
            to.text(3, platform.variant().unwrap_or_default());
        });
    }
    to.message(11, |_| {});
    match op {
        Op::Exec(exec) => to.message(2, |to| write_exec(to, exec)),
        Op::Source(source) => to.message(3, |to| write_source(to, source)),
        Op::File(file) => to.message(4, |to| write_file(to, file)),
        Op::Merge(inputs) => to.message(6, |to| {
            for place in 0..inputs.len() {
                to.message(1, |to| to.integer(1, Place::At(place).number()));
            }
        }),
        Op::Diff { .. } => to.message(7, |to| {
            to.message(1, |to| to.integer(1, 0));
            to.message(2, |to| to.integer(1, 1));
        }),
    }
}

/// Writes the op that ends a definition: nothing but what is to be solved.
pub(crate) fn terminal(to: &mut Writer, digest: &str) {
    to.message(1, |to| to.text(1, digest));
}

fn write_source(to: &mut Writer, source: &Source<'_>) {
    to.text(1, &source.identifier);
    for (name, value) in &source.attributes {
        to.message(2, |to| {
            to.element(1, name.as_bytes());
            to.element(2, value.as_bytes());
        });
    }
}

fn write_exec(to: &mut Writer, exec: &Exec<'_>) {
    to.message(1, |to| {
        for argument in &exec.arguments {
            to.element(1, argument.as_bytes());
        }
        for (name, value) in &exec.environment {
            to.variable(2, name, value);
        }
        to.text(3, &exec.directory);
        to.text(4, &exec.user);
        // Without it an empty directory would stay where a mount's target had to be made.
        to.flag(11, true);
    });
    for mount in &exec.mounts {
        to.message(2, |to| write_mount(to, mount));
    }
    to.integer(
        3,
        match exec.network {
            Network::Default => 0,
            Network::Host => 1,
            Network::None => 2,
        },
    );
    for secret in &exec.secret_environment {
        to.message(5, |to| {
            to.text(1, secret.id);
            to.text(2, secret.name);
            to.flag(3, secret.optional);
        });
    }
}

fn write_mount(to: &mut Writer, mount: &Mount<'_>) {
    const NO_OUTPUT: i64 = -1;
    let head = |to: &mut Writer, input: Place, selector: &str, output: i64| {
        to.integer(1, input.number());
        to.text(2, selector);
        to.text(3, &mount.target);
        to.integer(4, output);
    };
    match &mount.kind {
        MountKind::Root { input } => head(to, Place::from(*input), "", 0),
        MountKind::Bind { input, selector, readonly } => {
            head(to, Place::from(*input), selector, NO_OUTPUT);
            to.flag(5, *readonly);
        }
        MountKind::Cache { id, sharing } => {
            head(to, Place::Nothing, "", NO_OUTPUT);
            to.integer(6, 3);
            to.message(20, |to| {
                to.text(1, id);
                to.integer(
                    2,
                    match sharing {
                        Sharing::Shared => 0,
                        Sharing::Private => 1,
                        Sharing::Locked => 2,
                    },
                );
            });
        }
        MountKind::Tmpfs { size } => {
            head(to, Place::Nothing, "", NO_OUTPUT);
            to.integer(6, 4);
            to.message(19, |to| to.integer(1, *size));
        }
        // Secrets and sockets leave the output at 0, as BuildKit's own client does; it is not read.
        // They have no input, and say so. Older clients left that at 0 too, and daemons since BuildKit
        // 0.13 (Docker 26) took it for the program's root until moby/buildkit#5251: they read all of
        // that, to compare its bytes, whenever something below it is new.
        MountKind::Secret { id, optional } => {
            head(to, Place::Nothing, "", 0);
            to.integer(6, 1);
            to.message(21, |to| {
                to.text(1, id);
                to.integer(4, 0o400);
                to.flag(5, *optional);
            });
        }
        MountKind::Ssh { id } => {
            head(to, Place::Nothing, "", 0);
            to.integer(6, 2);
            to.message(22, |to| {
                to.text(1, id);
                to.integer(4, 0o600);
            });
        }
    }
}

fn write_file(to: &mut Writer, file: &File<'_>) {
    let last = file.edits.len().saturating_sub(1);
    for (place, edit) in file.edits.iter().enumerate() {
        let input = match place {
            0 => Place::from(file.base),
            _ => Place::At(file.inputs.len() + place - 1),
        };
        let secondary = match &edit.action {
            Action::Copy(copy) => Place::At(copy.from),
            Action::Mkfile { .. }
            | Action::Mkdir { .. }
            | Action::MkdirInside { .. }
            | Action::Remove { .. }
            | Action::Symlink { .. } => Place::Nothing,
        };
        to.message(2, |to| {
            to.integer(1, input.number());
            to.integer(2, secondary.number());
            to.integer(3, if place == last { 0 } else { -1 });
            write_action(to, edit);
        });
    }
}

fn write_action(to: &mut Writer, edit: &Edit<'_>) {
    let owner = edit.owner.as_ref();
    match &edit.action {
        Action::Copy(copy) => to.message(4, |to| write_copy(to, copy, owner)),
        Action::Mkfile { path, mode, data } => to.message(5, |to| {
            to.text(1, path);
            to.integer(2, i64::from(*mode));
            to.blob(3, data);
            write_owner(to, 4, owner);
            to.integer(5, AS_IT_COMES);
        }),
        Action::Mkdir { path, mode } => to.message(6, |to| {
            to.text(1, path);
            to.integer(2, i64::from(*mode));
            to.flag(3, true);
            write_owner(to, 4, owner);
            to.integer(5, AS_IT_COMES);
        }),
        Action::MkdirInside { path } => to.message(6, |to| {
            to.text(1, path);
            to.integer(2, 0o755);
            to.integer(5, AS_IT_COMES);
        }),
        Action::Remove { path, optional, may_be_link: _ } => to.message(7, |to| {
            to.text(1, path);
            to.flag(2, *optional);
        }),
        Action::Symlink { target, path } => to.message(8, |to| {
            to.text(1, target);
            to.text(2, path);
            write_owner(to, 3, owner);
            to.integer(4, AS_IT_COMES);
        }),
    }
}

/// A time or mode that is not said.
const AS_IT_COMES: i64 = -1;

fn write_copy(to: &mut Writer, copy: &Copy<'_>, owner: Option<&Owner>) {
    to.text(1, &copy.source);
    to.text(2, &copy.destination);
    write_owner(to, 3, owner);
    to.integer(4, copy.mode.map_or(AS_IT_COMES, i64::from));
    to.flag(5, copy.follow);
    to.flag(6, copy.contents);
    to.flag(7, copy.unpack);
    to.flag(8, true);
    to.flag(9, copy.wildcard);
    to.flag(10, copy.may_be_empty);
    to.integer(11, AS_IT_COMES);
    for pattern in copy.includes.iter() {
        to.element(12, pattern.as_bytes());
    }
    for pattern in copy.excludes.iter() {
        to.element(13, pattern.as_bytes());
    }
}

fn write_owner(to: &mut Writer, field: u64, owner: Option<&Owner>) {
    if let Some(owner) = owner {
        to.message(field, |to| {
            to.message(1, |to| write_principal(to, &owner.user));
            if let Some(group) = &owner.group {
                to.message(2, |to| write_principal(to, group));
            }
        });
    }
}

fn write_principal(to: &mut Writer, principal: &Principal) {
    match principal {
        Principal::Id(id) => to.integer_of_choice(2, i64::from(*id)),
        Principal::Name(name, place) => to.message(1, |to| {
            to.text(1, name);
            to.integer(2, Place::At(*place).number());
        }),
    }
}
