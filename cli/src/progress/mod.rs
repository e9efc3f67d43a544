//! What a build looks like while it runs.
//!
//! Reading order: [`board`] (all that is known at one moment), the renderers ([`tty`], [`plain`],
//! [`json`]; quiet shows nothing), [`summary`] (what is left when it is over).
//!
//! Time enters here and nowhere below: every renderer is told how long the build has been
//! running, so that a test can tell it anything.

pub mod board;
pub mod frame;
pub mod json;
pub mod lines;
pub mod palette;
pub mod plain;
pub mod summary;
pub mod text;
pub mod tty;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::time::Duration;

use cogpack_build::progress::Progress;

use board::{Board, OutputLine};
use palette::Palette;

/// What `--progress` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Style {
    /// `tty` where talk goes to a terminal, else `plain`.
    #[default]
    Auto,
    /// The steps that run, repainted in place.
    Tty,
    /// A line for everything that happens.
    Plain,
    /// A JSON object for everything that happens, one a line.
    Json,
    /// Nothing but the image's digest, on standard output.
    Quiet,
}

impl Style {
    /// Decides what `auto` leaves open.
    pub fn decided(self, talk_goes_to_a_terminal: bool) -> Self {
        match self {
            Self::Auto if talk_goes_to_a_terminal => Self::Tty,
            Self::Auto => Self::Plain,
            Self::Tty | Self::Plain | Self::Json | Self::Quiet => self,
        }
    }
}

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its width.
    pub columns: usize,
    /// Its height.
    pub rows: usize,
}

/// One thing that happened, with what it led to.
pub struct Happened<'a> {
    /// What.
    pub progress: &'a Progress,
    /// Lines of output that became whole by it.
    pub lines: &'a [OutputLine],
    /// All that is known now.
    pub board: &'a Board,
    /// How long the build has been running.
    pub now: Duration,
}

/// Shows a build.
pub trait Renderer {
    /// Shows what happened, if this renderer shows things one by one.
    fn show(&mut self, happened: &Happened<'_>, out: &mut dyn Write);

    /// Shows how things stand, if this renderer shows that.
    fn paint(&mut self, board: &Board, now: Duration, window: Window, out: &mut dyn Write);

    /// Takes away what is of use only while a build runs.
    fn clear(&mut self, window: Window, out: &mut dyn Write);
}

/// Shows nothing.
struct Quiet;

impl Renderer for Quiet {
    fn show(&mut self, _: &Happened<'_>, _: &mut dyn Write) {}
    fn paint(&mut self, _: &Board, _: Duration, _: Window, _: &mut dyn Write) {}
    fn clear(&mut self, _: Window, _: &mut dyn Write) {}
}

/// A build on its way to a screen.
pub struct Show {
    /// What is known of it.
    pub board: Board,
    renderer: Box<dyn Renderer>,
}

impl Show {
    /// A build of `title`, shown in a style that was decided.
    pub fn new(style: Style, title: &str, palette: Palette) -> Self {
        let renderer: Box<dyn Renderer> = match style {
            Style::Tty => Box::new(tty::Tty::new(title, palette)),
            Style::Plain | Style::Auto => Box::new(plain::Plain::default()),
            Style::Json => Box::new(json::Json),
            Style::Quiet => Box::new(Quiet),
        };
        Self { board: Board::default(), renderer }
    }

    /// Takes in what happened, and shows it.
    pub fn take(&mut self, progress: &Progress, now: Duration, out: &mut dyn Write) {
        let lines = self.board.take(progress, now);
        let happened = Happened { progress, lines: &lines, board: &self.board, now };
        self.renderer.show(&happened, out);
    }

    /// Shows how things stand.
    pub fn paint(&mut self, now: Duration, window: Window, out: &mut dyn Write) {
        self.renderer.paint(&self.board, now, window, out);
    }

    /// Takes away what is of use only while a build runs.
    pub fn clear(&mut self, window: Window, out: &mut dyn Write) {
        self.renderer.clear(window, out);
    }
}
