//! How a record comes about: the files are read while the build runs, the rest is known when it is over.
//!
//! Only a build that went well is recorded: the record says what has been built. That it cannot be
//! written spoils no build.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cogpack_build::outcome::{self, Outcome};
use cogpack_build::progress::StepOutline;
use cogpack_content::{Digest, Platform};
use cogpack_diff::files::ContextFiles;
use cogpack_diff::keys::{Contents, Keys};
use cogpack_diff::layers_of_stages;
use cogpack_diff::words::title;
use cogpack_io_project::files::{WriteError, write_file_atomically, write_stream_atomically};
use cogpack_io_project::seen::SeenFiles;
use cogpack_ir::plan::InputName;
use cogpack_ir::resolve::Resolved;

use super::contexts::{self, Trees};
use super::document::{Document, Layer, Op, OpState, Text, VERSION};
use super::home::Home;
use super::listing;
use super::summary::{Again, Hashing, Noting, Unchanged, note};
use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::progress::board::{Board, State};
use crate::report::{self, Format};
use crate::source_text::SourceText;

/// A record to be.
pub struct Recording {
    home: Home,
    file: PlanFile,
    platforms: Vec<Platform>,
    trees: Option<Sender<Trees>>,
    reading: JoinHandle<Option<Read>>,
}

/// What is read while the build runs.
struct Read {
    plan: Resolved,
    found: Result<Found, Failure>,
}

/// What is known of the files of contexts.
enum Found {
    /// All is as it was when the last record was written.
    Unchanged(Unchanged),
    /// Something is not.
    New { files: ContextFiles, summary: Option<Digest>, seen: SeenFiles },
}

/// What a build tells of itself when it is over.
pub struct Told<'a> {
    /// What built.
    pub builder: &'static str,
    /// What was told of its steps.
    pub board: &'a Board,
    /// What it left.
    pub outcome: &'a Outcome,
    /// How long it took.
    pub took: Duration,
}

impl Recording {
    /// Begins to read what a plan, resolved as it was written, takes of its contexts, as soon as whoever builds
    /// has [walked](Self::walked) some of them; `None` where there is no place for a record.
    pub fn begin(
        file: &PlanFile,
        plan: &Resolved,
        platforms: Vec<Platform>,
        directories: &BTreeMap<InputName, PathBuf>,
    ) -> Option<Self> {
        let home = Home::of(file)?;
        let (of_thread, plan, directories) = (file.clone(), plan.clone(), directories.clone());
        let [seen, note, record] = [home.seen(), home.unchanged(), home.record()];
        let (trees, walked) = channel();
        let reading = thread::spawn(move || {
            // Nobody sends any where the build ends before that.
            let walked = walked.recv().ok()?;
            let found = find(&plan, &of_thread, &directories, walked, [&seen, &note, &record]);
            Some(Read { plan, found })
        });
        Some(Self { home, file: file.clone(), platforms, trees: Some(trees), reading })
    }

    /// Gives the contexts that have been walked for the build: they need not be walked again.
    pub fn walked(&mut self, trees: Trees) {
        if let Some(sender) = self.trees.take() {
            // Who is gone has panicked, which is told when it is waited for.
            let _ = sender.send(trees);
        }
    }

