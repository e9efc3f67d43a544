//! `/etc/ld.so.cache`, as `ldconfig` would write it: where the libraries of the root are, by the
//! names under which programs ask for them.
//!
//! Directories are those of `/etc/ld.so.conf` and what it includes, then those that the loader has
//! built in. Libraries below `glibc-hwcaps` are left out; the loader takes the plain ones then.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::elf::library;
use crate::root::{Bytes, PlacedKind, Root};

/// The machine that libraries are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// As the names of Debian's directories begin, `x86_64-linux-gnu`.
    pub triplet: &'static str,
    /// Its number in ELF.
    pub elf: u16,
    /// What the cache says of a library for it.
    pub flags: u32,
}

/// The machine of an architecture; nothing for those that we do not know enough of.
pub fn machine(architecture: &str) -> Option<Machine> {
    match architecture {
        "amd64" => Some(Machine { triplet: "x86_64-linux-gnu", elf: 62, flags: 0x303 }),
        "arm64" => Some(Machine { triplet: "aarch64-linux-gnu", elf: 183, flags: 0xa03 }),
        _ => None,
    }
}

/// A library that the cache names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cached {
    name: Vec<u8>,
    path: Vec<u8>,
}

/// Writes the cache into a root, and the links that libraries lack. `made_by` is the version of the
/// C library whose `ldconfig` this is.
pub fn write(root: &mut Root, bytes: &dyn Bytes, machine: Machine, made_by: &str) -> io::Result<()> {
    let mut all = Vec::new();
    let mut links = Vec::new();
    for directory in directories(root, bytes, machine)? {
        for (name, file) in libraries(root, bytes, machine, &directory)? {
            let path = |name: &[u8]| [b"/", &directory.said[..], b"/", name].concat();
            if name != file && !root.placed.contains_key(&directory.inside(&name)) {
                links.push((directory.inside(&name), file));
            }
            all.push(Cached { path: path(&name), name });
        }
    }
    for (path, target) in links {
        if let (Ok(path), Ok(target)) = (std::str::from_utf8(&path), std::str::from_utf8(&target)) {
            root.symlink(path, target);
        }
    }
    // Those of one name stay in the order in which their directories are searched.
    all.sort_by(|one, other| natural(&other.name, &one.name));
    root.make("etc/ld.so.cache", encoded(&all, machine.flags, made_by));
    Ok(())
}

/// A directory of libraries: as it is said, and where it leads.
struct SearchedDirectory {
    said: Vec<u8>,
    real: Vec<u8>,
}

impl SearchedDirectory {
    fn inside(&self, name: &[u8]) -> Vec<u8> {
        [&self.real[..], b"/", name].concat()
    }
}

fn directories(root: &Root, bytes: &dyn Bytes, machine: Machine) -> io::Result<Vec<SearchedDirectory>> {
    let mut said = Vec::new();
    configured(root, bytes, b"etc/ld.so.conf", 0, &mut said)?;
    said.extend(
        [format!("lib/{}", machine.triplet), format!("usr/lib/{}", machine.triplet)].map(String::into_bytes),
    );
    said.extend([b"lib".to_vec(), b"usr/lib".to_vec()]);
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for said in said {
        let Some(real) = root.followed(&said) else { continue };
        let is_directory =
            matches!(root.placed.get(&real).map(|placed| &placed.kind), Some(PlacedKind::Directory));
        if is_directory && seen.insert(real.clone()) {
            found.push(SearchedDirectory { said, real });
        }
    }
    Ok(found)
}

