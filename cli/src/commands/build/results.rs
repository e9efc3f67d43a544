//! What a build leaves for people and programs: a summary, files, or the op that failed.

use std::time::Duration;

use cogpack_build::failure::FailedOp;
use cogpack_build::outcome::Outcome;
use miette::{Diagnostic, SourceSpan};

use super::arguments::Build;
use super::outputs;
use crate::DONE;
use crate::console::Console;
use crate::emit::write_file;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::progress::board::Board;
use crate::progress::json::JsonOutcome;
use crate::progress::lines::Lines;
use crate::progress::palette::Tone;
use crate::progress::summary::{Look, summary};
use crate::progress::text::one_line;
use crate::progress::{Style, text};
use crate::report::{self, Format, Stream};

/// Most lines of a failed op's output that are shown.
const OUTPUT_LINES: usize = 20;

/// Tells of an image.
pub fn tell(
    arguments: &Build,
    board: &Board,
    outcome: &Outcome,
    took: Duration,
    style: Style,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    if let Some(path) = &arguments.metadata_file {
        write_file(&console.directory.join(path), &metadata(outcome))?;
    }
    if let Some(path) = &arguments.iidfile {
        let id = outcome.digest.or(outcome.config_digest).ok_or_else(|| {
            Failure::new("there is no id to write: what was built is no image")
                .with_hint("leave `--iidfile` out, or let `--output` make an image")
        })?;
        write_file(&console.directory.join(path), id.to_string().as_bytes())?;
    }
    match style {
        Style::Tty | Style::Plain | Style::Auto => {
            let look = Look { columns: console.window().columns, palette: console.palette() };
            let text = summary(board, outcome, took, look);
            let _ = console.stderr.write_all(text.as_bytes());
        }
        Style::Json | Style::Quiet => {}
    }
    let destinations = outputs::destinations(arguments, &console.directory)?;
    let mut tell = |text: &str| match outputs::take_standard_output(&destinations) {
        true => console.talk(text),
        false => console.data(text.as_bytes()),
    };
    match (arguments.format, style) {
        // Plain texts and numbers are all that it holds, so JSON can say it.
        (Format::Json, _) => {
            let text = serde_json::to_string_pretty(&JsonOutcome::of(outcome)).unwrap_or_default();
            tell(&format!("{text}\n"));
        }
        (Format::Text, Style::Quiet) => {
            if let Some(id) = outcome.digest.or(outcome.config_digest) {
                tell(&format!("{id}\n"));
            }
        }
        (Format::Text, Style::Tty | Style::Plain | Style::Json | Style::Auto) => {}
    }
    Ok(DONE)
}

/// All that the builder answered. What is JSON in itself, as base64, stands as JSON.
fn metadata(outcome: &Outcome) -> Vec<u8> {
    let value = |text: &String| {
        let decoded = cogpack_build::outcome::descriptor(text);
        decoded.unwrap_or_else(|| serde_json::Value::from(text.as_str()))
    };
    let answers: serde_json::Map<String, serde_json::Value> =
        outcome.answers.iter().map(|(key, text)| (key.clone(), value(text))).collect();
    let mut text = serde_json::to_vec_pretty(&answers).unwrap_or_default();
    text.push(b'\n');
    text
}

/// An op that failed, on its lines of the plan.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{what}")]
#[diagnostic(code(cpk::build::failed))]
struct OpFailed {
    what: String,
    #[label("{label}")]
    span: Option<SourceSpan>,
    label: String,
    #[help]
    help: Option<String>,
}

/// Shows an op that failed: its lines of the plan, its exit code, the end of its output.
pub fn tell_failed(failed: &FailedOp, file: &PlanFile, format: Format, console: &mut Console<'_>) {
    let span = failed.lines.and_then(|lines| span_of(&file.text, lines));
    let finding = OpFailed {
        what: what(failed),
        span,
        label: match failed.exit_code {
            Some(code) => format!("exit code {code}"),
            None => "this failed".to_owned(),
        },
        help: failed.help.clone(),
    };
    let output = last_lines(&failed.output);
    match format {
        Format::Json => report::finding_with_output(&finding, &output, file, console),
        Format::Text => {
            report::findings(&[&finding], file, format, Stream::Talk, console);
            if !output.is_empty() {
                let columns = console.window().columns;
                let palette = console.palette();
                console.say("the end of its output:");
                for line in &output {
                    let line = text::cut(&format!("  │ {line}"), columns.max(40));
                    console.say(&palette.paint(Tone::Faint, &line));
                }
            }
        }
    }
}

fn what(failed: &FailedOp) -> String {
    match (&failed.step, failed.exit_code) {
        (Some(step), Some(code)) => {
            let place = step.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
            format!("{place}`{}` ended with exit code {code}", one_line(&step.name))
        }
        (Some(step), None) => {
            let place = step.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
            format!("{place}`{}` failed: {}", one_line(&step.name), one_line(&failed.message))
        }
        (None, _) => format!("the build failed: {}", one_line(&failed.message)),
    }
}

