//! Makes what is mounted on, where it is missing, and takes it away again: no mount of a plan leaves a
//! trace in what a program leaves.
//!
//! What every container mounts on stays, as BuildKit leaves it: a program that ran on a filesystem
//! without `/dev`, `/proc` and `/sys` has them from then on.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What was made to mount something on, in the order in which it was made.
#[derive(Debug, Default)]
pub struct MountPoints {
    made: Vec<PathBuf>,
}

/// What is mounted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A directory.
    Directory,
    /// A file.
    File,
}

impl MountPoints {
    /// Makes what is missing at `target`, below `root`. No part of it that is there is a link.
    pub fn make(&mut self, root: &Path, target: &[u8], form: Form) -> io::Result<()> {
        let names: Vec<&[u8]> = target.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
        let mut path = root.to_owned();
        for (place, name) in names.iter().enumerate() {
            path.push(OsStr::from_bytes(name));
            if fs::symlink_metadata(&path).is_ok() {
                continue;
            }
            match form {
                Form::File if place + 1 == names.len() => drop(File::create_new(&path)?),
                Form::File | Form::Directory => make_directory(&path)?,
            }
            self.made.push(path.clone());
        }
        Ok(())
    }

    /// Makes a directory of the root that stays, where nothing is there.
    pub fn make_lasting(root: &Path, target: &str) -> io::Result<()> {
        let path = root.join(target.trim_start_matches('/'));
        if fs::symlink_metadata(&path).is_ok() { Ok(()) } else { make_directory(&path) }
    }

    /// Takes away what was made and is still empty: what a program has put there is the program's.
    pub fn take_away(self) -> io::Result<()> {
        for path in self.made.into_iter().rev() {
            let removed = match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => fs::remove_dir(&path),
                Ok(found) if found.is_file() && found.len() == 0 => fs::remove_file(&path),
                Ok(_) => continue,
                Err(error) => Err(error),
            };
            match removed.map_err(|error| (error.kind(), error)) {
                Ok(()) | Err((io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty, _)) => {}
                Err((_, error)) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Makes a directory with the mode that all builders give it, whatever the umask is.
fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o755))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_made_where_nothing_is_there() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mode =
            |name| fs::metadata(folder.path().join(name)).expect("is there").permissions().mode() & 0o7777;
        fs::create_dir(folder.path().join("dev")).expect("can be made");
        fs::set_permissions(folder.path().join("dev"), Permissions::from_mode(0o700)).expect("can be set");
        std::os::unix::fs::symlink("nowhere", folder.path().join("sys")).expect("can be made");
        for target in ["/dev", "/proc", "/sys"] {
            MountPoints::make_lasting(folder.path(), target).expect("can be made");
        }
        assert_eq!((mode("dev"), mode("proc")), (0o700, 0o755));
        assert!(!folder.path().join("nowhere").exists());
    }

    #[test]
    fn only_what_was_made_and_is_empty_is_taken_away() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let root = folder.path();
        fs::create_dir_all(root.join("there/empty")).expect("can be made");
        let mut points = MountPoints::default();
        for (target, form) in [
            (&b"/there/empty"[..], Form::Directory),
            (b"/there/new/deep", Form::Directory),
            (b"/there/new/file", Form::File),
            (b"/other/file", Form::File),
            (b"/", Form::Directory),
        ] {
            points.make(root, target, form).expect("can be made");
        }
        assert!(root.join("there/new/deep").is_dir() && root.join("other/file").is_file());
        fs::write(root.join("other/by-the-program"), "").expect("can be written");
        points.take_away().expect("can be taken away");
        assert!(root.join("there/empty").is_dir() && !root.join("there/new").exists());
        assert!(root.join("other/by-the-program").exists() && !root.join("other/file").exists());
    }
}
