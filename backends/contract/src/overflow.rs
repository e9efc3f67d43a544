//! What memory has no room for: pages of directories, as bytes that somebody with a disk keeps.
//!
//! A tree may have any number of entries, and an image of it takes one walk after the other over them.
//! So pages are taken away as soon as they are whole, and are read again, one after the other, by each
//! walk. Nothing but this process ever reads the bytes, so that their form has no version.
//!
//! What cannot be kept elsewhere, because a disk is full, stays in memory. What was kept and does
//! not come back leaves nothing to go on with, wherever that is noticed: [`Lost`] unwinds to whoever
//! began, who says what the disk said.

pub mod log;
pub mod lookup;
pub mod noted;

mod pages;
mod parts;
mod text;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cogpack_ir::plan::{FileContent, InputName};

use crate::content::Content;
use crate::entries::Entries;
use crate::entries::held::{Depot, Place};
use crate::entries::page::Page;
use crate::tree::{Directory, Node, Tree};

/// Keeps bytes, as a file does that has no name.
pub trait Bytes: Send + Sync {
    /// Keeps more of them, and says where the first is.
    fn append(&self, bytes: &[u8]) -> io::Result<u64>;

    /// Gives back as many as there is room for, from a place on.
    fn read(&self, offset: u64, into: &mut [u8]) -> io::Result<()>;
}

/// A page that was kept and does not come back: what unwinding carries.
#[derive(Debug, thiserror::Error)]
#[error("read again what was laid aside in a temporary file")]
pub struct Lost(#[source] pub io::Error);

/// Keeps pages of directories.
pub struct Overflow {
    bytes: Arc<dyn Bytes>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether something could not be kept: then nothing more is tried.
    is_full: bool,
    /// What pages name by its place here.
    contexts: Vec<InputName>,
    contents: Vec<Arc<FileContent>>,
    /// What was read last, the latest at the end.
    latest: VecDeque<(u64, Arc<Page<Node<Content>>>)>,
}

/// How many pages that were read are kept: who looks at one name after the other comes back to them.
const LATEST: usize = 4;

impl Overflow {
    /// One that keeps its bytes there.
    pub fn new(bytes: Arc<dyn Bytes>) -> Arc<Self> {
        Arc::new(Self { bytes, state: Mutex::default() })
    }

    /// Takes away what of a directory is in memory, and can be taken: all but pages with directories
    /// that are in memory themselves.
    pub fn take(self: &Arc<Self>, entries: &mut Entries<Node<Content>>) {
        if !self.state().is_full {
            entries.put_away(&(Arc::clone(self) as Arc<dyn Depot<Node<Content>>>));
        }
    }

    /// The same of all directories of a tree.
    pub fn take_tree(self: &Arc<Self>, tree: &mut Tree<Content>) {
        if let Some(root) = tree.directory_mut(&[]) {
            self.take_below(root);
        }
    }

    fn take_below(self: &Arc<Self>, directory: &mut Directory<Content>) {
        directory.children.each_directory_here(&mut |below| self.take_below(below));
        self.take(&mut directory.children);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who keeps what memory has no room for of a tree; nothing where all of it is in memory.
pub fn bytes_of(tree: &Tree<Content>) -> Option<Arc<dyn Bytes>> {
    bytes_below(tree.root())
}

fn bytes_below(directory: &Directory<Content>) -> Option<Arc<dyn Bytes>> {
    match directory.children.depot() {
        Some(depot) => depot.bytes(),
        None => directory.children.iter().find_map(|entry| match entry.parts().1 {
            Node::Directory(below) => bytes_below(below),
            Node::File { .. } | Node::Symlink { .. } | Node::Special { .. } => None,
        }),
    }
}

impl Depot<Node<Content>> for Overflow {
    fn put(self: Arc<Self>, page: &Page<Node<Content>>) -> Option<Place> {
        if self.state().is_full {
            return None;
        }
        let written = self.written(page)?;
        let length = u32::try_from(written.len()).ok()?;
        match self.bytes.append(&written) {
            Ok(offset) => Some(Place { offset, length }),
            Err(_) => {
                self.state().is_full = true;
                None
            }
        }
    }

    fn bytes(&self) -> Option<Arc<dyn Bytes>> {
        Some(Arc::clone(&self.bytes))
    }

    fn get(self: Arc<Self>, place: Place) -> Arc<Page<Node<Content>>> {
        let found = self.state().latest.iter().find(|(offset, _)| *offset == place.offset).cloned();
        if let Some((_, page)) = found {
            return page;
        }
        let mut bytes = vec![0; place.length as usize];
        if let Err(error) = self.bytes.read(place.offset, &mut bytes) {
            // No hook hears of it: the mistake is not ours.
            std::panic::resume_unwind(Box::new(Lost(error)));
        }
        let page = Arc::new(Arc::clone(&self).read(&bytes));
        let mut state = self.state();
        if state.latest.len() == LATEST {
            state.latest.pop_front();
        }
        state.latest.push_back((place.offset, Arc::clone(&page)));
        page
    }
}

impl std::fmt::Debug for Overflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overflow").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
