//! Lets copies read a stage as it was when what they read was there already, so that the rest of it is made side
//! by side with them.
//!
//! ```text
//! stage %build from image @base {          stage %build-early from image @base {
//!   run "make install DESTDIR=/out"          run "make install DESTDIR=/out"
//!   copy "docs" from @source to "/docs"    }
//! }                                    ⇒   stage %build from %build-early {
//! stage %app from image @slim {              copy "docs" from @source to "/docs"
//!   copy "/out" from %build to "/out"      }
//! }                                        stage %app from image @slim {
//!                                            copy "/out" from %build-early to "/out"
//!                                          }
//! ```
//!
//! A later change of the documentation then makes `%app` no work. What comes after the cut are independent
//! layers that land apart from what is read, and settings, which a copy does not see. What is read has to lie
//! in the root: of any directory above it nobody knows whether it is a link to where the later layers land. Left
//! alone: mounts, which follow links, and stages of which nothing comes after what is read.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_ir::plan::{CopyForm, Input, Op, OpKind, Spanned, Stage, StageName, for_each_op_mut};
use cogpack_ir::resolve::{Resolved, StageId};

use crate::facts::Facts;
use crate::note::Note;
use crate::order::{Level, Pass, Rewrite};
use crate::pieces::{self, Piece, stage_name, stages_of};
use crate::places::{Place, are_apart, landings, names, place};

/// The pass.
pub struct Parallelise;

impl Pass for Parallelise {
    fn name(&self) -> &'static str {
        "parallelise"
    }

    fn summary(&self) -> &'static str {
        "lets copies read a stage from when what they read was there already"
    }

    fn level(&self) -> Level {
        Level::Layers
    }

    fn leaves_work_out(&self) -> bool {
        // What comes after the cut may be read by nobody now.
        true
    }

    fn run(&self, plan: &Resolved, _: &Facts) -> Rewrite {
        let cuttable: BTreeMap<StageName, (StageId, Vec<Piece>)> = stages_of(plan)
            .filter(|(id, pieces)| pieces.last().is_some_and(|_| is_left_early(plan, *id, pieces)))
            .map(|(id, pieces)| (plan.stage(id).name.value.clone(), (id, pieces)))
            .collect();
        if cuttable.is_empty() {
            return Rewrite::default();
        }
        let mut notes = Vec::new();
        // By stage: the cuts that are wanted, by how many pieces come before them.
        let mut cuts: BTreeMap<StageName, BTreeSet<usize>> = BTreeMap::new();
        for id in plan.order() {
            for step in plan.steps(*id) {
                let Some((stage, cut)) = wanted(step.op, &cuttable, &mut notes) else { continue };
                cuts.entry(stage).or_default().insert(cut);
            }
        }
        if cuts.is_empty() {
            return Rewrite { plan: None, notes };
        }
        let mut taken: BTreeSet<StageName> =
            plan.plan().stages.iter().map(|stage| stage.name.value.clone()).collect();
        // By stage and cut: what to read instead.
        let mut early: BTreeMap<(StageName, usize), StageName> = BTreeMap::new();
        for (stage, cuts) in &cuts {
            for cut in cuts {
                let name = stage_name(&format!("{}-early", stage.as_str()), &taken);
                taken.insert(name.clone());
                early.insert((stage.clone(), *cut), name);
            }
        }
        let mut rewritten = plan.plan().clone();
        for stage in &mut rewritten.stages {
            for_each_op_mut(&mut stage.ops, &mut |op| {
                let Some((name, cut)) = wanted(op, &cuttable, &mut Vec::new()) else { return };
                let (span, OpKind::Copy(copy)) = (op.span, &mut op.kind) else { return };
                // No cut is made for a stage that nothing needs.
                let Some(new) = early.get(&(name.clone(), cut)) else { return };
                notes.push(Note::did(span, format!("it reads {new}, which {name} goes on from")));
                copy.from.value = Input::Stage(new.clone());
            });
        }
        for (name, cuts) in cuts {
            let (id, pieces) = &cuttable[&name];
            let stage = &mut rewritten.stages[id.index()];
            let mut from = stage.from.clone();
            let mut start = 0;
            let mut new = Vec::new();
            for cut in cuts {
                let name = early[&(name.clone(), cut)].clone();
                let stage = Stage {
                    name: Spanned::new(name.clone(), stage.name.span),
                    phase: None,
                    from: from.take(),
                    provides: BTreeSet::new(),
                    ops: pieces::ops(pieces[start..cut].to_vec()),
                };
                from = Some(Spanned::nowhere(Input::Stage(name)));
                start = cut;
                new.push(stage);
            }
            stage.from = from;
            stage.ops = pieces::ops(pieces[start..].to_vec());
            rewritten.stages.extend(new);
        }
        Rewrite { plan: Some(rewritten), notes }
    }
}

/// Whether something of a stage comes after what others may read, with something before it.
fn is_left_early(plan: &Resolved, id: StageId, pieces: &[Piece]) -> bool {
    let stage = plan.stage(id);
    // What stages side by side start from has to be what their phase starts from.
    let is_base = plan.plan().declared_phases.values().any(|phase| phase.parallel);
    !is_base && stage.from.is_some() && pieces.iter().any(|piece| piece.independent)
}

/// The stage that a copy reads and after how many of its pieces it could, where that is not after all of them.
fn wanted(
    op: &Op,
    cuttable: &BTreeMap<StageName, (StageId, Vec<Piece>)>,
    notes: &mut Vec<Note>,
) -> Option<(StageName, usize)> {
    let copy = op.copy()?;
    let Input::Stage(stage) = &copy.from.value else { return None };
    let (_, pieces) = cuttable.get(stage)?;
    let source: Place = match &copy.form {
        CopyForm::To { source, .. } => place(source)?,
        CopyForm::Contents { .. } | CopyForm::Into { .. } => return None,
    };
    let needed = pieces.iter().rposition(|piece| {
        let lands_apart = piece.independent
            && landings(piece).is_some_and(|landings| landings.iter().all(|at| are_apart(at, &source)));
        piece.changes_files && !lands_apart
    });
    let cut = needed.map_or(0, |needed| needed + 1);
    let is_later = pieces[cut..].iter().any(|piece| piece.changes_files);
    let has_work = pieces[..cut].iter().any(|piece| piece.changes_files);
    if !is_later || !has_work || copy.follow {
        return None;
    }
    if source.len() != 1 {
        let above = names(&source[..source.len().saturating_sub(1)].join("/")).join("/");
        let why = format!("`/{above}` may be a link to where later layers of {stage} land");
        notes.push(Note::held_back(op.span, why));
        return None;
    }
    Some((stage.clone(), cut))
}
