//! What an image starts, and what of the project is installed for it.
//!
//! What is said decides, in this order: the setting `command`; a model's `run` or `train`, by cog's
//! server; the project's only program, or the one with its name; a package with a `__main__.py`; and of
//! a folder without any of these, `__main__.py` or `main.py`. What is not said is not guessed: a plan of
//! an image that starts nothing helps nobody.

use cogpack_frontends_schema::likeness::{Likeness, most_like_a_model};
use cogpack_frontends_source::file::names;
use cogpack_frontends_source::{InFile, Kind, Names, Placed, Source, SourcePath, Text, Unread};
use cogpack_packages_wheels::scripts::{self, EntryPoint};

use super::blocks::PROJECT;
use super::facts::Decided;
use super::finding::PythonFinding;
use super::said::{Said, at, beside};
use crate::stacks::{Findings, ProjectFinding};

/// What the image starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// cog's server.
    Server,
    /// This command.
    Command(Vec<String>),
    /// What the base image starts: a `cog.yaml` without a model.
    OfBase,
}

/// A project that is a package, and installed where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its name, normalised.
    pub name: String,
    /// Its version, where the file says it.
    pub version: Option<String>,
    /// The directory of the image that its modules are in.
    pub modules: String,
    /// Its programs.
    pub programs: Vec<EntryPoint>,
    /// Where the project is declared.
    pub at: crate::composer::desk::At,
}

/// Both, or what is wrong with them.
#[allow(clippy::type_complexity)]
pub fn start(
    source: &Source,
    said: &Said,
) -> Result<Result<(Decided<Start>, Option<Installed>), Findings>, Unread> {
    let src = beside("src");
    let (root, below_src) = match (names(source, &SourcePath::root())?, names(source, &src)?) {
        (Ok(root), Ok(below_src)) => (root, below_src),
        (root, below_src) => {
            return Ok(Err([root.err(), below_src.err()].into_iter().flatten().map(InFile::of).collect()));
        }
    };
    let places = Places { root, below_src };
    let installed = match installed(said, &places) {
        Ok(installed) => installed,
        Err(findings) => return Ok(Err(findings)),
    };
    let decided = |start, at, because| Ok(Ok((Decided { value: start, at, because }, installed.clone())));
    if let Some(command) = &said.settings().command {
        let at = said.at_setting(command.place);
        return decided(Start::Command(command.value.clone()), at, "the setting `command` says so");
    }
    if let Some(handler) = said.cog.run.as_ref().or(said.cog.train.as_ref()) {
        return decided(Start::Server, said.at(handler.place), "this is what cog's server serves");
    }
    let pyproject = said.table_in(|setup| &setup.programs_in);
    if let Some((program, place)) = match the_program(said) {
        Ok(program) => program,
        Err(finding) => return Ok(Err(vec![InFile::new(&pyproject, finding.into())])),
    } {
        let because = "it is the project's program";
        return decided(Start::Command(vec![program]), at(&pyproject, place), because);
    }
    if said.is_of_cog {
        return decided(Start::OfBase, None, "`cog.yaml` says neither `run` nor `train`");
    }
    let words = |words: &[&str]| Start::Command(words.iter().map(|word| (*word).to_owned()).collect());
    let name = said.table().and_then(|table| table.name.as_ref());
    if let Some(name) = name {
        let package = name.as_str().replace('-', "_");
        for directory in ["src", ""] {
            let main = format!("{directory}/{package}/__main__.py");
            let main = beside(main.trim_start_matches('/'));
            if source.kind(&main)? == Some(Kind::File) {
                let because = "its package has this file, which `python -m` runs";
                return decided(words(&["python", "-m", &package]), Some((main, 1)), because);
            }
        }
    }
    for (file, command) in [("__main__.py", ["python", "."]), ("main.py", ["python", "main.py"])] {
        if places.has(root, file, Kind::File) {
            let because = "no file says what is started, and this one has the name of what is";
            return decided(words(&command), Some((beside(file), 1)), because);
        }
    }
    let finding = PythonFinding::NoCommand { way_out: way_out(source, said, &places)? };
    Ok(Err(vec![InFile::new(&said.config, finding.into())]))
}

