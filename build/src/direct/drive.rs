//! Drives the evaluation of a plan: runs its programs, two at a time, and writes the image.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::{PathProblem, Tree};
use cogpack_backends_oci_direct::program::{Origin, Program};
use cogpack_backends_oci_direct::{Assembly, Inputs};
use cogpack_content::Digest;
use cogpack_io_layout::base_files::BaseFiles;
use cogpack_io_layout::read::StoredImage;
use cogpack_io_runtime::job::{Ended, Stream as JobStream};
use cogpack_io_runtime::run::Cancel;
use cogpack_io_runtime::{abilities, machine, run};
use cogpack_ir::resolve::StageId;

use super::content::Contents;
use super::key::Key;
use super::order::{Order, Part, UseOfResults};
use super::part::{self, PartProblem};
use super::program::{PrepareError, prepare};
use super::pull::{Moved, Pull};
use super::shelf::{OnDisk, Shelf, here};
use super::telling::Telling;
use super::{Programs, write};
use crate::failure::{BuildError, FailedOp};
use crate::hints;
use crate::outcome::Outcome;
use crate::progress::{Progress, Progresses, StepId, Stream};

/// Most programs that run at once: what they do uses several processors by itself.
const AT_ONCE: usize = 2;
/// How much of the end of its output is kept of a program.
const TAIL: usize = 64 << 10;

/// What running a program comes to, if it comes to anything.
type Left = std::thread::Result<Result<Tree<Content>, BuildError>>;

/// Builds.
pub fn build(
    order: &Order,
    programs: Option<&Programs>,
    progress: &Progresses,
    cancel: &Cancel,
) -> Result<Outcome, BuildError> {
    write::check(&order.destinations)?;
    let telling = Telling::begin(order, progress);
    let built = make(order, programs, &telling, cancel);
    // What a failed build has made is of use to the next one.
    let settled = match programs {
        Some(Programs { store, .. }) if !store.is_settled() => {
            telling.doing("write what is kept to the disk", || store.settle().map_err(here("use the store")))
        }
        Some(_) | None => Ok(()),
    };
    let outcome = built?;
    settled?;
    telling.tell(Progress::Done(outcome.clone()));
    Ok(outcome)
}

fn make(
    order: &Order,
    programs: Option<&Programs>,
    telling: &Telling<'_>,
    cancel: &Cancel,
) -> Result<Outcome, BuildError> {
    programs.map_or(Ok(()), |programs| check_machine(programs, cancel))?;
    let assemble = |(place, part)| assemble(order, place, part, programs, telling, cancel);
    let assemblies = order.parts.iter().enumerate().map(assemble).collect::<Result<Vec<_>, _>>()?;
    let store = programs.map(|programs| &programs.store);
    telling.moving("write the image", |told| write::write(order, &assemblies, store, told))
}

/// Makes the image for some of the platforms.
fn assemble(
    order: &Order,
    place: usize,
    part: &Part,
    programs: Option<&Programs>,
    telling: &Telling<'_>,
    cancel: &Cancel,
) -> Result<Assembly, BuildError> {
    let contents = Contents { contexts: &*part.files, store: programs.map(|programs| &programs.store) };
    let mut inputs =
        Inputs { directories: part.directories.clone(), layers: part.layers.clone(), ..Inputs::default() };
    let shelf = programs.map(|programs| Shelf::new(&programs.store, contents, order.time));
    for (name, (layout, image)) in &part.bases {
        if cancel.is_cancelled() {
            return Err(BuildError::Cancelled);
        }
        if let Some(pull) = part.pulls.get(name) {
            fetch(pull, image, &telling.of(place, &format!("pull {}", pull.name)), telling, cancel)?;
        }
        let base = telling.doing(&telling.of(place, &format!("read the image {name}")), || match &shelf {
            Some(shelf) => shelf.add_base(Origin::Base(name.clone()), layout, image),
            None => layout.base(image).map_err(here(format!("read the image `{name}`"))),
        })?;
        inputs.bases.insert(name.clone(), base);
    }
    let files = BaseFiles::new(&part.bases, &contents);
    let mut evaluation = part.recipe.evaluation(&inputs, &files);
    let mut waiting: VecDeque<Program> = VecDeque::new();
    std::thread::scope(|scope| {
        let (ended, ends) = channel::<(StageId, Left)>();
        let mut running = 0;
        let mut failure = None;
        loop {
            if failure.is_none() {
                waiting.extend(evaluation.advance());
                for (stage, step) in evaluation.passed() {
                    tell_passed(telling, telling.step(place, stage, step));
                }
            }
            if failure.is_some() || evaluation.has_problems() || cancel.is_cancelled() {
                waiting.clear();
            }
            while running < AT_ONCE
                && let (Some(shelf), Some(programs)) = (&shelf, programs)
                && let Some(program) = waiting.pop_front()
            {
                running += 1;
                let ended = ended.clone();
                let running = Running { order, part: place, programs, shelf, telling, cancel };
                scope.spawn(move || {
                    let left = catch_unwind(AssertUnwindSafe(|| running.program(&program)));
                    // The other end waits for every program that it has started.
                    let _ = ended.send((program.stage, left));
                });
            }
            if running == 0 {
                break;
            }
            let Ok((stage, left)) = ends.recv() else { break };
            running -= 1;
            match left {
                Ok(Ok(tree)) => evaluation.ran(stage, tree),
                Ok(Err(error)) => {
                    // The first one is the cause; it ends the others.
                    failure.get_or_insert(error);
                    cancel.cancel();
                }
                Err(panic) => {
                    cancel.cancel();
                    resume_unwind(panic);
                }
            }
        }
        failure.map_or(Ok(()), Err)
    })?;
    if cancel.is_cancelled() {
        return Err(BuildError::Cancelled);
    }
    let rootfs = evaluation.finish().map_err(BuildError::Assembly)?;
    Ok(part.recipe.assembly(rootfs, order.time))
}

