//! What a `copy` does to a filesystem. This is the meaning that every backend gives; where
//! builders have corners of their own, the rules are the ones that all of them can keep.
//!
//! | case | what happens |
//! |---|---|
//! | source missing | error; with `optional` nothing happens, except that `into` makes its D |
//! | links on the way to a source or destination | followed, inside the root |
//! | the source itself is a link | stays a link in `to` and `into`; with `follow`, and always in `contents`, what it points to is copied |
//! | links inside a copied directory | stay links, `follow` or not |
//! | A is a directory, B missing | B is made 0755 with the copy's `owner`; `mode` leaves it alone |
//! | A is a directory, B a directory | B keeps mode and owner; A's content merges into it |
//! | a directory below A meets one below B | they merge; mode and owner are A's |
//! | A is a directory, B (or what a directory below A meets) is not | error |
//! | A is a file or link, B a file or link | B is replaced; a link at B itself is followed first |
//! | a file or link below A meets a link | the link is replaced |
//! | a file or link is to land on a directory | error |
//! | `into`, a source named without wildcard | exactly `copy A to D/name` |
//! | `into`, what a wildcard matches | lands as it is: a directory keeps its own mode where D has none of that name; a link at D/name is replaced |
//! | D of `into`, missing | made 0755 with the copy's `owner` |
//! | directories above the destination, missing | made 0755, root |
//! | two sources with one name in `into` | error, whatever they are; the same source twice is once |
//! | rules | apply below a copied directory; that they leave nothing is no error |
//! | a directory that rules leave, with something below it that they take | made like one that they take where it is missing; one that is there takes the mode and keeps its owner |
//! | owner | `owner`, else root: never the source's |
//! | mode of what is copied | the source's; with `mode M` exactly M, whatever setuid, setgid and sticky the source has; a link has none |
//! | `replace` | what stands at B or D is removed first, a link and not what it points to; `/` is refused |

mod matches;
mod picks;
mod sources;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use cogpack_ir::plan::{Copy, CopyForm, Mode, Template};

use matches::{Match, Matches};
use picks::{Pick, Picks, pick};
use sources::{Found, Top, What, find_all, find_named};

use crate::entries::Entries;
use crate::glob::InvalidGlob;
use crate::paths::{Decision, Selection};
use crate::tree::{Attributes, DEEPEST, Directory, Ids, Name, Node, PathProblem, Tree, components, text};

/// Why a copy cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CopyProblem {
    /// Nothing matches, and the copy is not `optional`.
    #[error("`{0}` is not there to be copied")]
    Missing(String),
    /// `contents` of something that is no directory.
    #[error("`{0}` is not a directory, so it has no contents to copy")]
    NoContents(String),
    /// A file lands where a directory is.
    #[error("`{source_path}` cannot land on `{destination}`, which is a directory")]
    OntoDirectory {
        /// What was copied.
        source_path: String,
        /// Where to.
        destination: String,
    },
    /// A directory lands where something else is.
    #[error("the directory `{source_path}` cannot land on `{destination}`, which is not a directory")]
    OntoFile {
        /// What was copied.
        source_path: String,
        /// Where to.
        destination: String,
    },
    /// Two sources have one name.
    #[error("`{first}` and `{second}` would both land on `{destination}`")]
    Collision {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// Where.
        destination: String,
    },
    /// `copy "." … into`: the root of an input has no name.
    #[error("`{0}` has no name to land under; `copy contents` or `copy … to` says where it lands")]
    Nameless(String),
    /// A rule or a source is no pattern.
    #[error(transparent)]
    Pattern(#[from] InvalidGlob),
    /// `**` in a source.
    #[error("`{0}` has `**`, which only `include` and `exclude` know")]
    AnyDepth(String),
    /// A path cannot be walked.
    #[error(transparent)]
    Path(#[from] PathProblem),
    /// A path leans on a variable of a base whose config is not known.
    #[error("`{0}` leans on a variable that is not known")]
    OpenPath(String),
}

/// What happens to all that is copied.
struct Copier<'c> {
    owner: Ids,
    mode: Option<Mode>,
    rules: &'c Selection,
}

