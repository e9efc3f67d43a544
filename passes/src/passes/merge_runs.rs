//! Puts the programs of one package manager that follow each other into one layer.
//!
//! ```text
//! run "apt-get update && apt-get install -y git"    ⇒  layer apt {
//! run "apt-get update && apt-get install -y curl"        run "apt-get update && apt-get install -y git"
//! run "rm -rf /var/lib/apt/lists"                        run "apt-get update && apt-get install -y curl"
//!                                                        run "rm -rf /var/lib/apt/lists"
//!                                                      }
//! ```
//!
//! A layer says which changes are stored together and changes nothing of what a program sees; no script is
//! joined with another. What the first leaves and a later one overwrites or removes, as lists of packages, is
//! then stored once or not at all. Left alone: programs that see files of a context or a stage, which change at
//! other times, and other programs beside each other, whose layers are worth more apart.

use cogpack_ir::plan::{MountKind, Op};
use cogpack_ir::resolve::Resolved;

use crate::facts::Facts;
use crate::note::{Kind, Note};
use crate::order::{Level, Pass, Rewrite};
use crate::pieces::{Item, LayerNames, Piece, joined, stages_of, with_pieces};
use crate::scripts::{only_removes, package_manager};

/// The pass.
pub struct MergeRuns;

impl Pass for MergeRuns {
    fn name(&self) -> &'static str {
        "merge-runs"
    }

    fn summary(&self) -> &'static str {
        "puts programs of one package manager that follow each other into one layer"
    }

    fn level(&self) -> Level {
        Level::Layers
    }

    fn run(&self, plan: &Resolved, _: &Facts) -> Rewrite {
        let mut notes: Vec<Note> = Vec::new();
        let mut changed = Vec::new();
        for (id, pieces) in stages_of(plan) {
            let before = notes.len();
            let pieces = merged(pieces, &mut notes);
            if notes[before..].iter().any(|note| note.kind == Kind::Did) {
                changed.push((id, pieces));
            }
        }
        Rewrite { plan: with_pieces(plan, changed), notes }
    }
}

fn merged(pieces: Vec<Piece>, notes: &mut Vec<Note>) -> Vec<Piece> {
    let mut done: Vec<Piece> = Vec::with_capacity(pieces.len());
    // How many of the last ones belong together, settings between programs among them, and to which manager.
    let mut run: Option<(usize, &'static str)> = None;
    let mut layer_names = LayerNames::of(&pieces);
    for piece in pieces {
        let manager = program(&piece).map(|it| (package_manager(it), only_removes(it), sees_files(&it.op)));
        run = match (run, manager) {
            (Some((count, of)), Some((manager, removes, false))) if manager == Some(of) || removes => {
                Some((count + 1, of))
            }
            (Some((count, of)), None) if !piece.changes_files && piece.name.is_none() => {
                Some((count + 1, of))
            }
            (before, manager) => {
                if let (Some((_, of)), Some((Some(other), _, true))) = (before, manager)
                    && of == other
                {
                    let why = "it sees files of another input, which change at other times";
                    notes.push(Note::held_back(piece.span(), why));
                }
                close(before, &mut done, &mut layer_names, notes);
                match manager {
                    Some((Some(of), _, false)) => Some((1, of)),
                    Some((Some(_) | None, _, _)) | None => None,
                }
            }
        };
        done.push(piece);
    }
    close(run, &mut done, &mut layer_names, notes);
    done
}

/// Joins the last pieces where they are several programs.
fn close(
    run: Option<(usize, &'static str)>,
    done: &mut Vec<Piece>,
    layer_names: &mut LayerNames,
    notes: &mut Vec<Note>,
) {
    let Some((count, manager)) = run else { return };
    let start = done.len() - count;
    let Some(last) = done[start..].iter().rposition(|piece| piece.changes_files) else { return };
    let programs = done[start..].iter().filter(|piece| piece.changes_files).count();
    if programs < 2 {
        return;
    }
    let after = done.split_off(start + last + 1);
    let group = done.split_off(start);
    let span = group[0].span();
    let name = layer_names.new_for(&group, manager);
    notes
        .push(Note::did(span, format!("{programs} programs of {manager} leave one layer, `{}`", name.value)));
    done.push(joined(name, group));
    done.extend(after);
}

/// The one program that a piece without a name runs.
fn program(piece: &Piece) -> Option<&Item> {
    let item = piece.only().filter(|_| piece.name.is_none())?;
    item.op.execution().map(|_| item)
}

fn sees_files(op: &Op) -> bool {
    let mounts = op.execution().into_iter().flat_map(|execution| &execution.mounts);
    mounts.into_iter().any(|mount| matches!(mount.kind, MountKind::Bind { .. }))
}
