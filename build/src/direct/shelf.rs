//! Filesystems on disk: those of bases, those that file ops make, those that programs leave. Each
//! is a list of parts in the store, and the tree that these make together.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cogpack_backends_contract::content::{Content, ContentSource, ContextFile, KeptContent, KeptFile};
use cogpack_backends_contract::tree::{Name, Node, Tree, components, text};
use cogpack_backends_oci_direct::inputs::{BaseImage, BaseLayer};
use cogpack_backends_oci_direct::layer::Layer;
use cogpack_backends_oci_direct::program::{Filesystem, Origin};
use cogpack_content::Digest;
use cogpack_io_layout::allowance::Allowance;
use cogpack_io_layout::read::{Layout, StoredImage};
use cogpack_io_layout::tar_reader::EntryKind;
use cogpack_io_project::room::Room;
use cogpack_io_runtime::part::{PartError, Writer};
use cogpack_io_store::Store;
use cogpack_io_store::work::Work;

use super::content::{self, Contents};
use super::key::Key;
use super::later::{Dates, Later};
use super::part;
use crate::failure::BuildError;

/// A filesystem on disk.
#[derive(Debug, Clone, Default)]
pub struct OnDisk {
    /// Its parts, lowest first.
    pub parts: Vec<Digest>,
    /// All that is in it.
    pub tree: Tree<Content>,
}

/// The filesystems of one build.
pub struct Shelf<'b> {
    pub store: &'b Store,
    pub files: Contents<'b>,
    /// What programs see of when a file that the plan makes was changed.
    time: (i64, u32),
    known: Mutex<BTreeMap<Origin, OnDisk>>,
    /// For what memory has no room for.
    pub room: Room,
}

impl<'b> Shelf<'b> {
    /// An empty one. What the plan makes is dated `time`, in seconds since 1970.
    pub fn new(store: &'b Store, files: Contents<'b>, time: u64) -> Self {
        let time = (i64::try_from(time).unwrap_or(i64::MAX), 0);
        Self { store, files, time, known: Mutex::default(), room: Room::default() }
    }

    /// Unpacks a base image, as far as that has not been done before. Its parts are kept when all of
    /// them are there: nothing stays of an image that is refused.
    pub fn add_base(
        &self,
        origin: Origin,
        layout: &Layout,
        image: &StoredImage,
    ) -> Result<BaseImage, BuildError> {
        let mut base = OnDisk::default();
        let mut unpacked = Unpacked { files: self.files, parts: BTreeMap::new() };
        let allowance = Allowance::of(&image.layers);
        for layer in &image.layers {
            let below = base.parts.last().map(Digest::hex).unwrap_or_default();
            let id = Key::new("layer 1").and(below).and(layer.diff_id().hex()).digest();
            let path = match self.store.part(&id) {
                Some(path) => path,
                None => {
                    let work = self.store.work().map_err(here("use the store"))?;
                    let root = work.path().join("part");
                    fs::create_dir(&root).map_err(here(format!("make `{}`", root.display())))?;
                    self.unpack(layout, layer, &allowance, &base.tree, &unpacked, &root)?;
                    unpacked.parts.insert(id, (work, root.clone()));
                    root
                }
            };
            part::lay(id, &path, &self.room, &mut base.tree).map_err(here("read an unpacked base image"))?;
            base.parts.push(id);
        }
        for id in &base.parts {
            if let Some((_, root)) = unpacked.parts.get(id) {
                self.store.keep_part(id, root).map_err(here("use the store"))?;
            }
        }
        let tree = base.tree.clone();
        self.known().insert(origin, base);
        Ok(BaseImage { layers: image.layers.clone(), history: image.history.clone(), tree })
    }

    /// Unpacks a layer that lies on `below` into the empty directory `root`. Files keep the times
    /// that they have in the layer: programs compare them with what they find in other files.
    fn unpack(
        &self,
        layout: &Layout,
        layer: &BaseLayer,
        allowance: &Allowance,
        below: &Tree<Content>,
        files: &Unpacked<'_>,
        root: &Path,
    ) -> Result<(), BuildError> {
        let mut after = below.clone();
        layout.lay(layer, allowance, &mut after).map_err(here("read a base image"))?;
        let (mut later, mut dates) = (Later::new(&self.room), Dates::new(&self.room));
        part::write(below, &after, files, self.time, root, &mut later)
            .map_err(here("unpack a base image"))?;
        let writer = Writer::adding_to(root);
        // What cannot be written is no fault of the layer that is read.
        let mut unwritten = None;
        let unpacked = layout.entries(layer, &mut |place, entry, bytes| {
            if let EntryKind::Directory | EntryKind::Symlink(_) = entry.kind
                && let Ok(path) = after.resolve(&entry.path, false)
            {
                dates.add(&path.join(&b'/'), entry.modified);
            }
            let mut names = later.names(place);
            let Some(first) = names.next().transpose()? else { return Ok(()) };
            let mut bytes = Coming { bytes, failed: None };
            let written = writer.file(&first.path, first.attributes, &mut bytes, entry.capability.as_deref());
            if let Some(error) = bytes.failed {
                return Err(error);
            }
            let mut keep = |error: PartError| {
                unwritten = Some(error);
                io::Error::other("it was not written")
            };
            written.map_err(&mut keep)?;
            writer.date(&first.path, entry.modified).map_err(&mut keep)?;
            names.try_for_each(|other| writer.hard_link(&other?.path, &first.path).map_err(&mut keep))
        });
        if let Some(error) = unwritten {
            return Err(here("unpack a base image")(error));
        }
        unpacked.map_err(here("unpack a base image"))?;
        let disk = |error: PartError| io::Error::other(error);
        let dated = dates.each(&mut |path, modified| {
            // What the layer says of a path that it then takes away, or of one that it only names
            // another way, is not there.
            match after.get(&components(path)) {
                Some(Node::Directory(_) | Node::Symlink { .. }) => {
                    writer.date_if_there(path, modified).map_err(disk)
                }
                Some(Node::File { .. } | Node::Special { .. }) | None => Ok(()),
            }
        });
        dated.map_err(here("unpack a base image"))
    }

