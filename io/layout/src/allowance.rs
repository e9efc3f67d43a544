//! How much an image may hold once it is unpacked, so that a small one cannot fill the memory or
//! the disk of whoever builds on it.
//!
//! Layers of real files become a few times as large, rarely ten times. What zeros are packed into
//! becomes a thousand times as large with gzip, and more with zstd; a manifest that lists such a
//! layer a thousand times makes it a million. So the layers of an image have one allowance
//! together, by the size of those that differ.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};

use cogpack_backends_oci_direct::inputs::BaseLayer;

/// Every image may have this many bytes.
const ALWAYS: u64 = 1 << 30;
/// And more where it is at most this many times as large as what it is packed into.
const TIMES: u64 = 100;
/// Several times what the largest images in use have. Each takes memory here, and an inode.
const MOST_ENTRIES: u64 = 2_000_000;
/// Directories that no entry names come at no cost to who packs them, a thousand with one name; real
/// archives leave few of them out.
const UNNAMED: u64 = 10;

/// An image holds too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// Bytes.
    #[error(
        "its layers hold more than {bytes} bytes, {TIMES} times what they are packed into: \
         to build on such an image, have its layers stored uncompressed"
    )]
    Bytes {
        /// As many as it may hold.
        bytes: u64,
    },
    /// Files and directories.
    #[error("its layers hold more files and directories than the {MOST_ENTRIES} that an image may have here")]
    Entries,
}

/// What the layers of one image may still hold.
#[derive(Debug)]
pub struct Allowance {
    bytes: u64,
    left: Cell<u64>,
    entries: Cell<u64>,
}

impl Allowance {
    /// For an image of these layers.
    pub fn of(layers: &[BaseLayer]) -> Self {
        let packed: BTreeMap<_, _> =
            layers.iter().map(|layer| (layer.blob.blob.digest, layer.blob.blob.size)).collect();
        let packed = packed.into_values().fold(0, u64::saturating_add);
        let bytes = packed.saturating_mul(TIMES).max(ALWAYS);
        Self { bytes, left: Cell::new(bytes), entries: Cell::new(MOST_ENTRIES) }
    }

    /// One entry more, and directories on the way to it that no entry has named.
    pub(crate) fn entry(&self, unnamed: usize) -> Result<(), TooMuch> {
        let cost = (unnamed as u64).saturating_mul(UNNAMED).saturating_add(1);
        self.entries.set(self.entries.get().checked_sub(cost).ok_or(TooMuch::Entries)?);
        Ok(())
    }

    /// Counts what comes out of a layer.
    pub(crate) fn counting<R>(&self, source: R) -> Counting<'_, R> {
        Counting { source, allowance: self }
    }
}

/// A layer whose bytes are counted.
pub(crate) struct Counting<'a, R> {
    source: R,
    allowance: &'a Allowance,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        let Allowance { bytes, left, .. } = self.allowance;
        let after = left.get().checked_sub(count as u64);
        left.set(after.ok_or_else(|| io::Error::other(TooMuch::Bytes { bytes: *bytes }))?);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use cogpack_backends_oci_direct::blob::{Blob, LayerBlob};
    use cogpack_backends_oci_direct::documents::media;
    use cogpack_content::Digest;

    use super::*;

    fn layer(name: &str, size: u64) -> BaseLayer {
        let blob = Blob { digest: Digest::of(name.as_bytes()), size };
        let diff_id = blob.digest;
        BaseLayer { media_type: media::LAYER_GZIP, blob: LayerBlob { blob, diff_id } }
    }

    #[test]
    fn layers_have_it_together_and_the_same_one_counts_once() {
        assert_eq!(Allowance::of(&[]).bytes, ALWAYS);
        assert_eq!(Allowance::of(&[layer("a", 1 << 30), layer("b", 1 << 30)]).bytes, 200 << 30);
        assert_eq!(Allowance::of(&vec![layer("a", 1 << 30); 1000]).bytes, 100 << 30);
        assert_eq!(Allowance::of(&[layer("a", u64::MAX), layer("b", u64::MAX)]).bytes, u64::MAX);
    }

    #[test]
    fn what_is_too_much_is_said_when_it_comes() {
        let allowance = Allowance::of(&[]);
        allowance.left.set(5);
        let mut read = Vec::new();
        allowance.counting(&b"five!"[..]).read_to_end(&mut read).expect("is allowed");
        assert_eq!(read, b"five!");
        let error = allowance.counting(&b"s"[..]).read_to_end(&mut read).expect_err("is one more");
        assert!(error.to_string().contains("more than 1073741824 bytes"), "{error}");
        for _ in 0..2000 {
            allowance.entry(99).expect("is allowed");
        }
        assert!((0..100_000).any(|_| allowance.entry(99) == Err(TooMuch::Entries)));
    }
}