/// Copies from `source` into `destination`, which stays as it was where there is a problem.
/// `owner` is the copy's owner by number ([`accounts`](crate::accounts)), root where it has none.
pub fn apply<C: Clone>(
    copy: &Copy,
    owner: Ids,
    source: &Tree<C>,
    destination: &mut Tree<C>,
) -> Result<(), CopyProblem> {
    let rules = Selection::new(&copy.rules)?;
    let mode = copy.mode.as_ref().map(|mode| mode.value);
    let copier = Copier { owner, mode, rules: &rules };
    let landing = literal(copy.form.destination())?;
    let mut result = destination.clone();
    if copy.replace {
        let at = result.resolve(landing.as_bytes(), false)?;
        result.remove(&at)?;
    }
    match &copy.form {
        CopyForm::To { source: named, .. } => {
            if let Some(found) = find_named(source, &literal(named)?, copy, copy.follow)? {
                let at = result.resolve(landing.as_bytes(), true)?;
                copier.land(&found, &at, Top::Destination, &mut result)?;
            }
        }
        CopyForm::Contents { directory: named, .. } => {
            if let Some(found) = find_named(source, &literal(named)?, copy, true)? {
                if let What::Leaf(_) = found.what {
                    return Err(CopyProblem::NoContents(text(&found.path)));
                }
                let at = result.resolve(landing.as_bytes(), true)?;
                copier.land(&found, &at, Top::Destination, &mut result)?;
            }
        }
        CopyForm::Into { sources, .. } => {
            let at = result.resolve(landing.as_bytes(), true)?;
            copier.make_destination(&at, &mut result)?;
            let sources = sources.iter().map(literal).collect::<Result<Vec<_>, _>>()?;
            if let Some(matches) = Matches::of(source, &sources)? {
                copier.land_matches(&matches, copy, &at, &mut result)?;
                *destination = result;
                return Ok(());
            }
            for (name, (found, top)) in find_all(source, &sources, copy, &at)? {
                let landing = [at.as_slice(), &[name]].concat();
                let landing = match top {
                    Top::Destination => result.resolve(text_bytes(&landing).as_slice(), true)?,
                    Top::Itself => landing,
                };
                copier.land(&found, &landing, top, &mut result)?;
            }
        }
    }
    *destination = result;
    Ok(())
}

/// Whether all that the sources of an `into` stand for lands under names of their own. Of what is
/// missing nothing is said.
pub fn lands_apart<C: Clone>(copy: &Copy, source: &Tree<C>) -> Result<(), CopyProblem> {
    let CopyForm::Into { sources, directory } = &copy.form else { return Ok(()) };
    let sources = sources.iter().map(literal).collect::<Result<Vec<_>, _>>()?;
    if !copy.follow && Matches::of(source, &sources)?.is_some() {
        return Ok(());
    }
    let there = Copy { optional: true, ..copy.clone() };
    let at = components(literal(directory)?.as_bytes());
    find_all(source, &sources, &there, &at).map(|_| ())
}

