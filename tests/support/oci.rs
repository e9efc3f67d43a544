//! An OCI layout as a listing, read with another tar reader than the one that wrote it, and with
//! every digest and size recomputed.

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

use cogpack_content::Digest;
use flate2::read::MultiGzDecoder;
use oci_spec::image::{ImageConfiguration, ImageIndex, ImageManifest};
use serde_json::Value;

/// Checks a layout by the rules of the image specification and lists it. Digests of blobs stand
/// at the end, so that a small change is a small diff.
pub fn listing(layout: &Path) -> String {
    let mut text = String::new();
    let marker = std::fs::read_to_string(layout.join("oci-layout")).expect("a layout says its version");
    assert_eq!(serde_json::from_str::<Value>(&marker).expect("is JSON")["imageLayoutVersion"], "1.0.0");
    ImageIndex::from_file(layout.join("index.json")).expect("the index is one of the OCI's");
    let index: Value =
        serde_json::from_slice(&std::fs::read(layout.join("index.json")).expect("there is an index"))
            .expect("is JSON");
    for descriptor in index["manifests"].as_array().expect("an index lists manifests") {
        manifest(layout, descriptor, &mut text);
    }
    text
}

fn manifest(layout: &Path, descriptor: &Value, text: &mut String) {
    let manifest: Value = serde_json::from_slice(&blob(layout, descriptor)).expect("a manifest is JSON");
    if let Some(nested) = manifest["manifests"].as_array() {
        for descriptor in nested {
            manifest_of_index(layout, descriptor, text);
        }
        return;
    }
    ImageManifest::from_reader(&blob(layout, descriptor)[..]).expect("the manifest is one of the OCI's");
    ImageConfiguration::from_reader(&blob(layout, &manifest["config"])[..])
        .expect("the config is one of the OCI's");
    let config: Value = serde_json::from_slice(&blob(layout, &manifest["config"])).expect("is JSON");
    let layers = manifest["layers"].as_array().expect("a manifest lists layers");
    let diff_ids = config["rootfs"]["diff_ids"].as_array().expect("a config lists diff ids");
    assert_eq!(layers.len(), diff_ids.len(), "each layer has a diff id");
    let made = config["history"].as_array().map_or(0, |history| {
        history.iter().filter(|entry| entry["empty_layer"] != Value::Bool(true)).count()
    });
    assert_eq!(made, layers.len(), "each layer has an entry in the history");

    let mut config_text = config.clone();
    config_text["rootfs"] = Value::Null;
    let name = &descriptor["annotations"]["org.opencontainers.image.ref.name"];
    // A String takes whatever is written to it.
    let _ = writeln!(text, "image {}", name.as_str().unwrap_or("without a name"));
    let _ = writeln!(text, "{}", serde_json::to_string_pretty(&config_text).expect("is JSON"));
    if !manifest["annotations"].is_null() {
        let _ = writeln!(text, "annotations {}", manifest["annotations"]);
    }
    let mut digests = String::new();
    for (number, (layer, diff_id)) in layers.iter().zip(diff_ids).enumerate() {
        let bytes = blob(layout, layer);
        let mut archive = Vec::new();
        if layer["mediaType"].as_str().is_some_and(|kind| kind.ends_with("+gzip")) {
            MultiGzDecoder::new(&bytes[..]).read_to_end(&mut archive).expect("a layer is gzip");
        } else {
            archive = bytes;
        }
        assert_eq!(Digest::of(&archive).to_string(), diff_id.as_str().expect("is text"), "diff id {number}");
        let _ = writeln!(text, "\nlayer {number}");
        entries(&archive, text);
        let _ = writeln!(digests, "layer {number} {}", diff_id.as_str().expect("is text"));
    }
    let _ = write!(text, "\n{digests}");
}

fn manifest_of_index(layout: &Path, descriptor: &Value, text: &mut String) {
    let _ = writeln!(text, "platform {}", descriptor["platform"]);
    manifest(layout, descriptor, text);
}

fn entries(archive: &[u8], text: &mut String) {
    let mut before: Option<Vec<u8>> = None;
    for entry in tar::Archive::new(archive).entries().expect("a layer is a tar") {
        let mut entry = entry.expect("a layer is a tar");
        let path = entry.path_bytes().into_owned();
        let header = entry.header().clone();
        assert!(before.as_ref().is_none_or(|before| *before < path), "entries are sorted");
        let kind = match header.entry_type().as_byte() {
            b'5' => "d",
            b'0' => "-",
            b'2' => "l",
            b'1' => "h",
            other => panic!("an entry of type {}", char::from(other)),
        };
        let number = |field: std::io::Result<u64>| field.expect("a header's number can be read");
        let _ = write!(
            text,
            "{kind} {:04o} {}:{} {}",
            header.mode().expect("a header has a mode"),
            number(header.uid()),
            number(header.gid()),
            String::from_utf8_lossy(&path)
        );
        if let Some(target) = entry.link_name_bytes() {
            let _ = write!(text, " -> {}", String::from_utf8_lossy(&target));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("a layer is a tar");
        if kind == "-" {
            let _ = write!(text, " {} bytes {}", content.len(), &Digest::of(&content).hex()[..12]);
        }
        assert_eq!(number(header.mtime()), 0, "times are the epoch");
        text.push('\n');
        before = Some(path);
    }
}

/// The bytes of a blob, checked against its descriptor.
fn blob(layout: &Path, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"].as_str().expect("a descriptor has a digest");
    let hex = digest.strip_prefix("sha256:").expect("digests are SHA-256");
    let bytes = std::fs::read(layout.join("blobs/sha256").join(hex)).expect("a blob that is named is there");
    assert_eq!(Digest::of(&bytes).to_string(), digest, "the blob is what its name says");
    assert_eq!(Some(bytes.len() as u64), descriptor["size"].as_u64(), "its size is what is said");
    bytes
}
