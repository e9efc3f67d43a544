//! What followed paths lead to: each is wanted with every link on the way, and with what these
//! lead to in the end. Links that leave the root are taken to start there.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use cogpack_io_project::glob::Glob;

use super::failure::DirectoryFailure;

/// As many links in a row as Linux follows.
const MOST_LINKS: usize = 40;

/// Patterns for what `paths` lead to; `None` where one leads to the root, and so to all.
pub fn follow(
    root: &Path,
    directory: &str,
    paths: &[String],
) -> Result<Option<Vec<String>>, DirectoryFailure> {
    let mut followed = Followed { root, directory, reached: BTreeSet::new(), seen: BTreeSet::new() };
    for path in paths {
        let rest = path.split('/').map(|part| part.as_bytes().to_vec()).rev().collect();
        followed.go(Vec::new(), rest, 0)?;
    }
    if followed.reached.contains("") {
        return Ok(None);
    }
    Ok(Some(followed.reached.into_iter().collect()))
}

/// The parts of a path, each a pattern.
type Parts = Vec<Vec<u8>>;

/// A link's name, and what it says.
type Link = (Vec<u8>, Vec<u8>);

struct Followed<'f> {
    root: &'f Path,
    directory: &'f str,
    /// Patterns, each of which is wanted.
    reached: BTreeSet<String>,
    /// Where the way has already been taken from, and what was left of it.
    seen: BTreeSet<(Parts, Parts)>,
}

impl Followed<'_> {
    /// Goes on from `here`; `rest` is what is left of the way, its next part last. Parts are
    /// patterns.
    fn go(&mut self, mut here: Parts, mut rest: Parts, links: usize) -> Result<(), DirectoryFailure> {
        if !self.seen.insert((here.clone(), rest.clone())) {
            return Ok(());
        }
        while let Some(part) = rest.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    here.pop();
                    continue;
                }
                _ => {}
            }
            let mut led_on = false;
            for (name, target) in self.links(&here, &part)? {
                led_on = true;
                // The link itself is wanted, wherever it leads.
                let link = [here.as_slice(), &[escape(&name)]].concat();
                self.reach(&link)?;
                if links < MOST_LINKS {
                    let start = if target.starts_with(b"/") { Vec::new() } else { here.clone() };
                    let target = target.split(|byte| *byte == b'/').rev().map(escape);
                    let rest = rest.iter().cloned().chain(target).collect();
                    self.go(start, rest, links + 1)?;
                }
            }
            if led_on && !is_pattern(&part) {
                return Ok(());
            }
            here.push(part);
        }
        self.reach(&here)
    }

    fn reach(&mut self, path: &[Vec<u8>]) -> Result<(), DirectoryFailure> {
        let path = path.join(&b'/');
        let Ok(path) = String::from_utf8(path) else {
            return Err(DirectoryFailure::Request {
                key: "followpaths",
                reason: "leads to a name that is not UTF-8",
            });
        };
        self.reached.insert(path);
        Ok(())
    }

    /// The links in `here` that `part` matches, each with what it says.
    fn links(&self, here: &[Vec<u8>], part: &[u8]) -> Result<Vec<Link>, DirectoryFailure> {
        let mut place = PathBuf::from(self.root);
        for part in here {
            if is_pattern(part) {
                // Links behind a pattern of a directory are not looked for, as there may be
                // many of them; what the pattern matches is sent all the same.
                return Ok(Vec::new());
            }
            place.push(OsStr::from_bytes(&unescape(part)));
        }
        let names = match is_pattern(part) {
            false => vec![unescape(part)],
            true => self.matching(&place, part)?,
        };
        let mut links = Vec::new();
        for name in names {
            match fs::read_link(place.join(OsStr::from_bytes(&name))) {
                Ok(target) => links.push((name, target.into_os_string().into_vec())),
                // No link, or not there: nothing to follow.
                Err(error) if is_nothing(&error) => {}
                Err(error) => return Err(DirectoryFailure::read(self.directory, "follow", &name, &error)),
            }
        }
        Ok(links)
    }

    fn matching(&self, place: &Path, pattern: &[u8]) -> Result<Vec<Vec<u8>>, DirectoryFailure> {
        let written = String::from_utf8_lossy(pattern);
        let glob = Glob::new(&written).map_err(|_| DirectoryFailure::Request {
            key: "followpaths",
            reason: "has a pattern that is none",
        })?;
        let failed = |error: &io::Error| DirectoryFailure::read(self.directory, "list", pattern, error);
        let entries = match fs::read_dir(place) {
            Ok(entries) => entries,
            Err(error) if is_nothing(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failed(&error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| failed(&error))?.file_name().into_vec();
            if glob.matches(&name) {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput
    )
}

const SPECIAL: &[u8] = b"*?[\\";

/// Whether a part may match more than one name.
fn is_pattern(part: &[u8]) -> bool {
    let mut rest = part.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => drop(rest.next()),
            b'*' | b'?' | b'[' => return true,
            _ => {}
        }
    }
    false
}

/// A name as a pattern that matches only it.
fn escape(name: impl AsRef<[u8]>) -> Vec<u8> {
    let mut pattern = Vec::new();
    for byte in name.as_ref() {
        match byte {
            // What a list of patterns would take for its own.
            b'!' => pattern.extend(b"\\!"),
            byte if SPECIAL.contains(byte) => pattern.extend([b'\\', *byte]),
            byte => pattern.push(*byte),
        }
    }
    pattern
}

/// The one name that a part without wildcards matches.
fn unescape(part: &[u8]) -> Vec<u8> {
    let mut name = Vec::new();
    let mut rest = part.iter();
    while let Some(byte) = rest.next() {
        name.extend(if *byte == b'\\' { rest.next() } else { Some(byte) });
    }
    name
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn followed(root: &Path, paths: &[&str]) -> Option<Vec<String>> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        follow(root, "source", &paths).expect("can be followed")
    }

    fn patterns(patterns: &[&str]) -> Option<Vec<String>> {
        Some(patterns.iter().map(|it| (*it).to_owned()).collect())
    }

    #[test]
    fn links_are_wanted_and_so_is_what_they_lead_to() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        fs::create_dir_all(root.join("real/deep")).expect("is writable");
        for (target, link) in [
            ("real", "a"),
            ("deep/file", "real/b"),
            ("/real/deep", "absolute"),
            ("../../../real", "real/deep/out"),
            ("loop", "loop"),
            ("grow/x", "grow"),
            ("we*rd [x]", "odd"),
            (".", "here"),
        ] {
            symlink(target, root.join(link)).expect("is writable");
        }
        assert_eq!(followed(root, &[]), patterns(&[]));
        assert_eq!(followed(root, &["plain/x", "./none"]), patterns(&["none", "plain/x"]));
        assert_eq!(followed(root, &["a/b"]), patterns(&["a", "real/b", "real/deep/file"]));
        assert_eq!(followed(root, &["a/x", "a/y"]), patterns(&["a", "real/x", "real/y"]));
        assert_eq!(followed(root, &["absolute/f"]), patterns(&["absolute", "real/deep/f"]));
        assert_eq!(followed(root, &["real/deep/out/f"]), patterns(&["real/deep/out", "real/f"]));
        assert_eq!(followed(root, &["loop", "/grow/"]).map(|it| it.len() < 50), Some(true));
        assert_eq!(followed(root, &["odd"]), patterns(&["odd", "we\\*rd \\[x]"]));
        assert_eq!(followed(root, &["here"]), None);
        assert_eq!(followed(root, &["absol*/f"]), patterns(&["absol*/f", "absolute", "real/deep/f"]));
    }
}
