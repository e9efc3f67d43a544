//! `setup.py` and `setup.cfg`: what can be read of them without running anything.
//!
//! Of `setup.cfg` that is all, and of `setup.py` what its call of `setup` says by literals. What only
//! running would say is told where no other file says what the project depends on.

mod config;
mod script;

use std::collections::BTreeMap;

use cogpack_frontends_source::{InFile, Place, Placed, SourcePath};
use miette::Diagnostic;
use pep440_rs::VersionSpecifiers;

use crate::project::PythonFinding;
use crate::pyproject::{ProjectTable, PyprojectFinding};
use crate::requirement::{self, PackageName, Written};
use crate::requirements::{RequirementsFinding, Stated};

/// What both files say together. Where both say the same thing, it is that of `setup.py`, as setuptools
/// has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The same as `[project]` would say it.
    pub table: ProjectTable,
    /// The file with its name.
    pub name_in: SourcePath,
    /// The file that says which Python.
    pub python_in: SourcePath,
    /// The file that says which programs.
    pub programs_in: SourcePath,
}

/// What nothing but a program says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum SetupFinding {
    /// Only running it would say.
    #[error("the `{key}` of `{file}` is no literal, and nothing is run to know it")]
    #[diagnostic(
        code("project::python::setup"),
        help(
            "write a literal; or write `[project]` with `dependencies` into `pyproject.toml`; or keep a \
             `requirements.txt`"
        )
    )]
    Run {
        /// The file.
        file: SourcePath,
        /// What it says.
        key: &'static str,
        /// Where it says so.
        #[label("no literal")]
        place: Place,
    },
}

/// Lists of texts by their names.
type Extras = Vec<(String, Vec<Placed<String>>)>;

/// What one file says.
#[derive(Debug, Default)]
struct Words {
    name: Option<Placed<String>>,
    version: Option<Placed<String>>,
    python: Option<Placed<String>>,
    required: Option<Vec<Placed<String>>>,
    extras: Option<Extras>,
    /// `NAME = MODULE:FUNCTION`
    programs: Option<Vec<Placed<String>>>,
    /// What is there and cannot be read.
    unread: Vec<(&'static str, Place)>,
}

/// What the files say; nothing where there is none of them. `is_asked` is whether no other file says
/// what the project depends on: else this does not count.
pub fn read(
    script: (&SourcePath, Option<&str>),
    config: (&SourcePath, Option<&str>),
    is_asked: bool,
) -> (Option<Setup>, Vec<InFile<PythonFinding>>) {
    let of_script = script.1.map(script::words);
    let of_config = config.1.map(config::words);
    if of_script.is_none() && of_config.is_none() {
        return (None, Vec::new());
    }
    let [(of_script, script_text), (of_config, config_text)] = [(of_script, script.1), (of_config, config.1)]
        .map(|(words, text)| (words.unwrap_or_default(), text.unwrap_or_default()));
    let mut findings = Vec::new();
    if is_asked {
        let missing = |key: &str| match key {
            "install_requires" => of_script.required.is_none(),
            _ => true,
        };
        for (file, words) in [(script.0, &of_script), (config.0, &of_config)] {
            for (key, place) in words.unread.iter().filter(|(key, _)| missing(key)) {
                let finding = SetupFinding::Run { file: file.clone(), key, place: *place };
                findings.push(InFile::new(file, finding.into()));
            }
        }
    }
    let (script, config) = (script.0, config.0);
    let first = |is_in_script: bool| if is_in_script { script } else { config };
    let name_in = first(of_script.name.is_some()).clone();
    let python_in = first(of_script.python.is_some()).clone();
    let programs_in = first(of_script.programs.is_some()).clone();
    let python = of_script.python.or(of_config.python);
    let requires_python = python.and_then(|text| match text.parse::<VersionSpecifiers>() {
        Ok(versions) => Some(Placed::new(versions, text.place)),
        Err(_) => {
            let finding = PyprojectFinding::RequiresPython { text: text.value, place: text.place };
            findings.push(InFile::new(&python_in, finding.into()));
            None
        }
    });
    let (required_in, text) =
        if of_script.required.is_some() { (script, script_text) } else { (config, config_text) };
    let mut stated = |file: &SourcePath, text: &str, all: Vec<Placed<String>>| -> Vec<Stated> {
        all.into_iter()
            .filter_map(|written| match requirement_of(file, text, &written) {
                Ok(stated) => Some(stated),
                Err(finding) => {
                    findings.push(InFile::new(file, finding.into()));
                    None
                }
            })
            .collect()
    };
    let mut dependencies = Vec::new();
    let mut optional_dependencies = BTreeMap::new();
    if is_asked {
        dependencies =
            stated(required_in, text, of_script.required.or(of_config.required).unwrap_or_default());
        let (extras_in, text, extras) = match of_script.extras {
            Some(extras) => (script, script_text, extras),
            None => (config, config_text, of_config.extras.unwrap_or_default()),
        };
        for (extra, all) in extras {
            let Some(extra) = PackageName::new(&extra) else { continue };
            optional_dependencies.insert(extra.as_str().to_owned(), stated(extras_in, text, all));
        }
    }
    let programs = of_script.programs.or(of_config.programs).unwrap_or_default();
    let scripts = programs.into_iter().filter_map(|program| {
        let (name, object) = program.value.split_once('=')?;
        Some((name.trim().to_owned(), Placed::new(object.trim().to_owned(), program.place)))
    });
    let name = of_script.name.or(of_config.name);
    let name = name.and_then(|name| Some(Placed::new(PackageName::new(&name.value)?, name.place)));
    let table = ProjectTable {
        name,
        version: of_script.version.or(of_config.version),
        requires_python,
        dependencies,
        scripts: scripts.collect(),
        optional_dependencies,
    };
    (Some(Setup { table, name_in, python_in, programs_in }), findings)
}

/// A requirement; its parts have places where it stands in the file as it is.
fn requirement_of(
    file: &SourcePath,
    text: &str,
    written: &Placed<String>,
) -> Result<Stated, RequirementsFinding> {
    let inner = |skipped: usize| Place {
        start: written.place.start + skipped,
        length: written.value.len(),
        ..written.place
    };
    let is_there = |place: &Place| text.get(place.start..place.start + place.length) == Some(&*written.value);
    let verbatim = [inner(0), inner(1)].into_iter().find(is_there);
    let (place, is_verbatim) = (verbatim.unwrap_or(written.place), verbatim.is_some());
    let requirement = requirement::parse(Written { text: &written.value, place, is_verbatim })?;
    Ok(Stated { requirement, file: file.clone(), place: written.place, hashes: Default::default() })
}
