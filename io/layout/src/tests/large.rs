//! Layers of large files that are not compressed: several are packed at once, their bytes go to the
//! disk past the kernel's cache, and an archive is the only copy of them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use cogpack_backends_contract::content::{ContentSource, ContextFile};
use cogpack_backends_oci_direct::compression::Method;
use cogpack_backends_oci_direct::evaluate::ImageLayer;
use cogpack_content::Digest;
use cogpack_io_store::Store;

use super::packed::settle;
use super::{contents, image, names, read, unnamed};
use crate::told::Moved;
use crate::unpack::unpack;
use crate::write::{Image, WriteError, write_archive, write_archive_to, write_directory};

const PLAN: &str = "cpk 1
context @source = dir \"project\"
stage %app from scratch {
  copy \"first\" from @source to \"/first\"
  copy \"small\" from @source to \"/small\"
  copy \"second\" from @source to \"/second\"
  copy \"third\" from @source to \"/third\"
}
export from %app
";

/// Past the cache, at once with others, and neither.
const SIZES: [(&str, u64); 4] =
    [("first", 65 << 20), ("second", (17 << 20) + 55), ("third", (18 << 20) + 4_096), ("small", 9)];

/// Files that are all hole but for some numbers, so that no two pieces are the same.
fn project(root: &Path) {
    fs::create_dir(root.join("project")).expect("is writable");
    for (name, size) in SIZES {
        let file = File::create(root.join("project").join(name)).expect("is writable");
        file.set_len(size).expect("is writable");
        for place in (0..size).step_by(1 << 20) {
            file.write_all_at(format!("{name} {place}").as_bytes(), place).expect("is writable");
        }
    }
}

fn uncompressed<'a>(read: &'a super::Read, files: &'a (dyn ContentSource + Sync)) -> Image<'a> {
    Image { files, compression: Method::None.into(), ..image(read) }
}

/// Builds; the digests of the layers.
fn built(root: &Path, kept: Option<&Store>) -> Vec<Digest> {
    let read = read(PLAN, root);
    let image = Image { kept, ..uncompressed(&read, &read.files) };
    let written = write_directory(&unnamed(&image), &root.join("out")).expect("can be written");
    written[0].layers[0].iter().map(|layer| layer.blob.blob.digest).collect()
}

#[test]
fn each_blob_is_what_its_name_says_and_in_its_place() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    project(root);
    let layers = built(root, None);
    let read = read(PLAN, root);
    let steps = read.assembly.rootfs.history.steps();
    let expected = steps.iter().filter_map(|step| match &step.layer {
        Some(ImageLayer::Made(layer)) => Some(layer.diff_id(&read.files, 0).expect("can be read")),
        Some(ImageLayer::Base(_)) | None => None,
    });
    assert_eq!(layers, expected.collect::<Vec<_>>());
    let blobs = contents(&root.join("out/blobs"));
    assert_eq!(blobs.len(), SIZES.len() + 2);
    for (path, bytes) in blobs {
        assert_eq!(path.file_name(), Some(Digest::of(&bytes).hex().as_ref()), "{}", path.display());
    }
    let store = Store::open(&root.join("store")).expect("can be made");
    assert_eq!(built(root, Some(&store)), layers);
    assert_eq!(store.faults().expect("can be read"), []);
}

/// Does something to a file after so many bytes of it were read.
struct Changing<'f> {
    files: &'f (dyn ContentSource + Sync),
    name: &'static str,
    after: u64,
    change: &'f (dyn Fn(&mut [u8]) + Sync),
    read: AtomicU64,
}

impl ContentSource for Changing<'_> {
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        let opened = self.files.open(file)?;
        let is_it = file.path == self.name.as_bytes();
        Ok(if is_it { Box::new(ChangingReader { opened, source: self }) } else { opened })
    }
}

struct ChangingReader<'s> {
    opened: Box<dyn Read + 's>,
    source: &'s Changing<'s>,
}

impl Read for ChangingReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.opened.read(buffer)?;
        let Changing { after, change, read, .. } = self.source;
        let before = read.fetch_add(count as u64, Ordering::Relaxed);
        if before < *after && before + count as u64 >= *after {
            change(&mut buffer[..count]);
        }
        Ok(count)
    }
}

fn change(path: &Path) {
    let mut file = File::options().write(true).open(path).expect("is there");
    file.write_all(b"other bytes").expect("is writable");
    file.set_modified(SystemTime::now() + Duration::from_secs(5)).expect("can be set");
}

/// The messages of an error and its causes.
fn chain(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect()
}

