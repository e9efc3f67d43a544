//! Which ops run again, and what makes them: for each the one thing that was changed and led to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cogpack_content::{Digest, Lookup};
use cogpack_ir::plan::{Input, Span, StageName};

use crate::files::change::FilesChange;
use crate::keys::{OpKey, Taken};
use crate::ops::{Before, How, Ops};
use crate::seen::Seen;
use crate::side::Side;
use crate::stages::Pairs;
use crate::words;

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// The stage and the op in which it shows, in a few words; `None` for declarations.
    pub at: Option<(StageName, String)>,
    /// Where that is written in the new plan.
    pub span: Span,
    /// What it is.
    pub what: What,
}

/// What may be changed so that something runs again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The op is new.
    New,
    /// The op says something else.
    Changed,
    /// The op sees other variables, another working directory, user or shell.
    Sees(String),
    /// An image or a context is another one.
    Input(Input),
    /// Something in a context is.
    Files(FilesChange),
    /// The stage starts from something else.
    Start,
    /// Another op was before it.
    Order(Option<String>),
    /// The same ops are in another layer.
    Layers,
}

impl Cause {
    /// Whether this is the op itself that was changed.
    pub fn is_own(&self) -> bool {
        match self.what {
            What::New | What::Changed => true,
            What::Sees(_) | What::Input(_) | What::Files(_) | What::Start | What::Order(_) | What::Layers => {
                false
            }
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, what, span: _ } = self;
        let (stage, op) = match (at, what) {
            (_, What::Files(change)) => return write!(out, "{change}"),
            (_, What::Input(Input::Image(name))) => return write!(out, "the image {name} is another one"),
            (Some(at), _) => at,
            (None, What::Input(input)) => return write!(out, "{input} is declared otherwise"),
            (None, _) => return write!(out, "a declaration is another one"),
        };
        match what {
            What::New => write!(out, "`{op}` of {stage} is new"),
            What::Changed => write!(out, "`{op}` of {stage} is changed"),
            What::Sees(seen) => write!(out, "`{op}` of {stage} sees {seen}"),
            What::Files(change) => write!(out, "{change}"),
            What::Input(input) => write!(out, "`{op}` of {stage} reads something else of {input}"),
            What::Start => write!(out, "{stage} starts from something else"),
            What::Order(Some(before)) => write!(out, "`{before}` is no longer before `{op}` of {stage}"),
            What::Order(None) => write!(out, "`{op}` of {stage} stands elsewhere"),
            What::Layers => write!(out, "the ops of {stage} make other layers"),
        }
    }
}

/// By stage and step of the new plan: why it runs again; `None` for what need not.
pub(crate) struct Causes {
    pub(crate) steps: Vec<Vec<Option<Cause>>>,
    /// By stage: why it leaves something else.
    pub(crate) ends: Vec<Option<Cause>>,
    /// The ops that take the files which are their cause.
    pub(crate) takers: BTreeSet<(usize, usize)>,
}

/// What of the old plan is there already.
pub(crate) struct Made {
    pub(crate) ops: Lookup<Digest, ()>,
}

impl Made {
    pub(crate) fn of(old: &Side<'_>) -> Self {
        let keys = old.ids.iter().flat_map(|id| old.keys.steps(*id)).flatten();
        Self { ops: keys.map(|key| (key.key, ())).collect() }
    }
}

/// Finds why ops run again.
pub(crate) fn causes(old: &Side<'_>, new: &Side<'_>, pairs: &Pairs, ops: &Ops, made: &Made) -> Causes {
    let none = new.said.iter().map(|steps| vec![None; steps.len()]).collect();
    let mut walk = Walk {
        old,
        new,
        pairs,
        ops,
        made,
        causes: Causes { steps: none, ends: vec![None; new.count()], takers: BTreeSet::new() },
        phases: BTreeMap::new(),
        seen: Seen::default(),
    };
    for id in new.resolved.order() {
        walk.stage(id.index());
    }
    walk.causes
}

/// An input, and what is taken of it.
type Read<'p> = (&'p Input, Taken<'p>);

struct Walk<'w, 'p> {
    old: &'w Side<'p>,
    new: &'w Side<'p>,
    pairs: &'w Pairs,
    ops: &'w Ops,
    made: &'w Made,
    causes: Causes,
    phases: BTreeMap<&'p Input, Option<Cause>>,
    seen: Seen<'p>,
}

