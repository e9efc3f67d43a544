//! What all forms of the answer say in the same words.

use cogpack_diff::{Difference, Layer, LayerState, OpChange, OpChangeKind, Rerun, StageChange};
use cogpack_ir::plan::Span;

use crate::line_diff;
use crate::plan_file::PlanFile;
use crate::source_text::SourceText;

/// What has become of a stage, in the words that follow its name.
pub fn of_stage(change: &StageChange) -> Vec<String> {
    let mut said = Vec::new();
    match (&change.before, &change.after) {
        (None, Some(_)) => match &change.split_from {
            Some(from) => said.push(format!("is new, split from {from}")),
            None => said.push("is new".to_owned()),
        },
        (Some(_), None) => match &change.merged_into {
            Some(into) => said.push(format!("is merged into {into}")),
            None => said.push("is gone".to_owned()),
        },
        (Some(before), Some(after)) if before != after => said.push(format!("was {before}")),
        (Some(_) | None, Some(_) | None) => {}
    }
    if let Some((before, after)) = &change.phase {
        said.push(match (before, after) {
            (Some(before), Some(after)) => format!("moved from phase {before} to {after}"),
            (None, Some(after)) => format!("moved into phase {after}"),
            (Some(before), None) => format!("moved out of phase {before}"),
            (None, None) => String::new(),
        });
    }
    if let Some((before, after)) = &change.from {
        said.push(format!("starts from {after} instead of {before}"));
    }
    said
}

/// The lines that have changed, each with `-`, `+`, a space or `…` before it.
pub fn lines(before: &[String], after: &[String]) -> Vec<(char, String)> {
    let joined = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let diff = line_diff::unified(("", &joined(before)), ("", &joined(after)));
    // Behind the two lines with the names.
    let mut told = Vec::new();
    for (number, line) in diff.lines().skip(2).enumerate() {
        match line.split_at_checked(1) {
            Some(("@", _)) if number == 0 => {}
            Some(("@", _)) => told.push(('…', String::new())),
            Some(("-", line)) => told.push(('-', line.to_owned())),
            Some(("+", line)) => told.push(('+', line.to_owned())),
            Some((_, line)) => told.push((' ', line.to_owned())),
            None => told.push((' ', String::new())),
        }
    }
    told
}

/// The same of an op. One that has only moved is told in one line.
pub fn of_op(change: &OpChange) -> Vec<(char, String)> {
    match &change.kind {
        OpChangeKind::Moved(from) => {
            let more = if change.after.len() > 1 { " …" } else { "" };
            let first = change.after.first().map_or("", String::as_str);
            vec![('>', format!("{first}{more}  (from {from})"))]
        }
        OpChangeKind::Added | OpChangeKind::Removed | OpChangeKind::Changed => {
            lines(&change.before, &change.after)
        }
    }
}

/// A layer: its stage and what it does.
pub fn of_layer(layer: &Layer) -> String {
    let title = match (&layer.name, layer.ops) {
        (Some(name), 1) => format!("layer {name}: {}", layer.title),
        (Some(name), ops) => format!("layer {name}: {} and {} more", layer.title, ops - 1),
        (None, _) => layer.title.clone(),
    };
    match &layer.stage {
        Some(stage) => format!("{stage}: {title}"),
        None => title,
    }
}

/// Why a layer is made again, where that is not to be seen in its own stage.
pub fn of_state(layer: &Layer) -> Option<String> {
    match &layer.state {
        LayerState::Stays | LayerState::Changes(_) => None,
        LayerState::Rebuilt(cause) => Some(format!("because {cause}")),
        LayerState::Comes => Some("built already, but not in the old image".to_owned()),
    }
}

/// Whether a layer is new, and not another one of something that was there.
pub fn is_new(layer: &Layer) -> bool {
    layer.was.is_none() && layer.stage.is_some()
}

/// Why an op runs again, where that is not because it was changed itself.
pub fn of_run(run: &Rerun) -> Option<String> {
    let is_itself = run.cause.at.as_ref() == Some(&(run.stage.clone(), run.op.clone()));
    let is_own = run.cause.is_own() && is_itself;
    (!is_own).then(|| format!("because {}", run.cause))
}

/// How many layers there are, beside those of the base, and how many of them are made again.
pub fn counts(found: &Difference) -> (usize, usize) {
    let made = found.layers.iter().filter(|layer| layer.stage.is_some());
    let again = made.clone().filter(|layer| layer.state != LayerState::Stays).count();
    (made.count(), again)
}

/// The sentence on the image.
pub fn summary(found: &Difference) -> String {
    let (all, again) = counts(found);
    let is_other = found.layers.iter().any(|layer| layer.stage.is_none() && layer.state != LayerState::Stays);
    let base = if is_other { ", on another base" } else { "" };
    let runs = found.runs.len();
    match (again, runs) {
        (0, 0) => format!("all {} of the image stay{base}; nothing runs again", layers(all)),
        (0, _) => format!("all {} of the image stay{base}; {} again", layers(all), ops_run(runs)),
        _ => {
            let are = if again == 1 { "is" } else { "are" };
            format!("{again} of {} of the image {are} new{base}; {} again", layers(all), ops_run(runs))
        }
    }
}

fn layers(count: usize) -> String {
    format!("{count} layer{}", if count == 1 { "" } else { "s" })
}

fn ops_run(count: usize) -> String {
    if count == 1 { "1 op runs".to_owned() } else { format!("{count} ops run") }
}

/// The lines of a plan's text, counted once for all that is told of it.
pub struct Lines<'p>(SourceText<'p>);

impl<'p> Lines<'p> {
    pub fn of(file: &'p PlanFile) -> Self {
        Self(SourceText::new(&file.shown, &file.text))
    }

    /// The line of a place, counted from 1; `None` for what is written nowhere.
    pub fn at(&self, span: Span) -> Option<usize> {
        span.range().map(|range| self.0.place(range.start).line)
    }
}
