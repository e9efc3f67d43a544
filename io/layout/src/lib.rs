//! Reads and writes OCI image layouts on disk.

pub mod image_config;
pub mod layer_tree;
pub mod tar_reader;
