//! Parts of filesystems: directories as the kernel's overlay has its layers.
//!
//! What a part takes away from those below it is a character device 0:0 in its place; a directory
//! with the attribute `trusted.overlay.opaque`, or `user.overlay.opaque` where it was made in a user
//! namespace, shows nothing of those below. Everything else stands as it is.

mod holes;
mod read;
mod write;

pub use read::{FirstNames, PartError, capability, modified, read};
pub use write::Writer;

/// Mode and owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// The owner's number.
    pub user: u32,
    /// The group's number.
    pub group: u32,
}

/// What a part says of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the root, `/` between components; empty for the root itself.
    pub path: Vec<u8>,
    /// Mode and owner; of something that is gone they mean nothing.
    pub attributes: Attributes,
    /// What is there.
    pub kind: Kind,
}

/// What a path of a part may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory {
        /// Whether nothing of the parts below shows in it.
        opaque: bool,
    },
    /// A file.
    File {
        /// How many bytes it has.
        size: u64,
        /// The path of the first of its names in this part, where it has several.
        first_name: Option<Vec<u8>>,
    },
    /// A symbolic link, and what it says.
    Symlink(Vec<u8>),
    /// A device or a named pipe.
    Special(Special),
    /// What the parts below have here is gone.
    Gone,
}

/// Files that are neither data nor structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// A character device with its major and minor number.
    CharacterDevice(u32, u32),
    /// A block device with its major and minor number.
    BlockDevice(u32, u32),
    /// A named pipe.
    Pipe,
}

/// The attributes of a directory in which nothing of the parts below shows: as the machine's root sets
/// it, and as others do.
const OPAQUE: [&str; 2] = ["trusted.overlay.opaque", "user.overlay.opaque"];
/// The attribute by which the kernel gives a program capabilities.
const CAPABILITY: &str = "security.capability";
