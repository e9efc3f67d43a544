//! What `cogpackc opt` tells of its passes, for people and as JSON.

use std::fmt::Write as _;

use cogpack_ir::json;
use cogpack_ir::syntax::print;
use cogpack_passes::{Kind, Level, Note, PASSES, judge};
use serde::Serialize;

use super::Made;
use crate::source_text::SourceText;

/// All passes, in their order.
pub fn passes() -> String {
    let width = PASSES.iter().map(|pass| pass.name().len()).max().unwrap_or_default();
    let line = |pass: &&dyn cogpack_passes::Pass| {
        let level = match pass.level() {
            Level::None => "-O0",
            Level::Safe => "-O1",
            Level::Layers => "-O2",
            Level::Named => "   ",
        };
        format!("{:width$}  {level}  {}\n", pass.name(), pass.summary())
    };
    PASSES.iter().map(line).collect()
}

/// The plan after each pass that changed it.
pub fn after_each(made: &Made) -> String {
    let mut text = String::new();
    for step in &made.optimised.steps {
        if let Some(after) = &step.after {
            // A String takes whatever is written to it.
            let _ = writeln!(text, "# {} after {}\n{}", made.file.shown, step.pass, print(after.plan()));
        }
    }
    text
}

/// What each pass did, why it held back, and in how many worlds it was judged.
pub fn stats(made: &Made, with_notes: bool) -> String {
    let source = SourceText::new(&made.file.shown, &made.file.text);
    let mut text = String::new();
    for step in &made.optimised.steps {
        let judged = made.judged.get(step.pass).map(|built| match built {
            0 => ", not judged: in none of the made-up worlds can the plan be built".to_owned(),
            built => format!(", means the same in {built} of {} made-up worlds", judge::WORLDS),
        });
        let what = if step.after.is_some() { "changed the plan" } else { "changed nothing" };
        let notes: &[Note] = if with_notes { &step.notes } else { &[] };
        if notes.is_empty() && step.after.is_none() {
            continue;
        }
        // A String takes whatever is written to it.
        let _ = writeln!(text, "{}: {what}{}", step.pass, judged.unwrap_or_default());
        for note in notes {
            let place = note.span.range().map(|range| source.place(range.start).line);
            let place =
                place.map_or_else(|| made.file.shown.clone(), |line| format!("{}:{line}", made.file.shown));
            let kind = match note.kind {
                Kind::Did => "",
                Kind::HeldBack => "held back: ",
            };
            let saves = note.saves.map(|bytes| format!(" (saves {bytes} bytes)")).unwrap_or_default();
            let _ = writeln!(text, "  {place}: {kind}{}{saves}", note.text);
        }
    }
    if text.is_empty() {
        text = format!("{}: no pass found anything to do\n", made.file.shown);
    }
    text
}

#[derive(Serialize)]
struct JsonPlan<'m> {
    file: &'m str,
    plan: serde_json::Value,
    passes: Vec<JsonPass<'m>>,
}

#[derive(Serialize)]
struct JsonPass<'m> {
    pass: &'static str,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    worlds_compared: Option<u64>,
    notes: Vec<JsonNote<'m>>,
}

#[derive(Serialize)]
struct JsonNote<'m> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    text: &'m str,
    #[serde(skip_serializing_if = "Option::is_none")]
    saves: Option<u64>,
}

/// All of it as JSON.
pub fn as_json(all: &[Made]) -> String {
    let plans: Vec<JsonPlan<'_>> = all.iter().map(json_plan).collect();
    // Plain texts and numbers are all that it holds, so JSON can say it.
    let mut text = serde_json::to_string_pretty(&plans).unwrap_or_default();
    text.push('\n');
    text
}

fn json_plan(made: &Made) -> JsonPlan<'_> {
    let source = SourceText::new(&made.file.shown, &made.file.text);
    let note = |note: &'_ Note| -> (Option<usize>, Option<usize>) {
        let place = note.span.range().map(|range| source.place(range.start));
        (place.map(|place| place.line), place.map(|place| place.column))
    };
    let passes = made.optimised.steps.iter().map(|step| JsonPass {
        pass: step.pass,
        changed: step.after.is_some(),
        worlds_compared: made.judged.get(step.pass).copied(),
        notes: step
            .notes
            .iter()
            .map(|told| {
                let (line, column) = note(told);
                JsonNote {
                    kind: match told.kind {
                        Kind::Did => "did",
                        Kind::HeldBack => "held-back",
                    },
                    line,
                    column,
                    text: &told.text,
                    saves: told.saves,
                }
            })
            .collect(),
    });
    let plan = json::write(made.after().plan());
    JsonPlan {
        file: &made.file.shown,
        plan: serde_json::from_str(&plan).unwrap_or_default(),
        passes: passes.collect(),
    }
}
