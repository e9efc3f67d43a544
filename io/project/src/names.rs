//! The names in a directory, sorted. They lie in one piece of memory; of a directory that has more than
//! a few megabytes of them, sorted runs lie in the temporary file, and are read side by side.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader};
use std::iter::Peekable;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::{Dir, Mode, OFlags, openat};

use crate::room::{NamelessFile, Piece, Reading, Room};

/// So much of them is sorted in memory.
const IN_MEMORY: usize = 4 << 20;
/// What is read of a run at once.
const AT_ONCE: usize = 1 << 14;
/// Of more names than these nobody wants to know all before the first.
const FEW: usize = 17;

/// Names in their order.
pub struct Names {
    here: Sorted,
    runs: Vec<Piece>,
    file: NamelessFile,
    /// Of those in runs, the wanted one if it is there, and some others.
    noted: Vec<Vec<u8>>,
}

impl Names {
    /// What is in a directory; one of them is `wanted` for itself. The directory stays open.
    /// Where the directory `above` it is open too, the kernel need not go along the whole path again.
    pub fn of(above: Option<&Dir>, directory: &Path, wanted: &OsStr, room: &Room) -> io::Result<(Self, Dir)> {
        Self::within(IN_MEMORY, opened(above, directory)?, wanted, room)
    }

    fn within(most: usize, open: OwnedFd, wanted: &OsStr, room: &Room) -> io::Result<(Self, Dir)> {
        let mut names =
            Self { here: Sorted::default(), runs: Vec::new(), file: room.file(), noted: Vec::new() };
        let mut next = most;
        let mut open = Dir::new(open)?;
        for entry in open.by_ref() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            names.here.add(name)?;
            if names.here.size() >= next {
                names.here.sort();
                match names.file.keep(&names.here.written()) {
                    Ok(run) => {
                        names.runs.push(run);
                        names.note(wanted.as_bytes());
                        names.here = Sorted::default();
                    }
                    // It stays in memory, and that is not tried each time.
                    Err(_) => next *= 2,
                }
            }
        }
        names.here.sort();
        Ok((names, open))
    }

    /// Whether there are no more than `most`, all of them in memory.
    pub fn few(&self, most: usize) -> bool {
        self.runs.is_empty() && self.in_memory() <= most
    }

    /// How many of them lie in memory.
    pub fn in_memory(&self) -> usize {
        self.here.places.len()
    }

    /// Some of the names, the wanted one among them: all where there are few.
    pub fn some(&self) -> impl Iterator<Item = &OsStr> {
        let noted = self.noted.iter().map(Vec::as_slice);
        self.here.iter().chain(noted).map(OsStr::from_bytes)
    }

    /// Each of them.
    pub fn iter(&self) -> io::Result<Iter<'_>> {
        let mut runs = Vec::with_capacity(self.runs.len());
        let mut next = BinaryHeap::with_capacity(self.runs.len());
        for (place, run) in self.runs.iter().enumerate() {
            let mut run = BufReader::with_capacity(AT_ONCE, self.file.reading(*run));
            next.extend(next_of(&mut run)?.map(|name| Reverse((name, place))));
            runs.push(run);
        }
        Ok(Iter { here: self.here.iter().peekable(), runs, next })
    }

    /// What is to be known of the names here when they go.
    fn note(&mut self, wanted: &[u8]) {
        let is_wanted = self.here.iter().find(|name| *name == wanted);
        let others = self.here.iter().take(FEW.saturating_sub(self.noted.len()));
        let noted: Vec<Vec<u8>> = is_wanted.into_iter().chain(others).map(<[u8]>::to_vec).collect();
        self.noted.extend(noted);
    }
}

/// Names that are given away in their order; see [`Names::iter`].
pub struct Iter<'n> {
    here: Peekable<SortedIter<'n>>,
    runs: Vec<BufReader<Reading<'n>>>,
    /// The next of each run.
    next: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
}

impl<'n> Iter<'n> {
    fn next_of_runs(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(Reverse((name, place))) = self.next.pop() else { return Ok(None) };
        self.next.extend(next_of(&mut self.runs[place])?.map(|name| Reverse((name, place))));
        Ok(Some(name))
    }
}

impl<'n> Iterator for Iter<'n> {
    type Item = io::Result<Cow<'n, [u8]>>;

