//! The Python of an image: the one that `python3` starts.

use std::collections::BTreeMap;

use pep440_rs::Version;

use super::{Filesystem, LookError, View, parent};
use crate::entry::Python;

/// Finds it by `PATH`, and its version by the best evidence that there is.
pub(super) fn find<F: Filesystem>(
    view: &View<'_, F>,
    packages: &BTreeMap<String, String>,
    evidence: &mut Vec<String>,
) -> Result<Option<Python>, LookError<F::Error>> {
    let Some(found) = ["python3", "python"].into_iter().find_map(|name| view.program(name)) else {
        return Ok(None);
    };
    // A virtual environment is the directory above `bin`, and says which Python it is of.
    let above = parent(parent(&found)).to_owned();
    let venv = view.text(&format!("{above}/pyvenv.cfg"))?;
    let (interpreter, venv, said) = match venv {
        None => (found, None, None),
        Some(config) => {
            let value = |key: &str| {
                let mut pairs = config.lines().filter_map(|line| line.split_once('='));
                pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_owned())
            };
            let home = value("home").filter(|home| home.starts_with('/'));
            let base = home.and_then(|home| {
                let named =
                    ["python3", "python"].map(|name| format!("{}/{name}", home.trim_end_matches('/')));
                named.into_iter().find(|path| view.files.resolved(path).is_some())
            });
            let said = value("version").or_else(|| value("version_info"));
            (base.unwrap_or(found), Some(above), said)
        }
    };
    // A link may lead through a directory that is one itself, as `/bin` is to `/usr/bin`.
    let real = view.files.resolved(&interpreter).unwrap_or_else(|| interpreter.clone());
    let prefix = parent(parent(&real)).to_owned();
    let Some(minor) = minor(view, &real, &prefix) else {
        evidence.push(format!(
            "`{interpreter}` is left out, because neither its name nor `{prefix}/lib` tells its version"
        ));
        return Ok(None);
    };
    let (version, by) = version(view, &minor, &prefix, said, packages)?;
    evidence.push(format!("Python {version} at `{interpreter}`, by {by}"));
    Ok(Some(Python { version, interpreter, prefix, venv }))
}

/// `3.12`, by the name of the program, or by the directory of its library.
fn minor<F: Filesystem>(view: &View<'_, F>, real: &str, prefix: &str) -> Option<String> {
    let by_name = real.rsplit('/').next().and_then(of_minor);
    by_name.or_else(|| {
        let names = view.files.names(&format!("{prefix}/lib"));
        let mut minors: Vec<String> = names.iter().filter_map(|name| of_minor(name)).collect();
        // Of two there is no telling which it is.
        if minors.len() == 1 { minors.pop() } else { None }
    })
}

/// The version in `python3.12`.
fn of_minor(name: &str) -> Option<String> {
    let rest = name.strip_prefix("python3.")?;
    let is_number = !rest.is_empty() && rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("3.{rest}"))
}

/// The whole version and what says so: the header that it was compiled with, its virtual
/// environment, the package that it is of, or a variable; else only what is known already.
fn version<F: Filesystem>(
    view: &View<'_, F>,
    minor: &str,
    prefix: &str,
    said: Option<String>,
    packages: &BTreeMap<String, String>,
) -> Result<(Version, String), LookError<F::Error>> {
    let header = format!("{prefix}/include/python{minor}/patchlevel.h");
    let by_header = view.text(&header)?.and_then(|text| {
        let mut lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("#define")?.trim().strip_prefix("PY_VERSION"));
        lines.find_map(|rest| Some(rest.trim().strip_prefix('"')?.split('"').next()?.to_owned()))
    });
    let of_package = |name: String| {
        // `1:3.11.2-1+b1` is 3.11.2.
        let whole = packages.get(&name)?;
        let upstream = whole.rsplit_once(':').map_or(whole.as_str(), |(_, rest)| rest);
        let number = |letter: char| letter.is_ascii_digit() || letter == '.';
        Some(upstream.split(|letter| !number(letter)).next()?.to_owned())
    };
    let by_package = (prefix == "/usr").then(|| {
        let mut names = [format!("python{minor}-minimal"), format!("python{minor}")].into_iter();
        names.find_map(|name| Some((of_package(name.clone())?, format!("the package `{name}`"))))
    });
    let found = [
        by_header.map(|version| (version, format!("`{header}`"))),
        said.map(|version| (version, "`pyvenv.cfg`".to_owned())),
        by_package.flatten(),
        view.env.get("PYTHON_VERSION").map(|version| (version.clone(), "PYTHON_VERSION".to_owned())),
    ];
    let start: Option<Version> = minor.parse().ok();
    let fitting = found.into_iter().flatten().find_map(|(text, by)| {
        // What says another version is about another Python.
        let version: Version = text.trim_end_matches('+').parse().ok()?;
        let is_of = start.as_ref().is_some_and(|start| version.release().starts_with(start.release()));
        is_of.then_some((version, by))
    });
    let by_name = || {
        (Version::new(minor.split('.').filter_map(|part| part.parse::<u64>().ok())), "its name".to_owned())
    };
    Ok(fitting.unwrap_or_else(by_name))
}
