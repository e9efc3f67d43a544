//! The root that packages make together: what stands where, and which package brought it.

use std::collections::BTreeMap;
use std::io;

use cogpack_backends_contract::tree::{Attributes, Ids};
use cogpack_content::Digest;
use cogpack_ir::plan::Mode;

use crate::package::{EntryKind, Package};
use crate::paths::{ALWAYS, MERGED, above};

/// Reads the bytes of files, wherever the unpacked packages are.
pub trait Bytes {
    /// The bytes from `offset` on of the unpacked `data.tar` of a package, by its place in the set.
    fn read_at(&self, package: usize, offset: u64, length: usize) -> io::Result<Vec<u8>>;
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The package that brought it; nothing for what was made, or given to somebody else.
    pub package: Option<usize>,
    /// Mode and owner.
    pub attributes: Attributes,
    /// What.
    pub kind: PlacedKind,
}

/// What can stand at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlacedKind {
    /// A directory.
    Directory,
    /// A file of a package.
    Packed(Packed),
    /// A file that was made.
    Made(Vec<u8>),
    /// A link, and what it says.
    Symlink(Vec<u8>),
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The package, by its place in the set.
    pub package: usize,
    /// From where on, in its unpacked `data.tar`.
    pub offset: u64,
    /// How many.
    pub size: u64,
    /// What they hash to.
    pub digest: Digest,
    /// The first of its names.
    pub first: Vec<u8>,
    /// Whether it has several.
    pub is_linked: bool,
}

/// Why packages cannot be beside each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootProblem {
    /// Two bring one path.
    #[error("the packages `{one}` and `{other}` both bring `/{path}`")]
    Files {
        /// The first.
        one: String,
        /// The second.
        other: String,
        /// What both bring.
        path: String,
    },
    /// A second name of a file that is not there.
    #[error("the package `{package}` brings `/{path}` as another name of a file that it does not bring")]
    HardLink {
        /// The package.
        package: String,
        /// The name.
        path: String,
    },
    /// Something below what is no directory.
    #[error("the package `{package}` brings `/{path}`, below what is no directory")]
    Below {
        /// The package.
        package: String,
        /// What.
        path: String,
    },
}

/// A root, by path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Root {
    /// What stands where; a directory before what is in it.
    pub placed: BTreeMap<Vec<u8>, Placed>,
}

const LINK: Attributes = Attributes { mode: Mode::DIRECTORY, ids: Ids::ROOT };

impl Root {
    /// What packages bring together.
    pub fn join(packages: &[Package]) -> Result<Self, RootProblem> {
        let mut root = Self::default();
        for (index, package) in packages.iter().enumerate() {
            root.add(packages, index, package)?;
        }
        let used = |name: &str| root.placed.contains_key(format!("usr/{name}").as_bytes());
        let links: Vec<&str> = MERGED
            .iter()
            .enumerate()
            .filter(|(at, name)| *at < ALWAYS || used(name))
            .map(|(_, name)| *name)
            .collect();
        for name in links {
            root.directory(&format!("usr/{name}"));
            root.symlink(name, &format!("usr/{name}"));
        }
        root.check(packages)?;
        Ok(root)
    }

    fn add(&mut self, packages: &[Package], index: usize, package: &Package) -> Result<(), RootProblem> {
        let mut firsts: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for entry in &package.entries {
            let kind = match &entry.kind {
                EntryKind::Directory => PlacedKind::Directory,
                EntryKind::Symlink(target) if is_merging(&entry.path, target) => continue,
                EntryKind::Symlink(target) => PlacedKind::Symlink(target.clone()),
                EntryKind::File { offset, size, digest } => PlacedKind::Packed(Packed {
                    package: index,
                    offset: *offset,
                    size: *size,
                    digest: *digest,
                    first: entry.path.clone(),
                    is_linked: false,
                }),
                EntryKind::HardLink(target) => {
                    let first = firsts.get(target).unwrap_or(target).clone();
                    firsts.insert(entry.path.clone(), first.clone());
                    let missing =
                        || RootProblem::HardLink { package: package.shown(), path: shown(&entry.path) };
                    let there = self.placed.get_mut(&first).filter(|there| there.package == Some(index));
                    let there = there.ok_or_else(missing)?;
                    let PlacedKind::Packed(file) = &mut there.kind else { return Err(missing()) };
                    file.is_linked = true;
                    PlacedKind::Packed(file.clone())
                }
            };
            let placed = Placed { package: Some(index), attributes: entry.attributes, kind };
            self.put(packages, &entry.path, placed)?;
        }
        Ok(())
    }

