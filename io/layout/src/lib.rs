//! Reads and writes OCI image layouts on disk.

pub mod tar_reader;
