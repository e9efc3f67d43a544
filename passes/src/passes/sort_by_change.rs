//! Puts copies of what changes seldom below copies of what changes often.
//!
//! ```text
//! copy contents "." from @source to "/src"    ⇒  copy "/venv" from %venv to "/venv"
//! copy "/venv" from %venv to "/venv"              copy contents "." from @source to "/src"
//! ```
//!
//! An independent layer is made on nothing and laid over what is there. Two of them that land apart, neither in
//! nor above where the other does, have nothing in common but directories on the way, which both make alike. So
//! they can be laid in any order; settings between them are seen by none. How often something changes is told by
//! where it comes from, see [`Rate`]. Left alone: everything else, since what looks at what is under it may look
//! at what was moved.

use std::collections::BTreeMap;

use cogpack_ir::plan::{ContextKind, Copy, CopyForm, Input, InputName, MountKind, Op, RuleKind, StageName};
use cogpack_ir::resolve::Resolved;

use crate::facts::Facts;
use crate::note::{Kind, Note};
use crate::order::{Level, Pass, Rewrite};
use crate::pieces::{Piece, can_change_places, stages_of, with_pieces};
use crate::places::{names, pieces_are_apart};

/// The pass.
pub struct SortByChange;

/// How often something changes, the seldom first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rate {
    /// When the plan does: images, what has a hash, what is written in the plan.
    Plan,
    /// When dependencies do: files by whose names projects say what they need.
    Dependencies,
    /// When sources do: anything else of a directory.
    Sources,
}

/// Names of files that say what a project needs; parts of a name before a `.` or `-`, or whole names.
const DEPENDENCIES: [&str; 22] = [
    "requirements.txt",
    "pyproject.toml",
    "uv.lock",
    "pylock.toml",
    "poetry.lock",
    "Pipfile",
    "Pipfile.lock",
    "setup.py",
    "setup.cfg",
    "environment.yml",
    "package.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
    "Cargo.toml",
    "Cargo.lock",
    "go.mod",
    "go.sum",
    "Gemfile",
    "Gemfile.lock",
    "composer.lock",
];

impl Pass for SortByChange {
    fn name(&self) -> &'static str {
        "sort-by-change"
    }

    fn summary(&self) -> &'static str {
        "puts copies of what changes seldom below copies of what changes often"
    }

    fn level(&self) -> Level {
        Level::Layers
    }

    fn run(&self, plan: &Resolved, _: &Facts) -> Rewrite {
        let rates = rates(plan);
        let mut notes: Vec<Note> = Vec::new();
        let mut changed = Vec::new();
        for (id, pieces) in stages_of(plan) {
            let before = notes.len();
            let pieces = sorted(plan, &rates, pieces, &mut notes);
            if notes[before..].iter().any(|note| note.kind == Kind::Did) {
                changed.push((id, pieces));
            }
        }
        Rewrite { plan: with_pieces(plan, changed), notes }
    }
}

/// How often each stage changes: as often as the liveliest of what it reads.
pub(crate) fn rates(plan: &Resolved) -> BTreeMap<StageName, Rate> {
    let mut rates = BTreeMap::new();
    for id in plan.order() {
        let stage = plan.stage(*id);
        let mut rate = Rate::Plan;
        if let Some(from) = &stage.from {
            rate = rate.max(of_input(plan, &rates, &from.value));
        }
        for step in plan.steps(*id) {
            rate = rate.max(of_op(plan, &rates, step.op));
        }
        rates.insert(stage.name.value.clone(), rate);
    }
    rates
}

/// How often a piece changes, of itself: as often as the liveliest of what its ops read.
pub(crate) fn of_piece(plan: &Resolved, rates: &BTreeMap<StageName, Rate>, piece: &Piece) -> Rate {
    let ops = piece.items.iter().map(|item| of_op(plan, rates, &item.op));
    ops.max().unwrap_or(Rate::Plan)
}

fn of_op(plan: &Resolved, rates: &BTreeMap<StageName, Rate>, op: &Op) -> Rate {
    let mut rate = op.copy().map_or(Rate::Plan, |copy| of_copy(plan, rates, copy));
    for mount in op.execution().into_iter().flat_map(|execution| &execution.mounts) {
        if let MountKind::Bind { source, select, .. } = &mount.kind {
            let only = select.as_ref().is_some_and(|path| says_dependencies(path.as_written()));
            let of_source = of_input(plan, rates, &source.value);
            rate = rate.max(if only { of_source.min(Rate::Dependencies) } else { of_source });
        }
    }
    rate
}

