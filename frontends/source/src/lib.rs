//! A project as front ends see it: what is known of its files, as values.
//!
//! Planning is pure: it asks a [`Source`] of facts, and where a fact is not there yet it stops with
//! [`Unread`], which names all that it would like to know. Whoever has a disk answers and plans
//! again ([`answered`]), so that only those files are read that decide something. Nothing is
//! planned on half the facts, and a test gives a project as a few texts ([`MemoryProject`]).
//!
//! Deliberately not here: any disk (`io/project` reads), and what any file means.

pub mod answer;
pub mod file;
pub mod finding;
pub mod memory;
pub mod named;
pub mod path;
pub mod place;
pub mod question;
pub mod source;

pub use answer::{Answer, DigestOf, Kind, Names, NotUtf8, Text};
pub use file::FileFinding;
pub use finding::InFile;
pub use memory::MemoryProject;
pub use named::{Named, NotNamed};
pub use path::{NotInProject, SourcePath};
pub use place::{Lines, Place, Placed};
pub use question::Question;
pub use source::{Source, Unread, answered};
