//! Reads the headers of a tar archive from a stream, and skips what lies between them.
//!
//! Understands what layers in the wild hold: old tar, ustar, PAX records (own and global) and
//! GNU's long names and large numbers. An entry's path is made relative to the root here, so
//! that nothing behind this file meets an absolute name or a `..`.

use std::io::{self, Read, Seek};

/// What one entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A file with this many bytes.
    File {
        /// The length of its content.
        size: u64,
    },
    /// A directory.
    Directory,
    /// A symbolic link and what it says.
    Symlink(Vec<u8>),
    /// Another name of the file at this path, which is made relative to the root.
    HardLink(Vec<u8>),
    /// A character device with its major and minor number.
    CharacterDevice(u32, u32),
    /// A block device with its major and minor number.
    BlockDevice(u32, u32),
    /// A named pipe.
    Pipe,
    /// A kind that no layer should hold, with this many bytes of content.
    Unknown {
        /// The length of its content.
        size: u64,
    },
}

/// One entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the root, `/` between components; empty for the root itself.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits, at most `0o7777`.
    pub mode: u32,
    /// The number of the owning user.
    pub uid: u32,
    /// The number of the owning group.
    pub gid: u32,
    /// When it was changed: seconds since 1970, and nanoseconds.
    pub modified: (i64, u32),
    /// The extended attribute `security.capability`, where the entry has it.
    pub capability: Option<Vec<u8>>,
}

/// Why an archive could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// The stream failed or ended in the middle.
    #[error("read a tar archive")]
    Read(#[from] io::Error),
    /// A header's checksum is not that of its bytes.
    #[error("this is no tar archive: the header at byte {offset} has a wrong checksum")]
    Checksum {
        /// Where the header starts.
        offset: u64,
    },
    /// A number, record or name in a header cannot be understood.
    #[error("the tar header at byte {offset} has {what}")]
    Malformed {
        /// Where the header starts.
        offset: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A path holds `..`, by which an entry could leave the root.
    #[error("the archive names `{path}`, and a path in an image has no `..`")]
    Escapes {
        /// The path.
        path: String,
    },
}

const BLOCK: usize = 512;
/// No path, link or set of records of a real file is larger, and a hostile one must not fill memory.
const LARGEST_RECORDS: u64 = 1 << 20;

/// An archive being read.
pub struct TarReader<R> {
    source: R,
    offset: u64,
    /// Content and padding of the last entry, not yet skipped.
    pending: u64,
    global: Records,
}

/// What PAX and GNU headers say of the next entry.
#[derive(Debug, Clone, Default)]
struct Records {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    modified: Option<(i64, u32)>,
    capability: Option<Vec<u8>>,
}

/// The content of one entry.
pub struct Content<'a, R> {
    archive: &'a mut TarReader<R>,
    left: u64,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let count = self.archive.source.read(&mut into[..most])?;
        if count == 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        self.archive.pending = self.archive.pending.saturating_sub(count as u64);
        self.archive.offset += count as u64;
        Ok(count)
    }
}

impl<R: Read + Seek> TarReader<R> {
    /// Leaves the content of the entry that was read last where it is, and says where: this many
    /// bytes behind the beginning of the archive.
    pub fn seek_past_content(&mut self) -> Result<u64, TarError> {
        let start = self.offset;
        let length = i64::try_from(self.pending);
        let length = length.map_err(|_| self.malformed("a size that no archive can have"))?;
        self.source.seek_relative(length)?;
        self.offset += self.pending;
        self.pending = 0;
        Ok(start)
    }
}

impl<R: Read> TarReader<R> {
    /// The archive that `source` holds.
    pub fn new(source: R) -> Self {
        Self { source, offset: 0, pending: 0, global: Records::default() }
    }

