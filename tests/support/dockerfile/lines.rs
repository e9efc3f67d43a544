//! From lines to instructions: comments, lines that go on, and here-documents.

use super::operands::Operands;
use super::rules::Rules;
use super::words::{self, Kept};
use super::{Unreadable, flags};

/// Longest line that a reader's buffer takes.
const LONGEST_LINE: usize = 65_535;

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// In capitals.
    pub keyword: String,
    /// Without `--`.
    pub flags: Vec<String>,
    /// What it is told.
    pub operands: Operands,
    /// What stands in the lines below it.
    pub heredocs: Vec<Heredoc>,
}

/// A here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// What ends it.
    pub name: String,
    /// Whether variables in it are read, in `COPY`.
    pub expands: bool,
    /// Whether tabs at the beginning of lines are taken off.
    pub chomps: bool,
    /// Its lines.
    pub content: String,
}

/// A Dockerfile as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// What the first line asks for.
    pub syntax: Option<String>,
    /// First to last.
    pub instructions: Vec<Instruction>,
}

/// Reads a whole Dockerfile.
pub fn read(text: &str, rules: &Rules) -> Result<Dockerfile, Unreadable> {
    let mut lines = text.split_inclusive('\n');
    let mut dockerfile = Dockerfile { syntax: None, instructions: Vec::new() };
    let mut in_directives = true;
    while let Some(line) = next(&mut lines)? {
        let line = line.trim_start();
        if line.starts_with('#') || line.is_empty() {
            if in_directives {
                in_directives = directive(line, &mut dockerfile)?;
            }
            continue;
        }
        in_directives = false;
        let (mut whole, mut goes_on) = continued(line, rules);
        while goes_on {
            let Some(line) = next(&mut lines)? else { break };
            // Comments and blank lines in between say nothing.
            if line.trim_start().starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let (more, again) = continued(line, rules);
            whole.push_str(&more);
            goes_on = again;
        }
        let mut instruction = instruction(&whole)?;
        let may_have_heredocs = matches!(instruction.keyword.as_str(), "RUN" | "COPY" | "ADD")
            && !matches!(instruction.operands, Operands::List(_));
        if rules.heredocs && may_have_heredocs {
            for mut heredoc in heredocs(&whole, rules) {
                heredoc.content = content(&heredoc, &mut lines)?;
                instruction.heredocs.push(heredoc);
            }
        }
        dockerfile.instructions.push(instruction);
    }
    if dockerfile.instructions.is_empty() { Unreadable::new("no instruction") } else { Ok(dockerfile) }
}

/// The next line without its end.
fn next<'t>(lines: &mut impl Iterator<Item = &'t str>) -> Result<Option<&'t str>, Unreadable> {
    let Some(line) = lines.next() else { return Ok(None) };
    if line.len() > LONGEST_LINE {
        return Unreadable::new(format!("a line of {} bytes", line.len()));
    }
    Ok(Some(line.trim_end_matches(['\n', '\r'])))
}

/// Reads a comment as a directive; whether another may follow.
fn directive(line: &str, dockerfile: &mut Dockerfile) -> Result<bool, Unreadable> {
    let Some((key, value)) = line.trim_start_matches('#').split_once('=') else { return Ok(false) };
    let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
    match key.as_str() {
        "syntax" if dockerfile.syntax.is_none() && line.starts_with('#') => {
            dockerfile.syntax = Some(value.to_owned());
            Ok(true)
        }
        "escape" | "syntax" | "check" => Unreadable::new(format!("the directive `{line}`")),
        _ => Ok(false),
    }
}

/// A line without what joins it with the next, and whether it goes on there.
fn continued(line: &str, rules: &Rules) -> (String, bool) {
    let end = line.trim_end_matches([' ', '\t']);
    match end.strip_suffix('\\') {
        Some(before) if rules.doubled_escape_continues || !before.ends_with('\\') => {
            (before.to_owned(), true)
        }
        Some(_) | None => (line.to_owned(), false),
    }
}

fn instruction(line: &str) -> Result<Instruction, Unreadable> {
    let line = line.trim();
    let is_space = |it: char| matches!(it, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ');
    let (keyword, rest) = line.split_once(is_space).unwrap_or((line, ""));
    let (flags, rest) = flags::split(rest.trim_start_matches(is_space));
    let keyword = keyword.to_ascii_uppercase();
    let operands = Operands::of(&keyword, rest.trim())?;
    Ok(Instruction { keyword, flags, operands, heredocs: Vec::new() })
}

/// The here-documents that a line asks for: words of it that are `<<NAME`, after a number perhaps.
fn heredocs(line: &str, rules: &Rules) -> Vec<Heredoc> {
    let nothing = |_: &str| None;
    let raw = Kept { quotes: true, escapes: true, unset: true };
    // A line that is no sequence of words asks for none.
    let Ok(words) = words::read(line, rules, raw, &nothing) else { return Vec::new() };
    let mut heredocs = Vec::new();
    for word in &words.separate {
        let Some(name) = word.trim_start_matches(|it: char| it.is_ascii_digit()).strip_prefix("<<") else {
            continue;
        };
        let (chomps, name) = match name.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, name),
        };
        let kept = Kept { unset: true, ..Kept::default() };
        let Ok(read) = words::read(name, rules, kept, &nothing) else { continue };
        if let ([name_alone], false) = (&read.separate[..], name.contains('<')) {
            let marks = |text: &str| text.matches(['\'', '"']).count();
            let expands = marks(name) == marks(name_alone);
            let name = name_alone.clone();
            heredocs.push(Heredoc { name, expands, chomps, content: String::new() });
        }
    }
    heredocs
}

fn content<'t>(heredoc: &Heredoc, lines: &mut impl Iterator<Item = &'t str>) -> Result<String, Unreadable> {
    let mut content = String::new();
    for line in lines {
        let mut end = line.trim_end_matches(['\n', '\r']);
        if heredoc.chomps {
            end = end.trim_start_matches('\t');
        }
        if end == heredoc.name {
            return Ok(content);
        }
        content.push_str(if heredoc.chomps { line.trim_start_matches('\t') } else { line });
    }
    Unreadable::new(format!("the here-document `{}` does not end", heredoc.name))
}
