//! How a record comes about: the files are read while the build runs, the rest is known when it is over.
//!
//! Only a build that went well is recorded: the record says what has been built. That it cannot be
//! written spoils no build.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cogpack_build::outcome::{self, Outcome};
use cogpack_build::progress::StepOutline;
use cogpack_content::{Digest, Platform};
use cogpack_diff::files::ContextFiles;
use cogpack_diff::keys::{Contents, Keys};
use cogpack_diff::words::title;
use cogpack_io_project::seen::SeenFiles;
use cogpack_ir::plan::InputName;
use cogpack_ir::resolve::Resolved;

use super::contexts;
use super::document::{Document, Layer, Op, OpState, Text, VERSION, listed};
use super::home::Home;
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
    reading: JoinHandle<Read>,
}

/// What is read while the build runs.
struct Read {
    plan: Resolved,
    files: Result<Option<ContextFiles>, Failure>,
    seen: SeenFiles,
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
    /// Begins to read what a plan, resolved as it was written, takes of its contexts; `None` where there
    /// is no place for a record.
    pub fn begin(
        file: &PlanFile,
        plan: &Resolved,
        platforms: Vec<Platform>,
        directories: &BTreeMap<InputName, PathBuf>,
    ) -> Option<Self> {
        let home = Home::of(file)?;
        let (path, plan, directories) = (home.seen(), plan.clone(), directories.clone());
        let of_thread = file.clone();
        let reading = thread::spawn(move || {
            let mut seen = SeenFiles::parse(&fs::read_to_string(path).unwrap_or_default());
            let files = contexts::read(&plan, &of_thread, &directories, &mut seen);
            Read { plan, files, seen }
        });
        Some(Self { home, file: file.clone(), platforms, reading })
    }

    /// Writes the record of a build that went well.
    pub fn finish(self, told: &Told<'_>, format: Format, console: &mut Console<'_>) {
        let Self { home, file, platforms, reading } = self;
        let Read { plan, files, seen } = match reading.join() {
            Ok(read) => read,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let written = files.and_then(|files| {
            let document = document(&file, &plan, platforms, files.as_ref(), told);
            home.write(&document.to_text(), &seen.to_text()).map_err(|error| Failure::of(&error))
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

fn document(
    file: &PlanFile,
    plan: &Resolved,
    platforms: Vec<Platform>,
    files: Option<&ContextFiles>,
    told: &Told<'_>,
) -> Document {
    let nothing = BTreeMap::<InputName, Digest>::new();
    let contents: &dyn Contents = match files {
        Some(files) => files,
        None => &nothing,
    };
    let name = file.path.as_deref().and_then(std::path::Path::file_name);
    Document {
        build_record: VERSION,
        plan_file: name.map(|name| name.to_string_lossy().into_owned()),
        plan: file.text.to_string(),
        platforms: platforms.into_iter().map(Text).collect(),
        builder: told.builder.to_owned(),
        image: told.outcome.digest.or(told.outcome.config_digest).map(Text),
        took_ms: milliseconds(told.took),
        ops: ops(file, plan, &Keys::of(plan, contents), told.board),
        layers: told.outcome.layers.iter().map(layer).collect(),
        contexts: files.map(listed),
    }
}

fn ops(file: &PlanFile, plan: &Resolved, keys: &Keys, board: &Board) -> Vec<Op> {
    let text = SourceText::new(&file.shown, &file.text);
    let mut ops = Vec::new();
    for id in plan.order() {
        let stage = plan.stage(*id).name.value.to_string();
        for (step, key) in plan.steps(*id).iter().zip(keys.steps(*id)) {
            let Some(key) = key else { continue };
            let line = step.op.span.range().map(|range| text.place(range.start).line);
            let (state, took) = line.and_then(|line| done(board, &stage, line)).unzip();
            let took_ms = took.filter(|_| state == Some(OpState::Ran)).map(milliseconds);
            ops.push(Op {
                stage: stage.clone(),
                line,
                op: title(step.op),
                key: Text(key.key),
                state,
                took_ms,
            });
        }
    }
    // What is made together is one step of the builder, at the first one's line.
    let known: BTreeMap<Digest, OpState> = ops.iter().filter_map(|op| Some((op.key.0, op.state?))).collect();
    for op in &mut ops {
        op.state = op.state.or_else(|| known.get(&op.key.0).copied());
    }
    ops
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
