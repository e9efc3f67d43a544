//! The answer as a comment of a pull request: what is built again in a table, what was changed below.

use cogpack_diff::LayerState;

use super::{Answer, told};
use crate::progress::text::counted;

/// Most rows of a table: hosts cut comments that are too long.
const MOST_ROWS: usize = 60;

/// The answer.
pub fn text(answer: &Answer<'_>) -> String {
    let Answer { old, new, found, sizes } = answer;
    let mut lines = vec![format!("### {} → {}", code(&old.shown), code(&new.shown)), String::new()];
    if found.is_empty() {
        lines.push("Nothing differs.".to_owned());
        return lines.join("\n") + "\n";
    }
    lines.push(format!("**{}.**", told::summary(found)));
    if let Some(sizes) = sizes {
        lines.push(String::new());
        lines.push(sizes.summary());
    }
    lines.extend([String::new(), "| | layer, from below | why |".to_owned(), "|---|---|---|".to_owned()]);
    for layer in found.layers.iter().take(MOST_ROWS) {
        let state = match &layer.state {
            LayerState::Stays => "stays",
            LayerState::Changes(_) if told::is_new(layer) => "**new**",
            LayerState::Changes(_) => "**changed**",
            LayerState::Rebuilt(_) => "**rebuilt**",
            LayerState::Comes => "comes",
        };
        let why = told::of_state(layer).unwrap_or_default();
        lines.push(format!("| {state} | {} | {} |", code(&told::of_layer(layer)), cell(&why)));
    }
    more(&mut lines, found.layers.len(), "layer");
    let beside: Vec<_> = found.runs.iter().filter(|run| !run.in_image).collect();
    if !beside.is_empty() {
        lines.push(String::new());
        lines.push("Also run again, in stages that the image only reads:".to_owned());
        lines.push(String::new());
        for run in beside.iter().take(MOST_ROWS) {
            let op = code(&format!("{}: {}", run.stage, run.op));
            let why = told::of_run(run).map_or_else(String::new, |why| format!(", {}", cell(&why)));
            lines.push(format!("- {op}{why}"));
        }
        more(&mut lines, beside.len(), "op");
    }
    lines.extend([String::new(), "<details><summary>What was changed</summary>".to_owned(), String::new()]);
    lines.push("```diff".to_owned());
    for change in &found.stages {
        let Some(name) = change.after.as_ref().or(change.before.as_ref()) else { continue };
        lines
            .push(format!("@@ stage {name} {} @@", told::of_stage(change).join(", ")).replace("  @@", " @@"));
        for op in &change.ops {
            lines.extend(told::of_op(op).into_iter().map(|(sign, line)| fenced(sign, &line)));
        }
    }
    for change in &found.settings {
        match &change.renamed_from {
            Some(was) => lines.push(format!("@@ {} was {was} @@", change.what)),
            None => {
                lines.push(format!("@@ {} @@", change.what));
                let told = told::lines(&change.before, &change.after);
                lines.extend(told.into_iter().map(|(sign, line)| fenced(sign, &line)));
            }
        }
    }
    lines.extend(["```".to_owned(), String::new(), "</details>".to_owned()]);
    lines.join("\n") + "\n"
}

fn more(lines: &mut Vec<String>, all: usize, word: &str) {
    if all > MOST_ROWS {
        lines.push(String::new());
        lines.push(format!("… and {} more.", counted((all - MOST_ROWS) as u64, word)));
    }
}

/// A line that cannot end the block that it stands in.
fn fenced(sign: char, line: &str) -> String {
    let sign = if sign == '>' { '!' } else { sign };
    format!("{sign} {}", line.replace("```", "`\u{200b}``"))
}

/// Text as code in a table.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    match text.contains('`') {
        true => format!("`` {text} ``"),
        false => format!("`{text}`"),
    }
}

/// Text in a table, where it may say what would be markup.
fn cell(text: &str) -> String {
    let mut escaped = String::new();
    let mut in_code = false;
    for character in text.chars() {
        match character {
            '`' => in_code = !in_code,
            '|' => escaped.push('\\'),
            '<' | '*' | '_' | '[' if !in_code => escaped.push('\\'),
            _ => {}
        }
        escaped.push(if matches!(character, '\n' | '\r') { ' ' } else { character });
    }
    escaped
}
