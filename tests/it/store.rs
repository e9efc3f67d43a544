//! `cogpackc store`: what is told of a store, what goes, and what is left alone.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use cogpack_cli::Environment;
use cogpack_content::Digest;
use cogpack_io_store::Store;
use cogpack_tests::blobs::{HARM, whole};
use cogpack_tests::terminal::{Answer, cogpackc_in};

/// A folder with a store that holds one part and one blob.
fn folder_with_store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = Store::open(&folder.path().join("store")).expect("can be made");
    let work = store.work().expect("can be made");
    let made = work.path().join("made");
    fs::create_dir(&made).expect("can be made");
    fs::write(made.join("file"), [1; 100_000]).expect("can be written");
    store.keep_part(&Digest::of(b"part"), &made).expect("can be kept");
    fs::write(&made, "blob").expect("can be written");
    store.keep_blob(&Digest::of(b"blob"), &made).expect("can be kept");
    (folder, store)
}

/// A folder with a plan that copies one file, which holds this text.
fn folder_with_a_plan(text: &str) -> tempfile::TempDir {
    let plan = "cpk 1\n\ncontext @source = dir \"source\"\n\nstage %app from scratch {\n  \
                copy contents \".\" from @source to \"/app\"\n}\n\nexport from %app\n";
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    fs::create_dir(folder.path().join("source")).expect("can be made");
    fs::write(folder.path().join("source/file"), text).expect("is writable");
    folder
}

/// In a folder whose store is named by the environment.
fn run(folder: &Path, arguments: &[&str]) -> Answer {
    let environment = Environment { store: Some("store".into()), ..Environment::default() };
    cogpackc_in(environment, folder, &[&["store"], arguments].concat())
}

fn json(answer: &Answer) -> serde_json::Value {
    serde_json::from_str(answer.text()).unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
}

#[test]
fn what_is_kept_is_told_and_thrown_away_by_a_rule() {
    let (folder, store) = folder_with_store();
    drop(store);
    let folder = folder.path();
    let told = json(&run(folder, &["du", "--format", "json"]));
    assert_eq!((&told["parts"]["count"], &told["blobs"]["count"]), (&1.into(), &1.into()), "{told}");
    assert!(told["parts"]["bytes"].as_u64() > Some(100_000), "{told}");
    let answer = run(folder, &["du"]);
    assert!(answer.text().contains("kB        1  filesystems of layers and programs\n"), "{}", answer.text());
    let kept = run(folder, &["gc", "--keep-bytes", "1GB", "--keep-days", "1"]);
    assert!(kept.code == 0 && kept.text().starts_with("removed nothing; "), "{}", kept.text());
    let removed = json(&run(folder, &["gc", "--keep-days", "0", "--format", "json"]));
    assert_eq!(removed["removed"]["parts"]["count"], 1, "{removed}");
    assert_eq!((&removed["removed"]["blobs"]["count"], &removed["kept_bytes"]), (&1.into(), &0.into()));
    assert_eq!(run(folder, &["gc"]).text(), "removed nothing; 0 B are kept\n");
}

#[test]
fn both_ways_to_make_an_image_share_packed_layers() {
    let folder = folder_with_a_plan("text");
    let folder = folder.path();
    let run = |environment: Environment, arguments: &[&str]| {
        let answer = cogpackc_in(environment, folder, arguments);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
    };
    let direct = ["build", ".", "--builder", "direct", "--progress", "quiet"];
    run(Environment::default(), &["plan.cpk", "-o", "oci", "-O", "plain"]);
    assert!(!folder.join("store").exists());
    run(Environment::default(), &["plan.cpk", "-o", "oci", "-O", "first", "--store", "store"]);
    let named = Environment { store: Some("store".into()), ..Environment::default() };
    run(named.clone(), &[&direct[..], &["-o", "type=layout,dest=second"]].concat());
    run(named, &[&direct[..], &["-o", "type=layout,dest=anew", "--no-cache"]].concat());
    let blobs = |layout: &str| {
        let blobs = fs::read_dir(folder.join(layout).join("blobs/sha256")).expect("is a layout");
        let mut links: Vec<_> = blobs
            .map(|blob| {
                let blob = blob.expect("can be listed");
                (blob.file_name(), blob.metadata().expect("is there").nlink())
            })
            .collect();
        links.sort();
        links
    };
    let names = |layout: &str| blobs(layout).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    for other in ["first", "second", "anew"] {
        assert_eq!(names("plain"), names(other), "{other}");
    }
    let shared = |layout: &str| blobs(layout).iter().map(|(_, links)| *links).max();
    // In the store and in two layouts.
    assert_eq!((shared("second"), shared("anew")), (Some(3), Some(1)));
    fs::write(folder.join("source/file"), "more").expect("is writable");
    run(Environment::default(), &["plan.cpk", "-o", "oci", "-O", "first", "--store", "store"]);
    assert_ne!(names("plain"), names("first"), "the layer of before was taken");
}

