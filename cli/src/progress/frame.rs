//! The picture of a running build: lines that fit a window, whatever runs.
//!
//! Phases are groups. One that is over is a line; one that runs shows its running steps, each
//! with its time and the last lines it wrote; one that has not begun is not shown. Where a window
//! is too low for all of that, what is least missed goes first.

use std::time::Duration;

use cogpack_ir::plan::PhaseName;

use super::Window;
use super::board::{Board, State, Step, Tally};
use super::palette::Tone;
use super::text::{bytes, counted, cut, justified, seconds};

/// Most lines of its output that a running step shows.
const OUTPUT_LINES: usize = 5;

/// One line of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// No wider than the window.
    pub text: String,
    /// How it looks.
    pub tone: Tone,
}

/// What a line is for; the last is missed least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Header,
    Running,
    Context,
    Heading,
    Output,
    Over,
}

struct Rows {
    columns: usize,
    rows: Vec<(Rank, Line)>,
}

/// Draws `board` for `window`; the line below the picture stays free for the cursor.
pub fn frame(title: &str, board: &Board, now: Duration, window: Window) -> Vec<Line> {
    // The last column stays free too: a terminal may wrap as soon as it is written to.
    let mut rows = Rows { columns: window.columns.saturating_sub(1), rows: Vec::new() };
    let tally = board.tally();
    rows.push(Rank::Header, Tone::Strong, &format!("building {title}"), &progress_of(tally, now));
    let phases = board.phases.iter().map(Some).chain([None]);
    phases.for_each(|phase| draw_phase(&mut rows, board, phase, now));
    for (name, sent) in board.contexts.iter().filter(|(_, sent)| !sent.complete) {
        let amount = format!("{}, {}", counted(sent.files, "file"), bytes(sent.bytes));
        rows.push(Rank::Context, Tone::Plain, &format!("sending {name}"), &amount);
    }
    let added = board.added().iter().filter(|step| matches!(step.state, State::Running(_)));
    added.for_each(|step| draw_step(&mut rows, "", step, now));
    rows.within(window.rows.saturating_sub(1))
}

fn progress_of(tally: Tally, now: Duration) -> String {
    let cached = match tally.cached {
        0 => String::new(),
        cached => format!(", {cached} cached"),
    };
    format!("{}/{} done{cached}  {}", tally.over, tally.all, seconds(now))
}

fn draw_phase(rows: &mut Rows, board: &Board, phase: Option<&PhaseName>, now: Duration) {
    let tally = Tally::of(board.steps_of(phase));
    let is_over = tally.all > 0 && tally.over == tally.all;
    if let (Some(phase), true) = (phase, is_over) {
        let ran = match (tally.cached, tally.all) {
            (cached, all) if cached == all => "cached".to_owned(),
            (0, all) => counted(all as u64, "step"),
            (cached, all) => format!("{}, {cached} cached", counted(all as u64, "step")),
        };
        rows.push(Rank::Over, Tone::Faint, &format!("✓ {phase}"), &ran);
        return;
    }
    if tally.running == 0 {
        return;
    }
    let indent = match phase {
        Some(phase) => {
            let done = format!("{}/{}", tally.over, tally.all);
            rows.push(Rank::Heading, Tone::Strong, &phase.to_string(), &done);
            "  "
        }
        None => "",
    };
    let running = board.steps_of(phase).filter(|step| matches!(step.state, State::Running(_)));
    running.for_each(|step| draw_step(rows, indent, step, now));
}

fn draw_step(rows: &mut Rows, indent: &str, step: &Step, now: Duration) {
    let elapsed = seconds(step.elapsed(now));
    let right = match step.moved() {
        None => elapsed,
        Some(amount) => {
            let total = amount.total.map(|total| format!(" / {}", bytes(total))).unwrap_or_default();
            let speed = step.speed().map(|speed| format!("  {}/s", bytes(speed))).unwrap_or_default();
            format!("{}{total}{speed}  {elapsed}", bytes(amount.done))
        }
    };
    rows.push(Rank::Running, Tone::Plain, &format!("{indent}▸ {}", step.title()), &right);
    for line in step.last_lines(OUTPUT_LINES) {
        rows.push(Rank::Output, Tone::Faint, &format!("{indent}  │ {line}"), "");
    }
}

impl Rows {
    fn push(&mut self, rank: Rank, tone: Tone, left: &str, right: &str) {
        let text = justified(left, right, self.columns);
        self.rows.push((rank, Line { text, tone }));
    }

    /// At most so many lines: what is missed least goes first.
    fn within(mut self, most: usize) -> Vec<Line> {
        for rank in [Rank::Over, Rank::Output, Rank::Heading, Rank::Context] {
            let surplus = self.rows.len().saturating_sub(most);
            let mut left_out = 0;
            self.rows.retain(|(of, _)| {
                let goes = *of == rank && left_out < surplus;
                left_out += usize::from(goes);
                !goes
            });
        }
        if self.rows.len() > most && most > 0 {
            let hidden = self.rows.len() - most + 1;
            self.rows.truncate(most - 1);
            let text = cut(&format!("… and {hidden} more"), self.columns);
            self.rows.push((Rank::Running, Line { text, tone: Tone::Faint }));
        }
        self.rows.truncate(most);
        self.rows.into_iter().map(|(_, line)| line).collect()
    }
}
