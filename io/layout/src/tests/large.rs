//! Layers of large files that are not compressed: several are packed at once, their bytes go to the
//! disk past the kernel's cache, and an archive is the only copy of them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::Range;
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
use crate::tar_reader::{EntryKind, TarReader};
use crate::unpack::unpack;
use crate::write::{Image, Named, WriteError, Written, write_archive, write_archive_to, write_directory};

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
    // While it is packed, while it is hashed for a stream, and when it is read again for that.
    let second_time = SIZES[0].1 + (16 << 20);
    for (name, out, after) in [
        ("first", "out", 16 << 20),
        ("second", "out", 16 << 20),
        ("first", "out.tar", 16 << 20),
        ("second", "out.tar", 16 << 20),
        ("first", STREAM, 16 << 20),
        ("first", STREAM, second_time),
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
    let store = Store::open(&root.join("store")).expect("can be made");
    let spoilt = |out: &str, kept: Option<&Store>, after: u64| {
        let read = read(PLAN, root);
        // Nothing that the disk says of the file tells of it.
        let change = |bytes: &mut [u8]| bytes[0] ^= 1;
        let read_of_it = AtomicU64::new(0);
        let files = Changing { files: &read.files, name: "first", after, change: &change, read: read_of_it };
        written(&Image { kept, ..uncompressed(&read, &files) }, &root.join(out))
    };
    // Read twice for a stream; once for a file, where a store knows what it was.
    let error = spoilt(STREAM, None, SIZES[0].1 + (16 << 20)).expect_err("is another");
    assert!(matches!(error, WriteError::MadeOtherwise { .. }), "{error:?}");
    settle(&root.join("project/small"));
    spoilt("out.tar", Some(&store), u64::MAX).expect("nothing has changed");
    fs::remove_file(root.join("out.tar")).expect("is there");
    let error = spoilt("out.tar", Some(&store), 16 << 20).expect_err("is another");
    assert!(matches!(error, WriteError::MadeOtherwise { .. }), "{error:?}");
    assert_eq!(names(root), ["project", "store"]);
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

/// What stands for a stream among destinations.
const STREAM: &str = "stream";

fn written(image: &Image<'_>, out: &Path) -> Result<(), WriteError> {
    if out.ends_with(STREAM) {
        let scratch = tempfile::tempdir().expect("makes a directory");
        return write_archive_to(&unnamed(image), scratch.path(), io::sink()).map(drop);
    }
    let is_archive = out.extension().is_some();
    let write = if is_archive { write_archive } else { write_directory };
    write(&unnamed(image), out).map(drop)
}

/// The entries of an archive: their names, and where their bytes are.
fn entries(archive: &[u8]) -> Vec<(String, Range<usize>)> {
    let mut reader = TarReader::new(archive);
    let mut entries = Vec::new();
    let mut place = 0;
    while let Some(entry) = reader.next_entry().expect("is an archive") {
        place += 512;
        let EntryKind::File { size } = entry.kind else { continue };
        let end = place + size as usize;
        entries.push((String::from_utf8_lossy(&entry.path).into_owned(), place..end));
        place = end.next_multiple_of(512);
    }
    entries
}

/// An archive of these images as a file, which is the same as a stream.
fn archive_of(images: &[Named<'_>], root: &Path) -> (Vec<u8>, Vec<Written>) {
    let mut streamed = Vec::new();
    let written = write_archive_to(images, root, &mut streamed).expect("a vector takes all");
    let out = root.join("out.tar");
    assert_eq!(write_archive(images, &out).expect("can be written"), written);
    assert!(fs::read(&out).expect("is there") == streamed, "the two are not the same");
    fs::remove_file(out).expect("is there");
    for (name, bytes) in entries(&streamed) {
        if let Some(hex) = name.strip_prefix("blobs/sha256/") {
            assert_eq!(Digest::of(&streamed[bytes]).hex(), hex);
        }
    }
    (streamed, written)
}

#[test]
fn layers_come_in_their_order_and_then_all_else_by_name() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    project(root);
    let read = read(PLAN, root);
    // Large ones that are made in their places, a small one that is copied to its own; and all of them
    // compressed.
    for method in [Method::None, Method::Gzip] {
        let image = Image { compression: method.into(), ..image(&read) };
        let (archive, written) = archive_of(&unnamed(&image), root);
        let blob = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
        let layers: Vec<String> =
            written[0].layers[0].iter().map(|layer| blob(&layer.blob.blob.digest)).collect();
        let names: Vec<String> = entries(&archive).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names[..4], layers);
        assert!(names[4..].is_sorted(), "{names:?}");
        assert_eq!(names[6..], ["index.json", "manifest.json", "oci-layout"]);
    }
}