    /// Writes the record of a build that went well.
    pub fn finish(mut self, told: &Told<'_>, format: Format, console: &mut Console<'_>) {
        self.walked(Trees::new());
        let Self { home, file, platforms, trees: _, reading } = self;
        let read = match reading.join() {
            Ok(read) => read,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let Some(Read { plan, found }) = read else { return };
        let written = found.and_then(|found| {
            let written = write(&home, &file, &plan, platforms, found, told);
            written.map_err(|error| Failure::of(&error))
        });
        if let Err(failure) = written {
            let failure = failure.seen_from(&console.directory);
            let causes: String = failure.causes.iter().map(|cause| format!(": {cause}")).collect();
            let message = format!(
                "note: there is no record of this build, by which `explain --since last` tells what the next one \
                 runs: {}{causes}; `--no-record` asks for none",
                failure.message
            );
            report::remark(&message, format, console);
        }
    }
}

/// What is known of the contexts of a plan. Nothing is listed where all is as it was.
fn find(
    plan: &Resolved,
    file: &PlanFile,
    directories: &BTreeMap<InputName, PathBuf>,
    walked: Trees,
    [seen, note, record]: [&Path; 3],
) -> Result<Found, Failure> {
    let walked = contexts::walk(plan, file, directories, walked)?;
    let summary = contexts::summary(file, &walked.trees);
    if let Some(unchanged) = summary.and_then(|summary| Unchanged::find(note, record, &summary)) {
        return Ok(Found::Unchanged(unchanged));
    }
    let mut seen = SeenFiles::read(seen);
    let files = contexts::to_record(plan, &walked, &mut seen)?;
    Ok(Found::New { files, summary, seen })
}

fn write(
    home: &Home,
    file: &PlanFile,
    plan: &Resolved,
    platforms: Vec<Platform>,
    found: Found,
    told: &Told<'_>,
) -> Result<(), WriteError> {
    home.prepare()?;
    match found {
        Found::Unchanged(mut unchanged) => {
            let contents = Again::new(unchanged.takings.clone());
            let document = document(file, plan, platforms, &contents, told);
            if unchanged.tells(&document, &home.record()) {
                return Ok(());
            }
            write_stream_atomically(&home.record(), |out| {
                out.write_all(document.to_text().as_bytes())?;
                unchanged.write_to(out)
            })
        }
        Found::New { files, summary, seen } => {
            let contents = Noting::new(&files);
            let document = document(file, plan, platforms, &contents, told);
            let takings = contents.done();
            write_stream_atomically(&home.seen(), |out| seen.write_to(out))?;
            let mut part = None;
            write_stream_atomically(&home.record(), |out| {
                out.write_all(document.to_text().as_bytes())?;
                let mut hashing = Hashing::new(out);
                listing::write(&files, &mut hashing)?;
                part = Some(hashing.part());
                Ok(())
            })?;
            match (summary, part) {
                (Some(summary), Some(part)) => {
                    write_file_atomically(&home.unchanged(), note(&summary, &part, &takings).as_bytes())
                }
                (None, _) | (_, None) => Ok(()),
            }
        }
    }
}

fn document(
    file: &PlanFile,
    plan: &Resolved,
    platforms: Vec<Platform>,
    contents: &dyn Contents,
    told: &Told<'_>,
) -> Document {
    let name = file.path.as_deref().and_then(std::path::Path::file_name);
    Document {
        build_record: VERSION,
        plan_file: name.map(|name| name.to_string_lossy().into_owned()),
        plan: file.text.to_string(),
        platforms: platforms.into_iter().map(Text).collect(),
        builder: told.builder.to_owned(),
        image: told.outcome.digest.or(told.outcome.config_digest).map(Text),
        took_ms: milliseconds(told.took),
        ops: ops(file, plan, &Keys::of(plan, contents), told),
        layers: told.outcome.layers.iter().map(layer).collect(),
    }
}

fn ops(file: &PlanFile, plan: &Resolved, keys: &Keys, told: &Told<'_>) -> Vec<Op> {
    let sizes = sizes(plan, &told.outcome.layers);
    let text = SourceText::new(&file.shown, &file.text);
    let mut ops = Vec::new();
    for id in plan.order() {
        let stage = plan.stage(*id).name.value.to_string();
        for (place, (step, key)) in plan.steps(*id).iter().zip(keys.steps(*id)).enumerate() {
            let Some(key) = key else { continue };
            let line = step.op.span.range().map(|range| text.place(range.start).line);
            let (state, took) = line.and_then(|line| done(told.board, &stage, line)).unzip();
            let took_ms = took.filter(|_| state == Some(OpState::Ran)).map(milliseconds);
            ops.push(Op {
                stage: stage.clone(),
                line,
                op: title(step.op),
                key: Text(key.key),
                state,
                took_ms,
                size: sizes.get(&(id.index(), place)).copied(),
            });
        }
    }
    // What is made together is one step of the builder, at the first one's line.
    let known: BTreeMap<Digest, (OpState, Option<u64>)> =
        ops.iter().filter_map(|op| Some((op.key.0, (op.state?, op.took_ms)))).collect();
    for op in ops.iter_mut().filter(|op| op.state.is_none()) {
        let Some((state, took_ms)) = known.get(&op.key.0) else { continue };
        (op.state, op.took_ms) = (Some(*state), *took_ms);
    }
    ops
}

/// By stage and step: how many bytes the layer has that it is in. Layers are those of the plan as it was written
/// where as many are of its stages: passes make fewer of them, and never others.
fn sizes(plan: &Resolved, layers: &[outcome::Layer]) -> BTreeMap<(usize, usize), u64> {
    let platform = layers.first().and_then(|layer| layer.platform.as_ref());
    let layers: Vec<&outcome::Layer> =
        layers.iter().filter(|layer| layer.platform.as_ref() == platform).collect();
    let planned = layers_of_stages(plan);
    let Some(below) = layers.len().checked_sub(planned.len()) else { return BTreeMap::new() };
    let is_of = |layer: &outcome::Layer, stage: &str| {
        let made_by = layer.made_by.as_deref().unwrap_or_default();
        made_by.split([' ', ':']).any(|word| word == stage)
    };
    let mut sizes = BTreeMap::new();
    for (layer, (stage, steps)) in layers[below..].iter().zip(planned) {
        if !is_of(layer, &plan.stage(stage).name.value.to_string()) {
            return BTreeMap::new();
        }
        sizes.extend(steps.map(|step| ((stage.index(), step), layer.size)));
    }
    sizes
}

/// What the steps of a builder at a line did. The last of them is the op itself, after what it needs;
/// where there is one for each platform, all of them count.
fn done(board: &Board, stage: &str, line: usize) -> Option<(OpState, Duration)> {
    let is_it = |outline: &StepOutline| {
        outline.place.as_deref() == Some(stage) && outline.line.map(|line| line as usize) == Some(line)
    };
    let mut last: BTreeMap<Option<&Platform>, OpState> = BTreeMap::new();
    let mut took = Duration::ZERO;
    for step in board.steps.iter().filter(|step| is_it(&step.outline)) {
        took += step.took;
        let state = match step.state {
            State::Done => OpState::Ran,
            State::Cached => OpState::Cached,
            State::Waiting | State::Running(_) | State::Failed | State::Cancelled => OpState::NotNeeded,
        };
        last.insert(step.outline.platform.as_ref(), state);
    }
    let states: Vec<OpState> = last.into_values().collect();
    let [first, ..] = states[..] else { return None };
    let any = |state| states.contains(&state).then_some(state);
    Some((any(OpState::Ran).or_else(|| any(OpState::Cached)).unwrap_or(first), took))
}

fn layer(layer: &outcome::Layer) -> Layer {
    let outcome::Layer { digest, size, compressed, made_by, platform } = layer.clone();
    Layer { digest: digest.map(Text), size, compressed, made_by, platform: platform.map(Text) }
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
