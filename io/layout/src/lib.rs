//! Reads and writes OCI image layouts on disk.
//!
//! Reading: [`read::Layout`] finds an image and checks every digest; [`layer_tree`] knows what
//! its layers make together, by names alone, and
//! [`base_files`] opens a few of these. Writing: [`write`](mod@write) gives a name only to
//! what is complete, and tells how far it is ([`told`]); so does [`unpack`](mod@unpack).
//! [`archive`] only looks. [`saved`]
//! takes images out of archives that others have written.

pub mod allowance;
pub mod archive;
pub mod base_files;
pub mod read;
pub mod saved;
pub mod told;
pub mod unpack;
pub mod write;

mod flowing;
mod into_archive;
mod layers;
mod noting;
pub mod packed;
mod recipe;
mod take;
mod unchanged;

pub mod blobs;
pub mod image_config;
pub mod layer_tree;
pub mod tar_reader;

#[cfg(test)]
mod tests;
