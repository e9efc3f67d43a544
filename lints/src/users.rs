//! Images whose program runs as root.

use cogpack_ir::finding::Place;
use cogpack_ir::plan::{Export, ImageConfig, Setting};
use miette::Diagnostic;

use crate::Lint;
use crate::look::{Look, is_root};
use crate::repair::Repair;

/// Who an image runs as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum UserFinding {
    /// The program is root's.
    #[error("the image runs its program as root")]
    #[diagnostic(
        code("lint::user::root"),
        severity(Advice),
        help("say who it runs as, `user \"1000:1000\"`, where the program needs no rights of root")
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
    lints.push(Lint::new(
        UserFinding::Root { place, said },
        &[export.span],
        Repair::none("as whom the program can run, and what it must own then, the plan does not say"),
    ));
}

fn starts_something(export: &Export, inherited: &ImageConfig) -> bool {
    let starts = |setting: &Setting<Vec<String>>, inherited: &Option<Vec<String>>| match setting {
        Setting::Set(_) => true,
        Setting::Clear(_) => false,
        Setting::Inherit => inherited.as_ref().is_some_and(|words| !words.is_empty()),
    };
    starts(&export.cmd, &inherited.cmd) || starts(&export.entrypoint, &inherited.entrypoint)
}
