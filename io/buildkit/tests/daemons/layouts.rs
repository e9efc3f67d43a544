//! Images out of layouts on this machine.

use std::path::{Path, PathBuf};

use cogpack_io_buildkit::blobs::{self, Layouts};
use cogpack_io_buildkit::session::Services;
use cogpack_io_buildkit::solve::Request;

use crate::building::{built, graph_for, printed};
use crate::definitions::Definition;
use crate::found::{connected, newer_daemons, unheard_of};

/// The rig's layout of an image with a shell.
fn layout() -> PathBuf {
    let layouts = std::env::var("COGPACK_TEST_LAYOUTS").expect("the rig has layouts where it has an engine");
    Path::new(&layouts).join("debian")
}

fn manifest(layout: &Path) -> String {
    let index = std::fs::read(layout.join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    index["manifests"][0]["digest"].as_str().unwrap().to_owned()
}

fn request(layout: &Path, digest: &str) -> Request {
    let mut layouts = Layouts::default();
    layouts.add_layout("base", layout).unwrap();
    let mut definition = Definition::default();
    let identifier = format!("oci-layout://cogpack/base@{digest}");
    let base = definition.source_with(&identifier, &[("oci.store", "base")]);
    let run = definition.shell(&base, "the script", "cat /etc/debian_version");
    Request {
        graphs: vec![graph_for("linux/amd64", definition.finish(&run, &[]))],
        services: Services::new().add(layouts.into_server(), blobs::METHODS),
        ..Request::default()
    }
}

#[tokio::test]
async fn a_step_runs_on_an_image_out_of_a_layout() {
    for found in newer_daemons() {
        let connection = connected(&found).await;
        let layout = layout();
        let (outcome, news) = built(&connection, request(&layout, &manifest(&layout))).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        assert!(printed(&news).starts_with("12."), "{}: {}", found.name, printed(&news));
    }
}

#[tokio::test]
async fn a_layout_with_a_damaged_blob_fails_the_build_by_its_name() {
    for found in newer_daemons() {
        let connection = connected(&found).await;
        let copy = tempfile::tempdir().unwrap();
        let folder = copy.path().join("blobs/sha256");
        std::fs::create_dir_all(&folder).unwrap();
        // A manifest that nobody has seen, with a config that is not what its name says.
        let config = format!(r#"{{"architecture":"amd64","os":"linux","author":"{}"}}"#, unheard_of());
        let digest = cogpack_content::Digest::of(config.as_bytes());
        std::fs::write(folder.join(digest.hex()), config.replace("linux", "Linux")).unwrap();
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{
            "mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{}}},"layers":[]}}"#,
            config.len()
        );
        let named = cogpack_content::Digest::of(manifest.as_bytes());
        std::fs::write(folder.join(named.hex()), manifest).unwrap();
        let (outcome, _) = built(&connection, request(copy.path(), &named.to_string())).await;
        let failure = outcome.unwrap_err().to_string();
        assert!(failure.contains(&format!("the blob {digest} of the layout")), "{}: {failure}", found.name);
        assert!(failure.contains("is damaged"), "{}: {failure}", found.name);
    }
}
