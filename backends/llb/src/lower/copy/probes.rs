//! Checks that make a daemon fail where its copy action would do something else than a plan says.
//!
//! The action does not tell a file from a directory: the contents of a file are the file, and a
//! file that lands on a directory goes inside. Both are errors. What is asked of a daemon instead:
//!
//! | in the plan | asked |
//! |---|---|
//! | `copy contents A` | on the source: make a directory in A, and remove it again. The rest is copied from there |
//! | the same with `optional` | beside: make a directory in A, with those above it |
//! | `copy A to B`, `copy A into D` | beside: an empty file is copied to B. If B is a directory, it lies inside now; only then is there something that a wildcard matches, and it is copied to where it cannot go if A is no directory |
//!
//! What is asked beside must be done before the copy, so the copy's vertex copies what a wildcard
//! matches there, which is nothing. None of this is needed where it is known what A is, or that
//! there is nothing at B.

use std::borrow::Cow;

use cogpack_backends_contract::Unsupported;
use cogpack_ir::plan::Span;

use super::common::Common;
use crate::known::Kind;
use crate::lower::files::DIRECTORY;
use crate::lower::stage::{Chain, Site};
use crate::lower::{Lowering, paths, wildcards};
use crate::wire::op::VertexId;
use crate::wire::{Action, Copy, File, Op};

/// The name of what is made to look; nothing else is called so.
const PROBE: &str = ".cogpack-probe";

/// Where a probe lies that was found inside what it was copied to, in a directory of the name of
/// what is to land there.
const FOUND: &str = "/.cogpack-found";

/// A wildcard that matches nothing.
const NOTHING: &str = "/.cogpack-nothin[g]";

/// Most edits that are looked through for what they made.
const MOST_EDITS: usize = 16;

/// What is to land somewhere.
struct Landing<'l> {
    /// Where it is.
    source: VertexId,
    /// The path there.
    path: &'l str,
    /// Whether a link there lands as what it points to.
    is_followed: bool,
    /// Where it is to land.
    at: &'l str,
}

impl<'a> Lowering<'a> {
    /// What to copy a source from so that the daemon fails where a plan that is built elsewhere
    /// would: see the table above.
    pub(super) fn looked_at(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        common: &Common<'a>,
        source: VertexId,
        path: &str,
        landing: &str,
    ) -> Result<VertexId, Unsupported> {
        let kind = common.kind(path);
        let at = paths::clean(landing.into());
        let needs_no_look =
            kind == Some(Kind::Directory) || !common.contents && (common.replaces || chain.is_free(&at));
        if needs_no_look {
            return Ok(source);
        }
        if common.contents && !common.optional {
            return self.if_directory(site, source, path, common.span);
        }
        let looked = if common.contents {
            self.if_no_file(site, source, path, common.span)?
        } else {
            let landing = Landing { source, path, is_followed: common.follow, at: &at };
            self.if_it_can_land(site, chain, &landing, common.span)?
        };
        if kind == Some(Kind::File) && !common.contents {
            return Ok(looked);
        }
        chain.wait_for(looked);
        Ok(source)
    }

    /// A filesystem like `source`, which is there only if `directory` is a directory in it.
    fn if_directory(
        &mut self,
        site: &mut Site<'_>,
        source: VertexId,
        directory: &str,
        span: Span,
    ) -> Result<VertexId, Unsupported> {
        let probe = inside(directory);
        let mut looked = File::on(Some(source));
        looked.push(Action::MkdirInside { path: probe.clone().into() });
        looked.push(Action::Remove { path: probe.into(), optional: true, may_be_link: false });
        let label = self.helper_label(site, &format!("look for the directory {directory}"), span);
        self.add(&Op::File(looked), label, span)
    }

    /// A filesystem that is there only if nothing in `source` is in the way of a directory.
    fn if_no_file(
        &mut self,
        site: &mut Site<'_>,
        source: VertexId,
        directory: &str,
        span: Span,
    ) -> Result<VertexId, Unsupported> {
        let mut looked = File::on(Some(source));
        looked.push(Action::Mkdir { path: inside(directory).into(), mode: DIRECTORY });
        let label = self.helper_label(site, &format!("look for the directory {directory}"), span);
        self.add(&Op::File(looked), label, span)
    }

