//! The layers of an image in an archive of a layout, told without unpacking it.
//!
//! For people, who like to know how large a layer has become: no digest is checked here, and an
//! archive that cannot be read has no layers.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use cogpack_backends_oci_direct::documents::{Descriptor, Index, Manifest, media};
use cogpack_content::{Digest, Platform};
use serde::de::DeserializeOwned;

use crate::image_config;
use crate::read::{DEEPEST_INDEX, LARGEST_DOCUMENT, fits};
use crate::tar_reader::{EntryKind, TarError, TarReader};

/// A layer as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedLayer {
    /// The digest of what is stored.
    pub digest: Digest,
    /// Its length.
    pub size: u64,
    /// Whether that is compressed.
    pub is_compressed: bool,
    /// What the image's history says of it.
    pub created_by: Option<String>,
}

/// The layers of the image for `platform`, lowest first; `None` where the archive holds none, or
/// several.
pub fn layers(archive: &mut (impl Read + Seek), platform: &Platform) -> Option<Vec<ArchivedLayer>> {
    archive.rewind().ok()?;
    let mut archive = Archive { places: places(archive).ok()?, archive };
    let mut index: Index = archive.document("index.json")?;
    for _ in 0..=DEEPEST_INDEX {
        let is_for = |it: &&Descriptor| it.platform.as_ref().is_none_or(|document| fits(document, platform));
        let mut fitting: Vec<&Descriptor> = index.manifests.iter().filter(is_for).collect();
        // One image under several names is one image.
        fitting.dedup_by(|one, other| one.digest == other.digest);
        let [descriptor] = fitting[..] else { return None };
        match descriptor.media_type.as_str() {
            media::MANIFEST | media::DOCKER_MANIFEST => {
                let manifest = archive.blob(&descriptor.digest)?;
                return archive.layers_of(manifest);
            }
            media::INDEX | media::DOCKER_INDEX => index = archive.blob(&descriptor.digest)?,
            _ => return None,
        }
    }
    None
}

/// Where the content of each file is, and how long.
fn places(archive: &mut (impl Read + Seek)) -> Result<BTreeMap<Vec<u8>, (u64, u64)>, TarError> {
    let mut places = BTreeMap::new();
    let mut reader = TarReader::new(archive);
    while let Some(entry) = reader.next_entry()? {
        if let EntryKind::File { size } = entry.kind {
            places.insert(entry.path, (reader.seek_past_content()?, size));
        }
    }
    Ok(places)
}

struct Archive<'a, A> {
    archive: &'a mut A,
    places: BTreeMap<Vec<u8>, (u64, u64)>,
}

impl<A: Read + Seek> Archive<'_, A> {
    fn bytes(&mut self, path: &str) -> Option<Vec<u8>> {
        let (start, size) = *self.places.get(path.as_bytes())?;
        if size > LARGEST_DOCUMENT {
            return None;
        }
        let mut read = || -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
            self.archive.seek(SeekFrom::Start(start))?;
            self.archive.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        read().ok()
    }

    fn document<T: DeserializeOwned>(&mut self, path: &str) -> Option<T> {
        serde_json::from_slice(&self.bytes(path)?).ok()
    }

    fn blob<T: DeserializeOwned>(&mut self, digest: &str) -> Option<T> {
        self.document(&path_of(digest)?)
    }

    fn layers_of(&mut self, manifest: Manifest) -> Option<Vec<ArchivedLayer>> {
        let config = self.bytes(&path_of(&manifest.config.digest)?)?;
        let history = image_config::read(&config).map(|config| config.history).unwrap_or_default();
        let makers = history.into_iter().filter(|step| !step.empty_layer).map(|step| step.created_by);
        let makers = makers.chain(std::iter::repeat(None));
        let layer = |(layer, created_by): (&Descriptor, Option<String>)| {
            let is_compressed = layer.media_type.ends_with("gzip") || layer.media_type.ends_with("zstd");
            Some(ArchivedLayer {
                digest: layer.digest.parse().ok()?,
                size: layer.size,
                is_compressed,
                created_by,
            })
        };
        manifest.layers.iter().zip(makers).map(layer).collect()
    }
}

