//! Walks a directory in the order in which it is announced: parents before what is in them,
//! siblings by the bytes of their names.
//!
//! Owner and group are root's, since whose files they are on this machine must change nothing.
//! What is ours is no part of a directory that is sent. Sockets are passed over: they are no data. Named pipes and devices are refused, as all that
//! read contexts refuse them. Extended attributes stay here.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bollard_buildkit_proto::fsutil::types::Stat;

use cogpack_io_project::own::Own;

use super::failure::{Change, DirectoryFailure, shown};
use super::filter::{Above, Filter};
use super::mode;

/// Whether the walk goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// It does.
    On,
    /// Nobody listens any more.
    Home,
}

/// One directory that the walk is in.
struct Level {
    /// What is still to be looked at, last first.
    names: Vec<OsString>,
    above: Above,
    /// How long the path of the directory is.
    length: usize,
    /// The directory itself, while nothing below it has made it wanted.
    unsent: Option<Stat>,
}

/// Walks `root`, called `directory` in messages, and hands all that `filter` takes to `sink`.
pub fn walk(
    root: &Path,
    directory: &str,
    filter: &Filter,
    sink: &mut dyn FnMut(Stat) -> Go,
) -> Result<(), DirectoryFailure> {
    let mut walk = Walk { directory, place: root.to_owned(), path: Vec::new(), first_links: BTreeMap::new() };
    let names = walk.list()?;
    let mut own = Own::default();
    own.enter(b"", root, names.iter().map(OsString::as_os_str));
    let mut levels = vec![Level { names, above: filter.at_root(), length: 0, unsent: None }];
    while let Some(level) = levels.last_mut() {
        walk.path.truncate(level.length);
        let Some(name) = level.names.pop() else {
            levels.pop();
            walk.place.pop();
            continue;
        };
        if !walk.path.is_empty() {
            walk.path.push(b'/');
        }
        walk.path.extend_from_slice(name.as_bytes());
        let (decision, above) = filter.decide(&walk.path, &level.above);
        if own.holds(&walk.path) || !decision.is_taken && !decision.is_entered {
            continue;
        }
        walk.place.push(&name);
        let Some(metadata) = walk.look()? else {
            walk.place.pop();
            continue;
        };
        let is_entered = metadata.is_dir() && decision.is_entered;
        let names = if is_entered { walk.list()? } else { Vec::new() };
        own.enter(&walk.path, &walk.place, names.iter().map(OsString::as_os_str));
        own.look_below(&walk.path, &walk.place, names.iter().map(OsString::as_os_str));
        let is_taken = decision.is_taken && !own.made(&walk.path);
        let stat = match is_taken || is_entered {
            true => walk.stat(&metadata)?,
            false => None,
        };
        let mut unsent = None;
        match stat {
            Some(stat) if is_taken => {
                // Whatever leads here is wanted with it.
                let leading = levels.iter_mut().filter_map(|level| level.unsent.take());
                for stat in leading.chain([stat]) {
                    if sink(stat) == Go::Home {
                        return Ok(());
                    }
                }
            }
            other => unsent = other,
        }
        if is_entered {
            levels.push(Level { names, above, length: walk.path.len(), unsent });
        } else {
            walk.place.pop();
        }
    }
    Ok(())
}

struct Walk<'w> {
    directory: &'w str,
    /// Where the walk is on this machine.
    place: PathBuf,
    /// The same below the root.
    path: Vec<u8>,
    /// The path under which each file with several names was announced, by device and inode.
    first_links: BTreeMap<(u64, u64), String>,
}

