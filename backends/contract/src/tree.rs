//! A filesystem as a value: directories, files, links, owners and modes, the bytes elsewhere.
//!
//! A [`Tree`] shares what it has in common with the tree it was cloned from, so a clone costs
//! nothing and [`changes`](crate::changes::between) looks only at what differs. Names are bytes,
//! as in the filesystems that images are made of. Not here, because no plan can say or see it:
//! times, and which files are hard links of each other. Extended attributes, where an
//! implementation keeps them, belong to its content type.

use std::sync::Arc;

use cogpack_ir::plan::Mode;

use crate::entries::Entries;

/// The name of a directory's entry: never empty, `.` or `..`, without `/`.
pub type Name = Vec<u8>;

/// Owner and group, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ids {
    /// The owner.
    pub user: u32,
    /// The group.
    pub group: u32,
}

impl Ids {
    /// `0:0`
    pub const ROOT: Self = Self { user: 0, group: 0 };
}

/// Mode and owner of a directory or file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attributes {
    /// Permission bits with setuid, setgid and sticky.
    pub mode: Mode,
    /// Owner and group.
    pub ids: Ids,
}

impl Attributes {
    /// A directory on the way to something: 0755, root.
    pub const ON_THE_WAY: Self = Self { mode: Mode::DIRECTORY, ids: Ids::ROOT };
}

/// A directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory<C> {
    /// Mode and owner.
    pub attributes: Attributes,
    /// What is in it.
    pub children: Entries<Node<C>>,
}

/// What a name stands for. `C` says where a file's bytes are; it should be cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node<C> {
    /// A directory.
    Directory(Arc<Directory<C>>),
    /// A regular file.
    File {
        /// Mode and owner.
        attributes: Attributes,
        /// Its bytes.
        content: C,
    },
    /// A symbolic link.
    Symlink {
        /// Owner and group; a link's mode means nothing.
        ids: Ids,
        /// What it says.
        target: Box<[u8]>,
    },
    /// A device or a named pipe, as base images sometimes have them.
    Special {
        /// Mode and owner.
        attributes: Attributes,
        /// Which.
        kind: SpecialKind,
    },
}

/// Files that are neither data nor structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialKind {
    /// A character device.
    CharacterDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Pipe,
}

/// Why a path of a tree cannot be used as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// Something that is no directory has something below it.
    #[error("`{}` is not a directory", shown(.0))]
    NotADirectory(Vec<Name>),
    /// A link leads to a link, and so on without end.
    #[error("`{}` leads through more than 40 links", shown(.0))]
    TooManyLinks(Vec<Name>),
    /// It, or a link on the way, is too long.
    #[error("`{}` is longer, with the links it leads through, than any filesystem takes", shown(.0))]
    TooLong(Vec<Name>),
    /// Deeper than any filesystem takes.
    #[error("`{}` has more than 1000 parts", shown(.0))]
    TooDeep(Vec<Name>),
    /// The root of the tree, where something else is needed.
    #[error("`/` cannot be replaced or removed")]
    IsRoot,
}

/// As in the kernel.
const MOST_LINKS: usize = 40;

/// As in the kernel, in bytes.
const LONGEST_LINK: usize = 4095;

/// As many one-letter names as `PATH_MAX` holds, twice: links that go up and down again could
/// otherwise make each walk as long as forty links are.
const MOST_PARTS: usize = 4096;

/// Well above `PATH_MAX` of one-letter names; keeps recursion over a tree shallow.
pub(crate) const DEEPEST: usize = 1000;

/// A filesystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree<C> {
    root: Arc<Directory<C>>,
}

impl<C> Default for Tree<C> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<C> Directory<C> {
    /// An empty one.
    pub fn new(attributes: Attributes) -> Self {
        Self { attributes, children: Entries::new() }
    }
}

impl<C> Tree<C> {
    /// What `scratch` has: a root, 0755, owned by root.
    pub fn empty() -> Self {
        Self { root: Arc::new(Directory::new(Attributes::ON_THE_WAY)) }
    }

