//! Opens the files of walked contexts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::SystemTime;

use cogpack_backends_contract::content::{ContentSource, ContextFile, Stamp};
use cogpack_ir::plan::InputName;
use rustix::fs::OFlags;

use crate::walk::{Look, stamp};

/// The directories of a plan's contexts.
#[derive(Debug, Clone, Default)]
pub struct ContextFiles {
    /// Each context's directory.
    pub directories: BTreeMap<InputName, PathBuf>,
}

impl ContentSource for ContextFiles {
    /// Opens a file; one that is no longer the file that was walked is an error here already, and
    /// one that changes while it is read is one at its end.
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        let Some(directory) = self.directories.get(&file.context) else {
            return Err(io::Error::other(format!("the context `{}` has no directory", file.context)));
        };
        // Nobody may come to write into the pipe that has taken a file's place.
        let without_waiting = OFlags::NONBLOCK.bits().cast_signed();
        let opened = File::options()
            .read(true)
            .custom_flags(without_waiting)
            .open(directory.join(OsStr::from_bytes(&file.path)))?;
        let watched = Watched { opened, size: file.size, stamp: file.stamp };
        watched.check("since the directory was walked")?;
        Ok(Box::new(watched))
    }
}

/// A file that is being read. At its end it is looked at once more: bytes of before and after a
/// change are no file that ever was.
struct Watched {
    opened: File,
    size: u64,
    stamp: Stamp,
}

impl Watched {
    fn check(&self, when: &str) -> io::Result<()> {
        let metadata = self.opened.metadata()?;
        let is_same = match &self.stamp {
            Stamp::None | Stamp::Digest(_) => true,
            // What else changes is no change of its bytes: another name, for instance.
            Stamp::Disk(walked) => {
                let found = stamp(&Look::from(&metadata), SystemTime::UNIX_EPOCH);
                (found.device, found.inode, found.modified) == (walked.device, walked.inode, walked.modified)
            }
        };
        if is_same && metadata.is_file() && metadata.len() == self.size {
            return Ok(());
        }
        Err(io::Error::other(format!("it changed {when}")))
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.opened.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            self.check("while it was read")?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_opened_only_as_it_was_walked() {
        let directory = tempfile::tempdir().expect("makes a directory");
        fs::write(directory.path().join("a"), "text").expect("is writable");
        let context = InputName::new("source").expect("is a name");
        let directories = BTreeMap::from([(context.clone(), directory.path().to_owned())]);
        let files = ContextFiles { directories };
        let file = |path: &[u8], size| ContextFile {
            context: context.clone(),
            path: path.to_vec(),
            size,
            linked: false,
            stamp: Stamp::None,
        };
        let mut text = String::new();
        files.open(&file(b"a", 4)).expect("is there").read_to_string(&mut text).expect("is text");
        assert_eq!(text, "text");
        assert!(files.open(&file(b"a", 5)).is_err());
        assert!(files.open(&file(b"b", 4)).is_err());
        assert!(files.open(&file(b"", 4)).is_err());
        // What has taken its place is no file, and nobody is waited for.
        fs::remove_file(directory.path().join("a")).expect("is there");
        let made = std::process::Command::new("mkfifo").arg(directory.path().join("a")).status();
        assert!(made.expect("is installed").success());
        let error = files.open(&file(b"a", 4)).map(|_| ()).expect_err("is a pipe").to_string();
        assert_eq!(error, "it changed since the directory was walked");
        let other = ContextFile { context: InputName::new("other").expect("is a name"), ..file(b"a", 4) };
        assert!(files.open(&other).is_err());
    }
    #[test]
    fn a_file_that_changes_while_it_is_read_is_an_error_at_its_end() {
        let directory = tempfile::tempdir().expect("makes a directory");
        let path = directory.path().join("a");
        fs::write(&path, "text").expect("is writable");
        let context = InputName::new("source").expect("is a name");
        let directories = BTreeMap::from([(context.clone(), directory.path().to_owned())]);
        let files = ContextFiles { directories };
        let walked = fs::metadata(&path).expect("is there");
        let stamp = Stamp::Disk(stamp(&Look::from(&walked), SystemTime::now()));
        let file = ContextFile { context, path: b"a".to_vec(), size: 4, linked: false, stamp };
        let read = |after_two: &dyn Fn()| {
            let mut opened = files.open(&file)?;
            let mut bytes = vec![0; 2];
            opened.read_exact(&mut bytes)?;
            after_two();
            opened.read_to_end(&mut bytes)?;
            Ok::<_, io::Error>(bytes)
        };
        assert_eq!(
            read(&|| fs::hard_link(&path, directory.path().join("b")).expect("is writable")).ok(),
            Some(b"text".to_vec())
        );
        let later = walked.modified().expect("is dated") + std::time::Duration::from_secs(1);
        let change = || {
            fs::write(&path, "TEXT").expect("is writable");
            let file = File::options().write(true).open(&path).expect("is there");
            file.set_modified(later).expect("can be set");
        };
        assert_eq!(read(&change).expect_err("has changed").to_string(), "it changed while it was read");
        let error = read(&|| ()).expect_err("is another one").to_string();
        assert_eq!(error, "it changed since the directory was walked");
    }
}
