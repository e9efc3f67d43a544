//! Reading all declarations of a text: a few at a time, and two threads' worth at once.

use cogpack_content::threads::both;

use super::comments::Place;
use super::lower::{Declaration, Lowering, Piece};
use super::report::Report;
use super::scan::Scan;

/// How much text pest sees at a time. It makes some forty bytes of each word, so that this stays
/// in a processor's cache; and what it must set up for each text no longer counts.
const BATCH: usize = 32 << 10;

/// The length from which on a second thread pays.
const WORTH_A_THREAD: usize = 256 << 10;

/// What was read.
#[derive(Default)]
pub(super) struct Read {
    /// The declarations, in the order of the text.
    pub(super) declarations: Vec<Declaration>,
    /// What is wrong with them.
    pub(super) findings: Report,
    /// Where the statements near comments stand.
    pub(super) places: Vec<Place>,
}

/// Reads the declarations that `scan` found in `text`.
pub(super) fn read_declarations(text: &str, scan: &Scan) -> Read {
    let pieces = pieces(scan);
    if text.len() < WORTH_A_THREAD {
        return read_pieces(text, scan, &pieces);
    }
    // Where the text is cut depends on the text alone, so that every machine reads the same.
    let middle = pieces.partition_point(|piece| piece.range.start < text.len() / 2);
    let (first, second) = pieces.split_at(middle);
    let (mut read, second) =
        both(true, || read_pieces(text, scan, first), || read_pieces(text, scan, second));
    read.append(second);
    read
}

impl Read {
    fn append(&mut self, mut other: Self) {
        self.declarations.append(&mut other.declarations);
        self.findings.append(other.findings);
        self.places.append(&mut other.places);
    }
}

/// The pieces of the text, each with whether a comment is near.
fn pieces(scan: &Scan) -> Vec<Piece> {
    let mut pieces: Vec<Piece> =
        scan.pieces.iter().map(|range| Piece { range: range.clone(), comment_is_near: false }).collect();
    for comment in &scan.comments {
        let at = comment.range.start;
        let holds_it = pieces.partition_point(|piece| piece.range.end <= at);
        // At the end of a piece it may belong to the next one, and after a piece's closing brace
        // it belongs to the one before.
        let neighbours = holds_it.saturating_sub(1)..(holds_it + 2).min(pieces.len());
        pieces[neighbours].iter_mut().for_each(|piece| piece.comment_is_near = true);
    }
    pieces
}

fn read_pieces(text: &str, scan: &Scan, pieces: &[Piece]) -> Read {
    let mut lowering = Lowering::new(text, &scan.faults);
    let mut declarations = Vec::with_capacity(pieces.len());
    let mut rest = pieces;
    while let Some(first) = rest.first() {
        let end = first.range.start + BATCH;
        let length = rest.partition_point(|piece| piece.range.end <= end).max(1);
        let (batch, after) = rest.split_at(length);
        lowering.declarations(batch, |declaration| declarations.push(declaration));
        if lowering.findings.is_full() {
            break;
        }
        rest = after;
    }
    Read { declarations, findings: lowering.findings, places: lowering.places }
}
