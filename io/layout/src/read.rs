//! Reads an image out of a layout on disk: finds its manifest, checks every digest and size on
//! the way, and gives what is needed to build on it.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use cogpack_backends_contract::config_json::HistoryEntry;
use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::Tree;
use cogpack_backends_oci_direct::blob::{Blob, LayerBlob};
use cogpack_backends_oci_direct::documents::{
    Descriptor, Index, LayoutMark, Manifest, PlatformDocument, REFERENCE_NAME, media,
};
use cogpack_backends_oci_direct::inputs::{BaseImage, BaseLayer};
use cogpack_content::{Digest, Platform};
use cogpack_io_store::Store;
use cogpack_ir::plan::ImageConfig;
use flate2::bufread::MultiGzDecoder;

use crate::allowance::Allowance;
use crate::blobs::{self, BlobError, HashingReader};
use crate::image_config::{self, ConfigError};
use crate::layer_tree::{self, LayerError};
use crate::take::Keeper;
use crate::tar_reader::{Entry, EntryKind, TarError, TarReader};

/// Why an image cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The directory is no layout.
    #[error("`{}` is no OCI image layout: {reason}", path.display())]
    NoLayout {
        /// The directory.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// No image, or more than one, is what was asked for.
    #[error("the layout `{}` has {found}", path.display())]
    NotFound {
        /// The layout.
        path: PathBuf,
        /// What it has and what it has not.
        found: String,
    },
    /// A blob is missing or damaged.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A document is not what its descriptor says.
    #[error("the blob {digest} of the layout `{}` is {reason}", path.display())]
    Document {
        /// The layout.
        path: PathBuf,
        /// The blob.
        digest: Digest,
        /// What is wrong with it.
        reason: String,
    },
    /// The config cannot be used.
    #[error("use the image config {digest} of the layout `{}`", path.display())]
    Config {
        /// The layout.
        path: PathBuf,
        /// The blob.
        digest: Digest,
        /// Why not.
        #[source]
        source: ConfigError,
    },
    /// A layer cannot be used.
    #[error("read the layer {digest} of the layout `{}`", path.display())]
    Layer {
        /// The layout.
        path: PathBuf,
        /// The blob.
        digest: Digest,
        /// Why not.
        #[source]
        source: LayerError,
    },
}

/// Which image of a layout: by digest, else by tag, else the only one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// The digest of a manifest or index.
    pub digest: Option<Digest>,
    /// Its `org.opencontainers.image.ref.name`.
    pub tag: Option<&'a str>,
}

/// A layout on disk.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
    keeper: Keeper,
}

/// An image of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// The digest of the manifest.
    pub manifest: Digest,
    /// The config, as far as plans know it.
    pub config: ImageConfig,
    /// Instructions for builders of Dockerfiles that start from it.
    pub triggers: Vec<String>,
    /// The config, as it is stored.
    pub document: Vec<u8>,
    /// The layers, lowest first.
    pub layers: Vec<BaseLayer>,
    /// How they came to be.
    pub history: Vec<HistoryEntry>,
}

/// What registries accept of a manifest.
pub const LARGEST_DOCUMENT: u64 = 8 << 20;
/// Indexes in indexes in indexes have no use.
pub(crate) const DEEPEST_INDEX: usize = 4;

impl Layout {
    /// Opens the layout in a directory.
    pub fn open(root: &Path) -> Result<Self, ReadError> {
        let no_layout = |reason| ReadError::NoLayout { path: root.to_owned(), reason };
        let mark = root.join("oci-layout");
        let bytes = fs::read(&mark).map_err(|error| no_layout(format!("`oci-layout`: {error}")))?;
        let mark: LayoutMark =
            serde_json::from_slice(&bytes).map_err(|error| no_layout(format!("`oci-layout`: {error}")))?;
        if !mark.image_layout_version.starts_with("1.") {
            return Err(no_layout(format!("its version is `{}`", mark.image_layout_version)));
        }
        Ok(Self { root: root.to_owned(), keeper: Keeper::Somebody })
    }

