//! The image: layers, config, manifest and the index that names it.

use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_backends_contract::config_json::{Assembled, HistoryEntry, to_json};
use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_ir::plan::ImageConfig;

use crate::blob::{Blob, LayerBlob};
use crate::documents::{
    CONTAINERD_NAME, Descriptor, DockerImage, Index, LayoutMark, Manifest, PlatformDocument, REFERENCE_NAME,
    blob_of, blob_path, media, to_bytes,
};
use crate::evaluate::{ImageLayer, Rootfs};
use cogpack_content::time::rfc3339;

/// An image before its layers are written: everything but their digests is known.
#[derive(Debug, Clone)]
pub struct Assembly {
    /// How the filesystem came to be, with its layers.
    pub rootfs: Arc<Rootfs>,
    /// What the image's processes are given; the same on every platform.
    pub config: ImageConfig,
    /// What the image is for; never empty. Copies have no architecture, so the layers are shared.
    pub platforms: Vec<Platform>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// Seconds since 1970 that files and documents are dated.
    pub time: u64,
}

/// A layer whose blob is at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenLayer {
    /// Its media type.
    pub media_type: &'static str,
    /// Its blob.
    pub blob: LayerBlob,
}

/// An image whose layers are at hand, and its names.
#[derive(Debug, Clone)]
pub struct Finished<'a> {
    /// The image for some platforms each, with [`Assembly::layers`] in their order; never empty.
    /// Platforms whose programs make other files have layers of their own.
    pub parts: Vec<(&'a Assembly, &'a [WrittenLayer])>,
    /// What it is called.
    pub names: &'a [ImageReference],
}

/// All small files of a layout; the layers' blobs come beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// Of each image, the digest of its manifest, or of its index of manifests.
    pub digests: Vec<Digest>,
    /// Paths in the layout with their bytes, sorted.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Assembly {
    /// The layers, lowest first.
    pub fn layers(&self) -> impl Iterator<Item = &ImageLayer> {
        self.rootfs.history.steps().into_iter().filter_map(|step| step.layer.as_ref())
    }

    /// The manifests of the image, one for each platform, which `add` takes in.
    fn manifests(&self, layers: &[WrittenLayer], add: &mut impl FnMut(Vec<u8>) -> Blob) -> Vec<OfPlatform> {
        let manifest = |platform: &Platform| {
            let config = add(self.config_json(platform, layers));
            let manifest = Manifest {
                schema_version: 2,
                media_type: Some(media::MANIFEST.to_owned()),
                config: Descriptor::of(media::CONFIG, &config),
                layers: layers
                    .iter()
                    .map(|layer| Descriptor::of(layer.media_type, &layer.blob.blob))
                    .collect(),
                annotations: self.annotations.clone(),
            };
            let manifest = add(to_bytes(&manifest));
            let platform = Some(PlatformDocument::from(platform));
            let descriptor = Descriptor { platform, ..Descriptor::of(media::MANIFEST, &manifest) };
            OfPlatform { descriptor, digest: manifest.digest, config: config.digest }
        };
        self.platforms.iter().map(manifest).collect()
    }

    fn config_json(&self, platform: &Platform, layers: &[WrittenLayer]) -> Vec<u8> {
        let created = rfc3339(self.time);
        let history = self.rootfs.history.steps().into_iter().map(|step| HistoryEntry {
            created: Some(step.created.clone().unwrap_or_else(|| created.clone())),
            created_by: (!step.created_by.is_empty()).then(|| step.created_by.clone()),
            author: None,
            comment: step.comment.clone(),
            empty_layer: step.layer.is_none(),
        });
        let assembled = Assembled {
            created: created.clone(),
            diff_ids: layers.iter().map(|layer| layer.blob.diff_id).collect(),
            history: history.collect(),
        };
        to_json(&self.config, platform, Some(&assembled))
    }
}

/// What there is of an image for one platform.
struct OfPlatform {
    descriptor: Descriptor,
    /// Of the manifest.
    digest: Digest,
    config: Digest,
}

/// The documents of a layout that holds these images, in the order of their first names.
///
/// An image that is alone in its layout is named there by its tag, as other tools name one. Of
/// several, two may have the same tag, so they are named in full.
pub fn documents(images: &[Finished<'_>]) -> Documents {
    let mut files = BTreeMap::new();
    let mut add = |bytes: Vec<u8>| {
        let blob = blob_of(&bytes);
        files.insert(blob_path(&blob.digest), bytes);
        blob
    };
    let (mut digests, mut entries) = (Vec::with_capacity(images.len()), Vec::with_capacity(images.len()));
    for image in images {
        let mut platforms: Vec<OfPlatform> = Vec::new();
        for (assembly, layers) in &image.parts {
            platforms.extend(assembly.manifests(layers, &mut add));
        }
        let (top, digest, config) = match <[_; 1]>::try_from(platforms) {
            Ok([OfPlatform { descriptor, digest, config }]) => (descriptor, digest, Some(config)),
            Err(platforms) => {
                let descriptors = platforms.into_iter().map(|platform| platform.descriptor).collect();
                let index = add(to_bytes(&Index::of(descriptors)));
                (Descriptor::of(media::INDEX, &index), index.digest, None)
            }
        };
        digests.push(digest);
        // One name may be written in several ways.
        let mut names: Vec<(String, Option<&str>)> = Vec::with_capacity(image.names.len());
        for name in image.names {
            let full = name.normalised(None);
            if !names.iter().any(|(known, _)| *known == full) {
                names.push((full, name.tag()));
            }
        }
        let docker = config.map(|config| DockerImage {
            config: blob_path(&config),
            repo_tags: names.iter().map(|(full, _)| full.clone()).collect(),
            layers: image
                .parts
                .iter()
                .flat_map(|(_, layers)| *layers)
                .map(|layer| blob_path(&layer.blob.blob.digest))
                .collect(),
        });
        entries.push((names, top, docker));
    }
    entries.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let mut tops = Vec::with_capacity(entries.len());
    for (names, top, _) in &entries {
        for (full, tag) in names {
            let named_as = if images.len() == 1 { tag.unwrap_or(UNTAGGED) } else { full };
            let mut top = named(top, named_as);
            top.annotations.insert(CONTAINERD_NAME.to_owned(), full.clone());
            tops.push(top);
        }
        if names.is_empty() {
            tops.push(named(top, UNTAGGED));
        }
    }
    files.insert("index.json".to_owned(), to_bytes(&Index::of(tops)));
    let mark = LayoutMark { image_layout_version: LayoutMark::VERSION.to_owned() };
    files.insert("oci-layout".to_owned(), to_bytes(&mark));
    // The list knows no platforms, and a list of some of the images would be taken for all.
    if let Some(docker) = entries.into_iter().map(|(.., docker)| docker).collect::<Option<Vec<_>>>() {
        files.insert("manifest.json".to_owned(), to_bytes(&docker));
    }
    Documents { digests, files }
}

/// What an image is called that has no tag.
const UNTAGGED: &str = "latest";

/// A descriptor with the name that it has in a layout.
fn named(top: &Descriptor, name: &str) -> Descriptor {
    let mut top = top.clone();
    top.annotations.insert(REFERENCE_NAME.to_owned(), name.to_owned());
    top
}
