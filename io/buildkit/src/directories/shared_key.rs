//! The key under which a daemon keeps its copy of what was sent, so that a second build sends
//! only what changed.
//!
//! It must be the same for the same directories of one machine and differ for all others: under
//! a wrong key a file of another project with the same size and time would be taken for ours. It
//! is a digest, so neither the machine nor its paths can be read from it.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// What tells this machine from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine(Vec<u8>);

impl Machine {
    /// This machine: the identity that its system gave it, else its name.
    pub fn here() -> Self {
        let places = ["/etc/machine-id", "/var/lib/dbus/machine-id", "/proc/sys/kernel/hostname"];
        let read = |place| fs::read(place).ok().map(|text| text.trim_ascii().to_vec());
        Self(places.into_iter().filter_map(read).find(|text| !text.is_empty()).unwrap_or_default())
    }

    /// A machine with this identity.
    pub fn named(identity: &str) -> Self {
        Self(identity.as_bytes().to_vec())
    }
}

/// The key of these directories, each with the name it is offered under, in the names' order. One whose
/// files are named for what is in them is told apart by its own name alone, and has no path here.
pub(super) fn shared_key<'d>(
    machine: &Machine,
    directories: impl Iterator<Item = (&'d str, &'d Path)>,
) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(b"cogpackc directories 1");
    add(&machine.0);
    for (name, root) in directories {
        add(name.as_bytes());
        add(root.as_os_str().as_encoded_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