    /// The directory at the root.
    pub fn root(&self) -> &Directory<C> {
        &self.root
    }

    /// What stands at a path without looking through links; `None` for the root too.
    pub fn get<N: AsRef<[u8]>>(&self, path: &[N]) -> Option<Node<C>>
    where
        C: Clone,
    {
        let (name, above) = path.split_last()?;
        self.directory(above)?.children.get(name.as_ref()).as_deref().cloned()
    }

    /// The directory at a path without looking through links; the root for no components.
    pub fn directory<N: AsRef<[u8]>>(&self, path: &[N]) -> Option<Arc<Directory<C>>> {
        let mut directory = Arc::clone(&self.root);
        for name in path {
            directory = match directory.children.get(name.as_ref()).as_deref()? {
                Node::Directory(below) => Arc::clone(below),
                Node::File { .. } | Node::Symlink { .. } | Node::Special { .. } => return None,
            };
        }
        Some(directory)
    }

    /// Where a path leads: links in directories on the way are followed inside the tree, and so
    /// is one at its end if `follow_last`. Parts that do not exist stand for themselves.
    pub fn resolve(&self, path: &[u8], follow_last: bool) -> Result<Vec<Name>, PathProblem> {
        let asked = || components(path);
        // What is still to walk, the next part last.
        let mut rest: Vec<Name> = parts(path).rev().map(<[u8]>::to_vec).collect();
        let mut real: Vec<Name> = Vec::new();
        // The root, and as many directories of `real` as there are.
        let mut passed: Vec<Arc<Directory<C>>> = vec![Arc::clone(&self.root)];
        let (mut walked, mut links) = (0, 0);
        while let Some(name) = rest.pop() {
            walked += 1;
            if walked > MOST_PARTS {
                return Err(PathProblem::TooLong(asked()));
            }
            if name == b".." {
                real.pop();
                passed.truncate(real.len() + 1);
                continue;
            }
            if real.len() >= DEEPEST {
                return Err(PathProblem::TooDeep(asked()));
            }
            let above = if passed.len() == real.len() + 1 { passed.last() } else { None };
            let mut entered = None;
            match above.and_then(|above| above.children.get(&name)).as_deref() {
                Some(Node::Symlink { target, .. }) if follow_last || !rest.is_empty() => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(PathProblem::TooManyLinks(asked()));
                    }
                    if target.len() > LONGEST_LINK {
                        return Err(PathProblem::TooLong(asked()));
                    }
                    if target.starts_with(b"/") {
                        real.clear();
                    }
                    rest.extend(parts(target).rev().map(<[u8]>::to_vec));
                    passed.truncate(real.len() + 1);
                    continue;
                }
                Some(Node::File { .. } | Node::Special { .. }) if !rest.is_empty() => {
                    real.push(name);
                    return Err(PathProblem::NotADirectory(real));
                }
                Some(Node::Directory(below)) => entered = Some(Arc::clone(below)),
                Some(Node::File { .. } | Node::Symlink { .. } | Node::Special { .. }) | None => {}
            }
            passed.extend(entered);
            real.push(name);
        }
        Ok(real)
    }

    /// Every path but the root with what stands there: parents first, then by name.
    pub fn walk(&self) -> Vec<(Vec<Name>, Node<C>)>
    where
        C: Clone,
    {
        let mut found = Vec::new();
        walk_below(&self.root, &mut Vec::new(), &mut found);
        found
    }
}

