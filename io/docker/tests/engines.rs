//! Real Docker Engines. Which there are is said by `COGPACK_TEST_…` variables, see
//! `tests/rig/README.md`; where there is none, each test says so and ends.

use std::path::Path;

use cogpack_content::Digest;
use cogpack_io_buildkit::address::Endpoint;
use cogpack_io_docker::engine::Engine;
use cogpack_io_docker::engine::failure::EngineError;

/// Every engine there is: its version, and where it is.
fn engines() -> Vec<(String, Endpoint)> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut found = Vec::new();
    for (version, host) in
        [("COGPACK_TEST_ENGINE", "DOCKER_HOST"), ("COGPACK_TEST_NEXT_ENGINE", "COGPACK_TEST_NEXT_HOST")]
    {
        if let (Some(version), Some(host)) = (variable(version), variable(host)) {
            found.push((version, Endpoint::of_engine(&host, None).unwrap()));
        }
    }
    if found.is_empty() {
        println!("skipped: COGPACK_TEST_ENGINE and COGPACK_TEST_NEXT_ENGINE name no engine");
    }
    found
}

fn name_of_this_process() -> String {
    format!("creds-engine-{}", std::process::id())
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

/// Writes what `docker save` would write of an image with one layer, and gives the layer's digest.
fn save_image(path: &Path, name: &str) -> Digest {
    let layer = tar(&[("hello", &vec![b'x'; 1 << 20])]);
    let digest = Digest::of(&layer);
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [digest.to_string()] },
        "history": [
            { "created_by": "only a label", "empty_layer": true },
            { "created_by": "hello" },
        ],
    });
    let manifest =
        serde_json::json!([{ "Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"] }]);
    let files = [
        ("manifest.json", manifest.to_string().into_bytes()),
        ("config.json", config.to_string().into_bytes()),
        ("layer.tar", layer),
    ];
    let files = files.each_ref().map(|(path, bytes)| (*path, bytes.as_slice()));
    std::fs::write(path, tar(&files)).unwrap();
    digest
}

#[tokio::test]
async fn an_engine_tells_what_it_is() {
    for (version, endpoint) in engines() {
        let engine = Engine::connect(&endpoint).await.unwrap();
        engine.ping().await.unwrap();
        let said = engine.version().await.unwrap();
        assert_eq!(said.version, version);
        assert_eq!(said.os, "linux");
        assert!(said.interface.starts_with("1."), "{said:?}");
        assert_eq!(format!("{engine:?}"), format!("the Docker Engine at {endpoint}"));
    }
}

#[tokio::test]
async fn an_image_is_loaded_looked_up_tagged_and_removed() {
    for (version, endpoint) in engines() {
        let engine = Engine::connect(&endpoint).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let archive = directory.path().join("image.tar");
        let [one, two] = ["one", "two"].map(|tag| format!("{}:{tag}", name_of_this_process()));
        let layer = save_image(&archive, &one);

        assert_eq!(engine.load(&archive).await.unwrap(), [one.as_str()], "{version}");
        let image = engine.image(&one).await.unwrap();
        assert_eq!(
            (image.layers.as_slice(), image.names.as_slice()),
            ([layer].as_slice(), [one.clone()].as_slice())
        );
        assert!(image.size >= 1 << 20, "{version}: {image:?}");
        let history = engine.history(&one).await.unwrap();
        let steps: Vec<_> = history.iter().map(|step| step.created_by.as_str()).collect();
        assert_eq!(steps, ["only a label", "hello"], "{version}");
        assert!(history[0].size == 0 && history[1].size >= 1 << 20, "{version}: {history:?}");

        engine.tag(&one, &two.parse().unwrap()).await.unwrap();
        assert_eq!(engine.image(&two).await.unwrap().id, image.id);
        engine.remove(&one).await.unwrap();
        assert_eq!(engine.image(&image.id.to_string()).await.unwrap().names, [two.as_str()], "{version}");
        engine.remove(&two).await.unwrap();
        let gone = engine.image(&image.id.to_string()).await.unwrap_err();
        assert!(matches!(gone, EngineError::NoImage { .. }), "{version}: {gone:?}");
    }
}

#[tokio::test]
async fn what_an_engine_refuses_is_told_with_what_was_asked() {
    for (version, endpoint) in engines() {
        let engine = Engine::connect(&endpoint).await.unwrap();
        let absent = format!("{}:absent", name_of_this_process());
        let expected = format!("the Docker Engine at {endpoint} has no image `{absent}`");
        for error in [
            engine.image(&absent).await.unwrap_err(),
            engine.history(&absent).await.unwrap_err(),
            engine.tag(&absent, &"creds:x".parse().unwrap()).await.unwrap_err(),
            engine.remove(&absent).await.unwrap_err(),
        ] {
            assert_eq!(error.to_string(), expected, "{version}");
            assert!(!error.is_retryable());
        }
        let directory = tempfile::tempdir().unwrap();
        let none = directory.path().join("none.tar");
        let error = engine.load(&none).await.unwrap_err();
        assert_eq!(error.to_string(), format!("read `{}`", none.display()));

        // The manifest names a config that is not there.
        let broken = directory.path().join("broken.tar");
        let manifest = br#"[{"Config": "config.json", "RepoTags": ["creds:broken"], "Layers": []}]"#;
        std::fs::write(&broken, tar(&[("manifest.json", manifest)])).unwrap();
        let error = engine.load(&broken).await.unwrap_err();
        let attempted =
            format!("load the image in `{}`: the Docker Engine at {endpoint} says: ", broken.display());
        assert!(matches!(error, EngineError::Refused { .. }), "{version}: {error:?}");
        assert!(error.to_string().starts_with(&attempted), "{version}: {error}");
    }
}
