//! The list of what we wrote into a directory, with digests, so that a later run can tell our
//! files from those of others, and files that were changed since from those that were not.
//!
//! ```text
//! # What cogpackc wrote here, so that it replaces nothing else.
//! file sha256:… Dockerfile
//! link sha256:… contexts/source/latest
//! directory contexts/source
//! ```
//!
//! Bytes of a path that are not printable ASCII stand as `%` and two digits. A link's digest is
//! that of what it says. Modes are not compared: version control keeps few of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cogpack_content::Digest;
use sha2::{Digest as _, Sha256};

/// The file's name.
pub const NAME: &str = ".cogpackc-manifest";

const HEADER: &str = "# What cogpackc wrote here, so that it replaces nothing else.\n";

/// What stood or stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file with these bytes.
    File(Digest),
    /// A link that says this.
    Link(Digest),
    /// A directory.
    Directory,
}

/// What was written, by path relative to the directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// A directory before what is in it.
    pub entries: BTreeMap<Vec<u8>, Entry>,
}

impl Manifest {
    /// Lists all that is below a directory.
    pub fn of(directory: &Path) -> io::Result<Self> {
        let mut manifest = Self::default();
        manifest.add(directory, b"")?;
        Ok(manifest)
    }

    fn add(&mut self, directory: &Path, way: &[u8]) -> io::Result<()> {
        for listed in fs::read_dir(directory)? {
            let listed = listed?;
            let path = joined(way, &listed.file_name());
            let Some(entry) = look(&listed.path())? else { continue };
            let is_directory = entry == Entry::Directory;
            self.entries.insert(path.clone(), entry);
            if is_directory {
                self.add(&listed.path(), &path)?;
            }
        }
        Ok(())
    }

    /// Reads that of a directory; `None` where there is none. Nothing is read of what is no file, such as
    /// a pipe, on which one waits.
    pub fn read(directory: &Path) -> io::Result<Option<Self>> {
        use io::ErrorKind::{InvalidData, NotADirectory, NotFound};
        let path = directory.join(NAME);
        let text = match fs::metadata(&path) {
            Ok(found) if !found.is_file() => return Ok(None),
            Ok(_) => fs::read_to_string(&path),
            Err(error) => Err(error),
        };
        match text {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if matches!(error.kind(), NotFound | NotADirectory | InvalidData) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads its text; `None` where it is no manifest.
    pub fn parse(text: &str) -> Option<Self> {
        let mut entries = BTreeMap::new();
        for line in text.strip_prefix(HEADER)?.lines() {
            let (kind, rest) = line.split_once(' ')?;
            let (entry, path) = match kind {
                "directory" => (Entry::Directory, rest),
                "file" | "link" => {
                    let (digest, path) = rest.split_once(' ')?;
                    let digest = digest.parse().ok()?;
                    (if kind == "file" { Entry::File(digest) } else { Entry::Link(digest) }, path)
                }
                _ => return None,
            };
            let path = unescaped(path)?;
            // Nothing outside the directory is ours, whatever was written into the list.
            let is_below = |part: &[u8]| !part.is_empty() && part != b"." && part != b"..";
            if !path.split(|byte| *byte == b'/').all(is_below) {
                return None;
            }
            entries.insert(path, entry);
        }
        Some(Self { entries })
    }

    /// Its text.
    pub fn to_text(&self) -> String {
        let mut text = HEADER.to_owned();
        for (path, entry) in &self.entries {
            let what = match entry {
                Entry::File(digest) => format!("file {digest}"),
                Entry::Link(digest) => format!("link {digest}"),
                Entry::Directory => "directory".to_owned(),
            };
            text.push_str(&format!("{what} {}\n", escaped(path)));
        }
        text
    }
}

/// What stands at a path of the disk; `None` for nothing. What can be no entry counts as a file
/// that is like no other.
pub fn look(path: &Path) -> io::Result<Option<Entry>> {
    let found = match path.symlink_metadata() {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    Ok(Some(match found.file_type() {
        kind if kind.is_dir() => Entry::Directory,
        kind if kind.is_symlink() => Entry::Link(Digest::of(fs::read_link(path)?.as_os_str().as_bytes())),
        kind if kind.is_file() => {
            let mut file = File::open(path)?;
            let mut hash = Sha256::new();
            let mut piece = vec![0; 1 << 16];
            loop {
                match file.read(&mut piece)? {
                    0 => break,
                    length => hash.update(&piece[..length]),
                }
            }
            Entry::File(Digest::from_sha256(hash.finalize().into()))
        }
        _ => Entry::Link(Digest::of(b"neither file nor link")),
    }))
}

/// A name below a relative path, which is empty at the top.
pub(crate) fn joined(way: &[u8], name: &OsStr) -> Vec<u8> {
    match way {
        b"" => name.as_bytes().to_vec(),
        way => [way, b"/", name.as_bytes()].concat(),
    }
}

/// A relative path below a directory.
pub fn below(directory: &Path, path: &[u8]) -> PathBuf {
    directory.join(OsStr::from_bytes(path))
}

fn escaped(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for &byte in path {
        match byte {
            b'%' | 0..=b' ' | 0x7f.. => text.push_str(&format!("%{byte:02x}")),
            byte => text.push(char::from(byte)),
        }
    }
    text
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut path = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        path.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_back_and_names_nothing_outside() {
        let manifest = Manifest {
            entries: BTreeMap::from([
                (b"a b\n%\xff".to_vec(), Entry::File(Digest::of(b"x"))),
                (b"d".to_vec(), Entry::Directory),
                (b"d/l".to_vec(), Entry::Link(Digest::of(b"y"))),
            ]),
        };
        let text = manifest.to_text();
        assert!(text.contains(" a%20b%0a%25%ff\n") && text.contains("directory d\n"), "{text}");
        assert_eq!(Manifest::parse(&text), Some(manifest));
        for path in ["../a", "/a", "a//b", "a/..", "."] {
            assert_eq!(Manifest::parse(&format!("{HEADER}directory {path}\n")), None, "{path}");
        }
        assert_eq!(Manifest::parse("something else"), None);
    }
}