fn of_input(plan: &Resolved, rates: &BTreeMap<StageName, Rate>, input: &Input) -> Rate {
    match input {
        Input::Scratch | Input::Image(_) => Rate::Plan,
        Input::Stage(name) => rates.get(name).copied().unwrap_or(Rate::Sources),
        Input::Context(name) => of_context(plan, name),
        Input::Phase(_) => Rate::Sources,
    }
}

fn of_context(plan: &Resolved, name: &InputName) -> Rate {
    let Some(context) = plan.plan().contexts.get(name) else { return Rate::Sources };
    match &context.kind {
        ContextKind::Directory(directory) => {
            let rules = directory.rules.iter();
            let mut included = rules.clone().filter(|rule| rule.kind == RuleKind::Include).peekable();
            let opens_empty = rules.clone().next().is_some_and(|rule| rule.kind == RuleKind::Include);
            let only = included.peek().is_some() && included.all(|rule| says_dependencies(&rule.pattern));
            if opens_empty && only { Rate::Dependencies } else { Rate::Sources }
        }
        ContextKind::Http(_)
        | ContextKind::Git(_)
        | ContextKind::Oci(_)
        | ContextKind::Files(_)
        | ContextKind::Wheels(_)
        | ContextKind::Debs(_) => Rate::Plan,
    }
}

fn of_copy(plan: &Resolved, rates: &BTreeMap<StageName, Rate>, copy: &Copy) -> Rate {
    let whole = of_input(plan, rates, &copy.from.value);
    let is_directory = matches!(&copy.from.value, Input::Context(_));
    let only = match &copy.form {
        CopyForm::To { .. } | CopyForm::Into { .. } => {
            copy.form.sources().iter().all(|source| says_dependencies(source.as_written()))
        }
        CopyForm::Contents { .. } => false,
    };
    if is_directory && only { whole.min(Rate::Dependencies) } else { whole }
}

fn says_dependencies(path: &str) -> bool {
    names(path).last().is_some_and(|name| {
        DEPENDENCIES.contains(&name.as_str()) || (name.starts_with("requirements") && name.ends_with(".txt"))
    })
}

/// How often the layer of a piece changes; `None` where it cannot be told or does not matter.
fn rate(plan: &Resolved, rates: &BTreeMap<StageName, Rate>, piece: &Piece) -> Option<Rate> {
    piece.independent.then(|| of_piece(plan, rates, piece))
}

fn sorted(
    plan: &Resolved,
    rates: &BTreeMap<StageName, Rate>,
    mut pieces: Vec<Piece>,
    notes: &mut Vec<Note>,
) -> Vec<Piece> {
    let mut place = 0;
    while place < pieces.len() {
        // A variable that goes down with a copy may be set before another one then.
        let sets_nothing = pieces[place].items.iter().all(|item| item.op.copy().is_some());
        let Some(own) = rate(plan, rates, &pieces[place]).filter(|_| sets_nothing) else {
            place += 1;
            continue;
        };
        // How far down it may go, and how far is worth it.
        let mut to = place;
        for below in (0..place).rev() {
            let other = &pieces[below];
            if !other.changes_files {
                continue;
            }
            let Some(of_other) = rate(plan, rates, other) else { break };
            if of_other <= own {
                break;
            }
            if !pieces_are_apart(other, &pieces[place]) {
                let why = "what changes more often lies below it and lands in the same place";
                notes.push(Note::held_back(pieces[place].span(), why));
                break;
            }
            to = below;
        }
        if to < place {
            if can_change_places(&pieces[to..=place]) {
                let piece = pieces.remove(place);
                notes.push(Note::did(piece.span(), "it changes less often than what it is laid over"));
                pieces.insert(to, piece);
            } else {
                let why =
                    "who asked for it is not known, and would seem to be who asked for what is next to it";
                notes.push(Note::held_back(pieces[place].span(), why));
            }
        }
        place += 1;
    }
    pieces
}
