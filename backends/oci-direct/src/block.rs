//! Room for the bytes of a layer on their way: it is used again and again, and lies so that a disk
//! can take the bytes from where they are.

use std::ops::Deref;
use std::sync::mpsc::{self, Receiver, Sender};

/// What disks ask of the place of bytes that they take past the kernel's cache, and of their number.
pub const ALIGNMENT: usize = 4096;

/// Gives out blocks of one size.
pub(crate) struct Blocks {
    size: usize,
    /// To blocks, which give their room back when nobody needs them any more.
    giving: Sender<Vec<u8>>,
    given: Receiver<Vec<u8>>,
}

/// Some bytes that follow each other.
pub struct Block {
    room: Vec<u8>,
    /// Where in it the first byte is to be.
    start: usize,
    /// How many bytes it takes.
    most: usize,
    filled: usize,
    home: Sender<Vec<u8>>,
}

impl Blocks {
    pub(crate) fn new(size: usize) -> Self {
        let (giving, given) = mpsc::channel();
        Self { size, giving, given }
    }

    /// An empty one.
    pub(crate) fn empty(&self) -> Block {
        let room = self.given.try_recv().unwrap_or_else(|_| vec![0; self.size + ALIGNMENT]);
        // Where nobody can say, the beginning is as good as any other place.
        let start = Some(room.as_ptr().align_offset(ALIGNMENT)).filter(|it| *it < ALIGNMENT).unwrap_or(0);
        Block { room, start, most: self.size, filled: 0, home: self.giving.clone() }
    }

    /// An empty one, after which the next bytes go to a place in a file where disks take them, if
    /// its own first one goes to `place`.
    pub(crate) fn empty_at(&self, place: u64) -> Block {
        let over = (place % ALIGNMENT as u64) as usize;
        let mut block = self.empty();
        if over > 0 {
            block.most = self.size.min(ALIGNMENT - over);
        }
        block
    }
}

impl Block {
    /// An empty one with room for so many bytes, which nobody else gives out.
    pub fn alone(size: usize) -> Self {
        Blocks::new(size).empty()
    }

    /// Forgets its bytes.
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    /// Takes as many of these bytes as it has room for; how many.
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        let room = self.room();
        let count = bytes.len().min(room.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.filled(count);
        count
    }

    /// The room that it has for more.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.room[self.start + self.filled..self.start + self.most]
    }

    /// Takes so many bytes that are in its room now.
    pub(crate) fn filled(&mut self, count: usize) {
        self.filled = self.most.min(self.filled + count);
    }

    /// Whether it has no more room.
    pub fn is_full(&self) -> bool {
        self.filled == self.most
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.room[self.start..self.start + self.filled]
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // Whoever gave it out may be gone, and its room goes then too.
        let _ = self.home.send(std::mem::take(&mut self.room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_used_again_and_lies_where_disks_take_it() {
        let blocks = Blocks::new(2 * ALIGNMENT);
        let mut first = blocks.empty();
        assert_eq!((first.take(&[1; 5_000]), first.take(&[2; 5_000])), (5_000, 3_192));
        assert!(first.is_full() && first[..5_000] == [1; 5_000] && first[5_000..] == [2; 3_192]);
        assert_eq!(first.as_ptr().align_offset(ALIGNMENT), 0);
        let place = first.as_ptr();
        let other = blocks.empty();
        assert_ne!(other.as_ptr(), place);
        drop(first);
        let again = blocks.empty();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        drop((blocks, again, other));
    }

    #[test]
    fn the_first_of_a_file_ends_where_disks_take_the_next() {
        let blocks = Blocks::new(2 * ALIGNMENT);
        for (place, most) in [(0, 8_192), (1_536, 2_560), (4_095, 1), (4_096, 8_192), (12_289, 4_095)] {
            let mut block = blocks.empty_at(place);
            assert_eq!((block.take(&[1; 10_000]), block.is_full(), block.len()), (most, true, most));
            assert_eq!(blocks.empty().take(&[1; 10_000]), 8_192);
        }
    }
}
