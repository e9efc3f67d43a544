//! What is left on the screen when a build is over: what ran, what was cached, the layers with
//! their sizes, where the image is, and how long all of it took.

use std::fmt::Write as _;
use std::time::Duration;

use cogpack_build::outcome::{Layer, Outcome};
use cogpack_build::progress::Role;

use super::board::{Board, State, Step};
use super::palette::{Palette, Tone};
use super::text::{bytes, counted, cut, justified, one_line, seconds};

/// Most steps that are listed one by one.
const MOST_STEPS: usize = 40;

/// How the summary is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// No line is wider.
    pub columns: usize,
    /// Colours.
    pub palette: Palette,
}

/// The summary of a build that went well.
pub fn summary(board: &Board, outcome: &Outcome, took: Duration, look: Look) -> String {
    let mut page = Page { look, text: String::new() };
    page.steps(board);
    page.work_of_the_builder(board);
    for layers in outcome.layers.chunk_by(|one, next| one.platform == next.platform) {
        page.layers(layers);
    }
    page.warnings(board);
    page.ending(board, outcome, took);
    page.text
}

/// What takes less is told only of what the plan asks for.
const LEAST_TOLD: Duration = Duration::from_millis(100);

/// An image or context that was only looked at.
fn is_nothing_to_tell(step: &Step) -> bool {
    step.outline.role == Role::Input && step.took < LEAST_TOLD
}

struct Page {
    look: Look,
    text: String,
}

impl Page {
    fn line(&mut self, tone: Tone, left: &str, right: &str) {
        let line = justified(left, right, self.look.columns);
        // A String takes whatever is written to it.
        let _ = writeln!(self.text, "{}", self.look.palette.paint(tone, &line));
    }

    /// A line that is worth more than its width: a digest or a name that somebody copies.
    fn whole_line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }

    fn steps(&mut self, board: &Board) {
        let told = |step: &&Step| step.state != State::Waiting && !is_nothing_to_tell(step);
        let used: Vec<&Step> = board.steps[..board.planned].iter().filter(told).collect();
        let ran: Vec<&&Step> = used.iter().filter(|step| step.state != State::Cached).collect();
        // A build of thousands of steps is told by those that cost time, longest first.
        let shown = match used.len() {
            0..=MOST_STEPS => used.clone(),
            _ => {
                let mut slowest: Vec<&Step> = ran.into_iter().copied().collect();
                slowest.sort_by_key(|step| std::cmp::Reverse(step.took));
                slowest.truncate(MOST_STEPS / 2);
                slowest
            }
        };
        // What belongs to no phase stands above the first heading.
        let place = |step: &&Step| match &step.outline.phase {
            None => 0,
            Some(phase) => board.phases.iter().position(|known| known == phase).map_or(0, |place| place + 1),
        };
        let mut shown = shown;
        shown.sort_by_key(place);
        let mut last = None;
        for step in &shown {
            let phase = step.outline.phase.as_ref();
            if last != Some(phase)
                && let Some(phase) = phase
            {
                self.line(Tone::Strong, &phase.to_string(), "");
            }
            last = Some(phase);
            let indent = if phase.is_some() { "  " } else { "" };
            let (tone, how) = match step.state {
                State::Cached => (Tone::Faint, "cached".to_owned()),
                State::Done => (Tone::Plain, seconds(step.took)),
                State::Failed => (Tone::Bad, "failed".to_owned()),
                State::Cancelled => (Tone::Faint, "cancelled".to_owned()),
                State::Waiting | State::Running(_) => (Tone::Faint, String::new()),
            };
            self.line(tone, &format!("{indent}{}", step.title()), &how);
        }
        let hidden = used.len() - shown.len();
        if hidden > 0 {
            self.line(Tone::Faint, &format!("… and {}", counted(hidden as u64, "step")), "");
        }
    }

    /// What the builder did besides, and took time: images that were pulled, layers that were packed.
    fn work_of_the_builder(&mut self, board: &Board) {
        for step in board.added().iter().filter(|step| step.state == State::Done && step.took >= LEAST_TOLD) {
            self.line(Tone::Plain, &step.title(), &seconds(step.took));
        }
    }

    /// Those of one image.
    fn layers(&mut self, layers: &[Layer]) {
        match layers.first().and_then(|layer| layer.platform.as_ref()) {
            Some(platform) => self.line(Tone::Strong, &format!("layers for {platform}"), ""),
            None => self.line(Tone::Strong, "layers", ""),
        }
        for layer in layers {
            let name = match (&layer.made_by, layer.digest) {
                (Some(made_by), _) => one_line(made_by),
                (None, Some(digest)) => digest.to_string(),
                (None, None) => "layer".to_owned(),
            };
            let short = layer.digest.map(|digest| digest.hex()[..12].to_owned()).unwrap_or_default();
            self.line(Tone::Plain, &format!("  {short:12}  {name}"), &bytes(layer.size));
        }
        let total = layers.iter().map(|layer| layer.size).sum();
        let compressed = layers.iter().filter(|layer| layer.compressed).count();
        let stored = match compressed {
            0 => "unpacked",
            all if all == layers.len() => "compressed",
            _ => "as stored",
        };
        self.line(
            Tone::Faint,
            &format!("  {} in all, {stored}", counted(layers.len() as u64, "layer")),
            &bytes(total),
        );
    }

    fn warnings(&mut self, board: &Board) {
        for warning in &board.warnings {
            self.line(Tone::Notable, &format!("warning: {}", one_line(&warning.message)), "");
            for detail in &warning.details {
                self.line(Tone::Plain, &format!("  {}", one_line(detail)), "");
            }
        }
    }

    fn ending(&mut self, board: &Board, outcome: &Outcome, took: Duration) {
        let tally = board.tally();
        let ran = tally.over - tally.cached;
        let mut said = match (ran, tally.cached) {
            (0, 0) => "nothing to do".to_owned(),
            (0, _) => format!("all cached ({})", counted(tally.cached as u64, "step")),
            (_, 0) => format!("{} ran", counted(ran as u64, "step")),
            (_, cached) => format!("{} ran, {cached} cached", counted(ran as u64, "step")),
        };
        let sent = board.sent();
        if sent.files > 0 {
            said.push_str(&format!(", {} sent ({})", counted(sent.files, "file"), bytes(sent.bytes)));
        }
        let line = cut(&format!("built in {}: {said}", seconds(took)), self.look.columns);
        let _ = writeln!(self.text, "{}", self.look.palette.paint(Tone::Good, &line));
        if let Some(digest) = outcome.digest.or(outcome.config_digest) {
            self.whole_line(&format!("  {digest}"));
        }
        for name in &outcome.names {
            self.whole_line(&format!("  {}", one_line(name)));
        }
        for place in &outcome.places {
            self.whole_line(&format!("  in {}", one_line(place)));
        }
    }
}
