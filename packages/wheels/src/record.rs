//! Reads and writes `RECORD`: a table, comma-separated, of files, digests and sizes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cogpack_content::Digest;

/// A line of a `RECORD`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordLine {
    /// The file, seen from the directory that modules are in.
    pub path: String,
    /// `sha256=` and the digest; empty where nothing is said.
    pub hash: String,
    /// How many bytes; empty where nothing is said.
    pub size: String,
}

/// What is wrong with a `RECORD`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordProblem {
    /// It is no text.
    #[error("it is not UTF-8")]
    NotText,
    /// A quoted field does not end.
    #[error("line {0}: a quote is not closed, or something stands behind it")]
    Quote(usize),
    /// A line that has not three fields.
    #[error("line {0} has not three fields: a path, a digest and a size")]
    Fields(usize),
    /// A digest that is none, or of a kind that does not protect.
    #[error("line {line}: `{hash}` is not a digest as `sha256=…`")]
    Hash {
        /// Which line.
        line: usize,
        /// What it says.
        hash: String,
    },
    /// One file has two lines.
    #[error("line {0} is about a file that another line is about too")]
    Twice(usize),
    /// A file of the wheel that is not in it.
    #[error("`RECORD` does not name it")]
    NotNamed,
    /// A file that is in it, and not in the wheel.
    #[error("`RECORD` names it, and the wheel does not have it")]
    NotThere,
    /// A file without a digest.
    #[error("`RECORD` has no digest of it")]
    NoDigest,
    /// A file that is longer or shorter than it says.
    #[error("`RECORD` says it has {said} bytes, and it has {found}")]
    Size {
        /// What is said.
        said: String,
        /// What it has.
        found: u64,
    },
}

impl RecordLine {
    /// The line of a file with these bytes.
    pub fn of(path: String, bytes: &[u8]) -> Self {
        Self { path, hash: hash_text(bytes), size: bytes.len().to_string() }
    }

    /// A line that names a file and says nothing of it.
    pub fn named(path: String) -> Self {
        Self { path, hash: String::new(), size: String::new() }
    }

    /// The digest; nothing where none is said.
    pub fn digest(&self) -> Option<Digest> {
        let hash = self.hash.strip_prefix("sha256=")?.trim_end_matches('=');
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(hash).ok()?.try_into().ok()?;
        Some(Digest::from_sha256(bytes))
    }
}

fn hash_text(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    format!("sha256={}", URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(bytes)))
}

/// Reads a table.
pub fn read(bytes: &[u8]) -> Result<Vec<RecordLine>, RecordProblem> {
    let text = std::str::from_utf8(bytes).map_err(|_| RecordProblem::NotText)?;
    let mut lines = Vec::new();
    let mut rest = text;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let (fields, left) = fields(rest).ok_or(RecordProblem::Quote(number))?;
        rest = left;
        if fields.iter().all(String::is_empty) {
            continue;
        }
        let [path, hash, size] =
            <[String; 3]>::try_from(fields).map_err(|_| RecordProblem::Fields(number))?;
        let size_is_one = size.is_empty() || size.bytes().all(|byte| byte.is_ascii_digit());
        if path.is_empty() || !size_is_one {
            return Err(RecordProblem::Fields(number));
        }
        // Some makers of wheels say `/package/module.py`, and mean the wheel's own root.
        let path = path.trim_start_matches('/').to_owned();
        let line = RecordLine { path, hash, size };
        if !line.hash.is_empty() && line.digest().is_none() {
            return Err(RecordProblem::Hash { line: number, hash: line.hash });
        }
        lines.push(line);
    }
    Ok(lines)
}

/// Writes a table, sorted.
pub fn write(mut lines: Vec<RecordLine>) -> Vec<u8> {
    lines.sort_unstable();
    let mut text = String::new();
    for line in &lines {
        for (field, end) in [(&line.path, ','), (&line.hash, ','), (&line.size, '\n')] {
            if field.contains([',', '"', '\n', '\r']) {
                text.push('"');
                text.push_str(&field.replace('"', "\"\""));
                text.push('"');
            } else {
                text.push_str(field);
            }
            text.push(end);
        }
    }
    text.into_bytes()
}

/// The fields of the first line, and what comes after it.
fn fields(text: &str) -> Option<(Vec<String>, &str)> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let field;
        (field, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find([',', '\n', '\r']).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        if let Some(next) = rest.strip_prefix(',') {
            rest = next;
            continue;
        }
        let after = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r']));
        return match after {
            Some(after) => Some((fields, after)),
            None if rest.is_empty() => Some((fields, rest)),
            None => None,
        };
    }
}

/// A field up to its closing quote, where `""` stands for one.
fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Some((field, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_and_written_sorted() {
        let text =
            "b.py,,\r\n\"a,\"\"1\"\".py\",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n\n/c,,";
        let lines = read(text.as_bytes()).expect("is a table");
        assert_eq!(lines.iter().map(|line| &*line.path).collect::<Vec<_>>(), ["b.py", "a,\"1\".py", "c"]);
        assert_eq!(lines[1].digest(), Some(Digest::of(b"")));
        assert_eq!(
            String::from_utf8(write(lines)).expect("is text"),
            "\"a,\"\"1\"\".py\",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\nb.py,,\nc,,\n"
        );
        assert_eq!(RecordLine::of("a".to_owned(), b"text").digest(), Some(Digest::of(b"text")));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for (text, problem) in [
            ("a,b\n", RecordProblem::Fields(1)),
            ("a,,\nb,,1,2\n", RecordProblem::Fields(2)),
            ("a,,many\n", RecordProblem::Fields(1)),
            (",,3\n", RecordProblem::Fields(1)),
            ("\"a,,\n", RecordProblem::Quote(1)),
            ("\"a\"b,,\n", RecordProblem::Quote(1)),
            ("a,md5=abc,\n", RecordProblem::Hash { line: 1, hash: "md5=abc".to_owned() }),
            ("a,sha256=abc,\n", RecordProblem::Hash { line: 1, hash: "sha256=abc".to_owned() }),
        ] {
            assert_eq!(read(text.as_bytes()), Err(problem), "{text}");
        }
        assert_eq!(read(b"\xff,,"), Err(RecordProblem::NotText));
    }
}
