//! What is known of a build at one moment: the sum of all that its builder said. Every renderer
//! that shows more than the last event reads it here.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use cogpack_build::progress::{Amount, Outline, Progress, Role, StepId, StepOutline, Stream, Warning};
use cogpack_ir::plan::{InputName, PhaseName};

use super::lines::Lines;

/// How many lines of a step's output are kept.
const KEPT_LINES: usize = 100;

/// A build at one moment.
#[derive(Debug, Default)]
pub struct Board {
    /// Phases in the order they are shown in.
    pub phases: Vec<PhaseName>,
    /// By place: the plan's steps, then the builder's own.
    pub steps: Vec<Step>,
    /// How many steps are the plan's.
    pub planned: usize,
    /// What was sent of each context.
    pub contexts: BTreeMap<InputName, Sent>,
    /// Warnings, in the order they came.
    pub warnings: Vec<Warning>,
}

/// A step at one moment.
#[derive(Debug)]
pub struct Step {
    /// What the plan says of it.
    pub outline: StepOutline,
    /// Where it stands.
    pub state: State,
    /// How long it ran, runs that are over together.
    pub took: Duration,
    /// Parts of it on their way, by name.
    pub items: BTreeMap<String, Item>,
    /// The last lines of its output.
    pub output: VecDeque<String>,
    /// What has not become a line yet, standard output first: a program that writes to both
    /// streams cuts neither with the other.
    open: [Lines; 2],
    has_run: bool,
}

/// A line that a program wrote, fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputLine {
    /// Where to.
    pub stream: Stream,
    /// Without its end.
    pub text: String,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has not started; after a build that went well: it was not needed.
    Waiting,
    /// It runs since then.
    Running(Duration),
    /// It ran.
    Done,
    /// It did not need to run.
    Cached,
    /// It failed.
    Failed,
    /// It was ended.
    Cancelled,
}

/// A part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Item {
    /// How much of it was moved.
    pub amount: Amount,
    /// Whether that was all.
    pub complete: bool,
    /// How much had been moved when it was first heard of, and when that was.
    pub first: (u64, Duration),
    /// When it was last heard of.
    pub last: Duration,
}

/// What was sent of a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// Files.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Whether that was all.
    pub complete: bool,
}

/// How many steps stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All of them.
    pub all: usize,
    /// Those that ran, or are in the cache.
    pub over: usize,
    /// Those in the cache.
    pub cached: usize,
    /// Those that run.
    pub running: usize,
}

impl Board {
    /// Takes in what happened, and gives the lines of output that became whole by it.
    pub fn take(&mut self, progress: &Progress, now: Duration) -> Vec<OutputLine> {
        match progress {
            Progress::Planned(Outline { phases, steps }) => {
                self.phases.clone_from(phases);
                self.planned = steps.len();
                self.steps = steps.iter().cloned().map(Step::of).collect();
            }
            Progress::Added { name } => {
                self.steps.push(Step::of(StepOutline { name: name.clone(), ..StepOutline::default() }));
            }
            Progress::Started(step) => self.change(*step, |step| step.state = State::Running(now)),
            Progress::Output { step, bytes, stream } => {
                let Some(step) = self.steps.get_mut(step.0) else { return Vec::new() };
                let whole = step.open[place(*stream)].push(bytes);
                let lines = whole.into_iter().map(|text| OutputLine { stream: *stream, text }).collect();
                return step.kept(lines);
            }
            Progress::Moved { step, item, amount, complete } => self.change(*step, |step| {
                let first = step.items.get(item).map_or((amount.done, now), |item| item.first);
                let item_now = Item { amount: *amount, complete: *complete, first, last: now };
                step.items.insert(item.clone(), item_now);
            }),
            Progress::Finished { step, took } => return self.end(*step, State::Done, *took),
            Progress::Cached(step) => return self.end(*step, State::Cached, Duration::ZERO),
            Progress::Failed { step, .. } => return self.end(*step, State::Failed, Duration::ZERO),
            Progress::Cancelled(step) => return self.end(*step, State::Cancelled, Duration::ZERO),
            Progress::Sent { context, entries: _, files, bytes, complete } => {
                let sent = Sent { files: *files, bytes: *bytes, complete: *complete };
                self.contexts.insert(context.clone(), sent);
            }
            Progress::Warned(warning) => self.warnings.push(warning.clone()),
            Progress::Done(_) => {}
        }
        Vec::new()
    }

    fn change(&mut self, step: StepId, change: impl FnOnce(&mut Step)) {
        // A builder that names a step nobody heard of has nothing to show for it.
        if let Some(step) = self.steps.get_mut(step.0) {
            change(step);
        }
    }

    fn end(&mut self, step: StepId, state: State, took: Duration) -> Vec<OutputLine> {
        let Some(step) = self.steps.get_mut(step.0) else { return Vec::new() };
        step.has_run |= state == State::Done;
        // A step of several parts is in the cache only if all of them are.
        step.state = if step.has_run && state == State::Cached { State::Done } else { state };
        step.took += took;
        let last = STREAMS
            .into_iter()
            .filter_map(|stream| step.open[place(stream)].finish().map(|text| OutputLine { stream, text }));
        let last = last.collect();
        step.kept(last)
    }

