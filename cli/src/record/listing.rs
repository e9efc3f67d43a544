//! The files that a record lists, one by one: a record of a million files is written and read in little
//! memory.
//!
//! By context and path: `0644 sha256:…` for a file of which the bytes were read; `0644 SIZE INODE MODIFIED CHANGED` for
//! one of which nobody has read them; `0755` for a directory; `-> target` for a link.

use std::fmt;
use std::io::{self, Write};

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::{Directory, Node};
use cogpack_diff::files::{ContextFiles, Entry, Known, Listing, Look};
use cogpack_io_project::room::Room;
use cogpack_ir::plan::{InputName, Mode};
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::contexts::{moment, moment_text};

/// What a link's entry begins with.
const LINK: &str = "-> ";

/// Writes the files, and the end of the record.
pub fn write(files: &ContextFiles, out: &mut dyn Write) -> io::Result<()> {
    let mut before = "{";
    for (name, tree) in files.iter() {
        write!(out, "{before}\n    {}: {{", quoted(name.as_str())?)?;
        let mut path = Vec::new();
        let is_empty = tree.root().children.is_empty();
        write_below(tree.root(), &mut path, &mut "\n", out)?;
        out.write_all(if is_empty { b"}" } else { b"\n    }" })?;
        before = ",";
    }
    out.write_all(if before == "{" { b"{}\n}\n" } else { b"\n  }\n}\n" })
}

fn write_below(
    directory: &Directory<Content>,
    path: &mut Vec<u8>,
    before: &mut &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let length = path.len();
    for entry in &directory.children {
        let (name, node) = entry.parts();
        if length > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        if let Some(said) = said(node) {
            write!(out, "{before}      {}: {}", quoted(&escaped(path))?, quoted(&said)?)?;
            *before = ",\n";
        }
        if let Node::Directory(below) = node {
            write_below(below, path, before, out)?;
        }
        path.truncate(length);
    }
    Ok(())
}

fn quoted(text: &str) -> io::Result<String> {
    Ok(serde_json::to_string(text)?)
}

fn said(node: &Node<Content>) -> Option<String> {
    Some(match node {
        Node::Directory(directory) => directory.attributes.mode.to_string(),
        Node::Symlink { target, .. } => format!("{LINK}{}", escaped(target)),
        Node::File { attributes, content: Content::Context(file) } => match Known::of(file)? {
            Known::Digest(digest) => format!("{} {digest}", attributes.mode),
            Known::Look(Look { size, inode, modified, changed }) => {
                let [modified, changed] = [modified, changed].map(moment_text);
                format!("{} {size} {inode} {modified} {changed}", attributes.mode)
            }
        },
        // No context has any.
        Node::File { .. } | Node::Special { .. } => return None,
    })
}

fn entry(said: &str) -> Option<Entry> {
    if let Some(target) = said.strip_prefix(LINK) {
        return Some(Entry::Link { target: unescaped(target)? });
    }
    let (mode, known) = said.split_once(' ').map_or((said, None), |(mode, known)| (mode, Some(known)));
    let mode = Mode::new(u32::from_str_radix(mode, 8).ok()?)?;
    let Some(known) = known else { return Some(Entry::Directory { mode }) };
    let known = match known.split(' ').collect::<Vec<_>>()[..] {
        [digest] => Known::Digest(digest.parse().ok()?),
        [size, inode, modified, changed] => Known::Look(Look {
            size: size.parse().ok()?,
            inode: inode.parse().ok()?,
            modified: moment(modified)?,
            changed: moment(changed)?,
        }),
        _ => return None,
    };
    Some(Entry::File { mode, known })
}

/// The files of all contexts, as they are read.
pub struct Listings(pub ContextFiles);

impl<'de> Deserialize<'de> for Listings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ContextsVisitor)
    }
}

struct ContextsVisitor;

impl<'de> Visitor<'de> for ContextsVisitor {
    type Value = Listings;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("contexts by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listings, A::Error> {
        let (mut files, room) = (ContextFiles::default(), Room::default());
        while let Some(name) = map.next_key::<String>()? {
            let context =
                InputName::new(&name).map_err(|_| A::Error::custom(format!("`{name}` is no context")))?;
            let listing = map.next_value_seed(OneContext { context: context.clone(), room: &room })?;
            files.insert(context, listing.done());
        }
        Ok(Listings(files))
    }
}

/// The files of a context, which are laid aside where there are many.
struct OneContext<'r> {
    context: InputName,
    room: &'r Room,
}

impl<'de> DeserializeSeed<'de> for OneContext<'_> {
    type Value = Listing;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Listing, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneContext<'_> {
    type Value = Listing;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("what stands at paths")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listing, A::Error> {
        let mut listing = Listing::new(self.context.clone());
        let mut count = 0_usize;
        while let Some((path, said)) = map.next_entry::<String, String>()? {
            let wrong = || A::Error::custom(format!("nothing is known of `{path}` from `{said}`"));
            let entry = entry(&said).ok_or_else(wrong)?;
            let path = unescaped(&path).ok_or_else(wrong)?;
            listing
                .add(&path, entry)
                .map_err(|problem| A::Error::custom(format!("the files of `{}`: {problem}", self.context)))?;
            count += 1;
            if count.is_multiple_of(self.room.most()) {
                self.room.take_tree(listing.tree());
            }
        }
        Ok(listing)
    }
}

/// Any bytes as text: `\xNN` for those that are none, `\\` for a backslash.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', r"\\"));
        for byte in chunk.invalid() {
            text.push_str(&format!(r"\x{byte:02x}"));
        }
    }
    text
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some((plain, behind)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        rest = match behind.strip_prefix('\\') {
            Some(rest) => {
                bytes.push(b'\\');
                rest
            }
            None => {
                let (digits, rest) = behind.strip_prefix('x')?.split_at_checked(2)?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest
            }
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}
