//! Writes tar archives whose bytes follow from their entries alone.
//!
//! The format is POSIX ustar, with PAX records only where ustar has no room: long names, names
//! that are not ASCII, large files and large ids, and for the capabilities of programs. One time for
//! all entries, no user or group names, device numbers for devices alone. Names are bytes; PAX asks for UTF-8, and every reader in use takes
//! other bytes as they stand, as Go's writer also leaves them.
//!
//! Deliberately not here: sorting and whiteouts (a layer's business), and reading.

use std::io::{self, Read, Write};

/// What one entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind<'a> {
    /// A file with this many bytes of content.
    File {
        /// The length of the content.
        size: u64,
    },
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink {
        /// What the link says.
        target: &'a [u8],
    },
    /// Another name of an earlier entry.
    HardLink {
        /// The earlier entry's path.
        target: &'a [u8],
    },
    /// A character device.
    CharacterDevice {
        /// Its major and minor number.
        numbers: (u32, u32),
    },
    /// A block device.
    BlockDevice {
        /// Its major and minor number.
        numbers: (u32, u32),
    },
    /// A named pipe.
    Pipe,
}

/// One entry without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Relative to the root, without a slash at either end.
    pub path: &'a [u8],
    /// What it is.
    pub kind: EntryKind<'a>,
    /// Permission bits, at most `0o7777`.
    pub mode: u32,
    /// The number of the owning user.
    pub uid: u32,
    /// The number of the owning group.
    pub gid: u32,
}

