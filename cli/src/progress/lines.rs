//! From bytes as they come to lines as they are shown.

use super::text::printable;

/// The longest line that is waited for; a longer one is shown in parts.
const LONGEST: usize = 16 * 1024;

/// Collects the output of one program.
#[derive(Debug, Default)]
pub struct Lines {
    /// What came after the last newline.
    open: Vec<u8>,
}

impl Lines {
    /// Takes bytes, and gives the lines that are whole now.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut whole = Vec::new();
        let mut rest = bytes;
        while let Some(newline) = rest.iter().position(|byte| *byte == b'\n') {
            self.open.extend_from_slice(&rest[..newline]);
            rest = &rest[newline + 1..];
            whole.push(self.take());
        }
        self.open.extend_from_slice(rest);
        if self.open.len() > LONGEST {
            // A bar that redraws itself never ends its line: only its last state counts.
            match self.open.iter().rposition(|byte| *byte == b'\r') {
                Some(start) if start > 0 => drop(self.open.drain(..start)),
                Some(_) | None => whole.push(self.take()),
            }
        }
        whole
    }

    /// The line that has not ended yet; `None` where nothing is open.
    pub fn open(&self) -> Option<String> {
        (!self.open.is_empty()).then(|| printable(&String::from_utf8_lossy(&self.open)))
    }

    /// Ends the line that is open, because nothing more will come.
    pub fn finish(&mut self) -> Option<String> {
        (!self.open.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> String {
        let line = printable(&String::from_utf8_lossy(&self.open));
        self.open.clear();
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_from_pieces() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"one\ntw"), ["one"]);
        assert_eq!(lines.open().as_deref(), Some("tw"));
        assert_eq!(lines.push(b"o\n\n"), ["two", ""]);
        assert_eq!(lines.open(), None);
        let letter = "é".as_bytes();
        assert!(lines.push(&letter[..1]).is_empty());
        assert_eq!(lines.push(&[letter[1], b'\n']), ["é"]);
        assert_eq!(lines.push(b"a\xffb\n"), ["a\u{fffd}b"]);
    }

    #[test]
    fn a_bar_that_never_ends_its_line_costs_no_memory() {
        let mut lines = Lines::default();
        for percent in 0..100_000 {
            assert!(lines.push(format!("\r{percent} done").as_bytes()).is_empty());
        }
        assert_eq!(lines.open().as_deref(), Some("99999 done"));
        assert!(lines.open.len() <= 2 * LONGEST);
    }

    #[test]
    fn a_line_without_an_end_is_shown_in_parts() {
        let mut lines = Lines::default();
        let shown = lines.push(&vec![b'x'; LONGEST + 1]);
        assert_eq!(shown, ["x".repeat(LONGEST + 1)]);
        assert_eq!(lines.open(), None);
    }
}
