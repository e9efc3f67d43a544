//! How much memory packages may take that are unpacked at once.
//!
//! Waiting for servers costs nothing, so files are got many at once; but whoever unpacks one keeps up to 64 MiB of
//! it to look back at, and eight of those would be more than a whole build may take.

use std::sync::{Condvar, Mutex, PoisonError};

use cogpack_packages_debs::compression::LARGEST_WINDOW;

/// What is left of it: one file of the highest level of `xz`, or eight of the usual one.
static FREE: Mutex<u64> = Mutex::new(LARGEST_WINDOW);
static FREED: Condvar = Condvar::new();

/// Memory to unpack in, until it is dropped.
#[derive(Debug)]
pub struct Room(u64);

impl Room {
    /// Waits until as many bytes are free, of which more than [`LARGEST_WINDOW`] never are.
    pub fn of(bytes: u64) -> Self {
        let bytes = bytes.min(LARGEST_WINDOW);
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = FREED.wait_while(free, |free| *free < bytes).unwrap_or_else(PoisonError::into_inner);
        *free -= bytes;
        Self(bytes)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        *FREE.lock().unwrap_or_else(PoisonError::into_inner) += self.0;
        FREED.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::parallel::in_parallel;

    #[test]
    fn no_more_is_taken_at_once_than_there_is() {
        let (taken, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let sizes: Vec<u64> = (0..200).map(|number| [8, 64, 24, 0][number % 4] << 20).collect();
        in_parallel(&sizes, |size| {
            let room = Room::of(*size);
            let now = taken.fetch_add(*size, Ordering::SeqCst) + size;
            most.fetch_max(now, Ordering::SeqCst);
            std::thread::yield_now();
            taken.fetch_sub(*size, Ordering::SeqCst);
            drop(room);
        });
        let most = most.into_inner();
        assert!((64 << 20..=LARGEST_WINDOW).contains(&most), "{most}");
    }
}
