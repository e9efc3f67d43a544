//! `copy`, in the flags of BuildKit's copy action.
//!
//! The action looks at the daemon's disk: what it does depends on what stands at the source and
//! at the destination. [`cogpack_backends_contract::copy`] says what must come of it; this is how:
//!
//! | in the plan | `src` → `dest` | flags beside `createDestPath` |
//! |---|---|---|
//! | `copy A to B` | `A` → `B` | `dirCopyContents`; a directory's content merges, a missing B is made 0755 |
//! | `copy contents A to D` | `A` → `D/` | `dirCopyContents`, `followSymlink` |
//! | `copy A into D` | `A` → `D/name` | as `to` |
//! | `copy A* into D` | `A*` → `D/` | `allowWildcard`; a directory lands as itself |
//! | `follow` | | `followSymlink`; links below a directory are never followed |
//! | `replace` | | an `rm` of the destination first, in the same layer |
//! | `optional` | `/path/[n]ame` | `allowWildcard`, `allowEmptyWildcard`: the action knows no other way to forgive a missing source. It does not forgive a missing directory above it, so that one is made first, in a vertex on top of the source |
//! | `optional` with `into` | | an `mkdir` of D first, as D is made in any case |
//! | `owner` | | `owner`; an `mkdir` of the directories above first, which the action would chown too |
//! | no `owner` | | `owner` 0:0 where the source is an image or a stage, as the action keeps the original's; none for contexts, whose files are root's |
//! | `include`, `exclude` | | `includePatterns`, `excludePatterns` |
//!
//! Where a source holds no wildcard, `allowWildcard` and `allowEmptyWildcard` change nothing and
//! are set all the same: so does the Dockerfile front end, and equal flags share a cache.
//!
//! Not seen by the action, whatever its flags: that a file is to land on a directory (it goes
//! inside), and that `contents` are asked of a file (it is copied). Such a plan cannot be built
//! elsewhere, but a daemon builds it. Refused, because it would go wrong unseen: sources of
//! `into` that may carry the same name from different directories, and modes above 0777.

use std::borrow::Cow;

use cogpack_backends_contract::Unsupported;
use cogpack_backends_contract::glob::{Glob, has_wildcard};
use cogpack_backends_contract::paths::{PatternPair, Selection};
use cogpack_ir::plan::{Copy as PlanCopy, CopyForm, Input, Span, Spanned, Template};

use super::files::{DIRECTORY, at_the_root};
use super::sources::{bad_pattern, permissions};
use super::stage::{Chain, Site};
use super::{Lowering, Root, gap, paths, unverified};
use crate::wire::op::VertexId;
use crate::wire::{Action, Copy, Edit, File, Op, Owner};

/// What all sources of one copy have in common.
struct Common<'a> {
    source: Root,
    owner: Option<Owner>,
    mode: Option<u32>,
    follow: bool,
    optional: bool,
    patterns: PatternPair,
    span: Span,
    from: &'a Input,
}

impl<'a> Lowering<'a> {
    /// Adds the edits of a copy.
    pub(super) fn copy(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        copy: &'a PlanCopy,
        span: Span,
    ) -> Result<(), Unsupported> {
        let destination = paths::path(copy.form.destination())?;
        let source = self.source(&copy.from.value, copy.from.span)?;
        let owner = match &copy.owner {
            Some(owner) => Some(chain.owner(owner)?),
            None => source.may_be_owned.then_some(Owner::ROOT),
        };
        let common = Common {
            source: source.root,
            owner,
            mode: copy.mode.as_ref().map(|mode| permissions(mode.value, mode.span)).transpose()?,
            follow: copy.follow || matches!(copy.form, CopyForm::Contents { .. }),
            optional: copy.optional,
            patterns: Selection::new(&copy.rules)
                .map_err(|error| bad_pattern(&error, span))?
                .to_pattern_pair(),
            span,
            from: &copy.from.value,
        };
        if copy.replace {
            if destination == "/" {
                return Err(at_the_root(copy.form.destination()));
            }
            chain.file.push(Action::Remove { path: destination.clone(), optional: true });
        }
        if common.owner.as_ref().is_some_and(|owner| *owner != Owner::ROOT) {
            chain.make_above(&destination);
        }
        match &copy.form {
            CopyForm::To { source, .. } => self.copy_one(site, chain, &common, source, destination),
            CopyForm::Contents { directory, .. } => {
                let landing = paths::with_slash(&destination).into_owned();
                self.copy_one(site, chain, &common, directory, landing.into())
            }
            CopyForm::Into { sources, .. } => self.copy_into(site, chain, &common, sources, destination),
        }
    }

