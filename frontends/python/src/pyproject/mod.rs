//! `pyproject.toml`, as far as it decides what is built.
//!
//! Tables of other tools are theirs to check; in `[tool.cogpack]` every key must be known.

mod finding;
mod groups;
mod settings;
mod tables;

use std::collections::BTreeMap;

use cogpack_frontends_source::{InFile, Place, Placed, SourcePath};
use cogpack_packages_wheels::file_name::normalised;
use pep440_rs::VersionSpecifiers;
use toml::de::DeTable;

use crate::requirement::PackageName;
use crate::requirements::Stated;
use tables::{Reading, get};

pub use finding::PyprojectFinding;
pub use settings::{Base, Settings, Target, read_alone};

/// What a `pyproject.toml` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pyproject {
    /// `[project]`
    pub project: Option<ProjectTable>,
    /// `[dependency-groups]`, by normalised name, with what they include of others.
    pub groups: BTreeMap<String, Vec<Stated>>,
    /// `[build-system]`: where it is; a project without one is no package.
    pub build_system: Option<Place>,
    /// What builds the project.
    pub build_requires: Vec<Stated>,
    /// `[tool.uv]`
    pub uv: UvTable,
    /// `[tool.cogpack]`
    pub settings: Settings,
}

/// `[project]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectTable {
    /// `name`
    pub name: Option<Placed<PackageName>>,
    /// `version`, as it is written.
    pub version: Option<Placed<String>>,
    /// `requires-python`
    pub requires_python: Option<Placed<VersionSpecifiers>>,
    /// `dependencies`
    pub dependencies: Vec<Stated>,
    /// `scripts`: the programs, by name, each as `MODULE:FUNCTION`.
    pub scripts: BTreeMap<String, Placed<String>>,
    /// `optional-dependencies`, by normalised name.
    pub optional_dependencies: BTreeMap<String, Vec<Stated>>,
}

/// `[tool.uv]`, as far as it decides where packages come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UvTable {
    /// `package`: whether the project itself is installed.
    pub is_package: Option<Placed<bool>>,
    /// `sources`: the packages that come from elsewhere than an index would have it.
    pub sources: BTreeMap<PackageName, Place>,
    /// `index`: the addresses, in order.
    pub indexes: Vec<Placed<String>>,
    /// Whether one of these stands in place of the usual index, or another key names one that does.
    pub names_default_index: bool,
    /// All of it in one form, whatever it looks like in the file: what uv goes by when it chooses versions.
    pub text: String,
}

