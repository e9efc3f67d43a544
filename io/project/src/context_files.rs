//! Opens the files of walked contexts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use cogpack_backends_contract::content::{ContentSource, ContextFile};
use cogpack_ir::plan::InputName;

/// The directories of a plan's contexts.
#[derive(Debug, Clone, Default)]
pub struct ContextFiles {
    /// Each context's directory.
    pub directories: BTreeMap<InputName, PathBuf>,
}

impl ContentSource for ContextFiles {
    /// Opens a file; one that is no longer a file of the length it had when it was walked is an
    /// error here already, and one that changes later is found by whoever reads it.
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        let Some(directory) = self.directories.get(&file.context) else {
            return Err(io::Error::other(format!("the context `{}` has no directory", file.context)));
        };
        let opened = File::open(directory.join(OsStr::from_bytes(&file.path)))?;
        let metadata = opened.metadata()?;
        if !metadata.is_file() || metadata.len() != file.size {
            return Err(io::Error::other("it changed since the directory was walked"));
        }
        Ok(Box::new(opened))
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
        };
        let mut text = String::new();
        files.open(&file(b"a", 4)).expect("is there").read_to_string(&mut text).expect("is text");
        assert_eq!(text, "text");
        assert!(files.open(&file(b"a", 5)).is_err());
        assert!(files.open(&file(b"b", 4)).is_err());
        assert!(files.open(&file(b"", 4)).is_err());
        let other = ContextFile { context: InputName::new("other").expect("is a name"), ..file(b"a", 4) };
        assert!(files.open(&other).is_err());
    }
}
