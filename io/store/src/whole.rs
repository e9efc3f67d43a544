//! Whether a blob still has the bytes that it was kept with.
//!
//! A blob may be a file of image layouts too, by links, and there somebody may cut or change it. To hash
//! it each time would cost as much as to make it, so a blob that is known whole is dated [`DATE`]: whoever
//! writes to a file dates it anew, by any of its names. A blob of another date is hashed, and dated or
//! refused. Against bytes that change with no write to the file, as on a bad disk, and against those who
//! set its date back, all blobs are hashed by `store verify`.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::{Duration, SystemTime};

use cogpack_content::Digest;
use sha2::{Digest as _, Sha256};

/// What a blob is dated that is known whole, in seconds since 1970: in September 2001. Not one that other
/// tools give to files whose dates are of no matter, such as 0 and 1.
pub const DATE: i64 = 1_000_000_007;

/// Whether a file is dated as one that is known whole.
pub fn is_dated(file: &Metadata) -> bool {
    file.mtime() == DATE && file.mtime_nsec() == 0
}

/// Dates a file that is known whole. Its bytes must be on the disk before it is looked for by its name: what
/// the machine had not written when it went down must not have this date.
pub(crate) fn date(file: &File) -> io::Result<()> {
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(DATE.unsigned_abs()))
}

/// The digest of all bytes of a file. Where it is the one that is asked for, the file is dated, so that it
/// need not be read again.
pub fn hash(file: &File, asked_for: &Digest) -> io::Result<Digest> {
    let before = file.metadata()?;
    let found = digest_of(file)?;
    let after = file.metadata()?;
    let dates = |it: &Metadata| (it.len(), it.mtime(), it.mtime_nsec());
    // What is written to meanwhile is not known whole.
    if found == *asked_for && dates(&before) == dates(&after) && file.sync_all().is_ok() {
        // Whoever may not date it reads it again next time.
        let _ = date(file);
    }
    Ok(found)
}

/// The digest of all bytes of a file, wherever whoever reads it is in it.
pub(crate) fn digest_of(file: &File) -> io::Result<Digest> {
    let (mut hash, mut buffer, mut place) = (Sha256::new(), vec![0; 1 << 18], 0);
    loop {
        match file.read_at(&mut buffer, place) {
            Ok(0) => return Ok(Digest::from_sha256(hash.finalize().into())),
            Ok(count) => {
                hash.update(&buffer[..count]);
                place += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
