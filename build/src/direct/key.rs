//! What filesystems and finished steps are known by: digests of all that they depend on.

use cogpack_content::Digest;
use sha2::{Digest as _, Sha256};

/// A digest of several texts, each with its length, so that no two lists read alike.
#[derive(Clone)]
pub struct Key(Sha256);

impl Key {
    /// A key of this kind. A kind whose meaning changes gets another name.
    pub fn new(kind: &str) -> Self {
        Self(Sha256::new()).and(kind.as_bytes())
    }

    /// With one more text.
    #[must_use]
    pub fn and(mut self, text: impl AsRef<[u8]>) -> Self {
        self.0.update((text.as_ref().len() as u64).to_le_bytes());
        self.0.update(text.as_ref());
        self
    }

    /// With a list of texts.
    #[must_use]
    pub fn and_all<T: AsRef<[u8]>>(self, texts: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<T> = texts.into_iter().collect();
        let key = self.and((texts.len() as u64).to_le_bytes());
        texts.into_iter().fold(key, Self::and)
    }

    /// The digest.
    pub fn digest(self) -> Digest {
        Digest::from_sha256(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_read_alike() {
        let keys = [
            Key::new("a").and("b"),
            Key::new("ab"),
            Key::new("a").and("b").and(""),
            Key::new("a").and_all(["b"]),
            Key::new("a").and_all(["b", ""]),
        ];
        let mut digests = keys.map(|key| key.digest().hex()).to_vec();
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 5);
    }
}
