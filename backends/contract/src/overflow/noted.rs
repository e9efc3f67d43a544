//! Files that may have several names, as they are noted and looked up.

use cogpack_ir::plan::InputName;

use super::lookup::Key;
use super::text::{Reader, Writer};
use crate::content::{ContextFile, KeptFile};
use crate::listed::Listed;
use crate::tree::Attributes;

/// What tells a file of a context apart, beside others of the same mode and owner where these are given.
pub fn key_of_listed(file: &Listed, attributes: Option<Attributes>) -> Key {
    let mut text = Writer::default();
    text.bytes(file.context().as_str().as_bytes());
    text.0.extend_from_slice(&written(file));
    text.byte(file.is_linked().into());
    key(b'l', text, attributes)
}

/// The same of a file that is kept on disk.
pub fn key_of_kept(file: &KeptFile, attributes: Attributes) -> Key {
    let mut text = Writer::default();
    text.digest(&file.part);
    text.bytes(&file.path);
    text.large(file.size);
    text.byte(file.linked.into());
    key(b'k', text, Some(attributes))
}

fn key(kind: u8, mut text: Writer, attributes: Option<Attributes>) -> Key {
    if let Some(attributes) = attributes {
        text.attributes(attributes);
    }
    text.byte(kind);
    Key::of(&text.0)
}

/// A file of a context as bytes, all but the context.
pub fn written(file: &Listed) -> Vec<u8> {
    let mut text = Writer::default();
    text.bytes(&file.path());
    text.large(file.size());
    text.stamp(file.stamp());
    text.0
}

/// The file of a context that was written so, which has several names.
pub fn read(context: &InputName, bytes: &[u8]) -> Listed {
    let mut from = Reader(bytes);
    let (path, size, stamp) = (from.bytes().to_vec(), from.large(), from.stamp());
    ContextFile { context: context.clone(), path, size, linked: true, stamp }.into()
}
