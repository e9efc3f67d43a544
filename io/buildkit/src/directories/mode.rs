//! File modes as the protocol has them, which are Go's: nine permission bits below, and above
//! them what kind of file it is and the three special bits, each with a bit of its own.

use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

pub(crate) const DIRECTORY: u32 = 1 << 31;
pub(crate) const SYMLINK: u32 = 1 << 27;
pub(crate) const DEVICE: u32 = 1 << 26;
pub(crate) const PIPE: u32 = 1 << 25;
pub(crate) const SOCKET: u32 = 1 << 24;
pub(crate) const SETUID: u32 = 1 << 23;
pub(crate) const SETGID: u32 = 1 << 22;
pub(crate) const CHARACTER_DEVICE: u32 = 1 << 21;
pub(crate) const STICKY: u32 = 1 << 20;
/// A file of no other kind, which Go names irregular.
const IRREGULAR: u32 = 1 << 19;

/// Every bit that says what kind of file it is. A file that has none of them is a regular one.
const KINDS: u32 = DIRECTORY | SYMLINK | DEVICE | PIPE | SOCKET | CHARACTER_DEVICE | IRREGULAR;

/// Each of Unix's three special bits beside Go's.
const SPECIAL: [(u32, u32); 3] = [(0o4000, SETUID), (0o2000, SETGID), (0o1000, STICKY)];

/// Whether a mode is that of a regular file.
pub(crate) fn is_file(mode: u32) -> bool {
    mode & KINDS == 0
}

/// What kind of file a mode says it is.
pub(crate) fn kind(mode: u32) -> u32 {
    mode & KINDS
}

/// The mode of something on disk.
pub(super) fn of(metadata: &Metadata) -> u32 {
    let kind = metadata.file_type();
    let kind = match () {
        () if kind.is_file() => 0,
        () if kind.is_dir() => DIRECTORY,
        () if kind.is_symlink() => SYMLINK,
        () if kind.is_fifo() => PIPE,
        () if kind.is_socket() => SOCKET,
        () if kind.is_block_device() => DEVICE,
        () if kind.is_char_device() => DEVICE | CHARACTER_DEVICE,
        () => IRREGULAR,
    };
    kind | from_permissions(metadata.mode() & 0o7777)
}

/// Unix's twelve bits as Go has them.
pub(super) fn from_permissions(permissions: u32) -> u32 {
    let special = SPECIAL.iter().filter(|(unix, _)| permissions & unix != 0);
    special.fold(permissions & 0o777, |mode, (_, go)| mode | go)
}

/// Unix's twelve bits of a mode.
pub(crate) fn to_permissions(mode: u32) -> u32 {
    let special = SPECIAL.iter().filter(|(_, go)| mode & go != 0);
    special.fold(mode & 0o777, |permissions, (unix, _)| permissions | unix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_keep_their_three_special_bits_both_ways() {
        assert_eq!(from_permissions(0o4755), 0o755 | SETUID);
        assert_eq!(from_permissions(0o3700), 0o700 | SETGID | STICKY);
        for permissions in 0..=0o7777 {
            assert_eq!(to_permissions(from_permissions(permissions)), permissions);
        }
    }

    #[test]
    fn only_files_of_no_special_kind_are_files() {
        assert!(is_file(0o644) && is_file(SETUID | SETGID | STICKY | 0o755));
        for kind in [DIRECTORY, SYMLINK, DEVICE, PIPE, SOCKET, IRREGULAR] {
            assert!(!is_file(kind | 0o644));
        }
    }
}