/// What can be written so that something is started: what serves a model, where a file looks as if it had one.
fn way_out(source: &Source, said: &Said, places: &Places<'_>) -> Result<String, Unread> {
    let file = match &said.settings().stated {
        Some(stated) => stated.file.to_string(),
        None if said.project.pyproject.is_some() => "pyproject.toml".to_owned(),
        None => "cogpack.toml".to_owned(),
    };
    let place = match file.as_str() {
        "pyproject.toml" => "below `[tool.cogpack]` in `pyproject.toml`".to_owned(),
        file => format!("in a file `{file}`"),
    };
    let scripts: Vec<&str> = places.scripts().into_iter().filter(|name| *name != "setup.py").collect();
    Ok(match model(source, &scripts)? {
        Some((script, name)) => format!(
            "write `target = \"{script}:{name}\"` {place}, and cog's server serves that; or, where it is another \
             program, `command = [\"python\", \"{script}\"]`, or the words that start yours"
        ),
        None => {
            let script = scripts.first().unwrap_or(&"app.py");
            format!(
                "write `command = [\"python\", \"{script}\"]` {place}, or the words that start yours; for a model \
                 `target = \"{script}:NAME\"`, with its class or function"
            )
        }
    })
}

/// Names that files of models mostly have; they are looked into before others.
const OF_MODELS: [&str; 6] =
    ["run.py", "predict.py", "runner.py", "predictor.py", "model.py", "inference.py"];

/// How many files are looked into for a model.
const LOOKED_INTO: usize = 16;

/// The file that looks most as if it had a model, and that model. Only files beside the project's own are looked
/// into, and none where something else says what is started.
fn model<'s>(source: &Source, scripts: &[&'s str]) -> Result<Option<(&'s str, String)>, Unread> {
    let rank = |name: &str| OF_MODELS.iter().position(|one| *one == name).unwrap_or(OF_MODELS.len());
    let mut scripts = scripts.to_vec();
    scripts.sort_by_key(|name| rank(name));
    scripts.truncate(LOOKED_INTO);
    // All of them are asked for at once.
    let unread = scripts.iter().filter_map(|name| source.text(&beside(name)).err());
    if let Some(unread) = unread.reduce(Unread::and) {
        return Err(unread);
    }
    let mut best: Option<(Likeness, &str, String)> = None;
    for script in scripts {
        // What cannot be read says nothing here.
        let Text::Is(text) = source.text(&beside(script))? else { continue };
        let Some((likeness, name)) = most_like_a_model(text) else { continue };
        if best.as_ref().is_none_or(|(best, ..)| likeness > *best) {
            best = Some((likeness, script, name));
        }
    }
    Ok(best.map(|(_, script, name)| (script, name)))
}

/// The project's only program, or the one that has its name.
fn the_program(said: &Said) -> Result<Option<(String, cogpack_frontends_source::Place)>, PythonFinding> {
    let Some(table) = said.table().filter(|_| is_package(said)) else { return Ok(None) };
    let name = table.name.as_ref().map(|name| name.as_str());
    let is_named =
        |program: &&String| Some(cogpack_packages_wheels::file_name::normalised(program).as_str()) == name;
    let mut programs = table.scripts.keys();
    let program = match (programs.next(), programs.next()) {
        (None, _) => return Ok(None),
        (Some(only), None) => only,
        (Some(first), Some(_)) => table.scripts.keys().find(is_named).ok_or_else(|| {
            let names: Vec<String> = table.scripts.keys().map(|name| format!("`{name}`")).collect();
            let place = table.scripts[first].place.into();
            PythonFinding::SeveralPrograms { names: names.join(", "), first: first.clone(), place }
        })?,
    };
    Ok(Some((program.clone(), table.scripts[program].place)))
}

