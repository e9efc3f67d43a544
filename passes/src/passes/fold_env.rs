//! Says each setting once where nothing looks at it in between.
//!
//! ```text
//! env A = "1"             ⇒  env A = "2"
//! env A = "2"
//! user "build"            ⇒  user "app"
//! user "app"
//! env LANG = "C.UTF-8"    ⇒              (the base says so already)
//! ```
//!
//! Only programs see variables, the user and the shell; what ops themselves write was expanded before. So a
//! value that is changed again before a program runs, and before the stage ends, is seen by nobody. A variable
//! has the place in the environment at which it was first set: the later value goes to the earlier place. Left
//! alone: values that lean on a base whose config is not known, what is unset before one that may do so, and
//! `workdir`, which makes its directory.

use cogpack_ir::plan::{EnvChange, EnvEdit, Op, OpKind, Template};
use cogpack_ir::resolve::{EnvValue, Resolved, StageId, State, Step};

use crate::facts::Facts;
use crate::note::Note;
use crate::order::{Level, Pass, Rewrite};
use crate::pieces::{Item, Piece, pieces, with_pieces};

/// The pass.
pub struct FoldEnv;

impl Pass for FoldEnv {
    fn name(&self) -> &'static str {
        "fold-env"
    }

    fn summary(&self) -> &'static str {
        "says each variable, user and shell once where nothing looks at it in between"
    }

    fn level(&self) -> Level {
        Level::Safe
    }

    fn run(&self, plan: &Resolved, _: &Facts) -> Rewrite {
        let mut notes = Vec::new();
        let mut changed = Vec::new();
        for id in plan.order() {
            if let Some(said) = fold(plan, *id, &mut notes) {
                changed.push((*id, folded(plan, *id, &said)));
            }
        }
        Rewrite { plan: with_pieces(plan, changed), notes }
    }
}

/// What an op settles.
#[derive(Clone, Copy)]
enum Setting<'i> {
    Variable(&'i EnvChange),
    User(&'i Template),
    Shell,
}

impl Setting<'_> {
    fn of(op: &Op) -> Option<Setting<'_>> {
        match &op.kind {
            OpKind::Env(change) => Some(Setting::Variable(change)),
            OpKind::User(user) => Some(Setting::User(user)),
            OpKind::Shell(_) => Some(Setting::Shell),
            OpKind::Run { .. }
            | OpKind::Exec { .. }
            | OpKind::Copy(_)
            | OpKind::File(_)
            | OpKind::Mkdir(_)
            | OpKind::Symlink(_)
            | OpKind::Remove(_)
            | OpKind::Workdir(_)
            | OpKind::Layer(_)
            | OpKind::By(_) => None,
        }
    }

    fn is_of_the_same(self, other: Setting<'_>) -> bool {
        match (self, other) {
            (Self::Variable(one), Setting::Variable(other)) => one.name == other.name,
            (Self::User(_), Setting::User(_)) | (Self::Shell, Setting::Shell) => true,
            (Self::Variable(_) | Self::User(_) | Self::Shell, _) => false,
        }
    }

    fn unsets(self) -> bool {
        matches!(self, Self::Variable(EnvChange { edit: EnvEdit::Unset, .. }))
    }

    /// Whether it leaves everything as it was, where it leads from `before` to `after`.
    fn is_already_so(self, before: &State, after: &State) -> bool {
        match self {
            Self::Variable(change) => {
                let value = before.variable(change.name.as_str());
                match &change.edit {
                    EnvEdit::Set(_) => {
                        matches!(value, Some(EnvValue::Known(_)))
                            && value == after.variable(change.name.as_str())
                    }
                    EnvEdit::Unset => before.base_known && value.is_none(),
                    EnvEdit::Prepend(_) | EnvEdit::Append(_) => false,
                }
            }
            Self::User(_) => before.base_known && before.user == after.user,
            Self::Shell => before.base_known && before.shell == after.shell,
        }
    }

    /// Whether the value that it gives leans on nothing.
    fn is_known(self) -> bool {
        match self {
            Self::Variable(change) => match &change.edit {
                EnvEdit::Set(value) => value.as_literal().is_some(),
                EnvEdit::Unset => true,
                EnvEdit::Prepend(_) | EnvEdit::Append(_) => false,
            },
            Self::User(user) => user.as_literal().is_some(),
            Self::Shell => true,
        }
    }

    fn told(self) -> String {
        match self {
            Self::Variable(change) if self.unsets() => format!("`{}` is unset", change.name),
            Self::Variable(change) => format!("`{}` is set", change.name),
            Self::User(_) => "the user is set".to_owned(),
            Self::Shell => "the shell is set".to_owned(),
        }
    }
}

