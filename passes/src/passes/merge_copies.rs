//! Joins copies of one input that land beside each other.
//!
//! ```text
//! copy "bin/a" from @tools to "/opt/a"   ⇒  copy "bin/a" "lib/b" from @tools into "/opt"
//! copy "lib/b" from @tools to "/opt/b"
//! ```
//!
//! `copy A to D/a` and `copy A into D` do the same with one source, as long as A is called `a`, is there
//! (`into` makes D also where nothing is found), and D would belong to root. `into` lands its sources in the
//! order of their names, so copies are joined only where they stand in that order: the first may be a link that
//! the second lands through. Left alone: copies that replace, that may find nothing, that have wildcards, and
//! those that land in `/`, since what does is never an independent layer.

use cogpack_ir::plan::{Copy, CopyForm, OpKind, Spanned, Template};
use cogpack_ir::resolve::Resolved;

use crate::facts::Facts;
use crate::note::Note;
use crate::order::{Level, Pass, Rewrite};
use crate::pieces::{Item, Piece, stages_of, with_pieces};
use crate::places::{Place, names, place};

/// The pass.
pub struct MergeCopies;

impl Pass for MergeCopies {
    fn name(&self) -> &'static str {
        "merge-copies"
    }

    fn summary(&self) -> &'static str {
        "joins copies of one input that land beside each other"
    }

    fn level(&self) -> Level {
        Level::Layers
    }

    fn run(&self, plan: &Resolved, _: &Facts) -> Rewrite {
        let mut notes = Vec::new();
        let mut changed = Vec::new();
        for (id, pieces) in stages_of(plan) {
            let before = notes.len();
            let pieces = merged(pieces, &mut notes);
            if notes.len() > before {
                changed.push((id, pieces));
            }
        }
        Rewrite { plan: with_pieces(plan, changed), notes }
    }
}

fn merged(pieces: Vec<Piece>, notes: &mut Vec<Note>) -> Vec<Piece> {
    let mut done: Vec<Piece> = Vec::with_capacity(pieces.len());
    for mut piece in pieces {
        let mut items: Vec<Item> = Vec::with_capacity(piece.items.len());
        for item in piece.items {
            let both = items.last().and_then(|last| together(last, &item));
            match (both, items.last_mut()) {
                (Some(copy), Some(last)) => take(last, copy, notes),
                _ => items.push(item),
            }
        }
        piece.items = items;
        let both = match (done.last(), &piece.items[..]) {
            (Some(last), [item]) if last.name.is_none() && piece.name.is_none() => {
                last.items.first().and_then(|first| together(first, item))
            }
            _ => None,
        };
        match (both, done.last_mut()) {
            (Some(copy), Some(last)) => take(&mut last.items[0], copy, notes),
            _ => done.push(piece),
        }
    }
    done
}

fn take(item: &mut Item, copy: Copy, notes: &mut Vec<Note>) {
    notes.push(Note::did(item.op.span, format!("{} sources are copied at once", copy.form.sources().len())));
    item.op.kind = OpKind::Copy(Box::new(copy));
}

/// One copy that does what two do that follow each other.
fn together(first: &Item, second: &Item) -> Option<Copy> {
    let (one, other) = (first.op.copy()?, second.op.copy()?);
    let modifiers = |copy: &Copy| {
        (copy.from.value.clone(), copy.follow, copy.owner.clone(), copy.mode, copy.rules.clone())
    };
    let joins = |copy: &Copy| !copy.replace && !copy.optional && copy.owner.is_none();
    if first.by != second.by || !joins(one) || !joins(other) || modifiers(one) != modifiers(other) {
        return None;
    }
    let (into, mut sources) = landing(one)?;
    let (other_into, other_sources) = landing(other)?;
    let last = sources.last()?.0.clone();
    if into != other_into || other_sources.iter().any(|(name, _)| *name <= last) {
        return None;
    }
    sources.extend(other_sources);
    let at = one.form.destination().span;
    let directory = Template::literal(&format!("/{}", into.join("/")));
    let form = CopyForm::Into {
        sources: sources.into_iter().map(|(_, source)| source).collect(),
        directory: Spanned::new(directory, at),
    };
    Some(Copy { form, ..one.clone() })
}

/// The name that a source lands under, and the source.
type Source = (String, Spanned<Template>);

/// The directory that a copy lands in, and its sources with the names that they land under, in order.
fn landing(copy: &Copy) -> Option<(Place, Vec<Source>)> {
    let mut destination = place(copy.form.destination())?;
    let sources = match &copy.form {
        CopyForm::To { source, .. } => {
            let name = destination.pop()?;
            let called = named(source)?;
            (called == name).then(|| vec![(name, source.clone())])?
        }
        CopyForm::Into { sources, .. } => {
            let mut named: Vec<Source> =
                sources.iter().map(|source| Some((named(source)?, source.clone()))).collect::<Option<_>>()?;
            named.sort();
            named
        }
        CopyForm::Contents { .. } => return None,
    };
    (!destination.is_empty()).then_some((destination, sources))
}

/// The name that a source without wildcards lands under.
fn named(source: &Spanned<Template>) -> Option<String> {
    let text = source.as_literal()?;
    let is_plain = !text.contains(['*', '?', '[', ']', '\\']) && !text.split('/').any(|part| part == "..");
    is_plain.then(|| names(&text).pop())?
}
