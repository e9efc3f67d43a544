//! Whether a destination holds an image already, with nothing beside it: then there is nothing to
//! write, and nothing to sync.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cogpack_backends_oci_direct::image::Documents;
use cogpack_io_store::whole;

/// Whether the layout at `destination` is of these documents and of these blobs. A blob is the same
/// if it is the same file on the disk, and dated as one that is known whole: otherwise nobody knows what
/// became of its bytes.
pub fn is_there(documents: &Documents, blobs: &[PathBuf], destination: &Path) -> bool {
    let is_equal = |(path, bytes): (&String, &Vec<u8>)| {
        let path = destination.join(path);
        let is_as_long = fs::symlink_metadata(&path)
            .is_ok_and(|found| found.is_file() && found.len() == bytes.len() as u64);
        is_as_long && fs::read(&path).is_ok_and(|found| found == *bytes)
    };
    let folder = destination.join("blobs/sha256");
    let is_same = |blob: &PathBuf| {
        let there = blob.file_name().and_then(|name| fs::symlink_metadata(folder.join(name)).ok());
        let place = |metadata: &Metadata| (metadata.dev(), metadata.ino());
        there.is_some_and(|there| {
            whole::is_dated(&there) && fs::metadata(blob).is_ok_and(|blob| place(&blob) == place(&there))
        })
    };
    let count = |folder: &Path| fs::read_dir(folder).map(Iterator::count).ok();
    let mut names: Vec<_> = blobs.iter().filter_map(|blob| blob.file_name()).collect();
    names.sort_unstable();
    names.dedup();
    let of_documents = documents.files.keys().filter(|path| path.starts_with("blobs/")).count();
    let at_top = documents.files.len() - of_documents + 1;
    count(destination) == Some(at_top)
        && count(&folder) == Some(names.len() + of_documents)
        && documents.files.iter().all(is_equal)
        && blobs.iter().all(is_same)
}
