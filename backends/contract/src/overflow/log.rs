//! A list of what is written once and read later, one after the other or by where it is.
//!
//! Its start stays in memory, where most lists are whole. What comes behind goes in *pieces* to where pages
//! go, and a piece that cannot be kept there stays in memory, too.

use std::io;
use std::sync::Arc;

use super::Bytes;

/// A list of records.
pub struct Log {
    bytes: Arc<dyn Bytes>,
    /// So many pieces stay in memory.
    most: usize,
    pieces: Vec<Piece>,
    /// The last piece, which is not whole.
    open: Vec<u8>,
}

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(u64);

enum Piece {
    Here(Vec<u8>),
    There { offset: u64, length: usize },
}

/// In a piece each record begins before so many bytes.
const PIECE: usize = 1 << PIECE_BITS;
const PIECE_BITS: u32 = 16;
/// As many pieces as memory keeps: four mebibytes.
const IN_MEMORY: usize = 64;
/// How long a record is stands before it.
const LENGTH: usize = 4;
/// So much is read for a record; most are shorter.
const AT_ONCE: usize = 256;

impl Place {
    /// As a number, which is not 0.
    pub fn number(self) -> u64 {
        self.0 + 1
    }

    /// What [`number`](Self::number) has made a number; nothing of 0.
    pub fn of(number: u64) -> Option<Self> {
        number.checked_sub(1).map(Self)
    }
}

impl Log {
    /// An empty one, that keeps there what memory has no room for.
    pub fn new(bytes: Arc<dyn Bytes>) -> Self {
        Self::of(bytes, IN_MEMORY)
    }

    fn of(bytes: Arc<dyn Bytes>, most: usize) -> Self {
        Self { bytes, most, pieces: Vec::new(), open: Vec::new() }
    }

    /// Adds a record, and says where it is.
    pub fn add(&mut self, record: &[u8]) -> Place {
        let place = Place((self.pieces.len() as u64) << PIECE_BITS | self.open.len() as u64);
        // No record is as long as four gigabytes.
        self.open.extend_from_slice(&(record.len() as u32).to_le_bytes());
        self.open.extend_from_slice(record);
        if self.open.len() >= PIECE {
            self.close();
        }
        place
    }

    fn close(&mut self) {
        if self.pieces.len() >= self.most
            && let Ok(offset) = self.bytes.append(&self.open)
        {
            self.pieces.push(Piece::There { offset, length: self.open.len() });
            self.open.clear();
        } else {
            self.pieces.push(Piece::Here(std::mem::take(&mut self.open)));
        }
    }

    /// The record at a place.
    pub fn get(&self, place: Place) -> io::Result<Vec<u8>> {
        let (piece, start) = ((place.0 >> PIECE_BITS) as usize, place.0 as usize % PIECE);
        match self.pieces.get(piece) {
            None => Ok(first(&self.open[start..]).to_vec()),
            Some(Piece::Here(bytes)) => Ok(first(&bytes[start..]).to_vec()),
            Some(Piece::There { offset, length }) => {
                let mut read = vec![0; (length - start).min(AT_ONCE)];
                self.bytes.read(offset + start as u64, &mut read)?;
                let whole = LENGTH + length_of(&read);
                if let Some(more) = whole.checked_sub(read.len()) {
                    let known = read.len();
                    read.resize(known + more, 0);
                    self.bytes.read(offset + (start + known) as u64, &mut read[known..])?;
                }
                read.truncate(whole);
                read.drain(..LENGTH);
                Ok(read)
            }
        }
    }

    /// Gives away each record in the order in which they were added.
    pub fn each<E: From<io::Error>>(&self, take: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        for piece in &self.pieces {
            match piece {
                Piece::Here(bytes) => each_of(bytes, take)?,
                Piece::There { offset, length } => {
                    let mut read = vec![0; *length];
                    self.bytes.read(*offset, &mut read)?;
                    each_of(&read, take)?;
                }
            }
        }
        each_of(&self.open, take)
    }
}

fn each_of<E>(mut bytes: &[u8], take: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    while !bytes.is_empty() {
        let record = first(bytes);
        take(record)?;
        bytes = &bytes[LENGTH + record.len()..];
    }
    Ok(())
}

/// The record that bytes begin with.
fn first(bytes: &[u8]) -> &[u8] {
    &bytes[LENGTH..LENGTH + length_of(bytes)]
}

fn length_of(bytes: &[u8]) -> usize {
    let mut length = [0; LENGTH];
    length.copy_from_slice(&bytes[..LENGTH]);
    u32::from_le_bytes(length) as usize
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::super::tests::Memory;
    use super::*;

    /// Of any length, some longer than what is read at once and than a piece.
    fn record(number: usize) -> Vec<u8> {
        let length = if number == 700 { 3 * PIECE } else { number * 7 % 400 };
        vec![number as u8; length]
    }

    #[test]
    fn what_was_added_is_read_in_its_order_and_by_its_place() {
        for most in [0, 3, 100] {
            let memory = Arc::new(Memory::default());
            let mut log = Log::of(Arc::clone(&memory) as Arc<dyn Bytes>, most);
            let places: Vec<_> = (0..2_000)
                .map(|number| {
                    // A disk that is full for some of the time.
                    memory.is_full.store(number > 1_000 && number < 1_400, Ordering::Relaxed);
                    log.add(&record(number))
                })
                .collect();
            let there = log.pieces.iter().filter(|piece| matches!(piece, Piece::There { .. })).count();
            assert_eq!((there > 0, there < log.pieces.len()), (most < 100, true), "{most}: {there}");
            for (number, place) in places.iter().enumerate() {
                let found = log.get(Place::of(place.number()).expect("is one")).expect("is there");
                assert_eq!(found, record(number), "{most}, {number}");
            }
            let mut number = 0;
            let all = log.each::<io::Error>(&mut |found| {
                assert_eq!(found, record(number), "{most}, {number}");
                number += 1;
                Ok(())
            });
            assert_eq!((all.is_ok(), number), (true, 2_000));
            memory.is_gone.store(true, Ordering::Relaxed);
            assert_eq!(log.each::<io::Error>(&mut |_| Ok(())).is_ok(), most == 100);
            assert_eq!(places.iter().all(|place| log.get(*place).is_ok()), most == 100);
        }
        assert_eq!(Place::of(0), None);
    }
}