/// Why an archive could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// The archive's own sink failed.
    #[error("write a tar archive")]
    Write(#[source] io::Error),
    /// The content of a file could not be read.
    #[error("read the content of `{path}`")]
    Read {
        /// The entry.
        path: String,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// A file has another length than its entry said.
    #[error("`{path}` changed while it was read: it had {expected} bytes, and now has {relation} than that")]
    SizeChanged {
        /// The entry.
        path: String,
        /// The length that was said.
        expected: u64,
        /// `more` or `fewer`.
        relation: &'static str,
    },
    /// A device has a number that no header has room for.
    #[error("`{path}` is a device with the number {number}, which no archive can say")]
    DeviceNumber {
        /// The entry.
        path: String,
        /// The number.
        number: u32,
    },
    /// A name holds a zero byte, which no tar archive can.
    #[error("`{path}` holds a zero byte, which no archive can name")]
    ZeroByte {
        /// The name.
        path: String,
    },
}

/// The PAX record by which archives carry an extended attribute, as all builders write it.
const CAPABILITY: &str = "SCHILY.xattr.security.capability";

const BLOCK: usize = 512;
const CHUNK: usize = 64 * 1024;

/// Takes an archive, and has its bytes read to where it keeps them.
pub trait Room: Write {
    /// Room for the bytes that come next, some at least.
    fn room(&mut self) -> io::Result<&mut [u8]>;

    /// Takes so many bytes of that, which are there now.
    fn filled(&mut self, count: usize);
}

/// A tar archive being written.
pub struct TarWriter<W> {
    sink: W,
    /// Seconds since 1970, the same for all entries.
    time: u64,
    chunk: Vec<u8>,
}

impl<W: Write> TarWriter<W> {
    /// An archive on `sink`, all of whose entries were changed at `time`.
    pub fn new(sink: W, time: u64) -> Self {
        Self { sink, time, chunk: vec![0; CHUNK] }
    }

    /// Appends an entry without content: a directory, a link, or an empty file.
    pub fn append(&mut self, entry: &Entry<'_>) -> Result<(), TarError> {
        self.append_file(entry, &mut io::empty())
    }

    /// Appends an entry and, for a file, its content, which must have the length that was said.
    pub fn append_file(&mut self, entry: &Entry<'_>, content: &mut dyn Read) -> Result<(), TarError> {
        self.append_capable(entry, content, None)
    }

    /// Appends a file that has capabilities: what its extended attribute `security.capability` says.
    pub fn append_capable(
        &mut self,
        entry: &Entry<'_>,
        content: &mut dyn Read,
        capability: Option<&[u8]>,
    ) -> Result<(), TarError> {
        self.header(entry, capability)?;
        match entry.kind {
            EntryKind::File { size } => self.content(entry.path, size, content),
            EntryKind::Directory
            | EntryKind::Symlink { .. }
            | EntryKind::HardLink { .. }
            | EntryKind::CharacterDevice { .. }
            | EntryKind::BlockDevice { .. }
            | EntryKind::Pipe => Ok(()),
        }
    }

    /// Appends a file whose content `make` writes to the sink, and of which it says how many bytes it
    /// has written. What keeps it from that comes back inside.
    pub fn append_made<E>(
        &mut self,
        entry: &Entry<'_>,
        capability: Option<&[u8]>,
        make: impl FnOnce(&mut W) -> Result<u64, E>,
    ) -> Result<Result<(), E>, TarError> {
        self.header(entry, capability)?;
        let made = match make(&mut self.sink) {
            Ok(made) => made,
            Err(error) => return Ok(Err(error)),
        };
        let expected = if let EntryKind::File { size } = entry.kind { size } else { 0 };
        if made != expected {
            let relation = if made > expected { "more" } else { "fewer" };
            return Err(TarError::SizeChanged { path: shown(entry.path), expected, relation });
        }
        self.pad(made).map(Ok)
    }

    /// Ends the archive and gives its sink back.
    pub fn finish(mut self) -> Result<W, TarError> {
        self.write(&[0; 2 * BLOCK])?;
        Ok(self.sink)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), TarError> {
        self.sink.write_all(bytes).map_err(TarError::Write)
    }

    fn pad(&mut self, written: u64) -> Result<(), TarError> {
        let over = (written % BLOCK as u64) as usize;
        if over == 0 { Ok(()) } else { self.write(&[0; BLOCK][over..]) }
    }

    fn content(&mut self, path: &[u8], size: u64, content: &mut dyn Read) -> Result<(), TarError> {
        let mut content = Content { path, size, left: size, content };
        while let Some(count) = content.read(&mut self.chunk)? {
            self.sink.write_all(&self.chunk[..count]).map_err(TarError::Write)?;
        }
        self.pad(size)
    }

    fn header(&mut self, entry: &Entry<'_>, capability: Option<&[u8]>) -> Result<(), TarError> {
        let mut path = entry.path.to_vec();
        if entry.kind == EntryKind::Directory {
            path.push(b'/');
        }
        let (flag, size, link): (u8, u64, &[u8]) = match entry.kind {
            EntryKind::File { size } => (b'0', size, b""),
            EntryKind::Directory => (b'5', 0, b""),
            EntryKind::Symlink { target } => (b'2', 0, target),
            EntryKind::HardLink { target } => (b'1', 0, target),
            EntryKind::CharacterDevice { .. } => (b'3', 0, b""),
            EntryKind::BlockDevice { .. } => (b'4', 0, b""),
            EntryKind::Pipe => (b'6', 0, b""),
        };
        for name in [entry.path, link] {
            if name.contains(&0) {
                return Err(TarError::ZeroByte { path: shown(name) });
            }
        }

        let mut records = Vec::new();
        let mut header = Header::new(flag, entry.mode);
        if !header.path(&path) {
            record(&mut records, "path", &path);
        }
        if !header.link(link) {
            record(&mut records, "linkpath", link);
        }
        header.number_or_record(Field::SIZE, size, "size", &mut records);
        header.number_or_record(Field::UID, entry.uid.into(), "uid", &mut records);
        header.number_or_record(Field::GID, entry.gid.into(), "gid", &mut records);
        header.number_or_record(Field::TIME, self.time, "mtime", &mut records);
        if let EntryKind::CharacterDevice { numbers } | EntryKind::BlockDevice { numbers } = entry.kind {
            for (field, number) in [(Field::MAJOR, numbers.0), (Field::MINOR, numbers.1)] {
                if !header.number(field, number.into()) {
                    return Err(TarError::DeviceNumber { path: shown(entry.path), number });
                }
            }
        }
        if let Some(capability) = capability {
            record(&mut records, CAPABILITY, capability);
        }

        if !records.is_empty() {
            let mut extended = Header::new(b'x', 0o644);
            extended.path(b"PaxHeaders/entry");
            extended.number(Field::SIZE, records.len() as u64);
            extended.number(Field::TIME, 0);
            self.write(&extended.finish())?;
            self.write(&records)?;
            self.pad(records.len() as u64)?;
        }
        self.write(&header.finish())
    }
}

impl<W: Room + ?Sized> TarWriter<&mut W> {
    /// Appends a file, as [`append_capable`](Self::append_capable) does, whose content is not copied on
    /// its way.
    pub fn append_read(
        &mut self,
        entry: &Entry<'_>,
        content: &mut dyn Read,
        capability: Option<&[u8]>,
    ) -> Result<(), TarError> {
        self.header(entry, capability)?;
        let EntryKind::File { size } = entry.kind else { return Ok(()) };
        let mut content = Content { path: entry.path, size, left: size, content };
        while let Some(count) = content.read(self.sink.room().map_err(TarError::Write)?)? {
            self.sink.filled(count);
        }
        self.pad(size)
    }
}

/// The content of a file, which must have the length that was said.
struct Content<'c> {
    path: &'c [u8],
    size: u64,
    left: u64,
    content: &'c mut dyn Read,
}

