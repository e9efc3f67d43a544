//! Opens files of base images that nobody has unpacked: each out of the layer that it is in.
//!
//! Meant for the few small files that tell what an image is, such as those that explain the names of
//! owners: a layer is read from its start for each of them, once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use cogpack_backends_contract::content::{ContentSource, ContextFile, KeptContent, KeptFile, LayerFile};
use cogpack_content::Digest;
use cogpack_ir::plan::InputName;

use crate::read::{Layout, StoredImage};

/// The most that a file of a layer may have to be read into memory.
const LARGEST: u64 = 16 << 20;

/// The files of bases, and those that something else opens.
pub struct BaseFiles<'a> {
    images: &'a BTreeMap<InputName, (Layout, StoredImage)>,
    others: &'a dyn ContentSource,
    /// What was read, by layer and place in it.
    found: RefCell<BTreeMap<(Digest, u64), Vec<u8>>>,
}

impl<'a> BaseFiles<'a> {
    /// The files of these images; all others are opened by `others`.
    pub fn new(
        images: &'a BTreeMap<InputName, (Layout, StoredImage)>,
        others: &'a dyn ContentSource,
    ) -> Self {
        Self { images, others, found: RefCell::default() }
    }

    fn read(&self, file: &LayerFile) -> io::Result<Vec<u8>> {
        if file.size > LARGEST {
            let size = file.size;
            return Err(io::Error::other(format!("it has {size} bytes, and {LARGEST} is the most")));
        }
        let mut bytes = Vec::new();
        let layers = self.images.values().flat_map(|(layout, image)| {
            image.layers.iter().filter(|layer| layer.blob.diff_id == file.layer).map(move |it| (layout, it))
        });
        let Some((layout, layer)) = layers.into_iter().next() else {
            return Err(io::Error::other(format!("the layer {} is in no base image", file.layer)));
        };
        let read = layout.entries(layer, &mut |place, _, content| {
            if place == file.entry { content.read_to_end(&mut bytes).map(drop) } else { Ok(()) }
        });
        read.map_err(io::Error::other)?;
        Ok(bytes)
    }
}

impl ContentSource for BaseFiles<'_> {
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        self.others.open(file)
    }

    fn open_kept<'s>(&'s self, file: &KeptFile) -> io::Result<KeptContent<'s>> {
        self.others.open_kept(file)
    }

    fn open_layer<'s>(&'s self, file: &LayerFile) -> io::Result<Box<dyn Read + 's>> {
        let key = (file.layer, file.entry);
        let known = self.found.borrow().get(&key).cloned();
        let bytes = match known {
            Some(bytes) => bytes,
            None => {
                let bytes = self.read(file)?;
                self.found.borrow_mut().insert(key, bytes.clone());
                bytes
            }
        };
        Ok(Box::new(Cursor::new(bytes)))
    }
}