impl Copier<'_> {
    /// Lands one source at a real path.
    fn land<C: Clone>(
        &self,
        found: &Found<C>,
        at: &[Name],
        top: Top,
        tree: &mut Tree<C>,
    ) -> Result<(), CopyProblem> {
        let above = at.split_last().map_or(&[][..], |(_, above)| above);
        tree.make_directories(above, Attributes::ON_THE_WAY)?;
        match &found.what {
            What::Leaf(node) => self.land_leaf(&found.path, node, at, tree),
            What::Directory(directory) => {
                let made = match top {
                    Top::Destination => Attributes { mode: Mode::DIRECTORY, ids: self.owner },
                    Top::Itself => self.attributes(directory.attributes),
                };
                let mut place = Place { from: found.path.clone(), at: at.to_vec() };
                if tree.get(at).is_some() && tree.directory(at).is_none() {
                    return Err(place.onto_file());
                }
                tree.make_directories(at, made)?;
                let Some(there) = tree.directory_mut(at) else { return Err(place.onto_file()) };
                if self.rules.is_everything() && there.children.is_empty() && fits(directory, at.len()) {
                    there.children = match self.leaves_as_is(directory) {
                        true => directory.children.clone(),
                        false => self.all_of(directory),
                    };
                    return Ok(());
                }
                let picks = pick(self.rules, directory, &mut Vec::new(), Decision::default());
                self.land_picks(directory, picks, &mut Vec::new(), &mut place, there)
            }
        }
    }

    /// Lands what a wildcard matches in one directory in the directory at a real path, one after the
    /// other: it may be a million files.
    fn land_matches<C: Clone>(
        &self,
        matches: &Matches<'_, C>,
        copy: &Copy,
        at: &[Name],
        tree: &mut Tree<C>,
    ) -> Result<(), CopyProblem> {
        let depot = matches.depot();
        let put_away = |tree: &mut Tree<C>, count| {
            if let Some(there) = tree.directory_mut(at) {
                there.children.put_away_now_and_then(depot.as_ref(), count);
            }
        };
        let mut count = 0;
        for found in matches.each(copy) {
            let Match { name, found } = found?;
            self.land(&found, &[at, &[name]].concat(), Top::Itself, tree)?;
            count += 1;
            if depot.is_some() {
                put_away(tree, count);
            }
        }
        if depot.is_some() {
            put_away(tree, 0);
        }
        match count == 0 && !copy.optional {
            true => Err(CopyProblem::Missing(matches.named().to_owned())),
            false => Ok(()),
        }
    }

    /// A copy of all that is in a directory.
    fn all_of<C: Clone>(&self, directory: &Directory<C>) -> Entries<Node<C>> {
        directory.children.changed(|node| match node {
            Node::Directory(below) => {
                let (attributes, children) = (self.attributes(below.attributes), self.all_of(below));
                Node::Directory(Arc::new(Directory { attributes, children }))
            }
            Node::File { .. } | Node::Symlink { .. } | Node::Special { .. } => self.copied(node),
        })
    }

    /// Whether a copy of all that is in a directory is what is in it already: then both may share it,
    /// and nothing of it is made anew.
    fn leaves_as_is<C: Clone>(&self, directory: &Directory<C>) -> bool {
        let same = |attributes: &Attributes| self.attributes(*attributes) == *attributes;
        directory.children.iter().all(|entry| match &*entry {
            Node::Directory(below) => same(&below.attributes) && self.leaves_as_is(below),
            Node::File { attributes, .. } | Node::Special { attributes, .. } => same(attributes),
            Node::Symlink { ids, .. } => *ids == self.owner,
        })
    }

    /// Lands what was picked of `directory`, which is at `path` below the root of what is copied, in
    /// the one that `place` says.
    fn land_picks<C: Clone>(
        &self,
        directory: &Directory<C>,
        picks: Picks,
        path: &mut Vec<Name>,
        place: &mut Place,
        there: &mut Directory<C>,
    ) -> Result<(), CopyProblem> {
        let mut directories = picks.directories.into_iter().peekable();
        let depot = directory.children.depot();
        for (count, entry) in (1..).zip(&directory.children) {
            let (name, node) = entry.parts();
            path.push(name.to_vec());
            if let Node::Directory(below) = node {
                if let Some(Pick { taken, below: picks, .. }) = directories.next_if(|pick| pick.name == name)
                {
                    place.enter(name)?;
                    let attributes = self.attributes(below.attributes);
                    let met = meet_directory(there, name, attributes).ok_or_else(|| place.onto_file())?;
                    match taken {
                        true => met.attributes = attributes,
                        false => met.attributes.mode = attributes.mode,
                    }
                    self.land_picks(below, picks, path, place, met)?;
                    place.leave();
                }
            } else if self.rules.is_taken(self.rules.decide(picks.decision, path)) {
                place.enter(name)?;
                if let Some(Node::Directory(_)) = there.children.get(name).as_deref() {
                    return Err(place.onto_directory());
                }
                there.children.insert(name, self.copied(node));
                place.leave();
            }
            path.pop();
            there.children.put_away_now_and_then(depot.as_ref(), count);
        }
        there.children.put_away_at_the_end(depot.as_ref());
        Ok(())
    }

    fn land_leaf<C: Clone>(
        &self,
        path: &[Name],
        node: &Node<C>,
        at: &[Name],
        tree: &mut Tree<C>,
    ) -> Result<(), CopyProblem> {
        if tree.directory(at).is_some() {
            return Err(CopyProblem::OntoDirectory { source_path: text(path), destination: text(at) });
        }
        tree.insert(at, self.copied(node))?;
        Ok(())
    }

    /// The copy of something that is no directory.
    fn copied<C: Clone>(&self, node: &Node<C>) -> Node<C> {
        match node {
            Node::File { attributes, content } => {
                Node::File { attributes: self.attributes(*attributes), content: content.clone() }
            }
            Node::Symlink { target, .. } => Node::Symlink { ids: self.owner, target: target.clone() },
            Node::Special { attributes, kind } => {
                Node::Special { attributes: self.attributes(*attributes), kind: *kind }
            }
            Node::Directory(it) => Node::Directory(it.clone()),
        }
    }

    /// The D of `into`.
    fn make_destination<C: Clone>(&self, at: &[Name], tree: &mut Tree<C>) -> Result<(), CopyProblem> {
        let above = at.split_last().map_or(&[][..], |(_, above)| above);
        tree.make_directories(above, Attributes::ON_THE_WAY)?;
        tree.make_directories(at, Attributes { mode: Mode::DIRECTORY, ids: self.owner })?;
        Ok(())
    }

    fn attributes(&self, of_source: Attributes) -> Attributes {
        Attributes { mode: self.mode.unwrap_or(of_source.mode), ids: self.owner }
    }
}

