//! Copies the bytes of a file, and leaves a hole where there is nothing but zeros: a disk image of which a
//! program has written a little takes no more room as a part than that little.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;

/// So many bytes in a row are a hole if all of them are zero.
const STRETCH: usize = 64 << 10;

/// Copies into an empty file, and says how many bytes it has then.
pub(super) fn copy(bytes: &mut dyn Read, file: &File) -> io::Result<u64> {
    let mut stretch = vec![0; STRETCH];
    let (mut size, mut ends_in_a_hole) = (0, false);
    loop {
        let count = fill(bytes, &mut stretch)?;
        if count == 0 {
            break;
        }
        let read = &stretch[..count];
        ends_in_a_hole = count == STRETCH && read.iter().all(|byte| *byte == 0);
        if !ends_in_a_hole {
            file.write_all_at(read, size)?;
        }
        size += count as u64;
    }
    if ends_in_a_hole {
        file.set_len(size)?;
    }
    Ok(size)
}

/// Reads until there is no more room, or nothing more comes.
fn fill(bytes: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match bytes.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn zeros_take_no_room_and_all_bytes_are_there() {
        let folder = tempfile::tempdir().expect("makes a directory");
        let zeros = |count| vec![0; count];
        let cases = [
            (Vec::new(), 0),
            (zeros(3), 1),
            (b"text".to_vec(), 1),
            (zeros(STRETCH), 0),
            (zeros(64 * STRETCH), 0),
            ([b"start".to_vec(), zeros(64 * STRETCH), b"end".to_vec()].concat(), 2),
            ([zeros(10 * STRETCH + 7), b"end".to_vec(), zeros(10 * STRETCH)].concat(), 2),
        ];
        for (place, (bytes, stretches)) in cases.iter().enumerate() {
            let path = folder.path().join(place.to_string());
            let file = File::create_new(&path).expect("can be made");
            // They come in pieces of another size.
            let mut pieces =
                bytes.chunks(10_007).map(<[u8]>::to_vec).collect::<std::collections::VecDeque<_>>();
            let mut coming = std::iter::from_fn(|| pieces.pop_front());
            let mut reading = Pieces { coming: &mut coming, here: Vec::new() };
            assert_eq!(copy(&mut reading, &file).expect("there is room"), bytes.len() as u64);
            assert!(std::fs::read(&path).expect("is there") == *bytes, "case {place}");
            let room = file.metadata().expect("is there").blocks() * 512;
            assert!(room <= stretches * STRETCH as u64, "case {place} takes {room} bytes");
        }
    }

    struct Pieces<'p> {
        coming: &'p mut dyn Iterator<Item = Vec<u8>>,
        here: Vec<u8>,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.here.is_empty() {
                self.here = self.coming.next().unwrap_or_default();
            }
            let count = self.here.len().min(into.len());
            into[..count].copy_from_slice(&self.here[..count]);
            self.here.drain(..count);
            Ok(count)
        }
    }
}