    fn put(&mut self, packages: &[Package], path: &[u8], placed: Placed) -> Result<(), RootProblem> {
        let Some(there) = self.placed.get_mut(path) else {
            self.placed.insert(path.to_vec(), placed);
            return Ok(());
        };
        match (&there.kind, &placed.kind) {
            // The first one's mode stays, as dpkg leaves directories that are there.
            (PlacedKind::Directory, PlacedKind::Directory) => return Ok(()),
            (PlacedKind::Symlink(one), PlacedKind::Symlink(other)) if one == other => return Ok(()),
            (
                PlacedKind::Directory | PlacedKind::Packed(_) | PlacedKind::Made(_) | PlacedKind::Symlink(_),
                _,
            ) => {}
        }
        let of = |placed: &Placed| placed.package.and_then(|index| packages.get(index));
        let (Some(one), Some(other)) = (of(there), of(&placed)) else { return Ok(()) };
        if replaces(other, one) {
            *there = placed;
        } else if !replaces(one, other) {
            let (one, other) = (one.shown(), other.shown());
            return Err(RootProblem::Files { one, other, path: shown(path) });
        }
        Ok(())
    }

    /// Makes the directories that nobody brought, and looks that all that has something below it is one.
    fn check(&mut self, packages: &[Package]) -> Result<(), RootProblem> {
        let paths: Vec<(Vec<u8>, Option<usize>)> =
            self.placed.iter().map(|(path, placed)| (path.clone(), placed.package)).collect();
        for (path, package) in paths {
            let mut rest = &path[..];
            while let Some(directory) = above(rest) {
                match self.placed.get(directory).map(|placed| &placed.kind) {
                    Some(PlacedKind::Directory) => break,
                    None => self.put_directory(directory, Mode::DIRECTORY, Ids::ROOT),
                    Some(PlacedKind::Packed(_) | PlacedKind::Made(_) | PlacedKind::Symlink(_)) => {
                        let package = package.and_then(|index| packages.get(index));
                        let package = package.map_or_else(String::new, |package| package.shown());
                        return Err(RootProblem::Below { package, path: shown(&path) });
                    }
                }
                rest = directory;
            }
        }
        Ok(())
    }

    /// Whether something stands there.
    pub fn has(&self, path: &str) -> bool {
        self.placed.contains_key(path.as_bytes())
    }

    /// Whether what a path leads to is there, through links at its end.
    pub fn leads(&self, path: &str) -> bool {
        self.followed(path.as_bytes()).is_some_and(|found| self.placed.contains_key(&found))
    }

    /// Where a path leads in the end: links on the way and at its end are followed.
    pub fn followed(&self, path: &[u8]) -> Option<Vec<u8>> {
        let mut rest: Vec<Vec<u8>> = parts(path);
        let mut real: Vec<Vec<u8>> = Vec::new();
        let mut steps = 0;
        rest.reverse();
        while let Some(part) = rest.pop() {
            steps += 1;
            if steps > 400 {
                return None;
            }
            if part == b".." {
                real.pop();
                continue;
            }
            real.push(part);
            if let Some(PlacedKind::Symlink(target)) =
                self.placed.get(&real.join(&b'/')).map(|there| &there.kind)
            {
                if target.starts_with(b"/") {
                    real.clear();
                } else {
                    real.pop();
                }
                rest.extend(parts(target).into_iter().rev());
            }
        }
        Some(real.join(&b'/'))
    }

