//! Repaints one picture in place, and takes it away in the end.
//!
//! Nothing is painted above what was painted before, and never more than a screen, so that a
//! scroll back holds what was there before the build. A window that changes its size is measured
//! anew each time: a line that was painted wider than the window is now has become several.

use std::io::Write;
use std::time::Duration;

use super::board::Board;
use super::frame::frame;
use super::palette::Palette;
use super::text::{one_line, width};
use super::{Happened, Renderer, Window};

/// The renderer.
pub struct Tty {
    title: String,
    palette: Palette,
    /// How wide each line of the last picture is.
    painted: Vec<usize>,
    /// The window it was painted in.
    window: Option<Window>,
}

impl Tty {
    /// For a build of `title`.
    pub fn new(title: &str, palette: Palette) -> Self {
        Self { title: one_line(title), palette, painted: Vec::new(), window: None }
    }

    /// How many rows the last picture takes in a window of today's width.
    fn rows(&self, window: Window) -> usize {
        let columns = window.columns.max(1);
        let rows: usize = self.painted.iter().map(|width| width.div_ceil(columns).max(1)).sum();
        rows.min(window.rows.saturating_sub(1))
    }

    /// To where the last picture began.
    fn back(&self, window: Window) -> String {
        match self.rows(window) {
            0 => "\r".to_owned(),
            rows => format!("\r\u{1b}[{rows}A"),
        }
    }
}

impl Renderer for Tty {
    fn show(&mut self, _: &Happened<'_>, _: &mut dyn Write) {}

    fn paint(&mut self, board: &Board, now: Duration, window: Window, out: &mut dyn Write) {
        if window.rows < 2 || window.columns < 2 {
            return;
        }
        let lines = frame(&self.title, board, now, window);
        let mut picture = self.back(window);
        if self.window != Some(window) {
            picture.push_str(BELOW);
        }
        for line in &lines {
            picture.push_str(&self.palette.paint(line.tone, &line.text));
            picture.push_str(REST_OF_LINE);
            picture.push_str("\r\n");
        }
        picture.push_str(BELOW);
        // A terminal that went away has nobody to tell about it.
        let _ = out.write_all(picture.as_bytes()).and_then(|()| out.flush());
        self.painted = lines.iter().map(|line| width(&line.text)).collect();
        self.window = Some(window);
    }

    fn clear(&mut self, window: Window, out: &mut dyn Write) {
        if !self.painted.is_empty() {
            let _ = write!(out, "{}{BELOW}", self.back(window)).and_then(|()| out.flush());
        }
        self.painted.clear();
        self.window = None;
    }
}

/// Takes away what follows in the line.
const REST_OF_LINE: &str = "\u{1b}[K";
/// Takes away what follows on the screen.
const BELOW: &str = "\u{1b}[J";
