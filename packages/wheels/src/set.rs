//! Many wheels as one tree.
//!
//! Wheels of one namespace share directories, and some share files that are the same in each, as
//! an empty `__init__.py`. Files that differ would be decided by whichever came last, so they are
//! an error that names both wheels.

use std::collections::BTreeMap;

use cogpack_backends_contract::content::{Content, ContextFile, Stamp};
use cogpack_backends_contract::listed::Listed;
use cogpack_backends_contract::tree::{Attributes, Ids, Node, PathProblem, Tree, components};
use cogpack_content::Digest;
use cogpack_ir::plan::{InputName, Mode};

use crate::install::{Installed, InstalledBytes, InstalledFile};
use crate::target::{CLibrary, Target};

/// Wheels that can be installed beside each other.
#[derive(Debug, Clone)]
pub struct WheelSet {
    wheels: Vec<Installed>,
    /// The wheel that each path comes from.
    owners: BTreeMap<String, usize>,
}

/// Why wheels cannot be installed beside each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetProblem {
    /// Two of them have different files of one name.
    #[error("the wheels `{one}` and `{other}` have different files for `{path}`")]
    Files {
        /// The first wheel.
        one: String,
        /// The second.
        other: String,
        /// Where both land, below the prefix.
        path: String,
    },
    /// What is a file to one is a directory to the other.
    #[error("`{path}` is a file of the wheel `{one}`, and a directory of the wheel `{other}`")]
    FileAndDirectory {
        /// The wheel with the file.
        one: String,
        /// The wheel with the directory.
        other: String,
        /// Where, below the prefix.
        path: String,
    },
    /// Two wheels of one package.
    #[error("the wheels `{one}` and `{other}` are of one package")]
    SamePackage {
        /// The first wheel.
        one: String,
        /// The second.
        other: String,
    },
    /// Some are for glibc and some for musl.
    #[error("the wheel `{gnu}` is for glibc and the wheel `{musl}` for musl, and an image has one C library")]
    Libraries {
        /// The wheel for glibc.
        gnu: String,
        /// The wheel for musl.
        musl: String,
    },
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The wheel, by its place in the set.
    pub wheel: usize,
    /// The file, by its place in the wheel's archive.
    pub entry: usize,
    /// What `RECORD` promises.
    pub digest: Option<Digest>,
}

impl WheelSet {
    /// Joins wheels, in the order of their names.
    pub fn join(mut wheels: Vec<Installed>, targets: &[Target]) -> Result<Self, SetProblem> {
        wheels.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
        check_packages(&wheels)?;
        check_libraries(&wheels, targets)?;
        let mut owners: BTreeMap<String, usize> = BTreeMap::new();
        for (index, wheel) in wheels.iter().enumerate() {
            for (path, file) in &wheel.files {
                let Some(owner) = owners.get(path).map(|owner| &wheels[*owner]) else {
                    owners.insert(path.clone(), index);
                    continue;
                };
                if !owner.files.get(path).is_some_and(|there| are_same(there, file)) {
                    let (one, other) = (owner.name.to_string(), wheel.name.to_string());
                    return Err(SetProblem::Files { one, other, path: path.clone() });
                }
            }
        }
        for (path, index) in &owners {
            let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
            if let Some((above, owner)) = above.find_map(|above| owners.get_key_value(above)) {
                let (one, other) = (wheels[*owner].name.to_string(), wheels[*index].name.to_string());
                return Err(SetProblem::FileAndDirectory { one, other, path: above.clone() });
            }
        }
        Ok(Self { wheels, owners })
    }

    /// The wheels, by name.
    pub fn wheels(&self) -> &[Installed] {
        &self.wheels
    }

    /// The tree of the context `context`. Files that come from a wheel are named by their path in
    /// the tree; [`WheelSet::origin`] says where their bytes are.
    pub fn tree(&self, context: &InputName) -> Result<Tree<Content>, PathProblem> {
        let mut tree = Tree::empty();
        for (path, owner) in &self.owners {
            let Some(file) = self.wheels.get(*owner).and_then(|wheel| wheel.files.get(path)) else {
                continue;
            };
            let names = components(path.as_bytes());
            let above = names.split_last().map_or(&[][..], |(_, above)| above);
            tree.make_directories(above, Attributes::ON_THE_WAY)?;
            let mode = if file.is_executable { Mode::DIRECTORY } else { Mode::FILE };
            let content = match &file.bytes {
                InstalledBytes::Made(content) => Content::Inline(content.clone().into()),
                InstalledBytes::Entry { size, digest, .. } => Content::Context(Listed::from(ContextFile {
                    context: context.clone(),
                    path: path.as_bytes().to_vec(),
                    size: *size,
                    linked: false,
                    stamp: digest.map_or(Stamp::None, Stamp::Digest),
                })),
            };
            tree.insert(&names, Node::File { attributes: Attributes { mode, ids: Ids::ROOT }, content })?;
        }
        Ok(tree)
    }

    /// Where the bytes of a file of the tree are; nothing for paths that no wheel brings.
    pub fn origin(&self, path: &str) -> Option<Origin> {
        let wheel = *self.owners.get(path)?;
        match self.wheels.get(wheel)?.files.get(path)?.bytes {
            InstalledBytes::Entry { index, digest, .. } => Some(Origin { wheel, entry: index, digest }),
            InstalledBytes::Made(_) => None,
        }
    }
}

/// Whether two files are the same for whoever looks at them. Only digests can be compared, so a
/// file without one is not the same as any other.
fn are_same(one: &InstalledFile, other: &InstalledFile) -> bool {
    one.is_executable == other.is_executable
        && match (&one.bytes, &other.bytes) {
            (InstalledBytes::Entry { digest: Some(one), .. }, InstalledBytes::Entry { digest, .. }) => {
                Some(one) == digest.as_ref()
            }
            (InstalledBytes::Made(one), InstalledBytes::Made(other)) => one == other,
            (InstalledBytes::Entry { .. } | InstalledBytes::Made(_), _) => false,
        }
}

fn check_packages(wheels: &[Installed]) -> Result<(), SetProblem> {
    let mut packages: BTreeMap<String, &Installed> = BTreeMap::new();
    for wheel in wheels {
        if let Some(there) = packages.insert(wheel.name.package(), wheel) {
            let (one, other) = (there.name.to_string(), wheel.name.to_string());
            return Err(SetProblem::SamePackage { one, other });
        }
    }
    Ok(())
}

fn check_libraries(wheels: &[Installed], targets: &[Target]) -> Result<(), SetProblem> {
    for target in targets {
        let (mut gnu, mut musl) = (None, None);
        for wheel in wheels {
            match target.fit(&wheel.name.tags).ok().and_then(|fit| fit.library) {
                Some(CLibrary::Gnu(..)) => gnu = gnu.or(Some(wheel)),
                Some(CLibrary::Musl(..)) => musl = musl.or(Some(wheel)),
                None => {}
            }
        }
        if let (Some(gnu), Some(musl)) = (gnu, musl) {
            let (gnu, musl) = (gnu.name.to_string(), musl.name.to_string());
            return Err(SetProblem::Libraries { gnu, musl });
        }
    }
    Ok(())
}
