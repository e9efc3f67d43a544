//! A tar with one entry: for what daemons unpack but do not make.
//!
//! Older daemons have no action that makes a link, and none that gives setuid, setgid or sticky;
//! all of them unpack an archive that a copy names. Long names and targets stand in an entry of
//! the extended kind before it.

use super::files::Thing;

/// Bytes of a block; everything in a tar fills whole ones.
const BLOCK: usize = 512;

/// The archive of one thing called `name`.
pub(super) fn of(name: &str, thing: &Thing<'_>) -> Vec<u8> {
    let (kind, mode, target, data): (u8, u32, &str, &[u8]) = match thing {
        Thing::File { mode, special, data } => (b'0', special.unwrap_or(*mode), "", data),
        Thing::Directory { mode, special } => (b'5', special.unwrap_or(*mode), "", &[]),
        Thing::Link { target } => (b'2', 0o777, target, &[]),
    };
    let mut records = Vec::new();
    for (key, value) in [("path", name), ("linkpath", target)] {
        if value.len() > TEXT {
            records.extend(record(key, value));
        }
    }
    let mut archive = Vec::with_capacity(4 * BLOCK + data.len());
    if !records.is_empty() {
        entry(&mut archive, Head { kind: b'x', mode: 0o644, name: "extended", target: "" }, &records);
    }
    entry(&mut archive, Head { kind, mode, name, target }, data);
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

/// Most bytes of a name or target that fit a header.
const TEXT: usize = 100;

struct Head<'h> {
    kind: u8,
    mode: u32,
    name: &'h str,
    target: &'h str,
}

fn entry(archive: &mut Vec<u8>, head: Head<'_>, data: &[u8]) {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, cut(head.name));
    put(100, format!("{:07o}", head.mode).as_bytes());
    // Root, and the beginning of 1970.
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{:011o}", data.len()).as_bytes());
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[head.kind]);
    put(157, cut(head.target));
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    archive.extend(block);
    archive.extend(data);
    archive.resize(archive.len().next_multiple_of(BLOCK), 0);
}

fn cut(text: &str) -> &[u8] {
    &text.as_bytes()[..text.len().min(TEXT)]
}

/// `LENGTH KEY=VALUE` and a newline, the length counting its own digits.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}").into_bytes()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// Kind, mode, name, target and bytes of the one entry, as another reader sees them.
    fn read(archive: &[u8]) -> (tar::EntryType, u32, String, Option<String>, Vec<u8>) {
        let mut archive = tar::Archive::new(archive);
        let mut entries = archive.entries().expect("is an archive");
        let mut entry = entries.next().expect("has an entry").expect("is an entry");
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let name = text(&entry.path().expect("has a name"));
        let target = entry.link_name().expect("is a name").map(|target| text(&target));
        let mut data = Vec::new();
        entry.read_to_end(&mut data).expect("has bytes");
        let (kind, mode) = (entry.header().entry_type(), entry.header().mode().expect("has a mode"));
        assert!(entries.next().is_none());
        (kind, mode, name, target, data)
    }

    #[test]
    fn things_are_read_back() {
        for length in [1, 99, 100, 101, 255] {
            let name = "n".repeat(length);
            let target = "t/".repeat(length);
            let link = Thing::Link { target: target.clone().into() };
            let expected = (tar::EntryType::Symlink, 0o777, name.clone(), Some(target), Vec::new());
            assert_eq!(read(&of(&name, &link)), expected);
            let data = vec![b'x'; length * 5];
            let file = Thing::File { mode: 0o755, special: Some(0o4755), data: &data };
            assert_eq!(read(&of(&name, &file)), (tar::EntryType::Regular, 0o4755, name.clone(), None, data));
            let directory = Thing::Directory { mode: 0o777, special: Some(0o1777) };
            let expected = (tar::EntryType::Directory, 0o1777, name.clone(), None, Vec::new());
            assert_eq!(read(&of(&name, &directory)), expected);
        }
    }

    #[test]
    fn a_record_counts_its_own_length() {
        for length in [1, 80, 88, 89, 90, 91, 92, 980, 989, 990, 991] {
            let record = record("path", &"x".repeat(length));
            let said: usize =
                String::from_utf8_lossy(&record).split(' ').next().unwrap_or("").parse().expect("a number");
            assert_eq!(said, record.len());
        }
    }
}
