//! A JSON object for everything that happens, one a line: what `docs/progress.md` describes.
//!
//! The types here are the format. They say what a person would see, in the same words: lines of
//! output are whole and carry no control characters, and what never changes is said once.

use std::io::Write;
use std::time::Duration;

use cogpack_build::outcome::Outcome;
use cogpack_build::progress::{Progress, StepId, StepOutline, Stream, Warning};
use serde::Serialize;

use super::board::{Board, OutputLine};
use super::{Happened, Renderer, Window};

/// The renderer.
#[derive(Debug, Default)]
pub struct Json;

#[derive(Serialize)]
struct Line<'a> {
    /// Milliseconds since the build began.
    at: u128,
    #[serde(flatten)]
    event: Event<'a>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event<'a> {
    Planned {
        version: u32,
        phases: Vec<&'a str>,
        steps: Vec<JsonStep<'a>>,
    },
    Added {
        step: usize,
        name: &'a str,
    },
    Started {
        step: usize,
    },
    Output {
        step: usize,
        stream: &'static str,
        line: &'a str,
    },
    Moved {
        step: usize,
        item: &'a str,
        bytes: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
        complete: bool,
    },
    Finished {
        step: usize,
        milliseconds: u128,
    },
    Cached {
        step: usize,
    },
    Failed {
        step: usize,
        message: &'a str,
    },
    Cancelled {
        step: usize,
    },
    Sent {
        context: &'a str,
        entries: u64,
        files: u64,
        bytes: u64,
        complete: bool,
    },
    Warned {
        message: &'a str,
        details: &'a [String],
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<usize>,
    },
    Done {
        image: JsonOutcome<'a>,
    },
}

#[derive(Serialize)]
struct JsonStep<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    name: &'a str,
}

/// An outcome, as events and `--format json` tell it.
#[derive(Serialize)]
pub struct JsonOutcome<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_digest: Option<String>,
    names: &'a [String],
    places: &'a [String],
    layers: Vec<JsonLayer<'a>>,
}

#[derive(Serialize)]
struct JsonLayer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    size: u64,
    compressed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    made_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
}

impl<'a> JsonOutcome<'a> {
    /// An outcome at the edge.
    pub fn of(outcome: &'a Outcome) -> Self {
        let layer = |layer: &'a cogpack_build::outcome::Layer| JsonLayer {
            digest: layer.digest.map(|digest| digest.to_string()),
            size: layer.size,
            compressed: layer.compressed,
            made_by: layer.made_by.as_deref(),
            platform: layer.platform.as_ref().map(ToString::to_string),
        };
        Self {
            digest: outcome.digest.map(|digest| digest.to_string()),
            config_digest: outcome.config_digest.map(|digest| digest.to_string()),
            names: &outcome.names,
            places: &outcome.places,
            layers: outcome.layers.iter().map(layer).collect(),
        }
    }
}

impl Renderer for Json {
    fn show(&mut self, happened: &Happened<'_>, out: &mut dyn Write) {
        let output = |step: StepId| {
            happened.lines.iter().map(move |OutputLine { stream, text }| Event::Output {
                step: step.0,
                stream: match stream {
                    Stream::Output => "stdout",
                    Stream::Errors => "stderr",
                },
                line: text,
            })
        };
        let mut text = String::new();
        let mut say = |event| write_line(&mut text, happened.now, event);
        match happened.progress {
            Progress::Planned(outline) => say(Event::Planned {
                version: 1,
                phases: outline.phases.iter().map(|phase| phase.as_str()).collect(),
                steps: outline.steps.iter().map(json_step).collect(),
            }),
            Progress::Added { name } => {
                say(Event::Added { step: happened.board.steps.len().saturating_sub(1), name });
            }
            Progress::Started(step) => say(Event::Started { step: step.0 }),
            Progress::Output { step, .. } => output(*step).for_each(say),
            Progress::Moved { step, item, amount, complete } => say(Event::Moved {
                step: step.0,
                item,
                bytes: amount.done,
                total: amount.total,
                complete: *complete,
            }),
            Progress::Finished { step, took } => {
                output(*step).for_each(&mut say);
                say(Event::Finished { step: step.0, milliseconds: took.as_millis() });
            }
            Progress::Cached(step) => {
                output(*step).for_each(&mut say);
                say(Event::Cached { step: step.0 });
            }
            Progress::Failed { step, message } => {
                output(*step).for_each(&mut say);
                say(Event::Failed { step: step.0, message });
            }
            Progress::Cancelled(step) => {
                output(*step).for_each(&mut say);
                say(Event::Cancelled { step: step.0 });
            }
            Progress::Sent { context, entries, files, bytes, complete } => say(Event::Sent {
                context: context.as_str(),
                entries: *entries,
                files: *files,
                bytes: *bytes,
                complete: *complete,
            }),
            Progress::Warned(Warning { message, details, step }) => {
                say(Event::Warned { message, details, step: step.map(|step| step.0) });
            }
            Progress::Done(outcome) => say(Event::Done { image: JsonOutcome::of(outcome) }),
        }
        // Nobody to tell where nobody reads.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    fn paint(&mut self, _: &Board, _: Duration, _: Window, _: &mut dyn Write) {}
    fn clear(&mut self, _: Window, _: &mut dyn Write) {}
}

fn json_step(step: &StepOutline) -> JsonStep<'_> {
    JsonStep {
        phase: step.phase.as_ref().map(|phase| phase.as_str()),
        place: step.place.as_deref(),
        line: step.line,
        platform: step.platform.as_ref().map(ToString::to_string),
        name: &step.name,
    }
}

fn write_line(text: &mut String, now: Duration, event: Event<'_>) {
    // Plain texts and numbers are all that it holds, so JSON can say it.
    let line = serde_json::to_string(&Line { at: now.as_millis(), event }).unwrap_or_default();
    text.push_str(&line);
    text.push('\n');
}
