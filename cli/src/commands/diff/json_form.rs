//! The answer for programs: the JSON that `docs/json.md` describes.

use cogpack_diff::{Cause, LayerState, OpChangeKind, What};
use serde::Serialize;
use serde_json::Value;

use super::Answer;
use super::told::Lines;
use crate::report::json;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    old: &'a str,
    new: &'a str,
    same: bool,
    stages: Vec<Stage>,
    settings: Vec<Setting<'a>>,
    layers: Vec<Layer>,
    gone: &'a [String],
    /// How many ops run where nothing was built before.
    ops: usize,
    runs: Vec<Run<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sizes: Option<Bytes>,
    edits: &'a [Value],
}

#[derive(Serialize)]
struct Stage {
    before: Option<String>,
    after: Option<String>,
    line: Option<usize>,
    phase: Option<[Option<String>; 2]>,
    from: Option<[String; 2]>,
    split_from: Option<String>,
    merged_into: Option<String>,
    ops: Vec<Op>,
}

#[derive(Serialize)]
struct Op {
    change: &'static str,
    from_stage: Option<String>,
    before: Option<String>,
    after: Option<String>,
    old_line: Option<usize>,
    new_line: Option<usize>,
}

#[derive(Serialize)]
struct Setting<'a> {
    what: &'a str,
    renamed_from: Option<&'a str>,
    before: Option<String>,
    after: Option<String>,
    line: Option<usize>,
}

#[derive(Serialize)]
struct Layer {
    stage: Option<String>,
    name: Option<String>,
    op: String,
    ops: usize,
    line: Option<usize>,
    state: &'static str,
    cause: Option<Reason>,
    /// The layer of the old image that it was, counted from 0 above its base.
    was: Option<usize>,
    /// What that layer has, compressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

#[derive(Serialize)]
struct Run<'a> {
    stage: String,
    op: &'a str,
    line: Option<usize>,
    in_image: bool,
    cause: Reason,
}

#[derive(Serialize)]
struct Reason {
    what: &'static str,
    stage: Option<String>,
    op: Option<String>,
    input: Option<String>,
    line: Option<usize>,
    text: String,
}

#[derive(Serialize)]
struct Bytes {
    stay: u64,
    again: u64,
    layers_of_unknown_size: usize,
}

/// The answer.
pub fn text(answer: &Answer<'_>) -> String {
    let Answer { old, new, found, sizes } = answer;
    let (old_lines, new_lines) = (Lines::of(old), Lines::of(new));
    let joined = |lines: &[String]| (!lines.is_empty()).then(|| lines.join("\n"));
    let reason = |cause: &Cause| Reason {
        what: match &cause.what {
            What::New => "new",
            What::Changed => "changed",
            What::Sees(_) => "sees",
            What::Input(_) => "input",
            What::Files(_) => "files",
            What::Start => "start",
            What::Order(_) => "order",
            What::Layers => "layers",
        },
        stage: cause.at.as_ref().map(|(stage, _)| stage.to_string()),
        op: cause.at.as_ref().map(|(_, op)| op.clone()),
        input: match &cause.what {
            What::Input(input) => Some(input.to_string()),
            What::Files(change) => Some(change.context.to_string()),
            What::New | What::Changed | What::Sees(_) | What::Start | What::Order(_) | What::Layers => None,
        },
        line: new_lines.at(cause.span),
        text: cause.to_string(),
    };
    let stages = found.stages.iter().map(|change| Stage {
        before: change.before.as_ref().map(ToString::to_string),
        after: change.after.as_ref().map(ToString::to_string),
        line: if change.after.is_some() { &new_lines } else { &old_lines }.at(change.span),
        phase: change
            .phase
            .as_ref()
            .map(|(before, after)| [before, after].map(|phase| phase.as_ref().map(ToString::to_string))),
        from: change.from.as_ref().map(|(before, after)| [before.clone(), after.clone()]),
        split_from: change.split_from.as_ref().map(ToString::to_string),
        merged_into: change.merged_into.as_ref().map(ToString::to_string),
        ops: change
            .ops
            .iter()
            .map(|op| Op {
                change: match &op.kind {
                    OpChangeKind::Added => "added",
                    OpChangeKind::Removed => "removed",
                    OpChangeKind::Changed => "changed",
                    OpChangeKind::Moved(_) => "moved",
                },
                from_stage: match &op.kind {
                    OpChangeKind::Moved(from) => Some(from.to_string()),
                    OpChangeKind::Added | OpChangeKind::Removed | OpChangeKind::Changed => None,
                },
                before: joined(&op.before),
                after: joined(&op.after),
                old_line: old_lines.at(op.old_span),
                new_line: new_lines.at(op.new_span),
            })
            .collect(),
    });
    let settings = found.settings.iter().map(|change| Setting {
        what: &change.what,
        renamed_from: change.renamed_from.as_deref(),
        before: joined(&change.before),
        after: joined(&change.after),
        line: if change.after.is_empty() { &old_lines } else { &new_lines }.at(change.span),
    });
    let layers = found.layers.iter().enumerate().map(|(place, layer)| Layer {
        stage: layer.stage.as_ref().map(ToString::to_string),
        name: layer.name.as_ref().map(ToString::to_string),
        op: layer.title.clone(),
        ops: layer.ops,
        line: new_lines.at(layer.span),
        state: match &layer.state {
            LayerState::Stays => "stays",
            LayerState::Changes(_) => "changes",
            LayerState::Rebuilt(_) => "rebuilt",
            LayerState::Comes => "comes",
        },
        cause: match &layer.state {
            LayerState::Stays | LayerState::Comes => None,
            LayerState::Changes(cause) | LayerState::Rebuilt(cause) => Some(reason(cause)),
        },
        was: layer.was,
        bytes: sizes.as_ref().and_then(|sizes| sizes.layers[place]),
    });
    let runs = found.runs.iter().map(|run| Run {
        stage: run.stage.to_string(),
        op: &run.op,
        line: new_lines.at(run.span),
        in_image: run.in_image,
        cause: reason(&run.cause),
    });
    json::text(&Document {
        version: json::VERSION,
        old: &old.shown,
        new: &new.shown,
        same: found.is_empty(),
        stages: stages.collect(),
        settings: settings.collect(),
        layers: layers.collect(),
        gone: &found.gone,
        ops: found.ops,
        runs: runs.collect(),
        sizes: sizes.as_ref().map(|sizes| Bytes {
            stay: sizes.stay,
            again: sizes.again,
            layers_of_unknown_size: sizes.unknown,
        }),
        edits: &found.edits,
    })
}
