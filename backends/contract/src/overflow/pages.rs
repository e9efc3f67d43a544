//! Pages of directories as bytes.

use std::sync::Arc;

use super::Overflow;
use super::text::{Reader, Writer};
use crate::content::{Content, KeptFile, LayerFile};
use crate::entries::Entries;
use crate::entries::held::{AwayPage, Depot, Place};
use crate::entries::page::Page;
use crate::listed::{Listed, Lister};
use crate::tree::{Attributes, Directory, Node, SpecialKind};

/// What an entry is.
const DIRECTORY: u8 = 0;
const SYMLINK: u8 = 1;
const CHARACTER_DEVICE: u8 = 2;
const BLOCK_DEVICE: u8 = 3;
const PIPE: u8 = 4;
const INLINE: u8 = 5;
const LISTED: u8 = 6;
const OF_LAYER: u8 = 7;
const KEPT: u8 = 8;

impl Overflow {
    /// A page as bytes; nothing where it has to stay, since something below it does.
    pub(super) fn written(self: &Arc<Self>, page: &Page<Node<Content>>) -> Option<Vec<u8>> {
        let (mut out, mut lists) = (Writer::default(), Lists::default());
        out.small(page.len() as u32);
        for place in 0..page.len() {
            let (name, node) = page.entry(place);
            out.bytes(name);
            match node {
                Node::Directory(directory) => {
                    out.byte(DIRECTORY);
                    self.directory(directory, &mut out)?;
                }
                Node::Symlink { ids, target } => {
                    out.byte(SYMLINK);
                    out.ids(*ids);
                    out.bytes(target);
                }
                Node::Special { attributes, kind } => {
                    let (tag, major, minor) = match *kind {
                        SpecialKind::CharacterDevice { major, minor } => (CHARACTER_DEVICE, major, minor),
                        SpecialKind::BlockDevice { major, minor } => (BLOCK_DEVICE, major, minor),
                        SpecialKind::Pipe => (PIPE, 0, 0),
                    };
                    out.byte(tag);
                    out.attributes(*attributes);
                    out.small(major);
                    out.small(minor);
                }
                Node::File { attributes, content } => {
                    let tag = match content {
                        Content::Inline(_) => INLINE,
                        Content::Context(_) => LISTED,
                        Content::Layer(_) => OF_LAYER,
                        Content::Kept(_) => KEPT,
                    };
                    out.byte(tag);
                    out.attributes(*attributes);
                    match content {
                        Content::Inline(content) => out.small(self.place_of_content(content)?),
                        Content::Context(file) => self.listed(file, name, &mut lists, &mut out)?,
                        Content::Layer(file) => {
                            out.digest(&file.layer);
                            out.large(file.entry);
                            out.large(file.size);
                        }
                        Content::Kept(file) => {
                            out.digest(&file.part);
                            out.bytes(&file.path);
                            out.large(file.size);
                            out.byte(file.linked.into());
                        }
                    }
                }
            }
        }
        Some(out.0)
    }

    fn directory(self: &Arc<Self>, directory: &Directory<Content>, out: &mut Writer) -> Option<()> {
        out.attributes(directory.attributes);
        let pages = directory.children.away_pages()?;
        out.small(u32::try_from(pages.len()).ok()?);
        for page in pages {
            // What lies elsewhere is not found by a place here.
            if !std::ptr::addr_eq(Arc::as_ptr(&page.depot), Arc::as_ptr(self)) {
                return None;
            }
            out.large(page.place.offset);
            out.small(page.place.length);
            out.small(page.count);
            out.bytes(&page.first);
            out.bytes(&page.last);
        }
        Some(())
    }

