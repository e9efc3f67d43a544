//! Stages: a start, and ops on it.

use std::collections::BTreeSet;

use super::input::Input;
use super::names::{PhaseName, StageName};
use super::op::Op;
use super::span::Spanned;
use super::walk::{for_each_op, for_each_op_mut};

/// `stage NAME [in PHASE] [from INPUT] { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Unique in the plan.
    pub name: Spanned<StageName>,
    /// Where in the order of the build it stands.
    pub phase: Option<Spanned<PhaseName>>,
    /// What it starts from. Left out: the stage before it in its phase, or the phase's input.
    pub from: Option<Spanned<Input>>,
    /// `provides WORD`: what other blocks may ask whether somebody provides it.
    pub provides: BTreeSet<Spanned<String>>,
    /// What it does, in order.
    pub ops: Vec<Op>,
}

impl Stage {
    /// Calls `each` with every input the stage reads: `from`, then those of its ops, in order.
    pub fn for_each_input<'a>(&'a self, mut each: impl FnMut(&'a Spanned<Input>)) {
        if let Some(from) = &self.from {
            each(from);
        }
        for_each_input_of(&self.ops, &mut each);
    }

    /// The same for inputs that are to be changed.
    pub fn for_each_input_mut(&mut self, mut each: impl FnMut(&mut Spanned<Input>)) {
        if let Some(from) = &mut self.from {
            each(from);
        }
        for_each_op_mut(&mut self.ops, &mut |op| op.for_each_input_mut(&mut each));
    }
}

/// Calls `each` with every input that the ops of a block read, in order.
pub(crate) fn for_each_input_of<'a>(ops: &'a [Op], each: &mut impl FnMut(&'a Spanned<Input>)) {
    for_each_op(ops, &mut |op| op.for_each_input(&mut *each));
}