impl<C: Clone> Tree<C> {
    /// Makes the directories of a real path that are missing; those that are there stay as
    /// they are.
    pub fn make_directories(&mut self, path: &[Name], attributes: Attributes) -> Result<(), PathProblem> {
        if path.len() > DEEPEST {
            return Err(PathProblem::TooDeep(path.to_vec()));
        }
        // Looked up first, so that what is there stays shared.
        let mut there = Arc::clone(&self.root);
        let mut missing = path;
        while let Some((name, below)) = missing.split_first() {
            let found = match there.children.get(name).as_deref() {
                Some(Node::Directory(directory)) => Arc::clone(directory),
                Some(Node::File { .. } | Node::Symlink { .. } | Node::Special { .. }) => {
                    return Err(PathProblem::NotADirectory(path[..path.len() - below.len()].to_vec()));
                }
                None => break,
            };
            (there, missing) = (found, below);
        }
        let Some((topmost, below)) = missing.split_first() else { return Ok(()) };
        let mut made = Directory::new(attributes);
        for name in below.iter().rev() {
            let mut above = Directory::new(attributes);
            above.children.insert(name, Node::Directory(Arc::new(made)));
            made = above;
        }
        if let Some(above) = self.directory_mut(&path[..path.len() - missing.len()]) {
            above.children.insert(topmost, Node::Directory(Arc::new(made)));
        }
        Ok(())
    }

    /// Puts `node` at a real path whose directory exists, and gives back what was there.
    pub fn insert(&mut self, path: &[Name], node: Node<C>) -> Result<Option<Node<C>>, PathProblem> {
        let (name, above) = path.split_last().ok_or(PathProblem::IsRoot)?;
        if path.len() > DEEPEST {
            return Err(PathProblem::TooDeep(path.to_vec()));
        }
        match self.directory_mut(above) {
            Some(directory) => Ok(directory.children.insert(name, node)),
            None => Err(PathProblem::NotADirectory(above.to_vec())),
        }
    }

    /// Takes away what stands at a real path, a directory with all that is in it.
    pub fn remove(&mut self, path: &[Name]) -> Result<Option<Node<C>>, PathProblem> {
        let (name, above) = path.split_last().ok_or(PathProblem::IsRoot)?;
        Ok(self.directory_mut(above).and_then(|directory| directory.children.remove(name)))
    }

    /// The directory at a real path, to change it.
    pub fn directory_mut(&mut self, path: &[Name]) -> Option<&mut Directory<C>> {
        // Looked up first, so that a miss leaves what is shared shared.
        self.directory(path)?;
        let mut directory = Arc::make_mut(&mut self.root);
        for name in path {
            match directory.children.get_mut(name)? {
                Node::Directory(below) => directory = Arc::make_mut(below),
                Node::File { .. } | Node::Symlink { .. } | Node::Special { .. } => return None,
            }
        }
        Some(directory)
    }

    /// Lays `upper` over this tree, as a registry's layers lie over each other: directories
    /// merge and take the upper one's mode and owner, everything else is replaced. The roots'
    /// own mode and owner are left.
    pub fn overlay(&mut self, upper: &Self) {
        let attributes = self.root.attributes;
        lay_over(Arc::make_mut(&mut self.root), &upper.root);
        Arc::make_mut(&mut self.root).attributes = attributes;
    }
}

fn lay_over<C: Clone>(lower: &mut Directory<C>, upper: &Directory<C>) {
    lower.attributes = upper.attributes;
    let depot = upper.children.depot();
    for (count, entry) in (1..).zip(&upper.children) {
        let (name, node) = entry.parts();
        match (lower.children.get_mut(name), node) {
            (Some(Node::Directory(below)), Node::Directory(above)) => {
                lay_over(Arc::make_mut(below), above);
            }
            (Some(there), node) => *there = node.clone(),
            (None, node) => {
                lower.children.insert(name, node.clone());
            }
        }
        lower.children.put_away_now_and_then(depot.as_ref(), count);
    }
    lower.children.put_away_at_the_end(depot.as_ref());
}

fn walk_below<C: Clone>(
    directory: &Directory<C>,
    path: &mut Vec<Name>,
    found: &mut Vec<(Vec<Name>, Node<C>)>,
) {
    for entry in &directory.children {
        let (name, node) = entry.parts();
        path.push(name.to_vec());
        found.push((path.clone(), node.clone()));
        if let Node::Directory(below) = node {
            walk_below(below, path, found);
        }
        path.pop();
    }
}

/// The parts of a path that say something: neither empty nor `.`.
fn parts(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".")
}

/// The components of a path as it was written. What has `..` in it must be
/// [resolved](Tree::resolve) instead.
pub fn components(path: &[u8]) -> Vec<Name> {
    parts(path).map(<[u8]>::to_vec).collect()
}

