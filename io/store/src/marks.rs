//! What stands beside a part: whether it is whole, how it looked when it was kept, and, as the time
//! of the file, when somebody last asked for it.
//!
//! A part gets its name with all of it written, but not yet on the disk: to wait for that with each
//! part takes longer than most programs do. That a process is killed loses nothing; that the machine
//! goes down does. So the mark of a new part names the boot in which it was made, and it counts in
//! that one alone, until a build has ended, has had everything written to the disk, and says so.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cogpack_content::Digest;
use sha2::{Digest as _, Sha256};

/// What a mark says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Since when it is whole.
    pub state: State,
    /// What [`seal`] made of it.
    pub seal: Digest,
}

/// Whether a part has reached the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// All of it.
    OnDisk,
    /// Nobody knows; it is whole as long as the machine runs on since this boot.
    MadeIn(String),
}

const ON_DISK: &str = "on disk";
const MADE_IN: &str = "made in boot ";

/// Where the mark of a part is.
pub(crate) fn path(part: &Path) -> PathBuf {
    part.with_extension("mark")
}

/// The mark of a part; `None` where there is none that can be understood.
pub(crate) fn read(part: &Path) -> Option<Mark> {
    let text = fs::read_to_string(path(part)).ok()?;
    let (state, seal) = text.strip_suffix('\n')?.split_once('\n')?;
    let state = match state.strip_prefix(MADE_IN) {
        Some(boot) => State::MadeIn(boot.to_owned()),
        None if state == ON_DISK => State::OnDisk,
        None => return None,
    };
    Some(Mark { state, seal: seal.parse().ok()? })
}

impl Mark {
    /// Its text.
    pub(crate) fn text(&self) -> String {
        let state = match &self.state {
            State::OnDisk => ON_DISK.to_owned(),
            State::MadeIn(boot) => format!("{MADE_IN}{boot}"),
        };
        format!("{state}\n{}\n", self.seal)
    }
}

/// The name of this boot, which no other has; `None` where the kernel does not tell.
pub(crate) fn boot() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let boot = text.trim_end();
    (!boot.is_empty() && !boot.contains('\n')).then(|| boot.to_owned())
}

/// Notes that somebody asked for what a file stands for. Only an estimate of what is worth keeping
/// depends on it.
pub(crate) fn touch(mark: &Path) {
    let _ = File::options().write(true).open(mark).and_then(|mark| mark.set_modified(SystemTime::now()));
}

/// A digest of all that a listing tells of a directory: names, modes, owners, sizes and times of
/// files. What was written by half, or changed later, has another one.
pub(crate) fn seal(directory: &Path) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut waiting = vec![(Vec::new(), directory.to_owned())];
    while let Some((shown, path)) = waiting.pop() {
        for name in names(&path)? {
            let entry = path.join(OsStr::from_bytes(&name));
            let metadata = fs::symlink_metadata(&entry)?;
            let shown = [&shown[..], b"/", &name].concat();
            hash.update((shown.len() as u64).to_le_bytes());
            hash.update(&shown);
            hash.update(metadata.mode().to_le_bytes());
            hash.update(metadata.uid().to_le_bytes());
            hash.update(metadata.gid().to_le_bytes());
            hash.update(metadata.rdev().to_le_bytes());
            if metadata.is_dir() {
                // How large a directory is, is the filesystem's matter.
                waiting.push((shown, entry));
                continue;
            }
            hash.update(metadata.len().to_le_bytes());
            hash.update(metadata.mtime().to_le_bytes());
            hash.update(metadata.mtime_nsec().to_le_bytes());
        }
    }
    Ok(Digest::from_sha256(hash.finalize().into()))
}

/// The names in a directory, in order: nothing else of each, because they may be a million.
fn names(directory: &Path) -> io::Result<Vec<Box<[u8]>>> {
    let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().as_bytes().into()));
    let mut names = names.collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_half_of_one_is_none() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let part = folder.path().join("part");
        for state in [State::OnDisk, State::MadeIn("5b1f".to_owned())] {
            let mark = Mark { state, seal: Digest::of(b"seal") };
            let text = mark.text();
            fs::write(path(&part), &text).expect("can be written");
            assert_eq!(read(&part), Some(mark));
            for length in 0..text.len() {
                fs::write(path(&part), &text[..length]).expect("can be written");
                assert_eq!(read(&part), None, "{length} bytes of {text:?}");
            }
        }
    }

    #[test]
    fn a_seal_tells_what_is_missing_or_changed() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let of = || seal(folder.path()).expect("can be listed");
        let empty = of();
        fs::create_dir(folder.path().join("d")).expect("can be made");
        fs::write(folder.path().join("d/file"), "text").expect("can be written");
        let whole = of();
        assert_eq!(of(), whole);
        assert_ne!(whole, empty);
        File::options()
            .write(true)
            .open(folder.path().join("d/file"))
            .expect("is there")
            .set_len(3)
            .expect("can be cut");
        assert_ne!(of(), whole);
    }
}