#[test]
fn builds_that_name_no_store_keep_packed_layers_where_that_takes_no_room() {
    let folder = folder_with_a_plan("text");
    let folder = folder.path();
    let most_links = |cache: &Path, layout: &str| {
        let environment = Environment { cache_home: Some(cache.to_owned()), ..Environment::default() };
        let output = format!("type=layout,dest={layout}");
        let build =
            ["build", ".", "--builder", "direct", "--progress", "quiet", "--no-record", "-o", &output];
        let answer = cogpackc_in(environment, folder, &build);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let blobs = fs::read_dir(folder.join(layout).join("blobs/sha256")).expect("is a layout");
        blobs.map(|blob| blob.and_then(|blob| blob.metadata()).expect("is there").nlink()).max()
    };
    let cache = folder.join("cache");
    assert_eq!(most_links(&cache, "first"), Some(2), "in the layout and in the store");
    assert_eq!(most_links(&cache, "second"), Some(3), "the second build packs nothing");
    // Each of these machines has a filesystem in memory.
    let elsewhere = tempfile::tempdir_in("/dev/shm").expect("a temporary folder can be made");
    assert_eq!(most_links(elsewhere.path(), "third"), Some(1));
    assert_eq!(fs::read_dir(elsewhere.path()).expect("is there").count(), 0, "nothing was copied there");
    let file = folder.join("file");
    fs::write(&file, "").expect("is writable");
    assert_eq!(most_links(&file, "fourth"), Some(1), "a cache that cannot be made is none");
}

#[test]
fn a_packed_layer_that_was_damaged_by_a_link_is_packed_anew() {
    let run = |folder: &Path, arguments: &[&str]| {
        let environment = Environment { store: Some("store".into()), ..Environment::default() };
        let answer = cogpackc_in(environment, folder, arguments);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
    };
    let build = |folder: &Path, output: &str| {
        run(folder, &["build", ".", "--builder", "direct", "--progress", "quiet", "-o", output]);
    };
    let emit = ["plan.cpk", "-o", "oci", "-O", "other", "--store", "store"];
    for harm in HARM {
        for output in ["type=layout,dest=other", "type=layout,dest=mine", "type=oci,dest=other", "emitted"] {
            let folder = folder_with_a_plan(&"some text\n".repeat(10_000));
            let folder = folder.path();
            build(folder, "type=layout,dest=mine");
            let expected = whole(&folder.join("mine"));
            let store = folder.join("store/blobs/sha256");
            let linked = |name: &&String| store.join(name).exists();
            let layers: Vec<&String> = expected.iter().filter(linked).collect();
            let [layer] = layers[..] else { panic!("one layer is kept: {layers:?}") };
            harm(&folder.join("mine/blobs/sha256").join(layer));
            let other = match output {
                "emitted" => {
                    run(folder, &emit);
                    "other"
                }
                output => {
                    build(folder, output);
                    output.rsplit_once('=').expect("has a destination").1
                }
            };
            assert_eq!(whole(&folder.join(other)), expected, "{output}");
            run(folder, &["store", "verify"]);
            build(folder, "type=layout,dest=mine");
            assert_eq!(whole(&folder.join("mine")), expected);
        }
    }
}

