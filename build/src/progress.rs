//! What a builder says while it works: one closed enum over one channel, from builder to screen.
//!
//! A [`Progress`] holds no time of day. How long a finished step took is the builder's word; how
//! long a running one has been running is the screen's business, which has a clock.

use std::time::Duration;

use cogpack_content::Platform;
use cogpack_ir::plan::{InputName, PhaseName};

use crate::outcome::Outcome;

/// Where progress goes. That nobody listens any more stops no build.
pub type Progresses = tokio::sync::mpsc::UnboundedSender<Progress>;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// What is going to be done: first, and once.
    Planned(Outline),
    /// A step of the builder's own, which no line of the plan asks for. Its place is the next
    /// after all that are known.
    Added {
        /// What it does.
        name: String,
    },
    /// A step runs. One that was finished may start again: some do their work in two goes.
    Started(StepId),
    /// What a program wrote.
    Output {
        /// The step that runs it.
        step: StepId,
        /// Which stream it wrote to.
        stream: Stream,
        /// The bytes as they came: any bytes, cut anywhere.
        bytes: Vec<u8>,
    },
    /// How far a part of a step is: a layer that is pulled or pushed, a file that is written.
    Moved {
        /// The step.
        step: StepId,
        /// What is moved.
        item: String,
        /// How much of it has been.
        amount: Amount,
        /// Whether that was all.
        complete: bool,
    },
    /// A step is done.
    Finished {
        /// The step.
        step: StepId,
        /// How long it ran, as the builder measured it.
        took: Duration,
    },
    /// A step's result was there already.
    Cached(StepId),
    /// A step failed, and the build with it.
    Failed {
        /// The step.
        step: StepId,
        /// What the builder says about it.
        message: String,
    },
    /// A step was ended before it was done.
    Cancelled(StepId),
    /// Files of a context were sent.
    Sent {
        /// The context.
        context: InputName,
        /// How many files, directories and links the builder was told of so far.
        entries: u64,
        /// How many files' content it asked for and got: those that it did not have.
        files: u64,
        /// How many bytes of them so far.
        bytes: u64,
        /// Whether that was all.
        complete: bool,
    },
    /// Something that the author should know.
    Warned(Warning),
    /// The image is where it should be: last, and only where all went well.
    Done(Outcome),
}

/// All that is going to be done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// The phases that have steps, in the order they are shown in.
    pub phases: Vec<PhaseName>,
    /// The steps, each after what it needs.
    pub steps: Vec<StepOutline>,
}

/// The place of a step in the outline; steps that were added come after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub usize);

/// One step, as the plan knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepOutline {
    /// The phase it belongs to.
    pub phase: Option<PhaseName>,
    /// The stage or input it belongs to, as the plan writes it: `%venv`, `@source`.
    pub place: Option<String>,
    /// The line of the plan that asks for it, counted from 1.
    pub line: Option<u32>,
    /// The platform it is for, where a build has several.
    pub platform: Option<Platform>,
    /// What it does, in the plan's words.
    pub name: String,
    /// What it is for.
    pub role: Role,
}

/// What a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// It reads an image or a context. Builders look at those anew in every build, so that they
    /// did so says nothing about what was in the cache.
    Input,
    /// It makes something.
    #[default]
    Work,
}

/// A stream of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Errors,
}

/// How much of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// So much, in bytes.
    pub done: u64,
    /// Of so much, where that is known.
    pub total: Option<u64>,
}

/// Something that the author should know, and may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What.
    pub message: String,
    /// More about it, a line each.
    pub details: Vec<String>,
    /// The step that it is about.
    pub step: Option<StepId>,
}