/// Where landing is.
struct Place {
    from: Vec<Name>,
    at: Vec<Name>,
}

impl Place {
    fn enter(&mut self, name: &[u8]) -> Result<(), PathProblem> {
        self.from.push(name.to_vec());
        self.at.push(name.to_vec());
        match self.at.len() > DEEPEST {
            true => Err(PathProblem::TooDeep(self.at.clone())),
            false => Ok(()),
        }
    }

    fn leave(&mut self) {
        self.from.pop();
        self.at.pop();
    }

    fn onto_directory(&self) -> CopyProblem {
        CopyProblem::OntoDirectory { source_path: text(&self.from), destination: text(&self.at) }
    }

    fn onto_file(&self) -> CopyProblem {
        CopyProblem::OntoFile { source_path: text(&self.from), destination: text(&self.at) }
    }
}

/// Whether all that is in a directory may lie so deep.
fn fits<C>(directory: &Directory<C>, depth: usize) -> bool {
    directory.children.is_empty()
        || depth < DEEPEST
            && directory.children.iter().all(|entry| match &*entry {
                Node::Directory(below) => fits(below, depth + 1),
                Node::File { .. } | Node::Symlink { .. } | Node::Special { .. } => true,
            })
}

/// The directory of this name, made where it is missing; `None` where something else is.
fn meet_directory<'t, C: Clone>(
    above: &'t mut Directory<C>,
    name: &[u8],
    attributes: Attributes,
) -> Option<&'t mut Directory<C>> {
    if above.children.get(name).is_none() {
        above.children.insert(name, Node::Directory(Arc::new(Directory::new(attributes))));
    }
    match above.children.get_mut(name) {
        Some(Node::Directory(there)) => Some(Arc::make_mut(there)),
        Some(Node::File { .. } | Node::Symlink { .. } | Node::Special { .. }) | None => None,
    }
}

fn literal(template: &impl std::ops::Deref<Target = Template>) -> Result<Cow<'_, str>, CopyProblem> {
    template.as_literal().ok_or_else(|| CopyProblem::OpenPath(template.as_written().to_owned()))
}

fn text_bytes(path: &[Name]) -> Vec<u8> {
    path.join(&b'/')
}
