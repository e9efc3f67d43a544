//! Base images: what is in them, and which of them fits what a project asks for.
//!
//! A [`Catalogue`] is read from texts in the format of `docs/catalogue.md`. One is shipped with the
//! facts that are public about public images; a user's own goes before it. [`choose`] takes what is
//! wanted and gives the best image, and for each of the others all that speaks against it.
//!
//! What an image has in it, [`look`](mod@look) sees by its files. Deliberately not here: whoever opens
//! these files, and any registry.

pub mod catalogue;
pub mod choose;
pub mod config;
pub mod entry;
pub mod finding;
pub mod frameworks;
pub mod look;
mod print;
pub mod pythons;
mod rank;
mod read;
mod reading;
mod ruled_out;

#[cfg(test)]
mod tests;

pub use catalogue::{Catalogue, Listed, Origin};
pub use choose::{Choice, Cudnn, NoneFits, Wanted, WantedOs, choose};
pub use entry::{Entry, Extent, Os, Python, Role};
pub use finding::CatalogueFinding;
pub use frameworks::Frameworks;
pub use pythons::PythonArchive;
pub use ruled_out::RuledOut;
