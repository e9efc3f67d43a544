//! How much of each directory has been sent, for whoever shows it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What has been sent of one directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// What the daemon was told of: files, directories and links.
    pub entries: u64,
    /// The files whose bytes it asked for and has.
    pub files: u64,
    /// Bytes of files.
    pub bytes: u64,
    /// Whether the daemon has all that it asked for.
    pub is_complete: bool,
}

/// The same, while it changes.
#[derive(Debug, Default)]
pub struct Counters {
    entries: AtomicU64,
    files: AtomicU64,
    bytes: AtomicU64,
    is_complete: AtomicBool,
}

impl Counters {
    /// As of now.
    pub fn read(&self) -> Sent {
        Sent {
            entries: self.entries.load(Ordering::Relaxed),
            files: self.files.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            is_complete: self.is_complete.load(Ordering::Acquire),
        }
    }

    pub(super) fn start(&self) {
        self.is_complete.store(false, Ordering::Release);
    }

    pub(super) fn entry(&self) {
        self.entries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn bytes(&self, count: usize) {
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn complete(&self) {
        self.is_complete.store(true, Ordering::Release);
    }
}

/// All directories together.
pub fn total(sent: &BTreeMap<String, Sent>) -> Sent {
    let start = Sent { is_complete: true, ..Sent::default() };
    sent.values().fold(start, |total, one| Sent {
        entries: total.entries + one.entries,
        files: total.files + one.files,
        bytes: total.bytes + one.bytes,
        is_complete: total.is_complete && one.is_complete,
    })
}