#[test]
fn layers_of_another_level_are_others_to_a_store_too() {
    let text: String = (0..60_000u32).map(|number| (number * number % 977).to_string()).collect();
    let folder = folder_with_a_plan(&text);
    let folder = folder.path();
    let environment = Environment { store: Some("store".into()), ..Environment::default() };
    let emitted = |compression: &str, options: &[&str], store: &[&str]| {
        let emit = ["plan.cpk", "-o", "oci", "-O", "emitted", "--compression", compression];
        let answer = cogpackc_in(Environment::default(), folder, &[&emit[..], options, store].concat());
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        fs::read_to_string(folder.join("emitted/index.json")).expect("is a layout")
    };
    for (compression, usual, other) in [("auto", "5", "9"), ("gzip", "5", "9"), ("zstd", "3", "19")] {
        let images = [usual, other].map(|level| {
            let image = emitted(compression, &["--compression-level", level], &["--store", "store"]);
            let output =
                format!("type=layout,dest=built,compression={compression},compression-level={level}");
            let build = ["build", ".", "--builder", "direct", "--progress", "quiet", "-o", &output];
            let answer = cogpackc_in(environment.clone(), folder, &build);
            assert_eq!(answer.code, 0, "{}", answer.stderr);
            let built = fs::read_to_string(folder.join("built/index.json")).expect("is a layout");
            assert_eq!(image, built, "{compression} {level}");
            // What a store knows of another level is not taken for this one.
            assert_eq!(image, emitted(compression, &["--compression-level", level], &[]));
            image
        });
        assert_ne!(images[0], images[1], "{compression}");
        assert_eq!(images[0], emitted(compression, &[], &[]), "{compression}: {usual} is meant");
    }
    let emit =
        ["plan.cpk", "-o", "oci", "-O", "refused", "--compression", "zstd", "--compression-level", "23"];
    let answer = cogpackc_in(Environment::default(), folder, &emit);
    assert_eq!(answer.stderr, "error: `zstd` has no level `23`: it has those from 1 to 22\n");
    assert!(answer.code == 2 && !folder.join("refused").exists());
}

#[test]
fn nothing_goes_while_a_build_uses_the_store() {
    let (folder, store) = folder_with_store();
    for refused in [&["gc", "--keep-days", "0"][..], &["verify", "--repair"]] {
        let answer = run(folder.path(), refused);
        assert_eq!((answer.code, answer.text()), (2, ""), "{}", answer.stderr);
        assert!(answer.stderr.contains("is in use by a build"), "{}", answer.stderr);
        assert!(answer.stderr.contains("hint: nothing was changed"), "{}", answer.stderr);
    }
    assert!(store.part(&Digest::of(b"part")).is_some());
    assert_eq!(run(folder.path(), &["verify"]).code, 0, "to look at it is no harm");
}

#[test]
fn damage_is_told_and_repaired() {
    let (folder, store) = folder_with_store();
    let blob = folder.path().join("store/blobs/sha256").join(Digest::of(b"blob").hex());
    let answer = run(folder.path(), &["verify"]);
    assert_eq!((answer.code, answer.text()), (0, ""));
    assert_eq!(answer.stderr, "all that is kept is as it was made\n");
    fs::write(&blob, "blab").expect("can be written");
    let answer = run(folder.path(), &["verify"]);
    let told =
        format!("`blobs/sha256/{}` is damaged: its bytes have another digest\n", Digest::of(b"blob").hex());
    assert_eq!((answer.code, answer.text()), (1, told.as_str()));
    assert!(answer.stderr.contains("hint: `cogpackc store verify --repair`"), "{}", answer.stderr);
    drop(store);
    let repaired = json(&run(folder.path(), &["verify", "--repair", "--format", "json"]));
    assert_eq!(repaired["removed"].as_array().map(Vec::len), Some(1), "{repaired}");
    assert_eq!(run(folder.path(), &["verify"]).code, 0);
    assert!(!blob.exists());
}

#[test]
fn a_directory_that_is_no_store_is_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for task in [&["du"][..], &["verify"], &["gc", "--caches"]] {
        let answer = run(folder.path(), &[task, &["--store", "."]].concat());
        assert_eq!((answer.code, answer.text()), (2, ""));
        assert!(answer.stderr.contains("there is no store at `"), "{}", answer.stderr);
    }
    assert_eq!(fs::read_dir(folder.path()).expect("is there").count(), 0);
    let answer = run(folder.path(), &["gc", "--keep-bytes", "lots"]);
    assert!(answer.code == 2 && answer.stderr.contains("`lots` is no size"), "{}", answer.stderr);
}
