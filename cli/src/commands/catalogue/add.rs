//! `cogpackc catalogue add`: looks into an image and writes its entry.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cogpack_catalogue::{Catalogue, look};
use cogpack_io_project::files::write_file_atomically;
use miette::Diagnostic;

use super::arguments::Add;
use super::image::Image;
use crate::console::Console;
use crate::failure::Failure;
use crate::report::{self, Format};
use crate::{DONE, FINDINGS, catalogues};

/// Adds it.
pub fn run(add: &Add, format: Format, console: &mut Console<'_>) -> Result<u8, Failure> {
    let reference = without_digest(add)?;
    let target = add.path.as_deref().filter(|path| *path != Path::new("-"));
    // What is in the file already is looked at first: gigabytes may have to come for the rest.
    let before = match target.filter(|path| console.directory.join(path).exists()) {
        None => None,
        Some(path) => {
            let Some(catalogue) = catalogues::read(path, format, console)? else { return Ok(FINDINGS) };
            if let Some(listed) = catalogue.find(&reference) {
                let line = listed.origin.line;
                return Err(Failure::new(format!(
                    "`{}` has an entry of `{reference}`, in line {line}",
                    path.display()
                ))
                .with_hint("take that one away first: a name has one entry"));
            }
            Some(path)
        }
    };
    let image = Image::get(add, console)?;
    let named = image.named();
    let about = look::Image {
        reference,
        digest: image.digest,
        platforms: BTreeSet::from([add.platform.clone()]),
        config: image.config(),
    };
    let looked = look::look(about, &image.files(&named)).map_err(|error| {
        let failure = Failure::of(&error);
        match error.help() {
            Some(help) => failure.with_hint(help.to_string()),
            None => failure,
        }
    })?;
    for fact in &looked.evidence {
        report::remark(fact, format, console);
    }
    if image.digest.is_none() {
        report::remark(
            "the entry has no digest, because what `docker save` gives away need not have the registry's",
            format,
            console,
        );
    }
    let text = [looked.entry].into_iter().collect::<Catalogue>().print();
    match target {
        None => console.data(text.as_bytes()),
        Some(path) => {
            write(path, before.is_some(), &text, console)?;
            let used = format!("`--catalogue {}` takes it", path.display());
            let note = match path.is_absolute() || path.to_str().is_none_or(|path| path.starts_with("..")) {
                true => format!("{used}, and so does `COGPACK_CATALOGUE`"),
                false => format!(
                    "{used}; a project has it always by `catalogue = [\"{}\"]` in `cogpack.toml`, or below \
                     `[tool.cogpack]` in `pyproject.toml`, by the path from its directory on",
                    path.display()
                ),
            };
            report::remark(&note, format, console);
        }
    }
    Ok(DONE)
}

/// The name that the entry has.
fn without_digest(add: &Add) -> Result<cogpack_content::ImageReference, Failure> {
    let text = add.image.as_str();
    text.split_once('@').map_or(text, |(name, _)| name).parse().map_err(|error| Failure::of(&error))
}

/// Writes a new catalogue, or the entry behind those of one that is there, whose text stays as it is.
fn write(path: &Path, is_there: bool, text: &str, console: &Console<'_>) -> Result<(), Failure> {
    let full = console.directory.join(path);
    let mut whole = match is_there {
        false => String::new(),
        true => fs::read_to_string(&full).map_err(|error| {
            Failure::of(&error).with_hint(format!("`{}` was a catalogue a moment ago", path.display()))
        })?,
    };
    match whole.is_empty() {
        true => whole.push_str(text),
        false => {
            if !whole.ends_with('\n') {
                whole.push('\n');
            }
            whole.push_str(text.strip_prefix("catalogue = 1\n").unwrap_or(text));
        }
    }
    write_file_atomically(&full, whole.as_bytes()).map_err(|error| Failure::of(&error))
}