/// An absolute path for messages; bytes that are no text are replaced.
pub fn text<N: AsRef<[u8]>>(path: &[N]) -> String {
    if path.is_empty() {
        return "/".to_owned();
    }
    path.iter().map(|name| format!("/{}", String::from_utf8_lossy(name.as_ref()))).collect()
}

/// Most characters of a path that a message shows.
const MOST_SHOWN: usize = 160;

/// The same as one line that can be read: of a very long path its beginning and its end.
fn shown(path: &[Name]) -> String {
    let whole = text(path);
    let count = whole.chars().count();
    if count <= MOST_SHOWN {
        return whole;
    }
    let start = whole.chars().take(MOST_SHOWN / 2);
    start.chain(['…']).chain(whole.chars().skip(count - MOST_SHOWN / 2)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_paths_are_shortened_in_the_middle() {
        let said = |count: usize| PathProblem::TooDeep(vec!["é".into(); count]).to_string();
        assert_eq!(said(80), format!("`{}` has more than 1000 parts", "/é".repeat(80)));
        assert_eq!(said(1001), format!("`{}…{}` has more than 1000 parts", "/é".repeat(40), "/é".repeat(40)));
    }
    use crate::sketch::{drawn, sketch};

    fn resolve(tree: &str, path: &str, follow_last: bool) -> String {
        match sketch(tree).resolve(path.as_bytes(), follow_last) {
            Ok(real) => text(&real),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn paths_lead_through_links_inside_the_root() {
        let tree = "usr/lib/ lib->usr/lib abs->/usr/lib up->../../.. loop->loop file=1 usr/back->../lib";
        for (path, follow_last, real) in [
            ("/", true, "/"),
            ("a/./b//", true, "/a/b"),
            ("/lib/x", false, "/usr/lib/x"),
            ("/lib", false, "/lib"),
            ("/lib", true, "/usr/lib"),
            ("/abs/../x", true, "/usr/x"),
            ("/up/x", true, "/x"),
            ("/usr/back/x", true, "/usr/lib/x"),
            ("/loop", false, "/loop"),
            ("/loop", true, "`/loop` leads through more than 40 links"),
            ("/file/x", true, "`/file` is not a directory"),
            ("/missing/../x", true, "/x"),
        ] {
            assert_eq!(resolve(tree, path, follow_last), real, "{path}");
        }
    }

    #[test]
    fn a_clone_is_apart_from_its_origin() {
        let before = sketch("a/b=1 c/");
        let mut after = before.clone();
        after.remove(&components(b"a/b")).expect("is not the root");
        after.make_directories(&components(b"c/d"), Attributes::ON_THE_WAY).expect("is free");
        assert_eq!(drawn(&before), "a/ a/b=1 c/");
        assert_eq!(drawn(&after), "a/ c/ c/d/");
    }

    #[test]
    fn what_cannot_be_changed_is_said() {
        let mut tree = sketch("a/b=1");
        let below_a_file = components(b"/a/b/c");
        assert_eq!(
            tree.make_directories(&below_a_file, Attributes::ON_THE_WAY),
            Err(PathProblem::NotADirectory(components(b"/a/b")))
        );
        assert_eq!(tree.remove(&[]), Err(PathProblem::IsRoot));
        assert_eq!(tree.remove(&below_a_file), Ok(None));
        let deep = vec![b"x".to_vec(); DEEPEST + 1];
        assert_eq!(
            tree.make_directories(&deep, Attributes::ON_THE_WAY),
            Err(PathProblem::TooDeep(deep.clone()))
        );
        assert_eq!(drawn(&tree), "a/ a/b=1");
    }

    #[test]
    fn a_layer_lies_over_what_is_under_it() {
        let mut tree = sketch("a/:0700 a/x=1 b=1 c->a d/e=1");
        tree.overlay(&sketch("a/ a/y=2:0600 b/z=3 c/ d=4"));
        assert_eq!(drawn(&tree), "a/ a/x=1 a/y=2:0600 b/ b/z=3 c/ d=4");
    }
}
