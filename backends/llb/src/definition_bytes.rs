//! The bytes of a definition, as the pieces they were written in.
//!
//! A definition of a hundred thousand stages is 160 MB, and its parts are written side by side.
//! Joining them would copy all of it once more, into memory that nothing else needs.

/// A serialised `pb.Definition`: pieces that are one message when they follow each other.
#[derive(Debug, Clone, Default)]
pub struct DefinitionBytes {
    pieces: Vec<Vec<u8>>,
}

impl DefinitionBytes {
    /// The pieces in order. Where one ends says nothing.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(Vec::as_slice)
    }

    /// How many bytes they are together.
    pub fn byte_count(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    /// All of them as one.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    /// The pieces by value.
    pub fn into_pieces(self) -> Vec<Vec<u8>> {
        self.pieces
    }
}

impl From<Vec<Vec<u8>>> for DefinitionBytes {
    fn from(pieces: Vec<Vec<u8>>) -> Self {
        Self { pieces }
    }
}

impl From<Vec<u8>> for DefinitionBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self { pieces: vec![bytes] }
    }
}

impl PartialEq for DefinitionBytes {
    fn eq(&self, other: &Self) -> bool {
        self.pieces.iter().flatten().eq(other.pieces.iter().flatten())
    }
}

impl Eq for DefinitionBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_piece_ends_says_nothing() {
        let one = DefinitionBytes::from(b"abcd".to_vec());
        let two = DefinitionBytes::from(vec![b"a".to_vec(), Vec::new(), b"bcd".to_vec()]);
        assert_eq!(one, two);
        assert_eq!((one.byte_count(), two.to_bytes()), (4, b"abcd".to_vec()));
        assert_ne!(one, DefinitionBytes::from(b"abc".to_vec()));
        assert_eq!(two.pieces().count(), 3);
    }
}
