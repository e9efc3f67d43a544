//! Images out of archives: what Docker before 25 writes, archives of layouts, and what is neither.

use std::path::Path;

use cogpack_backends_oci_direct::documents::media;
use cogpack_backends_oci_direct::tar::{Entry, EntryKind, TarWriter};
use cogpack_content::{Digest, Platform};
use cogpack_io_store::Store;

use super::{PLAN, archived, project};
use crate::read::{StoredImage, Wanted};
use crate::saved::Saved;

/// A file or a link of an archive.
enum Part<'p> {
    File(&'p str, &'p [u8]),
    Link(&'p str, &'p str),
}
use Part::{File, Link};

fn archive(parts: &[Part<'_>]) -> Vec<u8> {
    let mut writer = TarWriter::new(Vec::new(), 0);
    for part in parts {
        let (path, kind, mut content) = match part {
            File(path, bytes) => (path, EntryKind::File { size: bytes.len() as u64 }, *bytes),
            Link(path, target) => (path, EntryKind::Symlink { target: target.as_bytes() }, &b""[..]),
        };
        let entry = Entry { path: path.as_bytes(), kind, mode: 0o644, uid: 0, gid: 0 };
        writer.append_file(&entry, &mut content).expect("fits");
    }
    writer.finish().expect("is whole")
}

fn layer(name: &str) -> Vec<u8> {
    archive(&[File(name, name.as_bytes())])
}

fn config(layers: &[&[u8]]) -> Vec<u8> {
    let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::of(layer).to_string()).collect();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": { "Env": ["A=1"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    config.to_string().into_bytes()
}

fn taken(archive: &[u8], tag: Option<&str>, root: &Path) -> Result<(Store, StoredImage), String> {
    let store = Store::open(&root.join("store")).expect("can be made");
    let saved = Saved::read(archive, &store).map_err(|error| error.to_string())?;
    let wanted = Wanted { digest: None, tag };
    let (layout, image) = saved.image(wanted, &Platform::linux_amd64()).map_err(|error| error.to_string())?;
    layout.base(&image).map_err(|error| error.to_string())?;
    Ok((store, image))
}

fn fails(parts: &[Part<'_>], said: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let error = taken(&archive(parts), None, folder.path()).expect_err("is no image");
    assert!(error.contains(said), "{error}");
}

#[test]
fn an_archive_of_docker_save_is_an_image() {
    let (below, above) = (layer("etc"), layer("app"));
    let (one, two) = (config(&[&below]), config(&[&below, &above]));
    let manifest = br#"[
        {"Config": "1.json", "RepoTags": ["base:1", "host:5000/base:old"], "Layers": ["a/layer.tar"]},
        {"Config": "2.json", "RepoTags": null, "Layers": ["b/layer.tar", "c/layer.tar"]}]"#;
    // The second image's first layer is that of the first.
    let parts = [
        File("1.json", &one),
        File("2.json", &two),
        File("a/layer.tar", &below),
        Link("b/layer.tar", "../a/layer.tar"),
        File("c/layer.tar", &above),
        File("manifest.json", manifest),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (store, old) = taken(&archive(&parts), Some("old"), folder.path()).expect("is an image");
    assert_eq!(old.document, one);
    assert_eq!((old.layers.len(), old.layers[0].media_type), (1, media::LAYER));
    assert_eq!(old.layers[0].blob.blob.digest, Digest::of(&below));
    assert!(store.blob(&Digest::of(&above)).expect("can be looked for").is_some());
    // Two images, and nobody says which.
    let error = taken(&archive(&parts), None, folder.path()).expect_err("are two");
    assert!(error.contains("2 images"), "{error}");
    let error = taken(&archive(&parts), Some("new"), folder.path()).expect_err("has no such tag");
    assert!(error.contains("it has 1, old"), "{error}");
}

#[test]
fn an_archive_of_a_layout_is_an_image() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    project(folder.path(), false);
    let made = archived(PLAN, folder.path());
    let (_, image) = taken(&made, None, folder.path()).expect("is an image");
    // It keeps its digest, and an image that it does not hold is not there.
    let store = Store::open(&folder.path().join("store")).expect("is there");
    for (digest, is_there) in [(image.manifest, true), (Digest::of(b"other"), false)] {
        let saved = Saved::read(&made[..], &store).expect("is an archive");
        let wanted = Wanted { digest: Some(digest), tag: None };
        assert_eq!(saved.image(wanted, &Platform::linux_amd64()).is_ok(), is_there);
    }
}

#[test]
fn what_is_no_archive_of_images_is_told() {
    let (below, other) = (layer("etc"), layer("app"));
    let image = config(&[&below]);
    let manifest = br#"[{"Config": "1.json", "RepoTags": [], "Layers": ["a"]}]"#;
    fails(&[File("etc/passwd", b"x")], "neither `index.json` nor `manifest.json`");
    fails(&[File("index.json", b"{}")], "no `oci-layout`");
    fails(&[File("manifest.json", b"{}")], "its `manifest.json`");
    fails(&[File("a", &below), File("manifest.json", manifest)], "speaks of `1.json`");
    let with = |part| [part, File("1.json", &image), File("manifest.json", manifest)];
    fails(&with(Link("a", "a")), "speaks of `a`");
    fails(&with(Link("a", "../../etc/passwd")), "speaks of `a`");
    fails(&with(Link("a", "/etc/passwd")), "speaks of `a`");
    // Not the layer that the config says.
    fails(&with(File("a", &other)), "and not");
    let name = format!("blobs/sha256/{}", Digest::of(b"blob").hex());
    fails(&[File(&name, b"another")], "damaged");
    let whole = archive(&with(File("a", &below)));
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for length in [100, 700, 1_600, whole.len() / 2] {
        let error = taken(&whole[..length], None, folder.path()).expect_err("is cut");
        assert_eq!(error, "read the archive", "{length} bytes");
    }
    assert!(taken(&whole, None, folder.path()).is_ok());
}