    fn copy_into(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        common: &Common<'a>,
        sources: &'a [Spanned<Template>],
        directory: Cow<'a, str>,
    ) -> Result<(), Unsupported> {
        refuse_collisions(sources)?;
        if common.optional || common.source.is_none() {
            chain.file.edits.push(Edit {
                action: Action::Mkdir { path: directory.clone(), mode: DIRECTORY },
                owner: common.owner.clone(),
            });
        }
        for named in sources {
            let source = paths::path(named)?;
            if has_wildcard(&source) {
                self.copy_matches(site, chain, common, &source, named.span, &directory)?;
            } else {
                let Some((_, name)) = paths::split(&source) else {
                    let what = format!("`{}` has no name to land under", named.as_written());
                    return Err(unverified(&what, named.span));
                };
                let landing = format!("{}{name}", paths::with_slash(&directory));
                self.copy_one(site, chain, common, named, landing.into())?;
            }
        }
        Ok(())
    }

    /// A source without wildcards, whatever it is, to where it lands.
    fn copy_one(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        common: &Common<'a>,
        named: &'a Spanned<Template>,
        landing: Cow<'a, str>,
    ) -> Result<(), Unsupported> {
        let path = paths::path(named)?;
        let Some(source) = common.source else {
            // The empty filesystem has a root and nothing in it.
            if path == "/" {
                let path = paths::clean(Cow::Owned(landing.into_owned()));
                let action = Action::Mkdir { path, mode: DIRECTORY };
                chain.file.edits.push(Edit { action, owner: common.owner.clone() });
            } else if !common.optional {
                return Err(nothing_there(common, &path, named.span));
            }
            return Ok(());
        };
        match paths::split(&path) {
            Some((above, name)) if common.optional => {
                let above_path = paths::with_slash(above);
                let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
                let forgiving = format!("{above_path}{}{}", as_class(first), rest_as_pattern(rest));
                let source = self.with_directory(site, source, above, common.span)?;
                chain.copy(source, common.action(forgiving.into(), landing, Wildcards::MayBeEmpty, true));
            }
            Some(_) | None => {
                let wildcards = match path.contains(['*', '?', '[']) {
                    true => Wildcards::None,
                    false => Wildcards::MayBeEmpty,
                };
                chain.copy(source, common.action(path, landing, wildcards, true));
            }
        }
        Ok(())
    }

    /// All that a wildcard matches, each under its own name.
    fn copy_matches(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        common: &Common<'a>,
        pattern: &str,
        span: Span,
        directory: &str,
    ) -> Result<(), Unsupported> {
        let Some(mut source) = common.source else {
            return if common.optional { Ok(()) } else { Err(nothing_there(common, pattern, span)) };
        };
        let parts = Glob::new(pattern).map_err(|error| bad_pattern(&error, span))?.parts();
        let mut written = String::new();
        let mut fixed = String::new();
        let mut is_fixed = true;
        for part in &parts {
            let part = match part.as_name() {
                Some(name) if !name.contains(['*', '?', '[', '\\']) => name,
                Some(name) => rest_as_pattern(&name),
                None => part.to_string(),
            };
            is_fixed &= !part.contains(['*', '?', '[', '\\']);
            written.push('/');
            written.push_str(&part);
            if is_fixed {
                fixed.push('/');
                fixed.push_str(&part);
            }
        }
        let wildcards = match common.optional {
            true => Wildcards::MayBeEmpty,
            false => Wildcards::Some,
        };
        if common.optional {
            source = self.with_directory(site, source, &fixed, common.span)?;
        }
        let landing = paths::with_slash(directory).into_owned();
        chain.copy(source, common.action(written.into(), landing.into(), wildcards, false));
        Ok(())
    }

    /// `source` with a directory in it, which is made where it is missing.
    fn with_directory(
        &mut self,
        site: &mut Site<'_>,
        source: VertexId,
        directory: &str,
        span: Span,
    ) -> Result<VertexId, Unsupported> {
        if directory.len() <= 1 {
            return Ok(source);
        }
        let mut made = File::on(Some(source));
        made.push(Action::Mkdir { path: directory.into(), mode: DIRECTORY });
        let label = self.helper_label(site, &format!("look for {directory}"), span);
        self.add(&Op::File(made), label, span)
    }
}

/// What wildcards a source holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wildcards {
    /// None, and what looks like one is none.
    None,
    /// One, which must match.
    Some,
    /// One that may match nothing; or none, where the flags change nothing.
    MayBeEmpty,
}

impl<'a> Common<'a> {
    /// A copy whose source is still to be made an input; `contents`: of a directory its content.
    fn action(
        &self,
        source: Cow<'a, str>,
        destination: Cow<'a, str>,
        wildcards: Wildcards,
        contents: bool,
    ) -> (Copy<'a>, Option<Owner>) {
        let copy = Copy {
            from: 0,
            // The root of an input is no link, and a Dockerfile follows.
            follow: self.follow || source == "/",
            source,
            destination,
            mode: self.mode,
            contents,
            wildcard: wildcards != Wildcards::None,
            may_be_empty: wildcards == Wildcards::MayBeEmpty,
            includes: self.patterns.includes.clone().into(),
            excludes: self.patterns.excludes.clone().into(),
        };
        (copy, self.owner.clone())
    }
}

