//! Images as they leave real daemons: what of their base stays as it is, and which layers are told.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cogpack_content::{Digest, ImageReference};
use cogpack_io_buildkit::address::Endpoint;
use cogpack_io_buildkit::auth::Login;
use cogpack_io_docker::engine::Engine;
use cogpack_io_registry::manifests::Wanted;
use cogpack_io_registry::settings::Settings;
use cogpack_io_registry::{Registries, Repository};
use cogpack_tests::engines;
use serde_json::Value;

use super::build::build;
use super::outputs::build_for;

/// The rig's layout of a base image.
fn layout() -> PathBuf {
    let layouts = std::env::var_os("COGPACK_TEST_LAYOUTS").expect("the rig says where its layouts are");
    Path::new(&layouts).join("debian")
}

/// A folder with a plan on the image of a layout, and something in it that no daemon has seen.
fn folder() -> tempfile::TempDir {
    let index = std::fs::read(layout().join("index.json")).expect("the rig made it");
    let index: Value = serde_json::from_slice(&index).expect("is JSON");
    let digest = index["manifests"][0]["digest"].as_str().expect("is text");
    folder_on(&format!("digest {digest}"))
}

/// The same, on the one that is pinned in this way.
fn folder_on(pin: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan = format!(
        "cpk 1
context @base = oci \"layout\" {{ {pin} }}
context @source = dir \".\" {{ include \"hello\" }}
stage %app from @base {{
  copy \"hello\" from @source to \"/hello\"
  run \"cat /hello > /said\"
}}
export from %app {{ cmd [\"cat\", \"/said\"] }}
"
    );
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    let hello = format!("hello {:?} {}", std::time::SystemTime::now(), std::process::id());
    std::fs::write(folder.path().join("hello"), hello).expect("is writable");
    symlink(layout(), folder.path().join("layout")).expect("is writable");
    folder
}

/// Manifest and config of the one image among some files of a layout.
fn documents(file: impl Fn(&str) -> Vec<u8>) -> [Value; 2] {
    let json = |path: &str| -> Value { serde_json::from_slice(&file(path)).expect("is JSON") };
    let blob = |descriptor: &Value| {
        let digest: Digest =
            descriptor["digest"].as_str().and_then(|it| it.parse().ok()).expect("is a digest");
        json(&format!("blobs/sha256/{}", digest.hex()))
    };
    let manifest = blob(&json("index.json")["manifests"][0]);
    let config = blob(&manifest["config"]);
    [manifest, config]
}

fn of_archive(path: &Path) -> [Value; 2] {
    let bytes = std::fs::read(path).expect("the image is there");
    let mut archive = tar::Archive::new(bytes.as_slice());
    let entries = archive.entries().expect("is a tar").map(|entry| {
        let mut entry = entry.expect("is a tar");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("is a tar");
        (String::from_utf8_lossy(&entry.path_bytes()).into_owned(), content)
    });
    let files: BTreeMap<String, Vec<u8>> = entries.collect();
    documents(|path| files[path].clone())
}

/// The elements of a list in a document.
fn list<'d>(document: &'d Value, pointer: &str) -> &'d [Value] {
    document.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[test]
fn the_layers_history_and_config_of_an_image_of_a_layout_stay() {
    let Some(engine) = engines::newer() else { return };
    let [base, base_config] = documents(|path| std::fs::read(layout().join(path)).expect("the rig made it"));
    for (form, folder) in [("oci", folder()), ("docker", folder_on("tag \"bookworm-slim\""))] {
        let output = format!("type={form},dest=out.tar");
        let arguments =
            [".", "--tag", "copies-images:1", "--progress", "quiet", "--format", "json", "-o", &output];
        let answer = build(&engine, folder.path(), &arguments);
        assert_eq!(answer.code, 0, "{form}: {}", answer.stderr);
        let [built, config] = of_archive(&folder.path().join("out.tar"));
        for (whole, beginning, pointer) in [
            (&built, &base, "/layers"),
            (&config, &base_config, "/rootfs/diff_ids"),
            (&config, &base_config, "/history"),
        ] {
            let (whole, beginning) = (list(whole, pointer), list(beginning, pointer));
            let told = |layers: &[Value]| -> Vec<Value> {
                layers.iter().map(|it| it.get("digest").unwrap_or(it).clone()).collect()
            };
            assert!(!beginning.is_empty(), "{pointer}");
            assert!(told(whole).starts_with(&told(beginning)), "{form}: {pointer}: {whole:#?}");
            assert_eq!(whole.len(), beginning.len() + 2, "{form}: {pointer}: {whole:#?}");
        }
        assert_eq!(config["config"]["Env"], base_config["config"]["Env"], "{form}");
        assert_eq!(config["config"]["Cmd"], serde_json::json!(["cat", "/said"]), "{form}");

        let told: Value = serde_json::from_str(answer.text()).expect("is JSON");
        let told = list(&told, "/layers");
        let of =
            |layers: &[Value], key: &str| -> Vec<Value> { layers.iter().map(|it| it[key].clone()).collect() };
        for key in ["digest", "size"] {
            assert_eq!(of(told, key), of(list(&built, "/layers"), key), "{form}");
        }
        assert!(told.iter().all(|layer| layer["compressed"] == true), "{form}: {told:#?}");
        let makers = of(told, "made_by");
        assert_eq!(makers.last(), Some(&"%app run cat /hello > /said".into()), "{form}: {makers:?}");
    }
}

#[test]
fn the_layers_of_a_push_are_told_as_the_registry_has_them() {
    let Some(engine) = engines::newer() else { return };
    let registry = engines::registry().expect("it is up where an engine is");
    let name = format!("{registry}/wire/pushed:{}", std::process::id());
    let folder = folder();
    let arguments = [".", "--tag", &name, "--push", "--progress", "plain", "--format", "json"];
    let answer = build(&engine, folder.path(), &arguments);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let told: Value = serde_json::from_str(answer.text()).expect("is JSON");
    let pushed = pushed(&name);
    let of =
        |layers: &[Value], key: &str| -> Vec<Value> { layers.iter().map(|it| it[key].clone()).collect() };
    let (told, stored) = (list(&told, "/layers"), list(&pushed, "/layers"));
    assert_eq!(stored.len(), 3, "{pushed:#}");
    for key in ["digest", "size"] {
        assert_eq!(of(told, key), of(stored, key), "{key}");
    }
    assert!(told.iter().all(|layer| layer["compressed"] == true), "{told:#?}");
    assert_eq!(told[2]["made_by"], "%app run cat /hello > /said", "{told:#?}");
    assert!(answer.stderr.contains("in all,"), "{}", answer.stderr);
}

#[test]
fn a_bare_root_filesystem_has_no_layers_to_tell() {
    let Some(engine) = engines::newer() else { return };
    let folder = folder();
    let arguments = [".", "--progress", "plain", "--format", "json", "-o", "type=tar,dest=files.tar"];
    let answer = build(&engine, folder.path(), &arguments);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let told: Value = serde_json::from_str(answer.text()).expect("is JSON");
    assert!(list(&told, "/layers").is_empty(), "{told:#}");
    assert!(answer.stderr.contains("built in"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("in all,"), "{}", answer.stderr);
}

#[test]
fn annotations_that_an_engine_cannot_keep_are_not_lost_in_silence() {
    for (engine, keeps_them) in [(engines::older(), false), (engines::newer(), true)] {
        let Some(engine) = engine else { return };
        let folder = annotated("");
        let name = format!("wire/annotated:{}", std::process::id());
        let answer = build(&engine, folder.path(), &[".", "--tag", &name, "--progress", "plain"]);
        assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
        let said = "keeps images without a manifest: the plan's annotations are not in it";
        assert_eq!(answer.stderr.contains(said), !keeps_them, "{}: {}", engine.name, answer.stderr);
        let runtime = tokio::runtime::Runtime::new().expect("can be made");
        let endpoint = Endpoint::of_engine(&engine.host, None).expect("is one");
        let removing = async { Engine::at(&endpoint).expect("is there").remove(&name).await };
        runtime.block_on(removing).expect("it was made");
    }
}

#[test]
fn annotations_that_are_lost_where_an_image_is_loaded_are_told_once() {
    let Some(newer) = engines::newer() else { return };
    for (engine, keeps_them) in [(engines::older(), false), (engines::newer(), true)] {
        let Some(engine) = engine else { return };
        let folder = annotated("");
        let name = format!("wire/annotated-and-loaded:{}", std::process::id());
        let arguments = ["--load", "--tag", &name, "--progress", "json"];
        let answer = build_for(&engine, &newer, folder.path(), &arguments);
        assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
        let said = "keeps images without a manifest: the plan's annotations are not in it";
        let told = answer.stderr.lines().filter(|line| line.contains(said));
        let told: Vec<Value> = told.map(|line| serde_json::from_str(line).expect("is JSON")).collect();
        assert_eq!(told.len(), usize::from(!keeps_them), "{}: {}", engine.name, answer.stderr);
        for warning in &told {
            let text = warning.to_string();
            for said in [&engine.host, "containerd image store"] {
                assert!(text.contains(said), "{}: {said}: {text}", engine.name);
            }
        }
        let saved = folder.path().join("saved.tar");
        let runtime = tokio::runtime::Runtime::new().expect("can be made");
        let endpoint = Endpoint::of_engine(&engine.host, None).expect("is one");
        runtime.block_on(async {
            let engine = Engine::at(&endpoint).expect("is there");
            engine.save(&name, &saved).await.expect("it has it");
            engine.remove(&name).await.expect("it was made");
        });
        let saved = std::fs::read(saved).expect("was written");
        let has_them = String::from_utf8_lossy(&saved).contains("org.example.said");
        assert_eq!(has_them, keeps_them, "{}", engine.name);
    }
}

#[test]
fn an_image_is_pushed_under_each_of_its_names() {
    let Some(engine) = engines::newer() else { return };
    let registry = engines::registry().expect("it is up where an engine is");
    for platforms in ["", "platform linux/amd64\nplatform linux/arm64\n"] {
        let names = ["one:1", "one:2", "other:1"].map(|name| {
            format!("{registry}/wire/pushed-as-{name}-{}-{}", platforms.len(), std::process::id())
        });
        let folder = annotated(platforms);
        let mut arguments = vec![".", "--push", "--progress", "quiet", "--metadata-file", "told"];
        arguments.extend(names.iter().flat_map(|name| ["--tag", name]));
        let answer = build(&engine, folder.path(), &arguments);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let digest = answer.text().trim();
        for name in &names {
            assert_eq!(found_as(name).0.to_string(), digest, "{name}");
        }
        let told = std::fs::read_to_string(folder.path().join("told")).expect("was written");
        let told: Value = serde_json::from_str(&told).expect("is JSON");
        assert_eq!(told["image.name"], names.join(","), "{told:#}");
    }
}

#[test]
fn the_layers_of_each_platform_are_told() {
    let Some(engine) = engines::newer() else { return };
    let registry = engines::registry().expect("it is up where an engine is");
    let name = format!("{registry}/wire/pushed-for-two:{}", std::process::id());
    let folder = folder();
    let path = folder.path().join("plan.cpk");
    let plan = "cpk 1\nplatform linux/amd64\nplatform linux/arm64\nstage %app from scratch {\n  \
                file \"/a\" = \"${A}\"\n  file \"/b\" = \"b\"\n}\nexport from %app\n";
    std::fs::write(&path, plan.replace("${A}", &name)).expect("is writable");
    for output in [&["--push", "--tag", &name][..], &["-o", "type=oci,dest=image.tar"]] {
        let told = [".", "--progress", "plain", "--format", "json"];
        let answer = build(&engine, folder.path(), &[&told[..], output].concat());
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let told: Value = serde_json::from_str(answer.text()).expect("is JSON");
        let told = list(&told, "/layers");
        assert_eq!(told.len(), 4, "{output:?}: {told:#?}");
        let index = pushed(&name);
        for (platform, told) in [("amd64", &told[..2]), ("arm64", &told[2..])] {
            assert!(answer.stderr.contains(&format!("layers for linux/{platform}")), "{}", answer.stderr);
            let mut images = list(&index, "/manifests").iter();
            let image = images.find(|it| it["platform"]["architecture"] == platform).expect("there is one");
            let digest = image["digest"].as_str().expect("is text");
            let manifest = pushed(&format!("{name}@{digest}"));
            for (told, stored) in told.iter().zip(list(&manifest, "/layers")) {
                assert_eq!(told["platform"], format!("linux/{platform}"), "{output:?}");
                assert_eq!(
                    (&told["digest"], &told["size"]),
                    (&stored["digest"], &stored["size"]),
                    "{output:?}"
                );
            }
            assert!(
                told.iter().all(|it| it["made_by"].as_str().is_some_and(|it| it.starts_with("%app file")))
            );
        }
    }
}

/// The manifest or index that the rig's registry has under a name.
pub fn pushed(name: &str) -> Value {
    found_as(name).1
}

/// The same, and its digest.
fn found_as(name: &str) -> (Digest, Value) {
    let registries = Registries::new(Settings::default(), Box::new(|_| Ok(Login::Anonymous)));
    let reference: ImageReference = name.parse().expect("is a name");
    let wanted = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => Wanted::Digest(digest),
        (None, tag) => Wanted::Tag(tag.expect("it has one").to_owned()),
    };
    let found = registries.manifest(&Repository::of(&reference), &wanted).expect("it is there");
    (Digest::of(&found.bytes), serde_json::from_slice(&found.bytes).expect("is JSON"))
}

/// A plan for one or two platforms with annotations.
fn annotated(platforms: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan = format!(
        "cpk 1\n{platforms}stage %app from scratch {{\n  file \"/a\" = \"{}\"\n}}\nexport from %app {{\n  \
         annotation org.example.said = \"so, and \\\"so\\\"\"\n  annotation plain = \"1\"\n}}\n",
        std::process::id()
    );
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    folder
}

#[test]
fn annotations_arrive_in_each_manifest_that_is_pushed() {
    let Some(engine) = engines::newer() else { return };
    let registry = engines::registry().expect("it is up where an engine is");
    let expected = serde_json::json!({"org.example.said": "so, and \"so\"", "plain": "1"});
    for (platforms, count) in [("", 1), ("platform linux/amd64\nplatform linux/arm64\n", 2)] {
        let name = format!("{registry}/wire/annotated-{count}:{}", std::process::id());
        let folder = annotated(platforms);
        let answer = build(&engine, folder.path(), &[".", "--tag", &name, "--push", "--progress", "plain"]);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let found = pushed(&name);
        let manifests = match list(&found, "/manifests") {
            [] => vec![found.clone()],
            several => {
                assert_eq!(found.get("annotations"), None, "they are of manifests, and not of an index");
                let digest = |it: &Value| it["digest"].as_str().expect("is text").to_owned();
                several.iter().map(|it| pushed(&format!("{name}@{}", digest(it)))).collect()
            }
        };
        assert_eq!(manifests.len(), count, "{found:#}");
        for manifest in manifests {
            assert_eq!(manifest["annotations"], expected, "{manifest:#}");
        }
        assert!(!answer.stderr.contains("annotation"), "{}", answer.stderr);
    }
}
