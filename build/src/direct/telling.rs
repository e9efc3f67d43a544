//! What is told of a build while it works: the ops of the plan as steps, and a few of our own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Instant;

use cogpack_backends_contract::layers::changes_filesystem;
use cogpack_backends_contract::titles::title;
use cogpack_content::Platform;
use cogpack_io_layout::told::{Moved, Told};
use cogpack_ir::plan::PhaseName;
use cogpack_ir::resolve::StageId;

use super::order::Order;
use crate::failure::BuildError;
use crate::progress::{Amount, Outline, Progress, Progresses, Role, StepId, StepOutline, Stream};

/// Tells of one build.
pub struct Telling<'b> {
    progress: &'b Progresses,
    outline: Outline,
    steps: BTreeMap<(usize, StageId, usize), StepId>,
    /// What steps of our own are called by, where there are several platforms.
    platforms: Vec<Option<Platform>>,
    /// How many steps were told of.
    count: Mutex<usize>,
}

impl<'b> Telling<'b> {
    /// Tells what is going to be done.
    pub fn begin(order: &Order, progress: &'b Progresses) -> Self {
        let (mut outlines, mut steps) = (Vec::new(), BTreeMap::new());
        let several = order.parts.len() > 1;
        let platforms: Vec<Option<Platform>> = order
            .parts
            .iter()
            .map(|part| part.recipe.platforms().into_iter().next().filter(|_| several))
            .collect();
        for (part, platform) in platforms.iter().enumerate() {
            let plan = order.parts[part].recipe.plan();
            for id in plan.order() {
                let stage = plan.stage(*id);
                for (place, step) in plan.steps(*id).iter().enumerate() {
                    if !changes_filesystem(&step.op.kind) {
                        continue;
                    }
                    steps.insert((part, *id, place), StepId(outlines.len()));
                    outlines.push(StepOutline {
                        phase: stage.phase.as_ref().map(|phase| phase.value.clone()),
                        place: Some(stage.name.value.to_string()),
                        line: order.lines(step.op.span).map(|(first, _)| first),
                        platform: platform.clone(),
                        name: title(&step.op.kind),
                        role: Role::Work,
                    });
                }
            }
        }
        let outline = Outline { phases: phases(&outlines), steps: outlines };
        let count = Mutex::new(outline.steps.len());
        let telling = Self { progress, outline, steps, platforms, count };
        telling.tell(Progress::Planned(telling.outline.clone()));
        telling
    }

    /// The step of an op of a part, if it has one.
    pub fn step(&self, part: usize, stage: StageId, place: usize) -> Option<StepId> {
        self.steps.get(&(part, stage, place)).copied()
    }

    /// What a part does, with the platform that it is for where there are several.
    pub fn of(&self, part: usize, what: &str) -> String {
        match self.platforms.get(part) {
            Some(Some(platform)) => format!("{what} [{platform}]"),
            Some(None) | None => what.to_owned(),
        }
    }

    /// What a step is.
    pub fn outline(&self, step: StepId) -> Option<&StepOutline> {
        self.outline.steps.get(step.0)
    }

    /// Something of our own, told from its beginning to its end.
    pub fn doing<T>(
        &self,
        what: &str,
        doing: impl FnOnce() -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        let step = self.added(what);
        self.work(Some(step), doing)
    }

    /// Something of our own that tells how far it is.
    pub fn moving<T>(
        &self,
        what: &str,
        doing: impl FnOnce(&Told<'_>) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        let step = self.added(what);
        let told = |moved: Moved<'_>| {
            let amount = Amount { done: moved.done, total: Some(moved.total) };
            let (item, complete) = (moved.item.to_owned(), moved.complete);
            self.tell(Progress::Moved { step, item, amount, complete });
        };
        self.work(Some(step), || doing(&told))
    }

    /// A step of our own.
    pub fn added(&self, what: &str) -> StepId {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let step = StepId(*count);
        *count += 1;
        self.tell(Progress::Added { name: what.to_owned() });
        step
    }

    /// A step, told from its beginning to its end.
    pub fn work<T>(
        &self,
        step: Option<StepId>,
        doing: impl FnOnce() -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        let Some(step) = step else { return doing() };
        self.tell(Progress::Started(step));
        let began = Instant::now();
        let done = doing();
        self.tell(match &done {
            Ok(_) => Progress::Finished { step, took: began.elapsed() },
            Err(BuildError::Cancelled) => Progress::Cancelled(step),
            Err(error) => Progress::Failed { step, message: error.to_string() },
        });
        done
    }

    /// What a program wrote.
    pub fn output(&self, step: StepId, stream: Stream, bytes: &[u8]) {
        self.tell(Progress::Output { step, stream, bytes: bytes.to_vec() });
    }

    /// Something that happened.
    pub fn tell(&self, happened: Progress) {
        // That nobody listens any more stops no build.
        let _ = self.progress.send(happened);
    }
}

/// The phases of steps, in the order of their first steps.
fn phases(steps: &[StepOutline]) -> Vec<PhaseName> {
    let mut seen = BTreeSet::new();
    let named = steps.iter().filter_map(|step| step.phase.as_ref());
    named.filter(|phase| seen.insert(*phase)).cloned().collect()
}
