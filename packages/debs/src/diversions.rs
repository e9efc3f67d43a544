//! Files that other packages have to bring elsewhere, because a package brings its own: what its script
//! asks of `dpkg-divert`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::package::{EntryKind, Package};
use crate::scripts::{Effect, effects};

/// What others than the package bring there goes elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diversion {
    /// Where they bring it.
    path: Vec<u8>,
    /// Where it goes.
    to: Vec<u8>,
}

impl Diversion {
    /// What a word of the table of scripts means: `diverts=PATH:END`, where the end is put to the path.
    pub fn of_word(word: &str) -> Option<Self> {
        let (path, end) = word.strip_prefix("diverts=")?.split_once(':')?;
        Some(Self { path: path.into(), to: format!("{path}{end}").into() })
    }
}

/// Packages, each with its files where the others want them.
pub fn diverted(packages: &[Package]) -> Cow<'_, [Package]> {
    // Where files go, and by the place of which package.
    let mut all: BTreeMap<Vec<u8>, (usize, Vec<u8>)> = BTreeMap::new();
    for (index, package) in packages.iter().enumerate() {
        for effect in package.scripts.values().flat_map(|script| effects(script).unwrap_or_default()) {
            if let Effect::Diversion(Diversion { path, to }) = effect {
                all.insert(path, (index, to));
            }
        }
    }
    if all.is_empty() {
        return Cow::Borrowed(packages);
    }
    let mut packages = packages.to_vec();
    for (index, package) in packages.iter_mut().enumerate() {
        let divert = |path: &mut Vec<u8>| {
            if let Some((by, to)) = all.get(path)
                && *by != index
            {
                path.clone_from(to);
            }
        };
        for entry in &mut package.entries {
            divert(&mut entry.path);
            match &mut entry.kind {
                EntryKind::HardLink(target) => divert(target),
                EntryKind::Directory | EntryKind::File { .. } | EntryKind::Symlink(_) => {}
            }
        }
    }
    Cow::Owned(packages)
}
