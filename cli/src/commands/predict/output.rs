//! What a model gives, as files or on standard output.

use std::path::{Path, PathBuf};

use cogpack_io_model_server::data_url::DataUrl;
use serde_json::Value;

use super::form::OutputForm;
use crate::console::Console;
use crate::emit::write_file;
use crate::failure::Failure;
use crate::report::json;

/// Output as it is left: what is printed, and the files that were written.
#[derive(Debug, Default)]
pub struct Left {
    /// What is to be printed, if anything is.
    pub printed: Option<String>,
    /// The files, as the command line would name them.
    pub files: Vec<PathBuf>,
}

/// Prints one piece of output that has come by itself.
pub fn print_piece(piece: &Value, form: OutputForm, console: &mut Console<'_>) {
    let text = match (piece, form) {
        (Value::String(text), OutputForm::Pieces) => text.clone(),
        (Value::String(text), OutputForm::Value | OutputForm::Items) => format!("{text}\n"),
        (other, _) => format!("{other}\n"),
    };
    console.data(text.as_bytes());
    let _ = console.stdout.flush();
}

/// What is printed of a whole output.
pub fn text_of(output: &Value, form: OutputForm) -> String {
    let texts: Option<Vec<&str>> =
        output.as_array().and_then(|items| items.iter().map(Value::as_str).collect());
    match (output, form, texts) {
        (Value::String(text), _, _) => with_line_break(text),
        (_, OutputForm::Pieces, Some(texts)) => with_line_break(&texts.concat()),
        (_, OutputForm::Items, Some(texts)) => texts.iter().map(|text| format!("{text}\n")).collect(),
        (other, _, _) => json::text(other),
    }
}

