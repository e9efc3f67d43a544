//! The catalogues of base images that a command goes by: the shipped one, and the user's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cogpack_catalogue::{Catalogue, CatalogueFinding};
use miette::Diagnostic;
use url::Url;

use crate::console::Console;
use crate::env_vars::Secret;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::report::{self, Format, Stream};

/// No catalogue that people write is larger.
const LARGEST: u64 = 64 << 20;

/// The shipped catalogue behind those of the environment, and those that the command line names
/// (`--catalogue`), of each of which the first is preferred. Those of a project's settings come between
/// these two. `None` where one of them has findings, which are shown.
pub fn all(
    named: &[PathBuf],
    format: Format,
    console: &mut Console<'_>,
) -> Result<Option<(Catalogue, Option<Catalogue>)>, Failure> {
    let of_environment = console.environment.catalogues.clone();
    let known = together(Some(Catalogue::shipped()), &of_environment, format, console)?;
    let named = together(None, named, format, console)?;
    Ok(known.and_then(|known| Some((known?, named?))))
}

/// The catalogues of some files before those of `behind`; nothing within where there is none at all,
/// and nothing where one of them has findings.
fn together(
    behind: Option<Catalogue>,
    paths: &[PathBuf],
    format: Format,
    console: &mut Console<'_>,
) -> Result<Option<Option<Catalogue>>, Failure> {
    let mut catalogue = behind;
    let mut is_whole = true;
    for path in paths.iter().rev() {
        for file in files(path, console)?.iter().rev() {
            match read(file, format, console)? {
                Some(read) => {
                    catalogue = Some(match catalogue {
                        Some(behind) => behind.with(read),
                        None => read,
                    });
                }
                None => is_whole = false,
            }
        }
    }
    if let Some(mirror) = &console.environment.python_mirror {
        let mirror = address(mirror)?;
        catalogue = catalogue.map(|catalogue| catalogue.with_python_mirror(&mirror));
    }
    Ok(is_whole.then_some(catalogue))
}

/// The address of a mirror of Pythons, as a plan may have it.
fn address(mirror: &Secret) -> Result<String, Failure> {
    let failed = |what: &str| {
        let failure = Failure::new(format!("`UV_PYTHON_INSTALL_MIRROR` {what}"));
        Err(failure.with_hint("it names a directory of a web server, as in `https://mirror.example/pythons`"))
    };
    match Url::parse(&mirror.0) {
        Ok(url) if !["http", "https"].contains(&url.scheme()) => {
            failed("is no address of a web server, and daemons fetch from such alone")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            failed("holds a login, which would stand in plans and in the history of images")
        }
        Ok(_) => Ok(mirror.0.clone()),
        Err(_) => failed("is no address"),
    }
}

/// A catalogue of one file; `None` where it has findings, which are shown.
pub fn read(path: &Path, format: Format, console: &mut Console<'_>) -> Result<Option<Catalogue>, Failure> {
    let full = console.directory.join(path);
    let shown = path.display().to_string();
    let size = fs::metadata(&full).map(|about| about.len()).map_err(|error| failed(&shown, &error))?;
    if size > LARGEST {
        return Err(Failure::new(format!(
            "`{shown}` has {size} bytes, and no catalogue has more than {LARGEST}"
        ))
        .with_hint("`--catalogue` takes a file in the format of docs/catalogue.md, or a directory of such"));
    }
    let text = fs::read(&full).map_err(|error| failed(&shown, &error))?;
    let text = String::from_utf8(text).map_err(|error| failed(&shown, &error))?;
    match Catalogue::read(&shown, &text) {
        Ok(catalogue) => Ok(Some(catalogue)),
        Err(findings) => {
            show(&findings, shown, text, format, console);
            Ok(None)
        }
    }
}

/// The file itself, or the `.toml` files of a directory in the order of their names.
fn files(path: &Path, console: &Console<'_>) -> Result<Vec<PathBuf>, Failure> {
    let full = console.directory.join(path);
    if !full.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let shown = path.display().to_string();
    let mut files = Vec::new();
    for entry in fs::read_dir(&full).map_err(|error| failed(&shown, &error))? {
        let name = entry.map_err(|error| failed(&shown, &error))?.file_name();
        let file = path.join(name);
        if file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn show(
    findings: &[CatalogueFinding],
    shown: String,
    text: String,
    format: Format,
    console: &mut Console<'_>,
) {
    let diagnostics: Vec<&dyn Diagnostic> =
        findings.iter().map(|finding| finding as &dyn Diagnostic).collect();
    let directory = console.directory.clone();
    let file = PlanFile { shown, path: None, text: Arc::new(text), directory };
    report::findings(&diagnostics, &file, format, Stream::Talk, console);
}

fn failed(shown: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
    let Failure { message, causes, .. } = Failure::of(error);
    let causes = std::iter::once(message).chain(causes).collect();
    Failure { message: format!("read the catalogue `{shown}`"), causes, hint: None }
        .with_hint("`--catalogue` and COGPACK_CATALOGUE take a file in the format of docs/catalogue.md, or a directory of such")
}
