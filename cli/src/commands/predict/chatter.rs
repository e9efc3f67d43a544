//! What a container writes, line by line: shown as it comes, and its end kept for when something goes
//! wrong.

use std::collections::VecDeque;

use cogpack_io_model_server::log;
use cogpack_io_runtime::job::Stream;

use crate::console::Console;
use crate::progress::lines::Lines;
use crate::progress::palette::Tone;
use crate::progress::text;
use crate::report::Format;

/// Most lines that are kept.
const KEPT: usize = 20;

/// Some bytes that a container has written.
pub struct Said {
    /// Where to.
    pub stream: Stream,
    /// What.
    pub bytes: Vec<u8>,
}

/// The lines of one container.
pub struct Chatter {
    format: Format,
    /// What is open of standard output, and of standard error.
    lines: [Lines; 2],
    end: VecDeque<String>,
    shown: usize,
}

impl Chatter {
    /// Nothing yet. For programs nothing is shown as it comes.
    pub fn new(format: Format) -> Self {
        Self { format, lines: Default::default(), end: VecDeque::new(), shown: 0 }
    }

    /// Takes in some bytes of one of its streams.
    pub fn push(&mut self, said: &Said, console: &mut Console<'_>) {
        let lines = match said.stream {
            Stream::Output => &mut self.lines[0],
            Stream::Errors => &mut self.lines[1],
        };
        for line in lines.push(&said.bytes) {
            self.line(&line, console);
        }
    }

    /// Nothing more will come.
    pub fn finish(&mut self, console: &mut Console<'_>) {
        let rest: Vec<String> = self.lines.iter_mut().filter_map(Lines::finish).collect();
        rest.iter().for_each(|line| self.line(line, console));
    }

    /// How many lines were shown so far.
    pub fn shown(&self) -> usize {
        self.shown
    }

    /// The last lines, the oldest first.
    pub fn end(&self) -> Vec<String> {
        self.end.iter().cloned().collect()
    }

    /// Shows lines as those of the model.
    pub fn show(&mut self, lines: &str, console: &mut Console<'_>) {
        for line in lines.lines() {
            self.tell(line, console);
        }
    }

    fn line(&mut self, line: &str, console: &mut Console<'_>) {
        let line = log::read(line);
        if line.text.is_empty() {
            return;
        }
        if self.end.len() == KEPT {
            self.end.pop_front();
        }
        if line.matters {
            self.tell(&line.text, console);
        }
        self.end.push_back(line.text);
    }

    fn tell(&mut self, line: &str, console: &mut Console<'_>) {
        self.shown += 1;
        if self.format == Format::Text {
            let line = format!("  │ {}", text::plain(line));
            let painted = console.palette().paint(Tone::Faint, &line);
            console.say(&painted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_model_says_is_shown_and_the_end_of_all_kept() {
        let mut stderr = Vec::new();
        let mut console = Console::talking_to(&mut stderr);
        let said = |stream, text: &str| Said { stream, bytes: text.as_bytes().to_vec() };
        let mut chatter = Chatter::new(Format::Text);
        let line = |text: &str, source: &str| {
            format!("{{\"level\":\"INFO\",\"fields\":{{\"message\":\"{text}\"{source}}}}}\n")
        };
        for number in 0..30 {
            chatter.push(&said(Stream::Errors, &line(&format!("chat {number}"), "")), &mut console);
        }
        let loading = line("loading", ",\"source\":\"Stdout\"");
        let (one, two) = loading.split_at(10);
        chatter.push(&said(Stream::Errors, one), &mut console);
        chatter.push(&said(Stream::Output, "no line break"), &mut console);
        chatter.push(&said(Stream::Errors, two), &mut console);
        chatter.finish(&mut console);
        assert_eq!(chatter.shown(), 2);
        let end = chatter.end();
        assert_eq!((end.len(), end[0].as_str(), end[19].as_str()), (KEPT, "chat 12", "no line break"));
        assert_eq!(String::from_utf8_lossy(&stderr), "  │ loading\n  │ no line break\n");
    }
}
