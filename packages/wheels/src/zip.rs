//! Reads wheels as the zip archives that they are, and mistrusts them.
//!
//! An archive names each file twice: in its directory, and before the file itself. Tools that
//! believe one and tools that believe the other can be shown two different wheels, so the names
//! must agree. Files that share bytes are how small archives hold petabytes; they are refused, and
//! so is more than [`LARGEST_RATIO`] times what the archive itself has.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Read};

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, Crc32, RangeReader, ReaderAt, ZipArchiveEntryWayfinder, ZipLocator};

use crate::archive::{Archive, Entry};

/// Why an archive is not read.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct InvalidArchive {
    /// The file of the archive, where it is about one.
    pub entry: Option<String>,
    /// What is wrong.
    pub problem: ArchiveProblem,
}

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveProblem {
    /// It is no zip archive, or a broken one.
    #[error("it is not a zip archive that can be read: {0}")]
    Zip(#[from] rawzip::Error),
    /// There are more files than any wheel has.
    #[error("it has more than {MOST_ENTRIES} files")]
    TooMany,
    /// It would be larger than any wheel is.
    #[error("its files have {unpacked} bytes, more than {LARGEST_RATIO} times those of the archive")]
    TooLarge {
        /// What they would have.
        unpacked: u64,
    },
    /// Two files have the same bytes of the archive.
    #[error("its bytes in the archive are those of another file too")]
    Overlap,
    /// Its name is no text.
    #[error("its name is not UTF-8")]
    NotText,
    /// Its name leads out of the wheel, or is one that no filesystem takes.
    #[error("its name {0}")]
    Name(&'static str),
    /// Two files have one name.
    #[error("it is there twice")]
    Twice,
    /// It is a file where another file says it is a directory.
    #[error("it is a file and a directory at once")]
    FileAndDirectory,
    /// It is not a file, and wheels hold nothing else.
    #[error("it is {0}, and wheels hold files only")]
    NotAFile(&'static str),
    /// It is packed by other means than those that wheels use.
    #[error("it is compressed by the method {0}, and the files of wheels are stored or deflated")]
    Compression(CompressionMethod),
    /// It is encrypted.
    #[error("it is encrypted")]
    Encrypted,
    /// The archive gives it two names.
    #[error("the archive calls it `{0}` in another place")]
    TwoNames(String),
}

/// An archive that was looked at as a whole and may be read.
#[derive(Debug)]
pub struct ZipWheel<R> {
    source: R,
    entries: Vec<Entry>,
    places: Vec<Place>,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy)]
struct Place {
    from: u64,
    to: u64,
    method: Method,
    checksum: u32,
}

#[derive(Debug, Clone, Copy)]
enum Method {
    Stored,
    Deflated,
}

/// The largest wheels there are have some ten thousand.
const MOST_ENTRIES: usize = 1_000_000;
/// Sources shrink to a tenth, tables of zeros to a hundredth.
const LARGEST_RATIO: u64 = 200;
/// What a tiny archive may hold all the same.
const ALWAYS_ALLOWED: u64 = 64 << 20;
/// As the kernel has it.
const LONGEST_NAME: usize = 255;
/// As the kernel has it, less what may be put before it.
const LONGEST_PATH: usize = 3072;

const FILE_TYPE: u32 = 0o170_000;
const EXECUTABLE: u32 = 0o111;

/// What the directory of an archive says of a file.
struct Listed {
    entry: Entry,
    wayfinder: ZipArchiveEntryWayfinder,
    method: Method,
    checksum: u32,
}

impl<R: ReaderAt> ZipWheel<R> {
    /// Reads the directory of an archive of `length` bytes.
    pub fn read(source: R, length: u64) -> Result<Self, InvalidArchive> {
        let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
        let located = ZipLocator::new().locate_in_reader(source, &mut buffer, length);
        let zip = located.map_err(|(_, problem)| whole(problem.into()))?;
        let mut listed = Vec::new();
        let mut directories = BTreeSet::new();
        let mut records = zip.entries(&mut buffer);
        let mut unpacked: u64 = 0;
        while let Some(record) = records.next_entry().map_err(|problem| whole(problem.into()))? {
            let raw = record.file_path();
            let shown = String::from_utf8_lossy(raw.as_ref()).into_owned();
            let problem = |problem| InvalidArchive { entry: Some(shown.clone()), problem };
            let name = std::str::from_utf8(raw.as_ref()).map_err(|_| problem(ArchiveProblem::NotText))?;
            let file = name.strip_suffix('/');
            check_name(file.unwrap_or(name)).map_err(problem)?;
            let mode = record.mode().value();
            if let Some(directory) = file {
                directories.insert(directory.to_owned());
                continue;
            }
            check_type(mode).map_err(problem)?;
            if record.flags().is_encrypted() {
                return Err(problem(ArchiveProblem::Encrypted));
            }
            let method = match record.compression_method() {
                CompressionMethod::STORE => Method::Stored,
                CompressionMethod::DEFLATE => Method::Deflated,
                other => return Err(problem(ArchiveProblem::Compression(other))),
            };
            if listed.len() >= MOST_ENTRIES {
                return Err(whole(ArchiveProblem::TooMany));
            }
            let size = record.uncompressed_size_hint();
            unpacked = unpacked.saturating_add(size);
            let entry = Entry { name: name.to_owned(), size, is_executable: mode & EXECUTABLE != 0 };
            let (wayfinder, checksum) = (record.wayfinder(), record.crc32());
            listed.push(Listed { entry, wayfinder, method, checksum });
        }
        if unpacked > length.saturating_mul(LARGEST_RATIO).max(ALWAYS_ALLOWED) {
            return Err(whole(ArchiveProblem::TooLarge { unpacked }));
        }
        check_together(&listed, &directories)?;
        let mut places = Vec::with_capacity(listed.len());
        for file in &listed {
            let problem = |problem| InvalidArchive { entry: Some(file.entry.name.clone()), problem };
            let found = zip.get_entry(file.wayfinder).map_err(|error| problem(error.into()))?;
            let header = found.local_header(&mut buffer).map_err(|error| problem(error.into()))?;
            let other = header.file_path();
            if other.as_ref() != file.entry.name.as_bytes() {
                let other = String::from_utf8_lossy(other.as_ref()).into_owned();
                return Err(problem(ArchiveProblem::TwoNames(other)));
            }
            let (from, to) = found.compressed_data_range();
            places.push(Place { from, to, method: file.method, checksum: file.checksum });
        }
        check_overlaps(&listed, &places)?;
        let entries = listed.into_iter().map(|file| file.entry).collect();
        Ok(Self { source: zip.into_inner(), entries, places })
    }
}

impl<R: ReaderAt> Archive for ZipWheel<R> {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn open(&self, index: usize) -> io::Result<Box<dyn Read + '_>> {
        let (Some(place), Some(entry)) = (self.places.get(index), self.entries.get(index)) else {
            return Err(io::Error::other("the wheel has no such file"));
        };
        let packed = RangeReader::new(&self.source, place.from..place.to);
        let (size, checksum) = (entry.size, place.checksum);
        Ok(match place.method {
            Method::Stored => Box::new(Verified::new(packed, size, checksum)),
            Method::Deflated => {
                Box::new(Verified::new(DeflateDecoder::new(BufReader::new(packed)), size, checksum))
            }
        })
    }
}

/// Passes bytes on, no more than were said, and compares their checksum at the end.
struct Verified<R> {
    bytes: R,
    left: u64,
    found: Crc32,
    checksum: u32,
}

impl<R> Verified<R> {
    fn new(bytes: R, size: u64, checksum: u32) -> Self {
        Self { bytes, left: size, found: Crc32::new(), checksum }
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let invalid = |what| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        if self.left == 0 {
            // Whatever else is there, the archive does not own up to it.
            if self.bytes.read(&mut [0])? != 0 {
                return invalid("it is longer than the archive says");
            }
            if self.found.checksum() != self.checksum {
                return invalid("its checksum is not the one that the archive says");
            }
            return Ok(0);
        }
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.bytes.read(&mut buffer[..wanted])?;
        if count == 0 {
            return invalid("it is shorter than the archive says");
        }
        self.found.update(&buffer[..count]);
        self.left -= count as u64;
        Ok(count)
    }
}

fn whole(problem: ArchiveProblem) -> InvalidArchive {
    InvalidArchive { entry: None, problem }
}

fn check_name(name: &str) -> Result<(), ArchiveProblem> {
    let wrong = if name.is_empty() {
        "is empty"
    } else if name.starts_with('/') {
        "is absolute"
    } else if name.contains('\\') {
        "has a backslash"
    } else if name.chars().any(char::is_control) {
        "has a control character"
    } else if name.len() > LONGEST_PATH || name.split('/').any(|part| part.len() > LONGEST_NAME) {
        "is longer than filesystems take"
    } else if name.split('/').any(|part| part == "..") {
        "has `..` in it"
    } else if name.split('/').any(|part| part.is_empty() || part == ".") {
        "has a part that names nothing"
    } else {
        return Ok(());
    };
    Err(ArchiveProblem::Name(wrong))
}

fn check_type(mode: u32) -> Result<(), ArchiveProblem> {
    Err(ArchiveProblem::NotAFile(match mode & FILE_TYPE {
        0 | 0o100_000 => return Ok(()),
        0o120_000 => "a symbolic link",
        0o040_000 => "a directory under the name of a file",
        0o020_000 | 0o060_000 => "a device",
        0o010_000 => "a named pipe",
        _ => "of an unknown kind",
    }))
}

/// No name twice, and nothing below a file.
fn check_together(listed: &[Listed], directories: &BTreeSet<String>) -> Result<(), InvalidArchive> {
    let mut names = BTreeSet::new();
    let problem = |name: &str, problem| Err(InvalidArchive { entry: Some(name.to_owned()), problem });
    for file in listed {
        if !names.insert(&*file.entry.name) {
            return problem(&file.entry.name, ArchiveProblem::Twice);
        }
    }
    for name in &names {
        let above = name.match_indices('/').map(|(at, _)| &name[..at]).find(|above| names.contains(above));
        if let Some(above) = above.or(directories.contains(*name).then_some(*name)) {
            return problem(above, ArchiveProblem::FileAndDirectory);
        }
    }
    Ok(())
}

fn check_overlaps(listed: &[Listed], places: &[Place]) -> Result<(), InvalidArchive> {
    let mut ranges: Vec<(u64, u64, usize)> =
        places.iter().enumerate().map(|(index, place)| (place.from, place.to, index)).collect();
    ranges.sort_unstable();
    for pair in ranges.windows(2) {
        let ((_, end, _), (start, _, index)) = (pair[0], pair[1]);
        // The header of the second file stands between them.
        if start < end {
            let entry = Some(listed[index].entry.name.clone());
            return Err(InvalidArchive { entry, problem: ArchiveProblem::Overlap });
        }
    }
    Ok(())
}
