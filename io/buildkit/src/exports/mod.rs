//! The session services that take results: one file, or a tree of files.
//!
//! Both have the same path in gRPC, so a session has one of them. What is taken stands aside
//! until the build is known to have gone well: a daemon that fails in the middle of an export
//! ends its stream as if it were whole. Dropping one of these before `commit` leaves nothing.

mod directory;
mod failure;
mod file;
mod place;
mod receiver;
mod slot;
mod tree;

#[cfg(test)]
mod tests;

pub use self::directory::ToDirectory;
pub use self::failure::{ExportFailure, MAKES_ROOM};
pub use self::file::ToFile;
pub use self::receiver::ReceiveError;

/// The methods that a session with either service advertises.
pub const METHODS: &[&str] = &["/moby.filesync.v1.FileSend/DiffCopy"];