    /// What is known of a step.
    pub fn step(&self, step: StepId) -> Option<&Step> {
        self.steps.get(step.0)
    }

    /// The steps of a phase; those of none for `None`, the builder's own apart.
    pub fn steps_of<'a>(&'a self, phase: Option<&'a PhaseName>) -> impl Iterator<Item = &'a Step> {
        self.steps[..self.planned].iter().filter(move |step| step.outline.phase.as_ref() == phase)
    }

    /// The builder's own steps.
    pub fn added(&self) -> &[Step] {
        &self.steps[self.planned..]
    }

    /// How many of the plan's steps stand where, those that only read inputs apart.
    pub fn tally(&self) -> Tally {
        Tally::of(self.steps[..self.planned].iter().filter(|step| step.outline.role == Role::Work))
    }

    /// What was sent of all contexts together.
    pub fn sent(&self) -> Sent {
        self.contexts.values().fold(Sent { complete: true, ..Sent::default() }, |sum, sent| Sent {
            files: sum.files + sent.files,
            bytes: sum.bytes + sent.bytes,
            complete: sum.complete && sent.complete,
        })
    }
}

/// What takes less has no speed that anybody would want to know.
const LEAST_TIME: Duration = Duration::from_secs(1);

/// Both, in the order they are kept in.
const STREAMS: [Stream; 2] = [Stream::Output, Stream::Errors];

fn place(stream: Stream) -> usize {
    match stream {
        Stream::Output => 0,
        Stream::Errors => 1,
    }
}

impl Tally {
    /// The tally of some steps.
    pub fn of<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Self {
        steps.into_iter().fold(Self::default(), |mut tally, step| {
            tally.all += 1;
            match step.state {
                State::Done => tally.over += 1,
                State::Cached => {
                    tally.over += 1;
                    tally.cached += 1;
                }
                State::Running(_) => tally.running += 1,
                State::Waiting | State::Failed | State::Cancelled => {}
            }
            tally
        })
    }
}

impl Item {
    /// How many bytes of it were moved in a second, where it has taken long enough to know.
    pub fn speed(&self) -> Option<u64> {
        let (before, since) = self.first;
        let took = self.last.saturating_sub(since);
        let moved = u128::from(self.amount.done.saturating_sub(before));
        let speed = (moved * 1000).checked_div(took.as_millis())?;
        (took >= LEAST_TIME && speed > 0).then(|| u64::try_from(speed).unwrap_or(u64::MAX))
    }
}

impl Step {
    fn of(outline: StepOutline) -> Self {
        Self {
            outline,
            state: State::Waiting,
            took: Duration::ZERO,
            items: BTreeMap::new(),
            output: VecDeque::new(),
            open: Default::default(),
            has_run: false,
        }
    }

    /// Keeps the last lines, and gives all of them back.
    fn kept(&mut self, lines: Vec<OutputLine>) -> Vec<OutputLine> {
        self.output.extend(lines.iter().map(|line| line.text.clone()));
        let surplus = self.output.len().saturating_sub(KEPT_LINES);
        self.output.drain(..surplus);
        lines
    }

    /// The last lines that it wrote, with the one that has not ended yet.
    pub fn last_lines(&self, most: usize) -> Vec<String> {
        let open = self.open.iter().filter_map(Lines::open);
        let whole = self.output.iter().filter(|line| !line.trim().is_empty()).cloned();
        let lines: Vec<String> = whole.chain(open).collect();
        lines[lines.len().saturating_sub(most)..].to_vec()
    }

    /// Where it stands in the plan and what it does, in one line: `%venv run uv sync`.
    pub fn title(&self) -> String {
        let mut title = String::new();
        if let Some(place) = &self.outline.place {
            title.push_str(place);
            title.push(' ');
        }
        title.push_str(&super::text::one_line(&self.outline.name));
        if let Some(platform) = &self.outline.platform {
            title.push_str(&format!(" [{platform}]"));
        }
        title
    }

    /// How long it has been running until now, or ran.
    pub fn elapsed(&self, now: Duration) -> Duration {
        match self.state {
            State::Running(since) => self.took + now.saturating_sub(since),
            State::Waiting | State::Done | State::Cached | State::Failed | State::Cancelled => self.took,
        }
    }

    /// How many bytes of all that is on its way are moved in a second.
    pub fn speed(&self) -> Option<u64> {
        let moving = self.items.values().filter(|item| !item.complete);
        moving.filter_map(Item::speed).reduce(u64::saturating_add)
    }

    /// How much of its parts was moved; `None` where it has none whose size is known.
    pub fn moved(&self) -> Option<Amount> {
        let moving = self.items.values().filter(|item| item.amount.done > 0 || item.amount.total.is_some());
        moving.fold(None, |sum: Option<Amount>, item| {
            let sum = sum.unwrap_or(Amount { done: 0, total: Some(0) });
            let total = sum.total.zip(item.amount.total).map(|(one, other)| one + other);
            Some(Amount { done: sum.done + item.amount.done, total })
        })
    }
}