fn with_line_break(text: &str) -> String {
    if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

/// Whether something can be written to where `-o` says: a model that has answered is not asked again for
/// what was lost.
pub fn can_be_written(to: &Path, directory: &Path) -> Result<(), Failure> {
    let full = directory.join(to);
    let above = match is_directory(to, &full) {
        // It is made, with all that is missing above it.
        true => full.ancestors().find(|above| above.exists()),
        // What is neither, a pipe for instance, is written to as it is.
        false if full.exists() && !full.is_file() => return Ok(()),
        false => full.parent(),
    };
    let above = above.unwrap_or(directory);
    let refused = |why: String| {
        Failure::new(format!("no output can be written to `{}`: {why}", to.display())).with_hint(
            "name a file in a directory that is there, or a directory, as in `-o made/`, which is made",
        )
    };
    if !above.is_dir() {
        let what = if above.exists() { "is no directory" } else { "is not there" };
        return Err(refused(format!("`{}` {what}", above.display())));
    }
    match tempfile::tempfile_in(above) {
        Ok(_) => Ok(()),
        Err(error) => Err(refused(format!("nothing can be made in `{}`, {error}", above.display()))),
    }
}

/// Whether `-o` names a directory.
fn is_directory(to: &Path, full: &Path) -> bool {
    full.is_dir() || to.as_os_str().as_encoded_bytes().ends_with(b"/")
}

/// Writes an output to where `-o` says: files as files, and what is none as one text.
pub fn write(output: &Value, form: OutputForm, to: &Path, directory: &Path) -> Result<Left, Failure> {
    let full = directory.join(to);
    let is_directory = is_directory(to, &full);
    if is_directory {
        std::fs::create_dir_all(&full).map_err(|error| Failure::no_directory(to, &error))?;
    }
    let mut files = Vec::new();
    collect(output, &mut files);
    let place = |ending: &str, number: Option<usize>| -> PathBuf {
        let (above, name) = match is_directory {
            true => (to.to_owned(), format!("output.{ending}")),
            false => {
                let name = to.file_name().unwrap_or_default().to_string_lossy().into_owned();
                (to.parent().map(Path::to_owned).unwrap_or_default(), name)
            }
        };
        let name = match (number, name.rsplit_once('.')) {
            (None, _) => name,
            (Some(number), Some((stem, ending))) if !stem.is_empty() => format!("{stem}.{number}.{ending}"),
            (Some(number), _) => format!("{name}.{number}"),
        };
        above.join(name)
    };
    let mut left = Left::default();
    if files.is_empty() {
        let ending = if output.is_string() || form != OutputForm::Value { "txt" } else { "json" };
        let path = place(ending, None);
        write_file(&directory.join(&path), text_of(output, form).as_bytes())?;
        left.files.push(path);
        return Ok(left);
    }
    let is_one = output.is_string();
    for (number, file) in files.iter().enumerate() {
        let path = place(file.ending(), (!is_one).then_some(number));
        write_file(&directory.join(&path), &file.bytes)?;
        left.files.push(path);
    }
    let is_all = output.as_array().is_some_and(|items| items.len() == files.len());
    if !is_one && !is_all {
        // What is no file is printed, with the names of those that are.
        let mut names = left.files.iter().map(|path| path.display().to_string());
        let mut shown = output.clone();
        rename(&mut shown, &mut names);
        left.printed = Some(json::text(&shown));
    }
    Ok(left)
}

/// The files of an output, in its order.
fn collect(output: &Value, files: &mut Vec<DataUrl>) {
    match output {
        Value::String(text) => files.extend(DataUrl::read(text)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, files)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, files)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts names in the places of files, in the same order.
fn rename(output: &mut Value, names: &mut dyn Iterator<Item = String>) {
    match output {
        Value::String(text) => {
            if DataUrl::read(text).is_some()
                && let Some(name) = names.next()
            {
                *text = name;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HELLO: &str = "data:text/plain;base64,SEVMTE8=";
    const BYTES: &str = "data:application/octet-stream;base64,AAE=";

    #[test]
    fn files_get_names_and_the_rest_is_printed() {
        for (output, to, files, printed) in [
            (json!(HELLO), "out.txt", &[("out.txt", "HELLO")][..], None),
            (json!(HELLO), "out/", &[("out/output.txt", "HELLO")], None),
            (json!([HELLO, BYTES]), "out.png", &[("out.0.png", "HELLO"), ("out.1.png", "\0\u{1}")], None),
            (
                json!([HELLO, BYTES]),
                "out/",
                &[("out/output.0.txt", "HELLO"), ("out/output.1.bin", "\0\u{1}")],
                None,
            ),
            (json!([HELLO]), "out", &[("out.0", "HELLO")], None),
            (
                json!({"n": 1, "file": HELLO}),
                "out.txt",
                &[("out.0.txt", "HELLO")],
                Some("{\n  \"file\": \"out.0.txt\",\n  \"n\": 1\n}\n"),
            ),
            (json!("plain"), "out.txt", &[("out.txt", "plain\n")], None),
            (
                json!({"b": 1, "a": [2]}),
                "o/",
                &[("o/output.json", "{\n  \"a\": [\n    2\n  ],\n  \"b\": 1\n}\n")],
                None,
            ),
        ] {
            let folder = tempfile::tempdir().expect("a folder can be made");
            let left =
                write(&output, OutputForm::Value, Path::new(to), folder.path()).expect("can be written");
            let names: Vec<_> = files.iter().map(|(name, _)| PathBuf::from(name)).collect();
            assert_eq!((left.files, left.printed.as_deref()), (names, printed), "{output}");
            for (name, text) in files {
                let found = std::fs::read_to_string(folder.path().join(name)).expect("was written");
                assert_eq!(found, *text, "{output}");
            }
        }
    }

    #[test]
    fn lists_are_printed_as_the_model_means_them() {
        let list = json!(["a", "b"]);
        assert_eq!(text_of(&list, OutputForm::Pieces), "ab\n");
        assert_eq!(text_of(&list, OutputForm::Items), "a\nb\n");
        assert_eq!(text_of(&list, OutputForm::Value), "[\n  \"a\",\n  \"b\"\n]\n");
        assert_eq!(text_of(&json!("a\n"), OutputForm::Value), "a\n");
        assert_eq!(text_of(&Value::Null, OutputForm::Value), "null\n");
    }
}
