//! What is noted by a key, and looked up by it later: of a file with several names the first, for instance.
//!
//! There may be any number of such files, and each may come back at any time. So what is noted stays in
//! memory for a while only, and goes then to where pages go, in *runs* that are sorted by key. Of a run
//! memory keeps where its blocks are, and a filter by which most keys that it has not are known without
//! reading it: one and a half bytes a key. Eight runs of one size become one, so that there are few.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use cogpack_content::Digest;

use super::{Bytes, Lost};

/// What tells something apart from everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u8; KEY]);

const KEY: usize = 16;

impl Key {
    /// Of what differs where the things differ.
    pub fn of(text: &[u8]) -> Self {
        let mut key = [0; KEY];
        // Half a digest: nobody finds two texts with one in as many years as there are.
        key.copy_from_slice(&Digest::of(text).sha256()[..KEY]);
        Self(key)
    }

    /// Three numbers below `most` that nearly no two keys have in common.
    fn spread(&self, most: usize) -> [usize; 3] {
        [4, 8, 12].map(|at| {
            let [a, b, c, d] = [0, 1, 2, 3].map(|byte| self.0[at + byte]);
            ((u64::from(u32::from_le_bytes([a, b, c, d])) * most as u64) >> 32) as usize
        })
    }
}

/// What was noted.
pub struct Lookup {
    here: BTreeMap<Key, Box<[u8]>>,
    /// So many stay in memory.
    most: usize,
    /// By how many there it is tried to take them away.
    next: usize,
    /// The largest first.
    runs: Vec<Run>,
}

/// As many as memory keeps: some two mebibytes.
const IN_MEMORY: usize = 16_384;
/// As many as a block has: little to read for one.
const BLOCK: usize = 128;
/// So many runs of one size become one.
const TOGETHER: usize = 8;

impl Default for Lookup {
    fn default() -> Self {
        Self::of(IN_MEMORY)
    }
}

impl Lookup {
    /// One that keeps so many in memory.
    pub fn of(most: usize) -> Self {
        Self { here: BTreeMap::new(), most, next: most, runs: Vec::new() }
    }

    /// What was noted by a key.
    pub fn get(&self, key: &Key) -> Option<Cow<'_, [u8]>> {
        if let Some(here) = self.here.get(key) {
            return Some(Cow::Borrowed(here));
        }
        self.runs.iter().rev().find_map(|run| run.get(key)).map(Cow::Owned)
    }

    /// Notes something by a key, by which nothing is noted yet. Where memory has no room for more, `elsewhere`
    /// is asked for what has, and all stays where there is nothing.
    pub fn note(&mut self, key: Key, value: &[u8], elsewhere: impl FnOnce() -> Option<Arc<dyn Bytes>>) {
        self.here.insert(key, value.into());
        if self.here.len() < self.next {
            return;
        }
        // What could not be taken away is not tried each time.
        self.next = self.here.len() + self.most.div_ceil(4);
        if let Some(bytes) = elsewhere()
            && let Ok(run) = self.laid_aside(&bytes)
        {
            self.runs.push(run);
            self.here.clear();
            self.next = self.most;
            self.join(&bytes);
        }
    }

    /// All that is in memory, as a run.
    fn laid_aside(&self, bytes: &Arc<dyn Bytes>) -> io::Result<Run> {
        let values: Vec<u8> = self.here.values().flat_map(|value| value.iter().copied()).collect();
        let mut offset = bytes.append(&values)?;
        let mut writing = Writing::new(Arc::clone(bytes), 0, self.here.len());
        for (key, value) in &self.here {
            let length = u32::try_from(value.len()).map_err(io::Error::other)?;
            writing.add(Record { key: *key, offset, length })?;
            offset += u64::from(length);
        }
        writing.finish()
    }

    /// Makes one of runs of one size, where there are as many. Where the disk has no room they stay.
    fn join(&mut self, bytes: &Arc<dyn Bytes>) {
        while let Some(start) = self.runs.len().checked_sub(TOGETHER)
            && self.runs[start..].iter().all(|run| run.level == self.runs[start].level)
        {
            let Ok(joined) = Run::joined(&self.runs[start..], bytes) else { return };
            self.runs.truncate(start);
            self.runs.push(joined);
        }
    }
}

/// Where a value is.
#[derive(Clone, Copy)]
struct Record {
    key: Key,
    offset: u64,
    length: u32,
}

const RECORD: usize = KEY + 8 + 4;

impl Record {
    fn written(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.key.0);
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Self {
        fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
            let mut part = [0; N];
            part.copy_from_slice(&bytes[at..at + N]);
            part
        }
        Self {
            key: Key(part(bytes, 0)),
            offset: u64::from_le_bytes(part(bytes, KEY)),
            length: u32::from_le_bytes(part(bytes, KEY + 8)),
        }
    }
}

/// Records that are elsewhere, sorted by key.
struct Run {
    bytes: Arc<dyn Bytes>,
    /// How often it was made of smaller ones.
    level: u32,
    count: usize,
    blocks: Vec<Block>,
    filter: Filter,
}

struct Block {
    first: Key,
    offset: u64,
    count: usize,
}

