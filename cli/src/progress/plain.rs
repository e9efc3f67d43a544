//! A line for everything that happens, for logs: each names its step by number, so that steps
//! that run side by side can be told apart.

use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use cogpack_build::progress::{Progress, StepId};

use super::board::{Board, Item, State, Step};
use super::text::{bytes, counted, one_line, seconds};
use super::{Happened, Renderer, Window};

/// The renderer.
#[derive(Debug, Default)]
pub struct Plain {
    /// The steps whose line with their name has been written.
    announced: std::collections::BTreeSet<StepId>,
}

impl Plain {
    /// The step's number and, the first time, its name.
    fn announce(&mut self, id: StepId, step: &Step, text: &mut String) {
        if !self.announced.insert(id) {
            return;
        }
        let phase = step.outline.phase.as_ref().map(|phase| format!("{phase} ")).unwrap_or_default();
        let line = step.outline.line.map(|line| format!("  (line {line})")).unwrap_or_default();
        say(text, format_args!("#{} {phase}{}{line}", id.0 + 1, step.title()));
    }
}

impl Renderer for Plain {
    fn show(&mut self, happened: &Happened<'_>, out: &mut dyn Write) {
        let mut text = String::new();
        let Happened { board, now, .. } = *happened;
        let known = |id: &StepId| board.step(*id).map(|step| (*id, step));
        match happened.progress {
            Progress::Planned(_) => {
                let tally = board.tally();
                let phases = match board.phases.len() {
                    0 => String::new(),
                    phases => format!(" in {}", counted(phases as u64, "phase")),
                };
                say(&mut text, format_args!("plan: {}{phases}", counted(tally.all as u64, "step")));
            }
            Progress::Added { .. } => {}
            Progress::Started(id) => {
                if let Some((id, step)) = known(id) {
                    self.announce(id, step, &mut text);
                }
            }
            Progress::Output { step, .. } => self.lines(happened, known(step), &mut text),
            Progress::Moved { step, item, amount, complete } => {
                if let Some((id, step)) = known(step).filter(|_| *complete) {
                    self.announce(id, step, &mut text);
                    let size = match amount.total.unwrap_or(amount.done) {
                        0 => String::new(),
                        size => format!(" {}", bytes(size)),
                    };
                    let speed = step.items.get(item).and_then(Item::speed);
                    let speed = speed.map(|speed| format!(", {}/s", bytes(speed))).unwrap_or_default();
                    say(&mut text, format_args!("#{} {}{size}{speed}", id.0 + 1, one_line(item)));
                }
            }
            Progress::Finished { step, .. } | Progress::Cached(step) | Progress::Cancelled(step) => {
                self.lines(happened, known(step), &mut text);
                if let Some((id, step)) = known(step) {
                    self.announce(id, step, &mut text);
                    say(&mut text, format_args!("#{} {}", id.0 + 1, ended(step, now)));
                }
            }
            Progress::Failed { step, message } => {
                self.lines(happened, known(step), &mut text);
                if let Some((id, step)) = known(step) {
                    self.announce(id, step, &mut text);
                    say(&mut text, format_args!("#{} failed: {}", id.0 + 1, one_line(message)));
                }
            }
            Progress::Sent { complete: false, .. } => {}
            Progress::Sent { context, files: 0, entries, .. } => {
                let entries = counted(*entries, "path");
                say(&mut text, format_args!("{context}: nothing new to send among {entries}"));
            }
            Progress::Sent { context, files, bytes: sent, .. } => {
                let files = counted(*files, "file");
                say(&mut text, format_args!("{context}: sent {files}, {}", bytes(*sent)));
            }
            Progress::Warned(warning) => {
                say(&mut text, format_args!("warning: {}", one_line(&warning.message)));
                for detail in &warning.details {
                    say(&mut text, format_args!("  {}", one_line(detail)));
                }
            }
            Progress::Done(_) => {}
        }
        // Nobody to tell where nobody reads.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    fn paint(&mut self, _: &Board, _: Duration, _: Window, _: &mut dyn Write) {}
    fn clear(&mut self, _: Window, _: &mut dyn Write) {}
}

impl Plain {
    fn lines(&mut self, happened: &Happened<'_>, step: Option<(StepId, &Step)>, text: &mut String) {
        let Some((id, step)) = step.filter(|_| !happened.lines.is_empty()) else { return };
        self.announce(id, step, text);
        for line in happened.lines {
            let since = seconds(step.elapsed(happened.now));
            say(text, format_args!("#{} {since} | {}", id.0 + 1, line.text));
        }
    }
}

fn ended(step: &Step, now: Duration) -> String {
    match step.state {
        State::Cached => "cached".to_owned(),
        State::Cancelled => "cancelled".to_owned(),
        State::Failed => "failed".to_owned(),
        State::Done | State::Waiting | State::Running(_) => {
            format!("done in {}", seconds(step.elapsed(now)))
        }
    }
}

/// Adds one line, whatever is in it: a name may hold any character.
fn say(text: &mut String, line: std::fmt::Arguments<'_>) {
    // A String takes whatever is written to it.
    let _ = writeln!(text, "{line}");
}
