//! What all backends share: the [`Backend`] trait, what a target cannot express, and the
//! meaning of copies, file ops, layers and the image config, defined once.
//!
//! Reading order: [`backend`], [`tree`] (a filesystem as a value), [`copy`] and [`file_ops`]
//! (what ops do to one), [`layers`], [`image_config`](mod@image_config).

pub mod backend;
pub mod unsupported;

pub mod tree;

pub mod accounts;
pub mod again;
pub mod changes;
pub mod content;
pub mod context_layers;
pub mod entries;
pub mod glob;
pub mod inputs;
pub mod listed;
pub mod overflow;
pub mod paths;
pub mod replay;

pub mod copy;
pub mod file_ops;
pub mod layers;
pub mod programs;
pub mod titles;

pub mod config_json;
pub mod image_config;

#[cfg(test)]
mod sketch;

pub use backend::Backend;
pub use unsupported::Unsupported;
