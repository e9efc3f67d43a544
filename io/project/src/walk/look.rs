//! What the disk says of what stands at a path.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use cogpack_backends_contract::content::Moment;
use rustix::fs::{AtFlags, CWD, Dir, FileType, statat};

/// As much of it as contexts are made of.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Kind and permissions.
    pub mode: u32,
    /// How many names it has.
    pub names: u64,
    /// The disk.
    pub device: u64,
    /// The file.
    pub inode: u64,
    /// How many bytes it has.
    pub size: u64,
    /// When its bytes changed.
    pub modified: Moment,
    /// When anything of it changed.
    pub changed: Moment,
}

impl Look {
    /// At a name in a directory, which may be open; links are not followed. A path takes the kernel
    /// longer, the more directories lead to it.
    pub fn at(open: Option<&Dir>, name: &[u8], directory: &Path) -> io::Result<Self> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let stat = match open {
            Some(open) => statat(open.fd()?, name, flags)?,
            None => statat(CWD, directory.join(OsStr::from_bytes(name)), flags)?,
        };
        let time = |seconds, nanoseconds| Moment { seconds, nanoseconds };
        Ok(Self {
            mode: stat.st_mode,
            #[allow(
                clippy::useless_conversion,
                reason = "how long these numbers are depends on the processor"
            )]
            names: stat.st_nlink.into(),
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            modified: time(stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or_default()),
            changed: time(stat.st_ctime, u32::try_from(stat.st_ctime_nsec).unwrap_or_default()),
        })
    }

    /// What stands there.
    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.mode)
    }
}

impl From<&Metadata> for Look {
    fn from(metadata: &Metadata) -> Self {
        let time = |seconds, nanoseconds: i64| Moment {
            seconds,
            nanoseconds: u32::try_from(nanoseconds).unwrap_or_default(),
        };
        Self {
            mode: metadata.mode(),
            names: metadata.nlink(),
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: time(metadata.mtime(), metadata.mtime_nsec()),
            changed: time(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}
