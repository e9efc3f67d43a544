//! `cog.yaml` as typed values, each with its place; and what is wrong with one.
//!
//! The document itself is read ([`document`]), not a struct of optional fields: a key that nobody
//! knows is an error and not silence, `3.10` stays the text `3.10`, and each finding points at what
//! is written. One reading tells of everything that is wrong.
//!
//! Deliberately not here: whether files that it names are there ([`named_files`] says which to look
//! for), which base images, CUDA and Python packages fit together, and what is built of it all.

pub mod cog_yaml;
pub mod finding;
pub mod read;

pub mod build;
pub mod commands;
pub mod concurrency;
pub mod environment;
pub mod handler;
pub mod names;
pub mod versions;
pub mod weights;

pub mod document;
pub mod shape;

pub mod named_files;

#[cfg(test)]
mod tests;

pub use cog_yaml::CogYaml;
pub use finding::CogYamlFinding;
pub use read::{Refused, Strictness, read};