/// Gets the layers of a base that are not in the store.
fn fetch(
    pull: &Pull,
    image: &StoredImage,
    what: &str,
    telling: &Telling<'_>,
    cancel: &Cancel,
) -> Result<(), BuildError> {
    let step = telling.added(what);
    let missing = pull.missing(image)?;
    if missing.is_empty() {
        telling.tell(Progress::Cached(step));
        return Ok(());
    }
    let told = |moved: Moved| {
        let Moved { layer, amount, complete } = moved;
        telling.tell(Progress::Moved { step, item: layer, amount, complete });
    };
    telling.work(Some(step), || {
        let fetched = pull.fetch(missing, &told, &|| cancel.is_cancelled());
        if cancel.is_cancelled() { Err(BuildError::Cancelled) } else { Ok(fetched?) }
    })
}

/// Programs are told of by those who run them; of file ops that they are done.
fn tell_passed(telling: &Telling<'_>, step: Option<StepId>) {
    if let Some(step) = step
        && !telling.outline(step).is_some_and(|outline| is_program(&outline.name))
    {
        // What is done in memory takes no time that anybody would want to know.
        let _ = telling.work(Some(step), || Ok(()));
    }
}

fn is_program(name: &str) -> bool {
    name.starts_with("run ") || name.starts_with("exec ")
}

/// Finds out, before any work, whether programs can be run.
pub fn check_machine(programs: &Programs, cancel: &Cancel) -> Result<(), BuildError> {
    if !machine::is_root() {
        return Err(BuildError::Unable {
            what: "running programs without a daemon takes root, or a user namespace".to_owned(),
            help: "run this command as root, or build with `--builder buildkit`".to_owned(),
        });
    }
    let work = programs.store.work().map_err(here("use the store"))?;
    run::check(work.path()).map_err(|error| {
        // It may take an overlay, when there is room.
        if matches!(error.source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            return here("try to run programs")(error);
        }
        BuildError::Unable {
            what: format!(
                "this machine lays no filesystems over each other in `{}`: {}",
                programs.store.root().display(),
                error.source
            ),
            help: "put the store on a filesystem that takes an overlay, as ext4 and xfs do: \
                   `--store DIR` or COGPACK_STORE; or build with `--builder buildkit`"
                .to_owned(),
        }
    })?;
    check_runtime(programs, cancel)
}

/// Finds out whether the runtime does what it is told.
fn check_runtime(Programs { runtime, store }: &Programs, cancel: &Cancel) -> Result<(), BuildError> {
    let (part, directory) =
        (store.work().map_err(here("use the store"))?, store.work().map_err(here("use the store"))?);
    let shown = runtime.program().display();
    let lacking = abilities::lacking(runtime, part.path(), directory.path(), cancel)
        .map_err(here(format!("find out what `{shown}` can do")))?;
    if lacking.is_empty() {
        return Ok(());
    }
    Err(BuildError::Unable {
        what: format!("`{shown}` does not run programs as they are to be run: it {}", lacking.join("; it ")),
        help: "name another runtime with `--runtime`, for instance crun or runc, or build with \
               `--builder buildkit`"
            .to_owned(),
    })
}

/// What is needed to run the programs of a build.
#[derive(Clone, Copy)]
struct Running<'b> {
    order: &'b Order,
    /// The place of its part of the order.
    part: usize,
    programs: &'b Programs,
    shelf: &'b Shelf<'b>,
    telling: &'b Telling<'b>,
    cancel: &'b Cancel,
}