    /// A file of a context. Most of a page are of one directory, which is written once.
    fn listed<'p>(
        &self,
        file: &'p Listed,
        name: &[u8],
        lists: &mut Lists<'p>,
        out: &mut Writer,
    ) -> Option<()> {
        let list = (self.place_of_context(file.context())?, file.directory());
        let known = lists.0.iter().rposition(|known| *known == list);
        out.small(known.unwrap_or(lists.0.len()) as u32);
        if known.is_none() {
            out.small(list.0);
            out.bytes(list.1);
            lists.0.push(list);
        }
        out.byte((file.name() == name).into());
        if file.name() != name {
            out.bytes(file.name());
        }
        out.large(file.size());
        out.byte(file.is_linked().into());
        out.stamp(file.stamp());
        Some(())
    }

    fn place_of_context(&self, context: &cogpack_ir::plan::InputName) -> Option<u32> {
        let contexts = &mut self.state().contexts;
        let place = contexts.iter().position(|known| known == context).unwrap_or_else(|| {
            contexts.push(context.clone());
            contexts.len() - 1
        });
        u32::try_from(place).ok()
    }

    /// The bytes are in the plan, so that they are in memory anyway.
    fn place_of_content(&self, content: &Arc<cogpack_ir::plan::FileContent>) -> Option<u32> {
        let contents = &mut self.state().contents;
        contents.push(Arc::clone(content));
        u32::try_from(contents.len() - 1).ok()
    }

    /// The page that was written so.
    pub(super) fn read(self: Arc<Self>, bytes: &[u8]) -> Page<Node<Content>> {
        let mut from = Reader(bytes);
        let mut listers: Vec<Lister> = Vec::new();
        let mut entries: Vec<(&[u8], Read)> = Vec::new();
        for _ in 0..from.small() {
            let name = from.bytes();
            let tag = from.byte();
            let read = match tag {
                DIRECTORY => Read::Whole(Node::Directory(Arc::new(self.read_directory(&mut from)))),
                SYMLINK => Read::Whole(Node::Symlink { ids: from.ids(), target: from.bytes().into() }),
                CHARACTER_DEVICE | BLOCK_DEVICE | PIPE => {
                    let attributes = from.attributes();
                    let (major, minor) = (from.small(), from.small());
                    let kind = match tag {
                        CHARACTER_DEVICE => SpecialKind::CharacterDevice { major, minor },
                        BLOCK_DEVICE => SpecialKind::BlockDevice { major, minor },
                        _ => SpecialKind::Pipe,
                    };
                    Read::Whole(Node::Special { attributes, kind })
                }
                LISTED => {
                    let attributes = from.attributes();
                    Read::Listed(attributes, self.read_listed(&mut from, name, &mut listers))
                }
                _ => {
                    let attributes = from.attributes();
                    let content = match tag {
                        INLINE => Content::Inline(Arc::clone(&self.state().contents[from.small() as usize])),
                        OF_LAYER => Content::Layer(Arc::new(LayerFile {
                            layer: from.digest(),
                            entry: from.large(),
                            size: from.large(),
                        })),
                        _ => Content::Kept(Arc::new(KeptFile {
                            part: from.digest(),
                            path: from.bytes().to_vec(),
                            size: from.large(),
                            linked: from.byte() != 0,
                        })),
                    };
                    Read::Whole(Node::File { attributes, content })
                }
            };
            entries.push((name, read));
        }
        let mut lists: Vec<_> = listers.iter_mut().map(Lister::take).collect();
        Page::from_sorted(entries.into_iter().map(|(name, read)| {
            let node = match read {
                Read::Whole(node) => node,
                // Each was added to its list in this order.
                Read::Listed(attributes, list) => match lists[list].next() {
                    Some(file) => Node::File { attributes, content: Content::Context(file) },
                    None => unreachable!("a list has as many files as were added to it"),
                },
            };
            (name, node)
        }))
    }

    fn read_directory(self: &Arc<Self>, from: &mut Reader<'_>) -> Directory<Content> {
        let attributes = from.attributes();
        let count = from.small();
        let pages = (0..count).map(|_| AwayPage {
            depot: Arc::clone(self) as Arc<dyn Depot<Node<Content>>>,
            place: Place { offset: from.large(), length: from.small() },
            count: from.small(),
            first: from.bytes().into(),
            last: from.bytes().into(),
        });
        Directory { attributes, children: Entries::of_away_pages(pages) }
    }

    /// Adds a file to its list, and says which that is.
    fn read_listed(&self, from: &mut Reader<'_>, name: &[u8], listers: &mut Vec<Lister>) -> usize {
        let list = from.small() as usize;
        if list == listers.len() {
            let context = self.state().contexts[from.small() as usize].clone();
            listers.push(Lister::new(&context, from.bytes()));
        }
        let name = if from.byte() != 0 { name } else { from.bytes() };
        let (size, linked) = (from.large(), from.byte() != 0);
        let stamp = from.stamp();
        listers[list].add(name, size, linked, stamp);
        list
    }
}

/// Directories of contexts that a page has named so far.
#[derive(Default)]
struct Lists<'p>(Vec<(u32, &'p [u8])>);

/// An entry of a page as far as it was read.
enum Read {
    Whole(Node<Content>),
    /// The next file of a list.
    Listed(Attributes, usize),
}