    /// The blobs of a store. Images of it are found by their digest alone.
    pub fn of_store(store: &Store) -> Self {
        Self { root: store.root().to_owned(), keeper: Keeper::Store }
    }

    /// Where the layout is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Who keeps its blobs.
    pub(crate) fn keeper(&self) -> Keeper {
        self.keeper
    }

    /// Finds an image.
    pub fn image(&self, wanted: Wanted<'_>, platform: &Platform) -> Result<StoredImage, ReadError> {
        let found = match wanted.digest {
            Some(digest) => self.by_digest(digest, platform)?,
            None => self.by_tag(wanted.tag, platform)?,
        };
        self.of_manifest(found, platform)
    }

    /// Finds an image by an index that lies elsewhere: the one with a tag, else the only one.
    pub fn image_of(
        &self,
        index: Index,
        tag: Option<&str>,
        platform: &Platform,
    ) -> Result<StoredImage, ReadError> {
        let found = self.tagged(index, tag, platform)?;
        self.of_manifest(found, platform)
    }

    /// Reads the layers of an image, so that it can be built on.
    pub fn base(&self, image: &StoredImage) -> Result<BaseImage, ReadError> {
        let mut tree = Tree::empty();
        let allowance = Allowance::of(&image.layers);
        for layer in &image.layers {
            self.lay(layer, &allowance, &mut tree)?;
        }
        Ok(BaseImage { layers: image.layers.clone(), history: image.history.clone(), tree })
    }

    fn by_digest(&self, digest: Digest, platform: &Platform) -> Result<(Digest, Manifest), ReadError> {
        let bytes = blobs::read_document(&self.root, &digest, None, LARGEST_DOCUMENT)?;
        // Both have a schema version; only an index has manifests.
        match serde_json::from_slice::<Index>(&bytes) {
            Ok(index) => self.in_index(&index, &format!("in the index {digest}"), platform, 0),
            Err(_) => Ok((digest, self.parsed(digest, &bytes, "no manifest")?)),
        }
    }

