//! Blobs of images, each compared with its name; and harm that comes to them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

use cogpack_content::Digest;

/// What somebody may do to a blob by one of its names.
pub const HARM: [fn(&Path); 2] = [cut, change];

/// Takes half of its bytes away.
fn cut(blob: &Path) {
    let file = File::options().write(true).open(blob).expect("is there");
    file.set_len(file.metadata().expect("is there").len() / 2).expect("can be cut");
}

/// Changes one of its bytes.
fn change(blob: &Path) {
    let file = File::options().read(true).write(true).open(blob).expect("is there");
    let (place, mut byte) = (file.metadata().expect("is there").len() / 2, [0]);
    file.read_exact_at(&mut byte, place).expect("has bytes");
    file.write_all_at(&[byte[0] ^ 1], place).expect("can be written");
}

/// The names of the blobs of a layout, or of an archive of one, all of which have the bytes that they are
/// named for.
pub fn whole(image: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut check = |name: &str, bytes: &[u8]| {
        assert_eq!(Digest::of(bytes).hex(), name, "{}", image.display());
        found.insert(name.to_owned());
    };
    if image.is_dir() {
        for blob in fs::read_dir(image.join("blobs/sha256")).expect("is a layout") {
            let path = blob.expect("can be listed").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("is a digest");
            check(name, &fs::read(&path).expect("can be read"));
        }
        return found;
    }
    let mut archive = tar::Archive::new(File::open(image).expect("is there"));
    for entry in archive.entries().expect("is an archive") {
        let mut entry = entry.expect("is an archive");
        let path = entry.path().expect("has a path").into_owned();
        let name = path.strip_prefix("blobs/sha256").ok().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| !name.is_empty()) else { continue };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("is whole");
        check(name, &bytes);
    }
    found
}