/// What a `pyproject.toml` says, and what is wrong with it.
pub fn read(file: &SourcePath, text: &str) -> (Pyproject, Vec<InFile<PyprojectFinding>>) {
    let mut reading = Reading::of(file, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    reading.syntax(&errors);
    if !errors.is_empty() {
        return (Pyproject::default(), reading.told());
    }
    let root = document.get_ref();
    let mut pyproject = Pyproject::default();
    if let Some(value) = get(root, "project") {
        let table = reading.table("project", value);
        pyproject.project = table.map(|table| project(&mut reading, table));
    }
    if let Some(value) = get(root, "dependency-groups")
        && let Some(table) = reading.table("dependency-groups", value)
    {
        pyproject.groups = groups::read(&mut reading, table);
    }
    if let Some(value) = get(root, "build-system")
        && let Some(table) = reading.table("build-system", value)
    {
        pyproject.build_system = Some(reading.place(value.span()));
        if let Some(requires) = get(table, "requires") {
            pyproject.build_requires = reading.requirements("build-system.requires", requires);
        }
    }
    if let Some(value) = get(root, "tool")
        && let Some(tools) = reading.table("tool", value)
    {
        if let Some(value) = get(tools, "uv")
            && let Some(table) = reading.table("tool.uv", value)
        {
            pyproject.uv = uv(&mut reading, table);
        }
        if let Some(value) = get(tools, "cogpack")
            && let Some(table) = reading.table("tool.cogpack", value)
        {
            let place = reading.place(value.span());
            pyproject.settings = settings::read(&mut reading, table, place, "`[tool.cogpack]`");
        }
        let poetry = get(tools, "poetry").filter(|_| pyproject.project.is_none());
        if let Some(dependencies) = poetry.and_then(|value| get(value.get_ref().as_table()?, "dependencies"))
        {
            let place = reading.place(dependencies.span());
            reading.found(PyprojectFinding::Poetry { place });
        }
    }
    (pyproject, reading.told())
}

fn project(reading: &mut Reading<'_>, table: &DeTable<'_>) -> ProjectTable {
    let name = get(table, "name").and_then(|value| reading.text("project.name", value));
    let name = name.and_then(|text| match PackageName::new(&text) {
        Some(name) => Some(Placed::new(name, text.place)),
        None => {
            reading.found(PyprojectFinding::Name { name: text.value, place: text.place });
            None
        }
    });
    let requires =
        get(table, "requires-python").and_then(|value| reading.text("project.requires-python", value));
    let requires_python = requires.and_then(|text| match text.parse::<VersionSpecifiers>() {
        Ok(specifiers) => Some(Placed::new(specifiers, text.place)),
        Err(_) => {
            reading.found(PyprojectFinding::RequiresPython { text: text.value, place: text.place });
            None
        }
    });
    let dependencies = match get(table, "dependencies") {
        Some(value) => reading.requirements("project.dependencies", value),
        None => Vec::new(),
    };
    let mut optional_dependencies = BTreeMap::new();
    if let Some(value) = get(table, "optional-dependencies")
        && let Some(extras) = reading.table("project.optional-dependencies", value)
    {
        for (extra, value) in extras {
            let key = format!("project.optional-dependencies.{}", extra.get_ref());
            optional_dependencies.insert(normalised(extra.get_ref()), reading.requirements(&key, value));
        }
    }
    if let Some(value) = get(table, "dynamic") {
        for item in reading.list("project.dynamic", value) {
            if item.get_ref().as_str() == Some("dependencies") {
                let place = reading.place(item.span());
                reading.found(PyprojectFinding::Dynamic { place });
            }
        }
    }
    let mut scripts = BTreeMap::new();
    if let Some(value) = get(table, "scripts")
        && let Some(named) = reading.table("project.scripts", value)
    {
        for (name, value) in named {
            let key = format!("project.scripts.{}", name.get_ref());
            let text = reading.text(&key, value);
            scripts.extend(text.map(|text| (name.get_ref().to_string(), text)));
        }
    }
    let version = get(table, "version").and_then(|value| reading.text("project.version", value));
    ProjectTable { name, version, requires_python, dependencies, scripts, optional_dependencies }
}

fn uv(reading: &mut Reading<'_>, table: &DeTable<'_>) -> UvTable {
    let mut uv = UvTable {
        is_package: get(table, "package").and_then(|value| reading.truth("tool.uv.package", value)),
        names_default_index: get(table, "index-url").is_some(),
        text: tables::plain(table),
        ..UvTable::default()
    };
    if let Some(value) = get(table, "sources")
        && let Some(sources) = reading.table("tool.uv.sources", value)
    {
        for (name, value) in sources {
            if let Some(name) = PackageName::new(name.get_ref()) {
                uv.sources.insert(name, reading.place(value.span()));
            }
        }
    }
    if let Some(value) = get(table, "index") {
        for item in reading.list("tool.uv.index", value) {
            let table = reading.table("tool.uv.index", item);
            let is_default = table.and_then(|table| get(table, "default"));
            uv.names_default_index |= is_default.is_some_and(|value| value.get_ref().as_bool() == Some(true));
            let url = table.and_then(|table| get(table, "url"));
            uv.indexes.extend(url.and_then(|url| reading.text("tool.uv.index.url", url)));
        }
    }
    uv
}
