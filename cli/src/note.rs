//! A line about what is waited for before there is something to show, which goes again.

use crate::console::Console;
use crate::progress::text;

/// A line on a terminal. Where talk goes elsewhere it is not there at all.
#[derive(Debug, Clone, Copy)]
pub struct Note {
    is_shown: bool,
}

impl Note {
    /// One that is there if `is_shown` says so.
    pub fn shown(is_shown: bool) -> Self {
        Self { is_shown }
    }

    /// Says what is waited for, in place of what was said before.
    pub fn show(self, what: &str, console: &mut Console<'_>) {
        if self.is_shown {
            self.clear(console);
            let line = text::cut(&format!("{what} …"), console.window().columns.saturating_sub(1));
            // Nobody to tell where nobody reads.
            let _ = write!(console.stderr, "{line}").and_then(|()| console.stderr.flush());
        }
    }

    /// Takes it away.
    pub fn clear(self, console: &mut Console<'_>) {
        if self.is_shown {
            let _ = write!(console.stderr, "\r\u{1b}[K").and_then(|()| console.stderr.flush());
        }
    }
}
