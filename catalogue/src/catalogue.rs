//! Images in the order in which they are looked at, and where each was listed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use cogpack_content::{ImageReference, Platform};
use pep440_rs::{Version, VersionSpecifiers};

use crate::entry::Entry;
use crate::finding::CatalogueFinding;
use crate::pythons::{self, PythonArchive};
use crate::{print, read};

/// What is shipped, by the name of its file.
const SHIPPED: [(&str, &str); 4] = [
    ("shipped/debian.toml", include_str!("../data/debian.toml")),
    ("shipped/python.toml", include_str!("../data/python.toml")),
    ("shipped/cuda.toml", include_str!("../data/cuda.toml")),
    ("shipped/pythons.toml", include_str!("../data/pythons.toml")),
];

/// A list of images, and of Pythons for those that have none. Two are equal that list equal things in
/// the same order, whatever files they come from.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    images: Vec<Listed>,
    /// Of several lists the first goes before the others.
    pythons: Vec<Vec<PythonArchive>>,
}

/// An image of a catalogue.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What is known of it.
    pub entry: Entry,
    /// Where that is written.
    pub origin: Origin,
    /// How many catalogues were put before the one that it is from: of two images that fit, the one
    /// with the smaller number is taken.
    pub(crate) distance: usize,
}

/// Where an image is listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file, as it was given to [`Catalogue::read`].
    pub file: String,
    /// Its line, counted from 1.
    pub line: usize,
}

impl Catalogue {
    /// The images that are known without anybody saying anything.
    pub fn shipped() -> Self {
        static READ: LazyLock<Catalogue> = LazyLock::new(|| {
            let read = SHIPPED.into_iter().filter_map(|(file, text)| {
                // A test reads each of these without a finding.
                Catalogue::read(file, text).ok()
            });
            read.fold(Catalogue::default(), |all, one| Catalogue {
                images: all.images.into_iter().chain(one.images).collect(),
                pythons: all.pythons.into_iter().chain(one.pythons).collect(),
            })
        });
        READ.clone()
    }

    /// What `text` lists, or all that is wrong with it. `file` is said of each image's origin.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<CatalogueFinding>> {
        let lists = read::lists(text)?;
        let listed = |(at, entry): (usize, Entry)| {
            let before = text.get(..at).unwrap_or_default();
            let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
            Listed { entry, origin: Origin { file: file.to_owned(), line }, distance: 0 }
        };
        Ok(Self { images: lists.images.into_iter().map(listed).collect(), pythons: vec![lists.pythons] })
    }

    /// This catalogue with `other` before it: an image of `other` is preferred to each of this one's,
    /// and stands for the one that has the same name.
    pub fn with(self, other: Self) -> Self {
        let farthest = other.images.iter().map(|listed| listed.distance + 1).max().unwrap_or_default();
        let mut images = other.images;
        let added = images.len();
        for mut listed in self.images {
            let name = listed.entry.reference.normalised(None);
            if images[..added].iter().any(|before| before.entry.reference.normalised(None) == name) {
                continue;
            }
            listed.distance += farthest;
            images.push(listed);
        }
        Self { images, pythons: pythons::with(self.pythons, other.pythons) }
    }

    /// The images, in the order in which they were listed.
    pub fn images(&self) -> &[Listed] {
        &self.images
    }

    /// The image of that name, however it is written.
    pub fn find(&self, reference: &ImageReference) -> Option<&Listed> {
        let name = reference.normalised(None);
        self.images.iter().find(|listed| listed.entry.reference.normalised(None) == name)
    }

    /// The Python that is wanted and comes as an archive for all of these platforms: the newest, of
    /// catalogues that were put before others first.
    pub fn python(
        &self,
        wanted: &VersionSpecifiers,
        platforms: &BTreeSet<Platform>,
    ) -> Option<(&Version, Vec<&PythonArchive>)> {
        pythons::first(&self.pythons, wanted, platforms)
    }

    /// The same with another server in place of the usual one, as uv's `UV_PYTHON_INSTALL_MIRROR` has it.
    pub fn with_python_mirror(mut self, mirror: &str) -> Self {
        for archive in self.pythons.iter_mut().flatten() {
            if let Some(path) = archive.url.strip_prefix(pythons::USUAL_PLACE) {
                archive.url = format!("{}{path}", mirror.trim_end_matches('/'));
            }
        }
        self
    }

    /// The text of it in canonical form: what [`Catalogue::read`] makes an equal catalogue of.
    pub fn print(&self) -> String {
        print::catalogue(self.images.iter().map(|listed| &listed.entry), self.pythons.iter().flatten())
    }
}

impl PartialEq for Catalogue {
    fn eq(&self, other: &Self) -> bool {
        let entries = |it: &Self| it.images.iter().map(|listed| listed.entry.clone()).collect::<Vec<_>>();
        entries(self) == entries(other) && self.pythons.iter().flatten().eq(other.pythons.iter().flatten())
    }
}

impl Eq for Catalogue {}

impl FromIterator<Entry> for Catalogue {
    /// A catalogue of no file, whose images are of equal rank.
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let listed = |entry| Listed { entry, origin: Origin { file: String::new(), line: 0 }, distance: 0 };
        Self { images: entries.into_iter().map(listed).collect(), pythons: Vec::new() }
    }
}