    fn next(&mut self) -> Option<Self::Item> {
        let is_here = match (self.here.peek(), self.next.peek()) {
            (Some(here), Some(Reverse((other, _)))) => *here < other.as_slice(),
            (here, _) => here.is_some(),
        };
        match is_here {
            true => self.here.next().map(|name| Ok(Cow::Borrowed(name))),
            false => self.next_of_runs().transpose().map(|name| name.map(Cow::Owned)),
        }
    }
}

/// A directory that is looked at, opened. One below another is no link: it was found to be a directory.
fn opened(above: Option<&Dir>, directory: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(match (above, directory.file_name()) {
        (Some(above), Some(name)) => openat(above.fd()?, name, flags | OFlags::NOFOLLOW, Mode::empty())?,
        (None, _) | (_, None) => rustix::fs::open(directory, flags, Mode::empty())?,
    })
}

/// The next name of a run: its length, and it.
fn next_of(run: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    if run.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut length = [0; 2];
    run.read_exact(&mut length)?;
    let mut name = vec![0; usize::from(u16::from_le_bytes(length))];
    run.read_exact(&mut name)?;
    Ok(Some(name))
}

/// Names in memory.
#[derive(Default)]
struct Sorted {
    bytes: Vec<u8>,
    /// From where to where each is.
    places: Vec<(u32, u32)>,
}

/// They, one after the other.
struct SortedIter<'n> {
    bytes: &'n [u8],
    places: std::slice::Iter<'n, (u32, u32)>,
}

impl<'n> Iterator for SortedIter<'n> {
    type Item = &'n [u8];

    fn next(&mut self) -> Option<&'n [u8]> {
        self.places.next().map(|place| at(self.bytes, *place))
    }
}

impl Sorted {
    fn add(&mut self, name: &[u8]) -> io::Result<()> {
        let start = place(self.bytes.len())?;
        self.bytes.extend_from_slice(name);
        self.places.push((start, place(self.bytes.len())?));
        Ok(())
    }

    fn size(&self) -> usize {
        self.bytes.len() + size_of::<(u32, u32)>() * self.places.len()
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        self.places.sort_unstable_by(|one, other| at(bytes, *one).cmp(at(bytes, *other)));
    }

    fn iter(&self) -> SortedIter<'_> {
        SortedIter { bytes: &self.bytes, places: self.places.iter() }
    }

    fn written(&self) -> Vec<u8> {
        let mut written = Vec::with_capacity(self.bytes.len() + 2 * self.places.len());
        for name in self.iter() {
            // No filesystem has names of more than some hundred bytes.
            written.extend_from_slice(&(name.len() as u16).to_le_bytes());
            written.extend_from_slice(name);
        }
        written
    }
}

fn place(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(|_| io::Error::other("its names are longer than 4 GiB"))
}

fn at(bytes: &[u8], (start, end): (u32, u32)) -> &[u8] {
    &bytes[start as usize..end as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_their_order_wherever_they_lie() {
        let folder = tempfile::tempdir().expect("makes a directory");
        let mut expected: Vec<Vec<u8>> =
            (0..3_000).map(|number| format!("{:05}", number * 7_919 % 30_011).into_bytes()).collect();
        expected.push(b"wanted".to_vec());
        expected.push(b"odd\xff\xfe".to_vec());
        expected.sort();
        for name in &expected {
            std::fs::write(folder.path().join(OsStr::from_bytes(name)), "").expect("is writable");
        }
        let wanted = OsStr::new("wanted");
        let open = || opened(None, folder.path()).expect("is there");
        for (most, runs) in [(1 << 20, 0), (20_000, 1), (1_000, 38), (100, 375)] {
            let (names, _) = Names::within(most, open(), wanted, &Room::default()).expect("can be listed");
            assert!(names.runs.len() >= runs && (names.runs.is_empty() == (runs == 0)), "{most}");
            let found = names.iter().expect("can be read").collect::<io::Result<Vec<_>>>();
            assert!(found.expect("can be read").into_iter().eq(expected.iter().map(Cow::Borrowed)), "{most}");
            let some: Vec<&OsStr> = names.some().collect();
            assert!(some.contains(&wanted) && some.len() >= FEW, "{most}");
        }
    }
}