/// Whether the project itself is installed, as uv and pip would: where it says how it is built or which
/// programs it has, or has a `setup.py` or `setup.cfg`, and does not say that it is no package.
pub(super) fn is_package(said: &Said) -> bool {
    let pyproject = said.project.pyproject.as_ref();
    let has_programs = said.table().is_some_and(|table| !table.scripts.is_empty());
    match pyproject.and_then(|pyproject| pyproject.uv.is_package.as_ref()) {
        Some(is_package) => is_package.value,
        // What `setup.py` and `setup.cfg` declare is a package; beside a `cog.yaml` they are mostly of
        // somebody else's model, whose files are found where they lie.
        None if said.project.declared.is_some() => !said.is_of_cog,
        None => pyproject.is_some_and(|pyproject| pyproject.build_system.is_some()) || has_programs,
    }
}

fn installed(said: &Said, places: &Places<'_>) -> Result<Option<Installed>, Findings> {
    let Some(table) = said.table().filter(|_| is_package(said)) else { return Ok(None) };
    let Some(name) = &table.name else { return Ok(None) };
    let pyproject = said.table_in(|setup| &setup.programs_in);
    let mut findings = Findings::new();
    let mut programs = Vec::new();
    let mut modules = places.directory_of(&name.as_str().replace('-', "_"));
    for (program, object) in &table.scripts {
        match entry_point(program, object) {
            Ok(entry) => {
                let top = entry.module.split('.').next().unwrap_or_default();
                match places.directory_of(top) {
                    Some(directory) => {
                        modules = Some(directory);
                        programs.push(entry);
                    }
                    None => {
                        let problem = format!("the project has no module `{top}`");
                        findings.push(told(&pyproject, program, object, problem));
                    }
                }
            }
            Err(problem) => findings.push(told(&pyproject, program, object, problem)),
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let modules = modules.unwrap_or_else(|| PROJECT.to_owned());
    Ok(Some(Installed {
        name: name.as_str().to_owned(),
        version: table.version.as_ref().map(|version| version.value.clone()),
        modules,
        programs,
        at: at(&said.table_in(|setup| &setup.name_in), name.place),
    }))
}

/// Whether it is about a program that the project names, and hangs on nothing that is said elsewhere.
pub(super) fn is_of_one_program(finding: &ProjectFinding) -> bool {
    matches!(finding, ProjectFinding::Python(PythonFinding::Program { .. }))
}

fn told(
    pyproject: &SourcePath,
    name: &str,
    object: &Placed<String>,
    problem: String,
) -> InFile<ProjectFinding> {
    let finding = PythonFinding::Program { name: name.to_owned(), problem, place: object.place.into() };
    InFile::new(pyproject, finding.into())
}

/// A program as wheels say it, so that both are held to the same rules.
fn entry_point(name: &str, object: &str) -> Result<EntryPoint, String> {
    if name.contains(['=', '\n']) || object.contains('\n') {
        return Err("it has a character that no program has".to_owned());
    }
    let text = format!("[console_scripts]\n{name} = {object}\n");
    let read =
        scripts::read(text.as_bytes()).map_err(|_| format!("`{object}` is no function of a module"))?;
    read.into_iter().next().ok_or_else(|| "it has no name".to_owned())
}

/// Where the modules of a project may be.
struct Places<'s> {
    root: &'s Names,
    below_src: &'s Names,
}

impl Places<'_> {
    fn has(&self, names: &Names, name: &str, kind: Kind) -> bool {
        match names {
            Names::Are(names) => names.get(name) == Some(&kind),
            Names::Absent | Names::Unreadable(_) => false,
        }
    }

    /// The directory of the image that has a module.
    fn directory_of(&self, module: &str) -> Option<String> {
        let has = |names| {
            self.has(names, module, Kind::Directory) || self.has(names, &format!("{module}.py"), Kind::File)
        };
        if has(self.below_src) {
            Some(format!("{PROJECT}/src"))
        } else {
            has(self.root).then(|| PROJECT.to_owned())
        }
    }

    /// The Python files beside the project's own.
    fn scripts(&self) -> Vec<&str> {
        let Names::Are(names) = self.root else { return Vec::new() };
        let is_script = |(name, kind): &(&String, &Kind)| name.ends_with(".py") && **kind == Kind::File;
        names.iter().filter(is_script).map(|(name, _)| name.as_str()).collect()
    }
}
