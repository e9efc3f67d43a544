//! Makes several layers of a large one, so that they are pushed and pulled side by side and one at a time changes.
//!
//! ```text
//! layer weights {                                ⇒  copy "a.bin" from @weights to "/weights/a.bin"
//!   copy "a.bin" from @weights to "/weights/a.bin"    copy "b.bin" from @weights to "/weights/b.bin"
//!   copy "b.bin" from @weights to "/weights/b.bin"
//! }
//! ```
//!
//! Only independent layers whose copies land apart are taken apart: each alone makes the same directories on the
//! way, so that laid over each other they are what they were together. Left alone: layers of which nobody knows how
//! large they are, those below a size that is worth it, and those with a program, of which an earlier op may add
//! what a later one removes.

use cogpack_ir::resolve::Resolved;

use crate::facts::Facts;
use crate::note::{Kind, Note};
use crate::order::{Level, Pass, Rewrite};
use crate::pieces::{Piece, stages_of, with_pieces};
use crate::places::{are_apart, landings};

/// The pass.
pub struct SplitLarge;

/// From how many bytes on a layer is large. A registry's client sends and gets a few layers at once, and begins
/// one anew that breaks off.
const LARGE: u64 = 512 << 20;

impl Pass for SplitLarge {
    fn name(&self) -> &'static str {
        "split-large"
    }

    fn summary(&self) -> &'static str {
        "makes several layers of a large one whose parts have nothing to do with each other"
    }

    fn level(&self) -> Level {
        Level::Layers
    }

    fn run(&self, plan: &Resolved, facts: &Facts) -> Rewrite {
        let mut notes: Vec<Note> = Vec::new();
        let mut changed = Vec::new();
        if facts.sizes.is_empty() {
            return Rewrite::default();
        }
        for (id, pieces) in stages_of(plan) {
            let before = notes.len();
            let pieces: Vec<Piece> =
                pieces.into_iter().flat_map(|piece| split(piece, facts, &mut notes)).collect();
            if notes[before..].iter().any(|note| note.kind == Kind::Did) {
                changed.push((id, pieces));
            }
        }
        Rewrite { plan: with_pieces(plan, changed), notes }
    }
}

fn split(piece: Piece, facts: &Facts, notes: &mut Vec<Note>) -> Vec<Piece> {
    let copies = piece.items.iter().filter(|item| item.changes_files()).count();
    let Some(size) = piece.size(&facts.sizes).filter(|size| *size >= LARGE && copies > 1) else {
        return vec![piece];
    };
    let mebibytes = size >> 20;
    let apart = piece.independent
        && landings(&piece).is_some_and(|landings| {
            let pairs = landings.iter().enumerate();
            pairs.clone().all(|(place, one)| landings[place + 1..].iter().all(|other| are_apart(one, other)))
        });
    if !apart {
        let why = format!("it has {mebibytes} MiB, but its ops look at each other's files");
        notes.push(Note::held_back(piece.span(), why));
        return vec![piece];
    }
    notes.push(Note::did(piece.span(), format!("{copies} layers of one that has {mebibytes} MiB")));
    let parts = piece.items.into_iter().map(|item| Piece {
        name: None,
        changes_files: item.changes_files(),
        independent: item.changes_files(),
        items: vec![item],
    });
    parts.collect()
}