    fn by_tag(&self, tag: Option<&str>, platform: &Platform) -> Result<(Digest, Manifest), ReadError> {
        let no_layout = |reason| ReadError::NoLayout { path: self.root.clone(), reason };
        let path = self.root.join("index.json");
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(LARGEST_DOCUMENT).read_to_end(&mut bytes))
            .map_err(|error| no_layout(format!("`index.json`: {error}")))?;
        let index = serde_json::from_slice(&bytes);
        let index: Index = index.map_err(|error| no_layout(format!("`index.json`: {error}")))?;
        self.tagged(index, tag, platform)
    }

    fn tagged(
        &self,
        mut index: Index,
        tag: Option<&str>,
        platform: &Platform,
    ) -> Result<(Digest, Manifest), ReadError> {
        let Some(tag) = tag else {
            return self.in_index(&index, "in `index.json` (name one by `tag` or `digest`)", platform, 0);
        };
        let named = |manifest: &Descriptor| manifest.annotations.get(REFERENCE_NAME).cloned();
        let names: Vec<String> = index.manifests.iter().filter_map(named).collect();
        index.manifests.retain(|manifest| named(manifest).is_some_and(|name| name == tag));
        if index.manifests.is_empty() {
            let names = if names.is_empty() { "no tags".to_owned() } else { names.join(", ") };
            return Err(self.not_found(format!("no image with the tag `{tag}`; it has {names}")));
        }
        self.in_index(&index, &format!("with the tag `{tag}`"), platform, 0)
    }

    /// The image for a platform in an index.
    fn in_index(
        &self,
        index: &Index,
        place: &str,
        platform: &Platform,
        depth: usize,
    ) -> Result<(Digest, Manifest), ReadError> {
        let descriptor = for_platform(index, platform)
            .map_err(|count| self.not_found(format!("{count} for {platform} {place}")))?;
        let digest = self.digest(descriptor)?;
        let bytes = blobs::read_document(&self.root, &digest, Some(descriptor.size), LARGEST_DOCUMENT)?;
        match descriptor.media_type.as_str() {
            media::MANIFEST | media::DOCKER_MANIFEST => {
                Ok((digest, self.parsed(digest, &bytes, "no manifest")?))
            }
            media::INDEX | media::DOCKER_INDEX if depth < DEEPEST_INDEX => {
                let nested: Index = self.parsed(digest, &bytes, "no index")?;
                self.in_index(&nested, &format!("in the index {digest}"), platform, depth + 1)
            }
            other => Err(self.document(digest, format!("of the type `{other}`, which is no image"))),
        }
    }

    fn of_manifest(
        &self,
        (digest, manifest): (Digest, Manifest),
        platform: &Platform,
    ) -> Result<StoredImage, ReadError> {
        if !matches!(manifest.config.media_type.as_str(), media::CONFIG | media::DOCKER_CONFIG) {
            let reason = format!("no image: its config is of the type `{}`", manifest.config.media_type);
            return Err(self.document(digest, reason));
        }
        let config_digest = self.digest(&manifest.config)?;
        let size = Some(manifest.config.size);
        let bytes = blobs::read_document(&self.root, &config_digest, size, LARGEST_DOCUMENT)?;
        let config = image_config::read(&bytes).map_err(|source| ReadError::Config {
            path: self.root.clone(),
            digest: config_digest,
            source,
        })?;
        let runs_on =
            PlatformDocument { os: config.os, architecture: config.architecture, variant: config.variant };
        if !fits(&runs_on, platform) {
            let reason = format!("for {}/{}, and not for {platform}", runs_on.os, runs_on.architecture);
            return Err(self.document(digest, reason));
        }
        if config.diff_ids.len() != manifest.layers.len() {
            let (layers, diff_ids) = (manifest.layers.len(), config.diff_ids.len());
            let reason = format!("a manifest of {layers} layers whose config has {diff_ids}");
            return Err(self.document(digest, reason));
        }
        let layers = manifest.layers.iter().zip(config.diff_ids).map(|(descriptor, diff_id)| {
            let digest = self.digest(descriptor)?;
            let media_type = match descriptor.media_type.as_str() {
                media::LAYER | media::DOCKER_LAYER => media::LAYER,
                media::LAYER_GZIP | media::DOCKER_LAYER_GZIP => media::LAYER_GZIP,
                media::LAYER_ZSTD => media::LAYER_ZSTD,
                other => return Err(self.document(digest, format!("a layer of the type `{other}`"))),
            };
            let blob = LayerBlob { blob: Blob { digest, size: descriptor.size }, diff_id };
            Ok(BaseLayer { media_type, blob })
        });
        let layers = layers.collect::<Result<_, _>>()?;
        Ok(StoredImage {
            manifest: digest,
            config: config.config,
            triggers: config.triggers,
            document: bytes,
            layers,
            history: config.history,
        })
    }

    /// Lays one layer over a tree, and checks both its digests.
    pub fn lay(
        &self,
        layer: &BaseLayer,
        allowance: &Allowance,
        tree: &mut Tree<Content>,
    ) -> Result<(), ReadError> {
        self.through(layer, |archive| layer_tree::lay_over(tree, layer.blob.diff_id, allowance, archive))
    }

    /// Gives away the entries of a layer, each with its place as [`Content::Layer`] counts it and
    /// files with their bytes, and checks both its digests. It is one that was [laid](Self::lay), so
    /// it is known how much it holds.
    pub fn entries(
        &self,
        layer: &BaseLayer,
        take: &mut dyn FnMut(u64, &Entry, &mut dyn Read) -> io::Result<()>,
    ) -> Result<(), ReadError> {
        self.through(layer, |archive| {
            let mut reader = TarReader::new(archive);
            let mut place = 0;
            while let Some(entry) = reader.next_entry()? {
                place += 1;
                let size = if let EntryKind::File { size } = entry.kind { size } else { 0 };
                take(place, &entry, &mut reader.content(size)).map_err(TarError::Read)?;
            }
            Ok(reader.drain()?)
        })
    }

    fn through(
        &self,
        layer: &BaseLayer,
        read: impl FnOnce(&mut dyn Read) -> Result<(), LayerError>,
    ) -> Result<(), ReadError> {
        let LayerBlob { blob, diff_id } = layer.blob;
        let path = blobs::path_of(&self.root, &blob.digest);
        let failed = |source: io::Error| BlobError::Read { path: path.clone(), source };
        let file = File::open(&path).map_err(failed)?;
        let mut stored = BufReader::with_capacity(1 << 16, HashingReader::new(file));
        let (found_diff_id, _) = {
            let plain: Box<dyn Read> = match layer.media_type {
                media::LAYER_GZIP => Box::new(MultiGzDecoder::new(&mut stored)),
                media::LAYER_ZSTD => {
                    Box::new(zstd::stream::read::Decoder::with_buffer(&mut stored).map_err(failed)?)
                }
                _ => Box::new(&mut stored),
            };
            let mut plain = HashingReader::new(plain);
            let read = read(&mut BufReader::new(&mut plain));
            read.map_err(|source| ReadError::Layer { path: self.root.clone(), digest: blob.digest, source })?;
            plain.finish().map_err(failed)?
        };
        let (found, found_size) = stored.into_inner().finish().map_err(failed)?;
        blobs::check(path.clone(), &blob.digest, Some(blob.size), found, found_size)?;
        if found_diff_id != diff_id {
            let reason = format!("a layer that holds {found_diff_id}, and not {diff_id} as its config says");
            return Err(self.document(blob.digest, reason));
        }
        Ok(())
    }

    fn parsed<T: serde::de::DeserializeOwned>(
        &self,
        digest: Digest,
        bytes: &[u8],
        otherwise: &str,
    ) -> Result<T, ReadError> {
        serde_json::from_slice(bytes).map_err(|error| self.document(digest, format!("{otherwise}: {error}")))
    }

    fn digest(&self, descriptor: &Descriptor) -> Result<Digest, ReadError> {
        descriptor.digest.parse().map_err(|error: cogpack_content::InvalidDigest| {
            self.not_found(format!("a descriptor that cannot be used: {error}"))
        })
    }

    fn document(&self, digest: Digest, reason: String) -> ReadError {
        ReadError::Document { path: self.root.clone(), digest, reason }
    }

    fn not_found(&self, found: String) -> ReadError {
        ReadError::NotFound { path: self.root.clone(), found }
    }
}

