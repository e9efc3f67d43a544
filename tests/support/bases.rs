//! Base images for plans that name images of registries that no test may reach.
//!
//! Each is the rig's Debian and one layer more, in which programs stand in for those that the
//! named image has. Its config is what the plan records of the named image.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use cogpack_backends_contract::config_json::{Assembled, HistoryEntry, to_json};
use cogpack_content::{Digest, Platform};
use cogpack_ir::plan::{BaseImage, EnvName, ImageConfig, Spanned};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// Programs of the layer, in `/usr/local/bin`.
const PROGRAMS: &[(&str, &str)] =
    &[("npm", include_str!("stand-ins/npm")), ("uv", include_str!("stand-ins/uv"))];

/// What an image's variables are where nothing is recorded.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where bases come from, and go to.
#[derive(Debug)]
pub struct Bases {
    registry: String,
    /// The layout of the rig's Debian.
    debian: PathBuf,
    /// Where layouts of stand-ins are put.
    layouts: tempfile::TempDir,
}

impl Bases {
    /// Those of the rig, if it is up.
    pub fn of_the_rig() -> Option<Self> {
        let registry = crate::engines::registry()?;
        let layouts = std::env::var_os("COGPACK_TEST_LAYOUTS").expect("the rig says where its layouts are");
        let debian = Path::new(&layouts).join("debian");
        Some(Self { registry, debian, layouts: tempfile::tempdir().expect("a temporary folder can be made") })
    }

    /// The plan with images that can be pulled instead of those that it names.
    pub fn stand_in(&self, plan: &str) -> String {
        let mut plan = cogpack_compiler::parse(plan).unwrap_or_else(|findings| panic!("{findings:#?}"));
        for image in plan.images.values_mut() {
            let digest = self.push(&image.config.clone().unwrap_or_else(unrecorded));
            let name = format!("{}/stand-ins/base:{}", self.registry, &digest.hex()[..12]);
            *image = BaseImage {
                reference: Spanned::nowhere(name.parse().expect("it is a reference")),
                // One of which nothing is recorded is found by its tag.
                digest: image.config.as_ref().map(|_| Spanned::nowhere(digest)),
                ..image.clone()
            };
        }
        cogpack_ir::syntax::print(&plan)
    }

    /// The images of a plan that names those of [`Bases::stand_in`], as `--layout` takes them.
    pub fn layouts(&self, plan: &str) -> Vec<String> {
        let plan = cogpack_compiler::parse(plan).unwrap_or_else(|findings| panic!("{findings:#?}"));
        let layout = |image: &BaseImage| {
            let reference = image.reference.value.as_str();
            let (_, tag) = reference.rsplit_once(':').expect("a stand-in has a tag");
            let path = self.layouts.path().join(tag);
            if !path.exists() {
                let to = format!("oci:{}:base", path.display());
                let arguments =
                    ["copy", "-q", "--src-tls-verify=false", &format!("docker://{reference}"), &to];
                let copied =
                    Command::new("skopeo").args(arguments).output().expect("the rig installs skopeo");
                assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
            }
            path.display().to_string()
        };
        plan.images.iter().map(|(name, image)| format!("{}={}:base", name.as_str(), layout(image))).collect()
    }

    /// Pushes the base that has this config, and gives the digest of its manifest.
    fn push(&self, config: &ImageConfig) -> Digest {
        let layout = tempfile::tempdir().expect("a temporary folder can be made");
        let blobs = layout.path().join("blobs/sha256");
        std::fs::create_dir_all(&blobs).expect("can be made");
        let put = |bytes: &[u8]| {
            let digest = Digest::of(bytes);
            std::fs::write(blobs.join(digest.hex()), bytes).expect("can be written");
            (digest, bytes.len())
        };
        let debian = self.debian();
        let mut diff_ids: Vec<Digest> = debian.diff_ids;
        let mut layers = debian.layers;
        for layer in &layers {
            let hex = layer["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:"));
            let hex = hex.expect("a layer has a digest");
            std::fs::copy(self.debian.join("blobs/sha256").join(hex), blobs.join(hex)).expect("is there");
        }
        let archive = programs();
        diff_ids.push(Digest::of(&archive));
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::Write::write_all(&mut gzip, &archive).expect("memory takes all");
        let (digest, size) = put(&gzip.finish().expect("memory takes all"));
        layers.push(json!({
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest.to_string(), "size": size
        }));
        let history = HistoryEntry { created_by: Some("stand-in".to_owned()), ..HistoryEntry::default() };
        let assembled = Assembled {
            created: "1970-01-01T00:00:00Z".to_owned(),
            history: vec![history; diff_ids.len()],
            diff_ids,
        };
        let (digest, size) = put(&to_json(config, &Platform::linux_amd64(), Some(&assembled)));
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest.to_string(), "size": size
            },
            "layers": layers,
        });
        let (digest, size) = put(manifest.to_string().as_bytes());
        let index = json!({"schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest.to_string(), "size": size,
            "annotations": {"org.opencontainers.image.ref.name": "base"},
        }]});
        std::fs::write(layout.path().join("index.json"), index.to_string()).expect("can be written");
        std::fs::write(layout.path().join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}")
            .expect("can be written");
        let from = format!("oci:{}:base", layout.path().display());
        let to = format!("docker://{}/stand-ins/base:{}", self.registry, &digest.hex()[..12]);
        let pushed =
            Command::new("skopeo").args(["copy", "-q", "--dest-tls-verify=false", &from, &to]).output();
        let pushed = pushed.expect("the rig installs skopeo");
        assert!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));
        digest
    }

    fn debian(&self) -> Debian {
        let read = |path: PathBuf| -> Value {
            serde_json::from_slice(&std::fs::read(path).expect("the rig made it")).expect("is JSON")
        };
        let blob = |descriptor: &Value| {
            let digest = descriptor["digest"].as_str().expect("a descriptor has a digest");
            read(self.debian.join("blobs/sha256").join(digest.trim_start_matches("sha256:")))
        };
        let manifest = blob(&read(self.debian.join("index.json"))["manifests"][0]);
        let config = blob(&manifest["config"]);
        let diff_ids = config["rootfs"]["diff_ids"].as_array().expect("a config lists diff ids");
        Debian {
            layers: manifest["layers"].as_array().expect("a manifest lists layers").clone(),
            diff_ids: diff_ids
                .iter()
                .map(|id| id.as_str().expect("is text").parse().expect("is a digest"))
                .collect(),
        }
    }
}

/// The layers of the rig's Debian.
struct Debian {
    layers: Vec<Value>,
    diff_ids: Vec<Digest>,
}

fn unrecorded() -> ImageConfig {
    let path = EnvName::new("PATH").expect("is a name");
    ImageConfig { env: vec![(path, PATH.to_owned())], ..ImageConfig::default() }
}

/// The layer of the programs.
fn programs() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let entries: BTreeMap<String, &str> =
        PROGRAMS.iter().map(|(name, text)| (format!("usr/local/bin/{name}"), *text)).collect();
    for (path, text) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        archive.append_data(&mut header, path, text.as_bytes()).expect("memory takes all");
    }
    archive.into_inner().expect("memory takes all")
}