    /// A filesystem like the source of `landing`, which is there only if it is a directory or does
    /// not land on one. Where it is neither a directory nor a link nothing is changed in it.
    fn if_it_can_land(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        landing: &Landing<'_>,
        span: Span,
    ) -> Result<VertexId, Unsupported> {
        let Landing { source, path, is_followed, at } = *landing;
        let mut label = |does: String| self.helper_label(site, &does, span);
        let (drop, look, compare) = (
            label("make a probe".to_owned()),
            label(format!("look at {at}")),
            label(format!("look at {path}")),
        );
        let mut probe = File::on(None);
        let data = Cow::Borrowed(&b""[..]);
        probe.push(Action::Mkfile { path: inside("/").into(), mode: 0o644, data });
        let probe = self.add(&Op::File(probe), drop, span)?;

        let before = self.before(site, chain, span)?;
        let mut dropped = File::on(before);
        let from = dropped.input(probe);
        dropped.push(Action::Copy(Copy::plain(from, inside("/").into(), at.to_owned().into())));
        let dropped = self.add(&Op::File(dropped), look.clone(), span)?;

        // Made on what it reads, so that it is cached by all of that: of what a wildcard matches
        // behind a link, older daemons know nothing.
        let mut found = File::on(Some(dropped));
        let from = found.input(dropped);
        let (above, name) = paths::split(path).unwrap_or(("/", path));
        found.push(Action::Mkdir { path: FOUND.into(), mode: DIRECTORY });
        found.push(Action::Copy(Copy {
            // A link at the destination has been followed.
            follow: true,
            wildcard: true,
            may_be_empty: true,
            ..Copy::plain(from, wildcards::forgiving(at, PROBE).into(), format!("{FOUND}/{name}/").into())
        }));
        let found = self.add(&Op::File(found), look, span)?;

        let mut compared = File::on(Some(source));
        let from = compared.input(found);
        compared.push(Action::Copy(match is_followed {
            // A path leads through a link.
            true => Copy {
                wildcard: true,
                may_be_empty: true,
                ..Copy::plain(
                    from,
                    wildcards::forgiving(&format!("{FOUND}/{name}"), PROBE).into(),
                    inside(path).into(),
                )
            },
            // A directory meets what is there, and fails on a link.
            false => Copy {
                contents: true,
                ..Copy::plain(from, FOUND.into(), paths::with_slash(above).into_owned().into())
            },
        }));
        self.add(&Op::File(compared), compare, span)
    }
}

impl Chain<'_> {
    /// Lets the next edits be made only after `vertex`.
    fn wait_for(&mut self, vertex: VertexId) {
        let from = self.file.input(vertex);
        let nothing =
            Copy { wildcard: true, may_be_empty: true, ..Copy::plain(from, NOTHING.into(), "/".into()) };
        self.file.push(Action::Copy(nothing));
    }

    /// Whether it is plain that nothing stands at a path.
    pub(super) fn is_free(&self, path: &str) -> bool {
        let mut edits = self.file.edits.iter().map(|edit| &edit.action).filter(|action| !is_a_wait(action));
        let apart = |edit: &str| !is_at_or_below(edit, path) && !is_at_or_below(path, edit);
        self.file.base.is_none()
            && self.file.edits.len() <= MOST_EDITS
            && edits.all(|action| apart(action.path()))
    }
}

fn is_a_wait(action: &Action<'_>) -> bool {
    matches!(action, Action::Copy(copy) if copy.source == NOTHING)
}

/// The path of the probe in a directory.
fn inside(directory: &str) -> String {
    format!("{}{PROBE}", paths::with_slash(directory))
}

fn is_at_or_below(path: &str, directory: &str) -> bool {
    let directory = directory.trim_end_matches('/');
    path.trim_end_matches('/')
        .strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_are_told_from_names_that_begin_alike() {
        for (path, directory, expected) in [
            ("/a/b", "/a", true),
            ("/a", "/a/", true),
            ("/ab", "/a", false),
            ("/a", "/", true),
            ("/a", "/a/b", false),
        ] {
            assert_eq!(is_at_or_below(path, directory), expected, "{path} {directory}");
        }
    }
}
