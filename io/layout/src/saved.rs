//! Images out of archives on disk: those that `docker save` writes, and archives of layouts.
//!
//! Each file of the archive is hashed on its way into a store, where blobs lie as in a layout;
//! after that an image of the archive is like one of a layout. An archive of a layout says by what
//! digest each blob goes, and must be right. One of `docker save` says which files are the config
//! and the layers of an image; the manifest is made here, so its digest is not that of a registry.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use cogpack_backends_oci_direct::documents::{Descriptor, Index, Manifest, REFERENCE_NAME, media};
use cogpack_content::{Digest, Platform};
use cogpack_io_store::copying::{Halted, copy};
use cogpack_io_store::{Store, StoreError};
use serde::Deserialize;

use crate::blobs::{self, BlobError, HashingReader};
use crate::read::{LARGEST_DOCUMENT, Layout, ReadError, StoredImage, Wanted};
use crate::tar_reader::{EntryKind, TarError, TarReader};

/// Why an archive gave no image.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It could not be opened.
    #[error("open the archive")]
    Open(#[source] io::Error),
    /// It cannot be read.
    #[error("read the archive")]
    Archive(#[from] TarError),
    /// What it says of itself is not what it holds.
    #[error("the archive holds no images: {0}")]
    NoImages(String),
    /// A blob is not what its name says.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The image cannot be used.
    #[error(transparent)]
    Image(#[from] ReadError),
}

/// The images of an archive, in a store.
#[derive(Debug)]
pub struct Saved {
    layout: Layout,
    index: Index,
    /// What the archive holds.
    blobs: BTreeMap<Digest, u64>,
}

/// What an archive has at a path.
#[derive(Debug, Clone)]
enum Part {
    Blob(Kept),
    /// Another name of what is at this path.
    Link(String),
}

/// A file of an archive, in the store.
#[derive(Debug, Clone)]
struct Kept {
    digest: Digest,
    size: u64,
    /// What it begins with, by which compressed layers are known.
    start: Vec<u8>,
}

/// An image in `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SavedImage {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// A link of a link of a link is no use.
const MOST_LINKS: usize = 8;
/// No archive of images has more files; a hostile one must not fill memory with their names.
const MOST_PARTS: usize = 100_000;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

impl Saved {
    /// Takes in an archive on disk.
    pub fn open(path: &Path, store: &Store) -> Result<Self, SavedError> {
        Self::read(io::BufReader::with_capacity(1 << 16, File::open(path).map_err(SavedError::Open)?), store)
    }

    /// Takes in an archive as it comes.
    pub fn read(archive: impl Read, store: &Store) -> Result<Self, SavedError> {
        let parts = Parts::read(archive, store)?;
        let index = match parts.document("index.json", store)? {
            Some(bytes) => parts.index(&bytes)?,
            None => parts.saved_by_docker(store)?,
        };
        Ok(Self { layout: Layout::of_store(store), index, blobs: parts.blobs() })
    }

    /// Finds an image in it. What it is made of lies in the layout that comes with it.
    pub fn image(self, wanted: Wanted<'_>, platform: &Platform) -> Result<(Layout, StoredImage), SavedError> {
        let image = match wanted.digest {
            // The store may have others, whose layers nobody has fetched.
            Some(digest) if !self.blobs.contains_key(&digest) => {
                return Err(SavedError::NoImages(format!("none has the digest {digest}")));
            }
            Some(_) => self.layout.image(wanted, platform)?,
            None => self.layout.image_of(self.index, wanted.tag, platform)?,
        };
        for layer in &image.layers {
            let blob = layer.blob.blob;
            if self.blobs.get(&blob.digest) != Some(&blob.size) {
                return Err(SavedError::NoImages(format!("the layer {} is missing", blob.digest)));
            }
        }
        Ok((self.layout, image))
    }
}

/// What an archive holds, by path.
struct Parts(BTreeMap<String, Part>);

impl Parts {
    fn read(archive: impl Read, store: &Store) -> Result<Self, SavedError> {
        let work = store.work()?;
        let mut archive = TarReader::new(archive);
        let mut parts = BTreeMap::new();
        while let Some(entry) = archive.next_entry()? {
            let path = String::from_utf8_lossy(&entry.path).into_owned();
            let part = match &entry.kind {
                EntryKind::File { size } => {
                    let to = work.path().join("part");
                    let kept = keep(archive.content(*size), *size, &to)?;
                    if let Some(digits) = path.strip_prefix("blobs/sha256/")
                        && let Ok(named) = format!("sha256:{digits}").parse::<Digest>()
                    {
                        blobs::check(path.clone().into(), &named, None, kept.digest, kept.size)?;
                    }
                    store.keep_blob(&kept.digest, &to)?;
                    Part::Blob(kept)
                }
                // Docker before 25 writes a layer once, and links to it from other images.
                EntryKind::Symlink(target) => match beside(&path, &String::from_utf8_lossy(target)) {
                    Some(target) => Part::Link(target),
                    None => continue,
                },
                EntryKind::HardLink(target) => Part::Link(String::from_utf8_lossy(target).into_owned()),
                EntryKind::Directory
                | EntryKind::CharacterDevice(..)
                | EntryKind::BlockDevice(..)
                | EntryKind::Pipe
                | EntryKind::Unknown { .. } => continue,
            };
            parts.insert(path, part);
            if parts.len() > MOST_PARTS {
                return Err(SavedError::NoImages(format!("it has more than {MOST_PARTS} files")));
            }
        }
        Ok(Self(parts))
    }

    fn blobs(&self) -> BTreeMap<Digest, u64> {
        let kept = self.0.values().filter_map(|part| match part {
            Part::Blob(kept) => Some((kept.digest, kept.size)),
            Part::Link(_) => None,
        });
        kept.collect()
    }

    /// What is at a path, through links.
    fn at(&self, path: &str) -> Result<&Kept, SavedError> {
        let mut at = path;
        for _ in 0..MOST_LINKS {
            match self.0.get(at) {
                Some(Part::Blob(kept)) => return Ok(kept),
                Some(Part::Link(target)) => at = target,
                None => break,
            }
        }
        Err(SavedError::NoImages(format!("it speaks of `{path}`, and has no such file")))
    }

    fn document(&self, path: &str, store: &Store) -> Result<Option<Vec<u8>>, SavedError> {
        if !self.0.contains_key(path) {
            return Ok(None);
        }
        let kept = self.at(path)?;
        let bytes = blobs::read_document(store.root(), &kept.digest, Some(kept.size), LARGEST_DOCUMENT)?;
        Ok(Some(bytes))
    }

    /// The index of an archive of a layout.
    fn index(&self, bytes: &[u8]) -> Result<Index, SavedError> {
        if !self.0.contains_key("oci-layout") {
            return Err(SavedError::NoImages("it has an `index.json`, and no `oci-layout`".to_owned()));
        }
        serde_json::from_slice(bytes)
            .map_err(|error| SavedError::NoImages(format!("its `index.json`: {error}")))
    }

    /// The images of an archive of `docker save`, with manifests made for them.
    fn saved_by_docker(&self, store: &Store) -> Result<Index, SavedError> {
        let Some(bytes) = self.document("manifest.json", store)? else {
            let neither = "it has neither `index.json` nor `manifest.json`".to_owned();
            return Err(SavedError::NoImages(neither));
        };
        let images: Vec<SavedImage> = serde_json::from_slice(&bytes)
            .map_err(|error| SavedError::NoImages(format!("its `manifest.json`: {error}")))?;
        let mut manifests = Vec::new();
        for image in images {
            let descriptor = self.manifest_of(&image, store)?;
            // Where it has no name, it can still be the only one.
            let names = image.repo_tags.unwrap_or_default();
            let tags = names.iter().filter_map(|name| name.rsplit_once(':')).map(|(_, tag)| tag.to_owned());
            let tagged = tags.map(|tag| Descriptor {
                annotations: BTreeMap::from([(REFERENCE_NAME.to_owned(), tag)]),
                ..descriptor.clone()
            });
            let before = manifests.len();
            manifests.extend(tagged);
            if manifests.len() == before {
                manifests.push(descriptor);
            }
        }
        Ok(Index { schema_version: 2, media_type: None, manifests, annotations: BTreeMap::new() })
    }

    fn manifest_of(&self, image: &SavedImage, store: &Store) -> Result<Descriptor, SavedError> {
        let layers = image.layers.iter().flatten().map(|path| {
            let kept = self.at(path)?;
            let media_type = match &kept.start[..] {
                start if start.starts_with(&GZIP) => media::LAYER_GZIP,
                start if start.starts_with(&ZSTD) => media::LAYER_ZSTD,
                _ => media::LAYER,
            };
            Ok(descriptor(media_type, kept.digest, kept.size))
        });
        let config = self.at(&image.config)?;
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(media::MANIFEST.to_owned()),
            config: descriptor(media::DOCKER_CONFIG, config.digest, config.size),
            layers: layers.collect::<Result<_, SavedError>>()?,
            annotations: BTreeMap::new(),
        };
        let bytes = serde_json::to_vec(&manifest)
            .map_err(|error| SavedError::NoImages(format!("a manifest: {error}")))?;
        let digest = Digest::of(&bytes);
        let work = store.work()?;
        keep(&bytes[..], bytes.len() as u64, &work.path().join("manifest"))?;
        store.keep_blob(&digest, &work.path().join("manifest"))?;
        Ok(descriptor(media::MANIFEST, digest, bytes.len() as u64))
    }
}

fn descriptor(media_type: &str, digest: Digest, size: u64) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest: digest.to_string(),
        size,
        platform: None,
        annotations: BTreeMap::new(),
    }
}

/// Writes a file of an archive, and hashes it.
fn keep(mut content: impl Read, size: u64, to: &Path) -> Result<Kept, SavedError> {
    let mut start = Vec::new();
    content.by_ref().take(ZSTD.len() as u64).read_to_end(&mut start).map_err(TarError::Read)?;
    let mut hashed = HashingReader::new(start.chain(content));
    let mut file = File::create(to).map_err(|source| StoreError::Disk {
        attempt: "write",
        path: to.to_owned(),
        source,
    })?;
    copy(&mut hashed, &mut file, to).map_err(|halted| match halted {
        Halted::Read(source) => SavedError::from(TarError::Read(source)),
        Halted::Write(error) => error.into(),
    })?;
    let (digest, length) = hashed.finish().map_err(TarError::Read)?;
    if length != size {
        return Err(TarError::Read(io::ErrorKind::UnexpectedEof.into()).into());
    }
    Ok(Kept { digest, size, start })
}

/// Where a link at `path` leads; nowhere outside of the archive.
fn beside(path: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { path.split('/').collect() };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}