impl Walk<'_> {
    /// The names in the directory that the walk has come to, last first.
    fn list(&self) -> Result<Vec<OsString>, DirectoryFailure> {
        let failed = |error: io::Error| self.failed("list", &error);
        let entries = fs::read_dir(&self.place).map_err(failed)?;
        let mut names: Vec<OsString> = entries
            .map(|entry| entry.map(|entry| entry.file_name()).map_err(failed))
            .collect::<Result<_, _>>()?;
        names.sort_unstable_by(|one, other| other.cmp(one));
        Ok(names)
    }

    /// What stands at the place; `None` where it is gone since its directory was listed, which
    /// is as if it had gone before, because nobody was told of it.
    fn look(&self) -> Result<Option<Metadata>, DirectoryFailure> {
        match fs::symlink_metadata(&self.place) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("look at", &error)),
        }
    }

    /// The announcement of what the walk has come to; `None` for what is passed over.
    fn stat(&mut self, metadata: &Metadata) -> Result<Option<Stat>, DirectoryFailure> {
        let mode = mode::of(metadata);
        let kind = mode::kind(mode);
        let refuse = |reason| {
            let (directory, path) = (self.directory.to_owned(), shown(&self.path));
            Err(DirectoryFailure::Unsendable { directory, path, reason })
        };
        match kind {
            0 | mode::DIRECTORY | mode::SYMLINK => {}
            mode::SOCKET => return Ok(None),
            mode::PIPE => return refuse("it is a named pipe; exclude it"),
            _ => return refuse("it is a device; exclude it"),
        }
        let Ok(path) = String::from_utf8(self.path.clone()) else {
            return refuse("its name is not UTF-8; rename or exclude it");
        };
        let mut stat = Stat { path, mode, mod_time: modified(metadata), ..Stat::default() };
        if kind != mode::DIRECTORY {
            stat.size = i64::try_from(metadata.len()).unwrap_or(i64::MAX);
        }
        if kind == mode::SYMLINK {
            let target = match fs::read_link(&self.place) {
                Ok(target) => target.into_os_string().into_vec(),
                Err(error) => return Err(self.failed("read the link", &error)),
            };
            let Ok(target) = String::from_utf8(target) else {
                return refuse("what the link says is not UTF-8; exclude it");
            };
            stat.linkname = target;
        }
        if kind == 0 && metadata.nlink() > 1 {
            let first = self.first_links.entry((metadata.dev(), metadata.ino()));
            let first = first.or_insert_with(|| stat.path.clone());
            if *first != stat.path {
                stat.linkname.clone_from(first);
                stat.size = 0;
            }
        }
        Ok(Some(stat))
    }

    fn failed(&self, attempt: &'static str, error: &io::Error) -> DirectoryFailure {
        // The root's own absence is the user's mistake and not a change.
        if error.kind() == io::ErrorKind::NotFound && !self.path.is_empty() {
            let (directory, path) = (self.directory.to_owned(), shown(&self.path));
            return DirectoryFailure::Changed { directory, path, change: Change::Vanished };
        }
        DirectoryFailure::read(self.directory, attempt, &self.path, error)
    }
}

/// The place of `path`, below `root`.
pub(super) fn place_of(root: &Path, path: &str) -> PathBuf {
    root.join(OsStr::new(path))
}

