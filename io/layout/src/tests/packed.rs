//! Layers are packed once: what is read again of a tree, and when, and that the image is always the
//! one that a build without a store makes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use cogpack_backends_contract::content::{ContentSource, ContextFile};
use cogpack_content::Digest;
use cogpack_io_project::walk::{Look, stamp};
use cogpack_io_store::Store;

use super::{PLAN, build, image, project, read, unnamed};
use crate::write::{Image, write_archive, write_directory};

/// Notes which files are opened.
struct Watching<'f> {
    files: &'f (dyn ContentSource + Sync),
    opened: Mutex<BTreeSet<String>>,
}

impl ContentSource for Watching<'_> {
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn io::Read + 's>> {
        let path = String::from_utf8_lossy(&file.path).into_owned();
        self.opened.lock().expect("nobody panicked").insert(path);
        self.files.open(file)
    }
}

/// Builds with a store: the digest, and which files were read.
fn built(root: &Path, store: &Store, out: &str) -> (Digest, Vec<String>) {
    let read = read(PLAN, root);
    let files = Watching { files: &read.files, opened: Mutex::default() };
    let image = Image { files: &files, kept: Some(store), ..image(&read) };
    let written = if out.ends_with(".tar") {
        write_archive(&unnamed(&image), &root.join(out))
    } else {
        write_directory(&unnamed(&image), &root.join(out))
    };
    let opened = files.opened.into_inner().expect("nobody panicked");
    (written.expect("can be written")[0].digest, opened.into_iter().collect())
}

fn without_store(root: &Path) -> Digest {
    build(PLAN, root, "plain").expect("can be written")
}

/// Waits until what the disk says of a file that was just changed is to be believed.
pub(super) fn settle(path: &Path) {
    let patience = Instant::now() + Duration::from_secs(60);
    let metadata = fs::metadata(path).expect("is there");
    while !stamp(&Look::from(&metadata), SystemTime::now()).settled {
        assert!(Instant::now() < patience, "{metadata:?} never settles");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_has_not_changed_is_not_read_again() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    project(root, false);
    let tool = root.join("project/tool");
    let store = Store::open(&root.join("store")).expect("can be made");
    let expected = without_store(root);
    let (digest, all) = built(root, &store, "out");
    assert_eq!(digest, expected);
    assert!(all.len() > 4, "{all:?}");
    assert_eq!(built(root, &store, "out"), (expected, all.clone()), "what is new may change unseen");
    settle(&tool);
    assert_eq!(built(root, &store, "out"), (expected, all), "nobody has seen them settled yet");
    let nothing = Vec::<String>::new();
    for out in ["out", "another", "out.tar"] {
        assert_eq!(built(root, &store, out), (expected, nothing.clone()), "{out}");
    }
    // The same bytes with another date: one file is read, and none is packed.
    let bytes = fs::read(&tool).expect("is there");
    fs::write(&tool, &bytes).expect("is writable");
    assert_eq!(built(root, &store, "out"), (expected, vec!["tool".to_owned()]));
    // Other bytes with the same date and size.
    let date = fs::metadata(&tool).and_then(|file| file.modified()).expect("is dated");
    fs::write(&tool, bytes.to_ascii_uppercase()).expect("is writable");
    let file = fs::File::options().write(true).open(&tool).expect("is there");
    file.set_modified(date).expect("can be set");
    let changed = without_store(root);
    assert_ne!(changed, expected);
    let (digest, read) = built(root, &store, "out");
    assert_eq!(digest, changed);
    assert!(read.len() > 4, "the layer was not packed anew: {read:?}");
    assert_eq!(store.faults().expect("can be read"), []);
}

#[test]
fn a_layout_that_is_there_already_is_left_as_it_is() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    project(root, false);
    let store = Store::open(&root.join("store")).expect("can be made");
    let (digest, _) = built(root, &store, "out");
    let place = |path: &str| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(root.join(path)).expect("is there").ino()
    };
    let before = (place("out"), place("out/index.json"));
    assert_eq!(built(root, &store, "out").0, digest);
    assert_eq!((place("out"), place("out/index.json")), before);
    // Whatever was done to it, it is written anew.
    let blob = fs::read_dir(root.join("out/blobs/sha256")).expect("is there").next();
    let blob = blob.expect("holds blobs").expect("can be listed").path();
    let spoil: [&dyn Fn(); 3] = [
        // Still a layout, but not the bytes that were written.
        &|| {
            fs::write(root.join("out/oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"} ")
                .expect("is writable")
        },
        &|| fs::write(root.join("out/blobs/sha256/more"), "").expect("is writable"),
        &|| {
            let bytes = fs::read(&blob).expect("is there");
            fs::remove_file(&blob).expect("is there");
            fs::write(&blob, [&bytes[1..], b"x"].concat()).expect("is writable");
        },
    ];
    for spoil in spoil {
        let before = place("out");
        spoil();
        assert_eq!(built(root, &store, "out").0, digest);
        assert_ne!(place("out"), before, "what was spoilt is still there");
    }
    build(PLAN, root, "plain").expect("can be written");
    let bytes = |out: &str| super::contents(&root.join(out)).into_values().collect::<BTreeSet<_>>();
    assert!(bytes("plain") == bytes("out"), "something is left of what was spoilt");
}

#[test]
fn what_is_known_by_half_is_not_known() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    project(root, false);
    let store = Store::open(&root.join("store")).expect("can be made");
    let (expected, all) = built(root, &store, "out");
    settle(&root.join("project/tool"));
    built(root, &store, "out");
    assert_eq!(built(root, &store, "out").1.len(), 0);
    let layers: Vec<_> = fs::read_dir(root.join("store/layers")).expect("is there").collect();
    for layer in layers {
        let path = layer.expect("can be listed").path();
        let text = fs::read_to_string(&path).expect("is there");
        fs::write(&path, &text[..text.len() - 1]).expect("is writable");
    }
    assert_eq!(built(root, &store, "out"), (expected, all));
}