impl Content<'_> {
    /// Reads what comes next; nothing at the end.
    fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, TarError> {
        let changed =
            |relation| TarError::SizeChanged { path: shown(self.path), expected: self.size, relation };
        // One byte past the end is asked for, so that a file that grew is noticed.
        let most = self.left.saturating_add(1).min(buffer.len() as u64) as usize;
        loop {
            match self.content.read(&mut buffer[..most]) {
                Ok(0) if self.left == 0 => return Ok(None),
                Ok(0) => return Err(changed("fewer")),
                Ok(count) => {
                    self.left = self.left.checked_sub(count as u64).ok_or_else(|| changed("more"))?;
                    return Ok(Some(count));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(TarError::Read { path: shown(self.path), source }),
            }
        }
    }
}

/// Appends one PAX record: its own length in decimal, a space, `key=value` and a line feed.
fn record(records: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = 1 + key.len() + 1 + value.len() + 1;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(format!("{length} {key}=").as_bytes());
    records.extend_from_slice(value);
    records.push(b'\n');
}

/// A name in a message.
fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// The place of one octal number in a header.
#[derive(Clone, Copy)]
struct Field {
    start: usize,
    digits: usize,
}

impl Field {
    const MODE: Self = Self { start: 100, digits: 7 };
    const UID: Self = Self { start: 108, digits: 7 };
    const GID: Self = Self { start: 116, digits: 7 };
    const SIZE: Self = Self { start: 124, digits: 11 };
    const TIME: Self = Self { start: 136, digits: 11 };
    const MAJOR: Self = Self { start: 329, digits: 7 };
    const MINOR: Self = Self { start: 337, digits: 7 };
    const CHECKSUM: Self = Self { start: 148, digits: 6 };
}

/// One ustar header block (IEEE Std 1003.1, `pax`, "ustar Interchange Format").
struct Header([u8; BLOCK]);

impl Header {
    fn new(flag: u8, mode: u32) -> Self {
        let mut block = [0; BLOCK];
        block[156] = flag;
        block[257..265].copy_from_slice(b"ustar\x0000");
        let mut header = Self(block);
        for field in [Field::UID, Field::GID, Field::SIZE, Field::TIME] {
            header.number(field, 0);
        }
        header.number(Field::MODE, mode.into());
        header
    }

    /// Writes a number in octal, ended by the zero byte that is there; whether it fits.
    fn number(&mut self, field: Field, value: u64) -> bool {
        if value >> (3 * field.digits) != 0 {
            return false;
        }
        for place in 0..field.digits {
            let digit = (value >> (3 * (field.digits - 1 - place))) & 7;
            self.0[field.start + place] = b'0' + digit as u8;
        }
        true
    }

    fn number_or_record(&mut self, field: Field, value: u64, key: &str, records: &mut Vec<u8>) {
        if !self.number(field, value) {
            record(records, key, value.to_string().as_bytes());
        }
    }

    /// Writes the path where ustar has room for it: in the name, or split at a slash into
    /// prefix and name. What does not fit leaves its first bytes, for readers without PAX.
    fn path(&mut self, path: &[u8]) -> bool {
        if path.is_ascii() {
            if path.len() <= 100 {
                self.0[..path.len()].copy_from_slice(path);
                return true;
            }
            // The last slash that leaves the prefix short enough; a directory's own last slash
            // cannot be it, since a name is never empty.
            let end = path.len().min(156);
            let slash = path[..end].iter().rposition(|byte| *byte == b'/');
            if let Some(slash) = slash
                && slash > 0
                && (1..=100).contains(&(path.len() - slash - 1))
            {
                self.0[345..345 + slash].copy_from_slice(&path[..slash]);
                self.0[..path.len() - slash - 1].copy_from_slice(&path[slash + 1..]);
                return true;
            }
        }
        self.ascii_start(0, path);
        false
    }

    fn link(&mut self, link: &[u8]) -> bool {
        if link.is_ascii() && link.len() <= 100 {
            self.0[157..157 + link.len()].copy_from_slice(link);
            return true;
        }
        self.ascii_start(157, link);
        false
    }

    /// Fills a name of 100 bytes with what of `name` it can hold.
    fn ascii_start(&mut self, at: usize, name: &[u8]) {
        for (place, byte) in name.iter().take(100).enumerate() {
            self.0[at + place] = if byte.is_ascii() { *byte } else { b'_' };
        }
    }

    fn finish(mut self) -> [u8; BLOCK] {
        // The checksum is computed with its own field full of spaces.
        self.0[148..156].fill(b' ');
        let sum = self.0.iter().map(|byte| u64::from(*byte)).sum();
        self.number(Field::CHECKSUM, sum);
        self.0[154] = 0;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(Entry<'_>, &[u8])]) -> Vec<u8> {
        let mut writer = TarWriter::new(Vec::new(), 0);
        for &(ref entry, mut content) in entries {
            writer.append_file(entry, &mut content).expect("a vector takes all");
        }
        writer.finish().expect("a vector takes all")
    }

    fn file(path: &[u8], size: u64) -> Entry<'_> {
        Entry { path, kind: EntryKind::File { size }, mode: 0o644, uid: 0, gid: 0 }
    }

