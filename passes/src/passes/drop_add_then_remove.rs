//! Stores nothing of what is added and removed again.
//!
//! ```text
//! copy "sdk.run" from @tools to "/tmp/sdk.run"   ⇒  layer removed {
//! run "sh /tmp/sdk.run --target /opt/sdk"             copy "sdk.run" from @tools to "/tmp/sdk.run"
//! remove "/tmp/sdk.run"                               run "sh /tmp/sdk.run --target /opt/sdk"
//!                                                     remove "/tmp/sdk.run"
//!                                                   }
//! ```
//!
//! A layer holds what is there at its end. So what it adds and removes is in no layer at all, while the programs
//! in it see the same as before. The ops go into one layer, from the one that adds to the one that removes.
//! Left alone: what an independent layer adds, which is made without what is under it, and so not together with
//! ops that look at it; and a removal behind ops of which none is known to add what it removes.

use cogpack_ir::plan::OpKind;
use cogpack_ir::resolve::Resolved;

use crate::facts::Facts;
use crate::note::{Kind, Note};
use crate::order::{Level, Pass, Rewrite};
use crate::pieces::{Item, LayerNames, Piece, joined, stages_of, with_pieces};
use crate::places::{Place, names, place};
use crate::scripts::only_removes;

/// The pass.
pub struct DropAddThenRemove;

impl Pass for DropAddThenRemove {
    fn name(&self) -> &'static str {
        "drop-add-then-remove"
    }

    fn summary(&self) -> &'static str {
        "stores nothing of what is added and removed again"
    }

    fn level(&self) -> Level {
        Level::Layers
    }

    fn run(&self, plan: &Resolved, facts: &Facts) -> Rewrite {
        let mut notes: Vec<Note> = Vec::new();
        let mut changed = Vec::new();
        for (id, pieces) in stages_of(plan) {
            let before = notes.len();
            let pieces = dropped(pieces, facts, &mut notes);
            if notes[before..].iter().any(|note| note.kind == Kind::Did) {
                changed.push((id, pieces));
            }
        }
        Rewrite { plan: with_pieces(plan, changed), notes }
    }
}

/// The most layers that are joined for what one adds and another removes.
const MOST_BETWEEN: usize = 3;

fn dropped(pieces: Vec<Piece>, facts: &Facts, notes: &mut Vec<Note>) -> Vec<Piece> {
    let mut layer_names = LayerNames::of(&pieces);
    let mut done: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let Some(removed) = removed(&piece) else {
            done.push(piece);
            continue;
        };
        let Some(from) = adds(&done, &removed) else {
            done.push(piece);
            continue;
        };
        if let Some(independent) = done[from..].iter().find(|piece| piece.independent) {
            let why = "it is an independent layer, made without what is under it, and what removes it is not; \
                       copy it to where no such layer is made, as below `/tmp`, or mount it";
            notes.push(Note::held_back(independent.span(), why));
            done.push(piece);
            continue;
        }
        let between = done[from + 1..].iter().filter(|piece| piece.changes_files).count();
        if between > MOST_BETWEEN {
            let why = format!("{between} layers stand between it and its removal, and would become one");
            notes.push(Note::held_back(done[from].span(), why));
            done.push(piece);
            continue;
        }
        let mut group = done.split_off(from);
        let saves =
            group[0].only().and_then(|item| facts.sizes.of(&item.op)).filter(|_| group[0].items.len() == 1);
        group.push(piece);
        let name = layer_names.new_for(&group, "removed");
        let text = format!("what is added here and removed again is in no layer, by `{}`", name.value);
        notes.push(Note::did(group[0].span(), text).saving(saves));
        done.push(joined(name, group));
    }
    done
}

/// What a piece of one op removes. A script that only removes is taken to remove what the program before it left.
enum Removed {
    Place(Place),
    Something,
}

fn removed(piece: &Piece) -> Option<Removed> {
    let [item] = &piece.items[..] else { return None };
    if let OpKind::Remove(remove) = &item.op.kind {
        return place(&remove.path).map(Removed::Place);
    }
    only_removes(item).then_some(Removed::Something)
}

/// The latest piece that adds what is removed: one that makes it or something below it, or else the program
/// right before.
fn adds(done: &[Piece], removed: &Removed) -> Option<usize> {
    if let Removed::Place(removed) = removed {
        let known = done.iter().rposition(|piece| piece.items.iter().any(|item| makes(item, removed)));
        if known.is_some() {
            return known;
        }
    }
    let last = done.iter().rposition(|piece| piece.changes_files)?;
    let runs = done[last].items.iter().any(|item| item.op.execution().is_some());
    runs.then_some(last)
}

fn makes(item: &Item, removed: &[String]) -> bool {
    let path = match &item.op.kind {
        OpKind::Copy(copy) => place(copy.form.destination()),
        OpKind::File(file) => place(&file.path),
        OpKind::Symlink(link) => place(&link.path),
        OpKind::Mkdir(directory) => place(&directory.path),
        OpKind::Run { .. }
        | OpKind::Exec { .. }
        | OpKind::Remove(_)
        | OpKind::Env(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => None,
    };
    path.is_some_and(|path| path.starts_with(removed)) || into(item, removed)
}

/// Whether a copy lands something of that very name in a directory.
fn into(item: &Item, removed: &[String]) -> bool {
    let Some(cogpack_ir::plan::CopyForm::Into { sources, directory }) = item.op.copy().map(|copy| &copy.form)
    else {
        return false;
    };
    let Some(directory) = place(directory) else { return false };
    let Some((last, above)) = removed.split_last() else { return false };
    above == directory && sources.iter().any(|source| names(source.as_written()).last() == Some(last))
}