impl Running<'_> {
    /// What a program leaves, from the store where it has been run before.
    fn program(&self, program: &Program) -> Result<Tree<Content>, BuildError> {
        let step = self.telling.step(self.part, program.stage, program.step);
        let failed = |error: PrepareError| match error {
            PrepareError::Build(error) => error,
            PrepareError::Op(message) => self.failed_op(program, step, message, None, Vec::new()),
        };
        let prepared = prepare(program, self.shelf).map_err(failed)?;
        let store = &self.programs.store;
        let finished = match self.order.cache {
            UseOfResults::Used => store.finished(&prepared.key),
            UseOfResults::Ignored => None,
        };
        let (id, tree) = match finished {
            Some(id) => {
                step.into_iter().for_each(|step| self.telling.tell(Progress::Cached(step)));
                (id, self.lay(program, step, id)?)
            }
            None => self.telling.work(step, || {
                let work = store.work().map_err(here("use the store"))?;
                let is_cancelled = || self.cancel.is_cancelled();
                let (job, held) = prepared.job(self.order, self.shelf, &is_cancelled).map_err(failed)?;
                let tail = Mutex::new(Vec::new());
                let output = |stream: JobStream, bytes: &[u8]| {
                    keep_tail(&mut tail.lock().unwrap_or_else(PoisonError::into_inner), bytes);
                    let stream = match stream {
                        JobStream::Output => Stream::Output,
                        JobStream::Errors => Stream::Errors,
                    };
                    step.into_iter().for_each(|step| self.telling.output(step, stream, bytes));
                };
                let ran = run(&self.programs.runtime, work.path(), &job, &output, self.cancel).map_err(
                    here(format!("run a program with `{}`", self.programs.runtime.program().display())),
                )?;
                drop(held);
                let tail = tail.into_inner().unwrap_or_else(PoisonError::into_inner);
                match ran.ended {
                    Ended::Exited(0) => {}
                    Ended::Cancelled => return Err(BuildError::Cancelled),
                    Ended::Exited(code) => {
                        let message = format!("its program ended with exit code {code}");
                        return Err(self.failed_op(program, step, message, Some(code), tail));
                    }
                    Ended::NotStarted(message) => {
                        return Err(self.failed_op(program, step, message, None, tail));
                    }
                }
                // A program that is run again may leave something else, so each run has its own part.
                let name = work.path().file_name().unwrap_or_default().as_encoded_bytes();
                let id = Key::new("left 1").and(prepared.key.hex()).and(name).digest();
                store.keep_part(&id, &ran.left).map_err(here("use the store"))?;
                // What is no filesystem of an image is no result.
                let tree = self.lay(program, step, id)?;
                store.remember(&prepared.key, &id, &work).map_err(here("use the store"))?;
                Ok((id, tree))
            })?,
        };
        let parts = prepared.root.parts.iter().copied().chain([id]).collect();
        let left = OnDisk { parts, tree: tree.clone() };
        self.shelf.add_program(Origin::Program(program.stage, program.step), left);
        Ok(tree)
    }

    /// What a program leaves, by what it ran on and the part that holds the difference.
    fn lay(&self, program: &Program, step: Option<StepId>, id: Digest) -> Result<Tree<Content>, BuildError> {
        let mut tree = program.root.tree.clone();
        let at = self.programs.store.part_path(&id);
        let Err(problem) = part::lay(id, &at, &self.shelf.room, &mut tree) else { return Ok(tree) };
        if let PartProblem::Misfit { problem: too_deep @ PathProblem::TooDeep(_), .. } = &problem {
            let message = format!("no image can hold what its program has left: {too_deep}");
            return Err(self.failed_op(program, step, message, None, Vec::new()));
        }
        Err(here("read what a program has left")(problem))
    }

    fn failed_op(
        &self,
        program: &Program,
        step: Option<StepId>,
        message: String,
        exit_code: Option<i32>,
        output: Vec<u8>,
    ) -> BuildError {
        let step = step.and_then(|step| self.telling.outline(step)).cloned();
        BuildError::Op(Box::new(FailedOp {
            help: hints::of(step.as_ref(), &message, &output),
            message,
            step,
            lines: self.order.lines(program.span),
            exit_code,
            output,
        }))
    }
}

/// Adds to the end of an output, and lets its beginning go.
fn keep_tail(tail: &mut Vec<u8>, bytes: &[u8]) {
    tail.extend_from_slice(bytes);
    if tail.len() > 2 * TAIL {
        tail.drain(..tail.len() - TAIL);
    }
}
