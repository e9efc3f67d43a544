//! What a command talks to: its streams, its directory and its environment, as values, so that
//! a test can stand in for a terminal.

use std::io::{Read, Write};
use std::path::PathBuf;

use crate::env_vars::Environment;
use crate::failure::Failure;
use crate::progress::Window;
use crate::progress::palette::Palette;

/// The outside of one command.
pub struct Console<'a> {
    /// Where `-` reads from.
    pub stdin: &'a mut dyn Read,
    /// Data.
    pub stdout: &'a mut dyn Write,
    /// Talk.
    pub stderr: &'a mut dyn Write,
    /// What relative paths are relative to.
    pub directory: PathBuf,
    /// The environment.
    pub environment: Environment,
    /// Whether data goes to a terminal.
    pub stdout_is_terminal: bool,
    /// Whether talk goes to a terminal.
    pub stderr_is_terminal: bool,
}

#[cfg(test)]
impl<'a> Console<'a> {
    /// One without a terminal, of which only the talk is kept.
    pub fn talking_to(stderr: &'a mut dyn Write) -> Self {
        Self {
            stdin: Box::leak(Box::new(std::io::empty())),
            stdout: Box::leak(Box::new(std::io::sink())),
            stderr,
            directory: PathBuf::default(),
            environment: Environment::default(),
            stdout_is_terminal: false,
            stderr_is_terminal: false,
        }
    }
}

impl Console<'_> {
    /// Writes data. That nobody reads it any more is not an error of the command.
    pub fn data(&mut self, bytes: &[u8]) {
        let _ = self.stdout.write_all(bytes);
    }

    /// Writes one line of talk.
    pub fn say(&mut self, line: &str) {
        self.talk(&format!("{line}\n"));
    }

    /// Writes whole lines of talk, behind all data so far: where both go to one terminal, they are
    /// read in the order in which they were said. That nobody reads them is not an error of the
    /// command.
    pub fn talk(&mut self, lines: &str) {
        // What becomes of data is known to the outlet.
        let _ = self.stdout.flush();
        let _ = self.stderr.write_all(lines.as_bytes());
    }

    /// Whether to colour what goes to standard error.
    pub fn colours_talk(&self) -> bool {
        self.stderr_is_terminal && !self.environment.no_color
    }

    /// Whether to colour what goes to standard output.
    pub fn colours_data(&self) -> bool {
        self.stdout_is_terminal && !self.environment.no_color
    }

    /// The tones of talk.
    pub fn palette(&self) -> Palette {
        Palette { coloured: self.colours_talk() }
    }

    /// How large the terminal is that talk goes to, at this moment; the size that terminals have
    /// had for long where there is none.
    pub fn window(&self) -> Window {
        let asked =
            self.stderr_is_terminal.then(|| terminal_size::terminal_size_of(std::io::stderr())).flatten();
        match asked {
            Some((terminal_size::Width(columns), terminal_size::Height(rows))) => {
                Window { columns: columns.into(), rows: rows.into() }
            }
            None => Window { columns: self.environment.columns.unwrap_or(80), rows: 24 },
        }
    }

    /// The time that every file and document is dated, in seconds since 1970.
    pub fn source_date_epoch(&self) -> Result<u64, Failure> {
        match &self.environment.source_date_epoch {
            None => Ok(0),
            Some(text) => text.parse().map_err(|_| {
                Failure::new(format!(
                    "SOURCE_DATE_EPOCH is `{text}`, which is no number of seconds since 1970"
                ))
                .with_hint("unset it, or set it to a whole number such as 0")
            }),
        }
    }

    /// How wide a report may be, in columns.
    pub fn width(&self) -> usize {
        let columns = match self.stderr_is_terminal {
            true => self.window().columns,
            false => self.environment.columns.unwrap_or(100),
        };
        columns.clamp(40, 120)
    }
}
