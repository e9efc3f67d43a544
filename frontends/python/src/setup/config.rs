//! `setup.cfg`, as `configparser` reads it: sections, keys, and values that go on where a line is
//! indented.

use cogpack_frontends_source::{Place, Placed};

use super::Words;

/// A key of a section, and the lines of its value that hold something.
struct Entry<'t> {
    section: &'t str,
    key: &'t str,
    lines: Vec<Placed<&'t str>>,
}

/// What the file says.
pub(super) fn words(text: &str) -> Words {
    let mut words = Words::default();
    for entry in entries(text) {
        let whole = entry.lines.first().map(|line| line.clone().map(str::to_owned));
        // Other files say it, or the modules themselves.
        let is_elsewhere =
            whole.as_ref().is_some_and(|line| ["file:", "attr:"].iter().any(|word| line.starts_with(word)));
        match (entry.section, entry.key.replace('-', "_").as_str()) {
            ("metadata", "name") => words.name = whole,
            ("metadata", "version") if !is_elsewhere => words.version = whole,
            ("options", "python_requires") => words.python = whole,
            ("options", "install_requires") => match whole {
                Some(first) if is_elsewhere => words.unread.push(("install_requires", first.place)),
                _ => words.required = Some(requirements(entry.lines)),
            },
            ("options.extras_require", _) if !is_elsewhere => {
                let extra = (entry.key.to_owned(), requirements(entry.lines));
                words.extras.get_or_insert_default().push(extra);
            }
            ("options.entry_points", "console_scripts") => {
                let lines = entry.lines.into_iter().map(|line| line.map(str::to_owned));
                words.programs = Some(lines.collect());
            }
            _ => {}
        }
    }
    words
}

/// One a line, or divided by `;` where there is only one line.
fn requirements(lines: Vec<Placed<&str>>) -> Vec<Placed<String>> {
    let is_one = lines.len() == 1;
    let mut all = Vec::new();
    for Placed { value: line, place } in lines {
        // A marker is behind a `;` too, so this is what setuptools makes of a single line.
        let parts: Vec<&str> =
            if is_one && !line.contains(['\'', '"']) { line.split(';').collect() } else { vec![line] };
        for part in parts {
            let skipped =
                part.as_ptr() as usize - line.as_ptr() as usize + part.len() - part.trim_start().len();
            let part = part.trim();
            if !part.is_empty() {
                let place = Place { start: place.start + skipped, length: part.len(), ..place };
                all.push(Placed::new(part.to_owned(), place));
            }
        }
    }
    all
}

fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut section = "";
    // Whether an indented line goes on with the value before.
    let mut goes_on = false;
    let mut at = 0;
    for (number, whole) in text.split_inclusive('\n').enumerate() {
        let start = at;
        at += whole.len();
        let line = whole.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let placed = |part: &'_ str| Place {
            start: start + (part.as_ptr() as usize - whole.as_ptr() as usize),
            length: part.len(),
            line: number + 1,
        };
        let is_indented = whole.starts_with([' ', '\t']);
        if is_indented && goes_on {
            if let Some(entry) = entries.last_mut() {
                entry.lines.push(Placed::new(line, placed(line)));
            }
        } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            section = name.trim();
            goes_on = false;
        } else if let Some((key, value)) = line.split_once(['=', ':']) {
            let value = value.trim();
            let first = (!value.is_empty()).then(|| Placed::new(value, placed(value)));
            entries.push(Entry { section, key: key.trim(), lines: Vec::from_iter(first) });
            goes_on = true;
        }
    }
    entries
}
