//! Gives files their owner where they are copied, so that they are stored once.
//!
//! ```text
//! copy contents "." from @source to "/src" replace    ⇒  copy contents "." from @source to "/src" replace owner app:app
//! run "chown -R app:app /src"
//! ```
//!
//! `chown -R` changes all that stands at a path. That is what the copy brought, and nothing else, only where the
//! copy replaces what was there. Linux takes the setuid and setgid bits of files whose owner changes, so the
//! owner is said by the copy only where it is known that none has them: its `mode` says so, or its input is one
//! whose modes are known. Otherwise the copy and `chown` leave one layer, which changes nothing for either, and
//! is stored once as well. The one thing taken for granted is that the `chown` of the image is one.
//!
//! Left alone: copies that make an independent layer, since that is made without what is under it, and `chown`
//! is not. Where such a copy may replace what is there, saying so makes the pass work.

use cogpack_ir::plan::{ContextKind, Copy, CopyForm, Execution, Input, OpKind, Owner, Spanned};
use cogpack_ir::resolve::{Resolved, StageId, State};

use crate::facts::Facts;
use crate::note::{Kind, Note};
use crate::order::{Level, Pass, Rewrite};
use crate::pieces::{LayerNames, Piece, joined, stages_of, with_pieces};
use crate::places::{names, place};
use crate::scripts::ownership;

/// The pass.
pub struct FoldOwnership;

impl Pass for FoldOwnership {
    fn name(&self) -> &'static str {
        "fold-ownership"
    }

    fn summary(&self) -> &'static str {
        "gives files their owner where they are copied, not by `chown -R` afterwards"
    }

    fn level(&self) -> Level {
        Level::Layers
    }

    fn run(&self, plan: &Resolved, facts: &Facts) -> Rewrite {
        let mut notes: Vec<Note> = Vec::new();
        let mut changed = Vec::new();
        for (id, pieces) in stages_of(plan) {
            let before = notes.len();
            let pieces = folded(plan, id, pieces, facts, &mut notes);
            if notes[before..].iter().any(|note| note.kind == Kind::Did) {
                changed.push((id, pieces));
            }
        }
        Rewrite { plan: with_pieces(plan, changed), notes }
    }
}

fn folded(
    plan: &Resolved,
    id: StageId,
    pieces: Vec<Piece>,
    facts: &Facts,
    notes: &mut Vec<Note>,
) -> Vec<Piece> {
    let mut layer_names = LayerNames::of(&pieces);
    let steps = plan.steps(id);
    let mut place_of_step = 0;
    let mut done: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let state: &State = steps[place_of_step].state;
        place_of_step += piece.items.len();
        let Some((owner, path, execution)) = whole_ownership(&piece) else {
            done.push(piece);
            continue;
        };
        // Settings may stand between.
        let Some(at) = done.iter().rposition(|piece| piece.changes_files) else {
            done.push(piece);
            continue;
        };
        let Some(copy) = done[at].items.first().and_then(|item| item.op.copy()) else {
            done.push(piece);
            continue;
        };
        if done[at].items.len() > 1 || place(copy.form.destination()) != Some(names(path)) {
            done.push(piece);
            continue;
        }
        let saves = piece.size(&facts.sizes);
        if done[at].independent {
            let why = "the copy is an independent layer, which may land on what the base has there, and \
                       `chown` changes that too; say `owner` on the copy instead, or `replace` if nothing \
                       else may be there";
            notes.push(Note::held_back(piece.span(), why));
            done.push(piece);
        } else if let Some(copy) = owned(plan, copy, owner)
            && runs_plainly(execution, state, copy.form.destination().as_written(), &copy.form)
        {
            notes.push(Note::did(piece.span(), format!("the copy gives its files to {owner}")).saving(saves));
            done[at].items[0].op.kind = OpKind::Copy(Box::new(copy));
        } else {
            let mut group = done.split_off(at);
            group.push(piece);
            let name = layer_names.new_for(&group, "owned");
            notes.push(
                Note::did(
                    group[0].span(),
                    format!("the copy and its `chown` leave one layer, `{}`", name.value),
                )
                .saving(saves),
            );
            done.push(joined(name, group));
        }
    }
    done
}

/// A `chown -R` that is a layer of its own.
fn whole_ownership(piece: &Piece) -> Option<(&str, &str, &Execution)> {
    let [item] = &piece.items[..] else { return None };
    let (owner, path) = ownership(&item.op)?;
    Some((owner, path, item.op.execution()?))
}

/// The copy with an owner, where that does what `chown -R` does afterwards.
fn owned(plan: &Resolved, copy: &Copy, owner: &str) -> Option<Copy> {
    let is_all_there_is = copy.replace
        && !copy.optional
        && match copy.form {
            CopyForm::To { .. } | CopyForm::Contents { .. } => true,
            CopyForm::Into { .. } => false,
        };
    let destination = place(copy.form.destination())?;
    // Account files say who `owner` is, also to the copy that replaces them.
    let keeps_accounts = !matches!(destination.first().map(String::as_str), None | Some("etc"));
    let mut owner: Owner = owner.parse().ok()?;
    if owner.group.is_none() {
        // `chown 5` leaves the group that the copy has given, `owner 5` would make it 5.
        copy.owner.is_none().then(|| owner.group = Some("0".to_owned()))?;
    }
    if !is_all_there_is || !keeps_accounts || !has_no_set_ids(plan, copy) {
        return None;
    }
    Some(Copy { owner: Some(Spanned::nowhere(owner)), ..copy.clone() })
}

/// Whether no file that a copy brings can have setuid or setgid.
fn has_no_set_ids(plan: &Resolved, copy: &Copy) -> bool {
    const SET_IDS: u32 = 0o6000;
    if let Some(mode) = copy.mode {
        return mode.bits() & SET_IDS == 0;
    }
    let Input::Context(name) = &copy.from.value else { return false };
    let Some(context) = plan.plan().contexts.get(name) else { return false };
    match &context.kind {
        ContextKind::Files(files) => {
            files.values().all(|file| file.mode.is_none_or(|mode| mode.bits() & SET_IDS == 0))
        }
        ContextKind::Http(file) => file.mode.is_none_or(|mode| mode.bits() & SET_IDS == 0),
        // Git knows no such bits, and a wheel's files are 0644 or 0755.
        ContextKind::Git(_) | ContextKind::Wheels(_) => true,
        ContextKind::Directory(_) | ContextKind::Oci(_) | ContextKind::Debs(_) => false,
    }
}

/// Whether the program runs as root in a shell that everybody has, sees nothing but the image, and makes no
/// directory by being started in it.
fn runs_plainly(execution: &Execution, state: &State, destination: &str, form: &CopyForm) -> bool {
    let is_root = match &execution.user {
        Some(user) => matches!(user.as_written(), "root" | "0" | "0:0" | "root:root"),
        None => {
            matches!(state.user.as_deref(), None | Some("" | "root" | "0" | "0:0" | "root:root"))
                && state.base_known
        }
    };
    let starts_in = match &execution.workdir {
        Some(workdir) => Some(names(workdir.as_written())),
        None => state.workdir.as_deref().map(names),
    };
    let is_there = match starts_in {
        None => true,
        Some(directory) => {
            directory.is_empty()
                || (matches!(form, CopyForm::Contents { .. }) && directory == names(destination))
        }
    };
    let has_shell = *state.shell == State::DEFAULT_SHELL.map(str::to_owned);
    is_root && is_there && has_shell && state.base_known && execution.mounts.is_empty()
}