#[test]
fn a_file_that_changes_while_several_are_read_is_named_and_nothing_is_left() {
    // While it is packed, while it is hashed for an archive, and when it is read again for that.
    let second_time = SIZES[0].1 + (16 << 20);
    for (name, out, after) in [
        ("first", "out", 16 << 20),
        ("second", "out", 16 << 20),
        ("first", "out.tar", 16 << 20),
        ("first", "out.tar", second_time),
    ] {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        project(root);
        let read = read(PLAN, root);
        let change = |_: &mut [u8]| change(&root.join("project").join(name));
        let files = Changing { files: &read.files, name, after, change: &change, read: AtomicU64::new(0) };
        let image = uncompressed(&read, &files);
        let error = written(&image, &root.join(out)).expect_err("it has changed");
        let chain = chain(&error);
        assert!(chain[0].contains(&format!("copy \"{name}\"")), "{chain:?}");
        assert_eq!(
            chain[1..],
            [format!("read the content of `{name}`"), "it changed while it was read".into()]
        );
        assert_eq!(names(root), ["project"]);
    }
}

#[test]
fn a_layer_that_is_not_the_same_twice_is_in_no_archive() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    project(root);
    let read = read(PLAN, root);
    // Nothing that the disk says of the file tells of it.
    let change = |bytes: &mut [u8]| bytes[0] ^= 1;
    let after = SIZES[0].1 + (16 << 20);
    let files =
        Changing { files: &read.files, name: "first", after, change: &change, read: AtomicU64::new(0) };
    let error = written(&uncompressed(&read, &files), &root.join("out.tar")).expect_err("is another");
    assert!(matches!(error, WriteError::MadeOtherwise { .. }), "{error:?}");
    assert_eq!(names(root), ["project"]);
}

#[test]
fn an_archive_that_nobody_takes_says_so() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    project(root);
    let read = read(PLAN, root);
    let image = uncompressed(&read, &read.files);
    for taken in [0, 1, 40 << 20] {
        let error = write_archive_to(&unnamed(&image), root, Full(taken)).expect_err("it is not taken");
        let chain = chain(&error);
        assert_eq!(chain[0], "write the archive to standard output", "{chain:?}");
        assert_eq!(chain[2..], ["no storage space"]);
        assert_eq!(names(root), ["project"]);
    }
}

/// Takes so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written(image: &Image<'_>, out: &Path) -> Result<(), WriteError> {
    let is_archive = out.extension().is_some();
    let write = if is_archive { write_archive } else { write_directory };
    write(&unnamed(image), out).map(drop)
}

#[test]
fn an_archive_holds_the_blobs_of_the_layout_and_the_store_no_second_copy_of_them() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    project(root);
    built(root, None);
    settle(&root.join("project/small"));
    let store = Store::open(&root.join("store")).expect("can be made");
    let large = SIZES[..3].iter().map(|(_, size)| size).sum::<u64>();
    // The first time each file is hashed and then copied; then it is known, and copied.
    for times in [2, 1] {
        let read = read(PLAN, root);
        let counted = AtomicU64::new(0);
        let told = |moved: Moved<'_>| {
            if moved.complete && moved.item != "the archive" && moved.total > 9 {
                counted.fetch_add(moved.total, Ordering::Relaxed);
            }
        };
        let image = Image { kept: Some(&store), told: &told, ..uncompressed(&read, &read.files) };
        written(&image, &root.join("out.tar")).expect("can be written");
        assert_eq!(counted.into_inner(), (times - 1) * large);
        unpack(File::open(root.join("out.tar")).expect("is there"), &root.join("unpacked"))
            .expect("is a layout");
        let layouts = ["out", "unpacked"].map(|layout| {
            let blobs = contents(&root.join(layout).join("blobs"));
            blobs.into_values().map(|bytes| Digest::of(&bytes)).collect::<BTreeSet<_>>()
        });
        assert!(layouts[0] == layouts[1], "the archive holds other blobs");
        fs::remove_dir_all(root.join("unpacked")).expect("is there");
    }
    let kept = contents(&root.join("store/blobs"));
    assert!(kept.values().all(|blob| blob.len() < 1 << 20), "the store has copies");
    assert_eq!(store.faults().expect("can be read"), []);
    // A layout needs the blobs, and so they are made.
    assert_eq!(built(root, Some(&store)), built(root, None));
    // Of other files nothing is known.
    change(&root.join("project/second"));
    let layers = built(root, Some(&store));
    fs::remove_dir_all(root.join("out")).expect("is there");
    assert_eq!(layers, built(root, None));
}
