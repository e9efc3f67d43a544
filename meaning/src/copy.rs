//! What `copy` means, rule by rule as the table of
//! [`copy`](cogpack_backends_contract::copy) says it.

use std::collections::BTreeMap;

use cogpack_backends_contract::glob::{Glob, InvalidGlob, has_wildcard};
use cogpack_backends_contract::paths::Selection;
use cogpack_backends_contract::tree::{Ids, Name};
use cogpack_ir::plan::{Copy, CopyForm, Mode};

use crate::filesystem::{Failure, Filesystem, Node, Path, names, shown};
use crate::text::literal;

/// Does a copy; `owner` is its owner by number, root where it has none.
pub fn copy(op: &Copy, owner: Ids, from: &Filesystem, on: &mut Filesystem) -> Result<(), Failure> {
    let rules = Selection::new(&op.rules).map_err(not_a_pattern)?;
    let mode = op.mode.as_ref().map(|mode| mode.value);
    let lander = Lander { owner, mode, rules, from };
    let destination = literal(op.form.destination())?;
    if op.replace {
        let at = on.resolve(destination.as_bytes(), false)?;
        if at.is_empty() {
            return Err(Failure("/ cannot be replaced".to_owned()));
        }
        on.remove(&at);
    }
    let missing = Node::Directory(Mode::DIRECTORY, owner);
    match &op.form {
        CopyForm::To { source, .. } => {
            let Some(found) = named(from, &literal(source)?, op, op.follow)? else { return Ok(()) };
            let at = on.resolve(destination.as_bytes(), true)?;
            lander.land(&found, &at, &missing, on)
        }
        CopyForm::Contents { directory, .. } => {
            let Some(found) = named(from, &literal(directory)?, op, true)? else { return Ok(()) };
            if !from.has_directory(&found) {
                return Err(Failure(format!("{} is no directory", shown(&found))));
            }
            let at = on.resolve(destination.as_bytes(), true)?;
            lander.land(&found, &at, &missing, on)
        }
        CopyForm::Into { sources, .. } => {
            let at = on.resolve(destination.as_bytes(), true)?;
            on.make_way_to(&at)?;
            on.make_directories(&at, &missing)?;
            let sources = sources.iter().map(|source| literal(source)).collect::<Result<Vec<_>, _>>()?;
            for (name, (found, is_match)) in all_of(from, &sources, op)? {
                let mut landing = at.clone();
                landing.push(name);
                if is_match {
                    let itself = lander.copied(from.get(&found)).unwrap_or_else(|| missing.clone());
                    lander.land(&found, &landing, &itself, on)?;
                } else {
                    let landing = on.resolve(&landing.join(&b'/'), true)?;
                    lander.land(&found, &landing, &missing, on)?;
                }
            }
            Ok(())
        }
    }
}

/// What is the same for all that a copy lands.
struct Lander<'c> {
    owner: Ids,
    mode: Option<Mode>,
    rules: Selection,
    from: &'c Filesystem,
}

impl Lander<'_> {
    /// Lands what stands at `found` at `at`; `top` is the directory that is made where `found` is one and
    /// none is there.
    fn land(&self, found: &[Name], at: &[Name], top: &Node, on: &mut Filesystem) -> Result<(), Failure> {
        on.make_way_to(at)?;
        if !self.from.has_directory(found) {
            return self.land_leaf(self.from.get(found), at, on);
        }
        match on.get(at) {
            Some(Node::Directory(..)) => {}
            Some(Node::File(..) | Node::Symlink(..)) => return Err(directory_onto(at)),
            None => on.put(at, top.clone()),
        }
        for (path, node) in self.from.below(found) {
            let at = [at, path].concat();
            if !node.is_directory() {
                if self.rules.takes(path) {
                    self.land_leaf(Some(node), &at, on)?;
                }
                continue;
            }
            let is_taken = self.rules.takes(path);
            let has_taken_below = || {
                let place = [found, path].concat();
                self.from.below(&place).any(|(below, _)| self.rules.takes(&[path, below].concat()))
            };
            if !is_taken && !has_taken_below() {
                continue;
            }
            let Some(Node::Directory(mode, owner)) = self.copied(Some(node)) else { continue };
            match on.get(&at) {
                Some(Node::Directory(_, there)) if !is_taken => {
                    let there = *there;
                    on.put(&at, Node::Directory(mode, there));
                }
                Some(Node::Directory(..)) | None => on.put(&at, Node::Directory(mode, owner)),
                Some(Node::File(..) | Node::Symlink(..)) => return Err(directory_onto(&at)),
            }
        }
        Ok(())
    }

    fn land_leaf(&self, node: Option<&Node>, at: &[Name], on: &mut Filesystem) -> Result<(), Failure> {
        if on.has_directory(at) {
            return Err(Failure(format!("a file cannot land on the directory {}", shown(at))));
        }
        if let Some(copied) = self.copied(node) {
            on.put(at, copied);
        }
        Ok(())
    }

    /// The copy of one thing, without what is below it.
    fn copied(&self, node: Option<&Node>) -> Option<Node> {
        Some(match node? {
            Node::Directory(mode, _) => Node::Directory(self.mode.unwrap_or(*mode), self.owner),
            Node::File(mode, _, bytes) => Node::File(self.mode.unwrap_or(*mode), self.owner, bytes.clone()),
            Node::Symlink(_, target) => Node::Symlink(self.owner, target.clone()),
        })
    }
}