impl<'a> Chain<'a> {
    fn copy(&mut self, from: VertexId, (copy, owner): (Copy<'a>, Option<Owner>)) {
        let from = self.file.input(from);
        self.file.edits.push(Edit { action: Action::Copy(Copy { from, ..copy }), owner });
    }
}

fn nothing_there(common: &Common<'_>, path: &str, span: Span) -> Unsupported {
    gap(
        "cpk::unsupported::empty-source",
        format!("a copy of `{path}` from `{}`, which is empty", common.from),
        span,
        "copy from where the files are, or say `optional`",
    )
}

/// A character as a set of that one: a wildcard that matches only it.
fn as_class(character: &str) -> String {
    match character {
        "\\" | "]" | "^" | "-" | "[" => format!("[\\{character}]"),
        _ => format!("[{character}]"),
    }
}

/// A text as a pattern that matches only it.
fn rest_as_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    let mut room = [0; 4];
    for character in text.chars() {
        match character {
            '*' | '?' | '[' | '\\' => pattern.push_str(&as_class(character.encode_utf8(&mut room))),
            _ => pattern.push(character),
        }
    }
    pattern
}

/// Refuses sources of which two may carry one name from different directories: the one that is
/// copied last would win, where all other builders call it an error.
fn refuse_collisions(sources: &[Spanned<Template>]) -> Result<(), Unsupported> {
    let mut seen: Vec<(String, String)> = Vec::with_capacity(sources.len());
    for named in sources {
        let path = paths::path(named)?;
        let (above, name) = paths::split(&path).unwrap_or(("/", ""));
        let many_directories = has_wildcard(above);
        let collides = many_directories
            || seen.iter().any(|(other_above, other)| other_above != above && may_coincide(other, name));
        if collides {
            return Err(gap(
                "cpk::unsupported::collision",
                format!("`{}`, which may carry the same name as another source", named.as_written()),
                named.span,
                "copy from each directory by a `copy` of its own",
            ));
        }
        seen.push((above.to_owned(), name.to_owned()));
    }
    Ok(())
}

/// Whether two names, with wildcards or not, may stand for one. They cannot where their fixed
/// beginnings or ends differ.
fn may_coincide(one: &str, other: &str) -> bool {
    if !has_wildcard(one) && !has_wildcard(other) {
        return one == other;
    }
    let is_wild = ['*', '?', '[', '\\'];
    let beginning = |name: &str| name.split(is_wild).next().unwrap_or_default().to_owned();
    // What follows a `[` or `\` may be part of it, so the fixed end starts after the last `*` or
    // `?` only where neither stands in the name.
    let end = |name: &str| match name.contains(['[', '\\']) {
        true => String::new(),
        false => name.rsplit(is_wild).next().unwrap_or_default().to_owned(),
    };
    let (first, second) = (beginning(one), beginning(other));
    let (last, second_last) = (end(one), end(other));
    (first.starts_with(&second) || second.starts_with(&first))
        && (last.ends_with(&second_last) || second_last.ends_with(&last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collide(sources: &[&str]) -> bool {
        let sources: Vec<Spanned<Template>> =
            sources.iter().map(|source| Spanned::nowhere(Template::literal(source))).collect();
        refuse_collisions(&sources).is_err()
    }

    #[test]
    fn only_sources_that_may_carry_one_name_collide() {
        for apart in [
            &["a", "b"][..],
            &["*.py", "main.*"],
            &["x/*.py", "y/*.toml"],
            &["x/a*", "y/b*"],
            &["x/a", "y/b"],
            &["a.py", "*.py"],
        ] {
            assert!(!collide(apart), "{apart:?}");
        }
        for together in
            [&["x/a", "y/a"][..], &["x/*", "y/a"], &["x/*.py", "y/a*"], &["*/a"], &["x/[ab]", "y/b"]]
        {
            assert!(collide(together), "{together:?}");
        }
    }

    #[test]
    fn names_become_patterns_that_match_only_them() {
        for name in ["venv", "a*b", "[x]", "\\", "^", "-a", "]", "é"] {
            let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
            let pattern = format!("{}{}", as_class(first), rest_as_pattern(rest));
            let glob = Glob::new(&pattern).unwrap_or_else(|error| panic!("{error}"));
            assert!(glob.matches_name(name.as_bytes()), "{pattern}");
            assert!(!glob.matches_name(b"other"), "{pattern}");
            assert!(has_wildcard(&pattern));
        }
    }
}