    /// The parts of a filesystem that is on disk, lowest first.
    pub fn parts_of(&self, origin: &Origin) -> Vec<Digest> {
        self.known().get(origin).map(|files| files.parts.clone()).unwrap_or_default()
    }

    /// What a program has left.
    pub fn add_program(&self, origin: Origin, left: OnDisk) {
        self.known().insert(origin, left);
    }

    /// A filesystem on disk. What file ops have made of it since it was there last is written.
    pub fn on_disk(&self, filesystem: &Filesystem) -> Result<OnDisk, BuildError> {
        let start = self.known().get(&filesystem.origin).cloned().unwrap_or_default();
        let layer =
            Layer::between(&start.tree, &filesystem.tree).map_err(here("write a filesystem to disk"))?;
        let is_same_root = start.tree.root().attributes == filesystem.tree.root().attributes;
        if layer.is_empty() && (is_same_root || start.parts.is_empty()) {
            return Ok(start);
        }
        let diff_id = layer.diff_id(&self.files, 0).map_err(here("write a filesystem to disk"))?;
        let below = start.parts.last().map(Digest::hex).unwrap_or_default();
        let root = filesystem.tree.root().attributes;
        let id = Key::new("files 1")
            .and(below)
            .and(diff_id.hex())
            .and(format!("{} {}:{}", root.mode, root.ids.user, root.ids.group))
            .digest();
        if self.store.part(&id).is_none() {
            let work = self.store.work().map_err(here("use the store"))?;
            let root = work.path().join("part");
            fs::create_dir(&root).map_err(here(format!("make `{}`", root.display())))?;
            // Its files are on disk, or in the plan.
            let mut later = Later::new(&self.room);
            part::write(&start.tree, &filesystem.tree, &self.files, self.time, &root, &mut later)
                .map_err(here("write a filesystem to disk"))?;
            self.store.keep_part(&id, &root).map_err(here("use the store"))?;
        }
        let parts = start.parts.into_iter().chain([id]).collect();
        Ok(OnDisk { parts, tree: filesystem.tree.clone() })
    }

    /// What a mount shows, on disk. Of what is made by file ops alone, only what is shown.
    pub fn mounted(&self, from: &Filesystem, select: &[Name]) -> Result<OnDisk, BuildError> {
        if from.origin != Origin::Nothing {
            return self.on_disk(from);
        }
        let Some(node) = from.tree.get(select) else { return self.on_disk(from) };
        let mut tree = Tree::empty();
        let above = select.split_last().map_or(&[][..], |(_, above)| above);
        let made = tree
            .make_directories(above, cogpack_backends_contract::tree::Attributes::ON_THE_WAY)
            .and_then(|()| tree.insert(select, node.clone()));
        made.map_err(here(format!("mount `{}`", text(select))))?;
        self.on_disk(&Filesystem { tree, origin: Origin::Nothing })
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Origin, OnDisk>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of a file as a layer gives them, and why it gives no more: whoever writes them cannot tell that
/// from what is wrong with the disk.
struct Coming<'b> {
    bytes: &'b mut dyn Read,
    failed: Option<io::Error>,
}

impl Read for Coming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer).map_err(|error| {
            let kind = error.kind();
            if kind == io::ErrorKind::Interrupted {
                return error;
            }
            self.failed = Some(error);
            kind.into()
        })
    }
}

/// Parts of an image that is being unpacked, which nobody else may see yet, beside what is kept.
struct Unpacked<'b> {
    files: Contents<'b>,
    /// Each with what it was made in, which goes with it.
    parts: BTreeMap<Digest, (Work, PathBuf)>,
}

impl ContentSource for Unpacked<'_> {
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        self.files.open(file)
    }

    fn open_kept<'s>(&'s self, file: &KeptFile) -> io::Result<KeptContent<'s>> {
        match self.parts.get(&file.part) {
            Some((_, root)) => content::open_in(root, file),
            None => self.files.open_kept(file),
        }
    }
}

/// Something on this machine stood in the way.
pub fn here<E: Error + Send + Sync + 'static>(attempted: impl Into<String>) -> impl FnOnce(E) -> BuildError {
    |source| BuildError::Here { attempted: attempted.into(), source: Box::new(source) }
}