    /// The next entry; `None` at the end of the archive.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, TarError> {
        let mut records = self.global.clone();
        loop {
            self.skip_pending()?;
            let Some(header) = self.header()? else { return Ok(None) };
            let size = match records.size {
                Some(size) => size,
                None => self.number(&header[124..136])?,
            };
            match header[156] {
                b'x' => self.records_into(&header, &mut records)?,
                b'g' => {
                    let mut global = std::mem::take(&mut self.global);
                    self.records_into(&header, &mut global)?;
                    records = global.clone();
                    self.global = global;
                }
                b'L' => records.path = Some(self.long_name(&header)?),
                b'K' => records.link = Some(self.long_name(&header)?),
                flag => return self.entry(&header, flag, size, records).map(Some),
            }
        }
    }

    /// Reads what is left of the stream, so that whoever hashes it has seen every byte.
    pub fn drain(mut self) -> Result<(), TarError> {
        self.skip_pending()?;
        io::copy(&mut self.source, &mut io::sink())?;
        Ok(())
    }

    /// The content of the entry that was read last, which is a file of this size. What of it is
    /// not read is skipped.
    pub fn content(&mut self, size: u64) -> Content<'_, R> {
        Content { archive: self, left: size }
    }

    fn entry(
        &mut self,
        header: &[u8; BLOCK],
        flag: u8,
        size: u64,
        records: Records,
    ) -> Result<Entry, TarError> {
        let written = records.path.unwrap_or_else(|| ustar_path(header));
        let link = records.link.unwrap_or_else(|| text(&header[157..257]).to_vec());
        let kind = match flag {
            // Before ustar, a name that ends in a slash was what made a directory.
            b'0' | 0 if written.ends_with(b"/") => EntryKind::Directory,
            b'0' | b'7' | 0 => EntryKind::File { size },
            b'1' => EntryKind::HardLink(inside(&link)?),
            b'2' => EntryKind::Symlink(link),
            b'5' => EntryKind::Directory,
            b'S' => return Err(self.malformed("a sparse file in GNU's old form, which no layer may hold")),
            b'3' => {
                EntryKind::CharacterDevice(self.small(&header[329..337])?, self.small(&header[337..345])?)
            }
            b'4' => EntryKind::BlockDevice(self.small(&header[329..337])?, self.small(&header[337..345])?),
            b'6' => EntryKind::Pipe,
            _ => EntryKind::Unknown { size },
        };
        // A link's size is that of its target in some archives, and nothing follows.
        if let EntryKind::File { size } | EntryKind::Unknown { size } = kind {
            self.pending = padded(size).ok_or_else(|| self.malformed("a size that no archive can have"))?;
        }
        let mode = (self.number(&header[100..108])? & 0o7777) as u32;
        let uid = match records.uid {
            Some(uid) => uid,
            None => self.number(&header[108..116])?,
        };
        let gid = match records.gid {
            Some(gid) => gid,
            None => self.number(&header[116..124])?,
        };
        let (Ok(uid), Ok(gid)) = (u32::try_from(uid), u32::try_from(gid)) else {
            return Err(self.malformed("an owner whose number has more than 32 bits"));
        };
        // No file of an image is worse for a time that cannot be read.
        let of_header = || self.number(&header[136..148]).ok().and_then(|time| i64::try_from(time).ok());
        let modified = records.modified.unwrap_or_else(|| (of_header().unwrap_or_default(), 0));
        let capability = records.capability;
        Ok(Entry { path: inside(&written)?, kind, mode, uid, gid, modified, capability })
    }

    fn header(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.source.read(&mut block[filled..]) {
                // Some writers leave out the two empty blocks at the end.
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let sum: u64 = block[..148].iter().chain(&block[156..]).map(|byte| u64::from(*byte)).sum();
        if self.number(&block[148..156])? != sum + 8 * u64::from(b' ') {
            return Err(TarError::Checksum { offset: self.offset });
        }
        self.offset += BLOCK as u64;
        Ok(Some(block))
    }

    fn skip_pending(&mut self) -> Result<(), TarError> {
        let skipped = io::copy(&mut self.source.by_ref().take(self.pending), &mut io::sink())?;
        if skipped < self.pending {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        self.offset += skipped;
        self.pending = 0;
        Ok(())
    }

    /// The content of a header that describes another.
    fn described(&mut self, header: &[u8; BLOCK]) -> Result<Vec<u8>, TarError> {
        let size = self.number(&header[124..136])?;
        if size > LARGEST_RECORDS {
            return Err(self.malformed("more than a mebibyte of names"));
        }
        let mut bytes = vec![0; size as usize];
        self.source.read_exact(&mut bytes)?;
        self.offset += size;
        self.pending = padded(size).unwrap_or(size) - size;
        Ok(bytes)
    }

    fn long_name(&mut self, header: &[u8; BLOCK]) -> Result<Vec<u8>, TarError> {
        Ok(text(&self.described(header)?).to_vec())
    }

    /// Reads PAX records: `LENGTH KEY=VALUE\n`, where the length counts all of it.
    fn records_into(&mut self, header: &[u8; BLOCK], records: &mut Records) -> Result<(), TarError> {
        let bytes = self.described(header)?;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (record, after) =
                split_record(rest).ok_or_else(|| self.malformed("a PAX record of another length"))?;
            rest = after;
            let Some(at) = record.iter().position(|byte| *byte == b'=') else {
                return Err(self.malformed("a PAX record without `=`"));
            };
            let (key, value) = (&record[..at], &record[at + 1..]);
            if value.contains(&0) && matches!(key, b"path" | b"linkpath") {
                return Err(self.malformed("a name with a zero byte in it"));
            }
            match key {
                // An empty value takes back what a global record said.
                b"path" => records.path = (!value.is_empty()).then(|| value.to_vec()),
                b"linkpath" => records.link = (!value.is_empty()).then(|| value.to_vec()),
                b"size" => records.size = self.decimal(value)?,
                b"uid" => records.uid = self.decimal(value)?,
                b"gid" => records.gid = self.decimal(value)?,
                b"mtime" => records.modified = moment(value),
                b"SCHILY.xattr.security.capability" => {
                    records.capability = (!value.is_empty()).then(|| value.to_vec());
                }
                b"GNU.sparse.name" => {
                    return Err(self.malformed("a sparse file in GNU's form, which no layer may hold"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn decimal(&self, value: &[u8]) -> Result<Option<u64>, TarError> {
        if value.is_empty() {
            return Ok(None);
        }
        let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| self.malformed("a PAX record that is no number"))
    }

    /// A number of a header: octal text, or GNU's big-endian form marked by the first bit.
    fn number(&self, field: &[u8]) -> Result<u64, TarError> {
        if let Some((first, rest)) = field.split_first()
            && *first & 0x80 != 0
        {
            let mut value = u64::from(*first & 0x7f);
            for byte in rest {
                let larger = value.checked_mul(256).ok_or_else(|| self.malformed("too large a number"))?;
                value = larger + u64::from(*byte);
            }
            return Ok(value);
        }
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        let mut value = 0u64;
        for digit in field[..end].trim_ascii() {
            if !(b'0'..=b'7').contains(digit) {
                return Err(self.malformed("a number that is not octal"));
            }
            value = value << 3 | u64::from(digit - b'0');
        }
        Ok(value)
    }

    fn small(&self, field: &[u8]) -> Result<u32, TarError> {
        let number = self.number(field)?;
        u32::try_from(number).map_err(|_| self.malformed("a device whose number has more than 32 bits"))
    }

    fn malformed(&self, what: &'static str) -> TarError {
        TarError::Malformed { offset: self.offset, what }
    }
}

/// `size` with its padding to whole blocks.
fn padded(size: u64) -> Option<u64> {
    size.checked_next_multiple_of(BLOCK as u64)
}

/// The bytes up to the first zero.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

fn ustar_path(header: &[u8; BLOCK]) -> Vec<u8> {
    let name = text(&header[..100]);
    // GNU's own format has other fields where ustar has the prefix.
    let is_ustar = &header[257..263] == b"ustar\0";
    let prefix = if is_ustar { text(&header[345..500]) } else { b"" };
    if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
}

/// The first record without its length and line feed, and what comes after it.
fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..length)?;
    Some((record.strip_suffix(b"\n")?, &bytes[length..]))
}

/// A path relative to the root: `/` and `.` have no meaning at its start or between components.
fn inside(path: &[u8]) -> Result<Vec<u8>, TarError> {
    let mut relative = Vec::with_capacity(path.len());
    for component in path.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => continue,
            b".." => return Err(TarError::Escapes { path: String::from_utf8_lossy(path).into_owned() }),
            name => {
                if !relative.is_empty() {
                    relative.push(b'/');
                }
                relative.extend_from_slice(name);
            }
        }
    }
    Ok(relative)
}

/// Seconds since 1970 with a fraction, as PAX writes them.
fn moment(value: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(value).ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanoseconds = digits.try_fold(0_u32, |number, digit| {
        Some(number * 10 + u32::from(digit.is_ascii_digit().then(|| digit - b'0')?))
    });
    let whole: i64 = seconds.parse().ok()?;
    match nanoseconds? {
        // The fraction of a time before 1970 counts backwards, and that of the kernel forwards.
        nanoseconds if nanoseconds > 0 && seconds.starts_with('-') => {
            Some((whole.checked_sub(1)?, 1_000_000_000 - nanoseconds))
        }
        nanoseconds => Some((whole, nanoseconds)),
    }
}

#[cfg(test)]
mod tests {
    use cogpack_backends_oci_direct::tar;

    use super::*;

    fn entries(bytes: &[u8]) -> Result<Vec<Entry>, TarError> {
        let mut reader = TarReader::new(bytes);
        let mut entries = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }

    fn written(entries: &[(tar::Entry<'_>, &[u8])]) -> Vec<u8> {
        let mut writer = tar::TarWriter::new(Vec::new(), 1);
        for &(ref entry, mut content) in entries {
            writer.append_file(entry, &mut content).expect("a vector takes all");
        }
        writer.finish().expect("a vector takes all")
    }

    #[test]
    fn what_our_writer_writes_comes_back() {
        let long = "directory/".repeat(30) + "naïve";
        let kinds = [
            tar::EntryKind::File { size: 700 },
            tar::EntryKind::Directory,
            tar::EntryKind::Symlink { target: b"../../out" },
            tar::EntryKind::HardLink { target: b"a/b" },
            tar::EntryKind::CharacterDevice { numbers: (1, 3) },
            tar::EntryKind::BlockDevice { numbers: (7, 200) },
            tar::EntryKind::Pipe,
        ];
        for path in [b"a/b".as_slice(), long.as_bytes(), b"\xff\xfe"] {
            for kind in kinds {
                let entry = tar::Entry { path, kind, mode: 0o4755, uid: 7, gid: 4_000_000_000 };
                let content =
                    vec![1; if let tar::EntryKind::File { size } = kind { size as usize } else { 0 }];
                let expected = match kind {
                    tar::EntryKind::File { size } => EntryKind::File { size },
                    tar::EntryKind::Directory => EntryKind::Directory,
                    tar::EntryKind::Symlink { target } => EntryKind::Symlink(target.to_vec()),
                    tar::EntryKind::HardLink { target } => EntryKind::HardLink(target.to_vec()),
                    tar::EntryKind::CharacterDevice { numbers } => {
                        EntryKind::CharacterDevice(numbers.0, numbers.1)
                    }
                    tar::EntryKind::BlockDevice { numbers } => EntryKind::BlockDevice(numbers.0, numbers.1),
                    tar::EntryKind::Pipe => EntryKind::Pipe,
                };
                let expected = Entry {
                    path: path.to_vec(),
                    kind: expected,
                    mode: 0o4755,
                    uid: 7,
                    gid: 4_000_000_000,
                    modified: (1, 0),
                    capability: None,
                };
                let read = entries(&written(&[(entry, &content), (entry, &content)])).expect("is an archive");
                assert_eq!(read, [expected.clone(), expected]);
            }
        }
    }

    #[test]
    fn names_stay_inside_the_root() {
        let named = |path: &'static [u8]| {
            let kind = tar::EntryKind::File { size: 0 };
            entries(&written(&[(tar::Entry { path, kind, mode: 0o644, uid: 0, gid: 0 }, b"")]))
        };
        assert_eq!(named(b"/etc//./passwd").expect("is inside")[0].path, b"etc/passwd");
        assert_eq!(named(b"./").expect("is inside")[0].path, b"");
        assert!(matches!(named(b"a/../../b"), Err(TarError::Escapes { .. })));
        let link = tar::Entry {
            path: b"a",
            kind: tar::EntryKind::HardLink { target: b"../etc/shadow" },
            mode: 0,
            uid: 0,
            gid: 0,
        };
        assert!(matches!(entries(&written(&[(link, b"")])), Err(TarError::Escapes { .. })));
    }

    #[test]
    fn broken_archives_are_errors() {
        let entry =
            tar::Entry { path: b"a", kind: tar::EntryKind::File { size: 600 }, mode: 0, uid: 0, gid: 0 };
        let whole = written(&[(entry, &[1; 600])]);
        for length in [100, 512, 600, 1_500] {
            assert!(matches!(entries(&whole[..length]), Err(TarError::Read(_))), "{length}");
        }
        let mut flipped = whole.clone();
        flipped[0] = b'b';
        assert!(matches!(entries(&flipped), Err(TarError::Checksum { offset: 0 })));
        assert!(entries(&[b'x'; 512]).is_err());
        assert!(split_record(b"5 a=b\n").is_none());
        assert!(split_record(b"1 a").is_none());
        assert!(split_record(b"99999999999999999999999 a").is_none());
        assert_eq!(split_record(b"6 a=b\n"), Some((&b"a=b"[..], &b""[..])));
    }

    #[test]
    fn times_have_fractions_and_may_be_before_1970() {
        for (written, read) in [
            ("0", Some((0, 0))),
            ("1700000000.25", Some((1_700_000_000, 250_000_000))),
            ("1.0000000019", Some((1, 1))),
            ("-1.5", Some((-2, 500_000_000))),
            ("-3", Some((-3, 0))),
            ("", None),
            ("1.x", None),
            ("9999999999999999999999", None),
        ] {
            assert_eq!(moment(written.as_bytes()), read, "{written}");
        }
    }

    #[test]
    fn capabilities_come_back() {
        let kind = tar::EntryKind::File { size: 0 };
        let entry = tar::Entry { path: b"ping", kind, mode: 0o755, uid: 0, gid: 0 };
        let mut writer = tar::TarWriter::new(Vec::new(), 0);
        writer.append_capable(&entry, &mut &b""[..], Some(b"\x01\0=\n")).expect("a vector takes all");
        writer.append(&entry).expect("a vector takes all");
        let read = entries(&writer.finish().expect("a vector takes all")).expect("is an archive");
        let capabilities: Vec<_> = read.iter().map(|entry| entry.capability.as_deref()).collect();
        assert_eq!(capabilities, [Some(&b"\x01\0=\n"[..]), None]);
    }

    #[test]
    fn names_in_gnus_form_are_understood() {
        // GNU's long name is an entry of its own kind before the one it names; our writer makes
        // none, so one is put together from a header that it does make.
        let long = b"n".repeat(150);
        let entry = tar::Entry {
            path: b"@LongLink",
            kind: tar::EntryKind::File { size: 151 },
            mode: 0,
            uid: 0,
            gid: 0,
        };
        let mut bytes = written(&[(entry, &[&long[..], b"\0"].concat())]);
        bytes[156] = b'L';
        let sum: u32 = bytes[..148].iter().chain(&bytes[156..512]).map(|byte| u32::from(*byte)).sum::<u32>();
        bytes[148..154].copy_from_slice(format!("{:06o}", sum + 8 * 32).as_bytes());
        bytes.truncate(1024);
        let short =
            tar::Entry { path: b"short", kind: tar::EntryKind::Directory, mode: 0o755, uid: 0, gid: 0 };
        bytes.extend(written(&[(short, b"")]));
        let read = entries(&bytes).expect("is an archive");
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].path.as_slice(), &read[0].kind), (&long[..], &EntryKind::Directory));
    }
}
