//! Opens the files of contexts and those that lie in the store.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use cogpack_backends_contract::content::{ContentSource, ContextFile, KeptContent, KeptFile};
use cogpack_io_runtime::part;
use cogpack_io_store::Store;

/// Contexts, and a store where there is one.
#[derive(Clone, Copy)]
pub struct Contents<'b> {
    /// Contexts.
    pub contexts: &'b (dyn ContentSource + Send + Sync),
    /// The store.
    pub store: Option<&'b Store>,
}

impl ContentSource for Contents<'_> {
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        self.contexts.open(file)
    }

    fn open_kept<'s>(&'s self, file: &KeptFile) -> io::Result<KeptContent<'s>> {
        let Some(store) = self.store else {
            return Err(io::Error::other("there is no store"));
        };
        open_in(&store.part_path(&file.part), file)
    }
}

/// Opens a file of the part in the directory `root`.
pub fn open_in<'s>(root: &Path, file: &KeptFile) -> io::Result<KeptContent<'s>> {
    let path = root.join(OsStr::from_bytes(&file.path));
    let capability = part::capability(&path)?;
    let file = File::open(path)?;
    let modified = part::modified(&file.metadata()?);
    Ok(KeptContent { bytes: Box::new(file), modified, capability })
}
