//! An archive that lies beside packages, as one of a Python that may lie anywhere: what is in its only
//! directory at the top comes to the place that the plan says, and nothing of it is run.
//!
//! It is read as the `data.tar` of a package is, and stands in a set as one that says nothing of itself.
//! Its files belong to root, whoever packed them, and have no modes by which they would run as somebody
//! else. `/usr` is not merged in it: only the place that it comes to is.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use cogpack_backends_contract::tree::{Attributes, Ids};
use cogpack_ir::plan::Mode;

use crate::compression::unpacked;
use crate::file_name::DebName;
use crate::package::{Entry, EntryKind, Package, PackageProblem, entries};
use crate::paths::{InvalidPath, merged, path_of};

/// What files may, and others may of them.
const PERMISSIONS: u32 = 0o777;

/// Reads the archive `file`, whose name says how it is packed, and writes it to `data` as a plain tar. The
/// paths are those below its only directory.
pub fn read(file: &str, packed: impl Read, data: &mut dyn Write) -> Result<Package, PackageProblem> {
    let mut bytes = unpacked(file, packed)?.ok_or_else(|| PackageProblem::Packed(file.to_owned()))?;
    let all = entries(&mut bytes, data, |path| path)?;
    // To its end, where its sum is.
    io::copy(&mut bytes, &mut io::sink())?;
    let mut top: Option<Vec<u8>> = None;
    let mut below = |path: &[u8]| -> Result<Option<Vec<u8>>, PackageProblem> {
        let (first, rest) = match path.iter().position(|byte| *byte == b'/') {
            Some(at) => (&path[..at], Some(path[at + 1..].to_vec())),
            None => (path, None),
        };
        match &top {
            Some(top) if top != first => {
                let shown = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
                return Err(PackageProblem::Tops { one: shown(top), other: shown(first) });
            }
            Some(_) => {}
            None => top = Some(first.to_vec()),
        }
        Ok(rest)
    };
    let mut found = Vec::new();
    for Entry { path, attributes, kind } in all {
        let kind = match kind {
            EntryKind::HardLink(target) => match below(&target)? {
                Some(target) => EntryKind::HardLink(target),
                None => return Err(PackageProblem::Kind(String::from_utf8_lossy(&path).into_owned())),
            },
            kind @ (EntryKind::Directory | EntryKind::File { .. } | EntryKind::Symlink(_)) => kind,
        };
        match below(&path)? {
            Some(path) => {
                let mode = Mode::new(attributes.mode.bits() & PERMISSIONS).unwrap_or(Mode::FILE);
                found.push(Entry { path, attributes: Attributes { mode, ids: Ids::ROOT }, kind });
            }
            None if kind == EntryKind::Directory => {}
            None => return Err(PackageProblem::Top(String::from_utf8_lossy(&path).into_owned())),
        }
    }
    Ok(package(file, found))
}

/// The archive at its place, `/opt/python`.
pub fn placed(archive: Package, place: &str) -> Result<Package, InvalidPath> {
    let place = path_of(place.as_bytes())?.map(merged).unwrap_or_default();
    let at = |path: Vec<u8>| [&place[..], b"/", &path[..]].concat();
    let root = Entry {
        path: place.clone(),
        attributes: Attributes { mode: Mode::DIRECTORY, ids: Ids::ROOT },
        kind: EntryKind::Directory,
    };
    let moved = archive.entries.into_iter().map(|entry| Entry {
        path: at(entry.path),
        kind: match entry.kind {
            EntryKind::HardLink(target) => EntryKind::HardLink(at(target)),
            kind @ (EntryKind::Directory | EntryKind::File { .. } | EntryKind::Symlink(_)) => kind,
        },
        ..entry
    });
    let entries = std::iter::once(root).chain(moved).collect();
    Ok(Package { entries, ..archive })
}

/// What an archive is called.
pub fn name_of(file: &str) -> DebName {
    DebName { package: file.to_owned(), version: String::new(), architecture: String::new() }
}

fn package(file: &str, entries: Vec<Entry>) -> Package {
    Package {
        name: name_of(file),
        control: Default::default(),
        control_text: String::new(),
        scripts: BTreeMap::new(),
        sums: None,
        entries,
    }
}
