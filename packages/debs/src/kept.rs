//! A package that has been read, as text: what whoever keeps unpacked packages writes beside them, so
//! that none is unpacked twice.
//!
//! One line a thing: a word that says what, and fields between spaces, in which bytes that are no plain
//! letters stand as `%` and two digits. The last line says that nothing is missing.

use cogpack_backends_contract::tree::{Attributes, Ids};
use cogpack_content::Digest;
use cogpack_ir::plan::Mode;

use crate::file_name::DebName;
use crate::package::{Entry, EntryKind, Hook, Package};
use crate::paragraphs::paragraphs;

const END: &str = "end";

/// How a text ends of which nothing is missing.
pub const WHOLE: &str = "\nend\n";

/// The text of a package.
pub fn text_of(package: &Package) -> String {
    let mut text = format!("control {}\n", escaped(package.control_text.as_bytes()));
    for (hook, script) in &package.scripts {
        text.push_str(&format!("{} {}\n", hook.name(), escaped(script.as_bytes())));
    }
    if let Some(sums) = &package.sums {
        text.push_str(&format!("sums {}\n", escaped(sums)));
    }
    for entry in &package.entries {
        let Attributes { mode, ids } = entry.attributes;
        let (kind, rest) = match &entry.kind {
            EntryKind::Directory => ("directory", String::new()),
            EntryKind::File { offset, size, digest } => ("file", format!(" {offset} {size} {digest}")),
            EntryKind::HardLink(target) => ("name", format!(" {}", escaped(target))),
            EntryKind::Symlink(target) => ("link", format!(" {}", escaped(target))),
        };
        let path = escaped(&entry.path);
        text.push_str(&format!("{kind} {path} {:o} {} {}{rest}\n", mode.bits(), ids.user, ids.group));
    }
    text.push_str(END);
    text.push('\n');
    text
}

/// The package `name` out of its text; nothing where that is not whole.
pub fn package_of(name: &DebName, text: &str) -> Option<Package> {
    let lines = text.strip_suffix('\n')?.strip_suffix(END)?.lines();
    let mut package = Package {
        name: name.clone(),
        control: Default::default(),
        control_text: String::new(),
        scripts: Default::default(),
        sums: None,
        entries: Vec::new(),
    };
    for line in lines {
        let mut fields = line.split(' ');
        let (kind, first) = (fields.next()?, plain(fields.next()?)?);
        let script = |bytes: Vec<u8>| String::from_utf8(bytes).ok();
        match kind {
            "control" => package.control_text = script(first)?,
            "preinst" => drop(package.scripts.insert(Hook::Preinst, script(first)?)),
            "postinst" => drop(package.scripts.insert(Hook::Postinst, script(first)?)),
            "sums" => package.sums = Some(first),
            _ => package.entries.push(entry(kind, first, &mut fields)?),
        }
    }
    // An archive says nothing of itself.
    if !package.is_archive() {
        package.control = paragraphs(&package.control_text).next()?;
    }
    Some(package)
}

fn entry<'t>(kind: &str, path: Vec<u8>, fields: &mut impl Iterator<Item = &'t str>) -> Option<Entry> {
    let mode = Mode::new(u32::from_str_radix(fields.next()?, 8).ok()?)?;
    let ids = Ids { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? };
    let kind = match kind {
        "directory" => EntryKind::Directory,
        "file" => EntryKind::File {
            offset: fields.next()?.parse().ok()?,
            size: fields.next()?.parse().ok()?,
            digest: fields.next()?.parse().ok()?,
        },
        "name" => EntryKind::HardLink(plain(fields.next()?)?),
        "link" => EntryKind::Symlink(plain(fields.next()?)?),
        _ => return None,
    };
    Some(Entry { path, attributes: Attributes { mode, ids }, kind })
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_graphic() && *byte != b'%' {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02x}"));
        }
    }
    text
}

fn plain(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    Some(bytes)
}

/// By what an unpacked package is known: the digest of the package, and the form of what is kept.
pub fn key_of(package: &Digest) -> Digest {
    Digest::of(format!("unpacked package 1\n{package}\n").as_bytes())
}

/// The same of an archive that lies beside packages.
pub fn key_of_archive(archive: &Digest) -> Digest {
    Digest::of(format!("unpacked archive 1\n{archive}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_read_as_it_was_written_and_part_of_it_is_none() {
        let name: DebName = "odd_1_all.deb".parse().expect("is a name");
        let control_text = "Package: odd\nVersion: 1\nDescription: 100% odd\n".to_owned();
        let attributes =
            |mode: u32| Attributes { mode: Mode::new(mode).expect("is one"), ids: Ids { user: 1, group: 2 } };
        let entry = |path: &[u8], kind| Entry { path: path.to_vec(), attributes: attributes(0o4755), kind };
        let package = Package {
            name: name.clone(),
            control: paragraphs(&control_text).next().expect("is one"),
            control_text: control_text.clone(),
            scripts: [(Hook::Postinst, "#!/bin/sh\n# \u{e9}\n".to_owned())].into(),
            sums: Some(b"\xff  x\n".to_vec()),
            entries: vec![
                entry(b"usr", EntryKind::Directory),
                entry(b"usr/a b\n\xff", EntryKind::File { offset: 512, size: 3, digest: Digest::of(b"abc") }),
                entry(b"usr/c", EntryKind::HardLink(b"usr/a b\n\xff".to_vec())),
                entry(b"usr/d", EntryKind::Symlink(Vec::new())),
            ],
        };
        let text = text_of(&package);
        let again = package_of(&name, &text).expect("is whole");
        assert_eq!(text_of(&again), text);
        assert_eq!((again.entries, again.scripts), (package.entries, package.scripts));
        assert_eq!((again.control, again.sums), (package.control, package.sums));
        for length in 0..text.len() {
            assert!(package_of(&name, &text[..length]).is_none(), "{length} bytes of {text:?}");
        }
        assert!(package_of(&name, &text.replace("file ", "fire ")).is_none());
    }
}
