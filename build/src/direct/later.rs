//! What of a layer's files and dates is written when the layer is read again. A layer may have two million
//! of either, so the room takes what memory has none for.

use std::collections::BTreeMap;
use std::io;

use cogpack_backends_contract::overflow::log::{Log, Place};
use cogpack_io_project::room::Room;
use cogpack_io_runtime::part::Attributes;

/// Files whose bytes come later, by their places in the layer.
pub struct Later {
    names: Log,
    /// Where the last name of each file is, by its place; 0 where it has none.
    last: BTreeMap<u64, Box<[u64; AT_ONCE]>>,
}

/// So many places lie side by side.
const AT_ONCE: usize = 512;

/// A name of such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Where the bytes go.
    pub path: Vec<u8>,
    /// With this mode and owner.
    pub attributes: Attributes,
}

impl Later {
    /// Nothing yet.
    pub fn new(room: &Room) -> Self {
        Self { names: Log::new(room.bytes()), last: BTreeMap::new() }
    }

    /// One name more of the file at a place.
    pub fn add(&mut self, place: u64, path: &[u8], Attributes { mode, user, group }: Attributes) {
        let (side, at) = sides(place);
        let last = &mut self.last.entry(side).or_insert_with(|| Box::new([0; AT_ONCE]))[at];
        let numbers = [mode, user, group].map(u32::to_le_bytes).concat();
        *last = self.names.add(&[&last.to_le_bytes(), &numbers[..], path].concat()).number();
    }

    /// The names of the file at a place, one after the other, the last one first.
    pub fn names(&self, place: u64) -> impl Iterator<Item = io::Result<Name>> {
        let (side, at) = sides(place);
        let mut next = self.last.get(&side).and_then(|side| Place::of(side[at]));
        std::iter::from_fn(move || {
            let record = match self.names.get(next?) {
                Ok(record) => record,
                Err(error) => return Some(Err(error)),
            };
            let mut start = 0;
            next = Place::of(u64::from_le_bytes(number(&record, &mut start)));
            let [mode, user, group] = [(); 3].map(|()| u32::from_le_bytes(number(&record, &mut start)));
            let path = record[start..].to_vec();
            Some(Ok(Name { path, attributes: Attributes { mode, user, group } }))
        })
    }
}

fn sides(place: u64) -> (u64, usize) {
    (place / AT_ONCE as u64, place as usize % AT_ONCE)
}

/// Who takes one path with its date after the other, until that fails.
pub type Taker<'f, E> = dyn FnMut(&[u8], (i64, u32)) -> Result<(), E> + 'f;

/// When paths were changed that get their dates when nothing more is written.
pub struct Dates(Log);

impl Dates {
    /// Nothing yet.
    pub fn new(room: &Room) -> Self {
        Self(Log::new(room.bytes()))
    }

    /// The date of a path, which may have had another one before.
    pub fn add(&mut self, path: &[u8], (seconds, nanoseconds): (i64, u32)) {
        self.0.add(&[&seconds.to_le_bytes()[..], &nanoseconds.to_le_bytes(), path].concat());
    }

    /// Gives away each path with a date. The last one of a path is the one that counts.
    pub fn each<E: From<io::Error>>(&self, take: &mut Taker<'_, E>) -> Result<(), E> {
        self.0.each(&mut |record| {
            let mut start = 0;
            let seconds = i64::from_le_bytes(number(record, &mut start));
            let nanoseconds = u32::from_le_bytes(number(record, &mut start));
            take(&record[start..], (seconds, nanoseconds))
        })
    }
}

/// The bytes of the next number of a record.
fn number<const N: usize>(record: &[u8], start: &mut usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&record[*start..*start + N]);
    *start += N;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_its_names_and_each_path_its_dates() {
        let room = Room::default();
        let (mut later, mut dates) = (Later::new(&room), Dates::new(&room));
        let attributes = |user| Attributes { mode: 0o644, user, group: 7 };
        for place in [3, 511, 512, 1_000_000] {
            for name in 0..place % 5 {
                later.add(place, format!("{place}/{name}").as_bytes(), attributes(name as u32));
            }
        }
        let names = |place| -> Vec<Name> { later.names(place).collect::<Result<_, _>>().expect("is there") };
        let name = |path: &str, user| Name { path: path.into(), attributes: attributes(user) };
        assert_eq!(names(3), [name("3/2", 2), name("3/1", 1), name("3/0", 0)]);
        assert_eq!(names(511), [name("511/0", 0)]);
        assert_eq!(names(512), [name("512/1", 1), name("512/0", 0)]);
        assert_eq!((names(4), names(1_000_000), names(u64::MAX)), (vec![], vec![], vec![]));
        dates.add(b"a", (-1, 5));
        dates.add(b"", (i64::MAX, 0));
        dates.add(b"a", (1, 6));
        let mut all = Vec::new();
        let each = dates.each(&mut |path, date| {
            all.push((path.to_vec(), date));
            Ok::<_, io::Error>(())
        });
        assert!(each.is_ok());
        assert_eq!(all, [(b"a".to_vec(), (-1, 5)), (vec![], (i64::MAX, 0)), (b"a".to_vec(), (1, 6))]);
    }
}
