//! Lowers a resolved plan to OCI layers in this process, without a daemon.

pub mod blob;
pub mod documents;
pub mod tar;
pub mod time;