/// When something was last written to, in nanoseconds.
pub(super) fn modified(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use cogpack_io_project::ignore_file::IgnoreFile;

    use super::super::request::Wanted;
    use super::*;

    fn filter(includes: &[&str]) -> Filter {
        let includes = includes.iter().map(|it| (*it).to_owned()).collect();
        let wanted = Wanted { includes, ..Wanted::default() };
        Filter::new(IgnoreFile::default(), &wanted, Some(Vec::new())).expect("are patterns")
    }

    fn walked(root: &Path, includes: &[&str]) -> Result<Vec<Stat>, DirectoryFailure> {
        let mut found = Vec::new();
        walk(root, "source", &filter(includes), &mut |stat| {
            found.push(stat);
            Go::On
        })?;
        Ok(found)
    }

    fn paths(root: &Path, includes: &[&str]) -> String {
        let found = walked(root, includes).expect("can be walked");
        found.iter().map(|stat| stat.path.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn make(root: &Path, files: &[&str]) {
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().expect("is below the root")).expect("is writable");
            fs::write(&path, file).expect("is writable");
        }
    }

    #[test]
    fn a_slash_sorts_below_all_other_bytes() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        make(root, &["a/z", "a-b", "a.b/c", "a/b/c", "a0", "é", "Z"]);
        assert_eq!(paths(root, &[]), "Z a a/b a/b/c a/z a-b a.b a.b/c a0 é");
    }

    #[test]
    fn directories_come_along_with_what_is_wanted_in_them_and_only_then() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        make(root, &["a/b/x.py", "a/b/y", "a/c/z", "d/e/f.py", "g"]);
        assert_eq!(paths(root, &["**/*.py"]), "a a/b a/b/x.py d d/e d/e/f.py");
        assert_eq!(paths(root, &["a/c", "g"]), "a a/c a/c/z g");
        assert_eq!(paths(root, &["none"]), "");
    }

    #[test]
    fn hard_links_name_the_first_path_that_is_sent() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        make(root, &["a", "other"]);
        fs::create_dir(root.join("d")).expect("is writable");
        for link in ["b", "d/c"] {
            fs::hard_link(root.join("a"), root.join(link)).expect("is writable");
        }
        let links = |includes: &[&str]| {
            let found = walked(root, includes).expect("can be walked");
            let links = found.into_iter().filter(|stat| mode::is_file(stat.mode));
            links.map(|stat| (stat.path, stat.linkname, stat.size)).collect::<Vec<_>>()
        };
        let entry = |path: &str, link: &str, size| (path.to_owned(), link.to_owned(), size);
        assert_eq!(links(&["a", "b", "d"]), [entry("a", "", 1), entry("b", "a", 0), entry("d/c", "a", 0)]);
        assert_eq!(links(&["b", "d"]), [entry("b", "", 1), entry("d/c", "b", 0)]);
    }

    #[test]
    fn owners_are_roots_and_modes_and_links_are_kept() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        make(root, &["tool", "d/x"]);
        fs::set_permissions(root.join("tool"), fs::Permissions::from_mode(0o4750)).expect("is ours");
        symlink("../outside", root.join("link")).expect("is writable");
        let found = walked(root, &[]).expect("can be walked");
        let of = |path: &str| found.iter().find(|stat| stat.path == path).expect("was found");
        assert_eq!(of("tool").mode, mode::SETUID | 0o750);
        assert_eq!((of("tool").size, of("d").size), (4, 0));
        assert_eq!(mode::kind(of("d").mode), mode::DIRECTORY);
        assert_eq!(of("link").linkname, "../outside");
        assert_eq!(mode::kind(of("link").mode), mode::SYMLINK);
        assert!(found.iter().all(|stat| stat.uid == 0 && stat.gid == 0 && stat.xattrs.is_empty()));
        let modified_now = modified(&fs::metadata(root.join("tool")).expect("is there"));
        assert_eq!(of("tool").mod_time, modified_now);
    }

    #[test]
    fn sockets_are_passed_over_and_what_cannot_be_sent_is_named() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        make(root, &["a"]);
        let _socket = UnixListener::bind(root.join("run.sock")).expect("is writable");
        assert_eq!(paths(root, &[]), "a");
        fs::write(root.join(OsStr::from_bytes(b"odd\xff")), "x").expect("is writable");
        let refused = walked(root, &[]).expect_err("has a name that is no text").to_string();
        assert!(refused.contains(r"`odd\xff` of the directory `source`"), "{refused}");
        assert_eq!(paths(root, &["a"]), "a");
        let missing = walked(&root.join("missing"), &[]).expect_err("is not there");
        assert!(matches!(missing, DirectoryFailure::Read { .. }), "{missing}");
    }

    #[test]
    fn the_walk_ends_when_nobody_listens() {
        let root = tempfile::tempdir().expect("makes a directory");
        make(root.path(), &["a", "b", "c"]);
        let mut count = 0;
        walk(root.path(), "source", &filter(&[]), &mut |_| {
            count += 1;
            Go::Home
        })
        .expect("can be walked");
        assert_eq!(count, 1);
    }
}
