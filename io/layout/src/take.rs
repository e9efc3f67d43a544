//! Takes a blob that is somewhere on this machine into a layout: by a link where that is possible, since
//! blobs never change, else by a copy.
//!
//! What somebody has changed all the same is never handed on. A copy is hashed. What is linked is hashed
//! unless its date says that it is whole ([`whole`]): it is looked at after it was linked, so that a file
//! that another one replaces meanwhile is not taken for it.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use cogpack_backends_oci_direct::blob::Blob;
use cogpack_io_store::whole;

use crate::blobs::{self, HashingReader};
use crate::write::{WriteError, failed};

/// Who keeps a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// The store, which dates what it knows whole.
    Store,
    /// Somebody who may have it from elsewhere, with its date: this says that the blob is whole only while
    /// another layout has it by a link, as the copy of a file has none.
    Somebody,
}

/// Takes the blob at `from` to `to`.
pub fn take(from: &Path, keeper: Keeper, to: &Path, expected: &Blob) -> Result<(), WriteError> {
    // Where the layout's blob is a link to elsewhere, what it leads to is meant.
    if fs::canonicalize(from).and_then(|from| fs::hard_link(from, to)).is_err() {
        return copy(from, to, expected);
    }
    let unread = |source| failed("read", from, source);
    let linked = fs::metadata(to).map_err(unread)?;
    if is_known(&linked, keeper, expected) {
        return Ok(());
    }
    let file = File::open(to).map_err(unread)?;
    let found = whole::hash(&file, &expected.digest).map_err(unread)?;
    let size = file.metadata().map_err(unread)?.len();
    Ok(blobs::check(from.to_owned(), &expected.digest, Some(expected.size), found, size)?)
}

/// Whether a blob that was linked just now is known whole.
fn is_known(linked: &Metadata, keeper: Keeper, expected: &Blob) -> bool {
    let is_believed = match keeper {
        Keeper::Store => true,
        // Its own name, this one, and that of a layout that it was linked into before.
        Keeper::Somebody => linked.nlink() > 2,
    };
    is_believed && linked.len() == expected.size && whole::is_dated(linked)
}

/// Copies a blob, and compares it with its digest.
fn copy(from: &Path, to: &Path, expected: &Blob) -> Result<(), WriteError> {
    let source = File::open(from).map_err(|source| failed("read", from, source))?;
    let mut reading = HashingReader::new(source);
    let copied = File::create(to).and_then(|mut file| {
        io::copy(&mut reading, &mut file)?;
        file.sync_all()
    });
    copied.map_err(|source| failed("copy a blob to", to, source))?;
    let (found, size) = reading.finish().map_err(|source| failed("read", from, source))?;
    Ok(blobs::check(from.to_owned(), &expected.digest, Some(expected.size), found, size)?)
}
