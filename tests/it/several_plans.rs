//! `cogpackc PLAN PLAN… -o oci`: images of several plans in one layout.

use std::collections::BTreeSet;
use std::path::Path;

use cogpack_tests::image::saved;
use cogpack_tests::terminal::cogpackc;

/// Two plans that share a layer, and one that is wrong.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan = |ops: &str| {
        format!(
            "cpk 1\n\ncontext @source = dir \"source\"\n\nstage %app from scratch {{\n  copy \"note\" from \
             @source to \"/note\"\n{ops}}}\n\nexport from %app\n"
        )
    };
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("is in the folder")).expect("can be made");
        std::fs::write(path, text).expect("is writable");
    };
    write("source/note", "shared");
    write("b.cpk", &plan(""));
    write("a.cpk", &plan("  file \"/own\" = \"a\"\n"));
    write("wrong.cpk", &plan("  copy \"missing\" from @source to \"/x\"\n"));
    write("elsewhere/a.cpk", "cpk 1\nstage %a from scratch { file \"/a\" = \"\" }\nexport from %a\n");
    folder
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).expect("can be listed");
    entries.map(|entry| entry.expect("is there").file_name().to_string_lossy().into_owned()).collect()
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).expect("was written")).expect("is JSON")
}

#[test]
fn images_of_one_layout_share_what_they_have_in_common() {
    let folder = folder();
    let path = folder.path();
    for (plans, out) in [(["b.cpk", "a.cpk"], "one"), (["a.cpk", "b.cpk"], "turned")] {
        let answer = cogpackc(path, &[plans[0], plans[1], "-o", "oci", "-O", out]);
        assert_eq!((answer.code, answer.text()), (0, ""), "{}", answer.stderr);
    }
    // Two manifests, two configs, the layer of both and the one of `a`.
    assert_eq!(names(&path.join("one/blobs/sha256")).len(), 6);
    let index = json(&path.join("one/index.json"));
    let told: Vec<_> = (0..2)
        .map(|at| index["manifests"][at]["annotations"]["org.opencontainers.image.ref.name"].clone())
        .collect();
    assert_eq!(told, ["docker.io/library/a:latest", "docker.io/library/b:latest"]);
    for file in ["index.json", "manifest.json"] {
        assert_eq!(json(&path.join("one").join(file)), json(&path.join("turned").join(file)), "{file}");
    }
    assert_eq!(names(&path.join("one/blobs/sha256")), names(&path.join("turned/blobs/sha256")));

    let again = ["a.cpk", "b.cpk", "-o", "oci", "-O", "app.tar", "-t", "me/a:1", "-t", "me/b:1"];
    let answer = cogpackc(path, &again);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let images = saved(&path.join("app.tar"));
    let files: Vec<_> =
        images.iter().map(|(name, image)| (name.as_str(), image.files.contains_key("own"))).collect();
    assert_eq!(files, [("docker.io/me/a:1", true), ("docker.io/me/b:1", false)]);

    // One of them is a base by its whole name.
    std::fs::write(
        path.join("next.cpk"),
        "cpk 1\nimage @base = \"base\"\nstage %n from image @base { remove \"/own\" }\nexport from %n\n",
    )
    .expect("is writable");
    let on = |name: &str| {
        let layout = format!("base=one:docker.io/library/{name}:latest");
        cogpackc(path, &["next.cpk", "-o", "oci", "-O", "next", "--layout", &layout])
    };
    assert_eq!(on("a").code, 0, "{}", on("a").stderr);
    assert!(on("b").stderr.contains("`/own`"), "{}", on("b").stderr);

    // What is there is replaced, as by one plan.
    let answer = cogpackc(path, &["elsewhere/a.cpk", "b.cpk", "-o", "oci", "-O", "one"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert_ne!(json(&path.join("one/index.json")), json(&path.join("turned/index.json")));
}

#[test]
fn one_plan_that_fails_leaves_nothing_of_the_others() {
    let folder = folder();
    let path = folder.path();
    let before = names(path);
    for (arguments, code, said) in [
        (&["a.cpk", "wrong.cpk", "-o", "oci", "-O", "out"][..], 1, "`missing`"),
        (
            &["a.cpk", "elsewhere/a.cpk", "-o", "oci", "-O", "out"],
            2,
            "both called `docker.io/library/a:latest`",
        ),
        (&["a.cpk", "b.cpk", "-o", "oci", "-O", "out", "-t", "x", "-t", "x:latest"], 2, "both called"),
        (
            &["a.cpk", "b.cpk", "-o", "oci", "-O", "out", "-t", "x"],
            2,
            "`-t NAME` as often as there are plans",
        ),
        (&["a.cpk", "b.cpk", "-o", "oci,llb", "-O", "out"], 2, "one by one"),
        (&["a.cpk", "b.cpk", "-o", "oci"], 2, "`-O DIR`"),
        (&["-", "-", "-o", "oci", "-O", "out"], 2, "stands for it twice"),
        (&["a.cpk", "b.cpk", "-o", "oci", "-O", "out", "--layout", "base=x"], 2, "declares no image `@base`"),
    ] {
        let answer = cogpackc(path, arguments);
        assert_eq!(answer.code, code, "{arguments:?}: {}", answer.stderr);
        let said_so = answer.stderr.split_whitespace().collect::<Vec<_>>().join(" ").contains(said);
        assert!(said_so, "{arguments:?}: {}", answer.stderr);
        assert_eq!(names(path), before, "{arguments:?}");
    }
}

/// What `opt` writes for two plans that begin alike is built to the same blobs, as far as they are alike, and to
/// the files that each plan said.
#[test]
fn a_shared_prefix_is_the_same_blobs_in_both_images() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path();
    std::fs::create_dir_all(path.join("lib/deep")).expect("can be made");
    std::fs::write(path.join("lib/one"), "one").expect("is writable");
    std::fs::write(path.join("lib/deep/two"), "two").expect("is writable");
    for name in ["a", "b"] {
        let plan = format!(
            "cpk 1\n\ncontext @lib = dir \"lib\"\n\nstage %{name} from scratch {{\n  copy contents \".\" from @lib to \
             \"/lib\"\n  mkdir \"/data\" owner 1000:1000\n  layer own-{name} {{\n    file \"/own/{name}\" = \"{name}\"\n    \
             copy \"one\" from @lib to \"/{name}\"\n  }}\n}}\n\nexport from %{name}\n"
        );
        std::fs::write(path.join(format!("{name}.cpk")), plan).expect("is writable");
    }
    let answer = cogpackc(path, &["opt", "a.cpk", "b.cpk", "-O", "out"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let layers = |layout: &str, plan: &str| -> Vec<String> {
        let answer = cogpackc(path, &[plan, "-o", "oci", "-O", layout]);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let blob = |digest: &serde_json::Value| {
            let digest = digest.as_str().expect("is text").replace(':', "/");
            json(&path.join(layout).join("blobs").join(digest))
        };
        let manifest = blob(&json(&path.join(layout).join("index.json"))["manifests"][0]["digest"]);
        let layers = manifest["layers"].as_array().expect("is a list").iter();
        layers.map(|layer| layer["digest"].as_str().expect("is text").to_owned()).collect()
    };
    let [a, b] = ["a", "b"].map(|name| {
        let optimised = format!("{name}.shared.cpk");
        // What it reads lies beside it.
        std::fs::copy(path.join("out").join(format!("{name}.cpk")), path.join(&optimised)).expect("is there");
        let text = std::fs::read_to_string(path.join(&optimised)).expect("is there");
        assert!(text.contains("from %shared-1"), "{text}");
        layers(&format!("{name}-shared"), &optimised)
    });
    assert_eq!((a.len(), b.len()), (3, 3));
    assert_eq!(a[..2], b[..2]);
    assert_ne!(a[2], b[2]);
    let listing = |layout: &str| cogpack_tests::oci::listing(&path.join(layout));
    for name in ["a", "b"] {
        layers(&format!("{name}-alone"), &format!("{name}.cpk"));
        let files = |listing: String| {
            cogpack_tests::plans::regular_files(&listing)
                .into_iter()
                .map(str::to_owned)
                .collect::<BTreeSet<_>>()
        };
        let (shared, alone) = (listing(&format!("{name}-shared")), listing(&format!("{name}-alone")));
        assert_eq!(files(shared), files(alone), "{name}");
    }
}