/// Whether any of these may lean on a variable of a base whose config is not known. Where that is known,
/// and where the plan sets the variable, its value stands there already.
fn leans_on_the_base(steps: &[Step<'_>]) -> bool {
    let is_settled = |step: &Step<'_>| Setting::of(step.op).is_some_and(Setting::is_known);
    steps.iter().any(|step| !step.state.base_known && !is_settled(step))
}

/// What is said in a stage afterwards, by its ops' places: the place of the op that stands there now, nothing where
/// none does. `None` where nothing changes.
fn fold(plan: &Resolved, id: StageId, notes: &mut Vec<Note>) -> Option<Vec<Option<usize>>> {
    let steps = plan.steps(id);
    let end: &State = plan.end_state(id);
    let before = notes.len();
    let mut said: Vec<Option<usize>> = (0..steps.len()).map(Some).collect();
    for (later, step) in steps.iter().enumerate() {
        let Some(what) = Setting::of(step.op) else { continue };
        let after: &State = steps.get(later + 1).map_or(end, |next| next.state);
        if what.is_already_so(step.state, after) {
            notes.push(Note::did(step.op.span, format!("{} so already", what.told())));
            said[later] = None;
            continue;
        }
        // The one before that says something else of the same, with no program between; of what is unset in the
        // end all of them.
        while said[later].is_some() {
            let mut before = (0..later).rev().take_while(|place| steps[*place].op.execution().is_none());
            let stands = |place: usize| Setting::of(steps[said[place]?].op);
            let earlier = before.find_map(|place| {
                stands(place).filter(|other| other.is_of_the_same(what)).map(|other| (place, other))
            });
            let Some((earlier, first)) = earlier else { break };
            // What is unset and set again goes to the end of the environment.
            if !first.is_known() || !what.is_known() || first.unsets() && !what.unsets() {
                break;
            }
            if first.unsets() && leans_on_the_base(&steps[earlier + 1..later]) {
                break;
            }
            let text = format!("{} later, and no program looks at it before", what.told());
            notes.push(Note::did(steps[said[earlier].unwrap_or(earlier)].op.span, text));
            // What leads back to how it was needs neither.
            let leads_back = what.is_already_so(steps[earlier].state, after);
            said[earlier] = (!what.unsets() && !leads_back).then_some(later);
            if leads_back || !what.unsets() {
                said[later] = None;
            }
        }
    }
    (notes.len() > before).then_some(said)
}

/// The pieces of a stage with what is said in it now.
fn folded(plan: &Resolved, id: StageId, said: &[Option<usize>]) -> Vec<Piece> {
    let mut pieces = pieces(plan, id);
    let all: Vec<Item> = pieces.iter().flat_map(|piece| piece.items.clone()).collect();
    let mut place = 0;
    for piece in &mut pieces {
        let places = place..place + piece.items.len();
        place = places.end;
        let items = places.filter_map(|place| {
            let Item { op, by, shell } = all[said[place]?].clone();
            Some(Item { op, by: by.or_else(|| all[place].by.clone()), shell })
        });
        piece.items = items.collect();
    }
    pieces.retain(|piece| !piece.items.is_empty());
    pieces
}
