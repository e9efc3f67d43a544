//! What a build leaves: an image, and where it is.

use std::collections::BTreeMap;

use base64::Engine as _;
use cogpack_content::{Digest, Platform};

/// An image that was built.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The digest of its manifest or index; none for a bare root filesystem, and none from
    /// builders that make no manifest.
    pub digest: Option<Digest>,
    /// The digest of its config, by which an Engine without an image store knows it.
    pub config_digest: Option<Digest>,
    /// What it is called.
    pub names: Vec<String>,
    /// Where it is, in words for people: `the engine at …`, `out.tar`.
    pub places: Vec<String>,
    /// Its layers, lowest first, as far as they can be learnt; of several images one after the
    /// other.
    pub layers: Vec<Layer>,
    /// All that the builder answered, for `--metadata-file`.
    pub answers: BTreeMap<String, String>,
}

/// An answer that is JSON behind base64, as descriptors are.
pub fn descriptor(text: &str) -> Option<serde_json::Value> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    // A digest or a name is base64 of something by chance, but never of an object.
    serde_json::from_slice(&bytes).ok().filter(serde_json::Value::is_object)
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The digest of what is stored, or of what it unpacks to where nothing is stored.
    pub digest: Option<Digest>,
    /// Its size in bytes: as stored where [`Layer::compressed`], else unpacked.
    pub size: u64,
    /// Whether the size is that of the compressed layer.
    pub compressed: bool,
    /// What made it.
    pub made_by: Option<String>,
    /// The platform of the image that it is a layer of, where there are several.
    pub platform: Option<Platform>,
}