impl Run {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        if !self.filter.may_have(key) {
            return None;
        }
        let place = self.blocks.partition_point(|block| block.first <= *key).checked_sub(1)?;
        let records = self.block(place);
        let found = records.binary_search_by(|record| record.key.cmp(key)).ok()?;
        let Record { offset, length, .. } = records[found];
        Some(read(&self.bytes, offset, length as usize))
    }

    fn block(&self, place: usize) -> Vec<Record> {
        let Block { offset, count, .. } = self.blocks[place];
        read(&self.bytes, offset, count * RECORD).chunks(RECORD).map(Record::read).collect()
    }

    /// One run of several.
    fn joined(runs: &[Self], bytes: &Arc<dyn Bytes>) -> io::Result<Self> {
        let level = runs.iter().map(|run| run.level).max().unwrap_or_default() + 1;
        let mut writing = Writing::new(Arc::clone(bytes), level, runs.iter().map(|run| run.count).sum());
        let records = |run: &Self, place| run.block(place).into_iter();
        let mut rest: Vec<_> = runs
            .iter()
            .map(|run| (0..run.blocks.len()).flat_map(move |place| records(run, place)).peekable())
            .collect();
        loop {
            let next = rest.iter_mut().enumerate();
            let next = next.filter_map(|(place, rest)| Some((rest.peek()?.key, place)));
            let Some((_, least)) = next.min() else { break };
            if let Some(record) = rest[least].next() {
                writing.add(record)?;
            }
        }
        writing.finish()
    }
}

/// A run that is being made.
struct Writing {
    run: Run,
    block: Vec<u8>,
    first: Option<Key>,
}

impl Writing {
    fn new(bytes: Arc<dyn Bytes>, level: u32, count: usize) -> Self {
        let run = Run { bytes, level, count, blocks: Vec::new(), filter: Filter::of(count) };
        Self { run, block: Vec::with_capacity(BLOCK * RECORD), first: None }
    }

    fn add(&mut self, record: Record) -> io::Result<()> {
        self.run.filter.add(&record.key);
        self.first.get_or_insert(record.key);
        record.written(&mut self.block);
        if self.block.len() == BLOCK * RECORD { self.pass_on() } else { Ok(()) }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        if let Some(first) = self.first.take() {
            let offset = self.run.bytes.append(&self.block)?;
            self.run.blocks.push(Block { first, offset, count: self.block.len() / RECORD });
            self.block.clear();
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<Run> {
        self.pass_on()?;
        Ok(self.run)
    }
}

/// Tells of most keys that are not in a run that they are not: eight bits each, of which three say so.
struct Filter(Vec<u64>);

impl Filter {
    fn of(count: usize) -> Self {
        Self(vec![0; count.div_ceil(8)])
    }

    fn places(&self, key: &Key) -> [(usize, u64); 3] {
        key.spread(self.0.len() * 64).map(|place| (place / 64, 1 << (place % 64)))
    }

    fn add(&mut self, key: &Key) {
        for (place, bit) in self.places(key) {
            self.0[place] |= bit;
        }
    }

    fn may_have(&self, key: &Key) -> bool {
        self.places(key).iter().all(|(place, bit)| self.0[*place] & bit != 0)
    }
}

fn read(bytes: &Arc<dyn Bytes>, offset: u64, length: usize) -> Vec<u8> {
    let mut read = vec![0; length];
    if let Err(error) = bytes.read(offset, &mut read) {
        // No hook hears of it: the mistake is not ours.
        std::panic::resume_unwind(Box::new(Lost(error)));
    }
    read
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::Ordering;

    use super::super::tests::Memory;
    use super::*;

    fn key(number: u64) -> Key {
        Key::of(&number.to_le_bytes())
    }

    #[test]
    fn what_was_noted_is_found_wherever_it_is() {
        // In memory alone, in runs of one level, in runs that were made of others twice.
        for (most, levels) in [(100_000, &[][..]), (2_000, &[0, 0, 0, 0]), (130, &[2, 0, 0, 0, 0, 0])] {
            let memory: Arc<dyn Bytes> = Arc::new(Memory::default());
            let mut lookup = Lookup::of(most);
            for number in 0..9_000 {
                assert_eq!(lookup.get(&key(number)), None);
                let value = vec![number as u8; (number % 300) as usize];
                lookup.note(key(number), &value, || Some(Arc::clone(&memory)));
            }
            assert_eq!(lookup.runs.iter().map(|run| run.level).collect::<Vec<_>>(), levels, "{most}");
            for number in 0..9_000 {
                let value = vec![number as u8; (number % 300) as usize];
                assert_eq!(lookup.get(&key(number)).as_deref(), Some(&value[..]), "{most}, {number}");
            }
            assert_eq!(lookup.get(&key(9_000)), None);
            assert!(lookup.here.len() <= most);
        }
    }

    #[test]
    fn a_filter_passes_over_most_of_what_is_not_there() {
        let mut filter = Filter::of(1_000);
        (0..1_000).for_each(|number| filter.add(&key(number)));
        assert!((0..1_000).all(|number| filter.may_have(&key(number))));
        assert!((1_000..11_000).filter(|number| filter.may_have(&key(*number))).count() < 600);
    }

    #[test]
    fn what_a_full_disk_does_not_take_stays_and_what_is_lost_ends_it() {
        let memory = Arc::new(Memory::default());
        let elsewhere = || Some(Arc::clone(&memory) as Arc<dyn Bytes>);
        let mut lookup = Lookup::of(10);
        (0..25).for_each(|number| lookup.note(key(number), b"first", elsewhere));
        memory.is_full.store(true, Ordering::Relaxed);
        (25..300).for_each(|number| lookup.note(key(number), b"then", elsewhere));
        assert_eq!((lookup.runs.len(), lookup.here.len()), (2, 280));
        memory.is_full.store(false, Ordering::Relaxed);
        (300..320).for_each(|number| lookup.note(key(number), b"last", elsewhere));
        assert!(lookup.here.len() < 10);
        assert!((0..320).all(|number| lookup.get(&key(number)).is_some()));
        memory.is_gone.store(true, Ordering::Relaxed);
        let lost = catch_unwind(AssertUnwindSafe(|| lookup.get(&key(3)).map(Cow::into_owned)));
        assert!(lost.expect_err("cannot be read").is::<Lost>());
    }
}