/// The directories that a configuration file names, and the files that it includes.
fn configured(
    root: &Root,
    bytes: &dyn Bytes,
    file: &[u8],
    depth: usize,
    found: &mut Vec<Vec<u8>>,
) -> io::Result<()> {
    let text = root.read(file, bytes)?.unwrap_or_default();
    for line in String::from_utf8_lossy(&text).lines() {
        let line = line.split('#').next().unwrap_or("").trim();
        if let Some(pattern) = line.strip_prefix("include").filter(|rest| rest.starts_with([' ', '\t'])) {
            // Files of one directory that end alike is all that packages ask for.
            let pattern = pattern.trim().trim_start_matches('/');
            let Some((directory, ending)) = pattern.split_once('*').filter(|_| depth < 8) else { continue };
            let files: Vec<Vec<u8>> = root
                .placed
                .keys()
                .filter(|path| path.starts_with(directory.as_bytes()) && path.ends_with(ending.as_bytes()))
                .filter(|path| !path[directory.len()..].contains(&b'/'))
                .cloned()
                .collect();
            for file in files {
                configured(root, bytes, &file, depth + 1, found)?;
            }
        } else if line.starts_with('/') {
            found.push(line.trim_matches('/').as_bytes().to_vec());
        }
    }
    Ok(())
}

/// The libraries of a directory: the name of each, and the file that has it.
fn libraries(
    root: &Root,
    bytes: &dyn Bytes,
    machine: Machine,
    directory: &SearchedDirectory,
) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut found: BTreeMap<Vec<u8>, (Vec<u8>, bool)> = BTreeMap::new();
    let start = directory.inside(b"");
    let below = root.placed.range(start.clone()..).take_while(|(path, _)| path.starts_with(&start));
    for (path, placed) in below {
        let file = &path[start.len()..];
        if file.contains(&b'/') || !is_library_name(file) {
            continue;
        }
        let is_symlink = matches!(placed.kind, PlacedKind::Symlink(_));
        let Some(soname) = soname(root, bytes, machine, path, file)? else { continue };
        // A link that is there for linkers, or is the name itself, is a link; any other is as good as
        // a file.
        let for_linkers = file.ends_with(b".so") && soname.starts_with(file);
        let is_link = is_symlink && (file == soname || for_linkers);
        let name = if is_link { file.to_vec() } else { soname };
        match found.get_mut(&name) {
            None => {
                found.insert(name, (file.to_vec(), is_link));
            }
            Some((there, there_is_link)) => {
                let is_later = natural(there, file) == Ordering::Less;
                if (!is_link && *there_is_link) || (is_link == *there_is_link && is_later) {
                    (*there, *there_is_link) = (file.to_vec(), is_link);
                }
            }
        }
    }
    Ok(found.into_iter().map(|(name, (file, _))| (name, file)).collect())
}

fn is_library_name(name: &[u8]) -> bool {
    let has_start = name.starts_with(b"lib") || name.starts_with(b"ld-") || name.starts_with(b"ld.");
    has_start && name.windows(3).any(|part| part == b".so") && !name.ends_with(b"~")
}

/// The name of the library at a path; nothing where there is none for the machine.
fn soname(
    root: &Root,
    bytes: &dyn Bytes,
    machine: Machine,
    path: &[u8],
    file: &[u8],
) -> io::Result<Option<Vec<u8>>> {
    let real = root.followed(path).and_then(|real| root.placed.get(&real));
    let Some(PlacedKind::Packed(packed)) = real.map(|placed| &placed.kind) else { return Ok(None) };
    let read = |offset: u64, length: usize| {
        let left = usize::try_from(packed.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(Vec::new());
        }
        bytes.read_at(packed.package, packed.offset + offset, length.min(left))
    };
    let library = library(read)?.filter(|library| library.machine == machine.elf);
    Ok(library.map(|library| library.soname.unwrap_or_else(|| file.to_vec())))
}

/// Names with numbers in them by the numbers, as the loader compares them.
fn natural(one: &[u8], other: &[u8]) -> Ordering {
    let (mut one, mut other) = (one, other);
    while let (Some(left), Some(right)) = (one.first(), other.first()) {
        match (left.is_ascii_digit(), right.is_ascii_digit()) {
            (true, true) => {
                let (number, after) = number(one);
                let (another, behind) = self::number(other);
                if number != another {
                    return number.cmp(&another);
                }
                (one, other) = (after, behind);
            }
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) if left != right => return left.cmp(right),
            (false, false) => (one, other) = (&one[1..], &other[1..]),
        }
    }
    one.len().cmp(&other.len())
}

