//! Installs Debian packages as pure file work: packages in, a filesystem tree out, and none of
//! their scripts is run.
//!
//! A package ([`package`]) with a [`file_name`] brings files and scripts. [`root`] puts the files of
//! several beside each other, with `/usr` merged ([`paths`]), and no two may bring the same. What
//! their [`scripts`] would do is known, or the package is refused. [`set`] does it: accounts and
//! other files of the [`base`] system, [`alternatives`], [`diversions`], [`certificates`], the loader's cache
//! ([`ld_cache`]), and an entry for each package that scanners find. [`groups`] says which layers it comes in.
//!
//! What is no package, and lies beside them, is an [`archive`].
//!
//! A package that was unpacked once can be [`kept`] so.
//!
//! [`index`] reads what an archive has, and [`solve`] chooses of it what fits each other.
//!
//! Deliberately not here: any disk and any network, byte code and other caches that programs make
//! for speed, services, and updating what is already installed.

pub mod file_name;
pub mod paragraphs;
pub mod relations;
pub mod version;

pub mod ar;
pub mod archive;
pub mod compression;
pub mod kept;
pub mod package;
pub mod paths;

pub mod root;

pub mod alternatives;
pub mod diversions;
pub mod scripts;

pub mod accounts;
pub mod base;
pub mod certificates;
pub mod elf;
pub mod image_loaders;
pub mod ld_cache;
pub mod locales;
pub mod pam;
pub mod small;
pub mod written_out;

pub mod groups;
pub mod set;

pub mod index;
pub mod solve;

#[cfg(test)]
mod tests;

/// One package, and many.
pub use package::{Package, PackageProblem};
pub use set::DebSet;
