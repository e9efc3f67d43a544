//! Finds the program that runs containers.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The runtimes that are looked for, in this order.
const KNOWN: [&str; 3] = ["crun", "runc", "youki"];

/// A program that runs containers as the OCI runtime specification says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    program: PathBuf,
}

/// There is no such program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRuntime {
    /// None of those that are known is on this machine.
    #[error("no OCI runtime is on this machine: there is no crun, runc or youki on PATH")]
    NoneFound,
    /// The one that was named is not there.
    #[error("there is no program `{0}`")]
    NotThere(String),
}

impl Runtime {
    /// The runtime that was named, by a path or a name, else the first of those that are known on
    /// the search path.
    pub fn find(named: Option<&Path>, search: Option<&OsStr>) -> Result<Self, NoRuntime> {
        let found = match named {
            Some(path) if path.components().count() > 1 => is_program(path).then(|| path.to_owned()),
            Some(name) => on(search, name),
            None => KNOWN.iter().find_map(|name| on(search, Path::new(name))),
        };
        match (found, named) {
            (Some(program), _) => Ok(Self { program }),
            (None, Some(named)) => Err(NoRuntime::NotThere(named.display().to_string())),
            (None, None) => Err(NoRuntime::NoneFound),
        }
    }

    /// Where it is.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Whether it is crun, which can do without control groups, and must where it takes those of
    /// the machine for broken.
    pub(crate) fn is_crun(&self) -> bool {
        self.program.file_name().is_some_and(|name| name == "crun")
    }
}

fn on(search: Option<&OsStr>, name: &Path) -> Option<PathBuf> {
    let directories = std::env::split_paths(search?);
    // An empty or relative entry would mean another program in every directory.
    directories.filter(|path| path.is_absolute()).map(|path| path.join(name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_found_in_the_order_of_preference() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        let program = |directory: &Path, name: &str, mode| {
            fs::create_dir_all(directory).expect("can be made");
            fs::write(directory.join(name), "").expect("can be written");
            fs::set_permissions(directory.join(name), fs::Permissions::from_mode(mode)).expect("can be set");
        };
        program(&first, "runc", 0o755);
        program(&first, "crun", 0o644);
        let search = std::env::join_paths([Path::new("."), &first, &second]).expect("no colon in it");
        let find = |named: Option<&str>| {
            Runtime::find(named.map(Path::new), Some(&search)).map(|found| found.program)
        };
        assert_eq!(find(None), Ok(first.join("runc")));
        program(&second, "crun", 0o755);
        assert_eq!(find(None), Ok(second.join("crun")));
        assert_eq!(find(Some("runc")), Ok(first.join("runc")));
        let path = second.join("crun").display().to_string();
        assert_eq!(find(Some(&path)), Ok(second.join("crun")));
        assert_eq!(find(Some("kata")), Err(NoRuntime::NotThere("kata".to_owned())));
        assert_eq!(Runtime::find(None, None), Err(NoRuntime::NoneFound));
    }
}