/// Where something is that is named without wildcards; `None` where it is missing and may be.
fn named(from: &Filesystem, name: &str, op: &Copy, follow: bool) -> Result<Option<Path>, Failure> {
    let path = from.resolve(name.as_bytes(), follow)?;
    match from.get(&path) {
        Some(_) => Ok(Some(path)),
        None if op.optional => Ok(None),
        None => Err(missing(name)),
    }
}

/// By the name that it lands under: all that the sources of an `into` stand for, and whether it is a
/// wildcard that stands for it.
fn all_of(from: &Filesystem, sources: &[String], op: &Copy) -> Result<BTreeMap<Name, (Path, bool)>, Failure> {
    let mut all: BTreeMap<Name, (Path, bool)> = BTreeMap::new();
    // What is named and matched is named.
    let (patterns, plain): (Vec<_>, Vec<_>) = sources.iter().partition(|source| has_wildcard(source));
    let mut found = Vec::new();
    for source in plain {
        let name = names(source.as_bytes()).pop();
        let path = named(from, source, op, op.follow)?;
        let name = name.ok_or_else(|| Failure(format!("`{source}` has no name to land under")))?;
        found.extend(path.map(|path| (name, path, false)));
    }
    for pattern in patterns {
        found.extend(matched(from, pattern, op)?.into_iter().map(|(name, path)| (name, path, true)));
    }
    for (name, path, is_match) in found {
        match all.get(&name) {
            Some((other, _)) if *other == path => {}
            Some((other, _)) => {
                let (other, path) = (shown(other), shown(&path));
                return Err(Failure(format!("{other} and {path} would land under one name")));
            }
            None => drop(all.insert(name, (path, is_match))),
        }
    }
    Ok(all)
}

/// What a wildcard stands for, each with the name that it has there.
fn matched(from: &Filesystem, pattern: &str, op: &Copy) -> Result<Vec<(Name, Path)>, Failure> {
    let glob = Glob::new(pattern).map_err(not_a_pattern)?;
    let parts = glob.parts();
    // Links on the way to the first wildcard are followed, those that a wildcard comes upon are not.
    let above = parts.len().saturating_sub(1);
    let plain: Vec<Name> = parts[..above].iter().map_while(Glob::as_name).map(String::into_bytes).collect();
    let wild = &parts[plain.len()..];
    if wild.iter().any(|part| part.to_string() == "**") {
        return Err(Failure(format!("`{pattern}` has `**`")));
    }
    let start = from.resolve(&plain.join(&b'/'), true)?;
    let fits = |path: &[Name]| {
        path.len() == wild.len() && wild.iter().zip(path).all(|(part, name)| part.matches_name(name))
    };
    let matches: Vec<Path> = match from.has_directory(&start) {
        true => from.below(&start).filter(|(path, _)| fits(path)).map(|(path, _)| path.to_vec()).collect(),
        false => Vec::new(),
    };
    let mut found = Vec::new();
    for path in matches {
        let whole = [start.as_slice(), &path].concat();
        let real = from.resolve(&whole.join(&b'/'), op.follow)?;
        let Some(name) = path.into_iter().next_back() else { continue };
        match from.get(&real) {
            Some(_) => found.push((name, real)),
            None if op.optional => {}
            None => return Err(missing(&shown(&whole))),
        }
    }
    match found.is_empty() && !op.optional {
        true => Err(missing(pattern)),
        false => Ok(found),
    }
}

fn missing(what: &str) -> Failure {
    Failure(format!("`{what}` is not there to be copied"))
}

fn directory_onto(at: &[Name]) -> Failure {
    Failure(format!("a directory cannot land on {}", shown(at)))
}

fn not_a_pattern(problem: InvalidGlob) -> Failure {
    Failure(problem.to_string())
}