/// A number without its leading zeros, by how long it is first, and what comes after it.
fn number(text: &[u8]) -> ((usize, &[u8]), &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let zeros = text[..end].iter().position(|byte| *byte != b'0').unwrap_or(end);
    ((end - zeros, &text[zeros..end]), &text[end..])
}

const HEADER: usize = 48;
const ENTRY: usize = 24;
const EXTENSION: u32 = 0xeaa4_2174;

/// The cache as bytes: a header, a line for each library, texts, and who made it.
fn encoded(all: &[Cached], flags: u32, made_by: &str) -> Vec<u8> {
    let texts: BTreeSet<&[u8]> = all.iter().flat_map(|cached| [&cached.name[..], &cached.path]).collect();
    let (places, text) = shared_texts(texts);
    let start = HEADER + all.len() * ENTRY;
    let mut out = b"glibc-ld.so.cache1.1".to_vec();
    // Low byte first.
    let low_first = 2_u32;
    let extension = (start + text.len()).next_multiple_of(4);
    for number in [all.len(), text.len(), low_first as usize, extension, 0, 0, 0] {
        out.extend(u32_of(number));
    }
    for cached in all {
        out.extend(flags.to_le_bytes());
        for text in [&cached.name, &cached.path] {
            out.extend(u32_of(start + places.get(&text[..]).copied().unwrap_or(0)));
        }
        out.extend([0; 12]);
    }
    out.extend(&text);
    out.resize(extension, 0);
    let generator = generator(made_by);
    out.extend(EXTENSION.to_le_bytes());
    for number in [1, 0, 0, extension + 24, generator.len()] {
        out.extend(u32_of(number));
    }
    out.extend(generator.as_bytes());
    out
}

fn u32_of(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}

fn generator(version: &str) -> String {
    let release = version.split(['-', '+', '~']).next().unwrap_or(version);
    format!("ldconfig (Debian GLIBC {version}) stable release version {release}")
}

/// Texts one after the other, each ended by a zero; one that another ends in has no place of its
/// own. Their order is that of their last letters, from the highest on.
fn shared_texts(texts: BTreeSet<&[u8]>) -> (BTreeMap<&[u8], usize>, Vec<u8>) {
    let mut texts: Vec<&[u8]> = texts.into_iter().collect();
    texts.sort_by(|one, other| {
        let pairs = one.iter().rev().zip(other.iter().rev());
        let differing = pairs.map(|(left, right)| right.cmp(left)).find(|order| order.is_ne());
        differing.unwrap_or_else(|| other.len().cmp(&one.len()))
    });
    let mut places: BTreeMap<&[u8], usize> = BTreeMap::new();
    let mut out: Vec<u8> = Vec::new();
    let mut previous: Option<(&[u8], usize)> = None;
    for text in texts {
        let place = match previous {
            Some((before, place)) if before.ends_with(text) => place + before.len() - text.len(),
            Some(_) | None => {
                let place = out.len();
                out.extend(text);
                out.push(0);
                place
            }
        };
        places.insert(text, place);
        previous = Some((text, place));
    }
    (places, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_numbers() {
        let ascending: [&[u8]; 6] =
            [b"ld.so", b"libBroken.so", b"liba.so", b"liba.so.9", b"liba.so.10", b"libb-2.so"];
        for pair in ascending.windows(2) {
            assert_eq!(natural(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(natural(pair[1], pair[0]), Ordering::Greater);
        }
        assert_eq!(natural(b"a01", b"a1"), Ordering::Equal);
    }

    #[test]
    fn texts_share_their_ends() {
        let (places, text) = shared_texts([&b"/lib/a"[..], b"a", b"b", b"/lib/b"].into());
        assert_eq!(text, b"/lib/b\0/lib/a\0");
        assert_eq!(places.get(&b"a"[..]), Some(&12));
        assert_eq!(places.get(&b"b"[..]), Some(&5));
    }
}
