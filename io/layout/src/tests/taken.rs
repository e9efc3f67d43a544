//! Blobs of bases are taken into layouts by links, and never when they are damaged.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cogpack_content::Digest;
use cogpack_io_store::whole;

use super::{PLAN, Read, build, contents, image, project, read, unnamed};
use crate::write::{WriteError, write_archive, write_directory};

const ON_A_BASE: &str = "cpk 1
context @base = oci \"base\"
stage %app from @base {
  env B = \"more\"
}
export from %app
";

/// A base beside a project, and what is needed to build on it.
fn on_a_base() -> (tempfile::TempDir, Read) {
    let root = tempfile::tempdir().expect("makes a directory");
    project(root.path(), false);
    build(PLAN, root.path(), "base").expect("can be written");
    let read = read(ON_A_BASE, root.path());
    (root, read)
}

/// The larger layer of the base.
fn layer(root: &Path) -> PathBuf {
    let blobs = contents(&root.join("base/blobs/sha256")).into_iter();
    blobs.max_by_key(|(_, bytes)| bytes.len()).expect("has blobs").0
}

fn to_directory(read: &Read, root: &Path) -> Result<(), WriteError> {
    write_directory(&unnamed(&image(read)), &root.join("out")).map(drop)
}

fn to_archive(read: &Read, root: &Path) -> Result<(), WriteError> {
    write_archive(&unnamed(&image(read)), &root.join("out.tar")).map(drop)
}

/// Changes one byte, and leaves the date as somebody does who copies a file with it.
fn change(path: &Path, date: SystemTime) {
    let file = File::options().read(true).write(true).open(path).expect("is there");
    let mut byte = [0];
    file.read_exact_at(&mut byte, 200).expect("has bytes");
    file.write_all_at(&[byte[0] ^ 1], 200).expect("can be written");
    file.set_modified(date).expect("can be dated");
}

#[test]
fn a_blob_that_was_damaged_since_it_was_read_is_refused() {
    let wholly = SystemTime::UNIX_EPOCH + Duration::from_secs(whole::DATE.unsigned_abs());
    for write in [to_directory, to_archive] {
        // A copy may have the date of a blob that was whole.
        for date in [SystemTime::now(), wholly] {
            let (root, read) = on_a_base();
            let layer = layer(root.path());
            change(&layer, date);
            let error = write(&read, root.path()).expect_err("is damaged").to_string();
            let found = Digest::of(&fs::read(&layer).expect("is there"));
            assert_eq!(error, format!("the blob `{}` is damaged: its digest is {found}", layer.display()));
            assert!(!root.path().join("out").exists() && !root.path().join("out.tar").exists());
        }
        let (root, read) = on_a_base();
        let layer = layer(root.path());
        let size = fs::metadata(&layer).expect("is there").len();
        File::options().write(true).open(&layer).and_then(|file| file.set_len(9)).expect("can be cut");
        let error = write(&read, root.path()).expect_err("is cut").to_string();
        assert_eq!(error, format!("the blob `{}` has 9 bytes, and not {size}", layer.display()));
    }
}

#[test]
fn a_blob_that_was_damaged_by_a_link_is_refused() {
    let (root, read) = on_a_base();
    let (root, layer) = (root.path(), layer(root.path()));
    to_directory(&read, root).expect("is whole");
    let linked = root.join("out/blobs/sha256").join(layer.file_name().expect("has a name"));
    let inode = |path: &Path| fs::metadata(path).expect("is there").ino();
    assert_eq!(inode(&linked), inode(&layer));
    let index = inode(&root.join("out/index.json"));
    to_directory(&read, root).expect("is whole");
    assert_eq!(inode(&root.join("out/index.json")), index, "nothing has changed, and it was written anew");
    change(&linked, SystemTime::now());
    for write in [to_directory, to_archive] {
        let error = write(&read, root).expect_err("is damaged").to_string();
        assert!(error.contains("is damaged: its digest is sha256:"), "{error}");
    }
}
