//! Files of contexts in lists. A context may have a million files, so what is known of one is a row of
//! a list, which neighbours share, and no piece of memory of its own.

use std::fmt;
use std::sync::Arc;

use cogpack_ir::plan::InputName;

use crate::content::{ContextFile, Stamp};

/// A file of a context, by its place in a list.
#[derive(Clone)]
pub struct Listed {
    list: Arc<List>,
    place: u32,
    /// Here and not in its row, where it costs nothing: what names one of several kinds of content
    /// finds room in it to say which.
    linked: bool,
}

/// Files of one directory.
struct List {
    context: InputName,
    /// The directory's path in the context, nothing for the root.
    directory: Box<[u8]>,
    /// The names, one after the other.
    names: Box<[u8]>,
    rows: Box<[Row]>,
}

struct Row {
    size: u64,
    stamp: Stamp,
    /// Where the name ends among the names.
    end: u32,
}

/// As many files as a list takes: enough that what they share costs nothing.
const FULL: usize = 256;

impl Listed {
    /// All that is known of it.
    pub fn file(&self) -> ContextFile {
        let (context, path, linked) = (self.list.context.clone(), self.path(), self.linked);
        let Row { size, stamp, .. } = *self.row();
        ContextFile { context, path, size, linked, stamp }
    }

    /// The context.
    pub fn context(&self) -> &InputName {
        &self.list.context
    }

    /// The path in it; see [`ContextFile::path`].
    pub fn path(&self) -> Vec<u8> {
        match &*self.list.directory {
            b"" => self.name().to_vec(),
            directory => [directory, self.name()].join(&b'/'),
        }
    }

    /// How many bytes it had; see [`ContextFile::size`].
    pub fn size(&self) -> u64 {
        self.row().size
    }

    /// Whether it may have other names; see [`ContextFile::linked`].
    pub fn is_linked(&self) -> bool {
        self.linked
    }

    /// By what it is known again; see [`ContextFile::stamp`].
    pub fn stamp(&self) -> &Stamp {
        &self.row().stamp
    }

    fn row(&self) -> &Row {
        &self.list.rows[self.place as usize]
    }

    /// The directory that it is in, by its path in the context.
    pub(crate) fn directory(&self) -> &[u8] {
        &self.list.directory
    }

    /// Its name there.
    pub(crate) fn name(&self) -> &[u8] {
        let start = self.place.checked_sub(1).map_or(0, |before| self.list.rows[before as usize].end);
        &self.list.names[start as usize..self.row().end as usize]
    }
}

/// A list that is being made.
pub struct Lister {
    context: InputName,
    directory: Box<[u8]>,
    names: Vec<u8>,
    rows: Vec<Row>,
    linked: Vec<bool>,
}

impl Lister {
    /// For files of this directory of a context.
    pub fn new(context: &InputName, directory: &[u8]) -> Self {
        let (context, directory) = (context.clone(), directory.into());
        Self { context, directory, names: Vec::new(), rows: Vec::new(), linked: Vec::new() }
    }

    /// Adds a file by its name in the directory.
    pub fn add(&mut self, name: &[u8], size: u64, linked: bool, stamp: Stamp) {
        self.names.extend_from_slice(name);
        // No filesystem and no archive has names that would come near.
        let end = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.rows.push(Row { size, stamp, end });
        self.linked.push(linked);
    }

    /// Whether it has as many files as it takes.
    pub fn is_full(&self) -> bool {
        self.rows.len() >= FULL
    }

    /// The files that were added, in their order; what comes then is listed anew.
    pub fn take(&mut self) -> impl Iterator<Item = Listed> + use<> {
        let (names, rows) = (std::mem::take(&mut self.names), std::mem::take(&mut self.rows));
        let linked = std::mem::take(&mut self.linked);
        let list = Arc::new(List {
            context: self.context.clone(),
            directory: self.directory.clone(),
            names: names.into(),
            rows: rows.into(),
        });
        (0..).zip(linked).map(move |(place, linked)| Listed { list: Arc::clone(&list), place, linked })
    }
}

impl From<ContextFile> for Listed {
    /// The file in a list of its own.
    fn from(file: ContextFile) -> Self {
        let ContextFile { context, path, size, linked, stamp } = file;
        let name = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let directory = path[..name.saturating_sub(1)].into();
        let row = Row { size, stamp, end: u32::try_from(path.len() - name).unwrap_or(u32::MAX) };
        let list = List { context, directory, names: path[name..].into(), rows: [row].into() };
        Self { list: Arc::new(list), place: 0, linked }
    }
}

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        let is_same = Arc::ptr_eq(&self.list, &other.list) && self.place == other.place;
        is_same || (self.size() == other.size() && self.file() == other.file())
    }
}

impl Eq for Listed {}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_list_is_the_one_that_was_added() {
        let context = InputName::new("source").expect("is a name");
        let file = |path: &str, size, linked| {
            let (context, path) = (context.clone(), path.as_bytes().to_vec());
            ContextFile { context, path, size, linked, stamp: Stamp::None }
        };
        for (directory, files) in [
            ("", [file("a", 1, false), file("b", 2, true)]),
            ("d/e", [file("d/e/long", 3, false), file("d/e/f", 4, true)]),
        ] {
            let mut lister = Lister::new(&context, directory.as_bytes());
            for file in &files {
                let name = file.path.rsplit(|byte| *byte == b'/').next().expect("has a name");
                lister.add(name, file.size, file.linked, file.stamp);
            }
            let listed: Vec<Listed> = lister.take().collect();
            for (listed, file) in listed.iter().zip(&files) {
                assert_eq!(listed.file(), *file);
                assert_eq!((listed.path(), listed.size()), (file.path.clone(), file.size));
                assert_eq!(*listed, Listed::from(file.clone()));
            }
            assert!(listed[0] != listed[1]);
            assert_eq!(lister.take().count(), 0);
        }
    }
}
