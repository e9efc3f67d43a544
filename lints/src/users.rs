//! Images whose program runs as root.

use cogpack_ir::finding::Place;
use cogpack_ir::plan::{Export, ImageConfig, OpKind, Owner, Setting};
use miette::Diagnostic;

use crate::Lint;
use crate::look::{Look, is_root, is_within};
use crate::repair::{self, Edit, NOT_IN_JSON, Repair};

/// Who an image runs as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum UserFinding {
    /// The program is root's.
    #[error("the image runs its program as root")]
    #[diagnostic(
        code("lint::user::root"),
        severity(Advice),
        help("say who it runs as, `user \"65532:65532\"`, where the program needs no rights of root")
    )]
    Root {
        /// Where it is said, or where it could be.
        #[label("{said}")]
        place: Place,
        /// Who says so.
        said: &'static str,
    },
}

pub(crate) fn check(look: &Look<'_>, lints: &mut Vec<Lint>) {
    let export = look.resolved.export();
    let state = look.resolved.state_of(&export.from.value);
    // An image that starts nothing has nobody to be.
    if !starts_something(export, &state.inherited) {
        return;
    }
    let (place, said) = match &export.user {
        Setting::Set(user) if is_root(user) => (user.span.place(), "this is root"),
        Setting::Clear(span) => (span.place(), "without a user it is root"),
        Setting::Set(_) => return,
        Setting::Inherit => match &state.user {
            Some(user) if is_root(user) => (export.span.place(), "the user that holds here is root"),
            None if state.base_known => (export.span.place(), "no user is said"),
            Some(_) | None => return,
        },
    };
    lints.push(Lint::new(UserFinding::Root { place, said }, &[export.span], repair(look)));
}

/// Who runs an image where the plan gives files to nobody: `nonroot` of the distroless images. It has no
/// account in other images and owns nothing there. 1000 is mostly the first person on the machine, to whom
/// files belong that an engine mounts, and 65534 is `nobody`, as whom a kernel shows owners that it cannot
/// map.
const NOBODY_ELSE: &str = "65532:65532";

/// Says who runs it, in the export.
fn repair(look: &Look<'_>) -> Repair {
    let export = look.resolved.export();
    let (Some(start), Some(from)) = (export.span.range(), export.from.span.range()) else {
        return Repair::none(NOT_IN_JSON);
    };
    if !look.text.can_be_changed() {
        return Repair::none(NOT_IN_JSON);
    }
    let owners = owners(look);
    let (user, is_owner) = match owners.as_slice() {
        [] => (NOBODY_ELSE.to_owned(), false),
        [owner] => (owner.clone(), true),
        [first, .., last] => {
            return Repair::none(format!(
                "the plan gives files to `{first}` and to `{last}`, and which of them runs the program it does not say"
            ));
        }
    };
    let words = format!("user \"{user}\"");
    let edit = match &export.user {
        Setting::Set(said) => said.span.range().map(|range| Edit::replace(range, format!("\"{user}\""))),
        Setting::Clear(span) => span.range().map(|range| Edit::replace(range, words.clone())),
        Setting::Inherit => Some(repair::line_in_block(look.text, start.start, from.end, &words)),
    };
    let Some(edit) = edit else { return Repair::none(NOT_IN_JSON) };
    let what = match is_owner {
        true => format!("runs the program as `{user}`, to whom the plan gives files"),
        false => format!("runs the program as `{user}`"),
    };
    let look = format!(
        "what it writes, for which `mkdir PATH owner {user}` makes a directory, and at ports below 1024, which Docker \
         before 20.10 and other engines open to root alone"
    );
    Repair::with_a_look(what, look, vec![edit])
}

/// To whom but root the plan gives files of the image: below its working directory, where there are such, else
/// anywhere.
fn owners(look: &Look<'_>) -> Vec<String> {
    let export = look.resolved.export();
    let state = look.resolved.state_of(&export.from.value);
    let workdir = match &export.workdir {
        Setting::Set(workdir) => Some(workdir.value.as_str()),
        Setting::Clear(_) => None,
        Setting::Inherit => state.workdir.as_deref(),
    };
    let (mut below, mut anywhere) = (Vec::new(), Vec::new());
    let stages = look.stages.iter().filter(|stage| stage.is_in_image);
    for step in stages.flat_map(|stage| &stage.steps) {
        let (path, owner) = match &step.step.op.kind {
            OpKind::Mkdir(directory) => (&directory.path, &directory.owner),
            OpKind::File(file) => (&file.path, &file.owner),
            OpKind::Copy(copy) => (copy.form.destination(), &copy.owner),
            OpKind::Run { .. }
            | OpKind::Exec { .. }
            | OpKind::Symlink(_)
            | OpKind::Remove(_)
            | OpKind::Env(_)
            | OpKind::Workdir(_)
            | OpKind::User(_)
            | OpKind::Shell(_)
            | OpKind::Layer(_)
            | OpKind::By(_) => continue,
        };
        let Some(owner) = owner.as_ref().filter(|owner| !is_root(&owner.user)) else { continue };
        let (owner, path) = (as_user(owner), path.as_written());
        if workdir.is_some_and(|workdir| workdir != "/" && is_within(path, workdir))
            && !below.contains(&owner)
        {
            below.push(owner.clone());
        }
        if !anywhere.contains(&owner) {
            anywhere.push(owner);
        }
    }
    if below.is_empty() { anywhere } else { below }
}

/// An owner as an engine takes it: a number without a group has the group of that number as an owner, and
/// root's as a user.
fn as_user(owner: &Owner) -> String {
    match &owner.group {
        None if owner.user.bytes().all(|byte| byte.is_ascii_digit()) => format!("{0}:{0}", owner.user),
        None | Some(_) => owner.to_string(),
    }
}

fn starts_something(export: &Export, inherited: &ImageConfig) -> bool {
    let starts = |setting: &Setting<Vec<String>>, inherited: &Option<Vec<String>>| match setting {
        Setting::Set(_) => true,
        Setting::Clear(_) => false,
        Setting::Inherit => inherited.as_ref().is_some_and(|words| !words.is_empty()),
    };
    starts(&export.cmd, &inherited.cmd) || starts(&export.entrypoint, &inherited.entrypoint)
}
