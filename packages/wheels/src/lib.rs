//! Installs Python wheels as pure file work: zip archives in, a filesystem tree out.
//!
//! A wheel ([`archive`]) with a [`file_name`] that fits the [`target`] is planned by [`install`]:
//! what lands where, and which files are made. [`set`] joins the plans of several wheels into one
//! tree, in which no two wheels say different things of one path. Bytes are read only when
//! somebody asks for them, and are compared with the wheel's own `RECORD` while they pass
//! ([`checked`]). [`lock`] chooses wheels out of a project's lock file.
//!
//! Deliberately not here: any disk and any network, byte code (nothing runs), and building a
//! wheel out of sources.

pub mod file_name;
pub mod target;

pub mod archive;
pub mod zip;

pub mod checked;
pub mod metadata;
pub mod record;

pub mod launcher;
pub mod layout;
pub mod scripts;

pub mod install;

pub mod set;

pub mod lock;

#[cfg(test)]
mod tests;

/// The plan of one wheel, and of many.
pub use install::{InvalidWheel, install};
pub use set::WheelSet;
