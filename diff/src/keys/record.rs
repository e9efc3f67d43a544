//! Fields one after the other, each with its length, so that no two lists of fields are the same
//! bytes.

use cogpack_content::Digest;

/// What a digest is made of.
#[derive(Debug, Default)]
pub(crate) struct Record(Vec<u8>);

impl Record {
    /// A record of a kind; kinds never mix.
    pub(crate) fn of(kind: &str) -> Self {
        Self::default().text(kind)
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend((bytes.len() as u64).to_le_bytes());
        self.0.extend(bytes);
        self
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// A field that may be missing, which no text is.
    pub(crate) fn maybe(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.flag(true).text(text),
            None => self.flag(false),
        }
    }

    pub(crate) fn flag(mut self, flag: bool) -> Self {
        self.0.push(u8::from(flag));
        self
    }

    pub(crate) fn number(mut self, number: u64) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn texts<'t>(mut self, texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut count = 0;
        for text in texts {
            self = self.text(text);
            count += 1;
        }
        self.number(count)
    }

    pub(crate) fn key(self, key: &Digest) -> Self {
        self.bytes(key.sha256())
    }

    /// How many bytes it has so far.
    pub(crate) fn length(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn digest(self) -> Digest {
        Digest::of(&self.0)
    }
}
