//! `--output`, `--push` and `--load`: where the image goes.

use std::path::{Path, PathBuf};

use cogpack_build::order::{Destination, FileForm, Settings};

use super::arguments::Build;
use super::attributes::Attributes;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::record::home::Home;

const FORMS: &str =
    "write `type=docker`, `oci`, `tar`, `local`, `layout` or `image`, with `dest=PATH` for the first five";

/// Where the result goes, as far as the command line says.
pub fn destinations(arguments: &Build, directory: &Path) -> Result<Vec<Destination>, Failure> {
    let parsed = arguments.outputs.iter().map(|text| destination(text, directory));
    let mut destinations = parsed.collect::<Result<Vec<_>, _>>()?;
    if arguments.push {
        push(&mut destinations)?;
    }
    if arguments.load && !destinations.iter().any(|to| matches!(to, Destination::Engine { .. })) {
        destinations.push(Destination::Engine { settings: Settings::new() });
    }
    Ok(destinations)
}

/// Where an image goes that is made without a daemon and that no place is named for: into a layout in the
/// state of its plan. Nowhere for a plan of standard input, which has none.
pub fn unasked(file: &PlanFile) -> Result<Option<Destination>, Failure> {
    let Some(home) = Home::of(file) else { return Ok(None) };
    home.prepare_image().map_err(|error| {
        Failure::of(&error).with_hint("`-o type=layout,dest=DIR` puts the image into another directory")
    })?;
    Ok(Some(Destination::Layout { path: home.image(), settings: Settings::new() }))
}

/// The files that images go to.
pub fn files(destinations: &[Destination]) -> impl Iterator<Item = PathBuf> {
    destinations.iter().filter_map(|to| match to {
        Destination::File { path, .. } => path.clone(),
        Destination::Layout { .. }
        | Destination::Directory { .. }
        | Destination::Engine { .. }
        | Destination::Image { .. } => None,
    })
}

/// The files and directories that images go to.
pub fn paths(destinations: &[Destination]) -> impl Iterator<Item = &Path> {
    destinations.iter().filter_map(|to| match to {
        Destination::File { path, .. } => path.as_deref(),
        Destination::Layout { path, .. } | Destination::Directory { path, .. } => Some(path),
        Destination::Engine { .. } | Destination::Image { .. } => None,
    })
}

/// Whether the image itself goes to standard output, so that nothing else may.
pub fn take_standard_output(destinations: &[Destination]) -> bool {
    destinations.iter().any(|to| matches!(to, Destination::File { path: None, .. }))
}

/// `--push` is a word for `type=image,push=true`, whichever of them was written.
fn push(destinations: &mut Vec<Destination>) -> Result<(), Failure> {
    let mut images = destinations.iter_mut().filter_map(|to| match to {
        Destination::Image { push, .. } => Some(push),
        Destination::Engine { .. }
        | Destination::File { .. }
        | Destination::Layout { .. }
        | Destination::Directory { .. } => None,
    });
    match images.next() {
        Some(push) => *push = true,
        None => destinations.push(Destination::Image { push: true, settings: Settings::new() }),
    }
    Ok(())
}

fn destination(text: &str, directory: &Path) -> Result<Destination, Failure> {
    let option = "--output";
    // A bare path has always meant a directory of files, and `-` a tar of them.
    if !text.contains('=') {
        return Ok(match text {
            "-" => Destination::File { form: FileForm::Files, path: None, settings: Settings::new() },
            path => Destination::Directory { path: directory.join(path), settings: Settings::new() },
        });
    }
    let mut attributes = Attributes::parse(option, "dest", text)?;
    let kind = attributes.need("type")?;
    let file = |form| {
        let mut attributes = attributes.clone();
        let path = file_path(&mut attributes, directory)?;
        Ok(Destination::File { form, path, settings: attributes.rest() })
    };
    match kind.as_str() {
        // Without a file to write, `docker` has always meant the Engine itself.
        "docker" if attributes.clone().take("dest").is_none() => {
            Ok(Destination::Engine { settings: attributes.rest() })
        }
        "docker" => file(FileForm::Docker),
        "oci" if attributes.clone().take("tar").as_deref() == Some("false") => layout(attributes, directory),
        "oci" => file(FileForm::Oci),
        "tar" => file(FileForm::Files),
        "layout" => layout(attributes, directory),
        "local" => {
            let path = directory.join(attributes.need("dest")?);
            Ok(Destination::Directory { path, settings: attributes.rest() })
        }
        "image" | "registry" => {
            let push = attributes.switch("push")?.unwrap_or(kind == "registry");
            if attributes.take("name").is_some() {
                return Err(attributes
                    .failure("names are given with `-t`", "leave `name=…` out, and write `-t NAME`"));
            }
            Ok(Destination::Image { push, settings: attributes.rest() })
        }
        _ => Err(attributes.failure(&format!("nothing is known of the type `{kind}`"), FORMS)),
    }
}

fn file_path(attributes: &mut Attributes, directory: &Path) -> Result<Option<PathBuf>, Failure> {
    let path = attributes.need("dest")?;
    Ok((path != "-").then(|| directory.join(path)))
}

fn layout(mut attributes: Attributes, directory: &Path) -> Result<Destination, Failure> {
    let path = directory.join(attributes.need("dest")?);
    attributes.take("tar");
    Ok(Destination::Layout { path, settings: attributes.rest() })
}