    #[test]
    fn a_small_file_is_one_ustar_header_and_its_padded_content() {
        let bytes = archive(&[(file(b"a", 2), b"hi")]);
        assert_eq!(bytes.len(), 4 * BLOCK);
        assert_eq!(&bytes[..2], b"a\0");
        assert_eq!(&bytes[100..108], b"0000644\0");
        assert_eq!(&bytes[124..136], b"00000000002\0");
        assert_eq!(&bytes[257..265], b"ustar\x0000");
        assert_eq!(&bytes[BLOCK..BLOCK + 3], b"hi\0");
        let spaces_in_place: u32 = bytes[..BLOCK]
            .iter()
            .enumerate()
            .map(|(place, byte)| if (148..156).contains(&place) { 32 } else { u32::from(*byte) })
            .sum();
        assert_eq!(&bytes[148..156], format!("{spaces_in_place:06o}\0 ").as_bytes());
    }

    #[test]
    fn a_long_name_is_split_at_a_slash_before_pax_is_asked() {
        let path = [vec![b'd'; 120], vec![b'/'], vec![b'f'; 90]].concat();
        let bytes = archive(&[(file(&path, 0), b"")]);
        assert_eq!(bytes.len(), 3 * BLOCK);
        assert_eq!(&bytes[345..345 + 120], &path[..120]);
        assert_eq!(&bytes[..90], &path[121..]);
    }

    #[test]
    fn what_ustar_cannot_hold_goes_into_pax_records() {
        let name = "é".repeat(3);
        let entry = Entry {
            path: name.as_bytes(),
            kind: EntryKind::File { size: 0 },
            mode: 0o600,
            uid: 3_000_000,
            gid: 0,
        };
        let bytes = archive(&[(entry, b"")]);
        assert_eq!(bytes[156], b'x');
        let records = format!("15 path={name}\n15 uid=3000000\n");
        assert_eq!(&bytes[BLOCK..BLOCK + records.len()], records.as_bytes());
        assert_eq!(&bytes[2 * BLOCK..2 * BLOCK + 7], b"______\0");
    }

    #[test]
    fn devices_say_their_numbers_and_programs_their_capabilities() {
        let kind = EntryKind::CharacterDevice { numbers: (1, 3) };
        let device = Entry { path: b"null", kind, mode: 0o666, uid: 0, gid: 0 };
        let bytes = archive(&[(device, b"")]);
        assert_eq!((bytes[156], &bytes[329..345]), (b'3', &b"0000001\x000000003\0"[..]));
        let mut writer = TarWriter::new(Vec::new(), 0);
        writer.append_capable(&file(b"ping", 1), &mut &b"x"[..], Some(b"\x01\0=\n")).expect("takes all");
        let bytes = writer.finish().expect("a vector takes all");
        let record = b"41 SCHILY.xattr.security.capability=\x01\0=\n\n";
        assert_eq!((bytes[156], &bytes[BLOCK..BLOCK + record.len()]), (b'x', &record[..]));
        let far = EntryKind::BlockDevice { numbers: (1 << 21, 0) };
        let refused = TarWriter::new(Vec::new(), 0).append(&Entry { kind: far, ..device });
        assert!(matches!(refused, Err(TarError::DeviceNumber { .. })), "{refused:?}");
    }

    #[test]
    fn the_length_of_a_record_counts_its_own_digits() {
        for value in [0, 3, 80, 90, 91, 92, 93, 980, 990, 991, 992] {
            let mut records = Vec::new();
            record(&mut records, "path", &vec![b'x'; value]);
            let digits = records.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let length = String::from_utf8_lossy(&records[..digits]).into_owned();
            assert_eq!(length, records.len().to_string());
        }
    }

    #[test]
    fn a_file_that_changed_while_it_was_read_is_an_error_that_names_it() {
        for (said, content, relation) in [(3, &b"ab"[..], "fewer"), (1, &b"ab"[..], "more")] {
            let mut writer = TarWriter::new(Vec::new(), 0);
            let error = writer.append_file(&file(b"data.bin", said), &mut &content[..]);
            let message = error.expect_err("the length is another").to_string();
            assert!(message.contains("`data.bin`") && message.contains(relation), "{message}");
        }
    }

    #[test]
    fn a_zero_byte_in_a_name_is_refused() {
        let mut writer = TarWriter::new(Vec::new(), 0);
        assert!(matches!(writer.append(&file(b"a\0b", 0)), Err(TarError::ZeroByte { .. })));
    }
}
