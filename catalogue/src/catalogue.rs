//! Images in the order in which they are looked at, and where each was listed.

use cogpack_content::ImageReference;

use crate::entry::Entry;
use crate::finding::CatalogueFinding;
use crate::{print, read};

/// What is shipped, by the name of its file.
const SHIPPED: [(&str, &str); 3] = [
    ("shipped/debian.toml", include_str!("../data/debian.toml")),
    ("shipped/python.toml", include_str!("../data/python.toml")),
    ("shipped/cuda.toml", include_str!("../data/cuda.toml")),
];

/// A list of images. Two are equal that list equal images in the same order, whatever files they
/// come from.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    images: Vec<Listed>,
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
        let read = SHIPPED.into_iter().filter_map(|(file, text)| {
            // A test reads each of these without a finding.
            Self::read(file, text).ok()
        });
        Self { images: read.flat_map(|catalogue| catalogue.images).collect() }
    }

    /// What `text` lists, or all that is wrong with it. `file` is said of each image's origin.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<CatalogueFinding>> {
        let entries = read::entries(text)?;
        let listed = |(at, entry): (usize, Entry)| {
            let before = text.get(..at).unwrap_or_default();
            let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
            Listed { entry, origin: Origin { file: file.to_owned(), line }, distance: 0 }
        };
        Ok(Self { images: entries.into_iter().map(listed).collect() })
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
        Self { images }
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

    /// The text of it in canonical form: what [`Catalogue::read`] makes an equal catalogue of.
    pub fn print(&self) -> String {
        print::catalogue(self.images.iter().map(|listed| &listed.entry))
    }
}

impl PartialEq for Catalogue {
    fn eq(&self, other: &Self) -> bool {
        let entries = |it: &Self| it.images.iter().map(|listed| listed.entry.clone()).collect::<Vec<_>>();
        entries(self) == entries(other)
    }
}

impl Eq for Catalogue {}

impl FromIterator<Entry> for Catalogue {
    /// A catalogue of no file, whose images are of equal rank.
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let listed = |entry| Listed { entry, origin: Origin { file: String::new(), line: 0 }, distance: 0 };
        Self { images: entries.into_iter().map(listed).collect() }
    }
}
