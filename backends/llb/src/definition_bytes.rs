//! The bytes of a definition, in pieces.
//!
//! A definition of a hundred thousand stages is 160 MB. Joining its pieces would copy all of it
//! once more, into memory that nothing else needs; and what is said of vertices is kept in a
//! shorter form until it is asked for.

use std::borrow::Cow;
use std::sync::Arc;

use crate::annotations::{Annotations, Part};

/// A serialised `pb.Definition`: pieces that are one message when they follow each other.
#[derive(Debug, Clone, Default)]
pub struct DefinitionBytes {
    pieces: Vec<Piece>,
    annotations: Arc<Annotations>,
}

/// What follows in a definition.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// Bytes that are there.
    Bytes(Vec<u8>),
    /// The plan's text.
    Text(Arc<String>),
    /// What the annotations say.
    Said(Part),
}

impl DefinitionBytes {
    /// Pieces in order, and the annotations that some of them are made from.
    pub(crate) fn new(pieces: Vec<Piece>, annotations: Annotations) -> Self {
        Self { pieces, annotations: Arc::new(annotations) }
    }

    /// The pieces in order, some of which are made now. Where one ends says nothing.
    pub fn pieces(&self) -> impl Iterator<Item = Cow<'_, [u8]>> {
        self.pieces.iter().map(|piece| match piece {
            Piece::Bytes(bytes) => Cow::Borrowed(bytes.as_slice()),
            Piece::Text(text) => Cow::Borrowed(text.as_bytes()),
            Piece::Said(part) => Cow::Owned(self.annotations.written(part)),
        })
    }

    /// All of them as one.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.pieces().fold(Vec::new(), |mut all, piece| {
            all.extend_from_slice(&piece);
            all
        })
    }
}

impl From<Vec<u8>> for DefinitionBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(vec![Piece::Bytes(bytes)], Annotations::default())
    }
}

impl PartialEq for DefinitionBytes {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Eq for DefinitionBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_piece_ends_says_nothing() {
        let pieces = vec![
            Piece::Bytes(b"a".to_vec()),
            Piece::Bytes(Vec::new()),
            Piece::Text(Arc::new("bcd".to_owned())),
        ];
        let several = DefinitionBytes::new(pieces, Annotations::default());
        assert_eq!(several, DefinitionBytes::from(b"abcd".to_vec()));
        assert_ne!(several, DefinitionBytes::from(b"abc".to_vec()));
        assert_eq!(several.pieces().count(), 3);
    }
}
