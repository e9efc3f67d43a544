//! The bytes of a definition, in pieces.
//!
//! A definition of a hundred thousand stages is 160 MB. Joining its pieces would copy all of it
//! once more, into memory that nothing else needs; and what is said of vertices is kept in a
//! shorter form until it is asked for.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

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

/// From how many pieces on a thread pays.
const WORTH_A_THREAD: usize = 256;

/// How many pieces may wait. More would only fill memory.
const WAITING: usize = 16;

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

    /// Gives the pieces in order to who writes them somewhere. Where they are many, the next ones are
    /// made while the last are being written.
    pub fn hand_over<R>(&self, write: impl FnOnce(&mut dyn Iterator<Item = Cow<'_, [u8]>>) -> R) -> R {
        if self.pieces.len() < WORTH_A_THREAD {
            return write(&mut self.pieces());
        }
        let (made, pieces) = sync_channel(WAITING);
        thread::scope(|scope| {
            // It ends early where nobody takes the pieces any more.
            scope.spawn(move || self.pieces().try_for_each(|piece| made.send(piece)));
            write(&mut pieces.into_iter())
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

    #[test]
    fn many_pieces_come_in_order_and_nobody_must_take_all() {
        let piece = |place: usize| Piece::Bytes(place.to_le_bytes().to_vec());
        let many = DefinitionBytes::new((0..4 * WORTH_A_THREAD).map(piece).collect(), Annotations::default());
        let taken: Vec<u8> = many.hand_over(|pieces| pieces.flat_map(Cow::into_owned).collect());
        assert_eq!(taken, many.to_bytes());
        assert_eq!(many.hand_over(|pieces| pieces.take(2).count()), 2);
    }
}