fn path_of(digest: &str) -> Option<String> {
    let digest: Digest = digest.parse().ok()?;
    Some(format!("blobs/sha256/{}", digest.hex()))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A tar of these files.
    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = Vec::new();
        for (path, content) in files {
            let mut header = [0_u8; 512];
            header[..path.len()].copy_from_slice(path.as_bytes());
            header[100..107].copy_from_slice(b"0000644");
            header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
            header[156] = b'0';
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
            tar.extend_from_slice(&header);
            tar.extend_from_slice(content);
            tar.resize(tar.len().next_multiple_of(512), 0);
        }
        tar.resize(tar.len() + 1024, 0);
        tar
    }

    fn descriptor(kind: &str, bytes: &[u8], more: &str) -> String {
        let digest = Digest::of(bytes);
        format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":{}{more}}}"#, bytes.len())
    }

    fn blob(bytes: &[u8]) -> String {
        format!("blobs/sha256/{}", Digest::of(bytes).hex())
    }

    const AMD64: &str = r#","platform":{"architecture":"amd64","os":"linux"}"#;

    #[test]
    fn layers_are_those_of_the_manifest_and_named_by_the_history() {
        let config = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},
            "history":[{"created_by":"one"},{"created_by":"ENV","empty_layer":true},{"created_by":"two"}]}"#;
        let (zipped, plain) = ([7_u8; 3000], [8_u8; 10]);
        let manifest = format!(
            r#"{{"schemaVersion":2,"config":{},"layers":[{},{}]}}"#,
            descriptor(media::CONFIG, config, ""),
            descriptor(media::LAYER_ZSTD, &zipped, ""),
            descriptor(media::LAYER, &plain, "")
        );
        let index = |manifests: &str| format!(r#"{{"schemaVersion":2,"manifests":[{manifests}]}}"#);
        let of_platform = descriptor(media::MANIFEST, manifest.as_bytes(), AMD64);
        let nested = index(&of_platform);
        let told = |index_json: &str| {
            let files: [(&str, &[u8]); 6] = [
                // Builders put what is large first.
                (&blob(&zipped), &zipped),
                (&blob(&plain), &plain),
                (&blob(config), config),
                (&blob(manifest.as_bytes()), manifest.as_bytes()),
                (&blob(nested.as_bytes()), nested.as_bytes()),
                ("index.json", index_json.as_bytes()),
            ];
            let layers = layers(&mut Cursor::new(tar(&files)), &Platform::linux_amd64())?;
            let told = layers.into_iter().map(|layer| (layer.size, layer.is_compressed, layer.created_by));
            Some(told.collect::<Vec<_>>())
        };
        let expected = Some(vec![(3000, true, Some("one".to_owned())), (10, false, Some("two".to_owned()))]);
        assert_eq!(told(&index(&of_platform)), expected);
        assert_eq!(told(&index(&format!("{of_platform},{of_platform}"))), expected);
        assert_eq!(told(&index(&descriptor(media::INDEX, nested.as_bytes(), ""))), expected);
        let other = of_platform.replace("amd64", "arm64");
        assert_eq!(told(&index(&format!("{other},{of_platform}"))), expected);
        for none in [index(""), index(&other), index(&of_platform.replace("sha256:", "sha512:"))] {
            assert_eq!(told(&none), None, "{none}");
        }
    }

    #[test]
    fn what_is_no_archive_of_a_layout_has_no_layers() {
        for bytes in [Vec::new(), b"no tar".repeat(200), tar(&[("etc/hostname", b"x")])] {
            assert_eq!(layers(&mut Cursor::new(bytes), &Platform::linux_amd64()), None);
        }
    }
}