#[test]
fn layers_that_come_out_the_same_are_in_an_archive_once() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    project(root);
    // Another file with the same bytes: nobody knows before that its layer is the same.
    fs::create_dir(root.join("project/again")).expect("is writable");
    fs::copy(root.join("project/second"), root.join("project/again/second")).expect("is writable");
    let plan = PLAN
        .replace("  copy \"third\"", "  copy \"again/second\" from @source to \"/second\"\n  copy \"third\"");
    let read = read(&plan, root);
    let (archive, written) = archive_of(&unnamed(&uncompressed(&read, &read.files)), root);
    let layers = &written[0].layers[0];
    assert_eq!((layers.len(), layers[2].blob), (5, layers[3].blob));
    let entries = entries(&archive);
    assert_eq!(entries.len(), 4 + 2 + 3);
    // Nothing is left of the room that it had.
    let (_, last) = entries.last().expect("there are some");
    assert_eq!(archive.len(), last.end.next_multiple_of(512) + 1_024);
}

#[test]
fn images_that_share_large_layers_read_them_once() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    project(root);
    let reads = [read(PLAN, root), read(PLAN, root)];
    let nothing = |_: &mut [u8]| {};
    let watched =
        |read| Changing { files: read, name: "first", after: 0, change: &nothing, read: AtomicU64::new(0) };
    let files = [watched(&reads[0].files), watched(&reads[1].files)];
    let images = [0, 1].map(|number| uncompressed(&reads[number], &files[number]));
    write_archive(&unnamed_each(&images), &root.join("out.tar")).expect("can be written");
    let read: u64 = files.iter().map(|files| files.read.load(Ordering::Relaxed)).sum();
    assert_eq!(read, SIZES[0].1);
    let (_, written) = archive_of(&unnamed_each(&images), root);
    assert_eq!(written[0], written[1]);
}

/// Images of one layout, without names.
fn unnamed_each<'a>(images: &'a [Image<'a>]) -> Vec<Named<'a>> {
    images.iter().map(|image| Named { images: std::slice::from_ref(image), names: &[] }).collect()
}

#[test]
fn an_archive_holds_the_blobs_of_the_layout_and_the_store_no_second_copy_of_them() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    project(root);
    built(root, None);
    settle(&root.join("project/small"));
    let store = Store::open(&root.join("store")).expect("can be made");
    // A file takes the bytes while they are hashed. For a stream each file is hashed and then copied, as
    // long as nobody knows it.
    let of_streams = Store::open(&root.join("of-streams")).expect("can be made");
    for (out, store, times) in
        [("out.tar", &store, 1), (STREAM, &of_streams, 2), ("out.tar", &store, 1), (STREAM, &of_streams, 1)]
    {
        let read = read(PLAN, root);
        let nothing = |_: &mut [u8]| {};
        let counted = AtomicU64::new(0);
        let files = Changing { files: &read.files, name: "first", after: 0, change: &nothing, read: counted };
        written(&Image { kept: Some(store), ..uncompressed(&read, &files) }, &root.join(out))
            .expect("can be written");
        assert_eq!(files.read.into_inner(), times * SIZES[0].1, "{out}");
        if out == STREAM {
            continue;
        }
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
