//! How long a layer is, told by its listing and no byte of its files.

use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::Arc;

use cogpack_backends_contract::content::{Content, ContentSource, ContextFile, KeptContent, KeptFile};
use cogpack_backends_contract::tree::{Attributes, Ids, Node, SpecialKind, Tree, components};
use cogpack_content::Digest;
use cogpack_ir::plan::{FileContent, Mode};

use super::context_file;
use crate::compression::Coding;
use crate::layer::Layer;
use crate::pack::Packing;

/// Every file is three letters, and those that are kept have capabilities.
struct Letters;

impl ContentSource for Letters {
    fn open<'s>(&'s self, _: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        Ok(Box::new(&b"abc"[..]))
    }

    fn open_kept<'s>(&'s self, _: &KeptFile) -> io::Result<KeptContent<'s>> {
        kept_content(&b"abc"[..])
    }
}

/// The same files, none of which can be read.
struct Unreadable;

impl ContentSource for Unreadable {
    fn open<'s>(&'s self, _: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn open_kept<'s>(&'s self, _: &KeptFile) -> io::Result<KeptContent<'s>> {
        kept_content(Refused)
    }
}

struct Refused;

impl Read for Refused {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

fn kept_content<'s>(bytes: impl Read + 's) -> io::Result<KeptContent<'s>> {
    let capability = Some(b"\x01\0\0\x02 may do much".to_vec());
    Ok(KeptContent { bytes: Box::new(bytes), modified: (0, 0), capability })
}

#[test]
fn a_layer_is_as_long_as_its_listing_says() {
    let attributes = Attributes { mode: Mode::FILE, ids: Ids { user: 3_000_000, group: 0 } };
    let file = |content| Node::File { attributes, content };
    let kept = |linked| {
        let (part, path) = (Digest::of(b"part"), b"ping".to_vec());
        Content::Kept(Arc::new(KeptFile { part, path, size: 3, linked }))
    };
    let long = format!("{}/ä", "directory/".repeat(30));
    let nodes = [
        ("context", file(context_file("source", "a", false))),
        ("link-1", file(context_file("source", "b", true))),
        ("link-2", file(context_file("source", "b", true))),
        ("inline", file(Content::Inline(Arc::new(FileContent(vec![b'x'; 1_000].into()))))),
        ("kept-1", file(kept(true))),
        ("kept-2", file(kept(true))),
        ("kept-3", file(kept(false))),
        (&long, file(context_file("source", "c", false))),
        ("symlink", Node::Symlink { ids: Ids::ROOT, target: b"context".to_vec().into() }),
        ("pipe", Node::Special { attributes, kind: SpecialKind::Pipe }),
    ];
    let (mut before, mut after) = (Tree::empty(), Tree::empty());
    before.insert(&components(b"gone"), file(kept(false))).expect("is free");
    for (path, node) in nodes {
        let names = components(path.as_bytes());
        after.make_directories(&names[..names.len() - 1], Attributes::ON_THE_WAY).expect("is free");
        after.insert(&names, node).expect("is free");
    }
    let layer = Layer::between(&before, &after).expect("is a layer");
    let packing = Packing { coding: Coding::Plain, threads: NonZeroUsize::MIN, place: 0 };
    for time in [0, 1 << 40] {
        let (bytes, _) = layer.write(&Letters, time, packing, Vec::new()).expect("can be written");
        assert_eq!(layer.plain_size(&Unreadable, time).expect("is listed"), bytes.len() as u64);
    }
    layer.write(&Unreadable, 0, packing, Vec::new()).map(drop).expect_err("cannot be read");
}
