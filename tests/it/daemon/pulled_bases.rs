//! Builds without a daemon on bases out of the rig's registry: what comes of them is what BuildKit
//! makes, their layers stay as they are, and what has come once is not asked for again.

use std::path::Path;

use cogpack_content::Digest;
use cogpack_tests::blobs::{HARM, whole};
use cogpack_tests::engines;
use cogpack_tests::image::{differences, saved};
use cogpack_tests::terminal::{Answer, cogpackc};
use serde_json::Value;

use super::build::build;
use super::images::pushed;

/// A folder with a plan on this base, of two stages that both need it.
fn folder(base: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan = format!(
        "cpk 1

image @base = \"{base}\"

image @unused = \"registry.invalid/nobody/has:this\"

stage %made from image @base {{
  file \"/made/by\" mode 0640 = \"a plan\"
}}

stage %app from image @base {{
  copy \"/made\" from %made to \"/srv/made\"
  copy \"/etc/os-release\" from image @base to \"/srv/release\"
  remove \"/etc/debian_version\"
  symlink \"/srv/made\" at \"/opt/made\"
  workdir \"/srv\"
}}

export from %app {{
  cmd [\"cat\", \"made/by\"]
}}
"
    );
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    folder
}

fn direct(folder: &Path, store: &str, more: &[&str]) -> Answer {
    let arguments = ["build", ".", "--builder", "direct", "--store", store, "--progress", "plain"];
    cogpackc(folder, &[&arguments, more].concat())
}

/// The digests of the layers in the layout that was built.
fn layers(layout: &Path) -> Vec<String> {
    let json = |path: &Path| -> Value {
        serde_json::from_slice(&std::fs::read(path).expect("is there")).expect("is JSON")
    };
    let index = json(&layout.join("index.json"));
    let digest = index["manifests"][0]["digest"].as_str().expect("is text");
    let digest: Digest = digest.parse().expect("is a digest");
    let manifest = json(&layout.join("blobs/sha256").join(digest.hex()));
    digests(&manifest)
}

fn digests(manifest: &Value) -> Vec<String> {
    let layers = manifest["layers"].as_array().expect("is a list");
    layers.iter().map(|layer| layer["digest"].as_str().expect("is text").to_owned()).collect()
}

#[test]
fn an_image_on_a_base_out_of_a_registry_is_the_one_that_buildkit_makes() {
    let (Some(engine), Some(registry)) = (engines::newer(), engines::registry()) else { return };
    let base = format!("{registry}/base/debian:bookworm-slim");
    let folder = folder(&base);
    let archive = |name: &str| format!("type=docker,dest={name}.tar");
    let name = format!("wire/pulled:{}", std::process::id());

    let answer = direct(folder.path(), "store", &["-t", &name, "-o", &archive("direct")]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let tagged = pushed(&base);
    let pinned = answer.stderr.split(&format!("pull {base}@")).nth(1).expect("the digest is told");
    let pinned = &pinned[..71];
    assert_eq!(pushed(&format!("{base}@{pinned}")), tagged, "{}", answer.stderr);
    let wanted =
        build(&engine, folder.path(), &[".", "-t", &name, "--progress", "plain", "-o", &archive("llb")]);
    assert_eq!(wanted.code, 0, "{}", wanted.stderr);
    let image =
        |name: &str| saved(&folder.path().join(format!("{name}.tar"))).pop_first().expect("holds one").1;
    let differences = differences(&image("llb"), &image("direct"));
    assert!(differences.is_empty(), "{differences}");

    // The layers of the base are what the registry has.
    let answer = direct(folder.path(), "store", &["-o", "type=layout,dest=first"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let first = layers(&folder.path().join("first"));
    let manifest = match tagged.get("manifests") {
        Some(manifests) => pushed(&format!("{base}@{}", manifests[0]["digest"].as_str().expect("is text"))),
        None => tagged,
    };
    assert!(first.starts_with(&digests(&manifest)) && first.len() > digests(&manifest).len(), "{first:?}");

    // What is pinned and has come once is not asked for again, even where nobody answers.
    let plan = std::fs::read_to_string(folder.path().join("plan.cpk")).expect("is there");
    let plan =
        plan.replacen(&format!("\"{base}\"\n"), &format!("\"127.0.0.1:9/gone:1\"\n  digest {pinned}\n"), 1);
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    let answer = direct(folder.path(), "store", &["-o", "type=layout,dest=second"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert_eq!(layers(&folder.path().join("second")), first);
    let answer = direct(folder.path(), "empty", &["-o", "type=layout,dest=third"]);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    for said in [
        "nothing came from the registry at 127.0.0.1:9",
        "--layout base=DIR",
        &format!("127.0.0.1:9/gone@{pinned}"),
    ] {
        assert!(answer.stderr.contains(said), "{said}: {}", answer.stderr);
    }
    assert!(!folder.path().join("third").exists());
}

#[test]
fn several_builds_at_once_pull_into_one_store() {
    let Some(registry) = engines::registry().filter(|_| engines::newer().is_some()) else { return };
    let folder = folder(&format!("{registry}/base/debian:bookworm-slim"));
    let outputs = ["type=layout,dest=one", "type=layout,dest=two", "type=layout,dest=three"];
    std::thread::scope(|scope| {
        let builds = outputs.map(|output| scope.spawn(|| direct(folder.path(), "store", &["-o", output])));
        for build in builds {
            let answer = build.join().expect("does not panic");
            assert_eq!(answer.code, 0, "{}", answer.stderr);
        }
    });
    let [one, two, three] = ["one", "two", "three"].map(|name| layers(&folder.path().join(name)));
    assert!(one == two && two == three);
    assert_eq!(std::fs::read_dir(folder.path().join("store/work")).expect("is there").count(), 0);
    let answer = cogpackc(folder.path(), &["store", "verify", "--store", "store"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
}

#[test]
fn a_layer_of_a_base_that_was_damaged_in_the_store_is_fetched_anew() {
    let Some(registry) = engines::registry().filter(|_| engines::newer().is_some()) else { return };
    let folder = folder(&format!("{registry}/base/debian:bookworm-slim"));
    let path = |name: &str| folder.path().join(name);
    let built = |output: &str| {
        let answer = direct(folder.path(), "store", &["-o", &format!("{output},dest=other")]);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        whole(&path("other"))
    };
    let answer = direct(folder.path(), "store", &["-o", "type=layout,dest=mine"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let expected = whole(&path("mine"));
    let base = layers(&path("mine")).remove(0);
    let base = Path::new("blobs/sha256").join(base.strip_prefix("sha256:").expect("is a digest"));
    for harm in HARM {
        harm(&path("mine").join(&base));
        assert_eq!(built("type=layout"), expected);
        std::fs::remove_dir_all(path("other")).expect("is there");
        harm(&path("store").join(&base));
        assert_eq!(built("type=oci"), expected);
        std::fs::remove_file(path("other")).expect("is there");
        // So that the next harm is done by a link again.
        let answer = direct(folder.path(), "store", &["-o", "type=layout,dest=mine"]);
        assert_eq!((answer.code, whole(&path("mine"))), (0, expected.clone()), "{}", answer.stderr);
    }
}

#[test]
fn a_base_that_a_registry_does_not_have_is_told_with_ways_out() {
    let Some(registry) = engines::registry().filter(|_| engines::newer().is_some()) else { return };
    for (base, head, said) in [
        (format!("{registry}/base/debian:none"), "", "answers 404: manifest unknown (MANIFEST_UNKNOWN)"),
        (format!("{registry}/base/debian:bookworm-slim"), "\nplatform linux/s390x\n", "not for linux/s390x"),
    ] {
        let folder = folder(&base);
        let path = folder.path().join("plan.cpk");
        let plan = std::fs::read_to_string(&path).expect("is there");
        std::fs::write(&path, plan.replacen("cpk 1\n", &format!("cpk 1\n{head}"), 1)).expect("is writable");
        let answer = direct(folder.path(), "store", &["-o", "type=layout,dest=image"]);
        assert_eq!(answer.code, 2, "{}", answer.stderr);
        for said in [said, "hint:", "--layout base=DIR"] {
            assert!(answer.stderr.contains(said), "{said}: {}", answer.stderr);
        }
    }
}