    /// The whole bytes of a file, through links; nothing where there is none.
    pub fn read(&self, path: &[u8], bytes: &dyn Bytes) -> io::Result<Option<Vec<u8>>> {
        let found = self.followed(path).and_then(|path| self.placed.get(&path));
        match found.map(|placed| &placed.kind) {
            Some(PlacedKind::Made(made)) => Ok(Some(made.clone())),
            Some(PlacedKind::Packed(file)) => {
                let size = usize::try_from(file.size).ok().filter(|size| *size <= LONGEST_TEXT);
                let size =
                    size.ok_or_else(|| io::Error::other("a file of a package is too large for what it is"))?;
                bytes.read_at(file.package, file.offset, size).map(Some)
            }
            Some(PlacedKind::Directory | PlacedKind::Symlink(_)) | None => Ok(None),
        }
    }

    /// Puts a file that was made, in place of what was there.
    pub fn make(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.make_with(path, bytes, Mode::FILE, Ids::ROOT);
    }

    /// The same with a mode and an owner.
    pub fn make_with(&mut self, path: &str, bytes: impl Into<Vec<u8>>, mode: Mode, ids: Ids) {
        self.make_way(path);
        let attributes = Attributes { mode, ids };
        let made = Placed { package: None, attributes, kind: PlacedKind::Made(bytes.into()) };
        self.placed.insert(path.as_bytes().to_vec(), made);
    }

    /// Puts a link, in place of what was there.
    pub fn symlink(&mut self, path: &str, target: &str) {
        self.make_way(path);
        let kind = PlacedKind::Symlink(target.as_bytes().to_vec());
        self.placed.insert(path.as_bytes().to_vec(), Placed { package: None, attributes: LINK, kind });
    }

    /// Makes a directory where there is none, and those on the way.
    pub fn directory(&mut self, path: &str) {
        self.directory_with(path, Mode::DIRECTORY, Ids::ROOT);
    }

    /// The same with a mode and an owner.
    pub fn directory_with(&mut self, path: &str, mode: Mode, ids: Ids) {
        if !self.has(path) {
            self.make_way(path);
            self.put_directory(path.as_bytes(), mode, ids);
        }
    }

    fn make_way(&mut self, path: &str) {
        let mut rest = path.as_bytes();
        while let Some(directory) = above(rest) {
            if self.placed.contains_key(directory) {
                break;
            }
            self.put_directory(directory, Mode::DIRECTORY, Ids::ROOT);
            rest = directory;
        }
    }

    fn put_directory(&mut self, path: &[u8], mode: Mode, ids: Ids) {
        let attributes = Attributes { mode, ids };
        self.placed.insert(path.to_vec(), Placed { package: None, attributes, kind: PlacedKind::Directory });
    }
}

/// Nothing that is read whole, to make something out of it, is longer.
const LONGEST_TEXT: usize = 64 << 20;

fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(<[u8]>::to_vec)
        .collect()
}

/// Whether a link is one of those that merge `/usr`, which newer releases bring in a package. Their
/// paths have been merged too by then.
fn is_merging(path: &[u8], target: &[u8]) -> bool {
    MERGED.iter().any(|name| {
        let place = format!("usr/{name}");
        path == place.as_bytes() && target.strip_prefix(b"/").unwrap_or(target) == place.as_bytes()
    })
}

/// Whether a package says that its files may stand in place of another's.
fn replaces(one: &Package, other: &Package) -> bool {
    let Some(list) = one.control.get("Replaces") else { return false };
    crate::relations::groups(list).iter().flatten().any(|relation| {
        let version = other.control.get("Version").unwrap_or("");
        relation.package == other.name.package && relation.allows(&crate::version::Version::new(version))
    })
}

/// A path for people.
pub fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
