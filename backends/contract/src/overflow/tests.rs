//! Pages that were taken away say what they said before.

use std::sync::atomic::{AtomicBool, Ordering};

use cogpack_content::Digest;
use cogpack_ir::plan::Mode;

use super::*;
use crate::content::{ContextFile, DiskStamp, KeptFile, LayerFile, Moment, Stamp};
use crate::tree::{Attributes, Directory, Ids, SpecialKind};

/// A file in memory, which may be full.
#[derive(Default)]
pub(super) struct Memory {
    bytes: Mutex<Vec<u8>>,
    pub(super) is_full: Arc<AtomicBool>,
    pub(super) is_gone: Arc<AtomicBool>,
}

impl Bytes for Memory {
    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut kept = self.bytes.lock().expect("nobody panics");
        let offset = kept.len() as u64;
        kept.extend_from_slice(bytes);
        Ok(offset)
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        if self.is_gone.load(Ordering::Relaxed) {
            return Err(io::Error::other("the disk is gone"));
        }
        let kept = self.bytes.lock().expect("nobody panics");
        into.copy_from_slice(&kept[offset as usize..][..into.len()]);
        Ok(())
    }
}

fn attributes(mode: u32, user: u32, group: u32) -> Attributes {
    Attributes { mode: Mode::new(mode).expect("is a mode"), ids: Ids { user, group } }
}

/// One of everything, and of files of contexts many.
fn everything() -> Entries<Node<Content>> {
    let mut entries = Entries::new();
    let mut add = |name: &str, node| drop(entries.insert(name.as_bytes(), node));
    let file = |content| Node::File { attributes: attributes(0o4750, 7, 4_000_000_000), content };
    let of_context = |context: &str, path: &str, linked, stamp| {
        let context = InputName::new(context).expect("is a name");
        let file = ContextFile { context, path: path.into(), size: 5 << 40, linked, stamp };
        Content::Context(file.into())
    };
    let moment = |seconds| Moment { seconds, nanoseconds: 999_999_999 };
    let disk = |settled| {
        let (modified, changed) = (moment(-1), moment(i64::MAX));
        Stamp::Disk(DiskStamp { device: u64::MAX, inode: 3, modified, changed, settled })
    };
    for (place, stamp) in
        [Stamp::None, Stamp::Digest(Digest::of(b"x")), disk(true), disk(false)].into_iter().enumerate()
    {
        for directory in ["", "d/", "d/e/"] {
            let name = format!("{}{place}", directory.replace('/', "-"));
            add(&name, file(of_context("one", &format!("{directory}{name}"), false, stamp)));
            add(&format!("{name}b"), file(of_context("two", &format!("{directory}other"), true, stamp)));
        }
    }
    add("inline", file(Content::Inline(Arc::new(FileContent(b"text".to_vec().into())))));
    let layer = Digest::of(b"layer");
    add("layer", file(Content::Layer(Arc::new(LayerFile { layer, entry: 9, size: 1 << 33 }))));
    let kept = KeptFile { part: layer, path: b"usr/\xff".to_vec(), size: 4, linked: true };
    add("kept", file(Content::Kept(Arc::new(kept))));
    add("link", Node::Symlink { ids: Ids { user: 1, group: 2 }, target: b"../\xfe"[..].into() });
    for (name, kind) in [
        ("character", SpecialKind::CharacterDevice { major: 1, minor: 3 }),
        ("block", SpecialKind::BlockDevice { major: 8, minor: 1_000_000 }),
        ("pipe", SpecialKind::Pipe),
    ] {
        add(name, Node::Special { attributes: attributes(0o600, 0, 0), kind });
    }
    add("empty", Node::Directory(Arc::new(Directory::new(attributes(0o1777, 0, 0)))));
    for number in 0..2_000 {
        let name = format!("n{number:05}");
        add(&name, file(of_context("one", &format!("d/{name}"), false, disk(true))));
    }
    entries
}

#[test]
fn what_was_taken_away_says_what_it_said() {
    let overflow = Overflow::new(Arc::new(Memory::default()));
    let before = everything();
    let mut after = before.clone();
    overflow.take(&mut after);
    assert!(after.away_pages().is_some_and(|pages| pages.len() > 2));
    assert!(before == after && before.iter().zip(&after).all(|(one, other)| one.parts() == other.parts()));
    // So does a directory of which the page is away that it is in.
    let mut above = Entries::new();
    for directory in ["a", "b"] {
        let directory_of = |children| Directory { attributes: attributes(0o700, 3, 4), children };
        above.insert(directory.as_bytes(), Node::Directory(Arc::new(directory_of(after.clone()))));
    }
    let whole = above.clone();
    overflow.take(&mut above);
    assert!(above.away_pages().is_some() && above == whole);
}

#[test]
fn what_has_to_stay_stays() {
    let is_full = Arc::new(AtomicBool::new(false));
    let overflow = Overflow::new(Arc::new(Memory { is_full: Arc::clone(&is_full), ..Memory::default() }));
    // A directory in memory keeps the page that it is in.
    let mut above = Entries::new();
    let directory = Directory { attributes: attributes(0o700, 0, 0), children: everything() };
    above.insert(b"a", Node::Directory(Arc::new(directory)));
    overflow.take(&mut above);
    assert!(above.away_pages().is_none());
    let before = everything();
    let mut after = before.clone();
    overflow.take(&mut after);
    is_full.store(true, Ordering::Relaxed);
    let changed = after.changed(Node::clone);
    assert!(changed.away_pages().is_none() && changed == before, "a full disk takes nothing more");
    is_full.store(false, Ordering::Relaxed);
    let mut later = everything();
    overflow.take(&mut later);
    assert!(later.away_pages().is_none() && later == before, "and is not asked again");
}

#[test]
fn what_does_not_come_back_unwinds_with_what_the_disk_said() {
    let is_gone = Arc::default();
    let overflow = Overflow::new(Arc::new(Memory { is_gone: Arc::clone(&is_gone), ..Memory::default() }));
    let mut entries = everything();
    overflow.take(&mut entries);
    assert!(entries.get(b"none").is_none());
    is_gone.store(true, Ordering::Relaxed);
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| entries.iter().count()));
    let lost = read.expect_err("the disk is gone").downcast::<Lost>().expect("is what is lost");
    assert_eq!(lost.0.to_string(), "the disk is gone");
}

#[test]
fn a_tree_goes_with_all_of_its_directories() {
    let overflow = Overflow::new(Arc::new(Memory::default()));
    let mut tree = Tree::<Content>::empty();
    let path = |text: &str| crate::tree::components(text.as_bytes());
    for directory in ["a/b/c", "a/d", "e"] {
        tree.make_directories(&path(directory), Attributes::ON_THE_WAY).expect("is sound");
        for entry in &everything() {
            let (name, node) = entry.parts();
            let at = [path(directory), vec![name.to_vec()]].concat();
            tree.insert(&at, node.clone()).expect("is sound");
        }
    }
    let before = tree.clone();
    overflow.take_tree(&mut tree);
    assert!(tree.root().children.away_pages().is_some(), "all is away");
    assert!(tree == before && before.root().children.away_pages().is_none());
}
