//! Reads the archive that a Debian package is: `ar`, as far as packages use it.

use std::io::{self, Read};

const MAGIC: &[u8; 8] = b"!<arch>\n";
const HEADER: usize = 60;

/// A member of an archive, before its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// How many bytes follow.
    pub size: u64,
}

/// Reads the members one after the other.
#[derive(Debug)]
pub struct Reader<R> {
    bytes: R,
    /// Whether a byte that only fills up stands before the next header.
    is_odd: bool,
}

impl<R: Read> Reader<R> {
    /// Reads what every archive begins with.
    pub fn new(mut bytes: R) -> io::Result<Self> {
        let mut magic = [0; 8];
        bytes.read_exact(&mut magic)?;
        if &magic != MAGIC {
            return Err(invalid("it does not begin as a package does"));
        }
        Ok(Self { bytes, is_odd: false })
    }

    /// The next member, whose bytes must then be [read](Reader::content) whole.
    pub fn member(&mut self) -> io::Result<Option<Member>> {
        if self.is_odd && io::copy(&mut self.bytes.by_ref().take(1), &mut io::sink())? == 0 {
            return Ok(None);
        }
        let mut header = Vec::with_capacity(HEADER);
        self.bytes.by_ref().take(HEADER as u64).read_to_end(&mut header)?;
        if header.is_empty() {
            return Ok(None);
        }
        if header.len() < HEADER || header[58..] != *b"`\n" {
            return Err(invalid("a header of its archive is damaged"));
        }
        let field = |range: std::ops::Range<usize>| {
            std::str::from_utf8(&header[range]).map(str::trim_end).map_err(|_| invalid("a header is no text"))
        };
        let size: u64 = field(48..58)?.parse().map_err(|_| invalid("a header has no size"))?;
        self.is_odd = size % 2 == 1;
        let name = field(0..16)?;
        Ok(Some(Member { name: name.strip_suffix('/').unwrap_or(name).to_owned(), size }))
    }

    /// The bytes of the member.
    pub fn content(&mut self, member: &Member) -> io::Take<&mut R> {
        self.bytes.by_ref().take(member.size)
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, size: &str) -> String {
        format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 100_644)
    }

    fn names(text: &str) -> io::Result<Vec<String>> {
        let mut reader = Reader::new(text.as_bytes())?;
        let mut found = Vec::new();
        while let Some(member) = reader.member()? {
            let mut content = String::new();
            reader.content(&member).read_to_string(&mut content)?;
            found.push(format!("{}: {content}", member.name));
        }
        Ok(found)
    }

    #[test]
    fn members_are_read_in_turn() {
        let text = format!(
            "!<arch>\n{}2.0\n{}abc\n{}",
            header("debian-binary", "4"),
            header("b/", "3"),
            header("c", "0")
        );
        assert_eq!(names(&text).expect("is an archive"), ["debian-binary: 2.0\n", "b: abc", "c: "]);
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let good = format!("!<arch>\n{}", header("a", "0"));
        assert!(names(&good).is_ok());
        for text in [
            "",
            "!<arch>",
            "PK",
            &good[..30],
            &good.replace('`', "'"),
            &good.replacen("0         `", "x         `", 1),
        ] {
            assert!(names(text).is_err(), "{text}");
        }
    }
}
