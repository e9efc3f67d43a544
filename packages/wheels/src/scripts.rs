//! Reads `entry_points.txt`: the programs that a wheel wants made.
//!
//! Everything that is read here becomes part of a program or the name of a file, so that nothing
//! is let through that is not plainly a name.

/// A program that is made: its file, and the function that it calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPoint {
    /// The file's name.
    pub name: String,
    /// The module, with dots.
    pub module: String,
    /// The function in it, with dots where it is in a class.
    pub function: String,
}

/// What is wrong with the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryPointProblem {
    /// It is no text.
    #[error("it is not UTF-8")]
    NotText,
    /// A line that says nothing known.
    #[error("line {line}: `{text}` does not read `NAME = MODULE:FUNCTION`")]
    Line {
        /// Which line.
        line: usize,
        /// What it says.
        text: String,
    },
    /// A name that is none of a file.
    #[error("line {line}: `{name}` is not the name of a program")]
    Name {
        /// Which line.
        line: usize,
        /// What it says.
        name: String,
    },
}

/// The programs of both kinds, on a console and in windows: they differ on Windows only.
pub fn read(bytes: &[u8]) -> Result<Vec<EntryPoint>, EntryPointProblem> {
    let text = std::str::from_utf8(bytes).map_err(|_| EntryPointProblem::NotText)?;
    let mut found = Vec::new();
    let mut is_of_programs = false;
    for (index, line) in text.lines().enumerate() {
        let text = line.trim();
        if text.is_empty() || text.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_of_programs = matches!(section.trim(), "console_scripts" | "gui_scripts");
            continue;
        }
        // Other sections are for other programs to read.
        if is_of_programs {
            found.push(entry_point(text, index + 1)?);
        }
    }
    Ok(found)
}

fn entry_point(text: &str, line: usize) -> Result<EntryPoint, EntryPointProblem> {
    let unread = || EntryPointProblem::Line { line, text: text.to_owned() };
    let (name, value) = text.split_once('=').ok_or_else(unread)?;
    let name = name.trim();
    let is_plain = |letter: char| letter.is_alphanumeric() || " ._-+@".contains(letter);
    if name.is_empty() || name.len() > 255 || name.starts_with('.') || !name.chars().all(is_plain) {
        return Err(EntryPointProblem::Name { line, name: name.to_owned() });
    }
    // Extras say what else must be installed; a locked set has what it has.
    let object = match value.trim().split_once('[') {
        Some((object, extras)) if extras.trim_end().ends_with(']') => object.trim_end(),
        Some(_) => return Err(unread()),
        None => value.trim(),
    };
    let (module, function) = object.split_once(':').ok_or_else(unread)?;
    let (module, function) = (module.trim(), function.trim());
    if !is_dotted(module) || !is_dotted(function) {
        return Err(unread());
    }
    Ok(EntryPoint { name: name.to_owned(), module: module.to_owned(), function: function.to_owned() })
}

/// Names of Python with dots between them.
fn is_dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty()
            && !part.starts_with(|first: char| first.is_ascii_digit())
            && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_both_kinds_are_found() {
        let text = "# made\n[other]\nx = y\n\n[console_scripts]\na=m.n:f\n b.c = m:C.f [extra, more]\n[ gui_scripts ]\nw = m:g\n";
        let found = read(text.as_bytes()).expect("is a list");
        let shown: Vec<String> =
            found.iter().map(|found| format!("{} {} {}", found.name, found.module, found.function)).collect();
        assert_eq!(shown, ["a m.n f", "b.c m C.f", "w m g"]);
    }

    #[test]
    fn what_would_become_another_program_is_refused() {
        for line in [
            "a",
            "a = m",
            "a = m:",
            "a = :f",
            "a = m:f; import os",
            "a = m:f()",
            "a = m-n:f",
            "a = m:f [x",
            "a = 1m:f",
            "../a = m:f",
            "/a = m:f",
            ".. = m:f",
            " = m:f",
            "a\tb = m:f",
        ] {
            let text = format!("[console_scripts]\n{line}\n");
            assert!(read(text.as_bytes()).is_err(), "{line}");
        }
        assert_eq!(read(b"\xff"), Err(EntryPointProblem::NotText));
    }
}