/// The one image for a platform in an index, or how many there are, in words.
pub fn for_platform<'i>(index: &'i Index, platform: &Platform) -> Result<&'i Descriptor, String> {
    let fits = |descriptor: &&Descriptor| {
        descriptor.platform.as_ref().is_none_or(|document| fits(document, platform))
    };
    let mut fitting: Vec<&Descriptor> = index.manifests.iter().filter(fits).collect();
    // An exact answer is better than one that leaves the variant open.
    let is_exact = |descriptor: &&Descriptor| descriptor.platform == Some(PlatformDocument::from(platform));
    if fitting.iter().any(is_exact) {
        fitting.retain(|descriptor| is_exact(descriptor));
    }
    // One image under two names is one image.
    fitting.sort_by(|one, other| one.digest.cmp(&other.digest));
    fitting.dedup_by(|one, other| one.digest == other.digest);
    match fitting[..] {
        [descriptor] => Ok(descriptor),
        [] => Err("no image".to_owned()),
        _ => Err(format!("{} images", fitting.len())),
    }
}

/// Whether what runs on `document` runs on `platform`: variants count where both say one.
pub(crate) fn fits(document: &PlatformDocument, platform: &Platform) -> bool {
    let variants_fit = match (document.variant.as_deref(), platform.variant()) {
        (Some(one), Some(other)) => one == other,
        (Some(_) | None, None) | (None, Some(_)) => true,
    };
    document.os == platform.os() && document.architecture == platform.architecture() && variants_fit
}
