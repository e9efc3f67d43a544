//! Lays parts over each other, by the kernel's overlay.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, mount};

use crate::machine;

/// As many as the kernel takes; more of them are an invalid argument to it.
const MOST_PARTS: usize = 500;

/// The parts of one filesystem laid over each other, in a directory of their own.
pub struct Overlay<'d> {
    directory: &'d Path,
}

/// Whether something may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It may not.
    Read,
    /// It may, into [`Overlay::upper`].
    Write,
}

impl<'d> Overlay<'d> {
    /// One that uses this directory, which is made.
    pub fn new(directory: &'d Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Self { directory })
    }

    /// The part that is written.
    pub fn upper(&self) -> PathBuf {
        self.directory.join("upper")
    }

    /// Mounts the parts, lowest first, and gives the directory where they are to be seen. Moves
    /// this thread into another directory, so it must be in a mount namespace of its own.
    pub fn mount(&self, parts: &[PathBuf], access: Access) -> io::Result<PathBuf> {
        let (at, links) = (self.directory.join("root"), self.directory.join("parts"));
        fs::create_dir(&at)?;
        fs::create_dir(&links)?;
        let nothing = self.directory.join("nothing");
        let mut names: Vec<String> = Vec::with_capacity(parts.len() + 1);
        // The kernel takes a page of text, so each part gets a short name. Below writable
        // filesystems it wants at least one, below others two.
        let least = match access {
            Access::Read => 2,
            Access::Write => 1,
        };
        if parts.len() < least {
            fs::create_dir(&nothing)?;
        }
        let missing = least.saturating_sub(parts.len()).min(1);
        let all = std::iter::repeat_n(&nothing, missing).chain(parts);
        for (place, part) in all.enumerate() {
            symlink(part, links.join(place.to_string()))?;
            names.push(place.to_string());
        }
        if names.len() < least {
            return Ok(nothing);
        }
        if names.len() > MOST_PARTS {
            let count = names.len();
            return Err(io::Error::other(format!(
                "the kernel lays {MOST_PARTS} layers over each other, and not {count}: put fewer layers on the base image"
            )));
        }
        names.reverse();
        let mut options = format!("lowerdir={},index=off", names.join(":"));
        // What the kernel writes down of directories goes into attributes that only the machine's root
        // may set; others have those of users. What else it might write down is off with these.
        options.push_str(match machine::is_in_user_namespace() {
            true => ",userxattr",
            false => ",metacopy=off,redirect_dir=off",
        });
        if access == Access::Write {
            fs::create_dir(self.upper())?;
            fs::create_dir(self.directory.join("work"))?;
            if let Some(top) = parts.last() {
                // The root has the mode and owner that the topmost part gives it.
                let root = fs::metadata(top)?;
                chown(self.upper(), Some(root.uid()), Some(root.gid()))?;
                fs::set_permissions(self.upper(), fs::Permissions::from_mode(root.mode() & 0o7777))?;
            } else {
                fs::set_permissions(self.upper(), fs::Permissions::from_mode(0o755))?;
            }
            options.push_str(",upperdir=../upper,workdir=../work");
        }
        rustix::process::chdir(&links)?;
        // Nothing written here need outlive a crash before it is synced as a whole.
        let hasty = if access == Access::Write { format!("{options},volatile") } else { options.clone() };
        let mounted = match mount_overlay(&at, hasty) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => mount_overlay(&at, options),
            mounted => mounted,
        };
        mounted.map(|()| at)
    }
}

fn mount_overlay(at: &Path, options: String) -> io::Result<()> {
    // Names of our own, without a zero byte.
    let options = CString::new(options)?;
    // A program may make a device, as part of an image, and still not use it.
    Ok(mount("overlay", at, "overlay", MountFlags::NODEV, Some(options.as_c_str()))?)
}
