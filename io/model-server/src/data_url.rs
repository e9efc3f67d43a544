//! Files as text: `data:` URLs (RFC 2397), as models take and give them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Encodes with padding, and reads with it or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Endings of file names, and the kinds of files that they tell. Of several endings of a kind the
/// first is the one that a file is given.
const KINDS: [(&str, &str); 29] = [
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("md", "text/markdown"),
    ("json", "application/json"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
    ("tar", "application/x-tar"),
    ("gz", "application/gzip"),
    ("bin", "application/octet-stream"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("svg", "image/svg+xml"),
    ("bmp", "image/bmp"),
    ("tiff", "image/tiff"),
    ("wav", "audio/wav"),
    ("wav", "audio/x-wav"),
    ("mp3", "audio/mpeg"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("m4a", "audio/mp4"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
];

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataUrl {
    /// Its kind, `image/png` for instance.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl DataUrl {
    /// A file of this name; the ending tells its kind.
    pub fn of_file(name: &str, bytes: Vec<u8>) -> Self {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let kind = KINDS.iter().find(|(known, _)| Some(*known) == ending.as_deref());
        let media_type = kind.map_or("application/octet-stream", |(_, kind)| kind).to_owned();
        Self { media_type, bytes }
    }

    /// Reads a URL; `None` where a text is none.
    pub fn read(text: &str) -> Option<Self> {
        let (head, body) = text.strip_prefix("data:")?.split_once(',')?;
        let (head, is_base64) = match head.strip_suffix(";base64") {
            Some(head) => (head, true),
            None => (head, false),
        };
        let bytes = match is_base64 {
            true => BASE64.decode(body.trim()).ok()?,
            false => without_percents(body)?,
        };
        let media_type = head.split(';').next().unwrap_or_default();
        let media_type = if media_type.is_empty() { "text/plain" } else { media_type };
        Some(Self { media_type: media_type.to_owned(), bytes })
    }

    /// What the name of such a file ends with.
    pub fn ending(&self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self.media_type).map_or("bin", |(ending, _)| ending)
    }

    /// The URL.
    pub fn text(&self) -> String {
        format!("data:{};base64,{}", self.media_type, BASE64.encode(&self.bytes))
    }
}

/// `%2C` is a comma.
fn without_percents(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_both_ways() {
        for (name, kind, ending) in [
            ("a.PNG", "image/png", "png"),
            ("photo.jpeg", "image/jpeg", "jpg"),
            ("weights", "application/octet-stream", "bin"),
            ("a.b/notes.txt", "text/plain", "txt"),
        ] {
            let file = DataUrl::of_file(name, vec![0, 255, 7]);
            assert_eq!((file.media_type.as_str(), file.ending()), (kind, ending), "{name}");
            assert_eq!(DataUrl::read(&file.text()), Some(file), "{name}");
        }
    }

    #[test]
    fn urls_of_others_are_read() {
        let read = |text| DataUrl::read(text).map(|file| (file.media_type, file.bytes));
        let expected = |kind: &str, bytes: &[u8]| Some((kind.to_owned(), bytes.to_vec()));
        assert_eq!(read("data:text/plain;charset=utf-8;base64,SEVMTE8="), expected("text/plain", b"HELLO"));
        assert_eq!(read("data:text/plain;base64,SEVMTE8"), expected("text/plain", b"HELLO"));
        assert_eq!(read("data:,a%2Cb"), expected("text/plain", b"a,b"));
        for none in ["hello", "data:image/png", "data:;base64,a=b", "data:,%2", "data:,%zz", "http://a/b,c"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
