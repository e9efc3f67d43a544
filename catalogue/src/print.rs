//! A catalogue as text, in canonical form.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::config;
use crate::entry::Entry;
use crate::pythons::PythonArchive;

/// The whole file.
pub(crate) fn catalogue<'e>(
    entries: impl IntoIterator<Item = &'e Entry>,
    pythons: impl IntoIterator<Item = &'e PythonArchive>,
) -> String {
    let mut text = "catalogue = 1\n".to_owned();
    for entry in entries {
        text.push('\n');
        image(&mut text, entry);
    }
    for archive in pythons {
        text.push('\n');
        python(&mut text, archive);
    }
    text
}

fn python(text: &mut String, archive: &PythonArchive) {
    text.push_str("[[python]]\n");
    line(text, "version", &quoted(&archive.version.to_string()));
    line(text, "platform", &quoted(&archive.platform.to_string()));
    line(text, "url", &quoted(&archive.url));
    line(text, "digest", &quoted(&archive.digest.to_string()));
}

fn image(text: &mut String, entry: &Entry) {
    text.push_str("[[image]]\n");
    line(text, "reference", &quoted(entry.reference.as_str()));
    if let Some(digest) = &entry.digest {
        line(text, "digest", &quoted(&digest.to_string()));
    }
    line(text, "platforms", &array(&entry.platforms));
    line(text, "roles", &array(entry.roles.iter().map(|role| role.word())));
    line(text, "extent", &quoted(entry.extent.word()));
    let os = &entry.os;
    let mut cells = vec![("id", os.id.as_str()), ("version", os.version.as_str())];
    cells.extend(os.codename.as_deref().map(|codename| ("codename", codename)));
    line(text, "os", &inline(&cells));
    if let Some(python) = &entry.python {
        let version = python.version.to_string();
        let mut cells = vec![
            ("version", version.as_str()),
            ("interpreter", &python.interpreter),
            ("prefix", &python.prefix),
        ];
        cells.extend(python.venv.as_deref().map(|venv| ("venv", venv)));
        line(text, "python", &inline(&cells));
    }
    for (key, version) in [("cuda", &entry.cuda), ("cudnn", &entry.cudnn)] {
        if let Some(version) = version {
            line(text, key, &quoted(&version.to_string()));
        }
    }
    if let Some(config) = &entry.config {
        line(text, "config", &lines(&config::text(config)));
    }
    if !entry.lacks.is_empty() {
        line(text, "lacks", &array(&entry.lacks));
    }
    table(text, "packages", &entry.packages);
    // A config says the variables too.
    if entry.config.is_none() {
        table(text, "env", &entry.env);
    }
}

fn table(text: &mut String, name: &str, rows: &BTreeMap<String, String>) {
    if rows.is_empty() {
        return;
    }
    text.push_str(&format!("\n[image.{name}]\n"));
    for (name, value) in rows {
        line(text, &key(name), &quoted(value));
    }
}

fn line(text: &mut String, key: &str, value: &str) {
    text.push_str(&format!("{key} = {value}\n"));
}

fn array(items: impl IntoIterator<Item: Display>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| quoted(&item.to_string())).collect();
    format!("[{}]", items.join(", "))
}

fn inline(cells: &[(&str, &str)]) -> String {
    let cells: Vec<String> = cells.iter().map(|(key, value)| format!("{key} = {}", quoted(value))).collect();
    format!("{{ {} }}", cells.join(", "))
}

/// A key, in quotes where TOML wants them.
fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// Lines as they stand, where TOML takes them so.
fn lines(text: &str) -> String {
    let is_taken = |letter: char| matches!(letter, '\n' | '\t') || !letter.is_control();
    match text.chars().all(is_taken) && !text.contains("'''") {
        true => format!("'''\n{text}'''"),
        false => quoted(text),
    }
}

/// A text on one line, with what TOML does not take as it stands behind backslashes.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