impl<'p> Walk<'_, 'p> {
    fn stage(&mut self, stage: usize) {
        let id = self.new.ids[stage];
        let keys = self.new.keys.steps(id);
        let from = self.new.stage(stage).from.as_ref();
        let start = from.and_then(|from| {
            let declared = self.of_input(&from.value);
            declared.or_else(|| {
                let before = self.old.stage(self.pairs.new[stage]?).from.as_ref()?;
                self.files((&before.value, Taken::All), (&from.value, Taken::All))
            })
        });
        let mut below = start;
        for layer in self.new.keys.layers(id) {
            let mut top = if layer.independent { None } else { below.clone() };
            let mut step = layer.steps.start;
            while step < layer.steps.end {
                let Some(key) = &keys[step] else {
                    step += 1;
                    continue;
                };
                let together = key.together.clone();
                if self.made.ops.get(&key.key).is_some() {
                    top = None;
                } else {
                    top = Some(self.together(stage, keys, &together, top));
                }
                step = together.end;
            }
            match layer.independent {
                true => below = top.or(below),
                false => below = top,
            }
        }
        self.causes.ends[stage] = below;
    }

    /// Notes why ops that are made together run again; gives the first reason.
    fn together(
        &mut self,
        stage: usize,
        keys: &[Option<OpKey>],
        together: &std::ops::Range<usize>,
        below: Option<Cause>,
    ) -> Cause {
        let steps = together.clone().filter(|step| keys[*step].is_some());
        let own: Vec<(usize, Option<Cause>)> =
            steps.map(|step| (step, self.own(stage, step, keys[step].as_ref()))).collect();
        let first = own.iter().find_map(|(_, cause)| cause.clone());
        let of_all = first.or(below).unwrap_or_else(|| self.elsewhere(stage, own[0].0));
        for (step, cause) in own {
            self.causes.steps[stage][step] = Some(cause.unwrap_or_else(|| of_all.clone()));
        }
        of_all
    }

    /// Why an op runs again, whatever it is made on.
    fn own(&mut self, stage: usize, step: usize, key: Option<&OpKey>) -> Option<Cause> {
        let Some(Before { place, how }) = self.ops.new[stage][step] else {
            return Some(self.cause(stage, step, What::New));
        };
        if how == How::Changed {
            return Some(self.cause(stage, step, What::Changed));
        }
        let key = key?;
        // What no export needed was not made.
        let Some(before) = self.old.keys.steps(self.old.ids[place.0]).get(place.1).and_then(Option::as_ref)
        else {
            return Some(self.cause(stage, step, What::New));
        };
        if key.sees != before.sees {
            let seen = self.seen.between(self.old, self.new, place, (stage, step));
            return Some(self.cause(stage, step, What::Sees(seen)));
        }
        let inputs = self.new.reads((stage, step)).into_iter().zip(self.old.reads(place));
        let reads = key.reads.iter().zip(&before.reads).zip(inputs);
        let other: Vec<(Read<'p>, Read<'p>)> =
            reads.filter(|((now, then), _)| now != then).map(|(_, inputs)| inputs).collect();
        let ((input, _), _) = *other.first()?;
        if let Some(cause) = other.iter().find_map(|((input, _), _)| self.of_input(input)) {
            return Some(cause);
        }
        if let Some(cause) = other.iter().find_map(|(now, then)| self.files(*then, *now)) {
            self.causes.takers.insert((stage, step));
            return Some(cause);
        }
        Some(self.cause(stage, step, What::Input(input.clone())))
    }

    /// What of the files that are taken of a context is not as it was.
    fn files(&self, (then, taken_then): Read<'_>, (now, taken_now): Read<'_>) -> Option<Cause> {
        let (Input::Context(then), Input::Context(now)) = (then, now) else { return None };
        let before = self.old.contents.landed(then, taken_then)?;
        let after = self.new.contents.landed(now, taken_now)?;
        let change = FilesChange::between(now, (&before, taken_then), (&after, taken_now))?;
        Some(Cause { at: None, span: Span::NOWHERE, what: What::Files(change) })
    }

    /// Why an op runs again that says, sees and reads the same, on something that was there before.
    fn elsewhere(&self, stage: usize, step: usize) -> Cause {
        let Some(Before { place: (old_stage, old_step), .. }) = self.ops.new[stage][step] else {
            return self.cause(stage, step, What::New);
        };
        let made = |steps: &[Option<OpKey>], from: usize| {
            (0..from).rev().find(|step| steps.get(*step).is_some_and(Option::is_some))
        };
        let before = made(self.old.keys.steps(self.old.ids[old_stage]), old_step);
        let now = made(self.new.keys.steps(self.new.ids[stage]), step);
        let what = match (before, now) {
            (None, None) => What::Start,
            (Some(gone), _) if self.ops.old[old_stage][gone] != now.map(|now| (stage, now)) => {
                What::Order(Some(words::title(self.old.op((old_stage, gone)))))
            }
            (Some(_) | None, Some(_) | None) => What::Order(None),
        };
        self.cause(stage, step, what)
    }

    /// Why an input is another one than before; `None` where it is not new.
    fn of_input(&mut self, input: &'p Input) -> Option<Cause> {
        match input {
            Input::Scratch => None,
            Input::Stage(name) => self.causes.ends[self.new.resolved.id(name).index()].clone(),
            Input::Image(name) => {
                let (old, new) = (&self.old.written.images, &self.new.written.images);
                let image = new.get(name)?;
                let is_known = |other: &cogpack_ir::plan::BaseImage| {
                    (&other.reference, &other.digest) == (&image.reference, &image.digest)
                };
                let is_new = !old.get(name).is_some_and(is_known) && !old.values().any(is_known);
                is_new.then(|| declared(input, image.span))
            }
            Input::Context(name) => {
                let (old, new) = (&self.old.written.contexts, &self.new.written.contexts);
                let context = new.get(name)?;
                let is_new = old.get(name) != Some(context) && !old.values().any(|other| other == context);
                is_new.then(|| declared(input, context.span))
            }
            Input::Phase(phase) => {
                if let Some(known) = self.phases.get(input) {
                    return known.clone();
                }
                let merge = self.new.resolved.merge(phase);
                let base = self.of_input(&merge.base);
                let mut ends = merge.branches.iter().map(|id| self.causes.ends[id.index()].clone());
                let cause = base.or_else(|| ends.find_map(|cause| cause));
                self.phases.insert(input, cause.clone());
                cause
            }
        }
    }

    fn cause(&self, stage: usize, step: usize, what: What) -> Cause {
        let op = self.new.op((stage, step));
        let stage = self.new.stage(stage).name.value.clone();
        Cause { at: Some((stage, words::title(op))), span: op.span, what }
    }
}

fn declared(input: &Input, span: Span) -> Cause {
    Cause { at: None, span, what: What::Input(input.clone()) }
}
