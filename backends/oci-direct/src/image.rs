//! The image: layers, config, manifest and the index that names it.

use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_backends_contract::config_json::{Assembled, HistoryEntry, to_json};
use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_ir::plan::ImageConfig;

use crate::blob::LayerBlob;
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

/// All small files of a layout; the layers' blobs come beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// The digest of the manifest, or of the index of manifests.
    pub digest: Digest,
    /// Paths in the layout with their bytes, sorted.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Assembly {
    /// The layers, lowest first.
    pub fn layers(&self) -> impl Iterator<Item = &ImageLayer> {
        self.rootfs.history.steps().into_iter().filter_map(|step| step.layer.as_ref())
    }

    /// The documents of a layout that holds this image under `names`. `layers` are
    /// [`Assembly::layers`], in their order.
    pub fn documents(&self, layers: &[WrittenLayer], names: &[ImageReference]) -> Documents {
        let mut files = BTreeMap::new();
        let mut add = |bytes: Vec<u8>| {
            let blob = blob_of(&bytes);
            files.insert(blob_path(&blob.digest), bytes);
            blob
        };
        let mut manifests = Vec::with_capacity(self.platforms.len());
        let mut docker_config = None;
        for platform in &self.platforms {
            let config = add(self.config_json(platform, layers));
            docker_config.get_or_insert(config.digest);
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
            manifests.push((descriptor, manifest.digest));
        }
        let (top, digest) = match <[_; 1]>::try_from(manifests) {
            Ok([manifest]) => manifest,
            Err(manifests) => {
                let descriptors = manifests.into_iter().map(|(descriptor, _)| descriptor).collect();
                let index = add(to_bytes(&Index::of(descriptors)));
                (Descriptor::of(media::INDEX, &index), index.digest)
            }
        };
        // One name may be written in several ways.
        let mut full_names: Vec<String> = Vec::with_capacity(names.len());
        let mut tops = Vec::with_capacity(names.len().max(1));
        for name in names {
            let full = name.normalised(None);
            if full_names.contains(&full) {
                continue;
            }
            let mut top = named(&top, name.tag());
            top.annotations.insert(CONTAINERD_NAME.to_owned(), full.clone());
            tops.push(top);
            full_names.push(full);
        }
        if tops.is_empty() {
            tops.push(named(&top, None));
        }
        files.insert("index.json".to_owned(), to_bytes(&Index::of(tops)));
        let mark = LayoutMark { image_layout_version: LayoutMark::VERSION.to_owned() };
        files.insert("oci-layout".to_owned(), to_bytes(&mark));
        if let ([_], Some(config)) = (&self.platforms[..], docker_config) {
            let image = DockerImage {
                config: blob_path(&config),
                repo_tags: full_names,
                layers: layers.iter().map(|layer| blob_path(&layer.blob.blob.digest)).collect(),
            };
            files.insert("manifest.json".to_owned(), to_bytes(&[image]));
        }
        Documents { digest, files }
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

/// A descriptor with the name that it has in a layout.
fn named(top: &Descriptor, tag: Option<&str>) -> Descriptor {
    let mut top = top.clone();
    top.annotations.insert(REFERENCE_NAME.to_owned(), tag.unwrap_or("latest").to_owned());
    top
}