/// The bytes of some lines, space around them apart.
fn span_of(text: &str, (first, last): (u32, u32)) -> Option<SourceSpan> {
    let mut start = 0;
    let mut span: Option<(usize, usize)> = None;
    for (line, number) in text.split_inclusive('\n').zip(1_u32..) {
        if (first..=last).contains(&number) && !line.trim().is_empty() {
            let begin = start + (line.len() - line.trim_start().len());
            let end = start + line.trim_end().len();
            span = Some(span.map_or((begin, end), |(begin, _)| (begin, end)));
        }
        start += line.len();
    }
    span.map(|(begin, end)| SourceSpan::from(begin..end))
}

fn last_lines(output: &[u8]) -> Vec<String> {
    let mut lines = Lines::default();
    let mut all = lines.push(output);
    all.extend(lines.finish());
    while all.last().is_some_and(|line| line.trim().is_empty()) {
        all.pop();
    }
    all.split_off(all.len().saturating_sub(OUTPUT_LINES))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cogpack_build::progress::StepOutline;

    use super::*;

    #[test]
    fn lines_are_marked_from_their_first_to_their_last_word() {
        let text = "cpk 1\n  run \"\"\"\n    make\n  \"\"\"\nlast";
        let marked =
            |lines| span_of(text, lines).map(|span| &text[span.offset()..span.offset() + span.len()]);
        assert_eq!(marked((1, 1)), Some("cpk 1"));
        assert_eq!(marked((2, 4)), Some("run \"\"\"\n    make\n  \"\"\""));
        assert_eq!(marked((5, 5)), Some("last"));
        assert_eq!(marked((6, 9)), None);
    }

    const PLAN: &str = "cpk 1\nstage %app from scratch {\n  run \"make all\"\n}\nexport from %app\n";

    fn told(failed: &FailedOp, format: Format) -> String {
        let mut stderr = Vec::new();
        let mut console = Console::talking_to(&mut stderr);
        let file = PlanFile {
            shown: "plan.cpk".to_owned(),
            path: None,
            text: Arc::new(PLAN.to_owned()),
            directory: Default::default(),
        };
        tell_failed(failed, &file, format, &mut console);
        String::from_utf8(stderr).expect("talk is text")
    }

    fn make_failed() -> FailedOp {
        FailedOp {
            message: "process \"/bin/sh -c make all\" did not complete successfully: exit code: 2".to_owned(),
            step: Some(StepOutline {
                place: Some("%app".to_owned()),
                name: "run make all".to_owned(),
                ..StepOutline::default()
            }),
            lines: Some((3, 3)),
            exit_code: Some(2),
            output: b"cc -c main.c\nmain.c:1: \x1b[31merror\x1b[0m: no\nmake: *** [all] Error 1\n".to_vec(),
            help: None,
        }
    }

    #[test]
    fn an_op_that_failed_is_shown_on_its_lines_with_the_end_of_its_output() {
        insta::assert_snapshot!(told(&make_failed(), Format::Text), @r#"
        cpk::build::failed

          × %app: `run make all` ended with exit code 2
           ╭─[plan.cpk:3:3]
         2 │ stage %app from scratch {
         3 │   run "make all"
           ·   ───────┬──────
           ·          ╰── exit code 2
         4 │ }
           ╰────

        the end of its output:
          │ cc -c main.c
          │ main.c:1: error: no
          │ make: *** [all] Error 1
        "#);
        let json: serde_json::Value =
            serde_json::from_str(&told(&make_failed(), Format::Json)).expect("is JSON");
        let finding = &json["findings"][0];
        assert_eq!(finding["code"], "cpk::build::failed");
        assert_eq!((&finding["labels"][0]["line"], &finding["labels"][0]["column"]), (&3.into(), &3.into()));
        assert_eq!(finding["output"][1], "main.c:1: error: no");
    }

    #[test]
    fn what_no_op_is_known_of_is_told_in_the_builders_words() {
        let failed =
            FailedOp { step: None, lines: None, exit_code: None, output: Vec::new(), ..make_failed() };
        let text = told(&failed, Format::Text);
        assert!(text.contains("the build failed: process") && !text.contains("its output"), "{text}");
    }

    #[test]
    fn only_the_end_of_a_long_output_is_shown() {
        let output: String = (0..100).map(|line| format!("line {line}\n")).collect();
        let shown = last_lines(format!("{output}\n\n").as_bytes());
        assert_eq!((shown.len(), shown[0].as_str(), shown[19].as_str()), (20, "line 80", "line 99"));
        assert_eq!(last_lines(b"\x1b[31mred\x1b[0m"), ["red"]);
        assert!(last_lines(b"").is_empty());
    }
}
